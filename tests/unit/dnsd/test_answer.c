/* Every branch of RFC 1034 4.3.2, asked as over the wire and read back by ldns. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/dnsd_world.h"

static struct world *w;

static const struct asking edns = {.edns = 1232};
static const struct asking subnet = {.ecs = "198.51.100.0/24"};

#define SOA " / ns example.com. 60 SOA ns1.example.com. hostmaster.example.com. "

static int setup(void **state)
{
	(void)state;
	w = world_new();
	world_zones_are(w, "example.com other.org deep.example.com");
	world_put(w, "www.example.com", "300 A 192.0.2.1", "300 A 192.0.2.2", "300 TXT \"hello\"",
	          NULL);
	world_put(w, "MiXed.example.com", "300 A 192.0.2.3", NULL);
	world_put(w, "a.b.c.example.com", "300 A 192.0.2.4", NULL);
	world_put(w, "*.wild.example.com", "300 A 192.0.2.5", NULL);
	world_put(w, "there.wild.example.com", "300 TXT x", NULL);
	world_put(w, "below.empty.wild.example.com", "300 TXT x", NULL);
	world_put(w, "*.alias.example.com", "300 CNAME www.example.com", NULL);
	world_put(w, "one.example.com", "100 CNAME two.example.com", NULL);
	world_put(w, "two.example.com", "200 CNAME www.example.com", NULL);
	world_put(w, "away.example.com", "200 CNAME www.example.net", NULL);
	world_put(w, "across.example.com", "200 CNAME www.other.org", NULL);
	world_put(w, "www.other.org", "300 A 192.0.2.6", NULL);
	world_put(w, "nowhere.example.com", "200 CNAME missing.example.com", NULL);
	world_put(w, "bare.example.com", "200 CNAME a.b.c.example.com", NULL);
	world_put(w, "ring1.example.com", "200 CNAME ring2.example.com", NULL);
	world_put(w, "ring2.example.com", "200 CNAME ring1.example.com", NULL);
	world_put(w, "self.example.com", "200 CNAME self.example.com", NULL);
	world_put(w, "tree.example.com", "77 DNAME www.example.com", NULL);
	world_put(w, "map.example.com", "77 DNAME wild.example.com", NULL);
	world_put(w, "loop.example.com", "77 DNAME loop.example.com", NULL);
	world_put(w, "grow.example.com", "77 DNAME more.grow.example.com", NULL);
	world_put(w, "child.example.com", "500 NS ns1.child.example.com",
	          "500 NS ns.side.example.com", "500 NS ns.example.net",
	          "500 DS 12345 13 2 "
	          "0000000000000000000000000000000000000000000000000000000000000001",
	          NULL);
	world_put(w, "ns1.child.example.com", "400 A 192.0.2.10", "400 AAAA 2001:db8::10", NULL);
	world_put(w, "side.example.com", "500 NS ns.side.example.com", NULL);
	world_put(w, "ns.side.example.com", "400 A 192.0.2.11", NULL);
	world_put(w, "into.example.com", "200 CNAME x.child.example.com", NULL);
	world_put(w, "www.deep.example.com", "300 A 192.0.2.12", NULL);
	for (int i = 0; i < 30; i++) {
		char from[64], line[64];

		snprintf(from, sizeof from, "link%d.example.com", i);
		snprintf(line, sizeof line, "200 CNAME link%d.example.com", i + 1);
		world_put(w, from, line, NULL);
	}
	world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void assert_answer(const char *question, const struct asking *how, const char *wanted)
{
	assert_string_equal(world_ask(w, question, how), wanted);
}

static void assert_begins(const char *question, const struct asking *how, const char *wanted)
{
	const char *found = world_ask(w, question, how);

	if (strncmp(found, wanted, strlen(wanted)) != 0)
		assert_string_equal(found, wanted);
}

static void test_a_name_answers_with_all_its_records_of_the_type(void **state)
{
	(void)state;
	assert_answer("www.example.com A", NULL,
	              "NOERROR aa / an www.example.com. 300 A 192.0.2.1 / an www.example.com. 300 "
	              "A 192.0.2.2");
	assert_answer("www.example.com TXT", NULL,
	              "NOERROR aa / an www.example.com. 300 TXT \"hello\"");
}

static void test_names_are_found_without_case_and_answered_as_asked(void **state)
{
	(void)state;
	assert_answer("mIxEd.EXAMPLE.com A", NULL,
	              "NOERROR aa / an mIxEd.EXAMPLE.com. 300 A 192.0.2.3");
}

static void test_no_data_carries_the_soa(void **state)
{
	(void)state;
	assert_begins("www.example.com AAAA", NULL, "NOERROR aa" SOA);
	assert_begins("www.example.com TYPE1000", NULL, "NOERROR aa" SOA);
}

static void test_an_empty_non_terminal_exists(void **state)
{
	(void)state;
	assert_begins("c.example.com A", NULL, "NOERROR aa" SOA);
	assert_begins("b.c.example.com A", NULL, "NOERROR aa" SOA);
	assert_begins("x.c.example.com A", NULL, "NXDOMAIN aa" SOA);
}

static void test_a_missing_name_does_not_exist(void **state)
{
	(void)state;
	assert_begins("missing.example.com A", &edns, "NXDOMAIN aa" SOA);
	assert_begins("x.www.example.com A", NULL, "NXDOMAIN aa" SOA);
}

static void test_a_wildcard_covers_what_does_not_exist(void **state)
{
	(void)state;
	assert_answer("any.wild.example.com A", NULL,
	              "NOERROR aa / an any.wild.example.com. 300 A 192.0.2.5");
	assert_answer("far.any.wild.example.com A", NULL,
	              "NOERROR aa / an far.any.wild.example.com. 300 A 192.0.2.5");
	assert_answer("*.wild.example.com A", NULL,
	              "NOERROR aa / an *.wild.example.com. 300 A 192.0.2.5");
	assert_begins("any.wild.example.com AAAA", NULL, "NOERROR aa" SOA);
	assert_begins("there.wild.example.com A", NULL, "NOERROR aa" SOA);
	assert_begins("x.there.wild.example.com A", NULL, "NXDOMAIN aa" SOA);
	assert_begins("empty.wild.example.com A", NULL, "NOERROR aa" SOA);
	assert_begins("x.empty.wild.example.com A", NULL, "NXDOMAIN aa" SOA);
}

static void test_a_wildcard_may_be_an_alias(void **state)
{
	(void)state;
	assert_answer("q.alias.example.com TXT", NULL,
	              "NOERROR aa / an q.alias.example.com. 300 CNAME www.example.com."
	              " / an www.example.com. 300 TXT \"hello\"");
}

static void test_a_chain_is_followed_inside_the_server(void **state)
{
	(void)state;
	assert_answer("one.example.com TXT", NULL,
	              "NOERROR aa / an one.example.com. 100 CNAME two.example.com."
	              " / an two.example.com. 200 CNAME www.example.com. / an www.example.com. 300 "
	              "TXT \"hello\"");
	assert_answer("across.example.com A", NULL,
	              "NOERROR aa / an across.example.com. 200 CNAME www.other.org."
	              " / an www.other.org. 300 A 192.0.2.6");
}

static void test_a_chain_ends_where_it_leaves_our_zones(void **state)
{
	(void)state;
	assert_answer("away.example.com A", NULL,
	              "NOERROR aa / an away.example.com. 200 CNAME www.example.net.");
}

static void test_an_alias_asked_for_by_type_is_not_followed(void **state)
{
	(void)state;
	assert_answer("one.example.com CNAME", NULL,
	              "NOERROR aa / an one.example.com. 100 CNAME two.example.com.");
	assert_answer("one.example.com ANY", NULL,
	              "NOERROR aa / an one.example.com. 100 CNAME two.example.com.");
}

static void test_the_last_name_of_a_chain_gives_the_rcode(void **state)
{
	(void)state;
	assert_begins("nowhere.example.com A", NULL,
	              "NXDOMAIN aa / an nowhere.example.com. 200 CNAME missing.example.com." SOA);
	assert_begins("bare.example.com AAAA", NULL,
	              "NOERROR aa / an bare.example.com. 200 CNAME a.b.c.example.com." SOA);
}

static void test_loops_end_with_what_was_found(void **state)
{
	(void)state;
	assert_answer("ring1.example.com A", NULL,
	              "NOERROR aa / an ring1.example.com. 200 CNAME ring2.example.com."
	              " / an ring2.example.com. 200 CNAME ring1.example.com.");
	assert_answer("self.example.com A", NULL,
	              "NOERROR aa / an self.example.com. 200 CNAME self.example.com.");
}

static void test_a_chain_has_at_most_17_links(void **state)
{
	const char *found = world_ask(w, "link0.example.com A", &edns);
	unsigned links = 0;

	(void)state;
	for (const char *at = found; (at = strstr(at, "CNAME")) != NULL; at++)
		links++;
	assert_int_equal(links, 17);
	assert_begins("link0.example.com A", &edns, "NOERROR aa");
}

static void test_a_dname_moves_the_whole_tree_below_it(void **state)
{
	(void)state;
	assert_answer("q.map.example.com A", NULL,
	              "NOERROR aa / an map.example.com. 77 DNAME wild.example.com."
	              " / an q.map.example.com. 77 CNAME q.wild.example.com. / an "
	              "q.wild.example.com. 300 A 192.0.2.5");
	assert_begins("q.tree.example.com A", NULL,
	              "NXDOMAIN aa / an tree.example.com. 77 DNAME www.example.com."
	              " / an q.tree.example.com. 77 CNAME q.www.example.com." SOA);
}

static void test_a_dname_does_not_cover_its_own_name(void **state)
{
	(void)state;
	assert_answer("tree.example.com DNAME", NULL,
	              "NOERROR aa / an tree.example.com. 77 DNAME www.example.com.");
	assert_begins("tree.example.com A", NULL, "NOERROR aa" SOA);
}

static void test_a_synthesized_alias_may_be_asked_for(void **state)
{
	(void)state;
	assert_answer("q.map.example.com CNAME", NULL,
	              "NOERROR aa / an map.example.com. 77 DNAME wild.example.com."
	              " / an q.map.example.com. 77 CNAME q.wild.example.com.");
}

static void test_a_dname_that_makes_a_name_too_long_says_so(void **state)
{
	char question[300] = "";

	(void)state;
	for (int i = 0; i < 119; i++)
		strcat(question, "a.");
	strcat(question, "map.example.com A");
	assert_begins(question, &edns,
	              "YXDOMAIN aa / an map.example.com. 77 DNAME wild.example.com.");
}

static void test_dname_loops_end(void **state)
{
	(void)state;
	assert_answer("q.loop.example.com A", NULL,
	              "NOERROR aa / an loop.example.com. 77 DNAME loop.example.com."
	              " / an q.loop.example.com. 77 CNAME q.loop.example.com.");
	assert_begins("q.grow.example.com A", &edns,
	              "NOERROR aa / an grow.example.com. 77 DNAME more.grow.example.com."
	              " / an q.grow.example.com. 77 CNAME q.more.grow.example.com.");
}

static void test_a_delegation_refers_with_glue(void **state)
{
	static const char *const wanted = "NOERROR / ns child.example.com. 500 NS ns.example.net. "
					  "/ ns child.example.com. 500 NS ns1.child.example.com."
					  " / ns child.example.com. 500 NS ns.side.example.com. / "
					  "ar ns1.child.example.com. 400 A 192.0.2.10"
					  " / ar ns1.child.example.com. 400 AAAA 2001:db8::10 / ar "
					  "ns.side.example.com. 400 A 192.0.2.11";
	const char *found = world_ask(w, "x.child.example.com A", NULL);

	(void)state;
	/* The order of the NS is the zone's affair. */
	assert_int_equal(strlen(found), strlen(wanted));
	assert_begins("x.child.example.com A", NULL, "NOERROR / ns child.example.com. 500 NS ");
	assert_non_null(strstr(found, " / ar ns1.child.example.com. 400 A 192.0.2.10"
	                              " / ar ns1.child.example.com. 400 AAAA 2001:db8::10 / ar "
	                              "ns.side.example.com. 400 A"));
	assert_begins("child.example.com A", NULL, "NOERROR / ns child.example.com. 500 NS ");
	assert_begins("child.example.com NS", NULL, "NOERROR / ns child.example.com. 500 NS ");
	assert_begins("ns1.child.example.com A", NULL, "NOERROR / ns child.example.com. 500 NS ");
}

