/* SPDX-License-Identifier: Apache-2.0 */
#include "records/service_record.h"

#include <string.h>

#include "records/owner.h"
#include "records/sites.h"

/* What stands between the dots of a name that is put together must be labels of host names. */
static bool are_labels(struct bytes text, struct reason *why)
{
	while (text.len > 0) {
		const uint8_t *dot = memchr(text.data, '.', text.len);
		size_t len = dot ? (size_t)(dot - text.data) : text.len;

		if (!names_is_label((struct bytes){text.data, len}, why))
			return false;
		text.data += dot ? len + 1 : len;
		text.len -= dot ? len + 1 : len;
	}
	return true;
}

bool service_record_read_names(const struct world *w, const char *title, const struct fact_value *v,
                               struct service_record_names *out)
{
	struct bytes first =
		v->service_record.external_name.len ? v->service_record.external_name : v->name;
	struct bytes ref = v->service_record.domain_ref;
	struct bytes dns_prefix = v->service_record.dns_prefix;
	struct reason why;
	char *text;
	size_t len;

	out->apex = apexes_domain(w->apexes, ref);
	if (out->apex.len == 0) {
		notes_problem(w->notes, title, "there is no Domain named '%.*s'", (int)ref.len,
		              (const char *)ref.data);
		return false;
	}
	text = arena_printf(w->arena, "%.*s.%.*s.%.*s.svc", (int)first.len,
	                    (const char *)first.data, (int)v->namespace.len,
	                    (const char *)v->namespace.data, (int)ref.len, (const char *)ref.data);
	if (names_from_text(bytes_of(text), out->front_wire, &len, &why) ||
	    !are_labels(bytes_of(text), &why)) {
		notes_problem(w->notes, title, "'%s' cannot be a name: %s", text, why.text);
		return false;
	}
	out->front = (struct bytes){out->front_wire, len - 1};
	out->global = service_record_rung_name(w, title, out, (struct bytes){NULL, 0}, out->apex,
	                                       out->global_wire);
	out->prefix = (struct bytes){NULL, 0};
	if (dns_prefix.len && (names_from_text(dns_prefix, out->prefix_wire, &len, &why) ||
	                       !are_labels(dns_prefix, &why))) {
		notes_problem(w->notes, title, "dnsPrefix '%.*s' cannot be a name: %s",
		              (int)dns_prefix.len, (const char *)dns_prefix.data, why.text);
	} else if (dns_prefix.len) {
		uint8_t copy[NAMES_WIRE_MAX];

		memcpy(copy, out->prefix_wire, len);
		out->prefix.len = owner_join((struct bytes){copy, len - 1}, (struct bytes){NULL, 0},
		                             out->apex, out->prefix_wire);
		out->prefix.data = out->prefix_wire;
		if (out->prefix.len == 0)
			notes_problem(w->notes, title,
			              "dnsPrefix gives a name longer than 255 bytes");
	}
	return out->global.len > 0;
}

struct bytes service_record_rung_name(const struct world *w, const char *title,
                                      const struct service_record_names *n, struct bytes label,
                                      struct bytes back, uint8_t out[NAMES_WIRE_MAX])
{
	size_t len = owner_join(n->front, label, back, out);

	if (len == 0)
		notes_problem(w->notes, title, "one of its names would be longer than 255 bytes");
	return (struct bytes){out, len};
}

/* --- sites --- */

/* The number of each cluster's site by its position in the list; NO_SITE: none there. */
enum { NO_SITE = UINT32_MAX };

static uint32_t add_site(const struct world *w, uint32_t source, const struct fact_value *record,
                         uint16_t cluster, struct draft *d)
{
	const struct fact *fact =
		facts_find(w->facts, cluster, FACT_SERVICE, record->namespace, record->name);
	struct fact_value v;
	struct sites_targets t;
	struct endpoint_site site;
	struct addr *addresses;
	size_t count;
	bool is_ready;

	if (!fact || !fact_decode(fact, w->arena, &v))
		return NO_SITE;
	t = (struct sites_targets){fact, cluster, v.service.targets, v.service.target_count,
	                           d->ttl};
	addresses = sites_addresses(w, source, d, &t, &count);
	is_ready = record->service_record.allow_without_endpoints ||
	           world_is_ready(w, cluster, record->namespace, record->name);
	site = sites_make(w, cluster, addresses, count, t.ttl, v.service.port, is_ready);
	return draft_add_site(d, &site);
}

