/* stages_explain.c -- stage by stage, for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "geo/stages_inside.h"

size_t ranking_stage_count(const struct ranking *r)
{
	return r->stages != NULL ? r->stages->count + 1 : 1;
}

const char *ranking_stage_name(const struct ranking *r, const struct ranking_order *order,
                               size_t stage)
{
	static const char *const names[] = {
		[RULES_FENCE] = "geofence",
		[RULES_TIER] = "failover",
		[RULES_LATENCY] = "latency",
		[RULES_NEAREST] = "nearest",
	};

	if (r->stages == NULL)
		return "nearest";
	if (stage < r->stages->count)
		return names[r->stages->kind[stage]];
	return r->clients[order - r->head.orders].has_place ? "distance" : "unknownClient";
}

static bool is_known(const struct ranking *r, uint16_t id)
{
	return id < r->standing_count && r->standings[id].is_there;
}

int ranking_compare_at(const struct ranking *r, const struct ranking_order *order, size_t stage,
                       uint16_t a, uint16_t b)
{
	const struct stages_client *c;
	uint64_t one, other;

	/* Who came after the build is nothing to any stage but the last. */
	if (r->stages == NULL || !is_known(r, a) || !is_known(r, b))
		return stage + 1 < ranking_stage_count(r)
		               ? 0
		               : ranking_compare(ranking_position(r, order, a),
		                                 ranking_position(r, order, b));
	c = &r->clients[order - r->head.orders];
	one = stages_value(r, c, &order->at, stage, a);
	other = stages_value(r, c, &order->at, stage, b);
	return (one > other) - (one < other);
}

static void tell_fence(const struct stages *s, const struct stages_client *c, uint16_t id,
                       char *buf, size_t size)
{
	if (c->fence == STAGES_NO_FENCE)
		return;
	snprintf(buf, size, "%srule %u, %s", s->fences[c->fence].has[id] ? "" : "outside of ",
	         c->fence + 1u, s->fences[c->fence].required ? "required" : "allowed");
}

/* An order is shared by networks with other milliseconds: the client's own are asked for. */
static void tell_latency(const struct ranking *r, const struct ranking_asker *who, uint16_t id,
                         char *buf, size_t size)
{
	struct addr a = addr_unmapped(who->addr);
	uint32_t value = prefix_tree_find(r->overlay.tree, &a).value;
	const struct stages_latency *l =
		stages_latency_of(r->stages, overlay_value(&r->overlay, value).latency, id);

	if (l != NULL)
		snprintf(buf, size, "%.10g ms", l->ms);
}

static void tell_distance(const struct ranking *r, const struct ranking_asker *who, int32_t bias_km,
                          uint16_t id, char *buf, size_t size)
{
	double km = who->place != NULL ? ranking_distance_km(r, who->place, id) : -1;

	if (km < 0)
		return;
	if (bias_km == 0)
		snprintf(buf, size, "%.0f km", km);
	else
		snprintf(buf, size, "%.0f km %c %d", km, bias_km < 0 ? '-' : '+', abs(bias_km));
}

void ranking_stage_detail(const struct ranking *r, const struct ranking_order *order, size_t stage,
                          const struct ranking_asker *who, uint16_t cluster_id, char *buf,
                          size_t size)
{
	const struct stages *s = r->stages;
	const struct stages_client *c = s != NULL ? &r->clients[order - r->head.orders] : NULL;
	unsigned tier;

	buf[0] = '\0';
	if (!is_known(r, cluster_id))
		return;
	if (s == NULL || stage == s->count) {
		tell_distance(r, who, 0, cluster_id, buf, size);
		return;
	}
	switch (s->kind[stage]) {
	case RULES_FENCE:
		tell_fence(s, c, cluster_id, buf, size);
		break;
	case RULES_TIER:
		tier = s->clusters[cluster_id].tier;
		snprintf(buf, size, tier == RULES_NO_TIER ? "no tier" : "tier %u", tier + 1);
		break;
	case RULES_LATENCY:
		if (who->addr != NULL)
			tell_latency(r, who, cluster_id, buf, size);
		break;
	case RULES_NEAREST:
		tell_distance(r, who, s->clusters[cluster_id].bias_km, cluster_id, buf, size);
		break;
	}
}
