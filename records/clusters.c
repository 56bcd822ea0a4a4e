/* SPDX-License-Identifier: Apache-2.0 */
#include "records/clusters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"
#include "geo/regions.h"
#include "records/ramp.h"

/* What a cluster's Nodes say together. */
struct nodes {
	bool counted;
	struct bytes region; /* of most nodes */
	struct bytes *zones; /* sorted, unique */
	size_t zone_count;
	struct arena *arena; /* holds the above; NULL when there is nothing */
};

/* The last shift of a cluster that could be read: one that cannot be changes nothing. */
struct last_shift {
	bool is;
	struct ramp ramp;
};

struct clusters {
	struct arena *arena; /* holds the list */
	struct records_cluster *list;
	struct cluster_state *states; /* as they were at the last update */
	size_t count;
	struct ladder ladder;
	bool *has;                 /* by id */
	struct nodes *nodes;       /* by id */
	struct last_shift *shifts; /* by id */
	size_t id_count;
};

struct clusters *clusters_new(void)
{
	struct clusters *c = xcalloc(1, sizeof(*c));

	c->arena = arena_new();
	return c;
}

void clusters_free(struct clusters *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->id_count; i++)
		arena_free(c->nodes[i].arena);
	free(c->nodes);
	free(c->shifts);
	free(c->has);
	arena_free(c->arena);
	free(c);
}

static void make_room(struct clusters *c, size_t count)
{
	if (count <= c->id_count)
		return;
	c->nodes = xreallocarray(c->nodes, count, sizeof(*c->nodes));
	c->shifts = xreallocarray(c->shifts, count, sizeof(*c->shifts));
	c->has = xreallocarray(c->has, count, sizeof(*c->has));
	for (; c->id_count < count; c->id_count++) {
		c->nodes[c->id_count] = (struct nodes){.counted = false};
		c->shifts[c->id_count] = (struct last_shift){.is = false};
		c->has[c->id_count] = false;
	}
}

void clusters_touch_nodes(struct clusters *c, uint16_t id)
{
	make_room(c, (size_t)id + 1);
	c->nodes[id].counted = false;
}

void clusters_restore_shift(struct clusters *c, uint16_t id, const struct ramp *shift)
{
	make_room(c, (size_t)id + 1);
	c->shifts[id] = (struct last_shift){true, *shift};
}

/* --- nodes --- */

struct labels {
	struct arena *arena;
	struct bytes *list;
	size_t count, room;
};

struct node_labels {
	struct labels regions, zones;
};

static void add_label(struct labels *l, struct bytes label)
{
	if (label.len == 0)
		return;
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->list = xreallocarray(l->list, l->room, sizeof(*l->list));
	}
	l->list[l->count++] = label;
}

static void on_node(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct node_labels *n = arg;
	struct fact_value v;

	(void)cluster;
	if (!fact_decode(fact, n->regions.arena, &v))
		return;
	add_label(&n->regions, v.node.region);
	add_label(&n->zones, v.node.zone);
}

/* The label that is there most often; of several the first in byte order. */
static struct bytes most_frequent(const struct labels *sorted)
{
	struct bytes best = {NULL, 0};
	size_t most = 0;

	for (size_t i = 0, same; i < sorted->count; i += same) {
		same = 1;
		while (i + same < sorted->count &&
		       bytes_equal(sorted->list[i], sorted->list[i + same]))
			same++;
		if (same > most) {
			most = same;
			best = sorted->list[i];
		}
	}
	return best;
}

static struct bytes keep(struct arena *a, struct bytes s)
{
	return (struct bytes){arena_memdup(a, s.data, s.len), s.len};
}

static void count_nodes(struct nodes *n, const struct facts *facts, uint16_t id)
{
	struct node_labels found = {{.arena = arena_new()}, {.arena = NULL}};

	arena_free(n->arena);
	*n = (struct nodes){.counted = true};
	facts_each(facts, id, FACT_NODE, on_node, &found);
	if (found.regions.count > 0)
		qsort(found.regions.list, found.regions.count, sizeof(struct bytes),
		      bytes_by_order);
	if (found.zones.count > 0)
		qsort(found.zones.list, found.zones.count, sizeof(struct bytes), bytes_by_order);
	if (found.regions.count + found.zones.count > 0) {
		n->arena = arena_new();
		n->region = keep(n->arena, most_frequent(&found.regions));
		n->zones = arena_calloc(n->arena, found.zones.count, sizeof(*n->zones));
		for (size_t i = 0; i < found.zones.count; i++)
			if (i == 0 || !bytes_equal(found.zones.list[i], found.zones.list[i - 1]))
				n->zones[n->zone_count++] = keep(n->arena, found.zones.list[i]);
	}
	free(found.regions.list);
	free(found.zones.list);
	arena_free(found.regions.arena);
}

/* --- one cluster --- */

struct update {
	const struct records_settings *settings;
	const struct facts *facts;
	struct notes *notes;
	struct arena *arena;
	const struct fact **kubefed; /* KubeFedClusters by name, the best of a name first */
	size_t kubefed_count, kubefed_room;
};

