/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/dnsd_world.h"

#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/encode.h"
#include "dnsd/terms.h"
#include "zones/rdata.h"

enum { MAX_ITEMS = 512, MAX_POLICIES = 32 };

struct world {
	struct zones *zones;
	struct arena *arena;
	struct snapshot_settings settings;
	struct snapshot_cluster cluster[MAX_ITEMS];
	size_t cluster_count;
	struct geodb *geodb;
	const struct policy *policy[MAX_POLICIES]; /* by number */
	struct ranking *ranking[MAX_POLICIES];     /* of those by rules */
	uint32_t policy_in_use;
	bool clusters_changed;
	struct responder responder;
	struct text answer;
};

struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof *w);

	w->zones = zones_new();
	w->arena = arena_new();
	w->settings = (struct snapshot_settings){.degraded_ttl = 5, .ready = true};
	w->responder.stats = stats_new();
	w->clusters_changed = true;
	return w;
}

void world_free(struct world *w)
{
	zones_free(w->zones);
	arena_free(w->arena);
	for (uint32_t i = 0; i < MAX_POLICIES; i++)
		ranking_free(w->ranking[i]);
	geodb_free(w->geodb);
	free(w->responder.stats);
	text_fini(&w->answer);
	free(w);
}

struct zones *world_zones(struct world *w) { return w->zones; }
struct snapshot_settings *world_settings(struct world *w) { return &w->settings; }

static struct bytes wire_of(struct world *w, const char *name)
{
	struct buffer b = {0};
	struct bytes out;

	CHECK(rdata_from_text(RR_PTR, bytes_of(name), &b, NULL) == ERR_OK);
	out = (struct bytes){arena_memdup(w->arena, b.data, b.len), b.len};
	buffer_fini(&b);
	return out;
}

void world_zones_are(struct world *w, const char *apexes)
{
	struct zones_zone zone[MAX_ITEMS];
	char *list = arena_strndup(w->arena, apexes, strlen(apexes)), *rest = NULL;
	size_t count = 0;

	for (char *apex = strtok_r(list, " ", &rest); apex != NULL;
	     apex = strtok_r(NULL, " ", &rest)) {
		struct zones_nameserver *ns = arena_calloc(w->arena, 1, sizeof *ns);
		struct addr *address = arena_calloc(w->arena, 1, sizeof *address);

		CHECK(addr_parse(bytes_of("192.0.2.53"), address));
		ns->name = wire_of(
			w, arena_printf(w->arena, "ns1.%s", strcmp(apex, ".") == 0 ? "" : apex));
		ns->addresses = address;
		ns->address_count = 1;
		zone[count++] = (struct zones_zone){.apex = wire_of(w, apex),
		                                    .ttl = 3600,
		                                    .negative_ttl = 60,
		                                    .nameservers = ns,
		                                    .nameserver_count = 1,
		                                    .serial = 7};
	}
	zones_set_zones(w->zones, zone, count);
}

/* --- clusters and places --- */

static struct snapshot_cluster *find_cluster(struct world *w, struct bytes name)
{
	for (size_t i = 0; i < w->cluster_count; i++) {
		if (bytes_equal_text(name, w->cluster[i].name))
			return &w->cluster[i];
	}
	return NULL;
}

void world_cluster(struct world *w, const char *name, double lat, double lon)
{
	struct snapshot_cluster *c = find_cluster(w, bytes_of(name));
	static const char *const no_zones[] = {NULL};

	if (c == NULL) {
		CHECK(w->cluster_count < MAX_ITEMS);
		c = &w->cluster[w->cluster_count];
		c->id = (uint16_t)(3 + 5 * w->cluster_count++ % 4000);
	}
	*c = (struct snapshot_cluster){
		.id = c->id,
		.name = arena_strndup(w->arena, name, strlen(name)),
		.source = "manifests",
		.knowledge = "synced",
		.region = "",
		.zones = no_zones,
		.place = {lat, lon},
		.place_from = "test",
		.up = true,
		.error = "",
	};
	c->has_place = place_is_valid(&c->place);
	w->clusters_changed = true;
}

void world_drain(struct world *w, const char *name, bool drained)
{
	struct snapshot_cluster *c = find_cluster(w, bytes_of(name));

	CHECK(c != NULL);
	c->drained = drained;
	zones_set_clusters(w->zones, w->cluster, w->cluster_count);
}

void world_unseen(struct world *w, const char *name, bool unseen)
{
	struct snapshot_cluster *c = find_cluster(w, bytes_of(name));

	CHECK(c != NULL);
	c->knowledge = unseen ? "unseen" : "synced";
	zones_set_clusters(w->zones, w->cluster, w->cluster_count);
}

