/* damping.c -- sites whose objects say up and down again and again: held down, shown, and let back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB         "web.shop.fed.svc.example.com"
#define CLIENT      "10.0.0.0/24"
#define LOS_ANGELES "198.18.3.10"
#define HOUSTON     "198.18.2.10"

enum { THRESHOLD = 3 };

/* All clients of 10.0.0.0/8 are nearest to Los Angeles, then to Houston. */
static void start(struct world *w, const char *config)
{
	world_config(w, config);
	world_three_cities(w);
	world_write(w, "networks.csv", "10.0.0.0/8,37.77,-122.42,San Francisco\n");
	world_start(w);
	world_expect(w, WEB, "A", CLIENT, LOS_ANGELES, 0);
}

static void lose_pods(struct world *w)
{
	world_service(w, "losangeles", "web", LOS_ANGELES, false, "");
}

static void lose_balancer(struct world *w) { world_service(w, "losangeles", "web", "", true, ""); }

/* Los Angeles, where three names have a site, goes down and up, each time in the answers, until it is held. */
static void flap(struct world *w, void lose(struct world *w))
{
	for (unsigned i = 1; i <= THRESHOLD; i++) {
		lose(w);
		world_expect(w, WEB, "A", CLIENT, HOUSTON, 3000);
		world_service(w, "losangeles", "web", LOS_ANGELES, true, "");
		if (i < THRESHOLD)
			world_expect(w, WEB, "A", CLIENT, LOS_ANGELES, 3000);
	}
	world_expect_http(w, "/status/names?prefix=web.shop.fed.svc.example",
	                  "\"layer\":\"flapping\",\"ok\":false", 3000);
}

static void test_a_site_whose_pods_come_and_go_is_held_down_and_comes_back(void **state)
{
	struct world *w = *state;

	start(w, "probe: {flapHold: 4s}\n");
	flap(w, lose_pods);
	world_expect(w, WEB, "A", CLIENT, HOUSTON, 0);
	world_expect_http(w, "/explain?name=" WEB "&client=" CLIENT,
	                  "\"detail\":\"endpoints down again and again: held down for another ", 0);
	world_expect_http(w, "/explain?name=" WEB "&client=" CLIENT, "{\"stage\":\"flapping\"", 0);
	world_expect_http(w, "/metrics", "dnsd_sites_flapping 3\n", 3000);
	world_expect(w, WEB, "A", CLIENT, LOS_ANGELES, 15000);
	world_expect_http(w, "/status/names?prefix=web.shop.fed.svc.example",
	                  "\"layer\":\"flapping\",\"ok\":true", 3000);
	world_expect_http(w, "/metrics", "dnsd_sites_held 0\n", 3000);
}

static void test_a_site_whose_load_balancer_comes_and_goes_is_held_down(void **state)
{
	struct world *w = *state;

	start(w, "probe: {flapHold: 1m}\n");
	flap(w, lose_balancer);
	world_expect_stays(w, WEB, "A", CLIENT, HOUSTON, 1000);
	world_expect_http(w, "/explain?name=" WEB "&client=" CLIENT,
	                  "\"detail\":\"loadBalancer down again and again: held down for another ",
	                  0);
}

/* Names of its zone have no other site. */
static void test_a_site_that_is_held_down_answers_where_no_other_can(void **state)
{
	struct world *w = *state;

	start(w, "probe: {flapHold: 1m}\n");
	flap(w, lose_pods);
	world_service(w, "houston", "web", HOUSTON, false, "");
	world_service(w, "newyork", "web", "198.18.1.10", false, "");
	world_expect(w, WEB, "A", CLIENT, LOS_ANGELES, 3000);
	world_service(w, "houston", "web", HOUSTON, true, "");
	world_expect(w, WEB, "A", CLIENT, HOUSTON, 3000);
}

static void test_with_no_hold_nothing_is_held(void **state)
{
	struct world *w = *state;

	start(w, "probe: {flapHold: 0}\n");
	for (unsigned i = 0; i < 2 * THRESHOLD; i++) {
		lose_pods(w);
		world_expect(w, WEB, "A", CLIENT, HOUSTON, 3000);
		world_service(w, "losangeles", "web", LOS_ANGELES, true, "");
		world_expect(w, WEB, "A", CLIENT, LOS_ANGELES, 3000);
	}
}

static void test_evidence_says_since_when_a_layer_is_as_it_is(void **state)
{
	struct world *w = *state;
	static const char path[] = "/status/names?prefix=web.shop.fed.svc.example";

	start(w, "");
	world_expect_http(w, path,
	                  "\"endpoints\",\"ok\":true,\"detail\":\"ready\",\"ageSeconds\":0}", 0);
	lose_pods(w);
	world_expect_http(
		w, path,
		"\"endpoints\",\"ok\":false,\"detail\":\"no ready endpoint\",\"ageSeconds\":1}",
		4000);
	world_expect_http(
		w, path,
		"\"endpoints\",\"ok\":false,\"detail\":\"no ready endpoint\",\"ageSeconds\":2}",
		4000);
	world_expect_http(w, path, "\"has an address\",\"ageSeconds\":0}", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_site_whose_pods_come_and_go_is_held_down_and_comes_back),
		world_test(test_a_site_whose_load_balancer_comes_and_goes_is_held_down),
		world_test(test_a_site_that_is_held_down_answers_where_no_other_can),
		world_test(test_with_no_hold_nothing_is_held),
		world_test(test_evidence_says_since_when_a_layer_is_as_it_is),
	};

	return cmocka_run_group_tests_name("scenario/damping", tests, NULL, NULL);
}
