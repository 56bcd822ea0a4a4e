/* namespaced.c -- a control plane of the scope Namespaced between real clusters with RBAC: what a member lets its host do, and
 * that this is enough. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"

enum { SOON_MS = 30000 };

#define WRITER      "nigh-gondor-host"
#define READER      "nigh-reader-gondor-host"
#define OLD         "rohan-host"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/" FEDERATION "/deployments/"
#define RBAC        "/apis/rbac.authorization.k8s.io/v1/"
#define IN_IT       RBAC "namespaces/" FEDERATION "/"
#define ACCOUNTS    "/api/v1/namespaces/" FEDERATION "/serviceaccounts/"
#define SECRETS     "/api/v1/namespaces/" FEDERATION "/secrets/"
#define CLUSTERS    "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/"
#define RECORDS                                                                                    \
	"/apis/multiclusterdns.kubefed.io/v1alpha1/namespaces/" FEDERATION "/servicednsrecords/"

static void set_scope(struct federation *f, const char *scope)
{
	cluster_delete(f->host, "core.kubefed.io/v1beta1", "KubeFedConfig", FEDERATION, "kubefed");
	federation_put_config(f, scope);
}

static int setup(void **state)
{
	struct federation *f = federation_new_alone(2);

	*state = f;
	set_scope(f, "Namespaced");
	federation_enable(f, "namespaces");
	federation_enable(f, "deployments.apps");
	federation_start(f);
	return 0;
}

static void deploy(struct federation *f, const char *name)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedDeployment\n"
	              "metadata: {name: %s, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  placement: {clusterSelector: {}}\n"
	              "  template: {spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: "
	              "{metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: d}]}}}}\n",
	              name);
}

/* What kubectl auth can-i asks; `group`, `namespace` "": the core's, all of them. */
static bool may(struct cluster *c, const char *account, const char *verb, const char *group,
                const char *resource, const char *namespace)
{
	char body[600];

	snprintf(body, sizeof(body),
	         "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SubjectAccessReview\","
	         "\"spec\":{\"user\":\"system:serviceaccount:" FEDERATION ":%s\","
	         "\"resourceAttributes\":{\"verb\":\"%s\",\"group\":\"%s\",\"resource\":\"%s\","
	         "\"namespace\":\"%s\"}}}",
	         account, verb, group, resource, namespace);
	assert_int_equal(cluster_send(c, "POST",
	                              "/apis/authorization.k8s.io/v1/subjectaccessreviews",
	                              "application/json", body),
	                 201);
	return strstr(cluster_body(c), "\"allowed\":true") != NULL;
}

static void test_what_is_in_the_namespace_is_propagated(void **state)
{
	struct federation *f = *state;

	federation_join(f, f->members[0], NULL);
	federation_join(f, f->members[1], "--kubefed-compatible");
	deploy(f, "web");
	for (unsigned i = 0; i < f->count; i++) {
		cluster_expect(f->host, CLUSTERS "gondor", "ClusterReady", SOON_MS);
		cluster_expect(f->members[i], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
		               SOON_MS);
		cluster_expect(f->members[i], "/api/v1/namespaces/" FEDERATION "/events",
		               "Created (FederatedDeployment " FEDERATION "/web)", SOON_MS);
	}
	cluster_delete(f->members[0], "apps/v1", "Deployment", FEDERATION, "web");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
}

static void test_the_writer_may_write_there_and_nowhere_else(void **state)
{
	struct federation *f = *state;
	struct cluster *c = f->members[0];

	assert_true(may(c, WRITER, "create", "apps", "deployments", FEDERATION));
	assert_true(may(c, WRITER, "list", "", "pods", FEDERATION));
	assert_true(may(c, WRITER, "create", "", "events", FEDERATION));
	assert_true(may(c, WRITER, "list", "", "nodes", ""));
	assert_false(may(c, WRITER, "create", "apps", "deployments", "default"));
	assert_false(may(c, WRITER, "list", "apps", "deployments", ""));
	assert_false(may(c, WRITER, "list", "", "pods", "default"));
	assert_false(may(c, WRITER, "create", "", "namespaces", ""));
	assert_false(may(c, WRITER, "list", "", "secrets", FEDERATION));
	assert_false(may(c, WRITER, "patch", "", "nodes", ""));
}

