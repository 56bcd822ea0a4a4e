/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rulebook_compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { MOST_UNKNOWN_TOLD = 10 };

struct making {
	struct rulebook_policy *to;
	const struct policy_value *from;
	const struct records_cluster *clusters;
	size_t count;
	const struct rulebook_defaults *defaults;
	struct text unknown;
	size_t unknown_count;
};

static const char *word_of(enum policy_stage stage)
{
	static const char *const words[] = {
		[POLICY_GEOFENCE] = "geofence", [POLICY_FAILOVER] = "failover",
		[POLICY_NEAREST] = "nearest",   [POLICY_LATENCY] = "latency",
		[POLICY_WEIGHTED] = "weighted", [POLICY_STICKY] = "sticky",
		[POLICY_CAPACITY] = "capacity", [POLICY_ALL] = "all"};

	return words[stage];
}

static bool is_share(enum policy_stage stage)
{
	return stage == POLICY_WEIGHTED || stage == POLICY_CAPACITY;
}

/* --- clusters by name --- */

static void note_unknown(struct making *m, struct bytes name)
{
	if (m->unknown_count++ < MOST_UNKNOWN_TOLD)
		text_printf(&m->unknown, "%s%.*s", m->unknown.len > 0 ? ", " : "", (int)name.len,
		            (const char *)name.data);
}

/* Its index, or `count`: nobody has registered it (yet). */
static size_t find_cluster(struct making *m, struct bytes name)
{
	for (size_t i = 0; i < m->count; i++)
		if (bytes_equal_text(name, m->clusters[i].name))
			return i;
	note_unknown(m, name);
	return m->count;
}

static const uint16_t *indexes_of(struct making *m, const struct bytes *names, size_t count,
                                  size_t *found)
{
	uint16_t *list = arena_calloc(m->to->arena, count, sizeof *list);

	*found = 0;
	for (size_t i = 0; i < count; i++) {
		size_t index = find_cluster(m, names[i]);

		if (index < m->count)
			list[(*found)++] = (uint16_t)index;
	}
	return list;
}

/* By cluster id. */
static const uint32_t *numbers_of(struct making *m, const struct policy_number *numbers,
                                  size_t count)
{
	uint32_t *list = arena_calloc(m->to->arena, m->to->policy.cluster_count, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		size_t index = find_cluster(m, numbers[i].cluster);

		if (index < m->count)
			list[m->clusters[index].id] = (uint32_t)numbers[i].value;
	}
	return list;
}

/* --- the stages that order --- */

static const struct bytes *copy_texts(struct making *m, const struct bytes *from, size_t count)
{
	struct bytes *to = arena_calloc(m->to->arena, count, sizeof *to);

	for (size_t i = 0; i < count; i++)
		to[i] = (struct bytes){arena_memdup(m->to->arena, from[i].data, from[i].len),
		                       from[i].len};
	return to;
}

static void add_fences(struct making *m)
{
	const struct policy_value *from = m->from;
	struct rules_fence *list = arena_calloc(m->to->arena, from->fence_count, sizeof *list);

	for (size_t i = 0; i < from->fence_count; i++) {
		const struct policy_fence *f = &from->fences[i];
		bool by_area;

		list[i] = (struct rules_fence){
			.continents = copy_texts(m, f->continents, f->continent_count),
			.continent_count = f->continent_count,
			.countries = copy_texts(m, f->countries, f->country_count),
			.country_count = f->country_count,
			.subdivisions = copy_texts(m, f->subdivisions, f->subdivision_count),
			.subdivision_count = f->subdivision_count,
			.networks = arena_memdup(m->to->arena, f->networks,
		                                 f->network_count * sizeof *f->networks),
			.network_count = f->network_count,
			.required = f->required,
		};
		list[i].clusters =
			indexes_of(m, f->clusters, f->cluster_count, &list[i].cluster_count);
		by_area = f->continent_count + f->country_count + f->subdivision_count > 0;
		m->to->policy.has_fence |= f->required;
		m->to->has_areas |= by_area;
		m->to->fences_areas |= by_area && f->required;
	}
	m->to->rules.fences = list;
	m->to->rules.fence_count = from->fence_count;
}

