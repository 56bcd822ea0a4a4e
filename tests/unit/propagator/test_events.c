/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/xalloc.h"
#include "tests/support/propagator_hub.h"
#include "tests/support/propagator_json.h"

#define EVENTS "/api/v1/events"
#define POST   "POST /api/v1/namespaces/shop/events"
#define WHERE  "POST /api/v1/events/shop" /* of rules */

enum { A_MINUTE = 5, LATE_MS = 400, COUNT_EVERY_MS = 10000 };

struct telling {
	struct hub *hub;
	struct events *events;
	struct json_object *web;
};

static int setup(void **state)
{
	struct telling *t = xcalloc(1, sizeof(*t));

	t->hub = hub_new();
	fakeapi_register(t->hub->host, EVENTS, "Event", true);
	t->events = events_start(t->hub->dispatch, A_MINUTE);
	t->web = json_of("{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': "
	                 "'web', 'namespace': 'shop', 'uid': 'u1'}}");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct telling *t = *state;

	events_stop(t->events);
	hub_free(t->hub);
	json_object_put(t->web);
	free(t);
	return 0;
}

static void tell_of(struct telling *t, const char *cluster, const char *what)
{
	const struct events_about about = {t->web, "nigh-propagator", cluster, false};

	events_tell(t->events, &about, "Updated", "%s", what);
}

static void tell(struct telling *t, const char *what) { tell_of(t, NULL, what); }

/* So many, each of its own words. */
static void tell_many(struct telling *t, const char *cluster, unsigned count)
{
	char what[48];

	for (unsigned i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "in %s, number %u", cluster, i);
		tell_of(t, cluster, what);
	}
}

static void expect_posts(struct telling *t, unsigned count)
{
	if (count > 0)
		hub_expect_requests(t->hub, POST, count);
	hub_turn_for(t->hub, LATE_MS);
	assert_int_equal(fakeapi_requests(t->hub->host, POST), count);
}

static void test_an_event_says_what_happened_to_what_and_who_says_so(void **state)
{
	struct telling *t = *state;
	const char *event;

	tell(t, "it was updated");
	expect_posts(t, 1);
	event = fakeapi_find(t->hub->host, EVENTS, "it was updated");
	assert_non_null(event);
	assert_non_null(strstr(event, "\"involvedObject\":{\"apiVersion\":\"apps/v1\",\"kind\":"
	                              "\"Deployment\",\"namespace\":\"shop\",\"name\":\"web\","
	                              "\"uid\":\"u1\"}"));
	assert_non_null(strstr(event, "\"type\":\"Normal\",\"reason\":\"Updated\""));
	assert_non_null(strstr(event, "\"source\":{\"component\":\"nigh-propagator\"}"));
	assert_non_null(strstr(event, "\"reportingComponent\":\"nigh-propagator\""));
}

static void test_what_repeats_is_counted_in_one(void **state)
{
	struct telling *t = *state;

	tell(t, "again");
	tell(t, "again");
	tell(t, "again");
	expect_posts(t, 1);
	hub_turn_for(t->hub, COUNT_EVERY_MS);
	tell(t, "again");
	hub_expect_requests(t->hub, "PATCH /api/v1/namespaces/shop/events/web.", 1);
	hub_turn_for(t->hub, LATE_MS);
	assert_int_equal(fakeapi_count(t->hub->host, EVENTS), 1);
	assert_non_null(fakeapi_find(t->hub->host, EVENTS, "\"count\":4"));
}

static void test_there_are_so_many_a_minute(void **state)
{
	struct telling *t = *state;
	struct events_counts counts;

	tell_many(t, "", 100);
	expect_posts(t, A_MINUTE);
	counts = events_counts(t->events);
	assert_int_equal(counts.sent, A_MINUTE);
	assert_int_equal(counts.dropped, 100 - A_MINUTE);
}

struct counted {
	const char *cluster;
	struct events_counts counts;
	unsigned clusters;
};

static void count(const char *cluster, const struct events_counts *counts, void *arg)
{
	struct counted *c = arg;

	c->clusters++;
	if (strcmp(cluster, c->cluster) == 0)
		c->counts = *counts;
}

static struct events_counts counts_of(const struct telling *t, const char *cluster)
{
	struct counted c = {.cluster = cluster};

	events_each_cluster(t->events, count, &c);
	return c.counts;
}

static void start_over(struct telling *t, unsigned a_minute)
{
	events_stop(t->events);
	t->events = events_start(t->hub->dispatch, a_minute);
}

