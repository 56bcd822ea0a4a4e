/* object_health: a leader at work between scripted API servers, and what it asks and writes because of copies that fare well
 * or not. */
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

#define STATUSES                                                                                   \
	"PATCH /apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web/status"
#define PODS "/api/v1/namespaces/shop/pods?labelSelector=app=web"

/* As a Deployment's controller says it. */
static void report(struct fakeapi *member, int replicas, int ready)
{
	fakeapi_edit(member, FAKEAPI_DEPLOYMENTS, "shop/web",
	             "{'status':{'replicas':%d,'updatedReplicas':%d,'readyReplicas':%d,"
	             "'availableReplicas':%d,'conditions':[{'type':'Progressing','status':'True',"
	             "'reason':'NewReplicaSetAvailable'},{'type':'Available','status':'True'}]}}",
	             replicas, replicas, ready, ready);
}

static void test_many_changes_of_health_are_few_statuses(void **state)
{
	struct desk *d = *state;
	uint64_t since_ms;
	unsigned before, seconds;

	desk_deployment(d, 30);
	report(d->members[0], 30, 30);
	report(d->members[1], 30, 0);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "Available: 0/30");
	desk_turn(d, 2500);
	before = fakeapi_requests(d->host->f, STATUSES);
	since_ms = clock_monotonic_ms();
	for (int ready = 1; ready <= 30; ready++) {
		report(d->members[1], 30, ready);
		desk_turn(d, 100);
	}
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "is Current in all 2 clusters");
	seconds = (unsigned)((clock_monotonic_ms() - since_ms) / 1000);
	assert_true(fakeapi_requests(d->host->f, STATUSES) - before <= 2 + seconds / 2);
	before = fakeapi_requests(d->host->f, STATUSES);
	desk_turn(d, 2500);
	assert_int_equal(fakeapi_requests(d->host->f, STATUSES), before);
}

static void test_pods_are_asked_once_it_has_lasted_and_not_again_soon(void **state)
{
	struct desk *d = *state;

	desk_deployment(d, 2);
	report(d->members[0], 2, 2);
	report(d->members[1], 2, 1);
	fakeapi_put(d->members[1], "/api/v1/pods",
	            "{'metadata':{'name':'web-1','namespace':'shop','labels':{'app':'web'}},"
	            "'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':"
	            "'False','reason':'Unschedulable','message':'0/3 nodes are available'}]}}");
	desk_turn(d, 5000);
	assert_int_equal(fakeapi_requests(d->members[1], PODS), 0);
	desk_expect(
		d, d->host->f, DESK_FEDERATED, "shop/web",
		"\"reason\":\"NoNodeFits\",\"message\":\"1 of 1 pods: 0/3 nodes are available\"");
	for (int i = 0; i < 10; i++) {
		report(d->members[1], 2, i % 2);
		desk_turn(d, 200);
	}
	assert_int_equal(fakeapi_requests(d->members[1], PODS), 1);
	assert_int_equal(fakeapi_requests(d->members[0], PODS), 0);
	report(d->members[1], 2, 2);
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "!NoNodeFits");
}

/* --- what has no pods --- */

#define STATEFUL_SETS  "/apis/apps/v1/statefulsets"
#define FEDERATED_SETS "/apis/types.kubefed.io/v1beta1/federatedstatefulsets"
#define ITS_EVENTS                                                                                 \
	"/api/v1/namespaces/shop/events?fieldSelector=involvedObject.uid=u-db,reason=FailedCreate"
#define QUOTA "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"

