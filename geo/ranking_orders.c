/* ranking_orders.c -- sorts the groups once per place, beginning from a neighbour's order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/ranking_orders.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "geo/digest.h"
#include "geo/intern.h"

struct candidate {
	double distance; /* as in ranking_position() */
	uint16_t group;
};

static inline int comes_before(const struct candidate *a, const struct candidate *b)
{
	return a->distance < b->distance || (a->distance == b->distance && a->group < b->group);
}

/* Insertion: next to linear when the last order was a neighbour's. */
static void sort(struct candidate *c, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct candidate moving = c[i];
		size_t at = i;

		for (; at > 0 && comes_before(&moving, &c[at - 1]); at--)
			c[at] = c[at - 1];
		c[at] = moving;
	}
}

/* A place's position on a curve that visits neighbours soon after each other (Z-order). */
struct stop {
	uint64_t along;
	size_t place;
};

static uint64_t spread_bits(uint64_t v)
{
	v = (v | v << 32) & 0x1f00000000ffff;
	v = (v | v << 16) & 0x1f0000ff0000ff;
	v = (v | v << 8) & 0x100f00f00f00f00f;
	v = (v | v << 4) & 0x10c30c30c30c30c3;
	return (v | v << 2) & 0x1249249249249249;
}

static uint64_t cell(double v) { return (uint64_t)((v + 1) * 1000000); }

static int compare_stops(const void *one, const void *other)
{
	const struct stop *a = one, *b = other;

	return (a->along > b->along) - (a->along < b->along);
}

static struct stop *plan_tour(const struct vector *places, size_t count)
{
	struct stop *tour = xcalloc(count + 1, sizeof(*tour));

	for (size_t i = 0; i < count; i++)
		tour[i] = (struct stop){spread_bits(cell(places[i].x)) |
		                                spread_bits(cell(places[i].y)) << 1 |
		                                spread_bits(cell(places[i].z)) << 2,
		                        i};
	if (count > 0)
		qsort(tour, count, sizeof(*tour), compare_stops);
	return tour;
}

/* The order at a place.  `order` has room for all groups. */
static struct digest order_at(const struct ranking_groups *groups, const struct vector *place,
                              struct candidate *last, uint16_t *order)
{
	for (size_t i = 0; i < groups->count; i++)
		last[i].distance = -vector_dot(place, &groups->at[last[i].group]);
	sort(last, groups->count);
	for (size_t i = 0; i < groups->count; i++)
		order[i] = last[i].group;
	return digest_of(order, groups->count);
}

size_t ranking_orders_find(const struct ranking_groups *groups, const uint16_t *unknown,
                           const struct vector *places, size_t place_count, uint32_t *order_of,
                           size_t **examples)
{
	struct stop *tour = plan_tour(places, place_count);
	struct candidate *last = xcalloc(groups->count + 1, sizeof(*last));
	uint16_t *order = xcalloc(groups->count + 1, sizeof(*order));
	struct intern *digests = intern_new(sizeof(struct digest));
	/* Number 0 is taken by the unknown order, or by a digest of nothing that occurs. */
	struct digest digest =
		unknown != NULL ? digest_of(unknown, groups->count) : (struct digest){{0, 0}};
	size_t count;

	(void)intern_put(digests, &digest);
	*examples = xcalloc(place_count + 1, sizeof(**examples));
	for (size_t i = 0; i < groups->count; i++)
		last[i].group = (uint16_t)i;
	for (size_t i = 0; i < place_count; i++) {
		digest = order_at(groups, &places[tour[i].place], last, order);
		order_of[tour[i].place] = intern_put(digests, &digest);
		(*examples)[order_of[tour[i].place]] = tour[i].place;
	}
	count = intern_count(digests);
	intern_free(digests);
	free(tour);
	free(last);
	free(order);
	return count;
}
