/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "records/annotation_record.h"

static void test_seconds_and_durations_of_go_are_read(void **state)
{
	static const struct {
		const char *text;
		uint32_t want;
	} good[] = {
		{"1", 1},         {"300", 300},     {"2147483647", 2147483647},
		{"90s", 90},      {"1h30m", 5400},  {"1.5h", 5400},
		{"4.35m", 261},   {".5m", 30},      {"1500ms", 1},
		{"1h0.5s", 3600}, {"2000000us", 2}, {"3000000\xc2\xb5s", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint32_t ttl = 0;

		assert_true(annotation_record_read_ttl(bytes_of(good[i].text), &ttl));
		assert_int_equal(ttl, good[i].want);
	}
}

static void test_what_is_no_ttl_is_refused(void **state)
{
	static const char *const bad[] = {
		"",        "0",  "-1",   "2147483648", "99999999999999999999",
		"1d",      "h",  "1h30", "s",          ".s",
		"500ms",   "0s", " 1",   "1 s",        "99999999999999999999h",
		"596524h",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t ttl;

		assert_false(annotation_record_read_ttl(bytes_of(bad[i]), &ttl));
	}
}

static void test_lists_are_cut_at_commas_and_trimmed(void **state)
{
	struct bytes list = bytes_of(" a ,, b,c d , "), item;

	(void)state;
	assert_true(annotation_record_next(&list, &item) && bytes_equal_text(item, "a"));
	assert_true(annotation_record_next(&list, &item) && bytes_equal_text(item, "b"));
	assert_true(annotation_record_next(&list, &item) && bytes_equal_text(item, "c d"));
	assert_false(annotation_record_next(&list, &item));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds_and_durations_of_go_are_read),
		cmocka_unit_test(test_what_is_no_ttl_is_refused),
		cmocka_unit_test(test_lists_are_cut_at_commas_and_trimmed),
	};

	return cmocka_run_group_tests_name("records/annotation_ttl", tests, NULL, NULL);
}
