/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/schedule_write.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "propagator/jsontree.h"

#define REPLICAS "/spec/replicas"

/* A federated object being changed. */
struct writing {
	const struct schedule_cluster *clusters; /* in the order of names */
	size_t count;
	bool *has_item; /* of each: spec.overrides speaks of it */
	bool changed;
	struct reason *why;
};

static bool is_placed(const struct schedule_cluster *c) { return c->replicas >= 0; }

static int by_name(const void *key, const void *cluster)
{
	return strcmp(key, ((const struct schedule_cluster *)cluster)->name);
}

static const struct schedule_cluster *find(const struct writing *w, const char *name)
{
	return w->count ? bsearch(name, w->clusters, w->count, sizeof(*w->clusters), by_name)
	                : NULL;
}

/* The member of that type, which is made where it is missing or null; NULL: it is of another type. */
static struct json_object *member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value = jsontree_get(object, name, NULL);

	if (value)
		return json_object_is_type(value, type) ? value : NULL;
	value = type == json_type_array ? json_object_new_array() : json_object_new_object();
	json_object_object_add(object, name, value);
	return value;
}

static bool is_replicas(struct json_object *override)
{
	return strcmp(jsontree_word(override, "path", NULL), REPLICAS) == 0;
}

int64_t schedule_write_template(struct json_object *federated)
{
	return jsontree_int(federated, 1, "spec", "template", "spec", "replicas", NULL);
}

int64_t schedule_write_override(struct json_object *federated, const char *cluster, int64_t absent)
{
	struct json_object *items = jsontree_get(federated, "spec", "overrides", NULL);

	for (size_t i = 0; i < jsontree_count(items); i++) {
		struct json_object *item = jsontree_item(items, i);
		struct json_object *list = jsontree_get(item, "clusterOverrides", NULL);

		if (strcmp(jsontree_word(item, "clusterName", NULL), cluster) != 0)
			continue;
		for (size_t j = 0; j < jsontree_count(list); j++)
			if (is_replicas(jsontree_item(list, j)))
				return jsontree_int(jsontree_item(list, j), absent, "value", NULL);
	}
	return absent;
}

/* --- placement --- */

/* Does the list name the placed clusters, in whatever order, and no other? */
static bool names_them(const struct writing *w, struct json_object *list)
{
	bool *named = xcalloc(w->count, sizeof(*named));
	bool same = json_object_is_type(list, json_type_array);

	for (size_t i = 0; same && i < jsontree_count(list); i++) {
		const struct schedule_cluster *c =
			find(w, jsontree_word(jsontree_item(list, i), "name", NULL));

		same = c && is_placed(c);
		if (same)
			named[c - w->clusters] = true;
	}
	for (size_t i = 0; same && i < w->count; i++)
		same = named[i] == is_placed(&w->clusters[i]);
	free(named);
	return same;
}

static enum err write_placement(struct writing *w, struct json_object *spec)
{
	struct json_object *placement = member(spec, "placement", json_type_object), *list;

	if (!placement)
		return reason_set(w->why, ERR_PARSE, "spec.placement: is not a mapping");
	if (names_them(w, jsontree_get(placement, "clusters", NULL)))
		return ERR_OK;
	list = json_object_new_array();
	for (size_t i = 0; i < w->count; i++) {
		struct json_object *item;

		if (!is_placed(&w->clusters[i]))
			continue;
		item = json_object_new_object();
		json_object_object_add(item, "name", json_object_new_string(w->clusters[i].name));
		json_object_array_add(list, item);
	}
	json_object_object_add(placement, "clusters", list);
	w->changed = true;
	return ERR_OK;
}

/* --- overrides --- */

static void add_replicas(struct writing *w, struct json_object *list, int64_t replicas)
{
	struct json_object *override = json_object_new_object();

	json_object_object_add(override, "path", json_object_new_string(REPLICAS));
	json_object_object_add(override, "value", json_object_new_int64(replicas));
	json_object_array_add(list, override);
	w->changed = true;
}

/* An override of a cluster that is planned: it changes where it stands. */
static void set_replicas(struct writing *w, struct json_object *list, int64_t replicas)
{
	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *override = jsontree_item(list, i);

		if (!is_replicas(override))
			continue;
		if (jsontree_int(override, -1, "value", NULL) != replicas) {
			json_object_object_add(override, "value", json_object_new_int64(replicas));
			w->changed = true;
		}
		if (strcmp(jsontree_word(override, "op", NULL), "remove") == 0) {
			json_object_object_del(override, "op");
			w->changed = true;
		}
		return;
	}
	add_replicas(w, list, replicas);
}

/* Of a cluster that is not placed; what else is overridden there stays. */
static void remove_replicas(struct writing *w, struct json_object *list)
{
	for (size_t i = jsontree_count(list); i-- > 0;)
		if (is_replicas(jsontree_item(list, i))) {
			json_object_array_del_idx(list, i, 1);
			w->changed = true;
		}
}

static enum err write_item(struct writing *w, struct json_object *item, size_t at)
{
	const char *name = jsontree_word(item, "clusterName", NULL);
	const struct schedule_cluster *c = find(w, name);
	struct json_object *list;

	if (!json_object_is_type(item, json_type_object))
		return reason_set(w->why, ERR_PARSE, "spec.overrides[%zu]: is not a mapping", at);
	if (c && w->has_item[c - w->clusters])
		return reason_set(w->why, ERR_CONFLICT,
		                  "spec.overrides[%zu]: cluster %s has another item", at, c->name);
	if (c)
		w->has_item[c - w->clusters] = true;
	if (!*name || (c && c->is_held))
		return ERR_OK;
	list = member(item, "clusterOverrides", json_type_array);
	if (!list)
		return reason_set(w->why, ERR_PARSE,
		                  "spec.overrides[%zu].clusterOverrides: is not a list", at);
	if (c && is_placed(c))
		set_replicas(w, list, c->replicas);
	else
		remove_replicas(w, list);
	return ERR_OK;
}

static enum err write_overrides(struct writing *w, struct json_object *spec)
{
	struct json_object *items = member(spec, "overrides", json_type_array);
	enum err err = ERR_OK;

	if (!items)
		return reason_set(w->why, ERR_PARSE, "spec.overrides: is not a list");
	for (size_t i = 0; !err && i < jsontree_count(items); i++)
		err = write_item(w, jsontree_item(items, i), i);
	for (size_t i = 0; !err && i < w->count; i++) {
		const struct schedule_cluster *c = &w->clusters[i];
		struct json_object *item, *list;

		if (!is_placed(c) || c->is_held || w->has_item[i])
			continue;
		item = json_object_new_object();
		list = json_object_new_array();
		json_object_object_add(item, "clusterName", json_object_new_string(c->name));
		json_object_object_add(item, "clusterOverrides", list);
		json_object_array_add(items, item);
		add_replicas(w, list, c->replicas);
	}
	return err;
}

enum err schedule_write(struct json_object *federated, const struct schedule_cluster *clusters,
                        size_t count, bool *changed, struct reason *why)
{
	struct writing w = {.clusters = clusters, .count = count, .why = why};
	struct json_object *spec = member(federated, "spec", json_type_object);
	enum err err;

	*changed = false;
	if (!spec)
		return reason_set(why, ERR_PARSE, "spec: is not a mapping");
	w.has_item = xcalloc(count, sizeof(*w.has_item));
	err = write_placement(&w, spec);
	if (!err)
		err = write_overrides(&w, spec);
	free(w.has_item);
	*changed = w.changed;
	return err;
}
