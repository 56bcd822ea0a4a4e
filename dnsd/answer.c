/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "dnsd/additional.h"
#include "dnsd/alone.h"
#include "dnsd/rare.h"
#include "dnsd/terms.h"
#include "zones/rdata.h"

/* One query on its way along a chain of names. */
struct walk {
	const struct snapshot *s;
	const struct query *q;
	struct answer *out;
	const struct recorder *rec;
	const struct addr *resolver;
	struct client client;
	const struct name *name; /* of the current link */
	const uint8_t *owner;    /* the same name, as it was written */
	struct bytes target;     /* where it goes on; data NULL: it ends here */
	struct name parsed;      /* room for names that are not the question's */
};

/* --- sections --- */

static void report(const struct recorder *rec, const char *stage, const char *detail)
{
	if (rec != NULL)
		rec->on_step(rec->arg, stage, detail);
}

static void tell(const struct walk *w, const char *stage, const char *detail)
{
	report(w->rec, stage, detail);
}

/* The answering path has no recorder, and allocates nothing. */
RARE static void tell_alias(const struct walk *w)
{
	struct text detail = {0};
	char *owner, *target;

	if (w->rec == NULL)
		return;
	owner = rdata_to_text(RR_PTR, (struct bytes){w->owner, w->name->len});
	target = rdata_to_text(RR_PTR, w->target);
	text_printf(&detail, "%s is an alias of %s", owner, target);
	tell(w, "cname", detail.data);
	free(owner);
	free(target);
	text_fini(&detail);
}

static void fill(struct answer_set *set, const uint8_t *owner, const struct rrset *rrset,
                 uint32_t ttl)
{
	set->owner = owner;
	set->rrset = rrset;
	set->ttl = ttl;
	set->more = 0;
	set->from = 0;
}

static void put_set(struct answer *out, const uint8_t *owner, const struct rrset *rrset,
                    uint32_t ttl)
{
	CHECK(out->set_count < ANSWER_MAX_SETS);
	fill(&out->set[out->set_count++], owner, rrset, ttl);
}

static void put_authority(struct answer *out, const uint8_t *owner, const struct rrset *rrset,
                          uint32_t ttl)
{
	fill(&out->authority[0], owner, rrset, ttl);
	out->authority_count = 1;
}

/* The scope is that of the links that led here: another client may have come elsewhere. */
RARE static void fail(struct answer *out, enum rcode rcode, enum edns_ede ede,
                      enum stats_reason reason)
{
	out->rcode = rcode;
	out->ede = ede;
	out->reason = reason;
	out->authoritative = false;
	out->set_count = out->authority_count = out->glue_count = out->glue_required = 0;
	out->cluster = CHOICE_NO_CLUSTER;
}

/* The last labels of the current name, as they were written: where an ancestor's name can be
 * pointed to. */
static const uint8_t *ancestor(const struct walk *w, unsigned labels)
{
	return w->owner + w->name->at[w->name->labels - labels];
}

/* RFC 2308 3: the SOA says how long.  False: it is not known whether it can be denied. */
static bool put_denial(struct walk *w, const struct zone *zone, enum rcode rcode)
{
	struct answer *out = w->out;

	if ((rcode == RCODE_NXDOMAIN && snapshot_settings(w->s)->incomplete) ||
	    zone_is_incomplete(zone)) {
		tell(w, "incomplete", "no such name so far, but a source was never read");
		fail(out, RCODE_SERVFAIL, EDE_NOT_READY, STATS_NOT_READY);
		return false;
	}
	out->rcode = rcode;
	out->reason = rcode == RCODE_NXDOMAIN ? STATS_NXDOMAIN : STATS_NODATA;
	put_authority(out, ancestor(w, zone_apex_labels(zone)), zone_soa(zone),
	              zone_negative_ttl(zone));
	out->denial = zone_denial(zone);
	return true;
}

static void deny(struct walk *w, const struct zone *zone, enum rcode rcode)
{
	if (!put_denial(w, zone, rcode))
		return;
	tell(w, rcode == RCODE_NXDOMAIN ? "nxdomain" : "nodata",
	     rcode == RCODE_NXDOMAIN ? "the name does not exist"
	                             : "the name has no records of this type");
}

/* --- more addresses than are told --- */

static bool is_address(uint16_t type) { return type == RR_A || type == RR_AAAA; }

struct told answer_told_some(const struct answer *a, const struct answer_set *set, unsigned part)
{
	const struct rrset *rrset = part == 0 ? set->rrset : a->more[part - 1];
	unsigned parts = set->more + 1U, share = a->most / parts;
	size_t step = 2U + bytes_get16(rrset->data);

