/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "propagator/jsontree.h"
#include "propagator/schedule.h"

/* --- a world: preference, federated object and clusters in, text out --- */

enum { CLUSTERS_MOST = 8 };

struct world {
	struct schedule *schedule;
	struct json_object *federated;
	struct schedule_cluster clusters[CLUSTERS_MOST];
	size_t count;
	bool has_namespace;
	struct schedule_result result;
	struct reason why;
};

static struct json_object *parse(const char *json)
{
	struct json_object *object = json_tokener_parse(json);

	if (!object)
		fail_msg("not JSON: %s", json);
	return object;
}

/* `spec` without targetKind; `federated` its spec. */
static struct world world(const char *spec, const char *federated)
{
	struct world w = {.has_namespace = true};
	struct json_object *preference = json_object_new_object(), *inside = parse(spec);
	struct json_object *metadata =
		parse("{\"namespace\": \"test-ns\", \"name\": \"test-deployment\"}");

	json_object_object_add(inside, "targetKind", json_object_new_string("FederatedDeployment"));
	json_object_object_add(preference, "spec", inside);
	if (schedule_decode(preference, &w.schedule, &w.why) != ERR_OK)
		fail_msg("%s", w.why.text);
	json_object_put(preference);
	w.federated = json_object_new_object();
	json_object_object_add(w.federated, "metadata", metadata);
	json_object_object_add(w.federated, "spec", parse(federated));
	return w;
}

static struct schedule_cluster *add(struct world *w, const char *name, bool is_ready)
{
	struct schedule_cluster *c = &w->clusters[w->count++];

	assert_true(w->count <= CLUSTERS_MOST);
	*c = (struct schedule_cluster){.name = name, .is_ready = is_ready};
	return c;
}

static struct schedule_cluster *placed(struct schedule_cluster *c)
{
	c->is_placed = true;
	return c;
}

static enum err apply(struct world *w)
{
	json_object_put(w->result.federated);
	return schedule_apply(w->schedule, w->federated, w->clusters, w->count, w->has_namespace,
	                      &w->result, &w->why);
}

/* What of spec is the scheduler's, as it is after. */
static const char *after(struct world *w)
{
	static char text[1024];
	struct json_object *o = w->result.federated ? w->result.federated : w->federated;

	snprintf(text, sizeof(text), "%s %s",
	         json_object_to_json_string_ext(jsontree_get(o, "spec", "placement", NULL),
	                                        JSON_C_TO_STRING_PLAIN |
	                                                JSON_C_TO_STRING_NOSLASHESCAPE),
	         json_object_to_json_string_ext(jsontree_get(o, "spec", "overrides", NULL),
	                                        JSON_C_TO_STRING_PLAIN |
	                                                JSON_C_TO_STRING_NOSLASHESCAPE));
	return text;
}

static void world_free(struct world *w)
{
	json_object_put(w->result.federated);
	json_object_put(w->federated);
	schedule_free(w->schedule);
}

/* The federated object as the next pass sees it. */
static void take_result(struct world *w)
{
	json_object_put(w->federated);
	w->federated = w->result.federated;
	w->result.federated = NULL;
}

/* --- reading --- */

static void assert_refused(const char *spec, enum err err, const char *reason)
{
	struct json_object *preference = json_object_new_object();
	struct schedule *s;
	struct reason why = {0};

	json_object_object_add(preference, "spec", parse(spec));
	assert_int_equal(schedule_decode(preference, &s, &why), err);
	assert_null(s);
	assert_string_equal(why.text, reason);
	json_object_put(preference);
}

