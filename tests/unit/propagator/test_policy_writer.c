/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/policy_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/propagator_hub.h"

#define PODS   "/api/v1/namespaces/nigh-system/pods"
#define POD_A  PODS "/nighd-a:9053/proxy/status"
#define POD_B  PODS "/nighd-b:8053/proxy/status"
#define STATUS "PATCH /apis/nigh.dev/v1alpha1/namespaces/shop/trafficpolicies/"

/* A host with two ready pods of nighd and one that is not, and the writer. */
struct writing {
	struct hub *hub;
	struct policy_writer *writer;
	struct conf_strings urls;
	uint64_t every_ms;
};

static void start(struct writing *w)
{
	const struct policy_writer_settings settings = {
		.loop = &w->hub->loop,
		.host = w->hub->client,
		.backoff = &w->hub->backoff,
		.dispatch = w->hub->dispatch,
		.pods_namespace = "nigh-system",
		.urls = &w->urls,
		.every_ms = w->every_ms,
	};

	w->writer = policy_writer_start(&settings);
}

static void stop(struct writing *w)
{
	policy_writer_stop(w->writer);
	w->writer = NULL;
}

static void give(struct writing *w, const char *where, const char *body)
{
	fakeapi_no_rule(w->hub->host, where);
	fakeapi_answer_bytes(w->hub->host, where, 0, 200, "application/json", body, strlen(body));
}

static int setup(void **state)
{
	static const char pods[] =
		"{\"kind\":\"PodList\",\"items\":["
		"{\"metadata\":{\"name\":\"nighd-a\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]},"
		"\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":9053}]}"
		"]}},"
		"{\"metadata\":{\"name\":\"nighd-b\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"
		","
		"{\"metadata\":{\"name\":\"nighd-c\",\"namespace\":\"nigh-system\"},\"status\":"
		"{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}"
		"}]}";
	struct writing *w = xcalloc(1, sizeof(*w));

	w->hub = hub_new();
	w->every_ms = 300;
	give(w, PODS, pods);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct writing *w = *state;

	if (w->writer)
		stop(w);
	conf_strings_fini(&w->urls);
	hub_free(w->hub);
	free(w);
	return 0;
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- what there is --- */

static void put_policy(struct writing *w, const char *name)
{
	fakeapi_put(w->hub->host, FAKEAPI_POLICIES,
	            "{'metadata':{'name':'%s','namespace':'shop','generation':1},'spec':"
	            "{'targetRefs':[{'hostname':'www.example.com'}]}}",
	            name);
}

/* What a pod says of shop/web: that of this generation is in force, or not. */
static void say(struct writing *w, const char *where, int generation, bool programmed)
{
	struct text body = {0};

	text_printf(&body,
	            "{\"ready\":true,\"errors\":[],\"policies\":[{\"namespace\":\"shop\",\"name\":"
	            "\"web\",\"generation\":%d,\"conditions\":[{\"type\":\"Accepted\",\"status\":"
	            "\"True\",\"reason\":\"Accepted\",\"message\":\"\"},{\"type\":\"Programmed\","
	            "\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"\"}]}]}",
	            generation, programmed ? "True" : "False",
	            programmed ? "Programmed" : "WaitsForRanking");
	give(w, where, body.data);
	text_fini(&body);
}

static void both_say(struct writing *w, int generation, bool programmed)
{
	say(w, POD_A, generation, programmed);
	say(w, POD_B, generation, programmed);
}

static void expect(struct writing *w, const char *text)
{
	hub_expect(w->hub, FAKEAPI_POLICIES, "shop/web", text);
}

static const char in_force[] =
	"\"type\":\"Programmed\",\"status\":\"True\",\"reason\":\"Programmed\"";

/* shop/web has what both pods say. */
static void write_web(struct writing *w)
{
	put_policy(w, "web");
	both_say(w, 1, true);
	start(w);
	expect(w, in_force);
}

static unsigned writes(struct writing *w) { return fakeapi_requests(w->hub->host, "PATCH "); }

/* So many more rounds. */
struct rounds {
	const struct policy_writer *writer;
	uint64_t until;
};

static bool have_been(void *arg)
{
	const struct rounds *r = arg;

	return policy_writer_counts(r->writer).rounds >= r->until;
}

