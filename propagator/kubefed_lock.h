/* kubefed_lock.h -- does a manager of KubeFed work on this host, one that is elected without a Lease?
 *
 * KubeFed's own releases keep who leads in an annotation of the ConfigMap, or the Endpoints, `kubefed-controller-manager`.
 * It is looked at again and again, and never written.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_KUBEFED_LOCK_H
#define PROPAGATOR_KUBEFED_LOCK_H

#include <stdint.h>
#include <uv.h>

#include "kube/transport.h"

struct kubefed_lock;

struct kubefed_lock_settings {
	const char *namespace, *name; /* borrowed */
	uint64_t lease_ms; /* who has not renewed it before our eyes for so long is gone */
	uint64_t retry_ms; /* between two looks while it is held, or not known */
	uint64_t calm_ms;  /* while nobody holds it */
};

/* Who holds it ("": nobody), once it is known, and whenever it is somebody else.  What may not be read counts as held by
 * nobody. */
typedef void kubefed_lock_on_holder_fn(const char *holder, void *arg);

/* `client` is borrowed. */
struct kubefed_lock *kubefed_lock_start(uv_loop_t *loop, struct kube_client *client,
                                        const struct kubefed_lock_settings *settings,
                                        kubefed_lock_on_holder_fn *on_holder, void *arg);
/* Nothing is told any more.  NULL is fine. */
void kubefed_lock_stop(struct kubefed_lock *l);

#endif
