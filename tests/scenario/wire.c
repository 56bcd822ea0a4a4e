/* wire.c -- DNS as clients and strangers speak it, over UDP and TCP. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_wire.h"

enum { FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, BADVERS = 16 };
enum { REPLY_MS = 2000, SILENCE_MS = 300 };

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53, \"2001:db8::53\"]}, "     \
	"{name: ns.elsewhere.test}]\n"                                                             \
	"  ttl: 60\n"                                                                              \
	"  records:\n"                                                                             \
	"  - \"@ 300 IN TXT \\\"apex\\\"\"\n"                                                      \
	"  - \"www 300 IN A 192.0.2.1\"\n"                                                         \
	"  - \"*.wild 300 IN A 192.0.2.2\"\n"                                                      \
	"  - \"there.wild 300 IN A 192.0.2.3\"\n"                                                  \
	"  - \"a.b.ent 300 IN A 192.0.2.4\"\n"                                                     \
	"  - \"one 300 IN CNAME two\"\n"                                                           \
	"  - \"two 300 IN CNAME www\"\n"                                                           \
	"  - \"out 300 IN CNAME www.elsewhere.test.\"\n"                                           \
	"  - \"dangling 300 IN CNAME absent\"\n"                                                   \
	"  - \"loop 300 IN CNAME loop2\"\n"                                                        \
	"  - \"loop2 300 IN CNAME loop\"\n"                                                        \
	"  - \"tree 300 IN DNAME wild\"\n"                                                         \
	"  - \"nottl A 192.0.2.9\"\n"

static void start(struct world *w)
{
	world_config(w, ZONE);
	world_folder(w, "manifests/host");
	world_start(w);
}

static size_t build(uint8_t *query, const char *name, const char *type)
{
	return world_wire_build(&(struct world_question){.name = name, .type = type}, 0x1234,
	                        query);
}

static size_t ask(struct world *w, const uint8_t *query, size_t len, uint8_t *reply)
{
	return world_wire_udp(w, NULL, query, len, reply, REPLY_MS);
}

/* --- zones --- */

static void test_the_apex_has_soa_and_ns_with_addresses(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w);
	a = world_query(w, "example.com", "SOA", NULL);
	assert_true(a.authoritative);
	assert_memory_equal(a.records, "ns1.example.com. ", 17);
	a = world_query(w, "example.com", "NS", NULL);
	assert_string_equal(a.records, "ns.elsewhere.test. ns1.example.com.");
	world_expect(w, "ns1.example.com", "A", NULL, "192.0.2.53", 0);
	world_expect(w, "ns1.example.com", "AAAA", NULL, "2001:db8::53", 0);
	world_expect(w, "example.com", "TXT", NULL, "\"apex\"", 0);
	assert_int_equal(world_query(w, "nottl.example.com", "A", NULL).ttl, 60);
}

static void test_without_nameservers_the_listening_address_is_one_and_it_is_warned(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_start(w);
	world_expect(w, "example.com", "NS", NULL, "ns.example.com.", 0);
	world_expect(w, "ns.example.com", "A", NULL, "127.0.0.1", 0);
	world_expect_log(w, " warn ", 0);
}

static void test_absent_names_and_types_are_denied_with_the_soa(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w);
	a = world_query(w, "absent.example.com", "A", NULL);
	assert_int_equal(a.rcode, NXDOMAIN);
	assert_true(a.authoritative);
	assert_int_equal(a.ttl, 30);
	assert_memory_equal(a.authority, "example.com. SOA ", 17);
	a = world_query(w, "www.example.com", "MX", NULL);
	assert_string_equal(a.records, "NODATA");
	assert_int_equal(a.ttl, 30);
}

static void test_names_outside_every_zone_are_refused_and_the_reason_is_said(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w);
	a = world_query(w, "www.elsewhere.test", "A", NULL);
	assert_int_equal(a.rcode, REFUSED);
	assert_int_equal(a.ede, 20);
	assert_false(a.authoritative);
	assert_string_equal(a.authority, "");
	assert_int_equal(world_query(w, "com", "NS", NULL).rcode, REFUSED);
	assert_int_equal(world_query(w, ".", "NS", NULL).rcode, REFUSED);
}

static void test_wildcards_match_what_does_not_exist(void **state)
{
	struct world *w = *state;

	start(w);
	world_expect(w, "any.wild.example.com", "A", NULL, "192.0.2.2", 0);
	world_expect(w, "any.deep.wild.example.com", "A", NULL, "192.0.2.2", 0);
	world_expect(w, "*.wild.example.com", "A", NULL, "192.0.2.2", 0);
	world_expect(w, "any.wild.example.com", "MX", NULL, "NODATA", 0);
	world_expect(w, "there.wild.example.com", "A", NULL, "192.0.2.3", 0);
	/* An existing name stands between: RFC 4592 3.3.1. */
	world_expect(w, "under.there.wild.example.com", "A", NULL, "NXDOMAIN", 0);
}