uint16_t world_cluster_id(struct world *w, const char *name)
{
	struct snapshot_cluster *c = find_cluster(w, bytes_of(name));

	CHECK(c != NULL);
	return c->id;
}

void world_withhold(struct world *w, const char *name, uint32_t withheld, uint32_t ttl_most)
{
	struct snapshot_cluster *c = find_cluster(w, bytes_of(name));

	CHECK(c != NULL);
	c->withheld = withheld;
	c->ttl_most = ttl_most;
	zones_set_clusters(w->zones, w->cluster, w->cluster_count);
}

void world_waits(struct world *w, const bool *waits, size_t count)
{
	zones_set_waiting(w->zones, waits, count);
}

void world_policy(struct world *w, uint32_t number, const struct policy *policy)
{
	CHECK(number > 0 && number < MAX_POLICIES);
	w->policy[number] = policy;
}

void world_use_policy(struct world *w, uint32_t number) { w->policy_in_use = number; }

void world_networks(struct world *w, const char *csv)
{
	char path[] = "/tmp/nigh-world-XXXXXX";
	char *errors = NULL;
	int fd;

	geodb_free(w->geodb);
	w->geodb = NULL;
	w->clusters_changed = true;
	if (csv == NULL)
		return;
	fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, csv, strlen(csv)) == (ssize_t)strlen(csv) && close(fd) == 0);
	if (geodb_open(NULL, 0, path, NULL, &w->geodb, &errors) != ERR_OK)
		fprintf(stderr, "%s\n", errors);
	CHECK(w->geodb != NULL);
	free(errors);
	unlink(path);
}

void world_probes(struct world *w, const bool *down, size_t count)
{
	struct zones_probe *probe = xcalloc(count, sizeof *probe);

	for (size_t i = 0; i < count; i++)
		probe[i] = (struct zones_probe){.down = down[i], .at_ms = 1000};
	zones_set_probes(w->zones, probe, count);
	free(probe);
}

static void give_policies(struct world *w)
{
	static const char *const no_stages[] = {NULL};
	struct policy list[MAX_POLICIES] = {{0}};
	const struct ranking *plain;
	bool any = false;

	for (uint32_t i = 1; i < MAX_POLICIES; i++)
		any |= w->policy[i] != NULL;
	if (!any)
		return;
	plain = snapshot_ranking(zones_build(w->zones, 1700000000));
	for (uint32_t i = 1; i < MAX_POLICIES; i++) {
		if (w->policy[i] == NULL)
			continue;
		list[i] = *w->policy[i];
		list[i].name = list[i].name != NULL ? list[i].name : "test/policy";
		list[i].stages = list[i].stages != NULL ? list[i].stages : no_stages;
		list[i].ranking = list[i].ranking != NULL ? list[i].ranking : plain;
		list[i].bucket_ipv4 = list[i].bucket_ipv4 > 0 ? list[i].bucket_ipv4 : 24;
		list[i].bucket_ipv6 = list[i].bucket_ipv6 > 0 ? list[i].bucket_ipv6 : 48;
		list[i].degraded_ttl = list[i].degraded_ttl > 0 ? list[i].degraded_ttl : 5;
	}
	zones_set_policies(w->zones, list, MAX_POLICIES);
}

static struct ranking_cluster *list_clusters(struct world *w)
{
	struct ranking_cluster *list = xcalloc(w->cluster_count + 1, sizeof *list);

	for (size_t i = 0; i < w->cluster_count; i++) {
		const struct snapshot_cluster *c = &w->cluster[i];

		list[i] = (struct ranking_cluster){c->id, c->name, c->has_place, c->place};
	}
	return list;
}

struct ranking *world_rank_by(struct world *w, const struct rules *rules)
{
	struct ranking_cluster *list = list_clusters(w);
	struct ranking *ranking = ranking_build_by(list, w->cluster_count, rules, w->geodb);

	free(list);
	return ranking;
}

void world_policy_by(struct world *w, uint32_t number, struct policy *policy,
                     const struct rules *rules)
{
	world_policy(w, number, policy);
	ranking_free(w->ranking[number]);
	policy->ranking = w->ranking[number] = world_rank_by(w, rules);
}

static void rank(struct world *w)
{
	struct ranking_cluster *list = list_clusters(w);

	zones_set_ranking(w->zones, ranking_build(list, w->cluster_count, NULL, 0, w->geodb));
	zones_set_clusters(w->zones, w->cluster, w->cluster_count);
	free(list);
	w->clusters_changed = false;
}

