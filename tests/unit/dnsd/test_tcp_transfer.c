/* Zones over a worker's TCP, turn by turn: who waits for one is not silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
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

static void ask(int fd)
{
	static const struct asking plain = {.tcp = true};
	uint8_t framed[2 + 512];
	size_t len = world_query("example.com AXFR", &plain, framed + 2);

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

/* What was made meanwhile comes to the worker behind its look for the silent: as late as that is, by its clock, the image was. */
static void test_who_waits_longer_for_a_zone_than_one_may_be_silent_gets_it(void **state)
{
	struct tcp_limits limits = tcp_limits_usual();
	struct world *w = world_new();
	struct config *c = read_config();
	struct transfers_desk *desk;
	struct transfers *t;
	struct worker k;
	uint8_t answer[4096];
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as nighd does */
	world_zones_are(w, "example.com");
	world_terms(w, CONFIG);
	world_build(w);
	t = transfers_start(zones_handover(world_zones(w)));
	transfers_configure(t, c, NULL);
	limits.idle_ms = IDLE_MS;
	worker_start(&k, w, &limits);
	desk = transfers_desk_open(t, &k.loop);
	tcp_set_desk(k.tcp, desk);
	fd = worker_dial(SOCK_STREAM, k.tcp_port);
	ask(fd);
	while (count_of(&k, STATS_TRANSFERS) == 0)
		worker_turn(&k);
	usleep(3 * IDLE_MS * 1000);
	assert_in_range(receive(&k, fd, answer, sizeof answer), 100, sizeof answer);
	assert_int_equal(bytes_get16(answer + 2 + 6), 4); /* SOA, NS, its address, SOA */
	assert_int_equal(count_of(&k, STATS_TCP_EXPIRED), 0);
	/* And then its silence counts. */
	assert_int_equal(receive(&k, fd, answer, sizeof answer), 0);
	assert_int_equal(count_of(&k, STATS_TCP_EXPIRED), 1);
	close(fd);
	tcp_set_desk(k.tcp, NULL);
	transfers_desk_close(desk);
	worker_stop(&k);
	transfers_stop(t);
	config_free(c);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_waits_longer_for_a_zone_than_one_may_be_silent_gets_it),
	};

	return cmocka_run_group_tests_name("dnsd/tcp_transfer", tests, NULL, NULL);
}
