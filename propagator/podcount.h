/* podcount.h -- how many replicas of a workload are ready in a cluster, and how many it can hold.
 *
 * As KubeFed counted them, with three differences.  A pod counts when its condition Ready is True; KubeFed counts
 * it whatever that says.  Pods that are being deleted count as nothing: their successors are in the list as well.
 * A capacity is never below 0.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PODCOUNT_H
#define PROPAGATOR_PODCOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

enum { PODCOUNT_UNSCHEDULABLE_S = 60 }; /* a pod that no node took for longer lacks room */

struct podcount {
	int64_t total;         /* without those that are being deleted */
	int64_t ready;         /* running, and ready */
	int64_t unschedulable; /* for more than PODCOUNT_UNSCHEDULABLE_S */
	int64_t recheck_in_s;  /* when the next may become that; 0: none is on its way */
};

/* Counts a list of pods (the `items` of a PodList; NULL and what is no list: none) at now_s, Unix seconds.  What is
 * no pod counts in total alone. */
struct podcount podcount_of(struct json_object *items, int64_t now_s);

struct podcount_measure {
	int64_t current;      /* replicas that are ready */
	int64_t capacity;     /* if has_capacity */
	bool has_capacity;    /* some do not find room */
	int64_t recheck_in_s; /* as above */
};

/* Must the pods be listed to measure this Deployment or ReplicaSet: is spec.replicas not status.readyReplicas? */
bool podcount_needs_pods(struct json_object *target);
/* What a cluster with this object has.  `items` are the pods that its selector selects; NULL when they are not needed
 * or could not be listed: then its status tells `current`, and no capacity is known. */
struct podcount_measure podcount_measure(struct json_object *target, struct json_object *items,
                                         int64_t now_s);

#endif
