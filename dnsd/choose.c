/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/choose.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The networks that ties, weights and stickiness are decided for. */
enum { BUCKET_BITS_IPV4 = 24, BUCKET_BITS_IPV6 = 48, MAPPED_BITS = 96 };

struct task {
	struct choosing is;
	bool everyone;     /* fail open: as if all sites were usable */
	bool asks_address; /* there is a fallback for when no usable site has an address */
};

/* What one pass over the sites finds. */
struct tally {
	bool any_usable, has_address;
	bool troubled;      /* some site's cluster is down or draining */
	unsigned with_type; /* sites, usable or not, that have the type; counted to 2 */
	const struct site *best;
	const struct rrset *rrset;        /* of best */
	struct ranking_position position; /* of best */
	uint64_t score;                   /* of best, once it was in a tie */
	bool tied;                        /* best won by its score */
	size_t union_bytes;
	bool is_cut; /* the union leaves out RRsets that do not fit */
};

/* ::ffff:a.b.c.d has the bucket of a.b.c.d, so nothing else in ::/48 may have one that holds it. */
static unsigned bucket_bits(const struct addr *a)
{
	static const uint8_t zeros[BUCKET_BITS_IPV6 / 8];

	if (a->family == ADDR_IPV4)
		return BUCKET_BITS_IPV4;
	if (memcmp(a->bytes, zeros, sizeof zeros) != 0)
		return BUCKET_BITS_IPV6;
	return MAPPED_BITS + (addr_unmapped(a).family == ADDR_IPV4 ? BUCKET_BITS_IPV4 : 0u);
}

static uint64_t bucket_of(const struct addr *a)
{
	struct addr client = addr_unmapped(a);
	uint64_t bucket = client.family;

	for (unsigned i = 0; i < bucket_bits(&client) / 8; i++)
		bucket = bucket << 8 | client.bytes[i];
	return bucket;
}

/* A mapped subnet stays IPv6, the ranking knows it: the scope is in bits of its own family. */
static struct addr deciding(const struct client *c)
{
	return c->has_scope ? *c->source : addr_unmapped(c->source);
}

struct ranking_leaf choose_place_resolver(const struct ranking *ranking, const struct client *c)
{
	struct addr a = deciding(c);

	return ranking_find(ranking, &a);
}

uint64_t client_bucket(const struct client *c, unsigned *bits)
{
	struct addr a = deciding(c);

	*bits = bucket_bits(&a);
	return bucket_of(&a);
}

static unsigned bits_of(const struct client *c)
{
	unsigned bits;

	(void)client_bucket(c, &bits);
	return bits;
}

/* Rendezvous hash: all replicas and all runs agree; a site that goes moves only its own clients. */
static uint64_t score_of(const struct snapshot *s, uint64_t asker, const struct site *site)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, site_cluster(site));

	return hash_mix(asker, c != NULL ? c->name_hash : hash_fixed((struct bytes){0}));
}

/* The half of it that is of the client's bucket and the name; *bits as client_bucket() has it. */
static uint64_t asker_of(const struct choosing *how, unsigned *bits)
{
	uint64_t bucket = client_bucket(how->client, bits);

	return hash_mix(bucket, hash_fixed((struct bytes){how->asked->wire, how->asked->len}));
}

static uint64_t tie_score(const struct task *t, const struct site *site)
{
	unsigned bits;

	return score_of(t->is.s, asker_of(&t->is, &bits), site);
}

static bool is_usable(const struct task *t, const struct site *site, bool *troubled)
{
	bool usable =
		snapshot_site_is_usable(t->is.s, &snapshot_head(t->is.s)->preset, site, troubled);

	return usable || t->everyone;
}

static void put_best(struct tally *y, const struct site *site, const struct rrset *rrset,
                     struct ranking_position position)
{
	y->best = site;
	y->rrset = rrset;
	y->position = position;
	y->tied = false;
}

/* A usable site that has the type, not farther than the best so far. */
static void compete(const struct task *t, struct tally *y, const struct site *site,
                    const struct rrset *rrset, struct ranking_position position)
{
	uint64_t score;

	if (y->best == NULL || ranking_compare(position, y->position) < 0) {
		put_best(y, site, rrset, position);
		return;
	}
	score = tie_score(t, site);
	if (!y->tied)
		y->score = tie_score(t, y->best);
	if (score > y->score) {
		put_best(y, site, rrset, position);
		y->score = score;
	}
	y->tied = true;
}