static void test_a_chain_into_a_delegation_refers(void **state)
{
	(void)state;
	assert_begins("into.example.com A", NULL,
	              "NOERROR aa / an into.example.com. 200 CNAME x.child.example.com."
	              " / ns child.example.com. 500 NS ");
}

static void test_ds_is_answered_above_the_cut(void **state)
{
	(void)state;
	assert_begins("child.example.com DS", NULL,
	              "NOERROR aa / an child.example.com. 500 DS 12345 13 2 ");
	assert_begins("side.example.com DS", NULL, "NOERROR aa" SOA);
	assert_begins("x.child.example.com DS", NULL, "NOERROR / ns child.example.com. 500 NS ");
}

static void test_the_longest_zone_answers(void **state)
{
	(void)state;
	assert_answer("www.deep.example.com A", NULL,
	              "NOERROR aa / an www.deep.example.com. 300 A 192.0.2.12");
	assert_begins("x.deep.example.com A", NULL, "NXDOMAIN aa / ns deep.example.com. 60 SOA ");
	assert_begins("deep.example.com DS", NULL, "NOERROR aa / ns ");
}

static void test_the_apex_has_soa_and_name_servers(void **state)
{
	(void)state;
	assert_begins("example.com SOA", NULL,
	              "NOERROR aa / an example.com. 3600 SOA ns1.example.com. ");
	assert_answer("example.com NS", NULL,
	              "NOERROR aa / an example.com. 3600 NS ns1.example.com."
	              " / ar ns1.example.com. 3600 A 192.0.2.53");
	assert_answer("ns1.example.com A", NULL,
	              "NOERROR aa / an ns1.example.com. 3600 A 192.0.2.53");
}

