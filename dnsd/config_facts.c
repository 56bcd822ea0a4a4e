/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_facts.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "records/names.h"
#include "zones/rdata.h"

struct gathered {
	struct fact_endpoint *endpoint;
	struct bytes *target;
	struct rdata_line *line;
	size_t count;
};

/* One endpoint a record; records unites those of one name and type. */
static bool gather_records(const struct config_zone *zone, struct gathered *out,
                           struct text *errors)
{
	bool good = true;

	out->endpoint = xcalloc(zone->record_count + 1, sizeof *out->endpoint);
	out->target = xcalloc(zone->record_count + 1, sizeof *out->target);
	out->line = xcalloc(zone->record_count + 1, sizeof *out->line);
	for (size_t i = 0; i < zone->record_count; i++) {
		struct rdata_line *line = &out->line[out->count];
		struct reason why = {0};

		if (rdata_parse_line(zone->records[i], zone->name, line, &why) != ERR_OK) {
			text_printf(errors, "%u: zone %s: record '%s': %s\n", zone->line,
			            zone->name, zone->records[i], why.text);
			good = false;
			continue;
		}
		out->target[out->count] = bytes_of(line->rdata);
		out->endpoint[out->count] = (struct fact_endpoint){
			.name = bytes_of(line->owner),
			.type = bytes_of(line->type),
			.ttl = line->has_ttl ? (int64_t)line->ttl : (int64_t)zone->ttl_s,
			.targets = &out->target[out->count],
			.target_count = 1,
		};
		out->count++;
	}
	return good;
}

static void gathered_fini(struct gathered *g)
{
	for (size_t i = 0; i < g->count; i++)
		rdata_line_fini(&g->line[i]);
	free(g->line);
	free(g->target);
	free(g->endpoint);
}

static bool zone_fact(const struct config_zone *zone, const struct fact **out, struct text *errors)
{
	struct gathered gathered = {0};
	struct reason why = {0};
	bool good = gather_records(zone, &gathered, errors);
	struct fact_value value = {
		.kind = FACT_DNS_ENDPOINT,
		.namespace = bytes_of("config"),
		.name = bytes_of(zone->name),
		.created = FACT_CONFIG_TIME,
		.dns_endpoint = {.endpoints = gathered.endpoint, .endpoint_count = gathered.count},
	};

	if (good && fact_encode(&value, out, &why) != ERR_OK) {
		text_printf(errors, "%u: zone %s: %s\n", zone->line, zone->name, why.text);
		good = false;
	}
	gathered_fini(&gathered);
	return good;
}

static bool names_are_good(const struct config_zone *zone, struct text *errors)
{
	uint8_t wire[NAMES_WIRE_MAX];
	struct reason why = {0};
	bool good = true;
	size_t len;

	if (names_from_text(bytes_of(zone->name), wire, &len, &why) != ERR_OK) {
		text_printf(errors, "%u: zone '%s': %s\n", zone->line, zone->name, why.text);
		good = false;
	}
	for (size_t i = 0; i < zone->nameserver_count; i++)
		if (names_from_text(bytes_of(zone->nameservers[i].name), wire, &len, &why) !=
		    ERR_OK) {
			text_printf(errors, "%u: zone %s: name server '%s': %s\n", zone->line,
			            zone->name, zone->nameservers[i].name, why.text);
			good = false;
		}
	return good;
}

bool config_facts_build(const struct config *c, const struct fact ***facts, struct text *errors)
{
	const struct fact **list = xcalloc(c->zone_count + 1, sizeof *list);
	size_t count = 0;
	bool good = true;

	for (size_t i = 0; i < c->zone_count; i++) {
		if (!names_are_good(&c->zones[i], errors)) {
			good = false;
			continue;
		}
		if (c->zones[i].record_count == 0)
			continue;
		if (zone_fact(&c->zones[i], &list[count], errors))
			count++;
		else
			good = false;
	}
	*facts = list;
	return good;
}

bool config_facts_check(const struct config *c, struct text *errors)
{
	const struct fact **facts;
	bool good = config_facts_build(c, &facts, errors);

	for (size_t i = 0; facts[i] != NULL; i++)
		fact_unref(facts[i]);
	free(facts);
	return good;
}
