/* policy.h -- a traffic policy as the answering path reads it: frozen, with clusters by id.
 *
 * Compiled by dnsd's wiring from a TrafficPolicy (or, number 0, from `defaults`), carried by snapshots
 * in a table beside the names: a policy that changes touches no name.  A node with sites names
 * its policy by number.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_POLICY_H
#define ZONES_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/ranking.h"

enum { POLICY_DEFAULT = 0 /* the number of `defaults` */ };
enum { POLICY_BUCKET_IPV4 = 24, POLICY_BUCKET_IPV6 = 48 }; /* unless sticky says otherwise */

/* A cluster without weight gets no client while a usable one has more; of those without any, all are equal.
 * Arrays by cluster id have `cluster_count` items; what lies beyond has 0. */
struct policy {
	const char *name;          /* "shop/web"; "" for `defaults` */
	const char *const *stages; /* as written, first to last, NULL at the end: for explain */
	/* The order of clusters by its geofence, failover, latency, nearest.  NULL: there is no policy of this number. */
	const struct ranking *ranking;
	bool is_plain; /* the first usable site of that order answers, ties by equal weight, as `defaults` says without
	                * any policy: no field below says otherwise */
	bool must_wait;   /* a fence that must hold has no ranking yet: SERVFAIL until it has */
	bool has_fence;   /* some clusters may be forbidden to some clients (ranking_allows()) */
	bool all;         /* several sites in one answer, in the client's order */
	bool is_capacity; /* ties by the sites' capacity (times weight) */
	bool no_data_when_all_down;       /* else fail open */
	bool resolver_when_unknown;       /* a client without a place is where its resolver is */
	bool has_failback;                /* sites that come back wait: snapshot_site_waits() */
	uint8_t bucket_ipv4, bucket_ipv6; /* bits: 24 and 48 unless sticky says otherwise */
	uint8_t min_ready_percent; /* 0: one ready endpoint is enough; for explain (the layer says it) */
	uint8_t narrowing; /* bits: those stages of the ranking after which `all` leaves only the best */
	uint16_t max_addresses; /* 0: all */
	uint32_t ttl;           /* 0: the records' own */
	uint32_t degraded_ttl;
	size_t cluster_count;
	const uint32_t *weight; /* NULL: all are equal */
	const uint32_t
		*unknown_weight; /* of clients without a place; NULL: ranking's unknown order */
	const bool *expired;     /* unseen for longer than its unseenAfter; NULL: none */
};

#endif
