/* node.h -- everything at one owner name, frozen and flat.
 *
 * A node holds fixed RRsets, the same for every client, or sites, each with the
 * RRsets of one cluster, to be chosen by the client; the apex, and a name of a zone file, may hold both.  Made by
 * zones_build(); read by any worker.  Accessors allocate nothing.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_NODE_H
#define ZONES_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zones/find16.h"
#include "zones/rrset.h"

/* The layout is the room's own: others use the functions below. */
struct node {
	uint8_t flags; /* enum node_flag */
	uint8_t body;  /* where RRsets or struct node_sites begin, in words of 4 bytes */
	uint16_t bits; /* NODE_RRSETS: how many fixed RRsets; and two flags */
	uint32_t source;
	uint8_t owner[]; /* padded; then a uint32_t of the writer's when NODE_COUNTED */
};
enum node_bit { NODE_RRSETS = 0x3fff, NODE_COUNTED = 0x4000, NODE_MIXED_CASE = 0x8000 };

/* With NODE_SITES: offsets count from here in bytes. */
struct node_sites {
	uint32_t size;     /* of everything from here to the node's end */
	uint32_t fixed;    /* the fixed RRsets (the apex may have both) */
	uint32_t fallback; /* 0: none */
	uint32_t lot;      /* name_lot() of the owner */
	uint16_t count;
	uint16_t policy_at; /* 0: none; else at[policy_at], behind the clusters, is its number */
	uint32_t at[];      /* of the sites; then their clusters, for find16() */
};
/* What few sites have stands in front of them. */
struct site_more {
	uint32_t hold;
	uint16_t capacity, ready, endpoints, unused;
};
/* What fewer have, whose layers have changed, stands in front of that; as struct endpoint_past has it. */
struct site_past {
	uint32_t since_s[4];
	uint32_t held_until_s;
	uint32_t flaps;
};
struct site {
	uint16_t cluster;
	uint8_t layers; /* and enum site_flag */
	uint8_t rrsets;
	uint32_t probes : 31;
	uint32_t is_even : 1; /* site_is_even() */
	uint32_t probe[];     /* then the RRsets */
};

enum node_flag {
	NODE_APEX = 1,
	NODE_CUT = 2, /* NS below the apex: a delegation (RFC 1034 4.3.2 3b) */
	NODE_DNAME = 4,
	NODE_EMPTY = 8,           /* empty non-terminal (RFC 8020): NOERROR, no data */
	NODE_SITES = 16,          /* a choice by client */
	NODE_FAIL_OPEN = 32,      /* no usable site: answer as if all were */
	NODE_WILDCARD_BELOW = 64, /* there is a child "*" (RFC 4592) */
	NODE_OCCLUDED = 128       /* below a cut or a DNAME: glue at most */
};

static inline unsigned node_flags(const struct node *n) { return n->flags; }
/* Wire form, case as stored. */
static inline const uint8_t *node_owner(const struct node *n) { return n->owner; }
/* Index of its source for snapshot_source(). */
static inline uint32_t node_source(const struct node *n) { return n->source; }

static inline const struct node_sites *node_sites(const struct node *n)
{
	return (const struct node_sites *)((const uint32_t *)n + n->body);
}

static inline const struct rrset *node_first_rrset(const struct node *n)
{
	const uint8_t *body = (const uint8_t *)((const uint32_t *)n + n->body);

	if (n->flags & NODE_SITES)
		body += node_sites(n)->fixed;
	return (const struct rrset *)(const void *)body;
}

/* Has it RRsets that are the same for every client? */
static inline bool node_has_fixed(const struct node *n) { return (n->bits & NODE_RRSETS) != 0; }

static inline const struct rrset *rrset_after(const struct rrset *s)
{
	return (const struct rrset *)(const void *)(s->data + ((s->bytes + 3) & ~3U));
}

/* Of `count` RRsets that follow each other: the one of a type, or the CNAME. */
static inline const struct rrset *rrset_find(const struct rrset *s, unsigned count, uint16_t type)
{
	for (; count > 0; count--, s = rrset_after(s))
		if (s->type == type || s->type == RR_CNAME)
			return s;
	return NULL;
}

static inline const struct rrset *rrset_at(const struct rrset *s, size_t count, size_t i)
{
	if (i >= count)
		return NULL;
	for (; i > 0; i--)
		s = rrset_after(s);
	return s;
}

/* The fixed RRset of a type, or the CNAME when there is one (whatever the type); NULL: none. */
static inline const struct rrset *node_rrset(const struct node *n, uint16_t type)
{
	return rrset_find(node_first_rrset(n), n->bits & NODE_RRSETS, type);
}

/* The i-th fixed RRset, by type; NULL past the last. */
static inline const struct rrset *node_rrset_at(const struct node *n, size_t i)
{
	return rrset_at(node_first_rrset(n), n->bits & NODE_RRSETS, i);
}

/* The CNAME for the case that no site is usable or has an address; NULL: none. */
static inline const struct rrset *node_fallback(const struct node *n)
{
	const struct node_sites *s = node_sites(n);

	if (!(n->flags & NODE_SITES) || s->fallback == 0)
		return NULL;
	return (const struct rrset *)(const void *)((const uint8_t *)s + s->fallback);
}

/* It has sites. */
static inline uint32_t node_lot(const struct node *n) { return node_sites(n)->lot; }

static inline size_t node_site_count(const struct node *n)
{
	return n->flags & NODE_SITES ? node_sites(n)->count : 0;
}

/* i < node_site_count(); sorted by cluster name. */
static inline const struct site *node_site(const struct node *n, size_t i)
{
	const struct node_sites *s = node_sites(n);

	return (const struct site *)(const void *)((const uint8_t *)s + s->at[i]);
}

