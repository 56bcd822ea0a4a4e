/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/definition.h"

#include <ctype.h>
#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/type.h"

/* --- names --- */

static char *lower(const char *text)
{
	char *out = xstrdup(text);

	for (char *at = out; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return out;
}

static char *joined(const char *a, const char *between, const char *b)
{
	struct text out = {0};

	text_printf(&out, "%s%s%s", a, between, b);
	return text_take(&out);
}

static bool is_namespaces(const struct type_api *target)
{
	return target->group[0] == '\0' && strcmp(target->plural, "namespaces") == 0;
}

struct type definition_type(const struct type_api *target, const char *group, const char *version)
{
	return (struct type){
		.name = target->group[0] == '\0' ? xstrdup(target->plural)
	                                         : joined(target->plural, ".", target->group),
		.target = {xstrdup(target->group), xstrdup(target->version), xstrdup(target->kind),
	                   xstrdup(target->plural), target->namespaced},
		/* A FederatedNamespace lives in the namespace that it is about. */
		.federated = {xstrdup(group), xstrdup(version),
	                      joined("Federated", "", target->kind),
	                      joined("federated", "", target->plural),
	                      target->namespaced || is_namespaces(target)},
		.propagation = true};
}

char *definition_crd_name(const struct type *type)
{
	return joined(type->federated.plural, ".", type->federated.group);
}

/* --- the schema --- */

/* X-preserved values may be anything; every list is as KubeFed had it, without keys of its own. */
#define ANY    "{\"x-kubernetes-preserve-unknown-fields\":true}"
#define OBJECT "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}"
#define TEXT   "{\"type\":\"string\"}"
#define TIME   "{\"type\":\"string\",\"format\":\"date-time\"}"

static const char placement_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"clusters\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\"],"
	"\"properties\":{\"name\":" TEXT "}}},"
	"\"clusterSelector\":{\"type\":\"object\",\"properties\":{"
	"\"matchLabels\":{\"type\":\"object\",\"additionalProperties\":" TEXT "},"
	"\"matchExpressions\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
	"\"required\":[\"key\",\"operator\"],\"properties\":{\"key\":" TEXT ",\"operator\":" TEXT
	",\"values\":{\"type\":\"array\",\"items\":" TEXT "}}}}}}}}";

static const char overrides_schema[] =
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	"\"clusterName\":" TEXT ","
	"\"clusterOverrides\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
	"\"required\":[\"path\"],\"properties\":{"
	"\"op\":{\"type\":\"string\",\"pattern\":\"^(add|remove|replace)?$\"},"
	"\"path\":" TEXT ",\"value\":" ANY "}}}}}}";

static const char status_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"observedGeneration\":{\"type\":\"integer\",\"format\":\"int64\"},"
	"\"conditions\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
	"\"required\":[\"type\",\"status\"],\"properties\":{\"type\":" TEXT ",\"status\":" TEXT
	",\"reason\":" TEXT ",\"message\":" TEXT ",\"lastUpdateTime\":" TIME
	",\"lastTransitionTime\":" TIME "}}},"
	"\"clusters\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\"],"
	"\"properties\":{\"name\":" TEXT ",\"status\":" TEXT ",\"remoteStatus\":" OBJECT
	",\"message\":" TEXT ",\"health\":{\"type\":\"object\",\"properties\":{\"status\":" TEXT
	",\"reason\":" TEXT ",\"message\":" TEXT "}}}}}}}";

static struct json_object *parsed(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	CHECK(value != NULL);
	return value;
}

/* KubeFed's rules that no schema says, where they are cheap to hold. */
static struct json_object *rule(const char *expression, const char *message)
{
	struct json_object *rules = json_object_new_array(), *one = json_object_new_object();

	json_object_object_add(one, "rule", json_object_new_string(expression));
	json_object_object_add(one, "message", json_object_new_string(message));
	json_object_array_add(rules, one);
	return rules;
}

static struct json_object *schema_of(const struct type *type, bool has_replicas)
{
	struct json_object *schema = parsed(
		"{\"type\":\"object\",\"required\":[\"spec\"],\"properties\":{"
		"\"apiVersion\":" TEXT ",\"kind\":" TEXT ",\"metadata\":{\"type\":\"object\"},"
		"\"spec\":{\"type\":\"object\",\"properties\":{\"template\":" OBJECT "}}}}");

	jsontree_set(schema, parsed(placement_schema), "properties", "spec", "properties",
	             "placement", NULL);
	jsontree_set(schema, parsed(overrides_schema), "properties", "spec", "properties",
	             "overrides", NULL);
	jsontree_set(schema, parsed(status_schema), "properties", "status", NULL);
	if (has_replicas)
		jsontree_set(schema, parsed("{\"type\":\"boolean\"}"), "properties", "spec",
		             "properties", "retainReplicas", NULL);
	if (is_namespaces(&type->target))
		jsontree_set(schema,
		             rule("!(self.metadata.name in "
		                  "['default', 'kube-system', 'kube-public'])",
		                  "this namespace is never federated"),
		             "x-kubernetes-validations", NULL);
	return schema;
}

/* --- the objects --- */

static struct json_object *names_of(const struct type *type, struct json_object *short_names)
{
	struct json_object *names = json_object_new_object(), *shorts = json_object_new_array();
	char *singular = lower(type->federated.kind);
	char *list = joined(type->federated.kind, "", "List");

	json_object_object_add(names, "kind", json_object_new_string(type->federated.kind));
	json_object_object_add(names, "listKind", json_object_new_string(list));
	json_object_object_add(names, "plural", json_object_new_string(type->federated.plural));
	json_object_object_add(names, "singular", json_object_new_string(singular));
	for (size_t i = 0; i < jsontree_count(short_names); i++) {
		char *name = joined("f", "", jsontree_word(jsontree_item(short_names, i), NULL));

		json_object_array_add(shorts, json_object_new_string(name));
		free(name);
	}
	json_object_object_add(names, "shortNames", shorts);
	free(singular);
	free(list);
	return names;
}

struct json_object *definition_crd(const struct type *type, struct json_object *short_names,
                                   bool has_replicas)
{
	struct json_object *crd = parsed("{\"apiVersion\":\"apiextensions.k8s.io/v1\","
	                                 "\"kind\":\"CustomResourceDefinition\"}");
	struct json_object *version = parsed(
		"{\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},"
		"\"additionalPrinterColumns\":[{\"name\":\"Propagated\",\"type\":"
		"\"string\",\"jsonPath\":\".status.conditions[?(@.type==\\\"Propagation\\\")]"
		".status\"},{\"name\":\"Healthy\",\"type\":\"string\",\"jsonPath\":"
		"\".status.conditions[?(@.type==\\\"Healthy\\\")].status\"},{\"name\":\"Age\","
		"\"type\":\"date\",\"jsonPath\":\".metadata.creationTimestamp\"}]}");
	struct json_object *versions = json_object_new_array();
	char *name = definition_crd_name(type);

	json_object_object_add(version, "name", json_object_new_string(type->federated.version));
	jsontree_set(version, schema_of(type, has_replicas), "schema", "openAPIV3Schema", NULL);
	json_object_array_add(versions, version);
	jsontree_set(crd, json_object_new_string(name), "metadata", "name", NULL);
	jsontree_set(crd, json_object_new_string(type->federated.group), "spec", "group", NULL);
	jsontree_set(crd,
	             json_object_new_string(type->federated.namespaced ? "Namespaced" : "Cluster"),
	             "spec", "scope", NULL);
	jsontree_set(crd, names_of(type, short_names), "spec", "names", NULL);
	jsontree_set(crd, versions, "spec", "versions", NULL);
	free(name);
	return crd;
}

static struct json_object *api_of(const struct type_api *api)
{
	struct json_object *out = json_object_new_object();

	if (api->group[0] != '\0')
		json_object_object_add(out, "group", json_object_new_string(api->group));
	json_object_object_add(out, "version", json_object_new_string(api->version));
	json_object_object_add(out, "kind", json_object_new_string(api->kind));
	json_object_object_add(out, "pluralName", json_object_new_string(api->plural));
	json_object_object_add(out, "scope",
	                       json_object_new_string(api->namespaced ? "Namespaced" : "Cluster"));
	return out;
}

struct json_object *definition_type_config(const struct type *type, const char *namespace)
{
	struct json_object *out = parsed("{\"apiVersion\":\"core.kubefed.io/v1beta1\","
	                                 "\"kind\":\"FederatedTypeConfig\"}");

	jsontree_set(out, json_object_new_string(type->name), "metadata", "name", NULL);
	jsontree_set(out, json_object_new_string(namespace), "metadata", "namespace", NULL);
	jsontree_set(out, json_object_new_string("Enabled"), "spec", "propagation", NULL);
	jsontree_set(out, api_of(&type->target), "spec", "targetType", NULL);
	jsontree_set(out, api_of(&type->federated), "spec", "federatedType", NULL);
	return out;
}

void definition_sign(struct json_object *config, struct json_object *crd)
{
	const char *text = json_object_to_json_string_ext(crd, PLAIN_JSON);
	char sign[20];

	snprintf(sign, sizeof(sign), "%016" PRIx64, hash_fixed(bytes_of(text)));
	jsontree_set(config, json_object_new_string(sign), "metadata", "annotations",
	             TYPE_DEFINITION, NULL);
}

/* --- rivals --- */

static bool are_one_api(const struct type_api *target, struct json_object *other)
{
	static const struct {
		const char *plural, *groups[2];
	} same[] = {
		{"deployments", {"apps", "extensions"}},
		{"daemonsets", {"apps", "extensions"}},
		{"statefulsets", {"apps", "extensions"}},
		{"replicasets", {"apps", "extensions"}},
		{"networkpolicies", {"networking.k8s.io", "extensions"}},
		{"podsecuritypolicies", {"policy", "extensions"}},
		{"ingresses", {"networking.k8s.io", "extensions"}},
	};
	const char *group = jsontree_word(other, "group", NULL);

	if (strcmp(target->kind, jsontree_word(other, "kind", NULL)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (strcmp(same[i].plural, target->plural) == 0 &&
		    (strcmp(target->group, same[i].groups[0]) == 0 ||
		     strcmp(target->group, same[i].groups[1]) == 0))
			return strcmp(group, same[i].groups[0]) == 0 ||
			       strcmp(group, same[i].groups[1]) == 0;
	return false;
}

bool definition_is_rival(struct json_object *type_config, const struct type *type)
{
	struct json_object *target = jsontree_get(type_config, "spec", "targetType", NULL);
	struct json_object *federated = jsontree_get(type_config, "spec", "federatedType", NULL);

	if (strcmp(jsontree_word(type_config, "metadata", "name", NULL), type->name) == 0)
		return false;
	return are_one_api(&type->target, target) ||
	       (strcmp(jsontree_word(federated, "kind", NULL), type->federated.kind) == 0 &&
	        strcmp(jsontree_word(federated, "group", NULL), type->federated.group) == 0);
}