/* The label's value; false: the cluster has none of that key. */
static bool find_label(const struct records_cluster *c, struct bytes key, struct bytes *value)
{
	for (size_t i = 0; i < c->label_count; i++) {
		struct bytes label = c->labels[i];

		if (label.len <= key.len || label.data[key.len] != '=' ||
		    memcmp(label.data, key.data, key.len) != 0)
			continue;
		*value = (struct bytes){label.data + key.len + 1, label.len - key.len - 1};
		return true;
	}
	return false;
}

static bool is_among(const struct policy_requirement *r, struct bytes value)
{
	for (size_t i = 0; i < r->value_count; i++)
		if (bytes_equal(r->values[i], value))
			return true;
	return false;
}

/* As Kubernetes has it: without the label NotIn holds. */
static bool holds(const struct policy_requirement *r, const struct records_cluster *c)
{
	struct bytes value;
	bool has = find_label(c, r->key, &value);

	switch (r->operator) {
	case POLICY_IN:
		return has && is_among(r, value);
	case POLICY_NOT_IN:
		return !has || !is_among(r, value);
	case POLICY_EXISTS:
		return has;
	case POLICY_DOES_NOT_EXIST:
		return !has;
	}
	return false;
}

static bool selects(const struct policy_tier *tier, const struct records_cluster *c)
{
	if (!tier->has_selector)
		return false;
	for (size_t i = 0; i < tier->selector_count; i++)
		if (!holds(&tier->selector[i], c))
			return false;
	return true;
}

/* Of several tiers the first has the cluster. */
static void add_tiers(struct making *m)
{
	uint16_t *tier = arena_calloc(m->to->arena, m->count, sizeof *tier);

	for (size_t c = 0; c < m->count; c++)
		tier[c] = RULES_NO_TIER;
	for (size_t i = m->from->tier_count; i-- > 0;) {
		const struct policy_tier *t = &m->from->tiers[i];
		size_t found;
		const uint16_t *list = indexes_of(m, t->clusters, t->cluster_count, &found);

		for (size_t c = 0; c < m->count; c++)
			if (selects(t, &m->clusters[c]))
				tier[c] = (uint16_t)i;
		for (size_t k = 0; k < found; k++)
			tier[list[k]] = (uint16_t)i;
	}
	m->to->rules.tier = tier;
}

/* Equal numbers for equal regions; who has none has a number of its own. */
static const uint16_t *regions_of(struct making *m)
{
	uint16_t *region = arena_calloc(m->to->arena, m->count, sizeof *region);

	for (size_t c = 0; c < m->count; c++) {
		size_t same = c;

		for (size_t i = 0; i < c && m->clusters[c].region.len > 0 && same == c; i++)
			if (bytes_equal(m->clusters[i].region, m->clusters[c].region))
				same = i;
		region[c] = (uint16_t)same;
	}
	return region;
}

static void add_nearest(struct making *m)
{
	const struct policy_value *from = m->from;
	int32_t *bias = arena_calloc(m->to->arena, m->count, sizeof *bias);

	for (size_t i = 0; i < from->bias_count; i++) {
		size_t index = find_cluster(m, from->biases[i].cluster);

		if (index < m->count)
			bias[index] = from->biases[i].value;
	}
	m->to->rules.bias_km = from->bias_count > 0 ? bias : NULL;
	m->to->rules.region = from->same_region_first ? regions_of(m) : NULL;
}

static void add_order(struct making *m, enum rules_stage stage, bool narrows)
{
	struct rules *rules = &m->to->rules;

	if (narrows)
		m->to->policy.narrowing |= (uint8_t)(1U << rules->stage_count);
	rules->stages[rules->stage_count++] = stage;
}

static void add_stage(struct making *m, enum policy_stage stage)
{
	switch (stage) {
	case POLICY_GEOFENCE:
		add_fences(m);
		add_order(m, RULES_FENCE, true);
		break;
	case POLICY_FAILOVER:
		add_tiers(m);
		add_order(m, RULES_TIER, true);
		break;
	case POLICY_LATENCY:
		add_order(m, RULES_LATENCY, false);
		break;
	case POLICY_NEAREST:
		add_nearest(m);
		add_order(m, RULES_NEAREST, false);
		break;
	case POLICY_WEIGHTED:
		m->to->policy.weight = numbers_of(m, m->from->weights, m->from->weight_count);
		break;
	case POLICY_CAPACITY:
		m->to->policy.is_capacity = true;
		break;
	case POLICY_ALL:
		m->to->policy.all = true;
		break;
	case POLICY_STICKY:
		break;
	}
}

