/* takeover_kubefed.c -- KubeFed's own manager brings its objects to real members; it is stopped, nigh-propagator started, and
 * everything stays as it is; changes work; and KubeFed's manager takes it all back.
 *
 * Against from_kubefed.c, nothing here is written as we believe that KubeFed writes it: it does.  What is done to the host in
 * between are the commands of docs/from-kubefed.md, word for word.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/kubefed.h"
#include "tests/e2e/support/picture.h"
#include "tests/support/world_inside.h"

/* Nothing is written in CALM_S once all is done; what KubeFed fails at it tries again after longer pauses than that. */
enum { MEMBERS = 2, SOON_MS = 60000, CALM_MS = 180000, CALM_S = 6, KUBEFED_S = 15 };

#define TYPES     "types.kubefed.io/v1beta1"
#define FEDERATED "/apis/" TYPES "/namespaces/shop/"
#define MANAGED   "?labelSelector=kubefed.io%2Fmanaged%3Dtrue"
#define WEB       "/apis/apps/v1/namespaces/shop/deployments/web"
#define SCALED    "/apis/apps/v1/namespaces/shop/deployments/scaled"
#define KEPT      "/apis/apps/v1/namespaces/shop/deployments/kept"
#define SERVICE   "/api/v1/namespaces/shop/services/web"
#define STATUS    "/apis/core.kubefed.io/v1alpha1/namespaces/shop/federatedservicestatuses/web"
#define CONFIGMAP "/api/v1/namespaces/shop/configmaps/"

struct takeover {
	struct kubefed k;
	struct picture before;
	struct json_object *said; /* FederatedServiceStatuses, as KubeFed made them */
};

/* In a member, and for PropagatedVersions and FederatedServiceStatuses: not even another resourceVersion. */
static const char *const nothing[] = {NULL};
static const struct snapshot_rule exactly = {nothing, false, false};
/* On the host a status may be told anew, with additions; what it says stays. */
static const char *const times[] = {"resourceVersion", "managedFields", "lastUpdateTime",
                                    "lastTransitionTime", NULL};
static const struct snapshot_rule says_the_same = {times, true, false};

/* What KubeFed's definition does not know of a Service's status it pruned; ours keeps it. */
static const char *const but_statuses[] = {
	"/apis/core.kubefed.io/v1alpha1/federatedservicestatuses", NULL};
static const struct snapshot_rule exactly_but_statuses = {but_statuses, false, false};
static const char *const writes[] = {"resourceVersion", "managedFields", "generation", NULL};
static const struct snapshot_rule statuses_say_the_same = {writes, true, false};

static void expect_all_is_as_before(struct takeover *t, const struct snapshot_rule *versions)
{
	struct text differences = {0};
	struct picture now = {0};

	picture_await_calm(&now, t->k.f, CALM_S, CALM_MS);
	if (!picture_same(&t->before, &now, &says_the_same, versions, &exactly, &differences)) {
		fprintf(stderr, "%s", differences.data);
		fail_msg("not everything stays as it is");
	}
	picture_forget(&now);
	text_fini(&differences);
}

/* What Services say of themselves is collected by KubeFed's old status controller. */
static void collect_statuses(struct takeover *t)
{
	cluster_patch(t->k.f->host, "core.kubefed.io/v1beta1", "FederatedTypeConfig", FEDERATION,
	              "services",
	              "{\"spec\":{\"statusCollection\":\"Enabled\",\"statusType\":{\"group\":"
	              "\"core.kubefed.io\",\"version\":\"v1alpha1\",\"kind\":"
	              "\"FederatedServiceStatus\",\"pluralName\":\"federatedservicestatuses\","
	              "\"scope\":\"Namespaced\"}}}");
}

static int setup(void **state)
{
	struct takeover *t = xcalloc(1, sizeof(*t));

	*state = t;
	kubefed_init(&t->k, MEMBERS);
	cluster_patch(t->k.f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
	              "gondor", "{\"metadata\":{\"labels\":{\"realm\":\"south\"}}}");
	collect_statuses(t);
	return 0;
}

static int teardown(void **state)
{
	struct takeover *t = *state;

	kubefed_show_log(&t->k);
	picture_forget(&t->before);
	json_object_put(t->said);
	kubefed_free(&t->k);
	free(t);
	return 0;
}

static void expect_statuses(struct takeover *t, struct json_object *before,
                            const struct snapshot_rule *rule)
{
	struct json_object *now = snapshot_take(t->k.f->host, but_statuses);
	struct text differences = {0};

	if (!snapshot_same(before, now, rule, &differences))
		fail_msg("a FederatedServiceStatus is another: %s", differences.data);
	json_object_put(now);
	text_fini(&differences);
}

