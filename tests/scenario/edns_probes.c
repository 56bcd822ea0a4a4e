/* edns_probes.c -- the probes of ISC's genreport (RFC 8906 8), and every corner of OPT, over UDP, TCP and TLS, IPv4 and IPv6. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_wire.h"

#define CONFIG                                                                                     \
	"identity: {nsid: here}\n"                                                                 \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\"]\n"

static struct transport transports[PROBE_TRANSPORTS];

static void start(struct world *w) { probe_start(w, CONFIG, transports); }

/* --- the probes --- */

#define SAYS NOERROR, true
static const struct probe probes[] = {
	{"dns", PLAIN("0000"), SAYS, false, NULL},
	{"edns", EDNS("0000", "00000000", "0000", ""), SAYS, true, NULL},
	{"edns1", EDNS("0000", "00010000", "0000", ""), BADVERS, false, true, NULL},
	{"edns@512", HEAD("0000", "0001") "Z 0030 0001 00 0029 020000008000 0000", NOERROR, false,
         true, NULL},
	{"ednstcp", HEAD("0000", "0001") "Z 0030 0001" OPT("00008000", "0000", ""), NOERROR, false,
         true, NULL},
	{"ednsopt", EDNS("0000", "00000000", "0004", "0064 0000"), SAYS, true, NULL},
	{"edns1opt", EDNS("0000", "00010000", "0004", "0064 0000"), BADVERS, false, true, NULL},
	{"do", EDNS("0000", "00008000", "0000", ""), SAYS, true, NULL},
	{"ednsflags", EDNS("0000", "00000080", "0000", ""), SAYS, true, NULL},
	{"optlist", EDNS("0000", "00000000", "001c", "0003 0000" ECS_NONE "0009 0000" COOKIE), SAYS,
         true, "8 10 3 9"},
	{"aa", PLAIN("0400"), SAYS, false, NULL},
	{"ad", PLAIN("0020"), SAYS, false, NULL},
	{"cd", PLAIN("0010"), SAYS, false, NULL},
	{"ra", PLAIN("0080"), SAYS, false, NULL},
	{"rd", PLAIN("0100"), SAYS, false, NULL},
	{"tc", PLAIN("0200"), SAYS, false, NULL},
	{"zflag", PLAIN("0040"), SAYS, false, NULL},
	{"opcode", "1234 7800 0000 0000 0000 0000", NOTIMP, false, false, NULL},
	{"opcodeflg", "1234 7ff0 0000 0000 0000 0000", NOTIMP, false, false, NULL},
	{"type666", HEAD("0000", "0000") "Z 029a 0001", NOERROR, false, false, NULL},
	{"docd", EDNS("0010", "00008000", "0000", ""), SAYS, true, NULL},
	{"edns1do", EDNS("0000", "00018000", "0000", ""), BADVERS, false, true, NULL},
	{"edns1nsid", EDNS("0000", "00010000", "0004", "0003 0000"), BADVERS, false, true, NULL},
	{"edns1cookie", EDNS("0000", "00010000", "000c", COOKIE), BADVERS, false, true, NULL},
	{"edns1expire", EDNS("0000", "00010000", "0004", "0009 0000"), BADVERS, false, true, NULL},
	{"edns1subnet", EDNS("0000", "00010000", "0008", ECS_NONE), BADVERS, false, true, NULL},
	{"edns1keepalive", EDNS("0000", "00010000", "0004", "000b 0000"), BADVERS, false, true,
         NULL},
	{"edns1padding", EDNS("0000", "00010000", "0006", "000c 0002 0000"), BADVERS, false, true,
         NULL},
	{"edns1ede", EDNS("0000", "00010000", "0006", "000f 0002 0000"), BADVERS, false, true,
         NULL},
	{"ednsnsid", EDNS("0000", "00000000", "0004", "0003 0000"), SAYS, true, "3"},
	{"ednscookie", EDNS("0000", "00000000", "000c", COOKIE), SAYS, true, "10"},
	{"ednsexpire", EDNS("0000", "00000000", "0004", "0009 0000"), SAYS, true, "9"},
	{"ednssubnet", EDNS("0000", "00000000", "0008", ECS_NONE), SAYS, true, "8"},
	{"ednsede", EDNS("0000", "00000000", "0006", "000f 0002 0000"), SAYS, true, NULL},
	{"bind11", EDNS("0000", "00008000", "000c", COOKIE), SAYS, true, "10"},
	{"dig11", EDNS("0120", "00000000", "000c", COOKIE), SAYS, true, "10"},
	/* OPT also on errors */
	{"nxdomain", HEAD("0000", "0001") "X 0001 0001" OPT("00000000", "0004", "0003 0000"),
         NXDOMAIN, false, true, "3"},
	{"refused", HEAD("0000", "0001") "N 0001 0001" OPT("00000000", "0004", "0009 0000"),
         REFUSED, false, true, "15"},
	{"update", "1234 2800 0001 0000 0000 0001 Z 0006 0001" OPT("00000000", "0004", "0003 0000"),
         REFUSED, false, true, "3"},
	{"notimp", "1234 3000 0001 0000 0000 0001 Z 0006 0001" OPT("00000000", "0004", "0003 0000"),
         NOTIMP, false, true, "3"},
	{"version255", EDNS("0000", "00ff0000", "0000", ""), BADVERS, false, true, NULL},
	/* What a newer version has in it is not for us to judge. */
	{"edns1cut", EDNS("0000", "00010000", "0002", "ffff"), BADVERS, false, true, NULL},
	{"edns1badcookie", EDNS("0000", "00010000", "0005", "000a 0001 00"), BADVERS, false, true,
         NULL},
	{"edns1badsubnet", EDNS("0000", "00010000", "0004", "0008 0000"), BADVERS, false, true,
         NULL},
};

