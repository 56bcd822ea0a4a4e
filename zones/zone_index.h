/* zone_index.h -- which zone a name belongs to: a frozen table of apexes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONE_INDEX_H
#define ZONES_ZONE_INDEX_H

#include <stddef.h>
#include <stdint.h>

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
/* The zone with the longest apex that the name ends in (RFC 1034 4.3.2 step 2), or ZONE_INDEX_NONE. */
uint32_t zone_index_find(const struct zone_index *a, const struct name *name);

#endif
