/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "watcher/probe.h"

enum { PATIENCE_MS = 10000, MOST_VERDICTS = 4096, MOST_FILLERS = 8, TEXT_SIZE = 200 };

/* What connect() fails with; 0: it is itself. */
static int connect_error;

/* In place of the one of libc, for libuv too. */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	void *next = dlsym(RTLD_NEXT, "connect");
	int (*real)(int, const struct sockaddr *, socklen_t);

	*(void **)&real = next;
	if (!connect_error)
		return real(fd, to, len);
	errno = connect_error;
	return -1;
}

struct verdict {
	size_t index;
	bool succeeded, down;
	uint64_t at_ms;
	char text[TEXT_SIZE];
};

struct world {
	uv_loop_t loop;
	struct prober *prober;
	struct verdict verdict[MOST_VERDICTS];
	size_t verdicts;
	bool stopped;
};

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	struct world *w = arg;

	assert_false(w->stopped);
	assert_true(w->verdicts < MOST_VERDICTS);
	if (verdict->is_void)
		return;
	w->verdict[w->verdicts++] = (struct verdict){
		.index = index,
		.succeeded = verdict->succeeded,
		.down = verdict->down,
		.at_ms = clock_monotonic_ms(),
	};
	(void)snprintf(w->verdict[w->verdicts - 1].text, TEXT_SIZE, "%s", verdict->text);
}

static void on_stopped(void *arg) { ((struct world *)arg)->stopped = true; }

static struct world *world_new(uint64_t interval_ms, uint64_t timeout_ms, uint32_t down,
                               uint32_t up)
{
	struct probe_settings settings = {interval_ms, timeout_ms, down, up, NULL, NULL};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->prober = prober_new(&w->loop, &settings, on_verdict, w);
	return w;
}

static void world_free(struct world *w)
{
	prober_stop(w->prober, on_stopped, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	free(w);
}

static void run_ms(struct world *w, uint64_t ms)
{
	uint64_t until = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < until) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

static void run_until_verdicts(struct world *w, size_t count)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (w->verdicts < count && clock_monotonic_ms() < until)
		run_ms(w, 1);
	assert_true(w->verdicts >= count);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

/* Bound to loopback, not listening: connections to it are refused. */
static int refusing(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static int accepting(void)
{
	int fd = refusing();

	assert_int_equal(listen(fd, 1000), 0);
	return fd;
}

/* A listener whose queue is full of connections that nobody accepts drops what else comes. */
struct silent {
	int fd;
	int filler[MOST_FILLERS];
	int fillers;
};

static bool is_connected(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 50) == 1;
}

/* On all of 127.0.0.0/8, so that there can be many targets. */
static struct silent silent_open(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct silent s = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	socklen_t len = sizeof(sin);

	assert_int_equal(bind(s.fd, (struct sockaddr *)&sin, sizeof(sin)), 0);

	assert_int_equal(listen(s.fd, 0), 0);
	assert_int_equal(getsockname(s.fd, (struct sockaddr *)&sin, &len), 0);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_true(fd >= 0 && s.fillers < MOST_FILLERS);
		connect(fd, (struct sockaddr *)&sin, sizeof(sin));
		s.filler[s.fillers] = fd;
		if (!is_connected(fd))
			break; /* full; this one would only come again later */
		s.fillers++;
	}
	close(s.filler[s.fillers]);
	return s;
}

static void silent_close(struct silent *s)
{
	for (int i = 0; i < s->fillers; i++)
		close(s->filler[i]);
	close(s->fd);
}

static struct probe_target target_of(int fd)
{
	struct probe_target t = {.port = port_of(fd), .wanted = true};

	assert_true(addr_parse(bytes_of("127.0.0.1"), &t.addr));
	return t;
}

static void probe_one(struct world *w, int fd)
{
	struct probe_target t = target_of(fd);

	prober_set_targets(w->prober, NULL, 0, &t, 1);
}

static void test_a_target_that_accepts_is_up_after_one_connection(void **state)
{
	struct world *w = world_new(1000, 1000, 3, 2);
	int fd = accepting();

	(void)state;
	probe_one(w, fd);
	assert_int_equal(w->verdicts, 0);
	run_until_verdicts(w, 1);
	assert_true(w->verdict[0].succeeded);
	assert_false(w->verdict[0].down);
	assert_int_equal(prober_counts(w->prober).attempts, 1);
	assert_int_equal(w->verdicts, 1);
	close(fd);
	world_free(w);
}

