/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/kubefed.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/e2e/support/cluster_inside.h"
#include "tests/support/world_inside.h"

enum { STOP_MS = 30000 };

#define LOG "kubefed"

/* --- the host --- */

static void apply_chart(struct cluster *host, const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/hyperfed.%s.yaml", getenv("KUBEBUILDER_ASSETS"), file);
	cluster_apply_file(host, path);
}

/* As the chart's values make it, but for the delays. */
static void configure(struct cluster *host)
{
	cluster_apply(host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedConfig\n"
	              "metadata: {name: kubefed, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  scope: Cluster\n"
	              "  controllerDuration: {availableDelay: 1s, unavailableDelay: 1s, "
	              "cacheSyncTimeout: 5m}\n"
	              "  leaderElect: {leaseDuration: 15s, renewDeadline: 10s, retryPeriod: 1s, "
	              "resourceLock: configmaps}\n"
	              "  clusterHealthCheck: {period: 1s, timeout: 3s, failureThreshold: 3, "
	              "successThreshold: 1}\n"
	              "  syncController: {maxConcurrentReconciles: 1, adoptResources: Enabled}\n"
	              "  statusController: {maxConcurrentReconciles: 1}\n"
	              "  featureGates:\n"
	              "  - {name: PushReconciler, configuration: Enabled}\n"
	              "  - {name: SchedulerPreferences, configuration: Enabled}\n");
}

/* --- kubefedctl --- */

static void add_cluster(struct text *out, struct cluster *c)
{
	text_printf(
		out,
		"- {name: %s, cluster: {server: \"%s\", certificate-authority: \"%s/ca.crt\"}}\n",
		c->name, c->url, c->cloud->dir);
}

/* kubefedctl joins a context of the kubeconfig that knows the host, too. */
static void write_contexts(struct federation *f, const char *path)
{
	struct text text = {0};
	FILE *out = fopen(path, "we");

	text_add(&text, "apiVersion: v1\nkind: Config\ncurrent-context: host\nclusters:\n");
	add_cluster(&text, f->host);
	for (unsigned i = 0; i < f->count; i++)
		add_cluster(&text, f->members[i]);
	text_add(&text, "users: [{name: admin, user: {token: " ADMIN_TOKEN "}}]\ncontexts:\n");
	text_add(&text, "- {name: host, context: {cluster: host, user: admin}}\n");
	for (unsigned i = 0; i < f->count; i++)
		text_printf(&text, "- {name: %s, context: {cluster: %s, user: admin}}\n",
		            f->members[i]->name, f->members[i]->name);
	assert_non_null(out);
	assert_true(fputs(text.data, out) >= 0 && fclose(out) == 0);
	text_fini(&text);
}

static void join(struct federation *f, struct cluster *member, const char *contexts)
{
	const char *const argv[] = {"hyperfed",
	                            "kubefedctl",
	                            "join",
	                            member->name,
	                            "--kubeconfig",
	                            contexts,
	                            "--host-cluster-context=host",
	                            "--kubefed-namespace=" FEDERATION,
	                            "--v=2",
	                            NULL};
	int status;
	pid_t pid = cloud_run(f->cloud, argv, "kubefedctl");

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		cloud_show_log(f->cloud, "kubefedctl");
		fail_msg("kubefedctl cannot join %s", member->name);
	}
}

void kubefed_init_alone(struct kubefed *k, unsigned members)
{
	*k = (struct kubefed){.f = federation_new_bare(members)};
	objects_namespace(k->f->host, FEDERATION);
	apply_chart(k->f->host, "kinds");
	apply_chart(k->f->host, "types");
	configure(k->f->host);
}

void kubefed_init(struct kubefed *k, unsigned members)
{
	kubefed_init_alone(k, members);
	snprintf(k->contexts, sizeof(k->contexts), "%s", cloud_path(k->f->cloud, "contexts"));
	write_contexts(k->f, k->contexts);
	for (unsigned i = 0; i < members; i++)
		join(k->f, k->f->members[i], k->contexts);
}

void kubefed_free(struct kubefed *k)
{
	cloud_end(&k->webhook);
	cloud_end(&k->manager);
	federation_free(k->f);
}

/* --- the manager --- */

void kubefed_start(struct kubefed *k)
{
	char kubeconfig[220];
	const char *const argv[] = {"hyperfed",
	                            "controller-manager",
	                            kubeconfig,
	                            "--kubefed-namespace=" FEDERATION,
	                            "--healthz-addr=127.0.0.1:0",
	                            "--metrics-addr=127.0.0.1:0",
	                            "--v=2",
	                            NULL};

	snprintf(kubeconfig, sizeof(kubeconfig), "--kubeconfig=%s", k->f->kubeconfig);
	k->manager = cloud_run(k->f->cloud, argv, LOG);
}

void kubefed_stop(struct kubefed *k)
{
	struct deadline deadline = inside_deadline(STOP_MS);

	kill(k->manager, SIGTERM);
	while (cloud_lives(&k->manager)) {
		if (!inside_has_time(deadline))
			fail_msg("KubeFed's manager does not end within %d ms", STOP_MS);
		inside_rest();
	}
}

void kubefed_show_log(struct kubefed *k) { cloud_show_log(k->f->cloud, LOG); }
