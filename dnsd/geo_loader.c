/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_loader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "dnsd/geo_inputs.h"
#include "dnsd/geo_latency.h"
#include "dnsd/geo_rankings.h"
#include "dnsd/geo_rules.h"
#include "geo/geodb.h"
#include "geo/geodb_file.h"

enum { LOOK_MS = 1000 };

struct geo_loader {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_work_t work;
	struct geo_loader_events events;
	struct geo_files files;
	struct geo_clusters clusters;
	struct geo_rules_list *rules, *next_rules; /* in force; set, or NULL */
	/* in force; NULL: nothing was read, nothing was made yet */
	struct geodb *geodb;
	struct geo_latency *latency;
	struct geo_rankings *rankings;
	pthread_mutex_t lock; /* around the geodb's pointer, for geo_loader_find() */
	/* what the next job has to do */
	bool read_files, new_clusters, new_rules;
	bool busy, stopping, has_clusters;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
	/* what is to be tried; on_tried NULL: nothing */
	struct {
		struct geo_files files;
		struct conf_strings unknown_order;
		geo_loader_on_tried_fn *on_tried;
		void *arg;
	} trial;
	/* the running job's own copies and results */
	struct {
		struct geo_files files;
		struct geo_clusters clusters;
		struct geo_rules_list *rules;
		const struct geodb *geodb_before;
		const struct geo_latency *latency_before;
		const struct geo_rankings *rankings_before;
		bool read_files, new_clusters, new_rules, is_trial;
		bool failed;         /* some file could not be read */
		struct geodb *geodb; /* NULL: nothing has changed, or it is not to be used */
		struct geo_latency *latency;
		bool new_latency; /* `latency` is in the place of the one before, even NULL */
		char *errors;
		struct geo_rankings *rankings; /* NULL: the last ones hold */
	} job;
};

/* What can be read counts; of the rest what was read before.  A trial is whole or nothing. */
static void read_places(struct geo_loader *g)
{
	const struct geo_files *f = &g->job.files;
	struct geodb *fresh;

	g->job.failed =
		geodb_open((const char *const *)f->databases.item, f->databases.count, f->networks,
	                   g->job.geodb_before, &fresh, &g->job.errors) != ERR_OK;
	if ((g->job.is_trial && g->job.failed) ||
	    (g->job.geodb_before != NULL && geodb_is_same(fresh, g->job.geodb_before)))
		geodb_free(fresh);
	else
		g->job.geodb = fresh;
}

static void add_error(struct geo_loader *g, const char *line)
{
	struct text lines = {0};

	text_printf(&lines, "%s%s\n", g->job.errors != NULL ? g->job.errors : "", line);
	free(g->job.errors);
	g->job.errors = text_take(&lines);
	text_fini(&lines);
	g->job.failed = true;
}

/* The same of the table. */
static void read_latency(struct geo_loader *g)
{
	const char *path = g->job.files.latency;
	const struct geo_latency *before = g->job.latency_before;
	bool same_path = before != NULL && path != NULL && strcmp(before->path, path) == 0;
	struct geodb_file_stamp now;
	struct reason why = {{0}};

	g->job.new_latency = before != NULL && !same_path;
	if (path == NULL)
		return;
	now = geodb_file_stamp(path);
	if (same_path && geodb_file_same(&now, &before->stamp))
		return;
	if (geo_latency_read(path, &g->job.latency, &why) == ERR_OK)
		g->job.new_latency = true;
	else
		add_error(g, why.text);
}

static void make_rankings(struct geo_loader *g)
{
	const struct geo_clusters *c = &g->job.clusters;
	const struct geo_latency *latency =
		g->job.new_latency ? g->job.latency : g->job.latency_before;
	struct geo_rankings_inputs in = {
		.clusters = c->item,
		.cluster_count = c->count,
		.unknown_order = (const char *const *)c->unknown_order.item,
		.unknown_count = c->unknown_order.count,
		.geodb = g->job.geodb != NULL ? g->job.geodb : g->job.geodb_before,
		.latency = latency != NULL ? &latency->table : NULL,
		.rules = g->job.rules,
		.before = g->job.rankings_before,
		.same_world = !g->job.new_clusters && g->job.geodb == NULL,
		.same_latency = !g->job.new_latency,
	};

	g->job.rankings = geo_rankings_build(&in);
	g->job.rules = NULL;
}

