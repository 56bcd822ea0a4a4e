/* rendering_sites.c -- a record with its sites apart, as nighd answers from them (docs/dns-data.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "records/draft.h"
#include "records/ingress_rules.h"
#include "records/inside.h"
#include "records/names.h"
#include "records/rendering.h"
#include "records/sites.h"

struct printing {
	struct world w;
	struct fact_value record;
	uint32_t ttl;
	struct text *out;
};

/* What a site is reached by: addresses that were written as such, and host names, which whoever reads this looks up. */
struct reach {
	struct addr *addresses;
	size_t count;
	struct bytes *hosts;
	size_t host_count;
	uint16_t port;
};

static bool is_service(const struct printing *p)
{
	return p->record.kind == FACT_SERVICE_DNS_RECORD;
}

/* As KubeFed writes names: no last dot. */
static const char *text_of(const struct printing *p, struct bytes wire)
{
	char text[NAMES_TEXT_SIZE];

	names_to_text(wire.data, text);
	return arena_strndup(p->w.arena, text, strlen(text) - 1);
}

static void add_target(const struct printing *p, struct reach *reach, const struct fact *object,
                       uint16_t cluster, struct bytes target)
{
	struct addr a;

	if (!addr_parse(target, &a)) {
		reach->hosts[reach->host_count++] = target;
		return;
	}
	a = addr_unmapped(&a);
	if (sites_may_publish(&p->w, object, cluster, &a))
		reach->addresses[reach->count++] = a;
}

static struct reach reach_of(const struct printing *p, uint16_t cluster, const char *name)
{
	const struct fact *fact =
		facts_find(p->w.facts, cluster, is_service(p) ? FACT_SERVICE : FACT_INGRESS,
	                   p->record.namespace, p->record.name);
	struct reach reach = {0};
	const struct bytes *targets;
	struct fact_value v;
	size_t count;

	if (!fact || !fact_decode(fact, p->w.arena, &v))
		return reach;
	targets = is_service(p) ? v.service.targets : v.ingress.targets;
	count = is_service(p) ? v.service.target_count : v.ingress.target_count;
	reach.port = is_service(p) ? v.service.port : ingress_rules_port(&v, bytes_of(name));
	reach.addresses = arena_calloc(p->w.arena, count, sizeof(*reach.addresses));
	reach.hosts = arena_calloc(p->w.arena, count, sizeof(*reach.hosts));
	for (size_t i = 0; i < count; i++)
		add_target(p, &reach, fact, cluster, targets[i]);
	reach.count = sites_sort(reach.addresses, reach.count);
	reach.host_count = bytes_unique(reach.hosts, reach.host_count);
	return reach;
}

/* --- printing --- */

static void begin_endpoint(const struct printing *p, const char *name)
{
	text_add(p->out, p->out->data[p->out->len - 1] == '[' ? "{\"dnsName\":" : ",{\"dnsName\":");
	text_add_json(p->out, bytes_of(name));
	text_add(p->out, ",\"targets\":[");
}

static void add_text(const struct printing *p, struct bytes target)
{
	if (p->out->data[p->out->len - 1] != '[')
		text_add(p->out, ",");
	text_add_json(p->out, target);
}

static void end_targets(const struct printing *p, const char *type)
{
	text_printf(p->out, "],\"recordType\":\"%s\",\"recordTTL\":%u", type, p->ttl);
}

/* What an edge cannot see for itself. */
static void print_labels(const struct printing *p, const struct endpoint_site *s, const char *site,
                         uint16_t port)
{
	bool unready = !(s->layers & SITE_ENDPOINTS), no_gateway = s->layers & SITE_NO_GATEWAY;

	text_add(p->out, ",\"setIdentifier\":");
	text_add_json(p->out, bytes_of(site));
	text_add(p->out, ",\"labels\":{\"nigh.dev/cluster\":");
	text_add_json(p->out, bytes_of(site));
	if (port > 0)
		text_printf(p->out, ",\"nigh.dev/port\":\"%u\"", port);
	if (unready || no_gateway)
		text_printf(p->out, ",\"nigh.dev/failed\":\"%s%s%s\"", unready ? "endpoints" : "",
		            unready && no_gateway ? "," : "", no_gateway ? "gateway" : "");
	if (s->ready > 0 || s->endpoints > 0) {
		text_printf(p->out, ",\"nigh.dev/endpoints\":\"%u", s->ready);
		/* Of how many is nobody's matter where none need be ready. */
		if (is_service(p) && p->record.service_record.allow_without_endpoints)
			text_add(p->out, "\"");
		else
			text_printf(p->out, "/%u\"", s->endpoints);
	}
	text_add(p->out, "}}");
}

