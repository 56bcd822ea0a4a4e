/* ranking_tree.h -- addresses to numbers, four bits a step, for the answering path.
 *
 * A table for the first 16 bits of each family, then nodes of one cache line.
 * An entry is a leaf with a number and the length of its network, or the number of
 * a node; equal nodes are stored once.  Frozen when built.  For ranking.h alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RANKING_TREE_H
#define GEO_RANKING_TREE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

/* A leaf: the flag, 5 bits of length (counted from the node's first bit), the value. */
#define RANKING_TREE_LEAF 0x80000000u
enum { RANKING_TREE_VALUE_BITS = 26, RANKING_TREE_MAX_VALUE = (1 << RANKING_TREE_VALUE_BITS) - 1 };
enum {
	RANKING_TREE_FIRST = 16,
	RANKING_TREE_STEP = 4,
	RANKING_TREE_FANOUT = 1 << RANKING_TREE_STEP
};

struct ranking_tree_node {
	uint32_t entry[RANKING_TREE_FANOUT];
};

struct ranking_tree {
	const struct ranking_tree_node *nodes; /* of both families, on cache lines */
	const uint32_t *first4, *first6;       /* by the first bits */
	/* 63 - how many bits these are: 16, or 0 when one leaf covers all.  One more is shifted before, as 64 at once would
	 * not be defined. */
	unsigned shift4, shift6;
	size_t node_count;
};

struct ranking_tree_leaf {
	uint32_t value;
	uint8_t depth;
};

/* a->family is ADDR_IPV4 or ADDR_IPV6. */
static inline struct ranking_tree_leaf ranking_tree_find(const struct ranking_tree *t,
                                                         const struct addr *a)
{
	uint64_t bits, rest = 0;
	uint32_t entry, half;
	unsigned base = RANKING_TREE_FIRST;

	if (a->family == ADDR_IPV4) {
		memcpy(&half, a->bytes, sizeof(half));
		bits = (uint64_t)be32toh(half) << 32;
		entry = t->first4[bits >> 1 >> t->shift4];
	} else {
		memcpy(&bits, a->bytes, sizeof(bits));
		memcpy(&rest, a->bytes + sizeof(bits), sizeof(rest));
		bits = be64toh(bits);
		entry = t->first6[bits >> 1 >> t->shift6];
	}
	if ((entry & RANKING_TREE_LEAF) != 0)
		base = 0;
	else
		bits <<= RANKING_TREE_FIRST;
	for (unsigned at = base; (entry & RANKING_TREE_LEAF) == 0; at += RANKING_TREE_STEP) {
		base = at;
		entry = t->nodes[entry].entry[bits >> (64 - RANKING_TREE_STEP)];
		bits = at == 64 - RANKING_TREE_STEP ? be64toh(rest) : bits << RANKING_TREE_STEP;
	}
	return (struct ranking_tree_leaf){
		.value = entry & RANKING_TREE_MAX_VALUE,
		.depth = (uint8_t)(base + (entry >> RANKING_TREE_VALUE_BITS & 31)),
	};
}

struct ranking_tree_builder;

struct ranking_tree_builder *ranking_tree_builder_new(void);
/* Every network of a family in address order, without gap or overlap, siblings
 * of one value merged; value <= RANKING_TREE_MAX_VALUE. */
void ranking_tree_builder_add(struct ranking_tree_builder *b, const struct addr_network *network,
                              uint32_t value);
/* Both families have been added whole.  Frees the builder. */
struct ranking_tree ranking_tree_freeze(struct ranking_tree_builder *take_b);
void ranking_tree_fini(struct ranking_tree *t);
size_t ranking_tree_memory(const struct ranking_tree *t); /* bytes */

#endif
