/* watch_probe.h -- a list of one object, asked for beside a watch that is silent: is the server there, and when is it?
 *
 * On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_PROBE_H
#define KUBE_WATCH_PROBE_H

#include "base/bytes.h"
#include "kube/transport.h"

struct watch_probe;

/* It has ended and is freed.  ERR_OK: there is a list, of that resourceVersion; ERR_GONE: its connection was replaced;
 * any other error: there is none.  `status`: of the answer; 0: none came. */
typedef void watch_probe_on_done_fn(enum err err, int status, struct bytes version, void *arg);

/* `ask` is of a list of one object. */
struct watch_probe *watch_probe_start(struct kube_client *client, const struct kube_ask *ask,
                                      watch_probe_on_done_fn *on_done, void *arg);
/* Nothing is called for it any more. NULL is fine. */
void watch_probe_cancel(struct watch_probe *p);

#endif
