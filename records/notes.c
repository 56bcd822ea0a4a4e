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

enum sort { PROBLEM, WARNING, CONFLICT, SORTS };

struct line {
	enum sort sort;
	char *a, *b, *c;     /* where, message, NULL; or name, winner, loser */
	uint16_t cluster[2]; /* of where; or of winner and loser */
};

struct subject {
	uint64_t id;
	size_t count;
	size_t uncounted[SORTS]; /* lines that found no room */
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
	return hash_text(hash_text(hash_text(hash_mix(s->id, l->sort), l->a), l->b), l->c);
}

static uint64_t hash_uncounted(const struct subject *s)
{
	uint64_t hash = s->id;

	for (size_t i = 0; i < SORTS; i++)
		hash = hash_mix(hash, s->uncounted[i]);
	return hash;
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
		known = s->lines[i].sort == l.sort && same_text(s->lines[i].a, l.a) &&
		        same_text(s->lines[i].b, l.b) && same_text(s->lines[i].c, l.c);
	if (!known && s->count < LINES_OF_SUBJECT) {
		n->digest += hash_line(s, &l);
		s->lines = xreallocarray(s->lines, s->count + 1, sizeof(*s->lines));
		s->lines[s->count++] = l;
		return;
	}
	if (!known) {
		n->digest -= hash_uncounted(s);
		s->uncounted[l.sort]++;
		n->digest += hash_uncounted(s);
	}
	free(l.a);
	free(l.b);
	free(l.c);
}

static void add_problem(struct notes *n, uint16_t cluster, const char *where, const char *fmt,
                        va_list ap)
{
	struct line l = {.cluster = {cluster}};

	if (!n)
		return;
	CHECK(vasprintf(&l.b, fmt, ap) >= 0);
	l.a = xstrdup(where);
	add_line(n, l);
}

void notes_problem(struct notes *n, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(n, FACTS_HOST, where, fmt, ap);
	va_end(ap);
}

void notes_problem_in(struct notes *n, uint16_t cluster, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(n, cluster, where, fmt, ap);
	va_end(ap);
}

void notes_warning(struct notes *n, const char *where, const char *message)
{
	if (n)
		add_line(n, (struct line){
				    .sort = WARNING, .a = xstrdup(where), .b = xstrdup(message)});
}

void notes_conflict(struct notes *n, const struct records_conflict *conflict)
{
	if (n)
		add_line(n, (struct line){.sort = CONFLICT,
		                          .a = xstrdup(conflict->name),
		                          .b = xstrdup(conflict->winner),
		                          .c = xstrdup(conflict->loser),
		                          .cluster = {conflict->winner_cluster,
		                                      conflict->loser_cluster}});
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

/* Lines in byte order, and how many more there are of each sort. */
struct shown {
	const struct line **lines; /* free it */
	size_t count;
	size_t more[SORTS];
};

static bool is_wanted(const struct line *l, bool conflicts)
{
	return (l->sort == CONFLICT) == conflicts;
}

/* Several subjects may say the same. */
static size_t without_doubles(const struct line **lines, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept == 0 || by_text(&lines[kept - 1], &lines[i]) != 0)
			lines[kept++] = lines[i];
	return kept;
}

static struct shown sorted(const struct notes *n, bool conflicts)
{
	struct shown shown = {NULL};
	const struct subject *s;
	size_t room = 0;

	for (size_t at = 0; (s = table_next(n->subjects, &at)) != NULL;)
		room += s->count;
	shown.lines = xreallocarray(NULL, room + 1, sizeof(struct line *));
	for (size_t at = 0; (s = table_next(n->subjects, &at)) != NULL;) {
		for (size_t i = 0; i < SORTS; i++)
			shown.more[i] += s->uncounted[i];
		for (size_t i = 0; i < s->count; i++)
			if (is_wanted(&s->lines[i], conflicts))
				shown.lines[shown.count++] = &s->lines[i];
	}
	qsort(shown.lines, shown.count, sizeof(struct line *), by_text);
	shown.count = without_doubles(shown.lines, shown.count);
	while (shown.count > LINES_SHOWN)
		shown.more[shown.lines[--shown.count]->sort]++;
	return shown;
}

void notes_each_problem(const struct notes *n, records_on_problem_fn *fn, void *arg)
{
	struct shown shown = sorted(n, false);
	size_t more = shown.more[PROBLEM] + shown.more[WARNING];
	char text[64];

	for (size_t i = 0; i < shown.count; i++) {
		const struct line *l = shown.lines[i];

		fn(&(struct records_problem){l->a, l->b, l->cluster[0], l->sort == WARNING}, arg);
	}
	snprintf(text, sizeof(text), "%zu more problems", more);
	if (more > 0)
		fn(&(struct records_problem){"records", text, FACTS_HOST, shown.more[PROBLEM] == 0},
		   arg);
	free(shown.lines);
}

void notes_each_conflict(const struct notes *n, records_on_conflict_fn *fn, void *arg)
{
	struct shown shown = sorted(n, true);
	char text[64];

	for (size_t i = 0; i < shown.count; i++) {
		const struct line *l = shown.lines[i];

		fn(&(struct records_conflict){l->a, l->b, l->c, l->cluster[0], l->cluster[1]}, arg);
	}
	snprintf(text, sizeof(text), "%zu more conflicts", shown.more[CONFLICT]);
	if (shown.more[CONFLICT] > 0)
		fn(&(struct records_conflict){.name = text, .winner = "", .loser = ""}, arg);
	free(shown.lines);
}
