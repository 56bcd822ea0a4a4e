/* flap.h -- an address that goes up and down all the time is held down when it comes back.
 *
 * Each time it goes down counts.  From the `threshold`-th within `window` on, it is held down after
 * it came back: first for `hold`, then twice as long each time, `hold_most` at most.  For each
 * `window` that it has been up and not held, the next hold is half as long.  Pure; times are the
 * caller's, in milliseconds of one clock.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_FLAP_H
#define WATCHER_FLAP_H

#include <stdbool.h>
#include <stdint.h>

enum { FLAP_THRESHOLD_MOST = 16 };

struct flap_settings {
	uint32_t threshold; /* 2 .. FLAP_THRESHOLD_MOST */
	uint64_t window_ms;
	uint64_t hold_ms; /* 0: nothing is ever held */
	uint64_t hold_most_ms;
};

/* Of one address; zeroed: it has never gone down. */
struct flap {
	uint64_t down_at[FLAP_THRESHOLD_MOST]; /* the last times, in a circle */
	uint32_t downs;                        /* how many in all */
	uint64_t next_hold_ms;                 /* 0: none yet */
	uint64_t held_until_ms;                /* 0: never was */
	uint64_t up_since_ms; /* that it came back, or the hold ended; 0: it is down */
};

void flap_went_down(struct flap *f, const struct flap_settings *s, uint64_t now_ms);
void flap_came_up(struct flap *f, const struct flap_settings *s, uint64_t now_ms);
/* Is it to count as down though it is up? */
bool flap_is_held(const struct flap *f, uint64_t now_ms);
/* Is it held, or would it be if it came up now? */
bool flap_is_flapping(const struct flap *f, const struct flap_settings *s, uint64_t now_ms);
/* Has it been up for so long that there is nothing to remember? */
bool flap_is_over(const struct flap *f, const struct flap_settings *s, uint64_t now_ms);

#endif
