/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/backoff.h"

enum { DOUBLINGS_MOST = 20 };

static uint64_t new_wait(struct kube_backoff *b, uint64_t now_ms, uint64_t random)
{
	uint64_t bound;

	if (now_ms - b->until_ms >= BACKOFF_STABLE_MS)
		b->failures = 0;
	bound = (uint64_t)BACKOFF_FIRST_MS << b->failures;
	if (bound > b->cap_ms)
		bound = b->cap_ms;
	if (b->failures < DOUBLINGS_MOST)
		b->failures++;
	return bound > 0 ? random % (bound + 1) : 0;
}

uint64_t kube_backoff_fail(struct kube_backoff *b, uint64_t now_ms, uint64_t at_least_ms,
                           uint64_t random)
{
	if (now_ms >= b->until_ms)
		b->until_ms = now_ms + new_wait(b, now_ms, random);
	if (b->until_ms < now_ms + at_least_ms)
		b->until_ms = now_ms + at_least_ms;
	return b->until_ms - now_ms;
}
