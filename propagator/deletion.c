/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/deletion.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "propagator/jsontree.h"

enum { DEPTH = 8, TEXT_MOST = 256 * 1024 }; /* what all annotations of an object may be together */

static struct json_object *parse(const char *text)
{
	size_t len = strlen(text);
	json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *object = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	if (len <= TEXT_MOST)
		object = json_tokener_parse_ex(tokener, text, (int)len + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static bool is_policy(struct json_object *value)
{
	static const char *const policies[] = {"Orphan", "Background", "Foreground", NULL};

	for (size_t i = 0; policies[i]; i++)
		if (json_object_is_type(value, json_type_string) &&
		    strcmp(json_object_get_string(value), policies[i]) == 0)
			return true;
	return false;
}

static bool is_right(const char *key, struct json_object *value)
{
	if (strcmp(key, "gracePeriodSeconds") == 0)
		return json_object_is_type(value, json_type_int) &&
		       json_object_get_int64(value) >= 0;
	if (strcmp(key, "propagationPolicy") == 0)
		return is_policy(value);
	if (strcmp(key, "preconditions") == 0)
		return json_object_is_type(value, json_type_object);
	return json_object_is_type(value, json_type_boolean);
}

enum err deletion_options(struct json_object *federated, struct json_object **out,
                          struct reason *why)
{
	static const char *const known[] = {"gracePeriodSeconds", "propagationPolicy",
	                                    "preconditions", "orphanDependents", NULL};
	const char *text =
		jsontree_text(federated, "metadata", "annotations", DELETION_ANNOTATION, NULL);
	struct json_object *said = text ? parse(text) : NULL;
	enum err err = ERR_OK;

	*out = NULL;
	if (text && !said)
		return reason_set(why, ERR_PARSE, DELETION_ANNOTATION ": is no JSON object");
	*out = json_object_new_object();
	for (size_t i = 0; known[i] && err == ERR_OK; i++) {
		struct json_object *value = jsontree_get(said, known[i], NULL);

		if (value && is_right(known[i], value))
			jsontree_set(*out, json_object_get(value), known[i], NULL);
		else if (value)
			err = reason_set(why, ERR_PARSE, DELETION_ANNOTATION ": %s is wrong",
			                 known[i]);
	}
	json_object_put(said);
	if (err != ERR_OK) {
		json_object_put(*out);
		*out = NULL;
	}
	return err;
}