/* Once two sites with the type are known, only usable ones as near as the best can change
 * anything. */
static bool may_pass_over(const struct task *t, const struct tally *y, bool usable,
                          struct ranking_position position)
{
	if (y->with_type < 2)
		return false;
	if (!usable)
		return true;
	if (y->best == NULL || (t->asks_address && !y->has_address))
		return false;
	return ranking_compare(position, y->position) > 0;
}

static void consider(const struct task *t, struct tally *y, const struct site *site, bool usable,
                     struct ranking_position position)
{
	const struct rrset *rrset = site_rrset(site, t->is.type);

	y->any_usable |= usable;
	if (usable && t->asks_address && !y->has_address)
		y->has_address = site_has_address(site);
	if (rrset == NULL)
		return;
	y->with_type++;
	if (usable && (y->best == NULL || ranking_compare(position, y->position) <= 0))
		compete(t, y, site, rrset, position);
}

static void find_nearest(const struct task *t, struct tally *y)
{
	const struct ranking_order *order = t->is.client->leaf.order;
	bool any_troubled = false, is_placed = t->is.client->is_placed;

	for (size_t i = 0, count = node_site_count(t->is.node); i < count; i++) {
		const struct site *site = node_site(t->is.node, i);
		struct ranking_position position = {0};
		bool troubled, usable = is_usable(t, site, &troubled);

		any_troubled |= troubled;
		if (usable && is_placed)
			position = ranking_position(snapshot_ranking(t->is.s), order,
			                            site_cluster(site));
		if (!may_pass_over(t, y, usable, position))
			consider(t, y, site, usable, position);
	}
	y->troubled = any_troubled;
}

/* As records of a message, whose owner is a pointer. */
static size_t message_bytes(const struct rrset *rrset)
{
	enum { BEFORE_RDLENGTH = 10 };

	return rrset->bytes + (size_t)rrset->count * BEFORE_RDLENGTH;
}

/* One more RRset of the union, if it fits: over TCP no client could ever get what does not. */
static void join(const struct task *t, struct tally *y, struct choice *c, const struct site *site,
                 const struct rrset *rrset)
{
	size_t bytes = message_bytes(rrset);

	if (y->rrset == NULL) {
		y->best = site;
		c->rrset = y->rrset = rrset;
		c->ttl = rrset->ttl;
	} else if (c->more < CHOICE_UNION_MAX && y->union_bytes + bytes <= CHOICE_UNION_BYTES) {
		t->is.more[c->more++] = rrset;
	} else {
		y->is_cut = true;
		return;
	}
	y->union_bytes += bytes;
	/* RFC 2181 5.2: one TTL for an RRset. */
	c->ttl = rrset->ttl < c->ttl ? rrset->ttl : c->ttl;
}

/* The union.  A CNAME cannot stand beside anything: it answers only when no site has the type
 * itself. */
static void find_all(const struct task *t, struct tally *y, struct choice *c)
{
	const struct rrset *alias = NULL;
	const struct site *alias_site = NULL;

	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		const struct site *site = node_site(t->is.node, i);
		bool troubled = false, usable = is_usable(t, site, &troubled);
		const struct rrset *rrset = usable ? site_rrset(site, t->is.type) : NULL;

		y->troubled |= troubled;
		y->any_usable |= usable;
		if (usable && t->asks_address && !y->has_address)
			y->has_address = site_has_address(site);
		if (rrset == NULL)
			continue;
		if (rrset->type == RR_CNAME) {
			alias_site = alias == NULL ? site : alias_site;
			alias = alias == NULL ? rrset : alias;
			continue;
		}
		join(t, y, c, site, rrset);
	}
	if (y->rrset == NULL && alias != NULL) {
		y->best = alias_site;
		c->rrset = y->rrset = alias;
		c->ttl = alias->ttl;
	}
	c->cluster = y->best != NULL && c->more == 0 ? site_cluster(y->best) : CHOICE_NO_CLUSTER;
}

/* --- what the recorder hears --- */

