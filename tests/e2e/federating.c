/* federating.c -- nighctl makes a federation of real clusters, and ends it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/e2e/support/federation.h"

enum { SOON_MS = 20000, MEETING_S = 5 };

#define CONFIGMAPS "/api/v1/namespaces/shop/configmaps/"
#define FEDERATED  "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedconfigmaps/"
#define ROLES      "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
#define CLUSTERS   "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/"
#define TYPES      "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/federatedtypeconfigs/"

/* A line of a table, with one space between its columns. */
static void assert_says(const char *said, const char *line, bool expected)
{
	char *flat = strdup(said), *to = flat;

	for (const char *at = flat; *at; at++)
		if (*at != ' ' || at[1] != ' ')
			*to++ = *at;
	*to = '\0';
	if ((strstr(flat, line) != NULL) != expected)
		fail_msg("'%s' is %s: %s", line, expected ? "missing" : "there", flat);
	free(flat);
}

static void test_a_cluster_joined_with_nighctl_alone_is_propagated_to(void **state)
{
	struct federation *f = *state;

	for (unsigned i = 0; i < f->count; i++)
		federation_join(f, f->members[i], NULL);
	federation_namespace(f, "shop");
	federation_put_settings(f, "a: one");
	for (unsigned i = 0; i < f->count; i++) {
		cluster_expect(f->members[i], CONFIGMAPS "settings", "\"a\":\"one\"", SOON_MS);
		cluster_expect(f->members[i], CONFIGMAPS "settings",
		               "\"kubefed.io/managed\":\"true\"", 0);
		cluster_expect(f->members[i], "/api/v1/namespaces/shop/events",
		               "Created (FederatedConfigMap shop/settings)", SOON_MS);
	}
}

static void test_a_member_grants_what_types_need_and_no_more(void **state)
{
	struct federation *f = *state;

	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "\"configmaps\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "!\"*\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-propagator:gondor-host", "!\"secrets\"", 0);
	cluster_expect(f->members[0], ROLES "nigh-reader:gondor-host", "!\"patch\"", 0);
	cluster_expect(f->host, CLUSTERS "gondor",
	               "\"nigh.dev/reader-secret\":\"gondor-nigh-reader\"", 0);
}

static void test_joining_again_grants_what_was_enabled_since(void **state)
{
	struct federation *f = *state;

	federation_enable(f, "secrets");
	federation_join(f, f->members[0], "--rotate");
	federation_join(f, f->members[1], NULL);
	cluster_apply(f->host, "apiVersion: types.kubefed.io/v1beta1\n"
	                       "kind: FederatedSecret\n"
	                       "metadata: {name: key, namespace: shop}\n"
	                       "spec: {template: {stringData: {key: value}}, placement: "
	                       "{clusterSelector: {}}}\n");
	cluster_expect(f->members[1], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               SOON_MS);
	cluster_expect(f->members[0], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               SOON_MS);
}

static void test_an_object_is_shown_cluster_by_cluster(void **state)
{
	struct federation *f = *state;
	const char *said;

	cluster_expect(f->host, FEDERATED "settings", "\"type\":\"Propagation\"", SOON_MS);
	said = federation_run(f, 0, WORDS("get", "configmap", "shop/settings", "--by-cluster"));
	assert_says(said, "gondor OK Current rv:", true);
	assert_says(said, "rohan OK Current rv:", true);
	assert_says(said, " yes ", true);
	federation_expect(f, 0, "\"recorded\": \"rv:",
	                  WORDS("get", "configmap", "shop/settings", "--by-cluster", "-o", "json"));
	federation_expect(f, 1, "FederatedConfigMap shop/nothing",
	                  WORDS("get", "configmap", "shop/nothing", "--by-cluster"));
	federation_expect(f, 1, "no FederatedTypeConfig is about unicorns",
	                  WORDS("get", "unicorns", "shop/nothing", "--by-cluster"));
}

/* --- plan --- */