const struct snapshot *world_build(struct world *w)
{
	if (w->clusters_changed)
		rank(w);
	zones_set_settings(w->zones, &w->settings);
	give_policies(w);
	return zones_build(w->zones, 1700000000);
}

void world_terms(struct world *w, const char *yaml)
{
	static const struct cookie_secrets secrets = {.count = 1, .key = {{1, 2}}};
	char path[] = "/tmp/nigh-world-XXXXXX";
	struct text errors = {0};
	int fd = mkstemp(path);
	struct config *c;

	CHECK(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml) && close(fd) == 0);
	c = config_read(path, &errors);
	if (c == NULL)
		fprintf(stderr, "%s\n", errors.data);
	CHECK(c != NULL);
	zones_set_terms(w->zones, terms_build(c, &secrets, NULL), terms_free);
	config_free(c);
	text_fini(&errors);
	unlink(path);
}

/* --- names --- */

/* "TTL TYPE RDATA" into the list, where RRsets of one type are put together. */
static void add_line(struct world *w, struct endpoint_rrset *list, size_t *count, const char *line)
{
	char type[32];
	unsigned ttl;
	int at = 0;
	struct endpoint_rrset *set = NULL;

	CHECK(sscanf(line, "%u %31s %n", &ttl, type, &at) == 2);
	for (size_t i = 0; i < *count; i++) {
		if (bytes_equal_text(list[i].type, type))
			set = &list[i];
	}
	if (set == NULL) {
		set = &list[(*count)++];
		*set = (struct endpoint_rrset){
			.type = bytes_of(arena_strndup(w->arena, type, strlen(type))), .ttl = ttl};
	}
	if (strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0) {
		struct addr *grown = arena_calloc(w->arena, set->count + 1, sizeof *grown);

		if (set->count > 0)
			memcpy(grown, set->addresses, set->count * sizeof *grown);
		CHECK(addr_parse(bytes_of(line + at), &grown[set->count++]));
		set->addresses = grown;
	} else {
		struct bytes *grown = arena_calloc(w->arena, set->count + 1, sizeof *grown);

		if (set->count > 0)
			memcpy(grown, set->texts, set->count * sizeof *grown);
		grown[set->count++] =
			bytes_of(arena_strndup(w->arena, line + at, strlen(line + at)));
		set->texts = grown;
	}
}

void world_put(struct world *w, const char *name, ...)
{
	struct endpoint_rrset list[64];
	struct endpoint e = {.owner = wire_of(w, name), .source = "test", .fixed = list};
	const char *line;
	va_list args;

	va_start(args, name);
	while ((line = va_arg(args, const char *)) != NULL)
		add_line(w, list, &e.fixed_count, line);
	va_end(args);
	zones_put(w->zones, &e);
}

static int by_cluster_name(const void *a, const void *b, void *arg)
{
	struct world *w = arg;
	const char *names[2] = {0};

	for (size_t i = 0; i < w->cluster_count; i++) {
		if (w->cluster[i].id == ((const struct endpoint_site *)a)->cluster)
			names[0] = w->cluster[i].name;
		if (w->cluster[i].id == ((const struct endpoint_site *)b)->cluster)
			names[1] = w->cluster[i].name;
	}
	return strcmp(names[0], names[1]);
}

static const struct endpoint_past *held_past(struct world *w, unsigned until_s)
{
	struct endpoint_past *past = arena_calloc(w->arena, 1, sizeof *past);

	past->is_held = true;
	past->flaps = SITE_ENDPOINTS;
	past->held_until_s = until_s;
	past->since_s[0] = 1;
	return past;
}

/* What stands between the cluster and the colon: any of these. */
static void mark_site(struct world *w, struct endpoint_site *site, const char *marks)
{
	for (; *marks != ':'; marks++) {
		unsigned number = (unsigned)atoi(marks + 1);

		if (*marks == '!')
			site->layers &= (uint8_t)~SITE_ENDPOINTS;
		if (*marks == '=')
			site->capacity = (uint16_t)number;
		if (*marks == '@')
			site->hold = number;
		if (*marks == '~')
			site->past = held_past(w, number);
		if (*marks == '#') {
			site->probes = arena_memdup(w->arena, &number, sizeof number);
			site->probe_count = 1;
		}
		if (*marks == '%') {
			site->ready = (uint16_t)number;
			site->endpoints = (uint16_t)atoi(strchr(marks, '/') + 1);
			if (2 * site->ready < site->endpoints)
				site->layers |= SITE_FEW_READY;
		}
	}
}

