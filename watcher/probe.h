/* probe.h -- TCP probes of published addresses (design.md 4, "Usable").
 *
 * One probe is up to three connection attempts, begun 250 ms apart from different source ports,
 * with one common deadline `timeout` after the first; it fails when none succeeds.  Probes of a
 * target begin every `interval`, spread evenly.  `down` failures in a row make it down, `up`
 * successes in a row up; before either it keeps its last known state, else it is up.  A connection
 * is closed by a reset.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_H
#define WATCHER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"

struct prober;

enum { PROBE_MOST_ATTEMPTS = 512 }; /* under way at once; further ones wait for their turn */

struct probe_settings {
	uint64_t interval_ms, timeout_ms;
	uint32_t down, up; /* 1.. */
};
struct probe_target {
	struct addr addr; /* ADDR_NONE: no target at this index */
	uint16_t port;
	bool wanted; /* probe it now; else it is left alone and keeps its state */
};

/* Called for every verdict of a single probe (not only when the state changes):
 * `down` is the state after it.  `succeeded`: of this probe. */
typedef void probe_on_verdict_fn(size_t index, bool succeeded, bool down, void *arg);

struct prober *prober_new(uv_loop_t *loop, const struct probe_settings *settings,
                          probe_on_verdict_fn *on_verdict, void *arg);
void prober_configure(struct prober *p, const struct probe_settings *settings);
/* The whole list; an index whose address and port stay the same keeps its counts and state.  A
 * target whose state is forgotten (its index now means another address) starts fresh. */
void prober_set_targets(struct prober *p, const struct probe_target *targets, size_t count);
/* A state from before (saved): counts as the last known one. */
void prober_set_state(struct prober *p, size_t index, bool down);
/* Milliseconds (monotonic) of the last verdict of an index; 0: none. */
uint64_t prober_verdict_ms(const struct prober *p, size_t index);

struct prober_counts {
	uint64_t attempts; /* connections begun */
	uint64_t waits;  /* attempts that had to wait because PROBE_MOST_ATTEMPTS were under way */
	uint64_t voided; /* probes without a verdict: this machine could not make the connection,
	                    or looked at its deadline more than 100 ms late */
};
struct prober_counts prober_counts(const struct prober *p);
void prober_stop(struct prober *p, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
