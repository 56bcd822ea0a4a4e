/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/retain.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <string.h>

#include "propagator/field_manager.h"
#include "propagator/jsontree.h"

enum { LIST_MOST = 1000 }; /* ports and webhooks that are compared: each with each */

/* --- fields --- */

static bool is(const struct type_api *target, const char *group, const char *kind)
{
	return strcmp(target->group, group) == 0 && strcmp(target->kind, kind) == 0;
}

static struct json_object *in_spec(struct json_object *object, const char *key)
{
	return jsontree_get(object, "spec", key, NULL);
}

static bool is_empty(struct json_object *value)
{
	return !value ||
	       (json_object_is_type(value, json_type_string) &&
	        json_object_get_string_len(value) == 0) ||
	       (json_object_is_type(value, json_type_array) &&
	        json_object_array_length(value) == 0);
}

static enum err wrong(const char *path, struct json_object *value, struct reason *why)
{
	return reason_set(why, ERR_PARSE, "%s is %s", path, jsontree_kind(value));
}

/* The member's value, whatever the template says: of what can not be changed. */
static void keep(struct json_object *existing, struct json_object *desired, const char *key)
{
	struct json_object *value = in_spec(existing, key);

	if (!is_empty(value))
		jsontree_set(desired, jsontree_copy(value), "spec", key, NULL);
}

/* The member's value where the template has none: of what was filled in there. */
static void keep_missing(struct json_object *existing, struct json_object *desired,
                         const char *const *keys)
{
	for (; *keys; keys++)
		if (is_empty(in_spec(desired, *keys)))
			keep(existing, desired, *keys);
}

static size_t length_of(struct json_object *list)
{
	size_t length =
		json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	return length < LIST_MOST ? length : LIST_MOST;
}

/* --- Service --- */

/* The type that it will be of; "": who can say. */
static const char *service_type(struct json_object *existing, struct json_object *desired)
{
	const char *wanted = jsontree_text(desired, "spec", "type", NULL);

	if (wanted && wanted[0] != '\0')
		return wanted;
	return jsontree_text(existing, "spec", "type", NULL) ? "ClusterIP" : "";
}

static const char *protocol_of(struct json_object *port)
{
	const char *protocol = jsontree_text(port, "protocol", NULL);

	return protocol && protocol[0] != '\0' ? protocol : "TCP";
}

static bool same_port(struct json_object *a, struct json_object *b)
{
	const char *in_a = jsontree_text(a, "name", NULL), *in_b = jsontree_text(b, "name", NULL);

	return strcmp(in_a ? in_a : "", in_b ? in_b : "") == 0 &&
	       strcmp(protocol_of(a), protocol_of(b)) == 0 &&
	       json_object_equal(jsontree_get(a, "port", NULL), jsontree_get(b, "port", NULL));
}

/* Where the template says no node port itself. */
static void keep_node_port(struct json_object *ports, struct json_object *port)
{
	struct json_object *wanted = jsontree_get(port, "nodePort", NULL);

	if (!json_object_is_type(port, json_type_object) || json_object_get_int64(wanted) > 0)
		return;
	for (size_t i = 0; i < length_of(ports); i++) {
		struct json_object *other = json_object_array_get_idx(ports, i);
		struct json_object *node_port = jsontree_get(other, "nodePort", NULL);

		if (node_port && same_port(port, other)) {
			jsontree_set(port, jsontree_copy(node_port), "nodePort", NULL);
			return;
		}
	}
}

static enum err check_service(struct json_object *existing, struct reason *why)
{
	struct json_object *check = in_spec(existing, "healthCheckNodePort");
	struct json_object *ip = in_spec(existing, "clusterIP");
	struct json_object *ips = in_spec(existing, "clusterIPs");
	struct json_object *ports = in_spec(existing, "ports");

	if (check && !json_object_is_type(check, json_type_int))
		return wrong("spec.healthCheckNodePort", check, why);
	if (ip && !json_object_is_type(ip, json_type_string))
		return wrong("spec.clusterIP", ip, why);
	if (ips && !json_object_is_type(ips, json_type_array))
		return wrong("spec.clusterIPs", ips, why);
	if (ports && !json_object_is_type(ports, json_type_array))
		return wrong("spec.ports", ports, why);
	return ERR_OK;
}

static enum err retain_service(struct json_object *existing, struct json_object *desired,
                               struct reason *why)
{
	static const char *const families[] = {"ipFamilies", "ipFamilyPolicy", "loadBalancerClass",
	                                       NULL};
	const char *type = service_type(existing, desired);
	struct json_object *ports = in_spec(desired, "ports");
	enum err err = check_service(existing, why);

