/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/grants.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"
#include "propagator/type.h"

const struct kube_resource grants_accounts = {"", "v1", "serviceaccounts", "ServiceAccount"};
const struct kube_resource grants_secrets = {"", "v1", "secrets", "Secret"};
const struct kube_resource grants_namespaces = {"", "v1", "namespaces", "Namespace"};
const struct kube_resource grants_config_maps = {"", "v1", "configmaps", "ConfigMap"};

#define RBAC "rbac.authorization.k8s.io"
static const struct kube_resource cluster_roles = {RBAC, "v1", "clusterroles", "ClusterRole"};
const struct kube_resource grants_cluster_bindings = {RBAC, "v1", "clusterrolebindings",
                                                      "ClusterRoleBinding"};
static const struct kube_resource roles = {RBAC, "v1", "roles", "Role"};
static const struct kube_resource bindings = {RBAC, "v1", "rolebindings", "RoleBinding"};

/* --- names --- */

void grants_name(struct grants_names *out, const char *cluster, const char *host,
                 const char *namespace, bool compatible)
{
	*out = (struct grants_names){0};
	text_printf(&out->writer, "%s%s-%s", compatible ? "" : "nigh-", cluster, host);
	text_printf(&out->writer_role, "%s:%s-%s",
	            compatible ? "kubefed-controller-manager" : "nigh-propagator", cluster, host);
	if (compatible) {
		text_printf(&out->writer_beside, "kubefed-controller-manager:%s:healthcheck-%s-%s",
		            namespace, cluster, host);
		return;
	}
	text_printf(&out->writer_beside, "nigh-propagator:%s:%s-%s", namespace, cluster, host);
	text_printf(&out->reader_beside, "nigh-reader:%s:%s-%s", namespace, cluster, host);
	text_printf(&out->reader, "nigh-reader-%s-%s", cluster, host);
	text_printf(&out->reader_role, "nigh-reader:%s-%s", cluster, host);
}

void grants_names_fini(struct grants_names *n)
{
	text_fini(&n->writer);
	text_fini(&n->reader);
	text_fini(&n->writer_role);
	text_fini(&n->reader_role);
	text_fini(&n->writer_beside);
	text_fini(&n->reader_beside);
}

/* --- what may be done --- */

static struct json_object *parsed(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	CHECK(value != NULL);
	return value;
}

static struct json_object *rule_of_group(struct json_object *rules, const char *group)
{
	struct json_object *rule;

	for (size_t i = 0; i < jsontree_count(rules); i++) {
		rule = jsontree_item(rules, i);
		if (strcmp(jsontree_word(jsontree_item(jsontree_get(rule, "apiGroups", NULL), 0),
		                         NULL),
		           group) == 0)
			return rule;
	}
	rule = parsed("{\"apiGroups\":[],\"resources\":[],\"verbs\":[\"get\",\"list\",\"watch\","
	              "\"create\",\"update\",\"patch\",\"delete\"]}");
	json_object_array_add(jsontree_get(rule, "apiGroups", NULL), json_object_new_string(group));
	json_object_array_add(rules, rule);
	return rule;
}

/* What nigh-propagator does beside its types: health and why, replicas that fit, and Events; whether the server is well,
 * and where it is. */
static const char in_namespaces[] =
	"[{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
	"{\"apiGroups\":[\"\"],\"resources\":[\"events\"],"
	"\"verbs\":[\"create\",\"patch\",\"list\"]}]";
static const char of_cluster[] =
	"[{\"apiGroups\":[\"\"],\"resources\":[\"nodes\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
	"{\"nonResourceURLs\":[\"/healthz\",\"/livez\",\"/readyz\",\"/version\"],"
	"\"verbs\":[\"get\"]}]";

/* Takes `more`. */
static void add_all(struct json_object *rules, struct json_object *more)
{
	for (size_t i = 0; i < jsontree_count(more); i++)
		json_object_array_add(rules, json_object_get(jsontree_item(more, i)));
	json_object_put(more);
}

/* As nigh-propagator has it: in one namespace there is neither what has none, nor are there namespaces. */
bool grants_reach(enum grants_scope scope, const struct type *type)
{
	return scope == GRANTS_CLUSTER || (type->target.namespaced && !type_is_namespaces(type));
}

static struct json_object *rules_of(struct json_object *type_configs, enum grants_scope scope)
{
	struct json_object *rules = json_object_new_array();

