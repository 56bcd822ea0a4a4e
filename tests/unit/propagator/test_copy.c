/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "propagator/copy.h"
#include "propagator/jsontree.h"
#include "tests/support/propagator_json.h"

#define DEPLOYMENT                                                                                 \
	"{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web', "             \
	"'resourceVersion': '7', 'labels': {'a': 'b'}}, 'spec': {'replicas': 3, 'selector': "      \
	"{'matchLabels': {'app': 'web'}}}, 'status': {'replicas': 3, 'updatedReplicas': 3, "       \
	"'availableReplicas': 2, 'readyReplicas': 2}}"

static void test_what_a_workload_has_and_what_selects_its_pods_is_kept(void **state)
{
	struct copy *c = copy_of(json_of(DEPLOYMENT), false, 1000);

	(void)state;
	assert_int_equal(c->replicas, 3);
	assert_int_equal(c->ready, 2);
	assert_string_equal(c->pods, "app=web");
	assert_null(c->remote_status);
	copy_free(c);
}

static void test_health_is_kept_with_its_words_unless_it_is_current(void **state)
{
	struct copy *c = copy_of(json_of(DEPLOYMENT), false, 1000);
	struct copy *map = copy_of(json_of("{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': "
	                                   "{'name': 'a'}}"),
	                           false, 1000);
	struct health h = copy_health(c);

	(void)state;
	assert_int_equal(h.state, HEALTH_IN_PROGRESS);
	assert_string_equal(h.reason, "LessAvailable");
	assert_string_equal(h.message, "Available: 2/3");
	assert_int_equal(copy_health(map).state, HEALTH_CURRENT);
	assert_null(map->message);
	copy_free(c);
	copy_free(map);
}

static void test_what_a_service_selects_is_no_workload_s_pods(void **state)
{
	struct copy *c = copy_of(json_of("{'apiVersion': 'v1', 'kind': 'Service', 'metadata': "
	                                 "{'name': 'a'}, 'spec': {'selector': {'matchLabels': "
	                                 "{'app': 'web'}}}}"),
	                         false, 1000);

	(void)state;
	assert_null(c->pods);
	copy_free(c);
}

static void test_a_status_is_kept_where_it_is_asked_for(void **state)
{
	struct copy *c = copy_of(json_of(DEPLOYMENT), true, 1000);
	struct copy *none = copy_of(json_of("{'kind': 'ConfigMap', 'metadata': {}}"), true, 1000);

	(void)state;
	assert_string_equal(c->remote_status,
	                    "{\"replicas\":3,\"updatedReplicas\":3,\"availableReplicas\":2,"
	                    "\"readyReplicas\":2}");
	assert_null(none->remote_status);
	copy_free(c);
	copy_free(none);
}

static void test_a_status_that_is_too_large_is_not_kept(void **state)
{
	struct json_object *object = json_of(DEPLOYMENT);
	char *words = malloc(COPY_STATUS_MOST);
	struct copy *c;

	(void)state;
	assert_non_null(words);
	memset(words, 'a', COPY_STATUS_MOST - 1);
	words[COPY_STATUS_MOST - 1] = '\0';
	json_object_object_add(jsontree_get(object, "status", NULL), "words",
	                       json_object_new_string(words));
	c = copy_of(object, true, 1000);
	assert_null(c->remote_status);
	assert_true(c->is_status_left_out);
	assert_true(copy_bytes(c) < 4096);
	copy_free(c);
	free(words);
}

static void test_all_that_is_kept_is_weighed(void **state)
{
	struct json_object *object = json_of(DEPLOYMENT);
	struct copy *bare = copy_bare(object), *with = copy_of(object, true, 1000),
		    *without = copy_of(object, false, 1000);

	(void)state;
	assert_int_equal(copy_bytes(with) - copy_bytes(without), strlen(with->remote_status));
	assert_true(copy_bytes(bare) < copy_bytes(without));
	assert_true(bare->is_bare);
	assert_string_equal(bare->resource_version, "7");
	copy_free(bare);
	copy_free(with);
	copy_free(without);
}

static void assert_has_marks(const char *desired, const char *existing, bool want)
{
	struct copy *c = copy_of(json_with("{'metadata': %s}", existing), false, 1000);

	if (copy_has_marks(c, json_with("{'metadata': %s}", desired)) != want)
		fail_msg("%s, %s", desired, existing);
	copy_free(c);
}

static void test_a_desired_label_or_annotation_that_is_gone_is_seen(void **state)
{
	(void)state;
	assert_has_marks("{'labels': {'a': 'b'}}", "{'labels': {'a': 'b', 'theirs': 'c'}}", true);
	assert_has_marks("{'labels': {'a': 'b'}}", "{'labels': {'a': 'c'}}", false);
	assert_has_marks("{'labels': {'a': 'b'}}", "{'annotations': {'a': 'b'}}", false);
	assert_has_marks("{'labels': {'a': 'b'}}", "{}", false);
	assert_has_marks("{'annotations': {'a': 'b'}}", "{'annotations': {}}", false);
	assert_has_marks("{'annotations': {}}", "{}", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_a_workload_has_and_what_selects_its_pods_is_kept),
		JSON_TEST(test_health_is_kept_with_its_words_unless_it_is_current),
		JSON_TEST(test_what_a_service_selects_is_no_workload_s_pods),
		JSON_TEST(test_a_status_is_kept_where_it_is_asked_for),
		JSON_TEST(test_a_status_that_is_too_large_is_not_kept),
		JSON_TEST(test_all_that_is_kept_is_weighed),
		JSON_TEST(test_a_desired_label_or_annotation_that_is_gone_is_seen),
	};

	return cmocka_run_group_tests_name("propagator/copy", tests, NULL, NULL);
}
