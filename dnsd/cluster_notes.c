/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cluster_notes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"

struct cluster_notes_table {
	struct arena *arena; /* holds all of it, this too */
	unsigned users;
	size_t count;
	struct cluster_note *list;
};

struct cluster_notes {
	pthread_mutex_t lock; /* of `current` and of all counts of users */
	struct cluster_notes_table *current;
};

struct cluster_notes *cluster_notes_new(void)
{
	struct cluster_notes *n = xcalloc(1, sizeof *n);

	CHECK(pthread_mutex_init(&n->lock, NULL) == 0);
	return n;
}

static void leave(struct cluster_notes_table *t)
{
	if (t != NULL && --t->users == 0)
		arena_free(t->arena);
}

void cluster_notes_free(struct cluster_notes *n)
{
	leave(n->current);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static struct cluster_notes_table *new_table(const struct cluster_note *list, size_t count)
{
	struct arena *a = arena_new();
	struct cluster_notes_table *t = arena_calloc(a, 1, sizeof *t);

	*t = (struct cluster_notes_table){a, 1, count, arena_memdup(a, list, count * sizeof *list)};
	for (size_t i = 0; i < count; i++) {
		struct cluster_note *note = &t->list[i];

		note->name = arena_strdup(a, note->name);
		note->knowledge = arena_strdup(a, note->knowledge);
		note->error = arena_strdup(a, note->error);
		note->version = arena_strdup(a, note->version);
		note->forbidden = arena_strdup(a, note->forbidden);
		note->absent = arena_strdup(a, note->absent);
		note->warning = arena_strdup(a, note->warning);
	}
	return t;
}

void cluster_notes_set(struct cluster_notes *n, const struct cluster_note *list, size_t count)
{
	struct cluster_notes_table *fresh = new_table(list, count);

	pthread_mutex_lock(&n->lock);
	leave(n->current);
	n->current = fresh;
	pthread_mutex_unlock(&n->lock);
}

const struct cluster_notes_table *cluster_notes_take(struct cluster_notes *n)
{
	struct cluster_notes_table *t;

	pthread_mutex_lock(&n->lock);
	t = n->current;
	if (t != NULL)
		t->users++;
	pthread_mutex_unlock(&n->lock);
	return t;
}

void cluster_notes_release(struct cluster_notes *n, const struct cluster_notes_table *t)
{
	pthread_mutex_lock(&n->lock);
	leave((struct cluster_notes_table *)(uintptr_t)t);
	pthread_mutex_unlock(&n->lock);
}

const struct cluster_note *cluster_notes_find(const struct cluster_notes_table *t, const char *name)
{
	for (size_t i = 0; t != NULL && i < t->count; i++)
		if (strcmp(t->list[i].name, name) == 0)
			return &t->list[i];
	return NULL;
}
