/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/planner.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { FNV_PRIME = 16777619 };
static const uint32_t fnv_basis = 2166136261;

/* A cluster on the way to its plan. */
struct share {
	struct planner_cluster *cluster;
	int64_t min, max, weight;
	int64_t current, capacity;
	int64_t kept; /* of `planned`, what it has already and so does not get again */
	uint32_t hash;
	bool has_max, has_current, has_capacity;
	bool is_full; /* takes no further part */
};

static uint32_t fnv(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash * FNV_PRIME) ^ (uint8_t)*text;
	return hash;
}

uint32_t planner_hash(const char *cluster, const char *key)
{
	return fnv(fnv(fnv_basis, cluster), key);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t not_negative(int64_t n) { return n > 0 ? n : 0; }

static struct share share_of(struct planner_cluster *c, const char *key)
{
	const struct planner_preference *p = c->preference;

	return (struct share){
		.cluster = c,
		.min = not_negative(p->min),
		.max = not_negative(p->max),
		.weight = not_negative(p->weight),
		.current = not_negative(c->current),
		.capacity = not_negative(c->capacity),
		.hash = planner_hash(c->name, key),
		.has_max = p->has_max,
		.has_current = c->has_current,
		.has_capacity = c->has_capacity,
	};
}

/* 4.2 step 2: the heaviest first, then by hash, then by name. */
static int by_turn(const void *left, const void *right)
{
	const struct share *a = left, *b = right;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return strcmp(a->cluster->name, b->cluster->name);
}

/* Step 3.  A maximum is not looked at here. */
static int64_t give_minimum(struct share *s, int64_t left)
{
	int64_t min = least(s->min, left);

	if (s->has_capacity)
		min = least(min, s->capacity);
	s->cluster->planned = min;
	return left - min;
}

/* Step 4: what runs stays where it runs. */
static int64_t keep_current(struct share *s, int64_t left)
{
	int64_t keep = s->current;

	if (!s->has_current)
		return left;
	if (s->has_max)
		keep = least(keep, s->max);
	if (s->has_capacity)
		keep = least(keep, s->capacity);
	s->kept = not_negative(least(keep - s->cluster->planned, left));
	s->cluster->planned += s->kept;
	return left - s->kept;
}

/* Its part of `round` replicas, rounded up; weights is not 0. */
static int64_t part(const struct share *s, int64_t round, unsigned __int128 weights)
{
	return (int64_t)(((unsigned __int128)round * (unsigned __int128)s->weight + weights - 1) /
	                 weights);
}

/* A cluster's turn in a round of step 5: what is left after it.  A maximum or a capacity below what it has gives back. */
static int64_t give_part(struct share *s, int64_t due, int64_t left, bool *changed)
{
	struct planner_cluster *c = s->cluster;
	int64_t used = least(due, s->kept);
	int64_t start = c->planned, end = start + due - used;

	s->kept -= used;
	if (s->has_max && end > s->max) {
		end = s->max;
		s->is_full = true;
	}
	if (s->has_capacity && end > s->capacity) {
		c->overflow = end - s->capacity;
		end = s->capacity;
		s->is_full = true;
	}
	c->planned = end;
	if (used > 0 || end > start)
		*changed = true;
	return left - (end - start);
}

static unsigned __int128 weigh(const struct share *shares, size_t count)
{
	unsigned __int128 weights = 0;

	for (size_t i = 0; i < count; i++)
		weights += shares[i].is_full ? 0 : (unsigned __int128)shares[i].weight;
	return weights;
}

/* Step 5, one round. */
static int64_t give_round(struct share *shares, size_t count, int64_t left, bool *changed)
{
	const unsigned __int128 weights = weigh(shares, count);
	const int64_t round = left;

	*changed = false;
	for (size_t i = 0; weights > 0 && i < count; i++) {
		struct share *s = &shares[i];

		if (!s->is_full)
			left = give_part(s, least(part(s, round, weights), left), left, changed);
		/* It gets nothing, and a maximum has been looked at. */
		s->is_full |= s->weight == 0;
	}
	return left;
}

/* After a round that gave nothing and filled nobody, all of it was kept: the next ones are alike until somebody has
 * kept less than a part.  Those at once; billions of them could be, one by one. */
static void skip_rounds(struct share *shares, size_t count, int64_t round)
{
	const unsigned __int128 weights = weigh(shares, count);
	int64_t rounds = INT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (!shares[i].is_full)
			rounds = least(rounds,
			               shares[i].kept /
			                       least(part(&shares[i], round, weights), round));
	for (size_t i = 0; i < count; i++)
		if (!shares[i].is_full)
			shares[i].kept -= rounds * least(part(&shares[i], round, weights), round);
}

/* Step 5.  It ends: each round but the last fills a cluster, uses up some of what is kept, or leaves nothing. */
static int64_t give_rest(struct share *shares, size_t count, int64_t left)
{
	for (bool changed = true; changed && left > 0;) {
		const unsigned __int128 weights = weigh(shares, count);
		const int64_t round = left;

		left = give_round(shares, count, left, &changed);
		if (changed && left == round && weights == weigh(shares, count))
			skip_rounds(shares, count, round);
	}
	return left;
}

/* Step 6: with current replicas kept, only what fits nowhere else overflows. */
static void cut_overflow(struct planner_cluster *clusters, size_t count, int64_t left)
{
	for (size_t i = 0; i < count; i++)
		clusters[i].overflow = least(clusters[i].overflow, left);
}

void planner_plan(struct planner_cluster *clusters, size_t count, int64_t total, bool rebalance,
                  const char *key)
{
	struct share *shares = xcalloc(count, sizeof(*shares));
	int64_t left = least(not_negative(total), INT32_MAX);
	size_t with = 0;

	for (size_t i = 0; i < count; i++) {
		clusters[i].planned = clusters[i].overflow = 0;
		if (clusters[i].preference)
			shares[with++] = share_of(&clusters[i], key);
	}
	if (with > 1)
		qsort(shares, with, sizeof(*shares), by_turn);
	for (size_t i = 0; i < with; i++)
		left = give_minimum(&shares[i], left);
	for (size_t i = 0; !rebalance && i < with; i++)
		left = keep_current(&shares[i], left);
	left = give_rest(shares, with, left);
	if (!rebalance)
		cut_overflow(clusters, count, left);
	free(shares);
}
