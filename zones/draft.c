/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "records/names.h"
#include "zones/fold.h"
#include "zones/plain.h"

struct draft_rrset *draft_find(const struct draft_rrsets *set, uint16_t type)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->item[i].type == type)
			return &set->item[i];
	return NULL;
}

struct draft_rrset *draft_rrset(struct arena *a, struct draft_rrsets *set, uint16_t type,
                                uint32_t ttl, size_t room)
{
	struct draft_rrset *s = draft_find(set, type);
	struct bytes *rdata;

	if (!s) {
		struct draft_rrset *item = arena_alloc(a, (set->count + 1) * sizeof(*item));

		if (set->count)
			memcpy(item, set->item, set->count * sizeof(*item));
		set->item = item;
		s = &item[set->count++];
		*s = (struct draft_rrset){.type = type, .ttl = ttl};
	}
	rdata = arena_alloc(a, (s->count + room) * sizeof(*rdata));
	if (s->count)
		memcpy(rdata, s->rdata, s->count * sizeof(*rdata));
	s->rdata = rdata;
	if (ttl < s->ttl)
		s->ttl = ttl;
	return s;
}

void draft_drop(struct draft_rrsets *set, uint16_t type)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		if (set->item[i].type != type)
			set->item[kept++] = set->item[i];
	set->count = kept;
}

static int by_type(const void *a, const void *b)
{
	const struct draft_rrset *x = a, *y = b;

	return x->type - y->type;
}

/* RFC 4034 6.3: names in RDATA have no case.  Bytes of length are no letters; `names_at`: where names begin. */
static int compare_folded(struct bytes a, struct bytes b, size_t names_at)
{
	size_t len = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < len; i++) {
		uint8_t x = i < names_at ? a.data[i] : bytes_lower(a.data[i]);
		uint8_t y = i < names_at ? b.data[i] : bytes_lower(b.data[i]);

		if (x != y)
			return x - y;
	}
	return (a.len > b.len) - (a.len < b.len);
}

/* Of those that differ in case the first by bytes comes first. */
static int by_rdata(const void *a, const void *b, void *names_at)
{
	const struct bytes *x = a, *y = b;
	int order = compare_folded(*x, *y, *(const size_t *)names_at);

	return order ? order : bytes_compare(*x, *y);
}

/* Where the names of such RDATA begin: behind the numbers; SIZE_MAX: it has none that are known here. */
static size_t names_of(uint16_t type)
{
	const char *fields = plain_fields(type);

	return fields ? sizeof(uint16_t) * strspn(fields, "s") : SIZE_MAX;
}

static void sort_rdata(struct draft_rrset *s)
{
	size_t kept = 1, names_at;

	if (s->count < 2)
		return;
	names_at = names_of(s->type);
	qsort_r(s->rdata, s->count, sizeof(*s->rdata), by_rdata, &names_at);
	for (size_t i = 1; i < s->count; i++)
		if (compare_folded(s->rdata[i], s->rdata[kept - 1], names_at) != 0)
			s->rdata[kept++] = s->rdata[i];
	s->count = kept;
}

void draft_sort(struct draft_rrsets *set)
{
	if (set->count > 1)
		qsort(set->item, set->count, sizeof(*set->item), by_type);
	for (size_t i = 0; i < set->count; i++)
		sort_rdata(&set->item[i]);
}

static struct draft_rrset draft_of_rrset(struct arena *a, const struct rrset *s)
{
	struct draft_rrset d = {s->type, s->ttl, arena_alloc(a, s->count * sizeof(struct bytes)),
	                        0};
	size_t at = 0;

	while (rrset_next(s, &at, &d.rdata[d.count]))
		d.count++;
	return d;
}

static struct draft_rrsets draft_of_rrsets(struct arena *a, const struct rrset *s, size_t count)
{
	struct draft_rrsets d = {arena_alloc(a, count * sizeof(*d.item)), count};

	for (size_t i = 0; i < count; i++, s = rrset_after(s))
		d.item[i] = draft_of_rrset(a, s);
	return d;
}

struct draft draft_from_node(struct arena *a, const struct node *n)
{
	struct draft d = {
		.owner = node_owner(n),
		.flags = node_flags(n) & (NODE_APEX | NODE_SITES | NODE_FAIL_OPEN),
		.source = node_source(n),
		.fixed = draft_of_rrsets(a, node_first_rrset(n), n->bits & NODE_RRSETS),
		.site_count = node_site_count(n),
		.policy = node_policy(n),
	};

