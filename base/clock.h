/* clock.h -- the two clocks.  Pure rooms get times as values and never ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Since some moment years before the machine's start, so that what is remembered from before has a
 * time, too; never steps. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
/* The same, but it goes on while the machine sleeps: for what others may have decided meanwhile. */
uint64_t clock_boottime_ms(void);
int64_t clock_unix_s(void); /* Unix time; may step */
int64_t clock_unix_ms(void);

enum { CLOCK_TEXT_SIZE = 32 };
/* "2026-01-02T03:04:05Z".  Returns out. */
char *clock_print(int64_t unix_s, char out[CLOCK_TEXT_SIZE]);

#endif
