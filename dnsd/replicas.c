/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/replicas.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "dnsd/config_place.h"
#include "watcher/peers.h"
#include "watcher/peers_tls.h"
#include "watcher/vote.h"

/* What is voted on at an index. */
struct address {
	struct vote_key key;
	struct vote_opinion *opinion; /* NULL: the index is free */
	uint16_t cluster;
	bool is_wanted;
	bool is_told; /* by a file or a command: no network lies between */
	struct vote_probed probed;
};

/* A cluster, by its id. */
struct cluster {
	struct vote_key key;
	struct vote_opinion *opinion; /* NULL: there is none */
	uint64_t seen_by;             /* as of the last look */
};

struct replicas {
	uv_loop_t *loop;
	const struct config *config;
	void (*on_change)(void *arg);
	void *arg;
	struct vote *vote;   /* NULL: no replicas are configured */
	struct peers *peers; /* with it */
	struct address *addresses;
	size_t count, wanted; /* wanted: those that a network lies before */
	struct cluster *clusters;
	size_t cluster_count;
	bool sees_api;        /* of some cluster whose addresses are not probed for that */
	uint64_t success_ms;  /* when a probe last reached something */
	uint64_t reach_ms;    /* that, or when probing began */
	uint64_t period_ms;   /* in which each address is probed and answers */
	bool reached;         /* something, at the last look */
	bool votes_are_stale; /* they were not given since they changed */
	bool has_changed;     /* since replicas_have_changed() */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

bool replicas_vote(const struct replicas *r) { return r->vote != NULL; }

/* --- what this replica sees --- */

/* Believed are failures when meanwhile something was reached: also an API server. */
static uint64_t last_success(const struct replicas *r, uint64_t now_ms)
{
	return r->sees_api ? now_ms : r->success_ms;
}

static bool reaches(const struct replicas *r, uint64_t now_ms)
{
	return r->wanted == 0 || r->sees_api || vote_reaches(r->reach_ms, r->period_ms, now_ms);
}

static void tell(struct replicas *r, const struct vote_key *key, const struct vote_opinion *opinion,
                 enum vote_view view)
{
	if (vote_said(opinion, 0) == view)
		return;
	(void)peers_tell(r->peers, key, view);
	r->votes_are_stale = r->has_changed = true;
}

static void tell_address(struct replicas *r, const struct address *a)
{
	if (a->opinion != NULL && a->is_wanted)
		tell(r, &a->key, a->opinion, vote_view_of(&a->probed));
}

void replicas_note(struct replicas *r, size_t index, const struct replicas_verdict *verdict)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct address *a;

	if (r->vote == NULL || index >= r->count)
		return;
	a = &r->addresses[index];
	a->probed.down = verdict->down;
	if (a->is_told)
		vote_note_word(&a->probed, verdict->succeeded);
	else if (verdict->succeeded)
		vote_note_success(&a->probed, now_ms, &r->success_ms);
	else if (verdict->reached)
		vote_note_bad_answer(&a->probed, now_ms, &r->success_ms);
	else
		vote_note_failure(&a->probed, now_ms, last_success(r, now_ms));
	if ((verdict->reached || verdict->succeeded) && !a->is_told)
		r->reach_ms = now_ms;
	tell_address(r, a);
}

/* --- other addresses --- */

static struct vote_key key_of(const struct records_result *result,
                              const struct records_probe *probe)
{
	const struct records_check *check = records_check_of(result, probe);

	return vote_key_of_address(&probe->addr, probe->port,
	                           check != NULL ? check->key : (struct bytes){0});
}

static bool is_told(const struct records_result *result, const struct records_probe *probe)
{
	const struct records_check *check = records_check_of(result, probe);

	return check != NULL && check->is->kind == POLICY_CHECK_IMPORT;
}

static bool same_key(const struct vote_key *a, const struct vote_key *b)
{
	return a->a == b->a && a->b == b->b;
}

