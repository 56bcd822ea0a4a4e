/* scheduler: a leader at work between scripted API servers, and what it asks and writes because of a preference. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/support/propagator_desk.h"

#define WRITES "PATCH /apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web?"
#define WEB    "/apis/apps/v1/namespaces/shop/deployments/web"
#define EVENTS "/api/v1/namespaces/shop/events"
#define TYPES  "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/federatedtypeconfigs"
#define PODS   "/api/v1/namespaces/shop/pods"

static void prefer(struct desk *d, const char *spec)
{
	fakeapi_put(d->host->f, DESK_PREFERENCES,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'targetKind':"
	            "'FederatedDeployment',%s}}",
	            spec);
}

/* As a Deployment's controller says it, in that order: what is ready is not looked for among the pods. */
static void report(struct fakeapi *member, int ready)
{
	fakeapi_edit(member, FAKEAPI_DEPLOYMENTS, "shop/web", "{'status':{'readyReplicas':%d}}",
	             ready);
}

static void expect_replicas(struct desk *d, int gondor, int rohan)
{
	char text[2][40];

	snprintf(text[0], sizeof(text[0]), "\"replicas\":%d,", gondor);
	snprintf(text[1], sizeof(text[1]), "\"replicas\":%d,", rohan);
	for (size_t i = 0; i < DESK_MEMBERS; i++)
		desk_expect(d, d->members[i], FAKEAPI_DEPLOYMENTS, "shop/web", text[i]);
}

/* Six and three of them, all ready. */
static void bring_nine(struct desk *d)
{
	desk_deployment(d, 1);
	prefer(d, "'totalReplicas':9,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	expect_replicas(d, 6, 3);
	report(d->members[0], 6);
	report(d->members[1], 3);
	desk_turn(d, 1000);
}

static void test_a_plan_is_written_once(void **state)
{
	struct desk *d = *state;
	unsigned before;

	bring_nine(d);
	before = fakeapi_requests(d->host->f, WRITES);
	desk_turn(d, 1000);
	assert_int_equal(fakeapi_requests(d->host->f, WRITES), before);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).writes, 1);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).preferences, 1);
}

/* As `kubectl apply` does it with a manifest that has a placement and overrides of its own. */
static void test_a_manifest_applied_over_a_plan_moves_nothing(void **state)
{
	struct desk *d = *state;
	unsigned before;

	bring_nine(d);
	before = fakeapi_requests(d->members[0], "PATCH " WEB);
	fakeapi_edit(d->host->f, DESK_FEDERATED, "shop/web",
	             "{'spec':{'placement':{'clusters':[{'name':'gondor'}]},'overrides':[]}}");
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"name\":\"rohan\"");
	desk_turn(d, 1000);
	expect_replicas(d, 6, 3);
	assert_int_equal(fakeapi_requests(d->members[0], "PATCH " WEB), before);
	assert_int_equal(fakeapi_requests(d->members[1], "DELETE " WEB), 0);
}

static void test_one_that_another_was_quicker_than_is_made_anew(void **state)
{
	struct desk *d = *state;

	desk_deployment(d, 1);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"type\":\"Propagation\"");
	fakeapi_answer(d->host->f, "PATCH " DESK_FEDERATED "/shop/web", 1, 409, NULL);
	prefer(d, "'totalReplicas':4,'clusters':{'gondor':{'weight':1,'maxReplicas':1},'*':{"
	          "'weight':1}}");
	expect_replicas(d, 1, 3);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).writes, 2);
}

