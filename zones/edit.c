/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/edit.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/source.h"

/* Flags that follow from other names. */
#define OTHERS_FLAGS ((unsigned)(NODE_WILDCARD_BELOW | NODE_OCCLUDED))

static uint64_t hash_of(const struct edit *e, const struct name *name, unsigned label)
{
	return fold_suffix(name, label, e->tree->key);
}

static const struct node *find_suffix(const struct edit *e, const struct name *name, unsigned label)
{
	return tree_find(slab_base(e->tree->slab), e->root, hash_of(e, name, label),
	                 name->wire + name->at[label], (size_t)name->len - name->at[label]);
}

const struct node *edit_find(const struct edit *e, const struct name *name)
{
	return find_suffix(e, name, 0);
}

/* How many names stand directly below (not counted at the apex).  The writer's own word in a
 * node: no reader looks at it, so it may change in a published one. */
static uint32_t *counter(const struct node *n) { return (uint32_t *)(uintptr_t)n + n->body - 1; }

static uint32_t children(const struct node *n)
{
	return n && n->bits & NODE_COUNTED ? *counter(n) : 0;
}

/* The flags that a node has from other names are given; those of the image stay. */
static uint32_t node_new(struct edit *e, const struct bytes *image, unsigned flags, uint32_t count)
{
	struct node head;
	uint32_t place;
	uint8_t *to;
	size_t body;

	memcpy(&head, image->data, sizeof(head));
	body = head.body * 4U;
	place = slab_alloc(e->tree->slab, image->len + (count ? sizeof(count) : 0));
	to = slab_at(slab_base(e->tree->slab), place);
	memcpy(to, image->data, body);
	head.flags = (uint8_t)((head.flags & ~OTHERS_FLAGS) | flags);
	if (count) {
		head.body++;
		head.bits |= NODE_COUNTED;
		memcpy(to + body, &count, sizeof(count));
	}
	memcpy(to, &head, sizeof(head));
	memcpy(to + head.body * 4U, image->data + body, image->len - body);
	return place;
}

void edit_image(const struct node *n, struct buffer *image)
{
	struct node head = *n;
	size_t counted = n->bits & NODE_COUNTED ? 1 : 0, body = (n->body - counted) * 4;

	head.body = (uint8_t)(head.body - counted);
	head.bits &= (uint16_t)~NODE_COUNTED;
	head.flags &= (uint8_t)~OTHERS_FLAGS;
	buffer_reset(image);
	buffer_put(image, &head, sizeof(head));
	buffer_put(image, node_owner(n), body - sizeof(head));
	buffer_put(image, (const uint8_t *)n + n->body * 4U, tree_node_size(n) - n->body * 4U);
}

/* False when another name has the same keyed 64-bit hash (by chance alone, hardly ever): the later
 * one is not served. */
static bool put_node(struct edit *e, uint64_t hash, const struct node *old, uint32_t place)
{
	const struct node *n = slab_at(slab_base(e->tree->slab), place);

	if (tree_put(e->tree, &e->root, hash, old, place))
		return true;
	source_unref(e->tree->slab, node_source(n));
	slab_give_back(e->tree->slab, place, tree_node_size(n));
	return false;
}

/* Puts a node like `old` but for the flags it has from others and its counter. */
static void put_again(struct edit *e, uint64_t hash, const struct node *old, unsigned flags,
                      uint32_t count)
{
	struct buffer image = {NULL, 0, 0};
	uint32_t place;

	edit_image(old, &image);
	place = node_new(e, &(struct bytes){image.data, image.len}, flags, count);
	source_ref(e->tree->slab, node_source(old));
	CHECK(tree_put(e->tree, &e->root, hash, old, place));
	e->touched = true;
	buffer_fini(&image);
}

static bool is_apex(const struct edit *e, const struct name *name, unsigned label)
{
	return (unsigned)(name->labels - label) <= e->apex.labels;
}

static bool is_wildcard(const struct name *name, unsigned label)
{
	const uint8_t *p = name->wire + name->at[label];

	return p[0] == 1 && p[1] == '*';
}

/* Is there a cut or a DNAME above the suffix? */
static bool is_occluded(const struct edit *e, const struct name *name, unsigned label)
{
	if (e->barriers == 0)
		return false;
	while (!is_apex(e, name, label)) {
		const struct node *n = find_suffix(e, name, ++label);

		if (n && n->flags & (NODE_CUT | NODE_DNAME))
			return true;
	}
	return false;
}

static uint32_t empty_node(struct edit *e, const struct name *name, unsigned label, unsigned flags,
                           uint32_t count)
{
	uint8_t image[sizeof(struct node) + NAME_MAX_LEN + 1] = {0};
	size_t len = (size_t)name->len - name->at[label];
	struct node head = {.flags = NODE_EMPTY, .body = (uint8_t)((sizeof(head) + len + 3) / 4)};

	memcpy(image, &head, sizeof(head));
	memcpy(image + sizeof(head), name->wire + name->at[label], len);
	return node_new(e, &(struct bytes){image, head.body * 4U}, flags, count);
}

/* The suffix at `label` has come: its parent has one child more, or comes too. */
static void link_to_parent(struct edit *e, const struct name *name, unsigned label)
{
	while (!is_apex(e, name, label)) {
		unsigned wildcard = is_wildcard(name, label) ? NODE_WILDCARD_BELOW : 0;
		const struct node *parent;

		if (is_apex(e, name, ++label)) {
			e->wildcard_below_apex |= wildcard != 0;
			return;
		}
		parent = find_suffix(e, name, label);
		if (parent) {
			unsigned flags = parent->flags & OTHERS_FLAGS;

			if (parent->bits & NODE_COUNTED && !(wildcard & ~flags))
				++*counter(parent);
			else
				put_again(e, hash_of(e, name, label), parent, flags | wildcard,
				          children(parent) + 1);
			return;
		}
		if (is_occluded(e, name, label))
			wildcard |= NODE_OCCLUDED;
		if (!put_node(e, hash_of(e, name, label), NULL,
		              empty_node(e, name, label, wildcard, 1)))
			return;
	}
}

