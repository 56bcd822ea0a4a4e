/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "watcher/flap.h"

#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)

static const struct flap_settings usual = {3, 10 * MINUTE, 30 * SECOND, 10 * MINUTE};

/* A second down, at `*at_ms`, which is then when it came back. */
static void go_down_and_up(struct flap *f, uint64_t *at_ms)
{
	flap_went_down(f, &usual, *at_ms);
	*at_ms += SECOND;
	flap_came_up(f, &usual, *at_ms);
}

/* How long it is held from `at_ms` on. */
static uint64_t held_for(const struct flap *f, uint64_t at_ms)
{
	return flap_is_held(f, at_ms) ? f->held_until_ms - at_ms : 0;
}

static void test_the_third_time_within_the_window_is_held_for_half_a_minute(void **state)
{
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	for (int i = 0; i < 2; i++, at_ms += MINUTE) {
		go_down_and_up(&f, &at_ms);
		assert_false(flap_is_held(&f, at_ms));
		assert_false(flap_is_flapping(&f, &usual, at_ms));
	}
	go_down_and_up(&f, &at_ms);
	assert_int_equal(held_for(&f, at_ms), 30 * SECOND);
	assert_true(flap_is_flapping(&f, &usual, at_ms));
	assert_true(flap_is_held(&f, at_ms + 30 * SECOND - 1));
	assert_false(flap_is_held(&f, at_ms + 30 * SECOND));
}

static void test_three_times_in_more_than_the_window_are_not_flapping(void **state)
{
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	for (int i = 0; i < 20; i++, at_ms += 5 * MINUTE) {
		go_down_and_up(&f, &at_ms);
		assert_false(flap_is_held(&f, at_ms));
	}
}

static void test_each_further_time_is_held_twice_as_long_up_to_the_most(void **state)
{
	static const uint64_t seconds[] = {0, 0, 30, 60, 120, 240, 480, 600, 600};
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		go_down_and_up(&f, &at_ms);
		assert_int_equal(held_for(&f, at_ms), seconds[i] * SECOND);
		at_ms += SECOND; /* down again while it is held */
	}
}

static void test_the_hold_begins_when_it_comes_back_and_not_before(void **state)
{
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	go_down_and_up(&f, &at_ms);
	go_down_and_up(&f, &at_ms);
	flap_went_down(&f, &usual, at_ms);
	assert_false(flap_is_held(&f, at_ms + MINUTE));
	assert_true(flap_is_flapping(&f, &usual, at_ms + MINUTE));
	flap_came_up(&f, &usual, at_ms + 5 * MINUTE);
	assert_int_equal(held_for(&f, at_ms + 5 * MINUTE), 30 * SECOND);
}

static void test_peace_halves_the_next_hold_and_ends_it(void **state)
{
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	for (int i = 0; i < 5; i++)
		go_down_and_up(&f, &at_ms);
	assert_int_equal(held_for(&f, at_ms), 120 * SECOND);
	at_ms = f.held_until_ms;
	assert_false(flap_is_over(&f, &usual, at_ms + 10 * MINUTE));
	assert_true(flap_is_over(&f, &usual, at_ms + 30 * MINUTE));

	/* One window: 60 s are left, so that the next one is 120 s. */
	at_ms += 10 * MINUTE;
	for (int i = 0; i < 3; i++)
		go_down_and_up(&f, &at_ms);
	assert_int_equal(held_for(&f, at_ms), 120 * SECOND);

	/* Three: as if nothing had been. */
	at_ms = f.held_until_ms + 30 * MINUTE;
	for (int i = 0; i < 3; i++)
		go_down_and_up(&f, &at_ms);
	assert_int_equal(held_for(&f, at_ms), 30 * SECOND);
}

static void test_without_a_hold_nothing_is_held(void **state)
{
	const struct flap_settings off = {3, 10 * MINUTE, 0, 10 * MINUTE};
	struct flap f = {0};

	(void)state;
	for (uint64_t at_ms = MINUTE; at_ms < 2 * MINUTE; at_ms += SECOND) {
		flap_went_down(&f, &off, at_ms);
		flap_came_up(&f, &off, at_ms);
		assert_false(flap_is_held(&f, at_ms));
		assert_false(flap_is_flapping(&f, &off, at_ms));
	}
}

static void test_years_of_going_up_and_down_are_no_other_than_an_hour(void **state)
{
	struct flap f = {0};
	uint64_t at_ms = MINUTE;

	(void)state;
	for (int i = 0; i < 2000000; i++)
		go_down_and_up(&f, &at_ms);
	assert_int_equal(held_for(&f, at_ms), 10 * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_third_time_within_the_window_is_held_for_half_a_minute),
		cmocka_unit_test(test_three_times_in_more_than_the_window_are_not_flapping),
		cmocka_unit_test(test_each_further_time_is_held_twice_as_long_up_to_the_most),
		cmocka_unit_test(test_the_hold_begins_when_it_comes_back_and_not_before),
		cmocka_unit_test(test_peace_halves_the_next_hold_and_ends_it),
		cmocka_unit_test(test_without_a_hold_nothing_is_held),
		cmocka_unit_test(test_years_of_going_up_and_down_are_no_other_than_an_hour),
	};

	return cmocka_run_group_tests_name("watcher/flap", tests, NULL, NULL);
}
