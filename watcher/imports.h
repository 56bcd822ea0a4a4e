/* imports.h -- the files and commands that say which addresses are down (config probe.imports).
 *
 * A file is looked at once a second; a command is run each `interval`, as a process group of its own,
 * never through a shell, for `timeout` at most, and what it writes is read as a file is.  What cannot be
 * read, ends badly or has a bad line changes nothing but the error: the last good words stay.  On the
 * loop's thread; files lie on a local disk.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_IMPORTS_H
#define WATCHER_IMPORTS_H

#include <stdbool.h>
#include <uv.h>

#include "watcher/import.h"

struct imports;

struct import_settings {
	const char *name;
	const char *file;           /* NULL: a command */
	const char *const *command; /* as execvp() takes it; NULL: a file */
	uint64_t interval_ms, timeout_ms;
};

/* What is wrong with an import at this moment; NULL: nothing. */
typedef void imports_on_error_fn(const char *name, const char *message, void *arg);

struct imports *imports_start(uv_loop_t *loop, imports_on_error_fn *on_error, void *arg);
/* All of them (copied); one of the same name keeps its words.  `may_run`: else commands are errors. */
void imports_configure(struct imports *im, const struct import_settings *list, size_t count,
                       bool may_run);
/* NULL: there is no word, or no such import; good until the loop turns. */
const struct import_word *imports_find(const struct imports *im, struct bytes name,
                                       const struct addr *addr, uint16_t port,
                                       struct bytes cluster);
void imports_stop(struct imports *im, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
