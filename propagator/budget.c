/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/budget.h"

#include "base/check.h"

static bool has_room(const struct budget *b, size_t bytes)
{
	return b->most == 0 || (b->used <= b->most && bytes <= b->most - b->used);
}

bool budget_take(struct budget *b, size_t bytes)
{
	for (const struct budget *at = b; at; at = at->whole)
		if (!has_room(at, bytes))
			return false;
	for (; b; b = b->whole)
		b->used += bytes;
	return true;
}

void budget_give(struct budget *b, size_t bytes)
{
	for (; b; b = b->whole) {
		CHECK(b->used >= bytes);
		b->used -= bytes;
	}
}
