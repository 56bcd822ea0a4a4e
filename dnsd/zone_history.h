/* zone_history.h -- what a zone was and became: its newest image, and the changes that led to it, as far back as there is room.
 *
 * One thread owns a history.  Transfers that it fills (transfer.h) may go to any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ZONE_HISTORY_H
#define DNSD_ZONE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "dnsd/transfer.h"
#include "dnsd/zone_image.h"

struct zone_history;

/* Keeps changes of at most so many bytes together; older ones are forgotten. */
struct zone_history *zone_history_new(size_t bytes_most);
void zone_history_free(struct zone_history *h); /* NULL is fine */

/* Takes the reference.  An image of the serial that is there already changes nothing. */
void zone_history_add(struct zone_history *h, const struct zone_image *take_image);
/* The newest; NULL: none yet.  Borrowed until the next is added. */
const struct zone_image *zone_history_newest(const struct zone_history *h);

/* Into `t`, which has nothing yet, the whole zone (RFC 5936).  Without an image it stays a refusal, here and below. */
void zone_history_axfr(const struct zone_history *h, struct transfer *t);
/* Likewise what has changed since that serial (RFC 1995): the SOA alone when nothing has, or when it is of the future; the whole
 * zone when the history does not reach so far back. */
void zone_history_ixfr(const struct zone_history *h, uint32_t from, struct transfer *t);

#endif