static void test_a_burst_of_changes_is_planned_together(void **state)
{
	struct desk *d = *state;
	uint64_t before;

	desk_deployment(d, 1);
	prefer(d, "'totalReplicas':9,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	expect_replicas(d, 6, 3);
	desk_turn(d, 1000);
	before = scheduler_counts(work_scheduler(d->work)).writes;
	for (int i = 0; i < 20; i++) {
		char spec[120];

		snprintf(spec, sizeof(spec),
		         "'totalReplicas':%d,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}"
		         "}",
		         10 + i);
		prefer(d, spec);
	}
	prefer(d, "'totalReplicas':12,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	expect_replicas(d, 8, 4);
	/* A slow machine may cut the burst in two. */
	assert_true(scheduler_counts(work_scheduler(d->work)).writes - before <= 3);
}

static void test_pods_are_listed_only_where_not_all_are_ready(void **state)
{
	struct desk *d = *state;
	unsigned before;

	desk_deployment(d, 2);
	report(d->members[0], 2);
	report(d->members[1], 2);
	desk_turn(d, 500);
	prefer(d, "'totalReplicas':4");
	desk_turn(d, 1500);
	assert_int_equal(fakeapi_requests(d->members[0], PODS), 0);
	before = fakeapi_requests(d->members[0], PODS);
	report(d->members[0], 1);
	desk_expect_requests(d, d->members[0], PODS "?labelSelector=app=web", before + 1);
	desk_turn(d, 3000);
	/* Once for that state, however often it is planned. */
	assert_int_equal(fakeapi_requests(d->members[0], PODS), before + 1);
	assert_int_equal(fakeapi_requests(d->members[1], PODS), 0);
}

static void test_a_member_that_does_not_answer_holds_no_plan_up_for_long(void **state)
{
	struct desk *d = *state;
	uint64_t since_ms = clock_monotonic_ms();

	fakeapi_stall(d->members[1], PODS, 0);
	desk_deployment(d, 1);
	prefer(d, "'totalReplicas':9,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	expect_replicas(d, 6, 3);
	assert_true(fakeapi_requests(d->members[1], PODS) > 0);
	assert_true(clock_monotonic_ms() - since_ms < 14000); /* not the deadline of the list */
}

/* More writes than gondor takes at once are under way, and all of them last. */
static void keep_gondor_busy(struct desk *d)
{
	enum { MANY = 40, AT_ONCE = 32 };

	fakeapi_stall(d->members[0], "PATCH " FAKEAPI_DEPLOYMENTS "/shop/busy", 0);
	for (int i = 0; i < MANY; i++)
		fakeapi_put(
			d->host->f, DESK_FEDERATED,
			"{'metadata':{'name':'busy-%d','namespace':'shop'},'spec':{'template':"
			"{'spec':{'replicas':1}},'placement':{'clusters':[{'name':'gondor'}]}}}",
			i);
	desk_expect_requests(d, d->members[0],
	                     "PATCH /apis/apps/v1/namespaces/shop/deployments/busy", AT_ONCE);
}

/* Nor for the deadline of a write, 30 s. */
static void test_a_plan_waits_for_no_other_write(void **state)
{
	struct desk *d = *state;
	uint64_t since_ms;
	unsigned before;

	bring_nine(d);
	keep_gondor_busy(d);
	before = fakeapi_requests(d->members[0], PODS);
	since_ms = clock_monotonic_ms();
	report(d->members[0], 5);
	desk_expect_requests(d, d->members[0], PODS, before + 1);
	assert_true(clock_monotonic_ms() - since_ms < 14000);
}

static void test_without_its_gate_nothing_is_planned(void **state)
{
	struct desk *d = *state;

	d->settings.scheduler_preferences = false;
	work_on_settings(d->work);
	desk_deployment(d, 1);
	prefer(d, "'totalReplicas':9,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	desk_turn(d, 1500);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).plans, 0);
	d->settings.scheduler_preferences = true;
	work_on_settings(d->work);
	expect_replicas(d, 6, 3);
}

struct said {
	const char *text;
	bool is_said;
};

static void look_for(const struct scheduler_note *note, void *arg)
{
	struct said *said = arg;

	if (strcmp(note->key, "shop/web") == 0 && strstr(note->message, said->text))
		said->is_said = true;
}

static void expect_said(struct desk *d, const char *text)
{
	struct said said = {text, false};
	uint64_t end_ms = clock_monotonic_ms() + DESK_SOON_MS;

	while (!said.is_said) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it does not say '%s'", text);
		desk_turn(d, 5);
		scheduler_each(work_scheduler(d->work), look_for, &said);
	}
}

static void expect_nothing_said(struct desk *d)
{
	struct said said = {"", true};
	uint64_t end_ms = clock_monotonic_ms() + DESK_SOON_MS;

	while (said.is_said) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it still has something to say");
		desk_turn(d, 5);
		said.is_said = false;
		scheduler_each(work_scheduler(d->work), look_for, &said);
	}
}

static void test_what_is_wrong_is_said_until_it_is_right(void **state)
{
	struct desk *d = *state;

	prefer(d, "'totalReplicas':-1");
	expect_said(d, "spec.totalReplicas");
	prefer(d, "'totalReplicas':2");
	expect_said(d, "there is no FederatedDeployment of that name");
	desk_deployment(d, 1);
	expect_nothing_said(d);
	prefer(d, "'totalReplicas':2,'clusters':{'*':{'weight':1,'maxReplicas':0}}");
	expect_said(d, "2 of 2 replicas have no cluster");
	fakeapi_delete(d->host->f, DESK_PREFERENCES, "shop/web");
	expect_nothing_said(d);
}

/* The next leader sees all of it for the first time. */
static void expect_quiet_change(struct desk *d)
{
	unsigned events = fakeapi_requests(d->host->f, "POST " EVENTS);

	desk_change_leader(d);
	desk_turn(d, 5000);
	assert_true(scheduler_counts(work_scheduler(d->work)).plans > 0);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).writes, 0);
	assert_int_equal(fakeapi_requests(d->host->f, "POST " EVENTS), events);
	expect_nothing_said(d);
}

