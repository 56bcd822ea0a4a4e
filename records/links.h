/* links.h -- from a hash to the facts that mention something: backwards ways through the facts.
 *
 * Which Ingresses name a Service, which objects carry a host name.  A found fact may be there by chance (the hash has 32
 * bits): look at it.  Facts are borrowed.  Private to records; control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_LINKS_H
#define RECORDS_LINKS_H

#include "records/fact.h"
#include "records/idmap.h"

struct link {
	const struct fact *fact;
	uint32_t cluster;
};

struct links { /* zeroed: empty */
	struct idmap index;
	struct link *pool; /* slot value v is pool[v - 1] */
	size_t pool_count, pool_room;
	uint32_t unused; /* chain through `cluster`, 0 ends */
};

void links_fini(struct links *l);
void links_put(struct links *l, uint32_t hash, uint16_t cluster, const struct fact *fact);
void links_remove(struct links *l, uint32_t hash, uint16_t cluster, const struct fact *fact);

/* struct idmap_walk w = links_find(l, hash); while ((link = links_next(l, &w)) != NULL) ... */
struct idmap_walk links_find(const struct links *l, uint32_t hash);
const struct link *links_next(const struct links *l, struct idmap_walk *w);

#endif
