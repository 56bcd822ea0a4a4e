/* choose_tell.c -- a choice, told stage by stage to the recorder of explain. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "dnsd/choose_inside.h"

enum { DETAIL_SIZE = 160 };

static const struct site *site_at(const struct task *t, size_t i)
{
	return node_site(t->is.node, i);
}

static size_t site_count(const struct task *t) { return node_site_count(t->is.node); }

static void tell_left(const struct task *t, const struct site *site)
{
	t->is.rec->on_left(t->is.rec->arg, site);
}

void tell_step(const struct task *t, const char *stage, const char *detail)
{
	if (t->is.rec != NULL)
		t->is.rec->on_step(t->is.rec->arg, stage, detail);
}

void tell_usable(struct task *t)
{
	char detail[DETAIL_SIZE];
	size_t usable = 0;

	if (t->is.rec == NULL)
		return;
	for (size_t i = 0; i < site_count(t); i++)
		usable += task_is_usable(t, site_at(t, i), NULL);
	snprintf(detail, sizeof detail, "%zu of %zu sites usable", usable, site_count(t));
	tell_step(t, "usable", detail);
	for (size_t i = 0; i < site_count(t); i++)
		if (task_is_usable(t, site_at(t, i), NULL))
			tell_left(t, site_at(t, i));
}

/* Of a client whom no site at all is for nothing is told here: that is no trouble of theirs. */
void tell_open(struct task *t, bool others_are_usable)
{
	size_t allowed = 0;

	if (t->is.rec == NULL)
		return;
	for (size_t i = 0; i < site_count(t); i++)
		allowed += task_is_allowed(t, site_at(t, i));
	if (allowed == 0)
		return;
	tell_step(t, "failOpen",
	          others_are_usable ? "no site that this client may be sent to is usable: "
	                              "answered as if they were"
	                            : "no site is usable: answered as if all were");
	for (size_t i = 0; i < site_count(t); i++)
		if (task_is_allowed(t, site_at(t, i)))
			tell_left(t, site_at(t, i));
}

/* --- as `defaults` say --- */

static void tell_nearest(struct task *t, const struct tally *y)
{
	char detail[DETAIL_SIZE];

	if (y->best == NULL)
		snprintf(detail, sizeof detail, "no usable site has this type");
	else if (y->tied)
		snprintf(detail, sizeof detail,
		         "equally near sites, told apart by the client's /%u", lot_bits(&t->lot));
	else if (y->with_type < 2)
		snprintf(detail, sizeof detail, "the only site that has this type");
	else
		snprintf(detail, sizeof detail, "%s", CHOICE_BY_ORDER);
	tell_step(t, "nearest", detail);
	if (y->best != NULL)
		tell_left(t, y->best);
}

static bool is_in_union(const struct task *t, const struct choice *c, const struct rrset *rrset)
{
	bool found = rrset != NULL && rrset == c->rrset;

	for (unsigned i = 0; i < c->more; i++)
		found |= rrset == t->is.more[i];
	return found;
}

/* In the order of their names. */
static void tell_told(const struct task *t, const struct choice *c)
{
	for (size_t i = 0; i < site_count(t); i++)
		if (is_in_union(t, c, site_rrset(site_at(t, i), t->is.type)))
			tell_left(t, site_at(t, i));
}

static void tell_union(const struct task *t, const struct tally *y, const struct choice *c)
{
	tell_step(t, "all",
	          y->is_cut         ? "as many usable sites that have this type as fit one answer"
	          : y->best != NULL ? "every usable site that has this type"
	                            : "no usable site has this type");
	tell_told(t, c);
}

/* --- by a policy --- */

/* Who is still there; by index. */
struct left {
	bool is[RANKING_MAX_CLUSTERS];
	size_t count;
};

static void tell_all_left(const struct task *t, const struct left *left, const char *stage,
                          const char *detail)
{
	tell_step(t, stage, detail);
	for (size_t i = 0; i < site_count(t); i++)
		if (left->is[i])
			tell_left(t, site_at(t, i));
}

