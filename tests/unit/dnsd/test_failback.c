/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <uv.h>

#include "dnsd/failback.h"
#include "watcher/saved.h"
#include "zones/build.h"

#define WIRE(s) ((struct bytes){(const uint8_t *)(s), sizeof(s)})
#define WWW     WIRE("\3www\7example\3com")

enum { LA = 1, NY = 2, HOLD_LA = 3, HOLD_NY = 5, HOLDS = 6 };

/* www.example.com at la and ny, under a policy with failback. */
struct stage {
	uv_loop_t loop;
	struct facts *facts;
	struct saved *saved;
	struct zones *zones;
	struct failback *failback;
	struct policy_value policy;
	struct records_policy policies[2];
	struct records_hold_back holds[HOLDS];
	struct records_result result;
	bool la_drained;
	uint64_t now_ms;
};

static void put_sites(struct stage *s, bool la_is_ready)
{
	const struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	const struct endpoint_rrset set = {
		.type = bytes_of("A"), .ttl = 30, .count = 1, .addresses = &address};
	const struct endpoint_site sites[] = {
		{.cluster = LA,
	         .layers = (uint8_t)(SITE_LOAD_BALANCER | (la_is_ready ? SITE_ENDPOINTS : 0)),
	         .rrsets = &set,
	         .rrset_count = 1,
	         .hold = HOLD_LA},
		{.cluster = NY,
	         .layers = SITE_ENDPOINTS | SITE_LOAD_BALANCER,
	         .rrsets = &set,
	         .rrset_count = 1,
	         .hold = HOLD_NY},
	};
	const struct endpoint e = {.owner = WWW,
	                           .source = "",
	                           .has_sites = true,
	                           .fail_open = true,
	                           .sites = sites,
	                           .site_count = 2,
	                           .policy = 1};

	zones_put(s->zones, &e);
	failback_touch(s->failback, &e);
}

static void put_clusters(struct stage *s)
{
	const struct snapshot_cluster clusters[] = {{.id = LA,
	                                             .name = "la",
	                                             .source = "manifests",
	                                             .knowledge = "synced",
	                                             .region = "",
	                                             .drained = s->la_drained},
	                                            {.id = NY,
	                                             .name = "ny",
	                                             .source = "manifests",
	                                             .knowledge = "synced",
	                                             .region = ""}};

	zones_set_clusters(s->zones, clusters, 2);
}

/* What the pipeline does at each publication. */
static void publish(struct stage *s, uint64_t after_ms)
{
	const struct snapshot *snapshot;
	struct failback_times times;

	s->now_ms += after_ms;
	times = (struct failback_times){s->now_ms, (int64_t)(s->now_ms / 1000)};
	put_clusters(s);
	snapshot = zones_build(s->zones, 1);
	while (failback_look(s->failback, &s->result, snapshot, &times, s->zones))
		snapshot = zones_build(s->zones, 1);
}

static bool waits(struct stage *s, uint16_t cluster)
{
	const struct snapshot *snapshot = zones_build(s->zones, 1);
	const struct zone *zone;
	const struct node *node;
	const struct site *site;
	struct name name;

	assert_int_not_equal(name_parse(&name, WWW.data, WWW.len), 0);
	zone = snapshot_find_zone(snapshot, &name);
	node = zone ? zone_find_node(zone, &name) : NULL;
	site = node ? node_find_site(node, cluster) : NULL;
	if (!site)
		fail_msg("there is no such site");
	return site && snapshot_site_waits(snapshot, site);
}

static void fill_result(struct stage *s)
{
	s->policy = (struct policy_value){.failback = POLICY_AFTER, .stable_for_ms = 10000};
	s->policies[1] = (struct records_policy){
		.is = &s->policy, .namespace = bytes_of("shop"), .name = bytes_of("web")};
	s->holds[HOLD_LA] = (struct records_hold_back){WWW, LA, 1};
	s->holds[HOLD_NY] = (struct records_hold_back){WWW, NY, 1};
	s->result = (struct records_result){.policies = s->policies,
	                                    .policy_count = 2,
	                                    .holds_back = s->holds,
	                                    .hold_back_count = HOLDS};
}

