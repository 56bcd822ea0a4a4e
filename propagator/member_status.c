/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_status.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/member_nodes.h"
#include "propagator/plain_json.h"

enum { HEARTBEAT_MS = 60000 };

struct member_status {
	const struct members_settings *settings;
	char *name;
	struct json_object *stored; /* .status as it was last seen; NULL: none, or not seen */
	struct json_object *labels; /* of the KubeFedCluster; NULL: none */
	struct dispatch_job *writing;
	uint64_t written_ms; /* 0: never */
};

static const struct kube_resource clusters = {"core.kubefed.io", "v1beta1", "kubefedclusters",
                                              "KubeFedCluster"};

/* --- conditions --- */

struct say {
	const char *type, *status, *reason, *message;
};

static bool is_text(struct json_object *object, const char *key, const char *text)
{
	struct json_object *is;

	return json_object_object_get_ex(object, key, &is) && is &&
	       strcmp(json_object_get_string(is), text) == 0;
}

static void add_condition(const struct member_status *s, struct json_object *list,
                          const struct say *say, bool *changed)
{
	struct json_object *c = json_object_new_object(), *before, *since = NULL;
	char now[CLOCK_TEXT_SIZE];

	before = condition_in(s->stored, say->type);
	clock_print(clock_unix_s(), now);
	if (!is_text(before, "reason", say->reason) || !is_text(before, "message", say->message))
		*changed = true;
	if (is_text(before, "status", say->status))
		json_object_object_get_ex(before, "lastTransitionTime", &since);
	else
		*changed = true;
	json_object_object_add(c, "type", json_object_new_string(say->type));
	json_object_object_add(c, "status", json_object_new_string(say->status));
	json_object_object_add(c, "reason", json_object_new_string(say->reason));
	json_object_object_add(c, "message", json_object_new_string(say->message));
	json_object_object_add(c, "lastProbeTime", json_object_new_string(now));
	json_object_object_add(c, "lastTransitionTime",
	                       since ? json_object_get(since) : json_object_new_string(now));
	json_object_array_add(list, c);
}

/* Seconds; 0: it says none. */
static int64_t time_of(struct json_object *condition, const char *key)
{
	int64_t at;

	return text_to_time(object_text(condition, key, NULL), &at) ? at : 0;
}

bool member_status_was(const struct member_status *s, struct threshold *out)
{
	struct json_object *ready = condition_in(s->stored, "Ready");
	struct json_object *offline = condition_in(s->stored, "Offline");
	struct json_object *is = ready ? ready : offline;

	if (!is)
		return false;
	*out = threshold_known(is_text(ready, "status", "True"), time_of(is, "lastProbeTime"),
	                       time_of(is, "lastTransitionTime"));
	return true;
}

/* --- place --- */

static struct json_object *label_of(const struct member_status *s, const char *newer,
                                    const char *older)
{
	struct json_object *is;

	if (!json_object_object_get_ex(s->labels, newer, &is) &&
	    !json_object_object_get_ex(s->labels, older, &is))
		return NULL;
	return json_object_get_string_len(is) > 0 ? is : NULL;
}

/* Takes `value`; NULL: nothing is known, and nothing is said. */
static void add_value(const struct member_status *s, struct json_object *status, const char *key,
                      struct json_object *value, bool *changed)
{
	struct json_object *stored = NULL;

	if (!value)
		return;
	json_object_object_get_ex(s->stored, key, &stored);
	*changed |= !json_object_equal(stored, value);
	json_object_object_add(status, key, value);
}

static void add_place(const struct member_status *s, struct json_object *status,
                      const struct member_nodes *nodes, bool *changed)
{
	struct json_object *region = label_of(s, "topology.kubernetes.io/region",
	                                      "failure-domain.beta.kubernetes.io/region");
	struct json_object *zone = label_of(s, "topology.kubernetes.io/zone",
	                                    "failure-domain.beta.kubernetes.io/zone");
	struct json_object *zones = NULL;

	if (region)
		json_object_get(region);
	else if (nodes && member_nodes_region(nodes)[0] != '\0')
		region = json_object_new_string(member_nodes_region(nodes));
	if (zone) {
		zones = json_object_new_array();
		json_object_array_add(zones, json_object_get(zone));
	} else if (nodes) {
		zones = json_object_get(member_nodes_zones(nodes));
	}
	add_value(s, status, "region", region, changed);
	add_value(s, status, "zones", zones, changed);
}

