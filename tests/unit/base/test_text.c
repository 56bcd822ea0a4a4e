/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void assert_json(const char *in, size_t len, const char *want)
{
	struct text t = {0};

	text_add_json(&t, (struct bytes){(const uint8_t *)in, len});
	assert_string_equal(t.data, want);
	text_fini(&t);
}

static void test_text_grows_and_is_taken(void **state)
{
	struct text t = {0};
	char *taken;

	(void)state;
	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%d,", i);
	text_add(&t, "end");
	text_add_bytes(&t, (struct bytes){NULL, 0});
	assert_int_equal(t.len, 10 * 2 + 90 * 3 + 900 * 4 + 3);
	assert_memory_equal(t.data, "0,1,2,", 6);
	assert_string_equal(t.data + t.len - 7, "999,end");
	taken = text_take(&t);
	assert_null(t.data);
	free(taken);
	taken = text_take(&t);
	assert_string_equal(taken, "");
	free(taken);
}

static void test_a_reset_text_is_empty(void **state)
{
	struct text t = {0};

	(void)state;
	text_reset(&t);
	text_add(&t, "abc");
	text_reset(&t);
	assert_int_equal(t.len, 0);
	assert_string_equal(t.data, "");
	text_fini(&t);
}

static void test_json_is_escaped(void **state)
{
	(void)state;
	assert_json("", 0, "\"\"");
	assert_json("plain", 5, "\"plain\"");
	assert_json("a\"b\\c\n\t\r\b\f\x01\0z", 13,
	            "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u0000z\"");
	assert_json("\x7f\xc2\x85", 3, "\"\\u007f\\u0085\"");
	assert_json("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
}

static void test_bytes_that_are_not_utf8_are_replaced_in_json(void **state)
{
	(void)state;
	assert_json("a\xff"
	            "b",
	            3,
	            "\"a\xef\xbf\xbd"
	            "b\"");
	assert_json("\xc3", 1, "\"\xef\xbf\xbd\"");
	assert_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_utf8_is_strict(void **state)
{
	static const char *const bad[] = {
		"",
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xed\xbf\xbf",
		"\xe2\x82",
		"\xc3"
		"a",
	};
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_utf8(bytes_of(bad[i]), &c), 0);
	assert_int_equal(text_utf8(bytes_of("az"), &c), 1);
	assert_int_equal(text_utf8(bytes_of("\xe2\x82\xac"), &c), 3);
	assert_int_equal(c, 0x20ac);
	assert_int_equal(text_utf8(bytes_of("\xf4\x8f\xbf\xbf"), &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(text_utf8(bytes_of("\xc2\x80"), NULL), 2);
}

static void test_numbers_are_whole_texts(void **state)
{
	static const char *const bad[] = {"",
	                                  "-1",
	                                  "+1",
	                                  " 1",
	                                  "1 ",
	                                  "1a",
	                                  "0x1",
	                                  "18446744073709551616",
	                                  "99999999999999999999999999"};
	uint64_t v;

	(void)state;
	assert_true(text_to_u64(bytes_of("0"), 10, &v) && v == 0);
	assert_true(text_to_u64(bytes_of("18446744073709551615"), UINT64_MAX, &v) &&
	            v == UINT64_MAX);
	assert_true(text_to_u64(bytes_of("10"), 10, &v) && v == 10);
	assert_false(text_to_u64(bytes_of("11"), 10, &v));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_u64(bytes_of(bad[i]), UINT64_MAX, &v));
}

static void test_finite_numbers_only(void **state)
{
	static const char *const bad[] = {"",   "nan", "inf", "0x1p3", "1e999", "1 ",
	                                  " 1", "1,5", "e",   ".",     "1e",    "--1"};
	double v;

	(void)state;
	assert_true(text_to_double(bytes_of("-118.24"), &v) && v > -118.2401 && v < -118.2399);
	assert_true(text_to_double(bytes_of("1e3"), &v) && v > 999.9 && v < 1000.1);
	assert_true(text_to_double((struct bytes){(const uint8_t *)"12345", 2}, &v) && v < 12.1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_double(bytes_of(bad[i]), &v));
}

static void test_durations_have_one_unit(void **state)
{
	static const char *const bad[] = {
		"", "5", "ms", "-1s", "1.5s", "1h30m", "1 s", "1d", "18446744073709551615h"};
	uint64_t v;

	(void)state;
	assert_true(text_to_duration_ms(bytes_of("0"), &v) && v == 0);
	assert_true(text_to_duration_ms(bytes_of("500ms"), &v) && v == 500);
	assert_true(text_to_duration_ms(bytes_of("10s"), &v) && v == 10000);
	assert_true(text_to_duration_ms(bytes_of("5m"), &v) && v == 300000);
	assert_true(text_to_duration_ms(bytes_of("2h"), &v) && v == 7200000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_duration_ms(bytes_of(bad[i]), &v));
}

static void test_times_follow_rfc_3339(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-13-02T03:04:05Z",
		"2026-02-29T00:00:00Z",
		"2026-00-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-01-02T24:04:05Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05+0100",
		"2026-01-02T03:04:05Zx",
		"26-01-02T03:04:05Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:05+24:00",
	};
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-01-02T03:04:05Z", 1767323045},
		{"2026-01-02t03:04:05.123456z", 1767323045},
		{"2026-01-02T04:04:05+01:00", 1767323045},
		{"2026-01-01T19:04:05-08:00", 1767323045},
		{"2024-02-29T12:00:00Z", 1709208000},
		{"1969-12-31T23:59:59Z", -1},
		{"2000-03-01T00:00:00Z", 951868800},
		{"1900-03-01T00:00:00Z", -2203891200},
		{"0000-03-01T00:00:00Z", -62162035200},
		{"9999-12-31T23:59:59Z", 253402300799},
	};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(text_to_time(bytes_of(good[i].text), &v));
		assert_int_equal(v, good[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_to_time(bytes_of(bad[i]), &v));
}

static void test_plain_text_has_no_control_characters(void **state)
{
	static const char *const bad[] = {"\n", "a\x1f", "\x7f", "a\x80", "\xc3", "\xed\xa0\x80"};

	(void)state;
	assert_true(text_is_plain(bytes_of("")));
	assert_true(text_is_plain(bytes_of(" ~ Z\xc3\xbcrich \xe2\x82\xac")));
	assert_false(text_is_plain((struct bytes){(const uint8_t *)"a\0b", 3}));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_plain(bytes_of(bad[i])));
}

