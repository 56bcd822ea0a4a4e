/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/hash.h"
#include "base/text.h"
#include "geo/ranking.h"
#include "tests/support/geo_files.h"
#include "tests/support/geo_world.h"

enum { WORLDS = 150, PROBES = 120 };

/* --- brute force --- */

static void make_world(struct geo_world *w, uint64_t seed)
{
	geo_world_init(w, seed);
	w->r = ranking_build(w->clusters, w->cluster_count, w->unknown_order, 3, w->g);
}

/* --- brute force --- */

static int brute_compare(const struct geo_world *w, const struct place *client, size_t a, size_t b)
{
	size_t one = w->leader[a], other = w->leader[b];
	double there, here;

	if (one == other)
		return 0;
	if (!w->clusters[one].has_place || !w->clusters[other].has_place)
		return w->clusters[one].has_place ? -1 : 1;
	here = place_distance_km(client, &w->clusters[one].place);
	there = place_distance_km(client, &w->clusters[other].place);
	if (fabs(here - there) < 1e-6)
		fail_msg("the world is of no use: %.9f km twice", here);
	return here < there ? -1 : 1;
}

static size_t unknown_rank(const struct geo_world *w, size_t cluster)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(w->unknown_order[i], w->names[cluster]) == 0)
			return i;
	return 3;
}

static int brute_compare_unknown(const struct geo_world *w, size_t a, size_t b)
{
	size_t one = unknown_rank(w, a), other = unknown_rank(w, b);

	return one != other ? (one < other ? -1 : 1) : strcmp(w->names[a], w->names[b]);
}

static int sign(int v) { return (v > 0) - (v < 0); }

static int ranked_compare(const struct geo_world *w, const struct ranking_order *order, size_t a,
                          size_t b)
{
	return ranking_compare(ranking_position(w->r, order, w->clusters[a].id),
	                       ranking_position(w->r, order, w->clusters[b].id));
}

/* It says where the cluster stands by name, and the ranking its name's hash. */
static void assert_entry(const struct geo_world *w, struct ranking_near entry)
{
	const char *name = w->names[entry.cluster / 3u];
	size_t before = 0;

	for (size_t i = 0; i < w->cluster_count; i++)
		before += strcmp(w->names[i], name) < 0;
	assert_int_equal(entry.number, before);
	assert_true(ranking_name_hash(w->r, entry.cluster) == hash_fixed(bytes_of(name)));
}

/* The clusters of one place in `nearest`; returns how many. */
static size_t entry_clusters(const struct geo_world *w, struct ranking_near entry,
                             size_t at[GEO_WORLD_CLUSTERS])
{
	size_t count = 0;

	if ((entry.cluster & RANKING_GROUP) == 0) {
		at[0] = entry.cluster / 3u;
		assert_entry(w, entry);
		return 1;
	}
	for (const struct ranking_near *m = ranking_members(w->r, entry.cluster);
	     m->cluster != RANKING_NO_CLUSTER; m++) {
		at[count] = m->cluster / 3u;
		assert_entry(w, *m);
		assert_true(count == 0 || strcmp(w->names[at[count - 1]], w->names[at[count]]) < 0);
		count++;
	}
	assert_true(count > 1);
	return count;
}

/* Everybody who is not at the head of an order is farther away than those who are, place by place. */
static void assert_head(const struct geo_world *w, const struct ranking_order *order)
{
	const struct ranking_near *nearest = order->nearest;
	bool passed[GEO_WORLD_CLUSTERS] = {false};
	size_t count = 0;

	for (; nearest[count].cluster != RANKING_NO_CLUSTER; count++) {
		size_t at[GEO_WORLD_CLUSTERS], members = entry_clusters(w, nearest[count], at);

		assert_true(count < RANKING_NEAREST);
		for (size_t i = 0; i < members; i++) {
			assert_true(at[i] < w->cluster_count && !passed[at[i]]);
			passed[at[i]] = true;
			assert_int_equal(ranked_compare(w, order, at[0], at[i]), 0);
		}
		for (size_t i = 0; i < w->cluster_count; i++)
			if (!passed[i])
				assert_true(ranked_compare(w, order, at[0], i) < 0);
	}
	for (size_t i = 0; count == 0 && i < w->cluster_count; i++)
		assert_false(w->clusters[i].has_place);
}

