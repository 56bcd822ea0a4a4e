/* quota.h -- how often each of several may do something of which all together may do so many a minute.
 *
 * Each has an equal part of it, however greedy another is; what it leaves is lent to who has nothing left.  After a rest half
 * of a minute's can be taken at once from what is lent, and half of its own part by each.  Pure: the time is a parameter.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_QUOTA_H
#define PROPAGATOR_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota;

enum { QUOTA_SHARES_MOST = 1024 };

/* One of those that share it; the counts are the caller's. */
struct quota_share {
	char *name;
	uint64_t left;          /* of its own part */
	uint64_t sent, dropped; /* so far */
	size_t waiting;
};

/* `a_minute`: all together; 1 or more. */
struct quota *quota_new(unsigned a_minute);
void quota_free(struct quota *q); /* NULL is fine */

/* That of `name`, made if there is none yet, good until it is dropped.  When there are QUOTA_SHARES_MOST, that of "", which is
 * always there. */
struct quota_share *quota_share(struct quota *q, const char *name);
/* The others' parts grow.  Not that of "". */
void quota_drop(struct quota *q, const char *name);

/* True: it may, once. */
bool quota_take(struct quota *q, struct quota_share *share, uint64_t now_ms);

/* In the order of their names. */
size_t quota_count(const struct quota *q);
const struct quota_share *quota_at(const struct quota *q, size_t i);

#endif
