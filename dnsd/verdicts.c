/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/verdicts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "watcher/flap.h"
#include "watcher/imports.h"
#include "watcher/probe.h"

/* What is known of one index. */
struct judged {
	struct records_probe probe; /* what the index meant at the last set_targets */
	uint64_t way;               /* stands for its check's key; 0: a connection */
	enum policy_check_kind kind;
	bool wanted;
	bool is_new; /* it meant something else, or was not wanted, before */
	bool fails;  /* as the prober says */
	bool down;   /* that, or it is held; the table may hold an older word in the dark */
	uint64_t fails_since_ms; /* its first failed probe since a good one; 0: the last was good */
	uint64_t down_ms;        /* that it began to fail; 0: before it was ours */
	bool fails_alone;        /* meanwhile something answered */
	struct flap *flap;       /* NULL: it has not gone down for long */
};

struct verdicts {
	const struct config *config;
	const struct facts *facts;
	struct saved *saved;
	struct prober *prober;
	struct imports *imports;
	struct store *store;
	bool no_commands;
	unsigned still_open;       /* of the prober and the imports, while they stop */
	struct replicas *replicas; /* NULL: probes decide */
	bool were_voted_on;        /* what is in the table */
	struct zones_probe *table;
	struct probe_notes *notes;
	struct judged *judged;
	size_t count;
	bool dark;
	bool may_restore; /* what was saved counts for the first targets only */
	uint64_t last_success_ms;
	void (*on_change)(void *arg);
	void *arg;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- which are probed --- */

/* A policy's checks are made always, unless it says otherwise. */
static enum config_probe_mode mode_of(const struct verdicts *v, const struct records_check *check)
{
	static const enum config_probe_mode said[] = {CONFIG_PROBE_ALWAYS, CONFIG_PROBE_UNSEEN,
	                                              CONFIG_PROBE_ALWAYS, CONFIG_PROBE_OFF};

