/* idmap.h -- from 32 bits of a hash to small numbers, eight bytes a slot.
 *
 * For indexes over a million names: the number tells where the thing itself is,
 * and the owner asks it whether it is the one meant.  A hash may have several
 * values.  Numbers are not 0.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_IDMAP_H
#define RECORDS_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap_slot {
	uint32_t hash;
	uint32_t value; /* 0: free */
};

struct idmap { /* zeroed: empty */
	struct idmap_slot *slots;
	size_t room, count;
};

void idmap_fini(struct idmap *m);
/* Room for that many more without growing on the way. */
void idmap_reserve(struct idmap *m, size_t more);
void idmap_put(struct idmap *m, uint32_t hash, uint32_t value);
/* One slot of that pair; false: there is none. */
bool idmap_remove(struct idmap *m, uint32_t hash, uint32_t value);

/* struct idmap_walk w = idmap_find(m, hash); while ((value = idmap_next(m, &w)) != NULL) ...
 * The value may be changed in place (not to 0); no put or remove meanwhile. */
struct idmap_walk {
	size_t at, away;
	uint32_t hash;
};
struct idmap_walk idmap_find(const struct idmap *m, uint32_t hash);
uint32_t *idmap_next(const struct idmap *m, struct idmap_walk *w);
/* Asks the processor for the place where the hash lies, before it is needed. */
void idmap_prefetch(const struct idmap *m, uint32_t hash);

#endif
