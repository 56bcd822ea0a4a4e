/* Rankings by random rules against brute force. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "geo/area.h"
#include "geo/latency.h"
#include "geo/ranking.h"
#include "tests/support/geo_world.h"

enum { WORLDS = 150, PROBES = 12, FENCES = 3, ROWS = 24 };

/* Random rules for a random world. */
struct ruled {
	struct geo_world w;
	struct rules rules;
	struct rules_fence fences[FENCES];
	struct bytes texts[FENCES][3];
	struct addr_network networks[FENCES];
	uint16_t fenced[FENCES][GEO_WORLD_CLUSTERS];
	uint16_t tier[GEO_WORLD_CLUSTERS], region[GEO_WORLD_CLUSTERS];
	int32_t bias[GEO_WORLD_CLUSTERS];
	struct latency_row rows[ROWS];
	struct latency_table latency;
};

static uint64_t draw(struct ruled *t, uint64_t below) { return geo_world_draw(&t->w, below); }

/* In the form that files have it in: unmapped. */
static struct addr_network draw_network(struct ruled *t)
{
	struct addr a = geo_world_probe(&t->w);
	struct addr_network n;

	a = addr_unmapped(&a);
	n = (struct addr_network){a, (uint8_t)draw(t, addr_bits(&a) + 1u)};
	n.addr = addr_masked(&a, n.len);
	return n;
}

static void draw_fence(struct ruled *t, size_t i)
{
	static const char *const continents[] = {"EU", "NA"}, *const countries[] = {"DE", "US"};
	struct rules_fence *f = &t->fences[i];

	*f = (struct rules_fence){.clusters = t->fenced[i], .required = draw(t, 2) == 0};
	t->texts[i][0] = bytes_of(continents[draw(t, 2)]);
	t->texts[i][1] = bytes_of(countries[draw(t, 2)]);
	t->texts[i][2] = bytes_of("US-CA");
	t->networks[i] = draw_network(t);
	f->continents = &t->texts[i][0];
	f->continent_count = draw(t, 4) == 0;
	f->countries = &t->texts[i][1];
	f->country_count = draw(t, 3) == 0;
	f->subdivisions = &t->texts[i][2];
	f->subdivision_count = draw(t, 3) == 0;
	f->networks = &t->networks[i];
	f->network_count = draw(t, 2);
	for (size_t k = 0; k < t->w.cluster_count; k++)
		if (draw(t, 3) == 0)
			t->fenced[i][f->cluster_count++] = (uint16_t)k;
}

static int by_network(const void *one, const void *other)
{
	const struct latency_row *a = one, *b = other;

	return addr_network_compare(&a->network, &b->network);
}

static void draw_latency(struct ruled *t)
{
	size_t count = draw(t, ROWS);
	struct addr_network network = {0};

	t->latency.rows = t->rows;
	for (size_t i = 0; i < count; i++) {
		size_t cluster = i % t->w.cluster_count;
		struct latency_row *row = &t->rows[i];

		if (cluster == 0)
			network = draw_network(t);
		*row = (struct latency_row){.network = network, .ms = (double)draw(t, 3) * 10};
		row->name = (uint32_t)t->latency.names.len;
		buffer_put(&t->latency.names, t->w.names[cluster], strlen(t->w.names[cluster]) + 1);
		/* Of a cluster that nobody knows. */
		if (draw(t, 3) == 0)
			t->latency.names.data[row->name] = '?';
	}
	t->latency.count = count;
	qsort(t->rows, count, sizeof(t->rows[0]), by_network);
}

static void draw_rules(struct ruled *t)
{
	static const enum rules_stage all[] = {RULES_FENCE, RULES_TIER, RULES_LATENCY,
	                                       RULES_NEAREST};
	size_t first = draw(t, 4), step = draw(t, 2) == 0 ? 1 : 3;

	for (size_t i = 0; i < 4; i++)
		if (draw(t, 4) != 0)
			t->rules.stages[t->rules.stage_count++] = all[(first + i * step) % 4];
	for (size_t i = 0; i < t->w.cluster_count; i++) {
		t->tier[i] = draw(t, 5) == 0 ? RULES_NO_TIER : (uint16_t)draw(t, 3);
		t->region[i] = (uint16_t)draw(t, 4);
		t->bias[i] = (int32_t)draw(t, 5) * 1000 - 2000;
	}
	t->rules.tier = t->tier;
	t->rules.fences = t->fences;
	t->rules.fence_count = draw(t, FENCES + 1);
	for (size_t i = 0; i < t->rules.fence_count; i++)
		draw_fence(t, i);
	t->rules.bias_km = draw(t, 2) == 0 ? t->bias : NULL;
	t->rules.region = draw(t, 2) == 0 ? t->region : NULL;
	draw_latency(t);
	t->rules.latency = draw(t, 4) == 0 ? NULL : &t->latency;
	t->rules.unknown_order = t->w.unknown_order;
	t->rules.unknown_count = 3;
	t->rules.unknown_is_tie = draw(t, 2) == 0;
	t->rules.unknown_is_apart = draw(t, 2) == 0;
}

