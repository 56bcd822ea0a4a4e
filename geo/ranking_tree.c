/* ranking_tree.c -- the tree is filled from left to right, so only one node of each depth is open. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/ranking_tree.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/intern.h"

enum { LEVELS = 1 + (128 - RANKING_TREE_FIRST) / RANKING_TREE_STEP, CACHE_LINE = 64 };

/* The table of a family's first bits. */
struct first {
	uint32_t *entries;
	unsigned bits;
};

struct ranking_tree_builder {
	struct intern *nodes;
	struct first first4, first6;
	/* open[k]: the node that is being filled at bit 16 + 4 * (k - 1) of the current address. */
	struct ranking_tree_node open[LEVELS];
};

struct ranking_tree_builder *ranking_tree_builder_new(void)
{
	struct ranking_tree_builder *b = xcalloc(1, sizeof(*b));

	b->nodes = intern_new(sizeof(struct ranking_tree_node));
	return b;
}

/* The first bit that a level's entries tell apart; level 0 is the table. */
static unsigned base_of(unsigned level)
{
	return level == 0 ? 0 : RANKING_TREE_FIRST + (level - 1) * RANKING_TREE_STEP;
}

static uint32_t index_at(const struct addr *a, unsigned level)
{
	unsigned base = base_of(level), len = level == 0 ? RANKING_TREE_FIRST : RANKING_TREE_STEP;
	uint32_t two =
		(uint32_t)a->bytes[base / 8] << 8 | (base / 8 < 15 ? a->bytes[base / 8 + 1] : 0u);

	return two >> (16 - base % 8 - len) & ((1u << len) - 1);
}

static void put(uint32_t *entries, uint32_t at, uint32_t count, uint32_t entry)
{
	for (uint32_t i = 0; i < count; i++)
		entries[at + i] = entry;
}

/* A whole family in one leaf needs no table. */
static void put_everything(struct first *f, uint32_t entry)
{
	f->bits = 0;
	f->entries = xmalloc(sizeof(*f->entries));
	f->entries[0] = entry;
}

/* The open node of this level is full: it becomes an entry of the one above, which may be full then. */
static void close_node(struct ranking_tree_builder *b, struct first *f, const struct addr *a,
                       unsigned level)
{
	for (uint32_t number, at; level > 0; level--) {
		number = intern_put(b->nodes, &b->open[level]);
		CHECK(number < RANKING_TREE_LEAF);
		at = index_at(a, level - 1);
		if (level == 1)
			f->entries[at] = number;
		else
			b->open[level - 1].entry[at] = number;
		if (level == 1 || at != RANKING_TREE_FANOUT - 1)
			return;
	}
}

void ranking_tree_builder_add(struct ranking_tree_builder *b, const struct addr_network *network,
                              uint32_t value)
{
	struct first *f = network->addr.family == ADDR_IPV4 ? &b->first4 : &b->first6;
	unsigned len = network->len, level = 0, base, end;
	uint32_t entry, at, count;

	if (len > RANKING_TREE_FIRST)
		level = 1 + (len - RANKING_TREE_FIRST - 1) / RANKING_TREE_STEP;
	base = base_of(level);
	end = base_of(level + 1);
	CHECK(value <= RANKING_TREE_MAX_VALUE);
	entry = RANKING_TREE_LEAF | (len - base) << RANKING_TREE_VALUE_BITS | value;
	if (len == 0) {
		put_everything(f, entry);
		return;
	}
	if (f->entries == NULL) {
		f->bits = RANKING_TREE_FIRST;
		f->entries = xcalloc((size_t)1 << RANKING_TREE_FIRST, sizeof(*f->entries));
	}
	at = index_at(&network->addr, level);
	count = 1u << (end - len);
	put(level == 0 ? f->entries : b->open[level].entry, at, count, entry);
	if (level > 0 && at + count == RANKING_TREE_FANOUT)
		close_node(b, f, &network->addr, level);
}

struct ranking_tree ranking_tree_freeze(struct ranking_tree_builder *take_b)
{
	size_t count = intern_count(take_b->nodes),
	       size = (count + 1) * sizeof(struct ranking_tree_node);
	struct ranking_tree_node *nodes = aligned_alloc(CACHE_LINE, size);
	struct ranking_tree t = {
		.nodes = nodes,
		.first4 = take_b->first4.entries,
		.first6 = take_b->first6.entries,
		.shift4 = 63 - take_b->first4.bits,
		.shift6 = 63 - take_b->first6.bits,
		.node_count = count,
	};

	CHECK(nodes != NULL && t.first4 != NULL && t.first6 != NULL);
	memcpy(nodes, intern_items(take_b->nodes), count * sizeof(*nodes));
	intern_free(take_b->nodes);
	free(take_b);
	return t;
}

void ranking_tree_fini(struct ranking_tree *t)
{
	/* Const for the readers, ours to free. */
	free((void *)(uintptr_t)t->nodes);
	free((void *)(uintptr_t)t->first4);
	free((void *)(uintptr_t)t->first6);
	*t = (struct ranking_tree){0};
}

size_t ranking_tree_memory(const struct ranking_tree *t)
{
	size_t first = 0;

	first += t->shift4 == 63 ? 1 : (size_t)1 << RANKING_TREE_FIRST;
	first += t->shift6 == 63 ? 1 : (size_t)1 << RANKING_TREE_FIRST;
	return first * sizeof(*t->first4) + t->node_count * sizeof(*t->nodes);
}
