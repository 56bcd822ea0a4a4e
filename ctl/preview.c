/* preview.c -- nighctl plan and diff: what would happen, and in what members differ from what they should have. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/differences.h"
#include "ctl/documents.h"
#include "ctl/foresee.h"
#include "ctl/grants.h"
#include "ctl/progress.h"
#include "propagator/jsontree.h"

enum { SHOWN_MOST = 3 /* differences in a line of a table */ };

struct preview {
	const struct command *c;
	struct outlook o;
	struct json_object *documents; /* of the file; NULL: diff */
	struct json_object *steps;     /* for JSON */
	struct print_table *table;
	bool has_changes, misses_one, failed;
	const struct type *type; /* of the object that is looked at */
	struct json_object *federated;
	bool is_known; /* it would be as it is: then an unreachable cluster changes nothing */
	bool is_diff;  /* ... but what it has cannot be told */
};

static const struct kube_resource preferences = {"scheduling.kubefed.io", "v1alpha1",
                                                 "replicaschedulingpreferences",
                                                 "ReplicaSchedulingPreference"};

static const char *name_of(struct json_object *object)
{
	return jsontree_word(object, "metadata", "name", NULL);
}

static const char *namespace_of(struct json_object *object)
{
	return jsontree_word(object, "metadata", "namespace", NULL);
}

/* --- what is told --- */

static void print_row(const struct preview *p, const char *kind, const struct foreseen *f)
{
	struct text name = {0}, why = {0};
	const char *namespace = namespace_of(p->federated);

	text_printf(&name, "%s%s%s", namespace, *namespace ? "/" : "", name_of(p->federated));
	text_add(&why, f->why.data ? f->why.data : "");
	if (jsontree_count(f->differences)) {
		text_add(&why, why.len ? ": " : "");
		differences_print(f->differences,
		                  p->c->format == PRINT_WIDE ? SIZE_MAX : SHOWN_MOST, &why);
	}
	print_cell(p->table, foresee_text(f->step));
	print_cell(p->table, kind);
	print_cell(p->table, name.data);
	print_cell(p->table, f->cluster);
	print_cell(p->table, why.data ? why.data : "");
	text_fini(&name);
	text_fini(&why);
}

static void tell(struct preview *p, const char *kind, const struct foreseen *f)
{
	struct json_object *one;

	p->has_changes |= f->step != FORESEE_NOTHING && f->step != FORESEE_UNKNOWN;
	p->has_changes |= f->step == FORESEE_UNKNOWN && !p->is_known;
	p->misses_one |= f->step == FORESEE_UNKNOWN && p->is_diff;
	if (f->step == FORESEE_NOTHING)
		return;
	one = json_object_new_object();
	json_object_object_add(one, "step", json_object_new_string(foresee_text(f->step)));
	json_object_object_add(one, "kind", json_object_new_string(kind));
	json_object_object_add(one, "namespace",
	                       json_object_new_string(namespace_of(p->federated)));
	json_object_object_add(one, "name", json_object_new_string(name_of(p->federated)));
	json_object_object_add(one, "cluster", json_object_new_string(f->cluster));
	json_object_object_add(one, "why", json_object_new_string(f->why.data ? f->why.data : ""));
	if (f->differences)
		json_object_object_add(one, "differences", json_object_get(f->differences));
	json_object_array_add(p->steps, one);
	print_row(p, kind, f);
}

static void on_cluster(const struct foreseen *f, void *arg)
{
	struct preview *p = arg;

	tell(p, p->type->target.kind, f);
}

static void look(struct preview *p, const struct type *type, struct json_object *federated,
                 struct json_object *namespace)
{
	struct reason why = {0};

	p->type = type;
	p->federated = federated;
	if (foresee(&p->o, type, federated, namespace, on_cluster, p, &why) != ERR_OK) {
		command_fail(p->c, "%s %s: %s", type->federated.kind, name_of(federated), why.text);
		p->failed = true;
	}
}

/* --- the object of the host as it would be --- */

/* Placement and replicas are the preference's, where there is one. */
static void keep_schedule(struct preview *p, const struct type *type, struct json_object *live,
                          struct json_object *wish)
{
	static const char *const kept[] = {"placement", "overrides"};
	struct json_object *preference = NULL;
	struct reason why;
	enum err err = apiserver_get(&p->o.host, &preferences, namespace_of(wish), name_of(wish),
	                             &preference, &why);

