/* stages_values.c -- what each stage says of a cluster, as a number. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "geo/stages_inside.h"

/* How many bits the numbers of a stage take.  All that can come together fit below STAGES_FORBIDDEN. */
enum { FENCE_BITS = 1, TIER_BITS = 13, LATENCY_BITS = 13, DISTANCE_BITS = 32, UNKNOWN_BITS = 13 };

#define DISTANCE_NONE (((uint64_t)1 << DISTANCE_BITS) - 1)

enum { NO_LATENCY = (1 << LATENCY_BITS) - 1, NO_TIER = (1 << TIER_BITS) - 1 };

/* Decimetres; with a bias of +-100000 km it is never negative, and below DISTANCE_NONE. */
#define DM_PER_KM  10000.0
#define DM_OF_BIAS 1000000000.0

const struct stages_latency *stages_latency_of(const struct stages *s, uint32_t set, uint16_t id)
{
	size_t from, to;

	if (set == 0)
		return NULL;
	for (from = s->set_at[set - 1], to = s->set_at[set]; from < to;) {
		size_t middle = from + (to - from) / 2;

		if (s->latencies[middle].id == id)
			return &s->latencies[middle];
		if (s->latencies[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

static uint64_t distance(const struct ranking *r, const struct stages_client *c,
                         const struct vector *at, int32_t bias_km, uint16_t id)
{
	const struct standing *standing = &r->standings[id];
	double chord, dm;

	if (standing->bias > 0)
		return DISTANCE_NONE;
	chord = sqrt(fmax(2 - 2 * vector_dot(at, &standing->at), 0));
	if (r->stages->in_km || c->step_km > 0)
		chord = 2 * asin(fmin(chord / 2, 1));
	dm = chord * VECTOR_EARTH_KM * DM_PER_KM + (double)bias_km * DM_PER_KM;
	if (c->step_km > 0)
		dm = floor(dm / (c->step_km * DM_PER_KM));
	return (uint64_t)(dm + DM_OF_BIAS);
}

static bool is_at_home(const struct stages *s, const struct stages_client *c, uint16_t id)
{
	const uint8_t *home = (const uint8_t *)intern_items(s->homes) + c->home * s->home_size;
	uint16_t region = s->clusters[id].region;

	return (home[region / 8] >> region % 8 & 1) != 0;
}

/* With the region as its first bit. */
static uint64_t nearest(const struct ranking *r, const struct stages_client *c,
                        const struct vector *at, uint16_t id)
{
	const struct stages *s = r->stages;
	uint64_t value = distance(r, c, at, s->clusters[id].bias_km, id);

	if (s->by_region && !is_at_home(s, c, id))
		value |= (uint64_t)1 << DISTANCE_BITS;
	return value;
}

static uint64_t last(const struct ranking *r, const struct stages_client *c,
                     const struct vector *at, uint16_t id)
{
	const struct stages *s = r->stages;

	if (!c->has_place)
		return s->has_unknown_order ? r->standings[id].rank : 0;
	if (!s->distance_is_last || stages_latency_of(s, c->latency, id) != NULL)
		return 0;
	/* Never 0. */
	return distance(r, c, at, 0, id);
}

uint64_t stages_value(const struct ranking *r, const struct stages_client *c,
                      const struct vector *at, size_t index, uint16_t cluster_id)
{
	const struct stages *s = r->stages;
	const struct stages_latency *l;

	if (index == s->count)
		return last(r, c, at, cluster_id);
	switch (s->kind[index]) {
	case RULES_FENCE:
		return c->fence != STAGES_NO_FENCE && !s->fences[c->fence].has[cluster_id];
	case RULES_TIER:
		return s->clusters[cluster_id].tier < NO_TIER ? s->clusters[cluster_id].tier
		                                              : NO_TIER;
	case RULES_LATENCY:
		l = stages_latency_of(s, c->latency, cluster_id);
		return l != NULL ? l->rank : NO_LATENCY;
	case RULES_NEAREST:
		return c->has_place ? nearest(r, c, at, cluster_id) : 0;
	}
	return 0;
}

static unsigned bits_of(const struct stages *s, const struct stages_client *c, size_t index)
{
	static const uint8_t bits[] = {
		[RULES_FENCE] = FENCE_BITS,
		[RULES_TIER] = TIER_BITS,
		[RULES_LATENCY] = LATENCY_BITS,
		[RULES_NEAREST] = DISTANCE_BITS + 1,
	};

	if (index == s->count)
		return c->has_place ? (s->distance_is_last ? DISTANCE_BITS : 0) : UNKNOWN_BITS;
	return s->kind[index] == RULES_NEAREST && !c->has_place ? 0 : bits[s->kind[index]];
}

static bool is_forbidden(const struct stages *s, const struct stages_client *c, uint16_t id)
{
	return c->fence != STAGES_NO_FENCE && s->fences[c->fence].required &&
	       !(id < s->cluster_count && s->fences[c->fence].has[id]);
}

uint64_t stages_key(const struct ranking *r, const struct stages_client *c, const struct vector *at,
                    uint16_t cluster_id)
{
	const struct stages *s = r->stages;
	uint64_t key = 0;

	if (is_forbidden(s, c, cluster_id))
		return STAGES_FORBIDDEN;
	for (size_t i = 0; i <= s->count; i++)
		key = key << bits_of(s, c, i) | stages_value(r, c, at, i, cluster_id);
	return key;
}

struct ranking_position stages_position(const struct ranking *r, const struct ranking_order *order,
                                        uint16_t cluster_id)
{
	const struct stages_client *c = &r->clients[order - r->head.orders];
	struct ranking_position position = {0};
	uint64_t key;

	if (cluster_id < r->standing_count && r->standings[cluster_id].is_there)
		key = stages_key(r, c, &order->at, cluster_id);
	else /* It came after the build: behind all that may be, and not where it may not. */
		key = is_forbidden(r->stages, c, cluster_id) ? STAGES_FORBIDDEN
		                                             : STAGES_FORBIDDEN - 1;
	/* Numbers that are not negative, and their bits, are in the same order. */
	memcpy(&position.distance, &key, sizeof(key));
	return position;
}

bool ranking_allows(const struct ranking *r, const struct ranking_order *order, uint16_t cluster_id)
{
	return r->stages == NULL ||
	       !is_forbidden(r->stages, &r->clients[order - r->head.orders], cluster_id);
}

uint16_t ranking_fence(const struct ranking *r, const struct ranking_order *order)
{
	uint16_t fence = STAGES_NO_FENCE;

	if (r->stages != NULL)
		fence = r->clients[order - r->head.orders].fence;
	return fence == STAGES_NO_FENCE ? 0 : (uint16_t)(fence + 1);
}
