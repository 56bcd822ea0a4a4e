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
#include "propagator/settings.h"
#include "tests/support/propagator_json.h"

/* As KubeFed's webhook leaves a config that says its scope alone. */
#define DEFAULTED                                                                                  \
	"{'scope': 'Cluster', 'controllerDuration': {'availableDelay': '20s', "                    \
	"'unavailableDelay': '1m0s', 'cacheSyncTimeout': '5m0s'}, 'leaderElect': "                 \
	"{'leaseDuration': '15s', 'renewDeadline': '10s', 'retryPeriod': '5s', 'resourceLock': "   \
	"'configmaps'}, 'clusterHealthCheck': {'period': '10s', 'failureThreshold': 3, "           \
	"'successThreshold': 1, 'timeout': '3s'}, 'syncController': "                              \
	"{'maxConcurrentReconciles': 1, 'adoptResources': 'Enabled'}, 'statusController': "        \
	"{'maxConcurrentReconciles': 1}, 'featureGates': [{'name': 'PushReconciler', "             \
	"'configuration': 'Enabled'}, {'name': 'RawResourceStatusCollection', 'configuration': "   \
	"'Disabled'}, {'name': 'SchedulerPreferences', 'configuration': 'Enabled'}]}"

static void test_what_is_missing_is_filled_in(void **state)
{
	(void)state;
	assert_json_text(json_keep(settings_default(json_of("{'spec': {'scope': 'Cluster'}}"))),
	                 DEFAULTED);
	/* Once is enough. */
	assert_json_text(json_keep(settings_default(json_of("{'spec': " DEFAULTED "}"))),
	                 DEFAULTED);
}

static void test_what_is_there_stays(void **state)
{
	struct json_object *config = json_of(
		"{'spec': {'scope': 'Namespaced', 'unknown': 9007199254740993, 'leaderElect': "
		"{'retryPeriod': '1s', 'resourceLock': 'endpoints'}, 'statusController': 'wrong', "
		"'featureGates': [{'name': 'SchedulerPreferences', 'configuration': 'Disabled'}, "
		"{'name': 'FederatedIngress', 'configuration': 'Enabled'}]}}");
	struct json_object *spec = json_keep(settings_default(config));

	(void)state;
	assert_json_text(
		json_member(spec, "leaderElect"),
		"{'retryPeriod': '1s', 'resourceLock': 'endpoints', 'leaseDuration': '15s', "
		"'renewDeadline': '10s'}");
	assert_json_text(json_member(spec, "unknown"), "9007199254740993");
	assert_json_text(json_member(spec, "statusController"), "'wrong'");
	assert_json_text(json_member(spec, "featureGates"),
	                 "[{'name': 'FederatedIngress', 'configuration': 'Enabled'}, {'name': "
	                 "'PushReconciler', 'configuration': 'Enabled'}, {'name': "
	                 "'RawResourceStatusCollection', 'configuration': 'Disabled'}, {'name': "
	                 "'SchedulerPreferences', 'configuration': 'Disabled'}]");
	/* The config itself is as it was. */
	assert_null(json_member(json_member(config, "spec"), "controllerDuration"));
}

static void test_settings_are_read_with_their_defaults(void **state)
{
	struct settings s = settings_initial();
	struct reason why = {""};

	(void)state;
	assert_true(s.cluster_scope && s.adopt_resources && s.push_reconciler &&
	            s.scheduler_preferences && !s.raw_status_collection);
	assert_int_equal(s.available_delay_ms, 20000);
	assert_int_equal(s.unavailable_delay_ms, 60000);
	assert_int_equal(s.cache_sync_timeout_ms, 300000);
	assert_int_equal(s.lease_duration_ms, 15000);
	assert_int_equal(s.renew_deadline_ms, 10000);
	assert_int_equal(s.retry_period_ms, 5000);
	assert_int_equal(s.health_period_ms, 10000);
	assert_int_equal(s.health_timeout_ms, 3000);
	assert_int_equal(s.health_failure_threshold, 3);
	assert_int_equal(s.health_success_threshold, 1);
	assert_int_equal(s.sync_workers, 1);
	assert_int_equal(s.status_workers, 1);
	assert_int_equal(
		settings_read(json_of("{'spec': {'scope': 'Namespaced', 'controllerDuration': "
	                              "{'availableDelay': '1m30s'}, 'clusterHealthCheck': "
	                              "{'failureThreshold': 5, 'timeout': '1us'}, "
	                              "'syncController': {'adoptResources': 'Disabled'}, "
	                              "'featureGates': [{'name': 'RawResourceStatusCollection', "
	                              "'configuration': 'Enabled'}, {'name': 'PushReconciler', "
	                              "'configuration': 'Disabled'}]}}"),
	                      &s, &why),
		ERR_OK);
	assert_false(s.cluster_scope || s.adopt_resources || s.push_reconciler);
	assert_true(s.scheduler_preferences && s.raw_status_collection);
	assert_int_equal(s.available_delay_ms, 90000);
	assert_int_equal(s.unavailable_delay_ms, 60000);
	assert_int_equal(s.health_failure_threshold, 5);
	assert_int_equal(s.health_timeout_ms, 1);
}

