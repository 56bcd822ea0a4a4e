/* scheduling.c -- ReplicaSchedulingPreferences on real API servers.  There is no controller of Deployments and no kubelet in
 * the members: the tests say what those would.
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

#include "propagator/schedule.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 30000, STILL_MS = 3000 };

#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments/"
#define FEDERATED   "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/"
#define EVENTS      "/api/v1/namespaces/shop/events"
/* After the message of the condition, where its kind keeps that. */
#define OVER                                                                                       \
	"\"reason\":\"PodsFindNoNode\",\"status\":\"True\",\"type\":\"" SCHEDULE_EXCESS_CONDITION  \
	"\""

static int setup(void **state)
{
	struct federation *f = federation_new(2);

	*state = f;
	cluster_apply(f->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedConfig\n"
	              "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  scope: Cluster\n"
	              "  controllerDuration: {availableDelay: 1s, unavailableDelay: 1s}\n"
	              "  clusterHealthCheck: {period: 1s, timeout: 2s, failureThreshold: 2}\n");
	federation_enable(f, "namespaces");
	federation_enable(f, "deployments.apps");
	federation_start(f);
	federation_namespace(f, "shop");
	return 0;
}

static void deployment(struct federation *f, const char *name, const char *selector)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedDeployment\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec:\n"
	              "  placement: {clusterSelector: %s}\n"
	              "  template:\n"
	              "    spec:\n"
	              "      replicas: 1\n"
	              "      selector: {matchLabels: {app: %s}}\n"
	              "      template:\n"
	              "        metadata: {labels: {app: %s}}\n"
	              "        spec: {containers: [{name: web, image: nginx}]}\n",
	              name, selector, name, name);
}

static void prefer(struct federation *f, const char *name, const char *spec)
{
	cluster_apply(f->host,
	              "apiVersion: scheduling.kubefed.io/v1alpha1\n"
	              "kind: ReplicaSchedulingPreference\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec: {targetKind: FederatedDeployment, %s}\n",
	              name, spec);
}

/* spec.replicas in gondor and in rohan; -1: it is not there. */
static void expect_one(struct cluster *member, const char *name, int replicas, unsigned within_ms)
{
	char path[128], text[80];

	snprintf(path, sizeof(path), DEPLOYMENTS "%s", name);
	snprintf(text, sizeof(text), "\"spec\":{\"replicas\":%d,", replicas);
	cluster_expect(member, path, replicas < 0 ? "NotFound" : text, within_ms);
}

static void expect(struct federation *f, const char *name, int gondor, int rohan)
{
	expect_one(f->members[0], name, gondor, SOON_MS);
	expect_one(f->members[1], name, rohan, SOON_MS);
}

static void expect_still(struct federation *f, const char *name, int gondor, int rohan)
{
	struct deadline deadline = inside_deadline(STILL_MS);

	while (inside_has_time(deadline)) {
		expect_one(f->members[0], name, gondor, 0);
		expect_one(f->members[1], name, rohan, 0);
		inside_rest();
	}
}

/* As a Deployment's controller says it. */
static void report(struct cluster *member, const char *name, int replicas, int ready)
{
	cluster_patch_status(member, "apps/v1", "Deployment", "shop", name,
	                     "{\"status\":{\"observedGeneration\":1,\"replicas\":%d,"
	                     "\"updatedReplicas\":%d,\"readyReplicas\":%d,"
	                     "\"availableReplicas\":%d}}",
	                     replicas, replicas, ready, ready);
}

static const char *homeless(unsigned number)
{
	static const char *const names[] = {"web-homeless-0", "web-homeless-1", "web-homeless-2"};

	return names[number];
}

/* As a scheduler says it that has not found a node for them since long ago. */
static void pods_without_node(struct cluster *member)
{
	for (unsigned i = 0; i < 3; i++)
		cluster_apply(member,
		              "apiVersion: v1\n"
		              "kind: Pod\n"
		              "metadata: {name: %s, namespace: shop, labels: {app: web}}\n"
		              "spec:\n"
		              "  terminationGracePeriodSeconds: 0\n"
		              "  containers: [{name: app, image: app}]\n"
		              "status:\n"
		              "  phase: Pending\n"
		              "  conditions: [{type: PodScheduled, status: \"False\", reason: "
		              "Unschedulable, lastTransitionTime: \"2020-01-01T00:00:00Z\"}]\n",
		              homeless(i));
}

