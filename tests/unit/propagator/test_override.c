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

#include "propagator/override.h"
#include "tests/support/propagator_json.h"

/* A federated object whose cluster "one" has that list of overrides. */
static struct json_object *with(const char *overrides)
{
	return json_with("{'spec': {'overrides': [{'clusterName': 'other', 'clusterOverrides': "
	                 "[{'path': '/spec', 'value': 1}]}, {'clusterName': 'one', "
	                 "'clusterOverrides': %s}]}}",
	                 overrides);
}

static void assert_makes(const char *before, const char *overrides, const char *after)
{
	struct json_object *object = json_of(before), *out = NULL;
	struct reason why = {""};

	if (override_apply(with(overrides), "one", object, &out, &why) != ERR_OK)
		fail_msg("%s: %s", overrides, why.text);
	json_keep(out);
	assert_json_text(out, after);
	/* What went in is as it was. */
	assert_json_text(object, before);
}

static void assert_fails(const char *before, const char *overrides, enum err err, const char *says)
{
	struct json_object *object = json_of(before), *out = NULL;
	struct reason why = {""};
	enum err got = override_apply(with(overrides), "one", object, &out, &why);

	if (got != err || !strstr(why.text, says))
		fail_msg("%s: %s, '%s'", overrides, err_text(got), why.text);
	assert_non_null(strstr(why.text, "cluster 'one': "));
	assert_null(out);
	assert_json_text(object, before);
}

static void test_what_is_there_is_replaced(void **state)
{
	(void)state;
	assert_makes("{'spec': {'replicas': 1}}", "[{'path': '/spec/replicas', 'value': 4}]",
	             "{'spec': {'replicas': 4}}");
	assert_makes("{'a': [1, 2, 3]}", "[{'op': 'replace', 'path': '/a/1', 'value': {'b': []}}]",
	             "{'a': [1, {'b': []}, 3]}");
	assert_makes("{'a': null}", "[{'op': '', 'path': '/a', 'value': false}]", "{'a': false}");
}

static void test_a_member_that_is_not_there_is_set_by_a_replacement(void **state)
{
	(void)state;
	assert_makes("{'spec': {}}", "[{'path': '/spec/replicas', 'value': 4}]",
	             "{'spec': {'replicas': 4}}");
	assert_makes("{}", "[{'op': 'replace', 'path': '/data', 'value': {'a': 'b'}}]",
	             "{'data': {'a': 'b'}}");
}

static void test_where_there_is_no_place_nothing_is_replaced(void **state)
{
	(void)state;
	assert_fails("{'a': [1]}", "[{'path': '/a/1', 'value': 4}]", ERR_NOTFOUND, "replace");
	assert_fails("{'a': [1]}", "[{'path': '/a/-', 'value': 4}]", ERR_NOTFOUND, "replace");
	assert_fails("{'a': 1}", "[{'path': '/a/b', 'value': 4}]", ERR_NOTFOUND, "not there");
	assert_fails("{}", "[{'path': '/a/b/c', 'value': 4}]", ERR_NOTFOUND, "not there");
}

static void test_add_sets_members_and_inserts_items(void **state)
{
	(void)state;
	assert_makes("{}", "[{'op': 'add', 'path': '/a', 'value': 1}]", "{'a': 1}");
	assert_makes("{'a': 0}", "[{'op': 'add', 'path': '/a', 'value': null}]", "{'a': null}");
	assert_makes("{'a': [1, 2]}", "[{'op': 'add', 'path': '/a/0', 'value': 0}]",
	             "{'a': [0, 1, 2]}");
	assert_makes("{'a': [1, 2]}", "[{'op': 'add', 'path': '/a/1', 'value': 0}]",
	             "{'a': [1, 0, 2]}");
	assert_makes("{'a': [1, 2]}", "[{'op': 'add', 'path': '/a/2', 'value': 3}]",
	             "{'a': [1, 2, 3]}");
	assert_makes("{'a': []}", "[{'op': 'add', 'path': '/a/-', 'value': {'b': 1}}]",
	             "{'a': [{'b': 1}]}");
	assert_fails("{'a': [1, 2]}", "[{'op': 'add', 'path': '/a/3', 'value': 3}]", ERR_NOTFOUND,
	             "a list of 2 has no place '3'");
	assert_fails("{}", "[{'op': 'add', 'path': '/a/b', 'value': 3}]", ERR_NOTFOUND,
	             "not there");
}

