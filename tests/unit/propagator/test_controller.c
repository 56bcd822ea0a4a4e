/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/propagator_world.h"

#define WEB "shop/web"

/* --- the world of each test: two members, a leader --- */

static int setup(void **state)
{
	struct propagator_world *w = propagator_world_new(2);

	*state = w;
	propagator_world_begin(w);
	return 0;
}

static int teardown(void **state)
{
	propagator_world_free(*state);
	return 0;
}

static struct fakeapi *gondor(struct propagator_world *w) { return w->members[0]; }
static struct fakeapi *rohan(struct propagator_world *w) { return w->members[1]; }

static void expect_copy(struct propagator_world *w, unsigned member, const char *text)
{
	propagator_world_expect(w, w->members[member], FAKEAPI_DEPLOYMENTS, WEB, text);
}

static void expect_status(struct propagator_world *w, const char *text)
{
	propagator_world_expect(w, w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB, text);
}

/* "web" with one replica is everywhere, and all is at rest. */
static void bring_web(struct propagator_world *w, const char *more)
{
	propagator_world_deployment(w, "web", 1, more);
	for (unsigned i = 0; i < w->count; i++)
		expect_copy(w, i, "kubefed.io/managed");
	expect_status(w, "observedGeneration");
	propagator_world_calm(w);
}

/* --- how much is written --- */

static void test_a_new_object_takes_one_look_and_one_write_in_a_member(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_expect(w, gondor(w), FAKEAPI_NAMESPACES, "shop", "");
	propagator_world_calm(w);
	fakeapi_hush_watches(gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_copy(w, 0, "kubefed.io/managed");
	expect_status(w, "\"status\":\"True\"");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, gondor(w)), 1);
	assert_int_equal(fakeapi_requests(gondor(w), "GET /apis/apps/v1/namespaces/shop"), 1);
}

static void test_a_changed_template_takes_one_write_in_a_member(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 3, "");
	expect_copy(w, 0, "\"replicas\":3");
	expect_copy(w, 1, "\"replicas\":3");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, gondor(w)), 1);
	assert_int_equal(propagator_world_writes(w, rohan(w)), 1);
}

static void test_a_deletion_is_sent_once(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[]}");
	expect_copy(w, 0, "!");
	propagator_world_turn(w, 2000);
	assert_int_equal(fakeapi_requests(gondor(w), "DELETE "), 1);
}

/* The member's watch is behind: what is there now is not what was seen. */
static void test_only_what_was_seen_is_deleted(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(gondor(w), FAKEAPI_DEPLOYMENTS);
	fakeapi_hush_watches(rohan(w), FAKEAPI_DEPLOYMENTS);
	fakeapi_delete(gondor(w), FAKEAPI_DEPLOYMENTS, WEB);
	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	fakeapi_edit(rohan(w), FAKEAPI_DEPLOYMENTS, WEB,
	             "{'metadata':{'labels':{'kubefed.io/managed':'false'}}}");
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[]}");
	propagator_world_expect_requests(w, gondor(w), "DELETE ", 1);
	propagator_world_expect_requests(w, rohan(w), "DELETE ", 1);
	propagator_world_turn(w, 2000);
	expect_copy(w, 0, "\"replicas\":7");
	expect_copy(w, 1, "\"false\"");
	assert_true(fakeapi_requests(gondor(w), "DELETE ") <= 5);
}

static void test_who_leads_next_writes_nothing(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	propagator_world_end(w);
	fakeapi_forget_requests(w->host);
	propagator_world_begin(w);
	propagator_world_turn(w, 4000);
	assert_int_equal(propagator_world_writes(w, w->host), 0);
	assert_int_equal(propagator_world_writes(w, gondor(w)), 0);
	assert_int_equal(propagator_world_writes(w, rohan(w)), 0);
}

/* A watch of the host that says nothing: what was written is not written again and again meanwhile. */
static void test_a_silent_host_is_not_written_to_without_end(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(w->host, WORLD_FEDERATED_DEPLOYMENTS);
	fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	expect_copy(w, 0, "\"replicas\":1");
	propagator_world_turn(w, 3000);
	assert_true(propagator_world_writes(w, w->host) <= 4);
}

/* --- refusals --- */

