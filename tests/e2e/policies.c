/* policies.c -- TrafficPolicies at a real API server: what the definition takes and refuses, and that nighd says the same. */
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
#include "tests/e2e/support/story.h"
#include "tests/support/world_example.h"
#include "tests/support/world_network.h"

/* All of it is in a network of its own, where nobody reaches a site. */
struct policies {
	struct network *net;
	struct cloud *cloud;
	struct cluster *host;
	struct world *nighd; /* with the API server as its host */
};

static int setup(void **state)
{
	struct policies *p = xcalloc(1, sizeof(*p));

	*state = p;
	p->net = network_new(1);
	network_enter(p->net, 0);
	p->cloud = cloud_new();
	p->host = cluster_new(p->cloud, "host", false);
	cluster_await(p->host);
	objects_host(p->host);
	objects_namespace(p->host, "shop");
	p->nighd = world_new();
	world_remove(p->nighd, "manifests");
	cluster_kubeconfig(p->host, NIGH_TOKEN, world_path(p->nighd, "host.kubeconfig"));
	world_config(p->nighd,
	             "sources: {kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true}}\n"
	             "state: state\n");
	world_start(p->nighd);
	return 0;
}

static int teardown(void **state)
{
	struct policies *p = *state;

	world_stop(p->nighd);
	world_free(p->nighd);
	cloud_free(p->cloud);
	network_enter(p->net, NETWORK_OUTSIDE);
	network_free(p->net);
	free(p);
	return 0;
}

/* `spec` is YAML in one line, without its braces; the caller frees it. */
static char *policy(const char *name, const char *spec)
{
	struct text t = {0};

	text_printf(&t,
	            "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	            "metadata: {name: %s, namespace: shop}\nspec: {%s%s}\n",
	            name,
	            strstr(spec, "targetRefs") ? "" : "targetRefs: [{kind: Service, name: web}], ",
	            spec);
	return text_take(&t);
}

/* What the API server says to it. */
static int apply(struct policies *p, const char *yaml)
{
	return cluster_send(p->host, "PATCH",
	                    "/apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/tried"
	                    "?fieldManager=test&force=true&fieldValidation=Strict",
	                    "application/apply-patch+yaml", yaml);
}

/* The same as a file. */
static void check(struct policies *p, const char *yaml, int status, const char *text)
{
	char dir[256];
	const char *const argv[] = {"$NIGHD", "--check", "--manifests", dir, NULL};

	snprintf(dir, sizeof(dir), "%s", world_path(p->nighd, "checked"));
	world_write(p->nighd, "checked/host/policy.yaml", "%s", yaml);
	world_expect_run(p->nighd, argv, status, text);
	world_remove(p->nighd, "checked");
}

static void take_away(struct policies *p, const char *name)
{
	cluster_delete(p->host, "nigh.dev/v1alpha1", "TrafficPolicy", "shop", name);
}

/* --- taken --- */

