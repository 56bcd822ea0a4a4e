/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/status.h"

#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"

static const char *reason_of(const struct status_about *a)
{
	if (a->reason == STATUS_COMPUTE_PLACEMENT_FAILED)
		return "ComputePlacementFailed";
	if (a->reason == STATUS_NAMESPACE_NOT_FEDERATED)
		return "NamespaceNotFederated";
	for (size_t i = 0; i < a->cluster_count; i++)
		if (a->clusters[i].state != STATE_FINE)
			return "CheckClusters";
	return "";
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	if (text && text[0] != '\0')
		json_object_object_add(to, key, json_object_new_string(text));
}

static struct json_object *health_of(const struct status_cluster *c)
{
	struct json_object *health = json_object_new_object();

	add_text(health, "status", c->health);
	add_text(health, "message", c->health_message);
	return health;
}

static struct json_object *cluster_of(const struct status_cluster *c)
{
	struct json_object *item = json_object_new_object();
	struct json_object *remote = c->remote_status ? json_tokener_parse(c->remote_status) : NULL;

	add_text(item, "name", c->name);
	add_text(item, "status", state_text(c->state));
	if (remote)
		json_object_object_add(item, "remoteStatus", remote);
	add_text(item, "message", c->message);
	if (c->health)
		json_object_object_add(item, "health", health_of(c));
	return item;
}

static struct json_object *clusters_of(const struct status_about *a)
{
	struct json_object *list = json_object_new_array();

	if (a->reason == STATUS_COMPUTE_PLACEMENT_FAILED)
		return list;
	for (size_t i = 0; i < a->cluster_count; i++)
		json_object_array_add(list, cluster_of(&a->clusters[i]));
	return list;
}

/* --- conditions --- */

static struct json_object *find_condition(struct json_object *status, const char *type)
{
	struct json_object *list, *is;

	if (!json_object_object_get_ex(status, "conditions", &list) ||
	    !json_object_is_type(list, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_object_get_ex(item, "type", &is) &&
		    strcmp(json_object_get_string(is), type) == 0)
			return item;
	}
	return NULL;
}

static bool says(struct json_object *object, const char *key, const char *text)
{
	struct json_object *is;
	const char *now = "";

	if (json_object_object_get_ex(object, key, &is) && is)
		now = json_object_get_string(is);
	return strcmp(now, text) == 0;
}

static void keep_text(struct json_object *to, const char *key, struct json_object *from,
                      const char *otherwise)
{
	struct json_object *is;

	if (from && json_object_object_get_ex(from, key, &is) && is)
		json_object_object_add(to, key, json_object_get(is));
	else
		add_text(to, key, otherwise);
}

/* `moved`: what it is about has changed. */
static struct json_object *condition_of(struct json_object *before, const char *type,
                                        const char *status, const char *reason, bool moved,
                                        int64_t now)
{
	struct json_object *c = json_object_new_object();
	bool same = before && says(before, "status", status) && says(before, "reason", reason);
	char time[CLOCK_TEXT_SIZE];

	clock_print(now, time);
	add_text(c, "type", type);
	add_text(c, "status", status);
	add_text(c, "reason", reason);
	keep_text(c, "lastUpdateTime", same && !moved ? before : NULL, time);
	keep_text(c, "lastTransitionTime", same ? before : NULL, time);
	return c;
}

/* The worst of what is known of the objects in the clusters; NULL: of none of them is anything known. */
static const char *worst_health(const struct status_about *a)
{
	static const char *const order[] = {"Current", "Unknown", "Terminating", "InProgress",
	                                    "Failed"};
	const size_t count = sizeof(order) / sizeof(*order);
	size_t worst = count;

	for (size_t i = 0; i < a->cluster_count; i++)
		for (size_t k = 0; a->clusters[i].health && k < count; k++)
			if (strcmp(order[k], a->clusters[i].health) == 0 &&
			    (worst == count || k > worst))
				worst = k;
	return worst < count ? order[worst] : NULL;
}

/* --- all of it --- */

struct json_object *status_make(struct json_object *previous, const struct status_about *a)
{
	struct json_object *status = json_object_new_object(), *clusters = clusters_of(a);
	struct json_object *before, *conditions = json_object_new_array();
	const char *reason = reason_of(a), *health = worst_health(a);
	bool moved = a->updated;

	moved |= !previous || !json_object_object_get_ex(previous, "clusters", &before) ||
	         !json_object_equal(before, clusters);
	json_object_object_add(status, "observedGeneration", json_object_new_int64(a->generation));
	json_object_array_add(conditions,
	                      condition_of(find_condition(previous, "Propagation"), "Propagation",
	                                   reason[0] == '\0' ? "True" : "False", reason, moved,
	                                   a->now));
	if (health)
		json_object_array_add(
			conditions, condition_of(find_condition(previous, "Healthy"), "Healthy",
		                                 strcmp(health, "Current") == 0 ? "True" : "False",
		                                 health, false, a->now));
	json_object_object_add(status, "conditions", conditions);
	json_object_object_add(status, "clusters", clusters);
	if (!previous || !json_object_equal(previous, status))
		return status;
	json_object_put(status);
	return NULL;
}
