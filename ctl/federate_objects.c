/* federate_objects.c -- nighctl federate: objects of a file, or of the host, in their federated form. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ctl/command.h"
#include "ctl/contents.h"
#include "ctl/definition.h"
#include "ctl/documents.h"
#include "ctl/federate.h"
#include "ctl/federated.h"
#include "ctl/outlook.h"
#include "ctl/progress.h"
#include "ctl/remote.h"
#include "propagator/jsontree.h"

struct work {
	const struct command *c;
	struct federated_settings settings;
	char *federation;        /* owned: what settings.federation points to */
	struct json_object *out; /* federated objects, and what comes with them */
	struct text warnings;
};

/* "ufp=example.com", as kube-dns was told. */
static bool begin(struct work *w, const struct command *c)
{
	const char *equals = c->federation ? strchr(c->federation, '=') : NULL;

	*w = (struct work){.c = c, .out = json_object_new_array()};
	w->settings = (struct federated_settings){
		.group = c->federated_group ? c->federated_group : DEFINITION_GROUP,
		.version = c->federated_version ? c->federated_version : DEFINITION_VERSION,
		.namespace = c->namespace};
	if (!c->federation)
		return true;
	if (!equals || equals == c->federation || equals[1] == '\0') {
		command_fail(c, "--federation is NAME=ZONE, such as ufp=example.com");
		return false;
	}
	w->federation = xstrndup(c->federation, (size_t)(equals - c->federation));
	w->settings.federation = w->federation;
	w->settings.suffix = equals + 1;
	return true;
}

static int end(struct work *w, int status)
{
	if (w->warnings.len)
		fputs(w->warnings.data, stderr);
	text_fini(&w->warnings);
	json_object_put(w->out);
	free(w->federation);
	return status;
}

static int add(struct work *w, struct json_object *object)
{
	struct reason why = {0};

	if (federated_make(&w->settings, object, w->out, &w->warnings, &why) == ERR_OK)
		return COMMAND_FINE;
	return command_fail(w->c, "%s %s: %s", jsontree_word(object, "kind", NULL),
	                    jsontree_word(object, "metadata", "name", NULL), why.text);
}

/* --- of a file: no server is asked --- */

int federate_file(const struct command *c)
{
	struct json_object *all = NULL;
	struct reason why = {0};
	struct command shown = *c;
	struct work w;
	int status = COMMAND_FINE;

	if (!begin(&w, c))
		return end(&w, COMMAND_USAGE);
	if (documents_read(c->file, &all, &why) != ERR_OK)
		return end(&w, command_fail(c, "%s", why.text));
	for (size_t i = 0; i < jsontree_count(all); i++)
		if (add(&w, jsontree_item(all, i)) != COMMAND_FINE)
			status = COMMAND_FAILED;
	if (command_is_table(c))
		shown.format = PRINT_YAML;
	federate_print(&shown, w.out);
	json_object_put(all);
	return end(&w, status);
}

/* --- of the host --- */

static int write_one(const struct work *w, const struct outlook *o, struct json_object *object)
{
	static const struct kube_resource others[] = {
		{"scheduling.kubefed.io", "v1alpha1", "replicaschedulingpreferences",
	         "ReplicaSchedulingPreference"},
		{"multiclusterdns.kubefed.io", "v1alpha1", "domains", "Domain"},
		{"multiclusterdns.kubefed.io", "v1alpha1", "servicednsrecords",
	         "ServiceDNSRecord"}};
	const char *kind = jsontree_word(object, "kind", NULL);
	const char *name = jsontree_word(object, "metadata", "name", NULL);
	struct kube_resource r = {0};
	struct reason why = {0};
	struct type type = {0};

	if (outlook_type_of(o, object, &type))
		r = apiserver_resource(&type.federated);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(kind, others[i].kind) == 0)
			r = others[i];
	if (apiserver_apply(&o->host, &r, jsontree_text(object, "metadata", "namespace", NULL),
	                    name, object, NULL, &why) != ERR_OK) {
		command_fail(w->c, "%s %s: %s", kind, name, why.text);
	} else {
		progress_hide();
		printf("%s%s %s is written\n", w->c->dry_run ? "not done: " : "", kind, name);
		fflush(stdout);
	}
	type_fini(&type);
	return why.text[0] ? COMMAND_FAILED : COMMAND_FINE;
}

static int write_all(const struct work *w, const struct outlook *o)
{
	size_t count = jsontree_count(w->out);
	struct progress progress;
	int status = COMMAND_FINE;

	if (!command_is_table(w->c)) {
		federate_print(w->c, w->out);
		return COMMAND_FINE;
	}
	progress_begin(&progress, "federating");
	for (size_t i = 0; i < count; i++) {
		progress_show(&progress, i, count);
		if (write_one(w, o, jsontree_item(w->out, i)) != COMMAND_FINE)
			status = COMMAND_FAILED;
	}
	progress_show(&progress, count, count);
	return status;
}

