/* unjoin.c -- nighctl unjoin and forget: a cluster is a member no more.
 *
 * The KubeFedCluster goes first: then nobody brings back what is taken away.
 */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/by_cluster.h"
#include "ctl/command.h"
#include "ctl/federate.h"
#include "ctl/grants.h"
#include "ctl/membership.h"
#include "ctl/progress.h"
#include "ctl/reach.h"
#include "ctl/remote.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/render.h"
#include "propagator/type.h"

#define MANAGED RENDER_LABEL "=true"

/* What the propagator sent just before its member went may arrive a little later. */
enum { PASSES_MOST = 5, PASS_PAUSE_MS = 300 };

struct leave {
	const struct command *c;
	const char *name;
	struct apiserver host, member;
	enum grants_scope scope;
	bool has_member;            /* it answers */
	bool is_host;               /* it is the host itself */
	struct json_object *before; /* its KubeFedCluster; NULL: there is none any more */
	struct json_object *types;  /* the FederatedTypeConfigs */
	struct json_object *root;   /* for -o json: what was done */
	struct text says;           /* the same, for people */
	bool failed;
};

static void fail(struct leave *l, const char *what, const char *why)
{
	command_fail(l->c, "%s: %s", what, why);
	l->failed = true;
}

/* --- what was propagated there --- */

static bool is_own_namespace(const struct leave *l, const struct type *type)
{
	return l->is_host && type_is_namespaces(type);
}

static enum err let_go(const struct leave *l, const struct type *type, struct json_object *object,
                       struct reason *why)
{
	const struct kube_resource r = apiserver_resource(&type->target);
	const char *namespace = jsontree_text(object, "metadata", "namespace", NULL);
	const char *name = jsontree_word(object, "metadata", "name", NULL);
	struct json_object *patch;
	enum err err;

