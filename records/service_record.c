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

/* Sites as one policy wants them: all names of the record that it is for share them. */
struct site_set {
	uint32_t policy;
	uint32_t *site_of;
};

struct rungs {
	const struct world *w;
	const char *title;
	uint32_t source;
	const struct fact_value *record;
	const struct service_record_names *names;
	struct site_set *sets; /* room for one of each name */
	size_t set_count;
	struct draft *d;
};

static uint32_t add_site(const struct rungs *r, uint16_t cluster, const struct draft_name *name)
{
	const struct world *w = r->w;
	const struct fact_value *record = r->record;
	bool needs_none = record->service_record.allow_without_endpoints;
	const struct fact *fact =
		facts_find(w->facts, cluster, FACT_SERVICE, record->namespace, record->name);
	struct sites_app app = {.cluster = cluster, .policy = name->policy, .owner = name->owner};
	struct endpoint_site site;
	struct sites_targets t;
	struct fact_value v;

	if (!fact || !fact_decode(fact, w->arena, &v))
		return NO_SITE;
	t = (struct sites_targets){fact, cluster, v.service.targets, v.service.target_count,
	                           r->d->ttl};
	app.addresses = sites_addresses(w, r->source, r->d, &t, &app.count);
	app.ttl = t.ttl;
	app.port = v.service.port;
	app.endpoints = world_count_endpoints(w, cluster, record->namespace, record->name);
	app.is_ready = needs_none || app.endpoints.ready > 0;
	app.has_count = !needs_none;
	site = sites_make(w, &app);
	return draft_add_site(r->d, &site);
}

static const uint32_t *sites_for(struct rungs *r, const struct draft_name *name)
{
	size_t count;
	const struct records_cluster *clusters = clusters_list(r->w->clusters, &count);
	struct site_set *set;

	for (size_t i = 0; i < r->set_count; i++)
		if (r->sets[i].policy == name->policy)
			return r->sets[i].site_of;
	set = &r->sets[r->set_count++];
	*set = (struct site_set){name->policy,
	                         arena_alloc(r->w->arena, count * sizeof(*set->site_of))};
	for (size_t i = 0; i < count; i++)
		set->site_of[i] = add_site(r, clusters[i].id, name);
	return set->site_of;
}

/* --- names --- */

/* A name of the record, under the policy that is for it. */
static struct draft_name *add_name(const struct rungs *r, struct bytes owner)
{
	const struct policy_subject subject = {POLICY_SERVICE_DNS_RECORD, POLICY_SERVICE,
	                                       r->record->namespace, r->record->name};
	struct draft_name *name = draft_add_name(r->d, owner);

	name->policy = policy_index_find(r->w->policy_index, &subject, owner, &name->passed_over);
	return name;
}

/* The sites of some clusters, by position; members NULL: of the first `count`. */
static void set_sites(struct rungs *r, struct draft_name *name, const uint16_t *members,
                      size_t count)
{
	const uint32_t *site_of = sites_for(r, name);

	name->sites = arena_alloc(r->w->arena, count * sizeof(*name->sites));
	for (size_t i = 0; i < count; i++) {
		uint32_t site = site_of[members ? members[i] : i];

		if (site != NO_SITE)
			name->sites[name->site_count++] = site;
	}
	sites_hold(r->w, r->d, name);
}

/* The name of one rung, which falls back to `above`. Its number, or DRAFT_NO_NAME. */
static uint32_t add_rung(struct rungs *r, const struct ladder_rung *rung, struct bytes back,
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
	set_sites(r, name, rung->members, rung->member_count);
	return (uint32_t)r->d->name_count - 1;
}

static void add_ladder(struct rungs *r, uint32_t global)
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
	const struct ladder *l = clusters_ladder(w->clusters);
	struct service_record_names names;
	struct fact_value v;
	struct rungs rungs = {
		.w = w, .title = title, .source = source, .record = &v, .names = &names, .d = d};
	struct draft_name *global;
	size_t clusters;

	if (!fact_decode(fact, w->arena, &v) || !service_record_read_names(w, title, &v, &names))
		return;
	d->ttl = world_record_ttl(w, title, v.service_record.ttl);
	rungs.sets =
		arena_alloc(w->arena, (l->region_count + l->zone_count + 1) * sizeof(*rungs.sets));
	(void)clusters_list(w->clusters, &clusters);
	global = add_name(&rungs, names.global);
	global->fail_open = true;
	set_sites(&rungs, global, NULL, clusters);
	global->is_offered = global->site_count > 0;
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
