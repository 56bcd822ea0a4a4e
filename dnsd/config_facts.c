/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_facts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "zones/rdata.h"
#include "zones/rrset.h"

/* Of the facts: no object's, as it is no name. */
#define NAMESPACE "(config)"

/* A zone's records while they are read. */
struct reading {
	const struct config *config;
	const struct config_zone *zone;
	char apex[NAMES_TEXT_SIZE];
	struct written {
		const struct config_record *from;
		struct rdata_line line;
		uint16_t type;
	} * written; /* those that can be read */
	size_t count;
	struct text *errors;
	bool good;
};

/* --- names --- */

static bool read_names(struct reading *r)
{
	const struct config_zone *zone = r->zone;
	uint8_t wire[NAMES_WIRE_MAX];
	struct reason why = {0};
	bool good = true;
	size_t len;

	for (size_t i = 0; i < zone->nameserver_count; i++)
		if (names_from_text(bytes_of(zone->nameservers[i].name), wire, &len, &why) !=
		    ERR_OK) {
			text_printf(r->errors, "%s:%u: zone %s: name server '%s': %s\n",
			            r->config->file, zone->line, zone->name,
			            zone->nameservers[i].name, why.text);
			good = false;
		}
	if (names_from_text(bytes_of(zone->name), wire, &len, &why) == ERR_OK) {
		names_to_text(wire, r->apex);
		return good;
	}
	text_printf(r->errors, "%s:%u: zone '%s': %s\n", r->config->file, zone->line, zone->name,
	            why.text);
	return false;
}

/* --- records --- */

static void refuse(struct reading *r, const struct config_record *record, const char *why)
{
	text_printf(r->errors, "%s:%u: zone %s: record '%s': %s\n", r->config->file, record->line,
	            r->zone->name, record->text, why);
	r->good = false;
}

static void read_records(struct reading *r)
{
	r->written = xcalloc(r->zone->record_count + 1, sizeof *r->written);
	for (size_t i = 0; i < r->zone->record_count; i++) {
		struct written *w = &r->written[r->count];
		struct reason why = {0};

		w->from = &r->zone->records[i];
		if (rdata_parse_line(w->from->text, r->zone->name, &w->line, &why) != ERR_OK) {
			refuse(r, w->from, why.text);
			continue;
		}
		w->type = rdata_type(bytes_of(w->line.type));
		r->count++;
	}
}

/* --- rules of zones: what zones would leave out, the config may not say --- */

static const char *find_fault(const struct reading *r, const struct written *w)
{
	if (w->type == RR_SOA)
		return "a zone's SOA is made by nighd";
	if (strcasecmp(w->line.owner, r->apex) != 0)
		return NULL;
	if (w->type == RR_NS)
		return "a zone's own NS come from its nameservers";
	if (w->type == RR_CNAME)
		return "a zone's apex has other data, so no CNAME may be there";
	return NULL;
}

/* RFC 1034 3.6.2, RFC 6672 2.4. */
static const char *find_clash(const struct written *a, const struct written *b)
{
	bool same = a->type == b->type && strcmp(a->line.rdata, b->line.rdata) == 0;

	if (same)
		return NULL;
	if (a->type == RR_CNAME || b->type == RR_CNAME)
		return a->type == b->type ? "there can be only one CNAME"
		                          : "beside a CNAME there can be nothing else";
	if (a->type == RR_DNAME && b->type == RR_DNAME)
		return "there can be only one DNAME";
	if ((a->type == RR_DNAME && b->type == RR_NS) || (a->type == RR_NS && b->type == RR_DNAME))
		return "a DNAME cannot be beside NS";
	return NULL;
}

static int by_owner(const void *a, const void *b)
{
	const struct written *x = *(const struct written *const *)a;
	const struct written *y = *(const struct written *const *)b;
	int order = strcasecmp(x->line.owner, y->line.owner);

	return order ? order : (x > y) - (x < y);
}

/* The first of the records of one name that the last of them cannot stand beside. */
static void check_clash(struct reading *r, const struct written *const *sorted, size_t last)
{
	const struct written *w = sorted[last];
	struct text why = {0};

	while (last > 0 && strcasecmp(sorted[last - 1]->line.owner, w->line.owner) == 0)
		last--;
	for (; sorted[last] != w && why.len == 0; last++) {
		const char *clash = find_clash(sorted[last], w);

		if (clash != NULL)
			text_printf(&why, "%s: see line %u", clash, sorted[last]->from->line);
	}
	if (why.len > 0)
		refuse(r, w->from, why.data);
	text_fini(&why);
}