static int setup(void **state)
{
	const struct zones_nameserver ns = {.name = WIRE("\2ns\7example\3com")};
	const struct zones_zone zone = {.apex = WIRE("\7example\3com"),
	                                .ttl = 60,
	                                .negative_ttl = 30,
	                                .nameservers = &ns,
	                                .nameserver_count = 1};
	struct stage *s = calloc(1, sizeof(*s));
	int no_lock = -1;

	assert_non_null(s);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->facts = facts_new();
	assert_int_equal(saved_open_handed(&s->loop, NULL, &no_lock, (struct bytes){NULL, 0},
	                                   s->facts, &s->saved, NULL),
	                 ERR_OK);
	s->zones = zones_new();
	zones_set_zones(s->zones, &zone, 1);
	s->failback = failback_new(s->saved);
	s->now_ms = 1000000;
	fill_result(s);
	put_sites(s, true);
	publish(s, 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	failback_free(s->failback);
	zones_free(s->zones);
	saved_close(s->saved);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	facts_free(s->facts);
	free(s);
	return 0;
}

static void test_nobody_waits_at_a_start(void **state)
{
	struct stage *s = *state;

	assert_false(waits(s, LA));
	assert_false(waits(s, NY));
}

static void test_a_site_whose_endpoints_come_back_waits_until_it_has_been_stable(void **state)
{
	struct stage *s = *state;

	put_sites(s, false);
	publish(s, 1000);
	put_sites(s, true);
	publish(s, 1000);
	assert_true(waits(s, LA));
	assert_false(waits(s, NY));
	publish(s, 9999);
	assert_true(waits(s, LA));
	publish(s, 1);
	assert_false(waits(s, LA));
}

/* Else it would have all its clients for a moment, and lose them again. */
static void test_a_site_waits_already_when_it_comes_back(void **state)
{
	struct stage *s = *state;

	put_sites(s, false);
	publish(s, 1000);
	assert_true(waits(s, LA));
	put_sites(s, true);
	assert_true(waits(s, LA));
}

static void test_a_drain_is_a_break_though_no_name_changes(void **state)
{
	struct stage *s = *state;

	s->la_drained = true;
	publish(s, 1000);
	s->la_drained = false;
	publish(s, 1000);
	assert_true(waits(s, LA));
	publish(s, 5000);
	s->la_drained = true;
	publish(s, 1000);
	s->la_drained = false;
	publish(s, 1000);
	publish(s, 9000);
	assert_true(waits(s, LA));
	publish(s, 1000);
	assert_false(waits(s, LA));
}

static enum err let_back(struct stage *s, struct order_about about, uint64_t *count,
                         struct reason *why)
{
	return failback_release(s->failback, &about, s->zones, count, why);
}

static void test_by_hand_a_site_waits_until_it_is_let_back(void **state)
{
	struct stage *s = *state;
	struct reason why = {0};
	uint64_t count;

	s->policy.failback = POLICY_MANUAL;
	s->la_drained = true;
	publish(s, 1000);
	assert_int_equal(
		let_back(s, (struct order_about){"www.example.com", NULL, NULL}, &count, &why),
		ERR_NOTFOUND);
	assert_string_equal(why.text,
	                    "no site of www.example.com waits to come back (of an alias, name what "
	                    "it leads to)");
	s->la_drained = false;
	publish(s, 1000);
	publish(s, 100000000);
	assert_true(waits(s, LA));
	assert_int_equal(
		let_back(s, (struct order_about){"www.example.com", "ny", NULL}, &count, &why),
		ERR_NOTFOUND);
	assert_int_equal(
		let_back(s, (struct order_about){"WWW.example.com.", "la", NULL}, &count, &why),
		ERR_OK);
	assert_int_equal(count, 1);
	assert_false(waits(s, LA));
	assert_int_equal(let_back(s, (struct order_about){"..", NULL, NULL}, &count, &why),
	                 ERR_PARSE);
}

static void test_a_whole_cluster_or_policy_is_let_back_at_once(void **state)
{
	static const struct order_about others[] = {
		{NULL, "ny", NULL},        {NULL, NULL, "shop/other"},
		{NULL, NULL, "other/web"}, {NULL, NULL, "web"},
		{NULL, "ny", "shop/web"},  {"not.example.com", "la", "shop/web"}};
	static const struct order_about meant[] = {{NULL, "la", NULL},
	                                           {NULL, NULL, "shop/web"},
	                                           {NULL, "la", "shop/web"},
	                                           {"www.example.com", "la", "shop/web"}};
	struct stage *s = *state;
	struct reason why = {0};
	uint64_t count;

	s->policy.failback = POLICY_MANUAL;
	for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++) {
		s->la_drained = true;
		publish(s, 1000);
		s->la_drained = false;
		publish(s, 1000);
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			assert_int_equal(let_back(s, others[k], &count, &why), ERR_NOTFOUND);
		assert_true(waits(s, LA));
		assert_int_equal(let_back(s, meant[i], &count, &why), ERR_OK);
		assert_int_equal(count, 1);
		assert_false(waits(s, LA));
		publish(s, 1000);
	}
	assert_int_equal(let_back(s, (struct order_about){NULL, "la", "shop/web"}, &count, &why),
	                 ERR_NOTFOUND);
	assert_string_equal(why.text, "no site of policy shop/web at la waits to come back");
}

