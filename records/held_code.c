/* SPDX-License-Identifier: Apache-2.0 */
#include "records/held_code.h"

#include <string.h>

#include "records/names.h"

/* What the first byte says: never renumber. */
enum { NAME = 1, ZONE = 2, NAME_OF_POLICY = 3 };
enum { MOST_ITEMS = 65535 };

/* --- to bytes --- */

static void put_addr(struct buffer *b, const struct addr *a)
{
	buffer_u8(b, a->family);
	buffer_put(b, a->bytes, sizeof(a->bytes));
}

static void put_rrset(struct buffer *b, const struct endpoint_rrset *s)
{
	bool has_addresses = s->addresses != NULL;

	buffer_str16(b, s->type);
	buffer_u32(b, s->ttl);
	buffer_u8(b, has_addresses);
	buffer_u32(b, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++) {
		if (has_addresses)
			put_addr(b, &s->addresses[i]);
		else
			buffer_str16(b, s->texts[i]);
	}
}

static void put_rrsets(struct buffer *b, const struct endpoint_rrset *s, size_t count)
{
	buffer_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_rrset(b, &s[i]);
}

static void put_site(struct buffer *b, const struct endpoint_site *s, const struct facts *f,
                     const struct wants *w)
{
	buffer_str16(b, bytes_of(facts_cluster_name(f, s->cluster)));
	buffer_u8(b, s->layers);
	buffer_u32(b, (uint32_t)s->probe_count);
	for (size_t i = 0; i < s->probe_count; i++) {
		const struct records_probe *p = wants_find_probe(w, s->probes[i]);

		put_addr(b, &p->addr);
		buffer_u16(b, p->port);
		buffer_str16(b, bytes_of(facts_cluster_name(f, p->cluster)));
	}
	put_rrsets(b, s->rrsets, s->rrset_count);
}

static void put_hold(struct buffer *b, uint8_t what, const struct held_code_hold *hold)
{
	buffer_u8(b, what);
	buffer_u64(b, hold->id);
	buffer_u64(b, (uint64_t)hold->since_unix_ms);
	buffer_u64(b, (uint64_t)hold->until_unix_ms);
}

void held_encode(const struct held_code_hold *hold, const struct endpoint *e, const struct facts *f,
                 const struct wants *w, struct buffer *out)
{
	bool of_policy = hold->policy_name.len > 0;

	put_hold(out, of_policy ? NAME_OF_POLICY : NAME, hold);
	if (of_policy) {
		buffer_str16(out, hold->policy_namespace);
		buffer_str16(out, hold->policy_name);
	}
	buffer_str16(out, e->owner);
	buffer_str16(out, bytes_of(e->source));
	buffer_u8(out, e->has_sites);
	buffer_u8(out, e->fail_open);
	buffer_str16(out, e->fallback);
	buffer_u32(out, e->fallback_ttl);
	put_rrsets(out, e->fixed, e->fixed_count);
	buffer_u32(out, (uint32_t)e->site_count);
	for (size_t i = 0; i < e->site_count; i++)
		put_site(out, &e->sites[i], f, w);
}

/* --- from bytes --- */

struct decoding {
	struct cursor c;
	struct arena *arena;
	struct facts *facts;
	struct wants *wants;
	struct records_probe *probe; /* of all sites, wanted when all is good */
	size_t probe_count;
};

/* A list's length that the rest of the bytes can hold, each item at least `least` of them. */
static size_t get_count(struct decoding *d, size_t least)
{
	uint32_t count = cursor_u32(&d->c);

	if (count > MOST_ITEMS || count > cursor_left(&d->c) / least)
		d->c.bad = true;
	return d->c.bad ? 0 : count;
}

static struct bytes get_bytes(struct decoding *d)
{
	struct bytes b = cursor_str16(&d->c);

	return (struct bytes){arena_memdup(d->arena, b.data, b.len), b.len};
}

/* A name in wire form, or none. */
static struct bytes get_name(struct decoding *d)
{
	struct bytes b = get_bytes(d);

	if (b.len > 0 && !names_wire_is_good(b))
		d->c.bad = true;
	return b;
}

static struct addr get_addr(struct decoding *d)
{
	struct addr a = {.family = cursor_u8(&d->c)};
	struct bytes b = cursor_bytes(&d->c, sizeof(a.bytes));

	if (b.len == sizeof(a.bytes))
		memcpy(a.bytes, b.data, b.len);
	if (a.family != ADDR_IPV4 && a.family != ADDR_IPV6)
		d->c.bad = true;
	return a;
}

static void get_rrset(struct decoding *d, struct endpoint_rrset *out)
{
	struct addr *addresses;
	struct bytes *texts;
	bool has_addresses;

	out->type = get_bytes(d);
	out->ttl = cursor_u32(&d->c);
	has_addresses = cursor_u8(&d->c) != 0;
	out->count = get_count(d, has_addresses ? 1 + sizeof(addresses->bytes) : 2);
	if (has_addresses) {
		out->addresses = addresses = arena_calloc(d->arena, out->count, sizeof(*addresses));
		for (size_t i = 0; i < out->count; i++)
			addresses[i] = get_addr(d);
	} else {
		out->texts = texts = arena_calloc(d->arena, out->count, sizeof(*texts));
		for (size_t i = 0; i < out->count; i++)
			texts[i] = get_bytes(d);
	}
}

