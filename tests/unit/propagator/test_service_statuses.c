/* service_statuses: a leader between two members, gondor and rohan, and the federated Service shop/web. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/propagator_json.h"
#include "tests/support/propagator_web.h"

#define FEDERATED "/apis/types.kubefed.io/v1beta1/federatedservices"
#define STATUSES  "/apis/core.kubefed.io/v1alpha1/federatedservicestatuses"
#define CONFIG    WORLD_FEDERATION "/services"
#define GONDOR_S                                                                                   \
	"{'clusterName':'gondor','status':{'loadBalancer':{'ingress':[{'ip':'192.0.2.1'}]}}}"
#define ROHAN_S "{'clusterName':'rohan','status':{'loadBalancer':{}}}"

/* As KubeFed's users have it who collect the statuses of Services. */
static void configure(struct propagator_world *w)
{
	fakeapi_register(w->host, FEDERATED, "FederatedService", true);
	fakeapi_register(w->host, STATUSES, "FederatedServiceStatus", true);
	propagator_world_type(w, "services", "", "v1", "Service", "Enabled");
	fakeapi_edit(w->host, WORLD_TYPES, CONFIG,
	             "{'spec':{'statusCollection':'Enabled','statusType':{'group':"
	             "'core.kubefed.io','version':'v1alpha1','kind':'FederatedServiceStatus',"
	             "'pluralName':'federatedservicestatuses','scope':'Namespaced'}}}");
}

static int setup(void **state)
{
	struct propagator_world *w = propagator_world_new(2);

	*state = w;
	configure(w);
	propagator_world_begin(w);
	return 0;
}

static int teardown(void **state)
{
	json_drop(NULL);
	return web_teardown(state);
}

static void expect_copies(struct propagator_world *w)
{
	for (unsigned i = 0; i < w->count; i++)
		propagator_world_expect(w, w->members[i], FAKEAPI_SERVICES, WEB,
		                        "kubefed.io/managed");
}

static void federate(struct propagator_world *w, const char *placement)
{
	fakeapi_put(
		w->host, FEDERATED,
		"{'metadata':{'name':'web','namespace':'shop','uid':'u-1','generation':1},"
		"'spec':{'template':{'spec':{'type':'LoadBalancer','ports':[{'port':80}]}},%s}}",
		placement);
}

static void say(struct fakeapi *member, const char *balancer)
{
	fakeapi_edit(member, FAKEAPI_SERVICES, WEB, "{'status':{'loadBalancer':%s}}", balancer);
}

static struct json_object *list_now(struct propagator_world *w)
{
	const char *text = fakeapi_get(w->host, STATUSES, WEB);

	return text ? json_member(json_of(text), "clusterStatus") : NULL;
}

/* Turns until it says just that. */
static void expect_list(struct propagator_world *w, const char *want)
{
	struct json_object *list = json_of(want);

	for (unsigned ms = 0; ms < WORLD_PATIENCE_MS && !json_object_equal(list, list_now(w));
	     ms += 100)
		propagator_world_turn(w, 100);
	assert_json(list_now(w), list);
}

/* It is everywhere, gondor has an address, and all is at rest. */
static void bring(struct propagator_world *w)
{
	federate(w, WORLD_EVERYWHERE);
	expect_copies(w);
	say(web_gondor(w), "{'ingress':[{'ip':'192.0.2.1'}]}");
	say(web_rohan(w), "{}");
	expect_list(w, "[" GONDOR_S "," ROHAN_S "]");
	propagator_world_calm(w);
}

static unsigned writes(struct propagator_world *w)
{
	return fakeapi_requests(w->host, "PATCH /apis/core.kubefed.io/v1alpha1/namespaces/shop/"
	                                 "federatedservicestatuses");
}

static void test_it_is_made_as_kubefed_made_it(void **state)
{
	struct propagator_world *w = *state;
	struct json_object *object, *metadata;

	bring(w);
	object = json_of(fakeapi_get(w->host, STATUSES, WEB));
	metadata = json_member(object, "metadata");
	assert_string_equal(json_text(object, "apiVersion"), "core.kubefed.io/v1alpha1");
	assert_string_equal(json_text(object, "kind"), "FederatedServiceStatus");
	assert_null(json_member(object, "status"));
	assert_json_text(json_member(metadata, "ownerReferences"),
	                 "[{'apiVersion':'types.kubefed.io/v1beta1','kind':'FederatedService',"
	                 "'name':'web','uid':'u-1'}]");
	assert_null(json_member(metadata, "labels"));
}

static void test_where_there_is_no_copy_the_status_is_empty(void **state)
{
	struct propagator_world *w = *state;

	federate(w, "'placement':{'clusters':[{'name':'rohan'}]}");
	propagator_world_expect(w, web_rohan(w), FAKEAPI_SERVICES, WEB, "");
	say(web_rohan(w), "{}");
	expect_list(w, "[{'clusterName':'gondor','status':{}}," ROHAN_S "]");
}

