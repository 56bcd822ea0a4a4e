/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/owner.h"

#include <json-c/json_object.h>

#include "propagator/jsontree.h"

static void add(struct json_object *reference, const char *key, const char *text)
{
	json_object_object_add(reference, key, json_object_new_string(text));
}

struct json_object *owner_references(struct json_object *owner)
{
	struct json_object *reference = json_object_new_object(), *list = json_object_new_array();

	add(reference, "apiVersion", jsontree_word(owner, "apiVersion", NULL));
	add(reference, "kind", jsontree_word(owner, "kind", NULL));
	add(reference, "name", jsontree_word(owner, "metadata", "name", NULL));
	add(reference, "uid", jsontree_word(owner, "metadata", "uid", NULL));
	json_object_array_add(list, reference);
	return list;
}
