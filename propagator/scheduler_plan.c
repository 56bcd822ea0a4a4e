/* scheduler_plan.c -- one preference planned, and the plan written into its federated object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/scheduler_inside.h"
#include "propagator/selector.h"

#define COMPONENT "replicaschedulingpreference-controller"

enum {
	WAIT_MS = 1000, /* for clusters whose state is not known yet */
	AGAIN_MS = 5000,
	SHOWN_MOST = 10 /* clusters in an Event */
};

/* What a plan is made of; all of it is borrowed but for what fini() puts. */
struct planning {
	struct preference *preference;
	struct json_object *object; /* the preference */
	struct schedule *schedule;
	unsigned kind;
	const struct controller *controller;
	struct json_object *federated, *namespace; /* put */
	struct schedule_cluster *clusters;         /* freed */
	size_t count;
	bool is_known; /* nothing has to be waited for */
};

/* --- what is said --- */

/* Once for each time that it is something else; "": nothing any more. */
static void say(const struct planning *g, const char *reason, const char *message)
{
	struct preference *p = g->preference;
	const struct scheduler *s = p->scheduler;
	const struct events_about about = {
		.object = g->object, .component = COMPONENT, .warning = true};

	if (strcmp(p->said ? p->said : "", message) == 0)
		return;
	free(p->said);
	p->said = message[0] != '\0' ? xstrdup(message) : NULL;
	if (p->said)
		events_tell(s->settings.events, &about, reason, "%s", message);
}

static void say_nothing_planned(const struct planning *g, const char *reason, const char *message)
{
	scheduler_sum_up(g->preference, (struct sums){.kind = g->kind});
	say(g, reason, message);
}

static void tell_plan(const struct planning *g)
{
	const struct scheduler *s = g->preference->scheduler;
	const struct events_about about = {.object = g->object, .component = COMPONENT};
	struct text list = {0};
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct schedule_cluster *c = &g->clusters[i];

		if (c->replicas < 0)
			continue;
		if (shown == SHOWN_MOST) {
			more++;
			continue;
		}
		text_printf(&list, "%s%s: %lld", shown++ > 0 ? ", " : "", c->name,
		            (long long)c->replicas);
	}
	if (more > 0)
		text_printf(&list, " and %zu more", more);
	events_tell(s->settings.events, &about, "Planned", "%s",
	            list.data ? list.data : "no cluster");
	text_fini(&list);
}

/* --- the clusters --- */

static struct json_object *selector_of(struct json_object *federated)
{
	return jsontree_get(federated, "spec", "placement", "clusterSelector", NULL);
}

/* One that cannot be read selects nothing; its own controller says so. */
static bool selects(struct json_object *federated, const struct member *m)
{
	struct reason why;
	bool is = false;

	return selector_matches(selector_of(federated), m->labels, &is, &why) == ERR_OK && is;
}

static struct placement placement_now(const struct planning *g)
{
	const struct members *members = g->preference->scheduler->settings.members;
	struct placement placement = {0};
	struct reason why;

	/* An invalid one places nothing, and says so itself. */
	(void)!members_place(members, g->federated, &placement, &why);
	return placement;
}

/* It may not be planned without a cluster that counts and whose copies are, for this moment, not known. */
static void look_at_cluster(struct planning *g, const struct member *m,
                            const struct placement *placement)
{
	const struct standing *standing =
		scheduler_standing(g->preference->scheduler, g->kind, m->name);
	const struct copy *copy = controller_copy(g->controller, m->name, g->preference->key);
	struct schedule_cluster *c = &g->clusters[g->count++];

	*c = (struct schedule_cluster){
		.name = m->name,
		.is_ready = standing && standing->counts,
		.is_placed = placement_has(placement, m->name),
		.is_selected = selects(g->federated, m) && selects(g->namespace, m),
	};
	if (!standing || !standing->is_decided ||
	    (c->is_ready && !controller_sees(g->controller, m->name))) {
		scheduler_hurry(g->preference, WAIT_MS);
		g->is_known = false;
	}
	if (c->is_ready && copy && !scheduler_measure(g->preference, m, copy, c))
		g->is_known = false;
}

static void gather(struct planning *g)
{
	const struct members *members = g->preference->scheduler->settings.members;
	struct placement placement = placement_now(g);

	g->clusters = xcalloc(members_count(members), sizeof(*g->clusters));
	g->is_known = true;
	for (size_t i = 0; i < members_count(members); i++)
		look_at_cluster(g, members_at(members, i), &placement);
	placement_fini(&placement);
}

/* --- the write --- */

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct preference *p = arg;

	p->write = NULL;
	/* What it is now comes, and is planned anew; until then it is no plan that may be followed. */
	if (kube_answer_is_good(answer) || answer->reason == KUBE_REASON_CONFLICT) {
		scheduler_hurry(p, WAIT_MS);
		return;
	}
	if (answer->reason != KUBE_REASON_NOT_FOUND)
		log_warn("propagator", "the plan of %s cannot be written: %s", p->key, answer->why);
	scheduler_hurry(p, AGAIN_MS);
}

static void add_full(const struct preference *p, struct json_object *changed,
                     struct json_object *patch)
{
	char *full = scheduler_print_full(p);

