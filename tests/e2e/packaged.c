/* packaged.c -- nigh-propagator with nothing but what its packaging gives it: on the host the token of its service account with
 * the roles of deploy/kubernetes/propagator, in a member what `nighctl join` grants.
 *
 * All that it does is asked for; what it says must never hold the word "forbidden".
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 30000 };

#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments/"
#define TYPES       "/apis/types.kubefed.io/v1beta1/namespaces/shop/"
#define CORE        "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/"
#define RECORDS     "/apis/multiclusterdns.kubefed.io/v1alpha1/namespaces/shop/"

static void kubectl(struct federation *f, const char *words)
{
	char command[600];

	snprintf(command, sizeof(command),
	         "\"$KUBEBUILDER_ASSETS\"/kubectl --kubeconfig %s %s >/dev/null", f->kubeconfig,
	         words);
	if (system(command) != 0)
		fail_msg("kubectl %s", words);
}

static void join(struct federation *f)
{
	char path[200];

	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "gondor.kubeconfig"));
	cluster_kubeconfig(f->members[0], ADMIN_TOKEN, path);
	federation_expect(
		f, 0, "is joined",
		(const char *const[]){"join", "gondor", "--cluster-kubeconfig", path, NULL});
}

static int setup(void **state)
{
	struct federation *f = federation_new_alone(1);

	*state = f;
	kubectl(f, "apply --server-side -f deploy/kubernetes/server/namespace.yaml");
	kubectl(f, "apply --server-side --force-conflicts -k deploy/kubernetes/propagator");
	cluster_apply(f->host, "apiVersion: core.kubefed.io/v1beta1\n"
	                       "kind: KubeFedConfig\n"
	                       "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	                       "spec:\n"
	                       "  scope: Cluster\n"
	                       "  controllerDuration: {availableDelay: 1s, unavailableDelay: 1s}\n"
	                       "  clusterHealthCheck: {period: 1s}\n");
	federation_enable(f, "namespaces");
	federation_enable(f, "deployments.apps");
	federation_enable(f, "services");
	join(f);
	federation_be_packaged(f);
	federation_start(f);
	federation_namespace(f, "shop");
	cluster_expect(f->members[0], "/api/v1/namespaces/shop", "kubefed.io/managed", SOON_MS);
	return 0;
}

static void test_objects_come_and_their_state_is_told(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedDeployment\n"
	                       "metadata: {name: web, namespace: shop}\n"
	                       "spec:\n"
	                       "  placement: {clusterSelector: {}}\n"
	                       "  template:\n"
	                       "    spec:\n"
	                       "      replicas: 1\n"
	                       "      selector: {matchLabels: {app: web}}\n"
	                       "      template:\n"
	                       "        metadata: {labels: {app: web}}\n"
	                       "        spec: {containers: [{name: web, image: nginx}]}\n");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
	cluster_expect(f->host, TYPES "federateddeployments/web", "\"status\":\"True\"", SOON_MS);
	cluster_expect(
		f->host,
		"/apis/core.kubefed.io/v1alpha1/namespaces/shop/propagatedversions/deployment-web",
		"\"version\":\"gen:1\"", SOON_MS);
	cluster_expect(f->host, "/api/v1/namespaces/shop/events", "CreateInCluster", SOON_MS);
	cluster_expect(f->host, CORE "federatedtypeconfigs/deployments.apps",
	               "\"propagationController\":\"Running\"", SOON_MS);
	cluster_expect(f->host, CORE "kubefedclusters/gondor", "\"ClusterReady\"", SOON_MS);
	cluster_expect(f->host, CORE "kubefedclusters/gondor", "\"kubernetesVersion\"", SOON_MS);
}

static void test_a_preference_counts(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: scheduling.kubefed.io/v1alpha1\n"
	                       "kind: ReplicaSchedulingPreference\n"
	                       "metadata: {name: web, namespace: shop}\n"
	                       "spec: {targetKind: FederatedDeployment, totalReplicas: 5}\n");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "\"replicas\":5", SOON_MS);
}

static void test_records_have_their_status_and_their_dnsendpoints(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedService\n"
	                       "metadata: {name: web, namespace: shop}\n"
	                       "spec:\n"
	                       "  placement: {clusterSelector: {}}\n"
	                       "  template: {spec: {type: LoadBalancer, selector: {app: web}, "
	                       "ports: [{port: 80}]}}\n");
	cluster_expect(f->members[0], "/api/v1/namespaces/shop/services/web", "\"clusterIP\"",
	               SOON_MS);
	cluster_patch_status(f->members[0], "v1", "Service", "shop", "web",
	                     "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":"
	                     "\"203.0.113.7\"}]}}}");
	objects_node(f->members[0], "west", "west1");
	objects_pods(f->members[0], "shop", "web", 1, true);
	objects_expect_endpoints(f->members[0], "shop", "web", 1, SOON_MS);
	objects_domain(f->host, "fed", "example.com");
	objects_service_record(f->host, "shop", "web", "fed");
	cluster_expect(f->host, RECORDS "servicednsrecords/web", "203.0.113.7", SOON_MS);
	cluster_expect(f->host, RECORDS "dnsendpoints/service-web", "203.0.113.7", SOON_MS);
	cluster_delete(f->host, "multiclusterdns.kubefed.io/v1alpha1", "ServiceDNSRecord", "shop",
	               "web");
	cluster_expect(f->host, RECORDS "dnsendpoints/service-web", "NotFound", SOON_MS);
}

/* Of the Service that is there. */
static void test_what_services_say_is_told_and_goes_with_them(void **state)
{
	static const char path[] =
		"/apis/core.kubefed.io/v1alpha1/namespaces/shop/federatedservicestatuses/web";
	struct federation *f = *state;

	cluster_patch(f->host, "core.kubefed.io/v1beta1", "FederatedTypeConfig", FEDERATION,
	              "services",
	              "{\"spec\":{\"statusCollection\":\"Enabled\",\"statusType\":{\"group\":"
	              "\"core.kubefed.io\",\"version\":\"v1alpha1\",\"kind\":"
	              "\"FederatedServiceStatus\",\"pluralName\":\"federatedservicestatuses\","
	              "\"scope\":\"Namespaced\"}}}");
	cluster_expect(
		f->host, path,
		"\"clusterStatus\":[{\"clusterName\":\"gondor\",\"status\":{"
		"\"loadBalancer\":{\"ingress\":[{\"ip\":\"203.0.113.7\",\"ipMode\":\"VIP\"}]}}}]",
		SOON_MS);
	cluster_expect(f->host, CORE "federatedtypeconfigs/services",
	               "\"statusController\":\"Running\"", SOON_MS);
	cluster_patch_status(f->members[0], "v1", "Service", "shop", "web",
	                     "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":"
	                     "\"203.0.113.8\"}]}}}");
	cluster_expect(f->host, path, "\"ip\":\"203.0.113.8\"", SOON_MS);
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedService", "shop", "web");
	cluster_expect(f->host, path, "NotFound", SOON_MS);
}

