/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/conf_value.h"

static const void *field_of(const struct conf_row *row, const void *settings)
{
	return (const char *)settings + row->offset;
}

char *conf_value_print_u64(bool is_duration, uint64_t v, char out[CONF_VALUE_TEXT_SIZE])
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"h", 60 * 60 * 1000},
		{"m", 60 * 1000},
		{"s", 1000},
		{"ms", 1},
	};
	size_t i = 0;

	if (!is_duration || v == 0) {
		snprintf(out, CONF_VALUE_TEXT_SIZE, "%" PRIu64, v);
		return out;
	}
	while (v % units[i].ms)
		i++;
	snprintf(out, CONF_VALUE_TEXT_SIZE, "%" PRIu64 "%s", v / units[i].ms, units[i].unit);
	return out;
}

/* The word at *at, which moves behind it; none at the end. */
static struct bytes next_word(const char **at)
{
	struct bytes word = {(const uint8_t *)*at, strcspn(*at, "|")};

	*at += word.len;
	if (**at)
		++*at;
	return word;
}

int conf_value_find_word(const char *words, struct bytes word)
{
	for (int i = 0; *words; i++)
		if (bytes_equal(next_word(&words), word))
			return i;
	return -1;
}

static void print_word(const struct conf_row *row, int index, struct text *out)
{
	const char *at = row->words;

	CHECK(index >= 0);
	while (index-- > 0)
		(void)next_word(&at);
	text_add_bytes(out, next_word(&at));
}

/* The text means the same in any folder. */
void conf_print_path(const char *path, struct text *out)
{
	char *folder = path[0] != '/' ? getcwd(NULL, 0) : NULL;
	struct text whole = {0};

	if (folder)
		text_printf(&whole, "%s/", strcmp(folder, "/") == 0 ? "" : folder);
	text_add(&whole, path);
	text_add_json(out, bytes_of(whole.data));
	text_fini(&whole);
	free(folder);
}

static void print_string(const struct conf_row *row, const char *value, struct text *out)
{
	if (row->type == CONF_PATH || row->type == CONF_PATHS)
		conf_print_path(value, out);
	else
		text_add_json(out, bytes_of(value));
}

static void print_strings(const struct conf_row *row, const struct conf_strings *strings,
                          struct text *out)
{
	text_add(out, "[");
	for (size_t i = 0; i < strings->count; i++) {
		if (i)
			text_add(out, ", ");
		print_string(row, strings->item[i], out);
	}
	text_add(out, "]");
}

/* Nothing for what is absent. */
static void print_value(const struct conf_row *row, const void *settings, struct text *out)
{
	const void *field = field_of(row, settings);
	char number[CONF_VALUE_TEXT_SIZE];

	switch (row->type) {
	case CONF_STRING:
	case CONF_PATH:
		if (*(char *const *)field)
			print_string(row, *(char *const *)field, out);
		break;
	case CONF_BOOL:
		text_add(out, *(const bool *)field ? "true" : "false");
		break;
	case CONF_U64:
	case CONF_DURATION:
		text_add(out, conf_value_print_u64(row->type == CONF_DURATION,
		                                   *(const uint64_t *)field, number));
		break;
	case CONF_ENUM:
		print_word(row, *(const int *)field, out);
		break;
	case CONF_STRINGS:
	case CONF_NETWORKS:
	case CONF_PATHS:
		print_strings(row, field, out);
		break;
	case CONF_CUSTOM:
		if (row->print)
			row->print(field, out);
		break;
	}
}

