/* frozen.h -- what zones and snapshots look like inside the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_FROZEN_H
#define ZONES_FROZEN_H

#include "zones/part.h"
#include "zones/snapshot.h"
#include "zones/tree.h"
#include "zones/zone_index.h"

struct clusters {
	struct part part;
	struct snapshot_cluster *item; /* by name */
	size_t count;
	const struct snapshot_cluster **by_id; /* `ids` of them */
	size_t ids;
	bool any_troubled; /* one is drained or expired */
	bool any_unseen;
	bool any_shifted; /* `withheld` or `ttl_most` of one says something */
};

struct policies {
	struct part part;
	struct policy *item; /* by number */
	size_t count;
	bool any_expired;
};

struct waiting {
	struct part part;
	bool *waits; /* by hold */
	size_t count;
	bool any;
};

struct probes {
	struct part part;
	size_t count;
	const uint64_t *at_ms;
	const uint64_t *down; /* bits */
	bool any_down;
};

struct votes {
	struct part part;
	struct snapshot_votes is;
};

struct report {
	struct part part;
	struct snapshot_report is;
};

struct ranked {
	struct part part;
	const struct ranking *ranking;
};

struct carried {
	struct part part;
	const struct terms *terms;
	void (*on_free)(const struct terms *terms);
};

struct snapshot {
	struct snapshot_head head; /* first: see snapshot_head() */
	const uint8_t *base;
	size_t zone_count;
	struct clusters *clusters;
	struct probes *probes;
	struct report *report;
	struct votes *votes;
	struct ranked *ranked;
	struct policies *policies;
	struct waiting *waiting;
	struct carried *carried;
	struct zones *home;          /* the writer's, as all below */
	struct tree_garbage garbage; /* what the next one does not have any more */
};

#endif
