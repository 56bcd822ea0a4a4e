/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/verdicts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "watcher/probe.h"

/* What is known of one index. */
struct judged {
	struct records_probe probe; /* what the index meant at the last set_targets */
	bool wanted;
	bool down; /* as the prober says; the table may hold an older word in the dark */
};

struct verdicts {
	const struct config *config;
	const struct facts *facts;
	struct saved *saved;
	struct prober *prober;
	struct zones_probe *table;
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

static bool cluster_is_probed(const struct verdicts *v, uint16_t cluster)
{
	const struct cluster_state *state = facts_cluster(v->facts, cluster);

	switch ((enum config_probe_mode)v->config->probe.mode) {
	case CONFIG_PROBE_ALWAYS:
		return true;
	case CONFIG_PROBE_UNSEEN:
		return state->knowledge == KNOWLEDGE_UNSEEN;
	case CONFIG_PROBE_OFF:
		return false;
	}
	return false;
}

static bool same_probe(const struct records_probe *a, const struct records_probe *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port && a->cluster == b->cluster;
}

/* --- over a restart --- */

static struct bytes key_of(const struct records_probe *probe, char text[ADDR_PORT_TEXT_SIZE])
{
	return bytes_of(addr_port_print(&probe->addr, probe->port, text));
}

static bool was_saved_down(const struct verdicts *v, const struct records_probe *probe)
{
	char text[ADDR_PORT_TEXT_SIZE];
	struct bytes value;

	return v->saved != NULL &&
	       saved_find_value(v->saved, SAVED_PROBE, key_of(probe, text), &value) &&
	       bytes_equal_text(value, "down");
}

static void save(struct verdicts *v, const struct records_probe *probe, bool down)
{
	char text[ADDR_PORT_TEXT_SIZE];

	if (v->saved != NULL)
		saved_put_value(v->saved, SAVED_PROBE, key_of(probe, text),
		                down ? bytes_of("down") : (struct bytes){0});
}

/* --- verdicts --- */

static void on_verdict(size_t index, bool succeeded, bool down, void *arg)
{
	struct verdicts *v = arg;
	struct judged *j;
	char text[ADDR_PORT_TEXT_SIZE];

	if (index >= v->count)
		return;
	j = &v->judged[index];
	if (succeeded)
		v->last_success_ms = clock_monotonic_ms();
	v->table[index].at_ms = prober_verdict_ms(v->prober, index);
	/* The first success may be the end of the dark. */
	if (succeeded && v->dark)
		v->on_change(v->arg);
	if (j->down == down)
		return;
	j->down = down;
	if (v->dark)
		return;
	v->table[index].down = down;
	log_info("watcher", "address went %s address=%s cluster=%s", down ? "down" : "up",
	         addr_port_print(&j->probe.addr, j->probe.port, text),
	         facts_cluster_name(v->facts, j->probe.cluster));
	save(v, &j->probe, down);
	v->on_change(v->arg);
}

void verdicts_set_dark(struct verdicts *v, bool dark)
{
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
			save(v, &v->judged[i].probe, v->judged[i].down);
		v->table[i].down = v->judged[i].down;
	}
	v->on_change(v->arg);
}

/* A verdict counts only while its cluster is probed: an old one says nothing of a cluster that has
 * been seen since, nor of an address that nobody publishes any more. */
static void forget_unwanted(struct verdicts *v, const struct records_result *result)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct records_probe *was = &v->judged[i].probe;
		bool stays = i < result->probe_count && same_probe(&result->probes[i], was) &&
		             cluster_is_probed(v, was->cluster);

		if (!stays && v->table[i].down)
			save(v, was, false);
	}
}

static void judge_anew(struct verdicts *v, size_t index, const struct records_probe *probe,
                       struct zones_probe *entry, struct judged *j)
{
	const struct judged *before = index < v->count ? &v->judged[index] : NULL;

