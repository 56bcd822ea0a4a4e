/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"

enum { PATIENCE_MS = 20000 };

static const char config[] =
	"sources:\n"
	"  kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true}\n"
	"  members:\n"
	"  - {name: east, kubeconfig: east.kubeconfig, location: \"40.71,-74.01\"}\n"
	"  - {name: west, kubeconfig: west.kubeconfig, location: \"34.05,-118.24\"}\n";

/* --- objects --- */

uint64_t world_api_point(struct fakeapi *f, const char *name, const char *address)
{
	return fakeapi_put(f, FAKEAPI_ENDPOINTS,
	                   "{'metadata':{'name':'%s','namespace':'shop','annotations':{'city':"
	                   "'M\xc3\xbcnchen'}},'spec':{'endpoints':[{'dnsName':'%s.example.com',"
	                   "'recordType':'A','targets':['%s']}]}}",
	                   name, name, address);
}

void world_api_generate(struct text *out, size_t i, void *arg)
{
	size_t fat = arg ? *(const size_t *)arg : 0;
	char *fill = xmalloc(fat + 1);

	memset(fill, 'x', fat);
	fill[fat] = '\0';
	text_printf(out,
	            "{\"metadata\":{\"name\":\"h%06zu\",\"namespace\":\"shop\",\"annotations\":{"
	            "\"fat\":\"%s\"}},\"spec\":{\"endpoints\":[{\"dnsName\":\"h%zu.example.com\","
	            "\"recordType\":\"A\",\"targets\":[\"198.18.%zu.%zu\"]}]}}",
	            i, fill, i, 16 + i / 256, i % 256);
	free(fill);
}

void world_api_serve(struct fakeapi *f, const char *address)
{
	fakeapi_put(f, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'type':'LoadBalancer',"
	            "'ports':[{'name':'http','port':80,'protocol':'TCP'}]},'status':{"
	            "'loadBalancer':{'ingress':[{'ip':'%s'}]}}}",
	            address);
	fakeapi_put(f, FAKEAPI_SLICES,
	            "{'metadata':{'name':'web-1','namespace':'shop','labels':{"
	            "'kubernetes.io/service-name':'web'}},'addressType':'IPv4','ports':[{'name':"
	            "'http','port':8080,'protocol':'TCP'}],'endpoints':[{'addresses':['10.1.0.4'],"
	            "'conditions':{'ready':true}}]}");
}

/* --- life --- */

void world_api_host(struct world_api *a, const struct fakeapi_options *options)
{
	fakeapi_free(a->host);
	a->host = fakeapi_new(options);
	fakeapi_put(a->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'kube-federation-system'},'domain':"
	            "'example.com'}");
	fakeapi_put(a->host, FAKEAPI_SERVICE_RECORDS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'domainRef':'fed'}}");
	world_api_point(a->host, "kept", WORLD_KEPT_AT);
	fakeapi_kubeconfig(a->host, a->w, "host.kubeconfig");
}

int world_api_setup(void **state)
{
	struct world_api *a = xcalloc(1, sizeof(*a));

	*state = a;
	a->w = world_new();
	a->east = fakeapi_new(NULL);
	a->west = fakeapi_new(NULL);
	world_api_serve(a->east, WORLD_EAST_AT);
	world_api_serve(a->west, WORLD_WEST_AT);
	fakeapi_kubeconfig(a->east, a->w, "east.kubeconfig");
	fakeapi_kubeconfig(a->west, a->w, "west.kubeconfig");
	world_api_host(a, NULL);
	return 0;
}

int world_api_teardown(void **state)
{
	struct world_api *a = *state;
	struct world *w = a->w;

	/* The servers last: nighd ends well while they are there. */
	a->w = NULL;
	world_free(w);
	fakeapi_free(a->host);
	fakeapi_free(a->east);
	fakeapi_free(a->west);
	free(a);
	return 0;
}

void world_api_start(struct world_api *a, const char *yaml)
{
	struct text all = {0};

	text_printf(&all, "%s%s", config, yaml);
	world_config(a->w, all.data);
	text_fini(&all);
	world_start(a->w);
	world_expect(a->w, WORLD_KEPT, "A", NULL, WORLD_KEPT_AT, PATIENCE_MS);
	world_expect(a->w, WORLD_WEB, "A", NULL, WORLD_EAST_AT, PATIENCE_MS);
	a->is_kept = true;
}

