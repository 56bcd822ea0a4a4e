/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_image.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { CLASS_IN = 1, FIXED_LEN = 10 /* TYPE to RDLENGTH */ };

struct zone_image {
	atomic_uint owners;
	uint32_t serial;
	uint8_t apex[NAME_MAX_LEN];
	struct buffer soa, records;
};

/* --- records --- */

struct bytes zone_image_record(struct bytes records)
{
	size_t owner;

	if (records.len == 0)
		return records;
	owner = name_wire_len(records.data);
	return (struct bytes){records.data,
	                      owner + FIXED_LEN + bytes_get16(records.data + owner + 8)};
}

int zone_image_compare(struct bytes a, struct bytes b)
{
	size_t owner_a = name_wire_len(a.data), owner_b = name_wire_len(b.data);
	uint16_t type_a = bytes_get16(a.data + owner_a), type_b = bytes_get16(b.data + owner_b);
	int order = name_wire_compare(a.data, b.data);

	if (order != 0)
		return order;
	if (type_a != type_b)
		return type_a < type_b ? -1 : 1;
	return bytes_compare(
		(struct bytes){a.data + owner_a + FIXED_LEN, a.len - owner_a - FIXED_LEN},
		(struct bytes){b.data + owner_b + FIXED_LEN, b.len - owner_b - FIXED_LEN});
}

static void put_record(struct buffer *out, const uint8_t *owner, uint16_t type, uint32_t ttl,
                       struct bytes rdata)
{
	buffer_put(out, owner, name_wire_len(owner));
	buffer_u16(out, type);
	buffer_u16(out, CLASS_IN);
	buffer_u32(out, ttl);
	buffer_u16(out, (uint16_t)rdata.len);
	buffer_put(out, rdata.data, rdata.len);
}

/* --- what a name has --- */

struct item {
	uint16_t type;
	uint32_t ttl;
	struct bytes rdata;
};

/* The records of one name; kept, as its room is used again for the next. */
struct making {
	const struct snapshot *s;
	uint16_t cluster; /* UINT16_MAX: all */
	struct zone_image *image;
	struct item *items;
	size_t count, room;
};

static void add_rrset(struct making *m, const struct rrset *rrset)
{
	struct bytes rdata;

	for (size_t at = 0; rrset_next(rrset, &at, &rdata);) {
		if (m->count == m->room) {
			m->room = m->room * 2 + 16;
			m->items = xreallocarray(m->items, m->room, sizeof(*m->items));
		}
		m->items[m->count++] = (struct item){rrset->type, rrset->ttl, rdata};
	}
}

static bool counts(const struct making *m, const struct site *site, bool ready_only)
{
	return (m->cluster == UINT16_MAX || site_cluster(site) == m->cluster) &&
	       (!ready_only || site_layers(site) == SITE_WHOLE);
}

static void add_site(struct making *m, const struct site *site)
{
	const struct rrset *rrset;

	for (size_t i = 0; (rrset = site_rrset_at(site, i)) != NULL; i++)
		add_rrset(m, rrset);
}

static bool add_sites(struct making *m, const struct node *n, bool ready_only)
{
	size_t before = m->count;

	for (size_t i = 0; i < node_site_count(n); i++)
		if (counts(m, node_site(n, i), ready_only))
			add_site(m, node_site(n, i));
	return m->count > before;
}

static bool has_address(const struct making *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].type == RR_A || m->items[i].type == RR_AAAA)
			return true;
	return false;
}

/* As choose() has it (design.md 4): ready sites; without an address among them the next level; else all of them. */
static void gather_sites(struct making *m, const struct node *n)
{
	size_t before = m->count;
	bool any = add_sites(m, n, true);
	const struct rrset *fallback = node_fallback(n);

	if (fallback != NULL && !has_address(m) && (node_flags(n) & NODE_FAIL_OPEN) == 0) {
		m->count = before;
		add_rrset(m, fallback);
	} else if (!any) {
		(void)add_sites(m, n, false);
	}
}