/* By the cluster's object or the policy's: who went down by then, and nobody before it is that time. */
static void test_an_object_lets_back_who_went_down_by_its_time(void **state)
{
	struct records_cluster la = {.id = LA, .name = "la"};
	struct stage *s = *state;

	s->policy.failback = POLICY_MANUAL;
	s->result.clusters = &la;
	s->result.cluster_count = 1;
	for (size_t i = 0; i < 2; i++) {
		int64_t *at = i == 0 ? &la.let_back_at : &s->policy.let_back.at, down_s;

		s->la_drained = true;
		publish(s, 1000);
		down_s = (int64_t)(s->now_ms / 1000);
		s->la_drained = false;
		publish(s, 1000);
		*at = down_s - 1;
		publish(s, 1000);
		assert_true(waits(s, LA));
		*at = down_s + 60;
		publish(s, 1000);
		assert_true(waits(s, LA));
		publish(s, 60000);
		assert_false(waits(s, LA));
		/* It is used up: who goes down later waits. */
		s->la_drained = true;
		publish(s, 1000);
		s->la_drained = false;
		publish(s, 1000);
		assert_true(waits(s, LA));
		*at = (int64_t)(s->now_ms / 1000);
		publish(s, 1000);
		assert_false(waits(s, LA));
		*at = 0;
	}
}

static void test_a_policy_lets_back_one_name_or_cluster(void **state)
{
	static const struct {
		const char *name, *cluster;
		bool is_meant;
	} all[] = {{"not.example.com", "", false},
	           {"", "ny", false},
	           {"not a name", "", false},
	           {"www.example.com", "ny", false},
	           {"www.example.com", "", true},
	           {"WWW.example.com.", "la", true},
	           {"", "la", true}};
	struct stage *s = *state;

	s->policy.failback = POLICY_MANUAL;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		s->policy.let_back = (struct let_back){.at = 0};
		s->la_drained = true;
		publish(s, 1000);
		s->la_drained = false;
		publish(s, 1000);
		s->policy.let_back =
			(struct let_back){(int64_t)(s->now_ms / 1000), bytes_of(all[i].name),
		                          bytes_of(all[i].cluster)};
		publish(s, 1000);
		assert_int_equal(waits(s, LA), !all[i].is_meant);
	}
}