static void expect_few_writes(struct propagator_world *w, struct fakeapi *f, const char *text,
                              unsigned most)
{
	unsigned count;

	propagator_world_expect_requests(w, f, text, 1);
	propagator_world_turn(w, 3000);
	count = fakeapi_requests(f, text);
	if (count > most)
		fail_msg("'%s' %u times in 3 s", text, count);
}

static void test_conflicts_are_not_answered_with_a_storm(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_answer(gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 0, 409, NULL);
	fakeapi_answer(w->host, "WRITE " WORLD_VERSIONS, 0, 409, NULL);
	propagator_world_deployment(w, "web", 3, "");
	expect_few_writes(w, gondor(w), "PATCH /apis/apps", 6);
	expect_few_writes(w, w->host, "propagatedversions", 4);
	expect_copy(w, 1, "\"replicas\":3");
	fakeapi_no_rule(gondor(w), NULL);
	expect_copy(w, 0, "\"replicas\":3");
}

static void test_without_propagated_versions_there_still_is_a_status(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(w->host, "WRITE " WORLD_VERSIONS, 0, 404, NULL);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_status(w, "\"status\":\"True\"");
	expect_few_writes(w, w->host, "propagatedversions", 6);
}

static void test_a_finalizer_that_conflicts_is_no_storm(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(w->host, "WRITE " WORLD_FEDERATED_DEPLOYMENTS, 0, 409, NULL);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_few_writes(w, w->host, "PATCH /apis/types.kubefed.io", 4);
	fakeapi_no_rule(w->host, NULL);
	expect_copy(w, 0, "kubefed.io/managed");
}

static void test_a_template_that_cannot_replace_is_no_storm(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 0, 500, NULL);
	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{}}");
	propagator_world_deployment(
		w, "web", 1,
		WORLD_EVERYWHERE ",'overrides':[{'clusterName':'gondor','clusterOverrides':[{"
				 "'op':'add','path':'/metadata/annotations','value':{'a':'b'}}]}]");
	fakeapi_answer(gondor(w), "PUT " FAKEAPI_DEPLOYMENTS, 0, 500, NULL);
	expect_few_writes(w, gondor(w), "PUT ", 3);
}

static void test_a_failing_webhook_does_not_end_apply_for_ever(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_answer(gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 2, 500, NULL);
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 0, "\"replicas\":2");
	assert_int_equal(fakeapi_requests(gondor(w), "PUT "), 1);
	assert_int_equal(fakeapi_requests(gondor(w), "PATCH "), 2);
}

static void test_a_server_that_wants_to_be_left_alone_is(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_answer(gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, 429, "Retry-After: 2\n");
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_expect_requests(w, gondor(w), "PATCH ", 1);
	propagator_world_turn(w, 1200);
	assert_int_equal(fakeapi_requests(gondor(w), "PATCH "), 1);
	expect_copy(w, 1, "\"replicas\":2");
	expect_copy(w, 0, "\"replicas\":2");
}

static void test_a_changed_template_does_not_wait_for_the_pause_of_the_old_one(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_answer(gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, 403, NULL);
	propagator_world_deployment(w, "web", 2, "");
	expect_status(w, "UpdateFailed");
	propagator_world_deployment(w, "web", 3, "");
	propagator_world_expect_requests(w, gondor(w), "PATCH ", 2);
	expect_copy(w, 0, "\"replicas\":3");
}

/* What is answered then is not what is recorded as the new one. */
static void test_a_template_that_changes_during_a_write_is_written_after_it(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_delay(gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 1, 1000);
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_expect_requests(w, gondor(w), "PATCH ", 1);
	propagator_world_deployment(w, "web", 3, "");
	expect_copy(w, 0, "\"replicas\":3");
}

/* --- connections that break --- */

static void test_a_write_whose_answer_is_lost_is_made_good(void **state)
{
	static const enum fakeapi_loss losses[] = {FAKEAPI_LOSS_BEFORE, FAKEAPI_LOSS_AFTER};
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	for (int i = 0; i < 2; i++) {
		char text[32];

		snprintf(text, sizeof(text), "\"replicas\":%d", i + 2);
		fakeapi_lose(gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, losses[i]);
		propagator_world_deployment(w, "web", i + 2, "");
		expect_copy(w, 0, text);
		expect_copy(w, 1, text);
	}
	expect_status(w, "\"status\":\"True\"");
}

