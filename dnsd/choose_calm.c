/* choose_calm.c -- the decision at once: while nothing is in trouble, few sites need to be looked at. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose_inside.h"

/* A site that has the type, and can be sent to on a calm day; else nothing is that simple. */
ALWAYS static inline bool is_candidate(const struct choosing *how, const struct site *site)
{
	return site_rrset(site, how->type) != NULL && choose_is_simple(how, site);
}

/* The site of the next of these clusters that has one, NULL: none has.  Both lists are by name, so the search goes on where
 * it was. */
ALWAYS static inline const struct site *next_site(const struct node *n, const uint16_t **member,
                                                  size_t *at)
{
	const struct site *site = NULL;

	while (site == NULL && **member != RANKING_NO_CLUSTER)
		site = node_find_site_from(n, *(*member)++, at);
	return site;
}

/* Those of one place that may have the client.  Whether they can be sent to is looked at in the end, of the best and of the one
 * that it beat last: if both can, they would be the best and in a tie without any others. */
struct contest {
	const struct site *best, *beaten; /* NULL: none yet */
	uint64_t score;                   /* of best, once there was another */
};

ALWAYS static inline void enter(struct contest *c, struct lot *lot, const struct site *site,
                                uint64_t weight)
{
	uint64_t score;

	if (c->best == NULL) {
		c->best = site;
		return;
	}
	if (c->beaten == NULL) {
		if (!lot->is_drawn)
			lot_draw(lot);
		c->score = lot_score(lot, c->best, lot_weight(lot, c->best));
	}
	score = lot_score(lot, site, weight);
	c->beaten = site;
	if (score > c->score) {
		c->beaten = c->best;
		c->best = site;
		c->score = score;
	}
}

/* The RRset of the best; NULL: it is not that simple. */
ALWAYS static inline const struct rrset *decide(const struct contest *c, const struct choosing *how)
{
	if (c->beaten != NULL && !is_candidate(how, c->beaten))
		return NULL;
	return is_candidate(how, c->best) ? site_rrset(c->best, how->type) : NULL;
}

/* Among the sites of clusters that count as one place. */
enum group { GROUP_DONE, GROUP_NOBODY /* has a site there */, GROUP_NOT_SIMPLE };

static enum group choose_in_group(const struct choosing *how, uint16_t group, struct choice *out)
{
	const struct policy *policy = &snapshot_head(how->s)->preset;
	const uint16_t *member = ranking_members(policy->ranking, group);
	struct lot lot = {.how = how, .policy = policy};
	struct contest c = {NULL, NULL, 0};
	const struct rrset *rrset;
	const struct site *site;
	size_t at = 0;

	while ((site = next_site(how->node, &member, &at)) != NULL)
		enter(&c, &lot, site, 1);
	if (c.best == NULL)
		return GROUP_NOBODY;
	rrset = decide(&c, how);
	if (rrset == NULL)
		return GROUP_NOT_SIMPLE;
	*out = choose_site(how, c.best, rrset);
	if (how->client->has_scope && out->scope < lot.bits)
		out->scope = (uint8_t)lot.bits;
	return GROUP_DONE;
}

static struct choice choose_down(const struct choosing *how)
{
	static const struct choice none;
	const struct ranking_near *at = how->client->leaf.order->nearest;
	const struct site *site = NULL;
	struct choice c;

	for (; site == NULL; at++) {
		if (at->cluster == RANKING_NO_CLUSTER)
			return none;
		if ((at->cluster & RANKING_GROUP) == 0) {
			site = node_find_site(how->node, at->cluster);
		} else {
			enum group found = choose_in_group(how, at->cluster, &c);

			if (found != GROUP_NOBODY)
				return found == GROUP_DONE ? c : none;
		}
	}
	if (!is_candidate(how, site))
		return none;
	return choose_site(how, site, site_rrset(site, how->type));
}

RARE struct choice choose_farther(struct choosing how, struct client client)
{
	/* Copies, so that the caller's need not be in memory. */
	how.client = &client;
	return choose_down(&how);
}

/* --- by a policy --- */

ALWAYS static inline void enter_by_policy(struct contest *c, struct lot *lot,
                                          const struct site *site, bool any_shifted)
{
	uint64_t weight = lot_weight(lot, site);

	if (weight > 0 && !(any_shifted && lot_is_withheld(lot, site)))
		enter(c, lot, site, weight);
}

RARE static void contest_in(struct contest *c, struct lot *lot, uint16_t group, bool any_shifted)
{
	const uint16_t *member = ranking_members(lot->policy->ranking, group);
	const struct site *site;
	size_t at = 0;

	while ((site = next_site(lot->how->node, &member, &at)) != NULL)
		enter_by_policy(c, lot, site, any_shifted);
}

/* The first place on the way down the client's order where somebody may have the client. */
ALWAYS static inline void find_place(struct contest *c, struct lot *lot, bool any_shifted)
{
	const struct ranking_near *at = lot->how->client->leaf.order->nearest;

	for (; c->best == NULL && at->cluster != RANKING_NO_CLUSTER; at++) {
		const struct site *site;

		if ((at->cluster & RANKING_GROUP) != 0) {
			contest_in(c, lot, at->cluster, any_shifted);
			continue;
		}
		site = node_site_at_number(lot->how->node, at->cluster, at->number);
		if (site == NULL)
			site = node_find_site(lot->how->node, at->cluster);
		if (site != NULL && lot_has_weight(lot, at->cluster) &&
		    !(any_shifted && lot_is_withheld(lot, site)))
			c->best = site;
	}
}

ALWAYS static inline bool decide_calmly(const struct choosing *how, struct choice *out)
{
	const struct snapshot_head *head = snapshot_head(how->s);
	struct contest c = {NULL, NULL, 0};
	const struct policy *policy;
	const struct rrset *rrset;
	struct lot lot;

	if (!head->is_calm || node_site_count(how->node) < 2 ||
	    (!node_has_policy(how->node) && !head->any_shifted))
		return false;
	policy = snapshot_node_policy(how->s, how->node);
	if (policy->all || policy->must_wait || (head->any_waiting && policy->has_failback))
		return false;
	choose_place_by(policy, how->client);
	lot_init(&lot, how, policy);
	find_place(&c, &lot, head->any_shifted);
	rrset = c.best != NULL ? decide(&c, how) : NULL;
	if (rrset == NULL)
		return false;
	out->rrset = rrset;
	out->ttl = policy->ttl != 0 ? policy->ttl : rrset->ttl;
	if (head->any_shifted)
		out->ttl = choose_ttl(how->s, policy, c.best, rrset->ttl, false);
	out->cluster = site_cluster(c.best);
	out->more = 0;
	out->most = policy->max_addresses;
	out->scope = 0;
	if (how->client->has_scope &&
	    (policy->has_fence || choose_another_has_type(how->node, c.best, how->type)))
		out->scope = c.beaten == NULL && !head->any_shifted
		                     ? how->client->leaf.depth
		                     : lot_scope(&lot, true, c.beaten != NULL);
	out->refusal = CHOICE_IS_MADE;
	out->reason = STATS_NEAREST;
	return true;
}

bool choose_calmly(const struct choosing *how, struct choice *out)
{
	return decide_calmly(how, out);
}

RARE struct choice choose_otherwise(struct choosing how, struct client client)
{
	static const struct choice none;
	struct choice c;

	how.client = &client;
	if (!decide_calmly(&how, &c) || (c.most != 0 && c.rrset->count > c.most))
		return none;
	return c;
}
