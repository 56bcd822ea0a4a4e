/* SPDX-License-Identifier: Apache-2.0 */
#include "records/draft.h"

#include <string.h>

#include "base/check.h"
#include "records/checks.h"
#include "records/names.h"
#include "records/owner.h"

/* Kept bytes (numbers as in fact_code.h): hosts, holds, sites, TTL, names.
 * site: cluster, layers, what policies ask for, probes, RRsets; RRset: type, TTL, addresses or one name.
 * name: flags, what it shares with the first name in front and behind, what
 * lies between, then its sites, its target, its policy and its sites' holds. */
enum { TYPE_A, TYPE_AAAA, TYPE_CNAME };
enum {
	NAME_IS_OFFERED = 1,
	NAME_FAILS_OPEN = 2,
	NAME_HAS_TARGET = 4,
	NAME_HAS_ALL_SITES = 8,
	NAME_HAS_POLICY = 16,
	NAME_HAS_HOLDS = 32,
	NAME_PASSES_OVER = 64
};
enum { SITE_HAS_NUMBERS = 0x80 }; /* beside the layers */

static const char *const type_text[] = {
	[TYPE_A] = "A", [TYPE_AAAA] = "AAAA", [TYPE_CNAME] = "CNAME"};

struct draft *draft_new(struct arena *a)
{
	struct draft *d = arena_calloc(a, 1, sizeof(*d));

	d->arena = a;
	return d;
}

/* A list of the arena with room for one more: the same, or a copy twice as long. */
static void *grown(struct arena *a, const void *list, size_t count, size_t *room, size_t size)
{
	void *longer;

	*room = *room ? *room * 2 : 8;
	longer = arena_alloc(a, *room * size);
	if (count > 0)
		memcpy(longer, list, count * size);
	return longer;
}

uint32_t draft_add_site(struct draft *d, const struct endpoint_site *site)
{
	if (d->site_count == d->site_room)
		d->sites =
			grown(d->arena, d->sites, d->site_count, &d->site_room, sizeof(*d->sites));
	d->sites[d->site_count] = *site;
	return (uint32_t)d->site_count++;
}

struct draft_name *draft_add_name(struct draft *d, struct bytes owner)
{
	if (d->name_count == d->name_room)
		d->names =
			grown(d->arena, d->names, d->name_count, &d->name_room, sizeof(*d->names));
	d->names[d->name_count] = (struct draft_name){
		.owner = {arena_memdup(d->arena, owner.data, owner.len), owner.len},
		.is_offered = true,
		.target = DRAFT_NO_NAME,
	};
	return &d->names[d->name_count++];
}

bool draft_has_name(const struct draft *d, const uint8_t *owner)
{
	for (size_t i = 0; i < d->name_count; i++)
		if (names_wire_equal(d->names[i].owner.data, owner))
			return true;
	return false;
}

void draft_add_host(struct draft *d, uint32_t host)
{
	if (d->host_count == d->host_room)
		d->hosts =
			grown(d->arena, d->hosts, d->host_count, &d->host_room, sizeof(*d->hosts));
	d->hosts[d->host_count++] = host;
}

void draft_add_hold(struct draft *d, uint32_t hold)
{
	if (d->hold_count == d->hold_room)
		d->holds =
			grown(d->arena, d->holds, d->hold_count, &d->hold_room, sizeof(*d->holds));
	d->holds[d->hold_count++] = hold;
}

/* --- encoding --- */

static void write_number(struct buffer *out, size_t v)
{
	for (; v >= 0x80; v >>= 7)
		buffer_u8(out, (uint8_t)(v | 0x80));
	buffer_u8(out, (uint8_t)v);
}

static void write_rrset(struct buffer *out, const struct endpoint_rrset *s)
{
	uint8_t type = TYPE_A;

	while (!bytes_equal_text(s->type, type_text[type]))
		CHECK(++type <= TYPE_CNAME);
	buffer_u8(out, type);
	write_number(out, s->ttl);
	if (type == TYPE_CNAME) {
		write_number(out, s->texts[0].len);
		buffer_put(out, s->texts[0].data, s->texts[0].len);
		return;
	}
	write_number(out, s->count);
	for (size_t i = 0; i < s->count; i++)
		buffer_put(out, s->addresses[i].bytes, type == TYPE_A ? 4 : 16);
}

