/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/due.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct entry {
	uint64_t at_ms;
	size_t index;
};

/* A binary heap; place[index] is one more than where the entry of that index is, 0: nowhere. */
struct due {
	struct entry *heap;
	size_t count, room;
	size_t *place;
	size_t place_count;
};

struct due *due_new(void) { return xcalloc(1, sizeof(struct due)); }

void due_free(struct due *d)
{
	if (!d)
		return;
	free(d->heap);
	free(d->place);
	free(d);
}

static void set(struct due *d, size_t at, struct entry e)
{
	d->heap[at] = e;
	d->place[e.index] = at + 1;
}

static void rise(struct due *d, size_t at, struct entry e)
{
	while (at > 0 && d->heap[(at - 1) / 2].at_ms > e.at_ms) {
		set(d, at, d->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	set(d, at, e);
}

static void sink(struct due *d, size_t at, struct entry e)
{
	for (size_t child; (child = 2 * at + 1) < d->count; at = child) {
		if (child + 1 < d->count && d->heap[child + 1].at_ms < d->heap[child].at_ms)
			child++;
		if (d->heap[child].at_ms >= e.at_ms)
			break;
		set(d, at, d->heap[child]);
	}
	set(d, at, e);
}

static void make_room(struct due *d, size_t index)
{
	if (index >= d->place_count) {
		size_t count = d->place_count * 2 > index ? d->place_count * 2 : index + 16;

		d->place = xreallocarray(d->place, count, sizeof(*d->place));
		for (size_t i = d->place_count; i < count; i++)
			d->place[i] = 0;
		d->place_count = count;
	}
	if (d->count == d->room) {
		d->room = d->room ? d->room * 2 : 16;
		d->heap = xreallocarray(d->heap, d->room, sizeof(*d->heap));
	}
}

void due_put(struct due *d, size_t index, uint64_t at_ms)
{
	struct entry e = {at_ms, index};

	due_remove(d, index);
	make_room(d, index);
	rise(d, d->count++, e);
}

void due_remove(struct due *d, size_t index)
{
	struct entry last;
	size_t at;

	if (index >= d->place_count || d->place[index] == 0)
		return;
	at = d->place[index] - 1;
	d->place[index] = 0;
	last = d->heap[--d->count];
	if (at == d->count)
		return;
	if (at > 0 && d->heap[(at - 1) / 2].at_ms > last.at_ms)
		rise(d, at, last);
	else
		sink(d, at, last);
}

bool due_first(const struct due *d, size_t *index, uint64_t *at_ms)
{
	if (d->count == 0)
		return false;
	*index = d->heap[0].index;
	*at_ms = d->heap[0].at_ms;
	return true;
}