static void add_site_line(struct world *w, struct endpoint_site *list, size_t *count,
                          const char *line)
{
	size_t len = strcspn(line, "!#=@%~:");
	struct snapshot_cluster *c = find_cluster(w, (struct bytes){(const uint8_t *)line, len});
	const char *rest = strchr(line, ':') + 1;
	struct endpoint_site *site = NULL;
	struct endpoint_rrset *sets;

	CHECK(c != NULL);
	for (size_t i = 0; i < *count; i++) {
		if (list[i].cluster == c->id)
			site = &list[i];
	}
	if (site == NULL) {
		site = &list[(*count)++];
		*site = (struct endpoint_site){.cluster = c->id,
		                               .layers = SITE_ENDPOINTS | SITE_LOAD_BALANCER};
		site->rrsets = arena_calloc(w->arena, 8, sizeof *site->rrsets);
	}
	mark_site(w, site, line + len);
	sets = (struct endpoint_rrset *)(uintptr_t)site->rrsets;
	if (*rest != '\0')
		add_line(w, sets, &site->rrset_count, rest + 1);
}

void world_put_site_lines(struct world *w, const char *name, const char *fallback,
                          const char *const *lines, size_t count)
{
	struct endpoint_site *list = xcalloc(MAX_ITEMS, sizeof *list);
	struct endpoint e = {.owner = wire_of(w, name),
	                     .source = "test",
	                     .has_sites = true,
	                     .fail_open = fallback == NULL,
	                     .sites = list,
	                     .policy = w->policy_in_use};

	if (fallback != NULL) {
		e.fallback = wire_of(w, fallback);
		e.fallback_ttl = 180;
	}
	for (size_t i = 0; i < count; i++)
		add_site_line(w, list, &e.site_count, lines[i]);
	qsort_r(list, e.site_count, sizeof *list, by_cluster_name, w);
	zones_put(w->zones, &e);
	free(list);
}

void world_put_sites(struct world *w, const char *name, const char *fallback, ...)
{
	const char *lines[MAX_ITEMS];
	size_t count = 0;
	va_list args;

	va_start(args, fallback);
	while (count < MAX_ITEMS && (lines[count] = va_arg(args, const char *)) != NULL)
		count++;
	va_end(args);
	world_put_site_lines(w, name, fallback, lines, count);
}

/* --- asking --- */

static size_t put_option_ecs(uint8_t *at, const char *ecs)
{
	struct addr_network n;
	size_t len;

	CHECK(addr_network_parse(bytes_of(ecs), &n, NULL) == ERR_OK);
	len = (n.len + 7U) / 8;
	bytes_put16(at, 8);
	bytes_put16(at + 2, (uint16_t)(4 + len));
	bytes_put16(at + 4, n.addr.family == ADDR_IPV4 ? 1 : 2);
	at[6] = n.len;
	at[7] = 0;
	memcpy(at + 8, n.addr.bytes, len);
	return 8 + len;
}

size_t world_query(const char *question, const struct asking *how, uint8_t packet[512])
{
	char name[300], type[32];
	struct buffer b = {0};
	uint16_t number;
	size_t len;
	bool has_opt = how->edns > 0 || how->ecs != NULL || how->options != NULL;

	CHECK(sscanf(question, "%299s %31s", name, type) == 2);
	number = strcmp(type, "ANY") == 0 ? RR_ANY : rdata_type(bytes_of(type));
	if (number == 0)
		number = (uint16_t)ldns_get_rr_type_by_name(type);
	buffer_u32(&b, 0x12340100); /* RD */
	buffer_u32(&b, 0x00010000);
	buffer_u32(&b, has_opt);
	CHECK(rdata_from_text(RR_PTR, bytes_of(name), &b, NULL) == ERR_OK);
	buffer_u16(&b, number);
	buffer_u16(&b, 1);
	if (has_opt) {
		uint8_t option[256];
		size_t option_len = how->ecs != NULL ? put_option_ecs(option, how->ecs) : 0;

		for (const char *hex = how->options; hex != NULL && *hex != '\0'; hex += 2)
			option[option_len++] =
				(uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);

		buffer_u8(&b, 0);
		buffer_u16(&b, RR_OPT);
		buffer_u16(&b, (uint16_t)(how->edns > 0 ? how->edns : 1232));
		buffer_u32(&b, how->dnssec_ok ? 0x8000 : 0);
		buffer_u16(&b, (uint16_t)option_len);
		buffer_put(&b, option, option_len);
	}
	CHECK(b.len <= 512);
	len = b.len;
	memcpy(packet, b.data, len);
	buffer_fini(&b);
	return len;
}

