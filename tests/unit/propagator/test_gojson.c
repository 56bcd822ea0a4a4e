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

#include "base/text.h"
#include "propagator/gojson.h"
#include "tests/support/propagator_json.h"

static void assert_prints(const char *json, const char *want, bool untyped)
{
	struct text out = {0};

	if (untyped)
		gojson_print_untyped(json_of(json), &out);
	else
		gojson_print(json_of(json), &out);
	if (strcmp(out.data, want) != 0)
		fail_msg("%s: have %s, want %s", json, out.data, want);
	text_fini(&out);
}

static void test_it_is_compact_and_keys_are_sorted_by_their_bytes(void **state)
{
	(void)state;
	assert_prints("{ 'b': [ 1, true , null ], 'a': {'z': {}, 'B': []}, 'aa': false }",
	              "{\"a\":{\"B\":[],\"z\":{}},\"aa\":false,\"b\":[1,true,null]}", false);
	assert_prints("null", "null", false);
	assert_prints("{'\xc3\xa9': 1, 'z': 2}", "{\"z\":2,\"\xc3\xa9\":1}", false);
}

static void test_texts_are_escaped_as_go_does(void **state)
{
	(void)state;
	assert_prints("\"<a href='x'>&</a>\"",
	              "\"\\u003ca href='x'\\u003e\\u0026\\u003c/a\\u003e\"", false);
	assert_prints("\"\\\"\\\\\\/\\n\\r\\t\\b\\f\\u0001\\u007f\"",
	              "\"\\\"\\\\/\\n\\r\\t\\u0008\\u000c\\u0001\x7f\"", false);
	assert_prints("\"\\u2028\\u2029\\u00e9\\ud83d\\ude00\"",
	              "\"\\u2028\\u2029\xc3\xa9\xf0\x9f\x98\x80\"", false);
	assert_prints("{'<k>': 1}", "{\"\\u003ck\\u003e\":1}", false);
	assert_prints("'a\\u0000b'", "\"a\\u0000b\"", false);
}

static void test_numbers_are_written_as_go_does(void **state)
{
	static const char *const table[][2] = {
		{"5", "5"},
		{"-0", "0"},
		{"9007199254740993", "9007199254740993"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"9223372036854775807", "9223372036854775807"},
		/* More than an int64 is a double to Go. */
		{"9223372036854775808", "9223372036854776000"},
		{"18446744073709551615", "18446744073709552000"},
		{"1.0", "1"},
		{"1e3", "1000"},
		{"0.1", "0.1"},
		{"-2.50", "-2.5"},
		{"0.000001", "0.000001"},
		{"0.00000123", "0.00000123"},
		{"0.0000001", "1e-7"},
		{"1.5e-10", "1.5e-10"},
		{"1e20", "100000000000000000000"},
		{"1.25e20", "125000000000000000000"},
		{"1e21", "1e+21"},
		{"1.5e300", "1.5e+300"},
		{"123456.789", "123456.789"},
		{"0.30000000000000004", "0.30000000000000004"},
		{"1.7976931348623157e308", "1.7976931348623157e+308"},
		{"5e-324", "5e-324"},
		{"-0.0", "-0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_prints(table[i][0], table[i][1], false);
}

static void test_without_a_type_every_number_is_a_double(void **state)
{
	(void)state;
	assert_prints("[5, 9007199254740993, 1000000000000000000000]",
	              "[5,9007199254740992,18446744073709552000]", true);
	assert_prints("-9223372036854775807", "-9223372036854776000", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_it_is_compact_and_keys_are_sorted_by_their_bytes),
		JSON_TEST(test_texts_are_escaped_as_go_does),
		JSON_TEST(test_numbers_are_written_as_go_does),
		JSON_TEST(test_without_a_type_every_number_is_a_double),
	};

	return cmocka_run_group_tests_name("propagator/gojson", tests, NULL, NULL);
}
