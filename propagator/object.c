/* object.c -- one federated object: what is to be done about it in each cluster, and what has to be known before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/jsontree.h"
#include "propagator/member_ceiling.h"
#include "propagator/sorted.h"
#include "propagator/version.h"

enum { UNSURE_MOST_MS = 10000, LISTING_MOST_MS = 20000 };

/* --- parts --- */

static const char *name_at(const void *list, size_t i)
{
	return ((struct part *const *)list)[i]->cluster;
}

static size_t place_of(const struct object *o, const char *cluster, bool *found)
{
	return sorted_place(o->parts, o->part_count, name_at, cluster, found);
}

struct part *object_part(const struct object *o, const char *cluster)
{
	bool found;
	size_t at = place_of(o, cluster, &found);

	return found ? o->parts[at] : NULL;
}

struct part *object_need_part(struct object *o, const char *cluster)
{
	bool found;
	size_t at = place_of(o, cluster, &found);
	struct part *p;

	if (found)
		return o->parts[at];
	p = xcalloc(1, sizeof(*p));
	p->object = o;
	p->cluster = xstrdup(cluster);
	o->parts = xreallocarray(o->parts, o->part_count + 1, sizeof(struct part *));
	memmove(&o->parts[at + 1], &o->parts[at], (o->part_count - at) * sizeof(struct part *));
	o->parts[at] = p;
	o->part_count++;
	return p;
}

void object_end_part(struct part *p)
{
	dispatch_cancel(p->job);
	dispatch_cancel(p->asking);
	json_object_put(p->body);
	p->job = p->asking = NULL;
	p->body = NULL;
}

static void free_part(struct part *p)
{
	object_end_part(p);
	free(p->cluster);
	free(p->why);
	free(p->rival);
	free(p->cause);
	free(p);
}

/* Of clusters that are no members any more. */
static void drop_strangers(struct object *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->part_count; i++) {
		struct part *p = o->parts[i];

		if (members_find(o->controller->around.members, p->cluster)) {
			o->parts[kept++] = p;
			continue;
		}
		if (version_find(&o->version, p->cluster)) {
			version_put(&o->version, p->cluster, NULL);
			o->version_dirty = true;
		}
		free_part(p);
	}
	o->part_count = kept;
}

/* --- one cluster --- */

static const struct member_ceiling *ceiling_of(const struct part *p)
{
	return members_find(p->object->controller->around.members, p->cluster)->ceiling;
}

static uint64_t judgement_of(const struct part *p, const struct wish *w, const struct copy *copy,
                             const char *recorded)
{
	uint64_t on = hash_mix(w->asked, member_ceiling_revision(ceiling_of(p)));

	return hash_mix(on, hash_mix(hash_fixed(bytes_of(copy->resource_version)),
	                             hash_fixed(bytes_of(recorded ? recorded : ""))));
}

/* Neither a hash nor a version tells that replicas which were retained are to be retained no more.  They are sent once: whoever
 * changes them on their way there is not fought. */
static bool has_its_replicas(const struct part *p, const struct wish *w, const struct copy *copy,
                             struct json_object *desired)
{
	struct json_object *replicas = jsontree_get(desired, "spec", "replicas", NULL);

	return (p->asked == w->asked && p->failures == 0) || copy->replicas < 0 ||
	       render_retains_replicas(&w->render, w->federated, p->cluster) ||
	       !json_object_is_type(replicas, json_type_int) ||
	       json_object_get_int64(replicas) == copy->replicas;
}

/* Does the copy differ from what was left there, or does it lack what it should bear? */
static bool is_current(struct part *p, const struct wish *w, const struct copy *copy,
                       struct json_object *desired)
{
	const char *recorded = version_find(&p->object->version, p->cluster);

	if (!recorded || strcmp(recorded, copy->version) != 0)
		return false;
	if (strncmp(recorded, "gen:", 4) == 0 && !copy_has_marks(copy, desired))
		return false;
	if (!has_its_replicas(p, w, copy, desired))
		return false;
	p->judged = judgement_of(p, w, copy, recorded);
	return true;
}

