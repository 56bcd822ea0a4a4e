/* object_health.c -- what the status of a federated object tells of its copies, on real API servers.  There is no controller
 * of Deployments and no kubelet in the members: the tests say what those would.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"

enum { SOON_MS = 30000, STILL_MS = 5000 };

#define WEB "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web"

static void settings(struct federation *f, const char *collection)
{
	cluster_apply(f->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedConfig\n"
	              "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  scope: Cluster\n"
	              "  featureGates: [{name: RawResourceStatusCollection, configuration: %s}]\n"
	              "  clusterHealthCheck: {period: 1s, timeout: 2s}\n",
	              collection);
}

static int setup(void **state)
{
	struct federation *f = federation_new(2);

	*state = f;
	settings(f, "Disabled");
	federation_enable(f, "namespaces");
	federation_enable(f, "deployments.apps");
	federation_start(f);
	federation_namespace(f, "shop");
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedDeployment\n"
	                       "metadata: {name: web, namespace: shop}\n"
	                       "spec:\n"
	                       "  placement: {clusterSelector: {}}\n"
	                       "  template:\n"
	                       "    spec:\n"
	                       "      replicas: 2\n"
	                       "      selector: {matchLabels: {app: web}}\n"
	                       "      template:\n"
	                       "        metadata: {labels: {app: web}}\n"
	                       "        spec: {containers: [{name: web, image: nginx}]}\n");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], "/apis/apps/v1/namespaces/shop/deployments/web",
		               "\"kubefed.io/managed\":\"true\"", SOON_MS);
	return 0;
}

/* As a Deployment's controller says it. */
static void report(struct cluster *member, int ready)
{
	cluster_patch_status(
		member, "apps/v1", "Deployment", "shop", "web",
		"{\"status\":{\"observedGeneration\":1,\"replicas\":2,"
		"\"updatedReplicas\":2,\"readyReplicas\":%d,"
		"\"availableReplicas\":%d,\"conditions\":[{\"type\":\"Progressing\",\"status\":"
		"\"True\",\"reason\":\"NewReplicaSetAvailable\"},{\"type\":\"Available\","
		"\"status\":\"%s\"}]}}",
		ready, ready, ready == 2 ? "True" : "False");
}

static void test_health_is_told_for_each_cluster_and_for_all(void **state)
{
	struct federation *f = *state;

	report(f->members[0], 2);
	report(f->members[1], 2);
	cluster_expect(f->host, WEB, "\"message\":\"is Current in all 2 clusters\"", SOON_MS);
	report(f->members[1], 1);
	cluster_expect(f->host, WEB,
	               "\"health\":{\"message\":\"Available: 1/2\",\"reason\":\"LessAvailable\","
	               "\"status\":\"InProgress\"},\"name\":\"rohan\"",
	               SOON_MS);
	cluster_expect(
		f->host, WEB,
		"\"message\":\"is Current in 1 of 2 clusters; rohan InProgress: Available: 1/2\","
		"\"reason\":\"LessAvailable\",\"status\":\"False\",\"type\":\"Healthy\"",
		SOON_MS);
	/* It is propagated all the same. */
	cluster_expect(f->host, WEB, "\"status\":\"True\",\"type\":\"Propagation\"", SOON_MS);
}

static void test_pods_are_asked_why_it_does_not_become_current(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->members[1],
	              "apiVersion: v1\n"
	              "kind: Pod\n"
	              "metadata: {name: web-1, namespace: shop, labels: {app: web}}\n"
	              "spec:\n"
	              "  terminationGracePeriodSeconds: 0\n"
	              "  containers: [{name: web, image: nginx:v9}]\n"
	              "status:\n"
	              "  phase: Pending\n"
	              "  containerStatuses:\n"
	              "  - {name: web, image: \"nginx:v9\", imageID: \"\", ready: false, "
	              "restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: \"no "
	              "such image\"}}}\n");
	cluster_expect(
		f->host, WEB,
		"\"health\":{\"message\":\"1 of 1 pods: image nginx:v9 cannot be pulled: no such "
		"image\","
		"\"reason\":\"ImageCannotBePulled\",\"status\":\"InProgress\"}",
		2 * SOON_MS);
	cluster_expect(f->host, WEB,
	               "rohan InProgress: 1 of 1 pods: image nginx:v9 cannot be pulled", SOON_MS);
	report(f->members[1], 2);
	cluster_expect(f->host, WEB, "\"message\":\"is Current in all 2 clusters\"", SOON_MS);
	cluster_expect(f->host, WEB, "!ImageCannotBePulled", SOON_MS);
}

static void test_a_kind_made_by_kubefed_keeps_the_reason_and_is_not_written_for_ever(void **state)
{
	struct federation *f = *state;

	federation_kind_of_kubefed(f);
	cluster_expect(f->host, WEB, "!\"health\"", SOON_MS);
	report(f->members[0], 1);
	cluster_expect(f->host, WEB,
	               "\"reason\":\"LessAvailable\",\"status\":\"False\",\"type\":\"Healthy\"",
	               SOON_MS);
	cluster_expect_unwritten(f->host, WEB, STILL_MS);
	report(f->members[0], 2);
	cluster_expect(f->host, WEB,
	               "\"reason\":\"Current\",\"status\":\"True\",\"type\":\"Healthy\"", SOON_MS);
}

static void test_statuses_are_collected_when_type_and_gate_ask_for_it(void **state)
{
	struct federation *f = *state;

	cluster_patch(f->host, "core.kubefed.io/v1beta1", "FederatedTypeConfig", FEDERATION,
	              "deployments.apps", "{\"spec\":{\"statusCollection\":\"Enabled\"}}");
	report(f->members[0], 1);
	cluster_expect(f->host, WEB,
	               "\"reason\":\"LessAvailable\",\"status\":\"False\",\"type\":\"Healthy\"",
	               SOON_MS);
	cluster_expect(f->host, WEB, "!remoteStatus", SOON_MS);
	settings(f, "Enabled");
	cluster_expect(f->host, WEB, "\"remoteStatus\":{\"availableReplicas\":1,", SOON_MS);
	cluster_expect_unwritten(f->host, WEB, STILL_MS);
	report(f->members[0], 2);
	cluster_expect(f->host, WEB, "!\"availableReplicas\":1,", SOON_MS);
}

static void test_nothing_is_known_of_a_cluster_that_is_not_ready(void **state)
{
	struct federation *f = *state;

	cluster_kill(f->members[1]);
	cluster_expect(f->host, WEB,
	               "\"reason\":\"Unreachable\",\"status\":\"Unknown\",\"type\":\"Healthy\"",
	               2 * SOON_MS);
	cluster_expect_unwritten(f->host, WEB, STILL_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health_is_told_for_each_cluster_and_for_all),
		cmocka_unit_test(test_pods_are_asked_why_it_does_not_become_current),
		cmocka_unit_test(
			test_a_kind_made_by_kubefed_keeps_the_reason_and_is_not_written_for_ever),
		cmocka_unit_test(test_statuses_are_collected_when_type_and_gate_ask_for_it),
		cmocka_unit_test(test_nothing_is_known_of_a_cluster_that_is_not_ready),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
