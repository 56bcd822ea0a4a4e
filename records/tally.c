/* SPDX-License-Identifier: Apache-2.0 */
#include "records/tally.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

void tally_fini(struct tally *t)
{
	idmap_fini(&t->index);
	free(t->pool);
}

uint64_t tally_id(const struct hash_key *key, uint16_t cluster, struct bytes a, struct bytes b)
{
	return hash_mix(hash_siphash_pair(key, a, b), cluster);
}

struct tally_entry *tally_find(const struct tally *t, uint64_t id)
{
	struct idmap_walk walk = idmap_find(&t->index, (uint32_t)id);
	const uint32_t *found;

	while ((found = idmap_next(&t->index, &walk)) != NULL)
		if (t->pool[*found - 1].id[1] == (uint32_t)(id >> 32))
			return &t->pool[*found - 1];
	return NULL;
}

struct tally_entry *tally_get(struct tally *t, uint64_t id)
{
	struct tally_entry *e = tally_find(t, id);
	uint32_t number = t->unused;

	if (e)
		return e;
	if (number) {
		t->unused = t->pool[number - 1].n[0];
	} else {
		if (t->count == t->room) {
			t->room = t->room ? t->room + t->room / 2 : 16;
			CHECK(t->room < UINT32_MAX / 2);
			t->pool = xreallocarray(t->pool, t->room, sizeof(*t->pool));
		}
		number = ++t->count;
	}
	e = &t->pool[number - 1];
	*e = (struct tally_entry){.id = {(uint32_t)id, (uint32_t)(id >> 32)}};
	idmap_put(&t->index, (uint32_t)id, number);
	return e;
}

void tally_settle(struct tally *t, struct tally_entry *e)
{
	uint32_t number = (uint32_t)(e - t->pool) + 1;

	if (e->n[0] || e->n[1] || e->n[2])
		return;
	CHECK(idmap_remove(&t->index, e->id[0], number));
	e->n[0] = t->unused;
	t->unused = number;
}
