/* Files that change, break and are tried, on a loop of the test's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/geo_loader.h"

enum { WAIT_MS = 10000 };

static const struct conf_strings none = {0};
static const struct ranking_cluster two[] = {
	{.id = 0, .name = "la", .has_place = true, .place = {34.05, -118.24}},
	{.id = 1, .name = "ny", .has_place = true, .place = {40.71, -74.01}},
};

static uv_loop_t loop;
static struct geo_loader *g;
static char folder[] = "/tmp/nigh-loader-XXXXXX";

/* What was heard. */
static unsigned rankings, readings, trials;
static char *errors;  /* of the last reading */
static char *refusal; /* of the last trial */
static bool stopped;

static void remember(char **to, const char *text)
{
	free(*to);
	*to = text != NULL ? xstrdup(text) : NULL;
}

/* The last rankings, kept until the next. */
static const struct ranking *plain;
static struct geo_loader_ranked ranked[2 * GEO_LOADER_MAX_RULES];
static size_t ranked_count;

static void let_go(const struct ranking *r) { ranking_free((struct ranking *)(uintptr_t)r); }

static void forget_rankings(void)
{
	let_go(plain);
	for (size_t i = 0; i < ranked_count; i++)
		let_go(ranked[i].ranking);
	plain = NULL;
	ranked_count = 0;
}

static void on_rankings(const struct ranking *new_plain, const struct geo_loader_ranked *list,
                        size_t count, void *arg)
{
	const struct ranking *old = plain;
	struct geo_loader_ranked old_ranked[2 * GEO_LOADER_MAX_RULES];
	size_t old_count = ranked_count;

	(void)arg;
	memcpy(old_ranked, ranked, sizeof old_ranked);
	assert_true(count <= 2 * GEO_LOADER_MAX_RULES);
	plain = ranking_ref(new_plain);
	ranked_count = count;
	for (size_t i = 0; i < count; i++) {
		ranked[i] = list[i];
		if (list[i].ranking != NULL)
			ranking_ref(list[i].ranking);
	}
	/* Behind the new, so that what is new has a pointer of its own. */
	let_go(old);
	for (size_t i = 0; i < old_count; i++)
		let_go(old_ranked[i].ranking);
	rankings++;
}

static void on_errors(const char *lines, void *arg)
{
	(void)arg;
	remember(&errors, lines);
	readings++;
}

static void on_tried(const char *lines, void *arg)
{
	(void)arg;
	remember(&refusal, lines);
	trials++;
}

static void on_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

/* --- files --- */

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* --- the loader --- */

/* Turns the loop until a count is reached. */
static void wait_for(const unsigned *count, unsigned wanted)
{
	uint64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while (*count < wanted && clock_monotonic_ms() < until_ms)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(*count, wanted);
}

