/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "watcher/manifests_cluster.h"
#include "watcher/manifests_dirs.h"
#include "watcher/manifests_names.h"
#include "watcher/manifests_pool.h"
#include "watcher/manifests_watch.h"

/* Look at the tops, scan what has changed, look at the tops once more, apply.  When a look finds
 * other directories at the top than the last one did (a link was swapped above them), all clusters
 * make up a batch that is applied as one change; otherwise each goes its own way. */
enum {
	LOOK_MS = 250,       /* from look to look */
	LOOK_SHARE = 20,     /* a look that takes long is taken less often: 1/20 of the time, */
	LOOK_MOST_MS = 500,  /* but this often at least */
	RESCAN_MS = 5000,    /* in case inotify missed something */
	UNWATCHED_MS = 500,  /* where it cannot watch */
	QUIET_MS = 20,       /* how long to wait for more changes, */
	QUIET_MOST_MS = 200, /* and how long at most */
	REMOVAL_MS = 100,    /* the same after removals, which may be a move or an end of all */
	REMOVAL_MOST_MS = 400,
	RESTLESS_MS = 60,
	RETRY_MS = 10,
	PATIENCE_MS = 500, /* with folders that change under the scan, from the first change on, */
	TRIES_LEAST = 3,   /* and how often to try at least */
	BATCH_MS = 3000,   /* with the slowest cluster of a batch, and with links that move */
	ACTIVE_MOST = 64   /* scans under way at once */
};

struct manifests {
	uv_loop_t *loop;
	struct store *store;
	struct manifests_dirs *dirs;
	uv_timer_t tick, due;
	struct manifests_watch *watch;

	struct manifests_cluster **clusters; /* the host first, then in order of appearance */
	size_t cluster_count;
	struct manifests_names *names;

	struct manifests_roots *roots; /* of the last look; NULL before the first */
	bool looking, look_again;
	uint64_t looked_ms, next_look_ms; /* when the last look ended, and the next may begin */
	uint64_t members_ms;              /* when the names of members changed last */
	uint64_t world;                   /* counts the swaps of tops */
	bool batch;                       /* clusters wait for each other since batch_ms */
	uint64_t batch_ms;

	size_t active; /* scans under way */
	bool is_read;  /* everything has been, once */
	bool told_unwatched;
	unsigned open_handles;
	void (*on_stopped)(void *arg); /* stopping when set */
	void *stopped_arg;
};

static void begin_look(struct manifests *m);
static void start_scans(struct manifests *m);
static void finish_stop(struct manifests *m);

/* --- what is to be scanned, and when --- */

static void mark_dirty(struct manifests_cluster *c, uint64_t wait_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (c->dirty)
		return;
	c->dirty = true;
	c->removals = false;
	c->dirty_ms = now_ms;
	c->due_ms = now_ms + wait_ms;
}

static void on_due(uv_timer_t *timer) { begin_look(timer->data); }

/* So that the next cluster that is due will be looked for; the tick is behind this. */
static void arm_due(struct manifests *m)
{
	uint64_t now_ms = clock_monotonic_ms(), first_ms = now_ms + LOOK_MS;

	for (size_t i = 0; i < m->cluster_count; i++) {
		const struct manifests_cluster *c = m->clusters[i];

		if (c->dirty && !c->scanning && !c->held && c->due_ms < first_ms)
			first_ms = c->due_ms;
	}
	/* With all hands full, the next scan that ends sees to it. */
	if (first_ms == now_ms + LOOK_MS || m->active == ACTIVE_MOST)
		return;
	uv_update_time(m->loop);
	uv_timer_start(&m->due, on_due, first_ms > now_ms ? first_ms - now_ms : 1, 0);
}

/* However many more changes come. */
static uint64_t latest_ms(const struct manifests_cluster *c)
{
	return c->dirty_ms + (c->removals ? REMOVAL_MOST_MS : QUIET_MOST_MS);
}

