/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/config_facts.h"
#include "dnsd/pipeline_inside.h"
#include "dnsd/transferred.h"
#include "dnsd/transfers.h"
#include "dnsd/zone_loader.h"
#include "records/build.h"
#include "watcher/store.h"
#include "zones/build.h"

enum { TICK_MS = 250, EVIDENCE_MS = 5000, NOTES_MS = 1000, TRIM_AFTER = 20000 };

/* --- one build --- */

static void rank_clusters(struct pipeline *p)
{
	const struct records_result *r = p->result;
	struct ranking_cluster *list = xcalloc(r->cluster_count + 1, sizeof *list);

	for (size_t i = 0; i < r->cluster_count; i++)
		list[i] = (struct ranking_cluster){r->clusters[i].id, r->clusters[i].name,
		                                   r->clusters[i].has_place, r->clusters[i].place};
	rulebook_set(p->rulebook, r, p->config, p->geo);
	geo_loader_set_clusters(p->geo, list, r->cluster_count, &p->config->geo.unknown_order);
	free(list);
}

/* Before it is ready, what comes and goes may only not be read yet. */
static struct damper_times times_of(const struct pipeline *p, uint64_t now_ms)
{
	return (struct damper_times){p->ready ? p->last : NULL, now_ms};
}

static void give_names(struct pipeline *p, uint64_t now_ms)
{
	const struct records_result *r = p->result;
	const struct damper_times at = times_of(p, now_ms);

	if (r->everything || r->zones_changed)
		wiring_set_zones(p->zones, r, p->config, p->listening, p->listening_count,
		                 p->saved);
	for (size_t i = 0; i < r->change_count; i++) {
		if (r->changes[i].endpoint != NULL) {
			damper_put(p->damper, p->zones, r->changes[i].endpoint, &at);
			failback_touch(p->failback, r->changes[i].endpoint);
		} else {
			damper_remove(p->damper, p->zones, r->changes[i].owner);
		}
	}
}

static void on_transferred(const struct config_zone *zone, const char *where, const char *message,
                           void *arg)
{
	(void)zone;
	store_set_error(arg, where, message);
}

/* Before it is ready, a cluster may only not be read yet. */
static void look_at_transferred(struct pipeline *p)
{
	if (!p->ready || !p->transferred_stale)
		return;
	p->transferred_stale = false;
	transferred_each_zone(p->config, p->result, on_transferred, p->store);
}

static void give_tables(struct pipeline *p, uint64_t now_ms)
{
	size_t probe_count;
	const struct zones_probe *probes;
	uint64_t dark_ms;
	const struct damper_times at = times_of(p, now_ms);
	struct snapshot_settings settings = {
		.all = p->config->defaults.policy == CONFIG_ALL,
		.degraded_ttl = (uint32_t)p->config->defaults.degraded_ttl_s,
		.max_addresses = (uint16_t)p->config->defaults.max_addresses,
		.ready = pipeline_is_ready(p, now_ms),
		.dark = pipeline_is_dark(p, &dark_ms),
	};

	/* What was read last counts when it is in force: a tick may come before the build. */
	p->incomplete =
		pipeline_is_incomplete(p, now_ms) || (p->incomplete && facts_has_changes(p->facts));
	settings.incomplete = settings.ready && p->incomplete;
	look_at_transferred(p);
	settings.frozen = settings.dark || replicas_are_frozen(p->replicas);
	zones_set_settings(p->zones, &settings);
	verdicts_set_dark(p->verdicts, settings.dark);
	verdicts_count_votes(p->verdicts);
	replicas_give_votes(p->replicas, p->zones);
	damper_look(p->damper, p->zones, &at);
	probes = verdicts_table(p->verdicts, &probe_count);
	if (p->probes_stale)
		zones_set_probes(p->zones, probes, probe_count);
	if (p->tables_stale || p->probes_stale)
		wiring_set_clusters(p->zones, p->result, probes, probe_count,
		                    &(struct wiring_times){settings.dark ? dark_ms : now_ms,
		                                           p->config->defaults.unseen_after_ms,
		                                           clock_unix_s()});
	rulebook_give(p->rulebook, p->zones, p->result, settings.dark ? dark_ms : now_ms);
	p->report_stale |= rulebook_is_news(p->rulebook);
	p->report_stale |= probe_secrets_judge(p->probe_secrets);
	if (p->report_stale)
		wiring_set_report(
			p->zones, p->records, p->store, &p->errors,
			&(struct wiring_policies){p->rulebook, p->result, p->probe_secrets},
			p->unix_ms_at_0, &p->memory);
	p->tables_stale = p->probes_stale = p->report_stale = false;
}

