/* guard.c -- the guard against mass changes holds what would lose its last address, and lets it go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json_object.h>
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

/* host/many.yaml: h0 to h(count-1).example.com in one DNSEndpoint. */
static void many(struct world *w, int count, int net)
{
	char list[16384] = "";

	for (int i = 0; i < count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
		         "  - {dnsName: h%d.example.com, recordType: A, targets: [198.18.%d.%d]}\n",
		         i, net, i + 1);
	world_write(w, "manifests/host/many.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: many, namespace: shop}\n"
	            "spec:\n"
	            "  endpoints:\n%s",
	            list);
}

static void begin(struct world *w, const char *config)
{
	world_config(w, config);
	world_domain(w, "fed", "example.com");
	many(w, 100, 1);
	world_endpoint(w, "other.yaml", "other", "other.example.com", "A", "198.18.2.1");
	world_start(w);
	world_expect(w, "h99.example.com", "A", NULL, "198.18.1.100", 0);
}

static const char *text_at(struct json_object *root, const char *path)
{
	struct json_object *value = NULL;

	assert_int_equal(json_pointer_get(root, path, &value), 0);
	return json_object_get_string(value);
}

static void test_a_mass_deletion_is_held_and_listed_and_everything_else_passes(void **state)
{
	struct world *w = *state;
	struct json_object *status;

	begin(w, "");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{\"zone\":\"example.com", 1000);
	world_expect_log(
		w, "'nighctl guard release example.com' lets it go zone=example.com names=100", 0);
	world_endpoint(w, "other.yaml", "other", "other.example.com", "A", "198.18.2.2");
	world_expect(w, "other.example.com", "A", NULL, "198.18.2.2", 1000);
	world_expect_stays(w, "h0.example.com", "A", NULL, "198.18.1.1", 500);
	world_expect(w, "h99.example.com", "A", NULL, "198.18.1.100", 0);
	status = world_json(w, "/status");
	assert_int_equal(atoi(text_at(status, "/guard/0/names")), 100);
	assert_int_equal(atoi(text_at(status, "/zones/0/held")), 100);
	assert_non_null(text_at(status, "/guard/0/since"));
	assert_non_null(text_at(status, "/guard/0/until"));
	assert_non_null(text_at(status, "/guard/0/id"));
	json_object_put(status);
	assert_int_equal((int)world_metric(w, "records_guard_held_names{zone=\"example.com\"}"),
	                 100);
}

static void test_the_hold_ends_when_the_names_come_back(void **state)
{
	struct world *w = *state;

	begin(w, "");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	many(w, 100, 3);
	world_expect(w, "h0.example.com", "A", NULL, "198.18.3.1", 1000);
	world_expect_http(w, "/status", "\"guard\":[]", 1000);
}

static void test_nighctl_releases_the_hold(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "guard", "release", "example.com", NULL};
	const char *const wrong[] = {"$NIGHCTL", "guard", "release", "other.test", NULL};

	begin(w, "");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	world_expect_run(w, wrong, 1, "other.test");
	world_expect_run(w, argv, 0, "released");
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect_http(w, "/status", "\"guard\":[]", 1000);
	world_expect_log(w, "the guard holds nothing any more zone=example.com", 0);
}

static void test_an_annotation_of_the_domain_releases_the_hold_it_names(void **state)
{
	static const char domain[] = "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
				     "kind: Domain\n"
				     "metadata:\n"
				     "  name: fed\n"
				     "  namespace: kube-federation-system\n"
				     "  annotations: {nigh.dev/release-guard: \"%s\"}\n"
				     "domain: example.com\n";
	struct world *w = *state;
	struct json_object *status;
	char id[64];

	begin(w, "");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	status = world_json(w, "/status");
	snprintf(id, sizeof(id), "%s", text_at(status, "/guard/0/id"));
	json_object_put(status);
	world_write(w, "manifests/host/domain-fed.yaml", domain, "7777");
	world_expect_stays(w, "h0.example.com", "A", NULL, "198.18.1.1", 700);
	world_write(w, "manifests/host/domain-fed.yaml", domain, id);
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect_http(w, "/status", "\"guard\":[]", 1000);
}

