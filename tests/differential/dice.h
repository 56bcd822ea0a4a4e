/* dice.h -- choices that a seed decides: the same on every machine and in every run.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIFFERENTIAL_DICE_H
#define TESTS_DIFFERENTIAL_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct dice {
	uint64_t seed, rolled;
};

static inline uint64_t dice_u64(struct dice *d) { return hash_mix(d->seed, ++d->rolled); }

/* Uniform in 0 .. sides-1. */
static inline unsigned dice_roll(struct dice *d, size_t sides)
{
	return (unsigned)(dice_u64(d) % sides);
}

static inline bool dice_chance(struct dice *d, unsigned percent)
{
	return dice_roll(d, 100) < percent;
}

/* One of an array. */
#define dice_pick(d, array) ((array)[dice_roll((d), sizeof(array) / sizeof((array)[0]))])

#endif