static void event_for(struct manifests_cluster *c, bool removed)
{
	uint64_t due_ms;

	mark_dirty(c, 0);
	c->removals = c->removals || removed;
	due_ms = clock_monotonic_ms() + (c->removals ? REMOVAL_MS : QUIET_MS);
	if (due_ms < latest_ms(c))
		c->due_ms = due_ms;
	else if (c->due_ms < latest_ms(c))
		c->due_ms = latest_ms(c);
}

static void on_event(void *owner, bool removed, void *arg)
{
	struct manifests *m = arg;

	for (size_t i = 0; i < m->cluster_count; i++) {
		struct manifests_cluster *c = m->clusters[i];

		/* A directory of nobody is one that a scan has just begun to watch. */
		if (owner ? owner == c : c->scanning || c->held)
			event_for(c, removed);
	}
	arm_due(m);
}

static void on_overflow(void *arg)
{
	struct manifests *m = arg;

	for (size_t i = 0; i < m->cluster_count; i++)
		event_for(m->clusters[i], false);
	arm_due(m);
}

/* --- members --- */

static void add_cluster(struct manifests *m, const char *name)
{
	struct manifests_cluster *c = manifests_cluster_new(m->store, name, m->dirs);

	m->clusters = xreallocarray(m->clusters, m->cluster_count + 1,
	                            sizeof(struct manifests_cluster *));
	m->clusters[m->cluster_count++] = c;
	mark_dirty(c, 0);
}

static bool has_cluster(const struct manifests *m, const char *name)
{
	for (size_t i = 0; i < m->cluster_count; i++)
		if (!strcmp(m->clusters[i]->name, name))
			return true;
	return false;
}

static void on_name(const char *name, void *arg)
{
	if (!has_cluster(arg, name))
		add_cluster(arg, name);
}

/* Members that only the state knows: their folders may come back. */
static void add_restored(struct manifests *m)
{
	const struct facts *facts = store_facts(m->store);

	for (uint16_t id = 1; id < facts_cluster_count(facts); id++) {
		const struct cluster_state *state = facts_cluster(facts, id);

		if (state->registered && state->source == CLUSTER_MANIFESTS)
			add_cluster(m, facts_cluster_name(facts, id));
	}
}

/* KubeFedClusters without a folder are members where folders stand in for clusters (decision 0007). */
static void add_registered(struct manifests *m)
{
	bool stand_in = m->cluster_count > 1;

	if (store_host_is_shared(m->store))
		return; /* they are dialled instead */
	for (size_t i = 0; m->roots && i < m->roots->count; i++) {
		int error = m->roots->roots[i].clusters.error;

		stand_in = stand_in || !manifests_is_absent(error);
	}
	if (stand_in)
		manifests_names_each_registered(m->names, on_name, m);
}

/* --- applying --- */

/* Stays true when members come later. */
static void note_read(struct manifests *m)
{
	bool all = m->roots != NULL;

	for (size_t i = 0; i < m->cluster_count; i++)
		all = all && m->clusters[i]->tree;
	m->is_read = m->is_read || all;
	if (all)
		manifests_dirs_keep(m->dirs);
}

static void watch_tree(struct manifests *m, struct manifests_cluster *c,
                       const struct manifests_tree *now)
{
	const struct manifests_list *before = c->tree ? &c->tree->list : NULL;

	manifests_watch_change(m->watch, c, before ? before->watches : NULL,
	                       before ? before->watch_count : 0, now ? now->list.watches : NULL,
	                       now ? now->list.watch_count : 0);
}

static void apply(struct manifests *m, struct manifests_cluster *c, struct manifests_tree *tree)
{
	uint64_t now_ms = clock_monotonic_ms();

	watch_tree(m, c, tree);
	if (c == m->clusters[0])
		manifests_dirs_note(m->dirs, m->roots, tree);
	manifests_cluster_apply(c, tree, m->roots);
	if (c == m->clusters[0])
		add_registered(m);
	if (tree->list.unwatched && manifests_watch_fd(m->watch) >= 0 && !m->told_unwatched) {
		log_warn("watcher",
		         "inotify watches no more directories (see fs.inotify.max_user_watches): "
		         "these are looked at twice a second");
		m->told_unwatched = true;
	}
	c->unsettled_count = 0;
	c->rescan_ms = now_ms + (tree->list.unwatched ? UNWATCHED_MS : RESCAN_MS);
	if (tree->restless)
		mark_dirty(c, RESTLESS_MS);
}

