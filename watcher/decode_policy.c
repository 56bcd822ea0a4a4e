/* A TrafficPolicy of nigh.dev: whom it is for, and all that holds for every stage. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <string.h>

#include "records/names.h"
#include "watcher/decode.h"
#include "watcher/decode_kind.h"
#include "watcher/decode_policy.h"

enum { SECOND = 1000, YEAR_MS_DAYS = 366, TTL_MOST = 2147483647, ADDRESSES_MOST = 1000 };
static const uint64_t year_ms = (uint64_t)YEAR_MS_DAYS * 24 * 3600 * SECOND;

/* --- shared by its parts --- */

size_t decode_policy_count(const struct field *list, size_t most)
{
	size_t count = field_count(list);

	if (count <= most)
		return count;
	field_fail(list, ERR_RANGE, "has %zu items, over %zu", count, most);
	return 0;
}

static bool has(const struct bytes *list, size_t count, struct bytes text)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(list[i], text))
			return true;
	return false;
}

/* As they stand, each once; none is an error when the field is there. */
static struct bytes *read_clusters(const struct field *list, size_t *count)
{
	size_t items = decode_policy_count(list, DECODE_POLICY_NAMES_MOST);
	struct bytes *names = arena_alloc(list->reading->arena, items * sizeof(*names));

	*count = 0;
	for (size_t i = 0; i < items; i++) {
		struct field item = field_item(list, i);
		struct bytes name = field_required(&item);

		if (!decode_is_name(name))
			field_fail(&item, ERR_PARSE, "is not the name of a cluster");
		else if (has(names, *count, name))
			field_fail(&item, ERR_CONFLICT, "is there twice");
		names[(*count)++] = name;
	}
	if (list->value && items == 0)
		field_fail(list, ERR_PARSE, "is empty");
	return names;
}

const struct bytes *decode_policy_cluster_set(const struct field *list, size_t *count)
{
	struct bytes *names = read_clusters(list, count);

	*count = bytes_unique(names, *count);
	return names;
}

const struct policy_number *decode_policy_numbers(const struct field *map, int32_t min, int32_t max,
                                                  const char *what, size_t *count)
{
	const char **keys = field_keys(map, count);
	struct policy_number *list = arena_alloc(map->reading->arena, *count * sizeof(*list));

	if (map->value && *count == 0)
		field_fail(map, ERR_PARSE, "is empty");
	if (*count > DECODE_POLICY_NAMES_MOST)
		field_fail(map, ERR_RANGE, "has %zu clusters, over %d", *count,
		           DECODE_POLICY_NAMES_MOST);
	for (size_t i = 0; i < *count; i++) {
		struct field number = field_get(map, keys[i]);

		list[i].cluster = bytes_of(keys[i]);
		if (!decode_is_name(list[i].cluster))
			field_fail(&number, ERR_PARSE, "is not the name of a cluster");
		if (!number.value)
			field_fail(&number, ERR_PARSE, "is not %s", what);
		list[i].value = (int32_t)field_int(&number, min, max, 0, what);
	}
	return list;
}

/* As API servers have it: a choice of nothing is none. */
static void refuse_null(const struct field *f, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct field choice = field_get(f, keys[i]);

		if (!choice.value)
			field_fail(&choice, ERR_PARSE, "is null (nothing to set is {})");
	}
}

size_t decode_policy_choice(const struct field *f, const char *const *known, size_t absent)
{
	size_t count, found = absent;
	const char **keys = field_keys(f, &count);

	if (!f->value || f->reading->err)
		return absent;
	field_only(f, known);
	if (count > 1)
		field_fail(f, ERR_CONFLICT, "has both %s and %s", keys[0], keys[1]);
	else if (count == 0)
		field_fail(f, ERR_PARSE, "is empty");
	else
		found = field_word_number(known, bytes_of(keys[0]));
	refuse_null(f, keys, count);
	return f->reading->err ? absent : found;
}

void decode_policy_sticky(const struct field *f, struct policy_value *out)
{
	static const char *const known[] = {"ipv4", "ipv6", NULL};
	struct field ipv4 = field_get(f, "ipv4");
	struct field ipv6 = field_get(f, "ipv6");

	field_only(f, known);
	out->sticky_ipv4 = (uint8_t)field_int(&ipv4, 1, 32, 0, "a prefix length from 1 to 32");
	out->sticky_ipv6 = (uint8_t)field_int(&ipv6, 1, 128, 0, "a prefix length from 1 to 128");
}

/* --- spec.targetRefs --- */

static const struct {
	const char *kind;
	const char *groups[2];
	enum policy_target_kind is;
} target_kinds[] = {
	{"ServiceDNSRecord", {"multiclusterdns.kubefed.io"}, POLICY_SERVICE_DNS_RECORD},
	{"IngressDNSRecord", {"multiclusterdns.kubefed.io"}, POLICY_INGRESS_DNS_RECORD},
	{"DNSEndpoint", {"multiclusterdns.kubefed.io", "externaldns.k8s.io"}, POLICY_DNS_ENDPOINT},
	{"Service", {""}, POLICY_SERVICE},
	{"Ingress", {"networking.k8s.io"}, POLICY_INGRESS},
	{"Domain", {"multiclusterdns.kubefed.io"}, POLICY_DOMAIN},
};
enum { TARGET_KINDS = sizeof(target_kinds) / sizeof(target_kinds[0]) };