static void test_names_of_nobody_are_refused(void **state)
{
	(void)state;
	assert_answer("www.example.net A", NULL, "REFUSED");
	assert_answer("www.example.net A", &edns, "REFUSED ede=20");
	assert_answer("com A", &subnet, "REFUSED scope=0 ede=20");
	assert_answer(". NS", NULL, "REFUSED");
	assert_answer("example.com AXFR", &edns, "REFUSED ede=18");
}

static void test_any_gets_one_rrset(void **state)
{
	(void)state;
	assert_answer("www.example.com ANY", NULL,
	              "NOERROR aa / an www.example.com. 300 A 192.0.2.1 / an www.example.com. 300 "
	              "A 192.0.2.2");
	assert_answer("there.wild.example.com ANY", NULL,
	              "NOERROR aa / an there.wild.example.com. 300 TXT \"x\"");
	assert_begins("c.example.com ANY", NULL, "NOERROR aa" SOA);
}

static void test_what_depends_on_nobody_has_scope_0(void **state)
{
	(void)state;
	assert_begins("www.example.com TXT", &subnet, "NOERROR aa scope=0 / an");
	assert_begins("missing.example.com A", &subnet, "NXDOMAIN aa scope=0 / ns");
	assert_begins("x.child.example.com A", &subnet, "NOERROR scope=0 / ns");
}