static void turn_rounds(struct writing *w, unsigned count)
{
	struct rounds r = {w->writer, policy_writer_counts(w->writer).rounds + count};

	hub_turn_until(w->hub, have_been, &r);
}

static void take_error(const char *where, const char *why, int64_t since, void *arg)
{
	(void)since;
	text_printf(arg, "%s: %s\n", where, why);
}

static void expect_errors(struct writing *w, const char *text)
{
	struct text errors = {0};

	policy_writer_each_error(w->writer, take_error, &errors);
	if (*text)
		assert_non_null(strstr(errors.data ? errors.data : "", text));
	else
		assert_int_equal(errors.len, 0);
	text_fini(&errors);
}

/* --- tests --- */

static void test_a_policy_has_the_conditions_that_nighd_reports(void **state)
{
	struct writing *w = *state;

	write_web(w);
	expect(w, "\"observedGeneration\":1,\"conditions\":[{\"type\":\"Accepted\",\"status\":"
	          "\"True\",\"reason\":\"Accepted\",\"message\":\"\",\"lastTransitionTime\":\"20");
	assert_non_null(fakeapi_last_request(w->hub->host, STATUS "web/status"));
	assert_non_null(strstr(fakeapi_last_body(w->hub->host), "\"uid\":\""));
	assert_null(strstr(fakeapi_last_body(w->hub->host), "\"spec\""));
	turn_rounds(w, 1);
	assert_int_equal(policy_writer_counts(w->writer).replicas, 2);
	assert_int_equal(policy_writer_counts(w->writer).policies, 1);
	assert_int_equal(policy_writer_counts(w->writer).writes, 1);
	expect_errors(w, "");
	/* The third is not ready. */
	assert_int_equal(fakeapi_requests(w->hub->host, "nighd-c"), 0);
}

static void test_nothing_is_written_while_nothing_differs(void **state)
{
	struct writing *w = *state;

	write_web(w);
	turn_rounds(w, 4);
	assert_int_equal(writes(w), 1);
	/* Nor by the next leader. */
	stop(w);
	start(w);
	turn_rounds(w, 2);
	assert_int_equal(writes(w), 1);
	both_say(w, 1, false);
	expect(w, "\"reason\":\"WaitsForRanking\"");
	assert_int_equal(writes(w), 2);
}

static void test_without_policies_nobody_is_asked(void **state)
{
	struct writing *w = *state;

	fakeapi_put(w->hub->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'" HUB_NAMESPACE
	            "'},'domain':'example.com'}");
	start(w);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(fakeapi_requests(w->hub->host, PODS), 0);
	put_policy(w, "web");
	both_say(w, 1, true);
	expect(w, in_force);
	fakeapi_delete(w->hub->host, FAKEAPI_POLICIES, "shop/web");
	hub_turn_for(w->hub, 1000);
	assert_int_equal(policy_writer_counts(w->writer).policies, 0);
	fakeapi_forget_requests(w->hub->host);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(fakeapi_requests(w->hub->host, PODS), 0);
}

static void test_where_the_kind_is_not_installed_nobody_is_asked(void **state)
{
	struct writing *w = *state;

	fakeapi_unregister(w->hub->host, FAKEAPI_POLICIES);
	start(w);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(fakeapi_requests(w->hub->host, PODS), 0);
	expect_errors(w, "");
	fakeapi_register(w->hub->host, FAKEAPI_POLICIES, "TrafficPolicy", true);
}

/* The pause is 15 s otherwise: 2 s, while nighd has not seen it either, 4 s ... */
static void test_a_changed_policy_is_asked_for_at_once(void **state)
{
	struct writing *w = *state;
	uint64_t rounds;

	w->every_ms = 0;
	write_web(w);
	fakeapi_edit(w->hub->host, FAKEAPI_POLICIES, "shop/web", "{'spec':{'ttl':5}}");
	rounds = policy_writer_counts(w->writer).rounds;
	turn_rounds(w, 1);
	assert_int_equal(policy_writer_counts(w->writer).rounds, rounds + 1);
	expect(w, "\"observedGeneration\":1,\"conditions\"");
	both_say(w, 2, true);
	expect(w, "\"observedGeneration\":2,\"conditions\"");
	/* Once more, for what the watch had not told yet; then it is calm. */
	turn_rounds(w, 1);
	fakeapi_forget_requests(w->hub->host);
	hub_turn_for(w->hub, 4000);
	assert_int_equal(fakeapi_requests(w->hub->host, PODS), 0);
}