	/* A name elsewhere has no address, and what it had is given back. */
	if (err != ERR_OK || strcmp(type, "ExternalName") == 0)
		return err;
	keep(existing, desired, "clusterIP");
	keep(existing, desired, "clusterIPs");
	keep_missing(existing, desired, families);
	/* Nor has one that becomes ClusterIP ports of nodes. */
	if (strcmp(type, "ClusterIP") == 0)
		return ERR_OK;
	if (json_object_get_int64(in_spec(existing, "healthCheckNodePort")) > 0)
		keep(existing, desired, "healthCheckNodePort");
	for (size_t i = 0; i < length_of(ports); i++)
		keep_node_port(in_spec(existing, "ports"), json_object_array_get_idx(ports, i));
	return ERR_OK;
}

/* --- other kinds --- */

/* Else the token controller of the member makes a new one after each write. */
static enum err retain_service_account(struct json_object *existing, struct json_object *desired,
                                       struct reason *why)
{
	struct json_object *secrets = jsontree_get(existing, "secrets", NULL);
	struct json_object *pull = jsontree_get(existing, "imagePullSecrets", NULL);

	if (secrets && !json_object_is_type(secrets, json_type_array))
		return wrong("secrets", secrets, why);
	if (is_empty(jsontree_get(desired, "secrets", NULL)) && !is_empty(secrets))
		jsontree_set(desired, jsontree_copy(secrets), "secrets", NULL);
	/* OpenShift's controller fills in both. */
	if (is_empty(jsontree_get(desired, "imagePullSecrets", NULL)) && !is_empty(pull))
		jsontree_set(desired, jsontree_copy(pull), "imagePullSecrets", NULL);
	return ERR_OK;
}

/* The selector that the member's server has made, and the labels it selects. */
static void retain_job(struct json_object *existing, struct json_object *desired)
{
	static const char *const generated[] = {"selector", "completions", NULL};
	static const char *const labels[] = {"controller-uid", "job-name",
	                                     "batch.kubernetes.io/controller-uid",
	                                     "batch.kubernetes.io/job-name", NULL};
	struct json_object *have =
		jsontree_get(existing, "spec", "template", "metadata", "labels", NULL);

	keep_missing(existing, desired, generated);
	for (size_t i = 0; labels[i]; i++) {
		struct json_object *value = jsontree_get(have, labels[i], NULL);

		if (value && !jsontree_get(desired, "spec", "template", "metadata", "labels",
		                           labels[i], NULL))
			jsontree_set(desired, jsontree_copy(value), "spec", "template", "metadata",
			             "labels", labels[i], NULL);
	}
}

/* Was that field of the spec last set by what we applied? */
static bool is_ours(struct json_object *existing, const char *field)
{
	struct json_object *managed = jsontree_get(existing, "metadata", "managedFields", NULL);

	for (size_t i = 0; i < jsontree_count(managed); i++) {
		struct json_object *entry = jsontree_item(managed, i);

		if (strcmp(jsontree_word(entry, "manager", NULL), FIELD_MANAGER) == 0 &&
		    jsontree_get(entry, "fieldsV1", "f:spec", field, NULL))
			return true;
	}
	return false;
}

/* spec.replicas, where something in the member says how many: as the federated object says, or no template does, or did. */
static enum err retain_replicas(bool retains, struct json_object *existing,
                                struct json_object *desired, struct reason *why)
{
	struct json_object *replicas = in_spec(existing, "replicas");
	bool is_count = json_object_is_type(replicas, json_type_int);

	if (retains && replicas && !is_count)
		return wrong("spec.replicas", replicas, why);
	if (retains ||
	    (is_count && !in_spec(desired, "replicas") && !is_ours(existing, "f:replicas")))
		keep(existing, desired, "replicas");
	return ERR_OK;
}

/* --- Pod --- */

static bool has_item(struct json_object *list, size_t count, const char *id, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(jsontree_word(jsontree_item(list, i), id, NULL), word) == 0)
			return true;
	return false;
}

/* What begins so, and no template has, was added to the list in the member: behind its own, as there. */
static void keep_added(struct json_object *existing, struct json_object *desired, const char *list,
                       const char *id, const char *beginning)
{
	struct json_object *have = jsontree_get(existing, list, NULL);
	struct json_object *want = jsontree_get(desired, list, NULL);
	size_t own = length_of(want);

	for (size_t i = 0; i < length_of(have); i++) {
		struct json_object *item = json_object_array_get_idx(have, i);
		const char *word = jsontree_word(item, id, NULL);

		if (strncmp(word, beginning, strlen(beginning)) != 0 ||
		    has_item(want, own, id, word))
			continue;
		if (!json_object_is_type(want, json_type_array)) {
			want = json_object_new_array();
			jsontree_set(desired, want, list, NULL);
		}
		json_object_array_add(want, jsontree_copy(item));
	}
}

static void keep_mounts(struct json_object *have, struct json_object *want)
{
	for (size_t i = 0; i < length_of(want); i++) {
		struct json_object *container = json_object_array_get_idx(want, i);
		const char *name = jsontree_word(container, "name", NULL);

		for (size_t j = 0; j < length_of(have); j++) {
			struct json_object *other = json_object_array_get_idx(have, j);

			if (json_object_is_type(container, json_type_object) &&
			    strcmp(name, jsontree_word(other, "name", NULL)) == 0)
				keep_added(other, container, "volumeMounts", "mountPath",
				           "/var/run/secrets/kubernetes.io/serviceaccount");
		}
	}
}

