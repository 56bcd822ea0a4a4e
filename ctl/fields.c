/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/fields.h"

#include <json-c/json_object.h>
#include <string.h>
#include <strings.h>

struct json_object *fields_find(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text_of(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

const char *fields_text(struct json_object *object, const char *key)
{
	return text_of(fields_find(object, key));
}

uint64_t fields_u64(struct json_object *object, const char *key)
{
	return json_object_get_uint64(fields_find(object, key));
}

double fields_double(struct json_object *object, const char *key)
{
	struct json_object *value = fields_find(object, key);

	return json_object_is_type(value, json_type_double) ||
	                       json_object_is_type(value, json_type_int)
	               ? json_object_get_double(value)
	               : 0;
}

bool fields_bool(struct json_object *object, const char *key)
{
	struct json_object *value = fields_find(object, key);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

size_t fields_count(struct json_object *object, const char *key)
{
	struct json_object *list = fields_find(object, key);

	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct json_object *fields_item(struct json_object *object, const char *key, size_t i)
{
	if (i >= fields_count(object, key))
		return NULL;
	return json_object_array_get_idx(fields_find(object, key), i);
}

struct json_object *fields_named(struct json_object *object, const char *key, const char *name)
{
	size_t count = fields_count(object, key);

	for (size_t i = 0; i < count; i++)
		if (strcmp(fields_text(fields_item(object, key, i), "name"), name) == 0)
			return fields_item(object, key, i);
	return NULL;
}

bool fields_is_domain(struct json_object *object, const char *key, const char *name)
{
	const char *text = fields_text(object, key);
	size_t text_len = strlen(text), name_len = strlen(name);

	text_len -= text_len > 1 && text[text_len - 1] == '.';
	name_len -= name_len > 1 && name[name_len - 1] == '.';
	return text_len == name_len && strncasecmp(text, name, text_len) == 0;
}

void fields_join(struct json_object *object, const char *key, const char *between, struct text *out)
{
	size_t count = fields_count(object, key);

	for (size_t i = 0; i < count; i++) {
		if (i)
			text_add(out, between);
		text_add(out, text_of(fields_item(object, key, i)));
	}
}

void fields_place(struct json_object *object, const char *key, struct text *out)
{
	struct json_object *place = fields_find(object, key);
	struct json_object *latitude = fields_find(place, "latitude");
	struct json_object *longitude = fields_find(place, "longitude");

	if (latitude && longitude)
		text_printf(out, "%.10g,%.10g", json_object_get_double(latitude),
		            json_object_get_double(longitude));
	else
		text_add(out, text_of(place));
}
