/* events.h -- Events about objects of one API server: on the host as KubeFed told them (spec/kubefed.md 3.9), in members
 * about the copies.
 *
 * What repeats is counted in one Event; there are so many a minute at most, no write waits for them, and what the server does
 * not take is dropped.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_EVENTS_H
#define PROPAGATOR_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "propagator/dispatch.h"

struct json_object;
struct events;

/* `dispatch` is the server's, borrowed; it outlives the Events. */
struct events *events_start(struct dispatch *dispatch, unsigned a_minute);
void events_stop(struct events *e); /* NULL is fine */

/* About `object` (its apiVersion, kind and metadata).  `component`: "federateddeployment-controller". */
void events_tell(struct events *e, struct json_object *object, const char *component, bool warning,
                 const char *reason, const char *fmt, ...) PRINTF_LIKE(6, 7);

struct events_counts {
	uint64_t sent, dropped;
};
struct events_counts events_counts(const struct events *e);

#endif
