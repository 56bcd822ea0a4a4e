/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/federated.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <string.h>
#include <strings.h>

#include "propagator/jsontree.h"

#define V1_SELECTOR   "federation.alpha.kubernetes.io/cluster-selector"
#define V1_INGRESSES  "federation.kubernetes.io/service-ingresses"
#define V1_DEPLOYMENT "federation.kubernetes.io/deployment-preferences"
#define V1_REPLICASET "federation.kubernetes.io/replica-set-preferences"
#define V1_JOB        "federation.kubernetes.io/job-preferences"
#define V1_ORPHAN     "orphan" /* a finalizer */

enum { V1_TTL_S = 180 };

static struct json_object *text_value(const char *text) { return json_object_new_string(text); }

static const char *name_of(struct json_object *object)
{
	return jsontree_word(object, "metadata", "name", NULL);
}

static const char *kind_of(struct json_object *object)
{
	return jsontree_word(object, "kind", NULL);
}

static struct json_object *new_object(const char *api_version, const char *kind,
                                      const char *namespace, const char *name)
{
	struct json_object *out = json_object_new_object();

	jsontree_set(out, text_value(api_version), "apiVersion", NULL);
	jsontree_set(out, text_value(kind), "kind", NULL);
	jsontree_set(out, text_value(name), "metadata", "name", NULL);
	if (*namespace)
		jsontree_set(out, text_value(namespace), "metadata", "namespace", NULL);
	return out;
}

static void warn(struct text *warnings, struct json_object *object, const char *what,
                 const char *detail)
{
	text_printf(warnings, "%s %s: %s%s\n", kind_of(object), name_of(object), what, detail);
}

/* --- the template --- */

static void drop(struct json_object *object, const char *key)
{
	if (json_object_is_type(object, json_type_object))
		json_object_object_del(object, key);
}

/* What belongs to the cluster that the object comes from. */
static void drop_local(struct json_object *object, struct json_object *template)
{
	struct json_object *spec = jsontree_get(template, "spec", NULL);
	struct json_object *ports = jsontree_get(spec, "ports", NULL);
	const char *kind = kind_of(object);

	if (strcmp(kind, "Service") == 0) {
		drop(spec, "clusterIP");
		drop(spec, "clusterIPs");
		for (size_t i = 0; i < jsontree_count(ports); i++)
			drop(jsontree_item(ports, i), "nodePort");
	} else if (strcmp(kind, "ServiceAccount") == 0) {
		drop(template, "secrets");
	} else if (strcmp(kind, "Namespace") == 0) {
		drop(spec, "finalizers");
	}
}

static struct json_object *template_of(struct json_object *object)
{
	struct json_object *template = jsontree_copy(object);
	struct json_object *labels = jsontree_get(object, "metadata", "labels", NULL);

	drop(template, "apiVersion");
	drop(template, "kind");
	drop(template, "status");
	drop(template, "metadata");
	if (labels)
		jsontree_set(template, jsontree_copy(labels), "metadata", "labels", NULL);
	drop_local(object, template);
	return template;
}

static bool is_understood(const char *annotation)
{
	return strstr(annotation, "federation.kubernetes.io/") == annotation ||
	       strstr(annotation, "federation.alpha.kubernetes.io/") == annotation ||
	       strcmp(annotation, "kubectl.kubernetes.io/last-applied-configuration") == 0;
}

static void warn_of_annotations(struct json_object *object, struct text *warnings)
{
	struct json_object *annotations = jsontree_get(object, "metadata", "annotations", NULL);

	if (!json_object_is_type(annotations, json_type_object))
		return;
	json_object_object_foreach(annotations, name, value)
	{
		(void)value;
		if (!is_understood(name))
			warn(warnings, object,
			     "templates have no annotations, this one is lost: ", name);
	}
	if (jsontree_text(annotations, V1_JOB, NULL))
		warn(warnings, object, "every cluster gets the whole Job; lost: ", V1_JOB);
}

/* --- where it goes --- */

