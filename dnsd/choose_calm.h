/* choose_calm.h -- the decision at once: while nothing is in trouble, few sites need to be looked at.
 *
 * Inline, for the two places that decide so: choose(), and answers that stand alone.  Pure.  Any worker.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CHOOSE_CALM_H
#define DNSD_CHOOSE_CALM_H

#include "dnsd/choose_inside.h"

/* Those of one place that may have the client.  Whether they can be sent to is looked at in the end, of the best and of the one
 * that it beat last: if both can, they would be the best and in a tie without any others. */
struct contest {
	const struct site *best, *beaten; /* NULL: none */
};

/* Of the group that the order begins with; best NULL also when others of the order are to be looked at.  Where it begins otherwise, as
 * contest_find(). */
struct contest contest_begin(const struct node *n, const struct policy *policy,
                             const struct ranking_order *order, const struct addr *source,
                             const struct name *asked);
/* Of the first place with somebody who may have the client. */
struct contest contest_find(const struct node *n, const struct policy *policy,
                            const struct ranking_order *order, const struct addr *source,
                            const struct name *asked);
/* The same while some clusters must not have all of their clients. */
struct contest contest_find_shifted(struct lot *lot);

/* May the site answer on a calm day when it has the type, whatever others there are? */
ALWAYS static inline bool choose_is_simple(const struct choosing *how, const struct site *site)
{
	if (rarely(!site_is_even(site)))
		return snapshot_site_is_whole(how->s, site) &&
		       (node_fallback(how->node) == NULL || site_has_address(site));
	return snapshot_cluster(how->s, site_cluster(site)) != NULL;
}

/* Has that site the type? */
ALWAYS static inline bool choose_has_type(const struct choosing *how, const struct site *site)
{
	return site_is_even(site) || site_rrset(site, how->type) != NULL;
}

/* The RRset of the best; NULL: it is not that simple. */
ALWAYS static inline const struct rrset *contest_rrset(const struct contest *c,
                                                       const struct choosing *how)
{
	const struct rrset *rrset = site_rrset(c->best, how->type);

	if (rarely(rrset == NULL || !choose_is_simple(how, c->best)))
		return NULL;
	if (c->beaten != NULL &&
	    rarely(!choose_is_simple(how, c->beaten) || !choose_has_type(how, c->beaten)))
		return NULL;
	return rrset;
}

ALWAYS static inline uint8_t contest_scope(const struct contest *c, const struct choosing *how,
                                           const struct policy *policy)
{
	const struct client *client = how->client;
	unsigned depth = client->leaf.depth, bits;

	if (!client->has_scope ||
	    (!choose_another_has_type(how->node, c->best, how->type) && !policy->has_fence))
		return 0;
	if (c->beaten == NULL)
		return (uint8_t)depth;
	bits = client_bucket(client->source, client->has_scope, policy).bits;
	return (uint8_t)(depth < bits ? bits : depth);
}

/* Is the choice one that does not look at every site? */
ALWAYS static inline bool choose_is_calm(const struct choosing *how, const struct policy *policy)
{
	const struct snapshot_head *head = snapshot_head(how->s);

	return head->is_calm && node_site_count(how->node) >= 2 && !policy->all &&
	       !policy->must_wait && !(head->any_waiting && policy->has_failback);
}

/* The policy of a name with several sites, when today order and weights alone decide; else NULL. */
ALWAYS static inline const struct policy *choose_quiet_policy(const struct snapshot *s,
                                                              const struct node *n)
{
	const struct snapshot_head *head = snapshot_head(s);
	const struct policy *policy;

	if (rarely(node_site_count(n) < 2))
		return NULL;
	if (!node_has_policy(n))
		return head->first_site_answers ? &head->preset : NULL;
	policy = snapshot_node_policy(s, n);
	return head->is_quiet && !(policy->must_wait | policy->resolver_when_unknown) ? policy
	                                                                              : NULL;
}

/* The place that the client's order begins with is a cluster that has a site: it answers, and the others need not be looked at.
 * Else others do, if that is simple. */
ALWAYS static inline struct contest choose_first(const struct choosing *how,
                                                 const struct policy *policy)
{
	const struct ranking_order *order = how->client->leaf.order;
	const uint32_t *weight = lot_weights(policy, order);
	struct ranking_near nearest = order->nearest[0];
	const struct site *site = node_site_at_number(how->node, nearest.cluster, nearest.number);

	if (rarely(site == NULL) || rarely(lot_weight_at(weight, nearest.cluster) == 0)) {
		if (policy->all)
			return (struct contest){NULL, NULL};
		return contest_begin(how->node, policy, order, how->client->source, how->asked);
	}
	return (struct contest){site, NULL};
}

/* When choose_is_calm(): also while clusters must not have all of their clients, or those that nobody knows are where their resolver
 * is.  rrset NULL: it is not that simple. */
struct choice choose_on_calm_day(const struct choosing *how, const struct policy *policy);

/* The first site, whoever else is told, by choose_quiet_policy().  rrset NULL: it is not that simple. */
ALWAYS static inline struct choice choose_at_once(const struct choosing *how,
                                                  const struct policy *policy)
{
	static const struct choice none;
	struct choice choice = {.reason = STATS_NEAREST};
	struct contest c;

	how->client->leaf = choose_place(policy->ranking, how->client);
	how->client->placed_by = policy->ranking;
	c = choose_first(how, policy);
	if (rarely(c.best == NULL))
		return none;
	choice.rrset = contest_rrset(&c, how);
	if (rarely(choice.rrset == NULL))
		return none;
	choice.ttl = policy->ttl != 0 ? policy->ttl : choice.rrset->ttl;
	choice.cluster = site_cluster(c.best);
	choice.most = policy->max_addresses;
	choice.scope = contest_scope(&c, how, policy);
	return choice;
}

/* Of the answer of several sites those behind the first: as many as may be told. */
struct others {
	unsigned count, records;
	uint32_t ttl; /* the least of theirs */
};

/* Down the order, whose first place is a cluster that is told; all sites are whole and alike.  Their RRsets, of addresses, are written
 * to `more`.  False: it is not that simple. */
ALWAYS static inline bool others_find(struct others *o, const struct snapshot *s,
                                      const struct node *n, const struct policy *policy,
                                      const struct ranking_order *order, uint16_t type,
                                      const struct rrset **more)
{
	const uint32_t *weight = lot_weights(policy, order);
	const struct node_sites *sites = node_sites(n);
	const struct ranking_near *at = order->nearest + 1;
	/* 0 stands for all. */
	unsigned room = (uint16_t)(policy->max_addresses - 1);

	*o = (struct others){.ttl = UINT32_MAX};
	for (; o->count < room; at++) {
		const struct site *site;
		const struct rrset *rrset;

		if ((at->cluster & RANKING_GROUP) != 0)
			return at->cluster == RANKING_NO_CLUSTER && o->count + 1 == sites->count;
		if (rarely(lot_weight_at(weight, at->cluster) == 0) ||
		    (policy->narrowing != 0 &&
		     !choose_is_as_good(policy, order, at->cluster, order->nearest[0].cluster)))
			continue;
		site = node_sites_at_number(sites, at->cluster, at->number);
		if (rarely(site == NULL || !site_is_even(site) ||
		           snapshot_cluster(s, at->cluster) == NULL))
			return false;
		rrset = site_rrset(site, type);
		if (rarely(rrset == NULL || rrset->type != type))
			return false;
		more[o->count++] = rrset;
		o->records += rrset->count;
		o->ttl = rrset->ttl < o->ttl ? rrset->ttl : o->ttl;
	}
	return true;
}

#endif