static void test_a_wrong_preference_is_refused_by_field(void **state)
{
	(void)state;
	assert_refused("{\"targetKind\": \"FederatedStatefulSet\", \"totalReplicas\": 1}",
	               ERR_UNSUPPORTED,
	               "spec.targetKind: 'FederatedStatefulSet' is neither FederatedDeployment "
	               "nor FederatedReplicaSet");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\"}", ERR_PARSE,
	               "spec.totalReplicas: is missing");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": -1}",
	               ERR_RANGE, "spec.totalReplicas: is not from 0 to 2147483647");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": \"3\"}",
	               ERR_PARSE, "spec.totalReplicas: is not a whole number");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": 3, "
	               "\"rebalance\": 1}",
	               ERR_PARSE, "spec.rebalance: is neither true nor false");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": 3, "
	               "\"clusters\": {\"a\": {}, \"b\": {\"weight\": 1.5}}}",
	               ERR_PARSE, "spec.clusters[b].weight: is not a whole number");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": 3, "
	               "\"clusters\": {\"b\": 3}}",
	               ERR_PARSE, "spec.clusters[b]: is not a mapping");
	assert_refused("{\"targetKind\": \"FederatedReplicaSet\", \"totalReplicas\": 3, "
	               "\"clusters\": []}",
	               ERR_PARSE, "spec.clusters: is not a mapping");
}

/* --- KubeFed's user guide --- */

/* Of clusters A, B and C; a letter of `offline`: that one is not ready. */
static void expect_guide(const char *spec, const char *offline, const int64_t replicas[3])
{
	static const char *const names[3] = {"A", "B", "C"};
	struct world w = world(spec, "{}");

	for (size_t i = 0; i < 3; i++)
		add(&w, names[i], !strchr(offline, names[i][0]));
	assert_int_equal(apply(&w), ERR_OK);
	for (size_t i = 0; i < 3; i++)
		if (w.clusters[i].replicas != replicas[i])
			fail_msg("%s, without \"%s\": %s has %d, not %d", spec, offline, names[i],
			         (int)w.clusters[i].replicas, (int)replicas[i]);
	world_free(&w);
}

/* Its manifests (docs/userguide.md of v0.10.0), and what it says that comes of them; -1: nothing is said to that cluster. */
static void test_the_guide_of_kubefed_is_planned_as_it_says(void **state)
{
	static const char all_but_20[] =
		"{\"totalReplicas\": 50, \"clusters\": {\"*\": {\"weight\": 1}, \"C\": "
		"{\"maxReplicas\": 20, \"weight\": 1}}}";

	(void)state;
	expect_guide("{\"totalReplicas\": 9}", "", (int64_t[]){3, 3, 3});
	expect_guide("{\"totalReplicas\": 9, \"clusters\": {\"*\": {\"weight\": 1}}}", "",
	             (int64_t[]){3, 3, 3});
	expect_guide("{\"totalReplicas\": 9, \"clusters\": {\"A\": {\"weight\": 1}, \"B\": "
	             "{\"weight\": 2}}}",
	             "", (int64_t[]){3, 6, 0});
	expect_guide("{\"totalReplicas\": 9, \"clusters\": {\"A\": {\"minReplicas\": 4, "
	             "\"maxReplicas\": 6, \"weight\": 1}, \"B\": {\"minReplicas\": 4, "
	             "\"maxReplicas\": 8, \"weight\": 2}}}",
	             "", (int64_t[]){4, 5, 0});
	/* It has 16 in A, for the hash of no name at all. */
	expect_guide(all_but_20, "", (int64_t[]){17, 17, 16});
	expect_guide(all_but_20, "B", (int64_t[]){30, -1, 20});
	expect_guide(all_but_20, "AB", (int64_t[]){-1, -1, 20});
}

static void test_a_preference_tells_what_it_governs(void **state)
{
	struct world w =
		world("{\"totalReplicas\": 1, \"intersectWithClusterSelector\": true}", "{}");

	(void)state;
	assert_string_equal(schedule_target_kind(w.schedule), "FederatedDeployment");
	assert_true(schedule_asks_selectors(w.schedule));
	world_free(&w);
}

/* --- writing --- */

static struct json_object *overrides_of_vector(struct json_object *map)
{
	struct json_object *list = json_object_new_array();

	json_object_object_foreach(map, name, overrides)
	{
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "clusterName", json_object_new_string(name));
		json_object_object_add(item, "clusterOverrides", json_object_get(overrides));
		json_object_array_add(list, item);
	}
	return list;
}