static void test_what_changes_in_a_member_is_told(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	say(web_rohan(w), "{'ingress':[{'hostname':'lb.example.com'}]}");
	expect_list(w, "[" GONDOR_S ",{'clusterName':'rohan','status':{'loadBalancer':{'ingress':"
	               "[{'hostname':'lb.example.com'}]}}}]");
	assert_int_equal(writes(w), 1);
}

static void test_what_says_nothing_new_is_not_written(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_edit(web_gondor(w), FAKEAPI_SERVICES, WEB,
	             "{'metadata':{'annotations':{'example.com/a':'b'}}}");
	fakeapi_edit(w->host, FEDERATED, WEB, "{'metadata':{'annotations':{'example.com/a':'b'}}}");
	propagator_world_turn(w, 2000);
	assert_int_equal(writes(w), 0);
}

static void test_a_next_leader_writes_nothing(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	propagator_world_end(w);
	propagator_world_begin(w);
	propagator_world_turn(w, 4000);
	assert_int_equal(propagator_world_writes(w, w->host), 0);
}

static void test_a_cluster_that_is_not_ready_is_left_out(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_down(web_gondor(w));
	expect_list(w, "[" ROHAN_S "]");
	fakeapi_up(web_gondor(w));
	expect_list(w, "[" GONDOR_S "," ROHAN_S "]");
}

static void test_of_what_cannot_be_seen_stays_what_was_said(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	propagator_world_end(w);
	fakeapi_forbid(web_gondor(w), FAKEAPI_SERVICES);
	say(web_rohan(w), "{'ingress':[{'ip':'192.0.2.2'}]}");
	propagator_world_begin(w);
	expect_list(w, "[" GONDOR_S ",{'clusterName':'rohan','status':{'loadBalancer':{'ingress':"
	               "[{'ip':'192.0.2.2'}]}}}]");
	fakeapi_allow(web_gondor(w), FAKEAPI_SERVICES);
	say(web_gondor(w), "{'ingress':null}");
	propagator_world_expect(w, w->host, STATUSES, WEB, "!192.0.2.1\"");
}

static void test_what_another_does_to_it_is_set_right(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_edit(w->host, STATUSES, WEB, "{'clusterStatus':[]}");
	expect_list(w, "[" GONDOR_S "," ROHAN_S "]");
	fakeapi_delete(w->host, STATUSES, WEB);
	expect_list(w, "[" GONDOR_S "," ROHAN_S "]");
}

/* KubeFed's definition is older than this field. */
static void test_what_its_definition_does_not_know_is_not_written_for_ever(void **state)
{
	static const char want[] =
		"[" GONDOR_S ",{'clusterName':'rohan','status':{'loadBalancer':{'ingress':[{'ip':"
		"'192.0.2.2'}]}}}]";
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_prune(w->host, STATUSES, "ipMode");
	say(web_rohan(w), "{'ingress':[{'ip':'192.0.2.2','ipMode':'VIP'}]}");
	expect_list(w, want);
	propagator_world_turn(w, 7000);
	assert_int_equal(writes(w), 1);
	/* A next leader tries it once, which changes nothing. */
	propagator_world_end(w);
	propagator_world_begin(w);
	propagator_world_expect_requests(w, w->host, "federatedservicestatuses/web", 2);
	propagator_world_turn(w, 7000);
	assert_int_equal(writes(w), 2);
	say(web_rohan(w), "{'ingress':null}");
	expect_list(w, "[" GONDOR_S "," ROHAN_S "]");
}

static void test_what_is_being_deleted_is_not_told(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_stall(web_gondor(w), "DELETE ", 0);
	fakeapi_ask_to_delete(w->host, FEDERATED, WEB);
	fakeapi_delete(w->host, STATUSES, WEB);
	propagator_world_expect(w, web_rohan(w), FAKEAPI_SERVICES, WEB, "!");
	propagator_world_turn(w, 2000);
	assert_null(fakeapi_get(w->host, STATUSES, WEB));
}

static void test_the_type_says_whether_it_is_told(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"statusController\":\"Running\"");
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/configmaps",
	                        "\"statusController\":\"NotRunning\"");
	w->settings.raw_status_collection = true;
	work_on_settings(w->work);
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"statusController\":\"NotRunning\"");
	propagator_world_expect(w, w->host, FEDERATED, WEB, "remoteStatus");
	say(web_gondor(w), "{'ingress':null}");
	propagator_world_expect(w, w->host, FEDERATED, WEB, "!192.0.2.1");
	assert_int_equal(writes(w), 0);
	w->settings.raw_status_collection = false;
	work_on_settings(w->work);
	expect_list(w, "[{'clusterName':'gondor','status':{'loadBalancer':{}}}," ROHAN_S "]");
	propagator_world_expect(w, w->host, FEDERATED, WEB, "!remoteStatus");
	fakeapi_edit(w->host, WORLD_TYPES, CONFIG,
	             "{'metadata':{'generation':2},'spec':{'statusCollection':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"statusController\":\"NotRunning\"");
}

