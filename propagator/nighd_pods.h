/* nighd_pods.h -- the pods that nighd runs in: what a PodList says of them, and how one is asked through an API server.
 *
 * Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_NIGHD_PODS_H
#define PROPAGATOR_NIGHD_PODS_H

#include <stdbool.h>

#include "base/text.h"

struct json_object;

/* As deploy/kubernetes has them. */
#define NIGHD_PODS_LABEL     "app.kubernetes.io/name=nighd"
#define NIGHD_PODS_NAMESPACE "nigh-system"
enum { NIGHD_PODS_PORT = 8053 };

struct nighd_pod {
	const char *namespace, *name; /* borrowed from the list */
	unsigned port;                /* of the container port `http`, else the usual one */
	bool is_running, is_ready;
};
typedef void nighd_pods_on_pod_fn(const struct nighd_pod *pod, void *arg);

/* Those of a PodList that have not ended and are not about to, in its order; `usual`: their port, where none is named. */
void nighd_pods_each(struct json_object *list, unsigned usual, nighd_pods_on_pod_fn *on_pod,
                     void *arg);

/* Appends the path of the API server's proxy for `path` ("/status") of a pod:
 * /api/v1/namespaces/NS/pods/NAME:PORT/proxy/status */
void nighd_pods_path(struct text *out, const struct nighd_pod *pod, const char *path);

#endif
