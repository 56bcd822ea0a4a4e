/* watching_cuts.c -- API servers that break off, send too much, send nonsense, or wake up in the past. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world_api.h"

#define LISTS      FAKEAPI_ENDPOINTS "?limit=500"
#define WATCHES    FAKEAPI_ENDPOINTS "?watch="
#define FIRST_PAGE "externaldns.k8s.io/v1alpha1/dnsendpoints?limit=500 HTTP"
#define A_WATCH    "externaldns.k8s.io/v1alpha1/dnsendpoints?watch=1&allowWatchBookmarks=true"
#define POINT                                                                                      \
	"{'apiVersion':'externaldns.k8s.io/v1alpha1','kind':'%s','metadata':{'name':'%s',"         \
	"'namespace':'shop','resourceVersion':'%llu'},'spec':{'endpoints':[{'dnsName':"            \
	"'%s.example.com','recordType':'A','targets':['%s']}]}}"

enum { HOST_KINDS = 7 };

static void start(struct world_api *a, const char *yaml)
{
	world_api_point(a->host, "old", "198.18.0.2");
	world_api_start(a, yaml);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	world_api_await_watches(a, a->host, "", HOST_KINDS);
	fakeapi_forget_requests(a->host);
}

/* An event with that object, at a resourceVersion so far from the newest. */
static void send_event(struct world_api *a, const char *type, const char *kind, const char *name,
                       const char *address, long later)
{
	unsigned long long version = (unsigned long long)((long)fakeapi_version(a->host) + later);
	char object[1024];

	snprintf(object, sizeof(object), POINT, kind, name, version, name, address);
	fakeapi_send_line(a->host, WATCHES, "{'type':'%s','object':%s}", type, object);
}

/* --- cuts --- */

static void cut_events(struct world_api *a)
{
	static const size_t offsets[] = {0,   1,   9,   30,      60,
	                                 120, 200, 300, 1000000, FAKEAPI_MID_CHARACTER};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		char address[32];

		snprintf(address, sizeof(address), "198.18.3.%zu", i);
		world_api_await_watches(a, a->host, WATCHES, 1);
		fakeapi_cut_next_event(a->host, WATCHES, offsets[i], (enum fakeapi_cut)(i % 3));
		world_api_point(a->host, "old", address);
		world_api_await_answer(a, "old.example.com", address);
	}
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
	world_api_await_requests(a, a->host, A_WATCH, 9);
}

static void test_a_watch_cut_inside_an_event_or_a_character_goes_on_behind_it(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	cut_events(a);
}

static void test_so_does_a_watch_of_http1(void **state)
{
	struct world_api *a = *state;

	world_api_host(a, &(struct fakeapi_options){.http1 = true});
	start(a, WORLD_PACE);
	cut_events(a);
}

static void test_a_watch_cut_between_events_goes_on(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	for (unsigned i = 0; i < 6; i++) {
		char address[32];

		snprintf(address, sizeof(address), "198.18.3.%u", i);
		world_api_await_watches(a, a->host, "", HOST_KINDS);
		fakeapi_drop(a->host, (enum fakeapi_cut)(i % 2));
		world_api_point(a->host, "old", address);
		world_api_await_answer(a, "old.example.com", address);
	}
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
	/* After a break a list of one object tells whether the server has gone back. */
	assert_true(fakeapi_requests(a->host, "dnsendpoints?limit=1 ") >= 6);
}

static void test_a_goaway_loses_nothing(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	fakeapi_goaway(a->host);
	world_api_point(a->host, "old", "198.18.3.1");
	world_api_await_answer(a, "old.example.com", "198.18.3.1");
	fakeapi_close_watches(a->host, "");
	world_api_point(a->host, "old", "198.18.3.2");
	world_api_await_answer(a, "old.example.com", "198.18.3.2");
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
}

static void test_a_list_that_is_cut_withdraws_nothing(void **state)
{
	static const uint64_t offsets[] = {0, 1, 50, 300, 700, 100000};
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 700, world_api_generate, NULL);
	start(a, WORLD_PACE);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		fakeapi_cut(a->host, LISTS, 1, offsets[i], (enum fakeapi_cut)(i % 3));
	world_api_miss_changes(a);
	world_api_await_requests(a, a->host, FIRST_PAGE, 6);
	world_api_expect_changes(a);
	world_api_await_answer(a, "h699.example.com", "198.18.18.187");
}

