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

/* Among a group: all alike, by weight, by capacity (weight NULL: of those that are alike).  Calls, and not inline, so that they have all
 * registers.  `asker`: lot.asker. */
struct contest contest_of_equals(const struct node *n, const struct ranking *ranking,
                                 uint16_t group, uint64_t asker);
struct contest contest_by_weight(const struct node *n, const struct policy *policy, uint16_t group,
                                 uint64_t asker, const uint32_t *weight);
struct contest contest_by_capacity(const struct node *n, const struct policy *policy,
                                   uint16_t group, uint64_t asker, const uint32_t *weight);
/* Any of these, while some clusters must not have all of their clients. */
struct contest contest_while_shifted(struct lot *lot, uint16_t group);

ALWAYS static inline struct contest contest_hold(struct lot *lot, uint16_t group, bool any_shifted)
{
	const struct node *n = lot->how->node;

	if (any_shifted)
		return contest_while_shifted(lot, group);
	lot_draw(lot);
	if (lot->policy->is_capacity)
		return contest_by_capacity(n, lot->policy, group, lot->asker, lot->weight);
	if (lot->weight != NULL)
		return contest_by_weight(n, lot->policy, group, lot->asker, lot->weight);
	return contest_of_equals(n, lot->policy->ranking, group, lot->asker);
}

/* The first place on the way down the client's order where somebody may have the client. */
ALWAYS static inline struct contest contest_find(struct lot *lot, bool any_shifted)
{
	const struct ranking_near *at = lot->how->client->leaf.order->nearest;
	const struct node *n = lot->how->node;
	struct contest c = {NULL, NULL};

	for (; c.best == NULL && at->cluster != RANKING_NO_CLUSTER; at++) {
		const struct site *site;

		if ((at->cluster & RANKING_GROUP) != 0) {
			c = contest_hold(lot, at->cluster, any_shifted);
			continue;
		}
		site = node_sites_at_number(node_sites(n), at->cluster, at->number);
		if (rarely(site == NULL))
			site = node_find_site(n, at->cluster);
		if (site != NULL && lot_has_weight(lot, at->cluster) &&
		    !(any_shifted && lot_is_withheld(lot, site)))
			c.best = site;
	}
	return c;
}

/* May clients be sent there, and is the type there? */
ALWAYS static inline bool contest_is_usable(const struct site *site, const struct choosing *how)
{
	if (!site_is_even(site))
		return choose_is_simple(how, site) && site_rrset(site, how->type) != NULL;
	return snapshot_cluster(how->s, site_cluster(site)) != NULL;
}

/* The RRset of the best; NULL: it is not that simple. */
ALWAYS static inline const struct rrset *contest_rrset(const struct contest *c,
                                                       const struct choosing *how)
{
	if (c->best == NULL || !contest_is_usable(c->best, how) ||
	    (c->beaten != NULL && !contest_is_usable(c->beaten, how)))
		return NULL;
	return site_rrset(c->best, how->type);
}

ALWAYS static inline unsigned contest_scope(const struct contest *c, const struct choosing *how,
                                            struct lot *lot, bool any_shifted)
{
	unsigned depth = how->client->leaf.depth;

	if (!how->client->has_scope ||
	    (!lot->policy->has_fence && !choose_another_has_type(how->node, c->best, how->type)))
		return 0;
	if (any_shifted)
		return lot_scope(lot, true, c->beaten != NULL);
	return c->beaten != NULL && depth < lot->bucket.bits ? lot->bucket.bits : depth;
}

/* Is the choice one that does not look at every site? */
ALWAYS static inline bool choose_is_calm(const struct choosing *how, const struct policy *policy)
{
	const struct snapshot_head *head = snapshot_head(how->s);

	return head->is_calm && node_site_count(how->node) >= 2 && !policy->all &&
	       !policy->must_wait && !(head->any_waiting && policy->has_failback);
}

/* That, and order and weights decide alone: no cluster must be without some clients, and none is where his resolver is. */
ALWAYS static inline bool choose_is_quiet(const struct choosing *how, const struct policy *policy)
{
	return snapshot_head(how->s)->is_quiet && node_site_count(how->node) >= 2 &&
	       !(policy->all | policy->must_wait | policy->resolver_when_unknown);
}

/* When choose_is_quiet(), or, is_involved, choose_is_calm().  rrset NULL: it is not that simple. */
ALWAYS static inline struct choice choose_on_calm_day(const struct choosing *how,
                                                      const struct policy *policy, bool is_involved)
{
	static const struct choice none;
	bool any_shifted = is_involved && snapshot_head(how->s)->any_shifted;
	const struct rrset *rrset;
	struct contest c;
	struct lot lot;
	uint32_t ttl;

	how->client->leaf = choose_place(policy->ranking, how->client);
	how->client->placed_by = policy->ranking;
	if (is_involved && policy->resolver_when_unknown)
		choose_place_as_resolver(policy, how->client);
	lot_init(&lot, how, policy);
	c = contest_find(&lot, any_shifted);
	rrset = contest_rrset(&c, how);
	if (rarely(rrset == NULL))
		return none;
	ttl = policy->ttl != 0 ? policy->ttl : rrset->ttl;
	if (any_shifted)
		ttl = choose_ttl(how->s, policy, c.best, rrset->ttl, false);
	return (struct choice){.rrset = rrset,
	                       .ttl = ttl,
	                       .cluster = site_cluster(c.best),
	                       .most = policy->max_addresses,
	                       .scope = (uint8_t)contest_scope(&c, how, &lot, any_shifted),
	                       .reason = STATS_NEAREST};
}

#endif
