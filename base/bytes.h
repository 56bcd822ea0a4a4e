/* bytes.h -- bytes borrowed, read and written, with the end always in sight.
 *
 * struct bytes borrows; it owns nothing and need not end in a NUL.  A cursor
 * reads big-endian integers and strings and, past the end, gives zeros and
 * turns `bad`: read everything, then ask once.  A buffer grows.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

struct bytes bytes_of(const char *s); /* without the NUL; NULL gives none */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *s);
/* Byte order; a prefix comes first.  <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* something was read past the end */
};

struct cursor cursor_over(const void *data, size_t len);
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* The next len bytes where they lie; none and `bad` when there are not so many. */
struct bytes cursor_bytes(struct cursor *c, size_t len);
/* A string as buffer_str16() wrote it: 2 bytes of length, then the bytes. */
struct bytes cursor_str16(struct cursor *c);

struct buffer {
	uint8_t *data; /* free() gives it back, or buffer_fini() */
	size_t len;
	size_t room;
};

/* A zeroed struct buffer is an empty one. */
void buffer_fini(struct buffer *b);
void buffer_reset(struct buffer *b);                  /* len = 0, room kept */
uint8_t *buffer_extend(struct buffer *b, size_t len); /* len more bytes, not set */
void buffer_u8(struct buffer *b, uint8_t v);
void buffer_u16(struct buffer *b, uint16_t v);
void buffer_u32(struct buffer *b, uint32_t v);
void buffer_u64(struct buffer *b, uint64_t v);
void buffer_put(struct buffer *b, const void *data, size_t len);
void buffer_str16(struct buffer *b, struct bytes s); /* CHECKs s.len < 65536 */

/* Big-endian integers at a place that is known to be long enough. */
static inline uint16_t bytes_get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t bytes_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void bytes_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void bytes_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
