/* clusters.h -- what is known of each registered cluster.
 *
 * Put together from KubeFedCluster, Nodes, settings and state.  Private to
 * records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_CLUSTERS_H
#define RECORDS_CLUSTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/build.h"
#include "records/facts.h"
#include "records/ladder.h"
#include "records/notes.h"
#include "records/site_names.h"

struct clusters;

struct clusters *clusters_new(void);
void clusters_free(struct clusters *c);

/* The Nodes of that cluster differ: count them again at the next update. */
void clusters_touch_nodes(struct clusters *c, uint16_t id);

/* The shift of before a restart, for as long as what is written cannot be read; before the first update. */
void clusters_restore_shift(struct clusters *c, uint16_t id, const struct ramp *shift);

struct clusters_change {
	bool any;        /* anything that a snapshot shows */
	bool registered; /* which clusters there are, be they registered or named */
	bool ladder;     /* their regions or zones */
};
/* Looks at everything again, and says what changed. */
struct clusters_change clusters_update(struct clusters *c, const struct records_settings *settings,
                                       const struct facts *facts, const struct site_names *named,
                                       struct notes *notes);

/* All registered ones, those that published sites name, and where there are such sites all KubeFedClusters; by name. */
const struct records_cluster *clusters_list(const struct clusters *c, size_t *count);
/* One of them; NULL: it is none. */
const struct records_cluster *clusters_find(const struct clusters *c, struct bytes name);
/* Is it registered? */
bool clusters_has(const struct clusters *c, uint16_t id);
/* The rungs of those that are registered. */
const struct ladder *clusters_ladder(const struct clusters *c);

#endif
