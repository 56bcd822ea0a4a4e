/* geo_rankings.c -- building what is new, sharing the rest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_rankings.h"

#include <stdlib.h>

#include "base/xalloc.h"

static const struct ranking *find_before(const struct geo_rankings_inputs *in,
                                         const struct geo_rules *rules)
{
	bool holds = in->before != NULL && in->same_world &&
	             (in->same_latency || !geo_rules_want(rules, RULES_LATENCY));

	for (size_t i = 0; holds && i < in->before->rules->different_count; i++)
		if (geo_rules_equal(&in->before->rules->different[i], rules))
			return in->before->by_rules[i];
	return NULL;
}

static const struct ranking *build_one(const struct geo_rankings_inputs *in,
                                       const struct geo_rules *wanted)
{
	const struct ranking *before = find_before(in, wanted);
	struct rules rules = wanted->rules;

	if (before != NULL)
		return ranking_ref(before);
	rules.latency = in->latency;
	return ranking_build_by(in->clusters, in->cluster_count, &rules, in->geodb);
}

struct geo_rankings *geo_rankings_build(const struct geo_rankings_inputs *in)
{
	struct geo_rankings *r = xcalloc(1, sizeof *r);

	r->rules = in->rules;
	if (in->before != NULL && in->same_world)
		r->plain = ranking_ref(in->before->plain);
	else
		r->plain = ranking_build(in->clusters, in->cluster_count, in->unknown_order,
		                         in->unknown_count, in->geodb);
	for (size_t i = 0; i < r->rules->different_count; i++)
		r->by_rules[i] = build_one(in, &r->rules->different[i]);
	return r;
}

void geo_rankings_free(struct geo_rankings *r)
{
	if (r == NULL)
		return;
	ranking_free((struct ranking *)(uintptr_t)r->plain);
	for (size_t i = 0; i < r->rules->different_count; i++)
		ranking_free((struct ranking *)(uintptr_t)r->by_rules[i]);
	geo_rules_list_unref(r->rules);
	free(r);
}