/* Of the issue that asked for policies; and what it has not. */
static const char *const good[] = {
	"targetRefs: [{group: multiclusterdns.kubefed.io, kind: ServiceDNSRecord, name: web},"
	"  {hostname: \"*.shop.example.com\"}],"
	"stages: ["
	"  {geofence: {rules: [{countries: [DE, FR], clusters: [frankfurt], mode: Required}]}},"
	"  {failover: {tiers: [{clusters: [losangeles, houston]},"
	"                      {selector: {matchLabels: {tier: backup}}}]}},"
	"  {nearest: {bias: {losangeles: -200}, sameRegionFirst: true}},"
	"  {weighted: {weights: {losangeles: 80, houston: 20}}}],"
	"ttl: 30, degradedTTL: 5, maxAddresses: 2, unknownClient: {order: [newyork, houston]},"
	"whenAllDown: FailOpen, unseenAfter: 10m, minReadyPercent: 50,"
	"failback: {mode: After, stableFor: 10m}, sticky: {ipv4: 24, ipv6: 48},"
	"probe: {https: {port: 443, host: shop.example.com, path: /healthz, status: [\"200-299\"]},"
	"  interval: 1s, timeout: 1s, down: 3, up: 2}",
	"stages: [{geofence: {rules: [{continents: [EU], subdivisions: [US-CA], mode: Allowed,"
	"  cidrs: [192.0.2.0/24, '2001:db8::/32'], clusters: [a]}]}}, {latency: {}}, {nearest: {}},"
	"  {failover: {tiers: [{selector: {matchExpressions: [{key: a, operator: NotIn, values: "
	"[b]},"
	"  {key: b, operator: Exists}]}}]}}, {capacity: {}}, {sticky: {ipv4: 20}},"
	"  {all: {maxAddresses: 3}}], unseenAfter: '0', whenAllDown: NoData, failback: {mode: "
	"Manual},"
	"unknownClient: {nearestToResolver: true},"
	"probe: {grpc: {port: 50051, service: a.B, tls: true, caSecret: ca}, mode: \"Off\"}",
	"targetRefs: [{kind: DNSEndpoint, group: externaldns.k8s.io, name: a}, {group: '',"
	"  kind: Service, name: b}, {kind: Domain, name: d}, {hostname: a.example.com}],"
	"unknownClient: {weighted: {a: 1}}, probe: {http: {headers: [{name: X-A, value: b c}],"
	"  body: ok, status: ['204']}, mode: Unseen, interval: 1h, timeout: 10ms}",
};

static void test_good_policies_are_taken_by_both(void **state)
{
	struct policies *p = *state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *yaml = policy("tried", good[i]);

		if (apply(p, yaml) / 100 != 2)
			cluster_fail(p->host, "%s: %s", yaml, cluster_body(p->host));
		check(p, yaml, 0, "");
		free(yaml);
	}
	/* It is seen: what it says of no use, nighd tells. */
	cluster_apply(p->host, "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	                       "metadata: {name: idle, namespace: shop}\n"
	                       "spec: {targetRefs: [{kind: Service, name: web}],"
	                       " stages: [{capacity: {}}, {nearest: {}}]}\n");
	world_expect_http(p->nighd, "/status",
	                  "spec.stages[1].nearest: decides nothing behind capacity", BACK_MS);
	world_expect_http(p->nighd, "/status", "!TrafficPolicy shop/tried", 0);
	take_away(p, "idle");
	world_expect_http(p->nighd, "/status", "!TrafficPolicy shop/idle", BACK_MS);
	take_away(p, "tried");
}

/* --- refused --- */

struct bad {
	const char *spec, *server, *nighd; /* a part of what each says */
};

