/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/scheduler.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "propagator/scheduler_inside.h"

enum {
	TICK_MS = 100,
	TURN_MS = 20,    /* of the loop's time in one tick */
	SETTLE_MS = 200, /* changes that come together are planned together */
	SOON_MS = 5000,  /* for a plan that is due later nobody waits */
	OBJECTS_MOST = 100000
};

static const char *const kinds[SCHEDULER_KINDS] = {"FederatedDeployment", "FederatedReplicaSet"};
static const char *const type_names[SCHEDULER_KINDS] = {"deployments.apps", "replicasets.apps"};

unsigned scheduler_kind(const char *federated_kind)
{
	unsigned kind = 0;

	while (kind + 1 < SCHEDULER_KINDS && strcmp(kinds[kind], federated_kind) != 0)
		kind++;
	return kind;
}

struct controller *scheduler_controller(const struct scheduler *s, unsigned kind)
{
	return types_find(s->settings.types, type_names[kind]);
}

/* --- preferences --- */

static bool has_key(const void *item, const void *key)
{
	return strcmp(((const struct preference *)item)->key, key) == 0;
}

static uint64_t hash_of(const struct scheduler *s, const char *key)
{
	return hash_siphash(&s->hash_key, key, strlen(key));
}

static struct preference *find(const struct scheduler *s, const char *key)
{
	return table_find(s->preferences, hash_of(s, key), has_key, key);
}

static struct preference *need(struct scheduler *s, const char *key)
{
	struct preference *p = find(s, key);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->scheduler = s;
	p->key = xstrdup(key);
	p->sums.kind = SCHEDULER_KINDS;
	table_put(s->preferences, hash_of(s, key), p);
	return p;
}

static void free_preference(struct preference *p)
{
	scheduler_end_pods(p, NULL);
	dispatch_cancel(p->write);
	free(p->said);
	free(p->key);
	free(p);
}

void scheduler_hurry(struct preference *p, uint64_t in_ms)
{
	uint64_t at_ms = clock_monotonic_ms() + in_ms;

	if (p->due_ms == 0 || at_ms < p->due_ms)
		p->due_ms = at_ms;
}

/* Its controller asks scheduler_excess() when it looks. */
static void tell_controller(const struct preference *p)
{
	struct controller *c = NULL;

	if (p->sums.kind < SCHEDULER_KINDS)
		c = scheduler_controller(p->scheduler, p->sums.kind);
	if (c)
		controller_on_plan(c, p->key);
}

void scheduler_sum_up(struct preference *p, struct sums sums)
{
	const struct sums was = p->sums;

	if (was.is_known == sums.is_known && was.kind == sums.kind && was.total == sums.total &&
	    was.planned == sums.planned && was.held == sums.held)
		return;
	if (was.kind != sums.kind)
		tell_controller(p);
	p->sums = sums;
	tell_controller(p);
}

static void hurry_all(struct scheduler *s, const struct bytes *namespace)
{
	struct preference *p;

	for (size_t i = 0; (p = table_next(s->preferences, &i)) != NULL;) {
		struct bytes own, name;

		cache_split_key(p->key, &own, &name);
		if (!namespace || bytes_equal(own, *namespace))
			scheduler_hurry(p, SETTLE_MS);
	}
}

/* --- clusters --- */

const struct standing *scheduler_standing(const struct scheduler *s, unsigned kind,
                                          const char *cluster)
{
	return standing_find(&s->standings[kind], cluster);
}

/* Without a running controller nothing is known of a kind, and begins anew with the next one. */
static bool heed_clusters_of(struct scheduler *s, unsigned kind, uint64_t now_ms)
{
	const struct settings *settings = s->settings.settings;
	const struct standing_delays delays = {settings->available_delay_ms,
	                                       settings->unavailable_delay_ms};
	const struct controller *c = scheduler_controller(s, kind);
	struct standing_list *list = &s->standings[kind];
	bool changed = false;

	for (size_t i = 0; c && i < members_count(s->settings.members); i++) {
		const struct member *m = members_at(s->settings.members, i);

		changed |=
			standing_heed(standing_keep(list, m->name),
		                      m->is_ready && controller_sees(c, m->name), &delays, now_ms);
	}
	return standing_drop(list) || changed;
}

