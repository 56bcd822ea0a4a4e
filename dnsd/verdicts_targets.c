/* verdicts_targets.c -- which addresses are probed, and what stays known of them when others are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "dnsd/verdicts_inside.h"

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
		return facts_cluster_behind(v->facts, probe->cluster)->knowledge ==
		       KNOWLEDGE_UNSEEN;
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

void verdicts_save(struct verdicts *v, const struct judged *j, bool down)
{
	char key[VERDICTS_KEY_SIZE];

	print_key(&j->probe, j->way, key);
	if (v->saved != NULL)
		saved_put_value(v->saved, SAVED_PROBE, bytes_of(key),
		                down ? bytes_of("down") : (struct bytes){0});
}

/* --- other targets --- */

void verdicts_free_judged(struct verdicts *v)
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
		verdicts_save(v, was, false);
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

	if (verdicts_are_voted_on(v))
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

	return verdicts_are_voted_on(v) && !was->wanted && !now->wanted && was->way == now->way &&
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
		ways[i] = (struct probe_way){r->checks[i].is, r->checks[i].key,
		                             r->checks[i].namespace};
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
			verdicts_save(v, j, true);
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

	verdicts_free_judged(v);
	v->table = table;
	v->judged = judged;
	v->count = count;
	v->may_restore &= r->probe_count == 0;
	verdicts_note_all(v);
	set_prober(v, r, count);
	adopt_states(v);
	if (v->replicas != NULL)
		replicas_set_targets(v->replicas, r, is_index_wanted, v);
	verdicts_count_votes(v);
}
