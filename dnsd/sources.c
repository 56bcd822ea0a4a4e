/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/sources.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/wiring.h"
#include "watcher/fleet.h"
#include "watcher/manifests.h"
#include "watcher/probe_secrets.h"

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

static bool is_no_configs(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)cluster;
	(void)arg;
	return fact_created(fact) != FACT_CONFIG_TIME;
}

/* No directory is configured any more: what they told is gone from the registry.  What becomes of the host's objects,
 * an API server's next list says, if there is one. */
static void drop_manifests(struct sources *s)
{
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(s->facts); id++) {
		const struct cluster_state *state = facts_cluster(s->facts, id);

		if (state->registered && state->source == CLUSTER_MANIFESTS)
			store_drop_cluster(s->store, id);
	}
	if (!config_has_host(s->config))
		store_remove_each(s->store, FACTS_HOST, 0, is_no_configs, NULL);
	store_set_known_dirs(s->store, (struct bytes){0});
	probe_secrets_set_files(store_probe_secrets(s->store), NULL, 0, false);
}

static void begin_manifests(struct sources *s)
{
	const struct conf_strings *dirs = &s->config->manifests;

	store_share_host(s->store, config_has_host(s->config));
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

static bool relist(enum fact_kind kind, void *arg)
{
	struct sources *s = arg;

	return s->fleet != NULL && fleet_relist_host(s->fleet, kind);
}

/* --- API servers --- */

static void begin_fleet(struct sources *s)
{
	const struct config *c = s->config;
	struct fleet_member *members = xcalloc(c->member_count + 1, sizeof *members);
	const struct fleet_settings settings = {
		.has_host = config_has_host(c),
		.in_cluster = c->kubernetes.in_cluster,
		.host = {c->kubernetes.kubeconfig, c->kubernetes.context},
		.namespace = config_namespace(c),
		.no_plugins = s->no_plugins,
		.allow_loopback = c->kubernetes.allow_loopback,
		.only_sites = config_has_host(c) && c->kubernetes.edge,
		.members = members,
		.member_count = c->member_count,
		.pace = {c->watch.silence_ms, c->watch.reply_ms, c->watch.backoff_ms,
	                 c->watch.max_object_mib << 20},
	};

	for (size_t i = 0; i < c->member_count; i++)
		members[i] = (struct fleet_member){
			c->members[i].name, {c->members[i].kubeconfig, c->members[i].context}};
	s->fleet = fleet_start(s->loop, &settings, s->store);
	free(members);
}

static void on_fleet_stopped(void *arg)
{
	struct sources *s = arg;

	s->fleet_ends = false;
	if (s->on_stopped != NULL)
		closed_one(s);
	else
		begin_fleet(s);
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

void sources_want_secrets(struct sources *s)
{
	if (s->fleet != NULL)
		fleet_want_secrets(s->fleet);
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
	store_set_two_sources(store, &(struct store_two_sources){is_in_a_file, relist, s});
	begin_manifests(s);
	begin_fleet(s);
	return s;
}

void sources_reload(struct sources *s, const struct config *config)
{
	bool same_dirs = conf_strings_equal(&s->config->manifests, &config->manifests);
	bool same_clusters = config_same_clusters(s->config, config);
	bool same_host = config_has_host(s->config) == config_has_host(config);

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
	store_set_two_sources(s->store, &(struct store_two_sources){0});
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

/* --- notes --- */

struct noting {
	struct arena *arena;
	const struct facts *facts;
	struct cluster_note *list;
	size_t count, room;
};

static void add_note(const struct fleet_note *from, void *arg)
{
	struct noting *n = arg;
	const struct cluster_state *host = facts_cluster(n->facts, FACTS_HOST);
	const struct kube_counts *wire = &from->report.wire;
	const struct kube_watch_counts *watch = &from->report.watch;
	uint64_t now_ms = clock_monotonic_ms();

	if (n->count == n->room) {
		n->room = n->room * 2 + 16;
		n->list = xreallocarray(n->list, n->room, sizeof *n->list);
	}
	n->list[n->count++] = (struct cluster_note){
		.name = arena_strdup(n->arena, from->name),
		.knowledge = wiring_knowledge_text(host->knowledge),
		.error = host->error,
		.age_ms = host->knowledge == KNOWLEDGE_SYNCED ? 0 : now_ms - host->since_ms,
		.version = arena_strdup(n->arena, from->version),
		.forbidden = arena_strdup(n->arena, from->forbidden),
		.absent = arena_strdup(n->arena, from->absent),
		.warning = from->warning,
		.expires = from->report.expires,
		.requests = wire->requests,
		.bytes = wire->bytes,
		.connections = wire->connections,
		.replaced = wire->replaced,
		.throttled = wire->throttled,
		.lists = watch->lists,
		.watches = watch->watches,
		.events = watch->events,
		.skipped = watch->skipped,
		.bad_events = watch->bad_events,
	};
}

void sources_give_notes(const struct sources *s, struct cluster_notes *notes)
{
	struct noting n = {.facts = s->facts};

	if (s->fleet == NULL)
		return;
	n.arena = arena_new();
	fleet_each(s->fleet, add_note, &n);
	cluster_notes_set(notes, n.list, n.count);
	free(n.list);
	arena_free(n.arena);
}
