/* choose_many.c -- several sites in one answer: the stage `all`, and the union of `defaults`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose_calm.h"

/* As records of a message, whose owner is a pointer. */
static size_t message_bytes(const struct rrset *rrset)
{
	enum { BEFORE_RDLENGTH = 10 };

	return rrset->bytes + (size_t)rrset->count * BEFORE_RDLENGTH;
}

/* One more RRset of the answer, if it fits: over TCP no client could ever get what does not. */
static void join(const struct task *t, struct tally *y, struct choice *c, const struct site *site,
                 const struct rrset *rrset)
{
	size_t bytes = message_bytes(rrset);

	if (c->rrset == NULL) {
		c->rrset = y->rrset = rrset;
		c->ttl = rrset->ttl;
		y->best = site;
	} else if (c->more < CHOICE_UNION_MAX && y->union_bytes + bytes <= CHOICE_UNION_BYTES) {
		t->is.more[c->more++] = rrset;
	} else {
		y->is_cut = true;
		return;
	}
	y->union_bytes += bytes;
	/* RFC 2181 5.2: one TTL for an RRset. */
	c->ttl = rrset->ttl < c->ttl ? rrset->ttl : c->ttl;
	task_limit_ttl(t, y, site);
}

/* --- every usable site, the same for all clients --- */

static void look_at(struct task *t, struct tally *y)
{
	unsigned least = LACKS_PROOF + LACKS_PEACE + LACKS_CLIENTS + LACKS_WEIGHT;

	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		const struct site *site = node_site(t->is.node, i);
		bool troubled = false, usable = task_is_usable(t, site, &troubled);
		unsigned lack;

		y->troubled |= troubled;
		y->any_usable |= usable;
		if (usable && t->asks_address && !y->has_address)
			y->has_address = site_has_address(site);
		if (site_rrset(site, t->is.type) == NULL)
			continue;
		y->with_type++;
		if (!usable)
			continue;
		/* Among those that have the type: that others lack less denies it to nobody. */
		lack = task_rank(t, site).lack;
		least = lack < least ? lack : least;
	}
	y->rank.lack = least;
}

/* A CNAME cannot stand beside anything: it answers only when no site has the type itself. */
void choose_union(struct task *t, struct tally *y, struct choice *c)
{
	const struct site *alias = NULL;

	*y = (struct tally){0};
	look_at(t, y);
	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		const struct site *site = node_site(t->is.node, i);
		bool is_in =
			task_is_usable(t, site, NULL) && task_rank(t, site).lack == y->rank.lack;
		const struct rrset *rrset = is_in ? site_rrset(site, t->is.type) : NULL;

		if (rrset == NULL)
			continue;
		if (rrset->type != RR_CNAME)
			join(t, y, c, site, rrset);
		else if (alias == NULL)
			alias = site;
	}
	if (c->rrset == NULL && alias != NULL)
		join(t, y, c, alias, site_rrset(alias, t->is.type));
	if (y->best != NULL && c->more == 0)
		c->cluster = site_cluster(y->best);
	if (lot_splits(&t->is) && t->is.client->has_scope && y->with_type > 1)
		c->scope = (uint8_t)lot_bits(&t->lot);
}

/* --- of a policy: in the client's order --- */

struct runner {
	const struct site *site;
	const struct rrset *rrset;
	struct ranking_position position;
	uint64_t wait; /* counts only in a tie that is to be decided */
};

struct field {
	struct runner
		runner[CHOICE_UNION_MAX + 2]; /* best first: those that may be told, and one */
	unsigned count, room;                 /* room: how many may be told */
	bool by_wait;
};

static unsigned room_of(const struct policy *policy)
{
	unsigned most = policy->max_addresses;

	return most > 0 && most <= CHOICE_UNION_MAX ? most : CHOICE_UNION_MAX + 1;
}

static bool comes_before(const struct field *f, const struct runner *a, const struct runner *b)
{
	int order = ranking_compare(a->position, b->position);

	return order < 0 || (order == 0 && f->by_wait && a->wait < b->wait);
}

static void enter(struct field *f, const struct runner *r)
{
	unsigned to = f->count;

	if (to > f->room && !comes_before(f, r, &f->runner[to - 1]))
		return;
	if (to <= f->room)
		f->count = to + 1;
	else
		to--;
	for (; to > 0 && comes_before(f, r, &f->runner[to - 1]); to--)
		f->runner[to] = f->runner[to - 1];
	f->runner[to] = *r;
}

