/* comeback.h -- a site that was unusable and is usable again: may clients return yet (failback)?
 *
 * The states and what changes them; the time is a value.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_COMEBACK_H
#define DNSD_COMEBACK_H

#include <stdbool.h>
#include <stdint.h>

enum comeback_state {
	COMEBACK_NEW, /* not usable yet, as far as is known: whoever comes for the first time need not wait */
	COMEBACK_FREE,  /* usable */
	COMEBACK_DOWN,  /* it was usable, and is not */
	COMEBACK_WAITS, /* it is usable again, and must prove itself */
};
struct comeback {
	enum comeback_state state;
	uint64_t since_ms; /* of COMEBACK_WAITS: usable without a break */
};
/* What its policy asks. */
struct comeback_rule {
	bool by_hand;       /* Manual: until somebody says so */
	uint64_t stable_ms; /* else so long without a break */
};

/* It is, or is not, usable at that time.  True: something differs. */
bool comeback_see(struct comeback *c, bool usable, const struct comeback_rule *rule,
                  uint64_t now_ms);
/* Somebody says so.  False: it does not wait. */
bool comeback_release(struct comeback *c);
/* Is it to be passed over as long as another site is usable?  Already while it is down, so that it does not
 * get clients in the moment in which it comes back. */
static inline bool comeback_waits(const struct comeback *c)
{
	return c->state == COMEBACK_DOWN || c->state == COMEBACK_WAITS;
}

#endif
