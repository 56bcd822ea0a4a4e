/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <json-c/json_object.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

static bool is_map(struct json_object *o) { return json_object_is_type(o, json_type_object); }

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *found = NULL;

	if (is_map(o))
		json_object_object_get_ex(o, name, &found);
	return found;
}

static const char *words(struct json_object *o, const char *name)
{
	const char *text = json_object_get_string(member(o, name));

	return text ? text : "";
}

/* --- sets of fields, as fieldsV1 has them: {"f:spec":{"f:replicas":{}}}; a list is one field --- */

static bool is_owned_never(const char *path)
{
	static const char *const never[] = {
		".apiVersion",          ".kind",
		".metadata.name",       ".metadata.namespace",
		".metadata.uid",        ".metadata.resourceVersion",
		".metadata.generation", ".metadata.creationTimestamp",
	};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strcmp(path, never[i]) == 0)
			return true;
	return false;
}

static struct json_object *fields_of(struct json_object *value, const char *path)
{
	struct json_object *out = json_object_new_object();
	char name[300], deeper[600];

	if (!is_map(value))
		return out;
	json_object_object_foreach(value, key, inner)
	{
		struct json_object *below;

		(void)snprintf(deeper, sizeof(deeper), "%s.%s", path, key);
		if (is_owned_never(deeper))
			continue;
		below = fields_of(inner, deeper);
		(void)snprintf(name, sizeof(name), "f:%s", key);
		if (strcmp(deeper, ".metadata") == 0 && json_object_object_length(below) == 0)
			json_object_put(below);
		else
			json_object_object_add(out, name, below);
	}
	return out;
}

static bool is_leaf(struct json_object *fields)
{
	json_object_object_foreach(fields, field, below)
	{
		(void)below;
		if (strncmp(field, "f:", 2) == 0)
			return false;
	}
	return true;
}

/* --- an apply --- */

struct apply {
	struct json_object *to, *body; /* at the same place of both */
	struct json_object *others; /* the sets of others at that place: a list of [manager, set] */
	const char *path;
	bool force;
	struct json_object *causes;
};

static void add_conflict(const struct apply *a, const char *manager, const char *field)
{
	struct json_object *cause = json_object_new_object();
	char text[600];

	(void)snprintf(text, sizeof(text), "conflict with \"%s\" using v1", manager);
	json_object_object_add(cause, "reason", json_object_new_string("FieldManagerConflict"));
	json_object_object_add(cause, "message", json_object_new_string(text));
	(void)snprintf(text, sizeof(text), "%s.%s", a->path, field);
	json_object_object_add(cause, "field", json_object_new_string(text));
	json_object_array_add(a->causes, cause);
}

/* Those of the others that have something at a field below. */
static struct json_object *others_below(struct json_object *others, const char *field)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(others); i++) {
		struct json_object *pair = json_object_array_get_idx(others, i), *below;
		struct json_object *set = member(json_object_array_get_idx(pair, 1), field);

		if (!set)
			continue;
		below = json_object_new_array();
		json_object_array_add(below, json_object_get(json_object_array_get_idx(pair, 0)));
		json_object_array_add(below, json_object_get(set));
		json_object_array_add(out, below);
	}
	return out;
}

/* A field that is applied: who else owns it with another value loses it, or is in conflict. */
static void settle_field(const struct apply *a, const char *field, bool differs)
{
	for (size_t i = 0; differs && i < json_object_array_length(a->others); i++) {
		struct json_object *pair = json_object_array_get_idx(a->others, i);
		struct json_object *set = json_object_array_get_idx(pair, 1);

		if (!member(set, field))
			continue;
		if (a->force)
			json_object_object_del(set, field);
		else
			add_conflict(a, json_object_get_string(json_object_array_get_idx(pair, 0)),
			             field + 2);
	}
}

