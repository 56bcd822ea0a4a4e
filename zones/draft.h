/* draft.h -- a node while it is being put together.
 *
 * Values borrowed from an arena, an endpoint or another node; draft_write() turns
 * them into the flat image that lives in the slab.  Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_DRAFT_H
#define ZONES_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "zones/node.h"

struct draft_rrset {
	uint16_t type;
	uint32_t ttl;
	struct bytes *rdata; /* wire form; sorted and unique once draft_sort() was called */
	size_t count;
};
struct draft_rrsets {
	struct draft_rrset *item;
	size_t count;
};
struct draft_site {
	uint16_t cluster;
	uint8_t layers;
	const uint32_t *probes;
	size_t probe_count;
	struct site_more more;
	struct site_past past;
	bool is_held;
	struct draft_rrsets rrsets;
};
struct draft {
	const uint8_t *owner; /* wire form */
	unsigned flags; /* NODE_APEX, NODE_SITES, NODE_FAIL_OPEN; the others follow from the data */
	uint32_t source;
	struct draft_rrsets fixed;
	struct draft_site *sites;
	size_t site_count;
	struct draft_rrset fallback; /* count 0: none */
	uint32_t policy;
};

/* The RRset of a type, made (empty, of this TTL) when there is none; `room`: how many it has to hold more.
 * An RRset that was there keeps the smaller TTL (RFC 2181 5.2). */
struct draft_rrset *draft_rrset(struct arena *a, struct draft_rrsets *set, uint16_t type,
                                uint32_t ttl, size_t room);
struct draft_rrset *draft_find(const struct draft_rrsets *set, uint16_t type); /* NULL: none */
void draft_drop(struct draft_rrsets *set, uint16_t type);
/* RRsets by type, RDATA in canonical order (RFC 4034 6.3) and unique. */
void draft_sort(struct draft_rrsets *set);

/* What a node says; RDATA stays in the node. */
struct draft draft_from_node(struct arena *a, const struct node *n);

/* Replaces what is in `image`; without place for the writer's counter. */
void draft_write(const struct draft *d, struct buffer *image);

/* The same for the commonest node: one RRset of addresses, all of the type's family, ascending and unique. */
void draft_write_addresses(const uint8_t *owner, uint32_t source, uint32_t ttl,
                           const struct addr *address, size_t count, struct buffer *image);

#endif
