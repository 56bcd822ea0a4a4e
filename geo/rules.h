/* rules.h -- what puts clusters into an order for a client, beside distance.
 *
 * The ordering stages of a traffic policy (geofence, failover, latency, nearest), one after the
 * other: each only decides among clusters that the stages before hold equal.  A value for
 * ranking_build_by(), borrowed during the build; clusters are the build's, by index.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RULES_H
#define GEO_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum rules_stage { RULES_FENCE = 1, RULES_TIER, RULES_LATENCY, RULES_NEAREST };
enum { RULES_STAGES = 4, RULES_NO_TIER = 0xffff };

/* Clients of one of these places or networks are for these clusters; the first fence that matches counts.  Longer networks
 * do not win over earlier fences. */
struct rules_fence {
	const struct bytes *continents;   /* "EU": upper case, as the next two */
	const struct bytes *countries;    /* "DE" */
	const struct bytes *subdivisions; /* "US-CA" */
	size_t continent_count, country_count, subdivision_count;
	const struct addr_network *networks;
	size_t network_count;
	const uint16_t *clusters; /* indexes of the build's list */
	size_t cluster_count;
	bool required; /* no other cluster is in the client's order at all; else others come after these */
};

struct latency_table; /* geo/latency.h */

struct rules {
	enum rules_stage stages[RULES_STAGES];
	size_t stage_count;
	const struct rules_fence *fences;
	size_t fence_count;
	const uint16_t *tier;   /* of each cluster; RULES_NO_TIER: after all tiers */
	const int32_t *bias_km; /* of each cluster; NULL: 0 */
	/* Of each cluster, equal numbers for equal regions; who has none has a number of its own.  NULL: sameRegionFirst is off. */
	const uint16_t *region;
	const struct latency_table *latency; /* NULL: nothing is known: by distance */
	const char *const *unknown_order;
	size_t unknown_count;
	/* Clients without a place: no order, all clusters (of a tier, inside a fence) are equal.  Rules without nearest and
	 * latency want this too, unless the operator gave an order: else shares by weight are none for them. */
	bool unknown_is_tie;
	bool unknown_is_apart; /* ranking_order.is_unplaced is wanted: their orders are merged with no others */
};

#endif
