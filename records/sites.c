/* SPDX-License-Identifier: Apache-2.0 */
#include "records/sites.h"

#include <stdlib.h>
#include <string.h>

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
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] |= 0x20;
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
			notes_problem_in(
				w->notes, t->cluster, world_title(w, t->object),
				"target '%.*s' of cluster %s is neither an address nor a host name",
				(int)t->texts[i].len, (const char *)t->texts[i].data,
				facts_cluster_name(w->facts, t->cluster));
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

struct endpoint_site sites_make(const struct world *w, uint16_t cluster,
                                const struct addr *addresses, size_t count, uint32_t ttl,
                                uint16_t port, bool is_ready)
{
	struct endpoint_site s = {.cluster = cluster};
	uint32_t *probes = arena_alloc(w->arena, count * sizeof(*probes));
	struct endpoint_rrset *rrsets = arena_alloc(w->arena, 2 * sizeof(*rrsets));

	s.layers =
		(uint8_t)((is_ready ? SITE_ENDPOINTS : 0) | (count > 0 ? SITE_LOAD_BALANCER : 0));
	s.rrset_count = sites_split(addresses, count, rrsets);
	for (size_t i = 0; i < s.rrset_count; i++)
		rrsets[i].ttl = ttl;
	s.rrsets = rrsets;
	s.probes = probes;
	for (size_t i = 0; i < count && port != 0; i++) {
		struct records_probe probe = {
			.addr = addresses[i], .port = port, .cluster = cluster};

		probes[s.probe_count++] = wants_probe(w->wants, &probe);
	}
	return s;
}
