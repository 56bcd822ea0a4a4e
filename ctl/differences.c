/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/differences.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <string.h>

#include "base/check.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"

enum { VALUE_SHOWN = 60 };

static void compare(struct json_object *before, struct json_object *after, const char *path,
                    struct json_object *out);

static bool is_servers(const char *path)
{
	static const char *const own[] = {"status",
	                                  "metadata.managedFields",
	                                  "metadata.resourceVersion",
	                                  "metadata.generation",
	                                  "metadata.creationTimestamp",
	                                  "metadata.uid",
	                                  "metadata.selfLink"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

static void note(struct json_object *before, struct json_object *after, const char *path,
                 struct json_object *out)
{
	struct json_object *one = json_object_new_object();

	json_object_object_add(one, "path", json_object_new_string(path));
	if (before)
		json_object_object_add(one, "has", json_object_get(before));
	if (after)
		json_object_object_add(one, "should", json_object_get(after));
	json_object_array_add(out, one);
}

static void compare_member(struct json_object *before, struct json_object *after, const char *key,
                           const char *path, struct json_object *out)
{
	struct text deeper = {0};

	text_printf(&deeper, "%s%s%s", path, *path ? "." : "", key);
	compare(jsontree_get(before, key, NULL), jsontree_get(after, key, NULL), deeper.data, out);
	text_fini(&deeper);
}

static void compare_objects(struct json_object *before, struct json_object *after, const char *path,
                            struct json_object *out)
{
	json_object_object_foreach(before, key, value)
	{
		(void)value;
		compare_member(before, after, key, path, out);
	}
	json_object_object_foreach(after, later, also)
	{
		(void)also;
		if (!json_object_object_get_ex(before, later, NULL))
			compare_member(before, after, later, path, out);
	}
}

static void compare_lists(struct json_object *before, struct json_object *after, const char *path,
                          struct json_object *out)
{
	for (size_t i = 0; i < jsontree_count(before); i++) {
		struct text deeper = {0};

		text_printf(&deeper, "%s[%zu]", path, i);
		compare(jsontree_item(before, i), jsontree_item(after, i), deeper.data, out);
		text_fini(&deeper);
	}
}

static void compare(struct json_object *before, struct json_object *after, const char *path,
                    struct json_object *out)
{
	if (is_servers(path) || json_object_equal(before, after))
		return;
	if (json_object_is_type(before, json_type_object) &&
	    json_object_is_type(after, json_type_object))
		compare_objects(before, after, path, out);
	else if (json_object_is_type(before, json_type_array) &&
	         json_object_is_type(after, json_type_array) &&
	         jsontree_count(before) == jsontree_count(after))
		compare_lists(before, after, path, out);
	else
		note(before, after, path, out);
}

struct json_object *differences_between(struct json_object *before, struct json_object *after)
{
	struct json_object *out = json_object_new_array(), *empty = json_object_new_object();

	compare(before ? before : empty, after ? after : empty, "", out);
	json_object_put(empty);
	return out;
}

static bool is_open(const char *path)
{
	static const char *const open[] = {
		"apiVersion",        "immutable",      "type",
		"metadata.labels",   "spec.placement", "spec.template.metadata.labels",
		"spec.template.type"};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		size_t length = strlen(open[i]);

		if (strncmp(path, open[i], length) == 0 &&
		    (path[length] == '\0' || path[length] == '.' || path[length] == '['))
			return true;
	}
	return false;
}

void differences_hide(struct json_object *differences)
{
	static const char *const sides[] = {"has", "should"};

	for (size_t i = 0; i < jsontree_count(differences); i++) {
		struct json_object *one = jsontree_item(differences, i);

		for (size_t k = 0; k < 2 && !is_open(jsontree_word(one, "path", NULL)); k++)
			if (jsontree_get(one, sides[k], NULL))
				json_object_object_add(one, sides[k],
				                       json_object_new_string("***"));
	}
}

static void print_value(struct json_object *value, struct text *out)
{
	const char *text = value ? json_object_to_json_string_ext(value, PLAIN_JSON) : "(none)";
	char shown[VALUE_SHOWN];

	text_add(out, text_shown(bytes_of(text), shown, sizeof(shown)));
}

void differences_print(struct json_object *differences, size_t most, struct text *out)
{
	size_t count = jsontree_count(differences);

	for (size_t i = 0; i < count && i < most; i++) {
		struct json_object *one = jsontree_item(differences, i);

		text_printf(out, "%s%s: ", i ? ", " : "", jsontree_word(one, "path", NULL));
		print_value(jsontree_get(one, "has", NULL), out);
		text_add(out, " -> ");
		print_value(jsontree_get(one, "should", NULL), out);
	}
	if (count > most)
		text_printf(out, ", and %zu more", count - most);
}