static void drop_cluster(struct manifests *m, size_t at)
{
	struct manifests_cluster *c = m->clusters[at];

	watch_tree(m, c, NULL);
	manifests_cluster_drop(c);
	m->cluster_count--;
	memmove(&m->clusters[at], &m->clusters[at + 1],
	        (m->cluster_count - at) * sizeof(struct manifests_cluster *));
	c->dropped = true;
	if (!c->scanning)
		manifests_cluster_free(c);
}

/* Members that are gone, once it is known what the host says. */
static void judge_members(struct manifests *m, bool at_once)
{
	uint64_t now_ms = clock_monotonic_ms();

	for (size_t i = 1; i < m->cluster_count && m->clusters[0]->tree;) {
		enum manifests_fate fate = manifests_cluster_judge(m->clusters[i], m->roots, now_ms,
		                                                   m->members_ms, at_once);

		if (fate == MANIFESTS_SCAN_AGAIN)
			mark_dirty(m->clusters[i], 0);
		if (fate == MANIFESTS_IS_GONE)
			drop_cluster(m, i);
		else
			i++;
	}
}

/* All that the batch has, in one turn of the loop: the host first, because it says who is gone. */
static void apply_batch(struct manifests *m)
{
	m->batch = false;
	for (size_t i = 0; i < m->cluster_count; i++) {
		struct manifests_cluster *c = m->clusters[i];
		struct manifests_tree *tree = c->held;

		c->held = NULL;
		if (tree)
			apply(m, c, tree);
	}
	judge_members(m, true);
}

static bool batch_is_complete(const struct manifests *m)
{
	for (size_t i = 0; i < m->cluster_count; i++)
		if (!m->clusters[i]->held && (m->clusters[i]->dirty || m->clusters[i]->scanning))
			return false;
	return true;
}

static void begin_batch(struct manifests *m)
{
	uint64_t now_ms = clock_monotonic_ms();

	m->world++;
	if (!m->batch)
		m->batch_ms = now_ms;
	m->batch = true;
	for (size_t i = 0; i < m->cluster_count; i++) {
		struct manifests_cluster *c = m->clusters[i];

		manifests_tree_unref(c->held);
		c->held = NULL;
		mark_dirty(c, 0);
		c->due_ms = now_ms;
	}
}

/* --- scans --- */

static bool has_waited(const struct manifests_cluster *c, uint64_t most_ms)
{
	return c->unsettled_count >= TRIES_LEAST && clock_monotonic_ms() > c->scan_ms + most_ms;
}

static enum manifests_patience patience_with(const struct manifests_cluster *c)
{
	if (has_waited(c, BATCH_MS))
		return MANIFESTS_TAKE_ANY;
	return has_waited(c, PATIENCE_MS) ? MANIFESTS_WAIT_FOR_LINKS : MANIFESTS_WAIT_FOR_ALL;
}

/* The folders changed while they were scanned.  The changes that led to the scan have waited since
 * then; those that came meanwhile must not put it off any further. */
static void scan_again(struct manifests_cluster *c)
{
	c->unsettled_count++;
	mark_dirty(c, RETRY_MS);
	c->dirty_ms = c->scan_ms;
	if (c->due_ms > latest_ms(c))
		c->due_ms = clock_monotonic_ms() + RETRY_MS;
}

