/* What explain says of a name with a traffic policy: each stage, and who is left after it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dnsd/explain.h"
#include "records/endpoint.h"
#include "tests/support/dnsd_world.h"

/* In the order that they are put. */
enum { LA, NY, HOU, FRA, CLUSTERS };

static struct world *w;
static struct policy policy;
static struct rules rules;
static uint32_t weights[64];
static char *told;

static int setup(void **state)
{
	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_cluster(w, "hou", 40.71, -74.0);
	world_cluster(w, "fra", 50.11, 8.68);
	world_networks(w, "198.51.100.0/24,52.52,13.40,DE\n198.51.101.0/24,42.36,-71.06,US\n");
	policy = (struct policy){.name = "shop/web", .cluster_count = 64, .weight = weights};
	rules = (struct rules){.stages = {RULES_NEAREST}, .stage_count = 1};
	memset(weights, 0, sizeof weights);
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", "ny=6: 30 A 192.0.2.2",
	                "hou=2@1: 30 A 192.0.2.3", "fra: 30 A 192.0.2.4", NULL);
	world_use_policy(w, 0);
	world_put_sites(w, "plain.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	free(told);
	told = NULL;
	return 0;
}

static void explain(const char *name, const char *client)
{
	struct explain_request r = {.name = name, .client = client};
	struct text out = {0};
	struct reason why = {0};

	world_policy_by(w, 1, &policy, &rules);
	assert_int_equal(explain_print(world_build(w), &r, &out, &why), ERR_OK);
	free(told);
	told = text_take(&out);
}

static void assert_told(const char *part)
{
	if (strstr(told, part) == NULL)
		fail_msg("no %s in %s", part, told);
}

static void weigh(const char *cluster, uint32_t weight)
{
	weights[world_cluster_id(w, cluster)] = weight;
}

static void test_each_stage_has_a_step_with_who_is_left(void **state)
{
	static const char *const stages[] = {"geofence", "failover", "nearest", "weighted",
	                                     "capacity", "sticky",   NULL};
	static const uint16_t tier[CLUSTERS] = {[LA] = 1, [FRA] = 1}, american[] = {LA, NY, HOU};
	struct bytes country = bytes_of("US");
	struct rules_fence fence = {.countries = &country,
	                            .country_count = 1,
	                            .clusters = american,
	                            .cluster_count = 3};

	(void)state;
	weigh("la", 10);
	weigh("ny", 80);
	weigh("hou", 20);
	weigh("fra", 10);
	policy.stages = stages;
	policy.is_capacity = true;
	policy.bucket_ipv4 = 20;
	rules = (struct rules){.stages = {RULES_FENCE, RULES_TIER, RULES_NEAREST},
	                       .stage_count = 3,
	                       .fences = &fence,
	                       .fence_count = 1,
	                       .tier = tier};
	explain("web.example.com", "198.51.101.0/24");
	assert_told("\"policy\":{\"namespace\":\"shop\",\"name\":\"web\"}");
	assert_told("{\"stage\":\"usable\",\"detail\":\"4 of 4 sites "
	            "usable\",\"left\":[\"fra\",\"hou\",\"la\",\"ny\"]}");
	assert_told("{\"stage\":\"geofence\",\"detail\":\"");
	assert_told("\"left\":[\"hou\",\"la\",\"ny\"]},{\"stage\":\"failover\",\"detail\":\"");
	assert_told("\"left\":[\"hou\",\"ny\"]},{\"stage\":\"nearest\",\"detail\":\"");
	assert_told("\"left\":[\"hou\",\"ny\"]},{\"stage\":\"weighted\",\"detail\":\"");
	assert_told(" of 520, told apart by the client's /20\"");
	assert_told(
		"{\"stage\":\"sticky\",\"detail\":\"all clients of a /20 (IPv6: /48) together\"");
	assert_told("\"weight\":80,\"capacity\":6}");
	assert_told("\"scope\":");
}

