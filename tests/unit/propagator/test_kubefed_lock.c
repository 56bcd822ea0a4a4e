/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "propagator/kubefed_lock.h"
#include "tests/support/propagator_hub.h"

#define NAME      "kubefed-controller-manager"
#define ENDPOINTS "/api/v1/endpoints"

enum { LEASE_MS = 2000, RETRY_MS = 100, CALM_MS = 200 };

struct told {
	unsigned times;
	char holder[100];
};

static void on_holder(const char *holder, void *arg)
{
	struct told *t = arg;

	t->times++;
	snprintf(t->holder, sizeof(t->holder), "%s", holder);
}

static bool is_told(void *arg) { return ((struct told *)arg)->times > 0; }
static bool is_free(void *arg) { return is_told(arg) && ((struct told *)arg)->holder[0] == '\0'; }
static bool is_held(void *arg) { return ((struct told *)arg)->holder[0] != '\0'; }

static struct kubefed_lock *start(struct hub *h, struct told *t)
{
	const struct kubefed_lock_settings settings = {
		.namespace = HUB_NAMESPACE,
		.name = NAME,
		.lease_ms = LEASE_MS,
		.retry_ms = RETRY_MS,
		.calm_ms = CALM_MS,
	};

	*t = (struct told){0};
	return kubefed_lock_start(&h->loop, h->client, &settings, on_holder, t);
}

/* As KubeFed's manager does, which knows no Lease. */
static void renew(struct hub *h, const char *resource, unsigned time)
{
	fakeapi_put(
		h->host, resource,
		"{\"metadata\":{\"name\":\"" NAME "\",\"namespace\":\"" HUB_NAMESPACE
		"\",\"annotations\":{\"control-plane.alpha.kubernetes.io/leader\":"
		"\"{\\\"holderIdentity\\\":\\\"old_1\\\",\\\"leaseDurationSeconds\\\":2,"
		"\\\"renewTime\\\":\\\"2026-01-01T00:00:%02uZ\\\",\\\"leaderTransitions\\\":3}\""
		"}}}",
		time);
}

static int setup(void **state)
{
	struct hub *h = hub_new();

	fakeapi_register(h->host, ENDPOINTS, "Endpoints", true);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	hub_free(*state);
	return 0;
}

static void test_without_any_nobody_holds_it(void **state)
{
	struct hub *h = *state;
	struct told t;
	struct kubefed_lock *l = start(h, &t);

	hub_turn_until(h, is_told, &t);
	assert_string_equal(t.holder, "");
	kubefed_lock_stop(l);
}

static void expect_waiting(struct hub *h, const char *resource)
{
	struct told t;
	struct kubefed_lock *l;

	renew(h, resource, 0);
	l = start(h, &t);
	hub_turn_until(h, is_told, &t);
	for (unsigned time = 1; time < 10; time++) {
		renew(h, resource, time);
		hub_turn_for(h, LEASE_MS / 4);
		assert_string_equal(t.holder, "old_1");
	}
	/* It renews it no more. */
	hub_turn_until(h, is_free, &t);
	assert_int_equal(t.times, 2);
	renew(h, resource, 11);
	hub_turn_until(h, is_held, &t);
	kubefed_lock_stop(l);
}

static void test_who_renews_a_config_map_is_waited_for(void **state)
{
	expect_waiting(*state, FAKEAPI_CONFIG_MAPS);
}

static void test_who_renews_endpoints_is_waited_for(void **state)
{
	expect_waiting(*state, ENDPOINTS);
}

/* The clocks of others are not compared with ours: whether it is renewed is seen. */
static void test_one_that_was_left_behind_is_waited_for_once(void **state)
{
	struct hub *h = *state;
	struct told t;
	struct kubefed_lock *l;
	uint64_t begin_ms = clock_monotonic_ms();

	renew(h, FAKEAPI_CONFIG_MAPS, 0);
	l = start(h, &t);
	hub_turn_until(h, is_free, &t);
	assert_true(clock_monotonic_ms() - begin_ms >= LEASE_MS);
	kubefed_lock_stop(l);
}

static void test_what_may_not_be_read_holds_nobody_up(void **state)
{
	struct hub *h = *state;
	struct told t;
	struct kubefed_lock *l;

	fakeapi_forbid(h->host, FAKEAPI_CONFIG_MAPS);
	fakeapi_forbid(h->host, ENDPOINTS);
	l = start(h, &t);
	hub_turn_until(h, is_free, &t);
	kubefed_lock_stop(l);
}

static void test_a_server_that_does_not_answer_tells_nothing(void **state)
{
	struct hub *h = *state;
	struct told t;
	struct kubefed_lock *l;

	fakeapi_answer(h->host, "GET " FAKEAPI_CONFIG_MAPS, 0, 500, NULL);
	l = start(h, &t);
	hub_turn_for(h, 500);
	assert_int_equal(t.times, 0);
	fakeapi_no_rule(h->host, NULL);
	hub_turn_until(h, is_free, &t);
	kubefed_lock_stop(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_without_any_nobody_holds_it),
		T(test_who_renews_a_config_map_is_waited_for),
		T(test_who_renews_endpoints_is_waited_for),
		T(test_one_that_was_left_behind_is_waited_for_once),
		T(test_what_may_not_be_read_holds_nobody_up),
		T(test_a_server_that_does_not_answer_tells_nothing),
	};

	return cmocka_run_group_tests_name("propagator/kubefed_lock", tests, NULL, NULL);
}
