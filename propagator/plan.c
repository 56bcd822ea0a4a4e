/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/plan.h"

static struct plan step(enum plan_step step, enum state state)
{
	return (struct plan){step, state, true};
}

static struct plan where_placed(const struct plan_about *a)
{
	if (!a->is_ready)
		return step(PLAN_NOTHING, STATE_CLUSTER_NOT_READY);
	if (!a->is_seen)
		return step(PLAN_NOTHING, STATE_CACHED_RETRIEVAL_FAILED);
	if (!a->has_copy)
		return step(PLAN_CREATE, STATE_CREATION_TIMED_OUT);
	/* Somebody else deletes it: it is made anew when it has gone. */
	if (a->is_deleting)
		return step(PLAN_NOTHING, STATE_WAITING_FOR_REMOVAL);
	if (!a->is_current && a->is_drift && a->reports_drift)
		return step(PLAN_NOTHING, STATE_DRIFTED);
	if (!a->is_current)
		return step(PLAN_UPDATE, STATE_UPDATE_TIMED_OUT);
	return step(PLAN_NOTHING, STATE_FINE);
}

struct plan plan_for(const struct plan_about *a)
{
	const struct plan nothing = {PLAN_NOTHING, STATE_FINE, false};

	if (a->placed)
		return where_placed(a);
	if (!a->is_ready || !a->has_copy)
		return nothing;
	if (a->end == PLAN_END_ORPHAN || a->is_hosts)
		return step(PLAN_UNLABEL, STATE_LABEL_REMOVAL_TIMED_OUT);
	if (a->is_deleting)
		return step(PLAN_NOTHING, STATE_WAITING_FOR_REMOVAL);
	return step(PLAN_DELETE, STATE_DELETION_TIMED_OUT);
}
