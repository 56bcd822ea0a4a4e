/* takeover_kubefed.c -- KubeFed's own manager brings its objects to real members; it is stopped, nigh-propagator started, and
 * everything stays as it is; changes work; and KubeFed's manager takes it all back.
 *
 * Against from_kubefed.c, nothing here is written as we believe that KubeFed writes it: it does.  What is done to the host in
 * between are the commands of docs/from-kubefed.md, word for word, and all of them.  Where a kubelet would begin or end
 * a process, the test does.
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
#include "tests/e2e/support/cluster_inside.h"
#include "tests/e2e/support/guide.h"
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
	struct guide *guide;
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
	kubefed_install(&t->k);
	kubefed_start_webhook(&t->k);
	t->guide = guide_open("from-kubefed.md", t->k.f->cloud->dir, t->k.contexts);
	cluster_patch(t->k.f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
	              "gondor", "{\"metadata\":{\"labels\":{\"realm\":\"south\"}}}");
	collect_statuses(t);
	return 0;
}

static int teardown(void **state)
{
	struct takeover *t = *state;

	picture_forget(&t->before);
	json_object_put(t->said);
	guide_close(t->guide);
	if (t->k.f) {
		kubefed_show_log(&t->k);
		kubefed_free(&t->k);
	}
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

static const char *follow(struct takeover *t, const char *heading, unsigned which)
{
	return guide_follow(t->guide, heading, which);
}

static void expect_said(const char *said, const char *text)
{
	if (!strstr(said, text))
		fail_msg("there is no '%s' in: %s", text, said);
}

/* The commands are typed again until they say that: a page of status is a second old. */
static void follow_until(struct takeover *t, const char *heading, unsigned which, const char *text)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	const char *said;

	while (!strstr(said = follow(t, heading, which), text)) {
		if (!inside_has_time(deadline))
			expect_said(said, text);
		inside_rest();
	}
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

static void expect_leading(struct takeover *t, bool leads)
{
	cluster_expect(t->k.f->host,
	               "/apis/coordination.k8s.io/v1/namespaces/" FEDERATION
	               "/leases/kubefed-controller-manager",
	               leads ? "\"holderIdentity\":\"" : "!\"holderIdentity\":\"", SOON_MS);
}

static void start(struct takeover *t)
{
	federation_start(t->k.f);
	federation_expect_log(t->k.f, "leading epoch=", SOON_MS);
}

static void begin_from_here(struct takeover *t)
{
	struct federation *f = t->k.f;
	char log[32];

	snprintf(log, sizeof(log), "propagator%u.log", f->runs++);
	f->propagator = guide_begin(t->guide, "## 2.", 0, cloud_path(f->cloud, log));
	federation_expect_log(f, "leading epoch=", SOON_MS);
}

static void test_by_the_guide_everything_stays_as_it_is(void **state)
{
	struct takeover *t = *state;
	const char *said = follow(t, "## Before", 0);

	expect_said(said, "gondor");
	expect_said(said, "shop");
	follow(t, "## 1.", 0);
	kubefed_stop(&t->k);
	kubefed_stop_webhook(&t->k);
	picture_take(&t->before, t->k.f);
	begin_from_here(t);
	follow_until(t, "## 2.", 1, "gondor");
	federation_stop(t->k.f);
	follow(t, "## 2.", 2);
	federation_be_packaged(t->k.f);
	start(t);
	expect_leading(t, true);
	follow_until(t, "## 3.", 0, "Running");
	sleep(CALM_S);
	expect_all_is_as_before(t, &exactly_but_statuses);
	expect_statuses(t, t->said, &statuses_say_the_same);
}

/* Both want to write the same objects; KubeFed's manager does not know that. */
static void test_a_manager_of_kubefed_that_is_started_goes_first(void **state)
{
	struct takeover *t = *state;

	kubefed_start(&t->k);
	federation_expect_log(t->k.f, "works on this host: nothing is done until it is stopped",
	                      SOON_MS);
	expect_leading(t, false);
	cluster_patch(t->k.f->host, TYPES, "FederatedConfigMap", "shop", "settings",
	              "{\"spec\":{\"template\":{\"data\":{\"speed\":\"medium\"}}}}");
	cluster_expect(t->k.f->members[1], CONFIGMAP "settings", "\"speed\":\"medium\"", SOON_MS);
	cluster_expect(t->k.f->members[1], CONFIGMAP "settings", "!nigh-propagator", 0);
	picture_await_calm(&t->before, t->k.f, CALM_S, CALM_MS);
	kubefed_stop(&t->k);
	picture_take(&t->before, t->k.f);
	federation_expect_log(t->k.f, "no manager of it works on this host", SOON_MS);
	expect_leading(t, true);
	sleep(CALM_S);
	expect_all_is_as_before(t, &exactly_but_statuses);
}

/* --- the guide's fourth step --- */

static void test_the_guide_s_first_change_reaches_the_members(void **state)
{
	struct takeover *t = *state;

	follow(t, "## 4.", 0);
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(t->k.f->members[i], WEB, "\"by\":\"nigh\"", SOON_MS);
	follow_until(t, "## 4.", 1, "manager: nigh-propagator");
}

static void test_the_guide_brings_health_into_the_status(void **state)
{
	struct takeover *t = *state;

	follow(t, "## 4.", 2);
	cluster_expect(t->k.f->host, FEDERATED "federateddeployments/web", "\"health\":", SOON_MS);
}

