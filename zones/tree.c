/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/xalloc.h"

bool tree_same_caseless(const uint8_t *owner, const uint8_t *wire, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes_lower(owner[i]) != wire[i])
			return false;
	return true;
}

static struct tree_branch *branch_at(const struct tree_writer *w, uint32_t link)
{
	return slab_at(slab_base(w->slab), tree_place(link));
}

/* A branch of that many kids and more is wide, one of fewer than LEAST_WIDE narrow: between them
 * it stays what it is, so that a name that comes and goes costs little.  A root, through which all go, is wide from a few on. */
enum { MADE_WIDE = 25, LEAST_WIDE = 20, ROOT_MADE_WIDE = 8, ROOT_LEAST_WIDE = 5, WAYS = 32 };

static unsigned room_of(uint32_t bitmap) { return tree_count_bits(bitmap); }

static size_t branch_size(uint32_t bitmap)
{
	return sizeof(struct tree_branch) + room_of(bitmap) * sizeof(uint32_t);
}

static uint32_t branch_new(struct tree_writer *w, uint32_t bitmap)
{
	uint32_t link = slab_alloc(w->slab, branch_size(bitmap)) << 1;
	struct tree_branch *b = branch_at(w, link);

	b->bitmap = bitmap;
	b->generation = w->generation;
	return link;
}

/* Where the kid of a way stands, if there is one. */
static unsigned slot_of(const struct tree_branch *b, unsigned way)
{
	return tree_count_bits(b->bitmap & ((1U << way) - 1));
}

static uint32_t kid_of(const struct tree_branch *b, unsigned way)
{
	return b->bitmap >> way & 1 ? b->kid[slot_of(b, way)] : 0;
}

static void garbage_add(struct tree_garbage *g, uint32_t link)
{
	if (g->count == g->room) {
		g->room = g->room ? g->room * 2 : 16;
		g->link = xreallocarray(g->link, g->room, sizeof(*g->link));
	}
	g->link[g->count++] = link;
}

/* A branch that was never published goes at once; others when nobody sees them. */
static void branch_drop(struct tree_writer *w, uint32_t link)
{
	const struct tree_branch *b = branch_at(w, link);

	if (link == 0)
		return;
	if (b->generation == w->generation)
		slab_give_back(w->slab, tree_place(link), branch_size(b->bitmap));
	else
		garbage_add(&w->garbage, link);
}

/* As below, when the kids of one of both do not stand side by side. */
static void copy_wide(const struct tree_branch *from, struct tree_branch *to, unsigned way,
                      uint32_t kid)
{
	for (unsigned i = 0, at = 0; i < WAYS; i++)
		if (to->bitmap >> i & 1)
			to->kid[at++] = i == way ? kid : kid_of(from, i);
}

static void copy_narrow(const struct tree_branch *from, struct tree_branch *to, unsigned way,
                        uint32_t kid)
{
	unsigned before = slot_of(from, way), had = from->bitmap >> way & 1;
	unsigned after = room_of(from->bitmap) - before - had;
	uint32_t *at = to->kid;

	for (unsigned i = 0; i < before; i++)
		*at++ = from->kid[i];
	if (kid)
		*at++ = kid;
	for (unsigned i = 0; i < after; i++)
		*at++ = from->kid[before + had + i];
}

/* The bits of those ways of a wide branch that have a kid. */
static uint32_t ways_of_wide(const struct tree_branch *b)
{
	uint32_t ways = 0;

	for (unsigned i = 0; i < WAYS; i++)
		ways |= (uint32_t)(b->kid[i] != 0) << i;
	return ways;
}

static bool is_to_be_wide(uint32_t ways, bool is_wide, unsigned shift)
{
	unsigned least = shift == 0 ? (is_wide ? ROOT_LEAST_WIDE : ROOT_MADE_WIDE)
	                            : (is_wide ? LEAST_WIDE : MADE_WIDE);

	return tree_count_bits(ways) >= least;
}

