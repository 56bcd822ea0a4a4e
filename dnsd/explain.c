/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/answer.h"
#include "dnsd/terms.h"
#include "zones/rdata.h"

/* The layers of a site that come from objects: bits of site_layers(). */
enum { LAYER_ENDPOINTS = 1, LAYER_LOAD_BALANCER = 2, LAYER_FEW_READY = 4, LAYER_NO_GATEWAY = 8 };

/* What the recorder gathers while the answer is decided. */
struct notes {
	const struct snapshot *s;
	const struct explain_request *request;
	const struct policy *policy; /* of the name that is chosen for */
	struct text steps;           /* the objects, the last one still open */
	bool by_subnet;              /* it decides, not the resolver */
	bool open;
	bool has_left; /* the open one's list has an item */
	struct text candidates;
	uint8_t seen[RANKING_MAX_CLUSTERS / 8]; /* clusters among the candidates */
};

/* --- small pieces --- */

static void add_text(struct text *out, const char *s) { text_add_json(out, bytes_of(s)); }

/* Presentation form; without the last dot where people write it so. */
static void add_name(struct text *out, const uint8_t *wire, bool last_dot)
{
	char *text = rdata_to_text(RR_PTR, (struct bytes){wire, name_wire_len(wire)});
	size_t len = strlen(text);

	if (!last_dot && len > 1)
		text[len - 1] = '\0';
	text_add(out, text);
	free(text);
}

static void add_json_name(struct text *out, const uint8_t *wire)
{
	struct text name = {0};

	add_name(&name, wire, false);
	add_text(out, name.data);
	text_fini(&name);
}

static const char *cluster_name(const struct snapshot *s, uint16_t id)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, id);

	return c != NULL ? c->name : "";
}

/* --- sites --- */

static void add_reason(struct text *out, const char *layer, bool ok, const char *detail,
                       uint64_t age_ms)
{
	if (out->len > 0 && out->data[out->len - 1] != '[')
		text_add(out, ",");
	text_printf(out, "{\"layer\":\"%s\",\"ok\":%s,\"detail\":", layer, ok ? "true" : "false");
	add_text(out, detail);
	text_printf(out, ",\"ageSeconds\":%" PRIu64 "}", age_ms / 1000);
}

