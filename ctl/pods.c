/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pods.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/fields.h"
#include "ctl/remote.h"

enum { PORT_MOST = 65535 };

static const struct {
	const char *label;
	unsigned port;
} known[] = {[PODS_OF_NIGHD] = {"app.kubernetes.io/name=nighd", 8053},
             [PODS_OF_PROPAGATOR] = {"app.kubernetes.io/name=nigh-propagator", 8054}};

/* --- what a PodList says --- */

static unsigned port_of(enum pods_of whose, struct json_object *spec)
{
	size_t containers = fields_count(spec, "containers");

	for (size_t i = 0; i < containers; i++) {
		struct json_object *container = fields_item(spec, "containers", i);
		size_t ports = fields_count(container, "ports");

		for (size_t n = 0; n < ports; n++) {
			struct json_object *port = fields_item(container, "ports", n);
			uint64_t number = fields_u64(port, "containerPort");

			if (strcmp(fields_text(port, "name"), "http") == 0 && number >= 1 &&
			    number <= PORT_MOST)
				return (unsigned)number;
		}
	}
	return known[whose].port;
}

static bool is_ready(struct json_object *status)
{
	size_t count = fields_count(status, "conditions");

	for (size_t i = 0; i < count; i++) {
		struct json_object *condition = fields_item(status, "conditions", i);

		if (strcmp(fields_text(condition, "type"), "Ready") == 0)
			return strcmp(fields_text(condition, "status"), "True") == 0;
	}
	return false;
}

static void add_pod(enum pods_of whose, struct json_object *pod, struct pods *out)
{
	struct json_object *metadata = fields_find(pod, "metadata");
	struct json_object *status = fields_find(pod, "status");
	const char *phase = fields_text(status, "phase");
	struct pod *to;

	if (!*fields_text(metadata, "name") || !*fields_text(metadata, "namespace") ||
	    fields_find(metadata, "deletionTimestamp") || strcmp(phase, "Succeeded") == 0 ||
	    strcmp(phase, "Failed") == 0)
		return;
	out->list = xreallocarray(out->list, out->count + 1, sizeof(*out->list));
	to = &out->list[out->count++];
	*to = (struct pod){.namespace = xstrdup(fields_text(metadata, "namespace")),
	                   .name = xstrdup(fields_text(metadata, "name")),
	                   .port = port_of(whose, fields_find(pod, "spec")),
	                   .is_running = strcmp(phase, "Running") == 0,
	                   .is_ready = is_ready(status)};
}

void pods_decode(enum pods_of whose, struct json_object *list, struct pods *out)
{
	size_t count = fields_count(list, "items");

	for (size_t i = 0; i < count; i++)
		add_pod(whose, fields_item(list, "items", i), out);
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

		namespace = PODS_NAMESPACE;
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

void pods_ask(const struct kube_access *access, struct pod *pod, const char *path)
{
	struct text url = {0};
	enum err err;

	json_object_put(pod->said);
	pod->why = (struct reason){0};
	kube_path(&url, &remote_pods, pod->namespace, pod->name);
	text_printf(&url, ":%u/proxy%s", pod->port, path);
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
			pods_ask(access, pod, path);
	}
}