/* In lower case, without a last dot.  A star stands alone, at the beginning. */
static void read_host(const struct field *f, struct policy_target *out)
{
	struct bytes text = field_required(f);
	bool is_pattern = text.len > 2 && text.data[0] == '*' && text.data[1] == '.';
	size_t skip = is_pattern ? 2 : 0, len;
	uint8_t wire[NAMES_WIRE_MAX], *lower;
	struct reason why;

	if (f->reading->err)
		return;
	if (text.data[text.len - 1] == '.')
		text.len--;
	if (text.len <= skip || memchr(text.data + skip, '*', text.len - skip)) {
		field_fail(f, ERR_PARSE, "is neither a host name nor \"*.\" and a host name");
		return;
	}
	if (names_from_text((struct bytes){text.data + skip, text.len - skip}, wire, &len, &why)) {
		field_fail(f, ERR_PARSE, "is not a host name: %s", why.text);
		return;
	}
	lower = arena_memdup(f->reading->arena, text.data, text.len);
	for (size_t i = 0; i < text.len; i++)
		lower[i] = bytes_lower(lower[i]);
	out->kind = is_pattern ? POLICY_PATTERN : POLICY_HOSTNAME;
	out->name = (struct bytes){lower, text.len};
}

static void check_group(const struct field *group, size_t kind)
{
	struct bytes text = field_text(group);

	for (size_t i = 0; i < 2 && group->value; i++)
		if (target_kinds[kind].groups[i] &&
		    bytes_equal_text(text, target_kinds[kind].groups[i]))
			return;
	if (group->value)
		field_fail(group, ERR_PARSE, "is not the group of %s, \"%s\"",
		           target_kinds[kind].kind, target_kinds[kind].groups[0]);
}

static void read_object(const struct field *ref, struct policy_target *out)
{
	struct field group = field_get(ref, "group");
	struct field kind = field_get(ref, "kind");
	struct field name = field_get(ref, "name");
	struct bytes text = field_required(&kind);
	size_t i = 0;

	while (i < TARGET_KINDS && !bytes_equal_text(text, target_kinds[i].kind))
		i++;
	if (i == TARGET_KINDS) {
		field_fail(&kind, ERR_PARSE,
		           "is not ServiceDNSRecord, IngressDNSRecord, DNSEndpoint, Service, "
		           "Ingress or Domain");
		return;
	}
	check_group(&group, i);
	out->kind = target_kinds[i].is;
	out->name = field_required(&name);
	if (!decode_is_name(out->name))
		field_fail(&name, ERR_PARSE, "is not a name (letters, digits, '-' and '.')");
}

static void read_target(const struct field *ref, struct policy_target *out)
{
	static const char *const known[] = {"group", "kind", "name", "hostname", NULL};
	struct field host = field_get(ref, "hostname");
	struct field kind = field_get(ref, "kind");
	struct field name = field_get(ref, "name");
	struct field group = field_get(ref, "group");

	field_only(ref, known);
	if (!host.value)
		read_object(ref, out);
	else if (kind.value || name.value || group.value)
		field_fail(ref, ERR_CONFLICT, "has both a hostname and an object");
	else
		read_host(&host, out);
}

static void read_targets(const struct field *spec, struct policy_value *out)
{
	struct field list = field_get(spec, "targetRefs");
	size_t count = decode_policy_count(&list, DECODE_POLICY_TARGETS_MOST);
	struct policy_target *targets = arena_calloc(spec->reading->arena, count, sizeof(*targets));

	if (count == 0)
		field_fail(&list, ERR_PARSE, list.value ? "is empty" : "is missing");
	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		read_target(&item, &targets[i]);
	}
	out->targets = targets;
	out->target_count = count;
}

/* --- what is left --- */

static void read_unknown(const struct field *spec, struct policy_value *out)
{
	static const char *const known[] = {"order", "nearestToResolver", "weighted", NULL};
	struct field unknown = field_get(spec, "unknownClient");
	struct field order = field_get(&unknown, "order");
	struct field resolver = field_get(&unknown, "nearestToResolver");
	struct field weighted = field_get(&unknown, "weighted");

	(void)decode_policy_choice(&unknown, known, 0);
	out->unknown_order = read_clusters(&order, &out->unknown_order_count);
	out->unknown_by_resolver = field_bool(&resolver, false);
	if (resolver.value && !out->unknown_by_resolver)
		field_fail(&resolver, ERR_PARSE, "says nothing when it is not true");
	out->unknown_weights = decode_policy_numbers(
		&weighted, 0, 1000000, "a weight from 0 to 1000000", &out->unknown_weight_count);
}

