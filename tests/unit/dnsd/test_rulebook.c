/* From traffic policies as records has them to rules and to the table of the snapshot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "dnsd/geo_loader.h"
#include "dnsd/rulebook.h"
#include "dnsd/rulebook_compile.h"

enum { LA, NY, HOU, CLUSTERS, WAIT_MS = 10000 };

static struct cluster_state synced = {.knowledge = KNOWLEDGE_SYNCED};
static struct bytes backup[1];
static struct records_cluster clusters[CLUSTERS];
static const struct conf_strings no_order = {0};
static const struct rulebook_defaults defaults = {
	.degraded_ttl = 5, .max_addresses = 16, .unknown_order = &no_order};
static struct policy_value value;

static int setup(void **state)
{
	static const char *const names[] = {"houston", "la", "ny"};
	static const uint16_t ids[] = {7, 3, 5};

	(void)state;
	synced.knowledge = KNOWLEDGE_SYNCED;
	backup[0] = bytes_of("tier=backup");
	for (size_t i = 0; i < CLUSTERS; i++)
		clusters[i] =
			(struct records_cluster){.id = ids[i],
		                                 .name = names[i],
		                                 .region = bytes_of(i == 2 ? "us-east" : "us"),
		                                 .state = &synced};
	clusters[2].labels = backup;
	clusters[2].label_count = 1;
	value = (struct policy_value){0};
	return 0;
}

static struct records_policy policy_of(const char *name)
{
	return (struct records_policy){
		.is = &value, .namespace = bytes_of("shop"), .name = bytes_of(name)};
}

static struct rulebook_policy *compile(void)
{
	struct records_policy p = policy_of("web");

	return rulebook_compile(&p, clusters, CLUSTERS, &defaults);
}

static void test_without_stages_a_policy_orders_as_defaults_do(void **state)
{
	struct rulebook_policy *p;

	(void)state;
	value.ttl = 77;
	p = compile();
	assert_false(p->has_rules);
	assert_string_equal(p->policy.name, "shop/web");
	assert_string_equal(p->policy.stages[0], "nearest");
	assert_null(p->policy.stages[1]);
	assert_int_equal(p->policy.ttl, 77);
	assert_int_equal(p->policy.degraded_ttl, 5);
	assert_int_equal(p->policy.max_addresses, 16);
	assert_int_equal(p->policy.bucket_ipv4, 24);
	rulebook_policy_free(p);
}

static void test_tiers_are_clusters_by_name_or_label_the_first_of_several(void **state)
{
	struct bytes la = bytes_of("la"), values[] = {bytes_of("backup")};
	struct policy_requirement is_backup = {
		.key = bytes_of("tier"), .operator= POLICY_IN, .values = values, .value_count = 1};
	struct policy_requirement has_no_tier = {.key = bytes_of("tier"),
	                                         .operator= POLICY_DOES_NOT_EXIST };
	struct policy_tier tiers[] = {
		{.clusters = &la, .cluster_count = 1},
		{.has_selector = true, .selector = &is_backup, .selector_count = 1},
		{.has_selector = true, .selector = &has_no_tier, .selector_count = 1}};
	struct rulebook_policy *p;

	(void)state;
	value.stages[0] = POLICY_FAILOVER;
	value.stage_count = 1;
	value.tiers = tiers;
	value.tier_count = 3;
	p = compile();
	assert_true(p->has_rules);
	assert_int_equal(p->rules.stages[0], RULES_TIER);
	/* By index: houston, la, ny. */
	assert_int_equal(p->rules.tier[0], 2);
	assert_int_equal(p->rules.tier[1], 0);
	assert_int_equal(p->rules.tier[2], 1);
	assert_int_equal(p->policy.narrowing, 1);
	/* No stage goes by place: clients of no place are no exception. */
	assert_true(p->rules.unknown_is_tie);
	rulebook_policy_free(p);
}

static void test_weights_are_by_id_and_what_nobody_registered_is_named(void **state)
{
	struct policy_number weights[] = {{bytes_of("ny"), 20}, {bytes_of("atlantis"), 5}};
	struct rulebook_policy *p;

	(void)state;
	value.stages[0] = POLICY_WEIGHTED;
	value.stages[1] = POLICY_NEAREST;
	value.stage_count = 2;
	value.weights = weights;
	value.weight_count = 2;
	p = compile();
	assert_int_equal(p->policy.cluster_count, 8);
	assert_int_equal(p->policy.weight[5], 20);
	assert_int_equal(p->policy.weight[7] + p->policy.weight[3], 0);
	assert_string_equal(p->unknown, "atlantis");
	/* All clusters are equal before it, and nothing behind it orders. */
	assert_int_equal(p->rules.stage_count, 0);
	assert_string_equal(p->warning, "spec.stages[1].nearest: decides nothing behind weighted");
	rulebook_policy_free(p);
}

