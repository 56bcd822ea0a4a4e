/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/respond.h"

#include <string.h>

#include "base/clock.h"
#include "dnsd/encode.h"
#include "dnsd/rare.h"
#include "dnsd/terms.h"

static void count_answer(struct stats *s, enum stats_transport transport, const struct query *q,
                         const struct answer *a, const uint8_t *out)
{
	/* There is no subnet without OPT. */
	enum stats_opt opt = (enum stats_opt)(q->edns.present + q->edns.ecs.present);

	stats_add(&s->answers[stats_kind(transport, opt, a->reason, a->rcode)], 1);
	if (a->zone != NULL)
		stats_add_zone(s, zone_key(a->zone));
	if (a->cluster < RANKING_MAX_CLUSTERS)
		stats_add(&s->clusters[a->cluster], 1);
	if (a->rcode == RCODE_FORMERR)
		stats_add(&s->events[STATS_MALFORMED], 1);
	if (encode_is_truncated(out))
		stats_add(&s->events[STATS_TRUNCATED], 1);
}

/* A fault in an option: nothing of the OPT is answered. */
RARE static void refuse_options(struct query *q)
{
	edns_forget_options(&q->edns);
	q->is_cookie_only = false;
	if (q->rcode == RCODE_NOTIMP)
		return;
	q->rcode = RCODE_FORMERR;
	q->ede = EDE_NONE;
}

/* RFC 7873 5.2: none but the client's part, or a bad one of ours, is answered with a new one. */
RARE static void heed_cookie(struct responder *r, const struct terms *terms,
                             const struct addr *client)
{
	struct query *q = &r->query;
	struct edns *e = &q->edns;
	uint8_t cookie[COOKIE_LEN];

	if (terms == NULL || terms->cookies == CONFIG_COOKIES_OFF) {
		q->is_cookie_only = false;
		return;
	}
	stats_add(&r->stats->events[STATS_COOKIE], 1);
	if (!cookie_is_well_formed(e->cookie.len)) {
		refuse_options(q);
		return;
	}
	e->has_good_cookie =
		cookie_answer(&terms->secrets, e->cookie, client, (uint32_t)clock_unix_s(), cookie);
	stats_add(&r->stats->events[STATS_GOOD_COOKIE], e->has_good_cookie);
	edns_add(e, OPTION_COOKIE, (struct bytes){cookie, sizeof cookie});
	/* RFC 7873 5.4: this is how a client asks whether its cookie is good. */
	if (q->is_cookie_only && !e->has_good_cookie && e->cookie.len > COOKIE_CLIENT_LEN) {
		q->is_cookie_only = false;
		q->rcode = RCODE_BADCOOKIE;
	}
}

/* RFC 7314 3.2: what a primary has in its SOA. */
static void add_expire(struct edns *e, const struct answer *a)
{
	enum { EXPIRE_AND_MINIMUM = 8, EXPIRE_LEN = 4 };
	struct bytes soa = {0};
	size_t at = 0;

	if (a->zone == NULL || (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN))
		return;
	if (rrset_next(zone_soa(a->zone), &at, &soa) && soa.len > EXPIRE_AND_MINIMUM)
		edns_add(e, OPTION_EXPIRE,
		         (struct bytes){soa.data + soa.len - EXPIRE_AND_MINIMUM, EXPIRE_LEN});
}

/* RFC 7828 3.3.2; over UDP it means nothing. */
static void add_keepalive(struct edns *e, uint64_t idle_ms)
{
	enum { UNIT_MS = 100 };
	uint64_t units = idle_ms / UNIT_MS;
	uint8_t timeout[2];

	bytes_put16(timeout, (uint16_t)(units < UINT16_MAX ? units : UINT16_MAX));
	edns_add(e, OPTION_KEEPALIVE, (struct bytes){timeout, sizeof timeout});
}

/* The other options that the query asked for, when they fit. */
RARE static void add_options(struct responder *r, const struct terms *terms,
                             enum stats_transport transport, size_t limit)
{
	struct edns *e = &r->query.edns;
	uint16_t before = e->extra_len;

