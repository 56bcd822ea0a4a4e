/* manifests.h -- a directory that stands in for clusters (design.md 5): host/ and clusters/NAME/.
 *
 * Watches with inotify and by a look at the roots every 250 ms (for symlinks
 * that are swapped above what can be watched); reads and parses in the thread
 * pool, only files that changed; puts facts, sets cluster states and calls
 * back on the loop's thread.  What cannot be read is unseen, never gone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_H
#define WATCHER_MANIFESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "watcher/store.h"

struct manifests;

/* Begins to watch `dirs` (their order says which file of two comes first).  All
 * effects go through `store`. Directories may be missing; that is "unseen". */
struct manifests *manifests_start(uv_loop_t *loop, const char *const *dirs, size_t count,
                                  struct store *store);
/* Has every directory been read once (or found missing or unreadable)? */
bool manifests_is_read(const struct manifests *m);
/* Has every file of the host been read as it is now? */
bool manifests_host_is_whole(const struct manifests *m);
/* The file in which the fact's object stands (borrowed until the loop turns), and the line on which it begins
 * (`line` may be NULL); NULL: in none. */
const char *manifests_find(const struct manifests *m, uint16_t cluster, const struct fact *fact,
                           unsigned *line);
/* `on_stopped` is called when `m` has been freed; nothing is called after it. */
void manifests_stop(struct manifests *m, void (*on_stopped)(void *arg), void *arg);

#endif