	for (size_t i = 0; i < jsontree_count(type_configs); i++) {
		struct json_object *rule;
		struct type type;

		if (type_read(jsontree_item(type_configs, i), &type, NULL) != ERR_OK)
			continue;
		if (type.propagation && grants_reach(scope, &type)) {
			rule = rule_of_group(rules, type.target.group);
			json_object_array_add(jsontree_get(rule, "resources", NULL),
			                      json_object_new_string(type.target.plural));
		}
		type_fini(&type);
	}
	add_all(rules, parsed(in_namespaces));
	return rules;
}

/* As deploy/kubernetes/member/reader.yaml, which has both. */
static const char reader_nodes[] =
	"[{\"apiGroups\":[\"\"],\"resources\":[\"nodes\"],\"verbs\":[\"get\",\"list\",\"watch\"]}]";
static const char reader_rules[] =
	"[{\"apiGroups\":[\"\"],\"resources\":[\"services\"],"
	"\"verbs\":[\"get\",\"list\",\"watch\"]},"
	"{\"apiGroups\":[\"discovery.k8s.io\"],\"resources\":[\"endpointslices\"],"
	"\"verbs\":[\"get\",\"list\",\"watch\"]},"
	"{\"apiGroups\":[\"networking.k8s.io\"],\"resources\":[\"ingresses\"],"
	"\"verbs\":[\"get\",\"list\",\"watch\"]}]";

static const char ceiling_rules[] =
	"[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],"
	"\"resourceNames\":[\"nigh-ceiling\"],\"verbs\":[\"get\",\"list\",\"watch\"]}]";

static struct json_object *names_of(const char *one, const char *other)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string(one));
	if (other)
		json_object_array_add(list, json_object_new_string(other));
	return list;
}

/* So that nigh-propagator makes new tokens before these end, and unjoin can tell the member from the host. */
static struct json_object *own_rules(const struct grants_names *names, const char *namespace)
{
	struct json_object *rules = parsed(ceiling_rules);
	struct json_object *tokens = parsed("{\"apiGroups\":[\"\"],\"resources\":["
	                                    "\"serviceaccounts/token\"],\"verbs\":[\"create\"]}");
	struct json_object *own = parsed("{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\"],"
	                                 "\"verbs\":[\"get\"]}");

	json_object_object_add(tokens, "resourceNames",
	                       names_of(names->writer.data, names->reader.data));
	json_object_object_add(own, "resourceNames", names_of(namespace, NULL));
	json_object_array_add(rules, tokens);
	json_object_array_add(rules, own);
	return rules;
}

static const char compatible_rules[] =
	"[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]},"
	"{\"nonResourceURLs\":[\"*\"],\"verbs\":[\"get\"]}]";
static const char compatible_in_namespace[] =
	"[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]}]";
/* KubeFed's verb was "Get", which is none. */
static const char compatible_health[] =
	"[{\"nonResourceURLs\":[\"/healthz\"],\"verbs\":[\"get\"]},"
	"{\"apiGroups\":[\"\"],\"resources\":[\"nodes\"],\"verbs\":[\"list\"]}]";

/* --- the objects --- */

static struct json_object *add(struct grants *g, const struct kube_resource *resource,
                               const char *namespace, const char *name)
{
	struct grant *grant = &g->list[g->count++];
	struct json_object *object = json_object_new_object();
	struct text api_version = {0};

	CHECK(g->count <= GRANTS_MOST);
	*grant = (struct grant){resource, namespace != NULL, xstrdup(name), object};
	text_printf(&api_version, "%s%s%s", resource->group, resource->group[0] ? "/" : "",
	            resource->version);
	jsontree_set(object, json_object_new_string(api_version.data), "apiVersion", NULL);
	jsontree_set(object, json_object_new_string(resource->kind), "kind", NULL);
	jsontree_set(object, json_object_new_string(name), "metadata", "name", NULL);
	if (namespace)
		jsontree_set(object, json_object_new_string(namespace), "metadata", "namespace",
		             NULL);
	text_fini(&api_version);
	return object;
}

static void add_account(struct grants *g, const char *namespace, const char *name)
{
	struct json_object *account = add(g, &grants_accounts, namespace, name);

	/* No pod uses it. */
	jsontree_set(account, json_object_new_boolean(false), "automountServiceAccountToken", NULL);
}

