/* nighctl_kube.c -- the person's tool where an API server is between it and the clusters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/fakeapi.h"
#include "tests/support/world.h"

#define WEB  "web.shop.fed.svc.example.com"
#define PODS "/api/v1/namespaces/nigh-system/pods"

struct kube {
	struct world *w;
	struct fakeapi *f;
	char config[256]; /* the kubeconfig's path */
};

static int setup(void **state)
{
	struct kube *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->w = world_new();
	k->f = fakeapi_new(NULL);
	fakeapi_kubeconfig(k->f, k->w, "host.kubeconfig");
	snprintf(k->config, sizeof(k->config), "%s", world_path(k->w, "host.kubeconfig"));
	unsetenv("KUBERNETES_SERVICE_HOST");
	setenv("KUBECONFIG", "/nowhere", 1);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct kube *k = *state;

	world_free(k->w);
	fakeapi_free(k->f);
	free(k);
	return 0;
}
#define kube_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void put_cluster(struct kube *k, const char *name, const char *location)
{
	fakeapi_put(k->f, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'kube-federation-system','annotations':{"
	            "'nigh.dev/location':'%s'}},'spec':{'apiEndpoint':'https://127.0.0.1:1',"
	            "'secretRef':{'name':'%s'}}}",
	            name, location, name);
}

/* The host is the API server; folders stand in for the members. */
static void start(struct kube *k)
{
	put_cluster(k, "newyork", "40.71,-74.00");
	put_cluster(k, "losangeles", "34.05,-118.24");
	fakeapi_put(k->f, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'kube-federation-system'},'domain':"
	            "'example.com'}");
	fakeapi_put(k->f, FAKEAPI_SERVICE_RECORDS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'domainRef':'fed'}}");
	world_networks(k->w);
	world_service(k->w, "newyork", "web", "198.18.1.10", true, "");
	world_service(k->w, "losangeles", "web", "198.18.3.10", true, "");
	world_config(k->w, "sources: {manifests: [manifests], kubernetes: {kubeconfig: "
	                   "host.kubeconfig}}\n"
	                   "guard: {minNames: 2, maxWithdrawPercent: 10}\n"
	                   "probe: {flapHold: 0}\n");
	world_start(k->w);
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.1.10", 3000);
}

/* --- drain --- */

static void test_drain_moves_the_answers_and_undrain_moves_them_back(void **state)
{
	struct kube *k = *state;
	const char *const drain[] = {"$NIGHCTL",     "drain",   "newyork",
	                             "--kubeconfig", k->config, NULL};
	const char *const undrain[] = {"$NIGHCTL",     "undrain", "newyork",
	                               "--kubeconfig", k->config, NULL};

	start(k);
	world_expect_run(k->w, undrain, 0, "newyork was not drained\n");
	world_expect_run(k->w, drain, 0,
	                 "KubeFedCluster kube-federation-system/newyork is drained\n");
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.3.10", 1000);
	world_expect_run(k->w, drain, 0, "newyork was drained already\n");
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 1);
	world_expect_run(k->w, undrain, 0, "newyork is not drained any more\n");
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.1.10", 1000);
}

/* --- moving clients by a plan --- */

static void test_shift_writes_a_plan_that_nighd_follows_and_undo_the_way_back(void **state)
{
	struct kube *k = *state;
	const char *shift[] = {"$NIGHCTL", "shift", "--cluster",    "newyork", "--to", "20%",
	                       "--over",   "1000s", "--kubeconfig", k->config, NULL,   NULL};
	const char *const undo[] = {"$NIGHCTL", "shift",        "--cluster", "newyork",
	                            "--undo",   "--kubeconfig", k->config,   NULL};
	const char *out;

	start(k);
	world_expect_run(k->w, undo, 1, "newyork is not shifted\n");
	shift[10] = "--dry-run";
	world_expect_run(k->w, shift, 0,
	                 "not done: KubeFedCluster kube-federation-system/newyork is shifted\n");
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 0);
	shift[10] = NULL;
	out = world_expect_run(k->w, shift, 0, "its share leaves 100%\n");
	assert_non_null(strstr(out, "its share is 20%\n"));
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 1);
	world_expect_http(k->w, "/status", "\"state\":\"moving\",\"from\":100,\"to\":20,", 10000);
	world_expect_http(k->w, "/status", "\"share\":99.", 10000);
	out = world_expect_run(k->w, undo, 0, "newyork gets its clients back\n");
	assert_non_null(strstr(out, "its share leaves 99."));
	world_expect_http(k->w, "/status", ",\"to\":100,", 2000);
}

