/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/policy_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/text.h"
#include "tests/support/propagator_json.h"

enum { NOW_S = 1767312000 /* 2026-01-02T00:00:00Z */ };

#define GOOD                                                                                       \
	"{'type':'Accepted','status':'True','reason':'Accepted','message':''},"                    \
	"{'type':'Conflicted','status':'False','reason':'NoConflict','message':''},"               \
	"{'type':'Programmed','status':'True','reason':'Programmed','message':''}"
#define WAITS                                                                                      \
	"{'type':'Accepted','status':'True','reason':'Accepted','message':''},"                    \
	"{'type':'Conflicted','status':'False','reason':'NoConflict','message':''},"               \
	"{'type':'Programmed','status':'False','reason':'WaitsForRanking','message':'is made'}"

static const char *const keys[] = {"shop/web", "shop/api", "a/b"};

static int setup(void **state)
{
	*state = policy_tally_new(keys, 3);
	return 0;
}

static int teardown(void **state)
{
	policy_tally_free(*state);
	return json_drop(state);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* One more replica, which says that of shop/web. */
static void add(struct policy_tally *t, int generation, const char *conditions)
{
	struct reason why = {0};

	assert_int_equal(
		policy_tally_add(t,
	                         json_with("{'ready':true,'errors':[],'policies':[{'namespace':"
	                                   "'shop','name':'web','targets':1,'names':1,"
	                                   "'generation':%d,'conditions':[%s]}]}",
	                                   generation, conditions),
	                         &why),
		ERR_OK);
}

static struct json_object *status_of(struct policy_tally *t, struct json_object *have)
{
	struct json_object *status = policy_tally_status(t, "shop/web", have, NOW_S);

	return status ? json_keep(status) : NULL;
}

/* --- one replica --- */

static void test_conditions_are_copied_with_time_and_generation(void **state)
{
	add(*state, 3, GOOD);
	assert_int_equal(policy_tally_replicas(*state), 1);
	assert_json_text(status_of(*state, NULL),
	                 "{'observedGeneration':3,'conditions':["
	                 "{'type':'Accepted','status':'True','reason':'Accepted','message':'',"
	                 "'lastTransitionTime':'2026-01-02T00:00:00Z','observedGeneration':3},"
	                 "{'type':'Conflicted','status':'False','reason':'NoConflict','message':'',"
	                 "'lastTransitionTime':'2026-01-02T00:00:00Z','observedGeneration':3},"
	                 "{'type':'Programmed','status':'True','reason':'Programmed','message':'',"
	                 "'lastTransitionTime':'2026-01-02T00:00:00Z','observedGeneration':3}]}");
}

static void test_what_stands_there_is_not_written_again(void **state)
{
	struct json_object *have;

	add(*state, 3, GOOD);
	have = status_of(*state, NULL);
	assert_null(policy_tally_status(*state, "shop/web", have, NOW_S + 60));
}

static void test_the_time_moves_with_the_status_alone(void **state)
{
	struct json_object *have =
		json_of("{'observedGeneration':3,'conditions':["
	                "{'type':'Accepted','status':'False','reason':'Invalid','message':'x',"
	                "'lastTransitionTime':'2025-01-01T00:00:00Z'},"
	                "{'type':'Conflicted','status':'False','reason':'Other','message':'x',"
	                "'lastTransitionTime':'2025-01-01T00:00:00Z'}]}");
	struct json_object *list;

	add(*state, 3, GOOD);
	list = json_member(status_of(*state, have), "conditions");
	assert_string_equal(json_text(json_object_array_get_idx(list, 0), "lastTransitionTime"),
	                    "2026-01-02T00:00:00Z");
	assert_string_equal(json_text(json_object_array_get_idx(list, 1), "reason"), "NoConflict");
	assert_string_equal(json_text(json_object_array_get_idx(list, 1), "lastTransitionTime"),
	                    "2025-01-01T00:00:00Z");
}

static void test_another_generation_alone_is_written(void **state)
{
	struct json_object *have;

	add(*state, 3, GOOD);
	have = status_of(*state, NULL);
	policy_tally_free(*state);
	*state = policy_tally_new(keys, 3);
	add(*state, 4, GOOD);
	assert_int_equal(
		json_object_get_int(json_member(status_of(*state, have), "observedGeneration")), 4);
}

/* A nighd of before, or a policy of a file. */
static void test_an_unknown_generation_is_not_said(void **state)
{
	struct json_object *status;

	add(*state, 0, GOOD);
	status = status_of(*state, NULL);
	assert_null(json_member(status, "observedGeneration"));
	assert_null(json_member(json_object_array_get_idx(json_member(status, "conditions"), 0),
	                        "observedGeneration"));
	assert_null(policy_tally_status(*state, "shop/web", status, NOW_S));
}

/* What is in force is an older state than that which does not parse. */
static void test_that_it_is_invalid_is_said_of_no_generation(void **state)
{
	struct json_object *list;

	add(*state, 3,
	    "{'type':'Accepted','status':'False','reason':'Invalid','message':'spec.ttl: no'},"
	    "{'type':'Programmed','status':'True','reason':'Programmed','message':''}");
	list = json_member(status_of(*state, NULL), "conditions");
	assert_int_equal(json_object_array_length(list), 2);
	assert_null(json_member(json_object_array_get_idx(list, 0), "observedGeneration"));
	assert_int_equal(json_object_get_int(json_member(json_object_array_get_idx(list, 1),
	                                                 "observedGeneration")),
	                 3);
}

static void test_one_that_was_never_good_is_found_among_the_errors(void **state)
{
	struct reason why = {0};
	struct json_object *list;

	assert_int_equal(
		policy_tally_add(*state,
	                         json_of("{'ready':true,'policies':[],'errors':["
	                                 "{'where':'host: TrafficPolicy shop/web2','message':'n'},"
	                                 "{'where':'host: TrafficPolicy shop/web','message':"
	                                 "'TrafficPolicy shop/web: spec.ttl: is no number'}]}"),
	                         &why),
		ERR_OK);
	list = json_member(status_of(*state, NULL), "conditions");
	assert_int_equal(json_object_array_length(list), 2);
	assert_json_text(json_object_array_get_idx(list, 0),
	                 "{'type':'Accepted','status':'False','reason':'Invalid','message':"
	                 "'TrafficPolicy shop/web: spec.ttl: is no number',"
	                 "'lastTransitionTime':'2026-01-02T00:00:00Z'}");
	assert_string_equal(json_text(json_object_array_get_idx(list, 1), "type"), "Programmed");
	assert_string_equal(json_text(json_object_array_get_idx(list, 1), "status"), "False");
}

/* Accepted or not: that stays as it was said last. */
static void test_a_policy_that_nobody_knows_is_not_in_force(void **state)
{
	struct json_object *have = json_of("{'observedGeneration':3,'conditions':["
	                                   "{'type':'Accepted','status':'True'}]}");

	assert_null(policy_tally_status(*state, "shop/web", NULL, NOW_S));
	add(*state, 3, GOOD);
	assert_json_text(json_keep(policy_tally_status(*state, "shop/api", have, NOW_S)),
	                 "{'observedGeneration':3,'conditions':["
	                 "{'type':'Accepted','status':'True'},"
	                 "{'type':'Programmed','status':'False','reason':'NotSeen','message':"
	                 "'1 of 1 replicas of nighd do not know it','lastTransitionTime':"
	                 "'2026-01-02T00:00:00Z'}]}");
	assert_null(policy_tally_status(*state, "shop/none", NULL, NOW_S));
}

/* --- several --- */

static void test_replicas_that_agree_say_what_one_says(void **state)
{
	struct json_object *have;

	add(*state, 3, GOOD);
	have = status_of(*state, NULL);
	add(*state, 3, GOOD);
	add(*state, 3, GOOD);
	assert_null(policy_tally_status(*state, "shop/web", have, NOW_S));
}

static void test_the_worst_status_counts_and_says_of_how_many_it_is(void **state)
{
	struct json_object *list;

	add(*state, 4, GOOD);
	add(*state, 3, WAITS);
	add(*state, 4, GOOD);
	assert_int_equal(
		json_object_get_int(json_member(status_of(*state, NULL), "observedGeneration")), 3);
	list = json_member(status_of(*state, NULL), "conditions");
	assert_string_equal(json_text(json_object_array_get_idx(list, 0), "message"), "");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "status"), "False");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "reason"),
	                    "WaitsForRanking");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "message"),
	                    "is made (1 of 3 replicas of nighd say so)");
}

