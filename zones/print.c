/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "records/endpoint.h"
#include "records/names.h"
#include "zones/rdata.h"

struct printer {
	const struct snapshot *snapshot;
	struct text *out;
};

/* Serials are each replica's own. */
static void print_soa(struct text *out, struct bytes rdata)
{
	char mname[NAMES_TEXT_SIZE], rname[NAMES_TEXT_SIZE];
	size_t first = names_wire_len(rdata.data),
	       both = first + names_wire_len(rdata.data + first);
	const uint8_t *n = rdata.data + both + 4;

	text_printf(out, "%s %s - %u %u %u %u", names_to_text(rdata.data, mname),
	            names_to_text(rdata.data + first, rname), bytes_get32(n), bytes_get32(n + 4),
	            bytes_get32(n + 8), bytes_get32(n + 12));
}

static void print_rrset(const struct rrset *s, const char *indent, struct text *out)
{
	struct bytes rdata;
	char type[16];

	rdata_type_text(s->type, type);
	for (size_t at = 0; rrset_next(s, &at, &rdata);) {
		text_printf(out, "%s%u %s ", indent, s->ttl, type);
		if (s->type == RR_SOA) {
			print_soa(out, rdata);
		} else {
			char *text = rdata_to_text(s->type, rdata);

			text_add(out, text);
			free(text);
		}
		text_add(out, "\n");
	}
}

/* What few sites have.  Holds are numbered in the order they came. */
static void print_more(const struct printer *p, const struct site *site)
{
	uint16_t endpoints, ready = site_ready(site, &endpoints);

	if (site_layers(site) & SITE_FEW_READY)
		text_add(p->out, " fewReady");
	if (site_layers(site) & SITE_NO_GATEWAY)
		text_add(p->out, " noGateway");
	if (endpoints > 0)
		text_printf(p->out, " ready=%u/%u", ready, endpoints);
	if (site_capacity(site) > 0)
		text_printf(p->out, " capacity=%u", site_capacity(site));
	if (snapshot_site_waits(p->snapshot, site))
		text_add(p->out, " waits");
	if (site_is_held(site))
		text_add(p->out, " held");
}

/* Probes are numbered in the order they came, so only how many there are is told. */
static void print_site(const struct printer *p, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(p->snapshot, site_cluster(site));
	size_t probes, down = 0;
	const uint32_t *probe = site_probes(site, &probes);
	const struct rrset *s;

	for (size_t i = 0; i < probes; i++)
		down += snapshot_probe_is_down(p->snapshot, probe[i]);
	text_printf(p->out, "  site %s%s%s", c ? c->name : "(unknown)",
	            site_layers(site) & SITE_ENDPOINTS ? " endpoints" : "",
	            site_layers(site) & SITE_LOAD_BALANCER ? " loadBalancer" : "");
	print_more(p, site);
	text_printf(p->out, " probes=%zu down=%zu\n", probes, down);
	for (size_t i = 0; (s = site_rrset_at(site, i)) != NULL; i++)
		print_rrset(s, "    ", p->out);
}

static bool print_node(const struct node *n, void *arg)
{
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = {{NODE_APEX, " apex"},
	             {NODE_CUT, " cut"},
	             {NODE_DNAME, " dname"},
	             {NODE_EMPTY, " empty"},
	             {NODE_SITES, " sites"},
	             {NODE_FAIL_OPEN, " fail-open"},
	             {NODE_WILDCARD_BELOW, " wildcard-below"},
	             {NODE_OCCLUDED, " occluded"}};
	const struct printer *p = arg;
	const char *source = snapshot_source(p->snapshot, node_source(n));
	const struct rrset *s;
	char owner[NAMES_TEXT_SIZE];

	text_printf(p->out, " name %s", names_to_text(node_owner(n), owner));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (node_flags(n) & words[i].flag)
			text_add(p->out, words[i].word);
	if (node_policy(n))
		text_printf(p->out, " policy=%s", snapshot_node_policy(p->snapshot, n)->name);
	text_printf(p->out, "%s%s\n", *source ? " from " : "", source);
	for (size_t i = 0; (s = node_rrset_at(n, i)) != NULL; i++)
		print_rrset(s, "  ", p->out);
	for (size_t i = 0; i < node_site_count(n); i++)
		print_site(p, node_site(n, i));
	if (node_fallback(n))
		print_rrset(node_fallback(n), "  fallback ", p->out);
	return true;
}

