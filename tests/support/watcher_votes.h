/* watcher_votes.h -- replicas that probe sites and vote, in a world of half seconds: for the model check of watcher/vote.h.
 *
 * Each step is 500 ms of everybody's clock; clocks differ.  A probe begins each second; one that fails does so at once
 * or after a second.  A replica tells the others of a change at once, and of everything each second.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_VOTES_H
#define TESTS_SUPPORT_WATCHER_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watcher/vote.h"

enum {
	VOTES_MOST_REPLICAS = 5,
	VOTES_MOST_SITES = 4,
	VOTES_STEP_MS = 500,
	VOTES_SECOND = 2, /* in steps */
	VOTES_DOWN = 3,   /* failures that make a site down, and successes that make it up */
	VOTES_UP = 2,
	VOTES_HEARD = VOTE_HEARD_MS / VOTES_STEP_MS
};

/* What may become of a message; what is late comes a step later, the second of a pair two. */
enum votes_fate { VOTES_ARRIVES, VOTES_LOST, VOTES_LATE, VOTES_TWICE };
typedef enum votes_fate votes_fate_fn(void *arg, unsigned step);

/* The world as it is: rows of bits. */
struct votes_links {
	bool sees[VOTES_MOST_REPLICAS][VOTES_MOST_SITES]; /* none does: the site is dead */
	bool hears[VOTES_MOST_REPLICAS][VOTES_MOST_REPLICAS];
};

struct votes; /* all of it */

struct votes *votes_new(unsigned replicas, unsigned sites);
void votes_free(struct votes *v);
/* All replicas begin anew.  `fails_late`: sites that cannot be reached are silent rather than refusing. */
void votes_begin(struct votes *v, bool fails_late, votes_fate_fn *fate, void *arg);
void votes_restart(struct votes *v, unsigned replica);
void votes_step(struct votes *v, const struct votes_links *links);

/* How the replica answers now. */
bool votes_withdrawn(const struct votes *v, unsigned replica, unsigned site);
bool votes_frozen(const struct votes *v, unsigned replica);
/* Steps since something of that one was last received; since oneself, 0. */
unsigned votes_unheard(const struct votes *v, unsigned replica, unsigned other);
unsigned votes_age(const struct votes *v, unsigned replica); /* steps since it began */

#endif