static void test_every_vector_of_kubefed_is_overridden_alike(void **state)
{
	struct json_object *file =
		json_object_from_file("tests/vectors/kubefed/planner_vectors.json");
	struct json_object *vectors = jsontree_get(file, "overrides_vectors", NULL);

	(void)state;
	assert_int_equal(jsontree_count(vectors), 3);
	for (size_t i = 0; i < jsontree_count(vectors); i++) {
		struct json_object *v = jsontree_item(vectors, i);
		struct json_object *replicas = jsontree_get(v, "replicas", "cluster1", NULL);
		struct json_object *want = overrides_of_vector(jsontree_get(v, "after", NULL)),
				   *spec;
		char preference[128];
		struct world w;

		/* Where it is not scheduled, it is another cluster that gets them. */
		snprintf(preference, sizeof(preference), "{\"totalReplicas\": %d}",
		         json_object_get_int(replicas));
		w = world(preference, "{}");
		add(&w, "cluster1", replicas != NULL);
		if (!replicas)
			add(&w, "other", true);
		spec = jsontree_get(w.federated, "spec", NULL);
		json_object_object_add(spec, "overrides",
		                       overrides_of_vector(jsontree_get(v, "before", NULL)));
		assert_int_equal(apply(&w), ERR_OK);
		assert_int_equal(w.result.outcome, SCHEDULE_CHANGED);
		if (!replicas)
			json_object_array_add(
				want, parse("{\"clusterName\": \"other\", \"clusterOverrides\": "
			                    "[{\"path\": \"/spec/replicas\", \"value\": 0}]}"));
		assert_true(json_object_equal(
			jsontree_get(w.result.federated, "spec", "overrides", NULL), want));
		json_object_put(want);
		world_free(&w);
	}
	json_object_put(file);
}

static void test_the_plan_becomes_placement_and_overrides(void **state)
{
	struct world w = world("{\"totalReplicas\": 9, \"clusters\": {\"A\": {\"weight\": 1}, "
	                       "\"B\": {\"weight\": 2}}}",
	                       "{\"template\": {\"spec\": {\"replicas\": 77}}}");

	(void)state;
	add(&w, "C", true);
	add(&w, "B", true);
	add(&w, "A", true);
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.outcome, SCHEDULE_CHANGED);
	assert_string_equal(
		after(&w),
		"{\"clusters\":[{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"C\"}]} "
		"[{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":3}]},"
		"{\"clusterName\":\"B\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":6}]},"
		"{\"clusterName\":\"C\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":0}]}]");
	assert_int_equal(w.result.planned, 9);
	assert_string_equal(w.result.note.text, "");
	assert_int_equal(w.clusters[2].replicas, 3);
	/* What was given stays as it was, and nothing is left to do. */
	assert_null(jsontree_get(w.federated, "spec", "placement", NULL));
	take_result(&w);
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.outcome, SCHEDULE_SAME);
	assert_null(w.result.federated);
	world_free(&w);
}

static void test_clusters_in_another_order_are_not_rewritten(void **state)
{
	struct world w = world("{\"totalReplicas\": 0}",
	                       "{\"placement\": {\"clusters\": [{\"name\": \"B\"}, {\"name\": "
	                       "\"A\"}]}, \"overrides\": ["
	                       "{\"clusterName\": \"B\", \"clusterOverrides\": [{\"op\": "
	                       "\"replace\", \"path\": \"/spec/replicas\", \"value\": 0}]},"
	                       "{\"clusterName\": \"A\", \"clusterOverrides\": [{\"path\": "
	                       "\"/spec/replicas\", \"value\": 0}]}]}");

	(void)state;
	placed(add(&w, "A", true));
	placed(add(&w, "B", true));
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.outcome, SCHEDULE_SAME);
	world_free(&w);
}

