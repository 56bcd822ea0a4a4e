/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/propagator_hub.h"

enum { LATE_MS = 400 };

static const struct kube_resource services = {"", "v1", "services", "Service"};

#define PATH "/api/v1/namespaces/shop/services/"

static int setup(void **state)
{
	*state = hub_new();
	return 0;
}

static int teardown(void **state)
{
	hub_free(*state);
	return 0;
}

static void on_done(const struct kube_answer *answer, void *arg)
{
	(void)answer;
	++*(unsigned *)arg;
}

static struct kube_write get(const char *name)
{
	return (struct kube_write){
		.verb = KUBE_GET, .resource = services, .namespace = "shop", .name = name};
}

static struct dispatch *one_at_once(struct hub *h)
{
	return dispatch_new(&h->loop, h->client, 1, &h->term);
}

static void test_what_may_be_lost_waits_for_all_others(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), b = get("b"), spare = get("spare");
	struct dispatch_job *stalled;
	unsigned done = 0;

	fakeapi_stall(h->host, PATH "a", 0);
	assert_non_null(dispatch_add_spare(d, &spare, on_done, &done));
	stalled = dispatch_add(d, &a, on_done, &done);
	dispatch_add(d, &b, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "spare"), 0);
	assert_int_equal(fakeapi_requests(h->host, PATH "b"), 0);
	dispatch_cancel(stalled);
	hub_expect_requests(h, PATH "b", 1);
	hub_expect_requests(h, PATH "spare", 1);
	dispatch_free(d);
}

static void test_no_other_waits_for_what_may_be_lost(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), spare = get("spare");
	unsigned done = 0;

	fakeapi_stall(h->host, PATH "spare", 0);
	for (unsigned i = 0; i < 20; i++)
		assert_non_null(dispatch_add_spare(d, &spare, on_done, &done));
	hub_expect_requests(h, PATH "spare", 4);
	dispatch_add(d, &a, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	assert_int_equal(fakeapi_requests(h->host, PATH "spare"), 4);
	dispatch_free(d);
}

static void test_a_server_that_wants_no_more_of_it_is_still_written_to(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), spare = get("spare");
	unsigned done = 0;

	fakeapi_answer(h->host, PATH "spare", 0, 429, "Retry-After: 60");
	dispatch_add_spare(d, &spare, on_done, &done);
	hub_expect_requests(h, PATH "spare", 1);
	hub_turn_for(h, LATE_MS);
	dispatch_add_spare(d, &spare, on_done, &done);
	dispatch_add(d, &a, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "spare"), 1);
	dispatch_free(d);
}

static void test_of_what_may_be_lost_only_so_many_wait(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write spare = get("spare");
	unsigned done = 0;

	for (unsigned i = 0; i < 256; i++)
		assert_non_null(dispatch_add_spare(d, &spare, on_done, &done));
	assert_null(dispatch_add_spare(d, &spare, on_done, &done));
	assert_int_equal(dispatch_counts(d).dropped, 1);
	assert_int_equal(dispatch_counts(d).waiting, 0);
	dispatch_free(d);
	assert_int_equal(done, 0);
}

static void test_what_a_plan_waits_for_waits_for_no_write(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), b = get("b"), question = get("question");
	unsigned done = 0;

	fakeapi_stall(h->host, PATH "a", 0);
	dispatch_add(d, &a, on_done, &done);
	dispatch_add(d, &b, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	assert_non_null(dispatch_add_question(d, &question, on_done, &done));
	hub_expect_requests(h, PATH "question", 1);
	assert_int_equal(fakeapi_requests(h->host, PATH "b"), 0);
	assert_int_equal(dispatch_counts(d).waiting, 1);
	dispatch_free(d);
}

static void test_no_write_waits_for_questions_and_only_so_many_of_those_wait(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), question = get("question");
	unsigned done = 0;

	fakeapi_stall(h->host, PATH "question", 0);
	for (unsigned i = 0; i < 256; i++)
		assert_non_null(dispatch_add_question(d, &question, on_done, &done));
	assert_null(dispatch_add_question(d, &question, on_done, &done));
	assert_int_equal(dispatch_counts(d).dropped, 1);
	hub_expect_requests(h, PATH "question", 4);
	dispatch_add(d, &a, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "question"), 4);
	dispatch_free(d);
}

