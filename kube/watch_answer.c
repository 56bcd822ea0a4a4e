/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch_answer.h"

#include <json-c/json_object.h>

#include "kube/object.h"

enum { WORDS_MOST = 200 };

bool watch_answer_is_list(struct json_object *list, const struct kube_watch_settings *settings,
                          struct bytes *version, struct bytes *more)
{
	struct bytes kind = object_text(list, "kind", NULL);
	struct text want = {0};
	bool is;

	text_printf(&want, "%sList", settings->resource.kind);
	is = bytes_equal_text(kind, want.data) || bytes_equal_text(kind, "List") ||
	     (settings->metadata_only && bytes_equal_text(kind, "PartialObjectMetadataList"));
	text_fini(&want);
	*version = object_text(list, "metadata", "resourceVersion", NULL);
	*more = object_text(list, "metadata", "continue", NULL);
	return is;
}

struct text watch_answer_words(struct json_tokener *tokener, struct bytes body, int status,
                               const struct kube_access *access)
{
	struct json_object *object = object_parse(tokener, body);
	struct bytes message = object_text(object, "message", NULL);
	struct text words = {0};

	text_printf(&words, "%d", status);
	if (message.len > 0 && !kube_access_is_in(access, message)) {
		text_add(&words, " ");
		for (size_t i = 0; i < message.len && i < WORDS_MOST; i++)
			text_printf(&words, "%c", message.data[i] >= ' ' ? message.data[i] : ' ');
	}
	json_object_put(object);
	return words;
}