static void test_before_the_sources_are_read_all_is_servfail(void **state)
{
	(void)state;
	world_settings(w)->ready = false;
	world_build(w);
	assert_answer("www.example.com A", &edns, "SERVFAIL ede=14");
	assert_answer("www.example.net A", NULL, "SERVFAIL");
	world_settings(w)->ready = true;
	world_build(w);
}

static void test_while_a_source_was_never_read_no_name_is_denied(void **state)
{
	(void)state;
	world_settings(w)->incomplete = true;
	world_build(w);
	assert_answer("missing.example.com A", &edns, "SERVFAIL ede=14");
	assert_answer("nowhere.example.com A", &edns, "SERVFAIL ede=14");
	assert_begins("www.example.com AAAA", NULL, "NOERROR aa" SOA);
	assert_begins("www.example.com TXT", NULL, "NOERROR aa / an");
	world_settings(w)->incomplete = false;
	world_build(w);
}

/* RFC 8914 4.4 */
static void test_what_comes_of_an_unseen_cluster_is_stale(void **state)
{
	struct world *mine = world_new();

	(void)state;
	world_zones_are(mine, "example.com");
	world_cluster(mine, "la", 34.05, -118.24);
	world_cluster(mine, "ny", 40.71, -74.0);
	world_put_sites(mine, "la.example.com", NULL, "la: 30 A 192.0.2.1", NULL);
	world_put_sites(mine, "ny.example.com", NULL, "ny: 30 A 192.0.2.2", NULL);
	world_put_sites(mine, "alias.example.com", NULL, "la: 30 CNAME ny.example.com", NULL);
	world_put_sites(mine, "both.example.com", NULL, "la: 30 A 192.0.2.1", "la: 30 TXT only",
	                "ny: 30 A 192.0.2.2", NULL);
	world_settings(mine)->all = true;
	world_build(mine);
	assert_null(strstr(world_ask(mine, "both.example.com A", &edns), "ede="));
	world_unseen(mine, "la", true);
	world_build(mine);
	assert_non_null(strstr(world_ask(mine, "la.example.com A", &edns), "NOERROR aa ede=3 /"));
	assert_non_null(strstr(world_ask(mine, "alias.example.com A", &edns), "ede=3"));
	assert_non_null(strstr(world_ask(mine, "both.example.com A", &edns), "ede=3"));
	assert_null(strstr(world_ask(mine, "ny.example.com A", &edns), "ede="));
	assert_null(strstr(world_ask(mine, "la.example.com MX", &edns), "ede="));
	assert_null(strstr(world_ask(mine, "absent.example.com A", &edns), "ede="));
	world_unseen(mine, "la", false);
	world_unseen(mine, "ny", true);
	world_build(mine);
	assert_null(strstr(world_ask(mine, "both.example.com TXT", &edns), "ede="));
	assert_non_null(strstr(world_ask(mine, "both.example.com A", &edns), "ede=3"));
	assert_non_null(strstr(world_ask(mine, "alias.example.com A", &edns), "ede=3"));
	world_settings(mine)->all = false;
	world_build(mine);
	assert_null(strstr(world_ask(mine, "la.example.com A", &edns), "ede="));
	assert_non_null(strstr(world_ask(mine, "ny.example.com A", &edns), "ede=3"));
	world_free(mine);
}

