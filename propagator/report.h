/* report.h -- what the program tells over HTTP: /livez /readyz /healthz /metrics /status.
 *
 * The texts are made on the loop's thread once a second and handed to the server's thread under a lock.  All functions are for
 * the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_REPORT_H
#define PROPAGATOR_REPORT_H

#include "base/err.h"
#include "propagator/webhook.h"
#include "propagator/work.h"

struct report;

/* Listens when it returns ERR_OK. */
enum err report_start(uv_loop_t *loop, const struct addr *addr, uint16_t port, struct report **out,
                      struct reason *why) MUST_CHECK;
void report_stop(struct report *r);

/* NULL: nobody works here.  Borrowed until the next call. */
void report_set_work(struct report *r, const struct work *work);
/* Borrowed until report_stop(). */
void report_set_webhook(struct report *r, const struct webhook *webhook);
void report_set_leading(struct report *r, bool leading);
void report_set_leader(struct report *r, const char *identity);
/* The host has been read once: the program is ready, whether it leads or not. */
void report_set_seen(struct report *r);
/* What is wrong at `where` ("": nothing any more). */
void report_set_error(struct report *r, const char *where, const char *why);

#endif
