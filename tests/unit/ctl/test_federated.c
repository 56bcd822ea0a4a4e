/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/federated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "propagator/jsontree.h"
#include "propagator/schedule.h"
#include "propagator/selector.h"
#include "tests/support/propagator_json.h"

static const struct federated_settings settings = {"types.kubefed.io", "v1beta1", "fed", NULL,
                                                   NULL};
static const struct federated_settings ufp = {"types.kubefed.io", "v1beta1", "fed", "ufp",
                                              "example.com"};

static struct json_object *make(const struct federated_settings *with, const char *object,
                                const char *warning)
{
	struct json_object *out = json_keep(json_object_new_array());
	struct text warnings = {0};
	struct reason why = {0};

	text_add(&warnings, "");
	if (federated_make(with, json_of(object), out, &warnings, &why) != ERR_OK)
		fail_msg("%s", why.text);
	if (warning)
		assert_non_null(strstr(warnings.data, warning));
	else
		assert_string_equal(warnings.data, "");
	text_fini(&warnings);
	return out;
}

static void refuse(const char *object, enum err want, const char *text)
{
	struct json_object *out = json_keep(json_object_new_array());
	struct text warnings = {0};
	struct reason why = {0};

	assert_int_equal(federated_make(&settings, json_of(object), out, &warnings, &why), want);
	assert_non_null(strstr(why.text, text));
	assert_int_equal(json_object_array_length(out), 0);
	text_fini(&warnings);
}

static void test_a_template_has_labels_and_what_is_asked_for(void **state)
{
	(void)state;
	assert_json_text(
		make(&settings,
	             "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'a', "
	             "'namespace': 'shop', 'uid': 'u', 'labels': {'app': 'web'}}, 'data': {'k': "
	             "'v'}, 'status': {}}",
	             NULL),
		"[{'apiVersion': 'types.kubefed.io/v1beta1', 'kind': 'FederatedConfigMap', "
		"'metadata': {'name': 'a', 'namespace': 'shop'}, 'spec': {'template': {'data': "
		"{'k': 'v'}, 'metadata': {'labels': {'app': 'web'}}}, 'placement': "
		"{'clusterSelector': {'matchLabels': {}}}}}]");
}

static void test_what_belongs_to_its_cluster_is_left_out(void **state)
{
	struct json_object *spec;

	(void)state;
	spec = jsontree_get(
		jsontree_item(make(&settings,
	                           "{'kind': 'Service', 'metadata': {'name': 'a'}, 'spec': "
	                           "{'clusterIP': '10.0.0.1', 'clusterIPs': ['10.0.0.1'], 'ports': "
	                           "[{'port': 80, 'nodePort': 31000}]}}",
	                           NULL),
	                      0),
		"spec", "template", "spec", NULL);
	assert_json_text(spec, "{'ports': [{'port': 80}]}");
	assert_null(jsontree_get(
		jsontree_item(
			make(&settings,
	                     "{'kind': 'ServiceAccount', 'metadata': {'name': 'a'}, 'secrets': "
	                     "[{'name': 'x'}]}",
	                     NULL),
			0),
		"spec", "template", "secrets", NULL));
}

static void test_a_namespace_is_federated_in_itself(void **state)
{
	struct json_object *one =
		jsontree_item(make(&settings,
	                           "{'kind': 'Namespace', 'metadata': {'name': 'shop'}, 'spec': "
	                           "{'finalizers': ['kubernetes']}}",
	                           NULL),
	                      0);

	(void)state;
	assert_json_text(jsontree_get(one, "metadata", NULL),
	                 "{'name': 'shop', 'namespace': 'shop'}");
	assert_json_text(jsontree_get(one, "spec", "template", NULL), "{'spec': {}}");
}

