/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/name.h"

#include <string.h>

#include "base/bytes.h"
#include "records/names.h"
#include "zones/fold.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 16 };

/* The same for a whole block. */
#ifdef __SSE2__
static inline void lower_block(uint8_t *to, const uint8_t *from)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
	/* Compared as signed: bytes from 0x80 on are below 'A'. */
	__m128i capital = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
	                                _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));

	v = _mm_or_si128(v, _mm_and_si128(capital, _mm_set1_epi8('a' - 'A')));
	_mm_storeu_si128((__m128i *)(void *)to, v);
}
#else
static inline void lower_block(uint8_t *to, const uint8_t *from)
{
	fold_store(to, bytes_lower8(fold_load(from)));
	fold_store(to + 8, bytes_lower8(fold_load(from + 8)));
}
#endif

/* Fills at[] and labels; returns the length or 0. */
static inline size_t find_labels(struct name *out, const uint8_t *wire, size_t max)
{
	size_t at = 0, limit = max < NAME_MAX_LEN ? max : NAME_MAX_LEN;

	/* cppcheck-suppress ctuuninitvar ; it is filled here */
	for (uint8_t *label = out->at; at < limit; label++) {
		unsigned len = wire[at];

		*label = (uint8_t)at;
		if (len - 1 < 63) {
			at += len + 1;
			continue;
		}
		out->labels = (uint8_t)(label - out->at);
		/* Above 63: compression pointers and label types that nobody uses (RFC 6891 5). */
		return len == 0 ? at + 1 : 0;
	}
	return 0;
}

/* Eight bytes from `at`, those from `len` on as zeros; nothing behind wire[len - 1] is read. */
static uint64_t load_tail(const uint8_t *wire, size_t at, size_t len)
{
	uint64_t v = 0;

	if (len >= 8)
		return fold_load(wire + len - 8) >> 8 * (8 - (len - at));
	for (size_t i = len; i-- > 0;)
		v = v << 8 | wire[i];
	return v;
}

/* When not even whole blocks may be read. */
static void copy_lower_exactly(struct name *out, const uint8_t *wire, size_t len, size_t max)
{
	size_t end = (len + 7) & ~(size_t)7, safe = end <= max ? end : end - 8, at = 0;

	for (; at < safe; at += 8)
		fold_store(out->wire + at, bytes_lower8(fold_load(wire + at)));
	if (at < end)
		fold_store(out->wire + at, bytes_lower8(load_tail(wire, at, len)));
}

/* Also zeroes the padding. */
static inline void copy_lower(struct name *out, const uint8_t *wire, size_t len, size_t max)
{
	size_t end = (len + BLOCK - 1) & ~(size_t)(BLOCK - 1);

	if (end > max) {
		copy_lower_exactly(out, wire, len, max);
	} else {
		for (size_t at = 0; at < end; at += BLOCK)
			lower_block(out->wire + at, wire + at);
	}
	memset(out->wire + len, 0, NAME_PADDING);
}

size_t name_parse(struct name *out, const uint8_t *wire, size_t max)
{
	size_t len = find_labels(out, wire, max);

	if (len == 0)
		return 0;
	out->len = (uint8_t)len;
	copy_lower(out, wire, len, max);
	return len;
}

uint64_t name_wire_hash(const uint8_t *wire, const struct name_key *key)
{
	struct name n;

	return name_parse(&n, wire, names_wire_len(wire)) ? fold_suffix(&n, 0, key) : 0;
}

enum err name_from_text(struct name *out, struct bytes text, struct reason *why)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;
	enum err err = names_from_text(text, wire, &len, why);

	if (err == ERR_OK)
		(void)name_parse(out, wire, len);
	return err;
}

unsigned name_wire_labels(const uint8_t *wire)
{
	unsigned labels = 0;

	for (; *wire != 0; wire += 1 + *wire)
		labels++;
	return labels;
}

static unsigned label_places(const uint8_t *wire, uint8_t at[NAME_MAX_LABELS + 1])
{
	unsigned labels = 0, place = 0;

	for (; wire[place] != 0; place += 1U + wire[place])
		at[labels++] = (uint8_t)place;
	return labels;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned len = a[0] < b[0] ? a[0] : b[0];

	for (unsigned i = 1; i <= len; i++) {
		int order = lower(a[i]) - lower(b[i]);

		if (order)
			return order;
	}
	return a[0] - b[0];
}

int name_wire_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_MAX_LABELS + 1], at_b[NAME_MAX_LABELS + 1];
	unsigned left_a = label_places(a, at_a), left_b = label_places(b, at_b);

	while (left_a > 0 && left_b > 0) {
		int order = label_compare(a + at_a[--left_a], b + at_b[--left_b]);

		if (order)
			return order;
	}
	return (left_a > 0) - (left_b > 0);
}
