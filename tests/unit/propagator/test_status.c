/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "propagator/health.h"
#include "propagator/schedule.h"
#include "propagator/status.h"

#define VECTORS "tests/vectors/kubefed/misc_vectors.json"

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return value ? json_object_get_string(value) : "";
}

static enum state state_named(const char *name)
{
	enum state s = STATE_FINE;

	while (strcmp(state_text(s), name) != 0)
		s++;
	return s;
}

/* Where KubeFed would write, and write again, for ever: a copy without a status has none to tell (its trap 17). */
static bool is_endless(struct json_object *c)
{
	static const char *const names[] = {"no collected remote status",
	                                    "empty remote status object"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text(c, "name"), names[i]) == 0)
			return true;
	return false;
}

static struct json_object *previous_of(struct json_object *vectors, struct json_object *c)
{
	struct json_object *previous = NULL, *remote = member(c, "previousRemoteStatus");
	struct json_object *condition;

	json_object_deep_copy(member(vectors, "previous"), &previous, NULL);
	/* As it is stored: times are there, and what is empty is not. */
	json_object_object_del(json_object_array_get_idx(member(previous, "clusters"), 0),
	                       "status");
	condition = json_object_array_get_idx(member(previous, "conditions"), 0);
	json_object_object_add(condition, "lastUpdateTime", json_object_new_string("then"));
	json_object_object_add(condition, "lastTransitionTime", json_object_new_string("then"));
	if (remote)
		json_object_object_add(json_object_array_get_idx(member(previous, "clusters"), 0),
		                       "remoteStatus", json_object_get(remote));
	return previous;
}

static bool changes(struct json_object *vectors, struct json_object *c)
{
	struct json_object *previous = previous_of(vectors, c), *now;
	struct json_object *remotes = member(c, "resourceStatusMap");
	struct status_cluster clusters[4];
	struct status_about about = {
		.generation = json_object_get_int64(member(c, "generation")),
		.clusters = clusters,
		.updated = json_object_get_boolean(member(c, "resourcesUpdated")),
		.now = 1000,
	};

	if (strcmp(text(c, "reason"), "NamespaceNotFederated") == 0)
		about.reason = STATUS_NAMESPACE_NOT_FEDERATED;
	json_object_object_foreach(member(c, "statusMap"), name, value)
	{
		struct json_object *remote = member(remotes, name);

		clusters[about.cluster_count++] = (struct status_cluster){
			.name = name,
			.state = state_named(json_object_get_string(value)),
			.remote_status = remote && json_object_object_length(remote) > 0
		                                 ? json_object_to_json_string(remote)
		                                 : NULL,
		};
	}
	now = status_make(previous, &about);
	json_object_put(previous);
	json_object_put(now);
	return now != NULL;
}

static void test_it_is_written_when_kubefed_wrote_it_but_not_for_ever(void **state)
{
	struct json_object *root = json_object_from_file(VECTORS);
	struct json_object *vectors = member(root, "federated_status_changed");
	struct json_object *cases = member(vectors, "cases");

	(void)state;
	assert_true(json_object_array_length(cases) == 17);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		bool expected = json_object_get_boolean(member(c, "expectedChanged"));

		if (is_endless(c))
			expected = false;
		if (changes(vectors, c) != expected)
			fail_msg("%s: %d", text(c, "name"), !expected);
	}
	json_object_put(root);
}

static void test_times_move_with_what_they_are_about(void **state)
{
	struct status_cluster cluster = {.name = "gondor"};
	struct status_about about = {.clusters = &cluster, .cluster_count = 1, .now = 1000};
	struct json_object *first = status_make(NULL, &about), *second, *third, *c;

	(void)state;
	about.now = 2000;
	assert_null(status_make(first, &about));
	about.updated = true;
	second = status_make(first, &about);
	c = json_object_array_get_idx(member(second, "conditions"), 0);
	assert_string_equal(text(c, "lastUpdateTime"), "1970-01-01T00:33:20Z");
	assert_string_equal(text(c, "lastTransitionTime"), "1970-01-01T00:16:40Z");
	cluster.state = STATE_UPDATE_FAILED;
	cluster.message = "403 Forbidden";
	third = status_make(second, &about);
	c = json_object_array_get_idx(member(third, "conditions"), 0);
	assert_string_equal(text(c, "status"), "False");
	assert_string_equal(text(c, "reason"), "CheckClusters");
	assert_string_equal(text(c, "lastTransitionTime"), "1970-01-01T00:33:20Z");
	c = json_object_array_get_idx(member(third, "clusters"), 0);
	assert_string_equal(text(c, "status"), "UpdateFailed");
	assert_string_equal(text(c, "message"), "403 Forbidden");
	json_object_put(first);
	json_object_put(second);
	json_object_put(third);
}

static void test_without_a_placement_no_cluster_is_listed(void **state)
{
	struct status_cluster cluster = {.name = "gondor"};
	struct status_about about = {.clusters = &cluster,
	                             .cluster_count = 1,
	                             .reason = STATUS_COMPUTE_PLACEMENT_FAILED};
	struct json_object *status = status_make(NULL, &about);

	(void)state;
	assert_int_equal(json_object_array_length(member(status, "clusters")), 0);
	assert_string_equal(
		text(json_object_array_get_idx(member(status, "conditions"), 0), "reason"),
		"ComputePlacementFailed");
	json_object_put(status);
}

