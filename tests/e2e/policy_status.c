/* policy_status.c -- conditions of TrafficPolicies at a real API server: nighd reports them, nigh-propagator writes them.
 *
 * It reads nighd through the server's pod proxy, with the rights that deploy/kubernetes/propagator gives and no other.
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

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world.h"
#include "tests/support/world_network.h"

enum { SOON_MS = 60000, TOKEN_MOST = 4096 };

#define POLICIES "/apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/"

/* In a network of its own, where nighd has an address at which an API server finds a pod: it takes no loopback address for
 * one. */
struct scene {
	struct network *net;
	struct federation *f;
	struct world *nighd;
};

/* As a pod of the account would have it. */
static void write_kubeconfig_of_account(struct federation *f)
{
	static const char key[] = "\"token\":\"";
	char token[TOKEN_MOST];
	const char *at;

	assert_int_equal(cluster_send(f->host, "POST",
	                              "/api/v1/namespaces/nigh-system/serviceaccounts/"
	                              "nigh-propagator/token",
	                              "application/json",
	                              "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":"
	                              "\"TokenRequest\",\"spec\":{}}"),
	                 201);
	at = strstr(cluster_body(f->host), key);
	assert_non_null(at);
	at += sizeof(key) - 1;
	snprintf(token, sizeof(token), "%.*s", (int)strcspn(at, "\""), at);
	cluster_kubeconfig(f->host, token, f->kubeconfig);
}

static void start_nighd(struct scene *s)
{
	s->nighd = world_new();
	world_remove(s->nighd, "manifests");
	cluster_kubeconfig(s->f->host, NIGH_TOKEN, world_path(s->nighd, "host.kubeconfig"));
	world_config(s->nighd,
	             "listen: {dns: [\"127.0.0.1:0\"], http: \"0.0.0.0:0\"}\n"
	             "sources: {kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true}}\n"
	             "state: state\n");
	world_start(s->nighd);
}

/* There is no kubelet: the test says what it would. */
static void put_pod(struct scene *s)
{
	cluster_apply(s->f->host,
	              "apiVersion: v1\n"
	              "kind: Pod\n"
	              "metadata: {name: nighd-0, namespace: nigh-system, labels: "
	              "{app.kubernetes.io/name: nighd}}\n"
	              "spec:\n"
	              "  nodeName: node-1\n"
	              "  terminationGracePeriodSeconds: 0\n"
	              "  containers: [{name: nighd, image: nighd, ports: [{name: http, "
	              "containerPort: %u}]}]\n"
	              "status:\n"
	              "  phase: Running\n"
	              "  podIP: %s\n"
	              "  podIPs: [{ip: %s}]\n"
	              "  conditions: [{type: Ready, status: \"True\"}]\n",
	              world_http_port(s->nighd), network_address(s->net, 0),
	              network_address(s->net, 0));
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	*state = s;
	s->net = network_new(1);
	network_enter(s->net, 0);
	s->f = federation_new_alone(0);
	objects_namespace(s->f->host, "shop");
	objects_namespace(s->f->host, "nigh-system");
	cluster_apply_file(s->f->host, "deploy/kubernetes/propagator/rbac.yaml");
	write_kubeconfig_of_account(s->f);
	objects_domain(s->f->host, "fed", "example.com");
	cluster_apply(s->f->host,
	              "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	              "kind: DNSEndpoint\n"
	              "metadata: {name: www, namespace: shop}\n"
	              "spec: {endpoints: [{dnsName: www.example.com, recordType: A, targets: "
	              "[198.51.100.7]}]}\n");
	start_nighd(s);
	put_pod(s);
	federation_start(s->f);
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	world_stop(s->nighd);
	world_free(s->nighd);
	federation_free(s->f);
	network_enter(s->net, NETWORK_OUTSIDE);
	network_free(s->net);
	free(s);
	return 0;
}

static void put_policy(struct scene *s, const char *name, const char *spec)
{
	cluster_apply(s->f->host,
	              "apiVersion: nigh.dev/v1alpha1\n"
	              "kind: TrafficPolicy\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec: {targetRefs: [{hostname: %s.example.com}], %s}\n",
	              name, name, spec);
}

static void expect(struct scene *s, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), POLICIES "%s", name);
	cluster_expect(s->f->host, path, text, SOON_MS);
}

/* What is behind the first `key` in the policy's JSON; the caller frees it. */
static char *text_behind(struct scene *s, const char *name, const char *key)
{
	char path[128];
	const char *at;

	snprintf(path, sizeof(path), POLICIES "%s", name);
	assert_int_equal(cluster_send(s->f->host, "GET", path, NULL, NULL), 200);
	at = strstr(cluster_body(s->f->host), key);
	assert_non_null(at);
	at += strlen(key);
	return xstrndup(at, strcspn(at, ",}"));
}

