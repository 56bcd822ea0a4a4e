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

#include "propagator/render.h"
#include "tests/support/propagator_json.h"

static struct type type_of(const char *name, const char *group, const char *kind, bool namespaced)
{
	struct type t;
	struct reason why = {""};

	if (type_read(json_with("{'metadata': {'name': '%s'}, 'spec': {'targetType': {'group': "
	                        "'%s', 'version': 'v1', 'kind': '%s', 'scope': '%s'}, "
	                        "'federatedType': {'group': 'types.kubefed.io', 'version': "
	                        "'v1beta1', 'kind': 'Federated%s', 'scope': 'Namespaced'}, "
	                        "'propagation': 'Enabled'}}",
	                        name, group, kind, namespaced ? "Namespaced" : "Cluster", kind),
	              &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}

static struct type deployments(void)
{
	return type_of("deployments.apps", "apps", "Deployment", true);
}

/* A federated web of shop with that spec. */
static struct json_object *web(const char *spec)
{
	return json_with("{'metadata': {'name': 'web', 'namespace': 'shop'}, 'spec': %s}", spec);
}

static struct render build(const struct type *type, struct json_object *federated)
{
	struct render r;
	struct reason why = {""};

	if (render_build(type, federated, &r, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return r;
}

/* What the cluster rome is sent; frees the type. */
static struct json_object *sent(struct type type, struct json_object *federated)
{
	struct render r = build(&type, federated);
	struct json_object *out;
	struct reason why = {""};

	if (render_for(&r, federated, "rome", &out, &why) != ERR_OK)
		fail_msg("%s", why.text);
	render_fini(&r);
	type_fini(&type);
	return json_keep(out);
}

static void test_template_identity_overrides_and_label_make_an_object(void **state)
{
	(void)state;
	assert_json_text(
		sent(deployments(),
	             web("{'template': {'metadata': {'labels': {'app': 'web'}}, 'spec': "
	                 "{'replicas': "
	                 "1, 'big': 9007199254740993}, 'unknown': [1]}, 'overrides': "
	                 "[{'clusterName': 'rome', 'clusterOverrides': [{'path': '/spec/replicas', "
	                 "'value': 4}, {'op': 'add', 'path': '/metadata/annotations', 'value': "
	                 "{'a': 'b'}}]}]}")),
		"{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web', "
		"'namespace': 'shop', 'labels': {'app': 'web', 'kubefed.io/managed': 'true'}, "
		"'annotations': {'a': 'b'}}, 'spec': {'replicas': 4, 'big': 9007199254740993}, "
		"'unknown': [1]}");
}

static void test_without_a_template_there_is_an_empty_object(void **state)
{
	(void)state;
	/* Trap 15: KubeFed sends "/v1". */
	assert_json_text(sent(type_of("configmaps", "", "ConfigMap", true), web("{}")),
	                 "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'web', "
	                 "'namespace': 'shop', 'labels': {'kubefed.io/managed': 'true'}}}");
}

static void test_identity_is_the_federated_object_s(void **state)
{
	(void)state;
	assert_json_text(
		sent(deployments(),
	             web("{'template': {'apiVersion': 'apps/v1beta2', 'kind': 'Other', "
	                 "'metadata': {'name': 'x', 'namespace': 'y', "
	                 "'generateName': 'z'}}}")),
		"{'apiVersion': 'apps/v1beta2', 'kind': 'Deployment', 'metadata': {'name': 'web', "
		"'namespace': 'shop', 'labels': {'kubefed.io/managed': 'true'}}}");
	assert_json_text(
		sent(type_of("clusterroles.rbac.authorization.k8s.io", "rbac.authorization.k8s.io",
	                     "ClusterRole", false),
	             json_of("{'metadata': {'name': 'r'}, 'spec': {'template': {'metadata': "
	                     "{'namespace': 'y'}}}}")),
		"{'apiVersion': 'rbac.authorization.k8s.io/v1', 'kind': 'ClusterRole', "
		"'metadata': {'name': 'r', 'labels': {'kubefed.io/managed': 'true'}}}");
}

static void test_annotations_and_finalizers_of_the_template_are_dropped_and_told(void **state)
{
	struct type type = deployments();
	struct render r = build(&type, web("{'template': {'metadata': {'annotations': {'a': 'b'}, "
	                                   "'finalizers': ['f']}}}"));

	(void)state;
	assert_true(r.dropped_annotations && r.dropped_finalizers && !r.retain_replicas);
	assert_json_text(json_keep(json_object_get(
				 json_member(json_member(r.object, "metadata"), "annotations"))),
	                 "{}");
	assert_null(json_member(json_member(r.object, "metadata"), "finalizers"));
	render_fini(&r);
	r = build(&type,
	          web("{'retainReplicas': true, 'template': {'metadata': {'annotations': {}, "
	              "'finalizers': []}}}"));
	assert_true(!r.dropped_annotations && !r.dropped_finalizers && r.retain_replicas);
	render_fini(&r);
	type_fini(&type);
}

/* KubeFed kept an empty map of the template, and those that the copy had already, so that there was something to add to. */
static void test_an_override_may_add_an_annotation_where_there_are_none(void **state)
{
	(void)state;
	assert_json_text(sent(type_of("configmaps", "", "ConfigMap", true),
	                      web("{'template': {'metadata': {'annotations': {}}}, 'overrides': "
	                          "[{'clusterName': 'rome', 'clusterOverrides': [{'op': 'add', "
	                          "'path': '/metadata/annotations/a~1b', 'value': 'c'}]}]}")),
	                 "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'web', "
	                 "'namespace': 'shop', 'labels': {'kubefed.io/managed': 'true'}, "
	                 "'annotations': {'a/b': 'c'}}}");
	assert_json_text(sent(type_of("configmaps", "", "ConfigMap", true),
	                      web("{'template': {'metadata': {'annotations': {}}}}")),
	                 "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'web', "
	                 "'namespace': 'shop', 'labels': {'kubefed.io/managed': 'true'}}}");
}

static void test_what_only_a_server_writes_is_left_out(void **state)
{
	(void)state;
	assert_json_text(
		sent(deployments(),
	             web("{'template': {'metadata': {'resourceVersion': '1', 'uid': 'u', "
	                 "'generation': 3, 'creationTimestamp': null, 'managedFields': [{}], "
	                 "'selfLink': '/x', 'deletionTimestamp': 'x'}}}")),
		"{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web', "
		"'namespace': 'shop', 'labels': {'kubefed.io/managed': 'true'}}}");
}

static void assert_unbuildable(struct type type, struct json_object *federated, enum err err,
                               const char *says)
{
	struct render r;
	struct reason why = {""};

	assert_int_equal(render_build(&type, federated, &r, &why), err);
	assert_string_equal(why.text, says);
	assert_null(r.object);
	type_fini(&type);
}

static void test_what_cannot_be_built_is_named(void **state)
{
	(void)state;
	assert_unbuildable(deployments(), web("{'template': 3}"), ERR_PARSE,
	                   "spec.template is a number, not an object");
	assert_unbuildable(deployments(), web("{'template': {'metadata': []}}"), ERR_PARSE,
	                   "spec.template.metadata is a list, not an object");
	assert_unbuildable(deployments(), web("{'template': {'metadata': {'labels': 'x'}}}"),
	                   ERR_PARSE, "spec.template.metadata.labels is a text, not an object");
	assert_unbuildable(deployments(),
	                   web("{'template': {'a': [{'b': 100000000000000000000}]}}"), ERR_RANGE,
	                   "spec.template has a whole number of more than 64 bits");
	assert_unbuildable(deployments(), web("{'retainReplicas': 'yes'}"), ERR_PARSE,
	                   "spec.retainReplicas is a text");
	assert_unbuildable(deployments(), json_of("{'metadata': {'namespace': 'shop'}}"), ERR_PARSE,
	                   "metadata.name is missing");
	assert_unbuildable(deployments(), json_of("{'metadata': {'name': 'web'}}"), ERR_PARSE,
	                   "metadata.namespace is missing");
}

static void test_a_federated_namespace_bears_the_name_of_its_namespace(void **state)
{
	(void)state;
	assert_unbuildable(type_of("namespaces", "", "Namespace", false), web("{}"), ERR_CONFLICT,
	                   "a FederatedNamespace must have the name of its namespace, shop");
	assert_json_text(sent(type_of("namespaces", "", "Namespace", false),
	                      json_of("{'metadata': {'name': 'shop', 'namespace': 'shop'}, 'spec': "
	                              "{'template': {'metadata': {'labels': {'a': 'b'}}}}}")),
	                 "{'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'shop', "
	                 "'labels': {'a': 'b', 'kubefed.io/managed': 'true'}}}");
}

static void assert_unsendable(const char *overrides, enum err err, const char *says)
{
	struct type type = deployments();
	struct json_object *out, *federated = web("{}");
	struct render r;
	struct reason why = {""};

	json_object_object_add(json_member(federated, "spec"), "overrides",
	                       json_object_get(json_with("[{'clusterName': 'rome', "
	                                                 "'clusterOverrides': %s}]",
	                                                 overrides)));
	r = build(&type, federated);
	assert_int_equal(render_for(&r, federated, "rome", &out, &why), err);
	assert_string_equal(why.text, says);
	assert_null(out);
	/* The others go on. */
	assert_int_equal(render_for(&r, federated, "oslo", &out, &why), ERR_OK);
	json_keep(out);
	render_fini(&r);
	type_fini(&type);
}

static void test_overrides_make_no_other_object(void **state)
{
	(void)state;
	assert_unsendable("[{'path': '/metadata', 'value': {'name': 'web', 'namespace': "
	                  "'kube-system'}}]",
	                  ERR_DENIED,
	                  "cluster 'rome': an override changes name, namespace or kind");
	assert_unsendable("[{'op': 'remove', 'path': '/metadata'}]", ERR_DENIED,
	                  "cluster 'rome': an override changes name, namespace or kind");
	assert_unsendable("[{'op': 'add', 'path': '/metadata/labels', 'value': []}]", ERR_PARSE,
	                  "cluster 'rome': metadata.labels is a list, not an object");
	assert_unsendable("[{'path': '/spec/replicas', 'value': 1}]", ERR_NOTFOUND,
	                  "cluster 'rome': path '/spec/replicas': what it is in is not there");
}

static void test_the_label_is_true_whatever_is_said(void **state)
{
	struct json_object *object =
		sent(deployments(),
	             web("{'template': {'metadata': {'labels': {'kubefed.io/managed': 'false'}}}, "
	                 "'overrides': [{'clusterName': 'rome', 'clusterOverrides': [{'path': "
	                 "'/metadata/labels', 'value': {'kubefed.io/managed': 'no'}}]}]}"));

	(void)state;
	assert_json_text(json_member(json_member(object, "metadata"), "labels"),
	                 "{'kubefed.io/managed': 'true'}");
}

static void test_what_replaces_an_object_keeps_its_fields_under_the_overrides(void **state)
{
	struct type type = type_of("services", "", "Service", true);
	struct json_object *federated = web(
		"{'template': {'spec': {'ports': [{'port': 80}]}}, 'overrides': [{'clusterName': "
		"'rome', 'clusterOverrides': [{'path': '/metadata/annotations', 'value': {'own': "
		"'x'}}]}]}");
	struct json_object *existing = json_of(
		"{'metadata': {'resourceVersion': '9', 'annotations': {'theirs': 'y'}}, 'spec': "
		"{'clusterIP': '10.0.0.1', 'clusterIPs': ['10.0.0.1']}}");
	struct render r = build(&type, federated);
	struct json_object *out;
	struct reason why = {""};
	bool retained = false;

	(void)state;
	assert_int_equal(render_over(&type, &r, federated, "rome", existing, &out, &retained, &why),
	                 ERR_OK);
	assert_true(retained);
	assert_json_text(
		json_keep(out),
		"{'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'web', "
		"'namespace': 'shop', 'resourceVersion': '9', 'annotations': {'own': 'x'}, "
		"'labels': {'kubefed.io/managed': 'true'}}, 'spec': {'ports': [{'port': "
		"80}], 'clusterIP': '10.0.0.1', 'clusterIPs': ['10.0.0.1']}}");
	/* Another cluster has no such overrides; what is built is for it too. */
	assert_int_equal(render_over(&type, &r, federated, "oslo", existing, &out, &retained, &why),
	                 ERR_OK);
	assert_json_text(json_member(json_member(json_keep(out), "metadata"), "annotations"),
	                 "{'theirs': 'y'}");
	assert_int_equal(render_over(&type, &r, federated, "rome",
	                             json_of("{'spec': {'clusterIP': 3}}"), &out, &retained, &why),
	                 ERR_PARSE);
	assert_false(retained);
	assert_null(out);
	assert_string_equal(why.text, "cluster 'rome': spec.clusterIP is a number");
	render_fini(&r);
	type_fini(&type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_template_identity_overrides_and_label_make_an_object),
		JSON_TEST(test_without_a_template_there_is_an_empty_object),
		JSON_TEST(test_identity_is_the_federated_object_s),
		JSON_TEST(test_annotations_and_finalizers_of_the_template_are_dropped_and_told),
		JSON_TEST(test_an_override_may_add_an_annotation_where_there_are_none),
		JSON_TEST(test_what_only_a_server_writes_is_left_out),
		JSON_TEST(test_what_cannot_be_built_is_named),
		JSON_TEST(test_a_federated_namespace_bears_the_name_of_its_namespace),
		JSON_TEST(test_overrides_make_no_other_object),
		JSON_TEST(test_the_label_is_true_whatever_is_said),
		JSON_TEST(test_what_replaces_an_object_keeps_its_fields_under_the_overrides),
	};

	return cmocka_run_group_tests_name("propagator/render", tests, NULL, NULL);
}
