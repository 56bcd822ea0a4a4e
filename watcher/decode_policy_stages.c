/* The stages of a TrafficPolicy. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"
#include "watcher/decode_policy.h"

enum { HALF_THE_EARTH_KM = 20100, WEIGHT_MOST = 1000000, ADDRESSES_MOST = 1000 };

/* --- geofence --- */

static bool is_letter(uint8_t c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static bool is_code_of_two(struct bytes s)
{
	return s.len == 2 && is_letter(s.data[0]) && is_letter(s.data[1]);
}

/* ISO 3166-2: the country, and one to three letters or digits. */
static bool is_subdivision(struct bytes s)
{
	if (s.len < 4 || s.len > 6 || !is_code_of_two((struct bytes){s.data, 2}) ||
	    s.data[2] != '-')
		return false;
	for (size_t i = 3; i < s.len; i++)
		if (!is_letter(s.data[i]) && (s.data[i] < '0' || s.data[i] > '9'))
			return false;
	return true;
}

/* MaxMind's codes. */
static bool is_continent(struct bytes s)
{
	static const char *const codes[] = {"AF", "AN", "AS", "EU", "NA", "OC", "SA"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (bytes_equal_text(s, codes[i]))
			return true;
	return false;
}

static struct bytes upper(struct arena *a, struct bytes s)
{
	uint8_t *copy = arena_memdup(a, s.data, s.len);

	for (size_t i = 0; i < s.len; i++)
		if (copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (uint8_t)(copy[i] - 32);
	return (struct bytes){copy, s.len};
}

/* In upper case, sorted, each once. */
static const struct bytes *read_codes(const struct field *rule, const char *key,
                                      bool is_code(struct bytes), const char *what, size_t *count)
{
	struct field list = field_get(rule, key);
	size_t items = decode_policy_count(&list, DECODE_POLICY_NAMES_MOST);
	struct bytes *codes = arena_alloc(rule->reading->arena, items * sizeof(*codes));

	for (size_t i = 0; i < items; i++) {
		struct field item = field_item(&list, i);

		codes[i] = upper(rule->reading->arena, field_required(&item));
		if (!is_code(codes[i]))
			field_fail(&item, ERR_PARSE, "is not %s", what);
	}
	*count = bytes_unique(codes, items);
	return codes;
}

static void read_networks(const struct field *rule, struct policy_fence *out)
{
	struct field networks = field_get(rule, "networks");
	struct field cidrs = field_get(rule, "cidrs");
	const struct field *list = cidrs.value ? &cidrs : &networks;
	size_t count = decode_policy_count(list, DECODE_POLICY_NAMES_MOST);
	struct addr_network *read = arena_calloc(rule->reading->arena, count, sizeof(*read));

	if (cidrs.value && networks.value)
		field_fail(&cidrs, ERR_CONFLICT, "is there besides networks, which is the same");
	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(list, i);
		struct bytes text = field_required(&item);
		struct reason unwanted;

		if (!rule->reading->err && addr_network_parse(text, &read[i], &unwanted))
			field_fail(&item, ERR_PARSE, "is not a network (192.0.2.0/24)");
	}
	out->networks = read;
	out->network_count = count;
}

static void read_fence(const struct field *rule, struct policy_fence *out)
{
	static const char *const known[] = {"continents", "countries", "subdivisions", "networks",
	                                    "cidrs",      "clusters",  "mode",         NULL};
	static const char *const modes[] = {"Allowed", "Required", NULL};
	struct field clusters = field_get(rule, "clusters");
	struct field mode = field_get(rule, "mode");

	field_only(rule, known);
	out->continents = read_codes(rule, "continents", is_continent,
	                             "a continent (AF AN AS EU NA OC SA)", &out->continent_count);
	out->countries = read_codes(rule, "countries", is_code_of_two,
	                            "a country of two letters (ISO 3166-1)", &out->country_count);
	out->subdivisions =
		read_codes(rule, "subdivisions", is_subdivision,
	                   "a subdivision (ISO 3166-2: US-CA)", &out->subdivision_count);
	read_networks(rule, out);
	if (out->continent_count + out->country_count + out->subdivision_count +
	            out->network_count ==
	    0)
		field_fail(rule, ERR_PARSE,
		           "matches no client: it has no continents, countries, subdivisions or "
		           "networks");
	if (!clusters.value)
		field_fail(&clusters, ERR_PARSE, "is missing");
	out->clusters = decode_policy_cluster_set(&clusters, &out->cluster_count);
	(void)field_required(&mode);
	out->required = field_word(&mode, modes, 0) == 1;
}

static void read_geofence(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {"rules", NULL};
	struct field rules = field_get(stage, "rules");
	size_t count = decode_policy_count(&rules, DECODE_POLICY_RULES_MOST);
	struct policy_fence *list = arena_calloc(stage->reading->arena, count, sizeof(*list));

	field_only(stage, known);
	if (count == 0)
		field_fail(&rules, ERR_PARSE, rules.value ? "is empty" : "is missing");
	for (size_t i = 0; i < count; i++) {
		struct field rule = field_item(&rules, i);

		read_fence(&rule, &list[i]);
	}
	out->fences = list;
	out->fence_count = count;
}

/* --- failover --- */

static void read_expression(const struct field *f, struct policy_requirement *out)
{
	static const char *const known[] = {"key", "operator", "values", NULL};
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
	struct field key = field_get(f, "key");
	struct field op = field_get(f, "operator");
	struct field values = field_get(f, "values");
	size_t count = decode_policy_count(&values, DECODE_POLICY_NAMES_MOST);
	struct bytes *list = arena_alloc(f->reading->arena, count * sizeof(*list));
	size_t word;

	field_only(f, known);
	out->key = field_required(&key);
	(void)field_required(&op);
	word = field_word(&op, operators, 0);
	for (size_t i = 0; i < count; i++) {
		struct field value = field_item(&values, i);

		list[i] = field_text(&value);
	}
	if (word < 2 && count == 0)
		field_fail(&values, ERR_PARSE, "%s needs values", operators[word]);
	if (word >= 2 && count > 0)
		field_fail(&values, ERR_CONFLICT, "%s has no values", operators[word]);
	*out = (struct policy_requirement){out->key, (enum policy_operator)(POLICY_IN + word), list,
	                                   bytes_unique(list, count)};
}

static void read_selector(const struct field *f, struct policy_tier *out)
{
	static const char *const known[] = {"matchLabels", "matchExpressions", NULL};
	struct field labels = field_get(f, "matchLabels");
	struct field expressions = field_get(f, "matchExpressions");
	size_t label_count, count = decode_policy_count(&expressions, DECODE_POLICY_NAMES_MOST);
	const char **keys = field_keys(&labels, &label_count);
	struct arena *a = f->reading->arena;
	struct policy_requirement *all = arena_calloc(a, label_count + count, sizeof(*all));

	field_only(f, known);
	if (label_count + count == 0)
		field_fail(f, ERR_PARSE, "is empty");
	for (size_t i = 0; i < label_count; i++) {
		struct field label = field_get(&labels, keys[i]);
		struct bytes value = field_text(&label);

		all[i] = (struct policy_requirement){bytes_of(keys[i]), POLICY_IN,
		                                     arena_memdup(a, &value, sizeof(value)), 1};
	}
	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&expressions, i);

		read_expression(&item, &all[label_count + i]);
	}
	out->has_selector = true;
	out->selector = all;
	out->selector_count = label_count + count;
}

