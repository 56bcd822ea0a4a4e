/* SPDX-License-Identifier: Apache-2.0 */
#include "records/inside.h"

#include <stdio.h>
#include <string.h>

#include "records/annotation_record.h"
#include "records/owner.h"
#include "records/published_record.h"

void dirty_mark(struct records *r, uint32_t source)
{
	works_get(r, works_of(r, source))->is_dirty = true;
}

void dirty_mark_kind(struct records *r, unsigned kind)
{
	for (uint32_t i = 1; i <= r->sources.count; i++) {
		unsigned is = sources_get(&r->sources, i)->kind;

		if (is != 0 && (kind == 0 || kind == is))
			dirty_mark(r, i);
	}
}

void dirty_mark_sites(struct records *r)
{
	for (uint32_t i = 1; i <= r->sources.count; i++)
		if (sources_get(&r->sources, i)->is_sites)
			dirty_mark(r, i);
}

static void mark_record(struct records *r, enum fact_kind kind, struct bytes namespace,
                        struct bytes name)
{
	uint32_t source = sources_find(&r->sources, kind, namespace, name);

	if (source)
		dirty_mark(r, source);
}

/* --- sources that are objects --- */

static void change_source(struct records *r, const struct fact_change *c)
{
	const struct fact *any = c->after ? c->after : c->before;
	uint32_t number =
		sources_find(&r->sources, fact_get_kind(any), fact_namespace(any), fact_name(any));
	struct source *s;
	struct work *work;

	if (!number)
		number = sources_add(&r->sources, any);
	work = works_get(r, works_of(r, number));
	s = sources_get(&r->sources, number);
	work->is_dirty = true;
	work->fact_was = c->before;
	work->is_moved = c->before && c->after && fact_created(c->before) != fact_created(c->after);
	s->fact = any;
	s->is_gone = !c->after;
}

/* A record came or went: DNSEndpoints beside it are its rendering, or are not any more. */
static void mark_renderings(struct records *r, const struct fact *record)
{
	const char *prefix =
		fact_get_kind(record) == FACT_SERVICE_DNS_RECORD ? "service-" : "ingress-";
	struct bytes namespace = fact_namespace(record);
	struct bytes name = fact_name(record);
	char *joined = arena_printf(r->arena, PUBLISHED_RECORD_PREFIX "%s%.*s", prefix,
	                            (int)name.len, (const char *)name.data);
	const struct bytes names[] = {name, bytes_of(joined),
	                              bytes_of(joined + strlen(PUBLISHED_RECORD_PREFIX))};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		mark_record(r, FACT_DNS_ENDPOINT, namespace, names[i]);
		mark_record(r, FACT_EXTERNAL_DNS_ENDPOINT, namespace, names[i]);
	}
}

/* Published sites came or went: DNSEndpoints of the same record are their rendering, or are not any more. */
static void mark_beside_sites(struct records *r, const struct fact_change *c)
{
	const struct fact *any = c->after ? c->after : c->before;
	struct bytes name = fact_name(any);
	size_t len = strlen(PUBLISHED_RECORD_PREFIX);

	if ((c->before && fact_is_sites(c->before)) == (c->after && fact_is_sites(c->after)) ||
	    published_record_subject(any).record == 0)
		return;
	name = (struct bytes){name.data + len, name.len - len};
	mark_record(r, FACT_DNS_ENDPOINT, fact_namespace(any), name);
	mark_record(r, FACT_EXTERNAL_DNS_ENDPOINT, fact_namespace(any), name);
}

/* --- annotations --- */

static void note_hostname(struct records *r, uint16_t cluster, const struct fact *fact,
                          struct bytes item, const char *why)
{
	notes_problem_in(r->notes, cluster, world_title(&r->world, fact),
	                 "annotation hostname '%.*s' of cluster %s: %s", (int)item.len,
	                 (const char *)item.data, facts_cluster_name(r->world.facts, cluster), why);
}

/* Does an earlier item of the list mean the same name? */
static bool is_repeated(struct bytes list, const uint8_t *item, const uint8_t *wire)
{
	struct bytes earlier;

	while (annotation_record_next(&list, &earlier) && earlier.data < item) {
		uint8_t other[NAMES_WIRE_MAX];
		size_t len;

		if (!names_from_text(earlier, other, &len, NULL) && names_wire_equal(other, wire))
			return true;
	}
	return false;
}

