/* SPDX-License-Identifier: Apache-2.0 */
#include "records/dns_endpoint.h"

#include <string.h>

#include "records/names.h"
#include "records/owner.h"
#include "records/published_record.h"
#include "records/sites.h"

enum { NONE = UINT32_MAX };

static bool has_record(const struct world *w, enum fact_kind kind, struct bytes namespace,
                       struct bytes name)
{
	return facts_find(w->facts, FACTS_HOST, kind, namespace, name) != NULL;
}

/* Is the object called PREFIX and the name of a record beside it? */
static bool is_named_after(const struct world *w, const struct fact *fact, const char *prefix,
                           enum fact_kind kind)
{
	struct bytes name = fact_name(fact);
	size_t len = strlen(prefix);

	return name.len > len && memcmp(name.data, prefix, len) == 0 &&
	       has_record(w, kind, fact_namespace(fact),
	                  (struct bytes){name.data + len, name.len - len});
}

/* Are published sites of the same record beside it? */
static bool has_sites_beside(const struct world *w, const struct fact *fact)
{
	struct bytes name = fact_name(fact);
	const struct fact *sites;
	char *theirs;

	if (name.len < 8 ||
	    (memcmp(name.data, "service-", 8) != 0 && memcmp(name.data, "ingress-", 8) != 0))
		return false;
	theirs = arena_printf(w->arena, PUBLISHED_RECORD_PREFIX "%.*s", (int)name.len,
	                      (const char *)name.data);
	sites = facts_find(w->facts, FACTS_HOST, FACT_DNS_ENDPOINT, fact_namespace(fact),
	                   bytes_of(theirs));
	return sites && fact_is_sites(sites);
}

bool dns_endpoint_is_rendering(const struct world *w, const struct fact *fact)
{
	struct bytes namespace = fact_namespace(fact);
	struct bytes name = fact_name(fact);
	struct policy_subject of = published_record_subject(fact);

	if (is_named_after(w, fact, "service-", FACT_SERVICE_DNS_RECORD) ||
	    is_named_after(w, fact, "ingress-", FACT_INGRESS_DNS_RECORD))
		return true;
	if (!fact_is_sites(fact))
		return has_sites_beside(w, fact);
	if (of.record != 0)
		return has_record(w,
		                  of.record == POLICY_SERVICE_DNS_RECORD ? FACT_SERVICE_DNS_RECORD
		                                                         : FACT_INGRESS_DNS_RECORD,
		                  namespace, of.name);
	return has_record(w, FACT_SERVICE_DNS_RECORD, namespace, name) ||
	       has_record(w, FACT_INGRESS_DNS_RECORD, namespace, name);
}

/* The endpoints of one object while they are put together by name. */
struct merge {
	const struct world *w;
	const struct fact *object;
	const char *title;
	bool from_config;
	const struct fact_endpoint *list;
	uint32_t *next;         /* by endpoint: the next one of its name */
	uint32_t *first, *last; /* by name: its endpoints */
	struct addr *pool;      /* room for all addresses; those of a name lie together */
};

/* The RRsets of one name while they grow, in the scratch. */
struct growing {
	struct endpoint_rrset *rrsets; /* all but A and AAAA, which share a list until the end */
	size_t count;
	struct addr *addresses; /* of the pool */
	size_t address_count;
	uint32_t ttl[2]; /* of A and AAAA: the first one's; 0: none yet */
};

static const char *owner_text(const struct merge *m, const struct endpoint *e)
{
	char text[NAMES_TEXT_SIZE];

	names_to_text(e->owner.data, text);
	return arena_strdup(m->w->scratch, text);
}

uint32_t dns_endpoint_ttl(const struct world *w, const struct fact_endpoint *from)
{
	if (from->ttl > INT32_MAX)
		return INT32_MAX;
	return from->ttl > 0 ? (uint32_t)from->ttl : w->settings->default_ttl;
}