/* --- more than is asked for --- */

#define OVER "\"type\":\"OverTotalReplicas\""
#define STATUSES                                                                                   \
	"PATCH /apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web/status"

/* Rohan's three stay there while gondor runs them, too. */
static void exceed(struct desk *d)
{
	d->settings.health_period_ms = 1000;
	d->settings.health_failure_threshold = 1;
	d->settings.available_delay_ms = d->settings.unavailable_delay_ms = 500;
	work_on_settings(d->work);
	bring_nine(d);
	fakeapi_answer(d->members[1], "/healthz", 0, 500, NULL);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", OVER);
}

static void test_a_total_that_is_exceeded_stands_in_the_status_until_it_is_not(void **state)
{
	struct desk *d = *state;
	unsigned before;

	exceed(d);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web",
	            "\"message\":\"12 replicas where totalReplicas is 9: 3 in clusters that are "
	            "not ready\"");
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"reason\":\"ClustersNotReady\"");
	report(d->members[0], 9);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "ClusterNotReady");
	desk_turn(d, 4000);
	before = fakeapi_requests(d->host->f, STATUSES);
	desk_turn(d, 4000);
	assert_int_equal(fakeapi_requests(d->host->f, STATUSES), before);
	fakeapi_no_rule(d->members[1], "/healthz");
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "!" OVER);
}

static void test_it_is_gone_with_its_preference(void **state)
{
	struct desk *d = *state;

	exceed(d);
	fakeapi_delete(d->host->f, DESK_PREFERENCES, "shop/web");
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "!" OVER);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"type\":\"Propagation\"");
}

static void test_it_is_gone_with_the_gate(void **state)
{
	struct desk *d = *state;

	exceed(d);
	d->settings.scheduler_preferences = false;
	work_on_settings(d->work);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "!" OVER);
}

static void test_while_no_cluster_is_ready_it_stands_as_it_did(void **state)
{
	struct desk *d = *state;

	exceed(d);
	fakeapi_answer(d->members[0], "/healthz", 0, 500, NULL);
	expect_said(d, "no cluster is ready");
	desk_turn(d, 4000);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "12 replicas where");
}

/* Who has not planned yet does not take it away, and who has finds it as it should be. */
static void test_a_new_leader_finds_it_said(void **state)
{
	struct desk *d = *state;
	unsigned before;

	exceed(d);
	report(d->members[0], 9);
	desk_turn(d, 4000);
	before = fakeapi_requests(d->host->f, STATUSES);
	desk_change_leader(d);
	expect_said(d, "3 replicas stay beside them");
	desk_turn(d, 4000);
	assert_int_equal(fakeapi_requests(d->host->f, STATUSES), before);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", OVER);
}

