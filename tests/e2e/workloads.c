/* workloads.c -- a member with real controllers of workloads and a quota that is used up: its status says why pods are not there,
 * and its Events what is done to the copies.  nigh-propagator has what `nighctl join` grants.  There is no kubelet: the tests
 * say what it would.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"

enum { SOON_MS = 30000, LATER_MS = 150000 /* a controller tries again, then pods are asked */ };

#define TYPES      "/apis/types.kubefed.io/v1beta1/namespaces/shop/"
#define EVENTS     "/api/v1/namespaces/shop/events"
#define NEW_EVENTS "/apis/events.k8s.io/v1/namespaces/shop/events"
#define QUOTA      "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"

static const char *const types[] = {"namespaces", "deployments.apps", "statefulsets.apps",
                                    "daemonsets.apps", "jobs.batch"};

static struct cluster *member(struct federation *f) { return f->members[0]; }

static void join(struct federation *f)
{
	char path[200];

	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "member.kubeconfig"));
	cluster_kubeconfig(member(f), ADMIN_TOKEN, path);
	federation_expect(f, 0, "is joined",
	                  (const char *const[]){"join", cluster_name(member(f)),
	                                        "--cluster-kubeconfig", path, NULL});
}

/* One pod may be, and is. */
static void use_up_quota(struct cluster *c)
{
	cluster_apply(c, "apiVersion: v1\n"
	                 "kind: ResourceQuota\n"
	                 "metadata: {name: small, namespace: shop}\n"
	                 "spec: {hard: {pods: 1}}\n");
	cluster_expect(c, "/api/v1/namespaces/shop/resourcequotas/small",
	               "\"status\":{\"hard\":{\"pods\":\"1\"}", SOON_MS);
	cluster_apply(c, "apiVersion: v1\n"
	                 "kind: Pod\n"
	                 "metadata: {name: other, namespace: shop}\n"
	                 "spec: {containers: [{name: other, image: other}]}\n");
	cluster_expect(c, "/api/v1/namespaces/shop/resourcequotas/small",
	               "\"used\":{\"pods\":\"1\"}", SOON_MS);
}

static int setup(void **state)
{
	struct federation *f = federation_new_alone(1);

	*state = f;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		federation_enable(f, types[i]);
	join(f);
	federation_start(f);
	federation_namespace(f, "shop");
	cluster_expect(member(f), "/api/v1/namespaces/shop", "\"kubefed.io/managed\"", SOON_MS);
	objects_node(member(f), "", "");
	cluster_run_workloads(member(f));
	use_up_quota(member(f));
	return 0;
}

static void bring(struct federation *f, const char *kind, const char *name, const char *spec)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: %s\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec: {placement: {clusterSelector: {}}, template: {spec: {%s}}}\n",
	              kind, name, spec);
}

#define PODS(app, more)                                                                            \
	"selector: {matchLabels: {app: " app "}}, template: {metadata: {labels: {app: " app        \
	"}}, spec: {" more "containers: [{name: " app ", image: \"" app ":nope\"}]}}"

static void test_a_quota_that_is_used_up_is_named_for_each_kind(void **state)
{
	static const char *const objects[] = {"federateddeployments/web",
	                                      "federatedstatefulsets/db",
	                                      "federateddaemonsets/agent", "federatedjobs/load"};
	struct federation *f = *state;
	char path[128];

	bring(f, "FederatedDeployment", "web", "replicas: 1, " PODS("web", ""));
	bring(f, "FederatedStatefulSet", "db", "replicas: 1, serviceName: db, " PODS("db", ""));
	bring(f, "FederatedDaemonSet", "agent",
	      PODS("agent", "tolerations: [{operator: Exists}], "));
	bring(f, "FederatedJob", "load",
	      "template: {spec: {restartPolicy: Never, containers: [{name: load, image: load}]}}");
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		snprintf(path, sizeof(path), TYPES "%s", objects[i]);
		cluster_expect(f->host, path,
		               "\"health\":{\"message\":\"" QUOTA
		               "\",\"reason\":\"QuotaExceeded\",\"status\":\"InProgress\"}",
		               LATER_MS);
		cluster_expect(f->host, path,
		               "is Current in 0 of 1 clusters; gondor InProgress: " QUOTA, SOON_MS);
	}
}

