/* ranking.h -- for every client address, the clusters in their order: nearest first.
 *
 * Made by ranking_build() from the clusters' places and a geodb, or by ranking_build_by() from a policy's
 * ordering stages as well, off the answering path; frozen, read by any worker.  Networks with the same order of
 * clusters are merged, so the depth of an address's leaf is the shortest honest ECS scope.
 * Health never changes it; only what it is made from does.
 *
 * By distance alone, clusters within 1 km of each other (directly or through others) count as one
 * place, a tie; so do all clusters without a place, which come last.  Distances of two
 * places that are equal to the last bit are ordered by the smallest cluster name.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RANKING_H
#define GEO_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "geo/geodb.h"
#include "geo/place.h"
#include "geo/ranking_tree.h"
#include "geo/rules.h"
#include "geo/vector.h"

struct ranking;

enum {
	RANKING_MAX_CLUSTERS = 4096,
	RANKING_NEAREST = 8,
	RANKING_GROUP = 0x8000, /* a flag: not a cluster's id, but for ranking_members() */
	RANKING_NO_CLUSTER = 0xffff
};

/* A cluster, or a group of them that are equal, or RANKING_NO_CLUSTER. */
struct ranking_near {
	uint16_t cluster;
	uint16_t number; /* of the cluster among all by name; 0 of others */
};
/* Is it such a group? */
static inline bool ranking_is_group(uint16_t cluster)
{
	return cluster >= RANKING_GROUP && cluster != RANKING_NO_CLUSTER;
}
#define RANKING_END ((struct ranking_near){RANKING_NO_CLUSTER, 0})

/* One order of clusters, and a place that has it.
 * `nearest`: the first places at its head, nearest first, ended by RANKING_NO_CLUSTER: RANKING_NEAREST at most.  Each is a
 * cluster, or a group of them that count as one place.  All others are farther away than these. */
struct ranking_order {
	struct ranking_near nearest[RANKING_NEAREST + 1];
	bool is_unplaced; /* of clients without a place; told only by rules with unknown_is_apart */
	struct vector at; /* the place; private */
};

struct ranking_cluster {
	uint16_t id;      /* as sites name it; < RANKING_MAX_CLUSTERS; need not be dense */
	const char *name; /* borrowed during the build */
	bool has_place;
	struct place place;
};

/* `unknown_order`: names for clients without a place, then the rest by name;
 * names of no cluster are passed over.  `g` may be NULL (nobody has a place) and
 * is borrowed during the build only. */
struct ranking *ranking_build(const struct ranking_cluster *clusters, size_t cluster_count,
                              const char *const *unknown_order, size_t unknown_count,
                              const struct geodb *g);
/* The same by rules, which have more to say than distance: the order of every client is that of their stages.
 * Clusters that all stages hold equal are one entry of `nearest`, a group, however far from each other; those that a
 * fence forbids to the client are no entry.  The rules are borrowed during the build; their clusters are those of the
 * list, by index.  A place that the geodb knows only roughly counts in steps of its radius. */
struct ranking *ranking_build_by(const struct ranking_cluster *clusters, size_t cluster_count,
                                 const struct rules *rules, const struct geodb *g);
/* One more user of it.  Any thread. */
const struct ranking *ranking_ref(const struct ranking *r);
/* One user less; the last one's call frees it.  NULL is fine. */
void ranking_free(const struct ranking *r);

/* Where a client stands. `depth`: length of the leaf's prefix, in bits of the address's
 * own family: every address inside it has the same order.  Never NULL. */
struct ranking_leaf {
	const struct ranking_order *order;
	uint8_t depth;
};
static inline struct ranking_leaf ranking_find(const struct ranking *r, const struct addr *a);

/* The clusters of a group in `nearest`, by name, ended by RANKING_NO_CLUSTER. */
static inline const struct ranking_near *ranking_members(const struct ranking *r, uint16_t group);
/* hash_fixed() of the name of a cluster in `nearest`, or of a group's. */
static inline uint64_t ranking_name_hash(const struct ranking *r, uint16_t cluster_id);
/* Those of all of them, by cluster id. */
static inline const uint64_t *ranking_name_hashes(const struct ranking *r);

