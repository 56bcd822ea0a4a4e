/* admission.c -- KubeFed's rules on a real API server: in the definitions of its kinds, and in nigh-propagator's webhooks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/e2e/support/objects.h"
#include "tests/support/propagator_admission.h"
#include "tests/support/world_inside.h"

#define REGISTRY "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/"
#define JSON     "application/json"

enum { SOON_MS = 15000 };

static const char *const kinds[] = {"FederatedTypeConfig", "KubeFedConfig", "KubeFedCluster"};
static const char *const plurals[] = {"federatedtypeconfigs", "kubefedconfigs", "kubefedclusters"};

struct stage {
	struct cloud *cloud;
	struct cluster *host;
	unsigned wrong;
	const char *refusal; /* what an answer that refuses must hold */
	pid_t propagator;
	unsigned webhook_port, http_port;
};

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	char path[160];

	*state = s;
	s->cloud = cloud_new();
	s->host = cluster_new(s->cloud, "host", false);
	cluster_await(s->host);
	objects_host(s->host);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "deploy/crds/federation/%s.yaml", plurals[i]);
		cluster_apply_file(s->host, path);
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), REGISTRY "%s", plurals[i]);
		cluster_expect(s->host, path, "\"items\":[", SOON_MS);
	}
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	if (s->propagator > 0) {
		cloud_show_log(s->cloud, "propagator");
		kill(s->propagator, SIGKILL);
		waitpid(s->propagator, NULL, 0);
	}
	cloud_free(s->cloud);
	free(s);
	return 0;
}

static const char *text_of(struct json_object *object)
{
	return json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);
}

static const char *plural_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return plurals[i];
	fail_msg("no such kind: %s", kind);
	return NULL;
}

/* Created, but not kept; a refusal is one of what it says, not of how it was asked. */
static void try_case(const struct admission_case *c, void *arg)
{
	struct stage *s = arg;
	char path[160];
	int status;

	snprintf(path, sizeof(path), REGISTRY "%s?dryRun=All", plural_of(c->kind));
	status = cluster_send(s->host, "POST", path, JSON, text_of(c->object));
	if (c->is_accepted ? status == 201
	                   : (status == 422 || status == 400 || status == 403) &&
	                             strstr(cluster_body(s->host), s->refusal))
		return;
	s->wrong++;
	print_error("%s, %s: %d %s\n", c->kind, c->what, status, cluster_body(s->host));
}

static void try_all(struct stage *s, const char *refusal)
{
	s->wrong = 0;
	s->refusal = refusal;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_true(admission_each(kinds[i], try_case, s) > 40);
	assert_int_equal(s->wrong, 0);
}

static void test_the_definitions_take_and_refuse_what_kubefed_did(void **state)
{
	struct stage *s = *state;

	try_all(s, "");
}

static void put_config(struct stage *s)
{
	struct json_object *config = admission_base("KubeFedConfig");

	assert_int_equal(
		cluster_send(s->host, "POST", REGISTRY "kubefedconfigs", JSON, text_of(config)),
		201);
	json_object_put(config);
}

static void expect_in_config(struct stage *s, const char *text)
{
	assert_int_equal(
		cluster_send(s->host, "GET", REGISTRY "kubefedconfigs/kubefed", NULL, NULL), 200);
	if (!strstr(cluster_body(s->host), text))
		fail_msg("no %s in %s", text, cluster_body(s->host));
}

static void expect_patch_of_config(struct stage *s, const char *patch, int want, const char *text)
{
	int status = cluster_send(s->host, "PATCH", REGISTRY "kubefedconfigs/kubefed",
	                          "application/merge-patch+json", patch);

	if (status != want || !strstr(cluster_body(s->host), text))
		fail_msg("%d %s", status, cluster_body(s->host));
}

