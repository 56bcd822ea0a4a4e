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
/* Mixes two values into one, evenly; fixed like hash_fixed(). */
uint64_t hash_mix(uint64_t a, uint64_t b);

#endif
