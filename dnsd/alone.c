/* alone.c -- what stands alone, but takes more than a look at the nearest cluster's site. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/alone.h"

#include "dnsd/choose_calm.h"

/* Of all these, out->zone is set: that is one parameter less than fits into registers. */

ALWAYS static inline bool answer(const struct snapshot *s, const struct query *q,
                                 const struct addr *resolver, const struct node *n,
                                 struct answer *out, const struct policy *policy, bool is_involved)
{
	struct client client = answer_client(s, q, resolver);
	/* The name is the node's own. */
	struct choosing how = {s, n, NULL, q->type, &client, NULL, NULL};
	struct choice c = choose_on_calm_day(&how, policy, is_involved);

	if (rarely(c.rrset == NULL || !alone_fits(s, q, &c) ||
	           (c.most != 0 && c.rrset->count > c.most)))
		return false;
	alone_put(out, q, out->zone, n, c);
	return true;
}

/* Several sites: none of them stands alone, but nothing else is with them. */
RARE static bool answer_many(const struct snapshot *s, const struct query *q,
                             const struct addr *resolver, const struct node *n, struct answer *out,
                             const struct policy *policy)
{
	struct client client = answer_client(s, q, resolver);
	struct choosing how = {s, n, NULL, q->type, &client, out->more, NULL};
	struct choice c;
	unsigned records = choose_many_on_calm_day(&how, policy, &c);

	if (rarely(records == 0 || c.rrset->type != q->type))
		return false;
	out->most = c.most != 0 ? c.most : snapshot_most_addresses(s);
	if (rarely(records > out->most))
		return false;
	alone_put(out, q, out->zone, n, c);
	out->set[0].more = c.more;
	out->stands_alone = c.more == 0;
	return true;
}

RARE static bool answer_involved(const struct snapshot *s, const struct query *q,
                                 const struct addr *resolver, const struct node *n,
                                 struct answer *out, const struct policy *policy)
{
	struct choosing how = {s, n, NULL, q->type, NULL, NULL, NULL};

	return choose_is_calm(&how, policy) && answer(s, q, resolver, n, out, policy, true);
}

RARE static bool answer_one(const struct snapshot *s, const struct query *q,
                            const struct addr *resolver, const struct node *n, struct answer *out,
                            const struct policy *policy)
{
	struct choosing how = {s, n, NULL, q->type, NULL, NULL, NULL};

	if (rarely(!choose_is_quiet(&how, policy)))
		return answer_involved(s, q, resolver, n, out, policy);
	return answer(s, q, resolver, n, out, policy, false);
}

RARE bool alone_answer_farther(const struct snapshot *s, const struct query *q,
                               const struct addr *resolver, const struct zone *zone,
                               const struct node *n, struct answer *out)
{
	const struct policy *policy = snapshot_node_policy(s, n);

	out->zone = zone;
	if (policy->all)
		return answer_many(s, q, resolver, n, out, policy);
	return answer_one(s, q, resolver, n, out, policy);
}