/* With the networks a.csv, read and ranked. */
static int setup(void **state)
{
	struct geo_loader_events events = {on_rankings, on_errors, NULL};

	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	rankings = readings = trials = 0;
	stopped = false;
	put("a.csv", "192.0.2.0/24,40,-74\n");
	CHECK(uv_loop_init(&loop) == 0);
	g = geo_loader_start(&loop, &events);
	geo_loader_set_files(g, &(struct geo_loader_files){&none, path_of("a.csv"), NULL});
	geo_loader_set_clusters(g, two, 2, &none);
	wait_for(&rankings, 1);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.csv", "b.csv", "l.csv"};

	(void)state;
	if (!stopped)
		geo_loader_stop(g, on_stopped, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(stopped && uv_loop_close(&loop) == 0);
	forget_rankings();
	for (size_t i = 0; i < 3; i++)
		unlink(path_of(names[i]));
	CHECK(rmdir(folder) == 0);
	remember(&errors, NULL);
	remember(&refusal, NULL);
	return 0;
}

static bool has_place(const char *address)
{
	struct geo_loader_match match;
	struct addr a;

	assert_true(addr_parse(bytes_of(address), &a));
	geo_loader_find(g, &a, &match);
	return match.has_place;
}

static void try_with(const char *networks, const struct conf_strings *order,
                     geo_loader_on_tried_fn *on_done)
{
	geo_loader_try(g, &(struct geo_loader_files){&none, networks, NULL}, order, on_done, NULL);
}

static void try(const char *networks) { try_with(networks, &none, on_tried); }

static void test_a_trial_puts_its_files_in_force(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n");
	try(path_of("b.csv"));
	assert_true(has_place("192.0.2.1"));
	wait_for(&trials, 1);
	assert_null(refusal);
	assert_int_equal(rankings, 2);
	assert_false(has_place("192.0.2.1"));
	assert_true(has_place("198.51.100.1"));
	/* They are looked at from now on, and those of before are not. */
	put("a.csv", "192.0.2.0/24,41,-74\n");
	put("b.csv", "203.0.113.0/24,40,-74\n");
	wait_for(&rankings, 3);
	assert_true(has_place("203.0.113.1"));
	assert_false(has_place("192.0.2.1"));
}

static void test_a_trial_of_a_broken_or_missing_file_changes_nothing(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n192.0.2.0/24,north,0\n");
	try(path_of("b.csv"));
	wait_for(&trials, 1);
	assert_non_null(strstr(refusal, "/b.csv:2: 'north' is not a latitude"));
	try("/nonexistent.csv");
	wait_for(&trials, 2);
	assert_string_equal(refusal,
	                    "/nonexistent.csv: cannot be read: No such file or directory\n");
	assert_int_equal(rankings, 1);
	assert_int_equal(readings, 1);
	assert_true(has_place("192.0.2.1"));
	assert_false(has_place("198.51.100.1"));
	put("a.csv", "203.0.113.0/24,40,-74\n");
	wait_for(&rankings, 2);
	assert_true(has_place("203.0.113.1"));
}

static void test_a_trial_of_what_is_in_force_makes_no_ranking(void **state)
{
	(void)state;
	try(path_of("a.csv"));
	wait_for(&trials, 1);
	assert_null(refusal);
	geo_loader_set_clusters(g, two, 2, &none);
	assert_true(geo_loader_is_current(g));
	assert_int_equal(rankings, 1);
}

static void test_another_unknown_order_makes_one_ranking(void **state)
{
	char ny[] = "ny", *item[] = {ny};
	const struct conf_strings order = {item, 1};

	(void)state;
	try_with(path_of("a.csv"), &order, on_tried);
	wait_for(&trials, 1);
	assert_int_equal(rankings, 2);
	geo_loader_set_clusters(g, two, 2, &order);
	assert_true(geo_loader_is_current(g));
}

static void test_a_file_that_was_good_and_broke_fails_a_trial_and_counts_as_it_was(void **state)
{
	(void)state;
	put("a.csv", "nonsense\n");
	try(path_of("a.csv"));
	wait_for(&trials, 1);
	assert_non_null(strstr(refusal, "/a.csv:1: "));
	wait_for(&readings, 2);
	assert_non_null(strstr(errors, "/a.csv:1: "));
	assert_true(has_place("192.0.2.1"));
	assert_int_equal(rankings, 1);
}

static void test_a_trial_waits_for_the_ranking_that_is_made(void **state)
{
	(void)state;
	geo_loader_set_clusters(g, two, 1, &none);
	put("b.csv", "198.51.100.0/24,40,-74\n");
	try(path_of("b.csv"));
	assert_false(geo_loader_is_current(g));
	wait_for(&trials, 1);
	assert_int_equal(rankings, 3);
	assert_true(has_place("198.51.100.1"));
}

static void try_again(const char *lines, void *arg)
{
	on_tried(lines, arg);
	if (trials < 3)
		try_with(path_of(trials % 2 != 0 ? "b.csv" : "a.csv"), &none, try_again);
}

static void test_one_trial_may_begin_the_next(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n");
	try_with(path_of("b.csv"), &none, try_again);
	wait_for(&trials, 3);
	assert_null(refusal);
	assert_true(has_place("192.0.2.1"));
}

static void test_the_end_may_overtake_a_trial(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n");
	geo_loader_set_clusters(g, two, 1, &none);
	try(path_of("b.csv"));
	geo_loader_stop(g, on_stopped, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(stopped);
	assert_int_equal(trials, 0);
}

static void test_the_end_may_overtake_a_trial_that_runs(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n");
	try(path_of("b.csv"));
	geo_loader_stop(g, on_stopped, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(stopped);
	assert_int_equal(trials, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- rules --- */

static const uint16_t la_first[] = {0, 1}, ny_first[] = {1, 0};
static const struct rules by_tier = {
	.stages = {RULES_TIER}, .stage_count = 1, .tier = la_first, .unknown_is_tie = true};
static const struct rules by_other_tier = {
	.stages = {RULES_TIER}, .stage_count = 1, .tier = ny_first, .unknown_is_tie = true};
static const struct rules by_latency = {.stages = {RULES_LATENCY}, .stage_count = 1};

static void set_rules(const struct geo_loader_rules *list, size_t count)
{
	geo_loader_set_rules(g, list, count, 2);
	geo_loader_set_clusters(g, two, 2, &none);
}

/* The first cluster of a client's order. */
static uint16_t first(const struct ranking *r, const char *address)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(address), &a));
	return ranking_find(r, &a).order->nearest[0].cluster;
}

static void test_rules_get_rankings_beside_the_plain_one_and_equal_ones_share(void **state)
{
	uint16_t tier[] = {1, 0};
	struct geo_loader_rules list[] = {{by_tier, 7}, {by_other_tier, 8}, {by_other_tier, 9}};

	(void)state;
	list[2].rules.tier = tier;
	set_rules(list, 3);
	/* They are copied. */
	tier[0] = 0;
	list[2].rules.tier = ny_first;
	assert_false(geo_loader_is_current(g));
	wait_for(&rankings, 2);
	assert_true(geo_loader_is_current(g));
	assert_int_equal(ranked_count, 3);
	assert_int_equal(ranked[0].tag, 7);
	assert_int_equal(ranked[2].tag, 9);
	assert_int_equal(first(plain, "192.0.2.1"), 1);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 0);
	assert_int_equal(first(ranked[1].ranking, "192.0.2.1"), 1);
	assert_ptr_equal(ranked[1].ranking, ranked[2].ranking);
	/* The same again is nothing new. */
	set_rules(list, 3);
	assert_true(geo_loader_is_current(g));
}

static void test_what_has_not_changed_is_not_built_again(void **state)
{
	const struct geo_loader_rules one[] = {{by_tier, 1}},
				      both[] = {{by_other_tier, 2}, {by_tier, 3}};
	const struct ranking *old_plain, *old;

	(void)state;
	set_rules(one, 1);
	wait_for(&rankings, 2);
	old_plain = plain;
	old = ranked[0].ranking;
	set_rules(both, 2);
	wait_for(&rankings, 3);
	assert_ptr_equal(plain, old_plain);
	assert_ptr_equal(ranked[1].ranking, old);
	assert_int_equal(ranked[1].tag, 3);
	/* Another file is another world. */
	put("b.csv", "198.51.100.0/24,40,-74\n");
	try(path_of("b.csv"));
	wait_for(&rankings, 4);
	assert_ptr_not_equal(plain, old_plain);
	assert_ptr_not_equal(ranked[1].ranking, old);
	assert_int_equal(ranked_count, 2);
}

static void test_rules_beyond_the_bound_are_refused(void **state)
{
	static struct geo_loader_rules list[GEO_LOADER_MAX_RULES + 2];
	static uint16_t tiers[GEO_LOADER_MAX_RULES + 1][2];

	(void)state;
	for (size_t i = 0; i <= GEO_LOADER_MAX_RULES; i++) {
		tiers[i][0] = (uint16_t)i;
		list[i] = (struct geo_loader_rules){by_tier, i};
		list[i].rules.tier = tiers[i];
	}
	list[GEO_LOADER_MAX_RULES + 1] = list[5];
	set_rules(list, GEO_LOADER_MAX_RULES + 2);
	wait_for(&rankings, 2);
	assert_non_null(ranked[GEO_LOADER_MAX_RULES - 1].ranking);
	assert_null(ranked[GEO_LOADER_MAX_RULES].ranking);
	assert_ptr_equal(ranked[GEO_LOADER_MAX_RULES + 1].ranking, ranked[5].ranking);
}

/* --- latency --- */

static void try_latency(const char *latency)
{
	char networks[64];

	/* path_of() has room for one. */
	snprintf(networks, sizeof networks, "%s/a.csv", folder);
	geo_loader_try(g, &(struct geo_loader_files){&none, networks, latency}, &none, on_tried,
	               NULL);
}

static void test_a_latency_table_that_changes_counts_for_rules_that_ask_for_it(void **state)
{
	const struct geo_loader_rules list[] = {{by_latency, 1}, {by_tier, 2}};
	const struct ranking *by_tiers;

	(void)state;
	set_rules(list, 2);
	wait_for(&rankings, 2);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 1);
	by_tiers = ranked[1].ranking;
	put("l.csv", "192.0.2.0/24,la,5\n");
	try_latency(path_of("l.csv"));
	wait_for(&rankings, 3);
	assert_int_equal(trials, 1);
	assert_null(refusal);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 0);
	assert_ptr_equal(ranked[1].ranking, by_tiers);
	/* It is looked at from now on. */
	put("l.csv", "192.0.2.0/24,la,50\n192.0.2.0/24,ny,10\n");
	wait_for(&rankings, 4);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 1);
	try_latency(NULL);
	wait_for(&rankings, 5);
	assert_null(errors);
}

