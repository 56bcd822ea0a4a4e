/* SPDX-License-Identifier: Apache-2.0 */
#include "records/rendering.h"

#include <stdlib.h>
#include <string.h>

#include "records/inside.h"
#include "records/names.h"
#include "records/owner.h"
#include "records/service_record.h"
#include "records/sites.h"

/* What one cluster has. */
struct entry {
	struct addr *addresses;
	size_t count;
};

/* One name of the rendering: addresses, or else a CNAME. */
struct item {
	const char *name;
	const struct addr *addresses; /* sorted: IPv4 before IPv6 */
	size_t count;
	const char *cname; /* NULL: none, and without addresses no endpoint at all */
	bool is_labelled;
};

struct rendering {
	struct world w;
	struct bytes label; /* serviceName; empty: none */
	uint32_t ttl;
	struct item *items;
	size_t count;
	bool awaits; /* the address of a host name */
};

/* As KubeFed writes names: no last dot. */
static const char *text_of(const struct rendering *p, const uint8_t *wire)
{
	char text[NAMES_TEXT_SIZE];

	names_to_text(wire, text);
	return arena_strndup(p->w.arena, text, strlen(text) - 1);
}

static void add_item(struct rendering *p, struct item item) { p->items[p->count++] = item; }

/* --- what KubeFed knew of each cluster --- */

static struct entry entry_of(struct rendering *p, const struct fact_value *record, uint16_t cluster)
{
	bool is_service = record->kind == FACT_SERVICE_DNS_RECORD;
	const struct fact *fact =
		facts_find(p->w.facts, cluster, is_service ? FACT_SERVICE : FACT_INGRESS,
	                   record->namespace, record->name);
	struct sites_targets t = {.object = fact, .cluster = cluster, .ttl = p->ttl};
	struct entry e = {NULL, 0};
	struct fact_value v;

	if (!fact || !fact_decode(fact, p->w.arena, &v))
		return e;
	if (is_service && !record->service_record.allow_without_endpoints &&
	    !world_is_ready(&p->w, cluster, record->namespace, record->name))
		return e;
	t.texts = is_service ? v.service.targets : v.ingress.targets;
	t.count = is_service ? v.service.target_count : v.ingress.target_count;
	e.addresses = sites_addresses(&p->w, 0, NULL, &t, &e.count);
	for (size_t i = 0; i < t.count; i++)
		p->awaits |= sites_is_awaited(&p->w, t.texts[i]);
	return e;
}

static struct entry *entries_of(struct rendering *p, const struct fact_value *record, size_t *count)
{
	const struct records_cluster *list = clusters_list(p->w.clusters, count);
	struct entry *entries = arena_calloc(p->w.arena, *count, sizeof(*entries));

	for (size_t i = 0; i < *count; i++)
		entries[i] = entry_of(p, record, list[i].id);
	return entries;
}

/* The addresses of some entries (members NULL: the first `count`) together. */
static struct item united(const struct rendering *p, const struct entry *entries,
                          const uint16_t *members, size_t count)
{
	struct addr *all;
	size_t most = 0, used = 0;

	for (size_t i = 0; i < count; i++)
		most += entries[members ? members[i] : i].count;
	all = arena_calloc(p->w.arena, most, sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[members ? members[i] : i];

		if (e->count > 0)
			memcpy(all + used, e->addresses, e->count * sizeof(*all));
		used += e->count;
	}
	return (struct item){.addresses = all, .count = sites_sort(all, used)};
}

/* --- names --- */

static const char *add_rung(struct rendering *p, const struct service_record_names *n,
                            const struct ladder_rung *rung, struct bytes back,
                            const struct entry *entries, const char *above)
{
	uint8_t wire[NAMES_WIRE_MAX];
	struct item item = united(p, entries, rung->members, rung->member_count);

	if (!above || service_record_rung_name(&p->w, "", n, rung->label, back, wire).len == 0)
		return NULL;
	item.name = text_of(p, wire);
	item.cname = above;
	item.is_labelled = true;
	add_item(p, item);
	return item.name;
}

static void render_service(struct rendering *p, const struct fact_value *v)
{
	const struct ladder *l = clusters_ladder(p->w.clusters);
	struct service_record_names names;
	struct entry *entries;
	struct item global;
	const char **regions = arena_calloc(p->w.arena, l->region_count, sizeof(char *));
	size_t count;

	p->items = arena_calloc(p->w.arena, l->region_count + l->zone_count + 2, sizeof(*p->items));
	if (!service_record_read_names(&p->w, "", v, &names))
		return;
	p->label = v->service_record.external_name.len ? v->name : (struct bytes){NULL, 0};
	entries = entries_of(p, v, &count);
	global = united(p, entries, NULL, count);
	global.name = text_of(p, names.global.data);
	global.is_labelled = true;
	add_item(p, global);
	for (size_t i = 0; i < l->region_count; i++)
		regions[i] = add_rung(p, &names, &l->regions[i], names.apex, entries, global.name);
	for (size_t i = 0; i < l->zone_count; i++) {
		size_t region = l->zones[i].region;
		uint8_t wire[NAMES_WIRE_MAX];
		struct bytes back = {wire, owner_join((struct bytes){NULL, 0},
		                                      l->regions[region].label, names.apex, wire)};

		if (back.len > 0)
			add_rung(p, &names, &l->zones[i], back, entries, regions[region]);
	}
	if (names.prefix.len > 0)
		add_item(p, (struct item){.name = text_of(p, names.prefix.data),
		                          .cname = global.name});
}

