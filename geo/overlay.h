/* overlay.h -- what rules say of networks, whatever place these are at: fences and latencies.
 *
 * A tree whose values number pairs of the two.  Private to the room.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_OVERLAY_H
#define GEO_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

#include "geo/intern.h"
#include "geo/prefix_tree.h"
#include "geo/stages.h"

struct overlay_value {
	uint32_t latency; /* of the longest network with rows; 0: none has any */
	uint16_t fence;   /* the first that has a network around; STAGES_NO_FENCE: none has */
	uint16_t zero;
};

struct overlay {
	struct prefix_tree *tree;
	struct intern *values; /* struct overlay_value */
};

/* Puts the table's rows into the stages.  The clusters are sorted by name.  The rules are borrowed for the call. */
void overlay_init(struct overlay *o, struct stages *s, const struct ranking_cluster *sorted,
                  size_t cluster_count, const struct rules *rules);
void overlay_fini(struct overlay *o);
size_t overlay_memory(const struct overlay *o);
/* Of a value of the tree, or of PREFIX_NONE. */
struct overlay_value overlay_value(const struct overlay *o, uint32_t value);

#endif