	if (l->c->remove && !is_own_namespace(l, type))
		return apiserver_delete(&l->member, &r, namespace, name, why);
	patch = json_object_new_object();
	jsontree_set(patch, NULL, "metadata", "labels", RENDER_LABEL, NULL);
	err = apiserver_merge(&l->member, &r, namespace, name, patch, why);
	json_object_put(patch);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static bool is_going(struct json_object *object)
{
	return jsontree_text(object, "metadata", "deletionTimestamp", NULL) != NULL;
}

/* One look at all objects of a type; returns how many there were to do something about. */
static size_t pass(struct leave *l, const struct type *type)
{
	const struct kube_resource r = apiserver_resource(&type->target);
	struct json_object *all;
	struct progress progress;
	struct reason why = {0};
	size_t count, done = 0;
	/* What is managed elsewhere is another control plane's, then. */
	const char *namespace = l->scope == GRANTS_NAMESPACED ? l->c->namespace : NULL;
	enum err err = apiserver_list(&l->member, &r, namespace, MANAGED, &all, &why);

	if (err && err != ERR_NOTFOUND)
		fail(l, type->name, why.text);
	count = jsontree_count(all);
	progress_begin(&progress, type->name);
	for (size_t i = 0; i < count; i++) {
		struct json_object *object = jsontree_item(all, i);

		progress_show(&progress, i, count);
		if (is_going(object) && l->c->remove)
			continue;
		done++;
		if (let_go(l, type, object, &why) != ERR_OK)
			fail(l, jsontree_word(object, "metadata", "name", NULL), why.text);
	}
	progress_show(&progress, count, count);
	json_object_put(all);
	return done;
}

static void let_go_of_type(struct leave *l, const struct type *type)
{
	const char *word = l->c->remove && !is_own_namespace(l, type) ? "deleted" : "orphaned";
	const struct timespec pause = {0, PASS_PAUSE_MS * 1000000L};
	size_t count = pass(l, type), again = count;

	for (int i = 0; again && i < PASSES_MOST && !l->c->dry_run && !l->failed; i++) {
		nanosleep(&pause, NULL);
		again = pass(l, type);
	}
	if (!count)
		return;
	text_printf(&l->says, "%s%s: %zu %s\n", l->c->dry_run ? "not done: " : "", type->name,
	            count, word);
	jsontree_set(l->root, json_object_new_int64((int64_t)count), "objects", type->name, NULL);
}

/* Namespaces last: what is in them is then told apart from what goes with them. */
static void let_go_of_all(struct leave *l)
{
	for (int last = 0; last <= 1; last++)
		for (size_t i = 0; i < jsontree_count(l->types); i++) {
			struct type type;

			if (type_read(jsontree_item(l->types, i), &type, NULL) != ERR_OK)
				continue;
			if (type_is_namespaces(&type) == last && grants_reach(l->scope, &type))
				let_go_of_type(l, &type);
			type_fini(&type);
		}
}

/* --- what it granted --- */

static void tell_stays(struct leave *l, const struct grant *g, const char *why)
{
	struct json_object *list = jsontree_get(l->root, "stays", NULL);
	struct text line = {0};

	text_printf(&line, "%s %s", g->resource->kind, g->name);
	text_printf(&l->says, "%s stays in the member: %s\n", line.data, why);
	if (!list) {
		list = json_object_new_array();
		json_object_object_add(l->root, "stays", list);
	}
	json_object_array_add(list, json_object_new_string(line.data));
	text_fini(&line);
}

static void end_grants(struct leave *l, bool compatible)
{
	struct grants_names names;
	struct grants grants;
	struct reason why = {0};

	grants_name(&names, l->name, membership_host_of(l->c, l->before), l->c->namespace,
	            compatible);
	if (compatible)
		grants_make_compatible(&grants, &names, l->c->namespace, GRANTS_ANY);
	else
		grants_make(&grants, &names, l->c->namespace, GRANTS_ANY, NULL);
	/* The namespace stays: others may have something in it. */
	for (size_t i = grants.count; i > 1; i--) {
		const struct grant *g = &grants.list[i - 1];

		if (membership_is_anothers(l->c, &l->member, g))
			continue;
		if (apiserver_delete(&l->member, g->resource,
		                     g->in_namespace ? l->c->namespace : NULL, g->name,
		                     &why) != ERR_OK)
			tell_stays(l, g, why.text);
	}
	grants_fini(&grants);
	grants_names_fini(&names);
}

/* --- the host --- */

static void delete_secret(struct leave *l, const char *name)
{
	struct reason why = {0};

	if (*name &&
	    apiserver_delete(&l->host, &grants_secrets, l->c->namespace, name, &why) != ERR_OK)
		fail(l, name, why.text);
}

static bool delete_cluster(struct leave *l)
{
	struct reason why = {0};

	if (!l->before)
		return true;
	if (apiserver_delete(&l->host, &remote_clusters, l->c->namespace, l->name, &why) !=
	    ERR_OK) {
		fail(l, l->name, why.text);
		return false;
	}
	return true;
}

static void delete_secrets(struct leave *l)
{
	delete_secret(l, jsontree_word(l->before, "spec", "secretRef", "name", NULL));
	delete_secret(l,
	              jsontree_word(l->before, "metadata", "annotations", MEMBERSHIP_READER, NULL));
}

/* --- the way there --- */

/* "" where there is no such namespace. */
static enum err read_uid(const struct apiserver *s, const char *namespace, char out[64],
                         struct reason *why)
{
	struct json_object *object = NULL;
	enum err err = apiserver_get(s, &grants_namespaces, NULL, namespace, &object, why);

	out[0] = '\0';
	if (err == ERR_OK)
		(void)snprintf(out, 64, "%s", jsontree_word(object, "metadata", "uid", NULL));
	json_object_put(object);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Is the member the host itself?  Where that cannot be told, nothing may be taken away there. */
static enum err compare_with_host(struct leave *l, struct reason *why)
{
	char here[64], there[64];
	enum err err = read_uid(&l->host, l->c->namespace, here, why);