/* What was known of an index stays while it is the same and probed. */
static struct address take_address(struct replicas *r, size_t index,
                                   const struct records_result *result, bool is_wanted)
{
	const struct records_probe *probe = &result->probes[index];
	const struct address *before = index < r->count ? &r->addresses[index] : NULL;
	struct address a = {.cluster = probe->cluster, .is_wanted = is_wanted};

	if (probe->addr.family == ADDR_NONE)
		return a;
	a.key = key_of(result, probe);
	a.is_told = is_told(result, probe);
	a.opinion = vote_watch(r->vote, &a.key);
	if (is_wanted && before != NULL && before->opinion != NULL && before->is_wanted &&
	    same_key(&before->key, &a.key))
		a.probed = before->probed;
	return a;
}

static void free_addresses(struct replicas *r)
{
	for (size_t i = 0; i < r->count; i++)
		vote_unwatch(r->vote, r->addresses[i].opinion);
	free(r->addresses);
	r->addresses = NULL;
	r->count = r->wanted = 0;
}

/* Of those that are not probed any more nothing is known. */
static void tell_gone(struct replicas *r, const struct address *now, size_t count)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct address *a = &r->addresses[i];
		bool stays = i < count && now[i].is_wanted && same_key(&now[i].key, &a->key);

		if (a->opinion != NULL && a->is_wanted && !stays)
			tell(r, &a->key, a->opinion, VOTE_UNKNOWN);
	}
}

static void set_addresses(struct replicas *r, const struct records_result *result,
                          replicas_is_wanted_fn *is_wanted, void *arg)
{
	struct address *now = xcalloc(result->probe_count + 1, sizeof *now);
	size_t wanted = 0;

	for (size_t i = 0; i < result->probe_count; i++) {
		now[i] = take_address(r, i, result, is_wanted(i, arg));
		wanted += now[i].is_wanted && !now[i].is_told;
	}
	tell_gone(r, now, result->probe_count);
	if (r->wanted == 0 && wanted > 0)
		r->reach_ms = clock_monotonic_ms();
	free_addresses(r);
	r->addresses = now;
	r->count = result->probe_count;
	r->wanted = wanted;
	/* Two may have had one key, of which one is gone. */
	for (size_t i = 0; i < r->count; i++)
		tell_address(r, &r->addresses[i]);
}

static void free_clusters(struct replicas *r)
{
	for (size_t i = 0; i < r->cluster_count; i++)
		vote_unwatch(r->vote, r->clusters[i].opinion);
	free(r->clusters);
	r->clusters = NULL;
	r->cluster_count = 0;
}

/* Whose API is seen is up without a probe; which of them a name means, ids do not tell to others. */
static void set_clusters(struct replicas *r, const struct records_result *result)
{
	struct cluster *before = r->clusters;
	size_t count_before = r->cluster_count;

	r->cluster_count = 0;
	for (size_t i = 0; i < result->cluster_count; i++)
		if (result->clusters[i].id >= r->cluster_count)
			r->cluster_count = result->clusters[i].id + 1U;
	r->clusters = xcalloc(r->cluster_count + 1, sizeof *r->clusters);
	r->sees_api = false;
	for (size_t i = 0; i < result->cluster_count; i++) {
		const struct records_cluster *is = &result->clusters[i];
		struct cluster *c = &r->clusters[is->id];
		bool seen = r->config->probe.mode == CONFIG_PROBE_UNSEEN &&
		            is->state->knowledge == KNOWLEDGE_SYNCED;

		c->key = vote_key_of_cluster(bytes_of(is->name));
		c->opinion = vote_watch(r->vote, &c->key);
		tell(r, &c->key, c->opinion, seen ? VOTE_UP : VOTE_UNKNOWN);
		r->sees_api |= seen;
	}
	for (size_t i = 0; i < count_before; i++) {
		struct cluster *c = &before[i];
		bool stays = i < r->cluster_count && r->clusters[i].opinion == c->opinion;

		if (c->opinion != NULL && !stays)
			tell(r, &c->key, c->opinion, VOTE_UNKNOWN);
		vote_unwatch(r->vote, c->opinion);
	}
	free(before);
}

static void look_at_clusters(struct replicas *r)
{
	for (size_t i = 0; i < r->cluster_count; i++)
		if (r->clusters[i].opinion != NULL)
			r->clusters[i].seen_by = vote_see_cluster(r->clusters[i].opinion);
}