static void take_scan(struct manifests *m, struct manifests_cluster *c, struct manifests_job *job)
{
	bool same_world = job->world == m->world && manifests_roots_same_tops(job->tops, m->roots);
	bool settled;
	struct manifests_tree *tree = manifests_scan_take(job->scan, &settled);

	if (!settled || (!same_world && !has_waited(c, BATCH_MS))) {
		/* Directories that only this scan has watched are let go. */
		manifests_watch_change(m->watch, c, tree->list.watches, tree->list.watch_count,
		                       tree->list.watches, tree->list.watch_count);
		manifests_tree_unref(tree);
		scan_again(c);
		begin_look(m);
		return;
	}
	if (m->batch)
		c->held = tree;
	else
		apply(m, c, tree);
}

static void on_scan_worked(uv_work_t *work, int status)
{
	struct manifests_job *job = work->data;
	struct manifests *m = job->owner;
	struct manifests_cluster *c = job->cluster;

	(void)status;
	if (!job->ended && !m->on_stopped && !c->dropped) {
		manifests_job_queue(job, m->loop, on_scan_worked);
		return;
	}
	m->active--;
	c->scanning = false;
	if (!m->on_stopped && !c->dropped)
		take_scan(m, c, job);
	manifests_job_free(job);
	if (c->dropped)
		manifests_cluster_free(c);
	if (m->on_stopped) {
		finish_stop(m);
		return;
	}
	if (m->batch && batch_is_complete(m))
		apply_batch(m);
	note_read(m);
	start_scans(m);
	arm_due(m);
}

static void start_scan(struct manifests *m, struct manifests_cluster *c)
{
	struct manifests_scan_settings settings = {
		.role = c->name[0] == '\0' ? DECODE_HOST : DECODE_MEMBER,
		.inotify = manifests_watch_fd(m->watch),
	};
	struct manifests_job *job;

	c->scan_ms = c->dirty_ms;
	settings.patience = patience_with(c);
	manifests_cluster_prepare(c, m->roots);
	job = manifests_job_new(m, m->dirs->paths, c, &settings);
	job->world = m->world;
	c->scanning = true;
	c->dirty = false;
	m->active++;
	manifests_job_queue(job, m->loop, on_scan_worked);
}

static void start_scans(struct manifests *m)
{
	uint64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < m->cluster_count && m->active < ACTIVE_MOST; i++) {
		struct manifests_cluster *c = m->clusters[i];

		if (c->dirty && !c->scanning && !c->held && c->due_ms <= now_ms)
			start_scan(m, c);
	}
}

/* --- looks --- */

/* Since the look began, clusters may have gone; those that came are behind the others, and yet to be
 * scanned. */
static void mark_moved(struct manifests *m, const struct manifests_look *look)
{
	size_t k = 0;

	for (size_t i = 0; i < m->cluster_count; i++, k++) {
		struct manifests_cluster *c = m->clusters[i];

		while (k < look->count && look->clusters[k] != c)
			k++;
		if (k == look->count)
			return;
		/* Those that are being scanned were looked at too early. */
		if (!c->scanning && !c->held &&
		    (look->moved[k] || m->looked_ms >= c->rescan_ms ||
		     manifests_cluster_has_moved(c, m->roots)))
			mark_dirty(c, 0);
	}
}

static void take_look(struct manifests *m, struct manifests_look *look)
{
	struct manifests_roots *before = m->roots;
	bool swapped = before && !manifests_roots_same_tops(before, look->roots);

	m->roots = look->roots;
	look->roots = NULL;
	if (!before || swapped || !manifests_roots_same_members(before, m->roots))
		m->members_ms = m->looked_ms;
	manifests_roots_free(before);
	mark_moved(m, look);
	manifests_dirs_check(m->dirs, m->roots);
	manifests_names_check(m->names, m->roots, on_name, m);
	if (swapped)
		begin_batch(m);
	if (!m->batch)
		judge_members(m, false);
	else if (m->looked_ms > m->batch_ms + BATCH_MS)
		apply_batch(m);
}

