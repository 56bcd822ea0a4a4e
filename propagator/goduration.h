/* goduration.h -- durations as Go reads and writes them: "1m30s", "1.5h", "100ms".  Any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_GODURATION_H
#define PROPAGATOR_GODURATION_H

#include <stdbool.h>
#include <stdint.h>

enum { GODURATION_ROOM = 40 };

/* Nanoseconds; a sign is allowed.  False: it is none, or more than an int64 holds. */
bool goduration_parse(const char *text, int64_t *out_ns);
/* Whole seconds: "0s", "20s", "1m0s", "1h0m5s". */
void goduration_print(uint64_t seconds, char out[GODURATION_ROOM]);

#endif
