/* prefix_tree.c -- nodes in an array, values in the leaves' records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/prefix_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

struct prefix_tree {
	struct prefix_node *nodes;
	size_t count, room;
	uint32_t root4, root6; /* records */
};

struct prefix_tree *prefix_tree_new(void)
{
	struct prefix_tree *t = xcalloc(1, sizeof(*t));

	t->root4 = t->root6 = PREFIX_NONE;
	return t;
}

void prefix_tree_free(struct prefix_tree *t)
{
	if (t == NULL)
		return;
	free(t->nodes);
	free(t);
}

static bool is_leaf(uint32_t record) { return (record & PREFIX_LEAF) != 0; }

/* A new node that says the same as a record: a leaf's halves are like itself. */
static uint32_t node_like(struct prefix_tree *t, uint32_t record)
{
	struct prefix_node node = {{record, record}};

	if (!is_leaf(record))
		node = t->nodes[record];
	CHECK(t->count < PREFIX_LEAF);
	if (t->count == t->room) {
		t->room = t->room * 3 / 2 + 64;
		t->nodes = xreallocarray(t->nodes, t->room, sizeof(*t->nodes));
	}
	t->nodes[t->count] = node;
	return (uint32_t)t->count++;
}

static uint32_t node_below(struct prefix_tree *t, uint32_t record)
{
	return is_leaf(record) ? node_like(t, record) : record;
}

void prefix_tree_put(struct prefix_tree *t, const struct addr_network *network, uint32_t value)
{
	uint32_t *root = network->addr.family == ADDR_IPV4 ? &t->root4 : &t->root6;
	uint32_t node, below;
	unsigned bit;

	CHECK(value <= PREFIX_MAX_VALUE && network->addr.family != ADDR_NONE);
	if (network->len == 0) {
		*root = PREFIX_LEAF | value;
		return;
	}
	*root = node = node_below(t, *root);
	for (unsigned at = 0; at + 1 < network->len; at++, node = below) {
		bit = spans_bit(&network->addr, at);
		below = node_below(t, t->nodes[node].record[bit]);
		t->nodes[node].record[bit] = below;
	}
	t->nodes[node].record[spans_bit(&network->addr, network->len - 1u)] = PREFIX_LEAF | value;
}

/* Over new nodes: a foreign tree's may be reached by other ways as well, and one that the IPv4 tree
 * reaches would close a circle. */
static void graft_ipv4(struct prefix_tree *t)
{
	enum { ZEROS = 80, ONES = 16 };
	uint32_t node, below;

	if (t->root4 == t->root6 && is_leaf(t->root4))
		return;
	t->root6 = node = node_like(t, t->root6);
	for (unsigned at = 0; at + 1 < ZEROS + ONES; at++, node = below) {
		below = node_like(t, t->nodes[node].record[at >= ZEROS]);
		t->nodes[node].record[at >= ZEROS] = below;
	}
	t->nodes[node].record[1] = t->root4;
}

void prefix_tree_finish(struct prefix_tree *t)
{
	graft_ipv4(t);
	if (t->count > 0)
		t->nodes = xreallocarray(t->nodes, t->count, sizeof(*t->nodes));
	t->room = t->count;
}

/* What is known of the nodes of a foreign tree; height 0: not looked at yet. */
struct survey {
	const struct prefix_node *nodes;
	size_t count;
	uint8_t *height;
	uint32_t *leaves;
};

/* False: a record names no node, or a branch is longer than `bits`.  The depth bounds
 * the recursion, and what is known already bounds the time. */
static bool survey(struct survey *s, uint32_t node, unsigned bits)
{
	uint8_t height = 0;
	uint64_t leaves = 0;

	if (node >= s->count || bits == 0)
		return false;
	if (s->height[node] != 0)
		return s->height[node] <= bits;
	for (int i = 0; i < 2; i++) {
		uint32_t record = s->nodes[node].record[i];

		if (is_leaf(record)) {
			leaves++;
			continue;
		}
		if (!survey(s, record, bits - 1))
			return false;
		leaves += s->leaves[record];
		height = s->height[record] > height ? s->height[record] : height;
	}
	s->height[node] = (uint8_t)(height + 1);
	s->leaves[node] = leaves > PREFIX_MAX_LEAVES ? PREFIX_MAX_LEAVES + 1 : (uint32_t)leaves;
	return true;
}

static enum err check_nodes(const struct prefix_node *nodes, size_t count, bool has_ipv6,
                            struct reason *why)
{
	struct survey s = {.nodes = nodes, .count = count};
	enum err err = ERR_OK;

