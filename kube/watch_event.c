/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch_event.h"

#include <json-c/json_object.h>

#include "kube/object.h"

static void read_error(struct json_object *status, struct watch_event *out)
{
	struct json_object *details = NULL;
	long after_s;

	out->type = WATCH_EVENT_ERROR;
	out->code = object_number(status, "code", 0);
	if (json_object_is_type(status, json_type_object))
		json_object_object_get_ex(status, "details", &details);
	after_s = object_number(details, "retryAfterSeconds", 0);
	out->retry_after_ms = after_s > 0 && after_s < INT32_MAX ? (uint64_t)after_s * 1000 : 0;
}

static bool is_of(struct json_object *object, const char *kind, bool metadata_only)
{
	struct bytes is = object_text(object, "kind", NULL);

	return is.len == 0 || bytes_equal_text(is, kind) ||
	       (metadata_only && bytes_equal_text(is, "PartialObjectMetadata"));
}

static bool ends_initial_events(struct json_object *bookmark)
{
	struct bytes end =
		object_text(bookmark, "metadata", "annotations", "k8s.io/initial-events-end", NULL);

	return bytes_equal_text(end, "true");
}

static enum watch_event_type type_of(struct bytes type, struct json_object *object)
{
	if (bytes_equal_text(type, "ADDED"))
		return WATCH_EVENT_ADDED;
	if (bytes_equal_text(type, "MODIFIED"))
		return WATCH_EVENT_MODIFIED;
	if (bytes_equal_text(type, "DELETED"))
		return WATCH_EVENT_DELETED;
	if (bytes_equal_text(type, "BOOKMARK"))
		return ends_initial_events(object) ? WATCH_EVENT_LISTED : WATCH_EVENT_BOOKMARK;
	return WATCH_EVENT_BAD;
}

void watch_event_read(struct json_object *json, const char *kind, bool metadata_only,
                      struct watch_event *out)
{
	struct bytes type = object_text(json, "type", NULL);
	struct json_object *object = NULL;

	*out = (struct watch_event){.type = WATCH_EVENT_BAD};
	if (json_object_is_type(json, json_type_object))
		json_object_object_get_ex(json, "object", &object);
	if (bytes_equal_text(type, "ERROR")) {
		read_error(object, out);
		return;
	}
	if (!json_object_is_type(object, json_type_object))
		return;
	out->type = type_of(type, object);
	out->object = out->type != WATCH_EVENT_BAD ? object : NULL;
	if (out->type != WATCH_EVENT_BAD && !is_of(object, kind, metadata_only))
		out->type = WATCH_EVENT_STRANGE;
	else if (out->object)
		out->version = object_text(object, "metadata", "resourceVersion", NULL);
}
