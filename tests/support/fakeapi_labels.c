/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

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

void choice_fini(struct choice *c)
{
	free(c->namespace);
	free(c->name);
	for (size_t i = 0; i < c->label_count; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	free(c->labels);
	*c = (struct choice){0};
}
