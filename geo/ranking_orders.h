/* ranking_orders.h -- which places have the same order of groups of clusters. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RANKING_ORDERS_H
#define GEO_RANKING_ORDERS_H

#include <stddef.h>
#include <stdint.h>

#include "geo/vector.h"

/* The groups that have a place. */
struct ranking_groups {
	struct vector *at;
	size_t count;
};

/* Gives each place the number of its order (order_of[place]) and returns how many orders
 * there are; places with equal orders get equal numbers, not depending on the
 * places' sequence in memory more than the numbers themselves do.  Number 0 is the unknown
 * order: only places whose order is `unknown` (all groups, the placeless one last where
 * there is one; NULL: no place's order is like it) get it.
 * (*examples)[number] is a place with that order, but for 0; the caller frees it. */
size_t ranking_orders_find(const struct ranking_groups *groups, const uint16_t *unknown,
                           const struct vector *places, size_t place_count, uint32_t *order_of,
                           size_t **examples);

#endif