	if ((e->asked & EDNS_ASKED_NSID) != 0 && terms != NULL && terms->nsid.len > 0)
		edns_add(e, OPTION_NSID, terms->nsid);
	if ((e->asked & EDNS_ASKED_EXPIRE) != 0)
		add_expire(e, &r->answer);
	if ((e->asked & EDNS_ASKED_KEEPALIVE) != 0 && transport != STATS_UDP && r->idle_ms > 0)
		add_keepalive(e, r->idle_ms);
	if (limit < ENCODE_LEAST(&r->query))
		e->extra_len = before;
	/* RFC 7830 6: where nobody sees the length but by it; limit has taken off the signature. */
	e->pads = (e->asked & EDNS_ASKED_PADDING) != 0 && transport == STATS_TLS;
	e->pad_beside = (uint16_t)(e->pads ? UINT16_MAX - limit : 0);
}

static void count_signature(struct stats *s, enum tsig_error error)
{
	stats_add(&s->events[STATS_SIGNED], 1);
	stats_add(&s->events[STATS_BAD_SIGNATURE], error != TSIG_GOOD);
	stats_add(&s->events[STATS_TSIG_BADKEY], error == TSIG_BADKEY);
	stats_add(&s->events[STATS_TSIG_BADSIG], error == TSIG_BADSIG);
	stats_add(&s->events[STATS_TSIG_BADTIME], error == TSIG_BADTIME);
	stats_add(&s->events[STATS_TSIG_BADTRUNC], error == TSIG_BADTRUNC);
}

/* Whoever signs wrongly gets no data (RFC 8945 5.2).  A record that cannot be read is a format error, and so are names that
 * leave no room for any answer; these are not signed.  Returns how much of the answer the signature takes. */
RARE static size_t heed_signature(struct responder *r, const struct terms *terms, size_t limit,
                                  size_t len)
{
	struct query *q = &r->query;
	enum tsig_error error = tsig_verify(terms != NULL ? terms->keys : NULL, q->packet, len,
	                                    q->tsig_at, (uint64_t)clock_unix_s(), &r->tsig);
	bool fits = error != TSIG_MALFORMED && limit >= ENCODE_LEAST(q) + tsig_room(&r->tsig);

	count_signature(r->stats, error);
	if (error != TSIG_GOOD || !fits) {
		q->rcode = fits ? RCODE_NOTAUTH : RCODE_FORMERR;
		q->ede = EDE_NONE;
		q->is_cookie_only = false;
	}
	if (!fits)
		q->tsig_at = 0;
	return fits ? tsig_room(&r->tsig) : 0;
}

/* All that is left is the question, OPT and TC: who is there asks again over TCP. */
static void strip(struct answer *a)
{
	a->set_count = a->authority_count = a->glue_count = a->glue_required = 0;
	a->glue_missing = true;
	a->stands_alone = false;
	a->ede = EDE_NONE; /* so that the answer is no longer than the query */
}

/* Who has shown that the address is his, by a cookie or a signature, cannot be made a victim of. */
static bool is_proven(const struct responder *r)
{
	return r->query.edns.has_good_cookie ||
	       (r->query.tsig_at != 0 && r->tsig.error == TSIG_GOOD);
}

/* False: the answer is over the limit, and nothing is said. */
static inline bool pass_limits(struct responder *r, const struct addr *client, bool proven)
{
	enum rrl_verdict verdict = rrl_judge(r->limits, client, &r->answer, proven);

	if (verdict == RRL_SLIP)
		strip(&r->answer);
	return verdict != RRL_DROP;
}

/* --- transfers --- */

/* RFC 1995 2: over UDP the newest SOA alone, which tells a secondary to ask over TCP if that is news.  RFC 5936 4.2 has no AXFR
 * over UDP. */
static void answer_over_udp(struct query *q)
{
	q->ede = EDE_NONE;
	q->rcode = q->type == RR_IXFR ? RCODE_NOERROR : RCODE_FORMERR;
	q->type = RR_SOA;
}

/* Why it is refused (RFC 8914 4.21): nobody here has such a zone, or not everybody gets it. */
static void explain_refusal(struct query *q, const struct snapshot *s)
{
	if (s != NULL && snapshot_settings(s)->ready && snapshot_find_zone(s, &q->name) == NULL)
		q->ede = EDE_NOT_AUTHORITATIVE;
}

/* May the zone whose apex is asked for be transferred to this client, who asks in this way? */
static bool may_transfer(const struct responder *r, const struct snapshot *s,
                         enum stats_transport transport, const struct addr *client)
{
	const struct query *q = &r->query;
	const struct zone *zone =
		s != NULL && snapshot_settings(s)->ready ? snapshot_find_apex(s, &q->name) : NULL;
	const struct tsig_key *key = q->tsig_at != 0 ? r->tsig.key : NULL;