	if (err == ERR_OK && strcmp(jsontree_word(preference, "spec", "targetKind", NULL),
	                            type->federated.kind) == 0)
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
			struct json_object *value = jsontree_get(live, "spec", kept[i], NULL);

			if (value)
				jsontree_set(wish, jsontree_copy(value), "spec", kept[i], NULL);
		}
	json_object_put(preference);
}

static void merge(struct json_object *from, struct json_object *to, const char *key)
{
	struct json_object *some = jsontree_get(from, "metadata", key, NULL);

	if (!json_object_is_type(some, json_type_object))
		return;
	json_object_object_foreach(some, name, value)
		jsontree_set(to, json_object_get(value), "metadata", key, name, NULL);
}

/* The document in the place of what is there: its spec, what it says of labels and annotations. */
static struct json_object *wish_of(struct preview *p, const struct type *type,
                                   struct json_object *document, struct json_object *live)
{
	struct json_object *wish = jsontree_copy(live ? live : document);
	struct json_object *spec = jsontree_get(document, "spec", NULL);

	if (!live)
		return wish;
	jsontree_set(wish, json_object_get(jsontree_get(document, "apiVersion", NULL)),
	             "apiVersion", NULL);
	jsontree_set(wish, spec ? jsontree_copy(spec) : json_object_new_object(), "spec", NULL);
	merge(document, wish, "labels");
	merge(document, wish, "annotations");
	keep_schedule(p, type, live, wish);
	return wish;
}

/* The file has that namespace itself. */
static bool brings_namespace(const struct preview *p, const char *name)
{
	for (size_t i = 0; i < jsontree_count(p->documents); i++) {
		struct json_object *one = jsontree_item(p->documents, i);

		if (strcmp(jsontree_word(one, "kind", NULL), "Namespace") == 0 &&
		    strcmp(jsontree_word(one, "apiVersion", NULL), "v1") == 0 &&
		    strcmp(name_of(one), name) == 0)
			return true;
	}
	return false;
}

/* As it is there now; *live is NULL when it is not. */
static enum err read_live(const struct preview *p, const struct type *type,
                          struct json_object *document, struct json_object **live,
                          struct reason *why)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	const char *namespace = type->federated.namespaced ? namespace_of(document) : NULL;
	enum err err = apiserver_get(&p->o.host, &r, namespace, name_of(document), live, why);

	return err == ERR_NOTFOUND ? ERR_OK : err;
}

struct trial {
	struct preview *p;
	const struct type *type;
	struct json_object *document;
};

static enum err try_once(struct json_object *live, void *arg, struct json_object **after,
                         struct reason *why)
{
	const struct trial *t = arg;
	const struct kube_resource r = apiserver_resource(&t->type->federated);
	struct json_object *wish = wish_of(t->p, t->type, t->document, live);
	const char *namespace = t->type->federated.namespaced ? namespace_of(wish) : NULL;
	struct apiserver dry = t->p->o.host;
	enum err err;

	dry.dry_run = true;
	if (live)
		err = apiserver_replace(&dry, &r, namespace, name_of(wish), wish, after, why);
	else
		err = apiserver_create(&dry, &r, namespace, NULL, NULL, wish, after, why);
	json_object_put(wish);
	return err;
}

/* As its server would store it.  NULL: it is refused, which is told.  *live may be read again. */
static struct json_object *try_on_host(struct preview *p, const struct type *type,
                                       struct json_object *document, struct json_object **live)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	const char *namespace = type->federated.namespaced ? namespace_of(document) : NULL;
	struct trial trial = {p, type, document};
	struct json_object *after = NULL;
	struct reason why = {0};
	enum err err = apiserver_attempt(&p->o.host, &r, namespace, name_of(document), live,
	                                 try_once, &trial, &after, &why);

	if (err == ERR_NOTFOUND && !*live && type->federated.namespaced &&
	    strstr(why.text, "namespaces"))
		return wish_of(p, type, document, NULL); /* look_at_host() says so */
	if (err) {
		command_fail(p->c, "%s %s/%s: %s", type->federated.kind, namespace_of(document),
		             name_of(document), why.text);
		p->failed = true;
	}
	return after;
}

/* --- namespaces --- */

/* The document of that federated kind, namespace and name. */
static struct json_object *find_document(const struct preview *p, const struct type *type,
                                         const char *namespace, const char *name)
{
	for (size_t i = 0; i < jsontree_count(p->documents); i++) {
		struct json_object *one = jsontree_item(p->documents, i);
		struct type its;
		bool found = strcmp(namespace_of(one), namespace) == 0 &&
		             strcmp(name_of(one), name) == 0 && outlook_type_of(&p->o, one, &its);

		if (!found)
			continue;
		found = strcmp(its.name, type->name) == 0;
		type_fini(&its);
		if (found)
			return one;
	}
	return NULL;
}

