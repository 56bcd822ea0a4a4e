/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose_calm.h"

/* A walk over those clusters of a group that have a site of the name: both are by name, so a search that is needed goes on where the
 * last one ended. */
struct entrants {
	const struct node *node;
	const struct node_sites *sites;
	const struct ranking_near *next;
	size_t at;
};

ALWAYS static inline struct entrants entrants_of(const struct node *n,
                                                 const struct ranking *ranking, uint16_t group)
{
	return (struct entrants){n, node_sites(n), ranking_members(ranking, group), 0};
}

/* NULL: there are no more. */
ALWAYS static inline const struct site *entrants_next(struct entrants *e, uint16_t *cluster)
{
	const struct site *site = NULL;

	while (site == NULL && e->next->cluster != RANKING_NO_CLUSTER) {
		*cluster = e->next->cluster;
		site = node_sites_at_number(e->sites, *cluster, e->next->number);
		if (rarely(site == NULL))
			site = node_find_site_from(e->node, *cluster, &e->at);
		e->next++;
	}
	return site;
}

ALWAYS static inline void enter(struct contest *c, uint64_t *least, const struct site *site,
                                uint64_t wait)
{
	if (wait >= *least) {
		c->beaten = site;
		return;
	}
	c->beaten = c->best;
	c->best = site;
	*least = wait;
}

/* --- of one place --- */

/* Who of a group has the client, by weights.  `asker`: lot_hash_asker(). */
ALWAYS static inline struct contest weigh(const struct node *n, const struct ranking *ranking,
                                          uint16_t group, const uint32_t *weight, uint64_t asker,
                                          bool is_capacity)
{
	const uint64_t *name_hash = ranking_name_hashes(ranking);
	struct entrants e = entrants_of(n, ranking, group);
	struct contest c = {NULL, NULL};
	const struct site *site;
	uint64_t least = LOT_FOR_EVER;
	uint16_t cluster;

	while ((site = entrants_next(&e, &cluster)) != NULL) {
		uint64_t share = lot_weight_at(weight, cluster);

		if (share == 0)
			continue;
		if (is_capacity)
			share *= lot_capacity(site);
		enter(&c, &least, site, share_wait(lot_hash(asker, name_hash[cluster]), share));
	}
	return c;
}

/* Calls, and not inline, so that each has all registers.  `weight` NULL: all are alike. */
RARE static struct contest draw_by_capacity(const struct node *n, const struct ranking *ranking,
                                            uint16_t group, const uint32_t *weight, uint64_t asker)
{
	if (weight == NULL)
		return weigh(n, ranking, group, NULL, asker, true);
	return weigh(n, ranking, group, weight, asker, true);
}

RARE static struct contest draw_by_weight(const struct node *n, const struct ranking *ranking,
                                          uint16_t group, const uint32_t *weight, uint64_t asker)
{
	return weigh(n, ranking, group, weight, asker, false);
}

RARE static struct contest draw_among_equals(const struct node *n, const struct ranking *ranking,
                                             uint16_t group, uint64_t asker)
{
	struct entrants e = entrants_of(n, ranking, group);
	struct contest c = {NULL, NULL};
	const struct site *site;
	uint64_t least = LOT_FOR_EVER;
	uint16_t cluster;

	while ((site = entrants_next(&e, &cluster)) != NULL)
		enter(&c, &least, site,
		      lot_wait_of_equal(lot_hash(asker, ranking_name_hash(ranking, cluster))));
	return c;
}

/* --- down the order --- */

ALWAYS static inline struct contest draw(const struct node *n, const struct policy *policy,
                                         const struct ranking_order *order, uint16_t group,
                                         uint64_t asker)
{
	const uint32_t *weight = lot_weights(policy, order);

	if (policy->is_capacity)
		return draw_by_capacity(n, policy->ranking, group, weight, asker);
	if (weight != NULL)
		return draw_by_weight(n, policy->ranking, group, weight, asker);
	return draw_among_equals(n, policy->ranking, group, asker);
}

