/* object_host.c -- what is written to the host about a federated object: its finalizer, its status, what is recorded of its
 * copies.  One write at a time; a few changes are put together.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/field_manager.h"
#include "propagator/pause.h"
#include "propagator/plain_json.h"
#include "propagator/schedule.h"
#include "propagator/version.h"

#define FINALIZER "kubefed.io/sync-controller"

enum {
	TOGETHER_MS = 1000, /* as long as something is under way; else at once */
	SETTLE_MS = 2000,   /* between two statuses of an object */
	SHOWN_MS = 5000,    /* as long it may take until what was written is seen */
	AGAIN_FIRST_MS = 500,
	AGAIN_MOST_MS = 60000,
	TERSE_MS = 600000,
	/* Of a federated object with the statuses of its copies: etcd takes 1.5 MiB, and there is more in it (managedFields, what
	 * is said of each cluster). */
	WHOLE_MOST = 1 << 20
};

/* --- requests --- */

/* `resource` NULL: the federated object itself. */
static void submit(struct object *o, struct kube_write *write, const struct kube_resource *resource,
                   const char *name, struct json_object *body, kube_on_answer_fn *on_answer)
{
	struct controller *c = o->controller;
	struct bytes namespace, own_name;
	char *own;

	cache_split_key(o->key, &namespace, &own_name);
	own = text_copy(namespace);
	write->resource = resource ? *resource : c->federated;
	write->namespace = namespace.len > 0 ? own : NULL;
	if (write->verb != KUBE_CREATE)
		write->name = name ? name : (const char *)own_name.data;
	write->field_manager = FIELD_MANAGER;
	write->body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	o->host_job = dispatch_add(c->around.dispatch, write, on_answer, o);
	free(own);
}

static uint64_t pause_of(unsigned failures)
{
	return pause_doubled(AGAIN_FIRST_MS, AGAIN_MOST_MS, failures);
}

static void complain(const struct object *o, const struct kube_answer *answer, const char *what)
{
	if (answer->reason != KUBE_REASON_CONFLICT && answer->reason != KUBE_REASON_NOT_FOUND &&
	    answer->reason != KUBE_REASON_ALREADY_EXISTS)
		log_warn("propagator", "%s %s: %s: %s", o->controller->type.federated.kind, o->key,
		         what, answer->why);
}

/* Of a write to the federated object itself.  A conflict is another state of it, which comes, and ends the pause. */
static void end(struct object *o, const struct kube_answer *answer, const char *what)
{
	uint64_t pause = SHOWN_MS;

	o->host_job = NULL;
	if (kube_answer_is_good(answer)) {
		o->host_failures = 0;
	} else {
		complain(o, answer, what);
		pause = pause_of(o->host_failures++);
	}
	o->host_again_ms = clock_monotonic_ms() + pause;
	controller_enqueue(o);
}

static uint64_t revision_of(struct json_object *federated)
{
	return hash_fixed(object_text(federated, "metadata", "resourceVersion", NULL));
}

/* Whether it may be written over this state of it; an alarm is set if not. */
static bool may_write(struct object *o, struct json_object *federated)
{
	uint64_t now_ms = clock_monotonic_ms(), revision = revision_of(federated);

	if (o->host_job)
		return false;
	if (o->host_over == revision && o->host_again_ms > now_ms) {
		controller_alarm(o, o->host_again_ms - now_ms);
		return false;
	}
	o->host_over = revision;
	return true;
}

/* --- the finalizer --- */

static struct json_object *finalizers_of(struct json_object *federated)
{
	struct json_object *metadata, *list;

	if (!json_object_object_get_ex(federated, "metadata", &metadata) ||
	    !json_object_object_get_ex(metadata, "finalizers", &list) ||
	    !json_object_is_type(list, json_type_array))
		return NULL;
	return list;
}

static bool is_ours(struct json_object *finalizer)
{
	const char *text = json_object_get_string(finalizer);

	return text && strcmp(text, FINALIZER) == 0;
}

bool object_has_finalizer(struct json_object *federated)
{
	struct json_object *list = finalizers_of(federated);

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (is_ours(json_object_array_get_idx(list, i)))
			return true;
	return false;
}

static void on_finalizer(const struct kube_answer *answer, void *arg)
{
	end(arg, answer, "its finalizer cannot be written");
}