/* Such as one that cannot see the host since before it was made. */
static void test_it_is_not_in_force_where_a_replica_does_not_know_it(void **state)
{
	struct reason why = {0};
	struct json_object *list;

	add(*state, 3, GOOD);
	assert_int_equal(
		policy_tally_add(*state, json_of("{'ready':true,'errors':[],'policies':[]}"), &why),
		ERR_OK);
	add(*state, 3, GOOD);
	list = json_member(status_of(*state, NULL), "conditions");
	assert_string_equal(json_text(json_object_array_get_idx(list, 0), "status"), "True");
	assert_string_equal(json_text(json_object_array_get_idx(list, 0), "message"), "");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "reason"), "NotSeen");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "message"),
	                    "1 of 3 replicas of nighd do not know it");
	/* What more of them say counts more. */
	add(*state, 3, WAITS);
	add(*state, 3, WAITS);
	list = json_member(status_of(*state, NULL), "conditions");
	assert_string_equal(json_text(json_object_array_get_idx(list, 2), "message"),
	                    "is made (2 of 5 replicas of nighd say so)");
}

static void test_that_it_is_conflicted_is_the_worse(void **state)
{
	struct json_object *condition;

	add(*state, 1, "{'type':'Conflicted','status':'False','reason':'NoConflict'}");
	add(*state, 1,
	    "{'type':'Conflicted','status':'True','reason':'TargetConflict','message':''}");
	condition =
		json_object_array_get_idx(json_member(status_of(*state, NULL), "conditions"), 0);
	assert_string_equal(json_text(condition, "status"), "True");
	assert_string_equal(json_text(condition, "message"), "1 of 2 replicas of nighd say so");
}

