/* kept_zones.h -- zones whose Domain is gone, and which the guard keeps.
 *
 * A Domain that is deleted takes the addresses of all its names: when these are more than may go,
 * records goes on as if it were there, until it comes back, the time is over, or the
 * zone is released.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_KEPT_ZONES_H
#define RECORDS_KEPT_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "records/apexes.h"
#include "records/fact.h"
#include "records/guard.h"

struct kept_zone {
	const struct fact *domain; /* as it was last */
	struct bytes apex;         /* wire form, lower case; ours */
	struct records_hold hold;  /* id 0: the guard gives one */
	bool is_told;
};

struct kept_zones { /* zeroed: none */
	struct kept_zone *list;
	size_t count;
	const struct fact **gone; /* Domains deleted since the last build */
	size_t gone_count;
	struct buffer forgotten; /* apexes that were told and are kept no more, as str16 */
};

void kept_zones_fini(struct kept_zones *k);
/* A Domain is deleted. */
void kept_zones_lose(struct kept_zones *k, const struct fact *domain);

/* Lets go of zones that have a Domain again, whose time is over, or which are released.  True: some. */
bool kept_zones_end(struct kept_zones *k, const struct guard *g, const struct facts *f,
                    uint64_t now_ms);
/* Releases what Domains say that it may go: annotation nigh.dev/release-guard with the hold's id. */
void kept_zones_release(struct guard *g, const struct facts *f);
/* Of the Domains deleted since the last build, keeps those whose zones must not go.  `was` and `now`: the
 * zones before, and those there would be.  True: some, so that the zones must be found anew. */
bool kept_zones_begin(struct kept_zones *k, const struct guard *g,
                      const struct records_settings *settings, const struct apexes *was,
                      const struct apexes *now, uint64_t now_ms);
/* The guard knows this build's zones: it is told which of them it holds. */
void kept_zones_hold(struct kept_zones *k, struct guard *g, const struct records_settings *settings,
                     uint64_t now_ms);

/* What begins to be kept, and what is kept no more (NULL), since the last call. */
typedef void kept_zones_on_change_fn(struct bytes apex, const struct kept_zone *zone, void *arg);
void kept_zones_take_changes(struct kept_zones *k, kept_zones_on_change_fn *fn, void *arg);
/* A zone that was kept when the process ended last.  False: not a Domain. */
bool kept_zones_restore(struct kept_zones *k, const struct fact *domain,
                        const struct records_hold *hold);

#endif
