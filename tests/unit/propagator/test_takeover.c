/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "propagator/takeover.h"

#define OURS                                                                                       \
	"{\"manager\":\"nigh-propagator\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":{\"f:"  \
	"replicas\":{}}}}"
#define KUBEFEDS                                                                                   \
	"{\"manager\":\"hyperfed\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{\"f:"    \
	"labels\":{\"f:kubefed.io/managed\":{}}},\"f:spec\":{\"f:paused\":{}}}}"
#define KUBECTLS                                                                                   \
	"{\"manager\":\"kubectl\",\"operation\":\"Update\",\"fieldsV1\":{\"f:spec\":{\"f:"         \
	"minReadySeconds\":{}}}}"
#define STATUS                                                                                     \
	"{\"manager\":\"hyperfed\",\"operation\":\"Update\",\"subresource\":\"status\","           \
	"\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\"f:kubefed.io/managed\":{}}}}}"

static struct json_object *patch_of(const char *entries)
{
	struct json_object *object, *patch;
	char text[4096];

	snprintf(text, sizeof(text),
	         "{\"metadata\":{\"resourceVersion\":\"7\",\"managedFields\":[%s]}}", entries);
	object = json_tokener_parse(text);
	assert_non_null(object);
	patch = takeover_patch(object, "nigh-propagator");
	json_object_put(object);
	return patch;
}

static void test_kubefeds_fields_become_ours(void **state)
{
	struct json_object *patch = patch_of(OURS "," KUBECTLS "," KUBEFEDS "," STATUS);
	const char *text;

	(void)state;
	assert_non_null(patch);
	text = json_object_to_json_string_ext(patch, JSON_C_TO_STRING_PLAIN |
	                                                     JSON_C_TO_STRING_NOSLASHESCAPE);
	assert_string_equal(
		text,
		"[{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
		"{\"op\":\"replace\",\"path\":\"/metadata/managedFields\",\"value\":["
		"{\"manager\":\"nigh-propagator\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":"
		"{\"f:replicas\":{},\"f:paused\":{}},\"f:metadata\":{\"f:labels\":{\"f:kubefed.io/"
		"managed\":{}}}}}," KUBECTLS "," STATUS "]}]");
	json_object_put(patch);
}

static void test_without_kubefeds_entry_or_ours_there_is_nothing_to_do(void **state)
{
	(void)state;
	assert_null(patch_of(OURS "," KUBECTLS));
	assert_null(patch_of(KUBEFEDS));
	assert_null(patch_of(""));
	assert_null(patch_of(OURS ",5,null,{}," KUBECTLS));
}

/* --- what is foreseen of it --- */

/* Of spec, KubeFed and we own what the test says. */
static void expect_foreseen(const char *spec, const char *theirs, const char *ours,
                            const char *want)
{
	struct json_object *object, *wanted = json_tokener_parse(want);
	char text[4096];

	snprintf(text, sizeof(text),
	         "{\"metadata\":{\"managedFields\":["
	         "{\"manager\":\"hyperfed\",\"operation\":\"Update\",\"fieldsV1\":{\"f:metadata\":{"
	         "\"f:labels\":{\"f:kubefed.io/managed\":{}}},\"f:spec\":%s}},"
	         "{\"manager\":\"nigh-propagator\",\"operation\":\"Apply\",\"fieldsV1\":{"
	         "\"f:metadata\":{\"f:labels\":{\"f:kubefed.io/managed\":{}}},\"f:spec\":%s}}]},"
	         "\"spec\":%s}",
	         theirs, ours, spec);
	object = json_tokener_parse(text);
	assert_non_null(object);
	assert_true(takeover_foresee(object, "nigh-propagator"));
	if (!json_object_equal(json_object_object_get(object, "spec"), wanted))
		fail_msg("%s, not %s",
		         json_object_to_json_string(json_object_object_get(object, "spec")), want);
	json_object_put(object);
	json_object_put(wanted);
}

static void test_what_kubefed_alone_owned_goes(void **state)
{
	(void)state;
	expect_foreseen("{\"a\":1,\"b\":2,\"c\":3}", "{\"f:a\":{},\"f:b\":{}}", "{\"f:b\":{}}",
	                "{\"b\":2,\"c\":3}");
	/* A mapping that nobody else has anything of goes as a whole. */
	expect_foreseen("{\"a\":{\"b\":1,\"c\":2},\"d\":{\"e\":1,\"f\":2}}",
	                "{\"f:a\":{\"f:b\":{}},\"f:d\":{\"f:e\":{},\"f:f\":{}}}",
	                "{\"f:d\":{\"f:f\":{}}}", "{\"d\":{\"f\":2}}");
}

static void test_items_of_lists_go_by_their_keys_and_values(void **state)
{
	(void)state;
	expect_foreseen("{\"l\":[{\"n\":\"a\",\"v\":1,\"w\":2},{\"n\":\"b\"}]}",
	                "{\"f:l\":{\"k:{\\\"n\\\":\\\"a\\\"}\":{\".\":{},\"f:n\":{},\"f:v\":{},\"f:"
	                "w\":{}},\"k:{\\\"n\\\":\\\"b\\\"}\":{\".\":{},\"f:n\":{}}}}",
	                "{\"f:l\":{\"k:{\\\"n\\\":\\\"a\\\"}\":{\".\":{},\"f:n\":{},\"f:v\":{}}}}",
	                "{\"l\":[{\"n\":\"a\",\"v\":1}]}");
	expect_foreseen("{\"l\":[\"a\",\"b\",3]}",
	                "{\"f:l\":{\"v:\\\"a\\\"\":{},\"v:\\\"b\\\"\":{},\"v:3\":{}}}",
	                "{\"f:l\":{\"v:\\\"b\\\"\":{}}}", "{\"l\":[\"b\"]}");
}

static void test_what_is_not_there_or_of_another_shape_stays(void **state)
{
	(void)state;
	expect_foreseen(
		"{\"a\":1,\"l\":[{\"n\":\"a\"}]}",
		"{\"f:a\":{\"f:b\":{}},\"f:z\":{},\"f:l\":{\"k:{}\":{},\"k:\":{},\"k:[\":{},"
		"\"v:\":{},\"f:n\":{},\"i:0\":{},\"\":{},\"k:{\\\"n\\\":\\\"b\\\"}\":{}}}",
		"{\"f:a\":{},\"f:l\":{}}", "{\"a\":1,\"l\":[{\"n\":\"a\"}]}");
}

static void test_without_kubefeds_entry_or_ours_nothing_is_foreseen(void **state)
{
	static const char *const entries[] = {OURS, KUBEFEDS, OURS "," KUBECTLS, STATUS ",5,null"};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		struct json_object *object;

		snprintf(text, sizeof(text),
		         "{\"metadata\":{\"managedFields\":[%s]},\"spec\":{\"paused\":true}}",
		         entries[i]);
		object = json_tokener_parse(text);
		assert_non_null(object);
		assert_false(takeover_foresee(object, "nigh-propagator"));
		assert_non_null(
			json_object_object_get(json_object_object_get(object, "spec"), "paused"));
		json_object_put(object);
	}
}