static void add_addresses(const struct merge *m, const struct fact_endpoint *from,
                          struct growing *g)
{
	for (size_t i = 0; i < from->target_count; i++) {
		struct addr a;
		uint32_t *ttl;

		if (from->targets[i].len == 0)
			continue;
		if (!addr_parse(from->targets[i], &a)) {
			notes_problem(m->w->notes, m->title, "%.*s: '%.*s' is not an address",
			              (int)from->name.len, (const char *)from->name.data,
			              (int)from->targets[i].len,
			              (const char *)from->targets[i].data);
			continue;
		}
		a = addr_unmapped(&a);
		if (!m->from_config && !sites_may_publish(m->w, m->object, FACTS_HOST, &a))
			continue;
		g->addresses[g->address_count++] = a;
		ttl = &g->ttl[a.family == ADDR_IPV6];
		*ttl = *ttl ? *ttl : dns_endpoint_ttl(m->w, from);
	}
}

static struct bytes upper(struct arena *a, struct bytes s)
{
	uint8_t *copy = arena_memdup(a, s.data, s.len);

	for (size_t i = 0; i < s.len; i++)
		if (copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (uint8_t)(copy[i] - 32);
	return (struct bytes){copy, s.len};
}

static bool has_text(const struct endpoint_rrset *s, struct bytes text)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal(s->texts[i], text))
			return true;
	return false;
}

static void add_texts(const struct merge *m, const struct fact_endpoint *from, struct bytes type,
                      struct growing *g)
{
	struct arena *a = m->w->arena;
	struct endpoint_rrset *s = NULL;
	struct bytes *texts;

	for (size_t i = 0; i < g->count; i++)
		if (bytes_equal(g->rrsets[i].type, type))
			s = &g->rrsets[i];
	if (!s) {
		s = &g->rrsets[g->count++];
		*s = (struct endpoint_rrset){.type = type, .ttl = dns_endpoint_ttl(m->w, from)};
	}
	texts = arena_alloc(a, (s->count + from->target_count) * sizeof(*texts));
	if (s->count > 0)
		memcpy(texts, s->texts, s->count * sizeof(*texts));
	s->texts = texts;
	for (size_t i = 0; i < from->target_count; i++) {
		struct bytes t = from->targets[i];

		if (t.len > 0 && !has_text(s, t))
			texts[s->count++] = (struct bytes){arena_memdup(a, t.data, t.len), t.len};
	}
	if (s->count == 0)
		g->count--;
}

/* RFC 1034 3.6.2: beside a CNAME nothing else, and only one of it. */
static void keep_cname_alone(const struct merge *m, struct endpoint *e,
                             struct endpoint_rrset *rrsets)
{
	for (size_t i = 0; i < e->fixed_count; i++) {
		if (!bytes_equal_text(rrsets[i].type, "CNAME"))
			continue;
		if (e->fixed_count > 1) {
			notes_problem(m->w->notes, m->title,
			              "%s: the CNAME is left out beside other types",
			              owner_text(m, e));
			memmove(&rrsets[i], &rrsets[i + 1],
			        (--e->fixed_count - i) * sizeof(*rrsets));
		} else if (rrsets[i].count > 1) {
			notes_problem(m->w->notes, m->title,
			              "%s: of several CNAMEs only the first counts",
			              owner_text(m, e));
			rrsets[i].count = 1;
		}
	}
}

static void add_endpoint(const struct merge *m, const struct fact_endpoint *from,
                         struct endpoint *e, struct growing *g)
{
	struct bytes type = from->type;

	if (!bytes_equal_text(type, "A"))
		type = upper(m->w->arena, type);
	if (bytes_equal_text(type, "A") || bytes_equal_text(type, "AAAA"))
		add_addresses(m, from, g);
	else if (type.len > 0)
		add_texts(m, from, type, g);
	else
		notes_problem(m->w->notes, m->title, "%s: an endpoint has no type",
		              owner_text(m, e));
}

/* What has grown, in the arena. */
static struct endpoint_rrset *settle(struct merge *m, const struct growing *g, size_t *count)
{
	size_t kept = sites_sort(g->addresses, g->address_count);
	struct endpoint_rrset pair[2];
	size_t sets = sites_split(g->addresses, kept, pair);
	struct endpoint_rrset *rrsets =
		arena_alloc(m->w->arena, (sets + g->count) * sizeof(*rrsets));