	if (check == NULL)
		return (enum config_probe_mode)v->config->probe.mode;
	return check->is->mode < sizeof said / sizeof said[0] ? said[check->is->mode]
	                                                      : CONFIG_PROBE_ALWAYS;
}

static bool is_wanted(const struct verdicts *v, const struct records_result *r,
                      const struct records_probe *probe)
{
	if (probe->addr.family == ADDR_NONE)
		return false;
	switch (mode_of(v, records_check_of(r, probe))) {
	case CONFIG_PROBE_ALWAYS:
		return true;
	case CONFIG_PROBE_UNSEEN:
		return facts_cluster(v->facts, probe->cluster)->knowledge == KNOWLEDGE_UNSEEN;
	case CONFIG_PROBE_OFF:
		return false;
	}
	return false;
}

static bool same_place(const struct records_probe *a, const struct records_probe *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port && a->cluster == b->cluster;
}

/* --- over a restart --- */

static uint64_t way_of(const struct records_result *r, const struct records_probe *probe)
{
	const struct records_check *check = records_check_of(r, probe);

	return check != NULL ? hash_fixed(check->key) | 1 : 0;
}

static enum policy_check_kind kind_of(const struct records_result *r,
                                      const struct records_probe *probe)
{
	const struct records_check *check = records_check_of(r, probe);

	return check != NULL ? check->is->kind : POLICY_CHECK_NONE;
}

static void print_key(const struct records_probe *probe, uint64_t way, char out[VERDICTS_KEY_SIZE])
{
	char text[ADDR_PORT_TEXT_SIZE];

	addr_port_print(&probe->addr, probe->port, text);
	if (way == 0)
		(void)snprintf(out, VERDICTS_KEY_SIZE, "%s", text);
	else
		(void)snprintf(out, VERDICTS_KEY_SIZE, "%s %016" PRIx64, text, way);
}

void verdicts_print_key(const struct records_result *r, const struct records_probe *probe,
                        char out[VERDICTS_KEY_SIZE])
{
	print_key(probe, way_of(r, probe), out);
}

static bool was_saved_down(const struct verdicts *v, const struct judged *j)
{
	char key[VERDICTS_KEY_SIZE];
	struct bytes value;

	print_key(&j->probe, j->way, key);
	return v->saved != NULL && saved_find_value(v->saved, SAVED_PROBE, bytes_of(key), &value) &&
	       bytes_equal_text(value, "down");
}

static void save(struct verdicts *v, const struct judged *j, bool down)
{
	char key[VERDICTS_KEY_SIZE];

	print_key(&j->probe, j->way, key);
	if (v->saved != NULL)
		saved_put_value(v->saved, SAVED_PROBE, bytes_of(key),
		                down ? bytes_of("down") : (struct bytes){0});
}

/* --- verdicts --- */

static const char *name_of(enum policy_check_kind kind)
{
	static const char *const names[] = {
		[POLICY_CHECK_NONE] = "tcp",  [POLICY_CHECK_TCP] = "tcp",
		[POLICY_CHECK_HTTP] = "http", [POLICY_CHECK_HTTPS] = "https",
		[POLICY_CHECK_GRPC] = "grpc", [POLICY_CHECK_IMPORT] = "import"};

	return kind < sizeof names / sizeof names[0] ? names[kind] : "";
}

/* Before it was probed. */
static struct probe_note first_note(const struct judged *j)
{
	return (struct probe_note){.addr = j->probe.addr,
	                           .port = j->probe.port,
	                           .check = name_of(j->kind),
	                           .is_wanted = j->wanted,
	                           .down = j->down};
}

static void note_all(struct verdicts *v)
{
	struct probe_note *list = xcalloc(v->count + 1, sizeof *list);

	for (size_t i = 0; i < v->count; i++)
		list[i] = first_note(&v->judged[i]);
	probe_notes_set_all(v->notes, list, v->count);
	free(list);
}

static struct flap_settings flap_settings(const struct verdicts *v)
{
	return (struct flap_settings){.threshold = (uint32_t)v->config->probe.flap_threshold,
	                              .window_ms = v->config->probe.flap_window_ms,
	                              .hold_ms = v->config->probe.flap_hold_ms,
	                              .hold_most_ms = v->config->probe.flap_most_ms};
}

/* While this one fails, does something answer?  Else it may be our own network that goes up and down. */
static void note_failures(const struct verdicts *v, struct judged *j,
                          const struct probe_verdict *verdict, uint64_t now_ms)
{
	if (verdict->succeeded) {
		j->fails_since_ms = 0;
		return;
	}
	if (j->fails_since_ms == 0)
		j->fails_since_ms = now_ms;
	j->fails_alone |= verdict->reached || v->last_success_ms > j->fails_since_ms;
	if (verdict->down && !j->fails)
		j->down_ms = now_ms;
}

/* A time that it was down counts when it comes back: by then it is known whose fault that was. */
static void note_flapping(const struct verdicts *v, struct judged *j, bool fails, uint64_t now_ms)
{
	struct flap_settings s = flap_settings(v);

	if (!fails && j->fails && j->fails_alone && !v->dark) {
		if (j->flap == NULL)
			j->flap = xcalloc(1, sizeof(*j->flap));
		flap_went_down(j->flap, &s, j->down_ms != 0 ? j->down_ms : now_ms);
		flap_came_up(j->flap, &s, now_ms);
	}
	j->fails_alone &= fails || j->fails_since_ms != 0;
	j->fails = fails;
	if (j->flap != NULL && flap_is_over(j->flap, &s, now_ms)) {
		free(j->flap);
		j->flap = NULL;
	}
}

static void note(struct verdicts *v, size_t index, const struct probe_verdict *verdict,
                 uint64_t now_ms)
{
	struct flap_settings s = flap_settings(v);
	const struct judged *j = &v->judged[index];
	struct probe_note said = first_note(j);

	said.ok = verdict->succeeded;
	said.is_void = verdict->is_void;
	said.at_ms = now_ms;
	said.flapping = j->flap != NULL && flap_is_flapping(j->flap, &s, now_ms);
	said.held_until_ms =
		j->flap != NULL && flap_is_held(j->flap, now_ms) ? j->flap->held_until_ms : 0;
	probe_notes_set(v->notes, index, &said, verdict->text);
}

static void put_in_force(struct verdicts *v, size_t index, bool down, const char *text)
{
	struct judged *j = &v->judged[index];
	char address[ADDR_PORT_TEXT_SIZE];

	v->table[index].down = down;
	log_info("watcher", "address went %s address=%s cluster=%s reason=\"%s\"",
	         down ? "down" : "up", addr_port_print(&j->probe.addr, j->probe.port, address),
	         facts_cluster_name(v->facts, j->probe.cluster), text);
	save(v, j, down);
}

static bool are_voted_on(const struct verdicts *v)
{
	return v->replicas != NULL && replicas_vote(v->replicas);
}

static bool put_vote_in_force(struct verdicts *v, size_t index, const char *text)
{
	bool was = v->table[index].down, down = replicas_decide(v->replicas, index, was);

	if (down != was)
		put_in_force(v, index, down, text);
	return down != was;
}

/* The vote ends: what was probed here counts by itself again. */
static bool end_vote(struct verdicts *v)
{
	bool differs = false;

	for (size_t i = 0; i < v->count; i++) {
		bool down = v->judged[i].wanted && v->judged[i].down;

		if (v->table[i].down == down)
			continue;
		put_in_force(v, i, down, "there is no vote any more");
		differs = true;
	}
	return differs;
}

void verdicts_count_votes(struct verdicts *v)
{
	bool differs = false;

	if (v->replicas == NULL || !replicas_have_changed(v->replicas))
		return;
	if (v->were_voted_on && !are_voted_on(v))
		differs = end_vote(v);
	v->were_voted_on = are_voted_on(v);
	for (size_t i = 0; v->were_voted_on && i < v->count; i++)
		differs |= put_vote_in_force(v, i, "the replicas' vote");
	if (differs)
		v->on_change(v->arg);
}

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	struct verdicts *v = arg;
	uint64_t now_ms = clock_monotonic_ms();
	struct judged *j;
	bool was;

