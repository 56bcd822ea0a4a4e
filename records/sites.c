/* SPDX-License-Identifier: Apache-2.0 */
#include "records/sites.h"

#include <stdlib.h>
#include <string.h>

#include "records/checks.h"
#include "records/names.h"
#include "records/publishable.h"

bool sites_may_publish(const struct world *w, const struct fact *object, uint16_t cluster,
                       const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	if (publishable_allows(w->settings, a))
		return true;
	if (cluster == FACTS_HOST)
		notes_problem(w->notes, world_title(w, object), "address %s is never published",
		              addr_print(a, text));
	else
		notes_problem_in(w->notes, cluster, world_title(w, object),
		                 "address %s of cluster %s is never published", addr_print(a, text),
		                 facts_cluster_name(w->facts, cluster));
	return false;
}

struct found {
	struct arena *arena;
	struct addr *list;
	size_t count, room;
};

static void complain(const struct world *w, const struct sites_targets *t, struct bytes text)
{
	const char *title = world_title(w, t->object);

	if (t->cluster == FACTS_HOST)
		notes_problem(w->notes, title,
		              "target '%.*s' is neither an address nor a host name", (int)text.len,
		              (const char *)text.data);
	else
		notes_problem_in(
			w->notes, t->cluster, title,
			"target '%.*s' of cluster %s is neither an address nor a host name",
			(int)text.len, (const char *)text.data,
			facts_cluster_name(w->facts, t->cluster));
}

static void add(const struct world *w, const struct sites_targets *t, struct found *f,
                const struct addr *a)
{
	struct addr plain = addr_unmapped(a);

	if (!sites_may_publish(w, t->object, t->cluster, &plain))
		return;
	if (f->count == f->room) {
		struct addr *longer;

		f->room = f->room ? f->room * 2 : 4;
		longer = arena_alloc(f->arena, f->room * sizeof(*longer));
		if (f->count > 0)
			memcpy(longer, f->list, f->count * sizeof(*longer));
		f->list = longer;
	}
	f->list[f->count++] = plain;
}

/* As resolvers know it: lower case, no last dot.  {0}: not a host name. */
static struct bytes host_name(struct arena *a, struct bytes text)
{
	uint8_t wire[NAMES_WIRE_MAX];
	uint8_t *lower;
	size_t len;

	if (names_from_text(text, wire, &len, NULL) || len == 1)
		return (struct bytes){NULL, 0};
	if (text.data[text.len - 1] == '.')
		text.len--;
	lower = arena_memdup(a, text.data, text.len);
	for (size_t i = 0; i < text.len; i++)
		lower[i] = bytes_lower(lower[i]);
	return (struct bytes){lower, text.len};
}

static int by_address(const void *a, const void *b) { return addr_compare(a, b); }

size_t sites_sort(struct addr *addresses, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(addresses, count, sizeof(*addresses), by_address);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !addr_equal(&addresses[i], &addresses[kept - 1]))
			addresses[kept++] = addresses[i];
	return kept;
}

struct addr *sites_addresses(const struct world *w, uint32_t source, struct draft *d,
                             struct sites_targets *t, size_t *count)
{
	struct found found = {.arena = w->arena};

	for (size_t i = 0; i < t->count; i++) {
		const struct addr *resolved;
		struct addr one;
		struct bytes host;
		uint32_t ttl;
		size_t n;

		if (addr_parse(t->texts[i], &one)) {
			add(w, t, &found, &one);
			continue;
		}
		host = host_name(w->arena, t->texts[i]);
		if (host.len == 0) {
			complain(w, t, t->texts[i]);
			continue;
		}
		if (d)
			draft_add_host(d, wants_host(w->wants, host, source));
		resolved = wants_addresses(w->wants, host, &n, &ttl);
		if (n > 0 && ttl > 0 && ttl < t->ttl)
			t->ttl = ttl;
		for (size_t k = 0; k < n; k++)
			add(w, t, &found, &resolved[k]);
	}
	*count = sites_sort(found.list, found.count);
	return found.list;
}

bool sites_is_awaited(const struct world *w, struct bytes text)
{
	struct addr one;
	struct bytes host;
	size_t count;
	uint32_t ttl;

	if (addr_parse(text, &one))
		return false;
	host = host_name(w->arena, text);
	if (host.len == 0)
		return false;
	wants_addresses(w->wants, host, &count, &ttl);
	return count == 0;
}

size_t sites_split(const struct addr *addresses, size_t count, struct endpoint_rrset out[2])
{
	size_t ipv4 = 0;
	size_t sets = 0;

	while (ipv4 < count && addresses[ipv4].family == ADDR_IPV4)
		ipv4++;
	if (ipv4 > 0)
		out[sets++] = (struct endpoint_rrset){
			.type = bytes_of("A"), .count = ipv4, .addresses = addresses};
	if (ipv4 < count)
		out[sets++] = (struct endpoint_rrset){.type = bytes_of("AAAA"),
		                                      .count = count - ipv4,
		                                      .addresses = addresses + ipv4};
	return sets;
}

/* --- what policies ask for --- */

static const struct policy_value *policy_of(const struct world *w, uint32_t number)
{
	return policies_get(w->policies, number)->is;
}