static void write_site(struct buffer *out, const struct endpoint_site *s)
{
	bool has_numbers = s->capacity || s->ready || s->endpoints;

	write_number(out, s->cluster);
	buffer_u8(out, (uint8_t)(s->layers | (has_numbers ? SITE_HAS_NUMBERS : 0)));
	if (has_numbers) {
		write_number(out, s->capacity);
		write_number(out, s->ready);
		write_number(out, s->endpoints);
	}
	write_number(out, s->probe_count);
	for (size_t i = 0; i < s->probe_count; i++)
		write_number(out, s->probes[i]);
	write_number(out, s->rrset_count);
	for (size_t i = 0; i < s->rrset_count; i++)
		write_rrset(out, &s->rrsets[i]);
}

static void write_owner(struct buffer *out, struct bytes first, struct bytes owner)
{
	size_t least = first.len < owner.len ? first.len : owner.len;
	size_t front = 0;
	size_t back = 0;

	while (front < least && first.data[front] == owner.data[front])
		front++;
	while (back < least - front &&
	       first.data[first.len - 1 - back] == owner.data[owner.len - 1 - back])
		back++;
	write_number(out, front);
	write_number(out, back);
	write_number(out, owner.len - front - back);
	buffer_put(out, owner.data + front, owner.len - front - back);
}

static bool has_all_sites(const struct draft *d, const struct draft_name *n)
{
	bool all = n->site_count > 0 && n->site_count == d->site_count;

	for (size_t i = 0; i < n->site_count && all; i++)
		all = n->sites[i] == i;
	return all;
}

static void write_name(struct buffer *out, const struct draft *d, const struct draft_name *n)
{
	bool all = has_all_sites(d, n);
	struct bytes first = n == d->names ? (struct bytes){NULL, 0} : d->names[0].owner;

	buffer_u8(out, (uint8_t)((n->is_offered ? NAME_IS_OFFERED : 0) |
	                         (n->fail_open ? NAME_FAILS_OPEN : 0) |
	                         (n->target != DRAFT_NO_NAME ? NAME_HAS_TARGET : 0) |
	                         (all ? NAME_HAS_ALL_SITES : 0) |
	                         (n->policy != 0 ? NAME_HAS_POLICY : 0) |
	                         (n->passed_over != 0 ? NAME_PASSES_OVER : 0) |
	                         (n->holds ? NAME_HAS_HOLDS : 0)));
	write_owner(out, first, n->owner);
	if (!all) {
		write_number(out, n->site_count);
		for (size_t i = 0; i < n->site_count; i++)
			write_number(out, n->sites[i]);
	}
	if (n->target != DRAFT_NO_NAME)
		write_number(out, n->target);
	if (n->policy != 0)
		write_number(out, n->policy);
	if (n->passed_over != 0)
		write_number(out, n->passed_over);
	for (size_t i = 0; n->holds && i < n->site_count; i++)
		write_number(out, n->holds[i]);
}

void draft_encode(const struct draft *d, struct buffer *out)
{
	write_number(out, d->host_count);
	for (size_t i = 0; i < d->host_count; i++)
		write_number(out, d->hosts[i]);
	write_number(out, d->hold_count);
	for (size_t i = 0; i < d->hold_count; i++)
		write_number(out, d->holds[i]);
	write_number(out, d->site_count);
	for (size_t i = 0; i < d->site_count; i++)
		write_site(out, &d->sites[i]);
	write_number(out, d->ttl);
	write_number(out, d->name_count);
	for (size_t i = 0; i < d->name_count; i++)
		write_name(out, d, &d->names[i]);
}

/* --- decoding: our own bytes, so a fault is a broken invariant --- */

static size_t read_number(struct cursor *c)
{
	size_t v = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = cursor_u8(c);
		v |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	CHECK(!c->bad);
	return v;
}