static uint64_t age_of(uint64_t now_ms, uint64_t at_ms)
{
	return at_ms != 0 && now_ms > at_ms ? now_ms - at_ms : 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_names(const struct snapshot_votes *votes, uint64_t who, struct text *out)
{
	const char *name[SNAPSHOT_REPLICAS];
	size_t count = 0;

	for (size_t i = 0; i < SNAPSHOT_REPLICAS; i++)
		if (who >> i & 1)
			name[count++] = votes->name[i];
	qsort(name, count, sizeof(*name), by_text);
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s%s", i > 0 ? ", " : "", name[i]);
}

/* "; down: 2 of 3 replicas (a, b); up: c" of one address that anybody sees down. */
static void add_vote(const struct snapshot_votes *votes, const struct snapshot_vote *vote,
                     struct text *out)
{
	text_printf(out, "; down: %d of %d replicas (", __builtin_popcountll(vote->down),
	            __builtin_popcountll(votes->voters));
	add_names(votes, vote->down, out);
	text_add(out, ")");
	if (vote->up == 0)
		return;
	text_add(out, "; up: ");
	add_names(votes, vote->up, out);
}

static int by_probe(const void *key, const void *item)
{
	uint32_t probe = *(const uint32_t *)key,
		 other = ((const struct snapshot_vote *)item)->probe;

	return (probe > other) - (probe < other);
}

/* Who says so, of the first address of them that is down for anybody. */
static void add_votes(const struct snapshot *s, const uint32_t *probe, size_t count,
                      struct text *out)
{
	const struct snapshot_votes *votes = snapshot_votes(s);
	const struct snapshot_vote *vote = NULL;

	for (size_t i = 0; i < count && vote == NULL && votes->count > 0; i++)
		vote = bsearch(&probe[i], votes->vote, votes->count, sizeof *vote, by_probe);
	if (vote != NULL)
		add_vote(votes, vote, out);
}

static void add_probe_reason(const struct snapshot *s, const struct site *site, uint64_t now_ms,
                             struct text *out)
{
	size_t count, down = 0;
	const uint32_t *probe = site_probes(site, &count);
	uint64_t latest = 0;
	struct text detail = {0};

	for (size_t i = 0; i < count; i++) {
		uint64_t at = snapshot_probe_at_ms(s, probe[i]);

		down += snapshot_probe_is_down(s, probe[i]);
		latest = at > latest ? at : latest;
	}
	if (count == 0)
		text_add(&detail, "not probed");
	else if (snapshot_settings(s)->dark)
		text_printf(
			&detail,
			"no cluster can be seen, so verdicts stay as last known: %zu of %zu down",
			down, count);
	else if (snapshot_settings(s)->frozen)
		text_printf(&detail,
		            "no replica that is heard reaches any site, so verdicts stay as last "
		            "known: %zu of %zu down",
		            down, count);
	else
		text_printf(&detail, "%zu of %zu addresses down", down, count);
	add_votes(s, probe, count, &detail);
	add_reason(out, "probe", count == 0 || down < count, detail.data, age_of(now_ms, latest));
	text_fini(&detail);
}

static const char *const layer_names[] = {"endpoints", "loadBalancer", "readyShare", "gateway"};
enum { LAYER_COUNT = sizeof layer_names / sizeof layer_names[0] };

/* How old what is known of the layers is. */
struct layer_ages {
	/* Since the cluster was last seen; of one that is seen, since each is as it is, 0 where that was so before. */
	uint64_t of_ms[LAYER_COUNT];
};

static struct layer_ages ages_of(const struct site *site, uint64_t unseen_ms, uint64_t now_ms)
{
	const struct site_past *past = site_past(site);
	struct layer_ages ages;

	for (size_t i = 0; i < LAYER_COUNT; i++) {
		uint64_t since_ms = past != NULL ? past->since_s[i] * UINT64_C(1000) : 0;

		ages.of_ms[i] = unseen_ms != 0 ? unseen_ms : age_of(now_ms, since_ms);
	}
	return ages;
}

/* It goes down again and again, by layers of its own: probes say so by themselves. */
static void add_flapping(const struct site *site, uint64_t now_ms, struct text *out)
{
	const struct site_past *past = site_past(site);
	bool held = site_is_held(site);
	struct text detail = {0};
	uint64_t until_ms;

	if (past == NULL || past->flaps == 0)
		return;
	for (size_t i = 0; i < LAYER_COUNT; i++)
		if ((past->flaps >> i & 1) != 0)
			text_printf(&detail, "%s%s", detail.len > 0 ? ", " : "", layer_names[i]);
	text_add(&detail, " down again and again");
	until_ms = past->held_until_s * UINT64_C(1000);
	if (held)
		text_printf(&detail, ": held down for another %" PRIu64 " s",
		            until_ms > now_ms ? (until_ms - now_ms + 999) / 1000 : 0);
	else
		text_add(&detail, site_layers(site) == SITE_WHOLE
		                          ? ": has been up since it was held down"
		                          : ": held down when it comes back");
	add_reason(out, "flapping", !held, detail.data, 0);
	text_fini(&detail);
}

/* What only sites of some policies have, or only names of an Ingress; nothing of the others. */
static void add_rare_reasons(const struct snapshot *s, const struct policy *p,
                             const struct site *site, const struct layer_ages *ages,
                             struct text *out)
{
	uint16_t endpoints, ready = site_ready(site, &endpoints);
	bool waits = snapshot_site_waits(s, site),
	     usable = snapshot_site_is_usable(s, p, site, NULL);
	char detail[96];

	if (p->min_ready_percent > 0 && endpoints > 0) {
		snprintf(detail, sizeof detail, "%u of %u endpoints ready, %u %% wanted", ready,
		         endpoints, p->min_ready_percent);
		add_reason(out, "readyShare", (site_layers(site) & LAYER_FEW_READY) == 0, detail,
		           ages->of_ms[2]);
	}
	if ((site_layers(site) & LAYER_NO_GATEWAY) != 0)
		add_reason(out, "gateway", false,
		           "the controller of the Ingress has no ready endpoint", ages->of_ms[3]);
	if (p->has_failback && site_hold(site) != 0)
		add_reason(out, "failback", !waits,
		           !waits   ? "proven"
		           : usable ? "has come back, and is not proven yet"
		                    : "has to be proven when it comes back",
		           0);
}

/* [{"layer", "ok", "detail", "ageSeconds"}, ...] */
static void add_reasons(const struct snapshot *s, const struct policy *p, const struct site *site,
                        uint64_t now_ms, struct text *out)
{
	const struct snapshot_cluster *c = snapshot_cluster(s, site_cluster(site));
	bool synced = c != NULL && strcmp(c->knowledge, "synced") == 0;
	/* What came from objects is as old as the last sight of their cluster. */
	uint64_t age = c != NULL && !synced ? age_of(now_ms, c->since_ms) : 0;
	struct layer_ages ages = ages_of(site, age, now_ms);
	unsigned layers = site_layers(site);
	bool ready = (layers & LAYER_ENDPOINTS) != 0,
	     balanced = (layers & LAYER_LOAD_BALANCER) != 0;

	text_add(out, "[");
	add_reason(out, "endpoints", ready, ready ? "ready" : "no ready endpoint", ages.of_ms[0]);
	add_reason(out, "loadBalancer", balanced, balanced ? "has an address" : "no address",
	           ages.of_ms[1]);
	add_probe_reason(s, site, now_ms, out);
	if (c == NULL)
		add_reason(out, "cluster", false, "not known", 0);
	else
		add_reason(out, "cluster", !snapshot_site_is_expired(s, p, site),
		           snapshot_site_is_expired(s, p, site) ? "unseen for too long"
		                                                : c->knowledge,
		           age);
	add_reason(out, "drain", c == NULL || !c->drained,
	           c != NULL && c->drained ? "drained" : "not drained", 0);
	add_rare_reasons(s, p, site, &ages, out);
	add_flapping(site, now_ms, out);
	text_add(out, "]");
}

static void add_addresses(const struct site *site, struct text *out)
{
	const struct rrset *rrset;
	const char *between = "";

	text_add(out, "[");
	for (size_t i = 0; (rrset = site_rrset_at(site, i)) != NULL; i++) {
		struct bytes rdata;

		if (rrset->type != RR_A && rrset->type != RR_AAAA && rrset->type != RR_CNAME)
			continue;
		for (size_t at = 0; rrset_next(rrset, &at, &rdata);) {
			char *text = rdata_to_text(rrset->type, rdata);

			text_add(out, between);
			add_text(out, text);
			free(text);
			between = ",";
		}
	}
	text_add(out, "]");
}

void explain_print_site(const struct snapshot *s, const struct policy *p, const struct site *site,
                        uint64_t now_ms, struct text *out)
{
	text_add(out, "{\"cluster\":");
	add_text(out, cluster_name(s, site_cluster(site)));
	text_add(out, ",\"addresses\":");
	add_addresses(site, out);
	text_printf(out, ",\"usable\":%s,\"reasons\":",
	            snapshot_site_is_usable(s, p, site, NULL) ? "true" : "false");
	add_reasons(s, p, site, now_ms, out);
	text_add(out, "}");
}

/* --- the recorder --- */

static void end_step(struct notes *n)
{
	if (n->open)
		text_add(&n->steps, "]}");
	n->open = false;
}

/* What each probe of the site found out. */
static void add_probes(struct notes *n, const struct site *site)
{
	size_t count;
	const uint32_t *probe = site_probes(site, &count);

	if (n->request->probes == NULL)
		return;
	text_add(&n->candidates, ",\"probes\":");
	probe_notes_print(n->request->probes, probe, count, n->request->now_ms, &n->candidates);
}

static void note_candidate(struct notes *n, const struct site *site)
{
	uint16_t id = site_cluster(site);
	const struct explain_place *place = n->request->place;
	double km = -1;

	if (id >= RANKING_MAX_CLUSTERS || (n->seen[id / 8] >> id % 8 & 1) != 0)
		return;
	n->seen[id / 8] |= (uint8_t)(1U << id % 8);
	if (place != NULL && place->has_place)
		km = ranking_distance_km(snapshot_ranking(n->s), &place->place, id);
	if (n->candidates.len > 0)
		text_add(&n->candidates, ",");
	text_add(&n->candidates, "{\"cluster\":");
	add_text(&n->candidates, cluster_name(n->s, id));
	if (km >= 0)
		text_printf(&n->candidates, ",\"distanceKm\":%.1f", km);
	else
		text_add(&n->candidates, ",\"distanceKm\":null");
	text_printf(&n->candidates, ",\"usable\":%s,\"reasons\":",
	            snapshot_site_is_usable(n->s, n->policy, site, NULL) ? "true" : "false");
	add_reasons(n->s, n->policy, site, n->request->now_ms, &n->candidates);
	add_probes(n, site);
	if (n->policy->weight != NULL)
		text_printf(&n->candidates, ",\"weight\":%" PRIu32,
		            id < n->policy->cluster_count ? n->policy->weight[id] : 0);
	if (n->policy->is_capacity)
		text_printf(&n->candidates, ",\"capacity\":%u", site_capacity(site));
	text_add(&n->candidates, "}");
}

static void on_choice(void *arg, const struct node *node)
{
	struct notes *n = arg;

	n->policy = snapshot_node_policy(n->s, node);
	for (size_t i = 0; i < node_site_count(node); i++)
		note_candidate(arg, node_site(node, i));
}

/* Choosing knows the client's order of clusters, not where it comes from. */
static bool is_unplaced(const struct notes *n)
{
	return n->request->place != NULL && !n->request->place->has_place;
}

static void on_step(void *arg, const char *stage, const char *detail)
{
	struct notes *n = arg;

	if (is_unplaced(n) && strcmp(detail, CHOICE_BY_ORDER) == 0)
		detail = "the client's place is unknown: by geo.unknownOrder, then by name";

	end_step(n);
	text_add(&n->steps, n->steps.len > 0 ? ",{\"stage\":" : "{\"stage\":");
	add_text(&n->steps, stage);
	text_add(&n->steps, ",\"detail\":");
	add_text(&n->steps, detail);
	text_add(&n->steps, ",\"left\":[");
	n->open = true;
	n->has_left = false;
}

static void on_left(void *arg, const struct site *site)
{
	struct notes *n = arg;

	if (n->has_left)
		text_add(&n->steps, ",");
	add_text(&n->steps, cluster_name(n->s, site_cluster(site)));
	n->has_left = true;
}

/* --- the question --- */

static bool is_given(const char *s) { return s != NULL && *s != '\0'; }

/* ADDR or ADDR/LEN as if sent in ECS. */
static enum err parse_client(const char *text, struct edns_ecs *out, struct reason *why)
{
	struct bytes all = bytes_of(text), address = all;
	const uint8_t *slash = memchr(all.data, '/', all.len);
	uint64_t len;

	if (slash != NULL)
		address.len = (size_t)(slash - all.data);
	if (!addr_parse(address, &out->addr))
		return reason_set(why, ERR_PARSE, "client: not an address or network");
	len = addr_bits(&out->addr);
	if (slash != NULL &&
	    !text_to_u64((struct bytes){slash + 1, all.len - address.len - 1}, len, &len))
		return reason_set(why, ERR_PARSE, "client: not a length of a network");
	out->addr = addr_masked(&out->addr, (uint8_t)len);
	out->present = true;
	out->family = out->addr.family == ADDR_IPV4 ? EDNS_IPV4 : EDNS_IPV6;
	out->source = (uint8_t)len;
	out->len = (uint8_t)((len + 7) / 8);
	return ERR_OK;
}

static enum err parse_resolver(const char *text, struct addr *out, struct reason *why)
{
	if (!addr_parse(bytes_of(is_given(text) ? text : "127.0.0.1"), out))
		return reason_set(why, ERR_PARSE, "resolver: not an address");
	return ERR_OK;
}

/* A query as it would come over the wire, made and read back by the same parser. */
static enum err parse_question(const struct explain_request *r, struct buffer *packet,
                               struct query *out, struct reason *why)
{
	uint16_t type = RR_A;
	struct reason inner = {0};

	if (!is_given(r->name))
		return reason_set(why, ERR_PARSE, "name: missing");
	if (is_given(r->type)) {
		type = strcasecmp(r->type, "ANY") == 0 ? RR_ANY : rdata_type(bytes_of(r->type));
		if (type == 0)
			return reason_set(why, ERR_PARSE, "type: no such type");
	}
	buffer_u32(packet, 0);
	buffer_u32(packet, 0x00010000);
	buffer_u32(packet, 0);
	if (rdata_from_text(RR_PTR, bytes_of(r->name), packet, &inner) != ERR_OK)
		return reason_set(why, ERR_PARSE, "name: %s", inner.text);
	buffer_u16(packet, type);
	buffer_u16(packet, 1);
	if (!query_parse(packet->data, packet->len, out) || out->rcode != RCODE_NOERROR)
		return reason_set(why, ERR_PARSE, "name: not a domain name");
	out->edns.present = true;
	out->edns.udp_size = EDNS_UDP_SIZE;
	return ERR_OK;
}

enum err explain_address(const struct snapshot *s, const struct explain_request *r,
                         struct addr *out, struct reason *why)
{
	struct edns_ecs ecs = {0};
	struct addr resolver;
	enum err err = ERR_OK;

	if (is_given(r->client))
		err = parse_client(r->client, &ecs, why);
	if (err == ERR_OK)
		err = parse_resolver(r->resolver, &resolver, why);
	if (err != ERR_OK)
		return err;
	*out = ecs.source > 0 && terms_believe(snapshot_terms(s), &resolver)
	               ? ecs.addr
	               : addr_unmapped(&resolver);
	return ERR_OK;
}

/* --- the whole --- */

static const char *rcode_text(enum rcode rcode)
{
	switch (rcode) {
	case RCODE_NOERROR:
		return "NOERROR";
	case RCODE_FORMERR:
		return "FORMERR";
	case RCODE_SERVFAIL:
		return "SERVFAIL";
	case RCODE_NXDOMAIN:
		return "NXDOMAIN";
	case RCODE_NOTIMP:
		return "NOTIMP";
	case RCODE_REFUSED:
		return "REFUSED";
	case RCODE_YXDOMAIN:
		return "YXDOMAIN";
	case RCODE_NOTAUTH:
		return "NOTAUTH";
	case RCODE_BADVERS:
		return "BADVERS";
	case RCODE_BADCOOKIE:
		return "BADCOOKIE";
	}
	return "";
}

/* What part of the world the client is in, and how far off its place may be. */
static void add_area(const struct explain_place *place, struct text *out)
{
	static const struct area nowhere = {.continent = ""};
	const struct area *area = place != NULL ? &place->area : &nowhere;

	text_add(out, ",\"continent\":");
	add_text(out, area->continent);
	text_add(out, ",\"country\":");
	add_text(out, area->country);
	text_add(out, ",\"subdivision\":");
	add_text(out, area->subdivision);
	if (place != NULL && place->accuracy_km > 0)
		text_printf(out, ",\"accuracyKm\":%u", place->accuracy_km);
	else
		text_add(out, ",\"accuracyKm\":null");
}

static void add_client(const struct notes *n, const struct addr *address, struct text *out)
{
	const struct explain_place *place = n->request->place;
	char text[ADDR_NETWORK_TEXT_SIZE];
	const struct ranking *ranking =
		n->policy != NULL ? n->policy->ranking : snapshot_ranking(n->s);
	uint8_t depth = ranking_find(ranking, address).depth;
	struct addr_network network = {addr_masked(address, depth), depth};

	text_printf(out, "\"client\":{\"address\":\"%s\"", addr_print(address, text));
	text_printf(out, ",\"network\":\"%s\"", addr_network_print(&network, text));
	if (place != NULL && place->has_place)
		text_printf(out, ",\"place\":{\"latitude\":%.10g,\"longitude\":%.10g}",
		            place->place.latitude, place->place.longitude);
	else
		text_add(out, ",\"place\":null");
	add_area(place, out);
	text_printf(out, ",\"from\":\"%s\",\"database\":", n->by_subnet ? "ecs" : "resolver");
	add_text(out, place != NULL ? place->database : "");
	text_add(out, "}");
}

/* A union may come to hold one record twice; an answer holds it once. */
static void add_once(struct text *list, const struct text *line)
{
	struct text quoted = {0};

	add_text(&quoted, line->data);
	if (list->data == NULL || strstr(list->data, quoted.data) == NULL) {
		text_add(list, list->len > 0 ? "," : "");
		text_add(list, quoted.data);
	}
	text_fini(&quoted);
}

static void add_record(const struct answer_set *set, const struct rrset *rrset, struct bytes rdata,
                       struct text *list)
{
	struct text line = {0};
	char type[16], *text = rdata_to_text(rrset->type, rdata);

	add_name(&line, set->owner, true);
	text_printf(&line, " %" PRIu32 " IN %s %s", set->ttl, rdata_type_text(rrset->type, type),
	            text);
	add_once(list, &line);
	free(text);
	text_fini(&line);
}

static void add_records(const struct answer *a, struct text *out)
{
	struct text list = {0};

	for (unsigned i = 0; i < a->set_count; i++) {
		for (unsigned part = 0; part <= a->set[i].more; part++) {
			struct told told = answer_told(a, &a->set[i], part);
			struct bytes rdata;

			while (told_next(&told, &rdata))
				add_record(&a->set[i], told.rrset, rdata, &list);
		}
	}
	text_printf(out, "\"records\":[%s]", list.len > 0 ? list.data : "");
	text_fini(&list);
}

/* How long a resolver may keep all of it: the shortest, of the denial or referral that ends a chain too. */
static uint32_t answer_ttl(const struct answer *a)
{
	bool has_end = a->authority_count > 0;
	uint32_t ttl = has_end ? a->authority[0].ttl : 0;

	for (unsigned i = 0; i < a->set_count; i++)
		ttl = (i == 0 && !has_end) || a->set[i].ttl < ttl ? a->set[i].ttl : ttl;
	return ttl;
}

static void add_answer(const struct snapshot *s, const struct answer *a, struct text *out)
{
	text_printf(out, "\"answer\":{\"rcode\":\"%s\",\"site\":", rcode_text(a->rcode));
	if (a->cluster != CHOICE_NO_CLUSTER)
		add_text(out, cluster_name(s, a->cluster));
	else
		text_add(out, "null");
	text_printf(out, ",\"ttl\":%" PRIu32 ",\"scope\":%u,", answer_ttl(a), a->scope);
	add_records(a, out);
	text_add(out, "}");
}

void explain_print_policy(const struct policy *p, struct text *out)
{
	const char *slash = p != NULL ? strchr(p->name, '/') : NULL;

	if (slash == NULL) {
		text_add(out, "null");
		return;
	}
	text_add(out, "{\"namespace\":");
	text_add_json(out, (struct bytes){(const uint8_t *)p->name, (size_t)(slash - p->name)});
	text_add(out, ",\"name\":");
	add_text(out, slash + 1);
	text_add(out, "}");
}

static void print_all(const struct notes *n, const struct query *q, const struct addr *address,
                      const struct answer *a, struct text *out)
{
	char type[16];

	text_add(out, "{\"question\":{\"name\":");
	add_json_name(out, a->qname);
	text_printf(out, ",\"type\":\"%s\"},\"zone\":",
	            q->type == RR_ANY ? "ANY" : rdata_type_text(q->type, type));
	if (a->zone != NULL)
		add_json_name(out, zone_apex(a->zone));
	else
		text_add(out, "null");
	text_add(out, ",\"policy\":");
	explain_print_policy(n->policy, out);
	text_add(out, ",");
	add_client(n, address, out);
	text_printf(out, ",\"candidates\":[%s],\"steps\":[%s],",
	            n->candidates.len > 0 ? n->candidates.data : "",
	            n->steps.len > 0 ? n->steps.data : "");
	add_answer(n->s, a, out);
	text_add(out, "}");
}

enum err explain_print(const struct snapshot *s, const struct explain_request *r, struct text *out,
                       struct reason *why)
{
	struct notes n = {.s = s, .request = r};
	struct ranking_asker asker = {NULL, NULL};
	struct recorder rec = {on_choice, on_step, on_left, &n, &asker};
	struct query *q = xmalloc(sizeof *q);
	struct answer *a = xmalloc(sizeof *a);
	struct buffer packet = {0};
	struct addr resolver, address;
	enum err err = parse_question(r, &packet, q, why);

	if (err == ERR_OK && is_given(r->client))
		err = parse_client(r->client, &q->edns.ecs, why);
	if (err == ERR_OK)
		err = parse_resolver(r->resolver, &resolver, why);
	if (err == ERR_OK) {
		n.by_subnet = answer_is_by_subnet(s, q, &resolver);
		address = n.by_subnet ? q->edns.ecs.addr : addr_unmapped(&resolver);
		asker.addr = &address;
		if (r->place != NULL && r->place->has_place)
			asker.place = &r->place->place;
		answer_explain(s, q, &resolver, a, &rec);
		end_step(&n);
		print_all(&n, q, &address, a, out);
	}
	text_fini(&n.steps);
	text_fini(&n.candidates);
	buffer_fini(&packet);
	free(q);
	free(a);
	return err;
}
