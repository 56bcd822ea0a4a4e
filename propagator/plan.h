/* plan.h -- what is to be done about one federated object in one cluster.  Pure.
 *
 * As KubeFed's controllers decided, but that a member whose copies cannot be seen (its kind is not
 * installed there, say) is a case of its own: nothing is done there, and no other waits for it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PLAN_H
#define PROPAGATOR_PLAN_H

#include <stdbool.h>

#include "propagator/state.h"

enum plan_step {
	PLAN_NOTHING,
	PLAN_CREATE, /* unless there is one that is not ours yet, and may not be */
	PLAN_UPDATE,
	PLAN_DELETE,
	PLAN_UNLABEL /* leave it, without the label that says it is ours */
};

/* What is wanted of the object in all clusters that it is not placed in; ORPHAN: it is deleted, and that annotation is "true". */
#define PLAN_ORPHAN_ANNOTATION "kubefed.io/orphan"
enum plan_end { PLAN_END_DELETE, PLAN_END_ORPHAN };

struct plan_about {
	bool placed;        /* and the federated object is not being deleted */
	bool is_ready;      /* the cluster */
	bool is_seen;       /* its copies are known */
	bool has_copy;      /* there is a managed one */
	bool is_deleting;   /* the copy has a deletionTimestamp */
	bool is_current;    /* the copy is as it should be */
	bool is_drift;      /* it was, and another has changed it */
	bool reports_drift; /* which is to be said and not mended */
	bool is_hosts;      /* it is a namespace of the host itself, which is never deleted */
	enum plan_end end;
};

struct plan {
	enum plan_step step;
	enum state state; /* until the step has been taken */
	bool is_listed;   /* in status.clusters */
};

struct plan plan_for(const struct plan_about *about);

#endif
