/* hash.h -- hashing: a keyed one that strangers cannot steer, and a fixed one.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct hash_key {
	uint64_t k0, k1;
};

/* SipHash-2-4 (Aumasson and Bernstein, 2012; the one of RFC 9018 4.4). */
uint64_t hash_siphash(const struct hash_key *key, const void *data, size_t len);
/* The same of 16 bytes: two numbers, little end first. */
uint64_t hash_siphash_two(const struct hash_key *key, uint64_t a, uint64_t b);

/* The same on every machine and in every run: for choices that all replicas
 * must make alike, and for check sums of what we wrote.  Not for tables that
 * strangers fill. */
uint64_t hash_fixed(struct bytes data);

/* The finalizer of SplitMix64: one to one, and every bit reaches every other. */
static inline uint64_t hash_stir(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}
/* Mixes two values into one, evenly; fixed like hash_fixed(). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	return hash_stir(hash_stir(a + 0x9e3779b97f4a7c15) + b + 0x3c6ef372fe94f82a);
}
/* hash_siphash() of two texts, such as a namespace and a name: where the first one ends counts. */
static inline uint64_t hash_siphash_pair(const struct hash_key *key, struct bytes a, struct bytes b)
{
	return hash_mix(hash_siphash(key, a.data, a.len), hash_siphash(key, b.data, b.len));
}

#endif