RARE struct contest contest_find(const struct node *n, const struct policy *policy,
                                 const struct ranking_order *order, const struct addr *source,
                                 const struct name *asked)
{
	const uint32_t *weight = lot_weights(policy, order);
	const struct ranking_near *at = order->nearest;
	uint64_t bucket = client_bucket_number(source, policy);
	uint64_t asker = lot_hash_asker(bucket, lot_of_name(n, asked));
	struct contest c = {NULL, NULL};

	for (; c.best == NULL && at->cluster != RANKING_NO_CLUSTER; at++) {
		if ((at->cluster & RANKING_GROUP) != 0)
			c = draw(n, policy, order, at->cluster, asker);
		else if (lot_weight_at(weight, at->cluster) > 0)
			c.best = node_find_site(n, at->cluster);
	}
	return c;
}

RARE struct contest contest_begin(const struct node *n, const struct policy *policy,
                                  const struct ranking_order *order, const struct addr *source,
                                  const struct name *asked)
{
	uint16_t place = order->nearest[0].cluster;
	uint64_t bucket;

	/* Calls nobody but who ends it, so that nothing has to be put aside. */
	if (!ranking_is_group(place) || source->family != ADDR_IPV4 || asked != NULL)
		return contest_find(n, policy, order, source, asked);
	bucket = client_bucket_ipv4(source->bytes, policy->bucket_ipv4);
	return draw(n, policy, order, place, lot_hash_asker(bucket, node_lot(n)));
}

static struct contest draw_while_shifted(struct lot *lot, uint16_t group)
{
	const struct ranking *ranking = lot->policy->ranking;
	struct entrants e = entrants_of(lot->how->node, ranking, group);
	struct contest c = {NULL, NULL};
	const struct site *site;
	uint64_t least = LOT_FOR_EVER;
	uint16_t cluster;

	lot_draw(lot);
	while ((site = entrants_next(&e, &cluster)) != NULL) {
		uint64_t weight = lot_weight(lot, site);

		if (weight > 0 && !lot_is_withheld(lot, site))
			enter(&c, &least, site,
			      lot_wait(lot, ranking_name_hash(ranking, cluster), weight));
	}
	return c;
}

RARE struct contest contest_find_shifted(struct lot *lot)
{
	const struct ranking_near *at = lot->how->client->leaf.order->nearest;
	struct contest c = {NULL, NULL};

	for (; c.best == NULL && at->cluster != RANKING_NO_CLUSTER; at++) {
		const struct site *site;

		if ((at->cluster & RANKING_GROUP) != 0) {
			c = draw_while_shifted(lot, at->cluster);
			continue;
		}
		site = node_find_site(lot->how->node, at->cluster);
		if (site != NULL && lot_has_weight(lot, at->cluster) && !lot_is_withheld(lot, site))
			c.best = site;
	}
	return c;
}

/* --- whatever the policy --- */

RARE struct choice choose_on_calm_day(const struct choosing *how, const struct policy *policy)
{
	bool any_shifted = snapshot_head(how->s)->any_shifted;
	struct choice choice = {.most = policy->max_addresses, .reason = STATS_NEAREST};
	struct contest c;
	struct lot lot;

	choose_place_by(policy, how->client);
	lot_init(&lot, how, policy);
	c = any_shifted ? contest_find_shifted(&lot)
	                : contest_find(how->node, policy, how->client->leaf.order,
	                               how->client->source, how->asked);
	choice.rrset = c.best != NULL ? contest_rrset(&c, how) : NULL;
	if (choice.rrset == NULL)
		return choice;
	choice.cluster = site_cluster(c.best);
	choice.ttl = choose_ttl(how->s, policy, c.best, choice.rrset->ttl, false);
	choice.scope = contest_scope(&c, how, policy);
	if (any_shifted)
		choice.scope =
			lot_scope(&lot, choose_another_has_type(how->node, c.best, how->type),
		                  c.beaten != NULL);
	return choice;
}

bool choose_calmly(const struct choosing *how, struct choice *out)
{
	const struct policy *policy = snapshot_node_policy(how->s, how->node);

	if (policy->all)
		return choose_many_on_calm_day(how, policy, out) > 0;
	if (!choose_is_calm(how, policy))
		return false;
	*out = choose_on_calm_day(how, policy);
	return out->rrset != NULL;
}