static void begin(const struct task *t, struct left *left)
{
	size_t usable = 0;

	memset(left, 0, sizeof *left);
	CHECK(site_count(t) <= RANKING_MAX_CLUSTERS);
	for (size_t i = 0; i < site_count(t); i++) {
		bool is_usable = task_is_usable(t, site_at(t, i), NULL);

		left->is[i] = is_usable && site_rrset(site_at(t, i), t->is.type) != NULL;
		left->count += left->is[i];
		usable += is_usable;
	}
	if (left->count < usable)
		tell_all_left(t, left, "type", "those that have this type");
}

/* Of those that are left the best by one stage, or the first of them. */
static const struct site *best_at(const struct task *t, const struct left *left, size_t stage)
{
	const struct ranking_order *order = t->is.client->leaf.order;
	const struct site *best = NULL;

	for (size_t i = 0; i < site_count(t); i++) {
		const struct site *site = site_at(t, i);

		if (left->is[i] && (best == NULL ||
		                    ranking_compare_at(t->policy->ranking, order, stage,
		                                       site_cluster(site), site_cluster(best)) < 0))
			best = site;
	}
	return best;
}

static size_t drop_worse(const struct task *t, struct left *left, size_t stage,
                         const struct site *best)
{
	const struct ranking_order *order = t->is.client->leaf.order;
	size_t before = left->count;

	for (size_t i = 0; i < site_count(t); i++) {
		if (!left->is[i] ||
		    ranking_compare_at(t->policy->ranking, order, stage,
		                       site_cluster(site_at(t, i)), site_cluster(best)) == 0)
			continue;
		left->is[i] = false;
		left->count--;
	}
	return before - left->count;
}

static void tell_forbidden(const struct task *t, struct left *left)
{
	size_t before = left->count;

	for (size_t i = 0; i < site_count(t); i++) {
		if (!left->is[i] || task_is_allowed(t, site_at(t, i)))
			continue;
		left->is[i] = false;
		left->count--;
	}
	if (left->count < before)
		tell_all_left(t, left, "geofence", "a fence that must hold forbids the others");
}

static void tell_lacking(struct task *t, struct left *left, unsigned what, const char *stage,
                         const char *detail)
{
	size_t having = 0;

	for (size_t i = 0; i < site_count(t); i++)
		having += left->is[i] && (task_rank(t, site_at(t, i)).lack & what) == 0;
	if (having == 0 || having == left->count)
		return;
	for (size_t i = 0; i < site_count(t); i++)
		left->is[i] = left->is[i] && (task_rank(t, site_at(t, i)).lack & what) == 0;
	left->count = having;
	tell_all_left(t, left, stage, detail);
}

static void tell_withheld(struct task *t, struct left *left)
{
	tell_lacking(t, left, LACKS_CLIENTS, "withheld",
	             "clusters that must not have this client's bucket now come last");
}

static void tell_flapping(struct task *t, struct left *left)
{
	tell_lacking(t, left, LACKS_PEACE, "flapping",
	             "sites that go up and down again and again come last");
}

static bool is_written(const struct task *t, const char *stage)
{
	for (size_t i = 0; t->policy->stages[i] != NULL; i++)
		if (strcmp(t->policy->stages[i], stage) == 0)
			return true;
	return false;
}

