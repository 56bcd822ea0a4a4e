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

#include "propagator/health.h"

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
	bool is_bare;        /* of what is beside its versions and uid nothing is kept */
	bool is_status_left_out; /* it has one, which is too large to be kept */
	enum health_state health;
	char *reason, *message; /* of its health; NULL where it is Current */
	size_t mark_count;
	uint64_t mark[]; /* of each label and annotation, in ascending order */
};

/* Of a .status no more than that is kept: bytes of compact JSON. */
enum { COPY_STATUS_MOST = 256 << 10 };

/* `with_status`: keep .status; its health is that at now_s, Unix seconds. */
struct copy *copy_of(struct json_object *object, bool with_status, int64_t now_s);
/* Of an object that nobody asks for: its versions, its uid, and whether it is being deleted. */
struct copy *copy_bare(struct json_object *object);
void copy_free(void *copy); /* NULL is fine */
/* Of all of it. */
size_t copy_bytes(const void *copy);

/* Of this very state of it: a hash; 0: there is no copy. */
uint64_t copy_revision(const struct copy *c);
uint64_t copy_revision_of(struct json_object *object);
/* Its resourceVersion as a number, which grows; 0: it is none. */
uint64_t copy_number(const struct copy *c);
uint64_t copy_number_of(struct json_object *object);
/* Its health as it was kept. */
struct health copy_health(const struct copy *c);

/* Does it have every label and every annotation of `desired`, with those values? */
bool copy_has_marks(const struct copy *c, struct json_object *desired);

#endif
