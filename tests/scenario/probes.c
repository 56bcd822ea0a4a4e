/* probes.c -- what a TCP connection to the published address decides, and what it must not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define SAN_FRANCISCO "203.0.113.0/24"
#define CONFIG        "publish: {allow: [127.0.0.0/8]}\n"

enum { BACKLOG = 4096 }; /* probes are answered by the kernel; nobody accepts them */

/* Listens; port 0 is chosen by the kernel and told. */
static int listen_on(const char *address, unsigned *port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(inet_pton(AF_INET, address, &local.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (void *)&local, len), 0);
	assert_int_equal(listen(fd, BACKLOG), 0);
	assert_int_equal(getsockname(fd, (void *)&local, &len), 0);
	*port = ntohs(local.sin_port);
	return fd;
}

/* Los Angeles and Houston serve at 127.0.0.13 and 127.0.0.12, at those ports. */
static void two_cities(struct world *w, unsigned los_angeles_port, unsigned houston_port)
{
	world_three_cities(w);
	world_remove(w, "manifests/clusters/newyork");
	world_remove(w, "manifests/host/cluster-newyork.yaml");
	world_service_on(w, "losangeles", "web", "127.0.0.13", los_angeles_port, true, "");
	world_service_on(w, "houston", "web", "127.0.0.12", houston_port, true, "");
}

static void test_always_a_listener_that_dies_is_avoided_within_4_seconds_and_comes_back(
	void **state)
{
	struct world *w = *state;
	unsigned la_port = 0, houston_port = 0;
	int la = listen_on("127.0.0.13", &la_port),
	    houston = listen_on("127.0.0.12", &houston_port);

	two_cities(w, la_port, houston_port);
	world_config(w, CONFIG "probe: {mode: always}");
	world_start(w);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 1500);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
	close(la);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.12", 4000);
	/* A cluster of its order is down: nobody shall remember this for long. */
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 5);
	world_expect_http(w, "/explain?name=" WEB "&client=" SAN_FRANCISCO,
	                  "\"layer\":\"probe\",\"ok\":false", 1000);
	world_expect_http(
		w, "/explain?name=" WEB "&client=" SAN_FRANCISCO,
		"\"check\":\"tcp\",\"ok\":false,\"down\":true,\"detail\":\"connection refused\"",
		1000);
	world_expect_http(w, "/status", "\"probes\":{\"probes\":2,\"down\":1,\"held\":0,", 1000);
	world_expect_http(w, "/metrics", "\nnigh_watcher_probes_down 1\n", 1000);
	la = listen_on("127.0.0.13", &la_port);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 5000);
	world_expect_http(w, "/explain?name=" WEB "&client=" SAN_FRANCISCO, "!\"ok\":false", 1000);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
	close(la);
	close(houston);
}

/* Verdicts must not be made anew at each change of what is probed. */
static void test_always_a_listener_comes_back_while_other_addresses_keep_changing(void **state)
{
	struct world *w = *state;
	unsigned la_port = 0, houston_port = 0;
	int la = listen_on("127.0.0.13", &la_port),
	    houston = listen_on("127.0.0.12", &houston_port);

	two_cities(w, la_port, houston_port);
	world_service_record(w, "other", "fed");
	world_config(w, CONFIG "probe: {mode: always}");
	world_start(w);
	close(la);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.12", 4000);
	la = listen_on("127.0.0.13", &la_port);
	for (unsigned i = 0; i < 25; i++) {
		char address[32];

		if (strcmp(world_ask(w, WEB, "A", SAN_FRANCISCO), "127.0.0.13") == 0)
			break;
		assert_true(i < 24);
		snprintf(address, sizeof(address), "127.0.1.%u", i + 1);
		world_service_on(w, "houston", "other", address, houston_port, true, "");
		world_expect(w, "other.shop.fed.svc.example.com", "A", NULL, address, 2000);
		world_expect_stays(w, "other.shop.fed.svc.example.com", "A", NULL, address, 200);
	}
	close(la);
	close(houston);
}

