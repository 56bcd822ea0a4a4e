/* federate_types.c -- nighctl federate enable and disable: which types are propagated. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/apiserver.h"
#include "ctl/command.h"
#include "ctl/definition.h"
#include "ctl/discovery.h"
#include "ctl/federate.h"
#include "ctl/membership.h"
#include "ctl/remote.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"

const struct kube_resource federate_type_configs = {"core.kubefed.io", "v1beta1",
                                                    "federatedtypeconfigs", "FederatedTypeConfig"};
const struct kube_resource federate_configs = {"core.kubefed.io", "v1beta1", "kubefedconfigs",
                                               "KubeFedConfig"};
const struct kube_resource federate_definitions = {
	"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"};

enum { WAIT_MS = 30000, PAUSE_MS = 200 };

static void rest(void)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000L};

	nanosleep(&pause, NULL);
}

/* What is one thing to say, in whatever form. */
static void tell(const struct command *c, const char *kind, const char *name, const char *what)
{
	if (command_is_table(c))
		printf("%s%s %s is %s\n", c->dry_run ? "not done: " : "", kind, name, what);
}

/* --- enable --- */

/* A member of nighctl join grants what the types of then need. */
static void tell_who_grants(const struct command *c, const struct apiserver *s)
{
	struct json_object *all;
	struct reason why;

	if (!command_is_table(c) || c->dry_run ||
	    apiserver_list(s, &remote_clusters, c->namespace, NULL, &all, &why) != ERR_OK)
		return;
	for (size_t i = 0; i < jsontree_count(all); i++) {
		struct json_object *one = jsontree_item(all, i);

		if (jsontree_text(one, "metadata", "annotations", MEMBERSHIP_READER, NULL))
			fprintf(stderr,
			        "%s: cluster %s, if it joined before, grants it after nighctl join "
			        "%s --rotate\n",
			        c->program, jsontree_word(one, "metadata", "name", NULL),
			        jsontree_word(one, "metadata", "name", NULL));
	}
	json_object_put(all);
}

static int refuse_rivals(const struct command *c, const struct apiserver *s,
                         const struct type *type)
{
	struct json_object *all;
	struct reason why = {0};
	const char *rival = NULL;
	int status = COMMAND_FINE;
	enum err err = apiserver_list(s, &federate_type_configs, c->namespace, NULL, &all, &why);

	if (err)
		return command_fail(c, "FederatedTypeConfigs of %s: %s%s", c->namespace, why.text,
		                    apiserver_hint(err));
	for (size_t i = 0; !rival && i < jsontree_count(all); i++)
		if (definition_is_rival(jsontree_item(all, i), type))
			rival = jsontree_word(jsontree_item(all, i), "metadata", "name", NULL);
	if (rival)
		status = command_fail(c,
		                      "%s: FederatedTypeConfig %s propagates the same already; "
		                      "federate disable it first",
		                      type->name, rival);
	json_object_put(all);
	return status;
}

static bool is_established(struct json_object *crd)
{
	return strcmp(condition_status(crd, "Established"), "True") == 0;
}

static enum err await_established(const struct apiserver *s, const char *name, struct reason *why)
{
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;
	bool is_ready = s->dry_run;
	enum err err = ERR_OK;

	while (!err && !is_ready) {
		struct json_object *crd;

		err = apiserver_get(s, &federate_definitions, NULL, name, &crd, why);
		is_ready = is_established(crd);
		json_object_put(crd);
		if (!err && !is_ready && clock_monotonic_ms() > end_ms)
			err = reason_set(why, ERR_TIMEOUT, "it is not established");
		if (!is_ready)
			rest();
	}
	return err;
}

/* A moment later it is also answered for: until then 404, and 429 while its storage begins. */
static enum err await_served(const struct apiserver *s, const struct type *type, struct reason *why)
{
	const struct kube_resource r = apiserver_resource(&type->federated);
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;
	enum err err = ERR_OK;

	while (!s->dry_run) {
		struct json_object *none;

		err = apiserver_list(s, &r, NULL, "nigh.dev/none", &none, why);
		json_object_put(none);
		/* Who may not list it may enable it. */
		if (err == ERR_OK || err == ERR_DENIED)
			return ERR_OK;
		if (clock_monotonic_ms() > end_ms)
			break;
		rest();
	}
	return err;
}