static void test_empty_non_terminals_exist(void **state)
{
	struct world *w = *state;

	start(w);
	world_expect(w, "b.ent.example.com", "A", NULL, "NODATA", 0);
	world_expect(w, "ent.example.com", "A", NULL, "NODATA", 0);
	world_expect(w, "c.ent.example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect(w, "wild.example.com", "A", NULL, "NODATA", 0);
}

static void test_chains_are_followed_inside_the_server(void **state)
{
	struct world *w = *state;

	start(w);
	world_expect(w, "one.example.com", "A", NULL, "two.example.com. www.example.com. 192.0.2.1",
	             0);
	world_expect(w, "one.example.com", "CNAME", NULL, "two.example.com.", 0);
	world_expect(w, "out.example.com", "A", NULL, "www.elsewhere.test.", 0);
	world_expect(w, "dangling.example.com", "A", NULL, "absent.example.com. NXDOMAIN", 0);
	world_expect(w, "loop.example.com", "A", NULL, "loop2.example.com. loop.example.com.", 0);
}

static void test_a_dname_gives_names_below_it_an_alias(void **state)
{
	struct world *w = *state;

	start(w);
	world_expect(w, "x.tree.example.com", "A", NULL,
	             "wild.example.com. x.wild.example.com. 192.0.2.2", 0);
	world_expect(w, "tree.example.com", "DNAME", NULL, "wild.example.com.", 0);
	world_expect(w, "tree.example.com", "A", NULL, "NODATA", 0);
}

static void test_a_delegation_is_referred_with_its_glue(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_domain(w, "fed", "example.com");
	world_endpoint(w, "cut.yaml", "cut", "cut.example.com", "NS", "ns.cut.example.com");
	world_endpoint(w, "glue.yaml", "glue", "ns.cut.example.com", "A", "198.18.0.53");
	world_start(w);
	a = world_query(w, "www.deep.cut.example.com", "A", "192.0.2.0/24");
	assert_string_equal(a.records, "REFERRAL");
	assert_false(a.authoritative);
	assert_int_equal(a.scope, 0);
	assert_string_equal(a.authority, "cut.example.com. NS ns.cut.example.com.");
	assert_string_equal(a.additional, "ns.cut.example.com. A 198.18.0.53");
	world_expect(w, "cut.example.com", "DS", NULL, "NODATA", 0);
}

static void test_names_are_compared_without_case_and_echoed_as_asked(void **state)
{
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	size_t len = build(query, "wWw.ExAmPlE.cOm", "A"), got;

	start(w);
	got = ask(w, query, len, reply);
	assert_true(got > 12 + 21);
	assert_memory_equal(reply + 12, query + 12, 21);
	assert_string_equal(world_wire_read(w, reply, got).records, "192.0.2.1");
	free(reply);
}

/* --- EDNS --- */

static void test_edns_of_another_version_is_badvers(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "www.example.com", .type = "A", .version = 1};

	start(w);
	assert_int_equal(world_question(w, &q).rcode, BADVERS);
}

static void test_an_answer_has_opt_when_the_query_had_one(void **state)
{
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	size_t len;

	start(w);
	len = world_wire_build(
		&(struct world_question){.name = "www.example.com", .type = "A", .no_edns = true},
		7, query);
	assert_true(ask(w, query, len, reply) > 0);
	assert_int_equal(bytes_get16(reply + 10), 0);
	len = build(query, "www.example.com", "A");
	/* Every flag but DO, and an option that nobody knows: ignored. */
	query[len - 4] = 0x7f;
	query[len - 1] = 4;
	memcpy(query + len, "\xfd\xe9\0\0", 4);
	assert_true(ask(w, query, len + 4, reply) > 0);
	assert_int_equal(bytes_get16(reply + 10), 1);
	assert_int_equal(reply[3] & 0xf, 0);
	free(reply);
}

/* 60 addresses: 1000 octets. */
static void big_name(struct world *w)
{
	char targets[2048] = "";

	for (int i = 0; i < 60; i++)
		snprintf(targets + strlen(targets), sizeof(targets) - strlen(targets),
		         "%s198.18.7.%d", i ? ", " : "", i);
	world_config(w, "defaults: {maxAddresses: 60}\n");
	world_domain(w, "fed", "example.com");
	world_endpoint(w, "big.yaml", "big", "big.example.com", "A", targets);
	world_start(w);
}

