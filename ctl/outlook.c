/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outlook.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "ctl/command.h"
#include "ctl/discovery.h"
#include "ctl/federate.h"
#include "ctl/reach.h"
#include "ctl/remote.h"
#include "propagator/ceiling.h"
#include "propagator/jsontree.h"

static void read_config(struct outlook *o)
{
	struct json_object *config = NULL;
	struct reason why;

	/* Without one KubeFed's defaults hold. */
	if (apiserver_get(&o->host, &federate_configs, o->c->namespace, FEDERATE_CONFIG, &config,
	                  &why) != ERR_OK)
		config = NULL;
	o->adopts = strcmp(jsontree_word(config, "spec", "syncController", "adoptResources", NULL),
	                   "Disabled") != 0;
	o->needs_namespace =
		strcmp(jsontree_word(config, "spec", "scope", NULL), "Namespaced") != 0;
	json_object_put(config);
}

int outlook_open(struct outlook *o, const struct command *c)
{
	struct reason why = {0};
	enum err err;
	int status;

	*o = (struct outlook){.c = c};
	status = apiserver_open(&o->host, c);
	if (status != COMMAND_FINE)
		return status;
	CHECK(pthread_mutex_init(&o->host_lock, NULL) == 0);
	err = apiserver_list(&o->host, &federate_type_configs, c->namespace, NULL, &o->types, &why);
	if (!err)
		err = apiserver_list(&o->host, &remote_clusters, c->namespace, NULL, &o->clusters,
		                     &why);
	if (err) {
		status = command_fail(c, "%s: %s: %s%s", o->host.access.server, c->namespace,
		                      why.text, apiserver_hint(err));
		outlook_close(o);
		return status;
	}
	read_config(o);
	o->count = jsontree_count(o->clusters);
	o->members = xcalloc(o->count, sizeof(*o->members));
	for (size_t i = 0; i < o->count; i++) {
		o->members[i].cluster = jsontree_item(o->clusters, i);
		o->members[i].name = jsontree_word(o->members[i].cluster, "metadata", "name", NULL);
	}
	return COMMAND_FINE;
}

void outlook_close(struct outlook *o)
{
	for (size_t i = 0; i < o->count; i++) {
		apiserver_close(&o->members[i].server);
		ceiling_free(o->members[i].ceiling);
	}
	free(o->members);
	apiserver_close(&o->host);
	pthread_mutex_destroy(&o->host_lock);
	json_object_put(o->types);
	json_object_put(o->clusters);
	*o = (struct outlook){0};
}

/* As nigh-propagator takes one that it has not seen before. */
static enum err read_ceiling(const struct outlook *o, struct outlook_member *m)
{
	static const struct kube_resource config_maps = {"", "v1", "configmaps", "ConfigMap"};
	struct json_object *object = NULL;
	enum err err = apiserver_get(&m->server, &config_maps, o->c->namespace, CEILING_NAME,
	                             &object, &m->why);

	if (!err)
		m->ceiling = ceiling_read(object);
	json_object_put(object);
	return err == ERR_NOTFOUND || err == ERR_DENIED ? ERR_OK : err;
}

static enum err reach(struct outlook *o, struct outlook_member *m)
{
	enum err err;

	pthread_mutex_lock(&o->host_lock);
	err = reach_as_host(o->c, &o->host, m->cluster, &m->server, &m->why);
	pthread_mutex_unlock(&o->host_lock);
	return err;
}

enum err outlook_get_host(struct outlook *o, const struct kube_resource *r, const char *namespace,
                          const char *name, struct json_object **out, struct reason *why)
{
	enum err err;

	pthread_mutex_lock(&o->host_lock);
	err = apiserver_get(&o->host, r, namespace, name, out, why);
	pthread_mutex_unlock(&o->host_lock);
	return err;
}

const struct apiserver *outlook_reach(struct outlook *o, size_t member)
{
	struct outlook_member *m = &o->members[member];

	if (!m->is_tried) {
		m->is_tried = true;
		m->is_there = reach(o, m) == ERR_OK &&
		              reach_check(&m->server, m->cluster, &m->why) == ERR_OK &&
		              read_ceiling(o, m) == ERR_OK;
	}
	return m->is_there ? &m->server : NULL;
}

/* --- types --- */