static void ruled_init(struct ruled *t, uint64_t seed)
{
	*t = (struct ruled){.rules = {.stage_count = 0}};
	geo_world_init(&t->w, seed);
	draw_rules(t);
	t->w.r = ranking_build_by(t->w.clusters, t->w.cluster_count, &t->rules, t->w.g);
}

static void ruled_fini(struct ruled *t)
{
	geo_world_fini(&t->w);
	buffer_fini(&t->latency.names);
}

/* --- brute force --- */

static bool has_stage(const struct ruled *t, enum rules_stage stage)
{
	for (size_t i = 0; i < t->rules.stage_count; i++)
		if (t->rules.stages[i] == stage)
			return true;
	return false;
}

static bool is_text(const struct bytes *list, size_t count, const char *text)
{
	return count > 0 && bytes_equal_text(list[0], text);
}

static const struct rules_fence *fence_at(const struct ruled *t, const struct addr *client)
{
	int network = geo_world_network(&t->w, client);
	struct addr a = addr_unmapped(client);
	struct area area = {0};

	if (network >= 0)
		(void)area_of_label(bytes_of(t->w.labels[network]), &area);
	for (size_t i = 0; has_stage(t, RULES_FENCE) && i < t->rules.fence_count; i++) {
		const struct rules_fence *f = &t->fences[i];

		if (is_text(f->continents, f->continent_count, area.continent) ||
		    is_text(f->countries, f->country_count, area.country) ||
		    is_text(f->subdivisions, f->subdivision_count, area.subdivision) ||
		    (f->network_count > 0 && addr_network_has(&f->networks[0], &a)))
			return f;
	}
	return NULL;
}

static bool is_in(const struct rules_fence *f, size_t cluster)
{
	for (size_t i = 0; f != NULL && i < f->cluster_count; i++)
		if (f->clusters[i] == cluster)
			return true;
	return f == NULL;
}

static bool is_allowed(const struct ruled *t, const struct addr *client, size_t cluster)
{
	const struct rules_fence *f = fence_at(t, client);

	return f == NULL || !f->required || is_in(f, cluster);
}

static bool is_registered(const struct ruled *t, const struct latency_row *row)
{
	return latency_cluster(&t->latency, row)[0] != '?';
}

/* Of the longest network with rows; negative: it has none. */
static double ms_at(const struct ruled *t, const struct addr *client, size_t cluster)
{
	struct addr a = addr_unmapped(client);
	double ms = -1;
	int len = -1;

	for (size_t i = 0; t->rules.latency != NULL && i < t->latency.count; i++) {
		const struct latency_row *row = &t->rows[i];

		if (!is_registered(t, row) || row->network.len < len ||
		    !addr_network_has(&row->network, &a))
			continue;
		if (row->network.len > len)
			ms = -1;
		len = row->network.len;
		if (strcmp(latency_cluster(&t->latency, row), t->w.names[cluster]) == 0)
			ms = row->ms;
	}
	return ms;
}

static double km_at(const struct ruled *t, const struct place *client, size_t cluster, bool biased)
{
	const struct ranking_cluster *c = &t->w.clusters[t->w.leader[cluster]];

	if (!c->has_place)
		return INFINITY;
	return place_distance_km(client, &c->place) +
	       (biased && t->rules.bias_km != NULL ? t->bias[cluster] : 0);
}

static int compare_km(double a, double b)
{
	if (a == b)
		return 0;
	if (fabs(a - b) < 0.001)
		fail_msg("the world is of no use: %.9f km twice", a);
	return a < b ? -1 : 1;
}

static bool is_at_home(const struct ruled *t, const struct place *client, size_t cluster)
{
	double least = INFINITY;

	for (size_t i = 0; i < t->w.cluster_count; i++)
		least = fmin(least, km_at(t, client, i, true));
	for (size_t i = 0; i < t->w.cluster_count && least < INFINITY; i++)
		if (km_at(t, client, i, true) == least && t->region[i] == t->region[cluster])
			return true;
	return false;
}

