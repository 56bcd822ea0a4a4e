/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <json-c/json_tokener.h>

/* RFC 7396 2; `to` is an object, `patch` too. */
static void merge(struct json_object *to, struct json_object *patch)
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
			merge(old, value);
		}
	}
}

static void put(struct fakeapi *f, struct kind *k, struct json_object *object)
{
	struct json_object *metadata = json_object_object_get(object, "metadata");
	struct shape s = {0};

	json_object_object_del(metadata, "resourceVersion");
	json_object_object_del(metadata, "managedFields");
	text_add(&s.json, json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	shape_read(&s, k);
	store_put(f, k, &s);
	shape_fini(&s);
}

bool patch_apply(struct fakeapi *f, struct kind *k, const struct object *o, struct bytes patch)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *said =
		json_tokener_parse_ex(tokener, (const char *)patch.data, (int)patch.len);
	struct json_object *object = json_tokener_parse(o->text);
	bool is_good = json_object_is_type(said, json_type_object);

	if (is_good) {
		merge(object, said);
		put(f, k, object);
	}
	json_object_put(object);
	json_object_put(said);
	json_tokener_free(tokener);
	return is_good;
}
