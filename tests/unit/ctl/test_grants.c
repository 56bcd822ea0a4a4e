/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "ctl/command.h"
#include "ctl/membership.h"
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
	grants_name(&names, "gondor", "host", "fed", false);
	grants_make(
		&g, &names, "fed", GRANTS_CLUSTER,
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

static void test_tokens_of_these_two_accounts_alone_can_be_made_anew(void **state)
{
	struct grants_names names;
	struct grants g;

	(void)state;
	grants_name(&names, "gondor", "host", "fed", false);
	grants_make(&g, &names, "fed", GRANTS_CLUSTER, NULL);
	assert_json_text(
		jsontree_item(jsontree_get(find(&g, "Role", "nigh-gondor-host"), "rules", NULL), 1),
		"{'apiGroups': [''], 'resources': ['serviceaccounts/token'], 'verbs': ['create'],"
		"'resourceNames': ['nigh-gondor-host', 'nigh-reader-gondor-host']}");
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_who_joined_keeps_the_name_that_its_host_had_then(void **state)
{
	struct command c = {.context = "new-name"};
	struct json_object *cluster = json_tokener_parse(
		"{\"metadata\":{\"annotations\":{\"nigh.dev/joined-by\":\"old-name\"}}}");

	(void)state;
	assert_string_equal(membership_host_of(&c, cluster), "old-name");
	assert_string_equal(membership_host_of(&c, NULL), "new-name");
	c.host_name = "said";
	assert_string_equal(membership_host_of(&c, cluster), "said");
	json_object_put(cluster);
}

static void test_the_reader_writes_nothing(void **state)
{
	struct grants_names names;
	struct grants g;
	const char *text;

	(void)state;
	grants_name(&names, "gondor", "host", "fed", false);
	grants_make(&g, &names, "fed", GRANTS_CLUSTER, NULL);
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
	grants_name(&names, "gondor", "host", "fed", true);
	grants_make_compatible(&g, &names, "fed", GRANTS_CLUSTER);
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

/* Of all roles of a kind: what they let do, as one text. */
static const char *rules_in(const struct grants *g, const char *kind)
{
	struct json_object *all = json_of("[]");

	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->list[i].resource->kind, kind) == 0)
			json_object_array_add(all, json_object_get(jsontree_get(g->list[i].object,
			                                                        "rules", NULL)));
	return json_object_to_json_string(all);
}

static void test_a_namespaced_control_plane_is_let_into_its_namespace_only(void **state)
{
	struct grants_names names;
	struct grants g;

	(void)state;
	grants_name(&names, "gondor", "host", "fed", false);
	grants_make(
		&g, &names, "fed", GRANTS_NAMESPACED,
		json_of("[" TYPE("configmaps", "", "ConfigMap", "configmaps", "Enabled") ", " TYPE(
			"namespaces", "", "Namespace", "namespaces", "Enabled") "]"));
	assert_json_text(
		jsontree_get(find(&g, "ClusterRole", "nigh-propagator:fed:gondor-host"), "rules",
	                     NULL),
		"[{'apiGroups': [''], 'resources': ['nodes'], 'verbs': ['get', 'list', 'watch']},"
		"{'nonResourceURLs': ['/healthz', '/livez', '/readyz', '/version'],"
		"'verbs': ['get']}]");
	assert_json_text(
		jsontree_get(find(&g, "ClusterRole", "nigh-reader:fed:gondor-host"), "rules", NULL),
		"[{'apiGroups': [''], 'resources': ['nodes'], 'verbs': ['get', 'list', 'watch']}]");
	assert_json_text(
		jsontree_item(jsontree_get(find(&g, "Role", "nigh-propagator:gondor-host"), "rules",
	                                   NULL),
	                      0),
		"{'apiGroups': [''], 'resources': ['configmaps'],"
		"'verbs': ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']}");
	assert_string_equal(jsontree_word(find(&g, "RoleBinding", "nigh-reader:gondor-host"),
	                                  "metadata", "namespace", NULL),
	                    "fed");
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_in_the_old_layout_a_namespaced_control_plane_has_kubefeds_two_roles(void **state)
{
	struct grants_names names;
	struct grants g;

	(void)state;
	grants_name(&names, "gondor", "host", "fed", true);
	grants_make_compatible(&g, &names, "fed", GRANTS_NAMESPACED);
	assert_json_text(jsontree_get(find(&g, "Role", "kubefed-controller-manager:gondor-host"),
	                              "rules", NULL),
	                 "[{'apiGroups': ['*'], 'resources': ['*'], 'verbs': ['*']}]");
	assert_json_text(
		jsontree_get(find(&g, "ClusterRole",
	                          "kubefed-controller-manager:fed:healthcheck-gondor-host"),
	                     "rules", NULL),
		"[{'nonResourceURLs': ['/healthz'], 'verbs': ['get']},"
		"{'apiGroups': [''], 'resources': ['nodes'], 'verbs': ['list']}]");
	assert_null(strstr(rules_in(&g, "ClusterRole"), "\"*\""));
	grants_fini(&g);
	grants_names_fini(&names);
}

/* Two in one host, of the same member: what has no namespace is there for each of them. */
static void test_namespaced_control_planes_share_nothing_in_a_member(void **state)
{
	(void)state;
	for (int compatible = 0; compatible <= 1; compatible++) {
		static const char *const namespaces[] = {"fed", "team"};
		struct grants_names names[2];
		struct grants g[2];

		for (size_t i = 0; i < 2; i++) {
			grants_name(&names[i], "gondor", "host", namespaces[i], compatible);
			if (compatible)
				grants_make_compatible(&g[i], &names[i], namespaces[i],
				                       GRANTS_NAMESPACED);
			else
				grants_make(&g[i], &names[i], namespaces[i], GRANTS_NAMESPACED,
				            NULL);
		}
		for (size_t i = 0; i < g[0].count; i++)
			assert_false(!g[0].list[i].in_namespace &&
			             grants_have(&g[1], &g[0].list[i]));
		for (size_t i = 0; i < 2; i++) {
			grants_fini(&g[i]);
			grants_names_fini(&names[i]);
		}
	}
}

static void test_a_binding_is_anothers_by_the_namespace_of_its_accounts(void **state)
{
	(void)state;
	assert_true(grants_are_anothers(json_of("{'subjects':[{'namespace':'team'}]}"), "fed"));
	assert_false(grants_are_anothers(json_of("{'subjects':[{'namespace':'fed'}]}"), "fed"));
	assert_false(grants_are_anothers(json_of("{}"), "fed"));
	assert_false(grants_are_anothers(NULL, "fed"));
}

/* Whatever the scope was when it was joined. */
static void test_who_takes_away_knows_the_objects_of_every_scope(void **state)
{
	static const enum grants_scope scopes[] = {GRANTS_CLUSTER, GRANTS_NAMESPACED};

	(void)state;
	for (int compatible = 0; compatible <= 1; compatible++) {
		struct grants_names names;
		struct grants any, g;

		grants_name(&names, "gondor", "host", "fed", compatible);
		if (compatible)
			grants_make_compatible(&any, &names, "fed", GRANTS_ANY);
		else
			grants_make(&any, &names, "fed", GRANTS_ANY, NULL);
		for (size_t i = 0; i < 2; i++) {
			if (compatible)
				grants_make_compatible(&g, &names, "fed", scopes[i]);
			else
				grants_make(&g, &names, "fed", scopes[i], NULL);
			for (size_t j = 0; j < g.count; j++)
				assert_true(grants_have(&any, &g.list[j]));
			grants_fini(&g);
		}
		grants_fini(&any);
		grants_names_fini(&names);
	}
}

static void check_verbs(struct json_object *role)
{
	static const char *const known[] = {"get",    "list",   "watch", "create",
	                                    "update", "delete", "patch", "*"};
	struct json_object *rules = jsontree_get(role, "rules", NULL);

	for (size_t i = 0; i < jsontree_count(rules); i++) {
		struct json_object *verbs = jsontree_get(jsontree_item(rules, i), "verbs", NULL);

		assert_true(jsontree_count(verbs) > 0);
		for (size_t j = 0; j < jsontree_count(verbs); j++) {
			const char *verb = jsontree_word(jsontree_item(verbs, j), NULL);
			bool is_known = false;

			for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
				is_known |= strcmp(verb, known[k]) == 0;
			if (!is_known)
				fail_msg("'%s' is no verb", verb);
		}
	}
}

/* KubeFed granted "Get" on /healthz. */
static void test_every_verb_is_one_that_rbac_knows(void **state)
{
	struct grants_names names;
	struct grants g;

	(void)state;
	grants_name(&names, "gondor", "host", "fed", false);
	grants_make(&g, &names, "fed", GRANTS_CLUSTER, NULL);
	check_verbs(find(&g, "ClusterRole", "nigh-propagator:gondor-host"));
	check_verbs(find(&g, "ClusterRole", "nigh-reader:gondor-host"));
	grants_fini(&g);
	grants_names_fini(&names);
	grants_name(&names, "gondor", "host", "fed", true);
	grants_make_compatible(&g, &names, "fed", GRANTS_CLUSTER);
	check_verbs(find(&g, "ClusterRole", "kubefed-controller-manager:gondor-host"));
	grants_fini(&g);
	grants_names_fini(&names);
}

static void test_where_there_is_no_terminal_progress_is_a_line_now_and_then(void **state)
{
	struct progress p = {"pods", 1000};
	struct text line = {0};

	(void)state;
	progress_line(&p, 1, 9, 1000 + PROGRESS_LINE_MS - 1, &line);
	assert_int_equal(line.len, 0);
	progress_line(&p, 2, 9, 1000 + PROGRESS_LINE_MS, &line);
	assert_string_equal(line.data, "pods: 2 of 9\n");
	progress_line(&p, 3, 9, 2000 + PROGRESS_LINE_MS, &line);
	progress_line(&p, 9, 9, 9 * PROGRESS_LINE_MS, &line);
	assert_string_equal(line.data, "pods: 2 of 9\n");
	text_fini(&line);
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
		JSON_TEST(test_tokens_of_these_two_accounts_alone_can_be_made_anew),
		JSON_TEST(test_who_joined_keeps_the_name_that_its_host_had_then),
		JSON_TEST(test_the_reader_writes_nothing),
		JSON_TEST(test_the_old_layout_is_kubefeds),
		JSON_TEST(test_a_namespaced_control_plane_is_let_into_its_namespace_only),
		JSON_TEST(test_in_the_old_layout_a_namespaced_control_plane_has_kubefeds_two_roles),
		JSON_TEST(test_namespaced_control_planes_share_nothing_in_a_member),
		JSON_TEST(test_a_binding_is_anothers_by_the_namespace_of_its_accounts),
		JSON_TEST(test_who_takes_away_knows_the_objects_of_every_scope),
		JSON_TEST(test_every_verb_is_one_that_rbac_knows),
		JSON_TEST(test_progress_grows_to_its_end),
		JSON_TEST(test_where_there_is_no_terminal_progress_is_a_line_now_and_then),
	};

	return cmocka_run_group_tests_name("ctl/grants", tests, NULL, NULL);
}
