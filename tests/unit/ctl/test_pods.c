/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>

#include "ctl/pods.h"

static struct pods decode(const char *json)
{
	struct json_object *root = json_tokener_parse(json);
	struct pods p = {0};

	pods_decode(PODS_OF_NIGHD, root, &p);
	json_object_put(root);
	return p;
}

static void test_a_pod_has_the_port_that_is_named_http(void **state)
{
	struct pods p = decode("{\"items\":["
	                       "{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"spec\":{"
	                       "\"containers\":[{},{\"ports\":"
	                       "[{\"name\":\"dns\",\"containerPort\":5300},{\"name\":\"http\","
	                       "\"containerPort\":9053}]}]},"
	                       "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":"
	                       "\"Initialized\",\"status\":"
	                       "\"False\"},{\"type\":\"Ready\",\"status\":\"True\"}]}},"
	                       "{\"metadata\":{\"name\":\"b\",\"namespace\":\"m\"},\"spec\":{"
	                       "\"containers\":[{\"ports\":"
	                       "[{\"name\":\"http\",\"containerPort\":70000}]}]},\"status\":{"
	                       "\"phase\":\"Pending\"}}]}");

	(void)state;
	assert_int_equal(p.count, 2);
	assert_string_equal(p.list[0].name, "a");
	assert_string_equal(p.list[0].namespace, "n");
	assert_int_equal(p.list[0].port, 9053);
	assert_true(p.list[0].is_running && p.list[0].is_ready);
	assert_int_equal(p.list[1].port, 8053);
	assert_false(p.list[1].is_running || p.list[1].is_ready);
	pods_fini(&p);
}

static void test_pods_that_have_ended_or_are_about_to_are_none(void **state)
{
	struct pods p = decode(
		"{\"items\":["
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"},\"status\":{\"phase\":"
		"\"Failed\"}},"
		"{\"metadata\":{\"name\":\"b\",\"namespace\":\"n\"},\"status\":{\"phase\":"
		"\"Succeeded\"}},"
		"{\"metadata\":{\"name\":\"c\",\"namespace\":\"n\",\"deletionTimestamp\":\"T\"},"
		"\"status\":{\"phase\":\"Running\"}}]}");

	(void)state;
	assert_int_equal(p.count, 0);
	pods_fini(&p);
}

static void test_a_foreign_shape_is_no_pod(void **state)
{
	static const char *const all[] = {"[]", "{}", "{\"items\":7}",
	                                  "{\"items\":[null,7,{},{\"metadata\":{\"name\":\"a\"}},{"
	                                  "\"metadata\":{\"namespace\":\"n\"}}]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct pods p = decode(all[i]);

		assert_int_equal(p.count, 0);
		pods_fini(&p);
	}
}

static void test_a_pod_of_the_propagator_has_its_usual_port(void **state)
{
	struct json_object *root = json_tokener_parse(
		"{\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}}]}");
	struct pods p = {0};

	(void)state;
	pods_decode(PODS_OF_PROPAGATOR, root, &p);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.list[0].port, 8054);
	json_object_put(root);
	pods_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pod_has_the_port_that_is_named_http),
		cmocka_unit_test(test_a_pod_of_the_propagator_has_its_usual_port),
		cmocka_unit_test(test_pods_that_have_ended_or_are_about_to_are_none),
		cmocka_unit_test(test_a_foreign_shape_is_no_pod),
	};

	return cmocka_run_group_tests_name("ctl/pods", tests, NULL, NULL);
}
