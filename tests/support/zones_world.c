/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/zones_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "records/names.h"

enum { MOST_RECORDS = 16, MOST_ZONES = 8, MOST_SITES = 8 };

struct bytes zworld_wire(const char *name)
{
	static uint8_t wire[8][NAMES_WIRE_MAX];
	static unsigned turn;
	uint8_t *out = wire[turn++ % 8];
	size_t len;

	CHECK(names_from_text(bytes_of(name), out, &len, NULL) == ERR_OK);
	return (struct bytes){out, len};
}

struct name zworld_name(const char *name)
{
	struct bytes wire = zworld_wire(name);
	struct name n;

	CHECK(name_parse(&n, wire.data, wire.len) == wire.len);
	return n;
}

const struct node *zworld_node(const struct snapshot *s, const char *name)
{
	struct name n = zworld_name(name);
	const struct zone *z = snapshot_find_zone(s, &n);
	const struct node *node = z ? zone_find_node(z, &n) : NULL;

	CHECK(node);
	return node;
}

void zworld_set_zones(struct zones *z, const char *apexes)
{
	static const struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 53}};
	struct zones_zone zone[MOST_ZONES];
	struct zones_nameserver ns[MOST_ZONES];
	uint8_t wire[MOST_ZONES * 2][NAMES_WIRE_MAX];
	char copy[512], *apex, *save = NULL;
	size_t count = 0;

	snprintf(copy, sizeof(copy), "%s", apexes);
	for (apex = strtok_r(copy, " ", &save); apex; apex = strtok_r(NULL, " ", &save), count++) {
		char name[300];
		size_t len;

		CHECK(count < MOST_ZONES);
		snprintf(name, sizeof(name), "ns1.%s", strcmp(apex, ".") ? apex : "");
		CHECK(names_from_text(bytes_of(apex), wire[count * 2], &len, NULL) == ERR_OK);
		zone[count] = (struct zones_zone){.apex = {wire[count * 2], len},
		                                  .ttl = 30,
		                                  .negative_ttl = 20,
		                                  .nameservers = &ns[count],
		                                  .nameserver_count = 1};
		CHECK(names_from_text(bytes_of(name), wire[count * 2 + 1], &len, NULL) == ERR_OK);
		ns[count] = (struct zones_nameserver){{wire[count * 2 + 1], len}, &address, 1};
	}
	zones_set_zones(z, zone, count);
}

/* "TTL TYPE RDATA" into an RRset of one record; the text is cut. */
static void rrset_of(char *text, struct addr *address, struct bytes *rdata,
                     struct endpoint_rrset *out)
{
	char *type, *data;

	out->ttl = (uint32_t)strtoul(text, &type, 10);
	type += strspn(type, " ");
	data = type + strcspn(type, " ");
	if (*data)
		*data++ = '\0';
	out->type = bytes_of(type);
	out->count = 1;
	out->addresses = NULL;
	out->texts = NULL;
	*rdata = bytes_of(data);
	if ((strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0) && addr_parse(*rdata, address))
		out->addresses = address;
	else
		out->texts = rdata;
}

void zworld_put_list(struct zones *z, const char *name, const char *const *records, size_t count)
{
	struct endpoint_rrset rrset[MOST_RECORDS];
	struct addr address[MOST_RECORDS];
	struct bytes rdata[MOST_RECORDS];
	char *copy[MOST_RECORDS], source[300];
	struct endpoint e = {
		.owner = zworld_wire(name), .source = source, .fixed = rrset, .fixed_count = count};

	CHECK(count <= MOST_RECORDS);
	snprintf(source, sizeof(source), "test %s", name);
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(records[i]);
		rrset_of(copy[i], &address[i], &rdata[i], &rrset[i]);
	}
	zones_put(z, &e);
	for (size_t i = 0; i < count; i++)
		free(copy[i]);
}

void zworld_put(struct zones *z, const char *name, ...)
{
	const char *records[MOST_RECORDS];
	size_t count = 0;
	va_list ap;

	va_start(ap, name);
	while ((records[count] = va_arg(ap, const char *)) != NULL)
		count++;
	va_end(ap);
	zworld_put_list(z, name, records, count);
}