static void read_tier(const struct field *f, struct policy_tier *out)
{
	static const char *const known[] = {"clusters", "selector", NULL};
	struct field clusters = field_get(f, "clusters");
	struct field selector = field_get(f, "selector");

	if (decode_policy_choice(f, known, 0) == 0) {
		(void)decode_policy_count(&clusters, DECODE_POLICY_TIER_MOST);
		out->clusters = decode_policy_cluster_set(&clusters, &out->cluster_count);
	} else {
		read_selector(&selector, out);
	}
}

/* The first tier that names the cluster; `count`: none does. */
static size_t tier_of(const struct policy_tier *list, size_t count, struct bytes cluster)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < list[i].cluster_count; k++)
			if (bytes_equal(list[i].clusters[k], cluster))
				return i;
	return count;
}

/* A cluster of two tiers would be in the first, or in the second. */
static void check_tiers(const struct field *tiers, const struct policy_tier *list, size_t count)
{
	for (size_t i = 0; i < count && !tiers->reading->err; i++)
		for (size_t k = 0; k < list[i].cluster_count; k++) {
			struct bytes cluster = list[i].clusters[k];
			size_t other = tier_of(list, i, cluster);

			if (other < i)
				field_fail(tiers, ERR_CONFLICT,
				           "cluster %.*s is in two of them, %zu and %zu",
				           (int)cluster.len, (const char *)cluster.data, other, i);
		}
}

