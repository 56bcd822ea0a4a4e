/* import_run.h -- one run of a command, for imports.c: its output as a text, within a time and a size.
 *
 * It is the leader of a process group, which is killed as a whole when it is over time, writes too much or is
 * cancelled.  It gets nothing on standard input, its standard error goes nowhere.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_IMPORT_RUN_H
#define WATCHER_IMPORT_RUN_H

#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"

struct import_run;

/* Once, never from within import_run_begin(); the run is gone then.  On an error `why` says how it ended. */
typedef void import_run_fn(enum err err, struct bytes output, const struct reason *why, void *arg);

/* `closed` is called when the loop has nothing of it any more, after the end or a cancel. */
struct import_run *import_run_begin(uv_loop_t *loop, const char *const *command,
                                    uint64_t timeout_ms, import_run_fn *on_end,
                                    void (*closed)(void *arg), void *arg);
/* Kills it; on_end will not be called. */
void import_run_cancel(struct import_run *r);

#endif
