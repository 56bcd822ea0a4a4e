/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "base/yaml_scalar.h"
#include "base/yaml_text.h"

/* --- lines: the userdata of a value is its line (odd: 2 * line + 1) or, for a
 * mapping with keys whose line their value does not tell, a struct lines --- */

struct key_line {
	uint32_t hash; /* of the key, half of hash_fixed() */
	unsigned line;
};

struct lines {
	unsigned own;
	size_t count;
	struct key_line key[];
};

static uint32_t hash_key_text(const char *key) { return (uint32_t)hash_fixed(bytes_of(key)); }

static void set_line(struct json_object *value, unsigned line)
{
	if (value)
		json_object_set_userdata(value, (void *)((uintptr_t)line * 2 + 1), NULL);
}

static void free_lines(struct json_object *value, void *lines)
{
	(void)value;
	free(lines);
}

static void set_key_lines(struct json_object *mapping, const struct buffer *keys)
{
	size_t count = keys->len / sizeof(struct key_line);
	struct lines *lines;

	if (count == 0)
		return;
	lines = xmalloc(sizeof(*lines) + keys->len);
	lines->own = yaml_line(mapping);
	lines->count = count;
	memcpy(lines->key, keys->data, keys->len);
	json_object_set_userdata(mapping, lines, free_lines);
}

/* NULL for a value of another maker, also where that keeps userdata of its own. */
static const struct lines *lines_of(struct json_object *value)
{
	void *kept = value ? json_object_get_userdata(value) : NULL;

	if (!kept || (uintptr_t)kept & 1 || !json_object_is_type(value, json_type_object))
		return NULL;
	return kept;
}

unsigned yaml_line(struct json_object *value)
{
	uintptr_t kept = value ? (uintptr_t)json_object_get_userdata(value) : 0;
	const struct lines *lines = lines_of(value);

	if (lines)
		return lines->own;
	return kept & 1 ? (unsigned)(kept / 2) : 0;
}

unsigned yaml_key_line(struct json_object *mapping, const char *key)
{
	const struct lines *lines = lines_of(mapping);
	struct json_object *value;
	uint32_t hash = hash_key_text(key);

	if (!json_object_is_type(mapping, json_type_object) ||
	    !json_object_object_get_ex(mapping, key, &value))
		return 0;
	for (size_t i = 0; lines && i < lines->count; i++)
		if (lines->key[i].hash == hash)
			return lines->key[i].line;
	return value ? yaml_line(value) : yaml_line(mapping);
}

/* --- one stream being read --- */

struct anchor {
	char *name;
	struct json_object *value; /* borrowed from the document */
	bool complete;             /* its end has been seen */
};

/* A mapping or sequence whose end has not been seen. */
struct frame {
	struct json_object *value; /* belongs to the frame below, or is the root */
	bool is_mapping;
	char *key; /* the next value's; NULL: a key comes next */
	unsigned key_line;
	struct buffer key_lines; /* of struct key_line; kept for the next user */
	struct anchor *anchor;
};

struct reader {
	yaml_parser_t parser;
	struct frame frame[YAML_DEPTH_LIMIT];
	size_t depth;
	struct json_object *root;
	unsigned root_line;
	struct arena *arena; /* anchors */
	struct table *anchors;
	struct hash_key hash_key;
	size_t expanded;   /* bytes that aliases of this document gave */
	unsigned bad_line; /* where the text was cut, or 0 */
	struct reason *why;
};

static unsigned line_of(const yaml_event_t *event) { return (unsigned)event->start_mark.line + 1; }

#define FAIL(r, line, ...) (reason_set((r)->why, ERR_PARSE, __VA_ARGS__), fail_at(r, line))

static enum err fail_at(struct reader *r, unsigned line)
{
	reason_prefix(r->why, "%u: ", line);
	return ERR_PARSE;
}

static bool anchor_matches(const void *item, const void *key)
{
	return strcmp(((const struct anchor *)item)->name, key) == 0;
}

static uint64_t anchor_hash(const struct reader *r, const char *name)
{
	return hash_siphash(&r->hash_key, name, strlen(name));
}

