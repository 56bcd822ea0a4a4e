/* xalloc.h -- memory that is there: these never return NULL, they abort.
 *
 * Sizes may be 0.  Everything is given back with free().  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed; the product is checked */
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len); /* of the first len bytes; adds a NUL */
void *xmemdup(const void *p, size_t len);

#endif