/* An interval, and the time that a probe may take: of the slowest way to probe. */
static uint64_t find_period(const struct config *c, const struct records_result *result)
{
	uint64_t period = c->probe.interval_ms + c->probe.timeout_ms;

	for (size_t i = 0; i < result->check_count; i++) {
		const struct policy_check *is = result->checks[i].is;
		uint64_t own;

		if (is == NULL)
			continue;
		own = (is->interval_ms != 0 ? is->interval_ms : c->probe.interval_ms) +
		      (is->timeout_ms != 0 ? is->timeout_ms : c->probe.timeout_ms);
		period = own > period ? own : period;
	}
	return period;
}

void replicas_set_targets(struct replicas *r, const struct records_result *result,
                          replicas_is_wanted_fn *is_wanted, void *arg)
{
	if (r->vote == NULL)
		return;
	r->period_ms = find_period(r->config, result);
	set_clusters(r, result);
	set_addresses(r, result, is_wanted, arg);
	look_at_clusters(r);
	r->votes_are_stale = r->has_changed = true;
	replicas_tick(r);
}

/* --- decisions --- */

static struct vote_ballot count_votes(const struct replicas *r, const struct address *a)
{
	uint64_t seen_by = a->cluster < r->cluster_count ? r->clusters[a->cluster].seen_by : 0;

	return vote_count(r->vote, a->opinion, seen_by);
}

bool replicas_decide(const struct replicas *r, size_t index, bool was_withdrawn)
{
	const struct address *a = index < r->count ? &r->addresses[index] : NULL;

	if (a == NULL || a->opinion == NULL)
		return false;
	return vote_decide(r->vote, count_votes(r, a), was_withdrawn, a->is_wanted);
}

void replicas_describe(const struct replicas *r, size_t index, struct text *out)
{
	const struct address *a = index < r->count ? &r->addresses[index] : NULL;
	struct vote_ballot b = {0};

	if (a != NULL && a->opinion != NULL)
		b = count_votes(r, a);
	text_printf(out, "%d of %d replicas see it down, %d up", __builtin_popcountll(b.down),
	            __builtin_popcountll(vote_voters(r->vote)), __builtin_popcountll(b.up));
}

bool replicas_have_changed(struct replicas *r)
{
	bool has = r->has_changed;

	r->has_changed = false;
	return has;
}

bool replicas_are_frozen(const struct replicas *r)
{
	return r->vote != NULL && vote_is_frozen(r->vote);
}

void replicas_tick(struct replicas *r)
{
	bool does;

	if (r->vote == NULL)
		return;
	does = reaches(r, clock_monotonic_ms());
	for (size_t i = 0; r->reached && !does && i < r->count; i++) {
		struct address *a = &r->addresses[i];

		if (!a->is_wanted || a->is_told)
			continue;
		vote_note_silence(&a->probed);
		tell_address(r, a);
	}
	r->reached = does;
	peers_tell_reach(r->peers, does);
}

/* Of the other replicas, or of what this one does not know. */
static void on_peers_changed(void *arg)
{
	struct replicas *r = arg;

	r->votes_are_stale = r->has_changed = true;
	look_at_clusters(r);
	r->on_change(r->arg);
}

/* --- what is told of it --- */

static void own_name(const struct config *c, char out[PEERS_NAME_MOST + 1])
{
	memset(out, 0, PEERS_NAME_MOST + 1);
	if (c->replicas.name != NULL)
		snprintf(out, PEERS_NAME_MOST + 1, "%s", c->replicas.name);
	else if (gethostname(out, PEERS_NAME_MOST) != 0 || out[0] == '\0')
		snprintf(out, PEERS_NAME_MOST + 1, "nighd");
}

void replicas_give_votes(struct replicas *r, struct zones *zones)
{
	struct peers_info info[VOTE_MOST_REPLICAS];
	struct snapshot_votes votes = {0};
	struct snapshot_vote *list;
	char name[PEERS_NAME_MOST + 1];

	if (!r->votes_are_stale)
		return;
	r->votes_are_stale = false;
	list = xcalloc(r->count + 1, sizeof *list);
	if (r->vote != NULL) {
		own_name(r->config, name);
		votes.voters = vote_voters(r->vote);
		votes.name[0] = name;
		for (size_t i = 0, count = peers_list(r->peers, info); i < count; i++)
			votes.name[info[i].number] = info[i].name;
	}
	for (size_t i = 0; i < r->count; i++) {
		const struct address *a = &r->addresses[i];
		struct vote_ballot b;

		if (a->opinion == NULL)
			continue;
		b = count_votes(r, a);
		if (b.down != 0)
			list[votes.count++] = (struct snapshot_vote){(uint32_t)i, b.down, b.up};
	}
	votes.vote = list;
	zones_set_votes(zones, &votes);
	free(list);
}