static void read_rrset(struct cursor *c, struct arena *a, struct endpoint_rrset *s)
{
	uint8_t type = cursor_u8(c);

	CHECK(type <= TYPE_CNAME);
	*s = (struct endpoint_rrset){
		.type = bytes_of(type_text[type]), .ttl = (uint32_t)read_number(c), .count = 1};
	if (type == TYPE_CNAME) {
		size_t len = read_number(c);
		struct bytes text = cursor_bytes(c, len);

		text.data = arena_memdup(a, text.data, text.len);
		s->texts = arena_memdup(a, &text, sizeof(text));
	} else {
		struct addr *list;

		s->count = read_number(c);
		list = arena_calloc(a, s->count, sizeof(*list));
		for (size_t i = 0; i < s->count; i++) {
			struct bytes raw = cursor_bytes(c, type == TYPE_A ? 4 : 16);

			list[i].family = type == TYPE_A ? ADDR_IPV4 : ADDR_IPV6;
			CHECK(raw.data);
			memcpy(list[i].bytes, raw.data, raw.len);
		}
		s->addresses = list;
	}
}

static void read_site(struct cursor *c, struct arena *a, struct endpoint_site *s)
{
	struct endpoint_rrset *rrsets;
	uint32_t *probes;

	uint8_t layers;

	*s = (struct endpoint_site){.cluster = (uint16_t)read_number(c)};
	layers = cursor_u8(c);
	s->layers = (uint8_t)(layers & ~SITE_HAS_NUMBERS);
	if (layers & SITE_HAS_NUMBERS) {
		s->capacity = (uint16_t)read_number(c);
		s->ready = (uint16_t)read_number(c);
		s->endpoints = (uint16_t)read_number(c);
	}
	s->probe_count = read_number(c);
	probes = arena_alloc(a, s->probe_count * sizeof(*probes));
	for (size_t i = 0; i < s->probe_count; i++)
		probes[i] = (uint32_t)read_number(c);
	s->probes = probes;
	s->rrset_count = read_number(c);
	rrsets = arena_alloc(a, s->rrset_count * sizeof(*rrsets));
	for (size_t i = 0; i < s->rrset_count; i++)
		read_rrset(c, a, &rrsets[i]);
	s->rrsets = rrsets;
}

static struct endpoint_site *read_sites(struct cursor *c, struct arena *a, size_t *count)
{
	struct endpoint_site *sites;

	*count = read_number(c);
	sites = arena_alloc(a, *count * sizeof(*sites));
	for (size_t i = 0; i < *count; i++)
		read_site(c, a, &sites[i]);
	return sites;
}

/* A part of some bytes, which may be none of none. */
static void put(uint8_t *to, struct bytes from, size_t at, size_t len)
{
	if (len > 0 && from.data != NULL)
		memcpy(to, from.data + at, len);
}

static struct bytes read_owner(struct cursor *c, struct arena *a, struct bytes first)
{
	size_t front = read_number(c);
	size_t back = read_number(c);
	size_t middle = read_number(c);
	struct bytes own = cursor_bytes(c, middle);
	uint8_t *wire = arena_alloc(a, front + middle + back);

	CHECK(front + back <= first.len && !c->bad);
	put(wire, first, 0, front);
	put(wire + front, own, 0, middle);
	put(wire + front + middle, first, first.len - back, back);
	return (struct bytes){wire, front + middle + back};
}

static const struct endpoint_rrset *cname_to(struct arena *a, struct bytes target, uint32_t ttl)
{
	char text[NAMES_TEXT_SIZE];
	struct bytes *rdata = arena_alloc(a, sizeof(*rdata));
	struct endpoint_rrset *s = arena_alloc(a, sizeof(*s));

	names_to_text(target.data, text);
	*rdata = (struct bytes){arena_memdup(a, text, strlen(text)), strlen(text)};
	*s = (struct endpoint_rrset){
		.type = bytes_of("CNAME"), .ttl = ttl, .count = 1, .texts = rdata};
	return s;
}

struct decoding {
	struct cursor c;
	struct arena *arena;
	const struct endpoint_site *sites;
	size_t site_count;
	uint32_t ttl;
	struct bytes *owners; /* of the names read so far */
};

/* The name's sites are its own then. */
static const struct endpoint_site *read_holds(struct decoding *d, const struct endpoint *e)
{
	struct endpoint_site *own = arena_memdup(d->arena, e->sites, e->site_count * sizeof(*own));

	for (size_t i = 0; i < e->site_count; i++)
		own[i].hold = (uint32_t)read_number(&d->c);
	return own;
}

