/* membership.c -- how real clusters join and leave a federation, whose tokens are good how long, and the tool as kubectl's plugin. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/e2e/support/federation.h"
#include "tests/e2e/support/minted.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 30000, SAID_MOST = 65536 };

#define CONFIGMAPS "/api/v1/namespaces/shop/configmaps/"
#define ACCOUNTS   "/api/v1/namespaces/" FEDERATION "/serviceaccounts/"
#define SECRETS    "/api/v1/namespaces/" FEDERATION "/secrets/"
#define ROLES      "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
#define CLUSTERS   "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/"

/* --- joining --- */

static void test_what_the_host_refuses_is_not_begun_in_the_member(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "the Secret Not_a_name of " FEDERATION,
	                  WORDS("join", "gondor", "--secret-name", "Not_a_name",
	                        "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	cluster_expect(f->members[0], "/api/v1/namespaces/" FEDERATION, "NotFound", 0);
	cluster_expect(f->members[0], ACCOUNTS "nigh-gondor-host", "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh", "NotFound", 0);
}

static void test_what_the_member_stops_halfway_is_taken_back(void **state)
{
	struct federation *f = *state;

	/* Accounts it may make, but no roles. */
	cluster_apply(
		f->members[0],
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: ClusterRole\n"
		"metadata: {name: half}\n"
		"rules:\n"
		"- {apiGroups: [''], resources: [namespaces, serviceaccounts], verbs: "
		"['*']}\n"
		"---\n"
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: ClusterRoleBinding\n"
		"metadata: {name: half}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "
		"half}\n"
		"subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: nigh}]\n");
	federation_expect(f, 1, "it is not joined",
	                  WORDS("join", "gondor", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], NIGH_TOKEN)));
	cluster_expect(f->members[0], "/api/v1/namespaces/" FEDERATION, "\"Active\"", 0);
	cluster_expect(f->members[0], ACCOUNTS "nigh-gondor-host", "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh", "NotFound", 0);
	cluster_expect(f->host, CLUSTERS "gondor", "NotFound", 0);
}

static void lose_cluster(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	(void)arg;
	if (strcmp(r->method, "PATCH") == 0 && strstr(r->path, "/kubefedclusters/") &&
	    !strstr(r->path, "dryRun"))
		out->status = GATE_LOST;
}

static void test_what_a_registered_cluster_needs_is_not_taken_back(void **state)
{
	struct federation *f = *state;
	struct gate *gate = federation_gate_host(f);
	char own[sizeof(f->kubeconfig)];

	memcpy(own, f->kubeconfig, sizeof(own));
	memcpy(f->kubeconfig, f->way, sizeof(own));
	gate_decide(gate, lose_cluster, NULL);
	federation_expect(f, 1, "nothing is taken back",
	                  WORDS("join", "gondor", "--host-cluster-name", "host",
	                        "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	gate_decide(gate, NULL, NULL);
	memcpy(f->kubeconfig, own, sizeof(own));
	memcpy(f->way, own, sizeof(own));
	cluster_expect(f->host, CLUSTERS "gondor", "\"name\":\"gondor-nigh\"", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh", "\"token\"", 0);
	cluster_expect(f->members[0], ACCOUNTS "nigh-gondor-host", "\"uid\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "\"uid\"", 0);
	cluster_expect(f->host, CLUSTERS "gondor", "ClusterReady", SOON_MS);
}

static void test_a_joined_cluster_is_told_as_data_too(void **state)
{
	struct federation *f = *state;

	for (unsigned i = 0; i < f->count; i++)
		federation_join(f, f->members[i], NULL);
	federation_expect(f, 0, "tokensEnd: \"20",
	                  WORDS("join", "gondor", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN), "-o", "yaml"));
	cluster_expect(f->host, SECRETS "gondor-nigh", "\"nigh.dev/rotate\":\"true\"", 0);
	federation_namespace(f, "shop");
	federation_put_settings(f, "a: one");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], CONFIGMAPS "settings", "\"a\":\"one\"", SOON_MS);
}

/* --- tokens --- */

static void put_token(struct federation *f, const char *secret, const char *token)
{
	cluster_patch(f->host, "v1", "Secret", FEDERATION, secret,
	              "{\"stringData\":{\"token\":\"%s\"}}", token);
}

