/* object_step.c -- what is done in a member, step by step, and what its answers mean; object_end.c takes away.
 *
 * Created or updated: apply (-> look, if there is one -> apply) (-> take over -> apply) (-> look -> replace).
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
#include "propagator/jsontree.h"
#include "propagator/member_ceiling.h"
#include "propagator/pause.h"
#include "propagator/plain_json.h"
#include "propagator/takeover.h"
#include "propagator/version.h"

enum {
	AGAIN_FIRST_MS = 5000, /* KubeFed's */
	AGAIN_MOST_MS = 60000,
	CONFLICT_FIRST_MS = 200, /* what it conflicts with will soon be seen */
	BEHIND_MS =
		5000, /* as long a cache may be behind an answer; then it is looked at as it is */
	REPAIR_FIRST_MS = 1000, /* the pause after the second repair in a row; doubled each time */
	REPAIR_MOST_MS = 300000,
	REPAIR_CALM_MS = 600000 /* without a repair they do not count as in a row */
};

/* What an apply says that must make the object anew: there is none of this version, so it conflicts with any that exists, and
 * where there is none a server pays no heed to it.  What it makes is ours as by any other apply. */
#define VERSION_OF_NONE "1"

static void on_answer_of_apply(const struct kube_answer *answer, void *arg);
static bool may_take(struct part *p, struct json_object *existing);
static void look(struct part *p);

/* --- requests --- */

void object_submit(struct part *p, struct kube_write *write, kube_on_answer_fn *on_answer)
{
	struct controller *c = p->object->controller;
	struct bytes namespace, name;
	char *own;

	cache_split_key(p->object->key, &namespace, &name);
	own = text_copy(namespace);
	write->resource = c->target;
	write->namespace = c->type.target.namespaced ? own : NULL;
	write->name = write->verb == KUBE_CREATE ? NULL : (const char *)name.data;
	write->field_manager = FIELD_MANAGER;
	p->job =
		dispatch_add(controller_site(c, p->cluster)->member->dispatch, write, on_answer, p);
	free(own);
}

void object_send_json(struct part *p, struct kube_write *write, struct json_object *body,
                      kube_on_answer_fn *on_answer)
{
	write->body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	object_submit(p, write, on_answer);
}

/* --- preconditions --- */

/* What is applied holds for that version only; NULL: for any, also for none. */
static void set_precondition(struct part *p, const char *version)
{
	struct json_object *metadata = jsontree_get(p->body, "metadata", NULL);

	if (version)
		json_object_object_add(metadata, "resourceVersion",
		                       json_object_new_string(version));
	else
		json_object_object_del(metadata, "resourceVersion");
}

/* It has just been written as `object` shows it: what held for the version before that holds for this. */
static void renew_precondition(struct part *p, struct json_object *object)
{
	if (jsontree_get(p->body, "metadata", "resourceVersion", NULL))
		set_precondition(p, jsontree_word(object, "metadata", "resourceVersion", NULL));
}

/* --- how it ended --- */

void object_set_state(struct part *p, enum state state, const char *why)
{
	p->state = state;
	free(p->why);
	p->why = why && why[0] != '\0' ? xstrdup(why) : NULL;
}

void object_end_step(struct part *p)
{
	p->job = NULL;
	json_object_put(p->body);
	p->body = NULL;
	if (p->is_late)
		controller_enqueue(p->object);
	else
		controller_alarm_soon(p->object);
	p->is_late = false;
}

static struct bytes uid_of(const struct part *p)
{
	const struct copy *copy =
		controller_copy(p->object->controller, p->cluster, p->object->key);

	return bytes_of(copy ? copy->uid : "");
}

/* What the member itself decides, as its admission and its rights do, is of interest there. */
static bool is_refusal(const struct kube_answer *answer)
{
	return answer->err == ERR_OK &&
	       (answer->reason == KUBE_REASON_FORBIDDEN || answer->reason == KUBE_REASON_INVALID ||
	        answer->reason == KUBE_REASON_BAD_REQUEST);
}

