/* ranking_clusters.c -- the clusters of a ranking: which count as one place, and who is who. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/digest.h"
#include "geo/ranking_inside.h"

static int by_name(const void *one, const void *other)
{
	const struct ranking_cluster *a = one, *b = other;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

static bool is_near(const struct ranking_cluster *a, const struct ranking_cluster *b)
{
	return b->has_place && place_distance_km(&a->place, &b->place) <= 1.0;
}

enum { NO_GROUP = 0xffff };

/* Gives everyone within reach of the first cluster its group. */
static void spread(const struct ranking_cluster *sorted, size_t count, uint16_t *group,
                   size_t first)
{
	size_t *queue = xcalloc(count, sizeof(*queue)), from = 0, to = 1;

	for (queue[0] = first; from < to; from++)
		for (size_t i = first + 1; i < count; i++)
			if (group[i] == NO_GROUP && is_near(&sorted[queue[from]], &sorted[i])) {
				group[i] = group[first];
				queue[to++] = i;
			}
	free(queue);
}

/* Groups of clusters sorted by name, so that groups are in the order of their first names.  The
 * first member's place stands for all of a group, else the order of sites would not be one. */
static void group_clusters(struct ranking *r, const struct ranking_cluster *sorted, size_t count,
                           struct ranking_groups *groups)
{
	uint16_t *group = xcalloc(count + 1, sizeof(*group));

	groups->at = xcalloc(count + 1, sizeof(*groups->at));
	for (size_t i = 0; i < count; i++)
		group[i] = NO_GROUP;
	for (size_t i = 0; i < count; i++) {
		if (!sorted[i].has_place || group[i] != NO_GROUP)
			continue;
		group[i] = (uint16_t)groups->count;
		groups->at[groups->count++] = vector_of(&sorted[i].place);
		spread(sorted, count, group, i);
	}
	for (size_t i = 0; i < count; i++) {
		struct standing *s = &r->standings[sorted[i].id];
		bool is_placed = group[i] != NO_GROUP;

		s->is_there = true;
		s->number = (uint16_t)i;
		s->group = is_placed ? group[i] : (uint16_t)groups->count;
		s->bias = is_placed ? 0 : (double)INFINITY;
		if (is_placed) {
			s->at = groups->at[group[i]];
			r->places[sorted[i].id] = sorted[i].place;
		}
	}
	free(group);
}

static const struct ranking_cluster *find_name(const struct ranking_cluster *sorted, size_t count,
                                               const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(sorted[i].name, name) == 0)
			return &sorted[i];
	return NULL;
}

/* The clusters' ids in the unknown order. */
static void rank_unknown(struct ranking *r, const struct ranking_cluster *sorted, size_t count,
                         const char *const *unknown_order, size_t unknown_count)
{
	bool *is_ranked = xcalloc(r->standing_count, sizeof(*is_ranked));
	uint16_t rank = 0;

	for (size_t i = 0; i < unknown_count + count; i++) {
		const struct ranking_cluster *c =
			i < unknown_count ? find_name(sorted, count, unknown_order[i])
					  : &sorted[i - unknown_count];

		if (c == NULL || is_ranked[c->id])
			continue;
		is_ranked[c->id] = true;
		r->standings[c->id].rank = rank++;
	}
	free(is_ranked);
}

struct ranking *ranking_new(const struct ranking_cluster *clusters, size_t cluster_count,
                            const char *const *unknown_order, size_t unknown_count,
                            struct ranking_cluster **sorted, struct ranking_groups *groups)
{
	struct ranking *r = xcalloc(1, sizeof(*r));
	struct ranking_cluster *list = xcalloc(cluster_count + 1, sizeof(*list));

	atomic_init(&r->users, 1);
	for (size_t i = 0; i < cluster_count; i++) {
		CHECK(clusters[i].id < RANKING_MAX_CLUSTERS);
		list[i] = clusters[i];
		if (clusters[i].id >= r->standing_count)
			r->standing_count = clusters[i].id + 1u;
	}
	if (cluster_count > 0)
		qsort(list, cluster_count, sizeof(*list), by_name);
	r->standings = xcalloc(r->standing_count, sizeof(*r->standings));
	r->places = xcalloc(r->standing_count, sizeof(*r->places));
	r->head.name_hash = xcalloc(r->standing_count, sizeof(*r->head.name_hash));
	r->head.id_count = r->standing_count;
	for (size_t i = 0; i < cluster_count; i++)
		r->head.name_hash[list[i].id] = hash_fixed(bytes_of(list[i].name));
	r->members.digests = intern_new(sizeof(struct digest));
	*groups = (struct ranking_groups){0};
	group_clusters(r, list, cluster_count, groups);
	rank_unknown(r, list, cluster_count, unknown_order, unknown_count);
	r->absent = (struct standing){.bias = (double)INFINITY, .group = (uint16_t)groups->count};
	*sorted = list;
	return r;
}

/* --- groups in `nearest` --- */

static void put_members(struct ranking *r, uint32_t number, const uint16_t *ids, size_t count)
{
	struct ranking_head *head = &r->head;
	struct member_lists *m = &r->members;

	if (number + 1 >= m->at_room) {
		m->at_room = m->at_room * 2 + 16;
		head->member_at =
			xreallocarray(head->member_at, m->at_room, sizeof(*head->member_at));
	}
	if (m->count + count + 1 > m->room) {
		m->room = m->room * 2 + count + 64;
		head->members = xreallocarray(head->members, m->room, sizeof(*head->members));
	}
	head->member_at[number] = (uint32_t)m->count;
	for (size_t i = 0; i < count; i++)
		head->members[m->count++] =
			(struct ranking_near){ids[i], r->standings[ids[i]].number};
	head->members[m->count++] = RANKING_END;
	head->member_at[number + 1] = (uint32_t)m->count;
}

struct ranking_near ranking_entry_of(struct ranking *r, const uint16_t *ids, size_t count)
{
	enum { MOST = (RANKING_NO_CLUSTER & ~RANKING_GROUP) - 1 };
	struct member_lists *m = &r->members;
	struct digest digest;
	uint32_t known, number;

	if (count == 1)
		return (struct ranking_near){ids[0], r->standings[ids[0]].number};
	known = intern_count(m->digests);
	if (known > MOST)
		return RANKING_END;
	digest = digest_of(ids, count);
	number = intern_put(m->digests, &digest);
	if (number == known)
		put_members(r, number, ids, count);
	return (struct ranking_near){(uint16_t)(RANKING_GROUP | number), 0};
}

void ranking_entries_end(struct ranking *r)
{
	intern_free(r->members.digests);
	r->members.digests = NULL;
}
