/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_errors.h"

enum { LISTED_MOST = 20 };

/* One line, whatever names and values hold. */
static void flatten(struct text *t, size_t from)
{
	for (size_t i = from; i < t->len; i++)
		if (t->data[i] == '\n')
			t->data[i] = ' ';
}

static size_t begin_line(struct manifests_errors *e)
{
	if (e->lines.len > 0)
		text_add(&e->lines, "\n");
	return e->lines.len;
}

void manifests_errors_add(struct manifests_errors *e, const char *path, unsigned line,
                          const char *text)
{
	size_t from;

	if (e->count++ >= LISTED_MOST)
		return;
	from = begin_line(e);
	text_printf(&e->lines, "%s:%u: %s", path, line, text);
	flatten(&e->lines, from);
}

char *manifests_errors_take(struct manifests_errors *e, const char *path)
{
	size_t count = e->count, from;

	e->count = 0;
	if (count == 0)
		return NULL;
	if (count > LISTED_MOST) {
		from = begin_line(e);
		text_printf(&e->lines, "%s: and %zu more", path, count - LISTED_MOST);
		flatten(&e->lines, from);
	}
	return text_take(&e->lines);
}

void manifests_errors_fini(struct manifests_errors *e)
{
	text_fini(&e->lines);
	e->count = 0;
}
