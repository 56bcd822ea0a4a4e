/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/by_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/propagator_json.h"

#define FEDERATED                                                                                  \
	json_of("{'status': {'clusters': [{'name': 'gondor'}, {'name': 'rohan', 'status': "        \
	        "'UpdateFailed', 'message': 'no', 'health': {'status': 'Failed', 'message': "      \
	        "'broken'}}]}}")
#define VERSION                                                                                    \
	json_of("{'status': {'templateVersion': 'a', 'overridesVersion': 'b', 'clusterVersions': " \
	        "[{'clusterName': 'gondor', 'version': 'gen:3'}]}}")

static void test_what_is_well_is_told_with_what_the_member_has(void **state)
{
	const struct by_cluster_copy copy = {
		.is_asked = true,
		.trouble = "",
		.object = json_of("{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': "
	                          "'a', 'generation': 4, 'labels': {'kubefed.io/managed': "
	                          "'true'}}}")};

	(void)state;
	assert_json_text(
		json_keep(by_cluster_make("gondor", true, FEDERATED, VERSION, &copy, 0)),
		"{'cluster': 'gondor', 'placed': true, 'state': 'OK', 'message': '', 'health': "
		"'Current', 'healthMessage': 'is as it shall be', 'recorded': 'gen:3', 'exists': "
		"true, 'version': "
		"'gen:4', 'managed': true}");
}

static void test_who_cannot_be_asked_is_as_the_host_knows_it(void **state)
{
	const struct by_cluster_copy copy = {.is_asked = true, .trouble = "no route"};

	(void)state;
	assert_json_text(json_keep(by_cluster_make("rohan", true, FEDERATED, VERSION, &copy, 0)),
	                 "{'cluster': 'rohan', 'placed': true, 'state': 'UpdateFailed', 'message': "
	                 "'no', 'health': 'Failed', 'healthMessage': 'broken', 'recorded': '', "
	                 "'unreachable': 'no route'}");
}

static void test_an_object_without_status_has_nothing_to_say(void **state)
{
	const struct by_cluster_copy copy = {.is_asked = true, .trouble = ""};

	(void)state;
	assert_json_text(json_keep(by_cluster_make("shire", false, json_of("{}"), NULL, &copy, 0)),
	                 "{'cluster': 'shire', 'placed': false, 'state': '', 'message': '', "
	                 "'health': '', 'healthMessage': '', 'recorded': '', 'exists': false}");
}

static void test_more_replicas_than_asked_for_are_told_of_the_whole(void **state)
{
	(void)state;
	assert_json_text(
		json_keep(by_cluster_excess(json_of(
			"{'status': {'conditions': [{'type': 'Propagation', 'status': 'True'}, "
			"{'type': 'OverTotalReplicas', 'status': 'True', 'reason': "
			"'PodsFindNoNode', 'message': '12 replicas'}]}}"))),
		"{'reason': 'PodsFindNoNode', 'message': '12 replicas'}");
	/* As a kind made by KubeFed keeps it. */
	assert_json_text(json_keep(by_cluster_excess(
				 json_of("{'status': {'conditions': [{'type': "
	                                 "'OverTotalReplicas', 'status': 'True', 'reason': "
	                                 "'PodsFindNoNode'}]}}"))),
	                 "{'reason': 'PodsFindNoNode', 'message': ''}");
	assert_null(by_cluster_excess(FEDERATED));
	assert_null(by_cluster_excess(json_of("{'status': {'conditions': [{'type': "
	                                      "'OverTotalReplicas', 'status': 'False'}]}}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_is_well_is_told_with_what_the_member_has),
		JSON_TEST(test_who_cannot_be_asked_is_as_the_host_knows_it),
		JSON_TEST(test_an_object_without_status_has_nothing_to_say),
		JSON_TEST(test_more_replicas_than_asked_for_are_told_of_the_whole),
	};

	return cmocka_run_group_tests_name("ctl/by_cluster", tests, NULL, NULL);
}