static const char *manifest(struct federation *f, const char *text)
{
	static char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s", cloud_path(f->cloud, "plan.yaml"));
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

#define SETTINGS(rest)                                                                             \
	"apiVersion: types.kubefed.io/v1beta1\n"                                                   \
	"kind: FederatedConfigMap\n"                                                               \
	"metadata: {name: settings, namespace: shop}\n"                                            \
	"spec: " rest "\n"

static void test_a_plan_says_what_then_happens_and_writes_nothing(void **state)
{
	struct federation *f = *state;
	const char *file = manifest(
		f, SETTINGS("{template: {data: {a: two}}, placement: {clusterSelector: {}}, "
	                    "overrides: [{clusterName: rohan, clusterOverrides: [{path: /data/a, "
	                    "value: three}]}]}"));
	const char *said = federation_run(f, 2, WORDS("plan", "-f", file));

	assert_says(said, "update ConfigMap shop/settings gondor data.a: \"one\" -> \"two\"", true);
	assert_says(said, "update ConfigMap shop/settings rohan data.a: \"one\" -> \"three\"",
	            true);
	cluster_expect(f->host, FEDERATED "settings", "\"a\":\"one\"", 0);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"one\"", 0);
	cluster_apply_file(f->host, file);
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"three\"", SOON_MS);
}

static void test_a_plan_of_what_is_planned_already_is_empty(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "nothing would change",
	                  WORDS("plan", "-f", cloud_path(f->cloud, "plan.yaml")));
	federation_expect(f, 0, "the members have what they should have",
	                  WORDS("diff", "configmaps", "shop/settings"));
}

static void test_a_plan_tells_what_is_created_and_deleted_where_and_why(void **state)
{
	struct federation *f = *state;
	const char *file =
		manifest(f, SETTINGS("{template: {data: {a: two}}, placement: {clusters: [{name: "
	                             "gondor}]}}") "---\n"
	                                           "apiVersion: types.kubefed.io/v1beta1\n"
	                                           "kind: FederatedConfigMap\n"
	                                           "metadata: {name: more, namespace: shop}\n"
	                                           "spec: {template: {data: {a: b}}, placement: "
	                                           "{clusters: [{name: "
	                                           "rohan}]}}\n");
	const char *said = federation_run(f, 2, WORDS("plan", "-f", file));

	assert_says(said, "delete ConfigMap shop/settings rohan it is not placed there", true);
	assert_says(said, "create FederatedConfigMap shop/more (host)", true);
	assert_says(said, "create ConfigMap shop/more rohan", true);
	assert_says(said, "shop/more gondor", false);
}

static void refuse_one_put(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	bool *is_refused = arg;

	if (*is_refused || strcmp(r->method, "PUT") != 0)
		return;
	*is_refused = true;
	*out = (struct gate_answer){.status = 409, .reason = "Conflict", .body = "it is newer"};
}

/* As when nigh-propagator writes a status between what is read of an object and what is tried with it. */
static void test_a_plan_is_made_though_the_object_changes_meanwhile(void **state)
{
	struct federation *f = *state;
	struct gate *gate = federation_gate_host(f);
	bool is_refused = false;
	const char *file =
		manifest(f, SETTINGS("{template: {data: {a: two}}, placement: {clusters: "
	                             "[{name: gondor}]}}"));
	char own[sizeof(f->kubeconfig)];

	memcpy(own, f->kubeconfig, sizeof(own));
	memcpy(f->kubeconfig, f->way, sizeof(own));
	gate_decide(gate, refuse_one_put, &is_refused);
	federation_expect(f, 2, "shop/settings", WORDS("plan", "-f", file));
	gate_decide(gate, NULL, NULL);
	assert_true(is_refused);
	memcpy(f->kubeconfig, own, sizeof(own));
	memcpy(f->way, own, sizeof(own));
}

/* Who waits for each other: it is well when two are here at once. */
struct meeting {
	pthread_mutex_t lock;
	pthread_cond_t came;
	unsigned here;
	bool is_met;
};

static void meet(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	struct meeting *m = arg;
	struct timespec end;

	(void)out;
	if (!strstr(r->path, "dryRun=All"))
		return;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += MEETING_S;
	pthread_mutex_lock(&m->lock);
	m->is_met |= ++m->here >= 2;
	pthread_cond_broadcast(&m->came);
	while (!m->is_met && pthread_cond_timedwait(&m->came, &m->lock, &end) == 0)
		;
	m->here--;
	pthread_mutex_unlock(&m->lock);
}

