/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/override.h"

#include <json-c/arraylist.h>
#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"

enum { SHOWN = 128 };

/* --- one override: what is to be done, and where --- */

enum op { OP_ADD, OP_REMOVE, OP_REPLACE };

struct edit {
	enum op op;
	const char *path;          /* borrowed */
	struct json_object *value; /* borrowed; NULL: null */
};

/* As whole strings, as KubeFed compared them. */
static const char *const forbidden[] = {"/metadata/namespace", "/metadata/name",
                                        "/metadata/generateName", "/kind", NULL};

static const char *shown(const char *text, char out[SHOWN])
{
	return text_shown(bytes_of(text), out, SHOWN);
}

static enum err read_op(struct json_object *override, enum op *out, struct reason *why)
{
	struct json_object *value = jsontree_get(override, "op", NULL);
	const char *op = jsontree_text(override, "op", NULL);
	char buf[SHOWN];

	if (value && !op)
		return reason_set(why, ERR_PARSE, "op is %s", jsontree_kind(value));
	if (!op || op[0] == '\0' || strcmp(op, "replace") == 0)
		*out = OP_REPLACE;
	else if (strcmp(op, "add") == 0)
		*out = OP_ADD;
	else if (strcmp(op, "remove") == 0)
		*out = OP_REMOVE;
	else
		return reason_set(why, ERR_PARSE, "op '%s' is none of add, remove, replace",
		                  shown(op, buf));
	return ERR_OK;
}

static enum err check_path(const char *path, struct reason *why)
{
	char buf[SHOWN];

	if (strlen(path) > OVERRIDE_PATH_MOST)
		return reason_set(why, ERR_RANGE, "path '%s' is longer than %d bytes",
		                  shown(path, buf), OVERRIDE_PATH_MOST);
	if (path[0] != '/')
		return reason_set(why, ERR_PARSE, "path '%s' does not begin with a slash",
		                  shown(path, buf));
	for (const char *const *f = forbidden; *f; f++)
		if (strcmp(path, *f) == 0)
			return reason_set(why, ERR_DENIED, "path %s may not be overridden", path);
	/* RFC 6901 3: ~ stands before 0 or 1 only. */
	for (const char *c = strchr(path, '~'); c; c = strchr(c + 1, '~'))
		if (c[1] != '0' && c[1] != '1')
			return reason_set(why, ERR_PARSE, "path '%s' has a ~ without 0 or 1",
			                  shown(path, buf));
	return ERR_OK;
}

static enum err read_edit(struct json_object *override, struct edit *out, struct reason *why)
{
	enum err err;

	if (!json_object_is_type(override, json_type_object))
		return reason_set(why, ERR_PARSE, "is %s, not an object", jsontree_kind(override));
	out->path = jsontree_text(override, "path", NULL);
	if (!out->path)
		return reason_set(why, ERR_PARSE, "has no path");
	out->value = jsontree_get(override, "value", NULL);
	if (!jsontree_is_exact(out->value))
		return reason_set(why, ERR_RANGE, "value has a whole number of more than 64 bits");
	err = check_path(out->path, why);
	return err == ERR_OK ? read_op(override, &out->op, why) : err;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct edit *)a)->path, ((const struct edit *)b)->path);
}

/* KubeFed kept overrides by their path, as it is written. */
static enum err check_doubles(const struct edit *edits, size_t count, struct reason *why)
{
	struct edit *sorted = xmemdup(edits, count * sizeof(*edits));
	enum err err = ERR_OK;
	char buf[SHOWN];

	qsort(sorted, count, sizeof(*sorted), by_path);
	for (size_t i = 1; i < count && err == ERR_OK; i++)
		if (strcmp(sorted[i - 1].path, sorted[i].path) == 0)
			err = reason_set(why, ERR_CONFLICT, "path '%s' stands there more than once",
			                 shown(sorted[i].path, buf));
	free(sorted);
	return err;
}

/* --- where a path leads --- */

/* The last part of a path, and what it is in. */
struct spot {
	struct json_object *container; /* an object or an array */
	size_t *moved;                 /* items of arrays so far, for OVERRIDE_MOVED_MOST */
	char *key;                     /* of the object; heap */
	size_t index;                  /* in the array; its length: behind the last */
	int depth;                     /* of the container, 1 for the whole */
};

/* The part of a path up to the next slash, as it is meant (RFC 6901 4). */
static char *unescape(const char *part, size_t len)
{
	char *key = xmalloc(len + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (part[i] == '~' && i + 1 < len)
			key[at++] = part[++i] == '1' ? '/' : '~';
		else
			key[at++] = part[i];
	}
	key[at] = '\0';
	return key;
}

/* The number that a part is; false when it is none that an array of `length` has.  RFC 6901 4: no sign, no zeros
 * before it. */