/* Do chance and the client decide who of those that are equally good is told, and who not? */
static bool is_tied(const struct field *f)
{
	if (f->count <= f->room)
		return false;
	for (unsigned i = 0; i < f->room; i++)
		if (ranking_compare(f->runner[i].position, f->runner[i + 1].position) == 0)
			return true;
	return false;
}

bool choose_is_as_good(const struct policy *policy, const struct ranking_order *order,
                       uint16_t cluster, uint16_t best)
{
	for (unsigned stage = 0; policy->narrowing >> stage != 0; stage++)
		if ((policy->narrowing >> stage & 1) != 0 &&
		    ranking_compare_at(policy->ranking, order, stage, cluster, best) != 0)
			return false;
	return true;
}

/* Those that may be in the answer, into the field. */
static void gather(struct task *t, const struct tally *y, struct field *f)
{
	f->count = 0;
	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		struct runner r = {.site = node_site(t->is.node, i)};
		struct rank rank;

		r.rrset = site_rrset(r.site, t->is.type);
		if (r.rrset == NULL || r.rrset->type == RR_CNAME || !task_is_allowed(t, r.site) ||
		    !task_is_usable(t, r.site, NULL))
			continue;
		rank = task_rank(t, r.site);
		if (rank.lack != y->rank.lack ||
		    !choose_is_as_good(t->policy, t->is.client->leaf.order, site_cluster(r.site),
		                       site_cluster(y->best)))
			continue;
		r.position = rank.position;
		if (f->by_wait)
			r.wait = task_wait(t, r.site);
		enter(f, &r);
	}
}

/* Nearest first, one address of each at least, as many as may be told.  When all may be, nothing depends on the bucket. */
void choose_many(struct task *t, struct tally *y, struct choice *c)
{
	struct field f; /* large: what is not used is not written either */
	bool tied;

	f.room = room_of(t->policy);
	f.by_wait = false;
	task_find_best(t, y);
	if (y->best == NULL)
		return;
	gather(t, y, &f);
	tied = f.count > 0 ? is_tied(&f) : y->tied;
	if (f.count > 0 && tied) {
		f.by_wait = true;
		gather(t, y, &f);
	}
	if (f.count == 0)
		join(t, y, c, y->best, y->rrset);
	for (unsigned i = 0; i < f.count && i < f.room; i++)
		join(t, y, c, f.runner[i].site, f.runner[i].rrset);
	if (c->more == 0)
		c->cluster = site_cluster(y->best);
	c->scope = lot_scope(&t->lot, y->with_type > 1, tied);
}

/* --- the same on a calm day: down the client's order, until as many as may be told are found --- */

/* More are not gathered so. */
enum { MANY_ON_CALM_DAY = 32 };

struct descent {
	const struct choosing *how;
	const struct policy *policy;
	const uint32_t *weight; /* as lot.weight */
	unsigned count, room, seen;
	bool any_equal;
	uint8_t entry[MANY_ON_CALM_DAY]; /* of the order */
	const struct site *site[MANY_ON_CALM_DAY];
	const struct rrset *rrset[MANY_ON_CALM_DAY];
};

/* One cluster of the order.  False: it is not that simple. */
ALWAYS static inline bool descend_to(struct descent *d, struct ranking_near near, uint8_t entry)
{
	const struct choosing *how = d->how;
	const struct site *site =
		node_sites_at_number(node_sites(how->node), near.cluster, near.number);
	const struct rrset *rrset;

	if (rarely(site == NULL))
		site = node_find_site(how->node, near.cluster);
	if (site == NULL)
		return true;
	d->seen++;
	rrset = site_rrset(site, how->type);
	if (rrset == NULL)
		return true;
	if (rarely(rrset->type == RR_CNAME || d->count == MANY_ON_CALM_DAY ||
	           !choose_is_simple(how, site)))
		return false;
	if (lot_weight_of(d->weight, d->policy, near.cluster) == 0)
		return true;
	if (d->count > 0) {
		if (!choose_is_as_good(d->policy, how->client->leaf.order, near.cluster,
		                       site_cluster(d->site[0])))
			return true;
		d->any_equal |= d->entry[d->count - 1] == entry;
	}
	d->entry[d->count] = entry;
	d->site[d->count] = site;
	d->rrset[d->count++] = rrset;
	return true;
}

/* Are all sites that the way down has not come to forbidden to the client? */
static bool is_bottom(const struct descent *d)
{
	const struct node *n = d->how->node;
	size_t allowed = 0, count = node_site_count(n);

	if (d->seen == count || !d->policy->has_fence)
		return d->seen == count;
	for (size_t i = 0; i < count; i++)
		allowed += ranking_allows(d->policy->ranking, d->how->client->leaf.order,
		                          site_cluster(node_site(n, i)));
	return d->seen == allowed;
}