/* Nearly all of it is immutable, also what admission and the scheduler of the member have written. */
static void retain_pod(struct json_object *existing, struct json_object *desired)
{
	static const char *const given[] = {"nodeName",          "serviceAccountName",
	                                    "serviceAccount",    "imagePullSecrets",
	                                    "priorityClassName", "priority",
	                                    "preemptionPolicy",  "overhead",
	                                    "nodeSelector",      NULL};
	struct json_object *have = jsontree_get(existing, "spec", NULL);
	struct json_object *want = jsontree_get(desired, "spec", NULL);

	if (!json_object_is_type(want, json_type_object))
		return;
	keep_missing(existing, desired, given);
	keep_added(have, want, "volumes", "name", "kube-api-access-");
	keep_added(have, want, "tolerations", "key", "node.kubernetes.io/");
	keep_mounts(in_spec(existing, "containers"), in_spec(desired, "containers"));
	keep_mounts(in_spec(existing, "initContainers"), in_spec(desired, "initContainers"));
}

static void keep_ca(struct json_object *have, struct json_object *client)
{
	struct json_object *ca = jsontree_get(have, "caBundle", NULL);

	if (json_object_is_type(client, json_type_object) && !is_empty(ca) &&
	    is_empty(jsontree_get(client, "caBundle", NULL)))
		jsontree_set(client, jsontree_copy(ca), "caBundle", NULL);
}

/* Authorities that a controller in the member fills in (cert-manager), of webhooks by their name. */
static void retain_webhooks(struct json_object *existing, struct json_object *desired)
{
	struct json_object *have = jsontree_get(existing, "webhooks", NULL);
	struct json_object *want = jsontree_get(desired, "webhooks", NULL);

	for (size_t i = 0; i < length_of(want); i++) {
		struct json_object *hook = json_object_array_get_idx(want, i);
		const char *name = jsontree_text(hook, "name", NULL);

		for (size_t j = 0; name && j < length_of(have); j++) {
			struct json_object *other = json_object_array_get_idx(have, j);
			const char *other_name = jsontree_text(other, "name", NULL);

			if (other_name && strcmp(name, other_name) == 0)
				keep_ca(jsontree_get(other, "clientConfig", NULL),
				        jsontree_get(hook, "clientConfig", NULL));
		}
	}
}

static void retain_others(const struct type_api *target, struct json_object *existing,
                          struct json_object *desired)
{
	static const char *const claim[] = {
		"volumeName",    "storageClassName",          "volumeMode", "dataSource",
		"dataSourceRef", "volumeAttributesClassName", NULL};
	static const char *const volume[] = {"claimRef", "nodeAffinity", "volumeMode", NULL};

	if (is(target, "batch", "Job"))
		retain_job(existing, desired);
	else if (is(target, "", "Pod"))
		retain_pod(existing, desired);
	else if (is(target, "", "PersistentVolumeClaim"))
		keep_missing(existing, desired, claim);
	else if (is(target, "", "PersistentVolume"))
		keep_missing(existing, desired, volume);
	else if (strcmp(target->group, "admissionregistration.k8s.io") == 0)
		retain_webhooks(existing, desired);
	else if (is(target, "apiregistration.k8s.io", "APIService"))
		keep_ca(jsontree_get(existing, "spec", NULL), jsontree_get(desired, "spec", NULL));
	else if (is(target, "apiextensions.k8s.io", "CustomResourceDefinition"))
		keep_ca(jsontree_get(existing, "spec", "conversion", "webhook", "clientConfig",
		                     NULL),
		        jsontree_get(desired, "spec", "conversion", "webhook", "clientConfig",
		                     NULL));
}

/* --- all kinds --- */

static void retain_metadata(struct json_object *existing, struct json_object *desired)
{
	static const char *const keys[] = {"resourceVersion", "finalizers", "annotations", NULL};
	struct json_object *metadata = jsontree_get(desired, "metadata", NULL);

	for (size_t i = 0; keys[i]; i++) {
		struct json_object *value = jsontree_get(existing, "metadata", keys[i], NULL);

		if (value)
			jsontree_set(desired, jsontree_copy(value), "metadata", keys[i], NULL);
		else if (metadata)
			json_object_object_del(metadata, keys[i]);
	}
}

enum err retain(const struct type_api *target, bool replicas, struct json_object *existing,
                struct json_object *desired, struct reason *why)
{
	retain_metadata(existing, desired);
	if (is(target, "", "Service"))
		return retain_service(existing, desired, why);
	if (is(target, "", "ServiceAccount"))
		return retain_service_account(existing, desired, why);
	retain_others(target, existing, desired);
	return retain_replicas(replicas, existing, desired, why);
}
