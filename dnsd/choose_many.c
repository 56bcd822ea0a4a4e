/* choose_many.c -- several sites in one answer: the stage `all`, and the union of `defaults`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose_inside.h"

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
		if (site_rrset(site, t->is.type) != NULL)
			y->with_type++;
		if (!usable)
			continue;
		if (t->asks_address && !y->has_address)
			y->has_address = site_has_address(site);
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
	uint64_t wait; /* 0 unless more than are told are equal */
};

struct field {
	struct runner runner[CHOICE_UNION_MAX + 1]; /* best first */
	unsigned count, room;
	bool by_wait, tied;
};

static bool comes_before(struct field *f, const struct runner *a, const struct runner *b)
{
	int order = ranking_compare(a->position, b->position);

	f->tied |= f->by_wait && order == 0;
	return order < 0 || (order == 0 && a->wait < b->wait);
}

static void enter(struct field *f, const struct runner *r)
{
	unsigned to = f->count;

	if (to == f->room && !comes_before(f, r, &f->runner[to - 1]))
		return;
	if (to < f->room)
		f->count = to + 1;
	else
		to--;
	for (; to > 0 && comes_before(f, r, &f->runner[to - 1]); to--)
		f->runner[to] = f->runner[to - 1];
	f->runner[to] = *r;
}

/* Geofence and failover leave the best to `all`, they do not only order. */
static bool is_as_good(const struct task *t, const struct tally *y, const struct site *site)
{
	for (unsigned stage = 0; t->policy->narrowing >> stage != 0; stage++)
		if ((t->policy->narrowing >> stage & 1) != 0 &&
		    ranking_compare_at(t->policy->ranking, t->is.client->leaf.order, stage,
		                       site_cluster(site), site_cluster(y->best)) != 0)
			return false;
	return true;
}

/* Those that may be in the answer, into the field or (NULL) only counted. */
static unsigned gather(struct task *t, const struct tally *y, struct field *f)
{
	unsigned count = 0;

	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		struct runner r = {.site = node_site(t->is.node, i)};
		struct rank rank;

		r.rrset = site_rrset(r.site, t->is.type);
		if (r.rrset == NULL || r.rrset->type == RR_CNAME || !task_is_allowed(t, r.site) ||
		    !task_is_usable(t, r.site, NULL))
			continue;
		rank = task_rank(t, r.site);
		if (rank.lack != y->rank.lack || !is_as_good(t, y, r.site))
			continue;
		count++;
		if (f == NULL)
			continue;
		r.position = rank.position;
		r.wait = f->by_wait ? task_wait(t, r.site) : 0;
		enter(f, &r);
	}
	return count;
}

/* Nearest first, one address of each at least, as many as may be told.  When all may be, nothing depends on the bucket. */
void choose_many(struct task *t, struct tally *y, struct choice *c)
{
	unsigned most = t->policy->max_addresses;
	struct field f; /* large: what is not used is not written either */

	f.count = 0;
	f.room = CHOICE_UNION_MAX + 1;
	f.tied = false;
	task_find_best(t, y);
	if (y->best == NULL)
		return;
	if (most > 0 && most < f.room)
		f.room = most;
	f.by_wait = gather(t, y, NULL) > f.room;
	gather(t, y, &f);
	if (f.count == 0)
		join(t, y, c, y->best, y->rrset);
	for (unsigned i = 0; i < f.count; i++)
		join(t, y, c, f.runner[i].site, f.runner[i].rrset);
	if (c->more == 0)
		c->cluster = site_cluster(y->best);
	c->scope = lot_scope(&t->lot, y->with_type > 1, f.count == 0 ? y->tied : f.tied);
}