static void test_an_override_that_removes_replicas_sets_them(void **state)
{
	struct world w = world("{\"totalReplicas\": 2}",
	                       "{\"overrides\": [{\"clusterName\": \"A\", \"clusterOverrides\": "
	                       "[{\"op\": \"remove\", \"path\": \"/spec/replicas\"}]}]}");

	(void)state;
	add(&w, "A", true);
	assert_int_equal(apply(&w), ERR_OK);
	assert_string_equal(after(&w),
	                    "{\"clusters\":[{\"name\":\"A\"}]} "
	                    "[{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/spec/"
	                    "replicas\",\"value\":2}]}]");
	world_free(&w);
}

static void test_a_cluster_that_is_gone_keeps_its_other_overrides(void **state)
{
	struct world w =
		world("{\"totalReplicas\": 2}",
	              "{\"placement\": {\"clusters\": [{\"name\": \"A\"}, {\"name\": \"gone\"}]},"
	              "\"overrides\": [{\"clusterName\": \"gone\", \"clusterOverrides\": "
	              "[{\"path\": \"/spec/replicas\", \"value\": 5}, {\"path\": \"/spec/paused\", "
	              "\"value\": true}]}, {\"clusterOverrides\": []}]}");

	(void)state;
	placed(add(&w, "A", true));
	assert_int_equal(apply(&w), ERR_OK);
	assert_string_equal(
		after(&w),
		"{\"clusters\":[{\"name\":\"A\"}]} "
		"[{\"clusterName\":\"gone\",\"clusterOverrides\":[{\"path\":\"/spec/paused\","
		"\"value\":true}]},{\"clusterOverrides\":[]},"
		"{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":2}]}]");
	world_free(&w);
}

/* --- who is planned --- */

/* KubeFed dropped it, and could delete its workload when it came back. */
static void test_a_placed_cluster_that_is_not_ready_stays_as_it_is(void **state)
{
	struct world w = world("{\"totalReplicas\": 4}", "{}");

	(void)state;
	add(&w, "A", true);
	add(&w, "B", true);
	assert_int_equal(apply(&w), ERR_OK);
	take_result(&w);
	placed(&w.clusters[0])->has_current = true;
	w.clusters[0].current = 2;
	placed(&w.clusters[1])->is_ready = false;
	assert_int_equal(apply(&w), ERR_OK);
	assert_string_equal(
		after(&w),
		"{\"clusters\":[{\"name\":\"A\"},{\"name\":\"B\"}]} "
		"[{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":4}]},"
		"{\"clusterName\":\"B\",\"clusterOverrides\":[{\"path\":\"/spec/replicas\","
		"\"value\":2}]}]");
	assert_true(w.clusters[1].is_held);
	assert_int_equal(w.result.planned, 4);
	assert_int_equal(w.result.held, 2);
	assert_string_equal(w.result.note.text,
	                    "2 replicas stay beside them in clusters that are not ready");
	/* Back again, it keeps what runs, and the other gives up what it stood in with. */
	take_result(&w);
	w.clusters[0].current = 4;
	w.clusters[1].is_ready = w.clusters[1].has_current = true;
	w.clusters[1].current = 2;
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.planned, 4);
	assert_int_equal(w.result.held, 0);
	assert_int_equal(w.clusters[0].replicas + w.clusters[1].replicas, 4);
	world_free(&w);
}

static void test_a_held_cluster_without_an_override_has_what_the_template_says(void **state)
{
	struct world w = world("{\"totalReplicas\": 4}",
	                       "{\"template\": {\"spec\": {\"replicas\": 7}}, \"placement\": "
	                       "{\"clusterSelector\": {}}}");

	(void)state;
	add(&w, "A", true);
	placed(add(&w, "B", false));
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.held, 7);
	assert_string_equal(after(&w),
	                    "{\"clusterSelector\":{},\"clusters\":[{\"name\":\"A\"},{\"name\":"
	                    "\"B\"}]} [{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":"
	                    "\"/spec/replicas\",\"value\":4}]}]");
	world_free(&w);
}