/* Those of the ranking.  Under `all` some only order. */
static void tell_orders(const struct task *t, struct left *left)
{
	const struct ranking *ranking = t->policy->ranking;
	const struct ranking_order *order = t->is.client->leaf.order;
	static const struct ranking_asker nobody;
	const struct ranking_asker *asker = t->is.rec->asker != NULL ? t->is.rec->asker : &nobody;

	for (size_t stage = 0; stage < ranking_stage_count(ranking); stage++) {
		const char *name = ranking_stage_name(ranking, order, stage);
		bool narrows = !t->policy->all || (t->policy->narrowing >> stage & 1) != 0;
		const struct site *best = best_at(t, left, stage);
		char detail[DETAIL_SIZE] = "";
		size_t dropped = 0;

		if (best == NULL)
			return;
		ranking_stage_detail(ranking, order, stage, asker, site_cluster(best), detail,
		                     sizeof detail);
		if (narrows)
			dropped = drop_worse(t, left, stage, best);
		if (dropped > 0 || is_written(t, name))
			tell_all_left(t, left, name,
			              detail[0] != '\0' ? detail
			              : dropped > 0     ? "in the order that it gives"
			                                : "says nothing of this client");
	}
}

static void describe_share(struct task *t, const struct left *left, const struct site *winner,
                           const char *stage, char detail[DETAIL_SIZE])
{
	uint64_t all = 0;

	for (size_t i = 0; i < site_count(t); i++)
		if (left->is[i])
			all += lot_weight(&t->lot, site_at(t, i));
	if (strcmp(stage, "sticky") == 0)
		snprintf(detail, DETAIL_SIZE, "all clients of a /%u (IPv6: /%u) together",
		         t->policy->bucket_ipv4, t->policy->bucket_ipv6);
	else if (left->count < 2)
		snprintf(detail, DETAIL_SIZE, "nobody else is left to share with");
	else
		snprintf(detail, DETAIL_SIZE, "%llu of %llu, told apart by the client's /%u",
		         (unsigned long long)lot_weight(&t->lot, winner), (unsigned long long)all,
		         lot_bits(&t->lot));
}

static void tell_winner(struct task *t, struct left *left, const struct site *winner)
{
	static const char *const shares[] = {"weighted", "capacity", "sticky"};
	char detail[DETAIL_SIZE];
	size_t told = 0;

	for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
		if (!is_written(t, shares[i]))
			continue;
		describe_share(t, left, winner, shares[i], detail);
		tell_step(t, shares[i], detail);
		tell_left(t, winner);
		told++;
	}
	if (told > 0 || left->count < 2)
		return;
	snprintf(detail, sizeof detail, "equally good sites, told apart by the client's /%u",
	         lot_bits(&t->lot));
	tell_step(t, "tie", detail);
	tell_left(t, winner);
}

static void tell_policy(struct task *t, const struct tally *y, const struct choice *c)
{
	struct left left;

	begin(t, &left);
	if (y->best == NULL) {
		tell_step(t, "type", "no usable site has this type");
		return;
	}
	tell_forbidden(t, &left);
	tell_lacking(t, &left, LACKS_WEIGHT, "weighted", "weight 0 while others have more");
	tell_withheld(t, &left);
	tell_flapping(t, &left);
	tell_lacking(t, &left, LACKS_PROOF, "failback",
	             "sites that have come back and are not proven yet come last");
	tell_orders(t, &left);
	if (!t->policy->all) {
		tell_winner(t, &left, y->best);
		return;
	}
	tell_step(t, "all", "as many of them as may be told, in the client's order");
	tell_told(t, c);
}

static bool is_any_held(const struct task *t)
{
	bool any = false;

	for (size_t i = 0; i < site_count(t); i++)
		any |= site_is_held(site_at(t, i));
	return any;
}

static void tell_defaults(struct task *t, const struct tally *y)
{
	struct left left;

	if (snapshot_head(t->is.s)->any_shifted || is_any_held(t)) {
		begin(t, &left);
		tell_withheld(t, &left);
		tell_flapping(t, &left);
	}
	tell_nearest(t, y);
}

void tell_choice(struct task *t, const struct tally *y, const struct choice *c)
{
	if (t->is.rec == NULL)
		return;
	if (t->is_union)
		tell_union(t, y, c);
	else if (t->policy == &snapshot_head(t->is.s)->preset)
		tell_defaults(t, y);
	else
		tell_policy(t, y, c);
}
