/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/cluster.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/support/world_inside.h"

enum { READY_MS = 90000, YEAR_S = 365 * 24 * 3600, OPTION_ROOM = 300, STARTS_MOST = 5 };

void cluster_fail(struct cluster *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	cloud_show_log(c->cloud, c->name);
	fail();
	abort();
}

/* --- files --- */

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	if (!out || fputs(text, out) < 0 || fclose(out) != 0 || chmod(path, 0644) != 0)
		fail_msg("cannot write %s", path);
}

static const char *path_of(struct cluster *c, const char *ending)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", c->name, ending);
	return cloud_path(c->cloud, file);
}

void cluster_token(struct cluster *c, const char *token)
{
	char text[512];
	int len = snprintf(text, sizeof(text), ADMIN_TOKEN ",administrator,1,\"system:masters\"\n");

	if (token)
		snprintf(text + len, sizeof(text) - (size_t)len, "%s,nigh,2\n", token);
	write_file(path_of(c, "tokens"), text);
}

void cluster_certificate(struct cluster *c, long for_s)
{
	authority_issue(c->cloud->authority, c->name, c->address, for_s);
}

void cluster_kubeconfig(struct cluster *c, const char *token, const char *path)
{
	struct text text = {0};

	text_printf(&text,
	            "apiVersion: v1\n"
	            "kind: Config\n"
	            "current-context: %s\n"
	            "clusters:\n"
	            "- name: %s\n"
	            "  cluster: {server: \"%s\", certificate-authority: \"%s/ca.crt\"}\n"
	            "users:\n"
	            "- name: nigh\n"
	            "  user: {token: \"%s\"}\n"
	            "contexts:\n"
	            "- name: %s\n"
	            "  context: {cluster: %s, user: nigh}\n",
	            c->name, c->name, c->url, c->cloud->dir, token, c->name, c->name);
	write_file(path, text.data);
	text_fini(&text);
}

/* --- processes --- */

/* "--OPTION=FOLDER/FILE", behind what `out` has. */
struct options {
	const char *argv[ARGS_MOST + 1];
	char text[ARGS_MOST][OPTION_ROOM];
	size_t count;
};