static void on_kubefed_cluster(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct update *u = arg;

	(void)cluster;
	if (u->kubefed_count == u->kubefed_room) {
		u->kubefed_room = u->kubefed_room ? u->kubefed_room * 2 : 16;
		u->kubefed = xreallocarray(u->kubefed, u->kubefed_room, sizeof(struct fact *));
	}
	u->kubefed[u->kubefed_count++] = fact;
}

static int by_name_and_rank(const void *x, const void *y)
{
	const struct fact *a = *(const struct fact *const *)x;
	const struct fact *b = *(const struct fact *const *)y;
	int order = bytes_compare(fact_name(a), fact_name(b));
	bool a_first = bytes_equal_text(fact_namespace(a), "kube-federation-system");
	bool b_first = bytes_equal_text(fact_namespace(b), "kube-federation-system");

	if (order == 0)
		order = b_first - a_first;
	return order ? order : bytes_compare(fact_namespace(a), fact_namespace(b));
}

static const struct fact *find_kubefed(const struct update *u, const char *name)
{
	struct bytes want = bytes_of(name);
	size_t from = 0, to = u->kubefed_count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (bytes_compare(fact_name(u->kubefed[middle]), want) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from < u->kubefed_count && bytes_equal(fact_name(u->kubefed[from]), want))
		return u->kubefed[from];
	return NULL;
}

static const struct records_member *find_member(const struct records_settings *s, const char *name)
{
	for (size_t i = 0; i < s->member_count; i++)
		if (bytes_equal_text(s->members[i].name, name))
			return &s->members[i];
	return NULL;
}

static void set_place(const struct update *u, struct records_cluster *c,
                      const struct place *annotated, const struct records_member *member)
{
	const struct region *region;
	char where[300];

	c->has_place = true;
	if (annotated) {
		c->place = *annotated;
		c->place_from = "annotation";
		return;
	}
	if (member && member->has_location) {
		c->place = member->location;
		c->place_from = "config";
		return;
	}
	region = c->region.len ? regions_find(c->region) : NULL;
	if (region) {
		c->place = region->place;
		c->place_from = arena_printf(u->arena, "region %s", region->name);
		return;
	}
	c->has_place = false;
	c->place_from = "";
	snprintf(where, sizeof(where), "cluster %s", c->name);
	notes_warning(u->notes, where, "has no location: ranked last");
}

