/* service_statuses.h -- KubeFed's FederatedServiceStatuses: beside each federated Service, what its copies say of themselves.
 *
 * As KubeFed's old status controller left them: an entry for each ready cluster, in the order of their names, written
 * where it differs; their owner is the federated object, with which they go (garbage collection).  Of a cluster whose copies
 * cannot be seen stays what was said last.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SERVICE_STATUSES_H
#define PROPAGATOR_SERVICE_STATUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "propagator/controller.h"

struct service_statuses;

/* Of the controller's type (type_keeps_statuses()), which keeps the statuses of its copies; both are borrowed. */
struct service_statuses *service_statuses_start(const struct controller_around *around,
                                                const struct controller *controller);
void service_statuses_stop(struct service_statuses *s); /* NULL is fine */

/* The federated object of that key has changed, or a copy of it. */
void service_statuses_on_object(struct service_statuses *s, const char *key);
/* A cluster has changed, or what can be seen of it. */
void service_statuses_on_all(struct service_statuses *s);

/* Of NULL all is 0 and "". */
struct service_statuses_counts service_statuses_counts(const struct service_statuses *s);

#endif
