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

#include "propagator/jsontree.h"
#include "tests/support/propagator_json.h"

static void test_a_path_leads_through_objects_alone(void **state)
{
	struct json_object *o = json_of("{'a': {'b': 'c', 'n': null, 'l': [{'x': 1}]}}");

	(void)state;
	assert_json_text(jsontree_get(o, "a", "b", NULL), "'c'");
	assert_ptr_equal(jsontree_get(o, NULL), o);
	assert_null(jsontree_get(o, "a", "n", NULL));
	assert_null(jsontree_get(o, "a", "n", "x", NULL));
	assert_null(jsontree_get(o, "a", "l", "x", NULL));
	assert_null(jsontree_get(o, "a", "b", "c", NULL));
	assert_null(jsontree_get(NULL, "a", NULL));
	assert_string_equal(jsontree_text(o, "a", "b", NULL), "c");
	assert_null(jsontree_text(o, "a", NULL));
}

static void test_what_is_missing_on_the_way_is_made(void **state)
{
	struct json_object *o = json_of("{'a': 3}");

	(void)state;
	jsontree_set(o, json_object_new_int(1), "a", "b", "c", NULL);
	jsontree_set(o, json_object_new_int(2), "a", "b", "d", NULL);
	jsontree_set(o, NULL, "e", NULL);
	assert_json_text(o, "{'a': {'b': {'c': 1, 'd': 2}}, 'e': null}");
}

static void test_levels_of_containers_are_counted(void **state)
{
	(void)state;
	assert_int_equal(jsontree_depth(NULL), 0);
	assert_int_equal(jsontree_depth(json_of("3")), 0);
	assert_int_equal(jsontree_depth(json_of("{}")), 1);
	assert_int_equal(jsontree_depth(json_of("{'a': [1, {'b': []}, {}], 'c': {}}")), 4);
}

static void test_what_is_of_another_type_is_absent(void **state)
{
	struct json_object *o = json_of("{'text': 'web', 'number': 7, 'half': 1.5, 'yes': true, "
	                                "'none': null, 'list': [1, null]}");

	(void)state;
	assert_string_equal(jsontree_word(o, "text", NULL), "web");
	assert_string_equal(jsontree_word(o, "number", NULL), "");
	assert_string_equal(jsontree_word(o, "text", "deeper", NULL), "");
	assert_string_equal(jsontree_word(NULL, "text", NULL), "");
	assert_int_equal(jsontree_int(o, -1, "number", NULL), 7);
	assert_int_equal(jsontree_int(o, -1, "half", NULL), -1);
	assert_int_equal(jsontree_int(o, -1, "none", NULL), -1);
	assert_true(jsontree_is_true(o, "yes", NULL));
	assert_false(jsontree_is_true(o, "number", NULL));
	assert_int_equal(jsontree_count(jsontree_get(o, "list", NULL)), 2);
	assert_int_equal(jsontree_count(o), 0);
	assert_non_null(jsontree_item(jsontree_get(o, "list", NULL), 0));
	assert_null(jsontree_item(jsontree_get(o, "list", NULL), 1));
	assert_null(jsontree_item(jsontree_get(o, "list", NULL), 2));
}

/* Numbers are copied as they were written, which is how they are sent. */
static void test_a_copy_is_written_as_the_original(void **state)
{
	static const char *const text =
		"{ \"a\": 1.10, \"b\": 9007199254740993, \"c\": 1e5, \"d\": "
		"18446744073709551615, \"e\": [ null, -0.0 ] }";
	struct json_object *copy = json_keep(jsontree_copy(json_of(text)));

	(void)state;
	assert_string_equal(json_object_to_json_string(copy), text);
	assert_null(jsontree_copy(NULL));
}

static void test_numbers_that_json_c_could_not_hold_are_seen(void **state)
{
	(void)state;
	assert_true(jsontree_is_exact(json_of("[9223372036854775807, 18446744073709551614, "
	                                      "-9223372036854775807, 1e300, {'a': null}]")));
	assert_false(jsontree_is_exact(json_of("[{'a': 18446744073709551616}]")));
	assert_false(jsontree_is_exact(json_of("{'a': [-9223372036854775809]}")));
	assert_true(jsontree_is_exact(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_path_leads_through_objects_alone),
		JSON_TEST(test_what_is_of_another_type_is_absent),
		JSON_TEST(test_what_is_missing_on_the_way_is_made),
		JSON_TEST(test_levels_of_containers_are_counted),
		JSON_TEST(test_a_copy_is_written_as_the_original),
		JSON_TEST(test_numbers_that_json_c_could_not_hold_are_seen),
	};

	return cmocka_run_group_tests_name("propagator/jsontree", tests, NULL, NULL);
}