static void test_a_plan_asks_members_at_the_same_time_and_tells_them_in_their_order(void **state)
{
	struct federation *f = *state;
	struct meeting m = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
	const char *gondor, *rohan, *said,
		*file = manifest(
			f,
			SETTINGS(
				"{template: {data: {a: four}}, placement: {clusterSelector: {}}}"));

	for (unsigned i = 0; i < f->count; i++)
		gate_decide(federation_gate(f, i), meet, &m);
	said = federation_run(f, 2, WORDS("plan", "-f", file));
	for (unsigned i = 0; i < f->count; i++) {
		gate_decide(f->gates[i], NULL, NULL);
		cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
		              cluster_name(f->members[i]), "{\"spec\":{\"apiEndpoint\":\"%s\"}}",
		              cluster_url(f->members[i]));
	}
	gondor = strstr(said, " gondor ");
	rohan = strstr(said, " rohan ");
	assert_true(m.is_met);
	assert_non_null(gondor);
	assert_true(rohan > gondor);
}

static void test_a_plan_of_a_namespace_tells_of_what_is_in_it(void **state)
{
	struct federation *f = *state;
	const char *file = manifest(f, "apiVersion: types.kubefed.io/v1beta1\n"
	                               "kind: FederatedNamespace\n"
	                               "metadata: {name: shop, namespace: shop}\n"
	                               "spec: {placement: {clusters: [{name: gondor}]}}\n");
	const char *said = federation_run(f, 2, WORDS("plan", "-f", file));

	assert_says(said, "delete Namespace shop/shop rohan", true);
	assert_says(said, "delete ConfigMap shop/settings rohan", true);
}

/* It waits for whatever holds it on the host; nobody brings it anywhere any more. */
static void test_what_is_being_deleted_is_to_be_nowhere(void **state)
{
	static const char *const api = "types.kubefed.io/v1beta1", *const kind =
									   "FederatedConfigMap";
	struct federation *f = *state;

	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedConfigMap\n"
	              "metadata: {name: leaving, namespace: shop, finalizers: [example.com/held]}\n"
	              "spec: {template: {data: {a: one}}, placement: {clusterSelector: {}}}\n");
	cluster_expect(f->members[0], CONFIGMAPS "leaving", "\"a\":\"one\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "leaving", "\"a\":\"one\"", SOON_MS);
	cluster_delete(f->host, api, kind, "shop", "leaving");
	cluster_expect(f->members[0], CONFIGMAPS "leaving", "NotFound", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "leaving", "NotFound", SOON_MS);
	federation_expect(f, 0, "the members have what they should have",
	                  WORDS("diff", "configmaps", "shop/leaving"));
	cluster_patch(f->host, api, kind, "shop", "leaving",
	              "{\"metadata\":{\"finalizers\":null}}");
}

static void test_what_a_server_refuses_is_planned_as_refused(void **state)
{
	struct federation *f = *state;

	federation_expect(
		f, 2, "refused",
		WORDS("plan", "-f",
	              manifest(f, SETTINGS("{template: {data: 5}, placement: {clusterSelector: "
	                                   "{}}}"))));
	federation_expect(
		f, 1, "spec.placement.clusters",
		WORDS("plan", "-f", manifest(f, SETTINGS("{placement: {clusters: gondor}}"))));
	federation_expect(f, 1, "usage", WORDS("plan"));
	federation_put_settings(f, "a: one");
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"one\"", SOON_MS);
}

/* No apply takes a field that no schema has; a server drops it from what is created. */
static void test_what_can_only_be_created_whole_is_planned_as_that(void **state)
{
	struct federation *f = *state;
	const char *file = manifest(f, "apiVersion: types.kubefed.io/v1beta1\n"
	                               "kind: FederatedConfigMap\n"
	                               "metadata: {name: odd, namespace: shop}\n"
	                               "spec: {template: {data: {a: one}, colour: red}, placement: "
	                               "{clusters: [{name: rohan}]}}\n");

	assert_says(federation_run(f, 2, WORDS("plan", "-f", file)),
	            "create ConfigMap shop/odd rohan", true);
	cluster_apply_file(f->host, file);
	cluster_expect(f->members[1], CONFIGMAPS "odd", "\"a\":\"one\"", SOON_MS);
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop", "odd");
	cluster_expect(f->members[1], CONFIGMAPS "odd", "NotFound", SOON_MS);
}

