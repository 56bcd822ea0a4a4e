/* SPDX-License-Identifier: Apache-2.0 */
#include "records/ingress_record.h"

#include <string.h>

#include "records/ingress_rules.h"
#include "records/names.h"
#include "records/sites.h"

/* The Ingress at one cluster: its addresses are the same for every host. */
struct ingress_at {
	uint16_t cluster;
	struct fact_value value;
	struct addr *addresses;
	size_t count;
	uint32_t ttl;
	bool has_no_gateway;
};

static struct ingress_at *find_ingresses(const struct world *w, uint32_t source,
                                         const struct fact_value *record, struct draft *d,
                                         size_t *found)
{
	size_t count;
	const struct records_cluster *clusters = clusters_list(w->clusters, &count);
	struct ingress_at *list = arena_alloc(w->arena, count * sizeof(*list));

	*found = 0;
	for (size_t i = 0; i < count; i++) {
		struct ingress_at *at = &list[*found];
		const struct fact *fact = facts_find(w->facts, clusters[i].id, FACT_INGRESS,
		                                     record->namespace, record->name);
		struct sites_targets t;

		if (!fact || !fact_decode(fact, w->arena, &at->value))
			continue;
		at->cluster = clusters[i].id;
		t = (struct sites_targets){fact, at->cluster, at->value.ingress.targets,
		                           at->value.ingress.target_count, d->ttl};
		at->addresses = sites_addresses(w, source, d, &t, &at->count);
		at->ttl = t.ttl;
		at->has_no_gateway = ingress_rules_have_no_gateway(w, at->cluster, &at->value);
		(*found)++;
	}
	return list;
}

static uint32_t add_site(const struct world *w, const struct ingress_at *at, struct bytes host,
                         const struct draft_name *name, struct draft *d)
{
	struct sites_app app = {
		.cluster = at->cluster,
		.addresses = at->addresses,
		.count = at->count,
		.ttl = at->ttl,
		.port = ingress_rules_port(&at->value, host),
		.is_ready = ingress_rules_are_ready(w, at->cluster, &at->value, host),
		.has_no_gateway = at->has_no_gateway,
		.policy = name->policy,
		.owner = name->owner,
	};
	struct endpoint_site site;

	if (sites_count_endpoints(w, name->policy))
		app.has_count =
			ingress_rules_count(w, at->cluster, &at->value, host, &app.endpoints);
	site = sites_make(w, &app);
	return draft_add_site(d, &site);
}

static void add_host(const struct world *w, const struct fact *record, struct bytes host,
                     const struct ingress_at *at, size_t count, struct draft *d)
{
	const struct policy_subject subject = {POLICY_INGRESS_DNS_RECORD, POLICY_INGRESS,
	                                       fact_namespace(record), fact_name(record)};
	const char *title = world_title(w, record);
	uint8_t wire[NAMES_WIRE_MAX];
	struct draft_name *name;
	struct reason why;
	size_t len;

	if (names_from_text(host, wire, &len, &why)) {
		notes_problem(w->notes, title, "host '%.*s': %s", (int)host.len,
		              (const char *)host.data, why.text);
		return;
	}
	if (apexes_find(w->apexes, (struct bytes){wire, len}) < 0) {
		notes_problem(w->notes, title, "host %.*s is outside every zone", (int)host.len,
		              (const char *)host.data);
		return;
	}
	if (count == 0 || draft_has_name(d, wire))
		return;
	name = draft_add_name(d, (struct bytes){wire, len});
	name->fail_open = true;
	name->policy =
		policy_index_find(w->policy_index, &subject, name->owner, &name->passed_over);
	name->sites = arena_alloc(w->arena, count * sizeof(*name->sites));
	name->site_count = count;
	for (size_t i = 0; i < count; i++)
		name->sites[i] = add_site(w, &at[i], host, name, d);
	sites_hold(w, d, name);
}

void ingress_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                         struct draft *d)
{
	const char *title = world_title(w, fact);
	struct fact_value v;
	struct ingress_at *at;
	size_t count;

	if (!fact_decode(fact, w->arena, &v))
		return;
	d->ttl = world_record_ttl(w, title, v.ingress_record.ttl);
	at = find_ingresses(w, source, &v, d, &count);
	for (size_t i = 0; i < v.ingress_record.host_count; i++)
		add_host(w, fact, v.ingress_record.hosts[i], at, count, d);
}
