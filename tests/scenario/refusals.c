/* refusals.c -- what an API server does not serve: not yet, not any more, not to us, or not at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/world_fleet.h"

#define LA      "198.18.3.10"
#define HOUSTON "198.18.2.10"
#define LA_NAME "la.shop.fed.svc.example.com"

#define CUSTOM_KINDS "/apis/"

static struct fakeapi *joined(struct world_fleet *f)
{
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	return la;
}

/* --- a server that has just started --- */

/* As long as it takes: SERVFAIL, never that there is no such name. */
static void expect_servfail_until(struct world_fleet *f, const char *answer, unsigned within_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + within_ms;
	const char *now;

	while (strcmp(now = world_ask(f->world, LA_NAME, "A", NULL), answer) != 0) {
		if (strcmp(now, "SERVFAIL") != 0)
			world_fail(f->world, "answers %s before the host is known", now);
		if (clock_monotonic_ms() >= until_ms)
			world_fail(f->world, "is not %s within %u ms", answer, within_ms);
	}
}

/* A fresh nighd without state beside a host that is not ready; the patience at the start is shorter than that. */
static void start_beside_unready_host(struct world_fleet *f, int status)
{
	joined(f);
	fakeapi_answer(f->host, CUSTOM_KINDS, 0, status, NULL);
	fakeapi_answer(f->host, "/readyz", 0, 500, NULL);
	world_fleet_config(f, NULL, "zones: [{name: example.com}]\nstartup: {patience: 3s}");
	world_start_unready(f->world);
}

static void expect_no_lie(struct world_fleet *f, int status, unsigned for_ms)
{
	char text[32];

	start_beside_unready_host(f, status);
	world_fleet_expect_stays(f, "la", "SERVFAIL", for_ms);
	snprintf(text, sizeof(text), ": %d ", status);
	if (status == 429)
		world_fleet_expect_status(f, text);
	else
		world_fleet_expect_status(f, "the server says that it is not ready");
	world_fleet_expect_status(f, "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"never\"");
	fakeapi_no_rule(f->host, NULL);
	expect_servfail_until(f, LA, 20000);
}

/* Longer than the time after which a server that says nothing is believed. */
static void test_a_fresh_nighd_believes_no_404_of_a_server_that_is_not_ready(void **state)
{
	expect_no_lie(*state, 404, 7000);
}

static void test_a_fresh_nighd_believes_no_403_of_a_server_that_is_not_ready(void **state)
{
	expect_no_lie(*state, 403, 2000);
}

static void test_a_fresh_nighd_waits_while_it_is_told_429(void **state)
{
	expect_no_lie(*state, 429, 2000);
}

static void test_without_patience_readyz_waits_for_the_host(void **state)
{
	struct world_fleet *f = *state;
	int status;

	joined(f);
	fakeapi_answer(f->host, CUSTOM_KINDS, 0, 404, NULL);
	fakeapi_answer(f->host, "/readyz", 0, 500, NULL);
	world_fleet_config(f, NULL, "startup: {patience: 60s}");
	world_start_unready(f->world);
	world_expect_stays(f->world, LA_NAME, "A", NULL, "SERVFAIL", 6500);
	world_get(f->world, "/readyz", &status);
	assert_int_equal(status, 503);
	fakeapi_no_rule(f->host, NULL);
	expect_servfail_until(f, LA, 20000);
	world_get(f->world, "/readyz", &status);
	assert_int_equal(status, 200);
}

/* It is asked whether it is ready, and when it is, what it refused before is asked for again. */
static void test_a_refusal_from_before_it_was_ready_does_not_count_afterwards(void **state)
{
	struct world_fleet *f = *state;

	start_beside_unready_host(f, 404);
	fakeapi_expect_requests(f->host, "/readyz", 2, 10000);
	fakeapi_no_rule(f->host, NULL);
	expect_servfail_until(f, LA, 3000);
}