	/* What is left over goes to some of them, others for other clients. */
	share += (part + set->from) % parts < a->most % parts;
	return (struct told){rrset, set->from % rrset->count * step,
	                     share < rrset->count ? share : rrset->count};
}

bool answer_told_before(const struct answer *a, const struct answer_set *set, unsigned part,
                        struct bytes rdata)
{
	if (part == 0)
		return false;
	if (set->from == 0)
		return rrsets_have(set->rrset, a->more, part - 1, rdata);
	for (unsigned i = 0; i < part; i++) {
		struct told t = answer_told_some(a, set, i);
		size_t count = t.rrset->count, place = rrset_find_address(t.rrset, rdata);

		/* So many places behind the first that is told. */
		if (place < count && (place + count - t.at / (2 + rdata.len)) % count < t.left)
			return true;
	}
	return false;
}

static unsigned count_addresses(const struct answer *out, const struct answer_set *set)
{
	unsigned count = set->rrset->count;

	for (unsigned i = 0; i < set->more; i++)
		count += out->more[i]->count;
	return count;
}

/* Which ones is a matter of the client's bucket and the name, so that all are told to somebody, and each client is told
 * the same again, by every replica. */
RARE static void limit_addresses(struct walk *w, const struct policy *policy)
{
	struct answer *out = w->out;
	struct answer_set *set = &out->set[out->set_count - 1];
	struct client_bucket bucket;
	uint64_t mixed;

	if (!is_address(set->rrset->type) || count_addresses(out, set) <= out->most)
		return;
	bucket = client_bucket(w->client.source, w->client.has_scope, policy);
	mixed = hash_mix(bucket.number, hash_fixed((struct bytes){w->name->wire, w->name->len}));
	set->from = (uint16_t)(1 + mixed % (UINT16_MAX - 1));
	if (w->client.has_scope && bucket.bits > out->scope)
		out->scope = (uint8_t)bucket.bits;
	tell(w, "maxAddresses", "there are more addresses than are told at once");
}

/* --- referrals --- */

static void put_glue(struct answer *out, const uint8_t *owner, const struct node *n, uint16_t type,
                     bool required)
{
	const struct rrset *rrset = node_rrset(n, type);

	if (rrset == NULL || rrset->type != type)
		return;
	if (out->glue_count == ANSWER_MAX_GLUE) {
		out->glue_missing |= required;
		return;
	}
	fill(&out->glue[out->glue_count], owner, rrset, rrset->ttl);
	if (rrset->count > out->most)
		out->glue[out->glue_count].from = 1;
	out->glue_count++;
	if (required)
		out->glue_required = out->glue_count;
}

/* Do both names have the same last labels? */
static bool ends_alike(const struct name *a, const struct name *b, unsigned labels)
{
	const uint8_t *from_a, *from_b;

	if (a->labels < labels || b->labels < labels)
		return false;
	from_a = a->wire + a->at[a->labels - labels];
	from_b = b->wire + b->at[b->labels - labels];
	return a->wire + a->len - from_a == b->wire + b->len - from_b &&
	       memcmp(from_a, from_b, (size_t)(a->wire + a->len - from_a)) == 0;
}

/* Inside the delegated zone what the delegating one has counts, and where it has nothing, as outside, the zone that has the
 * name. */
static const struct node *find_host(const struct walk *w, const struct zone *delegating,
                                    const struct name *host, bool inside)
{
	const struct node *n = inside ? zone_find_node(delegating, host) : NULL;
	const struct zone *zone;

	if (n != NULL && (node_flags(n) & NODE_EMPTY) == 0)
		return n;
	zone = snapshot_find_zone(w->s, host);
	if (zone == NULL || (!inside && !answer_is_admitted(w->s, zone, w->resolver)))
		return NULL;
	return zone_find_node(zone, host);
}

/* One pass over the name servers: those inside the delegated zone, or all others. */
static void find_glue(struct walk *w, const struct zone *delegating, const struct rrset *ns,
                      unsigned cut_labels, bool inside)
{
	struct bytes rdata;
	struct name host; /* not in w->parsed: that may be the name which is referred */
	unsigned seen = 0;

	for (size_t at = 0; rrset_next(ns, &at, &rdata) && seen < ANSWER_MAX_GLUE; seen++) {
		const struct node *n;

		if (name_parse(&host, rdata.data, rdata.len) == 0 ||
		    ends_alike(&host, w->name, cut_labels) != inside)
			continue;
		n = find_host(w, delegating, &host, inside);
		if (n == NULL)
			continue;
		put_glue(w->out, rdata.data, n, RR_A, inside);
		put_glue(w->out, rdata.data, n, RR_AAAA, inside);
	}
	if (inside && seen == ANSWER_MAX_GLUE && ns->count > ANSWER_MAX_GLUE)
		w->out->glue_missing = true;
}