static void test_a_connection_ends_in_a_reset(void **state)
{
	struct world *w = world_new(1000, 1000, 3, 2);
	int fd = accepting();
	char byte;
	int got;

	(void)state;
	probe_one(w, fd);
	run_until_verdicts(w, 1);
	run_ms(w, 5);
	got = accept(fd, NULL, NULL);
	assert_true(got >= 0);
	assert_int_equal(recv(got, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	close(got);
	close(fd);
	world_free(w);
}

static void test_a_target_that_refuses_fails_with_its_last_attempt(void **state)
{
	struct world *w = world_new(1500, 1000, 1, 1);
	int fd = refusing();
	uint64_t first;

	(void)state;
	probe_one(w, fd);
	while (prober_counts(w->prober).attempts == 0)
		run_ms(w, 1);
	first = clock_monotonic_ms();
	run_until_verdicts(w, 1);
	assert_false(w->verdict[0].succeeded);
	assert_true(w->verdict[0].down);
	assert_int_equal(prober_counts(w->prober).attempts, 3);
	assert_in_range(w->verdict[0].at_ms - first, 490, 900);
	close(fd);
	world_free(w);
}

static void test_a_silent_target_fails_at_the_deadline(void **state)
{
	struct world *w = world_new(2000, 400, 1, 1);
	struct silent s = silent_open();
	uint64_t first;

	(void)state;
	probe_one(w, s.fd);
	while (prober_counts(w->prober).attempts == 0)
		run_ms(w, 1);
	first = clock_monotonic_ms();
	run_until_verdicts(w, 1);
	assert_false(w->verdict[0].succeeded);
	assert_int_equal(prober_counts(w->prober).attempts, 2); /* the third would begin at 500 */
	assert_in_range(w->verdict[0].at_ms - first, 390, 800);
	silent_close(&s);
	world_free(w);
}

static void test_a_lost_first_packet_costs_a_quarter_of_a_second(void **state)
{
	struct world *w = world_new(2000, 1000, 1, 1);
	struct silent s = silent_open();
	uint64_t first;
	int got;

	(void)state;
	probe_one(w, s.fd);
	while (prober_counts(w->prober).attempts == 0)
		run_ms(w, 1);
	first = clock_monotonic_ms();
	while ((got = accept(s.fd, NULL, NULL)) >= 0)
		close(got);
	run_until_verdicts(w, 1);
	assert_true(w->verdict[0].succeeded);
	assert_int_equal(prober_counts(w->prober).attempts, 2);
	assert_in_range(w->verdict[0].at_ms - first, 240, 600);
	silent_close(&s);
	world_free(w);
}

static void test_failures_in_a_row_make_it_down_and_successes_up(void **state)
{
	struct world *w = world_new(20, 10, 3, 2);
	int fd = refusing();

	(void)state;
	probe_one(w, fd);
	run_until_verdicts(w, 3);
	assert_false(w->verdict[0].down);
	assert_false(w->verdict[1].down);
	assert_true(w->verdict[2].down);
	assert_int_equal(listen(fd, 1000), 0);
	w->verdicts = 0;
	run_until_verdicts(w, 3);
	for (size_t i = 0, good = 0; i < w->verdicts; i++) {
		good = w->verdict[i].succeeded ? good + 1 : 0;
		assert_int_equal(w->verdict[i].down, good < 2);
	}
	assert_true(w->verdict[2].succeeded);
	close(fd);
	world_free(w);
}

static void test_a_state_from_before_counts_until_it_is_judged(void **state)
{
	struct world *w = world_new(20, 10, 3, 2);
	int fd = accepting();

	(void)state;
	probe_one(w, fd);
	prober_set_state(w->prober, 0, true);
	run_until_verdicts(w, 2);
	assert_true(w->verdict[0].succeeded);
	assert_true(w->verdict[0].down);
	assert_false(w->verdict[1].down);
	close(fd);
	world_free(w);
}

static void test_what_is_not_wanted_is_left_alone(void **state)
{
	struct world *w = world_new(10, 10, 1, 1);
	int fd = refusing();
	struct probe_target t = target_of(fd);
	uint64_t attempts;
	size_t verdicts;

	(void)state;
	probe_one(w, fd);
	run_until_verdicts(w, 1);
	t.wanted = false;
	prober_set_targets(w->prober, NULL, 0, &t, 1);
	attempts = prober_counts(w->prober).attempts;
	verdicts = w->verdicts;
	run_ms(w, 60);
	assert_int_equal(prober_counts(w->prober).attempts, attempts);
	assert_int_equal(w->verdicts, verdicts);
	assert_int_equal(listen(fd, 1000), 0);
	t.wanted = true;
	prober_set_targets(w->prober, NULL, 0, &t, 1);
	run_until_verdicts(w, verdicts + 1);
	assert_true(w->verdict[verdicts].succeeded);
	close(fd);
	world_free(w);
}

static void test_an_index_keeps_its_counts_with_its_address_and_not_without(void **state)
{
	struct world *w = world_new(20, 10, 2, 9);
	int one = refusing(), two = refusing(), three = accepting();
	struct probe_target list[3] = {target_of(one), target_of(two)};

	(void)state;
	prober_set_targets(w->prober, NULL, 0, list, 2);
	run_until_verdicts(w, 6); /* both are down */
	list[1] = target_of(three);
	list[2] = (struct probe_target){.port = 1, .wanted = true};
	prober_set_targets(w->prober, NULL, 0, list, 3);
	w->verdicts = 0;
	run_until_verdicts(w, 4);
	for (size_t i = 0; i < w->verdicts; i++) {
		assert_true(w->verdict[i].index < 2);
		assert_int_equal(w->verdict[i].down, w->verdict[i].index == 0);
	}
	prober_set_targets(w->prober, NULL, 0, NULL, 0);
	w->verdicts = 0;
	run_ms(w, 50);
	assert_int_equal(w->verdicts, 0);
	close(one);
	close(two);
	close(three);
	world_free(w);
}

static void test_probes_begin_every_interval_but_never_two_at_once(void **state)
{
	struct world *w = world_new(50, 150, 1, 1);
	struct silent s = silent_open();
	int fd = accepting();

	(void)state;
	probe_one(w, s.fd);
	run_until_verdicts(w, 3);
	assert_in_range(w->verdict[2].at_ms - w->verdict[1].at_ms, 145, 400);
	w->verdicts = 0;
	probe_one(w, fd);
	run_until_verdicts(w, 5);
	assert_in_range(w->verdict[4].at_ms - w->verdict[0].at_ms, 190, 500);
	silent_close(&s);
	close(fd);
	world_free(w);
}

/* As by default: a silent target's probe ends when the next one is to begin, here some milliseconds later. */
static void test_a_probe_that_takes_its_interval_keeps_no_other_from_its_time(void **state)
{
	enum { INTERVAL_MS = 500, MANY = 5 };
	static const struct timespec busy = {.tv_nsec = 5000000};
	struct world *w = world_new(INTERVAL_MS, INTERVAL_MS, 3, 2);
	struct silent s = silent_open();

	(void)state;
	probe_one(w, s.fd);
	while (w->verdicts < MANY) {
		run_ms(w, 1);
		nanosleep(&busy, NULL);
	}
	/* Twice the machine may be so late that one is left out: all of them would take twice the time. */
	assert_in_range(w->verdict[MANY - 1].at_ms - w->verdict[0].at_ms,
	                (MANY - 1) * INTERVAL_MS - INTERVAL_MS / 20,
	                (MANY + 1) * INTERVAL_MS + INTERVAL_MS / 2);
	silent_close(&s);
	world_free(w);
}

static void test_targets_are_spread_over_the_interval(void **state)
{
	enum { TARGETS = 64, INTERVAL_MS = 800 };
	struct world *w = world_new(INTERVAL_MS, 500, 1, 1);
	struct probe_target list[TARGETS];
	size_t quarter[4] = {0};
	uint64_t begin;
	int fd = accepting();

	(void)state;
	for (int i = 0; i < TARGETS; i++) {
		list[i] = target_of(fd);
		list[i].addr.bytes[3] = (uint8_t)(i + 1); /* 127.0.0.0/8 is all loopback */
	}
	close(fd);
	begin = clock_monotonic_ms();
	prober_set_targets(w->prober, NULL, 0, list, TARGETS);
	while (clock_monotonic_ms() < begin + INTERVAL_MS - 20) {
		uint64_t before = prober_counts(w->prober).attempts;
		uint64_t at;

		run_ms(w, 1);
		at = (clock_monotonic_ms() - begin) * 4 / INTERVAL_MS;
		quarter[at < 4 ? at : 3] += prober_counts(w->prober).attempts - before;
	}
	/* Refused ones come again 250 ms later, three times in all. */
	assert_in_range(quarter[0], 4, 40);
	assert_in_range(quarter[1], 4, 60);
	world_free(w);
}

static void test_too_many_connections_wait_for_their_turn(void **state)
{
	enum { TARGETS = 700 };
	struct world *w = world_new(100, 300, 1, 1);
	struct probe_target list[TARGETS];
	struct silent s = silent_open();
	bool judged[TARGETS] = {false};
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < TARGETS; i++) {
		list[i] = target_of(s.fd);
		list[i].addr.bytes[2] = (uint8_t)(i / 250);
		list[i].addr.bytes[3] = (uint8_t)(i % 250 + 1);
	}
	prober_set_targets(w->prober, NULL, 0, list, TARGETS);
	run_until_verdicts(w, TARGETS * 2);
	assert_true(prober_counts(w->prober).waits > 0);
	assert_int_equal(prober_counts(w->prober).voided, 0);
	for (size_t i = 0; i < w->verdicts; i++) {
		seen += !judged[w->verdict[i].index];
		judged[w->verdict[i].index] = true;
		assert_false(w->verdict[i].succeeded);
	}
	assert_int_equal(seen, TARGETS);
	silent_close(&s);
	world_free(w);
}

static void test_a_lack_of_descriptors_is_no_verdict(void **state)
{
	struct world *w = world_new(20, 10, 1, 1);
	int fd = accepting();
	struct rlimit was, none;

	(void)state;
	probe_one(w, fd);
	run_until_verdicts(w, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	w->verdicts = 0;
	run_ms(w, 100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(w->verdicts, 0);
	assert_true(prober_counts(w->prober).voided > 1);
	run_until_verdicts(w, 1);
	assert_true(w->verdict[0].succeeded);
	close(fd);
	world_free(w);
}

static void test_a_lack_of_a_route_is_no_verdict(void **state)
{
	static const int lack[] = {ENETUNREACH, EHOSTUNREACH};
	struct world *w = world_new(20, 10, 1, 1);
	int fd = accepting();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t voided = prober_counts(w->prober).voided;

		connect_error = lack[i];
		probe_one(w, fd);
		run_ms(w, 100);
		connect_error = 0;
		assert_int_equal(w->verdicts, 0);
		assert_true(prober_counts(w->prober).voided > voided);
	}
	run_until_verdicts(w, 1);
	assert_true(w->verdict[0].succeeded);
	close(fd);
	world_free(w);
}

static void test_a_deadline_that_is_looked_at_late_is_no_verdict(void **state)
{
	struct world *w = world_new(3000, 200, 1, 1);
	struct silent s = silent_open();

	(void)state;
	probe_one(w, s.fd);
	while (prober_counts(w->prober).attempts == 0)
		run_ms(w, 1);
	usleep(400000); /* the loop stands still */
	run_ms(w, 20);
	assert_int_equal(w->verdicts, 0);
	assert_int_equal(prober_counts(w->prober).voided, 1);
	run_until_verdicts(w, 1); /* the next probe is in time */
	assert_false(w->verdict[0].succeeded);
	assert_true(w->verdict[0].down);
	silent_close(&s);
	world_free(w);
}

static void test_new_settings_count_at_once(void **state)
{
	const struct probe_settings quick = {20, 10, 1, 1, NULL, NULL};
	struct world *w = world_new(3600000, 10, 3, 2);
	int fd = refusing();

	(void)state;
	probe_one(w, fd);
	prober_configure(w->prober, &quick);
	run_until_verdicts(w, 2);
	assert_true(w->verdict[0].down);
	close(fd);
	world_free(w);
}

static void test_equal_targets_share_one_probe(void **state)
{
	const struct policy_check often = {.kind = POLICY_CHECK_TCP, .interval_ms = 30};
	const struct probe_way ways[] = {
		{.is = NULL}, {&often, bytes_of("often"), {0}}, {&often, bytes_of("often"), {0}}};
	struct world *w = world_new(3600000, 10, 1, 1);
	int fd = accepting();
	struct probe_target list[3] = {target_of(fd), target_of(fd), target_of(fd)};

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		list[i].way = i;
	prober_set_targets(w->prober, ways, 3, list, 3);
	run_until_verdicts(w, 6);
	assert_int_equal(prober_counts(w->prober).attempts, w->verdicts / 2);
	for (size_t i = 0; i < w->verdicts; i++)
		assert_int_equal(w->verdict[i].index, 1 + i % 2);

	/* One that joins has the state of those that are there. */
	close(fd);
	while (!w->verdict[w->verdicts - 1].down)
		run_until_verdicts(w, w->verdicts + 2);
	list[0].way = 2;
	prober_set_targets(w->prober, ways, 3, list, 3);
	prober_set_state(w->prober, 0, false);
	assert_true(prober_is_down(w->prober, 0));
	world_free(w);
}

static void test_a_way_has_times_and_counts_of_its_own(void **state)
{
	const struct policy_check own = {.interval_ms = 20, .timeout_ms = 5, .down = 4, .up = 2};
	const struct probe_way way = {&own, bytes_of("own"), {0}};
	struct world *w = world_new(3600000, 1000, 1, 1);
	int fd = refusing();
	struct probe_target t = target_of(fd);

	(void)state;
	prober_set_targets(w->prober, &way, 1, &t, 1);
	run_until_verdicts(w, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(w->verdict[i].down, i == 3);
		assert_string_equal(w->verdict[i].text, "connection refused");
	}
	close(fd);
	world_free(w);
}

static void test_another_way_to_probe_starts_fresh(void **state)
{
	const struct policy_check a = {.interval_ms = 20, .down = 1}, b = {.interval_ms = 30};
	const struct probe_way ways[] = {{&a, bytes_of("a"), {0}}, {&b, bytes_of("b"), {0}}};
	struct world *w = world_new(3600000, 10, 9, 1);
	int fd = refusing();
	struct probe_target t = target_of(fd);

	(void)state;
	prober_set_targets(w->prober, ways, 2, &t, 1);
	run_until_verdicts(w, 1);
	assert_true(prober_is_down(w->prober, 0));
	t.way = 1;
	prober_set_targets(w->prober, ways, 2, &t, 1);
	assert_false(prober_is_down(w->prober, 0));
	/* Nor has it a verdict: what was saved counts. */
	prober_set_state(w->prober, 0, true);
	assert_true(prober_is_down(w->prober, 0));
	close(fd);
	world_free(w);
}

static void test_two_replicas_are_not_in_step(void **state)
{
	enum { TARGETS = 16, INTERVAL_MS = 2000 };
	struct probe_target list[TARGETS];
	uint64_t at_ms[2][TARGETS];
	size_t same = 0;
	int fd = accepting();

	(void)state;
	for (int i = 0; i < TARGETS; i++) {
		list[i] = target_of(fd);
		list[i].addr.bytes[3] = (uint8_t)(i + 1);
	}
	close(fd);
	for (size_t k = 0; k < 2; k++) {
		struct world *w = world_new(INTERVAL_MS, 10, 1, 1);

		prober_set_targets(w->prober, NULL, 0, list, TARGETS);
		run_until_verdicts(w, TARGETS);
		for (size_t i = 0; i < TARGETS; i++)
			at_ms[k][w->verdict[i].index] = w->verdict[i].at_ms % INTERVAL_MS;
		world_free(w);
	}
	for (size_t i = 0; i < TARGETS; i++)
		same += at_ms[0][i] / 50 == at_ms[1][i] / 50;
	assert_true(same < TARGETS / 2);
}

static void test_stopping_during_a_probe_says_nothing_more(void **state)
{
	struct world *w = world_new(50, 1000, 1, 1);
	struct silent s = silent_open();

	(void)state;
	probe_one(w, s.fd);
	while (prober_counts(w->prober).attempts == 0)
		run_ms(w, 1);
	world_free(w);
	silent_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_target_that_accepts_is_up_after_one_connection),
		cmocka_unit_test(test_a_connection_ends_in_a_reset),
		cmocka_unit_test(test_a_target_that_refuses_fails_with_its_last_attempt),
		cmocka_unit_test(test_a_silent_target_fails_at_the_deadline),
		cmocka_unit_test(test_a_lost_first_packet_costs_a_quarter_of_a_second),
		cmocka_unit_test(test_failures_in_a_row_make_it_down_and_successes_up),
		cmocka_unit_test(test_a_state_from_before_counts_until_it_is_judged),
		cmocka_unit_test(test_what_is_not_wanted_is_left_alone),
		cmocka_unit_test(test_an_index_keeps_its_counts_with_its_address_and_not_without),
		cmocka_unit_test(test_probes_begin_every_interval_but_never_two_at_once),
		cmocka_unit_test(test_a_probe_that_takes_its_interval_keeps_no_other_from_its_time),
		cmocka_unit_test(test_targets_are_spread_over_the_interval),
		cmocka_unit_test(test_too_many_connections_wait_for_their_turn),
		cmocka_unit_test(test_a_lack_of_descriptors_is_no_verdict),
		cmocka_unit_test(test_a_lack_of_a_route_is_no_verdict),
		cmocka_unit_test(test_a_deadline_that_is_looked_at_late_is_no_verdict),
		cmocka_unit_test(test_new_settings_count_at_once),
		cmocka_unit_test(test_equal_targets_share_one_probe),
		cmocka_unit_test(test_a_way_has_times_and_counts_of_its_own),
		cmocka_unit_test(test_another_way_to_probe_starts_fresh),
		cmocka_unit_test(test_two_replicas_are_not_in_step),
		cmocka_unit_test(test_stopping_during_a_probe_says_nothing_more),
	};

	return cmocka_run_group_tests_name("watcher/probe", tests, NULL, NULL);
}