/* Puts or removes the ways from the object's host names to it, and marks their sources. */
static void link_hostnames(struct records *r, uint16_t cluster, const struct fact *fact,
                           const struct fact_value *v, bool is_there)
{
	struct bytes whole = annotation_record_of(v).hostname;
	struct bytes list = whole;
	struct bytes item;

	while (annotation_record_next(&list, &item)) {
		uint8_t wire[NAMES_WIRE_MAX], lower[NAMES_WIRE_MAX];
		struct reason why;
		struct bytes host;
		uint32_t source;
		size_t len;

		if (names_from_text(item, wire, &len, &why)) {
			if (is_there)
				note_hostname(r, cluster, fact, item, why.text);
			continue;
		}
		if (is_repeated(whole, item.data, wire))
			continue;
		owner_lower((struct bytes){wire, len}, lower);
		host = (struct bytes){lower, len};
		if (is_there)
			links_put(&r->annotated, owner_hash(&r->key, host), cluster, fact);
		else
			links_remove(&r->annotated, owner_hash(&r->key, host), cluster, fact);
		source = sources_find_host(&r->sources, host);
		dirty_mark(r, source ? source : sources_add_host(&r->sources, host));
	}
}

static void mark_hostnames(struct records *r, const struct fact_value *v)
{
	struct bytes list = annotation_record_of(v).hostname;
	struct bytes item;

	while (annotation_record_next(&list, &item)) {
		uint8_t wire[NAMES_WIRE_MAX], lower[NAMES_WIRE_MAX];
		uint32_t source;
		size_t len;

		if (names_from_text(item, wire, &len, NULL))
			continue;
		owner_lower((struct bytes){wire, len}, lower);
		source = sources_find_host(&r->sources, (struct bytes){lower, len});
		if (source)
			dirty_mark(r, source);
	}
}

/* --- policies --- */

/* The sources that offer the name, as far as they did so in the last build: others are marked anyway. */
static void mark_offers(struct records *r, struct bytes host)
{
	uint8_t wire[NAMES_WIRE_MAX];
	const uint32_t *source;
	struct idmap_walk walk;
	size_t len;

	if (names_from_text(host, wire, &len, NULL))
		return;
	walk = idmap_find(&r->claims, owner_hash(&r->key, (struct bytes){wire, len}));
	while ((source = idmap_next(&r->claims, &walk)) != NULL)
		dirty_mark(r, *source);
}

/* The record of that name, and its published sites. */
static void mark_record_and_sites(struct records *r, enum fact_kind kind, struct bytes namespace,
                                  struct bytes name)
{
	char *sites = arena_printf(r->arena, PUBLISHED_RECORD_PREFIX "%s%.*s",
	                           kind == FACT_SERVICE_DNS_RECORD ? "service-" : "ingress-",
	                           (int)name.len, (const char *)name.data);

	mark_record(r, kind, namespace, name);
	mark_record(r, FACT_DNS_ENDPOINT, namespace, bytes_of(sites));
	mark_record(r, FACT_EXTERNAL_DNS_ENDPOINT, namespace, bytes_of(sites));
}

/* The record of that name, and the host names that the object carries in any cluster. */
static void mark_app(struct records *r, enum fact_kind kind, enum fact_kind record,
                     struct bytes namespace, struct bytes name)
{
	mark_record_and_sites(r, record, namespace, name);
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(r->world.facts); id++) {
		const struct fact *fact = facts_find(r->world.facts, id, kind, namespace, name);
		struct fact_value v;

		if (fact && fact_decode(fact, r->scratch, &v))
			mark_hostnames(r, &v);
	}
}

static void mark_target(struct records *r, struct bytes namespace, const struct policy_target *t)
{
	switch (t->kind) {
	case POLICY_HOSTNAME:
		mark_offers(r, t->name);
		break;
	case POLICY_SERVICE_DNS_RECORD:
		mark_record_and_sites(r, FACT_SERVICE_DNS_RECORD, namespace, t->name);
		break;
	case POLICY_INGRESS_DNS_RECORD:
		mark_record_and_sites(r, FACT_INGRESS_DNS_RECORD, namespace, t->name);
		break;
	case POLICY_DNS_ENDPOINT:
		mark_record(r, FACT_DNS_ENDPOINT, namespace, t->name);
		mark_record(r, FACT_EXTERNAL_DNS_ENDPOINT, namespace, t->name);
		break;
	case POLICY_SERVICE:
		mark_app(r, FACT_SERVICE, FACT_SERVICE_DNS_RECORD, namespace, t->name);
		break;
	case POLICY_INGRESS:
		mark_app(r, FACT_INGRESS, FACT_INGRESS_DNS_RECORD, namespace, t->name);
		break;
	case POLICY_PATTERN:
	case POLICY_DOMAIN:
		dirty_mark_kind(r, 0);
		break;
	}
}

