/* names.h -- domain names between text and wire form, and the rules of KubeFed's names.
 *
 * Wire form is that of RFC 1035 3.1: labels with their lengths, ended by the
 * root label, at most 255 bytes.  Case is kept.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_NAMES_H
#define RECORDS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { NAMES_WIRE_MAX = 255, NAMES_TEXT_SIZE = 1024 };

/* Presentation form (RFC 1035 5.1: \. and \DDD), with or without the last dot,
 * always absolute; "." is the root.  ERR_PARSE or ERR_RANGE with a reason that
 * names the fault: an empty label, a label over 63 bytes, a name over 255. */
enum err names_from_text(struct bytes text, uint8_t out[NAMES_WIRE_MAX], size_t *len,
                         struct reason *why) MUST_CHECK;
/* With the last dot; bytes that are not printable become \DDD.  Returns out. */
char *names_to_text(const uint8_t *wire, char out[NAMES_TEXT_SIZE]);

/* Are these bytes exactly one name?  For what comes from a file. */
bool names_wire_is_good(struct bytes wire);
/* Of a good name; the root label counts. */
static inline size_t names_wire_len(const uint8_t *wire)
{
	size_t len = 0;

	while (wire[len] != 0)
		len += 1U + wire[len];
	return len + 1;
}
bool names_wire_equal(const uint8_t *a, const uint8_t *b); /* without case (RFC 4343) */
/* Is `name` at or below `apex`? Without case. */
bool names_wire_is_under(const uint8_t *name, const uint8_t *apex);

/* Letters, digits, "-" and "_", not beginning or ending with "-", 1..63 bytes: what KubeFed's
 * ladder puts between dots.  False says why. */
bool names_is_label(struct bytes text, struct reason *why);

#endif
