/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_image.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/name_records.h"

enum { CLASS_IN = 1, FIXED_LEN = 10 /* TYPE to RDLENGTH */ };
enum { SITES_OF_ALL = UINT16_MAX, SITES_OF_NONE = UINT16_MAX - 1 }; /* instead of a cluster */

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

static void put_record(struct buffer *out, const uint8_t *owner, const struct name_record *r)
{
	buffer_put(out, owner, name_wire_len(owner));
	buffer_u16(out, r->type);
	buffer_u16(out, CLASS_IN);
	buffer_u32(out, r->ttl);
	buffer_u16(out, (uint16_t)r->rdata.len);
	buffer_put(out, r->rdata.data, r->rdata.len);
}

/* --- what a name has --- */

struct making {
	const struct zone *zone;
	uint16_t cluster; /* whose sites come first; SITES_OF_ALL: every one's */
	struct zone_image *image;
	struct name_records records; /* of one name; its room is used again */
};

static bool counts(const struct making *m, const struct site *site, bool is_first, bool ready_only)
{
	bool is_its = m->cluster == SITES_OF_ALL || site_cluster(site) == m->cluster;

	return is_its == is_first && (!ready_only || site_layers(site) == SITE_WHOLE);
}

static void add_some(struct making *m, const struct node *n, bool is_first, bool ready_only)
{
	for (size_t i = 0; i < node_site_count(n); i++)
		if (counts(m, node_site(n, i), is_first, ready_only))
			name_records_add_site(&m->records, node_site(n, i));
}

static bool has_type(const struct name_record *item, size_t count, uint16_t type)
{
	for (size_t i = 0; i < count; i++)
		if (item[i].type == type || item[i].type == RR_CNAME)
			return true;
	return false;
}

/* As choose() has it for a client of that cluster: from the first site that has the type, so that a name, and a type, is there
 * whichever cluster it is (design.md 4).  A CNAME answers for every type, and stands beside none. */
static bool add_sites(struct making *m, const struct node *n, bool ready_only)
{
	struct name_records *r = &m->records;
	size_t before = r->count, first, kept;

	add_some(m, n, true, ready_only);
	first = kept = r->count;
	add_some(m, n, false, ready_only);
	for (size_t i = first; i < r->count; i++)
		if (!has_type(r->item + before, first - before, r->item[i].type) &&
		    (first == before || r->item[i].type != RR_CNAME))
			r->item[kept++] = r->item[i];
	r->count = kept;
	return r->count > before;
}

static bool has_address(const struct name_records *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->item[i].type == RR_A || r->item[i].type == RR_AAAA)
			return true;
	return false;
}

/* As choose() has it (design.md 4): ready sites; without an address among them the next level; else all of them. */
static void gather_sites(struct making *m, const struct node *n)
{
	size_t before = m->records.count;
	bool any = add_sites(m, n, true);
	const struct rrset *fallback = node_fallback(n);

	if (fallback != NULL && !has_address(&m->records) &&
	    (node_flags(n) & NODE_FAIL_OPEN) == 0) {
		m->records.count = before;
		name_records_add(&m->records, fallback);
	} else if (!any) {
		(void)add_sites(m, n, false);
	}
}

static bool on_node(const struct node *n, void *arg)
{
	struct making *m = arg;

	enum name_records_share share = name_records_share(m->zone, n);

	m->records.count = 0;
	if (share != NAME_RECORDS_NONE)
		name_records_add_fixed(&m->records, n);
	if (share == NAME_RECORDS_ALL && node_site_count(n) > 0)
		gather_sites(m, n);
	name_records_settle(&m->records);
	for (size_t i = 0; i < m->records.count; i++) {
		const struct name_record *r = &m->records.item[i];

		put_record(r->type == RR_SOA ? &m->image->soa : &m->image->records, node_owner(n),
		           r);
	}
	return true;
}

/* --- images --- */

static uint16_t find_cluster(const struct snapshot *s, const char *name)
{
	const struct snapshot_cluster *c;

	for (size_t i = 0; (c = snapshot_cluster_at(s, i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			return c->id;
	return SITES_OF_NONE; /* there is no such cluster now */
}

const struct zone_image *zone_image_make(const struct snapshot *s, const struct zone *z,
                                         const char *cluster)
{
	struct zone_image *image = xcalloc(1, sizeof(*image));
	struct making m = {.zone = z, .image = image, .cluster = SITES_OF_ALL};

	if (cluster != NULL)
		m.cluster = find_cluster(s, cluster);
	atomic_init(&image->owners, 1);
	image->serial = zone_serial(z);
	memcpy(image->apex, zone_apex(z), name_wire_len(zone_apex(z)));
	zone_each(z, NULL, on_node, &m);
	name_records_fini(&m.records);
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
