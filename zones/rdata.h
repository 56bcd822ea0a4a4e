/* rdata.h -- RDATA from presentation text to wire form and back (ldns at the edge).
 *
 * The only file of the room that knows ldns.  A and AAAA do not go through it.
 * Text comes from objects and files of strangers: every type is checked.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_RDATA_H
#define ZONES_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { RDATA_MAX = 65535 };

/* "A", "HTTPS", "TYPE65280" (any case) as a number; 0 when there is no such type, or
 * when it is one that no zone holds: type 0, OPT, and 128 to 255 (RFC 6895 3.1). */
uint16_t rdata_type(struct bytes text);
/* "A" or "TYPE65280" into out (at least 12 bytes).  Returns out. */
char *rdata_type_text(uint16_t type, char out[16]);

/* Appends the wire form.  Names are absolute with or without the last dot.  A TXT text
 * that does not begin with a quotation mark is one string, spaces kept, cut every 255
 * bytes.  \# form of RFC 3597 for every type.  ERR_PARSE, ERR_RANGE, ERR_UNSUPPORTED. */
enum err rdata_from_text(uint16_t type, struct bytes text, struct buffer *out,
                         struct reason *why) MUST_CHECK;
/* The same of a master file (RFC 1035 5.1): names without last dot are relative to `origin` (wire form), texts without
 * quotation marks are one a word.  Without comments and parentheses.  On an error nothing is appended. */
enum err rdata_from_master(uint16_t type, struct bytes text, const uint8_t *origin,
                           struct buffer *out, struct reason *why) MUST_CHECK;
/* Presentation form, on one line; \# form when ldns cannot.  Caller frees. */
char *rdata_to_text(uint16_t type, struct bytes rdata);

/* One line of a zone's `records` key: "www 300 IN A 192.0.2.1" (class and TTL optional, "@" is the
 * apex, names without last dot are relative to it). Texts are owned by the caller (free each). */
struct rdata_line {
	char *owner; /* absolute, presentation form */
	uint32_t ttl;
	bool has_ttl;
	char *type;  /* "A" */
	char *rdata; /* presentation form, names in it absolute */
};
enum err rdata_parse_line(const char *line, const char *apex, struct rdata_line *out,
                          struct reason *why) MUST_CHECK;
void rdata_line_fini(struct rdata_line *line);

#endif