static void expect_nothing_withdrawn(struct world_fleet *f, int status)
{
	struct fakeapi *la = joined(f);

	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_down(f->host);
	fakeapi_down(la);
	fakeapi_answer(f->host, CUSTOM_KINDS, 0, status, NULL);
	fakeapi_answer(la, "/api", 0, status, NULL);
	fakeapi_up(f->host);
	fakeapi_up(la);
	fakeapi_expect_requests(la, "/services", 3, 10000);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"unseen\"");
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"unseen\"");
	world_fleet_expect_stays(f, "la", LA, 2000);
	fakeapi_no_rule(f->host, NULL);
	fakeapi_no_rule(la, NULL);
	world_fleet_service(la, "la", HOUSTON);
	world_fleet_expect(f, "la", HOUSTON);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
}

static void test_nothing_is_withdrawn_for_429(void **state)
{
	expect_nothing_withdrawn(*state, 429);
}

static void test_nothing_is_withdrawn_for_403(void **state)
{
	expect_nothing_withdrawn(*state, 403);
}

static void test_nothing_is_withdrawn_for_404(void **state)
{
	expect_nothing_withdrawn(*state, 404);
}

static void test_nothing_is_withdrawn_for_401(void **state)
{
	expect_nothing_withdrawn(*state, 401);
}

/* --- kinds that are not there --- */

static void test_a_kind_that_is_not_installed_is_no_error_and_found_later(void **state)
{
	struct world_fleet *f = *state;

	fakeapi_unregister(f->host, FAKEAPI_ENDPOINTS);
	joined(f);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"absent\":[\"dnsendpoints.externaldns.k8s.io\"]");
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
	world_fleet_expect_status(f, "!not installed");
	fakeapi_register(f->host, FAKEAPI_ENDPOINTS, "DNSEndpoint", true);
	fakeapi_put(f->host, FAKEAPI_ENDPOINTS,
	            "{'metadata':{'name':'e','namespace':'shop'},'spec':{'endpoints':[{'dnsName':"
	            "'late.example.com','recordType':'A','targets':['198.18.9.9']}]}}");
	world_expect(f->world, "late.example.com", "A", NULL, "198.18.9.9", 15000);
	world_fleet_expect_status(f, "\"absent\":[],\"credentialExpires\"");
}

static void test_a_host_without_any_of_our_kinds_is_seen_and_they_are_found_later(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *bare = world_fleet_api(f, &(struct fakeapi_options){.no_custom = true});

	fakeapi_kubeconfig(bare, f->world, "host.kubeconfig");
	world_start(f->world);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
	world_expect(f->world, LA_NAME, "A", NULL, "REFUSED", 0);
	f->host = bare;
	fakeapi_register(bare, FAKEAPI_CLUSTERS, "KubeFedCluster", true);
	fakeapi_register(bare, FAKEAPI_DOMAINS, "Domain", true);
	fakeapi_register(bare, FAKEAPI_SERVICE_RECORDS, "ServiceDNSRecord", true);
	fakeapi_put(bare, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'domain':'example.com'}");
	joined(f);
	world_fleet_expect(f, "la", LA);
}

static void test_a_crd_that_is_deleted_withdraws_nothing(void **state)
{
	struct world_fleet *f = *state;

	joined(f);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_unregister(f->host, FAKEAPI_SERVICE_RECORDS);
	world_fleet_expect_status(f, "servicednsrecords: not installed any more: 404");
	world_fleet_expect_stays(f, "la", LA, 1000);
	fakeapi_register(f->host, FAKEAPI_SERVICE_RECORDS, "ServiceDNSRecord", true);
	world_fleet_expect_status(f,
	                          "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\"");
	fakeapi_delete(f->host, FAKEAPI_SERVICE_RECORDS, "shop/la");
	world_fleet_expect(f, "la", "NXDOMAIN");
}

/* --- kinds that are not for us --- */

static void test_kinds_forbidden_from_the_start_are_named_and_the_rest_works(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f);

	fakeapi_forbid(la, FAKEAPI_INGRESSES);
	fakeapi_forbid(la, FAKEAPI_NODES);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"forbidden\":[\"ingresses.networking.k8s.io\",\"nodes\"]");
	world_fleet_expect_metric(f, "watcher_api_forbidden{cluster=\"la\",kind=\"nodes\"}", 1);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
	fakeapi_allow(la, FAKEAPI_INGRESSES);
	fakeapi_allow(la, FAKEAPI_NODES);
	world_fleet_expect_status(f, "!\"forbidden\":[\"ingresses");
}