/* Trap 12: KubeFed from 0.7 on refuses a config that names them. */
static void test_gates_of_dns_are_taken(void **state)
{
	struct settings s;
	struct reason why = {""};

	(void)state;
	assert_int_equal(
		settings_read(
			json_of("{'spec': {'scope': 'Cluster', 'featureGates': [{'name': "
	                        "'CrossClusterServiceDiscovery', 'configuration': 'Enabled'}, "
	                        "{'name': 'FederatedIngress', 'configuration': "
	                        "'Disabled'}]}}"),
			&s, &why),
		ERR_OK);
	assert_true(s.push_reconciler);
}

/* DEFAULTED with that value at SECTION.KEY, or SECTION without a key; NULL: without it. */
static struct json_object *changed(const char *section, const char *key, const char *value)
{
	struct json_object *config = json_of("{'spec': " DEFAULTED "}");
	struct json_object *in = json_member(config, "spec");

	if (key)
		in = json_member(in, section);
	json_object_object_del(in, key ? key : section);
	if (value)
		json_object_object_add(in, key ? key : section, json_object_get(json_of(value)));
	return config;
}

static void assert_refused(struct json_object *config, const char *says)
{
	struct text messages = {0};

	assert_false(settings_admit(config, NULL, &messages));
	if (strcmp(messages.data, says) != 0)
		fail_msg("want '%s', have '%s'", says, messages.data);
	text_fini(&messages);
}

static void test_durations_and_counts_are_greater_than_0(void **state)
{
	(void)state;
	assert_refused(changed("controllerDuration", "availableDelay", "'0s'"),
	               "spec.controllerDuration.availableDelay: Invalid value: \"0s\": should be "
	               "greater than 0");
	assert_refused(
		changed("controllerDuration", "unavailableDelay", "'-1s'"),
		"spec.controllerDuration.unavailableDelay: Invalid value: \"-1s\": should be "
		"greater than 0");
	assert_refused(changed("controllerDuration", "cacheSyncTimeout", NULL),
	               "spec.controllerDuration.cacheSyncTimeout: Required value");
	assert_refused(changed("clusterHealthCheck", "period", "10"),
	               "spec.clusterHealthCheck.period: Invalid value: 10: is not a duration");
	assert_refused(changed("clusterHealthCheck", "failureThreshold", "0"),
	               "spec.clusterHealthCheck.failureThreshold: Invalid value: 0: should be "
	               "greater than 0");
	assert_refused(changed("clusterHealthCheck", "successThreshold", "'1'"),
	               "spec.clusterHealthCheck.successThreshold: Invalid value: \"1\": is not a "
	               "whole number");
	assert_refused(changed("syncController", "maxConcurrentReconciles", "-1"),
	               "spec.syncController.maxConcurrentReconciles: Invalid value: -1: should be "
	               "greater than 0");
	assert_refused(changed("statusController", "maxConcurrentReconciles", NULL),
	               "spec.statusController.maxConcurrentReconciles: Required value");
}

static void test_a_lease_outlasts_its_renewal_and_that_its_retries(void **state)
{
	(void)state;
	assert_refused(changed("leaderElect", "leaseDuration", "'10s'"),
	               "spec.leaderElect.leaseDuration: Invalid value: \"10s\": leaseDuration must "
	               "be greater than renewDeadline");
	assert_refused(changed("leaderElect", "renewDeadline", "'6s'"),
	               "spec.leaderElect.renewDeadline: Invalid value: \"6s\": renewDeadline must "
	               "be greater than retryPeriod*JitterFactor(1.2)");
	assert_refused(changed("leaderElect", "resourceLock", "'leases'"),
	               "spec.leaderElect.resourceLock: Unsupported value: \"leases\": supported "
	               "values: \"configmaps\", \"endpoints\"");
	assert_refused(changed("leaderElect", NULL, NULL), "spec.leaderElect: Required value");
}

