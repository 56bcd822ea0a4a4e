/* versions.h -- what was recorded of copies: the PropagatedVersions and ClusterPropagatedVersions of the host, as they are
 * stored.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_VERSIONS_H
#define PROPAGATOR_VERSIONS_H

#include <stdbool.h>
#include <uv.h>

#include "kube/backoff.h"
#include "kube/path.h"
#include "kube/transport.h"
#include "propagator/type.h"
#include "propagator/version.h"

struct versions;

/* `on_known`: all are known.  `namespace` NULL: those of all namespaces. */
struct versions *versions_start(uv_loop_t *loop, struct kube_client *host,
                                struct kube_backoff *backoff, const char *namespace,
                                void (*on_known)(void *arg), void *arg);
void versions_stop(struct versions *v);

bool versions_are_known(const struct versions *v);
/* What is stored for an object of that type; NULL: nothing.  Borrowed until the loop turns. */
const struct version *versions_find(const struct versions *v, const struct type *type,
                                    struct bytes namespace, struct bytes name);
/* PropagatedVersion or ClusterPropagatedVersion. */
const struct kube_resource *versions_resource(const struct type *type);

#endif
