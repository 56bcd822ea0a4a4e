/* find16.h -- where a small number stands in a short list, eight at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_FIND16_H
#define ZONES_FIND16_H

#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { FIND16_LANES = 8 };

/* How many items a list of `count` must have room for. */
static inline size_t find16_room(size_t count)
{
	return (count + FIND16_LANES - 1) / FIND16_LANES * FIND16_LANES;
}

/* The index of the first item that is `wanted`, or a number of at least `count`.  Up to
 * find16_room(count) items are read; which they are beyond `count` does not matter. */
#ifdef __SSE2__
static inline size_t find16(const uint16_t *list, size_t count, uint16_t wanted)
{
	__m128i all = _mm_set1_epi16((short)wanted);

	for (size_t i = 0; i < count; i += FIND16_LANES) {
		__m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(list + i));
		int same = _mm_movemask_epi8(_mm_cmpeq_epi16(eight, all));

		if (same != 0)
			return i + (unsigned)__builtin_ctz((unsigned)same) / sizeof(*list);
	}
	return count;
}
#else
static inline size_t find16(const uint16_t *list, size_t count, uint16_t wanted)
{
	size_t i = 0;

	while (i < count && list[i] != wanted)
		i++;
	return i;
}
#endif

#endif