	m->pool += kept;
	for (size_t i = 0; i < sets; i++) {
		rrsets[i] = pair[i];
		rrsets[i].ttl = g->ttl[pair[i].addresses[0].family == ADDR_IPV6];
	}
	if (g->count > 0)
		memcpy(rrsets + sets, g->rrsets, g->count * sizeof(*rrsets));
	*count = sets + g->count;
	return rrsets;
}

static void fill(struct merge *m, uint32_t first, struct endpoint *e)
{
	struct growing g = {.addresses = m->pool};
	size_t chained = 0;
	struct endpoint_rrset *rrsets;

	for (uint32_t i = first; i != NONE; i = m->next[i])
		chained++;
	g.rrsets = arena_alloc(m->w->scratch, chained * sizeof(*g.rrsets));
	for (uint32_t i = first; i != NONE; i = m->next[i])
		add_endpoint(m, &m->list[i], e, &g);
	rrsets = settle(m, &g, &e->fixed_count);
	e->fixed = rrsets;
	keep_cname_alone(m, e, rrsets);
}

bool dns_endpoint_read_name(const struct world *w, const char *title, struct bytes name,
                            uint8_t wire[NAMES_WIRE_MAX], size_t *len)
{
	struct reason why;

	if (names_from_text(name, wire, len, &why)) {
		notes_problem(w->notes, title, "'%.*s': %s", (int)name.len, (const char *)name.data,
		              why.text);
		return false;
	}
	if (apexes_find(w->apexes, (struct bytes){wire, *len}) < 0) {
		notes_problem(w->notes, title, "%.*s is outside every zone", (int)name.len,
		              (const char *)name.data);
		return false;
	}
	return true;
}

/* Groups the endpoints by name; those without a good name are noted and left out. */
static void group(struct merge *m, size_t count, struct offer *o)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t wire[NAMES_WIRE_MAX];
		size_t len, number, known = o->count;
		struct bytes owner;

		m->next[i] = NONE;
		if (!dns_endpoint_read_name(m->w, m->title, m->list[i].name, wire, &len))
			continue;
		owner = (struct bytes){wire, len};
		number = (size_t)(offer_put(o, m->w->arena, owner_hash(&m->w->key, owner), owner) -
		                  o->endpoints);
		if (number == known)
			m->first[number] = i;
		else
			m->next[m->last[number]] = i;
		m->last[number] = i;
	}
}

struct offer *dns_endpoint_offer(const struct world *w, const struct fact *fact)
{
	struct merge m = {.w = w,
	                  .object = fact,
	                  .title = world_title(w, fact),
	                  .from_config = fact_created(fact) == FACT_CONFIG_TIME};
	struct policy_subject subject = {.record = 0};
	struct fact_value v;
	struct offer *o;
	size_t count, kept = 0, targets = 0;

	arena_reset(w->scratch);
	if (!fact_decode(fact, w->scratch, &v))
		return offer_new(w->arena, 0);
	if (!m.from_config)
		subject = (struct policy_subject){
			.record = POLICY_DNS_ENDPOINT, .namespace = v.namespace, .name = v.name};
	count = v.dns_endpoint.endpoint_count;
	m.list = v.dns_endpoint.endpoints;
	m.next = arena_alloc(w->scratch, 3 * count * sizeof(*m.next));
	m.first = m.next + count;
	m.last = m.first + count;
	for (size_t i = 0; i < count; i++)
		targets += m.list[i].target_count;
	m.pool = arena_alloc(w->arena, targets * sizeof(*m.pool));
	o = offer_new(w->arena, count);
	group(&m, count, o);
	for (size_t i = 0; i < o->count; i++) {
		o->endpoints[i].source = m.title;
		o->endpoints[i].policy =
			policy_index_find(w->policy_index, &subject, o->endpoints[i].owner,
		                          &o->endpoints[i].passed_over);
		fill(&m, m.first[i], &o->endpoints[i]);
		kept += o->endpoints[i].fixed_count > 0;
	}
	return kept == o->count ? o : offer_without_empty(w->arena, o);
}