void object_fail(struct part *p, const struct kube_answer *answer, enum state failed,
                 enum state timed_out, const char *event, const char *what)
{
	uint64_t pause = pause_doubled(AGAIN_FIRST_MS, AGAIN_MOST_MS, p->failures++);

	if (p->failures == 1 && is_refusal(answer))
		object_tell_member(p, DEED_REFUSED, uid_of(p), answer->why);
	object_set_state(p, answer->err == ERR_TIMEOUT ? timed_out : failed, answer->why);
	if (answer->retry_after_ms > 0 && answer->retry_after_ms < pause)
		pause = answer->retry_after_ms;
	p->again_ms = clock_monotonic_ms() + pause;
	controller_alarm(p->object, pause);
	object_tell_host(p, true, event, what, answer->why);
	object_end_step(p);
}

static void hold_back(struct part *p, uint64_t first_ms)
{
	uint64_t pause = pause_doubled(first_ms, AGAIN_MOST_MS, p->failures++);

	p->again_ms = clock_monotonic_ms() + pause;
	controller_alarm(p->object, pause);
	object_end_step(p);
}

void object_hold_back(struct part *p) { hold_back(p, AGAIN_FIRST_MS); }

void object_meet_conflict(struct part *p, const struct kube_answer *answer, enum state failed)
{
	enum { NOTHING_YET = 3 };

	if (p->failures >= NOTHING_YET)
		object_set_state(p, failed, answer->why);
	hold_back(p, CONFLICT_FIRST_MS);
}

static void fail_write(struct part *p, const struct kube_answer *answer)
{
	/* What was found there is updated. */
	if (p->step == PLAN_CREATE && p->deed == DEED_CREATED)
		object_fail(p, answer, STATE_CREATION_FAILED, STATE_CREATION_TIMED_OUT,
		            "CreateInClusterFailed", "Failed to create");
	else
		object_fail(p, answer, STATE_UPDATE_FAILED, STATE_UPDATE_TIMED_OUT,
		            "UpdateInClusterFailed", "Failed to update");
}

static void forget_rival(struct part *p)
{
	free(p->rival);
	p->rival = NULL;
}

/* After a while without any the next repair is the first in a row. */
static void heed_calm(struct part *p)
{
	if (clock_monotonic_ms() - p->repaired_ms <= REPAIR_CALM_MS)
		return;
	p->repairs = 0;
	forget_rival(p);
}

/* The next repair waits, the longer the more there were in a row. */
static void note_repair(struct part *p)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!p->is_repair)
		return;
	p->repaired_ms = now_ms;
	if (p->repairs++ == 0)
		return;
	p->again_ms = now_ms + pause_doubled(REPAIR_FIRST_MS, REPAIR_MOST_MS, p->repairs - 2);
}

static uint64_t made_of(const struct object *o)
{
	const struct version_hashes *h = &o->version.hashes;

	return hash_mix(hash_fixed(bytes_of(h->template_hash)),
	                hash_fixed(bytes_of(h->overrides_hash)));
}

/* Not of what was so already: who leads next writes again what the last leader did not record. */
static void tell_deed(const struct part *p, struct json_object *object)
{
	const char *why = p->deed == DEED_REPAIRED && p->rival ? p->rival : "";

	if (copy_revision_of(object) != p->over)
		object_tell_member(p, p->deed, object_text(object, "metadata", "uid", NULL), why);
}

void object_note_done(struct part *p)
{
	p->failures = 0;
	p->again_ms = 0;
	p->behind_ms = clock_monotonic_ms() + BEHIND_MS;
	p->object->updated = true;
}

