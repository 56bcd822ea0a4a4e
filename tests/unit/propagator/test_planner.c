/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "base/hash.h"
#include "propagator/planner.h"

enum { CLUSTERS_MOST = 16 };

static struct json_object *vectors; /* KubeFed's, and what its planner said to ours */

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	(void)json_object_object_get_ex(object, key, &value);
	return value;
}

static int open_vectors(void **state)
{
	(void)state;
	vectors = json_object_from_file("tests/vectors/kubefed/planner_vectors.json");
	return vectors ? 0 : -1;
}

static int close_vectors(void **state)
{
	(void)state;
	return json_object_put(vectors) == 1 ? 0 : -1;
}

static const struct planner_preference *preference_of(struct json_object *preferences,
                                                      const char *name,
                                                      struct planner_preference *out)
{
	struct json_object *p = get(preferences, name), *max;

	if (!p)
		p = get(preferences, "*");
	if (!p)
		return NULL;
	max = get(p, "maxReplicas");
	*out = (struct planner_preference){
		.min = json_object_get_int64(get(p, "minReplicas")),
		.max = json_object_get_int64(max),
		.weight = json_object_get_int64(get(p, "weight")),
		.has_max = max != NULL,
	};
	return out;
}

static void assert_vector(struct json_object *vector)
{
	struct json_object *in = get(vector, "input"), *want = get(vector, "expected");
	struct json_object *names = get(in, "availableClusters");
	struct planner_preference preferences[CLUSTERS_MOST];
	struct planner_cluster clusters[CLUSTERS_MOST] = {0};
	size_t count = json_object_array_length(names);

	assert_true(count <= CLUSTERS_MOST);
	for (size_t i = 0; i < count; i++) {
		struct planner_cluster *c = &clusters[i];
		struct json_object *current, *capacity;

		c->name = json_object_get_string(json_object_array_get_idx(names, i));
		c->preference = preference_of(get(in, "clusters"), c->name, &preferences[i]);
		current = get(get(in, "currentReplicas"), c->name);
		capacity = get(get(in, "estimatedCapacity"), c->name);
		c->has_current = current != NULL;
		c->has_capacity = capacity != NULL;
		c->current = json_object_get_int64(current);
		c->capacity = json_object_get_int64(capacity);
	}
	planner_plan(clusters, count, json_object_get_int64(get(in, "totalReplicas")),
	             json_object_get_boolean(get(in, "rebalance")),
	             json_object_get_string(get(in, "key")));
	assert_int_equal(json_object_object_length(get(want, "plan")), count);
	for (size_t i = 0; i < count; i++) {
		int64_t plan = json_object_get_int64(get(get(want, "plan"), clusters[i].name));
		int64_t over = json_object_get_int64(get(get(want, "overflow"), clusters[i].name));

		if (clusters[i].planned != plan || clusters[i].overflow != over)
			fail_msg("%s: %s has %ld and %ld over, not %ld and %ld",
			         json_object_get_string(get(vector, "name")), clusters[i].name,
			         clusters[i].planned, clusters[i].overflow, plan, over);
	}
}

static void test_every_vector_of_kubefed_is_planned_alike(void **state)
{
	struct json_object *list = get(vectors, "planner_vectors");

	(void)state;
	assert_int_equal(json_object_array_length(list), 68);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		assert_vector(json_object_array_get_idx(list, i));
}

static void test_hashes_are_those_of_kubefed(void **state)
{
	struct json_object *list = get(vectors, "hash_vectors");

	(void)state;
	assert_int_equal(json_object_array_length(list), 30);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		uint32_t hash = planner_hash(json_object_get_string(get(v, "cluster")),
		                             json_object_get_string(get(v, "key")));

		assert_int_equal(hash, json_object_get_int64(get(v, "fnv1_32")));
	}
}

/* Two names that FNV-1 cannot tell apart, whatever follows them. */
static void test_clusters_with_equal_hashes_are_ordered_by_name(void **state)
{
	const struct planner_preference one = {.weight = 1};
	struct planner_cluster c[2] = {{.name = "nhllk", .preference = &one},
	                               {.name = "amxnat", .preference = &one}};

	(void)state;
	assert_int_equal(planner_hash(c[0].name, "ns/web"), planner_hash(c[1].name, "ns/web"));
	planner_plan(c, 2, 1, false, "ns/web");
	assert_int_equal(c[0].planned, 0);
	assert_int_equal(c[1].planned, 1);
}