/* Rules name clusters by index: with other clusters the same rules mean something else. */
static void test_a_trial_knows_of_clusters_that_came_while_it_waited(void **state)
{
	static const struct ranking_cluster others[] = {{.id = 7, .name = "atlanta"},
	                                                {.id = 0, .name = "la"}};
	const struct geo_loader_rules before[] = {{by_tier, 1}}, after[] = {{by_tier, 2}};

	(void)state;
	set_rules(before, 1);
	wait_for(&rankings, 2);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 0);
	geo_loader_set_clusters(g, (const struct ranking_cluster[]){two[1], two[0]}, 2, &none);
	geo_loader_set_rules(g, after, 1, 2);
	geo_loader_set_clusters(g, others, 2, &none);
	put("l.csv", "192.0.2.0/24,la,50\n");
	try_latency(path_of("l.csv"));
	wait_for(&trials, 1);
	assert_int_equal(ranked[0].tag, 2);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 7);
}

static void test_the_area_of_an_address_is_found(void **state)
{
	struct geo_loader_match match;
	struct addr a = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};

	(void)state;
	put("a.csv", "192.0.2.0/24,40,-74,US-NY\n");
	wait_for(&rankings, 2);
	geo_loader_find(g, &a, &match);
	assert_string_equal(match.area.continent, "NA");
	assert_string_equal(match.area.subdivision, "US-NY");
	assert_int_equal(match.accuracy_km, 0);
}

