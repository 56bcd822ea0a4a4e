/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/by_cluster.h"

#include <json-c/json_object.h>
#include <string.h>

#include "propagator/condition.h"
#include "propagator/health.h"
#include "propagator/jsontree.h"
#include "propagator/render.h"
#include "propagator/schedule.h"
#include "propagator/version.h"

struct json_object *by_cluster_entry(struct json_object *federated, const char *cluster)
{
	struct json_object *list = jsontree_get(federated, "status", "clusters", NULL);

	for (size_t i = 0; i < jsontree_count(list); i++)
		if (strcmp(jsontree_word(jsontree_item(list, i), "name", NULL), cluster) == 0)
			return jsontree_item(list, i);
	return NULL;
}

static void put(struct json_object *out, const char *key, const char *text)
{
	json_object_object_add(out, key, json_object_new_string(text));
}

/* The member's word is newer than what the status says of it. */
static void put_health(struct json_object *out, struct json_object *entry,
                       const struct by_cluster_copy *copy, int64_t now_s)
{
	if (copy->object) {
		struct health health = health_of(copy->object, now_s);

		put(out, "health", health_state_text(health.state));
		put(out, "healthMessage", health.message);
	} else {
		put(out, "health", jsontree_word(entry, "health", "status", NULL));
		put(out, "healthMessage", jsontree_word(entry, "health", "message", NULL));
	}
}

static void put_copy(struct json_object *out, const struct by_cluster_copy *copy)
{
	char version[VERSION_ROOM];

	if (!copy->is_asked)
		return;
	if (copy->trouble[0] != '\0') {
		put(out, "unreachable", copy->trouble);
		return;
	}
	json_object_object_add(out, "exists", json_object_new_boolean(copy->object != NULL));
	if (!copy->object)
		return;
	put(out, "version", version_of(copy->object, version) ? version : "");
	json_object_object_add(
		out, "managed",
		json_object_new_boolean(strcmp(jsontree_word(copy->object, "metadata", "labels",
	                                                     RENDER_LABEL, NULL),
	                                       "true") == 0));
}

struct json_object *by_cluster_make(const char *cluster, bool is_placed,
                                    struct json_object *federated,
                                    struct json_object *propagated_version,
                                    const struct by_cluster_copy *copy, int64_t now_s)
{
	struct json_object *out = json_object_new_object();
	struct json_object *entry = by_cluster_entry(federated, cluster);
	struct version recorded;
	const char *state = jsontree_word(entry, "status", NULL);
	const char *version;

	version_read(propagated_version, &recorded);
	version = version_find(&recorded, cluster);
	put(out, "cluster", cluster);
	json_object_object_add(out, "placed", json_object_new_boolean(is_placed));
	/* KubeFed's word for what is well is none. */
	put(out, "state", !entry ? "" : *state ? state : "OK");
	put(out, "message", jsontree_word(entry, "message", NULL));
	put_health(out, entry, copy, now_s);
	put(out, "recorded", version ? version : "");
	put_copy(out, copy);
	version_fini(&recorded);
	return out;
}

struct json_object *by_cluster_excess(struct json_object *federated)
{
	struct json_object *condition = condition_find(federated, SCHEDULE_EXCESS_CONDITION), *out;

	if (strcmp(condition_status(federated, SCHEDULE_EXCESS_CONDITION), "True") != 0)
		return NULL;
	out = json_object_new_object();
	put(out, "reason", jsontree_word(condition, "reason", NULL));
	put(out, "message", jsontree_word(condition, "message", NULL));
	return out;
}