static void test_the_definition_fills_in_a_config(void **state)
{
	struct stage *s = *state;

	put_config(s);
	expect_in_config(s, "\"unavailableDelay\":\"1m0s\"");
	expect_in_config(s, "\"leaderElect\":{\"leaseDuration\":\"15s\",\"renewDeadline\":\"10s\","
	                    "\"resourceLock\":\"configmaps\",\"retryPeriod\":\"5s\"}");
	expect_in_config(s, "\"failureThreshold\":3");
	expect_in_config(s, "{\"configuration\":\"Enabled\",\"name\":\"SchedulerPreferences\"}");
}

static void test_the_definition_keeps_the_scope_of_a_config(void **state)
{
	struct stage *s = *state;

	expect_patch_of_config(s, "{\"spec\":{\"scope\":\"Namespaced\"}}", 422,
	                       "field is immutable");
	expect_patch_of_config(s, "{\"spec\":{\"clusterHealthCheck\":{\"period\":\"7s\"}}}", 200,
	                       "\"period\":\"7s\"");
}

static void test_the_definition_checks_the_states_of_a_type(void **state)
{
	struct stage *s = *state;
	struct json_object *type = admission_base("FederatedTypeConfig");

	assert_int_equal(
		cluster_send(s->host, "POST", REGISTRY "federatedtypeconfigs", JSON, text_of(type)),
		201);
	json_object_put(type);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const states[] = {
			"{\"status\":{\"observedGeneration\":-1,\"propagationController\":"
			"\"Running\"}}",
			"{\"status\":{\"observedGeneration\":1,\"propagationController\":"
			"\"Fine\"}}",
			"{\"status\":{\"observedGeneration\":1,\"propagationController\":"
			"\"Running\"}}"};

		assert_int_equal(cluster_send(s->host, "PATCH",
		                              REGISTRY
		                              "federatedtypeconfigs/deployments.apps/status",
		                              "application/merge-patch+json", states[i]),
		                 i < 2 ? 422 : 200);
	}
}

/* --- the webhooks --- */

/* After NAME in the log; waits for it. */
static unsigned port_in_log(struct stage *s, const char *name)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	unsigned port = 0;

	while (port == 0) {
		struct text log = {0};
		const char *at = NULL;

		if (inside_read_file(cloud_path(s->cloud, "propagator.log"), &log) && log.len > 0)
			at = strstr(log.data, name);
		if (at && strchr(at, '\n'))
			port = (unsigned)strtoul(at + strlen(name), NULL, 10);
		text_fini(&log);
		if (port == 0 && !inside_has_time(deadline))
			fail_msg("nigh-propagator does not say '%s'", name);
		inside_rest();
	}
	return port;
}

static void start_propagator(struct stage *s)
{
	const char *program = getenv("PROPAGATOR");
	char kubeconfig[200], certificate[200], key[200];
	int out;

	assert_non_null(program);
	cloud_issue_replica(s->cloud, "webhook", "localhost");
	snprintf(kubeconfig, sizeof(kubeconfig), "%s", cloud_path(s->cloud, "host.kubeconfig"));
	snprintf(certificate, sizeof(certificate), "%s", cloud_path(s->cloud, "webhook.crt"));
	snprintf(key, sizeof(key), "%s", cloud_path(s->cloud, "webhook.key"));
	cluster_kubeconfig(s->host, ADMIN_TOKEN, kubeconfig);
	out = open(cloud_path(s->cloud, "propagator.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	s->propagator = inside_spawn((const char *const[]){program, "--kubeconfig", kubeconfig,
	                                                   "--http", "127.0.0.1:0", "--webhook",
	                                                   "127.0.0.1:0", "--certificate",
	                                                   certificate, "--key", key, NULL},
	                             out);
	close(out);
	s->webhook_port = port_in_log(s, "webhook=127.0.0.1:");
	s->http_port = port_in_log(s, "http=127.0.0.1:");
}

