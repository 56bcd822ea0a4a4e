/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/nighds.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/write.h"
#include "propagator/nighd_pods.h"

enum { ASK_MS = 5000, STATUS_MOST = 16 << 20, PODS_MOST = 16 << 20 };

struct replica {
	char *name, *path;
	struct kube_client *client;
};

struct nighds {
	struct nighds_settings settings;
	struct nighds_events events;
	struct kube_client **clients; /* of each URL */
	struct replica replicas[NIGHDS_MOST];
	size_t count, at;            /* of this round; which one is asked */
	struct kube_writing *asking; /* NULL: none */
};

/* --- one after the other --- */

static void drop_replicas(struct nighds *n)
{
	for (size_t i = 0; i < n->count; i++) {
		free(n->replicas[i].name);
		free(n->replicas[i].path);
	}
	n->count = 0;
}

static void ask_next(struct nighds *n);

static void on_status(const struct kube_answer *answer, void *arg)
{
	struct nighds *n = arg;
	const struct replica *is = &n->replicas[n->at];

	n->asking = NULL;
	if (kube_answer_is_good(answer))
		n->events.on_said(is->name, answer->object, n->events.arg);
	else
		n->events.on_silent(is->name, answer->why, n->events.arg);
	n->at++;
	ask_next(n);
}

static void ask_next(struct nighds *n)
{
	struct kube_write get = {
		.verb = KUBE_GET, .deadline_ms = ASK_MS, .answer_most = STATUS_MOST};

	if (n->at == n->count) {
		drop_replicas(n);
		n->events.on_done(n->events.arg);
		return;
	}
	get.path = n->replicas[n->at].path;
	n->asking = kube_write_start(n->replicas[n->at].client, &get, on_status, n);
}

/* --- who they are --- */

/* Takes `path`. */
static void add_replica(struct nighds *n, struct kube_client *client, const char *name, char *path)
{
	CHECK(n->count < NIGHDS_MOST);
	n->replicas[n->count++] = (struct replica){xstrdup(name), path, client};
}

/* Those that are not ready have not read everything, or do not answer: their node may be gone. */
static void on_pod(const struct nighd_pod *pod, void *arg)
{
	struct nighds *n = arg;
	struct text path = {0};

	if (!pod->is_running || !pod->is_ready || n->count == NIGHDS_MOST)
		return;
	nighd_pods_path(&path, pod, "/status");
	add_replica(n, n->settings.host, pod->name, text_take(&path));
}

static void on_pods(const struct kube_answer *answer, void *arg)
{
	struct nighds *n = arg;
	struct text why = {0};

	n->asking = NULL;
	n->at = 0;
	if (kube_answer_is_good(answer))
		nighd_pods_each(answer->object, NIGHD_PODS_PORT, on_pod, n);
	if (!kube_answer_is_good(answer))
		text_printf(&why, "pods of namespace %s cannot be listed: %s",
		            n->settings.namespace, answer->why);
	else if (n->count == 0)
		text_printf(&why,
		            "namespace %s has no pod with the label %s that is ready; "
		            "nighd.namespace and nighd.urls say where nighd is",
		            n->settings.namespace, NIGHD_PODS_LABEL);
	if (why.len > 0)
		n->events.on_silent("", why.data, n->events.arg);
	text_fini(&why);
	ask_next(n);
}

static void list_pods(struct nighds *n)
{
	const struct kube_write list = {
		.verb = KUBE_LIST,
		.resource = {"", "v1", "pods", "Pod"},
		.namespace = n->settings.namespace,
		.labels = NIGHD_PODS_LABEL,
		.deadline_ms = ASK_MS,
		.answer_most = PODS_MOST,
	};

	n->asking = kube_write_start(n->settings.host, &list, on_pods, n);
}

/* --- life --- */

struct nighds *nighds_start(const struct nighds_settings *settings,
                            const struct nighds_events *events)
{
	struct nighds *n = xcalloc(1, sizeof(*n));
	size_t count = settings->urls->count;

	n->settings = *settings;
	n->events = *events;
	n->clients = xcalloc(count + 1, sizeof(struct kube_client *));
	for (size_t i = 0; i < count; i++) {
		struct kube_access access = {0};
		struct reason why = {0};

		CHECK(kube_endpoint_read(settings->urls->item[i], &access.server, &why) == ERR_OK);
		n->clients[i] = kube_client_new(settings->loop, &access);
		kube_access_fini(&access);
	}
	return n;
}

void nighds_stop(struct nighds *n)
{
	kube_write_cancel(n->asking);
	drop_replicas(n);
	for (size_t i = 0; i < n->settings.urls->count; i++)
		kube_client_stop(n->clients[i], NULL, NULL);
	free(n->clients);
	free(n);
}

void nighds_ask(struct nighds *n)
{
	const struct conf_strings *urls = n->settings.urls;

	CHECK(!n->asking);
	if (urls->count == 0) {
		list_pods(n);
		return;
	}
	for (size_t i = 0; i < urls->count; i++)
		add_replica(n, n->clients[i], urls->item[i], xstrdup("/status"));
	n->at = 0;
	ask_next(n);
}
