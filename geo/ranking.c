/* ranking.c -- orders of clusters for places, and the leaves of the address space that point to them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/ranking.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "geo/ranking_inside.h"
#include "geo/stages.h"

/* The groups in the unknown order, if it is an order of groups at all: with several clusters
 * in a group it tells apart what other orders leave to the tie. */
static bool unknown_permutation(const struct ranking *r, size_t cluster_count, uint16_t *out)
{
	bool *is_seen = xcalloc(cluster_count + 1, sizeof(*is_seen)), is_order = true;

	for (size_t id = 0; id < r->standing_count; id++) {
		const struct standing *s = &r->standings[id];

		if (!s->is_there)
			continue;
		is_order = is_order && !is_seen[s->group];
		is_seen[s->group] = true;
		out[s->rank] = s->group;
	}
	free(is_seen);
	return is_order;
}

/* The orders of all places of the geodb; returns the order of each place. */
static uint32_t *find_orders(struct ranking *r, const struct ranking_groups *groups,
                             size_t cluster_count, const struct geodb *g)
{
	size_t place_count = g != NULL ? geodb_place_count(g) : 0;
	struct vector *places = xcalloc(place_count + 1, sizeof(*places));
	uint32_t *order_of = xcalloc(place_count + 1, sizeof(*order_of));
	uint16_t *unknown = xcalloc(cluster_count + 1, sizeof(*unknown));
	bool has_unknown = unknown_permutation(r, cluster_count, unknown);
	size_t *examples;

	for (size_t i = 0; i < place_count; i++)
		places[i] = vector_of(geodb_place(g, (int32_t)i));
	r->order_count = ranking_orders_find(groups, has_unknown ? unknown : NULL, places,
	                                     place_count, order_of, &examples);
	r->head.orders = xcalloc(r->order_count, sizeof(*r->head.orders));
	for (size_t i = 1; i < r->order_count; i++)
		r->head.orders[i].at = places[examples[i]];
	free(places);
	free(unknown);
	free(examples);
	return order_of;
}

/* --- the heads of orders --- */

/* By group, how it stands in `nearest`.  The caller frees it. */
static struct ranking_near *find_entries(struct ranking *r, const struct ranking_cluster *sorted,
                                         size_t cluster_count, size_t group_count)
{
	struct ranking_near *entry = xcalloc(group_count + 1, sizeof(*entry));
	uint16_t *ids = xcalloc(cluster_count + 1, sizeof(*ids));

	for (size_t group = 0; group < group_count; group++) {
		size_t count = 0;

		for (size_t i = 0; i < cluster_count; i++)
			if (r->standings[sorted[i].id].group == group)
				ids[count++] = sorted[i].id;
		entry[group] = ranking_entry_of(r, ids, count);
	}
	free(ids);
	return entry;
}

/* The first groups in the order at a place, as ranking_compare() has it; returns how many. */
static size_t first_groups(const struct ranking_groups *groups, const struct vector *at,
                           uint16_t first[static RANKING_NEAREST])
{
	struct ranking_position head[RANKING_NEAREST];
	size_t count = 0;

	for (size_t i = 0; i < groups->count; i++) {
		struct ranking_position p = {-vector_dot(at, &groups->at[i]), (uint16_t)i};
		size_t to = count < RANKING_NEAREST ? count++ : RANKING_NEAREST;

		for (; to > 0 && ranking_compare(p, head[to - 1]) < 0; to--)
			if (to < RANKING_NEAREST)
				head[to] = head[to - 1];
		if (to < RANKING_NEAREST)
			head[to] = p;
	}
	for (size_t i = 0; i < count; i++)
		first[i] = head[i].group;
	return count;
}

static void find_heads(struct ranking *r, const struct ranking_cluster *sorted,
                       size_t cluster_count, const struct ranking_groups *groups)
{
	struct ranking_near *entry = find_entries(r, sorted, cluster_count, groups->count);
	uint16_t first[RANKING_NEAREST];

	for (size_t i = 0; i < r->order_count; i++) {
		struct ranking_order *order = &r->head.orders[i];
		size_t count = i > 0 ? first_groups(groups, &order->at, first) : 0;

		for (size_t to = 0; to <= RANKING_NEAREST; to++)
			order->nearest[to] = to < count ? entry[first[to]] : RANKING_END;
	}
	free(entry);
	/* In the unknown order every cluster stands alone. */
	for (size_t id = 0; id < r->standing_count; id++)
		if (r->standings[id].is_there && r->standings[id].rank < RANKING_NEAREST)
			r->head.orders[0].nearest[r->standings[id].rank] =
				(struct ranking_near){(uint16_t)id, r->standings[id].number};
}

/* --- leaves --- */

static void on_merged(const struct addr_network *network, uint64_t order, void *arg)
{
	ranking_tree_builder_add(arg, network, (uint32_t)order);
}

struct ranking_tree ranking_compile(const struct geodb *g, struct spans *spans,
                                    geodb_on_span_fn *on_span, void *arg)
{
	static const enum addr_family families[] = {ADDR_IPV4, ADDR_IPV6};
	struct ranking_tree_builder *builder = ranking_tree_builder_new();

	*spans = (struct spans){.on_span = on_merged, .arg = builder};
	for (size_t i = 0; i < 2; i++) {
		struct geodb_span all = {.network = {.addr = {.family = (uint8_t)families[i]}},
		                         .place = -1};

		if (g != NULL)
			geodb_each(g, families[i], on_span, arg);
		else
			on_span(&all, arg);
	}
	return ranking_tree_freeze(builder);
}

