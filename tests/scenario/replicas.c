/* replicas.c -- three replicas that vote on sites, each in a network that can be cut: what is withdrawn, and by whom. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/watcher_authority.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

#define WEB     "web.shop.fed.svc.example.com"
#define CLIENT  "203.0.113.0/24" /* San Francisco */
#define EXPLAIN "/explain?name=" WEB "&client=" CLIENT

enum { R0, R1, R2, REPLICAS, NEW_YORK = REPLICAS, HOUSTON, LOS_ANGELES, NODES };
enum {
	PORT = 8080,
	VOTE_PORT = 8054,
	DAY_S = 86400,
	HEARD_MS = 20000,
	WITHDRAWN_MS = 5000,
	INTERVAL_MS = 1000,
	BACK_MS = 20000,
	LONG_MS = 10000, /* longer than a withdrawal takes, also where much else is done */
	EDE_STALE = 3
};
static const struct network_fault calm = {0}, cut = {.cut = true};

struct scene {
	struct network *net;
	struct world *w[REPLICAS];
	struct authority *authority;
	char certificates[160];
	int listener[NODES];
};

/* By the files of that name, of the test's authority. */
static void configure(struct scene *s, int r, const char *files)
{
	char yaml[1024];

	snprintf(yaml, sizeof yaml,
	         "publish: {allow: [10.77.0.0/24]}\nprobe: {mode: always}\n"
	         "replicas: {listen: \"%s:%d\", name: r%d, peers: [\"%s:%d\", \"%s:%d\", "
	         "\"%s:%d\"], "
	         "certificate: %s/%s.crt, key: %s/%s.key, ca: %s/ca.crt}\n",
	         network_address(s->net, r), VOTE_PORT, r, network_address(s->net, R0), VOTE_PORT,
	         network_address(s->net, R1), VOTE_PORT, network_address(s->net, R2), VOTE_PORT,
	         s->certificates, files, s->certificates, files, s->certificates);
	world_config(s->w[r], yaml);
}

static void begin(struct scene *s, int r)
{
	static const char *const city[NODES] = {
		[NEW_YORK] = "newyork", [HOUSTON] = "houston", [LOS_ANGELES] = "losangeles"};

	s->w[r] = world_new();
	world_three_cities(s->w[r]);
	for (int i = NEW_YORK; i < NODES; i++)
		world_service_on(s->w[r], city[i], "web", network_address(s->net, i), PORT, true,
		                 "");
	if (r == R0) {
		snprintf(s->certificates, sizeof s->certificates, "%s",
		         world_path(s->w[R0], "certificates"));
		assert_int_equal(mkdir(s->certificates, 0700), 0);
		s->authority = authority_new(s->certificates);
		authority_issue_named(s->authority, "nighd", "nighd-replicas.nigh", DAY_S);
	}
	configure(s, r, "nighd");
	network_enter(s->net, r);
	world_start(s->w[r]);
}

/* --- what is expected of a replica --- */

static struct world *at(struct scene *s, int r)
{
	network_enter(s->net, r);
	return s->w[r];
}

static void expect(struct scene *s, int r, int site, unsigned within_ms)
{
	world_expect(at(s, r), WEB, "A", CLIENT, network_address(s->net, site), within_ms);
}

/* All of them by the same moment. */
static void expect_all(struct scene *s, int site, unsigned within_ms)
{
	uint64_t end_ms = inside_now_ms() + within_ms;

	for (int r = 0; r < REPLICAS; r++) {
		uint64_t now_ms = inside_now_ms();

		expect(s, r, site, now_ms < end_ms ? (unsigned)(end_ms - now_ms) : 0);
	}
}

static void expect_heard(struct scene *s, int r, unsigned others)
{
	char sample[64];

	snprintf(sample, sizeof sample, "nigh_replicas_heard %u", others);
	world_expect_http(at(s, r), "/metrics", sample, HEARD_MS);
}