static int compare_nearest(const struct ruled *t, const struct place *client, size_t a, size_t b)
{
	if (t->rules.region != NULL && is_at_home(t, client, a) != is_at_home(t, client, b))
		return is_at_home(t, client, a) ? -1 : 1;
	return compare_km(km_at(t, client, a, true), km_at(t, client, b, true));
}

static size_t unknown_rank(const struct ruled *t, size_t cluster)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(t->w.unknown_order[i], t->w.names[cluster]) == 0)
			return i;
	return 3;
}

static int compare_unknown(const struct ruled *t, size_t a, size_t b)
{
	size_t one = unknown_rank(t, a), other = unknown_rank(t, b);

	if (t->rules.unknown_is_tie)
		return 0;
	return one != other ? (one < other ? -1 : 1) : strcmp(t->w.names[a], t->w.names[b]);
}

static int compare_stage(const struct ruled *t, const struct addr *client, enum rules_stage stage,
                         size_t a, size_t b)
{
	const struct rules_fence *f = fence_at(t, client);
	const struct place *place = geo_world_place(&t->w, client);
	double one = ms_at(t, client, a), other = ms_at(t, client, b);

	switch (stage) {
	case RULES_FENCE:
		return is_in(f, b) - is_in(f, a);
	case RULES_TIER:
		return (t->tier[a] > t->tier[b]) - (t->tier[a] < t->tier[b]);
	case RULES_LATENCY:
		one = one < 0 ? INFINITY : one;
		other = other < 0 ? INFINITY : other;
		return (one > other) - (one < other);
	case RULES_NEAREST:
		return place != NULL ? compare_nearest(t, place, a, b) : 0;
	}
	return 0;
}

static int compare_last(const struct ruled *t, const struct addr *client, size_t a, size_t b)
{
	const struct place *place = geo_world_place(&t->w, client);
	size_t count = t->rules.stage_count;

	if (place == NULL)
		return compare_unknown(t, a, b);
	if (count == 0 || t->rules.stages[count - 1] != RULES_LATENCY ||
	    has_stage(t, RULES_NEAREST) || ms_at(t, client, a) >= 0)
		return 0;
	return compare_km(km_at(t, place, a, false), km_at(t, place, b, false));
}

static int brute_compare(const struct ruled *t, const struct addr *client, size_t a, size_t b)
{
	int order = is_allowed(t, client, b) - is_allowed(t, client, a);

	if (order != 0 || !is_allowed(t, client, a))
		return order;
	for (size_t i = 0; order == 0 && i < t->rules.stage_count; i++)
		order = compare_stage(t, client, t->rules.stages[i], a, b);
	return order != 0 ? order : compare_last(t, client, a, b);
}

static int sign(int v) { return (v > 0) - (v < 0); }

static int ranked_compare(const struct ruled *t, const struct ranking_order *order, size_t a,
                          size_t b)
{
	return ranking_compare(ranking_position(t->w.r, order, t->w.clusters[a].id),
	                       ranking_position(t->w.r, order, t->w.clusters[b].id));
}

/* --- what must hold --- */

static void assert_order_at(const struct ruled *t, const struct addr *a)
{
	const struct ranking_order *order = ranking_find(t->w.r, a).order;

	for (size_t i = 0; i < t->w.cluster_count; i++) {
		assert_int_equal(ranking_allows(t->w.r, order, t->w.clusters[i].id),
		                 is_allowed(t, a, i));
		for (size_t k = 0; k < t->w.cluster_count; k++)
			if (ranked_compare(t, order, i, k) != sign(brute_compare(t, a, i, k)))
				fail_msg("world %u: %s and %s stand the other way",
				         (unsigned)t->w.seed, t->w.names[i], t->w.names[k]);
	}
	assert_int_equal(order->is_unplaced,
	                 t->rules.unknown_is_apart && geo_world_place(&t->w, a) == NULL);
}

/* The first stage that tells two clusters apart decides. */
static void assert_stages_at(const struct ruled *t, const struct addr *a)
{
	const struct ranking_order *order = ranking_find(t->w.r, a).order;

	for (size_t i = 0; i < t->w.cluster_count; i++)
		for (size_t k = 0; k < t->w.cluster_count; k++) {
			uint16_t one = t->w.clusters[i].id, other = t->w.clusters[k].id;
			int first = 0;

			if (!ranking_allows(t->w.r, order, one) ||
			    !ranking_allows(t->w.r, order, other))
				continue;
			for (size_t s = 0; first == 0 && s < ranking_stage_count(t->w.r); s++)
				first = ranking_compare_at(t->w.r, order, s, one, other);
			assert_int_equal(first, ranked_compare(t, order, i, k));
		}
}

