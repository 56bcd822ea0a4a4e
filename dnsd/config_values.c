/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <string.h>

#include "dnsd/config_parts.h"

const char *config_text(struct conf_file *file, struct json_object *mapping,
                        struct json_object *value, const char *key)
{
	const char *text = json_object_get_string(value);

	bool is_text = json_object_is_type(value, json_type_string) &&
	               strlen(text) == (size_t)json_object_get_string_len(value);

	if (is_text && *text)
		return text;
	conf_complain(file, value ? value : mapping, "%s must %s", key,
	              is_text ? "not be empty" : "be a text");
	return NULL;
}

size_t config_list(struct conf_file *file, struct json_object *value, const char *key)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value);
	if (value)
		conf_complain(file, value, "%s must be a list", key);
	return 0;
}

bool config_mapping(struct conf_file *file, struct json_object *list, struct json_object *mapping,
                    const char *path, config_key_fn *read, void *out)
{
	struct json_object_iterator at, end;

	if (!json_object_is_type(mapping, json_type_object)) {
		conf_complain(file, mapping ? mapping : list, "%s must be a list of mappings",
		              path);
		return false;
	}
	at = json_object_iter_begin(mapping);
	end = json_object_iter_end(mapping);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *value = json_object_iter_peek_value(&at);

		if (!read(file, mapping, key, value, out))
			conf_complain(file, value ? value : mapping, "unknown key '%s.%.100s'",
			              path, key);
	}
	return true;
}
