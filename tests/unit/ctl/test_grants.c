/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "ctl/progress.h"
#include "propagator/jsontree.h"
#include "tests/support/propagator_json.h"

#define TYPE(name, group, kind, plural, propagation)                                               \
	"{'metadata': {'name': '" name "'}, 'spec': {'propagation': '" propagation                 \
	"', 'targetType': {'group': '" group "', 'version': 'v1', 'kind': '" kind                  \
	"', 'pluralName': '" plural "', 'scope': 'Namespaced'}, 'federatedType': {'group': "       \
	"'types.kubefed.io', 'version': 'v1beta1', 'kind': 'Federated" kind                        \
	"', 'pluralName': 'federated" plural "', 'scope': 'Namespaced'}}}"

static struct json_object *find(const struct grants *g, const char *kind, const char *name)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->list[i].resource->kind, kind) == 0 &&
		    strcmp(g->list[i].name, name) == 0)
			return g->list[i].object;
	fail_msg("no %s %s", kind, name);
	return NULL;
}

static void test_the_writer_may_do_what_enabled_types_need(void **state)
{
	struct grants_names names;
	struct grants g;
	struct json_object *rules;

	(void)state;
	grants_name(&names, "gondor", "host", false);
	grants_make(
		&g, &names, "fed",
		json_of("[" TYPE(
			"deployments.apps", "apps", "Deployment", "deployments",
			"Enabled") "," TYPE("configmaps", "", "ConfigMap", "configmaps",
	                                    "Enabled") "," TYPE("replicasets.apps", "apps",
	                                                        "ReplicaSet", "replicasets",
	                                                        "Enabled") "," TYPE("secrets", "",
	                                                                            "Secret",
	                                                                            "secrets",
	                                                                            "Disabled") ", "
	                                                                                        "{'"
	                                                                                        "sp"
	                                                                                        "ec"
	                                                                                        "':"
	                                                                                        " 5"
	                                                                                        "}"
	                                                                                        "]"));
	rules = jsontree_get(find(&g, "ClusterRole", "nigh-propagator:gondor-host"), "rules", NULL);
	assert_json_text(
		jsontree_item(rules, 0),
		"{'apiGroups': ['apps'], 'resources': ['deployments', 'replicasets'],"
		"'verbs': ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']}");
	assert_json_text(
		jsontree_item(rules, 1),
		"{'apiGroups': [''], 'resources': ['configmaps'],"
		"'verbs': ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']}");
	assert_json_text(jsontree_item(rules, 3), "{'apiGroups': [''], 'resources': ['events'], "
	                                          "'verbs': ['create', 'patch', 'list']}");
	for (size_t i = 2; i < jsontree_count(rules); i++)
		assert_null(strstr(json_object_to_json_string(jsontree_item(rules, i)), "delete"));
	assert_null(strstr(json_object_to_json_string(rules), "\"*\""));
	assert_null(strstr(json_object_to_json_string(rules), "secrets"));
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_the_reader_writes_nothing(void **state)
{
	struct grants_names names;
	struct grants g;
	const char *text;

	(void)state;
	grants_name(&names, "gondor", "host", false);
	grants_make(&g, &names, "fed", NULL);
	text = json_object_to_json_string(find(&g, "ClusterRole", "nigh-reader:gondor-host"));
	assert_null(strstr(text, "patch"));
	assert_null(strstr(text, "create"));
	assert_null(strstr(text, "secrets"));
	assert_json_text(jsontree_get(find(&g, "ClusterRoleBinding", "nigh-reader:gondor-host"),
	                              "subjects", NULL),
	                 "[{'kind': 'ServiceAccount', 'name': 'nigh-reader-gondor-host', "
	                 "'namespace': 'fed'}]");
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_the_old_layout_is_kubefeds(void **state)
{
	struct grants_names names;
	struct grants g;

	(void)state;
	grants_name(&names, "gondor", "host", true);
	grants_make_compatible(&g, &names, "fed");
	find(&g, "ServiceAccount", "gondor-host");
	assert_string_equal(jsontree_word(find(&g, "Secret", "gondor-host"), "type", NULL),
	                    "kubernetes.io/service-account-token");
	assert_json_text(
		jsontree_get(find(&g, "ClusterRole", "kubefed-controller-manager:gondor-host"),
	                     "rules", NULL),
		"[{'apiGroups': ['*'], 'resources': ['*'], 'verbs': ['*']},"
		"{'nonResourceURLs': ['*'], 'verbs': ['get']}]");
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_progress_grows_to_its_end(void **state)
{
	struct text line = {0};

	(void)state;
	progress_print("pods", 0, 4, 4, &line);
	text_add(&line, "|");
	progress_print("pods", 3, 4, 4, &line);
	text_add(&line, "|");
	progress_print("pods", 0, 0, 4, &line);
	assert_string_equal(line.data, "pods [----] 0/4|pods [###-] 3/4|pods [####] 0/0");
	text_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_the_writer_may_do_what_enabled_types_need),
		JSON_TEST(test_the_reader_writes_nothing),
		JSON_TEST(test_the_old_layout_is_kubefeds),
		JSON_TEST(test_progress_grows_to_its_end),
	};

	return cmocka_run_group_tests_name("ctl/grants", tests, NULL, NULL);
}