static void ignore_choice(void *arg, const struct node *node)
{
	(void)arg;
	(void)node;
}

static void ignore_step(void *arg, const char *stage, const char *detail)
{
	(void)arg;
	(void)stage;
	(void)detail;
}

static void ignore_site(void *arg, const struct site *site)
{
	(void)arg;
	(void)site;
}

/* What explain says is what was answered: the same decision with a recorder gives the same bytes. */
static void check_explained_alike(struct world *w, const struct snapshot *s, bool tcp,
                                  const struct addr *client, const uint8_t *answered, size_t len)
{
	struct recorder rec = {ignore_choice, ignore_step, ignore_site, NULL, NULL};
	const struct query *q = &w->responder.query;
	struct answer *again = xmalloc(sizeof *again);
	uint8_t *out = xmalloc(65535);

	answer_explain(s, q, client, again, &rec);
	CHECK(answer_encode(again, q, out, tcp ? UINT16_MAX : encode_udp_limit(q)) == len);
	CHECK(memcmp(out, answered, len) == 0);
	free(out);
	free(again);
}

size_t world_ask_raw(struct world *w, const char *question, const struct asking *how, uint8_t *out)
{
	uint8_t packet[512];
	size_t len = world_query(question, how, packet);
	struct reader *reader = handover_join(zones_handover(w->zones));
	const struct snapshot *s = reader_take(reader);
	struct addr client;

	CHECK(addr_parse(bytes_of(how->resolver != NULL ? how->resolver : "192.0.2.99"), &client));
	len = respond(&w->responder, s,
	              how->tls   ? STATS_TLS
	              : how->tcp ? STATS_TCP
	                         : STATS_UDP,
	              &client, packet, len, out);
	if (len > 0)
		check_explained_alike(w, s, how->tcp || how->tls, &client, out, len);
	handover_leave(reader);
	return len;
}

static void print_section(const ldns_rr_list *list, const char *label, struct text *out)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *line = ldns_rr2str(ldns_rr_list_rr(list, i));

		text_printf(out, " / %s ", label);
		for (char *c = line; *c != '\0' && *c != '\n'; c++) {
			if (strncmp(c, "\tIN\t", 4) == 0)
				c += 3;
			text_printf(out, "%c", *c == '\t' ? ' ' : *c);
		}
		if (out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		free(line);
	}
}

/* Options of interest straight from the bytes of the OPT's RDATA. */
static void print_options(ldns_pkt *pkt, struct text *out)
{
	const ldns_rdf *rdf = ldns_pkt_edns_data(pkt);
	const uint8_t *at = rdf != NULL ? ldns_rdf_data(rdf) : NULL;
	size_t left = rdf != NULL ? ldns_rdf_size(rdf) : 0;

	while (left >= 4) {
		size_t len = 4U + bytes_get16(at + 2);

		if (bytes_get16(at) == 8)
			text_printf(out, " scope=%u", at[7]);
		if (bytes_get16(at) == 15)
			text_printf(out, " ede=%u", bytes_get16(at + 4));
		CHECK(len <= left);
		at += len;
		left -= len;
	}
}

const char *world_ask(struct world *w, const char *question, const struct asking *how)
{
	static const struct asking plain;
	uint8_t *wire = xmalloc(65535);
	size_t len = world_ask_raw(w, question, how != NULL ? how : &plain, wire);
	ldns_pkt *pkt = NULL;
	ldns_lookup_table *rcode;

	text_reset(&w->answer);
	if (len == 0) {
		text_add(&w->answer, "silence");
	} else if (ldns_wire2pkt(&pkt, wire, len) != LDNS_STATUS_OK) {
		text_add(&w->answer, "unreadable");
	} else {
		rcode = ldns_lookup_by_id(ldns_rcodes,
		                          (int)ldns_pkt_get_rcode(pkt) +
		                                  16 * ldns_pkt_edns_extended_rcode(pkt));
		text_add(&w->answer, rcode != NULL ? rcode->name : "?");
		text_add(&w->answer, ldns_pkt_aa(pkt) ? " aa" : "");
		text_add(&w->answer, ldns_pkt_tc(pkt) ? " tc" : "");
		print_options(pkt, &w->answer);
		print_section(ldns_pkt_answer(pkt), "an", &w->answer);
		print_section(ldns_pkt_authority(pkt), "ns", &w->answer);
		print_section(ldns_pkt_additional(pkt), "ar", &w->answer);
	}
	ldns_pkt_free(pkt);
	free(wire);
	return w->answer.data;
}