/* Until the Secret has another. */
static void expect_another(struct federation *f, const char *secret, const char *token)
{
	size_t len = strlen(token);
	char *encoded = calloc(len / 3 * 4 + 6, 1), path[200];

	assert_non_null(encoded);
	encoded[0] = '!';
	(void)EVP_EncodeBlock((unsigned char *)encoded + 1, (const unsigned char *)token, (int)len);
	snprintf(path, sizeof(path), SECRETS "%s", secret);
	cluster_expect(f->host, path, encoded, SOON_MS);
	free(encoded);
}

static void test_tokens_are_made_anew_before_they_end(void **state)
{
	struct federation *f = *state;
	char *writer = minted_token(f->members[0], FEDERATION, "nigh-gondor-host", 300, 40);
	char *reader = minted_token(f->members[0], FEDERATION, "nigh-reader-gondor-host", 300, 40);

	put_token(f, "gondor-nigh", writer);
	put_token(f, "gondor-nigh-reader", reader);
	expect_another(f, "gondor-nigh", writer);
	expect_another(f, "gondor-nigh-reader", reader);
	federation_put_settings(f, "a: two");
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
	free(writer);
	free(reader);
}

static void test_a_token_that_has_ended_is_told_and_a_new_one_is_taken_up(void **state)
{
	struct federation *f = *state;
	/* For a minute longer than it says a server takes one. */
	char *token = minted_token(f->members[1], FEDERATION, "nigh-rohan-host", 900, -300);

	cluster_expect(f->host, CLUSTERS "rohan", "ClusterReady", SOON_MS);
	put_token(f, "rohan-nigh", token);
	cluster_expect(f->host, CLUSTERS "rohan", "its credential is not taken (401)", SOON_MS);
	cluster_expect(f->host, CLUSTERS "rohan", "\"type\":\"Offline\"", SOON_MS);
	federation_put_settings(f, "a: three");
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"three\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"two\"", 0);
	federation_join(f, f->members[1], "--rotate");
	cluster_expect(f->host, CLUSTERS "rohan", "ClusterReady", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"three\"", SOON_MS);
	free(token);
}

/* --- as kubectl's plugin --- */

/* The script must end with that status and say `text`; kubectl, and nighctl under its plugin's name, are in PATH. */
static void run_script(struct federation *f, int status, const char *text, const char *script)
{
	char nighctl[PATH_MAX], path[300], said[SAID_MOST];
	struct text all = {0};
	int out, ended;
	ssize_t len;
	pid_t pid;

	assert_non_null(realpath(inside_program("NIGHCTL", "build/bin/nighctl"), nighctl));
	text_printf(
		&all,
		"mkdir -p %s/bin && ln -sf %s %s/bin/kubectl-nigh && cd %s/bin && "
		"export PATH=%s/bin:$KUBEBUILDER_ASSETS:/usr/bin:/bin && unset KUBECONFIG && %s",
		cloud_path(f->cloud, "."), nighctl, cloud_path(f->cloud, "."),
		cloud_path(f->cloud, "."), cloud_path(f->cloud, "."), script);
	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "script.log"));
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	pid = inside_spawn((const char *const[]){"/bin/sh", "-c", all.data, NULL}, out);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	len = pread(out, said, sizeof(said) - 1, 0);
	said[len > 0 ? len : 0] = '\0';
	close(out);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status || !strstr(said, text))
		fail_msg("'%s' ends with %d and says: %s", script,
		         WIFEXITED(ended) ? WEXITSTATUS(ended) : -1, said);
	text_fini(&all);
}

static void test_kubectl_runs_it_as_its_plugin(void **state)
{
	struct federation *f = *state;

	run_script(f, 0, "kubectl-nigh", "kubectl plugin list");
	run_script(f, 0, "usage: kubectl nigh [-o", "kubectl nigh --help");
	run_script(f, 2, "kubectl nigh: no such command: unicorn", "kubectl nigh unicorn");
	run_script(f, 0, "status\n:4\n",
	           "ln -sf kubectl-nigh kubectl_complete-nigh && kubectl __complete nigh stat");
	run_script(f, 0, "--by-cluster\n:4\n", "kubectl __complete nigh get deployments --by");
}