static void succeed(struct part *p, struct json_object *object)
{
	struct object *o = p->object;
	char version[VERSION_ROOM];

	object_note_done(p);
	p->judged = 0;
	if (version_of(object, version)) {
		/* What is asked for may be something else since this was sent. */
		version_put(&o->version, p->cluster,
		            p->made_of == made_of(o) ? version : VERSION_OLD);
		o->version_dirty = true;
	}
	p->written = copy_number_of(object);
	controller_saw(o->controller, p->cluster, o->key, object);
	o->controller->counts.applied++;
	object_set_state(p, STATE_FINE, NULL);
	if (p->step == PLAN_CREATE)
		object_tell_host(p, false, "CreateInCluster", "Creating", "");
	else
		object_tell_host(p, false, "UpdateInCluster", "Updating", "");
	tell_deed(p, object);
	note_repair(p);
	object_end_step(p);
}

/* --- replace --- */

static void on_answer_of_replace(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	p->by_replace = kube_answer_is_good(answer);
	if (p->by_replace)
		succeed(p, answer->object);
	else if (answer->reason == KUBE_REASON_ALREADY_EXISTS)
		object_meet_conflict(p, answer, STATE_CREATION_FAILED);
	else
		fail_write(p, answer);
}

/* What the member has to say of it is kept. */
static void replace(struct part *p, struct json_object *existing)
{
	const struct controller *c = p->object->controller;
	const struct site *site = controller_site(c, p->cluster);
	struct json_object *federated = object_federated(p->object), *whole = NULL;
	struct kube_write write = {.verb = KUBE_REPLACE};
	struct render render = {0};
	struct reason why = {0};
	bool retained = false;
	enum err err = ERR_GONE;

	if (federated)
		err = render_build(&c->type, federated, &render, &why);
	if (err == ERR_OK)
		err = render_over(&c->type, &render, federated, p->cluster, existing, &whole,
		                  &retained, &why);
	/* The federated object may be a newer one than was looked at. */
	if (err == ERR_OK && !member_ceiling_allows(site->member->ceiling, &c->type, whole, &why)) {
		object_refuse(p, why.text);
		object_end_step(p);
	} else if (err == ERR_OK) {
		object_send_json(p, &write, whole, on_answer_of_replace);
	} else {
		object_set_state(
			p, retained ? STATE_APPLY_OVERRIDES_FAILED : STATE_FIELD_RETENTION_FAILED,
			why.text);
		object_hold_back(p);
	}
	json_object_put(whole);
	render_fini(&render);
	json_object_put(federated);
}

static void on_answer_before_replace(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;
	struct kube_write write = {.verb = KUBE_CREATE};

	if (kube_answer_is_good(answer)) {
		if (may_take(p, answer->object))
			replace(p, answer->object);
	} else if (answer->reason == KUBE_REASON_NOT_FOUND) {
		set_precondition(p, NULL);
		json_object_object_del(jsontree_get(p->body, "metadata", NULL), "uid");
		object_send_json(p, &write, p->body, on_answer_of_replace);
	} else {
		fail_write(p, answer);
	}
}

static void begin_replace(struct part *p)
{
	struct kube_write write = {.verb = KUBE_GET};

	object_submit(p, &write, on_answer_before_replace);
}

/* --- apply --- */

/* By force, but where it must be said who else writes it. */
static void apply(struct part *p)
{
	struct kube_write write = {.verb = KUBE_APPLY, .force = !p->asks_whose};

	if (p->by_replace)
		begin_replace(p);
	else
		object_send_json(p, &write, p->body, on_answer_of_apply);
}

/* Whether it was done or somebody else was faster: it is applied once more. */
static void on_answer_of_takeover(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	p->took_over = kube_answer_is_good(answer) || answer->reason == KUBE_REASON_FORBIDDEN ||
	               answer->reason == KUBE_REASON_INVALID;
	if (answer->reason == KUBE_REASON_CONFLICT) {
		object_meet_conflict(p, answer, STATE_UPDATE_FAILED);
		return;
	}
	if (!kube_answer_is_good(answer))
		log_warn("propagator", "%s %s in cluster %s: KubeFed's fields stay KubeFed's: %s",
		         p->object->controller->type.target.kind, p->object->key, p->cluster,
		         answer->why);
	if (kube_answer_is_good(answer)) {
		renew_precondition(p, answer->object);
		if (p->deed != DEED_ADOPTED)
			p->deed = DEED_TOOK_OVER;
	}
	if (p->took_over)
		apply(p);
	else
		fail_write(p, answer);
}

