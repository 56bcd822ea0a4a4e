/* slab.h -- memory for millions of small frozen blocks, named by 32 bits.
 *
 * One reserved stretch of addresses that is taken into use from its beginning and
 * never moves, so that readers find a block by its place while the writer
 * allocates.  Blocks that came back are used again for the same or a smaller size.
 * All calls but slab_at() belong to the writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SLAB_H
#define ZONES_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { SLAB_UNIT = 4 }; /* bytes: size and alignment of the smallest block */

struct slab;

struct slab *slab_new(void);
void slab_free(struct slab *s); /* NULL is fine */

/* A block's place in units from the base; never 0.  Not zeroed.  No room (4 GB of units): CHECK. */
uint32_t slab_alloc(struct slab *s, size_t bytes);
void slab_give_back(struct slab *s, uint32_t place, size_t bytes); /* `bytes` as asked */

/* Place 0 is a zeroed block of 8 bytes for everybody. */
const uint8_t *slab_base(const struct slab *s);
/* Bytes given and not come back. */
size_t slab_used(const struct slab *s);
/* Bytes taken into use, what came back included. */
size_t slab_held(const struct slab *s);

static inline void *slab_at(const uint8_t *base, uint32_t place)
{
	return (void *)(uintptr_t)(base + (size_t)place * SLAB_UNIT);
}

#endif
