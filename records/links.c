/* SPDX-License-Identifier: Apache-2.0 */
#include "records/links.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

void links_fini(struct links *l)
{
	idmap_fini(&l->index);
	free(l->pool);
	*l = (struct links){0};
}

static uint32_t take_slot(struct links *l)
{
	uint32_t id = l->unused;

	if (id) {
		l->unused = l->pool[id - 1].cluster;
		return id;
	}
	if (l->pool_count == l->pool_room) {
		l->pool_room = l->pool_room ? l->pool_room + l->pool_room / 2 : 16;
		CHECK(l->pool_room < UINT32_MAX);
		l->pool = xreallocarray(l->pool, l->pool_room, sizeof(*l->pool));
	}
	return (uint32_t)++l->pool_count;
}

void links_put(struct links *l, uint32_t hash, uint16_t cluster, const struct fact *fact)
{
	uint32_t id = take_slot(l);

	l->pool[id - 1] = (struct link){fact, cluster};
	idmap_put(&l->index, hash, id);
}

void links_remove(struct links *l, uint32_t hash, uint16_t cluster, const struct fact *fact)
{
	struct idmap_walk w = idmap_find(&l->index, hash);
	const uint32_t *found;
	uint32_t id = 0;

	while ((found = idmap_next(&l->index, &w)) != NULL) {
		const struct link *link = &l->pool[*found - 1];

		if (link->fact == fact && link->cluster == cluster)
			id = *found;
	}
	if (id == 0)
		return;
	CHECK(idmap_remove(&l->index, hash, id));
	l->pool[id - 1] = (struct link){NULL, l->unused};
	l->unused = id;
}

struct idmap_walk links_find(const struct links *l, uint32_t hash)
{
	return idmap_find(&l->index, hash);
}

const struct link *links_next(const struct links *l, struct idmap_walk *w)
{
	const uint32_t *id = idmap_next(&l->index, w);

	return id ? &l->pool[*id - 1] : NULL;
}
