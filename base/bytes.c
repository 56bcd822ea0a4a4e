/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* A NUL is in no set. */
static bool is_one_of(uint8_t c, const char *set)
{
	while (*set != '\0' && (uint8_t)*set != c)
		set++;
	return *set != '\0';
}

struct bytes bytes_trimmed(struct bytes s, const char *spaces)
{
	while (s.len > 0 && is_one_of(s.data[0], spaces))
		s = (struct bytes){s.data + 1, s.len - 1};
	while (s.len > 0 && is_one_of(s.data[s.len - 1], spaces))
		s.len--;
	return s;
}

int bytes_by_order(const void *a, const void *b)
{
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

size_t bytes_unique(struct bytes *list, size_t count)
{
	size_t unique = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), bytes_by_order);
	for (size_t i = 0; i < count; i++)
		if (unique == 0 || !bytes_equal(list[i], list[unique - 1]))
			list[unique++] = list[i];
	return unique;
}

struct cursor cursor_over(const void *data, size_t len)
{
	const uint8_t *at = data;

	return (struct cursor){at, len ? at + len : at, false};
}

size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->at); }

/* The next len bytes, or NULL: then the cursor is bad and stands at its end,
 * so that no later read can succeed by chance. */
static const uint8_t *take(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (c->bad || len > cursor_left(c)) {
		c->bad = true;
		c->at = c->end;
		return NULL;
	}
	if (len)
		c->at += len;
	return at;
}

uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = take(c, 1);

	return p ? p[0] : 0;
}

uint16_t cursor_u16(struct cursor *c)
{
	const uint8_t *p = take(c, 2);

	return p ? bytes_get16(p) : 0;
}

uint32_t cursor_u32(struct cursor *c)
{
	const uint8_t *p = take(c, 4);

	return p ? bytes_get32(p) : 0;
}

uint64_t cursor_u64(struct cursor *c)
{
	const uint8_t *p = take(c, 8);

	return p ? (uint64_t)bytes_get32(p) << 32 | bytes_get32(p + 4) : 0;
}

struct bytes cursor_bytes(struct cursor *c, size_t len)
{
	const uint8_t *p = take(c, len);

	return p ? (struct bytes){p, len} : (struct bytes){NULL, 0};
}

struct bytes cursor_str16(struct cursor *c) { return cursor_bytes(c, cursor_u16(c)); }

void buffer_fini(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){NULL, 0, 0};
}

void buffer_reset(struct buffer *b) { b->len = 0; }

uint8_t *buffer_extend(struct buffer *b, size_t len)
{
	uint8_t *at;

	CHECK(len < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
	if (!b->data || len > b->room - b->len) {
		size_t least = b->len + len;
		size_t room = b->room ? b->room * 2 : 64;

		b->room = room > least ? room : least;
		b->data = xrealloc(b->data, b->room);
	}
	at = b->data + b->len;
	b->len += len;
	return at;
}

void buffer_u8(struct buffer *b, uint8_t v) { *buffer_extend(b, 1) = v; }

void buffer_u16(struct buffer *b, uint16_t v) { bytes_put16(buffer_extend(b, 2), v); }

void buffer_u32(struct buffer *b, uint32_t v) { bytes_put32(buffer_extend(b, 4), v); }

void buffer_u64(struct buffer *b, uint64_t v)
{
	uint8_t *p = buffer_extend(b, 8);

	bytes_put32(p, (uint32_t)(v >> 32));
	bytes_put32(p + 4, (uint32_t)v);
}

void buffer_put(struct buffer *b, const void *data, size_t len)
{
	if (len)
		memcpy(buffer_extend(b, len), data, len);
}

void buffer_str16(struct buffer *b, struct bytes s)
{
	CHECK(s.len <= UINT16_MAX);
	buffer_u16(b, (uint16_t)s.len);
	buffer_put(b, s.data, s.len);
}
