/* host_writing.h -- one object of the host that is kept beside another: one write of it at a time, with pauses after a failure,
 * and until what was written is told by the watch.
 *
 * Loop thread only.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_HOST_WRITING_H
#define PROPAGATOR_HOST_WRITING_H

#include <stdbool.h>
#include <stdint.h>

#include "propagator/dispatch.h"

struct json_object;

struct host_writing {
	struct dispatch *dispatch; /* borrowed */
	/* A write has ended; `why` is NULL when it was a success.  `stored`: the object as the server has it then; NULL: it is
	 * not known, or gone.  Both are borrowed for this call. */
	void (*on_end)(const char *why, struct json_object *stored, void *arg);
	void *arg;

	/* Its own. */
	struct dispatch_job *job; /* NULL: none is under way */
	bool deletes;
	bool is_echoed; /* while it was under way, the watch told of a change */
	uint64_t not_before_ms;
	unsigned failures; /* in a row */
};

/* Whether a write may begin now. */
bool host_writing_may(const struct host_writing *w);
/* The watch has told of a change of the object. */
void host_writing_heard(struct host_writing *w);

/* Each begins a write, when host_writing_may().  `status` is taken. */
void host_writing_status(struct host_writing *w, const struct kube_resource *resource,
                         struct bytes namespace, struct bytes name, struct json_object *status);
/* Of the object itself; what changes nothing leaves no trace, also not who it was. */
void host_writing_merge(struct host_writing *w, const struct kube_resource *resource,
                        struct bytes namespace, struct bytes name, struct json_object *patch);
void host_writing_apply(struct host_writing *w, const struct kube_resource *resource,
                        struct json_object *object);
/* Of this uid alone. */
void host_writing_delete(struct host_writing *w, const struct kube_resource *resource,
                         struct json_object *have);

#endif
