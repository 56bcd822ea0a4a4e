/* Policies and what few sites have: tables beside the names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "records/endpoint.h"
#include "tests/support/zones_world.h"

enum { FINE = SITE_ENDPOINTS | SITE_LOAD_BALANCER, NO_PROBE = UINT32_MAX };

static const char *const weighted[] = {"weighted", NULL};

static struct policy policy_of(const struct ranking *ranking)
{
	return (struct policy){.name = "shop/web",
	                       .stages = weighted,
	                       .ranking = ranking,
	                       .bucket_ipv4 = 24,
	                       .bucket_ipv6 = 48};
}

static const struct zworld_site two[] = {{0, FINE, "30 A 192.0.2.1", NO_PROBE},
                                         {1, FINE, "30 A 192.0.2.2", NO_PROBE}};

static void test_a_name_has_the_policy_that_its_number_says(void **state)
{
	struct zones *z = *state;
	struct ranking *ranking = ranking_build(NULL, 0, NULL, 0, NULL);
	struct policy list[] = {{0}, {0}, policy_of(ranking)};
	const struct snapshot *s;

	zones_set_policies(z, list, 3);
	zworld_put_by_policy(z, "web.example.com", 2, two, NULL, 2);
	zworld_put_by_policy(z, "gone.example.com", 1, two, NULL, 2);
	zworld_put_by_policy(z, "later.example.com", 70000, two, NULL, 2);
	zworld_put_sites(z, "plain.example.com", two, 2, NULL, true);
	zworld_put(z, "fixed.example.com", "30 A 192.0.2.9", NULL);
	s = zones_build(z, 1);
	assert_int_equal(node_policy(zworld_node(s, "web.example.com")), 2);
	assert_string_equal(snapshot_node_policy(s, zworld_node(s, "web.example.com"))->name,
	                    "shop/web");
	assert_ptr_equal(snapshot_node_policy(s, zworld_node(s, "web.example.com"))->ranking,
	                 ranking);
	assert_int_equal(node_policy(zworld_node(s, "later.example.com")), 70000);
	/* What is not there, and what has none, is as `defaults` say. */
	assert_ptr_equal(snapshot_node_policy(s, zworld_node(s, "later.example.com")),
	                 &snapshot_head(s)->preset);
	assert_ptr_equal(snapshot_node_policy(s, zworld_node(s, "gone.example.com")),
	                 &snapshot_head(s)->preset);
	assert_int_equal(node_policy(zworld_node(s, "plain.example.com")), 0);
	assert_int_equal(node_policy(zworld_node(s, "fixed.example.com")), 0);
	assert_false(snapshot_head(s)->preset.all);
	assert_ptr_equal(snapshot_head(s)->preset.ranking, snapshot_ranking(s));
	ranking_free(ranking);
}

static void test_a_policy_that_changes_touches_no_name(void **state)
{
	struct zones *z = *state;
	struct ranking *ranking = ranking_build(NULL, 0, NULL, 0, NULL);
	struct policy list[] = {{0}, policy_of(ranking)};
	uint32_t weights[] = {1, 2};
	const struct snapshot *s, *before;
	const struct node *n;
	uint32_t serial;

	zones_set_policies(z, list, 2);
	zworld_put_by_policy(z, "web.example.com", 1, two, NULL, 2);
	before = zones_build(z, 1);
	n = zworld_node(before, "web.example.com");
	serial = zone_serial(snapshot_zone(before, 0));
	/* The same again is nothing new. */
	zones_set_policies(z, list, 2);
	assert_ptr_equal(zones_build(z, 2), before);
	list[1].weight = weights;
	list[1].cluster_count = 2;
	zones_set_policies(z, list, 2);
	weights[0] = 5;
	s = zones_build(z, 3);
	assert_ptr_not_equal(s, before);
	assert_ptr_equal(zworld_node(s, "web.example.com"), n);
	assert_int_equal(zone_serial(snapshot_zone(s, 0)), serial);
	/* It was copied. */
	assert_int_equal(snapshot_node_policy(s, n)->weight[0], 1);
	zones_set_policies(z, list, 2);
	s = zones_build(z, 4);
	assert_int_equal(snapshot_node_policy(s, n)->weight[0], 5);
	ranking_free(ranking);
}

static void test_a_cluster_that_is_expired_for_one_policy_serves_the_names_of_others(void **state)
{
	struct zones *z = *state;
	struct ranking *ranking = ranking_build(NULL, 0, NULL, 0, NULL);
	bool expired[] = {true, false};
	struct policy list[] = {{0}, policy_of(ranking)};
	const struct snapshot *s;
	const struct node *n;
	bool troubled;

	list[1].expired = expired;
	list[1].cluster_count = 2;
	zones_set_policies(z, list, 2);
	zworld_put_by_policy(z, "web.example.com", 1, two, NULL, 2);
	zworld_put_sites(z, "plain.example.com", two, 2, NULL, true);
	s = zones_build(z, 1);
	assert_false(snapshot_is_calm(s));
	n = zworld_node(s, "web.example.com");
	assert_false(
		snapshot_site_is_usable(s, snapshot_node_policy(s, n), node_site(n, 0), &troubled));
	assert_true(troubled);
	assert_true(snapshot_site_is_usable(s, snapshot_node_policy(s, n), node_site(n, 1), NULL));
	n = zworld_node(s, "plain.example.com");
	assert_true(snapshot_site_is_usable(s, snapshot_node_policy(s, n), node_site(n, 0), NULL));
	ranking_free(ranking);
}

