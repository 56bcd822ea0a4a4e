/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/part.h"

void *part_new(size_t size)
{
	struct arena *arena = arena_new();
	struct part *p = arena_calloc(arena, 1, size);

	p->users = 1;
	p->arena = arena;
	return p;
}

void *part_ref(void *part)
{
	((struct part *)part)->users++;
	return part;
}

void part_unref(void *part)
{
	struct part *p = part;

	if (!p || --p->users > 0)
		return;
	if (p->on_free)
		p->on_free(p);
	arena_free(p->arena);
}
