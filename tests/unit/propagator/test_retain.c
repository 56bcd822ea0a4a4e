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

#include "propagator/retain.h"
#include "tests/support/propagator_json.h"

static char none[] = "", core[] = "", batch[] = "batch", apps[] = "apps",
	    hooks[] = "admissionregistration.k8s.io", crds[] = "apiextensions.k8s.io",
	    services[] = "apiregistration.k8s.io", knative[] = "serving.knative.dev";

static struct type_api api(char *group, const char *kind)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s", kind);
	return (struct type_api){group, none, name, none, true};
}

static enum err try(char *group, const char *kind, bool replicas, struct json_object *existing,
                    struct json_object *desired, struct reason *why)
{
	struct type_api target = api(group, kind);

	return retain(&target, replicas, existing, desired, why);
}

static void assert_retains(char *group, const char *kind, const char *existing, const char *desired,
                           const char *want)
{
	struct json_object *before = json_of(existing), *after = json_of(desired);
	struct reason why = {""};

	if (try(group, kind, false, before, after, &why) != ERR_OK)
		fail_msg("%s: %s", existing, why.text);
	assert_json_text(after, want);
	assert_json_text(before, existing);
}

/* --- KubeFed's own --- */

static void test_kubefed_s_vectors_of_replicas(void **state)
{
	struct json_object *cases =
		json_member(json_vectors("misc_vectors.json", "retain"), "replicas");

	(void)state;
	assert_int_equal(json_object_array_length(cases), 2);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		struct json_object *desired =
			json_with("{'spec': {'replicas': %s}}",
		                  json_object_to_json_string(json_member(c, "desired")));
		struct reason why;

		assert_int_equal(
			try(apps, "Deployment",
		            json_object_get_boolean(json_member(c, "retainReplicas")),
		            json_with("{'spec': {'replicas': %s}}",
		                      json_object_to_json_string(json_member(c, "cluster"))),
		            desired, &why),
			ERR_OK);
		assert_json(json_member(json_member(desired, "spec"), "replicas"),
		            json_member(c, "expected"));
	}
}

/* A Service's vector: the expected members of its spec are of the same names there. */
static void check_service(struct json_object *c, const char *const *keys, const char *const *names)
{
	struct json_object *desired = json_of("{'spec': {}}");
	bool is_good = json_object_get_boolean(json_member(c, "ok"));
	struct reason why = {""};
	enum err err = try(core, "Service", false,
	                   json_with("{'spec': %s}",
	                             json_object_to_json_string(json_member(c, "clusterSpec"))),
	                   desired, &why);

	if (err != (is_good ? ERR_OK : ERR_PARSE))
		fail_msg("%s: %s", json_object_to_json_string(c), why.text);
	for (size_t i = 0; is_good && keys[i]; i++)
		assert_json(json_member(json_member(desired, "spec"), keys[i]),
		            json_member(c, names[i]));
}

static void test_kubefed_s_vectors_of_services(void **state)
{
	static const char *const ips[] = {"clusterIP", "clusterIPs", NULL};
	static const char *const port[] = {"healthCheckNodePort", NULL};
	static const char *const expected[] = {"expected", NULL};
	struct json_object *set = json_vectors("misc_vectors.json", "retain");
	struct json_object *cases = json_member(set, "healthCheckNodePort");

	(void)state;
	assert_int_equal(json_object_array_length(cases), 4);
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		check_service(json_object_array_get_idx(cases, i), port, expected);
	cases = json_member(set, "clusterIP");
	assert_int_equal(json_object_array_length(cases), 5);
	for (size_t i = 0; i < json_object_array_length(cases); i++)
		check_service(json_object_array_get_idx(cases, i), ips, ips);
}

