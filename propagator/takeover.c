/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/takeover.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "kube/object.h"
#include "propagator/jsontree.h"
#include "propagator/render.h"

enum { DEPTH_MOST = 64 };

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	return bytes_equal_text(object_text(object, key, NULL), text);
}

static bool owns_label(struct json_object *entry)
{
	return jsontree_get(entry, "fieldsV1", "f:metadata", "f:labels", "f:" RENDER_LABEL, NULL) !=
	       NULL;
}

static bool is_kubefeds(struct json_object *entry)
{
	return is_text(entry, "operation", "Update") && !jsontree_get(entry, "subresource", NULL) &&
	       owns_label(entry);
}

static bool is_ours(struct json_object *entry, const char *manager)
{
	return is_text(entry, "operation", "Apply") && is_text(entry, "manager", manager) &&
	       !jsontree_get(entry, "subresource", NULL);
}

/* Sets of fields are trees of members; what is in one of them is in the sum. */
static void add_fields(struct json_object *to, struct json_object *from, unsigned depth)
{
	if (depth == DEPTH_MOST || !json_object_is_type(from, json_type_object) ||
	    !json_object_is_type(to, json_type_object))
		return;
	json_object_object_foreach(from, key, value)
	{
		struct json_object *there = jsontree_get(to, key, NULL);

		if (!there) {
			there = json_object_new_object();
			json_object_object_add(to, key, there);
		}
		add_fields(there, value, depth + 1);
	}
}

/* --- what goes with it --- */

static bool is_item(struct json_object *item, const char *key, struct json_object *parsed)
{
	if (key[0] == 'v')
		return json_object_equal(item, parsed);
	return json_object_is_type(item, json_type_object) &&
	       json_object_object_length(parsed) > 0 && jsontree_has_all(item, parsed);
}

/* "k:{...}" or "v:...": where in the list; its length: nowhere. */
static size_t place_of(struct json_object *list, const char *key)
{
	size_t at = 0, count = jsontree_count(list);
	struct json_object *parsed = json_tokener_parse(key + 2);

	if (key[0] == 'v' || json_object_is_type(parsed, json_type_object))
		while (at < count && !is_item(jsontree_item(list, at), key, parsed))
			at++;
	else
		at = count;
	json_object_put(parsed);
	return at;
}

static void drop_fields(struct json_object *value, struct json_object *theirs,
                        struct json_object *others, unsigned depth);

/* As server-side apply does: what is in nobody else's set goes, with all that is in it. */
static void drop_member(struct json_object *object, const char *key, struct json_object *theirs,
                        struct json_object *others, unsigned depth)
{
	if (others)
		drop_fields(jsontree_get(object, key + 2, NULL), theirs, others, depth);
	else if (json_object_is_type(object, json_type_object))
		json_object_object_del(object, key + 2);
}

static void drop_item(struct json_object *list, const char *key, struct json_object *theirs,
                      struct json_object *others, unsigned depth)
{
	size_t at = place_of(list, key);

	if (at == jsontree_count(list))
		return;
	if (others)
		drop_fields(jsontree_item(list, at), theirs, others, depth);
	else
		json_object_array_del_idx(list, at, 1);
}

static void drop_fields(struct json_object *value, struct json_object *theirs,
                        struct json_object *others, unsigned depth)
{
	if (depth == DEPTH_MOST || !json_object_is_type(theirs, json_type_object))
		return;
	json_object_object_foreach(theirs, key, deeper)
	{
		struct json_object *also = jsontree_get(others, key, NULL);

		if (strncmp(key, "f:", 2) == 0)
			drop_member(value, key, deeper, also, depth + 1);
		else if (strncmp(key, "k:", 2) == 0 || strncmp(key, "v:", 2) == 0)
			drop_item(value, key, deeper, also, depth + 1);
	}
}

bool takeover_foresee(struct json_object *object, const char *manager)
{
	struct json_object *entries = jsontree_get(object, "metadata", "managedFields", NULL);
	struct json_object *theirs = json_object_new_object(), *others = json_object_new_object();
	bool has_theirs = false, has_ours = false;

	for (size_t i = 0; i < jsontree_count(entries); i++) {
		struct json_object *entry = jsontree_item(entries, i);
		bool is_theirs = is_kubefeds(entry);

		has_theirs |= is_theirs;
		has_ours |= is_ours(entry, manager);
		add_fields(is_theirs ? theirs : others, jsontree_get(entry, "fieldsV1", NULL), 0);
	}
	if (has_theirs && has_ours)
		drop_fields(object, theirs, others, 0);
	json_object_put(theirs);
	json_object_put(others);
	return has_theirs && has_ours;
}

/* --- the patch --- */

static void add_step(struct json_object *patch, const char *op, const char *path,
                     struct json_object *value)
{
	struct json_object *step = json_object_new_object();

	json_object_object_add(step, "op", json_object_new_string(op));
	json_object_object_add(step, "path", json_object_new_string(path));
	json_object_object_add(step, "value", value);
	json_object_array_add(patch, step);
}

static struct json_object *copy_of(struct json_object *value)
{
	struct json_object *copy = NULL;

	return json_object_deep_copy(value, &copy, NULL) == 0 ? copy : NULL;
}

struct json_object *takeover_patch(struct json_object *object, const char *manager)
{
	struct json_object *metadata = jsontree_get(object, "metadata", NULL), *patch;
	struct json_object *entries = jsontree_get(metadata, "managedFields", NULL);
	struct json_object *kept, *ours = NULL, *taken = json_object_new_object();
	bool any = false;

	kept = json_object_new_array();
	for (size_t i = 0; i < jsontree_count(entries); i++) {
		struct json_object *entry = copy_of(jsontree_item(entries, i));

		if (is_kubefeds(entry)) {
			any = true;
			add_fields(taken, jsontree_get(entry, "fieldsV1", NULL), 0);
			json_object_put(entry);
			continue;
		}
		if (is_ours(entry, manager))
			ours = entry;
		json_object_array_add(kept, entry);
	}
	if (!any || !ours) {
		json_object_put(kept);
		json_object_put(taken);
		return NULL;
	}
	add_fields(jsontree_get(ours, "fieldsV1", NULL), taken, 0);
	json_object_put(taken);
	patch = json_object_new_array();
	add_step(patch, "test", "/metadata/resourceVersion",
	         json_object_get(jsontree_get(metadata, "resourceVersion", NULL)));
	add_step(patch, "replace", "/metadata/managedFields", kept);
	return patch;
}