	if (count >= PREFIX_LEAF)
		return reason_set(why, ERR_PARSE, "the search tree has more than %u nodes",
		                  PREFIX_LEAF - 1);
	s.height = xcalloc(count, sizeof(*s.height));
	s.leaves = xcalloc(count, sizeof(*s.leaves));
	if (!survey(&s, 0, has_ipv6 ? 128 : 32))
		err = reason_set(why, ERR_PARSE, "the search tree is not a tree");
	else if (s.leaves[0] > PREFIX_MAX_LEAVES)
		err = reason_set(why, ERR_PARSE, "the search tree has more than %d leaves",
		                 PREFIX_MAX_LEAVES);
	free(s.height);
	free(s.leaves);
	return err;
}

/* Nobody has an address in ::/96: the format keeps IPv4 there. */
static void empty_zeros(struct prefix_tree *t)
{
	uint32_t node = t->root6;

	for (int at = 0; at < 95 && !is_leaf(node); at++)
		node = t->nodes[node].record[0];
	if (!is_leaf(node))
		t->nodes[node].record[0] = PREFIX_NONE;
}

enum err prefix_tree_adopt(struct prefix_node *take_nodes, size_t count, bool has_ipv6,
                           struct prefix_tree **out, struct reason *why)
{
	enum err err = count > 0 ? check_nodes(take_nodes, count, has_ipv6, why) : ERR_OK;
	struct prefix_tree *t;

	if (err != ERR_OK) {
		free(take_nodes);
		return err;
	}
	t = prefix_tree_new();
	t->nodes = take_nodes;
	t->count = t->room = count;
	t->root4 = count > 0 ? 0 : PREFIX_NONE;
	if (has_ipv6) {
		t->root6 = t->root4;
		for (int i = 0; i < 96 && !is_leaf(t->root4); i++)
			t->root4 = t->nodes[t->root4].record[0];
		empty_zeros(t);
	}
	prefix_tree_finish(t);
	*out = t;
	return ERR_OK;
}

size_t prefix_tree_memory(const struct prefix_tree *t)
{
	return sizeof(*t) + t->room * sizeof(*t->nodes);
}

static uint32_t root_of(const struct prefix_tree *t, enum addr_family family)
{
	return family == ADDR_IPV4 ? t->root4 : family == ADDR_IPV6 ? t->root6 : PREFIX_NONE;
}

struct prefix_match prefix_tree_find(const struct prefix_tree *t, const struct addr *a)
{
	uint32_t record = root_of(t, (enum addr_family)a->family);
	uint8_t depth = 0;

	while (!is_leaf(record))
		record = t->nodes[record].record[spans_bit(a, depth++)];
	return (struct prefix_match){record == PREFIX_NONE ? PREFIX_NONE : record & ~PREFIX_LEAF,
	                             depth};
}

struct walk {
	const struct prefix_tree *const *trees;
	size_t count;
	struct addr_network at;
	uint32_t *records; /* for each depth, one of every tree */
	prefix_tree_on_leaf_fn *on_leaf;
	void *arg;
};

/* The tree that decides: the first whose record is not an empty leaf. */
static size_t deciding(const struct walk *w, const uint32_t *row)
{
	size_t i = 0;

	while (i < w->count && row[i] == PREFIX_NONE)
		i++;
	return i;
}

static void visit(struct walk *w)
{
	const uint32_t *row = w->records + w->count * w->at.len;
	uint32_t *below = w->records + w->count * (w->at.len + 1u);
	size_t tree = deciding(w, row);
	uint32_t record = tree < w->count ? row[tree] : PREFIX_NONE;
	uint8_t len = w->at.len, mask = (uint8_t)(0x80u >> len % 8);

	if (is_leaf(record)) {
		w->on_leaf(&w->at, tree,
		           record == PREFIX_NONE ? PREFIX_NONE : record & ~PREFIX_LEAF, w->arg);
		return;
	}
	for (int half = 0; half < 2; half++) {
		for (size_t i = 0; i < w->count; i++)
			below[i] =
				is_leaf(row[i]) ? row[i] : w->trees[i]->nodes[row[i]].record[half];
		w->at.len = (uint8_t)(len + 1);
		if (half == 1)
			w->at.addr.bytes[len / 8] |= mask;
		visit(w);
	}
	w->at.addr.bytes[len / 8] &= (uint8_t)~mask;
	w->at.len = len;
}

void prefix_tree_walk(const struct prefix_tree *const *trees, size_t count, enum addr_family family,
                      prefix_tree_on_leaf_fn *on_leaf, void *arg)
{
	struct walk w = {.trees = trees, .count = count, .on_leaf = on_leaf, .arg = arg};

	w.at.addr.family = (uint8_t)family;
	w.records = xcalloc((count + 1) * 130, sizeof(*w.records));
	for (size_t i = 0; i < count; i++)
		w.records[i] = root_of(trees[i], family);
	visit(&w);
	free(w.records);
}