/* A copy of the branch at `link`, `shift` bits down the hash, with another kid for one way (0: none). */
static uint32_t branch_with(struct tree_writer *w, uint32_t link, unsigned shift, unsigned way,
                            uint32_t kid)
{
	const struct tree_branch *from = branch_at(w, link);
	bool wide = from->bitmap == TREE_WIDE;
	uint32_t ways = wide ? ways_of_wide(from) : from->bitmap, made;

	ways = kid ? ways | 1U << way : ways & ~(1U << way);
	if (is_to_be_wide(ways, wide, shift))
		ways = TREE_WIDE;
	made = branch_new(w, ways);
	if (wide || ways == TREE_WIDE)
		copy_wide(from, branch_at(w, made), way, kid);
	else
		copy_narrow(from, branch_at(w, made), way, kid);
	branch_drop(w, link);
	return made;
}

/* The kid of a way becomes another: in place when nobody can see the branch yet. */
static uint32_t branch_set(struct tree_writer *w, uint32_t link, unsigned shift, unsigned way,
                           uint32_t kid)
{
	struct tree_branch *b = branch_at(w, link);

	if (b->generation != w->generation || !(b->bitmap >> way & 1))
		return branch_with(w, link, shift, way, kid);
	b->kid[slot_of(b, way)] = kid;
	return link;
}

/* Two leaves that share their hash up to `shift`: branches down to where they part. */
static uint32_t split(struct tree_writer *w, unsigned shift, uint64_t hash_a, uint32_t a,
                      uint64_t hash_b, uint32_t b)
{
	unsigned at_a = hash_a >> shift & 31, at_b = hash_b >> shift & 31;
	uint32_t link, kid;

	if (at_a == at_b) {
		kid = split(w, shift + 5, hash_a, a, hash_b, b);
		link = branch_new(w, 1U << at_a);
		branch_at(w, link)->kid[0] = kid;
		return link;
	}
	link = branch_new(w, 1U << at_a | 1U << at_b);
	branch_at(w, link)->kid[at_a > at_b] = a;
	branch_at(w, link)->kid[at_b > at_a] = b;
	return link;
}

struct put {
	uint64_t hash;
	uint32_t leaf;
	uint32_t old; /* the leaf it replaces, 0: none */
	bool collided;
};

static uint32_t put_below(struct tree_writer *w, uint32_t link, unsigned shift, struct put *p)
{
	unsigned way = p->hash >> shift & 31;
	uint32_t kid, made;

	if (link & 1) {
		const struct node *other = slab_at(slab_base(w->slab), tree_place(link));
		uint64_t hash;

		if (link == p->old) {
			garbage_add(&w->garbage, link);
			return p->leaf;
		}
		hash = name_wire_hash(node_owner(other), w->key);
		p->collided = hash == p->hash;
		return p->collided ? link : split(w, shift, hash, link, p->hash, p->leaf);
	}
	kid = kid_of(branch_at(w, link), way);
	if (kid == 0)
		return branch_set(w, link, shift, way, p->leaf);
	made = put_below(w, kid, shift + 5, p);
	return made == kid ? link : branch_set(w, link, shift, way, made);
}

static uint32_t leaf_of(const struct tree_writer *w, const struct node *n)
{
	return n ? tree_leaf((uint32_t)(((const uint8_t *)n - slab_base(w->slab)) / SLAB_UNIT)) : 0;
}

bool tree_put(struct tree_writer *w, uint32_t *root, uint64_t hash, const struct node *old,
              uint32_t place)
{
	struct put p = {hash, tree_leaf(place), leaf_of(w, old), false};

	*root = put_below(w, *root, 0, &p);
	return !p.collided;
}

/* The only leaf that a branch has besides the kid of a way, 0: it has others. */
static uint32_t last_leaf(const struct tree_branch *b, unsigned way)
{
	uint32_t last = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		uint32_t kid = i == way ? 0 : kid_of(b, i);

		if (kid == 0)
			continue;
		if (last != 0 || !(kid & 1))
			return 0;
		last = kid;
	}
	return last;
}

static bool has_only(const struct tree_branch *b, unsigned way)
{
	return b->bitmap != TREE_WIDE && (b->bitmap & ~(1U << way)) == 0;
}

