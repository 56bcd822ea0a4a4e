/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/snapshot.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world_inside.h"

enum { PATH_ROOM = 600, SAID_MOST = 20000, LIST_MS = 30000, OBJECTS_DEEP = 2 };

/* --- taking --- */

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text_of(struct json_object *metadata, const char *key)
{
	struct json_object *value = member(metadata, key);

	return value ? json_object_get_string(value) : "";
}

static struct json_object *list(struct cluster *c, const char *path)
{
	struct deadline deadline = inside_deadline(LIST_MS);
	struct json_object *root;

	while (cluster_send(c, "GET", path, NULL, NULL) != 200) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "GET %s: %s", path, cluster_body(c));
		inside_rest();
	}
	root = json_tokener_parse(cluster_body(c));
	assert_non_null(member(root, "items"));
	return root;
}

struct json_object *snapshot_take(struct cluster *c, const char *const *lists)
{
	struct json_object *out = json_object_new_object();

	for (; *lists; lists++) {
		struct json_object *root = list(c, *lists), *items = member(root, "items");
		struct json_object *objects = json_object_new_object();

		for (size_t i = 0; i < json_object_array_length(items); i++) {
			struct json_object *item = json_object_array_get_idx(items, i);
			struct json_object *metadata = member(item, "metadata");
			char name[PATH_ROOM];

			snprintf(name, sizeof(name), "%s/%s", text_of(metadata, "namespace"),
			         text_of(metadata, "name"));
			json_object_object_add(objects, name, json_object_get(item));
		}
		json_object_object_add(out, *lists, objects);
		json_object_put(root);
	}
	return out;
}

/* --- comparing --- */

struct comparison {
	const struct snapshot_rule *rule;
	struct text *out;
	bool differs;
};

static void compare(struct comparison *c, const char *path, unsigned depth,
                    struct json_object *before, struct json_object *after);

static bool is_none(const struct comparison *c, struct json_object *value)
{
	return !value || (c->rule->empty_is_none && json_object_is_type(value, json_type_array) &&
	                  json_object_array_length(value) == 0);
}

static void say(struct comparison *c, const char *path, struct json_object *before,
                struct json_object *after)
{
	c->differs = true;
	if (c->out->len < SAID_MOST)
		text_printf(c->out, "%s: %s is %s\n", path, json_object_to_json_string(before),
		            json_object_to_json_string(after));
}

static bool is_ignored(const struct comparison *c, const char *key)
{
	for (const char *const *ignored = c->rule->ignored; *ignored; ignored++)
		if (strcmp(key, *ignored) == 0)
			return true;
	return false;
}

static void compare_objects(struct comparison *c, const char *path, unsigned depth,
                            struct json_object *before, struct json_object *after)
{
	char inner[PATH_ROOM];

	json_object_object_foreach(before, key, value)
	{
		snprintf(inner, sizeof(inner), "%s %s", path, key);
		if (!is_ignored(c, key))
			compare(c, inner, depth + 1, value, member(after, key));
	}
	if (c->rule->may_add && depth >= OBJECTS_DEEP)
		return;
	json_object_object_foreach(after, added, now)
	{
		snprintf(inner, sizeof(inner), "%s %s", path, added);
		if (!is_ignored(c, added) && !is_none(c, now) &&
		    !json_object_object_get_ex(before, added, NULL))
			say(c, inner, NULL, now);
	}
}

static const char *key_of(struct json_object *element)
{
	if (member(element, "name"))
		return "name";
	return member(element, "clusterName") ? "clusterName" : "type";
}

/* The element that has the name, or the type, of `wanted`; else the one in its place. */
static struct json_object *counterpart(struct json_object *list, struct json_object *wanted,
                                       size_t place)
{
	const char *key = key_of(wanted);
	struct json_object *name = member(wanted, key);

	for (size_t i = 0; name && i < json_object_array_length(list); i++) {
		struct json_object *element = json_object_array_get_idx(list, i);

		if (json_object_equal(member(element, key), name))
			return element;
	}
	return json_object_array_get_idx(list, place);
}

static void compare_arrays(struct comparison *c, const char *path, unsigned depth,
                           struct json_object *before, struct json_object *after)
{
	size_t count = json_object_array_length(before), now = json_object_array_length(after);
	char inner[PATH_ROOM];

	if (now < count || (now > count && !c->rule->may_add)) {
		say(c, path, before, after);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *element = json_object_array_get_idx(before, i);

		snprintf(inner, sizeof(inner), "%s %zu", path, i);
		compare(c, inner, depth + 1, element,
		        c->rule->may_add ? counterpart(after, element, i)
		                         : json_object_array_get_idx(after, i));
	}
}

static void compare(struct comparison *c, const char *path, unsigned depth,
                    struct json_object *before, struct json_object *after)
{
	if (json_object_is_type(before, json_type_object) &&
	    json_object_is_type(after, json_type_object))
		compare_objects(c, path, depth, before, after);
	else if (json_object_is_type(before, json_type_array) &&
	         json_object_is_type(after, json_type_array))
		compare_arrays(c, path, depth, before, after);
	else if (!json_object_equal(before, after) && !(is_none(c, before) && is_none(c, after)))
		say(c, path, before, after);
}

bool snapshot_same(struct json_object *before, struct json_object *after,
                   const struct snapshot_rule *rule, struct text *out)
{
	struct comparison c = {rule, out, false};

	compare(&c, "", 0, before, after);
	return !c.differs;
}
