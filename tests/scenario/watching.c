/* watching.c -- how API servers are listed and watched, and what their mishaps change in answers: nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/world_api.h"

#define LISTS      FAKEAPI_ENDPOINTS "?!watch="
#define WATCHES    FAKEAPI_ENDPOINTS "?watch="
#define PAGES      FAKEAPI_ENDPOINTS "?continue="
#define FIRST_PAGE "externaldns.k8s.io/v1alpha1/dnsendpoints?limit=500 HTTP"
#define NEXT_PAGE  "externaldns.k8s.io/v1alpha1/dnsendpoints?limit=500&continue="
#define SMALL_LIST "externaldns.k8s.io/v1alpha1/dnsendpoints?limit=1 HTTP"
#define A_WATCH    "externaldns.k8s.io/v1alpha1/dnsendpoints?watch=1&allowWatchBookmarks=true"
#define STREAMING  "externaldns.k8s.io/v1alpha1/dnsendpoints?watch=1&sendInitialEvents=true"

enum { HOST_KINDS = 7, MEMBER_KINDS = 4, HEAVY = 1000000 };

static void start_with_old(struct world_api *a, const char *yaml)
{
	world_api_point(a->host, "old", "198.18.0.2");
	world_api_start(a, yaml);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	fakeapi_forget_requests(a->host);
}

/* --- connections --- */

static void test_one_connection_carries_all_watches_of_a_cluster(void **state)
{
	struct world_api *a = *state;

	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	world_api_await_watches(a, a->east, "", MEMBER_KINDS);
	world_api_await_watches(a, a->east, FAKEAPI_NODES, 1);
	assert_int_equal(fakeapi_connections_ever(a->host), 1);
	assert_int_equal(fakeapi_http2_connections(a->host), 1);
	assert_int_equal(fakeapi_connections_ever(a->east), 1);
	assert_int_equal(fakeapi_connections_ever(a->west), 1);
	world_api_await_count(a, "", "connections_total", 1);
	world_api_await_count(a, "east", "connections_total", 1);
	assert_int_equal(world_api_count(a, "", "connections_total"), 1);
	assert_int_equal(world_api_count(a, "east", "connections_total"), 1);
}

static void test_a_server_without_http2_is_watched_as_well(void **state)
{
	struct world_api *a = *state;

	world_api_host(a, &(struct fakeapi_options){.http1 = true});
	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	assert_int_equal(fakeapi_http2_connections(a->host), 0);
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
}

static void test_when_one_stream_hangs_the_others_go_on(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 3s, reply: 2s, backoff: 500ms}\n");
	fakeapi_hush_watches(a->host, WATCHES);
	world_api_point(a->host, "new", "198.18.0.9");
	fakeapi_put(a->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
	            "{'metadata':{'name':'o','namespace':'shop'},'spec':{'endpoints':[{'dnsName':"
	            "'other.example.com','recordType':'A','targets':['198.18.0.8']}]}}");
	world_api_await_answer(a, "other.example.com", "198.18.0.8");
	/* What happened meanwhile comes, too. */
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	assert_int_equal(fakeapi_connections_ever(a->host), 1);
	assert_true(fakeapi_requests(a->host, SMALL_LIST) >= 1);
	assert_int_equal(fakeapi_requests(a->host, "limit=500"), 0);
}

/* Its watches began at different times, and each finds it silent. */
static void test_a_connection_that_hangs_is_replaced_by_one(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 2s, reply: 2s, backoff: 500ms}\n");
	world_api_pass(a, 500);
	fakeapi_close_watches(a->host, FAKEAPI_ENDPOINTS_OF_KUBEFED);
	world_api_pass(a, 500);
	fakeapi_close_watches(a->host, FAKEAPI_SERVICE_RECORDS);
	world_api_await_requests(a, a->host, "servicednsrecords?watch=1", 1);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	fakeapi_forget_requests(a->host);
	fakeapi_freeze_open(a->host);
	world_api_point(a->host, "new", "198.18.0.9");
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_expect_changes(a);
	world_api_await_count(a, "", "replaced_total", 1);
	world_api_pass(a, 2000);
	assert_int_equal(fakeapi_connections_ever(a->host), 2);
	assert_int_equal(world_api_count(a, "", "replaced_total"), 1);
	assert_int_equal(fakeapi_requests(a->host, "limit=500"), 0);
}

static void test_a_list_that_hangs_has_the_connection_replaced(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 20s, reply: 1s, backoff: 500ms}\n");
	fakeapi_hang(a->host, LISTS, 1, 100);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	world_api_await_count(a, "", "replaced_total", 1);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
}

