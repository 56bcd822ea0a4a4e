/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "kube/base64.h"
#include "propagator/admission.h"
#include "propagator/settings.h"
#include "tests/support/propagator_admission.h"
#include "tests/support/propagator_json.h"

#define V1      "admission.k8s.io/v1"
#define TYPES   "/validate-federatedtypeconfigs"
#define CLUSTER "/validate-kubefedcluster"
#define CONFIG  "/validate-kubefedconfig"
#define DEFAULT "/default-kubefedconfig"

static struct json_object *review_of(const char *version, const char *resource,
                                     const char *operation, struct json_object *object)
{
	struct json_object *review = json_with(
		"{'apiVersion': '%s', 'kind': 'AdmissionReview', 'request': {'uid': 'u-1', "
		"'resource': {'group': 'core.kubefed.io', 'version': 'v1beta1', 'resource': '%s'}, "
		"'operation': '%s'}}",
		version, resource, operation);

	json_object_object_add(json_member(review, "request"), "object", json_object_get(object));
	return review;
}

/* The response. */
static struct json_object *answered(const char *path, struct json_object *review,
                                    enum admission_verdict want)
{
	struct text out = {0};
	struct json_object *answer;

	assert_int_equal(admission_answer(path, bytes_of(json_object_to_json_string(review)), &out),
	                 want);
	answer = json_of(out.data);
	assert_string_equal(json_text(answer, "kind"), "AdmissionReview");
	assert_string_equal(json_text(answer, "apiVersion"), json_text(review, "apiVersion"));
	answer = json_member(answer, "response");
	assert_string_equal(json_text(answer, "uid"), "u-1");
	assert_int_equal(json_object_get_boolean(json_member(answer, "allowed")),
	                 want == ADMISSION_ALLOWED);
	text_fini(&out);
	return answer;
}

static void assert_refused(struct json_object *response, int code, const char *message)
{
	struct json_object *status = json_member(response, "status");

	assert_int_equal(json_object_get_int(json_member(status, "code")), code);
	assert_string_equal(json_text(status, "status"), "Failure");
	assert_string_equal(json_text(status, "message"), message);
}

/* A config as the defaulting webhook hands it on. */
static void hold_to_rules(const struct admission_case *c, void *arg)
{
	static const struct {
		const char *kind, *path, *resource;
	} paths[] = {{"FederatedTypeConfig", TYPES, "federatedtypeconfigs"},
	             {"KubeFedCluster", CLUSTER, "kubefedclusters"},
	             {"KubeFedConfig", CONFIG, "kubefedconfigs"}};
	struct text out = {0};
	size_t i = 0;

	while (strcmp(paths[i].kind, c->kind) != 0)
		i++;
	if (strcmp(c->kind, "KubeFedConfig") == 0 && json_member(c->object, "spec"))
		json_object_object_add(c->object, "spec", settings_default(c->object));
	if (admission_answer(paths[i].path,
	                     bytes_of(json_object_to_json_string(
				     review_of(V1, paths[i].resource, "CREATE", c->object))),
	                     &out) != (c->is_accepted ? ADMISSION_ALLOWED : ADMISSION_REFUSED)) {
		print_error("%s, %s: %s\n", c->kind, c->what, out.data);
		++*(unsigned *)arg;
	}
	text_fini(&out);
}

static void test_what_kubefed_took_is_taken_and_what_it_refused_refused(void **state)
{
	unsigned wrong = 0;

	(void)state;
	assert_true(admission_each("FederatedTypeConfig", hold_to_rules, &wrong) > 40);
	assert_true(admission_each("KubeFedConfig", hold_to_rules, &wrong) > 40);
	assert_true(admission_each("KubeFedCluster", hold_to_rules, &wrong) > 40);
	assert_int_equal(wrong, 0);
}

static void test_a_refusal_has_all_messages(void **state)
{
	struct json_object *cluster = json_of("{'spec': {'apiEndpoint': 'tcp://example.com', "
	                                      "'proxyURL': 'ftp://me:secret@example.com', "
	                                      "'disabledTLSValidations': ['*', 'Name']}}");
	struct json_object *response = answered(
		CLUSTER, review_of(V1, "kubefedclusters", "CREATE", cluster), ADMISSION_REFUSED);
	const char *message = json_text(json_member(response, "status"), "message");

	(void)state;
	assert_int_equal(json_object_get_int(json_member(json_member(response, "status"), "code")),
	                 403);
	assert_non_null(
		strstr(message, "[spec.apiEndpoint: Invalid value: \"tcp://example.com\": "));
	assert_non_null(strstr(message, "spec.secretRef.name: Required value"));
	assert_non_null(strstr(message, "spec.disabledTLSValidations: Unsupported value: \"Name\": "
	                                "supported values: \"*\", "));
	assert_non_null(strstr(message, "\"*\" must stand alone"));
	assert_non_null(strstr(message, "spec.proxyURL: Invalid value: \"***\": "));
	assert_null(strstr(message, "secret@"));
}

