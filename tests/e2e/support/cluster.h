/* cluster.h -- one cluster of a cloud: a real kube-apiserver, and what can happen to it and in it.
 *
 * In its folder of etcd it is alone; it has an address of its own, 127.8.0.N, so that no client's port is ever in its way when
 * it comes back.  RBAC is on, admission as by default, and the one administrator is the test.
 * A fault ends the test and shows the end of the server's words.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_CLUSTER_H
#define TESTS_E2E_SUPPORT_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cloud;
struct cluster;

/* --- the server --- */
/* Its API server is on its way up (cluster_await()); has_controllers: a kube-controller-manager, too, that makes
 * EndpointSlices, tokens of service accounts, and empties namespaces that go.  The cloud frees it. */
struct cluster *cluster_new(struct cloud *cloud, const char *name, bool has_controllers);
/* Until it is ready; then its controllers begin. */
void cluster_await(struct cluster *c);
/* Controllers of Deployments, StatefulSets, DaemonSets, Jobs and ResourceQuotas besides, until it is killed; there is no kubelet. */
void cluster_run_workloads(struct cluster *c);
/* SIGKILL to the API server, nothing if it is not there; and to its controllers, which else would wait long before they
 * try it again. */
void cluster_kill(struct cluster *c);
void cluster_start(struct cluster *c);   /* again, without waiting; nothing if it runs */
void cluster_restart(struct cluster *c); /* killed, started, awaited */
void cluster_pause(struct cluster *c);   /* SIGSTOP: connections stay, nothing comes */
void cluster_resume(struct cluster *c);
/* From now on there, also without a restart of the server, a certificate for the next for_s seconds (negative: ended). */
void cluster_certificate(struct cluster *c, long for_s);
/* The token of the user "nigh" from the next start on; NULL: none.  At first it is NIGH_TOKEN. */
void cluster_token(struct cluster *c, const char *token);
#define NIGH_TOKEN  "the-token-of-nigh"
#define ADMIN_TOKEN "the-token-of-the-administrator"

const char *cluster_name(const struct cluster *c);
const char *cluster_url(const struct cluster *c); /* "https://127.8.0.N:PORT" */
const char *cluster_ca(const struct cluster *c);  /* PEM */
pid_t cluster_server(const struct cluster *c);    /* its process; 0: it does not run */
/* Writes a kubeconfig with that token to a path. */
void cluster_kubeconfig(struct cluster *c, const char *token, const char *path);
/* Ends the test: these words, then the end of the server's. */
void cluster_fail(struct cluster *c, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* --- requests, as the administrator --- */
/* The status, 0: no answer.  `type` of the body, both NULL: there is none. */
int cluster_send(struct cluster *c, const char *method, const char *path, const char *type,
                 const char *body);
const char *cluster_body(const struct cluster *c); /* of the last answer */
/* Documents of YAML, applied one by one (server-side apply); `status` is written, too, as if it was in a file.  What the server
 * is not ready for (a kind just defined, a namespace without its service account) is tried again. */
void cluster_apply(struct cluster *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cluster_apply_file(struct cluster *c, const char *path);
/* At once, without grace; `api` as in apiVersion: ("v1", "Service", "shop", "web"); namespace "" for none.  What is not
 * there is fine. */
void cluster_delete(struct cluster *c, const char *api, const char *kind, const char *namespace,
                    const char *name);
/* Merges JSON into the object, or into its status alone. */
void cluster_patch(struct cluster *c, const char *api, const char *kind, const char *namespace,
                   const char *name, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void cluster_patch_status(struct cluster *c, const char *api, const char *kind,
                          const char *namespace, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Polls GET path until its body holds `text` (or, with a leading '!', does not) for at most within_ms. */
void cluster_expect(struct cluster *c, const char *path, const char *text, unsigned within_ms);
/* Nobody writes that object for so long: its resourceVersion stays. */
void cluster_expect_unwritten(struct cluster *c, const char *path, unsigned for_ms);

/* Many requests, 32 at a time over one connection, all of which must do well: `fill` writes what number i is. */
struct cluster_request {
	const char *method, *type;
	char path[256], body[1024];
};
typedef void cluster_fill_fn(struct cluster_request *r, unsigned i, void *arg);
void cluster_send_many(struct cluster *c, unsigned count, cluster_fill_fn *fill, void *arg);

#endif