static void test_flags_and_files_of_kubectl_work(void **state)
{
	struct federation *f = *state;

	(void)federation_way_to(f, f->members[0], ADMIN_TOKEN);
	run_script(f, 0, "gondor",
	           "KUBECONFIG=../nowhere:../member.kubeconfig:../host.kubeconfig kubectl nigh "
	           "--context host get configmap settings -n shop --by-cluster");
	run_script(f, 0, "gondor",
	           "kubectl nigh get configmap settings --namespace=shop --by-cluster "
	           "--kubeconfig ../host.kubeconfig");
	run_script(f, 1, "federatedconfigmaps.types.kubefed.io \"settings\" not found",
	           "KUBECONFIG=../host.kubeconfig kubectl nigh get configmap settings "
	           "--by-cluster");
	run_script(f, 2, "not both",
	           "kubectl nigh get configmap shop/settings -n shop --by-cluster --kubeconfig "
	           "../host.kubeconfig");
}

/* --- a namespace with what is in it --- */

static void test_what_is_left_of_a_namespace_is_named_and_its_types_can_be_enabled(void **state)
{
	struct federation *f = *state;
	const char *said;

	cluster_apply(f->host, "apiVersion: v1\n"
	                       "kind: Namespace\n"
	                       "metadata: {name: office}\n"
	                       "---\n"
	                       "apiVersion: v1\n"
	                       "kind: ConfigMap\n"
	                       "metadata: {name: desk, namespace: office}\n"
	                       "data: {drawers: \"3\"}\n"
	                       "---\n"
	                       "apiVersion: v1\n"
	                       "kind: Secret\n"
	                       "metadata: {name: safe, namespace: office}\n"
	                       "stringData: {code: \"42\"}\n"
	                       "---\n"
	                       "apiVersion: apps/v1\n"
	                       "kind: Deployment\n"
	                       "metadata: {name: lamp, namespace: office}\n"
	                       "spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
	                       "{labels: {a: b}}, spec: {containers: [{name: c, image: d}]}}}\n");
	said = federation_run(f, 0,
	                      WORDS("federate", "namespace", "office", "--contents", "--dry-run"));
	assert_non_null(strstr(said, "left out: 1 of secrets., which are not federated: nighctl "
	                             "federate enable secrets."));
	assert_non_null(strstr(said, "left out: 1 of deployments.apps, which are not federated"));
	assert_null(strstr(said, "endpoint"));
	assert_null(strstr(said, "lease"));
	federation_expect(f, 1, "--enable-types writes types",
	                  WORDS("federate", "namespace", "office", "--contents", "--enable-types",
	                        "-o", "yaml"));
	said = federation_run(
		f, 0, WORDS("federate", "namespace", "office", "--contents", "--enable-types"));
	assert_non_null(strstr(said, "FederatedTypeConfig deployments.apps is enabled"));
	assert_non_null(strstr(said, "FederatedDeployment lamp is written"));
	assert_non_null(strstr(said, "FederatedSecret safe is written"));
	assert_null(strstr(said, "left out"));
	federation_join(f, f->members[0], "--rotate");
	cluster_expect(f->members[0], "/api/v1/namespaces/office/secrets/safe", "\"code\":\"NDI=\"",
	               SOON_MS);
	cluster_expect(f->members[0], "/apis/apps/v1/namespaces/office/deployments/lamp",
	               "\"kubefed.io/managed\":\"true\"", SOON_MS);
}

/* --- leaving --- */

static void test_a_cluster_that_leaves_with_keep_has_its_objects_as_they_are(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "left behind in gondor: configmaps shop/settings",
	                  WORDS("unjoin", "gondor", "--keep", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	cluster_expect(f->host, CLUSTERS "gondor", "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh", "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh-reader", "NotFound", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "NotFound", 0);
	cluster_expect(f->members[0], ACCOUNTS "nigh-gondor-host", "NotFound", 0);
	federation_put_settings(f, "a: four");
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"four\"", SOON_MS);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"three\"", 0);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"kubefed.io/managed\":\"true\"", 0);
}

