/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/cluster.h"

#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "base/yaml.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/support/world_inside.h"

enum { REQUEST_MS = 30000, PATIENCE_MS = 30000, PATH_ROOM = 512 };

/* --- one request --- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

static CURL *prepared(struct cluster *c)
{
	char ca[256];

	if (!c->curl)
		c->curl = curl_easy_init();
	curl_easy_reset(c->curl);
	snprintf(ca, sizeof(ca), "%s/ca.crt", c->cloud->dir);
	curl_easy_setopt(c->curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->body);
	return c->curl;
}

int cluster_send(struct cluster *c, const char *method, const char *path, const char *type,
                 const char *body)
{
	CURL *curl = prepared(c);
	struct curl_slist *headers = curl_slist_append(NULL, "Authorization: Bearer " ADMIN_TOKEN);
	char url[PATH_ROOM + 64], line[128];
	long status = 0;

	text_reset(&c->body);
	text_add(&c->body, "");
	snprintf(url, sizeof(url), "%s%s", c->url, path);
	if (body) {
		snprintf(line, sizeof(line), "Content-Type: %s", type);
		headers = curl_slist_append(headers, line);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	return (int)status;
}

const char *cluster_body(const struct cluster *c) { return c->body.data; }

static bool may_become_well(int status)
{
	return status == 0 || status == 403 || status == 404 || status == 409 || status == 429 ||
	       status >= 500;
}

/* Until it is well: a kind is known some time after its definition. */
static void send_until_well(struct cluster *c, const char *method, const char *path,
                            const char *type, const char *body)
{
	struct deadline deadline = inside_deadline(PATIENCE_MS);
	int status;

	while ((status = cluster_send(c, method, path, type, body)) < 200 || status > 299) {
		if (!may_become_well(status) || !inside_has_time(deadline))
			cluster_fail(c, "%s %s: %d: %s\n%s", method, path, status, c->body.data,
			             body);
		inside_rest();
	}
}

/* --- paths --- */

static bool is_of_the_cluster(const char *kind)
{
	static const char *const kinds[] = {"Namespace",
	                                    "Node",
	                                    "ClusterRole",
	                                    "ClusterRoleBinding",
	                                    "CustomResourceDefinition",
	                                    "ValidatingWebhookConfiguration",
	                                    "MutatingWebhookConfiguration",
	                                    "PersistentVolume",
	                                    "StorageClass",
	                                    "FederatedClusterRole",
	                                    "FederatedClusterRoleBinding",
	                                    "FederatedPersistentVolume",
	                                    "FederatedValidatingWebhookConfiguration",
	                                    "FederatedCustomResourceDefinition",
	                                    "FederatedUser"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

/* "Ingress" -> "ingresses", "TrafficPolicy" -> "trafficpolicies", "Service" -> "services". */
static void add_plural(struct text *out, const char *kind)
{
	size_t len = strlen(kind);
	char last = kind[len - 1];

	for (size_t i = 0; i + (last == 'y') < len; i++)
		text_printf(out, "%c", kind[i] | 0x20);
	text_add(out, last == 'y' ? "ies" : last == 's' ? "es" : "s");
}

static void object_path(const char *api, const char *kind, const char *namespace, const char *name,
                        char out[PATH_ROOM])
{
	struct text path = {0};

	text_printf(&path, "/%s/%s/", strchr(api, '/') ? "apis" : "api", api);
	if (!is_of_the_cluster(kind))
		text_printf(&path, "namespaces/%s/",
		            namespace && *namespace ? namespace : "default");
	add_plural(&path, kind);
	text_printf(&path, "/%s", name);
	snprintf(out, PATH_ROOM, "%s", path.data);
	text_fini(&path);
}

/* --- apply --- */

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value)
	                                                      : NULL;
}

/* A status is no part of what is applied: it has a path of its own, and is merged. */
static void apply_status(struct cluster *c, const char *path, struct json_object *status)
{
	char at[PATH_ROOM + 16];
	struct text body = {0};

	snprintf(at, sizeof(at), "%s/status", path);
	text_printf(&body, "{\"status\":%s}",
	            json_object_to_json_string_ext(status, JSON_C_TO_STRING_PLAIN |
	                                                           JSON_C_TO_STRING_NOSLASHESCAPE));
	send_until_well(c, "PATCH", at, "application/merge-patch+json", body.data);
	text_fini(&body);
}

