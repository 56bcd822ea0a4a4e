/* alone.c -- what stands alone, but takes more than a look at the nearest cluster's site. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/alone.h"

#include "dnsd/choose_calm.h"

ALWAYS static inline bool answer(const struct snapshot *s, const struct query *q,
                                 const struct addr *resolver, const struct zone *zone,
                                 const struct node *n, struct answer *out,
                                 const struct policy *policy, bool is_involved)
{
	struct client client = answer_client(s, q, resolver);
	/* The name is the node's own. */
	struct choosing how = {s, n, NULL, q->type, &client, NULL, NULL};
	struct choice c = choose_on_calm_day(&how, policy, is_involved);

	if (rarely(c.rrset == NULL || !alone_fits(s, q, &c) ||
	           (c.most != 0 && c.rrset->count > c.most)))
		return false;
	alone_put(out, q, zone, n, c);
	return true;
}

RARE static bool answer_involved(const struct snapshot *s, const struct query *q,
                                 const struct addr *resolver, const struct zone *zone,
                                 const struct node *n, struct answer *out)
{
	const struct policy *policy = snapshot_node_policy(s, n);
	struct choosing how = {s, n, NULL, q->type, NULL, NULL, NULL};

	return choose_is_calm(&how, policy) && answer(s, q, resolver, zone, n, out, policy, true);
}

RARE bool alone_answer_farther(const struct snapshot *s, const struct query *q,
                               const struct addr *resolver, const struct zone *zone,
                               const struct node *n, struct answer *out)
{
	const struct policy *policy = snapshot_node_policy(s, n);
	struct choosing how = {s, n, NULL, q->type, NULL, NULL, NULL};

	if (rarely(!choose_is_quiet(&how, policy)))
		return answer_involved(s, q, resolver, zone, n, out);
	return answer(s, q, resolver, zone, n, out, policy, false);
}