/* RFC 1034 4.3.2 3b; RFC 9471: glue inside the delegated zone must be there, other glue may. */
static void refer(struct walk *w, const struct zone *zone, const struct zone_hit *hit)
{
	const struct rrset *ns = node_rrset(hit->node, RR_NS);
	unsigned labels = hit->encloser_labels;

	w->out->reason = STATS_REFERRAL;
	if (w->out->set_count == 0)
		w->out->authoritative = false;
	tell(w, "referral", "the name belongs to a delegated zone");
	if (ns == NULL || ns->type != RR_NS)
		return;
	put_authority(w->out, ancestor(w, labels), ns, ns->ttl);
	find_glue(w, zone, ns, labels, true);
	find_glue(w, zone, ns, labels, false);
}

/* --- names that go on elsewhere --- */

static struct bytes first_rdata(const struct rrset *rrset)
{
	struct bytes rdata = {0};
	size_t at = 0;

	(void)rrset_next(rrset, &at, &rdata);
	return rdata;
}

/* RFC 6672 2.2: the labels below the DNAME's owner, put before its target. */
static struct rrset *synthesize(struct answer *out, const uint8_t *owner, size_t prefix,
                                struct bytes target, uint32_t ttl)
{
	struct rrset *cname = (struct rrset *)(void *)out->link[out->link_count++];
	size_t len = prefix + target.len;

	cname->ttl = ttl;
	cname->type = RR_CNAME;
	cname->count = 1;
	cname->bytes = (uint32_t)(2 + len);
	bytes_put16(cname->data, (uint16_t)len);
	memcpy(cname->data + 2, owner, prefix);
	memcpy(cname->data + 2 + prefix, target.data, target.len);
	return cname;
}

static void answer_dname(struct walk *w, const struct zone_hit *hit)
{
	const struct rrset *dname = node_rrset(hit->node, RR_DNAME);
	size_t prefix = w->name->at[w->name->labels - hit->encloser_labels];
	struct bytes target = dname != NULL ? first_rdata(dname) : (struct bytes){0};
	const struct rrset *cname;
	bool is_there = false;

	if (target.len == 0)
		return;
	for (unsigned i = 0; i < w->out->set_count; i++)
		is_there |= w->out->set[i].rrset == dname;
	if (!is_there)
		put_set(w->out, w->owner + prefix, dname, dname->ttl);
	w->out->reason = STATS_FIXED;
	tell(w, "dname", "a name above is an alias for a whole tree");
	if (prefix + target.len > NAME_MAX_LEN) {
		w->out->rcode = RCODE_YXDOMAIN;
		return;
	}
	cname = synthesize(w->out, w->owner, prefix, target, dname->ttl);
	put_set(w->out, w->owner, cname, cname->ttl);
	if (w->q->type != RR_CNAME && w->q->type != RR_ANY)
		w->target = first_rdata(cname);
}

/* --- data --- */

/* RFC 8482 4.1: to ANY, one RRset. */
static const struct rrset *pick_fixed(const struct node *n, uint16_t type)
{
	const struct rrset *rrset;

	if (type != RR_ANY)
		return node_rrset(n, type);
	rrset = node_rrset(n, RR_A);
	if (rrset == NULL)
		rrset = node_rrset(n, RR_AAAA);
	return rrset != NULL ? rrset : node_rrset_at(n, 0);
}

/* The type that stands for ANY: A, AAAA, or the first that any site has. */
static uint16_t pick_type(const struct node *n)
{
	uint16_t other = RR_A;
	bool has_other = false;

	for (unsigned type = RR_A;; type = RR_AAAA) {
		for (size_t i = 0; i < node_site_count(n); i++) {
			const struct rrset *first = site_rrset_at(node_site(n, i), 0);

			if (site_rrset(node_site(n, i), (uint16_t)type) != NULL)
				return (uint16_t)type;
			if (first != NULL && !has_other) {
				other = first->type;
				has_other = true;
			}
		}
		if (type == RR_AAAA)
			return other;
	}
}