static void assert_order_at(const struct geo_world *w, const struct addr *a)
{
	const struct ranking_order *order = ranking_find(w->r, a).order;
	const struct place *client = geo_world_place(w, a);

	for (size_t i = 0; i < w->cluster_count; i++)
		for (size_t k = 0; k < w->cluster_count; k++) {
			int expected = client != NULL ? brute_compare(w, client, i, k)
			                              : brute_compare_unknown(w, i, k);

			if (ranked_compare(w, order, i, k) != sign(expected))
				fail_msg("world %u: %s and %s stand the other way",
				         (unsigned)w->seed, w->names[i], w->names[k]);
		}
}

/* --- properties --- */

static void test_orders_are_those_of_brute_force(void **state)
{
	struct geo_world w;

	(void)state;
	for (uint64_t seed = 0; seed < WORLDS; seed++) {
		make_world(&w, seed);
		for (int i = 0; i < PROBES; i++) {
			struct addr a = geo_world_probe(&w);

			assert_order_at(&w, &a);
		}
		geo_world_fini(&w);
	}
}

static void test_the_head_of_an_order_is_nearer_than_the_rest(void **state)
{
	struct geo_world w;

	(void)state;
	for (uint64_t seed = 0; seed < WORLDS; seed++) {
		make_world(&w, seed);
		for (int i = 0; i < PROBES; i++) {
			struct addr a = geo_world_probe(&w);

			assert_head(&w, ranking_find(w.r, &a).order);
		}
		geo_world_fini(&w);
	}
}

static void test_every_address_inside_a_leaf_has_its_order(void **state)
{
	struct geo_world w;

	(void)state;
	for (uint64_t seed = 1000; seed < 1000 + WORLDS; seed++) {
		make_world(&w, seed);
		for (int i = 0; i < PROBES; i++) {
			struct addr a = geo_world_probe(&w);
			struct ranking_leaf leaf = ranking_find(w.r, &a);

			assert_true(leaf.depth <= addr_bits(&a));
			for (int k = 0; k < 8; k++) {
				struct addr inside = geo_world_inside(&w, &a, leaf.depth);
				struct ranking_leaf same = ranking_find(w.r, &inside);

				assert_ptr_equal(same.order, leaf.order);
				assert_int_equal(same.depth, leaf.depth);
				assert_order_at(&w, &inside);
			}
		}
		geo_world_fini(&w);
	}
}

/* Also that two orders which are alike are one. */
static bool are_alike(const struct geo_world *w, const struct ranking_order *one,
                      const struct ranking_order *other)
{
	for (size_t i = 0; i < w->cluster_count; i++)
		for (size_t k = 0; k < w->cluster_count; k++)
			if (ranked_compare(w, one, i, k) != ranked_compare(w, other, i, k))
				return false;
	return true;
}

static void test_leaves_are_as_short_as_they_can_be(void **state)
{
	struct geo_world w;

	(void)state;
	for (uint64_t seed = 2000; seed < 2000 + WORLDS; seed++) {
		make_world(&w, seed);
		for (int i = 0; i < PROBES; i++) {
			struct addr a = geo_world_probe(&w), beside;
			struct ranking_leaf leaf = ranking_find(w.r, &a), other;

			if (leaf.depth == 0)
				continue;
			beside = addr_masked(&a, leaf.depth);
			beside.bytes[(leaf.depth - 1) / 8] ^=
				(uint8_t)(0x80 >> (leaf.depth - 1) % 8);
			other = ranking_find(w.r, &beside);
			assert_true(other.depth >= leaf.depth);
			if (other.depth == leaf.depth)
				assert_false(are_alike(&w, leaf.order, other.order));
		}
		geo_world_fini(&w);
	}
}