void pipeline_publish(struct pipeline *p)
{
	const struct snapshot *s;

	if (p->is_frozen)
		return;
	s = zones_build(p->zones, clock_unix_s());
	/* Before it is ready, what is not usable may only not be read yet. */
	while (p->ready &&
	       failback_look(p->failback, p->result, s,
	                     &(struct failback_times){clock_monotonic_ms(), clock_unix_s()},
	                     p->zones))
		s = zones_build(p->zones, clock_unix_s());
	p->report_stale |= p->failback_told != failback_changes(p->failback);
	p->failback_told = failback_changes(p->failback);
	wiring_save_serials(s, p->saved);
	if (p->transfers != NULL && s != p->last)
		transfers_poke(p->transfers);
	p->last = s;
	atomic_store_explicit(&p->pulse->memory_names, zones_memory(p->zones),
	                      memory_order_relaxed);
}

static void on_again(uv_timer_t *timer) { pipeline_poke(timer->data); }

static void call_again(struct pipeline *p, uint64_t now_ms)
{
	uint64_t next = p->result->next_ms;

	if (next == 0)
		uv_timer_stop(&p->again);
	else
		uv_timer_start(&p->again, on_again, next > now_ms ? next - now_ms : 1, 0);
}

static void save_held(struct bytes owner, struct bytes value, void *arg)
{
	saved_put_value(arg, SAVED_HELD, owner, value);
}

/* One step of the way: records, and names into zones. */
static void take_step(struct pipeline *p, uint64_t now_ms)
{
	const struct records_result *r = records_build(p->records, p->facts, now_ms);

	p->result = r;
	records_take_held(p->records, p->facts, &(struct records_times){now_ms, p->unix_ms_at_0},
	                  save_held, p->saved);
	if (r->clusters_changed)
		wiring_save_shifts(r, p->saved);
	p->untrimmed += r->change_count;
	give_names(p, now_ms);
	p->ranks_stale |= r->clusters_changed || r->policies_changed;
	p->tables_stale |= r->clusters_changed;
	p->transferred_stale |= r->clusters_changed;
	p->wants_stale |= r->wants_changed;
	p->report_stale |= r->report_changed || r->policies_changed || r->change_count > 0;
}

static void build(struct pipeline *p)
{
	uint64_t now_ms = clock_monotonic_ms();
	const struct records_result *r;

	do {
		take_step(p, now_ms);
		r = p->result;
	} while (r->more);
	p->busy = true;
	p->built_ms = now_ms;
	if (p->ranks_stale) {
		rank_clusters(p);
		if (wiring_want_secrets(p->probe_secrets, r) && p->sources != NULL)
			sources_want_secrets(p->sources);
	}
	if (p->wants_stale || p->ranks_stale || p->targets_stale) {
		verdicts_set_targets(p->verdicts, r);
		p->probes_stale = true;
	}
	if (p->wants_stale)
		wiring_forget_unwanted(r, p->saved);
	if (p->wants_stale && p->resolver != NULL)
		resolver_set_hosts(p->resolver, r->hosts, r->host_count);
	p->ranks_stale = p->wants_stale = p->targets_stale = false;
	if (p->errors_told != store_error_changes(p->store) ||
	    p->facts_told != facts_count(p->facts))
		p->report_stale = true;
	records_drop_changes(p->records);
	p->errors_told = store_error_changes(p->store);
	p->facts_told = facts_count(p->facts);
	give_tables(p, now_ms);
	pipeline_publish(p);
	call_again(p, now_ms);
}