static bool was_judged_current(const struct part *p, const struct wish *w, const struct copy *copy)
{
	const char *recorded = version_find(&p->object->version, p->cluster);

	return recorded && p->judged == judgement_of(p, w, copy, recorded);
}

/* What it should be there; NULL: it cannot be made, and the part says why. */
static struct json_object *desired_for(struct part *p, const struct wish *w)
{
	struct json_object *desired = NULL;
	struct reason why = {0};

	if (!w->can_render)
		object_set_state(p, STATE_COMPUTE_RESOURCE_FAILED, w->why.text);
	else if (render_for(&w->render, w->federated, p->cluster, &desired, &why) != ERR_OK)
		object_set_state(p, STATE_APPLY_OVERRIDES_FAILED, why.text);
	return desired;
}

/* The same, but for what the cluster does not let be pushed. */
static struct json_object *allowed_for(struct part *p, const struct wish *w)
{
	struct json_object *desired = desired_for(p, w);
	struct reason why = {0};

	if (!desired ||
	    member_ceiling_allows(ceiling_of(p), &p->object->controller->type, desired, &why))
		return desired;
	object_refuse(p, why.text);
	json_object_put(desired);
	return NULL;
}

/* Retained replicas are those of the copy: to leave them out of what is applied would give them up. */
static void retain_replicas(const struct part *p, const struct wish *w, const struct copy *copy,
                            struct json_object *desired)
{
	if (!render_retains_replicas(&w->render, w->federated, p->cluster) || !copy ||
	    copy->replicas < 0 ||
	    !json_object_is_type(jsontree_get(desired, "spec", NULL), json_type_object))
		return;
	jsontree_set(desired, json_object_new_int64(copy->replicas), "spec", "replicas", NULL);
	/* Somebody may be scaling it at this moment. */
	jsontree_set(desired, json_object_new_string(copy->resource_version), "metadata",
	             "resourceVersion", NULL);
}

/* What is changed is what was seen: not what somebody else has made there since it went. */
static void hold_to(const struct copy *copy, struct json_object *desired)
{
	if (copy && copy->uid[0] != '\0')
		jsontree_set(desired, json_object_new_string(copy->uid), "metadata", "uid", NULL);
}

/* Of what nobody asked for when it was seen nobody knows how many there are: it is looked at, like what is adopted. */
static bool hides_replicas(const struct part *p, const struct wish *w, const struct copy *copy,
                           bool is_drift)
{
	return copy->is_bare && render_retains_replicas(&w->render, w->federated, p->cluster) &&
	       !copy->deleting && !(is_drift && w->reports_drift);
}

static struct plan_about about_part(const struct part *p, const struct wish *w,
                                    const struct copy *copy)
{
	const struct controller *c = p->object->controller;
	const struct member *m = members_find(c->around.members, p->cluster);
	const struct site *s = controller_site(c, p->cluster);
	const char *recorded = version_find(&p->object->version, p->cluster);
	bool placed = !w->is_deleting && placement_has(&w->placement, p->cluster);
	bool is_drift = recorded && strcmp(recorded, VERSION_OLD) != 0;
	struct bytes namespace, name;

	cache_split_key(p->object->key, &namespace, &name);
	return (struct plan_about){
		.placed = placed,
		.is_ready = m->is_ready && m->client,
		.is_seen = s && cache_is_synced(s->copies) && member_ceiling_is_known(m->ceiling),
		.has_copy = copy && !(placed && hides_replicas(p, w, copy, is_drift)),
		.is_deleting = copy && copy->deleting,
		.is_hosts = copy && type_is_namespaces(&c->type) &&
	                    c->around.is_hosts_namespace(name, copy->uid, c->around.arg),
		.is_drift = is_drift,
		.reports_drift = w->reports_drift,
		.end = w->end,
	};
}

