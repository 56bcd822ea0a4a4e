/* prefix_cut.h -- laying a tree over networks that come in address order.
 *
 * What is walked elsewhere is cut at the borders of a tree's leaves, so that each piece has one value of
 * the tree.  The leaf that was found last is looked at first, so a small tree costs next to nothing.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_PREFIX_CUT_H
#define GEO_PREFIX_CUT_H

#include <stdint.h>

#include "geo/prefix_tree.h"

/* Held by the caller; tree, on_piece and arg set, the rest zero. */
struct prefix_cut {
	const struct prefix_tree *tree;
	void (*on_piece)(const struct addr_network *piece, uint32_t value /* or PREFIX_NONE */,
	                 void *arg);
	void *arg;
	struct addr_network leaf;
	uint32_t value;
};

/* Gives the pieces of a network, in address order. */
void prefix_cut(struct prefix_cut *c, const struct addr_network *network);

#endif
