/* part.h -- a frozen piece that snapshots share, with what it holds in one arena.
 *
 * First member of such a piece.  Users are counted on the writer's thread alone:
 * snapshots are made and dropped there.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_PART_H
#define ZONES_PART_H

#include <stddef.h>

#include "base/arena.h"

struct part {
	unsigned users;
	struct arena *arena;
	void (*on_free)(struct part *p); /* NULL: the arena is all */
};

/* `size` zeroed bytes that begin with a part; one user. */
void *part_new(size_t size);
void *part_ref(void *part);
void part_unref(void *part); /* NULL is fine */

#endif
