/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/foresee.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/by_cluster.h"
#include "ctl/command.h"
#include "ctl/crew.h"
#include "ctl/differences.h"
#include "ctl/grants.h"
#include "propagator/ceiling.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/plan.h"
#include "propagator/render.h"
#include "propagator/takeover.h"

struct look {
	struct outlook *o;
	const struct type *type;
	struct json_object *federated;
	struct placement placement;
	struct render render;
	bool can_render;
	struct reason cannot;  /* ... because */
	struct reason nowhere; /* why it is placed nowhere; "": it is what the object says */
	enum plan_end end;
};

const char *foresee_text(enum foresee_step step)
{
	static const char *const texts[] = {"nothing", "create",  "update",
	                                    "delete",  "refused", "unknown"};

	return texts[step];
}

/* --- one copy --- */

static const char *label_of(struct json_object *copy)
{
	return jsontree_word(copy, "metadata", "labels", RENDER_LABEL, NULL);
}

static void refuse(struct foreseen *f, const char *why)
{
	f->step = FORESEE_REFUSED;
	text_add(&f->why, why);
}

struct trial {
	const struct look *l;
	const struct apiserver *server;
	const char *cluster;
	struct json_object *desired;
};

/* KubeFed's fields become ours, and those that are asked for no more go; the server says what that makes of it. */
static enum err try_takeover(const struct trial *t, struct json_object **after, struct reason *why)
{
	const struct kube_resource r = apiserver_resource(&t->l->type->target);
	struct json_object *without = *after;
	enum err err;

	if (!takeover_foresee(without, FIELD_MANAGER))
		return ERR_OK;
	json_object_object_del(jsontree_get(without, "metadata", NULL), "managedFields");
	err = apiserver_replace(
		t->server, &r, jsontree_text(without, "metadata", "namespace", NULL),
		jsontree_word(without, "metadata", "name", NULL), without, after, why);
	json_object_put(without);
	return err;
}

static enum err apply_once(struct json_object *existing, void *arg, struct json_object **out,
                           struct reason *why)
{
	const struct trial *t = arg;
	const struct kube_resource r = apiserver_resource(&t->l->type->target);
	enum err err = apiserver_apply(
		t->server, &r, jsontree_text(t->desired, "metadata", "namespace", NULL),
		jsontree_word(t->desired, "metadata", "name", NULL), t->desired, out, why);

	return err || !existing ? err : try_takeover(t, out, why);
}

static enum err try_once(struct json_object *existing, void *arg, struct json_object **out,
                         struct reason *why)
{
	const struct trial *t = arg;
	const struct kube_resource r = apiserver_resource(&t->l->type->target);
	const char *namespace = jsontree_text(t->desired, "metadata", "namespace", NULL);
	struct json_object *whole = NULL;
	bool retained;
	enum err err;

	if (!existing)
		return apiserver_create(t->server, &r, namespace, NULL, NULL, t->desired, out, why);
	err = render_over(t->l->type, &t->l->render, t->l->federated, t->cluster, existing, &whole,
	                  &retained, why);
	if (!err)
		err = apiserver_replace(t->server, &r, namespace,
		                        jsontree_word(whole, "metadata", "name", NULL), whole, out,
		                        why);
	json_object_put(whole);
	return err;
}

/* What cannot be applied for its shape is replaced, or, where there is none, created.  *existing may be read again. */
static enum err try_all(const struct look *l, const struct apiserver *server, const char *cluster,
                        struct json_object **existing, struct json_object *desired,
                        struct json_object **out, struct reason *why)
{
	const struct kube_resource r = apiserver_resource(&l->type->target);
	const char *namespace = jsontree_text(desired, "metadata", "namespace", NULL);
	const char *name = jsontree_word(desired, "metadata", "name", NULL);
	struct trial trial = {l, server, cluster, desired};
	enum err err = apiserver_attempt(server, &r, namespace, name, existing, apply_once, &trial,
	                                 out, why);

	return err != ERR_PARSE ? err
	                        : apiserver_attempt(server, &r, namespace, name, existing, try_once,
	                                            &trial, out, why);
}

