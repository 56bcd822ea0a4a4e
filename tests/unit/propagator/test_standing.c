/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "propagator/standing.h"

static const struct standing_delays delays = {.available_ms = 20000, .unavailable_ms = 60000};

enum { BEGIN_MS = 1000 };

static struct standing seen(bool is_up)
{
	struct standing s = {0};

	(void)standing_heed(&s, is_up, &delays, BEGIN_MS);
	return s;
}

static void test_a_cluster_that_is_up_counts_at_once_when_it_is_new(void **state)
{
	struct standing s = seen(true);

	(void)state;
	assert_true(s.is_decided);
	assert_true(s.counts);
}

static void test_a_new_cluster_that_is_not_up_yet_is_waited_for(void **state)
{
	struct standing s = seen(false);
	struct standing other = s;

	(void)state;
	assert_false(s.is_decided);
	assert_true(standing_heed(&s, true, &delays, BEGIN_MS + STANDING_PATIENCE_MS - 1));
	assert_true(s.is_decided);
	assert_true(s.counts);
	assert_true(standing_heed(&other, false, &delays, BEGIN_MS + STANDING_PATIENCE_MS));
	assert_true(other.is_decided);
	assert_false(other.counts);
}

static void test_one_that_goes_counts_until_it_has_been_away_for_long(void **state)
{
	struct standing s = seen(true);

	(void)state;
	assert_false(standing_heed(&s, false, &delays, 2000));
	assert_false(standing_heed(&s, false, &delays, 61999));
	assert_true(s.counts);
	assert_true(standing_heed(&s, false, &delays, 62000));
	assert_false(s.counts);
}

static void test_one_that_comes_back_counts_after_its_own_delay(void **state)
{
	struct standing s = seen(true);

	(void)state;
	(void)standing_heed(&s, false, &delays, 2000);
	(void)standing_heed(&s, false, &delays, 62000);
	assert_false(standing_heed(&s, true, &delays, 70000));
	assert_false(standing_heed(&s, true, &delays, 89999));
	assert_true(standing_heed(&s, true, &delays, 90000));
	assert_true(s.counts);
}

static void test_a_short_absence_begins_anew_each_time(void **state)
{
	struct standing s = seen(true);

	(void)state;
	(void)standing_heed(&s, false, &delays, 2000);
	(void)standing_heed(&s, true, &delays, 50000);
	assert_false(standing_heed(&s, false, &delays, 63000));
	assert_false(standing_heed(&s, false, &delays, 122999));
	assert_true(standing_heed(&s, false, &delays, 123000));
}

static void test_of_many_clusters_each_has_its_own_until_it_is_kept_no_more(void **state)
{
	static const char *const names[] = {"shire", "gondor", "rohan"};
	struct standing_list l = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		(void)standing_heed(standing_keep(&l, names[i]), i != 1, &delays, BEGIN_MS);
	assert_false(standing_drop(&l));
	assert_true(standing_find(&l, "shire")->counts);
	assert_false(standing_find(&l, "gondor")->is_decided);
	assert_null(standing_find(&l, "mordor"));
	(void)standing_keep(&l, "shire");
	(void)standing_keep(&l, "rohan");
	assert_true(standing_drop(&l));
	assert_null(standing_find(&l, "gondor"));
	assert_true(standing_find(&l, "rohan")->counts);
	assert_true(standing_drop(&l));
	assert_int_equal(l.count, 0);
	standing_fini(&l);
}

/* Ten times as many clusters take about ten times as long: seconds if each were looked for among all. */
static void test_five_thousand_clusters_are_kept_in_no_time(void **state)
{
	enum { CLUSTERS = 5000, TURNS = 100, SOON_S = 5 };
	struct standing_list l = {0};
	clock_t begin = clock(); /* of the processor: others use it, too */
	char name[32];

	(void)state;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		for (unsigned i = 0; i < CLUSTERS; i++) {
			snprintf(name, sizeof(name), "cluster-%05u", i);
			(void)standing_keep(&l, name);
		}
		assert_false(standing_drop(&l));
	}
	assert_int_equal(l.count, CLUSTERS);
	assert_true(clock() - begin < (clock_t)SOON_S * CLOCKS_PER_SEC);
	standing_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_that_is_up_counts_at_once_when_it_is_new),
		cmocka_unit_test(test_a_new_cluster_that_is_not_up_yet_is_waited_for),
		cmocka_unit_test(test_one_that_goes_counts_until_it_has_been_away_for_long),
		cmocka_unit_test(test_one_that_comes_back_counts_after_its_own_delay),
		cmocka_unit_test(test_a_short_absence_begins_anew_each_time),
		cmocka_unit_test(test_of_many_clusters_each_has_its_own_until_it_is_kept_no_more),
		cmocka_unit_test(test_five_thousand_clusters_are_kept_in_no_time),
	};

	return cmocka_run_group_tests_name("propagator/standing", tests, NULL, NULL);
}