static void test_drain_by_a_plan_goes_and_comes_back(void **state)
{
	struct kube *k = *state;
	const char *const drain[] = {"$NIGHCTL",   "drain", "newyork",      "--over",  "2s",
	                             "--ttl-wait", "1s",    "--kubeconfig", k->config, NULL};
	const char *const undrain[] = {"$NIGHCTL", "undrain", "newyork",      "--over",  "1s",
	                               "-o",       "json",    "--kubeconfig", k->config, NULL};
	const char *out;

	start(k);
	world_expect_run(k->w, undrain, 0, "\"changed\": false");
	out = world_expect_run(k->w, drain, 0, "newyork is drained by a plan\n");
	assert_non_null(strstr(out, "answers with it say a TTL of at most 5s\n"));
	assert_non_null(strstr(out, "every cache that honours TTLs has let go by 2"));
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.3.10", 15000);
	world_expect_http(k->w, "/status", "\"drained\":true,\"up\":true,\"share\":0", 5000);
	world_expect_run(k->w, drain, 0, "newyork was drained already\n");
	out = world_expect_run(k->w, undrain, 0, "\"annotation\": \"nigh.dev/shift\"");
	assert_non_null(strstr(out, "\"from\": 0.0"));
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.1.10", 15000);
}

static void test_undrain_takes_a_plan_away_as_well(void **state)
{
	struct kube *k = *state;
	const char *const drain[] = {"$NIGHCTL",   "drain", "newyork",      "--over",  "0s",
	                             "--ttl-wait", "0s",    "--kubeconfig", k->config, NULL};
	const char *const undrain[] = {"$NIGHCTL",     "undrain", "newyork",
	                               "--kubeconfig", k->config, NULL};

	start(k);
	world_expect_run(k->w, drain, 0, "newyork is drained by a plan\n");
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.3.10", 15000);
	world_expect_run(k->w, undrain, 0, "newyork is not drained any more\n");
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.1.10", 2000);
	world_expect_http(k->w, "/status", "!\"state\":\"over\"", 2000);
}

/* KubeFed's records have 180 s.  The API server knows no pod of nighd, so that at NIGH_SERVER is asked. */
static void test_drain_by_a_plan_waits_out_the_largest_ttl_that_nighd_tells(void **state)
{
	struct kube *k = *state;
	const char *const drain[] = {"$NIGHCTL", "drain", "newyork",      "--over",  "10m",
	                             "-o",       "json",  "--kubeconfig", k->config, NULL};

	start(k);
	world_expect_run(k->w, drain, 0, " over=10m ttl=5 wait=3m\"");
	world_expect_http(k->w, "/status", "\"state\":\"ttlLowered\"", 10000);
}