static void test_remove_takes_members_and_items_away(void **state)
{
	(void)state;
	assert_makes("{'a': 1, 'b': 2}", "[{'op': 'remove', 'path': '/a'}]", "{'b': 2}");
	assert_makes("{'a': [1, 2, 3]}", "[{'op': 'remove', 'path': '/a/1'}]", "{'a': [1, 3]}");
	assert_fails("{'a': 1}", "[{'op': 'remove', 'path': '/b'}]", ERR_NOTFOUND,
	             "path '/b': there is nothing to remove");
	assert_fails("{'a': [1]}", "[{'op': 'remove', 'path': '/a/1'}]", ERR_NOTFOUND, "remove");
}

static void test_an_index_has_no_sign_and_no_zeros_before_it(void **state)
{
	static const char *const bad[] = {
		"-1", "+1", "01", "1x", "", " 1", "1.0", "4294967296", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char overrides[128];

		for (int op = 0; op < 3; op++) {
			snprintf(overrides, sizeof(overrides),
			         "[{'op': '%s', 'path': '/a/%s', 'value': 1}]",
			         op == 0   ? "add"
			         : op == 1 ? "remove"
			                   : "replace",
			         bad[i]);
			assert_fails("{'a': [1, 2, 3]}", overrides, ERR_NOTFOUND, "path '/a/");
		}
		snprintf(overrides, sizeof(overrides), "[{'path': '/a/%s/b', 'value': 1}]", bad[i]);
		assert_fails("{'a': [{'b': 0}, {'b': 0}]}", overrides, ERR_NOTFOUND, "not there");
	}
}

static void test_paths_are_escaped_as_rfc_6901_says(void **state)
{
	(void)state;
	assert_makes(
		"{'a/b': 1, 'm~n': 2, '': 3, '~1': 4}",
		"[{'path': '/a~1b', 'value': 10}, {'path': '/m~0n', 'value': 20}, {'path': '/', "
		"'value': 30}, {'path': '/~01', 'value': 40}]",
		"{'a/b': 10, 'm~n': 20, '': 30, '~1': 40}");
	assert_makes("{'a': {'': {'': 1}}}", "[{'path': '/a//', 'value': 2}]",
	             "{'a': {'': {'': 2}}}");
	assert_fails("{'a': 1}", "[{'path': '/~', 'value': 2}]", ERR_PARSE, "~ without 0 or 1");
	assert_fails("{'a': 1}", "[{'path': '/~2', 'value': 2}]", ERR_PARSE, "~ without 0 or 1");
	assert_fails("{'a': 1}", "[{'path': 'a', 'value': 2}]", ERR_PARSE, "begin with a slash");
	assert_fails("{'a': 1}", "[{'path': '', 'value': 2}]", ERR_PARSE, "begin with a slash");
}

static void test_overrides_are_applied_in_their_order(void **state)
{
	(void)state;
	assert_makes("{}",
	             "[{'op': 'add', 'path': '/a', 'value': {}}, {'op': 'add', 'path': '/a/b', "
	             "'value': [1]}, {'op': 'add', 'path': '/a/b/0', 'value': 0}, {'path': "
	             "'/a/b/1', 'value': 2}]",
	             "{'a': {'b': [0, 2]}}");
	assert_fails("{'a': 1}", "[{'path': '/a', 'value': 2}, {'op': 'remove', 'path': '/b'}]",
	             ERR_NOTFOUND, "path '/b'");
}

static void test_identity_may_not_be_overridden(void **state)
{
	static const char *const paths[] = {"/metadata/namespace", "/metadata/name",
	                                    "/metadata/generateName", "/kind"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char overrides[128];

		snprintf(overrides, sizeof(overrides),
		         "[{'op': 'add', 'path': '%s', 'value': 'x'}]", paths[i]);
		assert_fails("{'kind': 'A', 'metadata': {}}", overrides, ERR_DENIED,
		             "may not be overridden");
	}
	assert_makes("{'apiVersion': 'v1'}", "[{'path': '/apiVersion', 'value': 'v2'}]",
	             "{'apiVersion': 'v2'}");
}

