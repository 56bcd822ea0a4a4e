/* saved_dir.h -- the state directory: its lock, its files, and how they are written to last.
 *
 * `lock`, `base`, `journal-G` for a generation G in 16 hexadecimal digits, `base.new` while a base
 * is written, and what was set aside: NAME.bad-1, NAME.bad-2, ...  Every call waits for the disk;
 * any thread, but no two calls for one file at a time.  Nothing here logs.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_SAVED_DIR_H
#define WATCHER_SAVED_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "watcher/saved_file.h"

struct saved_dir;

enum { SAVED_DIR_NAME_SIZE = 40 };

/* Makes the directory (0700) if need be and locks it.  ERR_CONFLICT: another process has it.
 * ERR_DENIED, ERR_IO: it cannot be used. */
enum err saved_dir_open(const char *path, struct saved_dir **out, struct reason *why) MUST_CHECK;
/* The same with the lock of a process that hands the directory over; *take_lock becomes -1 when it is the lock of this
 * directory, else the directory is locked as ever. */
enum err saved_dir_open_locked(const char *path, int *take_lock, struct saved_dir **out,
                               struct reason *why) MUST_CHECK;
/* The lock: who has a duplicate of it holds it, too. */
int saved_dir_lock(const struct saved_dir *d);
void saved_dir_close(struct saved_dir *d); /* NULL is fine */

/* "base", or the journal's name; returns out. */
char *saved_dir_name(enum saved_file_kind kind, uint64_t generation, char out[SAVED_DIR_NAME_SIZE]);
/* The generations whose journals exist, ascending; the caller frees *out. */
enum err saved_dir_journals(const struct saved_dir *d, uint64_t **out, size_t *count,
                            struct reason *why) MUST_CHECK;
/* A whole file; free() or buffer_fini() gives it back.  ERR_NOTFOUND, ERR_IO (also for what is not
 * a regular file), ERR_DENIED. */
enum err saved_dir_read(const struct saved_dir *d, const char *name, struct buffer *out,
                        struct reason *why) MUST_CHECK;

/* Renames to the first NAME.bad-N that is free (written to `as`); what is there is never lost. */
enum err saved_dir_set_aside(const struct saved_dir *d, const char *name,
                             char as[SAVED_DIR_NAME_SIZE], struct reason *why) MUST_CHECK;
/* The same with a copy; the file itself stays. */
enum err saved_dir_copy_aside(const struct saved_dir *d, const char *name, struct bytes content,
                              char as[SAVED_DIR_NAME_SIZE], struct reason *why) MUST_CHECK;
/* Cuts a file; lasting when it returns. */
enum err saved_dir_cut(const struct saved_dir *d, const char *name, size_t len,
                       struct reason *why) MUST_CHECK;

/* Appends bytes to a journal which has to be `at` long (0: it is made); lasting when it returns.
 * On failure it is cut back, where that can be done. */
enum err saved_dir_append(const struct saved_dir *d, uint64_t generation, uint64_t at,
                          struct bytes bytes, struct reason *why) MUST_CHECK;

/* Adds some records and returns whether there are more; ends no frame. */
typedef bool saved_dir_more_fn(struct saved_file_writer *w, void *arg);
/* Writes a base of w->header from what `more` adds, beside the old one; then it takes its place at
 * once, and journals of generations before it go.  On failure everything is as it was.  The writer
 * begins zeroed but for kind and header; w->offset is the length of what was written. */
enum err saved_dir_write_base(const struct saved_dir *d, struct saved_file_writer *w,
                              saved_dir_more_fn *more, void *arg, struct reason *why) MUST_CHECK;

#endif
