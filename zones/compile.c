/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/compile.h"

#include <stdio.h>
#include <string.h>

#include "records/names.h"
#include "zones/rdata.h"

enum {
	MOST_TTL = INT32_MAX, /* RFC 2181 8 */
	MOST_TYPES = 100,     /* at one name: walking them must stay cheap */
	MOST_PLAIN = 1000,    /* addresses that fit an answer in any case */
	MOST_ANSWER = 65000,  /* bytes: more than one RRset of a message can be */
	RECORD_OVERHEAD = 12  /* compressed owner, type, class, TTL, RDLENGTH */
};

enum place { PLACE_FIXED, PLACE_APEX, PLACE_SITE, PLACE_APEX_SITE };

void compile_problem(struct compile *c, const uint8_t *owner, uint16_t type, const char *message)
{
	char name[NAMES_TEXT_SIZE], type_text[16] = "", line[NAMES_TEXT_SIZE + 640];

	if (type)
		rdata_type_text(type, type_text);
	snprintf(line, sizeof(line), "%s%s%s: %s", names_to_text(owner, name), type ? " " : "",
	         type_text, message);
	c->on_problem(line, c->arg);
}

void compile_addresses(struct arena *arena, struct draft_rrset *s, const struct addr *address,
                       size_t count)
{
	uint8_t family = s->type == RR_A ? ADDR_IPV4 : ADDR_IPV6;
	size_t len = s->type == RR_A ? 4 : 16;

	for (size_t i = 0; i < count; i++)
		if (address[i].family == family)
			s->rdata[s->count++] =
				(struct bytes){arena_memdup(arena, address[i].bytes, len), len};
}

static void add_texts(struct compile *c, const uint8_t *owner, struct draft_rrset *s,
                      const struct endpoint_rrset *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct reason why = {""};

		buffer_reset(&c->scratch);
		if (rdata_from_text(s->type, from->texts[i], &c->scratch, &why) != ERR_OK) {
			compile_problem(c, owner, s->type, why.text);
			continue;
		}
		s->rdata[s->count++] = (struct bytes){
			arena_memdup(c->arena, c->scratch.data, c->scratch.len), c->scratch.len};
	}
}

static void add_rrset(struct compile *c, const uint8_t *owner, struct draft_rrsets *set,
                      const struct endpoint_rrset *from)
{
	uint16_t type = rdata_type(from->type);
	struct draft_rrset *s;

	if (type == 0) {
		char message[64];

		snprintf(message, sizeof(message), "'%.*s' is not a type that a zone can hold",
		         (int)(from->type.len < 20 ? from->type.len : 20),
		         (const char *)from->type.data);
		compile_problem(c, owner, 0, message);
		return;
	}
	if (set->count >= MOST_TYPES && !draft_find(set, type)) {
		compile_problem(c, owner, type, "more than 100 types at one name; left out");
		return;
	}
	s = draft_rrset(c->arena, set, type, from->ttl < MOST_TTL ? from->ttl : MOST_TTL,
	                from->count);
	if (from->addresses && (type == RR_A || type == RR_AAAA))
		compile_addresses(c->arena, s, from->addresses, from->count);
	else if (from->texts)
		add_texts(c, owner, s, from);
	if (s->count == 0)
		draft_drop(set, type);
}

/* Why a type may not stand at a place, NULL: it may. */
static const char *refusal(uint16_t type, enum place place)
{
	bool apex = place == PLACE_APEX || place == PLACE_APEX_SITE;
	bool site = place == PLACE_SITE || place == PLACE_APEX_SITE;

	if (type == RR_SOA)
		return "a zone's SOA is made by nighd; left out";
	if (apex && type == RR_NS)
		return "a zone's own NS come from its nameservers; left out";
	if (apex && type == RR_CNAME)
		return "a zone's apex has other data, so no CNAME may be there; left out";
	if (site && (type == RR_NS || type == RR_DNAME || type == RR_DS))
		return "what lies below a name may not depend on the client; left out";
	return NULL;
}

static void drop(struct compile *c, const uint8_t *owner, struct draft_rrsets *set, uint16_t type,
                 const char *why)
{
	compile_problem(c, owner, type, why);
	draft_drop(set, type);
}

static void keep_one(struct compile *c, const uint8_t *owner, struct draft_rrsets *set,
                     uint16_t type)
{
	struct draft_rrset *s = draft_find(set, type);

	if (!s || s->count < 2)
		return;
	compile_problem(c, owner, type, "there can be only one; all but the first are left out");
	s->count = 1;
}

static void keep_what_fits(struct compile *c, const uint8_t *owner, struct draft_rrset *s)
{
	bool is_address = s->type == RR_A || s->type == RR_AAAA;
	size_t bytes = 0, fits = 0;

	if (is_address)
		fits = s->count < RRSET_MOST_ADDRESSES ? s->count : RRSET_MOST_ADDRESSES;
	while (!is_address && fits < s->count &&
	       bytes + RECORD_OVERHEAD + s->rdata[fits].len <= MOST_ANSWER)
		bytes += RECORD_OVERHEAD + s->rdata[fits++].len;
	if (fits == s->count)
		return;
	compile_problem(
		c, owner, s->type,
		is_address ? "more than 65535 addresses; the others are left out"
			   : "too many records for one answer; those that do not fit are left out");
	s->count = fits;
}