/* --- single things --- */

static struct ranking *ranking_of(const struct ranking_cluster *clusters, size_t count,
                                  const char *csv)
{
	char *path = geo_file_new(bytes_of(csv));
	struct geodb *g = NULL;
	struct ranking *r;

	assert_int_equal(geodb_open(NULL, 0, path, NULL, &g, NULL), ERR_OK);
	r = ranking_build(clusters, count, NULL, 0, g);
	geodb_free(g);
	geo_file_remove(path);
	return r;
}

static struct ranking_leaf leaf_of(const struct ranking *r, const char *address)
{
	struct addr a = {0};

	assert_true(addr_parse(bytes_of(address), &a));
	return ranking_find(r, &a);
}

static const struct ranking_cluster three[] = {
	{.id = 4, .name = "ny", .has_place = true, .place = {40.71, -74.01}},
	{.id = 1, .name = "houston", .has_place = true, .place = {29.76, -95.37}},
	{.id = 2, .name = "la", .has_place = true, .place = {34.05, -118.24}},
};

static uint16_t nearest(const struct ranking *r, const char *address)
{
	const struct ranking_order *order = leaf_of(r, address).order;
	size_t best = 0;

	for (size_t i = 1; i < 3; i++)
		if (ranking_compare(ranking_position(r, order, three[i].id),
		                    ranking_position(r, order, three[best].id)) < 0)
			best = i;
	return three[best].id;
}

static void test_each_city_gets_its_nearest_cluster(void **state)
{
	struct ranking *r = ranking_of(three, 3,
	                               "192.0.2.0/24,42.36,-71.06,Boston\n"
	                               "198.51.100.0/24,30.27,-97.74,Austin\n"
	                               "203.0.113.0/24,37.77,-122.42,San Francisco\n");

	(void)state;
	assert_int_equal(nearest(r, "192.0.2.1"), 4);
	assert_int_equal(nearest(r, "198.51.100.1"), 1);
	assert_int_equal(nearest(r, "203.0.113.1"), 2);
	/* By name. */
	assert_int_equal(nearest(r, "10.0.0.1"), 1);
	assert_int_equal(nearest(r, "2001:db8::1"), 1);
	/* What holds no IPv4-mapped address. */
	assert_int_equal(leaf_of(r, "2001:db8::1").depth, 3);
	assert_true(ranking_memory(r) > 1000);
	ranking_free(r);
}

static void test_short_leaves_tell_their_length(void **state)
{
	struct ranking *r = ranking_of(three, 3,
	                               "0.0.0.0/1,42.36,-71.06\n192.0.0.0/2,37.77,-122.42\n"
	                               "8000::/3,42.36,-71.06\n8000::/20,37.77,-122.42\n");

	(void)state;
	assert_int_equal(leaf_of(r, "1.2.3.4").depth, 1);
	assert_int_equal(leaf_of(r, "128.2.3.4").depth, 2);
	assert_int_equal(leaf_of(r, "255.2.3.4").depth, 2);
	assert_int_equal(leaf_of(r, "::1").depth, 81);
	assert_int_equal(leaf_of(r, "4000::").depth, 2);
	assert_int_equal(leaf_of(r, "8000::1").depth, 20);
	assert_int_equal(leaf_of(r, "8000:1000::1").depth, 20);
	assert_int_equal(leaf_of(r, "8000:2000::1").depth, 19);
	assert_int_equal(leaf_of(r, "9000::1").depth, 4);
	ranking_free(r);
}

