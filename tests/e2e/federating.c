/* federating.c -- nighctl makes a federation of real clusters, and ends it. */
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

enum { SOON_MS = 20000 };

#define CONFIGMAPS "/api/v1/namespaces/shop/configmaps/"
#define FEDERATED  "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedconfigmaps/"
#define ROLES      "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
#define CLUSTERS   "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/"
#define TYPES      "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/federatedtypeconfigs/"

/* nighctl with these words. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int setup(void **state)
{
	struct federation *f = federation_new_alone(2);

	*state = f;
	cluster_apply(f->host, "apiVersion: core.kubefed.io/v1beta1\n"
	                       "kind: KubeFedConfig\n"
	                       "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	                       "spec: {scope: Cluster, clusterHealthCheck: {period: 1s}}\n");
	federation_enable(f, "namespaces");
	federation_enable(f, "cm");
	federation_start(f);
	return 0;
}

static int teardown(void **state)
{
	federation_free(*state);
	return 0;
}

static void settings(struct federation *f, const char *data)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedConfigMap\n"
	              "metadata: {name: settings, namespace: shop}\n"
	              "spec: {template: {data: {%s}}, placement: {clusterSelector: {}}}\n",
	              data);
}

/* The way of the member's administrator; good until the next call. */
static const char *way_to(struct federation *f, struct cluster *member)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "member.kubeconfig"));
	cluster_kubeconfig(member, ADMIN_TOKEN, path);
	return path;
}

static void join(struct federation *f, struct cluster *member, const char *flag)
{
	federation_expect(f, 0, "is joined",
	                  WORDS("join", cluster_name(member), "--cluster-kubeconfig",
	                        way_to(f, member), flag));
}

static void test_a_cluster_joined_with_nighctl_alone_is_propagated_to(void **state)
{
	struct federation *f = *state;

	for (unsigned i = 0; i < f->count; i++)
		join(f, f->members[i], NULL);
	federation_namespace(f, "shop");
	settings(f, "a: one");
	for (unsigned i = 0; i < f->count; i++) {
		cluster_expect(f->members[i], CONFIGMAPS "settings", "\"a\":\"one\"", SOON_MS);
		cluster_expect(f->members[i], CONFIGMAPS "settings",
		               "\"kubefed.io/managed\":\"true\"", 0);
	}
}

static void test_a_member_grants_what_types_need_and_no_more(void **state)
{
	struct federation *f = *state;

	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "\"configmaps\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "!\"*\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "!\"secrets\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-reader:gondor-host", "!\"patch\"", 0);
	cluster_expect(f->host, CLUSTERS "gondor",
	               "\"nigh.dev/reader-secret\":\"gondor-nigh-reader\"", 0);
}

static void test_joining_again_grants_what_was_enabled_since(void **state)
{
	struct federation *f = *state;

	federation_enable(f, "secrets");
	join(f, f->members[0], "--rotate");
	join(f, f->members[1], NULL);
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedSecret\n"
	                       "metadata: {name: key, namespace: shop}\n"
	                       "spec: {template: {stringData: {key: value}}, placement: "
	                       "{clusterSelector: {}}}\n");
	cluster_expect(f->members[1], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               SOON_MS);
	cluster_expect(f->members[0], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               SOON_MS);
}

static void test_another_cluster_is_not_taken_for_a_member(void **state)
{
	struct federation *f = *state;

	federation_expect(
		f, 1, "if it is the same cluster",
		WORDS("join", "gondor", "--cluster-kubeconfig", way_to(f, f->members[1])));
	federation_expect(f, 1, "there is no KubeFedCluster mordor",
	                  WORDS("join", "mordor", "--rotate", "--cluster-kubeconfig",
	                        way_to(f, f->members[1])));
}

static void test_a_type_of_the_same_api_is_refused(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: FederatedTypeConfig\n"
	              "metadata: {name: ingresses.extensions, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  propagation: Disabled\n"
	              "  targetType: {group: extensions, version: v1beta1, kind: Ingress, "
	              "pluralName: ingresses, scope: Namespaced}\n"
	              "  federatedType: {group: types.kubefed.io, version: v1beta1, kind: "
	              "FederatedIngress, pluralName: federatedingresses, scope: Namespaced}\n");
	federation_expect(f, 1, "ingresses.extensions propagates the same",
	                  WORDS("federate", "enable", "ingresses"));
	federation_expect(f, 1, "there is no kind unicorns",
	                  WORDS("federate", "enable", "unicorns"));
}

