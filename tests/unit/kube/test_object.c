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
#include <json-c/json_tokener.h>

#include "base/text.h"
#include "kube/object.h"

static struct json_object *object_of(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return object;
}

static void test_a_text_is_found_by_its_path_or_is_none(void **state)
{
	struct json_object *o = object_of("{\"kind\":\"Service\",\"metadata\":{\"name\":\"web\","
	                                  "\"labels\":[],\"n\":7,\"x\":null}}");

	(void)state;
	assert_true(bytes_equal_text(object_text(o, "kind", NULL), "Service"));
	assert_true(bytes_equal_text(object_text(o, "metadata", "name", NULL), "web"));
	assert_int_equal(object_text(o, "metadata", NULL).len, 0);
	assert_int_equal(object_text(o, "metadata", "absent", NULL).len, 0);
	assert_int_equal(object_text(o, "metadata", "name", "deeper", NULL).len, 0);
	assert_int_equal(object_text(o, "metadata", "labels", "a", NULL).len, 0);
	assert_int_equal(object_text(o, "metadata", "n", NULL).len, 0);
	assert_int_equal(object_text(o, "metadata", "x", "y", NULL).len, 0);
	assert_int_equal(object_text(NULL, "metadata", NULL).len, 0);
	json_object_put(o);
}

static void test_a_text_may_have_a_nul_in_it(void **state)
{
	struct json_object *o = object_of("{\"a\":\"x\\u0000y\"}");

	(void)state;
	assert_int_equal(object_text(o, "a", NULL).len, 3);
	assert_memory_equal(object_text(o, "a", NULL).data, "x\0y", 3);
	json_object_put(o);
}

static void test_a_number_is_whole_or_absent(void **state)
{
	struct json_object *o = object_of("{\"code\":410,\"text\":\"410\",\"half\":410.5}");

	(void)state;
	assert_int_equal(object_number(o, "code", -1), 410);
	assert_int_equal(object_number(o, "text", -1), -1);
	assert_int_equal(object_number(o, "half", -1), -1);
	assert_int_equal(object_number(o, "none", -1), -1);
	assert_int_equal(object_number(NULL, "code", -1), -1);
	json_object_put(o);
}

static void test_items_of_a_list_are_completed(void **state)
{
	struct json_object *o = object_of("{\"kind\":\"Pod\",\"apiVersion\":7}");

	(void)state;
	object_complete(o, "Service", "v1", false);
	assert_true(bytes_equal_text(object_text(o, "kind", NULL), "Pod"));
	assert_true(bytes_equal_text(object_text(o, "apiVersion", NULL), "v1"));
	object_complete(o, "Node", "v2", true);
	assert_true(bytes_equal_text(object_text(o, "kind", NULL), "Node"));
	assert_true(bytes_equal_text(object_text(o, "apiVersion", NULL), "v2"));
	json_object_put(o);
}

static bool is_older(const char *a, const char *b)
{
	return object_is_older(bytes_of(a), bytes_of(b));
}

static void test_versions_are_compared_as_numbers_of_any_length(void **state)
{
	(void)state;
	assert_true(is_older("9", "10"));
	assert_false(is_older("10", "9"));
	assert_false(is_older("10", "10"));
	assert_true(is_older("99999999999999999999999", "100000000000000000000000"));
	assert_true(is_older("0", "1"));
}

static void test_what_is_no_number_is_not_older(void **state)
{
	(void)state;
	assert_false(is_older("", "10"));
	assert_false(is_older("9", ""));
	assert_false(is_older("09", "10"));
	assert_false(is_older("9a", "10"));
	assert_false(is_older("-9", "10"));
	assert_false(is_older("9", "x"));
}

static void expect_version(const char *json, const char *want)
{
	char got[16] = "before";

	object_read_version(bytes_of(json), got, sizeof(got));
	assert_string_equal(got, want);
}

static void test_a_version_may_be_any_text(void **state)
{
	(void)state;
	expect_version("{\"gitVersion\":\"v1.31.4\"}", "v1.31.4");
	expect_version("{\"gitVersion\":\"v1.31.4+k3s1 \\u0007\\u00fc\"}", "v1.31.4+k3s1");
	expect_version("{\"gitVersion\":\"0123456789abcdefgh\"}", "0123456789abcde");
	expect_version("{\"gitVersion\":7}", "");
	expect_version("[]", "");
	expect_version("hello", "");
	expect_version("", "");
	expect_version("{\"gitVersion\":", "");
}