/* The FederatedStatefulSet shop/db, in rohan alone, with one pod of three. */
static void bring_db(struct desk *d)
{
	struct fakeapi *rohan = d->members[1];

	fakeapi_register(d->host->f, FEDERATED_SETS, "FederatedStatefulSet", true);
	for (size_t i = 0; i < DESK_MEMBERS; i++)
		fakeapi_register(d->members[i], STATEFUL_SETS, "StatefulSet", true);
	fakeapi_put(d->host->f, DESK_TYPES,
	            "{'metadata':{'name':'statefulsets.apps','namespace':'kube-federation-system',"
	            "'generation':1},'spec':{'propagation':'Enabled','targetType':{'group':'apps',"
	            "'version':'v1','kind':'StatefulSet','pluralName':'statefulsets','scope':"
	            "'Namespaced'},'federatedType':{'group':'types.kubefed.io','version':'v1beta1',"
	            "'kind':'FederatedStatefulSet','pluralName':'federatedstatefulsets','scope':"
	            "'Namespaced'}}}");
	fakeapi_put(rohan, STATEFUL_SETS,
	            "{'metadata':{'name':'db','namespace':'shop','uid':'u-db'},'spec':{},'status':{"
	            "'replicas':1,'readyReplicas':1}}");
	fakeapi_put(d->host->f, FEDERATED_SETS,
	            "{'metadata':{'name':'db','namespace':'shop','generation':1},'spec':{"
	            "'placement':{'clusters':[{'name':'rohan'}]},'template':{'spec':{'replicas':3,"
	            "'selector':{'matchLabels':{'app':'db'}}}}}}");
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db", "Replicas: 1/3");
}

static void put_events(struct fakeapi *f)
{
	fakeapi_put(f, DESK_EVENTS,
	            "{'metadata':{'name':'db.1','namespace':'shop'},'involvedObject':{'uid':"
	            "'u-other'},'reason':'FailedCreate','message':'exceeded quota: other',"
	            "'lastTimestamp':'2099-01-01T00:00:00Z'}");
	fakeapi_put(
		f, DESK_EVENTS,
		"{'metadata':{'name':'db.2','namespace':'shop'},'involvedObject':{'uid':'u-db'},"
		"'reason':'FailedCreate','message':'create Pod db-1 in StatefulSet db failed "
		"error: pods db-1 is forbidden: " QUOTA
		"','lastTimestamp':'2099-01-01T00:00:00Z'}");
}

static void test_events_are_asked_why_there_are_too_few_pods(void **state)
{
	struct desk *d = *state;

	put_events(d->members[1]);
	bring_db(d);
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db",
	            "\"reason\":\"QuotaExceeded\",\"message\":\"" QUOTA "\"");
	assert_int_equal(fakeapi_requests(d->members[1], ITS_EVENTS "&limit=100"), 1);
	assert_int_equal(fakeapi_requests(d->members[1], "pods?labelSelector=app=db&limit=100"), 1);
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db",
	            "is Current in 0 of 1 clusters; rohan InProgress: " QUOTA);
}

enum { SHORT_MOST = 16 << 10 }; /* bytes of a federated object whose copy tells too much */

static void add_many(struct text *to, char letter, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_printf(to, "%c", letter);
}

/* An Event with so many bytes more in its reason and its message, as no server stores it. */
static void give_long_event(struct fakeapi *f, size_t more_reason, size_t more_message)
{
	struct text events = {0};

	text_add(&events, "{\"kind\":\"EventList\",\"apiVersion\":\"v1\",\"items\":[{"
	                  "\"involvedObject\":{\"uid\":\"u-db\"},\"lastTimestamp\":"
	                  "\"2099-01-01T00:00:00Z\",\"reason\":\"FailedCreate");
	add_many(&events, 'r', more_reason);
	text_add(&events, "\",\"message\":\"exceeded quota: ");
	add_many(&events, 'm', more_message);
	text_add(&events, "\"}]}");
	fakeapi_answer_bytes(f, "/api/v1/namespaces/shop/events", 0, 200, "application/json",
	                     events.data, events.len);
	text_fini(&events);
}

static void test_a_long_event_is_told_in_few_words(void **state)
{
	struct desk *d = *state;

	give_long_event(d->members[1], 0, 64 << 10);
	bring_db(d);
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db", "exceeded quota: mmm");
	desk_turn(d, 2500);
	assert_true(strlen(fakeapi_get(d->host->f, FEDERATED_SETS, "shop/db")) < SHORT_MOST);
}