static void test_a_fence_that_must_hold_holds_wherever_it_is_written(void **state)
{
	struct bytes la = bytes_of("la"), country = bytes_of("DE");
	struct policy_fence fence = {.countries = &country,
	                             .country_count = 1,
	                             .clusters = &la,
	                             .cluster_count = 1,
	                             .required = true};
	struct rulebook_policy *p;

	(void)state;
	value.stages[0] = POLICY_CAPACITY;
	value.stages[1] = POLICY_GEOFENCE;
	value.stage_count = 2;
	value.fences = &fence;
	value.fence_count = 1;
	p = compile();
	assert_true(p->policy.has_fence && p->policy.is_capacity);
	assert_int_equal(p->rules.stages[0], RULES_FENCE);
	assert_int_equal(p->rules.fences[0].clusters[0], 1);
	assert_string_equal(p->warning, "");
	rulebook_policy_free(p);
}

static void test_the_key_tells_rules_apart_and_nothing_else(void **state)
{
	struct policy_number bias[] = {{bytes_of("la"), 5}}, weights[] = {{bytes_of("la"), 5}};
	struct rulebook_policy *a, *b, *c;

	(void)state;
	value.stages[0] = POLICY_NEAREST;
	value.stages[1] = POLICY_WEIGHTED;
	value.stage_count = 2;
	value.biases = bias;
	value.bias_count = 1;
	value.weights = weights;
	value.weight_count = 1;
	a = compile();
	weights[0].value = 9;
	value.ttl = 3;
	b = compile();
	bias[0].value = 6;
	c = compile();
	assert_true(bytes_equal((struct bytes){a->key.data, a->key.len},
	                        (struct bytes){b->key.data, b->key.len}));
	assert_false(bytes_equal((struct bytes){a->key.data, a->key.len},
	                         (struct bytes){c->key.data, c->key.len}));
	rulebook_policy_free(a);
	rulebook_policy_free(b);
	rulebook_policy_free(c);
}

/* --- in force --- */

static uv_loop_t loop;
static struct geo_loader *g;
static struct rulebook *book;
static struct zones *z;
static struct records_policy list[3];
static struct records_result result;
static struct config config;
static unsigned events;
static bool is_stopped;
static char networks[64];

static void on_rankings(const struct ranking *plain, const struct geo_loader_ranked *ranked,
                        size_t count, void *arg)
{
	(void)arg;
	rulebook_rank(book, plain, ranked, count, g);
	events++;
}

static void on_errors(const char *errors, void *arg)
{
	(void)errors;
	(void)arg;
}

static void on_stopped(void *arg)
{
	(void)arg;
	is_stopped = true;
}

static void wait_for_event(unsigned wanted)
{
	uint64_t end = clock_monotonic_ms() + WAIT_MS;

	while (events < wanted && clock_monotonic_ms() < end)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(events >= wanted);
}

static void set_all(void)
{
	static const struct ranking_cluster three[] = {
		{.id = 7, .name = "houston"}, {.id = 3, .name = "la"}, {.id = 5, .name = "ny"}};

	rulebook_set(book, &result, &config, g);
	geo_loader_set_clusters(g, three, 3, &no_order);
}

static const struct policy *given(uint32_t number)
{
	rulebook_give(book, z, &result, 1000);
	return snapshot_policy(zones_build(z, 1), number);
}

static int setup_life(void **state)
{
	struct geo_loader_events heard = {on_rankings, on_errors, NULL};

	setup(state);
	CHECK(uv_loop_init(&loop) == 0);
	g = geo_loader_start(&loop, &heard);
	geo_loader_set_files(g, &(struct geo_loader_files){.databases = &no_order});
	book = rulebook_new();
	z = zones_new();
	memset(&config, 0, sizeof config);
	list[1] = policy_of("web");
	result = (struct records_result){.policies = list,
	                                 .policy_count = 2,
	                                 .clusters = clusters,
	                                 .cluster_count = CLUSTERS};
	events = 0;
	is_stopped = false;
	snprintf(networks, sizeof networks, "/tmp/nigh-rulebook-%d.csv", (int)getpid());
	return 0;
}

static int teardown_life(void **state)
{
	(void)state;
	geo_loader_stop(g, on_stopped, NULL);
	while (!is_stopped)
		uv_run(&loop, UV_RUN_ONCE);
	CHECK(uv_loop_close(&loop) == 0);
	zones_free(z);
	rulebook_free(book);
	(void)unlink(networks);
	return 0;
}

static void test_until_its_ranking_is_there_the_last_one_of_a_name_is_in_force(void **state)
{
	struct policy_number bias[] = {{bytes_of("la"), 5}};

	(void)state;
	value.stages[0] = POLICY_NEAREST;
	value.stage_count = 1;
	value.ttl = 10;
	set_all();
	/* A new one: as `defaults` say. */
	assert_string_equal(given(1)->name, "");
	wait_for_event(1);
	assert_string_equal(given(1)->name, "shop/web");
	assert_int_equal(given(1)->ttl, 10);
	/* What wants no other ranking is in force at once ... */
	value.ttl = 20;
	set_all();
	assert_int_equal(given(1)->ttl, 20);
	/* ... and what does later. */
	value.ttl = 30;
	value.biases = bias;
	value.bias_count = 1;
	set_all();
	assert_int_equal(given(1)->ttl, 20);
	wait_for_event(2);
	assert_int_equal(given(1)->ttl, 30);
}