static void check_rules(struct reading *r)
{
	const struct written **sorted = xcalloc(r->count + 1, sizeof(struct written *));

	for (size_t i = 0; i < r->count; i++)
		sorted[i] = &r->written[i];
	qsort(sorted, r->count, sizeof(struct written *), by_owner);
	for (size_t i = 0; i < r->count; i++) {
		const char *fault = find_fault(r, sorted[i]);

		if (fault != NULL)
			refuse(r, sorted[i]->from, fault);
		else
			check_clash(r, sorted, i);
	}
	free(sorted);
}

/* --- facts --- */

/* One endpoint a record; records unites those of one name and type. */
static bool encode(struct reading *r, const struct fact **out)
{
	struct fact_endpoint *endpoints = xcalloc(r->count + 1, sizeof *endpoints);
	struct bytes *targets = xcalloc(r->count + 1, sizeof *targets);
	struct fact_value value = {
		.kind = FACT_DNS_ENDPOINT,
		.namespace = bytes_of(NAMESPACE),
		.name = bytes_of(r->zone->name),
		.created = FACT_CONFIG_TIME,
		.dns_endpoint = {.endpoints = endpoints, .endpoint_count = r->count},
	};
	struct reason why = {0};
	enum err err;

	for (size_t i = 0; i < r->count; i++) {
		const struct rdata_line *line = &r->written[i].line;

		targets[i] = bytes_of(line->rdata);
		endpoints[i] = (struct fact_endpoint){
			.name = bytes_of(line->owner),
			.type = bytes_of(line->type),
			.ttl = line->has_ttl ? (int64_t)line->ttl : (int64_t)r->zone->ttl_s,
			.targets = &targets[i],
			.target_count = 1,
		};
	}
	err = fact_encode(&value, out, &why);
	if (err != ERR_OK)
		text_printf(r->errors, "%s:%u: zone %s: %s\n", r->config->file, r->zone->line,
		            r->zone->name, why.text);
	free(targets);
	free(endpoints);
	return err == ERR_OK;
}

/* NULL in *out: the zone has no records, or bad ones. */
static bool read_zone(const struct config *c, const struct config_zone *zone,
                      const struct fact **out, struct text *errors)
{
	struct reading r = {.config = c, .zone = zone, .errors = errors, .good = true};

	*out = NULL;
	if (!read_names(&r))
		return false;
	read_records(&r);
	check_rules(&r);
	if (r.good && r.count > 0)
		r.good = encode(&r, out);
	for (size_t i = 0; i < r.count; i++)
		rdata_line_fini(&r.written[i].line);
	free(r.written);
	return r.good;
}

/* *facts: NULL-terminated; the caller unrefs and frees. */
static bool build(const struct config *c, const struct fact ***facts, struct text *errors)
{
	const struct fact **list = xcalloc(c->zone_count + 1, sizeof(struct fact *));
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; i < c->zone_count; i++) {
		good = read_zone(c, &c->zones[i], &list[count], errors) && good;
		count += list[count] != NULL;
	}
	*facts = list;
	return good;
}

bool config_facts_check(const struct config *c, struct text *errors)
{
	const struct fact **facts;
	bool good = build(c, &facts, errors);

	for (size_t i = 0; facts[i] != NULL; i++)
		fact_unref(facts[i]);
	free(facts);
	return good;
}

static void note_name(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)cluster;
	if (fact_created(fact) == FACT_CONFIG_TIME)
		buffer_str16(arg, fact_name(fact));
}

static void remove_all(struct facts *facts)
{
	struct buffer names = {0};
	struct cursor c;

	facts_each(facts, FACTS_HOST, FACT_DNS_ENDPOINT, note_name, &names);
	c = cursor_over(names.data, names.len);
	while (cursor_left(&c) > 0)
		facts_remove(facts, FACTS_HOST, FACT_DNS_ENDPOINT, bytes_of(NAMESPACE),
		             cursor_str16(&c));
	buffer_fini(&names);
}

void config_facts_put(const struct config *c, struct facts *facts)
{
	const struct fact **fresh;
	struct text errors = {0};

	remove_all(facts);
	CHECK(build(c, &fresh, &errors));
	for (size_t i = 0; fresh[i] != NULL; i++)
		facts_put(facts, FACTS_HOST, fresh[i]);
	free(fresh);
	text_fini(&errors);
}