static void test_foreign_text_is_shown_cut_and_harmless(void **state)
{
	char out[6];

	(void)state;
	assert_string_equal(text_shown(bytes_of(""), out, sizeof(out)), "");
	assert_string_equal(text_shown(bytes_of("a ~\x7f\x1b"), out, sizeof(out)), "a ~??");
	assert_string_equal(text_shown(bytes_of("\xc3\xbc"), out, sizeof(out)), "??");
	assert_string_equal(text_shown(bytes_of("abcdef"), out, sizeof(out)), "abcde");
	assert_ptr_equal(text_shown(bytes_of("abcdefgh"), out, 1), out);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_grows_and_is_taken),
		cmocka_unit_test(test_a_reset_text_is_empty),
		cmocka_unit_test(test_json_is_escaped),
		cmocka_unit_test(test_bytes_that_are_not_utf8_are_replaced_in_json),
		cmocka_unit_test(test_utf8_is_strict),
		cmocka_unit_test(test_plain_text_has_no_control_characters),
		cmocka_unit_test(test_foreign_text_is_shown_cut_and_harmless),
		cmocka_unit_test(test_numbers_are_whole_texts),
		cmocka_unit_test(test_finite_numbers_only),
		cmocka_unit_test(test_durations_have_one_unit),
		cmocka_unit_test(test_times_follow_rfc_3339),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
