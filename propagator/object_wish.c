/* object_wish.c -- what a federated object asks for, made once for all clusters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "kube/object.h"
#include "propagator/controller_inside.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/version.h"

enum { UNPLANNED_LOOK_MS = 200, UNPLANNED_MOST_MS = 5000 };

#define DRIFT_ANNOTATION "nigh.dev/drift-policy"

bool object_is_deleted(struct json_object *federated)
{
	return object_text(federated, "metadata", "deletionTimestamp", NULL).len > 0;
}

static enum plan_end end_of(struct json_object *federated)
{
	struct bytes orphan =
		object_text(federated, "metadata", "annotations", PLAN_ORPHAN_ANNOTATION, NULL);

	return bytes_equal_text(orphan, "true") ? PLAN_END_ORPHAN : PLAN_END_DELETE;
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

/* What is tried again is tried at once when something else is asked for; a status that was written asks for nothing.  The
 * generation is counted for each object anew. */
static uint64_t asked_of(const struct object *o, struct json_object *federated, uint64_t revision)
{
	struct json_object *metadata;
	int64_t generation = 0;
	uint64_t how = o->controller->around.settings->adopt_resources;

	if (json_object_object_get_ex(federated, "metadata", &metadata))
		generation = object_number(metadata, "generation", 0);
	how |= (uint64_t)object_is_deleted(federated) << 1;
	return hash_mix(o->uid, hash_mix(generation > 0 ? (uint64_t)generation : revision, how));
}

/* What KubeFed does not take from a template is said once for what is asked. */
static void warn(struct object *o, const struct wish *w)
{
	const struct controller *c = o->controller;
	const struct events_about about = {
		.object = w->federated, .component = c->component, .warning = true};

	if (o->warned == w->asked)
		return;
	o->warned = w->asked;
	if (w->render.dropped_annotations)
		events_tell(
			c->around.events, &about, "AnnotationsNotSupported",
			"annotations of the template are not propagated; an override may add them");
	if (w->render.dropped_finalizers)
		events_tell(
			c->around.events, &about, "FinalizersNotSupported",
			"finalizers of the template are not propagated; an override may add them");
}

bool object_wish(struct object *o, struct json_object *federated, struct wish *w)
{
	struct controller *c = o->controller;
	struct bytes revision = object_text(federated, "metadata", "resourceVersion", NULL);
	bool known;

	*w = (struct wish){
		.federated = federated,
		.revision = hash_fixed(revision),
		.is_deleting = object_is_deleted(federated),
		.reports_drift = bytes_equal_text(
			object_text(federated, "metadata", "annotations", DRIFT_ANNOTATION, NULL),
			"report"),
		.end = object_is_deleted(federated) ? end_of(federated) : PLAN_END_DELETE};
	w->asked = asked_of(o, federated, w->revision);
	o->placement_failed =
		members_place(c->around.members, federated, &w->placement, &w->why) != ERR_OK;
	if (o->placement_failed)
		return true;
	known = narrow_to_namespace(o, w);
	if (!w->is_deleting) {
		w->can_render = render_build(&c->type, federated, &w->render, &w->why) == ERR_OK;
		warn(o, w);
	}
	return known;
}

static uint64_t shares_of(struct json_object *federated)
{
	struct json_object *spec = jsontree_get(federated, "spec", NULL);
	uint64_t hash = 0;

	for (size_t i = 0; i < 2; i++) {
		struct json_object *part =
			jsontree_get(spec, i == 0 ? "placement" : "overrides", NULL);

		hash = hash_mix(hash, hash_fixed(bytes_of(
					      json_object_to_json_string_ext(part, PLAIN_JSON))));
	}
	return hash;
}

static bool is_listed(struct json_object *clusters, const char *name)
{
	for (size_t i = 0; i < jsontree_count(clusters); i++)
		if (strcmp(jsontree_word(jsontree_item(clusters, i), "name", NULL), name) == 0)
			return true;
	return false;
}

/* As far as what is recorded tells: the overrides are those, and no cluster that has a copy has left the placement. */
static bool was_followed_before(const struct object *o, struct json_object *federated)
{
	struct json_object *clusters =
		jsontree_get(federated, "spec", "placement", "clusters", NULL);
	struct version_hashes is = version_hash(federated);

	for (size_t i = 0; i < o->version.count; i++)
		if (!is_listed(clusters, o->version.copies[i].cluster))
			return false;
	return o->version.count > 0 &&
	       strcmp(o->version.hashes.overrides_hash, is.overrides_hash) == 0;
}

/* What a last leader followed is not looked at anew; what nobody has, as it was written while there was none, is. */
bool object_waits_for_plan(struct object *o, struct json_object *federated)
{
	const struct controller_around *a = &o->controller->around;
	uint64_t now_ms = clock_monotonic_ms(), shares = shares_of(federated);
	bool is_other = o->shares != 0 ? o->shares != shares : !was_followed_before(o, federated);

	if (o->unplanned_ms == 0)
		o->unplanned_ms = now_ms;
	if (!object_is_deleted(federated) && is_other && a->is_to_be_planned &&
	    a->is_to_be_planned(o->controller, o->key, a->arg) &&
	    now_ms - o->unplanned_ms < UNPLANNED_MOST_MS) {
		controller_alarm(o, UNPLANNED_LOOK_MS);
		return true;
	}
	o->shares = shares;
	o->unplanned_ms = 0;
	return false;
}

void object_wish_fini(struct wish *w)
{
	placement_fini(&w->placement);
	render_fini(&w->render);
}
