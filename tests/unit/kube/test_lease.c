/* lease: candidates with short terms against a scripted API server.  Each has a loop of its own, so that one can be left
 * standing while the other goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "kube/lease.h"
#include "tests/support/kube_server.h"

enum { LEASE_MS = 3000, RENEW_MS = 2000, RETRY_MS = 150, PATIENCE_MS = 30000 };

#define LEASE_OBJECT "kube-federation-system/nigh-propagator"
#define LEASE_AT     "/apis/coordination.k8s.io/v1/leases"

struct candidate {
	uv_loop_t loop;
	struct kube_client *client;
	struct kube_lease *lease; /* NULL: not running */
	const char *identity;
	bool leads, has_lost, is_stopped;
	unsigned terms;
	uint64_t epoch;
	uint64_t led_at_ms;
	char why[512], leader[KUBE_IDENTITY_MOST];
	bool stands; /* its loop is not turned */
};

struct desk {
	struct kube_server *server;
	struct candidate a, b;
};

/* --- what is told --- */

static void on_leading(uint64_t epoch, void *arg)
{
	struct candidate *c = arg;

	assert_false(c->leads);
	assert_true(epoch > c->epoch);
	assert_true(kube_lease_is_held(c->lease));
	assert_int_equal(kube_lease_epoch(c->lease), epoch);
	c->leads = true;
	c->has_lost = false;
	c->terms++;
	c->epoch = epoch;
	c->led_at_ms = clock_boottime_ms();
}

static void on_lost(const char *why, void *arg)
{
	struct candidate *c = arg;

	assert_true(c->leads);
	assert_false(kube_lease_is_held(c->lease));
	c->leads = false;
	c->has_lost = true;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

static void on_leader(const char *identity, void *arg)
{
	struct candidate *c = arg;

	snprintf(c->leader, sizeof(c->leader), "%s", identity);
}

static void on_stopped(void *arg) { ((struct candidate *)arg)->is_stopped = true; }

/* --- the desk --- */

static void begin(struct desk *d, struct candidate *c, const char *identity)
{
	const struct kube_lease_settings settings = {"kube-federation-system",
	                                             "nigh-propagator",
	                                             identity,
	                                             LEASE_MS,
	                                             RENEW_MS,
	                                             RETRY_MS};
	const struct kube_lease_events events = {on_leading, on_lost, on_leader, c};

	c->identity = identity;
	assert_int_equal(uv_loop_init(&c->loop), 0);
	c->client = kube_server_client(d->server, &c->loop, NULL);
	c->lease = kube_lease_start(&c->loop, c->client, &settings, &events);
}

/* As it ends when it is killed, or, with a time for the release, when it is asked to. */
static void end(struct candidate *c, uint64_t release_ms)
{
	if (!c->lease)
		return;
	kube_lease_stop(c->lease, release_ms, on_stopped, c);
	assert_false(c->is_stopped);
	assert_false(kube_lease_is_held(c->lease));
	kube_server_turn_until(&c->loop, &c->is_stopped, PATIENCE_MS);
	c->lease = NULL;
	c->leads = false;
	kube_client_stop(c->client, NULL, NULL);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&c->loop), 0);
}

static int desk_setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	void *server;

	kube_server_setup(&server);
	d->server = server;
	*state = d;
	return 0;
}

static int desk_teardown(void **state)
{
	struct desk *d = *state;
	void *server = d->server;

	end(&d->a, 0);
	end(&d->b, 0);
	kube_server_teardown(&server);
	free(d);
	return 0;
}

static bool holds(const struct candidate *c) { return c->lease && kube_lease_is_held(c->lease); }

static void turn(struct desk *d)
{
	struct timespec rest = {.tv_nsec = 2000000};
	struct candidate *all[] = {&d->a, &d->b};

	for (size_t i = 0; i < 2; i++)
		if (all[i]->lease && !all[i]->stands)
			uv_run(&all[i]->loop, UV_RUN_NOWAIT);
	assert_false(holds(&d->a) && holds(&d->b));
	nanosleep(&rest, NULL);
}

static void turn_until(struct desk *d, const bool *is_so)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (!*is_so) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it did not come; a: %s, b: %s",
			         d->a.lease ? kube_lease_trouble(d->a.lease) : "",
			         d->b.lease ? kube_lease_trouble(d->b.lease) : "");
		turn(d);
	}
}

