/* fuzz_query.c -- a packet's bytes through parsing, deciding and encoding, over both transports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/respond.h"
#include "dnsd/terms.h"
#include "zones/build.h"
#include "zones/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes wire_of(const char *name)
{
	struct buffer b = {0};

	CHECK(rdata_from_text(RR_PTR, bytes_of(name), &b, NULL) == ERR_OK);
	return (struct bytes){b.data, b.len};
}

static struct endpoint_rrset rrset_of(const char *type, const struct bytes *text)
{
	return (struct endpoint_rrset){
		.type = bytes_of(type), .ttl = 300, .count = 1, .texts = text};
}

/* A name with one record. */
static void put(struct zones *z, const char *name, const char *type, const char *text)
{
	struct bytes rdata = bytes_of(text), owner = wire_of(name);
	struct endpoint_rrset set = rrset_of(type, &rdata);
	struct endpoint e = {.owner = owner, .source = "fuzz", .fixed = &set, .fixed_count = 1};
	struct addr a;

	if (addr_parse(rdata, &a)) {
		set.texts = NULL;
		set.addresses = &a;
	}
	zones_put(z, &e);
	free((void *)(uintptr_t)owner.data);
}

/* Three sites: two that have an A, one with an alias. */
static void put_sites(struct zones *z, const char *name, bool fail_open)
{
	static const struct addr address[2] = {{ADDR_IPV4, {192, 0, 2, 1}},
	                                       {ADDR_IPV4, {192, 0, 2, 2}}};
	struct bytes alias = bytes_of("www.a.test"), owner = wire_of(name);
	struct endpoint_rrset set[3] = {rrset_of("A", NULL), rrset_of("A", NULL),
	                                rrset_of("CNAME", &alias)};
	struct endpoint_site site[3];
	struct endpoint e = {.owner = owner,
	                     .source = "fuzz",
	                     .has_sites = true,
	                     .fail_open = fail_open,
	                     .sites = site,
	                     .site_count = 3};

	set[0].addresses = &address[0];
	set[1].addresses = &address[1];
	for (uint16_t i = 0; i < 3; i++)
		site[i] = (struct endpoint_site){.cluster = i,
		                                 .layers = fail_open ? 3 : 0,
		                                 .rrsets = &set[i],
		                                 .rrset_count = 1};
	if (!fail_open) {
		e.fallback = wire_of("sites.a.test");
		e.fallback_ttl = 60;
	}
	zones_put(z, &e);
	free((void *)(uintptr_t)owner.data);
	free((void *)(uintptr_t)e.fallback.data);
}

static void put_tables(struct zones *z)
{
	static const struct snapshot_settings settings = {
		.degraded_ttl = 5, .max_addresses = 1, .ready = true};
	static const char *const none[] = {NULL};
	static const char *const names[3] = {"x", "y", "z"};
	struct snapshot_cluster cluster[3];
	struct ranking_cluster ranked[3];

	for (uint16_t i = 0; i < 3; i++) {
		struct place place = {10, i < 2 ? 20 : 120};

		cluster[i] = (struct snapshot_cluster){.id = i,
		                                       .name = names[i],
		                                       .source = "manifests",
		                                       .knowledge = "synced",
		                                       .region = "",
		                                       .zones = none,
		                                       .place_from = "",
		                                       .up = true,
		                                       .error = ""};
		ranked[i] = (struct ranking_cluster){i, names[i], true, place};
	}
	zones_set_clusters(z, cluster, 3);
	zones_set_settings(z, &settings);
	zones_set_ranking(z, ranking_build(ranked, 3, NULL, 0, NULL));
}

/* All that may be asked for is there. */
static void put_terms(struct zones *z)
{
	static const struct cookie_secrets secrets = {.count = 1, .key = {{1, 2}}};
	char nsid[] = "nsid", hostname[] = "hostname", version[] = "version";
	const struct config config = {.identity = {nsid, hostname, version}};

	static const char text[] = "key a.test { algorithm hmac-sha256; secret \"c2VjcmV0\"; };";
	const struct tsig_keys *keys;

	CHECK(tsig_keys_parse("keys", bytes_of(text), &keys, NULL) == ERR_OK);
	zones_set_terms(z, terms_build(&config, &secrets, keys), terms_free);
	tsig_keys_unref(keys);
}

static const struct snapshot *small_world(void)
{
	struct zones *z = zones_new();
	struct bytes apex[2] = {wire_of("a.test"), wire_of("b.test")}, ns = wire_of("ns.a.test");
	struct zones_nameserver server = {.name = ns};
	struct zones_zone zone[2];

	for (unsigned i = 0; i < 2; i++)
		zone[i] = (struct zones_zone){.apex = apex[i],
		                              .ttl = 300,
		                              .negative_ttl = 60,
		                              .nameservers = &server,
		                              .nameserver_count = 1};
	zones_set_zones(z, zone, 2);
	free((void *)(uintptr_t)apex[0].data);
	free((void *)(uintptr_t)apex[1].data);
	free((void *)(uintptr_t)ns.data);
	put_tables(z);
	put_terms(z);
	put(z, "www.a.test", "A", "192.0.2.1");
	put(z, "*.w.a.test", "AAAA", "2001:db8::1");
	put(z, "c.a.test", "CNAME", "d.b.test");
	put(z, "d.b.test", "CNAME", "c.a.test");
	put(z, "t.a.test", "DNAME", "w.a.test");
	put(z, "g.b.test", "DNAME", "a-rather-long-label-so-that-names-overflow.g.b.test");
	put(z, "cut.a.test", "NS", "ns.cut.a.test");
	put(z, "ns.cut.a.test", "A", "192.0.2.3");
	put_sites(z, "sites.a.test", true);
	put_sites(z, "zone.b.test", false);
	return zones_build(z, 1700000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct addr client = {ADDR_IPV4, {198, 51, 100, 7}};
	static const struct snapshot *s;
	static struct responder r;
	static uint8_t *udp, *tcp;

	if (s == NULL) {
		s = small_world();
		r.stats = stats_new();
		udp = xmalloc(EDNS_UDP_SIZE);
		tcp = xmalloc(UINT16_MAX);
	}
	if (size > UINT16_MAX)
		return 0;
	CHECK(respond(&r, s, STATS_UDP, &client, data, size, udp) <= EDNS_UDP_SIZE);
	CHECK(respond(&r, s, STATS_TCP, &client, data, size, tcp) <= UINT16_MAX);
	CHECK(respond(&r, s, STATS_TLS, &client, data, size, tcp) <= UINT16_MAX);
	return 0;
}