static void settle(const struct apply *a, struct json_object *fields)
{
	char path[600];

	json_object_object_foreach(fields, field, below)
	{
		struct json_object *old = member(a->to, field + 2);
		struct json_object *new = member(a->body, field + 2);
		struct apply deeper = *a;

		if (is_leaf(below)) {
			settle_field(a, field, !json_object_equal(old, new));
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s.%s", a->path, field + 2);
		deeper.to = old;
		deeper.body = new;
		deeper.path = path;
		deeper.others = others_below(a->others, field);
		settle(&deeper, below);
		json_object_put(deeper.others);
	}
}

/* What was applied before and is not any more, and that nobody else owns, goes. */
static void remove_dropped(struct json_object *to, struct json_object *was, struct json_object *is,
                           struct json_object *others)
{
	json_object_object_foreach(was, field, below)
	{
		struct json_object *rest, *now = member(is, field);

		if (strncmp(field, "f:", 2) != 0)
			continue;
		rest = others_below(others, field);
		if (!now && json_object_array_length(rest) == 0 && is_map(to))
			json_object_object_del(to, field + 2);
		else if (!is_leaf(below))
			remove_dropped(member(to, field + 2), below, now, rest);
		json_object_put(rest);
	}
}

/* --- managedFields --- */

static bool is_mine(struct json_object *entry, const char *manager)
{
	return strcmp(words(entry, "manager"), manager) == 0 &&
	       strcmp(words(entry, "operation"), "Apply") == 0;
}

/* The sets of all but mine, and mine. */
static struct json_object *sets_of_others(struct json_object *entries, const char *manager,
                                          struct json_object **mine)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		struct json_object *entry = json_object_array_get_idx(entries, i), *pair;
		struct json_object *set = member(entry, "fieldsV1");

		if (is_mine(entry, manager))
			*mine = set;
		if (is_mine(entry, manager) || !set)
			continue;
		pair = json_object_new_array();
		json_object_array_add(pair, json_object_get(member(entry, "manager")));
		json_object_array_add(pair, json_object_get(set));
		json_object_array_add(out, pair);
	}
	return out;
}

static struct json_object *entry_of(struct json_object *body, const char *manager,
                                    struct json_object *fields)
{
	struct json_object *e = json_object_new_object();

	json_object_object_add(e, "manager", json_object_new_string(manager));
	json_object_object_add(e, "operation", json_object_new_string("Apply"));
	json_object_object_add(e, "apiVersion", json_object_get(member(body, "apiVersion")));
	json_object_object_add(e, "time", json_object_new_string("2026-01-01T00:00:00Z"));
	json_object_object_add(e, "fieldsType", json_object_new_string("FieldsV1"));
	json_object_object_add(e, "fieldsV1", json_object_get(fields));
	return e;
}

/* Mine first; without those that own nothing any more. */
static void set_entries(struct json_object *to, struct json_object *entries,
                        struct json_object *mine, const char *manager)
{
	struct json_object *out = json_object_new_array();

	json_object_array_add(out, mine);
	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		struct json_object *entry = json_object_array_get_idx(entries, i);

		if (!is_mine(entry, manager) && !is_leaf(member(entry, "fieldsV1")))
			json_object_array_add(out, json_object_get(entry));
	}
	json_object_object_add(member(to, "metadata"), "managedFields", out);
}

bool apply_fields(struct json_object *to, struct json_object *body, const char *manager, bool force,
                  struct json_object *causes)
{
	struct json_object *kept = member(member(to, "metadata"), "managedFields");
	struct json_object *entries = json_object_is_type(kept, json_type_array)
	                                      ? json_object_get(kept)
	                                      : json_object_new_array();
	struct json_object *fields = fields_of(body, ""), *mine = NULL;
	struct json_object *others = sets_of_others(entries, manager, &mine);
	const struct apply whole = {to, body, others, "", force, causes};
	bool is_good;

	settle(&whole, fields);
	is_good = json_object_array_length(causes) == 0;
	if (is_good) {
		if (mine)
			remove_dropped(to, mine, fields, others);
		patch_merge(to, body);
		set_entries(to, entries, entry_of(body, manager, fields), manager);
	}
	json_object_put(others);
	json_object_put(fields);
	json_object_put(entries);
	return is_good;
}