static bool is_kind(const struct type_api *api, const char *word)
{
	return strcasecmp(word, api->kind) == 0 || strcasecmp(word, api->plural) == 0;
}

bool outlook_type_of(const struct outlook *o, struct json_object *federated, struct type *out)
{
	const char *version = jsontree_word(federated, "apiVersion", NULL);
	const char *kind = jsontree_word(federated, "kind", NULL);

	for (size_t i = 0; i < jsontree_count(o->types); i++) {
		size_t len;

		if (type_read(jsontree_item(o->types, i), out, NULL) != ERR_OK)
			continue;
		len = strlen(out->federated.group);
		if (strcmp(kind, out->federated.kind) == 0 &&
		    strncmp(version, out->federated.group, len) == 0 && version[len] == '/')
			return true;
		type_fini(out);
	}
	return false;
}

static bool find_word(const struct outlook *o, const char *word, struct type *out)
{
	for (size_t i = 0; i < jsontree_count(o->types); i++) {
		if (type_read(jsontree_item(o->types, i), out, NULL) != ERR_OK)
			continue;
		if (strcmp(word, out->name) == 0 || is_kind(&out->target, word) ||
		    is_kind(&out->federated, word))
			return true;
		type_fini(out);
	}
	return false;
}

bool outlook_type_named(const struct outlook *o, const char *word, struct type *out)
{
	struct discovery_kind kind = {0};
	struct reason why;
	struct text name = {0};
	bool found = find_word(o, word, out);

	/* A short name, which only the server knows; target or federated kind. */
	if (!found && discovery_find(&o->host, word, &kind, &why) == ERR_OK) {
		text_printf(&name, "%s%s%s", kind.api.plural, kind.api.group[0] ? "." : "",
		            kind.api.group);
		found = find_word(o, name.data, out) || find_word(o, kind.api.kind, out);
	}
	discovery_kind_fini(&kind);
	text_fini(&name);
	return found;
}

/* As kubectl has it: -n, else that of the context. */
static const char *usual_namespace(const struct outlook *o)
{
	if (o->c->object_namespace)
		return o->c->object_namespace;
	return o->host.access.namespace ? o->host.access.namespace : "default";
}

bool outlook_split(const struct outlook *o, const struct type *type, const struct type_api *api,
                   const char *word, struct text *namespace, const char **name)
{
	const char *slash = strchr(word, '/');

	*name = slash ? slash + 1 : word;
	if (slash)
		text_add_bytes(namespace,
		               (struct bytes){(const uint8_t *)word, (size_t)(slash - word)});
	else if (api->namespaced)
		text_add(namespace, type_is_namespaces(type) ? word : usual_namespace(o));
	return **name != '\0' && !strchr(*name, '/') && (namespace->len > 0) == api->namespaced;
}

/* --- placement --- */

struct json_object *outlook_namespace(const struct outlook *o, const char *namespace)
{
	struct json_object *out = NULL;
	struct kube_resource r;
	struct reason why;
	struct type type;

	if (!outlook_type_named(o, "namespaces", &type))
		return NULL;
	r = apiserver_resource(&type.federated);
	if (apiserver_get(&o->host, &r, namespace, namespace, &out, &why) != ERR_OK)
		out = NULL;
	type_fini(&type);
	return out;
}

static enum err place(const struct outlook *o, struct json_object *federated, struct placement *out,
                      struct reason *why)
{
	struct placement_cluster *clusters = xcalloc(o->count, sizeof(*clusters));
	enum err err;

	for (size_t i = 0; i < o->count; i++)
		clusters[i] = (struct placement_cluster){
			o->members[i].name,
			jsontree_get(o->members[i].cluster, "metadata", "labels", NULL)};
	err = placement_of(federated, clusters, o->count, out, why);
	free(clusters);
	return err;
}

enum err outlook_place(const struct outlook *o, const struct type *type,
                       struct json_object *federated, struct json_object *namespace,
                       struct placement *out, struct reason *why)
{
	struct placement outer = {0};
	enum err err = place(o, federated, out, why);

	if (err || !type->target.namespaced || (!namespace && !o->needs_namespace))
		return err;
	if (namespace)
		err = place(o, namespace, &outer, why);
	else
		reason_set(why, ERR_OK, "its namespace is not federated");
	placement_intersect(out, &outer);
	placement_fini(&outer);
	if (err)
		placement_fini(out);
	return err;
}