static void test_replicas_are_spread_by_weight(void **state)
{
	struct federation *f = *state;

	deployment(f, "web", "{}");
	prefer(f, "web", "totalReplicas: 9, clusters: {gondor: {weight: 2}, '*': {weight: 1}}");
	expect(f, "web", 6, 3);
	cluster_expect(f->host, FEDERATED "web",
	               "\"clusters\":[{\"name\":\"gondor\"},{\"name\":\"rohan\"}]", SOON_MS);
	cluster_expect(f->host, EVENTS, "gondor: 6, rohan: 3", SOON_MS);
}

static void test_least_and_most_hold(void **state)
{
	struct federation *f = *state;

	prefer(f, "web",
	       "totalReplicas: 9, clusters: {gondor: {weight: 2, maxReplicas: 4}, rohan: "
	       "{weight: 1, minReplicas: 1}}");
	expect(f, "web", 4, 5);
	prefer(f, "web",
	       "totalReplicas: 9, clusters: {gondor: {weight: 0, minReplicas: 8}, rohan: "
	       "{weight: 1}}");
	expect(f, "web", 8, 1);
}

static void test_a_dead_member_s_share_runs_elsewhere_until_it_is_back(void **state)
{
	struct federation *f = *state;

	prefer(f, "web", "totalReplicas: 9, clusters: {gondor: {weight: 2}, rohan: {weight: 1}}");
	expect(f, "web", 6, 3);
	cluster_kill(f->members[1]);
	expect_one(f->members[0], "web", 9, SOON_MS);
	cluster_expect(f->host, FEDERATED "web",
	               "\"clusters\":[{\"name\":\"gondor\"},{\"name\":\"rohan\"}]", SOON_MS);
	cluster_expect(f->host, EVENTS, "3 replicas stay beside them", SOON_MS);
	cluster_expect(f->host, FEDERATED "web",
	               "\"message\":\"12 replicas where totalReplicas is 9: 3 in clusters that are "
	               "not ready\",\"reason\":\"ClustersNotReady\",\"status\":\"True\",\"type\":"
	               "\"" SCHEDULE_EXCESS_CONDITION "\"",
	               SOON_MS);
	cluster_start(f->members[1]);
	cluster_await(f->members[1]);
	expect(f, "web", 6, 3);
	cluster_expect(f->host, FEDERATED "web", "!" SCHEDULE_EXCESS_CONDITION, SOON_MS);
}

static void test_what_runs_stays_where_it_runs_unless_it_is_rebalanced(void **state)
{
	struct federation *f = *state;

	report(f->members[0], "web", 6, 6);
	report(f->members[1], "web", 3, 3);
	prefer(f, "web", "totalReplicas: 10, clusters: {gondor: {weight: 1}, rohan: {weight: 2}}");
	expect(f, "web", 6, 4);
	prefer(f, "web",
	       "totalReplicas: 10, rebalance: true, clusters: {gondor: {weight: 1}, rohan: "
	       "{weight: 2}}");
	expect(f, "web", 3, 7);
}

static void test_pods_that_find_no_node_are_moved(void **state)
{
	struct federation *f = *state;

	prefer(f, "web",
	       "totalReplicas: 10, rebalance: false, clusters: {gondor: {weight: 1}, rohan: "
	       "{weight: 2}}");
	report(f->members[0], "web", 3, 3);
	objects_pods(f->members[1], "shop", "web", 4, true);
	pods_without_node(f->members[1]);
	report(f->members[1], "web", 7, 4);
	expect(f, "web", 6, 4);
	/* Where those are gone and the others have not begun the cluster still counts as full. */
	for (unsigned i = 0; i < 3; i++)
		cluster_delete(f->members[1], "v1", "Pod", "shop", homeless(i));
	report(f->members[1], "web", 4, 4);
	report(f->members[0], "web", 6, 3);
	expect_still(f, "web", 6, 4);
}