static bool is_index(const char *part, size_t length, size_t *out)
{
	uint64_t number;

	if (part[0] == '0' && part[1] != '\0')
		return false;
	if (!text_to_u64(bytes_of(part), INT32_MAX, &number) || number >= length)
		return false;
	*out = (size_t)number;
	return true;
}

static struct json_object *step(struct json_object *container, const char *part)
{
	size_t index;

	if (json_object_is_type(container, json_type_array))
		return is_index(part, json_object_array_length(container), &index)
		               ? json_object_array_get_idx(container, index)
		               : NULL;
	return jsontree_get(container, part, NULL);
}

static bool is_container(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) ||
	       json_object_is_type(value, json_type_array);
}

static bool find_spot(struct json_object *object, const char *path, size_t *moved, struct spot *out)
{
	*out = (struct spot){.container = object, .moved = moved, .depth = 1};
	for (;;) {
		const char *part = path + 1;
		size_t len = strcspn(part, "/");

		if (!is_container(out->container))
			return false;
		out->key = unescape(part, len);
		path = part + len;
		if (*path == '\0')
			return true;
		out->container = step(out->container, out->key);
		out->depth++;
		free(out->key);
		out->key = NULL;
	}
}

/* --- what is done there --- */

/* json-c 0.16 can only append. */
static void insert(struct json_object *array, size_t index, struct json_object *take_value)
{
	struct array_list *list;

	CHECK(json_object_array_add(array, NULL) == 0);
	list = json_object_get_array(array);
	memmove(&list->array[index + 1], &list->array[index],
	        (list->length - 1 - index) * sizeof(*list->array));
	list->array[index] = take_value;
}

static enum err add(struct spot *s, struct json_object *take_value, struct reason *why)
{
	size_t length;

	if (json_object_is_type(s->container, json_type_object)) {
		CHECK(json_object_object_add(s->container, s->key, take_value) == 0);
		return ERR_OK;
	}
	length = json_object_array_length(s->container);
	if (strcmp(s->key, "-") == 0) {
		s->index = length;
	} else if (!is_index(s->key, length + 1, &s->index)) {
		json_object_put(take_value);
		return reason_set(why, ERR_NOTFOUND, "a list of %zu has no place '%s'", length,
		                  s->key);
	}
	insert(s->container, s->index, take_value);
	return ERR_OK;
}

/* Is there anything at it, also null? */
static bool is_there(struct spot *s)
{
	if (json_object_is_type(s->container, json_type_object))
		return json_object_object_get_ex(s->container, s->key, NULL);
	return is_index(s->key, json_object_array_length(s->container), &s->index);
}

/* KubeFed's library sets a member of an object whether it was there or not, and an override without an op is one that replaces:
 * "replicas: 4" over a template that says nothing of replicas has always worked. */
static bool is_replaceable(struct spot *s)
{
	return json_object_is_type(s->container, json_type_object) || is_there(s);
}

static void replace(struct spot *s, struct json_object *take_value)
{
	if (json_object_is_type(s->container, json_type_object))
		CHECK(json_object_object_add(s->container, s->key, take_value) == 0);
	else
		CHECK(json_object_array_put_idx(s->container, s->index, take_value) == 0);
}

static void remove_it(struct spot *s)
{
	if (json_object_is_type(s->container, json_type_object))
		json_object_object_del(s->container, s->key);
	else
		CHECK(json_object_array_del_idx(s->container, s->index, 1) == 0);
}

/* Does what is behind it in its list still have leave to move?  Else ten thousand overrides of one long list would take
 * seconds. */
static bool may_move(struct spot *s)
{
	size_t length;

	if (!json_object_is_type(s->container, json_type_array))
		return true;
	length = json_object_array_length(s->container);
	*s->moved += is_index(s->key, length, &s->index) ? length - s->index : 0;
	return *s->moved <= OVERRIDE_MOVED_MOST;
}

static enum err edit_spot(struct spot *s, const struct edit *e, struct reason *why)
{
	/* Else one override after the other could nest what later runs out of stack. */
	if (e->op != OP_REMOVE && s->depth + jsontree_depth(e->value) > OVERRIDE_DEPTH_MOST)
		return reason_set(why, ERR_RANGE, "is nested deeper than %d", OVERRIDE_DEPTH_MOST);
	if (e->op != OP_REPLACE && !may_move(s))
		return reason_set(why, ERR_RANGE, "is in a list too long to be changed so often");
	if (e->op == OP_ADD)
		return add(s, jsontree_copy(e->value), why);
	if (!(e->op == OP_REMOVE ? is_there(s) : is_replaceable(s)))
		return reason_set(why, ERR_NOTFOUND, "there is nothing to %s",
		                  e->op == OP_REMOVE ? "remove" : "replace");
	if (e->op == OP_REMOVE)
		remove_it(s);
	else
		replace(s, jsontree_copy(e->value));
	return ERR_OK;
}

