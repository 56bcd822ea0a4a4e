/* settle.h -- waits for a pause before work begins: at most 5 ms when idle, 100 ms under a storm. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SETTLE_H
#define WATCHER_SETTLE_H

#include <stdint.h>
#include <uv.h>

struct settle;

/* `on_settled` runs on the loop's thread, some time after the first poke since it last ran. */
struct settle *settle_new(uv_loop_t *loop, void (*on_settled)(void *arg), void *arg);
void settle_poke(struct settle *s);
/* Microseconds (monotonic) of the first poke that the running or last on_settled answers. */
uint64_t settle_poked_us(const struct settle *s);
void settle_stop(struct settle *s, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