/* --- the guide --- */

/* What KubeFed's chart has running besides, as far as the guide takes hold of it; its webhooks refuse all that nobody answers. */
static void add_chart(struct takeover *t)
{
	static const char *const deployments[] = {"kubefed-controller-manager",
	                                          "kubefed-admission-webhook"};
	static const char *const hooks[][2] = {{"Validating", "validations.core.kubefed.io"},
	                                       {"Mutating", "mutation.core.kubefed.io"}};

	for (size_t i = 0; i < 2; i++) {
		cluster_apply(t->k.f->host,
		              "apiVersion: apps/v1\n"
		              "kind: Deployment\n"
		              "metadata: {name: %s, namespace: " FEDERATION "}\n"
		              "spec: {replicas: 1, selector: {matchLabels: {app: a}}, template: "
		              "{metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: "
		              "a}]}}}\n",
		              deployments[i]);
		cluster_apply(t->k.f->host,
		              "apiVersion: admissionregistration.k8s.io/v1\n"
		              "kind: %sWebhookConfiguration\n"
		              "metadata: {name: %s}\n"
		              "webhooks:\n"
		              "- name: all.core.kubefed.io\n"
		              "  admissionReviewVersions: [v1]\n"
		              "  sideEffects: None\n"
		              "  failurePolicy: Fail\n"
		              "  clientConfig: {service: {namespace: " FEDERATION
		              ", name: kubefed-admission-webhook}}\n"
		              "  rules: [{operations: [CREATE, UPDATE], apiGroups: "
		              "[core.kubefed.io], apiVersions: [v1beta1], resources: "
		              "[kubefedclusters, kubefedclusters/status, kubefedconfigs, "
		              "federatedtypeconfigs, federatedtypeconfigs/status]}]\n",
		              hooks[i][0], hooks[i][1]);
	}
}

/* The first commands below that heading of docs/from-kubefed.md are run as they stand there. */
static void follow(struct takeover *t, const char *heading)
{
	struct text page = {0}, script = {0};
	const char *begin, *end;

	assert_true(inside_read_file("docs/from-kubefed.md", &page));
	begin = strstr(page.data, heading);
	assert_non_null(begin);
	begin = strstr(begin, "\n```\n");
	assert_non_null(begin);
	end = strstr(begin + 5, "\n```\n");
	assert_non_null(end);
	text_printf(&script,
	            "set -e; export KUBECONFIG='%s' PATH=\"$KUBEBUILDER_ASSETS:$PATH\"; exec >&2; "
	            "%.*s",
	            t->k.f->kubeconfig, (int)(end - begin - 5), begin + 5);
	if (system(script.data) != 0)
		fail_msg("the guide does not work: %s", script.data);
	text_fini(&page);
	text_fini(&script);
}

/* --- there --- */

/* As a cloud's controller says it. */
static void give_address(struct cluster *member, const char *address)
{
	cluster_expect(member, SERVICE, "kubefed.io/managed", SOON_MS);
	cluster_patch_status(member, "v1", "Service", "shop", "web",
	                     "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"%s\"}]}}}",
	                     address);
}

static void test_kubefed_brings_its_objects_to_the_members(void **state)
{
	struct takeover *t = *state;
	struct cluster *gondor = t->k.f->members[0], *rohan = t->k.f->members[1];

	kubefed_start(&t->k);
	cluster_apply_file(t->k.f->host, "tests/e2e/kubefed/objects.yaml");
	cluster_expect(gondor, WEB, "\"replicas\":4", SOON_MS);
	cluster_expect(rohan, WEB, "\"replicas\":1", SOON_MS);
	cluster_expect(gondor, SCALED, "\"replicas\":6", SOON_MS);
	cluster_expect(rohan, SCALED, "\"replicas\":3", SOON_MS);
	cluster_expect(gondor, CONFIGMAP "chosen", "\"chosen\":\"yes\"", SOON_MS);
	cluster_expect(rohan, CONFIGMAP "settings", "\"speed\":\"fast\"", SOON_MS);
	cluster_expect(t->k.f->host, FEDERATED "federatedconfigmaps/broken", "ApplyOverridesFailed",
	               SOON_MS);
	cluster_patch(rohan, "apps/v1", "Deployment", "shop", "kept",
	              "{\"spec\":{\"replicas\":5}}");
	give_address(gondor, "192.0.2.1");
	give_address(rohan, "192.0.2.2");
	cluster_expect(t->k.f->host, STATUS, "192.0.2.1", SOON_MS);
	cluster_expect(t->k.f->host, STATUS, "192.0.2.2", SOON_MS);
	picture_await_calm(&t->before, t->k.f, CALM_S, CALM_MS);
	t->said = snapshot_take(t->k.f->host, but_statuses);
}