static void test_the_reader_may_look_there_and_nowhere_else(void **state)
{
	struct federation *f = *state;
	struct cluster *c = f->members[0];

	assert_true(may(c, READER, "watch", "", "services", FEDERATION));
	assert_true(may(c, READER, "watch", "discovery.k8s.io", "endpointslices", FEDERATION));
	assert_true(may(c, READER, "watch", "networking.k8s.io", "ingresses", FEDERATION));
	assert_true(may(c, READER, "watch", "", "nodes", ""));
	assert_false(may(c, READER, "list", "", "services", ""));
	assert_false(may(c, READER, "list", "", "services", "default"));
	assert_false(may(c, READER, "patch", "", "services", FEDERATION));
	cluster_expect(f->host, CLUSTERS "gondor",
	               "\"nigh.dev/reader-namespace\":\"" FEDERATION "\"", 0);
}

/* The watches of nighd, which nigh-propagator has for records, are held to the namespace, too. */
static void test_addresses_are_seen_through_the_reader_and_the_old_account(void **state)
{
	struct federation *f = *state;

	for (unsigned i = 0; i < f->count; i++) {
		objects_node(f->members[i], i == 0 ? "west" : "east", i == 0 ? "west1" : "east1");
		objects_service(f->members[i], FEDERATION, "web",
		                i == 0 ? "192.0.2.10" : "192.0.2.20", 80);
		objects_pods(f->members[i], FEDERATION, "web", 1, true);
	}
	objects_domain(f->host, "fed", "example.com");
	objects_service_record(f->host, FEDERATION, "web", "fed");
	cluster_expect(f->host, RECORDS "web",
	               "{\"cluster\":\"gondor\",\"loadBalancer\":{\"ingress\":[{\"ip\":"
	               "\"192.0.2.10\"}]}",
	               SOON_MS);
	cluster_expect(f->host, RECORDS "web",
	               "{\"cluster\":\"rohan\",\"loadBalancer\":{\"ingress\":[{\"ip\":"
	               "\"192.0.2.20\"}]}",
	               SOON_MS);
}

static void test_the_old_account_may_do_everything_there_and_nowhere_else(void **state)
{
	struct federation *f = *state;
	struct cluster *c = f->members[1];

	assert_true(may(c, OLD, "delete", "", "secrets", FEDERATION));
	assert_true(may(c, OLD, "list", "", "nodes", ""));
	assert_false(may(c, OLD, "list", "", "secrets", ""));
	assert_false(may(c, OLD, "list", "", "secrets", "default"));
	assert_false(may(c, OLD, "watch", "apps", "deployments", ""));
	cluster_expect(c, IN_IT "roles/kubefed-controller-manager:rohan-host", "\"*\"", 0);
	cluster_expect(c,
	               RBAC "clusterroles/kubefed-controller-manager:" FEDERATION
	                    ":healthcheck-rohan-host",
	               "\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/healthz\"]", 0);
	cluster_expect(c, RBAC "clusterroles/kubefed-controller-manager:rohan-host", "NotFound", 0);
}

/* --- another scope --- */

static void test_joined_again_a_member_grants_what_the_other_scope_needs_alone(void **state)
{
	struct federation *f = *state;
	struct cluster *least = f->members[0], *old = f->members[1];

	federation_stop(f);
	set_scope(f, "Cluster");
	federation_join(f, least, NULL);
	federation_join(f, old, "--kubefed-compatible");
	assert_true(may(least, WRITER, "create", "apps", "deployments", "default"));
	assert_true(may(least, READER, "list", "", "services", ""));
	cluster_expect(least, IN_IT "roles/nigh-propagator:gondor-host", "NotFound", 0);
	cluster_expect(least, IN_IT "rolebindings/nigh-propagator:gondor-host", "NotFound", 0);
	cluster_expect(least, IN_IT "roles/nigh-reader:gondor-host", "NotFound", 0);
	cluster_expect(least, RBAC "clusterrolebindings/nigh-propagator:" FEDERATION ":gondor-host",
	               "NotFound", 0);
	cluster_expect(f->host, CLUSTERS "gondor", "!nigh.dev/reader-namespace", 0);
	assert_true(may(old, OLD, "list", "", "secrets", ""));
	cluster_expect(old, IN_IT "roles/kubefed-controller-manager:rohan-host", "NotFound", 0);
	cluster_expect(old,
	               RBAC "clusterrolebindings/kubefed-controller-manager:" FEDERATION
	                    ":healthcheck-rohan-host",
	               "NotFound", 0);
	set_scope(f, "Namespaced");
	federation_join(f, least, NULL);
	federation_join(f, old, "--kubefed-compatible");
	assert_false(may(least, WRITER, "create", "apps", "deployments", "default"));
	assert_false(may(least, READER, "list", "", "services", ""));
	assert_false(may(old, OLD, "list", "", "secrets", ""));
	cluster_expect(least, RBAC "clusterrolebindings/nigh-propagator:gondor-host", "NotFound",
	               0);
	federation_start(f);
	deploy(f, "again");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], DEPLOYMENTS "again",
		               "\"kubefed.io/managed\":\"true\"", SOON_MS);
}

