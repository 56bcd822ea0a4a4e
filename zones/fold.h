/* fold.h -- the keyed hash of names: one multiplication for eight bytes.
 *
 * A suffix's hash goes on from that of the suffix behind it, so that one pass from
 * the right gives all of them, and that of "*" before any of them costs one more step.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_FOLD_H
#define ZONES_FOLD_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "zones/name.h"

__extension__ typedef unsigned __int128 fold_product;

static inline uint64_t fold_chunk(uint64_t hash, uint64_t chunk, const struct name_key *key)
{
	fold_product p = (fold_product)(hash ^ key->k[0]) * (chunk ^ key->k[1]);

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* hash[i] of "*" before the suffix whose hash is given. */
static inline uint64_t fold_wildcard(uint64_t suffix, const struct name_key *key)
{
	return fold_chunk(suffix, 0x2a01, key);
}

/* Eight bytes as a little-endian number, so that every machine goes the same way. */
static inline uint64_t fold_load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void fold_store(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* Are two stretches of at least 8 bytes equal? Without a call: names are short. */
static inline bool fold_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i + 8 < len; i += 8)
		if (fold_load(a + i) != fold_load(b + i))
			return false;
	return fold_load(a + len - 8) == fold_load(b + len - 8);
}

/* hash[0] of a good stored name. */
uint64_t name_wire_hash(const uint8_t *wire, const struct name_key *key);

#endif
