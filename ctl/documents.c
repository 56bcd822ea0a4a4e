/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/documents.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"

enum { READ_SIZE = 1 << 16 };

enum err documents_load(const char *path, struct buffer *out, struct reason *why)
{
	bool is_input = strcmp(path, "-") == 0;
	FILE *file = is_input ? stdin : fopen(path, "re");
	enum err err = ERR_OK;
	size_t got;

	if (!file)
		return reason_set(why, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
	do {
		got = fread(buffer_extend(out, READ_SIZE), 1, READ_SIZE, file);
		out->len -= READ_SIZE - got;
	} while (got > 0 && out->len <= DOCUMENTS_MOST);
	if (ferror(file))
		err = reason_set(why, ERR_NOTFOUND, "%s: %s", path, strerror(errno));
	else if (out->len > DOCUMENTS_MOST)
		err = reason_set(why, ERR_NOSPACE, "%s: longer than %d MiB", path,
		                 DOCUMENTS_MOST >> 20);
	if (!is_input)
		fclose(file);
	return err;
}

/* Without the lines that yaml.h keeps with each value. */
static void add(struct json_object *object, struct json_object *all)
{
	struct json_object *items = jsontree_get(object, "items", NULL);
	const char *kind = jsontree_word(object, "kind", NULL);
	size_t len = strlen(kind);

	if (len >= 4 && strcmp(kind + len - 4, "List") == 0 && items) {
		for (size_t i = 0; i < jsontree_count(items); i++)
			add(jsontree_item(items, i), all);
		return;
	}
	json_object_array_add(
		all, json_tokener_parse(json_object_to_json_string_ext(object, PLAIN_JSON)));
}

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	(void)line;
	add(root, arg);
	json_object_put(root);
}

enum err documents_read(const char *path, struct json_object **out, struct reason *why)
{
	struct buffer text = {0};
	struct reason said = {0};
	enum err err = documents_load(path, &text, why);

	*out = json_object_new_array();
	if (!err) {
		err = yaml_read((struct bytes){text.data, text.len}, on_document, *out, &said);
		if (err)
			reason_set(why, err, "%s:%s", path, said.text);
	}
	if (err) {
		json_object_put(*out);
		*out = NULL;
	}
	buffer_fini(&text);
	return err;
}
