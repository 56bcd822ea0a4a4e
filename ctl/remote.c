/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/remote.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <limits.h>

#include "base/check.h"
#include "ctl/fields.h"
#include "ctl/print.h"
#include "kube/transport.h"
#include "propagator/plain_json.h"

enum { DEPTH_MOST = 64 };

const struct kube_resource remote_clusters = {"core.kubefed.io", "v1beta1", "kubefedclusters",
                                              "KubeFedCluster"};
const struct kube_resource remote_domains = {"multiclusterdns.kubefed.io", "v1alpha1", "domains",
                                             "Domain"};
const struct kube_resource remote_pods = {"", "v1", "pods", "Pod"};
const struct kube_resource remote_policies = {"nigh.dev", "v1alpha1", "trafficpolicies",
                                              "TrafficPolicy"};

static struct json_object *parse(const struct buffer *body)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	struct json_object *root;

	CHECK(tokener != NULL);
	CHECK(body->len < INT_MAX);
	root = body->len ? json_tokener_parse_ex(tokener, (const char *)body->data, (int)body->len)
	                 : NULL;
	json_tokener_free(tokener);
	return root;
}

/* A Status of an API server, or an {error} of a nighd behind it. */
static enum err refuse(const struct kube_access *access, int status, struct json_object *said,
                       struct reason *why)
{
	enum err err = status == 404                    ? ERR_NOTFOUND
	               : status == 401 || status == 403 ? ERR_DENIED
	               : status == 409                  ? ERR_CONFLICT
	                                                : ERR_PARSE;
	const char *text = fields_text(said, "message");
	struct text safe = {0};

	if (!*text)
		text = fields_text(said, "error");
	if (kube_secret_is_in(&access->token, bytes_of(text)) ||
	    kube_secret_is_in(&access->password, bytes_of(text)))
		text = "";
	print_safe(text, &safe);
	if (status == 401)
		reason_set(why, err, "the credential is not taken (401)");
	else if (safe.len)
		reason_set(why, err, "%s", safe.data);
	else
		reason_set(why, err, "answered %d", status);
	text_fini(&safe);
	return err;
}

static enum err ask(struct kube_caller *caller, const struct kube_access *access,
                    const struct kube_ask *ask, struct json_object **root, struct reason *why)
{
	struct buffer body = {0};
	int status = 0;
	enum err err;

	*root = NULL;
	kube_transport_setup();
	err = caller ? kube_caller_ask(caller, ask, &status, &body, why)
	             : kube_call(access, ask, &status, &body, why);
	if (err == ERR_OK) {
		*root = parse(&body);
		if (status < 200 || status > 299)
			err = refuse(access, status, *root, why);
		else if (!*root)
			err = reason_set(why, ERR_PARSE, "the answer is not JSON");
	}
	if (err) {
		json_object_put(*root);
		*root = NULL;
	}
	buffer_fini(&body);
	return err;
}

enum err remote_get(const struct kube_access *access, const char *path, struct json_object **root,
                    struct reason *why)
{
	return remote_get_over(NULL, access, path, root, why);
}

enum err remote_get_over(struct kube_caller *caller, const struct kube_access *access,
                         const char *path, struct json_object **root, struct reason *why)
{
	return remote_get_within(caller, access, path, REMOTE_TIMEOUT_MS, root, why);
}

enum err remote_get_within(struct kube_caller *caller, const struct kube_access *access,
                           const char *path, uint64_t within_ms, struct json_object **root,
                           struct reason *why)
{
	const struct kube_ask get = {
		.path = path, .reply_ms = within_ms, .silence_ms = REMOTE_TIMEOUT_MS};

	return ask(caller, access, &get, root, why);
}

enum err remote_send(struct kube_caller *caller, const struct kube_access *access,
                     const struct remote_change *change, struct json_object **answer,
                     struct reason *why)
{
	struct json_object *root;
	const struct kube_ask send = {
		.method = change->method,
		.path = change->path,
		.content_type = change->type ? change->type : "application/json",
		.body = bytes_of(change->body
	                                 ? json_object_to_json_string_ext(change->body, PLAIN_JSON)
	                                 : ""),
		.reply_ms = REMOTE_TIMEOUT_MS,
		.silence_ms = REMOTE_TIMEOUT_MS};
	enum err err = ask(caller, access, &send, &root, why);

	if (answer)
		*answer = root;
	else
		json_object_put(root);
	return err;
}

enum err remote_annotate(const struct kube_access *access, const char *path,
                         const struct remote_note *notes, size_t count, struct reason *why)
{
	struct json_object *root;
	struct text body = {0};
	struct kube_ask patch = {.method = "PATCH",
	                         .path = path,
	                         .content_type = "application/merge-patch+json",
	                         .reply_ms = REMOTE_TIMEOUT_MS,
	                         .silence_ms = REMOTE_TIMEOUT_MS};
	enum err err;

	text_add(&body, "{\"metadata\":{\"annotations\":{");
	for (size_t i = 0; i < count; i++) {
		text_add(&body, i ? "," : "");
		text_add_json(&body, bytes_of(notes[i].annotation));
		text_add(&body, ":");
		if (notes[i].value)
			text_add_json(&body, bytes_of(notes[i].value));
		else
			text_add(&body, "null");
	}
	text_add(&body, "}}}");
	patch.body = bytes_of(body.data);
	err = ask(NULL, access, &patch, &root, why);
	json_object_put(root);
	text_fini(&body);
	return err;
}

const char *remote_annotation(struct json_object *object, const char *annotation)
{
	struct json_object *annotations =
		fields_find(fields_find(object, "metadata"), "annotations");

	return fields_find(annotations, annotation) ? fields_text(annotations, annotation) : NULL;
}
