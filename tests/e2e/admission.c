/* admission.c -- KubeFed's rules on a real API server: in the definitions of its kinds, and in nigh-propagator's webhooks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/objects.h"
#include "tests/support/propagator_admission.h"

#define REGISTRY "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/"
#define JSON     "application/json"

enum { SOON_MS = 15000 };

static const char *const kinds[] = {"FederatedTypeConfig", "KubeFedConfig", "KubeFedCluster"};
static const char *const plurals[] = {"federatedtypeconfigs", "kubefedconfigs", "kubefedclusters"};

struct stage {
	struct cloud *cloud;
	struct cluster *host;
	unsigned wrong;
};

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	char path[160];

	*state = s;
	s->cloud = cloud_new();
	s->host = cluster_new(s->cloud, "host", false);
	cluster_await(s->host);
	objects_host(s->host);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "deploy/crds/federation/%s.yaml", plurals[i]);
		cluster_apply_file(s->host, path);
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), REGISTRY "%s", plurals[i]);
		cluster_expect(s->host, path, "\"items\":[", SOON_MS);
	}
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	cloud_free(s->cloud);
	free(s);
	return 0;
}

static const char *text_of(struct json_object *object)
{
	return json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);
}

static const char *plural_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return plurals[i];
	fail_msg("no such kind: %s", kind);
	return NULL;
}

/* Created, but not kept; a refusal is one of what it says, not of how it was asked. */
static void try_case(const struct admission_case *c, void *arg)
{
	struct stage *s = arg;
	char path[160];
	int status;

	snprintf(path, sizeof(path), REGISTRY "%s?dryRun=All", plural_of(c->kind));
	status = cluster_send(s->host, "POST", path, JSON, text_of(c->object));
	if (c->is_accepted ? status == 201 : status == 422 || status == 400 || status == 403)
		return;
	s->wrong++;
	print_error("%s, %s: %d %s\n", c->kind, c->what, status, cluster_body(s->host));
}

static void test_the_definitions_take_and_refuse_what_kubefed_did(void **state)
{
	struct stage *s = *state;

	s->wrong = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_true(admission_each(kinds[i], try_case, s) > 40);
	assert_int_equal(s->wrong, 0);
}

static void put_config(struct stage *s)
{
	struct json_object *config = admission_base("KubeFedConfig");

	assert_int_equal(
		cluster_send(s->host, "POST", REGISTRY "kubefedconfigs", JSON, text_of(config)),
		201);
	json_object_put(config);
}

static void expect_in_config(struct stage *s, const char *text)
{
	assert_int_equal(
		cluster_send(s->host, "GET", REGISTRY "kubefedconfigs/kubefed", NULL, NULL), 200);
	if (!strstr(cluster_body(s->host), text))
		fail_msg("no %s in %s", text, cluster_body(s->host));
}

static void expect_patch_of_config(struct stage *s, const char *patch, int want, const char *text)
{
	int status = cluster_send(s->host, "PATCH", REGISTRY "kubefedconfigs/kubefed",
	                          "application/merge-patch+json", patch);

	if (status != want || !strstr(cluster_body(s->host), text))
		fail_msg("%d %s", status, cluster_body(s->host));
}

static void test_the_definition_fills_in_a_config(void **state)
{
	struct stage *s = *state;

	put_config(s);
	expect_in_config(s, "\"unavailableDelay\":\"1m0s\"");
	expect_in_config(s, "\"leaderElect\":{\"leaseDuration\":\"15s\",\"renewDeadline\":\"10s\","
	                    "\"resourceLock\":\"configmaps\",\"retryPeriod\":\"5s\"}");
	expect_in_config(s, "\"failureThreshold\":3");
	expect_in_config(s, "{\"configuration\":\"Enabled\",\"name\":\"SchedulerPreferences\"}");
}

static void test_the_definition_keeps_the_scope_of_a_config(void **state)
{
	struct stage *s = *state;

	expect_patch_of_config(s, "{\"spec\":{\"scope\":\"Namespaced\"}}", 422,
	                       "field is immutable");
	expect_patch_of_config(s, "{\"spec\":{\"clusterHealthCheck\":{\"period\":\"7s\"}}}", 200,
	                       "\"period\":\"7s\"");
}

static void test_the_definition_checks_the_states_of_a_type(void **state)
{
	struct stage *s = *state;
	struct json_object *type = admission_base("FederatedTypeConfig");

	assert_int_equal(
		cluster_send(s->host, "POST", REGISTRY "federatedtypeconfigs", JSON, text_of(type)),
		201);
	json_object_put(type);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const states[] = {
			"{\"status\":{\"observedGeneration\":-1,\"propagationController\":"
			"\"Running\"}}",
			"{\"status\":{\"observedGeneration\":1,\"propagationController\":"
			"\"Fine\"}}",
			"{\"status\":{\"observedGeneration\":1,\"propagationController\":"
			"\"Running\"}}"};

		assert_int_equal(cluster_send(s->host, "PATCH",
		                              REGISTRY
		                              "federatedtypeconfigs/deployments.apps/status",
		                              "application/merge-patch+json", states[i]),
		                 i < 2 ? 422 : 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_definitions_take_and_refuse_what_kubefed_did),
		cmocka_unit_test(test_the_definition_fills_in_a_config),
		cmocka_unit_test(test_the_definition_keeps_the_scope_of_a_config),
		cmocka_unit_test(test_the_definition_checks_the_states_of_a_type),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
