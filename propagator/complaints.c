/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/complaints.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdbool.h>

enum { LABEL_MOST = 63, SUBDOMAIN_MOST = 253 };

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

/* --- names --- */

#define SUBDOMAIN_RULE                                                                             \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "  \
	"or '.', and must start and end with an alphanumeric character"
#define LABEL_RULE                                                                                 \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "  \
	"an alphabetic character, and end with an alphanumeric character"

static bool is_small_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* RFC 1035 2.3.1, with small letters only. */
static bool is_label(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > LABEL_MOST || s[0] < 'a' || s[0] > 'z' || s[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_small_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

/* RFC 1123 2.1, as Kubernetes reads it. */
static bool is_subdomain(const char *s)
{
	size_t len = strlen(s);
	char before = '.';

	if (len == 0 || len > SUBDOMAIN_MOST)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_small_alnum(s[i]) && (s[i] != '-' || before == '.') &&
		    (s[i] != '.' || !is_small_alnum(before)))
			return false;
		before = s[i];
	}
	return is_small_alnum(before);
}

void complain_unless_label(struct complaints *c, const char *path, const char *text,
                           struct json_object *value)
{
	if (!is_label(text))
		complain_invalid(c, path, value, LABEL_RULE);
}

void complain_unless_subdomain(struct complaints *c, const char *path, const char *text,
                               struct json_object *value)
{
	if (!is_subdomain(text))
		complain_invalid(c, path, value, SUBDOMAIN_RULE);
}

/* --- the end --- */

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