	if (before != NULL && before->wanted && same_probe(&before->probe, probe)) {
		*entry = v->table[index];
		j->down = before->down;
		return;
	}
	entry->down = v->may_restore && was_saved_down(v, probe);
	j->down = entry->down;
}

static bool is_wanted(const struct verdicts *v, const struct records_probe *probe)
{
	return probe->addr.family != ADDR_NONE && cluster_is_probed(v, probe->cluster);
}

/* How many of the indexes matter: up to the last that is to be probed, mostly none at all. */
static size_t count_targets(const struct verdicts *v, const struct records_result *result)
{
	size_t count = result->probe_count;
	bool any = v->config->probe.mode == CONFIG_PROBE_ALWAYS;

	for (size_t i = 0; i < result->cluster_count && !any; i++)
		any = cluster_is_probed(v, result->clusters[i].id);
	if (!any)
		return 0;
	while (count > 0 && !is_wanted(v, &result->probes[count - 1]))
		count--;
	return count;
}

void verdicts_set_targets(struct verdicts *v, const struct records_result *result)
{
	size_t count = count_targets(v, result);
	struct probe_target *targets = xcalloc(count + 1, sizeof *targets);
	struct zones_probe *table = xcalloc(count + 1, sizeof *table);
	struct judged *judged = xcalloc(count + 1, sizeof *judged);
	bool *is_new = xcalloc(count + 1, sizeof *is_new);

	forget_unwanted(v, result);
	for (size_t i = 0; i < count; i++) {
		const struct records_probe *probe = &result->probes[i];
		bool wanted = is_wanted(v, probe);

		targets[i] = (struct probe_target){probe->addr, probe->port, wanted};
		judged[i] = (struct judged){.probe = *probe, .wanted = wanted};
		if (wanted)
			judge_anew(v, i, probe, &table[i], &judged[i]);
		is_new[i] = wanted && !(i < v->count && v->judged[i].wanted &&
		                        same_probe(&v->judged[i].probe, probe));
	}
	free(v->table);
	free(v->judged);
	v->table = table;
	v->judged = judged;
	v->count = count;
	v->may_restore &= result->probe_count == 0;
	prober_set_targets(v->prober, targets, count);
	for (size_t i = 0; i < count; i++)
		if (is_new[i])
			prober_set_state(v->prober, i, judged[i].down);
	free(is_new);
	free(targets);
}

const struct zones_probe *verdicts_table(const struct verdicts *v, size_t *count)
{
	*count = v->count;
	return v->table;
}

uint64_t verdicts_last_success_ms(const struct verdicts *v) { return v->last_success_ms; }

/* --- life --- */

static struct probe_settings settings_of(const struct config *c)
{
	return (struct probe_settings){c->probe.interval_ms, c->probe.timeout_ms,
	                               (uint32_t)c->probe.down, (uint32_t)c->probe.up};
}

struct verdicts *verdicts_start(uv_loop_t *loop, const struct config *config,
                                const struct facts *facts, struct saved *saved,
                                void (*on_change)(void *arg), void *arg)
{
	struct verdicts *v = xcalloc(1, sizeof *v);
	struct probe_settings settings = settings_of(config);

	v->config = config;
	v->facts = facts;
	v->saved = saved;
	v->on_change = on_change;
	v->arg = arg;
	v->may_restore = true;
	v->prober = prober_new(loop, &settings, on_verdict, v);
	return v;
}

void verdicts_configure(struct verdicts *v, const struct config *config)
{
	struct probe_settings settings = settings_of(config);

	v->config = config;
	prober_configure(v->prober, &settings);
}

static void on_prober_stopped(void *arg)
{
	struct verdicts *v = arg;

	v->on_stopped(v->stopped_arg);
	free(v->table);
	free(v->judged);
	free(v);
}

void verdicts_stop(struct verdicts *v, void (*on_stopped)(void *arg), void *arg)
{
	v->on_stopped = on_stopped;
	v->stopped_arg = arg;
	prober_stop(v->prober, on_prober_stopped, v);
}