static void option(struct options *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void option(struct options *o, const char *fmt, ...)
{
	va_list ap;

	assert_true(o->count < ARGS_MOST);
	va_start(ap, fmt);
	vsnprintf(o->text[o->count], OPTION_ROOM, fmt, ap);
	va_end(ap);
	o->argv[o->count] = o->text[o->count];
	o->count++;
}

static void run_server(struct cluster *c)
{
	struct options *o = xcalloc(1, sizeof(*o));
	const char *dir = c->cloud->dir;

	option(o, "kube-apiserver");
	option(o, "--etcd-servers=http://127.0.0.1:%u", c->cloud->etcd_port);
	option(o, "--etcd-prefix=/%s", c->name);
	option(o, "--bind-address=%s", c->address);
	option(o, "--secure-port=%u", c->port);
	option(o, "--tls-cert-file=%s/%s.crt", dir, c->name);
	option(o, "--tls-private-key-file=%s/%s.key", dir, c->name);
	option(o, "--service-account-issuer=https://kubernetes.default.svc");
	option(o, "--service-account-key-file=%s/accounts.key", dir);
	option(o, "--service-account-signing-key-file=%s/accounts.key", dir);
	option(o, "--token-auth-file=%s/%s.tokens", dir, c->name);
	option(o, "--authorization-mode=RBAC");
	option(o, "--service-cluster-ip-range=10.96.0.0/12");
	/* No machine but this one shall know it. */
	option(o, "--advertise-address=192.0.2.1");
	option(o, "--endpoint-reconciler-type=none");
	c->server = cloud_run(c->cloud, o->argv, c->name);
	free(o);
}

/* `which` of them, under `suffix` of its name. */
static pid_t run_manager(struct cluster *c, const char *suffix, const char *which)
{
	struct options *o = xcalloc(1, sizeof(*o));
	const char *dir = c->cloud->dir;
	char name[64], path[256];
	pid_t pid;

	snprintf(name, sizeof(name), "%s-%s", c->name, suffix);
	snprintf(path, sizeof(path), "%s/%s.kubeconfig", dir, name);
	cluster_kubeconfig(c, ADMIN_TOKEN, path);
	option(o, "kube-controller-manager");
	option(o, "--kubeconfig=%s", path);
	option(o, "--controllers=%s", which);
	option(o, "--use-service-account-credentials=false");
	option(o, "--service-account-private-key-file=%s/accounts.key", dir);
	option(o, "--root-ca-file=%s/ca.crt", dir);
	option(o, "--leader-elect=false");
	option(o, "--secure-port=0");
	option(o, "--kube-api-qps=1000");
	option(o, "--kube-api-burst=2000");
	pid = cloud_run(c->cloud, o->argv, name);
	free(o);
	return pid;
}

static void run_controllers(struct cluster *c)
{
	c->controllers = run_manager(c, "controllers",
	                             "endpointslice-controller,namespace-controller,"
	                             "serviceaccount-controller,serviceaccount-token-controller,"
	                             "garbage-collector-controller");
}

void cluster_run_workloads(struct cluster *c)
{
	c->workloads = run_manager(c, "workloads",
	                           "deployment-controller,replicaset-controller,"
	                           "statefulset-controller,daemonset-controller,job-controller,"
	                           "resourcequota-controller");
}

static void choose_port(struct cluster *c)
{
	c->port = cloud_free_port(c->address);
	snprintf(c->url, sizeof(c->url), "https://%s:%u", c->address, c->port);
}

struct cluster *cluster_new(struct cloud *cloud, const char *name, bool has_controllers)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	assert_true(cloud->count < CLUSTERS_MOST);
	cloud->cluster[cloud->count++] = c;
	c->cloud = cloud;
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->address, sizeof(c->address), "%s.%zu", cloud->network, cloud->count);
	choose_port(c);
	c->has_controllers = has_controllers;
	cluster_certificate(c, YEAR_S);
	cluster_token(c, NIGH_TOKEN);
	run_server(c);
	return c;
}

void cluster_free(struct cluster *c)
{
	cloud_end(&c->workloads);
	cloud_end(&c->controllers);
	cloud_end(&c->server);
	if (c->curl)
		curl_easy_cleanup(c->curl);
	text_fini(&c->body);
	free(c);
}

/* The port may have been taken between the choice and the use: then it is another try. */
void cluster_await(struct cluster *c)
{
	struct deadline deadline = inside_deadline(READY_MS);
	unsigned starts = 0;

	while (cluster_send(c, "GET", "/readyz", NULL, NULL) != 200) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "is not ready after %d ms: %s", READY_MS, c->body.data);
		if (!cloud_lives(&c->server) && starts++ == STARTS_MOST)
			cluster_fail(c, "does not start");
		cluster_start(c);
		inside_rest();
	}
	if (c->has_controllers && !cloud_lives(&c->controllers))
		run_controllers(c);
}

void cluster_start(struct cluster *c)
{
	if (!cloud_lives(&c->server))
		run_server(c);
}

void cluster_kill(struct cluster *c)
{
	c->is_paused = false;
	cloud_end(&c->workloads);
	cloud_end(&c->controllers);
	cloud_end(&c->server);
}

void cluster_restart(struct cluster *c)
{
	cluster_kill(c);
	cluster_start(c);
	cluster_await(c);
}

void cluster_pause(struct cluster *c)
{
	if (c->server && kill(c->server, SIGSTOP) == 0)
		c->is_paused = true;
}

void cluster_resume(struct cluster *c)
{
	if (c->is_paused)
		kill(c->server, SIGCONT);
	c->is_paused = false;
}

const char *cluster_name(const struct cluster *c) { return c->name; }
const char *cluster_url(const struct cluster *c) { return c->url; }
const char *cluster_ca(const struct cluster *c) { return authority_pem(c->cloud->authority); }
pid_t cluster_server(const struct cluster *c) { return c->server; }