	d.sites = arena_alloc(a, d.site_count * sizeof(*d.sites));
	for (size_t i = 0; i < d.site_count; i++) {
		const struct site *s = node_site(n, i);

		d.sites[i] = (struct draft_site){.cluster = s->cluster,
		                                 .layers = (uint8_t)site_layers(s)};
		if (site_more(s))
			d.sites[i].more = *site_more(s);
		if (site_past(s))
			d.sites[i].past = *site_past(s);
		d.sites[i].is_held = site_is_held(s);
		d.sites[i].probes = site_probes(s, &d.sites[i].probe_count);
		d.sites[i].rrsets = draft_of_rrsets(a, site_first_rrset(s), s->rrsets);
	}
	if (node_fallback(n))
		d.fallback = draft_of_rrset(a, node_fallback(n));
	return d;
}

static void pad(struct buffer *b)
{
	static const uint8_t zero[4];

	buffer_put(b, zero, -b->len & 3);
}

static void write_rrset(const struct draft_rrset *d, struct buffer *b)
{
	struct rrset s = {.ttl = d->ttl, .type = d->type, .count = (uint16_t)d->count};

	for (size_t i = 0; i < d->count; i++)
		s.bytes += 2 + (uint32_t)d->rdata[i].len;
	buffer_put(b, &s, sizeof(s));
	for (size_t i = 0; i < d->count; i++)
		buffer_str16(b, d->rdata[i]);
	pad(b);
}

static void write_rrsets(const struct draft_rrsets *d, struct buffer *b)
{
	for (size_t i = 0; i < d->count; i++)
		write_rrset(&d->item[i], b);
}

static bool have_same_types(const struct draft_rrsets *a, const struct draft_rrsets *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->item[i].type != b->item[i].type)
			return false;
	return true;
}

static bool are_alike(const struct draft *d)
{
	for (size_t i = 1; i < d->site_count; i++)
		if (!have_same_types(&d->sites[0].rrsets, &d->sites[i].rrsets))
			return false;
	return d->site_count > 1;
}

static bool has_more(const struct draft_site *d)
{
	const struct site_more *m = &d->more;

	return m->hold || m->capacity || m->ready || m->endpoints;
}

/* Are all sites of a name whole and alike, and is there nothing to fall back to? */
static bool are_even(const struct draft *d)
{
	bool even = d->fallback.count == 0 && are_alike(d);

	for (size_t i = 0; even && i < d->site_count; i++)
		even = d->sites[i].layers == SITE_WHOLE && !d->sites[i].is_held;
	return even;
}

static bool has_past(const struct draft_site *d)
{
	static const struct site_past none;

	return memcmp(&d->past, &none, sizeof(none)) != 0;
}

static void write_site(const struct draft_site *d, bool alike, bool even, struct buffer *b)
{
	struct site s = {
		.cluster = d->cluster,
		.layers = (uint8_t)(d->layers | (alike ? SITE_ALIKE : 0) |
	                            (has_more(d) ? SITE_MORE : 0) | (has_past(d) ? SITE_PAST : 0) |
	                            (d->is_held ? SITE_IS_HELD : 0)),
		.rrsets = (uint8_t)d->rrsets.count,
		.probes = d->probe_count & INT32_MAX,
		.is_even = even,
	};

	CHECK(d->rrsets.count <= UINT8_MAX);
	buffer_put(b, &s, sizeof(s));
	buffer_put(b, d->probes, d->probe_count * sizeof(uint32_t));
	write_rrsets(&d->rrsets, b);
}

static void write_clusters(const struct draft *d, struct buffer *b)
{
	static const uint8_t none[FIND16_LANES * sizeof(uint16_t)];

	for (size_t i = 0; i < d->site_count; i++)
		buffer_put(b, &d->sites[i].cluster, sizeof(d->sites[i].cluster));
	buffer_put(b, none, (find16_room(d->site_count) - d->site_count) * sizeof(uint16_t));
	if (d->policy)
		buffer_put(b, &d->policy, sizeof(d->policy));
}