/* Neither its server nor its copies have been heard of yet: no reason to say that something is wrong.  Of one that has been
 * listing for long there is, or the status of each new object would wait for it. */
static bool is_unsure(const struct part *p)
{
	const struct controller *c = p->object->controller;
	const struct member *m = members_find(c->around.members, p->cluster);
	const struct site *s = controller_site(c, p->cluster);

	return !m->is_known || (m->is_ready && s && !cache_is_sighted(s->copies) &&
	                        clock_monotonic_ms() - s->began_ms < LISTING_MOST_MS);
}

static bool same_kind(enum plan_step a, enum plan_step b)
{
	return a == b || (a == PLAN_CREATE && b == PLAN_UPDATE) ||
	       (a == PLAN_UPDATE && b == PLAN_CREATE);
}

/* It was done, and the cache has not heard of it yet. */
static bool is_behind(const struct part *p, const struct copy *copy)
{
	uint64_t now_ms = clock_monotonic_ms(), is = copy_revision(copy);

	if (p->behind_ms <= now_ms)
		return false;
	if (p->step == PLAN_DELETE || p->step == PLAN_UNLABEL || p->written == 0)
		return is == p->before;
	return !copy || copy_number(copy) < p->written;
}

/* What was applied for what is asked has not come yet, or just has: there is nothing to be compared. */
static bool is_just_done(struct part *p, const struct wish *w, const struct copy *copy)
{
	const char *recorded = version_find(&p->object->version, p->cluster);

	if (p->asked != w->asked || !same_kind(p->step, PLAN_UPDATE) || p->failures > 0 ||
	    p->written == 0)
		return false;
	if (is_behind(p, copy)) {
		controller_alarm(p->object, p->behind_ms - clock_monotonic_ms());
		return true;
	}
	if (copy && recorded && copy_number(copy) == p->written &&
	    p->under == member_ceiling_revision(ceiling_of(p)))
		p->judged = judgement_of(p, w, copy, recorded);
	return false;
}

static void tell_of_rival(struct part *p)
{
	struct text why = {0};

	text_printf(&why, "%s again and again; it is set right after a pause",
	            p->rival ? p->rival : "something changes it");
	object_set_state(p, STATE_DRIFTED, why.data);
	text_fini(&why);
}

/* That step is not to be taken now; an alarm is set. */
static bool is_held_back(struct part *p, const struct wish *w, enum plan_step step,
                         const struct copy *copy)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!same_kind(step, p->step) || p->asked != w->asked)
		return false;
	if (is_behind(p, copy)) {
		controller_alarm(p->object, p->behind_ms - now_ms);
		return true;
	}
	if (p->again_ms <= now_ms)
		return false;
	controller_alarm(p->object, p->again_ms - now_ms);
	if (step == PLAN_UPDATE && p->repairs > 0 && p->failures == 0)
		tell_of_rival(p);
	return true;
}

static const char *why_unseen(const struct part *p)
{
	const struct site *s = controller_site(p->object->controller, p->cluster);
	enum kube_sight sight;
	const char *why;

	return s && !cache_is_seen(s->copies, &sight, &why) ? why : NULL;
}

static void take(struct part *p, const struct wish *w, const struct plan *plan,
                 const struct copy *copy, struct json_object *desired)
{
	if (plan->step == PLAN_NOTHING && plan->state == STATE_DRIFTED && p->state != STATE_DRIFTED)
		object_tell_member(p, DEED_DRIFTED, bytes_of(copy->uid),
		                   "nigh.dev/drift-policy is report");
	if (plan->step == PLAN_NOTHING)
		object_set_state(p, plan->state,
		                 plan->state == STATE_CACHED_RETRIEVAL_FAILED ? why_unseen(p)
		                                                              : NULL);
	else if (!is_held_back(p, w, plan->step, copy)) {
		if (desired) {
			hold_to(copy, desired);
			retain_replicas(p, w, copy, desired);
		}
		p->before = copy_revision(copy);
		p->under = member_ceiling_revision(ceiling_of(p));
		object_step(p, w, plan->step, plan->state, desired);
		desired = NULL;
	}
	json_object_put(desired);
}

