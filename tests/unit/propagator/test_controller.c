/* How much is written, and what a refusal leads to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "propagator/type.h"
#include "tests/support/propagator_web.h"

/* --- how much is written --- */

static void test_a_new_object_takes_one_request_in_a_member(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_expect(w, web_gondor(w), FAKEAPI_NAMESPACES, "shop", "");
	propagator_world_calm(w);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_copy(w, 0, "kubefed.io/managed");
	web_expect_status(w, "\"status\":\"True\"");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 1);
	assert_int_equal(fakeapi_requests(web_gondor(w), "GET /apis/apps/v1/namespaces/shop"), 0);
}

static void test_a_changed_template_takes_one_write_in_a_member(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 0, "\"replicas\":3");
	web_expect_copy(w, 1, "\"replicas\":3");
	propagator_world_turn(w, 2000);
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 1);
	assert_int_equal(propagator_world_writes(w, web_rohan(w)), 1);
}

/* The watch tells of a write before it is answered, and then the template is another. */
static void test_a_template_that_changes_while_it_is_written_is_written_too(void **state)
{
	enum { BYTES_PER_S = 1000 };
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_drip(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 1, BYTES_PER_S);
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
	propagator_world_turn(w, 200);
	propagator_world_deployment(w, "web", 3, "");
	web_expect_copy(w, 0, "\"replicas\":3");
}

static void test_a_deletion_is_sent_once(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[]}");
	web_expect_copy(w, 0, "!");
	propagator_world_turn(w, 2000);
	assert_int_equal(fakeapi_requests(web_gondor(w), "DELETE "), 1);
}

/* The member's watch is behind: what is there now is not what was seen. */
static void test_only_what_was_seen_is_deleted(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	fakeapi_hush_watches(web_rohan(w), FAKEAPI_DEPLOYMENTS);
	fakeapi_delete(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'replicas':7}}");
	fakeapi_edit(web_rohan(w), FAKEAPI_DEPLOYMENTS, WEB,
	             "{'metadata':{'labels':{'kubefed.io/managed':'false'}}}");
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[]}");
	propagator_world_expect_requests(w, web_gondor(w), "DELETE ", 1);
	propagator_world_expect_requests(w, web_rohan(w), "DELETE ", 1);
	propagator_world_turn(w, 2000);
	web_expect_copy(w, 0, "\"replicas\":7");
	web_expect_copy(w, 1, "\"false\"");
	assert_true(fakeapi_requests(web_gondor(w), "DELETE ") <= 5);
}

static void test_who_leads_next_writes_nothing(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	propagator_world_end(w);
	fakeapi_forget_requests(w->host);
	propagator_world_begin(w);
	propagator_world_turn(w, 4000);
	assert_int_equal(propagator_world_writes(w, w->host), 0);
	assert_int_equal(propagator_world_writes(w, web_gondor(w)), 0);
	assert_int_equal(propagator_world_writes(w, web_rohan(w)), 0);
}

static void test_what_is_recorded_first_is_created_and_then_patched(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[{'name':'gondor'}]}");
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web",
	                        "\"clusterName\":\"gondor\"");
	assert_int_equal(fakeapi_requests_with(w->host, "POST ", "/propagatedversions"), 1);
	assert_int_equal(fakeapi_requests_with(w->host, "PATCH ", "/propagatedversions"), 1);
}

/* The cache does not know of it yet, and somebody has made it. */
static void test_a_record_that_is_there_after_all_is_patched(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_hush_watches(w->host, WORLD_VERSIONS);
	fakeapi_put(w->host, WORLD_VERSIONS,
	            "{'metadata':{'name':'deployment-web','namespace':'shop'}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web",
	                        "\"clusterName\":\"gondor\"");
	assert_true(fakeapi_requests_with(w->host, "POST ", "propagatedversions") <= 1);
}

/* A watch of the host that says nothing: what was written is not written again and again meanwhile. */
static void test_a_silent_host_is_not_written_to_without_end(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_hush_watches(w->host, WORLD_FEDERATED_DEPLOYMENTS);
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'spec':{'replicas':5}}");
	web_expect_copy(w, 0, "\"replicas\":1");
	propagator_world_turn(w, 3000);
	assert_true(propagator_world_writes(w, w->host) <= 4);
}

