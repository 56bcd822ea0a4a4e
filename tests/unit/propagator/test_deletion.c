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

#include "propagator/deletion.h"
#include "tests/support/propagator_json.h"

/* A federated object with that annotation. */
static struct json_object *annotated(const char *value)
{
	struct json_object *object = json_of("{'metadata': {'annotations': {}}}");

	if (value)
		json_object_object_add(json_member(json_member(object, "metadata"), "annotations"),
		                       DELETION_ANNOTATION, json_object_new_string(value));
	return object;
}

static void test_kubefed_s_vectors(void **state)
{
	struct json_object *cases = json_member(
		json_vectors("misc_vectors.json", "delete_options_annotation"), "cases");

	(void)state;
	assert_int_equal(json_object_array_length(cases), 4);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i), *out;
		struct reason why = {""};

		assert_int_equal(deletion_options(annotated(json_text(c, "value")), &out, &why),
		                 ERR_OK);
		assert_json(json_keep(out), json_member(c, "result"));
	}
}

static void test_unknown_members_are_left_out_and_preconditions_kept(void **state)
{
	struct json_object *out;
	struct reason why;

	(void)state;
	assert_int_equal(deletion_options(annotated("{\"preconditions\": {\"uid\": \"u\"}, "
	                                            "\"orphanDependents\": false, \"kind\": 3}"),
	                                  &out, &why),
	                 ERR_OK);
	assert_json_text(json_keep(out),
	                 "{'preconditions': {'uid': 'u'}, 'orphanDependents': false}");
	assert_int_equal(deletion_options(json_of("{}"), &out, &why), ERR_OK);
	assert_json_text(json_keep(out), "{}");
}

static void test_what_is_wrong_is_named(void **state)
{
	static const char *const bad[][2] = {
		{"{\"gracePeriodSeconds\": \"5\"}", "gracePeriodSeconds is wrong"},
		{"{\"gracePeriodSeconds\": -1}", "gracePeriodSeconds is wrong"},
		{"{\"propagationPolicy\": \"orphan\"}", "propagationPolicy is wrong"},
		{"{\"preconditions\": []}", "preconditions is wrong"},
		{"{\"orphanDependents\": 1}", "orphanDependents is wrong"},
		{"{\"gracePeriodSeconds\": 5} x", "is no JSON object"},
		{"[]", "is no JSON object"},
		{"", "is no JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json_object *out = NULL;
		struct reason why = {""};

		assert_int_equal(deletion_options(annotated(bad[i][0]), &out, &why), ERR_PARSE);
		assert_null(out);
		if (!strstr(why.text, bad[i][1]) || !strstr(why.text, DELETION_ANNOTATION))
			fail_msg("%s: %s", bad[i][0], why.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_kubefed_s_vectors),
		JSON_TEST(test_unknown_members_are_left_out_and_preconditions_kept),
		JSON_TEST(test_what_is_wrong_is_named),
	};

	return cmocka_run_group_tests_name("propagator/deletion", tests, NULL, NULL);
}
