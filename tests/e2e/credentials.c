/* credentials.c -- tokens, rights, certificates and definitions that change or end; what is known stays, and the cause is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/data_plane.h"
#include "tests/e2e/support/story.h"

#define DEFINITION      "apiextensions.k8s.io/v1"
#define MULTICLUSTERDNS "multiclusterdns.kubefed.io/v1alpha1"

enum { LONG_MS = 6000, YEAR_S = 365 * 24 * 3600, NAMES = 70, SERVICES = 8 };

static void delete_token(struct story *s, enum site site, const char *name)
{
	cluster_delete(s->site[site].cluster, "v1", "Secret", READER_NAMESPACE, name);
}

static void test_a_new_token_is_taken_up_without_a_restart(void **state)
{
	struct story *s = *state;
	char old[32];

	snprintf(old, sizeof(old), "%s", s->site[HOUSTON].token_name);
	story_new_token(s, HOUSTON);
	story_join(s, HOUSTON);
	delete_token(s, HOUSTON, old);
	/* Who is let in by the old one now, has not been asked for it again. */
	cluster_restart(s->site[HOUSTON].cluster);
	story_expect_nothing_changes(s, LONG_MS);
	story_expect_knowledge(s, HOUSTON, "synced", BACK_MS);
}

static void test_a_revoked_token_is_told_and_changes_nothing(void **state)
{
	struct story *s = *state;

	delete_token(s, LOS_ANGELES, s->site[LOS_ANGELES].token_name);
	cluster_restart(s->site[LOS_ANGELES].cluster);
	story_expect_knowledge(s, LOS_ANGELES, "unseen", NOTICED_MS);
	story_expect_status(s, LOS_ANGELES, "401", NOTICED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	story_new_token(s, LOS_ANGELES);
	story_join(s, LOS_ANGELES);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	story_expect_status(s, LOS_ANGELES, "!401 Unauthorized", CHANGED_MS);
}

static void test_the_hosts_token_ends_and_all_goes_on(void **state)
{
	struct story *s = *state;

	cluster_token(s->host, NULL);
	cluster_restart(s->host);
	story_expect_nothing_changes(s, LONG_MS);
	world_expect_http(s->nighd, "/status", "401", NOTICED_MS);
	cluster_token(s->host, NIGH_TOKEN);
	cluster_restart(s->host);
	world_expect_http(s->nighd, "/status", "!401 Unauthorized", BACK_MS);
}

/* The watch that is there goes on; the next one is refused. */
static void test_a_forbidden_kind_is_named_and_the_others_go_on(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;
	int elsewhere = data_plane_open("127.10.3.11", &s->port);

	objects_reader_may(c, "endpointslices");
	cluster_restart(c);
	world_expect_http(s->nighd, "/status", "endpointslices", NOTICED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	objects_service(c, "shop", "web", "127.10.3.11", s->port);
	world_expect(s->nighd, WEB, "A", SAN_FRANCISCO, "127.10.3.11", BACK_MS);
	objects_service(c, "shop", "web", s->site[LOS_ANGELES].web, s->port);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, CHANGED_MS);
	objects_reader_may(c, NULL);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	world_expect_http(s->nighd, "/status", "!endpointslices", BACK_MS);
	data_plane_close(&elsewhere);
}

static void test_an_ended_certificate_is_told_and_changes_nothing(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	cluster_certificate(c, -60);
	cluster_kill(c);
	cluster_start(c);
	story_expect_knowledge(s, NEW_YORK, "unseen", NOTICED_MS);
	story_expect_status(s, NEW_YORK, "certificate", NOTICED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	cluster_certificate(c, YEAR_S);
	cluster_kill(c);
	cluster_start(c);
	cluster_await(c);
	story_expect_knowledge(s, NEW_YORK, "synced", BACK_MS);
	story_expect_status(s, NEW_YORK, "!certificate", CHANGED_MS);
}

/* --- definitions --- */

static void many_names(struct cluster *host)
{
	struct text endpoints = {0};

	for (unsigned i = 0; i < NAMES; i++)
		text_printf(
			&endpoints,
			"  - {dnsName: n%u.example.com, recordType: A, targets: [127.10.4.%u]}\n",
			i, i + 1);
	cluster_apply(host,
	              "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	              "kind: DNSEndpoint\n"
	              "metadata: {name: many, namespace: shop}\n"
	              "spec:\n"
	              "  endpoints:\n%s",
	              endpoints.data);
	text_fini(&endpoints);
}

/* Eight more names in each city, and as many for each region and zone. */
static void many_services(struct story *s)
{
	char name[16];

	for (unsigned i = 0; i < SERVICES; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		for (enum site k = 0; k < SITES; k++)
			objects_service(s->site[k].cluster, "calm", name, s->site[k].still,
			                s->port);
		cluster_apply(s->host,
		              "apiVersion: " MULTICLUSTERDNS "\n"
		              "kind: ServiceDNSRecord\n"
		              "metadata: {name: %s, namespace: calm}\n"
		              "spec: {domainRef: fed, allowServiceWithoutEndpoints: true}\n",
		              name);
	}
}

static void undefine(struct story *s, const char *name)
{
	cluster_delete(s->host, DEFINITION, "CustomResourceDefinition", "", name);
}

static void expect_names_are_there(struct story *s)
{
	world_expect(s->nighd, "n69.example.com", "A", NULL, "127.10.4.70", 0);
	assert_true(world_query(s->nighd, WEB, "A", BOSTON).address_count == 1);
	assert_true(world_query(s->nighd, STILL, "A", AUSTIN).address_count == 1);
}

/* An API server deletes the objects of a definition one by one before it goes: the guard against mass changes holds their
 * names, from the first that are too many. */
static void test_definitions_of_records_and_zones_go_and_come_back(void **state)
{
	struct story *s = *state;

	many_names(s->host);
	world_expect(s->nighd, "n69.example.com", "A", NULL, "127.10.4.70", CHANGED_MS);
	world_expect(s->replica, "n69.example.com", "A", NULL, "127.10.4.70", CHANGED_MS);
	undefine(s, "dnsendpoints.multiclusterdns.kubefed.io");
	world_expect_http(s->nighd, "/status", "\"guard\":[{\"zone\":\"example.com", CHANGED_MS);
	world_expect_http(s->replica, "/status", "\"guard\":[{\"zone\":\"example.com", CHANGED_MS);
	undefine(s, "servicednsrecords.multiclusterdns.kubefed.io");
	undefine(s, "ingressdnsrecords.multiclusterdns.kubefed.io");
	undefine(s, "domains.multiclusterdns.kubefed.io");
	story_expect_nothing_changes(s, LONG_MS);
	expect_names_are_there(s);
	story_furnish_host(s);
	many_names(s->host);
	world_expect_http(s->nighd, "/status", "\"guard\":[]", BACK_MS);
	story_expect_nothing_changes(s, 1000);
	expect_names_are_there(s);
	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "shop", "web");
	world_expect(s->nighd, WEB, "A", BOSTON, "NXDOMAIN", BACK_MS);
}

/* All clusters go from the registry, one after the other: each name keeps its last one. */
static void test_the_definition_of_clusters_goes_and_comes_back(void **state)
{
	struct story *s = *state;

	many_services(s);
	world_expect(s->nighd, "s7.calm.fed.svc.example.com", "A", AUSTIN, "127.10.2.20",
	             CHANGED_MS);
	undefine(s, "kubefedclusters.core.kubefed.io");
	story_expect_status(s, NEW_YORK, "!newyork", CHANGED_MS);
	story_expect_status(s, HOUSTON, "!houston", CHANGED_MS);
	story_expect_status(s, LOS_ANGELES, "!losangeles", CHANGED_MS);
	world_expect_http(s->nighd, "/status", "\"guard\":[{\"zone\":\"example.com", CHANGED_MS);
	assert_true(world_query(s->nighd, WEB, "A", BOSTON).address_count == 1);
	assert_true(world_query(s->nighd, STILL, "A", AUSTIN).address_count == 1);
	objects_definitions(s->host);
	for (enum site i = 0; i < SITES; i++)
		story_join(s, i);
	world_expect_http(s->nighd, "/status", "\"guard\":[]", BACK_MS);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "synced", BACK_MS);
	story_expect_nothing_changes(s, 1000);
}

