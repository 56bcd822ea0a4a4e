/* planner.h -- how many replicas each cluster gets: KubeFed's planner to the last tie-break.
 *
 * As KubeFed's planner (its pkg/controller/util/planner), also its quirks: early clusters get more (10 over three equal ones is 4, 4, 2), a minimum is
 * not a promise, and a maximum below a minimum is looked at only while replicas remain.  Nothing overflows: sums are
 * exact in 128 bits, where KubeFed's 64 would wrap.  Negative numbers count as 0; a total is at most INT32_MAX (the
 * CRD's type), a larger one counts as that.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PLANNER_H
#define PROPAGATOR_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a ReplicaSchedulingPreference says of a cluster. */
struct planner_preference {
	int64_t min, max; /* replicas */
	int64_t weight;
	bool has_max; /* else there is none */
};

struct planner_cluster {
	const char *name; /* no other has it */
	const struct planner_preference
		*preference;            /* its own, else that of "*"; NULL: it gets no replica */
	int64_t current;                /* replicas that are ready in it */
	int64_t capacity;               /* replicas that it can hold */
	bool has_current, has_capacity; /* is that known? */
	int64_t planned;                /* result: replicas, within capacity */
	int64_t overflow; /* result: replicas beyond capacity, asked for so that what comes later finds them */
};

/* Fills in planned and overflow.  `key` is the federated object's "namespace/name".  The order of the clusters does
 * not matter, and stays. */
void planner_plan(struct planner_cluster *clusters, size_t count, int64_t total, bool rebalance,
                  const char *key);

/* What clusters of equal weight are ordered by, then by name: FNV-1 (not 1a), 32 bits, of both texts. */
uint32_t planner_hash(const char *cluster, const char *key);

#endif
