/* failback.h -- which sites that came back must still wait, as their policies' failback says (comeback.h).
 *
 * Wiring: part of pipeline.  Looks at the sites that have a hold (records_hold_back) after each publication:
 * at those of names that changed, or at all when a table did.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_FAILBACK_H
#define DNSD_FAILBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "dnsd/orders.h"
#include "records/build.h"
#include "watcher/saved.h"
#include "zones/build.h"

struct failback;

/* Who waits when it ends waits again at the next start: that stands in `saved`. */
struct failback *failback_new(struct saved *saved);
void failback_free(struct failback *f); /* NULL is fine */

/* The name's sites have changed; before the next look. */
void failback_touch(struct failback *f, const struct endpoint *endpoint);
struct failback_times {
	uint64_t now_ms; /* monotonic */
	int64_t unix_s;  /* as annotations have it */
};
/* Looks at the sites as that snapshot, made of that result, has them.  True: other sites wait than before, and
 * zones know. */
bool failback_look(struct failback *f, const struct records_result *r, const struct snapshot *s,
                   const struct failback_times *now, struct zones *z);
/* Differs when failback_list() may. */
uint64_t failback_changes(const struct failback *f);
/* Lets those sites (ORDER_FAILBACK) have clients again; zones know.  Of the result and the snapshot of the last look.  *count: how
 * many waited.  ERR_PARSE: not a name.  ERR_NOTFOUND: none of them waits. */
enum err failback_release(struct failback *f, const struct order_about *about, struct zones *z,
                          uint64_t *count, struct reason *why) MUST_CHECK;

/* Who waits and is usable, at most FAILBACK_TOLD, by name, in the arena; names without the last dot. */
enum { FAILBACK_TOLD = 1000 };
const struct snapshot_waiting *failback_list(const struct failback *f, struct arena *a,
                                             size_t *count);

#endif
