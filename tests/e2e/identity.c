/* identity.c -- rights that a host hands out and members keep: KubeSphere's kinds as ordinary federated types, and a member's
 * ceiling over what may be pushed to it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/e2e/support/federation.h"

enum { SOON_MS = 15000 };

#define ROLES     "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
#define BINDINGS  "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/"
#define USERS     "/apis/iam.kubesphere.io/v1alpha2/users/"
#define FEDERATED "/apis/types.kubefed.io/v1beta1/"

enum { GONDOR, ROHAN };

/* What stands for KubeSphere's own kind: a member has it, and a host, too. */
static void define_users(struct cluster *c)
{
	cluster_apply(c,
	              "apiVersion: apiextensions.k8s.io/v1\n"
	              "kind: CustomResourceDefinition\n"
	              "metadata: {name: users.iam.kubesphere.io}\n"
	              "spec:\n"
	              "  group: iam.kubesphere.io\n"
	              "  scope: Cluster\n"
	              "  names: {kind: User, listKind: UserList, plural: users, singular: user}\n"
	              "  versions:\n"
	              "  - name: v1alpha2\n"
	              "    served: true\n"
	              "    storage: true\n"
	              "    schema: {openAPIV3Schema: {type: object, "
	              "x-kubernetes-preserve-unknown-fields: true}}\n");
	cluster_expect(c, "/apis/iam.kubesphere.io/v1alpha2/users", "\"items\":[", SOON_MS);
}

static int setup(void **state)
{
	struct federation *f = federation_new(2);

	*state = f;
	define_users(f->host);
	for (unsigned i = 0; i < f->count; i++)
		define_users(f->members[i]);
	federation_enable(f, "namespaces");
	federation_enable(f, "clusterroles.rbac.authorization.k8s.io");
	federation_enable(f, "rolebindings.rbac.authorization.k8s.io");
	federation_enable(f, "users.iam.kubesphere.io");
	federation_start(f);
	federation_namespace(f, "shop");
	return 0;
}

/* --- as KubeSphere's users have them --- */

static void federate_role(struct federation *f, const char *name, const char *verb)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedClusterRole\n"
	              "metadata: {name: %s}\n"
	              "spec:\n"
	              "  placement: {clusterSelector: {}}\n"
	              "  template:\n"
	              "    rules: [{apiGroups: [''], resources: [pods], verbs: ['%s']}]\n",
	              name, verb);
}

static void federate_binding(struct federation *f, const char *name, const char *role)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedRoleBinding\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "spec:\n"
	              "  placement: {clusterSelector: {}}\n"
	              "  template:\n"
	              "    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "
	              "alice}]\n"
	              "    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "
	              "%s}\n",
	              name, role);
}

static bool alice_may(struct cluster *c, const char *verb)
{
	char body[512];

	snprintf(body, sizeof(body),
	         "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SubjectAccessReview\","
	         "\"spec\":{\"user\":\"alice\",\"resourceAttributes\":{\"verb\":\"%s\","
	         "\"resource\":\"pods\",\"namespace\":\"shop\"}}}",
	         verb);
	assert_int_equal(cluster_send(c, "POST",
	                              "/apis/authorization.k8s.io/v1/subjectaccessreviews",
	                              "application/json", body),
	                 201);
	return strstr(cluster_body(c), "\"allowed\":true") != NULL;
}

static void test_roles_and_bindings_reach_members_who_then_decide_alone(void **state)
{
	struct federation *f = *state;

	federate_role(f, "pods-reader", "get");
	federate_binding(f, "alice-reads", "pods-reader");
	for (unsigned i = 0; i < f->count; i++) {
		cluster_expect(f->members[i], ROLES "pods-reader",
		               "\"kubefed.io/managed\":\"true\"", SOON_MS);
		cluster_expect(f->members[i], BINDINGS "alice-reads",
		               "\"kubefed.io/managed\":\"true\"", SOON_MS);
	}
	/* The authorizer of a member sees what is new a moment later. */
	for (unsigned i = 0; i < f->count; i++) {
		for (unsigned tries = 0; tries < 100 && !alice_may(f->members[i], "get"); tries++)
			cluster_expect(f->members[i], BINDINGS "alice-reads", "alice", SOON_MS);
		assert_true(alice_may(f->members[i], "get"));
		assert_false(alice_may(f->members[i], "delete"));
	}
}

static void test_a_kind_of_users_is_a_kind_as_any(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedUser\n"
	              "metadata: {name: alice}\n"
	              "spec:\n"
	              "  placement: {clusterSelector: {}}\n"
	              "  template: {spec: {email: alice@example.com, groups: [shop]}}\n"
	              "  overrides:\n"
	              "  - clusterName: gondor\n"
	              "    clusterOverrides: [{path: /spec/email, value: alice@gondor.example}]\n");
	cluster_expect(f->members[GONDOR], USERS "alice", "\"email\":\"alice@gondor.example\"",
	               SOON_MS);
	cluster_expect(f->members[ROHAN], USERS "alice", "\"email\":\"alice@example.com\"",
	               SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedusers/alice", "\"status\":\"True\"", SOON_MS);
}