/* The list is written as a whole, over the very state that was read. */
static void write_finalizers(struct object *o, struct json_object *federated, bool with_ours)
{
	struct json_object *list = finalizers_of(federated), *now = json_object_new_array();
	struct json_object *patch = json_object_new_object(), *metadata = json_object_new_object();
	struct bytes revision = object_text(federated, "metadata", "resourceVersion", NULL);
	struct kube_write write = {.verb = KUBE_MERGE_PATCH};

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (!is_ours(json_object_array_get_idx(list, i)))
			json_object_array_add(now,
			                      json_object_get(json_object_array_get_idx(list, i)));
	if (with_ours)
		json_object_array_add(now, json_object_new_string(FINALIZER));
	json_object_object_add(metadata, "finalizers", now);
	json_object_object_add(
		metadata, "resourceVersion",
		json_object_new_string_len((const char *)revision.data, (int)revision.len));
	json_object_object_add(patch, "metadata", metadata);
	submit(o, &write, NULL, NULL, patch, on_finalizer);
	json_object_put(patch);
}

void object_add_finalizer(struct object *o, struct json_object *federated)
{
	if (may_write(o, federated))
		write_finalizers(o, federated, true);
}

void object_drop_finalizer(struct object *o, struct json_object *federated)
{
	if (may_write(o, federated))
		write_finalizers(o, federated, false);
}

/* --- what is recorded --- */

static void on_version(const struct kube_answer *answer, void *arg);

/* Without its status, which a creation leaves out. */
static void make_version(struct object *o)
{
	struct kube_write write = {.verb = KUBE_CREATE};

	submit(o, &write, versions_resource(&o->controller->type), NULL, o->host_body, on_version);
	json_object_put(o->host_body);
	o->host_body = NULL;
}

static void on_version(const struct kube_answer *answer, void *arg)
{
	struct object *o = arg;
	bool is_good = kube_answer_is_good(answer);

	if (is_good || answer->reason == KUBE_REASON_ALREADY_EXISTS)
		o->version_stored = true;
	else if (answer->reason == KUBE_REASON_NOT_FOUND)
		o->version_stored = false;
	if (answer->reason == KUBE_REASON_NOT_FOUND && o->host_body) {
		make_version(o);
		return;
	}
	o->host_job = NULL;
	json_object_put(o->host_body);
	o->host_body = NULL;
	o->version_dirty |= !is_good || answer->status == 201;
	if (is_good) {
		o->version_failures = 0;
	} else {
		complain(o, answer, "what is recorded of its copies cannot be written");
		o->version_again_ms = clock_monotonic_ms() + pause_of(o->version_failures++);
	}
	controller_enqueue(o);
}

static bool may_write_version(struct object *o)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (o->version_failures == 0 || o->version_again_ms <= now_ms)
		return true;
	controller_alarm(o, o->version_again_ms - now_ms);
	return false;
}

static void write_version(struct object *o, struct json_object *federated)
{
	const struct controller *c = o->controller;
	struct json_object *patch = version_patch(&o->version);
	struct kube_write write = {.verb = KUBE_MERGE_PATCH, .subresource = "status"};
	struct bytes namespace, name;
	char *full;

	cache_split_key(o->key, &namespace, &name);
	full = version_name(&c->type, (const char *)name.data);
	o->version_dirty = false;
	o->host_body = version_object(&c->type, federated, &o->version);
	if (o->version_stored)
		submit(o, &write, versions_resource(&c->type), full, patch, on_version);
	else
		make_version(o);
	json_object_put(patch);
	free(full);
}

/* --- status --- */

static struct json_object *status_of(struct json_object *federated)
{
	struct json_object *status = NULL;

	json_object_object_get_ex(federated, "status", &status);
	return status;
}

/* The API server says the first, etcd the second. */
static bool is_too_large(const struct kube_answer *answer)
{
	return answer->reason == KUBE_REASON_TOO_LARGE ||
	       (answer->reason != KUBE_REASON_NONE && strstr(answer->message, "too large"));
}

/* What is beside the status leaves room for so much in it; of a small one it need not be known exactly. */
static size_t remote_most(const struct object *o, struct json_object *federated)
{
	const char *text = cache_find(o->controller->objects_on_host, o->key);
	size_t rest = text ? strlen(text) : 0;

	if (o->terse_ms > clock_monotonic_ms())
		return 1;
	if (rest > WHOLE_MOST / 4 && status_of(federated))
		rest -= strlen(json_object_to_json_string_ext(status_of(federated), PLAIN_JSON));
	return rest < WHOLE_MOST ? WHOLE_MOST - rest : 1;
}