/* Whatever a member may answer. */
static void test_fields_of_another_shape_are_left_alone(void **state)
{
	static const char *const shapes[] = {
		"{\"managedFields\":{\"a\":1}}", "{\"managedFields\":\"text\"}", "[]",
		"{\"managedFields\":[{\"manager\":\"nigh-propagator\",\"operation\":\"Apply\"}"
		"," KUBEFEDS "]}",
		"{\"managedFields\":[{\"manager\":\"nigh-propagator\",\"operation\":\"Apply\","
		"\"fieldsV1\":{\"f:metadata\":\"text\"}}," KUBEFEDS "]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "metadata", json_tokener_parse(shapes[i]));
		json_object_put(takeover_patch(object, "nigh-propagator"));
		(void)takeover_foresee(object, "nigh-propagator");
		json_object_put(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubefeds_fields_become_ours),
		cmocka_unit_test(test_without_kubefeds_entry_or_ours_there_is_nothing_to_do),
		cmocka_unit_test(test_what_kubefed_alone_owned_goes),
		cmocka_unit_test(test_items_of_lists_go_by_their_keys_and_values),
		cmocka_unit_test(test_what_is_not_there_or_of_another_shape_stays),
		cmocka_unit_test(test_without_kubefeds_entry_or_ours_nothing_is_foreseen),
		cmocka_unit_test(test_fields_of_another_shape_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
