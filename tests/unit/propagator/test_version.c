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

#include "propagator/version.h"
#include "tests/support/propagator_json.h"

static const char no_template[] = "";

/* --- hashes --- */

/* The md5 of the vector with those bytes. */
static const char *vector_of(const char *bytes)
{
	struct json_object *cases =
		json_member(json_vectors("misc_vectors.json", "version_hash"), "cases");

	assert_int_equal(json_object_array_length(cases), 4);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);

		if (strcmp(json_text(c, "bytes"), bytes) == 0)
			return json_text(c, "md5");
	}
	fail_msg("no vector of %s", bytes);
	return NULL;
}

static void assert_hashes(const char *spec, const char *template_hash, const char *overrides_hash)
{
	struct version_hashes h = version_hash(json_with("{'spec': %s}", spec));

	if (strcmp(h.template_hash, template_hash) != 0 ||
	    strcmp(h.overrides_hash, overrides_hash) != 0)
		fail_msg("%s: %s %s", spec, h.template_hash, h.overrides_hash);
}

static void test_kubefed_s_vectors(void **state)
{
	const char *none = vector_of("{\"overrides\":null}\n");

	(void)state;
	assert_hashes("{'template': {'spec': {'foo': null}}}",
	              vector_of("{\"spec\":{\"foo\":null}}\n"), none);
	assert_hashes("{'template': {}}", vector_of("{}\n"), none);
	assert_hashes("{}", no_template, none);
	assert_hashes(
		"{'overrides': [{'clusterName': 'cluster1', 'clusterOverrides': [{'path': "
		"'/spec/replicas', 'value': 5}]}]}",
		no_template,
		vector_of("{\"overrides\":[{\"clusterName\":\"cluster1\",\"clusterOverrides\":["
	                  "{\"path\":\"/spec/replicas\",\"value\":5}]}]}\n"));
	assert_hashes("null", no_template, "");
}

static void assert_same(const char *overrides, const char *others, bool want)
{
	struct version_hashes a = version_hash(json_with("{'spec': {'overrides': %s}}", overrides));
	struct version_hashes b = version_hash(json_with("{'spec': {'overrides': %s}}", others));

	if (version_hashes_equal(&a, &b) != want)
		fail_msg("%s and %s", overrides, others);
}

static void test_overrides_are_hashed_as_kubefed_s_structs(void **state)
{
	(void)state;
	/* Order of members, unknown ones, an empty op, a null value and an empty list are not seen. */
	assert_same("[{'clusterOverrides': [{'value': 5, 'path': '/a', 'op': ''}], 'clusterName': "
	            "'c'}]",
	            "[{'clusterName': 'c', 'more': 1, 'clusterOverrides': [{'path': '/a', 'value': "
	            "5}]}]",
	            true);
	assert_same("[{'clusterName': 'c', 'clusterOverrides': []}]", "[{'clusterName': 'c'}]",
	            true);
	assert_same("[{'clusterName': 'c', 'clusterOverrides': [{'op': 'add', 'path': '/a', "
	            "'value': null}]}]",
	            "[{'clusterName': 'c', 'clusterOverrides': [{'op': 'add', 'path': '/a'}]}]",
	            true);
	/* An op, a value, the order of items, and whether there is a list are. */
	assert_same("[{'clusterName': 'c', 'clusterOverrides': [{'op': 'replace', 'path': '/a'}]}]",
	            "[{'clusterName': 'c', 'clusterOverrides': [{'path': '/a'}]}]", false);
	assert_same("[{'clusterName': 'c', 'clusterOverrides': [{'path': '/a', 'value': 0}]}]",
	            "[{'clusterName': 'c', 'clusterOverrides': [{'path': '/a'}]}]", false);
	assert_same("[{'clusterName': 'a'}, {'clusterName': 'b'}]",
	            "[{'clusterName': 'b'}, {'clusterName': 'a'}]", false);
	assert_same("[]", "null", false);
	assert_same("[null]", "[{'clusterName': ''}]", true);
}