/* What stands behind a share finds nothing left to order; a fence that must hold holds wherever it stands. */
static void add_stages(struct making *m)
{
	const struct policy_value *from = m->from;
	enum policy_stage share = POLICY_ALL; /* the first that shares out; else this */
	struct text warning = {0};

	for (size_t i = 0; i < from->stage_count; i++) {
		enum policy_stage stage = from->stages[i];
		bool orders = !is_share(stage) && stage != POLICY_ALL && stage != POLICY_STICKY;

		if (share != POLICY_ALL && orders && stage != POLICY_GEOFENCE)
			text_printf(&warning, "%sspec.stages[%zu].%s: decides nothing behind %s",
			            warning.len > 0 ? "; " : "", i, word_of(stage), word_of(share));
		else
			add_stage(m, stage);
		if (share == POLICY_ALL && is_share(stage))
			share = stage;
	}
	if (warning.len > 0)
		m->to->warning = arena_strdup(m->to->arena, warning.data);
	text_fini(&warning);
}

/* --- clients of no place --- */

static void add_unknown(struct making *m)
{
	const struct policy_value *from = m->from;
	const struct conf_strings *preset = m->defaults->unknown_order;
	bool has_own = from->unknown_order_count > 0, ranks = has_own || m->to->has_rules;
	size_t count = has_own ? from->unknown_order_count : preset->count;
	const char **order = arena_calloc(m->to->arena, count, sizeof *order);
	struct rules *rules = &m->to->rules;
	bool by_place = false;

	for (size_t i = 0; i < rules->stage_count; i++)
		by_place |= rules->stages[i] == RULES_NEAREST || rules->stages[i] == RULES_LATENCY;
	for (size_t i = 0; i < count; i++)
		order[i] = has_own ? arena_strndup(m->to->arena,
		                                   (const char *)from->unknown_order[i].data,
		                                   from->unknown_order[i].len)
		                   : arena_strdup(m->to->arena, preset->item[i]);
	rules->unknown_order = order;
	rules->unknown_count = count;
	rules->unknown_is_tie = from->unknown_weight_count > 0 || (!by_place && !has_own);
	rules->unknown_is_apart = from->unknown_weight_count > 0 || from->unknown_by_resolver;
	m->to->policy.resolver_when_unknown = from->unknown_by_resolver;
	if (from->unknown_weight_count > 0)
		m->to->policy.unknown_weight =
			numbers_of(m, from->unknown_weights, from->unknown_weight_count);
	m->to->has_rules = ranks || rules->unknown_is_apart;
}

/* --- the key --- */

static void add_texts(struct buffer *b, const struct bytes *list, size_t count)
{
	buffer_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		buffer_str16(b, list[i]);
}

static void add_key_fences(struct making *m, struct buffer *b)
{
	const struct rules *rules = &m->to->rules;

	buffer_u32(b, (uint32_t)rules->fence_count);
	for (size_t i = 0; i < rules->fence_count; i++) {
		const struct rules_fence *f = &rules->fences[i];

		add_texts(b, f->continents, f->continent_count);
		add_texts(b, f->countries, f->country_count);
		add_texts(b, f->subdivisions, f->subdivision_count);
		buffer_u32(b, (uint32_t)f->network_count);
		for (size_t k = 0; k < f->network_count; k++) {
			buffer_u8(b, f->networks[k].addr.family);
			buffer_put(b, f->networks[k].addr.bytes, sizeof f->networks[k].addr.bytes);
			buffer_u8(b, f->networks[k].len);
		}
		buffer_u32(b, (uint32_t)f->cluster_count);
		for (size_t k = 0; k < f->cluster_count; k++)
			buffer_u16(b, m->clusters[f->clusters[k]].id);
		buffer_u8(b, f->required);
	}
}