static void test_a_second_page_that_is_cut_has_the_list_begun_again(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 700, world_api_generate, NULL);
	start(a, WORLD_PACE);
	fakeapi_cut(a->host, FAKEAPI_ENDPOINTS "?continue=", 3, 1000, FAKEAPI_CUT_STREAM);
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	assert_true(fakeapi_requests(a->host, FIRST_PAGE) >= 4);
}

static void test_empty_pages_without_end_are_no_list(void **state)
{
	static const char page[] = "{\"kind\":\"DNSEndpointList\",\"apiVersion\":"
				   "\"externaldns.k8s.io/v1alpha1\",\"metadata\":{\"continue\":"
				   "\"bW9yZQ\",\"resourceVersion\":\"9999\"},\"items\":[]}";
	struct world_api *a = *state;

	start(a, "watch: {silence: 20s, reply: 10s, backoff: 2s}\n");
	fakeapi_answer_bytes(a->host, LISTS, 0, 200, "application/json", page, strlen(page));
	world_api_miss_changes(a);
	world_api_await_status(a, "an empty page that is not the last");
	fakeapi_forget_requests(a->host);
	world_api_pass(a, 3000);
	assert_in_range(fakeapi_requests(a->host, "limit=500"), 0, 30);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	fakeapi_no_rule(a->host, NULL);
	world_api_expect_changes(a);
}

/* --- sizes --- */

static void test_a_long_list_comes_gzipped(void **state)
{
	struct world_api *a = *state;
	size_t fat = 2000;

	world_api_host(a, &(struct fakeapi_options){.gzip = true});
	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 700, world_api_generate, &fat);
	start(a, WORLD_PACE);
	world_api_await_answer(a, "h699.example.com", "198.18.18.187");
	world_api_await_count(a, "", "bytes_total", 700 * 2000);
	assert_true(fakeapi_bytes(a->host) < 700 * 2000 / 2);
	assert_int_equal(fakeapi_requests(a->host, "limit"), 0);
}

/* shop/big, which is at `address`, and so long. */
static void put_big(struct fakeapi *f, size_t len, const char *address)
{
	char *fill = malloc(len + 1);

	memset(fill, 'x', len);
	fill[len] = '\0';
	fakeapi_put(f, FAKEAPI_ENDPOINTS,
	            "{'metadata':{'name':'big','namespace':'shop','annotations':{'fat':'%s'}},"
	            "'spec':{'endpoints':[{'dnsName':'big.example.com','recordType':'A',"
	            "'targets':['%s']}]}}",
	            fill, address);
	free(fill);
}

#define BIG_WHERE "\"where\":\"(host): DNSEndpoint shop/big\""

static void test_an_object_over_the_cap_is_skipped_and_named_and_the_rest_goes_on(void **state)
{
	struct world_api *a = *state;

	put_big(a->host, 1500000, "198.18.0.3");
	start(a, "watch: {silence: 20s, reply: 10s, backoff: 500ms, maxObjectMiB: 1}\n");
	world_api_await_status(a, BIG_WHERE);
	world_api_await_count(a, "", "skipped_total", 1);
	world_api_await_answer(a, "big.example.com", "NXDOMAIN");
	world_api_point(a->host, "zoo", "198.18.0.4");
	world_api_await_answer(a, "zoo.example.com", "198.18.0.4");
	put_big(a->host, 1000, "198.18.0.5");
	world_api_await_answer(a, "big.example.com", "198.18.0.5");
	world_api_await_status(a, "!" BIG_WHERE);
}

