/* Connections that break, members, terms and objects that end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/propagator_web.h"

/* --- connections that break --- */

static void test_a_write_whose_answer_is_lost_is_made_good(void **state)
{
	static const enum fakeapi_loss losses[] = {FAKEAPI_LOSS_BEFORE, FAKEAPI_LOSS_AFTER};
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	for (int i = 0; i < 2; i++) {
		char text[32];

		snprintf(text, sizeof(text), "\"replicas\":%d", i + 2);
		fakeapi_lose(web_gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, losses[i]);
		propagator_world_deployment(w, "web", i + 2, "");
		web_expect_copy(w, 0, text);
		web_expect_copy(w, 1, text);
	}
	web_expect_status(w, "\"status\":\"True\"");
}

static void test_a_dead_member_delays_no_other(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_freeze(web_gondor(w));
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 1, "\"replicas\":2");
	fakeapi_thaw(web_gondor(w));
	web_expect_copy(w, 0, "\"replicas\":2");
	web_expect_status(w, "\"status\":\"True\"");
}

static void test_a_new_token_is_used(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_set_token(web_gondor(w), "another");
	fakeapi_drop(web_gondor(w), FAKEAPI_CUT_CLOSE);
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 1, "\"replicas\":2");
	propagator_world_join(w, 0);
	web_expect_copy(w, 0, "\"replicas\":2");
}

/* --- the end --- */

static void test_what_was_placed_in_a_dead_cluster_is_waited_for(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_down(web_gondor(w));
	web_expect_status(w, "ClusterNotReady");
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'rohan'}]}");
	web_expect_copy(w, 1, "\"replicas\":2");
	propagator_world_turn(w, 1500);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_copy(w, 1, "!");
	web_expect_status(w, "{\"name\":\"gondor\",\"status\":\"ClusterNotReady\"");
	propagator_world_turn(w, 1500);
	web_expect_status(w, "");
	fakeapi_up(web_gondor(w));
	web_expect_copy(w, 0, "!");
	web_expect_status(w, "!");
}

/* The same, by one who was not there when it was placed there. */
static void test_what_the_last_leader_placed_in_a_dead_cluster_is_waited_for(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_down(web_gondor(w));
	web_expect_status(w, "ClusterNotReady");
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'rohan'}]}");
	web_expect_copy(w, 1, "\"replicas\":2");
	propagator_world_turn(w, 2500);
	propagator_world_end(w);
	propagator_world_begin(w);
	propagator_world_turn(w, 1000);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_copy(w, 1, "!");
	propagator_world_turn(w, 1500);
	web_expect_status(w, "gondor");
	fakeapi_up(web_gondor(w));
	web_expect_copy(w, 0, "!");
	web_expect_status(w, "!");
}

#define OPTIONS(text) "{'metadata':{'annotations':{'kubefed.io/deleteoption':'{" text "}'}}}"

/* Of what is only placed elsewhere now they say nothing. */
static void test_options_of_a_deletion_are_sent_when_the_object_itself_goes(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             OPTIONS("\\'gracePeriodSeconds\\':5,\\'propagationPolicy\\':\\'Orphan\\'"));
	propagator_world_calm(w);
	fakeapi_answer(web_rohan(w), "DELETE ", 1, 500, NULL);
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[{'name':'gondor'}]}");
	propagator_world_expect_requests(w, web_rohan(w), "DELETE ", 1);
	assert_null(strstr(fakeapi_last_body(web_rohan(w)), "gracePeriodSeconds"));
	web_expect_copy(w, 1, "!");
	propagator_world_calm(w);
	fakeapi_answer(web_gondor(w), "DELETE ", 1, 500, NULL);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	propagator_world_expect_requests(w, web_gondor(w), "DELETE ", 1);
	assert_non_null(strstr(fakeapi_last_body(web_gondor(w)),
	                       "\"gracePeriodSeconds\":5,\"propagationPolicy\":\"Orphan\""));
	web_expect_copy(w, 0, "!");
	web_expect_status(w, "!");
}

