/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/flap.h"

static bool went_down_often(const struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	uint64_t first;

	if (s->hold_ms == 0 || f->downs < s->threshold)
		return false;
	first = f->down_at[(f->downs - s->threshold) % FLAP_THRESHOLD_MOST];
	return now_ms - first <= s->window_ms;
}

/* Half for each window in peace; less than the first hold is none. */
static void decay(struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	if (f->up_since_ms == 0 || now_ms < f->up_since_ms)
		return;
	for (uint64_t left = now_ms - f->up_since_ms; left >= s->window_ms && f->next_hold_ms > 0;
	     left -= s->window_ms) {
		f->next_hold_ms /= 2;
		if (f->next_hold_ms < s->hold_ms)
			f->next_hold_ms = 0;
	}
}

static uint64_t longer_hold(const struct flap *f, const struct flap_settings *s)
{
	uint64_t hold_ms = f->next_hold_ms > 0 ? 2 * f->next_hold_ms : s->hold_ms;

	return hold_ms < s->hold_most_ms ? hold_ms : s->hold_most_ms;
}

void flap_went_down(struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	decay(f, s, now_ms);
	f->up_since_ms = 0;
	f->held_until_ms = 0;
	f->down_at[f->downs++ % FLAP_THRESHOLD_MOST] = now_ms;
	if (went_down_often(f, s, now_ms))
		f->next_hold_ms = longer_hold(f, s);
}

void flap_came_up(struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	f->up_since_ms = now_ms;
	if (!went_down_often(f, s, now_ms))
		return;
	f->held_until_ms = now_ms + f->next_hold_ms;
	f->up_since_ms = f->held_until_ms;
}

bool flap_is_held(const struct flap *f, uint64_t now_ms) { return now_ms < f->held_until_ms; }

bool flap_is_flapping(const struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	return flap_is_held(f, now_ms) || went_down_often(f, s, now_ms);
}

bool flap_is_over(const struct flap *f, const struct flap_settings *s, uint64_t now_ms)
{
	struct flap later = *f;

	if (f->up_since_ms == 0 || now_ms < f->up_since_ms ||
	    now_ms - f->up_since_ms < s->window_ms)
		return false;
	decay(&later, s, now_ms);
	return later.next_hold_ms == 0;
}
