/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/status.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "propagator/health.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/schedule.h"

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

static struct json_object *health_shown(const struct health *h)
{
	struct json_object *shown = json_object_new_object();

	add_text(shown, "status", health_state_text(h->state));
	add_text(shown, "reason", h->reason);
	add_text(shown, "message", h->state == HEALTH_CURRENT ? "" : h->message);
	return shown;
}

/* --- remote statuses --- */

static int by_length(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

static size_t length_of(const struct status_cluster *c)
{
	return c->remote_status ? strlen(c->remote_status) : 0;
}

/* The longest remote status that is shown: of one length all are, or none. */
static size_t longest_shown(const struct status_about *a)
{
	size_t *lengths = xcalloc(a->cluster_count, sizeof(*lengths));
	size_t sum = 0, longest = SIZE_MAX;

	for (size_t i = 0; i < a->cluster_count; i++)
		lengths[i] = length_of(&a->clusters[i]);
	if (a->cluster_count > 0)
		qsort(lengths, a->cluster_count, sizeof(*lengths), by_length);
	for (size_t i = 0; i < a->cluster_count && longest == SIZE_MAX; i++) {
		sum += lengths[i];
		if (a->remote_most > 0 && sum > a->remote_most)
			longest = lengths[i] - 1;
	}
	free(lengths);
	return longest;
}

static struct json_object *cluster_of(const struct status_cluster *c, size_t longest)
{
	struct json_object *item = json_object_new_object(), *remote = NULL;
	bool is_left_out = c->is_status_left_out || length_of(c) > longest;
	const char *message = c->message ? c->message : "";

	if (c->remote_status && !is_left_out)
		remote = json_tokener_parse(c->remote_status);
	if (is_left_out && message[0] == '\0')
		message = "its remoteStatus is too large to be shown here";
	add_text(item, "name", c->name);
	add_text(item, "status", state_text(c->state));
	if (remote)
		json_object_object_add(item, "remoteStatus", remote);
	add_text(item, "message", message);
	if (c->health)
		json_object_object_add(item, "health", health_shown(c->health));
	return item;
}

static struct json_object *clusters_of(const struct status_about *a)
{
	struct json_object *list = json_object_new_array();
	size_t longest;

	if (a->reason == STATUS_COMPUTE_PLACEMENT_FAILED)
		return list;
	longest = longest_shown(a);
	for (size_t i = 0; i < a->cluster_count; i++)
		json_object_array_add(list, cluster_of(&a->clusters[i], longest));
	return list;
}

/* --- conditions --- */

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

/* One with a message.  Its reason is what also a CRD of KubeFed keeps. */
static struct json_object *told_condition(struct json_object *previous, const char *type,
                                          const char *status, const char *reason,
                                          const char *message, int64_t now)
{
	struct json_object *before = condition_in(previous, type);
	bool moved = before && !says(before, "message", message);
	struct json_object *c = condition_of(before, type, status, reason, moved, now);

	add_text(c, "message", message);
	return c;
}

/* NULL: of none of the clusters is anything known. */
static struct json_object *healthy_of(struct json_object *previous, const struct status_about *a)
{
	struct health_roll roll = {0};
	struct health all;
	bool any = false;

	for (size_t i = 0; i < a->cluster_count; i++) {
		if (!a->clusters[i].health)
			continue;
		any = true;
		health_roll_add(&roll, a->clusters[i].name, a->clusters[i].health);
	}
	if (!any || a->reason == STATUS_COMPUTE_PLACEMENT_FAILED)
		return NULL;
	all = health_roll_up(&roll);
	return told_condition(previous, "Healthy",
	                      all.state == HEALTH_CURRENT   ? "True"
	                      : all.state == HEALTH_UNKNOWN ? "Unknown"
	                                                    : "False",
	                      all.reason[0] != '\0' ? all.reason : health_state_text(all.state),
	                      all.message, a->now);
}

/* NULL: there is none. */
static struct json_object *excess_of(struct json_object *previous, const struct status_about *a)
{
	if (!a->excess)
		return json_object_get(condition_in(previous, SCHEDULE_EXCESS_CONDITION));
	if (!a->excess->reason)
		return NULL;
	return told_condition(previous, SCHEDULE_EXCESS_CONDITION, "True", a->excess->reason,
	                      a->excess->message.text, a->now);
}

static struct json_object *conditions_of(struct json_object *previous, const struct status_about *a,
                                         bool moved)
{
	struct json_object *list = json_object_new_array();
	struct json_object *told[] = {healthy_of(previous, a), excess_of(previous, a)};
	const char *reason = reason_of(a);

	json_object_array_add(
		list, condition_of(condition_in(previous, "Propagation"), "Propagation",
	                           reason[0] == '\0' ? "True" : "False", reason, moved, a->now));
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (told[i])
			json_object_array_add(list, told[i]);
	return list;
}

/* --- all of it --- */

struct json_object *status_make(struct json_object *previous, const struct status_about *a)
{
	struct json_object *status = json_object_new_object(), *clusters = clusters_of(a);
	struct json_object *before;
	bool moved = a->updated;

	moved |= !previous || !json_object_object_get_ex(previous, "clusters", &before) ||
	         !json_object_equal(before, clusters);
	json_object_object_add(status, "observedGeneration", json_object_new_int64(a->generation));
	json_object_object_add(status, "conditions", conditions_of(previous, a, moved));
	json_object_object_add(status, "clusters", clusters);
	if (!previous || !json_object_equal(previous, status))
		return status;
	json_object_put(status);
	return NULL;
}

static uint64_t hash_of(struct json_object *value)
{
	return hash_fixed(bytes_of(value ? json_object_to_json_string(value) : ""));
}

static uint64_t hash_of_condition(struct json_object *condition)
{
	static const char *const members[] = {"type", "status", "reason", "message"};
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		hash = hash_mix(hash, hash_of(jsontree_get(condition, members[i], NULL)));
	return hash;
}

uint64_t status_hash(struct json_object *status)
{
	struct json_object *conditions = jsontree_get(status, "conditions", NULL);
	uint64_t hash = hash_mix(hash_of(jsontree_get(status, "observedGeneration", NULL)),
	                         hash_of(jsontree_get(status, "clusters", NULL)));

	for (size_t i = 0; i < jsontree_count(conditions); i++)
		hash = hash_mix(hash, hash_of_condition(jsontree_item(conditions, i)));
	return hash | 1;
}
