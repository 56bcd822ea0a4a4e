/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/err.h"
#include "base/text.h"
#include "propagator/jsontree.h"
#include "propagator/type.h"
#include "tests/support/propagator_json.h"

static struct type type_of(const char *group, const char *kind, const char *plural, bool namespaced)
{
	char version[] = "v1";
	struct type_api api = {strdup(group), version, strdup(kind), strdup(plural), namespaced};
	struct type type = definition_type(&api, DEFINITION_GROUP, DEFINITION_VERSION);

	free(api.group);
	free(api.kind);
	free(api.plural);
	return type;
}

static void test_a_type_config_is_as_kubefedctl_wrote_it(void **state)
{
	struct type type = type_of("apps", "Deployment", "deployments", true);

	(void)state;
	assert_json_text(
		json_keep(definition_type_config(&type, "kube-federation-system")),
		"{'apiVersion': 'core.kubefed.io/v1beta1', 'kind': 'FederatedTypeConfig',"
		"'metadata': {'name': 'deployments.apps', 'namespace': 'kube-federation-system'},"
		"'spec': {'propagation': 'Enabled',"
		"'targetType': {'group': 'apps', 'version': 'v1', 'kind': 'Deployment',"
		"'pluralName': 'deployments', 'scope': 'Namespaced'},"
		"'federatedType': {'group': 'types.kubefed.io', 'version': 'v1beta1',"
		"'kind': 'FederatedDeployment', 'pluralName': 'federateddeployments',"
		"'scope': 'Namespaced'}}}");
	type_fini(&type);
}

