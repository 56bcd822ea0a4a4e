/* choose.h -- which of a name's sites answers a client (design.md 4).
 *
 * Pure and without allocation: a name's sites, the tables of the snapshot and the client
 * in, an RRset out.  Any worker.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CHOOSE_H
#define DNSD_CHOOSE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "dnsd/rare.h"
#include "dnsd/stats.h"
#include "zones/snapshot.h"

/* Hears how a decision is made; the answering path has none. */
struct recorder {
	/* Sites are about to be chosen from; called before the steps of that choice. */
	void (*on_choice)(void *arg, const struct node *node);
	/* One step ... */
	void (*on_step)(void *arg, const char *stage, const char *detail);
	/* ... and each site that it left. */
	void (*on_left)(void *arg, const struct site *site);
	void *arg;
	const struct ranking_asker *asker; /* NULL: orders are told without distances */
};

/* Who asks.  Prepared once per query; the leaf is worked out when first needed, and again for another ranking. */
struct client {
	const struct addr *source; /* of ECS the first address of the prefix, else the resolver's */
	const struct addr *resolver;
	bool has_scope; /* ECS with source > 0: an answer may say how far it holds */
	const struct ranking *placed_by; /* whose leaf it is; NULL: none is known */
	struct ranking_leaf leaf;        /* of the source, unmapped when it is the resolver's */
};

/* The recorder's detail when the client's order of clusters alone decided. */
#define CHOICE_BY_ORDER "the nearest site that has this type"

enum {
	CHOICE_UNION_MAX = 256,
	/* Of a union's records: a message of 65535 bytes has room for them, the question, OPT and a
	 * short chain before. */
	CHOICE_UNION_BYTES = 64000,
	CHOICE_FEW_ADDRESSES = 1000, /* so many of any sites fit */
	CHOICE_NO_CLUSTER = 0xffff
};

enum choice_refusal {
	CHOICE_IS_MADE = 0,
	CHOICE_NO_DATA, /* all sites are down, and the policy says so: no data, for anybody, for `ttl` */
	CHOICE_FORBIDDEN, /* the type is there, but at no site that this client may be sent to */
	CHOICE_NOT_READY /* the policy forbids some sites to some clients, and nobody knows yet which */
};

struct choice {
	const struct rrset
		*rrset; /* NULL: no data of that type, for anybody, unless `refusal` says more */
	uint32_t ttl;
	uint16_t cluster; /* the site that answers; CHOICE_NO_CLUSTER: several or none */
	uint16_t more;    /* RRsets written to `more` beside rrset (policy all): those that fit */
	uint16_t most;    /* addresses that the policy has told; 0: as defaults.maxAddresses */
	uint8_t scope;    /* bits of the client's address that decided; 0: none */
	uint8_t refusal;  /* enum choice_refusal; counts without rrset */
	enum stats_reason reason;
};

struct choosing {
	const struct snapshot *s;
	const struct node *node; /* has sites */
	const struct name
		*asked; /* what ties of place are hashed with; NULL: the node's own name */
	uint16_t type;
	struct client *client;
	/* Takes further RRsets of the same type, whose records belong to the same answer. */
	const struct rrset **more;  /* room for CHOICE_UNION_MAX */
	const struct recorder *rec; /* or NULL */
};

/* A number that all addresses of a client's bucket (design.md 4) share; its length is the policy's, in bits of the source. */
struct client_bucket {
	uint64_t number;
	unsigned bits;
};
struct client_bucket client_bucket_of(const struct addr *source, bool has_scope,
                                      const struct policy *policy);
static inline uint64_t client_bucket_ipv4(const uint8_t bytes[4], unsigned bits)
{
	uint32_t first;

	memcpy(&first, bytes, sizeof first);
	return UINT64_C(4) << 32 | be32toh(first) >> (32 - bits);
}
/* Its number alone, for which it makes no difference whether the address is a mapped one. */
static inline uint64_t client_bucket_number(const struct addr *source, const struct policy *policy)
{
	if (rarely(source->family != ADDR_IPV4))
		return client_bucket_of(source, true, policy).number;
	return client_bucket_ipv4(source->bytes, policy->bucket_ipv4);
}
static inline struct client_bucket client_bucket(const struct addr *source, bool has_scope,
                                                 const struct policy *policy)
{
	unsigned bits = policy->bucket_ipv4;

	if (rarely(source->family != ADDR_IPV4))
		return client_bucket_of(source, has_scope, policy);
	return (struct client_bucket){client_bucket_ipv4(source->bytes, bits), bits};
}

/* The TTL of an answer with that site, whose RRset has `ttl`. */
uint32_t choose_ttl(const struct snapshot *s, const struct policy *policy, const struct site *site,
                    uint32_t ttl, bool is_degraded);

/* The answer of a name with sites to a type. */
void choose(const struct choosing *how, struct choice *out);

/* --- its pieces, for the answering path --- */

/* Of a client without a scope of its own, whose address may be a mapped one. */
struct ranking_leaf choose_place_resolver(const struct ranking *ranking,
                                          const struct addr *resolver);

static inline struct ranking_leaf choose_place(const struct ranking *ranking,
                                               const struct client *c)
{
	if (c->placed_by == ranking)
		return c->leaf;
	return c->has_scope ? ranking_find(ranking, c->source)
	                    : choose_place_resolver(ranking, c->source);
}

static inline bool site_has_address(const struct site *site)
{
	return site_rrset(site, RR_A) != NULL || site_rrset(site, RR_AAAA) != NULL;
}

/* Does another site have the type?  `site` has it itself. */
static inline bool choose_another_has_type(const struct node *n, const struct site *site,
                                           uint16_t type)
{
	if (site_is_alike(site))
		return true;
	for (size_t i = 0, count = node_site_count(n); i < count; i++)
		if (node_site(n, i) != site && site_rrset(node_site(n, i), type) != NULL)
			return true;
	return false;
}

/* On a calm day, whatever the policy and however clients are shifted, without a look at every site.  False: it is not that simple. */
bool choose_calmly(const struct choosing *how, struct choice *out);

#endif