static void on_settled(void *arg)
{
	struct pipeline *p = arg;

	p->waits = pipeline_may_wait(p, clock_monotonic_ms());
	if (p->waits)
		return;
	build(p);
	admin_count_update(p->pulse, clock_monotonic_us() - settle_poked_us(p->settle));
}

static void set_zone_files(struct pipeline *p)
{
	struct arena *a = arena_new();
	const struct zone_loader_zone *zones;
	size_t count = wiring_zone_files(a, p->config, &zones);

	zone_loader_set(p->zone_files, zones, count);
	arena_free(a);
}

/* Reading a large world leaves several times its size in free blocks: given back when calm. */
static void trim_memory(struct pipeline *p)
{
	if (!p->busy && p->untrimmed >= TRIM_AFTER) {
		malloc_trim(0);
		p->untrimmed = 0;
	}
	p->busy = false;
}

static void give_notes(struct pipeline *p, uint64_t now_ms)
{
	if (now_ms - p->notes_ms < NOTES_MS)
		return;
	p->notes_ms = now_ms;
	sources_give_notes(p->sources, p->notes);
	verdicts_give_counts(p->verdicts);
	replicas_give_notes(p->replicas, p->replica_notes);
	store_set_error(p->store, "replicas", replicas_error(p->replicas));
}

static void give_terms(struct pipeline *p)
{
	const struct terms *terms = secrets_make_terms(&p->secrets, p->config);

	transferred_renew_serials(p->zones, p->last, terms);
	zones_set_terms(p->zones, terms, terms_free);
}

static void look_at_secrets(struct pipeline *p, uint64_t now_ms)
{
	static const char where[] = "cookies.secretFile";
	struct reason why = {0};

	switch (secrets_look(&p->secrets, p->config, now_ms, &why)) {
	case SECRETS_SAME:
		return;
	case SECRETS_NEW:
		log_info("dnsd", "secrets of cookies read again");
		store_set_error(p->store, where, NULL);
		give_terms(p);
		break;
	case SECRETS_BROKEN:
		store_set_error(p->store, where, why.text);
		break;
	}
	if (p->errors_told != store_error_changes(p->store))
		pipeline_poke(p);
}

static void give_counts(struct pipeline *p)
{
	struct saved_counts counts = saved_counts(p->saved);
	struct damper_counts damped = damper_counts(p->damper);
	struct admin_pulse *pulse = p->pulse;

	atomic_store_explicit(&pulse->sites_flapping, damped.flapping, memory_order_relaxed);
	atomic_store_explicit(&pulse->sites_held, damped.held, memory_order_relaxed);
	atomic_store_explicit(&pulse->sites_not_watched, damped.not_watched, memory_order_relaxed);
	atomic_store_explicit(&pulse->journal_bytes, counts.journal_bytes, memory_order_relaxed);
	atomic_store_explicit(&pulse->saved_errors, counts.write_errors, memory_order_relaxed);
	atomic_store_explicit(&pulse->torn_tails, counts.torn_tails, memory_order_relaxed);
	atomic_store_explicit(&pulse->set_aside, counts.set_aside, memory_order_relaxed);
}

static void on_tick(uv_timer_t *timer);

/* A moment after each quarter of a second of the clock: what goes by seconds goes at the same instant in all replicas. */
static void start_tick(struct pipeline *p)
{
	uint64_t after_ms = TICK_MS + 1 - (uint64_t)clock_unix_ms() % TICK_MS;

	uv_update_time(p->loop);
	CHECK(uv_timer_start(&p->tick, on_tick, after_ms, 0) == 0);
}