/* More than is read of them: there is less to be said, and they are not asked for again soon. */
static void test_an_event_of_a_megabyte_is_not_told(void **state)
{
	struct desk *d = *state;

	give_long_event(d->members[1], 1 << 20, 1 << 20);
	bring_db(d);
	desk_expect_requests(d, d->members[1], ITS_EVENTS, 1);
	desk_turn(d, 2500);
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db",
	            "\"reason\":\"LessReplicas\",\"message\":\"Replicas: 1/3\"");
	assert_int_equal(fakeapi_requests(d->members[1], ITS_EVENTS), 1);
	assert_true(strlen(fakeapi_get(d->host->f, FEDERATED_SETS, "shop/db")) < SHORT_MOST);
}

static void test_without_the_right_to_ask_there_is_less_to_be_said(void **state)
{
	struct desk *d = *state;

	fakeapi_answer(d->members[1], "/api/v1/namespaces/shop/pods", 0, 403, NULL);
	fakeapi_answer(d->members[1], "/api/v1/namespaces/shop/events", 0, 403, NULL);
	put_events(d->members[1]);
	bring_db(d);
	desk_expect_requests(d, d->members[1], ITS_EVENTS, 1);
	desk_turn(d, 2500);
	desk_expect(d, d->host->f, FEDERATED_SETS, "shop/db",
	            "\"reason\":\"LessReplicas\",\"message\":\"Replicas: 1/3\"");
	assert_int_equal(fakeapi_requests(d->members[1], ITS_EVENTS), 1);
}

static void test_a_server_that_prunes_is_not_written_to_for_ever(void **state)
{
	static const char pruned[] =
		"{\"kind\":\"FederatedDeployment\",\"apiVersion\":\"types.kubefed.io/v1beta1\","
		"\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"status\":{"
		"\"observedGeneration\":1}}";
	struct desk *d = *state;
	unsigned before;

	desk_deployment(d, 2);
	desk_turn(d, 4000);
	/* It says that it took it, and has left something out; what is stored is older still. */
	fakeapi_answer_bytes(d->host->f, "PATCH " DESK_FEDERATED "/shop/web/status", 0, 200,
	                     "application/json", pruned, strlen(pruned));
	before = fakeapi_requests(d->host->f, STATUSES);
	report(d->members[0], 2, 2);
	desk_expect_requests(d, d->host->f, STATUSES, before + 1);
	fakeapi_edit(d->host->f, DESK_FEDERATED, "shop/web", "{'status':null}");
	fakeapi_edit(d->host->f, DESK_FEDERATED, "shop/web", "{'status':{'observedGeneration':1}}");
	desk_turn(d, 2500);
	before = fakeapi_requests(d->host->f, STATUSES);
	desk_turn(d, 6000);
	assert_int_equal(fakeapi_requests(d->host->f, STATUSES), before);
	assert_null(strstr(fakeapi_get(d->host->f, DESK_FEDERATED, "shop/web"), "Healthy"));
	/* Another has wiped it. */
	fakeapi_no_rule(d->host->f, "PATCH " DESK_FEDERATED "/shop/web/status");
	fakeapi_edit(d->host->f, DESK_FEDERATED, "shop/web", "{'status':null}");
	desk_expect(d, d->host->f, DESK_FEDERATED, "shop/web", "\"type\":\"Healthy\"");
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(test_many_changes_of_health_are_few_statuses),
		DESK_TEST(test_pods_are_asked_once_it_has_lasted_and_not_again_soon),
		DESK_TEST(test_events_are_asked_why_there_are_too_few_pods),
		DESK_TEST(test_a_long_event_is_told_in_few_words),
		DESK_TEST(test_an_event_of_a_megabyte_is_not_told),
		DESK_TEST(test_without_the_right_to_ask_there_is_less_to_be_said),
		DESK_TEST(test_a_server_that_prunes_is_not_written_to_for_ever),
	};

	return cmocka_run_group_tests_name("propagator/object_health", tests,
	                                   kube_server_setup_group, NULL);
}