/* --- the first list --- */

static void test_the_first_list_comes_in_pages_and_is_consistent(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 1200, world_api_generate, NULL);
	world_api_start(a, WORLD_PACE);
	world_api_await_answer(a, "h1199.example.com", "198.18.20.175");
	world_api_await_answer(a, "h0.example.com", "198.18.16.0");
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 1);
	assert_int_equal(fakeapi_requests(a->host, NEXT_PAGE), 2);
	assert_null(strstr(fakeapi_last_request(a->host, NEXT_PAGE), "resourceVersion"));
	assert_int_equal(fakeapi_requests(a->host, "sendInitialEvents"), 0);
	world_api_await_count(a, "", "lists_total", HOST_KINDS);
	assert_int_equal(world_api_count(a, "", "lists_total"), HOST_KINDS);
}

static void test_an_expired_page_token_starts_the_list_over(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 1200, world_api_generate, NULL);
	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, PAGES, 1, 410, NULL);
	world_api_miss_changes(a);
	world_api_await_requests(a, a->host, FIRST_PAGE, 2);
	world_api_expect_changes(a);
	world_api_await_answer(a, "h1199.example.com", "198.18.20.175");
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 2);
	assert_int_equal(fakeapi_requests(a->host, NEXT_PAGE), 3);
}

/* The beginning of the list is known to be there, and is not yet its end. */
static void test_a_page_token_that_expires_for_ever_withdraws_nothing(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 1200, world_api_generate, NULL);
	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, PAGES, 0, 410, NULL);
	world_api_miss_changes(a);
	world_api_await_requests(a, a->host, FIRST_PAGE, 4);
	world_api_await_answer(a, "new.example.com", "NXDOMAIN"); /* is behind the first page */
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	world_api_await_answer(a, "h1199.example.com", "198.18.20.175");
	fakeapi_no_rule(a->host, PAGES);
	world_api_expect_changes(a);
}

/* A DNSEndpoint that takes long to parse, the last of the first page. */
static void put_heavy(struct fakeapi *f)
{
	struct text object = {0};

	text_add(&object, "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"heavy\"},\"spec\":{"
	                  "\"endpoints\":[{\"dnsName\":\"heavy.example.com\",\"recordType\":\"A\","
	                  "\"targets\":[\"198.18.0.7\"]}],\"none\":[0");
	for (unsigned i = 0; i < HEAVY; i++)
		text_add(&object, ",[]");
	text_add(&object, "]}}");
	fakeapi_put(f, FAKEAPI_ENDPOINTS, "%s", object.data);
	text_fini(&object);
}

/* What was sent is still being parsed when the next page is refused. */
static void test_a_next_page_that_is_refused_loses_nothing_of_the_one_before(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 499, world_api_generate, NULL);
	put_heavy(a->host); /* then "kept" and "old" */
	start_with_old(a, WORLD_PACE);
	world_api_await_answer(a, "heavy.example.com", "198.18.0.7");
	fakeapi_answer(a->host, PAGES, 1, 500, NULL);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	world_api_await_answer(a, "heavy.example.com", "198.18.0.7");
}

/* The next list says that it is of now, and breaks. */
static void break_next_list(struct world_api *a, const char *items)
{
	struct text list = {0};

	fakeapi_down(a->host);
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_point(a->host, "new", "198.18.0.9");
	fakeapi_compact(a->host);
	text_printf(&list,
	            "{\"kind\":\"DNSEndpointList\",\"apiVersion\":\"externaldns.k8s.io/v1alpha1\","
	            "\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"},\"items\":%s",
	            fakeapi_version(a->host), items);
	fakeapi_answer_bytes(a->host, FAKEAPI_ENDPOINTS "?limit=500", 1, 200, "application/json",
	                     list.data, list.len);
	text_fini(&list);
	fakeapi_up(a->host);
}

static void test_a_list_with_an_item_that_is_not_json_is_no_list(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	break_next_list(a, "[{\"metadata\":{\"name\":tru}}]}");
	world_api_expect_changes(a);
}

static void test_a_list_with_something_behind_it_is_no_list(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	break_next_list(a, "[]}x");
	world_api_expect_changes(a);
}

/* --- WatchList --- */

static void stream(struct world_api *a, enum fakeapi_watch_list how)
{
	world_api_host(a, &(struct fakeapi_options){.watch_list = how});
	fakeapi_set_version_text(a->host, "v1.34.4");
	world_api_point(a->host, "old", "198.18.0.2");
}

