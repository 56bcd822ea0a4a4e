/* backoff.h -- how long to leave an API server alone after it has failed: exponential, with full jitter, capped.
 *
 * One for each server, shared by all that ask it.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_BACKOFF_H
#define KUBE_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 250, BACKOFF_STABLE_MS = 60000 };

/* Zeroed but for cap_ms: nothing has failed. */
struct kube_backoff {
	uint64_t cap_ms;
	unsigned failures;
	uint64_t until_ms; /* it is left alone until then */
};

/* It has failed.  How long to wait, at least `at_least_ms` (Retry-After).  Those who fail while it is being left
 * alone anyway (all watches do when a connection breaks) count as one and wait as long.  After a minute without a
 * failure, in which it was not left alone, it begins anew.  `random`: any 64 bits. */
uint64_t kube_backoff_fail(struct kube_backoff *b, uint64_t now_ms, uint64_t at_least_ms,
                           uint64_t random);

#endif
