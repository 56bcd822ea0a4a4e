/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/settings.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "propagator/complaints.h"
#include "propagator/goduration.h"
#include "propagator/jsontree.h"

enum { PATH_ROOM = 96, NS_PER_MS = 1000000, GATES_MOST = 100 };

static const char *const on_off[] = {"Enabled", "Disabled", NULL};
static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
static const char *const locks[] = {"configmaps", "endpoints", NULL};
/* The last two are of KubeFed before 0.7, which stored configs still name. */
static const char *const gates[] = {
	"PushReconciler",   "RawResourceStatusCollection",  "SchedulerPreferences",
	"FederatedIngress", "CrossClusterServiceDiscovery", NULL};

enum kind { KIND_DURATION, KIND_COUNT, KIND_WORD };

/* Every field below spec but scope and featureGates: where it is, what it is without being said, where it goes. */
struct row {
	const char *section;
	const char *key;
	enum kind kind;
	uint64_t seconds;         /* of a duration */
	int64_t count;            /* of a count */
	const char *word;         /* of a word */
	const char *const *words; /* that it may be */
	size_t offset;            /* in struct settings */
};

#define DURATION(section, key, seconds, member)                                                    \
	{                                                                                          \
		section, key, KIND_DURATION, seconds, 0, NULL, NULL,                               \
			offsetof(struct settings, member)                                          \
	}
#define COUNT(section, key, count, member)                                                         \
	{                                                                                          \
		section, key, KIND_COUNT, 0, count, NULL, NULL, offsetof(struct settings, member)  \
	}

static const struct row rows[] = {
	DURATION("controllerDuration", "availableDelay", 20, available_delay_ms),
	DURATION("controllerDuration", "unavailableDelay", 60, unavailable_delay_ms),
	DURATION("controllerDuration", "cacheSyncTimeout", 300, cache_sync_timeout_ms),
	DURATION("leaderElect", "leaseDuration", 15, lease_duration_ms),
	DURATION("leaderElect", "renewDeadline", 10, renew_deadline_ms),
	DURATION("leaderElect", "retryPeriod", 5, retry_period_ms),
	{"leaderElect", "resourceLock", KIND_WORD, 0, 0, "configmaps", locks, 0},
	DURATION("clusterHealthCheck", "period", 10, health_period_ms),
	COUNT("clusterHealthCheck", "failureThreshold", 3, health_failure_threshold),
	COUNT("clusterHealthCheck", "successThreshold", 1, health_success_threshold),
	DURATION("clusterHealthCheck", "timeout", 3, health_timeout_ms),
	COUNT("syncController", "maxConcurrentReconciles", 1, sync_workers),
	{"syncController", "adoptResources", KIND_WORD, 0, 0, "Enabled", on_off, 0},
	COUNT("statusController", "maxConcurrentReconciles", 1, status_workers),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* --- defaults --- */

static struct json_object *default_of(const struct row *row)
{
	char duration[GODURATION_ROOM];

	switch (row->kind) {
	case KIND_DURATION:
		goduration_print(row->seconds, duration);
		return json_object_new_string(duration);
	case KIND_COUNT:
		return json_object_new_int64(row->count);
	case KIND_WORD:
		return json_object_new_string(row->word);
	}
	return NULL;
}

static const char *gate_name(struct json_object *gate)
{
	const char *name = jsontree_text(gate, "name", NULL);

	return name ? name : "";
}

static void add_gate(struct json_object *list, const char *name, bool is_on)
{
	struct json_object *gate;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(gate_name(json_object_array_get_idx(list, i)), name) == 0)
			return;
	gate = json_object_new_object();
	jsontree_set(gate, json_object_new_string(name), "name", NULL);
	jsontree_set(gate, json_object_new_string(is_on ? "Enabled" : "Disabled"), "configuration",
	             NULL);
	json_object_array_add(list, gate);
}

static int by_gate_name(const void *a, const void *b)
{
	return strcmp(gate_name(*(struct json_object *const *)a),
	              gate_name(*(struct json_object *const *)b));
}

/* What is there and no list is left as it is, for validation to name. */
static void default_gates(struct json_object *spec)
{
	struct json_object *list = jsontree_get(spec, "featureGates", NULL);

	if (!list) {
		list = json_object_new_array();
		jsontree_set(spec, list, "featureGates", NULL);
	}
	if (!json_object_is_type(list, json_type_array) ||
	    json_object_array_length(list) > GATES_MOST)
		return;
	add_gate(list, "PushReconciler", true);
	add_gate(list, "RawResourceStatusCollection", false);
	add_gate(list, "SchedulerPreferences", true);
	json_object_array_sort(list, by_gate_name);
}

