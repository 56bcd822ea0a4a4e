/* stages.c -- compiling rules: clusters by id, sets of latencies and of regions as numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/stages.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "geo/digest.h"
#include "geo/latency.h"
#include "geo/stages_inside.h"

static void put_kinds(struct stages *s, const struct rules *rules)
{
	bool seen[RULES_STAGES + 1] = {false};

	CHECK(rules->stage_count <= RULES_STAGES);
	for (size_t i = 0; i < rules->stage_count; i++) {
		CHECK(!seen[rules->stages[i]]);
		seen[rules->stages[i]] = true;
		s->kind[s->count++] = rules->stages[i];
	}
	s->distance_is_last =
		!seen[RULES_NEAREST] && s->count > 0 && s->kind[s->count - 1] == RULES_LATENCY;
	s->by_region = seen[RULES_NEAREST] && rules->region != NULL;
	s->in_km = seen[RULES_NEAREST] && rules->bias_km != NULL;
	s->has_unknown_order = !rules->unknown_is_tie;
	s->is_apart = rules->unknown_is_apart;
}

static int32_t bounded(int32_t bias_km)
{
	enum { MOST_KM = 100000 };

	return bias_km > MOST_KM ? MOST_KM : bias_km < -MOST_KM ? -MOST_KM : bias_km;
}

static void put_clusters(struct stages *s, const struct ranking_cluster *clusters, size_t count,
                         const struct rules *rules)
{
	size_t regions = 0;

	for (size_t i = 0; i < count; i++) {
		struct stages_cluster *c = &s->clusters[clusters[i].id];

		c->tier = rules->tier != NULL ? rules->tier[i] : 0;
		c->bias_km = rules->bias_km != NULL ? bounded(rules->bias_km[i]) : 0;
		c->region = rules->region != NULL ? rules->region[i] : 0;
		if (c->region >= regions)
			regions = c->region + 1u;
	}
	s->home_size = regions / 8 + 1;
	s->home = xcalloc(s->home_size, 1);
	s->homes = intern_new(s->home_size);
	(void)intern_put(s->homes, s->home);
}

static void put_fences(struct stages *s, const struct ranking_cluster *clusters,
                       const struct rules *rules)
{
	CHECK(rules->fence_count < STAGES_NO_FENCE);
	s->fence_count = rules->fence_count;
	s->fences = xcalloc(s->fence_count + 1, sizeof(*s->fences));
	for (size_t i = 0; i < s->fence_count; i++) {
		s->fences[i].required = rules->fences[i].required;
		s->fences[i].has = xcalloc(s->cluster_count + 1, sizeof(bool));
		for (size_t k = 0; k < rules->fences[i].cluster_count; k++)
			s->fences[i].has[clusters[rules->fences[i].clusters[k]].id] = true;
	}
}

struct stages *stages_new(const struct ranking *r, const struct ranking_cluster *clusters,
                          size_t cluster_count, const struct rules *rules)
{
	struct stages *s = xcalloc(1, sizeof(*s));

	put_kinds(s, rules);
	s->cluster_count = r->standing_count;
	s->clusters = xcalloc(s->cluster_count + 1, sizeof(*s->clusters));
	put_clusters(s, clusters, cluster_count, rules);
	put_fences(s, clusters, rules);
	s->sets = intern_new(sizeof(struct digest));
	s->set_room = 16;
	s->set_at = xcalloc(s->set_room, sizeof(*s->set_at));
	return s;
}

void stages_free(struct stages *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->fence_count; i++)
		free(s->fences[i].has);
	free(s->fences);
	free(s->clusters);
	free(s->latencies);
	free(s->set_at);
	intern_free(s->sets);
	intern_free(s->homes);
	free(s->home);
	free(s);
}

bool stages_use_place(const struct stages *s)
{
	bool has_nearest = false;

	for (size_t i = 0; i < s->count; i++)
		has_nearest |= s->kind[i] == RULES_NEAREST;
	return has_nearest || s->distance_is_last;
}

/* --- fences --- */

static bool is_one_of(const struct bytes *list, size_t count, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < count && len > 0; i++)
		if (list[i].len == len && strncasecmp((const char *)list[i].data, text, len) == 0)
			return true;
	return false;
}

uint16_t stages_fence_of(const struct rules *rules, const struct area *a)
{
	for (size_t i = 0; i < rules->fence_count; i++) {
		const struct rules_fence *f = &rules->fences[i];

		if (is_one_of(f->continents, f->continent_count, a->continent) ||
		    is_one_of(f->countries, f->country_count, a->country) ||
		    is_one_of(f->subdivisions, f->subdivision_count, a->subdivision))
			return (uint16_t)i;
	}
	return STAGES_NO_FENCE;
}