static const struct bad bad[] = {
	{"targetRefs: []", "spec.targetRefs in body should have at least 1 items",
         "spec.targetRefs: is empty"},
	{"targetRefs: [{kind: Pod, name: a}]", "Unsupported value: \\\"Pod\\\"",
         "spec.targetRefs[0].kind: is not"},
	{"targetRefs: [{kind: Service, name: a, hostname: b}]", "has both a hostname and an object",
         "has both a hostname and an object"},
	{"targetRefs: [{kind: Service}]", "needs a hostname, or kind and name",
         "spec.targetRefs[0].name: is missing"},
	{"targetRefs: [{group: apps, kind: Ingress, name: a}]", "is not the group of its kind",
         "spec.targetRefs[0].group: is not the group of Ingress"},
	{"targetRefs: [{hostname: 'a.*.b'}]", "spec.targetRefs[0].hostname in body should match",
         "spec.targetRefs[0].hostname: is neither"},
	{"tll: 30", ".spec.tll: field not declared in schema", "spec.tll: there is no such field"},
	{"stages: [{nearest: {bais: {}}}]", "bais: field not declared in schema",
         "spec.stages[0].nearest.bais: there is no such field"},
	{"stages: [{latency: {}, nearest: {}}]", "a stage has exactly one key",
         "spec.stages[0]: has both latency and nearest"},
	{"stages: [{}]", "a stage has exactly one key", "spec.stages[0]: is empty"},
	{"stages: [{nearest: null}]", "nearest in body must be of type object",
         "spec.stages[0].nearest: is null"},
	{"stages: [{latency: {}}, {latency: {}}]", "each kind of stage may be there once",
         "spec.stages[1].latency: is the second stage of that kind"},
	{"stages: [{geofence: {rules: [{clusters: [a], mode: Required}]}}]", "matches no client",
         "rules[0]: matches no client"},
	{"stages: [{geofence: {rules: [{countries: [DEU], clusters: [a], mode: Required}]}}]",
         "countries[0] in body should match", "is not a country of two letters"},
	{"stages: [{geofence: {rules: [{countries: [DE], mode: Required}]}}]",
         "clusters: Required value", "rules[0].clusters: is missing"},
	{"stages: [{geofence: {rules: [{countries: [DE], clusters: [a], mode: Forbidden}]}}]",
         "Unsupported value: \\\"Forbidden\\\"", "mode: is not Allowed or Required"},
	{"stages: [{failover: {tiers: []}}]", "tiers in body should have at least 1 items",
         "failover.tiers: is empty"},
	{"stages: [{failover: {tiers: [{}]}}]", "a tier has either clusters or a selector",
         "tiers[0]: is empty"},
	{"stages: [{failover: {tiers: [{selector: {}}]}}]", "selector: Invalid value",
         "tiers[0].selector: is empty"},
	{"stages: [{failover: {tiers: [{clusters: [a]}, {clusters: [b, a]}]}}]",
         "a cluster is in two tiers", "cluster a is in two of them"},
	{"stages: [{failover: {tiers: [{clusters: [a, a]}]}}]", "duplicate entries for key",
         "clusters[1]: is there twice"},
	{"stages: [{weighted: {weights: {a: 1000001}}}]", "should be less than or equal to 1000000",
         "weights.a: 1000001 is not a weight"},
	{"stages: [{sticky: {ipv4: 33}}]", "should be less than or equal to 32",
         "sticky.ipv4: 33 is not"},
	{"stages: [{sticky: {}}], sticky: {}", "sticky is there besides the stage",
         "spec.sticky: is there besides the stage"},
	{"stages: [{all: {maxAddresses: 3}}], maxAddresses: 2", "maxAddresses is not that of",
         "spec.maxAddresses: is 2, and that of the stage"},
	{"failback: {mode: After}", "mode After needs stableFor", "mode After needs stableFor"},
	{"failback: {mode: Manual, stableFor: 1m}", "stableFor goes with mode After alone",
         "stableFor: goes with mode After alone"},
	{"unknownClient: {order: [a], weighted: {a: 1}}", "has exactly one of order",
         "spec.unknownClient: has both order and weighted"},
	{"unseenAfter: soon", "spec.unseenAfter in body should match", "spec.unseenAfter: 'soon'"},
	{"minReadyPercent: 101", "should be less than or equal to 100",
         "spec.minReadyPercent: 101 is not"},
	{"probe: {tcp: {}, http: {}}", "has more than one of tcp",
         "spec.probe: has both tcp and http"},
	{"probe: {interval: 999ms}", "is not from 1s to 1h", "spec.probe.interval: '999ms' is not"},
	{"probe: {https: {caSecret: a, caFile: b}}", "has both caSecret and caFile",
         "caFile: is there besides caSecret"},
	{"probe: {http: {caFile: b}}", ".spec.probe.http.caFile: field not declared in schema",
         "spec.probe.http.caFile: there is no such field"},
};

