/* SPDX-License-Identifier: Apache-2.0 */
#include "records/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "records/names.h"

/* Rungs being found, and who stands on which. */
struct level {
	struct ladder_rung *rungs;
	size_t count, room;
	struct {
		size_t rung;
		uint16_t member;
	} * standing;
	size_t standing_count, standing_room;
};

static bool same_label(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	       strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static size_t find_rung(struct level *l, struct bytes label, size_t region)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->rungs[i].region == region && same_label(l->rungs[i].label, label))
			return i;
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->rungs = xreallocarray(l->rungs, l->room, sizeof(*l->rungs));
	}
	l->rungs[l->count] = (struct ladder_rung){.label = label, .region = region};
	return l->count++;
}

static void stand(struct level *l, size_t rung, uint16_t member)
{
	if (l->standing_count > 0 && l->standing[l->standing_count - 1].rung == rung &&
	    l->standing[l->standing_count - 1].member == member)
		return;
	if (l->standing_count == l->standing_room) {
		l->standing_room = l->standing_room ? l->standing_room * 2 : 8;
		l->standing = xreallocarray(l->standing, l->standing_room, sizeof(*l->standing));
	}
	l->standing[l->standing_count].rung = rung;
	l->standing[l->standing_count++].member = member;
	l->rungs[rung].member_count++;
}

static struct ladder_rung *settle(struct level *l, struct arena *a)
{
	struct ladder_rung *rungs = arena_calloc(a, l->count, sizeof(*rungs));
	uint16_t **next = arena_calloc(a, l->count, sizeof(uint16_t *));

	for (size_t i = 0; i < l->count; i++) {
		rungs[i] = l->rungs[i];
		next[i] = arena_calloc(a, rungs[i].member_count, sizeof(uint16_t));
		rungs[i].members = next[i];
	}
	for (size_t i = 0; i < l->standing_count; i++)
		*next[l->standing[i].rung]++ = l->standing[i].member;
	free(l->rungs);
	free(l->standing);
	return rungs;
}

static bool is_good(struct notes *notes, const char *cluster, const char *what, struct bytes label)
{
	char where[300];
	struct reason why;

	if (names_is_label(label, &why))
		return true;
	snprintf(where, sizeof(where), "cluster %s", cluster);
	notes_problem(notes, where, "%s '%.*s' gives no names: %s", what, (int)label.len,
	              (const char *)label.data, why.text);
	return false;
}

struct ladder ladder_build(struct arena *a, const struct records_cluster *clusters, size_t count,
                           struct notes *notes)
{
	struct level regions = {0}, zones = {0};
	struct ladder out;

	for (size_t i = 0; i < count; i++) {
		const struct records_cluster *c = &clusters[i];
		size_t region;

		/* One that only published sites name has its names from them. */
		if (!c->state->registered || c->region.len == 0 ||
		    !is_good(notes, c->name, "region", c->region))
			continue;
		region = find_rung(&regions, c->region, 0);
		stand(&regions, region, (uint16_t)i);
		for (size_t k = 0; k < c->zone_count; k++)
			if (is_good(notes, c->name, "zone", c->zones[k]))
				stand(&zones, find_rung(&zones, c->zones[k], region), (uint16_t)i);
	}
	out.region_count = regions.count;
	out.zone_count = zones.count;
	out.regions = settle(&regions, a);
	out.zones = settle(&zones, a);
	return out;
}