static uint32_t *add_sites(const struct world *w, uint32_t source, const struct fact_value *record,
                           struct draft *d)
{
	size_t count;
	const struct records_cluster *clusters = clusters_list(w->clusters, &count);
	uint32_t *numbers = arena_alloc(w->arena, count * sizeof(*numbers));

	for (size_t i = 0; i < count; i++)
		numbers[i] = add_site(w, source, record, clusters[i].id, d);
	return numbers;
}

/* --- names --- */

struct rungs {
	const struct world *w;
	const char *title;
	const struct service_record_names *names;
	const uint32_t *site_of;
	const struct policy_subject *subject;
	struct draft *d;
};

/* A name of the record, under the policy that is for it. */
static struct draft_name *add_name(const struct rungs *r, struct bytes owner)
{
	struct draft_name *name = draft_add_name(r->d, owner);

	name->policy = policy_index_find(r->w->policy_index, r->subject, owner);
	return name;
}

/* The name of one rung, which falls back to `above`. Its number, or DRAFT_NO_NAME. */
static uint32_t add_rung(const struct rungs *r, const struct ladder_rung *rung, struct bytes back,
                         uint32_t above)
{
	uint8_t wire[NAMES_WIRE_MAX];
	struct bytes owner =
		service_record_rung_name(r->w, r->title, r->names, rung->label, back, wire);
	struct draft_name *name;

	if (owner.len == 0)
		return DRAFT_NO_NAME;
	name = add_name(r, owner);
	name->target = above;
	name->sites = arena_alloc(r->w->arena, rung->member_count * sizeof(*name->sites));
	for (size_t i = 0; i < rung->member_count; i++) {
		uint32_t site = r->site_of[rung->members[i]];

		if (site != NO_SITE)
			name->sites[name->site_count++] = site;
	}
	return (uint32_t)r->d->name_count - 1;
}

static void add_ladder(const struct rungs *r, uint32_t global)
{
	const struct ladder *l = clusters_ladder(r->w->clusters);
	uint32_t *regions = arena_alloc(r->w->arena, l->region_count * sizeof(*regions));

	for (size_t i = 0; i < l->region_count; i++)
		regions[i] = add_rung(r, &l->regions[i], r->names->apex, global);
	for (size_t i = 0; i < l->zone_count; i++) {
		struct bytes region = l->regions[l->zones[i].region].label;
		uint8_t wire[NAMES_WIRE_MAX];
		struct bytes back = {
			wire, owner_join((struct bytes){NULL, 0}, region, r->names->apex, wire)};

		if (regions[l->zones[i].region] != DRAFT_NO_NAME && back.len > 0)
			add_rung(r, &l->zones[i], back, regions[l->zones[i].region]);
	}
}

void service_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                         struct draft *d)
{
	const char *title = world_title(w, fact);
	struct service_record_names names;
	struct fact_value v;
	struct draft_name *global;
	struct policy_subject subject;
	struct rungs rungs = {w, title, &names, NULL, &subject, d};

	if (!fact_decode(fact, w->arena, &v) || !service_record_read_names(w, title, &v, &names))
		return;
	subject = (struct policy_subject){POLICY_SERVICE_DNS_RECORD, POLICY_SERVICE, v.namespace,
	                                  v.name};
	d->ttl = world_record_ttl(w, title, v.service_record.ttl);
	rungs.site_of = add_sites(w, source, &v, d);
	global = add_name(&rungs, names.global);
	global->fail_open = true;
	global->is_offered = d->site_count > 0;
	global->site_count = d->site_count;
	global->sites = arena_alloc(w->arena, d->site_count * sizeof(*global->sites));
	for (size_t i = 0; i < d->site_count; i++)
		global->sites[i] = (uint32_t)i;
	if (d->site_count > 0)
		add_ladder(&rungs, 0);
	if (names.prefix.len == 0)
		return;
	if (draft_has_name(d, names.prefix.data))
		notes_problem(w->notes, title,
		              "dnsPrefix gives a name that the record has already");
	else
		add_name(&rungs, names.prefix)->target = 0;
}
