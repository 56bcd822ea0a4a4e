/* events.h -- Events on objects of the host, as KubeFed told them (spec/kubefed.md 3.9).
 *
 * What repeats is counted in one Event; there are so many a minute at most.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_EVENTS_H
#define PROPAGATOR_EVENTS_H

#include <stdbool.h>

#include "propagator/dispatch.h"

struct json_object;
struct events;

/* `dispatch` is the host's, borrowed. */
struct events *events_start(struct dispatch *dispatch);
void events_stop(struct events *e);

/* About `object` (its apiVersion, kind and metadata).  `component`: "federateddeployment-controller". */
void events_tell(struct events *e, struct json_object *object, const char *component, bool warning,
                 const char *reason, const char *fmt, ...) PRINTF_LIKE(6, 7);

#endif
