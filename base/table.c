/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

/* Linear probing in the order of the home slots ("Robin Hood"): an item is never
 * farther from home than the one it displaced, so a search may stop early, and
 * removing shifts back without leaving marks.  Home is computed from the kept 32
 * bits alone; growing never asks the owner to hash again. */
enum { ROOM_FIRST = 16 };

struct table {
	size_t count;
	size_t room; /* slots; 0 before the first put */
	uint32_t *hash;
	void **item; /* NULL: free */
};

struct table *table_new(void) { return xcalloc(1, sizeof(struct table)); }

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->hash);
	free(t->item);
	free(t);
}

size_t table_count(const struct table *t) { return t->count; }

/* Multiplied, so that an owner's hash with an idle upper half spreads too. */
static uint32_t kept(uint64_t hash) { return (uint32_t)((hash * 0x9e3779b97f4a7c15) >> 32); }

static size_t home_of(const struct table *t, uint32_t hash)
{
	return (size_t)((uint64_t)hash * t->room >> 32);
}

static size_t after(const struct table *t, size_t slot)
{
	return slot + 1 < t->room ? slot + 1 : 0;
}

static size_t from_home(const struct table *t, size_t slot)
{
	size_t home = home_of(t, t->hash[slot]);

	return slot >= home ? slot - home : slot + t->room - home;
}

static void place(struct table *t, uint32_t hash, void *item)
{
	size_t slot = home_of(t, hash);

	for (size_t away = 0; t->item[slot]; away++, slot = after(t, slot)) {
		size_t theirs = from_home(t, slot);

		if (theirs < away) {
			uint32_t other_hash = t->hash[slot];
			void *other = t->item[slot];

			t->hash[slot] = hash;
			t->item[slot] = item;
			hash = other_hash;
			item = other;
			away = theirs;
		}
	}
	t->hash[slot] = hash;
	t->item[slot] = item;
}

static void grow(struct table *t)
{
	struct table old = *t;

	t->room = old.room ? old.room + old.room / 2 : ROOM_FIRST;
	CHECK(t->room <= UINT32_MAX);
	t->hash = xreallocarray(NULL, t->room, sizeof(*t->hash));
	t->item = xcalloc(t->room, sizeof(*t->item));
	for (size_t i = 0; i < old.room; i++)
		if (old.item[i])
			place(t, old.hash[i], old.item[i]);
	free(old.hash);
	free(old.item);
}

/* The slot of the found item, or room. */
static size_t search(const struct table *t, uint64_t hash, table_match_fn *match, const void *key)
{
	uint32_t want = kept(hash);
	size_t slot = home_of(t, want);

	if (t->count == 0)
		return t->room;
	for (size_t away = 0; t->item[slot]; away++, slot = after(t, slot)) {
		if (t->hash[slot] == want) {
			if (match(t->item[slot], key))
				return slot;
		} else if (from_home(t, slot) < away) {
			break;
		}
	}
	return t->room;
}

void *table_find(const struct table *t, uint64_t hash, table_match_fn *match, const void *key)
{
	size_t slot = search(t, hash, match, key);

	return slot < t->room ? t->item[slot] : NULL;
}

void table_put(struct table *t, uint64_t hash, void *item)
{
	CHECK(item != NULL);
	if ((t->count + 1) * 5 > t->room * 4)
		grow(t);
	place(t, kept(hash), item);
	t->count++;
}

void *table_replace(struct table *t, uint64_t hash, table_match_fn *match, const void *key,
                    void *item)
{
	size_t slot = search(t, hash, match, key);
	void *replaced;

	CHECK(item != NULL);
	if (slot >= t->room) {
		table_put(t, hash, item);
		return NULL;
	}
	replaced = t->item[slot];
	t->item[slot] = item;
	return replaced;
}

void *table_remove(struct table *t, uint64_t hash, table_match_fn *match, const void *key)
{
	size_t slot = search(t, hash, match, key);
	void *removed;

	if (slot >= t->room)
		return NULL;
	removed = t->item[slot];
	for (size_t next = after(t, slot); t->item[next] && from_home(t, next) > 0;
	     slot = next, next = after(t, next)) {
		t->hash[slot] = t->hash[next];
		t->item[slot] = t->item[next];
	}
	t->item[slot] = NULL;
	t->count--;
	return removed;
}

void *table_next(const struct table *t, size_t *at)
{
	while (*at < t->room) {
		void *item = t->item[(*at)++];

		if (item)
			return item;
	}
	return NULL;
}