/* A requirement of Federation v1 as one of a label selector; NULL: there is none that says it. */
static struct json_object *requirement_of(struct json_object *v1)
{
	static const struct {
		const char *v1, *operator;
	} same[] = {{"in", "In"},
	            {"notin", "NotIn"},
	            {"exists", "Exists"},
	            {"!", "DoesNotExist"},
	            {"doesnotexist", "DoesNotExist"},
	            {"=", "In"},
	            {"==", "In"},
	            {"!=", "NotIn"}};
	struct json_object *values = jsontree_get(v1, "values", NULL), *out = NULL;
	const char *operator= jsontree_word(v1, "operator", NULL);

	for (size_t i = 0; !out && i < sizeof(same) / sizeof(same[0]); i++) {
		if (strcasecmp(operator, same[i].v1) != 0)
			continue;
		out = json_object_new_object();
		jsontree_set(out, text_value(jsontree_word(v1, "key", NULL)), "key", NULL);
		jsontree_set(out, text_value(same[i].operator), "operator", NULL);
		if (jsontree_count(values))
			jsontree_set(out, jsontree_copy(values), "values", NULL);
	}
	return out;
}

static enum err place_by_v1(const char *annotation, struct json_object *selector,
                            struct reason *why)
{
	struct json_object *v1 = json_tokener_parse(annotation);
	struct json_object *list = json_object_new_array();
	enum err err = ERR_OK;

	if (!json_object_is_type(v1, json_type_array))
		err = reason_set(why, ERR_PARSE, V1_SELECTOR " is no list of requirements");
	for (size_t i = 0; !err && i < jsontree_count(v1); i++) {
		struct json_object *one = requirement_of(jsontree_item(v1, i));

		if (one)
			json_object_array_add(list, one);
		else
			err = reason_set(why, ERR_UNSUPPORTED,
			                 V1_SELECTOR
			                 ": no label selector has the operator '%s': give the "
			                 "clusters a label for it",
			                 jsontree_word(jsontree_item(v1, i), "operator", NULL));
	}
	jsontree_set(selector, list, "matchExpressions", NULL);
	json_object_put(v1);
	return err;
}

/* Everywhere, unless its annotation says less. */
static enum err place(struct json_object *object, struct json_object *federated, struct reason *why)
{
	const char *annotation =
		jsontree_text(object, "metadata", "annotations", V1_SELECTOR, NULL);
	struct json_object *selector = json_object_new_object();

	jsontree_set(federated, selector, "spec", "placement", "clusterSelector", NULL);
	if (annotation)
		return place_by_v1(annotation, selector, why);
	jsontree_set(selector, json_object_new_object(), "matchLabels", NULL);
	return ERR_OK;
}

/* --- how many replicas --- */

/* Go reads keys in whatever case. */
static struct json_object *find_word(struct json_object *object, const char *key)
{
	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_foreach(object, name,
	                           value) if (strcasecmp(name, key) == 0) return value;
	return NULL;
}

static struct json_object *preferences_of(struct json_object *v1)
{
	static const char *const keys[] = {"minReplicas", "maxReplicas", "weight"};
	struct json_object *clusters = find_word(v1, "clusters");
	struct json_object *out = json_object_new_object();

	if (!json_object_is_type(clusters, json_type_object))
		return out;
	json_object_object_foreach(clusters, name, one)
	{
		jsontree_set(out, json_object_new_object(), name, NULL);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct json_object *value = find_word(one, keys[i]);

			if (value)
				jsontree_set(out, json_object_get(value), name, keys[i], NULL);
		}
	}
	return out;
}

static void add_preference(struct json_object *object, struct json_object *federated,
                           struct json_object *out, struct text *warnings)
{
	const char *key = strcmp(kind_of(object), "Deployment") == 0   ? V1_DEPLOYMENT
	                  : strcmp(kind_of(object), "ReplicaSet") == 0 ? V1_REPLICASET
	                                                               : NULL;
	const char *annotation =
		key ? jsontree_text(object, "metadata", "annotations", key, NULL) : NULL;
	struct json_object *v1, *preference, *clusters;