static void expect_not_unknown(struct scene *s, int r, int sites)
{
	char text[32];

	snprintf(text, sizeof text, "!\"unknown\":%d", sites);
	world_expect_http(at(s, r), "/status", text, HEARD_MS);
}

/* For so long these answer with Los Angeles. */
static void expect_stays(struct scene *s, int first, int last, unsigned for_ms)
{
	for (struct deadline d = inside_deadline(for_ms); inside_has_time(d); inside_rest())
		for (int r = first; r <= last; r++)
			expect(s, r, LOS_ANGELES, 0);
}

static void expect_never_down(struct scene *s, int r)
{
	assert_null(strstr(world_log(at(s, r)), "address went down"));
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	*state = s;
	s->net = network_new(NODES);
	for (int i = NEW_YORK; i < NODES; i++)
		s->listener[i] = network_listen(s->net, i, PORT);
	for (int r = 0; r < REPLICAS; r++)
		begin(s, r);
	for (int r = 0; r < REPLICAS; r++)
		expect_heard(s, r, REPLICAS - 1);
	/* Each has probed each site. */
	for (int r = 0; r < REPLICAS; r++)
		for (int unknown = 1; unknown <= NODES - NEW_YORK; unknown++)
			expect_not_unknown(s, r, unknown);
	expect_all(s, LOS_ANGELES, 0);
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	for (int r = REPLICAS - 1; r >= 0; r--) {
		network_enter(s->net, r);
		world_free(s->w[r]);
	}
	network_enter(s->net, NETWORK_OUTSIDE);
	authority_free(s->authority);
	network_free(s->net);
	for (int i = NEW_YORK; i < NODES; i++)
		close(s->listener[i]);
	free(s);
	return 0;
}

/* --- who loses what --- */

static void test_one_that_loses_a_site_withdraws_nothing(void **state)
{
	struct scene *s = *state;

	network_set_pair(s->net, R0, LOS_ANGELES, &cut);
	world_expect_http(at(s, R0), EXPLAIN, "down: 1 of 3 replicas (r0); up: r1, r2", LONG_MS);
	world_expect_http(at(s, R2), EXPLAIN, "down: 1 of 3 replicas (r0); up: r1, r2", LONG_MS);
	expect_stays(s, R0, R2, 3000);
	for (int r = 0; r < REPLICAS; r++)
		expect_never_down(s, r);
	network_set_pair(s->net, R0, LOS_ANGELES, &calm);
	world_expect_http(at(s, R2), EXPLAIN, "!of 3 replicas", BACK_MS);
}

static void test_what_two_of_three_lose_is_withdrawn_by_all(void **state)
{
	struct scene *s = *state;

	network_set_pair(s->net, R0, LOS_ANGELES, &cut);
	network_set_pair(s->net, R1, LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, LONG_MS);
	world_expect_http(at(s, R2), EXPLAIN, "down: 2 of 3 replicas (r0, r1); up: r2", 0);
	/* Each says how many, and what it found out itself. */
	assert_non_null(strstr(world_log(at(s, R0)), "reason=\"by vote: 2 of 3 replicas see it "
	                                             "down, 1 up; the last probe here: "));
	assert_non_null(strstr(world_log(at(s, R2)),
	                       "reason=\"by vote: 2 of 3 replicas see it down, 1 up; the last "
	                       "probe here: connected\""));
	network_set_pair(s->net, R1, LOS_ANGELES, &calm);
	expect_all(s, LOS_ANGELES, BACK_MS);
}

/* On one wire, unlike behind routers, a probe in between may find no route to the neighbour that is gone: it counts for
 * nothing, and the next one is a second later. */
static void test_a_dead_site_is_withdrawn_by_all_within_5_seconds_and_a_probe(void **state)
{
	struct scene *s = *state;
	uint64_t begun_ms = inside_now_ms(), took_ms;

	network_set(s->net, NETWORK_ALL, LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, LONG_MS);
	took_ms = inside_now_ms() - begun_ms;
	printf("  withdrawn by all after %llu ms\n", (unsigned long long)took_ms);
	assert_true(took_ms <= WITHDRAWN_MS + INTERVAL_MS);
	network_set(s->net, NETWORK_ALL, LOS_ANGELES, &calm);
	expect_all(s, LOS_ANGELES, BACK_MS);
}