static void add_replica(struct text *out, const struct replicas *r, const struct peers_info *info,
                        uint64_t now_ms)
{
	struct vote_tally sees = vote_tally(r->vote, info->number);
	uint64_t heard_ms = vote_heard_ms(r->vote, info->number);
	size_t known = sees.up + sees.down;
	char addr[ADDR_TEXT_SIZE];

	text_add(out, out->len > 1 ? ",{\"name\":" : "{\"name\":");
	text_add_json(out, bytes_of(info->name));
	text_add(out, ",\"id\":\"");
	for (size_t i = 0; i < PEERS_ID; i++)
		text_printf(out, "%02x", info->id[i]);
	text_add(out, "\",\"certificate\":\"");
	for (size_t i = 0; i < PEERS_TLS_PRINT; i++)
		text_printf(out, "%02x", info->print[i]);
	text_printf(out, "\",\"double\":%s", info->is_double ? "true" : "false");
	text_printf(out, ",\"address\":\"%s\",\"self\":%s,\"heardSecondsAgo\":",
	            info->addr.family != ADDR_NONE ? addr_print(&info->addr, addr) : "",
	            info->number == 0 ? "true" : "false");
	if (heard_ms == 0)
		text_add(out, "null");
	else
		text_printf(out, "%" PRIu64, now_ms > heard_ms ? (now_ms - heard_ms) / 1000 : 0);
	text_printf(out, ",\"voter\":%s,\"sees\":{\"up\":%zu,\"down\":%zu,\"unknown\":%zu}}",
	            vote_voters(r->vote) >> info->number & 1 ? "true" : "false", sees.up, sees.down,
	            r->wanted > known ? r->wanted - known : 0);
}

static struct replica_counts count_all(const struct replicas *r)
{
	struct replica_counts counts = {0};
	struct peers_counts of;

	if (r->vote == NULL)
		return counts;
	of = peers_counts(r->peers);
	counts.heard = (uint64_t)__builtin_popcountll(vote_voters(r->vote) & ~UINT64_C(1));
	counts.frozen = vote_is_frozen(r->vote);
	counts.received = of.received;
	counts.sent = of.sent;
	counts.dropped = of.dropped;
	counts.refused = of.refused;
	counts.untaken = of.untaken;
	counts.doubles = of.doubles;
	counts.claims = of.claims;
	return counts;
}

static uint64_t count_certificates(const struct peers_info *list, size_t count)
{
	uint64_t different = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_new = true;

		for (size_t k = 0; k < i && is_new; k++)
			is_new = memcmp(list[k].print, list[i].print, PEERS_TLS_PRINT) != 0;
		different += is_new;
	}
	return different;
}

void replicas_give_notes(const struct replicas *r, struct replica_notes *notes)
{
	struct peers_info info[VOTE_MOST_REPLICAS] = {0};
	struct replica_counts counts = count_all(r);
	uint64_t now_ms = clock_monotonic_ms();
	char name[PEERS_NAME_MOST + 1];
	struct text json = {0};

	text_add(&json, "[");
	if (r->vote != NULL) {
		size_t count = 1 + peers_list(r->peers, info + 1);

		own_name(r->config, name);
		info[0].name = name;
		memcpy(info[0].id, peers_id(r->peers), PEERS_ID);
		info[0].addr = r->config->replicas.listen.addr;
		peers_print(r->peers, info[0].print);
		for (size_t i = 0; i < count; i++)
			add_replica(&json, r, &info[i], now_ms);
		counts.certificates = count_certificates(info, count);
	}
	text_add(&json, "]");
	replica_notes_set(notes, json.data, &counts);
	text_fini(&json);
}

const char *replicas_error(const struct replicas *r)
{
	return r->vote != NULL ? peers_error(r->peers) : NULL;
}

