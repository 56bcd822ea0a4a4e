/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/object.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The bytes of a text that it begins with that are ASCII, eight at a time. */
static size_t ascii_len(struct bytes s)
{
	size_t at = 0;

	for (; s.len - at >= 8; at += 8) {
		uint64_t eight;

		memcpy(&eight, s.data + at, 8);
		if (eight & 0x8080808080808080)
			break;
	}
	while (at < s.len && s.data[at] < 0x80)
		at++;
	return at;
}

/* json-c can see to it as well, byte by byte, at a sixth of the cost of parsing. */
static bool is_utf8(struct bytes s)
{
	for (size_t len = ascii_len(s); s.len > 0; len = ascii_len(s)) {
		s.data += len;
		s.len -= len;
		if (s.len == 0)
			break;
		len = text_utf8(s, NULL);
		if (len == 0)
			return false;
		s.data += len;
		s.len -= len;
	}
	return true;
}

/* Bytes that json-c takes at least for an object, a list, and what is in it. */
enum { OBJECT_TAKES = 760, LIST_TAKES = 150, ITEM_TAKES = 72, TREE_MOST = 384 << 20 };

/* The byte behind a string's closing quote; `p` is behind the opening one. */
static const uint8_t *end_of_string(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != '"')
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	return p < end ? p + 1 : end;
}

/* Of few bytes whoever sends them can make so large a tree that nothing else has room. */
static bool has_room(struct bytes json)
{
	const uint8_t *p = json.data, *end = json.data + json.len;
	size_t takes = 0;

	/* Nothing takes more than "{},". */
	if (json.len <= TREE_MOST / OBJECT_TAKES * 3)
		return true;
	while (p < end && takes <= TREE_MOST) {
		uint8_t c = *p++;

		if (c == '"')
			p = end_of_string(p, end);
		else
			takes += c == '{'   ? OBJECT_TAKES
			         : c == '[' ? LIST_TAKES
			         : c == ',' ? ITEM_TAKES
			                    : 0;
	}
	return takes <= TREE_MOST;
}

struct json_object *object_parse(struct json_tokener *tokener, struct bytes json)
{
	struct json_object *object;

	if (json.len == 0 || json.len > INT_MAX || !is_utf8(json) || !has_room(json))
		return NULL;
	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, (const char *)json.data, (int)json.len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct bytes object_text(struct json_object *object, ...)
{
	va_list path;
	const char *member;

	va_start(path, object);
	while ((member = va_arg(path, const char *)) != NULL && object)
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, member, &object))
			object = NULL;
	va_end(path);
	if (!json_object_is_type(object, json_type_string))
		return (struct bytes){0};
	return (struct bytes){(const uint8_t *)json_object_get_string(object),
	                      (size_t)json_object_get_string_len(object)};
}

long object_number(struct json_object *object, const char *member, long absent)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, member, &value) ||
	    !json_object_is_type(value, json_type_int))
		return absent;
	return (long)json_object_get_int64(value);
}

void object_complete(struct json_object *object, const char *kind, const char *api_version,
                     bool always)
{
	if (always || object_text(object, "kind", NULL).len == 0)
		json_object_object_add(object, "kind", json_object_new_string(kind));
	if (always || object_text(object, "apiVersion", NULL).len == 0)
		json_object_object_add(object, "apiVersion", json_object_new_string(api_version));
}

static bool is_decimal(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	return s.len > 0 && (s.data[0] != '0' || s.len == 1);
}

bool object_is_older(struct bytes a, struct bytes b)
{
	if (!is_decimal(a) || !is_decimal(b))
		return false;
	return a.len != b.len ? a.len < b.len : bytes_compare(a, b) < 0;
}

void object_read_version(struct bytes json, char *out, size_t room)
{
	char *text = text_copy(json);
	struct json_object *version = json_tokener_parse(text);
	struct bytes given = object_text(version, "gitVersion", NULL);
	size_t len = 0;

	for (size_t i = 0; i < given.len && len + 1 < room; i++)
		if (given.data[i] > ' ' && given.data[i] < 0x7f)
			out[len++] = (char)given.data[i];
	out[len] = '\0';
	json_object_put(version);
	free(text);
}