static void print_zone(const struct printer *p, const struct zone *z)
{
	char apex[NAMES_TEXT_SIZE];

	text_printf(p->out, "zone %s names=%zu negative=%u\n", names_to_text(zone_apex(z), apex),
	            zone_name_count(z), zone_negative_ttl(z));
	zone_each(z, NULL, print_node, (void *)(uintptr_t)p);
}

static void print_cluster(const struct snapshot_cluster *c, struct text *out)
{
	text_printf(out, "cluster %s source=%s knowledge=%s region=%s zones=", c->name, c->source,
	            c->knowledge, c->region);
	for (size_t i = 0; c->zones[i]; i++)
		text_printf(out, "%s%s", i ? "," : "", c->zones[i]);
	if (c->has_place)
		text_printf(out, " place=%.6f,%.6f from=%s", c->place.latitude, c->place.longitude,
		            c->place_from);
	if (c->withheld > 0)
		text_printf(out, " withheld=%u", c->withheld);
	if (c->ttl_most > 0)
		text_printf(out, " ttlMost=%u", c->ttl_most);
	text_printf(out, "%s%s%s%s%s\n", c->drained ? " drained" : "", c->expired ? " expired" : "",
	            c->up ? " up" : " down", *c->error ? " error=" : "", c->error);
}

static void print_weights(const struct printer *p, const char *word, const uint32_t *weight,
                          size_t count)
{
	const struct snapshot_cluster *c;

	if (!weight)
		return;
	text_printf(p->out, " %s=", word);
	for (size_t i = 0; (c = snapshot_cluster_at(p->snapshot, i)) != NULL; i++)
		if (c->id < count && weight[c->id] > 0)
			text_printf(p->out, "%s:%u,", c->name, weight[c->id]);
}

static void print_policy(const struct printer *p, const struct policy *is)
{
	text_printf(p->out, "policy %s stages=", is->name);
	for (size_t i = 0; is->stages[i]; i++)
		text_printf(p->out, "%s%s", i ? "," : "", is->stages[i]);
	text_printf(p->out,
	            " buckets=%u,%u minReady=%u maxAddresses=%u ttl=%u degradedTTL=%u%s%s%s%s%s",
	            is->bucket_ipv4, is->bucket_ipv6, is->min_ready_percent, is->max_addresses,
	            is->ttl, is->degraded_ttl, is->must_wait ? " must-wait" : "",
	            is->has_fence ? " fence" : "", is->has_failback ? " failback" : "",
	            is->no_data_when_all_down ? " no-data-when-all-down" : "",
	            is->resolver_when_unknown ? " nearest-to-resolver" : "");
	print_weights(p, "weights", is->weight, is->cluster_count);
	print_weights(p, "unknown", is->unknown_weight, is->cluster_count);
	text_add(p->out, "\n");
}

static int by_policy_name(const void *a, const void *b)
{
	const struct policy *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Policies are numbered in the order they came. */
static void print_policies(const struct printer *p)
{
	const struct snapshot_head *head = snapshot_head(p->snapshot);
	const struct policy **list = xcalloc(head->policy_count + 1, sizeof(*list));
	size_t count = 0;

	for (uint32_t i = 1; i < head->policy_count; i++)
		if (head->policies[i].ranking)
			list[count++] = &head->policies[i];
	qsort(list, count, sizeof(*list), by_policy_name);
	for (size_t i = 0; i < count; i++)
		print_policy(p, list[i]);
	free(list);
}

void snapshot_print(const struct snapshot *s, struct text *out)
{
	const struct snapshot_settings *set = snapshot_settings(s);
	struct printer p = {s, out};
	const struct snapshot_cluster *c;
	const struct zone *z;

	text_printf(out, "settings policy=%s degradedTTL=%u%s%s%s\n", set->all ? "all" : "nearest",
	            set->degraded_ttl, set->ready ? " ready" : "",
	            set->incomplete ? " incomplete" : "", set->dark ? " dark" : "");
	if (set->max_addresses != 0)
		text_printf(out, "settings maxAddresses=%u\n", set->max_addresses);
	for (size_t i = 0; (c = snapshot_cluster_at(s, i)) != NULL; i++)
		print_cluster(c, out);
	print_policies(&p);
	for (size_t i = 0; (z = snapshot_zone(s, i)) != NULL; i++)
		print_zone(&p, z);
}
