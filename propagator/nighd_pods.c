/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/nighd_pods.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kube/path.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"

enum { PORT_MOST = 65535 };

static unsigned port_of(struct json_object *pod, unsigned usual)
{
	struct json_object *containers = jsontree_get(pod, "spec", "containers", NULL);

	for (size_t i = 0; i < jsontree_count(containers); i++) {
		struct json_object *ports =
			jsontree_get(jsontree_item(containers, i), "ports", NULL);

		for (size_t n = 0; n < jsontree_count(ports); n++) {
			struct json_object *port = jsontree_item(ports, n);
			int64_t number = jsontree_int(port, 0, "containerPort", NULL);

			if (strcmp(jsontree_word(port, "name", NULL), "http") == 0 && number >= 1 &&
			    number <= PORT_MOST)
				return (unsigned)number;
		}
	}
	return usual;
}

void nighd_pods_each(struct json_object *list, unsigned usual, nighd_pods_on_pod_fn *on_pod,
                     void *arg)
{
	struct json_object *items = jsontree_get(list, "items", NULL);

	for (size_t i = 0; i < jsontree_count(items); i++) {
		struct json_object *pod = jsontree_item(items, i);
		const char *phase = jsontree_word(pod, "status", "phase", NULL);
		const struct nighd_pod is = {
			.namespace = jsontree_word(pod, "metadata", "namespace", NULL),
			.name = jsontree_word(pod, "metadata", "name", NULL),
			.port = port_of(pod, usual),
			.is_running = strcmp(phase, "Running") == 0,
			.is_ready = strcmp(condition_status(pod, "Ready"), "True") == 0,
		};

		if (*is.name && *is.namespace && strcmp(phase, "Succeeded") != 0 &&
		    strcmp(phase, "Failed") != 0 &&
		    !jsontree_get(pod, "metadata", "deletionTimestamp", NULL))
			on_pod(&is, arg);
	}
}

void nighd_pods_path(struct text *out, const struct nighd_pod *pod, const char *path)
{
	static const struct kube_resource pods = {"", "v1", "pods", "Pod"};

	kube_path(out, &pods, pod->namespace, pod->name);
	text_printf(out, ":%u/proxy%s", pod->port, path);
}