static void test_of_reasons_the_one_of_most_counts_then_the_first_by_name(void **state)
{
	static const char *const reasons[] = {"B", "C", "C", "A", "B", "A", "D"};
	char condition[128];

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		snprintf(condition, sizeof(condition),
		         "{'type':'Programmed','status':'False','reason':'%s'}", reasons[i]);
		add(*state, 1, condition);
	}
	assert_string_equal(
		json_text(json_object_array_get_idx(
				  json_member(status_of(*state, NULL), "conditions"), 0),
	                  "reason"),
		"A");
}

/* --- what no nighd says --- */

static void test_a_replica_that_has_not_read_everything_does_not_count(void **state)
{
	struct reason why = {0};

	assert_int_equal(policy_tally_add(*state,
	                                  json_of("{'ready':false,'errors':[],'policies':[]}"),
	                                  &why),
	                 ERR_UNREACHABLE);
	assert_string_equal(why.text, "it has not read everything yet");
	assert_int_equal(policy_tally_replicas(*state), 0);
}

static void test_what_is_no_status_of_a_nighd_is_refused(void **state)
{
	static const char *const all[] = {"{}",
	                                  "[]",
	                                  "7",
	                                  "{'policies':[]}",
	                                  "{'ready':true,'policies':{}}",
	                                  "{'ready':'true','policies':[]}"};
	struct reason why = {0};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(policy_tally_add(*state, json_of(all[i]), &why), ERR_PARSE);
	assert_int_equal(policy_tally_add(*state, NULL, &why), ERR_PARSE);
	assert_int_equal(policy_tally_replicas(*state), 0);
}

static void test_items_of_foreign_shapes_are_passed_over(void **state)
{
	struct reason why = {0};

	assert_int_equal(
		policy_tally_add(
			*state,
			json_of("{'ready':true,'errors':{'where':'TrafficPolicy shop/web'},"
	                        "'policies':[null,7,[],{},{'namespace':7,'name':'web'},"
	                        "{'namespace':'shop','name':'api','generation':'x','conditions':"
	                        "[7,null,{'type':'Accepted','status':'Unknown'},"
	                        "{'type':'Programmed','status':true},"
	                        "{'type':'Conflicted','status':'True','reason':[],'message':{}},"
	                        "{'type':'Mine','status':'True'}]}]}"),
			&why),
		ERR_OK);
	assert_string_equal(
		json_text(json_object_array_get_idx(
				  json_member(status_of(*state, NULL), "conditions"), 0),
	                  "reason"),
		"NotSeen");
	assert_json_text(json_keep(policy_tally_status(*state, "shop/api", NULL, NOW_S)),
	                 "{'conditions':[{'type':'Conflicted','status':'True','reason':"
	                 "'Conflicted','message':'','lastTransitionTime':"
	                 "'2026-01-02T00:00:00Z'}]}");
}

