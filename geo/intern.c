/* intern.c -- open addressing over numbers; the items lie in one array. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/xalloc.h"

struct intern {
	size_t item_size;
	uint8_t *items;
	uint32_t count, room;
	uint32_t *slots; /* item number + 1; 0 is free */
	uint32_t mask;   /* slots - 1; slots are at least twice the items */
};

enum { FIRST_ROOM = 16 };

struct intern *intern_new(size_t item_size)
{
	struct intern *in = xcalloc(1, sizeof(*in));

	in->item_size = item_size;
	in->room = FIRST_ROOM;
	in->items = xreallocarray(NULL, in->room, item_size);
	in->mask = 2 * FIRST_ROOM - 1;
	in->slots = xcalloc((size_t)in->mask + 1, sizeof(*in->slots));
	return in;
}

void intern_free(struct intern *in)
{
	if (in == NULL)
		return;
	free(in->items);
	free(in->slots);
	free(in);
}

static uint8_t *item_at(const struct intern *in, uint32_t number)
{
	return in->items + (size_t)number * in->item_size;
}

/* The slot where the item is, or where it belongs. */
static uint32_t *slot_of(const struct intern *in, const void *item)
{
	uint32_t at = (uint32_t)hash_fixed((struct bytes){item, in->item_size}) & in->mask;

	while (in->slots[at] != 0 &&
	       memcmp(item_at(in, in->slots[at] - 1), item, in->item_size) != 0)
		at = (at + 1) & in->mask;
	return &in->slots[at];
}

static void grow(struct intern *in)
{
	CHECK(in->room < UINT32_MAX / 4);
	in->room *= 2;
	in->items = xreallocarray(in->items, in->room, in->item_size);
	free(in->slots);
	in->mask = 2 * in->room - 1;
	in->slots = xcalloc((size_t)in->mask + 1, sizeof(*in->slots));
	for (uint32_t i = 0; i < in->count; i++)
		*slot_of(in, item_at(in, i)) = i + 1;
}

uint32_t intern_put(struct intern *in, const void *item)
{
	uint32_t *slot = slot_of(in, item);

	if (*slot != 0)
		return *slot - 1;
	if (in->count == in->room) {
		grow(in);
		slot = slot_of(in, item);
	}
	memcpy(item_at(in, in->count), item, in->item_size);
	*slot = ++in->count;
	return in->count - 1;
}

uint32_t intern_count(const struct intern *in) { return in->count; }

const void *intern_items(const struct intern *in) { return in->items; }
