/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/handover.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"

enum { MAX_READERS = 64, CACHE_LINE = 64 };

#define RESTING UINT64_MAX /* older than no age: holds nothing */

struct reader {
	_Alignas(CACHE_LINE) _Atomic uint64_t seen; /* the age when it last took, or RESTING */
	_Atomic int joined;
	struct handover *home;
};

struct retired {
	struct retired *next;
	const void *thing;
	uint64_t age; /* readers that took at this age or later do not hold it */
};

struct handover {
	_Atomic(const void *) current;
	_Atomic uint64_t age;    /* grows with each publication */
	struct retired *retired; /* the writer's alone */
	void (*drop)(const void *thing);
	struct reader reader[MAX_READERS];
};

struct handover *handover_new(void (*drop)(const void *thing))
{
	struct handover *h = aligned_alloc(CACHE_LINE, sizeof *h);

	CHECK(h != NULL);
	atomic_init(&h->current, NULL);
	atomic_init(&h->age, 1);
	h->retired = NULL;
	h->drop = drop;
	for (int i = 0; i < MAX_READERS; i++) {
		atomic_init(&h->reader[i].seen, RESTING);
		atomic_init(&h->reader[i].joined, 0);
		h->reader[i].home = h;
	}
	return h;
}

void handover_free(struct handover *h)
{
	if (h == NULL)
		return;
	handover_publish(h, NULL);
	CHECK(handover_reclaim(h) == 0);
	free(h);
}

struct reader *handover_join(struct handover *h)
{
	for (int i = 0; i < MAX_READERS; i++) {
		int no = 0;

		if (atomic_compare_exchange_strong(&h->reader[i].joined, &no, 1))
			return &h->reader[i];
	}
	return NULL;
}

void handover_leave(struct reader *r)
{
	reader_rest(r);
	atomic_store(&r->joined, 0);
}

/* The order is the whole proof.  The reader first says "I am here since age A",
 * then looks; the writer first replaces, then raises the age, then asks who is
 * here.  So either the writer sees the reader, or the reader sees the new thing. */
const void *reader_take(struct reader *r)
{
	atomic_store(&r->seen, atomic_load(&r->home->age));
	return atomic_load(&r->home->current);
}

void reader_rest(struct reader *r) { atomic_store(&r->seen, RESTING); }

void handover_publish(struct handover *h, const void *thing)
{
	const void *replaced = atomic_exchange(&h->current, thing);
	uint64_t age = atomic_fetch_add(&h->age, 1) + 1;

	if (replaced != NULL) {
		struct retired *r = malloc(sizeof *r);

		CHECK(r != NULL);
		*r = (struct retired){.next = h->retired, .thing = replaced, .age = age};
		h->retired = r;
	}
	(void)handover_reclaim(h);
}

static uint64_t oldest_reader(struct handover *h)
{
	uint64_t oldest = RESTING;

	for (int i = 0; i < MAX_READERS; i++) {
		uint64_t seen = atomic_load(&h->reader[i].seen);

		if (seen < oldest)
			oldest = seen;
	}
	return oldest;
}

unsigned handover_reclaim(struct handover *h)
{
	uint64_t oldest = oldest_reader(h);
	unsigned waiting = 0;

	for (struct retired **p = &h->retired; *p != NULL;) {
		struct retired *r = *p;

		if (r->age <= oldest) {
			*p = r->next;
			h->drop(r->thing);
			free(r);
		} else {
			waiting++;
			p = &r->next;
		}
	}
	return waiting;
}