/* A later anchor of the same name counts from there on. */
static struct anchor *put_anchor(struct reader *r, const yaml_char_t *text,
                                 struct json_object *value)
{
	const char *name = (const char *)text;
	struct anchor *a;

	if (!name)
		return NULL;
	if (!r->anchors)
		r->anchors = table_new();
	a = arena_calloc(r->arena, 1, sizeof(*a));
	a->name = arena_strdup(r->arena, name);
	a->value = value;
	(void)table_replace(r->anchors, anchor_hash(r, name), anchor_matches, name, a);
	return a;
}

/* Puts a value in its place; it belongs to the document from here on. */
static void attach(struct reader *r, struct json_object *value, unsigned line)
{
	struct frame *f;
	struct key_line where;

	if (r->depth == 0) {
		r->root = value;
		r->root_line = line;
		return;
	}
	f = &r->frame[r->depth - 1];
	if (!f->is_mapping) {
		CHECK(json_object_array_add(f->value, value) == 0);
		return;
	}
	if (!value || yaml_line(value) != f->key_line) {
		where = (struct key_line){hash_key_text(f->key), f->key_line};
		buffer_put(&f->key_lines, &where, sizeof(where));
	}
	CHECK(json_object_object_add_ex(f->value, f->key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW) ==
	      0);
	free(f->key);
	f->key = NULL;
}

static bool key_is_next(const struct reader *r)
{
	return r->depth > 0 && r->frame[r->depth - 1].is_mapping && !r->frame[r->depth - 1].key;
}

static enum err on_key(struct reader *r, const yaml_event_t *event)
{
	struct frame *f = &r->frame[r->depth - 1];
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (memchr(text, 0, len))
		return FAIL(r, line_of(event), "a key holds a NUL");
	if (json_object_object_get_ex(f->value, text, NULL))
		return FAIL(r, line_of(event), "key '%.100s' is there twice", text);
	f->key = xstrndup(text, len);
	f->key_line = line_of(event);
	return ERR_OK;
}

static struct json_object *make_scalar(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool resolve = (is_plain && event->data.scalar.plain_implicit) ||
	               (tag && (!strcmp(tag, YAML_INT_TAG) || !strcmp(tag, YAML_FLOAT_TAG) ||
	                        !strcmp(tag, YAML_BOOL_TAG) || !strcmp(tag, YAML_NULL_TAG)));
	struct yaml_scalar v = {.kind = YAML_SCALAR_TEXT};

	if (resolve)
		v = yaml_scalar_parse((struct bytes){event->data.scalar.value, len});
	switch (v.kind) {
	case YAML_SCALAR_NULL:
		return NULL;
	case YAML_SCALAR_BOOL:
		return json_object_new_boolean(v.as.truth);
	case YAML_SCALAR_INT:
		return json_object_new_int64(v.as.i);
	case YAML_SCALAR_UINT:
		return json_object_new_uint64(v.as.u);
	case YAML_SCALAR_DOUBLE:
		return json_object_new_double(v.as.d);
	case YAML_SCALAR_TEXT:
		break;
	}
	CHECK(len < INT32_MAX);
	return json_object_new_string_len(text, (int)len);
}

static enum err on_scalar(struct reader *r, const yaml_event_t *event)
{
	struct json_object *value;
	struct anchor *anchor;

	if (key_is_next(r))
		return on_key(r, event);
	value = make_scalar(event);
	set_line(value, line_of(event));
	attach(r, value, line_of(event));
	anchor = put_anchor(r, event->data.scalar.anchor, value);
	if (anchor)
		anchor->complete = true;
	return ERR_OK;
}

static enum err on_open(struct reader *r, const yaml_event_t *event, bool is_mapping)
{
	struct json_object *value;
	struct frame *f;

