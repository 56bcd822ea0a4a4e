/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "propagator/copy.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_a_workload_has_and_what_selects_its_pods_is_kept),
		JSON_TEST(test_health_is_kept_with_its_words_unless_it_is_current),
		JSON_TEST(test_what_a_service_selects_is_no_workload_s_pods),
		JSON_TEST(test_a_status_is_kept_where_it_is_asked_for),
	};

	return cmocka_run_group_tests_name("propagator/copy", tests, NULL, NULL);
}
