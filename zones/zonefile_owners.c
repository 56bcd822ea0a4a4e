/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/fold.h"
#include "zones/zonefile_inside.h"

enum { FEW_SLOTS = 1024 };

static void put_slot(struct zonefile *z, uint32_t owner)
{
	size_t mask = z->slot_count - 1, at = z->owners[owner].hash & mask;

	while (z->slots[at] != ZONEFILE_NONE)
		at = (at + 1) & mask;
	z->slots[at] = owner;
}

/* At most half of them are taken. */
static void make_room(struct zonefile *z)
{
	if (z->owner_count * 2 < z->slot_count)
		return;
	free(z->slots);
	z->slot_count = z->slot_count ? z->slot_count * 2 : FEW_SLOTS;
	z->slots = xcalloc(z->slot_count, sizeof(*z->slots));
	memset(z->slots, 0xff, z->slot_count * sizeof(*z->slots));
	for (size_t i = 0; i < z->owner_count; i++)
		put_slot(z, (uint32_t)i);
}

static uint32_t find(const struct zonefile *z, uint64_t hash, const uint8_t *wire)
{
	size_t mask = z->slot_count - 1;

	for (size_t at = hash & mask; z->slot_count > 0 && z->slots[at] != ZONEFILE_NONE;
	     at = (at + 1) & mask) {
		const struct zonefile_owner *o = &z->owners[z->slots[at]];

		if (o->hash == hash && names_wire_equal(z->wires.data + o->wire, wire))
			return z->slots[at];
	}
	return ZONEFILE_NONE;
}

uint32_t zonefile_owner(struct zonefile *z, const uint8_t *wire, size_t len)
{
	struct name name;
	uint64_t hash;
	uint32_t found;

	CHECK(name_parse(&name, wire, len) == len);
	hash = fold_suffix(&name, 0, &z->key);
	found = find(z, hash, wire);
	if (found != ZONEFILE_NONE)
		return found;
	if (z->owner_count == z->owner_room) {
		z->owner_room = z->owner_room ? z->owner_room * 2 : FEW_SLOTS;
		z->owners = xreallocarray(z->owners, z->owner_room, sizeof(*z->owners));
	}
	z->owners[z->owner_count] = (struct zonefile_owner){
		.hash = hash,
		.wire = (uint32_t)z->wires.len,
		.first = ZONEFILE_NONE,
		.last = ZONEFILE_NONE,
	};
	buffer_put(&z->wires, wire, len);
	make_room(z);
	put_slot(z, (uint32_t)z->owner_count);
	return (uint32_t)z->owner_count++;
}

const struct zonefile_owner *zonefile_find_owner(const struct zonefile *z, const struct name *name,
                                                 unsigned label)
{
	uint32_t found = find(z, fold_suffix(name, label, &z->key), name->wire + name->at[label]);

	return found == ZONEFILE_NONE ? NULL : &z->owners[found];
}

void zonefile_add(struct zonefile *z, uint32_t owner, const struct zonefile_record *record,
                  struct bytes rdata)
{
	struct zonefile_owner *o = &z->owners[owner];
	struct zonefile_record *to;

	if (z->record_count == z->record_room) {
		z->record_room = z->record_room ? z->record_room * 2 : FEW_SLOTS;
		z->records = xreallocarray(z->records, z->record_room, sizeof(*z->records));
	}
	to = &z->records[z->record_count];
	*to = *record;
	to->next = ZONEFILE_NONE;
	to->at = (uint32_t)z->rdata.len;
	to->len = (uint16_t)rdata.len;
	buffer_put(&z->rdata, rdata.data, rdata.len);
	if (o->last == ZONEFILE_NONE)
		o->first = (uint32_t)z->record_count;
	else
		z->records[o->last].next = (uint32_t)z->record_count;
	o->last = (uint32_t)z->record_count++;
}
