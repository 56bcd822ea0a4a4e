/* watcher_trace.h -- a child stopped at each file operation, and what a power cut would leave.
 *
 * The disk that is assumed keeps only what was synced: a file's bytes as of its last fsync or
 * fdatasync, the names of the directory as of its own last fsync.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_TRACE_H
#define TESTS_SUPPORT_WATCHER_TRACE_H

#include <stdbool.h>

struct watcher_trace;

enum watcher_trace_loss {
	WATCHER_TRACE_KILL, /* nothing is lost: kill -9 */
	WATCHER_TRACE_ALL,  /* names and bytes that were not synced */
	WATCHER_TRACE_BYTES /* only bytes: the names got there first */
};

/* Runs `work` in a child process that may write into `dir` (from one thread at a time) and calls
 * `on_step` while it stands still, after every operation that changes or syncs something there.
 * False: tracing is not permitted here.  Fails the test when the child does not end well. */
bool watcher_trace_run(const char *dir, void (*work)(void *arg),
                       void (*on_step)(struct watcher_trace *t, void *arg), void *arg);
/* The directory as it would be found after a crash at this step; remove and free it. */
char *watcher_trace_dir(struct watcher_trace *t, enum watcher_trace_loss loss);

#endif
