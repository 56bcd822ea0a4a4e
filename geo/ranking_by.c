/* ranking_by.c -- a ranking by rules: which kinds of clients there are, and the order that each has.
 *
 * One walk over the geodb, cut at the networks that the rules name.  Each kind of client that comes
 * along for the first time gets its clusters sorted; kinds with the same order share it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/digest.h"
#include "geo/overlay.h"
#include "geo/prefix_cut.h"
#include "geo/ranking_inside.h"
#include "geo/stages.h"
#include "geo/stages_inside.h"

/* All that clients may differ in. */
struct kind {
	int32_t place; /* of the geodb; -1: none; 0 when places do not matter */
	uint32_t latency;
	uint16_t fence, step_km;
};

/* The kind that was met last at a place: nearly always there is no other. */
struct recent {
	struct kind kind;
	uint32_t order;
	bool is_set;
};

/* A cluster in the order that is being made. */
struct candidate {
	uint64_t key;
	uint16_t at; /* in the list by name */
};

struct build {
	struct ranking *r;
	const struct geodb *g;
	const struct ranking_cluster *sorted;
	size_t cluster_count;
	uint16_t *fence_of; /* by area */
	bool use_place;

	struct recent *recent; /* by place, the first for none */
	struct intern *kinds;
	uint32_t *order_of; /* by kind */
	size_t order_of_room;
	struct intern *orders; /* by their digests */
	size_t order_room;
	struct candidate *candidates; /* in the order that was made last */
	uint16_t *scratch;

	struct geodb_span span; /* where the walk is */
	struct prefix_cut cut;
	struct spans spans;
};

/* --- one order --- */

static bool comes_before(const struct candidate *a, const struct candidate *b)
{
	return a->key < b->key || (a->key == b->key && a->at < b->at);
}

static int compare(const void *one, const void *other)
{
	const struct candidate *a = one, *b = other;

	return comes_before(a, b) ? -1 : comes_before(b, a);
}

/* Few are sorted by insertion, beginning from the last order, often nearly the same. */
static void sort(struct candidate *c, size_t count)
{
	enum { FEW = 48 };

	if (count > FEW) {
		qsort(c, count, sizeof(*c), compare);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct candidate moving = c[i];
		size_t at = i;

		for (; at > 0 && comes_before(&moving, &c[at - 1]); at--)
			c[at] = c[at - 1];
		c[at] = moving;
	}
}

/* What makes orders differ: who stands where, who is equal with whom, who is forbidden.  And the fence: it narrows, and it
 * holds for clusters that come after the build. */
static struct digest digest_of_order(const struct build *b, const struct stages_client *client,
                                     bool is_apart)
{
	enum { NEXT = 0xffff, FORBIDDEN = 0xfffe, APART = 0xfffd };
	const struct candidate *c = b->candidates;
	uint16_t *to = b->scratch;

	for (size_t i = 0; i < b->cluster_count; i++) {
		if (i > 0 && c[i].key != c[i - 1].key)
			*to++ = NEXT;
		if (c[i].key == STAGES_FORBIDDEN && (i == 0 || c[i - 1].key != STAGES_FORBIDDEN))
			*to++ = FORBIDDEN;
		*to++ = c[i].at;
	}
	if (is_apart)
		*to++ = APART;
	if (client->fence != STAGES_NO_FENCE)
		*to++ = client->fence;
	return digest_of(b->scratch, (size_t)(to - b->scratch));
}

/* The head of the order of the candidates: each entry those that are equal. */
static void put_head(struct build *b, struct ranking_order *order)
{
	const struct candidate *c = b->candidates;
	size_t to = 0;

	for (size_t i = 0; i <= RANKING_NEAREST; i++)
		order->nearest[i] = RANKING_END;
	for (size_t from = 0, end; from < b->cluster_count && to < RANKING_NEAREST; from = end) {
		if (c[from].key == STAGES_FORBIDDEN)
			return;
		for (end = from; end < b->cluster_count && c[end].key == c[from].key; end++)
			b->scratch[end - from] = b->sorted[c[end].at].id;
		order->nearest[to] = ranking_entry_of(b->r, b->scratch, end - from);
		if (order->nearest[to++].cluster == RANKING_NO_CLUSTER)
			return;
	}
}

static uint32_t put_order(struct build *b, const struct stages_client *c, const struct vector *at)
{
	struct ranking *r = b->r;
	bool is_apart = r->stages->is_apart && !c->has_place;
	struct digest digest = digest_of_order(b, c, is_apart);
	uint32_t number = intern_put(b->orders, &digest);

	if (number < r->order_count)
		return number;
	CHECK(number <= RANKING_TREE_MAX_VALUE);
	if (number >= b->order_room) {
		b->order_room = b->order_room * 3 / 2 + 16;
		r->head.orders =
			xreallocarray(r->head.orders, b->order_room, sizeof(*r->head.orders));
		r->clients = xreallocarray(r->clients, b->order_room, sizeof(*r->clients));
	}
	r->order_count = number + 1u;
	r->head.orders[number] = (struct ranking_order){.is_unplaced = is_apart, .at = *at};
	r->clients[number] = *c;
	put_head(b, &r->head.orders[number]);
	return number;
}

/* --- kinds of clients --- */

