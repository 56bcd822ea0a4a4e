/* standing.h -- which clusters replicas are planned for: those that are up, once that has lasted.
 *
 * KubeFed planned 20 s after a cluster came and 60 s after it went (availableDelay, unavailableDelay), but at once
 * when anything else happened meanwhile; here a cluster counts as before until then.  Pure; time is a parameter.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_STANDING_H
#define PROPAGATOR_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STANDING_PATIENCE_MS = 15000
}; /* so long nothing is planned without a new cluster that is not up yet */

/* Zeroed: never seen. */
struct standing {
	bool counts;
	bool is_decided;   /* false: wait before planning */
	uint64_t first_ms; /* when it was seen first */
	uint64_t since_ms; /* since when it is not as it counts; 0: it is */
};

struct standing_delays {
	uint64_t available_ms, unavailable_ms;
};

/* It is up, or not, at now_ms (> 0).  True: what counts, or that it is decided, is other than before. */
bool standing_heed(struct standing *s, bool is_up, const struct standing_delays *delays,
                   uint64_t now_ms);

/* Those of many clusters.  Zeroed: of none. */
struct standing_list {
	struct standing_entry {
		char *cluster;
		bool is_kept;
		struct standing standing;
	} * entry; /* in the order of their clusters */
	size_t count;
};

/* NULL: never seen.  Good until another one is kept or dropped. */
struct standing *standing_find(const struct standing_list *l, const char *cluster);
/* The same, or a new one, which standing_drop() leaves there. */
struct standing *standing_keep(struct standing_list *l, const char *cluster);
/* Those that were not kept since it was called last go; false: there were none. */
bool standing_drop(struct standing_list *l);
void standing_fini(struct standing_list *l);

#endif
