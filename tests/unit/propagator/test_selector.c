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
#include "propagator/selector.h"
#include "tests/support/propagator_json.h"

static void assert_selects(const char *selector, const char *labels, bool want)
{
	struct reason why = {""};
	bool matches;

	if (selector_matches(json_of(selector), json_of(labels), &matches, &why) != ERR_OK)
		fail_msg("%s: %s", selector, why.text);
	if (matches != want)
		fail_msg("%s of %s: %d", selector, labels, matches);
	assert_int_equal(selector_check(json_of(selector), &why), ERR_OK);
}

static void assert_invalid(const char *selector, const char *says)
{
	struct reason why = {""};
	bool matches;

	if (selector_matches(json_of(selector), json_of("{'a': 'b'}"), &matches, &why) !=
	            ERR_PARSE ||
	    strcmp(why.text, says) != 0)
		fail_msg("%s: '%s'", selector, why.text);
	assert_false(matches);
	assert_int_equal(selector_check(json_of(selector), &why), ERR_PARSE);
}

static void test_all_labels_must_match(void **state)
{
	(void)state;
	assert_selects("{'matchLabels': {'a': 'b'}}", "{'a': 'b', 'c': 'd'}", true);
	assert_selects("{'matchLabels': {'a': 'b', 'c': 'e'}}", "{'a': 'b', 'c': 'd'}", false);
	assert_selects("{'matchLabels': {'a': 'b'}}", "{}", false);
	assert_selects("{'matchLabels': {'a': ''}}", "{'a': ''}", true);
	assert_selects("{'matchLabels': {'a': ''}}", "{}", false);
	assert_selects("{'matchLabels': {'example.com/a': 'b'}}", "{'example.com/a': 'b'}", true);
	assert_selects("{'matchLabels': {'a': 'b'}}", "null", false);
}

static void test_a_selector_without_requirements_selects_all_and_none_nothing(void **state)
{
	(void)state;
	assert_selects("{}", "{}", true);
	assert_selects("{'matchLabels': {}, 'matchExpressions': []}", "{'a': 'b'}", true);
	assert_selects("{'matchLabels': null}", "null", true);
	assert_selects("null", "{'a': 'b'}", false);
}

static void test_expressions_and_labels_must_all_hold(void **state)
{
	(void)state;
#define ONE(op, values) "{'matchExpressions': [{'key': 'a', 'operator': '" op "'" values "}]}"
	assert_selects(ONE("In", ", 'values': ['x', 'y']"), "{'a': 'y'}", true);
	assert_selects(ONE("In", ", 'values': ['x', 'y']"), "{'a': 'z'}", false);
	assert_selects(ONE("In", ", 'values': ['x']"), "{}", false);
	assert_selects(ONE("NotIn", ", 'values': ['x']"), "{'a': 'x'}", false);
	assert_selects(ONE("NotIn", ", 'values': ['x']"), "{'a': 'y'}", true);
	assert_selects(ONE("NotIn", ", 'values': ['x']"), "{}", true);
	assert_selects(ONE("Exists", ""), "{'a': ''}", true);
	assert_selects(ONE("Exists", ", 'values': []"), "{}", false);
	assert_selects(ONE("DoesNotExist", ""), "{}", true);
	assert_selects(ONE("DoesNotExist", ""), "{'a': 'x'}", false);
	assert_selects("{'matchLabels': {'b': 'c'}, 'matchExpressions': [{'key': 'a', 'operator': "
	               "'Exists'}]}",
	               "{'a': 'x'}", false);
	assert_selects("{'matchLabels': {'b': 'c'}, 'matchExpressions': [{'key': 'a', 'operator': "
	               "'Exists'}]}",
	               "{'a': 'x', 'b': 'c'}", true);
}

static void test_what_is_wrong_with_a_selector_is_named(void **state)
{
	(void)state;
	assert_invalid("3", "is a number, not an object");
	assert_invalid("{'matchLabels': []}", "matchLabels: is a list, not an object");
	assert_invalid("{'matchLabels': {'a b': 'c'}}",
	               "matchLabels: 'a b' is not the name of a label");
	assert_invalid("{'matchLabels': {'a': 'b c'}}", "matchLabels.a: is no label's value");
	assert_invalid("{'matchLabels': {'a': 1}}", "matchLabels.a: is no label's value");
	assert_invalid("{'matchExpressions': {}}", "matchExpressions: is an object, not a list");
	assert_invalid("{'matchExpressions': [1]}",
	               "matchExpressions[0]: is a number, not an object");
	assert_invalid("{'matchExpressions': [{'operator': 'Exists'}]}",
	               "matchExpressions[0].key: is not the name of a label");
	assert_invalid("{'matchExpressions': [{'key': 'a'}]}",
	               "matchExpressions[0].operator: is missing");
	assert_invalid(ONE("in", ", 'values': ['x']"),
	               "matchExpressions[0].operator: 'in' is not a valid one");
	assert_invalid(ONE("In", ""),
	               "matchExpressions[0].values: must not be empty with this operator");
	assert_invalid(ONE("Exists", ", 'values': ['x']"),
	               "matchExpressions[0].values: must be empty with this operator");
	assert_invalid(ONE("In", ", 'values': ['x', 1]"),
	               "matchExpressions[0].values[1]: what is no text is no label's value");
}