static void test_what_few_sites_have_takes_place_only_there(void **state)
{
	struct zworld_site some[] = {{0, FINE, "30 A 192.0.2.1", 4},
	                             {1, FINE | SITE_FEW_READY, "30 A 192.0.2.2", 5}};
	struct zworld_more more[] = {{0, 0, 0, 0}, {3, 70, 2, 10}};
	struct zones *z = *state;
	bool waits[] = {true, false, false, true};
	uint16_t endpoints;
	const struct snapshot *s;
	const struct node *n;

	zworld_put_by_policy(z, "web.example.com", 0, some, more, 2);
	s = zones_build(z, 1);
	n = zworld_node(s, "web.example.com");
	assert_null(site_more(node_site(n, 0)));
	assert_int_equal(site_ready(node_site(n, 0), &endpoints) + endpoints, 0);
	assert_int_equal(site_layers(node_site(n, 1)), FINE | SITE_FEW_READY);
	assert_int_equal(site_hold(node_site(n, 1)), 3);
	assert_int_equal(site_capacity(node_site(n, 1)), 70);
	assert_int_equal(site_ready(node_site(n, 1), &endpoints), 2);
	assert_int_equal(endpoints, 10);
	assert_true(site_rrset(node_site(n, 1), RR_A) == site_first_rrset(node_site(n, 1)));
	assert_false(snapshot_site_waits(s, node_site(n, 1)));
	zones_set_waiting(z, waits, 4);
	s = zones_build(z, 2);
	assert_true(snapshot_head(s)->any_waiting);
	assert_true(snapshot_site_waits(s, node_site(n, 1)));
	/* Without a hold a site never waits. */
	assert_false(snapshot_site_waits(s, node_site(n, 0)));
}

static void test_a_shifted_cluster_is_told_from_a_calm_one(void **state)
{
	struct snapshot_cluster c = {.id = 1, .name = "la", .knowledge = "synced", .up = true};
	struct zones *z = *state;
	const struct snapshot *s;

	zones_set_clusters(z, &c, 1);
	assert_true(snapshot_head(zones_build(z, 1))->first_site_answers);
	c.withheld = 100;
	zones_set_clusters(z, &c, 1);
	s = zones_build(z, 2);
	assert_true(snapshot_head(s)->any_shifted);
	assert_false(snapshot_head(s)->first_site_answers);
	assert_true(snapshot_is_calm(s));
}

static void test_a_policy_has_room_for_each_cluster_of_its_ranking(void **state)
{
	static const struct ranking_cluster clusters[] = {{.id = 1, .name = "be"},
	                                                  {.id = 6, .name = "la"}};
	static const uint32_t weight[] = {0, 7};
	static const bool expired[] = {false, true};
	struct zones *z = *state;
	struct ranking *ranking = ranking_build(clusters, 2, NULL, 0, NULL);
	struct policy list[] = {{0}, policy_of(ranking)};
	const struct policy *kept;

	list[1].cluster_count = 2;
	list[1].weight = weight;
	list[1].expired = expired;
	zones_set_policies(z, list, 2);
	kept = snapshot_policy(zones_build(z, 1), 1);
	assert_int_equal(kept->cluster_count, 7);
	assert_int_equal(kept->weight[1], 7);
	assert_int_equal(kept->weight[6], 0);
	assert_true(kept->expired[1]);
	assert_false(kept->expired[6]);
	assert_null(kept->unknown_weight);
	ranking_free(ranking);
}

static void test_policies_print_by_name_and_each_name_with_its_own(void **state)
{
	struct zones *z = *state;
	struct ranking *ranking = ranking_build(NULL, 0, NULL, 0, NULL);
	uint32_t weights[] = {80, 0, 20};
	struct policy list[] = {{0}, policy_of(ranking), policy_of(ranking)};
	char *text;

	list[1].name = "shop/zoo";
	list[2].weight = weights;
	list[2].cluster_count = 3;
	list[2].ttl = 60;
	zones_set_policies(z, list, 3);
	zworld_put_by_policy(z, "web.example.com", 2, two, NULL, 2);
	zones_build(z, 1);
	text = zworld_print(zones_build(z, 1));
	assert_non_null(strstr(text, "policy shop/web stages=weighted buckets=24,48 minReady=0 "
	                             "maxAddresses=0 ttl=60 degradedTTL=0 weights=c0:80,c2:20,\n"
	                             "policy shop/zoo "));
	assert_non_null(
		strstr(text, " name web.example.com. sites fail-open policy=shop/web from "));
	free(text);
	ranking_free(ranking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_name_has_the_policy_that_its_number_says,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_a_policy_that_changes_touches_no_name,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_cluster_that_is_expired_for_one_policy_serves_the_names_of_others,
			zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_what_few_sites_have_takes_place_only_there,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(test_a_shifted_cluster_is_told_from_a_calm_one,
	                                        zworld_setup, zworld_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_policy_has_room_for_each_cluster_of_its_ranking, zworld_setup,
			zworld_teardown),
		cmocka_unit_test_setup_teardown(
			test_policies_print_by_name_and_each_name_with_its_own, zworld_setup,
			zworld_teardown),
	};

	return cmocka_run_group_tests_name("zones/tables", tests, NULL, NULL);
}