/* --- writing --- */

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct member_status *s = arg;

	s->writing = NULL;
	if (kube_answer_is_good(answer) && answer->object)
		member_status_saw(s, answer->object);
}

/* Takes `status`. */
static void write_status(struct member_status *s, struct json_object *status)
{
	struct json_object *patch = json_object_new_object();
	const char *body;
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = clusters,
		.namespace = s->settings->namespace,
		.name = s->name,
		.subresource = "status",
		.field_manager = FIELD_MANAGER,
	};

	json_object_object_add(patch, "status", status);
	body = json_object_to_json_string_ext(patch, PLAIN_JSON);
	write.body = bytes_of(body);
	s->written_ms = clock_monotonic_ms();
	s->writing = dispatch_add(s->settings->host_dispatch, &write, on_written, s);
	json_object_put(patch);
}

/* Another that led before may have written a moment ago. */
static bool is_heartbeat_due(const struct member_status *s)
{
	struct threshold was = {0};
	int64_t now = clock_unix_s(), ago;

	if (s->written_ms > 0)
		return clock_monotonic_ms() - s->written_ms >= HEARTBEAT_MS;
	if (!member_status_was(s, &was))
		return true;
	ago = now - was.probed_at_s;
	return ago < 0 || ago >= HEARTBEAT_MS / 1000;
}

/* `health` NULL: it cannot be asked. */
static void say_all(struct member_status *s, const struct say *say, size_t count,
                    const struct member_health *health)
{
	const char *version = health ? member_health_version(health) : "";
	struct json_object *status = json_object_new_object(), *list = json_object_new_array();
	bool changed = jsontree_count(jsontree_get(s->stored, "conditions", NULL)) != count;

	for (size_t i = 0; i < count; i++)
		add_condition(s, list, &say[i], &changed);
	json_object_object_add(status, "conditions", list);
	if (version[0] != '\0') {
		changed |= !is_text(s->stored, "kubernetesVersion", version);
		json_object_object_add(status, "kubernetesVersion",
		                       json_object_new_string(version));
	}
	add_place(s, status, health ? member_health_nodes(health) : NULL, &changed);
	if (!s->writing && (changed || is_heartbeat_due(s)))
		write_status(s, status);
	else
		json_object_put(status);
}

/* --- what is told --- */

void member_status_note(struct member_status *s, const struct member_health *health)
{
	static const struct say ready[] = {
		{"Ready", "True", "ClusterReady", "/healthz responded with ok"}};
	static const struct say not_ready[] = {
		{"Ready", "False", "ClusterNotReady", "/healthz responded without ok"},
		{"Offline", "False", "ClusterReachable", "cluster is reachable"}};
	static const struct say offline[] = {
		{"Offline", "True", "ClusterNotReachable", "cluster is not reachable"}};
	static const struct say denied[] = {{"Offline", "True", "ClusterNotReachable",
	                                     "cluster is not reachable: " MEMBER_HEALTH_DENIED}};

	const enum member_state state = member_health_state(health);

	if (state == MEMBER_READY)
		say_all(s, ready, 1, health);
	else if (state == MEMBER_NOT_READY)
		say_all(s, not_ready, 2, health);
	else if (state == MEMBER_OFFLINE)
		say_all(s, member_health_is_denied(health) ? denied : offline, 1, health);
}

void member_status_malformed(struct member_status *s, const char *why)
{
	const struct say malformed = {"ConfigMalformed", "True", "ClusterConfigMalformed", why};

	say_all(s, &malformed, 1, NULL);
}

void member_status_saw(struct member_status *s, struct json_object *object)
{
	struct json_object *status = NULL, *metadata, *labels = NULL;

	json_object_object_get_ex(object, "status", &status);
	json_object_put(s->stored);
	s->stored = json_object_get(status);
	if (json_object_object_get_ex(object, "metadata", &metadata))
		json_object_object_get_ex(metadata, "labels", &labels);
	json_object_put(s->labels);
	s->labels = json_object_get(labels);
}

struct member_status *member_status_new(const struct members_settings *settings, const char *name)
{
	struct member_status *s = xcalloc(1, sizeof(*s));

	s->settings = settings;
	s->name = xstrdup(name);
	return s;
}

void member_status_free(struct member_status *s)
{
	dispatch_cancel(s->writing);
	json_object_put(s->stored);
	json_object_put(s->labels);
	free(s->name);
	free(s);
}
