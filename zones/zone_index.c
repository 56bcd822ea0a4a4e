/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zone_index.h"

#include <stdbool.h>
#include <string.h>

#include "zones/fold.h"

static void add(struct zone_index *a, const struct name *apex, uint32_t zone)
{
	uint64_t hash = fold_suffix(apex, 0, a->key);
	size_t i = hash & a->mask;

	while (a->slot[i].zone != 0)
		i = (i + 1) & a->mask;
	a->slot[i] = (struct zone_index_slot){
		hash, arena_memdup(a->part.arena, apex->wire, apex->len), apex->len, zone + 1U};
}

struct zone_index *zone_index_build(const struct name *const *apex, size_t count,
                                    const struct name_key *key)
{
	struct zone_index *a = part_new(sizeof(*a));
	bool has_depth[NAME_MAX_LABELS + 1] = {false};
	size_t slots = 2;

	while (slots < count * 2)
		slots *= 2;
	a->key = key;
	a->mask = slots - 1;
	a->slot = arena_calloc(a->part.arena, slots, sizeof(*a->slot));
	for (size_t i = 0; i < count; i++) {
		add(a, apex[i], (uint32_t)i);
		has_depth[apex[i]->labels] = true;
	}
	for (unsigned depth = NAME_MAX_LABELS + 1; depth-- > 0;)
		if (has_depth[depth])
			a->depth[a->depths++] = (uint8_t)depth;
	return a;
}

static inline bool slot_is(const struct zone_index_slot *s, const uint8_t *wire, size_t len)
{
	if (s->len != len)
		return false;
	return len >= 8 ? fold_same(s->wire, wire, len) : memcmp(s->wire, wire, len) == 0;
}

uint32_t zone_index_find(const struct zone_index *a, const struct name *name)
{
	const uint8_t *depth = a->depth, *end = depth + a->depths;

	for (; depth < end; depth++) {
		unsigned label = (unsigned)name->labels - *depth;
		const struct zone_index_slot *s;
		const uint8_t *wire;
		uint64_t hash;
		size_t len;

		if (name->labels < *depth)
			continue;
		wire = name->wire + name->at[label];
		len = (size_t)name->len - name->at[label];
		hash = fold_name(wire, len, a->key);
		for (uint64_t i = hash; (s = &a->slot[i & a->mask])->zone != 0; i++)
			if (s->hash == hash && slot_is(s, wire, len))
				return (uint32_t)(s->zone - 1);
	}
	return ZONE_INDEX_NONE;
}
