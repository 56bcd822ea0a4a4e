/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <json-c/json.h>
#include <json-c/json_object_iterator.h>
#include <json-c/json_pointer.h>
#include <json-c/json_util.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* --- RFC 7396 --- */

/* `to` is an object, `patch` too. */
void patch_merge(struct json_object *to, struct json_object *patch)
{
	struct json_object_iterator at = json_object_iter_begin(patch);
	struct json_object_iterator end = json_object_iter_end(patch);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *value = json_object_iter_peek_value(&at), *old = NULL;

		if (!value) {
			json_object_object_del(to, key);
		} else if (!json_object_is_type(value, json_type_object)) {
			json_object_object_add(to, key, json_object_get(value));
		} else {
			json_object_object_get_ex(to, key, &old);
			if (!json_object_is_type(old, json_type_object)) {
				old = json_object_new_object();
				json_object_object_add(to, key, old);
			}
			patch_merge(old, value);
		}
	}
}

/* --- RFC 6902 --- */

/* A token of a JSON pointer without its escapes (RFC 6901 4). */
static char *unescaped(const char *token)
{
	char *out = xstrdup(token), *to = out;

	for (const char *p = out; *p; p++) {
		*to = *p;
		if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
			*to = *++p == '0' ? '~' : '/';
		to++;
	}
	*to = '\0';
	return out;
}

/* What holds the value at `path`; *last is its name there, which the caller frees. */
static struct json_object *parent_of(struct json_object *tree, const char *path, char **last)
{
	const char *slash = strrchr(path, '/');
	char *up = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	struct json_object *parent = NULL;

	if (!slash || json_pointer_get(tree, up, &parent) != 0)
		parent = NULL;
	*last = unescaped(slash ? slash + 1 : "");
	free(up);
	return parent;
}

static bool insert_item(struct json_object *list, size_t i, struct json_object *value)
{
	size_t count = json_object_array_length(list);

	if (i > count || json_object_array_add(list, json_object_get(value)) != 0)
		return false;
	for (size_t at = count; at > i; at--)
		json_object_array_put_idx(list, at,
		                          json_object_get(json_object_array_get_idx(list, at - 1)));
	return i == count || json_object_array_put_idx(list, i, json_object_get(value)) == 0;
}

static bool put_item(struct json_object *list, const char *at, struct json_object *value,
                     bool replaces)
{
	size_t count = json_object_array_length(list), i = strtoul(at, NULL, 10);

	if (strcmp(at, "-") == 0)
		return json_object_array_add(list, json_object_get(value)) == 0;
	if (replaces)
		return i < count && json_object_array_put_idx(list, i, json_object_get(value)) == 0;
	return insert_item(list, i, value);
}

static bool put_at(struct json_object *tree, const char *path, struct json_object *value,
                   bool replaces)
{
	char *last;
	struct json_object *parent = parent_of(tree, path, &last);
	bool done = false;

	if (json_object_is_type(parent, json_type_array))
		done = put_item(parent, last, value, replaces);
	else if (json_object_is_type(parent, json_type_object) &&
	         (!replaces || json_object_object_get_ex(parent, last, NULL)))
		done = json_object_object_add(parent, last, json_object_get(value)) == 0;
	free(last);
	return done;
}

static bool remove_at(struct json_object *tree, const char *path)
{
	char *last;
	struct json_object *parent = parent_of(tree, path, &last);
	bool done = false;

	if (json_object_is_type(parent, json_type_array)) {
		done = json_object_array_del_idx(parent, strtoul(last, NULL, 10), 1) == 0;
	} else if (json_object_is_type(parent, json_type_object)) {
		done = json_object_object_get_ex(parent, last, NULL);
		json_object_object_del(parent, last);
	}
	free(last);
	return done;
}

bool patch_json(struct json_object **to, struct json_object *patch)
{
	bool good = json_object_is_type(patch, json_type_array);

	for (size_t i = 0; good && i < json_object_array_length(patch); i++) {
		struct json_object *step = json_object_array_get_idx(patch, i), *found = NULL;
		struct json_object *value = json_object_object_get(step, "value");
		const char *op = json_object_get_string(json_object_object_get(step, "op"));
		const char *path = json_object_get_string(json_object_object_get(step, "path"));

		if (!op || !path)
			return false;
		if (strcmp(op, "test") == 0)
			good = json_pointer_get(*to, path, &found) == 0 &&
			       json_object_equal(found, value);
		else if (strcmp(op, "remove") == 0)
			good = remove_at(*to, path);
		else
			good = (strcmp(op, "add") == 0 || strcmp(op, "replace") == 0) &&
			       put_at(*to, path, value, strcmp(op, "replace") == 0);
	}
	return good;
}

void patch_secret(struct json_object *secret)
{
	struct json_object *text, *data;

	if (!json_object_object_get_ex(secret, "stringData", &text) ||
	    !json_object_is_type(text, json_type_object))
		return;
	if (!json_object_object_get_ex(secret, "data", &data)) {
		data = json_object_new_object();
		json_object_object_add(secret, "data", data);
	}
	json_object_object_foreach(text, key, value)
	{
		char *encoded = tls_base64(json_object_get_string(value),
		                           (size_t)json_object_get_string_len(value));

		json_object_object_add(data, key, json_object_new_string(encoded));
		free(encoded);
	}
	json_object_object_del(secret, "stringData");
}