static void apply_document(struct json_object *root, unsigned line, void *arg)
{
	struct cluster *c = arg;
	struct json_object *metadata = NULL, *status = NULL;
	const char *api = text_of(root, "apiVersion"), *kind = text_of(root, "kind");
	char path[PATH_ROOM], at[PATH_ROOM + 64];

	if (!json_object_object_get_ex(root, "metadata", &metadata) || !api || !kind ||
	    !text_of(metadata, "name"))
		fail_msg("line %u: not an object of Kubernetes", line);
	object_path(api, kind, text_of(metadata, "namespace"), text_of(metadata, "name"), path);
	snprintf(at, sizeof(at), "%s?fieldManager=test&force=true", path);
	json_object_object_get_ex(root, "status", &status);
	json_object_get(status);
	json_object_object_del(root, "status");
	send_until_well(c, "PATCH", at, "application/apply-patch+yaml",
	                json_object_to_json_string_ext(
				root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	if (status)
		apply_status(c, path, status);
	json_object_put(status);
	json_object_put(root);
}

static void apply_text(struct cluster *c, const char *yaml, const char *where)
{
	struct reason why = {0};

	if (yaml_read(bytes_of(yaml), apply_document, c, &why) != ERR_OK)
		fail_msg("%s: %s\n%s", where, why.text, yaml);
}

void cluster_apply(struct cluster *c, const char *fmt, ...)
{
	char *yaml = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&yaml, fmt, ap);
	va_end(ap);
	if (len < 0)
		fail_msg("no memory");
	apply_text(c, yaml, "cluster_apply");
	free(yaml);
}

void cluster_apply_file(struct cluster *c, const char *path)
{
	struct text yaml = {0};

	if (!inside_read_file(path, &yaml))
		fail_msg("cannot read %s", path);
	apply_text(c, yaml.data, path);
	text_fini(&yaml);
}

/* --- delete, patch --- */

void cluster_delete(struct cluster *c, const char *api, const char *kind, const char *namespace,
                    const char *name)
{
	struct deadline deadline = inside_deadline(PATIENCE_MS);
	char path[PATH_ROOM], at[PATH_ROOM + 64];
	int status;

	object_path(api, kind, namespace, name, path);
	snprintf(at, sizeof(at), "%s?gracePeriodSeconds=0&propagationPolicy=Background", path);
	while ((status = cluster_send(c, "DELETE", at, NULL, NULL)) != 404 && status / 100 != 2) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "DELETE %s: %d: %s", path, status, c->body.data);
		inside_rest();
	}
}

static void patch(struct cluster *c, const char *path, const char *ending, const char *fmt,
                  va_list ap)
{
	char at[PATH_ROOM + 16], *body = NULL;

	snprintf(at, sizeof(at), "%s%s", path, ending);
	if (vasprintf(&body, fmt, ap) < 0)
		fail_msg("no memory");
	send_until_well(c, "PATCH", at, "application/merge-patch+json", body);
	free(body);
}

void cluster_patch(struct cluster *c, const char *api, const char *kind, const char *namespace,
                   const char *name, const char *fmt, ...)
{
	char path[PATH_ROOM];
	va_list ap;

	object_path(api, kind, namespace, name, path);
	va_start(ap, fmt);
	patch(c, path, "", fmt, ap);
	va_end(ap);
}

void cluster_patch_status(struct cluster *c, const char *api, const char *kind,
                          const char *namespace, const char *name, const char *fmt, ...)
{
	char path[PATH_ROOM];
	va_list ap;

	object_path(api, kind, namespace, name, path);
	va_start(ap, fmt);
	patch(c, path, "/status", fmt, ap);
	va_end(ap);
}

/* --- looking --- */

void cluster_expect(struct cluster *c, const char *path, const char *text, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	bool absent = *text == '!';
	const char *wanted = text + absent;

	while (cluster_send(c, "GET", path, NULL, NULL) == 0 ||
	       (strstr(c->body.data, wanted) != NULL) == absent) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "GET %s %s '%s' after %u ms:\n%s", path,
			             absent ? "still has" : "has no", wanted, within_ms,
			             c->body.data);
		inside_rest();
	}
}

/* metadata.resourceVersion; the caller frees it. */
static char *version_of(struct cluster *c, const char *path)
{
	const char *at;

	assert_int_equal(cluster_send(c, "GET", path, NULL, NULL), 200);
	at = strstr(cluster_body(c), "\"resourceVersion\":\"");
	assert_non_null(at);
	at += strlen("\"resourceVersion\":\"");
	return xstrndup(at, strcspn(at, "\""));
}

void cluster_expect_unwritten(struct cluster *c, const char *path, unsigned for_ms)
{
	struct deadline deadline = inside_deadline(for_ms);
	char *before = version_of(c, path);

	while (inside_has_time(deadline)) {
		char *now = version_of(c, path);

		assert_string_equal(now, before);
		free(now);
		inside_rest();
	}
	free(before);
}