bool sites_count_endpoints(const struct world *w, uint32_t policy)
{
	const struct policy_value *p = policy_of(w, policy);

	return p && policies_look_at_endpoints(p);
}

static uint16_t at_most_16_bits(uint64_t v) { return v < UINT16_MAX ? (uint16_t)v : UINT16_MAX; }

uint16_t sites_damp(uint64_t ready)
{
	unsigned below = 0;

	if (ready > UINT16_MAX)
		ready = UINT16_MAX;
	while (ready >> below > 3)
		below++;
	ready += (UINT64_C(1) << below) / 2;
	return at_most_16_bits(ready >> below << below);
}

static void ask_endpoints(const struct policy_value *p, const struct sites_app *app,
                          struct endpoint_site *s)
{
	const struct world_count *n = &app->endpoints;

	if (app->has_count && p->min_ready_percent > 0 &&
	    (n->total == 0 || (uint64_t)n->ready * 100 < (uint64_t)n->total * p->min_ready_percent))
		s->layers |= SITE_FEW_READY;
	s->ready = at_most_16_bits(n->ready);
	s->endpoints = at_most_16_bits(n->total);
	if (!policy_has_stage(p, POLICY_CAPACITY) || !app->is_ready)
		return;
	s->capacity = sites_damp(n->ready);
	/* Nobody counts what needs no endpoints: it has a share all the same. */
	if (s->capacity == 0)
		s->capacity = 1;
}

struct endpoint_site sites_describe(const struct world *w, const struct sites_app *app)
{
	const struct policy_value *p = policy_of(w, app->policy);
	struct endpoint_site s = {.cluster = app->cluster};

	s.layers = (uint8_t)((app->is_ready ? SITE_ENDPOINTS : 0) |
	                     (app->has_no_gateway ? SITE_NO_GATEWAY : 0));
	if (p && policies_look_at_endpoints(p))
		ask_endpoints(p, app, &s);
	return s;
}

/* The name itself, where the check does not say which host is asked for; a star is no host. */
static struct bytes host_of(const struct world *w, struct bytes owner)
{
	char text[NAMES_TEXT_SIZE];
	size_t len;

	if (owner.len < 2 || (owner.data[0] == 1 && owner.data[1] == '*'))
		return (struct bytes){NULL, 0};
	names_to_text(owner.data, text);
	len = strlen(text) - 1;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)bytes_lower((uint8_t)text[i]);
	return (struct bytes){arena_memdup(w->arena, text, len), len};
}

/* How its addresses are probed: one use of it; 0: as the config says. */
static uint32_t take_check(const struct world *w, const struct sites_app *app)
{
	const struct records_policy *p = policies_get(w->policies, app->policy);
	struct policy_check check;

	if (!p->is)
		return 0;
	check = p->is->check;
	check.port = 0; /* a probe has it already */
	if (check.host.len == 0 && check.kind >= POLICY_CHECK_HTTP &&
	    check.kind <= POLICY_CHECK_GRPC)
		check.host = host_of(w, app->owner);
	return checks_take(wants_checks(w->wants), p->namespace, &check);
}

/* What an import says needs no port. */
static bool is_probed(const struct policy_value *p, uint16_t port)
{
	if (p && p->check.mode == POLICY_MODE_OFF)
		return false;
	return port != 0 || (p && p->check.kind == POLICY_CHECK_IMPORT);
}

static void want_probes(const struct world *w, const struct sites_app *app, struct endpoint_site *s)
{
	const struct policy_value *p = policy_of(w, app->policy);
	uint16_t port = p && p->check.port ? p->check.port : app->port;
	uint32_t check, *probes;

	if (!is_probed(p, port) || app->count == 0)
		return;
	check = take_check(w, app);
	s->probes = probes = arena_alloc(w->arena, app->count * sizeof(*probes));
	for (size_t i = 0; i < app->count; i++) {
		struct records_probe probe = {.addr = app->addresses[i],
		                              .port = port,
		                              .cluster = app->cluster,
		                              .check = check};

		probes[s->probe_count++] = wants_probe(w->wants, &probe);
	}
	checks_release(wants_checks(w->wants), check);
}

struct endpoint_site sites_make(const struct world *w, const struct sites_app *app)
{
	struct endpoint_site s = sites_describe(w, app);
	struct endpoint_rrset *rrsets = arena_alloc(w->arena, 2 * sizeof(*rrsets));

	s.layers |= app->count > 0 ? SITE_LOAD_BALANCER : 0;
	s.rrset_count = sites_split(app->addresses, app->count, rrsets);
	for (size_t i = 0; i < s.rrset_count; i++)
		rrsets[i].ttl = app->ttl;
	s.rrsets = rrsets;
	want_probes(w, app, &s);
	return s;
}

void sites_hold(const struct world *w, struct draft *d, struct draft_name *name)
{
	const struct policy_value *p = policy_of(w, name->policy);

	if (!p || p->failback == POLICY_IMMEDIATE || name->site_count == 0)
		return;
	name->holds = arena_alloc(w->arena, name->site_count * sizeof(*name->holds));
	for (size_t i = 0; i < name->site_count; i++) {
		name->holds[i] = checks_take_site(wants_checks(w->wants), name->owner,
		                                  d->sites[name->sites[i]].cluster, name->policy);
		draft_add_hold(d, name->holds[i]);
	}
}