static int write_type(const struct command *c, const struct apiserver *s, const struct type *type,
                      struct json_object *crd, struct json_object *config)
{
	char *name = definition_crd_name(type);
	struct reason why = {0};
	int status = COMMAND_FINE;
	enum err err = apiserver_apply(s, &federate_definitions, NULL, name, crd, NULL, &why);

	if (!err)
		err = await_established(s, name, &why);
	if (!err)
		err = await_served(s, type, &why);
	if (err)
		status = command_fail(c, "CustomResourceDefinition %s: %s", name, why.text);
	else
		tell(c, "CustomResourceDefinition", name, "written");
	if (!err && apiserver_apply(s, &federate_type_configs, c->namespace, type->name, config,
	                            NULL, &why) != ERR_OK)
		status = command_fail(c, "FederatedTypeConfig %s: %s", type->name, why.text);
	else if (!err)
		tell(c, "FederatedTypeConfig", type->name, "enabled");
	if (status == COMMAND_FINE)
		tell_who_grants(c, s);
	free(name);
	return status;
}

void federate_print(const struct command *c, struct json_object *list)
{
	struct json_object *whole = json_object_new_object();
	struct text out = {0};

	if (c->format == PRINT_JSON) {
		json_object_object_add(whole, "apiVersion", json_object_new_string("v1"));
		json_object_object_add(whole, "kind", json_object_new_string("List"));
		json_object_object_add(whole, "items", json_object_get(list));
		print_json(whole, &out);
	} else {
		for (size_t i = 0; i < jsontree_count(list); i++) {
			text_add(&out, i ? "---\n" : "");
			print_yaml(jsontree_item(list, i), &out);
		}
	}
	fputs(out.data ? out.data : "", stdout);
	text_fini(&out);
	json_object_put(whole);
}

static int enable(const struct command *c, const struct apiserver *s, const char *word)
{
	struct discovery_kind kind = {0};
	struct json_object *both, *crd, *config;
	struct reason why = {0};
	struct type type;
	int status;

	if (discovery_find(s, word, &kind, &why) != ERR_OK)
		return command_fail(c, "%s: %s", s->access.server, why.text);
	type = definition_type(&kind.api,
	                       c->federated_group ? c->federated_group : DEFINITION_GROUP,
	                       c->federated_version ? c->federated_version : DEFINITION_VERSION);
	crd = definition_crd(&type, kind.short_names, kind.has_scale);
	config = definition_type_config(&type, c->namespace);
	definition_sign(config, crd);
	both = json_object_new_array();
	json_object_array_add(both, crd);
	json_object_array_add(both, config);
	status = refuse_rivals(c, s, &type);
	if (status == COMMAND_FINE && command_is_table(c))
		status = write_type(c, s, &type, crd, config);
	else if (status == COMMAND_FINE)
		federate_print(c, both);
	json_object_put(both);
	type_fini(&type);
	discovery_kind_fini(&kind);
	return status;
}

int federate_enable(const struct command *c, const char *word)
{
	struct apiserver s;
	int status = apiserver_open(&s, c);

	if (status != COMMAND_FINE)
		return status;
	status = enable(c, &s, word);
	apiserver_close(&s);
	return status;
}

/* --- disable --- */

/* The FederatedTypeConfig of that name, or whose target the word means. */
static enum err find_config(const struct command *c, const struct apiserver *s, const char *word,
                            struct json_object **out, struct reason *why)
{
	struct discovery_kind kind = {0};
	struct type type;
	enum err err = apiserver_get(s, &federate_type_configs, c->namespace, word, out, why);

	if (err != ERR_NOTFOUND)
		return err;
	if (discovery_find(s, word, &kind, why) != ERR_OK)
		return reason_set(why, ERR_NOTFOUND, "there is no FederatedTypeConfig %s", word);
	type = definition_type(&kind.api, DEFINITION_GROUP, DEFINITION_VERSION);
	err = apiserver_get(s, &federate_type_configs, c->namespace, type.name, out, why);
	type_fini(&type);
	discovery_kind_fini(&kind);
	return err;
}

