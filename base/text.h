/* text.h -- text put together piece by piece, and small questions about text.
 *
 * struct text grows and always ends in a NUL.  A zeroed struct is empty.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct text {
	char *data; /* NULL while empty and never written */
	size_t len;
	size_t room;
};

void text_fini(struct text *t);
void text_reset(struct text *t);
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, struct bytes b);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts s between quotation marks, escaped as RFC 8259 asks; bytes that are not
 * UTF-8 become U+FFFD. */
void text_add_json(struct text *t, struct bytes s);
/* The caller becomes owner of the characters (never NULL); t is empty again. */
char *text_take(struct text *t);

/* A copy that ends in a NUL; the caller frees it. */
char *text_copy(struct bytes s);

/* The character that s begins with: its length in bytes (1..4), or 0 when s is
 * empty or not well-formed UTF-8 there (RFC 3629).  `out` may be NULL. */
size_t text_utf8(struct bytes s, uint32_t *out);
/* Is all of it well-formed UTF-8 without control characters? */
bool text_is_plain(struct bytes s);
/* For messages: foreign text, cut to fit and without what could confuse a terminal.  Returns out. */
const char *text_shown(struct bytes s, char *out, size_t size);

/* A whole text as a number, decimal, no sign, no space; false when it is not
 * one or is over max. */
bool text_to_u64(struct bytes s, uint64_t max, uint64_t *out);
/* A whole text as a finite number ("-118.24", "1e3"). */
bool text_to_double(struct bytes s, double *out);
/* The percentage that a person would have said for so much of a whole of at most 2^16: the one with the fewest decimals, three at
 * most, that rounds to the same part.  (1 % of 65536 is 655, which is nearer to 0.999 %.) */
double text_percent(uint32_t part, uint32_t whole);
/* "500ms", "10s", "5m", "2h", or "0" as milliseconds. */
bool text_to_duration_ms(struct bytes s, uint64_t *out);
/* RFC 3339 ("2026-01-02T03:04:05Z", fractions and offsets allowed) as Unix seconds. */
bool text_to_time(struct bytes s, int64_t *out);

#endif
