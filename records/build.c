/* SPDX-License-Identifier: Apache-2.0 */
#include "records/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/xalloc.h"
#include "records/held_code.h"
#include "records/inside.h"
#include "records/ramp.h"
#include "records/settings.h"

enum {
	KEPT_ROOM = 1 << 14,     /* items of a list that is kept from build to build */
	TAKEN_BYTES = 256 << 10, /* of DNSEndpoints, in one of the first builds */
	NAME_BYTES = 40          /* of a DNSEndpoint: a name takes about so many or fewer */
};

struct records *records_new(const struct records_settings *settings)
{
	struct records *r = xcalloc(1, sizeof(*r));

	random_bytes(&r->key, sizeof(r->key));
	r->arena = arena_new();
	r->scratch = arena_new();
	r->settings_arena = arena_new();
	r->settings = r->settings_was = settings_copy(r->settings_arena, settings);
	r->clusters = clusters_new();
	r->policies = policies_new(&r->key);
	r->wants = wants_new(&r->key);
	r->notes = notes_new();
	r->guard = guard_new(r->wants);
	r->sources.key = r->named.key = r->key;
	r->gateways = gateways_new(&r->key, &r->endpoints);
	return r;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	guard_free(r->guard);
	kept_zones_fini(&r->kept);
	wants_free(r->wants);
	notes_free(r->notes);
	clusters_free(r->clusters);
	policy_index_free(r->policy_index);
	policies_free(r->policies);
	apexes_free(r->apexes);
	sources_fini(&r->sources);
	site_names_fini(&r->named);
	idmap_fini(&r->claims);
	gateways_free(r->gateways);
	tally_fini(&r->endpoints);
	links_fini(&r->backends);
	links_fini(&r->annotated);
	buffer_fini(&r->draft);
	free(r->works);
	free(r->touches);
	free(r->losses);
	free(r->changes);
	while (r->aside_at < r->aside_count)
		fact_unref(r->aside[r->aside_at++]);
	free(r->aside);
	arena_free(r->settings_arena_was);
	arena_free(r->settings_arena);
	arena_free(r->scratch);
	arena_free(r->arena);
	free(r);
}

void records_configure(struct records *r, const struct records_settings *settings)
{
	struct arena *a = arena_new();

	/* What the names are claimed under stays known until the next build. */
	if (r->is_new_settings)
		arena_free(r->settings_arena);
	else
		r->settings_arena_was = r->settings_arena;
	r->settings_arena = a;
	r->settings = settings_copy(a, settings);
	r->is_new_settings = true;
}

void records_set_host(struct records *r, struct bytes host, const struct addr *addresses,
                      size_t count, uint32_t ttl_s)
{
	wants_set_addresses(r->wants, host, addresses, count, ttl_s);
}

/* --- a build --- */

static void *shrunk(void *list, size_t *room)
{
	if (*room <= KEPT_ROOM)
		return list;
	free(list);
	*room = 0;
	return NULL;
}

static void begin(struct records *r, const struct facts *f, uint64_t now_ms)
{
	arena_reset(r->arena);
	r->changes = shrunk(r->changes, &r->change_room);
	r->now_ms = now_ms;
	r->touch_count = r->loss_count = r->change_count = 0;
	r->is_everything = r->domains_changed = r->clusters_changed = r->policies_changed = false;
	r->result = (struct records_result){.everything = false};
	r->world = (struct world){
		.key = r->key,
		.settings = &r->settings,
		.facts = f,
		.apexes = r->apexes,
		.clusters = r->clusters,
		.policies = r->policies,
		.policy_index = r->policy_index,
		.endpoints = &r->endpoints,
		.gateways = r->gateways,
		.annotated = &r->annotated,
		.wants = r->wants,
		.notes = r->notes,
		.arena = r->arena,
		.scratch = r->scratch,
	};
}

static void put_aside(struct records *r, const struct fact *fact)
{
	if (r->aside_count == r->aside_room) {
		r->aside_room = r->aside_room ? r->aside_room * 2 : 64;
		r->aside = xreallocarray(r->aside, r->aside_room, sizeof(const struct fact *));
	}
	r->aside[r->aside_count++] = fact_ref(fact);
}

static void apply_as_new(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct fact_change change = {cluster, NULL, fact};

	if (cluster == FACTS_HOST && fact_kind_is_dns_endpoint(fact_get_kind(fact)))
		put_aside(arg, fact);
	else
		dirty_apply(arg, &change);
}

