/* manifests_pool.h -- the two things that manifests.c has done in the thread pool: a look and a scan.
 *
 * Made, queued and freed on the loop's thread; what they work on does not change
 * meanwhile (trees are held by reference).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_MANIFESTS_POOL_H
#define WATCHER_MANIFESTS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "watcher/manifests_cluster.h"

/* At the tops of all DIRs, and at what the links of every tree lead to. */
struct manifests_look {
	uv_work_t work; /* its data is the look */
	void *owner;
	char *const *dirs;
	size_t dir_count;
	size_t count; /* of clusters when it began */
	struct manifests_cluster *
		*clusters; /* to compare with alone: some may have been freed since */
	struct manifests_tree **trees;

	struct manifests_roots *roots; /* what it saw; the caller may take it */
	bool *moved;                   /* of each cluster: a link leads elsewhere than it did */
	uint64_t took_ms;
};

struct manifests_look *manifests_look_new(void *owner, char *const *dirs, size_t dir_count,
                                          struct manifests_cluster *const *clusters, size_t count);
void manifests_look_queue(struct manifests_look *look, uv_loop_t *loop, uv_after_work_cb on_looked);
void manifests_look_free(struct manifests_look *look);

/* The scan of a cluster, one step at a time: queued until it has ended. */
struct manifests_job {
	uv_work_t work; /* its data is the job */
	void *owner;
	char *const *dirs;
	struct manifests_cluster *cluster;
	struct manifests_scan *scan;
	struct manifests_tree *before;
	uint64_t world; /* the owner's count when it began */

	bool ended;
	struct manifests_roots *tops; /* at its end */
};

struct manifests_job *manifests_job_new(void *owner, char *const *dirs, struct manifests_cluster *c,
                                        const struct manifests_scan_settings *settings);
void manifests_job_queue(struct manifests_job *job, uv_loop_t *loop, uv_after_work_cb on_step);
void manifests_job_free(struct manifests_job *job);

#endif