static void tell_sites(const struct task *t, bool with_type)
{
	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		const struct site *site = node_site(t->is.node, i);

		if (is_usable(t, site, NULL) &&
		    (!with_type || site_rrset(site, t->is.type) != NULL))
			t->is.rec->on_left(t->is.rec->arg, site);
	}
}

static void tell_usable(const struct task *t)
{
	char detail[96];
	size_t count = node_site_count(t->is.node), usable = 0;

	for (size_t i = 0; i < count; i++)
		usable += snapshot_site_is_usable(t->is.s, &snapshot_head(t->is.s)->preset,
		                                  node_site(t->is.node, i), NULL);
	snprintf(detail, sizeof detail, "%zu of %zu sites usable", usable, count);
	t->is.rec->on_step(t->is.rec->arg, "usable", detail);
	tell_sites(t, false);
}

static void tell_nearest(const struct task *t, const struct tally *y)
{
	char detail[96];

	if (y->best == NULL)
		snprintf(detail, sizeof detail, "no usable site has this type");
	else if (y->tied)
		snprintf(detail, sizeof detail,
		         "equally near sites, told apart by the client's /%u",
		         bits_of(t->is.client));
	else if (y->with_type < 2)
		snprintf(detail, sizeof detail, "the only site that has this type");
	else
		snprintf(detail, sizeof detail, "%s", CHOICE_BY_ORDER);
	t->is.rec->on_step(t->is.rec->arg, "nearest", detail);
	if (y->best != NULL)
		t->is.rec->on_left(t->is.rec->arg, y->best);
}

static bool is_in_union(const struct task *t, const struct choice *c, const struct rrset *rrset)
{
	bool found = rrset == c->rrset;

	for (unsigned i = 0; i < c->more; i++)
		found |= rrset == t->is.more[i];
	return found;
}

static void tell_fitting(const struct task *t, const struct choice *c)
{
	t->is.rec->on_step(t->is.rec->arg, "all",
	                   "as many usable sites that have this type as fit one answer");
	for (size_t i = 0; i < node_site_count(t->is.node); i++) {
		const struct site *site = node_site(t->is.node, i);

		if (is_usable(t, site, NULL) && is_in_union(t, c, site_rrset(site, t->is.type)))
			t->is.rec->on_left(t->is.rec->arg, site);
	}
}

static void tell_all(const struct task *t, const struct tally *y, const struct choice *c)
{
	if (y->is_cut) {
		tell_fitting(t, c);
		return;
	}
	t->is.rec->on_step(t->is.rec->arg, "all",
	                   y->best != NULL ? "every usable site that has this type"
	                                   : "no usable site has this type");
	tell_sites(t, true);
}

/* --- the decision --- */

/* Honest for every address inside: the leaf's order, and the bucket when it told sites apart.
 * It depends on what sites have, not on which of them are usable, so that health does not make
 * it flicker. */
static uint8_t scope_of(const struct task *t, const struct tally *y)
{
	unsigned depth = t->is.client->leaf.depth;

	if (!t->is.client->has_scope || y->with_type < 2)
		return 0;
	if (y->tied && depth < bits_of(t->is.client))
		depth = bits_of(t->is.client);
	return (uint8_t)depth;
}

static struct choice choose_nearest(const struct task *t, struct tally *y)
{
	struct choice c = {.cluster = CHOICE_NO_CLUSTER, .reason = STATS_NEAREST};

	if (node_site_count(t->is.node) > 1) {
		t->is.client->leaf = choose_place(snapshot_ranking(t->is.s), t->is.client);
		t->is.client->is_placed = true;
	}
	find_nearest(t, y);
	if (y->best == NULL)
		return c;
	c.rrset = y->rrset;
	c.ttl = y->rrset->ttl;
	c.cluster = site_cluster(y->best);
	c.scope = scope_of(t, y);
	return c;
}

static struct choice choose_among(const struct task *t, struct tally *y)
{
	struct choice c = {.cluster = CHOICE_NO_CLUSTER, .reason = STATS_ALL};

	*y = (struct tally){0};
	if (!snapshot_settings(t->is.s)->all)
		return choose_nearest(t, y);
	find_all(t, y, &c);
	return c;
}