static void test_a_total_over_what_was_asked_for_is_said(void **state)
{
	struct federation *f = *state;

	pods_without_node(f->members[1]);
	prefer(f, "web",
	       "totalReplicas: 10, rebalance: true, clusters: {gondor: {weight: 1}, rohan: "
	       "{weight: 2}}");
	expect_one(f->members[1], "web", 7, SOON_MS);
	cluster_expect(f->host, EVENTS, "over totalReplicas", SOON_MS);
	cluster_expect(
		f->host, FEDERATED "web",
		"\"message\":\"13 replicas where totalReplicas is 10: 3 in the place of those "
		"that find no node\"," OVER,
		SOON_MS);
	federation_expect(
		f, 0, "\n" SCHEDULE_EXCESS_CONDITION ": PodsFindNoNode: 13 replicas where ",
		(const char *const[]){"get", "deployments", "shop/web", "--by-cluster", NULL});
}

static void test_a_kind_made_by_kubefed_keeps_the_reason_of_that(void **state)
{
	struct federation *f = *state;

	federation_kind_of_kubefed(f);
	cluster_expect(f->host, FEDERATED "web", "!13 replicas where", SOON_MS);
	cluster_expect(f->host, FEDERATED "web", OVER, SOON_MS);
	prefer(f, "web", "totalReplicas: 10, clusters: {gondor: {weight: 1}, rohan: {weight: 2}}");
	cluster_expect(f->host, FEDERATED "web", "!" SCHEDULE_EXCESS_CONDITION, SOON_MS);
	prefer(f, "web",
	       "totalReplicas: 10, rebalance: true, clusters: {gondor: {weight: 1}, rohan: "
	       "{weight: 2}}");
	cluster_expect(f->host, FEDERATED "web", OVER, SOON_MS);
	expect_one(f->members[1], "web", 7, SOON_MS);
	/* What was told last settles for two seconds. */
	expect_still(f, "web", 6, 7);
	cluster_expect_unwritten(f->host, FEDERATED "web", STILL_MS);
	cluster_delete(f->host, "scheduling.kubefed.io/v1alpha1", "ReplicaSchedulingPreference",
	               "shop", "web");
	cluster_expect(f->host, FEDERATED "web", "!" SCHEDULE_EXCESS_CONDITION, SOON_MS);
}

static void test_clusters_that_are_not_selected_have_none(void **state)
{
	struct federation *f = *state;

	cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION, "gondor",
	              "{\"metadata\":{\"labels\":{\"tier\":\"gold\"}}}");
	deployment(f, "api", "{matchLabels: {tier: gold}}");
	prefer(f, "api", "totalReplicas: 5, intersectWithClusterSelector: true");
	expect(f, "api", 5, -1);
	prefer(f, "api",
	       "totalReplicas: 4, intersectWithClusterSelector: false, clusters: {rohan: "
	       "{weight: 1}}");
	expect(f, "api", 0, 4);
}

static void test_what_is_wrong_is_said(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: scheduling.kubefed.io/v1alpha1\n"
	                       "kind: ReplicaSchedulingPreference\n"
	                       "metadata: {name: wrong, namespace: shop}\n"
	                       "spec: {targetKind: FederatedTeapot, totalReplicas: 3}\n");
	prefer(f, "nothing", "totalReplicas: 3");
	cluster_expect(f->host, EVENTS, "'FederatedTeapot' is neither FederatedDeployment",
	               SOON_MS);
	cluster_expect(f->host, EVENTS, "there is no FederatedDeployment of that name", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replicas_are_spread_by_weight),
		cmocka_unit_test(test_least_and_most_hold),
		cmocka_unit_test(test_a_dead_member_s_share_runs_elsewhere_until_it_is_back),
		cmocka_unit_test(test_what_runs_stays_where_it_runs_unless_it_is_rebalanced),
		cmocka_unit_test(test_pods_that_find_no_node_are_moved),
		cmocka_unit_test(test_a_total_over_what_was_asked_for_is_said),
		cmocka_unit_test(test_a_kind_made_by_kubefed_keeps_the_reason_of_that),
		cmocka_unit_test(test_clusters_that_are_not_selected_have_none),
		cmocka_unit_test(test_what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
