/* many_services.c -- 5,000 Services at once: all are answered, nobody else waits for them, and they do not go by mistake. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/story.h"

#define HELD "\"guard\":[{\"zone\":\"example.com\",\"names\":50"

enum {
	SERVICES = 5000,
	LOOKED_AT = 50,
	FILLED_MS = 120000, /* the cluster's own controllers make 5,000 EndpointSlices */
	CONTROLLERS_MS = 20000,
	LONG_MS = 5000
};

static void fill_service(struct cluster_request *r, unsigned i, void *arg)
{
	const struct story *s = arg;

	r->method = "POST";
	r->type = "application/json";
	snprintf(r->path, sizeof(r->path), "/api/v1/namespaces/many/services");
	snprintf(r->body, sizeof(r->body),
	         "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s%u\","
	         "\"annotations\":{\"external-dns.alpha.kubernetes.io/"
	         "hostname\":\"s%u.example.com\"}},"
	         "\"spec\":{\"type\":\"LoadBalancer\",\"allocateLoadBalancerNodePorts\":false,"
	         "\"selector\":{\"app\":\"all\"},"
	         "\"ports\":[{\"port\":%u}]}}",
	         i, i, s->port);
}

/* As a cloud's load balancers do, some time later. */
static void fill_status(struct cluster_request *r, unsigned i, void *arg)
{
	(void)arg;
	r->method = "PATCH";
	r->type = "application/merge-patch+json";
	snprintf(r->path, sizeof(r->path), "/api/v1/namespaces/many/services/s%u/status", i);
	snprintf(r->body, sizeof(r->body),
	         "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"127.11.%u.%u\"}]}}}",
	         i / 250, i % 250 + 1);
}

static void expect_all(struct story *s, const char *instead, unsigned within_ms)
{
	for (unsigned n = 0; n < LOOKED_AT; n++) {
		unsigned i = n == 0 ? SERVICES - 1 : n * (SERVICES / LOOKED_AT);
		char name[64], address[32];

		snprintf(name, sizeof(name), "s%u.example.com", i);
		snprintf(address, sizeof(address), "127.11.%u.%u", i / 250, i % 250 + 1);
		world_expect(s->nighd, name, "A", BOSTON, instead ? instead : address, within_ms);
	}
}

static void expect_houston_is_seen(struct story *s)
{
	struct cluster *c = s->site[HOUSTON].cluster;

	objects_pods(c, "shop", "web", 2, false);
	objects_expect_endpoints(c, "shop", "web", 0, CONTROLLERS_MS);
	story_expect(s, AUSTIN, LOS_ANGELES, CHANGED_MS);
	objects_pods(c, "shop", "web", 2, true);
	objects_expect_endpoints(c, "shop", "web", 2, CONTROLLERS_MS);
	story_expect(s, AUSTIN, HOUSTON, CHANGED_MS);
}

static void test_five_thousand_services_come_at_once(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	objects_namespace(c, "many");
	objects_pods(c, "many", "all", 1, true);
	cluster_send_many(c, SERVICES, fill_service, s);
	cluster_send_many(c, SERVICES, fill_status, s);
	expect_houston_is_seen(s);
	expect_all(s, NULL, FILLED_MS);
	story_expect_nothing_changes(s, 1000);
}

static void test_a_restart_of_their_cluster_changes_nothing(void **state)
{
	struct story *s = *state;

	cluster_restart(s->site[NEW_YORK].cluster);
	story_expect_nothing_changes(s, LONG_MS);
	story_expect_knowledge(s, NEW_YORK, "synced", BACK_MS);
	expect_all(s, NULL, 0);
}

/* More than a mistake may take away: held, until they come back. */
static void test_their_cluster_is_removed_by_mistake(void **state)
{
	struct story *s = *state;

	objects_unjoin(s->host, s->site[NEW_YORK].cluster);
	story_expect_status(s, NEW_YORK, "!newyork", CHANGED_MS);
	world_expect_http(s->nighd, "/status", HELD, CHANGED_MS);
	expect_all(s, NULL, 0);
	story_expect(s, BOSTON, HOUSTON, 0);
	story_join(s, NEW_YORK);
	story_expect_knowledge(s, NEW_YORK, "synced", BACK_MS);
	world_expect_http(s->nighd, "/status", "\"guard\":[]", CHANGED_MS);
	expect_all(s, NULL, 0);
	story_expect_nothing_changes(s, 1000);
}

/* Or until a person says that it is meant. */
static void test_their_cluster_is_removed_and_they_are_released(void **state)
{
	struct story *s = *state;
	char server[64];
	const char *const argv[] = {"$NIGHCTL", "guard", "release", "example.com",
	                            "--server", server,  NULL};

	objects_unjoin(s->host, s->site[NEW_YORK].cluster);
	world_expect_http(s->nighd, "/status", HELD, CHANGED_MS);
	expect_all(s, NULL, 0);
	snprintf(server, sizeof(server), "http://127.0.0.1:%u", world_http_port(s->nighd));
	world_expect_run(s->nighd, argv, 0, "");
	expect_all(s, "NXDOMAIN", CHANGED_MS);
	story_expect(s, BOSTON, HOUSTON, 0);
}

static void test_no_question_was_lost(void **state) { story_expect_no_loss(*state); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		story_test(test_five_thousand_services_come_at_once),
		story_test(test_a_restart_of_their_cluster_changes_nothing),
		story_test(test_their_cluster_is_removed_by_mistake),
		story_test(test_their_cluster_is_removed_and_they_are_released),
		cmocka_unit_test(test_no_question_was_lost),
	};

	return cmocka_run_group_tests_name("e2e/many_services", tests, story_setup, story_teardown);
}
