/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { BLOCK_FIRST = 8192, BLOCK_MOST = 1 << 20, ALIGN = _Alignof(max_align_t) };

struct block {
	struct block *older;
	size_t size; /* of data */
	size_t used;
	max_align_t data[];
};

struct arena {
	struct block *newest;
	size_t used;
};

static struct block *block_new(size_t size, struct block *older)
{
	struct block *b = xmalloc(sizeof(*b) + size);

	b->older = older;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->newest = block_new(BLOCK_FIRST, NULL);
	return a;
}

static void free_from(struct block *b)
{
	while (b) {
		struct block *older = b->older;

		free(b);
		b = older;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	free_from(a->newest);
	free(a);
}

void arena_reset(struct arena *a)
{
	struct block *keep = a->newest;

	free_from(keep->older);
	keep->older = NULL;
	keep->used = 0;
	/* One huge value must not be held for ever by a loop of small ones. */
	if (keep->size > BLOCK_MOST) {
		free(keep);
		a->newest = block_new(BLOCK_FIRST, NULL);
	}
	a->used = 0;
}

/* A block for at least `size` bytes: twice the last one, within limits. */
static void grow(struct arena *a, size_t size)
{
	size_t next = a->newest->size < BLOCK_MOST / 2 ? a->newest->size * 2 : BLOCK_MOST;

	a->newest = block_new(size > next ? size : next, a->newest);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->newest;
	size_t whole;
	void *p;

	CHECK(size < SIZE_MAX / 2);
	whole = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (whole > b->size - b->used) {
		grow(a, whole);
		b = a->newest;
	}
	p = (char *)b->data + b->used;
	b->used += whole;
	a->used += size;
	return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t total;
	void *p;

	CHECK(!__builtin_mul_overflow(count, size, &total));
	p = arena_alloc(a, total);
	memset(p, 0, total);
	return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t len)
{
	void *copy = arena_alloc(a, len);

	if (len)
		memcpy(copy, p, len);
	return copy;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int len;
	char *out;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	CHECK(len >= 0);
	out = arena_alloc(a, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(out, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return out;
}

size_t arena_used(const struct arena *a) { return a->used; }
