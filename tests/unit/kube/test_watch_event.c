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

#include "kube/watch_event.h"

#define SERVICE "{\"kind\":\"Service\",\"metadata\":{\"resourceVersion\":\"7\"}}"

/* The type of the event; its version is in `version`, when that is not NULL. */
static enum watch_event_type type_of(const char *json, bool metadata_only, char version[16])
{
	struct json_object *o = json_tokener_parse(json);
	struct watch_event e;

	watch_event_read(o, "Service", metadata_only, &e);
	if (version)
		snprintf(version, 16, "%.*s", (int)e.version.len, (const char *)e.version.data);
	json_object_put(o);
	return e.type;
}

static void test_each_type_is_told(void **state)
{
	char version[16];

	(void)state;
	assert_int_equal(type_of("{\"type\":\"ADDED\",\"object\":" SERVICE "}", false, version),
	                 WATCH_EVENT_ADDED);
	assert_string_equal(version, "7");
	assert_int_equal(type_of("{\"type\":\"MODIFIED\",\"object\":" SERVICE "}", false, NULL),
	                 WATCH_EVENT_MODIFIED);
	assert_int_equal(type_of("{\"type\":\"DELETED\",\"object\":" SERVICE "}", false, NULL),
	                 WATCH_EVENT_DELETED);
	assert_int_equal(type_of("{\"type\":\"BOOKMARK\",\"object\":" SERVICE "}", false, version),
	                 WATCH_EVENT_BOOKMARK);
	assert_string_equal(version, "7");
	assert_int_equal(
		type_of("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{"
	                "\"k8s.io/initial-events-end\":\"true\"},\"resourceVersion\":\"8\"}}}",
	                false, version),
		WATCH_EVENT_LISTED);
	assert_string_equal(version, "8");
}

static void test_nonsense_is_bad(void **state)
{
	static const char *const lines[] = {
		"{}",
		"{\"type\":\"ADDED\"}",
		"{\"type\":\"ADDED\",\"object\":null}",
		"{\"type\":\"ADDED\",\"object\":[]}",
		"{\"type\":\"added\",\"object\":" SERVICE "}",
		"{\"type\":7,\"object\":" SERVICE "}",
		"{\"object\":" SERVICE "}",
		"[]",
		"null",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(type_of(lines[i], false, NULL), WATCH_EVENT_BAD);
}

static void test_another_kind_is_strange_and_has_no_time(void **state)
{
	char version[16];

	(void)state;
	assert_int_equal(type_of("{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{"
	                         "\"resourceVersion\":\"7\"}}}",
	                         false, version),
	                 WATCH_EVENT_STRANGE);
	assert_string_equal(version, "");
	assert_int_equal(
		type_of("{\"type\":\"ADDED\",\"object\":{\"kind\":\"PartialObjectMetadata\"}}",
	                false, NULL),
		WATCH_EVENT_STRANGE);
	assert_int_equal(
		type_of("{\"type\":\"ADDED\",\"object\":{\"kind\":\"PartialObjectMetadata\"}}",
	                true, NULL),
		WATCH_EVENT_ADDED);
	assert_int_equal(type_of("{\"type\":\"ADDED\",\"object\":{}}", false, NULL),
	                 WATCH_EVENT_ADDED);
}

static void expect_error(const char *object, long code, uint64_t retry_after_ms)
{
	char line[256];
	struct json_object *o;
	struct watch_event e;

	snprintf(line, sizeof(line), "{\"type\":\"ERROR\"%s%s}", *object ? ",\"object\":" : "",
	         object);
	o = json_tokener_parse(line);
	watch_event_read(o, "Service", false, &e);
	assert_int_equal(e.type, WATCH_EVENT_ERROR);
	assert_int_equal(e.code, code);
	assert_int_equal(e.retry_after_ms, retry_after_ms);
	json_object_put(o);
}

static void test_an_error_has_a_code_and_may_say_how_long_to_wait(void **state)
{
	(void)state;
	expect_error("{\"kind\":\"Status\",\"code\":410}", 410, 0);
	expect_error("{\"code\":429,\"details\":{\"retryAfterSeconds\":3}}", 429, 3000);
	expect_error("{\"code\":429,\"details\":{\"retryAfterSeconds\":-3}}", 429, 0);
	expect_error("{\"code\":429,\"details\":[]}", 429, 0);
	expect_error("{\"code\":\"410\"}", 0, 0);
	expect_error("[]", 0, 0);
	expect_error("", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type_is_told),
		cmocka_unit_test(test_nonsense_is_bad),
		cmocka_unit_test(test_another_kind_is_strange_and_has_no_time),
		cmocka_unit_test(test_an_error_has_a_code_and_may_say_how_long_to_wait),
	};

	return cmocka_run_group_tests_name("kube/watch_event", tests, NULL, NULL);
}