static void test_metadata_of_the_member_is_kept(void **state)
{
	(void)state;
	assert_retains(
		apps, "Deployment",
		"{'metadata': {'resourceVersion': '7', 'finalizers': ['f'], 'annotations': "
		"{'a': 'b'}, 'labels': {'theirs': 'x'}, 'uid': 'u'}}",
		"{'metadata': {'name': 'n', 'labels': {'ours': 'y'}}}",
		"{'metadata': {'name': 'n', 'labels': {'ours': 'y'}, 'resourceVersion': '7', "
		"'finalizers': ['f'], 'annotations': {'a': 'b'}}}");
	assert_retains(apps, "Deployment", "{'metadata': {'resourceVersion': '7'}}",
	               "{'metadata': {'finalizers': ['f'], 'annotations': {'a': 'b'}}}",
	               "{'metadata': {'resourceVersion': '7'}}");
}

static void test_replicas_that_are_no_number_are_named(void **state)
{
	struct reason why;

	(void)state;
	assert_int_equal(try(apps, "Deployment", true, json_of("{'spec': {'replicas': '2'}}"),
	                     json_of("{}"), &why),
	                 ERR_PARSE);
	assert_string_equal(why.text, "spec.replicas is a text");
	assert_int_equal(
		try(apps, "Deployment", true, json_of("{'spec': {}}"), json_of("{}"), &why),
		ERR_OK);
}

static void test_secrets_of_a_service_account_are_kept_where_the_template_has_none(void **state)
{
	struct reason why;

	(void)state;
	assert_retains(core, "ServiceAccount", "{'metadata': {}, 'secrets': [{'name': 't'}]}",
	               "{'metadata': {}}", "{'metadata': {}, 'secrets': [{'name': 't'}]}");
	assert_retains(core, "ServiceAccount", "{'metadata': {}, 'secrets': [{'name': 't'}]}",
	               "{'metadata': {}, 'secrets': []}",
	               "{'metadata': {}, 'secrets': [{'name': 't'}]}");
	assert_retains(core, "ServiceAccount", "{'metadata': {}, 'secrets': [{'name': 't'}]}",
	               "{'metadata': {}, 'secrets': [{'name': 'own'}]}",
	               "{'metadata': {}, 'secrets': [{'name': 'own'}]}");
	assert_int_equal(
		try(core, "ServiceAccount", false, json_of("{'secrets': 3}"), json_of("{}"), &why),
		ERR_PARSE);
}

static void test_pull_secrets_that_a_member_has_filled_in_are_kept(void **state)
{
	(void)state;
	assert_retains(core, "ServiceAccount",
	               "{'metadata': {}, 'imagePullSecrets': [{'name': 't'}]}", "{'metadata': {}}",
	               "{'metadata': {}, 'imagePullSecrets': [{'name': 't'}]}");
	assert_retains(core, "ServiceAccount",
	               "{'metadata': {}, 'imagePullSecrets': [{'name': 't'}]}",
	               "{'metadata': {}, 'imagePullSecrets': [{'name': 'own'}]}",
	               "{'metadata': {}, 'imagePullSecrets': [{'name': 'own'}]}");
}

static void test_replicas_of_which_no_template_says_anything_are_the_member_s(void **state)
{
	(void)state;
	assert_retains(apps, "Deployment", "{'spec': {'replicas': 4}}",
	               "{'spec': {'paused': true}}", "{'spec': {'paused': true, 'replicas': 4}}");
	assert_retains(apps, "Deployment", "{'spec': {'replicas': 4}}", "{'spec': {'replicas': 2}}",
	               "{'spec': {'replicas': 2}}");
	/* Those that a template said before are not: an apply takes them away, too. */
	assert_retains(apps, "Deployment",
	               "{'metadata': {'managedFields': [{'manager': 'nigh-propagator', "
	               "'operation': 'Apply', 'fieldsV1': {'f:spec': {'f:replicas': {}}}}]}, "
	               "'spec': {'replicas': 4}}",
	               "{'metadata': {}, 'spec': {'paused': true}}",
	               "{'metadata': {}, 'spec': {'paused': true}}");
	assert_retains(apps, "Deployment",
	               "{'metadata': {'managedFields': [{'manager': 'nigh-propagator', "
	               "'operation': 'Apply', 'fieldsV1': {'f:spec': {'f:paused': {}}}}, "
	               "{'manager': 'kube-controller-manager', 'operation': 'Update', "
	               "'subresource': 'scale', 'fieldsV1': {'f:spec': {'f:replicas': {}}}}]}, "
	               "'spec': {'replicas': 4}}",
	               "{'metadata': {}, 'spec': {'paused': true}}",
	               "{'metadata': {}, 'spec': {'paused': true, 'replicas': 4}}");
	/* Of a custom resource it may be anything. */
	assert_retains(knative, "Other", "{'spec': {'replicas': 'many'}}", "{'spec': {}}",
	               "{'spec': {}}");
}