	if (err == ERR_OK)
		err = read_uid(&l->member, l->c->namespace, there, why);
	if (err == ERR_OK)
		l->is_host = here[0] != '\0' && strcmp(here, there) == 0;
	return err;
}

/* What a context of that name happens to lead to, say, has what others propagated there. */
static int refuse_another(const struct leave *l)
{
	const char *server = l->member.access.server;

	if (!l->before || l->c->force || membership_is_at(l->before, server))
		return COMMAND_FINE;
	return command_fail(l->c,
	                    "KubeFedCluster %s is at %s, and the kubeconfig says %s: nothing is "
	                    "done; if it is the same cluster, --force",
	                    l->name, jsontree_word(l->before, "spec", "apiEndpoint", NULL), server);
}

/* The person's own way may end what the member granted; the host's, not. */
static int find_member(struct leave *l)
{
	const struct command *c = l->c;
	struct reason why = {0}, other = {0};
	enum err err = reach_as_person(c, l->name, &l->member, &why);

	if (!err)
		err = reach_check(&l->member, NULL, &why);
	if (!err && refuse_another(l) != COMMAND_FINE)
		return COMMAND_FAILED;
	if (err && !reach_is_named(c) && l->before) {
		apiserver_close(&l->member);
		err = reach_as_host(c, &l->host, l->before, &l->member, &other);
		if (!err)
			err = reach_check(&l->member, NULL, &other);
	}
	l->has_member = err == ERR_OK;
	if (l->has_member && compare_with_host(l, &why) != ERR_OK)
		return command_fail(c, "cluster %s: is it the host itself? %s; nothing is done",
		                    l->name, why.text);
	if (!err)
		return COMMAND_FINE;
	if (strcmp(why.text, other.text) == 0)
		other.text[0] = '\0';
	command_fail(c, "cluster %s: %s%s%s", l->name, why.text, other.text[0] ? "; " : "",
	             other.text);
	if (c->force)
		return COMMAND_FINE;
	return command_fail(c, "nothing is done; --force leaves everything there as it is");
}

static int find_all(struct leave *l)
{
	struct reason why = {0};
	enum err err = reach_cluster(l->c, &l->host, l->name, &l->before, &why);

	if (err && (err != ERR_NOTFOUND || !reach_is_named(l->c)))
		return command_fail(l->c, "%s: KubeFedCluster %s: %s", l->host.access.server,
		                    l->name, why.text);
	if (membership_scope(l->c, &l->host, &l->scope, &why) != ERR_OK)
		return command_fail(l->c, "%s", why.text);
	err = apiserver_list(&l->host, &federate_type_configs, l->c->namespace, NULL, &l->types,
	                     &why);
	/* A host without KubeFed's kinds has propagated nothing. */
	if (err && err != ERR_NOTFOUND)
		return command_fail(l->c, "FederatedTypeConfigs of %s: %s", l->c->namespace,
		                    why.text);
	return COMMAND_FINE;
}

/* --- what stays of a cluster that is gone --- */

static void tell_left(struct leave *l, const struct type *type, struct json_object *left)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	struct json_object *all;
	struct reason why = {0};
	const char *namespace = l->scope == GRANTS_NAMESPACED ? l->c->namespace : NULL;
	enum err err = apiserver_list(&l->host, &r, namespace, NULL, &all, &why);

