/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/differential/records.h"

enum {
	SETS_LEAST = 15,
	SETS_SPAN = 50, /* of one zone */
	LABELS_MOST = 4,
	BIG_SET = 30 /* records, which no datagram holds */
};

static const uint32_t ttls[] = {0, 1, 30, 300, 3600, 86400, 2147483647};

/* --- what stands there --- */

bool made_has_set(const struct made *m, const struct dname *owner, uint16_t type)
{
	for (size_t i = 0; i < m->set_count; i++)
		if (m->set[i].type == type && dname_equal(&m->set[i].owner, owner))
			return true;
	return false;
}

bool made_has_as_written(const struct made *m, const char *record)
{
	size_t low = 0, high = m->record_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(record, m->record[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Only that there is one: of their targets ldns misreads some (a first label "@" is none to it). */
static void forget_target(char *record)
{
	static const char *const types[] = {"\tSVCB\t", "\tHTTPS\t"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char *at = strstr(record, types[i]);

		if (at != NULL)
			at[strlen(types[i])] = '\0';
	}
}

bool made_has(const struct made *m, const char *given)
{
	char wildcard[4096], record[4096];
	const char *at = record;

	snprintf(record, sizeof(record), "%s", given);
	forget_target(record);
	if (made_has_as_written(m, record))
		return true;
	/* "*." and what stands behind a dot of the owner; labels with dots in them are in no zone's wildcards. */
	while ((at = strpbrk(at, ".\t")) != NULL && *at == '.') {
		snprintf(wildcard, sizeof(wildcard), "*%s", at);
		if (made_has_as_written(m, wildcard))
			return true;
		at++;
	}
	return false;
}

/* --- names --- */

size_t made_label(struct dice *d, uint8_t out[63])
{
	static const char *const plain[] = {"a", "b", "c", "*", "a", "b", "*", "www", "ns", "_tcp"};
	static const char *const odd[] = {"x.y",      "a b", "\"", "\\", "@",
	                                  "\x01\xff", "(;)", "-",  "1"};
	const char *label = dice_chance(d, 90) ? dice_pick(d, plain) : dice_pick(d, odd);
	size_t len = strlen(label);

	if (dice_chance(d, 2)) {
		memset(out, 'l', 63);
		return 63 - dice_roll(d, 3);
	}
	if (dice_chance(d, 1)) {
		out[0] = 0;
		return 1;
	}
	memcpy(out, label, len);
	return len;
}

/* As long as names can be. */
static struct dname longest_below(struct dice *d, struct dname n)
{
	uint8_t label[63];

	memset(label, 'l', sizeof(label));
	while (n.len < DNAME_MOST - 1) {
		size_t left = (size_t)(DNAME_MOST - 1 - n.len);

		if (!dname_put_before(label, left < 63 ? left : 63, &n, &n) || dice_chance(d, 10))
			break;
	}
	return n;
}

struct dname made_name_below(struct dice *d, const struct dname *apex)
{
	struct dname n = *apex;
	uint8_t label[63];

	if (dice_chance(d, 2))
		return longest_below(d, n);
	for (unsigned i = 1 + dice_roll(d, LABELS_MOST); i > 0; i--)
		(void)dname_put_before(label, made_label(d, label), &n, &n);
	return n;
}

/* --- what may stand there --- */

/* Are there names below it, or a DNAME above it?  In any zone: NSD sees them as one tree. */
static bool is_in_a_dnames_way(const struct made *m, const struct dname *owner, uint16_t type)
{
	for (size_t i = 0; i < m->set_count; i++) {
		const struct made_set *s = &m->set[i];

		if (dname_equal(&s->owner, owner))
			continue;
		if (s->type == TYPE_DNAME && dname_is_in(owner, &s->owner))
			return true;
		if (type == TYPE_DNAME && dname_is_in(&s->owner, owner))
			return true;
	}
	return false;
}

static bool is_allowed(const struct made *m, size_t zone, const struct dname *owner, uint16_t type)
{
	bool is_apex = dname_equal(owner, &m->zone[zone].apex);

	if (m->set_count == MADE_SETS_MOST || is_in_a_dnames_way(m, owner, type))
		return false;
	if (is_apex && (type == TYPE_CNAME || type == TYPE_DS))
		return false;
	for (size_t i = 0; i < m->set_count; i++) {
		const struct made_set *s = &m->set[i];

		if (s->zone != zone || !dname_equal(&s->owner, owner))
			continue;
		if (s->type == type || s->type == TYPE_CNAME || type == TYPE_CNAME)
			return false;
		if (!is_apex && ((s->type == TYPE_NS && type == TYPE_DNAME) ||
		                 (s->type == TYPE_DNAME && type == TYPE_NS)))
			return false;
	}
	return true;
}

/* --- RRsets --- */

static const char *type_text(uint16_t type, char out[16])
{
	const struct {
		uint16_t type;
		const char *text;
	} known[] = {{TYPE_A, "A"},         {TYPE_NS, "NS"},     {TYPE_CNAME, "CNAME"},
	             {TYPE_SOA, "SOA"},     {TYPE_PTR, "PTR"},   {TYPE_MX, "MX"},
	             {TYPE_TXT, "TXT"},     {TYPE_AAAA, "AAAA"}, {TYPE_SRV, "SRV"},
	             {TYPE_DNAME, "DNAME"}, {TYPE_DS, "DS"},     {TYPE_SVCB, "SVCB"},
	             {TYPE_HTTPS, "HTTPS"}, {TYPE_CAA, "CAA"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type)
			return known[i].text;
	snprintf(out, 16, "TYPE%u", type);
	return out;
}

static void keep_record(struct made *m, const struct dname *owner, const char *rest)
{
	if (m->record_count == m->record_room) {
		m->record_room = m->record_room ? 2 * m->record_room : 256;
		m->record = xrealloc(m->record, m->record_room * sizeof(*m->record));
	}
	m->record[m->record_count] = records_of_line(owner, rest);
	forget_target(m->record[m->record_count++]);
}

static void put_set(struct made *m, struct dice *d, size_t zone, const struct dname *owner,
                    uint16_t type, unsigned count)
{
	uint32_t ttl = dice_pick(d, ttls);
	struct dname written = dice_chance(d, 10) ? dname_upper(owner) : *owner;
	struct text line = {0};
	char type_room[16];

	if (!is_allowed(m, zone, owner, type))
		return;
	m->set[m->set_count++] = (struct made_set){*owner, type, zone};
	for (unsigned i = 0; i < count; i++) {
		dname_print(&written, &m->zone[zone].file);
		text_reset(&line);
		text_printf(&line, " %u IN %s ", ttl, type_text(type, type_room));
		made_rdata(m, d, owner, type, i, &line);
		keep_record(m, owner, line.data);
		text_add(&line, "\n");
		text_add(&m->zone[zone].file, line.data);
	}
	text_fini(&line);
}

/* A cut: name servers, perhaps with glue, DS, and what the parent should not have. */
static void put_cut(struct made *m, struct dice *d, size_t zone, const struct dname *at)
{
	struct dname below = *at;

	put_set(m, d, zone, at, TYPE_NS, 1 + dice_roll(d, dice_chance(d, 5) ? 20 : 3));
	if (dice_chance(d, 40))
		put_set(m, d, zone, at, TYPE_DS, 1 + dice_roll(d, 2));
	for (unsigned i = dice_roll(d, 3); i > 0; i--) {
		below = made_name_below(d, at);
		put_set(m, d, zone, &below, dice_chance(d, 50) ? TYPE_A : TYPE_AAAA,
		        1 + dice_roll(d, 2));
	}
	if (dname_put_before("ns", 2, at, &below) && dice_chance(d, 60)) {
		put_set(m, d, zone, &below, TYPE_A, 1 + dice_roll(d, 3));
		put_set(m, d, zone, &below, TYPE_AAAA, 1);
	}
}

static void put_something(struct made *m, struct dice *d, size_t zone)
{
	static const uint16_t types[] = {TYPE_A,   TYPE_A,   TYPE_AAAA, TYPE_TXT,
	                                 TYPE_MX,  TYPE_SRV, TYPE_SVCB, TYPE_HTTPS,
	                                 TYPE_PTR, TYPE_CAA, TYPE_DS,   TYPE_UNKNOWN};
	struct dname owner = made_name_below(d, &m->zone[zone].apex);
	unsigned kind = dice_roll(d, 100);
	unsigned count = dice_chance(d, 3) ? BIG_SET : 1 + dice_roll(d, 3);

	if (dice_chance(d, 5))
		owner = m->zone[zone].apex;
	else if (dice_chance(d, 15))
		owner = m->set[dice_roll(d, m->set_count)].owner;
	if (!dname_is_in(&owner, &m->zone[zone].apex))
		return;
	if (kind < 20)
		put_set(m, d, zone, &owner, TYPE_CNAME, 1);
	else if (kind < 26)
		put_set(m, d, zone, &owner, TYPE_DNAME, 1);
	else if (kind < 38 && !dname_equal(&owner, &m->zone[zone].apex) &&
	         (!dname_is_wildcard(&owner) || dice_chance(d, 10)))
		put_cut(m, d, zone, &owner);
	else
		put_set(m, d, zone, &owner, dice_pick(d, types), count);
}

/* --- zones --- */

static void add_zone(struct made *m, struct dice *d, const char *apex)
{
	struct made_zone *z = &m->zone[m->zone_count];

	z->apex = dname_of(apex);
	put_set(m, d, m->zone_count, &z->apex, TYPE_SOA, 1);
	put_set(m, d, m->zone_count, &z->apex, TYPE_NS, 1 + dice_roll(d, 3));
}

struct made *made_new(struct dice *d)
{
	static const char *const apexes[] = {"z", "y", "a.z", "b.a.z", "a.y", "c.c.y"};
	struct made *m = xcalloc(1, sizeof(*m));

	for (size_t i = 0; i < MADE_ZONES_MOST; i++) {
		if (i > 0 && dice_chance(d, 40))
			continue;
		add_zone(m, d, apexes[i]);
		m->zone_count++;
	}
	for (size_t i = 0; i < m->zone_count; i++)
		for (unsigned k = SETS_LEAST + dice_roll(d, SETS_SPAN); k > 0; k--)
			put_something(m, d, i);
	/* Where a zone is ours, the one above often says so, and often not. */
	for (size_t i = 0; i < m->zone_count; i++)
		for (size_t k = 0; k < m->zone_count; k++)
			if (i != k && dname_is_in(&m->zone[k].apex, &m->zone[i].apex) &&
			    dice_chance(d, 60))
				put_cut(m, d, i, &m->zone[k].apex);
	records_sort(m->record, m->record_count);
	return m;
}

void made_free(struct made *m)
{
	for (size_t i = 0; i < m->zone_count; i++)
		text_fini(&m->zone[i].file);
	for (size_t i = 0; i < m->record_count; i++)
		free(m->record[i]);
	free(m->record);
	free(m);
}