static void refuse_one_dry_put(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	if (strstr(r->path, "dryRun=All"))
		refuse_one_put(r, out, arg);
}

/* As when a controller of the member writes a status between what is read of a copy and what is tried with it. */
static void test_a_plan_is_made_though_a_copy_changes_meanwhile(void **state)
{
	struct federation *f = *state;
	bool is_refused = false;
	const char *said,
		*file = manifest(f, "apiVersion: types.kubefed.io/v1beta1\n"
	                            "kind: FederatedConfigMap\n"
	                            "metadata: {name: strange, namespace: shop}\n"
	                            "spec: {template: {data: {a: one}, colour: red}, placement: "
	                            "{clusters: [{name: rohan}]}}\n");

	cluster_apply_file(f->host, file);
	cluster_expect(f->members[1], CONFIGMAPS "strange", "\"a\":\"one\"", SOON_MS);
	gate_decide(federation_gate(f, 1), refuse_one_dry_put, &is_refused);
	file = manifest(f, "apiVersion: types.kubefed.io/v1beta1\n"
	                   "kind: FederatedConfigMap\n"
	                   "metadata: {name: strange, namespace: shop}\n"
	                   "spec: {template: {data: {a: two}, colour: red}, placement: "
	                   "{clusters: [{name: rohan}]}}\n");
	said = federation_run(f, 2, WORDS("plan", "-f", file));
	gate_decide(f->gates[1], NULL, NULL);
	cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION, "rohan",
	              "{\"spec\":{\"apiEndpoint\":\"%s\"}}", cluster_url(f->members[1]));
	assert_true(is_refused);
	assert_says(said, "update ConfigMap shop/strange rohan data.a: \"one\" -> \"two\"", true);
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop",
	               "strange");
	cluster_expect(f->members[1], CONFIGMAPS "strange", "NotFound", SOON_MS);
}

static void test_what_a_ceiling_or_the_host_refuses_is_planned_as_refused(void **state)
{
	struct federation *f = *state;
	const char *said;

	cluster_apply(f->members[0], "apiVersion: v1\n"
	                             "kind: ConfigMap\n"
	                             "metadata: {name: nigh-ceiling, namespace: " FEDERATION "}\n"
	                             "data: {ceiling: 'kinds: [Namespace]'}\n");
	said = federation_run(f, 2,
	                      WORDS("plan", "-f",
	                            manifest(f, SETTINGS("{template: {data: {a: two}}, placement: "
	                                                 "{clusterSelector: {}}}"))));
	assert_says(said, "refused ConfigMap shop/settings gondor the ceiling of the cluster",
	            true);
	assert_says(said, "update ConfigMap shop/settings rohan", true);
	cluster_delete(f->members[0], "v1", "ConfigMap", FEDERATION, "nigh-ceiling");
	said = federation_run(f, 2,
	                      WORDS("plan", "-f",
	                            manifest(f, "apiVersion: types.kubefed.io/v1beta1\n"
	                                        "kind: FederatedNamespace\n"
	                                        "metadata: {name: nowhere, namespace: nowhere}\n"
	                                        "spec: {placement: {clusterSelector: {}}}\n")));
	assert_says(said, "refused FederatedNamespace nowhere/nowhere (host) the host has no",
	            true);
	said = federation_run(f, 2,
	                      WORDS("plan", "-f",
	                            manifest(f, SETTINGS("{template: {data: {a: two}}, placement: "
	                                                 "{clusters: [{name: mordor}]}}"))));
	assert_says(said, "(host) there is no cluster mordor; it goes to no cluster", true);
}