/* The suffix at `label` has gone. */
static void unlink_from_parent(struct edit *e, const struct name *name, unsigned label)
{
	while (!is_apex(e, name, label)) {
		bool wildcard = is_wildcard(name, label);
		const struct node *parent;

		if (is_apex(e, name, ++label)) {
			if (wildcard)
				e->wildcard_below_apex = false;
			return;
		}
		parent = find_suffix(e, name, label);
		if (!parent || children(parent) == 0)
			return;
		--*counter(parent);
		if (children(parent) == 0 && parent->flags & NODE_EMPTY) {
			tree_remove(e->tree, &e->root, hash_of(e, name, label), parent);
			continue;
		}
		if (wildcard)
			put_again(e, hash_of(e, name, label), parent, parent->flags & NODE_OCCLUDED,
			          children(parent));
		return;
	}
}

static bool same_data(const struct node *old, const struct bytes *image, const struct node *head)
{
	size_t counted = old->bits & NODE_COUNTED ? 1 : 0;
	size_t body = head->body * 4U, size = tree_node_size(old);

	return (old->flags & ~OTHERS_FLAGS) == head->flags &&
	       (old->bits & ~NODE_COUNTED) == head->bits && old->body == head->body + counted &&
	       size == image->len + counted * 4 &&
	       memcmp(node_owner(old), image->data + sizeof(*head), body - sizeof(*head)) == 0 &&
	       memcmp((const uint8_t *)old + old->body * 4U, image->data + body,
	              image->len - body) == 0;
}

static void count_barrier(struct edit *e, unsigned before, unsigned after, bool has_below)
{
	before = (before & (NODE_CUT | NODE_DNAME)) != 0;
	after = (after & (NODE_CUT | NODE_DNAME)) != 0;
	e->barriers += after;
	e->barriers -= before;
	if (before != after && has_below)
		e->must_reocclude = true;
}

void edit_put(struct edit *e, const struct name *name, const struct buffer *image)
{
	const struct node *old = edit_find(e, name);
	unsigned before = old ? old->flags : NODE_EMPTY, flags = before & OTHERS_FLAGS;
	struct bytes bytes = {image->data, image->len};
	struct node head;
	bool apex = is_apex(e, name, 0), same;

	memcpy(&head, image->data, sizeof(head));
	same = old && same_data(old, &bytes, &head);
	if (apex)
		flags = e->wildcard_below_apex ? NODE_WILDCARD_BELOW : 0;
	else if (!old && is_occluded(e, name, 0))
		flags = NODE_OCCLUDED;
	if (same && head.source == old->source && flags == (before & OTHERS_FLAGS)) {
		source_unref(e->tree->slab, head.source);
		return;
	}
	if (!put_node(e, hash_of(e, name, 0), old, node_new(e, &bytes, flags, children(old))))
		return;
	e->touched = true;
	e->changed |= !same;
	e->names += (before & NODE_EMPTY) != 0;
	count_barrier(e, before, head.flags, apex ? e->names > 1 : children(old) > 0);
	if (!old)
		link_to_parent(e, name, 0);
}

void edit_remove(struct edit *e, const struct name *name)
{
	const struct node *old = edit_find(e, name);
	unsigned before;

	if (!old || old->flags & NODE_EMPTY)
		return;
	before = old->flags;
	e->changed = e->touched = true;
	e->names--;
	count_barrier(e, before, 0, children(old) > 0);
	if (children(old) > 0) {
		uint32_t place = empty_node(e, name, 0, before & OTHERS_FLAGS, children(old));

		CHECK(tree_put(e->tree, &e->root, hash_of(e, name, 0), old, place));
		return;
	}
	tree_remove(e->tree, &e->root, hash_of(e, name, 0), old);
	unlink_from_parent(e, name, 0);
}

struct wrong {
	const struct edit *edit;
	const struct node **node;
	size_t count, room;
};

static void take_apart(const struct node *n, struct name *out)
{
	size_t len = names_wire_len(node_owner(n));

	CHECK(name_parse(out, node_owner(n), len) == len);
}

static bool should_be_occluded(const struct edit *e, const struct node *n, struct name *name)
{
	take_apart(n, name);
	return is_occluded(e, name, 0);
}

static void find_wrong(const struct node *n, void *arg)
{
	struct wrong *w = arg;
	struct name name;

	if (should_be_occluded(w->edit, n, &name) == ((n->flags & NODE_OCCLUDED) != 0))
		return;
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->node = xreallocarray(w->node, w->room, sizeof(const struct node *));
	}
	w->node[w->count++] = n;
}

void edit_settle(struct edit *e)
{
	struct wrong w = {e, NULL, 0, 0};

	if (!e->must_reocclude)
		return;
	e->must_reocclude = false;
	/* Names below are not linked to what is above them, so all are looked at; cuts over
	 * existing names are rare. */
	tree_each(slab_base(e->tree->slab), e->root, find_wrong, &w);
	for (size_t i = 0; i < w.count; i++) {
		struct name name;

		take_apart(w.node[i], &name);
		put_again(e, hash_of(e, &name, 0), w.node[i],
		          (w.node[i]->flags & OTHERS_FLAGS) ^ NODE_OCCLUDED, children(w.node[i]));
	}
	free(w.node);
}
