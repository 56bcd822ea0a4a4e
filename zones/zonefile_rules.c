/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/check.h"
#include "records/names.h"
#include "zones/rdata.h"
#include "zones/rrset.h"
#include "zones/zonefile_inside.h"

enum {
	MOST_TYPES = 100,     /* at one name: walking them must stay cheap */
	MOST_ANSWER = 65000,  /* bytes: more than one RRset of a message can be */
	RECORD_OVERHEAD = 12, /* compressed owner, type, class, TTL, RDLENGTH */
	TYPES = UINT16_MAX + 1
};

/* One name while it is looked at. */
struct look {
	struct zonefile *z;
	const struct zonefile_owner *owner;
	char name[NAMES_TEXT_SIZE]; /* made when something is to be told */
	bool is_apex;
	/* the first record of each kind, NULL: none */
	const struct zonefile_record *soa, *ns, *cname, *dname, *other;
};

static const struct zonefile_record *record_at(const struct zonefile *z, uint32_t i)
{
	return i == ZONEFILE_NONE ? NULL : &z->records[i];
}

static bool same_rdata(const struct zonefile *z, const struct zonefile_record *a,
                       const struct zonefile_record *b)
{
	return a->len == b->len &&
	       memcmp(z->rdata.data + a->at, z->rdata.data + b->at, a->len) == 0;
}

static const char *name_of(struct look *l) { return zonefile_owner_text(l->z, l->owner, l->name); }

/* There can be one of them; the same one twice is one. */
static void keep_first(struct look *l, const struct zonefile_record **first,
                       const struct zonefile_record *rec)
{
	char type[16];

	if (!*first)
		*first = rec;
	else if (!same_rdata(l->z, *first, rec))
		zonefile_error(l->z, rec->where, "%s: more than one %s (see line %u)", name_of(l),
		               rdata_type_text(rec->type, type),
		               zonefile_line(l->z, (*first)->where));
}

static void look_at(struct look *l, const struct zonefile_record *rec)
{
	switch (rec->type) {
	case RR_SOA:
		if (!l->is_apex)
			zonefile_error(l->z, rec->where, "%s: a SOA below the zone's apex",
			               name_of(l));
		keep_first(l, &l->soa, rec);
		break;
	case RR_CNAME:
		keep_first(l, &l->cname, rec);
		break;
	case RR_DNAME:
		keep_first(l, &l->dname, rec);
		break;
	case RR_NS:
		l->ns = l->ns ? l->ns : rec;
		break;
	default:
		l->other = l->other ? l->other : rec;
	}
}

/* RFC 2181 5.2: one TTL for an RRset, the smallest; told once. */
static void unite_ttls(struct look *l, struct zonefile_record *rec)
{
	const struct zonefile *z = l->z;
	bool told = false;
	char type[16];

	for (uint32_t i = rec->next; i != ZONEFILE_NONE; i = z->records[i].next) {
		struct zonefile_record *other = &z->records[i];
		uint32_t least = other->ttl < rec->ttl ? other->ttl : rec->ttl;

		if (other->type != rec->type || other->ttl == rec->ttl)
			continue;
		if (!told)
			zonefile_warn(l->z, other->where,
			              "%s %s: another TTL than in line %u; all get the smallest "
			              "(RFC 2181 5.2)",
			              name_of(l), rdata_type_text(rec->type, type),
			              zonefile_line(z, rec->where));
		told = true;
		rec->ttl = least;
	}
}

/* All of a type go into one answer, but for addresses, of which some are told. */
static void look_at_size(struct look *l, const struct zonefile_record *first)
{
	const struct zonefile *z = l->z;
	size_t bytes = 0, count = 0;
	char type[16];

	for (const struct zonefile_record *rec = first; rec; rec = record_at(z, rec->next))
		if (rec->type == first->type) {
			bytes += RECORD_OVERHEAD + rec->len;
			count++;
		}
	if (first->type == RR_A || first->type == RR_AAAA) {
		if (count > RRSET_MOST_ADDRESSES)
			zonefile_error(l->z, first->where, "%s %s: more than %d addresses",
			               name_of(l), rdata_type_text(first->type, type),
			               RRSET_MOST_ADDRESSES);
	} else if (bytes > MOST_ANSWER) {
		zonefile_error(l->z, first->where, "%s %s: too many records for one answer",
		               name_of(l), rdata_type_text(first->type, type));
	}
}

