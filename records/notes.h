/* notes.h -- what there is to say of the facts: problems and conflicts, by who has them.
 *
 * Each subject's notes are said anew as a whole whenever it is looked at again.
 * Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_NOTES_H
#define RECORDS_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "records/build.h"

struct notes;

/* Kinds of subjects: a number means something else in each. */
enum notes_of {
	NOTES_OF_SOURCE = 1,
	NOTES_OF_OBJECT,
	NOTES_OF_NAME,
	NOTES_OF_ZONES,
	NOTES_OF_CLUSTERS,
	NOTES_OF_POLICIES
};

struct notes *notes_new(void);
void notes_free(struct notes *n);

/* Forgets what was said of the subject; what follows is of it. */
void notes_begin(struct notes *n, enum notes_of of, uint64_t subject);
/* At most 20 of a subject are kept as text, the rest is counted.  The same line as one of these again is nothing. */
void notes_problem(struct notes *n, const char *where, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Of an object that is not the host's. */
void notes_problem_in(struct notes *n, uint16_t cluster, const char *where, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void notes_warning(struct notes *n, const char *where, const char *message);
void notes_conflict(struct notes *n, const struct records_conflict *conflict); /* copied */

/* Do the notes differ from those at the last call? */
bool notes_changed(struct notes *n);
void notes_each_problem(const struct notes *n, records_on_problem_fn *fn, void *arg);
void notes_each_conflict(const struct notes *n, records_on_conflict_fn *fn, void *arg);

#endif
