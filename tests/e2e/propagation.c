/* propagation.c -- nigh-propagator on real API servers: federated objects as KubeFed's users have them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 15000 };

#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments/"
#define FEDERATED   "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/"
#define CONFIGMAPS  "/api/v1/namespaces/shop/configmaps/"

#define HOOKED "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedconfigmaps/hooked"

/* A webhook counts some time after it was told of. */
static void await_refusal(struct cluster *c)
{
	const struct deadline deadline = inside_deadline(SOON_MS);

	while (cluster_send(c, "POST", "/api/v1/namespaces/shop/configmaps?dryRun=All",
	                    "application/json",
	                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
	                    "\"name\":\"try\"}}") < 400) {
		if (!inside_has_time(deadline))
			fail_msg("the webhook refuses nothing");
		inside_rest();
	}
}

static int setup(void **state)
{
	struct federation *f = federation_new(2);

	*state = f;
	federation_enable(f, "namespaces");
	federation_enable(f, "deployments.apps");
	federation_enable(f, "configmaps");
	federation_start(f);
	federation_namespace(f, "shop");
	return 0;
}

static void deployment(struct federation *f, const char *name, const char *more)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedDeployment\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec:\n"
	              "  template:\n"
	              "    metadata: {labels: {app: %s}}\n"
	              "    spec:\n"
	              "      replicas: 1\n"
	              "      selector: {matchLabels: {app: %s}}\n"
	              "      template:\n"
	              "        metadata: {labels: {app: %s}}\n"
	              "        spec: {containers: [{name: web, image: nginx}]}\n"
	              "%s",
	              name, name, name, name, more);
}

static void test_an_object_is_brought_to_all_members(void **state)
{
	struct federation *f = *state;

	deployment(f, "web", "  placement: {clusterSelector: {}}\n");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
		               SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "\"type\":\"Propagation\"", SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "\"status\":\"True\"", SOON_MS);
	cluster_expect(
		f->host,
		"/apis/core.kubefed.io/v1alpha1/namespaces/shop/propagatedversions/deployment-web",
		"\"version\":\"gen:1\"", SOON_MS);
}

static void test_a_cluster_has_what_its_overrides_say(void **state)
{
	struct federation *f = *state;

	deployment(f, "web",
	           "  placement: {clusterSelector: {}}\n"
	           "  overrides:\n"
	           "  - clusterName: gondor\n"
	           "    clusterOverrides: [{path: /spec/replicas, value: 4}]\n");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "\"replicas\":4", SOON_MS);
	cluster_expect(f->members[1], DEPLOYMENTS "web", "\"replicas\":1", SOON_MS);
}

static void test_what_somebody_changes_is_set_right(void **state)
{
	struct federation *f = *state;

	cluster_patch(f->members[1], "apps/v1", "Deployment", "shop", "web",
	              "{\"spec\":{\"replicas\":7}}");
	cluster_expect(f->members[1], DEPLOYMENTS "web", "\"replicas\":1", SOON_MS);
	cluster_patch(f->members[0], "apps/v1", "Deployment", "shop", "web",
	              "{\"metadata\":{\"labels\":{\"kubefed.io/managed\":null}}}");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
}

/* As somebody's autoscaler would. */
static void test_who_changes_it_again_and_again_is_named(void **state)
{
	static const char *const named = " sets .spec.replicas again and again";
	const struct deadline deadline = inside_deadline(SOON_MS);
	struct federation *f = *state;

	for (unsigned replicas = 8; inside_has_time(deadline); replicas++) {
		cluster_patch(f->members[1], "apps/v1", "Deployment", "shop", "web",
		              "{\"spec\":{\"replicas\":%u}}", replicas);
		if (cluster_send(f->host, "GET", FEDERATED "web", NULL, NULL) == 200 &&
		    strstr(cluster_body(f->host), named))
			break;
		inside_rest();
	}
	cluster_expect(f->host, FEDERATED "web", named, SOON_MS);
	cluster_expect(f->members[1], DEPLOYMENTS "web", "\"replicas\":1", SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "!Drifted", SOON_MS);
}