static void test_annotations_that_are_lost_are_named(void **state)
{
	(void)state;
	make(&settings,
	     "{'kind': 'ConfigMap', 'metadata': {'name': 'a', 'annotations': {'note': 'x'}}}",
	     "ConfigMap a: templates have no annotations, this one is lost: note");
	make(&settings,
	     "{'kind': 'Job', 'metadata': {'name': 'a', 'annotations': "
	     "{'federation.kubernetes.io/job-preferences': '{}'}}}",
	     "every cluster gets the whole Job");
}

/* --- Federation v1 --- */

static struct json_object *placed_by(const char *annotation)
{
	return jsontree_get(
		jsontree_item(make(&settings,
	                           json_object_to_json_string(json_with(
					   "{'kind': 'ConfigMap', 'metadata': {'name': 'a', "
					   "'annotations': {'federation.alpha.kubernetes.io/"
					   "cluster-selector': '%s'}}}",
					   annotation)),
	                           NULL),
	                      0),
		"spec", "placement", "clusterSelector", NULL);
}

static void test_a_v1_selector_selects_the_same_clusters(void **state)
{
	static const char *const annotations[] = {
		"[]",
		"[{\\\"key\\\":\\\"location\\\",\\\"operator\\\":\\\"in\\\",\\\"values\\\":["
		"\\\"europe\\\"]}]",
		"[{\\\"key\\\":\\\"location\\\",\\\"operator\\\":\\\"!=\\\",\\\"values\\\":["
		"\\\"usa\\\"]},{\\\"key\\\":"
		"\\\"environment\\\",\\\"operator\\\":\\\"==\\\",\\\"values\\\":[\\\"test\\\"]}]",
		"[{\\\"key\\\":\\\"environment\\\",\\\"operator\\\":\\\"!\\\"}]",
		"[{\\\"key\\\":\\\"environment\\\",\\\"operator\\\":\\\"Exists\\\"}]",
	};
	struct json_object *labels[] = {json_of("{'location': 'europe', 'environment': 'prod'}"),
	                                json_of("{'location': 'usa'}"), json_of("{}")};

	(void)state;
	for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
		struct json_object *selector = placed_by(annotations[i]);
		struct json_object *text = json_with("['%s']", annotations[i]);

		for (size_t j = 0; j < sizeof(labels) / sizeof(labels[0]); j++) {
			bool before, after;
			struct reason why;

			assert_int_equal(
				selector_matches_v1(jsontree_word(jsontree_item(text, 0), NULL),
			                            labels[j], &before, &why),
				ERR_OK);
			assert_int_equal(selector_matches(selector, labels[j], &after, &why),
			                 ERR_OK);
			assert_int_equal(before, after);
		}
	}
}

static void test_a_v1_selector_that_cannot_be_said_is_refused(void **state)
{
	(void)state;
	refuse("{'kind': 'ConfigMap', 'metadata': {'name': 'a', 'annotations': "
	       "{'federation.alpha.kubernetes.io/cluster-selector': "
	       "'[{\\\"key\\\":\\\"version\\\",\\\"operator\\\":\\\"gt\\\",\\\"values\\\":["
	       "\\\"14\\\"]}]'}}}",
	       ERR_UNSUPPORTED, "no label selector has the operator 'gt'");
	refuse("{'kind': 'ConfigMap', 'metadata': {'name': 'a', 'annotations': "
	       "{'federation.alpha.kubernetes.io/cluster-selector': 'nonsense'}}}",
	       ERR_PARSE, "is no list of requirements");
	refuse("{'kind': 'ConfigMap', 'metadata': {}}", ERR_PARSE, "without name");
}

