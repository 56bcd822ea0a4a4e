/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_pool.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

/* --- looks --- */

struct manifests_look *manifests_look_new(void *owner, char *const *dirs, size_t dir_count,
                                          struct manifests_cluster *const *clusters, size_t count)
{
	struct manifests_look *look = xcalloc(1, sizeof(*look));

	look->work.data = look;
	look->owner = owner;
	look->dirs = dirs;
	look->dir_count = dir_count;
	look->count = count;
	look->clusters = xmemdup(clusters, count * sizeof(struct manifests_cluster *));
	look->trees = xcalloc(count, sizeof(struct manifests_tree *));
	look->moved = xcalloc(count, sizeof(bool));
	for (size_t i = 0; i < count; i++) {
		look->trees[i] = clusters[i]->tree;
		if (look->trees[i])
			look->trees[i]->refs++;
	}
	return look;
}

static void look_work(uv_work_t *work)
{
	struct manifests_look *look = work->data;
	uint64_t began_ms = clock_monotonic_ms();

	look->roots = manifests_roots_read(look->dirs, look->dir_count, true);
	for (size_t i = 0; i < look->count; i++)
		look->moved[i] = manifests_roots_links_moved(look->trees[i]);
	look->took_ms = clock_monotonic_ms() - began_ms;
}

void manifests_look_queue(struct manifests_look *look, uv_loop_t *loop, uv_after_work_cb on_looked)
{
	CHECK(uv_queue_work(loop, &look->work, look_work, on_looked) == 0);
}

void manifests_look_free(struct manifests_look *look)
{
	for (size_t i = 0; i < look->count; i++)
		manifests_tree_unref(look->trees[i]);
	free(look->trees);
	free(look->clusters);
	free(look->moved);
	manifests_roots_free(look->roots);
	free(look);
}

/* --- scans --- */

struct manifests_job *manifests_job_new(void *owner, char *const *dirs, struct manifests_cluster *c,
                                        const struct manifests_scan_settings *settings)
{
	struct manifests_job *job = xcalloc(1, sizeof(*job));

	job->work.data = job;
	job->owner = owner;
	job->dirs = dirs;
	job->cluster = c;
	job->before = c->tree;
	if (job->before)
		job->before->refs++;
	job->scan = manifests_scan_new(settings, c->wanted, c->dir_count, job->before);
	return job;
}

/* The cluster is freed only after its scan, and its paths with it. */
static void scan_work(uv_work_t *work)
{
	struct manifests_job *job = work->data;

	job->ended = manifests_scan_step(job->scan);
	if (job->ended)
		job->tops = manifests_roots_read(job->dirs, job->cluster->dir_count, false);
}

void manifests_job_queue(struct manifests_job *job, uv_loop_t *loop, uv_after_work_cb on_step)
{
	CHECK(uv_queue_work(loop, &job->work, scan_work, on_step) == 0);
}

void manifests_job_free(struct manifests_job *job)
{
	manifests_scan_free(job->scan);
	manifests_tree_unref(job->before);
	manifests_roots_free(job->tops);
	free(job);
}