struct compilation {
	const uint32_t *order_of; /* by place */
	struct spans spans;
};

static void on_span(const struct geodb_span *span, void *arg)
{
	struct compilation *c = arg;

	spans_push(&c->spans, &span->network, span->place < 0 ? 0 : c->order_of[span->place]);
}

struct ranking *ranking_build(const struct ranking_cluster *clusters, size_t cluster_count,
                              const char *const *unknown_order, size_t unknown_count,
                              const struct geodb *g)
{
	struct ranking_cluster *sorted;
	struct ranking_groups groups;
	struct ranking *r = ranking_new(clusters, cluster_count, unknown_order, unknown_count,
	                                &sorted, &groups);
	uint32_t *order_of = find_orders(r, &groups, cluster_count, g);
	struct compilation c = {.order_of = order_of};

	find_heads(r, sorted, cluster_count, &groups);
	ranking_entries_end(r);
	r->head.tree = ranking_compile(g, &c.spans, on_span, &c);
	free(order_of);
	free(groups.at);
	free(sorted);
	return r;
}

const struct ranking *ranking_ref(const struct ranking *r)
{
	atomic_fetch_add_explicit(&((struct ranking *)(uintptr_t)r)->users, 1,
	                          memory_order_relaxed);
	return r;
}

void ranking_free(const struct ranking *shared)
{
	struct ranking *r = (struct ranking *)(uintptr_t)shared;

	if (r == NULL || atomic_fetch_sub_explicit(&r->users, 1, memory_order_acq_rel) > 1)
		return;
	ranking_tree_fini(&r->head.tree);
	free(r->standings);
	free(r->places);
	free(r->head.orders);
	free(r->head.members);
	free(r->head.member_at);
	free(r->head.name_hash);
	free(r->clients);
	if (r->stages != NULL)
		overlay_fini(&r->overlay);
	stages_free(r->stages);
	free(r);
}

/* Clusters that came after the build are placeless, and last in the unknown order. */
static struct ranking_position unknown_position(const struct standing *s, uint16_t cluster_id)
{
	if (!s->is_there)
		return (struct ranking_position){(double)INFINITY,
		                                 (uint16_t)(RANKING_MAX_CLUSTERS + cluster_id)};
	return (struct ranking_position){s->rank, s->rank};
}

/* Is a cluster one of a group?  These are by name, and so by their numbers. */
static bool is_member(const struct ranking_head *head, uint16_t group, uint16_t number)
{
	const uint32_t *at = &head->member_at[group & ~RANKING_GROUP];
	size_t from = at[0], to = at[1] - 1;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (head->members[middle].number == number)
			return true;
		if (head->members[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

/* By rules each stage would have to be asked; for the first of an order that was done when it was made.  They are before all
 * others, whose distance is not below 0. */
static struct ranking_position position_by(const struct ranking *r,
                                           const struct ranking_order *order, uint16_t cluster_id,
                                           const struct standing *s)
{
	const struct ranking_near *near = order->nearest;

	for (; s->is_there && near->cluster != RANKING_NO_CLUSTER; near++) {
		bool is_here = (near->cluster & RANKING_GROUP) != 0
		                       ? is_member(&r->head, near->cluster, s->number)
		                       : near->cluster == cluster_id;

		if (is_here)
			return (struct ranking_position){
				(double)(near - order->nearest) - RANKING_NEAREST, 0};
	}
	return stages_position(r, order, cluster_id);
}

struct ranking_position ranking_position(const struct ranking *r, const struct ranking_order *order,
                                         uint16_t cluster_id)
{
	const struct standing *s =
		cluster_id < r->standing_count ? &r->standings[cluster_id] : &r->absent;

	if (r->stages != NULL)
		return position_by(r, order, cluster_id, s);
	if (!s->is_there)
		s = &r->absent;
	if (order == r->head.orders)
		return unknown_position(s, cluster_id);
	return (struct ranking_position){s->bias - vector_dot(&order->at, &s->at), s->group};
}

double ranking_distance_km(const struct ranking *r, const struct place *client, uint16_t cluster_id)
{
	if (cluster_id >= r->standing_count || !r->standings[cluster_id].is_there ||
	    r->standings[cluster_id].bias > 0)
		return -1;
	return place_distance_km(client, &r->places[cluster_id]);
}

static size_t rules_memory(const struct ranking *r)
{
	if (r->stages == NULL)
		return 0;
	return r->order_count * sizeof(*r->clients) + stages_memory(r) +
	       overlay_memory(&r->overlay);
}

size_t ranking_memory(const struct ranking *r)
{
	return sizeof(*r) +
	       r->standing_count *
	               (sizeof(*r->standings) + sizeof(*r->places) + sizeof(*r->head.name_hash)) +
	       r->order_count * sizeof(*r->head.orders) + ranking_tree_memory(&r->head.tree) +
	       r->members.room * sizeof(*r->head.members) +
	       r->members.at_room * sizeof(*r->head.member_at) + rules_memory(r);
}