/* It hears of the object long before it hears that there is no preference any more. */
static void test_a_new_leader_takes_away_what_a_preference_that_is_gone_has_said(void **state)
{
	struct desk *d = *state;

	exceed(d);
	report(d->members[0], 9);
	desk_turn(d, 4000);
	desk_end(d);
	fakeapi_delete(d->host->f, DESK_PREFERENCES, "shop/web");
	fakeapi_delay(d->host->f, DESK_PREFERENCES, 1, 12000);
	desk_begin(d);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "!" OVER);
}

static void spread_where_it_is_selected(struct desk *d)
{
	desk_deployment(d, 1);
	prefer(d, "'totalReplicas':6,'intersectWithClusterSelector':true,'clusters':{'gondor':{"
	          "'weight':2},'rohan':{'weight':1}}");
	expect_replicas(d, 4, 2);
	report(d->members[0], 4);
	report(d->members[1], 2);
	desk_turn(d, 1000);
}

static void test_a_new_leader_moves_nothing_for_a_cluster_that_has_not_answered_yet(void **state)
{
	struct desk *d = *state;

	spread_where_it_is_selected(d);
	fakeapi_delay(d->members[1], "/healthz", 1, 2500);
	expect_quiet_change(d);
}

static void test_a_new_leader_says_nothing_before_it_has_seen_all(void **state)
{
	struct desk *d = *state;

	spread_where_it_is_selected(d);
	fakeapi_delay(d->host->f, TYPES, 1, 700);
	fakeapi_delay(d->host->f, "/apis/types.kubefed.io/v1beta1/federatednamespaces", 1, 2000);
	expect_quiet_change(d);
}

static unsigned member_writes(struct desk *d)
{
	unsigned count = 0;

	for (size_t i = 0; i < DESK_MEMBERS; i++)
		count += fakeapi_requests(d->members[i], "PATCH " WEB) +
		         fakeapi_requests(d->members[i], "DELETE " WEB);
	return count;
}

/* What it is to be planned by is told last. */
static void test_a_new_leader_places_nothing_before_it_has_seen_the_preferences(void **state)
{
	struct desk *d = *state;

	desk_end(d);
	fakeapi_put(d->host->f, DESK_FEDERATED,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':{"
	            "'placement':{'clusterSelector':{}},'template':{'spec':{'replicas':1,"
	            "'paused':false}}}}");
	prefer(d, "'totalReplicas':9,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	fakeapi_delay(d->host->f, DESK_PREFERENCES, 1, 1500);
	desk_begin(d);
	expect_replicas(d, 6, 3);
	assert_int_equal(member_writes(d), 2);
}

/* As `kubectl apply` does it while nobody leads. */
static void test_a_manifest_applied_between_two_leaders_moves_nothing(void **state)
{
	struct desk *d = *state;
	unsigned before;

	bring_nine(d);
	before = member_writes(d);
	desk_end(d);
	fakeapi_edit(d->host->f, DESK_FEDERATED, "shop/web",
	             "{'spec':{'placement':{'clusters':[{'name':'gondor'}]},'overrides':[]}}");
	desk_begin(d);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"name\":\"rohan\"");
	desk_turn(d, 1000);
	expect_replicas(d, 6, 3);
	assert_int_equal(member_writes(d), before);
}