static bool begin_takeover(struct part *p, struct json_object *object)
{
	struct kube_write write = {.verb = KUBE_JSON_PATCH};
	struct json_object *patch = p->took_over ? NULL : takeover_patch(object, FIELD_MANAGER);

	p->took_over = true;
	if (!patch)
		return false;
	renew_precondition(p, object);
	object_send_json(p, &write, patch, on_answer_of_takeover);
	json_object_put(patch);
	return true;
}

/* What cannot be applied may be replaced: the schema of apply is stricter than the API (a list with one key twice). */
static bool may_be_replaced(const struct kube_answer *answer)
{
	return answer->err == ERR_OK && (answer->reason == KUBE_REASON_INVALID ||
	                                 answer->reason == KUBE_REASON_BAD_REQUEST ||
	                                 answer->reason == KUBE_REASON_INTERNAL_ERROR ||
	                                 answer->reason == KUBE_REASON_UNSUPPORTED_MEDIA_TYPE);
}

/* It is not the one that was seen: a server says 409 where there is none, and 422 where there is another. */
static bool is_another(const struct kube_answer *answer)
{
	for (size_t i = 0; i < answer->cause_count; i++)
		if (strcmp(answer->causes[i].field, "metadata.uid") == 0)
			return true;
	return false;
}

/* "kubectl-edit sets .spec.replicas"; false: it is another conflict. */
static bool know_rival(struct part *p, const struct kube_answer *answer)
{
	const struct kube_cause *first = answer->causes;
	struct text rival = {0};

	if (answer->reason != KUBE_REASON_CONFLICT || answer->cause_count == 0 ||
	    first->manager[0] == '\0')
		return false;
	text_printf(&rival, "%s sets %s", first->manager, first->field);
	if (answer->cause_count > 1)
		text_printf(&rival, " and %zu more", answer->cause_count - 1);
	forget_rival(p);
	p->rival = text_take(&rival);
	return true;
}

static void on_answer_of_apply(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	bool was_to_be_new = p->is_to_be_new, asked_whose = p->asks_whose;

	p->is_to_be_new = p->asks_whose = false;
	if (asked_whose && know_rival(p, answer)) {
		apply(p);
	} else if (!kube_answer_is_good(answer)) {
		if (answer->reason == KUBE_REASON_CONFLICT && was_to_be_new)
			look(p);
		else if (answer->reason == KUBE_REASON_CONFLICT || is_another(answer))
			object_meet_conflict(p, answer, STATE_UPDATE_FAILED);
		else if (may_be_replaced(answer)) {
			log_info("propagator", "%s %s in cluster %s is replaced, not applied: %s",
			         p->object->controller->type.target.kind, p->object->key,
			         p->cluster, answer->why);
			begin_replace(p);
		} else
			fail_write(p, answer);
	} else if (!begin_takeover(p, answer->object)) {
		succeed(p, answer->object);
	}
}

/* --- create --- */

static void adopt_replicas(struct part *p, struct json_object *existing)
{
	struct json_object *replicas = jsontree_get(existing, "spec", "replicas", NULL);

	if (json_object_is_type(replicas, json_type_int) &&
	    json_object_is_type(jsontree_get(p->body, "spec", NULL), json_type_object))
		jsontree_set(p->body, json_object_get(replicas), "spec", "replicas", NULL);
}