static void test_it_is_told_where_services_are_not_propagated_too(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	fakeapi_edit(w->host, WORLD_TYPES, CONFIG,
	             "{'metadata':{'generation':2},'spec':{'propagation':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"propagationController\":\"NotRunning\"");
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"statusController\":\"Running\"");
	say(web_gondor(w), "{'ingress':null}");
	expect_list(w, "[{'clusterName':'gondor','status':{'loadBalancer':{}}}," ROHAN_S "]");
	fakeapi_delete(web_gondor(w), FAKEAPI_SERVICES, WEB);
	expect_list(w, "[{'clusterName':'gondor','status':{}}," ROHAN_S "]");
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 0);
}

struct told {
	struct service_statuses_counts counts;
	char why[200];
};

static void add_services(const struct types_note *note, void *arg)
{
	struct told *t = arg;

	if (!note->counts.statuses.runs)
		return;
	t->counts = note->counts.statuses;
	snprintf(t->why, sizeof(t->why), "%s", t->counts.why);
}

static struct told told_of(struct propagator_world *w)
{
	struct told t = {0};

	types_each(work_types(w->work), add_services, &t);
	return t;
}

/* So many, and so large, that looking at all of them takes longer than until each is due again. */
static void federate_many(struct propagator_world *w, unsigned count)
{
	enum { FIELDS = 2000 };
	struct text fields = {0};

	for (unsigned i = 0; i < FIELDS; i++)
		text_printf(&fields, "%s'k%u':'v'", i > 0 ? "," : "", i);
	for (unsigned i = 0; i < count; i++)
		fakeapi_put(w->host, FEDERATED,
		            "{'metadata':{'name':'web-%u','namespace':'shop','uid':'u-%u',"
		            "'generation':1},'spec':{'template':{'spec':{%s}},'placement':{}}}",
		            i, i, fields.data);
	text_fini(&fields);
}

static void test_none_waits_while_others_are_looked_at_again_and_again(void **state)
{
	enum { MANY = 300, STEP_MS = 50 };
	struct propagator_world *w = *state;

	fakeapi_edit(w->host, WORLD_TYPES, CONFIG,
	             "{'metadata':{'generation':2},'spec':{'propagation':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, CONFIG,
	                        "\"propagationController\":\"NotRunning\"");
	federate_many(w, MANY);
	for (unsigned ms = 0; ms < WORLD_PATIENCE_MS && told_of(w).counts.objects < MANY;
	     ms += STEP_MS) {
		work_on_settings(w->work);
		propagator_world_turn(w, STEP_MS);
	}
	assert_int_equal(told_of(w).counts.objects, MANY);
}

static void test_a_refusal_is_no_storm_and_is_said(void **state)
{
	struct propagator_world *w = *state;
	struct told t;

	bring(w);
	t = told_of(w);
	assert_int_equal(t.counts.objects, 1);
	assert_int_equal(t.counts.failing, 0);
	assert_string_equal(t.why, "");
	fakeapi_answer(w->host, "WRITE " STATUSES, 0, 403, NULL);
	say(web_gondor(w), "{'ingress':null}");
	propagator_world_expect_requests(w, w->host, "federatedservicestatuses/web", 1);
	propagator_world_turn(w, 3000);
	assert_int_equal(writes(w), 1);
	t = told_of(w);
	assert_int_equal(t.counts.failing, 1);
	assert_non_null(strstr(t.why, "403"));
	fakeapi_no_rule(w->host, NULL);
	expect_list(w, "[{'clusterName':'gondor','status':{'loadBalancer':{}}}," ROHAN_S "]");
	assert_int_equal(told_of(w).counts.failing, 0);
}

static void test_without_its_definition_services_are_propagated_all_the_same(void **state)
{
	struct propagator_world *w = *state;

	bring(w);
	propagator_world_end(w);
	fakeapi_unregister(w->host, STATUSES);
	propagator_world_begin(w);
	fakeapi_edit(w->host, FEDERATED, WEB,
	             "{'metadata':{'generation':2},'spec':{'template':{'spec':{"
	             "'sessionAffinity':'ClientIP'}}}}");
	propagator_world_expect(w, web_gondor(w), FAKEAPI_SERVICES, WEB, "ClientIP");
	assert_string_not_equal(told_of(w).why, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_it_is_made_as_kubefed_made_it),
		T(test_where_there_is_no_copy_the_status_is_empty),
		T(test_what_changes_in_a_member_is_told),
		T(test_what_says_nothing_new_is_not_written),
		T(test_a_next_leader_writes_nothing),
		T(test_a_cluster_that_is_not_ready_is_left_out),
		T(test_of_what_cannot_be_seen_stays_what_was_said),
		T(test_what_another_does_to_it_is_set_right),
		T(test_what_its_definition_does_not_know_is_not_written_for_ever),
		T(test_what_is_being_deleted_is_not_told),
		T(test_the_type_says_whether_it_is_told),
		T(test_it_is_told_where_services_are_not_propagated_too),
		T(test_none_waits_while_others_are_looked_at_again_and_again),
		T(test_a_refusal_is_no_storm_and_is_said),
		T(test_without_its_definition_services_are_propagated_all_the_same),
	};

	return cmocka_run_group_tests_name("propagator/service_statuses", tests, NULL, NULL);
}
