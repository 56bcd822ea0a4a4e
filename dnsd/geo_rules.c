/* geo_rules.c -- what is copied is written into the key on the way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* A copy of an array; none and an empty one differ. */
static const void *keep(struct geo_rules *g, const void *data, size_t size)
{
	void *copy;

	buffer_u8(&g->key, data != NULL);
	if (data == NULL)
		return NULL;
	buffer_u64(&g->key, size);
	buffer_put(&g->key, data, size);
	copy = xmalloc(size + 1);
	memcpy(copy, data, size);
	if (g->owned_count == g->owned_room) {
		g->owned_room = g->owned_room * 2 + 8;
		g->owned = xreallocarray(g->owned, g->owned_room, sizeof *g->owned);
	}
	g->owned[g->owned_count++] = copy;
	return copy;
}

/* An array that is filled behind its copying, with what its items point to. */
static void *keep_room(struct geo_rules *g, size_t count, size_t size)
{
	void *zeros = xcalloc(count + 1, size);
	const void *room = keep(g, zeros, count * size);

	free(zeros);
	return (void *)(uintptr_t)room;
}

static const struct bytes *keep_texts(struct geo_rules *g, const struct bytes *texts, size_t count)
{
	struct bytes *copy = keep_room(g, count, sizeof *copy);

	for (size_t i = 0; i < count; i++)
		copy[i] = (struct bytes){keep(g, texts[i].data, texts[i].len), texts[i].len};
	return copy;
}

static const struct rules_fence *keep_fences(struct geo_rules *g, const struct rules_fence *fences,
                                             size_t count)
{
	struct rules_fence *copy = keep_room(g, count, sizeof *copy);

	for (size_t i = 0; i < count; i++) {
		const struct rules_fence *from = &fences[i];
		struct rules_fence *to = &copy[i];

		*to = *from;
		to->continents = keep_texts(g, from->continents, from->continent_count);
		to->countries = keep_texts(g, from->countries, from->country_count);
		to->subdivisions = keep_texts(g, from->subdivisions, from->subdivision_count);
		to->networks =
			keep(g, from->networks, from->network_count * sizeof *from->networks);
		to->clusters =
			keep(g, from->clusters, from->cluster_count * sizeof *from->clusters);
		buffer_u8(&g->key, from->required);
	}
	return copy;
}

static const char *const *keep_names(struct geo_rules *g, const char *const *names, size_t count)
{
	const char **copy = keep_room(g, count, sizeof *copy);

	for (size_t i = 0; i < count; i++)
		copy[i] = keep(g, names[i], strlen(names[i]) + 1);
	return copy;
}

static void rules_init(struct geo_rules *g, const struct rules *from, size_t cluster_count)
{
	struct rules *to = &g->rules;

	*g = (struct geo_rules){.rules = *from};
	to->latency = NULL;
	for (size_t i = 0; i < from->stage_count; i++)
		buffer_u8(&g->key, (uint8_t)from->stages[i]);
	buffer_u8(&g->key, 0);
	to->fences = keep_fences(g, from->fences, from->fence_count);
	to->tier = keep(g, from->tier, cluster_count * sizeof *from->tier);
	to->bias_km = keep(g, from->bias_km, cluster_count * sizeof *from->bias_km);
	to->region = keep(g, from->region, cluster_count * sizeof *from->region);
	to->unknown_order = keep_names(g, from->unknown_order, from->unknown_count);
	buffer_u8(&g->key, from->unknown_is_tie);
	buffer_u8(&g->key, from->unknown_is_apart);
}

static void rules_fini(struct geo_rules *g)
{
	for (size_t i = 0; i < g->owned_count; i++)
		free(g->owned[i]);
	free(g->owned);
	buffer_fini(&g->key);
}

bool geo_rules_equal(const struct geo_rules *a, const struct geo_rules *b)
{
	return a->key.len == b->key.len && memcmp(a->key.data, b->key.data, a->key.len) == 0;
}

/* Its number among the different ones; it is one more when there is room. */
static size_t put(struct geo_rules_list *l, const struct rules *rules)
{
	struct geo_rules fresh;
	size_t i = 0;

	rules_init(&fresh, rules, l->cluster_count);
	while (i < l->different_count && !geo_rules_equal(&l->different[i], &fresh))
		i++;
	if (i == l->different_count && i < GEO_LOADER_MAX_RULES)
		l->different[l->different_count++] = fresh;
	else
		rules_fini(&fresh);
	return i;
}

struct geo_rules_list *geo_rules_list_new(const struct geo_loader_rules *list, size_t count,
                                          size_t cluster_count)
{
	struct geo_rules_list *l = xcalloc(1, sizeof *l);

	l->users = 1;
	l->cluster_count = cluster_count;
	l->different = xcalloc(GEO_LOADER_MAX_RULES, sizeof *l->different);
	l->wishes = xcalloc(count + 1, sizeof *l->wishes);
	l->wish_count = count;
	for (size_t i = 0; i < count; i++)
		l->wishes[i] = (struct geo_rules_wish){list[i].tag, put(l, &list[i].rules)};
	return l;
}

struct geo_rules_list *geo_rules_list_ref(struct geo_rules_list *l)
{
	l->users++;
	return l;
}

void geo_rules_list_unref(struct geo_rules_list *l)
{
	if (l == NULL || --l->users > 0)
		return;
	for (size_t i = 0; i < l->different_count; i++)
		rules_fini(&l->different[i]);
	free(l->different);
	free(l->wishes);
	free(l);
}

bool geo_rules_list_equal(const struct geo_rules_list *a, const struct geo_rules_list *b)
{
	if (a->wish_count != b->wish_count || a->different_count != b->different_count ||
	    a->cluster_count != b->cluster_count)
		return false;
	for (size_t i = 0; i < a->wish_count; i++)
		if (a->wishes[i].tag != b->wishes[i].tag ||
		    a->wishes[i].which != b->wishes[i].which)
			return false;
	for (size_t i = 0; i < a->different_count; i++)
		if (!geo_rules_equal(&a->different[i], &b->different[i]))
			return false;
	return true;
}

bool geo_rules_want(const struct geo_rules *g, enum rules_stage stage)
{
	for (size_t i = 0; i < g->rules.stage_count; i++)
		if (g->rules.stages[i] == stage)
			return true;
	return false;
}
