/* frozen.h -- what zones and snapshots look like inside the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_FROZEN_H
#define ZONES_FROZEN_H

#include "zones/denial.h"
#include "zones/part.h"
#include "zones/snapshot.h"
#include "zones/tree.h"
#include "zones/zone_index.h"

struct zone {
	unsigned users;      /* snapshots; the writer's */
	uint32_t root;       /* link of its tree */
	const uint8_t *base; /* of the slab */
	const struct name_key *key;
	const struct node *apex;
	const struct rrset *soa;
	uint32_t serial;
	uint32_t negative_ttl;
	uint64_t apex_hash;
	size_t names;
	uint8_t apex_labels;
	bool incomplete; /* it has a file, of which nothing good was ever read */
	uint8_t apex_wire[NAME_MAX_LEN + 1];
	struct denial denial;
};

struct clusters {
	struct part part;
	struct snapshot_cluster *item; /* by name */
	size_t count;
	const struct snapshot_cluster **by_id; /* `ids` of them */
	size_t ids;
	bool any_troubled; /* one is drained or expired */
	bool any_unseen;
};

struct probes {
	struct part part;
	size_t count;
	const uint64_t *at_ms;
	const uint64_t *down; /* bits */
	bool any_down;
};

struct report {
	struct part part;
	struct snapshot_report is;
};

struct ranked {
	struct part part;
	struct ranking *ranking;
};

struct carried {
	struct part part;
	const struct terms *terms;
	void (*on_free)(const struct terms *terms);
};

struct snapshot {
	struct snapshot_head head; /* first: see snapshot_head() */
	const uint8_t *base;
	struct zone_index *apexes;
	struct zone **zone; /* by name, zone_count of them */
	size_t zone_count;
	struct clusters *clusters;
	struct probes *probes;
	struct report *report;
	struct ranked *ranked;
	struct carried *carried;
	struct zones *home;          /* the writer's, as all below */
	struct tree_garbage garbage; /* what the next one does not have any more */
};

#endif
