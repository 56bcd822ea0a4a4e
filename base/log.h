/* log.h -- one line per event, to stderr; control plane only.
 *
 * A line: time, level, room, message, key=value ...  The message is lower case
 * without a full stop.  Context comes from a chain of small structs, inherited,
 * never pasted into formats.  Repeats of one message within a second are
 * counted, not printed ("... 41 more").  Never a secret.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* One link of context: cluster=la <- file=... ; lives as long as its users. */
struct log_context {
	const struct log_context *outer; /* may be NULL */
	const char *key;
	const char *value;
};

/* Once at start and at reload. */
void log_setup(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/* Prints the counts of repeats that are older than a second, or all of them.
 * log_write() does the former by itself; call this from a timer, and at the end. */
void log_flush(bool all);

/* room: "watcher"; context may be NULL. */
void log_write(enum log_level level, const char *room, const struct log_context *context,
               const char *fmt, ...) PRINTF_LIKE(4, 5);

#define log_error(room, ...) log_write(LOG_ERROR, room, NULL, __VA_ARGS__)
#define log_warn(room, ...)  log_write(LOG_WARN, room, NULL, __VA_ARGS__)
#define log_info(room, ...)  log_write(LOG_INFO, room, NULL, __VA_ARGS__)
#define log_debug(room, ...) log_write(LOG_DEBUG, room, NULL, __VA_ARGS__)

#endif