/* They may be to spare what a deletion without them takes along. */
static void test_nothing_is_deleted_by_options_that_are_wrong(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             OPTIONS("\\'propagationPolicy\\':\\'Orphn\\'"));
	propagator_world_calm(w);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_status(w, "\"DeletionFailed\"");
	web_expect_status(w, "kubefed.io/deleteoption: propagationPolicy is wrong");
	propagator_world_turn(w, 1500);
	assert_int_equal(fakeapi_requests(web_gondor(w), "DELETE "), 0);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             OPTIONS("\\'propagationPolicy\\':\\'Orphan\\'"));
	web_expect_copy(w, 0, "!");
	web_expect_copy(w, 1, "!");
	web_expect_status(w, "!");
}

static void test_what_is_orphaned_does_not_wait_for_a_dead_cluster(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_down(web_gondor(w));
	web_expect_status(w, "ClusterNotReady");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'kubefed.io/orphan':'true'}}}");
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_status(w, "!");
	web_expect_copy(w, 1, "!kubefed.io/managed\":\"true");
	fakeapi_up(web_gondor(w));
	web_expect_copy(w, 0, "!kubefed.io/managed\":\"true");
}

static void test_an_object_with_a_wrong_selector_can_be_deleted(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	propagator_world_deployment(w, "web", 1,
	                            "'placement':{'clusterSelector':{'matchExpressions':[{'key':'a'"
	                            ",'operator':'Is'}]}}");
	web_expect_status(w, "ComputePlacementFailed");
	web_expect_copy(w, 0, "");
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_copy(w, 0, "!");
	web_expect_copy(w, 1, "!");
	web_expect_status(w, "!");
}

static void test_an_object_that_is_made_anew_at_once_gets_a_status(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	/* Both at one moment, as for a watch that was away. */
	fakeapi_down(w->host);
	fakeapi_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	fakeapi_up(w->host);
	web_expect_status(w, "\"status\":\"True\"");
}

/* Somebody took its finalizer away, and made another one of that name before anybody looked. */
static void test_another_object_of_that_name_is_brought_too(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	fakeapi_put(w->host, WORLD_FEDERATED_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1,'finalizers':["
	            "'kubefed.io/sync-controller']},'spec':{" WORLD_EVERYWHERE
	            ",'template':{'spec':{'replicas':9}}}}");
	web_expect_copy(w, 0, "\"replicas\":9");
}

static void test_a_term_may_end_with_writes_under_way(void **state)
{
	struct propagator_world *w = *state;

	for (unsigned ms = 0; ms < 60; ms += 4) {
		propagator_world_end(w);
		propagator_world_begin(w);
		propagator_world_deployment(w, "web", (int)ms, WORLD_EVERYWHERE);
		propagator_world_turn(w, ms);
	}
	web_expect_copy(w, 0, "\"replicas\":56");
	web_expect_copy(w, 1, "\"replicas\":56");
}

static void test_a_member_may_leave_with_writes_under_way(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_stall(web_gondor(w), "WRITE ", 0);
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 1);
	fakeapi_delete(w->host, FAKEAPI_CLUSTERS, WORLD_FEDERATION "/gondor");
	web_expect_status(w, "!gondor");
	web_expect_copy(w, 1, "\"replicas\":2");
	fakeapi_no_rule(web_gondor(w), NULL);
	propagator_world_join(w, 0);
	web_expect_copy(w, 0, "\"replicas\":2");
}

static void test_after_its_term_nothing_is_written(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	w->held = false;
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 0);
	assert_int_equal(propagator_world_writes(w, w->host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, web_setup, web_teardown)
		T(test_a_write_whose_answer_is_lost_is_made_good),
		T(test_a_dead_member_delays_no_other),
		T(test_a_new_token_is_used),
		T(test_what_was_placed_in_a_dead_cluster_is_waited_for),
		T(test_options_of_a_deletion_are_sent_when_the_object_itself_goes),
		T(test_nothing_is_deleted_by_options_that_are_wrong),
		T(test_what_the_last_leader_placed_in_a_dead_cluster_is_waited_for),
		T(test_what_is_orphaned_does_not_wait_for_a_dead_cluster),
		T(test_an_object_with_a_wrong_selector_can_be_deleted),
		T(test_an_object_that_is_made_anew_at_once_gets_a_status),
		T(test_another_object_of_that_name_is_brought_too),
		T(test_a_term_may_end_with_writes_under_way),
		T(test_a_member_may_leave_with_writes_under_way),
		T(test_after_its_term_nothing_is_written),
	};

	return cmocka_run_group_tests_name("propagator/controller_ends", tests, NULL, NULL);
}
