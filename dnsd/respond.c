/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/respond.h"

#include "dnsd/encode.h"
#include "dnsd/terms.h"

static void count_answer(struct stats *s, enum stats_transport transport, const struct query *q,
                         const struct answer *a, bool truncated)
{
	unsigned rcode = a->rcode < STATS_RCODES - 1 ? a->rcode : STATS_RCODES - 1;

	stats_add(&s->answers[transport][rcode], 1);
	stats_add(&s->reasons[a->reason], 1);
	if (a->zone != NULL)
		stats_add_zone(s, zone_key(a->zone));
	if (a->cluster < RANKING_MAX_CLUSTERS)
		stats_add(&s->clusters[a->cluster], 1);
	if (a->rcode == RCODE_FORMERR)
		stats_add(&s->events[STATS_MALFORMED], 1);
	if (truncated)
		stats_add(&s->events[STATS_TRUNCATED], 1);
	if (q->edns.present)
		stats_add(&s->events[STATS_EDNS], 1);
	if (q->edns.ecs.present)
		stats_add(&s->events[STATS_ECS], 1);
}

/* The options that the query asked for. */
static void add_options(struct edns *e, const struct terms *terms)
{
	if (terms == NULL)
		return;
	if ((e->asked & EDNS_ASKED_NSID) != 0 && terms->nsid.len > 0)
		edns_add(e, OPTION_NSID, terms->nsid);
}

size_t respond(struct responder *r, const struct snapshot *s, enum stats_transport transport,
               const struct addr *client, const uint8_t *packet, size_t len, uint8_t *out)
{
	bool truncated;
	size_t limit, out_len;

	stats_add(&r->stats->events[STATS_RECEIVED], 1);
	if (!query_parse(packet, len, &r->query)) {
		stats_add(&r->stats->events[STATS_SILENT], 1);
		return 0;
	}
	answer_decide(s, &r->query, client, &r->answer, NULL);
	if (r->query.edns.asked != 0)
		add_options(&r->query.edns, s != NULL ? snapshot_terms(s) : NULL);
	limit = transport == STATS_UDP ? encode_udp_limit(&r->query) : UINT16_MAX;
	out_len = answer_encode(&r->answer, &r->query, out, limit, &truncated);
	count_answer(r->stats, transport, &r->query, &r->answer, truncated);
	return out_len;
}
