/* SPDX-License-Identifier: Apache-2.0 */
#include "records/published_record.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "records/dns_endpoint.h"
#include "records/names.h"
#include "records/owner.h"
#include "records/sites.h"

enum { NO_TYPE, TYPE_A, TYPE_AAAA, TYPE_CNAME };

/* An endpoint of the object. */
struct entry {
	const struct fact_endpoint *from;
	struct bytes owner, lower;             /* wire form, as written and in lower case */
	const struct records_cluster *cluster; /* NULL: of no site, an alias */
	struct bytes target;                   /* of an alias: wire form, lower case */
	unsigned type;
};

/* The last site that was made of a cluster. */
struct made {
	bool is;
	struct sites_app app;
	uint32_t site;
};

struct making {
	const struct world *w;
	const struct fact *object;
	const char *title;
	uint32_t source;
	struct policy_subject subject;
	struct entry *entries; /* by name; aliases first, then by cluster and type */
	size_t count;
	struct bytes *targets; /* of aliases, sorted: number n is name n of the draft */
	size_t target_count;
	struct made *made; /* by cluster's id */
	struct draft *d;
};

/* --- what the object says --- */

static struct bytes after(struct bytes name, const char *prefix)
{
	size_t len = strlen(prefix);

	if (name.len <= len || memcmp(name.data, prefix, len) != 0)
		return (struct bytes){NULL, 0};
	return (struct bytes){name.data + len, name.len - len};
}

struct policy_subject published_record_subject(const struct fact *fact)
{
	struct policy_subject s = {.namespace = fact_namespace(fact)};

	s.name = after(fact_name(fact), PUBLISHED_RECORD_PREFIX "service-");
	if (s.name.len > 0) {
		s.record = POLICY_SERVICE_DNS_RECORD;
		s.app = POLICY_SERVICE;
		return s;
	}
	s.name = after(fact_name(fact), PUBLISHED_RECORD_PREFIX "ingress-");
	if (s.name.len > 0) {
		s.record = POLICY_INGRESS_DNS_RECORD;
		s.app = POLICY_INGRESS;
	}
	return s;
}

static unsigned type_of(struct bytes text)
{
	static const char *const types[] = {
		[TYPE_A] = "A", [TYPE_AAAA] = "AAAA", [TYPE_CNAME] = "CNAME"};

	for (unsigned i = TYPE_A; i <= TYPE_CNAME; i++)
		if (text.len == strlen(types[i]) &&
		    strncasecmp((const char *)text.data, types[i], text.len) == 0)
			return i;
	return NO_TYPE;
}

static void complain(const struct making *m, const struct fact_endpoint *of, const char *why)
{
	notes_problem(m->w->notes, m->title, "%.*s, %.*s%s%.*s: %s", (int)of->name.len,
	              (const char *)of->name.data, (int)of->type.len, (const char *)of->type.data,
	              of->set_identifier.len > 0 ? " of site " : "", (int)of->set_identifier.len,
	              (const char *)of->set_identifier.data, why);
}

static struct bytes lower(const struct making *m, const uint8_t *wire, size_t len)
{
	uint8_t out[NAMES_WIRE_MAX];

	owner_lower((struct bytes){wire, len}, out);
	return (struct bytes){arena_memdup(m->w->arena, out, len), len};
}

static bool read_alias(struct making *m, struct entry *e)
{
	uint8_t wire[NAMES_WIRE_MAX];
	struct reason why = {0};
	size_t len;

	if (e->type != TYPE_CNAME || e->from->target_count != 1) {
		complain(m, e->from, "without a site it must be one CNAME");
		return false;
	}
	if (names_from_text(e->from->targets[0], wire, &len, &why)) {
		complain(m, e->from, why.text);
		return false;
	}
	e->target = lower(m, wire, len);
	m->targets[m->target_count++] = e->target;
	return true;
}