static void test_every_probe_of_genreport_passes_on_every_transport(void **state)
{
	struct world *w = *state;

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
			probe_expect(w, t, &probes[i]);
}

/* RFC 7830 6: it tells nobody anything but where the rest is hidden. */
static void test_padding_is_answered_over_tls_alone(void **state)
{
	static const char message[] = EDNS("0000", "00000000", "0006", "000c 0002 0000");
	struct world *w = *state;
	uint8_t query[512];
	size_t len = probe_build(message, query);

	start(w);
	for (EACH_TRANSPORT(t)) {
		struct probe_reply r = probe_ask(w, t, query, len);

		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, t->kind == PROBE_TLS ? "12" : "");
		assert_true(t->kind != PROBE_TLS || r.len % 468 == 0);
	}
}

static void test_every_type_of_data_is_no_error(void **state)
{
	struct world *w = *state;
	char message[64];
	/* URI, CAA and their neighbours, TA, DLV, private ones, and one that nobody has. */
	static const unsigned more[] = {256,   257,   258,   259,  260, 32768,
	                                32769, 65280, 65534, 1000, 0};

	start(w);
	for (EACH_TRANSPORT(t))
		for (unsigned type = 1; type <= 120; type++) {
			struct probe p = {"type", message, NOERROR, type == TYPE_SOA, false, NULL};

			if (type == TYPE_OPT)
				continue;
			snprintf(message, sizeof message, "%sZ %04x 0001", HEAD("0000", "0000"),
			         type >= 110 ? more[type - 110] : type);
			probe_expect(w, t, &p);
		}
}

#define TSIG                                                                                       \
	"00 00fa 00ff 00000000 003d 0b686d61632d736861323536 00 00005e0be100 012c 0020"            \
	"0000000000000000000000000000000000000000000000000000000000000000 1234 0000 0000"

/* The well-known key: the root's name, HMAC-SHA256, all zeros (RFC 8945 5.2.1). */
static void test_a_well_known_key_is_not_known_here(void **state)
{
	struct world *w = *state;
	uint8_t query[512];
	/* Up to the time, which is ours, and behind it. */
	static const uint8_t said[] = "\0\0\372\0\377\0\0\0\0\0\35\13hmac-sha256",
			     said_then[] = "\1\54\0\0\22\64\0\21\0";
	enum { TIME_LEN = 6, LEN = sizeof said + TIME_LEN + sizeof said_then };

	start(w);
	for (EACH_TRANSPORT(t)) {
		uint8_t *packet = malloc(WIRE_ROOM);
		size_t len = probe_build(HEAD("0000", "0001") ASK_SOA TSIG, query), got;
		struct probe_reply r = probe_ask(w, t, query, len);

		assert_int_equal(r.rcode, NOTAUTH);
		assert_int_equal(r.tsig_error, 17);
		assert_int_equal(r.counts[1] + r.counts[2], 0);
		got = probe_exchange(w, t, NULL, query, len, packet);
		assert_int_equal(got, PROBE_HEADER + 17 + LEN);
		assert_memory_equal(packet + got - LEN, said, sizeof said);
		assert_memory_equal(packet + got - sizeof said_then, said_then, sizeof said_then);
		free(packet);
		r = probe_ask(w, t, query,
		              probe_build(HEAD("0000", "0002")
		                                  ASK_SOA OPT("00000000", "000c", COOKIE) TSIG,
		                          query));
		assert_int_equal(r.rcode, NOTAUTH);
		assert_int_equal(r.tsig_error, 17);
		assert_string_equal(r.options, "10");
	}
}