static void test_a_server_that_offers_streaming_lists_is_asked_for_them(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_SERVED);
	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 1200, world_api_generate, NULL);
	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	world_api_await_answer(a, "h1199.example.com", "198.18.20.175");
	assert_int_equal(fakeapi_requests(a->host, STREAMING), 1);
	assert_non_null(strstr(fakeapi_last_request(a->host, STREAMING),
	                       "resourceVersionMatch=NotOlderThan"));
	assert_int_equal(fakeapi_requests(a->host, "limit="), 0);
	/* The same stream goes on as the watch. */
	world_api_point(a->host, "new", "198.18.0.9");
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_expect_changes(a);
	assert_int_equal(fakeapi_requests(a->host, A_WATCH), 0);
	/* 1.31 does not. */
	assert_int_equal(fakeapi_requests(a->east, "sendInitialEvents"), 0);
}

static void test_a_streaming_list_that_is_begun_anew_drops_what_is_gone(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_SERVED);
	start_with_old(a, WORLD_PACE);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	assert_int_equal(fakeapi_requests(a->host, "limit=500"), 0);
}

static void expect_fallback(struct world_api *a)
{
	world_api_start(a, WORLD_IMPATIENT);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	assert_true(fakeapi_requests(a->host, STREAMING) >= 1);
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 1);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
}

static void test_a_server_that_refuses_streaming_lists_is_asked_for_pages(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_REFUSED);
	expect_fallback(a);
	assert_int_equal(fakeapi_requests(a->host, STREAMING), 1);
}

static void test_a_server_that_takes_it_for_a_watch_is_asked_for_pages(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_IGNORED);
	expect_fallback(a);
}

static void test_a_server_that_says_nothing_to_it_is_asked_for_pages(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_SERVED);
	fakeapi_stall(a->host, "/?sendInitialEvents", 0);
	expect_fallback(a);
}

/* A bookmark in between does not make the beginning of a list a whole one. */
static void test_a_streaming_list_cut_behind_a_bookmark_is_no_list(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_SERVED);
	start_with_old(a, WORLD_PACE);
	fakeapi_set_watch_list(a->host, FAKEAPI_WATCH_LIST_IGNORED);
	world_api_miss_changes(a);
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	fakeapi_bookmark(a->host, WATCHES);
	world_api_await_count(a, "", "bad_events_total", 0);
	world_api_pass(a, 500);
	fakeapi_drop(a->host, FAKEAPI_CUT_RESET);
	world_api_expect_changes(a);
}

/* --- watches --- */

/* The timeoutSeconds of the newest watch of `path`. */
static long timeout_of(struct fakeapi *f, const char *path)
{
	char text[160];
	const char *line, *at;

	snprintf(text, sizeof(text), "%s?watch=1", path);
	line = fakeapi_last_request(f, text);
	assert_non_null(line);
	assert_non_null(strstr(line, "allowWatchBookmarks=true"));
	at = strstr(line, "timeoutSeconds=");
	assert_non_null(at);
	return strtol(at + strlen("timeoutSeconds="), NULL, 10);
}

static void expect_random_timeouts(struct fakeapi *f)
{
	static const char *const paths[] = {FAKEAPI_ENDPOINTS,
	                                    FAKEAPI_SERVICE_RECORDS,
	                                    FAKEAPI_INGRESS_RECORDS,
	                                    FAKEAPI_ENDPOINTS_OF_KUBEFED,
	                                    "/domains",
	                                    "/kubefedclusters"};
	long first = timeout_of(f, paths[0]);
	bool differ = false;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		long timeout = timeout_of(f, paths[i]);

		assert_in_range(timeout, 300, 600);
		differ |= timeout != first;
	}
	assert_true(differ);
}

static void test_watches_ask_for_bookmarks_and_end_at_random_times(void **state)
{
	struct world_api *a = *state;

	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	expect_random_timeouts(a->host);
	world_api_await_count(a, "", "watches_total", HOST_KINDS);
	assert_int_equal(world_api_count(a, "", "watches_total"), HOST_KINDS);
}

static void test_streaming_lists_end_at_random_times_too(void **state)
{
	struct world_api *a = *state;

	stream(a, FAKEAPI_WATCH_LIST_SERVED);
	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	expect_random_timeouts(a->host);
}

static void test_a_bookmark_is_where_the_next_watch_begins(void **state)
{
	struct world_api *a = *state;
	char want[64];

	start_with_old(a, WORLD_PACE);
	fakeapi_skip_versions(a->host, 5000);
	fakeapi_bookmark(a->host, "");
	world_api_await_count(a, "", "events_total", HOST_KINDS);
	fakeapi_compact(a->host);
	fakeapi_close_watches(a->host, WATCHES);
	world_api_await_requests(a, a->host, A_WATCH, 1);
	snprintf(want, sizeof(want), "resourceVersion=%llu ",
	         (unsigned long long)fakeapi_version(a->host));
	assert_non_null(strstr(fakeapi_last_request(a->host, A_WATCH), want));
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	assert_int_equal(fakeapi_requests(a->host, "limit="), 0);
}

