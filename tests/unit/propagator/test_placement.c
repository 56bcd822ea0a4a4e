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
#include <json-c/linkhash.h>

#include "propagator/placement.h"
#include "tests/support/propagator_json.h"

enum { CLUSTERS_MOST = 8 };

/* "{'one': {'label': 'value'}}" as clusters; how many. */
static size_t clusters_of(struct json_object *object, struct placement_cluster *out)
{
	size_t count = 0;

	json_object_object_foreach(object, name, labels)
	{
		assert_true(count < CLUSTERS_MOST);
		out[count++] = (struct placement_cluster){name, labels};
	}
	return count;
}

/* The names as one text. */
static const char *joined(char *const *names, size_t count)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, names[i]);
	}
	return text;
}

static void assert_placed(const char *placement, const char *want, const char *unknown)
{
	struct placement_cluster clusters[CLUSTERS_MOST];
	size_t count = clusters_of(json_of("{'rome': {'continent': 'eu'}, 'paris': {'continent': "
	                                   "'eu', 'big': ''}, 'tokyo': null}"),
	                           clusters);
	struct placement p;
	struct reason why = {""};

	if (placement_of(json_with("{'spec': {'placement': %s}}", placement), clusters, count, &p,
	                 &why) != ERR_OK)
		fail_msg("%s: %s", placement, why.text);
	assert_string_equal(joined(p.names, p.count), want);
	assert_string_equal(joined(p.unknown, p.unknown_count), unknown);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(placement_has(&p, clusters[i].name),
		                 strstr(want, clusters[i].name) != NULL);
	placement_fini(&p);
}

static void test_kubefed_s_vectors(void **state)
{
	struct json_object *set = json_vectors("misc_vectors.json", "placement");
	struct json_object *cases = json_member(set, "cases");
	struct placement_cluster clusters[CLUSTERS_MOST];
	size_t count = clusters_of(json_member(set, "clusters"), clusters);

	(void)state;
	assert_int_equal(json_object_array_length(cases), 5);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		struct json_object *federated = json_of("{'spec': {'placement': {}}}");
		struct json_object *to = json_member(json_member(federated, "spec"), "placement");
		struct json_object *names = json_member(c, "clusters");
		struct json_object *have = json_keep(json_object_new_array());
		struct placement p;
		struct reason why = {""};

		if (names)
			json_object_object_add(to, "clusters", json_object_new_array());
		for (size_t j = 0; names && j < json_object_array_length(names); j++)
			json_object_array_add(
				json_member(to, "clusters"),
				json_object_get(
					json_with("{'name': %s}",
			                          json_object_to_json_string(
							  json_object_array_get_idx(names, j)))));
		if (json_member(c, "matchLabels"))
			json_object_object_add(
				to, "clusterSelector",
				json_object_get(json_with("{'matchLabels': %s}",
			                                  json_object_to_json_string(
								  json_member(c, "matchLabels")))));
		assert_int_equal(placement_of(federated, clusters, count, &p, &why), ERR_OK);
		for (size_t j = 0; j < p.count; j++)
			json_object_array_add(have, json_object_new_string(p.names[j]));
		assert_json(have, json_member(c, "expected"));
		placement_fini(&p);
	}
}

static void test_a_list_stands_over_a_selector(void **state)
{
	(void)state;
	assert_placed("{'clusters': [{'name': 'tokyo'}], 'clusterSelector': {}}", "tokyo", "");
	assert_placed("{'clusters': [], 'clusterSelector': {}}", "", "");
	assert_placed("{'clusters': null, 'clusterSelector': {}}", "paris rome tokyo", "");
}

static void test_names_are_sorted_and_stand_once_and_unknown_ones_are_told(void **state)
{
	(void)state;
	assert_placed("{'clusters': [{'name': 'tokyo'}, {'name': 'oslo'}, {'name': 'paris'}, "
	              "{'name': 'tokyo'}, {'name': 'bonn'}]}",
	              "paris tokyo", "bonn oslo");
}