static void test_one_cluster_that_is_told_of_all_the_time_leaves_the_others_theirs(void **state)
{
	enum { HOST = 300, NOISE = 2000, SOME = 30 };
	struct telling *t = *state;

	start_over(t, HOST);
	tell_many(t, "gondor", NOISE);
	tell_many(t, "rohan", SOME);
	tell_many(t, "", SOME);
	assert_int_equal(counts_of(t, "rohan").sent, SOME);
	assert_int_equal(counts_of(t, "").sent, SOME);
	assert_int_equal(counts_of(t, "rohan").dropped + counts_of(t, "").dropped, 0);
	assert_true(counts_of(t, "gondor").sent >= SOME);
	assert_int_equal(counts_of(t, "gondor").sent + counts_of(t, "gondor").dropped, NOISE);
	assert_int_equal(events_counts(t->events).dropped, counts_of(t, "gondor").dropped);
	hub_expect_requests(t->hub, POST, (unsigned)events_counts(t->events).sent);
	assert_non_null(fakeapi_find(t->hub->host, EVENTS, "in rohan, number 29"));
}

/* Nor does it fill what waits while a server takes none, which has room for 256. */
static void test_who_is_told_of_all_the_time_does_not_fill_the_queue(void **state)
{
	enum { HOST = 6000, NOISE = 2000, SOME = 30 };
	struct telling *t = *state;

	start_over(t, HOST);
	fakeapi_stall(t->hub->host, WHERE, 0);
	tell_many(t, "gondor", NOISE);
	tell_many(t, "rohan", SOME);
	hub_turn_for(t->hub, LATE_MS);
	assert_int_equal(counts_of(t, "rohan").sent, SOME);
	assert_int_equal(counts_of(t, "rohan").dropped, 0);
	assert_true(counts_of(t, "gondor").sent < 256 - SOME);
}

static void test_a_cluster_that_goes_has_no_share_whatever_is_still_under_way(void **state)
{
	struct telling *t = *state;
	struct counted c = {.cluster = "gondor"};

	tell_of(t, "gondor", "one");
	events_drop_cluster(t->events, "gondor");
	events_drop_cluster(t->events, "rohan");
	events_each_cluster(t->events, count, &c);
	assert_int_equal(c.clusters, 1);
	expect_posts(t, 1);
	tell_of(t, "gondor", "two");
	expect_posts(t, 2);
	assert_int_equal(counts_of(t, "gondor").sent, 1);
}

static void test_who_forbids_events_is_not_asked_again_soon(void **state)
{
	struct telling *t = *state;

	fakeapi_answer(t->hub->host, WHERE, 0, 403, NULL);
	tell(t, "one");
	expect_posts(t, 1);
	tell(t, "one");
	tell(t, "two");
	expect_posts(t, 1);
	assert_int_equal(events_counts(t->events).dropped, 3);
}

static void test_a_namespace_that_goes_mutes_no_other(void **state)
{
	static const char going[] =
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":"
		"\"Forbidden\",\"code\":403,\"message\":\"is being terminated\",\"details\":{"
		"\"causes\":[{\"reason\":\"NamespaceTerminating\",\"field\":\"metadata.namespace\"}"
		"]}}";
	struct telling *t = *state;

	fakeapi_answer_bytes(t->hub->host, WHERE, 1, 403, "application/json", going, strlen(going));
	tell(t, "one");
	expect_posts(t, 1);
	tell(t, "two");
	expect_posts(t, 2);
	assert_non_null(fakeapi_find(t->hub->host, EVENTS, "two"));
}

static void test_what_was_not_taken_is_told_anew(void **state)
{
	struct telling *t = *state;

	fakeapi_answer(t->hub->host, WHERE, 1, 404, NULL);
	tell(t, "one");
	expect_posts(t, 1);
	assert_int_equal(fakeapi_count(t->hub->host, EVENTS), 0);
	tell(t, "one");
	expect_posts(t, 2);
	assert_int_equal(fakeapi_count(t->hub->host, EVENTS), 1);
}

static void test_what_is_under_way_ends_with_it(void **state)
{
	struct telling *t = *state;

	fakeapi_stall(t->hub->host, WHERE, 0);
	tell(t, "one");
	tell(t, "two");
	hub_expect_requests(t->hub, POST, 2);
	tell(t, "one");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_event_says_what_happened_to_what_and_who_says_so),
		T(test_what_repeats_is_counted_in_one),
		T(test_there_are_so_many_a_minute),
		T(test_one_cluster_that_is_told_of_all_the_time_leaves_the_others_theirs),
		T(test_who_is_told_of_all_the_time_does_not_fill_the_queue),
		T(test_a_cluster_that_goes_has_no_share_whatever_is_still_under_way),
		T(test_who_forbids_events_is_not_asked_again_soon),
		T(test_a_namespace_that_goes_mutes_no_other),
		T(test_what_was_not_taken_is_told_anew),
		T(test_what_is_under_way_ends_with_it),
	};

	return cmocka_run_group_tests_name("propagator/events", tests, NULL, NULL);
}