	if (index >= v->count)
		return;
	j = &v->judged[index];
	if (verdict->is_void) {
		note(v, index, verdict, now_ms);
		return;
	}
	was = j->down;
	v->table[index].at_ms = now_ms;
	if (verdict->reached)
		v->last_success_ms = now_ms;
	note_failures(v, j, verdict, now_ms);
	note_flapping(v, j, verdict->down, now_ms);
	j->down = j->fails || (j->flap != NULL && flap_is_held(j->flap, now_ms));
	note(v, index, verdict, now_ms);
	if (are_voted_on(v)) {
		replicas_note(
			v->replicas, index,
			&(struct replicas_verdict){verdict->succeeded, verdict->reached, j->down});
		if (put_vote_in_force(v, index, verdict->text))
			v->on_change(v->arg);
		return;
	}
	/* The first answer may be the end of the dark. */
	if (verdict->reached && v->dark) {
		v->on_change(v->arg);
	} else if (j->down != was && !v->dark) {
		put_in_force(v, index, j->down, verdict->text);
		v->on_change(v->arg);
	}
}

void verdicts_set_dark(struct verdicts *v, bool dark)
{
	/* Replicas know by themselves when nothing can be said. */
	dark = dark && !are_voted_on(v);
	if (v->dark == dark)
		return;
	v->dark = dark;
	if (dark) {
		log_warn("watcher",
		         "no cluster can be seen and no probe succeeds: all stays as last known");
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		if (v->table[i].down != v->judged[i].down)
			save(v, &v->judged[i], v->judged[i].down);
		v->table[i].down = v->judged[i].down;
	}
	v->on_change(v->arg);
}

/* --- other targets --- */

static void free_judged(struct verdicts *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->judged[i].flap);
	free(v->judged);
	free(v->table);
}

static bool stays(const struct judged *was, const struct judged *now)
{
	return was->wanted && now->wanted && was->way == now->way &&
	       same_place(&was->probe, &now->probe);
}

