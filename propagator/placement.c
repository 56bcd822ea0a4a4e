/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/placement.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"
#include "propagator/selector.h"

static struct bytes *names_of(const struct placement_cluster *clusters, size_t count)
{
	struct bytes *names = xcalloc(count, sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = bytes_of(clusters[i].name);
	qsort(names, count, sizeof(*names), bytes_by_order);
	return names;
}

/* --- the list --- */

/* The names of the list in byte order, heap. */
static enum err read_list(struct json_object *list, struct bytes **out, size_t *count,
                          struct reason *why)
{
	size_t length = json_object_array_length(list);
	struct bytes *names;

	if (length > PLACEMENT_NAMES_MOST)
		return reason_set(why, ERR_PARSE, "spec.placement.clusters: more than %d",
		                  PLACEMENT_NAMES_MOST);
	names = xcalloc(length, sizeof(*names));
	for (size_t i = 0; i < length; i++) {
		const char *name = jsontree_text(json_object_array_get_idx(list, i), "name", NULL);

		if (!name || name[0] == '\0') {
			free(names);
			return reason_set(why, ERR_PARSE,
			                  "spec.placement.clusters[%zu].name: is missing", i);
		}
		names[i] = bytes_of(name);
	}
	*count = bytes_unique(names, length);
	*out = names;
	return ERR_OK;
}

static enum err place_listed(struct json_object *list, const struct placement_cluster *clusters,
                             size_t count, struct placement *out, struct reason *why)
{
	struct bytes *listed = NULL, *there;
	size_t listed_count = 0;
	enum err err = read_list(list, &listed, &listed_count, why);

	if (err != ERR_OK)
		return err;
	there = names_of(clusters, count);
	*out = (struct placement){.names = xcalloc(listed_count, sizeof(char *)),
	                          .unknown = xcalloc(listed_count, sizeof(char *))};
	for (size_t i = 0; i < listed_count; i++) {
		if (bsearch(&listed[i], there, count, sizeof(*there), bytes_by_order))
			out->names[out->count++] = text_copy(listed[i]);
		else
			out->unknown[out->unknown_count++] = text_copy(listed[i]);
	}
	free(there);
	free(listed);
	return ERR_OK;
}

/* --- the selector --- */

static enum err place_selected(struct json_object *selector,
                               const struct placement_cluster *clusters, size_t count,
                               struct placement *out, struct reason *why)
{
	struct bytes *names = xcalloc(count, sizeof(*names));
	size_t found = 0;
	enum err err = selector_check(selector, why);

	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		bool matches;

		err = selector_matches(selector, clusters[i].labels, &matches, why);
		if (matches)
			names[found++] = bytes_of(clusters[i].name);
	}
	if (err == ERR_OK) {
		found = bytes_unique(names, found);
		*out = (struct placement){.names = xcalloc(found, sizeof(char *)), .count = found};
		for (size_t i = 0; i < found; i++)
			out->names[i] = text_copy(names[i]);
	} else {
		reason_prefix(why, "spec.placement.clusterSelector: ");
	}
	free(names);
	return err;
}

enum err placement_of(struct json_object *federated, const struct placement_cluster *clusters,
                      size_t count, struct placement *out, struct reason *why)
{
	struct json_object *placement = jsontree_get(federated, "spec", "placement", NULL);
	struct json_object *list = jsontree_get(placement, "clusters", NULL);

	*out = (struct placement){0};
	if (placement && !json_object_is_type(placement, json_type_object))
		return reason_set(why, ERR_PARSE, "spec.placement: is %s, not an object",
		                  jsontree_kind(placement));
	if (list && !json_object_is_type(list, json_type_array))
		return reason_set(why, ERR_PARSE, "spec.placement.clusters: is %s, not a list",
		                  jsontree_kind(list));
	/* A list stands over a selector, also when it is empty. */
	if (list)
		return place_listed(list, clusters, count, out, why);
	return place_selected(jsontree_get(placement, "clusterSelector", NULL), clusters, count,
	                      out, why);
}

/* --- sets --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool placement_has(const struct placement *p, const char *cluster)
{
	return p->count > 0 &&
	       bsearch(&cluster, p->names, p->count, sizeof(*p->names), by_name) != NULL;
}

void placement_intersect(struct placement *p, const struct placement *other)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (placement_has(other, p->names[i]))
			p->names[kept++] = p->names[i];
		else
			free(p->names[i]);
	}
	p->count = kept;
}

void placement_fini(struct placement *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->names[i]);
	for (size_t i = 0; i < p->unknown_count; i++)
		free(p->unknown[i]);
	free(p->names);
	free(p->unknown);
	*p = (struct placement){0};
}