static void test_shift_leaves_what_is_drained_and_what_it_cannot_read_alone(void **state)
{
	struct kube *k = *state;
	const char *const shift[] = {"$NIGHCTL", "shift",        "--cluster", "la", "--to",
	                             "20%",      "--kubeconfig", k->config,   NULL};

	fakeapi_put(k->f, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'kube-federation-system','annotations':{"
	            "'nigh.dev/drain':'true'}}}");
	world_expect_run(k->w, shift, 1, "la is drained: nighctl undrain la --over 30m\n");
	fakeapi_put(k->f, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'kube-federation-system','annotations':{"
	            "'nigh.dev/shift':'to=20'}}}");
	world_expect_run(k->w, shift, 1, "la: its annotation nigh.dev/shift: start= is missing\n");
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 0);
}

/* --- drain, and what an API server says --- */

static void test_drain_takes_the_kubeconfig_of_kubectl_and_another_namespace(void **state)
{
	struct kube *k = *state;
	const char *argv[] = {"$NIGHCTL", "-o", "json", "drain", "la", "-n", "fed-two", NULL};
	const char *out;

	fakeapi_put(k->f, FAKEAPI_CLUSTERS, "{'metadata':{'name':'la','namespace':'fed-two'}}");
	setenv("KUBECONFIG", k->config, 1);
	out = world_expect_run(k->w, argv, 0, "\"drained\": true");
	assert_non_null(strstr(out, "\"namespace\": \"fed-two\""));
	assert_non_null(strstr(out, "\"changed\": true"));
	argv[5] = "--kubefed-namespace";
	world_expect_run(k->w, argv, 0, "\"changed\": false");
}

static void test_drain_tells_a_missing_cluster_from_a_forbidden_one(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL", "drain", "tokyo", "--kubeconfig", k->config, NULL};
	const char *out;

	out = world_expect_run(k->w, argv, 1, "nigh.dev/drain: \"true\"\n");
	assert_non_null(strstr(out, "no KubeFedCluster kube-federation-system/tokyo"));
	fakeapi_forbid(k->f, FAKEAPI_CLUSTERS);
	out = world_expect_run(k->w, argv, 1, "kube-federation-system/tokyo: ");
	assert_non_null(strstr(out, "is forbidden"));
	assert_null(strstr(out, "nigh.dev/drain: \"true\""));
	fakeapi_set_token(k->f, "another");
	world_expect_run(k->w, argv, 1, "(401)");
	fakeapi_down(k->f);
	out = world_expect_run(k->w, argv, 1, fakeapi_url(k->f));
	assert_null(strstr(out, fakeapi_token(k->f)));
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 0);
}

static void test_what_an_api_server_says_never_repeats_the_token(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL", "drain", "tokyo", "--kubeconfig", k->config, NULL};
	char body[256];
	const char *out;

	snprintf(body, sizeof(body), "{\"kind\":\"Status\",\"message\":\"you sent %s\"}",
	         fakeapi_token(k->f));
	fakeapi_answer_bytes(k->f, "", 0, 500, "application/json", body, strlen(body));
	out = world_expect_run(k->w, argv, 1, "answered 500");
	assert_null(strstr(out, fakeapi_token(k->f)));
}

static void test_a_credential_plugin_of_the_kubeconfig_is_run(void **state)
{
	struct kube *k = *state;
	char config[256];
	const char *argv[] = {"$NIGHCTL", "drain", "la", "--kubeconfig", config, NULL};
	const char *out;

	fakeapi_put(k->f, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'la','namespace':'kube-federation-system'}}");
	world_write(
		k->w, "exec.kubeconfig",
		"apiVersion: v1\nkind: Config\ncurrent-context: c\n"
		"clusters: [{name: c, cluster: {server: \"%s\", certificate-authority-data: %s}}]\n"
		"contexts: [{name: c, context: {cluster: c, user: u}}]\n"
		"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, "
		"interactiveMode: Never, command: /bin/sh, args: [-c, 'echo \"$0\"; exit $FAILS', "
		"'{\"apiVersion\":"
		"\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":"
		"{\"token\":\"%s\"}}']}}}]\n",
		fakeapi_url(k->f), fakeapi_ca_base64(k->f), fakeapi_token(k->f));
	snprintf(config, sizeof(config), "%s", world_path(k->w, "exec.kubeconfig"));
	world_expect_run(k->w, argv, 0, "is drained\n");
	argv[1] = "undrain";
	setenv("FAILS", "1", 1);
	out = world_expect_run(k->w, argv, 1, "credential plugin sh: ");
	unsetenv("FAILS");
	assert_null(strstr(out, fakeapi_token(k->f)));
}

/* --- pods --- */

static void give(struct kube *k, const char *where, const char *body)
{
	fakeapi_answer_bytes(k->f, where, 0, 200, "application/json", body, strlen(body));
}

