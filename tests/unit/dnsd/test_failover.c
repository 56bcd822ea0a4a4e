/* A cluster that dies is one step for all its names, and who voted on that is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/explain.h"
#include "tests/support/dnsd_world.h"

enum {
	NAMES = 100000,
	ROUNDS = 5,
	WITHIN_MS = 10, /* it takes a tenth of one; of several times the shortest counts */
};

static const struct asking edns = {.edns = 1232, .resolver = "198.51.100.7"};

static struct world *two_clusters(void)
{
	struct world *w = world_new();

	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_networks(w, "198.51.100.0/24,37.77,-122.42\n");
	return w;
}

static double flip_ms(struct world *w, bool *down, size_t count, bool is_down)
{
	uint64_t begun_us;

	for (size_t i = 0; i < count; i++)
		down[i] = is_down;
	begun_us = clock_monotonic_us();
	world_probes(w, down, count);
	(void)world_build(w);
	return (double)(clock_monotonic_us() - begun_us) / 1000;
}

/* Of several times the shortest: others use this machine too. */
static double best_flip_ms(struct world *w, bool *down, size_t count)
{
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double took = flip_ms(w, down, count, true);

		best = took < best ? took : best;
		assert_string_equal(world_ask(w, "n99999.example.com A", &edns),
		                    "NOERROR aa / an n99999.example.com. 5 A 192.0.2.2");
		(void)flip_ms(w, down, count, false);
		assert_string_equal(world_ask(w, "n99999.example.com A", &edns),
		                    "NOERROR aa / an n99999.example.com. 30 A 192.0.2.1");
	}
	return best;
}

static void test_names_of_a_dead_cluster_move_in_one_step(void **state)
{
	struct world *w = two_clusters();
	bool *down = xcalloc(NAMES, sizeof *down);
	double one, each;
	char name[64], line[64];

	(void)state;
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "n%d.example.com", i);
		snprintf(line, sizeof line, "la#%d: 30 A 192.0.2.1", i);
		world_put_sites(w, name, NULL, line, "ny: 30 A 192.0.2.2", NULL);
	}
	(void)world_build(w);
	each = best_flip_ms(w, down, NAMES);
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "n%d.example.com", i);
		world_put_sites(w, name, NULL, "la#0: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2", NULL);
	}
	(void)world_build(w);
	one = best_flip_ms(w, down, 1);
	printf("  %d names of one address moved in %.2f ms, of %d addresses in %.2f ms\n", NAMES,
	       one, NAMES, each);
	assert_true(one < WITHIN_MS && each < WITHIN_MS);
	free(down);
	world_free(w);
}

/* --- who says so --- */

static char *explain(const struct snapshot *s)
{
	struct explain_request r = {.name = "web.example.com", .client = "198.51.100.7/24"};
	struct text out = {0};
	struct reason why = {0};

	assert_int_equal(explain_print(s, &r, &out, &why), ERR_OK);
	return text_take(&out);
}

static void expect_told(const struct snapshot *s, const char *text)
{
	char *told = explain(s);

	if (strstr(told, text) == NULL)
		print_error("no '%s' in %s\n", text, told);
	assert_non_null(strstr(told, text));
	free(told);
}

static void test_explain_says_who_voted(void **state)
{
	struct world *w = two_clusters();
	struct snapshot_vote vote[] = {{1, 6, 1}, {3, 1, 6}};
	struct snapshot_votes votes = {
		.voters = 7, .name = {"c", "b", "a"}, .vote = vote, .count = 2};
	bool down[] = {false, true, false, false};
	char *told;

	(void)state;
	world_put_sites(w, "web.example.com", NULL, "la#1: 30 A 192.0.2.1", "ny#2: 30 A 192.0.2.2",
	                NULL);
	world_probes(w, down, 4);
	zones_set_votes(world_zones(w), &votes);
	expect_told(world_build(w),
	            "\"1 of 1 addresses down; down: 2 of 3 replicas (a, b); up: c\"");
	expect_told(world_build(w), "\"0 of 1 addresses down\"");
	votes = (struct snapshot_votes){0};
	zones_set_votes(world_zones(w), &votes);
	told = explain(world_build(w));
	assert_null(strstr(told, "replicas"));
	free(told);
	world_free(w);
}

static void test_who_reaches_nothing_says_that_its_answers_are_old(void **state)
{
	struct world *w = two_clusters();
	bool down[] = {true};

	(void)state;
	world_put_sites(w, "web.example.com", NULL, "la#0: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_put(w, "fixed.example.com", "300 A 192.0.2.9", NULL);
	world_probes(w, down, 1);
	world_settings(w)->frozen = true;
	expect_told(world_build(w), "no replica that is heard reaches any site");
	assert_string_equal(world_ask(w, "web.example.com A", &edns),
	                    "NOERROR aa ede=3 / an web.example.com. 5 A 192.0.2.2");
	assert_string_equal(world_ask(w, "fixed.example.com A", &edns),
	                    "NOERROR aa / an fixed.example.com. 300 A 192.0.2.9");
	world_settings(w)->frozen = false;
	(void)world_build(w);
	assert_string_equal(world_ask(w, "web.example.com A", &edns),
	                    "NOERROR aa / an web.example.com. 5 A 192.0.2.2");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_a_dead_cluster_move_in_one_step),
		cmocka_unit_test(test_explain_says_who_voted),
		cmocka_unit_test(test_who_reaches_nothing_says_that_its_answers_are_old),
	};

	return cmocka_run_group_tests_name("dnsd/failover", tests, NULL, NULL);
}
