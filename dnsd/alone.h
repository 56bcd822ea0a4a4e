/* alone.h -- an answer that is one RRset of the name and type asked for: what nearly all are (docs/decisions/0015).
 *
 * Part of answer_decide(), which has the steps that any other takes; inline, so that it is one with them.  Pure.  Any worker.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ALONE_H
#define DNSD_ALONE_H

#include <stdbool.h>
#include <stdint.h>

#include "dnsd/answer.h"
#include "dnsd/choose_calm.h"
#include "dnsd/rare.h"
#include "dnsd/terms.h"
#include "zones/snapshot.h"

/* May the resolver ask for names of this zone? */
static inline bool answer_is_admitted(const struct snapshot *s, const struct zone *zone,
                                      const struct addr *resolver)
{
	return terms_admit(snapshot_terms(s), zone_apex(zone), resolver);
}

/* See answer_is_by_subnet(). */
static inline bool alone_is_by_subnet(const struct snapshot *s, const struct query *q,
                                      const struct addr *resolver)
{
	return q->edns.ecs.present && q->edns.ecs.source > 0 &&
	       terms_believe(snapshot_terms(s), resolver);
}

ALWAYS static inline struct client answer_client(const struct snapshot *s, const struct query *q,
                                                 const struct addr *resolver)
{
	bool has_scope = alone_is_by_subnet(s, q, resolver);

	return (struct client){.source = has_scope ? &q->edns.ecs.addr : resolver,
	                       .resolver = resolver,
	                       .has_scope = has_scope};
}

/* May this type be all of an answer: no other records are to be found for it, and none of its names is to be shortened? */
static inline bool alone_may(uint16_t type)
{
	static const uint64_t others = 1ULL << RR_NS | 1ULL << RR_CNAME | 1ULL << RR_SOA |
	                               1ULL << RR_PTR | 1ULL << RR_MX | 1ULL << RR_SRV |
	                               1ULL << RR_DNAME | 1ULL << RR_DS;

	return type < 64 && (others >> type & 1) == 0;
}

static inline bool alone_is_address(uint16_t type) { return type == RR_A || type == RR_AAAA; }

/* Is it the type that was asked for, and all of it told? */
static inline bool alone_fits(const struct snapshot *s, const struct query *q,
                              const struct choice *c)
{
	unsigned most = c->most != 0 ? c->most : snapshot_most_addresses(s);

	return c->rrset->type == q->type && c->rrset->count <= most;
}

ALWAYS static inline void alone_put(struct answer *out, const struct query *q,
                                    const struct zone *zone, const struct node *n, struct choice c)
{
	out->rcode = RCODE_NOERROR;
	out->ede = EDE_NONE;
	out->reason = c.reason;
	out->set_count = 1;
	out->authority_count = out->glue_count = out->glue_required = out->link_count = 0;
	out->glue_missing = false;
	out->authoritative = out->stands_alone = true;
	out->scope = c.scope;
	out->cluster = c.cluster;
	out->zone = zone;
	out->origin = n;
	out->qname = q->packet + DNS_HEADER_LEN;
	out->denial = NULL;
	out->set[0] = (struct answer_set){.owner = out->qname, .rrset = c.rrset, .ttl = c.ttl};
}

/* Of a node with sites, when choose_at_once() does not say it: as alone_answer().  Takes what is in registers anyway
 * and makes the rest anew, so that those who need less have nothing in memory. */
bool alone_answer_farther(const struct snapshot *s, const struct query *q,
                          const struct addr *resolver, const struct zone *zone,
                          const struct node *n, struct answer *out);

/* The stage `all`: to the first site, which has been put, those that are told beside it.  False: it is not that simple, and `out` is to
 * be made anew. */
bool alone_add_others(const struct snapshot *s, const struct query *q, const struct node *n,
                      struct answer *out, const struct policy *policy,
                      const struct ranking_order *order);

/* Of a node without fixed RRsets: as alone_answer(). */
ALWAYS static inline bool alone_answer_by_site(const struct snapshot *s, const struct query *q,
                                               const struct addr *resolver, const struct zone *zone,
                                               const struct node *n, struct answer *out)
{
	struct client client = answer_client(s, q, resolver);
	/* The name is the node's own. */
	struct choosing how = {s, n, NULL, q->type, &client, NULL, NULL};
	const struct policy *policy = choose_quiet_policy(s, n);
	struct choice c;

	if (rarely(snapshot_any_unseen(s)))
		return false;
	if (rarely(policy == NULL))
		return alone_answer_farther(s, q, resolver, zone, n, out);
	c = choose_at_once(&how, policy);
	if (rarely(c.rrset == NULL))
		return alone_answer_farther(s, q, resolver, zone, n, out);
	if (rarely(!alone_fits(s, q, &c)))
		return false;
	alone_put(out, q, zone, n, c);
	if (rarely(policy->all))
		return alone_add_others(s, q, n, out, policy, client.leaf.order);
	return true;
}

/* The answer, when it is one: `n` is what zone_find_node() says of the name in `zone`.  False: it is not that simple, and `out` is to
 * be made anew. */
ALWAYS static inline bool alone_answer(const struct snapshot *s, const struct query *q,
                                       const struct addr *resolver, const struct zone *zone,
                                       const struct node *n, struct answer *out)
{
	struct choice c = {.cluster = CHOICE_NO_CLUSTER, .reason = STATS_FIXED};

	if (rarely(!zone_is_found(n) || zone_is_incomplete(zone) || !alone_may(q->type) ||
	           !answer_is_admitted(s, zone, resolver)))
		return false;
	if (!node_has_fixed(n))
		return alone_answer_by_site(s, q, resolver, zone, n, out);
	c.rrset = node_rrset(n, q->type);
	if (rarely(c.rrset == NULL) || rarely(!alone_fits(s, q, &c)))
		return false;
	c.ttl = c.rrset->ttl;
	alone_put(out, q, zone, n, c);
	return true;
}

/* Is what the steps have found all of an answer? */
static inline bool alone_is_all(const struct query *q, const struct answer *out)
{
	const struct answer_set *set = &out->set[0];

	return out->rcode == RCODE_NOERROR && out->ede == EDE_NONE && out->set_count == 1 &&
	       out->authority_count == 0 && out->glue_count == 0 && set->from == 0 &&
	       set->owner == out->qname && set->rrset->type == q->type && alone_may(q->type) &&
	       (set->more == 0 || alone_is_address(q->type));
}

#endif