static const struct bytes *keep_all(struct arena *a, const struct bytes *list, size_t count)
{
	struct bytes *copy = arena_calloc(a, count, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = keep(a, list[i]);
	return copy;
}

static void set_shift(const struct update *u, struct records_cluster *c, struct bytes text,
                      struct last_shift *last)
{
	struct reason why = {0};
	struct ramp ramp;
	char where[300];

	if (text.len == 0) {
		last->is = false;
	} else if (ramp_parse(text, &ramp, &why) == ERR_OK) {
		*last = (struct last_shift){true, ramp};
	} else {
		snprintf(where, sizeof(where), "cluster %s", c->name);
		notes_problem(u->notes, where, "annotation nigh.dev/shift: %s; %s", why.text,
		              last->is ? "the one before stays in force" : "nothing is shifted");
	}
	c->shift = last->is ? arena_memdup(u->arena, &last->ramp, sizeof(last->ramp)) : NULL;
}

/* What nobody looks at is seen by the objects that name it. */
static const struct cluster_state *state_of(const struct update *u, uint16_t id)
{
	const struct cluster_state *behind = facts_cluster_behind(u->facts, id);
	struct cluster_state *named;

	if (behind == facts_cluster(u->facts, id))
		return behind;
	named = arena_memdup(u->arena, behind, sizeof(*behind));
	named->registered = false;
	named->source = CLUSTER_SITES;
	return named;
}

static void describe(const struct update *u, struct clusters *of, uint16_t id,
                     struct records_cluster *c)
{
	const struct nodes *nodes = &of->nodes[id];
	const struct fact *fact;
	const struct records_member *member;
	struct fact_value v = {.kind = FACT_KUBEFED_CLUSTER};

	*c = (struct records_cluster){
		.id = id, .name = facts_cluster_name(u->facts, id), .state = state_of(u, id)};
	fact = find_kubefed(u, c->name);
	member = find_member(u->settings, c->name);
	if (fact && !fact_decode(fact, u->arena, &v))
		v = (struct fact_value){.kind = FACT_KUBEFED_CLUSTER};
	c->region = v.cluster.region.len           ? v.cluster.region
	            : member && member->region.len ? member->region
	                                           : nodes->region;
	c->region = keep(u->arena, c->region);
	c->zone_count = v.cluster.zone_count ? v.cluster.zone_count : nodes->zone_count;
	c->zones = keep_all(u->arena, v.cluster.zone_count ? v.cluster.zones : nodes->zones,
	                    c->zone_count);
	c->labels = keep_all(u->arena, v.cluster.labels, v.cluster.label_count);
	c->label_count = v.cluster.label_count;
	c->let_back_at = v.cluster.let_back_at;
	c->drained = v.cluster.drain || (member && member->drained);
	set_place(u, c, v.cluster.has_location ? &v.cluster.location : NULL, member);
	set_shift(u, c, v.cluster.shift, &of->shifts[id]);
}

/* --- all clusters --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct records_cluster *)a)->name,
	              ((const struct records_cluster *)b)->name);
}

static bool same_texts(const struct bytes *a, size_t a_count, const struct bytes *b, size_t b_count)
{
	bool same = a_count == b_count;

	for (size_t i = 0; i < a_count && same; i++)
		same = bytes_equal(a[i], b[i]);
	return same;
}

static bool same_ladder(const struct records_cluster *a, const struct records_cluster *b)
{
	return a->id == b->id && bytes_equal(a->region, b->region) &&
	       same_texts(a->zones, a->zone_count, b->zones, b->zone_count);
}

static bool same_shift(const struct ramp *a, const struct ramp *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || ramp_equal(a, b));
}

static bool same_rest(const struct records_cluster *a, const struct records_cluster *b)
{
	return a->has_place == b->has_place && a->drained == b->drained &&
	       a->let_back_at == b->let_back_at && strcmp(a->place_from, b->place_from) == 0 &&
	       same_shift(a->shift, b->shift) &&
	       same_texts(a->labels, a->label_count, b->labels, b->label_count) &&
	       (!a->has_place || place_equal(&a->place, &b->place));
}

static struct clusters_change compare(const struct clusters *was, const struct clusters *now)
{
	struct clusters_change change = {false, false, false};

	if (was->count != now->count) {
		change.registered = true;
	} else {
		for (size_t i = 0; i < now->count; i++) {
			const struct cluster_state *a = &was->states[i], *b = &now->states[i];

			change.registered |= was->list[i].id != now->list[i].id ||
			                     a->registered != b->registered;
			change.ladder |= !same_ladder(&was->list[i], &now->list[i]);
			change.any |= !same_rest(&was->list[i], &now->list[i]) ||
			              a->source != b->source || a->knowledge != b->knowledge;
		}
	}
	change.ladder |= change.registered;
	change.any |= change.ladder;
	return change;
}

/* A cluster that nobody registers: do published sites name it, or might they? */
static bool has_sites(const struct update *u, const struct site_names *named, const char *name)
{
	return site_names_has(named, bytes_of(name)) ||
	       (site_names_any(named) && find_kubefed(u, name) != NULL);
}

struct clusters_change clusters_update(struct clusters *c, const struct records_settings *settings,
                                       const struct facts *facts, const struct site_names *named,
                                       struct notes *notes)
{
	struct clusters was = *c;
	struct update u = {.settings = settings, .facts = facts, .notes = notes};
	size_t count = facts_cluster_count(facts);
	struct clusters_change change;

	notes_begin(notes, NOTES_OF_CLUSTERS, 0);
	make_room(c, count);
	u.arena = c->arena = arena_new();
	c->list = arena_calloc(c->arena, count, sizeof(*c->list));
	c->states = arena_calloc(c->arena, count, sizeof(*c->states));
	c->count = 0;
	facts_each(facts, FACTS_HOST, FACT_KUBEFED_CLUSTER, on_kubefed_cluster, &u);
	if (u.kubefed_count > 0)
		qsort(u.kubefed, u.kubefed_count, sizeof(struct fact *), by_name_and_rank);
	for (size_t i = FACTS_HOST + 1; i < count; i++) {
		uint16_t id = (uint16_t)i;

		c->has[id] = facts_cluster(facts, id)->registered;
		if (!c->has[id] && !has_sites(&u, named, facts_cluster_name(facts, id))) {
			c->shifts[id].is = false;
			continue;
		}
		if (!c->nodes[id].counted)
			count_nodes(&c->nodes[id], facts, id);
		describe(&u, c, id, &c->list[c->count++]);
	}
	free(u.kubefed);
	if (c->count > 0)
		qsort(c->list, c->count, sizeof(*c->list), by_name);
	for (size_t i = 0; i < c->count; i++)
		c->states[i] = *c->list[i].state;
	c->ladder = ladder_build(c->arena, c->list, c->count, notes);
	change = compare(&was, c);
	arena_free(was.arena);
	return change;
}

const struct records_cluster *clusters_list(const struct clusters *c, size_t *count)
{
	*count = c->count;
	return c->list;
}

const struct records_cluster *clusters_find(const struct clusters *c, struct bytes name)
{
	size_t from = 0, to = c->count;

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = bytes_compare(bytes_of(c->list[middle].name), name);

		if (order == 0)
			return &c->list[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

bool clusters_has(const struct clusters *c, uint16_t id) { return id < c->id_count && c->has[id]; }

const struct ladder *clusters_ladder(const struct clusters *c) { return &c->ladder; }