static void test_a_path_or_a_cluster_stands_once(void **state)
{
	struct json_object *out,
		*twice = json_of("{'spec': {'overrides': [{'clusterName': 'one'}, "
	                         "{'clusterName': 'two'}, {'clusterName': 'one'}]}}");
	struct reason why = {""};

	(void)state;
	assert_fails("{'a': 1, 'b': 1}",
	             "[{'path': '/a', 'value': 2}, {'path': '/b', 'value': 2}, {'op': 'remove', "
	             "'path': '/a'}]",
	             ERR_CONFLICT, "path '/a' stands there more than once");
	assert_int_equal(override_apply(twice, "one", json_of("{}"), &out, &why), ERR_CONFLICT);
	assert_string_equal(why.text, "cluster 'one': it has overrides more than once");
	/* Nothing is wrong with the other. */
	assert_int_equal(override_apply(twice, "two", json_of("{}"), &out, &why), ERR_OK);
	json_keep(out);
}

static void test_an_error_concerns_its_cluster_alone(void **state)
{
	struct json_object *federated = json_of(
		"{'spec': {'overrides': [{'clusterName': 'bad', 'clusterOverrides': [{'path': "
		"'/kind', 'value': 1}]}, {'clusterName': 'good', 'clusterOverrides': [{'path': "
		"'/a', 'value': 2}]}]}}");
	struct json_object *out;
	struct reason why = {""};

	(void)state;
	assert_int_equal(override_apply(federated, "bad", json_of("{'a': 1}"), &out, &why),
	                 ERR_DENIED);
	assert_string_equal(why.text,
	                    "cluster 'bad': override[0]: path /kind may not be overridden");
	assert_int_equal(override_apply(federated, "good", json_of("{'a': 1}"), &out, &why),
	                 ERR_OK);
	assert_json_text(json_keep(out), "{'a': 2}");
	assert_int_equal(override_apply(federated, "none", json_of("{'a': 1}"), &out, &why),
	                 ERR_OK);
	assert_json_text(json_keep(out), "{'a': 1}");
}

static void test_what_is_not_well_formed_is_named(void **state)
{
	struct json_object *out;
	struct reason why = {""};

	(void)state;
	assert_fails("{}", "[{'op': 'move', 'path': '/a'}]", ERR_PARSE,
	             "override[0]: op 'move' is none of add, remove, replace");
	assert_fails("{}", "[{'op': 1, 'path': '/a'}]", ERR_PARSE, "op is a number");
	assert_fails("{}", "[{'op': 'add'}]", ERR_PARSE, "override[0]: has no path");
	assert_fails("{}", "[null]", ERR_PARSE, "override[0]: is null");
	assert_fails("{}", "{}", ERR_PARSE, "clusterOverrides is an object, not a list");
	assert_int_equal(override_apply(json_of("{'spec': {'overrides': 3}}"), "one", json_of("{}"),
	                                &out, &why),
	                 ERR_PARSE);
	assert_string_equal(why.text, "cluster 'one': spec.overrides is a number, not a list");
}

static void test_whole_numbers_beyond_doubles_survive(void **state)
{
	(void)state;
	assert_makes("{'a': 9007199254740993, 'b': 1}",
	             "[{'path': '/b', 'value': 9223372036854775807}]",
	             "{'a': 9007199254740993, 'b': 9223372036854775807}");
	assert_makes("{'a': 18446744073709551615, 'b': 0}", "[{'op': 'remove', 'path': '/b'}]",
	             "{'a': 18446744073709551615}");
}

static void test_a_number_that_would_be_sent_as_another_is_refused(void **state)
{
	(void)state;
	assert_fails("{'a': 1}", "[{'path': '/a', 'value': {'b': [100000000000000000000]}}]",
	             ERR_RANGE, "override[0]: value has a whole number of more than 64 bits");
	assert_fails("{'a': 1}", "[{'path': '/a', 'value': -100000000000000000000}]", ERR_RANGE,
	             "more than 64 bits");
	assert_makes("{'a': 1}", "[{'path': '/a', 'value': 1e20}]", "{'a': 1e20}");
}