/* --- partitions --- */

static void test_each_half_answers_what_it_can_reach(void **state)
{
	struct scene *s = *state;

	network_set_pair(s->net, R0, R1, &cut);
	network_set_pair(s->net, R0, R2, &cut);
	network_set_pair(s->net, R0, LOS_ANGELES, &cut);
	expect(s, R0, HOUSTON, 2 * LONG_MS);
	expect_stays(s, R1, R2, 1000);
	world_expect_http(at(s, R0), "/status", "\"frozen\":false", 0);
	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &calm);
	expect_all(s, LOS_ANGELES, BACK_MS);
	expect_never_down(s, R1);
	expect_never_down(s, R2);
}

static void test_one_that_reaches_nothing_stays_as_it_was_and_says_so(void **state)
{
	struct scene *s = *state;
	struct world_answer a;

	network_set(s->net, NETWORK_ALL, R0, &cut);
	network_set(s->net, R0, NETWORK_ALL, &cut);
	world_expect_http(at(s, R0), "/status", "\"frozen\":true", LONG_MS);
	world_expect_http(at(s, R0), "/metrics", "nigh_vote_frozen 1", 2000);
	expect_stays(s, R0, R2, 7000);
	a = world_query(at(s, R0), WEB, "A", CLIENT);
	assert_int_equal(a.ede, EDE_STALE);
	a = world_query(at(s, R1), WEB, "A", CLIENT);
	assert_int_equal(a.ede, -1);
	expect_heard(s, R1, 1);
	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &calm);
	world_expect_http(at(s, R0), "/status", "\"frozen\":false", BACK_MS);
	expect_heard(s, R0, 2);
	expect_stays(s, R0, R2, 3000);
	for (int r = 0; r < REPLICAS; r++)
		expect_never_down(s, r);
}

/* It hears the others, and goes by them. */
static void test_one_that_reaches_no_site_goes_by_the_others(void **state)
{
	struct scene *s = *state;

	for (int site = NEW_YORK; site < NODES; site++)
		network_set_pair(s->net, R0, site, &cut);
	network_set(s->net, NETWORK_ALL, LOS_ANGELES, &cut);
	/* Both of the others must see it: the slower one counts. */
	expect_all(s, HOUSTON, LONG_MS);
	world_expect_http(at(s, R1), EXPLAIN, "down: 2 of 2 replicas (r1, r2)", 0);
}

static void test_one_that_is_killed_has_no_vote_after_3_seconds(void **state)
{
	struct scene *s = *state;

	world_kill(at(s, R2));
	expect_heard(s, R0, 1);
	network_set_pair(s->net, R0, LOS_ANGELES, &cut);
	world_expect_http(at(s, R1), EXPLAIN, "down: 1 of 2 replicas (r0); up: r1", LONG_MS);
	expect_stays(s, R0, R1, 1000);
	network_set_pair(s->net, R1, LOS_ANGELES, &cut);
	expect(s, R1, HOUSTON, LONG_MS);
	expect(s, R0, HOUSTON, 1000);
	world_start(at(s, R2));
	/* It sees the site, and is one of three. */
	expect_heard(s, R2, 2);
	world_expect_http(at(s, R0), EXPLAIN, "down: 2 of 3 replicas (r0, r1); up: r2", LONG_MS);
}

/* --- who is none, and who is a new one --- */