static void test_what_is_placed_wrongly_is_not_recorded(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_deployment(w, "web", 1,
	                            "'placement':{'clusterSelector':{'matchExpressions':[{'key':'a'"
	                            ",'operator':'Is'}]}}");
	web_expect_status(w, "ComputePlacementFailed");
	propagator_world_turn(w, 2000);
	assert_null(fakeapi_get(w->host, WORLD_VERSIONS, "shop/deployment-web"));
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'spec':{'placement':{'clusterSelector':{'matchExpressions':null}}}}");
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web", "gondor");
}

static void test_what_is_placed_nowhere_is_recorded_without_a_list(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web",
	                        "clusterVersions");
	propagator_world_deployment(w, "web", 1, "'placement':{'clusters':[]}");
	propagator_world_expect(w, w->host, WORLD_VERSIONS, "shop/deployment-web",
	                        "!clusterVersions");
}

/* What a definition of KubeFed's has no room for is dropped by the server, and not sent again, until there is another one. */
static void test_a_newer_definition_brings_what_the_old_one_dropped(void **state)
{
	static const char status[] = "PATCH " WORLD_FEDERATED_DEPLOYMENTS "/shop/web/status";
	static const char pruned[] =
		"{\"kind\":\"FederatedDeployment\",\"apiVersion\":\"types.kubefed.io/v1beta1\","
		"\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},"
		"\"status\":{\"observedGeneration\":1}}";
	struct propagator_world *w = *state;
	unsigned before;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer_bytes(w->host, status, 0, 200, "application/json", pruned, strlen(pruned));
	before = fakeapi_requests(w->host, "/federateddeployments/web/status");
	propagator_world_deployment(w, "web", 2, WORLD_EVERYWHERE);
	propagator_world_expect_requests(w, w->host, "/federateddeployments/web/status",
	                                 before + 1);
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/web", "{'status':null}");
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/web",
	             "{'status':{'observedGeneration':1}}");
	propagator_world_turn(w, 4000);
	before = fakeapi_requests(w->host, "/federateddeployments/web/status");
	propagator_world_turn(w, 3000);
	assert_int_equal(fakeapi_requests(w->host, "/federateddeployments/web/status"), before);
	fakeapi_no_rule(w->host, status);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'metadata':{'annotations':{'" TYPE_DEFINITION "':'newer'}}}");
	propagator_world_expect(w, w->host, WORLD_FEDERATED_DEPLOYMENTS, "shop/web", "Healthy");
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

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 0, 409, NULL);
	fakeapi_answer(w->host, "WRITE " WORLD_VERSIONS, 0, 409, NULL);
	propagator_world_deployment(w, "web", 3, "");
	expect_few_writes(w, web_gondor(w), "PATCH /apis/apps", 6);
	expect_few_writes(w, w->host, "propagatedversions", 4);
	web_expect_copy(w, 1, "\"replicas\":3");
	fakeapi_no_rule(web_gondor(w), NULL);
	web_expect_copy(w, 0, "\"replicas\":3");
}

static void test_without_propagated_versions_there_still_is_a_status(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(w->host, "WRITE " WORLD_VERSIONS, 0, 404, NULL);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_status(w, "\"status\":\"True\"");
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
	web_expect_copy(w, 0, "kubefed.io/managed");
}

static void test_a_template_that_cannot_replace_is_no_storm(void **state)
{
	struct propagator_world *w = *state;

	propagator_world_calm(w);
	fakeapi_answer(web_gondor(w), "PATCH " FAKEAPI_DEPLOYMENTS, 0, 500, NULL);
	fakeapi_put(web_gondor(w), FAKEAPI_DEPLOYMENTS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{}}");
	propagator_world_deployment(
		w, "web", 1,
		WORLD_EVERYWHERE ",'overrides':[{'clusterName':'gondor','clusterOverrides':[{"
				 "'op':'add','path':'/metadata/annotations','value':{'a':'b'}}]}]");
	fakeapi_answer(web_gondor(w), "PUT " FAKEAPI_DEPLOYMENTS, 0, 500, NULL);
	expect_few_writes(w, web_gondor(w), "PUT ", 3);
}