/* The FederatedNamespace of the file, else of the host; the caller puts it. */
static struct json_object *find_namespace(const struct preview *p, const char *namespace)
{
	struct json_object *out = NULL;
	struct type type;

	if (outlook_type_named(&p->o, "namespaces", &type)) {
		out = json_object_get(find_document(p, &type, namespace, namespace));
		type_fini(&type);
	}
	return out ? out : outlook_namespace(&p->o, namespace);
}

static void look_at_type_in(struct preview *p, const struct type *type,
                            struct json_object *namespace)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	const char *name = name_of(namespace);
	struct json_object *all;
	struct progress progress;
	struct reason why = {0};
	size_t count;
	enum err err = apiserver_list(&p->o.host, &r, name, NULL, &all, &why);

	/* A type whose federated kind is not there has no objects. */
	if (err && err != ERR_NOTFOUND) {
		command_fail(p->c, "%s of %s: %s", r.plural, name, why.text);
		p->failed = true;
	}
	count = jsontree_count(all);
	progress_begin(&progress, r.plural);
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = jsontree_item(all, i);

		progress_show(&progress, i, count);
		if (!find_document(p, type, name, name_of(one)))
			look(p, type, one, namespace);
	}
	progress_show(&progress, count, count);
	json_object_put(all);
}

/* What is in a namespace goes where that goes. */
static void look_at_contents(struct preview *p, struct json_object *namespace)
{
	for (size_t i = 0; i < jsontree_count(p->o.types); i++) {
		struct type type;

		if (type_read(jsontree_item(p->o.types, i), &type, NULL) != ERR_OK)
			continue;
		if (type.target.namespaced && type.propagation)
			look_at_type_in(p, &type, namespace);
		type_fini(&type);
	}
}

/* --- one document --- */

/* A FederatedNamespace makes the namespace in members only. */
static void miss_namespace(const struct preview *p, const struct type *type, struct foreseen *f)
{
	const char *name = namespace_of(p->federated);
	struct json_object *own = NULL;
	struct reason why;
	enum err err;

	if (!type->federated.namespaced || brings_namespace(p, name))
		return;
	err = apiserver_get(&p->o.host, &grants_namespaces, NULL, name, &own, &why);
	json_object_put(own);
	if (err != ERR_NOTFOUND)
		return;
	f->step = FORESEE_REFUSED;
	text_printf(&f->why, "the host has no namespace %s: kubectl create namespace %s", name,
	            name);
}

/* Its wrong placement is told by look(). */
static void tell_nowhere(struct preview *p, const struct type *type, struct json_object *namespace,
                         struct foreseen *f)
{
	struct placement placement = {0};
	struct reason why = {0};

	if (f->step == FORESEE_NOTHING || f->why.len ||
	    outlook_place(&p->o, type, p->federated, namespace, &placement, &why) != ERR_OK)
		return;
	for (size_t i = 0; i < placement.unknown_count; i++)
		text_printf(&f->why, "%sthere is no cluster %s", f->why.len ? "; " : "",
		            placement.unknown[i]);
	if (placement.count == 0)
		text_printf(&f->why, "%sit goes to no cluster%s%s", f->why.len ? "; " : "",
		            why.text[0] ? ": " : "", why.text);
	placement_fini(&placement);
}

static void look_at_host(struct preview *p, const struct type *type, struct json_object *live,
                         struct json_object *after, struct json_object *namespace)
{
	struct foreseen f = {.cluster = "(host)", .step = FORESEE_CREATE};

	if (live) {
		f.differences = differences_between(live, after);
		if (type_is_secrets(type))
			differences_hide(f.differences);
		f.step = jsontree_count(f.differences) ? FORESEE_UPDATE : FORESEE_NOTHING;
	}
	p->federated = after;
	if (!live)
		miss_namespace(p, type, &f);
	tell_nowhere(p, type, namespace, &f);
	p->is_known = f.step == FORESEE_NOTHING;
	tell(p, type->federated.kind, &f);
	text_fini(&f.why);
	json_object_put(f.differences);
}

static void look_at_document(struct preview *p, const struct type *type,
                             struct json_object *document)
{
	struct json_object *live = NULL, *after, *own = NULL;
	struct reason why = {0};

