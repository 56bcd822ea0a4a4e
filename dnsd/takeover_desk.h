/* takeover_desk.h -- where a running nighd is asked by the one that will take over from it.
 *
 * On the control loop: one conversation at a time, of a few small messages, with deadlines; who is neither root nor
 * this process's user, or in another container, is not listened to.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TAKEOVER_DESK_H
#define DNSD_TAKEOVER_DESK_H

#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "dnsd/sockets.h"

struct takeover_desk;

/* What the desk has others do; all on the loop's thread. */
struct takeover_desk_events {
	/* All that is listened with, into `sockets` (the descriptors are borrowed); the lock of the state directory or -1
	 * (borrowed); what is known. */
	void (*on_ask)(struct sockets *sockets, int *lock, struct buffer *estate, void *arg);
	/* Publish nothing any more; the serials. */
	void (*on_give)(struct buffer *serials, void *arg);
	/* It was not to be: go on. */
	void (*on_lost)(void *arg);
	/* The other one serves.  The desk is to be stopped; what is left can be said to the other one (-1: it cannot). */
	void (*on_done)(int take_talk, void *arg);
	void *arg;
};

/* A socket at which the nighd of this identity is asked.  Before root is given up.  ERR_CONFLICT: there is one already. */
enum err takeover_desk_open(struct bytes identity, int *out, struct reason *why) MUST_CHECK;
struct takeover_desk *takeover_desk_start(uv_loop_t *loop, int take_fd,
                                          const struct takeover_desk_events *events);
/* Calls nothing any more but on_lost, at once, and frees itself once the loop has closed what it has there.  NULL is
 * fine. */
void takeover_desk_stop(struct takeover_desk *d);

#endif
