/* floods.c -- who asks too much, who asks through others, and how much comes back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_wire.h"

enum { REPLY_MS = 2000, SILENCE_MS = 300 };

#define LISTEN "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", "

/* --- the PROXY protocol over UDP --- */

/* A header of the command PROXY over UDP that names the client; returns its length. */
static size_t put_header(uint8_t *out, const char *client)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	struct addr a;
	size_t len;

	assert_true(addr_parse(bytes_of(client), &a));
	len = a.family == ADDR_IPV4 ? 4 : 16;
	memcpy(out, signature, 12);
	out[12] = 0x21;
	out[13] = a.family == ADDR_IPV4 ? 0x12 : 0x22;
	bytes_put16(out + 14, (uint16_t)(2 * len + 4));
	memcpy(out + 16, a.bytes, len);
	memset(out + 16 + len, 0, len);
	bytes_put16(out + 16 + 2 * len, 54321);
	bytes_put16(out + 18 + 2 * len, 53);
	return 20 + 2 * len;
}

/* What web gives to a query that comes from `from` behind a header that names the client. */
static const char *ask_behind(struct world *w, const char *from, const char *client,
                              unsigned within_ms)
{
	static char records[2048];
	static uint8_t reply[WIRE_ROOM];
	const struct world_question q = {
		.name = "web.shop.fed.svc.example.com", .type = "A", .from = from};
	uint8_t packet[600];
	size_t header = client ? put_header(packet, client) : 0;
	size_t len = header + world_wire_build(&q, 7, packet + header);
	size_t got = world_wire_udp(w, &q, packet, len, reply, within_ms);

	if (got == 0)
		return "SILENCE";
	if (got == 12)
		return "FORMERR";
	snprintf(records, sizeof(records), "%s", world_wire_read(w, reply, got).records);
	return records;
}

static void start_behind_a_proxy(struct world *w)
{
	world_three_cities(w);
	world_config(w, LISTEN "proxyFrom: [127.0.0.9/32]}\n"
	                       "publish: {allow: [198.18.0.0/16]}\n");
	world_start(w);
}

static void test_behind_a_listed_proxy_the_client_of_the_header_decides(void **state)
{
	struct world *w = *state;

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.9", "192.0.2.7", REPLY_MS), "198.18.1.10");
	assert_string_equal(ask_behind(w, "127.0.0.9", "198.51.100.7", REPLY_MS), "198.18.2.10");
	assert_string_equal(ask_behind(w, "127.0.0.9", "203.0.113.7", REPLY_MS), "198.18.3.10");
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 3);
}

static void test_a_listed_proxy_gets_no_answer_without_a_good_header(void **state)
{
	struct world *w = *state;
	const struct world_question q = {
		.name = "web.shop.fed.svc.example.com", .type = "A", .from = "127.0.0.9"};
	uint8_t packet[64], reply[512];

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.9", NULL, SILENCE_MS), "SILENCE");
	for (size_t cut = 0; cut < 28; cut += 9) {
		put_header(packet, "192.0.2.7");
		assert_int_equal(world_wire_udp(w, &q, packet, cut, reply, SILENCE_MS), 0);
	}
	assert_int_equal((int)world_metric(w, "dnsd_proxy_broken_total"), 5);
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 0);
	assert_string_equal(ask_behind(w, "127.0.0.9", "192.0.2.7", REPLY_MS), "198.18.1.10");
}

static void test_of_others_no_header_is_believed(void **state)
{
	struct world *w = *state;

	start_behind_a_proxy(w);
	assert_string_equal(ask_behind(w, "127.0.0.8", NULL, REPLY_MS), "198.18.2.10");
	/* Read as DNS, the signature is a header whose opcode is none of ours. */
	assert_string_not_equal(ask_behind(w, "127.0.0.8", "192.0.2.7", REPLY_MS), "198.18.1.10");
	assert_int_equal((int)world_metric(w, "dnsd_proxied_total"), 0);
	assert_int_equal((int)world_metric(w, "dnsd_proxy_broken_total"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_behind_a_listed_proxy_the_client_of_the_header_decides),
		world_test(test_a_listed_proxy_gets_no_answer_without_a_good_header),
		world_test(test_of_others_no_header_is_believed),
	};

	return cmocka_run_group_tests_name("scenario/floods", tests, NULL, NULL);
}