static void test_what_does_not_fit_is_truncated_and_whole_over_tcp(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "big.example.com", .type = "A", .no_edns = true};
	struct world_answer a;

	big_name(w);
	a = world_question(w, &q);
	assert_true(a.truncated);
	q.no_edns = false;
	q.size = 512;
	assert_true(world_question(w, &q).truncated);
	q.size = 1232;
	a = world_question(w, &q);
	assert_false(a.truncated);
	assert_int_equal(a.address_count, 60);
	q.no_edns = q.tcp = true;
	a = world_question(w, &q);
	assert_false(a.truncated);
	assert_int_equal(a.address_count, 60);
}

static void test_a_datagram_is_never_longer_than_the_client_says(void **state)
{
	static const unsigned sizes[] = {0, 512, 600, 1232, 4096};
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);

	big_name(w);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned most = sizes[i] == 0 ? 512 : sizes[i] > 1232 ? 1232 : sizes[i];
		struct world_question q = {.name = "big.example.com",
		                           .type = "A",
		                           .no_edns = sizes[i] == 0,
		                           .size = sizes[i]};
		size_t got = ask(w, query, world_wire_build(&q, 7, query), reply);

		assert_in_range(got, 12, most);
	}
	free(reply);
}

/* --- strangers --- */

static void test_answers_are_not_answered(void **state)
{
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	size_t len = build(query, "www.example.com", "A");

	start(w);
	query[2] |= 0x80;
	assert_int_equal(world_wire_udp(w, NULL, query, len, reply, SILENCE_MS), 0);
	assert_int_equal(world_wire_udp(w, NULL, query, 11, reply, SILENCE_MS), 0);
	free(reply);
}

static void test_malformed_queries_are_formerr(void **state)
{
	struct world *w = *state;
	uint8_t query[512], opt_only[12 + 11], *reply = malloc(WIRE_ROOM);
	size_t len;

	start(w);
	len = build(query, "www.example.com", "A");
	query[5] = 2;
	assert_true(ask(w, query, len, reply) >= 12);
	assert_int_equal(reply[3] & 0xf, FORMERR);
	query[5] = 0;
	assert_true(ask(w, query, len, reply) >= 12);
	assert_int_equal(reply[3] & 0xf, FORMERR);
	/* Nothing but OPT: it is answered with OPT. */
	memcpy(opt_only, query, 12);
	memcpy(opt_only + 12, query + len - 11, 11);
	assert_int_equal(ask(w, opt_only, sizeof opt_only, reply), 12 + 11);
	assert_int_equal(reply[3] & 0xf, FORMERR);
	assert_int_equal(reply[11], 1);
	/* Cut in the question; then a label that points forward. */
	query[5] = 1;
	assert_true(ask(w, query, 20, reply) >= 12);
	assert_int_equal(reply[3] & 0xf, FORMERR);
	query[12] = 0xc0;
	query[13] = 0xff;
	assert_true(ask(w, query, len, reply) >= 12);
	assert_int_equal(reply[3] & 0xf, FORMERR);
	assert_int_equal(bytes_get16(reply), 0x1234);
	free(reply);
}

static void test_other_opcodes_are_notimp(void **state)
{
	enum { NOTIFY = 4, UPDATE = 5 };
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	size_t len = build(query, "www.example.com", "A");

	start(w);
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		query[2] = (uint8_t)(opcode << 3);
		assert_true(ask(w, query, len, reply) >= 12);
		assert_int_equal(reply[3] & 0xf,
		                 opcode == NOTIFY || opcode == UPDATE ? REFUSED : NOTIMP);
		assert_int_equal(reply[2] >> 3 & 0xf, opcode);
	}
	free(reply);
}

/* RFC 2136 3.3: BIND's own client says so.  It asks another server for the zone's SOA if it is not told the zone. */
static void test_an_update_is_refused(void **state)
{
	struct world *w = *state;
	const char *file;

	start(w);
	world_write(w, "update",
	            "server 127.0.0.1 %u\nzone example.com\nupdate add new.example.com 60 A "
	            "192.0.2.9\nsend\n",
	            world_dns_port(w));
	file = world_path(w, "update");
	(void)world_expect_run(w, (const char *[]){"nsupdate", file, NULL}, 2,
	                       "update failed: REFUSED");
	(void)world_expect_run(w, (const char *[]){"nsupdate", "-v", file, NULL}, 2,
	                       "update failed: REFUSED");
	world_expect(w, "new.example.com", "A", NULL, "NXDOMAIN", 0);
}