	if (key_is_next(r))
		return FAIL(r, line_of(event), "a key must be a plain text");
	if (r->depth == YAML_DEPTH_LIMIT)
		return FAIL(r, line_of(event), "nested deeper than %d", YAML_DEPTH_LIMIT);
	value = is_mapping ? json_object_new_object() : json_object_new_array();
	CHECK(value != NULL);
	set_line(value, line_of(event));
	attach(r, value, line_of(event));
	f = &r->frame[r->depth++];
	f->value = value;
	f->is_mapping = is_mapping;
	f->anchor = put_anchor(r,
	                       is_mapping ? event->data.mapping_start.anchor
	                                  : event->data.sequence_start.anchor,
	                       value);
	return ERR_OK;
}

static enum err on_close(struct reader *r)
{
	struct frame *f = &r->frame[--r->depth];

	if (f->anchor)
		f->anchor->complete = true;
	if (f->is_mapping)
		set_key_lines(f->value, &f->key_lines);
	else
		json_object_array_shrink(f->value, 0);
	buffer_reset(&f->key_lines);
	return ERR_OK;
}

/* --- aliases: copied, so that nobody's change shows elsewhere, within limits --- */

static struct json_object *copy_scalar(struct json_object *value, size_t *cost)
{
	int64_t i;
	uint64_t u;

	*cost = 8;
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return json_object_new_boolean(json_object_get_boolean(value));
	case json_type_double:
		return json_object_new_double(json_object_get_double(value));
	case json_type_int:
		i = json_object_get_int64(value);
		u = json_object_get_uint64(value);
		return i >= 0 && u > INT64_MAX ? json_object_new_uint64(u)
		                               : json_object_new_int64(i);
	case json_type_string:
		*cost = (size_t)json_object_get_string_len(value) + 2;
		return json_object_new_string_len(json_object_get_string(value),
		                                  json_object_get_string_len(value));
	case json_type_null:
	case json_type_object:
	case json_type_array:
		break;
	}
	return NULL;
}

static bool copy_into(struct reader *r, struct json_object *from, size_t depth,
                      struct json_object **out);

static bool copy_members(struct reader *r, struct json_object *from, size_t depth,
                         struct json_object *to)
{
	struct json_object_iterator at = json_object_iter_begin(from);
	struct json_object_iterator end = json_object_iter_end(from);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *value = NULL;
		bool fits;

		r->expanded += strlen(key) + 3;
		fits = copy_into(r, json_object_iter_peek_value(&at), depth, &value);
		json_object_object_add_ex(to, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW);
		if (!fits)
			return false;
	}
	return true;
}

/* False beyond a limit; what was copied until then is in `out` all the same. */
static bool copy_into(struct reader *r, struct json_object *from, size_t depth,
                      struct json_object **out)
{
	bool is_mapping = json_object_is_type(from, json_type_object);
	size_t cost = 2;
	bool fits = true;

	if (!is_mapping && !json_object_is_type(from, json_type_array)) {
		*out = copy_scalar(from, &cost);
	} else if (depth >= YAML_DEPTH_LIMIT) {
		return false;
	} else if (is_mapping) {
		*out = json_object_new_object();
		fits = copy_members(r, from, depth + 1, *out);
	} else {
		size_t count = json_object_array_length(from);

		*out = json_object_new_array();
		for (size_t i = 0; fits && i < count; i++) {
			struct json_object *item = NULL;

			fits = copy_into(r, json_object_array_get_idx(from, i), depth + 1, &item);
			json_object_array_add(*out, item);
		}
	}
	set_line(*out, yaml_line(from));
	r->expanded += cost;
	return fits && r->expanded <= YAML_ALIAS_LIMIT;
}

static enum err on_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct anchor *a = NULL;
	struct json_object *copy = NULL;

	if (key_is_next(r))
		return FAIL(r, line_of(event), "a key must be a plain text");
	if (r->anchors)
		a = table_find(r->anchors, anchor_hash(r, name), anchor_matches, name);
	if (!a)
		return FAIL(r, line_of(event), "alias '%.100s' has no anchor before it", name);
	if (!a->complete)
		return FAIL(r, line_of(event), "alias '%.100s' stands inside its own value", name);
	if (!copy_into(r, a->value, r->depth, &copy)) {
		json_object_put(copy);
		return FAIL(r, line_of(event),
		            "aliases expand to more than %d bytes or nest too deep",
		            YAML_ALIAS_LIMIT);
	}
	attach(r, copy, line_of(event));
	return ERR_OK;
}