static void test_a_dead_member_delays_no_other(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_freeze(gondor(w));
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 1, "\"replicas\":2");
	fakeapi_thaw(gondor(w));
	expect_copy(w, 0, "\"replicas\":2");
	expect_status(w, "\"status\":\"True\"");
}

static void test_a_new_token_is_used(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_set_token(gondor(w), "another");
	fakeapi_drop(gondor(w), FAKEAPI_CUT_CLOSE);
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 1, "\"replicas\":2");
	propagator_world_join(w, 0);
	expect_copy(w, 0, "\"replicas\":2");
}

/* --- the end --- */

static void test_what_was_placed_in_a_dead_cluster_is_waited_for(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_down(gondor(w));
	expect_status(w, "ClusterNotReady");
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'rohan'}]}");
	expect_copy(w, 1, "\"replicas\":2");
	propagator_world_turn(w, 1500);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_copy(w, 1, "!");
	expect_status(w, "{\"name\":\"gondor\",\"status\":\"ClusterNotReady\"");
	propagator_world_turn(w, 1500);
	expect_status(w, "");
	fakeapi_up(gondor(w));
	expect_copy(w, 0, "!");
	expect_status(w, "!");
}

/* The same, by one who was not there when it was placed there. */
static void test_what_the_last_leader_placed_in_a_dead_cluster_is_waited_for(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_down(gondor(w));
	expect_status(w, "ClusterNotReady");
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'rohan'}]}");
	expect_copy(w, 1, "\"replicas\":2");
	propagator_world_turn(w, 2500);
	propagator_world_end(w);
	propagator_world_begin(w);
	propagator_world_turn(w, 1000);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_copy(w, 1, "!");
	propagator_world_turn(w, 1500);
	expect_status(w, "gondor");
	fakeapi_up(gondor(w));
	expect_copy(w, 0, "!");
	expect_status(w, "!");
}

static void test_what_is_orphaned_does_not_wait_for_a_dead_cluster(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_down(gondor(w));
	expect_status(w, "ClusterNotReady");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'kubefed.io/orphan':'true'}}}");
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_status(w, "!");
	expect_copy(w, 1, "!kubefed.io/managed\":\"true");
	fakeapi_up(gondor(w));
	expect_copy(w, 0, "!kubefed.io/managed\":\"true");
}

static void test_an_object_with_a_wrong_selector_can_be_deleted(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	propagator_world_deployment(w, "web", 1,
	                            "'placement':{'clusterSelector':{'matchExpressions':[{'key':'a'"
	                            ",'operator':'Is'}]}}");
	expect_status(w, "ComputePlacementFailed");
	expect_copy(w, 0, "");
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_copy(w, 0, "!");
	expect_copy(w, 1, "!");
	expect_status(w, "!");
}

static void test_an_object_that_is_made_anew_at_once_gets_a_status(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	/* Both at one moment, as for a watch that was away. */
	fakeapi_down(w->host);
	fakeapi_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	fakeapi_up(w->host);
	expect_status(w, "\"status\":\"True\"");
}

/* Somebody took its finalizer away, and made another one of that name before anybody looked. */
static void test_another_object_of_that_name_is_brought_too(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	fakeapi_put(w->host, WORLD_FEDERATED_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1,'finalizers':["
	            "'kubefed.io/sync-controller']},'spec':{" WORLD_EVERYWHERE
	            ",'template':{'spec':{'replicas':9}}}}");
	expect_copy(w, 0, "\"replicas\":9");
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
	expect_copy(w, 0, "\"replicas\":56");
	expect_copy(w, 1, "\"replicas\":56");
}

static void test_a_member_may_leave_with_writes_under_way(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_stall(gondor(w), "WRITE ", 0);
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_expect_requests(w, gondor(w), "PATCH ", 1);
	fakeapi_delete(w->host, FAKEAPI_CLUSTERS, WORLD_FEDERATION "/gondor");
	expect_status(w, "!gondor");
	expect_copy(w, 1, "\"replicas\":2");
	fakeapi_no_rule(gondor(w), NULL);
	propagator_world_join(w, 0);
	expect_copy(w, 0, "\"replicas\":2");
}

static void test_after_its_term_nothing_is_written(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	w->held = false;
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, gondor(w)), 0);
	assert_int_equal(propagator_world_writes(w, w->host), 0);
}

/* --- namespaces --- */

