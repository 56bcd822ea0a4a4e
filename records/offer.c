/* SPDX-License-Identifier: Apache-2.0 */
#include "records/offer.h"

#include <string.h>

#include "base/check.h"
#include "records/names.h"

enum { FEW = 8 };

struct offer *offer_new(struct arena *a, size_t most)
{
	struct offer *o = arena_calloc(a, 1, sizeof(*o));

	CHECK(most < UINT32_MAX);
	o->endpoints = arena_alloc(a, most * sizeof(*o->endpoints));
	o->hashes = arena_alloc(a, most * sizeof(*o->hashes));
	if (most > FEW) {
		size_t room = 16;

		while (room < most * 2)
			room *= 2;
		o->slots = arena_calloc(a, room, sizeof(*o->slots));
		o->slot_mask = room - 1;
	}
	return o;
}

/* The number of the owner, or count; *slot is where a new one belongs. */
static size_t search(const struct offer *o, uint32_t hash, const uint8_t *owner, size_t *slot,
                     bool *twin)
{
	if (!o->slots) {
		for (size_t i = 0; i < o->count; i++) {
			if (o->hashes[i] != hash)
				continue;
			if (names_wire_equal(o->endpoints[i].owner.data, owner))
				return i;
			*twin = true;
		}
		return o->count;
	}
	for (*slot = hash & o->slot_mask; o->slots[*slot]; *slot = (*slot + 1) & o->slot_mask) {
		size_t i = o->slots[*slot] - 1;

		if (o->hashes[i] != hash)
			continue;
		if (names_wire_equal(o->endpoints[i].owner.data, owner))
			return i;
		*twin = true;
	}
	return o->count;
}

struct endpoint *offer_put(struct offer *o, struct arena *a, uint32_t hash, struct bytes owner)
{
	size_t slot = 0;
	bool twin = false;
	size_t i = search(o, hash, owner.data, &slot, &twin);

	if (i < o->count)
		return &o->endpoints[i];
	o->has_twins |= twin;
	o->hashes[i] = hash;
	o->endpoints[i] =
		(struct endpoint){.owner = {arena_memdup(a, owner.data, owner.len), owner.len}};
	o->count++;
	if (o->slots)
		o->slots[slot] = (uint32_t)o->count;
	return &o->endpoints[i];
}

bool offer_has_hash(const struct offer *o, uint32_t hash)
{
	if (o->slots) {
		for (size_t at = hash & o->slot_mask; o->slots[at]; at = (at + 1) & o->slot_mask)
			if (o->hashes[o->slots[at] - 1] == hash)
				return true;
		return false;
	}
	for (size_t i = 0; i < o->count; i++)
		if (o->hashes[i] == hash)
			return true;
	return false;
}

struct endpoint *offer_find(const struct offer *o, uint32_t hash, const uint8_t *owner)
{
	size_t slot = 0;
	bool twin = false;
	size_t i = o ? search(o, hash, owner, &slot, &twin) : 0;

	return o && i < o->count ? &o->endpoints[i] : NULL;
}

struct offer *offer_without_empty(struct arena *a, const struct offer *o)
{
	struct offer *kept = offer_new(a, o->count);

	for (size_t i = 0; i < o->count; i++)
		if (o->endpoints[i].has_sites || o->endpoints[i].fixed_count > 0)
			*offer_put(kept, a, o->hashes[i], o->endpoints[i].owner) = o->endpoints[i];
	return kept;
}

/* --- endpoints --- */

static bool rrset_equal(const struct endpoint_rrset *a, const struct endpoint_rrset *b)
{
	if (!bytes_equal(a->type, b->type) || a->ttl != b->ttl || a->count != b->count ||
	    (a->addresses == NULL) != (b->addresses == NULL))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->addresses ? !addr_equal(&a->addresses[i], &b->addresses[i])
		                 : !bytes_equal(a->texts[i], b->texts[i]))
			return false;
	return true;
}

static bool rrsets_equal(const struct endpoint_rrset *a, size_t a_count,
                         const struct endpoint_rrset *b, size_t b_count)
{
	bool equal = a_count == b_count;

	for (size_t i = 0; i < a_count && equal; i++)
		equal = rrset_equal(&a[i], &b[i]);
	return equal;
}

static bool site_equal(const struct endpoint_site *a, const struct endpoint_site *b)
{
	return a->cluster == b->cluster && a->layers == b->layers && a->hold == b->hold &&
	       a->capacity == b->capacity && a->ready == b->ready && a->endpoints == b->endpoints &&
	       a->probe_count == b->probe_count &&
	       (a->probe_count == 0 ||
	        memcmp(a->probes, b->probes, a->probe_count * sizeof(*a->probes)) == 0) &&
	       rrsets_equal(a->rrsets, a->rrset_count, b->rrsets, b->rrset_count);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	bool equal = bytes_equal(a->owner, b->owner) && strcmp(a->source, b->source) == 0 &&
	             a->has_sites == b->has_sites && a->fail_open == b->fail_open &&
	             a->site_count == b->site_count && bytes_equal(a->fallback, b->fallback) &&
	             a->fallback_ttl == b->fallback_ttl && a->policy == b->policy &&
	             a->passed_over == b->passed_over &&
	             rrsets_equal(a->fixed, a->fixed_count, b->fixed, b->fixed_count);

	for (size_t i = 0; i < a->site_count && equal; i++)
		equal = site_equal(&a->sites[i], &b->sites[i]);
	return equal;
}

static bool any_address(const struct endpoint_rrset *rrsets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rrsets[i].addresses && rrsets[i].count > 0)
			return true;
	return false;
}

bool endpoint_has_address(const struct endpoint *e)
{
	for (size_t i = 0; i < e->site_count; i++)
		if (any_address(e->sites[i].rrsets, e->sites[i].rrset_count))
			return true;
	return any_address(e->fixed, e->fixed_count);
}

static struct bytes copy_bytes(struct arena *a, struct bytes s)
{
	return (struct bytes){arena_memdup(a, s.data, s.len), s.len};
}

static struct endpoint_rrset *copy_rrsets(struct arena *a, const struct endpoint_rrset *from,
                                          size_t count)
{
	struct endpoint_rrset *to = arena_memdup(a, from, count * sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		to[i].type = copy_bytes(a, from[i].type);
		if (from[i].addresses) {
			to[i].addresses = arena_memdup(a, from[i].addresses,
			                               from[i].count * sizeof(struct addr));
		} else {
			struct bytes *texts = arena_calloc(a, from[i].count, sizeof(*texts));

			for (size_t k = 0; k < from[i].count; k++)
				texts[k] = copy_bytes(a, from[i].texts[k]);
			to[i].texts = texts;
		}
	}
	return to;
}

struct endpoint *endpoint_copy(struct arena *a, const struct endpoint *e)
{
	struct endpoint *copy = arena_memdup(a, e, sizeof(*e));
	struct endpoint_site *sites = arena_memdup(a, e->sites, e->site_count * sizeof(*sites));

	for (size_t i = 0; i < e->site_count; i++) {
		sites[i].probes = arena_memdup(a, e->sites[i].probes,
		                               e->sites[i].probe_count * sizeof(uint32_t));
		sites[i].rrsets = copy_rrsets(a, e->sites[i].rrsets, e->sites[i].rrset_count);
	}
	copy->sites = sites;
	copy->fixed = copy_rrsets(a, e->fixed, e->fixed_count);
	copy->owner = copy_bytes(a, e->owner);
	copy->fallback = copy_bytes(a, e->fallback);
	copy->source = arena_strdup(a, e->source);
	return copy;
}