static void test_an_image_that_cannot_be_pulled_is_named_once_there_are_pods(void **state)
{
	struct federation *f = *state;

	cluster_patch(member(f), "v1", "ResourceQuota", "shop", "small",
	              "{\"spec\":{\"hard\":{\"pods\":\"10\"}}}");
	cluster_expect(member(f), "/api/v1/namespaces/shop/pods/db-0", "\"app\":\"db\"", LATER_MS);
	cluster_patch_status(
		member(f), "v1", "Pod", "shop", "db-0",
		"{\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"db\","
		"\"image\":\"db:nope\",\"imageID\":\"\",\"ready\":false,\"restartCount\":0,"
		"\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\",\"message\":\"Back-off "
		"pulling image \\\"db:nope\\\"\"}}}]}}");
	cluster_expect(f->host, TYPES "federatedstatefulsets/db",
	               "\"health\":{\"message\":\"1 of 1 pods: image db:nope cannot be pulled\","
	               "\"reason\":\"ImageCannotBePulled\",\"status\":\"InProgress\"}",
	               LATER_MS);
}

static void expect_of_kubectl(struct federation *f, const char *words, const char *text)
{
	char command[600], kubeconfig[200], said[1 << 16];
	size_t len;
	FILE *out;

	snprintf(kubeconfig, sizeof(kubeconfig), "%s", cloud_path(f->cloud, "member.kubeconfig"));
	snprintf(command, sizeof(command),
	         "\"$KUBEBUILDER_ASSETS\"/kubectl --kubeconfig '%s' --cache-dir '%s.cache' -n shop "
	         "%s 2>&1",
	         kubeconfig, kubeconfig, words);
	out = popen(command, "r");
	assert_non_null(out);
	len = fread(said, 1, sizeof(said) - 1, out);
	said[len] = '\0';
	if (pclose(out) != 0 || !strstr(said, text))
		fail_msg("kubectl %s does not say '%s' but: %s", words, text, said);
}

static void test_who_looks_at_a_copy_sees_what_was_done_to_it(void **state)
{
	struct federation *f = *state;

	cluster_expect(member(f), EVENTS, "Created (FederatedDeployment shop/web)", SOON_MS);
	cluster_expect(member(f), EVENTS, "Created (FederatedJob shop/load)", SOON_MS);
	cluster_expect(member(f), NEW_EVENTS, "\"reportingController\":\"nigh-propagator\"",
	               SOON_MS);
	cluster_expect(member(f), "/api/v1/namespaces/default/events",
	               "(FederatedNamespace shop/shop)", SOON_MS);
	expect_of_kubectl(f, "describe deployment web", "nigh-propagator");
	expect_of_kubectl(f, "get events", "Created (FederatedDeployment shop/web)");
	cluster_patch(member(f), "apps/v1", "Deployment", "shop", "web",
	              "{\"spec\":{\"replicas\":7}}");
	cluster_expect(member(f), EVENTS,
	               "Was changed here, and is set right (FederatedDeployment shop/web)",
	               SOON_MS);
	cluster_patch(f->host, "types.kubefed.io/v1beta1", "FederatedDeployment", "shop", "web",
	              "{\"spec\":{\"placement\":{\"clusters\":[]}}}");
	cluster_expect(member(f), EVENTS, "Deleted (FederatedDeployment shop/web)", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quota_that_is_used_up_is_named_for_each_kind),
		cmocka_unit_test(test_an_image_that_cannot_be_pulled_is_named_once_there_are_pods),
		cmocka_unit_test(test_who_looks_at_a_copy_sees_what_was_done_to_it),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
