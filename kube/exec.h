/* exec.h -- a credential plugin (client.authentication.k8s.io), run on the loop.
 *
 * The program gets the process's environment, what its kubeconfig adds and KUBERNETES_EXEC_INFO; nothing on stdin;
 * its stderr goes nowhere, as it may hold secrets.  It has 30 s and 1 MiB of output, then it is killed.  It is
 * always waited for, also after a cancel: the loop must turn until then.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/access.h"
#include "kube/secret.h"

/* What it is told of the cluster when it wants to know (provideClusterInfo); NULL: not set. */
struct kube_exec_cluster {
	const char *server;
	const char *ca; /* PEM */
	const char *server_name;
	const char *proxy;
	bool any_certificate;
};

/* A token, or a certificate with its key, or both. */
struct kube_credential {
	struct kube_secret token;
	struct kube_secret certificate, key; /* PEM */
	int64_t expires_at;                  /* Unix seconds; 0: not said */
};

void kube_credential_fini(struct kube_credential *c);

/* What there is to tell of one; borrowed. */
static inline struct kube_exec_cluster kube_exec_cluster_of(const struct kube_access *a)
{
	return (struct kube_exec_cluster){a->server, a->ca, a->server_name, a->proxy,
	                                  a->any_certificate};
}

struct kube_exec_run;

/* Once, and never from within kube_exec_run().  `got` is good during the call (its secrets may be moved out); on an
 * error NULL, and `why` tells the program's name and how it ended, nothing that it wrote.  The run is gone when this
 * returns; to cancel it from within does nothing. */
typedef void kube_exec_on_done_fn(enum err err, struct kube_credential *got,
                                  const struct reason *why, void *arg);

/* Copies what it needs of `exec` and `cluster` (which may be NULL). */
struct kube_exec_run *kube_exec_run(uv_loop_t *loop, const struct kube_exec *exec,
                                    const struct kube_exec_cluster *cluster,
                                    kube_exec_on_done_fn *on_done, void *arg);
/* Kills the program if it still runs; on_done will not be called.  NULL: nothing. */
void kube_exec_cancel(struct kube_exec_run *run);
/* Another time limit, for tests; before the loop turns. */
void kube_exec_set_timeout(struct kube_exec_run *run, uint64_t timeout_ms);

/* An ExecCredential as a program prints it.  `out` is a zeroed struct; on error nothing is in it.  `why` repeats
 * nothing of the text. */
enum err kube_exec_decode(struct bytes text, const char *api_version, struct kube_credential *out,
                          struct reason *why) MUST_CHECK;

#endif