	if (!annotation)
		return;
	v1 = json_tokener_parse(annotation);
	if (!json_object_is_type(v1, json_type_object))
		warn(warnings, object, "not readable, so that all clusters weigh the same: ", key);
	preference =
		new_object("scheduling.kubefed.io/v1alpha1", "ReplicaSchedulingPreference",
	                   jsontree_word(object, "metadata", "namespace", NULL), name_of(object));
	jsontree_set(preference, text_value(kind_of(federated)), "spec", "targetKind", NULL);
	jsontree_set(preference,
	             json_object_new_int64(jsontree_int(object, 1, "spec", "replicas", NULL)),
	             "spec", "totalReplicas", NULL);
	if (json_object_get_boolean(find_word(v1, "rebalance")))
		jsontree_set(preference, json_object_new_boolean(true), "spec", "rebalance", NULL);
	clusters = preferences_of(v1);
	if (json_object_object_length(clusters) == 0)
		jsontree_set(clusters, json_object_new_int(1), "*", "weight", NULL);
	jsontree_set(preference, clusters, "spec", "clusters", NULL);
	/* It must not go where the selector does not. */
	if (jsontree_get(federated, "spec", "placement", "clusterSelector", "matchExpressions",
	                 NULL))
		jsontree_set(preference, json_object_new_boolean(true), "spec",
		             "intersectWithClusterSelector", NULL);
	json_object_array_add(out, preference);
	json_object_put(v1);
}

/* --- its names --- */

static bool has_domain(struct json_object *out, const char *name)
{
	for (size_t i = 0; i < jsontree_count(out); i++) {
		struct json_object *one = jsontree_item(out, i);

		if (strcmp(kind_of(one), "Domain") == 0 && strcmp(name_of(one), name) == 0)
			return true;
	}
	return false;
}

static void add_names(const struct federated_settings *settings, struct json_object *object,
                      struct json_object *out)
{
	struct json_object *record;

	if (!settings->federation || strcmp(kind_of(object), "Service") != 0 ||
	    strcmp(jsontree_word(object, "spec", "type", NULL), "LoadBalancer") != 0)
		return;
	if (!has_domain(out, settings->federation)) {
		struct json_object *domain =
			new_object("multiclusterdns.kubefed.io/v1alpha1", "Domain",
		                   settings->namespace, settings->federation);

		jsontree_set(domain, text_value(settings->suffix), "domain", NULL);
		json_object_array_add(out, domain);
	}
	record = new_object("multiclusterdns.kubefed.io/v1alpha1", "ServiceDNSRecord",
	                    jsontree_word(object, "metadata", "namespace", NULL), name_of(object));
	jsontree_set(record, text_value(settings->federation), "spec", "domainRef", NULL);
	jsontree_set(record, json_object_new_int(V1_TTL_S), "spec", "recordTTL", NULL);
	json_object_array_add(out, record);
}

/* --- all of it --- */

static void keep_orphaning(struct json_object *object, struct json_object *federated)
{
	struct json_object *list = jsontree_get(object, "metadata", "finalizers", NULL);

	for (size_t i = 0; i < jsontree_count(list); i++)
		if (strcmp(jsontree_word(jsontree_item(list, i), NULL), V1_ORPHAN) == 0)
			jsontree_set(federated, text_value("true"), "metadata", "annotations",
			             "kubefed.io/orphan", NULL);
}

enum err federated_make(const struct federated_settings *settings, struct json_object *object,
                        struct json_object *out, struct text *warnings, struct reason *why)
{
	const char *kind = kind_of(object), *name = name_of(object);
	bool is_namespace = strcmp(kind, "Namespace") == 0;
	struct json_object *federated;
	struct text own_kind = {0}, version = {0};
	enum err err;

	if (!*kind || !*name)
		return reason_set(why, ERR_PARSE, "an object without %s", *kind ? "name" : "kind");
	text_printf(&own_kind, "Federated%s", kind);
	text_printf(&version, "%s/%s", settings->group, settings->version);
	federated = new_object(
		version.data, own_kind.data,
		is_namespace ? name : jsontree_word(object, "metadata", "namespace", NULL), name);
	jsontree_set(federated, template_of(object), "spec", "template", NULL);
	err = place(object, federated, why);
	if (!err) {
		keep_orphaning(object, federated);
		json_object_array_add(out, json_object_get(federated));
		add_preference(object, federated, out, warnings);
		add_names(settings, object, out);
		warn_of_annotations(object, warnings);
	}
	json_object_put(federated);
	text_fini(&own_kind);
	text_fini(&version);
	return err;
}
