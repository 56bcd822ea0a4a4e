/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/host_writing.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/pause.h"
#include "propagator/plain_json.h"

enum {
	ECHO_MS = 5000, /* until what was written is told by the watch */
	RETRY_FIRST_MS = 5000,
	RETRY_MOST_MS = 60000
};

bool host_writing_may(const struct host_writing *w)
{
	return !w->job && clock_monotonic_ms() >= w->not_before_ms;
}

void host_writing_heard(struct host_writing *w)
{
	w->is_echoed = true;
	if (w->failures == 0)
		w->not_before_ms = 0;
}

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct host_writing *w = arg;
	bool is_gone = w->deletes && answer->reason == KUBE_REASON_NOT_FOUND;

	w->job = NULL;
	if (kube_answer_is_good(answer) || is_gone) {
		w->failures = 0;
		w->not_before_ms = w->is_echoed ? 0 : clock_monotonic_ms() + ECHO_MS;
		w->on_end(NULL, w->deletes ? NULL : answer->object, w->arg);
	} else {
		w->not_before_ms = clock_monotonic_ms() +
		                   pause_doubled(RETRY_FIRST_MS, RETRY_MOST_MS, w->failures++);
		w->on_end(answer->why, NULL, w->arg);
	}
}

static void start(struct host_writing *w, const struct kube_write *write)
{
	w->is_echoed = false;
	w->deletes = write->verb == KUBE_DELETE;
	w->job = dispatch_add(w->dispatch, write, on_written, w);
}

static void merge(struct host_writing *w, struct kube_write *write, struct bytes namespace,
                  struct bytes name, struct json_object *patch)
{
	char *in = text_copy(namespace), *of = text_copy(name);

	write->verb = KUBE_MERGE_PATCH;
	write->namespace = in;
	write->name = of;
	write->field_manager = FIELD_MANAGER;
	write->body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON));
	start(w, write);
	free(in);
	free(of);
}

void host_writing_status(struct host_writing *w, const struct kube_resource *resource,
                         struct bytes namespace, struct bytes name, struct json_object *status)
{
	struct json_object *patch = json_object_new_object();
	struct kube_write write = {.resource = *resource, .subresource = "status"};

	json_object_object_add(patch, "status", status);
	merge(w, &write, namespace, name, patch);
	json_object_put(patch);
}

void host_writing_merge(struct host_writing *w, const struct kube_resource *resource,
                        struct bytes namespace, struct bytes name, struct json_object *patch)
{
	struct kube_write write = {.resource = *resource};

	merge(w, &write, namespace, name, patch);
}

void host_writing_apply(struct host_writing *w, const struct kube_resource *resource,
                        struct json_object *object)
{
	char *namespace = text_copy(object_text(object, "metadata", "namespace", NULL));
	char *name = text_copy(object_text(object, "metadata", "name", NULL));
	const struct kube_write write = {
		.verb = KUBE_APPLY,
		.resource = *resource,
		.namespace = namespace,
		.name = name,
		.field_manager = FIELD_MANAGER,
		.force = true,
		.body = bytes_of(json_object_to_json_string_ext(object, PLAIN_JSON)),
	};

	start(w, &write);
	free(namespace);
	free(name);
}

void host_writing_delete(struct host_writing *w, const struct kube_resource *resource,
                         struct json_object *have)
{
	char *namespace = text_copy(object_text(have, "metadata", "namespace", NULL));
	char *name = text_copy(object_text(have, "metadata", "name", NULL));
	char *uid = text_copy(object_text(have, "metadata", "uid", NULL));
	struct text options = {0};
	struct kube_write write = {
		.verb = KUBE_DELETE,
		.resource = *resource,
		.namespace = namespace,
		.name = name,
	};

	kube_delete_options(&options, "Background", uid, NULL);
	write.body = bytes_of(options.data);
	start(w, &write);
	text_fini(&options);
	free(namespace);
	free(name);
	free(uid);
}
