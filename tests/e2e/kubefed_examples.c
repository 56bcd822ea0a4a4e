/* kubefed_examples.c -- the examples of KubeFed's documentation, as its release has them, brought to real members by
 * nigh-propagator, under FederatedTypeConfigs of KubeFed's chart, in clusters that kubefedctl has joined.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/e2e/support/kubefed.h"

enum { MEMBERS = 2, SOON_MS = 60000 };

#define FEDERATED  "/apis/types.kubefed.io/v1beta1/namespaces/test-namespace/"
#define CORE       "/api/v1/namespaces/test-namespace/"
#define RBAC       "/apis/rbac.authorization.k8s.io/v1/"
#define DEPLOYMENT "/apis/apps/v1/namespaces/test-namespace/deployments/test-deployment"

/* As the examples call them. */
static const char *const names[MEMBERS] = {"cluster1", "cluster2"};

static int setup(void **state)
{
	struct kubefed *k = xcalloc(1, sizeof(*k));

	*state = k;
	kubefed_init_as(k, MEMBERS, names);
	federation_start(k->f);
	return 0;
}

static int teardown(void **state)
{
	kubefed_free(*state);
	free(*state);
	return 0;
}

static void find(char path[512], const char *file)
{
	snprintf(path, 512, "%s/hyperfed.example/%s.yaml", getenv("KUBEBUILDER_ASSETS"), file);
}

static void apply(struct kubefed *k, const char *file)
{
	char path[512];

	find(path, file);
	cluster_apply_file(k->f->host, path);
}

/* Whose fields KubeFed's own definition does not all know: kubectl of its time did not mind. */
static void apply_unchecked(struct kubefed *k, const char *file)
{
	char path[512];
	const char *const argv[] = {"kubectl",
	                            "--kubeconfig",
	                            k->f->kubeconfig,
	                            "apply",
	                            "--validate=false",
	                            "-f",
	                            path,
	                            NULL};
	int status;
	pid_t pid;

	find(path, file);
	pid = cloud_run(k->f->cloud, argv, "kubectl");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What its cluster has for it: `text` in every one, or what the override says in cluster2. */
static void expect(struct kubefed *k, const char *path, const char *text, const char *overridden)
{
	cluster_expect(k->f->members[0], path, text, SOON_MS);
	cluster_expect(k->f->members[1], path, overridden ? overridden : text, SOON_MS);
}

static void test_a_namespace_and_what_is_in_it_reach_the_members(void **state)
{
	struct kubefed *k = *state;

	apply(k, "sample1/namespace");
	apply(k, "sample1/federatednamespace");
	apply(k, "sample1/federatedconfigmap");
	apply(k, "sample1/federatedsecret");
	apply(k, "sample1/federatedservice");
	apply(k, "sample1/federatedserviceaccount");
	apply(k, "sample1/federatedjob");
	expect(k, "/api/v1/namespaces/test-namespace", "kubefed.io/managed", NULL);
	expect(k, CORE "configmaps/test-configmap", "\"A\":\"ala ma kota\"", "\"foo\":\"bar\"");
	expect(k, CORE "secrets/test-secret", "\"A\":\"YWxhIG1hIGtvdGE=\"", "\"A\":\"\"");
	expect(k, CORE "services/test-service", "\"nodePort\":", NULL);
	expect(k, CORE "serviceaccounts/test-serviceaccount",
	       "\"automountServiceAccountToken\":true", NULL);
	expect(k, "/apis/batch/v1/namespaces/test-namespace/jobs/test-job", "\"parallelism\":1",
	       "\"parallelism\":2");
	cluster_expect(k->f->host, FEDERATED "federatedconfigmaps/test-configmap",
	               "\"type\":\"Propagation\"", SOON_MS);
}

/* Bindings are not among the types of the chart. */
static void test_rights_of_the_whole_cluster_reach_the_members(void **state)
{
	struct kubefed *k = *state;

	federation_enable(k->f, "clusterrolebindings.rbac.authorization.k8s.io");
	apply(k, "sample1/federatedclusterrole");
	apply(k, "sample1/federatedclusterrolebinding");
	expect(k, RBAC "clusterroles/test-clusterrole", "kubefed.io/managed", NULL);
	expect(k, RBAC "clusterrolebindings/test-clusterrolebinding", "\"name\":\"test-user\"",
	       NULL);
}

/* Replicas, an image by its index, annotations added and one of them removed. */
static void test_a_deployment_is_overridden_in_one_cluster(void **state)
{
	struct kubefed *k = *state;

	apply(k, "sample1/federateddeployment");
	expect(k, DEPLOYMENT, "\"replicas\":3", "\"replicas\":5");
	expect(k, DEPLOYMENT, "\"image\":\"nginx\"", "\"image\":\"nginx:1.17.0-alpine\"");
	cluster_expect(k->f->members[1], DEPLOYMENT, "!\"foo\":\"bar\"", SOON_MS);
}

static void test_a_preference_shares_out_by_weights(void **state)
{
	struct kubefed *k = *state;

	apply(k, "scheduling/federateddeployment-rsp");
	expect(k, DEPLOYMENT, "\"replicas\":4", "\"replicas\":6");
}

/* Its backend is of networking.k8s.io/v1beta1, which no server has had since 1.22. */
static void test_an_ingress_of_old_says_in_its_status_what_a_server_of_today_finds(void **state)
{
	struct kubefed *k = *state;

	apply(k, "sample1/federatedingress");
	cluster_expect(k->f->host, FEDERATED "federatedingresses/test-ingress", "CreationFailed",
	               SOON_MS);
	cluster_expect(k->f->host, FEDERATED "federatedingresses/test-ingress", "backend", SOON_MS);
}

static void test_the_settings_are_taken_while_it_runs(void **state)
{
	struct kubefed *k = *state;

	apply_unchecked(k, "config/kubefedconfig");
	cluster_patch(k->f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap",
	              "test-namespace", "test-configmap",
	              "{\"spec\":{\"template\":{\"data\":{\"A\":\"kot ma ale\"}}}}");
	cluster_expect(k->f->members[0], CORE "configmaps/test-configmap", "kot ma ale", SOON_MS);
}

static void test_what_is_deleted_goes_from_the_members(void **state)
{
	struct kubefed *k = *state;

	cluster_delete(k->f->host, "types.kubefed.io/v1beta1", "FederatedDeployment",
	               "test-namespace", "test-deployment");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(k->f->members[i], DEPLOYMENT, "\"code\":404", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_namespace_and_what_is_in_it_reach_the_members),
		cmocka_unit_test(test_rights_of_the_whole_cluster_reach_the_members),
		cmocka_unit_test(test_a_deployment_is_overridden_in_one_cluster),
		cmocka_unit_test(test_a_preference_shares_out_by_weights),
		cmocka_unit_test(
			test_an_ingress_of_old_says_in_its_status_what_a_server_of_today_finds),
		cmocka_unit_test(test_the_settings_are_taken_while_it_runs),
		cmocka_unit_test(test_what_is_deleted_goes_from_the_members),
	};

	return cmocka_run_group_tests_name("kubefed_examples", tests, setup, teardown);
}
