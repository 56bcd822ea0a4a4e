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
	/* Compared as signed: bytes from 0x80 on are below 'A'. */
	__m128i capital = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
	                                _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));

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

	/* cppcheck-suppress ctuuninitvar ; it is filled here */
	for (uint8_t *label = out->at; at < limit; label++) {
		size_t len = wire[at];

		*label = (uint8_t)at;
		if (len == 0) {
			out->labels = (uint8_t)(label - out->at);
			return at + 1;
		}
		/* Compression pointers and label types that nobody uses (RFC 6891 5). */
		if (len > 63)
			return 0;
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