static size_t entry_clusters(const struct ruled *t, struct ranking_near entry,
                             size_t at[GEO_WORLD_CLUSTERS])
{
	size_t count = 0;

	if ((entry.cluster & RANKING_GROUP) == 0) {
		at[0] = entry.cluster / 3u;
		return 1;
	}
	for (const struct ranking_near *m = ranking_members(t->w.r, entry.cluster);
	     m->cluster != RANKING_NO_CLUSTER; m++) {
		at[count] = m->cluster / 3u;
		if (count > 0)
			assert_true(strcmp(t->w.names[at[count - 1]], t->w.names[at[count]]) < 0);
		count++;
	}
	assert_true(count > 1);
	return count;
}

/* The head holds the first, tie by tie, and nobody who is forbidden; it ends early only when nobody is left. */
static void assert_head_at(const struct ruled *t, const struct addr *a)
{
	const struct ranking_order *order = ranking_find(t->w.r, a).order;
	bool passed[GEO_WORLD_CLUSTERS] = {false};
	size_t count = 0;

	for (; order->nearest[count].cluster != RANKING_NO_CLUSTER; count++) {
		size_t at[GEO_WORLD_CLUSTERS];
		size_t members = entry_clusters(t, order->nearest[count], at);

		assert_true(count < RANKING_NEAREST);
		for (size_t i = 0; i < members; i++) {
			assert_true(at[i] < t->w.cluster_count && !passed[at[i]]);
			passed[at[i]] = true;
			assert_true(is_allowed(t, a, at[i]));
			assert_int_equal(ranked_compare(t, order, at[0], at[i]), 0);
		}
		for (size_t i = 0; i < t->w.cluster_count; i++)
			if (!passed[i])
				assert_true(ranked_compare(t, order, at[0], i) < 0);
	}
	for (size_t i = 0; count < RANKING_NEAREST && i < t->w.cluster_count; i++)
		assert_int_equal(passed[i], is_allowed(t, a, i));
}

static bool are_alike(const struct ruled *t, const struct ranking_order *one,
                      const struct ranking_order *other)
{
	for (size_t i = 0; i < t->w.cluster_count; i++) {
		uint16_t id = t->w.clusters[i].id;

		if (ranking_allows(t->w.r, one, id) != ranking_allows(t->w.r, other, id))
			return false;
		for (size_t k = 0; k < t->w.cluster_count; k++)
			if (ranked_compare(t, one, i, k) != ranked_compare(t, other, i, k))
				return false;
	}
	return one->is_unplaced == other->is_unplaced &&
	       ranking_fence(t->w.r, one) == ranking_fence(t->w.r, other);
}

static void assert_leaf_at(struct ruled *t, const struct addr *a)
{
	struct ranking_leaf leaf = ranking_find(t->w.r, a), other;
	struct addr beside;

	for (int k = 0; k < 3; k++) {
		struct addr inside = geo_world_inside(&t->w, a, leaf.depth);
		struct ranking_leaf same = ranking_find(t->w.r, &inside);

		assert_ptr_equal(same.order, leaf.order);
		assert_int_equal(same.depth, leaf.depth);
		assert_order_at(t, &inside);
	}
	if (leaf.depth == 0)
		return;
	beside = addr_masked(a, leaf.depth);
	beside.bytes[(leaf.depth - 1) / 8] ^= (uint8_t)(0x80 >> (leaf.depth - 1) % 8);
	other = ranking_find(t->w.r, &beside);
	assert_true(other.depth >= leaf.depth);
	if (other.depth == leaf.depth)
		assert_false(are_alike(t, leaf.order, other.order));
}

static void in_all_worlds(void (*hold)(struct ruled *t, const struct addr *a))
{
	static struct ruled t;

	for (uint64_t seed = 0; seed < WORLDS; seed++) {
		ruled_init(&t, seed);
		for (int i = 0; i < PROBES; i++) {
			struct addr a = geo_world_probe(&t.w);

			hold(&t, &a);
		}
		ruled_fini(&t);
	}
}

static void hold_order(struct ruled *t, const struct addr *a)
{
	assert_order_at(t, a);
	assert_stages_at(t, a);
	assert_head_at(t, a);
}

static void test_orders_are_those_of_brute_force(void **state)
{
	(void)state;
	in_all_worlds(hold_order);
}

static void test_leaves_have_one_order_and_are_as_short_as_they_can_be(void **state)
{
	(void)state;
	in_all_worlds(assert_leaf_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_are_those_of_brute_force),
		cmocka_unit_test(test_leaves_have_one_order_and_are_as_short_as_they_can_be),
	};

	return cmocka_run_group_tests_name("geo/ranking_by", tests, NULL, NULL);
}