/* Two pods; what the first says is nighd's own. */
static void pods(struct kube *k)
{
	static const char list[] =
		"{\"kind\":\"PodList\",\"items\":["
		"{\"metadata\":{\"name\":\"nighd-a\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]},"
		"\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":9053}]}"
		"]}},"
		"{\"metadata\":{\"name\":\"nighd-b\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"
		"]}";

	give(k, PODS "?!watch", list);
	give(k, PODS "/nighd-a:9053/proxy/status", world_get(k->w, "/status", NULL));
	give(k, PODS "/nighd-b:8053/proxy/status", world_get(k->w, "/status", NULL));
	give(k, PODS "/nighd-a:9053/proxy/explain", world_get(k->w, "/explain?name=" WEB, NULL));
	give(k, PODS "/nighd-b:8053/proxy/explain", world_get(k->w, "/explain?name=" WEB, NULL));
}

static void test_status_asks_every_pod_also_where_only_one_namespace_may_be_seen(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL", "status", "--kubeconfig", k->config, NULL};
	const char *const json[] = {"$NIGHCTL",     "status",  "-o", "json",
	                            "--kubeconfig", k->config, NULL};
	const char *out;

	start(k);
	world_expect_http(k->w, "/status",
	                  "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"", 10000);
	pods(k);
	fakeapi_answer(k->f, "/api/v1/pods", 0, 403, NULL);
	out = world_expect_run(k->w, argv, 0, "pod nigh-system/nighd-a\nnighd " NIGH_VERSION);
	assert_non_null(strstr(out, "pod nigh-system/nighd-b\nnighd " NIGH_VERSION));
	assert_non_null(strstr(out, "kubernetes   synced"));
	assert_null(strstr(out, "differ"));
	fakeapi_answer(k->f, PODS "/nighd-b:8053", 0, 503, NULL);
	out = world_expect_run(k->w, argv, 1, "nighctl: pod nigh-system/nighd-b: ");
	assert_non_null(strstr(out, "pod nigh-system/nighd-a\nnighd " NIGH_VERSION));
	world_expect_run(k->w, json, 1, "\"error\": null");
}

static void test_status_finds_the_pods_of_nigh_propagator_as_well(void **state)
{
	static const char list[] =
		"{\"kind\":\"PodList\",\"items\":["
		"{\"metadata\":{\"name\":\"prop-a\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\"}}]}";
	static const char said[] = "{\"version\":\"9\",\"leading\":true,\"clusters\":[{\"name\":"
				   "\"gondor\",\"ready\":true}],\"types\":[]}";
	struct kube *k = *state;
	const char *argv[] = {
		"$NIGHCTL",    "status", "--kubeconfig", k->config, "--pods-namespace",
		"nigh-system", NULL,     NULL,           NULL};
	const char *out;

	give(k, PODS "?nigh-propagator", list);
	give(k, PODS "/prop-a:8054/proxy/status", said);
	give(k, PODS "?nighd", "{\"items\":[]}");
	out = world_expect_run(k->w, argv, 0, "pod nigh-system/prop-a (not ready)\n");
	assert_non_null(strstr(out, "nigh-propagator 9, leading\n"));
	assert_non_null(strstr(out, "gondor"));
	argv[6] = "-o";
	argv[7] = "json";
	out = world_expect_run(k->w, argv, 0, "\"propagators\"");
	assert_non_null(strstr(out, "\"name\": \"prop-a\""));
	fakeapi_answer(k->f, PODS "/prop-a:8054", 0, 503, NULL);
	world_expect_run(k->w, argv, 1, "nighctl: pod nigh-system/prop-a: ");
	give(k, PODS "?nigh-propagator", "{\"items\":[]}");
	world_expect_run(k->w, argv, 1, "no pod with the label app.kubernetes.io/name=nighd");
}

static void test_explain_says_once_what_all_say_and_tells_differences(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL", "explain", WEB, "--kubeconfig", k->config, NULL};

	start(k);
	pods(k);
	fakeapi_answer(k->f, "/api/v1/pods", 0, 403, NULL);
	world_expect_run(k->w, argv, 0,
	                 "\nsaid by pod nigh-system/nighd-a, pod nigh-system/nighd-b\n");
	give(k, PODS "/nighd-b:8053/proxy/explain", "{\"answer\":{\"rcode\":\"NXDOMAIN\"}}");
	world_expect_run(k->w, argv, 0, "; NXDOMAIN at nighd-b\n");
}

/* Three names go, which the guard holds; the Domain's annotation reaches the real nighd. */
static void test_guard_release_writes_the_hold_into_the_domain_and_takes_it_away(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL",     "guard",   "release", "example.com",
	                            "--kubeconfig", k->config, NULL};
	const char *held;

	start(k);
	for (int i = 0; i < 4; i++)
		fakeapi_put(k->f, FAKEAPI_ENDPOINTS_OF_KUBEFED,
		            "{'metadata':{'name':'h%d','namespace':'shop'},'spec':{'endpoints':[{"
		            "'dnsName':'h%d.example.com','recordType':'A','targets':["
		            "'198.18.9.9']}]}}",
		            i, i);
	world_expect(k->w, "h3.example.com", "A", NULL, "198.18.9.9", 1000);
	fakeapi_delete_all(k->f, FAKEAPI_ENDPOINTS_OF_KUBEFED);
	world_expect_http(k->w, "/status", "\"guard\":[{", 1000);
	pods(k);
	held = world_get(k->w, "/status", NULL);
	/* The second pod has let go when it is asked again; what the first says stays as it was. */
	give(k, PODS "/nighd-b:8053/proxy/status", "{\"guard\":[]}");
	fakeapi_answer_bytes(k->f, PODS "/nighd-b:8053/proxy/status", 1, 200, "application/json",
	                     held, strlen(held));
	fakeapi_answer(k->f, "/api/v1/pods", 0, 403, NULL);
	world_expect_run(k->w, argv, 1, "pod nigh-system/nighd-a still holds example.com");
	world_expect(k->w, "h3.example.com", "A", NULL, "NXDOMAIN", 1000);
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 1);

	give(k, PODS "/nighd-a:9053/proxy/status", "{\"guard\":[]}");
	fakeapi_answer_bytes(k->f, PODS "/nighd-b:8053/proxy/status", 1, 200, "application/json",
	                     held, strlen(held));
	world_expect_run(k->w, argv, 0, "the guard of example.com is released\n");
	assert_int_equal(fakeapi_requests(k->f, "PATCH "), 3);
}