static void test_the_worst_that_a_replica_says_is_told(void **state)
{
	struct writing *w = *state;

	put_policy(w, "web");
	say(w, POD_A, 1, true);
	say(w, POD_B, 1, false);
	start(w);
	expect(w, "\"reason\":\"WaitsForRanking\",\"message\":\"1 of 2 replicas of nighd say so\"");
	say(w, POD_B, 1, true);
	expect(w, in_force);
}

static void test_a_replica_that_cannot_be_read_is_left_out(void **state)
{
	static const struct {
		int status;
		const char *body;
	} bad[] = {
		{503, "{\"kind\":\"Status\",\"code\":503}"},
		{200, "<html>"},
		{200, "[]"},
		{200, "{\"ready\":true}"},
		{200, "{\"ready\":false,\"policies\":[]}"},
	};
	struct writing *w = *state;

	write_web(w);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fakeapi_no_rule(w->hub->host, POD_A);
		fakeapi_answer_bytes(w->hub->host, POD_A, 0, bad[i].status, "application/json",
		                     bad[i].body, strlen(bad[i].body));
		say(w, POD_B, 1, i % 2);
		expect(w, i % 2 ? in_force : "\"reason\":\"WaitsForRanking\"");
		expect(w, "!say so");
		assert_int_equal(policy_writer_counts(w->writer).replicas, 1);
		expect_errors(w, "");
	}
}

static void test_a_replica_that_is_silent_or_never_ends_delays_the_others_by_its_deadline(
	void **state)
{
	struct writing *w = *state;

	put_policy(w, "web");
	both_say(w, 1, true);
	fakeapi_stall(w->hub->host, POD_A, 0);
	start(w);
	expect(w, in_force);
	assert_int_equal(policy_writer_counts(w->writer).replicas, 1);
	fakeapi_no_rule(w->hub->host, POD_A);
	fakeapi_endless(w->hub->host, POD_A, 0, FAKEAPI_ENDLESS_OBJECT);
	say(w, POD_B, 1, false);
	expect(w, "\"reason\":\"WaitsForRanking\"");
	assert_int_equal(policy_writer_counts(w->writer).replicas, 1);
}

static void test_while_none_can_be_read_all_stays_and_that_is_told(void **state)
{
	struct writing *w = *state;

	write_web(w);
	fakeapi_answer(w->hub->host, POD_A, 0, 503, NULL);
	fakeapi_answer(w->hub->host, POD_B, 0, 503, NULL);
	turn_rounds(w, 3);
	assert_int_equal(writes(w), 1);
	expect(w, in_force);
	expect_errors(w, "conditions of TrafficPolicies, from nighd: nighd-a: 503 ");
	both_say(w, 1, true);
	turn_rounds(w, 2);
	expect_errors(w, "");
	/* No pods, or no right to see them. */
	give(w, PODS, "{\"kind\":\"PodList\",\"items\":[]}");
	turn_rounds(w, 2);
	expect_errors(w, "namespace nigh-system has no pod with the label "
	                 "app.kubernetes.io/name=nighd that is ready; nighd.namespace and "
	                 "nighd.urls say where nighd is\n");
	fakeapi_no_rule(w->hub->host, NULL);
	fakeapi_answer(w->hub->host, PODS, 0, 403, NULL);
	turn_rounds(w, 2);
	expect_errors(w, "pods of namespace nigh-system cannot be listed: 403 ");
	assert_int_equal(writes(w), 1);
	fakeapi_delete(w->hub->host, FAKEAPI_POLICIES, "shop/web");
	hub_turn_for(w->hub, 1000);
	expect_errors(w, "");
}

static void test_a_status_that_cannot_be_written_is_told_and_tried_again(void **state)
{
	struct writing *w = *state;

	put_policy(w, "web");
	both_say(w, 1, true);
	fakeapi_answer(w->hub->host, "PATCH " FAKEAPI_POLICIES, 2, 403, NULL);
	start(w);
	hub_expect_requests(w->hub, STATUS "web/status", 2);
	turn_rounds(w, 1);
	expect(w, in_force);
	turn_rounds(w, 1);
	expect_errors(w, "");
	assert_int_equal(writes(w), 3);
}