void object_look_at_part(struct part *p, const struct wish *w)
{
	struct object *o = p->object;
	const struct copy *copy = controller_copy(o->controller, p->cluster, o->key);
	struct plan_about about = about_part(p, w, copy);
	struct json_object *desired = NULL;
	struct plan plan;

	p->is_verified &= w->is_deleting;
	o->is_unsure |= about.placed && is_unsure(p);
	p->is_late |= p->job && p->asked != w->asked;
	if (p->job || (about.placed && about.is_ready && is_just_done(p, w, copy)))
		return;
	if (about.placed && copy && was_judged_current(p, w, copy)) {
		about.is_current = true;
	} else if (about.placed && about.is_ready && about.is_seen) {
		desired = allowed_for(p, w);
		p->is_listed = true;
		if (!desired)
			return;
		about.is_current = copy && is_current(p, w, copy, desired);
	}
	plan = plan_for(&about);
	p->is_listed = plan.is_listed;
	take(p, w, &plan, copy, desired);
}

/* --- all of it --- */

struct json_object *object_federated(const struct object *o)
{
	return controller_federated(o->controller, o->key);
}

/* What is recorded of it, once. */
static bool know_version(struct object *o)
{
	const struct controller *c = o->controller;
	struct bytes namespace, name;
	const struct version *stored;

	if (!versions_are_known(c->around.versions))
		return false;
	cache_split_key(o->key, &namespace, &name);
	if (!o->version_known) {
		stored = versions_find(c->around.versions, &c->type, namespace, name);
		if (stored) {
			o->version.hashes = stored->hashes;
			for (size_t i = 0; i < stored->count; i++)
				version_put(&o->version, stored->copies[i].cluster,
				            stored->copies[i].version);
		}
		o->version_stored = stored != NULL;
		o->version_known = true;
	}
	return true;
}

/* Hashes that are others make void what is recorded. */
static void heed_hashes(struct object *o, struct json_object *federated)
{
	struct version_hashes hashes = version_hash(federated);

	if (version_hashes_equal(&o->version.hashes, &hashes))
		return;
	version_rehash(&o->version, &hashes);
	o->version_dirty = true;
}

bool object_is_ignored(const struct object *o)
{
	static const char *const ignored[] = {"kube-system", "kube-public", "default"};
	const struct controller *c = o->controller;
	struct bytes namespace, name;

	if (!type_is_namespaces(&c->type))
		return false;
	cache_split_key(o->key, &namespace, &name);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (bytes_equal_text(namespace, ignored[i]))
			return true;
	return bytes_equal_text(namespace, c->around.namespace);
}

/* A FederatedNamespace is about the namespace that it is in; another name would be another's namespace. */
static bool has_good_name(struct object *o, struct json_object *federated)
{
	const struct controller *c = o->controller;
	struct bytes namespace, name;
	uint64_t revision = hash_fixed(object_text(federated, "metadata", "uid", NULL));
	const struct events_about about = {
		.object = federated, .component = c->component, .warning = true};

	cache_split_key(o->key, &namespace, &name);
	if (!type_is_namespaces(&c->type) || bytes_equal(namespace, name))
		return true;
	if (o->warned != revision)
		events_tell(c->around.events, &about, "InvalidName",
		            "The name of a %s must be that of its namespace",
		            c->type.federated.kind);
	o->warned = revision;
	return false;
}

/* Another object of the same name knows nothing of the one before it. */
static void know_uid(struct object *o, struct json_object *federated)
{
	uint64_t uid = hash_fixed(object_text(federated, "metadata", "uid", NULL));

	if (o->uid == uid)
		return;
	if (o->uid != 0) {
		o->wrote_status = 0;
		o->version_dirty = true;
		o->warned = 0;
	}
	o->uid = uid;
}

