/* Which site answers whom, how far that holds, and for how long. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dnsd_world.h"

static struct world *w;

/* ny and nyc share a place; la lies in the west; sky has no place. */
static int setup(void **state)
{
	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_cluster(w, "nyc", 40.712, -74.001);
	world_cluster(w, "sky", 999, 999);
	world_networks(w, "198.51.100.0/24,42.36,-71.06,Boston\n"
	                  "198.51.101.0/24,37.77,-122.42,San Francisco\n"
	                  "203.0.113.128/25,37.77,-122.42\n"
	                  "203.0.113.0/25,42.36,-71.06\n"
	                  "10.0.0.0/8,42.36,-71.06\n"
	                  "2001:db8:1::/48,42.36,-71.06\n"
	                  "2001:db8:2::/48,37.77,-122.42\n");
	world_put_sites(w, "two.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_put_sites(w, "one.example.com", NULL, "la: 30 A 192.0.2.1", NULL);
	world_put_sites(w, "twins.example.com", NULL, "ny: 30 A 192.0.2.2", "nyc: 30 A 192.0.2.3",
	                NULL);
	world_put_sites(w, "mixed.example.com", NULL, "la: 30 A 192.0.2.1",
	                "la: 30 AAAA 2001:db8::1", "ny: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "half.example.com", NULL, "la: 30 A 192.0.2.1", "ny!: 30 A 192.0.2.2",
	                NULL);
	world_put_sites(w, "dead.example.com", NULL, "la!: 30 A 192.0.2.1", "ny!: 30 A 192.0.2.2",
	                NULL);
	world_put_sites(w, "alias.example.com", NULL, "la: 30 CNAME la.lb.example.net",
	                "ny: 30 CNAME two.example.com", NULL);
	world_put_sites(w, "zone.example.com", "two.example.com", "la!: 30 A 192.0.2.1", NULL);
	world_put_sites(w, "good.example.com", "two.example.com", "la: 30 A 192.0.2.1", NULL);
	world_put_sites(w, "bare.example.com", "two.example.com", "la:", "ny!: 30 A 192.0.2.2",
	                NULL);
	world_put_sites(w, "probed.example.com", NULL, "la#0: 30 A 192.0.2.1",
	                "ny#1: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "far.example.com", NULL, "la: 30 A 192.0.2.1", "sky: 30 A 192.0.2.4",
	                NULL);
	world_put_sites(w, "text.example.com", NULL, "la: 30 TXT la", "ny: 30 TXT ny", NULL);
	world_put_sites(w, "shared.example.com", NULL, "la: 30 A 192.0.2.1", "la: 30 A 192.0.2.7",
	                "ny: 20 A 192.0.2.7", "ny: 20 A 192.0.2.2", NULL);
	world_put_sites(w, "*.wild.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 30 A 192.0.2.2",
	                NULL);
	world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void assert_answer(const char *question, const char *ecs, const char *wanted)
{
	struct asking how = {.ecs = ecs};

	assert_string_equal(world_ask(w, question, &how), wanted);
}

static void assert_begins(const char *question, const char *ecs, const char *wanted)
{
	struct asking how = {.ecs = ecs};
	const char *found = world_ask(w, question, &how);

	if (strncmp(found, wanted, strlen(wanted)) != 0)
		assert_string_equal(found, wanted);
}

static void test_the_nearest_site_answers(void **state)
{
	(void)state;
	assert_answer("two.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an two.example.com. 30 A 192.0.2.2");
	assert_answer("two.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an two.example.com. 30 A 192.0.2.1");
	assert_answer("x.wild.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an x.wild.example.com. 30 A 192.0.2.1");
	assert_begins("two.example.com A", "2001:db8:1::/48",
	              "NOERROR aa scope=48 / an two.example.com. 30 A 192.0.2.2");
}

static void test_without_a_subnet_the_resolver_decides_and_no_subnet_is_answered(void **state)
{
	struct asking boston = {.resolver = "198.51.100.7", .edns = 1232},
		      mapped = {.resolver = "::ffff:198.51.101.7"};

	(void)state;
	assert_string_equal(world_ask(w, "two.example.com A", &boston),
	                    "NOERROR aa / an two.example.com. 30 A 192.0.2.2");
	assert_string_equal(world_ask(w, "two.example.com A", &mapped),
	                    "NOERROR aa / an two.example.com. 30 A 192.0.2.1");
}

static void test_a_mapped_subnet_is_where_its_ipv4_subnet_is(void **state)
{
	(void)state;
	assert_answer("two.example.com A", "::ffff:198.51.100.0/120",
	              "NOERROR aa scope=120 / an two.example.com. 30 A 192.0.2.2");
	assert_answer("two.example.com A", "::ffff:198.51.101.9/128",
	              "NOERROR aa scope=120 / an two.example.com. 30 A 192.0.2.1");
	assert_answer("two.example.com A", "::ffff:203.0.113.0/120",
	              "NOERROR aa scope=121 / an two.example.com. 30 A 192.0.2.2");
}

static void test_a_subnet_of_no_length_leaves_it_to_the_resolver_with_scope_0(void **state)
{
	struct asking how = {.resolver = "198.51.101.7", .ecs = "0.0.0.0/0"};

	(void)state;
	assert_string_equal(world_ask(w, "two.example.com A", &how),
	                    "NOERROR aa scope=0 / an two.example.com. 30 A 192.0.2.1");
}

static void test_a_network_longer_than_the_source_answers_for_the_first_address(void **state)
{
	(void)state;
	assert_answer("two.example.com A", "203.0.113.0/24",
	              "NOERROR aa scope=25 / an two.example.com. 30 A 192.0.2.2");
	assert_answer("two.example.com A", "203.0.113.128/25",
	              "NOERROR aa scope=25 / an two.example.com. 30 A 192.0.2.1");
}

static void test_a_single_site_answers_everybody(void **state)
{
	(void)state;
	assert_answer("one.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an one.example.com. 30 A 192.0.2.1");
}

static void test_a_type_comes_from_the_nearest_site_that_has_it(void **state)
{
	(void)state;
	assert_answer("mixed.example.com AAAA", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an mixed.example.com. 30 AAAA 2001:db8::1");
	assert_answer("mixed.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an mixed.example.com. 30 A 192.0.2.2");
	assert_answer("text.example.com TXT", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an text.example.com. 30 TXT \"la\"");
}

static void test_a_type_that_no_site_has_is_no_data_for_all(void **state)
{
	(void)state;
	assert_begins("two.example.com AAAA", "198.51.100.0/24",
	              "NOERROR aa scope=0 / ns example.com. 60 SOA");
	assert_begins("two.example.com MX", "198.51.101.0/24",
	              "NOERROR aa scope=0 / ns example.com. 60 SOA");
}

static void test_an_unusable_site_is_passed_over(void **state)
{
	(void)state;
	assert_answer("half.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an half.example.com. 30 A 192.0.2.1");
}

static void test_no_usable_site_fails_open_for_a_short_time(void **state)
{
	(void)state;
	assert_answer("dead.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an dead.example.com. 5 A 192.0.2.2");
	assert_answer("dead.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an dead.example.com. 5 A 192.0.2.1");
}

static void test_a_drained_cluster_is_left_and_the_rest_answers_for_a_short_time(void **state)
{
	(void)state;
	world_drain(w, "ny", true);
	world_build(w);
	assert_answer("two.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an two.example.com. 5 A 192.0.2.1");
	/* Also where the nearest is not the one that left. */
	assert_answer("two.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an two.example.com. 5 A 192.0.2.1");
	assert_answer("one.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an one.example.com. 30 A 192.0.2.1");
	world_drain(w, "ny", false);
	world_build(w);
	assert_answer("two.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an two.example.com. 30 A 192.0.2.2");
}

static void test_a_site_whose_probe_fails_is_left_also_when_all_is_dark(void **state)
{
	static const bool down[] = {false, true}, up[] = {false, false};

	(void)state;
	world_probes(w, down, 2);
	world_build(w);
	assert_answer("probed.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an probed.example.com. 5 A 192.0.2.1");
	assert_answer("probed.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an probed.example.com. 5 A 192.0.2.1");
	/* In the dark the table of verdicts is what it was: who fills it holds it. */
	world_settings(w)->dark = true;
	world_build(w);
	assert_answer("probed.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an probed.example.com. 5 A 192.0.2.1");
	world_settings(w)->dark = false;
	world_probes(w, up, 2);
	world_build(w);
}

static void test_a_name_without_a_usable_address_goes_to_the_next_level(void **state)
{
	(void)state;
	assert_answer("zone.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24"
	              " / an zone.example.com. 180 CNAME two.example.com. / an two.example.com. 30 "
	              "A 192.0.2.1");
	assert_answer("bare.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24"
	              " / an bare.example.com. 180 CNAME two.example.com. / an two.example.com. 30 "
	              "A 192.0.2.2");
	assert_begins("zone.example.com TXT", "198.51.101.0/24",
	              "NOERROR aa scope=0 / an zone.example.com. 180 CNAME two.example.com. / ns "
	              "example.com. 60 SOA");
	assert_answer("good.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=0 / an good.example.com. 30 A 192.0.2.1");
	assert_begins("good.example.com AAAA", "198.51.101.0/24",
	              "NOERROR aa scope=0 / ns example.com. 60 SOA");
}

static void test_an_alias_of_a_site_goes_on_with_the_longest_scope(void **state)
{
	(void)state;
	assert_answer("alias.example.com A", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an alias.example.com. 30 CNAME la.lb.example.net.");
	assert_answer("alias.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24"
	              " / an alias.example.com. 30 CNAME two.example.com. / an two.example.com. 30 "
	              "A 192.0.2.2");
}

static void test_clusters_without_a_place_come_last(void **state)
{
	(void)state;
	assert_begins("far.example.com A", "198.51.100.0/24", "NOERROR aa scope=");
	assert_non_null(strstr(
		world_ask(w, "far.example.com A", &(struct asking){.ecs = "198.51.100.0/24"}),
		"192.0.2.1"));
}

static void test_equally_near_sites_share_the_clients_by_bucket(void **state)
{
	unsigned first = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char ecs[32], other[32], answer[128];
		struct asking how = {.ecs = ecs}, neighbour = {.ecs = other};

		snprintf(ecs, sizeof ecs, "10.%u.%u.0/24", i / 250, i % 250);
		snprintf(other, sizeof other, "10.%u.%u.%u/32", i / 250, i % 250, i % 256);
		snprintf(answer, sizeof answer, "%s", world_ask(w, "twins.example.com A", &how));
		assert_non_null(strstr(answer, " scope=24 "));
		assert_string_equal(world_ask(w, "twins.example.com A", &neighbour), answer);
		first += strstr(answer, "192.0.2.2") != NULL;
	}
	assert_in_range(first, 440, 560);
}

static void test_a_source_shorter_than_its_bucket_gets_the_buckets_scope(void **state)
{
	(void)state;
	assert_begins("twins.example.com A", "10.0.0.0/8", "NOERROR aa scope=24 / an");
	assert_begins("twins.example.com A", "2001:db8:1::/52", "NOERROR aa scope=48 / an");
}

/* The records of the twins for a client. */
static void twin_for(const char *ecs, const char *scope, char out[128])
{
	const char *answer = world_ask(w, "twins.example.com A", &(struct asking){.ecs = ecs});

	assert_non_null(strstr(answer, scope));
	assert_non_null(strstr(answer, " / an "));
	snprintf(out, 128, "%s", strstr(answer, " / an "));
}

static void test_a_mapped_subnet_has_the_bucket_of_its_ipv4_subnet(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char ecs[48], plain[128], mapped[128];

		snprintf(ecs, sizeof ecs, "10.0.%u.0/24", i);
		twin_for(ecs, " scope=24 ", plain);
		snprintf(ecs, sizeof ecs, "::ffff:10.0.%u.0/120", i);
		twin_for(ecs, " scope=120 ", mapped);
		assert_string_equal(mapped, plain);
	}
}

static void test_no_bucket_around_the_mapped_networks_holds_them(void **state)
{
	char any[128];

	(void)state;
	/* One leaf for all addresses. */
	world_networks(w, "0.0.0.0/0,42.36,-71.06\n::/0,42.36,-71.06\n");
	world_build(w);
	twin_for("::1/128", " scope=96 ", any);
	twin_for("0:0:0:8000::/64", " scope=96 ", any);
	twin_for("::ffff:0:0/96", " scope=120 ", any);
	twin_for("0:0:1::/64", " scope=48 ", any);
}

static void test_a_client_without_a_place_gets_the_clusters_by_name(void **state)
{
	(void)state;
	assert_begins("twins.example.com A", "192.0.2.0/24", "NOERROR aa scope=");
	assert_non_null(
		strstr(world_ask(w, "twins.example.com A", &(struct asking){.ecs = "192.0.2.0/24"}),
	               " 30 A 192.0.2.2"));
}

static void test_the_policy_all_answers_with_every_usable_site(void **state)
{
	(void)state;
	world_settings(w)->all = true;
	world_build(w);
	assert_answer("two.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an two.example.com. 30 A 192.0.2.1 / an "
	              "two.example.com. 30 A 192.0.2.2");
	assert_answer("half.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an half.example.com. 30 A 192.0.2.1");
	assert_answer(
		"shared.example.com A", NULL,
		"NOERROR aa / an shared.example.com. 20 A 192.0.2.1"
		" / an shared.example.com. 20 A 192.0.2.7 / an shared.example.com. 20 A 192.0.2.2");
	assert_begins("alias.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an alias.example.com. 30 CNAME la.lb.example.net.");
	assert_begins("two.example.com AAAA", "198.51.100.0/24", "NOERROR aa scope=0 / ns");
	assert_begins("dead.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an dead.example.com. 5 A 192.0.2.1 / an "
	              "dead.example.com. 5 A 192.0.2.2");
	world_settings(w)->all = false;
	world_build(w);
}

static void test_a_site_that_is_held_down_comes_last_and_counts_as_usable(void **state)
{
	struct asking how = {.ecs = "198.51.100.0/24"};

	(void)state;
	world_put_sites(w, "held-two.example.com", NULL, "la: 30 A 192.0.2.1",
	                "ny~9: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "held-one.example.com", NULL, "la~9: 30 A 192.0.2.1",
	                "ny!: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "held-twins.example.com", NULL, "ny~9: 30 A 192.0.2.2",
	                "nyc: 30 A 192.0.2.3", NULL);
	world_put_sites(w, "held-zone.example.com", "two.example.com", "la~9: 30 A 192.0.2.1",
	                NULL);
	world_build(w);
	assert_begins("held-two.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an held-two.example.com. 30 A 192.0.2.1");
	/* Nobody else is left: no failing open, and no other level. */
	assert_begins("held-one.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an held-one.example.com. 30 A 192.0.2.1");
	assert_begins("held-zone.example.com A", "198.51.100.0/24",
	              "NOERROR aa scope=0 / an held-zone.example.com. 30 A 192.0.2.1");
	for (unsigned i = 0; i < 200; i++) {
		char ecs[32];

		snprintf(ecs, sizeof ecs, "10.0.%u.0/24", i);
		how.ecs = ecs;
		assert_non_null(
			strstr(world_ask(w, "held-twins.example.com A", &how), " 30 A 192.0.2.3"));
	}
}

static void test_the_policy_all_leaves_out_who_is_held_down_while_others_are_not(void **state)
{
	(void)state;
	world_settings(w)->all = true;
	world_put_sites(w, "held-two.example.com", NULL, "la: 30 A 192.0.2.1",
	                "ny~9: 30 A 192.0.2.2", NULL);
	world_put_sites(w, "held-one.example.com", NULL, "la~9: 30 A 192.0.2.1",
	                "ny~9: 30 A 192.0.2.2", NULL);
	world_build(w);
	assert_answer("held-two.example.com A", NULL,
	              "NOERROR aa / an held-two.example.com. 30 A 192.0.2.1");
	assert_answer("held-one.example.com A", NULL,
	              "NOERROR aa / an held-one.example.com. 30 A 192.0.2.1 / an "
	              "held-one.example.com. 30 A "
	              "192.0.2.2");
	world_settings(w)->all = false;
	world_build(w);
}

static void test_any_gets_one_rrset_of_the_chosen_site(void **state)
{
	(void)state;
	assert_answer("mixed.example.com ANY", "198.51.101.0/24",
	              "NOERROR aa scope=24 / an mixed.example.com. 30 A 192.0.2.1");
	assert_answer("text.example.com ANY", "198.51.100.0/24",
	              "NOERROR aa scope=24 / an text.example.com. 30 TXT \"ny\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nearest_site_answers),
		cmocka_unit_test(
			test_without_a_subnet_the_resolver_decides_and_no_subnet_is_answered),
		cmocka_unit_test(test_a_mapped_subnet_is_where_its_ipv4_subnet_is),
		cmocka_unit_test(test_a_subnet_of_no_length_leaves_it_to_the_resolver_with_scope_0),
		cmocka_unit_test(
			test_a_network_longer_than_the_source_answers_for_the_first_address),
		cmocka_unit_test(test_a_single_site_answers_everybody),
		cmocka_unit_test(test_a_type_comes_from_the_nearest_site_that_has_it),
		cmocka_unit_test(test_a_type_that_no_site_has_is_no_data_for_all),
		cmocka_unit_test(test_an_unusable_site_is_passed_over),
		cmocka_unit_test(test_no_usable_site_fails_open_for_a_short_time),
		cmocka_unit_test(
			test_a_drained_cluster_is_left_and_the_rest_answers_for_a_short_time),
		cmocka_unit_test(test_a_site_whose_probe_fails_is_left_also_when_all_is_dark),
		cmocka_unit_test(test_a_name_without_a_usable_address_goes_to_the_next_level),
		cmocka_unit_test(test_an_alias_of_a_site_goes_on_with_the_longest_scope),
		cmocka_unit_test(test_clusters_without_a_place_come_last),
		cmocka_unit_test(test_equally_near_sites_share_the_clients_by_bucket),
		cmocka_unit_test(test_a_source_shorter_than_its_bucket_gets_the_buckets_scope),
		cmocka_unit_test(test_a_mapped_subnet_has_the_bucket_of_its_ipv4_subnet),
		cmocka_unit_test(test_a_client_without_a_place_gets_the_clusters_by_name),
		cmocka_unit_test(test_the_policy_all_answers_with_every_usable_site),
		cmocka_unit_test(test_a_site_that_is_held_down_comes_last_and_counts_as_usable),
		cmocka_unit_test(
			test_the_policy_all_leaves_out_who_is_held_down_while_others_are_not),
		cmocka_unit_test(test_any_gets_one_rrset_of_the_chosen_site),
		/* The last: it changes the networks. */
		cmocka_unit_test(test_no_bucket_around_the_mapped_networks_holds_them),
	};

	return cmocka_run_group_tests_name("dnsd/choose", tests, setup, teardown);
}
