/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pods.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/remote.h"
#include "propagator/nighd_pods.h"

static const struct {
	const char *label;
	unsigned port;
} known[] = {[PODS_OF_NIGHD] = {NIGHD_PODS_LABEL, NIGHD_PODS_PORT},
             [PODS_OF_PROPAGATOR] = {"app.kubernetes.io/name=nigh-propagator", 8054}};

/* --- what a PodList says --- */

static void add_pod(const struct nighd_pod *pod, void *arg)
{
	struct pods *out = arg;

	out->list = xreallocarray(out->list, out->count + 1, sizeof(*out->list));
	out->list[out->count++] = (struct pod){.namespace = xstrdup(pod->namespace),
	                                       .name = xstrdup(pod->name),
	                                       .port = pod->port,
	                                       .is_running = pod->is_running,
	                                       .is_ready = pod->is_ready};
}

void pods_decode(enum pods_of whose, struct json_object *list, struct pods *out)
{
	nighd_pods_each(list, known[whose].port, add_pod, out);
}

void pods_fini(struct pods *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->list[i].namespace);
		free(p->list[i].name);
		json_object_put(p->list[i].said);
	}
	free(p->list);
	*p = (struct pods){0};
}

/* --- asking --- */

static enum err list(const struct kube_access *access, enum pods_of whose, const char *namespace,
                     struct pods *out, struct reason *why)
{
	struct json_object *root;
	struct text path = {0};
	enum err err;

	kube_path(&path, &remote_pods, namespace, NULL);
	text_add(&path, "?labelSelector=");
	kube_path_part(&path, bytes_of(known[whose].label));
	err = remote_get(access, path.data, &root, why);
	if (err == ERR_OK)
		pods_decode(whose, root, out);
	json_object_put(root);
	text_fini(&path);
	return err;
}

enum err pods_find(const struct kube_access *access, enum pods_of whose, const char *namespace,
                   struct pods *out, struct reason *why)
{
	enum err err = list(access, whose, namespace, out, why);

	if (err == ERR_DENIED && !namespace) {
		struct reason there = {0};

		namespace = NIGHD_PODS_NAMESPACE;
		err = list(access, whose, namespace, out, &there);
		if (err)
			*why = there;
		if (err == ERR_DENIED)
			reason_prefix(why, "--pods-namespace tells where nighd runs: ");
	}
	if (err)
		return err;
	if (out->count == 0)
		return reason_set(why, ERR_NOTFOUND, "no pod with the label %s in %s%s",
		                  known[whose].label, namespace ? "namespace " : "any namespace",
		                  namespace ? namespace : "");
	return ERR_OK;
}

static void ask(const struct kube_access *access, struct pod *pod, const char *path)
{
	const struct nighd_pod to = {
		.namespace = pod->namespace, .name = pod->name, .port = pod->port};
	struct text url = {0};
	enum err err;

	json_object_put(pod->said);
	pod->why = (struct reason){0};
	nighd_pods_path(&url, &to, path);
	err = remote_get(access, url.data, &pod->said, &pod->why);
	if (err == ERR_OK && !json_object_is_type(pod->said, json_type_object)) {
		json_object_put(pod->said);
		pod->said = NULL;
		reason_set(&pod->why, ERR_PARSE, "the answer is no JSON object; is this nigh?");
	}
	text_fini(&url);
}

void pods_ask_all(const struct kube_access *access, struct pods *p, const char *path,
                  bool only_ready)
{
	for (size_t i = 0; i < p->count; i++) {
		struct pod *pod = &p->list[i];

		if (!pod->is_running)
			reason_set(&pod->why, ERR_UNREACHABLE, "does not run yet");
		else if (only_ready && !pod->is_ready)
			reason_set(&pod->why, ERR_UNREACHABLE, "is not ready");
		else
			ask(access, pod, path);
	}
}