static void turn_for(struct desk *d, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn(d);
}

static void turn_until_requests(struct desk *d, const char *text, unsigned count)
{
	bool is_so = false;

	for (int i = 0; i < PATIENCE_MS / 10 && !is_so; i++) {
		turn_for(d, 10);
		is_so = fakeapi_requests(d->server->f, text) >= count;
	}
	assert_true(is_so);
}

static const char *lease_now(struct desk *d)
{
	return fakeapi_get(d->server->f, FAKEAPI_LEASES, LEASE_OBJECT);
}

/* --- one alone --- */

static void test_other_times_count_from_the_next_renewal_on(void **state)
{
	enum { LONG_MS = 9000, LONG_RENEW_MS = 6000, LONG_RETRY_MS = 300 };
	struct desk *d = *state;
	bool is_so = false;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	kube_lease_set_times(d->a.lease, LONG_MS, LONG_RENEW_MS, LONG_RETRY_MS);
	/* What others have read of it still says that it may be taken earlier. */
	assert_true(kube_lease_left_ms(d->a.lease) <= RENEW_MS);
	for (unsigned i = 0; i < 200 && !is_so; i++) {
		turn_for(d, 10);
		is_so = strstr(lease_now(d), "\"leaseDurationSeconds\":9") != NULL;
	}
	assert_true(is_so);
	turn_for(d, 2 * LONG_RETRY_MS);
	assert_true(kube_lease_left_ms(d->a.lease) > RENEW_MS);
	kube_lease_set_times(d->a.lease, LEASE_MS, RENEW_MS, RETRY_MS);
	turn_for(d, 4 * LONG_RETRY_MS);
	assert_non_null(strstr(lease_now(d), "\"leaseDurationSeconds\":3"));
	assert_true(kube_lease_left_ms(d->a.lease) <= RENEW_MS);
	assert_int_equal(d->a.terms, 1);
	assert_true(d->a.leads);
}

static void test_who_is_alone_leads_and_renews(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	assert_false(kube_lease_is_held(d->a.lease));
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.epoch, 1);
	assert_string_equal(d->a.leader, "a");
	assert_non_null(strstr(lease_now(d), "\"holderIdentity\":\"a\""));
	assert_non_null(strstr(lease_now(d), "\"leaseDurationSeconds\":3"));
	assert_non_null(strstr(lease_now(d), "\"leaseTransitions\":1"));
	turn_until_requests(d, "PUT ", 5);
	turn_for(d, LEASE_MS);
	assert_true(kube_lease_is_held(d->a.lease));
	assert_int_equal(d->a.terms, 1);
	assert_false(d->a.has_lost);
	/* One write for a renewal, nothing read. */
	assert_int_equal(fakeapi_requests(d->server->f, "GET "), 1);
}

static void test_what_others_wrote_into_the_lease_stays(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_edit(d->server->f, FAKEAPI_LEASES, LEASE_OBJECT,
	             "{'metadata':{'labels':{'app':'nigh'}}}");
	fakeapi_forget_requests(d->server->f);
	turn_until_requests(d, "PUT ", 6);
	assert_non_null(strstr(lease_now(d), "\"app\":\"nigh\""));
	assert_true(kube_lease_is_held(d->a.lease));
	assert_int_equal(d->a.terms, 1);
}

static void test_a_deleted_lease_is_made_again_in_the_same_term(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_delete(d->server->f, FAKEAPI_LEASES, LEASE_OBJECT);
	turn_until_requests(d, "POST ", 2);
	turn_for(d, 500);
	assert_true(kube_lease_is_held(d->a.lease));
	assert_int_equal(d->a.terms, 1);
	assert_non_null(strstr(lease_now(d), "\"leaseTransitions\":1"));
}

/* --- two --- */

static void test_of_two_one_leads_and_the_other_knows_who(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	begin(d, &d->b, "b");
	turn_for(d, LEASE_MS + 1000);
	assert_true(kube_lease_is_held(d->a.lease));
	assert_int_equal(d->a.terms, 1);
	assert_int_equal(d->b.terms, 0);
	assert_string_equal(d->b.leader, "a");
}

static void test_of_two_that_begin_at_once_one_leads(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	begin(d, &d->b, "b");
	turn_for(d, LEASE_MS);
	assert_int_equal(d->a.terms + d->b.terms, 1);
	assert_int_equal(holds(&d->a) + holds(&d->b), 1);
}

