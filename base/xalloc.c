/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* A size of 0 is served as 1, so that NULL always means "no memory". */
static void *there(void *p)
{
	CHECK(p != NULL);
	return p;
}

void *xmalloc(size_t size) { return there(malloc(size ? size : 1)); }

void *xcalloc(size_t count, size_t size)
{
	return there(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc(void *p, size_t size) { return there(realloc(p, size ? size : 1)); }

void *xreallocarray(void *p, size_t count, size_t size)
{
	size_t total;

	CHECK(!__builtin_mul_overflow(count, size, &total));
	return xrealloc(p, total);
}

char *xstrdup(const char *s) { return xmemdup(s, strlen(s) + 1); }

char *xstrndup(const char *s, size_t len)
{
	char *copy;

	CHECK(len < SIZE_MAX);
	copy = xmalloc(len + 1);
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *xmemdup(const void *p, size_t len)
{
	void *copy = xmalloc(len);

	if (len)
		memcpy(copy, p, len);
	return copy;
}