/* --- copies --- */

static void assert_version(const char *metadata, const char *want)
{
	char version[VERSION_ROOM];
	bool has = version_of(json_with("{'metadata': %s}", metadata), version);

	assert_int_equal(has, want != NULL);
	assert_string_equal(version, want ? want : "");
}

static void test_a_generation_stands_over_a_resource_version(void **state)
{
	char longest[VERSION_ROOM + 1];

	(void)state;
	assert_version("{'generation': 5, 'resourceVersion': '17'}", "gen:5");
	assert_version("{'generation': 0, 'resourceVersion': '17'}", "rv:17");
	assert_version("{'resourceVersion': '17'}", "rv:17");
	assert_version("{'generation': 'x', 'resourceVersion': '17'}", "rv:17");
	assert_version("{'resourceVersion': ''}", NULL);
	assert_version("{}", NULL);
	memset(longest, '9', sizeof(longest));
	longest[VERSION_ROOM - 4] = '\0';
	assert_true(version_of(json_with("{'metadata': {'resourceVersion': '%s'}}", longest),
	                       (char[VERSION_ROOM]){0}));
	longest[VERSION_ROOM - 4] = '9';
	longest[VERSION_ROOM - 3] = '\0';
	assert_false(version_of(json_with("{'metadata': {'resourceVersion': '%s'}}", longest),
	                        (char[VERSION_ROOM]){0}));
}

/* --- PropagatedVersion --- */

static void test_versions_are_kept_in_the_order_of_their_clusters(void **state)
{
	struct version v = {0};

	(void)state;
	version_put(&v, "rome", "gen:1");
	version_put(&v, "oslo", "gen:2");
	version_put(&v, "tokyo", "gen:3");
	version_put(&v, "paris", "rv:4");
	version_put(&v, "oslo", "gen:5");
	version_put(&v, "nowhere", NULL);
	version_put(&v, "rome", NULL);
	assert_int_equal(v.count, 3);
	assert_string_equal(v.copies[0].cluster, "oslo");
	assert_string_equal(v.copies[1].cluster, "paris");
	assert_string_equal(v.copies[2].cluster, "tokyo");
	assert_string_equal(version_find(&v, "oslo"), "gen:5");
	assert_null(version_find(&v, "rome"));
	version_fini(&v);
	assert_null(version_find(&v, "oslo"));
}

static void test_other_hashes_leave_only_that_there_is_a_copy(void **state)
{
	struct version v = {0};
	struct version_hashes a = {"1", "2"}, b = {"1", "3"};

	(void)state;
	version_rehash(&v, &a);
	version_put(&v, "rome", "gen:1");
	version_rehash(&v, &a);
	assert_string_equal(version_find(&v, "rome"), "gen:1");
	version_rehash(&v, &b);
	assert_string_equal(version_find(&v, "rome"), VERSION_OLD);
	assert_true(version_hashes_equal(&v.hashes, &b));
	version_fini(&v);
}

static struct type some_type(char *kind, bool namespaced)
{
	return (struct type){.target = {.kind = kind, .namespaced = namespaced},
	                     .federated = {.namespaced = namespaced}};
}