	if ((transport == STATS_TLS && r->bars_transfers) || zone == NULL)
		return false;
	return terms_may_transfer(snapshot_terms(s), zone_apex(zone), client, key,
	                          transport == STATS_TLS);
}

/* The query was refused by its type alone; who may have the zone gets it. */
RARE static void heed_transfer(struct responder *r, const struct snapshot *s,
                               enum stats_transport transport, const struct addr *client)
{
	struct query *q = &r->query;

	if (!may_transfer(r, s, transport, client)) {
		stats_add(&r->stats->events[STATS_TRANSFERS_REFUSED], 1);
		explain_refusal(q, s);
		return;
	}
	if (transport == STATS_UDP) {
		answer_over_udp(q);
		return;
	}
	if (q->type == RR_IXFR && !q->has_serial) {
		q->rcode = RCODE_FORMERR;
		q->ede = EDE_NONE;
		return;
	}
	r->wants_transfer = true;
}

/* The zone is not for this client to ask; but by its SOA a secondary knows whether to have it transferred (RFC 1034 4.3.5). */
RARE static void heed_secondary(struct responder *r, const struct snapshot *s,
                                enum stats_transport transport, const struct addr *client)
{
	if (r->query.type == RR_SOA && may_transfer(r, s, transport, client))
		answer_soa(s, &r->query, &r->answer);
}

static bool asks_transfer(const struct query *q)
{
	return q->rcode == RCODE_REFUSED && q->question_len > 0 && q->class == CLASS_IN &&
	       (q->type == RR_AXFR || q->type == RR_IXFR);
}

/* --- answers --- */

/* The query has neither faults nor wishes: no signature, no option but a subnet, and is for no transfer. */
static inline bool is_plain(const struct query *q)
{
	return q->rcode == RCODE_NOERROR && q->tsig_at == 0 && q->edns.asked == 0;
}

/* The most that the answer may have, before its signature. */
static inline size_t limit_of(const struct query *q, const struct terms *terms,
                              enum stats_transport transport)
{
	if (transport != STATS_UDP)
		return UINT16_MAX;
	if (terms != NULL && terms->cookies == CONFIG_COOKIES_REQUIRED && !q->edns.has_good_cookie)
		return ENCODE_MIN_ROOM;
	return encode_udp_limit(q);
}

/* Before anything is decided: cookie, signature, transfer.  Returns the limit. */
RARE static size_t heed_wishes(struct responder *r, const struct snapshot *s,
                               enum stats_transport transport, const struct addr *client,
                               size_t len)
{
	const struct terms *terms = s != NULL ? snapshot_terms(s) : NULL;
	struct query *q = &r->query;
	size_t limit;

	if ((q->edns.asked & EDNS_ASKED_COOKIE) != 0)
		heed_cookie(r, terms, client);
	limit = limit_of(q, terms, transport);
	if (q->tsig_at != 0)
		limit -= heed_signature(r, terms, limit, len);
	if (asks_transfer(q))
		heed_transfer(r, s, transport, client);
	return limit;
}

size_t respond(struct responder *r, const struct snapshot *s, enum stats_transport transport,
               const struct addr *client, const uint8_t *packet, size_t len, uint8_t *out)
{
	const struct terms *terms = s != NULL ? snapshot_terms(s) : NULL;
	struct query *q = &r->query;
	bool plain;
	size_t limit, out_len;

	stats_add(&r->stats->events[STATS_RECEIVED], 1);
	r->wants_transfer = false; /* also where there is no answer */
	if (!query_parse(packet, len, q)) {
		stats_add(&r->stats->events[STATS_SILENT], 1);
		return 0;
	}
	plain = is_plain(q);
	if (plain) {
		limit = limit_of(q, terms, transport);
	} else {
		limit = heed_wishes(r, s, transport, client, len);
		if (r->wants_transfer)
			return 0;
	}
	answer_decide(s, q, client, &r->answer);
	if (r->answer.reason == STATS_PROHIBITED)
		heed_secondary(r, s, transport, client);
	if (transport == STATS_UDP && r->limits != NULL &&
	    !pass_limits(r, client, !plain && is_proven(r)))
		return 0;
	if (!plain && q->edns.asked != 0)
		add_options(r, terms, transport, limit);
	out_len = answer_encode(&r->answer, q, out, limit);
	if (!plain && q->tsig_at != 0)
		out_len = tsig_sign(&r->tsig, out, out_len, (uint64_t)clock_unix_s());
	count_answer(r->stats, transport, q, &r->answer, out);
	return out_len;
}
