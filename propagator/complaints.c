/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/complaints.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdbool.h>

enum { VALUE_SHOWN = 160 };

void complaints_fini(struct complaints *c) { text_fini(&c->text); }

/* "path: what", after those before it; false: there are too many. */
static bool begin(struct complaints *c, const char *path, const char *what)
{
	if (c->count++ >= COMPLAINTS_MOST)
		return false;
	text_printf(&c->text, "%s%s: %s", c->count > 1 ? ", " : "", path, what);
	return true;
}

/* In quotation marks when it is a text, cut when it is long. */
static void add_value(struct complaints *c, struct json_object *value)
{
	const char *json = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
	char buf[VALUE_SHOWN];

	text_add(&c->text, text_shown(bytes_of(json), buf, sizeof(buf)));
}

void complain_required(struct complaints *c, const char *path) { begin(c, path, "Required value"); }

void complain_invalid(struct complaints *c, const char *path, struct json_object *value,
                      const char *detail)
{
	if (!begin(c, path, "Invalid value: "))
		return;
	add_value(c, value);
	text_printf(&c->text, ": %s", detail);
}

void complain_duplicate(struct complaints *c, const char *path, struct json_object *value)
{
	if (begin(c, path, "Duplicate value: "))
		add_value(c, value);
}

void complain_unsupported(struct complaints *c, const char *path, struct json_object *value,
                          const char *const *accepted)
{
	if (!begin(c, path, "Unsupported value: "))
		return;
	add_value(c, value);
	text_add(&c->text, ": supported values: ");
	for (size_t i = 0; accepted[i]; i++)
		text_printf(&c->text, "%s\"%s\"", i > 0 ? ", " : "", accepted[i]);
}

void complaints_print(const struct complaints *c, struct text *out)
{
	if (c->count == 0)
		return;
	text_printf(out, "%s%s", c->count > 1 ? "[" : "", c->text.data);
	if (c->count > COMPLAINTS_MOST)
		text_printf(out, ", and %zu more", c->count - COMPLAINTS_MOST);
	text_add(out, c->count > 1 ? "]" : "");
}

enum err complaints_end(struct complaints *c, struct reason *why)
{
	struct text text = {0};
	enum err err = ERR_OK;

	complaints_print(c, &text);
	if (c->count > 0)
		err = reason_set(why, ERR_PARSE, "%s", text.data);
	text_fini(&text);
	complaints_fini(c);
	return err;
}