static enum err edit_object(struct json_object *object, const struct edit *e, size_t *moved,
                            struct reason *why)
{
	struct spot spot;
	char buf[SHOWN];
	enum err err;

	if (find_spot(object, e->path, moved, &spot))
		err = edit_spot(&spot, e, why);
	else
		err = reason_set(why, ERR_NOTFOUND, "what it is in is not there");
	free(spot.key);
	if (err != ERR_OK)
		reason_prefix(why, "path '%s': ", shown(e->path, buf));
	return err;
}

/* --- the overrides of a cluster --- */

/* clusterOverrides of an item as edits, heap; NULL of an empty list. */
static enum err read_edits(struct json_object *item, struct edit **out, size_t *count,
                           struct reason *why)
{
	struct json_object *list = jsontree_get(item, "clusterOverrides", NULL);
	struct edit *edits = NULL;
	size_t length = 0;
	enum err err = ERR_OK;

	if (list && !json_object_is_type(list, json_type_array))
		return reason_set(why, ERR_PARSE, "clusterOverrides is %s, not a list",
		                  jsontree_kind(list));
	length = list ? json_object_array_length(list) : 0;
	if (length > OVERRIDE_MOST)
		return reason_set(why, ERR_RANGE, "%zu overrides are more than %d", length,
		                  OVERRIDE_MOST);
	edits = length > 0 ? xcalloc(length, sizeof(*edits)) : NULL;
	for (size_t i = 0; i < length && err == ERR_OK; i++) {
		err = read_edit(json_object_array_get_idx(list, i), &edits[i], why);
		if (err != ERR_OK)
			reason_prefix(why, "override[%zu]: ", i);
	}
	if (err == ERR_OK && length > 1)
		err = check_doubles(edits, length, why);
	if (err != ERR_OK) {
		free(edits);
		return err;
	}
	*out = edits;
	*count = length;
	return ERR_OK;
}

/* spec.overrides; NULL: none. */
static enum err list_of(struct json_object *federated, struct json_object **out, struct reason *why)
{
	*out = jsontree_get(federated, "spec", "overrides", NULL);
	if (!*out)
		return ERR_OK;
	if (!json_object_is_type(*out, json_type_array))
		return reason_set(why, ERR_PARSE, "spec.overrides is %s, not a list",
		                  jsontree_kind(*out));
	if (json_object_array_length(*out) > OVERRIDE_MOST)
		return reason_set(why, ERR_RANGE, "spec.overrides has more than %d clusters",
		                  OVERRIDE_MOST);
	return ERR_OK;
}

static const char *cluster_of(struct json_object *list, size_t i)
{
	const char *name = jsontree_text(json_object_array_get_idx(list, i), "clusterName", NULL);

	return name ? name : "";
}

/* The cluster's item; NULL: it has none. */
static enum err find_item(struct json_object *federated, const char *cluster,
                          struct json_object **out, struct reason *why)
{
	struct json_object *list;
	enum err err = list_of(federated, &list, why);

	*out = NULL;
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		if (strcmp(cluster_of(list, i), cluster) != 0)
			continue;
		if (*out)
			return reason_set(why, ERR_CONFLICT, "it has overrides more than once");
		*out = json_object_array_get_idx(list, i);
	}
	return ERR_OK;
}

static enum err apply(struct json_object *item, struct json_object *object,
                      struct json_object **out, struct reason *why)
{
	struct edit *edits;
	size_t count, moved = 0;
	struct json_object *copy;
	enum err err = read_edits(item, &edits, &count, why);

	if (err != ERR_OK)
		return err;
	copy = jsontree_copy(object);
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err = edit_object(copy, &edits[i], &moved, why);
	free(edits);
	if (err == ERR_OK)
		*out = copy;
	else
		json_object_put(copy);
	return err;
}

enum err override_apply(struct json_object *federated, const char *cluster,
                        struct json_object *object, struct json_object **out, struct reason *why)
{
	struct json_object *item;
	enum err err = find_item(federated, cluster, &item, why);
	char buf[SHOWN];

	*out = NULL;
	if (err == ERR_OK && !item)
		*out = jsontree_copy(object);
	else if (err == ERR_OK)
		err = apply(item, object, out, why);
	if (err != ERR_OK)
		reason_prefix(why, "cluster '%s': ", shown(cluster, buf));
	return err;
}

static bool leads_to(const char *path, const char *spot)
{
	size_t len = strlen(path);

	return strncmp(path, spot, len) == 0 && (spot[len] == '\0' || spot[len] == '/');
}

bool override_touches(struct json_object *federated, const char *cluster, const char *path)
{
	struct json_object *item;
	struct reason why = {0};
	struct edit *edits;
	size_t count;
	bool touches = false;

	if (find_item(federated, cluster, &item, &why) != ERR_OK || !item ||
	    read_edits(item, &edits, &count, &why) != ERR_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		touches |= leads_to(edits[i].path, path);
	free(edits);
	return touches;
}