static void test_a_missing_selector_is_none_and_an_empty_one_all(void **state)
{
	(void)state;
	assert_placed("null", "", "");
	assert_placed("{}", "", "");
	assert_placed("{'clusterSelector': null}", "", "");
	assert_placed("{'clusterSelector': {}}", "paris rome tokyo", "");
	assert_placed("{'clusterSelector': {'matchLabels': {}}}", "paris rome tokyo", "");
}

static void test_labels_and_expressions_select(void **state)
{
	(void)state;
	assert_placed("{'clusterSelector': {'matchLabels': {'continent': 'eu'}}}", "paris rome",
	              "");
	assert_placed("{'clusterSelector': {'matchLabels': {'continent': 'eu'}, "
	              "'matchExpressions': [{'key': 'big', 'operator': 'DoesNotExist'}]}}",
	              "rome", "");
	assert_placed("{'clusterSelector': {'matchExpressions': [{'key': 'continent', 'operator': "
	              "'NotIn', 'values': ['eu']}]}}",
	              "tokyo", "");
}

static void assert_refused(const char *placement, const char *says, size_t count)
{
	struct placement_cluster clusters[] = {{"rome", NULL}};
	struct placement p;
	struct reason why = {""};

	assert_int_equal(placement_of(json_with("{'spec': {'placement': %s}}", placement), clusters,
	                              count, &p, &why),
	                 ERR_PARSE);
	assert_string_equal(why.text, says);
	assert_int_equal(p.count, 0);
}

static void test_what_is_wrong_is_named_also_without_any_cluster(void **state)
{
	(void)state;
	for (size_t count = 0; count < 2; count++) {
		assert_refused("3", "spec.placement: is a number, not an object", count);
		assert_refused("{'clusters': {}}",
		               "spec.placement.clusters: is an object, not a list", count);
		assert_refused("{'clusters': [{'name': 'rome'}, {}]}",
		               "spec.placement.clusters[1].name: is missing", count);
		assert_refused("{'clusterSelector': {'matchExpressions': [{'key': 'a', 'operator': "
		               "'Is'}]}}",
		               "spec.placement.clusterSelector: matchExpressions[0].operator: 'Is' "
		               "is not a valid one",
		               count);
	}
}

static void test_both_an_object_and_its_namespace_must_be_placed(void **state)
{
	struct placement_cluster clusters[] = {{"rome", NULL}, {"paris", NULL}, {"tokyo", NULL}};
	struct placement p, ns;
	struct reason why;

	(void)state;
	assert_int_equal(placement_of(json_of("{'spec': {'placement': {'clusters': [{'name': "
	                                      "'tokyo'}, {'name': 'rome'}]}}}"),
	                              clusters, 3, &p, &why),
	                 ERR_OK);
	assert_int_equal(placement_of(json_of("{'spec': {'placement': {'clusters': [{'name': "
	                                      "'paris'}, {'name': 'rome'}]}}}"),
	                              clusters, 3, &ns, &why),
	                 ERR_OK);
	placement_intersect(&p, &ns);
	assert_string_equal(joined(p.names, p.count), "rome");
	placement_fini(&ns);
	/* A namespace that is not federated. */
	placement_intersect(&p, &ns);
	assert_int_equal(p.count, 0);
	placement_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_kubefed_s_vectors),
		JSON_TEST(test_a_list_stands_over_a_selector),
		JSON_TEST(test_names_are_sorted_and_stand_once_and_unknown_ones_are_told),
		JSON_TEST(test_a_missing_selector_is_none_and_an_empty_one_all),
		JSON_TEST(test_labels_and_expressions_select),
		JSON_TEST(test_what_is_wrong_is_named_also_without_any_cluster),
		JSON_TEST(test_both_an_object_and_its_namespace_must_be_placed),
	};

	return cmocka_run_group_tests_name("propagator/placement", tests, NULL, NULL);
}