static void test_one_that_grows_over_the_cap_stays_as_it_was(void **state)
{
	struct world_api *a = *state;

	put_big(a->host, 1000, "198.18.0.3");
	start(a, "watch: {silence: 20s, reply: 10s, backoff: 500ms, maxObjectMiB: 1}\n");
	world_api_await_answer(a, "big.example.com", "198.18.0.3");
	put_big(a->host, 1500000, "198.18.0.4");
	world_api_await_status(a, BIG_WHERE);
	world_api_point(a->host, "zoo", "198.18.0.5");
	world_api_await_answer(a, "zoo.example.com", "198.18.0.5");
	world_api_await_answer(a, "big.example.com", "198.18.0.3");
	/* A list has it, if not readable: it is not gone. */
	world_api_miss_changes(a);
	world_api_expect_changes(a);
	world_api_await_answer(a, "big.example.com", "198.18.0.3");
	world_api_await_status(a, BIG_WHERE);
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/big");
	world_api_await_answer(a, "big.example.com", "NXDOMAIN");
	world_api_await_status(a, "!" BIG_WHERE);
}

/* VmHWM, in KiB. */
static unsigned long most_memory(struct world_api *a)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", world_pid(a->w));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void test_a_list_of_200_megabytes_takes_little_memory(void **state)
{
	enum { COUNT = 2000, MOST_KIB = 128 * 1024 };
	struct world_api *a = *state;
	size_t fat = 100000;

	/* What a sanitizer keeps of freed memory is not nighd's. */
	setenv("ASAN_OPTIONS", "quarantine_size_mb=8", 0);
	world_api_host(a, &(struct fakeapi_options){.managed_fields = true});
	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, COUNT, world_api_generate, &fat);
	world_api_start(a, "watch: {silence: 60s, reply: 30s, backoff: 500ms}\n");
	world_api_await_answer(a, "h1999.example.com", "198.18.23.207");
	world_api_await_count(a, "", "bytes_total", (double)COUNT * (double)fat);
	assert_in_range(most_memory(a), 1, MOST_KIB);
	world_api_point(a->host, "zoo", "198.18.0.4");
	world_api_await_answer(a, "zoo.example.com", "198.18.0.4");
}

/* --- nonsense --- */

static void test_error_events_of_any_status_end_the_watch_and_nothing_else(void **state)
{
	static const int statuses[] = {500, 429, 503, 504, 400};
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char address[32];

		snprintf(address, sizeof(address), "198.18.3.%zu", i);
		world_api_await_watches(a, a->host, WATCHES, 1);
		fakeapi_fail_watches(a->host, WATCHES, statuses[i]);
		world_api_point(a->host, "old", address);
		world_api_await_answer(a, "old.example.com", address);
	}
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
	fakeapi_send_line(a->host, WATCHES, "{'type':'ERROR'}");
	fakeapi_delete(a->host, FAKEAPI_ENDPOINTS, "shop/old");
	world_api_await_answer(a, "old.example.com", "NXDOMAIN");
}

static void test_an_error_event_says_how_long_to_wait(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	fakeapi_send_line(a->host, WATCHES,
	                  "{'type':'ERROR','object':{'kind':'Status','code':429,'details':{"
	                  "'retryAfterSeconds':6}}}");
	world_api_await_status(a, "the watch ended with error 429");
	world_api_pass(a, 2000);
	assert_int_equal(fakeapi_requests(a->host, A_WATCH), 0);
	world_api_await_requests(a, a->host, A_WATCH, 1);
	world_api_await_watches(a, a->host, WATCHES, 1);
}

static void test_unknown_events_and_events_of_nothing_are_passed_over(void **state)
{
	static const char *const lines[] = {
		"{'type':'PAINTED','object':{'kind':'DNSEndpoint','metadata':{'name':'kept',"
		"'namespace':'shop'}}}",
		"{}",
		"{'type':'ADDED'}",
		"{'type':'MODIFIED','object':null}",
		"{'type':'DELETED','object':[]}",
		"{'type':'ADDED','object':'kept'}",
		"{'type':'BOOKMARK','object':7}",
		"{'type':5,'object':{}}",
		"{'object':{'metadata':[]}}",
	};
	struct world_api *a = *state;
	size_t count = sizeof(lines) / sizeof(lines[0]);

	start(a, WORLD_PACE);
	for (size_t i = 0; i < count; i++)
		fakeapi_send_line(a->host, WATCHES, "%s", lines[i]);
	fakeapi_send_line(a->host, WATCHES, "{'type':'ADDED','object':{'metadata':[]}}");
	fakeapi_send_line(a->host, WATCHES, "{'type':'DELETED','object':{'metadata':null}}");
	fakeapi_send_line(a->host, WATCHES, "{'type':'BOOKMARK','object':{}}");
	world_api_await_count(a, "", "bad_events_total", (double)count);
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	/* One watch has taken it all. */
	assert_int_equal(fakeapi_requests(a->host, ""), 0);
}