static void read_name(struct decoding *d, size_t number, const char *source,
                      const struct hash_key *key, struct offer *o)
{
	uint8_t flags = cursor_u8(&d->c);
	struct bytes first = number ? d->owners[0] : (struct bytes){NULL, 0};
	struct endpoint e = {.source = source, .fail_open = flags & NAME_FAILS_OPEN};
	struct endpoint *put;

	e.owner = d->owners[number] = read_owner(&d->c, d->arena, first);
	e.sites = d->sites;
	e.site_count = d->site_count;
	if (!(flags & NAME_HAS_ALL_SITES)) {
		struct endpoint_site *some;

		e.site_count = read_number(&d->c);
		some = arena_alloc(d->arena, e.site_count * sizeof(*some));
		for (size_t i = 0; i < e.site_count; i++)
			some[i] = d->sites[read_number(&d->c)];
		e.sites = some;
	}
	e.has_sites = e.site_count > 0;
	if (flags & NAME_HAS_TARGET) {
		struct bytes target = d->owners[read_number(&d->c)];

		e.fallback = e.has_sites ? target : (struct bytes){NULL, 0};
		e.fallback_ttl = e.has_sites ? d->ttl : 0;
		e.fixed = e.has_sites ? NULL : cname_to(d->arena, target, d->ttl);
		e.fixed_count = e.has_sites ? 0 : 1;
	}
	if (flags & NAME_HAS_POLICY)
		e.policy = (uint32_t)read_number(&d->c);
	if (flags & NAME_PASSES_OVER)
		e.passed_over = (uint32_t)read_number(&d->c);
	if (flags & NAME_HAS_HOLDS)
		e.sites = read_holds(d, &e);
	if (!(flags & NAME_IS_OFFERED))
		return;
	put = offer_put(o, d->arena, owner_hash(key, e.owner), e.owner);
	e.owner = put->owner;
	*put = e;
}

struct offer *draft_decode(struct bytes kept, const struct hash_key *key, const char *source,
                           struct arena *a)
{
	struct decoding d = {.c = cursor_over(kept.data, kept.len), .arena = a};
	struct offer *o;
	size_t names;

	for (size_t hosts = read_number(&d.c); hosts > 0; hosts--)
		(void)read_number(&d.c);
	for (size_t holds = read_number(&d.c); holds > 0; holds--)
		(void)read_number(&d.c);
	d.sites = read_sites(&d.c, a, &d.site_count);
	d.ttl = (uint32_t)read_number(&d.c);
	names = read_number(&d.c);
	d.owners = arena_alloc(a, names * sizeof(*d.owners));
	o = offer_new(a, names);
	for (size_t i = 0; i < names; i++)
		read_name(&d, i, source, key, o);
	CHECK(!d.c.bad);
	return o;
}

static void skip_rrset(struct cursor *c)
{
	uint8_t type = cursor_u8(c);
	size_t count;

	(void)read_number(c);
	count = read_number(c);
	(void)cursor_bytes(c, type == TYPE_A ? count * 4 : type == TYPE_AAAA ? count * 16 : count);
}

void draft_release(struct bytes kept, struct wants *w, uint32_t source)
{
	struct cursor c = cursor_over(kept.data, kept.len);

	for (size_t hosts = read_number(&c); hosts > 0; hosts--)
		wants_release_host(w, (uint32_t)read_number(&c), source);
	for (size_t holds = read_number(&c); holds > 0; holds--)
		checks_release_site(wants_checks(w), (uint32_t)read_number(&c));
	for (size_t sites = read_number(&c); sites > 0; sites--) {
		(void)read_number(&c);
		if (cursor_u8(&c) & SITE_HAS_NUMBERS)
			for (unsigned i = 0; i < 3; i++)
				(void)read_number(&c);
		for (size_t probes = read_number(&c); probes > 0; probes--)
			wants_release_probe(w, (uint32_t)read_number(&c));
		for (size_t rrsets = read_number(&c); rrsets > 0; rrsets--)
			skip_rrset(&c);
	}
	CHECK(!c.bad);
}