/* So many pods, the last of which have found no node for an hour. */
static void give_pods(struct fakeapi *member, unsigned ready, unsigned unschedulable)
{
	struct text list = {0};

	text_add(&list, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[");
	for (unsigned i = 0; i < ready + unschedulable; i++)
		text_printf(&list, "%s{\"metadata\":{\"name\":\"web-%u\"},\"status\":%s}",
		            i > 0 ? "," : "", i,
		            i < ready ? "{\"phase\":\"Running\",\"conditions\":[{\"type\":"
		                        "\"Ready\",\"status\":\"True\"}]}"
		                      : "{\"phase\":\"Pending\",\"conditions\":[{\"type\":"
		                        "\"PodScheduled\",\"status\":\"False\",\"reason\":"
		                        "\"Unschedulable\",\"lastTransitionTime\":"
		                        "\"2020-01-01T00:00:00Z\"}]}");
	text_add(&list, "]}");
	fakeapi_no_rule(member, PODS);
	fakeapi_answer_bytes(member, PODS, 0, 200, "application/json", list.data, list.len);
	text_fini(&list);
}

/* Three of gondor's six find no node; they are asked for in rohan, and have not begun there when the leader dies. */
static void test_the_next_leader_does_not_fetch_back_what_was_moved(void **state)
{
	struct desk *d = *state;

	bring_nine(d);
	give_pods(d->members[0], 3, 3);
	give_pods(d->members[1], 3, 0);
	report(d->members[0], 3);
	expect_replicas(d, 3, 6);
	desk_turn(d, 1000);
	desk_change_leader(d);
	desk_turn(d, 4000);
	assert_true(scheduler_counts(work_scheduler(d->work)).plans > 0);
	assert_int_equal(scheduler_counts(work_scheduler(d->work)).writes, 0);
	expect_replicas(d, 3, 6);
}

static void expect_writes(struct desk *d, uint64_t count)
{
	uint64_t end_ms = clock_monotonic_ms() + DESK_SOON_MS;

	while (scheduler_counts(work_scheduler(d->work)).writes < count) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("no plan is written");
		desk_turn(d, 5);
	}
}

/* That it is full is looked at again in minutes, which is no plan that is about to come. */
static void test_a_plan_is_followed_at_once_where_a_cluster_is_full(void **state)
{
	struct desk *d = *state;
	uint64_t since_ms;

	bring_nine(d);
	give_pods(d->members[0], 3, 3);
	give_pods(d->members[1], 3, 0);
	report(d->members[0], 3);
	expect_replicas(d, 3, 6);
	report(d->members[1], 6);
	desk_turn(d, 1000);
	prefer(d, "'totalReplicas':10,'clusters':{'gondor':{'weight':2},'rohan':{'weight':1}}");
	expect_writes(d, 3);
	since_ms = clock_monotonic_ms();
	expect_replicas(d, 3, 7);
	assert_true(clock_monotonic_ms() - since_ms < 4000);
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(test_a_plan_is_written_once),
		DESK_TEST(test_a_manifest_applied_over_a_plan_moves_nothing),
		DESK_TEST(test_one_that_another_was_quicker_than_is_made_anew),
		DESK_TEST(test_a_burst_of_changes_is_planned_together),
		DESK_TEST(test_pods_are_listed_only_where_not_all_are_ready),
		DESK_TEST(test_a_member_that_does_not_answer_holds_no_plan_up_for_long),
		DESK_TEST(test_a_plan_waits_for_no_other_write),
		DESK_TEST(test_without_its_gate_nothing_is_planned),
		DESK_TEST(test_what_is_wrong_is_said_until_it_is_right),
		DESK_TEST(test_a_total_that_is_exceeded_stands_in_the_status_until_it_is_not),
		DESK_TEST(test_it_is_gone_with_its_preference),
		DESK_TEST(test_it_is_gone_with_the_gate),
		DESK_TEST(test_while_no_cluster_is_ready_it_stands_as_it_did),
		DESK_TEST(test_a_new_leader_finds_it_said),
		DESK_TEST(test_a_new_leader_takes_away_what_a_preference_that_is_gone_has_said),
		DESK_TEST(test_a_new_leader_moves_nothing_for_a_cluster_that_has_not_answered_yet),
		DESK_TEST(test_a_new_leader_says_nothing_before_it_has_seen_all),
		DESK_TEST(test_a_new_leader_places_nothing_before_it_has_seen_the_preferences),
		DESK_TEST(test_a_manifest_applied_between_two_leaders_moves_nothing),
		DESK_TEST(test_the_next_leader_does_not_fetch_back_what_was_moved),
		DESK_TEST(test_a_plan_is_followed_at_once_where_a_cluster_is_full),
	};

	return cmocka_run_group_tests_name("propagator/scheduler", tests, kube_server_setup_group,
	                                   NULL);
}