static void test_who_waits_is_listed_with_what_it_needs(void **state)
{
	struct stage *s = *state;
	struct arena *a = arena_new();
	const struct snapshot_waiting *list;
	uint64_t changes;
	size_t count;

	s->la_drained = true;
	publish(s, 1000);
	(void)failback_list(s->failback, a, &count);
	assert_int_equal(count, 0);
	s->la_drained = false;
	changes = failback_changes(s->failback);
	publish(s, 1000);
	assert_int_not_equal(failback_changes(s->failback), changes);
	list = failback_list(s->failback, a, &count);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "www.example.com");
	assert_string_equal(list[0].cluster, "la");
	assert_int_equal(list[0].since_ms, s->now_ms);
	assert_int_equal(list[0].needs_ms, 10000);
	assert_false(list[0].by_hand);
	arena_free(a);
}

static void test_who_waits_waits_after_a_restart_again(void **state)
{
	struct stage *s = *state;

	s->la_drained = true;
	publish(s, 1000);
	s->la_drained = false;
	publish(s, 1000);
	assert_int_equal(saved_count_values(s->saved, SAVED_WAITING), 1);
	failback_free(s->failback);
	s->failback = failback_new(s->saved);
	put_sites(s, true);
	publish(s, 1000);
	assert_true(waits(s, LA));
	assert_false(waits(s, NY));
	publish(s, 10000);
	assert_false(waits(s, LA));
	assert_int_equal(saved_count_values(s->saved, SAVED_WAITING), 0);
}

static void test_a_hold_that_is_another_sites_now_has_nothing_of_the_one_before(void **state)
{
	struct stage *s = *state;
	struct records_hold_back la = s->holds[HOLD_LA];

	s->la_drained = true;
	publish(s, 1000);
	s->holds[HOLD_LA] = (struct records_hold_back){0};
	put_sites(s, true);
	publish(s, 1000);
	assert_int_equal(saved_count_values(s->saved, SAVED_WAITING), 0);
	s->la_drained = false;
	s->holds[HOLD_LA] = la;
	put_sites(s, true);
	publish(s, 1000);
	assert_false(waits(s, LA));
}

static void test_what_the_state_has_of_sites_that_are_gone_does_not_pile_up(void **state)
{
	struct stage *s = *state;

	s->la_drained = true;
	publish(s, 1000);
	for (uint16_t i = 0; i < 1000; i++)
		saved_put_value(s->saved, SAVED_WAITING,
		                (struct bytes){(const uint8_t *)&i, sizeof(i)}, bytes_of("waits"));
	publish(s, 1000);
	assert_int_equal(saved_count_values(s->saved, SAVED_WAITING), 1);
	assert_true(waits(s, LA));
}

#define STAGE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(test_nobody_waits_at_a_start),
		STAGE(test_a_site_whose_endpoints_come_back_waits_until_it_has_been_stable),
		STAGE(test_a_site_waits_already_when_it_comes_back),
		STAGE(test_a_drain_is_a_break_though_no_name_changes),
		STAGE(test_by_hand_a_site_waits_until_it_is_let_back),
		STAGE(test_a_whole_cluster_or_policy_is_let_back_at_once),
		STAGE(test_an_object_lets_back_who_went_down_by_its_time),
		STAGE(test_a_policy_lets_back_one_name_or_cluster),
		STAGE(test_who_waits_is_listed_with_what_it_needs),
		STAGE(test_who_waits_waits_after_a_restart_again),
		STAGE(test_what_the_state_has_of_sites_that_are_gone_does_not_pile_up),
		STAGE(test_a_hold_that_is_another_sites_now_has_nothing_of_the_one_before),
	};

	return cmocka_run_group_tests_name("dnsd/failback", tests, NULL, NULL);
}