/* (An unknown field is 500: the server cannot say what is applied.) */
static void test_bad_policies_are_refused_by_both(void **state)
{
	struct policies *p = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *yaml = policy("tried", bad[i].spec);
		int status = apply(p, yaml);

		if (status / 100 == 2 || !strstr(cluster_body(p->host), bad[i].server))
			cluster_fail(p->host, "%d to %s: %s", status, yaml, cluster_body(p->host));
		check(p, yaml, 1, bad[i].nighd);
		free(yaml);
	}
}

/* A schema cannot tell everything; then nighd does, and the last good one stays. */
static void test_what_only_nighd_can_tell_is_told(void **state)
{
	struct policies *p = *state;
	char *yaml = policy("tried", "stages: [{geofence: {rules: [{networks: [192.0.2.0/33],"
	                             " clusters: [a], mode: Required}]}}]");

	assert_int_equal(apply(p, yaml) / 100, 2);
	world_expect_http(p->nighd, "/status",
	                  "TrafficPolicy shop/tried: spec.stages[0].geofence.rules[0].networks[0]: "
	                  "is not a network (192.0.2.0/24)",
	                  BACK_MS);
	check(p, yaml, 1, "networks[0]: is not a network (192.0.2.0/24)");
	take_away(p, "tried");
	world_expect_http(p->nighd, "/status", "!TrafficPolicy shop/tried", BACK_MS);
	free(yaml);
}

/* The administrator's, with these words. */
static void expect_kubectl(struct policies *p, const char *const *words, const char *says)
{
	char program[512], kubeconfig[256];
	const char *argv[16] = {program, "--kubeconfig", kubeconfig};

	for (size_t i = 0; words[i]; i++)
		argv[3 + i] = words[i];
	snprintf(program, sizeof(program), "%s/kubectl", getenv("KUBEBUILDER_ASSETS"));
	snprintf(kubeconfig, sizeof(kubeconfig), "%s", world_path(p->nighd, "admin.kubeconfig"));
	cluster_kubeconfig(p->host, ADMIN_TOKEN, kubeconfig);
	world_expect_run(p->nighd, argv, 0, says);
}

static void test_defaults_and_columns_are_those_of_the_definition(void **state)
{
	static const char *const get[] = {"get", "tp", "-n", "shop", NULL};
	struct policies *p = *state;
	char *yaml =
		policy("tried", "targetRefs: [{hostname: '*.a.test'}, {kind: Service, name: web}],"
	                        "stages: [{nearest: {}}]");

	assert_int_equal(apply(p, yaml) / 100, 2);
	assert_non_null(strstr(cluster_body(p->host), "\"whenAllDown\":\"FailOpen\""));
	assert_non_null(strstr(cluster_body(p->host), "\"minReadyPercent\":0"));
	assert_non_null(strstr(cluster_body(p->host), "\"sameRegionFirst\":false"));
	cluster_patch_status(p->host, "nigh.dev/v1alpha1", "TrafficPolicy", "shop", "tried",
	                     "{\"status\":{\"conditions\":[{\"type\":\"Accepted\","
	                     "\"status\":\"True\",\"reason\":\"Accepted\",\"message\":\"\"}]}}");
	cluster_expect(p->host, "/apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/tried",
	               "\"type\":\"Accepted\"", BACK_MS);
	expect_kubectl(p, get, "NAME    TARGET     ACCEPTED   AGE\ntried   *.a.test   True ");
	take_away(p, "tried");
	free(yaml);
}

/* --- Secrets of probes --- */

enum { RIGHT_MS = 30000 /* asked for again within 10 s */ };

static void put_probing(struct policies *p, const char *name, const char *secret)
{
	cluster_apply(p->host,
	              "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec: {targetRefs: [{kind: Service, name: %s}],"
	              " probe: {https: {caSecret: %s}}}\n",
	              name, name, secret);
}