static int refuse_leftovers(const struct command *c, const struct apiserver *s,
                            const struct type *type)
{
	const struct kube_resource federated = apiserver_resource(&type->federated);
	struct json_object *all;
	struct reason why = {0};
	size_t count;
	enum err err = apiserver_list(s, &federated, NULL, NULL, &all, &why);

	if (err == ERR_NOTFOUND)
		return COMMAND_FINE;
	if (err)
		return command_fail(c, "%s: %s", type->federated.plural, why.text);
	count = jsontree_count(all);
	json_object_put(all);
	if (count == 0)
		return COMMAND_FINE;
	return command_fail(c,
	                    "--delete-crd: there are %zu %s, which would be deleted with their "
	                    "kind; delete them first",
	                    count, type->federated.plural);
}

/* As long as its controller runs, what is deleted would be deleted in the members as well. */
static enum err await_end(const struct command *c, const struct apiserver *s, const char *name,
                          struct reason *why)
{
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;
	bool is_over = s->dry_run || c->force;
	enum err err = ERR_OK;

	while (!err && !is_over) {
		struct json_object *config;

		err = apiserver_get(s, &federate_type_configs, c->namespace, name, &config, why);
		is_over = strcmp(jsontree_word(config, "status", "propagationController", NULL),
		                 "Running") != 0;
		json_object_put(config);
		if (!err && !is_over && clock_monotonic_ms() > end_ms)
			err = reason_set(why, ERR_TIMEOUT,
			                 "its propagationController is Running still; is "
			                 "nigh-propagator there? (--force does not wait)");
		if (!is_over)
			rest();
	}
	return err;
}

static enum err stop_type(const struct command *c, const struct apiserver *s, const char *name,
                          struct reason *why)
{
	struct json_object *patch = json_object_new_object();
	enum err err;

	jsontree_set(patch, json_object_new_string("Disabled"), "spec", "propagation", NULL);
	err = apiserver_merge(s, &federate_type_configs, c->namespace, name, patch, why);
	json_object_put(patch);
	if (!err)
		err = await_end(c, s, name, why);
	if (!err)
		err = apiserver_delete(s, &federate_type_configs, c->namespace, name, why);
	return err;
}

/* Told, and for -o json noted. */
static void tell_deleted(const struct command *c, struct json_object *list, const char *kind,
                         const char *name)
{
	struct json_object *one = json_object_new_object();

	json_object_object_add(one, "kind", json_object_new_string(kind));
	json_object_object_add(one, "name", json_object_new_string(name));
	json_object_array_add(list, one);
	tell(c, kind, name, "deleted");
}

static int delete_type(const struct command *c, const struct apiserver *s, const struct type *type,
                       struct json_object *list)
{
	char *crd = definition_crd_name(type);
	struct reason why = {0};
	int status = c->delete_crd ? refuse_leftovers(c, s, type) : COMMAND_FINE;

	if (status == COMMAND_FINE && stop_type(c, s, type->name, &why) != ERR_OK)
		status = command_fail(c, "FederatedTypeConfig %s: %s", type->name, why.text);
	else if (status == COMMAND_FINE)
		tell_deleted(c, list, "FederatedTypeConfig", type->name);
	if (status == COMMAND_FINE && c->delete_crd) {
		if (apiserver_delete(s, &federate_definitions, NULL, crd, &why) != ERR_OK)
			status = command_fail(c, "CustomResourceDefinition %s: %s", crd, why.text);
		else
			tell_deleted(c, list, "CustomResourceDefinition", crd);
	}
	free(crd);
	return status;
}

static int disable(const struct command *c, const struct apiserver *s, const struct type *type)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	int status = delete_type(c, s, type, list);

	json_object_object_add(root, "type", json_object_new_string(type->name));
	json_object_object_add(root, "deleted", list);
	json_object_object_add(root, "dryRun", json_object_new_boolean(c->dry_run));
	command_tell(c, root, "");
	json_object_put(root);
	return status;
}

int federate_disable(const struct command *c, const char *word)
{
	struct json_object *config = NULL;
	struct reason why = {0};
	struct apiserver s;
	struct type type;
	int status = apiserver_open(&s, c);

	if (status != COMMAND_FINE)
		return status;
	if (find_config(c, &s, word, &config, &why) != ERR_OK ||
	    type_read(config, &type, &why) != ERR_OK) {
		status = command_fail(c, "%s: %s", s.access.server, why.text);
	} else {
		status = disable(c, &s, &type);
		type_fini(&type);
	}
	json_object_put(config);
	apiserver_close(&s);
	return status;
}