static void read_failover(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {"tiers", NULL};
	struct field tiers = field_get(stage, "tiers");
	size_t count = decode_policy_count(&tiers, DECODE_POLICY_TIERS_MOST);
	struct policy_tier *list = arena_calloc(stage->reading->arena, count, sizeof(*list));

	field_only(stage, known);
	if (count == 0)
		field_fail(&tiers, ERR_PARSE, tiers.value ? "is empty" : "is missing");
	for (size_t i = 0; i < count; i++) {
		struct field tier = field_item(&tiers, i);

		read_tier(&tier, &list[i]);
	}
	check_tiers(&tiers, list, count);
	out->tiers = list;
	out->tier_count = count;
}

/* --- the others --- */

static void read_nearest(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {"bias", "sameRegionFirst", NULL};
	struct field bias = field_get(stage, "bias");
	struct field same = field_get(stage, "sameRegionFirst");

	field_only(stage, known);
	out->biases = decode_policy_numbers(&bias, -HALF_THE_EARTH_KM, HALF_THE_EARTH_KM,
	                                    "a distance from -20100 to 20100 km", &out->bias_count);
	out->same_region_first = field_bool(&same, false);
}

static void read_weighted(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {"weights", NULL};
	struct field weights = field_get(stage, "weights");

	field_only(stage, known);
	if (!weights.value)
		field_fail(&weights, ERR_PARSE, "is missing");
	out->weights = decode_policy_numbers(&weights, 0, WEIGHT_MOST, "a weight from 0 to 1000000",
	                                     &out->weight_count);
}

static void read_all(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {"maxAddresses", NULL};
	struct field most = field_get(stage, "maxAddresses");

	field_only(stage, known);
	out->max_addresses =
		(uint16_t)field_int(&most, 1, ADDRESSES_MOST, 0, "a number from 1 to 1000");
}

/* Latency and capacity have nothing to set. */
static void read_nothing(const struct field *stage, struct policy_value *out)
{
	static const char *const known[] = {NULL};

	(void)out;
	field_only(stage, known);
}

static const char *const stage_names[] = {"geofence", "failover", "nearest", "latency", "weighted",
                                          "sticky",   "capacity", "all",     NULL};

static void read_stage(const struct field *item, struct policy_value *out)
{
	static void (*const readers[])(const struct field *, struct policy_value *) = {
		read_geofence, read_failover,        read_nearest, read_nothing,
		read_weighted, decode_policy_sticky, read_nothing, read_all};
	size_t number = decode_policy_choice(item, stage_names, 0);
	enum policy_stage kind = (enum policy_stage)(POLICY_GEOFENCE + number);
	struct field stage = field_get(item, stage_names[number]);

	if (item->reading->err)
		return;
	if (policy_has_stage(out, kind)) {
		field_fail(&stage, ERR_CONFLICT, "is the second stage of that kind");
		return;
	}
	out->stages[out->stage_count++] = kind;
	readers[number](&stage, out);
}

void decode_policy_stages(const struct field *spec, struct policy_value *out)
{
	struct field list = field_get(spec, "stages");
	size_t count = decode_policy_count(&list, 2 * POLICY_STAGES_MOST);

	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		read_stage(&item, out);
	}
}
