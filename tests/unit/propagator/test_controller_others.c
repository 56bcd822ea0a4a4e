/* Namespaces, and what others have made or change. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/propagator_web.h"

/* --- namespaces --- */

static void test_a_federated_namespace_of_another_name_touches_no_namespace(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_put(web_gondor(w), FAKEAPI_NAMESPACES,
	            "{'metadata':{'name':'other','labels':{'kubefed.io/managed':'true'}}}");
	fakeapi_put(w->host, WORLD_FEDERATED_NAMESPACES,
	            "{'metadata':{'name':'other','namespace':'shop','generation':1},'spec':{"
	            "'template':{},'placement':{'clusters':[]}}}");
	propagator_world_expect_requests(w, w->host, "POST /api/v1/namespaces/shop/events", 1);
	propagator_world_turn(w, 1500);
	assert_non_null(fakeapi_get(web_gondor(w), FAKEAPI_NAMESPACES, "other"));
	assert_null(fakeapi_get(web_rohan(w), FAKEAPI_NAMESPACES, "other"));
}

static void test_the_namespaces_of_every_cluster_are_left_alone(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(web_gondor(w), FAKEAPI_NAMESPACES,
	            "{'metadata':{'name':'default','labels':{'kubefed.io/managed':'true'}}}");
	propagator_world_namespace(w, "kube-public");
	propagator_world_namespace(w, WORLD_FEDERATION);
	web_bring(w, WORLD_EVERYWHERE);
	assert_null(fakeapi_get(web_gondor(w), FAKEAPI_NAMESPACES, "kube-public"));
	assert_null(fakeapi_get(web_gondor(w), FAKEAPI_NAMESPACES, WORLD_FEDERATION));
	propagator_world_expect(w, web_gondor(w), FAKEAPI_NAMESPACES, "default",
	                        "kubefed.io/managed");
}

/* gondor is the host, too: a namespace of the same uid. */
static void test_the_hosts_own_namespace_only_loses_its_label(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_put(w->host, FAKEAPI_NAMESPACES, "{'metadata':{'name':'inn','uid':'same'}}");
	fakeapi_put(web_gondor(w), FAKEAPI_NAMESPACES, "{'metadata':{'name':'inn','uid':'same'}}");
	fakeapi_put(w->host, WORLD_FEDERATED_NAMESPACES,
	            "{'metadata':{'name':'inn','namespace':'inn','generation':1},'spec':{"
	            "'template':{}," WORLD_EVERYWHERE "}}");
	propagator_world_expect(w, web_gondor(w), FAKEAPI_NAMESPACES, "inn", "kubefed.io/managed");
	propagator_world_expect(w, web_rohan(w), FAKEAPI_NAMESPACES, "inn", "kubefed.io/managed");
	propagator_world_end(w);
	fakeapi_edit(w->host, WORLD_FEDERATED_NAMESPACES, "inn/inn",
	             "{'spec':{'placement':{'clusters':[]}}}");
	fakeapi_delay(w->host, FAKEAPI_NAMESPACES, 1, 1500);
	propagator_world_begin(w);
	propagator_world_expect(w, web_rohan(w), FAKEAPI_NAMESPACES, "inn", "!");
	propagator_world_expect(w, web_gondor(w), FAKEAPI_NAMESPACES, "inn",
	                        "!\"kubefed.io/managed\":\"true\"");
}

static void test_a_disabled_type_namespaces_still_says_where_they_are(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/namespaces",
	             "{'spec':{'propagation':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/namespaces",
	                        "\"propagationController\":\"NotRunning\"");
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
	fakeapi_edit(w->host, WORLD_FEDERATED_NAMESPACES, "shop/shop",
	             "{'spec':{'placement':{'clusters':[{'name':'rohan'}]}}}");
	web_expect_copy(w, 0, "!");
	web_expect_copy(w, 1, "\"replicas\":2");
}

/* Its CRD is gone: that says nothing of where namespaces are to be. */
static void test_without_the_kind_of_federated_namespaces_nothing_is_taken_away(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	propagator_world_end(w);
	fakeapi_unregister(w->host, WORLD_FEDERATED_NAMESPACES);
	propagator_world_begin(w);
	propagator_world_turn(w, 2500);
	web_expect_copy(w, 0, "kubefed.io/managed");
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 0);
	fakeapi_register(w->host, WORLD_FEDERATED_NAMESPACES, "FederatedNamespace", true);
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
}