/* RFC 1996 3.10, with the newer SOA that it tells of. */
static void test_a_notify_is_refused_and_has_no_effect(void **state)
{
	static const uint8_t soa[] =
		"\xc0\x0c\0\6\0\1\0\0\0\36\0\30\xc0\x0c\xc0\x0c\xff\xff\xff\xff"
		"\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	struct world_question q = {.name = "example.com", .type = "SOA", .no_edns = true};
	size_t len = world_wire_build(&q, 0x1234, query);
	struct world_answer before;

	start(w);
	before = world_query(w, "example.com", "SOA", NULL);
	query[2] = 4 << 3 | 4; /* NOTIFY, AA */
	bytes_put16(query + 6, 1);
	memcpy(query + len, soa, sizeof soa - 1);
	assert_int_equal(ask(w, query, len + sizeof soa - 1, reply), len);
	assert_int_equal(bytes_get16(reply + 2), 0xa000 | REFUSED);
	assert_memory_equal(reply + 4, "\0\1\0\0\0\0\0\0", 8);
	assert_memory_equal(reply + 12, query + 12, len - 12);
	world_expect(w, "example.com", "SOA", NULL, before.records, 0);
	free(reply);
}

/* RFC 8490 5.1.1: who wants DNS Stateful Operations learns that there are none, and asks on. */
static void test_a_connection_stays_usable_after_dso(void **state)
{
	static const uint8_t keepalive[] = "\x12\x34\x30\0\0\0\0\0\0\0\0\0\0\1\0\10\0\0\x3a\x98"
					   "\0\0\x3a\x98";
	struct world *w = *state;
	uint8_t query[512], framed[514], *reply = malloc(WIRE_ROOM);
	size_t len;
	int fd;

	start(w);
	fd = world_wire_connect(w);
	len = world_wire_frame(keepalive, sizeof keepalive - 1, framed);
	world_wire_send(w, fd, framed, len);
	assert_int_equal(world_wire_receive(w, fd, reply, REPLY_MS), 12);
	assert_int_equal(bytes_get16(reply + 2), 0xb000 | NOTIMP);
	len = world_wire_frame(query, build(query, "www.example.com", "A"), framed);
	world_wire_send(w, fd, framed, len);
	len = world_wire_receive(w, fd, reply, REPLY_MS);
	assert_string_equal(world_wire_read(w, reply, len).records, "192.0.2.1");
	close(fd);
	free(reply);
}

/* Random bytes, and good queries with random bytes in them: it must live and go on answering. */
static void test_noise_does_not_hurt(void **state)
{
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);

	start(w);
	srand(1);
	for (int i = 0; i < 3000; i++) {
		size_t len = build(query, "one.example.com", i % 2 ? "A" : "ANY");

		for (int k = 0; k < 1 + i % 5; k++)
			query[2 + (size_t)rand() % (len - 2)] = (uint8_t)rand();
		world_wire_udp(w, NULL, query, i % 7 ? len : (size_t)rand() % len, reply, 0);
	}
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 5000);
	free(reply);
}

/* --- TCP --- */

static void test_many_queries_go_over_one_connection(void **state)
{
	struct world *w = *state;
	uint8_t query[512], framed[514 * 100], *reply = malloc(WIRE_ROOM);
	bool seen[100] = {false};
	size_t all = 0;
	int fd;

	start(w);
	for (unsigned i = 0; i < 100; i++) {
		struct world_question q = {.name = i % 2 ? "www.example.com" : "absent.example.com",
		                           .type = "A"};
		size_t len = world_wire_build(&q, (uint16_t)i, query);

		all += world_wire_frame(query, len, framed + all);
	}
	fd = world_wire_connect(w);
	world_wire_send(w, fd, framed, all);
	for (unsigned i = 0; i < 100; i++) {
		size_t got = world_wire_receive(w, fd, reply, 5000);
		unsigned id;

		assert_true(got >= 12);
		id = bytes_get16(reply);
		assert_in_range(id, 0, 99);
		assert_false(seen[id]);
		seen[id] = true;
		assert_int_equal(reply[3] & 0xf, id % 2 ? 0 : NXDOMAIN);
	}
	close(fd);
	free(reply);
}

static void test_a_query_over_tcp_may_come_octet_by_octet(void **state)
{
	struct world *w = *state;
	uint8_t query[512], framed[514], *reply = malloc(WIRE_ROOM);
	size_t len;
	int fd;

	start(w);
	len = world_wire_frame(query, build(query, "www.example.com", "A"), framed);
	fd = world_wire_connect(w);
	for (size_t i = 0; i < len; i++) {
		world_wire_send(w, fd, framed + i, 1);
		usleep(200);
	}
	len = world_wire_receive(w, fd, reply, 5000);
	assert_string_equal(world_wire_read(w, reply, len).records, "192.0.2.1");
	close(fd);
	free(reply);
}