/* Definitions without any rule, as KubeFed's were: what is refused now, the webhooks refuse. */
static void loosen(struct stage *s, size_t i)
{
	char path[160];

	cluster_apply(s->host,
	              "apiVersion: apiextensions.k8s.io/v1\n"
	              "kind: CustomResourceDefinition\n"
	              "metadata: {name: %s.core.kubefed.io}\n"
	              "spec:\n"
	              "  group: core.kubefed.io\n"
	              "  scope: Namespaced\n"
	              "  names: {kind: %s, listKind: %sList, plural: %s}\n"
	              "  versions:\n"
	              "  - name: v1beta1\n"
	              "    served: true\n"
	              "    storage: true\n"
	              "    subresources: {status: {}}\n"
	              "    schema:\n"
	              "      openAPIV3Schema: {type: object, "
	              "x-kubernetes-preserve-unknown-fields: true}\n",
	              plurals[i], kinds[i], kinds[i], plurals[i]);
	snprintf(path, sizeof(path), REGISTRY "%s", plurals[i]);
	cluster_expect(s->host, path, "\"items\":[", SOON_MS);
}

static void add_webhook(struct text *out, struct stage *s, const char *ca, const char *resource,
                        const char *path, const char *operations)
{
	text_printf(out,
	            "- name: %s.core.kubefed.io\n"
	            "  admissionReviewVersions: [v1]\n"
	            "  sideEffects: None\n"
	            "  failurePolicy: Fail\n"
	            "  clientConfig: {url: 'https://localhost:%u%s', caBundle: %s}\n"
	            "  rules:\n"
	            "  - {apiGroups: [core.kubefed.io], apiVersions: [v1beta1], resources: [%s, "
	            "%s/status], operations: [%s]}\n",
	            resource, s->webhook_port, path, ca, resource, resource, operations);
}

/* As deploy/kubernetes/webhooks has them, but for where they are and that they may not fail. */
static void register_webhooks(struct stage *s)
{
	const char *pem = cluster_ca(s->host);
	char *ca = calloc(1, strlen(pem) * 2);
	struct text yaml = {0};

	EVP_EncodeBlock((unsigned char *)ca, (const unsigned char *)pem, (int)strlen(pem));
	text_add(&yaml, "apiVersion: admissionregistration.k8s.io/v1\n"
	                "kind: ValidatingWebhookConfiguration\n"
	                "metadata: {name: validations.core.kubefed.io}\n"
	                "webhooks:\n");
	add_webhook(&yaml, s, ca, "federatedtypeconfigs", "/validate-federatedtypeconfigs",
	            "CREATE, UPDATE");
	add_webhook(&yaml, s, ca, "kubefedclusters", "/validate-kubefedcluster", "CREATE, UPDATE");
	add_webhook(&yaml, s, ca, "kubefedconfigs", "/validate-kubefedconfig", "CREATE, UPDATE");
	text_add(&yaml, "---\n"
	                "apiVersion: admissionregistration.k8s.io/v1\n"
	                "kind: MutatingWebhookConfiguration\n"
	                "metadata: {name: mutation.core.kubefed.io}\n"
	                "webhooks:\n");
	add_webhook(&yaml, s, ca, "kubefedconfigs", "/default-kubefedconfig", "CREATE");
	cluster_apply(s->host, "%s", yaml.data);
	text_fini(&yaml);
	free(ca);
}

/* A config with nothing but its scope is kept as it is until the webhooks are known to the server. */
static void await_webhooks(struct stage *s)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	static const char wrong[] =
		"{\"apiVersion\":\"core.kubefed.io/v1beta1\",\"kind\":\"KubeFedConfig\","
		"\"metadata\":{\"name\":\"trial\"},\"spec\":{}}";

	while (cluster_send(s->host, "POST", REGISTRY "kubefedconfigs?dryRun=All", JSON, wrong) !=
	       403) {
		if (!inside_has_time(deadline))
			fail_msg("no webhook is asked: %s", cluster_body(s->host));
		inside_rest();
	}
}

static void test_the_webhooks_take_and_refuse_what_kubefed_did(void **state)
{
	struct stage *s = *state;

	cluster_delete(s->host, "core.kubefed.io/v1beta1", "KubeFedConfig", FEDERATION, "kubefed");
	cluster_delete(s->host, "core.kubefed.io/v1beta1", "FederatedTypeConfig", FEDERATION,
	               "deployments.apps");
	start_propagator(s);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		loosen(s, i);
	register_webhooks(s);
	await_webhooks(s);
	try_all(s, "denied the request: ");
}

