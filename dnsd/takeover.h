/* takeover.h -- a new nighd takes over from the one that serves: what it asks it, and when.
 *
 * First it asks what is there, and gets all sockets at once, as duplicates, with what the other knows.  Once it could
 * answer as well as the other, it says so, answers, and is then alone.  Until the very last word the other one serves
 * as if nothing had been (docs/decisions/0014).  Waits for the other side, some seconds at most.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TAKEOVER_H
#define DNSD_TAKEOVER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "dnsd/sockets.h"

/* What was got, and where from. */
struct takeover {
	struct bytes identity; /* borrowed */
	uid_t user;            /* that this process will be */
	uint64_t instance;
	int talk; /* the conversation, after takeover_end() for takeover_hear_left(); -1: none, or taken */
	int lock;               /* of its state directory; -1: none, or taken */
	int meeting;            /* where the next one asks; -1: not got yet, or taken */
	struct sockets sockets; /* of which others take what they need */
	struct buffer estate;
};

/* `user`: that this process will be.  ERR_NOTFOUND: there is none to take over from.  ERR_DENIED: it is another user's, or another
 * container's. ERR_TIMEOUT, ERR_GONE, ERR_PARSE,
 * ERR_IO: there is one, but it cannot be taken over from. */
enum err takeover_begin(struct bytes identity, uid_t user, struct takeover **out,
                        struct reason *why) MUST_CHECK;
/* It publishes nothing any more from now on, for a few seconds; its serials.  ERR_NOTFOUND: it has ended meanwhile.  Other
 * errors: it goes on serving. */
enum err takeover_go(struct takeover *t, struct buffer *serials, struct reason *why) MUST_CHECK;
/* This process answers: the other one ends, and all is this process's.  ERR_NOTFOUND: it has ended without a word, and
 * nobody else serves.  Other errors: it goes on serving. */
enum err takeover_end(struct takeover *t, struct reason *why) MUST_CHECK;
/* Is the other one dead?  Looks for half a second when it lives.  What was begun with it is over. */
bool takeover_has_ended(struct takeover *t);
/* Connections that leave the other one come as long as it lives.  What has come by now; false: that was all. */
typedef void takeover_on_left_fn(int take_fd, const struct addr *client, void *arg);
bool takeover_hear_left(int talk, takeover_on_left_fn *on_left, void *arg);
/* The other side of it, which does not wait: false when not all could be said now, and the rest is still there.  What can
 * never be said is closed. */
bool takeover_say_left(int talk, struct sockets *left);
/* Closes what nobody has taken; the estate, which holds a secret, is wiped.  NULL is fine. */
void takeover_free(struct takeover *t);

#endif
