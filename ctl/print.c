/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/print.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { INDENT = 2, GAP = 3, DEPTH_MOST = 64 };

bool print_format_parse(const char *text, enum print_format *out)
{
	static const char *const words[] = {"table", "wide", "json", "yaml"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0) {
			*out = (enum print_format)i;
			return true;
		}
	return false;
}

static void add_spaces(struct text *out, size_t count)
{
	while (count--)
		text_add(out, " ");
}

/* --- JSON --- */

void print_json(struct json_object *value, struct text *out)
{
	text_add(out, json_object_to_json_string_ext(
			      value, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					     JSON_C_TO_STRING_NOSLASHESCAPE));
	text_add(out, "\n");
}

/* --- YAML --- */

/* A plain scalar that no reader takes for a number, a truth, a date or the start of something. */
static bool is_plain(const char *s, size_t len)
{
	static const char *const words[] = {"true", "false", "null", "yes", "no",
	                                    "on",   "off",   "y",    "n"};

	if (!len || !isalpha((unsigned char)*s))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_./", s[i] ? s[i] : ' '))
			return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	return true;
}

static void add_text(struct text *out, const char *s, size_t len)
{
	struct bytes b = {(const uint8_t *)s, len};

	if (is_plain(s, len))
		text_add_bytes(out, b);
	else
		text_add_json(out, b);
}

static bool is_empty(struct json_object *value)
{
	if (json_object_is_type(value, json_type_object))
		return json_object_object_length(value) == 0;
	return json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0;
}

/* Goes on a line of its own below its key. */
static bool is_block(struct json_object *value)
{
	return (json_object_is_type(value, json_type_object) ||
	        json_object_is_type(value, json_type_array)) &&
	       !is_empty(value);
}

static void add_scalar(struct text *out, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		add_text(out, json_object_get_string(value),
		         (size_t)json_object_get_string_len(value));
	else
		text_add(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	text_add(out, "\n");
}

static void add_block(struct text *out, struct json_object *value, size_t indent, unsigned depth);

/* The first line of the block stands where the cursor is. */
static void add_mapping(struct text *out, struct json_object *value, size_t indent, unsigned depth)
{
	struct json_object_iterator at = json_object_iter_begin(value);
	struct json_object_iterator end = json_object_iter_end(value);
	bool first = true;

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *item = json_object_iter_peek_value(&at);
		bool is_list = json_object_is_type(item, json_type_array);

		if (!first)
			add_spaces(out, indent);
		first = false;
		add_text(out, key, strlen(key));
		text_add(out, ":");
		if (!is_block(item)) {
			text_add(out, " ");
			add_scalar(out, item);
			continue;
		}
		text_add(out, "\n");
		add_spaces(out, is_list ? indent : indent + INDENT);
		add_block(out, item, is_list ? indent : indent + INDENT, depth + 1);
	}
}

static void add_list(struct text *out, struct json_object *value, size_t indent, unsigned depth)
{
	size_t count = json_object_array_length(value);

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		if (i)
			add_spaces(out, indent);
		text_add(out, "- ");
		if (is_block(item))
			add_block(out, item, indent + INDENT, depth + 1);
		else
			add_scalar(out, item);
	}
}

static void add_block(struct text *out, struct json_object *value, size_t indent, unsigned depth)
{
	CHECK(depth < DEPTH_MOST); /* the JSON parser allows less */
	if (json_object_is_type(value, json_type_object))
		add_mapping(out, value, indent, depth);
	else
		add_list(out, value, indent, depth);
}

void print_yaml(struct json_object *value, struct text *out)
{
	if (is_block(value))
		add_block(out, value, 0, 0);
	else
		add_scalar(out, value);
}

/* --- text for a terminal --- */

/* C0, DEL, and C1 as UTF-8; what is not UTF-8 at all. */
void print_safe(const char *s, struct text *out)
{
	struct bytes left = bytes_of(s);

	while (left.len) {
		uint32_t character = 0;
		size_t len = text_utf8(left, &character);
		bool good = len && character >= 0x20 && !(character >= 0x7f && character < 0xa0);

		if (good)
			text_add_bytes(out, (struct bytes){left.data, len});
		else
			text_add(out, "?");
		left.data += len ? len : 1;
		left.len -= len ? len : 1;
	}
}

/* --- tables --- */

struct print_table {
	const char *const *heads;
	size_t columns;
	char **cell;
	size_t count;
	size_t room;
};

struct print_table *print_table_new(const char *const *heads, size_t columns)
{
	struct print_table *t = xcalloc(1, sizeof(*t));

	t->heads = heads;
	t->columns = columns;
	return t;
}

void print_cell(struct print_table *t, const char *text)
{
	struct text safe = {0};

	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->cell = xreallocarray(t->cell, t->room, sizeof(*t->cell));
	}
	print_safe(*text ? text : "-", &safe);
	t->cell[t->count++] = text_take(&safe);
}

/* In characters: bytes that do not continue one. */
static size_t width_of(const char *s)
{
	size_t width = 0;

	for (; *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct print_table *t, size_t column)
{
	size_t width = width_of(t->heads[column]);

	for (size_t i = column; i < t->count; i += t->columns)
		if (width_of(t->cell[i]) > width)
			width = width_of(t->cell[i]);
	return width;
}

static void add_row(struct text *out, const char *const *cells, const size_t *widths,
                    size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		text_add(out, cells[i]);
		if (i + 1 < columns)
			add_spaces(out, widths[i] - width_of(cells[i]) + GAP);
	}
	text_add(out, "\n");
}

void print_table_end(struct print_table *t, struct text *out)
{
	size_t *widths = xcalloc(t->columns, sizeof(*widths));

	CHECK(t->count % t->columns == 0);
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = column_width(t, i);
	if (t->count)
		add_row(out, t->heads, widths, t->columns);
	for (size_t i = 0; i < t->count; i += t->columns)
		add_row(out, (const char *const *)&t->cell[i], widths, t->columns);
	for (size_t i = 0; i < t->count; i++)
		free(t->cell[i]);
	free(t->cell);
	free(widths);
	free(t);
}
