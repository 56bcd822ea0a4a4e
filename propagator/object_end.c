/* object_end.c -- what is taken away: an object from a member where it is no more to be (deleted, or released, which is KubeFed's
 * label alone), a federated object once it is gone from all, and what is managed without one.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>

#include "base/clock.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/deletion.h"
#include "propagator/jsontree.h"
#include "propagator/version.h"

enum { VERIFY_MS = 5000 }; /* until it is asked again whether what still was there has gone */

/* --- from a member --- */

static void note_gone(struct part *p)
{
	if (version_find(&p->object->version, p->cluster)) {
		version_put(&p->object->version, p->cluster, NULL);
		p->object->version_dirty = true;
	}
	object_note_done(p);
	p->object->controller->counts.deleted++;
}

/* The object, or, of one that is gone at once, a Status. */
static struct bytes uid_of_answer(const struct kube_answer *answer)
{
	struct bytes uid = object_text(answer->object, "metadata", "uid", NULL);

	return uid.len > 0 ? uid : object_text(answer->object, "details", "uid", NULL);
}

static void on_answer_of_delete(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	if (answer->reason == KUBE_REASON_CONFLICT) {
		object_meet_conflict(p, answer, STATE_DELETION_FAILED);
		return;
	}
	if (!kube_answer_is_good(answer) && answer->reason != KUBE_REASON_NOT_FOUND) {
		object_fail(p, answer, STATE_DELETION_FAILED, STATE_DELETION_TIMED_OUT,
		            "DeleteInClusterFailed", "Failed to delete");
		return;
	}
	note_gone(p);
	object_set_state(p, STATE_WAITING_FOR_REMOVAL, NULL);
	object_tell_host(p, false, "DeleteInCluster", "Deleting", "");
	if (kube_answer_is_good(answer))
		object_tell_member(p, DEED_DELETED, uid_of_answer(answer), "");
	object_end_step(p);
}

/* What is deleted is what was seen: not what somebody has made there since, or has taken the label from. */
static void add_preconditions(const struct part *p, struct json_object *options)
{
	const struct copy *copy =
		controller_copy(p->object->controller, p->cluster, p->object->key);

	if (!copy || jsontree_get(options, "preconditions", NULL))
		return;
	jsontree_set(options, json_object_new_string(copy->uid), "preconditions", "uid", NULL);
	jsontree_set(options, json_object_new_string(copy->resource_version), "preconditions",
	             "resourceVersion", NULL);
}

/* What they say may be to spare what a deletion without them takes along. */
static void refuse_options(struct part *p, const char *why)
{
	object_set_state(p, STATE_DELETION_FAILED, why);
	object_tell_host(p, true, "DeleteInClusterFailed", "Failed to delete", why);
	object_hold_back(p);
}

void object_delete(struct part *p, const struct wish *w)
{
	struct kube_write write = {.verb = KUBE_DELETE};
	struct json_object *options = NULL;
	struct reason why;

	/* Only where the federated object itself goes. */
	if (!w->is_deleting) {
		options = json_object_new_object();
	} else if (deletion_options(w->federated, &options, &why) != ERR_OK) {
		refuse_options(p, why.text);
		return;
	}
	add_preconditions(p, options);
	object_send_json(p, &write, options, on_answer_of_delete);
	json_object_put(options);
}

static void on_answer_of_unlabel(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	if (!kube_answer_is_good(answer) && answer->reason != KUBE_REASON_NOT_FOUND) {
		object_fail(p, answer, STATE_LABEL_REMOVAL_FAILED, STATE_LABEL_REMOVAL_TIMED_OUT,
		            "RemoveManagedLabelFromInClusterFailed", "Failed to release");
		return;
	}
	note_gone(p);
	object_set_state(p, STATE_FINE, NULL);
	object_tell_host(p, false, "RemoveManagedLabelFromInCluster", "Releasing", "");
	if (kube_answer_is_good(answer))
		object_tell_member(p, DEED_RELEASED, uid_of_answer(answer), "");
	object_end_step(p);
}

void object_unlabel(struct part *p)
{
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.body = bytes_of("{\"metadata\":{\"labels\":{\"" RENDER_LABEL "\":null}}}"),
	};

	object_submit(p, &write, on_answer_of_unlabel);
}