static void test_the_ends_of_connections_hurt_nobody(void **state)
{
	struct world *w = *state;

	start(w);
	for (int i = 0; i < 50; i++) {
		int fd = world_wire_connect(w);

		world_wire_send(w, fd, (const uint8_t *)"\xff\xff\x12", (size_t)(i % 4));
		close(fd);
	}
	assert_string_equal(world_ask_tcp(w, "www.example.com", "A", NULL), "192.0.2.1");
}

/* --- where and when --- */

static void test_before_it_is_ready_nighd_says_so(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_config(w, ZONE "startup: {patience: 1500ms}");
	world_remove(w, "manifests");
	world_start_unready(w);
	a = world_query(w, "www.example.com", "A", NULL);
	assert_int_equal(a.rcode, SERVFAIL);
	assert_int_equal(a.ede, 14);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 5000);
}

static void test_on_a_wildcard_listener_replies_leave_from_the_asked_address(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "www.example.com", .type = "A", .to = "127.0.0.2"};

	world_config(w,
	             "listen: {dns: [\"0.0.0.0:0\", \"[::1]:0\"], http: \"127.0.0.1:0\"}\n" ZONE);
	world_folder(w, "manifests/host");
	world_start(w);
	/* The socket is connected: a reply from another address would not be received. */
	assert_string_equal(world_question(w, &q).records, "192.0.2.1");
	q.to = "127.0.0.1";
	assert_string_equal(world_question(w, &q).records, "192.0.2.1");
}

static void test_dig_and_kdig_understand_us(void **state)
{
	struct world *w = *state;
	char port[16];
	const char *const dig[] = {"dig",
	                           "@127.0.0.1",
	                           "-p",
	                           port,
	                           "+subnet=192.0.2.0/24",
	                           "+noall",
	                           "+comments",
	                           "+answer",
	                           "one.example.com",
	                           "A",
	                           NULL};
	const char *const kdig[] = {"kdig",   "@127.0.0.1",      "-p", port, "+tcp",
	                            "+short", "www.example.com", "A",  NULL};

	start(w);
	snprintf(port, sizeof(port), "%u", world_dns_port(w));
	assert_non_null(strstr(world_expect_run(w, dig, 0, "status: NOERROR"),
	                       "CLIENT-SUBNET: 192.0.2.0/24/0"));
	world_expect_run(w, dig, 0, "192.0.2.1");
	world_expect_run(w, kdig, 0, "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_the_apex_has_soa_and_ns_with_addresses),
		world_test(test_without_nameservers_the_listening_address_is_one_and_it_is_warned),
		world_test(test_absent_names_and_types_are_denied_with_the_soa),
		world_test(test_names_outside_every_zone_are_refused_and_the_reason_is_said),
		world_test(test_wildcards_match_what_does_not_exist),
		world_test(test_empty_non_terminals_exist),
		world_test(test_chains_are_followed_inside_the_server),
		world_test(test_a_dname_gives_names_below_it_an_alias),
		world_test(test_a_delegation_is_referred_with_its_glue),
		world_test(test_names_are_compared_without_case_and_echoed_as_asked),
		world_test(test_edns_of_another_version_is_badvers),
		world_test(test_an_answer_has_opt_when_the_query_had_one),
		world_test(test_what_does_not_fit_is_truncated_and_whole_over_tcp),
		world_test(test_a_datagram_is_never_longer_than_the_client_says),
		world_test(test_answers_are_not_answered),
		world_test(test_malformed_queries_are_formerr),
		world_test(test_other_opcodes_are_notimp),
		world_test(test_an_update_is_refused),
		world_test(test_a_notify_is_refused_and_has_no_effect),
		world_test(test_a_connection_stays_usable_after_dso),
		world_test(test_noise_does_not_hurt),
		world_test(test_many_queries_go_over_one_connection),
		world_test(test_a_query_over_tcp_may_come_octet_by_octet),
		world_test(test_the_ends_of_connections_hurt_nobody),
		world_test(test_before_it_is_ready_nighd_says_so),
		world_test(test_on_a_wildcard_listener_replies_leave_from_the_asked_address),
		world_test(test_dig_and_kdig_understand_us),
	};

	return cmocka_run_group_tests_name("scenario/wire", tests, NULL, NULL);
}