static void add_role(struct grants *g, const char *role_namespace, const char *role,
                     struct json_object *take_rules, const char *namespace, const char *account)
{
	struct json_object *object =
		add(g, role_namespace ? &roles : &cluster_roles, role_namespace, role);
	struct json_object *subject = json_object_new_object();
	struct json_object *subjects = json_object_new_array();

	jsontree_set(object, take_rules, "rules", NULL);
	object =
		add(g, role_namespace ? &bindings : &grants_cluster_bindings, role_namespace, role);
	jsontree_set(object, json_object_new_string(RBAC), "roleRef", "apiGroup", NULL);
	jsontree_set(object, json_object_new_string(role_namespace ? "Role" : "ClusterRole"),
	             "roleRef", "kind", NULL);
	jsontree_set(object, json_object_new_string(role), "roleRef", "name", NULL);
	json_object_object_add(subject, "kind", json_object_new_string("ServiceAccount"));
	json_object_object_add(subject, "name", json_object_new_string(account));
	json_object_object_add(subject, "namespace", json_object_new_string(namespace));
	json_object_array_add(subjects, subject);
	jsontree_set(object, subjects, "subjects", NULL);
}

/* What is about namespaces, and what has none; in all of the cluster one role has both. */
static void add_roles(struct grants *g, enum grants_scope scope, const char *role,
                      const char *beside, struct json_object *take_rules,
                      const char *rules_of_cluster, const char *namespace, const char *account)
{
	if (scope == GRANTS_CLUSTER) {
		add_all(take_rules, parsed(rules_of_cluster));
		add_role(g, NULL, role, take_rules, namespace, account);
		return;
	}
	add_role(g, namespace, role, take_rules, namespace, account);
	add_role(g, NULL, beside, parsed(rules_of_cluster), namespace, account);
	if (scope == GRANTS_ANY)
		add_role(g, NULL, role, parsed(rules_of_cluster), namespace, account);
}

void grants_make(struct grants *out, const struct grants_names *names, const char *namespace,
                 enum grants_scope scope, struct json_object *type_configs)
{
	*out = (struct grants){0};
	add(out, &grants_namespaces, NULL, namespace);
	add_account(out, namespace, names->writer.data);
	add_roles(out, scope, names->writer_role.data, names->writer_beside.data,
	          rules_of(type_configs, scope), of_cluster, namespace, names->writer.data);
	add_role(out, namespace, names->writer.data, own_rules(names, namespace), namespace,
	         names->writer.data);
	add_account(out, namespace, names->reader.data);
	add_roles(out, scope, names->reader_role.data, names->reader_beside.data,
	          parsed(reader_rules), reader_nodes, namespace, names->reader.data);
}

void grants_make_compatible(struct grants *out, const struct grants_names *names,
                            const char *namespace, enum grants_scope scope)
{
	const char *account = names->writer.data, *role = names->writer_role.data;
	struct json_object *secret;

	*out = (struct grants){0};
	add(out, &grants_namespaces, NULL, namespace);
	add_account(out, namespace, account);
	secret = add(out, &grants_secrets, namespace, account);
	jsontree_set(secret, json_object_new_string("kubernetes.io/service-account-token"), "type",
	             NULL);
	jsontree_set(secret, json_object_new_string(account), "metadata", "annotations",
	             "kubernetes.io/service-account.name", NULL);
	if (scope != GRANTS_NAMESPACED)
		add_role(out, NULL, role, parsed(compatible_rules), namespace, account);
	if (scope == GRANTS_CLUSTER)
		return;
	add_role(out, namespace, role, parsed(compatible_in_namespace), namespace, account);
	add_role(out, NULL, names->writer_beside.data, parsed(compatible_health), namespace,
	         account);
}

bool grants_have(const struct grants *g, const struct grant *one)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->list[i].resource == one->resource && strcmp(g->list[i].name, one->name) == 0)
			return true;
	return false;
}

bool grants_are_anothers(struct json_object *binding, const char *namespace)
{
	struct json_object *subjects = jsontree_get(binding, "subjects", NULL);
	size_t count = jsontree_count(subjects);

	for (size_t i = 0; i < count; i++)
		if (strcmp(jsontree_word(jsontree_item(subjects, i), "namespace", NULL),
		           namespace) == 0)
			return false;
	return count > 0;
}

void grants_fini(struct grants *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->list[i].name);
		json_object_put(g->list[i].object);
	}
	*g = (struct grants){0};
}
