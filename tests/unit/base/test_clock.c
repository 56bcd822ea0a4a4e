/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"

static void test_the_monotonic_clock_goes_forward(void **state)
{
	uint64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();

	(void)state;
	assert_true(clock_monotonic_us() >= us);
	assert_true(ms >= us / 1000 && ms - us / 1000 < 10000);
	assert_true(clock_unix_s() > 1600000000);
}

static void test_the_clock_that_counts_sleep_is_not_behind_the_other(void **state)
{
	uint64_t ms = clock_monotonic_ms(), with_sleep = clock_boottime_ms();

	(void)state;
	assert_true(with_sleep >= ms);
	assert_true(clock_boottime_ms() >= with_sleep);
}

static void test_times_are_printed_as_rfc_3339(void **state)
{
	char out[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_print(0, out), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_print(1767323045, out), "2026-01-02T03:04:05Z");
	assert_string_equal(clock_print(-1, out), "1969-12-31T23:59:59Z");
	assert_string_equal(clock_print(951782400, out), "2000-02-29T00:00:00Z");
	clock_print(INT64_MAX, out);
	clock_print(INT64_MIN, out);
}

static void test_what_is_printed_is_read_back(void **state)
{
	char out[CLOCK_TEXT_SIZE];
	int64_t back;

	(void)state;
	for (int64_t t = -60000000000; t < 250000000000; t += 86400 * 17 + 12345) {
		assert_true(text_to_time(bytes_of(clock_print(t, out)), &back));
		assert_int_equal(back, t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_monotonic_clock_goes_forward),
		cmocka_unit_test(test_the_clock_that_counts_sleep_is_not_behind_the_other),
		cmocka_unit_test(test_times_are_printed_as_rfc_3339),
		cmocka_unit_test(test_what_is_printed_is_read_back),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