static struct json_object *condition(struct json_object *status, const char *type)
{
	struct json_object *list = member(status, "conditions");

	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(text(json_object_array_get_idx(list, i), "type"), type) == 0)
			return json_object_array_get_idx(list, i);
	return NULL;
}

static struct health health(enum health_state state, const char *reason, const char *message)
{
	struct health h = {.state = state};

	snprintf(h.reason, sizeof(h.reason), "%s", reason);
	snprintf(h.message, sizeof(h.message), "%s", message);
	return h;
}

static void test_the_worst_health_is_that_of_all(void **state)
{
	struct health good = health(HEALTH_CURRENT, "", "Replicas: 3");
	struct health bad = health(HEALTH_IN_PROGRESS, "NoNodeFits", "no node takes it");
	struct status_cluster clusters[] = {{.name = "gondor", .health = &good},
	                                    {.name = "rohan", .health = &bad},
	                                    {.name = "shire", .state = STATE_CREATION_FAILED}};
	struct status_about about = {.clusters = clusters, .cluster_count = 3, .now = 1000};
	struct json_object *status = status_make(NULL, &about), *c = condition(status, "Healthy");
	struct json_object *shown;

	(void)state;
	assert_string_equal(text(c, "status"), "False");
	assert_string_equal(text(c, "reason"), "NoNodeFits");
	assert_string_equal(text(c, "message"),
	                    "is Current in 1 of 2 clusters; rohan InProgress: no node takes it");
	c = json_object_array_get_idx(member(status, "clusters"), 0);
	shown = member(c, "health");
	assert_string_equal(text(shown, "status"), "Current");
	assert_null(member(shown, "message"));
	c = json_object_array_get_idx(member(status, "clusters"), 1);
	shown = member(c, "health");
	assert_string_equal(text(shown, "status"), "InProgress");
	assert_string_equal(text(shown, "reason"), "NoNodeFits");
	assert_null(member(json_object_array_get_idx(member(status, "clusters"), 2), "health"));
	json_object_put(status);
}

static void test_what_is_unknown_is_neither_true_nor_false(void **state)
{
	struct health unknown = health_unknown("its cluster is not ready");
	struct status_cluster cluster = {.name = "gondor", .health = &unknown};
	struct status_about about = {.clusters = &cluster, .cluster_count = 1, .now = 1000};
	struct json_object *status = status_make(NULL, &about);

	(void)state;
	assert_string_equal(text(condition(status, "Healthy"), "status"), "Unknown");
	assert_string_equal(text(condition(status, "Healthy"), "reason"), "Unreachable");
	about.now = 2000;
	assert_null(status_make(status, &about));
	json_object_put(status);
}

static void test_words_of_health_move_the_update_alone(void **state)
{
	struct health h = health(HEALTH_IN_PROGRESS, "LessReady", "Ready: 1/3");
	struct status_cluster cluster = {.name = "gondor", .health = &h};
	struct status_about about = {.clusters = &cluster, .cluster_count = 1, .now = 1000};
	struct json_object *first = status_make(NULL, &about), *second, *c;

	(void)state;
	h = health(HEALTH_IN_PROGRESS, "LessReady", "Ready: 2/3");
	about.now = 2000;
	second = status_make(first, &about);
	c = condition(second, "Healthy");
	assert_string_equal(text(c, "lastUpdateTime"), "1970-01-01T00:33:20Z");
	assert_string_equal(text(c, "lastTransitionTime"), "1970-01-01T00:16:40Z");
	json_object_put(first);
	json_object_put(second);
}

/* --- more replicas than were asked for --- */

static void test_a_total_that_is_exceeded_is_a_condition_until_it_is_not(void **state)
{
	struct schedule_excess excess = schedule_excess(9, 9, 3);
	struct status_about about = {.excess = &excess, .now = 1000};
	struct json_object *first = status_make(NULL, &about), *second, *third, *c;

	(void)state;
	c = condition(first, "OverTotalReplicas");
	assert_string_equal(text(c, "status"), "True");
	assert_string_equal(text(c, "reason"), "ClustersNotReady");
	assert_string_equal(text(c, "message"), excess.message.text);
	about.now = 2000;
	assert_null(status_make(first, &about));
	excess = schedule_excess(9, 8, 3);
	second = status_make(first, &about);
	c = condition(second, "OverTotalReplicas");
	assert_string_equal(text(c, "message"), excess.message.text);
	assert_string_equal(text(c, "lastUpdateTime"), "1970-01-01T00:33:20Z");
	assert_string_equal(text(c, "lastTransitionTime"), "1970-01-01T00:16:40Z");
	excess = schedule_excess(9, 9, 0);
	third = status_make(second, &about);
	assert_non_null(third);
	assert_null(condition(third, "OverTotalReplicas"));
	json_object_put(first);
	json_object_put(second);
	json_object_put(third);
}

