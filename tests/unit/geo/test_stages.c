/* Each stage of rules by itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "geo/latency.h"
#include "geo/ranking.h"
#include "tests/support/geo_files.h"
#include "tests/support/geo_mmdb.h"

static const struct ranking_cluster four[] = {
	{.id = 4, .name = "ny", .has_place = true, .place = {40.71, -74.01}},
	{.id = 1, .name = "houston", .has_place = true, .place = {29.76, -95.37}},
	{.id = 2, .name = "la", .has_place = true, .place = {34.05, -118.24}},
	{.id = 7, .name = "frankfurt", .has_place = true, .place = {50.11, 8.68}},
};
enum { NY, HOUSTON, LA, FRANKFURT };

static struct geodb *g;
static struct ranking *r;

/* Boston, Berlin, and somewhere in the United States. */
static int setup(void **state)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);
	char *path;

	(void)state;
	geo_mmdb_put(m, "192.0.2.0/24",
	             "{\"location\":{\"latitude\":42.36,\"longitude\":-71.06},\"country\":\"US\","
	             "\"subdivisions\":[{\"iso_code\":\"MA\"}]}");
	geo_mmdb_put(m, "198.51.100.0/24",
	             "{\"location\":{\"latitude\":52.5,\"longitude\":13.4},\"country\":\"DE\"}");
	geo_mmdb_put(m, "203.0.113.0/24", "{\"country\":\"US\"}");
	path = geo_file_new(geo_mmdb_bytes(m));
	geo_mmdb_free(m);
	assert_int_equal(geodb_open((const char *const *)&path, 1, NULL, NULL, &g, NULL), ERR_OK);
	geo_file_remove(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ranking_free(r);
	r = NULL;
	geodb_free(g);
	return 0;
}

static void build(const struct rules *rules)
{
	ranking_free(r);
	r = ranking_build_by(four, 4, rules, g);
}

static const struct ranking_order *order_at(const char *address)
{
	struct addr a = {0};

	assert_true(addr_parse(bytes_of(address), &a));
	return ranking_find(r, &a).order;
}

/* The head of a client's order: "ny (houston la)". */
static void assert_order(const char *address, const char *expected)
{
	const struct ranking_order *order = order_at(address);
	char text[128] = "";

	for (const struct ranking_near *n = order->nearest; n->cluster != RANKING_NO_CLUSTER; n++) {
		struct ranking_near alone[] = {*n, RANKING_END};
		bool is_group = (n->cluster & RANKING_GROUP) != 0;

		strcat(text, *text != '\0' ? is_group ? " (" : " " : is_group ? "(" : "");
		for (const struct ranking_near *m = is_group ? ranking_members(r, n->cluster)
		                                             : alone;
		     m->cluster != RANKING_NO_CLUSTER; m++)
			for (size_t i = 0; i < 4; i++)
				if (four[i].id == m->cluster)
					strcat(strcat(text,
					              is_group && text[strlen(text) - 1] != '('
					                      ? " "
					                      : ""),
					       four[i].name);
		strcat(text, is_group ? ")" : "");
	}
	assert_string_equal(text, expected);
}

static void assert_detail(const char *address, size_t stage, size_t cluster, const char *expected)
{
	struct place boston = {42.36, -71.06};
	struct addr a = {0};
	struct ranking_asker who = {&a, &boston};
	char detail[64];

	assert_true(addr_parse(bytes_of(address), &a));
	ranking_stage_detail(r, order_at(address), stage, &who, four[cluster].id, detail,
	                     sizeof(detail));
	assert_string_equal(detail, expected);
}

static void test_without_stages_all_clusters_are_equal(void **state)
{
	struct rules rules = {.unknown_is_tie = true};
	struct addr a = {.family = ADDR_IPV4};

	(void)state;
	build(&rules);
	assert_order("192.0.2.1", "(frankfurt houston la ny)");
	assert_int_equal(ranking_find(r, &a).depth, 0);
}

