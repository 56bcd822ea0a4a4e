/* When many probes begin, by a clock that the test turns: not in step, in a replica or with another one's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "watcher/probe.h"

enum {
	TARGETS = 400,
	INTERVAL_MS = 10000,
	JITTER_MS = INTERVAL_MS / 20, /* promised: at most */
	TURN_MS = 1,
	LATE_MS = 2 * TURN_MS, /* until the loop looks */
	ROUNDS = 5,
	SLOTS = 20
};

/* --- the clock, in place of the one of libc, for libuv too --- */

static uint64_t virtual_ms = 1000000;

int clock_gettime(clockid_t which, struct timespec *out)
{
	(void)which;
	*out = (struct timespec){(time_t)(virtual_ms / 1000), (long)(virtual_ms % 1000) * 1000000};
	return 0;
}

/* --- when each target was connected to, since the first round began --- */

struct beginnings {
	uint64_t from_ms;
	uint64_t at_ms[TARGETS][ROUNDS + 1];
	unsigned count[TARGETS];
};
static struct beginnings *now_filled;

static struct in_addr address_of(unsigned target)
{
	return (struct in_addr){htonl(0x7f010000 + target + 1)}; /* 127.1.0.1 and so on */
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	unsigned target = ntohl(((const struct sockaddr_in *)(const void *)to)->sin_addr.s_addr) -
	                  ntohl(address_of(0).s_addr);
	void *next = dlsym(RTLD_NEXT, "connect");
	int (*real)(int, const struct sockaddr *, socklen_t);

	assert_true(target < TARGETS && now_filled->count[target] <= ROUNDS);
	now_filled->at_ms[target][now_filled->count[target]++] = virtual_ms - now_filled->from_ms;
	*(void **)&real = next;
	return real(fd, to, len);
}

static int accepting(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1000), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	(void)index;
	(void)arg;
	assert_true(verdict->succeeded);
}

static void on_stopped(void *arg) { *(bool *)arg = true; }

static void set_targets(struct prober *p, uint16_t port)
{
	static struct probe_target targets[TARGETS];

	for (unsigned i = 0; i < TARGETS; i++) {
		struct in_addr in = address_of(i);
		char text[INET_ADDRSTRLEN];

		targets[i] = (struct probe_target){.port = port, .wanted = true};
		assert_true(addr_parse(bytes_of(inet_ntop(AF_INET, &in, text, sizeof text)),
		                       &targets[i].addr));
	}
	prober_set_targets(p, NULL, 0, targets, TARGETS);
}

/* A replica probes all of them for ROUNDS intervals. */
static void run_replica(struct beginnings *b)
{
	struct probe_settings settings = {INTERVAL_MS, 1000, 3, 2, NULL, NULL};
	struct prober *p;
	bool stopped = false;
	uint16_t port;
	uv_loop_t loop;
	int fd = accepting(&port), got;

	*b = (struct beginnings){.from_ms = virtual_ms};
	now_filled = b;
	assert_int_equal(uv_loop_init(&loop), 0);
	p = prober_new(&loop, &settings, on_verdict, NULL);
	set_targets(p, port);
	while (virtual_ms < b->from_ms + ROUNDS * INTERVAL_MS) {
		virtual_ms += TURN_MS;
		uv_run(&loop, UV_RUN_NOWAIT);
		while ((got = accept(fd, NULL, NULL)) >= 0)
			close(got);
	}
	prober_stop(p, on_stopped, &stopped);
	while (!stopped)
		uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(fd);
}

static struct beginnings one, other;

static int setup(void **state)
{
	(void)state;
	run_replica(&one);
	run_replica(&other);
	return 0;
}

/* --- what is promised --- */

static void test_every_target_is_probed_once_an_interval(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		assert_in_range(one.count[i], ROUNDS - 1, ROUNDS);
		assert_true(one.at_ms[i][0] <= INTERVAL_MS + JITTER_MS + LATE_MS);
	}
}

/* With all at one instant one twentieth has all of them, and the others none. */
static void test_many_probes_are_spread_over_the_interval(void **state)
{
	unsigned slot[SLOTS] = {0}, instant[INTERVAL_MS / 10] = {0};

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		uint64_t in = one.at_ms[i][1] % INTERVAL_MS;

		slot[in * SLOTS / INTERVAL_MS]++;
		instant[in / 10]++;
	}
	/* 20 are to be expected; less than 1 of 10,000 runs has any with 3 or 45. */
	for (unsigned i = 0; i < SLOTS; i++)
		assert_in_range(slot[i], 3, 45);
	for (unsigned i = 0; i < INTERVAL_MS / 10; i++)
		assert_in_range(instant[i], 0, 10);
}

static uint64_t drift(const struct beginnings *b, unsigned target)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned k = 0; k < b->count[target]; k++) {
		uint64_t at = b->at_ms[target][k] + INTERVAL_MS - k * INTERVAL_MS;

		least = at < least ? at : least;
		most = at > most ? at : most;
	}
	return most - least;
}

/* Of four or five even jitters the largest is three or four times as far from the smallest as they are from each other, on the
 * average: 300 to 333 ms. */
static void test_each_begins_up_to_a_twentieth_later_each_time_otherwise(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		assert_in_range(drift(&one, i), 0, JITTER_MS + LATE_MS);
		sum += drift(&one, i);
	}
	assert_in_range(sum / TARGETS, JITTER_MS / 2, JITTER_MS * 4 / 5);
}

/* What begins in another one within a twentieth of the same place in the interval does so by chance: one of ten. */
static void test_each_replica_has_other_places(void **state)
{
	unsigned near = 0;

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		uint64_t a = (one.from_ms + one.at_ms[i][1]) % INTERVAL_MS;
		uint64_t b = (other.from_ms + other.at_ms[i][1]) % INTERVAL_MS;
		uint64_t apart = a > b ? a - b : b - a;

		near += apart <= JITTER_MS || apart >= INTERVAL_MS - JITTER_MS;
	}
	assert_in_range(near, 1, TARGETS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_target_is_probed_once_an_interval),
		cmocka_unit_test(test_many_probes_are_spread_over_the_interval),
		cmocka_unit_test(test_each_begins_up_to_a_twentieth_later_each_time_otherwise),
		cmocka_unit_test(test_each_replica_has_other_places),
	};

	return cmocka_run_group_tests_name("watcher/probe (times)", tests, setup, NULL);
}