static bool parses(struct json_tokener *tokener, const char *text)
{
	struct json_object *o = object_parse(tokener, bytes_of(text));
	bool does = o != NULL;

	json_object_put(o);
	return does;
}

static void test_only_a_whole_object_is_one(void **state)
{
	struct json_tokener *tokener = json_tokener_new_ex(8);

	(void)state;
	assert_true(parses(tokener, "{\"a\":1}"));
	assert_false(parses(tokener, ""));
	assert_false(parses(tokener, "{\"a\":"));
	assert_false(parses(tokener, "[]"));
	assert_false(parses(tokener, "7"));
	assert_false(parses(tokener,
	                    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}"));
	assert_true(parses(tokener, "{}"));
	json_tokener_free(tokener);
}

/* {"a":[WHAT,WHAT, ... WHAT]} of so many bytes. */
static char *many_of(const char *what, size_t len)
{
	struct text out = {0};

	text_add(&out, "{\"a\":[");
	while (out.len < len)
		text_printf(&out, "%s,", what);
	text_printf(&out, "%s]}", what);
	return text_take(&out);
}

static bool parses_many_of(const char *what, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(8);
	char *text = many_of(what, len);
	bool does = parses(tokener, text);

	free(text);
	json_tokener_free(tokener);
	return does;
}

/* A server chooses what its few bytes become here. */
static void test_what_takes_far_more_memory_than_bytes_is_none(void **state)
{
	enum { MIB = 1 << 20 };

	(void)state;
	assert_false(parses_many_of("{}", 4 * MIB));
	assert_false(parses_many_of("{\"\":{}}", 4 * MIB));
	assert_false(parses_many_of("[]", 16 * MIB));
	assert_false(parses_many_of("1", 16 * MIB));
	/* As objects are, and as their texts may be. */
	assert_true(parses_many_of("{\"name\":\"a-pod-of-many\",\"labels\":{\"app\":\"web\"}}",
	                           4 * MIB));
	assert_true(parses_many_of("\"{},{},{},{},{},{},{},{},{},\\\"{},{},{},{}\"", 4 * MIB));
}

static void test_what_is_not_utf8_is_no_object(void **state)
{
	static const struct {
		const char *json;
		bool good;
	} cases[] = {
		{"{\"a\":\"plain and long enough for eight at a time\"}", true},
		{"{\"a\":\"\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"}", true},
		{"{\"a\":\"0123456789\xc3\"}", false},          /* cut */
		{"{\"a\":\"\xff\"}", false},                    /* never */
		{"{\"a\":\"01234567\xc0\xaf\"}", false},        /* overlong */
		{"{\"a\":\"\xed\xa0\x80\"}", false},            /* a surrogate */
		{"{\"\xe2\x82\":1,\"b\":\"01234567\"}", false}, /* in a name */
	};
	json_tokener *tokener = json_tokener_new_ex(32);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *object = object_parse(tokener, bytes_of(cases[i].json));

		assert_int_equal(object != NULL, cases[i].good);
		json_object_put(object);
	}
	json_tokener_free(tokener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_utf8_is_no_object),
		cmocka_unit_test(test_a_text_is_found_by_its_path_or_is_none),
		cmocka_unit_test(test_a_text_may_have_a_nul_in_it),
		cmocka_unit_test(test_a_number_is_whole_or_absent),
		cmocka_unit_test(test_items_of_a_list_are_completed),
		cmocka_unit_test(test_versions_are_compared_as_numbers_of_any_length),
		cmocka_unit_test(test_what_is_no_number_is_not_older),
		cmocka_unit_test(test_a_version_may_be_any_text),
		cmocka_unit_test(test_only_a_whole_object_is_one),
		cmocka_unit_test(test_what_takes_far_more_memory_than_bytes_is_none),
	};

	return cmocka_run_group_tests_name("kube/object", tests, NULL, NULL);
}
