/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/federation.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/support/world_inside.h"

enum { STOP_MS = 20000, RUN_WORDS_MOST = 12, SAID_MOST = 1 << 18, STARTS = 3 };

static const char *const names[] = {"gondor", "rohan", "shire", "mordor"};

static const char *const definitions[] = {
	"federatedtypeconfigs",      "kubefedconfigs",           "propagatedversions",
	"clusterpropagatedversions", "federatedservicestatuses", "replicaschedulingpreferences"};

static void write_kubeconfig(struct federation *f)
{
	snprintf(f->kubeconfig, sizeof(f->kubeconfig), "%s",
	         cloud_path(f->cloud, "host.kubeconfig"));
	cluster_kubeconfig(f->host, ADMIN_TOKEN, f->kubeconfig);
	snprintf(f->way, sizeof(f->way), "%s", f->kubeconfig);
}

struct federation *federation_new_bare(unsigned members)
{
	struct federation *f = xcalloc(1, sizeof(*f));

	assert_true(members <= sizeof(names) / sizeof(names[0]));
	f->cloud = cloud_new();
	f->count = members;
	f->host = cluster_new(f->cloud, "host", true);
	for (unsigned i = 0; i < members; i++)
		f->members[i] = cluster_new(f->cloud, names[i], true);
	cluster_await(f->host);
	for (unsigned i = 0; i < members; i++)
		cluster_await(f->members[i]);
	write_kubeconfig(f);
	return f;
}

static void define_kinds(struct federation *f)
{
	char path[80];

	objects_host(f->host);
	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++) {
		snprintf(path, sizeof(path), "deploy/crds/federation/%s.yaml", definitions[i]);
		cluster_apply_file(f->host, path);
	}
}

struct federation *federation_new_alone(unsigned members)
{
	struct federation *f = federation_new_bare(members);

	define_kinds(f);
	return f;
}

/* Each takes seconds of a processor to begin: one begins when the one STARTS before it is ready. */
struct federation *federation_new_many(unsigned members)
{
	struct federation *f = xcalloc(1, sizeof(*f));
	char name[16];

	assert_true(members <= FEDERATION_MEMBERS_MOST);
	f->cloud = cloud_new();
	f->count = members;
	f->host = cluster_new(f->cloud, "host", false);
	for (unsigned i = 0; i < members; i++) {
		snprintf(name, sizeof(name), "c%02u", i);
		f->members[i] = cluster_new(f->cloud, name, false);
		cluster_await(i < STARTS ? f->host : f->members[i - STARTS]);
	}
	for (unsigned i = 0; i < members; i++)
		cluster_await(f->members[i]);
	write_kubeconfig(f);
	define_kinds(f);
	for (unsigned i = 0; i < members; i++)
		objects_join_as_kubefed(f->host, f->members[i], ADMIN_TOKEN);
	return f;
}

struct federation *federation_new(unsigned members)
{
	struct federation *f = federation_new_alone(members);

	for (unsigned i = 0; i < members; i++)
		objects_join_as_kubefed(f->host, f->members[i], ADMIN_TOKEN);
	return f;
}

/* The end of its log goes to where the test's words go, so that a failure can be understood. */
static void show_log(struct federation *f)
{
	char log[32];

	snprintf(log, sizeof(log), "propagator%u", f->runs - 1);
	cloud_show_log(f->cloud, log);
}

void federation_free(struct federation *f)
{
	if (f->runs > 0)
		show_log(f);
	federation_kill(f);
	for (unsigned i = 0; i < f->count; i++)
		if (f->gates[i])
			gate_free(f->gates[i]);
	if (f->host_gate)
		gate_free(f->host_gate);
	cloud_free(f->cloud);
	buffer_fini(&f->said);
	free(f);
}

/* --- gates --- */

struct gate *federation_gate(struct federation *f, unsigned member)
{
	if (!f->gates[member])
		f->gates[member] = gate_new(f->members[member]);
	cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
	              cluster_name(f->members[member]), "{\"spec\":{\"apiEndpoint\":\"%s\"}}",
	              gate_url(f->gates[member]));
	return f->gates[member];
}

struct gate *federation_gate_host(struct federation *f)
{
	FILE *out;

	f->host_gate = gate_new(f->host);
	snprintf(f->way, sizeof(f->way), "%s", cloud_path(f->cloud, "gate.kubeconfig"));
	out = fopen(f->way, "we");
	assert_non_null(out);
	fprintf(out,
	        "apiVersion: v1\nkind: Config\ncurrent-context: gate\n"
	        "clusters: [{name: gate, cluster: {server: \"%s\"}}]\n"
	        "users: [{name: test, user: {token: \"" ADMIN_TOKEN "\"}}]\n"
	        "contexts: [{name: gate, context: {cluster: gate, user: test}}]\n",
	        gate_url(f->host_gate));
	fclose(out);
	return f->host_gate;
}

/* --- nighctl --- */

const char *federation_run(struct federation *f, int status, const char *const *words)
{
	const char *argv[RUN_WORDS_MOST + 4] = {inside_program("NIGHCTL", "build/bin/nighctl")};
	char path[200];
	int out, ended;
	size_t count = 1;
	pid_t pid;

	for (; *words && count < RUN_WORDS_MOST; count++)
		argv[count] = *words++;
	argv[count++] = "--kubeconfig";
	argv[count] = f->kubeconfig;
	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "nighctl.log"));
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	pid = inside_spawn(argv, out);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	buffer_fini(&f->said);
	f->said.len = (size_t)pread(out, buffer_extend(&f->said, SAID_MOST), SAID_MOST - 1, 0);
	f->said.data[f->said.len] = '\0';
	close(out);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		fail_msg("nighctl %s ends with %d, not %d: %s", argv[1],
		         WIFEXITED(ended) ? WEXITSTATUS(ended) : -1, status, f->said.data);
	return (const char *)f->said.data;
}

