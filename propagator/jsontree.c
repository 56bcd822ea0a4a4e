/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/jsontree.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/check.h"

static struct json_object *member_of(struct json_object *value, const char *key)
{
	struct json_object *found = NULL;

	if (!json_object_is_type(value, json_type_object))
		return NULL;
	json_object_object_get_ex(value, key, &found);
	return found;
}

static struct json_object *walk(struct json_object *value, va_list path)
{
	for (const char *key; value && (key = va_arg(path, const char *)) != NULL;)
		value = member_of(value, key);
	return value;
}

struct json_object *jsontree_get(struct json_object *value, ...)
{
	va_list path;

	va_start(path, value);
	value = walk(value, path);
	va_end(path);
	return value;
}

const char *jsontree_text(struct json_object *value, ...)
{
	va_list path;

	va_start(path, value);
	value = walk(value, path);
	va_end(path);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

const char *jsontree_word(struct json_object *value, ...)
{
	va_list path;

	va_start(path, value);
	value = walk(value, path);
	va_end(path);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

int64_t jsontree_int(struct json_object *value, int64_t absent, ...)
{
	va_list path;

	va_start(path, absent);
	value = walk(value, path);
	va_end(path);
	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : absent;
}

bool jsontree_is_true(struct json_object *value, ...)
{
	va_list path;

	va_start(path, value);
	value = walk(value, path);
	va_end(path);
	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

size_t jsontree_count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct json_object *jsontree_item(struct json_object *list, size_t i)
{
	return i < jsontree_count(list) ? json_object_array_get_idx(list, i) : NULL;
}

struct json_object *jsontree_copy(struct json_object *value)
{
	struct json_object *copy = NULL;

	if (value)
		CHECK(json_object_deep_copy(value, &copy, NULL) == 0);
	return copy;
}

void jsontree_set(struct json_object *object, struct json_object *take_value, ...)
{
	va_list path;
	const char *key, *next;

	va_start(path, take_value);
	key = va_arg(path, const char *);
	while ((next = va_arg(path, const char *)) != NULL) {
		struct json_object *inner = member_of(object, key);

		if (!json_object_is_type(inner, json_type_object)) {
			inner = json_object_new_object();
			CHECK(json_object_object_add(object, key, inner) == 0);
		}
		object = inner;
		key = next;
	}
	va_end(path);
	CHECK(json_object_object_add(object, key, take_value) == 0);
}

int jsontree_depth(struct json_object *value)
{
	int inside = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			int depth = jsontree_depth(member);

			(void)key;
			inside = depth > inside ? depth : inside;
		}
		return inside + 1;
	}
	if (!json_object_is_type(value, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		int depth = jsontree_depth(json_object_array_get_idx(value, i));

		inside = depth > inside ? depth : inside;
	}
	return inside + 1;
}

static bool is_exact_number(struct json_object *value)
{
	return json_object_get_uint64(value) != UINT64_MAX &&
	       json_object_get_int64(value) != INT64_MIN;
}

bool jsontree_is_exact(struct json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (!jsontree_is_exact(member))
				return false;
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!jsontree_is_exact(json_object_array_get_idx(value, i)))
				return false;
	}
	return !json_object_is_type(value, json_type_int) || is_exact_number(value);
}

const char *jsontree_kind(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "true or false";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_string:
		return "a text";
	case json_type_array:
		return "a list";
	case json_type_object:
		return "an object";
	}
	return "nothing";
}