/* --- the ceiling --- */

/* The manifest in docs/ceiling.md. */
static void lower_ceiling(struct cluster *c)
{
	FILE *file = fopen("docs/ceiling.md", "r");
	struct text yaml = {0};
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "    ", 4) == 0)
			text_add(&yaml, line + 4);
	fclose(file);
	objects_namespace(c, FEDERATION);
	cluster_apply(c, "%s", yaml.data);
	text_fini(&yaml);
}

/* It counts from when it was seen: a role that it forbids, of another member, shows that. */
static void await_ceiling(struct federation *f)
{
	federate_role(f, "trial", "escalate");
	cluster_expect(f->host, FEDERATED "federatedclusterroles/trial", "CeilingRefused", SOON_MS);
}

static void lift_ceiling(struct cluster *c)
{
	cluster_delete(c, "v1", "ConfigMap", FEDERATION, "nigh-ceiling");
}

static void assert_absent(struct cluster *c, const char *path)
{
	assert_int_equal(cluster_send(c, "GET", path, NULL, NULL), 404);
}

static void test_a_member_refuses_and_no_other_is_concerned(void **state)
{
	struct federation *f = *state;

	lower_ceiling(f->members[GONDOR]);
	await_ceiling(f);
	federate_role(f, "pods-lord", "*");
	cluster_expect(f->members[ROHAN], ROLES "pods-lord", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord",
	               "\"status\":\"CeilingRefused\"", SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord",
	               "the ceiling of the cluster forbids it: rbac.wildcards: a rule has *",
	               SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord",
	               "\"reason\":\"CheckClusters\"", SOON_MS);
	assert_absent(f->members[GONDOR], ROLES "pods-lord");
	federate_binding(f, "alice-rules", "cluster-admin");
	cluster_expect(f->members[ROHAN], BINDINGS "alice-rules", "alice", SOON_MS);
	cluster_expect(f->host, FEDERATED "namespaces/shop/federatedrolebindings/alice-rules",
	               "rbac.roles: it binds to cluster-admin", SOON_MS);
	assert_absent(f->members[GONDOR], BINDINGS "alice-rules");
}

static void test_what_the_ceiling_allows_goes_on(void **state)
{
	struct federation *f = *state;

	federate_role(f, "pods-reader", "list");
	for (unsigned i = 0; i < f->count; i++)
		cluster_expect(f->members[i], ROLES "pods-reader", "\"list\"", SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-reader", "!CeilingRefused",
	               SOON_MS);
}

static void test_what_is_there_is_not_changed_to_what_is_forbidden(void **state)
{
	struct federation *f = *state;

	federate_role(f, "pods-reader", "impersonate");
	cluster_expect(f->members[ROHAN], ROLES "pods-reader", "\"impersonate\"", SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-reader",
	               "rbac.verbs: a rule has impersonate", SOON_MS);
	cluster_expect(f->members[GONDOR], ROLES "pods-reader", "\"list\"", 0);
}

static void test_a_ceiling_that_is_gone_holds_nothing_back(void **state)
{
	struct federation *f = *state;

	lift_ceiling(f->members[GONDOR]);
	cluster_expect(f->members[GONDOR], ROLES "pods-lord", "\"kubefed.io/managed\":\"true\"",
	               SOON_MS);
	cluster_expect(f->members[GONDOR], BINDINGS "alice-rules", "cluster-admin", SOON_MS);
	cluster_expect(f->members[GONDOR], ROLES "pods-reader", "\"impersonate\"", SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord", "!CeilingRefused",
	               SOON_MS);
}

static void test_a_ceiling_that_comes_leaves_what_is_there(void **state)
{
	struct federation *f = *state;

	lower_ceiling(f->members[GONDOR]);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord", "CeilingRefused",
	               SOON_MS);
	cluster_expect(f->members[GONDOR], ROLES "pods-lord", "\"kubefed.io/managed\":\"true\"", 0);
	/* What is to go may go. */
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedClusterRole", "",
	               "pods-lord");
	cluster_expect(f->members[GONDOR], ROLES "pods-lord", "NotFound", SOON_MS);
	cluster_expect(f->host, FEDERATED "federatedclusterroles/pods-lord", "NotFound", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles_and_bindings_reach_members_who_then_decide_alone),
		cmocka_unit_test(test_a_kind_of_users_is_a_kind_as_any),
		cmocka_unit_test(test_a_member_refuses_and_no_other_is_concerned),
		cmocka_unit_test(test_what_the_ceiling_allows_goes_on),
		cmocka_unit_test(test_what_is_there_is_not_changed_to_what_is_forbidden),
		cmocka_unit_test(test_a_ceiling_that_is_gone_holds_nothing_back),
		cmocka_unit_test(test_a_ceiling_that_comes_leaves_what_is_there),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