static void test_a_trial_counts_with_the_clusters_that_wait_for_their_rankings(void **state)
{
	const struct geo_loader_rules list[] = {{by_tier, 1}}, other[] = {{by_tier, 2}};
	const struct ranking_cluster swapped[] = {two[1], two[0]};

	(void)state;
	put("l.csv", "192.0.2.0/24,la,5\n");
	set_rules(list, 1);
	wait_for(&rankings, 2);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 0);
	/* A job runs; the clusters, and then the trial, wait for its end. */
	set_rules(other, 1);
	geo_loader_set_rules(g, list, 1, 2);
	geo_loader_set_clusters(g, swapped, 2, &none);
	try_latency(path_of("l.csv"));
	wait_for(&trials, 1);
	assert_int_equal(ranked[0].tag, 1);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 1);
}

static void test_a_latency_table_with_a_fault_is_told_and_the_last_one_counts(void **state)
{
	const struct geo_loader_rules list[] = {{by_latency, 1}};
	char expected[128];
	unsigned before;

	(void)state;
	put("l.csv", "192.0.2.0/24,la,5\n");
	try_latency(path_of("l.csv"));
	wait_for(&trials, 1);
	set_rules(list, 1);
	while (ranked_count == 0)
		uv_run(&loop, UV_RUN_ONCE);
	before = rankings;
	put("l.csv", "192.0.2.0/24,la,5\n192.0.2.0/24,ny\n");
	wait_for(&readings, 3);
	snprintf(expected, sizeof expected, "%s:2: a line is network,cluster,milliseconds\n",
	         path_of("l.csv"));
	assert_string_equal(errors, expected);
	assert_int_equal(rankings, before);
	assert_int_equal(first(ranked[0].ranking, "192.0.2.1"), 0);
	/* A trial with it is refused whole. */
	try_latency(path_of("l.csv"));
	wait_for(&trials, 2);
	assert_string_equal(refusal, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_trial_puts_its_files_in_force),
		TEST(test_a_trial_of_a_broken_or_missing_file_changes_nothing),
		TEST(test_a_trial_of_what_is_in_force_makes_no_ranking),
		TEST(test_another_unknown_order_makes_one_ranking),
		TEST(test_a_file_that_was_good_and_broke_fails_a_trial_and_counts_as_it_was),
		TEST(test_a_trial_waits_for_the_ranking_that_is_made),
		TEST(test_one_trial_may_begin_the_next),
		TEST(test_the_end_may_overtake_a_trial),
		TEST(test_the_end_may_overtake_a_trial_that_runs),
		TEST(test_rules_get_rankings_beside_the_plain_one_and_equal_ones_share),
		TEST(test_what_has_not_changed_is_not_built_again),
		TEST(test_rules_beyond_the_bound_are_refused),
		TEST(test_a_trial_knows_of_clusters_that_came_while_it_waited),
		TEST(test_the_area_of_an_address_is_found),
		TEST(test_a_latency_table_that_changes_counts_for_rules_that_ask_for_it),
		TEST(test_a_trial_counts_with_the_clusters_that_wait_for_their_rankings),
		TEST(test_a_latency_table_with_a_fault_is_told_and_the_last_one_counts),
	};

	return cmocka_run_group_tests_name("dnsd/geo_loader", tests, NULL, NULL);
}