static uint32_t make_order(struct build *b, const struct kind *k)
{
	struct stages_client c = {
		.latency = k->latency,
		.fence = k->fence,
		.step_km = k->step_km,
		.has_place = k->place >= 0,
	};
	struct vector at = {0, 0, 0};

	if (b->use_place && c.has_place)
		at = vector_of(geodb_place(b->g, k->place));
	stages_find_home(b->r, &at, &c);
	for (size_t i = 0; i < b->cluster_count; i++)
		b->candidates[i].key = stages_key(b->r, &c, &at, b->sorted[b->candidates[i].at].id);
	sort(b->candidates, b->cluster_count);
	return put_order(b, &c, &at);
}

static uint32_t order_of(struct build *b, const struct kind *k)
{
	uint32_t known = intern_count(b->kinds), number = intern_put(b->kinds, k);

	if (number < known)
		return b->order_of[number];
	if (number >= b->order_of_room) {
		b->order_of_room = b->order_of_room * 2 + 64;
		b->order_of = xreallocarray(b->order_of, b->order_of_room, sizeof(*b->order_of));
	}
	return b->order_of[number] = make_order(b, k);
}

static uint32_t recent_order_of(struct build *b, const struct kind *k)
{
	struct recent *recent = &b->recent[k->place + 1];

	if (!recent->is_set || memcmp(&recent->kind, k, sizeof(*k)) != 0)
		*recent = (struct recent){*k, order_of(b, k), true};
	return recent->order;
}

/* --- the walk --- */

static void on_piece(const struct addr_network *network, uint32_t value, void *arg)
{
	struct build *b = arg;
	struct overlay_value v = overlay_value(&b->r->overlay, value);
	uint16_t by_area = b->fence_of != NULL ? b->fence_of[b->span.area] : STAGES_NO_FENCE;
	struct kind k = {
		.place = b->span.place,
		.latency = v.latency,
		.fence = v.fence < by_area ? v.fence : by_area,
		.step_km = b->span.accuracy_km,
	};

	if (!b->use_place) {
		k.place = k.place < 0 ? -1 : 0;
		k.step_km = 0;
	}
	spans_push(&b->spans, network, recent_order_of(b, &k));
}

static void on_span(const struct geodb_span *span, void *arg)
{
	struct build *b = arg;

	b->span = *span;
	prefix_cut(&b->cut, &span->network);
}

static void compile(struct build *b)
{
	const struct kind nobody = {.place = -1, .fence = STAGES_NO_FENCE};

	b->cut = (struct prefix_cut){.tree = b->r->overlay.tree, .on_piece = on_piece, .arg = b};
	/* The first order is for those of whom nothing is known. */
	(void)order_of(b, &nobody);
	b->r->head.tree = ranking_compile(b->g, &b->spans, on_span, b);
}

/* --- all of it --- */

static void build_init(struct build *b, const struct rules *rules)
{
	size_t area_count = b->g != NULL ? geodb_area_count(b->g) : 0;
	size_t place_count = b->g != NULL ? geodb_place_count(b->g) : 0;

	b->use_place = stages_use_place(b->r->stages);
	if (rules->fence_count > 0 && area_count > 0) {
		b->fence_of = xcalloc(area_count, sizeof(*b->fence_of));
		for (size_t i = 0; i < area_count; i++)
			b->fence_of[i] = stages_fence_of(rules, geodb_area(b->g, (uint32_t)i));
	}
	b->recent = xcalloc(place_count + 1, sizeof(*b->recent));
	b->kinds = intern_new(sizeof(struct kind));
	b->orders = intern_new(sizeof(struct digest));
	b->candidates = xcalloc(b->cluster_count + 1, sizeof(*b->candidates));
	b->scratch = xcalloc(2 * b->cluster_count + 4, sizeof(*b->scratch));
	for (size_t i = 0; i < b->cluster_count; i++)
		b->candidates[i].at = (uint16_t)i;
}

static void build_fini(struct build *b)
{
	struct ranking *r = b->r;

	r->head.orders = xreallocarray(r->head.orders, r->order_count, sizeof(*r->head.orders));
	r->clients = xreallocarray(r->clients, r->order_count, sizeof(*r->clients));
	ranking_entries_end(r);
	stages_freeze(r->stages);
	intern_free(b->kinds);
	intern_free(b->orders);
	free(b->order_of);
	free(b->recent);
	free(b->fence_of);
	free(b->candidates);
	free(b->scratch);
}

/* Without a stage that asks for them, fences and latencies say nothing. */
static struct rules only_stages(const struct rules *rules)
{
	struct rules only = *rules;
	bool seen[RULES_STAGES + 1] = {false};

	for (size_t i = 0; i < rules->stage_count; i++)
		seen[rules->stages[i]] = true;
	if (!seen[RULES_FENCE])
		only.fence_count = 0;
	if (!seen[RULES_LATENCY])
		only.latency = NULL;
	return only;
}

struct ranking *ranking_build_by(const struct ranking_cluster *clusters, size_t cluster_count,
                                 const struct rules *wanted, const struct geodb *g)
{
	struct rules only = only_stages(wanted), *rules = &only;
	struct ranking_cluster *sorted;
	struct ranking_groups groups;
	struct ranking *r = ranking_new(clusters, cluster_count, rules->unknown_order,
	                                rules->unknown_count, &sorted, &groups);
	struct build b = {.r = r, .g = g, .sorted = sorted, .cluster_count = cluster_count};

	r->stages = stages_new(r, clusters, cluster_count, rules);
	overlay_init(&r->overlay, r->stages, sorted, cluster_count, rules);
	build_init(&b, rules);
	compile(&b);
	build_fini(&b);
	free(groups.at);
	free(sorted);
	return r;
}