/* In the first build every source is made anyway. */
static void mark_targets(struct records *r, const struct fact *policy)
{
	struct fact_value v;

	if (!r->is_started || !policy || !fact_decode(policy, r->scratch, &v))
		return;
	for (size_t i = 0; i < v.policy.target_count; i++)
		mark_target(r, v.namespace, &v.policy.targets[i]);
}

static void change_policy(struct records *r, const struct fact_change *c)
{
	if (!policies_apply(r->policies, c->before, c->after))
		return;
	r->policies_changed = true;
	mark_targets(r, c->before);
	mark_targets(r, c->after);
}

/* --- objects of members --- */

/* Calls for each Service that an Ingress names, in rules and default backend. */
static void link_backends(struct records *r, uint16_t cluster, const struct fact *fact,
                          const struct fact_value *v,
                          void change(struct links *, uint32_t, uint16_t, const struct fact *))
{
	struct bytes fallback = v->ingress.default_service;

	for (size_t i = 0; i < v->ingress.rule_count; i++)
		for (size_t k = 0; k < v->ingress.rules[i].service_count; k++)
			change(&r->backends,
			       world_hash_object(&r->world, cluster, v->namespace,
			                         v->ingress.rules[i].services[k]),
			       cluster, fact);
	if (fallback.len > 0)
		change(&r->backends, world_hash_object(&r->world, cluster, v->namespace, fallback),
		       cluster, fact);
}

static void mark_ingress(const struct fact *ingress, void *arg)
{
	struct records *r = arg;
	struct fact_value v;

	mark_record(r, FACT_INGRESS_DNS_RECORD, fact_namespace(ingress), fact_name(ingress));
	if (fact_decode(ingress, r->scratch, &v))
		mark_hostnames(r, &v);
}

static void apply_annotated(struct records *r, uint16_t cluster, const struct fact *fact,
                            bool is_there)
{
	struct fact_value v;

	if (!fact || !fact_decode(fact, r->scratch, &v))
		return;
	link_hostnames(r, cluster, fact, &v, is_there);
	(is_there ? gateways_put : gateways_remove)(r->gateways, cluster, &v);
	if (v.kind == FACT_INGRESS)
		link_backends(r, cluster, fact, &v, is_there ? links_put : links_remove);
}

static void change_annotated(struct records *r, const struct fact_change *c, enum fact_kind record)
{
	const struct fact *any = c->after ? c->after : c->before;
	struct bytes namespace = fact_namespace(any);
	struct bytes name = fact_name(any);
	uint64_t subject = hash_mix(world_hash_object(&r->world, c->cluster, namespace, name),
	                            fact_get_kind(any));

	notes_begin(r->notes, NOTES_OF_OBJECT, subject);
	apply_annotated(r, c->cluster, c->before, false);
	apply_annotated(r, c->cluster, c->after, true);
	if (r->is_started)
		mark_record(r, record, namespace, name);
}

/* The Service became ready, or is not any more, or its endpoints count: all that looks at them. */
static void mark_ready(struct records *r, uint16_t cluster, struct bytes namespace,
                       struct bytes service)
{
	const struct fact *fact =
		facts_find(r->world.facts, cluster, FACT_SERVICE, namespace, service);
	struct idmap_walk walk =
		links_find(&r->backends, world_hash_object(&r->world, cluster, namespace, service));
	const struct link *link;
	struct fact_value v;

	mark_record(r, FACT_SERVICE_DNS_RECORD, namespace, service);
	if (fact && fact_decode(fact, r->scratch, &v))
		mark_hostnames(r, &v);
	while ((link = links_next(&r->backends, &walk)) != NULL)
		mark_ingress(link->fact, r);
}

/* --- slices --- */

struct slice {
	struct bytes namespace, service;
	uint64_t id; /* of the Service */
	uint32_t ready, total;
};

/* One that belongs to no Service changes nothing; a cluster may have any number of such. */
static bool read_slice(const struct records *r, uint16_t cluster, const struct fact *fact,
                       struct slice *out)
{
	struct fact_value v;

