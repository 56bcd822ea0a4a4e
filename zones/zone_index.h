/* zone_index.h -- which zone a name belongs to: a frozen table of apexes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONE_INDEX_H
#define ZONES_ZONE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "zones/fold.h"
#include "zones/name.h"
#include "zones/part.h"

struct zone_index {
	struct part part;
	struct zone_index_slot {
		uint64_t hash;
		const uint8_t *wire; /* lower case */
		uint64_t len;
		uint64_t zone;              /* index + 1; 0: empty */
	} * slot;                           /* open addressing, at most half full */
	const struct zone_index_slot *only; /* the zone, when there is one; else NULL */
	const struct name_key *key;
	size_t mask;
	uint8_t depth[NAME_MAX_LABELS + 1]; /* numbers of labels that apexes have, most first */
	unsigned depths;
};

#define ZONE_INDEX_NONE UINT32_MAX

/* apex[i] is zone i's; no two are equal.  Copied; the key is borrowed. */
struct zone_index *zone_index_build(const struct name *const *apex, size_t count,
                                    const struct name_key *key);
static inline bool zone_index_is_apex(const struct zone_index_slot *s, const uint8_t *wire,
                                      size_t len)
{
	if (s->len != len)
		return false;
	return len >= 8 ? fold_same(s->wire, wire, len) : memcmp(s->wire, wire, len) == 0;
}

/* Where the last labels of a name begin, as many as an apex of that depth has; or the name's end. */
static inline unsigned zone_index_suffix(const struct name *name, unsigned depth)
{
	return name->labels < depth ? name->len : name->at[name->labels - depth];
}

uint32_t zone_index_find_among_many(const struct zone_index *a, const struct name *name);

/* The zone with the longest apex that the name ends in (RFC 1034 4.3.2 step 2), or ZONE_INDEX_NONE. */
static inline uint32_t zone_index_find(const struct zone_index *a, const struct name *name)
{
	unsigned at;

	if (a->only == NULL)
		return zone_index_find_among_many(a, name);
	/* Many servers have one zone: comparing it costs less than hashing. */
	at = zone_index_suffix(name, a->depth[0]);
	return zone_index_is_apex(a->only, name->wire + at, (size_t)name->len - at)
	               ? 0
	               : ZONE_INDEX_NONE;
}

#endif