static void test_a_status_is_asked_about_alone(void **state)
{
	struct json_object *cluster = json_of(
		"{'status': {'conditions': [{'type': 'Ready', 'status': 'True', 'lastProbeTime': "
		"'2026-01-01T00:00:00Z'}, {'type': 'Fine', 'status': 'Maybe', 'lastProbeTime': "
		"'0001-01-01T00:00:00Z'}]}}");
	struct json_object *review = review_of(V1, "kubefedclusters", "UPDATE", cluster);

	(void)state;
	json_object_object_add(json_member(review, "request"), "subResource",
	                       json_object_new_string("status"));
	assert_refused(
		answered(CLUSTER, review, ADMISSION_REFUSED), 403,
		"[status.conditions[1].type: Unsupported value: \"Fine\": supported values: "
		"\"Ready\", \"Offline\", \"ConfigMalformed\", status.conditions[1].status: "
		"Unsupported value: \"Maybe\": supported values: \"True\", \"False\", \"Unknown\", "
		"status.conditions[1].lastProbeTime: Required value]");
	json_object_object_add(cluster, "status", NULL);
	answered(CLUSTER, review, ADMISSION_ALLOWED);
}

static void test_the_scope_of_a_config_stays(void **state)
{
	struct json_object *config = json_keep(admission_base("KubeFedConfig"));
	struct json_object *review = review_of(V1, "kubefedconfigs", "UPDATE", config);

	(void)state;
	json_object_object_add(config, "spec", settings_default(config));
	json_object_object_add(json_member(review, "request"), "oldObject",
	                       json_object_get(json_of("{'spec': {'scope': 'Namespaced'}}")));
	assert_refused(answered(CONFIG, review, ADMISSION_REFUSED), 403,
	               "spec.scope: Invalid value: \"Cluster\": field is immutable");
}

static void test_a_config_gets_its_defaults_as_one_patch(void **state)
{
	struct json_object *config = json_keep(admission_base("KubeFedConfig"));
	struct json_object *response = answered(
		DEFAULT, review_of(V1, "kubefedconfigs", "CREATE", config), ADMISSION_ALLOWED);
	struct buffer plain = {0};
	struct json_object *operation;

	(void)state;
	assert_string_equal(json_text(response, "patchType"), "JSONPatch");
	assert_true(base64_decode(bytes_of(json_text(response, "patch")), &plain));
	buffer_u8(&plain, 0);
	operation = json_object_array_get_idx(json_of((const char *)plain.data), 0);
	assert_string_equal(json_text(operation, "op"), "replace");
	assert_string_equal(json_text(operation, "path"), "/spec");
	assert_json(json_member(operation, "value"), json_keep(settings_default(config)));
	/* Only of what is created. */
	response = answered(DEFAULT, review_of(V1, "kubefedconfigs", "UPDATE", config),
	                    ADMISSION_ALLOWED);
	assert_null(json_text(response, "patch"));
	buffer_fini(&plain);
}

static void test_the_older_version_is_spoken_too(void **state)
{
	(void)state;
	answered(TYPES,
	         review_of("admission.k8s.io/v1beta1", "federatedtypeconfigs", "CREATE",
	                   json_keep(admission_base("FederatedTypeConfig"))),
	         ADMISSION_ALLOWED);
}

static void test_what_the_rules_are_not_about_is_allowed(void **state)
{
	(void)state;
	answered(TYPES, review_of(V1, "federatedtypeconfigs", "DELETE", NULL), ADMISSION_ALLOWED);
	answered(TYPES, review_of(V1, "configmaps", "CREATE", json_of("{}")), ADMISSION_ALLOWED);
}

static void test_a_review_without_an_object_is_a_bad_request(void **state)
{
	(void)state;
	assert_refused(answered(TYPES, review_of(V1, "federatedtypeconfigs", "CREATE", NULL),
	                        ADMISSION_REFUSED),
	               400, "there is no object in the request");
	assert_refused(answered(DEFAULT, review_of(V1, "kubefedconfigs", "CREATE", json_of("3")),
	                        ADMISSION_REFUSED),
	               400, "there is no object in the request");
}

static void test_what_is_no_review_is_malformed(void **state)
{
	static const char *const others[] = {
		"",
		"null",
		"[]",
		"{",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":"
		"{}}",
		"{\"apiVersion\":\"admission.k8s.io/v2\",\"kind\":\"AdmissionReview\",\"request\":"
		"{\"uid\":\"1\"}}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"Review\",\"request\":{\"uid\":"
		"\"1\"}}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":"
		"{\"uid\":1}}"};
	struct text out = {0}, deep = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(admission_answer(TYPES, bytes_of(others[i]), &out),
		                 ADMISSION_MALFORMED);
	for (int i = 0; i < 5000; i++)
		text_add(&deep, "[");
	assert_int_equal(admission_answer(TYPES, bytes_of(deep.data), &out), ADMISSION_MALFORMED);
	assert_int_equal(admission_answer("/validate", bytes_of("{}"), &out), ADMISSION_MALFORMED);
	assert_int_equal(out.len, 0);
	text_fini(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_kubefed_took_is_taken_and_what_it_refused_refused),
		JSON_TEST(test_a_refusal_has_all_messages),
		JSON_TEST(test_a_status_is_asked_about_alone),
		JSON_TEST(test_the_scope_of_a_config_stays),
		JSON_TEST(test_a_config_gets_its_defaults_as_one_patch),
		JSON_TEST(test_the_older_version_is_spoken_too),
		JSON_TEST(test_what_the_rules_are_not_about_is_allowed),
		JSON_TEST(test_a_review_without_an_object_is_a_bad_request),
		JSON_TEST(test_what_is_no_review_is_malformed),
	};

	return cmocka_run_group_tests_name("propagator/admission", tests, NULL, NULL);
}
