/* copy.h -- what is remembered of an object in a member: enough to see whether it is as it should be, and no more.
 *
 * Many are kept (objects x clusters), so its labels and annotations are kept as hashes.  Pure; the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_COPY_H
#define PROPAGATOR_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

struct copy {
	char *version;          /* "gen:7" or "rv:1234" (version.h) */
	char *resource_version; /* of this very state of it */
	char *uid;
	char *remote_status; /* its .status as compact JSON; NULL: not collected, or it has none */
	int64_t replicas;    /* .spec.replicas; -1: none */
	int64_t ready;       /* .status.readyReplicas; 0: none */
	char *pods;          /* of a workload: selects its pods ("app=web"); NULL: nothing does */
	bool deleting;       /* it has a deletionTimestamp */
	size_t mark_count;
	uint64_t mark[]; /* of each label and annotation, in ascending order */
};

/* `with_status`: keep .status. */
struct copy *copy_of(struct json_object *object, bool with_status);
void copy_free(void *copy); /* NULL is fine */

/* Does it have every label and every annotation of `desired`, with those values? */
bool copy_has_marks(const struct copy *c, struct json_object *desired);

#endif