static void test_bookmarks_break_the_silence(void **state)
{
	struct world_api *a = *state;

	world_api_host(a, &(struct fakeapi_options){.bookmark_ms = 100});
	start_with_old(a, "watch: {silence: 5s, reply: 10s, backoff: 500ms}\n");
	world_api_pass(a, 8000);
	assert_int_equal(fakeapi_requests(a->host, ""), 0);
}

static void test_silence_is_checked_by_a_small_list(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 1s, reply: 10s, backoff: 500ms}\n");
	world_api_await_requests(a, a->host, SMALL_LIST, 1);
	world_api_await_requests(a, a->host, A_WATCH, 1);
	assert_int_equal(fakeapi_connections_ever(a->host), 1);
	assert_int_equal(fakeapi_requests(a->host, "limit=500"), 0);
	assert_int_equal(world_api_count(a, "", "replaced_total"), 0);
}

static void test_a_small_list_that_fails_has_the_connection_dropped(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 1s, reply: 10s, backoff: 500ms}\n");
	fakeapi_answer(a->host, FAKEAPI_ENDPOINTS "?limit=1", 1, 500, NULL);
	world_api_await_connections(a, a->host, 2);
	world_api_await_count(a, "", "replaced_total", 1);
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
}

/* --- 410 --- */

static void test_410_as_an_error_event_means_a_new_list(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	world_api_miss_changes(a); /* so it answers to the old version */
	world_api_expect_changes(a);
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 1);
	world_api_await_requests(a, a->host, A_WATCH, 2);
}

static void test_410_as_a_status_means_a_new_list(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, WATCHES, 1, 410, NULL);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 1);
}

static void test_410_to_a_first_page_is_asked_again(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, LISTS, 3, 410, NULL);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
}

static void test_410_to_every_watch_is_no_storm_of_lists(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, "watch: {silence: 20s, reply: 10s, backoff: 2s}\n");
	fakeapi_answer(a->host, WATCHES, 0, 410, NULL);
	fakeapi_close_watches(a->host, WATCHES);
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_await_answer(a, "old.example.com", "NXDOMAIN"); /* lists tell it, too */
	fakeapi_forget_requests(a->host);
	world_api_pass(a, 4000);
	assert_in_range(fakeapi_requests(a->host, FIRST_PAGE), 1, 40);
	fakeapi_no_rule(a->host, NULL);
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
}

/* --- asked to wait --- */

/* From the first request with `text` to the second, at least so long. */
static void expect_pause(struct world_api *a, struct fakeapi *f, const char *text, uint64_t least)
{
	uint64_t first_ms, second_ms;

	world_api_await_requests(a, f, text, 1);
	first_ms = clock_monotonic_ms();
	world_api_await_requests(a, f, text, 2);
	second_ms = clock_monotonic_ms();
	if (second_ms - first_ms + 500 < least)
		world_fail(a->w, "asked again after %u ms", (unsigned)(second_ms - first_ms));
}

static void test_429_and_its_retry_after_are_obeyed(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, WATCHES, 1, 429, "Retry-After: 3");
	fakeapi_close_watches(a->host, WATCHES);
	world_api_point(a->host, "new", "198.18.0.9");
	expect_pause(a, a->host, A_WATCH, 3000);
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	assert_int_equal(fakeapi_requests(a->host, "limit=500"), 0);
}

static void test_503_and_its_retry_after_are_obeyed(void **state)
{
	struct world_api *a = *state;

	start_with_old(a, WORLD_PACE);
	fakeapi_answer(a->host, LISTS, 1, 503, "Retry-After: 3");
	fakeapi_fail_watches(a->host, WATCHES, 410);
	world_api_point(a->host, "new", "198.18.0.9");
	expect_pause(a, a->host, FIRST_PAGE, 3000);
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
}