static void test_mapped_addresses_have_the_order_of_their_ipv4_address(void **state)
{
	struct ranking *r = ranking_of(three, 3,
	                               "192.0.2.0/24,42.36,-71.06\n"
	                               "::ffff:203.0.113.128/121,42.36,-71.06\n"
	                               "::/32,37.77,-122.42\n");

	(void)state;
	assert_int_equal(nearest(r, "::ffff:192.0.2.1"), 4);
	assert_int_equal(leaf_of(r, "::ffff:192.0.2.1").depth, 96 + 24);
	assert_int_equal(nearest(r, "::ffff:203.0.113.200"), 4);
	assert_int_equal(leaf_of(r, "::ffff:203.0.113.200").depth, 96 + 25);
	/* ::/32 lies around them, and has no say inside. */
	assert_int_equal(nearest(r, "::ffff:10.0.0.1"), 1);
	assert_int_equal(leaf_of(r, "::ffff:10.0.0.1").depth, 96 + 1);
	assert_int_equal(nearest(r, "::fffe:192.0.2.1"), 2);
	assert_int_equal(leaf_of(r, "::fffe:192.0.2.1").depth, 96);
	assert_int_equal(nearest(r, "::192.0.2.1"), 2);
	ranking_free(r);
}

static void test_single_addresses_have_leaves_of_full_length(void **state)
{
	struct ranking *r =
		ranking_of(three, 3, "192.0.2.1,42.36,-71.06\n2001:db8::1,42.36,-71.06\n");

	(void)state;
	assert_int_equal(leaf_of(r, "192.0.2.1").depth, 32);
	assert_int_equal(leaf_of(r, "192.0.2.0").depth, 32);
	assert_int_equal(leaf_of(r, "192.0.2.2").depth, 31);
	assert_int_equal(leaf_of(r, "2001:db8::1").depth, 128);
	assert_int_equal(leaf_of(r, "2001:db8::").depth, 128);
	assert_int_equal(leaf_of(r, "2001:db8::2").depth, 127);
	assert_int_equal(nearest(r, "2001:db8::1"), 4);
	assert_int_equal(nearest(r, "2001:db8::"), 1);
	ranking_free(r);
}

static void test_networks_with_equal_orders_are_merged(void **state)
{
	/* All of it is nearest to New York, then Houston, then Los Angeles. */
	struct ranking *r =
		ranking_of(three, 3, "192.0.2.0/25,42.36,-71.06\n192.0.2.128/25,39.95,-75.17\n");

	(void)state;
	assert_int_equal(leaf_of(r, "192.0.2.1").depth, 24);
	ranking_free(r);
}

static void test_a_known_order_that_is_like_the_unknown_one_is_merged_with_it(void **state)
{
	/* By name: houston, la, ny; from Mexico's west coast the same. */
	struct ranking *r = ranking_of(three, 3, "192.0.2.0/24,23.2,-106.4\n");
	struct addr none = {0};

	(void)state;
	assert_int_equal(leaf_of(r, "192.0.2.1").depth, 0);
	assert_ptr_equal(ranking_find(r, &none).order, leaf_of(r, "192.0.2.1").order);
	ranking_free(r);
}

static void test_a_tie_of_place_is_not_merged_with_an_order_by_name(void **state)
{
	const struct ranking_cluster twins[] = {
		{.id = 0, .name = "a", .has_place = true, .place = {10, 10}},
		{.id = 1, .name = "b", .has_place = true, .place = {10.005, 10}},
	};
	struct ranking *r = ranking_of(twins, 2, "192.0.2.0/24,0,0\n");
	const struct ranking_order *known = leaf_of(r, "192.0.2.1").order,
				   *unknown = leaf_of(r, "10.0.0.1").order;

	(void)state;
	assert_int_equal(leaf_of(r, "192.0.2.1").depth, 24);
	assert_int_equal(
		ranking_compare(ranking_position(r, known, 0), ranking_position(r, known, 1)), 0);
	assert_int_equal(
		ranking_compare(ranking_position(r, unknown, 0), ranking_position(r, unknown, 1)),
		-1);
	ranking_free(r);
}