static void test_a_required_fence_forbids_the_others_and_an_allowed_one_puts_them_last(void **state)
{
	static const uint16_t to[] = {FRANKFURT};
	struct bytes de = bytes_of("DE"), ma = bytes_of("us-ma");
	struct rules_fence fences[] = {
		{.countries = &de, .country_count = 1, .clusters = to, .cluster_count = 1},
		{.subdivisions = &ma, .subdivision_count = 1, .clusters = to, .cluster_count = 1},
	};
	struct rules rules = {.stages = {RULES_FENCE, RULES_NEAREST},
	                      .stage_count = 2,
	                      .fences = fences,
	                      .fence_count = 2};

	(void)state;
	fences[0].required = true;
	build(&rules);
	assert_order("198.51.100.1", "frankfurt");
	assert_order("192.0.2.1", "frankfurt ny houston la");
	assert_false(ranking_allows(r, order_at("198.51.100.1"), 4));
	assert_true(ranking_allows(r, order_at("192.0.2.1"), 4));
	/* One that came after the build is in no fence. */
	assert_false(ranking_allows(r, order_at("198.51.100.1"), 3000));
	assert_detail("198.51.100.1", 0, FRANKFURT, "rule 1, required");
	assert_detail("192.0.2.1", 0, FRANKFURT, "rule 2, allowed");
	assert_detail("192.0.2.1", 0, LA, "outside of rule 2, allowed");
	assert_detail("203.0.113.1", 0, LA, "");
}

static void test_a_country_is_too_coarse_for_distances_within_it(void **state)
{
	struct rules rules = {.stages = {RULES_NEAREST}, .stage_count = 1};

	(void)state;
	build(&rules);
	/* 1727 km in any direction from Kansas. */
	assert_order("203.0.113.1", "houston (la ny) frankfurt");
	assert_order("192.0.2.1", "ny houston la frankfurt");
}

static void test_bias_moves_clusters_nearer_or_farther(void **state)
{
	static const int32_t bias[] = {5000, 0, -200, 0};
	struct rules rules = {.stages = {RULES_NEAREST}, .stage_count = 1, .bias_km = bias};

	(void)state;
	build(&rules);
	assert_order("192.0.2.1", "houston la ny frankfurt");
	assert_detail("192.0.2.1", 0, LA, "4169 km - 200");
	assert_detail("192.0.2.1", 0, NY, "306 km + 5000");
	assert_detail("192.0.2.1", 0, HOUSTON, "2581 km");
}

static void test_clusters_of_the_nearest_region_come_first(void **state)
{
	static const uint16_t region[] = {5, 6, 7, 5};
	struct rules rules = {.stages = {RULES_NEAREST}, .stage_count = 1, .region = region};

	(void)state;
	build(&rules);
	assert_order("192.0.2.1", "ny frankfurt houston la");
	assert_order("198.51.100.1", "frankfurt ny houston la");
}

static void test_tiers_come_one_after_the_other(void **state)
{
	static const uint16_t tier[] = {1, 0, 0, RULES_NO_TIER};
	static const char *const unknown[] = {"ny", "la"};
	struct rules rules = {.stages = {RULES_TIER},
	                      .stage_count = 1,
	                      .tier = tier,
	                      .unknown_order = unknown,
	                      .unknown_count = 2};

	(void)state;
	build(&rules);
	assert_order("192.0.2.1", "(houston la) ny frankfurt");
	/* The tiers hold for those without a place too. */
	assert_order("10.0.0.1", "la houston ny frankfurt");
	assert_detail("10.0.0.1", 0, NY, "tier 2");
	assert_detail("10.0.0.1", 0, FRANKFURT, "no tier");
	assert_string_equal(ranking_stage_name(r, order_at("10.0.0.1"), 0), "failover");
	assert_string_equal(ranking_stage_name(r, order_at("10.0.0.1"), 1), "unknownClient");
}