/* How good a cluster is in an order: compare with ranking_compare() only.  O(1). */
struct ranking_position {
	double distance; /* grows with the distance; its unit is private */
	uint16_t group;  /* clusters that count as one place share it */
};
struct ranking_position ranking_position(const struct ranking *r, const struct ranking_order *order,
                                         uint16_t cluster_id);

/* <0: a is nearer, 0: a tie of place (same group), >0: b is nearer.  A total order. */
static inline int ranking_compare(struct ranking_position a, struct ranking_position b)
{
	if (a.distance != b.distance)
		return a.distance < b.distance ? -1 : 1;
	return (a.group > b.group) - (a.group < b.group);
}

/* May clients of this order be sent there at all, or does a required fence forbid it?  Forbidden clusters are
 * behind all others by their position. */
bool ranking_allows(const struct ranking *r, const struct ranking_order *order,
                    uint16_t cluster_id);
/* The fence that is for clients of this order, from 1 in the order of the rules; 0: none is. */
uint16_t ranking_fence(const struct ranking *r, const struct ranking_order *order);

/* For explain, the stages one by one: those of the rules as written, and a last one that decides among the rest: the
 * order for clients without a place, or distance where latency says nothing.  Without rules there is one. */
size_t ranking_stage_count(const struct ranking *r);
/* "geofence", "failover", "latency", "nearest"; of the last one "distance" or "unknownClient". */
const char *ranking_stage_name(const struct ranking *r, const struct ranking_order *order,
                               size_t stage);
/* How two clusters compare by that stage alone: <0, 0, >0 as ranking_compare(). */
int ranking_compare_at(const struct ranking *r, const struct ranking_order *order, size_t stage,
                       uint16_t a, uint16_t b);
/* Who asks; NULL where it is not known. */
struct ranking_asker {
	const struct addr *addr;   /* for the latency table */
	const struct place *place; /* for distances */
};
/* What it compares a cluster by: "rule 2, required", "tier 1", "12 ms", "1234 km - 200"; "" when it says nothing. */
void ranking_stage_detail(const struct ranking *r, const struct ranking_order *order, size_t stage,
                          const struct ranking_asker *who, uint16_t cluster_id, char *buf,
                          size_t size);

/* For explain: great-circle distance of the cluster from a client's place; negative when the
 * cluster has no place or is unknown. */
double ranking_distance_km(const struct ranking *r, const struct place *client,
                           uint16_t cluster_id);

size_t ranking_memory(const struct ranking *r); /* bytes, for metrics */

/* What finding needs: the beginning of each ranking, open so that it costs no call. */
struct ranking_head {
	struct ranking_order *orders; /* the first is the unknown order */
	struct ranking_tree tree;
	struct ranking_near *
		members; /* the n-th group's begin at members[member_at[n]], up to the next one's */
	uint32_t *member_at;
	uint64_t *name_hash; /* by cluster id */
	size_t id_count;     /* they are below that */
};

static inline struct ranking_leaf ranking_find(const struct ranking *r, const struct addr *a)
{
	const struct ranking_head *head = (const struct ranking_head *)(const void *)r;
	struct ranking_tree_leaf leaf;

	if (a->family == ADDR_NONE)
		return (struct ranking_leaf){head->orders, 0};
	leaf = ranking_tree_find(&head->tree, a);
	return (struct ranking_leaf){head->orders + leaf.value, leaf.depth};
}

static inline const struct ranking_near *ranking_members(const struct ranking *r, uint16_t group)
{
	const struct ranking_head *head = (const struct ranking_head *)(const void *)r;

	return head->members + head->member_at[group & ~RANKING_GROUP];
}

/* The ids of its clusters are below that. */
static inline size_t ranking_id_count(const struct ranking *r)
{
	return ((const struct ranking_head *)(const void *)r)->id_count;
}

static inline const uint64_t *ranking_name_hashes(const struct ranking *r)
{
	return ((const struct ranking_head *)(const void *)r)->name_hash;
}

static inline uint64_t ranking_name_hash(const struct ranking *r, uint16_t cluster_id)
{
	return ranking_name_hashes(r)[cluster_id];
}

#endif