static void test_an_object_of_a_namespace_that_is_not_federated_says_so(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_delay(w->host, WORLD_FEDERATED_NAMESPACES, 1, 1000);
	fakeapi_delete(w->host, WORLD_FEDERATED_NAMESPACES, "shop/shop");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "NamespaceNotFederated");
}

/* --- what is another's --- */

static void test_what_is_adopted_keeps_its_replicas_if_they_are_retained(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':{"
	            "'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE ",'retainReplicas':true");
	web_expect_copy(w, 0, "kubefed.io/managed");
	web_expect_copy(w, 0, "\"replicas\":7");
	web_expect_copy(w, 1, "\"replicas\":1");
	propagator_world_turn(w, 1000);
	web_expect_copy(w, 0, "\"replicas\":7");
}

/* As with KubeFed: a ReplicaSchedulingPreference scales by overrides. */
static void test_an_override_of_replicas_goes_before_those_that_are_retained(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':{"
	            "'replicas':7}}");
	propagator_world_deployment(w, "web", 1,
	                            WORLD_EVERYWHERE
	                            ",'retainReplicas':true,'overrides':[{'clusterName':'gondor',"
	                            "'clusterOverrides':[{'path':'/spec/replicas','value':4}]}]");
	web_expect_copy(w, 0, "\"replicas\":4");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/web",
	             "{'spec':{'overrides':[{'clusterName':'gondor','clusterOverrides':[{'path':"
	             "'/spec/replicas','value':2}]}]}}");
	web_expect_copy(w, 0, "\"replicas\":2");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/web",
	             "{'spec':{'overrides':null,'template':{'spec':{'paused':true}}}}");
	web_expect_copy(w, 0, "paused");
	web_expect_copy(w, 0, "\"replicas\":2");
}

/* Of what nobody asked for when it was seen only versions are kept. */
static void test_what_nobody_asked_for_keeps_its_replicas_if_they_are_retained(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS "/shop/inn", 1, 403, NULL);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'inn','namespace':'shop','generation':1,'labels':{"
	            "'kubefed.io/managed':'true'}},'spec':{'replicas':7}}");
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 1);
	propagator_world_deployment(
		w, "inn", 1,
		WORLD_EVERYWHERE
		",'retainReplicas':true,'overrides':[{'clusterName':'gondor',"
		"'clusterOverrides':[{'op':'add','path':'/spec/paused','value':true}]}]");
	propagator_world_expect(w, web_gondor(w), FAKEAPI_DEPLOYMENTS, "shop/inn", "paused");
	propagator_world_expect(w, web_gondor(w), FAKEAPI_DEPLOYMENTS, "shop/inn",
	                        "\"replicas\":7");
}

static void test_an_annotation_goes_with_its_override(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE
	          ",'overrides':[{'clusterName':'gondor','clusterOverrides':[{'op':'add','path':"
	          "'/metadata/annotations','value':{'example.com/f':'six'}}]}]");
	web_expect_copy(w, 0, "example.com/f");
	propagator_world_deployment(w, "web", 1, "'overrides':null");
	web_expect_copy(w, 0, "!example.com/f");
}

static void test_replicas_that_are_retained_no_more_are_those_of_the_template(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE ",'retainReplicas':true");
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, "shop/web", "{'spec':{'replicas':7}}");
	propagator_world_calm(w);
	web_expect_copy(w, 0, "\"replicas\":7");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE ",'retainReplicas':false");
	web_expect_copy(w, 0, "\"replicas\":1");
	propagator_world_calm(w);
	propagator_world_turn(w, 1000);
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 0);
}

/* As an admission of the member makes another number of what is sent: the generation is that of the write. */
static void test_what_a_member_makes_of_replicas_is_not_fought_over(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1,'labels':{"
	            "'app':'web','kubefed.io/managed':'true'}},'spec':{'replicas':7}}");
	propagator_world_turn(w, 1000);
	web_expect_copy(w, 0, "\"replicas\":7");
	web_expect_status(w, "Propagation");
}

/* As its namespace went, and took it along before it was placed there no more. */
static void test_what_went_by_itself_and_is_placed_no_more_is_recorded_no_more(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web", "gondor");
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS "/shop/web", 0, 403, NULL);
	fakeapi_delete(web_gondor(w), FAKEAPI_DEPLOYMENTS, "shop/web");
	web_expect_status(w, "CreationFailed");
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[{'name':'rohan'}]}");
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web", "!gondor");
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web", "rohan");
}