static void test_a_namespace_is_federated_with_what_is_in_it(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host, "apiVersion: v1\n"
	                       "kind: Namespace\n"
	                       "metadata: {name: office, labels: {team: office}}\n"
	                       "---\n"
	                       "apiVersion: v1\n"
	                       "kind: ConfigMap\n"
	                       "metadata: {name: desk, namespace: office, labels: {app: desk}}\n"
	                       "data: {drawers: \"3\"}\n");
	federation_expect(f, 0, "kind: FederatedConfigMap",
	                  WORDS("federate", "cm", "office/desk", "-o", "yaml"));
	federation_expect(f, 1, "deploy is not federated",
	                  WORDS("federate", "deploy", "office/desk"));
	federation_expect(f, 0, "FederatedConfigMap desk is written",
	                  WORDS("federate", "namespace", "office", "--contents"));
	for (unsigned i = 0; i < f->count; i++) {
		cluster_expect(f->members[i], "/api/v1/namespaces/office/configmaps/desk",
		               "\"drawers\":\"3\"", SOON_MS);
		cluster_expect(f->members[i], "/api/v1/namespaces/office", "\"team\":\"office\"",
		               0);
	}
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "office", "desk");
	cluster_expect(f->members[0], "/api/v1/namespaces/office/configmaps/desk", "NotFound",
	               SOON_MS);
	cluster_expect(f->members[1], "/api/v1/namespaces/office/configmaps/desk", "NotFound",
	               SOON_MS);
}

