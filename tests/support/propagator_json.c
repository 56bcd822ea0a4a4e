/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/json_util.h>

#include "tests/support/propagator_json.h"

static struct json_object *kept[4096];
static size_t count;

struct json_object *json_keep(struct json_object *value)
{
	assert_true(count < sizeof(kept) / sizeof(kept[0]));
	kept[count++] = value;
	return value;
}

int json_drop(void **state)
{
	(void)state;
	while (count > 0)
		json_object_put(kept[--count]);
	return 0;
}

struct json_object *json_of(const char *text)
{
	enum json_tokener_error error;
	struct json_object *value = json_tokener_parse_verbose(text, &error);

	if (error != json_tokener_success)
		fail_msg("no JSON: %s", text);
	return json_keep(value);
}

struct json_object *json_with(const char *format, ...)
{
	struct json_object *value;
	char *text;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	value = json_of(text);
	free(text);
	return value;
}

struct json_object *json_vectors(const char *file, const char *key)
{
	char path[256];
	struct json_object *all;

	snprintf(path, sizeof(path), "tests/vectors/kubefed/%s", file);
	all = json_keep(json_object_from_file(path));
	assert_non_null(json_member(all, key));
	return json_member(all, key);
}

struct json_object *json_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

const char *json_text(struct json_object *object, const char *key)
{
	struct json_object *value = json_member(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

void assert_json(struct json_object *have, struct json_object *want)
{
	if (!json_object_equal(have, want)) {
		print_error("have %s\nwant %s\n", json_object_to_json_string(have),
		            json_object_to_json_string(want));
		fail();
	}
}

void assert_json_text(struct json_object *have, const char *want)
{
	assert_json(have, json_of(want));
}