static void test_words_and_gates_are_known_and_stand_once(void **state)
{
	(void)state;
	assert_refused(changed("scope", NULL, NULL), "spec.scope: Required value");
	assert_refused(changed("scope", NULL, "'All'"),
	               "spec.scope: Unsupported value: \"All\": supported values: \"Cluster\", "
	               "\"Namespaced\"");
	assert_refused(changed("syncController", "adoptResources", "'Yes'"),
	               "spec.syncController.adoptResources: Unsupported value: \"Yes\": supported "
	               "values: \"Enabled\", \"Disabled\"");
	assert_refused(changed("featureGates", NULL, NULL), "spec.featureGates: Required value");
	assert_refused(changed("featureGates", NULL, "{}"),
	               "spec.featureGates: Invalid value: {}: must be a list of gates");
	assert_refused(changed("featureGates", NULL,
	                       "[{'name': 'PushReconciler', 'configuration': 'Enabled'}, {'name': "
	                       "'PushReconciler', 'configuration': 'Enabled'}]"),
	               "spec.featureGates.name: Duplicate value: \"PushReconciler\"");
	assert_refused(changed("featureGates", NULL,
	                       "[{'name': 'PushReconciler', 'configuration': 'On'}]"),
	               "spec.featureGates.configuration: Unsupported value: \"On\": supported "
	               "values: \"Enabled\", \"Disabled\"");
	assert_refused(
		changed("featureGates", NULL, "[{'name': 'Push', 'configuration': 'Enabled'}]"),
		"spec.featureGates.name: Unsupported value: \"Push\": supported values: "
		"\"PushReconciler\", \"RawResourceStatusCollection\", "
		"\"SchedulerPreferences\", \"FederatedIngress\", "
		"\"CrossClusterServiceDiscovery\"");
}

static void test_the_scope_may_not_change(void **state)
{
	struct json_object *config = json_of("{'spec': " DEFAULTED "}");
	struct text messages = {0};

	(void)state;
	assert_true(settings_admit(config, NULL, &messages));
	assert_true(settings_admit(config, config, &messages));
	assert_int_equal(messages.len, 0);
	assert_false(
		settings_admit(config, json_of("{'spec': {'scope': 'Namespaced'}}"), &messages));
	assert_string_equal(messages.data,
	                    "spec.scope: Invalid value: \"Cluster\": field is immutable");
	text_fini(&messages);
}

static void test_all_that_is_wrong_is_told_and_nothing_taken(void **state)
{
	struct settings s = {.sync_workers = 42};
	struct text messages = {0};
	struct reason why = {""};

	(void)state;
	assert_int_equal(settings_read(json_of("{'spec': {'clusterHealthCheck': {'period': 'x', "
	                                       "'timeout': '0'}}}"),
	                               &s, &why),
	                 ERR_PARSE);
	assert_string_equal(why.text,
	                    "[spec.scope: Required value, spec.clusterHealthCheck.period: Invalid "
	                    "value: \"x\": is not a duration, spec.clusterHealthCheck.timeout: "
	                    "Invalid value: \"0\": should be greater than 0]");
	assert_int_equal(s.sync_workers, 42);
	assert_int_equal(settings_read(json_of("{'spec': 3}"), &s, &why), ERR_PARSE);
	assert_false(settings_admit(json_of("{}"), NULL, &messages));
	assert_string_equal(messages.data,
	                    "[spec.scope: Required value, spec.controllerDuration: Required value, "
	                    "spec.leaderElect: Required value, spec.clusterHealthCheck: Required "
	                    "value, spec.syncController: Required value, spec.statusController: "
	                    "Required value, spec.featureGates: Required value]");
	text_fini(&messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_what_is_missing_is_filled_in),
		JSON_TEST(test_what_is_there_stays),
		JSON_TEST(test_settings_are_read_with_their_defaults),
		JSON_TEST(test_gates_of_dns_are_taken),
		JSON_TEST(test_durations_and_counts_are_greater_than_0),
		JSON_TEST(test_a_lease_outlasts_its_renewal_and_that_its_retries),
		JSON_TEST(test_words_and_gates_are_known_and_stand_once),
		JSON_TEST(test_the_scope_may_not_change),
		JSON_TEST(test_all_that_is_wrong_is_told_and_nothing_taken),
	};

	return cmocka_run_group_tests_name("propagator/settings", tests, NULL, NULL);
}
