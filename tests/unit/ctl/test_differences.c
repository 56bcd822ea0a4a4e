/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/differences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/propagator_json.h"

static void expect(const char *before, const char *after, size_t most, const char *want)
{
	struct json_object *found =
		json_keep(differences_between(before ? json_of(before) : NULL, json_of(after)));
	struct text line = {0};

	text_add(&line, "");
	differences_print(found, most, &line);
	assert_string_equal(line.data, want);
	text_fini(&line);
}

static void test_each_path_that_differs_is_told(void **state)
{
	(void)state;
	expect("{'spec': {'replicas': 1, 'old': true}}", "{'spec': {'replicas': 4, 'new': 'x'}}", 9,
	       "spec.replicas: 1 -> 4, spec.old: true -> (none), spec.new: (none) -> \"x\"");
	expect("{'a': {'b': 1}}", "{'a': {'b': 1}}", 9, "");
	expect(NULL, "{'a': 1}", 9, "a: (none) -> 1");
}

static void test_lists_of_one_length_are_compared_item_by_item(void **state)
{
	(void)state;
	expect("{'l': [{'i': 1}, {'i': 2}]}", "{'l': [{'i': 1}, {'i': 3}]}", 9, "l[1].i: 2 -> 3");
	expect("{'l': [1, 2]}", "{'l': [1]}", 9, "l: [1,2] -> [1]");
}

static void test_what_a_server_counts_is_no_difference(void **state)
{
	(void)state;
	expect("{'metadata': {'resourceVersion': '1', 'managedFields': []}, 'status': {'a': 1}}",
	       "{'metadata': {'resourceVersion': '2', 'generation': 7}, 'status': {'a': 2}}", 9,
	       "");
	expect("{'spec': {'status': 1}}", "{'spec': {'status': 2}}", 9, "spec.status: 1 -> 2");
}

static void test_many_are_cut_short(void **state)
{
	(void)state;
	expect("{}", "{'a': 1, 'b': 2, 'c': 3}", 1, "a: (none) -> 1, and 2 more");
}

static void test_values_of_a_secret_are_hidden(void **state)
{
	static const char before[] =
		"{'type': 'a', 'data': {'x': 'c2VjcmV0'}, 'spec': {'template': "
		"{'data': {'x': 'c2VjcmV0'}}, 'placement': {'clusters': []}}}";
	static const char after[] =
		"{'type': 'b', 'data': {'x': 'bmV3', 'y': 'bmV3'}, 'spec': {'template': {'data': "
		"{'x': 'bmV3'}}, 'overrides': [{'value': 'bmV3'}], 'placement': {}}}";
	struct json_object *found = json_keep(differences_between(json_of(before), json_of(after)));
	struct text line = {0};

	(void)state;
	differences_hide(found);
	differences_print(found, 9, &line);
	assert_string_equal(line.data,
	                    "type: \"a\" -> \"b\", data.x: \"***\" -> \"***\", data.y: (none) -> "
	                    "\"***\", spec.template.data.x: \"***\" -> \"***\", "
	                    "spec.placement.clusters: [] -> (none), spec.overrides: (none) -> "
	                    "\"***\"");
	text_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_each_path_that_differs_is_told),
		JSON_TEST(test_lists_of_one_length_are_compared_item_by_item),
		JSON_TEST(test_what_a_server_counts_is_no_difference),
		JSON_TEST(test_many_are_cut_short),
		JSON_TEST(test_values_of_a_secret_are_hidden),
	};

	return cmocka_run_group_tests_name("ctl/differences", tests, NULL, NULL);
}