static void test_who_has_no_good_certificate_is_none(void **state)
{
	struct scene *s = *state;

	authority_issue_named(s->authority, "stranger", "web.shop", DAY_S);
	world_stop(at(s, R2));
	expect_heard(s, R0, 1);
	configure(s, R2, "stranger");
	world_start(at(s, R2));
	world_expect_http(at(s, R0), "/metrics", "!nigh_replica_connections_refused_total 0",
	                  HEARD_MS);
	expect_heard(s, R0, 1);
	expect_heard(s, R2, 0);
	world_expect_log(at(s, R0), "who is there is no replica", HEARD_MS);
	world_expect_log(at(s, R0), "its certificate has none of the DNS names of ours", 0);
	/* Alone it withdraws what it loses; the others do not care. */
	network_set_pair(s->net, R2, LOS_ANGELES, &cut);
	expect(s, R2, HOUSTON, LONG_MS);
	expect_stays(s, R0, R1, 1000);
}

static void test_a_certificate_that_the_others_refuse_is_told_by_check(void **state)
{
	struct scene *s = *state;
	char path[256];
	const char *const argv[] = {"$NIGHD", "--check", "-c", path, NULL};

	authority_issue_named(s->authority, "old", "nighd-replicas.nigh", -1);
	world_stop(at(s, R2));
	configure(s, R2, "old");
	world_start(at(s, R2));
	snprintf(path, sizeof path, "%s", world_path(s->w[R2], "nighd.yaml"));
	world_expect_run(s->w[R2], argv, 0, "old.crt: certificate has expired");
}

static int dial(struct network *net, int from, int to)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(VOTE_PORT)};
	int fd;

	network_enter(net, from);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, network_address(net, to), &at.sin_addr), 1);
	assert_int_equal(connect(fd, (void *)&at, sizeof at), 0);
	return fd;
}

static void test_garbage_and_silence_change_nothing(void **state)
{
	static const char garbage[4096] = "garbage";
	struct scene *s = *state;
	int fd[20];

	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++) {
		fd[i] = dial(s->net, R2, R0);
		if (i % 2)
			assert_true(send(fd[i], garbage, sizeof garbage, MSG_NOSIGNAL) > 0);
	}
	world_expect_http(at(s, R0), "/metrics", "nigh_replica_connections_refused_total 20",
	                  HEARD_MS);
	expect_heard(s, R0, 2);
	expect_all(s, LOS_ANGELES, 0);
	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
		close(fd[i]);
}

static void test_a_takeover_and_a_reload_keep_the_vote(void **state)
{
	struct scene *s = *state;

	world_replace(at(s, R0));
	expect_heard(s, R0, 2);
	network_set_pair(s->net, R1, LOS_ANGELES, &cut);
	world_expect_http(at(s, R0), EXPLAIN, "down: 1 of 3 replicas (r1)", LONG_MS);
	expect_stays(s, R0, R2, 1000);
	/* Without the others what it sees counts alone. */
	world_config(at(s, R1), "publish: {allow: [10.77.0.0/24]}\nprobe: {mode: always}\n");
	world_signal(at(s, R1), SIGHUP);
	expect(s, R1, HOUSTON, LONG_MS);
	expect_heard(s, R0, 1);
	configure(s, R1, "nighd");
	world_signal(at(s, R1), SIGHUP);
	expect(s, R1, LOS_ANGELES, LONG_MS);
	expect_heard(s, R0, 2);
}

#define voted(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		voted(test_one_that_loses_a_site_withdraws_nothing),
		voted(test_what_two_of_three_lose_is_withdrawn_by_all),
		voted(test_a_dead_site_is_withdrawn_by_all_within_5_seconds_and_a_probe),
		voted(test_each_half_answers_what_it_can_reach),
		voted(test_one_that_reaches_nothing_stays_as_it_was_and_says_so),
		voted(test_one_that_reaches_no_site_goes_by_the_others),
		voted(test_one_that_is_killed_has_no_vote_after_3_seconds),
		voted(test_who_has_no_good_certificate_is_none),
		voted(test_a_certificate_that_the_others_refuse_is_told_by_check),
		voted(test_garbage_and_silence_change_nothing),
		voted(test_a_takeover_and_a_reload_keep_the_vote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