static void on_status(const struct kube_answer *answer, void *arg)
{
	struct object *o = arg;

	if (is_too_large(answer))
		o->terse_ms = clock_monotonic_ms() + TERSE_MS;
	if (kube_answer_is_good(answer))
		o->stored_status = status_hash(status_of(answer->object));
	else
		o->wrote_status = 0;
	end(o, answer, "its status cannot be written");
}

/* `out`; NULL: it is not known. */
static const struct schedule_excess *excess_of(const struct object *o, struct schedule_excess *out)
{
	const struct controller_around *a = &o->controller->around;

	*out = (struct schedule_excess){0};
	return !a->excess || a->excess(o->controller, o->key, out, a->arg) ? out : NULL;
}

static struct json_object *make_status(struct object *o, struct json_object *federated)
{
	struct status_cluster *clusters = xcalloc(o->part_count, sizeof(*clusters));
	struct schedule_excess excess;
	struct status_about about = {
		.clusters = clusters,
		.remote_most = remote_most(o, federated),
		.excess = excess_of(o, &excess),
		.updated = o->updated,
		.now = clock_unix_s(),
	};
	struct health *health = xcalloc(o->part_count, sizeof(*health));
	struct json_object *metadata, *status;

	if (json_object_object_get_ex(federated, "metadata", &metadata))
		about.generation = object_number(metadata, "generation", 0);
	for (size_t i = 0; i < o->part_count; i++) {
		const struct part *p = o->parts[i];
		const struct copy *copy = controller_copy(o->controller, p->cluster, o->key);
		bool is_shown = copy && o->controller->collected;

		if (!p->is_listed)
			continue;
		clusters[about.cluster_count++] = (struct status_cluster){
			.name = p->cluster,
			.state = p->state,
			.remote_status = is_shown ? copy->remote_status : NULL,
			.is_status_left_out = is_shown && copy->is_status_left_out,
			.message = p->why,
			.health = object_health(p, &health[i]) ? &health[i] : NULL,
		};
	}
	if (o->placement_failed)
		about.reason = STATUS_COMPUTE_PLACEMENT_FAILED;
	else if (o->namespace_missing)
		about.reason = STATUS_NAMESPACE_NOT_FEDERATED;
	status = status_make(status_of(federated), &about);
	free(clusters);
	free(health);
	return status;
}

/* A CRD that does not know a field prunes it: what was written is not what is read then, and is not written again. */
static bool was_just_written(const struct object *o, struct json_object *federated,
                             struct json_object *status)
{
	return !o->updated && o->wrote_status == status_hash(status) &&
	       o->stored_status == status_hash(status_of(federated));
}

static void write_status(struct object *o, struct json_object *status)
{
	struct json_object *patch = json_object_new_object();
	struct kube_write write = {.verb = KUBE_MERGE_PATCH, .subresource = "status"};

	json_object_object_add(patch, "status", json_object_get(status));
	o->wrote_status = status_hash(status);
	o->told_ms = clock_monotonic_ms();
	o->updated = false;
	o->controller->counts.status_writes++;
	submit(o, &write, NULL, NULL, patch, on_status);
	json_object_put(patch);
}

/* --- all of it --- */

static bool is_busy(const struct object *o)
{
	for (size_t i = 0; i < o->part_count; i++)
		if (o->parts[i]->job)
			return true;
	return false;
}

/* While something is under way what is to be said is held back for a while, as it will soon be more. */
static bool may_wait(struct object *o)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (o->unsaid_ms == 0)
		o->unsaid_ms = now_ms;
	if (!is_busy(o) || now_ms - o->unsaid_ms >= TOGETHER_MS)
		return false;
	controller_alarm(o, o->unsaid_ms + TOGETHER_MS - now_ms);
	return true;
}

/* The first is written at once, what comes after it settles. */
static bool is_too_soon(struct object *o)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (o->told_ms == 0 || now_ms - o->told_ms >= SETTLE_MS)
		return false;
	controller_alarm(o, o->told_ms + SETTLE_MS - now_ms);
	return true;
}

void object_tell(struct object *o, struct json_object *federated, const struct wish *wish)
{
	struct json_object *status;

	if (o->host_job || may_wait(o))
		return;
	o->unsaid_ms = 0;
	/* With a wrong placement nothing was sent, so there is nothing to be recorded. */
	if (o->version_dirty && !wish->is_deleting && !o->placement_failed &&
	    may_write_version(o)) {
		write_version(o, federated);
		return;
	}
	status = make_status(o, federated);
	if (status && !was_just_written(o, federated, status) && !is_too_soon(o) &&
	    may_write(o, federated))
		write_status(o, status);
	json_object_put(status);
}