static int by_place(const void *a, const void *b)
{
	const struct records_probe *x = &(*(struct judged *const *)a)->probe;
	const struct records_probe *y = &(*(struct judged *const *)b)->probe;
	int order = addr_compare(&x->addr, &y->addr);

	if (order == 0)
		order = (x->port > y->port) - (x->port < y->port);
	return order != 0 ? order : (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

/* A verdict counts only while its cluster is probed: an old one says nothing of a cluster that has
 * been seen since, nor of an address that nobody publishes any more.  Gives those that were down,
 * sorted: where a policy asks in another way now, that stays the last word. */
static size_t forget_gone(struct verdicts *v, const struct judged *now, size_t count,
                          struct judged **gone)
{
	size_t gone_count = 0;

	for (size_t i = 0; i < v->count; i++) {
		struct judged *was = &v->judged[i];

		if (!v->table[i].down || (i < count && stays(was, &now[i])))
			continue;
		save(v, was, false);
		if (was->wanted)
			gone[gone_count++] = was;
	}
	if (gone_count > 0)
		qsort(gone, gone_count, sizeof(*gone), by_place);
	return gone_count;
}

/* Without a look at each of millions. */
static bool none_is_wanted(const struct verdicts *v, const struct records_result *r)
{
	if (r->check_count > 1 || v->config->probe.mode == CONFIG_PROBE_ALWAYS)
		return false;
	for (size_t i = 0; i < r->cluster_count; i++)
		if (r->clusters[i].state->knowledge == KNOWLEDGE_UNSEEN)
			return v->config->probe.mode == CONFIG_PROBE_OFF;
	return true;
}

/* How many of the indexes matter: up to the last that is to be probed, mostly none at all. */
static size_t count_targets(const struct verdicts *v, const struct records_result *r)
{
	size_t count = none_is_wanted(v, r) ? 0 : r->probe_count;

	if (are_voted_on(v))
		return r->probe_count; /* others may probe them */
	while (count > 0 && !is_wanted(v, r, &r->probes[count - 1]))
		count--;
	return count;
}

static struct judged *list_judged(struct verdicts *v, const struct records_result *r, size_t count)
{
	struct judged *list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		struct judged *j = &list[i];

		*j = (struct judged){.probe = r->probes[i],
		                     .way = way_of(r, &r->probes[i]),
		                     .kind = kind_of(r, &r->probes[i])};
		j->wanted = is_wanted(v, r, &j->probe);
		j->is_new = j->wanted && !(i < v->count && stays(&v->judged[i], j));
		if (j->wanted && !j->is_new) {
			*j = v->judged[i];
			j->probe = r->probes[i];
			j->is_new = false;
			v->judged[i].flap = NULL; /* it is this one's now */
		}
	}
	return list;
}

/* It is not probed here, but voted on. */
static bool is_left_alone(const struct verdicts *v, size_t index, const struct judged *now)
{
	const struct judged *was = &v->judged[index];

	return are_voted_on(v) && !was->wanted && !now->wanted && was->way == now->way &&
	       same_place(&was->probe, &now->probe);
}

static struct zones_probe *new_table(struct verdicts *v, struct judged *judged, size_t count)
{
	struct zones_probe *table = xcalloc(count + 1, sizeof *table);
	struct judged **gone = xcalloc(v->count + 1, sizeof(*gone));
	size_t gone_count = forget_gone(v, judged, count, gone);

	for (size_t i = 0; i < count; i++) {
		struct judged *j = &judged[i];

		if ((j->wanted && !j->is_new) || (i < v->count && is_left_alone(v, i, j)))
			table[i] = v->table[i];
		if (!j->is_new)
			continue;
		j->fails = (v->may_restore && was_saved_down(v, j)) ||
		           (gone_count > 0 &&
		            bsearch(&j, gone, gone_count, sizeof(*gone), by_place) != NULL);
		table[i].down = j->down = j->fails;
	}
	free(gone);
	return table;
}

static void set_prober(struct verdicts *v, const struct records_result *r, size_t count)
{
	struct probe_target *targets = xcalloc(count + 1, sizeof *targets);
	struct probe_way *ways = xcalloc(r->check_count + 1, sizeof *ways);

	for (size_t i = 0; i < r->check_count; i++)
		ways[i] = (struct probe_way){r->checks[i].is, r->checks[i].key};
	for (size_t i = 0; i < count; i++)
		targets[i] = (struct probe_target){.addr = r->probes[i].addr,
		                                   .port = r->probes[i].port,
		                                   .wanted = v->judged[i].wanted,
		                                   .way = r->probes[i].check,
		                                   .cluster = r->probes[i].cluster};
	prober_set_targets(v->prober, ways, r->check_count, targets, count);
	free(ways);
	free(targets);
}

static void set_states(struct verdicts *v, bool down)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->judged[i].is_new && v->judged[i].down == down)
			prober_set_state(v->prober, i, down);
}

/* A new index may share its probe with others: that it was down is known of one, that another is new says nothing; and
 * when the probe was judged already, that is its state. */
static void adopt_states(struct verdicts *v)
{
	set_states(v, false);
	set_states(v, true);
	for (size_t i = 0; i < v->count; i++) {
		struct judged *j = &v->judged[i];

		if (!j->is_new)
			continue;
		j->down = j->fails = prober_is_down(v->prober, i);
		if (!v->dark)
			v->table[i].down = j->down;
		if (v->table[i].down)
			save(v, j, true);
	}
}

static bool is_index_wanted(size_t index, void *arg)
{
	const struct verdicts *v = arg;

	return index < v->count && v->judged[index].wanted;
}

