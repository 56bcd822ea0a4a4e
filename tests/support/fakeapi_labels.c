/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct label_term {
	char *key, *value; /* value NULL: that it is there at all */
	bool negated;
};

static bool read_term(char *part, struct label_term *out)
{
	char *equals = strchr(part, '=');

	*out = (struct label_term){0};
	if (strpbrk(part, " ()<>"))
		return false;
	out->negated = equals ? equals > part && equals[-1] == '!' : *part == '!';
	if (equals) {
		equals[out->negated ? -1 : 0] = '\0';
		out->value = xstrdup(equals + 1 + (equals[1] == '='));
	} else {
		part += out->negated;
	}
	out->key = xstrdup(part);
	return true;
}

bool labels_read(struct choice *c, const char *selector)
{
	char *copy = xstrdup(selector), *rest = copy, *part;
	struct label_term term;
	bool is_good = true;

	while (is_good && rest && (part = strsep(&rest, ",")) != NULL) {
		if (!*part)
			continue;
		is_good = read_term(part, &term);
		if (!is_good)
			break;
		c->labels = xreallocarray(c->labels, c->label_count + 1, sizeof(term));
		c->labels[c->label_count++] = term;
	}
	free(copy);
	return is_good;
}

bool labels_take(const struct choice *c, const struct object *o)
{
	for (size_t i = 0; i < c->label_count; i++) {
		const struct label_term *t = &c->labels[i];
		struct bytes value = object_label(o, t->key);
		bool fits = t->value ? value.data && bytes_equal_text(value, t->value)
		                     : value.data != NULL;

		if (fits == t->negated)
			return false;
	}
	return true;
}

/* --- fields, but for the name and the namespace --- */

/* Of Events. */
static bool is_field(const char *path)
{
	return strncmp(path, "involvedObject.", 15) == 0 || strcmp(path, "reason") == 0 ||
	       strcmp(path, "type") == 0;
}

bool fields_read(struct choice *c, const char *path, const char *value)
{
	if (!is_field(path))
		return false;
	c->fields = xreallocarray(c->fields, c->field_count + 1, sizeof(*c->fields));
	c->fields[c->field_count++] = (struct field_term){xstrdup(path), xstrdup(value)};
	return true;
}

static bool has_field(struct json_object *value, const struct field_term *t)
{
	char *copy = xstrdup(t->path), *rest = copy, *part;
	bool fits = true;

	while (fits && (part = strsep(&rest, ".")) != NULL)
		fits = json_object_object_get_ex(value, part, &value);
	free(copy);
	return fits && strcmp(json_object_get_string(value), t->value) == 0;
}

bool fields_take(const struct choice *c, const struct object *o)
{
	struct json_object *value = c->field_count > 0 ? json_tokener_parse(o->text) : NULL;
	bool fits = true;

	for (size_t i = 0; fits && i < c->field_count; i++)
		fits = has_field(value, &c->fields[i]);
	json_object_put(value);
	return fits;
}

void choice_fini(struct choice *c)
{
	free(c->namespace);
	free(c->name);
	for (size_t i = 0; i < c->label_count; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	free(c->labels);
	for (size_t i = 0; i < c->field_count; i++) {
		free(c->fields[i].path);
		free(c->fields[i].value);
	}
	free(c->fields);
	*c = (struct choice){0};
}
