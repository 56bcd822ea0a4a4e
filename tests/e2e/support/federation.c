/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/federation.h"

#include <ctype.h>
#include <fcntl.h>
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

enum { DEFINED_MS = 30000, STOP_MS = 20000 };

static const char *const names[FEDERATION_MEMBERS_MOST] = {"gondor", "rohan", "shire", "mordor"};

static const char *const definitions[] = {"federatedtypeconfigs", "kubefedconfigs",
                                          "propagatedversions", "clusterpropagatedversions",
                                          "replicaschedulingpreferences"};

struct federation *federation_new(unsigned members)
{
	struct federation *f = xcalloc(1, sizeof(*f));
	char path[80];

	f->cloud = cloud_new();
	f->count = members;
	f->host = cluster_new(f->cloud, "host", true);
	for (unsigned i = 0; i < members; i++)
		f->members[i] = cluster_new(f->cloud, names[i], true);
	cluster_await(f->host);
	for (unsigned i = 0; i < members; i++)
		cluster_await(f->members[i]);
	objects_host(f->host);
	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++) {
		snprintf(path, sizeof(path), "deploy/crds/federation/%s.yaml", definitions[i]);
		cluster_apply_file(f->host, path);
	}
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
	cloud_free(f->cloud);
	free(f);
}

static char *lower(const char *text)
{
	char *out = xstrdup(text);

	for (char *at = out; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return out;
}

static void define(struct federation *f, const char *kind, bool namespaced)
{
	char *small = lower(kind), path[160];

	cluster_apply(f->host,
	              "apiVersion: apiextensions.k8s.io/v1\n"
	              "kind: CustomResourceDefinition\n"
	              "metadata: {name: federated%ss.types.kubefed.io}\n"
	              "spec:\n"
	              "  group: types.kubefed.io\n"
	              "  scope: %s\n"
	              "  names: {kind: Federated%s, listKind: Federated%sList, plural: "
	              "federated%ss, singular: federated%s}\n"
	              "  versions:\n"
	              "  - name: v1beta1\n"
	              "    served: true\n"
	              "    storage: true\n"
	              "    subresources: {status: {}}\n"
	              "    schema:\n"
	              "      openAPIV3Schema:\n"
	              "        type: object\n"
	              "        x-kubernetes-preserve-unknown-fields: true\n",
	              small, namespaced ? "Namespaced" : "Cluster", kind, kind, small, small);
	snprintf(path, sizeof(path),
	         "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
	         "federated%ss.types.kubefed.io",
	         small);
	cluster_expect(f->host, path, "\"type\":\"Established\"", DEFINED_MS);
	free(small);
}

void federation_enable(struct federation *f, const char *name, const char *api_version,
                       const char *kind, bool namespaced)
{
	const char *slash = strchr(api_version, '/');
	const char *scope = namespaced ? "Namespaced" : "Cluster";
	int plural = (int)strcspn(name, ".");
	char *small = lower(kind);

	/* FederatedNamespace lives in the namespace that it is about. */
	define(f, kind, namespaced || strcmp(kind, "Namespace") == 0);
	cluster_apply(
		f->host,
		"apiVersion: core.kubefed.io/v1beta1\n"
		"kind: FederatedTypeConfig\n"
		"metadata: {name: %s, namespace: " FEDERATION "}\n"
		"spec:\n"
		"  propagation: Enabled\n"
		"  targetType: {group: \"%.*s\", version: %s, kind: %s, pluralName: \"%.*s\", "
		"scope: "
		"%s}\n"
		"  federatedType: {group: types.kubefed.io, version: v1beta1, kind: Federated%s, "
		"pluralName: federated%ss, scope: %s}\n",
		name, slash ? (int)(slash - api_version) : 0, api_version,
		slash ? slash + 1 : api_version, kind, plural, name, scope, kind, small,
		namespaced || strcmp(kind, "Namespace") == 0 ? "Namespaced" : "Cluster");
	free(small);
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
	char kubeconfig[200], log[200];
	int out;

	assert_non_null(program);
	snprintf(log, sizeof(log), "propagator%u.log", f->runs++);
	snprintf(kubeconfig, sizeof(kubeconfig), "%s", cloud_path(f->cloud, "host.kubeconfig"));
	cluster_kubeconfig(f->host, ADMIN_TOKEN, kubeconfig);
	out = open(cloud_path(f->cloud, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	f->propagator = inside_spawn((const char *const[]){program, "--kubeconfig", kubeconfig,
	                                                   "--http", "127.0.0.1:0", NULL},
	                             out);
	close(out);
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