/* Zone rules (RFC 1034 3.6.2, RFC 2181 10.1, RFC 6672 2.4). */
static void apply_rules(struct compile *c, const uint8_t *owner, struct draft_rrsets *set,
                        enum place place)
{
	draft_sort(set);
	for (size_t i = set->count; i-- > 0;) {
		uint16_t type = set->item[i].type;
		const char *why = refusal(type, place);

		if (why)
			drop(c, owner, set, type, why);
	}
	keep_one(c, owner, set, RR_CNAME);
	keep_one(c, owner, set, RR_DNAME);
	if (set->count > 1 && draft_find(set, RR_CNAME))
		drop(c, owner, set, RR_CNAME, "beside other data; left out");
	if (place == PLACE_FIXED && draft_find(set, RR_DNAME) && draft_find(set, RR_NS))
		drop(c, owner, set, RR_DNAME, "beside NS below the apex; left out");
	for (size_t i = 0; i < set->count; i++)
		keep_what_fits(c, owner, &set->item[i]);
	/* Only a single record of more than MOST_ANSWER bytes can have emptied one. */
	for (size_t i = set->count; i-- > 0;)
		if (set->item[i].count == 0)
			draft_drop(set, set->item[i].type);
}

static struct draft_rrsets compile_rrsets(struct compile *c, const uint8_t *owner,
                                          const struct endpoint_rrset *from, size_t count,
                                          enum place place)
{
	struct draft_rrsets set = {NULL, 0};

	for (size_t i = 0; i < count; i++)
		add_rrset(c, owner, &set, &from[i]);
	apply_rules(c, owner, &set, place);
	return set;
}

_Static_assert(sizeof(((struct site_past *)NULL)->since_s) ==
                       sizeof(((struct endpoint_past *)NULL)->since_s),
               "as many layers");

void compile_past(const struct endpoint_past *from, struct draft_site *to)
{
	if (!from)
		return;
	memcpy(to->past.since_s, from->since_s, sizeof(to->past.since_s));
	to->past.held_until_s = from->held_until_s;
	to->past.flaps = from->flaps;
	to->is_held = from->is_held;
}

static void compile_sites(struct compile *c, const struct endpoint *e, bool at_apex,
                          struct draft *d)
{
	d->flags |= NODE_SITES;
	if (e->fail_open)
		d->flags |= NODE_FAIL_OPEN;
	d->policy = e->policy;
	d->sites = arena_alloc(c->arena, e->site_count * sizeof(*d->sites));
	d->site_count = e->site_count;
	for (size_t i = 0; i < e->site_count; i++) {
		const struct endpoint_site *from = &e->sites[i];

		d->sites[i] = (struct draft_site){
			.cluster = from->cluster,
			.layers = from->layers,
			.probes = from->probes,
			.probe_count = from->probe_count,
			.more = {from->hold, from->capacity, from->ready, from->endpoints, 0},
			.rrsets = compile_rrsets(c, e->owner.data, from->rrsets, from->rrset_count,
		                                 at_apex ? PLACE_APEX_SITE : PLACE_SITE),
		};
		compile_past(from->past, &d->sites[i]);
	}
	if (e->fallback.len == 0)
		return;
	if (at_apex) {
		compile_problem(c, e->owner.data, RR_CNAME, refusal(RR_CNAME, PLACE_APEX));
		return;
	}
	d->fallback =
		(struct draft_rrset){.type = RR_CNAME,
	                             .ttl = e->fallback_ttl < MOST_TTL ? e->fallback_ttl : MOST_TTL,
	                             .count = 1};
	d->fallback.rdata = arena_memdup(c->arena, &e->fallback, sizeof(e->fallback));
}

struct draft compile_endpoint(struct compile *c, const struct endpoint *e, bool at_apex)
{
	struct draft d = {.owner = e->owner.data, .flags = at_apex ? NODE_APEX : 0};

	if (e->has_sites)
		compile_sites(c, e, at_apex, &d);
	if (e->fixed_count > 0)
		d.fixed = compile_rrsets(c, e->owner.data, e->fixed, e->fixed_count,
		                         at_apex ? PLACE_APEX : PLACE_FIXED);
	return d;
}

bool compile_is_plain(const struct endpoint *e)
{
	const struct endpoint_rrset *s = e->fixed;
	bool a = !e->has_sites && e->fixed_count == 1 && bytes_equal_text(s->type, "A");
	uint8_t family = a ? ADDR_IPV4 : ADDR_IPV6;

	if (e->has_sites || e->fixed_count != 1 || !s->addresses || s->count == 0 ||
	    s->count > MOST_PLAIN || s->ttl > MOST_TTL ||
	    (!a && !bytes_equal_text(s->type, "AAAA")))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->addresses[i].family != family ||
		    (i > 0 && memcmp(s->addresses[i - 1].bytes, s->addresses[i].bytes, 16) >= 0))
			return false;
	return true;
}