/* Pool thread: only g->job is touched. */
static void work(uv_work_t *w)
{
	struct geo_loader *g = w->data;

	if (g->job.read_files) {
		read_places(g);
		read_latency(g);
	}
	if (g->job.is_trial && g->job.failed)
		return;
	if (g->job.new_clusters || g->job.new_rules || g->job.geodb != NULL || g->job.new_latency)
		make_rankings(g);
}

static void begin(struct geo_loader *g);

static void on_timer_closed(uv_handle_t *handle)
{
	struct geo_loader *g = handle->data;

	geo_files_free(&g->files);
	geo_files_free(&g->trial.files);
	conf_strings_fini(&g->trial.unknown_order);
	geo_clusters_free(&g->clusters);
	geo_rules_list_unref(g->rules);
	geo_rules_list_unref(g->next_rules);
	geo_rankings_free(g->rankings);
	geo_latency_free(g->latency);
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

static void tell_rankings(const struct geo_loader *g)
{
	const struct geo_rules_list *rules = g->rankings->rules;
	struct geo_loader_ranked *ranked = xcalloc(rules->wish_count + 1, sizeof *ranked);

	for (size_t i = 0; i < rules->wish_count; i++) {
		ranked[i].tag = rules->wishes[i].tag;
		if (rules->wishes[i].which < GEO_LOADER_MAX_RULES)
			ranked[i].ranking = g->rankings->by_rules[rules->wishes[i].which];
	}
	g->events.on_rankings(g->rankings->plain, ranked, rules->wish_count, g->events.arg);
	free(ranked);
}

/* Puts in force what the job made. */
static void take_up(struct geo_loader *g)
{
	if (g->job.geodb != NULL)
		replace_geodb(g, g->job.geodb);
	if (g->job.new_latency) {
		geo_latency_free(g->latency);
		g->latency = g->job.latency;
	}
	if (g->job.read_files)
		g->events.on_errors(g->job.failed ? g->job.errors : NULL, g->events.arg);
	if (g->job.rankings == NULL)
		return;
	geo_rankings_free(g->rankings);
	g->rankings = g->job.rankings;
	tell_rankings(g);
}

/* The files of the job become those that are looked at. */
static void adopt_trial(struct geo_loader *g)
{
	geo_files_free(&g->files);
	g->files = g->job.files;
	g->job.files = (struct geo_files){0};
	conf_strings_fini(&g->clusters.unknown_order);
	g->clusters.unknown_order = geo_strings_copy(&g->job.clusters.unknown_order);
	take_up(g);
}

static void drop(struct geo_loader *g)
{
	geodb_free(g->job.geodb);
	geo_latency_free(g->job.latency);
	geo_rankings_free(g->job.rankings);
}

static void end_trial(struct geo_loader *g)
{
	geo_loader_on_tried_fn *on_tried = g->trial.on_tried;

	g->trial.on_tried = NULL;
	if (!g->job.failed)
		adopt_trial(g);
	else
		drop(g);
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
	geo_files_free(&g->job.files);
	geo_clusters_free(&g->job.clusters);
	geo_rules_list_unref(g->job.rules);
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
	g->trial.files = (struct geo_files){0};
	(void)geo_files_changed(&g->job.files);
	g->job.clusters =
		geo_clusters_copy(g->clusters.item, g->clusters.count, &g->trial.unknown_order);
	/* What waits for the next job counts in this one, and there again. */
	g->job.new_rules = g->new_rules;
	g->job.new_clusters = g->new_clusters || !conf_strings_equal(&g->trial.unknown_order,
	                                                             &g->clusters.unknown_order);
	conf_strings_fini(&g->trial.unknown_order);
}

static void prepare(struct geo_loader *g)
{
	const struct geo_loader_files files = {&g->files.databases, g->files.networks,
	                                       g->files.latency};

	g->job.files = geo_files_of(&files);
	g->job.clusters =
		geo_clusters_copy(g->clusters.item, g->clusters.count, &g->clusters.unknown_order);
	g->job.read_files = g->read_files;
	g->job.new_clusters = g->new_clusters;
	g->job.new_rules = g->new_rules;
	g->read_files = g->new_clusters = g->new_rules = false;
}

static void begin(struct geo_loader *g)
{
	bool has_trial = g->trial.on_tried != NULL;

	if (g->busy || !g->has_clusters ||
	    (!has_trial && !g->read_files && !g->new_clusters && !g->new_rules))
		return;
	memset(&g->job, 0, sizeof g->job);
	if (has_trial)
		prepare_trial(g);
	else
		prepare(g);
	g->job.rules = geo_rules_list_ref(g->rules);
	g->job.geodb_before = g->geodb;
	g->job.latency_before = g->latency;
	g->job.rankings_before = g->rankings;
	g->busy = true;
	g->work.data = g;
	CHECK(uv_queue_work(g->loop, &g->work, work, after_work) == 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct geo_loader *g = timer->data;

	if (geo_files_changed(&g->files))
		g->read_files = true;
	begin(g);
}

struct geo_loader *geo_loader_start(uv_loop_t *loop, const struct geo_loader_events *events)
{
	struct geo_loader *g = xcalloc(1, sizeof *g);

	g->loop = loop;
	g->events = *events;
	g->rules = geo_rules_list_new(NULL, 0, 0);
	CHECK(pthread_mutex_init(&g->lock, NULL) == 0);
	g->timer.data = g;
	CHECK(uv_timer_init(loop, &g->timer) == 0);
	CHECK(uv_timer_start(&g->timer, on_timer, LOOK_MS, LOOK_MS) == 0);
	return g;
}

void geo_loader_set_files(struct geo_loader *g, const struct geo_loader_files *files)
{
	geo_files_free(&g->files);
	g->files = geo_files_of(files);
	(void)geo_files_changed(&g->files);
	g->read_files = true;
	begin(g);
}

void geo_loader_try(struct geo_loader *g, const struct geo_loader_files *files,
                    const struct conf_strings *unknown_order, geo_loader_on_tried_fn *on_tried,
                    void *arg)
{
	CHECK(g->trial.on_tried == NULL);
	g->trial.files = geo_files_of(files);
	g->trial.unknown_order = geo_strings_copy(unknown_order);
	g->trial.on_tried = on_tried;
	g->trial.arg = arg;
	begin(g);
}

void geo_loader_set_rules(struct geo_loader *g, const struct geo_loader_rules *list, size_t count,
                          size_t cluster_count)
{
	geo_rules_list_unref(g->next_rules);
	g->next_rules = geo_rules_list_new(list, count, cluster_count);
}

static void take_rules(struct geo_loader *g)
{
	if (g->next_rules == NULL)
		return;
	g->new_rules |= !geo_rules_list_equal(g->rules, g->next_rules);
	geo_rules_list_unref(g->rules);
	g->rules = g->next_rules;
	g->next_rules = NULL;
}

void geo_loader_set_clusters(struct geo_loader *g, const struct ranking_cluster *clusters,
                             size_t count, const struct conf_strings *unknown_order)
{
	struct geo_clusters fresh = geo_clusters_copy(clusters, count, unknown_order);

	take_rules(g);
	CHECK(g->rules->wish_count == 0 || g->rules->cluster_count == count);
	g->new_clusters |= !g->has_clusters || !geo_clusters_same(&g->clusters, &fresh);
	geo_clusters_free(&g->clusters);
	g->clusters = fresh;
	g->has_clusters = true;
	begin(g);
}

bool geo_loader_is_current(const struct geo_loader *g)
{
	return !g->busy && !g->new_clusters && !g->new_rules && !g->read_files;
}

bool geo_loader_is_whole(const struct geo_loader *g)
{
	size_t wanted = g->files.databases.count + (g->files.networks != NULL);

	return g->geodb != NULL && geodb_file_count(g->geodb) == wanted;
}

bool geo_loader_tells_areas(const struct geo_loader *g)
{
	return g->geodb != NULL && geodb_area_count(g->geodb) > 1;
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
		out->area = *match.area;
		out->accuracy_km = match.accuracy_km;
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
