/* networks.c -- sites on a network that loses, cuts and doubles: what is withdrawn, how soon, and what never is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

#define WEB    "web.shop.fed.svc.example.com"
#define CLIENT "203.0.113.0/24" /* San Francisco */
#define CONFIG "publish: {allow: [10.77.0.0/24]}\nprobe: {mode: always}\n"

enum { NIGHD, NEW_YORK, HOUSTON, LOS_ANGELES, NODES };
enum { PORT = 8080, WITHDRAWN_MS = 5000, LONG_MS = 10000, BACK_MS = 10000 };
/* Five of a hundred frames, each way. */
static const struct network_fault calm = {0}, cut = {.cut = true}, lossy = {.lost_permille = 50};

struct scene {
	struct network *net;
	struct world *w;
	int listener[NODES];
};

static int setup(void **state)
{
	static const char *const city[NODES] = {NULL, "newyork", "houston", "losangeles"};
	struct scene *s = xcalloc(1, sizeof *s);

	*state = s;
	s->net = network_new(NODES);
	s->w = world_new();
	world_three_cities(s->w);
	for (int i = NEW_YORK; i < NODES; i++) {
		s->listener[i] = network_listen(s->net, i, PORT);
		world_service_on(s->w, city[i], "web", network_address(s->net, i), PORT, true, "");
	}
	world_config(s->w, CONFIG);
	network_enter(s->net, NIGHD);
	world_start(s->w);
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	world_free(s->w);
	network_free(s->net);
	for (int i = NEW_YORK; i < NODES; i++)
		close(s->listener[i]);
	free(s);
	return 0;
}

static void expect(struct scene *s, int site, unsigned within_ms)
{
	world_expect(s->w, WEB, "A", CLIENT, network_address(s->net, site), within_ms);
}

static double count_void(struct scene *s)
{
	return world_metric(s->w, "nigh_watcher_probes_voided_total");
}

/* And its clients are at the next site in time.  Probes at whose deadline a machine with much else to do looked too late count for
 * nothing, and the next one comes a second later. */
static void cut_off(struct scene *s, int from, int to, int next)
{
	double void_before = count_void(s);
	uint64_t begun_ms = inside_now_ms(), took_ms;

	network_set(s->net, from, to, &cut);
	expect(s, next, LONG_MS);
	took_ms = inside_now_ms() - begun_ms;
	printf("  withdrawn after %llu ms, %g probes void\n", (unsigned long long)took_ms,
	       count_void(s) - void_before);
	assert_true((double)took_ms <= WITHDRAWN_MS + 1000 * (count_void(s) - void_before));
}

static void test_a_cluster_that_falls_silent_is_out_of_the_answers_within_5_seconds(void **state)
{
	struct scene *s = *state;

	world_expect_stays(s->w, WEB, "A", CLIENT, network_address(s->net, LOS_ANGELES), 2000);
	cut_off(s, NETWORK_ALL, LOS_ANGELES, HOUSTON);
	world_expect_http(s->w, "/explain?name=" WEB "&client=" CLIENT,
	                  "\"layer\":\"probe\",\"ok\":false", 0);
	network_set(s->net, NETWORK_ALL, LOS_ANGELES, &calm);
	expect(s, LOS_ANGELES, BACK_MS);
}

/* Its answers alone are lost: to us it is as dead. */
static void test_a_cluster_that_hears_but_cannot_answer_is_withdrawn_too(void **state)
{
	struct scene *s = *state;

	expect(s, LOS_ANGELES, 0);
	cut_off(s, LOS_ANGELES, NETWORK_ALL, HOUSTON);
	cut_off(s, NETWORK_ALL, HOUSTON, NEW_YORK);
	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &calm);
	expect(s, LOS_ANGELES, BACK_MS);
}

/* NIGH_LOSS_SECONDS: for how long; an hour by hand. */
static void test_a_healthy_cluster_is_never_withdrawn_where_one_frame_in_twenty_is_lost(
	void **state)
{
	struct scene *s = *state;
	const char *given = getenv("NIGH_LOSS_SECONDS");
	unsigned seconds = given != NULL ? (unsigned)atoi(given) : 30;

	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &lossy);
	world_expect_stays(s->w, WEB, "A", CLIENT, network_address(s->net, LOS_ANGELES),
	                   seconds * 1000);
	assert_true(network_counts(s->net).lost > seconds / 2);
	assert_null(strstr(world_log(s->w), "address went down"));
}

static void test_a_slow_and_doubling_network_withdraws_nothing(void **state)
{
	struct scene *s = *state;
	struct network_fault bad = {.late_ms = 250, .doubled_permille = 300};

	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &bad);
	world_expect_stays(s->w, WEB, "A", CLIENT, network_address(s->net, LOS_ANGELES), 8000);
	assert_null(strstr(world_log(s->w), "address went down"));
}

#define networked(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		networked(test_a_cluster_that_falls_silent_is_out_of_the_answers_within_5_seconds),
		networked(test_a_cluster_that_hears_but_cannot_answer_is_withdrawn_too),
		networked(
			test_a_healthy_cluster_is_never_withdrawn_where_one_frame_in_twenty_is_lost),
		networked(test_a_slow_and_doubling_network_withdraws_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
