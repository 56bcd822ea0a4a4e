/* scheduler.h -- the ReplicaSchedulingPreferences of the host: planned anew whenever something of them changes, and
 * written into their federated objects (docs/scheduling.md).
 *
 * It works while the gate SchedulerPreferences is on, for the types deployments.apps and replicasets.apps.  Bursts of
 * changes are planned once.  A preference that cannot be followed says so by an Event and in /status; its own status
 * has no fields.  That more is planned than asked for stands in the status of its federated object, whose controller asks
 * for it.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SCHEDULER_H
#define PROPAGATOR_SCHEDULER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "propagator/types.h"

struct scheduler;

/* All is borrowed. */
struct scheduler_settings {
	uv_loop_t *loop;
	struct kube_client *host;
	struct kube_backoff *backoff;
	struct dispatch *dispatch; /* of the host */
	const char *namespace;     /* KubeFed's */
	const struct settings *settings;
	struct members *members;
	struct types *types;
	struct events *events;
};

struct scheduler *scheduler_start(const struct scheduler_settings *settings);
void scheduler_stop(struct scheduler *s);
/* The settings are others now. */
void scheduler_on_settings(struct scheduler *s);

/* A federated object of that controller has changed, or a copy of it. */
void scheduler_on_object(struct scheduler *s, const struct controller *c, const char *key);
/* A preference for it is to be planned soon, or a plan of it is being written. */
bool scheduler_is_planning(const struct scheduler *s, const struct controller *c, const char *key);
/* Is more planned for it than its preference asks for, on purpose?  False: that is not known yet, or nothing can be planned
 * now: what was said of the plan that stands stays. */
bool scheduler_excess(const struct scheduler *s, const struct controller *c, const char *key,
                      struct schedule_excess *out);
/* What is asked of that member ends. */
void scheduler_on_no_client(struct scheduler *s, const struct member *m);

struct scheduler_counts {
	size_t preferences;
	uint64_t plans, writes;
};
struct scheduler_counts scheduler_counts(const struct scheduler *s);

/* A preference that has something to say; borrowed. */
struct scheduler_note {
	const char *key;              /* "NAMESPACE/NAME" */
	int64_t total, planned, held; /* replicas; 0 where nothing was planned */
	const char *message;
};
typedef void scheduler_on_note_fn(const struct scheduler_note *note, void *arg);
void scheduler_each(const struct scheduler *s, scheduler_on_note_fn *on_note, void *arg);

#endif