#define IN_FORCE "\"reason\":\"Programmed\",\"status\":\"True\",\"type\":\"Programmed\""
#define BROKEN                                                                                     \
	"stages: [{geofence: {rules: [{networks: [192.0.2.0/33], clusters: [a], mode: "            \
	"Required}]}}]"

static void test_a_policy_has_the_conditions_that_nighd_reports(void **state)
{
	struct scene *s = *state;

	put_policy(s, "www", "stages: [{nearest: {}}], ttl: 20");
	expect(s, "www", IN_FORCE);
	expect(s, "www", "\"reason\":\"Accepted\",\"status\":\"True\",\"type\":\"Accepted\"");
	expect(s, "www", "\"reason\":\"NoConflict\",\"status\":\"False\",\"type\":\"Conflicted\"");
	expect(s, "www", "\"observedGeneration\":1}}");
	put_policy(s, "other", "ttl: 20");
	expect(s, "other", "\"reason\":\"NoNames\",\"status\":\"False\",\"type\":\"Programmed\"");
}

static void test_a_changed_one_keeps_its_times_and_the_conditions_of_others(void **state)
{
	struct scene *s = *state;
	char *since = text_behind(s, "www", "\"lastTransitionTime\":"), *now;

	assert_int_equal(
		cluster_send(s->f->host, "PATCH", POLICIES "www/status?fieldManager=somebody",
	                     "application/apply-patch+yaml",
	                     "{apiVersion: nigh.dev/v1alpha1, kind: TrafficPolicy, metadata: "
	                     "{name: www, namespace: shop}, status: {conditions: [{type: Mine, "
	                     "status: \"Unknown\"}]}}"),
		200);
	put_policy(s, "www", "stages: [{nearest: {}}], ttl: 30");
	expect(s, "www", "\"observedGeneration\":2}}");
	expect(s, "www", "\"type\":\"Mine\"");
	expect(s, "www", IN_FORCE);
	now = text_behind(s, "www", "\"lastTransitionTime\":");
	assert_string_equal(now, since);
	free(now);
	free(since);
}

/* A schema cannot tell that; what was good before stays in force, and says of which state it is. */
static void test_one_that_does_not_parse_is_not_accepted(void **state)
{
	struct scene *s = *state;

	put_policy(s, "www", BROKEN);
	expect(s, "www", "\"reason\":\"Invalid\",\"status\":\"False\",\"type\":\"Accepted\"");
	expect(s, "www", "networks[0]: is not a network (192.0.2.0/24)");
	expect(s, "www", "\"observedGeneration\":2,\"reason\":\"Programmed\"");
	put_policy(s, "broken", BROKEN);
	expect(s, "broken", "\"reason\":\"Invalid\",\"status\":\"False\",\"type\":\"Accepted\"");
	expect(s, "broken", "\"reason\":\"Invalid\",\"status\":\"False\",\"type\":\"Programmed\"");
	put_policy(s, "www", "stages: [{nearest: {}}], ttl: 40");
	expect(s, "www", "\"reason\":\"Accepted\",\"status\":\"True\",\"type\":\"Accepted\"");
	expect(s, "www", "\"observedGeneration\":4}}");
}

static void test_while_nighd_cannot_be_read_what_stands_stays(void **state)
{
	struct scene *s = *state;
	char *before = text_behind(s, "www", "\"resourceVersion\":"), *after;

	world_stop(s->nighd);
	put_policy(s, "late", "ttl: 20");
	/* It was looked for: the new one has asked for a round. */
	federation_expect_log(s->f,
	                      "conditions of TrafficPolicies, from nighd: nighd-0: ", SOON_MS);
	after = text_behind(s, "www", "\"resourceVersion\":");
	assert_string_equal(before, after);
	expect(s, "late", "!conditions");
	world_start(s->nighd);
	/* At another port. */
	cluster_delete(s->f->host, "v1", "Pod", "nigh-system", "nighd-0");
	put_pod(s);
	expect(s, "late", "\"type\":\"Accepted\"");
	free(before);
	free(after);
}

static void test_it_ends_when_it_is_told_to(void **state)
{
	federation_stop(((struct scene *)*state)->f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_policy_has_the_conditions_that_nighd_reports),
		cmocka_unit_test(test_a_changed_one_keeps_its_times_and_the_conditions_of_others),
		cmocka_unit_test(test_one_that_does_not_parse_is_not_accepted),
		cmocka_unit_test(test_while_nighd_cannot_be_read_what_stands_stays),
		cmocka_unit_test(test_it_ends_when_it_is_told_to),
	};

	return cmocka_run_group_tests_name("e2e/policy_status", tests, setup, teardown);
}