/* What time alone changes: readiness, expiry, the age of evidence, shares. */
static void on_tick(uv_timer_t *timer)
{
	struct pipeline *p = timer->data;
	uint64_t now_ms = clock_monotonic_ms();

	atomic_store_explicit(&p->pulse->turned_ms, now_ms, memory_order_relaxed);
	give_counts(p);
	replicas_tick(p->replicas);
	give_notes(p, now_ms);
	look_at_secrets(p, now_ms);
	if (now_ms - p->evidence_ms >= EVIDENCE_MS) {
		p->evidence_ms = now_ms;
		p->probes_stale = true;
	}
	p->tables_stale = true;
	give_tables(p, now_ms);
	pipeline_publish(p);
	if (p->waits)
		pipeline_poke(p);
	trim_memory(p);
	start_tick(p);
}

bool pipeline_find_place(struct pipeline *p, const struct addr *addr, struct explain_place *out)
{
	geo_loader_find(p->geo, addr, &p->match);
	*out = (struct explain_place){.network = p->match.network,
	                              .has_place = p->match.has_place,
	                              .place = p->match.place,
	                              .database = p->match.database,
	                              .area = p->match.area,
	                              .accuracy_km = p->match.accuracy_km};
	return p->match.database[0] != '\0';
}

/* --- life --- */

static void start_timers(struct pipeline *p)
{
	p->tick.data = p->again.data = p;
	CHECK(uv_timer_init(p->loop, &p->tick) == 0);
	CHECK(uv_timer_init(p->loop, &p->again) == 0);
	p->orders = orders_new(p->loop, pipeline_obey, p);
}

static void configure_damper(struct pipeline *p)
{
	const struct config *c = p->config;

	damper_configure(p->damper, &(struct damper_settings){verdicts_flap_settings(c),
	                                                      c->defaults.rise_after_ms});
}

static void start_neighbours(struct pipeline *p)
{
	struct reason why = {0};

	p->settle = settle_new(p->loop, on_settled, p);
	p->store = store_new(p->facts, p->settle, p->saved);
	store_set_probe_secrets(p->store, p->probe_secrets);
	configure_damper(p);
	p->failback = failback_new(p->saved);
	p->errors.waiting = p->failback;
	p->verdicts = verdicts_start(p->loop, p->config, p->facts, p->saved, p->store,
	                             p->probe_notes, pipeline_on_verdict, p);
	verdicts_set_replicas(p->verdicts, p->replicas);
	if (resolver_new(p->loop, NULL, pipeline_on_addresses, pipeline_on_trouble, p, &p->resolver,
	                 &why) != ERR_OK)
		log_error("watcher", "host names are not resolved: %s", why.text);
	geo_loader_set_files(p->geo, &(struct geo_loader_files){&p->config->geo.databases,
	                                                        p->config->geo.networks,
	                                                        p->config->geo.latency});
}

static void closed_one(void *arg);

struct pipeline *pipeline_new(uv_loop_t *loop, const struct config *config,
                              const struct server_address *listening, size_t listening_count,
                              struct admin_pulse *pulse)
{
	struct pipeline *p = xcalloc(1, sizeof *p);
	struct geo_loader_events events = {pipeline_on_rankings, pipeline_on_geo_errors, p};
	struct name_key key;

