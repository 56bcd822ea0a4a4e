/* spans.c -- merging while passing through. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/spans.h"

#include <stdbool.h>

#include "base/check.h"

static bool is_right_half(const struct addr_network *n)
{
	return n->len > 0 && spans_bit(&n->addr, n->len - 1u) != 0;
}

static void flush(struct spans *s)
{
	for (size_t i = 0; i < s->waiting_count; i++)
		s->on_span(&s->waiting[i].network, s->waiting[i].value, s->arg);
	s->waiting_count = 0;
}

void spans_push(struct spans *s, const struct addr_network *network, uint64_t value)
{
	struct span *top;

	CHECK(s->waiting_count < SPANS_MAX_WAITING);
	top = &s->waiting[s->waiting_count++];
	*top = (struct span){*network, value};
	/* What lies before a right half and has its length is its left half. */
	while (s->waiting_count > 1 && is_right_half(&top->network) &&
	       top[-1].network.len == top->network.len && top[-1].value == top->value) {
		top--;
		s->waiting_count--;
		top->network.len--;
	}
	/* A right half that could not merge keeps all that wait from merging: each of them
	 * waits for a half that this one lies in. */
	if (top->network.len == 0 || is_right_half(&top->network))
		flush(s);
}
