/* stages.h -- the stages of rules, compiled: what each has to say of a cluster for a client.
 *
 * A stage gives each cluster a number, the smaller the better.  Put behind each other, the first stage's first,
 * they are a cluster's key: comparing two keys is comparing stage by stage.  Frozen when the ranking
 * is; private to the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_STAGES_H
#define GEO_STAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/area.h"
#include "geo/ranking.h"
#include "geo/rules.h"

struct stages;

enum { STAGES_NO_FENCE = 0xffff };
#define STAGES_FORBIDDEN ((uint64_t)1 << 62) /* a key that no allowed cluster has */

/* What decides about a client beside the place, which is its order's. */
struct stages_client {
	uint32_t latency; /* the number of what the table says of it; 0: nothing */
	uint32_t home;    /* the number of the regions nearest to it, by stages_find_home() */
	uint16_t fence;   /* the first that matches, or STAGES_NO_FENCE */
	uint16_t step_km; /* distances within one step are equal; 0: they count as they are */
	bool has_place;
};

/* `r` has its clusters.  The rest as for ranking_build_by(). */
struct stages *stages_new(const struct ranking *r, const struct ranking_cluster *clusters,
                          size_t cluster_count, const struct rules *rules);
void stages_free(struct stages *s); /* NULL is fine */

/* While the ranking is built: */
/* Does it make a difference where a client is, beyond its area? */
bool stages_use_place(const struct stages *s);
/* The first fence that is for clients of an area, or STAGES_NO_FENCE. */
uint16_t stages_fence_of(const struct rules *rules, const struct area *a);
/* What the table says of a network, as a number: the rows are all of the network's.  The clusters are sorted by name. */
uint32_t stages_put_latency(struct stages *s, const struct ranking_cluster *sorted,
                            size_t cluster_count, const struct latency_table *t, size_t first,
                            size_t count);
/* The regions of the clusters that are nearest to a client, for sameRegionFirst. */
void stages_find_home(struct ranking *r, const struct vector *at, struct stages_client *c);
void stages_freeze(struct stages *s);

/* All of a cluster for a client, or STAGES_FORBIDDEN; it must be one that the build knew. */
uint64_t stages_key(const struct ranking *r, const struct stages_client *c, const struct vector *at,
                    uint16_t cluster_id);
struct ranking_position stages_position(const struct ranking *r, const struct ranking_order *order,
                                        uint16_t cluster_id);
size_t stages_memory(const struct ranking *r);

#endif
