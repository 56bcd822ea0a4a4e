/* SPDX-License-Identifier: Apache-2.0 */
#include "records/idmap.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

/* Linear probing, nobody farther from home than who stands before it (as in
 * base/table.c, which holds pointers).  Equal hashes lie side by side. */
enum { ROOM_FIRST = 16 };

void idmap_fini(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){NULL, 0, 0};
}

static size_t home_of(const struct idmap *m, uint32_t hash)
{
	return (size_t)((uint64_t)hash * m->room >> 32);
}

static size_t after(const struct idmap *m, size_t at) { return at + 1 < m->room ? at + 1 : 0; }

static size_t from_home(const struct idmap *m, size_t at)
{
	size_t home = home_of(m, m->slots[at].hash);

	return at >= home ? at - home : at + m->room - home;
}

static void place(struct idmap *m, struct idmap_slot slot)
{
	size_t at = home_of(m, slot.hash);

	for (size_t away = 0; m->slots[at].value; away++, at = after(m, at)) {
		size_t theirs = from_home(m, at);

		if (theirs < away) {
			struct idmap_slot other = m->slots[at];

			m->slots[at] = slot;
			slot = other;
			away = theirs;
		}
	}
	m->slots[at] = slot;
}

static void grow_to(struct idmap *m, size_t room)
{
	struct idmap old = *m;

	CHECK(room <= UINT32_MAX);
	m->room = room;
	m->slots = xcalloc(room, sizeof(*m->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].value)
			place(m, old.slots[i]);
	free(old.slots);
}

void idmap_reserve(struct idmap *m, size_t more)
{
	size_t room = (m->count + more) * 5 / 4 + ROOM_FIRST;

	if (room > m->room)
		grow_to(m, room);
}

void idmap_put(struct idmap *m, uint32_t hash, uint32_t value)
{
	CHECK(value != 0);
	if ((m->count + 1) * 6 > m->room * 5)
		grow_to(m, m->room ? m->room + m->room / 2 : ROOM_FIRST);
	place(m, (struct idmap_slot){hash, value});
	m->count++;
}

struct idmap_walk idmap_find(const struct idmap *m, uint32_t hash)
{
	return (struct idmap_walk){m->room ? home_of(m, hash) : 0, 0, hash};
}

uint32_t *idmap_next(const struct idmap *m, struct idmap_walk *w)
{
	while (w->away < m->room && m->slots[w->at].value && from_home(m, w->at) >= w->away) {
		struct idmap_slot *slot = &m->slots[w->at];

		w->at = after(m, w->at);
		w->away++;
		if (slot->hash == w->hash)
			return &slot->value;
	}
	return NULL;
}

bool idmap_remove(struct idmap *m, uint32_t hash, uint32_t value)
{
	struct idmap_walk w = idmap_find(m, hash);
	const uint32_t *found;
	size_t at;

	while ((found = idmap_next(m, &w)) != NULL && *found != value)
		;
	if (!found)
		return false;
	at = w.at > 0 ? w.at - 1 : m->room - 1;
	for (size_t next = after(m, at); m->slots[next].value && from_home(m, next) > 0;
	     at = next, next = after(m, next))
		m->slots[at] = m->slots[next];
	m->slots[at].value = 0;
	m->count--;
	return true;
}

void idmap_prefetch(const struct idmap *m, uint32_t hash)
{
	if (m->room)
		__builtin_prefetch(&m->slots[home_of(m, hash)], 1);
}