/* --- latencies --- */

static int by_ms(const void *one, const void *other)
{
	const struct stages_latency *a = one, *b = other;

	return a->ms != b->ms ? (a->ms < b->ms ? -1 : 1) : (a->id > b->id) - (a->id < b->id);
}

static int by_id(const void *one, const void *other)
{
	const struct stages_latency *a = one, *b = other;

	return (a->id > b->id) - (a->id < b->id);
}

static int compare_name(const void *name, const void *cluster)
{
	return strcmp(name, ((const struct ranking_cluster *)cluster)->name);
}

static void rank_latencies(struct stages_latency *list, size_t count)
{
	uint16_t rank = 0;

	qsort(list, count, sizeof(*list), by_ms);
	for (size_t i = 0; i < count; i++) {
		rank = (uint16_t)(rank + (i > 0 && list[i].ms > list[i - 1].ms));
		list[i].rank = rank;
	}
	qsort(list, count, sizeof(*list), by_id);
}

/* A set that lies behind the others becomes one of them, or is one already. */
static uint32_t keep_set(struct stages *s, size_t count)
{
	struct digest digest =
		digest_of_bytes(s->latencies + s->latency_count, count * sizeof(*s->latencies));
	uint32_t known = intern_count(s->sets), number = intern_put(s->sets, &digest);

	if (number < known)
		return number + 1;
	if (number + 2 > s->set_room) {
		s->set_room *= 2;
		s->set_at = xreallocarray(s->set_at, s->set_room, sizeof(*s->set_at));
	}
	s->latency_count += count;
	s->set_at[number + 1] = (uint32_t)s->latency_count;
	return number + 1;
}

uint32_t stages_put_latency(struct stages *s, const struct ranking_cluster *sorted,
                            size_t cluster_count, const struct latency_table *t, size_t first,
                            size_t count)
{
	struct stages_latency *list;
	size_t to = 0;

	if (s->latency_count + count > s->latency_room) {
		s->latency_room = s->latency_room * 2 + count + 16;
		s->latencies = xreallocarray(s->latencies, s->latency_room, sizeof(*s->latencies));
	}
	list = s->latencies + s->latency_count;
	/* With its padding, for the digest. */
	memset(list, 0, count * sizeof(*list));
	for (size_t i = first; i < first + count; i++) {
		const struct ranking_cluster *c =
			bsearch(latency_cluster(t, &t->rows[i]), sorted, cluster_count,
		                sizeof(*sorted), compare_name);

		if (c == NULL)
			continue;
		list[to].id = c->id;
		list[to++].ms = t->rows[i].ms;
	}
	if (to == 0)
		return 0;
	rank_latencies(list, to);
	return keep_set(s, to);
}

/* --- regions --- */

/* As long as nobody is at home they are ordered by distance alone. */
void stages_find_home(struct ranking *r, const struct vector *at, struct stages_client *c)
{
	struct stages *s = r->stages;
	uint64_t nearest = UINT64_MAX;
	size_t index = 0;

	c->home = 0;
	if (!s->by_region || !c->has_place)
		return;
	while (s->kind[index] != RULES_NEAREST)
		index++;
	memset(s->home, 0, s->home_size);
	for (size_t id = 0; id < s->cluster_count; id++) {
		uint16_t region = s->clusters[id].region;
		uint64_t value;

		if (!r->standings[id].is_there || r->standings[id].bias > 0)
			continue;
		value = stages_value(r, c, at, index, (uint16_t)id);
		if (value < nearest)
			memset(s->home, 0, s->home_size);
		if (value <= nearest) {
			s->home[region / 8] |= (uint8_t)(1u << region % 8);
			nearest = value;
		}
	}
	c->home = intern_put(s->homes, s->home);
}

void stages_freeze(struct stages *s)
{
	intern_free(s->sets);
	s->sets = NULL;
	free(s->home);
	s->home = NULL;
}

size_t stages_memory(const struct ranking *r)
{
	const struct stages *s = r->stages;

	return sizeof(*s) + s->cluster_count * (sizeof(*s->clusters) + s->fence_count) +
	       s->latency_room * sizeof(*s->latencies) + s->set_room * sizeof(*s->set_at) +
	       intern_count(s->homes) * s->home_size;
}