/* There is a file of networks, of which one has that label. */
static void tell_places(const char *label)
{
	static unsigned version;
	FILE *file = fopen(networks, "w");

	CHECK(file != NULL);
	fprintf(file, "192.0.2.0/24,52.52,13.40,%s\n# %u\n", label, version++);
	CHECK(fclose(file) == 0);
	geo_loader_set_files(
		g, &(struct geo_loader_files){.databases = &no_order, .networks = networks});
}

static struct bytes la, germany;
static struct policy_fence fence;

/* `value` keeps them in la, and nowhere else. */
static void fence_germans(void)
{
	la = bytes_of("la");
	germany = bytes_of("DE");
	fence = (struct policy_fence){.countries = &germany,
	                              .country_count = 1,
	                              .clusters = &la,
	                              .cluster_count = 1,
	                              .required = true};
	value.stages[0] = POLICY_GEOFENCE;
	value.stage_count = 1;
	value.fences = &fence;
	value.fence_count = 1;
}

static void test_a_new_fence_that_must_hold_keeps_its_names_waiting(void **state)
{
	(void)state;
	tell_places("DE");
	result.policy_count = 1;
	set_all();
	wait_for_event(1);
	fence_germans();
	result.policy_count = 2;
	set_all();
	assert_true(given(1)->must_wait);
	wait_for_event(2);
	assert_false(given(1)->must_wait);
	assert_true(given(1)->has_fence);
}

/* Files may take longer to read than nighd waits for. */
static void test_a_fence_that_must_hold_waits_before_any_ranking_is_there(void **state)
{
	(void)state;
	tell_places("DE");
	fence_germans();
	set_all();
	assert_true(given(1)->must_wait);
	wait_for_event(1);
	assert_false(given(1)->must_wait);
}

/* Else everybody would be outside it, and be sent wherever he likes. */
static void test_a_fence_of_countries_waits_while_no_file_tells_of_any(void **state)
{
	(void)state;
	fence_germans();
	set_all();
	wait_for_event(1);
	assert_true(given(1)->must_wait);
	/* Places alone are not enough. */
	tell_places("office");
	wait_for_event(2);
	assert_true(given(1)->must_wait);
	tell_places("DE");
	wait_for_event(3);
	assert_false(given(1)->must_wait);
	/* One that need not hold just matches nobody. */
	fence.required = false;
	set_all();
	wait_for_event(4);
	tell_places("office");
	wait_for_event(5);
	assert_false(given(1)->must_wait);
}

static void test_a_number_that_is_used_again_is_another_policy(void **state)
{
	(void)state;
	value.stages[0] = POLICY_NEAREST;
	value.stage_count = 1;
	set_all();
	wait_for_event(1);
	assert_string_equal(given(1)->name, "shop/web");
	list[1] = policy_of("other");
	value.stages[0] = POLICY_FAILOVER;
	set_all();
	assert_string_equal(given(1)->name, "");
	wait_for_event(2);
	assert_string_equal(given(1)->name, "shop/other");
	list[1].is = NULL;
	set_all();
	assert_string_equal(given(1)->name, "");
}

static void test_a_cluster_expires_as_the_policy_says(void **state)
{
	(void)state;
	value.has_unseen_after = true;
	value.unseen_after_ms = 500;
	set_all();
	wait_for_event(1);
	assert_false(given(1)->expired[7]);
	synced.knowledge = KNOWLEDGE_UNSEEN;
	synced.since_ms = 600;
	assert_false(given(1)->expired[7]);
	/* Time alone. */
	synced.since_ms = 400;
	assert_true(given(1)->expired[7]);
	value.unseen_after_ms = 0;
	set_all();
	assert_false(given(1)->expired[7]);
}

int main(void)
{
#define PURE(name) cmocka_unit_test_setup(name, setup)
#define LIFE(name) cmocka_unit_test_setup_teardown(name, setup_life, teardown_life)
	const struct CMUnitTest tests[] = {
		PURE(test_without_stages_a_policy_orders_as_defaults_do),
		PURE(test_tiers_are_clusters_by_name_or_label_the_first_of_several),
		PURE(test_weights_are_by_id_and_what_nobody_registered_is_named),
		PURE(test_a_fence_that_must_hold_holds_wherever_it_is_written),
		PURE(test_the_key_tells_rules_apart_and_nothing_else),
		LIFE(test_until_its_ranking_is_there_the_last_one_of_a_name_is_in_force),
		LIFE(test_a_new_fence_that_must_hold_keeps_its_names_waiting),
		LIFE(test_a_fence_that_must_hold_waits_before_any_ranking_is_there),
		LIFE(test_a_fence_of_countries_waits_while_no_file_tells_of_any),
		LIFE(test_a_number_that_is_used_again_is_another_policy),
		LIFE(test_a_cluster_expires_as_the_policy_says),
	};

	return cmocka_run_group_tests_name("dnsd/rulebook", tests, NULL, NULL);
}