/* --- who may ask --- */

static void assert_for(struct world *mine, const char *question, const char *resolver,
                       const char *answer)
{
	struct asking how = {.edns = 1232, .resolver = resolver};

	assert_string_equal(world_ask(mine, question, &how), answer);
}

static void test_a_zone_that_is_not_for_all_refuses_the_others(void **state)
{
	struct world *mine = world_new();
	struct asking ecs = {.ecs = "10.1.2.0/24", .resolver = "192.0.2.1"};

	(void)state;
	world_zones_are(mine, "open.example closed.example in.open.example");
	world_put(mine, "www.open.example", "300 A 192.0.2.1", NULL);
	world_put(mine, "www.closed.example", "300 A 192.0.2.2", NULL);
	world_put(mine, "in.open.example", "300 NS ns1.in.open.example", NULL);
	world_put(mine, "www.in.open.example", "300 A 192.0.2.3", NULL);
	world_put(mine, "to.open.example", "300 CNAME www.closed.example", NULL);
	world_put(mine, "cut.open.example", "300 NS www.closed.example", NULL);
	world_put(mine, "alias.open.example", "300 CNAME x.cut.open.example", NULL);
	world_terms(mine, "zones:\n"
	                  "- {name: Closed.Example., allowQuery: [10.0.0.0/8, \"2001:db8::/32\"]}\n"
	                  "- {name: in.open.example, allowQuery: []}\n");
	world_build(mine);
	assert_for(mine, "www.open.example A", "192.0.2.1",
	           "NOERROR aa / an www.open.example. 300 A 192.0.2.1");
	assert_for(mine, "WWW.closed.example A", "192.0.2.1", "REFUSED ede=18");
	assert_for(mine, "absent.closed.example A", "192.0.2.1", "REFUSED ede=18");
	assert_for(mine, "www.closed.example A", "11.0.0.1", "REFUSED ede=18");
	assert_for(mine, "www.closed.example A", "2001:db9::1", "REFUSED ede=18");
	assert_for(mine, "www.closed.example A", "10.9.9.9",
	           "NOERROR aa / an www.closed.example. 300 A 192.0.2.2");
	assert_for(mine, "www.closed.example A", "2001:db8::1",
	           "NOERROR aa / an www.closed.example. 300 A 192.0.2.2");
	assert_for(mine, "www.in.open.example A", "10.9.9.9", "REFUSED ede=18");
	/* No right comes of a client subnet. */
	assert_string_equal(world_ask(mine, "www.closed.example A", &ecs),
	                    "REFUSED scope=0 ede=18");
	/* A chain and a referral show nothing of it either. */
	assert_for(mine, "to.open.example A", "192.0.2.1",
	           "NOERROR aa / an to.open.example. 300 CNAME www.closed.example.");
	assert_for(mine, "to.open.example A", "10.9.9.9",
	           "NOERROR aa / an to.open.example. 300 CNAME www.closed.example. / an "
	           "www.closed.example. 300 A 192.0.2.2");
	assert_for(mine, "x.cut.open.example A", "192.0.2.1",
	           "NOERROR / ns cut.open.example. 300 NS www.closed.example.");
	assert_for(mine, "alias.open.example A", "192.0.2.1",
	           "NOERROR aa / an alias.open.example. 300 CNAME x.cut.open.example. / ns "
	           "cut.open.example. 300 NS www.closed.example.");
	assert_for(mine, "x.cut.open.example A", "10.9.9.9",
	           "NOERROR / ns cut.open.example. 300 NS www.closed.example. / ar "
	           "www.closed.example. 300 A 192.0.2.2");
	world_free(mine);
}

