/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/admission.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "kube/base64.h"
#include "kube/object.h"
#include "propagator/jsontree.h"
#include "propagator/member_admit.h"
#include "propagator/plain_json.h"
#include "propagator/settings.h"
#include "propagator/type.h"

enum { DEPTH_MOST = 100, BAD_REQUEST = 400, FORBIDDEN = 403 };

/* What one path is about. */
struct rules {
	const char *path, *resource;
	bool (*admit)(struct json_object *request, bool is_status, struct text *messages);
	bool defaults; /* it changes what is created, and refuses nothing */
};

static bool admit_type(struct json_object *request, bool is_status, struct text *messages)
{
	return type_admit(jsontree_get(request, "object", NULL), is_status, messages);
}

static bool admit_cluster(struct json_object *request, bool is_status, struct text *messages)
{
	return member_admit(jsontree_get(request, "object", NULL), is_status, messages);
}

static bool admit_config(struct json_object *request, bool is_status, struct text *messages)
{
	return is_status || settings_admit(jsontree_get(request, "object", NULL),
	                                   jsontree_get(request, "oldObject", NULL), messages);
}

static const struct rules *find_rules(const char *path)
{
	static const struct rules all[] = {
		{"/validate-federatedtypeconfigs", "federatedtypeconfigs", admit_type, false},
		{"/validate-kubefedcluster", "kubefedclusters", admit_cluster, false},
		{"/validate-kubefedconfig", "kubefedconfigs", admit_config, false},
		{"/default-kubefedconfig", "kubefedconfigs", NULL, true},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].path, path) == 0)
			return &all[i];
	return NULL;
}

/* --- what is asked --- */

/* Only what is created or updated was asked about by KubeFed; a default is for what is created. */
static bool is_about(const struct rules *rules, struct json_object *request)
{
	const char *operation = jsontree_word(request, "operation", NULL);

	if (strcmp(jsontree_word(request, "resource", "group", NULL), "core.kubefed.io") != 0 ||
	    strcmp(jsontree_word(request, "resource", "resource", NULL), rules->resource) != 0)
		return false;
	return strcmp(operation, "CREATE") == 0 ||
	       (strcmp(operation, "UPDATE") == 0 && !rules->defaults);
}

static struct json_object *request_of(struct json_object *review)
{
	const char *version = jsontree_word(review, "apiVersion", NULL);
	struct json_object *request = jsontree_get(review, "request", NULL);

	if (strcmp(jsontree_word(review, "kind", NULL), "AdmissionReview") != 0 ||
	    (strcmp(version, "admission.k8s.io/v1") != 0 &&
	     strcmp(version, "admission.k8s.io/v1beta1") != 0) ||
	    jsontree_word(request, "uid", NULL)[0] == '\0')
		return NULL;
	return request;
}

/* --- what is answered --- */

static void refuse(struct json_object *response, int code, const char *reason, const char *message)
{
	jsontree_set(response, json_object_new_string("Failure"), "status", "status", NULL);
	jsontree_set(response, json_object_new_string(message), "status", "message", NULL);
	jsontree_set(response, json_object_new_string(reason), "status", "reason", NULL);
	jsontree_set(response, json_object_new_int(code), "status", "code", NULL);
}

/* KubeFed's patch: the whole spec in one operation. */
static void add_defaults(struct json_object *object, struct json_object *response)
{
	struct json_object *patch = json_object_new_array(), *operation = json_object_new_object();
	bool has_spec = jsontree_get(object, "spec", NULL) != NULL;
	struct text coded = {0};

	json_object_object_add(operation, "op",
	                       json_object_new_string(has_spec ? "replace" : "add"));
	json_object_object_add(operation, "path", json_object_new_string("/spec"));
	json_object_object_add(operation, "value", settings_default(object));
	json_object_array_add(patch, operation);
	base64_encode(bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON)), &coded);
	json_object_object_add(response, "patchType", json_object_new_string("JSONPatch"));
	json_object_object_add(response, "patch", json_object_new_string(coded.data));
	json_object_put(patch);
	text_fini(&coded);
}

/* Is it allowed? */
static bool judge(const struct rules *rules, struct json_object *request,
                  struct json_object *response)
{
	struct json_object *object = jsontree_get(request, "object", NULL);
	const char *part = jsontree_word(request, "subResource", NULL);
	struct text messages = {0};
	bool allowed;

	if (!is_about(rules, request))
		return true;
	if (!json_object_is_type(object, json_type_object)) {
		refuse(response, BAD_REQUEST, "BadRequest", "there is no object in the request");
		return false;
	}
	if (rules->defaults) {
		add_defaults(object, response);
		return true;
	}
	allowed = rules->admit(request, strcmp(part, "status") == 0, &messages);
	if (!allowed)
		refuse(response, FORBIDDEN, "Forbidden", messages.data);
	text_fini(&messages);
	return allowed;
}

static enum admission_verdict answer(const struct rules *rules, struct json_object *review,
                                     struct text *out)
{
	struct json_object *request = request_of(review), *answered, *response;
	bool allowed;

	if (!request)
		return ADMISSION_MALFORMED;
	answered = json_object_new_object();
	response = json_object_new_object();
	json_object_object_add(answered, "apiVersion",
	                       json_object_get(jsontree_get(review, "apiVersion", NULL)));
	json_object_object_add(answered, "kind", json_object_new_string("AdmissionReview"));
	json_object_object_add(answered, "response", response);
	json_object_object_add(response, "uid",
	                       json_object_get(jsontree_get(request, "uid", NULL)));
	allowed = judge(rules, request, response);
	json_object_object_add(response, "allowed", json_object_new_boolean(allowed));
	text_add(out, json_object_to_json_string_ext(answered, PLAIN_JSON));
	json_object_put(answered);
	return allowed ? ADMISSION_ALLOWED : ADMISSION_REFUSED;
}

enum admission_verdict admission_answer(const char *path, struct bytes review, struct text *out)
{
	const struct rules *rules = find_rules(path);
	struct json_tokener *tokener;
	struct json_object *parsed;
	enum admission_verdict verdict = ADMISSION_MALFORMED;

	if (!rules || review.len > ADMISSION_BODY_MOST)
		return ADMISSION_MALFORMED;
	tokener = json_tokener_new_ex(DEPTH_MOST);
	parsed = object_parse(tokener, review);
	if (parsed)
		verdict = answer(rules, parsed, out);
	json_object_put(parsed);
	json_tokener_free(tokener);
	return verdict;
}