static void test_another_cluster_is_not_taken_for_a_member(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "if it is the same cluster",
	                  WORDS("join", "gondor", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	federation_expect(f, 1, "there is no KubeFedCluster mordor",
	                  WORDS("join", "mordor", "--rotate", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
}

static void test_a_type_of_the_same_api_is_refused(void **state)
{
	struct federation *f = *state;

	cluster_apply(f->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: FederatedTypeConfig\n"
	              "metadata: {name: ingresses.extensions, namespace: " FEDERATION "}\n"
	              "spec:\n"
	              "  propagation: Disabled\n"
	              "  targetType: {group: extensions, version: v1beta1, kind: Ingress, "
	              "pluralName: ingresses, scope: Namespaced}\n"
	              "  federatedType: {group: types.kubefed.io, version: v1beta1, kind: "
	              "FederatedIngress, pluralName: federatedingresses, scope: Namespaced}\n");
	federation_expect(f, 1, "ingresses.extensions propagates the same",
	                  WORDS("federate", "enable", "ingresses"));
	federation_expect(f, 1, "there is no kind unicorns",
	                  WORDS("federate", "enable", "unicorns"));
}

static void test_a_type_is_disabled_and_its_objects_stay(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "there are 1 federatedsecrets",
	                  WORDS("federate", "disable", "secrets", "--delete-crd"));
	federation_expect(f, 0, "FederatedTypeConfig secrets is deleted",
	                  WORDS("federate", "disable", "secrets"));
	cluster_expect(f->host, TYPES "secrets", "NotFound", SOON_MS);
	cluster_expect(f->members[0], "/api/v1/namespaces/shop/secrets/key", "\"key\":\"dmFsdWU=\"",
	               0);
}

static void test_what_becomes_of_objects_must_be_said(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 2, "--keep (as they are), --orphan",
	                  WORDS("unjoin", "rohan", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	federation_expect(f, 0, "not done: configmaps: 1 orphaned",
	                  WORDS("unjoin", "rohan", "--orphan", "--dry-run", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	cluster_expect(f->host, CLUSTERS "rohan", "\"apiEndpoint\"", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"kubefed.io/managed\":\"true\"", 0);
}

static void test_a_cluster_that_leaves_with_orphan_has_its_objects(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "configmaps: 1 orphaned",
	                  WORDS("unjoin", "rohan", "--orphan", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	cluster_expect(f->host, CLUSTERS "rohan", "NotFound", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "!kubefed.io/managed\":\"true", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"one\"", 0);
	cluster_expect(f->members[1], ROLES "nigh-propagator:rohan-host", "NotFound", 0);
	cluster_expect(f->members[1], ROLES "nigh-reader:rohan-host", "NotFound", 0);
	cluster_expect(f->host, "/api/v1/namespaces/" FEDERATION "/secrets/rohan-nigh", "NotFound",
	               0);
	federation_put_settings(f, "a: two");
	cluster_expect(f->members[0], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"one\"", 0);
}

static void test_a_cluster_joins_as_kubefed_had_it(void **state)
{
	struct federation *f = *state;

	federation_join(f, f->members[1], "--kubefed-compatible");
	cluster_expect(f->members[1], ROLES "kubefed-controller-manager:rohan-host",
	               "\"nonResourceURLs\":[\"*\"]", 0);
	cluster_expect(f->members[1], CONFIGMAPS "settings", "\"a\":\"two\"", SOON_MS);
}

static void test_a_cluster_that_leaves_with_remove_has_nothing_left(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 0, "configmaps: 1 deleted",
	                  WORDS("unjoin", "rohan", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[1], ADMIN_TOKEN)));
	cluster_expect(f->members[1], CONFIGMAPS "settings", "NotFound", 0);
	cluster_expect(f->members[1], "/api/v1/namespaces/shop", "NotFound", SOON_MS);
	cluster_expect(f->members[1], ROLES "kubefed-controller-manager:rohan-host", "NotFound", 0);
}

static void test_a_cluster_that_never_comes_back_is_forgotten(void **state)
{
	struct federation *f = *state;

	federation_expect(f, 1, "gondor is ready", WORDS("forget", "gondor"));
	cluster_kill(f->members[0]);
	cluster_expect(f->host, CLUSTERS "gondor", "ClusterNotReachable", SOON_MS * 4);
	federation_expect(f, 1, "unknown   ConfigMap   shop/settings   gondor",
	                  WORDS("diff", "configmaps", "shop/settings"));
	cluster_delete(f->host, "types.kubefed.io/v1beta1", "FederatedConfigMap", "shop",
	               "settings");
	federation_expect(f, 1, "nothing is done; --force",
	                  WORDS("unjoin", "gondor", "--remove", "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	federation_expect(f, 0, "left behind in gondor: namespaces shop/shop",
	                  WORDS("unjoin", "gondor", "--remove", "--force", "--dry-run",
	                        "--cluster-kubeconfig",
	                        federation_way_to(f, f->members[0], ADMIN_TOKEN)));
	cluster_expect(f->host, FEDERATED "settings", "deletionTimestamp", 0);
	cluster_expect(f->host, FEDERATED "settings", "\"status\":\"ClusterNotReady\"", SOON_MS);
	federation_expect(
		f, 0,
		"left behind in gondor: configmaps shop/settings (its deletion waited for this "
		"cluster)",
		WORDS("forget", "gondor"));
	cluster_expect(f->host, FEDERATED "settings", "NotFound", SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_joined_with_nighctl_alone_is_propagated_to),
		cmocka_unit_test(test_a_member_grants_what_types_need_and_no_more),
		cmocka_unit_test(test_joining_again_grants_what_was_enabled_since),
		cmocka_unit_test(test_an_object_is_shown_cluster_by_cluster),
		cmocka_unit_test(test_a_plan_says_what_then_happens_and_writes_nothing),
		cmocka_unit_test(test_a_plan_of_what_is_planned_already_is_empty),
		cmocka_unit_test(test_a_plan_tells_what_is_created_and_deleted_where_and_why),
		cmocka_unit_test(test_a_plan_is_made_though_the_object_changes_meanwhile),
		cmocka_unit_test(
			test_a_plan_asks_members_at_the_same_time_and_tells_them_in_their_order),
		cmocka_unit_test(test_a_plan_of_a_namespace_tells_of_what_is_in_it),
		cmocka_unit_test(test_what_is_being_deleted_is_to_be_nowhere),
		cmocka_unit_test(test_what_a_server_refuses_is_planned_as_refused),
		cmocka_unit_test(test_what_can_only_be_created_whole_is_planned_as_that),
		cmocka_unit_test(test_a_plan_is_made_though_a_copy_changes_meanwhile),
		cmocka_unit_test(test_what_a_ceiling_or_the_host_refuses_is_planned_as_refused),
		cmocka_unit_test(test_a_namespace_is_federated_with_what_is_in_it),
		cmocka_unit_test(test_another_cluster_is_not_taken_for_a_member),
		cmocka_unit_test(test_a_type_of_the_same_api_is_refused),
		cmocka_unit_test(test_a_type_is_disabled_and_its_objects_stay),
		cmocka_unit_test(test_what_becomes_of_objects_must_be_said),
		cmocka_unit_test(test_a_cluster_that_leaves_with_orphan_has_its_objects),
		cmocka_unit_test(test_a_cluster_joins_as_kubefed_had_it),
		cmocka_unit_test(test_a_cluster_that_leaves_with_remove_has_nothing_left),
		cmocka_unit_test(test_a_cluster_that_never_comes_back_is_forgotten),
	};

	return cmocka_run_group_tests(tests, federation_setup_config_maps, federation_teardown);
}