	if (!fact || !fact_decode(fact, r->scratch, &v) || v.slice.service.len == 0)
		return false;
	*out = (struct slice){v.namespace, v.slice.service,
	                      world_id(&r->world, cluster, v.namespace, v.slice.service),
	                      v.slice.ready, v.slice.total};
	return true;
}

static void count_slice(struct records *r, const struct slice *s, bool is_there)
{
	struct tally_entry *e = tally_get(&r->endpoints, s->id);

	e->n[TALLY_SLICES] += is_there ? 1U : -1U;
	e->n[TALLY_READY] += is_there ? s->ready : -s->ready;
	e->n[TALLY_ENDPOINTS] += is_there ? s->total : -s->total;
	tally_settle(&r->endpoints, e);
}

static struct world_count count_of(const struct records *r, uint16_t cluster, const struct slice *s)
{
	return world_count_endpoints(&r->world, cluster, s->namespace, s->service);
}

/* What is made of the Service's endpoints is made again, if it is not the same as before. */
static void mark_if_counted(struct records *r, uint16_t cluster, const struct slice *s,
                            const struct world_count *was)
{
	struct world_count is = count_of(r, cluster, s);
	bool turned = (is.ready > 0) != (was->ready > 0);

	if (turned || (policies_any_looks_at_endpoints(r->policies) &&
	               (is.ready != was->ready || is.total != was->total)))
		mark_ready(r, cluster, s->namespace, s->service);
	if (turned || (is.slices > 0) != (was->slices > 0))
		gateways_touch(r->gateways, cluster, s->namespace, s->service);
}

static void change_slice(struct records *r, const struct fact_change *c)
{
	struct slice before, after;
	bool has_before = read_slice(r, c->cluster, c->before, &before);
	bool has_after = read_slice(r, c->cluster, c->after, &after);
	struct world_count before_was = {0, 0, 0}, after_was = {0, 0, 0};

	if (has_before)
		before_was = count_of(r, c->cluster, &before);
	if (has_after)
		after_was = count_of(r, c->cluster, &after);
	if (has_before)
		count_slice(r, &before, false);
	if (has_after)
		count_slice(r, &after, true);
	/* In the first build every source is made anyway. */
	if (!r->is_started)
		return;
	if (has_before)
		mark_if_counted(r, c->cluster, &before, &before_was);
	if (has_after)
		mark_if_counted(r, c->cluster, &after, &after_was);
}

void dirty_end(struct records *r)
{
	arena_reset(r->scratch);
	gateways_update(r->gateways, r->world.facts, mark_ingress, r);
}

static void apply_to_host(struct records *r, const struct fact_change *c, enum fact_kind kind)
{
	switch ((int)kind) {
	case FACT_KUBEFED_CLUSTER:
		r->clusters_changed = true;
		break;
	case FACT_DOMAIN:
		r->domains_changed = true;
		if (r->is_started && !c->after)
			kept_zones_lose(&r->kept, c->before);
		break;
	case FACT_SERVICE_DNS_RECORD:
	case FACT_INGRESS_DNS_RECORD:
		change_source(r, c);
		if (!c->before || !c->after)
			mark_renderings(r, c->after ? c->after : c->before);
		break;
	case FACT_DNS_ENDPOINT:
	case FACT_EXTERNAL_DNS_ENDPOINT:
		change_source(r, c);
		mark_beside_sites(r, c);
		break;
	case FACT_TRAFFIC_POLICY:
		change_policy(r, c);
		break;
	default:
		break;
	}
}

void dirty_apply(struct records *r, const struct fact_change *c)
{
	enum fact_kind kind = fact_get_kind(c->after ? c->after : c->before);

	arena_reset(r->scratch);
	/* The host speaks of records, members of applications; neither for the other. */
	if (c->cluster == FACTS_HOST) {
		apply_to_host(r, c, kind);
		return;
	}
	switch ((int)kind) {
	case FACT_SERVICE:
		change_annotated(r, c, FACT_SERVICE_DNS_RECORD);
		break;
	case FACT_INGRESS:
		change_annotated(r, c, FACT_INGRESS_DNS_RECORD);
		break;
	case FACT_ENDPOINT_SLICE:
		change_slice(r, c);
		break;
	case FACT_NODE:
		clusters_touch_nodes(r->clusters, c->cluster);
		r->clusters_changed = true;
		break;
	default:
		break;
	}
}
