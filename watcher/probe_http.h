/* probe_http.h -- what is asked over the connection of a probe: HTTP, HTTPS, gRPC health; libcurl on the loop.
 *
 * For probe*.c, on the loop's thread.  The connection is made already; nothing is looked up, no proxy is
 * taken, no redirect followed, no cookie kept.  Headers and body are read up to 64 KiB each.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_HTTP_H
#define WATCHER_PROBE_HTTP_H

#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "watcher/probe_check.h"

struct probe_http;
struct probe_exchange;

enum probe_outcome {
	PROBE_GOOD,
	PROBE_BAD,
	PROBE_VOID /* it could not be asked: that says nothing of the target */
};
/* Once, never from within probe_http_begin(); the exchange is gone then.  `text`: good during the call. */
typedef void probe_http_on_end_fn(enum probe_outcome outcome, const char *text, void *arg);

struct probe_http *probe_http_new(uv_loop_t *loop);
/* The exchanges must have ended; `on_stopped` when it has been freed. */
void probe_http_stop(struct probe_http *h, void (*on_stopped)(void *arg), void *arg);

/* Asks, without a deadline, over a connected socket, which it takes.  The check stays as long as the exchange. */
struct probe_exchange *probe_http_begin(struct probe_http *h, const struct probe_check *check,
                                        const struct addr *addr, uint16_t port, int take_fd,
                                        probe_http_on_end_fn *on_end, void *arg);
/* Ends it without a word, from anywhere but probe_http_begin(). */
void probe_exchange_cancel(struct probe_exchange *e);

#endif
