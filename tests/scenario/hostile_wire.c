/* hostile_wire.c -- half a million bad packets and thousands of bad streams: nighd lives, answers every good query between them as
 * ever, and has no more memory and no more descriptors afterwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_hostile.h"
#include "tests/support/world_mutate.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_tls.h"
#include "tests/support/world_wire.h"

enum { PACKETS = 500000, STREAMS = 2000, GROWTH_MOST = 1 << 20, WAIT_MS = 30000 };

/* A fifth of it where nighd is slowed by sanitizers. */
static unsigned share(unsigned count) { return world_is_sanitized() ? count / 5 : count; }

static void start(struct world *w, struct transport *transports)
{
	world_write(w, "keys",
	            "key \"transfer\" { algorithm hmac-sha256; secret "
	            "\"c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ=\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0600), 0);
	probe_start(w,
	            "zones:\n"
	            "- name: example.com\n"
	            "  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"
	            "  records: [" HOSTILE_ZONE_RECORDS "]\n"
	            "  transfer: {allow: [{address: 127.0.0.0/8}, {address: \"::1/128\"}]}\n"
	            "identity: {nsid: here, hostname: node, version: \"1\"}\n"
	            "tsig: keys\nworkers: 2\n"
	            "rateLimit: {exempt: [127.0.0.0/8, \"::1/128\"]}\n",
	            transports);
}

/* No connection is left, descriptors are as many as before, and memory is about as much. */
static void expect_as_before(struct world *w, unsigned descriptors_before, double resident_before)
{
	unsigned descriptors;
	double grown;

	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", WAIT_MS);
	descriptors = hostile_descriptors(w);
	grown = hostile_resident(w) - resident_before;
	print_message("%u descriptors, %u before; %.0f KiB grown\n", descriptors,
	              descriptors_before, grown / 1024);
	assert_in_range(descriptors, 1, descriptors_before);
	if (grown > GROWTH_MOST + world_sanitizer_bytes())
		world_fail(w, "%.0f KiB have grown", grown / 1024);
}

/* Every message was answered, passed over in silence, or dropped by the rate limit. */
static void expect_counters_agree(struct world *w)
{
	double received = hostile_metric_sum(w, "dnsd_received_total");
	double answered = hostile_metric_sum(w, "dnsd_answers_total");
	double silent = hostile_metric_sum(w, "dnsd_silent_total") +
	                hostile_metric_sum(w, "dnsd_proxy_broken_total");
	double dropped = hostile_metric_sum(w, "dnsd_rate_limit_dropped_total");
	double transfers = hostile_metric_sum(w, "dnsd_transfers_total");

	print_message("%.0f received: %.0f answered, %.0f silent, %.0f dropped, %.0f transfers\n",
	              received, answered, silent, dropped, transfers);
	if (received != answered + silent + dropped + transfers)
		world_fail(w, "the counters do not agree:\n%s", world_get(w, "/metrics", NULL));
}

static void test_bad_packets_and_streams_hurt_nobody(void **state)
{
	struct world *w = *state;
	struct transport transports[PROBE_TRANSPORTS];
	struct hostile *h;
	struct hostile_tally t;
	unsigned descriptors;
	double resident;

	start(w, transports);
	h = hostile_new(w, 20260101, transports);
	/* Buffers, tables and arenas have their size after a while. */
	hostile_packets(h, share(PACKETS) / 10);
	hostile_streams(h, share(STREAMS) / 5);
	hostile_let_go(h);
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", WAIT_MS);
	descriptors = hostile_descriptors(w);
	resident = hostile_resident(w);
	for (unsigned i = 0; i < 10; i++) {
		hostile_packets(h, share(PACKETS) / 10);
		hostile_streams(h, share(2 * STREAMS) / 10);
	}
	hostile_let_go(h);
	t = hostile_tally(h);
	print_message("%.0f datagrams, %.0f replies to bad ones, %.0f streams, %.0f good queries\n",
	              t.datagrams, t.replies, t.streams, t.good);
	expect_as_before(w, descriptors, resident);
	expect_counters_agree(w);
	hostile_free(h);
}

/* A question and a transfer in one go, and away before the answer: it fails, which ends the connection, and nothing may be begun
 * for it then. */
static void test_who_is_gone_before_a_transfer_begins_gets_none(void **state)
{
	enum { TIMES = 300 };
	static const struct linger at_once = {1, 0};
	struct world *w = *state;
	struct transport transports[PROBE_TRANSPORTS];
	uint8_t query[512], both[1028];
	size_t len;

	start(w, transports);
	len = world_wire_frame(query, probe_build(PLAIN("0000"), query), both);
	len += world_wire_frame(query, probe_build(HEAD("0000", "0000") "Z 00fc 0001", query),
	                        both + len);
	for (unsigned i = 0; i < TIMES; i++) {
		struct probe_stream s;

		probe_stream_open(w, &transports[1 + i % 2], NULL, &s);
		probe_stream_send(w, &s, both, len);
		assert_int_equal(
			setsockopt(s.tls.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
		probe_stream_close(&s);
	}
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", WAIT_MS);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
}

/* CVE-2026-12245 (NSD): away somewhere in its hello, or just behind it, by FIN or by RST. */
static void test_ten_thousand_early_ends_of_handshakes_hurt_nobody(void **state)
{
	enum { ENDS = 10000 };
	static const struct linger at_once = {1, 0};
	struct world *w = *state;
	struct transport transports[PROBE_TRANSPORTS];
	struct world_question where = {0};
	struct mutator m = mutate_begin(7);
	uint8_t hello[4096];
	size_t len = tls_client_hello(hello, sizeof hello);
	unsigned descriptors;

	start(w, transports);
	descriptors = hostile_descriptors(w);
	where.port = transports[2].port;
	for (unsigned i = 0; i < share(ENDS); i++) {
		int fd = world_wire_connect_to(w, &where);

		world_wire_send(w, fd, hello,
		                i % 4 == 0 ? len : mutate_below(&m, (unsigned)len + 1));
		if (i % 2 == 0)
			assert_int_equal(
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
		close(fd);
		if (i % 500 == 0)
			world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	}
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", WAIT_MS);
	assert_in_range(hostile_descriptors(w), 1, descriptors);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_bad_packets_and_streams_hurt_nobody),
		world_test(test_who_is_gone_before_a_transfer_begins_gets_none),
		world_test(test_ten_thousand_early_ends_of_handshakes_hurt_nobody),
	};

	return cmocka_run_group_tests_name("scenario/hostile_wire", tests, NULL, NULL);
}