static bool is_chosen(const struct walk *w, const struct choice *c, const struct rrset *rrset)
{
	if (rrset == c->rrset)
		return true;
	for (unsigned i = 0; i < c->more; i++)
		if (rrset == w->out->more[i])
			return true;
	return false;
}

/* Is any of it from a cluster that cannot be seen, or was it chosen while nothing can be, so by what was known last? */
static bool is_stale(const struct walk *w, const struct node *n, const struct choice *c)
{
	if (snapshot_settings(w->s)->frozen)
		return true;
	for (size_t i = 0; i < node_site_count(n); i++) {
		const struct site *site = node_site(n, i);
		const struct snapshot_cluster *cluster = snapshot_cluster(w->s, site_cluster(site));
		const struct rrset *rrset;

		if (cluster == NULL || !cluster->unseen)
			continue;
		rrset = site_rrset(site, c->rrset->type);
		if (rrset != NULL && is_chosen(w, c, rrset))
			return true;
	}
	return false;
}

/* The name's policy has no site for the client.  No denial (RFC 7871 7.4), and for others it is otherwise: who keeps the failure
 * (RFC 9520) must know for whom. */
RARE static void refuse(struct walk *w, const struct zone *zone, const struct choice *c)
{
	struct answer *out = w->out;

	if (c->scope > out->scope)
		out->scope = c->scope;
	if (c->refusal == CHOICE_FORBIDDEN) {
		fail(out, RCODE_REFUSED, EDE_PROHIBITED, STATS_PROHIBITED);
		return;
	}
	if (c->refusal == CHOICE_NOT_READY) {
		fail(out, RCODE_SERVFAIL, EDE_NOT_READY, STATS_NOT_READY);
		return;
	}
	/* Choosing has told why there is no data: the name has records of this type. */
	if (!put_denial(w, zone, RCODE_NOERROR) || out->authority[0].ttl <= c->ttl)
		return;
	out->authority[0].ttl = c->ttl;
	out->denial = NULL;
}

/* False: all is said. */
static bool answer_sites(struct walk *w, const struct zone *zone, const struct node *n,
                         const struct rrset **rrset)
{
	struct answer *out = w->out;
	uint16_t type = w->q->type == RR_ANY ? pick_type(n) : w->q->type;
	struct choosing how = {w->s, n, w->name, type, &w->client, out->more, w->rec};
	struct choice c;

	choose(&how, &c);
	*rrset = c.rrset;
	if (c.rrset == NULL && c.refusal != CHOICE_IS_MADE) {
		refuse(w, zone, &c);
		return false;
	}
	if (c.rrset == NULL)
		return true;
	put_set(out, w->owner, c.rrset, c.ttl);
	out->set[out->set_count - 1].more = c.more;
	out->reason = c.reason;
	out->cluster = c.cluster;
	if (c.scope > out->scope)
		out->scope = c.scope;
	if (snapshot_any_unseen(w->s) && is_stale(w, n, &c)) {
		out->ede = EDE_STALE;
		tell(w, "stale",
		     snapshot_settings(w->s)->frozen
		             ? "nothing can be reached: what was up and down when it last could"
		             : "a cluster of the answer cannot be seen: its last known data");
	}
	if (c.most != 0 && c.rrset->type != RR_CNAME)
		out->most = c.most;
	if (c.more > 0 || c.rrset->count > out->most)
		limit_addresses(w, snapshot_node_policy(w->s, n));
	return true;
}

static bool goes_on(const struct walk *w, const struct rrset *rrset)
{
	return rrset->type == RR_CNAME && w->q->type != RR_CNAME && w->q->type != RR_ANY;
}

ALWAYS static inline void answer_node(struct walk *w, const struct zone *zone, const struct node *n)
{
	unsigned flags = node_flags(n);
	const struct rrset *rrset = NULL;

	/* Of what the zone says of itself the file that was not read knows better. */
	if ((flags & NODE_APEX) != 0 && zone_is_incomplete(zone)) {
		deny(w, zone, RCODE_NOERROR);
		return;
	}
	/* An apex has both, SOA and NS beside its sites, and so may a name of a zone file. */
	if (node_has_fixed(n)) {
		rrset = pick_fixed(n, w->q->type);
		if (rrset != NULL) {
			put_set(w->out, w->owner, rrset, rrset->ttl);
			w->out->reason = STATS_FIXED;
			if (rrset->count > w->out->most)
				limit_addresses(w, &snapshot_head(w->s)->preset);
			if (!goes_on(w, rrset))
				tell(w, "fixed", "the same for every client");
		}
	}
	if (rrset == NULL && (flags & NODE_SITES) != 0 && !answer_sites(w, zone, n, &rrset))
		return;
	if (rrset == NULL)
		deny(w, zone, RCODE_NOERROR);
	else if (goes_on(w, rrset))
		w->target = first_rdata(rrset);
	else if (additional_is_wanted(w->q->type)) /* to ANY, as little as may be (RFC 8482) */
		additional_find(w->s, &w->client, w->resolver, w->out, &w->parsed);
}

