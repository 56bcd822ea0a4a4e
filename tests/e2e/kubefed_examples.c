/* kubefed_examples.c -- the examples of KubeFed's user guide (v0.10.0), unchanged, as the guide has them applied: on a host with
 * what KubeFed's chart installs, and nigh-propagator instead of KubeFed's manager.
 *
 * They name the clusters cluster1 and cluster2.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/e2e/support/kubefed.h"

enum { MEMBERS = 2, SOON_MS = 60000 };

#define IN        "/namespaces/test-namespace/"
#define FEDERATED "/apis/types.kubefed.io/v1beta1" IN
#define WEB       "/apis/apps/v1" IN "deployments/test-deployment"
#define JOB       "/apis/batch/v1" IN "jobs/test-job"
#define RBAC      "/apis/rbac.authorization.k8s.io/v1/"

static void apply(struct kubefed *k, const char *words)
{
	char command[900];

	snprintf(command, sizeof(command),
	         "cd \"$KUBEBUILDER_ASSETS/hyperfed.examples\" && ../kubectl --kubeconfig %s apply "
	         "%s "
	         ">/dev/null",
	         k->f->kubeconfig, words);
	if (system(command) != 0)
		fail_msg("kubectl apply %s", words);
}

static int setup(void **state)
{
	static const char *const names[MEMBERS] = {"cluster1", "cluster2"};
	struct kubefed *k = xcalloc(1, sizeof(*k));

	*state = k;
	kubefed_init_alone(k, MEMBERS);
	for (unsigned i = 0; i < MEMBERS; i++)
		objects_join_as(k->f->host, k->f->members[i], names[i], ADMIN_TOKEN);
	/* The guide has its reader enable the one type that the chart does not. */
	federation_enable(k->f, "clusterrolebindings.rbac.authorization.k8s.io");
	/* It has a field that no KubeFed knows any more, of which kubectl is to warn only. */
	apply(k, "--validate=warn -f config/kubefedconfig.yaml");
	federation_start(k->f);
	return 0;
}

static int teardown(void **state)
{
	kubefed_free(*state);
	free(*state);
	return 0;
}

static void expect(struct kubefed *k, const char *path, const char *in_1, const char *in_2)
{
	cluster_expect(k->f->members[0], path, in_1, SOON_MS);
	cluster_expect(k->f->members[1], path, in_2, SOON_MS);
}

static void test_the_namespace_comes_first(void **state)
{
	apply(*state, "-f sample1/namespace.yaml -f sample1/federatednamespace.yaml");
	expect(*state, "/api/v1/namespaces/test-namespace", "\"kubefed.io/managed\":\"true\"",
	       "\"kubefed.io/managed\":\"true\"");
}

/* And that it is in force: by it statuses are collected, where a type asks for them. */
static void test_the_config_is_taken(void **state)
{
	struct kubefed *k = *state;

	cluster_expect(
		k->f->host,
		"/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedconfigs/kubefed",
		"{\"configuration\":\"Enabled\",\"name\":\"RawResourceStatusCollection\"}", 0);
	cluster_patch(k->f->host, "core.kubefed.io/v1beta1", "FederatedTypeConfig", FEDERATION,
	              "deployments.apps", "{\"spec\":{\"statusCollection\":\"Enabled\"}}");
	cluster_expect(k->f->host, FEDERATED "federateddeployments/test-deployment",
	               "\"remoteStatus\":{", SOON_MS);
}

static void test_all_of_the_sample_is_propagated(void **state)
{
	struct kubefed *k = *state;

	apply(k, "-R -f sample1");
	expect(k, "/api/v1" IN "configmaps/test-configmap", "\"data\":{\"A\":\"ala ma kota\"}",
	       "\"data\":{\"foo\":\"bar\"}");
	/* Its override is a null, which kubectl leaves out of what it applies. */
	expect(k, "/api/v1" IN "secrets/test-secret", "\"data\":{\"A\":\"YWxhIG1hIGtvdGE=\"}",
	       "!\"data\":");
	expect(k, "/api/v1" IN "services/test-service", "\"type\":\"NodePort\"",
	       "\"type\":\"NodePort\"");
	expect(k, "/api/v1" IN "serviceaccounts/test-serviceaccount",
	       "\"automountServiceAccountToken\":true", "\"automountServiceAccountToken\":true");
	expect(k, WEB, "\"replicas\":3", "\"replicas\":5");
	expect(k, WEB, "\"image\":\"nginx\"", "\"image\":\"nginx:1.17.0-alpine\"");
	expect(k, JOB, "\"parallelism\":1", "\"parallelism\":2");
	expect(k, RBAC "clusterroles/test-clusterrole", "\"verbs\":[\"*\"]", "\"verbs\":[\"*\"]");
	expect(k, RBAC "clusterrolebindings/test-clusterrolebinding", "\"name\":\"test-user\"",
	       "\"name\":\"test-user\"");
}

/* It is of networking.k8s.io/v1beta1, and the chart's type of v1: no server of today takes it, from whomever it comes. */
static void test_what_servers_do_not_take_is_said_cluster_by_cluster(void **state)
{
	struct kubefed *k = *state;

	cluster_expect(k->f->host, FEDERATED "federatedingresses/test-ingress", "CreationFailed",
	               SOON_MS);
	expect(k, "/apis/networking.k8s.io/v1" IN "ingresses/test-ingress", "NotFound", "NotFound");
	cluster_expect(k->f->host, FEDERATED "federateddeployments/test-deployment",
	               "\"status\":\"True\",\"type\":\"Propagation\"", SOON_MS);
}

/* Its weights are 2 and 3, its total is 10. */
static void test_the_preference_of_the_guide_counts(void **state)
{
	apply(*state, "-f scheduling/federateddeployment-rsp.yaml");
	expect(*state, WEB, "\"replicas\":4", "\"replicas\":6");
}

static void test_what_is_deleted_goes_from_both(void **state)
{
	struct kubefed *k = *state;

	cluster_delete(k->f->host, "types.kubefed.io/v1beta1", "FederatedNamespace",
	               "test-namespace", "test-namespace");
	expect(k, WEB, "NotFound", "NotFound");
	federation_stop(k->f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_namespace_comes_first),
		cmocka_unit_test(test_all_of_the_sample_is_propagated),
		cmocka_unit_test(test_the_config_is_taken),
		cmocka_unit_test(test_what_servers_do_not_take_is_said_cluster_by_cluster),
		cmocka_unit_test(test_the_preference_of_the_guide_counts),
		cmocka_unit_test(test_what_is_deleted_goes_from_both),
	};

	return cmocka_run_group_tests_name("e2e/kubefed_examples", tests, setup, teardown);
}