	p->loop = loop;
	p->config = config;
	p->listening = xmemdup(listening, listening_count * sizeof *listening);
	p->listening_count = listening_count;
	p->pulse = pulse;
	p->started_ms = clock_monotonic_ms();
	p->unix_ms_at_0 = clock_unix_ms() - (int64_t)p->started_ms;
	p->facts = facts_new();
	p->zones = zones_new();
	p->damper = damper_new();
	p->geo = geo_loader_start(loop, &events);
	p->rulebook = rulebook_new();
	key = zones_key(p->zones);
	p->zone_files = zone_loader_start(
		loop, &key, config->state,
		&(struct zone_loader_events){pipeline_on_zone_file, pipeline_on_zone_errors, p});
	p->errors.files = p->zone_files;
	p->notes = cluster_notes_new();
	p->probe_notes = probe_notes_new();
	p->probe_secrets = probe_secrets_new();
	p->replicas = replicas_new(loop, pipeline_on_verdict, p);
	p->replica_notes = replica_notes_new();
	secrets_init(&p->secrets);
	start_timers(p);
	return p;
}

/* What was known before: by the process that is taken over from, else by the state. */
static enum err open_saved(struct pipeline *p, struct pipeline_estate *estate, struct reason *why)
{
	struct pipeline_estate nothing = {.take_lock = -1};

	if (estate == NULL && p->config->state != NULL)
		return saved_open(p->loop, p->config->state, p->facts, &p->saved, why);
	if (estate == NULL)
		estate = &nothing;
	return saved_open_handed(p->loop, p->config->state, &estate->take_lock, estate->facts,
	                         p->facts, &p->saved, why);
}

/* All that depends on the config. */
static void make_all_stale(struct pipeline *p)
{
	p->tables_stale = p->report_stale = p->targets_stale = p->ranks_stale =
		p->transferred_stale = true;
}

enum err pipeline_start(struct pipeline *p, struct pipeline_estate *estate, struct reason *why)
{
	enum err err;

	if (estate != NULL) {
		secrets_inherit(&p->secrets, &estate->cookies);
		zone_loader_keep(p->zone_files, false);
	}
	err = secrets_read(&p->secrets, p->config, why);
	if (err == ERR_OK)
		err = replicas_configure(p->replicas, p->config, why);
	if (err == ERR_OK)
		err = open_saved(p, estate, why);
	if (err != ERR_OK)
		return err;
	wiring_configure_records(&p->records, p->config);
	start_neighbours(p);
	pipeline_restore(p);
	config_facts_put(p->config, p->facts);
	give_terms(p);
	make_all_stale(p);
	set_zone_files(p);
	if (estate != NULL && !zone_loader_expect(p->zone_files, estate->files))
		return reason_set(why, ERR_PARSE, "what it says of zone files makes no sense");
	build(p);
	p->sources = sources_start(p->loop, p->config, p->facts, p->store);
	start_tick(p);
	return ERR_OK;
}

void pipeline_set_transfers(struct pipeline *p, struct transfers *t)
{
	p->transfers = t;
	if (t != NULL)
		transfers_configure(t, p->config, p->secrets.keys);
}

struct handover *pipeline_handover(struct pipeline *p) { return zones_handover(p->zones); }

struct cluster_notes *pipeline_notes(struct pipeline *p) { return p->notes; }

struct replica_notes *pipeline_replica_notes(struct pipeline *p) { return p->replica_notes; }

struct probe_notes *pipeline_probe_notes(struct pipeline *p) { return p->probe_notes; }

void pipeline_forbid_plugins(struct pipeline *p)
{
	sources_forbid_plugins(p->sources);
	verdicts_forbid_commands(p->verdicts);
}

bool pipeline_runs_plugins(const struct pipeline *p)
{
	return sources_run_plugins(p->sources) || config_has_command(p->config);
}

/* That its files can be read was seen before. */
static void configure_replicas(struct pipeline *p)
{
	struct reason why = {0};

	if (replicas_configure(p->replicas, p->config, &why) != ERR_OK)
		log_error("watcher", "%s", why.text);
}

