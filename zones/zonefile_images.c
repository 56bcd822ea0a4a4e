/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/draft.h"
#include "zones/zonefile_inside.h"

enum { FEW = 64 };
#define UNCHANGED UINT32_C(0x80000000)

/* Room that grows to the largest name. */
struct rooms {
	const struct zonefile_record **record;
	struct bytes *rdata;
	struct draft_rrset *set;
	size_t room;
	struct buffer image;
};

/* --- one name --- */

static int by_type(const void *a, const void *b)
{
	const struct zonefile_record *x = *(const struct zonefile_record *const *)a;
	const struct zonefile_record *y = *(const struct zonefile_record *const *)b;

	return x->type != y->type ? x->type - y->type : (x > y) - (x < y);
}

/* The owner's records by type; returns how many. */
static size_t gather(const struct zonefile *z, const struct zonefile_owner *o, struct rooms *r)
{
	size_t count = 0;

	for (uint32_t i = o->first; i != ZONEFILE_NONE; i = z->records[i].next) {
		if (count == r->room) {
			r->room = r->room ? r->room * 2 : FEW;
			r->record = xreallocarray(r->record, r->room, sizeof(*r->record));
			r->rdata = xreallocarray(r->rdata, r->room, sizeof(*r->rdata));
			r->set = xreallocarray(r->set, r->room, sizeof(*r->set));
		}
		r->record[count++] = &z->records[i];
	}
	if (count > 1)
		qsort(r->record, count, sizeof(*r->record), by_type);
	return count;
}

static void make_image(const struct zonefile *z, const struct zonefile_owner *o, struct rooms *r)
{
	const uint8_t *wire = z->wires.data + o->wire;
	struct draft d = {.owner = wire, .fixed = {r->set, 0}};
	size_t count = gather(z, o, r);

	d.fixed.item = r->set;
	if (names_wire_equal(wire, z->apex.wire))
		d.flags = NODE_APEX;
	for (size_t i = 0; i < count; i++) {
		const struct zonefile_record *rec = r->record[i];
		struct draft_rrset *s = &r->set[d.fixed.count];

		if (i == 0 || rec->type != r->record[i - 1]->type) {
			*s = (struct draft_rrset){rec->type, rec->ttl, &r->rdata[i], 0};
			d.fixed.count++;
		} else {
			s--;
		}
		r->rdata[i] = (struct bytes){z->rdata.data + rec->at, rec->len};
		s->count++;
		s->ttl = rec->ttl < s->ttl ? rec->ttl : s->ttl;
	}
	draft_sort(&d.fixed);
	draft_write(&d, &r->image);
}

/* --- all names --- */

static void make_images(struct zonefile *z)
{
	struct hash_key key = {z->key.k[0], z->key.k[1]};
	struct rooms r = {NULL, NULL, NULL, 0, {NULL, 0, 0}};

	for (size_t i = 0; i < z->owner_count; i++) {
		struct zonefile_owner *o = &z->owners[i];
		uint32_t head;

		if (o->first == ZONEFILE_NONE)
			continue;
		make_image(z, o, &r);
		o->content = hash_siphash(&key, r.image.data, r.image.len);
		o->image = (uint32_t)(z->images.len / 4);
		head = (uint32_t)r.image.len;
		buffer_put(&z->images, &head, sizeof(head));
		buffer_put(&z->images, r.image.data, r.image.len);
		z->count++;
	}
	free(r.record);
	free(r.rdata);
	free(r.set);
	buffer_fini(&r.image);
}

/* --- the index --- */

static unsigned bits_for(size_t count)
{
	unsigned bits = 1;

	while (bits < 32 && ((size_t)1 << bits) < count)
		bits++;
	return bits;
}

/* Numbers of owners by hash: hashes are evenly spread, so their upper bits say nearly where each belongs. */
static uint32_t *sort_owners(const struct zonefile *z)
{
	unsigned shift = 64 - bits_for(z->count);
	size_t buckets = ((size_t)1 << (64 - shift)) + 1;
	uint32_t *start = xcalloc(buckets, sizeof(*start));
	uint32_t *sorted = xcalloc(z->count + 1, sizeof(*sorted));

	for (size_t i = 0; i < z->owner_count; i++)
		if (z->owners[i].first != ZONEFILE_NONE)
			start[(z->owners[i].hash >> shift) + 1]++;
	for (size_t i = 1; i < buckets; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < z->owner_count; i++) {
		uint64_t hash = z->owners[i].hash;

		if (z->owners[i].first != ZONEFILE_NONE)
			sorted[start[hash >> shift]++] = (uint32_t)i;
	}
	for (size_t i = 1; i < z->count; i++) {
		uint32_t one = sorted[i];
		size_t at = i;

		for (; at > 0 && z->owners[sorted[at - 1]].hash > z->owners[one].hash; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = one;
	}
	free(start);
	return sorted;
}

static void make_index(struct zonefile *z)
{
	uint32_t *sorted = sort_owners(z);

	z->hash = xcalloc(z->count + 1, sizeof(*z->hash));
	z->content = xcalloc(z->count + 1, sizeof(*z->content));
	z->where = xcalloc(z->count + 1, sizeof(*z->where));
	for (size_t i = 0; i < z->count; i++) {
		const struct zonefile_owner *o = &z->owners[sorted[i]];

		z->hash[i] = o->hash;
		z->content[i] = o->content;
		z->where[i] = z->records[o->first].where;
	}
	/* Where its image is, by the place in the index, until they are compared. */
	for (size_t i = 0; i < z->count; i++)
		sorted[i] = z->owners[sorted[i]].image;
	free(z->slots);
	z->slots = sorted;
}

static void add_gone(struct zonefile *z, uint64_t hash, size_t *room)
{
	if (z->gone_count == *room) {
		*room = *room ? *room * 2 : FEW;
		z->gone = xreallocarray(z->gone, *room, sizeof(*z->gone));
	}
	z->gone[z->gone_count++] = hash;
}

/* Both by hash: what is the same is marked, what is not there any more is noted. */
static void compare(struct zonefile *z, const struct zonefile *before)
{
	size_t old = 0, room = 0;

	z->changed = z->count;
	for (size_t i = 0; i < z->count; i++) {
		while (old < before->count && before->hash[old] < z->hash[i])
			add_gone(z, before->hash[old++], &room);
		if (old == before->count || before->hash[old] != z->hash[i])
			continue;
		if (before->content[old++] == z->content[i]) {
			uint8_t *head = z->images.data + (size_t)z->slots[i] * 4;
			uint32_t len;

			memcpy(&len, head, sizeof(len));
			len |= UNCHANGED;
			memcpy(head, &len, sizeof(len));
			z->changed--;
		}
	}
	while (old < before->count)
		add_gone(z, before->hash[old++], &room);
}

void zonefile_images(struct zonefile *z, const struct zonefile *before)
{
	make_images(z);
	make_index(z);
	z->changed = z->count;
	if (before)
		compare(z, before);
}
