/* What is said of the same zones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/rules.h"

#include <string.h>

#include "tests/differential/records.h"

enum { TYPE_RRSIG = 46, TYPE_NSEC = 47, TYPE_NSEC3 = 50 };

/* --- of all --- */

/* What a zone changes by, nighd knows and its file does not. */
unsigned rule_own_serial(const struct difference *d)
{
	return d->ours->serial != 0 && d->theirs->serial != 0 ? AS_SERIAL : 0;
}

/* Is each record of `a` that `b` has not an address or an alias of a service, and true? */
static bool extras_are_fine(const struct difference *d, const struct record_set *a,
                            const struct record_set *b)
{
	static const char *const types[] = {"A", "AAAA", "SVCB", "HTTPS"};

	for (size_t i = 0; i < a->count; i++) {
		bool is_fine = false;

		if (reply_set_has(b, a->record[i]))
			continue;
		for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
			is_fine |= reply_is_type(a->record[i], types[k]);
		if (!is_fine || !made_has(d->made, a->record[i]))
			return false;
	}
	return true;
}

/* Is the owner of `record` in the zone that the NS of the authority section is of? */
static bool is_inside_cut(const char *record, const struct record_set *authority)
{
	const char *cut = authority->record[0];
	size_t owner_len = strcspn(record, "\t"), cut_len = strcspn(cut, "\t");
	size_t before = owner_len - cut_len;

	return owner_len >= cut_len && memcmp(record + before, cut, cut_len) == 0 &&
	       (before == 0 || record[before - 1] == '.');
}

/* How many records inside the delegated zone `a` has and `b` has not: those that stand in a file, or only a wildcard gives. */
static size_t count_inside(const struct difference *d, const struct reply *a, const struct reply *b,
                           bool by_wildcard)
{
	const struct record_set *authority = &a->section[AUTHORITY], *set = &a->section[ADDITIONAL];
	size_t count = 0;

	if (!reply_has_type(authority, "NS"))
		return 0;
	for (size_t i = 0; i < set->count; i++)
		count += !reply_set_has(&b->section[ADDITIONAL], set->record[i]) &&
		         is_inside_cut(set->record[i], authority) &&
		         made_has_as_written(d->made, set->record[i]) != by_wildcard;
	return count;
}

static bool additional_is_fine(const struct difference *d)
{
	const struct record_set *ours = &d->ours->section[ADDITIONAL],
				*theirs = &d->theirs->section[ADDITIONAL];

	/* RFC 9471: of the glue inside the delegated zone all must be there. */
	return count_inside(d, d->theirs, d->ours, false) == 0 &&
	       extras_are_fine(d, ours, theirs) && extras_are_fine(d, theirs, ours);
}

/* Delegation cancels the wildcards. */
unsigned rule_wildcard_glue(const struct difference *d)
{
	return count_inside(d, d->theirs, d->ours, true) > 0 && additional_is_fine(d)
	               ? AS_ADDITIONAL
	               : 0;
}

unsigned rule_additional(const struct difference *d)
{
	return additional_is_fine(d) ? AS_ADDITIONAL : 0;
}

static bool is_of_one_type(const struct record_set *set)
{
	for (size_t i = 1; i < set->count; i++) {
		const char *type = reply_type(set->record[i]);
		size_t len = strcspn(type, "\t") + 1;

		if (strncmp(reply_type(set->record[0]), type, len) != 0)
			return false;
	}
	return true;
}

/* Are they the same that `theirs` has of this type, if it has any? */
static bool is_whole(const struct record_set *ours, const struct record_set *theirs)
{
	const char *type = reply_type(ours->record[0]);
	size_t len = strcspn(type, "\t") + 1, same = 0;

	for (size_t i = 0; i < theirs->count; i++) {
		if (strncmp(reply_type(theirs->record[i]), type, len) != 0)
			continue;
		if (!reply_set_has(ours, theirs->record[i]))
			return false;
		same++;
	}
	return same == 0 || same == ours->count;
}

/* One RRset, not followed where it is an alias, and nothing beside it. */
unsigned rule_any(const struct difference *d)
{
	const struct record_set *ours = &d->ours->section[ANSWER],
				*theirs = &d->theirs->section[ANSWER];

	if (d->q->type != TYPE_ANY || ours->count == 0)
		return 0;
	if (reply_has_type(ours, "CNAME"))
		return AS_DATA | AS_TC;
	if (!is_of_one_type(ours) ||
	    ((d->theirs->flags & REPLY_TC) == 0 && !is_whole(ours, theirs)))
		return 0;
	return theirs->count > 0 || d->theirs->flags & REPLY_TC
	               ? AS_ANSWER | AS_AUTHORITY | AS_ADDITIONAL | AS_SERIAL | AS_TC
	               : 0;
}

