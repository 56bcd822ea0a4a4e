/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/whereabouts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct spot {
	uint16_t cluster;
	char *title;
	const char *file;
	unsigned line;
	size_t number; /* in order of putting */
};

struct whereabouts {
	struct spot *spots;
	size_t count, room;
	bool is_sorted;
};

struct whereabouts *whereabouts_new(void) { return xcalloc(1, sizeof(struct whereabouts)); }

void whereabouts_free(struct whereabouts *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		free(w->spots[i].title);
	free(w->spots);
	free(w);
}

void whereabouts_put(struct whereabouts *w, uint16_t cluster, const char *title, const char *file,
                     unsigned line)
{
	if (w->count == w->room) {
		w->room = w->room * 2 + 64;
		w->spots = xreallocarray(w->spots, w->room, sizeof(*w->spots));
	}
	w->spots[w->count] = (struct spot){cluster, xstrdup(title), file, line, w->count};
	w->count++;
	w->is_sorted = false;
}

static int by_title(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;
	int order = strcmp(x->title, y->title);

	return order ? order : (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

static int by_title_and_number(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;
	int order = by_title(x, y);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

const char *whereabouts_find(struct whereabouts *w, uint16_t cluster, const char *title,
                             unsigned *line)
{
	const struct spot key = {.cluster = cluster, .title = (char *)(uintptr_t)title};
	const struct spot *found;

	if (!w->is_sorted && w->count > 0)
		qsort(w->spots, w->count, sizeof(*w->spots), by_title_and_number);
	w->is_sorted = true;
	found = w->count > 0 ? bsearch(&key, w->spots, w->count, sizeof(key), by_title) : NULL;
	while (found && found > w->spots && by_title(found - 1, found) == 0)
		found--;
	if (!found)
		return NULL;
	*line = found->line;
	return found->file;
}