/* Clusters by id: which others there are is not the policy's to say. */
static void make_key(struct making *m)
{
	const struct rules *rules = &m->to->rules;
	struct buffer *b = &m->to->key;

	for (size_t i = 0; i < rules->stage_count; i++)
		buffer_u8(b, (uint8_t)rules->stages[i]);
	buffer_u8(b, 0);
	add_key_fences(m, b);
	for (size_t c = 0; c < m->count; c++) {
		buffer_u16(b, m->clusters[c].id);
		buffer_u16(b, rules->tier != NULL ? rules->tier[c] : 0);
		buffer_u32(b, rules->bias_km != NULL ? (uint32_t)rules->bias_km[c] : 0);
		if (rules->region != NULL)
			buffer_str16(b, m->clusters[c].region);
	}
	buffer_u8(b, (uint8_t)(rules->unknown_is_tie | rules->unknown_is_apart << 1 |
	                       (rules->region != NULL) << 2));
	for (size_t i = 0; i < rules->unknown_count; i++)
		buffer_str16(b, bytes_of(rules->unknown_order[i]));
}

/* --- the whole --- */

static void copy_stages(struct making *m)
{
	const struct policy_value *from = m->from;
	const char **stages = arena_calloc(m->to->arena, from->stage_count + 3, sizeof *stages);
	size_t count = 0;

	for (size_t i = 0; i < from->stage_count; i++)
		stages[count++] = word_of(from->stages[i]);
	if (from->stage_count == 0)
		stages[count++] = m->defaults->all ? "all" : "nearest";
	if ((from->sticky_ipv4 > 0 || from->sticky_ipv6 > 0) &&
	    !policy_has_stage(from, POLICY_STICKY))
		stages[count] = "sticky";
	m->to->policy.stages = stages;
}

static void copy_numbers(struct making *m)
{
	const struct policy_value *from = m->from;
	struct policy *p = &m->to->policy;

	p->bucket_ipv4 = from->sticky_ipv4 > 0 ? from->sticky_ipv4 : POLICY_BUCKET_IPV4;
	p->bucket_ipv6 = from->sticky_ipv6 > 0 ? from->sticky_ipv6 : POLICY_BUCKET_IPV6;
	p->min_ready_percent = from->min_ready_percent;
	p->ttl = from->ttl;
	p->degraded_ttl = from->degraded_ttl > 0 ? from->degraded_ttl : m->defaults->degraded_ttl;
	p->max_addresses =
		from->max_addresses > 0 ? from->max_addresses : m->defaults->max_addresses;
	p->no_data_when_all_down = from->no_data_when_all_down;
	p->has_failback = from->failback != POLICY_IMMEDIATE;
	m->to->has_unseen_after = from->has_unseen_after;
	m->to->unseen_after_ms = from->unseen_after_ms;
}

static const char *copy_bytes(struct arena *a, struct bytes text)
{
	return arena_strndup(a, (const char *)text.data, text.len);
}

struct rulebook_defaults rulebook_defaults_of(const struct config *c)
{
	return (struct rulebook_defaults){
		.all = c->defaults.policy == CONFIG_ALL,
		.degraded_ttl = (uint32_t)c->defaults.degraded_ttl_s,
		.max_addresses = (uint16_t)c->defaults.max_addresses,
		.unknown_order = &c->geo.unknown_order,
	};
}

struct rulebook_policy *rulebook_compile(const struct records_policy *from,
                                         const struct records_cluster *clusters, size_t count,
                                         const struct rulebook_defaults *defaults)
{
	struct rulebook_policy *p = xcalloc(1, sizeof *p);
	struct making m = {.to = p,
	                   .from = from->is,
	                   .clusters = clusters,
	                   .count = count,
	                   .defaults = defaults};

	p->arena = arena_new();
	p->warning = "";
	p->namespace = copy_bytes(p->arena, from->namespace);
	p->name = copy_bytes(p->arena, from->name);
	p->policy.name = arena_printf(p->arena, "%s/%s", p->namespace, p->name);
	for (size_t i = 0; i < count; i++)
		if (clusters[i].id >= p->policy.cluster_count)
			p->policy.cluster_count = clusters[i].id + 1U;
	copy_stages(&m);
	copy_numbers(&m);
	p->has_rules = from->is->stage_count > 0;
	if (!p->has_rules) {
		p->policy.all = defaults->all;
		add_order(&m, RULES_NEAREST, false);
	}
	add_stages(&m);
	add_unknown(&m);
	make_key(&m);
	p->unknown = m.unknown.len > 0 ? arena_strdup(p->arena, m.unknown.data) : "";
	text_fini(&m.unknown);
	return p;
}

void rulebook_policy_free(struct rulebook_policy *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	buffer_fini(&p->key);
	free(p);
}