static void test_by_the_guide_everything_stays_as_it_is(void **state)
{
	struct takeover *t = *state;

	kubefed_stop(&t->k);
	picture_take(&t->before, t->k.f);
	add_chart(t);
	follow(t, "## 1. Stop KubeFed's manager");
	follow(t, "## 2. Start nigh-propagator");
	federation_start(t->k.f);
	cluster_expect(t->k.f->host,
	               "/apis/coordination.k8s.io/v1/namespaces/" FEDERATION
	               "/leases/kubefed-controller-manager",
	               "\"holderIdentity\"", SOON_MS);
	follow(t, "## 3. Look");
	sleep(CALM_S);
	expect_all_is_as_before(t, &exactly_but_statuses);
	expect_statuses(t, t->said, &statuses_say_the_same);
}

/* --- changes --- */

static void patch_federated(struct takeover *t, const char *kind, const char *name,
                            const char *patch)
{
	cluster_patch(t->k.f->host, TYPES, kind, "shop", name, "%s", patch);
}

static void test_a_changed_template_reaches_the_members(void **state)
{
	struct takeover *t = *state;

	patch_federated(t, "FederatedDeployment", "web",
	                "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":null},"
	                "\"spec\":{\"minReadySeconds\":null,\"revisionHistoryLimit\":3}}}}");
	for (unsigned i = 0; i < MEMBERS; i++) {
		cluster_expect(t->k.f->members[i], WEB, "\"revisionHistoryLimit\":3", SOON_MS);
		cluster_expect(t->k.f->members[i], WEB, "!\"minReadySeconds\":5", SOON_MS);
		cluster_expect(t->k.f->members[i], WEB, "!example.com/owner", SOON_MS);
	}
	cluster_expect(t->k.f->members[0], WEB, "\"tier\":\"gold\"", 0);
	patch_federated(
		t, "FederatedConfigMap", "settings",
		"{\"spec\":{\"template\":{\"data\":{\"colour\":null,\"speed\":\"slow\"}}}}");
	cluster_expect(t->k.f->members[1], CONFIGMAP "settings", "\"speed\":\"slow\"", SOON_MS);
	cluster_expect(t->k.f->members[1], CONFIGMAP "settings", "!\"colour\":\"red\"", SOON_MS);
}

static void test_a_changed_override_reaches_its_member(void **state)
{
	struct takeover *t = *state;

	patch_federated(
		t, "FederatedDeployment", "web",
		"{\"spec\":{\"overrides\":[{\"clusterName\":\"gondor\",\"clusterOverrides\":["
		"{\"path\":\"/spec/replicas\",\"value\":2}]}]}}");
	cluster_expect(t->k.f->members[0], WEB, "\"replicas\":2", SOON_MS);
	cluster_expect(t->k.f->members[0], WEB, "!\"tier\":\"gold\"", SOON_MS);
	cluster_expect(t->k.f->members[1], WEB, "\"replicas\":1", 0);
}

static void test_what_members_allocate_and_scale_is_kept(void **state)
{
	struct takeover *t = *state;
	struct json_object *before, *after;
	const char *const services[] = {"/api/v1/services" MANAGED, NULL};
	const char *const other[] = {"resourceVersion", "managedFields", "labels", NULL};
	const struct snapshot_rule rule = {other, false, false};
	struct text differences = {0};

	before = snapshot_take(t->k.f->members[0], services);
	patch_federated(t, "FederatedService", "web",
	                "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"new\":\"one\"}}}}}");
	cluster_expect(t->k.f->members[0], SERVICE, "\"new\":\"one\"", SOON_MS);
	after = snapshot_take(t->k.f->members[0], services);
	if (!snapshot_same(before, after, &rule, &differences))
		fail_msg("more than a label of the Service has changed: %s", differences.data);
	json_object_put(before);
	json_object_put(after);
	text_fini(&differences);
	patch_federated(t, "FederatedDeployment", "kept",
	                "{\"spec\":{\"template\":{\"spec\":{\"revisionHistoryLimit\":3}}}}");
	cluster_expect(t->k.f->members[1], KEPT, "\"revisionHistoryLimit\":3", SOON_MS);
	cluster_expect(t->k.f->members[1], KEPT, "\"replicas\":5", 0);
}

