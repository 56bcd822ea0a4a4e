/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/version.h"

#define ORPHAN_ANNOTATION "kubefed.io/orphan"

/* --- parts --- */

static size_t place_of(const struct object *o, const char *cluster, bool *found)
{
	size_t low = 0, high = o->part_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(o->parts[middle]->cluster, cluster) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < o->part_count && strcmp(o->parts[low]->cluster, cluster) == 0;
	return low;
}

struct part *object_part(const struct object *o, const char *cluster)
{
	bool found;
	size_t at = place_of(o, cluster, &found);

	return found ? o->parts[at] : NULL;
}

static struct part *need_part(struct object *o, const char *cluster)
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

/* --- what is wished --- */

static bool is_deleted(struct json_object *federated)
{
	return object_text(federated, "metadata", "deletionTimestamp", NULL).len > 0;
}

static enum plan_end end_of(struct json_object *federated)
{
	struct bytes orphan =
		object_text(federated, "metadata", "annotations", ORPHAN_ANNOTATION, NULL);

	return bytes_equal_text(orphan, "true") ? PLAN_END_ORPHAN : PLAN_END_DELETE;
}

static struct placement_cluster *list_members(const struct controller *c, size_t *count)
{
	struct placement_cluster *list;

	*count = members_count(c->around.members);
	list = xcalloc(*count, sizeof(*list));
	for (size_t i = 0; i < *count; i++) {
		const struct member *m = members_at(c->around.members, i);

		list[i] = (struct placement_cluster){m->name, m->labels};
	}
	return list;
}

/* What is in the namespace goes where the namespace goes.  False: that is not known yet. */
static bool narrow_to_namespace(struct object *o, struct wish *w)
{
	const struct controller_around *a = &o->controller->around;
	struct placement namespace = {0};
	struct bytes own, name;
	bool federated, known;

	o->namespace_missing = false;
	if (!o->controller->type.target.namespaced)
		return true;
	cache_split_key(o->key, &own, &name);
	known = a->namespace_placement(own, &namespace, &federated, a->namespaces_arg);
	if (federated || a->settings->cluster_scope)
		placement_intersect(&w->placement, &namespace);
	o->namespace_missing = !federated && a->settings->cluster_scope;
	placement_fini(&namespace);
	return known;
}

/* False: it cannot be said yet. */
static bool read_wish(struct object *o, struct json_object *federated, struct wish *w)
{
	struct controller *c = o->controller;
	struct bytes revision = object_text(federated, "metadata", "resourceVersion", NULL);
	struct placement_cluster *clusters;
	size_t count;
	bool known;

	*w = (struct wish){.federated = federated,
	                   .revision = hash_fixed(revision),
	                   .is_deleting = is_deleted(federated),
	                   .end = is_deleted(federated) ? end_of(federated) : PLAN_END_DELETE};
	clusters = list_members(c, &count);
	o->placement_failed =
		placement_of(federated, clusters, count, &w->placement, &w->why) != ERR_OK;
	free(clusters);
	if (o->placement_failed)
		return true;
	known = narrow_to_namespace(o, w);
	if (!w->is_deleting) {
		w->can_render = render_build(&c->type, federated, &w->render, &w->why) == ERR_OK;
	}
	return known;
}

static void fini_wish(struct wish *w)
{
	placement_fini(&w->placement);
	render_fini(&w->render);
}

/* --- one cluster --- */

static uint64_t judgement_of(const struct wish *w, const struct copy *copy, const char *recorded)
{
	return hash_mix(w->revision, hash_mix(hash_fixed(bytes_of(copy->resource_version)),
	                                      hash_fixed(bytes_of(recorded ? recorded : ""))));
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
	p->judged = judgement_of(w, copy, recorded);
	return true;
}