/* Which namespaces are the host's own must be known before any is deleted. */
static bool may_look(const struct controller *c)
{
	return !type_is_namespaces(&c->type) || c->around.are_hosts_namespaces_known(c->around.arg);
}

/* As long as something may soon be known it is waited for, but not for ever. */
static bool is_too_early(struct object *o)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!o->is_unsure) {
		o->unsure_ms = 0;
		return false;
	}
	if (o->unsure_ms == 0)
		o->unsure_ms = now_ms;
	if (now_ms - o->unsure_ms >= UNSURE_MOST_MS)
		return false;
	controller_alarm(o, o->unsure_ms + UNSURE_MOST_MS - now_ms);
	return true;
}

/* It went by itself, as with its namespace: a record of it would be waited for when its cluster is away later. */
static void drop_what_went(struct part *p)
{
	if (p->job || controller_copy(p->object->controller, p->cluster, p->object->key))
		return;
	if (is_behind(p, NULL))
		controller_alarm(p->object, p->behind_ms - clock_monotonic_ms());
	else
		object_drop_record(p->object, p->cluster);
}

static void look_at(struct object *o, struct json_object *federated, const struct wish *w)
{
	const struct members *members = o->controller->around.members;

	o->is_unsure = false;
	for (size_t i = 0; i < members_count(members); i++) {
		const char *name = members_at(members, i)->name;
		bool placed = !w->is_deleting && placement_has(&w->placement, name);
		struct part *p = object_part(o, name);

		if (!p && (placed || controller_copy(o->controller, name, o->key)))
			p = object_need_part(o, name);
		if (!p) {
			object_drop_record(o, name);
			continue;
		}
		object_look_at_part(p, w);
		if (!placed && !w->is_deleting)
			drop_what_went(p);
		object_ask_why(p);
	}
	if (w->is_deleting && object_is_all_gone(o, w))
		object_drop_finalizer(o, federated);
	else if (!is_too_early(o))
		object_tell(o, federated, w);
}

/* With a federated object that is one of ours. */
static void look_at_it(struct object *o, struct json_object *federated)
{
	bool deleted = object_is_deleted(federated),
	     has_finalizer = object_has_finalizer(federated);
	struct wish wish;
	bool known;

	if (!deleted && !has_finalizer) {
		object_add_finalizer(o, federated);
		return;
	}
	if (!has_finalizer)
		return;
	known = object_wish(o, federated, &wish);
	if (known && (deleted || !o->placement_failed))
		look_at(o, federated, &wish);
	else if (known)
		object_tell(o, federated, &wish);
	object_wish_fini(&wish);
}

void object_look(struct object *o)
{
	struct json_object *federated = object_federated(o);
	const struct controller *c = o->controller;

	o->controller->counts.passes++;
	drop_strangers(o);
	if (!federated) {
		if (may_look(c))
			object_look_at_orphans(o);
		return;
	}
	know_uid(o, federated);
	if (object_is_ignored(o) || !has_good_name(o, federated)) {
		if (object_is_deleted(federated) && object_has_finalizer(federated))
			object_drop_finalizer(o, federated);
	} else if (members_are_listed(c->around.members) && may_look(c) && know_version(o) &&
	           !object_waits_for_plan(o, federated)) {
		heed_hashes(o, federated);
		look_at_it(o, federated);
	}
	json_object_put(federated);
}

/* --- life --- */

struct object *object_new(struct controller *c, const char *key)
{
	struct object *o = xcalloc(1, sizeof(*o));

	o->controller = c;
	o->key = xstrdup(key);
	return o;
}

void object_free(struct object *o)
{
	for (size_t i = 0; i < o->part_count; i++)
		free_part(o->parts[i]);
	free(o->parts);
	dispatch_cancel(o->host_job);
	json_object_put(o->host_body);
	version_fini(&o->version);
	free(o->key);
	free(o);
}
