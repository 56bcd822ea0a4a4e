/* from_kubefed.c -- docs/from-kubefed.md, step by step, on real API servers: what KubeFed left is taken over as it is.
 *
 * What KubeFed's manager wrote is written here as it wrote it: by POST, with its name as the owner of the fields, and with
 * PropagatedVersions whose hashes were computed apart from our code.
 */
/* SPDX-License-Identifier: Apache-2.0 */
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
#include "tests/e2e/support/federation.h"

enum { SOON_MS = 20000, CALM_S = 6 };

#define MANAGER     "?fieldManager=hyperfed"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments"
#define WEB         DEPLOYMENTS "/web"
#define FEDERATED   "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web"
#define CONFIGS     "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/federatedtypeconfigs/"
#define VERSIONS    "/apis/core.kubefed.io/v1alpha1/namespaces/shop/propagatedversions/"

/* MD5 of spec.template as KubeFed hashed it (compact JSON, keys sorted, one newline), and of the overrides. */
#define TEMPLATE_HASH     "2eb61f9c946c873a6a77070f30076f9f"
#define OVERRIDES_HASH    "c0086f701635f41ab27df5f1b89d04c7"
#define NO_TEMPLATE_HASH  "8a80554c91d9fca8acb82f023de02f11"
#define NO_OVERRIDES_HASH "2979b7538b527abe06492021841caf47"

/* What goes first in its template's spec is still to be said. */
#define FEDERATED_WEB                                                                              \
	"apiVersion: types.kubefed.io/v1beta1\n"                                                   \
	"kind: FederatedDeployment\n"                                                              \
	"metadata: {name: web, namespace: shop, finalizers: [kubefed.io/sync-controller]}\n"       \
	"spec:\n"                                                                                  \
	"  template:\n"                                                                            \
	"    metadata: {labels: {app: web}}\n"                                                     \
	"    spec:\n"                                                                              \
	"%s"                                                                                       \
	"      replicas: 1\n"                                                                      \
	"      selector: {matchLabels: {app: web}}\n"                                              \
	"      template:\n"                                                                        \
	"        metadata: {labels: {app: web}}\n"                                                 \
	"        spec: {containers: [{name: web, image: nginx}]}\n"                                \
	"  placement: {clusterSelector: {}}\n"                                                     \
	"  overrides:\n"                                                                           \
	"  - clusterName: gondor\n"                                                                \
	"    clusterOverrides: [{path: /spec/replicas, value: 4}]\n"

struct left {
	struct federation *f;
	char namespace_version[2][64], web_version[2][64]; /* resourceVersions in the members */
};

/* --- what KubeFed left --- */

static void read_version(struct cluster *c, const char *path, char out[64])
{
	const char *at;

	assert_int_equal(cluster_send(c, "GET", path, NULL, NULL), 200);
	at = strstr(cluster_body(c), "\"resourceVersion\":\"");
	assert_non_null(at);
	snprintf(out, 64, "%.*s", (int)strcspn(at + 19, "\""), at + 19);
}

static void leave_copies(struct left *l, unsigned i, unsigned replicas)
{
	struct cluster *member = l->f->members[i];
	char body[1024];

	assert_int_equal(
		cluster_send(member, "POST", "/api/v1/namespaces" MANAGER, "application/json",
	                     "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"
	                     "\"name\":\"shop\",\"labels\":{\"kubefed.io/managed\":\"true\"}}}"),
		201);
	snprintf(body, sizeof(body),
	         "{\"apiVersion\":\"apps/"
	         "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\","
	         "\"namespace\":\"shop\",\"labels\":{\"app\":\"web\",\"kubefed.io/"
	         "managed\":\"true\"}},"
	         "\"spec\":{\"minReadySeconds\":5,\"replicas\":%u,\"selector\":{\"matchLabels\":{"
	         "\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},"
	         "\"spec\":{"
	         "\"containers\":[{\"image\":\"nginx\",\"name\":\"web\"}]}}}}",
	         replicas);
	assert_int_equal(
		cluster_send(member, "POST", DEPLOYMENTS MANAGER, "application/json", body), 201);
	read_version(member, "/api/v1/namespaces/shop", l->namespace_version[i]);
}

static void leave_version(struct left *l, const char *name, const char *template_hash,
                          const char *overrides_hash, const char *gondor, const char *rohan)
{
	cluster_apply(l->f->host,
	              "apiVersion: core.kubefed.io/v1alpha1\n"
	              "kind: PropagatedVersion\n"
	              "metadata: {name: %s, namespace: shop}\n"
	              "status:\n"
	              "  templateVersion: \"%s\"\n"
	              "  overridesVersion: \"%s\"\n"
	              "  clusterVersions:\n"
	              "  - {clusterName: gondor, version: \"%s\"}\n"
	              "  - {clusterName: rohan, version: \"%s\"}\n",
	              name, template_hash, overrides_hash, gondor, rohan);
}

static void leave_objects(struct left *l)
{
	objects_namespace(l->f->host, "shop");
	cluster_apply(l->f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: FederatedNamespace\n"
	              "metadata: {name: shop, namespace: shop, finalizers: "
	              "[kubefed.io/sync-controller]}\n"
	              "spec: {template: {}, placement: {clusterSelector: {}}}\n"
	              "---\n" FEDERATED_WEB,
	              "      minReadySeconds: 5\n");
}