/* Room for about as many names as there are, lest the index grows again and again. */
static void expect_names(struct records *r)
{
	size_t bytes = 0;

	for (size_t i = 0; i < r->aside_count; i++)
		bytes += fact_bytes(r->aside[i]).len;
	idmap_reserve(&r->claims, bytes / NAME_BYTES);
}

/* Some of what was put aside: what a million names need on the way is better used again and again
 * than had at once. */
static void take_from_aside(struct records *r, const struct facts *f)
{
	size_t taken = 0;

	if (r->aside_at == 0)
		expect_names(r);
	while (r->aside_at < r->aside_count && taken < TAKEN_BYTES) {
		const struct fact *fact = r->aside[r->aside_at++];
		struct fact_change change = {FACTS_HOST, NULL, fact};

		/* If it changed meanwhile, that was a change like any other. */
		if (facts_find(f, FACTS_HOST, fact_get_kind(fact), fact_namespace(fact),
		               fact_name(fact)) == fact)
			dirty_apply(r, &change);
		taken += fact_bytes(fact).len;
		fact_unref(fact);
	}
	if (r->aside_at < r->aside_count)
		return;
	free(r->aside);
	r->aside = NULL;
	r->aside_at = r->aside_count = r->aside_room = 0;
}

/* All changes since the last build; before the first, all facts are new. */
static void apply_changes(struct records *r, struct facts *f)
{
	size_t count;
	bool clusters_changed;
	const struct fact_change *changes = facts_take_changes(f, &count, &clusters_changed);

	r->clusters_changed = clusters_changed;
	for (size_t i = 0; r->is_started && i < count; i++)
		dirty_apply(r, &changes[i]);
	for (uint16_t id = 0; !r->is_started && id < facts_cluster_count(f); id++)
		facts_each(f, id, 0, apply_as_new, r);
	if (r->aside_count > 0)
		take_from_aside(r, f);
}

static void give_id(uint16_t host, const struct fact *cluster, void *arg)
{
	(void)host;
	(void)facts_cluster_id(arg, fact_name(cluster));
}

/* Where sites are published, KubeFedClusters are clusters, too. */
static void name_sites(struct records *r, struct facts *f)
{
	r->clusters_changed |= works_name_sites(r, f);
	if (r->clusters_changed && site_names_any(&r->named))
		facts_each(f, FACTS_HOST, FACT_KUBEFED_CLUSTER, give_id, f);
}

static void update_clusters(struct records *r)
{
	struct clusters_change change;

	if (r->is_started && !r->clusters_changed && !r->is_new_settings)
		return;
	change = clusters_update(r->clusters, &r->settings, r->world.facts, &r->named, r->notes);
	r->result.clusters_changed = change.any || !r->is_started;
	if (change.ladder)
		dirty_mark_kind(r, FACT_SERVICE_DNS_RECORD);
	if (change.registered) {
		dirty_mark_kind(r, FACT_INGRESS_DNS_RECORD);
		dirty_mark_kind(r, SOURCE_HOST);
		dirty_mark_sites(r);
	}
}

static struct apexes *find_zones(struct records *r)
{
	return apexes_new(&r->key, &r->settings, r->world.facts, &r->kept, r->notes);
}

static void update_zones(struct records *r)
{
	r->apexes_was = r->apexes;
	if (r->is_started && r->domains_changed)
		kept_zones_release(r->guard, r->world.facts);
	if (r->kept.count > 0)
		r->domains_changed |= kept_zones_end(&r->kept, r->guard, r->world.facts, r->now_ms);
	if (r->is_started && !r->domains_changed && !r->is_new_settings)
		return;
	r->is_everything = true;
	r->apexes = find_zones(r);
	if (kept_zones_begin(&r->kept, r->guard, &r->settings, r->apexes_was, r->apexes,
	                     r->now_ms)) {
		apexes_free(r->apexes);
		r->apexes = find_zones(r);
	}
	r->world.apexes = r->apexes;
	r->result.zones_changed = !r->apexes_was || !apexes_equal(r->apexes, r->apexes_was);
	dirty_mark_kind(r, 0);
}

