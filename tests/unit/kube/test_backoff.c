/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kube/backoff.h"

enum { CAP_MS = 10000, BEGIN_MS = 1000000 };

static struct kube_backoff fresh(void) { return (struct kube_backoff){.cap_ms = CAP_MS}; }

/* The longest wait that this failure could have: what is drawn is uniform in 0 .. bound. */
static uint64_t bound_of(const struct kube_backoff *b, uint64_t now_ms)
{
	uint64_t most = 0;

	for (uint64_t random = 0; random <= 70000; random++) {
		struct kube_backoff copy = *b;
		uint64_t wait = kube_backoff_fail(&copy, now_ms, 0, random);

		most = wait > most ? wait : most;
	}
	return most;
}

static void test_the_wait_doubles_up_to_the_cap(void **state)
{
	static const uint64_t bounds[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000, 10000};
	struct kube_backoff b = fresh();
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		assert_int_equal(bound_of(&b, now_ms), bounds[i]);
		now_ms += kube_backoff_fail(&b, now_ms, 0, bounds[i]);
	}
}

static void test_the_jitter_is_full(void **state)
{
	struct kube_backoff b = fresh();
	unsigned low = 0, high = 0;

	(void)state;
	for (uint64_t random = 0; random <= 250; random++) {
		struct kube_backoff copy = b;
		uint64_t wait = kube_backoff_fail(&copy, BEGIN_MS, 0, random);

		assert_int_equal(wait, random);
		low += wait < 125;
		high += wait > 125;
	}
	assert_int_equal(low, 125);
	assert_int_equal(high, 125);
}

static void test_it_never_runs_over(void **state)
{
	struct kube_backoff b = fresh();
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t wait = kube_backoff_fail(&b, now_ms, 0, UINT64_MAX - (uint64_t)i);

		assert_in_range(wait, 0, CAP_MS);
		now_ms += wait;
	}
}

static void test_all_that_fail_at_once_are_one_failure(void **state)
{
	struct kube_backoff b = fresh();
	uint64_t wait = kube_backoff_fail(&b, BEGIN_MS, 0, 200);

	(void)state;
	assert_int_equal(wait, 200);
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(kube_backoff_fail(&b, BEGIN_MS + i, 0, 7), 200 - i);
	assert_int_equal(bound_of(&b, BEGIN_MS + 200), 500);
}

static void test_retry_after_is_the_least(void **state)
{
	struct kube_backoff b = fresh();

	(void)state;
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS, 60000, 0), 60000);
	/* And while it is left alone, for whoever else fails. */
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS + 1000, 0, 0), 59000);
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS + 2000, 70000, 0), 70000);
	b = fresh();
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS, 100, 200), 200);
}

static void fail_often(struct kube_backoff *b, uint64_t *now_ms)
{
	for (int i = 0; i < 10; i++)
		*now_ms += kube_backoff_fail(b, *now_ms, 0, 0);
}

static void test_a_stable_minute_and_no_less_makes_it_forget(void **state)
{
	struct kube_backoff b = fresh();
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	fail_often(&b, &now_ms);
	assert_int_equal(bound_of(&b, now_ms + BACKOFF_STABLE_MS - 1), CAP_MS);
	assert_int_equal(bound_of(&b, now_ms + BACKOFF_STABLE_MS), BACKOFF_FIRST_MS);
}

static void test_the_time_it_is_left_alone_is_not_stable(void **state)
{
	struct kube_backoff b = fresh();
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	fail_often(&b, &now_ms);
	now_ms += kube_backoff_fail(&b, now_ms, 600000, 0);
	assert_int_equal(bound_of(&b, now_ms + 20000), CAP_MS);
	assert_int_equal(bound_of(&b, now_ms + BACKOFF_STABLE_MS), BACKOFF_FIRST_MS);
}

static void test_without_a_cap_there_is_no_wait_but_what_is_asked_for(void **state)
{
	struct kube_backoff b = {0};

	(void)state;
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS, 0, UINT64_MAX), 0);
	assert_int_equal(kube_backoff_fail(&b, BEGIN_MS, 5, UINT64_MAX), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_wait_doubles_up_to_the_cap),
		cmocka_unit_test(test_the_jitter_is_full),
		cmocka_unit_test(test_it_never_runs_over),
		cmocka_unit_test(test_all_that_fail_at_once_are_one_failure),
		cmocka_unit_test(test_retry_after_is_the_least),
		cmocka_unit_test(test_a_stable_minute_and_no_less_makes_it_forget),
		cmocka_unit_test(test_the_time_it_is_left_alone_is_not_stable),
		cmocka_unit_test(test_without_a_cap_there_is_no_wait_but_what_is_asked_for),
	};

	return cmocka_run_group_tests_name("kube/backoff", tests, NULL, NULL);
}
