/* zone.h -- one zone of a snapshot: looking up names as RFC 1034 4.3.2 asks.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_ZONE_H
#define ZONES_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "zones/denial.h"
#include "zones/name.h"
#include "zones/node.h"

struct zone;

const uint8_t *zone_apex(const struct zone *z); /* wire form, lower case */
unsigned zone_apex_labels(const struct zone *z);
/* A number of this zone alone, for counting: the same as long as the process lives. */
uint64_t zone_key(const struct zone *z);
uint32_t zone_serial(const struct zone *z);
size_t zone_name_count(const struct zone *z); /* owner names with data */
/* It has a file that was never read: what clusters have is answered, and nothing is denied. */
bool zone_is_incomplete(const struct zone *z);
const struct node *zone_apex_node(const struct zone *z);
const struct rrset *zone_soa(const struct zone *z);     /* its TTL as served */
uint32_t zone_negative_ttl(const struct zone *z);       /* min(SOA TTL, MINIMUM), RFC 2308 */
const struct denial *zone_denial(const struct zone *z); /* the SOA with that TTL */

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

/* `name` must be at or below the apex.  No allocation; cost grows with the labels at most. */
struct zone_hit zone_find(const struct zone *z, const struct name *name);
/* The node of exactly this name, also below a cut (glue); NULL: none. */
const struct node *zone_find_node(const struct zone *z, const struct name *name);

/* Every node in canonical order (RFC 4034 6.1) at or after `from` (wire form, NULL: the apex) until
 * the callback returns false.  Sorts, so: not for the answering path. */
typedef bool zone_on_node_fn(const struct node *n, void *arg);
void zone_each(const struct zone *z, const uint8_t *from, zone_on_node_fn *on_node, void *arg);

#endif