static void test_v1_preferences_become_a_scheduling_preference(void **state)
{
	struct json_object *out =
		make(&settings,
	             "{'kind': 'Deployment', 'metadata': {'name': 'web', 'namespace': 'shop', "
	             "'annotations': {'federation.kubernetes.io/deployment-preferences': "
	             "'{\\\"Rebalance\\\":true,\\\"clusters\\\":{\\\"*\\\":{\\\"MinReplicas\\\":1,"
	             "\\\"weight\\\":2}}}'}}, 'spec': "
	             "{'replicas': 9}}",
	             NULL);
	struct schedule *schedule;
	struct reason why;

	(void)state;
	assert_json_text(
		jsontree_item(out, 1),
		"{'apiVersion': 'scheduling.kubefed.io/v1alpha1', 'kind': "
		"'ReplicaSchedulingPreference', 'metadata': {'name': 'web', 'namespace': "
		"'shop'}, 'spec': {'targetKind': 'FederatedDeployment', 'totalReplicas': 9, "
		"'rebalance': true, 'clusters': {'*': {'minReplicas': 1, 'weight': 2}}}}");
	assert_int_equal(schedule_decode(jsontree_item(out, 1), &schedule, &why), ERR_OK);
	assert_string_equal(schedule_target_kind(schedule), "FederatedDeployment");
	schedule_free(schedule);
}

static void test_v1_preferences_that_are_broken_weigh_all_the_same(void **state)
{
	struct json_object *out =
		make(&settings,
	             "{'kind': 'ReplicaSet', 'metadata': {'name': 'web', 'annotations': "
	             "{'federation.kubernetes.io/replica-set-preferences': '{'}}}",
	             "not readable");

	(void)state;
	assert_json_text(jsontree_get(jsontree_item(out, 1), "spec", NULL),
	                 "{'targetKind': 'FederatedReplicaSet', 'totalReplicas': 1, 'clusters': "
	                 "{'*': {'weight': 1}}}");
}

static void test_a_v1_service_keeps_its_names(void **state)
{
	static const char service[] = "{'kind': 'Service', 'metadata': {'name': 'nginx', "
				      "'namespace': 'test'}, 'spec': {'type': 'LoadBalancer'}}";
	struct json_object *out = make(&ufp, service, NULL);

	(void)state;
	assert_json_text(jsontree_item(out, 1),
	                 "{'apiVersion': 'multiclusterdns.kubefed.io/v1alpha1', 'kind': 'Domain', "
	                 "'metadata': {'name': 'ufp', 'namespace': 'fed'}, 'domain': "
	                 "'example.com'}");
	assert_json_text(jsontree_item(out, 2),
	                 "{'apiVersion': 'multiclusterdns.kubefed.io/v1alpha1', 'kind': "
	                 "'ServiceDNSRecord', 'metadata': {'name': 'nginx', 'namespace': 'test'}, "
	                 "'spec': {'domainRef': 'ufp', 'recordTTL': 180}}");
	assert_int_equal(json_object_array_length(make(&settings, service, NULL)), 1);
	assert_int_equal(json_object_array_length(make(
				 &ufp, "{'kind': 'Service', 'metadata': {'name': 'a'}}", NULL)),
	                 1);
}

static void test_what_a_v1_finalizer_orphans_is_orphaned(void **state)
{
	(void)state;
	assert_string_equal(
		jsontree_word(jsontree_item(make(&settings,
	                                         "{'kind': 'ConfigMap', 'metadata': {'name': 'a', "
	                                         "'finalizers': ['orphan']}}",
	                                         NULL),
	                                    0),
	                      "metadata", "annotations", "kubefed.io/orphan", NULL),
		"true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_template_has_labels_and_what_is_asked_for),
		JSON_TEST(test_what_belongs_to_its_cluster_is_left_out),
		JSON_TEST(test_a_namespace_is_federated_in_itself),
		JSON_TEST(test_annotations_that_are_lost_are_named),
		JSON_TEST(test_a_v1_selector_selects_the_same_clusters),
		JSON_TEST(test_a_v1_selector_that_cannot_be_said_is_refused),
		JSON_TEST(test_v1_preferences_become_a_scheduling_preference),
		JSON_TEST(test_v1_preferences_that_are_broken_weigh_all_the_same),
		JSON_TEST(test_a_v1_service_keeps_its_names),
		JSON_TEST(test_what_a_v1_finalizer_orphans_is_orphaned),
	};

	return cmocka_run_group_tests_name("ctl/federated", tests, NULL, NULL);
}