static void test_a_killed_leader_is_followed_when_its_lease_has_passed(void **state)
{
	struct desk *d = *state;
	uint64_t killed_ms;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	begin(d, &d->b, "b");
	turn_for(d, 500);
	end(&d->a, 0);
	killed_ms = clock_boottime_ms();
	turn_until(d, &d->b.leads);
	/* Its last renewal may have been a retry and a request earlier. */
	assert_true(d->b.led_at_ms >= killed_ms + LEASE_MS - 1000);
	assert_true(d->b.epoch > 1);
	assert_string_equal(d->b.leader, "b");
}

static void test_who_ends_well_lets_another_begin_at_once(void **state)
{
	struct desk *d = *state;
	uint64_t ended_ms;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	begin(d, &d->b, "b");
	turn_for(d, 500);
	end(&d->a, 10000);
	ended_ms = clock_boottime_ms();
	assert_null(strstr(lease_now(d), "holderIdentity\":\"a"));
	turn_until(d, &d->b.leads);
	assert_true(d->b.led_at_ms < ended_ms + LEASE_MS);
	assert_int_equal(d->b.epoch, 2);
}

static void test_a_release_that_is_not_answered_holds_nobody_up(void **state)
{
	struct desk *d = *state;
	uint64_t began_ms;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_freeze(d->server->f);
	began_ms = clock_monotonic_ms();
	end(&d->a, 300);
	assert_true(clock_monotonic_ms() < began_ms + 10000);
	fakeapi_thaw(d->server->f);
}

/* --- trouble --- */

static void test_without_a_network_it_stops_to_lead_in_time(void **state)
{
	struct desk *d = *state;
	uint64_t frozen_ms;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_freeze(d->server->f);
	frozen_ms = clock_boottime_ms();
	while (kube_lease_is_held(d->a.lease) && clock_boottime_ms() < frozen_ms + RENEW_MS + 1000)
		turn(d);
	assert_false(kube_lease_is_held(d->a.lease));
	turn_until(d, &d->a.has_lost);
	assert_non_null(strstr(d->a.why, "not renewed within 2000 ms"));
	fakeapi_thaw(d->server->f);
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.terms, 2);
}

static void test_who_stood_still_does_not_believe_to_lead(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	begin(d, &d->b, "b");
	turn_for(d, 500);
	d->a.stands = true;
	turn_until(d, &d->b.leads); /* and turn() sees that never both do */
	assert_true(d->a.leads);
	assert_false(kube_lease_is_held(d->a.lease));
	assert_int_equal(kube_lease_left_ms(d->a.lease), 0);
	d->a.stands = false;
	turn_until(d, &d->a.has_lost);
	turn_for(d, LEASE_MS);
	assert_true(kube_lease_is_held(d->b.lease));
	assert_int_equal(d->a.terms, 1);
	assert_true(d->b.epoch > d->a.epoch);
	assert_string_equal(d->a.leader, "b");
}

static void test_who_sees_another_s_name_gives_way(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_edit(d->server->f, FAKEAPI_LEASES, LEASE_OBJECT,
	             "{'spec':{'holderIdentity':'usurper','leaseTransitions':9}}");
	turn_until(d, &d->a.has_lost);
	assert_string_equal(d->a.why, "usurper has it");
	assert_string_equal(d->a.leader, "usurper");
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.epoch, 10);
}

static void test_conflicts_and_lost_answers_end_no_term(void **state)
{
	struct desk *d = *state;

	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	fakeapi_forget_requests(d->server->f);
	fakeapi_answer(d->server->f, "PUT " LEASE_AT, 2, 409, NULL);
	turn_until_requests(d, "PUT ", 5);
	fakeapi_answer(d->server->f, "PUT " LEASE_AT, 2, 429, "Retry-After: 60");
	turn_until_requests(d, "PUT ", 10);
	fakeapi_lose(d->server->f, "PUT " LEASE_AT, 1, FAKEAPI_LOSS_AFTER);
	turn_until_requests(d, "PUT ", 15);
	fakeapi_lose(d->server->f, "PUT " LEASE_AT, 1, FAKEAPI_LOSS_BEFORE);
	turn_until_requests(d, "PUT ", 20);
	turn_for(d, 300);
	assert_true(kube_lease_is_held(d->a.lease));
	assert_int_equal(d->a.terms, 1);
}