static void test_milliseconds_come_before_distance(void **state)
{
	struct latency_row rows[] = {{.ms = 12.5, .name = 0}, {.ms = 40, .name = 10}};
	struct latency_table table = {.rows = rows,
	                              .count = 2,
	                              .names = {(uint8_t *)(uintptr_t) "frankfurt\0la", 13, 13}};
	struct rules rules = {.stages = {RULES_LATENCY}, .stage_count = 1, .latency = &table};
	struct reason why;

	(void)state;
	assert_int_equal(addr_network_parse(bytes_of("192.0.2.128/25"), &rows[0].network, &why),
	                 ERR_OK);
	rows[1].network = rows[0].network;
	build(&rules);
	assert_order("192.0.2.200", "frankfurt la ny houston");
	assert_order("192.0.2.1", "ny houston la frankfurt");
	assert_detail("192.0.2.200", 0, FRANKFURT, "12.5 ms");
	assert_detail("192.0.2.200", 0, NY, "");
	assert_detail("192.0.2.200", 1, NY, "306 km");
	assert_string_equal(ranking_stage_name(r, order_at("192.0.2.200"), 1), "distance");
}

/* More groups than have numbers: the heads of the last orders end early, which is always true of a head. */
static void test_more_groups_than_can_be_named_shorten_heads(void **state)
{
	enum { CLUSTERS = 18, NETWORKS = 40000 };
	static struct ranking_cluster clusters[CLUSTERS];
	static struct latency_row rows[NETWORKS * 2 * CLUSTERS];
	static char names[CLUSTERS][4];
	struct latency_table table = {.rows = rows,
	                              .names = {(uint8_t *)names, sizeof(names), sizeof(names)}};
	struct rules rules = {.stages = {RULES_LATENCY},
	                      .stage_count = 1,
	                      .latency = &table,
	                      .unknown_is_tie = true};
	size_t short_heads = 0;

	(void)state;
	for (uint16_t i = 0; i < CLUSTERS; i++) {
		snprintf(names[i], sizeof(names[i]), "c%02u", i);
		clusters[i] = (struct ranking_cluster){.id = i, .name = names[i]};
	}
	for (uint32_t n = 1; n <= NETWORKS; n++)
		for (uint32_t i = 0; i < CLUSTERS; i++)
			if (n >> i & 1)
				rows[table.count++] = (struct latency_row){
					.network = {{.family = ADDR_IPV4,
				                     .bytes = {(uint8_t)(n >> 8), (uint8_t)n}},
				                    16},
					.name = i * 4};
	r = ranking_build_by(clusters, CLUSTERS, &rules, NULL);
	for (uint32_t n = 1; n <= NETWORKS; n++) {
		struct addr a = rows[0].network.addr;
		const struct ranking_order *order;

		a.bytes[0] = (uint8_t)(n >> 8);
		a.bytes[1] = (uint8_t)n;
		order = ranking_find(r, &a).order;
		short_heads += order->nearest[0].cluster == RANKING_NO_CLUSTER;
		for (uint16_t i = 0; i < CLUSTERS; i++)
			if (n >> i & 1)
				assert_int_equal(ranking_compare(ranking_position(r, order, i),
				                                 ranking_position(r, order, 17)),
				                 -1);
	}
	assert_in_range(short_heads, 1000, NETWORKS - 10000);
}

#define SINGLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SINGLE(test_without_stages_all_clusters_are_equal),
		SINGLE(test_a_required_fence_forbids_the_others_and_an_allowed_one_puts_them_last),
		SINGLE(test_a_country_is_too_coarse_for_distances_within_it),
		SINGLE(test_bias_moves_clusters_nearer_or_farther),
		SINGLE(test_clusters_of_the_nearest_region_come_first),
		SINGLE(test_tiers_come_one_after_the_other),
		SINGLE(test_milliseconds_come_before_distance),
		SINGLE(test_more_groups_than_can_be_named_shorten_heads),
	};

	return cmocka_run_group_tests_name("geo/stages", tests, NULL, NULL);
}
