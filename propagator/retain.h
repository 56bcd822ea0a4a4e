/* retain.h -- what of an object in a member outlasts a PUT: fields that the member's server and controllers own.
 *
 * KubeFed's list, and what it lacked: fields that are immutable or generated of Services, Jobs,
 * Pods, PersistentVolumeClaims, PersistentVolumes and admission webhooks; replicas of which the template says nothing.  Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_RETAIN_H
#define PROPAGATOR_RETAIN_H

#include <stdbool.h>

#include "base/err.h"
#include "propagator/type.h"

struct json_object;

/* Changes `desired`, before overrides: resourceVersion, finalizers and annotations of `existing`, and the fields of
 * its kind.  A field that `existing` lacks is as `desired` has it.  `replicas`: spec.retainReplicas.
 * ERR_PARSE names a field of `existing` that is of another type than it must be; `desired` is then of no use. */
enum err retain(const struct type_api *target, bool replicas, struct json_object *existing,
                struct json_object *desired, struct reason *why) MUST_CHECK;

#endif