static void test_a_kind_that_is_forbidden_later_withdraws_nothing(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f);

	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_forbid(la, FAKEAPI_SERVICES);
	fakeapi_close_watches(la, FAKEAPI_SERVICES);
	world_fleet_expect_status(f, "\"forbidden\":[\"services\"]");
	world_fleet_expect_metric(f, "watcher_api_forbidden{cluster=\"la\",kind=\"services\"}", 1);
	world_fleet_expect_status(f, "services is forbidden: User");
	world_fleet_expect_stays(f, "la", LA, 1000);
	fakeapi_allow(la, FAKEAPI_SERVICES);
	world_fleet_service(la, "la", HOUSTON);
	world_fleet_expect(f, "la", HOUSTON);
	world_expect_http(f->world, "/metrics", "!watcher_api_forbidden{cluster=\"la\"",
	                  WORLD_FLEET_PATIENCE_MS);
}

/* A server looks at a right when a watch begins. */
static void test_a_right_that_is_taken_away_is_noticed_while_the_watch_lasts(void **state)
{
	enum { CHECKED_MS = 40000 };
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f);

	world_config(f->world, "sources: {" WORLD_FLEET_HOST "}\n"
	                       "watch: {silence: 5m, reply: 5s, backoff: 500ms}\n");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_forbid(la, FAKEAPI_SERVICES);
	world_expect_http(f->world, "/status", "\"forbidden\":[\"services\"]", CHECKED_MS);
	world_fleet_expect_stays(f, "la", LA, 500);
}

/* --- what is asked for --- */

static void test_of_nodes_only_metadata_is_asked_for(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f);
	char *many = calloc(1, 400001);

	memset(many, 'x', 400000);
	fakeapi_put(la, FAKEAPI_NODES,
	            "{'metadata':{'name':'n1','labels':{'topology.kubernetes.io/region':'west'}},"
	            "'status':{'images':['%s']}}",
	            many);
	world_start(f->world);
	world_fleet_expect_status(f, "\"region\":\"west\"");
	/* By the watch, too. */
	fakeapi_put(la, FAKEAPI_NODES,
	            "{'metadata':{'name':'n1','labels':{'topology.kubernetes.io/region':'east'}},"
	            "'status':{'images':['%s']}}",
	            many);
	free(many);
	world_fleet_expect_status(f, "\"region\":\"east\"");
	assert_true(fakeapi_bytes(la) < 300000);
}

static void test_secrets_are_asked_for_one_by_one(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *houston = world_fleet_api(f, NULL);

	joined(f);
	world_fleet_publish(f, houston, "houston", HOUSTON);
	world_fleet_join(f, "houston", houston, "");
	world_fleet_secret(f, "not-ours", "of-somebody-else");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect(f, "houston", HOUSTON);
	world_fleet_secret(f, "la", "another");
	world_fleet_expect_metric(f, "watcher_api_replaced_total{cluster=\"la\"}", 1);
	assert_true(fakeapi_requests(f->host, "/secrets") >= 4);
	assert_int_equal(fakeapi_requests(f->host, "/secrets"),
	                 fakeapi_requests(f->host, "fieldSelector=metadata.name=la ") +
	                         fakeapi_requests(f->host, "fieldSelector=metadata.name=houston "));
	assert_int_equal(fakeapi_requests(f->host, "GET /api/v1/secrets"), 0);
}

/* --- odd answers --- */