static void test_a_field_that_leaves_the_template_leaves_the_members(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedConfigMap\n"
	                       "metadata: {name: settings, namespace: shop}\n"
	                       "spec:\n"
	                       "  template: {data: {a: one, b: two}}\n"
	                       "  placement: {clusters: [{name: rohan}]}\n");
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"b\":\"two\"", SOON_MS);
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedConfigMap\n"
	                       "metadata: {name: settings, namespace: shop}\n"
	                       "spec:\n"
	                       "  template: {data: {a: three}}\n"
	                       "  placement: {clusters: [{name: rohan}]}\n");
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"three\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "!\"b\":\"two\"", SOON_MS);
	assert_int_equal(cluster_send(f->members[0], "GET", CONFIGMAPS "settings", NULL, NULL),
	                 404);
}

static void test_what_is_placed_no_more_is_deleted_there(void **state)
{
	struct federation *f = *state;

	deployment(f, "web", "  placement: {clusters: [{name: gondor}]}\n");
	cluster_expect(f->members[1], DEPLOYMENTS "web", "NotFound", SOON_MS);
	assert_int_equal(cluster_send(f->members[0], "GET", DEPLOYMENTS "web", NULL, NULL), 200);
}

static void test_an_error_of_one_cluster_is_that_clusters_alone(void **state)
{
	struct federation *f = *state;

	deployment(f, "web",
	           "  placement: {clusterSelector: {}}\n"
	           "  overrides:\n"
	           "  - clusterName: gondor\n"
	           "    clusterOverrides: [{op: remove, path: /spec/nothing}]\n");
	cluster_expect(f->members[1], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "ApplyOverridesFailed", SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "\"reason\":\"CheckClusters\"", SOON_MS);
}

/* What another has there besides stays. */
static void test_what_is_there_already_is_adopted(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->members[0], "apiVersion: v1\n"
	                             "kind: ConfigMap\n"
	                             "metadata: {name: old, namespace: shop}\n"
	                             "data: {a: zero, own: mine}\n");
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedConfigMap\n"
	                       "metadata: {name: old, namespace: shop}\n"
	                       "spec: {template: {data: {a: one}}, placement: {clusterSelector: "
	                       "{}}}\n");
	cluster_expect(f->members[0], CONFIGMAPS "old", "\"kubefed.io/managed\":\"true\"", SOON_MS);
	cluster_expect(f->members[0], CONFIGMAPS "old", "\"data\":{\"a\":\"one\",\"own\":\"mine\"}",
	               0);
	cluster_expect(f->members[1], CONFIGMAPS "old", "\"data\":{\"a\":\"one\"}", SOON_MS);
	cluster_expect(f->host, "/api/v1/namespaces/shop/events", "AdoptInCluster", SOON_MS);
}

/* The webhook that one member has for all ConfigMaps is down. */
static void test_a_webhook_that_is_down_holds_up_its_own_cluster_alone(void **state)
{
	enum { AGAIN_MS = 60000 }; /* the longest pause, and a busy machine */
	struct federation *f = *state;

	cluster_apply(f->members[0],
	              "apiVersion: admissionregistration.k8s.io/v1\n"
	              "kind: ValidatingWebhookConfiguration\n"
	              "metadata: {name: down}\n"
	              "webhooks:\n"
	              "- name: down.example.com\n"
	              "  admissionReviewVersions: [v1]\n"
	              "  sideEffects: None\n"
	              "  failurePolicy: Fail\n"
	              "  clientConfig: {url: 'https://127.0.0.1:9/'}\n"
	              "  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n"
	              "  rules: [{operations: [CREATE, UPDATE], apiGroups: [''], apiVersions: "
	              "[v1], resources: [configmaps]}]\n");
	await_refusal(f->members[0]);
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedConfigMap\n"
	                       "metadata: {name: hooked, namespace: shop}\n"
	                       "spec: {template: {data: {a: one}}, placement: {clusterSelector: "
	                       "{}}}\n");
	cluster_expect(f->members[1], CONFIGMAPS "hooked", "\"a\":\"one\"", SOON_MS);
	cluster_expect(f->host, HOOKED, "failed calling webhook", SOON_MS);
	cluster_expect(f->host, HOOKED, "\"status\":\"CreationFailed\"", 0);
	cluster_expect(f->members[0], CONFIGMAPS "hooked", "NotFound", 0);
	cluster_delete(f->members[0], "admissionregistration.k8s.io/v1",
	               "ValidatingWebhookConfiguration", NULL, "down");
	cluster_expect(f->members[0], CONFIGMAPS "hooked", "\"manager\":\"nigh-propagator\"",
	               AGAIN_MS);
	cluster_expect(f->host, HOOKED, "\"status\":\"True\"", SOON_MS);
}