static void test_a_status_that_cannot_be_written_is_no_trouble_when_its_policy_goes(void **state)
{
	struct writing *w = *state;

	write_web(w);
	put_policy(w, "other");
	fakeapi_answer(w->hub->host, "PATCH " FAKEAPI_POLICIES "/shop/other/status", 0, 403, NULL);
	hub_expect_requests(w->hub, STATUS "other/status", 1);
	turn_rounds(w, 1);
	expect_errors(w, "TrafficPolicy shop/other: 403 ");
	fakeapi_delete(w->hub->host, FAKEAPI_POLICIES, "shop/other");
	turn_rounds(w, 2);
	expect_errors(w, "");
}

static void test_what_somebody_writes_over_it_is_set_right(void **state)
{
	struct writing *w = *state;

	write_web(w);
	fakeapi_edit(w->hub->host, FAKEAPI_POLICIES, "shop/web", "{'status':{'conditions':[]}}");
	expect(w, in_force);
}

/* So many policies "p0" ... and "bad0" ..., of which both pods say something. */
static void put_many(struct writing *w, int good, int bad)
{
	struct text body = {0};

	text_add(&body, "{\"ready\":true,\"errors\":[],\"policies\":[");
	for (int i = 0; i < good + bad; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s%d", i < good ? "p" : "bad", i);
		put_policy(w, name);
		text_printf(&body,
		            "%s{\"namespace\":\"shop\",\"name\":\"%s\",\"generation\":1,"
		            "\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"}]}",
		            i ? "," : "", name);
	}
	text_add(&body, "]}");
	give(w, POD_A, body.data);
	give(w, POD_B, body.data);
	text_fini(&body);
}

static void test_policies_that_cannot_be_written_starve_no_other(void **state)
{
	enum { GOOD = 10, BAD = 600 };
	struct writing *w = *state;

	put_many(w, GOOD, BAD);
	fakeapi_answer(w->hub->host, "PATCH " FAKEAPI_POLICIES "/shop/bad", 0, 403, NULL);
	start(w);
	hub_expect_requests(w->hub, STATUS "p", GOOD);
	expect_errors(w, "TrafficPolicy shop/bad");
	/* Nor those that change later. */
	turn_rounds(w, 2);
	fakeapi_edit(w->hub->host, FAKEAPI_POLICIES, "shop/p3", "{'status':{'conditions':[]}}");
	hub_expect_requests(w->hub, STATUS "p3/", 2);
	expect_errors(w, "TrafficPolicy shop/bad");
}

/* After 1 s, 2 s ... */
static void test_a_policy_that_cannot_be_written_is_tried_again_with_growing_pauses(void **state)
{
	struct writing *w = *state;

	put_many(w, 0, 1);
	fakeapi_answer(w->hub->host, "PATCH " FAKEAPI_POLICIES, 0, 403, NULL);
	start(w);
	hub_expect_requests(w->hub, STATUS "bad0/", 2);
	turn_rounds(w, 8);
	assert_true(writes(w) <= 4);
	/* It may be right when it has changed. */
	fakeapi_no_rule(w->hub->host, "PATCH " FAKEAPI_POLICIES);
	fakeapi_edit(w->hub->host, FAKEAPI_POLICIES, "shop/bad0", "{'spec':{'ttl':5}}");
	hub_expect(w->hub, FAKEAPI_POLICIES, "shop/bad0", "\"type\":\"Accepted\"");
	turn_rounds(w, 2);
	expect_errors(w, "");
}

static void on_answer(const struct kube_answer *answer, void *arg)
{
	*(bool *)arg = kube_answer_is_good(answer);
}

static bool is_true(void *arg) { return *(const bool *)arg; }

