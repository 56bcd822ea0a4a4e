/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/conf_value.h"
#include "base/xalloc.h"
#include "base/yaml.h"

enum { FILE_MOST = 16 << 20 };

struct conf_file {
	const char *name;
	const struct conf_row *rows;
	size_t row_count;
	void *settings;
	struct text *errors; /* NULL: an error is a mistake in the rows */
	unsigned documents;
	bool failed;
	char path[128]; /* of the value being read, for messages */
};

static void complain_at(struct conf_file *file, unsigned line, const char *fmt, va_list ap)
{
	struct reason said;

	vsnprintf(said.text, sizeof(said.text), fmt, ap);
	CHECK(file->errors != NULL);
	file->failed = true;
	text_printf(file->errors, "%s:%u: %s\n", file->name, line ? line : 1, said.text);
}

bool conf_strings_equal(const struct conf_strings *a, const struct conf_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return true;
}

void conf_strings_fini(struct conf_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->item[i]);
	free(strings->item);
	*strings = (struct conf_strings){NULL, 0};
}

void conf_complain(struct conf_file *file, struct json_object *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_at(file, yaml_line(value), fmt, ap);
	va_end(ap);
}

static void PRINTF_LIKE(3, 4)
	complain_line(struct conf_file *file, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain_at(file, line, fmt, ap);
	va_end(ap);
}

char *conf_relative(const struct conf_file *file, const char *path)
{
	const char *slash = file->name ? strrchr(file->name, '/') : NULL;
	struct text out = {0};

	if (path[0] != '/' && slash)
		text_add_bytes(&out, (struct bytes){(const uint8_t *)file->name,
		                                    (size_t)(slash - file->name) + 1});
	text_add(&out, path);
	return text_take(&out);
}

/* --- one value --- */

static void read_number(struct conf_file *file, const struct conf_row *row,
                        struct json_object *value, uint64_t *out)
{
	bool is_duration = row->type == CONF_DURATION;
	bool bounded = row->min || row->max;
	char low[CONF_VALUE_TEXT_SIZE], high[CONF_VALUE_TEXT_SIZE];
	uint64_t v = 0;
	bool good;

	if (is_duration)
		good = text_to_duration_ms(bytes_of(json_object_get_string(value)), &v);
	else
		good = json_object_is_type(value, json_type_int) &&
		       text_to_u64(bytes_of(json_object_get_string(value)), UINT64_MAX, &v);
	if (!good)
		conf_complain(file, value,
		              is_duration ? "%s must be a duration like 500ms, 10s, 5m, 2h or 0"
		                          : "%s must be a whole number",
		              file->path);
	else if (bounded && (v < row->min || v > row->max))
		conf_complain(file, value, "%s must be %s to %s", file->path,
		              conf_value_print_u64(is_duration, row->min, low),
		              conf_value_print_u64(is_duration, row->max, high));
	else
		*out = v;
}

static void read_enum(struct conf_file *file, const struct conf_row *row, struct json_object *value,
                      int *out)
{
	int index = conf_value_find_word(row->words, bytes_of(json_object_get_string(value)));

	if (index < 0)
		conf_complain(file, value, "%s must be one of %s", file->path, row->words);
	else
		*out = index;
}

/* A text that is not empty, without NULs inside, or NULL and a complaint about `what`. */
static const char *get_text(struct conf_file *file, struct json_object *value, const char *what)
{
	const char *text = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string)) {
		conf_complain(file, value, "%s must be %s text", file->path, what);
		return NULL;
	}
	if (strlen(text) != (size_t)json_object_get_string_len(value)) {
		conf_complain(file, value, "%s holds a NUL", file->path);
		return NULL;
	}
	/* It says nothing that could be meant; as a path it would be the file's folder. */
	if (*text == '\0') {
		conf_complain(file, value, "%s must not be empty", file->path);
		return NULL;
	}
	return text;
}

static bool is_network(struct conf_file *file, struct json_object *value, const char *text)
{
	struct addr_network network;
	struct reason why;

	if (addr_network_parse(bytes_of(text), &network, &why) == ERR_OK)
		return true;
	conf_complain(file, value, "%s: %s", file->path, why.text);
	return false;
}

static void read_string(struct conf_file *file, const struct conf_row *row,
                        struct json_object *value, char **out)
{
	const char *text = get_text(file, value, "a");

	if (!text)
		return;
	free(*out);
	*out = row->type == CONF_PATH ? conf_relative(file, text) : xstrdup(text);
}

static void read_strings(struct conf_file *file, const struct conf_row *row,
                         struct json_object *value, struct conf_strings *out)
{
	size_t count;

	if (!json_object_is_type(value, json_type_array)) {
		conf_complain(file, value, "%s must be a list of texts", file->path);
		return;
	}
	conf_strings_fini(out);
	count = json_object_array_length(value);
	out->item = xcalloc(count, sizeof(*out->item));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = get_text(file, item ? item : value, "a list of");

		if (!text || (row->type == CONF_NETWORKS && !is_network(file, item, text)))
			continue;
		out->item[out->count++] =
			row->type == CONF_PATHS ? conf_relative(file, text) : xstrdup(text);
	}
}

static void read_value(struct conf_file *file, const struct conf_row *row,
                       struct json_object *value)
{
	void *field = (char *)file->settings + row->offset;