/* --- life --- */

static bool is_given(const struct config *c) { return c->replicas.certificate != NULL; }

enum err replicas_check(const struct config *c, struct reason *why)
{
	struct peers_tls *tls;
	enum err err;

	if (!is_given(c))
		return ERR_OK;
	err = peers_tls_new(c->replicas.certificate, c->replicas.key, c->replicas.ca, &tls, why);
	if (err == ERR_OK)
		peers_tls_free(tls);
	else
		config_place_add(c, c->replicas.line, "replicas", NULL, why);
	return err;
}

enum err replicas_verify(const struct config *c, struct reason *why)
{
	struct peers_tls *tls;
	enum err err;

	if (!is_given(c))
		return ERR_OK;
	err = peers_tls_new(c->replicas.certificate, c->replicas.key, c->replicas.ca, &tls, why);
	if (err != ERR_OK)
		return err;
	err = peers_tls_verify(tls, why);
	peers_tls_free(tls);
	if (err != ERR_OK)
		reason_prefix(why, "replicas: the others will not let in who shows %s: ",
		              c->replicas.certificate);
	return err;
}

static struct peers_place *make_places(const struct config *c)
{
	struct peers_place *places = xcalloc(c->replicas.peer_count + 1, sizeof *places);

	for (size_t i = 0; i < c->replicas.peer_count; i++) {
		const struct config_peer *peer = &c->replicas.peers[i];

		places[i] = (struct peers_place){peer->addr, peer->port, peer->host};
	}
	return places;
}

static void on_peers_gone(void *arg) { vote_free(arg); }

/* Peers are the last that look at the vote. */
static void switch_off(struct replicas *r, void (*on_stopped)(void *arg), void *arg)
{
	free_addresses(r);
	free_clusters(r);
	peers_stop(r->peers, on_stopped, arg);
	r->peers = NULL;
	r->vote = NULL;
	r->votes_are_stale = r->has_changed = true;
}

static enum err switch_on(struct replicas *r, const struct peers_settings *s, struct reason *why)
{
	struct peers_events events = {on_peers_changed, r};
	struct hash_key key = {random_u64(), random_u64()};
	struct vote *vote = vote_new(&key);
	enum err err = peers_new(r->loop, s, vote, &events, &r->peers, why);

	if (err == ERR_OK)
		r->vote = vote;
	else
		vote_free(vote);
	return err;
}

enum err replicas_configure(struct replicas *r, const struct config *c, struct reason *why)
{
	char name[PEERS_NAME_MOST + 1];
	struct peers_place *places = make_places(c);
	struct peers_settings s = {
		.addr = c->replicas.listen.addr,
		.port = c->replicas.listen.port,
		.name = name,
		.places = places,
		.place_count = c->replicas.peer_count,
		.certificate = c->replicas.certificate,
		.key = c->replicas.key,
		.ca = c->replicas.ca,
	};
	enum err err = ERR_OK;

	own_name(c, name);
	if (!is_given(c) && r->vote != NULL)
		switch_off(r, on_peers_gone, r->vote);
	else if (is_given(c) && r->vote != NULL)
		err = peers_configure(r->peers, &s, why);
	else if (is_given(c))
		err = switch_on(r, &s, why);
	free(places);
	if (err == ERR_OK)
		r->config = c;
	else
		config_place_add(c, c->replicas.line, "replicas", NULL, why);
	return err;
}

struct replicas *replicas_new(uv_loop_t *loop, void (*on_change)(void *arg), void *arg)
{
	struct replicas *r = xcalloc(1, sizeof *r);

	r->loop = loop;
	r->on_change = on_change;
	r->arg = arg;
	return r;
}

static void on_all_gone(void *arg)
{
	struct replicas *r = arg;

	r->on_stopped(r->stopped_arg);
	vote_free(r->vote);
	free(r);
}

void replicas_stop(struct replicas *r, void (*on_stopped)(void *arg), void *arg)
{
	struct vote *vote = r->vote;

	r->on_stopped = on_stopped;
	r->stopped_arg = arg;
	if (vote == NULL) {
		on_all_gone(r);
		return;
	}
	switch_off(r, on_all_gone, r);
	r->vote = vote; /* freed with it */
}