static int setup(void **state)
{
	struct left *l = xcalloc(1, sizeof(*l));
	char gondor[80], rohan[80];

	*state = l;
	l->f = federation_new(2);
	federation_enable(l->f, "namespaces");
	federation_enable(l->f, "deployments.apps");
	leave_objects(l);
	leave_copies(l, 0, 4);
	leave_copies(l, 1, 1);
	snprintf(gondor, sizeof(gondor), "rv:%s", l->namespace_version[0]);
	snprintf(rohan, sizeof(rohan), "rv:%s", l->namespace_version[1]);
	leave_version(l, "namespace-shop", NO_TEMPLATE_HASH, NO_OVERRIDES_HASH, gondor, rohan);
	leave_version(l, "deployment-web", TEMPLATE_HASH, OVERRIDES_HASH, "gen:1", "gen:1");
	return 0;
}

static int teardown(void **state)
{
	struct left *l = *state;

	federation_free(l->f);
	free(l);
	return 0;
}

/* --- the steps --- */

/* The controllers of the member write a Deployment's status, not its spec. */
static void expect_untouched(struct left *l, unsigned i)
{
	struct cluster *member = l->f->members[i];
	char now[64];

	read_version(member, "/api/v1/namespaces/shop", now);
	assert_string_equal(now, l->namespace_version[i]);
	cluster_expect(member, WEB, "\"generation\":1,", SOON_MS);
	cluster_expect(member, WEB, "!nigh-propagator", 0);
}

static void test_everything_stays_as_it_is(void **state)
{
	struct left *l = *state;

	federation_start(l->f);
	cluster_expect(l->f->host, CONFIGS "deployments.apps",
	               "\"propagationController\":\"Running\"", SOON_MS);
	cluster_expect(l->f->host, FEDERATED, "\"type\":\"Propagation\"", SOON_MS);
	cluster_expect(l->f->host, FEDERATED, "\"status\":\"True\"", SOON_MS);
	sleep(CALM_S);
	for (unsigned i = 0; i < 2; i++)
		expect_untouched(l, i);
	cluster_expect(l->f->host, VERSIONS "deployment-web", TEMPLATE_HASH, 0);
	cluster_expect(l->f->host, VERSIONS "deployment-web", OVERRIDES_HASH, 0);
}

static const char *after(const char *said, const char *text)
{
	const char *at = strstr(said, text);

	if (!at)
		fail_msg("'%s' is missing: %s", text, said);
	return at + strlen(text);
}

/* With the first change KubeFed's fields become nigh-propagator's. */
static void test_a_plan_tells_what_goes_with_kubefed_s_fields(void **state)
{
	struct left *l = *state;
	const char *said;
	char file[200];
	FILE *out;

	federation_expect(l->f, 0, "the members have what they should have",
	                  (const char *const[]){"diff", "deployments", "shop/web", NULL});
	snprintf(file, sizeof(file), "%s", cloud_path(l->f->cloud, "plan.yaml"));
	out = fopen(file, "w");
	assert_non_null(out);
	fprintf(out, FEDERATED_WEB, "");
	assert_int_equal(fclose(out), 0);
	said = federation_run(l->f, 2, (const char *const[]){"plan", "-f", file, NULL});
	for (unsigned i = 0; i < 2; i++)
		said = after(said, " spec.minReadySeconds: 5 -> (none)\n");
	for (unsigned i = 0; i < 2; i++)
		expect_untouched(l, i);
}

static void test_fields_of_kubefed_that_leave_the_template_leave_the_members(void **state)
{
	struct left *l = *state;

	cluster_patch(l->f->host, "types.kubefed.io/v1beta1", "FederatedDeployment", "shop", "web",
	              "{\"spec\":{\"template\":{\"spec\":{\"minReadySeconds\":null}}}}");
	for (unsigned i = 0; i < 2; i++) {
		cluster_expect(l->f->members[i], WEB, "!\"minReadySeconds\":5", SOON_MS);
		cluster_expect(l->f->members[i], WEB, "\"manager\":\"nigh-propagator\"", SOON_MS);
		cluster_expect(l->f->members[i], WEB, "!\"manager\":\"hyperfed\"", SOON_MS);
	}
	cluster_expect(l->f->members[0], WEB, "\"replicas\":4", 0);
	cluster_expect(l->f->members[1], WEB, "\"replicas\":1", 0);
	cluster_expect(l->f->host, VERSIONS "deployment-web", "!" TEMPLATE_HASH, SOON_MS);
}

/* How the pods fare may be told anew; what was propagated is not written again. */
static void test_it_can_be_stopped_and_started_without_a_write(void **state)
{
	struct left *l = *state;
	char before[64], after[64];

	cluster_expect(l->f->host, FEDERATED, "\"status\":\"True\"", SOON_MS);
	sleep(2);
	federation_stop(l->f);
	read_version(l->f->host, VERSIONS "deployment-web", before);
	read_version(l->f->members[0], "/api/v1/namespaces/shop", l->namespace_version[0]);
	federation_start(l->f);
	sleep(CALM_S);
	read_version(l->f->host, VERSIONS "deployment-web", after);
	assert_string_equal(before, after);
	read_version(l->f->members[0], "/api/v1/namespaces/shop", after);
	assert_string_equal(l->namespace_version[0], after);
	for (unsigned i = 0; i < 2; i++)
		cluster_expect(l->f->members[i], WEB, "\"generation\":2,", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_stays_as_it_is),
		cmocka_unit_test(test_a_plan_tells_what_goes_with_kubefed_s_fields),
		cmocka_unit_test(test_fields_of_kubefed_that_leave_the_template_leave_the_members),
		cmocka_unit_test(test_it_can_be_stopped_and_started_without_a_write),
	};

	return cmocka_run_group_tests_name("e2e/from_kubefed", tests, setup, teardown);
}