static uint32_t remove_below(struct tree_writer *w, uint32_t link, unsigned shift, uint64_t hash,
                             uint32_t leaf)
{
	const struct tree_branch *b = branch_at(w, link);
	unsigned way = hash >> shift & 31;
	uint32_t kid, left, last;

	if (link == leaf) {
		garbage_add(&w->garbage, link);
		return 0;
	}
	CHECK(!(link & 1));
	kid = kid_of(b, way);
	CHECK(kid != 0);
	left = remove_below(w, kid, shift + 5, hash, leaf);
	if (left == kid)
		return link;
	/* A leaf that stays alone moves up, so that trees of few names are shallow. */
	last = left == 0 ? last_leaf(b, way) : 0;
	if (has_only(b, way) && (left == 0 || left & 1))
		last = left;
	else if (last == 0)
		return left ? branch_set(w, link, shift, way, left)
		            : branch_with(w, link, shift, way, 0);
	branch_drop(w, link);
	return last;
}

void tree_remove(struct tree_writer *w, uint32_t *root, uint64_t hash, const struct node *old)
{
	*root = remove_below(w, *root, 0, hash, leaf_of(w, old));
}

/* Every link of a tree, kids before their branch. */
static void each_link(const uint8_t *base, uint32_t link, void (*fn)(uint32_t link, void *arg),
                      void *arg)
{
	if (!(link & 1)) {
		const struct tree_branch *b = slab_at(base, tree_place(link));
		unsigned kids = room_of(b->bitmap);

		for (unsigned i = 0; i < kids; i++)
			each_link(base, b->kid[i], fn, arg);
	}
	if (link != 0)
		fn(link, arg);
}

struct each_node {
	const uint8_t *base;
	tree_on_node_fn *on_node;
	void *arg;
};

static void on_link(uint32_t link, void *arg)
{
	const struct each_node *e = arg;

	if (link & 1)
		e->on_node(slab_at(e->base, tree_place(link)), e->arg);
}

void tree_each(const uint8_t *base, uint32_t root, tree_on_node_fn *on_node, void *arg)
{
	struct each_node e = {base, on_node, arg};

	each_link(base, root, on_link, &e);
}

static void discard_link(uint32_t link, void *arg) { garbage_add(arg, link); }

void tree_discard(struct tree_writer *w, uint32_t *root)
{
	each_link(slab_base(w->slab), *root, discard_link, &w->garbage);
	*root = 0;
}

static void forget_generation(uint32_t link, void *arg)
{
	if (!(link & 1))
		((struct tree_branch *)slab_at(arg, tree_place(link)))->generation = 0;
}

struct tree_garbage tree_publish(struct tree_writer *w, const uint32_t *roots, size_t count)
{
	struct tree_garbage g = w->garbage;

	w->garbage = (struct tree_garbage){NULL, 0, 0};
	/* After 2^32 publications an old branch must not look new.  No reader looks at generations. */
	if (++w->generation == 0) {
		for (size_t i = 0; i < count; i++)
			each_link(slab_base(w->slab), roots[i], forget_generation,
			          (void *)(uintptr_t)slab_base(w->slab));
		w->generation = 1;
	}
	return g;
}

void tree_free_garbage(struct slab *slab, struct tree_garbage *g, tree_on_node_fn *on_node,
                       void *arg)
{
	for (size_t i = 0; i < g->count; i++) {
		uint32_t place = tree_place(g->link[i]);
		const void *block = slab_at(slab_base(slab), place);

		if (g->link[i] & 1) {
			on_node(block, arg);
			slab_give_back(slab, place, tree_node_size(block));
		} else {
			const struct tree_branch *b = block;

			slab_give_back(slab, place, branch_size(b->bitmap));
		}
	}
	free(g->link);
	*g = (struct tree_garbage){NULL, 0, 0};
}

size_t tree_node_size(const struct node *n)
{
	const struct rrset *s;

	if (n->flags & NODE_SITES)
		return n->body * 4U + node_sites(n)->size;
	s = node_first_rrset(n);
	for (unsigned i = n->bits & NODE_RRSETS; i > 0; i--)
		s = rrset_after(s);
	return (size_t)((const uint8_t *)s - (const uint8_t *)n);
}
