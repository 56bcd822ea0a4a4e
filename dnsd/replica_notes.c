/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/replica_notes.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

struct replica_notes {
	pthread_mutex_t lock; /* of both below */
	struct text json;
	struct replica_counts counts;
};

struct replica_notes *replica_notes_new(void)
{
	struct replica_notes *n = xcalloc(1, sizeof *n);

	CHECK(pthread_mutex_init(&n->lock, NULL) == 0);
	text_add(&n->json, "[]");
	return n;
}

void replica_notes_free(struct replica_notes *n)
{
	text_fini(&n->json);
	(void)pthread_mutex_destroy(&n->lock);
	free(n);
}

void replica_notes_set(struct replica_notes *n, const char *json,
                       const struct replica_counts *counts)
{
	CHECK(pthread_mutex_lock(&n->lock) == 0);
	text_reset(&n->json);
	text_add(&n->json, json);
	n->counts = *counts;
	CHECK(pthread_mutex_unlock(&n->lock) == 0);
}

void replica_notes_print(struct replica_notes *n, struct text *out)
{
	CHECK(pthread_mutex_lock(&n->lock) == 0);
	text_add(out, n->json.data);
	CHECK(pthread_mutex_unlock(&n->lock) == 0);
}

struct replica_counts replica_notes_counts(struct replica_notes *n)
{
	struct replica_counts counts;

	CHECK(pthread_mutex_lock(&n->lock) == 0);
	counts = n->counts;
	CHECK(pthread_mutex_unlock(&n->lock) == 0);
	return counts;
}