static bool heed_clusters(struct scheduler *s, uint64_t now_ms)
{
	bool changed = false;

	for (unsigned kind = 0; kind < SCHEDULER_KINDS; kind++)
		changed |= heed_clusters_of(s, kind, now_ms);
	return changed;
}

/* --- turns --- */

/* False: it is gone. */
static bool look_at(struct preference *p)
{
	struct scheduler *s = p->scheduler;
	struct json_object *object = s->cache ? cache_parse(s->cache, p->key) : NULL;

	p->due_ms = 0;
	if (!object)
		return false;
	s->plans++;
	scheduler_plan(p, object);
	json_object_put(object);
	return true;
}

/* The one that has waited longest: others that are due again and again do not come before it. */
static struct preference *find_due(const struct scheduler *s, uint64_t now_ms)
{
	struct preference *p, *first = NULL;

	for (size_t i = 0; (p = table_next(s->preferences, &i)) != NULL;)
		if (p->due_ms > 0 && p->due_ms <= now_ms && !p->write &&
		    (!first || p->due_ms < first->due_ms))
			first = p;
	return first;
}

static void on_tick(uv_timer_t *timer)
{
	struct scheduler *s = timer->data;
	uint64_t now_ms = clock_monotonic_ms(), end_ms = now_ms + TURN_MS;
	struct preference *p;

	if (table_count(s->preferences) == 0)
		return;
	if (heed_clusters(s, now_ms))
		hurry_all(s, NULL);
	while (clock_monotonic_ms() < end_ms && (p = find_due(s, now_ms)) != NULL) {
		if (look_at(p))
			continue;
		table_remove(s->preferences, hash_of(s, p->key), has_key, p->key);
		tell_controller(p);
		free_preference(p);
	}
}

/* SCHEDULER_KINDS: no preference governs such objects. */
static unsigned kind_of(const struct type *type)
{
	unsigned kind = 0;

	while (kind < SCHEDULER_KINDS && strcmp(type->name, type_names[kind]) != 0)
		kind++;
	return kind;
}

static bool is_planned(const struct type *type) { return kind_of(type) < SCHEDULER_KINDS; }

bool scheduler_is_planning(const struct scheduler *s, const struct controller *c, const char *key)
{
	const struct preference *p;

	if (!is_planned(controller_type(c)) || !s->cache)
		return false;
	/* There may be one of which nothing is known yet. */
	if (!cache_is_sighted(s->cache))
		return true;
	p = find(s, key);
	return p && (p->write || (p->due_ms > 0 && p->due_ms <= clock_monotonic_ms() + SOON_MS));
}

bool scheduler_excess(const struct scheduler *s, const struct controller *c, const char *key,
                      struct schedule_excess *out)
{
	unsigned kind = kind_of(controller_type(c));
	const struct preference *p;
	const struct sums *sums;

	*out = (struct schedule_excess){0};
	if (kind == SCHEDULER_KINDS || !s->cache)
		return true;
	p = find(s, key);
	if (!p)
		return cache_is_settled(s->cache);
	sums = &p->sums;
	if (sums->kind != kind)
		return sums->kind < SCHEDULER_KINDS;
	if (sums->is_known)
		*out = schedule_excess(sums->total, sums->planned, sums->held);
	return sums->is_known;
}

void scheduler_on_object(struct scheduler *s, const struct controller *c, const char *key)
{
	const struct type *type = controller_type(c);
	struct bytes namespace, name;
	struct preference *p;

	if (type_is_namespaces(type)) {
		cache_split_key(key, &namespace, &name);
		hurry_all(s, &namespace);
		return;
	}
	if (is_planned(type) && (p = find(s, key)) != NULL)
		scheduler_hurry(p, SETTLE_MS);
}

