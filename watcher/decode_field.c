/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/decode_field.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct field field_root(struct field_reading *r, struct json_object *object)
{
	return (struct field){.reading = r, .value = object};
}

enum { SHOWN_MOST = 64 }; /* bytes of a stranger's text in an error */

void field_prefix(const struct field *f, struct reason *why)
{
	char key[SHOWN_MOST + 1];

	reason_prefix(why, ": ");
	for (; f->outer; f = f->outer) {
		if (!f->key)
			reason_prefix(why, "[%zu]", f->index);
		else if (strpbrk(f->key, "./"))
			reason_prefix(why, "[%s]", text_shown(bytes_of(f->key), key, sizeof(key)));
		else
			reason_prefix(why, "%s%s", f->outer->outer ? "." : "",
			              text_shown(bytes_of(f->key), key, sizeof(key)));
	}
}

void field_fail(const struct field *f, enum err err, const char *fmt, ...)
{
	struct reason *why = f->reading->why;
	va_list args;

	if (f->reading->err)
		return;
	f->reading->err = err;
	va_start(args, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	field_prefix(f, why);
}

/* Whether there is a value to look at; one of another type is an error. */
static bool is_there(const struct field *f, enum json_type type, const char *type_text)
{
	if (!f->value || f->reading->err)
		return false;
	if (json_object_is_type(f->value, type))
		return true;
	field_fail(f, ERR_PARSE, "is not %s", type_text);
	return false;
}

struct field field_get(const struct field *outer, const char *key)
{
	struct field f = {.reading = outer->reading, .outer = outer, .key = key};

	if (is_there(outer, json_type_object, "a mapping"))
		(void)json_object_object_get_ex(outer->value, key, &f.value);
	return f;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **field_keys(const struct field *f, size_t *count)
{
	const char **keys = NULL;
	size_t most;

	*count = 0;
	if (!is_there(f, json_type_object, "a mapping"))
		return NULL;
	most = (size_t)json_object_object_length(f->value);
	if (most > FIELD_ITEMS_MOST) {
		field_fail(f, ERR_RANGE, "has %zu keys, over %d", most, FIELD_ITEMS_MOST);
		return NULL;
	}
	keys = arena_alloc(f->reading->arena, most * sizeof(const char *));
	json_object_object_foreach(f->value, key, value)
	{
		(void)value;
		keys[(*count)++] = key;
	}
	if (*count > 1)
		qsort(keys, *count, sizeof(const char *), compare_keys);
	return keys;
}

size_t field_word_number(const char *const *words, struct bytes text)
{
	size_t i = 0;

	while (words[i] && !bytes_equal_text(text, words[i]))
		i++;
	return i;
}

void field_only(const struct field *f, const char *const *known)
{
	size_t count;
	const char **keys = field_keys(f, &count);

	for (size_t i = 0; i < count; i++) {
		struct field unknown = {.reading = f->reading, .outer = f, .key = keys[i]};

		if (!known[field_word_number(known, bytes_of(keys[i]))])
			field_fail(&unknown, ERR_PARSE, "there is no such field");
	}
}

size_t field_count(const struct field *f)
{
	size_t count;

	if (!is_there(f, json_type_array, "a list"))
		return 0;
	count = json_object_array_length(f->value);
	if (count <= FIELD_ITEMS_MOST)
		return count;
	field_fail(f, ERR_RANGE, "has %zu items, over %d", count, FIELD_ITEMS_MOST);
	return 0;
}

struct field field_item(const struct field *f, size_t i)
{
	struct field item = {.reading = f->reading, .outer = f, .index = i};

	if (f->reading->err)
		return item;
	item.value = json_object_array_get_idx(f->value, i);
	if (!item.value)
		field_fail(&item, ERR_PARSE, "is null");
	return item;
}

struct bytes field_text(const struct field *f)
{
	size_t len;

	if (!f->value || f->reading->err)
		return (struct bytes){0};
	if (!json_object_is_type(f->value, json_type_string)) {
		bool scalar = !json_object_is_type(f->value, json_type_object) &&
		              !json_object_is_type(f->value, json_type_array);

		field_fail(f, ERR_PARSE, "is not a text%s",
		           scalar ? " (quotation marks missing?)" : "");
		return (struct bytes){0};
	}
	len = (size_t)json_object_get_string_len(f->value);
	if (len > FIELD_TEXT_MOST) {
		field_fail(f, ERR_RANGE, "has %zu bytes, over %d", len, FIELD_TEXT_MOST);
		return (struct bytes){0};
	}
	return (struct bytes){(const uint8_t *)json_object_get_string(f->value), len};
}

struct bytes field_required(const struct field *f)
{
	struct bytes text = field_text(f);

	if (text.len == 0)
		field_fail(f, ERR_PARSE, f->value ? "is empty" : "is missing");
	return text;
}

/* The number as an int64_t; false when it is none, not whole or does not fit. */
static bool whole_number(struct json_object *value, int64_t *out)
{
	double d;

	if (json_object_is_type(value, json_type_int)) {
		*out = json_object_get_int64(value); /* clamped, which no range of ours holds */
		return *out != INT64_MAX && *out != INT64_MIN;
	}
	if (!json_object_is_type(value, json_type_double))
		return false;
	d = json_object_get_double(value);
	if (!(fabs(d) < 9.2e18) || d != trunc(d))
		return false;
	*out = (int64_t)d;
	return true;
}

int64_t field_int(const struct field *f, int64_t min, int64_t max, int64_t absent, const char *what)
{
	int64_t i;

	if (!f->value || f->reading->err)
		return absent;
	if (whole_number(f->value, &i) && i >= min && i <= max)
		return i;
	if (json_object_is_type(f->value, json_type_int) ||
	    json_object_is_type(f->value, json_type_double))
		field_fail(f, ERR_RANGE, "%.40s is not %s", json_object_get_string(f->value), what);
	else
		field_fail(f, ERR_PARSE, "is not %s", what);
	return absent;
}

bool field_bool(const struct field *f, bool absent)
{
	if (!is_there(f, json_type_boolean, "true or false"))
		return absent;
	return json_object_get_boolean(f->value);
}

uint64_t field_duration(const struct field *f, uint64_t min, uint64_t max, uint64_t absent,
                        const char *what)
{
	struct bytes text = field_text(f);
	char said[SHOWN_MOST + 1];
	uint64_t ms;

	if (!f->value || f->reading->err)
		return absent;
	if (text_to_duration_ms(text, &ms) && ms >= min && ms <= max)
		return ms;
	field_fail(f, ERR_RANGE, "'%s' is not %s", text_shown(text, said, sizeof(said)), what);
	return absent;
}

size_t field_word(const struct field *f, const char *const *words, size_t absent)
{
	size_t number = field_word_number(words, field_text(f));
	struct text all = {0};

	if (!f->value || f->reading->err)
		return absent;
	if (words[number])
		return number;
	for (size_t i = 0; words[i]; i++)
		text_printf(&all, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
	field_fail(f, ERR_PARSE, "is not %s", all.data);
	text_fini(&all);
	return absent;
}

struct bytes *field_texts(const struct field *f, size_t *count)
{
	size_t items = field_count(f);
	struct bytes *texts = arena_alloc(f->reading->arena, items * sizeof(*texts));

	*count = 0;
	for (size_t i = 0; i < items; i++) {
		struct field item = field_item(f, i);
		struct bytes text = field_text(&item);

		if (text.len > 0)
			texts[(*count)++] = text;
	}
	return texts;
}
