/* SPDX-License-Identifier: Apache-2.0 */
#include "records/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { LINES_OF_SUBJECT = 20, LINES_SHOWN = 1000 };

struct line {
	bool is_conflict;
	char *a, *b, *c; /* where, message, NULL; or name, winner, loser */
};

struct subject {
	uint64_t id;
	size_t count;
	size_t uncounted[2]; /* lines that found no room: problems, conflicts */
	struct line *lines;
};

struct notes {
	struct table *subjects;
	uint64_t current;
	uint64_t digest, told; /* sums of the lines' hashes: now, at notes_changed() */
};

struct notes *notes_new(void)
{
	struct notes *n = xcalloc(1, sizeof(*n));

	n->subjects = table_new();
	return n;
}

static void free_subject(struct subject *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->lines[i].a);
		free(s->lines[i].b);
		free(s->lines[i].c);
	}
	free(s->lines);
	free(s);
}

void notes_free(struct notes *n)
{
	struct subject *s;

	if (!n)
		return;
	for (size_t at = 0; (s = table_next(n->subjects, &at)) != NULL;)
		free_subject(s);
	table_free(n->subjects);
	free(n);
}

static bool is_subject(const void *item, const void *id)
{
	return ((const struct subject *)item)->id == *(const uint64_t *)id;
}

static uint64_t hash_text(uint64_t seed, const char *s)
{
	return s ? hash_mix(seed, hash_fixed(bytes_of(s))) : seed;
}

static uint64_t hash_line(const struct subject *s, const struct line *l)
{
	return hash_text(hash_text(hash_text(hash_mix(s->id, l->is_conflict), l->a), l->b), l->c);
}

static uint64_t hash_uncounted(const struct subject *s)
{
	return hash_mix(s->id, s->uncounted[0]) ^ hash_mix(s->uncounted[1], s->id);
}

void notes_begin(struct notes *n, enum notes_of of, uint64_t subject)
{
	struct subject *s;

	n->current = hash_mix(of, subject);
	if (table_count(n->subjects) == 0)
		return;
	s = table_remove(n->subjects, n->current, is_subject, &n->current);
	if (!s)
		return;
	n->digest -= hash_uncounted(s);
	for (size_t i = 0; i < s->count; i++)
		n->digest -= hash_line(s, &s->lines[i]);
	free_subject(s);
}

static struct subject *current(struct notes *n)
{
	struct subject *s = table_find(n->subjects, n->current, is_subject, &n->current);

	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->id = n->current;
		table_put(n->subjects, s->id, s);
		n->digest += hash_uncounted(s);
	}
	return s;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Takes the strings of the line. */
static void add_line(struct notes *n, struct line l)
{
	struct subject *s = current(n);
	bool known = false;

	for (size_t i = 0; i < s->count && !known; i++)
		known = s->lines[i].is_conflict == l.is_conflict && same_text(s->lines[i].a, l.a) &&
		        same_text(s->lines[i].b, l.b) && same_text(s->lines[i].c, l.c);
	if (!known && s->count < LINES_OF_SUBJECT) {
		n->digest += hash_line(s, &l);
		s->lines = xreallocarray(s->lines, s->count + 1, sizeof(*s->lines));
		s->lines[s->count++] = l;
		return;
	}
	if (!known) {
		n->digest -= hash_uncounted(s);
		s->uncounted[l.is_conflict]++;
		n->digest += hash_uncounted(s);
	}
	free(l.a);
	free(l.b);
	free(l.c);
}

void notes_problem(struct notes *n, const char *where, const char *fmt, ...)
{
	struct line l = {.is_conflict = false};
	va_list ap;

	if (!n)
		return;
	va_start(ap, fmt);
	CHECK(vasprintf(&l.b, fmt, ap) >= 0);
	va_end(ap);
	l.a = xstrdup(where);
	add_line(n, l);
}

void notes_conflict(struct notes *n, const char *name, const char *winner, const char *loser)
{
	if (n)
		add_line(n, (struct line){true, xstrdup(name), xstrdup(winner), xstrdup(loser)});
}

bool notes_changed(struct notes *n)
{
	bool changed = n->digest != n->told;

	n->told = n->digest;
	return changed;
}

static int by_text(const void *a, const void *b)
{
	const struct line *x = *(const struct line *const *)a;
	const struct line *y = *(const struct line *const *)b;
	int order = strcmp(x->a, y->a);

	if (order == 0)
		order = strcmp(x->b, y->b);
	return order == 0 && x->c && y->c ? strcmp(x->c, y->c) : order;
}

/* All kept lines of one sort, in byte order (free it), and how many more there are. */
static const struct line **sorted(const struct notes *n, bool conflicts, size_t *count,
                                  size_t *more)
{
	const struct line **lines;
	const struct subject *s;
	size_t room = 0;

	*count = *more = 0;
	for (size_t at = 0; (s = table_next(n->subjects, &at)) != NULL;)
		room += s->count;
	lines = xreallocarray(NULL, room + 1, sizeof(struct line *));
	for (size_t at = 0; (s = table_next(n->subjects, &at)) != NULL;) {
		*more += s->uncounted[conflicts];
		for (size_t i = 0; i < s->count; i++)
			if (s->lines[i].is_conflict == conflicts)
				lines[(*count)++] = &s->lines[i];
	}
	qsort(lines, *count, sizeof(struct line *), by_text);
	if (*count > LINES_SHOWN) {
		*more += *count - LINES_SHOWN;
		*count = LINES_SHOWN;
	}
	return lines;
}

void notes_each_problem(const struct notes *n, records_on_problem_fn *fn, void *arg)
{
	size_t count, more;
	const struct line **lines = sorted(n, false, &count, &more);
	char text[64];

	for (size_t i = 0; i < count; i++)
		fn(lines[i]->a, lines[i]->b, arg);
	snprintf(text, sizeof(text), "%zu more problems", more);
	if (more > 0)
		fn("records", text, arg);
	free(lines);
}

void notes_each_conflict(const struct notes *n, records_on_conflict_fn *fn, void *arg)
{
	size_t count, more;
	const struct line **lines = sorted(n, true, &count, &more);
	char text[64];

	for (size_t i = 0; i < count; i++)
		fn(lines[i]->a, lines[i]->b, lines[i]->c, arg);
	snprintf(text, sizeof(text), "%zu more conflicts", more);
	if (more > 0)
		fn(text, "", "", arg);
	free(lines);
}