static void test_guard_release_says_what_to_do_where_no_domain_makes_the_zone(void **state)
{
	struct kube *k = *state;
	const char *const argv[] = {"$NIGHCTL",     "guard",   "release", "example.org",
	                            "--kubeconfig", k->config, NULL};
	const char *out;

	start(k);
	pods(k);
	fakeapi_answer(k->f, "/api/v1/pods", 0, 403, NULL);
	world_expect_run(k->w, argv, 1, "no zone example.org is held");
	give(k, PODS "/nighd-b:8053/proxy/status",
	     "{\"guard\":[{\"zone\":\"example.org\",\"id\":\"3\"}]}");
	out = world_expect_run(k->w, argv, 1, "zone example.org is made by no Domain");
	assert_non_null(strstr(out, "kubectl -n nigh-system port-forward pod/nighd-b 8053:8053\n"));
	assert_null(strstr(out, "nighd-a"));
}

/* --- failback --- */

static void start_with_failback(struct kube *k)
{
	fakeapi_put(
		k->f, FAKEAPI_POLICIES,
		"{'metadata':{'name':'web','namespace':'shop'},'spec':{'targetRefs':[{'group':"
		"'multiclusterdns.kubefed.io','kind':'ServiceDNSRecord','name':'web'}],'stages':"
		"[{'nearest':{}}],'failback':{'mode':'Manual'}}}");
	start(k);
	pods(k);
	fakeapi_answer(k->f, "/api/v1/pods", 0, 403, NULL);
	give(k, PODS "/nighd-a:9053/proxy/status", "{\"pending\":[]}");
}