static void test_a_cluster_that_is_not_ready_and_not_placed_gets_nothing(void **state)
{
	struct world w = world("{\"totalReplicas\": 4}", "{}");

	(void)state;
	add(&w, "A", true);
	add(&w, "B", false);
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.clusters[1].replicas, -1);
	assert_false(w.clusters[1].is_held);
	assert_string_equal(after(&w), "{\"clusters\":[{\"name\":\"A\"}]} "
	                               "[{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/"
	                               "spec/replicas\",\"value\":4}]}]");
	world_free(&w);
}

static void test_selectors_count_only_when_they_are_asked(void **state)
{
	struct world all = world("{\"totalReplicas\": 4}", "{}");
	struct world some =
		world("{\"totalReplicas\": 4, \"intersectWithClusterSelector\": true}", "{}");

	(void)state;
	add(&all, "A", true)->is_selected = true;
	add(&all, "B", true);
	all.has_namespace = false;
	assert_int_equal(apply(&all), ERR_OK);
	assert_int_equal(all.clusters[1].replicas, 2);
	add(&some, "A", true)->is_selected = true;
	placed(add(&some, "B", true));
	placed(add(&some, "C", false));
	assert_int_equal(apply(&some), ERR_OK);
	assert_int_equal(some.clusters[0].replicas, 4);
	assert_int_equal(some.clusters[1].replicas, -1);
	assert_int_equal(some.clusters[2].replicas, -1);
	some.has_namespace = false;
	assert_int_equal(apply(&some), ERR_NOTFOUND);
	assert_string_equal(some.why.text,
	                    "there is no FederatedNamespace to ask for its clusterSelector");
	world_free(&all);
	world_free(&some);
}

static void test_without_a_cluster_everything_stays(void **state)
{
	struct world w = world("{\"totalReplicas\": 4, \"intersectWithClusterSelector\": true}",
	                       "{\"placement\": {\"clusters\": [{\"name\": \"A\"}]}}");

	(void)state;
	placed(add(&w, "A", false))->is_selected = true;
	add(&w, "B", true);
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.outcome, SCHEDULE_NO_CLUSTER);
	assert_null(w.result.federated);
	assert_string_equal(w.result.note.text, "no cluster is ready and selected");
	world_free(&w);
}

/* --- sums --- */

static void test_a_total_that_is_exceeded_on_purpose_is_told(void **state)
{
	struct world w = world("{\"totalReplicas\": 50, \"rebalance\": true}", "{}");
	struct schedule_cluster *full;

	(void)state;
	add(&w, "A", true);
	add(&w, "B", true);
	full = add(&w, "C", true);
	full->has_current = full->has_capacity = true;
	full->current = full->capacity = 10;
	assert_int_equal(apply(&w), ERR_OK);
	assert_true(full->replicas > 10);
	assert_int_equal(w.result.planned - w.result.total, full->replicas - 10);
	assert_non_null(strstr(w.result.note.text,
	                       " replicas over totalReplicas, in the place of those that find no "
	                       "node"));
	world_free(&w);
}

static void test_why_a_total_is_exceeded_is_a_reason_of_a_condition(void **state)
{
	struct schedule_excess excess = schedule_excess(10, 7, 3);

	(void)state;
	assert_null(excess.reason);
	excess = schedule_excess(10, 12, 0);
	assert_string_equal(excess.reason, "PodsFindNoNode");
	assert_string_equal(excess.message.text, "12 replicas where totalReplicas is 10: 2 in the "
	                                         "place of those that find no node");
	excess = schedule_excess(9, 8, 3);
	assert_string_equal(excess.reason, "ClustersNotReady");
	assert_string_equal(
		excess.message.text,
		"11 replicas where totalReplicas is 9: 3 in clusters that are not ready");
	excess = schedule_excess(10, 12, 3);
	assert_string_equal(excess.reason, "PodsFindNoNode");
	assert_string_equal(excess.message.text,
	                    "15 replicas where totalReplicas is 10: 2 in the place of those that "
	                    "find no node, 3 in clusters that are not ready");
}