/* The names of what policies are for are marked already (dirty.c), or zones changed, and all are. */
static void update_policies(struct records *r)
{
	r->policy_index_was = r->policy_index;
	if (!r->policies_changed && r->apexes == r->apexes_was)
		return;
	r->policy_index = policy_index_new(&r->key, r->policies, r->apexes, r->notes);
	r->world.policy_index = r->policy_index;
	r->policies_changed |= r->policy_index != NULL;
	if (policy_index_is_cut(r->policy_index_was) || policy_index_is_cut(r->policy_index))
		dirty_mark_kind(r, 0);
}

static void on_host_changed(uint32_t source, void *arg) { dirty_mark(arg, source); }

static void finish(struct records *r, struct facts *f)
{
	struct records_result *out = &r->result;

	claims_end(r);
	works_end(r);
	facts_drop_changes(f);
	if (r->policy_index_was != r->policy_index)
		policy_index_free(r->policy_index_was);
	r->policy_index_was = r->policy_index;
	if (r->apexes_was != r->apexes)
		apexes_free(r->apexes_was);
	r->apexes_was = r->apexes;
	arena_free(r->settings_arena_was);
	r->settings_arena_was = NULL;
	r->settings_was = r->settings;
	out->more = r->aside_count > 0;
	out->everything = r->is_everything;
	out->changes = r->changes;
	out->change_count = r->change_count;
	out->zones = apexes_list(r->apexes, &out->zone_count);
	out->clusters = clusters_list(r->clusters, &out->cluster_count);
	wants_result(r->wants, out);
	policies_result(r->policies, out);
	out->policies_changed |= r->policies_changed;
	out->report_changed = guard_end(r->guard, &out->next_ms);
	out->report_changed |= notes_changed(r->notes);
	r->works = shrunk(r->works, &r->work_room);
	r->touches = shrunk(r->touches, &r->touch_room);
	r->losses = shrunk(r->losses, &r->loss_room);
	r->is_started = true;
	r->is_new_settings = false;
}

const struct records_result *records_build(struct records *r, struct facts *f, uint64_t now_ms)
{
	begin(r, f, now_ms);
	apply_changes(r, f);
	dirty_end(r);
	update_zones(r);
	update_policies(r);
	name_sites(r, f);
	update_clusters(r);
	wants_take_changed(r->wants, on_host_changed, r);
	works_make(r);
	claims_enter(r);
	guard_begin(r->guard, r->apexes, &r->key, now_ms);
	kept_zones_hold(&r->kept, r->guard, &r->settings, now_ms);
	if (r->is_everything) {
		guard_count_anew(r->guard);
		policies_count_anew(r->policies);
	}
	claims_judge(r);
	finish(r, f);
	return &r->result;
}

void records_drop_changes(struct records *r)
{
	arena_reset(r->arena);
	free(r->changes);
	r->changes = NULL;
	r->change_count = r->change_room = 0;
	r->result.changes = NULL;
	r->result.change_count = 0;
}

/* --- the report --- */

void records_each_problem(const struct records *r, records_on_problem_fn *fn, void *arg)
{
	notes_each_problem(r->notes, fn, arg);
}

void records_each_conflict(const struct records *r, records_on_conflict_fn *fn, void *arg)
{
	notes_each_conflict(r->notes, fn, arg);
}

void records_each_policy_conflict(const struct records *r, records_on_policy_conflict_fn *fn,
                                  void *arg)
{
	size_t count;
	const struct records_policy_conflict *list =
		policy_index_conflicts(r->policy_index, &count);

	for (size_t i = 0; i < count; i++)
		fn(&list[i], arg);
}

void records_each_policy_override(const struct records *r, records_on_policy_override_fn *fn,
                                  void *arg)
{
	policies_each_override(r->policies, fn, arg);
}

size_t records_holds(const struct records *r, const struct records_hold **out)
{
	return guard_list(r->guard, out);
}

struct take_held {
	struct records *records;
	const struct facts *facts;
	const struct records_times *now;
	records_on_held_fn *fn;
	void *arg;
};

static struct held_code_hold to_unix(const struct records_hold *hold, int64_t unix_ms_at_0)
{
	return (struct held_code_hold){
		.id = hold->id,
		.since_unix_ms = unix_ms_at_0 + (int64_t)hold->since_ms,
		.until_unix_ms = hold->until_ms ? unix_ms_at_0 + (int64_t)hold->until_ms : 0,
	};
}