static void test_a_federated_namespace_of_another_name_touches_no_namespace(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_put(gondor(w), FAKEAPI_NAMESPACES,
	            "{'metadata':{'name':'other','labels':{'kubefed.io/managed':'true'}}}");
	fakeapi_put(w->host, WORLD_FEDERATED_NAMESPACES,
	            "{'metadata':{'name':'other','namespace':'shop','generation':1},'spec':{"
	            "'template':{},'placement':{'clusters':[]}}}");
	propagator_world_expect_requests(w, w->host, "POST /api/v1/namespaces/shop/events", 1);
	propagator_world_turn(w, 1500);
	assert_non_null(fakeapi_get(gondor(w), FAKEAPI_NAMESPACES, "other"));
	assert_null(fakeapi_get(rohan(w), FAKEAPI_NAMESPACES, "other"));
}

static void test_the_namespaces_of_every_cluster_are_left_alone(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_NAMESPACES,
	            "{'metadata':{'name':'default','labels':{'kubefed.io/managed':'true'}}}");
	propagator_world_namespace(w, "kube-public");
	propagator_world_namespace(w, WORLD_FEDERATION);
	bring_web(w, WORLD_EVERYWHERE);
	assert_null(fakeapi_get(gondor(w), FAKEAPI_NAMESPACES, "kube-public"));
	assert_null(fakeapi_get(gondor(w), FAKEAPI_NAMESPACES, WORLD_FEDERATION));
	propagator_world_expect(w, gondor(w), FAKEAPI_NAMESPACES, "default", "kubefed.io/managed");
}

/* gondor is the host, too: a namespace of the same uid. */
static void test_the_hosts_own_namespace_only_loses_its_label(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_put(w->host, FAKEAPI_NAMESPACES, "{'metadata':{'name':'inn','uid':'same'}}");
	fakeapi_put(gondor(w), FAKEAPI_NAMESPACES, "{'metadata':{'name':'inn','uid':'same'}}");
	fakeapi_put(w->host, WORLD_FEDERATED_NAMESPACES,
	            "{'metadata':{'name':'inn','namespace':'inn','generation':1},'spec':{"
	            "'template':{}," WORLD_EVERYWHERE "}}");
	propagator_world_expect(w, gondor(w), FAKEAPI_NAMESPACES, "inn", "kubefed.io/managed");
	propagator_world_expect(w, rohan(w), FAKEAPI_NAMESPACES, "inn", "kubefed.io/managed");
	propagator_world_end(w);
	fakeapi_edit(w->host, WORLD_FEDERATED_NAMESPACES, "inn/inn",
	             "{'spec':{'placement':{'clusters':[]}}}");
	fakeapi_delay(w->host, FAKEAPI_NAMESPACES, 1, 1500);
	propagator_world_begin(w);
	propagator_world_expect(w, rohan(w), FAKEAPI_NAMESPACES, "inn", "!");
	propagator_world_expect(w, gondor(w), FAKEAPI_NAMESPACES, "inn",
	                        "!\"kubefed.io/managed\":\"true\"");
}

static void test_a_disabled_type_namespaces_still_says_where_they_are(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/namespaces",
	             "{'spec':{'propagation':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/namespaces",
	                        "\"propagationController\":\"NotRunning\"");
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 0, "\"replicas\":2");
	fakeapi_edit(w->host, WORLD_FEDERATED_NAMESPACES, "shop/shop",
	             "{'spec':{'placement':{'clusters':[{'name':'rohan'}]}}}");
	expect_copy(w, 0, "!");
	expect_copy(w, 1, "\"replicas\":2");
}

/* Its CRD is gone: that says nothing of where namespaces are to be. */
static void test_without_the_kind_of_federated_namespaces_nothing_is_taken_away(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	propagator_world_end(w);
	fakeapi_unregister(w->host, WORLD_FEDERATED_NAMESPACES);
	propagator_world_begin(w);
	propagator_world_turn(w, 2500);
	expect_copy(w, 0, "kubefed.io/managed");
	assert_int_equal(propagator_world_writes(w, gondor(w)), 0);
	fakeapi_register(w->host, WORLD_FEDERATED_NAMESPACES, "FederatedNamespace", true);
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 0, "\"replicas\":2");
}

