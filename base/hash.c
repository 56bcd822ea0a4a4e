/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate(uint64_t v, unsigned by) { return v << by | v >> (64 - by); }

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void rounds(uint64_t v[4], unsigned count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

uint64_t hash_siphash(const struct hash_key *key, const void *data, size_t len)
{
	uint64_t v[4] = {
		key->k0 ^ 0x736f6d6570736575,
		key->k1 ^ 0x646f72616e646f6d,
		key->k0 ^ 0x6c7967656e657261,
		key->k1 ^ 0x7465646279746573,
	};
	const uint8_t *at = data;
	size_t left = len;
	uint64_t last = (uint64_t)len << 56;

	for (; left >= 8; at += 8, left -= 8)
		absorb(v, load64(at));
	while (left-- > 0)
		last |= (uint64_t)at[left] << (8 * left);
	absorb(v, last);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* SipHash with a key that everybody knows. */
uint64_t hash_fixed(struct bytes data)
{
	static const struct hash_key known = {0x6e696768, 0x66697865};

	return hash_siphash(&known, data.data, data.len);
}

/* The finalizer of SplitMix64: one to one, and every bit reaches every other. */
static uint64_t stir(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
	return stir(stir(a + 0x9e3779b97f4a7c15) + b + 0x3c6ef372fe94f82a);
}