struct json_object *settings_default(struct json_object *kubefed_config)
{
	struct json_object *spec = jsontree_copy(jsontree_get(kubefed_config, "spec", NULL));

	if (!spec)
		spec = json_object_new_object();
	if (!json_object_is_type(spec, json_type_object))
		return spec;
	for (size_t i = 0; i < ROWS; i++) {
		struct json_object *section = jsontree_get(spec, rows[i].section, NULL);

		if (section && !json_object_is_type(section, json_type_object))
			continue;
		if (!jsontree_get(section, rows[i].key, NULL))
			jsontree_set(spec, default_of(&rows[i]), rows[i].section, rows[i].key,
			             NULL);
	}
	default_gates(spec);
	return spec;
}

/* --- KubeFed's rules --- */

static void check_word(struct json_object *value, const char *path, const char *const *words,
                       struct complaints *c)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	if (!value || (text && text[0] == '\0')) {
		complain_required(c, path);
		return;
	}
	for (size_t i = 0; text && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return;
	complain_unsupported(c, path, value, words);
}

/* Nanoseconds; false: it is none. */
static bool read_duration(struct json_object *value, int64_t *out)
{
	return json_object_is_type(value, json_type_string) &&
	       goduration_parse(json_object_get_string(value), out);
}

static void check_row(struct json_object *value, const char *path, const struct row *row,
                      struct complaints *c)
{
	int64_t number = 0;

	if (row->kind == KIND_WORD)
		check_word(value, path, row->words, c);
	else if (!value)
		complain_required(c, path);
	else if (row->kind == KIND_DURATION && !read_duration(value, &number))
		complain_invalid(c, path, value, "is not a duration");
	else if (row->kind == KIND_COUNT && !json_object_is_type(value, json_type_int))
		complain_invalid(c, path, value, "is not a whole number");
	else if ((row->kind == KIND_COUNT ? json_object_get_int64(value) : number) <= 0)
		complain_invalid(c, path, value, "should be greater than 0");
}

/* A section that is missing is said once, not for each of its fields. */
static void check_rows(struct json_object *spec, struct complaints *c)
{
	const char *missing = "";

	for (size_t i = 0; i < ROWS; i++) {
		struct json_object *section = jsontree_get(spec, rows[i].section, NULL);
		char path[PATH_ROOM];

		if (strcmp(missing, rows[i].section) == 0)
			continue;
		snprintf(path, sizeof(path), "spec.%s", rows[i].section);
		if (!json_object_is_type(section, json_type_object)) {
			missing = rows[i].section;
			if (section)
				complain_invalid(c, path, section, "must be an object");
			else
				complain_required(c, path);
			continue;
		}
		snprintf(path, sizeof(path), "spec.%s.%s", rows[i].section, rows[i].key);
		check_row(jsontree_get(section, rows[i].key, NULL), path, &rows[i], c);
	}
}

static void check_lease(struct json_object *spec, struct complaints *c)
{
	struct json_object *lease = jsontree_get(spec, "leaderElect", "leaseDuration", NULL);
	struct json_object *renew = jsontree_get(spec, "leaderElect", "renewDeadline", NULL);
	int64_t lease_ns, renew_ns, retry_ns;
	bool has_renew = read_duration(renew, &renew_ns);

	if (has_renew && read_duration(lease, &lease_ns) && lease_ns <= renew_ns)
		complain_invalid(c, "spec.leaderElect.leaseDuration", lease,
		                 "leaseDuration must be greater than renewDeadline");
	if (has_renew &&
	    read_duration(jsontree_get(spec, "leaderElect", "retryPeriod", NULL), &retry_ns) &&
	    (double)renew_ns <= (double)retry_ns * 1.2)
		complain_invalid(
			c, "spec.leaderElect.renewDeadline", renew,
			"renewDeadline must be greater than retryPeriod*JitterFactor(1.2)");
}