/* The authority, or, NULL, what is none. */
static void put_secret(struct policies *p, const char *name, const char *pem)
{
	struct text value = {0};

	text_add_json(&value, bytes_of(pem ? pem : "no PEM"));
	cluster_apply(p->host,
	              "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: shop}\n"
	              "stringData: {ca.crt: %s}\n",
	              name, value.data);
	text_fini(&value);
}

/* What /status says of its Secret, behind that no name has it (NULL: nothing). */
static void expect_of(struct policies *p, const char *secret, const char *why)
{
	char text[256];

	snprintf(text, sizeof(text), "%scaSecret: Secret shop/%s: %s",
	         why ? "others decide; " : "!", secret, why ? why : "");
	world_expect_http(p->nighd, "/status", text, RIGHT_MS);
}

/* As docs/health.md has it. */
static void allow(struct policies *p, const char *name)
{
	cluster_apply(p->host,
	              "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
	              "metadata: {name: nighd-probes, namespace: shop}\n"
	              "rules: [{apiGroups: [''], resources: [secrets], resourceNames: [%s],"
	              " verbs: [get, list, watch]}]\n---\n"
	              "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
	              "metadata: {name: nighd-probes, namespace: shop}\n"
	              "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role,"
	              " name: nighd-probes}\n"
	              "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: nigh}]\n",
	              name);
}

static void test_a_right_to_one_secret_by_name_lets_nighd_read_that_one_alone(void **state)
{
	struct policies *p = *state;

	put_secret(p, "web-ca", cluster_ca(p->host));
	put_secret(p, "other-ca", cluster_ca(p->host));
	put_probing(p, "web", "web-ca");
	expect_of(p, "web-ca", "");
	world_expect_http(p->nighd, "/status", "is forbidden", RIGHT_MS);
	allow(p, "web-ca");
	world_expect_log(p->nighd, "secret of probes read secret=shop/web-ca", RIGHT_MS);
	expect_of(p, "web-ca", NULL);
	put_probing(p, "other", "other-ca");
	expect_of(p, "other-ca", "");
	put_secret(p, "web-ca", NULL);
	expect_of(p, "web-ca", "ca.crt is no certificate in PEM");
	cluster_delete(p->host, "v1", "Secret", "shop", "web-ca");
	expect_of(p, "web-ca", "does not exist");
	put_secret(p, "web-ca", cluster_ca(p->host));
	expect_of(p, "web-ca", NULL);
	take_away(p, "web");
	take_away(p, "other");
	world_expect_http(p->nighd, "/status", "!Secret shop/", BACK_MS);
}

/* --- the example --- */

/* The host is the API server, its members are folders. */
static void test_the_example_is_applied_with_kubectl_and_decides(void **state)
{
	static const char *const put[] = {"apply", "-f", EXAMPLE_POLICY, NULL};
	struct policies *p = *state;
	struct world *w = world_new();

	cluster_apply(p->host, "%s", example_host());
	example_write(w);
	cluster_kubeconfig(p->host, NIGH_TOKEN, world_path(w, "host.kubeconfig"));
	world_config(w,
	             "sources: {manifests: [manifests], kubernetes: {kubeconfig: host.kubeconfig, "
	             "allowLoopback: true}}\n" EXAMPLE_CONFIG);
	world_start(w);
	expect_kubectl(p, put, "trafficpolicy.nigh.dev/web created\n");
	example_expect(w, BACK_MS);
	take_away(p, "web");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_policies_are_taken_by_both),
		cmocka_unit_test(test_bad_policies_are_refused_by_both),
		cmocka_unit_test(test_what_only_nighd_can_tell_is_told),
		cmocka_unit_test(test_a_right_to_one_secret_by_name_lets_nighd_read_that_one_alone),
		cmocka_unit_test(test_defaults_and_columns_are_those_of_the_definition),
		cmocka_unit_test(test_the_example_is_applied_with_kubectl_and_decides),
	};

	return cmocka_run_group_tests_name("e2e/policies", tests, setup, teardown);
}
