/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "records/endpoint.h"
#include "tests/support/zones_world.h"

enum { FINE = SITE_ENDPOINTS | SITE_LOAD_BALANCER, NO_PROBE = UINT32_MAX };

static const struct rrset *must(const struct rrset *s)
{
	CHECK(s);
	return s;
}

static bool is_usable(const struct snapshot *s, size_t site, bool *troubled)
{
	const struct node *n = zworld_node(s, "www.example.com");

	return snapshot_site_is_usable(s, snapshot_node_policy(s, n), node_site(n, site), troubled);
}

static void put_www(struct zones *z, uint8_t layers, uint32_t probe)
{
	struct zworld_site site[] = {{0, layers, "30 A 192.0.2.1", probe},
	                             {1, FINE, "30 A 192.0.2.2", NO_PROBE}};

	zworld_put_sites(z, "www.example.com", site, 2, NULL, true);
}

static void test_there_is_a_snapshot_from_the_beginning(void **state)
{
	struct zones *z = zones_new();
	struct reader *r = handover_join(zones_handover(z));
	const struct snapshot *s = reader_take(r);

	(void)state;
	assert_non_null(s);
	assert_false(snapshot_settings(s)->ready);
	assert_null(snapshot_zone(s, 0));
	assert_non_null(snapshot_ranking(s));
	assert_non_null(snapshot_report(s));
	handover_leave(r);
	zones_free(z);
}

static void test_a_site_is_usable_when_all_its_layers_are(void **state)
{
	bool troubled;

	put_www(*state, FINE, NO_PROBE);
	assert_true(is_usable(zones_build(*state, 1), 0, &troubled));
	assert_false(troubled);
	put_www(*state, SITE_ENDPOINTS, NO_PROBE);
	assert_false(is_usable(zones_build(*state, 1), 0, &troubled));
	assert_false(troubled);
	put_www(*state, SITE_LOAD_BALANCER, NO_PROBE);
	assert_false(is_usable(zones_build(*state, 1), 0, NULL));
}

static void test_a_probe_takes_a_site_out_also_when_all_is_dark(void **state)
{
	struct zones_probe probe[70] = {{false, 0}};
	struct snapshot_settings settings = {.ready = true};
	const struct snapshot *s;
	bool troubled;

	put_www(*state, FINE, 65);
	assert_true(is_usable(zones_build(*state, 1), 0, NULL));
	probe[65] = (struct zones_probe){true, 1234};
	zones_set_probes(*state, probe, 70);
	s = zones_build(*state, 1);
	assert_false(is_usable(s, 0, &troubled));
	assert_true(troubled);
	assert_true(snapshot_probe_is_down(s, 65));
	assert_false(snapshot_probe_is_down(s, 64));
	assert_false(snapshot_probe_is_down(s, 1000));
	assert_int_equal(snapshot_probe_at_ms(s, 65), 1234);
	assert_true(is_usable(s, 1, &troubled));
	settings.dark = true;
	zones_set_settings(*state, &settings);
	assert_false(is_usable(zones_build(*state, 1), 0, &troubled));
	assert_true(troubled);
}

static void test_one_address_that_answers_is_enough(void **state)
{
	struct zones_probe probe[2] = {{true, 1}, {false, 1}};
	uint32_t index[] = {0, 1};
	struct endpoint_site site = {
		.cluster = 0, .layers = FINE, .probes = index, .probe_count = 2};
	struct endpoint e = {.owner = zworld_wire("www.example.com"),
	                     .source = "",
	                     .has_sites = true,
	                     .sites = &site,
	                     .site_count = 1};

	zones_put(*state, &e);
	zones_set_probes(*state, probe, 2);
	assert_true(is_usable(zones_build(*state, 1), 0, NULL));
	probe[1].down = true;
	zones_set_probes(*state, probe, 2);
	assert_false(is_usable(zones_build(*state, 1), 0, NULL));
}

static void test_a_cluster_that_drains_expires_or_is_gone_takes_its_sites_out(void **state)
{
	struct snapshot_cluster cluster = {.id = 0, .name = "c0", .up = true};
	bool troubled;

	put_www(*state, FINE, NO_PROBE);
	cluster.drained = true;
	zones_set_clusters(*state, &cluster, 1);
	assert_false(is_usable(zones_build(*state, 1), 0, &troubled));
	assert_true(troubled);
	cluster.drained = false;
	cluster.expired = true;
	zones_set_clusters(*state, &cluster, 1);
	assert_false(is_usable(zones_build(*state, 1), 0, &troubled));
	assert_true(troubled);
	cluster.expired = false;
	zones_set_clusters(*state, &cluster, 1);
	assert_true(is_usable(zones_build(*state, 1), 0, NULL));
	assert_false(is_usable(zones_build(*state, 1), 1, &troubled));
	assert_false(troubled);
}