/* --- waiting --- */

static void see_kept(struct world_api *a)
{
	if (!a->is_kept)
		return;
	world_expect(a->w, WORLD_KEPT, "A", NULL, WORLD_KEPT_AT, 0);
	if (strncmp(world_ask(a->w, WORLD_WEB, "A", NULL), "198.18.", 7) != 0)
		world_fail(a->w, "%s is not answered any more", WORLD_WEB);
}

struct wish {
	struct fakeapi *f;
	const char *text, *more;
	double number;
};

typedef bool is_so_fn(struct world_api *a, const struct wish *wish);

static void await(struct world_api *a, is_so_fn *is_so, const struct wish *wish, const char *what)
{
	struct deadline deadline = inside_deadline(PATIENCE_MS);

	while (!is_so(a, wish)) {
		if (!inside_has_time(deadline))
			world_fail(a->w, "not within %d ms: %s '%s' %s %g", PATIENCE_MS, what,
			           wish->text, wish->more ? wish->more : "", wish->number);
		inside_demand_alive(a->w);
		see_kept(a);
		inside_rest();
	}
	see_kept(a);
}

static bool is_answered(struct world_api *a, const struct wish *wish)
{
	const char *answer = world_ask(a->w, wish->text, "A", NULL);

	if (!strcmp(answer, "SERVFAIL"))
		world_fail(a->w, "SERVFAIL for %s", wish->text);
	return !strcmp(answer, wish->more);
}

void world_api_await_answer(struct world_api *a, const char *name, const char *expected)
{
	await(a, is_answered, &(struct wish){.text = name, .more = expected}, "answer");
}

static bool is_requested(struct world_api *a, const struct wish *wish)
{
	(void)a;
	return fakeapi_requests(wish->f, wish->text) >= (unsigned)wish->number;
}

void world_api_await_requests(struct world_api *a, struct fakeapi *f, const char *text,
                              unsigned at_least)
{
	await(a, is_requested, &(struct wish){.f = f, .text = text, .number = at_least},
	      "requests");
}

static bool is_watched(struct world_api *a, const struct wish *wish)
{
	(void)a;
	return fakeapi_watches(wish->f, wish->text) == (unsigned)wish->number;
}

void world_api_await_watches(struct world_api *a, struct fakeapi *f, const char *where,
                             unsigned count)
{
	await(a, is_watched, &(struct wish){.f = f, .text = where, .number = count}, "watches");
}

static bool is_connected(struct world_api *a, const struct wish *wish)
{
	(void)a;
	return fakeapi_connections_ever(wish->f) >= (unsigned)wish->number;
}

void world_api_await_connections(struct world_api *a, struct fakeapi *f, unsigned ever)
{
	await(a, is_connected, &(struct wish){.f = f, .text = "ever", .number = ever},
	      "connections");
}

static bool is_in_status(struct world_api *a, const struct wish *wish)
{
	bool absent = wish->text[0] == '!';
	const char *status = world_get(a->w, "/status", NULL);

	return (strstr(status, wish->text + absent) == NULL) == absent;
}

void world_api_await_status(struct world_api *a, const char *text)
{
	await(a, is_in_status, &(struct wish){.text = text}, "status");
}

double world_api_count(struct world_api *a, const char *cluster, const char *name)
{
	char sample[128];

	snprintf(sample, sizeof(sample), "watcher_api_%s{cluster=\"%s\"}", name, cluster);
	return world_metric(a->w, sample);
}

static bool is_counted(struct world_api *a, const struct wish *wish)
{
	return world_api_count(a, wish->more, wish->text) >= wish->number;
}

void world_api_await_count(struct world_api *a, const char *cluster, const char *name,
                           double at_least)
{
	await(a, is_counted, &(struct wish){.text = name, .more = cluster, .number = at_least},
	      "count");
}

void world_api_pass(struct world_api *a, unsigned ms)
{
	uint64_t until_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < until_ms) {
		see_kept(a);
		inside_rest();
	}
}

void world_api_miss_changes(struct world_api *a)
{
	fakeapi_down(a->host);
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_point(a->host, "new", "198.18.0.9");
	fakeapi_compact(a->host);
	fakeapi_up(a->host);
}

void world_api_expect_changes(struct world_api *a)
{
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	world_api_await_answer(a, "old.example.com", "NXDOMAIN");
}