static void test_the_largest_numbers_do_not_overflow(void **state)
{
	const struct planner_preference heavy = {
		.weight = INT64_MAX, .max = INT64_MAX, .has_max = true};
	const struct planner_preference greedy = {.weight = INT64_MAX, .min = INT64_MAX};
	struct planner_cluster c[2] = {{.name = "a",
	                                .preference = &heavy,
	                                .has_capacity = true,
	                                .capacity = INT64_MAX,
	                                .has_current = true,
	                                .current = INT64_MAX},
	                               {.name = "b", .preference = &heavy}};

	(void)state;
	planner_plan(c, 2, INT64_MAX, true, "ns/web");
	assert_int_equal(c[0].planned + c[1].planned, INT32_MAX);
	assert_true(c[0].planned - c[1].planned <= 1 && c[1].planned - c[0].planned <= 1);
	planner_plan(c, 2, INT64_MAX, false, "ns/web");
	assert_int_equal(c[0].planned, INT32_MAX);
	c[1].preference = &greedy;
	planner_plan(c, 2, INT32_MAX, true, "ns/web");
	assert_int_equal(c[1].planned, INT32_MAX);
}

static void test_negative_numbers_count_as_none(void **state)
{
	const struct planner_preference odd = {
		.min = INT64_MIN, .max = INT64_MIN, .has_max = true, .weight = 1};
	const struct planner_preference light = {.weight = INT64_MIN};
	struct planner_cluster c[2] = {{.name = "a",
	                                .preference = &odd,
	                                .has_capacity = true,
	                                .capacity = INT64_MIN,
	                                .has_current = true,
	                                .current = INT64_MIN},
	                               {.name = "b", .preference = &light}};

	(void)state;
	planner_plan(c, 2, 10, false, "ns/web");
	assert_int_equal(c[0].planned, 0);
	assert_int_equal(c[1].planned, 0);
	planner_plan(c, 2, -10, false, "ns/web");
	assert_int_equal(c[0].planned + c[1].planned, 0);
	planner_plan(NULL, 0, 10, false, "ns/web");
}

/* --- properties --- */

struct random_plan {
	struct planner_preference preferences[CLUSTERS_MOST];
	struct planner_cluster clusters[CLUSTERS_MOST];
	char names[CLUSTERS_MOST][24];
	size_t count;
	int64_t total;
	bool rebalance;
};

static int64_t below(uint64_t *seed, uint64_t bound)
{
	*seed = hash_stir(*seed + 0x9e3779b97f4a7c15);
	return (int64_t)(*seed % bound);
}

static void randomize(struct random_plan *r, uint64_t *seed)
{
	*r = (struct random_plan){.count = 1 + (size_t)below(seed, CLUSTERS_MOST),
	                          .total = below(seed, 100),
	                          .rebalance = below(seed, 2)};
	for (size_t i = 0; i < r->count; i++) {
		snprintf(r->names[i], sizeof(r->names[i]), "c%zu", i);
		r->preferences[i] = (struct planner_preference){
			.min = below(seed, 3) ? 0 : below(seed, 20),
			.max = below(seed, 30),
			.has_max = below(seed, 3) == 0,
			.weight = below(seed, 4),
		};
		r->clusters[i] = (struct planner_cluster){
			.name = r->names[i],
			.preference = below(seed, 8) ? &r->preferences[i] : NULL,
			.current = below(seed, 20),
			.has_current = below(seed, 2),
			.capacity = below(seed, 20),
			.has_capacity = below(seed, 4) == 0,
		};
	}
}

