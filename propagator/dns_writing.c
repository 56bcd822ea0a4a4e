/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_writing.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/plain_json.h"

enum {
	ECHO_MS = 5000, /* until what was written is told by the watch */
	RETRY_FIRST_MS = 5000,
	RETRY_MOST_MS = 60000
};

static uint64_t pause_ms(unsigned failures)
{
	uint64_t ms = RETRY_FIRST_MS;

	for (unsigned i = 1; i < failures && ms < RETRY_MOST_MS; i++)
		ms *= 2;
	return ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
}

bool dns_writing_may(const struct dns_writing *w)
{
	return !w->job && clock_monotonic_ms() >= w->not_before_ms;
}

void dns_writing_heard(struct dns_writing *w)
{
	w->is_echoed = true;
	if (w->failures == 0)
		w->not_before_ms = 0;
}

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct dns_writing *w = arg;
	bool is_gone = w->deletes && answer->reason == KUBE_REASON_NOT_FOUND;

	w->job = NULL;
	if (kube_answer_is_good(answer) || is_gone) {
		w->failures = 0;
		w->not_before_ms = w->is_echoed ? 0 : clock_monotonic_ms() + ECHO_MS;
		w->on_end(NULL, w->arg);
	} else {
		w->not_before_ms = clock_monotonic_ms() + pause_ms(++w->failures);
		w->on_end(answer->why, w->arg);
	}
}

static void start(struct dns_writing *w, const struct kube_write *write)
{
	w->is_echoed = false;
	w->deletes = write->verb == KUBE_DELETE;
	w->job = dispatch_add(w->dispatch, write, on_written, w);
}

void dns_writing_status(struct dns_writing *w, const struct kube_resource *resource,
                        struct bytes namespace, struct bytes name, struct json_object *status)
{
	struct json_object *patch = json_object_new_object();
	char *in = text_copy(namespace), *of = text_copy(name);
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = *resource,
		.namespace = in,
		.name = of,
		.subresource = "status",
		.field_manager = FIELD_MANAGER,
	};

	json_object_object_add(patch, "status", status);
	write.body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON));
	start(w, &write);
	json_object_put(patch);
	free(in);
	free(of);
}

void dns_writing_apply(struct dns_writing *w, const struct kube_resource *resource,
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

void dns_writing_delete(struct dns_writing *w, const struct kube_resource *resource,
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
