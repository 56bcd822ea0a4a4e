/* manifests_watch.h -- inotify(7): which directories are watched for whom, and what happened.
 *
 * One inotify instance; scans add their directories to it from the thread pool
 * (manifests_watch_fd), the rest is the loop's thread.  Where inotify is not to be
 * had, nothing is ever told: looking from time to time has to do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_WATCH_H
#define WATCHER_MANIFESTS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct manifests_watch;

/* Something changed in a directory of `owner`; NULL: of nobody known (a scan's that is under way).
 * `removed`: a name went away. */
typedef void manifests_on_event_fn(void *owner, bool removed, void *arg);
/* Events were lost: anything may have changed. */
typedef void manifests_on_overflow_fn(void *arg);

struct manifests_watch *manifests_watch_start(uv_loop_t *loop, manifests_on_event_fn *on_event,
                                              manifests_on_overflow_fn *on_overflow, void *arg);
int manifests_watch_fd(const struct manifests_watch *w); /* -1: there is none */
/* From now on `owner` wants `now` and no more what it wanted `before`. */
void manifests_watch_change(struct manifests_watch *w, void *owner, const int *before,
                            size_t before_count, const int *now, size_t now_count);
void manifests_watch_stop(struct manifests_watch *w, void (*on_stopped)(void *arg), void *arg);

#endif
