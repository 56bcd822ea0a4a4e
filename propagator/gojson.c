/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/gojson.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { DIGITS_MOST = 17, EXPONENT_LEAST = -6, EXPONENT_MOST = 21 };

/* --- numbers --- */

/* The fewest digits that are read back as the same number, without a point; where the point belongs is 10 to the
 * power of what is returned, behind the first. */
static int shortest(double value, char digits[DIGITS_MOST + 1])
{
	char text[40];
	size_t at = 0;
	const char *c;

	for (int more = 0; more < DIGITS_MOST; more++) {
		snprintf(text, sizeof(text), "%.*e", more, value);
		if (strtod(text, NULL) == value)
			break;
	}
	for (c = text; *c != 'e'; c++)
		if (*c != '.' && at < DIGITS_MOST)
			digits[at++] = *c;
	digits[at] = '\0';
	return atoi(c + 1);
}

/* As Go's encoding/json writes a float64: with an exponent only where it is far from 1. */
static void print_double(double value, struct text *out)
{
	char digits[DIGITS_MOST + 1] = "";
	int exponent, count;

	if (!isfinite(value)) {
		text_add(out, "null");
		return;
	}
	if (signbit(value))
		text_add(out, "-");
	exponent = shortest(fabs(value), digits);
	count = (int)strlen(digits);
	if (exponent < EXPONENT_LEAST || exponent >= EXPONENT_MOST) {
		text_printf(out, "%c%s%se%c%d", digits[0], count > 1 ? "." : "", digits + 1,
		            exponent < 0 ? '-' : '+', abs(exponent));
	} else if (exponent < 0) {
		text_printf(out, "0.%.*s%s", -exponent - 1, "00000", digits);
	} else {
		for (int i = 0; i <= exponent || i < count; i++)
			text_printf(out, "%s%c", i == exponent + 1 ? "." : "",
			            i < count ? digits[i] : '0');
	}
}

static void print_int(struct json_object *value, bool untyped, struct text *out)
{
	int64_t number = json_object_get_int64(value);

	/* Go has no place for more than an int64 but a double. */
	if (number == INT64_MAX && json_object_get_uint64(value) > INT64_MAX)
		print_double((double)json_object_get_uint64(value), out);
	else if (untyped)
		print_double((double)number, out);
	else
		text_printf(out, "%lld", (long long)number);
}

/* --- text --- */

/* What Go escapes of a character that is no plain one; false: it stands for itself. */
static bool print_escaped(uint32_t c, struct text *out)
{
	switch (c) {
	case '"':
	case '\\':
		text_printf(out, "\\%c", (char)c);
		return true;
	case '\n':
		text_add(out, "\\n");
		return true;
	case '\r':
		text_add(out, "\\r");
		return true;
	case '\t':
		text_add(out, "\\t");
		return true;
	default:
		if (c >= 0x20 && c != '<' && c != '>' && c != '&' && c != 0x2028 && c != 0x2029)
			return false;
		text_printf(out, "\\u%04x", (unsigned)c);
		return true;
	}
}

static void print_text(struct bytes s, struct text *out)
{
	text_add(out, "\"");
	while (s.len > 0) {
		uint32_t c = 0;
		size_t len = text_utf8(s, &c);

		if (len == 0) {
			text_add(out, "\\ufffd");
			len = 1;
		} else if (!print_escaped(c, out)) {
			text_add_bytes(out, (struct bytes){s.data, len});
		}
		s.data += len;
		s.len -= len;
	}
	text_add(out, "\"");
}

/* --- containers --- */

static void print(struct json_object *value, bool untyped, struct text *out);

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(struct json_object *object, bool untyped, struct text *out)
{
	size_t count = (size_t)json_object_object_length(object), at = 0;
	const char **keys = xcalloc(count, sizeof(*keys));

	json_object_object_foreach(object, name, ignored)
	{
		(void)ignored;
		keys[at++] = name;
	}
	qsort(keys, count, sizeof(*keys), by_key);
	text_add(out, "{");
	for (size_t i = 0; i < count; i++) {
		struct json_object *member = NULL;

		text_add(out, i > 0 ? "," : "");
		print_text(bytes_of(keys[i]), out);
		text_add(out, ":");
		json_object_object_get_ex(object, keys[i], &member);
		print(member, untyped, out);
	}
	text_add(out, "}");
	free(keys);
}

static void print_array(struct json_object *array, bool untyped, struct text *out)
{
	text_add(out, "[");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		text_add(out, i > 0 ? "," : "");
		print(json_object_array_get_idx(array, i), untyped, out);
	}
	text_add(out, "]");
}

static void print(struct json_object *value, bool untyped, struct text *out)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		text_add(out, "null");
		break;
	case json_type_boolean:
		text_add(out, json_object_get_boolean(value) ? "true" : "false");
		break;
	case json_type_double:
		print_double(json_object_get_double(value), out);
		break;
	case json_type_int:
		print_int(value, untyped, out);
		break;
	case json_type_string:
		print_text((struct bytes){(const uint8_t *)json_object_get_string(value),
		                          (size_t)json_object_get_string_len(value)},
		           out);
		break;
	case json_type_array:
		print_array(value, untyped, out);
		break;
	case json_type_object:
		print_object(value, untyped, out);
		break;
	}
}

void gojson_print(struct json_object *value, struct text *out) { print(value, false, out); }

void gojson_print_untyped(struct json_object *value, struct text *out) { print(value, true, out); }
