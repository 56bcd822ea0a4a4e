/* name_apart.h -- name_parse() without a call, for queries.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_NAME_APART_H
#define ZONES_NAME_APART_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "zones/fold.h"
#include "zones/name.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { NAME_BLOCK = 16 };

/* A block's capitals become small letters. */
#ifdef __SSE2__
static inline void name_lower_block(uint8_t *to, const uint8_t *from)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
	/* Moved so that, compared as signed, just the capitals are the lowest. */
	__m128i moved = _mm_add_epi8(v, _mm_set1_epi8((char)(-128 - 'A')));
	__m128i capital = _mm_cmpgt_epi8(_mm_set1_epi8(-128 + 26), moved);

	v = _mm_or_si128(v, _mm_and_si128(capital, _mm_set1_epi8('a' - 'A')));
	_mm_storeu_si128((__m128i *)(void *)to, v);
}
#else
static inline void name_lower_block(uint8_t *to, const uint8_t *from)
{
	fold_store(to, bytes_lower8(fold_load(from)));
	fold_store(to + 8, bytes_lower8(fold_load(from + 8)));
}
#endif

/* Fills at[] and labels; returns the length or 0. */
static inline size_t name_find_labels(struct name *out, const uint8_t *wire, size_t max)
{
	size_t at = 0, limit = max < NAME_MAX_LEN ? max : NAME_MAX_LEN;
	uint8_t *label = out->at;

	/* cppcheck-suppress ctuuninitvar ; it is filled here */
	while (at < limit) {
		size_t len = wire[at];

		*label = (uint8_t)at;
		if (len - 1 >= 63) {
			out->labels = (uint8_t)(label - out->at);
			/* Above 63: compression pointers and label types that nobody uses (RFC 6891 5). */
			return len == 0 ? at + 1 : 0;
		}
		label++;
		at += len + 1;
	}
	return 0;
}

/* When the last block would reach beyond `max`. */
void name_copy_lower_exactly(struct name *out, const uint8_t *wire, size_t len, size_t max);

/* See name_parse(). */
static inline size_t name_take_apart(struct name *out, const uint8_t *wire, size_t max)
{
	size_t len = name_find_labels(out, wire, max);

	if (len == 0)
		return 0;
	out->len = (uint8_t)len;
	if (__builtin_expect(((len + NAME_BLOCK - 1) & ~(size_t)(NAME_BLOCK - 1)) > max, 0)) {
		name_copy_lower_exactly(out, wire, len, max);
	} else {
		for (size_t at = 0; at < len; at += NAME_BLOCK)
			name_lower_block(out->wire + at, wire + at);
	}
	memset(out->wire + len, 0, NAME_PADDING);
	return len;
}

#endif
