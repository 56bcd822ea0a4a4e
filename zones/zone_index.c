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
	if (count == 1)
		a->only = &a->slot[fold_suffix(apex[0], 0, key) & a->mask];
	for (unsigned depth = NAME_MAX_LABELS + 1; depth-- > 0;)
		if (has_depth[depth])
			a->depth[a->depths++] = (uint8_t)depth;
	return a;
}

/* The slot of an apex, or the empty one where it would be. */
static const struct zone_index_slot *find_slot(const struct zone_index *a, const uint8_t *wire,
                                               size_t len)
{
	uint64_t hash = fold_name(wire, len, a->key);
	size_t i = hash & a->mask;

	while (a->slot[i].zone != 0 &&
	       (a->slot[i].hash != hash || !zone_index_is_apex(&a->slot[i], wire, len)))
		i = (i + 1) & a->mask;
	return &a->slot[i];
}

uint32_t zone_index_find_among_many(const struct zone_index *a, const struct name *name)
{
	for (unsigned i = 0; i < a->depths; i++) {
		unsigned at = zone_index_suffix(name, a->depth[i]);
		const struct zone_index_slot *s;

		if (at == name->len)
			continue;
		s = find_slot(a, name->wire + at, (size_t)name->len - at);
		if (s->zone != 0)
			return (uint32_t)(s->zone - 1);
	}
	return ZONE_INDEX_NONE;
}
