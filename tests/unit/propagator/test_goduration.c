/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "propagator/goduration.h"

static void test_durations_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{"20s", INT64_C(20000000000)},
		{"1m30s", INT64_C(90000000000)},
		{"5m0s", INT64_C(300000000000)},
		{"1.5h", INT64_C(5400000000000)},
		{"1h15m30.918s", INT64_C(4530918000000)},
		{"100ms", 100000000},
		{".5s", 500000000},
		{"5.s", INT64_C(5000000000)},
		{"10us", 10000},
		{"10\xc2\xb5s", 10000},
		{"1ns", 1},
		{"0", 0},
		{"-3s", INT64_C(-3000000000)},
		{"+3s", INT64_C(3000000000)},
		{"2562047h47m16.854775807s", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t ns = 42;

		if (!goduration_parse(good[i].text, &ns) || ns != good[i].ns)
			fail_msg("'%s': %lld", good[i].text, (long long)ns);
	}
}

static void test_what_go_refuses_is_none(void **state)
{
	static const char *const bad[] = {"",         "3",
	                                  "s",        ".s",
	                                  "1x",       "-",
	                                  "1s ",      " 1s",
	                                  "1 s",      "--1s",
	                                  "1m3",      "99999999999999999999s",
	                                  "9999999h", "2562047h47m17s",
	                                  "1d"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (goduration_parse(bad[i], &ns))
			fail_msg("'%s' was taken for %lld", bad[i], (long long)ns);
}

static void test_durations_are_written_as_go_writes_them(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} table[] = {{0, "0s"}, {20, "20s"}, {60, "1m0s"}, {300, "5m0s"}, {3605, "1h0m5s"}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[GODURATION_ROOM];
		int64_t ns;

		goduration_print(table[i].seconds, text);
		assert_string_equal(text, table[i].text);
		assert_true(goduration_parse(text, &ns));
		assert_int_equal(ns, table[i].seconds * 1000000000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_are_read_as_go_reads_them),
		cmocka_unit_test(test_what_go_refuses_is_none),
		cmocka_unit_test(test_durations_are_written_as_go_writes_them),
	};

	return cmocka_run_group_tests_name("propagator/goduration", tests, NULL, NULL);
}
