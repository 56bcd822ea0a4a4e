/* schedule.h -- a ReplicaSchedulingPreference, and what it makes of its federated object.
 *
 * As in KubeFed the plan becomes placement.clusters and each cluster's override of /spec/replicas.  Where
 * KubeFed's controller had races or was silent, this differs:
 *  - A placed cluster that is not ready stays placed, with the override that it has; its replicas are planned for the
 *    others, so that the sum is over totalReplicas meanwhile.  KubeFed dropped it, and could delete its workload when
 *    it came back.  It leaves when it is gone, or when selectors that count no longer select it.
 *  - A wrong targetKind, numbers out of range, and that no cluster can be used, are said.
 *  - An override that exists with op "remove" sets replicas again.
 * Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SCHEDULE_H
#define PROPAGATOR_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;
struct schedule; /* what a ReplicaSchedulingPreference asks for */

/* Reads one.  ERR_PARSE, ERR_RANGE: a field is wrong, `why` names it; ERR_UNSUPPORTED: its targetKind is neither
 * FederatedDeployment nor FederatedReplicaSet.  The caller frees; nothing is borrowed. */
enum err schedule_decode(struct json_object *preference, struct schedule **out,
                         struct reason *why) MUST_CHECK;
void schedule_free(struct schedule *s); /* NULL is fine */

/* "FederatedDeployment" or "FederatedReplicaSet": what it governs, by its own namespace and name. */
const char *schedule_target_kind(const struct schedule *s);
/* intersectWithClusterSelector: are the clusterSelectors of the federated object and of its FederatedNamespace asked? */
bool schedule_asks_selectors(const struct schedule *s);

/* Each KubeFedCluster. */
struct schedule_cluster {
	const char *name; /* no other has it */
	bool is_ready;
	bool is_placed; /* by the placement that the federated object has now */
	bool is_selected; /* by the clusterSelectors of the federated object and of its FederatedNamespace; a missing
	                   * one selects nothing.  Counts where schedule_asks_selectors(). */
	bool has_current; /* there is a managed object in it: podcount_measure() tells the next three */
	bool has_capacity;
	int64_t current, capacity;
	int64_t replicas; /* result: what it shall have; of one that is held, has; -1: it is not placed */
	bool is_held; /* result: placed, not ready, left as it is */
};

enum schedule_outcome {
	SCHEDULE_SAME,       /* the federated object is already so */
	SCHEDULE_CHANGED,    /* write `federated` */
	SCHEDULE_NO_CLUSTER, /* no cluster is ready and selected: everything stays */
};

struct schedule_result {
	enum schedule_outcome outcome;
	struct json_object
		*federated; /* SCHEDULE_CHANGED: a changed copy, which the caller puts; else NULL */
	int64_t total;      /* totalReplicas */
	int64_t planned;    /* replicas of clusters that are ready */
	int64_t held;       /* replicas of those that are held */
	struct reason
		note; /* "": as many as asked for are planned, and none is held; else what is so, for status */
};

/* Plans at most SCHEDULE_CLUSTERS_MOST clusters, in any order.  ERR_NOTFOUND: has_namespace is false (there is no
 * FederatedNamespace) where schedule_asks_selectors(); ERR_PARSE, ERR_CONFLICT, ERR_RANGE: the federated object is
 * wrong, `why` says where.  `out` holds nothing then. */
enum err schedule_apply(const struct schedule *s, struct json_object *federated,
                        struct schedule_cluster *clusters, size_t count, bool has_namespace,
                        struct schedule_result *out, struct reason *why) MUST_CHECK;

enum { SCHEDULE_CLUSTERS_MOST = 65535 };

/* The condition of a federated object that says so, "True", while more replicas are planned than are asked for. */
#define SCHEDULE_EXCESS_CONDITION "OverTotalReplicas"

struct schedule_excess {
	const char *reason;    /* as conditions have it, never freed; NULL: there are no more */
	struct reason message; /* how many, and what for */
};

/* What there is to say of the sums of a schedule_result. */
struct schedule_excess schedule_excess(int64_t total, int64_t planned, int64_t held);

#endif
