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
#include "base/yaml.h"
#include "propagator/ceiling.h"
#include "tests/support/propagator_json.h"

#define KUBEFED "kube-federation-system"
#define RBAC    "rbac.authorization.k8s.io"

static struct type type_of(const char *group, const char *kind, const char *plural, bool namespaced)
{
	struct reason why;
	struct type t;

	assert_int_equal(
		type_read(json_with("{'metadata': {'name': '%s%s%s'}, 'spec': {'propagation': "
	                            "'Enabled', 'targetType': {'group': '%s', 'version': 'v1', "
	                            "'kind': '%s', 'pluralName': '%s', 'scope': '%s'}, "
	                            "'federatedType': {'group': 'types.kubefed.io', 'version': "
	                            "'v1beta1', 'kind': 'Federated%s', 'pluralName': "
	                            "'federated%s', 'scope': 'Namespaced'}}}",
	                            plural, group[0] ? "." : "", group, group, kind, plural,
	                            namespaced ? "Namespaced" : "Cluster", kind, plural),
	                  &t, &why),
		ERR_OK);
	return t;
}

static struct ceiling *ceiling_of(const char *yaml)
{
	struct json_object *map = json_of("{'data': {}}");

	json_object_object_add(json_member(map, "data"), "ceiling", json_object_new_string(yaml));
	return ceiling_read(map);
}

static void keep_document(struct json_object *root, unsigned line, void *arg)
{
	(void)line;
	*(struct json_object **)arg = root;
}

/* The manifest in docs/ceiling.md. */
static struct ceiling *ceiling_of_the_page(void)
{
	FILE *f = fopen("docs/ceiling.md", "r");
	struct json_object *document = NULL;
	struct text yaml = {0};
	struct reason why;
	struct ceiling *c;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "    ", 4) == 0)
			text_add(&yaml, line + 4);
	fclose(f);
	assert_int_equal(yaml_read(bytes_of(yaml.data), keep_document, &document, &why), ERR_OK);
	assert_string_equal(json_text(json_member(document, "metadata"), "name"), CEILING_NAME);
	c = ceiling_read(document);
	json_object_put(document);
	text_fini(&yaml);
	return c;
}

struct kind {
	const char *group, *kind, *plural;
	bool namespaced;
};

static const struct kind namespaces = {"", "Namespace", "namespaces", false};
static const struct kind maps = {"", "ConfigMap", "configmaps", true};
static const struct kind secrets = {"", "Secret", "secrets", true};
static const struct kind deployments = {"apps", "Deployment", "deployments", true};
static const struct kind roles = {RBAC, "ClusterRole", "clusterroles", false};
static const struct kind bindings = {RBAC, "RoleBinding", "rolebindings", true};
static const struct kind cluster_bindings = {RBAC, "ClusterRoleBinding", "clusterrolebindings",
                                             false};
static const struct kind users = {"iam.kubesphere.io", "User", "users", false};
static const struct kind global_roles = {"iam.kubesphere.io", "GlobalRole", "globalroles", false};

/* `says` NULL: it may be pushed. */
static void assert_push(const struct ceiling *c, const struct kind *kind, const char *object,
                        const char *says)
{
	struct type t = type_of(kind->group, kind->kind, kind->plural, kind->namespaced);
	struct reason why = {""};
	bool allowed = ceiling_allows(c, &t, KUBEFED, json_of(object), &why);

	if (allowed != (says == NULL) || (says && !strstr(why.text, says)))
		fail_msg("%s: %s, want '%s'", object, allowed ? "allowed" : why.text,
		         says ? says : "allowed");
	type_fini(&t);
}

#define IN(namespace) "{'metadata': {'name': 'a', 'namespace': '" namespace "'}}"
#define VERBS(verbs)                                                                               \
	"{'metadata': {'name': 'a'}, 'rules': [{'apiGroups': [''], 'resources': ['pods'], "        \
	"'verbs': [" verbs "]}]}"
#define TO(role)                                                                                   \
	"{'metadata': {'name': 'a', 'namespace': 'shop'}, 'roleRef': {'kind': 'ClusterRole', "     \
	"'name': '" role "'}}"

static void test_the_page_s_example_allows_and_forbids_what_the_page_says(void **state)
{
	struct ceiling *c = ceiling_of_the_page();

	(void)state;
	assert_string_equal(ceiling_trouble(c), "");
	assert_push(c, &roles, VERBS("'get', 'list', 'watch'"), NULL);
	assert_push(c, &roles, VERBS("'bind'"), NULL);
	assert_push(c, &roles, VERBS("'*'"), "rbac.wildcards: a rule has *");
	assert_push(c, &roles, VERBS("'get', 'impersonate'"), "rbac.verbs: a rule has impersonate");
	assert_push(c, &bindings, TO("pods-reader"), NULL);
	assert_push(c, &cluster_bindings, TO("cluster-admin"),
	            "rbac.roles: it binds to cluster-admin");
	assert_push(c, &deployments, IN("team-red"), NULL);
	assert_push(c, &deployments, IN("payments"), "namespaces: not of payments");
	assert_push(c, &secrets, IN("shop"), "kinds: not of Secret");
	assert_push(c, &users, "{'metadata': {'name': 'alice'}}", NULL);
	ceiling_free(c);
}

