/* events.h -- Events about objects of one API server: on the host as KubeFed told them, in members
 * about the copies.
 *
 * What repeats is counted in one Event; there are so many a minute at most, of which each cluster that is told of has its share
 * (quota.h); no write waits for them, and what the server does not take is dropped.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_EVENTS_H
#define PROPAGATOR_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "propagator/dispatch.h"

struct json_object;
struct events;

/* `dispatch` is the server's, borrowed; it outlives the Events.  After a rest as many as `a_minute` may come at once. */
struct events *events_start(struct dispatch *dispatch, unsigned a_minute);
void events_stop(struct events *e); /* NULL is fine */

/* What an Event is about; all of it is borrowed. */
struct events_about {
	struct json_object *object; /* its apiVersion, kind and metadata */
	const char *component;      /* "federateddeployment-controller" */
	const char *cluster;        /* because of which it is told; NULL: of none */
	bool warning;
};
void events_tell(struct events *e, const struct events_about *about, const char *reason,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);

/* That cluster is gone: the others have its share. */
void events_drop_cluster(struct events *e, const char *cluster);

struct events_counts {
	uint64_t sent, dropped;
};
struct events_counts events_counts(const struct events *e);
/* Of each cluster that was told of; "": of what was told because of none. */
typedef void events_on_cluster_fn(const char *cluster, const struct events_counts *counts,
                                  void *arg);
void events_each_cluster(const struct events *e, events_on_cluster_fn *fn, void *arg);

#endif
