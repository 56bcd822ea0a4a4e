/* Shares of clients: weights, capacity, what is withheld. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "dnsd/choose_inside.h"
#include "tests/support/dnsd_world.h"

enum { BUCKETS = 100000, SITES = 4 };

static struct world *w;
static uint32_t weights[64];
static struct policy policy;
static unsigned scope; /* of all answers */

/* Four clusters in one place; everybody is there too. */
static int setup(void **state)
{
	(void)state;
	scope = 24;
	w = world_new();
	world_zones_are(w, "example.com");
	for (unsigned i = 0; i < SITES; i++)
		world_cluster(w, (char[]){'c', (char)('0' + i), '\0'}, 10, 10);
	world_networks(w, "0.0.0.0/0,10,10\n::/0,10,10\n");
	memset(weights, 0, sizeof weights);
	policy = (struct policy){.weight = weights, .cluster_count = 64};
	world_policy(w, 1, &policy);
	world_use_policy(w, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void put(const char *const lines[SITES])
{
	world_put_site_lines(w, "web.example.com", NULL, lines, SITES);
}

static const char *const plain[SITES] = {"c0: 30 A 192.0.2.0", "c1: 30 A 192.0.2.1",
                                         "c2: 30 A 192.0.2.2", "c3: 30 A 192.0.2.3"};

static void weigh(unsigned site, uint32_t weight)
{
	weights[world_cluster_id(w, (char[]){'c', (char)('0' + site), '\0'})] = weight;
}

/* The site of each bucket's clients; asked at the choice itself, which is what answers are made of. */
static void choose_all(const struct snapshot *s, uint8_t site[BUCKETS])
{
	static const uint8_t wire[] = "\3web\7example\3com";
	struct name name;
	const struct zone *zone;
	const struct node *node;

	assert_true(name_parse(&name, wire, sizeof wire) > 0);
	zone = snapshot_find_zone(s, &name);
	CHECK(zone != NULL);
	node = zone_find(zone, &name).node;
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct addr a = {
			.family = ADDR_IPV4,
			.bytes = {(uint8_t)(20 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i}};
		struct client client = {.has_scope = true};
		const struct rrset *more[CHOICE_UNION_MAX];
		struct choosing how = {s, node, &name, RR_A, &client, more, NULL};
		struct choice c;

		client.source = client.resolver = &a;
		choose(&how, &c);
		assert_non_null(c.rrset);
		assert_int_equal(c.scope, scope);
		site[i] = c.rrset->data[5];
	}
}

static void count(const uint8_t site[BUCKETS], unsigned share[SITES])
{
	memset(share, 0, SITES * sizeof *share);
	for (unsigned i = 0; i < BUCKETS; i++)
		share[site[i]]++;
}

/* Each within one point of a hundred of what it should be. */
static void assert_shares(const uint8_t site[BUCKETS], const double wanted[SITES])
{
	unsigned share[SITES];

	count(site, share);
	for (unsigned i = 0; i < SITES; i++) {
		double percent = share[i] * 100.0 / BUCKETS;

		if (fabs(percent - wanted[i]) > 1)
			fail_msg("site %u has %.2f %%, not %.2f %%", i, percent, wanted[i]);
	}
}

static uint8_t before[BUCKETS], after[BUCKETS];

static void test_waits_are_the_logarithm_of_the_library(void **state)
{
	const double steps = 1 << SHARE_STEP_BITS;
	uint64_t hash = 1;
	double all = 0;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		double u, wait, exact;

		hash = hash_mix(hash, i);
		/* Every third near 0, where it is decided whom a small share takes. */
		u = (double)(i % 3 == 0 ? hash >> i % 40 : hash) / 18446744073709551616.0;
		wait = (double)share_wait(i % 3 == 0 ? hash >> i % 40 : hash, 1) / 0x1p58;
		exact = -log1p(-u);
		if (u < 1 - 1 / steps && fabs(wait - exact) > exact * 2 / steps + 0x1p-30)
			fail_msg("%.17g: %.17g is not %.17g", u, wait, exact);
		all += (double)share_wait(hash, 1) / 0x1p58;
	}
	/* In the last step, which has no end, the mean is right. */
	assert_true(fabs(all / 1000000 - 1) < 0.01);
	assert_true(share_wait(UINT64_MAX, 1) < LOT_FOR_EVER);
	assert_true(share_wait(UINT64_MAX, UINT64_C(65535) * 1000000) > 0);
}

static void test_shares_are_as_the_weights(void **state)
{
	static const uint32_t cases[][SITES] = {
		{80, 20, 0, 0}, {1, 1, 1, 1}, {50, 30, 15, 5}, {1000000, 1, 0, 500000}};

	(void)state;
	put(plain);
	for (unsigned k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		double wanted[SITES], all = 0;

		for (unsigned i = 0; i < SITES; i++) {
			weigh(i, cases[k][i]);
			all += cases[k][i];
		}
		for (unsigned i = 0; i < SITES; i++)
			wanted[i] = cases[k][i] * 100.0 / all;
		choose_all(world_build(w), before);
		assert_shares(before, wanted);
	}
}

static void test_weight_0_has_no_client_and_only_zeros_are_equal(void **state)
{
	static const double equal[SITES] = {25, 25, 25, 25};
	unsigned share[SITES];

	(void)state;
	put(plain);
	weigh(0, 5);
	weigh(1, 5);
	choose_all(world_build(w), before);
	count(before, share);
	assert_int_equal(share[2] + share[3], 0);
	weigh(0, 0);
	weigh(1, 0);
	choose_all(world_build(w), before);
	assert_shares(before, equal);
}

static void test_a_ramp_moves_only_its_share(void **state)
{
	(void)state;
	put(plain);
	for (unsigned i = 0; i < SITES; i++)
		weigh(i, i == 3 ? 0 : 100);
	choose_all(world_build(w), before);
	/* c3 from nothing to a fifth. */
	weigh(3, 75);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		if (after[i] != before[i])
			assert_int_equal(after[i], 3);
	assert_shares(after, (const double[SITES]){80 / 3.0, 80 / 3.0, 80 / 3.0, 20});
	/* And further: nobody leaves it again. */
	memcpy(before, after, sizeof before);
	weigh(3, 150);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		if (after[i] != before[i])
			assert_int_equal(after[i], 3);
}

static void test_capacity_shares_by_what_is_ready(void **state)
{
	static const char *const lines[SITES] = {"c0=30: 30 A 192.0.2.0", "c1=10: 30 A 192.0.2.1",
	                                         "c2=10: 30 A 192.0.2.2", "c3: 30 A 192.0.2.3"};

	(void)state;
	policy = (struct policy){.is_capacity = true};
	put(lines);
	choose_all(world_build(w), before);
	/* Who serves and cannot count counts as one. */
	assert_shares(before,
	              (const double[SITES]){3000 / 51.0, 1000 / 51.0, 1000 / 51.0, 100 / 51.0});
	policy = (struct policy){.is_capacity = true, .weight = weights, .cluster_count = 64};
	for (unsigned i = 0; i < SITES; i++)
		weigh(i, i == 1 ? 3 : i == 2 ? 0 : 1);
	choose_all(world_build(w), before);
	assert_shares(before, (const double[SITES]){3000 / 61.0, 3000 / 61.0, 0, 100 / 61.0});
}

static void test_who_is_down_or_grows_moves_only_its_own(void **state)
{
	static const char *const dead[SITES] = {"c0!: 30 A 192.0.2.0", "c1: 30 A 192.0.2.1",
	                                        "c2: 30 A 192.0.2.2", "c3: 30 A 192.0.2.3"};
	static const char *const small[SITES] = {"c0=8: 30 A 192.0.2.0", "c1=8: 30 A 192.0.2.1",
	                                         "c2=8: 30 A 192.0.2.2", "c3=8: 30 A 192.0.2.3"};
	static const char *const grown[SITES] = {"c0=8: 30 A 192.0.2.0", "c1=8: 30 A 192.0.2.1",
	                                         "c2=16: 30 A 192.0.2.2", "c3=8: 30 A 192.0.2.3"};

	(void)state;
	for (unsigned i = 0; i < SITES; i++)
		weigh(i, 10 + 10 * i);
	put(plain);
	choose_all(world_build(w), before);
	put(dead);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		assert_true(after[i] != 0 && (before[i] == 0 || after[i] == before[i]));
	assert_shares(after, (const double[SITES]){0, 200 / 9.0, 300 / 9.0, 400 / 9.0});
	put(plain);
	choose_all(world_build(w), after);
	assert_memory_equal(after, before, sizeof before);

	policy = (struct policy){.is_capacity = true};
	put(small);
	choose_all(world_build(w), before);
	put(grown);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		assert_true(after[i] == before[i] || after[i] == 2);
	assert_shares(after, (const double[SITES]){20, 20, 40, 20});
}

static void test_what_is_withheld_goes_to_the_others_and_comes_back(void **state)
{
	unsigned share[SITES];

	(void)state;
	put(plain);
	for (unsigned i = 0; i < SITES; i++)
		weigh(i, 25);
	choose_all(world_build(w), before);
	world_withhold(w, "c0", SNAPSHOT_EVERYBODY * 80 / 100, 0);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		if (after[i] != before[i])
			assert_int_equal(before[i], 0);
	count(after, share);
	assert_in_range(share[0], BUCKETS * 4 / 100, BUCKETS * 6 / 100);
	/* More of it: whoever left stays away. */
	memcpy(before, after, sizeof before);
	world_withhold(w, "c0", SNAPSHOT_EVERYBODY * 90 / 100, 0);
	choose_all(world_build(w), after);
	for (unsigned i = 0; i < BUCKETS; i++)
		if (after[i] != before[i])
			assert_int_equal(before[i], 0);
	world_withhold(w, "c0", SNAPSHOT_EVERYBODY, 0);
	choose_all(world_build(w), after);
	count(after, share);
	assert_int_equal(share[0], 0);
}

static void test_what_is_withheld_still_serves_when_nothing_else_does(void **state)
{
	static const char *const one[SITES] = {"c0: 30 A 192.0.2.0", "c1!: 30 A 192.0.2.1",
	                                       "c2!: 30 A 192.0.2.2", "c3!: 30 A 192.0.2.3"};
	unsigned share[SITES];

	(void)state;
	put(one);
	weigh(0, 1);
	world_withhold(w, "c0", SNAPSHOT_EVERYBODY, 0);
	/* There is but one leaf, and no bucket decides. */
	scope = 0;
	choose_all(world_build(w), before);
	count(before, share);
	assert_int_equal(share[0], BUCKETS);
}

/* A lot is drawn by hand: for clusters of any names, a name and every 16th bucket of a stretch. */
static void draw_lots(const char *const cluster[SITES], const char *domain, uint64_t from,
                      unsigned share[SITES])
{
	struct name name;
	uint64_t hash[SITES];
	struct reason why;

	assert_int_equal(name_from_text(&name, bytes_of(domain), &why), ERR_OK);
	for (unsigned i = 0; i < SITES; i++)
		hash[i] = hash_fixed(bytes_of(cluster[i]));
	memset(share, 0, SITES * sizeof *share);
	for (unsigned b = 0; b < BUCKETS; b++) {
		uint64_t asker = lot_hash_asker(from + b * 16, name_lot(name.wire, name.len));
		unsigned best = 0;

		for (unsigned i = 1; i < SITES; i++)
			if (lot_hash(asker, hash[i]) < lot_hash(asker, hash[best]))
				best = i;
		share[best]++;
	}
}

static void test_no_names_of_clusters_or_domains_skew_shares(void **state)
{
	static const char *const clusters[][SITES] = {
		{"a", "b", "c", "d"},
		{"", "\1", "\2", "\3"},
		{"c0", "c1", "c2", "c3"},
		{"aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaac", "aaaaaaaaaaaaaaad"},
		{"eu-west-1", "eu-west-2", "eu-west-3", "eu-west-4"},
	};
	static const char *const domains[] = {"a", "b", "nighlots.example.com",
	                                      "\\000.\\000.\\000.\\000.\\000.\\000",
	                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com"};

	(void)state;
	for (unsigned k = 0; k < sizeof clusters / sizeof clusters[0]; k++)
		for (unsigned n = 0; n < sizeof domains / sizeof domains[0]; n++) {
			unsigned share[SITES];

			draw_lots(clusters[k], domains[n], UINT64_C(4) << 32 | n << 20, share);
			for (unsigned i = 0; i < SITES; i++)
				assert_in_range(share[i], BUCKETS * 24 / 100, BUCKETS * 26 / 100);
		}
}

static void test_the_choice_is_the_same_on_every_machine(void **state)
{
	uint64_t sum = 0;

	(void)state;
	put(plain);
	weigh(0, 40);
	weigh(1, 30);
	weigh(2, 20);
	weigh(3, 10);
	choose_all(world_build(w), before);
	for (unsigned i = 0; i < BUCKETS; i++)
		sum = hash_mix(sum, before[i]);
	/* Written down once: a replica of another build or machine must not differ. */
	assert_int_equal(sum, UINT64_C(0x672598564cf9044c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_are_the_logarithm_of_the_library),
		cmocka_unit_test_setup_teardown(test_shares_are_as_the_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_weight_0_has_no_client_and_only_zeros_are_equal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_ramp_moves_only_its_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_down_or_grows_moves_only_its_own, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_capacity_shares_by_what_is_ready, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_withheld_goes_to_the_others_and_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_withheld_still_serves_when_nothing_else_does, setup, teardown),
		cmocka_unit_test(test_no_names_of_clusters_or_domains_skew_shares),
		cmocka_unit_test_setup_teardown(test_the_choice_is_the_same_on_every_machine, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests_name("dnsd/choose_share", tests, NULL, NULL);
}