	if (!value)
		return; /* "key:" alone says nothing */
	snprintf(file->path, sizeof(file->path), "%s", row->path);
	switch (row->type) {
	case CONF_STRING:
	case CONF_PATH:
		read_string(file, row, value, field);
		break;
	case CONF_BOOL:
		if (json_object_is_type(value, json_type_boolean))
			*(bool *)field = json_object_get_boolean(value);
		else
			conf_complain(file, value, "%s must be true or false", file->path);
		break;
	case CONF_U64:
	case CONF_DURATION:
		read_number(file, row, value, field);
		break;
	case CONF_ENUM:
		read_enum(file, row, value, field);
		break;
	case CONF_STRINGS:
	case CONF_NETWORKS:
	case CONF_PATHS:
		read_strings(file, row, value, field);
		break;
	case CONF_CUSTOM:
		row->custom(file, value, field);
		break;
	}
	if (row->line_offset != 0)
		*(unsigned *)(void *)((char *)file->settings + row->line_offset) = yaml_line(value);
}

/* --- the tree --- */

static const struct conf_row *find_row(const struct conf_file *file, const char *path)
{
	for (size_t i = 0; i < file->row_count; i++)
		if (strcmp(file->rows[i].path, path) == 0)
			return &file->rows[i];
	return NULL;
}

static bool is_section(const struct conf_file *file, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < file->row_count; i++)
		if (strncmp(file->rows[i].path, name, len) == 0 && file->rows[i].path[len] == '.')
			return true;
	return false;
}

static void read_mapping(struct conf_file *file, struct json_object *mapping, const char *section);

static void read_key(struct conf_file *file, struct json_object *mapping, const char *section,
                     const char *key, struct json_object *value)
{
	struct text path = {0};
	const struct conf_row *row;

	text_printf(&path, "%s%s%s", section, *section ? "." : "", key);
	/* A dot in a key is no way into a section. */
	row = strchr(key, '.') ? NULL : find_row(file, path.data);
	if (row)
		read_value(file, row, value);
	else if (*section || strchr(key, '.') || !is_section(file, key))
		complain_line(file, yaml_key_line(mapping, key), "unknown key '%.100s'", path.data);
	else if (value && !json_object_is_type(value, json_type_object))
		conf_complain(file, value, "%s must be a mapping", key);
	else if (value)
		read_mapping(file, value, key);
	text_fini(&path);
}

static void read_mapping(struct conf_file *file, struct json_object *mapping, const char *section)
{
	struct json_object_iterator at = json_object_iter_begin(mapping);
	struct json_object_iterator end = json_object_iter_end(mapping);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		read_key(file, mapping, section, json_object_iter_peek_name(&at),
		         json_object_iter_peek_value(&at));
}

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	struct conf_file *file = arg;

	if (file->documents++)
		complain_line(file, line, "only one document is allowed");
	else if (!json_object_is_type(root, json_type_object))
		complain_line(file, line, "the settings must be a mapping");
	else
		read_mapping(file, root, "");
	json_object_put(root);
}

struct preset {
	struct conf_file *file;
	const struct conf_row *row;
};

static void on_preset(struct json_object *root, unsigned line, void *arg)
{
	struct preset *p = arg;

	(void)line;
	read_value(p->file, p->row, root);
	json_object_put(root);
}

void conf_defaults(const struct conf_row *rows, size_t count, void *settings)
{
	struct conf_file file = {.rows = rows, .row_count = count, .settings = settings};

	for (size_t i = 0; i < count; i++) {
		struct preset p = {&file, &rows[i]};

		if (rows[i].preset)
			CHECK(yaml_read(bytes_of(rows[i].preset), on_preset, &p, NULL) == ERR_OK);
	}
}

enum err conf_read_text(const struct conf_row *rows, size_t count, const char *name,
                        struct bytes yaml, void *settings, struct text *errors)
{
	struct conf_file file = {.name = name,
	                         .rows = rows,
	                         .row_count = count,
	                         .settings = settings,
	                         .errors = errors};
	struct reason why;
	enum err err = yaml_read(yaml, on_document, &file, &why);

	if (err)
		text_printf(errors, "%s:%s\n", name, why.text); /* "LINE: ..." */
	return err ? err : file.failed ? ERR_PARSE : ERR_OK;
}

static enum err read_all(const char *name, struct buffer *out, struct reason *why)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got;

	if (fd < 0)
		return reason_set(why, ERR_IO, "cannot open: %s", strerror(errno));
	do {
		got = read(fd, buffer_extend(out, 65536), 65536);
		out->len -= 65536 - (got > 0 ? (size_t)got : 0);
	} while ((got > 0 && out->len <= FILE_MOST) || (got < 0 && errno == EINTR));
	if (got < 0)
		reason_set(why, ERR_IO, "cannot read: %s", strerror(errno));
	else if (got > 0)
		reason_set(why, ERR_IO, "larger than %d bytes", FILE_MOST);
	close(fd);
	return got == 0 ? ERR_OK : ERR_IO;
}

enum err conf_read(const struct conf_row *rows, size_t count, const char *file, void *settings,
                   struct text *errors)
{
	struct buffer yaml = {0};
	struct reason why;
	enum err err = read_all(file, &yaml, &why);

	if (err)
		text_printf(errors, "%s: %s\n", file, why.text);
	else
		err = conf_read_text(rows, count, file, (struct bytes){yaml.data, yaml.len},
		                     settings, errors);
	buffer_fini(&yaml);
	return err;
}