static void test_no_plan_passes_total_capacity_or_maximum(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct random_plan r;
		int64_t sum = 0, over = 0;
		bool bounded = false, heavy = false;

		randomize(&r, &seed);
		planner_plan(r.clusters, r.count, r.total, r.rebalance, "ns/web");
		for (size_t i = 0; i < r.count; i++) {
			const struct planner_cluster *c = &r.clusters[i];
			const struct planner_preference *p = c->preference;

			sum += c->planned;
			over = c->overflow > over ? c->overflow : over;
			assert_true(c->planned >= 0 && c->overflow >= 0);
			assert_true(p || c->planned + c->overflow == 0);
			assert_true(!c->has_capacity || c->planned <= c->capacity);
			assert_true(c->overflow == 0 || c->has_capacity);
			/* The quirk: a minimum above it, while nothing remains. */
			assert_true(!p || !p->has_max || c->planned <= p->max ||
			            c->planned <= p->min);
			bounded |= p && (p->has_max || c->has_capacity);
			heavy |= p && p->weight > 0;
		}
		assert_true(sum <= r.total);
		assert_true(sum == r.total || bounded || !heavy);
		assert_true(r.rebalance || over <= r.total - sum);
	}
}

static void test_what_runs_stays_where_it_can(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct random_plan r;
		int64_t running = 0;

		randomize(&r, &seed);
		for (size_t i = 0; i < r.count; i++) {
			struct planner_cluster *c = &r.clusters[i];

			r.preferences[i].min = 0;
			r.preferences[i].has_max = c->has_capacity = false;
			running += c->has_current && c->preference ? c->current : 0;
		}
		r.total += running;
		planner_plan(r.clusters, r.count, r.total, false, "ns/web");
		for (size_t i = 0; i < r.count; i++) {
			const struct planner_cluster *c = &r.clusters[i];

			assert_true(!c->has_current || !c->preference || c->planned >= c->current);
		}
	}
}

static void test_the_order_of_clusters_does_not_matter(void **state)
{
	uint64_t seed = 13;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct random_plan r;
		struct planner_cluster shuffled[CLUSTERS_MOST];

		randomize(&r, &seed);
		memcpy(shuffled, r.clusters, sizeof(shuffled));
		for (size_t i = r.count - 1; i > 0; i--) {
			size_t j = (size_t)below(&seed, i + 1);
			struct planner_cluster swap = shuffled[i];

			shuffled[i] = shuffled[j];
			shuffled[j] = swap;
		}
		planner_plan(r.clusters, r.count, r.total, r.rebalance, "ns/web");
		planner_plan(shuffled, r.count, r.total, r.rebalance, "ns/web");
		for (size_t i = 0; i < r.count; i++) {
			size_t was = (size_t)strtoul(shuffled[i].name + 1, NULL, 10);

			assert_int_equal(shuffled[i].planned, r.clusters[was].planned);
			assert_int_equal(shuffled[i].overflow, r.clusters[was].overflow);
		}
	}
}

/* KubeFed's planner word for word, without a thought of time or of large numbers. */
struct plain {
	const struct planner_cluster *in;
	int64_t plan, over, pre;
	bool out;
};

static int plain_order(const void *left, const void *right)
{
	const struct planner_cluster *a = ((const struct plain *)left)->in;
	const struct planner_cluster *b = ((const struct plain *)right)->in;
	int64_t weights = b->preference->weight - a->preference->weight;
	uint32_t x = planner_hash(a->name, "ns/web"), y = planner_hash(b->name, "ns/web");

	if (weights != 0)
		return weights > 0 ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

static void plain_turn(struct plain *c, int64_t x, int64_t *left, bool *changed)
{
	int64_t s = c->plan, u, t;

	x = min(x, *left);
	u = min(x, c->pre);
	c->pre -= u;
	t = s + x - u;
	if (c->in->preference->has_max && t > c->in->preference->max) {
		t = c->in->preference->max;
		c->out = true;
	}
	if (c->in->has_capacity && t > c->in->capacity) {
		c->over = t - c->in->capacity;
		t = c->in->capacity;
		c->out = true;
	}
	*left -= t - s;
	c->plan = t;
	*changed |= u > 0 || t > s;
}

static int64_t plain_rounds(struct plain *p, size_t count, int64_t left)
{
	for (bool changed = true; changed && left > 0;) {
		int64_t weights = 0, round = left;

		changed = false;
		for (size_t i = 0; i < count; i++)
			weights += p[i].out ? 0 : p[i].in->preference->weight;
		for (size_t i = 0; weights > 0 && i < count; i++)
			if (!p[i].out)
				plain_turn(&p[i],
				           (round * p[i].in->preference->weight + weights - 1) /
				                   weights,
				           &left, &changed);
	}
	return left;
}

/* How many have a preference; in `p`, in their order. */
static size_t plain_plan(const struct random_plan *r, struct plain *p)
{
	int64_t left = r->total;
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->clusters[i].preference)
			p[count++] = (struct plain){.in = &r->clusters[i]};
	if (count > 0)
		qsort(p, count, sizeof(*p), plain_order);
	for (size_t i = 0; i < count; i++) {
		p[i].plan = min(p[i].in->preference->min, left);
		if (p[i].in->has_capacity)
			p[i].plan = min(p[i].plan, p[i].in->capacity);
		left -= p[i].plan;
	}
	for (size_t i = 0; !r->rebalance && i < count; i++) {
		int64_t t = p[i].in->current;

		if (!p[i].in->has_current)
			continue;
		if (p[i].in->preference->has_max)
			t = min(t, p[i].in->preference->max);
		if (p[i].in->has_capacity)
			t = min(t, p[i].in->capacity);
		p[i].pre = max(0, min(t - p[i].plan, left));
		left -= p[i].pre;
		p[i].plan += p[i].pre;
	}
	left = plain_rounds(p, count, left);
	for (size_t i = 0; !r->rebalance && i < count; i++)
		p[i].over = min(p[i].over, left);
	return count;
}

