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

RARE struct contest contest_of_equals(const struct node *n, const struct ranking *ranking,
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

ALWAYS static inline struct contest weigh(const struct node *n, const struct policy *policy,
                                          uint16_t group, uint64_t asker, const uint32_t *weight,
                                          bool is_capacity)
{
	struct entrants e = entrants_of(n, policy->ranking, group);
	struct contest c = {NULL, NULL};
	const struct site *site;
	uint64_t least = LOT_FOR_EVER;
	uint16_t cluster;

	while ((site = entrants_next(&e, &cluster)) != NULL) {
		uint64_t share = lot_weight_of(weight, policy, cluster);

		if (share == 0)
			continue;
		if (is_capacity)
			share *= lot_capacity(site);
		enter(&c, &least, site,
		      share_wait(lot_hash(asker, ranking_name_hash(policy->ranking, cluster)),
		                 share));
	}
	return c;
}

RARE struct contest contest_by_weight(const struct node *n, const struct policy *policy,
                                      uint16_t group, uint64_t asker, const uint32_t *weight)
{
	return weigh(n, policy, group, asker, weight, false);
}

RARE struct contest contest_by_capacity(const struct node *n, const struct policy *policy,
                                        uint16_t group, uint64_t asker, const uint32_t *weight)
{
	if (weight == NULL)
		return weigh(n, policy, group, asker, NULL, true);
	return weigh(n, policy, group, asker, weight, true);
}

RARE struct contest contest_while_shifted(struct lot *lot, uint16_t group)
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

bool choose_calmly(const struct choosing *how, struct choice *out)
{
	const struct policy *policy = snapshot_node_policy(how->s, how->node);

	if (policy->all)
		return choose_many_on_calm_day(how, policy, out) > 0;
	if (!choose_is_calm(how, policy))
		return false;
	*out = choose_on_calm_day(how, policy, true);
	return out->rrset != NULL;
}