static void test_who_is_passed_over_is_told(void **state)
{
	static const char *const stages[] = {"nearest", "weighted", NULL};
	static const bool waits[] = {false, true};

	(void)state;
	policy.stages = stages;
	policy.has_failback = true;
	weigh("ny", 1);
	weigh("hou", 1);
	weigh("la", 1);
	world_waits(w, waits, 2);
	world_withhold(w, "ny", SNAPSHOT_EVERYBODY, 0);
	explain("web.example.com", "198.51.101.0/24");
	assert_told("{\"stage\":\"weighted\",\"detail\":\"weight 0 while others have "
	            "more\",\"left\":[\"hou\",\"la\",\"ny\"]}");
	assert_told("{\"stage\":\"withheld\",\"detail\":\"clusters that must not have this "
	            "client's bucket now come last\",\"left\":[\"hou\",\"la\"]}");
	assert_told("{\"stage\":\"failback\",\"detail\":\"sites that have come back and are not "
	            "proven yet come last\",\"left\":[\"la\"]}");
	assert_told("{\"layer\":\"failback\",\"ok\":false,\"detail\":\"has come back, and is not "
	            "proven yet\"");
	assert_told("{\"stage\":\"weighted\",\"detail\":\"nobody else is left to share with\","
	            "\"left\":[\"la\"]}");
	assert_told("\"site\":\"la\"");
	/* What is down has not come back. */
	world_drain(w, "hou", true);
	explain("web.example.com", "198.51.101.0/24");
	assert_told("{\"layer\":\"failback\",\"ok\":false,\"detail\":\"has to be proven when it "
	            "comes back\"");
}

static void test_who_flaps_is_told_with_the_layer_and_for_how_long(void **state)
{
	static const char *const stages[] = {"nearest", NULL};

	(void)state;
	policy.stages = stages;
	policy.weight = NULL;
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1",
	                "ny~4000000: 30 A 192.0.2.2", NULL);
	world_use_policy(w, 0);
	world_put_sites(w, "plain.example.com", NULL, "la: 30 A 192.0.2.1",
	                "ny~4000000: 30 A 192.0.2.2", NULL);
	for (size_t i = 0; i < 2; i++) {
		explain(i == 0 ? "web.example.com" : "plain.example.com", "198.51.101.0/24");
		assert_told("{\"stage\":\"flapping\",\"detail\":\"sites that go up and down again "
		            "and again come last\",\"left\":[\"la\"]}");
		assert_told(
			"{\"layer\":\"flapping\",\"ok\":false,\"detail\":\"endpoints down again "
			"and again: held down for another 4000000 s\"");
		assert_told("\"site\":\"la\"");
	}
}

static void test_the_order_for_clients_of_no_place_is_told(void **state)
{
	static const char *const stages[] = {"nearest", NULL};
	static const char *const order[] = {"hou", "la"};

	(void)state;
	policy.stages = stages;
	policy.weight = NULL;
	rules.unknown_order = order;
	rules.unknown_count = 2;
	explain("web.example.com", "10.9.9.0/24");
	assert_told("{\"stage\":\"unknownClient\",\"detail\":\"in the order that it gives\","
	            "\"left\":[\"hou\"]}");
	assert_told("\"site\":\"hou\"");
}

static void test_a_client_that_is_fenced_off_is_told_why(void **state)
{
	static const char *const stages[] = {"geofence", "nearest", NULL};
	static const uint16_t only_fra[] = {FRA};
	struct bytes country = bytes_of("DE");
	struct rules_fence fence = {.countries = &country,
	                            .country_count = 1,
	                            .clusters = only_fra,
	                            .cluster_count = 1,
	                            .required = true};

	(void)state;
	policy.stages = stages;
	policy.weight = NULL;
	policy.has_fence = true;
	rules = (struct rules){.stages = {RULES_FENCE, RULES_NEAREST},
	                       .stage_count = 2,
	                       .fences = &fence,
	                       .fence_count = 1};
	explain("web.example.com", "198.51.100.0/24");
	assert_told("\"detail\":\"a fence that must hold forbids the others\",\"left\":[\"fra\"]}");
	assert_told("\"site\":\"fra\"");
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", NULL);
	explain("web.example.com", "198.51.100.0/24");
	assert_told("{\"stage\":\"geofence\",\"detail\":\"no site that this client may be sent to "
	            "has this type\",\"left\":[]}");
	assert_null(strstr(told, "failOpen"));
	assert_told("\"rcode\":\"REFUSED\"");
}

