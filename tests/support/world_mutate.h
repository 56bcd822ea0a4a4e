/* world_mutate.h -- DNS messages as no decent client sends them: good ones of every kind, changed at random.
 *
 * The same seed gives the same messages.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_MUTATE_H
#define TESTS_SUPPORT_WORLD_MUTATE_H

#include <stddef.h>
#include <stdint.h>

enum { MUTATE_ROOM = 5000 };

struct mutator {
	uint64_t state;
};

struct mutator mutate_begin(uint64_t seed);
/* From 0 to below `bound`. */
unsigned mutate_below(struct mutator *m, unsigned bound);
/* A good query, one of every kind that there is; returns its length. */
size_t mutate_pick(struct mutator *m, uint8_t out[MUTATE_ROOM]);
/* Bits flipped, cut, spliced, counts and lengths that lie, pointers, parts repeated; returns the new length. */
size_t mutate_change(struct mutator *m, uint8_t bytes[MUTATE_ROOM], size_t len);
/* A good query changed up to four times, with that ID where there is room. */
size_t mutate_message(struct mutator *m, uint16_t id, uint8_t out[MUTATE_ROOM]);

#endif
