/* Counters: added by one, summed by another. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dnsd/stats.h"

static void test_sums_are_of_all_workers(void **state)
{
	struct stats *a = stats_new(), *b = stats_new(), *sum = stats_new();

	(void)state;
	stats_add(&a->answers[stats_kind(STATS_UDP, STATS_NO_OPT, STATS_FIXED, 0)], 3);
	stats_add(&b->answers[stats_kind(STATS_UDP, STATS_OPT, STATS_FIXED, 0)], 4);
	stats_add(&b->answers[stats_kind(STATS_TCP, STATS_OPT_WITH_SUBNET, STATS_NXDOMAIN, 3)], 5);
	stats_add(&b->answers[stats_kind(STATS_TLS, STATS_NO_OPT, STATS_ERROR, 4095)], 6);
	stats_add(&a->clusters[4095], 1);
	stats_add(&b->clusters[4095], 1);
	stats_merge(sum, a);
	stats_merge(sum, b);
	assert_int_equal(stats_answers_coded(sum, STATS_UDP, 0), 7);
	assert_int_equal(stats_answers_coded(sum, STATS_TCP, 3), 5);
	assert_int_equal(stats_answers_coded(sum, STATS_TLS, STATS_RCODES - 1), 6);
	assert_int_equal(stats_answers_for(sum, STATS_FIXED), 7);
	assert_int_equal(stats_answers_for(sum, STATS_NXDOMAIN), 5);
	assert_int_equal(stats_events(sum, STATS_EDNS), 9);
	assert_int_equal(stats_events(sum, STATS_ECS), 5);
	assert_int_equal(stats_read(&sum->clusters[4095]), 2);
	assert_int_equal(stats_answers(sum), 18);
	free(a);
	free(b);
	free(sum);
}

static void test_zones_are_found_by_their_key(void **state)
{
	struct stats *a = stats_new(), *b = stats_new(), *sum = stats_new();
	uint64_t com = 0x123456789abcdef, org = com + STATS_ZONES; /* one place for both */

	(void)state;
	stats_add_zone(a, com);
	stats_add_zone(b, com);
	stats_add_zone(b, org);
	stats_merge(sum, b);
	stats_merge(sum, a);
	assert_int_equal(stats_zone(sum, com), 2);
	assert_int_equal(stats_zone(sum, org), 1);
	assert_int_equal(stats_zone(a, org), 0);
	free(a);
	free(b);
	free(sum);
}

static void test_zones_beyond_the_table_count_as_others(void **state)
{
	struct stats *s = stats_new();
	uint64_t found = 0;

	(void)state;
	for (uint64_t zone = 1; zone <= 3000; zone++)
		stats_add_zone(s, zone * 0x9e3779b97f4a7c15);
	for (uint64_t zone = 1; zone <= 3000; zone++)
		found += stats_zone(s, zone * 0x9e3779b97f4a7c15);
	assert_true(found > STATS_ZONES / 2);
	assert_int_equal(found + stats_read(&s->other_zones), 3000);
	free(s);
}

static void test_every_counter_has_a_label(void **state)
{
	(void)state;
	assert_string_equal(stats_reason_label(STATS_FIXED), "fixed");
	assert_string_equal(stats_reason_label(STATS_REASONS - 1), "error");
	for (int i = 0; i < STATS_EVENTS; i++)
		assert_true(strlen(stats_event_label((enum stats_event)i)) > 0 &&
		            strlen(stats_event_sentence((enum stats_event)i)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_are_of_all_workers),
		cmocka_unit_test(test_zones_are_found_by_their_key),
		cmocka_unit_test(test_zones_beyond_the_table_count_as_others),
		cmocka_unit_test(test_every_counter_has_a_label),
	};

	return cmocka_run_group_tests_name("dnsd/stats", tests, NULL, NULL);
}
