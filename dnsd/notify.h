/* notify.h -- tells secondaries that a zone has changed (RFC 1996): again and again, ever more rarely, until they have heard.
 *
 * Over UDP, on a loop's thread.  What is signed is heard when the answer is signed as well (RFC 8945).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NOTIFY_H
#define DNSD_NOTIFY_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "dnsd/notify_target.h"

struct notify;

/* For one zone (its apex in wire form, and its name for the log); all is copied but for the keys, which must stay. */
struct notify *notify_start(uv_loop_t *loop, const uint8_t *apex, const char *zone,
                            const struct notify_target *to, size_t count);
/* The zone's SOA record (whole, in wire form) is this now: all are told at once, whatever they had not heard of before. */
void notify_tell(struct notify *n, struct bytes soa);
/* The same for those whom `before` (NULL: none) did not tell; who is told by both is owed what was owed, no more and no less, and
 * at the same times. */
void notify_go_on(struct notify *n, const struct notify *before, struct bytes soa);
void notify_free(struct notify *n); /* NULL is fine; the loop must turn once more */

#endif