static void test_objects_go_and_types_stop(void **state)
{
	struct federation *f = *state;

	cluster_delete(f->host, "scheduling.kubefed.io/v1alpha1", "ReplicaSchedulingPreference",
	               "shop", "web");
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedDeployment", "shop", "web");
	cluster_expect(f->members[0], DEPLOYMENTS "web", "NotFound", SOON_MS);
	cluster_expect(f->host, TYPES "federateddeployments/web", "NotFound", SOON_MS);
	federation_run(f, 0,
	               (const char *const[]){"federate", "disable", "deployments.apps", NULL});
	cluster_expect(f->host, CORE "federatedtypeconfigs/deployments.apps", "NotFound", SOON_MS);
	/* The Lease is given back, so that a spare one need not wait. */
	federation_stop(f);
	cluster_expect(f->host,
	               "/apis/coordination.k8s.io/v1/namespaces/" FEDERATION
	               "/leases/kubefed-controller-manager",
	               "!holderIdentity", 0);
}

static void test_nothing_was_forbidden(void **state)
{
	struct federation *f = *state;
	struct text log = {0};
	const char *at;

	assert_true(inside_read_file(cloud_path(f->cloud, "propagator0.log"), &log));
	at = strcasestr(log.data, "forbidden");
	if (at)
		fail_msg("%.*s", (int)strcspn(at, "\n"), at);
	assert_non_null(strstr(log.data, "leading"));
	text_fini(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_come_and_their_state_is_told),
		cmocka_unit_test(test_a_preference_counts),
		cmocka_unit_test(test_records_have_their_status_and_their_dnsendpoints),
		cmocka_unit_test(test_what_services_say_is_told_and_goes_with_them),
		cmocka_unit_test(test_objects_go_and_types_stop),
		cmocka_unit_test(test_nothing_was_forbidden),
	};

	return cmocka_run_group_tests_name("e2e/packaged", tests, setup, federation_teardown);
}