static void test_endpoints_null_is_none(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f), *houston = world_fleet_api(f, NULL);

	world_fleet_service(houston, "la", HOUSTON);
	world_fleet_join(f, "houston", houston, "");
	fakeapi_put(la, FAKEAPI_SLICES,
	            "{'metadata':{'name':'la-1','namespace':'shop','labels':"
	            "{'kubernetes.io/service-name':'la'}},'addressType':'IPv4','endpoints':null}");
	world_start(f->world);
	world_fleet_expect(f, "la", HOUSTON);
	world_fleet_expect_stays(f, "la", HOUSTON, 300);
	world_fleet_expect_status(f, "!EndpointSlice");
	world_fleet_service(la, "la", LA);
	fakeapi_put(houston, FAKEAPI_SLICES,
	            "{'metadata':{'name':'la-1','namespace':'shop','labels':"
	            "{'kubernetes.io/service-name':'la'}},'addressType':'IPv4','endpoints':null}");
	world_fleet_expect(f, "la", LA);
}

static void test_the_version_may_be_any_text(void **state)
{
	static const char garbage[] = "<html>\0\1\xff not JSON {";
	enum { HUGE_LEN = 3 << 20 };
	struct world_fleet *f = *state;
	struct fakeapi *la = joined(f), *huge = world_fleet_api(f, NULL);
	struct fakeapi *odd = world_fleet_api(f, NULL), *stalled = world_fleet_api(f, NULL);
	char *many = malloc(HUGE_LEN);

	memset(many, '[', HUGE_LEN);
	fakeapi_answer_bytes(la, "/version", 0, 200, "text/html", garbage, sizeof(garbage));
	fakeapi_answer_bytes(huge, "/version", 0, 200, "application/json", many, HUGE_LEN);
	free(many);
	fakeapi_set_version_text(odd, "v1.31\n\x1b[31m \"<script>\\ and so on, and on, and on, and "
	                              "on, and on, and on, and on, and on, THE-END");
	fakeapi_stall(stalled, "/version", 0);
	world_fleet_publish(f, huge, "huge", "198.18.0.1");
	world_fleet_publish(f, odd, "odd", "198.18.0.2");
	world_fleet_publish(f, stalled, "stalled", "198.18.0.3");
	world_fleet_join(f, "huge", huge, "");
	world_fleet_join(f, "odd", odd, "");
	world_fleet_join(f, "stalled", stalled, "");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect(f, "huge", "198.18.0.1");
	world_fleet_expect(f, "odd", "198.18.0.2");
	world_expect(f->world, "stalled.shop.fed.svc.example.com", "A", NULL, "198.18.0.3", 6000);
	world_fleet_expect_status(f, "\"version\":\"v1.31[31m\\\"<script>");
	world_fleet_expect_status(f, "!THE-END");
	world_fleet_expect_status(f, "!<html>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_a_fresh_nighd_believes_no_404_of_a_server_that_is_not_ready),
		world_fleet_test(test_a_fresh_nighd_believes_no_403_of_a_server_that_is_not_ready),
		world_fleet_test(test_a_fresh_nighd_waits_while_it_is_told_429),
		world_fleet_test(test_without_patience_readyz_waits_for_the_host),
		world_fleet_test(test_a_refusal_from_before_it_was_ready_does_not_count_afterwards),
		world_fleet_test(test_nothing_is_withdrawn_for_429),
		world_fleet_test(test_nothing_is_withdrawn_for_403),
		world_fleet_test(test_nothing_is_withdrawn_for_404),
		world_fleet_test(test_nothing_is_withdrawn_for_401),
		world_fleet_test(test_a_kind_that_is_not_installed_is_no_error_and_found_later),
		world_fleet_test(
			test_a_host_without_any_of_our_kinds_is_seen_and_they_are_found_later),
		world_fleet_test(test_a_crd_that_is_deleted_withdraws_nothing),
		world_fleet_test(test_kinds_forbidden_from_the_start_are_named_and_the_rest_works),
		world_fleet_test(test_a_kind_that_is_forbidden_later_withdraws_nothing),
		world_fleet_test(test_a_right_that_is_taken_away_is_noticed_while_the_watch_lasts),
		world_fleet_test(test_of_nodes_only_metadata_is_asked_for),
		world_fleet_test(test_secrets_are_asked_for_one_by_one),
		world_fleet_test(test_endpoints_null_is_none),
		world_fleet_test(test_the_version_may_be_any_text),
	};

	return cmocka_run_group_tests_name("scenario/refusals", tests, NULL, NULL);
}
