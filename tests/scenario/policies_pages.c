/* policies_pages.c -- the examples of docs/policies, run as they stand there.
 *
 * A block that begins with "# PATH" is written to that file, a block of lines "CLIENT -> ..." is what is to
 * be seen then (docs/policies/README.md says how to read them).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_example.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

#define WEB       "web.shop.fed.svc.example.com"
#define ENDPOINTS "\"layer\":\"endpoints\",\"ok\":"
enum { SOON_MS = 8000, LINE_SIZE = 256, BLOCK_SIZE = 8192, BUCKETS = 10000 };

struct page {
	struct world *w;
	const char *name;
	bool is_started;
	unsigned checks; /* lines that were looked at */
	char config[1024];
};

static const char *const sites[] = {"newyork", "houston", "losangeles"};
static const char *const addresses[] = {"198.18.1.10", "198.18.2.10", "198.18.3.10"};

static unsigned site_of(struct page *p, const char *name)
{
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(name, sites[i]) == 0)
			return i;
	world_fail(p->w, "%s: there is no site %s", p->name, name);
}

/* --- files --- */

static void take_file(struct page *p, const char *block)
{
	char path[LINE_SIZE], where[LINE_SIZE + 16];
	const char *text = strchr(block, '\n') + 1;

	if (sscanf(block, "# %255s", path) != 1)
		world_fail(p->w, "%s: a block without a path: %s", p->name, block);
	if (strcmp(path, "nighd.yaml") == 0) {
		snprintf(p->config, sizeof p->config, "%s", text);
		world_config(p->w, p->config);
		return;
	}
	snprintf(where, sizeof where, "%s%s", strchr(path, '/') != NULL ? "manifests/" : "", path);
	world_write(p->w, where, "%s", text);
}

/* The site's EndpointSlice: so many endpoints, the first of them ready. */
static void set_ready(struct page *p, unsigned site, unsigned ready, unsigned all)
{
	char list[4096] = "", path[LINE_SIZE];

	for (unsigned i = 0; i < all; i++) {
		char one[96];

		snprintf(one, sizeof one, "%s{addresses: [10.1.0.%u], conditions: {ready: %s}}",
		         i > 0 ? ", " : "", i + 1, i < ready ? "true" : "false");
		strcat(list, one);
	}
	snprintf(path, sizeof path, "manifests/clusters/%s/service-web.yaml", sites[site]);
	world_write(p->w, path,
	            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
	            "spec: {type: LoadBalancer, ports: [{name: http, port: 80, protocol: TCP}]}\n"
	            "status: {loadBalancer: {ingress: [{ip: \"%s\"}]}}\n"
	            "---\n"
	            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	            "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: "
	            "web}}\n"
	            "addressType: IPv4\nports: [{name: http, port: 8080, protocol: TCP}]\n"
	            "endpoints: [%s]\n",
	            addresses[site], list);
}

static bool is_seen(struct page *p, unsigned site, bool is_ready)
{
	char cluster[LINE_SIZE];
	const char *at = world_get(p->w, "/status/names?prefix=web.shop", NULL);

	snprintf(cluster, sizeof cluster, "\"cluster\":\"%s\"", sites[site]);
	at = strstr(at, "\"name\":\"" WEB "\"");
	at = at != NULL ? strstr(at, cluster) : NULL;
	at = at != NULL ? strstr(at, ENDPOINTS) : NULL;
	return at != NULL && (strncmp(at + strlen(ENDPOINTS), "true", 4) == 0) == is_ready;
}

/* What is expected next may be what was so before: it counts only when the change is there. */
static void change(struct page *p, unsigned site, unsigned ready, unsigned all)
{
	struct deadline d = inside_deadline(SOON_MS);

	set_ready(p, site, ready, all);
	while (!is_seen(p, site, ready > 0)) {
		if (!inside_has_time(d))
			world_fail(p->w, "%s: of %s %u of %u ready is not seen", p->name,
			           sites[site], ready, all);
		inside_rest();
	}
}

