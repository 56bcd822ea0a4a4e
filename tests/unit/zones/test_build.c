/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "records/endpoint.h"
#include "records/names.h"
#include "tests/support/zones_world.h"

enum { FINE = SITE_ENDPOINTS | SITE_LOAD_BALANCER, NO_PROBE = UINT32_MAX };

static const struct rrset *must(const struct rrset *s)
{
	CHECK(s);
	return s;
}

static const struct node *find(const struct snapshot *s, const char *name)
{
	struct name n = zworld_name(name);
	const struct zone *z = snapshot_find_zone(s, &n);

	return z ? zone_find_node(z, &n) : NULL;
}

static void assert_problems(const struct zones *z, const char *expected)
{
	char *text = zworld_problems(z);

	assert_string_equal(text, expected);
	free(text);
}

static uint32_t serial(const struct snapshot *s) { return zone_serial(snapshot_zone(s, 0)); }

/* --- zones' own data --- */

static void test_a_zone_has_soa_ns_and_glue(void **state)
{
	const struct snapshot *s = zones_build(*state, 1700000000);
	const struct zone *z = snapshot_zone(s, 0);
	const struct rrset *soa = zone_soa(z);
	static const uint8_t expected[] =
		"\0\076"
		"\3ns1\7example\3com\0\012hostmaster\7example\3com\0"
		"\x65\x53\xf1\x00\0\0\x0e\x10\0\0\3\x84\0\x09\x3a\x80\0\0\0\x14";

	assert_int_equal(soa->ttl, 30);
	assert_int_equal(soa->count, 1);
	assert_int_equal(bytes_get16(soa->data), soa->bytes - 2);
	assert_memory_equal(soa->data + 2, expected + 2, soa->bytes - 2);
	assert_int_equal(zone_negative_ttl(z), 20);
	assert_int_equal(node_flags(zone_apex_node(z)), NODE_APEX);
	assert_int_equal(must(node_rrset(zone_apex_node(z), RR_NS))->count, 1);
	assert_non_null(node_rrset(find(s, "ns1.example.com"), RR_A));
	assert_int_equal(zone_name_count(z), 2);
}

static void test_endpoint_data_join_the_apex(void **state)
{
	const struct zworld_site site[] = {{0, FINE, "30 A 192.0.2.1", NO_PROBE},
	                                   {1, FINE, "30 CNAME x.", NO_PROBE}};
	const struct snapshot *s;
	const struct node *apex;

	zworld_put(*state, "example.com", "60 MX 10 mail.example.com.", "60 NS evil.example.net.",
	           "60 CNAME x.", "60 SOA a. b. 1 2 3 4 5", NULL);
	s = zones_build(*state, 1);
	apex = zone_apex_node(snapshot_zone(s, 0));
	assert_int_equal(must(node_rrset(apex, RR_MX))->ttl, 60);
	assert_int_equal(must(node_rrset(apex, RR_NS))->count, 1);
	assert_non_null(node_rrset(apex, RR_SOA));
	assert_null(node_rrset(apex, RR_A));
	assert_problems(
		*state,
		"test example.com: example.com. CNAME: a zone's apex has other data, so no CNAME "
		"may be "
		"there; left out\n"
		"test example.com: example.com. NS: a zone's own NS come from its nameservers; "
		"left out\n"
		"test example.com: example.com. SOA: a zone's SOA is made by nighd; left out\n");
	/* Sites too: both kinds live at one node then. */
	zworld_put_sites(*state, "example.com", site, 2, NULL, true);
	s = zones_build(*state, 2);
	apex = zone_apex_node(snapshot_zone(s, 0));
	assert_int_equal(node_flags(apex), NODE_APEX | NODE_SITES | NODE_FAIL_OPEN);
	assert_non_null(node_rrset(apex, RR_SOA));
	assert_non_null(site_rrset(node_site(apex, 0), RR_A));
	assert_null(site_rrset(node_site(apex, 1), RR_A));
	assert_null(node_rrset(apex, RR_MX));
	zworld_remove(*state, "example.com");
	s = zones_build(*state, 3);
	assert_int_equal(node_flags(zone_apex_node(snapshot_zone(s, 0))), NODE_APEX);
	assert_problems(*state, "");
}

