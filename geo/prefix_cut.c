/* prefix_cut.c -- from leaf to leaf through a network. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/prefix_cut.h"

#include <stdbool.h>

static void find_leaf(struct prefix_cut *c, const struct addr *at)
{
	struct prefix_match m;

	if (addr_network_has(&c->leaf, at))
		return;
	m = prefix_tree_find(c->tree, at);
	c->leaf = (struct addr_network){addr_masked(at, m.depth), m.depth};
	c->value = m.value;
}

/* The first address behind a network; false: none is, inside of one of length `outer`. */
static bool move_behind(struct addr *at, uint8_t len, uint8_t outer)
{
	for (unsigned bit = len; bit > outer; bit--) {
		uint8_t mask = (uint8_t)(0x80u >> (bit - 1) % 8);

		at->bytes[(bit - 1) / 8] ^= mask;
		if ((at->bytes[(bit - 1) / 8] & mask) != 0)
			return true;
	}
	return false;
}

void prefix_cut(struct prefix_cut *c, const struct addr_network *network)
{
	struct addr at = network->addr;
	uint8_t len;

	do {
		struct addr_network piece = {at, network->len};

		find_leaf(c, &at);
		if (c->leaf.len > piece.len)
			piece.len = c->leaf.len;
		len = piece.len;
		c->on_piece(&piece, c->value, c->arg);
	} while (move_behind(&at, len, network->len));
}