static const struct endpoint_rrset *get_rrsets(struct decoding *d, size_t *count)
{
	struct endpoint_rrset *list;

	*count = get_count(d, 11);
	list = arena_calloc(d->arena, *count, sizeof(*list));
	for (size_t i = 0; i < *count; i++)
		get_rrset(d, &list[i]);
	return list;
}

static uint16_t get_cluster(struct decoding *d)
{
	uint16_t id = facts_cluster_id(d->facts, cursor_str16(&d->c));

	if (id == UINT16_MAX)
		d->c.bad = true;
	return id;
}

static void get_site(struct decoding *d, struct endpoint_site *out)
{
	size_t count;

	out->cluster = get_cluster(d);
	out->layers = cursor_u8(&d->c) & (SITE_ENDPOINTS | SITE_LOAD_BALANCER);
	count = out->probe_count = get_count(d, 21);
	/* Indexes come when all is read. */
	out->probes = arena_calloc(d->arena, count, sizeof(*out->probes));
	for (size_t i = 0; i < count; i++) {
		struct records_probe *p = &d->probe[d->probe_count];

		p->addr = get_addr(d);
		p->port = cursor_u16(&d->c);
		p->cluster = get_cluster(d);
		d->probe_count += !d->c.bad;
	}
	out->rrsets = get_rrsets(d, &out->rrset_count);
}

static void want_probes(struct decoding *d, const struct endpoint *e)
{
	const struct records_probe *p = d->probe;

	for (size_t i = 0; i < e->site_count; i++) {
		uint32_t *index = (uint32_t *)(uintptr_t)e->sites[i].probes;

		for (size_t k = 0; k < e->sites[i].probe_count; k++)
			index[k] = wants_probe(d->wants, p++);
	}
}

static bool get_hold(struct cursor *c, uint8_t what, struct held_code_hold *hold)
{
	bool good = cursor_u8(c) == what;

	*hold = (struct held_code_hold){.id = cursor_u64(c)};
	hold->since_unix_ms = (int64_t)cursor_u64(c);
	hold->until_unix_ms = (int64_t)cursor_u64(c);
	return good && !c->bad && hold->id != 0;
}

bool held_decode(struct bytes value, struct bytes owner, struct facts *f, struct wants *w,
                 struct arena *a, struct held_code_hold *hold, struct endpoint *out)
{
	struct decoding d = {cursor_over(value.data, value.len), a, f, w, NULL, 0};
	struct endpoint_site *sites;
	struct bytes source;

	if (value.len > 0 && value.data[0] == NAME_OF_POLICY) {
		if (!get_hold(&d.c, NAME_OF_POLICY, hold))
			return false;
		hold->policy_namespace = cursor_str16(&d.c);
		hold->policy_name = cursor_str16(&d.c);
		d.c.bad |= hold->policy_name.len == 0;
	} else if (!get_hold(&d.c, NAME, hold)) {
		return false;
	}
	/* No more than the bytes can hold. */
	d.probe = arena_calloc(a, value.len / 21 + 1, sizeof(*d.probe));
	*out = (struct endpoint){.owner = get_name(&d)};
	source = cursor_str16(&d.c);
	out->source = arena_strndup(a, (const char *)source.data, source.len);
	out->has_sites = cursor_u8(&d.c) != 0;
	out->fail_open = cursor_u8(&d.c) != 0;
	out->fallback = get_name(&d);
	out->fallback_ttl = cursor_u32(&d.c);
	out->fixed = get_rrsets(&d, &out->fixed_count);
	out->site_count = get_count(&d, 11);
	out->sites = sites = arena_calloc(a, out->site_count, sizeof(*sites));
	for (size_t i = 0; i < out->site_count; i++)
		get_site(&d, &sites[i]);
	if (d.c.bad || cursor_left(&d.c) > 0 || out->owner.len == 0 ||
	    !bytes_equal(out->owner, owner))
		return false;
	want_probes(&d, out);
	return true;
}

/* --- zones --- */

void held_encode_zone(const struct held_code_hold *hold, const struct fact *domain,
                      struct buffer *out)
{
	struct bytes bytes = fact_bytes(domain);

	put_hold(out, ZONE, hold);
	buffer_put(out, bytes.data, bytes.len);
}

bool held_decode_zone(struct bytes value, struct held_code_hold *hold, const struct fact **domain)
{
	struct cursor c = cursor_over(value.data, value.len);

	if (!get_hold(&c, ZONE, hold))
		return false;
	*domain = fact_from_bytes(cursor_bytes(&c, cursor_left(&c)));
	return *domain != NULL;
}
