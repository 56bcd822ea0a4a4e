/* arena.h -- memory that is freed as a whole.
 *
 * For the working values of one pass: a decode, a build, a request.  One
 * thread at a time.  What it gives is aligned for any type and not zeroed
 * unless said so.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */

/* Forgets everything given; keeps one block, so that a loop does not allocate. */
void arena_reset(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);
void *arena_calloc(struct arena *a, size_t count, size_t size);
void *arena_memdup(struct arena *a, const void *p, size_t len);
char *arena_strndup(struct arena *a, const char *s, size_t len); /* adds a NUL */
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