/* Who may write one object must not be able to end what brings all. */
static void test_a_template_of_another_shape_ends_nothing(void **state)
{
	static const char *const specs[] = {"null", "'text'", "[]"};
	struct propagator_world *w = *state;

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE ",'retainReplicas':true");
		web_expect_copy(w, 0, "kubefed.io/managed");
		propagator_world_calm(w);
		fakeapi_put(w->host, WORLD_FEDERATED_DEPLOYMENTS,
		            "{'metadata':{'name':'web','namespace':'shop','generation':%zu,"
		            "'finalizers':['kubefed.io/sync-controller']},'spec':{" WORLD_EVERYWHERE
		            ",'retainReplicas':true,'template':{'spec':%s}}}",
		            100 * (i + 1), specs[i]);
		propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 1);
		propagator_world_turn(w, 500);
	}
}

static void test_what_exists_is_adopted_only_if_that_is_wanted(void **state)
{
	struct propagator_world *w = *state;

	w->settings.adopt_resources = false;
	work_on_settings(w->work);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "AlreadyExists");
	web_expect_copy(w, 0, "!kubefed.io/managed");
	w->settings.adopt_resources = true;
	work_on_settings(w->work);
	web_expect_copy(w, 0, "kubefed.io/managed");
	web_expect_status(w, "\"status\":\"True\"");
}

/* What is adopted is there, so it is not its creation that fails. */
static void test_what_cannot_be_adopted_is_an_update_that_failed(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	fakeapi_delay(web_gondor(w), "GET " FAKEAPI_DEPLOYMENTS "/shop/web", 1, 3000);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	propagator_world_expect_requests(w, web_gondor(w), "GET /apis/apps/v1/namespaces/shop", 1);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 0, 403, NULL);
	web_expect_status(w, "UpdateFailed");
}

/* A look that finds nothing says nothing of the moment after it. */
static void test_what_somebody_makes_at_that_moment_is_not_taken_over(void **state)
{
	struct propagator_world *w = *state;

	w->settings.adopt_resources = false;
	work_on_settings(w->work);
	propagator_world_calm(w);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	fakeapi_answer(web_gondor(w), "GET " FAKEAPI_DEPLOYMENTS "/shop/web", 1, 404, NULL);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "AlreadyExists");
	web_expect_copy(w, 0, "!kubefed.io/managed");
	web_expect_copy(w, 0, "\"replicas\":7");
}

/* The watch is behind: what is there now is not what was seen. */
static void test_what_somebody_makes_in_its_place_is_not_taken_over(void **state)
{
	struct propagator_world *w = *state;

	w->settings.adopt_resources = false;
	work_on_settings(w->work);
	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	fakeapi_delete(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 1, "\"replicas\":2");
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 2);
	web_expect_copy(w, 0, "\"replicas\":7");
	web_expect_copy(w, 0, "!kubefed.io/managed");
	fakeapi_drop(web_gondor(w), FAKEAPI_CUT_CLOSE);
	web_expect_status(w, "AlreadyExists");
	web_expect_copy(w, 0, "!kubefed.io/managed");
}

/* Where nothing can be applied, it is made by POST, which takes nothing either; what exists is asked for. */
static void test_what_cannot_be_applied_is_not_taken_over_either(void **state)
{
	struct propagator_world *w = *state;

	w->settings.adopt_resources = false;
	work_on_settings(w->work);
	propagator_world_calm(w);
	for (unsigned i = 0; i < w->count; i++)
		fakeapi_answer(w->members[i], "PATCH " FAKEAPI_DEPLOYMENTS, 0, 415, NULL);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "AlreadyExists");
	web_expect_copy(w, 0, "!kubefed.io/managed");
	web_expect_copy(w, 1, "kubefed.io/managed");
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

	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop','labels':{'kubefed.io/managed':"
	            "'false'}},'spec':{'replicas':7}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "ManagedLabelFalse");
	web_expect_copy(w, 0, "\"replicas\":7");
	assert_int_equal(failing(w), 1);
}