static void on_held(struct bytes owner, const struct endpoint *held,
                    const struct records_hold *hold, void *arg)
{
	const struct take_held *t = arg;
	struct buffer value = {NULL, 0, 0};

	if (held) {
		struct held_code_hold times = to_unix(hold, t->now->unix_ms_at_0);
		const struct records_policy *policy =
			policies_get(t->records->policies, held->policy);

		times.policy_namespace = policy->namespace;
		times.policy_name = policy->name;
		held_encode(&times, held, t->facts, t->records->wants, &value);
	}
	t->fn(owner, (struct bytes){value.data, value.len}, t->arg);
	buffer_fini(&value);
}

/* The key of a zone is no name: a root label, and then the apex. */
static void on_kept(struct bytes apex, const struct kept_zone *zone, void *arg)
{
	const struct take_held *t = arg;
	struct buffer key = {NULL, 0, 0}, value = {NULL, 0, 0};

	buffer_u8(&key, 0);
	buffer_put(&key, apex.data, apex.len);
	if (zone) {
		struct held_code_hold times = to_unix(&zone->hold, t->now->unix_ms_at_0);

		held_encode_zone(&times, zone->domain, &value);
	}
	t->fn((struct bytes){key.data, key.len}, (struct bytes){value.data, value.len}, t->arg);
	buffer_fini(&key);
	buffer_fini(&value);
}

void records_take_held(struct records *r, const struct facts *f, const struct records_times *now,
                       records_on_held_fn *fn, void *arg)
{
	struct take_held t = {r, f, now, fn, arg};

	guard_take_changes(r->guard, on_held, &t);
	kept_zones_take_changes(&r->kept, on_kept, &t);
}

/* A moment of a past process on today's clock; what lies before its beginning is its beginning. */
static uint64_t on_clock(int64_t unix_ms, int64_t unix_ms_at_0)
{
	return unix_ms > unix_ms_at_0 ? (uint64_t)(unix_ms - unix_ms_at_0) : 1;
}

/* Whatever has become of the wall clock, a hold lasts no longer from now than one that begins now. */
static struct records_hold from_unix(const struct records *r, const struct held_code_hold *times,
                                     const struct records_times *now)
{
	struct records_hold hold = {
		.id = times->id,
		.since_ms = on_clock(times->since_unix_ms, now->unix_ms_at_0),
		.until_ms = times->until_unix_ms ? on_clock(times->until_unix_ms, now->unix_ms_at_0)
	                                         : 0,
	};
	uint64_t most = now->now_ms + r->settings.guard_hold_ms;

	if (hold.since_ms > now->now_ms)
		hold.since_ms = now->now_ms;
	if (r->settings.guard_hold_ms && (hold.until_ms == 0 || hold.until_ms > most))
		hold.until_ms = most;
	return hold;
}

static bool restore_zone(struct records *r, const struct records_times *now, struct bytes value)
{
	struct held_code_hold times;
	struct records_hold hold;
	const struct fact *domain;
	bool good;

	if (!held_decode_zone(value, &times, &domain))
		return false;
	hold = from_unix(r, &times, now);
	good = kept_zones_restore(&r->kept, domain, &hold);
	fact_unref(domain);
	return good;
}

bool records_restore_shift(struct records *r, struct facts *f, struct bytes cluster,
                           struct bytes shift)
{
	uint16_t id = facts_cluster_id(f, cluster);
	struct ramp ramp;

	if (id == UINT16_MAX || ramp_parse(shift, &ramp, NULL) != ERR_OK)
		return false;
	clusters_restore_shift(r->clusters, id, &ramp);
	return true;
}

bool records_restore_held(struct records *r, struct facts *f, const struct records_times *now,
                          struct bytes owner, struct bytes value)
{
	struct arena *a;
	struct held_code_hold times;
	struct records_hold hold;
	struct endpoint held;
	bool good;

	if (owner.len > 1 && owner.data[0] == 0)
		return restore_zone(r, now, value);
	a = arena_new();
	good = held_decode(value, owner, f, r->wants, a, &times, &held);
	if (good) {
		hold = from_unix(r, &times, now);
		if (times.policy_name.len > 0)
			held.policy = policies_reserve(r->policies, times.policy_namespace,
			                               times.policy_name);
		guard_restore(r->guard, &hold, &held);
	}
	arena_free(a);
	return good;
}

enum err records_release(struct records *r, const char *zone)
{
	return guard_release(r->guard, zone) ? ERR_OK : ERR_NOTFOUND;
}
