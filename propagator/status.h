/* status.h -- the status of a federated object.  Pure.
 *
 * KubeFed's conditions and lists, in a stable order; written only when they differ, also where KubeFed would write for
 * ever (its appendix, 17).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_STATUS_H
#define PROPAGATOR_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "propagator/state.h"

struct health;
struct schedule_excess;
struct json_object;

/* Why it is not propagated, beside what its clusters say. */
enum status_reason { STATUS_FINE, STATUS_NAMESPACE_NOT_FEDERATED, STATUS_COMPUTE_PLACEMENT_FAILED };

/* One cluster, in the order of their names; the texts are borrowed. */
struct status_cluster {
	const char *name;
	enum state state;
	const char *remote_status;   /* JSON; NULL: not collected, or none */
	bool is_status_left_out;     /* it has one that is too large */
	const char *message;         /* "": nothing to say */
	const struct health *health; /* NULL: not known */
};

struct status_about {
	int64_t generation;
	enum status_reason reason;
	const struct status_cluster *clusters;
	size_t cluster_count;
	/* Bytes of all remote statuses together, as an object that is too large cannot be stored; of more the largest are left
	 * out, and their clusters say so.  0: no limit. */
	size_t remote_most;
	/* Of replicas planned for it; NULL: nothing is known of that, and what was said stays. */
	const struct schedule_excess *excess;
	bool updated; /* something was written to a member since `previous` */
	int64_t now;  /* Unix seconds */
};

/* What it says, but for its times: a hash, never 0. */
uint64_t status_hash(struct json_object *status);

/* The status to be written over `previous` (NULL: none), which the caller puts; NULL: it says so already. */
struct json_object *status_make(struct json_object *previous, const struct status_about *about);

#endif