/* --- documents and streams --- */

static void forget_document(struct reader *r)
{
	for (; r->depth > 0; r->depth--) {
		struct frame *f = &r->frame[r->depth - 1];

		free(f->key);
		f->key = NULL;
		buffer_reset(&f->key_lines);
	}
	json_object_put(r->root);
	r->root = NULL;
	table_free(r->anchors);
	r->anchors = NULL;
	arena_reset(r->arena);
	r->expanded = 0;
}

static void give_document(struct reader *r, const yaml_event_t *end,
                          yaml_on_document_fn *on_document, void *arg)
{
	struct json_object *root = r->root;
	bool cut = r->bad_line && end->end_mark.line + 1 >= r->bad_line;

	if (root && !cut) {
		r->root = NULL;
		on_document(root, r->root_line, arg);
	}
	forget_document(r);
}

static enum err on_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, event);
	case YAML_MAPPING_START_EVENT:
		return on_open(r, event, true);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(r, event, false);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return on_close(r);
	case YAML_ALIAS_EVENT:
		return on_alias(r, event);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return ERR_OK;
}

/* libyaml's own words, and where it began to look when that is on another line. */
static enum err parser_failed(struct reader *r, struct bytes text)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = yaml_text_clamp_line(text, (unsigned)p->problem_mark.line + 1);
	unsigned began = yaml_text_clamp_line(text, (unsigned)p->context_mark.line + 1);

	if (yaml_text_tab_indents(text, line))
		return FAIL(r, line, "a tab cannot indent");
	if (p->context && began != line)
		return FAIL(r, line, "%s (%s in line %u)", p->problem, p->context, began);
	return FAIL(r, line, "%s", p->problem ? p->problem : "not well formed");
}

/* Until the end of the stream or the first error; *line is where that is. */
static enum err read_events(struct reader *r, struct bytes text, yaml_on_document_fn *on_document,
                            void *arg, unsigned *line)
{
	enum err err = ERR_OK;

	for (bool ended = false; !err && !ended;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&r->parser, &event)) {
			CHECK(r->parser.error != YAML_MEMORY_ERROR);
			*line = (unsigned)r->parser.problem_mark.line + 1;
			return parser_failed(r, text);
		}
		*line = line_of(&event);
		if (event.type == YAML_DOCUMENT_END_EVENT)
			give_document(r, &event, on_document, arg);
		else
			err = on_event(r, &event);
		ended = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return err;
}

static struct reader *reader_new(struct bytes text, struct reason *why)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	CHECK(yaml_parser_initialize(&r->parser));
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, text.len ? text.data : (const uint8_t *)"",
	                             text.len);
	r->arena = arena_new();
	random_bytes(&r->hash_key, sizeof(r->hash_key));
	r->why = why;
	return r;
}

static void reader_free(struct reader *r)
{
	forget_document(r);
	for (size_t i = 0; i < YAML_DEPTH_LIMIT; i++)
		buffer_fini(&r->frame[i].key_lines);
	arena_free(r->arena);
	yaml_parser_delete(&r->parser);
	free(r);
}

enum err yaml_read(struct bytes text, yaml_on_document_fn *on_document, void *arg,
                   struct reason *why)
{
	struct bytes good = yaml_text_start(text);
	unsigned bad_line, line = 0;
	const char *what = NULL;
	size_t bad_at = yaml_text_find_bad(good, &bad_line, &what);
	bool is_cut = bad_at < good.len;
	struct text joined = {0};
	struct reader *r;
	enum err err;

	good.len = bad_at;
	if (yaml_text_join_surrogates(good, &joined))
		good = bytes_of(joined.data);
	r = reader_new(good, why);
	r->bad_line = is_cut ? bad_line : 0;
	err = read_events(r, good, on_document, arg, &line);
	/* What is wrong where the text was cut is only the cut. */
	if (is_cut && (!err || line >= bad_line))
		err = FAIL(r, bad_line, "%s", what);
	reader_free(r);
	text_fini(&joined);
	return err;
}