/* Where there is hardly room, Knot leaves the SOA of a denial out, and does not say so. */
static bool lacks_soa(const struct difference *d)
{
	enum { HARDLY = 64 };

	return d->who == KNOT && d->theirs->section[AUTHORITY].count == 0 &&
	       reply_has_type(&d->ours->section[AUTHORITY], "SOA") &&
	       d->ours->len + HARDLY > question_room(d->q);
}

/* What is left in a truncated answer is nobody's concern: it is asked for again over TCP. */
unsigned rule_truncated(const struct difference *d)
{
	if (d->q->tcp)
		return 0;
	if (((d->ours->flags | d->theirs->flags) & REPLY_TC) != 0)
		return AS_DATA | AS_TC;
	return lacks_soa(d) ? AS_AUTHORITY | AS_SERIAL : 0;
}

/* Does some DNAME lead to itself, or below itself? */
static bool grows(const struct record_set *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		struct dname owner, target;

		if (reply_is_type(answer->record[i], "DNAME") &&
		    records_name(answer->record[i], &owner) &&
		    records_name(reply_type(answer->record[i]) + strlen("DNAME\t"), &target) &&
		    dname_is_in(&target, &owner))
			return true;
	}
	return false;
}

/* Somewhere everybody has enough. */
unsigned rule_alias_loop(const struct difference *d)
{
	enum { MANY = 16 };
	const struct record_set *ours = &d->ours->section[ANSWER],
				*theirs = &d->theirs->section[ANSWER];
	size_t aliases = 0;

	if (!reply_is_subset(theirs, ours) && !reply_is_subset(ours, theirs))
		return 0;
	for (size_t i = 0; i < ours->count; i++)
		aliases += reply_is_type(ours->record[i], "CNAME");
	if (aliases >= MANY || grows(ours))
		return AS_DATA | AS_TC;
	/* Some tell a loop more than once. */
	return aliases > 0 && reply_is_subset(theirs, ours) && reply_is_subset(ours, theirs)
	               ? AS_ANSWER
	               : 0;
}

/* --- DS --- */

/* The nearest zone above; -1: none. */
static int zone_above(const struct made *m, size_t zone)
{
	int found = -1;

	for (size_t i = 0; i < m->zone_count; i++)
		if (i != zone && dname_is_in(&m->zone[zone].apex, &m->zone[i].apex) &&
		    (found < 0 || m->zone[i].apex.len > m->zone[found].apex.len))
			found = (int)i;
	return found;
}

/* Does the zone above have the apex as a name of its own, or as a cut? */
static bool is_held_above(const struct made *m, size_t zone)
{
	const struct dname *apex = &m->zone[zone].apex;
	int above = zone_above(m, zone);
	bool is_held = false;

	for (size_t i = 0; i < m->set_count; i++) {
		const struct made_set *s = &m->set[i];

		if ((int)s->zone != above)
			continue;
		if (s->type == TYPE_NS && !dname_equal(&s->owner, &m->zone[above].apex) &&
		    !dname_equal(&s->owner, apex) && dname_is_in(apex, &s->owner))
			return false;
		is_held |= dname_is_in(&s->owner, apex);
	}
	return is_held;
}

/* No zone of ours above has that name: then its own says that it has no DS. */
unsigned rule_ds(const struct difference *d)
{
	const struct record_set *authority = &d->ours->section[AUTHORITY];
	struct dname owner;

	if (d->q->type != TYPE_DS || d->ours->rcode != 0 || authority->count != 1 ||
	    !reply_is_type(authority->record[0], "SOA") ||
	    !records_name(authority->record[0], &owner))
		return 0;
	for (size_t i = 0; i < d->made->zone_count; i++)
		if (dname_equal(&owner, &d->made->zone[i].apex) && !is_held_above(d->made, i))
			return AS_DATA;
	return 0;
}

/* It is asked for where an alias leads, which is the apex of a zone of ours. */
unsigned rule_ds_of_alias(const struct difference *d)
{
	const struct record_set *ours = &d->ours->section[ANSWER];

	if (d->q->type != TYPE_DS || d->ours->rcode != 0)
		return 0;
	for (size_t i = 0; i < ours->count; i++) {
		struct dname target;

		if (!reply_is_type(ours->record[i], "CNAME") ||
		    !records_name(reply_type(ours->record[i]) + strlen("CNAME\t"), &target))
			continue;
		for (size_t k = 0; k < d->made->zone_count; k++)
			if (dname_equal(&target, &d->made->zone[k].apex))
				return AS_DATA;
	}
	return 0;
}

/* --- of one --- */

unsigned rule_yxdomain(const struct difference *d)
{
	enum { YXDOMAIN = 6 };

	return d->ours->rcode == YXDOMAIN ? AS_DATA & ~(unsigned)AS_AA : 0;
}

static bool asks_alias_for(const struct difference *d, uint16_t type)
{
	return d->q->type == type && reply_has_type(&d->ours->section[ANSWER], "CNAME");
}