/* There is one that is not in the cache, as it does not bear the label: may it be made ours?  If not, the step has ended. */
static bool may_take(struct part *p, struct json_object *existing)
{
	const struct controller *c = p->object->controller;
	struct bytes label = object_text(existing, "metadata", "labels", RENDER_LABEL, NULL);
	struct bytes uid = object_text(existing, "metadata", "uid", NULL);
	struct bytes namespace, name;
	char *own_uid = text_copy(uid);
	bool is_hosts;

	cache_split_key(p->object->key, &namespace, &name);
	is_hosts = type_is_namespaces(&c->type) &&
	           c->around.is_hosts_namespace(name, own_uid, c->around.arg);
	free(own_uid);
	p->over = copy_revision_of(existing);
	p->deed = DEED_UPDATED;
	if (bytes_equal_text(label, "true"))
		return true;
	if (bytes_equal_text(label, "false")) {
		object_set_state(p, STATE_MANAGED_LABEL_FALSE, NULL);
	} else if (!c->around.settings->adopt_resources && !is_hosts) {
		object_set_state(p, STATE_ALREADY_EXISTS,
		                 "it exists, and adoptResources is Disabled");
	} else {
		p->deed = DEED_ADOPTED;
		object_tell_host(p, false, "AdoptInCluster", "Adopting", "");
		return true;
	}
	p->again_ms = clock_monotonic_ms() + AGAIN_MOST_MS;
	controller_alarm(p->object, AGAIN_MOST_MS);
	object_end_step(p);
	return false;
}

/* As it was looked at, and not as somebody may make it meanwhile. */
static void meet(struct part *p, struct json_object *existing)
{
	if (!may_take(p, existing))
		return;
	if (p->retains)
		adopt_replicas(p, existing);
	set_precondition(p, jsontree_word(existing, "metadata", "resourceVersion", NULL));
	apply(p);
}

static void on_answer_of_look(const struct kube_answer *answer, void *arg)
{
	struct part *p = arg;

	if (kube_answer_is_good(answer))
		meet(p, answer->object);
	else if (answer->reason == KUBE_REASON_NOT_FOUND) /* it has gone meanwhile */
		object_meet_conflict(p, answer, STATE_CREATION_FAILED);
	else
		fail_write(p, answer);
}

static void look(struct part *p)
{
	struct kube_write write = {.verb = KUBE_GET};

	object_submit(p, &write, on_answer_of_look);
}

/* One that somebody else has made, at this moment perhaps, must not be taken unseen. */
static void create(struct part *p)
{
	p->is_to_be_new = true;
	set_precondition(p, VERSION_OF_NONE);
	apply(p);
}

/* --- begin --- */

void object_step(struct part *p, const struct wish *wish, enum plan_step step, enum state state,
                 struct json_object *desired)
{
	const char *recorded = version_find(&p->object->version, p->cluster);

	if (p->asked != wish->asked)
		p->failures = 0;
	p->step = step;
	p->asked = wish->asked;
	p->made_of = made_of(p->object);
	p->is_late = false;
	p->body = desired;
	p->behind_ms = 0;
	p->written = 0;
	p->retains = render_retains_replicas(&wish->render, wish->federated, p->cluster);
	p->is_repair = step == PLAN_UPDATE && recorded && strcmp(recorded, VERSION_OLD) != 0;
	p->over = p->before;
	p->deed = step == PLAN_CREATE ? DEED_CREATED : p->is_repair ? DEED_REPAIRED : DEED_UPDATED;
	/* What has failed and is tried again is as it was until there is an answer. */
	if (p->failures == 0)
		object_set_state(p, state, NULL);
	p->is_to_be_new = false;
	heed_calm(p);
	/* Once, when it is changed for the second time. */
	p->asks_whose = p->is_repair && p->repairs > 0 && !p->rival;
	if (step == PLAN_CREATE)
		create(p);
	else if (step == PLAN_UPDATE)
		apply(p);
	else if (step == PLAN_DELETE)
		object_delete(p, wish);
	else if (step == PLAN_UNLABEL)
		object_unlabel(p);
}
