/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/verdicts_inside.h"

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

void verdicts_note_all(struct verdicts *v)
{
	struct probe_note *list = xcalloc(v->count + 1, sizeof *list);

	for (size_t i = 0; i < v->count; i++)
		list[i] = first_note(&v->judged[i]);
	probe_notes_set_all(v->notes, list, v->count);
	free(list);
}

struct flap_settings verdicts_flap_settings(const struct config *config)
{
	return (struct flap_settings){.threshold = (uint32_t)config->probe.flap_threshold,
	                              .window_ms = config->probe.flap_window_ms,
	                              .hold_ms = config->probe.flap_hold_ms,
	                              .hold_most_ms = config->probe.flap_most_ms};
}

static struct flap_settings flap_settings(const struct verdicts *v)
{
	return verdicts_flap_settings(v->config);
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
	verdicts_save(v, j, down);
}

bool verdicts_are_voted_on(const struct verdicts *v)
{
	return v->replicas != NULL && replicas_vote(v->replicas);
}

/* How many say so, and what this one has found out. */
static void describe_vote(const struct verdicts *v, size_t index, struct text *out)
{
	struct probe_note note;
	char here[PROBE_NOTE_TEXT_SIZE];

	text_add(out, "by vote: ");
	replicas_describe(v->replicas, index, out);
	if (probe_notes_get(v->notes, index, &note, here) && note.at_ms != 0)
		text_printf(out, "; the last probe here: %s", here);
	else
		text_add(out, "; not probed here");
}

static bool put_vote_in_force(struct verdicts *v, size_t index)
{
	bool was = v->table[index].down, down = replicas_decide(v->replicas, index, was);
	struct text why = {0};

	if (down == was)
		return false;
	describe_vote(v, index, &why);
	put_in_force(v, index, down, why.data);
	text_fini(&why);
	return true;
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
	if (v->were_voted_on && !verdicts_are_voted_on(v))
		differs = end_vote(v);
	v->were_voted_on = verdicts_are_voted_on(v);
	for (size_t i = 0; v->were_voted_on && i < v->count; i++)
		differs |= put_vote_in_force(v, i);
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
	if (verdicts_are_voted_on(v)) {
		replicas_note(
			v->replicas, index,
			&(struct replicas_verdict){verdict->succeeded, verdict->reached, j->down});
		if (put_vote_in_force(v, index))
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
	dark = dark && !verdicts_are_voted_on(v);
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
			verdicts_save(v, &v->judged[i], v->judged[i].down);
		v->table[i].down = v->judged[i].down;
	}
	v->on_change(v->arg);
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

static struct probe_settings settings_of(const struct verdicts *v)
{
	const struct config *c = v->config;

	return (struct probe_settings){.interval_ms = c->probe.interval_ms,
	                               .timeout_ms = c->probe.timeout_ms,
	                               .down = (uint32_t)c->probe.down,
	                               .up = (uint32_t)c->probe.up,
	                               .files = c->probe.files,
	                               .secrets = v->store != NULL ? store_probe_secrets(v->store)
	                                                           : NULL};
}

struct verdicts *verdicts_start(uv_loop_t *loop, const struct config *config,
                                const struct facts *facts, struct saved *saved, struct store *store,
                                struct probe_notes *notes, void (*on_change)(void *arg), void *arg)
{
	struct verdicts *v = xcalloc(1, sizeof *v);
	struct probe_settings settings;

	v->config = config;
	v->facts = facts;
	v->saved = saved;
	v->on_change = on_change;
	v->arg = arg;
	v->may_restore = true;
	v->store = store;
	v->notes = notes;
	settings = settings_of(v);
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
	struct probe_settings settings;

	v->config = config;
	settings = settings_of(v);
	prober_configure(v->prober, &settings);
	configure_imports(v);
}

static void on_part_stopped(void *arg)
{
	struct verdicts *v = arg;

	if (--v->still_open > 0)
		return;
	v->on_stopped(v->stopped_arg);
	verdicts_free_judged(v);
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