/* --- leaving --- */

static void expect_nothing_granted(struct cluster *c, const char *account, const char *role)
{
	static const char *const kinds[] = {"clusterroles", "clusterrolebindings",
	                                    "namespaces/" FEDERATION "/roles",
	                                    "namespaces/" FEDERATION "/rolebindings"};
	char path[200], absent[200];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), RBAC "%s", kinds[i]);
		snprintf(absent, sizeof(absent), "!%s", role);
		cluster_expect(c, path, absent, 0);
	}
	snprintf(path, sizeof(path), ACCOUNTS "%s", account);
	cluster_expect(c, path, "NotFound", 0);
}

/* Of a control plane of the same host that has another namespace, and reaches everywhere. */
static void let_in_another(struct cluster *c)
{
	cluster_apply(c, "apiVersion: rbac.authorization.k8s.io/v1\n"
	                 "kind: ClusterRole\n"
	                 "metadata: {name: \"nigh-propagator:gondor-host\"}\n");
	cluster_apply(c, "apiVersion: rbac.authorization.k8s.io/v1\n"
	                 "kind: ClusterRoleBinding\n"
	                 "metadata: {name: \"nigh-propagator:gondor-host\"}\n"
	                 "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "
	                 "\"nigh-propagator:gondor-host\"}\n"
	                 "subjects: [{kind: ServiceAccount, name: other, namespace: default}]\n");
}

static void end_another(struct cluster *c)
{
	static const char *const kinds[] = {"clusterroles", "clusterrolebindings"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char path[200];

		snprintf(path, sizeof(path), RBAC "%s/nigh-propagator:gondor-host", kinds[i]);
		cluster_expect(c, path, "\"uid\"", 0);
		assert_int_equal(cluster_send(c, "DELETE", path, NULL, NULL), 200);
	}
}

static void test_a_member_that_leaves_has_nothing_granted_and_keeps_what_others_manage(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->members[0], "apiVersion: apps/v1\n"
	                             "kind: Deployment\n"
	                             "metadata: {name: other, namespace: default, labels: "
	                             "{kubefed.io/managed: \"true\"}}\n"
	                             "spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
	                             "{labels: {a: b}}, spec: {containers: [{name: c, image: "
	                             "d}]}}}\n");
	let_in_another(f->members[0]);
	federation_expect(f, 0, "deployments.apps: 2 deleted",
	                  WORDS("unjoin", "gondor", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	federation_expect(f, 0, "deployments.apps: 2 orphaned",
	                  WORDS("unjoin", "rohan", "--orphan", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	end_another(f->members[0]);
	expect_nothing_granted(f->members[0], WRITER, "gondor-host");
	expect_nothing_granted(f->members[0], READER, "gondor-host");
	expect_nothing_granted(f->members[1], OLD, "rohan-host");
	cluster_expect(f->members[1], SECRETS OLD, "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh", "NotFound", 0);
	cluster_expect(f->host, SECRETS "gondor-nigh-reader", "NotFound", 0);
	cluster_expect(f->members[0], "/apis/apps/v1/namespaces/default/deployments/other",
	               "\"kubefed.io/managed\":\"true\"", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_in_the_namespace_is_propagated),
		cmocka_unit_test(test_the_writer_may_write_there_and_nowhere_else),
		cmocka_unit_test(test_the_reader_may_look_there_and_nowhere_else),
		cmocka_unit_test(test_addresses_are_seen_through_the_reader_and_the_old_account),
		cmocka_unit_test(test_the_old_account_may_do_everything_there_and_nowhere_else),
		cmocka_unit_test(
			test_joined_again_a_member_grants_what_the_other_scope_needs_alone),
		cmocka_unit_test(
			test_a_member_that_leaves_has_nothing_granted_and_keeps_what_others_manage),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