static void test_equal_distances_are_ordered_by_name(void **state)
{
	const struct ranking_cluster mirrored[] = {
		{.id = 9, .name = "north", .has_place = true, .place = {20, 0}},
		{.id = 8, .name = "also", .has_place = true, .place = {-20, 0}},
	};
	struct ranking *r = ranking_of(mirrored, 2, "192.0.2.0/24,0,30\n198.51.100.0/24,5,30\n");
	const struct ranking_order *order = leaf_of(r, "192.0.2.1").order;

	(void)state;
	assert_int_equal(
		ranking_compare(ranking_position(r, order, 9), ranking_position(r, order, 8)), 1);
	/* So it is the order by name, and not that of a client in the north. */
	assert_ptr_equal(order, leaf_of(r, "10.0.0.1").order);
	assert_ptr_not_equal(order, leaf_of(r, "198.51.100.1").order);
	ranking_free(r);
}

static void test_clusters_that_came_later_are_last(void **state)
{
	struct ranking *r = ranking_of(three, 3, "192.0.2.0/24,42.36,-71.06\n");
	const struct ranking_order *orders[2] = {leaf_of(r, "192.0.2.1").order,
	                                         leaf_of(r, "10.0.0.1").order};
	static const uint16_t ids[] = {0, 3, 5, 4095, 65535};

	(void)state;
	for (size_t o = 0; o < 2; o++)
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(ranking_compare(ranking_position(r, orders[o], ids[i]),
			                                 ranking_position(r, orders[o], 2)),
			                 1);
	ranking_free(r);
}

static void test_distances_are_told_for_clusters_with_a_place(void **state)
{
	struct ranking_cluster clusters[4] = {
		three[0], three[1], three[2], {.id = 7, .name = "lost"}};
	struct ranking *r = ranking_of(clusters, 4, "");
	struct place boston = {42.36, -71.06};

	(void)state;
	assert_true(fabs(ranking_distance_km(r, &boston, 4) - 306) < 1);
	assert_true(ranking_distance_km(r, &boston, 7) < 0);
	assert_true(ranking_distance_km(r, &boston, 3) < 0);
	assert_true(ranking_distance_km(r, &boston, 9999) < 0);
	ranking_free(r);
}

static void test_a_world_without_clusters_or_geodb_has_one_leaf(void **state)
{
	struct ranking *r = ranking_build(NULL, 0, NULL, 0, NULL);

	(void)state;
	assert_int_equal(leaf_of(r, "192.0.2.1").depth, 0);
	assert_int_equal(leaf_of(r, "2001:db8::1").depth, 0);
	assert_non_null(leaf_of(r, "2001:db8::1").order);
	assert_true(ranking_memory(r) < 4096);
	ranking_free(r);
	ranking_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_city_gets_its_nearest_cluster),
		cmocka_unit_test(test_orders_are_those_of_brute_force),
		cmocka_unit_test(test_the_head_of_an_order_is_nearer_than_the_rest),
		cmocka_unit_test(test_every_address_inside_a_leaf_has_its_order),
		cmocka_unit_test(test_leaves_are_as_short_as_they_can_be),
		cmocka_unit_test(test_short_leaves_tell_their_length),
		cmocka_unit_test(test_mapped_addresses_have_the_order_of_their_ipv4_address),
		cmocka_unit_test(test_single_addresses_have_leaves_of_full_length),
		cmocka_unit_test(test_networks_with_equal_orders_are_merged),
		cmocka_unit_test(test_a_known_order_that_is_like_the_unknown_one_is_merged_with_it),
		cmocka_unit_test(test_a_tie_of_place_is_not_merged_with_an_order_by_name),
		cmocka_unit_test(test_equal_distances_are_ordered_by_name),
		cmocka_unit_test(test_clusters_that_came_later_are_last),
		cmocka_unit_test(test_distances_are_told_for_clusters_with_a_place),
		cmocka_unit_test(test_a_world_without_clusters_or_geodb_has_one_leaf),
	};

	return cmocka_run_group_tests_name("geo/ranking", tests, NULL, NULL);
}
