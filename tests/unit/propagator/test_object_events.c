/* object_events: what who looks at a copy in its member is told by Events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/propagator_world.h"

#define WEB  "shop/web"
#define POST "POST /api/v1/namespaces/shop/events"

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

static void expect_copy(struct propagator_world *w, const char *text)
{
	propagator_world_expect(w, gondor(w), FAKEAPI_DEPLOYMENTS, WEB, text);
}

static void bring_web(struct propagator_world *w)
{
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	expect_copy(w, "kubefed.io/managed");
	propagator_world_calm(w);
}

/* In gondor, about web; good until the next call. */
static const char *expect_event(struct propagator_world *w, const char *reason, const char *says)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;
	const char *event;
	char text[200];

	snprintf(text, sizeof(text),
	         "\"reason\":\"%s\",\"message\":\"%s (FederatedDeployment shop/web)", reason, says);
	while (!(event = fakeapi_find(gondor(w), WORLD_EVENTS, text))) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("there is no %s", text);
		propagator_world_turn(w, 5);
	}
	return event;
}

static void assert_has(const char *event, const char *text)
{
	if (!strstr(event, text))
		fail_msg("'%s' is not in %s", text, event);
}

/* --- what is told --- */

static void test_what_is_done_to_a_copy_is_told_in_its_member(void **state)
{
	struct propagator_world *w = *state;
	const char *event;

	bring_web(w);
	event = expect_event(w, "Created", "Created");
	assert_has(event, "\"involvedObject\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
	                  "\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"");
	assert_has(event, "\"reportingComponent\":\"nigh-propagator\"");
	assert_null(fakeapi_find(gondor(w), WORLD_EVENTS, "\"reason\":\"Updated\""));
	propagator_world_deployment(w, "web", 3, "");
	assert_has(expect_event(w, "Updated", "Updated"), "\"type\":\"Normal\"");
	propagator_world_calm(w);
	fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	expect_event(w, "DriftRepaired", "Was changed here, and is set right");
	propagator_world_deployment(w, "web", 3, "'placement':{'clusters':[]}");
	assert_has(expect_event(w, "Deleted", "Deleted"), "\"name\":\"web\",\"uid\":\"");
}

static void test_what_was_there_before_is_adopted_and_at_last_released(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	bring_web(w);
	expect_event(w, "Adopted", "Was here before, and is managed from now on");
	assert_null(fakeapi_find(gondor(w), WORLD_EVENTS, "Created (FederatedDeployment"));
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'kubefed.io/orphan':'true'}}}");
	propagator_world_calm(w);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	expect_event(w, "Released", "Stays as it is, and is managed no more");
	expect_copy(w, "!\"kubefed.io/managed\":\"true\"");
}

static void test_fields_of_kubefed_are_taken_over_in_one_event(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','labels':{'kubefed.io/managed':"
	            "'true'},'managedFields':[{'manager':'controller-manager','operation':'Update',"
	            "'apiVersion':'apps/v1','fieldsType':'FieldsV1','fieldsV1':{'f:metadata':{"
	            "'f:labels':{'f:kubefed.io/managed':{}}},'f:spec':{'f:replicas':{}}}}]},'spec':"
	            "{'replicas':7}}");
	bring_web(w);
	expect_event(w, "TakenOver", "KubeFed's fields are nigh-propagator's now");
	assert_null(fakeapi_find(gondor(w), WORLD_EVENTS, "\"reason\":\"Updated\""));
}

static void test_a_namespace_is_told_about_where_all_without_namespace_are(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_namespace(w, "yard");
	propagator_world_expect(w, gondor(w), FAKEAPI_NAMESPACES, "yard", "kubefed.io/managed");
	propagator_world_expect_requests(w, gondor(w), "POST /api/v1/namespaces/default/events", 2);
	assert_has(fakeapi_find(gondor(w), WORLD_EVENTS, "FederatedNamespace yard/yard"),
	           "\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"name\":"
	           "\"yard\"");
}

