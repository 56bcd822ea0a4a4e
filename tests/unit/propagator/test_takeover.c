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
		json_object_put(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubefeds_fields_become_ours),
		cmocka_unit_test(test_without_kubefeds_entry_or_ours_there_is_nothing_to_do),
		cmocka_unit_test(test_fields_of_another_shape_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
