/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/copy.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/selector.h"
#include "propagator/version.h"

static const char *const marked[] = {"labels", "annotations"};

static struct json_object *marks_in(struct json_object *object, const char *what)
{
	struct json_object *metadata, *marks;

	if (!json_object_object_get_ex(object, "metadata", &metadata) ||
	    !json_object_object_get_ex(metadata, what, &marks) ||
	    !json_object_is_type(marks, json_type_object))
		return NULL;
	return marks;
}

static struct bytes text_of(struct json_object *value)
{
	return (struct bytes){(const uint8_t *)json_object_get_string(value),
	                      (size_t)json_object_get_string_len(value)};
}

static uint64_t mark_of(const char *what, const char *key, struct json_object *value)
{
	return hash_mix(hash_fixed(bytes_of(what)),
	                hash_mix(hash_fixed(bytes_of(key)), hash_fixed(text_of(value))));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t count_marks(struct json_object *object)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(marked) / sizeof(*marked); i++) {
		struct json_object *marks = marks_in(object, marked[i]);

		count += marks ? (size_t)json_object_object_length(marks) : 0;
	}
	return count;
}

static void add_marks(struct copy *c, struct json_object *object)
{
	for (size_t i = 0; i < sizeof(marked) / sizeof(*marked); i++) {
		struct json_object *marks = marks_in(object, marked[i]);

		if (!marks)
			continue;
		json_object_object_foreach(marks, key, value) c->mark[c->mark_count++] =
			mark_of(marked[i], key, value);
	}
	qsort(c->mark, c->mark_count, sizeof(*c->mark), by_value);
}

static char *metadata_text(struct json_object *object, const char *member)
{
	struct bytes text = object_text(object, "metadata", member, NULL);

	return text_copy(text);
}

static int64_t replicas_of(struct json_object *object)
{
	struct json_object *spec, *replicas;

	if (!json_object_object_get_ex(object, "spec", &spec) ||
	    !json_object_object_get_ex(spec, "replicas", &replicas) ||
	    !json_object_is_type(replicas, json_type_int))
		return -1;
	return json_object_get_int64(replicas);
}

static bool is_workload(struct json_object *object)
{
	static const char *const kinds[] = {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet",
	                                    "Job"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(jsontree_word(object, "kind", NULL), kinds[i]) == 0)
			return true;
	return false;
}

static char *pods_of(struct json_object *object)
{
	struct text out = {0};

	if (is_workload(object) &&
	    selector_print(jsontree_get(object, "spec", "selector", NULL), &out))
		return text_take(&out);
	text_fini(&out);
	return NULL;
}

static void keep_health(struct copy *c, struct json_object *object, int64_t now_s)
{
	struct health h = health_of(object, now_s);

	c->health = h.state;
	if (h.state == HEALTH_CURRENT)
		return;
	c->reason = xstrdup(h.reason);
	c->message = xstrdup(h.message);
}

struct health copy_health(const struct copy *c)
{
	struct health h = {.state = c->health};

	(void)snprintf(h.reason, sizeof(h.reason), "%s", c->reason ? c->reason : "");
	(void)snprintf(h.message, sizeof(h.message), "%s", c->message ? c->message : "");
	return h;
}

static void keep_status(struct copy *c, struct json_object *object)
{
	struct json_object *status = jsontree_get(object, "status", NULL);
	const char *text;

	if (!status)
		return;
	text = json_object_to_json_string_ext(status, PLAIN_JSON);
	c->is_status_left_out = strlen(text) > COPY_STATUS_MOST;
	if (!c->is_status_left_out)
		c->remote_status = xstrdup(text);
}

static struct copy *new_copy(struct json_object *object, size_t marks)
{
	struct copy *c = xcalloc(1, sizeof(*c) + marks * sizeof(*c->mark));
	char version[VERSION_ROOM] = "";

	(void)version_of(object, version);
	c->version = xstrdup(version);
	c->resource_version = metadata_text(object, "resourceVersion");
	c->uid = metadata_text(object, "uid");
	c->deleting = object_text(object, "metadata", "deletionTimestamp", NULL).len > 0;
	return c;
}

struct copy *copy_bare(struct json_object *object)
{
	struct copy *c = new_copy(object, 0);

	c->is_bare = true;
	c->replicas = -1;
	c->health = HEALTH_UNKNOWN;
	return c;
}

struct copy *copy_of(struct json_object *object, bool with_status, int64_t now_s)
{
	struct copy *c = new_copy(object, count_marks(object));

	c->replicas = replicas_of(object);
	c->ready = jsontree_int(object, 0, "status", "readyReplicas", NULL);
	c->pods = pods_of(object);
	if (with_status)
		keep_status(c, object);
	keep_health(c, object, now_s);
	add_marks(c, object);
	return c;
}

void copy_free(void *copy)
{
	struct copy *c = copy;

	if (!c)
		return;
	free(c->version);
	free(c->resource_version);
	free(c->uid);
	free(c->pods);
	free(c->reason);
	free(c->message);
	free(c->remote_status);
	free(c);
}

static size_t length_of(const char *text) { return text ? strlen(text) : 0; }

size_t copy_bytes(const void *copy)
{
	const struct copy *c = copy;
	const char *const texts[] = {c->version, c->resource_version, c->uid,          c->pods,
	                             c->reason,  c->message,          c->remote_status};
	size_t bytes = sizeof(*c) + c->mark_count * sizeof(*c->mark);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		bytes += length_of(texts[i]);
	return bytes;
}

uint64_t copy_revision(const struct copy *c)
{
	return c ? hash_fixed(bytes_of(c->resource_version)) : 0;
}

uint64_t copy_revision_of(struct json_object *object)
{
	return hash_fixed(object_text(object, "metadata", "resourceVersion", NULL));
}

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' ? number : 0;
}

uint64_t copy_number(const struct copy *c) { return number_of(c->resource_version); }

uint64_t copy_number_of(struct json_object *object)
{
	char *text = metadata_text(object, "resourceVersion");
	uint64_t number = number_of(text);

	free(text);
	return number;
}

bool copy_has_marks(const struct copy *c, struct json_object *desired)
{
	for (size_t i = 0; i < sizeof(marked) / sizeof(*marked); i++) {
		struct json_object *marks = marks_in(desired, marked[i]);

		if (!marks)
			continue;
		json_object_object_foreach(marks, key, value)
		{
			uint64_t mark = mark_of(marked[i], key, value);

			if (!bsearch(&mark, c->mark, c->mark_count, sizeof(mark), by_value))
				return false;
		}
	}
	return true;
}
