/* alone.c -- what stands alone, but takes more than one look at the client's order. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/alone.h"

RARE bool alone_answer_farther(const struct snapshot *s, const struct query *q,
                               const struct addr *resolver, const struct zone *zone,
                               const struct node *n, struct answer *out)
{
	struct client client = answer_client(s, q, resolver);
	/* The name is the node's own. */
	struct choosing how = {s, n, NULL, q->type, &client, out->more, NULL};
	struct choice c;
	unsigned records;

	if (!snapshot_is_calm(s))
		return false;
	if (!choose_calmly(&how, &c) || c.rrset->type != q->type)
		return false;
	records = c.rrset->count;
	for (unsigned i = 0; i < c.more; i++)
		records += out->more[i]->count;
	out->most = c.most != 0 ? c.most : snapshot_most_addresses(s);
	if (records > out->most)
		return false;
	alone_put(out, q, zone, n, c);
	out->set[0].more = c.more;
	out->stands_alone = c.more == 0 || alone_is_address(q->type);
	return true;
}

RARE bool alone_add_others(const struct snapshot *s, const struct query *q, const struct node *n,
                           struct answer *out, const struct policy *policy,
                           const struct ranking_order *order)
{
	struct answer_set *set = &out->set[0];
	struct others others;
	unsigned most;

	if (rarely(!alone_is_address(q->type) || policy == &snapshot_head(s)->preset))
		return false;
	if (rarely(!others_find(&others, s, n, policy, order, q->type, out->more)))
		return false;
	most = policy->max_addresses != 0 ? policy->max_addresses : snapshot_most_addresses(s);
	if (rarely(set->rrset->count + others.records > most) ||
	    rarely(others.records > CHOICE_FEW_ADDRESSES))
		return false;
	out->reason = STATS_ALL;
	set->more = (uint16_t)others.count;
	if (others.count > 0)
		out->cluster = CHOICE_NO_CLUSTER;
	if (policy->ttl == 0 && others.ttl < set->ttl) /* RFC 2181 5.2 */
		set->ttl = others.ttl;
	return true;
}