static void keep_replicas(const struct look *l, const char *cluster, struct json_object *existing,
                          struct json_object *desired)
{
	struct json_object *replicas = jsontree_get(existing, "spec", "replicas", NULL);

	if (replicas && render_retains_replicas(&l->render, l->federated, cluster))
		jsontree_set(desired, json_object_get(replicas), "spec", "replicas", NULL);
}

/* What the member would have then; NULL: `f` says why not.  `forbidden`: what its ceiling says against it. */
static struct json_object *try_apply(const struct look *l, const struct outlook_member *m,
                                     struct json_object **existing, struct foreseen *f,
                                     struct reason *forbidden)
{
	struct apiserver dry = m->server;
	struct json_object *desired = NULL, *after = NULL;
	struct reason why = {0};
	enum err err;

	dry.dry_run = true;
	dry.manager = FIELD_MANAGER;
	if (render_for(&l->render, l->federated, f->cluster, &desired, &why) != ERR_OK) {
		refuse(f, why.text);
		return NULL;
	}
	keep_replicas(l, f->cluster, *existing, desired);
	(void)ceiling_allows(m->ceiling, l->type, l->o->c->namespace, desired, forbidden);
	err = try_all(l, &dry, f->cluster, existing, desired, &after, &why);
	/* A namespace that comes before it is not there in a dry run. */
	if (err == ERR_NOTFOUND && !*existing && strstr(why.text, "namespaces"))
		text_add(&f->why, "with its namespace");
	else if (err)
		refuse(f, why.text);
	json_object_put(desired);
	return after;
}

/* --- one cluster --- */

/* It is asked of what would be sent, after all else. */
static void hold_to_ceiling(struct foreseen *f, const struct reason *forbidden)
{
	if (!forbidden->text[0] || f->step == FORESEE_NOTHING)
		return;
	text_reset(&f->why);
	json_object_put(f->differences);
	f->differences = NULL;
	refuse(f, forbidden->text);
}

static void look_at_placed(const struct look *l, const struct outlook_member *m,
                           struct json_object **existing, struct foreseen *f)
{
	const char *label = label_of(*existing);
	struct reason forbidden = {0};
	struct json_object *after;

	if (!l->can_render) {
		refuse(f, l->cannot.text);
		return;
	}
	if (*existing && strcmp(label, "false") == 0) {
		refuse(f, "there is one, with the label " RENDER_LABEL ": \"false\"");
		return;
	}
	if (*existing && strcmp(label, "true") != 0 && !l->o->adopts) {
		refuse(f, "there is one, and adoptResources is Disabled");
		return;
	}
	after = try_apply(l, m, existing, f, &forbidden);
	if (f->step == FORESEE_NOTHING)
		f->step = *existing ? FORESEE_UPDATE : FORESEE_CREATE;
	if (*existing && after) {
		f->differences = differences_between(*existing, after);
		if (type_is_secrets(l->type))
			differences_hide(f->differences);
		if (strcmp(label_of(*existing), "true") != 0)
			text_add(&f->why, "there is one, which is adopted");
		if (jsontree_count(f->differences) == 0)
			f->step = FORESEE_NOTHING;
	}
	hold_to_ceiling(f, &forbidden);
	json_object_put(after);
}

static bool is_own_namespace(const struct look *l, struct json_object *existing)
{
	struct json_object *own = NULL;
	struct reason why;
	bool same;

	if (!type_is_namespaces(l->type) ||
	    outlook_get_host(l->o, &grants_namespaces, NULL,
	                     jsontree_word(existing, "metadata", "name", NULL), &own,
	                     &why) != ERR_OK)
		return false;
	same = strcmp(jsontree_word(own, "metadata", "uid", NULL),
	              jsontree_word(existing, "metadata", "uid", NULL)) == 0;
	json_object_put(own);
	return same;
}