/* --- what must not be told --- */

static void expect_untold(struct story *s, const char *text, const char *where)
{
	for (enum site i = 0; i < SITES; i++)
		if (strstr(text, s->site[i].token))
			world_fail(s->nighd, "%s has the token of %s", where, s->site[i].name);
	if (strstr(text, NIGH_TOKEN))
		world_fail(s->nighd, "%s has the token for the host", where);
}

/* Of /proc: NULs are spaces. */
static void read_proc(struct story *s, const char *file, struct text *out)
{
	char path[64], buf[4096];
	FILE *in;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", world_pid(s->nighd), file);
	in = fopen(path, "re");
	assert_non_null(in);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0) {
		for (size_t i = 0; i < n; i++)
			buf[i] = buf[i] ? buf[i] : ' ';
		text_add_bytes(out, (struct bytes){(const uint8_t *)buf, n});
	}
	fclose(in);
}

static void test_no_credential_is_told(void **state)
{
	struct story *s = *state;
	static const char *const paths[] = {"/status", "/metrics", "/status/names",
	                                    "/readyz?verbose",
	                                    "/explain?name=" WEB "&client=" BOSTON};
	struct text proc = {0};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_untold(s, world_get(s->nighd, paths[i], NULL), paths[i]);
	expect_untold(s, world_log(s->nighd), "the log");
	read_proc(s, "cmdline", &proc);
	read_proc(s, "environ", &proc);
	expect_untold(s, proc.data, "/proc");
	text_fini(&proc);
}

static void test_no_question_was_lost(void **state) { story_expect_no_loss(*state); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		story_test(test_a_new_token_is_taken_up_without_a_restart),
		story_test(test_a_revoked_token_is_told_and_changes_nothing),
		story_test(test_the_hosts_token_ends_and_all_goes_on),
		story_test(test_a_forbidden_kind_is_named_and_the_others_go_on),
		story_test(test_an_ended_certificate_is_told_and_changes_nothing),
		story_test(test_definitions_of_records_and_zones_go_and_come_back),
		story_test(test_the_definition_of_clusters_goes_and_comes_back),
		story_test(test_no_credential_is_told),
		cmocka_unit_test(test_no_question_was_lost),
	};

	return cmocka_run_group_tests_name("e2e/credentials", tests, story_setup, story_teardown);
}