void federation_expect(struct federation *f, int status, const char *text, const char *const *words)
{
	const char *said = federation_run(f, status, words);

	if (!strstr(said, text))
		fail_msg("nighctl %s does not say '%s' but: %s", words[0], text, said);
}

const char *federation_way_to(struct federation *f, struct cluster *c, const char *token)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "member.kubeconfig"));
	cluster_kubeconfig(c, token, path);
	return path;
}

void federation_join(struct federation *f, struct cluster *member, const char *flag)
{
	federation_expect(f, 0, "is joined",
	                  WORDS("join", cluster_name(member), "--cluster-kubeconfig",
	                        federation_way_to(f, member, ADMIN_TOKEN), flag));
}

void federation_put_settings(struct federation *f, const char *data)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedConfigMap\n"
	              "metadata: {name: settings, namespace: shop}\n"
	              "spec: {template: {data: {%s}}, placement: {clusterSelector: {}}}\n",
	              data);
}

void federation_put_config(struct federation *f, const char *scope)
{
	cluster_apply(f->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedConfig\n"
	              "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	              "spec: {scope: %s, clusterHealthCheck: {period: 1s}}\n",
	              scope);
}

void federation_enable(struct federation *f, const char *name)
{
	federation_expect(f, 0, "is enabled",
	                  (const char *const[]){"federate", "enable", name, NULL});
}

void federation_kind_of_kubefed(struct federation *f)
{
	cluster_patch(
		f->host, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
		"federateddeployments.types.kubefed.io",
		"{\"spec\":{\"versions\":[{\"name\":\"v1beta1\",\"served\":true,\"storage\":true,"
		"\"subresources\":{\"status\":{}},\"schema\":{\"openAPIV3Schema\":{\"type\":"
		"\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"x-kubernetes-preserve-"
		"unknown-fields\":true},\"status\":{\"type\":\"object\",\"properties\":{"
		"\"observedGeneration\":{\"type\":\"integer\"},\"conditions\":{\"type\":\"array\","
		"\"items\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"
		"\"status\":{\"type\":\"string\"},\"reason\":{\"type\":\"string\"},"
		"\"lastUpdateTime\":{\"type\":\"string\"},\"lastTransitionTime\":{\"type\":"
		"\"string\"}}}},\"clusters\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
		"\"properties\":{\"name\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"},"
		"\"remoteStatus\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":"
		"true}}}}}}}}}}]}}");
}

void federation_namespace(struct federation *f, const char *name)
{
	objects_namespace(f->host, name);
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedNamespace\n"
	              "metadata: {name: %s, namespace: %s}\n"
	              "spec: {template: {}, placement: {clusterSelector: {}}}\n",
	              name, name);
}

/* --- the program --- */

void federation_start(struct federation *f)
{
	const char *program = getenv("PROPAGATOR");
	char log[200];
	int out;

	assert_non_null(program);
	snprintf(log, sizeof(log), "propagator%u.log", f->runs++);
	out = open(cloud_path(f->cloud, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	f->propagator = inside_spawn(
		(const char *const[]){program, "--kubeconfig", f->way, "--http", "127.0.0.1:0",
	                              f->publish_sites ? "--publish-sites" : NULL, NULL},
		out);
	close(out);
}

void federation_expect_log(struct federation *f, const char *text, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	struct text log = {0};
	char name[32];

	snprintf(name, sizeof(name), "propagator%u.log", f->runs - 1);
	while (!inside_read_file(cloud_path(f->cloud, name), &log) || log.len == 0 ||
	       !strstr(log.data, text)) {
		if (!inside_has_time(deadline))
			fail_msg("nigh-propagator does not say '%s' within %u ms", text, within_ms);
		inside_rest();
		text_reset(&log);
	}
	text_fini(&log);
}

void federation_kill(struct federation *f)
{
	if (f->propagator == 0)
		return;
	kill(f->propagator, SIGKILL);
	waitpid(f->propagator, NULL, 0);
	f->propagator = 0;
}

void federation_stop(struct federation *f)
{
	struct deadline deadline = inside_deadline(STOP_MS);
	int status;

	kill(f->propagator, SIGTERM);
	while (waitpid(f->propagator, &status, WNOHANG) == 0) {
		if (!inside_has_time(deadline))
			fail_msg("nigh-propagator does not end within %d ms", STOP_MS);
		inside_rest();
	}
	f->propagator = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void federation_be_packaged(struct federation *f)
{
	struct json_object *answer, *status, *token;
	int code = cluster_send(f->host, "POST",
	                        "/api/v1/namespaces/nigh-system/serviceaccounts/"
	                        "nigh-propagator/token",
	                        "application/json",
	                        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":"
	                        "\"TokenRequest\",\"spec\":{}}");

	assert_int_equal(code, 201);
	answer = json_tokener_parse(cluster_body(f->host));
	assert_true(json_object_object_get_ex(answer, "status", &status));
	assert_true(json_object_object_get_ex(status, "token", &token));
	snprintf(f->way, sizeof(f->way), "%s", cloud_path(f->cloud, "account.kubeconfig"));
	cluster_kubeconfig(f->host, json_object_get_string(token), f->way);
	json_object_put(answer);
}

/* --- fixtures --- */

int federation_setup_config_maps(void **state)
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

int federation_teardown(void **state)
{
	federation_free(*state);
	return 0;
}