/* Made anew it is what KubeFed had made, and what that did not keep. */
static void test_what_services_say_is_told_as_kubefed_told_it(void **state)
{
	static const char *const another[] = {"uid",
	                                      "resourceVersion",
	                                      "creationTimestamp",
	                                      "managedFields",
	                                      "generation",
	                                      "ipMode",
	                                      NULL};
	const struct snapshot_rule but_that_it_is_new = {another, false, false};
	struct takeover *t = *state;

	give_address(t->k.f->members[1], "192.0.2.3");
	cluster_expect(t->k.f->host, STATUS, "192.0.2.3", SOON_MS);
	give_address(t->k.f->members[1], "192.0.2.2");
	cluster_expect(t->k.f->host, STATUS, "192.0.2.2", SOON_MS);
	cluster_delete(t->k.f->host, "core.kubefed.io/v1alpha1", "FederatedServiceStatus", "shop",
	               "web");
	cluster_expect(t->k.f->host, STATUS, "nigh-propagator", SOON_MS);
	expect_statuses(t, t->said, &but_that_it_is_new);
	cluster_expect(t->k.f->host,
	               "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION
	               "/federatedtypeconfigs/services",
	               "\"statusController\":\"Running\"", SOON_MS);
}

static void test_a_preference_scales(void **state)
{
	struct takeover *t = *state;

	cluster_patch(t->k.f->host, "scheduling.kubefed.io/v1alpha1", "ReplicaSchedulingPreference",
	              "shop", "scaled", "{\"spec\":{\"totalReplicas\":12}}");
	cluster_expect(t->k.f->members[0], SCALED, "\"replicas\":8", SOON_MS);
	cluster_expect(t->k.f->members[1], SCALED, "\"replicas\":4", SOON_MS);
}

static void test_what_is_placed_no_more_goes_from_its_member(void **state)
{
	struct takeover *t = *state;

	patch_federated(t, "FederatedDeployment", "kept",
	                "{\"spec\":{\"placement\":{\"clusters\":[{\"name\":\"rohan\"}]}}}");
	cluster_expect(t->k.f->members[0], KEPT, "NotFound", SOON_MS);
	cluster_expect(t->k.f->members[1], KEPT, "\"replicas\":5", 0);
}

static void test_what_is_deleted_goes_from_all_members(void **state)
{
	struct takeover *t = *state;

	cluster_delete(t->k.f->host, TYPES, "FederatedSecret", "shop", "login");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(t->k.f->members[i], "/api/v1/namespaces/shop/secrets/login",
		               "NotFound", SOON_MS);
	cluster_expect(t->k.f->host, FEDERATED "federatedsecrets/login", "NotFound", SOON_MS);
	cluster_expect(t->k.f->host,
	               "/apis/core.kubefed.io/v1alpha1/namespaces/shop/propagatedversions/"
	               "secret-login",
	               "NotFound", SOON_MS);
}

/* --- and back --- */

static void test_kubefed_finds_everything_as_it_would_have_left_it(void **state)
{
	struct takeover *t = *state;

	picture_await_calm(&t->before, t->k.f, CALM_S, CALM_MS);
	federation_stop(t->k.f);
	picture_take(&t->before, t->k.f);
	kubefed_start(&t->k);
	sleep(KUBEFED_S);
	expect_all_is_as_before(t, &exactly);
}

static void test_kubefed_goes_on(void **state)
{
	struct takeover *t = *state;

	patch_federated(t, "FederatedDeployment", "web",
	                "{\"spec\":{\"template\":{\"spec\":{\"revisionHistoryLimit\":4}}}}");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(t->k.f->members[i], WEB, "\"revisionHistoryLimit\":4", SOON_MS);
	cluster_expect(t->k.f->members[0], WEB, "\"replicas\":2", 0);
	cluster_expect(t->k.f->host, FEDERATED "federateddeployments/web",
	               "\"observedGeneration\":4", SOON_MS);
	cluster_expect(t->k.f->host, FEDERATED "federateddeployments/web", "\"type\":\"Healthy\"",
	               0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubefed_brings_its_objects_to_the_members),
		cmocka_unit_test(test_by_the_guide_everything_stays_as_it_is),
		cmocka_unit_test(test_a_changed_template_reaches_the_members),
		cmocka_unit_test(test_a_changed_override_reaches_its_member),
		cmocka_unit_test(test_what_members_allocate_and_scale_is_kept),
		cmocka_unit_test(test_what_services_say_is_told_as_kubefed_told_it),
		cmocka_unit_test(test_a_preference_scales),
		cmocka_unit_test(test_what_is_placed_no_more_goes_from_its_member),
		cmocka_unit_test(test_what_is_deleted_goes_from_all_members),
		cmocka_unit_test(test_kubefed_finds_everything_as_it_would_have_left_it),
		cmocka_unit_test(test_kubefed_goes_on),
	};

	return cmocka_run_group_tests_name("e2e/takeover_kubefed", tests, setup, teardown);
}