static void test_a_drift_is_reported_where_it_is_to_be_reported(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'nigh.dev/drift-policy':'report'}}}");
	propagator_world_calm(w);
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	web_expect_status(w, "{\"name\":\"gondor\",\"status\":\"Drifted\"");
	propagator_world_turn(w, 1500);
	web_expect_copy(w, 0, "\"replicas\":5");
	/* Another template is for all. */
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
	web_expect_status(w, "!Drifted");
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	web_expect_status(w, "Drifted");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'nigh.dev/drift-policy':'repair'}}}");
	web_expect_copy(w, 0, "\"replicas\":2");
}

static void test_what_another_changes_all_the_time_is_not_fought_over(void **state)
{
	struct propagator_world *w = *state;
	unsigned repairs;

	web_bring(w, WORLD_EVERYWHERE);
	for (int i = 0; i < 40; i++) {
		fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':%d}}",
		             i + 5);
		propagator_world_turn(w, 100);
	}
	repairs = fakeapi_requests(web_gondor(w), "PATCH /apis/apps");
	if (repairs < 2 || repairs > 5)
		fail_msg("%u repairs in four seconds", repairs);
	web_expect_status(w, "Drifted");
	web_expect_copy(w, 0, "\"replicas\":1");
	web_expect_status(w, "!Drifted");
}

static void test_who_changes_it_all_the_time_is_named(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	for (int i = 0; i < 20; i++) {
		fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB,
		             "{'spec':{'replicas':%d},'metadata':{'managedFields':[{'manager':"
		             "'scaler','operation':'Update','apiVersion':'apps/v1','fieldsType':"
		             "'FieldsV1','fieldsV1':{'f:spec':{'f:replicas':{}}}}]}}",
		             i + 5);
		propagator_world_turn(w, 100);
	}
	web_expect_status(w, "scaler sets .spec.replicas again and again; it is set right");
	web_expect_copy(w, 0, "\"replicas\":1");
	propagator_world_turn(w, 500);
	assert_non_null(fakeapi_find(web_gondor(w), WORLD_EVENTS,
	                             "is set right (FederatedDeployment shop/web): scaler sets "
	                             ".spec.replicas"));
}

static void test_what_of_a_template_nobody_gets_is_told(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_copy(w, 0, "kubefed.io/managed");
	propagator_world_calm(w);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'spec':{'template':{'metadata':{'annotations':{'a':'b'}}}}}");
	propagator_world_expect_requests(w, w->host, "POST /api/v1/namespaces/shop/events", 1);
	web_expect_copy(w, 0, "!annotations");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, web_setup, web_teardown)
		T(test_a_federated_namespace_of_another_name_touches_no_namespace),
		T(test_the_namespaces_of_every_cluster_are_left_alone),
		T(test_the_hosts_own_namespace_only_loses_its_label),
		T(test_a_disabled_type_namespaces_still_says_where_they_are),
		T(test_without_the_kind_of_federated_namespaces_nothing_is_taken_away),
		T(test_an_object_of_a_namespace_that_is_not_federated_says_so),
		T(test_what_is_adopted_keeps_its_replicas_if_they_are_retained),
		T(test_an_override_of_replicas_goes_before_those_that_are_retained),
		T(test_what_nobody_asked_for_keeps_its_replicas_if_they_are_retained),
		T(test_an_annotation_goes_with_its_override),
		T(test_replicas_that_are_retained_no_more_are_those_of_the_template),
		T(test_what_a_member_makes_of_replicas_is_not_fought_over),
		T(test_what_went_by_itself_and_is_placed_no_more_is_recorded_no_more),
		T(test_a_template_of_another_shape_ends_nothing),
		T(test_what_exists_is_adopted_only_if_that_is_wanted),
		T(test_what_cannot_be_adopted_is_an_update_that_failed),
		T(test_what_somebody_makes_at_that_moment_is_not_taken_over),
		T(test_what_somebody_makes_in_its_place_is_not_taken_over),
		T(test_what_cannot_be_applied_is_not_taken_over_either),
		T(test_what_says_managed_false_is_left_alone),
		T(test_a_drift_is_reported_where_it_is_to_be_reported),
		T(test_what_another_changes_all_the_time_is_not_fought_over),
		T(test_who_changes_it_all_the_time_is_named),
		T(test_what_of_a_template_nobody_gets_is_told),
	};

	return cmocka_run_group_tests_name("propagator/controller_others", tests, NULL, NULL);
}
