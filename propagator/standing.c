/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "propagator/sorted.h"

/* Who has just begun to look must not take a cluster for down that has not answered yet. */
static bool decide(struct standing *s, bool is_up, uint64_t now_ms)
{
	if (s->first_ms == 0)
		s->first_ms = now_ms;
	if (!is_up && now_ms - s->first_ms < STANDING_PATIENCE_MS)
		return false;
	s->is_decided = true;
	s->counts = is_up;
	return true;
}

bool standing_heed(struct standing *s, bool is_up, const struct standing_delays *delays,
                   uint64_t now_ms)
{
	if (!s->is_decided)
		return decide(s, is_up, now_ms);
	if (is_up == s->counts) {
		s->since_ms = 0;
		return false;
	}
	if (s->since_ms == 0)
		s->since_ms = now_ms;
	if (now_ms - s->since_ms < (is_up ? delays->available_ms : delays->unavailable_ms))
		return false;
	s->counts = is_up;
	s->since_ms = 0;
	return true;
}

/* --- of many clusters --- */

static const char *cluster_at(const void *list, size_t i)
{
	return ((const struct standing_entry *)list)[i].cluster;
}

static size_t place_of(const struct standing_list *l, const char *cluster, bool *found)
{
	return sorted_place(l->entry, l->count, cluster_at, cluster, found);
}

struct standing *standing_find(const struct standing_list *l, const char *cluster)
{
	bool found;
	size_t at = place_of(l, cluster, &found);

	return found ? &l->entry[at].standing : NULL;
}

struct standing *standing_keep(struct standing_list *l, const char *cluster)
{
	bool found;
	size_t at = place_of(l, cluster, &found);
	struct standing_entry *e;

	if (!found) {
		l->entry = xreallocarray(l->entry, l->count + 1, sizeof(*l->entry));
		memmove(&l->entry[at + 1], &l->entry[at], (l->count - at) * sizeof(*l->entry));
		l->entry[at] = (struct standing_entry){.cluster = xstrdup(cluster)};
		l->count++;
	}
	e = &l->entry[at];
	e->is_kept = true;
	return &e->standing;
}

bool standing_drop(struct standing_list *l)
{
	size_t before = l->count;

	l->count = 0;
	for (size_t i = 0; i < before; i++) {
		if (l->entry[i].is_kept)
			l->entry[l->count++] = l->entry[i];
		else
			free(l->entry[i].cluster);
	}
	for (size_t i = 0; i < l->count; i++)
		l->entry[i].is_kept = false;
	return l->count < before;
}

void standing_fini(struct standing_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->entry[i].cluster);
	free(l->entry);
	*l = (struct standing_list){0};
}