static void test_the_share_of_ready_endpoints_is_a_layer(void **state)
{
	(void)state;
	policy.min_ready_percent = 50;
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la%3/10: 30 A 192.0.2.1",
	                "ny%6/10: 30 A 192.0.2.2", NULL);
	explain("web.example.com", "198.51.101.0/24");
	assert_told("{\"layer\":\"readyShare\",\"ok\":false,\"detail\":\"3 of 10 endpoints ready, "
	            "50 % wanted\"");
	assert_told("{\"layer\":\"readyShare\",\"ok\":true,\"detail\":\"6 of 10 endpoints ready, "
	            "50 % wanted\"");
	assert_told("\"left\":[\"ny\"]");
}

static void test_no_data_is_told_by_its_cause_alone_and_for_as_long_as_it_holds(void **state)
{
	static const char *const stages[] = {"nearest", NULL};

	(void)state;
	policy.stages = stages;
	policy.weight = NULL;
	policy.no_data_when_all_down = true;
	policy.degraded_ttl = 7;
	world_put(w, "alias.example.com", "30 CNAME web.example.com.", NULL);
	for (int cluster = LA; cluster < CLUSTERS; cluster++) {
		static const char *const names[] = {"la", "ny", "hou", "fra"};

		world_drain(w, names[cluster], true);
	}
	explain("web.example.com", "198.51.101.0/24");
	assert_told("{\"stage\":\"whenAllDown\",\"detail\":\"no site is usable: no data, for all "
	            "clients\"");
	assert_null(strstr(told, "no records of this type"));
	assert_told("\"rcode\":\"NOERROR\",\"site\":null,\"ttl\":7,");
	/* The end of a chain has a TTL, too. */
	explain("alias.example.com", "198.51.101.0/24");
	assert_told("\"rcode\":\"NOERROR\",\"site\":null,\"ttl\":7,");
}

static void test_several_sites_are_told_in_one_step(void **state)
{
	static const char *const stages[] = {"all", NULL};

	(void)state;
	policy.stages = stages;
	policy.weight = NULL;
	policy.all = true;
	policy.max_addresses = 3;
	explain("web.example.com", "198.51.101.0/24");
	assert_told("{\"stage\":\"all\",\"detail\":\"as many of them as may be told, in the "
	            "client's order\",\"left\":[\"hou\",\"la\",\"ny\"]}");
}

static void test_a_name_without_a_policy_has_none(void **state)
{
	(void)state;
	explain("plain.example.com", "198.51.101.0/24");
	assert_told("\"policy\":null,");
	assert_null(strstr(told, "\"weight\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	/* explain.c may not include records, but reads its bits. */
	_Static_assert(SITE_FEW_READY == 4 && SITE_NO_GATEWAY == 8, "as in explain.c");
	const struct CMUnitTest tests[] = {
		TEST(test_each_stage_has_a_step_with_who_is_left),
		TEST(test_who_is_passed_over_is_told),
		TEST(test_who_flaps_is_told_with_the_layer_and_for_how_long),
		TEST(test_the_order_for_clients_of_no_place_is_told),
		TEST(test_a_client_that_is_fenced_off_is_told_why),
		TEST(test_the_share_of_ready_endpoints_is_a_layer),
		TEST(test_no_data_is_told_by_its_cause_alone_and_for_as_long_as_it_holds),
		TEST(test_several_sites_are_told_in_one_step),
		TEST(test_a_name_without_a_policy_has_none),
	};

	return cmocka_run_group_tests_name("dnsd/explain (policies)", tests, NULL, NULL);
}