static int add_all_of(struct work *w, const struct outlook *o, const struct type *type,
                      const char *namespace)
{
	const struct kube_resource r = apiserver_resource(&type->target);
	struct json_object *all;
	struct reason why = {0};
	int status = COMMAND_FINE;

	if (apiserver_list(&o->host, &r, namespace, NULL, &all, &why) != ERR_OK)
		return command_fail(w->c, "%s: %s", type->name, why.text);
	w->settings.group = type->federated.group;
	w->settings.version = type->federated.version;
	for (size_t i = 0; i < jsontree_count(all); i++)
		if (!contents_is_made_everywhere(jsontree_item(all, i)) &&
		    add(w, jsontree_item(all, i)) != COMMAND_FINE)
			status = COMMAND_FAILED;
	json_object_put(all);
	return status;
}

static void note_left(const char *type, size_t count, const char *why, void *arg)
{
	struct work *w = arg;

	if (*why)
		text_printf(&w->warnings, "%s: left out: %s: %s\n", w->c->program, type, why);
	else
		text_printf(&w->warnings,
		            "%s: left out: %zu of %s, which are not federated: %s federate enable "
		            "%s, or --enable-types\n",
		            w->c->program, count, type, w->c->program, type);
}

/* Of the types that are enabled: others have no federated kind, and are named. */
static int add_contents(struct work *w, const struct outlook *o, const char *namespace)
{
	struct reason why = {0};
	int status = COMMAND_FINE;

	for (size_t i = 0; i < jsontree_count(o->types); i++) {
		struct type type;

		if (type_read(jsontree_item(o->types, i), &type, NULL) != ERR_OK)
			continue;
		if (type.target.namespaced && add_all_of(w, o, &type, namespace) != COMMAND_FINE)
			status = COMMAND_FAILED;
		type_fini(&type);
	}
	if (contents_each_left(o, namespace, note_left, w, &why) != ERR_OK)
		text_printf(&w->warnings, "%s: not all kinds can be looked at: %s\n", w->c->program,
		            why.text);
	return status;
}

static int add_named(struct work *w, const struct outlook *o, const struct type *type)
{
	const struct kube_resource r = apiserver_resource(&type->target);
	struct json_object *object = NULL;
	struct text namespace = {0};
	struct reason why = {0};
	const char *name;
	int status;

	if (!outlook_split(o, type, &type->target, w->c->args[1], &namespace, &name))
		status = command_fail(w->c, "%s is named %s", r.kind,
		                      type->target.namespaced ? "[NAMESPACE/]NAME" : "NAME");
	else if (w->c->contents && !type_is_namespaces(type))
		status = command_fail(w->c, "--contents is for namespaces");
	else if (apiserver_get(&o->host, &r, namespace.data, name, &object, &why) != ERR_OK)
		status = command_fail(w->c, "%s %s: %s", r.kind, w->c->args[1], why.text);
	else
		status = add(w, object);
	if (status == COMMAND_FINE && w->c->contents)
		status = add_contents(w, o, name);
	json_object_put(object);
	text_fini(&namespace);
	return status;
}

/* --- types that are not enabled yet --- */

static void enable_left(const char *type, size_t count, const char *why, void *arg)
{
	const struct command *c = *(const struct command *const *)arg;

	/* What fails is told, and is left out. */
	if (count && !*why)
		(void)federate_enable(c, type);
}

/* `o` is opened anew. */
static int enable_types(const struct command *c, struct outlook *o)
{
	struct reason why = {0};
	struct type type;
	int status = COMMAND_FINE;

	if (!command_is_table(c) || c->dry_run)
		return command_fail(c, "--enable-types writes types: it does not go with -o json, "
		                       "-o yaml and --dry-run");
	if (outlook_type_named(o, c->args[0], &type))
		type_fini(&type);
	else
		status = federate_enable(c, c->args[0]);
	if (status == COMMAND_FINE && c->contents &&
	    contents_each_left(o, c->args[1], enable_left, &c, &why) != ERR_OK)
		status = command_fail(c, "not all kinds can be looked at: %s", why.text);
	if (status != COMMAND_FINE)
		return status;
	outlook_close(o);
	return outlook_open(o, c);
}

static int write_named(struct work *w, const struct outlook *o)
{
	const struct command *c = w->c;
	struct type type;
	int status;

	if (!outlook_type_named(o, c->args[0], &type))
		return command_fail(c, "%s is not federated: %s federate enable %s", c->args[0],
		                    c->program, c->args[0]);
	w->settings.group = type.federated.group;
	w->settings.version = type.federated.version;
	status = add_named(w, o, &type);
	if (status == COMMAND_FINE)
		status = write_all(w, o);
	type_fini(&type);
	return status;
}

int federate_named(const struct command *c)
{
	struct outlook o;
	struct work w;
	int status = COMMAND_USAGE;

	if (!begin(&w, c))
		return end(&w, status);
	status = outlook_open(&o, c);
	if (status != COMMAND_FINE)
		return end(&w, status);
	if (c->enable_types)
		status = enable_types(c, &o);
	if (status == COMMAND_FINE)
		status = write_named(&w, &o);
	outlook_close(&o);
	return end(&w, status);
}