/* RFC 4035 3.1.4.1: DS lives above the cut; when that zone is ours too, it answers.  But not to deny a zone that is there. */
RARE static const struct zone *zone_of_ds(const struct snapshot *s, const struct name *n,
                                          const struct zone *zone)
{
	const struct zone *above;
	struct name parent;
	struct zone_hit hit;

	if (n->labels == 0 || zone_apex_labels(zone) != n->labels ||
	    name_parse(&parent, n->wire + n->at[1], (size_t)(n->len - n->at[1])) == 0)
		return zone;
	above = snapshot_find_zone(s, &parent);
	if (above == NULL)
		return zone;
	hit = zone_walk_down(above, n, zone_find_node(above, n));
	if (hit.encloser_labels != n->labels)
		return zone;
	return hit.match == ZONE_CUT || hit.match == ZONE_EXACT ? above : zone;
}

/* A name that is not found, or found to be somebody else's. */
RARE static void answer_beyond(struct walk *w, const struct zone *zone, const struct node *found)
{
	struct zone_hit hit = zone_walk_down(zone, w->name, found);
	bool is_at_cut = hit.match == ZONE_CUT && hit.encloser_labels == w->name->labels;

	if (w->out->origin == NULL)
		w->out->origin = hit.node;
	if (hit.match == ZONE_EXACT || hit.match == ZONE_WILDCARD ||
	    (is_at_cut && w->q->type == RR_DS))
		answer_node(w, zone, hit.node);
	else if (hit.match == ZONE_ABSENT)
		deny(w, zone, RCODE_NXDOMAIN);
	else if (hit.match == ZONE_DNAME)
		answer_dname(w, &hit);
	else
		refer(w, zone, &hit);
}

/* `found`: by zone_find_node(). */
ALWAYS static inline void answer_link(struct walk *w, const struct zone *zone,
                                      const struct node *found)
{
	if (!zone_is_found(found)) {
		answer_beyond(w, zone, found);
		return;
	}
	if (w->out->origin == NULL)
		w->out->origin = found;
	answer_node(w, zone, found);
}

/* The zone of the next link, or NULL when the chain ends: it leaves our zones, or those
 * that may be asked for, or comes back to itself. */
static const struct zone *next_zone(struct walk *w)
{
	struct answer *out = w->out;
	const struct zone *zone;

	tell_alias(w);
	for (unsigned i = 0; i < out->set_count; i++) {
		const struct answer_set *set = &out->set[i];

		if (set->rrset->type == RR_CNAME &&
		    name_wire_compare(set->owner, w->target.data) == 0)
			return NULL;
	}
	if (name_parse(&w->parsed, w->target.data, w->target.len) == 0)
		return NULL;
	w->name = &w->parsed;
	w->owner = w->target.data;
	w->target = (struct bytes){0};
	zone = snapshot_find_zone(w->s, w->name);
	if (zone != NULL && w->q->type == RR_DS)
		zone = zone_of_ds(w->s, w->name, zone);
	return zone != NULL && answer_is_admitted(w->s, zone, w->resolver) ? zone : NULL;
}

/* The other links of a chain. */
RARE static void follow(struct walk *w)
{
	for (unsigned links = 1; w->target.len > 0 && links < ANSWER_MAX_LINKS; links++) {
		const struct zone *zone = next_zone(w);

		if (zone == NULL)
			return;
		answer_link(w, zone, zone_find_node(zone, w->name));
	}
}

static void prepare(struct answer *out, const struct query *q)
{
	memset(out, 0, offsetof(struct answer, set));
	out->qname = q->packet + DNS_HEADER_LEN;
	out->authoritative = true;
	out->cluster = CHOICE_NO_CLUSTER;
}

bool answer_is_by_subnet(const struct snapshot *s, const struct query *q,
                         const struct addr *resolver)
{
	return alone_is_by_subnet(s, q, resolver);
}

