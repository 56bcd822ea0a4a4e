/* Zones over a worker's TCP, turn by turn: who waits for one is not silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "dnsd/transfers.h"
#include "tests/support/dnsd_worker.h"

#define CONFIG "zones: [{name: example.com, transfer: {allow: [{address: 127.0.0.0/8}]}}]\n"

enum { IDLE_MS = 100, WAIT_MS = 20000 };

static struct config *read_config(void)
{
	char path[] = "/tmp/nigh-transfer-XXXXXX";
	struct text errors = {0};
	int fd = mkstemp(path);
	struct config *c;

	assert_int_equal(write(fd, CONFIG, sizeof CONFIG - 1), sizeof CONFIG - 1);
	close(fd);
	c = config_read(path, &errors);
	assert_non_null(c);
	unlink(path);
	text_fini(&errors);
	return c;
}

static uint64_t count_of(const struct worker *k, enum stats_event event)
{
	return stats_read(&k->responder.stats->events[event]);
}

static void ask(int fd, const char *question)
{
	static const struct asking plain = {.tcp = true};
	uint8_t framed[2 + 512];
	size_t len = world_query(question, &plain, framed + 2);

	bytes_put16(framed, (uint16_t)len);
	assert_int_equal(send(fd, framed, 2 + len, 0), 2 + len);
}

/* Turns until something has come, or the end; how much. */
static ssize_t receive(struct worker *k, int fd, uint8_t *out, size_t room)
{
	uint64_t until = clock_monotonic_ms() + WAIT_MS;
	ssize_t got = -1;

	while (got < 0 && clock_monotonic_ms() < until) {
		worker_turn(k);
		got = recv(fd, out, room, MSG_DONTWAIT);
	}
	return got;
}

/* A worker whose zone may be transferred. */
struct desk {
	struct world *world;
	struct config *config;
	struct transfers *transfers;
	struct transfers_desk *desk;
	struct worker worker;
};

static void open_desk(struct desk *d, const struct tcp_limits *limits, unsigned names)
{
	char name[64];

	signal(SIGPIPE, SIG_IGN); /* as nighd does */
	d->world = world_new();
	d->config = read_config();
	world_zones_are(d->world, "example.com");
	for (unsigned i = 0; i < names; i++) {
		snprintf(name, sizeof name, "n%u.example.com", i);
		world_put(d->world, name, "300 A 192.0.2.1", NULL);
	}
	world_terms(d->world, CONFIG);
	world_build(d->world);
	d->transfers = transfers_start(zones_handover(world_zones(d->world)));
	transfers_configure(d->transfers, d->config, NULL);
	worker_start(&d->worker, d->world, limits);
	d->desk = transfers_desk_open(d->transfers, &d->worker.loop);
	tcp_set_desk(d->worker.tcp, d->desk);
}

static void close_desk(struct desk *d)
{
	tcp_set_desk(d->worker.tcp, NULL);
	transfers_desk_close(d->desk);
	worker_stop(&d->worker);
	transfers_stop(d->transfers);
	config_free(d->config);
	world_free(d->world);
}

/* What was made meanwhile comes to the worker behind its look for the silent: as late as that is, by its clock, the image was. */
static void test_who_waits_longer_for_a_zone_than_one_may_be_silent_gets_it(void **state)
{
	struct tcp_limits limits = tcp_limits_usual();
	struct desk d;
	uint8_t answer[4096];
	int fd;

	(void)state;
	limits.idle_ms = IDLE_MS;
	open_desk(&d, &limits, 0);
	fd = worker_dial(SOCK_STREAM, d.worker.tcp_port);
	ask(fd, "example.com AXFR");
	while (count_of(&d.worker, STATS_TRANSFERS) == 0)
		worker_turn(&d.worker);
	usleep(3 * IDLE_MS * 1000);
	assert_in_range(receive(&d.worker, fd, answer, sizeof answer), 100, sizeof answer);
	assert_int_equal(bytes_get16(answer + 2 + 6), 4); /* SOA, NS, its address, SOA */
	assert_int_equal(count_of(&d.worker, STATS_TCP_EXPIRED), 0);
	/* And then its silence counts. */
	assert_int_equal(receive(&d.worker, fd, answer, sizeof answer), 0);
	assert_int_equal(count_of(&d.worker, STATS_TCP_EXPIRED), 1);
	close(fd);
	close_desk(&d);
}

/* Who takes a zone bit by bit. */
struct taker {
	int fd;
	uint8_t *stream; /* what of a message is there */
	size_t have;
	unsigned records;
};

/* On, until it has so many records; false: the stream has ended before. */
static bool take(struct taker *t, struct worker *k, unsigned records)
{
	ssize_t got = 1;

	while (t->records < records && got > 0) {
		size_t used = 0;

		got = receive(k, t->fd, t->stream + t->have, UINT16_MAX);
		t->have += got > 0 ? (size_t)got : 0;
		while (t->have - used >= 2 && t->have - used - 2 >= bytes_get16(t->stream + used)) {
			t->records += bytes_get16(t->stream + used + 2 + 6);
			used += 2U + bytes_get16(t->stream + used);
		}
		t->have -= used;
		memmove(t->stream, t->stream + used, t->have);
	}
	return t->records >= records;
}

/* When all connections are taken the idlest goes: who is being sent a zone, and reads, is none. */
static void test_a_zone_on_its_way_does_not_give_way_to_who_is_silent(void **state)
{
	enum { NAMES = 250000, ROOM = 4, STEP = 10000, SMALL = 65536 };
	struct tcp_limits limits = tcp_limits_usual();
	struct desk d;
	struct taker t = {.stream = malloc(2 * UINT16_MAX)};
	uint8_t answer[512];
	int fd[ROOM], small = SMALL;

	(void)state;
	limits.max_connections = ROOM;
	open_desk(&d, &limits, NAMES);
	t.fd = worker_dial(SOCK_STREAM, d.worker.tcp_port);
	/* The kernel takes 2.6 MB of the six for itself. */
	assert_int_equal(setsockopt(t.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	ask(t.fd, "example.com AXFR");
	for (unsigned i = 0; i < ROOM; i++) {
		fd[i] = worker_dial(SOCK_STREAM, d.worker.tcp_port);
		ask(fd[i], "n1.example.com A");
		assert_in_range(receive(&d.worker, fd[i], answer, sizeof answer), 20,
		                sizeof answer);
		assert_true(take(&t, &d.worker, (i + 1) * STEP));
	}
	assert_true(take(&t, &d.worker, NAMES + 4));
	for (unsigned i = 0; i < ROOM; i++)
		close(fd[i]);
	close(t.fd);
	free(t.stream);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_waits_longer_for_a_zone_than_one_may_be_silent_gets_it),
		cmocka_unit_test(test_a_zone_on_its_way_does_not_give_way_to_who_is_silent),
	};

	return cmocka_run_group_tests_name("dnsd/tcp_transfer", tests, NULL, NULL);
}
