/* due.h -- which of many numbered things is next, and when: a heap of times.
 *
 * Numbers are small and dense (indexes of an array).  One thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DUE_H
#define WATCHER_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due;

struct due *due_new(void);
void due_free(struct due *d); /* NULL is fine */

/* Sets or moves the time of `index`. */
void due_put(struct due *d, size_t index, uint64_t at_ms);
/* No time any more; fine when it has none. */
void due_remove(struct due *d, size_t index);
/* The earliest; false when there is none. */
bool due_first(const struct due *d, size_t *index, uint64_t *at_ms);

#endif