/* --- Services beyond KubeFed --- */

static void test_a_port_without_protocol_is_tcp(void **state)
{
	(void)state;
	/* Trap 16: KubeFed finds no port here, as the member's says "TCP". */
	assert_retains(
		core, "Service",
		"{'spec': {'type': 'NodePort', 'ports': [{'name': 'a', 'protocol': 'TCP', 'port': "
		"80, 'nodePort': 30001}, {'name': 'a', 'protocol': 'UDP', 'port': 80, 'nodePort': "
		"30002}]}}",
		"{'spec': {'type': 'NodePort', 'ports': [{'name': 'a', 'port': 80}, {'name': 'a', "
		"'port': 80, 'protocol': 'UDP'}, {'name': 'b', 'port': 80}, {'name': 'a', 'port': "
		"81}]}}",
		"{'spec': {'type': 'NodePort', 'ports': [{'name': 'a', 'port': 80, 'nodePort': "
		"30001}, {'name': 'a', 'port': 80, 'protocol': 'UDP', 'nodePort': 30002}, {'name': "
		"'b', 'port': 80}, {'name': 'a', 'port': 81}]}}");
}

static void test_a_node_port_that_the_template_says_stands(void **state)
{
	(void)state;
	assert_retains(
		core, "Service",
		"{'spec': {'type': 'NodePort', 'ports': [{'port': 80, 'nodePort': 30001}]}}",
		"{'spec': {'type': 'NodePort', 'ports': [{'port': 80, 'nodePort': 31000}]}}",
		"{'spec': {'type': 'NodePort', 'ports': [{'port': 80, 'nodePort': 31000}]}}");
}

static void test_what_another_type_may_not_have_is_not_kept(void **state)
{
	static const char *const existing =
		"{'spec': {'type': 'LoadBalancer', 'clusterIP': '10.0.0.1', 'clusterIPs': "
		"['10.0.0.1'], 'healthCheckNodePort': 30003, 'ipFamilies': ['IPv4'], "
		"'ipFamilyPolicy': 'SingleStack', 'ports': [{'port': 80, 'nodePort': 30001}]}}";

	(void)state;
	assert_retains(core, "Service", existing, "{'spec': {'ports': [{'port': 80}]}}",
	               "{'spec': {'clusterIP': '10.0.0.1', 'clusterIPs': ['10.0.0.1'], "
	               "'ipFamilies': ['IPv4'], 'ipFamilyPolicy': 'SingleStack', 'ports': "
	               "[{'port': 80}]}}");
	assert_retains(core, "Service", existing,
	               "{'spec': {'type': 'ExternalName', 'externalName': 'a.example'}}",
	               "{'spec': {'type': 'ExternalName', 'externalName': 'a.example'}}");
	assert_retains(core, "Service", existing,
	               "{'spec': {'type': 'LoadBalancer', 'ipFamilyPolicy': 'PreferDualStack'}}",
	               "{'spec': {'type': 'LoadBalancer', 'clusterIP': '10.0.0.1', 'clusterIPs': "
	               "['10.0.0.1'], 'healthCheckNodePort': 30003, 'ipFamilies': ['IPv4'], "
	               "'ipFamilyPolicy': 'PreferDualStack'}}");
}

static void test_a_service_of_another_group_is_no_service(void **state)
{
	(void)state;
	assert_retains(knative, "Service", "{'spec': {'clusterIP': '10.0.0.1'}}", "{'spec': {}}",
	               "{'spec': {}}");
}