static void test_an_object_of_a_namespace_that_is_not_federated_says_so(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_delay(w->host, WORLD_FEDERATED_NAMESPACES, 1, 1000);
	fakeapi_delete(w->host, WORLD_FEDERATED_NAMESPACES, "shop/shop");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_status(w, "NamespaceNotFederated");
}

/* --- types --- */

static void test_a_type_that_is_disabled_does_not_run_for_a_moment(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'propagation':'Disabled'}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	                        "\"propagationController\":\"NotRunning\"");
	propagator_world_turn(w, 1500);
	assert_int_equal(fakeapi_requests(w->host, "federateddeployments"), 0);
}

static void test_a_type_is_let_go_with_kubefeds_finalizer(void **state)
{
	struct propagator_world *w = *state;
	const char *name = WORLD_FEDERATION "/configmaps";

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_edit(
		w->host, WORLD_TYPES, name,
		"{'metadata':{'finalizers':['core.kubefed.io/federated-type-config','mine']}}");
	fakeapi_ask_to_delete(w->host, WORLD_TYPES, name);
	propagator_world_expect(w, w->host, WORLD_TYPES, name, "!federated-type-config");
	propagator_world_expect(w, w->host, WORLD_TYPES, name, "mine");
}

static void test_a_member_without_the_kind_stops_no_other(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_unregister(gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_copy(w, 1, "kubefed.io/managed");
	expect_status(w, "CachedRetrievalFailed");
	fakeapi_register(gondor(w), FAKEAPI_DEPLOYMENTS, "Deployment", true);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_copy(w, 1, "!");
	expect_status(w, "!");
}

/* --- what is another's --- */

static void test_what_is_adopted_keeps_its_replicas_if_they_are_retained(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':{"
	            "'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE ",'retainReplicas':true");
	expect_copy(w, 0, "kubefed.io/managed");
	expect_copy(w, 0, "\"replicas\":7");
	expect_copy(w, 1, "\"replicas\":1");
	propagator_world_turn(w, 1000);
	expect_copy(w, 0, "\"replicas\":7");
}

/* Who may write one object must not be able to end what brings all. */
static void test_a_template_of_another_shape_ends_nothing(void **state)
{
	static const char *const specs[] = {"null", "'text'", "[]"};
	struct propagator_world *w = *state;

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE ",'retainReplicas':true");
		expect_copy(w, 0, "kubefed.io/managed");
		propagator_world_calm(w);
		fakeapi_put(w->host, WORLD_FEDERATED_DEPLOYMENTS,
		            "{'metadata':{'name':'web','namespace':'shop','generation':%zu,"
		            "'finalizers':['kubefed.io/sync-controller']},'spec':{" WORLD_EVERYWHERE
		            ",'retainReplicas':true,'template':{'spec':%s}}}",
		            100 * (i + 1), specs[i]);
		propagator_world_expect_requests(w, gondor(w), "PATCH ", 1);
		propagator_world_turn(w, 500);
	}
}

static void test_what_exists_is_adopted_only_if_that_is_wanted(void **state)
{
	struct propagator_world *w = *state;

	w->settings.adopt_resources = false;
	work_on_settings(w->work);
	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_status(w, "AlreadyExists");
	expect_copy(w, 0, "!kubefed.io/managed");
	w->settings.adopt_resources = true;
	work_on_settings(w->work);
	expect_copy(w, 0, "kubefed.io/managed");
	expect_status(w, "\"status\":\"True\"");
}

static void add_failing(const struct types_note *note, void *arg)
{
	*(size_t *)arg += note->counts.failing;
}

static size_t failing(const struct propagator_world *w)
{
	size_t sum = 0;

	types_each(work_types(w->work), add_failing, &sum);
	return sum;
}

static void test_what_says_managed_false_is_left_alone(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','labels':{'kubefed.io/managed':"
	            "'false'}},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_status(w, "ManagedLabelFalse");
	expect_copy(w, 0, "\"replicas\":7");
	assert_int_equal(failing(w), 1);
}

static void test_a_drift_is_reported_where_it_is_to_be_reported(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'nigh.dev/drift-policy':'report'}}}");
	propagator_world_calm(w);
	fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	expect_status(w, "{\"name\":\"gondor\",\"status\":\"Drifted\"");
	propagator_world_turn(w, 1500);
	expect_copy(w, 0, "\"replicas\":5");
	/* Another template is for all. */
	propagator_world_deployment(w, "web", 2, "");
	expect_copy(w, 0, "\"replicas\":2");
	expect_status(w, "!Drifted");
	fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	expect_status(w, "Drifted");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'nigh.dev/drift-policy':'repair'}}}");
	expect_copy(w, 0, "\"replicas\":2");
}

