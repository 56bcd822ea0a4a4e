/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/contents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl/discovery.h"
#include "tests/support/propagator_json.h"

static char empty[] = "";

static bool is_for_all(char *group, char *plural)
{
	struct discovery_kind kind = {
		.api = {group, empty, empty, plural, true}, .can_list = true, .can_create = true};

	return contents_is_for_all(&kind);
}

static void test_what_only_tells_of_one_cluster_is_not_for_all(void **state)
{
	char core[] = "", apps[] = "apps", events_group[] = "events.k8s.io", own[] = "nigh.dev",
	     types[] = "types.kubefed.io", discovery[] = "discovery.k8s.io", cert[] = "cert.io";
	char deployments[] = "deployments", events[] = "events", endpoints[] = "endpoints",
	     slices[] = "endpointslices", policies[] = "trafficpolicies",
	     federated[] = "federateddeployments", claims[] = "persistentvolumeclaims";

	(void)state;
	assert_true(is_for_all(apps, deployments));
	assert_true(is_for_all(core, claims));
	assert_true(is_for_all(cert, endpoints));
	assert_false(is_for_all(core, events));
	assert_false(is_for_all(events_group, events));
	assert_false(is_for_all(core, endpoints));
	assert_false(is_for_all(discovery, slices));
	assert_false(is_for_all(own, policies));
	assert_false(is_for_all(types, federated));
}

static void test_what_cannot_be_listed_or_created_is_not_for_all(void **state)
{
	char core[] = "", plural[] = "bindings";
	struct discovery_kind kind = {.api = {core, empty, empty, plural, true},
	                              .can_create = true};

	(void)state;
	assert_false(contents_is_for_all(&kind));
	kind.can_list = true;
	assert_true(contents_is_for_all(&kind));
	kind.can_create = false;
	assert_false(contents_is_for_all(&kind));
	kind.can_create = true;
	kind.api.namespaced = false;
	assert_false(contents_is_for_all(&kind));
}

static void test_what_controllers_make_in_each_cluster_is_left_out(void **state)
{
	(void)state;
	assert_true(contents_is_made_everywhere(
		json_of("{'kind': 'ConfigMap', 'metadata': {'name': 'kube-root-ca.crt'}}")));
	assert_true(contents_is_made_everywhere(
		json_of("{'kind': 'ServiceAccount', 'metadata': {'name': 'default'}}")));
	assert_true(contents_is_made_everywhere(
		json_of("{'kind': 'Pod', 'metadata': {'name': 'a', 'ownerReferences': [{}]}}")));
	assert_true(contents_is_made_everywhere(
		json_of("{'kind': 'Secret', 'type': 'kubernetes.io/service-account-token'}")));
	assert_false(contents_is_made_everywhere(
		json_of("{'kind': 'ConfigMap', 'metadata': {'name': 'desk'}}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_only_tells_of_one_cluster_is_not_for_all),
		cmocka_unit_test(test_what_cannot_be_listed_or_created_is_not_for_all),
		JSON_TEST(test_what_controllers_make_in_each_cluster_is_left_out),
	};

	return cmocka_run_group_tests_name("ctl/contents", tests, NULL, NULL);
}
