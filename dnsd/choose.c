/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose.h"

#include "dnsd/choose_calm.h"

bool task_is_allowed(const struct task *t, const struct site *site)
{
	return !t->policy->has_fence ||
	       ranking_allows(t->policy->ranking, t->is.client->leaf.order, site_cluster(site));
}

bool task_is_usable(const struct task *t, const struct site *site, bool *troubled)
{
	bool usable = snapshot_site_is_usable(t->is.s, t->policy, site, troubled);

	return usable || t->everyone;
}

struct rank task_rank(struct task *t, const struct site *site)
{
	const struct snapshot_head *head = snapshot_head(t->is.s);
	struct rank rank = {0};

	if (head->any_waiting && t->policy->has_failback && snapshot_site_waits(t->is.s, site))
		rank.lack |= LACKS_PROOF;
	if (site_is_held(site))
		rank.lack |= LACKS_PEACE;
	if (head->any_shifted && lot_is_withheld(&t->lot, site))
		rank.lack |= LACKS_CLIENTS;
	if (lot_weight(&t->lot, site) == 0)
		rank.lack |= LACKS_WEIGHT;
	if (t->is_placed)
		rank.position = ranking_position(t->policy->ranking, t->is.client->leaf.order,
		                                 site_cluster(site));
	return rank;
}

void task_limit_ttl(const struct task *t, struct tally *y, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(t->is.s, site_cluster(site));

	if (c != NULL && c->ttl_most != 0 && (y->ttl_most == 0 || c->ttl_most < y->ttl_most))
		y->ttl_most = c->ttl_most;
}

/* --- one pass over the sites --- */

static void put_best(struct tally *y, const struct site *site, const struct rrset *rrset,
                     const struct rank *rank)
{
	y->best = site;
	y->rrset = rrset;
	y->rank = *rank;
	y->tied = false;
}

uint64_t task_wait(struct task *t, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(t->is.s, site_cluster(site));

	if (!t->lot.is_drawn)
		lot_draw(&t->lot);
	return lot_wait(&t->lot, c != NULL ? c->name_hash : 0, lot_weight(&t->lot, site));
}

/* A usable site that has the type, not worse than the best so far. */
static void compete(struct task *t, struct tally *y, const struct site *site,
                    const struct rrset *rrset, const struct rank *rank)
{
	uint64_t wait;

	if (y->best == NULL || rank_compare(rank, &y->rank) < 0) {
		put_best(y, site, rrset, rank);
		return;
	}
	wait = task_wait(t, site);
	if (!y->tied)
		y->wait = task_wait(t, y->best);
	if (wait < y->wait) {
		put_best(y, site, rrset, rank);
		y->wait = wait;
	}
	y->tied = true;
}

/* Once two sites with the type are known, only usable ones as good as the best can change
 * anything. */
static bool may_pass_over(const struct task *t, const struct tally *y, bool usable,
                          const struct rank *rank)
{
	if (y->with_type < 2)
		return false;
	if (!usable)
		return true;
	if (y->best == NULL || (t->asks_address && !y->has_address))
		return false;
	return rank_compare(rank, &y->rank) > 0;
}

static void consider(struct task *t, struct tally *y, const struct site *site, bool usable,
                     const struct rank *rank)
{
	const struct rrset *rrset = site_rrset(site, t->is.type);

	y->any_usable |= usable;
	if (usable && t->asks_address && !y->has_address)
		y->has_address = site_has_address(site);
	if (rrset == NULL)
		return;
	y->with_type++;
	if (usable && (y->best == NULL || rank_compare(rank, &y->rank) <= 0))
		compete(t, y, site, rrset, rank);
}

/* To others it is there. */
static void count_forbidden(const struct task *t, struct tally *y, const struct site *site)
{
	y->any_forbidden_usable |= snapshot_site_is_usable(t->is.s, t->policy, site, NULL);
	if (site_rrset(site, t->is.type) != NULL)
		y->with_type++;
}

void task_find_best(struct task *t, struct tally *y)
{
	bool any_troubled = false;

	*y = (struct tally){0};
	for (size_t i = 0, count = node_site_count(t->is.node); i < count; i++) {
		const struct site *site = node_site(t->is.node, i);
		bool troubled, usable;
		struct rank rank = {0};

		if (!task_is_allowed(t, site)) {
			count_forbidden(t, y, site);
			continue;
		}
		usable = task_is_usable(t, site, &troubled);
		any_troubled |= troubled;
		if (usable)
			rank = task_rank(t, site);
		if (!may_pass_over(t, y, usable, &rank))
			consider(t, y, site, usable, &rank);
	}
	y->troubled = any_troubled;
}

/* --- the decision --- */

/* It depends on what sites have, not on which of them are usable, so that health does not make the scope
 * flicker. */
static void choose_one(struct task *t, struct tally *y, struct choice *c)
{
	c->reason = STATS_NEAREST;
	task_find_best(t, y);
	if (y->best == NULL)
		return;
	c->rrset = y->rrset;
	c->ttl = y->rrset->ttl;
	task_limit_ttl(t, y, y->best);
	c->cluster = site_cluster(y->best);
	c->scope = lot_scope(&t->lot, y->with_type > 1, y->tied);
}

