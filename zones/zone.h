/* zone.h -- one zone of a snapshot: looking up names as RFC 1034 4.3.2 asks.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONE_H
#define ZONES_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "zones/denial.h"
#include "zones/fold.h"
#include "zones/name.h"
#include "zones/node.h"
#include "zones/tree.h"

/* The layout is the room's own: others use the functions below. */
struct zone {
	uint32_t root; /* link of its tree */
	uint8_t apex_labels;
	bool incomplete;     /* it has a file, of which nothing good was ever read */
	const uint8_t *base; /* of the slab */
	const struct name_key *key;
	uint64_t apex_hash;
	const struct node *apex;
	const struct rrset *soa;
	uint32_t serial;
	uint32_t negative_ttl;
	size_t names;
	unsigned users; /* snapshots; the writer's */
	uint8_t apex_wire[NAME_MAX_LEN + 1];
	struct denial denial;
};

/* Wire form, lower case. */
static inline const uint8_t *zone_apex(const struct zone *z) { return z->apex_wire; }
static inline unsigned zone_apex_labels(const struct zone *z) { return z->apex_labels; }
/* A number of this zone alone, for counting: the same as long as the process lives. */
static inline uint64_t zone_key(const struct zone *z) { return z->apex_hash; }
static inline uint32_t zone_serial(const struct zone *z) { return z->serial; }
/* Owner names with data. */
static inline size_t zone_name_count(const struct zone *z) { return z->names; }
/* It has a file that was never read: what clusters have is answered, and nothing is denied. */
static inline bool zone_is_incomplete(const struct zone *z) { return z->incomplete; }
static inline const struct node *zone_apex_node(const struct zone *z) { return z->apex; }
/* Its TTL as served. */
static inline const struct rrset *zone_soa(const struct zone *z) { return z->soa; }
/* min(SOA TTL, MINIMUM), RFC 2308. */
static inline uint32_t zone_negative_ttl(const struct zone *z) { return z->negative_ttl; }
/* The SOA with that TTL. */
static inline const struct denial *zone_denial(const struct zone *z) { return &z->denial; }

enum zone_match {
	ZONE_EXACT,    /* node: the name itself (perhaps NODE_EMPTY) */
	ZONE_WILDCARD, /* node: the wildcard that covers it (RFC 4592) */
	ZONE_CUT,      /* node: the delegation at or above it */
	ZONE_DNAME,    /* node: the DNAME owner above it */
	ZONE_ABSENT    /* NXDOMAIN; node: the closest encloser */
};
struct zone_hit {
	enum zone_match match;
	unsigned encloser_labels; /* of the closest encloser (or of the cut, the DNAME owner) */
	const struct node *node;
};

/* The node of exactly this name, also below a cut (glue); NULL: none. */
__attribute__((always_inline)) static inline const struct node *zone_find_node(
	const struct zone *z, const struct name *name)
{
	return tree_find(z->base, z->root, fold_name(name->wire, name->len, z->key), name->wire,
	                 name->len);
}

/* zone_find() of a name of which zone_find_node() says `found`, when it is not that simple. */
struct zone_hit zone_walk_down(const struct zone *z, const struct name *name,
                               const struct node *found);

/* Of what zone_find_node() says: is this all that zone_find() would, as no cut and no DNAME stands above? */
static inline bool zone_is_found(const struct node *n)
{
	return n != NULL && (node_flags(n) & (NODE_CUT | NODE_OCCLUDED)) == 0;
}

/* `name` must be at or below the apex.  No allocation; cost grows with the labels at most. */
static inline struct zone_hit zone_find(const struct zone *z, const struct name *name)
{
	const struct node *n = zone_find_node(z, name);

	if (zone_is_found(n))
		return (struct zone_hit){ZONE_EXACT, name->labels, n};
	return zone_walk_down(z, name, n);
}

/* Every node in canonical order (RFC 4034 6.1) at or after `from` (wire form, NULL: the apex) until
 * the callback returns false.  Sorts, so: not for the answering path. */
typedef bool zone_on_node_fn(const struct node *n, void *arg);
void zone_each(const struct zone *z, const uint8_t *from, zone_on_node_fn *on_node, void *arg);

#endif
