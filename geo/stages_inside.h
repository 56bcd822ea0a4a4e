/* stages_inside.h -- what compiled stages are made of.  Private to stages.c and stages_values.c, stages_explain.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_STAGES_INSIDE_H
#define GEO_STAGES_INSIDE_H

#include "geo/ranking_inside.h"
#include "geo/stages.h"

/* What the stages know of a cluster, by its id. */
struct stages_cluster {
	uint16_t tier, region;
	int32_t bias_km;
};

struct stages_fence {
	bool required;
	bool *has; /* by cluster id */
};

/* A cluster in a set of rows of the latency table. */
struct stages_latency {
	uint16_t id, rank; /* equal milliseconds, equal rank */
	double ms;
};

struct stages {
	enum rules_stage kind[RULES_STAGES];
	size_t count;
	bool distance_is_last; /* latency is the last stage, and what it holds equal without knowing them goes by distance */
	bool has_unknown_order;
	bool is_apart;
	bool in_km; /* distances are kilometres; else chords, which compare alike */
	bool by_region;
	struct stages_cluster *clusters; /* by id */
	size_t cluster_count;
	struct stages_fence *fences;
	size_t fence_count;
	/* Sets of rows, by number: the n-th ends where the next begins; in each by id. */
	struct stages_latency *latencies;
	size_t latency_count, latency_room;
	uint32_t *set_at; /* one more than sets */
	size_t set_room;
	struct intern *sets;  /* digests, while they are made */
	struct intern *homes; /* of regions, a bit for each */
	uint8_t *home;        /* the one that is being put together */
	size_t home_size;
};

/* What the index-th stage says of a cluster; `index` is s->count for the last one. */
uint64_t stages_value(const struct ranking *r, const struct stages_client *c,
                      const struct vector *at, size_t index, uint16_t cluster_id);
/* Of a cluster in a client's set of rows; NULL: it has none. */
const struct stages_latency *stages_latency_of(const struct stages *s, uint32_t set, uint16_t id);

#endif