static void test_replicas_without_a_cluster_are_told(void **state)
{
	struct world w = world(
		"{\"totalReplicas\": 50, \"clusters\": {\"*\": {\"weight\": 1, \"maxReplicas\": "
		"12}}}",
		"{}");

	(void)state;
	add(&w, "A", true);
	add(&w, "B", true);
	assert_int_equal(apply(&w), ERR_OK);
	assert_int_equal(w.result.planned, 24);
	assert_string_equal(w.result.note.text, "26 of 50 replicas have no cluster: weight, "
	                                        "maxReplicas and room leave none");
	world_free(&w);
}

/* --- strangers' objects --- */

static void assert_wrong(const char *federated, enum err err, const char *reason)
{
	struct world w = world("{\"totalReplicas\": 1}", federated);

	add(&w, "A", true);
	assert_int_equal(apply(&w), err);
	assert_string_equal(w.why.text, reason);
	assert_null(w.result.federated);
	world_free(&w);
}

static void test_a_federated_object_that_is_wrong_is_refused_by_field(void **state)
{
	(void)state;
	assert_wrong("[]", ERR_PARSE, "spec: is not a mapping");
	assert_wrong("{\"placement\": 1}", ERR_PARSE, "spec.placement: is not a mapping");
	assert_wrong("{\"overrides\": {}}", ERR_PARSE, "spec.overrides: is not a list");
	assert_wrong("{\"overrides\": [1]}", ERR_PARSE, "spec.overrides[0]: is not a mapping");
	assert_wrong("{\"overrides\": [{\"clusterName\": \"A\", \"clusterOverrides\": \"\"}]}",
	             ERR_PARSE, "spec.overrides[0].clusterOverrides: is not a list");
	assert_wrong("{\"overrides\": [{\"clusterName\": \"A\"}, {\"clusterName\": \"A\"}]}",
	             ERR_CONFLICT, "spec.overrides[1]: cluster A has another item");
}

static void test_null_is_as_good_as_missing(void **state)
{
	struct world w = world("{\"totalReplicas\": 1, \"clusters\": null, \"rebalance\": null}",
	                       "{\"placement\": null, \"overrides\": [{\"clusterName\": \"A\", "
	                       "\"clusterOverrides\": null}]}");

	(void)state;
	add(&w, "A", true);
	assert_int_equal(apply(&w), ERR_OK);
	assert_string_equal(after(&w), "{\"clusters\":[{\"name\":\"A\"}]} "
	                               "[{\"clusterName\":\"A\",\"clusterOverrides\":[{\"path\":\"/"
	                               "spec/replicas\",\"value\":1}]}]");
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wrong_preference_is_refused_by_field),
		cmocka_unit_test(test_the_guide_of_kubefed_is_planned_as_it_says),
		cmocka_unit_test(test_a_preference_tells_what_it_governs),
		cmocka_unit_test(test_every_vector_of_kubefed_is_overridden_alike),
		cmocka_unit_test(test_the_plan_becomes_placement_and_overrides),
		cmocka_unit_test(test_clusters_in_another_order_are_not_rewritten),
		cmocka_unit_test(test_an_override_that_removes_replicas_sets_them),
		cmocka_unit_test(test_a_cluster_that_is_gone_keeps_its_other_overrides),
		cmocka_unit_test(test_a_placed_cluster_that_is_not_ready_stays_as_it_is),
		cmocka_unit_test(
			test_a_held_cluster_without_an_override_has_what_the_template_says),
		cmocka_unit_test(test_a_cluster_that_is_not_ready_and_not_placed_gets_nothing),
		cmocka_unit_test(test_selectors_count_only_when_they_are_asked),
		cmocka_unit_test(test_without_a_cluster_everything_stays),
		cmocka_unit_test(test_a_total_that_is_exceeded_on_purpose_is_told),
		cmocka_unit_test(test_why_a_total_is_exceeded_is_a_reason_of_a_condition),
		cmocka_unit_test(test_replicas_without_a_cluster_are_told),
		cmocka_unit_test(test_a_federated_object_that_is_wrong_is_refused_by_field),
		cmocka_unit_test(test_null_is_as_good_as_missing),
	};

	return cmocka_run_group_tests_name("propagator/schedule", tests, NULL, NULL);
}