static void test_a_post_releases_the_hold_and_a_get_does_not(void **state)
{
	struct world *w = *state;
	int status;

	begin(w, "");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	world_get(w, "/guard/release?zone=example.com", &status);
	assert_int_equal(status, 405);
	world_send(w, "POST", "/guard/release", &status);
	assert_int_equal(status, 400);
	world_send(w, "POST", "/guard/release?zone=other.test", &status);
	assert_int_equal(status, 404);
	world_expect(w, "h0.example.com", "A", NULL, "198.18.1.1", 0);
	world_send(w, "POST", "/guard/release?zone=example.com", &status);
	assert_int_equal(status, 200);
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void test_the_hold_ends_after_its_time(void **state)
{
	struct world *w = *state;

	begin(w, "guard: {holdFor: 2s}");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	world_expect(w, "h0.example.com", "A", NULL, "198.18.1.1", 0);
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 4000);
}

static void test_the_hold_outlives_a_kill_and_a_stop(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHCTL", "guard", "release", "example.com", NULL};
	char id[64], again[128];
	struct json_object *status;

	begin(w, "state: state\n");
	world_remove(w, "manifests/host/many.yaml");
	world_expect_http(w, "/status", "\"guard\":[{", 1000);
	status = world_json(w, "/status");
	snprintf(id, sizeof(id), "%s", text_at(status, "/guard/0/id"));
	json_object_put(status);
	snprintf(again, sizeof(again), "\"id\":\"%s\"", id);
	/* Written within a second. */
	world_expect_stays(w, "h0.example.com", "A", NULL, "198.18.1.1", 1500);
	world_kill(w);
	world_start(w);
	world_expect_stays(w, "h0.example.com", "A", NULL, "198.18.1.1", 1000);
	world_stop(w);
	world_start(w);
	world_expect_stays(w, "h99.example.com", "A", NULL, "198.18.1.100", 1000);
	world_expect_http(w, "/status", again, 0);
	world_expect_run(w, argv, 0, "released");
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_stop(w);
	world_start(w);
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 0);
}

static void test_a_deleted_domain_does_not_take_a_hundred_names_with_it(void **state)
{
	struct world *w = *state;

	begin(w, "guard: {holdFor: 4s}\nstate: state\n");
	world_remove(w, "manifests/host/domain-fed.yaml");
	world_expect_http(w, "/status", "\"guard\":[{\"zone\":\"example.com", 1000);
	world_expect_stays(w, "h0.example.com", "A", NULL, "198.18.1.1", 1500);
	world_kill(w);
	world_start(w);
	world_expect(w, "h0.example.com", "A", NULL, "198.18.1.1", 0);
	/* In the zone everything goes on, and in its time it goes. */
	world_endpoint(w, "other.yaml", "other", "other.example.com", "A", "198.18.2.2");
	world_expect(w, "other.example.com", "A", NULL, "198.18.2.2", 1000);
	world_expect(w, "h0.example.com", "A", NULL, "REFUSED", 6000);
	world_expect_http(w, "/status", "\"guard\":[]", 1000);
}

static void test_few_names_or_a_small_share_go_at_once(void **state)
{
	struct world *w = *state;

	begin(w, "");
	many(w, 60, 1);
	/* 40 of 101: more than a fifth, but not more than 50. */
	world_expect(w, "h99.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect(w, "h59.example.com", "A", NULL, "198.18.1.60", 0);
}

static void test_names_that_move_are_not_counted(void **state)
{
	struct world *w = *state;

	begin(w, "");
	many(w, 100, 4);
	world_expect(w, "h99.example.com", "A", NULL, "198.18.4.100", 1000);
	world_expect_http(w, "/status", "\"guard\":[]", 0);
}

static void test_a_guard_of_100_percent_is_off(void **state)
{
	struct world *w = *state;

	begin(w, "guard: {maxWithdrawPercent: 100}");
	world_remove(w, "manifests/host/many.yaml");
	world_expect(w, "h0.example.com", "A", NULL, "NXDOMAIN", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_mass_deletion_is_held_and_listed_and_everything_else_passes),
		world_test(test_the_hold_ends_when_the_names_come_back),
		world_test(test_nighctl_releases_the_hold),
		world_test(test_an_annotation_of_the_domain_releases_the_hold_it_names),
		world_test(test_a_post_releases_the_hold_and_a_get_does_not),
		world_test(test_the_hold_ends_after_its_time),
		world_test(test_the_hold_outlives_a_kill_and_a_stop),
		world_test(test_a_deleted_domain_does_not_take_a_hundred_names_with_it),
		world_test(test_few_names_or_a_small_share_go_at_once),
		world_test(test_names_that_move_are_not_counted),
		world_test(test_a_guard_of_100_percent_is_off),
	};

	return cmocka_run_group_tests_name("scenario/guard", tests, NULL, NULL);
}