static int by_type_and_rdata(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return bytes_compare(x->rdata, y->rdata);
}

/* A CNAME stands alone (RFC 1034 3.6.2): beside data of other sites it goes, and of several the first stays. */
static void settle_aliases(struct making *m)
{
	size_t others = 0, kept = 0;

	for (size_t i = 0; i < m->count; i++)
		others += m->items[i].type != RR_CNAME;
	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].type != RR_CNAME || (others == 0 && kept == 0))
			m->items[kept++] = m->items[i];
	m->count = kept;
}

/* RFC 2181 5.2: one TTL for an RRset, the least. */
static uint32_t ttl_of(const struct making *m, size_t first)
{
	uint32_t ttl = m->items[first].ttl;

	for (size_t i = first; i < m->count && m->items[i].type == m->items[first].type; i++)
		ttl = m->items[i].ttl < ttl ? m->items[i].ttl : ttl;
	return ttl;
}

static void put_items(struct making *m, const uint8_t *owner)
{
	uint32_t ttl = 0;

	if (m->count > 1)
		qsort(m->items, m->count, sizeof(*m->items), by_type_and_rdata);
	for (size_t i = 0; i < m->count; i++) {
		const struct item *item = &m->items[i];
		bool is_first = i == 0 || item[-1].type != item->type;

		if (is_first)
			ttl = ttl_of(m, i);
		if (!is_first && bytes_equal(item[-1].rdata, item->rdata))
			continue;
		put_record(item->type == RR_SOA ? &m->image->soa : &m->image->records, owner,
		           item->type, ttl, item->rdata);
	}
}

static bool on_node(const struct node *n, void *arg)
{
	struct making *m = arg;
	const struct rrset *rrset;

	m->count = 0;
	for (size_t i = 0; (rrset = node_rrset_at(n, i)) != NULL; i++)
		add_rrset(m, rrset);
	if (node_site_count(n) > 0) {
		gather_sites(m, n);
		settle_aliases(m);
	}
	put_items(m, node_owner(n));
	return true;
}

/* --- images --- */

static uint16_t find_cluster(const struct snapshot *s, const char *name)
{
	const struct snapshot_cluster *c;

	for (size_t i = 0; (c = snapshot_cluster_at(s, i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			return c->id;
	return UINT16_MAX - 1; /* nobody's: there is no such cluster now */
}

const struct zone_image *zone_image_make(const struct snapshot *s, const struct zone *z,
                                         const char *cluster)
{
	struct zone_image *image = xcalloc(1, sizeof(*image));
	struct making m = {.s = s, .image = image, .cluster = UINT16_MAX};

	if (cluster != NULL)
		m.cluster = find_cluster(s, cluster);
	atomic_init(&image->owners, 1);
	image->serial = zone_serial(z);
	memcpy(image->apex, zone_apex(z), name_wire_len(zone_apex(z)));
	zone_each(z, NULL, on_node, &m);
	free(m.items);
	return image;
}

/* To count is not to change what it is. */
static struct zone_image *counted(const struct zone_image *i)
{
	return (struct zone_image *)(uintptr_t)i;
}

const struct zone_image *zone_image_ref(const struct zone_image *i)
{
	atomic_fetch_add_explicit(&counted(i)->owners, 1, memory_order_relaxed);
	return i;
}

void zone_image_unref(const struct zone_image *shared)
{
	struct zone_image *i = counted(shared);

	if (i == NULL || atomic_fetch_sub_explicit(&i->owners, 1, memory_order_acq_rel) > 1)
		return;
	buffer_fini(&i->soa);
	buffer_fini(&i->records);
	free(i);
}

uint32_t zone_image_serial(const struct zone_image *i) { return i->serial; }

const uint8_t *zone_image_apex(const struct zone_image *i) { return i->apex; }

struct bytes zone_image_soa(const struct zone_image *i)
{
	return (struct bytes){i->soa.data, i->soa.len};
}

struct bytes zone_image_records(const struct zone_image *i)
{
	return (struct bytes){i->records.data, i->records.len};
}