static void on_looked(uv_work_t *work, int status)
{
	struct manifests_look *look = work->data;
	struct manifests *m = look->owner;

	(void)status;
	m->looking = false;
	if (m->on_stopped) {
		manifests_look_free(look);
		finish_stop(m);
		return;
	}
	m->looked_ms = clock_monotonic_ms();
	m->next_look_ms = m->looked_ms + (look->took_ms < LOOK_MOST_MS / LOOK_SHARE
	                                          ? look->took_ms * LOOK_SHARE
	                                          : LOOK_MOST_MS);
	take_look(m, look);
	manifests_look_free(look);
	start_scans(m);
	if (m->look_again)
		begin_look(m);
	else
		arm_due(m);
}

static void begin_look(struct manifests *m)
{
	struct manifests_look *look;

	m->look_again = m->looking;
	if (m->looking)
		return;
	m->looking = true;
	look = manifests_look_new(m, m->dirs->paths, m->dirs->count, m->clusters, m->cluster_count);
	manifests_look_queue(look, m->loop, on_looked);
}

static void on_tick(uv_timer_t *timer)
{
	struct manifests *m = timer->data;

	if (!m->looking && clock_monotonic_ms() >= m->next_look_ms)
		begin_look(m);
}

/* --- life --- */

struct manifests *manifests_start(uv_loop_t *loop, const char *const *dirs, size_t count,
                                  struct store *store)
{
	struct manifests *m = xcalloc(1, sizeof(*m));

	CHECK(count > 0 && count < UINT16_MAX);
	m->loop = loop;
	m->store = store;
	m->dirs = manifests_dirs_new(store, dirs, count);
	m->names = manifests_names_new(store, m->dirs->paths);
	m->watch = manifests_watch_start(loop, on_event, on_overflow, m);
	uv_timer_init(loop, &m->tick);
	uv_timer_init(loop, &m->due);
	m->tick.data = m->due.data = m;
	m->open_handles = 3;
	add_cluster(m, "");
	add_restored(m);
	add_registered(m);
	uv_timer_start(&m->tick, on_tick, LOOK_MS, LOOK_MS);
	begin_look(m);
	return m;
}

bool manifests_is_read(const struct manifests *m) { return m->is_read; }

bool manifests_host_is_whole(const struct manifests *m)
{
	const struct manifests_tree *tree = m->clusters[0]->tree;

	return tree && tree->is_whole;
}

const char *manifests_find(const struct manifests *m, uint16_t cluster, const struct fact *fact,
                           unsigned *line)
{
	for (size_t i = 0; i < m->cluster_count; i++) {
		const struct manifests_object *object =
			m->clusters[i]->id == cluster
				? manifests_claims_find(m->clusters[i]->claims, fact)
				: NULL;

		if (object) {
			if (line)
				*line = object->line;
			return manifests_file_of(object)->path;
		}
	}
	return NULL;
}

/* When the last of handles, scans and looks has ended. */
static void finish_stop(struct manifests *m)
{
	void (*on_stopped)(void *arg) = m->on_stopped;
	void *arg = m->stopped_arg;

	if (m->open_handles > 0 || m->active > 0 || m->looking)
		return;
	for (size_t i = 0; i < m->cluster_count; i++)
		manifests_cluster_free(m->clusters[i]);
	free(m->clusters);
	manifests_names_free(m->names);
	manifests_dirs_free(m->dirs);
	manifests_roots_free(m->roots);
	free(m);
	on_stopped(arg);
}

static void on_part_stopped(void *arg)
{
	struct manifests *m = arg;

	m->open_handles--;
	finish_stop(m);
}

static void on_timer_closed(uv_handle_t *handle) { on_part_stopped(handle->data); }

static void no_one(void *arg) { (void)arg; }

void manifests_stop(struct manifests *m, void (*on_stopped)(void *arg), void *arg)
{
	m->on_stopped = on_stopped ? on_stopped : no_one;
	m->stopped_arg = arg;
	uv_close((uv_handle_t *)&m->tick, on_timer_closed);
	uv_close((uv_handle_t *)&m->due, on_timer_closed);
	manifests_watch_stop(m->watch, on_part_stopped, m);
}