static void test_what_another_changes_all_the_time_is_not_fought_over(void **state)
{
	struct propagator_world *w = *state;
	unsigned repairs;

	bring_web(w, WORLD_EVERYWHERE);
	for (int i = 0; i < 40; i++) {
		fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':%d}}",
		             i + 5);
		propagator_world_turn(w, 100);
	}
	repairs = fakeapi_requests(gondor(w), "PATCH /apis/apps");
	if (repairs < 2 || repairs > 5)
		fail_msg("%u repairs in four seconds", repairs);
	expect_status(w, "Drifted");
	expect_copy(w, 0, "\"replicas\":1");
	expect_status(w, "!Drifted");
}

static void test_what_of_a_template_nobody_gets_is_told(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_copy(w, 0, "kubefed.io/managed");
	propagator_world_calm(w);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'spec':{'template':{'metadata':{'annotations':{'a':'b'}}}}}");
	propagator_world_expect_requests(w, w->host, "POST /api/v1/namespaces/shop/events", 1);
	expect_copy(w, 0, "!annotations");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_a_template_of_another_shape_ends_nothing),
		T(test_another_object_of_that_name_is_brought_too),
		T(test_a_new_object_takes_one_look_and_one_write_in_a_member),
		T(test_a_changed_template_takes_one_write_in_a_member),
		T(test_a_deletion_is_sent_once),
		T(test_only_what_was_seen_is_deleted),
		T(test_who_leads_next_writes_nothing),
		T(test_a_silent_host_is_not_written_to_without_end),
		T(test_conflicts_are_not_answered_with_a_storm),
		T(test_without_propagated_versions_there_still_is_a_status),
		T(test_a_finalizer_that_conflicts_is_no_storm),
		T(test_a_template_that_cannot_replace_is_no_storm),
		T(test_a_failing_webhook_does_not_end_apply_for_ever),
		T(test_a_server_that_wants_to_be_left_alone_is),
		T(test_a_changed_template_does_not_wait_for_the_pause_of_the_old_one),
		T(test_a_template_that_changes_during_a_write_is_written_after_it),
		T(test_a_write_whose_answer_is_lost_is_made_good),
		T(test_a_dead_member_delays_no_other),
		T(test_a_new_token_is_used),
		T(test_what_was_placed_in_a_dead_cluster_is_waited_for),
		T(test_what_the_last_leader_placed_in_a_dead_cluster_is_waited_for),
		T(test_what_is_orphaned_does_not_wait_for_a_dead_cluster),
		T(test_an_object_with_a_wrong_selector_can_be_deleted),
		T(test_an_object_that_is_made_anew_at_once_gets_a_status),
		T(test_a_term_may_end_with_writes_under_way),
		T(test_a_member_may_leave_with_writes_under_way),
		T(test_after_its_term_nothing_is_written),
		T(test_a_federated_namespace_of_another_name_touches_no_namespace),
		T(test_the_namespaces_of_every_cluster_are_left_alone),
		T(test_the_hosts_own_namespace_only_loses_its_label),
		T(test_a_disabled_type_namespaces_still_says_where_they_are),
		T(test_without_the_kind_of_federated_namespaces_nothing_is_taken_away),
		T(test_an_object_of_a_namespace_that_is_not_federated_says_so),
		T(test_a_type_that_is_disabled_does_not_run_for_a_moment),
		T(test_a_type_is_let_go_with_kubefeds_finalizer),
		T(test_a_member_without_the_kind_stops_no_other),
		T(test_what_is_adopted_keeps_its_replicas_if_they_are_retained),
		T(test_what_exists_is_adopted_only_if_that_is_wanted),
		T(test_what_says_managed_false_is_left_alone),
		T(test_a_drift_is_reported_where_it_is_to_be_reported),
		T(test_what_another_changes_all_the_time_is_not_fought_over),
		T(test_what_of_a_template_nobody_gets_is_told),
	};

	return cmocka_run_group_tests_name("propagator/controller", tests, NULL, NULL);
}