/* What is said of this server itself, in the class CHAOS (RFC 4892); NULL: nothing. */
static const struct rrset *find_identity(const struct snapshot *s, const struct query *q)
{
	const struct terms *terms = s != NULL ? snapshot_terms(s) : NULL;

	if (q->rcode != RCODE_REFUSED || q->class != CLASS_CH || terms == NULL)
		return NULL;
	return q->type == RR_TXT || q->type == RR_ANY ? terms_identity(terms, &q->name) : NULL;
}

/* A query that no zone answers. */
RARE static void answer_unzoned(const struct snapshot *s, const struct query *q, struct answer *out)
{
	const struct rrset *identity = find_identity(s, q);

	if (identity != NULL)
		put_set(out, out->qname, identity, identity->ttl);
	else if (q->is_cookie_only)
		out->authoritative = false;
	else
		fail(out, q->rcode, q->ede,
		     q->rcode == RCODE_REFUSED ? STATS_OUTSIDE : STATS_ERROR);
}

/* `found`: by zone_find_node() in the answer's zone. */
static void answer_by_steps(const struct snapshot *s, const struct query *q,
                            const struct addr *resolver, const struct node *found,
                            struct answer *out, const struct recorder *rec)
{
	struct walk w;

	w.s = s;
	w.q = q;
	w.out = out;
	w.rec = rec;
	w.resolver = resolver;
	w.client = answer_client(s, q, resolver);
	w.name = &q->name;
	w.owner = out->qname;
	w.target = (struct bytes){0};
	answer_link(&w, out->zone, found);
	if (w.target.len > 0)
		follow(&w);
	out->stands_alone = alone_is_all(q, out);
}

/* What is not that simple, or no zone's. */
RARE static void answer_otherwise(const struct snapshot *s, const struct query *q,
                                  const struct addr *resolver, const struct zone *zone,
                                  const struct node *found, struct answer *out,
                                  const struct recorder *rec)
{
	prepare(out, q);
	if (q->rcode != RCODE_NOERROR) {
		answer_unzoned(s, q, out);
		return;
	}
	if (s == NULL || !snapshot_settings(s)->ready) {
		report(rec, "notReady", "not every source is read yet");
		fail(out, RCODE_SERVFAIL, EDE_NOT_READY, STATS_NOT_READY);
		return;
	}
	if (zone == NULL) {
		report(rec, "outside", "no zone here holds this name");
		fail(out, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, STATS_OUTSIDE);
		return;
	}
	out->most = snapshot_most_addresses(s);
	if (q->type == RR_DS) {
		zone = zone_of_ds(s, &q->name, zone);
		found = zone_find_node(zone, &q->name);
	}
	if (!answer_is_admitted(s, zone, resolver)) {
		report(rec, "prohibited", "the resolver's address may not ask for this zone");
		fail(out, RCODE_REFUSED, EDE_PROHIBITED, STATS_PROHIBITED);
		return;
	}
	out->zone = zone;
	answer_by_steps(s, q, resolver, found, out, rec);
}

ALWAYS static inline void decide(const struct snapshot *s, const struct query *q,
                                 const struct addr *resolver, struct answer *out,
                                 const struct recorder *rec)
{
	const struct zone *zone = NULL;
	const struct node *found = NULL;

	if (q->rcode == RCODE_NOERROR && s != NULL && snapshot_settings(s)->ready) {
		zone = snapshot_find_node(s, &q->name, &found);
		if (zone != NULL && rec == NULL && alone_answer(s, q, resolver, zone, found, out))
			return;
	}
	answer_otherwise(s, q, resolver, zone, found, out, rec);
}

void answer_decide(const struct snapshot *s, const struct query *q, const struct addr *resolver,
                   struct answer *out)
{
	decide(s, q, resolver, out, NULL);
}

void answer_explain(const struct snapshot *s, const struct query *q, const struct addr *resolver,
                    struct answer *out, const struct recorder *rec)
{
	decide(s, q, resolver, out, rec);
}

void answer_soa(const struct snapshot *s, const struct query *q, struct answer *out)
{
	const struct zone *zone = snapshot_find_apex(s, &q->name);
	const struct rrset *soa = zone_soa(zone);

	prepare(out, q);
	out->zone = zone;
	out->origin = zone_find_node(zone, &q->name);
	out->most = UINT16_MAX;
	if (zone_is_incomplete(zone)) {
		fail(out, RCODE_SERVFAIL, EDE_NOT_READY, STATS_NOT_READY);
		return;
	}
	put_set(out, out->qname, soa, soa->ttl);
	out->reason = STATS_FIXED;
}
