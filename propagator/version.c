/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/version.h"

#include <json-c/json_object.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/gojson.h"
#include "propagator/jsontree.h"
#include "propagator/owner.h"

/* --- hashes --- */

/* KubeFed's bytes end with a newline. */
static void hash(struct text *bytes, char out[DIGEST_ROOM])
{
	text_add(bytes, "\n");
	digest_md5((struct bytes){(const uint8_t *)bytes->data, bytes->len}, out);
	text_fini(bytes);
}

static void print_text(const char *text, struct text *out)
{
	struct json_object *value = json_object_new_string(text ? text : "");

	gojson_print(value, out);
	json_object_put(value);
}

/* As KubeFed's struct of an override is written: op and value only where there is one. */
static void print_override(struct json_object *override, struct text *out)
{
	const char *op = jsontree_text(override, "op", NULL);
	struct json_object *value = jsontree_get(override, "value", NULL);

	text_add(out, "{");
	if (op && op[0] != '\0') {
		text_add(out, "\"op\":");
		print_text(op, out);
		text_add(out, ",");
	}
	text_add(out, "\"path\":");
	print_text(jsontree_text(override, "path", NULL), out);
	if (value) {
		text_add(out, ",\"value\":");
		gojson_print_untyped(value, out);
	}
	text_add(out, "}");
}

static size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void print_item(struct json_object *item, struct text *out)
{
	struct json_object *list = jsontree_get(item, "clusterOverrides", NULL);

	text_add(out, "{\"clusterName\":");
	print_text(jsontree_text(item, "clusterName", NULL), out);
	for (size_t i = 0; i < length_of(list); i++) {
		text_add(out, i == 0 ? ",\"clusterOverrides\":[" : ",");
		print_override(json_object_array_get_idx(list, i), out);
	}
	text_add(out, length_of(list) > 0 ? "]}" : "}");
}

static void print_overrides(struct json_object *list, struct text *out)
{
	text_add(out, "{\"overrides\":");
	if (!json_object_is_type(list, json_type_array)) {
		text_add(out, "null}");
		return;
	}
	text_add(out, "[");
	for (size_t i = 0; i < length_of(list); i++) {
		text_add(out, i > 0 ? "," : "");
		print_item(json_object_array_get_idx(list, i), out);
	}
	text_add(out, "]}");
}

struct version_hashes version_hash(struct json_object *federated)
{
	struct json_object *spec = jsontree_get(federated, "spec", NULL);
	struct json_object *tmpl = jsontree_get(spec, "template", NULL);
	struct version_hashes hashes = {{0}, {0}};
	struct text bytes = {0};

	if (tmpl) {
		gojson_print(tmpl, &bytes);
		hash(&bytes, hashes.template_hash);
	}
	if (spec) {
		print_overrides(jsontree_get(spec, "overrides", NULL), &bytes);
		hash(&bytes, hashes.overrides_hash);
	}
	return hashes;
}

bool version_hashes_equal(const struct version_hashes *a, const struct version_hashes *b)
{
	return strcmp(a->template_hash, b->template_hash) == 0 &&
	       strcmp(a->overrides_hash, b->overrides_hash) == 0;
}

/* --- the version of a copy --- */

bool version_of(struct json_object *object, char out[VERSION_ROOM])
{
	struct json_object *generation = jsontree_get(object, "metadata", "generation", NULL);
	const char *rv = jsontree_text(object, "metadata", "resourceVersion", NULL);
	int64_t number = json_object_get_int64(generation);

	out[0] = '\0';
	if (json_object_is_type(generation, json_type_int) && number != 0) {
		snprintf(out, VERSION_ROOM, "gen:%lld", (long long)number);
		return true;
	}
	if (!rv || rv[0] == '\0' || strlen(rv) + sizeof("rv:") > VERSION_ROOM)
		return false;
	snprintf(out, VERSION_ROOM, "rv:%s", rv);
	return true;
}

/* --- what is recorded --- */

static int by_cluster(const void *a, const void *b)
{
	return strcmp(((const struct version_copy *)a)->cluster,
	              ((const struct version_copy *)b)->cluster);
}

static struct version_copy *find(const struct version *v, const char *cluster)
{
	struct version_copy key = {(char *)(uintptr_t)cluster, NULL};

	return v->count > 0 ? bsearch(&key, v->copies, v->count, sizeof(key), by_cluster) : NULL;
}

const char *version_find(const struct version *v, const char *cluster)
{
	struct version_copy *copy = find(v, cluster);

	return copy ? copy->version : NULL;
}

static void forget(struct version *v, struct version_copy *copy)
{
	size_t behind = v->count - (size_t)(copy - v->copies) - 1;

	free(copy->cluster);
	free(copy->version);
	memmove(copy, copy + 1, behind * sizeof(*copy));
	v->count--;
}

