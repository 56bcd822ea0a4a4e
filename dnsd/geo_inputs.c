/* geo_inputs.c -- copying and comparing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/geo_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct conf_strings geo_strings_copy(const struct conf_strings *from)
{
	struct conf_strings to = {.item = xcalloc(from->count + 1, sizeof *to.item),
	                          .count = from->count};

	for (size_t i = 0; i < from->count; i++)
		to.item[i] = xstrdup(from->item[i]);
	return to;
}

void geo_files_free(struct geo_files *f)
{
	conf_strings_fini(&f->databases);
	free(f->networks);
	free(f->latency);
	free(f->stamps);
	*f = (struct geo_files){0};
}

void geo_clusters_free(struct geo_clusters *c)
{
	for (size_t i = 0; i < c->count; i++)
		free((char *)(uintptr_t)c->item[i].name);
	free(c->item);
	conf_strings_fini(&c->unknown_order);
	*c = (struct geo_clusters){0};
}

struct geo_clusters geo_clusters_copy(const struct ranking_cluster *item, size_t count,
                                      const struct conf_strings *unknown_order)
{
	struct geo_clusters c = {.item = xcalloc(count + 1, sizeof *c.item), .count = count};

	for (size_t i = 0; i < count; i++) {
		c.item[i] = item[i];
		c.item[i].name = xstrdup(item[i].name);
	}
	c.unknown_order = geo_strings_copy(unknown_order);
	return c;
}

bool geo_files_changed(struct geo_files *f)
{
	size_t databases = f->databases.count;
	bool changed = false;

	for (size_t i = 0; i < databases + 2; i++) {
		const char *path = i < databases    ? f->databases.item[i]
		                   : i == databases ? f->networks
		                                    : f->latency;
		struct geodb_file_stamp now = {0};

		if (path != NULL)
			now = geodb_file_stamp(path);
		changed |= !geodb_file_same(&now, &f->stamps[i]);
		f->stamps[i] = now;
	}
	return changed;
}

struct geo_files geo_files_of(const struct geo_loader_files *from)
{
	return (struct geo_files){
		.databases = geo_strings_copy(from->databases),
		.networks = from->networks != NULL ? xstrdup(from->networks) : NULL,
		.latency = from->latency != NULL ? xstrdup(from->latency) : NULL,
		.stamps = xcalloc(from->databases->count + 2, sizeof(struct geodb_file_stamp)),
	};
}

bool geo_clusters_same(const struct geo_clusters *a, const struct geo_clusters *b)
{
	if (a->count != b->count || !conf_strings_equal(&a->unknown_order, &b->unknown_order))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct ranking_cluster *one = &a->item[i], *other = &b->item[i];

		if (one->id != other->id || strcmp(one->name, other->name) != 0 ||
		    one->has_place != other->has_place || !place_equal(&one->place, &other->place))
			return false;
	}
	return true;
}
