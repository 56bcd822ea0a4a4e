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

static void on_rankings(const struct ranking *plain, const struct geo_loader_ranked *ranked,
                        size_t count, void *arg)
{
	(void)arg;
	(void)ranked;
	assert_non_null(plain);
	assert_int_equal(count, 0);
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
	geo_loader_set_files(g, &none, path_of("a.csv"));
	geo_loader_set_clusters(g, two, 2, &none);
	wait_for(&rankings, 1);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.csv", "b.csv"};

	(void)state;
	if (!stopped)
		geo_loader_stop(g, on_stopped, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(stopped && uv_loop_close(&loop) == 0);
	for (size_t i = 0; i < 2; i++)
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

static void try(const char *networks) { geo_loader_try(g, &none, networks, &none, on_tried, NULL); }

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
	geo_loader_try(g, &none, path_of("a.csv"), &order, on_tried, NULL);
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
		geo_loader_try(g, &none, path_of(trials % 2 != 0 ? "b.csv" : "a.csv"), &none,
		               try_again, NULL);
}

static void test_one_trial_may_begin_the_next(void **state)
{
	(void)state;
	put("b.csv", "198.51.100.0/24,40,-74\n");
	geo_loader_try(g, &none, path_of("b.csv"), &none, try_again, NULL);
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
	};

	return cmocka_run_group_tests_name("dnsd/geo_loader", tests, NULL, NULL);
}
