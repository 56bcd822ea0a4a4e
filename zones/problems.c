/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/problems.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/xalloc.h"
#include "zones/fold.h"

struct entry {
	char *where;
	char *messages; /* lines */
	size_t len;     /* of wire */
	uint8_t wire[];
};

struct problems {
	const struct name_key *key;
	struct table *table[PROBLEMS_KINDS]; /* by enum problems_kind */
};

struct problems *problems_new(const struct name_key *key)
{
	struct problems *p = xmalloc(sizeof(*p));

	p->key = key;
	for (size_t i = 0; i < PROBLEMS_KINDS; i++)
		p->table[i] = table_new();
	return p;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	free(e->where);
	free(e->messages);
	free(e);
}

static void free_entries(struct table *t)
{
	struct entry *e;

	for (size_t at = 0; (e = table_next(t, &at)) != NULL;)
		entry_free(e);
	table_free(t);
}

void problems_clear(struct problems *p)
{
	for (size_t i = 0; i < PROBLEMS_KINDS; i++) {
		free_entries(p->table[i]);
		p->table[i] = table_new();
	}
}

void problems_free(struct problems *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PROBLEMS_KINDS; i++)
		free_entries(p->table[i]);
	free(p);
}

static bool is_of(const void *item, const void *key)
{
	const struct entry *e = item;
	const struct name *name = key;

	return e->len == name->len && memcmp(e->wire, name->wire, e->len) == 0;
}

void problems_set(struct problems *p, enum problems_kind kind, const struct name *name,
                  const char *where, const struct text *messages)
{
	struct table *t = p->table[kind];
	struct entry *e;

	if (!messages || messages->len == 0) {
		if (table_count(t))
			entry_free(table_remove(t, fold_suffix(name, 0, p->key), is_of, name));
		return;
	}
	e = xmalloc(sizeof(*e) + name->len);
	e->where = xstrdup(where ? where : "");
	e->messages = xstrndup(messages->data, messages->len);
	e->len = name->len;
	memcpy(e->wire, name->wire, name->len);
	entry_free(table_replace(t, fold_suffix(name, 0, p->key), is_of, name, e));
}

bool problems_any(const struct problems *p, enum problems_kind kind)
{
	return table_count(p->table[kind]) > 0;
}

struct line {
	const char *where, *message;
};

static int by_where(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->where, y->where);

	return order ? order : strcmp(x->message, y->message);
}

static size_t count_lines(const struct table *t)
{
	const struct entry *e;
	size_t count = 0;

	for (size_t at = 0; (e = table_next(t, &at)) != NULL;)
		for (const char *c = e->messages; *c; c++)
			count += *c == '\n';
	return count;
}

/* Cuts a copy of each entry's lines into messages; the copies go into `texts`. */
static size_t collect(const struct table *t, struct line *line, char **texts)
{
	const struct entry *e;
	size_t count = 0, copies = 0;

	for (size_t at = 0; (e = table_next(t, &at)) != NULL;) {
		char *text = texts[copies++] = xstrdup(e->messages), *end;

		for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
			*end = '\0';
			line[count++] = (struct line){e->where, text};
		}
	}
	return count;
}

void problems_each(const struct problems *p, zones_on_problem_fn *fn, void *arg)
{
	size_t entries = 0, lines = 0, count = 0;
	struct line *line;
	char **text;

	for (size_t i = 0; i < PROBLEMS_KINDS; i++) {
		entries += table_count(p->table[i]);
		lines += count_lines(p->table[i]);
	}
	line = xcalloc(lines, sizeof(*line));
	text = xcalloc(entries, sizeof(*text));
	entries = 0;
	for (size_t i = 0; i < PROBLEMS_KINDS; i++) {
		count += collect(p->table[i], line + count, text + entries);
		entries += table_count(p->table[i]);
	}
	qsort(line, count, sizeof(*line), by_where);
	for (size_t i = 0; i < count; i++)
		fn(line[i].where, line[i].message, arg);
	for (size_t i = 0; i < entries; i++)
		free(text[i]);
	free(text);
	free(line);
}