/* --- what no OPT may be --- */

#define ECS(len, data) EDNS("0000", "00000000", len, "0008" data)
static const struct probe faults[] = {
	{"two OPT",
         HEAD("0000", "0002") ASK_SOA OPT("00000000", "0000", "") OPT("00000000", "0000", ""),
         FORMERR, false, true, NULL},
	{"two OPT, of different versions",
         HEAD("0000", "0002") ASK_SOA OPT("00000000", "0000", "") OPT("00010000", "0000", ""),
         FORMERR, false, true, NULL},
	{"owned by a name", HEAD("0000", "0001") ASK_SOA "c00c 0029 04d0 00000000 0000", FORMERR,
         false, false, NULL},
	{"owned by a name of its own",
         HEAD("0000", "0001") ASK_SOA "0161 00 0029 04d0 00000000 0000", FORMERR, false, false,
         NULL},
	{"in the answer section",
         "1234 0000 0001 0001 0000 0000" ASK_SOA OPT("00000000", "0000", ""), FORMERR, false, false,
         NULL},
	{"in the authority section",
         "1234 0000 0001 0000 0001 0000" ASK_SOA OPT("00000000", "0000", ""), FORMERR, false, false,
         NULL},
	{"RDATA cut", EDNS("0000", "00000000", "0008", "0003 0000"), FORMERR, false, false, NULL},
	{"record cut", HEAD("0000", "0001") ASK_SOA "00 0029 04d0 0000", FORMERR, false, false,
         NULL},
	{"option cut in its code", EDNS("0000", "00000000", "0001", "00"), FORMERR, false, true,
         NULL},
	{"option cut in its length", EDNS("0000", "00000000", "0003", "0003 00"), FORMERR, false,
         true, NULL},
	{"option longer than the RDATA", EDNS("0000", "00000000", "0006", "0064 0004 0000"),
         FORMERR, false, true, NULL},
	{"option of 65535", EDNS("0000", "00000000", "0005", "0064 ffff 00"), FORMERR, false, true,
         NULL},
	{"a cut option behind good ones",
         EDNS("0000", "00000000", "0013", "0003 0000" COOKIE "0009 00"), FORMERR, false, true,
         NULL},
	{"subnet without data", ECS("0004", "0000"), FORMERR, false, true, NULL},
	{"subnet cut", ECS("0007", "0003 0001 18"), FORMERR, false, true, NULL},
	{"subnet with an address longer than its prefix", ECS("000c", "0008 0001 18 00 c6336400"),
         FORMERR, false, true, NULL},
	{"subnet with a shorter one", ECS("000a", "0006 0001 18 00 c633"), FORMERR, false, true,
         NULL},
	{"subnet of 33 bits", ECS("000d", "0009 0001 21 00 c633640100"), FORMERR, false, true,
         NULL},
	{"subnet of 129 bits", ECS("0019", "0015 0002 81 00 20010db8000000000000000000000000 00"),
         FORMERR, false, true, NULL},
	{"subnet with a scope", ECS("000b", "0007 0001 18 18 c63364"), FORMERR, false, true, NULL},
	{"subnet with bits behind its prefix", ECS("000b", "0007 0001 17 00 c63365"), FORMERR,
         false, true, NULL},
	{"subnet of family 3", ECS("000b", "0007 0003 18 00 c63364"), FORMERR, false, true, NULL},
	{"subnet of family 0", ECS("000b", "0007 0000 18 00 c63364"), FORMERR, false, true, NULL},
	{"two subnets", EDNS("0000", "00000000", "0010", ECS_NONE ECS_NONE), FORMERR, false, true,
         NULL},
	{"cookie without data", EDNS("0000", "00000000", "0004", "000a 0000"), FORMERR, false, true,
         NULL},
	{"cookie of 9", EDNS("0000", "00000000", "000d", "000a 0009 010203040506070809"), FORMERR,
         false, true, NULL},
};

static void test_a_malformed_opt_is_formerr_on_every_transport(void **state)
{
	struct world *w = *state;

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
			probe_expect(w, t, &faults[i]);
}

