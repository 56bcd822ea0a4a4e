/* main_job.c -- the story: three cities, the nearest healthy one answers, and a restart in the dark changes nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB                "web.shop.fed.svc.example.com"
#define BOSTON             "192.0.2.0/24"
#define AUSTIN             "198.51.100.0/24"
#define SAN_FRANCISCO      "203.0.113.0/24"
#define NEW_YORK_SERVES    "198.18.1.10"
#define HOUSTON_SERVES     "198.18.2.10"
#define LOS_ANGELES_SERVES "198.18.3.10"

static void test_each_client_gets_the_nearest_city(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK_SERVES, 0);
	world_expect(w, WEB, "A", AUSTIN, HOUSTON_SERVES, 0);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOS_ANGELES_SERVES, 0);
	world_expect(w, WEB, "A", "2001:db8:5f::/48", LOS_ANGELES_SERVES, 0);
	assert_true(world_metric(w, "dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}") >=
	            4);
}

static void test_houston_answers_within_a_second_when_los_angeles_is_not_ready(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOS_ANGELES_SERVES, 0);
	world_service(w, "losangeles", "web", LOS_ANGELES_SERVES, false, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON_SERVES, 1000);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK_SERVES, 0);
	world_service(w, "losangeles", "web", LOS_ANGELES_SERVES, true, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOS_ANGELES_SERVES, 1000);
}

static void test_a_restart_without_any_cluster_in_sight_gives_the_same_answers(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "state: state");
	world_start(w);
	world_service(w, "losangeles", "web", LOS_ANGELES_SERVES, false, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON_SERVES, 1000);
	/* The journal is written at most once a second; what is asked after that is on the disk. */
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, HOUSTON_SERVES, 2000);
	world_kill(w);
	world_move(w, "manifests", "away");
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON_SERVES, 0);
	world_expect(w, WEB, "A", AUSTIN, HOUSTON_SERVES, 0);
	world_expect(w, WEB, "A", BOSTON, NEW_YORK_SERVES, 0);
	world_expect_stays(w, WEB, "A", BOSTON, NEW_YORK_SERVES, 1500);
	world_move(w, "away", "manifests");
	world_service(w, "losangeles", "web", LOS_ANGELES_SERVES, true, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOS_ANGELES_SERVES, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_each_client_gets_the_nearest_city),
		world_test(test_houston_answers_within_a_second_when_los_angeles_is_not_ready),
		world_test(test_a_restart_without_any_cluster_in_sight_gives_the_same_answers),
	};

	return cmocka_run_group_tests_name("scenario/main_job", tests, NULL, NULL);
}