static void set_nameserver(struct zones *z, const char *name, struct addr *address)
{
	struct zones_nameserver ns = {zworld_wire(name), address, address ? 1 : 0};
	struct zones_zone zone = {.apex = zworld_wire("example.com"),
	                          .ttl = 30,
	                          .negative_ttl = 20,
	                          .nameservers = &ns,
	                          .nameserver_count = 1};

	zones_set_zones(z, &zone, 1);
}

static void test_a_nameserver_covers_an_endpoint_while_it_is_one(void **state)
{
	struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 99}};
	const struct snapshot *s;

	zworld_put(*state, "a.example.com", "60 A 192.0.2.7", NULL);
	s = zones_build(*state, 1);
	set_nameserver(*state, "A.example.com", &address);
	s = zones_build(*state, 2);
	assert_int_equal(must(node_rrset(find(s, "a.example.com"), RR_A))->data[5], 99);
	assert_null(find(s, "ns1.example.com"));
	assert_problems(
		*state,
		"test a.example.com: A.example.com.: the zone's nameserver of this name has "
		"addresses of its own; left out\n");
	/* What changes meanwhile shows afterwards. */
	zworld_put(*state, "a.example.com", "60 A 192.0.2.8", NULL);
	s = zones_build(*state, 3);
	assert_int_equal(must(node_rrset(find(s, "a.example.com"), RR_A))->data[5], 99);
	set_nameserver(*state, "ns.example.net", &address);
	s = zones_build(*state, 4);
	assert_int_equal(must(node_rrset(find(s, "a.example.com"), RR_A))->data[5], 8);
	assert_problems(*state, "");
	set_nameserver(*state, "a.example.com", &address);
	zworld_remove(*state, "a.example.com");
	set_nameserver(*state, "ns.example.net", NULL);
	s = zones_build(*state, 5);
	assert_null(find(s, "a.example.com"));
}

static void test_a_nameserver_of_the_apexs_name_puts_its_address_there(void **state)
{
	struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 99}};
	const struct snapshot *s;
	const struct node *apex;

	zworld_put(*state, "example.com", "60 A 192.0.2.7", "60 TXT hello", NULL);
	set_nameserver(*state, "example.com", &address);
	s = zones_build(*state, 1);
	apex = zone_apex_node(snapshot_zone(s, 0));
	assert_int_equal(must(node_rrset(apex, RR_A))->count, 1);
	assert_int_equal(must(node_rrset(apex, RR_A))->data[5], 99);
	assert_non_null(node_rrset(apex, RR_TXT));
	assert_problems(
		*state,
		"test example.com: example.com.: the zone's nameserver of this name has addresses "
		"of its own; others are left out\n");
}

static void test_a_nameservers_addresses_stand_in_the_zone_that_answers_for_it(void **state)
{
	const struct snapshot *s;

	zworld_set_zones(*state, "example.com ns1.example.com");
	s = zones_build(*state, 1);
	assert_null(node_rrset(find(s, "ns1.example.com"), RR_A));
	assert_non_null(find(s, "ns1.ns1.example.com"));
}

/* --- rules --- */

static void test_a_cname_beside_other_data_is_left_out(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "www.example.com", "30 CNAME a.example.com.", "30 A 192.0.2.1", NULL);
	zworld_put(*state, "two.example.com", "30 CNAME b.", "30 CNAME a.", NULL);
	s = zones_build(*state, 1);
	assert_int_equal(node_rrset(find(s, "www.example.com"), RR_TXT) == NULL, 1);
	assert_int_equal(must(node_rrset(find(s, "www.example.com"), RR_A))->type, RR_A);
	assert_int_equal(must(node_rrset(find(s, "two.example.com"), RR_A))->type, RR_CNAME);
	assert_int_equal(must(node_rrset(find(s, "two.example.com"), RR_A))->count, 1);
	assert_problems(
		*state,
		"test two.example.com: two.example.com. CNAME: there can be only one; all but the "
		"first are left out\n"
		"test www.example.com: www.example.com. CNAME: beside other data; left out\n");
}

