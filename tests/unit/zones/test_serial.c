/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "zones/serial.h"

static void test_serials_follow_the_clock_when_it_is_ahead(void **state)
{
	(void)state;
	assert_int_equal(serial_next(0, 1700000000), 1700000000);
	assert_int_equal(serial_next(1000, 1700000000), 1700000000);
	assert_int_equal(serial_next(1699999999, 1700000000), 1700000000);
}

static void test_serials_never_go_back(void **state)
{
	(void)state;
	assert_int_equal(serial_next(1700000000, 1700000000), 1700000001);
	assert_int_equal(serial_next(1700000500, 1700000000), 1700000501);
}

static void test_serials_go_round_as_rfc_1982_says(void **state)
{
	(void)state;
	assert_int_equal(serial_next(0xfffffff0, 0x100000005), 5);
	assert_int_equal(serial_next(0xfffffff0, 0xfffffff0), 0xfffffff1);
	/* 0 would mean "none". */
	assert_int_equal(serial_next(0xffffffff, 0xfffffff0), 1);
}

static void test_a_clock_more_than_half_the_circle_away_is_behind(void **state)
{
	(void)state;
	assert_int_equal(serial_next(5, 5 + 0x80000002), 6);
}

static void test_a_later_serial_of_the_file_is_taken_over_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(serial_next_of_file(1700000000, 2026010100, 1700000500), 2026010100);
	/* Also where the clock is ahead of both. */
	assert_int_equal(serial_next_of_file(0xfffffffa, 0xfffffffe, 1700000500), 0xfffffffe);
	assert_int_equal(serial_next_of_file(1600000000, 1600000001, 1700000500), 1600000001);
	assert_int_equal(serial_next_of_file(0xfffffffe, 3, 1700000500), 3);
}

static void test_another_serial_of_the_file_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(serial_next_of_file(1700000000, 7, 1700000500), 1700000500);
	assert_int_equal(serial_next_of_file(1700000000, 1700000000, 1700000000), 1700000001);
	/* Half the circle or more away, it is behind, and so it stays when ours has gone on. */
	assert_int_equal(serial_next_of_file(10, 10 + 0x80000005, 100), 100);
	assert_int_equal(serial_next_of_file(0, 7, 1700000000), 1700000000);
	assert_int_equal(serial_next_of_file(0, 2026010100, 1700000000), 2026010100);
	/* 0 would mean "none". */
	assert_int_equal(serial_next_of_file(0xfffffffe, 0, 0xfffffff0), 0xffffffff);
}

/* Round the circle, but forward in each step: who follows each (RFC 1982 7) is never behind. */
static void test_a_serial_far_ahead_and_then_a_small_one_are_both_later(void **state)
{
	uint32_t last = 1795821680, next;

	(void)state;
	next = serial_next_of_file(last, 3000000000, last + 1);
	assert_int_equal(next, 3000000000);
	assert_true(serial_is_after(next, last));
	assert_int_equal(serial_next_of_file(next, 3000000000, last + 2), 3000000001);
	next = serial_next_of_file(3000000001, 5, last + 3);
	assert_int_equal(next, 5);
	assert_true(serial_is_after(next, 3000000001));
	/* Then the clock is ahead. */
	assert_int_equal(serial_next_of_file(next, 5, last + 4), last + 4);
	assert_true(serial_is_after(last + 4, next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serials_follow_the_clock_when_it_is_ahead),
		cmocka_unit_test(test_serials_never_go_back),
		cmocka_unit_test(test_serials_go_round_as_rfc_1982_says),
		cmocka_unit_test(test_a_clock_more_than_half_the_circle_away_is_behind),
		cmocka_unit_test(test_a_later_serial_of_the_file_is_taken_over_as_it_is),
		cmocka_unit_test(test_another_serial_of_the_file_changes_nothing),
		cmocka_unit_test(test_a_serial_far_ahead_and_then_a_small_one_are_both_later),
	};

	return cmocka_run_group_tests_name("zones/serial", tests, NULL, NULL);
}
