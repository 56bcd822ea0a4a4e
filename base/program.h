/* program.h -- one run of a program on a loop: its output as bytes, within a time and a size.
 *
 * It gets nothing on standard input; its standard error goes nowhere, as it may hold secrets.  Over its time or over 1 MiB of
 * output it is killed.  It is always waited for, also after a cancel: the loop must turn until then.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"

enum { PROGRAM_MOST = 1 << 20 };

/* Not needed any more when program_run() returns. */
struct program_settings {
	const char *const *command; /* as execvp() takes it */
	const char *const *env;     /* "NAME=...", ends with NULL; NULL: the process's own */
	uint64_t timeout_ms;
	bool leads_group; /* of its own, which is killed as a whole */
};
struct program_events {
	/* Once, never from within program_run().  On an error `why` says how it ended, and nothing that it wrote: ERR_NOTFOUND,
	 * ERR_DENIED (its status is not 0), ERR_TIMEOUT, ERR_RANGE, ERR_IO.  The output is wiped after it. */
	void (*on_end)(enum err err, struct bytes output, const struct reason *why, void *arg);
	/* The loop has nothing of it any more, and the run is freed; the last call, also after a cancel. */
	void (*on_closed)(void *arg);
	void *arg;
};

struct program;

struct program *program_run(uv_loop_t *loop, const struct program_settings *settings,
                            const struct program_events *events);
/* Kills it; on_end will not be called.  Nothing when it was, or is being. */
void program_cancel(struct program *p);
/* Another time limit, from now on. */
void program_set_timeout(struct program *p, uint64_t timeout_ms);

#endif