static void test_without_a_ceiling_all_but_the_ceiling_may_be_pushed(void **state)
{
	struct ceiling *c = ceiling_of("{}");

	(void)state;
	assert_push(NULL, &roles, VERBS("'*'"), NULL);
	assert_push(NULL, &cluster_bindings, TO("cluster-admin"), NULL);
	assert_push(NULL, &maps,
	            "{'metadata': {'name': 'nigh-ceiling', 'namespace': '" KUBEFED "'}}",
	            "the cluster's own");
	assert_push(c, &maps, "{'metadata': {'name': 'nigh-ceiling', 'namespace': '" KUBEFED "'}}",
	            "the cluster's own");
	assert_push(NULL, &maps, "{'metadata': {'name': 'nigh-ceiling', 'namespace': 'shop'}}",
	            NULL);
	ceiling_free(c);
}

static void test_an_empty_ceiling_forbids_what_gives_all_rights(void **state)
{
	struct ceiling *c = ceiling_of("{}");

	(void)state;
	assert_string_equal(ceiling_trouble(c), "");
	assert_push(c, &secrets, IN("payments"), NULL);
	assert_push(c, &roles, VERBS("'get'"), NULL);
	assert_push(c, &roles, VERBS("'escalate'"), "rbac.verbs");
	assert_push(c, &roles, VERBS("'bind'"), "rbac.verbs");
	assert_push(c, &roles, "{'rules': [{'verbs': ['get'], 'apiGroups': ['*']}]}", "wildcards");
	assert_push(c, &roles, "{'rules': [{'verbs': ['get'], 'resources': ['*/scale']}]}",
	            "wildcards");
	assert_push(c, &roles, "{'rules': [{'verbs': ['get'], 'nonResourceURLs': ['/logs/*']}]}",
	            "wildcards");
	assert_push(c, &roles, "{'aggregationRule': {'clusterRoleSelectors': []}}", "aggregated");
	assert_push(c, &bindings, TO("view"), "rbac.roles");
	/* Kinds of others, in the words of RBAC. */
	assert_push(c, &global_roles, VERBS("'*'"), "wildcards");
	assert_push(c, &users, "{'rules': [{'match': '*'}]}", NULL);
	ceiling_free(c);
}

static void test_what_is_listed_may_be_pushed(void **state)
{
	struct ceiling *c = ceiling_of("rbac: {roles: [view, 'nigh-*', '*-reader'], verbs: "
	                               "[impersonate], wildcards: true}");

	(void)state;
	assert_push(c, &roles, VERBS("'*'"), NULL);
	assert_push(c, &roles, "{'aggregationRule': {}}", NULL);
	assert_push(c, &roles, VERBS("'impersonate'"), NULL);
	assert_push(c, &roles, VERBS("'escalate'"), "rbac.verbs");
	assert_push(c, &bindings, TO("view"), NULL);
	assert_push(c, &bindings, TO("nigh-shop"), NULL);
	assert_push(c, &bindings, TO("pods-reader"), NULL);
	assert_push(c, &bindings, TO("viewer"), "rbac.roles");
	assert_push(c, &bindings, TO("nigh"), "rbac.roles");
	assert_push(c, &bindings, "{'roleRef': {}}", "rbac.roles");
	ceiling_free(c);
}

static void test_namespaces_are_held_to_their_own_names(void **state)
{
	struct ceiling *c = ceiling_of("namespaces: [shop]");

	(void)state;
	assert_push(c, &namespaces, "{'metadata': {'name': 'shop'}}", NULL);
	assert_push(c, &namespaces, "{'metadata': {'name': 'kube-system'}}", "namespaces");
	assert_push(c, &users, "{'metadata': {'name': 'alice'}}", NULL);
	ceiling_free(c);
}

static void test_an_empty_list_is_none_at_all(void **state)
{
	struct ceiling *c = ceiling_of("kinds: []");

	(void)state;
	assert_push(c, &maps, IN("shop"), "kinds: not of ConfigMap");
	ceiling_free(c);
}

static void assert_broken(struct ceiling *c, const char *says)
{
	if (!strstr(ceiling_trouble(c), says))
		fail_msg("want '%s' in '%s'", says, ceiling_trouble(c));
	assert_push(c, &maps, IN("shop"), "cannot be read");
	ceiling_free(c);
}

static void test_a_ceiling_that_cannot_be_read_lets_nothing_be_pushed(void **state)
{
	struct text longest = {0};

	(void)state;
	for (int i = 0; i < 7000; i++)
		text_add(&longest, "# nothing\n");
	assert_broken(ceiling_of("kind: [ConfigMap]"), "kind");
	assert_broken(ceiling_of("kinds: ConfigMap: a"), "ceiling");
	assert_broken(ceiling_of("namespaces: ['*-*']"), "more than one *");
	assert_broken(ceiling_of(longest.data), "too long");
	assert_broken(ceiling_read(json_of("{'data': {'limits': '{}'}}")), "no key");
	assert_broken(ceiling_read(json_of("{}")), "no key");
	text_fini(&longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_the_page_s_example_allows_and_forbids_what_the_page_says),
		JSON_TEST(test_without_a_ceiling_all_but_the_ceiling_may_be_pushed),
		JSON_TEST(test_an_empty_ceiling_forbids_what_gives_all_rights),
		JSON_TEST(test_what_is_listed_may_be_pushed),
		JSON_TEST(test_namespaces_are_held_to_their_own_names),
		JSON_TEST(test_an_empty_list_is_none_at_all),
		JSON_TEST(test_a_ceiling_that_cannot_be_read_lets_nothing_be_pushed),
	};

	return cmocka_run_group_tests_name("propagator/ceiling", tests, NULL, NULL);
}