/* The length of "probe" in "probe.interval", else 0. */
static size_t section_len(const char *path)
{
	const char *dot = strchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

static bool same_section(const struct conf_row *a, const struct conf_row *b)
{
	size_t len = section_len(a->path);

	return len && len == section_len(b->path) && memcmp(a->path, b->path, len) == 0;
}

/* The rows of one section, together wherever they stand in the table. */
static void print_section(const struct conf_row *rows, size_t count, size_t first,
                          const void *settings, struct text *out)
{
	size_t len = section_len(rows[first].path);
	bool begun = false;

	for (size_t i = first; i < count; i++) {
		struct text value = {0};

		if (!same_section(&rows[first], &rows[i]))
			continue;
		print_value(&rows[i], settings, &value);
		if (value.len && !begun)
			text_printf(out, "%.*s:\n", (int)len, rows[first].path);
		if (value.len)
			text_printf(out, "  %s: %s\n", rows[i].path + len + 1, value.data);
		begun = begun || value.len;
		text_fini(&value);
	}
}

void conf_print(const struct conf_row *rows, size_t count, const void *settings, struct text *out)
{
	for (size_t i = 0; i < count; i++) {
		struct text value = {0};
		bool printed = false;

		if (section_len(rows[i].path)) {
			for (size_t k = 0; k < i; k++)
				printed = printed || same_section(&rows[i], &rows[k]);
			if (!printed)
				print_section(rows, count, i, settings, out);
			continue;
		}
		print_value(&rows[i], settings, &value);
		if (value.len)
			text_printf(out, "%s: %s\n", rows[i].path, value.data);
		text_fini(&value);
	}
}

void conf_changed(const struct conf_row *rows, size_t count, const void *before, const void *after,
                  struct text *out)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct text a = {0}, b = {0};

		if (rows[i].reloadable)
			continue;
		print_value(&rows[i], before, &a);
		print_value(&rows[i], after, &b);
		if (!bytes_equal((struct bytes){(uint8_t *)a.data, a.len},
		                 (struct bytes){(uint8_t *)b.data, b.len})) {
			text_printf(out, "%s%s", any ? ", " : "", rows[i].path);
			any = true;
		}
		text_fini(&a);
		text_fini(&b);
	}
}

void conf_fini(const struct conf_row *rows, size_t count, void *settings)
{
	for (size_t i = 0; i < count; i++) {
		char *field = (char *)settings + rows[i].offset;

		switch (rows[i].type) {
		case CONF_STRING:
		case CONF_PATH:
			free(*(char **)(void *)field);
			*(char **)(void *)field = NULL;
			break;
		case CONF_STRINGS:
		case CONF_NETWORKS:
		case CONF_PATHS:
			conf_strings_fini((void *)field);
			break;
		case CONF_BOOL:
			*(bool *)(void *)field = false;
			break;
		case CONF_U64:
		case CONF_DURATION:
			*(uint64_t *)(void *)field = 0;
			break;
		case CONF_ENUM:
			*(int *)(void *)field = 0;
			break;
		case CONF_CUSTOM:
			break;
		}
	}
}

static const char *type_text(const struct conf_row *row)
{
	switch (row->type) {
	case CONF_STRING:
		return "text";
	case CONF_BOOL:
		return "true or false";
	case CONF_U64:
		return "number";
	case CONF_DURATION:
		return "duration";
	case CONF_ENUM:
		return row->words;
	case CONF_STRINGS:
		return "list of texts";
	case CONF_NETWORKS:
		return "list of networks";
	case CONF_PATH:
		return "path";
	case CONF_PATHS:
		return "list of paths";
	case CONF_CUSTOM:
		break;
	}
	return "";
}

/* Text for mdoc: a backslash, and a dot or quote that begins a line, are commands. */
static void add_roff(struct text *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		text_add(out, "\\&");
	for (; *s; s++) {
		if (*s == '\\')
			text_add(out, "\\e");
		else
			text_add_bytes(out, (struct bytes){(const uint8_t *)s, 1});
	}
}

/* ".It Ic probe.interval" takes words: what follows stands in a line of text. */
void conf_manual(const struct conf_row *rows, size_t count, struct text *out)
{
	char low[CONF_VALUE_TEXT_SIZE], high[CONF_VALUE_TEXT_SIZE];

	text_add(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < count; i++) {
		const struct conf_row *row = &rows[i];
		bool is_duration = row->type == CONF_DURATION;
		const char *type = type_text(row);

		text_printf(out, ".It Ic %s\n", row->path);
		add_roff(out, row->sentence);
		text_add(out, "\n");
		if (*type)
			text_printf(out, "Type: %s.\n", type);
		if (row->min || row->max)
			text_printf(out, "Range: %s to %s.\n",
			            conf_value_print_u64(is_duration, row->min, low),
			            conf_value_print_u64(is_duration, row->max, high));
		if (row->preset) {
			text_add(out, "Default: ");
			add_roff(out, row->preset);
			text_add(out, ".\n");
		}
		if (!row->reloadable)
			text_add(out, "A change needs a restart.\n");
	}
	text_add(out, ".El\n");
}
