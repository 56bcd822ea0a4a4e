/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/sources.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "dnsd/wiring.h"
#include "watcher/fleet.h"
#include "watcher/manifests.h"

struct sources {
	uv_loop_t *loop;
	const struct config *config;
	struct facts *facts;
	struct store *store;
	struct manifests *manifests; /* NULL: no directory is configured */
	bool manifests_end;          /* it is being stopped */
	struct fleet *fleet;         /* API servers; NULL: being stopped */
	bool fleet_ends, no_plugins;
	unsigned still_open; /* of what sources_stop() waits for */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

static bool has_api_host(const struct config *c)
{
	return c->kubernetes.kubeconfig != NULL || c->kubernetes.in_cluster;
}

static void closed_one(struct sources *s)
{
	void (*on_stopped)(void *arg) = s->on_stopped;
	void *arg = s->stopped_arg;

	if (--s->still_open > 0)
		return;
	free(s);
	on_stopped(arg);
}

/* --- manifest directories --- */

struct gathered {
	const struct fact **fact;
	size_t count, room;
};

static void gather_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct gathered *g = arg;

	(void)cluster;
	if (fact_created(fact) == FACT_CONFIG_TIME)
		return;
	if (g->count == g->room) {
		g->room = g->room * 2 + 64;
		g->fact = xreallocarray(g->fact, g->room, sizeof(const struct fact *));
	}
	g->fact[g->count++] = fact_ref(fact);
}

/* No directory is configured any more: what they told is gone from the registry.  What becomes of the host's objects,
 * an API server's next list says, if there is one. */
static void drop_manifests(struct sources *s)
{
	struct gathered g = {0};

	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(s->facts); id++) {
		const struct cluster_state *state = facts_cluster(s->facts, id);

		if (state->registered && state->source == CLUSTER_MANIFESTS)
			store_drop_cluster(s->store, id);
	}
	if (!has_api_host(s->config))
		facts_each(s->facts, FACTS_HOST, 0, gather_fact, &g);
	for (size_t i = 0; i < g.count; i++) {
		store_remove(s->store, FACTS_HOST, fact_get_kind(g.fact[i]),
		             fact_namespace(g.fact[i]), fact_name(g.fact[i]));
		fact_unref(g.fact[i]);
	}
	free(g.fact);
	store_set_known_dirs(s->store, (struct bytes){0});
}

static void begin_manifests(struct sources *s)
{
	const struct conf_strings *dirs = &s->config->manifests;

	store_share_host(s->store, has_api_host(s->config));
	if (dirs->count > 0)
		s->manifests = manifests_start(s->loop, (const char *const *)dirs->item,
		                               dirs->count, s->store);
	else
		drop_manifests(s);
}

/* Of a reload, or of one that the end has overtaken. */
static void on_manifests_stopped(void *arg)
{
	struct sources *s = arg;

	s->manifests = NULL;
	s->manifests_end = false;
	if (s->on_stopped != NULL)
		closed_one(s);
	else
		begin_manifests(s);
}

static void stop_manifests(struct sources *s)
{
	if (s->manifests_end)
		return;
	s->manifests_end = true;
	manifests_stop(s->manifests, on_manifests_stopped, s);
}

static void change_manifests(struct sources *s)
{
	if (s->manifests != NULL)
		stop_manifests(s);
	else
		begin_manifests(s);
}

/* An object of the host that a file has, or may have: not all of them are read. */
static bool is_in_a_file(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct sources *s = arg;

	if (s->manifests == NULL)
		return s->config->manifests.count > 0;
	return !manifests_host_is_whole(s->manifests) ||
	       manifests_find(s->manifests, cluster, fact, NULL) != NULL;
}

/* --- API servers --- */

static void on_fleet_stopped(void *arg)
{
	struct sources *s = arg;

	s->fleet_ends = false;
	if (s->on_stopped != NULL)
		closed_one(s);
	else
		s->fleet = wiring_start_fleet(s->loop, s->config, s->store, s->no_plugins);
}

static void stop_fleet(struct sources *s)
{
	struct fleet *fleet = s->fleet;

	if (s->fleet_ends)
		return;
	s->fleet = NULL;
	s->fleet_ends = true;
	fleet_stop(fleet, on_fleet_stopped, s);
}

/* --- life --- */

struct sources *sources_start(uv_loop_t *loop, const struct config *config, struct facts *facts,
                              struct store *store)
{
	struct sources *s = xcalloc(1, sizeof *s);

	s->loop = loop;
	s->config = config;
	s->facts = facts;
	s->store = store;
	store_set_other_source(store, is_in_a_file, s);
	begin_manifests(s);
	s->fleet = wiring_start_fleet(loop, config, store, false);
	return s;
}

void sources_reload(struct sources *s, const struct config *config)
{
	bool same_dirs = conf_strings_equal(&s->config->manifests, &config->manifests);
	bool same_clusters = config_same_clusters(s->config, config);
	bool same_host = has_api_host(s->config) == has_api_host(config);

	s->config = config;
	if (!same_dirs || !same_host)
		change_manifests(s);
	if (!same_clusters)
		stop_fleet(s);
}

void sources_stop(struct sources *s, void (*on_stopped)(void *arg), void *arg)
{
	s->on_stopped = on_stopped;
	s->stopped_arg = arg;
	s->still_open = 1U + (s->manifests != NULL);
	store_set_other_source(s->store, NULL, NULL);
	if (s->manifests != NULL)
		stop_manifests(s);
	stop_fleet(s);
}

bool sources_manifests_are_read(const struct sources *s, bool restored)
{
	return s->config->manifests.count == 0 ||
	       (s->manifests != NULL && (restored || manifests_is_read(s->manifests)));
}

bool sources_run_plugins(const struct sources *s)
{
	return s->fleet != NULL && fleet_runs_plugins(s->fleet);
}

void sources_forbid_plugins(struct sources *s)
{
	s->no_plugins = true;
	if (s->fleet != NULL)
		fleet_forbid_plugins(s->fleet);
}

void sources_give_notes(const struct sources *s, struct cluster_notes *notes)
{
	if (s->fleet != NULL)
		wiring_set_notes(notes, s->fleet, s->facts);
}