static void test_a_replica_that_repeats_itself_has_one_voice(void **state)
{
	struct reason why = {0};

	add(*state, 3, GOOD);
	assert_int_equal(
		policy_tally_add(
			*state,
			json_of("{'ready':true,'errors':[{'where':'TrafficPolicy shop/web',"
	                        "'message':'no'}],'policies':["
	                        "{'namespace':'shop','name':'web','generation':3,'conditions':"
	                        "[" GOOD "]},"
	                        "{'namespace':'shop','name':'web','generation':1,'conditions':"
	                        "[" WAITS "]}]}"),
			&why),
		ERR_OK);
	assert_int_equal(
		json_object_get_int(json_member(status_of(*state, NULL), "observedGeneration")), 3);
	assert_null(policy_tally_status(*state, "shop/web", status_of(*state, NULL), NOW_S));
	assert_null(strstr(json_object_to_json_string(status_of(*state, NULL)), "say so"));
}

static void test_long_and_unprintable_words_are_cut_and_replaced(void **state)
{
	struct text said = {0};
	char message[3001];
	struct json_object *condition;

	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	text_printf(&said,
	            "{'type':'Accepted','status':'False','reason':'%s','message':'mmm\\t%s'}",
	            message, message);
	add(*state, 1, said.data);
	text_fini(&said);
	condition =
		json_object_array_get_idx(json_member(status_of(*state, NULL), "conditions"), 0);
	assert_int_equal(strlen(json_text(condition, "message")), 1023);
	assert_memory_equal(json_text(condition, "message"), "mmm?", 4);
	assert_int_equal(strlen(json_text(condition, "reason")), 127);
}

/* However many there are: 8 of them are remembered, and the message tells of all. */
static void test_a_thousand_reasons_are_not_remembered(void **state)
{
	char condition[128];
	struct json_object *is;

	for (int i = 0; i < 1000; i++) {
		snprintf(condition, sizeof(condition),
		         "{'type':'Programmed','status':'False','reason':'R%03d'}", i);
		add(*state, 1, condition);
	}
	is = json_object_array_get_idx(json_member(status_of(*state, NULL), "conditions"), 0);
	assert_string_equal(json_text(is, "reason"), "R000");
	assert_string_equal(json_text(is, "message"), "1 of 1000 replicas of nighd say so");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_conditions_are_copied_with_time_and_generation),
		TEST(test_what_stands_there_is_not_written_again),
		TEST(test_the_time_moves_with_the_status_alone),
		TEST(test_another_generation_alone_is_written),
		TEST(test_an_unknown_generation_is_not_said),
		TEST(test_that_it_is_invalid_is_said_of_no_generation),
		TEST(test_one_that_was_never_good_is_found_among_the_errors),
		TEST(test_a_policy_that_nobody_knows_is_not_in_force),
		TEST(test_replicas_that_agree_say_what_one_says),
		TEST(test_the_worst_status_counts_and_says_of_how_many_it_is),
		TEST(test_it_is_not_in_force_where_a_replica_does_not_know_it),
		TEST(test_that_it_is_conflicted_is_the_worse),
		TEST(test_of_reasons_the_one_of_most_counts_then_the_first_by_name),
		TEST(test_a_replica_that_has_not_read_everything_does_not_count),
		TEST(test_what_is_no_status_of_a_nighd_is_refused),
		TEST(test_items_of_foreign_shapes_are_passed_over),
		TEST(test_a_replica_that_repeats_itself_has_one_voice),
		TEST(test_long_and_unprintable_words_are_cut_and_replaced),
		TEST(test_a_thousand_reasons_are_not_remembered),
	};

	return cmocka_run_group_tests_name("propagator/policy_tally", tests, NULL, NULL);
}
