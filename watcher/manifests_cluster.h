/* manifests_cluster.h -- one cluster that folders stand in for: what is known of it, and when it is gone.
 *
 * For manifests.c, on the loop's thread.  The cluster has up to one folder in
 * every DIR.  A folder that is not there any more is lost (its files stay, the
 * cluster is unseen), unless it was removed while others stayed beside it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_CLUSTER_H
#define WATCHER_MANIFESTS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watcher/manifests_claims.h"
#include "watcher/manifests_dirs.h"
#include "watcher/manifests_roots.h"
#include "watcher/store.h"

struct manifests_cluster {
	struct store *store;
	char *name; /* "" for the host */
	uint16_t id;
	const struct manifests_dirs *dirs;
	struct manifests_wanted *wanted; /* one for every DIR; owns the paths */
	size_t dir_count;
	bool restored;               /* the state may hold facts that no file claims now */
	struct manifests_tree *tree; /* what was applied last; NULL: nothing yet */
	struct manifests_claims *claims;
	uint64_t missing_ms; /* since when it could be gone; 0: it is not */

	/* manifests.c's plan */
	bool dirty;                           /* to be scanned, not before due_ms */
	bool removals;                        /* among the changes that made it dirty */
	uint64_t dirty_ms, due_ms, rescan_ms; /* dirty_ms: since when */
	uint64_t scan_ms;                     /* dirty_ms of what is, or was last, being scanned */
	unsigned unsettled_count;             /* scans in a row that saw changes under them */
	bool scanning;
	bool dropped;                /* to be freed when the scan has ended */
	struct manifests_tree *held; /* scanned, waits for the others of its batch */
};

/* Borrows both. */
struct manifests_cluster *manifests_cluster_new(struct store *store, const char *name,
                                                const struct manifests_dirs *dirs);
void manifests_cluster_free(struct manifests_cluster *c);

/* Fills in what the next scan has to know of each DIR. */
void manifests_cluster_prepare(struct manifests_cluster *c, const struct manifests_roots *roots);
/* Whether its folders are not what they were when they were scanned. */
bool manifests_cluster_has_moved(const struct manifests_cluster *c,
                                 const struct manifests_roots *roots);
/* The scanned tree (taken) becomes what counts: facts, errors, knowledge. */
void manifests_cluster_apply(struct manifests_cluster *c, struct manifests_tree *tree,
                             const struct manifests_roots *roots);

enum manifests_fate { MANIFESTS_STAYS, MANIFESTS_SCAN_AGAIN, MANIFESTS_IS_GONE };
/* Is a member gone?  Not while it has a KubeFedCluster, but where an API server tells of that one. A folder must have been missing for as long as its siblings were at rest, half
 * a second: several are often taken away one after the other. `at_once`: they were swapped as a whole.
 * `members_ms`: when the names in clusters/ changed last. */
enum manifests_fate manifests_cluster_judge(struct manifests_cluster *c,
                                            const struct manifests_roots *roots, uint64_t now_ms,
                                            uint64_t members_ms, bool at_once);
/* Out of the registry, with all facts and errors; or left to its KubeFedCluster, with all facts. */
void manifests_cluster_drop(struct manifests_cluster *c);

#endif