static void test_objects_of_another_kind_say_nothing_of_ours(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	send_event(a, "DELETED", "Pod", "kept", WORLD_KEPT_AT, 5000);
	send_event(a, "MODIFIED", "Pod", "kept", "198.18.0.66", 5000);
	send_event(a, "BOOKMARK", "Pod", "kept", "198.18.0.66", 5000);
	world_api_await_status(a, "an object of another kind");
	world_api_await_count(a, "", "bad_events_total", 3);
	/* Neither has it moved the time. */
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
	world_api_point(a->host, "kept", WORLD_KEPT_AT);
	world_api_await_status(a, "!an object of another kind");
}

static void test_a_list_of_another_kind_is_none(void **state)
{
	static const char pods[] = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{"
				   "\"resourceVersion\":\"9999\"},\"items\":[]}";
	static const char page[] = "<html><body>Bad gateway</body></html>";
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	fakeapi_answer_bytes(a->host, LISTS, 2, 200, "application/json", pods, strlen(pods));
	fakeapi_answer_bytes(a->host, LISTS, 2, 200, "text/html", page, strlen(page));
	world_api_miss_changes(a);
	world_api_await_requests(a, a->host, FIRST_PAGE, 5);
	world_api_expect_changes(a);
}

static void test_events_that_come_twice_are_told_once_more(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	for (int i = 0; i < 3; i++)
		send_event(a, "ADDED", "DNSEndpoint", "new", "198.18.0.9", 1);
	for (int i = 0; i < 3; i++)
		send_event(a, "DELETED", "DNSEndpoint", "old", "198.18.0.2", 2);
	world_api_expect_changes(a);
	assert_int_equal(fakeapi_requests(a->host, ""), 0);
}

static void test_an_event_of_the_past_means_a_new_list(void **state)
{
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	send_event(a, "MODIFIED", "DNSEndpoint", "old", "198.18.0.66", -500);
	world_api_await_requests(a, a->host, FIRST_PAGE, 1);
	world_api_await_count(a, "", "bad_events_total", 1);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	send_event(a, "DELETED", "DNSEndpoint", "old", "198.18.0.2", -500);
	world_api_await_requests(a, a->host, FIRST_PAGE, 2);
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
}

static void test_garbage_in_a_watch_begins_it_again(void **state)
{
	static const char garbage[] = "\x16\x03\x01{]";
	struct world_api *a = *state;

	start(a, WORLD_PACE);
	fakeapi_send(a->host, WATCHES, garbage, strlen(garbage));
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	world_api_await_requests(a, a->host, A_WATCH, 1);
	assert_int_equal(fakeapi_requests(a->host, FIRST_PAGE), 0);
}

static void test_a_watch_that_only_says_nonsense_and_ends_is_no_storm(void **state)
{
	static const char event[] = "{\"type\":\"PAINTED\",\"object\":{}}\n";
	struct world_api *a = *state;

	start(a, "watch: {silence: 20s, reply: 10s, backoff: 2s}\n");
	fakeapi_answer_bytes(a->host, WATCHES, 0, 200, "application/json", event, strlen(event));
	fakeapi_close_watches(a->host, WATCHES);
	world_api_await_requests(a, a->host, A_WATCH, 2);
	world_api_pass(a, 4000);
	assert_in_range(fakeapi_requests(a->host, A_WATCH), 2, 40);
}

/* --- the past --- */

static void go_back(struct world_api *a)
{
	uint64_t then;

	start(a, "watch: {silence: 2s, reply: 2s, backoff: 500ms}\n");
	then = fakeapi_version(a->host);
	world_api_point(a->host, "new", "198.18.0.9");
	world_api_point(a->host, "old", "198.18.0.66");
	world_api_await_answer(a, "new.example.com", "198.18.0.9");
	world_api_await_answer(a, "old.example.com", "198.18.0.66");
	fakeapi_go_back(a->host, then);
}

static void expect_the_past(struct world_api *a)
{
	world_api_await_answer(a, "old.example.com", "198.18.0.2");
	world_api_await_answer(a, "new.example.com", "NXDOMAIN");
	world_api_point(a->host, "old", "198.18.0.4");
	world_api_await_answer(a, "old.example.com", "198.18.0.4");
}

static void test_a_server_that_comes_back_in_the_past_is_believed(void **state)
{
	struct world_api *a = *state;

	go_back(a);
	fakeapi_drop(a->host, FAKEAPI_CUT_RESET);
	expect_the_past(a);
	assert_true(fakeapi_requests(a->host, FIRST_PAGE) >= 1);
}

static void test_one_that_goes_back_under_open_watches_is_found_out(void **state)
{
	struct world_api *a = *state;

	go_back(a);
	expect_the_past(a);
}

static void test_one_that_goes_back_and_changes_is_found_out(void **state)
{
	struct world_api *a = *state;

	go_back(a);
	world_api_point(a->host, "other", "198.18.0.7");
	world_api_await_answer(a, "other.example.com", "198.18.0.7");
	expect_the_past(a);
}

static void test_an_empty_list_after_5000_objects_is_held_by_the_guard(void **state)
{
	struct world_api *a = *state;

	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 5000, world_api_generate, NULL);
	start(a, WORLD_PACE);
	world_api_await_answer(a, "h4999.example.com", "198.18.35.135");
	fakeapi_down(a->host);
	fakeapi_delete_all(a->host, FAKEAPI_ENDPOINTS);
	fakeapi_compact(a->host);
	fakeapi_up(a->host);
	world_api_await_status(a, "\"guard\":[{\"zone\":\"example.com");
	world_api_pass(a, 1000);
	world_api_await_answer(a, "h0.example.com", "198.18.16.0");
	world_api_await_answer(a, "h4999.example.com", "198.18.35.135");
	assert_true(fakeapi_requests(a->host, FIRST_PAGE) >= 1);
	fakeapi_put_many(a->host, FAKEAPI_ENDPOINTS, 5000, world_api_generate, NULL);
	world_api_point(a->host, "kept", WORLD_KEPT_AT);
	world_api_await_status(a, "\"guard\":[{");
	world_api_await_answer(a, "h4999.example.com", "198.18.35.135");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_api_test(test_a_watch_cut_inside_an_event_or_a_character_goes_on_behind_it),
		world_api_test(test_so_does_a_watch_of_http1),
		world_api_test(test_a_watch_cut_between_events_goes_on),
		world_api_test(test_a_goaway_loses_nothing),
		world_api_test(test_a_list_that_is_cut_withdraws_nothing),
		world_api_test(test_a_second_page_that_is_cut_has_the_list_begun_again),
		world_api_test(test_empty_pages_without_end_are_no_list),
		world_api_test(test_a_long_list_comes_gzipped),
		world_api_test(
			test_an_object_over_the_cap_is_skipped_and_named_and_the_rest_goes_on),
		world_api_test(test_one_that_grows_over_the_cap_stays_as_it_was),
		world_api_test(test_a_list_of_200_megabytes_takes_little_memory),
		world_api_test(test_error_events_of_any_status_end_the_watch_and_nothing_else),
		world_api_test(test_an_error_event_says_how_long_to_wait),
		world_api_test(test_unknown_events_and_events_of_nothing_are_passed_over),
		world_api_test(test_objects_of_another_kind_say_nothing_of_ours),
		world_api_test(test_a_list_of_another_kind_is_none),
		world_api_test(test_events_that_come_twice_are_told_once_more),
		world_api_test(test_an_event_of_the_past_means_a_new_list),
		world_api_test(test_garbage_in_a_watch_begins_it_again),
		world_api_test(test_a_watch_that_only_says_nonsense_and_ends_is_no_storm),
		world_api_test(test_a_server_that_comes_back_in_the_past_is_believed),
		world_api_test(test_one_that_goes_back_under_open_watches_is_found_out),
		world_api_test(test_one_that_goes_back_and_changes_is_found_out),
		world_api_test(test_an_empty_list_after_5000_objects_is_held_by_the_guard),
	};

	return cmocka_run_group_tests_name("scenario/watching_cuts", tests, NULL, NULL);
}
