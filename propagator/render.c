/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/render.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "propagator/jsontree.h"
#include "propagator/override.h"
#include "propagator/retain.h"

/* --- template --- */

/* What of metadata only a server writes, or says of one object of one cluster. */
static const char *const of_server[] = {"resourceVersion",
                                        "uid",
                                        "generation",
                                        "creationTimestamp",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds",
                                        "managedFields",
                                        "selfLink",
                                        NULL};

static bool drop(struct json_object *metadata, const char *key)
{
	struct json_object *value = jsontree_get(metadata, key, NULL);
	bool said = value != NULL;

	if (json_object_is_type(value, json_type_array))
		said = json_object_array_length(value) > 0;
	else if (json_object_is_type(value, json_type_object))
		said = json_object_object_length(value) > 0;
	json_object_object_del(metadata, key);
	return said;
}

/* The template's metadata; an error when it, or the labels in it, are something else. */
static enum err check_template(struct json_object *tmpl, struct reason *why)
{
	struct json_object *metadata = jsontree_get(tmpl, "metadata", NULL);
	struct json_object *labels = jsontree_get(metadata, "labels", NULL);

	if (tmpl && !json_object_is_type(tmpl, json_type_object))
		return reason_set(why, ERR_PARSE, "spec.template is %s, not an object",
		                  jsontree_kind(tmpl));
	if (metadata && !json_object_is_type(metadata, json_type_object))
		return reason_set(why, ERR_PARSE, "spec.template.metadata is %s, not an object",
		                  jsontree_kind(metadata));
	if (labels && !json_object_is_type(labels, json_type_object))
		return reason_set(why, ERR_PARSE,
		                  "spec.template.metadata.labels is %s, not an object",
		                  jsontree_kind(labels));
	if (!jsontree_is_exact(tmpl))
		return reason_set(why, ERR_RANGE,
		                  "spec.template has a whole number of more than 64 bits");
	return ERR_OK;
}

/* For overrides to add to; nothing in it, and it is sent to nobody. */
static void make_annotations(struct json_object *object)
{
	if (!jsontree_get(object, "metadata", "annotations", NULL))
		jsontree_set(object, json_object_new_object(), "metadata", "annotations", NULL);
}

static void drop_empty_annotations(struct json_object *object)
{
	struct json_object *annotations = jsontree_get(object, "metadata", "annotations", NULL);

	if (json_object_is_type(annotations, json_type_object) &&
	    json_object_object_length(annotations) == 0)
		json_object_object_del(jsontree_get(object, "metadata", NULL), "annotations");
}

static void copy_template(struct json_object *tmpl, struct render *out)
{
	struct json_object *metadata;

	out->object = tmpl ? jsontree_copy(tmpl) : json_object_new_object();
	metadata = jsontree_get(out->object, "metadata", NULL);
	if (!metadata) {
		metadata = json_object_new_object();
		jsontree_set(out->object, metadata, "metadata", NULL);
	}
	out->dropped_annotations = drop(metadata, "annotations");
	make_annotations(out->object);
	out->dropped_finalizers = drop(metadata, "finalizers");
	for (size_t i = 0; of_server[i]; i++)
		json_object_object_del(metadata, of_server[i]);
	json_object_object_del(metadata, "generateName");
	json_object_object_del(metadata, "namespace");
}

/* --- identity --- */

static enum err check_identity(const struct type *type, const char *name, const char *namespace,
                               struct reason *why)
{
	if (!name || name[0] == '\0')
		return reason_set(why, ERR_PARSE, "metadata.name is missing");
	if (type->federated.namespaced && (!namespace || namespace[0] == '\0'))
		return reason_set(why, ERR_PARSE, "metadata.namespace is missing");
	if (type_is_namespaces(type) && strcmp(name, namespace) != 0)
		return reason_set(why, ERR_CONFLICT, "a %s must have the name of its namespace, %s",
		                  type->federated.kind, namespace);
	return ERR_OK;
}

static void set_identity(const struct type *type, const char *name, const char *namespace,
                         struct json_object *object)
{
	const char *said = jsontree_text(object, "apiVersion", NULL);