static void take_up(struct pipeline *p, const struct config *config)
{
	transferred_each_zone(p->config, NULL, on_transferred, p->store);
	p->config = config;
	wiring_configure_records(&p->records, p->config);
	config_facts_put(p->config, p->facts);
	configure_replicas(p);
	verdicts_configure(p->verdicts, config);
	configure_damper(p);
	store_set_error(p->store, "cookies.secretFile", NULL);
	give_terms(p);
	if (p->transfers != NULL)
		transfers_configure(p->transfers, config, p->secrets.keys);
	make_all_stale(p);
	build(p);
	set_zone_files(p);
	sources_reload(p->sources, config);
}

static void on_geo_tried(const char *errors, void *arg)
{
	struct pipeline *p = arg;
	struct reason why = {0};

	if (errors == NULL && (replicas_check(p->fresh, &why) != ERR_OK ||
	                       secrets_read(&p->secrets, p->fresh, &why) != ERR_OK))
		errors = why.text;
	if (errors == NULL)
		take_up(p, p->fresh);
	p->on_reloaded(errors, p->reloaded_arg);
}

void pipeline_reload(struct pipeline *p, const struct config *config,
                     pipeline_on_reloaded_fn *on_reloaded, void *arg)
{
	p->fresh = config;
	p->on_reloaded = on_reloaded;
	p->reloaded_arg = arg;
	geo_loader_try(p->geo,
	               &(struct geo_loader_files){&config->geo.databases, config->geo.networks,
	                                          config->geo.latency},
	               &config->geo.unknown_order, on_geo_tried, p);
}

void pipeline_set_config_error(struct pipeline *p, const char *error)
{
	free(p->errors.config);
	p->errors.config = error != NULL ? xstrdup(error) : NULL;
	p->errors.config_since = clock_unix_s();
	p->report_stale = true;
	pipeline_poke(p);
}

void pipeline_set_tls_error(struct pipeline *p, const char *error)
{
	free(p->errors.tls);
	p->errors.tls = error != NULL ? xstrdup(error) : NULL;
	p->errors.tls_since = clock_unix_s();
	p->report_stale = true;
	pipeline_poke(p);
}

/* All neighbours have ended: nothing calls back any more. */
static void closed_one(void *arg)
{
	struct pipeline *p = arg;

	if (--p->still_open > 0)
		return;
	if (p->last != NULL)
		wiring_save_last_serials(p->last, p->saved);
	failback_free(p->failback);
	damper_free(p->damper);
	saved_close(p->saved);
	store_free(p->store);
	records_free(p->records);
	zones_free(p->zones);
	rulebook_free(p->rulebook);
	facts_free(p->facts);
	wiring_memory_fini(&p->memory);
	cluster_notes_free(p->notes);
	probe_notes_free(p->probe_notes);
	probe_secrets_free(p->probe_secrets);
	replica_notes_free(p->replica_notes);
	secrets_fini(&p->secrets);
	free(p->errors.geo);
	free(p->errors.zone_files);
	free(p->errors.config);
	free(p->errors.tls);
	free(p->listening);
	p->on_stopped(p->stopped_arg);
	free(p);
}

static void on_handle_closed(uv_handle_t *handle) { closed_one(handle->data); }

void pipeline_stop(struct pipeline *p, void (*on_stopped)(void *arg), void *arg)
{
	/* What was seen is saved, and so must be what the guard makes of it; and what it was asked to
	 * release. */
	build(p);
	p->on_stopped = on_stopped;
	p->stopped_arg = arg;
	p->still_open = 9U + (p->resolver != NULL);
	sources_stop(p->sources, closed_one, p);
	settle_stop(p->settle, closed_one, p);
	verdicts_stop(p->verdicts, closed_one, p);
	replicas_stop(p->replicas, closed_one, p);
	if (p->resolver != NULL)
		resolver_stop(p->resolver, closed_one, p);
	geo_loader_stop(p->geo, closed_one, p);
	zone_loader_stop(p->zone_files, closed_one, p);
	uv_close((uv_handle_t *)&p->tick, on_handle_closed);
	uv_close((uv_handle_t *)&p->again, on_handle_closed);
	orders_stop(p->orders, closed_one, p);
}