static void test_an_acquisition_whose_answer_was_lost_leads_all_the_same(void **state)
{
	struct desk *d = *state;

	fakeapi_lose(d->server->f, "POST " LEASE_AT, 1, FAKEAPI_LOSS_AFTER);
	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.epoch, 2);
}

static void test_an_answer_that_comes_too_late_is_no_term(void **state)
{
	struct desk *d = *state;

	fakeapi_delay(d->server->f, "POST " LEASE_AT, 1, 300);
	begin(d, &d->a, "a");
	turn_until_requests(d, "POST ", 1);
	d->a.stands = true;
	turn_for(d, RENEW_MS + 200);
	assert_non_null(strstr(lease_now(d), "\"holderIdentity\":\"a\""));
	d->a.stands = false;
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.epoch, 2);
	assert_true(kube_lease_is_held(d->a.lease));
}

static void test_a_server_that_forbids_it_is_told_of(void **state)
{
	struct desk *d = *state;

	fakeapi_forbid(d->server->f, FAKEAPI_LEASES);
	begin(d, &d->a, "a");
	turn_until_requests(d, "GET ", 3);
	assert_non_null(strstr(kube_lease_trouble(d->a.lease), "403 Forbidden"));
	assert_int_equal(d->a.terms, 0);
	fakeapi_allow(d->server->f, FAKEAPI_LEASES);
	turn_until(d, &d->a.leads);
	assert_string_equal(kube_lease_trouble(d->a.lease), "");
}

static void test_a_dead_leader_with_a_time_to_come_is_followed(void **state)
{
	struct desk *d = *state;
	uint64_t began_ms = clock_boottime_ms();

	fakeapi_put(d->server->f, FAKEAPI_LEASES,
	            "{'metadata':{'name':'nigh-propagator','namespace':'kube-federation-system'},"
	            "'spec':{'holderIdentity':'dead','leaseDurationSeconds':1,"
	            "'renewTime':'2999-01-01T00:00:00.000000Z','leaseTransitions':41}}");
	begin(d, &d->a, "a");
	turn_until(d, &d->a.leads);
	assert_int_equal(d->a.epoch, 42);
	assert_true(d->a.led_at_ms >= began_ms + LEASE_MS);
}

/* --- names --- */

static void test_no_two_identities_are_the_same(void **state)
{
	char *one = kube_lease_identity(), *other = kube_lease_identity();
	const char *uuid = strrchr(one, '_');

	(void)state;
	assert_non_null(uuid);
	assert_int_equal(strlen(uuid + 1), 36);
	assert_int_equal(uuid[1 + 14], '4');
	assert_string_not_equal(one, other);
	free(one);
	free(other);
}

#define desk_test(f) cmocka_unit_test_setup_teardown(f, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		desk_test(test_who_is_alone_leads_and_renews),
		desk_test(test_other_times_count_from_the_next_renewal_on),
		desk_test(test_what_others_wrote_into_the_lease_stays),
		desk_test(test_a_deleted_lease_is_made_again_in_the_same_term),
		desk_test(test_of_two_one_leads_and_the_other_knows_who),
		desk_test(test_of_two_that_begin_at_once_one_leads),
		desk_test(test_a_killed_leader_is_followed_when_its_lease_has_passed),
		desk_test(test_who_ends_well_lets_another_begin_at_once),
		desk_test(test_a_release_that_is_not_answered_holds_nobody_up),
		desk_test(test_without_a_network_it_stops_to_lead_in_time),
		desk_test(test_who_stood_still_does_not_believe_to_lead),
		desk_test(test_who_sees_another_s_name_gives_way),
		desk_test(test_conflicts_and_lost_answers_end_no_term),
		desk_test(test_an_acquisition_whose_answer_was_lost_leads_all_the_same),
		desk_test(test_an_answer_that_comes_too_late_is_no_term),
		desk_test(test_a_server_that_forbids_it_is_told_of),
		desk_test(test_a_dead_leader_with_a_time_to_come_is_followed),
		cmocka_unit_test(test_no_two_identities_are_the_same),
	};

	return cmocka_run_group_tests_name("kube/lease", tests, kube_server_setup_group, NULL);
}