static void test_a_propagated_version_is_written_as_kubefed_wrote_it(void **state)
{
	char deployment[] = "Deployment", cluster_role[] = "ClusterRole";
	struct type type = some_type(deployment, true), wide = some_type(cluster_role, false);
	struct json_object *federated =
		json_of("{'apiVersion': 'types.kubefed.io/v1beta1', 'kind': 'FederatedDeployment', "
	                "'metadata': {'name': 'web', 'namespace': 'shop', 'uid': 'u-1'}, 'spec': "
	                "{'template': {}}}");
	struct version v = {.hashes = version_hash(federated)}, read;
	struct json_object *object;

	(void)state;
	version_put(&v, "rome", "gen:1");
	version_put(&v, "oslo", "rv:2");
	object = json_keep(version_object(&type, federated, &v));
	assert_json_text(object,
	                 "{'apiVersion': 'core.kubefed.io/v1alpha1', 'kind': 'PropagatedVersion', "
	                 "'metadata': {'name': 'deployment-web', 'namespace': 'shop', "
	                 "'ownerReferences': [{'apiVersion': 'types.kubefed.io/v1beta1', 'kind': "
	                 "'FederatedDeployment', 'name': 'web', 'uid': 'u-1'}]}, 'status': "
	                 "{'templateVersion': '8a80554c91d9fca8acb82f023de02f11', "
	                 "'overridesVersion': '2979b7538b527abe06492021841caf47', "
	                 "'clusterVersions': [{'clusterName': 'oslo', 'version': 'rv:2'}, "
	                 "{'clusterName': 'rome', 'version': 'gen:1'}]}}");
	version_read(object, &read);
	assert_true(version_hashes_equal(&read.hashes, &v.hashes));
	assert_int_equal(read.count, 2);
	assert_string_equal(version_find(&read, "rome"), "gen:1");
	version_fini(&read);
	object = json_keep(version_object(&wide, json_of("{'metadata': {'name': 'r'}}"), &v));
	assert_string_equal(json_text(object, "kind"), "ClusterPropagatedVersion");
	assert_json_text(json_member(json_member(object, "metadata"), "name"), "'clusterrole-r'");
	assert_null(json_member(json_member(object, "metadata"), "namespace"));
	version_fini(&v);
}

/* An empty list is none, and a merge patch takes away the one that stands there. */
static void test_without_copies_there_is_no_list_of_them(void **state)
{
	char deployment[] = "Deployment";
	struct type type = some_type(deployment, true);
	struct version v = {.hashes = {"1", "2"}};

	(void)state;
	assert_json_text(json_member(json_keep(version_object(&type, json_of("{}"), &v)), "status"),
	                 "{'templateVersion': '1', 'overridesVersion': '2'}");
	assert_json_text(json_keep(version_patch(&v)),
	                 "{'status': {'templateVersion': '1', 'overridesVersion': '2', "
	                 "'clusterVersions': null}}");
	version_put(&v, "rome", "gen:1");
	assert_json_text(json_keep(version_patch(&v)),
	                 "{'status': {'templateVersion': '1', 'overridesVersion': '2', "
	                 "'clusterVersions': [{'clusterName': 'rome', 'version': 'gen:1'}]}}");
	version_fini(&v);
}

static void test_what_is_broken_of_one_counts_as_not_there(void **state)
{
	struct version v;

	(void)state;
	version_read(json_of("{'status': {'templateVersion': 3, 'overridesVersion': "
	                     "'0123456789012345678901234567890123456789', 'clusterVersions': "
	                     "[null, {'clusterName': 'a'}, {'version': 'gen:1'}, {'clusterName': "
	                     "'b', 'version': 7}, {'clusterName': 'c', 'version': 'gen:9'}, "
	                     "{'clusterName': 'c', 'version': 'gen:10'}]}}"),
	             &v);
	assert_string_equal(v.hashes.template_hash, "");
	assert_string_equal(v.hashes.overrides_hash, "");
	assert_int_equal(v.count, 1);
	assert_string_equal(version_find(&v, "c"), "gen:10");
	version_fini(&v);
	version_read(json_of("[]"), &v);
	assert_int_equal(v.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_kubefed_s_vectors),
		JSON_TEST(test_overrides_are_hashed_as_kubefed_s_structs),
		JSON_TEST(test_a_generation_stands_over_a_resource_version),
		JSON_TEST(test_versions_are_kept_in_the_order_of_their_clusters),
		JSON_TEST(test_other_hashes_leave_only_that_there_is_a_copy),
		JSON_TEST(test_a_propagated_version_is_written_as_kubefed_wrote_it),
		JSON_TEST(test_without_copies_there_is_no_list_of_them),
		JSON_TEST(test_what_is_broken_of_one_counts_as_not_there),
	};

	return cmocka_run_group_tests_name("propagator/version", tests, NULL, NULL);
}
