/* schedule_write.h -- a plan written into a federated object.  For schedule.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SCHEDULE_WRITE_H
#define PROPAGATOR_SCHEDULE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "propagator/schedule.h"

struct json_object;

/* What a cluster has without an override of its own: the template's replicas, else 1. */
int64_t schedule_write_template(struct json_object *federated);
/* The override of /spec/replicas of a cluster; `absent`: there is none that is a number. */
int64_t schedule_write_override(struct json_object *federated, const char *cluster, int64_t absent);

/* Changes spec.placement.clusters and spec.overrides to what the clusters, which are in the order of names, have as
 * results; *changed: they were not so.  After an error the object is good for nothing. */
enum err schedule_write(struct json_object *federated, const struct schedule_cluster *clusters,
                        size_t count, bool *changed, struct reason *why) MUST_CHECK;

#endif
