/* by_cluster.h -- a federated object, cluster by cluster: what its status says, and what the members have.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_BY_CLUSTER_H
#define CTL_BY_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/* What a member has of it. */
struct by_cluster_copy {
	bool is_asked;              /* else nothing of this is known */
	const char *trouble;        /* why it could not be asked; "": it could */
	struct json_object *object; /* NULL: there is none */
};

/* {cluster, placed, state, message, health, healthMessage, recorded} of one cluster, and, if it was asked, {unreachable} or
 * {exists, version, managed}.  `federated` and its PropagatedVersion (NULL: none) as the host has them; now_s: Unix seconds.
 * The caller puts it. */
struct json_object *by_cluster_make(const char *cluster, bool is_placed,
                                    struct json_object *federated,
                                    struct json_object *propagated_version,
                                    const struct by_cluster_copy *copy, int64_t now_s);

/* What the status of a federated object says of that cluster, borrowed; NULL: nothing. */
struct json_object *by_cluster_entry(struct json_object *federated, const char *cluster);

/* {reason, message} of its condition OverTotalReplicas; NULL: no more replicas are planned for it than were asked for.  The
 * caller puts it. */
struct json_object *by_cluster_excess(struct json_object *federated);

#endif
