/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_loader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/geodb.h"
#include "geo/geodb_file.h"

enum { LOOK_MS = 1000 };

struct files {
	struct conf_strings databases;
	char *networks;
	struct geodb_file_stamp *stamps; /* of the databases, then of networks */
};

struct clusters {
	struct ranking_cluster *item;
	size_t count;
	struct conf_strings unknown_order;
};

struct geo_loader {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_work_t work;
	struct geo_loader_events events;
	struct files files;
	struct clusters clusters;
	struct geodb *geodb;   /* in force; NULL: nothing was read yet */
	pthread_mutex_t lock;  /* around the pointer, for geo_loader_find() */
	bool read_files, rank; /* what the next job has to do */
	bool busy, stopping, has_clusters;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
	/* what is to be tried; on_tried NULL: nothing */
	struct {
		struct files files;
		struct conf_strings unknown_order;
		geo_loader_on_tried_fn *on_tried;
		void *arg;
	} trial;
	/* the running job's own copies and results */
	struct {
		struct files files;
		struct clusters clusters;
		const struct geodb *before;
		bool read_files, rank, is_trial;
		bool failed;         /* some file could not be read */
		struct geodb *geodb; /* NULL: nothing has changed, or it is not to be used */
		char *errors;
		const struct ranking *ranking; /* NULL: the last one holds */
	} job;
};

static struct conf_strings strings_copy(const struct conf_strings *from)
{
	struct conf_strings to = {.item = xcalloc(from->count + 1, sizeof *to.item),
	                          .count = from->count};

	for (size_t i = 0; i < from->count; i++)
		to.item[i] = xstrdup(from->item[i]);
	return to;
}

static void strings_free(struct conf_strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->item[i]);
	free(s->item);
	*s = (struct conf_strings){0};
}

static void files_free(struct files *f)
{
	strings_free(&f->databases);
	free(f->networks);
	free(f->stamps);
	*f = (struct files){0};
}

static void clusters_free(struct clusters *c)
{
	for (size_t i = 0; i < c->count; i++)
		free((char *)(uintptr_t)c->item[i].name);
	free(c->item);
	strings_free(&c->unknown_order);
	*c = (struct clusters){0};
}

static struct clusters clusters_copy(const struct ranking_cluster *item, size_t count,
                                     const struct conf_strings *unknown_order)
{
	struct clusters c = {.item = xcalloc(count + 1, sizeof *c.item), .count = count};

	for (size_t i = 0; i < count; i++) {
		c.item[i] = item[i];
		c.item[i].name = xstrdup(item[i].name);
	}
	c.unknown_order = strings_copy(unknown_order);
	return c;
}

/* Has any file another stamp than last time?  Remembers the new ones. */
static bool files_changed(struct files *f)
{
	bool changed = false;

	for (size_t i = 0; i < f->databases.count + (f->networks != NULL); i++) {
		struct geodb_file_stamp now = geodb_file_stamp(
			i < f->databases.count ? f->databases.item[i] : f->networks);

		changed |= !geodb_file_same(&now, &f->stamps[i]);
		f->stamps[i] = now;
	}
	return changed;
}

static struct files files_of(const struct conf_strings *databases, const char *networks)
{
	return (struct files){
		.databases = strings_copy(databases),
		.networks = networks != NULL ? xstrdup(networks) : NULL,
		.stamps = xcalloc(databases->count + 1, sizeof(struct geodb_file_stamp)),
	};
}

static bool clusters_same(const struct clusters *a, const struct clusters *b)
{
	if (a->count != b->count || !conf_strings_equal(&a->unknown_order, &b->unknown_order))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct ranking_cluster *one = &a->item[i], *other = &b->item[i];

		if (one->id != other->id || strcmp(one->name, other->name) != 0 ||
		    one->has_place != other->has_place || !place_equal(&one->place, &other->place))
			return false;
	}
	return true;
}