static void test_a_dname_beside_ns_is_left_out(void **state)
{
	zworld_put(*state, "d.example.com", "30 DNAME x.", "30 NS y.", NULL);
	assert_int_equal(node_flags(find(zones_build(*state, 1), "d.example.com")), NODE_CUT);
	assert_problems(
		*state,
		"test d.example.com: d.example.com. DNAME: beside NS below the apex; left out\n");
}

static void test_bad_rdata_is_left_out_and_told_until_the_name_changes(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "www.example.com", "30 MX ten mail.", "30 BOGUS x", "30 TXT fine", NULL);
	s = zones_build(*state, 1);
	assert_null(node_rrset(find(s, "www.example.com"), RR_MX));
	assert_non_null(node_rrset(find(s, "www.example.com"), RR_TXT));
	assert_problems(
		*state,
		"test www.example.com: www.example.com. MX: 'ten' is not a number from 0 to 65535\n"
		"test www.example.com: www.example.com.: 'BOGUS' is not a type that a zone can "
		"hold\n");
	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	assert_problems(*state, "");
	zworld_put(*state, "www.example.com", "30 A 300.0.0.1", NULL);
	assert_null(find(zones_build(*state, 2), "www.example.com"));
	zworld_remove(*state, "www.example.com");
	assert_problems(*state, "");
}

static void test_nothing_below_a_name_depends_on_the_client(void **state)
{
	const struct zworld_site site = {0, FINE, "30 NS x.", NO_PROBE};

	zworld_put_sites(*state, "www.example.com", &site, 1, NULL, true);
	assert_int_equal(node_flags(find(zones_build(*state, 1), "www.example.com")),
	                 NODE_SITES | NODE_FAIL_OPEN);
	assert_problems(*state, "test www.example.com: www.example.com. NS: what lies below a name "
	                        "may not depend on the client; left out\n");
}

static void test_rrsets_are_sorted_and_unique_with_one_ttl(void **state)
{
	const struct rrset *a;

	zworld_put(*state, "www.example.com", "60 A 192.0.2.9", "30 A 192.0.2.1", "90 A 192.0.2.9",
	           NULL);
	a = must(node_rrset(find(zones_build(*state, 1), "www.example.com"), RR_A));
	assert_int_equal(a->ttl, 30);
	assert_int_equal(a->count, 2);
	assert_memory_equal(a->data, "\0\4\300\0\2\1\0\4\300\0\2\11", 12);
}

static void test_an_rrset_too_large_for_an_answer_is_cut(void **state)
{
	static char text[6000][8];
	static struct bytes texts[6000];
	struct endpoint_rrset rrset = {
		.type = bytes_of("TXT"), .ttl = 30, .count = 6000, .texts = texts};
	struct endpoint e = {.owner = zworld_wire("big.example.com"),
	                     .source = "big",
	                     .fixed = &rrset,
	                     .fixed_count = 1};
	const struct rrset *txt;

	for (size_t i = 0; i < 6000; i++) {
		snprintf(text[i], sizeof(text[i]), "%04zu", i);
		texts[i] = bytes_of(text[i]);
	}
	zones_put(*state, &e);
	txt = must(node_rrset(find(zones_build(*state, 1), "big.example.com"), RR_TXT));
	assert_int_equal(txt->count, 65000 / (12 + 5));
	assert_problems(*state, "big: big.example.com. TXT: too many records for one answer; those "
	                        "that do not fit are left out\n");
}

/* The config's records beside what clusters have. */
static void test_a_name_with_sites_may_have_fixed_records_too(void **state)
{
	const struct bytes text = bytes_of("here"), exchange = bytes_of("10 mail.example.com.");
	struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	struct endpoint_rrset fixed[] = {{bytes_of("MX"), 60, 1, NULL, &exchange},
	                                 {bytes_of("TXT"), 60, 1, NULL, &text}};
	struct endpoint_rrset a = {bytes_of("A"), 30, 1, &address, NULL};
	struct endpoint_site site = {.layers = 3, .rrsets = &a, .rrset_count = 1};
	struct endpoint e = {.source = "both",
	                     .has_sites = true,
	                     .fail_open = true,
	                     .sites = &site,
	                     .site_count = 1,
	                     .fixed = fixed,
	                     .fixed_count = 2};

	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "example.com" : "www.example.com";
		const struct node *n;

		e.owner = zworld_wire(name);
		zones_put(*state, &e);
		n = find(zones_build(*state, 1), name);
		assert_non_null(node_rrset(n, RR_MX));
		assert_non_null(node_rrset(n, RR_TXT));
		assert_int_equal(node_site_count(n), 1);
		assert_non_null(site_rrset(node_site(n, 0), RR_A));
	}
	assert_problems(*state, "");
}