static void write_sites(const struct draft *d, struct buffer *b)
{
	size_t body = b->len, table = body + sizeof(struct node_sites);
	size_t behind =
		d->site_count + find16_room(d->site_count) * sizeof(uint16_t) / sizeof(uint32_t);
	struct node_sites head = {.count = (uint16_t)d->site_count,
	                          .policy_at = d->policy != 0 ? (uint16_t)behind : 0};
	bool alike = are_alike(d), even = are_even(d);
	struct name name;

	CHECK(behind <= UINT16_MAX);
	CHECK(name_parse(&name, d->owner, name_wire_len(d->owner)) > 0);
	head.lot = name_lot(name.wire, name.len);
	buffer_extend(b, sizeof(head) + d->site_count * sizeof(uint32_t));
	write_clusters(d, b);
	head.fixed = (uint32_t)(b->len - body);
	write_rrsets(&d->fixed, b);
	if (d->fallback.count) {
		head.fallback = (uint32_t)(b->len - body);
		write_rrset(&d->fallback, b);
	}
	for (size_t i = 0; i < d->site_count; i++) {
		uint32_t at;

		if (has_past(&d->sites[i]))
			buffer_put(b, &d->sites[i].past, sizeof(d->sites[i].past));
		if (has_more(&d->sites[i]))
			buffer_put(b, &d->sites[i].more, sizeof(d->sites[i].more));
		at = (uint32_t)(b->len - body);
		memcpy(b->data + table + i * sizeof(at), &at, sizeof(at));
		write_site(&d->sites[i], alike, even, b);
	}
	CHECK(b->len - body <= UINT32_MAX);
	head.size = (uint32_t)(b->len - body);
	memcpy(b->data + body, &head, sizeof(head));
}

static unsigned derived_flags(const struct draft *d)
{
	unsigned flags = 0;

	if (!(d->flags & NODE_APEX) && draft_find(&d->fixed, RR_NS))
		flags |= NODE_CUT;
	if (draft_find(&d->fixed, RR_DNAME))
		flags |= NODE_DNAME;
	if (!(d->flags & NODE_SITES) && d->fixed.count == 0)
		flags |= NODE_EMPTY;
	return flags;
}

static bool has_capitals(const uint8_t *owner, size_t len)
{
	uint64_t capitals = 0, rest = 0;
	size_t whole = len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		capitals |= bytes_capitals8(fold_load(owner + i));
	memcpy(&rest, owner + whole, len - whole);
	return (capitals | bytes_capitals8(rest)) != 0;
}

static void write_head(const uint8_t *owner, unsigned flags, size_t rrsets, uint32_t source,
                       struct buffer *image)
{
	size_t len = names_wire_len(owner);
	uint8_t *to;
	struct node n = {
		.flags = (uint8_t)flags,
		.body = (uint8_t)((sizeof(n) + len + 3) / 4),
		.bits = (uint16_t)rrsets,
		.source = source,
	};

	CHECK(rrsets <= NODE_RRSETS);
	if (has_capitals(owner, len))
		n.bits |= NODE_MIXED_CASE;
	buffer_reset(image);
	to = buffer_extend(image, n.body * 4U);
	memcpy(to, &n, sizeof(n));
	memset(to + n.body * 4U - 4, 0, 4);
	bytes_copy(to + sizeof(n), owner, len);
}

void draft_write(const struct draft *d, struct buffer *image)
{
	write_head(d->owner, d->flags | derived_flags(d), d->fixed.count, d->source, image);
	if (d->flags & NODE_SITES)
		write_sites(d, image);
	else
		write_rrsets(&d->fixed, image);
}

void draft_write_addresses(const uint8_t *owner, uint32_t source, uint32_t ttl,
                           const struct addr *address, size_t count, struct buffer *image)
{
	size_t len = address->family == ADDR_IPV4 ? 4 : 16;
	struct rrset s = {ttl, address->family == ADDR_IPV4 ? RR_A : RR_AAAA, (uint16_t)count,
	                  (uint32_t)(count * (len + 2))};
	uint8_t *to;

	write_head(owner, 0, 1, source, image);
	buffer_put(image, &s, sizeof(s));
	to = buffer_extend(image, s.bytes);
	for (size_t i = 0; i < count; i++, to += len + 2) {
		bytes_put16(to, (uint16_t)len);
		memcpy(to + 2, address[i].bytes, len);
	}
	pad(image);
}