static void test_what_is_deleted_is_deleted_everywhere(void **state)
{
	struct federation *f = *state;

	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedDeployment", "shop", "web");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], DEPLOYMENTS "web", "NotFound", SOON_MS);
	cluster_expect(f->host, FEDERATED "web", "NotFound", SOON_MS);
}

static void test_what_is_orphaned_stays(void **state)
{
	struct federation *f = *state;

	cluster_patch(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop", "settings",
	              "{\"metadata\":{\"annotations\":{\"kubefed.io/orphan\":\"true\"}}}");
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop",
	               "settings");
	cluster_expect(
		f->host,
		"/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedconfigmaps/settings",
		"NotFound", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "!kubefed.io/managed\":\"true",
	               SOON_MS);
	assert_int_equal(cluster_send(f->members[1], "GET", CONFIGMAPS "settings", NULL, NULL),
	                 200);
}

/* --- leaders --- */

enum { TERM_MS = 60000 }; /* as long as a Lease may take to be another's, on a busy machine */

static void scale(struct federation *f, const char *name, unsigned replicas)
{
	char patch[96], want[32];

	snprintf(patch, sizeof(patch), "{\"spec\":{\"template\":{\"spec\":{\"replicas\":%u}}}}",
	         replicas);
	snprintf(want, sizeof(want), "\"replicas\":%u", replicas);
	cluster_patch(f->host, "types.kubefed.io/v1beta1", "FederatedDeployment", "shop", name,
	              "%s", patch);
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], DEPLOYMENTS "late", want, TERM_MS);
}

static void test_a_killed_leader_has_a_successor(void **state)
{
	struct federation *f = *state;

	deployment(f, "late", "  placement: {clusterSelector: {}}\n");
	cluster_expect(f->host, FEDERATED "late", "\"status\":\"True\"", SOON_MS);
	federation_kill(f);
	federation_start(f);
	scale(f, "late", 2);
}

/* It is not told of the end of its term; when it goes on it writes nothing of what it was about to. */
static void test_a_leader_that_slept_through_its_term_writes_nothing(void **state)
{
	struct federation *f = *state;
	pid_t first = f->propagator;
	struct deadline calm;

	kill(first, SIGSTOP);
	federation_start(f);
	scale(f, "late", 3);
	/* Were it to write still, it would set this right, as only a leader does. */
	federation_kill(f);
	kill(first, SIGCONT);
	cluster_patch(f->members[0], "apps/v1", "Deployment", "shop", "late",
	              "{\"spec\":{\"replicas\":9}}");
	calm = inside_deadline(3000);
	while (inside_has_time(calm)) {
		cluster_expect(f->members[0], DEPLOYMENTS "late", "\"replicas\":9", 1);
		inside_rest();
	}
	f->propagator = first;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_object_is_brought_to_all_members),
		cmocka_unit_test(test_a_cluster_has_what_its_overrides_say),
		cmocka_unit_test(test_what_somebody_changes_is_set_right),
		cmocka_unit_test(test_who_changes_it_again_and_again_is_named),
		cmocka_unit_test(test_a_field_that_leaves_the_template_leaves_the_members),
		cmocka_unit_test(test_what_is_placed_no_more_is_deleted_there),
		cmocka_unit_test(test_an_error_of_one_cluster_is_that_clusters_alone),
		cmocka_unit_test(test_what_is_there_already_is_adopted),
		cmocka_unit_test(test_a_webhook_that_is_down_holds_up_its_own_cluster_alone),
		cmocka_unit_test(test_what_is_deleted_is_deleted_everywhere),
		cmocka_unit_test(test_what_is_orphaned_stays),
		cmocka_unit_test(test_a_killed_leader_has_a_successor),
		cmocka_unit_test(test_a_leader_that_slept_through_its_term_writes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