	if (read_live(p, type, document, &live, &why) != ERR_OK) {
		command_fail(p->c, "%s %s: %s", type->federated.kind, name_of(document), why.text);
		p->failed = true;
		return;
	}
	after = try_on_host(p, type, document, &live);
	if (after) {
		if (type->target.namespaced)
			own = find_namespace(p, namespace_of(document));
		look_at_host(p, type, live, after, own);
		look(p, type, after, own);
		if (type_is_namespaces(type))
			look_at_contents(p, after);
	}
	json_object_put(own);
	json_object_put(live);
	json_object_put(after);
}

static void look_at_documents(struct preview *p)
{
	size_t count = jsontree_count(p->documents);
	struct progress progress;

	progress_begin(&progress, "planning");
	for (size_t i = 0; i < count; i++) {
		struct json_object *document = jsontree_item(p->documents, i);
		struct type type;

		progress_show(&progress, i, count);
		if (!outlook_type_of(&p->o, document, &type)) {
			progress_hide();
			fprintf(stderr, "%s: left out, as it is of no federated kind: %s %s\n",
			        p->c->program, jsontree_word(document, "kind", NULL),
			        name_of(document));
			continue;
		}
		look_at_document(p, &type, document);
		type_fini(&type);
	}
	progress_show(&progress, count, count);
}

/* --- both commands --- */

static int open_preview(struct preview *p, const struct command *c)
{
	static const char *const heads[] = {"STEP", "KIND", "OBJECT", "CLUSTER", "WHY"};
	int status = outlook_open(&p->o, c);

	if (status != COMMAND_FINE)
		return status;
	p->c = c;
	p->steps = json_object_new_array();
	p->table = print_table_new(heads, 5);
	return COMMAND_FINE;
}

static int close_preview(struct preview *p, const char *nothing)
{
	struct json_object *root = json_object_new_object();
	struct text out = {0};

	print_table_end(p->table, &out);
	if (!out.len && !p->failed)
		text_add(&out, nothing);
	json_object_object_add(root, "steps", p->steps);
	command_tell(p->c, root, out.data ? out.data : "");
	json_object_put(root);
	json_object_put(p->documents);
	text_fini(&out);
	outlook_close(&p->o);
	if (p->failed || (p->misses_one && !p->has_changes))
		return COMMAND_FAILED;
	return p->has_changes ? COMMAND_CHANGES : COMMAND_FINE;
}

int plan_run(const struct command *c)
{
	struct preview p = {0};
	struct reason why = {0};
	int status;

	if (!c->file) {
		fprintf(stderr, "usage: %s plan -f FILE\n", c->program);
		return COMMAND_FAILED;
	}
	if (documents_read(c->file, &p.documents, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	status = open_preview(&p, c);
	if (status != COMMAND_FINE) {
		json_object_put(p.documents);
		return status;
	}
	look_at_documents(&p);
	return close_preview(&p, "nothing would change\n");
}

static void look_at_named(struct preview *p, const struct type *type)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	struct text namespace = {0};
	struct json_object *live = NULL, *own = NULL;
	struct reason why = {0};
	const char *name;

	if (!outlook_split(&p->o, type, &type->federated, p->c->args[1], &namespace, &name)) {
		command_fail(p->c, "%s is named %s", type->federated.kind,
		             type->federated.namespaced ? "[NAMESPACE/]NAME" : "NAME");
		p->failed = true;
	} else if (apiserver_get(&p->o.host, &r, namespace.data, name, &live, &why) != ERR_OK) {
		command_fail(p->c, "%s %s%s%s: %s", type->federated.kind,
		             namespace.data ? namespace.data : "", namespace.data ? "/" : "", name,
		             why.text);
		p->failed = true;
	} else {
		if (type->target.namespaced)
			own = outlook_namespace(&p->o, namespace.data);
		p->is_known = true;
		look(p, type, live, own);
	}
	json_object_put(own);
	json_object_put(live);
	text_fini(&namespace);
}

int diff_run(const struct command *c)
{
	struct preview p = {0};
	struct type type;
	int status = open_preview(&p, c);

	if (status != COMMAND_FINE)
		return status;
	p.is_diff = true;
	if (outlook_type_named(&p.o, c->args[0], &type)) {
		look_at_named(&p, &type);
		type_fini(&type);
	} else {
		command_fail(c, "no FederatedTypeConfig is about %s", c->args[0]);
		p.failed = true;
	}
	return close_preview(&p, "the members have what they should have\n");
}
