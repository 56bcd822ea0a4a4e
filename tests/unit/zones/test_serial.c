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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serials_follow_the_clock_when_it_is_ahead),
		cmocka_unit_test(test_serials_never_go_back),
		cmocka_unit_test(test_serials_go_round_as_rfc_1982_says),
		cmocka_unit_test(test_a_clock_more_than_half_the_circle_away_is_behind),
		cmocka_unit_test(test_a_later_serial_of_the_file_is_taken_over_as_it_is),
		cmocka_unit_test(test_another_serial_of_the_file_changes_nothing),
	};

	return cmocka_run_group_tests_name("zones/serial", tests, NULL, NULL);
}
