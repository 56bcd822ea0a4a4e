/* policy_writer.h -- keeps the status of TrafficPolicies of the host at what the replicas of nighd report of them, which write
 * nothing (docs/policies/README.md).
 *
 * They are asked as long as there are policies: each 15 s, and sooner while a status is of another generation than its
 * object.  Written only where it differs, a few at once; what cannot be written is tried again with growing pauses, 5 minutes
 * at most, and takes no place of the others.  While none can be read, what stands there stays.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_POLICY_WRITER_H
#define PROPAGATOR_POLICY_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "kube/backoff.h"
#include "propagator/dispatch.h"
#include "propagator/nighds.h"

struct policy_writer;

/* All is borrowed. */
struct policy_writer_settings {
	uv_loop_t *loop;
	struct kube_client *host;
	struct kube_backoff *backoff;
	struct dispatch *dispatch; /* of the host */
	const char *namespace;     /* only policies of this one; NULL: all */
	const char *pods_namespace;
	const struct conf_strings *urls; /* as of nighds.h */
	uint64_t every_ms;               /* they are asked so often; 0: each 15 s */
};

struct policy_writer *policy_writer_start(const struct policy_writer_settings *settings);
void policy_writer_stop(struct policy_writer *w);

struct policy_writer_counts {
	size_t policies;
	unsigned replicas; /* that were read last */
	uint64_t rounds;   /* how often all were asked */
	uint64_t writes;
};
struct policy_writer_counts policy_writer_counts(const struct policy_writer *w);

/* Why no replica can be read, or a status not be written. */
typedef void policy_writer_on_error_fn(const char *where, const char *why, int64_t since,
                                       void *arg);
void policy_writer_each_error(const struct policy_writer *w, policy_writer_on_error_fn *fn,
                              void *arg);

#endif