static void test_a_failing_webhook_does_not_end_apply_for_ever(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 2, 500, NULL);
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
	assert_int_equal(fakeapi_requests(web_gondor(w), "PUT "), 1);
	assert_int_equal(fakeapi_requests(web_gondor(w), "PATCH "), 2);
}

static void test_a_server_that_wants_to_be_left_alone_is(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, 429, "Retry-After: 2\n");
	propagator_world_deployment(w, "web", 2, "");
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 1);
	propagator_world_turn(w, 1200);
	assert_int_equal(fakeapi_requests(web_gondor(w), "PATCH "), 1);
	web_expect_copy(w, 1, "\"replicas\":2");
	web_expect_copy(w, 0, "\"replicas\":2");
}

static void test_a_changed_template_does_not_wait_for_the_pause_of_the_old_one(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(web_gondor(w), "WRITE " FAKEAPI_DEPLOYMENTS, 1, 403, NULL);
	propagator_world_deployment(w, "web", 2, "");
	web_expect_status(w, "UpdateFailed");
	propagator_world_deployment(w, "web", 3, "");
	propagator_world_expect_requests(w, web_gondor(w), "PATCH ", 2);
	web_expect_copy(w, 0, "\"replicas\":3");
}

/* What etcd does not store is not written again and again: it is written without what members say. */
static void test_a_status_that_is_too_large_is_written_without_those_of_members(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	w->settings.raw_status_collection = true;
	work_on_settings(w->work);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'statusCollection':'Enabled'}}");
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'replicas':5}}");
	web_expect_status(w, "\"remoteStatus\":{\"replicas\":5}");
	propagator_world_calm(w);
	fakeapi_answer(w->host, "PATCH " WORLD_FEDERATED_DEPLOYMENTS "/shop/web/status", 1, 413,
	               NULL);
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'replicas':6}}");
	web_expect_status(w, "its remoteStatus is too large to be shown here");
	web_expect_status(w, "!\"remoteStatus\":");
}

static void test_a_status_of_four_megabytes_is_left_out(void **state)
{
	enum { STATUS = 4000000 };
	struct propagator_world *w = *state;
	char *words = xcalloc(1, STATUS);

	memset(words, 'a', STATUS - 1);
	web_bring(w, WORLD_EVERYWHERE);
	w->settings.raw_status_collection = true;
	work_on_settings(w->work);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'statusCollection':'Enabled'}}");
	fakeapi_edit(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'words':'%s'}}", words);
	fakeapi_edit(web_rohan(w), FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'replicas':5}}");
	free(words);
	web_expect_status(w, "its remoteStatus is too large to be shown here");
	web_expect_status(w, "\"remoteStatus\":{\"replicas\":5}");
	propagator_world_deployment(w, "web", 2, "");
	web_expect_copy(w, 0, "\"replicas\":2");
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

/* As KubeFed had it, where the manager that ran without this gate wrote nothing to members. */
static void test_without_its_gate_nothing_is_propagated_until_it_is_enabled(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	w->settings.push_reconciler = false;
	work_on_settings(w->work);
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	                        "\"propagationController\":\"NotRunning\"");
	propagator_world_deployment(w, "web", 4, "");
	propagator_world_turn(w, 1500);
	assert_true(
		propagator_world_is(web_gondor(w), FAKEAPI_DEPLOYMENTS, WEB, "!\"replicas\":4"));
	w->settings.push_reconciler = true;
	work_on_settings(w->work);
	web_expect_copy(w, 0, "\"replicas\":4");
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	                        "\"propagationController\":\"Running\"");
}

static void test_a_type_is_let_go_with_kubefeds_finalizer(void **state)
{
	struct propagator_world *w = *state;
	const char *name = WORLD_FEDERATION "/configmaps";

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(
		w->host, WORLD_TYPES, name,
		"{'metadata':{'finalizers':['core.kubefed.io/federated-type-config','mine']}}");
	fakeapi_ask_to_delete(w->host, WORLD_TYPES, name);
	propagator_world_expect(w, w->host, WORLD_TYPES, name, "!federated-type-config");
	propagator_world_expect(w, w->host, WORLD_TYPES, name, "mine");
}