static void test_always_when_nothing_answers_the_name_fails_open(void **state)
{
	struct world *w = *state;
	unsigned la_port = 0, houston_port = 0;
	int la = listen_on("127.0.0.13", &la_port),
	    houston = listen_on("127.0.0.12", &houston_port);

	two_cities(w, la_port, houston_port);
	world_config(w, CONFIG "probe: {mode: always, interval: 200ms}");
	world_start(w);
	close(la);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.12", 4000);
	close(houston);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 4000);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 5);
}

static void test_unseen_only_a_cluster_that_cannot_be_seen_is_probed(void **state)
{
	struct world *w = *state;
	unsigned la_port = 0, closed_port = 0;
	int la = listen_on("127.0.0.13", &la_port);

	close(listen_on("127.0.0.12", &closed_port));
	two_cities(w, la_port, closed_port);
	world_config(w, CONFIG "probe: {interval: 200ms}");
	world_start(w);
	/* Nobody listens in Houston, but its API says that all is well. */
	world_expect_stays(w, WEB, "A", "198.51.100.0/24", "127.0.0.12", 1500);
	world_move(w, "manifests/clusters/losangeles", "away");
	world_expect_http(
		w, "/status",
		"\"name\":\"losangeles\",\"source\":\"manifests\",\"knowledge\":\"unseen\"", 1000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 1500);
	close(la);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.12", 4000);
	/* Seen again: what the API says counts, not the probe. */
	world_move(w, "away", "manifests/clusters/losangeles");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 1000);
}

static void test_when_all_is_unseen_and_nothing_answers_everything_stays(void **state)
{
	struct world *w = *state;
	unsigned la_port = 0, houston_port = 0;
	int la = listen_on("127.0.0.13", &la_port),
	    houston = listen_on("127.0.0.12", &houston_port);

	two_cities(w, la_port, houston_port);
	world_config(w, CONFIG "probe: {interval: 200ms}\nstate: state");
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 0);
	close(la);
	close(houston);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 1500);
	world_move(w, "manifests", "away");
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 2500);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
	/* The same after a restart in the dark. */
	world_kill(w);
	world_start(w);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 2000);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
	/* One probe that succeeds is proof that our network works: then the others count. */
	houston = listen_on("127.0.0.12", &houston_port);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "127.0.0.12", 4000);
	close(houston);
}

static void test_what_is_unseen_for_longer_than_unseen_after_is_not_answered(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "probe: {mode: off}\ndefaults: {unseenAfter: 1s}\nstate: state");
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_remove(w, "manifests/clusters/losangeles");
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 700);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.2.10", 3000);
	/* But when nothing at all can be seen, it is us. */
	world_move(w, "manifests", "away");
	world_expect_stays(w, WEB, "A", "198.51.100.0/24", "198.18.2.10", 2500);
	/* What had gone out of use before stays out of use, also over a restart. */
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.2.10", 0);
	world_kill(w);
	world_start(w);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.2.10", 1500);
}

static void test_off_nothing_is_probed(void **state)
{
	struct world *w = *state;
	unsigned closed = 0;

	close(listen_on("127.0.0.13", &closed));
	two_cities(w, closed, closed);
	world_config(w, CONFIG "probe: {mode: off, interval: 100ms, down: 1}");
	world_start(w);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "127.0.0.13", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
			test_always_a_listener_that_dies_is_avoided_within_4_seconds_and_comes_back),
		world_test(test_always_a_listener_comes_back_while_other_addresses_keep_changing),
		world_test(test_always_when_nothing_answers_the_name_fails_open),
		world_test(test_unseen_only_a_cluster_that_cannot_be_seen_is_probed),
		world_test(test_when_all_is_unseen_and_nothing_answers_everything_stays),
		world_test(test_what_is_unseen_for_longer_than_unseen_after_is_not_answered),
		world_test(test_off_nothing_is_probed),
	};

	return cmocka_run_group_tests_name("scenario/probes", tests, NULL, NULL);
}