static void read_failback(const struct field *spec, struct policy_value *out)
{
	static const char *const known[] = {"mode", "stableFor", NULL};
	static const char *const modes[] = {
		[POLICY_IMMEDIATE] = "Immediate", [POLICY_AFTER] = "After", "Manual", NULL};
	struct field failback = field_get(spec, "failback");
	struct field mode = field_get(&failback, "mode");
	struct field stable_for = field_get(&failback, "stableFor");

	field_only(&failback, known);
	if (failback.value)
		(void)field_required(&mode);
	out->failback = (enum policy_failback)field_word(&mode, modes, POLICY_IMMEDIATE);
	out->stable_for_ms =
		field_duration(&stable_for, SECOND, year_ms, 0, "a time from 1s to 8784h");
	if (out->failback == POLICY_AFTER && !stable_for.value)
		field_fail(&failback, ERR_PARSE, "mode After needs stableFor");
	if (out->failback != POLICY_AFTER && stable_for.value)
		field_fail(&stable_for, ERR_CONFLICT, "goes with mode After alone");
}

/* One that cannot be read lets nobody back, and is a warning: the policy is good all the same. */
static void read_let_back(const struct field *object, struct policy_value *out)
{
	struct bytes text = decode_annotation(object, "nigh.dev/failback");

	if (text.len > 0 && !object->reading->err && !let_back_parse(text, &out->let_back))
		(void)reason_set(
			object->reading->why, ERR_OK,
			"metadata.annotations[nigh.dev/failback]: is not a time, with name= "
			"or cluster= behind it; nobody is let back");
}

/* How often an API server has seen another `spec`; most files have none. */
static int64_t read_generation(const struct field *object)
{
	struct field metadata = field_get(object, "metadata");
	struct field generation = field_get(&metadata, "generation");
	int64_t number = 0;

	if (json_object_is_type(generation.value, json_type_int))
		number = json_object_get_int64(generation.value);
	return number > 0 ? number : 0;
}

static void read_addresses(const struct field *spec, struct policy_value *out)
{
	struct field most = field_get(spec, "maxAddresses");
	uint16_t of_stage = out->max_addresses;

	if (!most.value)
		return;
	out->max_addresses =
		(uint16_t)field_int(&most, 1, ADDRESSES_MOST, 0, "a number from 1 to 1000");
	if (of_stage && of_stage != out->max_addresses)
		field_fail(&most, ERR_CONFLICT, "is %u, and that of the stage `all` is %u",
		           out->max_addresses, of_stage);
}

static void read_numbers(const struct field *spec, struct policy_value *out)
{
	static const char *const when_down[] = {"FailOpen", "NoData", NULL};
	struct field ttl = field_get(spec, "ttl");
	struct field degraded = field_get(spec, "degradedTTL");
	struct field down = field_get(spec, "whenAllDown");
	struct field unseen = field_get(spec, "unseenAfter");
	struct field percent = field_get(spec, "minReadyPercent");
	const char *seconds = "a number of seconds from 1 to 2147483647";

	out->ttl = (uint32_t)field_int(&ttl, 1, TTL_MOST, 0, seconds);
	out->degraded_ttl = (uint32_t)field_int(&degraded, 1, TTL_MOST, 0, seconds);
	out->no_data_when_all_down = field_word(&down, when_down, 0) == 1;
	out->has_unseen_after = unseen.value != NULL;
	out->unseen_after_ms = field_duration(&unseen, 0, year_ms, 0, "a time from 0 to 8784h");
	out->min_ready_percent = (uint8_t)field_int(&percent, 0, 100, 0, "a number from 0 to 100");
}

static void read_sticky(const struct field *spec, struct policy_value *out)
{
	struct field sticky = field_get(spec, "sticky");

	if (!sticky.value)
		return;
	if (policy_has_stage(out, POLICY_STICKY))
		field_fail(&sticky, ERR_CONFLICT, "is there besides the stage of that name");
	decode_policy_sticky(&sticky, out);
}

void decode_policy_fill(const struct field *object, struct fact_value *out)
{
	static const char *const known[] = {"apiVersion", "kind",   "metadata",
	                                    "spec",       "status", NULL};
	static const char *const parts[] = {
		"targetRefs",      "stages",      "ttl",         "degradedTTL", "maxAddresses",
		"unknownClient",   "whenAllDown", "unseenAfter", "failback",    "sticky",
		"minReadyPercent", "probe",       NULL};
	struct field spec = field_get(object, "spec"), version = field_get(object, "apiVersion");

	/* Passed over, it would be gone, and with it a fence that must hold. */
	if (!bytes_equal_text(field_text(&version), "nigh.dev/v1alpha1"))
		field_fail(&version, ERR_PARSE, "is not nigh.dev/v1alpha1");
	field_only(object, known);
	if (!spec.value)
		field_fail(&spec, ERR_PARSE, "is missing");
	field_only(&spec, parts);
	read_targets(&spec, &out->policy);
	decode_policy_stages(&spec, &out->policy);
	read_addresses(&spec, &out->policy);
	read_sticky(&spec, &out->policy);
	read_unknown(&spec, &out->policy);
	read_numbers(&spec, &out->policy);
	read_failback(&spec, &out->policy);
	decode_policy_probe(&spec, &out->policy.check);
	read_let_back(object, &out->policy);
	out->policy.generation = read_generation(object);
}