static void test_by_the_guide_dns_records_are_written_as_before(void **state)
{
	struct takeover *t = *state;

	follow(t, "## 4.", 3);
	objects_domain(t->k.f->host, "ring", "example.com");
	cluster_apply(t->k.f->host, "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	                            "kind: ServiceDNSRecord\n"
	                            "metadata: {name: web, namespace: shop}\n"
	                            "spec: {domainRef: ring, recordTTL: 60, "
	                            "allowServiceWithoutEndpoints: true}\n");
	cluster_expect(t->k.f->host,
	               "/apis/multiclusterdns.kubefed.io/v1alpha1/namespaces/shop/"
	               "dnsendpoints/service-web",
	               "\"192.0.2.1\"", SOON_MS);
}

static void test_by_the_guide_a_member_has_smaller_credentials(void **state)
{
	struct takeover *t = *state;
	struct cluster *gondor = t->k.f->members[0];

	follow(t, "## 4.", 4);
	follow(t, "## 4.", 5);
	cluster_expect(gondor, "/api/v1/namespaces/" FEDERATION "/serviceaccounts/gondor-host",
	               "NotFound", 0);
	cluster_expect(gondor,
	               "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
	               "kubefed-controller-manager:gondor-host",
	               "NotFound", 0);
	/* KubeFed's own Secret in the member goes with its account. */
	cluster_expect(gondor, "/api/v1/namespaces/" FEDERATION "/secrets/gondor-host", "NotFound",
	               SOON_MS);
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
	follow(t, "## Back", 0);
	federation_stop(t->k.f);
	picture_take(&t->before, t->k.f);
	follow(t, "## Back", 1);
	kubefed_start_webhook(&t->k);
	follow(t, "## Back", 2);
	kubefed_start(&t->k);
	sleep(KUBEFED_S);
	expect_all_is_as_before(t, &exactly);
}

static void test_kubefed_s_webhook_is_asked_again(void **state)
{
	struct takeover *t = *state;
	int status = cluster_send(t->k.f->host, "PATCH",
	                          "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION
	                          "/federatedtypeconfigs/configmaps?dryRun=All",
	                          "application/merge-patch+json",
	                          "{\"metadata\":{\"labels\":{\"is\":\"asked\"}}}");

	assert_int_equal(status, 200);
	kubefed_stop_webhook(&t->k);
	status = cluster_send(t->k.f->host, "PATCH",
	                      "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION
	                      "/federatedtypeconfigs/configmaps?dryRun=All",
	                      "application/merge-patch+json",
	                      "{\"metadata\":{\"labels\":{\"is\":\"asked\"}}}");
	assert_int_equal(status, 500);
	expect_said(cluster_body(t->k.f->host), "failed calling webhook");
	kubefed_start_webhook(&t->k);
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
	               "\"observedGeneration\":5", SOON_MS);
	cluster_expect(t->k.f->host, FEDERATED "federateddeployments/web", "\"type\":\"Healthy\"",
	               0);
}

/* --- for good --- */

static void test_who_stays_can_take_kubefed_away(void **state)
{
	struct takeover *t = *state;

	follow(t, "## 1.", 0);
	kubefed_stop(&t->k);
	kubefed_stop_webhook(&t->k);
	start(t);
	follow(t, "## 5.", 0);
	patch_federated(t, "FederatedDeployment", "web",
	                "{\"spec\":{\"template\":{\"spec\":{\"revisionHistoryLimit\":5}}}}");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(t->k.f->members[i], WEB, "\"revisionHistoryLimit\":5", SOON_MS);
}

static void test_no_command_of_the_guide_is_left_out(void **state)
{
	guide_expect_all_followed(((struct takeover *)*state)->guide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubefed_brings_its_objects_to_the_members),
		cmocka_unit_test(test_by_the_guide_everything_stays_as_it_is),
		cmocka_unit_test(test_a_manager_of_kubefed_that_is_started_goes_first),
		cmocka_unit_test(test_the_guide_s_first_change_reaches_the_members),
		cmocka_unit_test(test_the_guide_brings_health_into_the_status),
		cmocka_unit_test(test_by_the_guide_dns_records_are_written_as_before),
		cmocka_unit_test(test_by_the_guide_a_member_has_smaller_credentials),
		cmocka_unit_test(test_a_changed_template_reaches_the_members),
		cmocka_unit_test(test_a_changed_override_reaches_its_member),
		cmocka_unit_test(test_what_members_allocate_and_scale_is_kept),
		cmocka_unit_test(test_what_services_say_is_told_as_kubefed_told_it),
		cmocka_unit_test(test_a_preference_scales),
		cmocka_unit_test(test_what_is_placed_no_more_goes_from_its_member),
		cmocka_unit_test(test_what_is_deleted_goes_from_all_members),
		cmocka_unit_test(test_kubefed_finds_everything_as_it_would_have_left_it),
		cmocka_unit_test(test_kubefed_s_webhook_is_asked_again),
		cmocka_unit_test(test_kubefed_goes_on),
		cmocka_unit_test(test_who_stays_can_take_kubefed_away),
		cmocka_unit_test(test_no_command_of_the_guide_is_left_out),
	};

	kubefed_be_alone();
	return cmocka_run_group_tests_name("e2e/takeover_kubefed", tests, setup, teardown);
}
