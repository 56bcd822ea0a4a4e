/* threshold.h -- when a cluster is ready, of one probe after the other.
 *
 * As KubeFed meant it: so many consecutive probes of the other result turn it.  (As KubeFed
 * coded it, one failure was enough after three successes.)  Times are a parameter.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_THRESHOLD_H
#define PROPAGATOR_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: never probed. */
struct threshold {
	bool is_known;
	bool is_ready;
	int64_t contrary;     /* probes in a row that said otherwise */
	int64_t probed_at_s;  /* the last probe, Unix seconds: lastProbeTime */
	int64_t changed_at_s; /* since when it is as it is: lastTransitionTime */
};

/* From a KubeFedCluster's status, after a start. */
struct threshold threshold_known(bool is_ready, int64_t probed_at_s, int64_t changed_at_s);

/* The next probe.  True: what it says is the state now, also when that was so before; false: its conditions are not
 * to be written, only its time.  Counts below 1 are as 1. */
bool threshold_heed(struct threshold *t, bool is_ready, int64_t now_s, int64_t failures,
                    int64_t successes);

#endif
