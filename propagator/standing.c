/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/standing.h"

/* Who has just begun to look must not take a cluster for down that has not answered yet. */
static bool decide(struct standing *s, bool is_up, uint64_t now_ms)
{
	if (s->first_ms == 0)
		s->first_ms = now_ms;
	if (!is_up && now_ms - s->first_ms < STANDING_PATIENCE_MS)
		return false;
	s->is_decided = true;
	s->counts = is_up;
	return true;
}

bool standing_heed(struct standing *s, bool is_up, const struct standing_delays *delays,
                   uint64_t now_ms)
{
	if (!s->is_decided)
		return decide(s, is_up, now_ms);
	if (is_up == s->counts) {
		s->since_ms = 0;
		return false;
	}
	if (s->since_ms == 0)
		s->since_ms = now_ms;
	if (now_ms - s->since_ms < (is_up ? delays->available_ms : delays->unavailable_ms))
		return false;
	s->counts = is_up;
	s->since_ms = 0;
	return true;
}
