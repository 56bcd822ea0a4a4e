/* What crowds on TCP cost those who ask over UDP: next to nothing, and nighd bounded memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/world.h"
#include "tests/support/world_wire.h"

#define LONG                                                                                       \
	"0123456789abcdefghij0123456789abcdefghij0123456789abcdefghij0123456789abcdefghij01234567" \
	"89"

enum { ASKED = 200, WITHIN_MS = 250, ROOM = 1 << 20 };

static void start(struct world *w, const char *more)
{
	world_config(w, more);
	world_folder(w, "manifests/host");
	world_start(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 5000);
}

/* Of four hundred octets. */
static const char zone[] = "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\", "
			   "\"big 300 IN TXT " LONG " " LONG " " LONG " " LONG "\"]}]\n";

/* Of a hundred answers over UDP 99 come within this time: long for nighd, short for who waits. */
static void expect_udp_undisturbed(struct world *w)
{
	unsigned late = 0;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	struct world_question q = {.name = "www.example.com", .type = "A"};
	size_t len = world_wire_build(&q, 1, query);

	for (unsigned i = 0; i < ASKED; i++)
		late += world_wire_udp(w, NULL, query, len, reply, WITHIN_MS) == 0;
	free(reply);
	assert_in_range(late, 0, ASKED / 100);
}

static double resident(struct world *w) { return world_metric(w, "process_resident_memory_bytes"); }

/* By FIN or RST, which may be on its way still. */
static bool is_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t byte;
	ssize_t got;

	if (poll(&p, 1, 1000) != 1)
		return false;
	got = recv(fd, &byte, 1, MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno == ECONNRESET);
}

static void test_ten_thousand_idle_connections_leave_udp_alone(void **state)
{
	struct world *w = *state;
	unsigned count = world_descriptors(10000), ended = 0;
	int *fd = calloc(count, sizeof *fd);
	double before;

	start(w, zone);
	before = resident(w);
	for (unsigned i = 0; i < count; i++)
		fd[i] = world_wire_connect(w);
	expect_udp_undisturbed(w);
	assert_true(resident(w) - before < 50e6 + world_sanitizer_bytes());
	assert_true(world_metric(w, "dnsd_tcp_opened_total") >= count);
	/* They have a fifth of 10 s; the last to come goes too. */
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", 15000);
	for (unsigned i = 0; i < count; i++) {
		ended += is_ended(fd[i]);
		close(fd[i]);
	}
	assert_int_equal(ended, count);
	free(fd);
}

/* Each sends what it may and reads nothing. */
static void test_a_thousand_that_never_read_cost_bounded_memory_and_end(void **state)
{
	enum { COUNT = 1000, QUERIES = 1500 };
	struct world *w = *state;
	struct world_question q = {.name = "big.example.com", .type = "TXT", .tcp = true};
	int *fd = calloc(COUNT, sizeof *fd), little = 4096;
	uint8_t query[512], *stream = malloc(QUERIES * 514);
	size_t len = world_wire_build(&q, 1, query), all = 0;
	double before;

	start(w, zone);
	before = resident(w);
	for (unsigned i = 0; i < QUERIES; i++)
		all += world_wire_frame(query, len, stream + all);
	for (unsigned i = 0; i < COUNT; i++) {
		fd[i] = world_wire_connect(w);
		(void)setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
		(void)send(fd[i], stream, all, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	expect_udp_undisturbed(w);
	assert_true(resident(w) - before < COUNT * 200e3 + world_sanitizer_bytes());
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", 30000);
	for (unsigned i = 0; i < COUNT; i++)
		close(fd[i]);
	free(stream);
	free(fd);
}

/* Sends and reads as fast as it goes, and asks over UDP between. */
static void test_a_million_pipelined_queries_are_answered_beside_udp(void **state)
{
	enum { PART = 1000, PARTS = 1000 };
	struct world *w = *state;
	struct world_question q = {.name = "www.example.com", .type = "A", .tcp = true};
	uint8_t query[512], *part = malloc(PART * 514), *in = malloc(ROOM);
	size_t len = world_wire_build(&q, 1, query), part_len = 0, sent = 0, got = 0, whole;
	double before;
	int fd;

	start(w, zone);
	before = resident(w);
	for (unsigned i = 0; i < PART; i++)
		part_len += world_wire_frame(query, len, part + part_len);
	/* One A record with a pointer, and the same OPT. */
	whole = (size_t)PARTS * PART * (2 + len + 16);
	fd = world_wire_connect(w);
	for (unsigned turns = 0; got < whole; turns++) {
		size_t left = PARTS * part_len - sent, at = sent % part_len;
		ssize_t n;

		if (left > 0) {
			n = send(fd, part + at, part_len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
		}
		n = recv(fd, in, ROOM, left > 0 ? MSG_DONTWAIT : 0);
		if (n == 0)
			world_fail(w, "the connection ended after %zu of %zu bytes", got, whole);
		got += n > 0 ? (size_t)n : 0;
		if (turns % 20000 == 10000)
			world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	}
	assert_int_equal(got, whole);
	assert_true(resident(w) - before < 20e6 + world_sanitizer_bytes());
	close(fd);
	free(part);
	free(in);
}

static void test_the_limits_of_the_config_hold_for_all_workers_together(void **state)
{
	enum { MOST = 20, MORE = 10 };
	struct world *w = *state;
	int fd[MOST + MORE];
	char config[2048];

	snprintf(config, sizeof config, "%s%s", zone,
	         "tcp: {maxConnections: 20, maxPerNetwork: 1, idle: 1h}\nworkers: 3\n");
	start(w, config);
	for (unsigned i = 0; i < MOST + MORE; i++)
		fd[i] = world_wire_connect(w);
	world_expect_http(w, "/metrics", "dnsd_tcp_refused_total 10\n", 5000);
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 20\n", 5000);
	for (unsigned i = 0; i < MOST + MORE; i++)
		close(fd[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_ten_thousand_idle_connections_leave_udp_alone),
		world_test(test_a_thousand_that_never_read_cost_bounded_memory_and_end),
		world_test(test_a_million_pipelined_queries_are_answered_beside_udp),
		world_test(test_the_limits_of_the_config_hold_for_all_workers_together),
	};

	return cmocka_run_group_tests_name("scenario/crowds", tests, NULL, NULL);
}