/* Beside an alias there may be such records of its own. */
unsigned rule_signature(const struct difference *d)
{
	return asks_alias_for(d, TYPE_RRSIG) || asks_alias_for(d, TYPE_NSEC) ||
	                       asks_alias_for(d, TYPE_NSEC3)
	               ? AS_DATA
	               : 0;
}

/* The zone that a name as in records (lower case, with the last dot) is in; -1: in none. */
static int zone_of(const struct made *m, const char *name)
{
	int found = -1;
	size_t longest = 0, len = strcspn(name, "\t");

	for (size_t i = 0; i < m->zone_count; i++) {
		struct text apex = {0};

		dname_print(&m->zone[i].apex, &apex);
		if (apex.len > longest && len >= apex.len &&
		    memcmp(name + len - apex.len, apex.data, apex.len) == 0 &&
		    (len == apex.len || name[len - apex.len - 1] == '.')) {
			longest = apex.len;
			found = (int)i;
		}
		text_fini(&apex);
	}
	return found;
}

/* An alias that leads from one of the zones into another one, or out of all. */
static const char *leaving_alias(const struct difference *d)
{
	const struct record_set *ours = &d->ours->section[ANSWER];

	for (size_t i = 0; i < ours->count; i++) {
		const char *record = ours->record[i];

		if (reply_is_type(record, "CNAME") &&
		    zone_of(d->made, record) !=
		            zone_of(d->made, reply_type(record) + strlen("CNAME\t")))
			return record;
	}
	return NULL;
}

/* The chain ends where it leaves the zone. */
unsigned rule_alias_ends(const struct difference *d)
{
	const struct reply *r = d->theirs;

	return leaving_alias(d) != NULL && r->rcode == 0 && r->section[AUTHORITY].count == 0 &&
	                       r->section[ADDITIONAL].count == 0 && r->section[ANSWER].count > 0 &&
	                       reply_is_subset(&r->section[ANSWER], &d->ours->section[ANSWER])
	               ? AS_DATA | AS_TC
	               : 0;
}

/* The chain goes on in the zone above, where the zone below is ours too. */
unsigned rule_alias_stays(const struct difference *d)
{
	return leaving_alias(d) != NULL || asks_alias_for(d, TYPE_DS) ? AS_DATA | AS_TC : 0;
}

/* --- names on the way --- */

typedef bool name_fn(const struct made *m, const struct dname *name, uint16_t type);

/* Is it so of the question's name, or of one that an alias leads to? */
static bool any_name(const struct difference *d, name_fn *is_so, uint16_t type)
{
	const struct record_set *ours = &d->ours->section[ANSWER];

	if (is_so(d->made, &d->q->name, type))
		return true;
	for (size_t i = 0; i < ours->count; i++) {
		struct dname target;

		if (reply_is_type(ours->record[i], "CNAME") &&
		    records_name(reply_type(ours->record[i]) + strlen("CNAME\t"), &target) &&
		    is_so(d->made, &target, type))
			return true;
	}
	return false;
}

/* Is there an RRset of the type at a wildcard whose parent the name is below? */
static bool is_under_wildcard(const struct made *m, const struct dname *name, uint16_t type)
{
	for (size_t i = 0; i < m->set_count; i++) {
		const struct made_set *s = &m->set[i];
		struct dname above = dname_parent(&s->owner);

		if (s->type == type && dname_is_wildcard(&s->owner) && dname_is_in(name, &above))
			return true;
	}
	return false;
}

unsigned rule_wildcard_ns(const struct difference *d)
{
	return any_name(d, is_under_wildcard, TYPE_NS) ? AS_DATA : 0;
}

unsigned rule_wildcard_dname(const struct difference *d)
{
	return any_name(d, is_under_wildcard, TYPE_DNAME) ? AS_DATA : 0;
}

/* --- of NSD --- */

static size_t common_labels(const struct dname *a, const struct dname *b)
{
	struct dname n = *a;
	size_t count = 0;

	while (!dname_is_in(b, &n))
		n = dname_parent(&n);
	for (; !dname_is_root(&n); n = dname_parent(&n))
		count++;
	return count;
}

static size_t label_count(const struct dname *n) { return common_labels(n, n); }

/* Is the name at or below another zone's apex, or a name above that, and in this zone besides? */
static bool is_near_another_zone(const struct made *m, const struct dname *name, uint16_t type)
{
	(void)type;
	for (size_t i = 0; i < m->zone_count; i++) {
		const struct dname *apex = &m->zone[i].apex;

		for (size_t k = 0; k < m->zone_count; k++)
			if (k != i && dname_is_in(name, apex) &&
			    dname_is_in(&m->zone[k].apex, apex) &&
			    common_labels(name, &m->zone[k].apex) > label_count(apex))
				return true;
	}
	return false;
}

/* NSD keeps all zones in one tree, where a name of one is in the way of another. */
unsigned rule_one_tree(const struct difference *d)
{
	return any_name(d, is_near_another_zone, 0) ? AS_DATA : 0;
}