/* The clusters of the sites, in their order, and room for more of them than one looks for. */
static inline const uint16_t *node_clusters(const struct node_sites *s)
{
	return (const uint16_t *)(s->at + s->count);
}

/* Is another policy than that of `defaults` for the name?  It has sites. */
static inline bool node_has_policy(const struct node *n) { return node_sites(n)->policy_at != 0; }

/* The number of its traffic policy, for snapshot_policy(). */
static inline uint32_t node_policy(const struct node *n)
{
	const struct node_sites *s = node_sites(n);

	return (n->flags & NODE_SITES) != 0 && s->policy_at != 0 ? s->at[s->policy_at] : 0;
}

/* The site of a cluster, or NULL; also when there are no sites. */
static inline const struct site *node_find_site(const struct node *n, uint16_t cluster)
{
	size_t count = node_site_count(n), i;

	if (count == 0)
		return NULL;
	i = find16(node_clusters(node_sites(n)), count, cluster);
	return i < count ? node_site(n, i) : NULL;
}

/* The site of a cluster, where it stands when as many clusters as `number` before it have one: NULL when it is not that simple. */
static inline const struct site *node_sites_at_number(const struct node_sites *s, uint16_t cluster,
                                                      size_t number)
{
	const struct site *site;

	if (number >= s->count)
		return NULL;
	site = (const struct site *)(const void *)((const uint8_t *)s + s->at[number]);
	return site->cluster == cluster ? site : NULL;
}
/* The same of a node; NULL also when there are no sites. */
static inline const struct site *node_site_at_number(const struct node *n, uint16_t cluster,
                                                     size_t number)
{
	return n->flags & NODE_SITES ? node_sites_at_number(node_sites(n), cluster, number) : NULL;
}

/* The same for many clusters, in the order of their names: `*at`, 0 in the beginning, is where the search begins, and moves to
 * what it finds. */
static inline const struct site *node_find_site_from(const struct node *n, uint16_t cluster,
                                                     size_t *at)
{
	const struct node_sites *s = node_sites(n);
	size_t from = *at & ~(size_t)(FIND16_LANES - 1), i;

	if (node_site_count(n) == 0)
		return NULL;
	i = from + find16(node_clusters(s) + from, s->count - from, cluster);
	if (i >= s->count)
		return NULL;
	*at = i;
	return node_site(n, i);
}

static inline uint16_t site_cluster(const struct site *s) { return s->cluster; }
/* enum site_layer of records/endpoint.h; all of them together are SITE_WHOLE. */
enum { SITE_WHOLE = 3 };
enum site_flag { SITE_IS_HELD = 0x10, SITE_PAST = 0x20, SITE_ALIKE = 0x40, SITE_MORE = 0x80 };
static inline unsigned site_layers(const struct site *s)
{
	return s->layers & ~(unsigned)(SITE_IS_HELD | SITE_PAST | SITE_ALIKE | SITE_MORE);
}
/* Does it flap, and is held down: to be used when no other usable site is left? */
static inline bool site_is_held(const struct site *s) { return (s->layers & SITE_IS_HELD) != 0; }
/* Are all layers fine, and is it not held? */
static inline bool site_is_at_peace(const struct site *s)
{
	return (s->layers & ~(unsigned)(SITE_PAST | SITE_ALIKE | SITE_MORE)) == SITE_WHOLE;
}

/* True: the name has several sites, and all have RRsets of the same types. */
static inline bool site_is_alike(const struct site *s) { return (s->layers & SITE_ALIKE) != 0; }

/* True: as site_is_alike(), all of them are whole, and there is no fallback. */
static inline bool site_is_even(const struct site *s) { return s->is_even; }

/* NULL: all that it would say is 0. */
static inline const struct site_more *site_more(const struct site *s)
{
	return s->layers & SITE_MORE ? (const struct site_more *)(const void *)s - 1 : NULL;
}
/* NULL: it is as it always was. */
static inline const struct site_past *site_past(const struct site *s)
{
	const uint8_t *at =
		(const uint8_t *)s - (s->layers & SITE_MORE ? sizeof(struct site_more) : 0);

	return s->layers & SITE_PAST ? (const struct site_past *)(const void *)at - 1 : NULL;
}
/* Index for snapshot_site_waits(); 0: it has none. */
static inline uint32_t site_hold(const struct site *s)
{
	return site_more(s) != NULL ? site_more(s)->hold : 0;
}
/* Ready endpoints, damped, where the policy shares out by them; else 0. */
static inline uint16_t site_capacity(const struct site *s)
{
	return site_more(s) != NULL ? site_more(s)->capacity : 0;
}
/* Ready endpoints, of *endpoints; 0 of 0: no policy asks. */
static inline uint16_t site_ready(const struct site *s, uint16_t *endpoints)
{
	const struct site_more *more = site_more(s);

	*endpoints = more != NULL ? more->endpoints : 0;
	return more != NULL ? more->ready : 0;
}

/* Indexes for snapshot_probe_is_down(). */
static inline const uint32_t *site_probes(const struct site *s, size_t *count)
{
	*count = s->probes;
	return s->probe;
}

static inline const struct rrset *site_first_rrset(const struct site *s)
{
	return (const struct rrset *)(const void *)(s->probe + s->probes);
}

/* The site's RRset of a type, or its CNAME; NULL: none. */
static inline const struct rrset *site_rrset(const struct site *s, uint16_t type)
{
	return rrset_find(site_first_rrset(s), s->rrsets, type);
}

/* The i-th, by type; NULL past the last. */
static inline const struct rrset *site_rrset_at(const struct site *s, size_t i)
{
	return rrset_at(site_first_rrset(s), s->rrsets, i);
}

#endif