static bool read_site(const struct making *m, struct entry *e)
{
	e->cluster = clusters_find(m->w->clusters, e->from->set_identifier);
	if (!e->cluster)
		complain(m, e->from, "there are, or were, too many clusters already");
	else if (e->type == NO_TYPE)
		complain(m, e->from, "a site has A, AAAA or CNAME");
	return e->cluster && e->type != NO_TYPE;
}

static bool read_entry(struct making *m, const struct fact_endpoint *from, struct entry *e)
{
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;

	*e = (struct entry){.from = from, .type = type_of(from->type)};
	if (!dns_endpoint_read_name(m->w, m->title, from->name, wire, &len))
		return false;
	e->owner = (struct bytes){arena_memdup(m->w->arena, wire, len), len};
	e->lower = lower(m, wire, len);
	return from->set_identifier.len > 0 ? read_site(m, e) : read_alias(m, e);
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = bytes_compare(x->lower, y->lower);

	if (order == 0)
		order = (x->cluster != NULL) - (y->cluster != NULL);
	if (order == 0 && x->cluster)
		order = strcmp(x->cluster->name, y->cluster->name);
	if (order == 0)
		order = (int)x->type - (int)y->type;
	/* Of a list: which one comes first in it. */
	return order ? order : (x->from > y->from) - (x->from < y->from);
}

/* One of each type for a site of a name, and one alias for a name: of others the first counts. */
static void drop_doubles(struct making *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct entry *e = &m->entries[i];
		const struct entry *before = kept > 0 ? &m->entries[kept - 1] : NULL;

		if (before && bytes_equal(e->lower, before->lower) &&
		    e->cluster == before->cluster && e->type == before->type)
			complain(m, e->from, "it is there twice: the first one counts");
		else
			m->entries[kept++] = *e;
	}
	m->count = kept;
}

static void read_entries(struct making *m, const struct fact_value *v)
{
	size_t count = v->dns_endpoint.endpoint_count;

	m->entries = arena_alloc(m->w->arena, count * sizeof(*m->entries));
	m->targets = arena_alloc(m->w->arena, count * sizeof(*m->targets));
	for (size_t i = 0; i < count; i++)
		m->count += read_entry(m, &v->dns_endpoint.endpoints[i], &m->entries[m->count]);
	if (m->count > 1)
		qsort(m->entries, m->count, sizeof(*m->entries), by_place);
	drop_doubles(m);
}

/* --- sites --- */

/* The entries of one site together: its application. */
static struct sites_app app_of(struct making *m, const struct entry *list, size_t count,
                               const struct draft_name *name)
{
	struct sites_app app = {.cluster = list->cluster->id,
	                        .is_ready = true,
	                        .policy = name->policy,
	                        .owner = name->owner};
	/* What is wrong with a target, the object of the host is told. */
	struct sites_targets t = {.object = m->object, .cluster = FACTS_HOST, .ttl = UINT32_MAX};
	struct bytes *texts;
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		most += list[i].from->target_count;
	t.texts = texts = arena_alloc(m->w->arena, most * sizeof(*texts));
	for (size_t i = 0; i < count; i++) {
		const struct fact_endpoint *from = list[i].from;
		uint32_t ttl = dns_endpoint_ttl(m->w, from);

		for (size_t k = 0; k < from->target_count; k++)
			texts[t.count++] = from->targets[k];
		t.ttl = ttl < t.ttl ? ttl : t.ttl;
		app.port = app.port ? app.port : from->site.port;
		app.is_ready &= !from->site.is_unready;
		app.has_no_gateway |= from->site.has_no_gateway;
		app.has_count |= from->site.has_total;
		if (from->site.has_ready)
			app.endpoints = (struct world_count){1, from->site.ready, from->site.total};
	}
	app.addresses = sites_addresses(m->w, m->source, m->d, &t, &app.count);
	app.ttl = t.ttl;
	return app;
}

static bool same_addresses(const struct sites_app *a, const struct sites_app *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++)
		same = addr_equal(&a->addresses[i], &b->addresses[i]);
	return same;
}