static void insert(struct version *v, const char *cluster, const char *version)
{
	size_t at = v->count;

	if (v->count == v->room) {
		v->room = v->room > 0 ? 2 * v->room : 4;
		v->copies = xreallocarray(v->copies, v->room, sizeof(*v->copies));
	}
	while (at > 0 && strcmp(v->copies[at - 1].cluster, cluster) > 0)
		at--;
	memmove(&v->copies[at + 1], &v->copies[at], (v->count - at) * sizeof(*v->copies));
	v->copies[at] = (struct version_copy){xstrdup(cluster), xstrdup(version)};
	v->count++;
}

void version_put(struct version *v, const char *cluster, const char *version)
{
	struct version_copy *copy = find(v, cluster);

	if (!version && copy) {
		forget(v, copy);
	} else if (version && copy) {
		char *text = xstrdup(version);

		free(copy->version);
		copy->version = text;
	} else if (version) {
		insert(v, cluster, version);
	}
}

void version_fini(struct version *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->copies[i].cluster);
		free(v->copies[i].version);
	}
	free(v->copies);
	*v = (struct version){0};
}

void version_rehash(struct version *v, const struct version_hashes *hashes)
{
	if (version_hashes_equal(&v->hashes, hashes))
		return;
	for (size_t i = 0; i < v->count; i++) {
		free(v->copies[i].version);
		v->copies[i].version = xstrdup(VERSION_OLD);
	}
	v->hashes = *hashes;
}

/* --- PropagatedVersion --- */

static void read_hash(struct json_object *status, const char *key, char out[DIGEST_ROOM])
{
	const char *text = jsontree_text(status, key, NULL);

	if (text && strlen(text) < DIGEST_ROOM)
		memcpy(out, text, strlen(text) + 1);
}

void version_read(struct json_object *propagated_version, struct version *out)
{
	struct json_object *status = jsontree_get(propagated_version, "status", NULL);
	struct json_object *list = jsontree_get(status, "clusterVersions", NULL);

	*out = (struct version){0};
	read_hash(status, "templateVersion", out->hashes.template_hash);
	read_hash(status, "overridesVersion", out->hashes.overrides_hash);
	for (size_t i = 0; i < length_of(list) && i < VERSION_CLUSTERS_MOST; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *cluster = jsontree_text(item, "clusterName", NULL);
		const char *version = jsontree_text(item, "version", NULL);

		if (cluster && cluster[0] != '\0' && version && version[0] != '\0' &&
		    strlen(version) < VERSION_ROOM)
			version_put(out, cluster, version);
	}
}

char *version_name(const struct type *type, const char *name)
{
	struct text text = {0};

	for (const char *c = type->target.kind; *c; c++)
		text_printf(&text, "%c", bytes_lower((uint8_t)*c));
	text_printf(&text, "-%s", name);
	return text_take(&text);
}

static void set_text(struct json_object *object, const char *key, const char *text)
{
	jsontree_set(object, json_object_new_string(text ? text : ""), key, NULL);
}

static struct json_object *list_of(const struct version *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < v->count; i++) {
		struct json_object *item = json_object_new_object();

		set_text(item, "clusterName", v->copies[i].cluster);
		set_text(item, "version", v->copies[i].version);
		json_object_array_add(list, item);
	}
	return list;
}

static struct json_object *status_of(const struct version *v)
{
	struct json_object *status = json_object_new_object();

	set_text(status, "templateVersion", v->hashes.template_hash);
	set_text(status, "overridesVersion", v->hashes.overrides_hash);
	if (v->count > 0)
		json_object_object_add(status, "clusterVersions", list_of(v));
	return status;
}

struct json_object *version_patch(const struct version *v)
{
	struct json_object *patch = json_object_new_object(), *status = status_of(v);

	if (v->count == 0)
		json_object_object_add(status, "clusterVersions", NULL);
	json_object_object_add(patch, "status", status);
	return patch;
}

struct json_object *version_object(const struct type *type, struct json_object *federated,
                                   const struct version *v)
{
	struct json_object *object = json_object_new_object();
	const char *name = jsontree_text(federated, "metadata", "name", NULL);
	const char *namespace = jsontree_text(federated, "metadata", "namespace", NULL);
	char *full = version_name(type, name ? name : "");

	set_text(object, "apiVersion", "core.kubefed.io/v1alpha1");
	set_text(object, "kind",
	         type->federated.namespaced ? "PropagatedVersion" : "ClusterPropagatedVersion");
	jsontree_set(object, json_object_new_string(full), "metadata", "name", NULL);
	if (type->federated.namespaced && namespace)
		jsontree_set(object, json_object_new_string(namespace), "metadata", "namespace",
		             NULL);
	jsontree_set(object, owner_references(federated), "metadata", "ownerReferences", NULL);
	json_object_object_add(object, "status", status_of(v));
	free(full);
	return object;
}