static void test_what_is_wrong_with_a_member_s_service_is_named(void **state)
{
	static const char *const bad[][2] = {
		{"{'spec': {'clusterIP': 1}}", "spec.clusterIP is a number"},
		{"{'spec': {'clusterIPs': 'a'}}", "spec.clusterIPs is a text"},
		{"{'spec': {'ports': {}}}", "spec.ports is an object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reason why;

		assert_int_equal(
			try(core, "Service", false, json_of(bad[i][0]), json_of("{}"), &why),
			ERR_PARSE);
		assert_string_equal(why.text, bad[i][1]);
	}
}

/* --- what KubeFed lacked --- */

static void test_a_job_keeps_what_its_server_has_made_of_it(void **state)
{
	(void)state;
	assert_retains(
		batch, "Job",
		"{'spec': {'selector': {'matchLabels': {'controller-uid': 'u'}}, 'template': "
		"{'metadata': {'labels': {'controller-uid': 'u', 'job-name': 'j', "
		"'batch.kubernetes.io/controller-uid': 'u', 'batch.kubernetes.io/job-name': 'j', "
		"'theirs': 'x'}}}}}",
		"{'spec': {'template': {'metadata': {'labels': {'ours': 'y'}}, 'spec': {}}}}",
		"{'spec': {'selector': {'matchLabels': {'controller-uid': 'u'}}, 'template': "
		"{'metadata': {'labels': {'ours': 'y', 'controller-uid': 'u', 'job-name': 'j', "
		"'batch.kubernetes.io/controller-uid': 'u', 'batch.kubernetes.io/job-name': "
		"'j'}}, 'spec': {}}}}");
	/* How many are to complete is never changed, and a server says it of a Job that says neither that nor its parallelism. */
	assert_retains(batch, "Job", "{'spec': {'parallelism': 1, 'completions': 1}}",
	               "{'spec': {'parallelism': 4}}",
	               "{'spec': {'parallelism': 4, 'completions': 1}}");
	/* One that says its own. */
	assert_retains(
		batch, "Job", "{'spec': {'selector': {'matchLabels': {'a': 'b'}}}}",
		"{'spec': {'manualSelector': true, 'selector': {'matchLabels': {'c': 'd'}}}}",
		"{'spec': {'manualSelector': true, 'selector': {'matchLabels': {'c': 'd'}}}}");
}

static void test_a_pod_keeps_what_admission_and_scheduler_gave_it(void **state)
{
	(void)state;
	assert_retains(
		core, "Pod",
		"{'spec': {'nodeName': 'n', 'serviceAccountName': 'default', 'volumes': [{'name': "
		"'data'}, {'name': 'kube-api-access-x'}, {'name': 'older'}], 'containers': "
		"[{'name': 'a', 'image': 'a', 'volumeMounts': [{'name': 'kube-api-access-x', "
		"'mountPath': '/var/run/secrets/kubernetes.io/serviceaccount'}]}], 'tolerations': "
		"[{'key': 'node.kubernetes.io/not-ready', 'tolerationSeconds': 5}, {'key': "
		"'node.kubernetes.io/unreachable'}]}}",
		"{'spec': {'volumes': [{'name': 'data'}], 'containers': [{'name': 'b', 'image': "
		"'c'}, {'name': 'a', 'image': 'b'}], 'tolerations': [{'key': "
		"'node.kubernetes.io/not-ready', 'tolerationSeconds': 6}]}}",
		"{'spec': {'volumes': [{'name': 'data'}, {'name': 'kube-api-access-x'}], "
		"'containers': [{'name': 'b', 'image': 'c'}, {'name': 'a', 'image': 'b', "
		"'volumeMounts': [{'name': 'kube-api-access-x', 'mountPath': "
		"'/var/run/secrets/kubernetes.io/serviceaccount'}]}], 'tolerations': [{'key': "
		"'node.kubernetes.io/not-ready', 'tolerationSeconds': 6}, {'key': "
		"'node.kubernetes.io/unreachable'}], 'nodeName': 'n', 'serviceAccountName': "
		"'default'}}");
	/* Whatever stands there. */
	assert_retains(core, "Pod", "{'spec': {'containers': 3, 'volumes': [null, {'name': 4}]}}",
	               "{'spec': {'containers': [null, 3], 'volumes': {}}}",
	               "{'spec': {'containers': [null, 3], 'volumes': {}}}");
	assert_retains(core, "Pod", "{'spec': {'nodeName': 'n'}}", "{}", "{}");
}

static void test_a_claim_keeps_its_volume_and_a_volume_its_claim(void **state)
{
	(void)state;
	assert_retains(core, "PersistentVolumeClaim",
	               "{'spec': {'volumeName': 'pv-1', 'storageClassName': 'fast', 'volumeMode': "
	               "'Filesystem', 'resources': {'requests': {'storage': '1Gi'}}}}",
	               "{'spec': {'resources': {'requests': {'storage': '2Gi'}}}}",
	               "{'spec': {'volumeName': 'pv-1', 'storageClassName': 'fast', 'volumeMode': "
	               "'Filesystem', 'resources': {'requests': {'storage': '2Gi'}}}}");
	assert_retains(core, "PersistentVolume",
	               "{'spec': {'claimRef': {'name': 'c', 'uid': 'u'}, 'capacity': {}}}",
	               "{'spec': {}}", "{'spec': {'claimRef': {'name': 'c', 'uid': 'u'}}}");
}

static void test_authorities_that_a_member_has_filled_in_are_kept(void **state)
{
	(void)state;
	assert_retains(hooks, "MutatingWebhookConfiguration",
	               "{'webhooks': [{'name': 'b', 'clientConfig': {'caBundle': 'B'}}, {'name': "
	               "'a', 'clientConfig': {'caBundle': 'A'}}, {'name': 'c', 'clientConfig': "
	               "{'caBundle': 'C'}}]}",
	               "{'webhooks': [{'name': 'a', 'clientConfig': {}}, {'name': 'b', "
	               "'clientConfig': {'caBundle': 'own'}}, {'name': 'd', 'clientConfig': {}}]}",
	               "{'webhooks': [{'name': 'a', 'clientConfig': {'caBundle': 'A'}}, {'name': "
	               "'b', 'clientConfig': {'caBundle': 'own'}}, {'name': 'd', 'clientConfig': "
	               "{}}]}");
	assert_retains(services, "APIService", "{'spec': {'caBundle': 'A'}}", "{'spec': {}}",
	               "{'spec': {'caBundle': 'A'}}");
	assert_retains(crds, "CustomResourceDefinition",
	               "{'spec': {'conversion': {'webhook': {'clientConfig': {'caBundle': 'A'}}}}}",
	               "{'spec': {'conversion': {'webhook': {'clientConfig': {'service': {}}}}}}",
	               "{'spec': {'conversion': {'webhook': {'clientConfig': {'service': {}, "
	               "'caBundle': 'A'}}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_kubefed_s_vectors_of_replicas),
		JSON_TEST(test_kubefed_s_vectors_of_services),
		JSON_TEST(test_metadata_of_the_member_is_kept),
		JSON_TEST(test_replicas_that_are_no_number_are_named),
		JSON_TEST(test_secrets_of_a_service_account_are_kept_where_the_template_has_none),
		JSON_TEST(test_pull_secrets_that_a_member_has_filled_in_are_kept),
		JSON_TEST(test_replicas_of_which_no_template_says_anything_are_the_member_s),
		JSON_TEST(test_a_port_without_protocol_is_tcp),
		JSON_TEST(test_a_node_port_that_the_template_says_stands),
		JSON_TEST(test_what_another_type_may_not_have_is_not_kept),
		JSON_TEST(test_a_service_of_another_group_is_no_service),
		JSON_TEST(test_what_is_wrong_with_a_member_s_service_is_named),
		JSON_TEST(test_a_job_keeps_what_its_server_has_made_of_it),
		JSON_TEST(test_a_pod_keeps_what_admission_and_scheduler_gave_it),
		JSON_TEST(test_a_claim_keeps_its_volume_and_a_volume_its_claim),
		JSON_TEST(test_authorities_that_a_member_has_filled_in_are_kept),
	};

	return cmocka_run_group_tests_name("propagator/retain", tests, NULL, NULL);
}
