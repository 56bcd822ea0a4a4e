/* intern.h -- equal things become one number.
 *
 * A set of items of one size, compared byte by byte (so callers zero their
 * padding), numbered from 0 in the order they came.  One thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_INTERN_H
#define GEO_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern;

struct intern *intern_new(size_t item_size);
void intern_free(struct intern *in); /* NULL is fine */

/* The number of the item that equals this one; a copy is kept when it is new. */
uint32_t intern_put(struct intern *in, const void *item);
uint32_t intern_count(const struct intern *in);
/* The items in their order, borrowed until the next put. */
const void *intern_items(const struct intern *in);

#endif