/* An answer never has them all. */
static void test_a_name_may_have_65535_addresses(void **state)
{
	enum { MANY = 65535, MORE = 70000 };
	static struct addr address[MORE];
	struct endpoint_rrset rrset = {
		.type = bytes_of("A"), .ttl = 30, .count = MANY, .addresses = address};
	struct endpoint e = {.owner = zworld_wire("big.example.com"),
	                     .source = "big",
	                     .fixed = &rrset,
	                     .fixed_count = 1};
	const struct rrset *a;

	for (size_t i = 0; i < MORE; i++) {
		address[i] = (struct addr){.family = ADDR_IPV4, .bytes = {198}};
		bytes_put32(address[i].bytes, (uint32_t)(198U << 24 | i));
	}
	zones_put(*state, &e);
	a = must(node_rrset(find(zones_build(*state, 1), "big.example.com"), RR_A));
	assert_int_equal(a->count, MANY);
	assert_problems(*state, "");
	rrset.count = MORE;
	zones_put(*state, &e);
	a = must(node_rrset(find(zones_build(*state, 1), "big.example.com"), RR_A));
	assert_int_equal(a->count, MANY);
	assert_problems(*state, "big: big.example.com. A: more than 65535 addresses; the others "
	                        "are left out\n");
}

static void test_names_outside_every_zone_are_passed_over(void **state)
{
	zworld_put(*state, "www.example.org", "30 A 192.0.2.1", "30 BOGUS x", NULL);
	zworld_remove(*state, "www.example.org");
	assert_problems(*state, "");
	assert_int_equal(zone_name_count(snapshot_zone(zones_build(*state, 1), 0)), 2);
}

/* --- publishing --- */

static void test_only_differences_are_published(void **state)
{
	const struct snapshot *s, *again;
	struct snapshot_settings settings = {.ready = true, .degraded_ttl = 5};
	struct zones_probe probe = {false, 1};

	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	zones_set_settings(*state, &settings);
	zones_set_probes(*state, &probe, 1);
	s = zones_build(*state, 1);
	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	zworld_remove(*state, "none.example.com");
	zworld_set_zones(*state, "example.com");
	zworld_set_clusters(*state, 3);
	zones_set_settings(*state, &settings);
	zones_set_probes(*state, &probe, 1);
	again = zones_build(*state, 2);
	assert_ptr_equal(s, again);
	zworld_set_clusters(*state, 2);
	assert_ptr_not_equal(zones_build(*state, 3), again);
}

static void test_serials_move_with_data_only(void **state)
{
	struct zones_probe probe = {true, 1};
	struct snapshot_settings settings = {.all = true};
	uint32_t before = serial(zones_build(*state, 1000));

	assert_int_equal(before, 1000);
	zworld_set_clusters(*state, 1);
	zones_set_probes(*state, &probe, 1);
	zones_set_settings(*state, &settings);
	assert_int_equal(serial(zones_build(*state, 2000)), 1000);
	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	assert_int_equal(serial(zones_build(*state, 2000)), 2000);
	zworld_put(*state, "www.example.com", "30 A 192.0.2.2", NULL);
	assert_int_equal(serial(zones_build(*state, 2000)), 2001);
	zworld_remove(*state, "www.example.com");
	assert_int_equal(serial(zones_build(*state, 2000)), 2002);
	assert_int_equal(
		bytes_get32(must(zone_soa(snapshot_zone(zones_build(*state, 2000), 0)))->data + 2 +
	                    17 + 24),
		2002);
}