/* Sites at two ends of the world; clients of 198.51.100.0/24 are at one, all others at the other. */
static void test_a_subnet_that_is_not_believed_decides_nothing(void **state)
{
	struct world *mine = world_new();
	struct asking trusted = {.ecs = "198.51.100.0/24", .resolver = "10.0.0.1"},
		      stranger = {.ecs = "198.51.100.0/24", .resolver = "11.0.0.1"};

	(void)state;
	world_zones_are(mine, "example.com");
	world_cluster(mine, "la", 34.05, -118.24);
	world_cluster(mine, "ny", 40.71, -74.0);
	world_networks(mine, "198.51.100.0/24,40.7,-74\n10.0.0.0/8,34,-118\n11.0.0.0/8,34,-118\n");
	world_put_sites(mine, "www.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_terms(mine, "ecs: {from: [10.0.0.0/8]}\n");
	world_build(mine);
	assert_string_equal(world_ask(mine, "www.example.com A", &trusted),
	                    "NOERROR aa scope=24 / an www.example.com. 30 A 192.0.2.2");
	assert_string_equal(world_ask(mine, "www.example.com A", &stranger),
	                    "NOERROR aa scope=0 / an www.example.com. 30 A 192.0.2.1");
	world_terms(mine, "{}\n");
	world_build(mine);
	assert_string_equal(world_ask(mine, "www.example.com A", &stranger),
	                    "NOERROR aa scope=24 / an www.example.com. 30 A 192.0.2.2");
	world_free(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_answers_with_all_its_records_of_the_type),
		cmocka_unit_test(test_names_are_found_without_case_and_answered_as_asked),
		cmocka_unit_test(test_no_data_carries_the_soa),
		cmocka_unit_test(test_an_empty_non_terminal_exists),
		cmocka_unit_test(test_a_missing_name_does_not_exist),
		cmocka_unit_test(test_a_wildcard_covers_what_does_not_exist),
		cmocka_unit_test(test_a_wildcard_may_be_an_alias),
		cmocka_unit_test(test_a_chain_is_followed_inside_the_server),
		cmocka_unit_test(test_a_chain_ends_where_it_leaves_our_zones),
		cmocka_unit_test(test_an_alias_asked_for_by_type_is_not_followed),
		cmocka_unit_test(test_the_last_name_of_a_chain_gives_the_rcode),
		cmocka_unit_test(test_loops_end_with_what_was_found),
		cmocka_unit_test(test_a_chain_has_at_most_17_links),
		cmocka_unit_test(test_a_dname_moves_the_whole_tree_below_it),
		cmocka_unit_test(test_a_dname_does_not_cover_its_own_name),
		cmocka_unit_test(test_a_synthesized_alias_may_be_asked_for),
		cmocka_unit_test(test_a_dname_that_makes_a_name_too_long_says_so),
		cmocka_unit_test(test_dname_loops_end),
		cmocka_unit_test(test_a_delegation_refers_with_glue),
		cmocka_unit_test(test_a_chain_into_a_delegation_refers),
		cmocka_unit_test(test_ds_is_answered_above_the_cut),
		cmocka_unit_test(test_the_longest_zone_answers),
		cmocka_unit_test(test_the_apex_has_soa_and_name_servers),
		cmocka_unit_test(test_names_of_nobody_are_refused),
		cmocka_unit_test(test_any_gets_one_rrset),
		cmocka_unit_test(test_what_depends_on_nobody_has_scope_0),
		cmocka_unit_test(test_before_the_sources_are_read_all_is_servfail),
		cmocka_unit_test(test_while_a_source_was_never_read_no_name_is_denied),
		cmocka_unit_test(test_what_comes_of_an_unseen_cluster_is_stale),
		cmocka_unit_test(test_a_zone_that_is_not_for_all_refuses_the_others),
		cmocka_unit_test(test_a_subnet_that_is_not_believed_decides_nothing),
	};

	return cmocka_run_group_tests_name("dnsd/answer", tests, setup, teardown);
}