static void test_the_webhook_fills_in_a_config_and_keeps_its_scope(void **state)
{
	struct stage *s = *state;

	put_config(s);
	expect_in_config(s, "\"unavailableDelay\":\"1m0s\"");
	expect_in_config(s, "\"failureThreshold\":3");
	expect_patch_of_config(s, "{\"spec\":{\"scope\":\"Namespaced\"}}", 403,
	                       "denied the request: spec.scope: Invalid value: \\\"Namespaced\\\": "
	                       "field is immutable");
	expect_patch_of_config(s, "{\"spec\":{\"clusterHealthCheck\":{\"period\":\"8s\"}}}", 200,
	                       "\"period\":\"8s\"");
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

/* The status of a GET over a new connection, with its body; 0: none, or the certificate is not that of localhost. */
static long get(struct stage *s, const char *url, struct text *body)
{
	CURL *curl = curl_easy_init();
	char ca[200];
	long status = 0;

	snprintf(ca, sizeof(ca), "%s", cloud_path(s->cloud, "ca.crt"));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

static long ask_webhook(struct stage *s)
{
	struct text body = {0};
	char url[80];
	long status;

	snprintf(url, sizeof(url), "https://localhost:%u/validate-kubefedconfig", s->webhook_port);
	status = get(s, url, &body);
	text_fini(&body);
	return status;
}

static void test_what_was_asked_is_counted(void **state)
{
	struct stage *s = *state;
	struct deadline deadline = inside_deadline(SOON_MS);
	unsigned refused = 0;
	char url[80];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/metrics", s->http_port);
	while (refused < 100) {
		static const char name[] = "nigh_propagator_reviews_total{verdict=\"refused\"} ";
		struct text body = {0};
		const char *at;

		text_add(&body, "");
		assert_int_equal(get(s, url, &body), 200);
		at = strstr(body.data, name);
		refused = at ? (unsigned)strtoul(at + strlen(name), NULL, 10) : 0;
		text_fini(&body);
		if (!inside_has_time(deadline))
			fail_msg("%u refusals are counted", refused);
		inside_rest();
	}
}

static void expect_answer(struct stage *s, long status)
{
	struct deadline deadline = inside_deadline(SOON_MS);

	while (ask_webhook(s) != status) {
		if (!inside_has_time(deadline))
			fail_msg("the webhooks do not answer %ld", status);
		inside_rest();
	}
}

static void write_certificate(struct stage *s, const char *text)
{
	FILE *file = fopen(cloud_path(s->cloud, "webhook.crt"), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_log(struct stage *s, const char *words)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	bool said = false;

	while (!said) {
		struct text log = {0};

		said = inside_read_file(cloud_path(s->cloud, "propagator.log"), &log) &&
		       log.len > 0 && strstr(log.data, words);
		text_fini(&log);
		if (!said && !inside_has_time(deadline))
			fail_msg("nigh-propagator does not say '%s'", words);
		inside_rest();
	}
}

static void test_a_new_certificate_is_used_without_a_restart(void **state)
{
	struct stage *s = *state;

	expect_answer(s, 405);
	cloud_issue_replica(s->cloud, "webhook", "elsewhere");
	expect_answer(s, 0);
	cloud_issue_replica(s->cloud, "webhook", "localhost");
	expect_answer(s, 405);
	write_certificate(s, "none");
	expect_log(s, "the old certificate stays");
	expect_answer(s, 405);
	/* The API server is answered as before. */
	expect_patch_of_config(s, "{\"spec\":{\"scope\":\"Namespaced\"}}", 403,
	                       "field is immutable");
}

/* --- the program by hand --- */

/* Its exit status; what it says goes to checked.log. */
static int run(struct stage *s, const char *arguments)
{
	char command[1024], log[200];
	int status;

	snprintf(log, sizeof(log), "%s", cloud_path(s->cloud, "checked.log"));
	snprintf(command, sizeof(command), "\"$PROPAGATOR\" %s >%s 2>&1", arguments, log);
	status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_said(struct stage *s, const char *words)
{
	struct text log = {0};

	assert_true(inside_read_file(cloud_path(s->cloud, "checked.log"), &log));
	if (log.len == 0 || !strstr(log.data, words))
		fail_msg("no '%s' in '%s'", words, log.len ? log.data : "");
	text_fini(&log);
}

static void test_options_are_checked_and_printed_without_a_start(void **state)
{
	struct stage *s = *state;
	char arguments[700], file[200], kubeconfig[200], pair[200];
	FILE *out;

	snprintf(file, sizeof(file), "%s", cloud_path(s->cloud, "options.yaml"));
	snprintf(kubeconfig, sizeof(kubeconfig), "%s", cloud_path(s->cloud, "host.kubeconfig"));
	out = fopen(file, "w");
	assert_non_null(out);
	fputs("host: {kubeconfig: host.kubeconfig}\nhttp: '127.0.0.1:9'\n", out);
	fclose(out);
	snprintf(arguments, sizeof(arguments), "-c %s --check", file);
	assert_int_equal(run(s, arguments), 0);
	snprintf(arguments, sizeof(arguments), "--http '[::1]:8' -c %s --print-config", file);
	assert_int_equal(run(s, arguments), 0);
	expect_said(s, "[::1]:8");
	expect_said(s, kubeconfig);
	snprintf(arguments, sizeof(arguments),
	         "-c %s --check --webhook 127.0.0.1:0 --certificate /none --key /none", file);
	assert_int_equal(run(s, arguments), 1);
	expect_said(s, "certificate /none: No such file or directory");
	snprintf(pair, sizeof(pair), "%s", cloud_path(s->cloud, "webhook.key"));
	snprintf(arguments, sizeof(arguments),
	         "-c %s --check --webhook 127.0.0.1:0 --certificate %s --key %s", file,
	         cloud_path(s->cloud, "ca.crt"), pair);
	assert_int_equal(run(s, arguments), 1);
	expect_said(s, "certificate and key cannot be used together");
	/* What a flag says of the host replaces all that the file says of it. */
	snprintf(arguments, sizeof(arguments), "-c %s --kubeconfig /none --check", file);
	assert_int_equal(run(s, arguments), 1);
	snprintf(arguments, sizeof(arguments), "-c %s --webhook 127.0.0.1:0", file);
	assert_int_equal(run(s, arguments), 2);
	expect_said(s, "come together");
	assert_int_equal(run(s, "--check"), 2);
	assert_int_equal(run(s, "-c /none"), 2);
	assert_int_equal(run(s, "--http there --in-cluster"), 2);
}

static void test_it_ends_when_it_is_asked_to(void **state)
{
	struct stage *s = *state;
	struct deadline deadline = inside_deadline(SOON_MS);
	int status;

	kill(s->propagator, SIGTERM);
	while (waitpid(s->propagator, &status, WNOHANG) == 0) {
		if (!inside_has_time(deadline))
			fail_msg("nigh-propagator does not end");
		inside_rest();
	}
	s->propagator = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_definitions_take_and_refuse_what_kubefed_did),
		cmocka_unit_test(test_the_definition_fills_in_a_config),
		cmocka_unit_test(test_the_definition_keeps_the_scope_of_a_config),
		cmocka_unit_test(test_the_definition_checks_the_states_of_a_type),
		cmocka_unit_test(test_the_webhooks_take_and_refuse_what_kubefed_did),
		cmocka_unit_test(test_the_webhook_fills_in_a_config_and_keeps_its_scope),
		cmocka_unit_test(test_what_was_asked_is_counted),
		cmocka_unit_test(test_a_new_certificate_is_used_without_a_restart),
		cmocka_unit_test(test_options_are_checked_and_printed_without_a_start),
		cmocka_unit_test(test_it_ends_when_it_is_asked_to),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