/* Another process has published that one. */
static void test_a_raised_serial_is_stepped_over_once(void **state)
{
	struct name apex = zworld_name("example.com");
	struct bytes wire = {apex.wire, apex.len};
	struct name other = zworld_name("example.net");

	assert_int_equal(serial(zones_build(*state, 1000)), 1000);
	zones_raise_serial(*state, wire, 900);
	assert_int_equal(serial(zones_build(*state, 1500)), 1000);
	zones_raise_serial(*state, wire, 1000);
	assert_int_equal(serial(zones_build(*state, 1000)), 1001);
	zones_raise_serial(*state, wire, 5000);
	assert_int_equal(serial(zones_build(*state, 1000)), 5001);
	assert_int_equal(serial(zones_build(*state, 1000)), 5001);
	zones_raise_serial(*state, (struct bytes){other.wire, other.len}, 9000);
	zones_raise_serial(*state, (struct bytes){wire.data, 3}, 9000);
	assert_int_equal(serial(zones_build(*state, 1000)), 5001);
}

static void test_another_source_alone_does_not_move_the_serial(void **state)
{
	struct addr address = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	struct endpoint_rrset rrset = {
		.type = bytes_of("A"), .ttl = 30, .count = 1, .addresses = &address};
	struct endpoint e = {.owner = zworld_wire("www.example.com"),
	                     .source = "one",
	                     .fixed = &rrset,
	                     .fixed_count = 1};
	const struct snapshot *s;
	const struct node *n;

	zones_put(*state, &e);
	assert_int_equal(serial(zones_build(*state, 1000)), 1000);
	e.source = "two";
	zones_put(*state, &e);
	s = zones_build(*state, 2000);
	assert_int_equal(serial(s), 1000);
	n = find(s, "www.example.com");
	CHECK(n);
	assert_string_equal(snapshot_source(s, node_source(n)), "two");
}

static void test_serials_are_remembered_by_apex(void **state)
{
	const struct snapshot *s;

	zworld_put(*state, "www.example.com", "30 A 192.0.2.1", NULL);
	assert_int_equal(serial(zones_build(*state, 5000)), 5000);
	zworld_set_zones(*state, "example.org");
	assert_int_equal(serial(zones_build(*state, 4000)), 4000);
	zworld_set_zones(*state, "example.com example.org");
	s = zones_build(*state, 4000);
	assert_int_equal(zone_serial(snapshot_zone(s, 0)), 5001);
	assert_int_equal(zone_serial(snapshot_zone(s, 1)), 4001);
	/* The names went with the zone. */
	assert_null(find(s, "www.example.com"));
}

static void test_a_reader_keeps_its_snapshot_whole(void **state)
{
	struct handover *h = zones_handover(*state);
	struct reader *r = handover_join(h);
	const struct snapshot *held;
	char *before, *after, name[64];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d.d%d.example.com", i, i % 7);
		zworld_put(*state, name, "30 A 192.0.2.1", "30 TXT hello", NULL);
	}
	zones_build(*state, 1);
	held = reader_take(r);
	before = zworld_print(held);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 300; i += 3) {
			snprintf(name, sizeof(name), "n%d.d%d.example.com", i + round % 3,
			         (i + round % 3) % 7);
			if (round % 2)
				zworld_remove(*state, name);
			else
				zworld_put(*state, name, "60 A 192.0.2.2", NULL);
		}
		zones_build(*state, 2 + round);
	}
	zworld_set_zones(*state, "example.org");
	zones_build(*state, 100);
	after = zworld_print(held);
	assert_string_equal(before, after);
	assert_int_not_equal(handover_reclaim(h), 0);
	reader_rest(r);
	assert_int_equal(handover_reclaim(h), 0);
	handover_leave(r);
	free(before);
	free(after);
}

enum { READERS = 3, ROUNDS = 300, TOGETHER = 20 };

struct watch {
	struct handover *handover;
	_Atomic bool stop;
};