/* What can be read counts; of the rest what was read before.  A trial is whole or nothing. */
static void read_files(struct geo_loader *g)
{
	const struct files *f = &g->job.files;
	struct geodb *fresh;

	g->job.failed = geodb_open((const char *const *)f->databases.item, f->databases.count,
	                           f->networks, g->job.before, &fresh, &g->job.errors) != ERR_OK;
	if ((g->job.is_trial && g->job.failed) ||
	    (g->job.before != NULL && geodb_is_same(fresh, g->job.before)))
		geodb_free(fresh);
	else
		g->job.geodb = fresh;
}

/* Pool thread: only g->job is touched. */
static void work(uv_work_t *w)
{
	struct geo_loader *g = w->data;
	const struct clusters *c = &g->job.clusters;

	if (g->job.read_files)
		read_files(g);
	if (g->job.is_trial && g->job.failed)
		return;
	if (g->job.rank || g->job.geodb != NULL)
		g->job.ranking =
			ranking_build(c->item, c->count, (const char *const *)c->unknown_order.item,
		                      c->unknown_order.count,
		                      g->job.geodb != NULL ? g->job.geodb : g->job.before);
}

static void begin(struct geo_loader *g);

static void on_timer_closed(uv_handle_t *handle)
{
	struct geo_loader *g = handle->data;

	files_free(&g->files);
	files_free(&g->trial.files);
	strings_free(&g->trial.unknown_order);
	clusters_free(&g->clusters);
	geodb_free(g->geodb);
	pthread_mutex_destroy(&g->lock);
	g->on_stopped(g->stopped_arg);
	free(g);
}

static void end(struct geo_loader *g) { uv_close((uv_handle_t *)&g->timer, on_timer_closed); }

static void replace_geodb(struct geo_loader *g, struct geodb *fresh)
{
	struct geodb *old = g->geodb;

	pthread_mutex_lock(&g->lock);
	g->geodb = fresh;
	pthread_mutex_unlock(&g->lock);
	geodb_free(old);
}

/* Puts in force what the job made. */
static void take_up(struct geo_loader *g)
{
	if (g->job.geodb != NULL)
		replace_geodb(g, g->job.geodb);
	if (g->job.read_files)
		g->events.on_errors(g->job.failed ? g->job.errors : NULL, g->events.arg);
	if (g->job.ranking != NULL)
		g->events.on_rankings(g->job.ranking, NULL, 0, g->events.arg);
}

/* The files of the job become those that are looked at. */
static void adopt_trial(struct geo_loader *g)
{
	files_free(&g->files);
	g->files = g->job.files;
	g->job.files = (struct files){0};
	strings_free(&g->clusters.unknown_order);
	g->clusters.unknown_order = strings_copy(&g->job.clusters.unknown_order);
	take_up(g);
}

static void drop(struct geo_loader *g)
{
	geodb_free(g->job.geodb);
	ranking_free((struct ranking *)(uintptr_t)g->job.ranking);
}

static void end_trial(struct geo_loader *g)
{
	geo_loader_on_tried_fn *on_tried = g->trial.on_tried;

	g->trial.on_tried = NULL;
	if (!g->job.failed)
		adopt_trial(g);
	on_tried(g->job.failed ? g->job.errors : NULL, g->trial.arg);
}

static void after_work(uv_work_t *w, int status)
{
	struct geo_loader *g = w->data;

	CHECK(status == 0);
	if (g->stopping)
		drop(g);
	else if (g->job.is_trial)
		end_trial(g);
	else
		take_up(g);
	free(g->job.errors);
	files_free(&g->job.files);
	clusters_free(&g->job.clusters);
	g->busy = false;
	if (g->stopping)
		end(g);
	else
		begin(g);
}

static void prepare_trial(struct geo_loader *g)
{
	g->job.is_trial = g->job.read_files = true;
	g->job.files = g->trial.files;
	g->trial.files = (struct files){0};
	(void)files_changed(&g->job.files);
	g->job.clusters =
		clusters_copy(g->clusters.item, g->clusters.count, &g->trial.unknown_order);
	g->job.rank = !conf_strings_equal(&g->trial.unknown_order, &g->clusters.unknown_order);
	strings_free(&g->trial.unknown_order);
}