static void tell(const struct task *t, const struct tally *y, const struct choice *c)
{
	if (snapshot_settings(t->is.s)->all)
		tell_all(t, y, c);
	else
		tell_nearest(t, y);
}

static struct choice take_steps(struct task *t)
{
	const struct rrset *fallback = node_fallback(t->is.node);
	const struct recorder *rec = t->is.rec;
	struct tally y;
	struct choice c = choose_among(t, &y);
	bool troubled = y.troubled, missing = !y.any_usable || (fallback != NULL && !y.has_address);

	if (rec != NULL) {
		rec->on_choice(rec->arg, t->is.node);
		tell_usable(t);
	}
	if (missing && fallback != NULL && (node_flags(t->is.node) & NODE_FAIL_OPEN) == 0) {
		c = (struct choice){.rrset = fallback,
		                    .ttl = fallback->ttl,
		                    .cluster = CHOICE_NO_CLUSTER,
		                    .reason = STATS_FALLBACK};
		if (rec != NULL)
			rec->on_step(rec->arg, "fallback",
			             "no usable site has an address: to the next level");
	} else {
		if (!y.any_usable) {
			t->everyone = true;
			c = choose_among(t, &y);
			c.reason = STATS_FAIL_OPEN;
			troubled = true;
			if (rec != NULL) {
				rec->on_step(rec->arg, "failOpen",
				             "no site is usable: answered as if all were");
				tell_sites(t, false);
			}
		}
		if (rec != NULL)
			tell(t, &y, &c);
	}
	if (troubled && c.ttl > snapshot_settings(t->is.s)->degraded_ttl)
		c.ttl = snapshot_settings(t->is.s)->degraded_ttl;
	return c;
}

void choose_step_by_step(const struct choosing *how, struct choice *out)
{
	struct task t = {.is = *how, .asks_address = node_fallback(how->node) != NULL};

	*out = take_steps(&t);
}

/* --- the decision at once, when the nearest place has several clusters --- */

/* Else nothing is that simple. */
static bool is_candidate(const struct choosing *how, const struct site *site)
{
	return site_rrset(site, how->type) != NULL && choose_is_simple(how, site);
}

/* The site of the next of these clusters that has one, NULL: none has.  Both lists are by name, so the search goes on where
 * it was. */
static const struct site *next_site(const struct node *n, const uint16_t **member, size_t *at)
{
	const struct site *site = NULL;

	while (site == NULL && **member != RANKING_NO_CLUSTER)
		site = node_find_site_from(n, *(*member)++, at);
	return site;
}

/* Of several sites, the one with the highest score. */
static const struct site *win(const struct choosing *how, uint64_t asker, const struct site *a,
                              const struct site *b, uint64_t *score)
{
	uint64_t other = score_of(how->s, asker, b);

	if (other <= *score)
		return a;
	*score = other;
	return b;
}

/* Among the sites of clusters that count as one place. */
enum group { GROUP_DONE, GROUP_NOBODY /* has a site there */, GROUP_NOT_SIMPLE };

static enum group choose_in_group(const struct choosing *how, uint16_t group, struct choice *out)
{
	const uint16_t *member = ranking_members(snapshot_ranking(how->s), group);
	uint64_t asker = 0, score = 0;
	unsigned bits = 0;
	size_t at = 0;
	const struct site *best = next_site(how->node, &member, &at), *site = best;

	if (best == NULL)
		return GROUP_NOBODY;
	while (is_candidate(how, site)) {
		site = next_site(how->node, &member, &at);
		if (site == NULL) {
			*out = choose_site(how, best, site_rrset(best, how->type));
			if (how->client->has_scope && out->scope < bits)
				out->scope = (uint8_t)bits;
			return GROUP_DONE;
		}
		if (bits == 0) {
			asker = asker_of(how, &bits);
			score = score_of(how->s, asker, best);
		}
		best = win(how, asker, best, site, &score);
	}
	return GROUP_NOT_SIMPLE;
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
	how.client = &client;
	return choose_down(&how);
}

void choose(const struct choosing *how, struct choice *out)
{
	*out = (struct choice){0};
	if (how->rec == NULL)
		*out = choose_at_once(how);
	if (out->rrset == NULL)
		choose_step_by_step(how, out);
}
