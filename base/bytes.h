/* bytes.h -- bytes borrowed, read and written, with the end always in sight.
 *
 * struct bytes borrows; it owns nothing and need not end in a NUL.  A cursor
 * reads big-endian integers and strings and, past the end, gives zeros and
 * turns `bad`: read everything, then ask once.  A buffer grows.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

/* Without the NUL; NULL gives none. */
static inline struct bytes bytes_of(const char *s)
{
	return (struct bytes){(const uint8_t *)s, s != NULL ? strlen(s) : 0};
}
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what has a length has data. */
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
static inline bool bytes_equal_text(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_of(s));
}
/* Byte order; a prefix comes first.  <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);
/* The same for qsort() and bsearch() over struct bytes. */
int bytes_by_order(const void *a, const void *b);
/* Sorts a list in that order and leaves each there once; how many remain. */
size_t bytes_unique(struct bytes *list, size_t count);
/* Without those of `spaces` that stand at its ends. */
struct bytes bytes_trimmed(struct bytes s, const char *spaces);

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
static inline uint16_t bytes_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}
static inline uint32_t bytes_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}
static inline void bytes_put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}
static inline void bytes_put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

/* An ASCII capital to its small letter (RFC 4343 2). */
static inline uint8_t bytes_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* The top bit of each of eight bytes that is an ASCII capital: the carry into it says whether the lower seven bits
 * reach 'A', or pass 'Z'.  Lengths of labels (0..63) lie below 'A', so whole names may be passed. */
static inline uint64_t bytes_capitals8(uint64_t v)
{
	uint64_t ascii = v & 0x7f7f7f7f7f7f7f7f;
	uint64_t from_a = ascii + 0x3f3f3f3f3f3f3f3f;
	uint64_t past_z = ascii + 0x2525252525252525;

	return (from_a ^ past_z) & ~v & 0x8080808080808080;
}
/* Capitals to small letters. */
static inline uint64_t bytes_lower8(uint64_t v) { return v | bytes_capitals8(v) >> 2; }

/* memcpy() without a call, for stretches that are short as a rule: the last step may overlap. */
static inline void bytes_copy(uint8_t *restrict to, const uint8_t *restrict from, size_t len)
{
	if (len >= 16) {
		for (size_t at = 0; at + 16 < len; at += 16)
			memcpy(to + at, from + at, 16);
		memcpy(to + len - 16, from + len - 16, 16);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, from, 4);
		memcpy(to + len - 4, from + len - 4, 4);
	} else if (len > 0) {
		to[0] = from[0];
		to[len / 2] = from[len / 2];
		to[len - 1] = from[len - 1];
	}
}

#endif