static void prepare(struct geo_loader *g)
{
	g->job.files = files_of(&g->files.databases, g->files.networks);
	g->job.clusters =
		clusters_copy(g->clusters.item, g->clusters.count, &g->clusters.unknown_order);
	g->job.read_files = g->read_files;
	g->job.rank = g->rank;
	g->read_files = g->rank = false;
}

static void begin(struct geo_loader *g)
{
	bool has_trial = g->trial.on_tried != NULL;

	if (g->busy || !g->has_clusters || (!has_trial && !g->read_files && !g->rank))
		return;
	memset(&g->job, 0, sizeof g->job);
	if (has_trial)
		prepare_trial(g);
	else
		prepare(g);
	g->job.before = g->geodb;
	g->busy = true;
	g->work.data = g;
	CHECK(uv_queue_work(g->loop, &g->work, work, after_work) == 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct geo_loader *g = timer->data;

	if (files_changed(&g->files))
		g->read_files = true;
	begin(g);
}

struct geo_loader *geo_loader_start(uv_loop_t *loop, const struct geo_loader_events *events)
{
	struct geo_loader *g = xcalloc(1, sizeof *g);

	g->loop = loop;
	g->events = *events;
	CHECK(pthread_mutex_init(&g->lock, NULL) == 0);
	g->timer.data = g;
	CHECK(uv_timer_init(loop, &g->timer) == 0);
	CHECK(uv_timer_start(&g->timer, on_timer, LOOK_MS, LOOK_MS) == 0);
	return g;
}

void geo_loader_set_files(struct geo_loader *g, const struct conf_strings *databases,
                          const char *networks)
{
	files_free(&g->files);
	g->files = files_of(databases, networks);
	(void)files_changed(&g->files);
	g->read_files = true;
	begin(g);
}

void geo_loader_try(struct geo_loader *g, const struct conf_strings *databases,
                    const char *networks, const struct conf_strings *unknown_order,
                    geo_loader_on_tried_fn *on_tried, void *arg)
{
	CHECK(g->trial.on_tried == NULL);
	g->trial.files = files_of(databases, networks);
	g->trial.unknown_order = strings_copy(unknown_order);
	g->trial.on_tried = on_tried;
	g->trial.arg = arg;
	begin(g);
}

void geo_loader_set_clusters(struct geo_loader *g, const struct ranking_cluster *clusters,
                             size_t count, const struct conf_strings *unknown_order)
{
	struct clusters fresh = clusters_copy(clusters, count, unknown_order);

	g->rank |= !g->has_clusters || !clusters_same(&g->clusters, &fresh);
	clusters_free(&g->clusters);
	g->clusters = fresh;
	g->has_clusters = true;
	begin(g);
}

bool geo_loader_is_current(const struct geo_loader *g)
{
	return !g->busy && !g->rank && !g->read_files;
}

void geo_loader_find(struct geo_loader *g, const struct addr *addr, struct geo_loader_match *out)
{
	struct geodb_match match;

	*out = (struct geo_loader_match){0};
	pthread_mutex_lock(&g->lock);
	if (g->geodb != NULL) {
		match = geodb_find(g->geodb, addr);
		out->network = match.network;
		out->has_place = match.place != NULL;
		if (match.place != NULL)
			out->place = *match.place;
		if (match.database != NULL)
			snprintf(out->database, sizeof out->database, "%s", match.database);
	}
	pthread_mutex_unlock(&g->lock);
}

void geo_loader_stop(struct geo_loader *g, void (*on_stopped)(void *arg), void *arg)
{
	g->stopping = true;
	g->on_stopped = on_stopped;
	g->stopped_arg = arg;
	if (!g->busy)
		end(g);
}
