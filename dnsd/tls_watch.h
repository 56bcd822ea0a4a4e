/* tls_watch.h -- looks after a tls: its files when they change, its tickets when it is time.
 *
 * Control thread.  The files are looked at each second, through symbolic links, as ConfigMaps and
 * renewing tools swap them.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TLS_WATCH_H
#define DNSD_TLS_WATCH_H

#include <uv.h>

#include "dnsd/tls.h"

struct tls_watch;

/* One of the files is another one, or not what it was: whether it can be used is not known yet. */
typedef void tls_watch_on_changed_fn(void *arg);

/* `tls` is borrowed; its tickets get a new key every TLS_TICKET_S. */
struct tls_watch *tls_watch_start(uv_loop_t *loop, struct tls *tls, const char *certificate,
                                  const char *key, tls_watch_on_changed_fn *on_changed, void *arg);
/* Calls nothing any more, and frees itself once the loop has closed what it has there.  NULL is fine. */
void tls_watch_stop(struct tls_watch *w);

#endif
