/* crew.h -- the same to be done for each of many, several at a time: for what waits for others most of its time.
 *
 * On threads that end before it returns.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CREW_H
#define CTL_CREW_H

#include <stddef.h>

/* Called once for each number, in no order, on any thread: what two numbers share may only be read, and objects of json-c,
 * which count who holds them, not even that. */
typedef void crew_fn(size_t number, void *arg);
/* For 0 .. count - 1. */
void crew_run(size_t count, crew_fn *fn, void *arg);

#endif
