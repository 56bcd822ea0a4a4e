/* geo_rankings.h -- the rankings that were made together: the plain one, and one for each of the different rules.
 *
 * Made in the thread pool, of those before whatever has not changed; frozen.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_RANKINGS_H
#define DNSD_GEO_RANKINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "dnsd/geo_rules.h"
#include "geo/latency.h"

struct geo_rankings {
	const struct ranking *plain;
	struct geo_rules_list *rules; /* a use of its own */
	const struct ranking *by_rules[GEO_LOADER_MAX_RULES];
};

struct geo_rankings_inputs {
	const struct ranking_cluster *clusters;
	size_t cluster_count;
	const char *const *unknown_order;
	size_t unknown_count;
	const struct geodb *geodb;           /* may be NULL */
	const struct latency_table *latency; /* may be NULL */
	struct geo_rules_list *rules;
	/* What `before` holds can be taken over: */
	const struct geo_rankings *before; /* may be NULL */
	bool same_world;                   /* clusters and geodb are as they were */
	bool same_latency;
};

/* Takes over the use of the rules that the caller counted for it. */
struct geo_rankings *geo_rankings_build(const struct geo_rankings_inputs *in);
void geo_rankings_free(
	struct geo_rankings *r); /* NULL is fine; on the thread that counts users of rules */

#endif
