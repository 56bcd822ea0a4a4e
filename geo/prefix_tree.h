/* prefix_tree.h -- networks with values: longest match, and one walk over several trees.
 *
 * A binary tree for each family in one flat array of eight-byte nodes.  A value
 * that is put counts for the whole of its network; networks put afterwards
 * inside it override it there.  Frozen once it is filled; then any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_PREFIX_TREE_H
#define GEO_PREFIX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "geo/spans.h"

struct prefix_tree;

/* A record is the number of a node, or PREFIX_LEAF | value, or PREFIX_NONE, the leaf without value. */
#define PREFIX_LEAF 0x80000000u
#define PREFIX_NONE 0xffffffffu

enum { PREFIX_MAX_VALUE = 0x7ffffffe, PREFIX_MAX_LEAVES = 1 << 27 };

struct prefix_node {
	uint32_t record[2]; /* where the next bit is 0, where it is 1 */
};

struct prefix_tree *prefix_tree_new(void);
void prefix_tree_free(struct prefix_tree *t); /* NULL is fine */

/* value <= PREFIX_MAX_VALUE */
void prefix_tree_put(struct prefix_tree *t, const struct addr_network *network, uint32_t value);
/* After the last put.  IPv4's networks are in ::ffff:0:0/96 as well, instead of what was put there: an
 * IPv4-mapped address is where its IPv4 address is. */
void prefix_tree_finish(struct prefix_tree *t);

/* A tree of nodes from outside, rooted in the first; takes them (from malloc) in any
 * case, and it is finished.  With IPv6, IPv4 lies in ::/96, which is empty as IPv6.  Nodes may be reached by
 * several ways.
 * ERR_PARSE: a record names no node, a branch is longer than an address (so every
 * circle), or there are more than PREFIX_MAX_LEAVES leaves. */
enum err prefix_tree_adopt(struct prefix_node *take_nodes, size_t count, bool has_ipv6,
                           struct prefix_tree **out, struct reason *why) MUST_CHECK;

size_t prefix_tree_memory(const struct prefix_tree *t); /* bytes */

struct prefix_match {
	uint32_t value; /* or PREFIX_NONE */
	uint8_t depth;  /* length of the leaf's network */
};
struct prefix_match prefix_tree_find(const struct prefix_tree *t, const struct addr *a);

/* `tree`: which one the value is from; their count for PREFIX_NONE. */
typedef void prefix_tree_on_leaf_fn(const struct addr_network *network, size_t tree, uint32_t value,
                                    void *arg);
/* Covers the family's whole space in address order: each network with the value of
 * the first tree that has one there, or PREFIX_NONE.  Not merged. */
void prefix_tree_walk(const struct prefix_tree *const *trees, size_t count, enum addr_family family,
                      prefix_tree_on_leaf_fn *on_leaf, void *arg);

#endif