/* Of the names of a Service the first is the one that probes ask for, as of its record. */
static bool may_share(const struct making *m, const struct sites_app *a, const struct sites_app *b)
{
	return a->policy == b->policy && (a->policy == 0 || m->subject.app == POLICY_SERVICE) &&
	       a->ttl == b->ttl && a->port == b->port && a->is_ready == b->is_ready &&
	       a->has_no_gateway == b->has_no_gateway && a->has_count == b->has_count &&
	       a->endpoints.ready == b->endpoints.ready &&
	       a->endpoints.total == b->endpoints.total && same_addresses(a, b);
}

static uint32_t add_site(struct making *m, const struct entry *list, size_t count,
                         const struct draft_name *name)
{
	struct sites_app app = app_of(m, list, count, name);
	struct made *last = &m->made[app.cluster];
	struct endpoint_site site;

	if (last->is && may_share(m, &app, &last->app))
		return last->site;
	site = sites_make(m->w, &app);
	*last = (struct made){true, app, draft_add_site(m->d, &site)};
	return last->site;
}

/* --- names --- */

static uint32_t number_of(const struct making *m, struct bytes target)
{
	const struct bytes *found =
		bsearch(&target, m->targets, m->target_count, sizeof(*m->targets), bytes_by_order);

	return (uint32_t)(found - m->targets);
}

/* What aliases point at stands first, so that it can be pointed at. */
static void add_targets(struct making *m)
{
	m->target_count = bytes_unique(m->targets, m->target_count);
	for (size_t i = 0; i < m->target_count; i++)
		draft_add_name(m->d, m->targets[i])->is_offered = false;
}

static void add_name(struct making *m, const struct entry *list, size_t count)
{
	bool has_alias = list[0].cluster == NULL;
	struct draft_name *name = draft_add_name(m->d, list[0].owner);

	name->policy =
		policy_index_find(m->w->policy_index, &m->subject, name->owner, &name->passed_over);
	name->fail_open = !has_alias;
	if (has_alias)
		name->target = number_of(m, list[0].target);
	name->sites = arena_alloc(m->w->arena, count * sizeof(*name->sites));
	for (size_t i = has_alias, end; i < count; i = end) {
		end = i + 1;
		while (end < count && list[end].cluster == list[i].cluster)
			end++;
		name->sites[name->site_count++] = add_site(m, &list[i], end - i, name);
	}
	sites_hold(m->w, m->d, name);
}

/* Those that fall back to another name, or the others. */
static void add_names(struct making *m, bool with_alias)
{
	for (size_t i = 0, end; i < m->count; i = end) {
		end = i + 1;
		while (end < m->count && bytes_equal(m->entries[end].lower, m->entries[i].lower))
			end++;
		if (with_alias == (m->entries[i].cluster == NULL))
			add_name(m, &m->entries[i], end - i);
	}
}

static uint32_t ttl_of_aliases(const struct making *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!m->entries[i].cluster)
			return dns_endpoint_ttl(m->w, m->entries[i].from);
	return m->w->settings->default_ttl;
}

void published_record_make(const struct world *w, uint32_t source, const struct fact *fact,
                           struct draft *d)
{
	struct making m = {.w = w,
	                   .object = fact,
	                   .title = world_title(w, fact),
	                   .source = source,
	                   .subject = published_record_subject(fact),
	                   .d = d};
	struct fact_value v;

	if (!fact_decode(fact, w->arena, &v))
		return;
	if (m.subject.record == 0)
		m.subject = (struct policy_subject){
			.record = POLICY_DNS_ENDPOINT, .namespace = v.namespace, .name = v.name};
	m.made = arena_calloc(w->arena, facts_cluster_count(w->facts), sizeof(*m.made));
	read_entries(&m, &v);
	d->ttl = ttl_of_aliases(&m);
	add_targets(&m);
	add_names(&m, false);
	add_names(&m, true);
}