/* Types and sizes that no answer could hold; TTLs.  `seen`: a bit for each type. */
static void look_at_sets(struct look *l, uint8_t *seen)
{
	struct zonefile *z = l->z;
	unsigned types = 0;

	for (uint32_t i = l->owner->first; i != ZONEFILE_NONE; i = z->records[i].next) {
		struct zonefile_record *rec = &z->records[i];

		if (seen[rec->type / 8] & 1U << rec->type % 8)
			continue;
		seen[rec->type / 8] |= (uint8_t)(1U << rec->type % 8);
		if (++types > MOST_TYPES) {
			zonefile_error(z, rec->where, "%s: more than %d types at one name",
			               name_of(l), MOST_TYPES);
			break;
		}
		unite_ttls(l, rec);
		look_at_size(l, rec);
	}
	for (uint32_t i = l->owner->first; i != ZONEFILE_NONE; i = z->records[i].next)
		seen[z->records[i].type / 8] = 0;
}

static const struct zonefile_record *first_of(const struct zonefile *z,
                                              const struct zonefile_owner *o, uint16_t type)
{
	const struct zonefile_record *rec = record_at(z, o->first);

	while (rec && rec->type != type)
		rec = record_at(z, rec->next);
	return rec;
}

/* RFC 6672 2.4: nothing may stand below a DNAME. */
static void look_above(struct look *l)
{
	const struct zonefile *z = l->z;
	const uint8_t *wire = z->wires.data + l->owner->wire;
	struct name name;

	CHECK(name_parse(&name, wire, names_wire_len(wire)) > 0);
	for (unsigned label = 1; name.labels - label >= z->apex.labels && label <= name.labels;
	     label++) {
		const struct zonefile_owner *above = zonefile_find_owner(z, &name, label);
		const struct zonefile_record *dname = above ? first_of(z, above, RR_DNAME) : NULL;

		if (!dname)
			continue;
		zonefile_error(l->z, z->records[l->owner->first].where,
		               "%s: a name below a DNAME (see line %u)", name_of(l),
		               zonefile_line(z, dname->where));
		return;
	}
}

/* RFC 1034 3.6.2, RFC 2181 10.1, RFC 6672 2.4. */
static void look_at_whole(struct look *l)
{
	const struct zonefile_record *beside = l->other   ? l->other
	                                       : l->ns    ? l->ns
	                                       : l->dname ? l->dname
	                                                  : l->soa;

	if (l->cname && beside)
		zonefile_error(
			l->z, l->cname->where > beside->where ? l->cname->where : beside->where,
			"%s: a CNAME beside other data (see line %u)", name_of(l),
			zonefile_line(l->z, l->cname->where > beside->where ? beside->where
		                                                            : l->cname->where));
	if (l->cname && l->is_apex && !beside)
		zonefile_error(l->z, l->cname->where, "%s: a CNAME at the zone's apex", name_of(l));
	if (l->dname && l->ns && !l->is_apex)
		zonefile_error(l->z, l->dname->where, "%s: a DNAME beside NS (see line %u)",
		               name_of(l), zonefile_line(l->z, l->ns->where));
}

static void look_at_apex(struct zonefile *z, const struct look *apex, bool has_nameservers)
{
	enum { SOA_NUMBERS = 20 };

	if (!apex || !apex->soa)
		zonefile_error(z, 0, "the zone has no SOA");
	else
		z->serial =
			bytes_get32(z->rdata.data + apex->soa->at + apex->soa->len - SOA_NUMBERS);
	if (!has_nameservers && (!apex || !apex->ns))
		zonefile_error(z, 0, "the zone has no NS at its apex");
}

void zonefile_rules(struct zonefile *z, bool has_nameservers)
{
	uint8_t seen[TYPES / 8] = {0};
	struct look apex;
	bool has_apex = false;

	for (size_t i = 0; i < z->owner_count; i++) {
		const struct zonefile_owner *o = &z->owners[i];
		struct look l = {.z = z, .owner = o};

		if (o->first == ZONEFILE_NONE)
			continue;
		l.is_apex = names_wire_equal(z->wires.data + o->wire, z->apex.wire);
		for (uint32_t k = o->first; k != ZONEFILE_NONE; k = z->records[k].next)
			look_at(&l, &z->records[k]);
		if (o->first != o->last)
			look_at_sets(&l, seen);
		look_at_whole(&l);
		if (z->has_dname)
			look_above(&l);
		if (l.is_apex) {
			apex = l;
			has_apex = true;
		}
	}
	/* A file that cannot be read has no more to be told of it. */
	if (z->record_count > 0 || z->error_count == 0)
		look_at_apex(z, has_apex ? &apex : NULL, has_nameservers);
}
