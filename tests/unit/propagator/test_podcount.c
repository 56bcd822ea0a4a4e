/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "propagator/jsontree.h"
#include "propagator/podcount.h"

/* 2026-01-02T03:04:05Z */
enum { NOW = 1767323045 };

static void print_time(int64_t at, char *out, size_t size)
{
	time_t t = (time_t)at;
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	assert_true(strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
}

static struct json_object *condition(const char *type, const char *status, const char *reason,
                                     int64_t at)
{
	struct json_object *c = json_object_new_object();
	char time[32];

	print_time(at, time, sizeof(time));
	json_object_object_add(c, "type", json_object_new_string(type));
	json_object_object_add(c, "status", json_object_new_string(status));
	json_object_object_add(c, "reason", json_object_new_string(reason));
	json_object_object_add(c, "lastTransitionTime", json_object_new_string(time));
	return c;
}

/* A pod of that phase; with a condition, which it takes, or none. */
static struct json_object *pod(const char *phase, struct json_object *one)
{
	struct json_object *p = json_object_new_object(), *status = json_object_new_object();
	struct json_object *conditions = json_object_new_array();

	if (one)
		json_object_array_add(conditions, one);
	json_object_object_add(status, "phase", json_object_new_string(phase));
	json_object_object_add(status, "conditions", conditions);
	json_object_object_add(p, "status", status);
	return p;
}

static struct json_object *running(const char *ready)
{
	return pod("Running", condition("Ready", ready, "", NOW));
}

static struct json_object *unschedulable(int64_t for_s)
{
	return pod("Pending", condition("PodScheduled", "False", "Unschedulable", NOW - for_s));
}

static struct json_object *pod_of_vector(struct json_object *v)
{
	if (jsontree_get(v, "ready", NULL))
		return pod(jsontree_word(v, "phase", NULL),
		           condition("Ready", jsontree_word(v, "ready", NULL), "", NOW));
	if (jsontree_get(v, "podScheduled", NULL))
		return pod(jsontree_word(v, "phase", NULL),
		           condition("PodScheduled", jsontree_word(v, "podScheduled", NULL),
		                     jsontree_word(v, "reason", NULL),
		                     NOW - jsontree_int(v, 0, "ageSeconds", NULL)));
	return pod(jsontree_word(v, "phase", NULL), NULL);
}

static void test_every_vector_of_kubefed_is_counted_alike(void **state)
{
	struct json_object *file =
		json_object_from_file("tests/vectors/kubefed/planner_vectors.json");
	struct json_object *vectors = jsontree_get(file, "pod_analysis_vectors", NULL);

	(void)state;
	assert_int_equal(jsontree_count(vectors), 2);
	for (size_t i = 0; i < jsontree_count(vectors); i++) {
		struct json_object *v = jsontree_item(vectors, i),
				   *want = jsontree_get(v, "expected", NULL);
		struct json_object *pods = json_object_new_array();
		struct podcount got;

		for (size_t j = 0; j < jsontree_count(jsontree_get(v, "pods", NULL)); j++)
			json_object_array_add(pods, pod_of_vector(jsontree_item(
							    jsontree_get(v, "pods", NULL), j)));
		got = podcount_of(pods, NOW);
		assert_int_equal(got.total, jsontree_int(want, -1, "total", NULL));
		assert_int_equal(got.ready, jsontree_int(want, -1, "runningAndReady", NULL));
		assert_int_equal(got.unschedulable, jsontree_int(want, -1, "unschedulable", NULL));
		assert_true((got.recheck_in_s > 0) == jsontree_is_true(want, "recheck", NULL));
		json_object_put(pods);
	}
	json_object_put(file);
}

/* A list of pods, which end with NULL. */
static struct json_object *list(struct json_object *first, ...)
{
	struct json_object *pods = json_object_new_array();
	va_list more;

	va_start(more, first);
	for (struct json_object *p = first; p; p = va_arg(more, struct json_object *))
		json_object_array_add(pods, p);
	va_end(more);
	return pods;
}

static struct podcount count_and_put(struct json_object *pods)
{
	struct podcount count = podcount_of(pods, NOW);

	json_object_put(pods);
	return count;
}

static void test_a_pod_counts_when_its_condition_ready_is_true(void **state)
{
	struct podcount count =
		count_and_put(list(running("True"), running("False"), running("Unknown"),
	                           pod("Running", NULL), pod("Succeeded", NULL), NULL));

	(void)state;
	assert_int_equal(count.total, 5);
	assert_int_equal(count.ready, 1);
	assert_int_equal(count.unschedulable, 0);
	assert_int_equal(count.recheck_in_s, 0);
}

static void test_pods_being_deleted_count_as_nothing(void **state)
{
	struct json_object *gone = running("True"), *meta = json_object_new_object();
	struct podcount count;

	(void)state;
	json_object_object_add(meta, "deletionTimestamp",
	                       json_object_new_string("2026-01-02T03:04:00Z"));
	json_object_object_add(gone, "metadata", meta);
	count = count_and_put(list(running("True"), gone, NULL));
	assert_int_equal(count.total, 1);
	assert_int_equal(count.ready, 1);
}

static void test_sixty_seconds_without_a_node_are_not_yet_too_long(void **state)
{
	struct podcount count = count_and_put(list(unschedulable(60), NULL));

	(void)state;
	assert_int_equal(count.unschedulable, 0);
	assert_int_equal(count.recheck_in_s, 1);
	count = count_and_put(list(unschedulable(61), NULL));
	assert_int_equal(count.unschedulable, 1);
	assert_int_equal(count.recheck_in_s, 0);
}

static void test_one_looks_again_when_the_oldest_of_the_young_is_due(void **state)
{
	struct podcount count =
		count_and_put(list(unschedulable(10), unschedulable(40), unschedulable(20), NULL));

	(void)state;
	assert_int_equal(count.unschedulable, 0);
	assert_int_equal(count.recheck_in_s, 21);
	count = count_and_put(list(unschedulable(-100000), NULL)); /* a clock that is ahead */
	assert_int_equal(count.recheck_in_s, 61);
}

static void test_without_a_time_of_its_condition_a_pod_waits_since_it_is(void **state)
{
	struct json_object *pods = json_tokener_parse(
		"[{\"metadata\": {\"creationTimestamp\": \"2026-01-02T03:04:00Z\"}, \"status\": "
		"{\"phase\": \"Pending\", \"conditions\": [{\"type\": \"PodScheduled\", "
		"\"status\": "
		"\"False\", \"reason\": \"Unschedulable\"}]}}]");
	struct podcount count = count_and_put(pods);

	(void)state;
	assert_int_equal(count.unschedulable, 0);
	assert_int_equal(count.recheck_in_s, 56);
}

static void test_other_reasons_not_to_be_scheduled_are_none(void **state)
{
	struct podcount count = count_and_put(list(
		pod("Pending", condition("PodScheduled", "False", "SchedulingGated", NOW - 90)),
		pod("Pending", condition("PodScheduled", "True", "Unschedulable", NOW - 90)),
		NULL));

	(void)state;
	assert_int_equal(count.total, 2);
	assert_int_equal(count.unschedulable, 0);
}

static void test_what_is_no_pod_counts_in_total_alone(void **state)
{
	static const char *const strange[] = {"[null, 1, \"pod\", [], {\"status\": []}]",
	                                      "[{\"status\": {\"phase\": 7}}, {}, {}, {}, "
	                                      "{\"status\": {\"phase\": \"Running\", "
	                                      "\"conditions\": {\"Ready\": true}}}]"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct podcount count = count_and_put(json_tokener_parse(strange[i]));

		assert_int_equal(count.total, 5);
		assert_int_equal(count.ready + count.unschedulable + count.recheck_in_s, 0);
	}
	assert_int_equal(podcount_of(NULL, NOW).total, 0);
}

static struct podcount_measure measure(const char *target, struct json_object *pods)
{
	struct json_object *object = json_tokener_parse(target);
	struct podcount_measure m = podcount_measure(object, pods, NOW);

	assert_non_null(object);
	json_object_put(object);
	json_object_put(pods);
	return m;
}

static void test_a_workload_that_is_all_ready_needs_no_pods(void **state)
{
	struct json_object *all = json_tokener_parse(
		"{\"spec\": {\"replicas\": 3}, \"status\": {\"readyReplicas\": 3}}");
	struct json_object *none =
		json_tokener_parse("{\"spec\": {\"replicas\": 0}, \"status\": {}}");
	struct json_object *some = json_tokener_parse("{\"spec\": {\"replicas\": 3}}");
	struct podcount_measure m = podcount_measure(all, NULL, NOW);

	(void)state;
	assert_false(podcount_needs_pods(all));
	assert_false(podcount_needs_pods(none));
	assert_true(podcount_needs_pods(some));
	assert_int_equal(m.current, 3);
	assert_false(m.has_capacity);
	json_object_put(all);
	json_object_put(none);
	json_object_put(some);
}

static void test_pods_without_a_node_bound_the_capacity(void **state)
{
	const char *five = "{\"spec\": {\"replicas\": 5}, \"status\": {\"readyReplicas\": 4}}";
	struct podcount_measure m =
		measure(five, list(running("True"), running("True"), unschedulable(300),
	                           unschedulable(300), unschedulable(5), NULL));

	(void)state;
	assert_int_equal(m.current, 2);
	assert_true(m.has_capacity);
	assert_int_equal(m.capacity, 3);
	assert_int_equal(m.recheck_in_s, 56);
	m = measure(five, list(running("True"), NULL));
	assert_int_equal(m.current, 1);
	assert_false(m.has_capacity);
}

static void test_a_capacity_is_never_below_none(void **state)
{
	struct podcount_measure m = measure("{\"spec\": {\"replicas\": 1}}",
	                                    list(unschedulable(300), unschedulable(300), NULL));

	(void)state;
	assert_true(m.has_capacity);
	assert_int_equal(m.capacity, 0);
}

static void test_without_its_pods_the_status_of_a_workload_tells(void **state)
{
	struct podcount_measure m =
		measure("{\"spec\": {\"replicas\": 5}, \"status\": {\"readyReplicas\": 4}}", NULL);

	(void)state;
	assert_int_equal(m.current, 4);
	assert_false(m.has_capacity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_vector_of_kubefed_is_counted_alike),
		cmocka_unit_test(test_a_pod_counts_when_its_condition_ready_is_true),
		cmocka_unit_test(test_pods_being_deleted_count_as_nothing),
		cmocka_unit_test(test_sixty_seconds_without_a_node_are_not_yet_too_long),
		cmocka_unit_test(test_one_looks_again_when_the_oldest_of_the_young_is_due),
		cmocka_unit_test(test_without_a_time_of_its_condition_a_pod_waits_since_it_is),
		cmocka_unit_test(test_other_reasons_not_to_be_scheduled_are_none),
		cmocka_unit_test(test_what_is_no_pod_counts_in_total_alone),
		cmocka_unit_test(test_a_workload_that_is_all_ready_needs_no_pods),
		cmocka_unit_test(test_pods_without_a_node_bound_the_capacity),
		cmocka_unit_test(test_a_capacity_is_never_below_none),
		cmocka_unit_test(test_without_its_pods_the_status_of_a_workload_tells),
	};

	return cmocka_run_group_tests_name("propagator/podcount", tests, NULL, NULL);
}
