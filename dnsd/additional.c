/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/additional.h"

#include "dnsd/terms.h"

/* Of an RRset: who has more tells clients enough. */
enum { TARGETS_MOST = 16 };

struct search {
	const struct snapshot *s;
	struct client *client;
	const struct addr *resolver;
	struct answer *out;
	const struct name *target;
	const uint8_t *owner; /* the same name, as it is written */
};

/* Another record may have named the same host (RFC 2181 5). */
static bool is_there(const struct search *a, const struct rrset *rrset)
{
	for (unsigned i = 0; i < a->out->glue_count; i++)
		if (a->out->glue[i].rrset == rrset &&
		    name_wire_compare(a->out->glue[i].owner, a->owner) == 0)
			return true;
	return false;
}

static void put(struct search *a, const struct rrset *rrset, uint32_t ttl)
{
	struct answer *out = a->out;

	if (out->glue_count == ANSWER_MAX_GLUE || is_there(a, rrset))
		return;
	/* Of many addresses the first are told, the same to all: work that grows with them is none. */
	out->glue[out->glue_count++] = (struct answer_set){
		.owner = a->owner, .rrset = rrset, .ttl = ttl, .from = rrset->count > out->most};
}

/* --- a host with sites --- */

static const struct site *same_site(const struct search *a, const struct node *n)
{
	const struct policy *policy = snapshot_node_policy(a->s, n);
	const struct site *site = NULL;

	if (a->out->cluster != CHOICE_NO_CLUSTER)
		site = node_find_site(n, a->out->cluster);
	/* Which clients may be sent where is not the other name's to say. */
	if (site == NULL || policy->has_fence || !snapshot_site_is_usable(a->s, policy, site, NULL))
		return NULL;
	return site;
}

static bool is_troubled(const struct search *a, const struct node *n)
{
	const struct policy *policy = snapshot_node_policy(a->s, n);
	bool any = false, troubled;

	if (snapshot_is_calm(a->s))
		return false;
	for (size_t i = 0; i < node_site_count(n); i++) {
		(void)snapshot_site_is_usable(a->s, policy, node_site(n, i), &troubled);
		any |= troubled;
	}
	return any;
}

static void put_of_site(struct search *a, const struct node *n, const struct site *site,
                        uint16_t type)
{
	const struct rrset *rrset = site_rrset(site, type);

	if (rrset == NULL || rrset->type != type)
		return;
	put(a, rrset,
	    choose_ttl(a->s, snapshot_node_policy(a->s, n), site, rrset->ttl, is_troubled(a, n)));
}

/* An RRset goes whole or not at all (RFC 2181 5): there is no room for a union here. */
static void put_chosen(struct search *a, const struct node *n, uint16_t type)
{
	const struct rrset *more[CHOICE_UNION_MAX];
	struct choice c;

	choose(&(struct choosing){a->s, n, a->target, type, a->client, more, NULL}, &c);
	if (c.rrset == NULL || c.rrset->type != type || c.more > 0)
		return;
	put(a, c.rrset, c.ttl);
	if (c.scope > a->out->scope)
		a->out->scope = c.scope;
}

/* --- any host --- */

static void put_type(struct search *a, const struct node *n, uint16_t type)
{
	const struct rrset *rrset = node_rrset(n, type);
	const struct site *site;

	if (rrset != NULL && rrset->type == type) {
		put(a, rrset, rrset->ttl);
		return;
	}
	if ((node_flags(n) & NODE_SITES) == 0)
		return;
	site = same_site(a, n);
	if (site != NULL)
		put_of_site(a, n, site, type);
	else
		put_chosen(a, n, type);
}

/* Who may not ask for the target's zone is not told of it here.  What is below a cut is the child's to say, and no data of
 * ours (RFC 2181 6.1). */
static void put_target(struct search *a)
{
	const struct zone *zone = snapshot_find_zone(a->s, a->target);
	struct zone_hit hit;

	if (zone == NULL || !terms_admit(snapshot_terms(a->s), zone_apex(zone), a->resolver))
		return;
	hit = zone_find(zone, a->target);
	if (hit.match != ZONE_EXACT && hit.match != ZONE_WILDCARD)
		return;
	put_type(a, hit.node, RR_A);
	put_type(a, hit.node, RR_AAAA);
}

/* How many bytes of RDATA come before the name. */
static size_t before_target(uint16_t type)
{
	switch (type) {
	case RR_SRV:
		return 6;
	case RR_MX:
	case RR_SVCB:
	case RR_HTTPS:
		return 2;
	default:
		return 0;
	}
}

void additional_find(const struct snapshot *s, struct client *client, const struct addr *resolver,
                     struct answer *out, struct name *name)
{
	const struct answer_set *set = &out->set[out->set_count - 1];
	bool is_service = set->rrset->type == RR_SVCB || set->rrset->type == RR_HTTPS;
	size_t before = before_target(set->rrset->type);
	struct bytes rdata;

	for (size_t at = 0, seen = 0; seen < TARGETS_MOST && rrset_next(set->rrset, &at, &rdata);
	     seen++) {
		struct search a = {s, client, resolver, out, name, NULL};

		if (rdata.len <= before)
			continue;
		a.owner = rdata.data + before;
		/* RFC 9460 2.5.2: "." is the owner itself; elsewhere it is nobody (RFC 2782, 7505). */
		if (*a.owner == 0 && is_service)
			a.owner = set->owner;
		if (*a.owner != 0 && name_parse(name, a.owner, name_wire_len(a.owner)) > 0)
			put_target(&a);
	}
}
