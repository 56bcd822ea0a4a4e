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

#include "base/text.h"
#include "propagator/type.h"
#include "tests/support/propagator_json.h"

#define DEPLOYMENTS                                                                                \
	"{'metadata': {'name': 'deployments.apps', 'generation': 7}, 'spec': {'targetType': "      \
	"{'group': 'apps', 'version': 'v1', 'kind': 'Deployment', 'pluralName': 'deployments', "   \
	"'scope': 'Namespaced'}, 'federatedType': {'group': 'types.kubefed.io', 'version': "       \
	"'v1beta1', 'kind': 'FederatedDeployment', 'pluralName': 'federateddeployments', "         \
	"'scope': 'Namespaced'}, 'propagation': 'Enabled', 'statusCollection': 'Enabled'}}"

static struct type read_type(struct json_object *object)
{
	struct type t;
	struct reason why = {""};

	if (type_read(object, &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}

static void assert_api(const struct type_api *api, const char *group, const char *version,
                       const char *kind, const char *plural, bool namespaced)
{
	assert_string_equal(api->group, group);
	assert_string_equal(api->version, version);
	assert_string_equal(api->kind, kind);
	assert_string_equal(api->plural, plural);
	assert_int_equal(api->namespaced, namespaced);
}

static void test_a_type_is_read(void **state)
{
	struct type t = read_type(json_of(DEPLOYMENTS)), copy = type_copy(&t);
	char *version = type_api_version(&t.target);

	(void)state;
	type_fini(&t);
	assert_null(t.name);
	assert_string_equal(copy.name, "deployments.apps");
	assert_api(&copy.target, "apps", "v1", "Deployment", "deployments", true);
	assert_api(&copy.federated, "types.kubefed.io", "v1beta1", "FederatedDeployment",
	           "federateddeployments", true);
	assert_true(copy.propagation && copy.status_collection && !copy.has_status);
	assert_int_equal(copy.generation, 7);
	assert_string_equal(version, "apps/v1");
	assert_false(type_is_namespaces(&copy));
	free(version);
	type_fini(&copy);
}

static void test_missing_names_are_filled_in(void **state)
{
	struct type t = read_type(json_of(
		"{'metadata': {'name': 'policies.example.io'}, 'spec': {'targetType': {'version': "
		"'v1', 'kind': 'Policy', 'scope': 'Cluster'}, 'federatedType': {'group': "
		"'types.kubefed.io', 'version': 'v1beta1', 'kind': 'FederatedPolicy', 'scope': "
		"'Cluster'}, 'statusType': {'kind': 'FederatedPolicyStatus', 'scope': "
		"'Namespaced'}, 'propagation': 'Disabled'}}"));

	(void)state;
	assert_api(&t.target, "example.io", "v1", "Policy", "policies", false);
	assert_api(&t.federated, "types.kubefed.io", "v1beta1", "FederatedPolicy",
	           "federatedpolicies", false);
	assert_true(t.has_status);
	assert_api(&t.status, "types.kubefed.io", "v1beta1", "FederatedPolicyStatus",
	           "federatedpolicystatuses", true);
	assert_false(t.propagation || t.status_collection);
	assert_int_equal(t.generation, 0);
	type_fini(&t);
}

static void test_federated_namespaces_are_namespaced_and_namespaces_are_not(void **state)
{
	struct type t = read_type(json_of(
		"{'metadata': {'name': 'namespaces'}, 'spec': {'targetType': {'version': 'v1', "
		"'kind': 'Namespace', 'scope': 'Cluster'}, 'federatedType': {'group': "
		"'types.kubefed.io', 'version': 'v1beta1', 'kind': 'FederatedNamespace', 'scope': "
		"'Namespaced'}, 'propagation': 'Enabled'}}"));
	char *version = type_api_version(&t.target);

	(void)state;
	assert_true(type_is_namespaces(&t));
	assert_api(&t.target, "", "v1", "Namespace", "namespaces", false);
	assert_true(t.federated.namespaced);
	/* Not "/v1", as KubeFed sends. */
	assert_string_equal(version, "v1");
	free(version);
	type_fini(&t);
}

static void test_plurals_are_those_of_kubefed(void **state)
{
	static const char *const plurals[][2] = {
		{"Service", "services"},
		{"Ingress", "ingresses"},
		{"Box", "boxes"},
		{"Branch", "branches"},
		{"Mesh", "meshes"},
		{"Quiz", "quizes"},
		{"Potato", "potatoes"},
		{"Policy", "policies"},
		{"Gateway", "gatewaies"},
		{"ConfigMap", "configmaps"},
		{"Y", "ies"},
		{"", "s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plurals) / sizeof(plurals[0]); i++) {
		char *plural = type_plural(plurals[i][0]);

		assert_string_equal(plural, plurals[i][1]);
		free(plural);
	}
}

/* DEPLOYMENTS with the value at spec.SECTION.KEY, or spec.KEY; NULL: without it. */
static struct json_object *changed(const char *section, const char *key, const char *value)
{
	struct json_object *object = json_of(DEPLOYMENTS);
	struct json_object *in = json_member(object, "spec");

	if (section)
		in = json_member(in, section);
	json_object_object_del(in, key);
	if (value)
		json_object_object_add(in, key, json_object_get(json_of(value)));
	return object;
}

static void assert_refused(struct json_object *object, const char *says)
{
	struct text messages = {0};

	assert_false(type_admit(object, false, &messages));
	if (!strstr(messages.data, says))
		fail_msg("want '%s' in '%s'", says, messages.data);
	text_fini(&messages);
}

static void test_the_webhook_holds_to_kubefed_s_rules(void **state)
{
	struct text messages = {0};

	(void)state;
	assert_true(type_admit(json_of(DEPLOYMENTS), false, &messages));
	assert_int_equal(messages.len, 0);
	assert_refused(changed("targetType", "group", "'batch'"),
	               "name: Invalid value: \"deployments.apps\": name must be "
	               "'TARGET_PLURAL_NAME(.TARGET_GROUP_NAME)'");
	assert_refused(changed("targetType", "group", "'Apps'"),
	               "spec.targetType.group: Invalid value: \"Apps\": a lowercase RFC 1123");
	assert_refused(changed("targetType", "group", "'a..b'"), "RFC 1123");
	assert_refused(changed("targetType", "group", "'-a'"), "RFC 1123");
	assert_refused(changed("targetType", "group", "'a-'"), "RFC 1123");
	assert_refused(changed("targetType", "version", NULL),
	               "spec.targetType.version: Required value");
	assert_refused(changed("targetType", "version", "'1v'"),
	               "spec.targetType.version: Invalid value: \"1v\": a DNS-1035 label");
	assert_refused(changed("targetType", "kind", "''"), "spec.targetType.kind: Required value");
	assert_refused(changed("targetType", "kind", "'De.ploy'"),
	               "spec.targetType.kind: Invalid value: \"De.ploy\"");
	assert_refused(changed("targetType", "pluralName", NULL),
	               "spec.targetType.pluralName: Required value");
	assert_refused(changed("targetType", "pluralName", "'Deployments'"),
	               "spec.targetType.pluralName: Invalid value");
	assert_refused(
		changed("targetType", "scope", "'namespaced'"),
		"spec.targetType.scope: Unsupported value: \"namespaced\": supported values: "
		"\"Cluster\", \"Namespaced\"");
	assert_refused(changed("federatedType", "group", NULL),
	               "spec.federatedType.group: Required value");
	assert_refused(
		changed("federatedType", "group", "'types'"),
		"spec.federatedType.group: Invalid value: \"types\": should be a domain with "
		"at least one dot");
	assert_refused(changed("federatedType", "version", "3"),
	               "spec.federatedType.version: Invalid value: 3: must be a string");
	assert_refused(changed(NULL, "propagation", NULL), "spec.propagation: Required value");
	assert_refused(changed(NULL, "propagation", "'On'"),
	               "spec.propagation: Unsupported value: \"On\"");
	assert_refused(changed(NULL, "statusCollection", "'On'"),
	               "spec.statusCollection: Unsupported value: \"On\"");
	assert_refused(changed(NULL, "statusType", "{'kind': 'A'}"),
	               "spec.statusType.group: Required value");
	assert_refused(changed(NULL, "targetType", "[]"),
	               "spec.targetType: Invalid value: []: must be an object");
	text_fini(&messages);
}

static void test_all_messages_are_told_at_once(void **state)
{
	struct text messages = {0};
	struct type t;
	struct reason why = {""};

	(void)state;
	assert_false(type_admit(json_of("{}"), false, &messages));
	assert_string_equal(
		messages.data,
		"[name: Invalid value: null: name must be "
		"'TARGET_PLURAL_NAME(.TARGET_GROUP_NAME)', "
		"spec.targetType.version: Required value, spec.targetType.kind: Required value, "
		"spec.targetType.pluralName: Required value, spec.targetType.scope: Required "
		"value, "
		"spec.propagation: Required value, spec.federatedType.group: Required value, "
		"spec.federatedType.version: Required value, spec.federatedType.kind: Required "
		"value, spec.federatedType.pluralName: Required value, spec.federatedType.scope: "
		"Required value]");
	text_fini(&messages);
	assert_int_equal(type_read(json_of("{}"), &t, &why), ERR_PARSE);
	assert_null(t.name);
	assert_non_null(strstr(why.text, "spec.targetType.kind: Required value"));
	assert_int_equal(type_read(json_of("3"), &t, &why), ERR_PARSE);
}

static void test_a_status_is_held_to_its_own_rules(void **state)
{
	struct text messages = {0};

	(void)state;
	assert_true(type_admit(json_of("{'status': {'observedGeneration': 0, "
	                               "'propagationController': 'Running', 'statusController': "
	                               "'NotRunning'}}"),
	                       true, &messages));
	assert_false(type_admit(json_of("{'status': {'observedGeneration': -1, 'statusController': "
	                                "'Off'}}"),
	                        true, &messages));
	assert_string_equal(
		messages.data,
		"[status.observedGeneration: Invalid value: -1: must be greater than or "
		"equal to 0, status.propagationController: Required value, "
		"status.statusController: Unsupported value: \"Off\": supported values: "
		"\"Running\", \"NotRunning\"]");
	text_fini(&messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_type_is_read),
		JSON_TEST(test_missing_names_are_filled_in),
		JSON_TEST(test_federated_namespaces_are_namespaced_and_namespaces_are_not),
		JSON_TEST(test_plurals_are_those_of_kubefed),
		JSON_TEST(test_the_webhook_holds_to_kubefed_s_rules),
		JSON_TEST(test_all_messages_are_told_at_once),
		JSON_TEST(test_a_status_is_held_to_its_own_rules),
	};

	return cmocka_run_group_tests_name("propagator/type", tests, NULL, NULL);
}