/* New York goes and comes back, which the second pod tells of when it is asked for the first time.  Who goes down in the very second
 * of an annotation is let back by it: so it is another second. */
static void break_off(struct kube *k)
{
	const int64_t before_s = clock_unix_s();
	const char *status;

	while (clock_unix_s() == before_s)
		usleep(20000);
	world_service(k->w, "newyork", "web", "198.18.1.10", false, "");
	world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.3.10", 2000);
	world_service(k->w, "newyork", "web", "198.18.1.10", true, "");
	world_expect_http(k->w, "/status", "\"pending\":[{\"name\":\"" WEB "\"", 2000);
	status = world_get(k->w, "/status", NULL);
	give(k, PODS "/nighd-b:8053/proxy/status", "{\"pending\":[]}");
	fakeapi_answer_bytes(k->f, PODS "/nighd-b:8053/proxy/status", 1, 200, "application/json",
	                     status, strlen(status));
}

/* Every replica reads it: here the one that the answers are of, which no pod is. */
static void test_failback_lets_a_cluster_a_policy_or_a_name_back_in_every_replica(void **state)
{
	static const struct {
		const char *const words[4];
		const char *says, *patched;
	} all[] = {
		{{"--cluster", "newyork", NULL, NULL},
	         "cluster newyork has its clients back: 1 site\n",
	         "PATCH /apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/"
	         "kubefedclusters/newyork"},
		{{"--policy", "shop/web", NULL, NULL},
	         "policy shop/web has its clients back: 1 site\n",
	         "PATCH /apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/web"},
		{{WEB ".", "--cluster", "newyork", NULL},
	         WEB ". has its clients back at 1 cluster\n",
	         "PATCH /apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/web"},
	};
	struct kube *k = *state;

	start_with_failback(k);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *const argv[] = {
			"$NIGHCTL",      "failback",      "--kubeconfig",  k->config,
			all[i].words[0], all[i].words[1], all[i].words[2], NULL};
		size_t before = fakeapi_requests(k->f, all[i].patched);

		break_off(k);
		world_expect_stays(k->w, WEB, "A", "192.0.2.0/24", "198.18.3.10", 300);
		world_expect_run(k->w, argv, 0, all[i].says);
		assert_int_equal(fakeapi_requests(k->f, all[i].patched), before + 1);
		world_expect(k->w, WEB, "A", "192.0.2.0/24", "198.18.1.10", 3000);
	}
}

static void test_failback_tells_who_waits_nowhere_or_still_and_what_is_kept_nowhere(void **state)
{
	struct kube *k = *state;
	const char *const other[] = {"$NIGHCTL",     "failback", "--cluster", "losangeles",
	                             "--kubeconfig", k->config,  NULL};
	const char *const name[] = {"$NIGHCTL",     "failback", "www.example.org",
	                            "--kubeconfig", k->config,  NULL};
	const char *const pending =
		"{\"now\":\"2026-01-01T00:00:00Z\",\"pending\":[{\"name\":\"www.example.org\","
		"\"cluster\":\"la\",\"policy\":\"shop/%s\"}]}";
	char said[256];
	const char *out;

	start_with_failback(k);
	snprintf(said, sizeof(said), pending, "gone");
	give(k, PODS "/nighd-b:8053/proxy/status", said);
	world_expect_run(k->w, other, 1, "no site of cluster losangeles waits in any pod");
	out = world_expect_run(k->w, name, 1, "trafficpolicies/gone: annotation nigh.dev/failback");
	assert_non_null(strstr(out, "kubectl -n nigh-system port-forward pod/nighd-b 8053:8053\n"));
	assert_non_null(strstr(out, "failback www.example.org\n"));
	assert_null(strstr(out, "nighd-a"));
	snprintf(said, sizeof(said), pending, "web");
	give(k, PODS "/nighd-b:8053/proxy/status", said);
	world_expect_run(k->w, name, 1, "in pod nigh-system/nighd-b it waits still");
}