static void test_random_plans_are_those_of_the_rules_word_for_word(void **state)
{
	uint64_t seed = 17;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		struct random_plan r;
		struct plain p[CLUSTERS_MOST];
		size_t count;

		randomize(&r, &seed);
		count = plain_plan(&r, p);
		planner_plan(r.clusters, r.count, r.total, r.rebalance, "ns/web");
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(p[i].in->planned, p[i].plan);
			assert_int_equal(p[i].in->overflow, p[i].over);
		}
	}
}

/* Little at a time of much that is kept, of which most falls to the heaviest: the most rounds that numbers allow. */
static void test_a_plan_of_many_rounds_ends(void **state)
{
	const struct planner_preference heavy = {.weight = INT64_MAX}, light = {.weight = 1};
	struct planner_cluster c[2] = {{.name = "a",
	                                .preference = &heavy,
	                                .has_current = true,
	                                .current = INT32_MAX - 46341},
	                               {.name = "b", .preference = &light}};

	(void)state;
	planner_plan(c, 2, INT32_MAX, false, "ns/web");
	assert_int_equal(c[0].planned + c[1].planned, INT32_MAX);
}

/* One replica is left, and both keep a billion: it goes round until what they keep is used up. */
static void test_a_plan_of_a_billion_rounds_takes_no_time(void **state)
{
	const struct planner_preference one = {.weight = 1};
	struct planner_cluster c[2] = {
		{.name = "a", .preference = &one, .has_current = true, .current = 1000000000},
		{.name = "b", .preference = &one, .has_current = true, .current = 1000000000}};
	clock_t began = clock();

	(void)state;
	planner_plan(c, 2, 2000000001, false, "ns/web");
	assert_int_equal(c[0].planned + c[1].planned, 2000000001);
	assert_true(clock() - began < CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_vector_of_kubefed_is_planned_alike),
		cmocka_unit_test(test_hashes_are_those_of_kubefed),
		cmocka_unit_test(test_clusters_with_equal_hashes_are_ordered_by_name),
		cmocka_unit_test(test_the_largest_numbers_do_not_overflow),
		cmocka_unit_test(test_negative_numbers_count_as_none),
		cmocka_unit_test(test_no_plan_passes_total_capacity_or_maximum),
		cmocka_unit_test(test_what_runs_stays_where_it_can),
		cmocka_unit_test(test_the_order_of_clusters_does_not_matter),
		cmocka_unit_test(test_random_plans_are_those_of_the_rules_word_for_word),
		cmocka_unit_test(test_a_plan_of_many_rounds_ends),
		cmocka_unit_test(test_a_plan_of_a_billion_rounds_takes_no_time),
	};

	return cmocka_run_group_tests_name("propagator/planner", tests, open_vectors,
	                                   close_vectors);
}
