/* name.h -- domain names in wire form (RFC 1035 3.1): parsed, compared, hashed.
 *
 * A stored name is its wire bytes, ended by the root label; at most 255 bytes.
 * A struct name is one taken apart for looking up: lower case, with the place of
 * every suffix.  Hashes of suffixes: zones/fold.h; text form: records/names.h.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_NAME_H
#define ZONES_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/names.h"

enum { NAME_MAX_LEN = 255, NAME_MAX_LABELS = 127, NAME_PADDING = 16 };

/* Secrets of this process, so that strangers cannot choose names that collide. */
struct name_key {
	uint64_t k[4];
};

struct name {
	uint8_t len;                     /* of wire, root included */
	uint8_t labels;                  /* without the root */
	uint8_t at[NAME_MAX_LABELS + 1]; /* where label i begins; at[labels]: the root */
	_Alignas(16) uint8_t
		wire[NAME_MAX_LEN + 1 + NAME_PADDING]; /* lower case (RFC 4343), then zeros */
};

/* Takes apart the name that begins at `wire`; no compression pointers (a query's
 * QNAME needs none, RFC 9267).  Returns its length, or 0 when it is malformed or does not end within `max`. */
size_t name_parse(struct name *out, const uint8_t *wire, size_t max);

/* The same of a presentation form, with or without the last dot.  ERR_PARSE or ERR_RANGE as names_from_text(). */
enum err name_from_text(struct name *out, struct bytes text, struct reason *why) MUST_CHECK;

/* Of a good stored name: bytes with the root label, and labels without it. */
static inline size_t name_wire_len(const uint8_t *wire) { return names_wire_len(wire); }
unsigned name_wire_labels(const uint8_t *wire);
/* Canonical order of RFC 4034 6.1. */
int name_wire_compare(const uint8_t *a, const uint8_t *b);

#endif