void verdicts_set_targets(struct verdicts *v, const struct records_result *r)
{
	size_t count = count_targets(v, r);
	struct judged *judged = list_judged(v, r, count);
	struct zones_probe *table = new_table(v, judged, count);

	free_judged(v);
	v->table = table;
	v->judged = judged;
	v->count = count;
	v->may_restore &= r->probe_count == 0;
	note_all(v);
	set_prober(v, r, count);
	adopt_states(v);
	if (v->replicas != NULL)
		replicas_set_targets(v->replicas, r, is_index_wanted, v);
	verdicts_count_votes(v);
}

const struct zones_probe *verdicts_table(const struct verdicts *v, size_t *count)
{
	*count = v->count;
	return v->table;
}

void verdicts_give_counts(struct verdicts *v)
{
	struct prober_counts c = prober_counts(v->prober);

	probe_notes_set_counts(v->notes, c.attempts, c.waits, c.voided);
}

uint64_t verdicts_last_success_ms(const struct verdicts *v) { return v->last_success_ms; }

/* --- imports --- */

static enum probe_word on_import(struct bytes import, const struct probe_target *target,
                                 char reason[PROBE_WORD_SIZE], void *arg)
{
	const struct verdicts *v = arg;
	const struct import_word *word =
		imports_find(v->imports, import, &target->addr, target->port,
	                     bytes_of(facts_cluster_name(v->facts, target->cluster)));

	if (word == NULL)
		return PROBE_NO_WORD;
	(void)snprintf(
		reason, PROBE_WORD_SIZE, "%.*s",
		(int)(word->reason.len < PROBE_WORD_SIZE ? word->reason.len : PROBE_WORD_SIZE - 1),
		(const char *)word->reason.data);
	return word->down ? PROBE_SAID_DOWN : PROBE_SAID_UP;
}

static void on_import_error(const char *name, const char *message, void *arg)
{
	const struct verdicts *v = arg;
	struct text where = {0};

	text_printf(&where, "probe.imports %s", name);
	if (v->store != NULL)
		store_set_error(v->store, where.data, message);
	text_fini(&where);
}

static void configure_imports(struct verdicts *v)
{
	size_t count = v->config->probe.import_count;
	struct import_settings *list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		const struct config_import *c = &v->config->probe.imports[i];

		list[i] = (struct import_settings){c->name, c->file, c->command, c->interval_ms,
		                                   c->timeout_ms};
	}
	imports_configure(v->imports, list, count, !v->no_commands);
	free(list);
}

void verdicts_forbid_commands(struct verdicts *v) { v->no_commands = true; }

/* --- life --- */

static struct probe_settings settings_of(const struct config *c)
{
	return (struct probe_settings){.interval_ms = c->probe.interval_ms,
	                               .timeout_ms = c->probe.timeout_ms,
	                               .down = (uint32_t)c->probe.down,
	                               .up = (uint32_t)c->probe.up,
	                               .files = c->probe.files};
}

struct verdicts *verdicts_start(uv_loop_t *loop, const struct config *config,
                                const struct facts *facts, struct saved *saved, struct store *store,
                                struct probe_notes *notes, void (*on_change)(void *arg), void *arg)
{
	struct verdicts *v = xcalloc(1, sizeof *v);
	struct probe_settings settings = settings_of(config);

	v->config = config;
	v->facts = facts;
	v->saved = saved;
	v->on_change = on_change;
	v->arg = arg;
	v->may_restore = true;
	v->store = store;
	v->notes = notes;
	v->prober = prober_new(loop, &settings, on_verdict, v);
	v->imports = imports_start(loop, on_import_error, v);
	prober_set_imports(v->prober, on_import);
	configure_imports(v);
	return v;
}

void verdicts_set_replicas(struct verdicts *v, struct replicas *replicas)
{
	v->replicas = replicas;
}

void verdicts_configure(struct verdicts *v, const struct config *config)
{
	struct probe_settings settings = settings_of(config);

	v->config = config;
	prober_configure(v->prober, &settings);
	configure_imports(v);
}

static void on_part_stopped(void *arg)
{
	struct verdicts *v = arg;

	if (--v->still_open > 0)
		return;
	v->on_stopped(v->stopped_arg);
	free_judged(v);
	free(v);
}

void verdicts_stop(struct verdicts *v, void (*on_stopped)(void *arg), void *arg)
{
	v->on_stopped = on_stopped;
	v->stopped_arg = arg;
	v->still_open = 2;
	prober_stop(v->prober, on_part_stopped, v);
	imports_stop(v->imports, on_part_stopped, v);
}