/* --- wrong use --- */

static void test_flags_that_do_not_go_together_end_with_2(void **state)
{
	static const struct {
		const char *const argv[10];
		const char *text;
	} all[] = {
		{{"$NIGHCTL", "check", "x", "--kubeconfig", "y", NULL}, "by check"},
		{{"$NIGHCTL", "status", "-n", "x", "--context", "y", NULL}, "not to status"},
		{{"$NIGHCTL", "guard", "release", "x", "-n", "y", NULL}, "goes with --kubeconfig"},
		{{"$NIGHCTL", "status", "--pods-namespace", "x", NULL}, "--pods-namespace"},
		{{"$NIGHCTL", "drain", "la", "--pods-namespace", "x", NULL}, "not to drain"},
		{{"$NIGHCTL", "status", "--server", "x", "--context", "y", NULL}, "not both"},
		{{"$NIGHCTL", "failback", NULL}, "a NAME, --cluster or --policy"},
		{{"$NIGHCTL", "drain", "la", "--policy", "a/b", NULL}, "belongs to failback"},
		{{"$NIGHCTL", "drain", "la", "-n", "a", "--kubefed-namespace", "b", NULL},
	         "are the same for drain"},
		{{"$NIGHCTL", "get", "cm", "a/b", "-n", "c", "--by-cluster", NULL}, "not both"},
		{{"$NIGHCTL", "unjoin", "la", "--enable-types", "--keep", NULL}, "not to unjoin"},
	};
	struct kube *k = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		world_expect_run(k->w, all[i].argv, 2, all[i].text);
}

static void test_a_kubeconfig_that_cannot_be_used_is_told(void **state)
{
	struct kube *k = *state;
	const char *const away[] = {"$NIGHCTL", "status", "--kubeconfig", "/nowhere/k", NULL};
	const char *const context[] = {"$NIGHCTL", "status", "--kubeconfig", k->config, "--context",
	                               "mars",     NULL};
	const char *const none[] = {"$NIGHCTL", "status", "--context", "mars", NULL};

	world_expect_run(k->w, away, 1, "nighctl: /nowhere/k: ");
	world_expect_run(k->w, context, 1, "'mars'");
	world_expect_run(k->w, none, 1, "no kubeconfig");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kube_test(test_drain_moves_the_answers_and_undrain_moves_them_back),
		kube_test(test_shift_writes_a_plan_that_nighd_follows_and_undo_the_way_back),
		kube_test(test_drain_by_a_plan_goes_and_comes_back),
		kube_test(test_undrain_takes_a_plan_away_as_well),
		kube_test(test_drain_by_a_plan_waits_out_the_largest_ttl_that_nighd_tells),
		kube_test(test_shift_leaves_what_is_drained_and_what_it_cannot_read_alone),
		kube_test(test_drain_takes_the_kubeconfig_of_kubectl_and_another_namespace),
		kube_test(test_drain_tells_a_missing_cluster_from_a_forbidden_one),
		kube_test(test_what_an_api_server_says_never_repeats_the_token),
		kube_test(test_a_credential_plugin_of_the_kubeconfig_is_run),
		kube_test(test_status_asks_every_pod_also_where_only_one_namespace_may_be_seen),
		kube_test(test_status_finds_the_pods_of_nigh_propagator_as_well),
		kube_test(test_explain_says_once_what_all_say_and_tells_differences),
		kube_test(test_guard_release_writes_the_hold_into_the_domain_and_takes_it_away),
		kube_test(test_guard_release_says_what_to_do_where_no_domain_makes_the_zone),
		kube_test(test_failback_lets_a_cluster_a_policy_or_a_name_back_in_every_replica),
		kube_test(test_failback_tells_who_waits_nowhere_or_still_and_what_is_kept_nowhere),
		kube_test(test_flags_that_do_not_go_together_end_with_2),
		kube_test(test_a_kubeconfig_that_cannot_be_used_is_told),
	};

	return cmocka_run_group_tests_name("scenario/nighctl_kube", tests, NULL, NULL);
}