static void render_ingress(struct rendering *p, const struct fact_value *v)
{
	size_t count;
	const struct entry *entries = entries_of(p, v, &count);

	p->items = arena_calloc(p->w.arena, v->ingress_record.host_count, sizeof(*p->items));
	for (size_t i = 0; i < v->ingress_record.host_count; i++) {
		struct item item = united(p, entries, NULL, count);
		struct bytes host = v->ingress_record.hosts[i];

		item.name = arena_strndup(p->w.arena, (const char *)host.data, host.len);
		add_item(p, item);
	}
}

/* --- print --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static void begin_endpoint(const struct item *item, struct text *out)
{
	text_add(out, out->data[out->len - 1] == '[' ? "{\"dnsName\":" : ",{\"dnsName\":");
	text_add_json(out, bytes_of(item->name));
	text_add(out, ",\"targets\":[");
}

static void end_endpoint(const struct rendering *p, const struct item *item, const char *type,
                         struct text *out)
{
	text_printf(out, "],\"recordType\":\"%s\",\"recordTTL\":%u", type, p->ttl);
	if (item->is_labelled && p->label.len > 0) {
		text_add(out, ",\"labels\":{\"serviceName\":");
		text_add_json(out, p->label);
		text_add(out, "}");
	}
	text_add(out, "}");
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

/* KubeFed sorts addresses as strings. */
static void print_family(const struct rendering *p, const struct item *item, uint8_t family,
                         struct text *out)
{
	char(*texts)[ADDR_TEXT_SIZE] = arena_calloc(p->w.arena, item->count, sizeof(*texts));
	size_t count = 0;

	for (size_t i = 0; i < item->count; i++)
		if (item->addresses[i].family == family)
			addr_print(&item->addresses[i], texts[count++]);
	if (count == 0)
		return;
	qsort(texts, count, sizeof(*texts), by_text);
	begin_endpoint(item, out);
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s\"%s\"", i ? "," : "", texts[i]);
	end_endpoint(p, item, family == ADDR_IPV4 ? "A" : "AAAA", out);
}

static void print(const struct rendering *p, struct text *out)
{
	text_add(out, "[");
	if (p->count > 0)
		qsort(p->items, p->count, sizeof(*p->items), by_name);
	for (size_t i = 0; i < p->count; i++) {
		const struct item *item = &p->items[i];

		if (i > 0 && strcmp(item->name, p->items[i - 1].name) == 0)
			continue;
		print_family(p, item, ADDR_IPV4, out);
		print_family(p, item, ADDR_IPV6, out);
		if (item->count == 0 && item->cname) {
			begin_endpoint(item, out);
			text_add_json(out, bytes_of(item->cname));
			end_endpoint(p, item, "CNAME", out);
		}
	}
	text_add(out, "]");
}

enum err rendering_print(const struct records *r, const struct facts *f, enum fact_kind kind,
                         struct bytes namespace, struct bytes name, struct text *out)
{
	struct arena *a = arena_new();
	struct rendering p = {.w = r->world};
	const struct fact *fact = facts_find(f, FACTS_HOST, kind, namespace, name);
	bool is_service = kind == FACT_SERVICE_DNS_RECORD;
	struct fact_value v;

	p.w.facts = f;
	p.w.arena = a;
	p.w.notes = NULL;
	if (!fact || !r->is_started || (!is_service && kind != FACT_INGRESS_DNS_RECORD) ||
	    !fact_decode(fact, a, &v)) {
		arena_free(a);
		return ERR_NOTFOUND;
	}
	p.ttl = world_record_ttl(&p.w, "",
	                         is_service ? v.service_record.ttl : v.ingress_record.ttl);
	if (is_service)
		render_service(&p, &v);
	else
		render_ingress(&p, &v);
	if (!p.awaits)
		print(&p, out);
	arena_free(a);
	return p.awaits ? ERR_UNREACHABLE : ERR_OK;
}

bool rendering_is_ready(const struct records *r, uint16_t cluster, struct bytes namespace,
                        struct bytes service)
{
	return r->is_started && world_is_ready(&r->world, cluster, namespace, service);
}
