/* fold.h -- the keyed hash of names: one multiplication for 16 bytes.
 *
 * Made when it is asked for: a name that is found needs two hashes, that of its zone's
 * apex and its own, however many labels it has.
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

static inline uint64_t fold_multiply(uint64_t a, uint64_t b)
{
	fold_product p = (fold_product)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
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

/* Where 16 bytes differ, as bits of both halves. */
typedef uint64_t fold_halves __attribute__((vector_size(16)));
static inline fold_halves fold_difference(const uint8_t *a, const uint8_t *b)
{
	fold_halves x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x ^ y;
}

/* Are two stretches of at least 8 bytes equal? Without a call: names are short.  Nearly always they are equal, so it is asked
 * once, in the end. */
static inline bool fold_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	fold_halves differs;

	if (len < 16)
		return ((fold_load(a) ^ fold_load(b)) |
		        (fold_load(a + len - 8) ^ fold_load(b + len - 8))) == 0;
	differs = fold_difference(a + len - 16, b + len - 16);
	for (size_t i = 0; i + 16 < len; i += 16)
		differs |= fold_difference(a + i, b + i);
	return (differs[0] | differs[1]) == 0;
}

/* Of the lower-case name of `len` bytes at `wire`, behind which NAME_PADDING zeros stand. */
static inline uint64_t fold_name(const uint8_t *wire, size_t len, const struct name_key *key)
{
	uint64_t hash = key->k[2];

	for (size_t i = 0; i < len; i += 16)
		hash = fold_multiply(fold_load(wire + i) ^ key->k[0],
		                     fold_load(wire + i + 8) ^ key->k[1] ^ hash);
	return hash;
}

/* By what a name with sites chooses among equal ones: the same on every machine, for replicas must choose alike.  So the key is no
 * secret: whoever asks can find out which site a name gives him, but moves nobody else.  `wire` as fold_name() has it. */
static inline uint32_t name_lot(const uint8_t *wire, size_t len)
{
	/* The first are capitals, which no name has here: none makes a factor 0. */
	static const struct name_key known = {
		{0x4e4947484c4f5453, 0x94d049bb133111eb, 0x9fb21c651e98df25, 0}};

	return (uint32_t)(fold_name(wire, len, &known) >> 32);
}

/* Of a name without its first `label` labels. */
static inline uint64_t fold_suffix(const struct name *n, unsigned label, const struct name_key *key)
{
	return fold_name(n->wire + n->at[label], (size_t)n->len - n->at[label], key);
}

/* Of a good stored name. */
uint64_t name_wire_hash(const uint8_t *wire, const struct name_key *key);

#endif
