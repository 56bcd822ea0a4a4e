/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dig.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <string.h>

static struct json_object *down(struct json_object *object, va_list path)
{
	const char *member;

	while (object && (member = va_arg(path, const char *)) != NULL)
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, member, &object))
			return NULL;
	return object;
}

static const char *text_of(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

struct json_object *dig(struct json_object *object, ...)
{
	va_list path;

	va_start(path, object);
	object = down(object, path);
	va_end(path);
	return object;
}

const char *dig_text(struct json_object *object, ...)
{
	va_list path;

	va_start(path, object);
	object = down(object, path);
	va_end(path);
	return text_of(object);
}

bool dig_is_true(struct json_object *object, ...)
{
	va_list path;

	va_start(path, object);
	object = down(object, path);
	va_end(path);
	return json_object_is_type(object, json_type_boolean) && json_object_get_boolean(object);
}

int64_t dig_int(struct json_object *object, int64_t absent, ...)
{
	va_list path;

	va_start(path, absent);
	object = down(object, path);
	va_end(path);
	return json_object_is_type(object, json_type_int) ? json_object_get_int64(object) : absent;
}

size_t dig_count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct json_object *dig_item(struct json_object *list, size_t i)
{
	return i < dig_count(list) ? json_object_array_get_idx(list, i) : NULL;
}

struct json_object *dig_condition(struct json_object *object, const char *type)
{
	struct json_object *list = dig(object, "status", "conditions", NULL);

	for (size_t i = 0; i < dig_count(list); i++) {
		struct json_object *condition = dig_item(list, i);

		if (strcmp(dig_text(condition, "type", NULL), type) == 0)
			return condition;
	}
	return NULL;
}

const char *dig_condition_status(struct json_object *object, const char *type)
{
	return dig_text(dig_condition(object, type), "status", NULL);
}