RARE static bool descend_to_group(struct descent *d, uint16_t group, uint8_t entry)
{
	const struct ranking_near *member = ranking_members(d->policy->ranking, group);

	for (; member->cluster != RANKING_NO_CLUSTER; member++)
		if (!descend_to(d, *member, entry))
			return false;
	return true;
}

/* When some are equal it must be known whether there are more than may be told. */
ALWAYS static inline bool descend(struct descent *d)
{
	const struct ranking_near *at = d->how->client->leaf.order->nearest;

	for (uint8_t entry = 0; at->cluster != RANKING_NO_CLUSTER; at++, entry++) {
		bool is_simple = (at->cluster & RANKING_GROUP) == 0
		                         ? descend_to(d, *at, entry)
		                         : descend_to_group(d, at->cluster, entry);

		if (!is_simple)
			return false;
		if (d->count >= d->room && (d->count > d->room || !d->any_equal))
			return true;
	}
	return d->count > 0 && is_bottom(d);
}

/* Those that are told come first.  False: no tie is in the way. */
RARE static bool decide_ties(struct descent *d, struct lot *lot)
{
	struct field f;

	f.count = 0;
	f.room = d->room;
	f.by_wait = true;
	lot_init(lot, d->how, d->policy);
	lot_draw(lot);
	for (unsigned i = 0; i < d->count; i++) {
		uint16_t cluster = site_cluster(d->site[i]);
		struct runner r = {d->site[i], d->rrset[i], {.distance = d->entry[i]}, 0};

		r.wait = lot_wait(lot, ranking_name_hash(d->policy->ranking, cluster),
		                  lot_weight(lot, r.site));
		enter(&f, &r);
	}
	for (unsigned i = 0; i < d->room; i++) {
		d->site[i] = f.runner[i].site;
		d->rrset[i] = f.runner[i].rrset;
	}
	return is_tied(&f);
}

/* Returns the records; 0: they do not fit. */
ALWAYS static inline unsigned tell_many(const struct descent *d, struct choice *c)
{
	unsigned most = d->count < d->room ? d->count : d->room, records = d->rrset[0]->count;
	size_t bytes = message_bytes(d->rrset[0]);

	c->rrset = d->rrset[0];
	c->ttl = c->rrset->ttl;
	c->more = (uint16_t)(most - 1);
	for (unsigned i = 1; i < most; i++) {
		const struct rrset *rrset = d->rrset[i];

		d->how->more[i - 1] = rrset;
		bytes += message_bytes(rrset);
		records += rrset->count;
		c->ttl = rrset->ttl < c->ttl ? rrset->ttl : c->ttl;
	}
	return bytes <= CHOICE_UNION_BYTES ? records : 0;
}

static bool is_shared(const struct choosing *how, const struct policy *policy,
                      const struct choice *c, const struct site *site)
{
	return c->more > 0 || policy->has_fence ||
	       choose_another_has_type(how->node, site, how->type);
}

unsigned choose_many_on_calm_day(const struct choosing *how, const struct policy *policy,
                                 struct choice *c)
{
	const struct snapshot_head *head = snapshot_head(how->s);
	unsigned records, bits = 0;
	struct descent d;
	struct lot lot;

	if (!head->is_quiet || policy == &head->preset || policy->must_wait)
		return 0;
	choose_place_by(policy, how->client);
	d.how = how;
	d.policy = policy;
	d.weight = lot_weights(policy, how->client->leaf.order);
	d.count = d.seen = 0;
	d.room = room_of(policy);
	d.any_equal = false;
	if (!descend(&d))
		return 0;
	if (d.any_equal && d.count > d.room && decide_ties(&d, &lot))
		bits = lot.bucket.bits;
	records = tell_many(&d, c);
	if (policy->ttl != 0)
		c->ttl = policy->ttl;
	c->cluster = c->more == 0 ? site_cluster(d.site[0]) : CHOICE_NO_CLUSTER;
	c->most = policy->max_addresses;
	c->scope = 0;
	if (how->client->has_scope && is_shared(how, policy, c, d.site[0]))
		c->scope = bits > how->client->leaf.depth ? (uint8_t)bits : how->client->leaf.depth;
	c->refusal = CHOICE_IS_MADE;
	c->reason = STATS_ALL;
	return records;
}