/* Each override would put a deep value under the one before it. */
static void test_overrides_do_not_nest_without_end(void **state)
{
	struct json_object *list = json_object_new_array(), *federated, *out;
	char path[4096] = "";
	struct reason why = {""};

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct json_object *one = json_object_new_object();

		strcat(path, "/a");
		json_object_object_add(one, "op", json_object_new_string("add"));
		json_object_object_add(one, "path", json_object_new_string(path));
		json_object_object_add(
			one, "value",
			json_object_get(json_of("{'a':{'a':{'a':{'a':{'a':{'a':{'a':{}}}}}}}}")));
		json_object_array_add(list, one);
		strcat(path, "/a/a/a/a/a/a");
	}
	federated = json_of("{'spec': {'overrides': [{'clusterName': 'one'}]}}");
	json_object_object_add(json_object_array_get_idx(
				       json_member(json_member(federated, "spec"), "overrides"), 0),
	                       "clusterOverrides", list);
	assert_int_equal(override_apply(federated, "one", json_of("{}"), &out, &why), ERR_RANGE);
	assert_non_null(strstr(why.text, "nested deeper than 128"));
}

static void test_more_than_ten_thousand_are_refused(void **state)
{
	struct json_object *list = json_object_new_array(), *federated, *out;
	struct reason why = {""};

	(void)state;
	for (int i = 0; i <= OVERRIDE_MOST; i++)
		json_object_array_add(list, json_object_new_object());
	federated = json_of("{'spec': {}}");
	json_object_object_add(json_member(federated, "spec"), "overrides", list);
	assert_int_equal(override_apply(federated, "one", json_of("{}"), &out, &why), ERR_RANGE);
}

/* Each of ten thousand items that are put before a hundred thousand others would move them all. */
static void test_a_long_list_is_not_changed_ten_thousand_times(void **state)
{
	struct json_object *list = json_object_new_array(), *items = json_object_new_array();
	struct json_object *federated =
		json_of("{'spec': {'overrides': [{'clusterName': 'one'}]}}");
	struct json_object *object = json_of("{}"), *out;
	struct reason why = {""};

	(void)state;
	for (int i = 0; i < 100000; i++)
		json_object_array_add(items, json_object_new_int(i));
	json_object_object_add(object, "a", items);
	for (int i = 0; i < 50; i++)
		json_object_array_add(list,
		                      json_object_get(json_with("{'op': 'add', 'path': '/a/%d', "
		                                                "'value': 1}",
		                                                i)));
	json_object_object_add(json_object_array_get_idx(
				       json_member(json_member(federated, "spec"), "overrides"), 0),
	                       "clusterOverrides", list);
	assert_int_equal(override_apply(federated, "one", object, &out, &why), ERR_RANGE);
	assert_non_null(strstr(why.text, "too long to be changed so often"));
	/* Some may, and at its end as many as one likes. */
	json_object_array_del_idx(list, 1, 49);
	for (int i = 0; i < 50; i++)
		json_object_array_add(list,
		                      json_object_get(json_with("{'op': 'add', 'path': '/a/%d', "
		                                                "'value': 1}",
		                                                100001 + i)));
	assert_int_equal(override_apply(federated, "one", object, &out, &why), ERR_OK);
	json_keep(out);
	assert_int_equal(json_object_array_length(json_member(out, "a")), 100051);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_is_there_is_replaced),
		JSON_TEST(test_a_member_that_is_not_there_is_set_by_a_replacement),
		JSON_TEST(test_where_there_is_no_place_nothing_is_replaced),
		JSON_TEST(test_add_sets_members_and_inserts_items),
		JSON_TEST(test_remove_takes_members_and_items_away),
		JSON_TEST(test_an_index_has_no_sign_and_no_zeros_before_it),
		JSON_TEST(test_paths_are_escaped_as_rfc_6901_says),
		JSON_TEST(test_overrides_are_applied_in_their_order),
		JSON_TEST(test_identity_may_not_be_overridden),
		JSON_TEST(test_a_path_or_a_cluster_stands_once),
		JSON_TEST(test_an_error_concerns_its_cluster_alone),
		JSON_TEST(test_what_is_not_well_formed_is_named),
		JSON_TEST(test_whole_numbers_beyond_doubles_survive),
		JSON_TEST(test_a_number_that_would_be_sent_as_another_is_refused),
		JSON_TEST(test_overrides_do_not_nest_without_end),
		JSON_TEST(test_more_than_ten_thousand_are_refused),
		JSON_TEST(test_a_long_list_is_not_changed_ten_thousand_times),
	};

	return cmocka_run_group_tests_name("propagator/override", tests, NULL, NULL);
}
