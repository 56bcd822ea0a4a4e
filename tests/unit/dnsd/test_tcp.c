/* TCP on a real loop, turn by turn: who waits for whom, and what the end still answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "dnsd/netset.h"
#include "tests/support/dnsd_worker.h"

enum { STREAMS = 20, QUERIES = 400, MOST_TURNS = 100000, BIG = 20000, IN_ROOM = 1 << 20 };

static struct world *w;
static uint8_t small_query[512], big_query[512];
static size_t small_len, big_len;

/* One that asks: what it has to send yet, and what came. */
struct asker {
	int fd;
	uint8_t *out, *in;
	size_t out_len, sent, in_len, taken;
	unsigned answers; /* whole ones */
	bool in_order;    /* their IDs count up */
};

static int setup(void **state)
{
	static char line[2 * BIG];
	static const struct asking plain;
	size_t len = (size_t)sprintf(line, "300 TXT");

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as nighd does */
	while (len < BIG)
		len += (size_t)sprintf(line + len, " %0199d", 0);
	w = world_new();
	world_zones_are(w, "example.com");
	world_put(w, "www.example.com", "300 A 192.0.2.1", NULL);
	world_put(w, "big.example.com", line, NULL);
	world_build(w);
	small_len = world_query("www.example.com A", &plain, small_query);
	big_len = world_query("big.example.com TXT", &plain, big_query);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* With `count` queries to send, whose IDs count up from 0. */
static void asker_init(struct asker *c, const struct worker *k, const uint8_t *query, size_t len,
                       unsigned count)
{
	memset(c, 0, sizeof *c);
	c->fd = worker_dial(SOCK_STREAM, k->tcp_port);
	c->out = malloc(count * (2 + len));
	c->in = malloc(IN_ROOM);
	c->in_order = true;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *at = c->out + c->out_len;

		bytes_put16(at, (uint16_t)len);
		memcpy(at + 2, query, len);
		bytes_put16(at + 2, (uint16_t)i);
		c->out_len += 2 + len;
	}
}

static void asker_fini(struct asker *c)
{
	close(c->fd);
	free(c->out);
	free(c->in);
}