static void test_names_of_labels_are_those_of_kubernetes(void **state)
{
	static const char *const good[] = {"a", "A-1_b.c", "example.com/a", "a-b.example/A"};
	static const char *const bad[] = {"",      "-a",    "a-",     "/a",   "a/",
	                                  "a/b/c", "A.b/c", "a..b/c", ".a/c", "a./c",
	                                  "a-/c",  "-a/c",  "a.-b/c", "a_b/c"};
	struct reason why;
	char name[320];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(
			selector_check(json_with("{'matchLabels': {'%s': ''}}", good[i]), &why),
			ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (selector_check(json_with("{'matchLabels': {'%s': ''}}", bad[i]), &why) ==
		    ERR_OK)
			fail_msg("'%s' was taken", bad[i]);
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_int_equal(selector_check(json_with("{'matchLabels': {'%s': ''}}", name), &why),
	                 ERR_OK);
	name[63] = 'a';
	name[64] = '\0';
	assert_int_equal(selector_check(json_with("{'matchLabels': {'%s': ''}}", name), &why),
	                 ERR_PARSE);
}

static void test_federation_v1_s_vectors(void **state)
{
	struct json_object *set = json_vectors("misc_vectors.json", "v1_cluster_selector");
	struct json_object *cases = json_member(set, "cases");

	(void)state;
	assert_int_equal(json_object_array_length(cases), 8);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		bool is_error = json_object_get_boolean(json_member(c, "error"));
		struct reason why = {""};
		bool matches;
		enum err err = selector_matches_v1(
			json_text(c, "value"), json_member(set, "clusterLabels"), &matches, &why);

		if (err != (is_error ? ERR_PARSE : ERR_OK) ||
		    matches != json_object_get_boolean(json_member(c, "match")))
			fail_msg("%s: %d, %s", json_object_to_json_string(c), matches, why.text);
	}
}

static void assert_v1(const char *annotation, const char *labels, int want)
{
	struct reason why = {""};
	bool matches;
	enum err err = selector_matches_v1(annotation, json_of(labels), &matches, &why);

	if ((err == ERR_OK ? (int)matches : -1) != want)
		fail_msg("%s: %d %s", annotation, matches, why.text);
	assert_true(err == ERR_OK || (why.text[0] != '\0' && !matches));
}

static void test_federation_v1_has_more_operators(void **state)
{
	(void)state;
#define V1(op, values) "[{\"key\": \"a\", \"operator\": \"" op "\", \"values\": " values "}]"
	assert_v1(V1("<", "[\"10\"]"), "{'a': '9'}", true);
	assert_v1(V1("lt", "[\"10\"]"), "{'a': '10'}", false);
	assert_v1(V1("Gt", "[\"9\"]"), "{'a': '10'}", true);
	assert_v1(V1(">", "[\"1\"]"), "{}", false);
	assert_v1(V1(">", "[\"1\"]"), "{'a': 'x'}", false);
	assert_v1(V1("!=", "[\"1\"]"), "{}", true);
	assert_v1(V1("notin", "[\"1\", \"2\"]"), "{'a': '2'}", false);
	assert_v1(V1("!", "[]"), "{}", true);
	assert_v1(V1("exists", "null"), "{'a': 'x'}", true);
	assert_v1("[{\"Key\": \"a\", \"Operator\": \"exists\"}]", "{'a': 'x'}", true);
	assert_v1("[]", "{}", true);
	assert_v1(V1("=", "[\"1\", \"2\"]"), "{'a': '1'}", -1);
	assert_v1(V1(">", "[\"x\"]"), "{'a': '1'}", -1);
	assert_v1(V1(">", "[\"-1\"]"), "{'a': '1'}", -1);
	assert_v1(V1("~", "[\"x\"]"), "{'a': '1'}", -1);
	assert_v1("{}", "{}", -1);
	assert_v1("", "{}", -1);
	assert_v1("[] []", "{}", -1);
	assert_v1("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "{}", -1);
}

static void assert_query(const char *selector, const char *want)
{
	struct text out = {0};

	assert_int_equal(selector_print(json_of(selector), &out), want[0] != '\0');
	assert_string_equal(out.data ? out.data : "", want);
	text_fini(&out);
}

static void test_a_selector_is_printed_as_a_query(void **state)
{
	(void)state;
	assert_query("{'matchLabels': {'app': 'web', 'a.b/c': ''}}", "app=web,a.b/c=");
	assert_query("{'matchLabels': {'app': 'web'}, 'matchExpressions': [{'key': 'tier', "
	             "'operator': 'In', 'values': ['a', 'b']}, {'key': 'x', 'operator': 'NotIn', "
	             "'values': ['y']}, {'key': 'on', 'operator': 'Exists'}, {'key': 'off', "
	             "'operator': 'DoesNotExist'}]}",
	             "app=web,tier in (a,b),x notin (y),on,!off");
	/* What selects all is no way to name the pods of one workload. */
	assert_query("{}", "");
	assert_query("{'matchLabels': {'app': 'a,b=c'}}", "");
	assert_query("{'matchExpressions': [{'key': 'a', 'operator': 'Like'}]}", "");
	assert_false(selector_print(NULL, &(struct text){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_all_labels_must_match),
		JSON_TEST(test_a_selector_without_requirements_selects_all_and_none_nothing),
		JSON_TEST(test_expressions_and_labels_must_all_hold),
		JSON_TEST(test_what_is_wrong_with_a_selector_is_named),
		JSON_TEST(test_names_of_labels_are_those_of_kubernetes),
		JSON_TEST(test_federation_v1_s_vectors),
		JSON_TEST(test_federation_v1_has_more_operators),
		JSON_TEST(test_a_selector_is_printed_as_a_query),
	};

	return cmocka_run_group_tests_name("propagator/selector", tests, NULL, NULL);
}