/* Nothing changes, so nothing is heard: it is tried again by itself. */
static void test_a_type_is_let_go_though_that_is_refused_at_first(void **state)
{
	struct propagator_world *w = *state;
	const char *name = WORLD_FEDERATION "/configmaps";

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_edit(w->host, WORLD_TYPES, name,
	             "{'metadata':{'finalizers':['core.kubefed.io/federated-type-config']}}");
	propagator_world_calm(w);
	fakeapi_answer(w->host, "PATCH " WORLD_TYPES "/" WORLD_FEDERATION "/configmaps", 2, 500,
	               NULL);
	fakeapi_ask_to_delete(w->host, WORLD_TYPES, name);
	propagator_world_expect(w, w->host, WORLD_TYPES, name, "!");
	assert_int_equal(fakeapi_requests_with(w->host, "PATCH ", "configmaps"), 3);
}

static void test_the_status_of_a_type_is_written_though_that_is_refused_at_first(void **state)
{
	struct propagator_world *w = *state;

	web_bring(w, WORLD_EVERYWHERE);
	fakeapi_answer(w->host, "PATCH " WORLD_TYPES, 2, 429, NULL);
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/configmaps",
	             "{'spec':{'propagation':'Disabled'}}");
	propagator_world_expect(w, w->host, WORLD_TYPES, WORLD_FEDERATION "/configmaps",
	                        "NotRunning\",\"statusController");
}

static void test_a_member_without_the_kind_stops_no_other(void **state)
{
	struct propagator_world *w = *state;

	fakeapi_unregister(web_gondor(w), FAKEAPI_DEPLOYMENTS);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	web_expect_copy(w, 1, "kubefed.io/managed");
	web_expect_status(w, "CachedRetrievalFailed");
	fakeapi_register(web_gondor(w), FAKEAPI_DEPLOYMENTS, "Deployment", true);
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	web_expect_copy(w, 1, "!");
	web_expect_status(w, "!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, web_setup, web_teardown)
		T(test_a_new_object_takes_one_request_in_a_member),
		T(test_a_changed_template_takes_one_write_in_a_member),
		T(test_a_template_that_changes_while_it_is_written_is_written_too),
		T(test_a_deletion_is_sent_once),
		T(test_only_what_was_seen_is_deleted),
		T(test_who_leads_next_writes_nothing),
		T(test_what_is_recorded_first_is_created_and_then_patched),
		T(test_a_record_that_is_there_after_all_is_patched),
		T(test_a_silent_host_is_not_written_to_without_end),
		T(test_what_is_placed_wrongly_is_not_recorded),
		T(test_what_is_placed_nowhere_is_recorded_without_a_list),
		T(test_a_newer_definition_brings_what_the_old_one_dropped),
		T(test_conflicts_are_not_answered_with_a_storm),
		T(test_without_propagated_versions_there_still_is_a_status),
		T(test_a_finalizer_that_conflicts_is_no_storm),
		T(test_a_template_that_cannot_replace_is_no_storm),
		T(test_a_failing_webhook_does_not_end_apply_for_ever),
		T(test_a_server_that_wants_to_be_left_alone_is),
		T(test_a_changed_template_does_not_wait_for_the_pause_of_the_old_one),
		T(test_a_status_that_is_too_large_is_written_without_those_of_members),
		T(test_a_status_of_four_megabytes_is_left_out),
		T(test_a_type_that_is_disabled_does_not_run_for_a_moment),
		T(test_without_its_gate_nothing_is_propagated_until_it_is_enabled),
		T(test_a_type_is_let_go_with_kubefeds_finalizer),
		T(test_a_type_is_let_go_though_that_is_refused_at_first),
		T(test_the_status_of_a_type_is_written_though_that_is_refused_at_first),
		T(test_a_member_without_the_kind_stops_no_other),
	};

	return cmocka_run_group_tests_name("propagator/controller", tests, NULL, NULL);
}