static void test_a_drift_that_is_left_is_told(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'nigh.dev/drift-policy':'report'}}}");
	propagator_world_calm(w);
	fakeapi_edit(gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	assert_has(expect_event(w, "Drifted", "Was changed here, and is left so"),
	           "nigh.dev/drift-policy is report");
	propagator_world_calm(w);
	assert_int_equal(fakeapi_requests(gondor(w), POST), 0);
}

/* Its host has no say about the namespaces that a ceiling closes: not even Events are written there. */
static void test_what_the_ceiling_forbids_is_told_at_the_ceiling(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(gondor(w), FAKEAPI_CONFIG_MAPS,
	            "{'metadata':{'name':'nigh-ceiling','namespace':'" WORLD_FEDERATION
	            "','uid':'u-ceiling'},'data':{'ceiling':'kinds: [ConfigMap]'}}");
	propagator_world_calm(w);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB, "CeilingRefused");
	propagator_world_expect_requests(w, gondor(w),
	                                 "POST /api/v1/namespaces/" WORLD_FEDERATION "/events", 1);
	assert_has(fakeapi_find(gondor(w), WORLD_EVENTS, "Deployment shop/web is not brought here"),
	           "\"kind\":\"ConfigMap\",\"namespace\":\"" WORLD_FEDERATION
	           "\",\"name\":\"nigh-ceiling\",\"uid\":\"u-ceiling\"");
	assert_int_equal(fakeapi_requests(gondor(w), POST), 0);
	propagator_world_calm(w);
	propagator_world_turn(w, 1000);
	assert_int_equal(fakeapi_requests(gondor(w), "/events"), 0);
}

static void test_what_the_member_refuses_is_told_once(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w);
	fakeapi_answer(gondor(w), "PATCH /apis/apps/v1/deployments/shop/web", 0, 403, NULL);
	propagator_world_deployment(w, "web", 3, "");
	assert_has(expect_event(w, "Refused", "What was asked for is refused here"),
	           "\"type\":\"Warning\"");
	propagator_world_expect_requests(w, gondor(w), "PATCH /apis/apps", 2);
	propagator_world_turn(w, 500);
	assert_int_equal(fakeapi_requests(gondor(w), POST), 1);
}

/* --- what is not told, and what does not matter --- */

static void test_nothing_is_told_of_what_is_so_already(void **state)
{
	struct propagator_world *w = *state;

	bring_web(w);
	fakeapi_delete_all(w->host, WORLD_VERSIONS);
	propagator_world_end(w);
	propagator_world_begin(w);
	propagator_world_expect_requests(w, gondor(w), "PATCH /apis/apps", 1);
	propagator_world_turn(w, 1500);
	assert_int_equal(fakeapi_requests(gondor(w), "/events"), 0);
}

static void test_writes_go_on_where_events_are_not_taken(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_stall(gondor(w), "POST /api/v1/events/shop", 0);
	bring_web(w);
	for (int i = 2; i < 12; i++) {
		char text[32];

		propagator_world_deployment(w, "web", i, "");
		snprintf(text, sizeof(text), "\"replicas\":%d", i);
		expect_copy(w, text);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_is_done_to_a_copy_is_told_in_its_member),
		T(test_what_was_there_before_is_adopted_and_at_last_released),
		T(test_fields_of_kubefed_are_taken_over_in_one_event),
		T(test_a_namespace_is_told_about_where_all_without_namespace_are),
		T(test_a_drift_that_is_left_is_told),
		T(test_what_the_ceiling_forbids_is_told_at_the_ceiling),
		T(test_what_the_member_refuses_is_told_once),
		T(test_nothing_is_told_of_what_is_so_already),
		T(test_writes_go_on_where_events_are_not_taken),
	};

	return cmocka_run_group_tests_name("propagator/object_events", tests, NULL, NULL);
}