static void test_a_failing_cluster_is_left_alone_more_and_more_and_slows_no_other(void **state)
{
	struct world_api *a = *state;
	uint64_t begun_ms;

	world_api_start(a, "watch: {silence: 20s, reply: 10s, backoff: 4s}\n");
	world_api_await_watches(a, a->west, "", MEMBER_KINDS);
	fakeapi_answer(a->east, "/api/v1/services", 0, 503, NULL);
	fakeapi_close_watches(a->east, "/api/v1/services");
	/* Half of 250, 500, 1000, 2000, and then of the cap. */
	world_api_await_requests(a, a->east, "GET /api/v1/services?watch=1", 7);
	fakeapi_forget_requests(a->east);
	begun_ms = clock_monotonic_ms();
	world_api_serve(a->west, "198.18.2.2");
	fakeapi_delete(a->east, FAKEAPI_SLICES, "shop/web-1");
	world_api_await_answer(a, WORLD_WEB, "198.18.2.2");
	/* Capped: it comes back before long. */
	fakeapi_no_rule(a->east, NULL);
	world_api_serve(a->east, "198.18.1.2");
	world_api_await_answer(a, WORLD_WEB, "198.18.1.2");
	assert_in_range(clock_monotonic_ms() - begun_ms, 0, 15000);
	assert_in_range(fakeapi_requests(a->east, "GET /api/v1/services?"), 1, 30);
	assert_int_equal(world_api_count(a, "west", "watches_total"), MEMBER_KINDS);
}

static void test_retry_after_of_one_cluster_is_not_another_s(void **state)
{
	struct world_api *a = *state;

	world_api_start(a, WORLD_PACE);
	world_api_await_watches(a, a->west, "", MEMBER_KINDS);
	fakeapi_delete(a->east, FAKEAPI_SLICES, "shop/web-1");
	world_api_await_answer(a, WORLD_WEB, WORLD_WEST_AT);
	fakeapi_answer(a->east, "", 0, 429, "Retry-After: 60");
	fakeapi_drop(a->east, FAKEAPI_CUT_CLOSE);
	world_api_await_status(a, "\"knowledge\":\"unseen\"");
	fakeapi_drop(a->west, FAKEAPI_CUT_CLOSE);
	fakeapi_forget_requests(a->west);
	world_api_serve(a->west, "198.18.2.2");
	world_api_await_requests(a, a->west, "GET /api/v1/services?watch=1", 1);
	world_api_await_answer(a, WORLD_WEB, "198.18.2.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_api_test(test_one_connection_carries_all_watches_of_a_cluster),
		world_api_test(test_a_server_without_http2_is_watched_as_well),
		world_api_test(test_when_one_stream_hangs_the_others_go_on),
		world_api_test(test_a_connection_that_hangs_is_replaced_by_one),
		world_api_test(test_a_list_that_hangs_has_the_connection_replaced),
		world_api_test(test_the_first_list_comes_in_pages_and_is_consistent),
		world_api_test(test_an_expired_page_token_starts_the_list_over),
		world_api_test(test_a_page_token_that_expires_for_ever_withdraws_nothing),
		world_api_test(test_a_next_page_that_is_refused_loses_nothing_of_the_one_before),
		world_api_test(test_a_list_with_an_item_that_is_not_json_is_no_list),
		world_api_test(test_a_list_with_something_behind_it_is_no_list),
		world_api_test(test_a_server_that_offers_streaming_lists_is_asked_for_them),
		world_api_test(test_a_streaming_list_that_is_begun_anew_drops_what_is_gone),
		world_api_test(test_a_server_that_refuses_streaming_lists_is_asked_for_pages),
		world_api_test(test_a_server_that_takes_it_for_a_watch_is_asked_for_pages),
		world_api_test(test_a_server_that_says_nothing_to_it_is_asked_for_pages),
		world_api_test(test_a_streaming_list_cut_behind_a_bookmark_is_no_list),
		world_api_test(test_watches_ask_for_bookmarks_and_end_at_random_times),
		world_api_test(test_streaming_lists_end_at_random_times_too),
		world_api_test(test_a_bookmark_is_where_the_next_watch_begins),
		world_api_test(test_bookmarks_break_the_silence),
		world_api_test(test_silence_is_checked_by_a_small_list),
		world_api_test(test_a_small_list_that_fails_has_the_connection_dropped),
		world_api_test(test_410_as_an_error_event_means_a_new_list),
		world_api_test(test_410_as_a_status_means_a_new_list),
		world_api_test(test_410_to_a_first_page_is_asked_again),
		world_api_test(test_410_to_every_watch_is_no_storm_of_lists),
		world_api_test(test_429_and_its_retry_after_are_obeyed),
		world_api_test(test_503_and_its_retry_after_are_obeyed),
		world_api_test(
			test_a_failing_cluster_is_left_alone_more_and_more_and_slows_no_other),
		world_api_test(test_retry_after_of_one_cluster_is_not_another_s),
	};

	return cmocka_run_group_tests_name("scenario/watching", tests, NULL, NULL);
}