static void on_answer_of_verify(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;
	struct bytes label = {0};

	if (kube_answer_is_good(answer))
		label = object_text(answer->object, "metadata", "labels", RENDER_LABEL, NULL);
	if (answer->reason == KUBE_REASON_NOT_FOUND ||
	    (kube_answer_is_good(answer) && !bytes_equal_text(label, "true"))) {
		p->is_verified = true;
		object_end_step(p);
	} else if (kube_answer_is_good(answer)) {
		object_set_state(p, STATE_WAITING_FOR_REMOVAL, NULL);
		p->again_ms = clock_monotonic_ms() + VERIFY_MS;
		controller_alarm(p->object, VERIFY_MS);
		object_end_step(p);
	} else {
		object_fail(p, answer, STATE_RETRIEVAL_FAILED, STATE_RETRIEVAL_FAILED,
		            "DeleteInClusterFailed", "Failed to see whether there still is");
	}
}

static void verify(struct part *p)
{
	struct kube_write write = {.verb = KUBE_GET};

	object_submit(p, &write, on_answer_of_verify);
}

void object_drop_record(struct object *o, const char *cluster)
{
	const struct controller *c = o->controller;
	const struct site *s = controller_site(c, cluster);
	const struct member *m = members_find(c->around.members, cluster);

	if (!s || !m->is_ready || !cache_is_synced(s->copies) ||
	    !version_find(&o->version, cluster))
		return;
	version_put(&o->version, cluster, NULL);
	o->version_dirty = true;
}

/* --- the end of a federated object --- */

/* Whether nothing of it is left there: not in the cache, and not when its server is asked. */
static bool is_gone_from(struct part *p, const struct wish *w)
{
	const struct controller *c = p->object->controller;
	const struct member *m = members_find(c->around.members, p->cluster);
	uint64_t now_ms = clock_monotonic_ms();

	/* What is orphaned and comes back later is nobody's, and loses its label then. */
	if (!m->is_ready && w->end == PLAN_END_ORPHAN)
		return true;
	if (p->job)
		return false;
	if (!m->is_ready) {
		p->is_listed = true;
		object_set_state(p, STATE_CLUSTER_NOT_READY, NULL);
		return false;
	}
	if (controller_copy(c, p->cluster, p->object->key))
		return false;
	if (p->is_verified)
		return true;
	p->is_listed = true;
	if (p->again_ms <= now_ms)
		verify(p);
	else
		controller_alarm(p->object, p->again_ms - now_ms);
	return false;
}

bool object_is_all_gone(struct object *o, const struct wish *w)
{
	const struct members *members = o->controller->around.members;
	bool gone = true;

	for (size_t i = 0; i < members_count(members); i++) {
		const char *name = members_at(members, i)->name;
		struct part *p = object_part(o, name);

		if (placement_has(&w->placement, name) || version_find(&o->version, name) ||
		    (p && (p->job || controller_copy(o->controller, name, o->key))))
			gone &= is_gone_from(p ? p : object_need_part(o, name), w);
	}
	return gone;
}

/* --- managed objects without a federated one --- */

void object_look_at_orphans(struct object *o)
{
	struct controller *c = o->controller;
	const struct wish wish = {.is_deleting = true, .end = PLAN_END_ORPHAN};
	bool any = false;

	if (!cache_is_synced(c->objects_on_host))
		return;
	for (size_t i = 0; i < c->site_count; i++) {
		const char *name = c->sites[i]->member->name;

		if (object_is_ignored(o) || !controller_copy(c, name, o->key))
			continue;
		any = true;
		object_look_at_part(object_need_part(o, name), &wish);
	}
	/* What waits for one that is gone is not waited for: there may be ever new ones of other names. */
	for (size_t i = 0; i < o->part_count; i++) {
		if (!any && o->parts[i]->job && dispatch_is_waiting(o->parts[i]->job))
			object_end_part(o->parts[i]);
		any |= o->parts[i]->job != NULL;
	}
	if (!any && !o->host_job && !o->turn.lane)
		controller_forget(o);
}
