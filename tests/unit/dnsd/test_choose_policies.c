/* What traffic policies have answered, stage by stage, and whom they refuse. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dnsd_world.h"

/* In the order that they are put. */
enum { LA, NY, FRA, CLUSTERS };

#define BERLIN  "198.51.100.0/24"
#define BOSTON  "198.51.101.0/24"
#define OAKLAND "198.51.102.0/24"
#define NOWHERE "203.0.113.0/24"

static struct world *w;
static struct policy policy;
static struct rules rules;
static uint32_t weights[64];

static int setup(void **state)
{
	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_cluster(w, "fra", 50.11, 8.68);
	world_networks(w, BERLIN ",52.52,13.40,DE\n" BOSTON ",42.36,-71.06,US\n" OAKLAND
	                         ",37.80,-122.27,US\n");
	world_settings(w)->max_addresses = 16;
	policy = (struct policy){0};
	rules = (struct rules){.stages = {RULES_NEAREST}, .stage_count = 1};
	memset(weights, 0, sizeof weights);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* What was put into `policy` and `rules` is in force. */
static void enforce(void)
{
	world_policy_by(w, 1, &policy, &rules);
	world_build(w);
}

static void put_three(const char *name)
{
	world_use_policy(w, 1);
	world_put_sites(w, name, NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                "fra: 30 A 192.0.2.3", NULL);
}

static const char *ask_from(const char *question, const char *ecs)
{
	return world_ask(w, question, &(struct asking){.ecs = ecs});
}

static void assert_answer(const char *question, const char *ecs, const char *wanted)
{
	assert_string_equal(ask_from(question, ecs), wanted);
}

static void assert_begins(const char *question, const char *ecs, const char *wanted)
{
	const char *is = ask_from(question, ecs);

	if (strncmp(is, wanted, strlen(wanted)) != 0)
		fail_msg("%s from %s: %s", question, ecs, is);
}

static void assert_has(const char *question, const char *ecs, const char *wanted)
{
	const char *is = ask_from(question, ecs);

	if (strstr(is, wanted) == NULL)
		fail_msg("%s from %s: %s", question, ecs, is);
}

static const uint16_t only_fra[] = {FRA}, only_la[] = {LA};
static struct bytes germany;
static struct rules_fence fence;

static void fence_germans(bool required)
{
	germany = bytes_of("DE");
	fence = (struct rules_fence){.countries = &germany,
	                             .country_count = 1,
	                             .clusters = only_fra,
	                             .cluster_count = 1,
	                             .required = required};
	rules.fences = &fence;
	rules.fence_count = 1;
	rules.stages[0] = RULES_FENCE;
	rules.stages[1] = RULES_NEAREST;
	rules.stage_count = 2;
	policy.has_fence = required;
}

static void test_a_fence_that_must_hold_has_its_clients_go_nowhere_else(void **state)
{
	(void)state;
	put_three("web.example.com");
	world_use_policy(w, 1);
	world_put_sites(w, "us.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_put_sites(w, "mixed.example.com", NULL, "la: 30 A 192.0.2.1",
	                "la: 30 AAAA 2001:db8::1", "fra: 30 A 192.0.2.3", NULL);
	fence_germans(true);
	enforce();
	assert_answer("web.example.com A", BERLIN,
	              "NOERROR aa scope=24 / an web.example.com. 30 A 192.0.2.3");
	assert_answer("web.example.com A", BOSTON,
	              "NOERROR aa scope=24 / an web.example.com. 30 A 192.0.2.2");
	/* Others have it, so it is there: no denial, but none for them. */
	assert_answer("us.example.com A", BERLIN, "REFUSED scope=24 ede=18");
	assert_begins("us.example.com A", OAKLAND, "NOERROR aa scope=24 / an us.example.com. 30 A");
	assert_answer("mixed.example.com AAAA", BERLIN, "REFUSED scope=24 ede=18");
	/* The only site that has it, but not for all: the scope says for whom. */
	assert_answer("mixed.example.com AAAA", BOSTON,
	              "NOERROR aa scope=24 / an mixed.example.com. 30 AAAA 2001:db8::1");
	/* What nobody has is denied to all alike. */
	assert_begins("us.example.com AAAA", BERLIN, "NOERROR aa scope=0 / ns example.com. 60 SOA");
	assert_begins("us.example.com AAAA", BOSTON, "NOERROR aa scope=0 / ns example.com. 60 SOA");
	/* A client of no known place is in no fence. */
	assert_begins("web.example.com A", NOWHERE, "NOERROR aa scope=");
}

static void test_inside_a_fence_all_down_fails_open_inside(void **state)
{
	(void)state;
	put_three("web.example.com");
	fence_germans(true);
	enforce();
	world_drain(w, "fra", true);
	world_build(w);
	assert_answer("web.example.com A", BERLIN,
	              "NOERROR aa scope=24 / an web.example.com. 5 A 192.0.2.3");
	policy.no_data_when_all_down = true;
	enforce();
	/* Not for some: others are answered. */
	assert_answer("web.example.com A", BERLIN, "REFUSED scope=24 ede=18");
	assert_begins("web.example.com A", BOSTON, "NOERROR aa scope=24 / an web.example.com. 5 A");
	world_drain(w, "la", true);
	world_drain(w, "ny", true);
	world_build(w);
	assert_begins("web.example.com A", BERLIN, "NOERROR aa scope=0 / ns example.com. 5 SOA");
	assert_begins("web.example.com A", BOSTON, "NOERROR aa scope=0 / ns example.com. 5 SOA");
	assert_begins("web.example.com MX", BOSTON, "NOERROR aa scope=0 / ns example.com. 60 SOA");
}

static void test_a_fence_that_may_be_left_is_left_when_nobody_is_in(void **state)
{
	(void)state;
	put_three("web.example.com");
	fence_germans(false);
	fence.clusters = only_la;
	enforce();
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.1");
	world_drain(w, "la", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.3");
}

static void test_tiers_come_one_after_the_other(void **state)
{
	static const uint16_t tier[CLUSTERS] = {[LA] = 0, [NY] = 0, [FRA] = 1};

	(void)state;
	put_three("web.example.com");
	rules = (struct rules){
		.stages = {RULES_TIER, RULES_NEAREST}, .stage_count = 2, .tier = tier};
	enforce();
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.2");
	world_drain(w, "ny", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.1");
	world_drain(w, "la", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.3");
}

static void test_all_tells_the_nearest_first_and_leaves_lower_tiers_out(void **state)
{
	static const uint16_t tier[CLUSTERS] = {[LA] = 0, [NY] = 0, [FRA] = 1};

	(void)state;
	put_three("web.example.com");
	policy.all = true;
	enforce();
	assert_answer("web.example.com A", BERLIN,
	              "NOERROR aa scope=24 / an web.example.com. 30 A 192.0.2.3"
	              " / an web.example.com. 30 A 192.0.2.2 / an web.example.com. 30 A 192.0.2.1");
	policy.max_addresses = 2;
	enforce();
	assert_answer("web.example.com A", BERLIN,
	              "NOERROR aa scope=24 / an web.example.com. 30 A 192.0.2.3"
	              " / an web.example.com. 30 A 192.0.2.2");
	rules = (struct rules){
		.stages = {RULES_TIER, RULES_NEAREST}, .stage_count = 2, .tier = tier};
	policy.narrowing = 1;
	enforce();
	assert_has("web.example.com A", BERLIN,
	           " / an web.example.com. 30 A 192.0.2.2 / an web.example.com. 30 A 192.0.2.1");
	assert_null(strstr(ask_from("web.example.com A", BERLIN), "192.0.2.3"));
	world_drain(w, "la", true);
	world_drain(w, "ny", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " / an web.example.com. 5 A 192.0.2.3");
}

/* An order names its first eight places; who comes behind them is worked out. */
static void test_all_tells_more_than_the_order_names_in_order(void **state)
{
	enum { MANY = 14 };
	char line[MANY][40], wanted[48];
	const char *lines[MANY], *answer, *at;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		char name[8];

		/* The farther east, the farther away. */
		snprintf(name, sizeof name, "x%02u", (i * 5) % MANY);
		world_cluster(w, name, 52.5, 14.0 + i * 10);
		snprintf(line[(i * 5) % MANY], sizeof line[0], "%s: 30 A 192.0.2.%u", name,
		         100 + i);
	}
	for (unsigned i = 0; i < MANY; i++)
		lines[i] = line[i];
	world_use_policy(w, 1);
	world_put_site_lines(w, "many.example.com", NULL, lines, MANY);
	policy.all = true;
	for (unsigned most = 1; most <= MANY; most++) {
		policy.max_addresses = (uint16_t)most;
		enforce();
		answer = at = ask_from("many.example.com A", BERLIN);
		assert_non_null(strstr(answer, " scope=24 "));
		for (unsigned i = 0; i < most; i++) {
			snprintf(wanted, sizeof wanted, " 192.0.2.%u", 100 + i);
			at = strstr(at, wanted);
			assert_non_null(at);
		}
		assert_null(strstr(at + 1, " 192.0.2."));
	}
}

static void test_all_by_weight_takes_other_sites_for_other_buckets(void **state)
{
	unsigned first = 0;

	(void)state;
	put_three("web.example.com");
	rules = (struct rules){.stages = {0}, .unknown_is_tie = true};
	policy.all = true;
	enforce();
	/* All fit: nobody decides. */
	assert_has("web.example.com A", BERLIN, " scope=0 ");
	policy.max_addresses = 2;
	enforce();
	for (unsigned i = 0; i < 250; i++) {
		char ecs[32];
		const char *answer;

		snprintf(ecs, sizeof ecs, "10.0.%u.0/24", i);
		answer = ask_from("web.example.com A", ecs);
		assert_non_null(strstr(answer, " scope=24 "));
		first += strstr(answer, " 192.0.2.1") != NULL;
	}
	assert_in_range(first, 250 * 55 / 100, 250 * 78 / 100);
}

static void test_all_asks_no_bucket_about_those_that_it_does_not_come_to(void **state)
{
	static const uint16_t tier[CLUSTERS] = {[LA] = 1, [NY] = 1, [FRA] = 0};

	(void)state;
	put_three("web.example.com");
	rules = (struct rules){
		.stages = {RULES_TIER}, .stage_count = 1, .tier = tier, .unknown_is_tie = true};
	policy.all = true;
	policy.max_addresses = 1;
	enforce();
	assert_answer("web.example.com A", BERLIN,
	              "NOERROR aa scope=0 / an web.example.com. 30 A 192.0.2.3");
	policy.max_addresses = 2;
	enforce();
	assert_has("web.example.com A", BERLIN,
	           " scope=24 / an web.example.com. 30 A 192.0.2.3 / an ");
	policy.max_addresses = 3;
	enforce();
	assert_has("web.example.com A", BERLIN, " scope=0 ");
	/* In trouble as on a calm day. */
	world_drain(w, "fra", true);
	policy.max_addresses = 1;
	enforce();
	assert_has("web.example.com A", BERLIN, " scope=24 ");
	policy.max_addresses = 2;
	enforce();
	assert_has("web.example.com A", BERLIN, " scope=0 ");
}

static void test_the_policys_ttls_replace_those_of_the_records(void **state)
{
	(void)state;
	put_three("web.example.com");
	policy.ttl = 77;
	policy.degraded_ttl = 7;
	enforce();
	assert_has("web.example.com A", BERLIN, " 77 A 192.0.2.3");
	world_withhold(w, "fra", 0, 20);
	world_build(w);
	/* Only where a drain is to come. */
	assert_has("web.example.com A", BERLIN, " 20 A 192.0.2.3");
	assert_has("web.example.com A", BOSTON, " 77 A 192.0.2.2");
	world_withhold(w, "fra", 0, 0);
	world_drain(w, "la", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 7 A 192.0.2.3");
}

static void test_a_site_that_must_prove_itself_comes_last(void **state)
{
	static const bool waits[] = {false, true}, none[] = {false, false};

	(void)state;
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", "fra@1: 30 A 192.0.2.3",
	                NULL);
	policy.has_failback = true;
	enforce();
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.3");
	world_waits(w, waits, 2);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.1");
	world_drain(w, "la", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.3");
	world_drain(w, "la", false);
	world_waits(w, none, 2);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.3");
}

static void test_a_site_that_is_held_down_comes_last(void **state)
{
	(void)state;
	world_use_policy(w, 1);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", "fra~9: 30 A 192.0.2.3",
	                NULL);
	enforce();
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.1");
	world_drain(w, "la", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.3");
	world_drain(w, "la", false);
	world_put_sites(w, "web.example.com", NULL, "la: 30 A 192.0.2.1", "fra: 30 A 192.0.2.3",
	                NULL);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 30 A 192.0.2.3");
}

static void test_until_a_fence_is_known_nobody_is_sent_over_it(void **state)
{
	(void)state;
	put_three("web.example.com");
	policy.has_fence = policy.must_wait = true;
	enforce();
	assert_answer("web.example.com A", BERLIN, "SERVFAIL scope=0 ede=14");
	assert_answer("web.example.com A", BOSTON, "SERVFAIL scope=0 ede=14");
}

static void test_a_client_of_no_place_may_be_where_its_resolver_is(void **state)
{
	struct asking from_berlin = {.ecs = NOWHERE, .resolver = "198.51.100.7"};
	struct asking from_boston = {.ecs = NOWHERE, .resolver = "198.51.101.7"};

	(void)state;
	put_three("web.example.com");
	rules.unknown_is_apart = true;
	policy.resolver_when_unknown = true;
	enforce();
	assert_non_null(strstr(world_ask(w, "web.example.com A", &from_berlin), " 192.0.2.3"));
	assert_non_null(strstr(world_ask(w, "web.example.com A", &from_boston), " 192.0.2.2"));
	/* Who has a place is there. */
	from_boston.ecs = BERLIN;
	assert_non_null(strstr(world_ask(w, "web.example.com A", &from_boston), " 192.0.2.3"));
}

static void test_a_client_of_no_place_stays_in_the_fence_of_its_network(void **state)
{
	struct asking from_boston = {.ecs = NOWHERE, .resolver = "198.51.101.7"};
	struct addr_network nowhere;

	(void)state;
	put_three("web.example.com");
	assert_int_equal(addr_network_parse(bytes_of(NOWHERE), &nowhere, NULL), 0);
	fence_germans(true);
	fence.country_count = 0;
	fence.networks = &nowhere;
	fence.network_count = 1;
	rules.unknown_is_apart = true;
	policy.resolver_when_unknown = true;
	enforce();
	assert_has("web.example.com A", NOWHERE, " 192.0.2.3");
	assert_non_null(strstr(world_ask(w, "web.example.com A", &from_boston), " 192.0.2.3"));
	fence.required = policy.has_fence = false;
	enforce();
	assert_non_null(strstr(world_ask(w, "web.example.com A", &from_boston), " 192.0.2.3"));
}

/* Clients with and without a fence may have the same order. */
static void test_a_fence_leaves_its_best_to_all_and_to_its_own_clients_alone(void **state)
{
	static const uint16_t americans[] = {LA, NY};

	(void)state;
	world_networks(w, BERLIN ",52.52,13.40,DE\n" BOSTON ",42.36,-71.06,US\n" OAKLAND
	                         ",43.65,-79.38,CA\n" NOWHERE ",42.36,-71.06,US\n"
	                         "192.0.2.0/24,43.65,-79.38,CA\n");
	put_three("web.example.com");
	fence_germans(false);
	germany = bytes_of("US");
	fence.clusters = americans;
	fence.cluster_count = 2;
	policy.all = true;
	policy.narrowing = 1;
	enforce();
	for (unsigned i = 0; i < 2; i++) {
		const char *us = i == 0 ? BOSTON : NOWHERE,
			   *canada = i == 0 ? OAKLAND : "192.0.2.0/24";

		assert_has("web.example.com A", us, " 192.0.2.2");
		assert_has("web.example.com A", us, " 192.0.2.1");
		assert_null(strstr(ask_from("web.example.com A", us), " 192.0.2.3"));
		assert_has("web.example.com A", canada, " 192.0.2.2");
		assert_has("web.example.com A", canada, " 192.0.2.3");
	}
}

static void test_a_cluster_that_is_new_is_outside_of_fences_that_were_there(void **state)
{
	(void)state;
	put_three("web.example.com");
	fence_germans(true);
	fence.clusters = (const uint16_t[]){LA, NY, FRA};
	fence.cluster_count = 3;
	rules.stage_count = 1;
	rules.unknown_is_tie = true;
	enforce();
	/* Its ranking is not made yet. */
	world_cluster(w, "new", 52.52, 13.40);
	world_use_policy(w, 1);
	world_put_sites(w, "new.example.com", NULL, "new: 30 A 192.0.2.4", NULL);
	world_build(w);
	assert_begins("new.example.com A", BERLIN, "REFUSED");
	assert_has("new.example.com A", BOSTON, " 192.0.2.4");
}

static void test_clients_of_no_place_have_weights_of_their_own(void **state)
{
	unsigned la = 0;

	(void)state;
	put_three("web.example.com");
	weights[world_cluster_id(w, "la")] = 3;
	weights[world_cluster_id(w, "ny")] = 1;
	rules.unknown_is_apart = rules.unknown_is_tie = true;
	policy.unknown_weight = weights;
	policy.cluster_count = 64;
	enforce();
	assert_has("web.example.com A", BERLIN, " 192.0.2.3");
	for (unsigned i = 0; i < 200; i++) {
		char ecs[32];
		const char *answer;

		snprintf(ecs, sizeof ecs, "10.0.%u.0/24", i);
		answer = ask_from("web.example.com A", ecs);
		assert_null(strstr(answer, "192.0.2.3"));
		la += strstr(answer, "192.0.2.1") != NULL;
	}
	assert_in_range(la, 120, 180);
}

static void test_sticky_buckets_are_as_long_as_they_are_said(void **state)
{
	char first[128];

	(void)state;
	put_three("web.example.com");
	rules = (struct rules){.stages = {0}, .unknown_is_tie = true};
	policy.bucket_ipv4 = 20;
	policy.bucket_ipv6 = 56;
	enforce();
	for (unsigned k = 0; k < 20; k++) {
		for (unsigned i = 0; i < 16; i++) {
			char ecs[32];

			snprintf(ecs, sizeof ecs, "10.%u.%u.0/24", k, 32 + i);
			if (i == 0)
				snprintf(first, sizeof first, "%s",
				         ask_from("web.example.com A", ecs));
			assert_string_equal(ask_from("web.example.com A", ecs), first);
		}
		assert_non_null(strstr(first, " scope=20 "));
	}
	assert_begins("web.example.com A", "2001:db8::/48", "NOERROR aa scope=56 ");
	/* ::ffff:0:0/96 is IPv4, and in no bucket of others. */
	assert_begins("web.example.com A", "::/24", "NOERROR aa scope=96 ");
	assert_begins("web.example.com A", "::ffff:10.0.0.0/120", "NOERROR aa scope=116 ");
}

static void test_weights_decide_only_what_distance_leaves_equal(void **state)
{
	(void)state;
	put_three("web.example.com");
	weights[world_cluster_id(w, "la")] = 90;
	weights[world_cluster_id(w, "ny")] = 10;
	policy.weight = weights;
	policy.cluster_count = 64;
	enforce();
	assert_has("web.example.com A", BOSTON, " scope=24 / an web.example.com. 30 A 192.0.2.2");
	/* No weight, no client, however near. */
	assert_has("web.example.com A", BERLIN, " 192.0.2.2");
	world_drain(w, "la", true);
	world_drain(w, "ny", true);
	world_build(w);
	assert_has("web.example.com A", BERLIN, " 5 A 192.0.2.3");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_fence_that_must_hold_has_its_clients_go_nowhere_else),
		TEST(test_inside_a_fence_all_down_fails_open_inside),
		TEST(test_a_fence_that_may_be_left_is_left_when_nobody_is_in),
		TEST(test_tiers_come_one_after_the_other),
		TEST(test_all_tells_the_nearest_first_and_leaves_lower_tiers_out),
		TEST(test_all_tells_more_than_the_order_names_in_order),
		TEST(test_all_by_weight_takes_other_sites_for_other_buckets),
		TEST(test_all_asks_no_bucket_about_those_that_it_does_not_come_to),
		TEST(test_the_policys_ttls_replace_those_of_the_records),
		TEST(test_a_site_that_must_prove_itself_comes_last),
		TEST(test_a_site_that_is_held_down_comes_last),
		TEST(test_until_a_fence_is_known_nobody_is_sent_over_it),
		TEST(test_a_client_of_no_place_may_be_where_its_resolver_is),
		TEST(test_a_client_of_no_place_stays_in_the_fence_of_its_network),
		TEST(test_a_fence_leaves_its_best_to_all_and_to_its_own_clients_alone),
		TEST(test_a_cluster_that_is_new_is_outside_of_fences_that_were_there),
		TEST(test_clients_of_no_place_have_weights_of_their_own),
		TEST(test_sticky_buckets_are_as_long_as_they_are_said),
		TEST(test_weights_decide_only_what_distance_leaves_equal),
	};

	return cmocka_run_group_tests_name("dnsd/choose (policies)", tests, NULL, NULL);
}