static void check_gate(struct json_object *list, size_t at, struct complaints *c)
{
	struct json_object *gate = json_object_array_get_idx(list, at);
	struct json_object *name = jsontree_get(gate, "name", NULL);

	for (size_t i = 0; i < at; i++)
		if (strcmp(gate_name(json_object_array_get_idx(list, i)), gate_name(gate)) == 0) {
			complain_duplicate(c, "spec.featureGates.name", name);
			return;
		}
	check_word(name, "spec.featureGates.name", gates, c);
	check_word(jsontree_get(gate, "configuration", NULL), "spec.featureGates.configuration",
	           on_off, c);
}

static void check_gates(struct json_object *spec, struct complaints *c)
{
	struct json_object *list = jsontree_get(spec, "featureGates", NULL);

	if (!list) {
		complain_required(c, "spec.featureGates");
	} else if (!json_object_is_type(list, json_type_array) ||
	           json_object_array_length(list) > GATES_MOST) {
		complain_invalid(c, "spec.featureGates", list, "must be a list of gates");
	} else {
		for (size_t i = 0; i < json_object_array_length(list); i++)
			check_gate(list, i, c);
	}
}

static void check_spec(struct json_object *spec, struct json_object *before, struct complaints *c)
{
	struct json_object *scope = jsontree_get(spec, "scope", NULL);

	check_word(scope, "spec.scope", scopes, c);
	if (before && !json_object_equal(scope, jsontree_get(before, "spec", "scope", NULL)))
		complain_invalid(c, "spec.scope", scope, "field is immutable");
	check_rows(spec, c);
	check_lease(spec, c);
	check_gates(spec, c);
}

bool settings_admit(struct json_object *kubefed_config, struct json_object *before,
                    struct text *messages)
{
	struct complaints c = {0};
	bool admitted;

	check_spec(jsontree_get(kubefed_config, "spec", NULL), before, &c);
	complaints_print(&c, messages);
	admitted = c.count == 0;
	complaints_fini(&c);
	return admitted;
}

/* --- reading --- */

static bool has_gate(struct json_object *spec, const char *name)
{
	struct json_object *list = jsontree_get(spec, "featureGates", NULL);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *gate = json_object_array_get_idx(list, i);

		if (strcmp(gate_name(gate), name) == 0)
			return strcmp(jsontree_text(gate, "configuration", NULL), "Enabled") == 0;
	}
	return false;
}

static void take_row(struct json_object *spec, const struct row *row, struct settings *out)
{
	struct json_object *value = jsontree_get(spec, row->section, row->key, NULL);
	char *place = (char *)out + row->offset;
	int64_t ns;

	if (row->kind == KIND_COUNT) {
		int64_t count = json_object_get_int64(value);

		memcpy(place, &count, sizeof(count));
	} else if (row->kind == KIND_DURATION && read_duration(value, &ns)) {
		uint64_t ms = (uint64_t)ns < NS_PER_MS ? 1 : (uint64_t)ns / NS_PER_MS;

		memcpy(place, &ms, sizeof(ms));
	}
}

static bool is_word(struct json_object *spec, const char *section, const char *key,
                    const char *word)
{
	const char *text =
		section ? jsontree_text(spec, section, key, NULL) : jsontree_text(spec, key, NULL);

	return text && strcmp(text, word) == 0;
}

/* Of a spec that obeys the rules. */
static struct settings take(struct json_object *spec)
{
	struct settings s = {0};

	for (size_t i = 0; i < ROWS; i++)
		take_row(spec, &rows[i], &s);
	s.cluster_scope = is_word(spec, NULL, "scope", "Cluster");
	s.adopt_resources = is_word(spec, "syncController", "adoptResources", "Enabled");
	s.push_reconciler = has_gate(spec, "PushReconciler");
	s.scheduler_preferences = has_gate(spec, "SchedulerPreferences");
	s.raw_status_collection = has_gate(spec, "RawResourceStatusCollection");
	return s;
}

struct settings settings_initial(void)
{
	struct json_object *spec = settings_default(NULL);
	struct settings s;

	jsontree_set(spec, json_object_new_string("Cluster"), "scope", NULL);
	s = take(spec);
	json_object_put(spec);
	return s;
}

enum err settings_read(struct json_object *kubefed_config, struct settings *out, struct reason *why)
{
	struct json_object *spec = settings_default(kubefed_config);
	struct complaints c = {0};
	enum err err;

	check_spec(spec, NULL, &c);
	err = complaints_end(&c, why);
	if (err == ERR_OK)
		*out = take(spec);
	json_object_put(spec);
	return err;
}