/* Who has just begun to lead has not planned anything. */
static void test_what_was_said_of_a_total_stays_until_it_is_known(void **state)
{
	struct schedule_excess excess = schedule_excess(9, 9, 3);
	struct status_about about = {.excess = &excess, .now = 1000};
	struct json_object *first = status_make(NULL, &about), *second;

	(void)state;
	about.excess = NULL;
	about.now = 2000;
	assert_null(status_make(first, &about));
	about.generation = 2;
	second = status_make(first, &about);
	assert_true(json_object_equal(condition(first, "OverTotalReplicas"),
	                              condition(second, "OverTotalReplicas")));
	json_object_put(first);
	json_object_put(second);
}

static void test_the_hash_of_a_status_is_that_of_all_but_its_times(void **state)
{
	struct status_cluster cluster = {.name = "gondor"};
	struct status_about about = {.clusters = &cluster, .cluster_count = 1, .now = 1000};
	struct json_object *first = status_make(NULL, &about), *second, *third;

	(void)state;
	about.now = 2000;
	second = status_make(NULL, &about);
	about.reason = STATUS_NAMESPACE_NOT_FEDERATED;
	third = status_make(NULL, &about);
	assert_true(status_hash(first) == status_hash(second));
	assert_true(status_hash(first) != status_hash(third));
	assert_true(status_hash(NULL) != 0);
	json_object_put(first);
	json_object_put(second);
	json_object_put(third);
}

static void test_conditions_without_a_type_are_none(void **state)
{
	const struct status_about about = {.generation = 1, .now = 1};
	struct json_object *before = json_tokener_parse(
		"{\"conditions\":[{\"type\":null},{\"type\":5},7],\"observedGeneration\":1}");
	struct json_object *status = status_make(before, &about);

	(void)state;
	assert_non_null(status);
	json_object_put(status);
	json_object_put(before);
}

/* --- remote statuses --- */

enum { CLUSTERS = 4 };

static struct json_object *remote_of(struct json_object *status, size_t i)
{
	return member(json_object_array_get_idx(member(status, "clusters"), i), "remoteStatus");
}

static struct json_object *status_with(const char *const *remote, size_t most)
{
	static const char *const names[CLUSTERS] = {"a", "b", "c", "d"};
	struct status_cluster clusters[CLUSTERS] = {0};
	struct status_about about = {
		.clusters = clusters, .cluster_count = CLUSTERS, .remote_most = most, .now = 1000};

	for (size_t i = 0; i < CLUSTERS; i++)
		clusters[i] = (struct status_cluster){.name = names[i], .remote_status = remote[i]};
	return status_make(NULL, &about);
}

static void test_of_too_many_remote_statuses_the_largest_are_left_out(void **state)
{
	static const char *const remote[CLUSTERS] = {"{\"x\":1}", "{\"x\":\"123456\"}", NULL,
	                                             "{\"x\":2}"};
	struct json_object *status = status_with(remote, 20);

	(void)state;
	assert_non_null(remote_of(status, 0));
	assert_null(remote_of(status, 1));
	assert_null(remote_of(status, 2));
	assert_non_null(remote_of(status, 3));
	assert_non_null(
		strstr(text(json_object_array_get_idx(member(status, "clusters"), 1), "message"),
	               "too large"));
	assert_string_equal(
		text(json_object_array_get_idx(member(status, "clusters"), 2), "message"), "");
	json_object_put(status);
	status = status_with(remote, 0);
	assert_non_null(remote_of(status, 1));
	json_object_put(status);
}

/* Which of them would be shown would be another with each write. */
static void test_remote_statuses_of_one_length_are_all_shown_or_none(void **state)
{
	static const char *const remote[CLUSTERS] = {"{\"x\":1}", "{\"x\":2}", "{\"x\":3}",
	                                             "{\"x\":4}"};
	struct json_object *all = status_with(remote, 28), *none = status_with(remote, 27);

	(void)state;
	for (size_t i = 0; i < CLUSTERS; i++) {
		assert_non_null(remote_of(all, i));
		assert_null(remote_of(none, i));
	}
	json_object_put(all);
	json_object_put(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_written_when_kubefed_wrote_it_but_not_for_ever),
		cmocka_unit_test(test_times_move_with_what_they_are_about),
		cmocka_unit_test(test_without_a_placement_no_cluster_is_listed),
		cmocka_unit_test(test_the_worst_health_is_that_of_all),
		cmocka_unit_test(test_what_is_unknown_is_neither_true_nor_false),
		cmocka_unit_test(test_words_of_health_move_the_update_alone),
		cmocka_unit_test(test_a_total_that_is_exceeded_is_a_condition_until_it_is_not),
		cmocka_unit_test(test_what_was_said_of_a_total_stays_until_it_is_known),
		cmocka_unit_test(test_the_hash_of_a_status_is_that_of_all_but_its_times),
		cmocka_unit_test(test_conditions_without_a_type_are_none),
		cmocka_unit_test(test_of_too_many_remote_statuses_the_largest_are_left_out),
		cmocka_unit_test(test_remote_statuses_of_one_length_are_all_shown_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
