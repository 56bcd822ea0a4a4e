/* pause.h -- how long to wait before something is tried again.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_PAUSE_H
#define PROPAGATOR_PAUSE_H

#include <stdint.h>

/* `first_ms` (1 or more), doubled so many times, `most_ms` at most. */
uint64_t pause_doubled(uint64_t first_ms, uint64_t most_ms, unsigned times);

#endif