/* In every snapshot all the names have the same address, and there are as many as the zone says. */
static void *watch(void *arg)
{
	struct watch *w = arg;
	struct reader *r = handover_join(w->handover);

	while (!atomic_load(&w->stop)) {
		const struct snapshot *s = reader_take(r);
		uint8_t last = 0;

		for (int i = 0; i < TOGETHER; i++) {
			char text[64];
			uint8_t wire[NAMES_WIRE_MAX];
			struct name name;
			const struct zone *z;
			struct zone_hit hit;
			size_t len;

			snprintf(text, sizeof(text), "n%d.d%d.example.com", i, i % 3);
			if (names_from_text(bytes_of(text), wire, &len, NULL) != ERR_OK ||
			    !name_parse(&name, wire, len))
				abort();
			z = snapshot_find_zone(s, &name);
			if (z == NULL)
				abort();
			hit = zone_find(z, &name);
			if (hit.match != ZONE_EXACT ||
			    (i > 0 && must(node_rrset(hit.node, RR_A))->data[5] != last))
				abort();
			last = must(node_rrset(hit.node, RR_A))->data[5];
		}
		reader_rest(r);
	}
	handover_leave(r);
	return NULL;
}

static void put_together(struct zones *z, int round)
{
	for (int i = 0; i < TOGETHER; i++) {
		char name[64], record[64];

		snprintf(name, sizeof(name), "n%d.d%d.example.com", i, i % 3);
		snprintf(record, sizeof(record), "30 A 192.0.2.%d", round % 250);
		zworld_put(z, name, record, NULL);
	}
	zones_build(z, round);
}

static void test_readers_see_each_snapshot_whole(void **state)
{
	struct watch w = {.handover = zones_handover(*state)};
	pthread_t thread[READERS];

	put_together(*state, 1);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, watch, &w), 0);
	for (int round = 2; round < ROUNDS; round++) {
		char name[64];

		/* Other names come and go below the same parents. */
		snprintf(name, sizeof(name), "*.x%d.d%d.example.com", round % 7, round % 3);
		if (round / 7 % 2)
			zworld_remove(*state, name);
		else
			zworld_put(*state, name, "30 TXT hello", NULL);
		put_together(*state, round);
	}
	atomic_store(&w.stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(handover_reclaim(w.handover), 0);
}

static void test_memory_does_not_grow_with_changes(void **state)
{
	size_t before = 0;

	for (int round = 0; round < 400; round++) {
		for (int i = 0; i < 20; i++) {
			char name[64], record[64];

			snprintf(name, sizeof(name), "n%d.example.com", (round * 7 + i) % 100);
			snprintf(record, sizeof(record), "30 A 192.0.2.%d", round % 250);
			zworld_put(*state, name, record, NULL);
		}
		zones_build(*state, round);
		if (round == 100)
			before = zones_memory(*state);
	}
	assert_int_equal(zones_memory(*state), before);
}

/* --- incremental equals from scratch --- */

enum { NAMES = 40, HISTORIES = 60, STEPS = 40 };

struct state_of_name {
	int form; /* 0: absent */
	int value;
};

static void owner_of(int number, char *out, size_t size)
{
	static const char *const special[] = {"example.com", "ns1.example.com", "c.example.com",
	                                      "*.example.com", "C.b.example.com"};
	static const char *const below[] = {"example.com",     "a.example.com", "c.example.com",
	                                    "*.b.example.com", "example.org",   "z.c.example.com"};

	if (number < 5)
		snprintf(out, size, "%s", special[number]);
	else
		snprintf(out, size, "N%d.%s", number, below[number % 6]);
}

static void apply(struct zones *z, int number, const struct state_of_name *s)
{
	char owner[64], record[64];
	struct zworld_site site[] = {{0, FINE, record, 1},
	                             {1, SITE_ENDPOINTS, "30 AAAA 2001:db8::1", NO_PROBE},
	                             {2, FINE, "30 CNAME lb.example.net.", 0}};

	owner_of(number, owner, sizeof(owner));
	snprintf(record, sizeof(record), "30 A 192.0.2.%d", s->value);
	switch (s->form) {
	case 0:
		zworld_remove(z, owner);
		break;
	case 1:
		zworld_put(z, owner, record, NULL);
		break;
	case 2:
		zworld_put(z, owner, record, "60 TXT \"a text\"", "60 MX bad", NULL);
		break;
	case 3:
		zworld_put_sites(z, owner, site, 1 + (size_t)s->value % 3,
		                 s->value % 2 ? "up.example.com" : NULL, s->value % 2 == 0);
		break;
	case 4:
		zworld_put(z, owner,
		           s->value % 2 ? "60 NS ns.example.net." : "60 DNAME example.net.", NULL);
		break;
	default:
		zworld_put(z, owner, "30 CNAME target.example.net.", s->value % 2 ? record : NULL,
		           NULL);
	}
}

