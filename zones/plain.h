/* plain.h -- RDATA of the simple types: names and 16-bit numbers, addresses, texts, \#.
 *
 * What needs no library; numbers are checked to the bit.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_PLAIN_H
#define ZONES_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

/* Fields of a type that consists of names ("n") and 16-bit numbers ("s"), in order; NULL: another. */
const char *plain_fields(uint16_t type);

/* Names without last dot are relative to `origin` (wire form), absolute when that is NULL. */
enum err plain_parse_fields(const char *fields, struct bytes text, const uint8_t *origin,
                            struct buffer *out, struct reason *why) MUST_CHECK;
enum err plain_parse_name(struct bytes text, const uint8_t *origin, struct buffer *out,
                          struct reason *why) MUST_CHECK;
/* The next word of *text, cut off it; a backslash takes the byte behind it along.  Empty: no more. */
struct bytes plain_word(struct bytes *text);
struct bytes plain_trim(struct bytes text);

enum err plain_parse_address(uint16_t type, struct bytes text, struct buffer *out,
                             struct reason *why) MUST_CHECK;
/* One text, cut into strings of 255 bytes. */
enum err plain_parse_text(struct bytes text, struct buffer *out, struct reason *why) MUST_CHECK;
/* Texts with or without quotation marks, as in master files (RFC 1035 5.1): at least one, each of 255 bytes at most. */
enum err plain_parse_strings(struct bytes text, struct buffer *out, struct reason *why) MUST_CHECK;
/* What follows "\#" (RFC 3597 5). */
enum err plain_parse_generic(struct bytes text, struct buffer *out, struct reason *why) MUST_CHECK;

/* False when the RDATA is not of that form. */
bool plain_print_fields(const char *fields, struct bytes rdata, struct text *out);
bool plain_print_text(struct bytes rdata, struct text *out);
void plain_print_generic(struct bytes rdata, struct text *out);

#endif