/* Each for its deadline. */
static void test_policies_whose_writes_hang_leave_room_for_other_writes_to_the_host(void **state)
{
	enum { BAD = 200, AT_ONCE = 24 };
	static const struct kube_resource services = {"", "v1", "services", "Service"};
	const struct kube_write get = {
		.verb = KUBE_GET, .resource = services, .namespace = "shop", .name = "web"};
	struct writing *w = *state;
	bool done = false;

	fakeapi_put(w->hub->host, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'web','namespace':'shop'}}");
	put_many(w, 0, BAD);
	fakeapi_stall(w->hub->host, "PATCH " FAKEAPI_POLICIES, 0);
	start(w);
	hub_expect_requests(w->hub, STATUS "bad", AT_ONCE);
	turn_rounds(w, 2);
	dispatch_add(w->hub->dispatch, &get, on_answer, &done);
	hub_turn_until(w->hub, is_true, &done);
	assert_int_equal(writes(w), AT_ONCE);
}

static void test_of_many_policies_each_is_written_once(void **state)
{
	enum { MANY = 600 };
	struct writing *w = *state;

	put_many(w, MANY, 0);
	w->every_ms = 0;
	start(w);
	hub_expect_requests(w->hub, STATUS, MANY);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(writes(w), MANY);
	assert_int_equal(policy_writer_counts(w->writer).writes, MANY);
}

static void test_nighds_outside_of_the_host_are_asked_at_their_urls(void **state)
{
	struct fakeapi *nighd =
		fakeapi_new(&(struct fakeapi_options){.plain = true, .http1 = true, .token = ""});
	static const char said[] =
		"{\"ready\":true,\"errors\":[],\"policies\":[{\"namespace\":\"shop\",\"name\":"
		"\"web\",\"conditions\":[{\"type\":\"Programmed\",\"status\":\"True\",\"reason\":"
		"\"Programmed\",\"message\":\"\"}]}]}";
	struct writing *w = *state;

	fakeapi_answer_bytes(nighd, "/status", 0, 200, "application/json", said, strlen(said));
	w->urls.item = xcalloc(2, sizeof(char *));
	w->urls.item[0] = xstrdup("http://127.0.0.1:1");
	w->urls.item[1] = xstrdup(fakeapi_url(nighd));
	w->urls.count = 2;
	put_policy(w, "web");
	start(w);
	expect(w, in_force);
	expect(w, "!observedGeneration");
	assert_int_equal(fakeapi_requests(w->hub->host, PODS), 0);
	assert_string_equal(fakeapi_authorization(nighd), "");
	stop(w);
	fakeapi_free(nighd);
}

static void test_it_ends_whatever_is_under_way(void **state)
{
	struct writing *w = *state;

	put_policy(w, "web");
	both_say(w, 1, true);
	fakeapi_stall(w->hub->host, "PATCH " FAKEAPI_POLICIES, 0);
	start(w);
	hub_expect_requests(w->hub, STATUS, 1);
	stop(w);
	fakeapi_forget_requests(w->hub->host);
	fakeapi_stall(w->hub->host, POD_A, 0);
	start(w);
	hub_expect_requests(w->hub, POD_A, 1);
	stop(w);
	start(w);
	stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_policy_has_the_conditions_that_nighd_reports),
		TEST(test_nothing_is_written_while_nothing_differs),
		TEST(test_without_policies_nobody_is_asked),
		TEST(test_where_the_kind_is_not_installed_nobody_is_asked),
		TEST(test_a_changed_policy_is_asked_for_at_once),
		TEST(test_the_worst_that_a_replica_says_is_told),
		TEST(test_a_replica_that_cannot_be_read_is_left_out),
		TEST(test_a_replica_that_is_silent_or_never_ends_delays_the_others_by_its_deadline),
		TEST(test_while_none_can_be_read_all_stays_and_that_is_told),
		TEST(test_a_status_that_cannot_be_written_is_told_and_tried_again),
		TEST(test_a_status_that_cannot_be_written_is_no_trouble_when_its_policy_goes),
		TEST(test_what_somebody_writes_over_it_is_set_right),
		TEST(test_policies_that_cannot_be_written_starve_no_other),
		TEST(test_a_policy_that_cannot_be_written_is_tried_again_with_growing_pauses),
		TEST(test_policies_whose_writes_hang_leave_room_for_other_writes_to_the_host),
		TEST(test_of_many_policies_each_is_written_once),
		TEST(test_nighds_outside_of_the_host_are_asked_at_their_urls),
		TEST(test_it_ends_whatever_is_under_way),
	};

	return cmocka_run_group_tests_name("propagator/policy_writer", tests, NULL, NULL);
}
