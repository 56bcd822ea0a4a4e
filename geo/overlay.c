/* overlay.c -- all networks sorted, outer ones first, so that each can ask those around it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/overlay.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "geo/latency.h"

/* Of a network itself; what it leaves open it has from the networks around it. */
struct part {
	struct addr_network network;
	struct overlay_value value;
};

struct parts {
	struct part *item;
	size_t count, room;
};

static void add(struct parts *p, const struct addr_network *network, uint32_t latency,
                uint16_t fence)
{
	struct part fresh = {addr_network_unmapped(network), {.latency = latency, .fence = fence}};

	if (p->count == p->room) {
		p->room = p->room * 2 + 64;
		p->item = xreallocarray(p->item, p->room, sizeof(*p->item));
	}
	p->item[p->count++] = fresh;
}

static void add_rows(struct parts *p, struct stages *s, const struct ranking_cluster *sorted,
                     size_t cluster_count, const struct latency_table *t)
{
	for (size_t first = 0, end; first < t->count; first = end) {
		uint32_t latency;

		for (end = first + 1; end < t->count; end++)
			if (addr_network_compare(&t->rows[first].network, &t->rows[end].network) !=
			    0)
				break;
		latency = stages_put_latency(s, sorted, cluster_count, t, first, end - first);
		/* Rows of clusters that are not registered are none. */
		if (latency > 0)
			add(p, &t->rows[first].network, latency, STAGES_NO_FENCE);
	}
}

static int outer_first(const void *one, const void *other)
{
	const struct part *a = one, *b = other;

	return addr_network_compare(&a->network, &b->network);
}

/* What is around a network, from without to within. */
enum { DEEPEST = 130 };
struct around {
	const struct part *part[DEEPEST];
	size_t count;
};

static void inherit(struct overlay_value *inner, const struct overlay_value *outer)
{
	if (outer->fence < inner->fence)
		inner->fence = outer->fence;
	if (inner->latency == 0)
		inner->latency = outer->latency;
}

static const struct part *innermost(const struct around *around)
{
	return around->count > 0 ? around->part[around->count - 1] : NULL;
}

static void put(struct overlay *o, struct around *around, struct part *p)
{
	const struct part *outer = innermost(around);

	for (; outer != NULL && !addr_network_has(&outer->network, &p->network.addr);
	     outer = innermost(around))
		around->count--;
	if (outer != NULL) {
		inherit(&p->value, &outer->value);
		/* Twice the same network: the later one has both, and counts. */
		if (addr_network_compare(&outer->network, &p->network) == 0)
			around->count--;
	}
	around->part[around->count++] = p;
	prefix_tree_put(o->tree, &p->network, intern_put(o->values, &p->value));
}

void overlay_init(struct overlay *o, struct stages *s, const struct ranking_cluster *sorted,
                  size_t cluster_count, const struct rules *rules)
{
	struct parts parts = {0};
	struct around around = {.count = 0};

	o->tree = prefix_tree_new();
	o->values = intern_new(sizeof(struct overlay_value));
	for (size_t i = 0; i < rules->fence_count; i++)
		for (size_t k = 0; k < rules->fences[i].network_count; k++)
			add(&parts, &rules->fences[i].networks[k], 0, (uint16_t)i);
	if (rules->latency != NULL)
		add_rows(&parts, s, sorted, cluster_count, rules->latency);
	if (parts.count > 0)
		qsort(parts.item, parts.count, sizeof(*parts.item), outer_first);
	for (size_t i = 0; i < parts.count; i++)
		put(o, &around, &parts.item[i]);
	free(parts.item);
	prefix_tree_finish(o->tree);
}

void overlay_fini(struct overlay *o)
{
	prefix_tree_free(o->tree);
	intern_free(o->values);
}

size_t overlay_memory(const struct overlay *o)
{
	return prefix_tree_memory(o->tree) + intern_count(o->values) * sizeof(struct overlay_value);
}

struct overlay_value overlay_value(const struct overlay *o, uint32_t value)
{
	if (value == PREFIX_NONE)
		return (struct overlay_value){.fence = STAGES_NO_FENCE};
	return ((const struct overlay_value *)intern_items(o->values))[value];
}