	if (full || jsontree_get(changed, "metadata", "annotations", SCHEDULER_FULL, NULL))
		jsontree_set(patch, full ? json_object_new_string(full) : NULL, "metadata",
		             "annotations", SCHEDULER_FULL, NULL);
	free(full);
}

/* Of the very state that was planned for: placement, overrides, and which clusters are full; nothing else. */
static struct json_object *patch_of(const struct preference *p, struct json_object *changed)
{
	struct json_object *patch = json_object_new_object();

	jsontree_set(patch,
	             json_object_get(jsontree_get(changed, "metadata", "resourceVersion", NULL)),
	             "metadata", "resourceVersion", NULL);
	jsontree_set(patch,
	             json_object_get(jsontree_get(changed, "spec", "placement", "clusters", NULL)),
	             "spec", "placement", "clusters", NULL);
	jsontree_set(patch, json_object_get(jsontree_get(changed, "spec", "overrides", NULL)),
	             "spec", "overrides", NULL);
	add_full(p, changed, patch);
	return patch;
}

static void write_plan(const struct planning *g, struct json_object *changed)
{
	struct preference *p = g->preference;
	const struct type *type = controller_type(g->controller);
	struct json_object *patch = patch_of(p, changed);
	struct bytes namespace, name;
	char *own;
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = controller_resource(g->controller),
		.field_manager = FIELD_MANAGER,
		.body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON)),
	};

	cache_split_key(p->key, &namespace, &name);
	own = text_copy(namespace);
	write.namespace = own;
	write.name = (const char *)name.data;
	p->scheduler->writes++;
	log_info("propagator", "planned %s %s", type->federated.kind, p->key);
	tell_plan(g);
	p->write = dispatch_add(p->scheduler->settings.dispatch, &write, on_written, p);
	json_object_put(patch);
	free(own);
}

/* --- all of it --- */

static void apply(const struct planning *g)
{
	struct preference *p = g->preference;
	struct schedule_result result;
	struct reason why = {0};

	if (schedule_apply(g->schedule, g->federated, g->clusters, g->count, g->namespace != NULL,
	                   &result, &why) != ERR_OK) {
		say_nothing_planned(g, "CannotBePlanned", why.text);
		return;
	}
	scheduler_sum_up(p, (struct sums){result.outcome != SCHEDULE_NO_CLUSTER, g->kind,
	                                  result.total, result.planned, result.held});
	say(g, result.outcome == SCHEDULE_NO_CLUSTER ? "NoCluster" : "PlannedOtherwise",
	    result.note.text);
	if (result.outcome == SCHEDULE_CHANGED)
		write_plan(g, result.federated);
	json_object_put(result.federated);
}

static struct json_object *namespace_of(const struct preference *p)
{
	const struct controller *c = types_find(p->scheduler->settings.types, "namespaces");
	struct bytes namespace, name;
	struct text key = {0};
	struct json_object *object;

	if (!c)
		return NULL;
	cache_split_key(p->key, &namespace, &name);
	cache_print_key(&key, namespace, namespace);
	object = controller_federated(c, key.data);
	text_fini(&key);
	return object;
}

static void plan_with(struct planning *g)
{
	struct preference *p = g->preference;
	const char *kind = schedule_target_kind(g->schedule);
	char words[160];

	g->federated = controller_federated(g->controller, p->key);
	if (!g->federated) {
		snprintf(words, sizeof(words), "there is no %s of that name", kind);
		say_nothing_planned(g, "NoTarget", words);
		return;
	}
	if (jsontree_get(g->federated, "metadata", "deletionTimestamp", NULL))
		return;
	g->namespace = namespace_of(p);
	scheduler_recall_full(p, g->federated);
	gather(g);
	if (g->is_known)
		apply(g);
	json_object_put(g->namespace);
	free(g->clusters);
}

/* Who has just begun to look has not seen all yet. */
static bool is_all_listed(const struct scheduler *s, const struct controller *c)
{
	const struct controller *namespaces = types_find(s->settings.types, "namespaces");

	return types_are_listed(s->settings.types) && members_are_listed(s->settings.members) &&
	       (!c || controller_is_listed(c)) && (!namespaces || controller_is_listed(namespaces));
}

void scheduler_plan(struct preference *p, struct json_object *object)
{
	struct planning g = {.preference = p, .object = object, .kind = p->sums.kind};
	const struct scheduler *s = p->scheduler;
	struct reason why = {0};
	char words[160];

	if (schedule_decode(object, &g.schedule, &why) != ERR_OK) {
		say_nothing_planned(&g, "Invalid", why.text);
		return;
	}
	g.kind = scheduler_kind(schedule_target_kind(g.schedule));
	g.controller = scheduler_controller(s, g.kind);
	if (!is_all_listed(s, g.controller)) {
		scheduler_hurry(p, WAIT_MS);
	} else if (!g.controller) {
		snprintf(words, sizeof(words), "%ss are not propagated: no FederatedTypeConfig",
		         schedule_target_kind(g.schedule));
		say_nothing_planned(&g, "NoType", words);
		scheduler_hurry(p, AGAIN_MS);
	} else {
		plan_with(&g);
	}
	json_object_put(g.federated);
	schedule_free(g.schedule);
}