static void test_a_type_config_passes_kubefeds_webhook_and_is_read_back(void **state)
{
	static const struct {
		const char *group, *kind, *plural;
		bool namespaced;
	} kinds[] = {{"", "ConfigMap", "configmaps", true},
	             {"", "Namespace", "namespaces", false},
	             {"rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false},
	             {"networking.k8s.io", "Ingress", "ingresses", true}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct type type = type_of(kinds[i].group, kinds[i].kind, kinds[i].plural,
		                           kinds[i].namespaced);
		struct json_object *config = json_keep(definition_type_config(&type, "fed"));
		struct text said = {0};
		struct reason why = {0};
		struct type read;

		if (!type_admit(config, false, &said))
			fail_msg("%s: %s", kinds[i].kind, said.data);
		assert_int_equal(type_read(config, &read, &why), ERR_OK);
		assert_string_equal(read.federated.plural, type.federated.plural);
		assert_int_equal(read.federated.namespaced,
		                 kinds[i].namespaced || type_is_namespaces(&read));
		type_fini(&read);
		type_fini(&type);
		text_fini(&said);
	}
}

static struct json_object *schema_of(struct json_object *crd, const char *part)
{
	struct json_object *version = jsontree_item(jsontree_get(crd, "spec", "versions", NULL), 0);

	return jsontree_get(version, "schema", "openAPIV3Schema", "properties", part, "properties",
	                    NULL);
}

static void test_a_definition_is_named_as_its_kind_and_short_names_of_the_target(void **state)
{
	struct type type = type_of("apps", "Deployment", "deployments", true);
	struct json_object *crd =
		json_keep(definition_crd(&type, json_of("['deploy', 'dep']"), true));

	(void)state;
	assert_string_equal(jsontree_word(crd, "metadata", "name", NULL),
	                    "federateddeployments.types.kubefed.io");
	assert_string_equal(jsontree_word(crd, "spec", "scope", NULL), "Namespaced");
	assert_json_text(jsontree_get(crd, "spec", "names", NULL),
	                 "{'kind': 'FederatedDeployment', 'listKind': 'FederatedDeploymentList',"
	                 "'plural': 'federateddeployments', 'singular': 'federateddeployment',"
	                 "'shortNames': ['fdeploy', 'fdep']}");
	type_fini(&type);
}

static void test_a_config_says_with_which_definition_it_goes(void **state)
{
	struct type type = type_of("apps", "Deployment", "deployments", true);
	struct json_object *config = json_keep(definition_type_config(&type, "fed")), *first;

	(void)state;
	definition_sign(config, json_keep(definition_crd(&type, NULL, true)));
	first = json_keep(json_object_get(
		jsontree_get(config, "metadata", "annotations", TYPE_DEFINITION, NULL)));
	definition_sign(config, json_keep(definition_crd(&type, NULL, true)));
	assert_string_equal(jsontree_word(config, "metadata", "annotations", TYPE_DEFINITION, NULL),
	                    json_object_get_string(first));
	definition_sign(config, json_keep(definition_crd(&type, NULL, false)));
	assert_string_not_equal(
		jsontree_word(config, "metadata", "annotations", TYPE_DEFINITION, NULL),
		json_object_get_string(first));
	type_fini(&type);
}

static void test_only_what_has_replicas_can_retain_them(void **state)
{
	struct type type = type_of("apps", "Deployment", "deployments", true);

	(void)state;
	assert_non_null(
		jsontree_get(schema_of(json_keep(definition_crd(&type, NULL, true)), "spec"),
	                     "retainReplicas", NULL));
	assert_null(jsontree_get(schema_of(json_keep(definition_crd(&type, NULL, false)), "spec"),
	                         "retainReplicas", NULL));
	type_fini(&type);
}

static void test_the_status_has_room_for_health_and_messages(void **state)
{
	struct type type = type_of("", "ConfigMap", "configmaps", true);
	struct json_object *status =
		schema_of(json_keep(definition_crd(&type, NULL, false)), "status");

	(void)state;
	assert_non_null(jsontree_get(status, "clusters", "items", "properties", "health",
	                             "properties", "status", NULL));
	assert_non_null(jsontree_get(status, "clusters", "items", "properties", "message", NULL));
	assert_non_null(jsontree_get(status, "conditions", "items", "properties", "message", NULL));
	type_fini(&type);
}

static void test_one_api_under_two_groups_has_a_rival(void **state)
{
	struct type type = type_of("apps", "Deployment", "deployments", true);

	(void)state;
	assert_true(definition_is_rival(
		json_of("{'metadata': {'name': 'deployments.extensions'}, 'spec': {'targetType':"
	                "{'group': 'extensions', 'kind': 'Deployment'}}}"),
		&type));
	assert_false(definition_is_rival(
		json_of("{'metadata': {'name': 'deployments.apps'}, 'spec': {'targetType':"
	                "{'group': 'apps', 'kind': 'Deployment'}}}"),
		&type));
	assert_false(definition_is_rival(
		json_of("{'metadata': {'name': 'deployments.example.com'}, 'spec': {'targetType':"
	                "{'group': 'example.com', 'kind': 'Deployment'}}}"),
		&type));
	type_fini(&type);
}

static void test_a_federated_kind_that_is_taken_has_a_rival(void **state)
{
	struct type type = type_of("b.example.com", "Widget", "widgets", true);

	(void)state;
	assert_true(definition_is_rival(
		json_of("{'metadata': {'name': 'widgets.a.example.com'}, 'spec': {'targetType':"
	                "{'group': 'a.example.com', 'kind': 'Widget'}, 'federatedType':"
	                "{'group': 'types.kubefed.io', 'kind': 'FederatedWidget'}}}"),
		&type));
	type_fini(&type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_type_config_is_as_kubefedctl_wrote_it),
		JSON_TEST(test_a_type_config_passes_kubefeds_webhook_and_is_read_back),
		JSON_TEST(test_a_definition_is_named_as_its_kind_and_short_names_of_the_target),
		JSON_TEST(test_a_config_says_with_which_definition_it_goes),
		JSON_TEST(test_only_what_has_replicas_can_retain_them),
		JSON_TEST(test_the_status_has_room_for_health_and_messages),
		JSON_TEST(test_one_api_under_two_groups_has_a_rival),
		JSON_TEST(test_a_federated_kind_that_is_taken_has_a_rival),
	};

	return cmocka_run_group_tests_name("ctl/definition", tests, NULL, NULL);
}
