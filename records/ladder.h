/* ladder.h -- the regions and zones that clusters are in, each with its clusters.
 *
 * Private to records; pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_LADDER_H
#define RECORDS_LADDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "records/build.h"
#include "records/notes.h"

/* One rung of KubeFed's ladder: the clusters of a region, or of a zone of a region. */
struct ladder_rung {
	struct bytes label;      /* as the first cluster by name writes it */
	const uint16_t *members; /* positions in the list of clusters, ascending */
	size_t member_count;
	size_t region; /* of a zone: number of its region */
};

struct ladder {
	struct ladder_rung *regions, *zones;
	size_t region_count, zone_count;
};

/* Labels are compared without case; those that are no labels are left out and noted. */
struct ladder ladder_build(struct arena *a, const struct records_cluster *clusters, size_t count,
                           struct notes *notes);

#endif