	if (err && err != ERR_NOTFOUND)
		fail(l, r.plural, why.text);
	for (size_t i = 0; i < jsontree_count(all); i++) {
		struct json_object *object = jsontree_item(all, i);
		struct text line = {0};

		if (!by_cluster_entry(object, l->name))
			continue;
		text_printf(&line, "%s %s/%s%s", type->name,
		            jsontree_word(object, "metadata", "namespace", NULL),
		            jsontree_word(object, "metadata", "name", NULL),
		            is_going(object) ? " (its deletion waited for this cluster)" : "");
		json_object_array_add(left, json_object_new_string(line.data));
		text_printf(&l->says, "left behind in %s: %s\n", l->name, line.data);
		text_fini(&line);
	}
	json_object_put(all);
}

static void tell_all_left(struct leave *l)
{
	struct json_object *left = json_object_new_array();
	size_t count = jsontree_count(l->types);
	struct progress progress;

	progress_begin(&progress, "looking for what stays");
	for (size_t i = 0; i < count; i++) {
		struct type type;

		progress_show(&progress, i, count);
		if (type_read(jsontree_item(l->types, i), &type, NULL) != ERR_OK)
			continue;
		if (grants_reach(l->scope, &type))
			tell_left(l, &type, left);
		type_fini(&type);
	}
	progress_show(&progress, count, count);
	json_object_object_add(l->root, "leftBehind", left);
}

/* --- all of it --- */

static int end(struct leave *l, int status)
{
	if (status == COMMAND_FINE && !l->failed) {
		text_printf(&l->says, "%s%s is a member no more\n",
		            l->c->dry_run ? "not done: " : "", l->name);
		json_object_object_add(l->root, "cluster", json_object_new_string(l->name));
		json_object_object_add(l->root, "dryRun", json_object_new_boolean(l->c->dry_run));
	}
	if (status == COMMAND_FINE)
		command_tell(l->c, l->root, l->says.data ? l->says.data : "");
	apiserver_close(&l->host);
	apiserver_close(&l->member);
	json_object_put(l->before);
	json_object_put(l->types);
	json_object_put(l->root);
	text_fini(&l->says);
	return l->failed ? COMMAND_FAILED : status;
}

static void leave(struct leave *l)
{
	if (!l->has_member || l->c->keep)
		tell_all_left(l);
	if (!delete_cluster(l))
		return;
	if (l->has_member && !l->c->keep)
		let_go_of_all(l);
	/* With the host's credential it may be needed once more. */
	if (l->failed && !l->c->force)
		return;
	if (l->has_member) {
		end_grants(l, false);
		end_grants(l, true);
	}
	delete_secrets(l);
}

int unjoin_run(const struct command *c)
{
	struct leave l = {.c = c, .name = c->args[0], .root = json_object_new_object()};
	int status = membership_check(c, l.name);

	if (status == COMMAND_FINE && c->keep + c->orphan + c->remove != 1) {
		command_fail(
			c,
			"say what becomes of the objects that were propagated to %s: --keep (as "
			"they are), --orphan (without their label) or --remove (deleted)",
			l.name);
		status = COMMAND_USAGE;
	}
	if (status == COMMAND_FINE)
		status = apiserver_open(&l.host, c);
	if (status == COMMAND_FINE)
		status = find_all(&l);
	if (status == COMMAND_FINE)
		status = find_member(&l);
	if (status == COMMAND_FINE)
		leave(&l);
	return end(&l, status);
}

static bool is_ready(struct json_object *cluster)
{
	return strcmp(condition_status(cluster, "Ready"), "True") == 0;
}

int forget_run(const struct command *c)
{
	struct leave l = {.c = c, .name = c->args[0], .root = json_object_new_object()};
	int status = membership_check(c, l.name);

	if (status == COMMAND_FINE)
		status = apiserver_open(&l.host, c);
	if (status == COMMAND_FINE)
		status = find_all(&l);
	if (status == COMMAND_FINE && is_ready(l.before) && !c->force)
		status =
			command_fail(c,
		                     "%s is ready: unjoin it, or, if it is to be forgotten all the "
		                     "same, --force",
		                     l.name);
	if (status == COMMAND_FINE) {
		tell_all_left(&l);
		if (delete_cluster(&l))
			delete_secrets(&l);
	}
	return end(&l, status);
}