static bool has_family(const struct reach *reach, uint8_t family)
{
	for (size_t i = 0; i < reach->count; i++)
		if (reach->addresses[i].family == family)
			return true;
	return false;
}

static void print_family(const struct printing *p, const struct reach *reach, uint8_t family)
{
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < reach->count; i++)
		if (reach->addresses[i].family == family)
			add_text(p, bytes_of(addr_print(&reach->addresses[i], text)));
	end_targets(p, family == ADDR_IPV4 ? "A" : "AAAA");
}

/* A site without an address is one, too: it has the application. */
static void print_site(const struct printing *p, const char *name, const struct endpoint_site *s)
{
	const char *site = facts_cluster_name(p->w.facts, s->cluster);
	struct reach reach = reach_of(p, s->cluster, name);
	static const uint8_t families[] = {ADDR_IPV4, ADDR_IPV6};

	for (size_t i = 0; i < 2; i++) {
		if (!has_family(&reach, families[i]) &&
		    (families[i] != ADDR_IPV4 || reach.count + reach.host_count > 0))
			continue;
		begin_endpoint(p, name);
		print_family(p, &reach, families[i]);
		print_labels(p, s, site, reach.port);
	}
	if (reach.host_count == 0)
		return;
	begin_endpoint(p, name);
	for (size_t i = 0; i < reach.host_count; i++)
		add_text(p, reach.hosts[i]);
	end_targets(p, "CNAME");
	print_labels(p, s, site, reach.port);
}

static void print_name(const struct printing *p, const struct endpoint *e)
{
	const char *name = text_of(p, e->owner);
	struct bytes alias = e->fixed_count > 0
	                             ? e->fixed[0].texts[0]
	                             : bytes_of(e->fallback.len ? text_of(p, e->fallback) : "");

	if (alias.len > 0 && alias.data[alias.len - 1] == '.')
		alias.len--;
	if (alias.len > 0) {
		begin_endpoint(p, name);
		add_text(p, alias);
		end_targets(p, "CNAME");
		text_add(p->out, "}");
	}
	for (size_t i = 0; i < e->site_count; i++)
		print_site(p, name, &e->sites[i]);
}

/* As their texts are in order, which is that of who reads them. */
static int by_name(const void *a, const void *b)
{
	char x[NAMES_TEXT_SIZE], y[NAMES_TEXT_SIZE];

	names_to_text(((const struct endpoint *)a)->owner.data, x);
	names_to_text(((const struct endpoint *)b)->owner.data, y);
	x[strlen(x) - 1] = y[strlen(y) - 1] = '\0'; /* the last dot is not written */
	return strcmp(x, y);
}

static void print(const struct printing *p, struct offer *offer)
{
	text_add(p->out, "[");
	if (offer && offer->count > 1)
		qsort(offer->endpoints, offer->count, sizeof(*offer->endpoints), by_name);
	for (size_t i = 0; offer && i < offer->count; i++)
		print_name(p, &offer->endpoints[i]);
	text_add(p->out, "]");
}

/* What the record offered in the last build. */
static struct offer *offer_of(const struct records *r, const struct printing *p)
{
	uint32_t number =
		sources_find(&r->sources, p->record.kind, p->record.namespace, p->record.name);
	struct bytes draft = number ? source_draft(sources_get(&r->sources, number)->kept)
	                            : (struct bytes){NULL, 0};

	return draft.len > 0 ? draft_decode(draft, &r->key, "", p->w.arena) : NULL;
}

enum err rendering_print_sites(const struct records *r, const struct facts *f, enum fact_kind kind,
                               struct bytes namespace, struct bytes name, struct text *out)
{
	struct arena *a = arena_new();
	struct printing p = {.w = r->world, .out = out};
	const struct fact *fact = facts_find(f, FACTS_HOST, kind, namespace, name);
	enum err err = ERR_NOTFOUND;

	p.w.facts = f;
	p.w.arena = a;
	p.w.notes = NULL;
	if (fact && r->is_started &&
	    (kind == FACT_SERVICE_DNS_RECORD || kind == FACT_INGRESS_DNS_RECORD) &&
	    fact_decode(fact, a, &p.record)) {
		p.ttl = world_record_ttl(&p.w, "",
		                         is_service(&p) ? p.record.service_record.ttl
		                                        : p.record.ingress_record.ttl);
		print(&p, offer_of(r, &p));
		err = ERR_OK;
	}
	arena_free(a);
	return err;
}