/* --- what is to be seen --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Site names become addresses, in the order that answers are printed in. */
static void expect_answer(struct page *p, const char *client, char *wanted)
{
	const char *list[3];
	char expected[LINE_SIZE] = "", *save = NULL;
	unsigned count = 0;

	if (strcmp(wanted, "REFUSED") == 0 || strcmp(wanted, "NODATA") == 0) {
		world_expect(p->w, WEB, "A", client, wanted, SOON_MS);
		return;
	}
	for (char *word = strtok_r(wanted, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		list[count++] = addresses[site_of(p, word)];
	qsort(list, count, sizeof *list, by_text);
	for (unsigned i = 0; i < count; i++) {
		strcat(expected, i > 0 ? " " : "");
		strcat(expected, list[i]);
	}
	world_expect(p->w, WEB, "A", client, expected, SOON_MS);
}

/* Of so many /24 each site's share, in percent. */
static void count_shares(struct page *p, double share[3])
{
	unsigned count[3] = {0}, all = world_is_sanitized() ? BUCKETS / 4 : BUCKETS;

	for (unsigned i = 0; i < all; i++) {
		char client[32];
		const char *is;
		unsigned site = 0;

		snprintf(client, sizeof client, "20.%u.%u.0/24", i >> 8, i & 255);
		is = world_ask(p->w, WEB, "A", client);
		while (site < 3 && strcmp(is, addresses[site]) != 0)
			site++;
		if (site == 3)
			world_fail(p->w, "%s: %s gets %s", p->name, client, is);
		count[site]++;
	}
	for (unsigned i = 0; i < 3; i++)
		share[i] = count[i] * 100.0 / all;
}

static bool are_shares(const double is[3], const double wanted[3])
{
	for (unsigned i = 0; i < 3; i++)
		if (is[i] < wanted[i] - 2.5 || is[i] > wanted[i] + 2.5)
			return false;
	return true;
}

/* "newyork 60 %, houston 40 %" */
static void expect_shares(struct page *p, char *wanted)
{
	double share[3], want[3] = {0};
	char *save = NULL, name[LINE_SIZE];

	for (char *part = strtok_r(wanted, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save)) {
		double percent;

		if (sscanf(part, "%255s %lf %%", name, &percent) != 2)
			world_fail(p->w, "%s: no share: %s", p->name, part);
		want[site_of(p, name)] = percent;
	}
	/* What was just written may not be in force yet. */
	for (unsigned tries = 0; tries < 20; tries++) {
		count_shares(p, share);
		if (are_shares(share, want))
			return;
	}
	world_fail(p->w, "%s: shares are %.1f %.1f %.1f", p->name, share[0], share[1], share[2]);
}

static void take_line(struct page *p, char *line)
{
	char word[LINE_SIZE], client[LINE_SIZE];
	char *comment = strstr(line, "  #"), *arrow = strstr(line, " -> ");
	unsigned ready, all;

	if (comment != NULL)
		*comment = '\0';
	while (*line != '\0' && line[strlen(line) - 1] == ' ')
		line[strlen(line) - 1] = '\0';
	p->checks++;
	if (sscanf(line, "down %255s", word) == 1) {
		change(p, site_of(p, word), 0, 1);
	} else if (sscanf(line, "up %255s", word) == 1) {
		change(p, site_of(p, word), 1, 1);
	} else if (sscanf(line, "ready %255s %u of %u", word, &ready, &all) == 3) {
		change(p, site_of(p, word), ready, all);
	} else if (arrow != NULL && sscanf(line, "%255s", client) == 1) {
		if (strcmp(client, "everybody") == 0)
			expect_shares(p, arrow + 4);
		else
			expect_answer(p, client, arrow + 4);
	} else {
		world_fail(p->w, "%s: not understood: %s", p->name, line);
	}
}

static void take_lines(struct page *p, char *block)
{
	char *save = NULL;

	if (!p->is_started)
		world_start(p->w);
	p->is_started = true;
	for (char *line = strtok_r(block, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		take_line(p, line);
}

/* --- the page --- */

static unsigned pages_run;

static void run_page(struct world *w, const char *name)
{
	struct page p = {.w = w, .name = name};
	char path[LINE_SIZE], line[LINE_SIZE], block[BLOCK_SIZE] = "";
	bool is_open = false, is_seen = false;
	FILE *f;

	snprintf(path, sizeof path, "docs/policies/%s", name);
	f = fopen(path, "r");
	if (f == NULL)
		world_fail(w, "%s cannot be read", path);
	world_three_cities(w);
	world_config(w, "rateLimit: {mode: off}");
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, "```", 3) != 0) {
			if (is_open && strlen(block) + strlen(line) < sizeof block)
				strcat(block, line);
			continue;
		}
		if (is_open && is_seen)
			take_lines(&p, block);
		else if (is_open)
			take_file(&p, block);
		is_open = !is_open;
		is_seen = strcmp(line, "```console\n") == 0;
		block[0] = '\0';
	}
	fclose(f);
	if (is_open || p.checks == 0)
		world_fail(w, "%s has no example, or one without end", path);
	pages_run++;
}

#define PAGE(function, file)                                                                       \
	static void function(void **state) { run_page(*state, file); }

PAGE(test_the_example_of_geofence, "geofence.md")
PAGE(test_the_example_of_failover, "failover.md")
PAGE(test_the_example_of_nearest, "nearest.md")
PAGE(test_the_example_of_latency, "latency.md")
PAGE(test_the_example_of_weighted, "weighted.md")
PAGE(test_the_example_of_capacity, "capacity.md")
PAGE(test_the_example_of_sticky, "sticky.md")
PAGE(test_the_example_of_all, "all.md")
PAGE(test_the_example_of_unknown_clients, "unknown-client.md")
PAGE(test_the_example_of_all_sites_down, "when-all-down.md")
PAGE(test_the_example_of_stages_together, "README.md")

/* In a manifest folder; tests/e2e/policies.c has it at a real API server. */
static void test_the_example_with_everything(void **state)
{
	struct network *net = network_new(1);
	struct text policy = {0};
	struct world *w;

	(void)state;
	network_enter(net, 0);
	w = world_new();
	assert_true(inside_read_file(EXAMPLE_POLICY, &policy));
	world_write(w, "manifests/host/all.yaml", "%s---\n%s", example_host(), policy.data);
	example_write(w);
	world_config(w, EXAMPLE_CONFIG);
	world_start(w);
	example_expect(w, SOON_MS);
	world_free(w);
	text_fini(&policy);
	network_enter(net, NETWORK_OUTSIDE);
	network_free(net);
}

static bool is_page(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcmp(name + len - 3, ".md") == 0;
}

/* A new page without a test would be one that nobody runs. */
static void test_every_page_is_run(void **state)
{
	DIR *dir = opendir("docs/policies");
	unsigned pages = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		pages += is_page(entry->d_name);
	closedir(dir);
	assert_int_equal(pages, pages_run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_the_example_of_geofence),
		world_test(test_the_example_of_failover),
		world_test(test_the_example_of_nearest),
		world_test(test_the_example_of_latency),
		world_test(test_the_example_of_weighted),
		world_test(test_the_example_of_capacity),
		world_test(test_the_example_of_sticky),
		world_test(test_the_example_of_all),
		world_test(test_the_example_of_unknown_clients),
		world_test(test_the_example_of_all_sites_down),
		world_test(test_the_example_of_stages_together),
		cmocka_unit_test(test_every_page_is_run),
		cmocka_unit_test(test_the_example_with_everything),
	};

	return cmocka_run_group_tests_name("policies (pages)", tests, NULL, NULL);
}