static void assert_same_from_scratch(const struct zones *z, const struct snapshot *s,
                                     const struct state_of_name *names, uint64_t *seed)
{
	struct zones *fresh = zones_new();
	unsigned start = (unsigned)(zworld_random(seed) % NAMES);
	char *a = zworld_print(s), *b, *pa = zworld_problems(z), *pb;

	zworld_set_zones(fresh, "example.org example.com");
	zworld_set_clusters(fresh, 3);
	/* 7 has no divisor in common with the number of names: another order. */
	for (unsigned i = 0; i < NAMES; i++) {
		unsigned number = (start + i * 7) % NAMES;

		if (names[number].form)
			apply(fresh, (int)number, &names[number]);
	}
	b = zworld_print(zones_build(fresh, 77));
	pb = zworld_problems(fresh);
	assert_string_equal(a, b);
	assert_string_equal(pa, pb);
	free(a);
	free(b);
	free(pa);
	free(pb);
	zones_free(fresh);
}

static void test_step_by_step_equals_from_scratch(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (int history = 0; history < HISTORIES; history++) {
		struct state_of_name names[NAMES] = {{0, 0}};
		struct zones *z = zones_new();

		zworld_set_zones(z, "example.com example.org");
		zworld_set_clusters(z, 3);
		for (int step = 0; step < STEPS; step++) {
			int number = (int)(zworld_random(&seed) % NAMES);

			names[number].form =
				zworld_random(&seed) % 3 ? (int)(zworld_random(&seed) % 6) : 0;
			names[number].value = (int)(zworld_random(&seed) % 250);
			apply(z, number, &names[number]);
			if (zworld_random(&seed) % 4 == 0)
				zones_build(z, step);
			if (step % 10 == 9)
				assert_same_from_scratch(z, zones_build(z, step), names, &seed);
		}
		zones_free(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_ZONE(test) cmocka_unit_test_setup_teardown(test, zworld_setup, zworld_teardown)
		WITH_ZONE(test_a_zone_has_soa_ns_and_glue),
		WITH_ZONE(test_endpoint_data_join_the_apex),
		WITH_ZONE(test_a_nameserver_covers_an_endpoint_while_it_is_one),
		WITH_ZONE(test_a_nameserver_of_the_apexs_name_puts_its_address_there),
		WITH_ZONE(test_a_nameservers_addresses_stand_in_the_zone_that_answers_for_it),
		WITH_ZONE(test_a_cname_beside_other_data_is_left_out),
		WITH_ZONE(test_a_dname_beside_ns_is_left_out),
		WITH_ZONE(test_bad_rdata_is_left_out_and_told_until_the_name_changes),
		WITH_ZONE(test_nothing_below_a_name_depends_on_the_client),
		WITH_ZONE(test_rrsets_are_sorted_and_unique_with_one_ttl),
		WITH_ZONE(test_an_rrset_too_large_for_an_answer_is_cut),
		WITH_ZONE(test_a_name_with_sites_may_have_fixed_records_too),
		WITH_ZONE(test_a_name_may_have_65535_addresses),
		WITH_ZONE(test_names_outside_every_zone_are_passed_over),
		WITH_ZONE(test_only_differences_are_published),
		WITH_ZONE(test_serials_move_with_data_only),
		WITH_ZONE(test_a_raised_serial_is_stepped_over_once),
		WITH_ZONE(test_another_source_alone_does_not_move_the_serial),
		WITH_ZONE(test_serials_are_remembered_by_apex),
		WITH_ZONE(test_a_reader_keeps_its_snapshot_whole),
		WITH_ZONE(test_readers_see_each_snapshot_whole),
		WITH_ZONE(test_memory_does_not_grow_with_changes),
		cmocka_unit_test(test_step_by_step_equals_from_scratch),
	};

	return cmocka_run_group_tests_name("zones/build", tests, NULL, NULL);
}
