/* csv.h -- tables as operators write them: a line for each row, fields between commas, no quoting.
 *
 * Blank lines and lines that begin with # are passed over; spaces around fields do not count.
 * Pure; private to the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_CSV_H
#define GEO_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

/* Where reading is; begins as {.rest = the text}. */
struct csv {
	struct bytes rest;
	uint32_t line; /* number of the last one given, from 1 */
};

/* The next row; false: there is none.  A byte order mark at the beginning is passed over. */
bool csv_next(struct csv *c, struct bytes *row);
/* Cuts off and returns what stands before the next comma, or everything; *more: there was a comma. */
struct bytes csv_field(struct bytes *row, bool *more);
/* Without the spaces around it. */
struct bytes csv_trimmed(struct bytes s);

enum { CSV_SHOWN = 48 }; /* room for a field in a message */

/* Where all faults are told, and not the first alone. */
struct csv_faults {
	size_t count, most;
	struct text *out;
};
/* Says where a fault is.  ERR_OK: it is told among all, go on; `all` may be NULL. */
enum err csv_fail(struct csv_faults *all, uint32_t line, enum err err, struct reason *why);

#endif
