/* tree.h -- a zone's names: a persistent hash trie of nodes (a HAMT of 32 ways).
 *
 * Keyed by the hash of the full lower-case name, five bits a level.  A root is a
 * `link`: the tagged place of a branch or of a node in the slab; 0 is the empty tree.
 * Changing a tree copies the branches on the way to the change; what a published
 * tree may still use is not freed but noted as garbage.  Readers only call tree_find()
 * and tree_each(); the rest belongs to the writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_TREE_H
#define ZONES_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zones/fold.h"
#include "zones/node.h"
#include "zones/slab.h"

struct tree_branch {
	uint32_t bitmap;     /* TREE_WIDE: 32 links, 0 for no kid */
	uint32_t generation; /* the writer's: when it was made */
	uint32_t kid[];      /* else links, one for each set bit */
};
#define TREE_WIDE UINT32_MAX

/* A link to the node at a place, and back. */
static inline uint32_t tree_leaf(uint32_t place) { return place << 1 | 1; }
static inline uint32_t tree_place(uint32_t link) { return link >> 1; }

static inline unsigned tree_count_bits(uint32_t v)
{
	v -= v >> 1 & 0x55555555;
	v = (v & 0x33333333) + (v >> 2 & 0x33333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f;
	return v * 0x01010101 >> 24;
}

/* Is the node's owner `wire` (lower case, `len` bytes with the root) but for capitals? */
bool tree_same_caseless(const uint8_t *owner, const uint8_t *wire, size_t len);

static inline bool tree_owner_is(const struct node *n, const uint8_t *wire, size_t len)
{
	/* The length, rounded: from here on `len` bytes may be read from the owner. */
	if (n->body != (sizeof(*n) + len + 3) / 4 + (n->bits & NODE_COUNTED) / NODE_COUNTED)
		return false;
	if (__builtin_expect((n->bits & NODE_MIXED_CASE) || len < 8, 0))
		return tree_same_caseless(node_owner(n), wire, len);
	return fold_same(node_owner(n), wire, len);
}

/* NULL when there is no node of that name. */
__attribute__((always_inline)) static inline const struct node *tree_find(
	const uint8_t *base, uint32_t root, uint64_t hash, const uint8_t *wire, size_t len)
{
	const struct node *n;

	while (!(root & 1)) {
		const struct tree_branch *b = slab_at(base, tree_place(root));
		unsigned i = hash & 31;

		/* The upper levels of a large zone are wide: no counting there. */
		if (b->bitmap != TREE_WIDE) {
			uint32_t bit = 1U << i;

			if (!(b->bitmap & bit))
				return NULL;
			i = tree_count_bits(b->bitmap & (bit - 1));
		}
		root = b->kid[i];
		hash >>= 5;
	}
	n = slab_at(base, tree_place(root));
	return tree_owner_is(n, wire, len) ? n : NULL;
}

/* Every node, in no particular order. */
typedef void tree_on_node_fn(const struct node *n, void *arg);
void tree_each(const uint8_t *base, uint32_t root, tree_on_node_fn *on_node, void *arg);

/* Links to free when nobody can see them any more. */
struct tree_garbage {
	uint32_t *link;
	size_t count, room;
};

struct tree_writer {
	struct slab *slab;
	const struct name_key *key;
	uint32_t generation; /* branches of this generation are not published yet */
	struct tree_garbage garbage;
};

/* Puts a node (whose name has `hash`) in, in the place of `old` when that is not NULL;
 * `old` becomes garbage.  False, and nothing done: another name has the very same hash. */
bool tree_put(struct tree_writer *w, uint32_t *root, uint64_t hash, const struct node *old,
              uint32_t place);
/* Takes out `old`, a node of the tree; it becomes garbage. */
void tree_remove(struct tree_writer *w, uint32_t *root, uint64_t hash, const struct node *old);
/* Everything a tree holds becomes garbage. */
void tree_discard(struct tree_writer *w, uint32_t *root);

/* The garbage so far belongs to the caller; what is made from now on is of the next generation
 * (`roots`: all trees that live). */
struct tree_garbage tree_publish(struct tree_writer *w, const uint32_t *roots, size_t count);
/* Frees what nobody can see any more. `on_node` is told of each node before. */
void tree_free_garbage(struct slab *slab, struct tree_garbage *g, tree_on_node_fn *on_node,
                       void *arg);

/* Bytes of a node, as given by the slab. */
size_t tree_node_size(const struct node *n);

#endif