	jsontree_set(object, json_object_new_string(name), "metadata", "name", NULL);
	if (type->target.namespaced)
		jsontree_set(object, json_object_new_string(namespace), "metadata", "namespace",
		             NULL);
	jsontree_set(object, json_object_new_string(type->target.kind), "kind", NULL);
	if (!said || said[0] == '\0') {
		char *version = type_api_version(&type->target);

		jsontree_set(object, json_object_new_string(version), "apiVersion", NULL);
		free(version);
	}
}

enum err render_build(const struct type *type, struct json_object *federated, struct render *out,
                      struct reason *why)
{
	struct json_object *tmpl = jsontree_get(federated, "spec", "template", NULL);
	struct json_object *replicas = jsontree_get(federated, "spec", "retainReplicas", NULL);
	const char *name = jsontree_text(federated, "metadata", "name", NULL);
	const char *namespace = jsontree_text(federated, "metadata", "namespace", NULL);
	enum err err = check_template(tmpl, why);

	*out = (struct render){0};
	if (err == ERR_OK)
		err = check_identity(type, name, namespace, why);
	if (err == ERR_OK && replicas && !json_object_is_type(replicas, json_type_boolean))
		err = reason_set(why, ERR_PARSE, "spec.retainReplicas is %s",
		                 jsontree_kind(replicas));
	if (err != ERR_OK)
		return err;
	copy_template(tmpl, out);
	set_identity(type, name, namespace, out->object);
	out->retain_replicas = json_object_get_boolean(replicas);
	return ERR_OK;
}

void render_fini(struct render *r)
{
	json_object_put(r->object);
	*r = (struct render){0};
}

/* --- for a cluster --- */

/* Overrides of "/metadata" as a whole are let through by their path, but not another identity: it would be written
 * over an object that is not ours. */
static bool same_identity(struct json_object *base, struct json_object *object)
{
	static const char *const keys[] = {"name", "namespace", NULL};

	for (size_t i = 0; keys[i]; i++)
		if (!json_object_equal(jsontree_get(base, "metadata", keys[i], NULL),
		                       jsontree_get(object, "metadata", keys[i], NULL)))
			return false;
	return json_object_equal(jsontree_get(base, "kind", NULL),
	                         jsontree_get(object, "kind", NULL));
}

static enum err set_label(struct json_object *object, struct reason *why)
{
	struct json_object *labels = jsontree_get(object, "metadata", "labels", NULL);

	if (labels && !json_object_is_type(labels, json_type_object))
		return reason_set(why, ERR_PARSE, "metadata.labels is %s, not an object",
		                  jsontree_kind(labels));
	jsontree_set(object, json_object_new_string("true"), "metadata", "labels", RENDER_LABEL,
	             NULL);
	return ERR_OK;
}

static enum err finish(struct json_object *base, struct json_object *federated, const char *cluster,
                       struct json_object **out, struct reason *why)
{
	struct json_object *object;
	enum err err = override_apply(federated, cluster, base, &object, why);

	*out = NULL;
	if (err != ERR_OK)
		return err;
	if (!same_identity(base, object))
		err = reason_set(why, ERR_DENIED, "an override changes name, namespace or kind");
	if (err == ERR_OK)
		err = set_label(object, why);
	if (err != ERR_OK) {
		reason_prefix(why, "cluster '%s': ", cluster);
		json_object_put(object);
		return err;
	}
	drop_empty_annotations(object);
	*out = object;
	return ERR_OK;
}

enum err render_for(const struct render *r, struct json_object *federated, const char *cluster,
                    struct json_object **out, struct reason *why)
{
	return finish(r->object, federated, cluster, out, why);
}

bool render_retains_replicas(const struct render *r, struct json_object *federated,
                             const char *cluster)
{
	return r->retain_replicas && !override_touches(federated, cluster, "/spec/replicas");
}

enum err render_over(const struct type *type, const struct render *r, struct json_object *federated,
                     const char *cluster, struct json_object *existing, struct json_object **out,
                     bool *retained, struct reason *why)
{
	struct json_object *base = jsontree_copy(r->object);
	enum err err = retain(&type->target, r->retain_replicas, existing, base, why);

	*out = NULL;
	*retained = err == ERR_OK;
	make_annotations(base);
	if (err == ERR_OK)
		err = finish(base, federated, cluster, out, why);
	else
		reason_prefix(why, "cluster '%s': ", cluster);
	json_object_put(base);
	return err;
}