static void look_at_unplaced(const struct look *l, struct json_object *existing, struct foreseen *f)
{
	const struct plan_about about = {
		.is_ready = true,
		.is_seen = true,
		.has_copy = strcmp(label_of(existing), "true") == 0,
		.is_deleting = jsontree_text(existing, "metadata", "deletionTimestamp", NULL),
		.is_hosts = is_own_namespace(l, existing),
		.end = l->end};
	struct plan plan = plan_for(&about);

	if (plan.step == PLAN_DELETE)
		f->step = FORESEE_DELETE;
	else if (plan.step == PLAN_UNLABEL)
		f->step = FORESEE_UPDATE;
	if (f->step != FORESEE_NOTHING)
		text_printf(&f->why, "it is not placed there%s%s", l->nowhere.text[0] ? ": " : "",
		            l->nowhere.text);
}

/* False: it has nothing to do with the object. */
static bool look_at(const struct look *l, size_t member, struct foreseen *f)
{
	const struct kube_resource r = apiserver_resource(&l->type->target);
	const struct apiserver *server;
	const char *name = jsontree_word(l->federated, "metadata", "name", NULL);
	const char *namespace = l->type->target.namespaced
	                                ? jsontree_text(l->federated, "metadata", "namespace", NULL)
	                                : NULL;
	bool placed = placement_has(&l->placement, f->cluster);
	struct json_object *existing = NULL;
	struct reason why = {0};
	enum err err;

	server = outlook_reach(l->o, member);
	err = server ? apiserver_get(server, &r, namespace, name, &existing, &why)
	             : reason_set(&why, ERR_UNREACHABLE, "%s", l->o->members[member].why.text);
	if (err && err != ERR_NOTFOUND) {
		f->step = FORESEE_UNKNOWN;
		text_add(&f->why, why.text);
		return placed || by_cluster_entry(l->federated, f->cluster);
	}
	if (placed)
		look_at_placed(l, &l->o->members[member], &existing, f);
	else if (existing)
		look_at_unplaced(l, existing, f);
	json_object_put(existing);
	return placed || f->step != FORESEE_NOTHING;
}

/* What is being deleted on the host, and waits for a cluster there, is to be nowhere, whatever its spec says. */
static void heed_deletion(struct look *l)
{
	const char *orphan = jsontree_word(l->federated, "metadata", "annotations",
	                                   PLAN_ORPHAN_ANNOTATION, NULL);

	if (!jsontree_text(l->federated, "metadata", "deletionTimestamp", NULL))
		return;
	l->end = strcmp(orphan, "true") == 0 ? PLAN_END_ORPHAN : PLAN_END_DELETE;
	placement_fini(&l->placement);
	reason_set(&l->nowhere, ERR_OK, "it is being deleted");
}

/* --- all clusters, several at a time --- */

struct asked {
	struct look look; /* of this cluster alone, as json-c wants it */
	struct foreseen foreseen;
	bool concerns;
};

static void ask_one(size_t number, void *arg)
{
	struct asked *a = (struct asked *)arg + number;

	a->look.can_render = render_build(a->look.type, a->look.federated, &a->look.render,
	                                  &a->look.cannot) == ERR_OK;
	a->concerns = look_at(&a->look, number, &a->foreseen);
	render_fini(&a->look.render);
}

static void tell_one(struct asked *a, foresee_fn *on_cluster, void *arg)
{
	if (a->concerns)
		on_cluster(&a->foreseen, arg);
	text_fini(&a->foreseen.why);
	json_object_put(a->foreseen.differences);
	json_object_put(a->look.federated);
}

enum err foresee(struct outlook *o, const struct type *type, struct json_object *federated,
                 struct json_object *namespace, foresee_fn *on_cluster, void *arg,
                 struct reason *why)
{
	struct look look = {.o = o, .type = type, .federated = federated};
	enum err err = outlook_place(o, type, federated, namespace, &look.placement, &look.nowhere);
	struct asked *all;

	if (err)
		return reason_set(why, err, "%s", look.nowhere.text);
	heed_deletion(&look);
	all = xcalloc(o->count, sizeof(*all));
	for (size_t i = 0; i < o->count; i++) {
		all[i].look = look;
		all[i].look.federated = jsontree_copy(federated);
		all[i].foreseen.cluster = o->members[i].name;
	}
	crew_run(o->count, ask_one, all);
	for (size_t i = 0; i < o->count; i++)
		tell_one(&all[i], on_cluster, arg);
	free(all);
	placement_fini(&look.placement);
	return ERR_OK;
}