void scheduler_on_no_client(struct scheduler *s, const struct member *m)
{
	struct preference *p;

	for (size_t i = 0; (p = table_next(s->preferences, &i)) != NULL;)
		scheduler_end_pods(p, m->name);
}

/* --- the preferences of the host --- */

static void on_preference(const char *key, void *arg)
{
	scheduler_hurry(need(arg, key), SETTLE_MS);
}

/* Which objects have no preference is known now: a last leader may have known one. */
static void tell_controllers(const struct scheduler *s)
{
	for (unsigned kind = 0; kind < SCHEDULER_KINDS; kind++) {
		struct controller *c = scheduler_controller(s, kind);

		if (c)
			controller_on_all(c);
	}
}

static void on_sight(void *arg)
{
	struct scheduler *s = arg;
	enum kube_sight sight;
	const char *why;

	if (!s->cache)
		return;
	if (!cache_is_seen(s->cache, &sight, &why) && sight != KUBE_ABSENT)
		log_warn("propagator", "ReplicaSchedulingPreferences cannot be seen: %s", why);
	if (cache_is_settled(s->cache) && !s->is_settled)
		tell_controllers(s);
	s->is_settled |= cache_is_settled(s->cache);
}

static struct cache *start_cache(struct scheduler *s)
{
	const struct settings *settings = s->settings.settings;
	const struct cache_settings of = {
		.watch = {.resource = {"scheduling.kubefed.io", "v1alpha1",
	                               "replicaschedulingpreferences",
	                               "ReplicaSchedulingPreference"},
	                  .namespace = settings->cluster_scope ? NULL : s->settings.namespace,
	                  .objects_most = OBJECTS_MOST},
		.keep = cache_keep_text,
		.let_go = free,
		.on_change = on_preference,
		.on_sight = on_sight,
		.arg = s,
	};

	return cache_start(s->settings.loop, s->settings.host, s->settings.backoff, &of);
}

static void drop_all(struct scheduler *s)
{
	struct preference *p;

	cache_stop(s->cache);
	s->cache = NULL;
	s->is_settled = false;
	for (size_t i = 0; (p = table_next(s->preferences, &i)) != NULL;)
		free_preference(p);
	table_free(s->preferences);
	s->preferences = table_new();
}

void scheduler_on_settings(struct scheduler *s)
{
	bool is_on = s->settings.settings->scheduler_preferences;

	if (is_on && !s->cache)
		s->cache = start_cache(s);
	else if (!is_on && s->cache)
		drop_all(s);
}

/* --- life --- */

struct scheduler *scheduler_start(const struct scheduler_settings *settings)
{
	struct scheduler *s = xcalloc(1, sizeof(*s));

	s->settings = *settings;
	s->preferences = table_new();
	random_bytes(&s->hash_key, sizeof(s->hash_key));
	s->tick = xcalloc(1, sizeof(*s->tick));
	CHECK(uv_timer_init(settings->loop, s->tick) == 0);
	s->tick->data = s;
	uv_timer_start(s->tick, on_tick, TICK_MS, TICK_MS);
	scheduler_on_settings(s);
	return s;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void scheduler_stop(struct scheduler *s)
{
	drop_all(s);
	table_free(s->preferences);
	for (unsigned kind = 0; kind < SCHEDULER_KINDS; kind++)
		standing_fini(&s->standings[kind]);
	uv_close((uv_handle_t *)s->tick, on_closed);
	free(s);
}

/* --- what it tells --- */

struct scheduler_counts scheduler_counts(const struct scheduler *s)
{
	return (struct scheduler_counts){table_count(s->preferences), s->plans, s->writes};
}

void scheduler_each(const struct scheduler *s, scheduler_on_note_fn *on_note, void *arg)
{
	const struct preference *p;

	for (size_t i = 0; (p = table_next(s->preferences, &i)) != NULL;) {
		const struct scheduler_note note = {p->key, p->sums.total, p->sums.planned,
		                                    p->sums.held, p->said};

		if (p->said)
			on_note(&note, arg);
	}
}