static void take_answers(struct asker *c)
{
	size_t at = 0;

	while (c->in_len - at >= 2 && c->in_len - at >= 2U + bytes_get16(c->in + at)) {
		c->in_order &= bytes_get16(c->in + at + 2) == c->answers;
		c->answers++;
		at += 2U + bytes_get16(c->in + at);
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
}

/* Sends and reads what can be without waiting. */
static void asker_go_on(struct asker *c)
{
	ssize_t n;

	n = send(c->fd, c->out + c->sent, c->out_len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	c->sent += n > 0 ? (size_t)n : 0;
	while ((n = recv(c->fd, c->in + c->in_len, IN_ROOM - c->in_len, MSG_DONTWAIT)) > 0) {
		c->in_len += (size_t)n;
		take_answers(c);
	}
}

/* UDP asks before each turn and is answered in it; TCP gets no more than two turns' shares, as it
 * has its own before the sockets are looked at, and who is read from has one. */
static void assert_udp_has_its_turn(const uint8_t *query, size_t len, uint64_t most)
{
	struct asker stream[STREAMS];
	uint64_t all = 0, before;
	struct worker k;
	int udp;

	worker_start(&k, w, NULL);
	udp = worker_dial(SOCK_DGRAM, k.udp_port);
	for (unsigned i = 0; i < STREAMS; i++)
		asker_init(&stream[i], &k, query, len, QUERIES);
	for (unsigned turns = 0; turns < MOST_TURNS && all < STREAMS * QUERIES; turns++) {
		all = 0;
		for (unsigned i = 0; i < STREAMS; i++) {
			asker_go_on(&stream[i]);
			all += stream[i].answers;
		}
		before = worker_answered(&k, STATS_TCP);
		assert_int_equal(send(udp, small_query, small_len, 0), small_len);
		worker_turn(&k);
		assert_int_equal(worker_answered(&k, STATS_UDP), turns + 1);
		assert_in_range(worker_answered(&k, STATS_TCP) - before, 0, most);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		assert_int_equal(stream[i].answers, QUERIES);
		assert_true(stream[i].in_order);
		asker_fini(&stream[i]);
	}
	close(udp);
	assert_true(stats_read(&k.responder.stats->events[STATS_TCP_WAITED]) > 0);
	worker_stop(&k);
}

static void test_udp_has_its_turn_whatever_streams_of_queries_come(void **state)
{
	(void)state;
	assert_udp_has_its_turn(small_query, small_len, 2 * TCP_TURN_ANSWERS);
}

static void test_udp_has_its_turn_whatever_long_answers_are_asked_for(void **state)
{
	(void)state;
	assert_udp_has_its_turn(big_query, big_len, 2 * (TCP_TURN_BYTES / BIG + 1));
}

static void test_streams_are_served_in_turn_and_a_single_question_waits_for_each_but_once(
	void **state)
{
	struct asker stream[STREAMS], single;
	unsigned least = QUERIES, most = 0, waited = 0;
	struct worker k;

	(void)state;
	worker_start(&k, w, NULL);
	for (unsigned i = 0; i < STREAMS; i++)
		asker_init(&stream[i], &k, big_query, big_len, QUERIES);
	for (unsigned turns = 0; turns < 10 * STREAMS; turns++) {
		for (unsigned i = 0; i < STREAMS; i++)
			asker_go_on(&stream[i]);
		worker_turn(&k);
	}
	for (unsigned i = 0; i < STREAMS; i++) {
		least = stream[i].answers < least ? stream[i].answers : least;
		most = stream[i].answers > most ? stream[i].answers : most;
	}
	assert_in_range(least, most / 2, most);
	assert_in_range(most, 1, QUERIES - 1);
	asker_init(&single, &k, small_query, small_len, 1);
	while (single.answers == 0 && waited < MOST_TURNS) {
		asker_go_on(&single);
		for (unsigned i = 0; i < STREAMS; i++)
			asker_go_on(&stream[i]);
		worker_turn(&k);
		waited++;
	}
	/* Accepted, told to be readable, and then behind all others. */
	assert_in_range(waited, 1, STREAMS + 5);
	asker_fini(&single);
	for (unsigned i = 0; i < STREAMS; i++)
		asker_fini(&stream[i]);
	worker_stop(&k);
}

static void test_who_goes_while_in_line_is_forgotten(void **state)
{
	struct asker stream[STREAMS];
	struct worker k;
	unsigned turns;

	(void)state;
	worker_start(&k, w, NULL);
	for (unsigned i = 0; i < STREAMS; i++) {
		asker_init(&stream[i], &k, big_query, big_len, QUERIES);
		asker_go_on(&stream[i]);
	}
	worker_turn(&k);
	for (unsigned i = 1; i < STREAMS; i++)
		asker_fini(&stream[i]);
	for (turns = 0; turns < MOST_TURNS && stream[0].answers < QUERIES; turns++) {
		asker_go_on(&stream[0]);
		worker_turn(&k);
	}
	assert_int_equal(stream[0].answers, QUERIES);
	asker_fini(&stream[0]);
	worker_stop(&k);
}

static void test_the_end_answers_who_stands_in_line(void **state)
{
	enum { COUNT = 20 };
	struct asker stream[STREAMS];
	struct worker k;

	(void)state;
	worker_start(&k, w, NULL);
	for (unsigned i = 0; i < STREAMS; i++) {
		asker_init(&stream[i], &k, small_query, small_len, COUNT);
		asker_go_on(&stream[i]);
	}
	worker_turn(&k);
	worker_turn(&k);
	assert_in_range(worker_answered(&k, STATS_TCP), 1, STREAMS * COUNT - 1);
	worker_stop(&k);
	for (unsigned i = 0; i < STREAMS; i++) {
		asker_go_on(&stream[i]);
		assert_int_equal(stream[i].answers, COUNT);
		asker_fini(&stream[i]);
	}
}

/* They wait in the kernel's queue, with their queries; one has sent nothing, one but half. */
static void test_the_end_answers_who_was_not_accepted_yet(void **state)
{
	enum { COUNT = 3 };
	struct asker stream[STREAMS], silent, half;
	struct worker k;
	uint8_t byte;

	(void)state;
	worker_start(&k, w, NULL);
	for (unsigned i = 0; i < STREAMS; i++) {
		asker_init(&stream[i], &k, small_query, small_len, COUNT);
		asker_go_on(&stream[i]);
	}
	asker_init(&silent, &k, small_query, small_len, 0);
	asker_init(&half, &k, small_query, small_len, 1);
	half.out_len -= 5;
	asker_go_on(&half);
	worker_stop(&k);
	for (unsigned i = 0; i < STREAMS; i++) {
		asker_go_on(&stream[i]);
		assert_int_equal(stream[i].answers, COUNT);
		assert_true(stream[i].in_order);
		asker_fini(&stream[i]);
	}
	assert_int_equal(recv(silent.fd, &byte, 1, 0), 0);
	asker_fini(&silent);
	asker_fini(&half);
}

static void test_the_end_answers_what_was_sent_but_not_read(void **state)
{
	struct asker c;
	struct worker k;

	(void)state;
	worker_start(&k, w, NULL);
	asker_init(&c, &k, small_query, small_len, 5000);
	worker_turn(&k);
	worker_turn(&k);
	asker_go_on(&c);
	worker_stop(&k);
	asker_go_on(&c);
	assert_int_equal(c.sent, c.out_len);
	assert_int_equal(c.answers, 5000);
	asker_fini(&c);
}

/* Who goes on asking is not let hold it up. */
static void *ask_without_end(void *arg)
{
	struct asker *c = arg;

	while (send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) > 0)
		while (recv(c->fd, c->in, IN_ROOM, MSG_DONTWAIT) > 0)
			;
	return NULL;
}

static void test_the_end_comes_though_somebody_asks_without_end(void **state)
{
	struct asker c;
	struct worker k;
	pthread_t thread;
	uint64_t begun;

	(void)state;
	worker_start(&k, w, NULL);
	asker_init(&c, &k, small_query, small_len, 100);
	assert_int_equal(pthread_create(&thread, NULL, ask_without_end, &c), 0);
	while (worker_answered(&k, STATS_TCP) == 0)
		worker_turn(&k);
	begun = clock_monotonic_ms();
	worker_stop(&k);
	assert_in_range(clock_monotonic_ms() - begun, 0, 5000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	asker_fini(&c);
}

static void test_silence_is_allowed_for_less_time_where_connections_are_many(void **state)
{
	(void)state;
	assert_int_equal(tcp_idle(10000, 0, 100), 10000);
	assert_int_equal(tcp_idle(10000, 50, 100), 10000);
	assert_int_equal(tcp_idle(10000, 75, 100), 6000);
	assert_int_equal(tcp_idle(10000, 100, 100), 2000);
	assert_int_equal(tcp_idle(10000, 150, 100), 2000);
	assert_int_equal(tcp_idle(10000, 1, 1), 2000);
	for (unsigned i = 1; i <= 101; i++)
		assert_true(tcp_idle(10000, i, 101) <= tcp_idle(10000, i - 1, 101));
}

static bool is_ended(const struct asker *c)
{
	uint8_t byte;

	return recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* Six of eight are silent: 60 % of the idle time.  The seventh goes on asking. */
static void test_the_silent_are_closed_and_the_sooner_the_more_there_are(void **state)
{
	enum { SILENT = 5, IDLE_MS = 1000 };
	struct tcp_limits limits = tcp_limits_usual();
	struct asker silent[SILENT], busy;
	struct worker k;
	unsigned ended = 0;
	uint64_t begun = clock_monotonic_ms();

	(void)state;
	limits.max_connections = 8;
	limits.idle_ms = IDLE_MS;
	worker_start(&k, w, &limits);
	for (unsigned i = 0; i < SILENT; i++)
		asker_init(&silent[i], &k, small_query, small_len, 0);
	asker_init(&busy, &k, small_query, small_len, 50000);
	busy.out_len -= busy.out_len % (2 + small_len);
	while (ended < SILENT && clock_monotonic_ms() - begun < 5000) {
		size_t all = busy.out_len;

		busy.out_len = busy.sent + 2 + small_len <= all ? busy.sent + 2 + small_len : all;
		asker_go_on(&busy);
		busy.out_len = all;
		worker_turn(&k);
		usleep(1000);
		ended = 0;
		for (unsigned i = 0; i < SILENT; i++)
			ended += is_ended(&silent[i]);
	}
	assert_int_equal(ended, SILENT);
	assert_in_range(clock_monotonic_ms() - begun, 500, IDLE_MS - 50);
	assert_false(is_ended(&busy));
	assert_true(busy.in_order);
	for (unsigned i = 0; i < SILENT; i++)
		asker_fini(&silent[i]);
	asker_fini(&busy);
	worker_stop(&k);
}

static void test_a_connection_ends_after_its_queries_with_all_answered(void **state)
{
	struct tcp_limits limits = tcp_limits_usual();
	struct asker c;
	struct worker k;

	(void)state;
	limits.max_queries = 300;
	worker_start(&k, w, &limits);
	asker_init(&c, &k, small_query, small_len, 400);
	c.out_len = 300 * (2 + small_len);
	for (unsigned turns = 0; turns < MOST_TURNS && c.answers < 300; turns++) {
		asker_go_on(&c);
		worker_turn(&k);
	}
	assert_int_equal(c.answers, 300);
	assert_true(c.in_order);
	assert_true(is_ended(&c));
	asker_fini(&c);
	worker_stop(&k);
}

static void test_a_network_that_is_not_exempt_has_its_share_and_no_more(void **state)
{
	enum { SHARE = 3 };
	struct tcp_limits limits = tcp_limits_usual();
	struct asker c[SHARE + 1], again;
	struct worker k;

	(void)state;
	limits.max_per_network = SHARE;
	worker_start(&k, w, &limits);
	for (unsigned i = 0; i <= SHARE; i++) {
		asker_init(&c[i], &k, small_query, small_len, 1);
		worker_turn(&k);
	}
	for (unsigned turns = 0; turns < 20; turns++)
		worker_turn(&k);
	assert_int_equal(quota_count(k.quota), SHARE);
	assert_int_equal(stats_read(&k.responder.stats->events[STATS_TCP_REFUSED]), 1);
	assert_true(is_ended(&c[SHARE]));
	assert_false(is_ended(&c[0]));
	asker_fini(&c[0]);
	for (unsigned turns = 0; turns < 20; turns++)
		worker_turn(&k);
	asker_init(&again, &k, small_query, small_len, 1);
	for (unsigned turns = 0; turns < 20; turns++) {
		asker_go_on(&again);
		worker_turn(&k);
	}
	assert_int_equal(again.answers, 1);
	asker_fini(&again);
	for (unsigned i = 1; i <= SHARE; i++)
		asker_fini(&c[i]);
	worker_stop(&k);
}

/* --- behind a proxy --- */

/* A header that names 198.51.100.CLIENT over TCP. */
static size_t put_header(uint8_t out[28], uint8_t client)
{
	static const uint8_t header[28] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0,   0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11,
		0,    12,   198,  51,   100, 0,    127,  0,    0,    1,    0xd4, 0x31, 0,    53};

	memcpy(out, header, sizeof header);
	out[19] = client;
	return sizeof header;
}

static struct netset *own_network(void)
{
	char own[] = "127.0.0.0/8", *list[] = {own};
	const struct conf_strings networks = {list, 1};

	return netset_new(&networks);
}

static void start_behind(struct worker *k, struct tcp_limits *limits, struct netset *proxies)
{
	worker_start(k, w, limits);
	k->responder.proxies = proxies;
}

/* A client whose stream begins with these bytes. */
static void asker_init_behind(struct asker *c, const struct worker *k, const uint8_t *header,
                              size_t header_len)
{
	asker_init(c, k, small_query, small_len, 3);
	c->out = realloc(c->out, c->out_len + header_len);
	memmove(c->out + header_len, c->out, c->out_len);
	memcpy(c->out, header, header_len);
	c->out_len += header_len;
}

/* So many bytes at a time. */
static void asker_go_on_by(struct asker *c, struct worker *k, size_t step)
{
	size_t all = c->out_len;

	for (unsigned turns = 0; turns < 2000 && c->answers < 3 && !is_ended(c); turns++) {
		c->out_len = c->sent + step < all ? c->sent + step : all;
		asker_go_on(c);
		c->out_len = all;
		worker_turn(k);
	}
}

static void test_behind_a_listed_proxy_the_header_comes_first_in_any_pieces(void **state)
{
	struct netset *proxies = own_network();
	struct tcp_limits limits = tcp_limits_usual();
	struct worker k;
	uint8_t header[28];

	(void)state;
	limits.max_per_network = 1;
	start_behind(&k, &limits, proxies);
	put_header(header, 7);
	for (size_t step = 1; step < 100; step += 9) {
		struct asker c;

		asker_init_behind(&c, &k, header, sizeof header);
		asker_go_on_by(&c, &k, step);
		assert_int_equal(c.answers, 3);
		assert_true(c.in_order);
		asker_fini(&c);
		for (unsigned turns = 0; turns < 10; turns++)
			worker_turn(&k);
	}
	assert_int_equal(stats_read(&k.responder.stats->events[STATS_TCP_PROXIED]), 11);
	worker_stop(&k);
	netset_free(proxies);
}

static void test_shares_are_those_of_the_clients_that_a_proxy_names(void **state)
{
	struct netset *proxies = own_network();
	struct tcp_limits limits = tcp_limits_usual();
	struct asker first, second, again;
	struct worker k;
	uint8_t header[28];

	(void)state;
	limits.max_per_network = 1;
	start_behind(&k, &limits, proxies);
	asker_init_behind(&first, &k, header, put_header(header, 7));
	asker_go_on_by(&first, &k, 100);
	asker_init_behind(&second, &k, header, put_header(header, 8));
	asker_go_on_by(&second, &k, 100);
	asker_init_behind(&again, &k, header, put_header(header, 7));
	asker_go_on_by(&again, &k, 100);
	assert_int_equal(first.answers, 3);
	assert_int_equal(second.answers, 3);
	assert_int_equal(again.answers, 0);
	assert_int_equal(stats_read(&k.responder.stats->events[STATS_TCP_REFUSED]), 1);
	asker_fini(&first);
	asker_fini(&second);
	asker_fini(&again);
	worker_stop(&k);
	netset_free(proxies);
}

static void test_a_listed_proxy_without_a_good_header_is_not_listened_to(void **state)
{
	struct netset *proxies = own_network();
	struct tcp_limits limits = tcp_limits_usual();
	struct worker k;
	uint8_t header[28];

	(void)state;
	limits.idle_ms = 300;
	start_behind(&k, &limits, proxies);
	for (unsigned spoiled = 0; spoiled < 14; spoiled++) {
		struct asker c;

		put_header(header, 7);
		header[spoiled] ^= 0x40;
		asker_init_behind(&c, &k, header, spoiled % 2 ? sizeof header : 0);
		asker_go_on_by(&c, &k, 100);
		assert_int_equal(c.answers, 0);
		asker_fini(&c);
	}
	assert_int_equal(stats_read(&k.responder.stats->events[STATS_TCP_PROXY_BROKEN]), 14);
	/* And one that never comes to its end. */
	for (size_t len = 0; len < sizeof header; len += 9) {
		struct asker c;
		uint64_t begun = clock_monotonic_ms();

		put_header(header, 7);
		asker_init_behind(&c, &k, header, sizeof header);
		c.out_len = len;
		while (clock_monotonic_ms() - begun < 3000 && !is_ended(&c)) {
			asker_go_on(&c);
			worker_turn(&k);
		}
		assert_in_range(clock_monotonic_ms() - begun, 200, 2500);
		asker_fini(&c);
	}
	worker_stop(&k);
	netset_free(proxies);
}

/* Another worker, as that of another process. */
struct heir {
	struct worker *worker;
	unsigned adopted;
};

static void give_to_heir(int take_fd, const struct addr *client, void *arg)
{
	struct heir *h = arg;

	assert_true(addr_equal(client, &worker_address));
	h->adopted++;
	tcp_adopt(h->worker->tcp, take_fd, client);
}

static void ask_until(struct asker *c, struct worker *a, struct worker *b, unsigned answers)
{
	for (unsigned turns = 0; turns < MOST_TURNS && c->answers < answers; turns++) {
		asker_go_on(c);
		worker_turn(a);
		worker_turn(b);
	}
	assert_int_equal(c->answers, answers);
}

static void wait_a_turn(struct worker *k)
{
	worker_turn(k);
	usleep(1000);
}

static void test_a_connection_leaves_for_another_process_and_misses_nothing(void **state)
{
	struct worker old, next;
	struct heir heir = {.worker = &next};
	struct asker c;
	size_t all;

	(void)state;
	worker_start(&old, w, NULL);
	worker_start(&next, w, NULL);
	asker_init(&c, &old, small_query, small_len, 100);
	all = c.out_len;
	c.out_len = all / 2 + 5; /* the last one is not whole */
	ask_until(&c, &old, &next, 50);
	tcp_retire(old.tcp, give_to_heir, &heir);
	for (unsigned turns = 0; turns < 50; turns++)
		wait_a_turn(&old);
	assert_int_equal(heir.adopted, 0);
	c.out_len = all - 7;
	ask_until(&c, &old, &next, 99);
	c.out_len = all;
	ask_until(&c, &old, &next, 100);
	for (unsigned turns = 0; turns < 1000 && heir.adopted == 0; turns++)
		wait_a_turn(&old);
	assert_int_equal(heir.adopted, 1);
	assert_int_equal(quota_count(old.quota), 0);
	assert_int_equal(quota_count(next.quota), 1);
	/* And the next one answers what comes then. */
	c.sent = 0;
	c.answers = 0;
	ask_until(&c, &old, &next, 100);
	assert_true(c.in_order);
	assert_int_equal(worker_answered(&old, STATS_TCP), 100);
	assert_int_equal(worker_answered(&next, STATS_TCP), 100);
	asker_fini(&c);
	worker_stop(&old);
	worker_stop(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_has_its_turn_whatever_streams_of_queries_come),
		cmocka_unit_test(test_udp_has_its_turn_whatever_long_answers_are_asked_for),
		cmocka_unit_test(
			test_streams_are_served_in_turn_and_a_single_question_waits_for_each_but_once),
		cmocka_unit_test(test_who_goes_while_in_line_is_forgotten),
		cmocka_unit_test(test_the_end_answers_who_stands_in_line),
		cmocka_unit_test(test_the_end_answers_who_was_not_accepted_yet),
		cmocka_unit_test(test_the_end_answers_what_was_sent_but_not_read),
		cmocka_unit_test(test_the_end_comes_though_somebody_asks_without_end),
		cmocka_unit_test(test_silence_is_allowed_for_less_time_where_connections_are_many),
		cmocka_unit_test(test_the_silent_are_closed_and_the_sooner_the_more_there_are),
		cmocka_unit_test(test_a_connection_ends_after_its_queries_with_all_answered),
		cmocka_unit_test(test_a_network_that_is_not_exempt_has_its_share_and_no_more),
		cmocka_unit_test(test_behind_a_listed_proxy_the_header_comes_first_in_any_pieces),
		cmocka_unit_test(test_shares_are_those_of_the_clients_that_a_proxy_names),
		cmocka_unit_test(test_a_listed_proxy_without_a_good_header_is_not_listened_to),
		cmocka_unit_test(test_a_connection_leaves_for_another_process_and_misses_nothing),
	};

	return cmocka_run_group_tests_name("dnsd/tcp", tests, setup, teardown);
}