/* What waits in one lane wakes for its own time, whatever the others have to wait for. */
static void test_a_server_that_wants_no_more_questions_is_written_to_and_asked_later(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	const struct kube_write a = get("a"), question = get("question"), spare = get("spare");
	unsigned done = 0;

	fakeapi_answer(h->host, PATH "spare", 0, 429, "Retry-After: 60");
	fakeapi_answer(h->host, PATH "question", 1, 429, "Retry-After: 1");
	dispatch_add_spare(d, &spare, on_done, &done);
	dispatch_add_question(d, &question, on_done, &done);
	hub_expect_requests(h, PATH "spare", 1);
	hub_expect_requests(h, PATH "question", 1);
	hub_turn_for(h, LATE_MS);
	dispatch_add_spare(d, &spare, on_done, &done);
	dispatch_add_question(d, &question, on_done, &done);
	dispatch_add(d, &a, on_done, &done);
	hub_expect_requests(h, PATH "a", 1);
	hub_expect_requests(h, PATH "question", 2);
	assert_int_equal(fakeapi_requests(h->host, PATH "spare"), 1);
	dispatch_free(d);
}

static uint64_t epoch_of(void *arg) { return *(const uint64_t *)arg; }

/* A type may be configured otherwise while its write waits. */
static void test_what_a_write_is_about_may_go_while_it_waits(void **state)
{
	struct hub *h = *state;
	struct dispatch *d = one_at_once(h);
	char plural[] = "services";
	struct kube_write a = get("a");
	unsigned done = 0;

	a.resource.plural = plural;
	dispatch_add(d, &a, on_done, &done);
	memset(plural, 'x', sizeof(plural) - 1);
	hub_expect_requests(h, PATH "a", 1);
	dispatch_free(d);
}

/* Whoever leads again must not send what waits from the time before: others have led since. */
static void test_in_another_epoch_nothing_is_sent(void **state)
{
	struct hub *h = *state;
	const struct kube_write a = get("a"), b = get("b");
	uint64_t epoch = 0;
	struct dispatch_term term = {epoch_of, &epoch};
	struct dispatch *d = dispatch_new(&h->loop, h->client, 1, &term);
	unsigned done = 0;

	dispatch_add(d, &a, on_done, &done);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "a"), 0);
	epoch = 7;
	dispatch_add(d, &b, on_done, &done);
	hub_expect_requests(h, PATH "b", 1);
	assert_int_equal(fakeapi_requests(h->host, PATH "a"), 1);
	epoch = 8;
	dispatch_add(d, &a, on_done, &done);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "a"), 1);
	dispatch_free(d);
}

static bool are_done(void *arg)
{
	const unsigned *done = arg;

	return done[0] == done[1];
}

static void add_all(struct hub *h, struct dispatch *d, const char *name, unsigned count,
                    unsigned done[2])
{
	const struct kube_write write = get(name);

	for (unsigned i = 0; i < count; i++)
		dispatch_add(d, &write, on_done, &done[0]);
	done[1] += count;
	hub_turn_for(h, 1);
}

/* The Lease is renewed at the same server: it must not wait behind sixteen that take long. */
static void test_a_server_that_becomes_slow_gets_less_at_once(void **state)
{
	enum { MOST = 16, FEW = 4, SLOW_MS = 1500 };
	struct hub *h = *state;
	struct dispatch *d = dispatch_new(&h->loop, h->client, MOST, &h->term);
	unsigned done[2] = {0};

	dispatch_give_way(d);
	fakeapi_delay(h->host, PATH "slow", 0, SLOW_MS);
	add_all(h, d, "slow", FEW + 1, done);
	hub_expect_requests(h, PATH "slow", FEW);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "slow"), FEW);
	add_all(h, d, "quick", 2 * MOST, done);
	hub_turn_until(h, are_done, done);
	add_all(h, d, "slow", MOST, done);
	hub_expect_requests(h, PATH "slow", FEW + 1 + MOST);
	hub_turn_until(h, are_done, done);
	add_all(h, d, "slow", MOST, done);
	hub_expect_requests(h, PATH "slow", FEW + 1 + MOST + MOST / 2);
	hub_turn_for(h, LATE_MS);
	assert_int_equal(fakeapi_requests(h->host, PATH "slow"), FEW + 1 + MOST + MOST / 2);
	dispatch_free(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_may_be_lost_waits_for_all_others),
		T(test_no_other_waits_for_what_may_be_lost),
		T(test_a_server_that_wants_no_more_of_it_is_still_written_to),
		T(test_of_what_may_be_lost_only_so_many_wait),
		T(test_what_a_plan_waits_for_waits_for_no_write),
		T(test_no_write_waits_for_questions_and_only_so_many_of_those_wait),
		T(test_a_server_that_wants_no_more_questions_is_written_to_and_asked_later),
		T(test_what_a_write_is_about_may_go_while_it_waits),
		T(test_in_another_epoch_nothing_is_sent),
		T(test_a_server_that_becomes_slow_gets_less_at_once),
	};

	return cmocka_run_group_tests_name("propagator/dispatch", tests, NULL, NULL);
}