static void test_remove_needs_to_know_that_the_member_is_not_the_host(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "is it the host itself?",
	                  WORDS("unjoin", "rohan", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], NIGH_TOKEN)));
	cluster_expect(f->host, CLUSTERS "rohan", "\"apiEndpoint\"", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"four\"", 0);
}

/* A context that happens to have the name, say: what is managed there is another federation's. */
static void test_another_cluster_than_the_member_loses_nothing(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "KubeFedCluster rohan is at ",
	                  WORDS("unjoin", "rohan", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	cluster_expect(f->host, CLUSTERS "rohan", "\"apiEndpoint\"", 0);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"three\"", 0);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"kubefed.io/managed\":\"true\"", 0);
}

static void test_remove_takes_only_what_was_propagated(void **state)
{
	struct federation *f = *state;
	const char *said;

	cluster_apply(f->members[1], "apiVersion: v1\n"
	                             "kind: Namespace\n"
	                             "metadata: {name: private}\n"
	                             "---\n"
	                             "apiVersion: v1\n"
	                             "kind: ConfigMap\n"
	                             "metadata: {name: own, namespace: private}\n"
	                             "---\n"
	                             "apiVersion: v1\n"
	                             "kind: ConfigMap\n"
	                             "metadata: {name: left, namespace: private, labels: "
	                             "{kubefed.io/managed: \"false\"}}\n");
	said = federation_run(f, 0,
	                      WORDS("unjoin", "rohan", "--remove", "-o", "json",
	                            "--cluster-kubeconfig",
	                            federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	assert_non_null(strstr(said, "\"cluster\": \"rohan\""));
	assert_non_null(strstr(said, "\"configmaps\": "));
	cluster_expect(f->members[1], CONFIGMAPS "settings", "NotFound", 0);
	cluster_expect(f->members[1], "/api/v1/namespaces/shop", "NotFound", SOON_MS);
	cluster_expect(f->members[1], "/api/v1/namespaces/private/configmaps/own", "\"own\"", 0);
	cluster_expect(f->members[1], "/api/v1/namespaces/private/configmaps/left", "\"left\"", 0);
}

static void test_a_host_that_leaves_itself_keeps_its_namespaces(void **state)
{
	struct federation *f = *state;

	federation_join(f, f->host, NULL);
	cluster_expect(f->host, CONFIGMAPS "settings", "\"a\":\"four\"", SOON_MS);
	federation_expect(f, 0, "namespaces: 2 orphaned",
	                  WORDS("unjoin", "host", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->host, ADMIN_TOKEN)));
	cluster_expect(f->host, CONFIGMAPS "settings", "NotFound", 0);
	cluster_expect(f->host, "/api/v1/namespaces/shop", "\"Active\"", 0);
	cluster_expect(f->host, "/api/v1/namespaces/shop", "!kubefed.io/managed", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_host_refuses_is_not_begun_in_the_member),
		cmocka_unit_test(test_what_the_member_stops_halfway_is_taken_back),
		cmocka_unit_test(test_what_a_registered_cluster_needs_is_not_taken_back),
		cmocka_unit_test(test_a_joined_cluster_is_told_as_data_too),
		cmocka_unit_test(test_tokens_are_made_anew_before_they_end),
		cmocka_unit_test(test_a_token_that_has_ended_is_told_and_a_new_one_is_taken_up),
		cmocka_unit_test(test_kubectl_runs_it_as_its_plugin),
		cmocka_unit_test(test_flags_and_files_of_kubectl_work),
		cmocka_unit_test(
			test_what_is_left_of_a_namespace_is_named_and_its_types_can_be_enabled),
		cmocka_unit_test(test_a_cluster_that_leaves_with_keep_has_its_objects_as_they_are),
		cmocka_unit_test(test_remove_needs_to_know_that_the_member_is_not_the_host),
		cmocka_unit_test(test_another_cluster_than_the_member_loses_nothing),
		cmocka_unit_test(test_remove_takes_only_what_was_propagated),
		cmocka_unit_test(test_a_host_that_leaves_itself_keeps_its_namespaces),
	};

	return cmocka_run_group_tests(tests, federation_setup_config_maps, federation_teardown);
}
