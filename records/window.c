/* SPDX-License-Identifier: Apache-2.0 */
#include "records/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { FEW = 1024 };

void window_fini(struct window *w)
{
	free(w->list);
	idmap_fini(&w->lost);
	*w = (struct window){0};
}

void window_clear(struct window *w)
{
	idmap_fini(&w->lost);
	w->lost = (struct idmap){0};
	w->begin = w->count = 0;
}

static uint32_t *find(const struct window *w, uint32_t hash)
{
	struct idmap_walk walk = idmap_find(&w->lost, hash);

	return idmap_next(&w->lost, &walk);
}

static bool is_lost(const struct window *w, const struct window_loss *l)
{
	const uint32_t *number = find(w, l->hash);

	return number && *number == l->number;
}

/* Leaves out what is of the past, so that names that come and go all the time take no more room than
 * those that are lost. */
static void tidy(struct window *w)
{
	size_t kept = 0;

	for (size_t i = w->begin; i < w->count; i++)
		if (is_lost(w, &w->list[i]))
			w->list[kept++] = w->list[i];
	w->begin = 0;
	w->count = kept;
}

void window_lose(struct window *w, uint32_t hash, size_t names, uint64_t now_ms)
{
	uint32_t *number = find(w, hash);

	/* Numbers are not 0. */
	if (++w->last_number == 0)
		w->last_number = 1;
	if (number)
		*number = w->last_number;
	else
		idmap_put(&w->lost, hash, w->last_number);
	if (w->count == w->room && w->count > 2 * w->lost.count + FEW)
		tidy(w);
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 8;
		w->list = xreallocarray(w->list, w->room, sizeof(*w->list));
	}
	w->list[w->count++] = (struct window_loss){now_ms, hash, w->last_number, names};
}

void window_regain(struct window *w, uint32_t hash)
{
	const uint32_t *number = w->lost.count > 0 ? find(w, hash) : NULL;

	if (number)
		(void)idmap_remove(&w->lost, hash, *number);
}

size_t window_count(struct window *w, uint64_t now_ms, size_t *names)
{
	while (w->begin < w->count) {
		const struct window_loss *l = &w->list[w->begin];

		if (is_lost(w, l)) {
			if (l->at_ms + WINDOW_MS > now_ms)
				break;
			(void)idmap_remove(&w->lost, l->hash, l->number);
		}
		w->begin++;
	}
	if (w->begin == w->count)
		w->begin = w->count = 0;
	*names = w->count > 0 ? w->list[w->begin].names : 0;
	return w->lost.count;
}