static void put_sites(struct zones *z, struct endpoint *e, const char *name,
                      const struct zworld_site *sites, const struct zworld_more *more)
{
	struct endpoint_site site[MOST_SITES];
	struct endpoint_rrset rrset[MOST_SITES];
	struct addr address[MOST_SITES];
	struct bytes rdata[MOST_SITES];
	char *copy[MOST_SITES] = {NULL}, source[300];

	CHECK(e->site_count <= MOST_SITES);
	snprintf(source, sizeof(source), "test %s", name);
	e->owner = zworld_wire(name);
	e->source = source;
	e->has_sites = true;
	e->sites = site;
	for (size_t i = 0; i < e->site_count; i++) {
		struct zworld_more has = more ? more[i] : (struct zworld_more){0};

		site[i] = (struct endpoint_site){.cluster = sites[i].cluster,
		                                 .layers = sites[i].layers,
		                                 .hold = has.hold,
		                                 .capacity = has.capacity,
		                                 .ready = has.ready,
		                                 .endpoints = has.endpoints};
		site[i].probes = &sites[i].probe;
		site[i].probe_count = sites[i].probe != UINT32_MAX;
		if (!sites[i].record || !*sites[i].record)
			continue;
		copy[i] = strdup(sites[i].record);
		rrset_of(copy[i], &address[i], &rdata[i], &rrset[i]);
		site[i].rrsets = &rrset[i];
		site[i].rrset_count = 1;
	}
	zones_put(z, e);
	for (size_t i = 0; i < e->site_count; i++)
		free(copy[i]);
}

void zworld_put_sites(struct zones *z, const char *name, const struct zworld_site *sites,
                      size_t count, const char *fallback, bool fail_open)
{
	struct endpoint e = {.fail_open = fail_open, .site_count = count, .fallback_ttl = 30};

	if (fallback)
		e.fallback = zworld_wire(fallback);
	put_sites(z, &e, name, sites, NULL);
}

void zworld_put_by_policy(struct zones *z, const char *name, uint32_t policy,
                          const struct zworld_site *sites, const struct zworld_more *more,
                          size_t count)
{
	struct endpoint e = {.fail_open = true, .site_count = count, .policy = policy};

	put_sites(z, &e, name, sites, more);
}

void zworld_remove(struct zones *z, const char *name) { zones_remove(z, zworld_wire(name)); }

void zworld_set_clusters(struct zones *z, size_t count)
{
	struct snapshot_cluster cluster[MOST_SITES];
	char name[MOST_SITES][8];

	CHECK(count <= MOST_SITES);
	for (size_t i = 0; i < count; i++) {
		snprintf(name[i], sizeof(name[i]), "c%zu", i);
		cluster[i] = (struct snapshot_cluster){.id = (uint16_t)i,
		                                       .name = name[i],
		                                       .source = "manifests",
		                                       .knowledge = "synced",
		                                       .up = true};
	}
	zones_set_clusters(z, cluster, count);
}

char *zworld_print(const struct snapshot *s)
{
	struct text out = {NULL, 0, 0};

	snapshot_print(s, &out);
	return text_take(&out);
}

static void add_problem(const char *where, const char *message, void *arg)
{
	text_printf(arg, "%s: %s\n", where, message);
}

char *zworld_problems(const struct zones *z)
{
	struct text out = {NULL, 0, 0};

	zones_each_problem(z, add_problem, &out);
	return text_take(&out);
}

const char *zworld_find(const struct snapshot *s, const char *name)
{
	static const char *const words[] = {"exact", "wildcard", "cut", "dname", "absent"};
	static char out[NAMES_TEXT_SIZE + 64];
	struct name n = zworld_name(name);
	const struct zone *z = snapshot_find_zone(s, &n);
	struct zone_hit hit;
	char owner[NAMES_TEXT_SIZE];

	if (!z)
		return "refused";
	hit = zone_find(z, &n);
	snprintf(out, sizeof(out), "%s%s %s %u", words[hit.match],
	         hit.match == ZONE_EXACT && node_flags(hit.node) & NODE_EMPTY ? " empty" : "",
	         names_to_text(node_owner(hit.node), owner), hit.encloser_labels);
	return out;
}

uint64_t zworld_random(uint64_t *state)
{
	uint64_t v = *state += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

int zworld_setup(void **state)
{
	struct zones *z = zones_new();

	zworld_set_zones(z, "example.com");
	zworld_set_clusters(z, 3);
	*state = z;
	return 0;
}

int zworld_teardown(void **state)
{
	zones_free(*state);
	return 0;
}