static struct choice choose_among(struct task *t, struct tally *y)
{
	struct choice c = {.cluster = CHOICE_NO_CLUSTER, .reason = STATS_ALL};

	if (!t->policy->all)
		choose_one(t, y, &c);
	else if (t->is_union)
		choose_union(t, y, &c);
	else
		choose_many(t, y, &c);
	return c;
}

/* That no site is usable is the same for everybody; that those are down that this client may be sent to is not, and then
 * there must be no denial (RFC 7871 7.4, RFC 8198). */
static bool is_no_data(const struct task *t, const struct tally *y)
{
	return t->policy->no_data_when_all_down && y->with_type > 0 && !y->any_usable &&
	       !y->any_forbidden_usable;
}

static void refuse(struct choice *c, enum choice_refusal refusal, uint32_t ttl)
{
	*c = (struct choice){.cluster = CHOICE_NO_CLUSTER, .ttl = ttl, .reason = STATS_NODATA};
	c->refusal = (uint8_t)refusal;
}

static void fall_back(struct task *t, const struct rrset *fallback, struct tally *y,
                      struct choice *c)
{
	*c = (struct choice){.rrset = fallback,
	                     .ttl = fallback->ttl,
	                     .cluster = CHOICE_NO_CLUSTER,
	                     .scope = lot_scope(&t->lot, false, false),
	                     .reason = STATS_FALLBACK};
	y->ttl_most = 0;
	tell_step(t, "fallback", "no usable site has an address: to the next level");
}

/* None is usable: as if all were. */
static void fail_open(struct task *t, struct tally *y, struct choice *c)
{
	bool others_are = y->any_forbidden_usable;

	t->everyone = true;
	*c = choose_among(t, y);
	c->reason = STATS_FAIL_OPEN;
	y->troubled = true;
	tell_open(t, others_are);
}

static void take_steps(struct task *t, struct tally *y, struct choice *c)
{
	const struct rrset *fallback = node_fallback(t->is.node);
	bool missing;

	*c = choose_among(t, y);
	missing = !y->any_usable || (fallback != NULL && !y->has_address);
	tell_usable(t);
	if (missing && fallback != NULL && (node_flags(t->is.node) & NODE_FAIL_OPEN) == 0) {
		fall_back(t, fallback, y, c);
		return;
	}
	if (is_no_data(t, y)) {
		refuse(c, CHOICE_NO_DATA, t->policy->degraded_ttl);
		tell_step(t, "whenAllDown", "no site is usable: no data, for all clients");
		return;
	}
	if (!y->any_usable && !t->policy->no_data_when_all_down)
		fail_open(t, y, c);
	if (t->policy->has_fence && c->rrset == NULL && y->with_type > 0) {
		refuse(c, CHOICE_FORBIDDEN, 0);
		c->scope = lot_scope(&t->lot, true, false);
		tell_step(t, "geofence", "no site that this client may be sent to has this type");
		return;
	}
	tell_choice(t, y, c);
}

static struct task task_of(const struct choosing *how)
{
	const struct snapshot_head *head = snapshot_head(how->s);
	const struct policy *policy = snapshot_node_policy(how->s, how->node);
	struct task t = {.is = *how,
	                 .policy = policy,
	                 .asks_address = node_fallback(how->node) != NULL,
	                 .is_union = policy == &head->preset && policy->all};

	/* One site answers all clients alike, unless some may not be sent there. */
	t.is_placed = !t.is_union && (policy != &head->preset || node_site_count(how->node) > 1);
	if (t.is_placed)
		choose_place_by(policy, how->client);
	return t;
}

/* What the recorder hears. */
RARE static void choose_step_by_step(const struct choosing *how, struct choice *out)
{
	struct task t = task_of(how);
	struct tally y;

	lot_init(&t.lot, &t.is, t.policy);
	if (how->rec != NULL)
		how->rec->on_choice(how->rec->arg, how->node);
	if (t.policy->must_wait) {
		refuse(out, CHOICE_NOT_READY, 0);
		tell_step(&t, "notReady", "who may be sent where is not known yet");
		return;
	}
	take_steps(&t, &y, out);
	if (out->refusal != CHOICE_IS_MADE || out->rrset == NULL)
		return;
	out->ttl = choose_ttl_within(t.policy, out->ttl, y.troubled, y.ttl_most);
	out->most = t.policy == &snapshot_head(how->s)->preset ? 0 : t.policy->max_addresses;
}

void choose(const struct choosing *how, struct choice *out)
{
	*out = (struct choice){0};
	if (how->rec == NULL) {
		const struct policy *policy = choose_quiet_policy(how->s, how->node);

		if (policy != NULL && !policy->all)
			*out = choose_at_once(how, policy);
		if (out->rrset != NULL || choose_calmly(how, out))
			return;
	}
	choose_step_by_step(how, out);
}
