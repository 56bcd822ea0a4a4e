/* cluster.h -- a KubeFedCluster's annotations that say how its clients are moved, changed where they are kept.
 *
 * That is the API server; where it has no such object, the lines for its file are printed, and the
 * status is COMMAND_FAILED, as it is not done yet.  What is in force then is nighd's word, if it can be asked.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CLUSTER_H
#define CTL_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "kube/access.h"

struct command;
struct json_object;
struct moves_now;
struct ramp;

/* What is asked to change. */
struct cluster_asked {
	const struct command *c;
	const char *name;
	const struct kube_access *access; /* NULL: no API server is known */
	bool is_kept;                     /* the API server has the object */
	/* Its annotations; NULL: there is none.  Where the object is not kept, what does the same as what nighd at
	 * --server has in force. */
	const char *drain, *shift;
};

/* What is to change: zeroed, nothing. */
struct cluster_change {
	bool has_drain;
	const char *drain; /* NULL: it is taken away */
	bool has_shift;
	struct text shift; /* empty: it is taken away */
	int64_t begins;    /* when the plan of it does, Unix seconds */
	struct text
		says; /* of what is so then, for people; ends a sentence that the cluster begins */
	struct json_object *root; /* the same, beside "cluster" and "namespace", which are there */
};

/* What is in force there, and when a plan is to begin.  What cannot be read has been told: then COMMAND_FAILED, or COMMAND_USAGE. */
int cluster_read_now(const struct cluster_asked *asked, struct moves_now *out);
/* It is to be shifted by that plan; `says` comes before the plan's times. */
void cluster_take_plan(struct cluster_change *change, const char *says, const struct ramp *plan);

/* Decides; anything but COMMAND_FINE ends it, and has been told. */
typedef int cluster_decide_fn(const struct cluster_asked *asked, struct cluster_change *out);
/* With --dry-run it is told, and nothing changes. */
int cluster_change(const struct command *c, const char *name, cluster_decide_fn *decide);

#endif
