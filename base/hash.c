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

/* Passed as a value, so that it stays in registers. */
struct state {
	uint64_t v0, v1, v2, v3;
};

static inline struct state turn(struct state s)
{
	s.v0 += s.v1;
	s.v2 += s.v3;
	s.v1 = rotate(s.v1, 13) ^ s.v0;
	s.v3 = rotate(s.v3, 16) ^ s.v2;
	s.v0 = rotate(s.v0, 32);
	s.v2 += s.v1;
	s.v0 += s.v3;
	s.v1 = rotate(s.v1, 17) ^ s.v2;
	s.v3 = rotate(s.v3, 21) ^ s.v0;
	s.v2 = rotate(s.v2, 32);
	return s;
}

static inline struct state begin(const struct hash_key *key)
{
	return (struct state){
		key->k0 ^ 0x736f6d6570736575,
		key->k1 ^ 0x646f72616e646f6d,
		key->k0 ^ 0x6c7967656e657261,
		key->k1 ^ 0x7465646279746573,
	};
}

static inline struct state absorb(struct state s, uint64_t word)
{
	s.v3 ^= word;
	s = turn(turn(s));
	s.v0 ^= word;
	return s;
}

static inline uint64_t finish(struct state s)
{
	s.v2 ^= 0xff;
	s = turn(turn(turn(turn(s))));
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_siphash(const struct hash_key *key, const void *data, size_t len)
{
	struct state s = begin(key);
	const uint8_t *at = data;
	size_t left = len;
	uint64_t last = (uint64_t)len << 56;

	for (; left >= 8; at += 8, left -= 8)
		s = absorb(s, load64(at));
	while (left-- > 0)
		last |= (uint64_t)at[left] << (8 * left);
	return finish(absorb(s, last));
}

uint64_t hash_siphash_two(const struct hash_key *key, uint64_t a, uint64_t b)
{
	return finish(absorb(absorb(absorb(begin(key), a), b), (uint64_t)16 << 56));
}

/* SipHash with a key that everybody knows. */
uint64_t hash_fixed(struct bytes data)
{
	static const struct hash_key known = {0x6e696768, 0x66697865};

	return hash_siphash(&known, data.data, data.len);
}