static void test_a_type_is_disabled_and_its_objects_stay(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "there are 1 federatedsecrets",
	                  WORDS("federate", "disable", "secrets", "--delete-crd"));
	federation_expect(f, 0, "FederatedTypeConfig secrets is deleted",
	                  WORDS("federate", "disable", "secrets"));
	cluster_expect(f->host, TYPES "secrets", "NotFound", SOON_MS);
	cluster_expect(f->members[0], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               0);
}

static void test_what_becomes_of_objects_must_be_said(void **state)
{
	struct federation *f = *state;

	federation_expect(
		f, 2, "--keep (as they are), --orphan",
		WORDS("unjoin", "rohan", "--cluster-kubeconfig", way_to(f, f->members[1])));
	federation_expect(f, 0, "not done: configmaps: 1 orphaned",
	                  WORDS("unjoin", "rohan", "--orphan", "--dry-run", "--cluster-kubeconfig",
	                        way_to(f, f->members[1])));
	cluster_expect(f->host, CLUSTERS "rohan", "\"apiEndpoint\"", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"kubefed.io/managed\":\"true\"", 0);
}

static void test_a_cluster_that_leaves_with_orphan_has_its_objects(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "configmaps: 1 orphaned",
	                  WORDS("unjoin", "rohan", "--orphan", "--cluster-kubeconfig",
	                        way_to(f, f->members[1])));
	cluster_expect(f->host, CLUSTERS "rohan", "NotFound", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "!kubefed.io/managed\":\"true", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"one\"", 0);
	cluster_expect(f->members[1], ROLES "nigh-propagator:rohan-host", "NotFound", 0);
	cluster_expect(f->members[1], ROLES "nigh-reader:rohan-host", "NotFound", 0);
	cluster_expect(f->host, "/api/v1/namespaces/" FEDERATION "/secrets/rohan-nigh", "NotFound",
	               0);
	settings(f, "a: two");
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"one\"", 0);
}

static void test_a_cluster_joins_as_kubefed_had_it(void **state)
{
	struct federation *f = *state;

	join(f, f->members[1], "--kubefed-compatible");
	cluster_expect(f->members[1], ROLES "kubefed-controller-manager:rohan-host",
	               "\"nonResourceURLs\":[\"*\"]", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
}

static void test_a_cluster_that_leaves_with_remove_has_nothing_left(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "configmaps: 1 deleted",
	                  WORDS("unjoin", "rohan", "--remove", "--cluster-kubeconfig",
	                        way_to(f, f->members[1])));
	cluster_expect(f->members[1], CONFIGMAPS "settings", "NotFound", 0);
	cluster_expect(f->members[1], "/api/v1/namespaces/shop", "NotFound", SOON_MS);
	cluster_expect(f->members[1], ROLES "kubefed-controller-manager:rohan-host", "NotFound", 0);
}

static void test_a_cluster_that_never_comes_back_is_forgotten(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "gondor is ready", WORDS("forget", "gondor"));
	cluster_kill(f->members[0]);
	cluster_expect(f->host, CLUSTERS "gondor", "ClusterNotReachable", SOON_MS * 4);
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop",
	               "settings");
	federation_expect(f, 1, "nothing is done; --force",
	                  WORDS("unjoin", "gondor", "--remove", "--cluster-kubeconfig",
	                        way_to(f, f->members[0])));
	cluster_expect(f->host, FEDERATED "settings", "deletionTimestamp", 0);
	cluster_expect(f->host, FEDERATED "settings", "\"status\":\"ClusterNotReady\"", SOON_MS);
	federation_expect(
		f, 0,
		"left behind in gondor: configmaps shop/settings (its deletion waited for this "
		"cluster)",
		WORDS("forget", "gondor"));
	cluster_expect(f->host, FEDERATED "settings", "NotFound", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_joined_with_nighctl_alone_is_propagated_to),
		cmocka_unit_test(test_a_member_grants_what_types_need_and_no_more),
		cmocka_unit_test(test_joining_again_grants_what_was_enabled_since),
		cmocka_unit_test(test_another_cluster_is_not_taken_for_a_member),
		cmocka_unit_test(test_a_type_of_the_same_api_is_refused),
		cmocka_unit_test(test_a_type_is_disabled_and_its_objects_stay),
		cmocka_unit_test(test_what_becomes_of_objects_must_be_said),
		cmocka_unit_test(test_a_cluster_that_leaves_with_orphan_has_its_objects),
		cmocka_unit_test(test_a_cluster_joins_as_kubefed_had_it),
		cmocka_unit_test(test_a_cluster_that_leaves_with_remove_has_nothing_left),
		cmocka_unit_test(test_a_cluster_that_never_comes_back_is_forgotten),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