static void test_clusters_are_found_by_id_and_by_name(void **state)
{
	const char *const zones[] = {"a", "b", NULL};
	struct snapshot_cluster cluster[] = {{.id = 300, .name = "b"},
	                                     {.id = 7, .name = "a", .zones = zones}};
	const struct snapshot *s;

	zones_set_clusters(*state, cluster, 2);
	s = zones_build(*state, 1);
	assert_string_equal(snapshot_cluster(s, 300)->name, "b");
	assert_string_equal(snapshot_cluster(s, 7)->zones[1], "b");
	assert_null(snapshot_cluster(s, 8));
	assert_null(snapshot_cluster(s, 301));
	assert_string_equal(snapshot_cluster_at(s, 0)->name, "a");
	assert_string_equal(snapshot_cluster_at(s, 1)->region, "");
	assert_null(snapshot_cluster_at(s, 2));
}

static void test_the_report_is_carried_along(void **state)
{
	struct snapshot_problem problem = {"x.yaml:3", "broken", 5};
	struct snapshot_conflict conflict = {"www", "a", "b"};
	struct snapshot_hold hold = {"example.com", 60, 9, 100, 700};
	struct snapshot_report report = {.problems = &problem,
	                                 .problem_count = 1,
	                                 .conflicts = &conflict,
	                                 .conflict_count = 1,
	                                 .holds = &hold,
	                                 .hold_count = 1,
	                                 .fact_count = 42};
	const struct snapshot *s;

	zones_set_report(*state, &report);
	s = zones_build(*state, 1);
	assert_string_equal(snapshot_report(s)->problems[0].message, "broken");
	assert_string_equal(snapshot_report(s)->conflicts[0].loser, "b");
	assert_string_equal(snapshot_report(s)->holds[0].zone, "example.com");
	assert_int_equal(snapshot_report(s)->fact_count, 42);
	zones_set_report(*state, &report);
	assert_ptr_equal(zones_build(*state, 1), s);
	hold.names = 61;
	zones_set_report(*state, &report);
	assert_ptr_not_equal(zones_build(*state, 1), s);
}

static void test_sites_say_what_they_have(void **state)
{
	struct zworld_site site[] = {{0, FINE, "30 A 192.0.2.1", 4},
	                             {1, FINE, "60 CNAME lb.example.net.", NO_PROBE},
	                             {2, 0, NULL, NO_PROBE}};
	const struct snapshot *s;
	const struct node *n;
	size_t probes;

	zworld_put_sites(*state, "www.example.com", site, 3, "region.example.com", false);
	s = zones_build(*state, 1);
	n = zworld_node(s, "www.example.com");
	assert_int_equal(node_flags(n), NODE_SITES);
	assert_int_equal(node_site_count(n), 3);
	assert_string_equal(snapshot_source(s, node_source(n)), "test www.example.com");
	assert_int_equal(must(site_rrset(node_site(n, 0), RR_A))->ttl, 30);
	assert_null(site_rrset(node_site(n, 0), RR_AAAA));
	assert_int_equal(must(site_rrset(node_site(n, 1), RR_A))->type, RR_CNAME);
	assert_null(site_rrset_at(node_site(n, 2), 0));
	assert_int_equal(site_probes(node_site(n, 0), &probes)[0], 4);
	assert_int_equal(probes, 1);
	assert_int_equal(site_cluster(node_site(n, 2)), 2);
	assert_int_equal(must(node_fallback(n))->type, RR_CNAME);
	assert_null(node_rrset(n, RR_A));
}

static bool are_alike(struct zones *z, const struct zworld_site *site, size_t count)
{
	const struct node *n;
	size_t alike = 0;

	zworld_put_sites(z, "www.example.com", site, count, NULL, false);
	n = zworld_node(zones_build(z, 1), "www.example.com");
	for (size_t i = 0; i < count; i++) {
		alike += site_is_alike(node_site(n, i));
		assert_int_equal(site_layers(node_site(n, i)), site[i].layers);
	}
	assert_true(alike == 0 || alike == count);
	return alike > 0;
}

