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