static const struct probe oddities[] = {
	{"twice the same cookie", EDNS("0000", "00000000", "0018", COOKIE COOKIE), SAYS, true,
         "10"},
	{"a good cookie and a bad one", EDNS("0000", "00000000", "0011", COOKIE "000a 0001 00"),
         SAYS, true, "10"},
	{"NSID with data, twice",
         EDNS("0000", "00000000", "000d", "0003 0001 00 0003 0004 00000000"), SAYS, true, "3"},
	{"EXPIRE with data", EDNS("0000", "00000000", "0008", "0009 0004 00000000"), SAYS, true,
         "9"},
	{"cookie without a question",
         "1234 0000 0000 0000 0000 0001" OPT("00000000", "000c", COOKIE), NOERROR, false, true,
         "10"},
	{"OPT behind another record",
         HEAD("0000", "0002") ASK_SOA
         "00 0001 0001 00000000 0004 01020304" OPT("00000000", "0004", "0003 0000"),
         SAYS, true, "3"},
};

static void test_odd_options_are_answered_on_every_transport(void **state)
{
	struct world *w = *state;

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < sizeof oddities / sizeof oddities[0]; i++) {
			struct probe p = oddities[i];
			uint8_t query[512];
			struct probe_reply r =
				probe_ask(w, t, query, probe_build(p.message, query));

			/* Without a question nothing is authoritative. */
			if (r.counts[0] > 0)
				probe_expect(w, t, &p);
			assert_int_equal(r.rcode, p.rcode);
			assert_string_equal(r.options, p.options);
		}
}

/* An OPT of `count` times this option. */
static size_t build_many(const char *option, unsigned count, uint8_t *query)
{
	size_t len = probe_build(EDNS("0000", "00000000", "0000", ""), query), before = len;

	while (count-- > 0)
		len += probe_build(option, query + len);
	bytes_put16(query + before - 2, (uint16_t)(len - before));
	return len;
}

static void test_many_options_and_long_ones_are_answered(void **state)
{
	struct world *w = *state;
	uint8_t query[4096];
	size_t len;

	start(w);
	for (EACH_TRANSPORT(t)) {
		struct probe_reply r = probe_ask(w, t, query, build_many("0064 0000", 200, query));

		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, "");
		r = probe_ask(w, t, query, build_many("0003 0000 0009 0000 000b 0000", 60, query));
		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, t->kind != PROBE_UDP ? "3 9 11" : "3 9");
		r = probe_ask(w, t, query, build_many(COOKIE, 100, query));
		assert_string_equal(r.options, "10");
		len = build_many("0064 03e8", 1, query);
		memset(query + len, 0xff, 1000);
		bytes_put16(query + len - 4 - 2, 4 + 1000);
		r = probe_ask(w, t, query, len + 1000);
		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, "");
	}
}

/* --- what fits --- */

static void test_answers_keep_to_the_announced_size_with_every_option(void **state)
{
	static const char all[] = "0003 0000 0008 0014 0002 80 00 20010db8000000000000000000000001"
				  "0009 0000 000b 0000" COOKIE;
	static const unsigned sizes[] = {0, 511, 512, 513, 1232, 4096, 65535};
	struct world *w = *state;
	uint8_t query[512];

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			size_t len = build_many(all, 1, query);
			struct probe_reply r;

			bytes_put16(query + PROBE_HEADER + 13 + 4 + 3, (uint16_t)sizes[i]);
			r = probe_ask(w, t, query, len);
			assert_int_equal(r.rcode, NOERROR);
			assert_true(t->kind != PROBE_UDP ||
			            r.len <= (sizes[i] > 512 ? sizes[i] : 512));
			assert_string_equal(r.options,
			                    t->kind != PROBE_UDP ? "8 10 3 9 11" : "8 10 3 9");
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_every_probe_of_genreport_passes_on_every_transport),
		world_test(test_padding_is_answered_over_tls_alone),
		world_test(test_every_type_of_data_is_no_error),
		world_test(test_a_well_known_key_is_not_known_here),
		world_test(test_a_malformed_opt_is_formerr_on_every_transport),
		world_test(test_odd_options_are_answered_on_every_transport),
		world_test(test_many_options_and_long_ones_are_answered),
		world_test(test_answers_keep_to_the_announced_size_with_every_option),
	};

	return cmocka_run_group_tests_name("scenario/edns_probes", tests, NULL, NULL);
}