static void test_sites_of_the_same_types_say_so(void **state)
{
	struct zworld_site site[] = {{0, FINE, "30 A 192.0.2.1", NO_PROBE},
	                             {1, FINE, "60 A 192.0.2.2", NO_PROBE},
	                             {2, SITE_ENDPOINTS, "30 A 192.0.2.3", NO_PROBE}};

	assert_true(are_alike(*state, site, 3));
	assert_false(are_alike(*state, site, 1));
	site[1].record = "60 AAAA 2001:db8::2";
	assert_false(are_alike(*state, site, 3));
	site[1].record = NULL;
	assert_false(are_alike(*state, site, 2));
	site[1].record = "60 A 192.0.2.4";
	assert_true(are_alike(*state, site, 2));
}

static void test_a_site_is_found_where_its_cluster_stands_by_name(void **state)
{
	struct zworld_site site[] = {{0, FINE, "30 A 192.0.2.1", NO_PROBE},
	                             {2, FINE, "60 A 192.0.2.2", NO_PROBE}};
	const struct node *n;

	zworld_put_sites(*state, "www.example.com", site, 2, NULL, false);
	n = zworld_node(zones_build(*state, 1), "www.example.com");
	assert_ptr_equal(node_site_at_number(n, 0, 0), node_site(n, 0));
	assert_ptr_equal(node_site_at_number(n, 2, 1), node_site(n, 1));
	assert_null(node_site_at_number(n, 1, 1)); /* it has none */
	assert_null(node_site_at_number(n, 2, 2)); /* it stands before that */
	assert_null(node_site_at_number(n, 0, UINT16_MAX));
}

static void test_a_snapshot_prints_as_text(void **state)
{
	struct zworld_site site[] = {{0, FINE, "30 A 192.0.2.1", 0},
	                             {9, SITE_ENDPOINTS, NULL, NO_PROBE}};
	struct zones_probe probe = {true, 77};
	char *text;

	zworld_set_clusters(*state, 1);
	zones_set_probes(*state, &probe, 1);
	zworld_put_sites(*state, "www.example.com", site, 2, "x.example.com", true);
	zworld_put(*state, "_x.a.example.com", "300 TXT v=1; k", "300 TYPE65280 \\# 2 beef", NULL);
	text = zworld_print(zones_build(*state, 1));
	assert_string_equal(
		text, "settings policy=nearest degradedTTL=0\n"
		      "cluster c0 source=manifests knowledge=synced region= zones= up\n"
		      "zone example.com. names=4 negative=20\n"
		      " name example.com. apex from zone example.com\n"
		      "  30 NS ns1.example.com.\n"
		      "  30 SOA ns1.example.com. hostmaster.example.com. - 3600 900 604800 20\n"
		      " name a.example.com. empty\n"
		      " name _x.a.example.com. from test _x.a.example.com\n"
		      "  300 TXT \"v=1; k\"\n"
		      "  300 TYPE65280 \\# 2 beef\n"
		      " name ns1.example.com. from zone example.com\n"
		      "  30 A 192.0.2.53\n"
		      " name www.example.com. sites fail-open from test www.example.com\n"
		      "  site c0 endpoints loadBalancer probes=1 down=1\n"
		      "    30 A 192.0.2.1\n"
		      "  site (unknown) endpoints probes=0 down=0\n"
		      "  fallback 30 CNAME x.example.com.\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_is_a_snapshot_from_the_beginning),
		cmocka_unit_test_setup_teardown(test_a_site_is_usable_when_all_its_layers_are,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_a_probe_takes_a_site_out_also_when_all_is_dark,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_one_address_that_answers_is_enough,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_cluster_that_drains_expires_or_is_gone_takes_its_sites_out,
			zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_clusters_are_found_by_id_and_by_name,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_the_report_is_carried_along, zworld_setup,
	                                        zworld_teardown),
		cmocka_unit_test_setup_teardown(test_sites_say_what_they_have, zworld_setup,
	                                        zworld_teardown),
		cmocka_unit_test_setup_teardown(test_sites_of_the_same_types_say_so, zworld_setup,
	                                        zworld_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_site_is_found_where_its_cluster_stands_by_name, zworld_setup,
			zworld_teardown),
		cmocka_unit_test_setup_teardown(test_a_snapshot_prints_as_text, zworld_setup,
	                                        zworld_teardown),
	};

	return cmocka_run_group_tests_name("zones/snapshot", tests, NULL, NULL);
}
