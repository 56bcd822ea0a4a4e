/* dns_writing.h -- one object of the host that is kept for a DNS record: one write of it at a time, with pauses after a failure,
 * and until what was written is told by the watch.
 *
 * Loop thread only.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DNS_WRITING_H
#define PROPAGATOR_DNS_WRITING_H

#include <stdbool.h>
#include <stdint.h>

#include "propagator/dispatch.h"

struct json_object;

struct dns_writing {
	struct dispatch *dispatch; /* borrowed */
	/* A write has ended; `why` is NULL when it was a success, else borrowed for this call. */
	void (*on_end)(const char *why, void *arg);
	void *arg;

	/* Its own. */
	struct dispatch_job *job; /* NULL: none is under way */
	bool deletes;
	bool is_echoed; /* while it was under way, the watch told of a change */
	uint64_t not_before_ms;
	unsigned failures; /* in a row */
};

/* Whether a write may begin now. */
bool dns_writing_may(const struct dns_writing *w);
/* The watch has told of a change of the object. */
void dns_writing_heard(struct dns_writing *w);

/* Each begins a write, when dns_writing_may().  The texts of `resource` are borrowed until it has ended; `status` is taken. */
void dns_writing_status(struct dns_writing *w, const struct kube_resource *resource,
                        struct bytes namespace, struct bytes name, struct json_object *status);
void dns_writing_apply(struct dns_writing *w, const struct kube_resource *resource,
                       struct json_object *object);
/* Of this uid alone. */
void dns_writing_delete(struct dns_writing *w, const struct kube_resource *resource,
                        struct json_object *have);

#endif
