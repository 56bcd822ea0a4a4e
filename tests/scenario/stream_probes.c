/* stream_probes.c -- streams that decent clients use, and odd ones: over TCP and TLS, IPv4 and IPv6, alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_wire.h"

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"

static struct transport transports[PROBE_TRANSPORTS];

static void start(struct world *w) { probe_start(w, ZONE, transports); }

static size_t frame_soa(uint16_t id, uint8_t *out)
{
	uint8_t query[512];
	size_t len = probe_build(PLAIN("0000"), query);

	bytes_put16(query, id);
	return world_wire_frame(query, len, out);
}

static void expect_answer(struct world *w, struct probe_stream *s, uint16_t id, uint8_t *reply)
{
	struct probe_reply r;
	size_t got = probe_stream_receive(w, s, reply);

	assert_true(got > 12);
	assert_true(probe_read(reply, got, &r));
	assert_int_equal(bytes_get16(reply), id);
	assert_true(r.has_soa);
}

#define EACH_STREAM(t)                                                                             \
	const struct transport *t = transports;                                                    \
	t < transports + PROBE_TRANSPORTS;                                                         \
	t++)                                                                                       \
	if (t->kind != PROBE_UDP

static void test_a_stream_is_used_again_and_again(void **state)
{
	struct world *w = *state;
	uint8_t framed[514], *reply = malloc(WIRE_ROOM);

	start(w);
	for (EACH_STREAM(t)) {
		struct probe_stream s;

		probe_stream_open(w, t, NULL, &s);
		for (uint16_t i = 0; i < 20; i++) {
			probe_stream_send(w, &s, framed, frame_soa(i, framed));
			expect_answer(w, &s, i, reply);
		}
		probe_stream_close(&s);
	}
	free(reply);
}

static void test_a_hundred_queries_in_one_go_are_answered(void **state)
{
	struct world *w = *state;
	uint8_t *all = malloc(100 * 514), *reply = malloc(WIRE_ROOM);

	start(w);
	for (EACH_STREAM(t)) {
		struct probe_stream s;
		size_t len = 0;

		for (uint16_t i = 0; i < 100; i++)
			len += frame_soa(i, all + len);
		probe_stream_open(w, t, NULL, &s);
		probe_stream_send(w, &s, all, len);
		for (uint16_t i = 0; i < 100; i++)
			expect_answer(w, &s, i, reply);
		probe_stream_close(&s);
	}
	free(all);
	free(reply);
}

static void test_a_query_comes_octet_by_octet(void **state)
{
	struct world *w = *state;
	uint8_t framed[514], *reply = malloc(WIRE_ROOM);
	size_t len = frame_soa(1, framed);

	start(w);
	for (EACH_STREAM(t)) {
		struct probe_stream s;

		probe_stream_open(w, t, NULL, &s);
		for (size_t i = 0; i < len; i++)
			probe_stream_send(w, &s, framed + i, 1);
		expect_answer(w, &s, 1, reply);
		probe_stream_close(&s);
	}
	free(reply);
}

static void test_who_sends_no_more_is_answered_and_then_closed(void **state)
{
	struct world *w = *state;
	uint8_t framed[514], *reply = malloc(WIRE_ROOM);
	size_t len = frame_soa(1, framed);

	start(w);
	for (EACH_STREAM(t)) {
		struct probe_stream s;

		probe_stream_open(w, t, NULL, &s);
		probe_stream_send(w, &s, framed, len);
		probe_stream_end(&s);
		expect_answer(w, &s, 1, reply);
		assert_int_equal(probe_stream_receive(w, &s, reply), 0);
		probe_stream_close(&s);
	}
	free(reply);
}

/* What came before is answered; what came behind is not. */
static void test_a_message_of_no_octets_ends_a_stream(void **state)
{
	struct world *w = *state;
	uint8_t framed[514 * 2 + 2], *reply = malloc(WIRE_ROOM);
	size_t len = frame_soa(1, framed);

	start(w);
	memset(framed + len, 0, 2);
	len += 2;
	len += frame_soa(2, framed + len);
	for (EACH_STREAM(t)) {
		struct probe_stream s;

		probe_stream_open(w, t, NULL, &s);
		probe_stream_send(w, &s, framed, len);
		expect_answer(w, &s, 1, reply);
		assert_int_equal(probe_stream_receive(w, &s, reply), 0);
		probe_stream_close(&s);
	}
	free(reply);
}

/* One that says something now and then, but never a whole query, has no more time than one that is silent. */
static void test_who_sends_an_octet_now_and_then_is_closed(void **state)
{
	enum { EVERY_US = 200000, OCTETS = 25 }; /* less than the message has */
	struct world *w = *state;
	uint8_t framed[514];

	probe_start(w, ZONE "tcp: {idle: 1s}\n", transports);
	(void)frame_soa(1, framed);
	for (EACH_STREAM(t)) {
		unsigned times = 0;
		struct probe_stream s;
		uint8_t byte;

		probe_stream_open(w, t, NULL, &s);
		for (; times < OCTETS; times++) {
			/* It may have been closed, and then so this fails. */
			if ((s.is_tls ? SSL_write(s.tls.ssl, framed + times, 1)
			              : send(s.tls.fd, framed + times, 1, MSG_NOSIGNAL)) != 1)
				break;
			usleep(EVERY_US);
			if (recv(s.tls.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
				break;
		}
		if (times == OCTETS)
			world_fail(w, "over %s it is open after %u octets", t->label, times);
		probe_stream_close(&s);
	}
}

static void test_two_hundred_idle_streams_and_fifty_resets_hurt_nobody(void **state)
{
	enum { IDLE = 200, RESETS = 50 };
	static const struct linger at_once = {1, 0};
	struct world *w = *state;
	uint8_t framed[514];
	struct probe_stream *idle = calloc(IDLE, sizeof *idle);

	start(w);
	(void)frame_soa(1, framed);
	for (EACH_STREAM(t)) {
		for (size_t i = 0; i < IDLE; i++)
			probe_stream_open(w, t, NULL, &idle[i]);
		for (size_t i = 0; i < RESETS; i++) {
			struct probe_stream s;

			probe_stream_open(w, t, NULL, &s);
			probe_stream_send(w, &s, framed, 1 + i % 20);
			assert_int_equal(setsockopt(s.tls.fd, SOL_SOCKET, SO_LINGER, &at_once,
			                            sizeof at_once),
			                 0);
			probe_stream_close(&s);
		}
		probe_expect(
			w, &transports[0],
			&(struct probe){"beside it", PLAIN("0000"), NOERROR, true, false, NULL});
		for (size_t i = 0; i < IDLE; i++)
			probe_stream_close(&idle[i]);
	}
	free(idle);
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_stream_is_used_again_and_again),
		world_test(test_a_hundred_queries_in_one_go_are_answered),
		world_test(test_a_query_comes_octet_by_octet),
		world_test(test_who_sends_no_more_is_answered_and_then_closed),
		world_test(test_a_message_of_no_octets_ends_a_stream),
		world_test(test_who_sends_an_octet_now_and_then_is_closed),
		world_test(test_two_hundred_idle_streams_and_fifty_resets_hurt_nobody),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("scenario/stream_probes", tests, NULL, NULL);
}
