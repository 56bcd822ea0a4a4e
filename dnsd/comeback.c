/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/comeback.h"

static enum comeback_state next(const struct comeback *c, bool usable,
                                const struct comeback_rule *rule, uint64_t now_ms)
{
	switch (c->state) {
	case COMEBACK_NEW:
		return usable ? COMEBACK_FREE : COMEBACK_NEW;
	case COMEBACK_FREE:
		return usable ? COMEBACK_FREE : COMEBACK_DOWN;
	case COMEBACK_DOWN:
		return usable ? COMEBACK_WAITS : COMEBACK_DOWN;
	case COMEBACK_WAITS:
		if (!usable)
			return COMEBACK_DOWN;
		return rule->by_hand || now_ms - c->since_ms < rule->stable_ms ? COMEBACK_WAITS
		                                                               : COMEBACK_FREE;
	}
	return c->state;
}

bool comeback_see(struct comeback *c, bool usable, const struct comeback_rule *rule,
                  uint64_t now_ms)
{
	enum comeback_state before = c->state;

	c->state = next(c, usable, rule, now_ms);
	if (c->state == COMEBACK_WAITS && before != COMEBACK_WAITS)
		c->since_ms = now_ms;
	return c->state != before;
}

bool comeback_release(struct comeback *c)
{
	if (c->state != COMEBACK_WAITS)
		return false;
	c->state = COMEBACK_FREE;
	return true;
}
