/* source.h -- where names come from, in words: counted texts in the slab.
 *
 * Neighbours mostly share their source, so a small cache of recent ones is enough to
 * store it once; no index of all of them is kept.  Readers only call source_text().
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SOURCE_H
#define ZONES_SOURCE_H

#include <stdint.h>

#include "zones/slab.h"

struct source;
enum { SOURCE_RECENT = 512 };

struct sources {
	struct slab *slab;
	uint32_t recent[SOURCE_RECENT]; /* each counts as a user */
	uint32_t latest;                /* one of them, or 0 */
};

/* The place of a text (NULL, "": 0), with one more user. */
uint32_t source_take(struct sources *s, const char *text);
uint32_t source_ref(struct slab *slab, uint32_t place);
void source_unref(struct slab *slab, uint32_t place);
const char *source_text(const uint8_t *base, uint32_t place);

#endif