static bool was_judged_current(const struct part *p, const struct wish *w, const struct copy *copy)
{
	const char *recorded = version_find(&p->object->version, p->cluster);

	return recorded && p->judged == judgement_of(w, copy, recorded);
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

/* Retained replicas are those of the copy: to leave them out of what is applied would give them up. */
static void retain_replicas(const struct wish *w, const struct copy *copy,
                            struct json_object *desired)
{
	struct json_object *spec, *metadata;

	if (!w->render.retain_replicas || !copy || copy->replicas < 0 ||
	    !json_object_object_get_ex(desired, "spec", &spec) ||
	    !json_object_object_get_ex(desired, "metadata", &metadata))
		return;
	json_object_object_add(spec, "replicas", json_object_new_int64(copy->replicas));
	/* Somebody may be scaling it at this moment. */
	json_object_object_add(metadata, "resourceVersion",
	                       json_object_new_string(copy->resource_version));
}

static struct plan_about about_part(const struct part *p, const struct wish *w,
                                    const struct copy *copy)
{
	const struct controller *c = p->object->controller;
	const struct member *m = members_find(c->around.members, p->cluster);
	const struct site *s = controller_site(c, p->cluster);
	struct bytes namespace, name;

	cache_split_key(p->object->key, &namespace, &name);
	return (struct plan_about){
		.placed = !w->is_deleting && placement_has(&w->placement, p->cluster),
		.is_ready = m->is_ready && m->client,
		.is_seen = s && cache_is_synced(s->copies),
		.has_copy = copy != NULL,
		.is_deleting = copy && copy->deleting,
		.is_hosts = copy && type_is_namespaces(&c->type) &&
	                    c->around.is_hosts_namespace(name, copy->uid, c->around.arg),
		.end = w->end,
	};
}

static void look_at_part(struct part *p, const struct wish *w)
{
	struct object *o = p->object;
	const struct copy *copy = controller_copy(o->controller, p->cluster, o->key);
	struct plan_about about = about_part(p, w, copy);
	struct json_object *desired = NULL;
	struct plan plan;

	if (p->job)
		return;
	if (about.placed && copy && was_judged_current(p, w, copy)) {
		about.is_current = true;
	} else if (about.placed && about.is_ready && about.is_seen) {
		desired = desired_for(p, w);
		p->is_listed = true;
		if (!desired)
			return;
		about.is_current = copy && is_current(p, w, copy, desired);
	}
	plan = plan_for(&about);
	p->is_listed = plan.is_listed;
	if (plan.step == PLAN_NOTHING)
		object_set_state(p, plan.state, NULL);
	else if (p->again_ms > clock_monotonic_ms())
		controller_alarm(o, p->again_ms - clock_monotonic_ms());
	else {
		if (desired)
			retain_replicas(w, copy, desired);
		object_step(p, w, plan.step, desired);
		desired = NULL;
	}
	json_object_put(desired);
}

/* --- the end of a federated object --- */

/* Whether nothing of it is left: not in the caches, and not when they are asked. */
static bool is_all_gone(struct object *o, const struct wish *w)
{
	const struct controller *c = o->controller;
	bool gone = true;

	for (size_t i = 0; i < o->part_count; i++) {
		struct part *p = o->parts[i];

		if (p->job || controller_copy(c, p->cluster, o->key))
			gone = false;
	}
	for (size_t i = 0; gone && i < w->placement.count; i++) {
		struct part *p = need_part(o, w->placement.names[i]);
		const struct member *m = members_find(c->around.members, p->cluster);

		if (p->is_verified)
			continue;
		gone = false;
		p->is_listed = true;
		if (!m->is_ready)
			object_set_state(p, STATE_CLUSTER_NOT_READY, NULL);
		else if (!p->job && p->again_ms <= clock_monotonic_ms())
			object_verify(p);
	}
	return gone;
}

/* --- all of it --- */

struct json_object *object_federated(const struct object *o)
{
	return controller_federated(o->controller, o->key);
}

/* What is recorded of it, once; hashes that are others make it void. */
static bool know_version(struct object *o, struct json_object *federated)
{
	const struct controller *c = o->controller;
	struct version_hashes hashes = version_hash(federated);
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
		o->version_known = true;
	}
	if (!version_hashes_equal(&o->version.hashes, &hashes)) {
		version_rehash(&o->version, &hashes);
		o->version_dirty = true;
	}
	return true;
}

/* Managed objects without a federated one: they stay, and are nobody's. */
static void look_at_orphans(struct object *o)
{
	struct controller *c = o->controller;
	const struct wish wish = {.is_deleting = true, .end = PLAN_END_ORPHAN};
	bool any = false;

	if (!cache_is_synced(c->objects_on_host))
		return;
	for (const struct site *s = c->sites; s; s = s->next) {
		if (!controller_copy(c, s->member->name, o->key))
			continue;
		any = true;
		look_at_part(need_part(o, s->member->name), &wish);
	}
	for (size_t i = 0; i < o->part_count; i++)
		any |= o->parts[i]->job != NULL;
	if (!any && !o->host_job)
		controller_forget(o);
}

static void look_at(struct object *o, struct json_object *federated, const struct wish *w)
{
	const struct members *members = o->controller->around.members;

	for (size_t i = 0; i < members_count(members); i++) {
		const char *name = members_at(members, i)->name;
		bool placed = !w->is_deleting && placement_has(&w->placement, name);
		struct part *p = object_part(o, name);

		if (!p && (placed || controller_copy(o->controller, name, o->key)))
			p = need_part(o, name);
		if (!p)
			continue;
		look_at_part(p, w);
		object_ask_why(p);
	}
	if (w->is_deleting && is_all_gone(o, w))
		object_drop_finalizer(o, federated);
	else
		object_tell(o, federated, w);
}

void object_look(struct object *o)
{
	struct json_object *federated = object_federated(o);
	const struct members *members = o->controller->around.members;
	struct wish wish;

	o->controller->counts.passes++;
	drop_strangers(o);
	if (!federated) {
		look_at_orphans(o);
		return;
	}
	if (!members_are_listed(members) || !know_version(o, federated)) {
		json_object_put(federated);
		return;
	}
	if (!is_deleted(federated) && !object_has_finalizer(federated)) {
		object_add_finalizer(o, federated);
	} else if (!is_deleted(federated) || object_has_finalizer(federated)) {
		bool known = read_wish(o, federated, &wish);

		if (known && !o->placement_failed)
			look_at(o, federated, &wish);
		else if (known)
			object_tell(o, federated, &wish);
		fini_wish(&wish);
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
