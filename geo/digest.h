/* digest.h -- a list of numbers by its hash of 128 bits: no two that differ will ever be taken for one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_DIGEST_H
#define GEO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct digest {
	uint64_t half[2];
};

static inline struct digest digest_of_bytes(const void *data, size_t len)
{
	static const struct hash_key keys[2] = {{1, 2}, {3, 4}};

	return (struct digest){
		{hash_siphash(&keys[0], data, len), hash_siphash(&keys[1], data, len)}};
}

static inline struct digest digest_of(const uint16_t *numbers, size_t count)
{
	return digest_of_bytes(numbers, count * sizeof(*numbers));
}

#endif
