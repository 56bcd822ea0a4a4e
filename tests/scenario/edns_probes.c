/* edns_probes.c -- the probes of ISC's genreport (RFC 8906 8), and every corner of OPT, over UDP and TCP, IPv4 and IPv6. */
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

enum {
	NOERROR = 0,
	FORMERR = 1,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
	NOTAUTH = 9,
	BADVERS = 16,
	BADCOOKIE = 23
};
enum { QR = 0x8000, OPCODE = 0x7800, AA = 0x0400, TC = 0x0200, RD = 0x0100, DO = 0x8000 };
enum { REPLY_MS = 5000, HEADER_LEN = 12, TYPE_SOA = 6, TYPE_OPT = 41, TYPE_TSIG = 250 };

#define CONFIG                                                                                     \
	"listen: {dns: [\"127.0.0.1:0\", \"[::1]:0\"], http: \"127.0.0.1:0\"}\n"                   \
	"identity: {nsid: here}\n"                                                                 \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\"]\n"

/* --- messages as text --- */

/* Hex digits; "Z" is example.com, "X" absent.example.com, "N" elsewhere.test. */
static size_t build(const char *text, uint8_t *out)
{
	static const uint8_t zone[] = "\7example\3com", absent[] = "\6absent\7example\3com",
			     other[] = "\11elsewhere\4test";
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == 'Z') {
			memcpy(out + len, zone, sizeof zone);
			len += sizeof zone;
		} else if (*text == 'X') {
			memcpy(out + len, absent, sizeof absent);
			len += sizeof absent;
		} else if (*text == 'N') {
			memcpy(out + len, other, sizeof other);
			len += sizeof other;
		} else if (*text != ' ') {
			out[len++] = (uint8_t)strtoul((char[]){text[0], text[1], 0}, NULL, 16);
			text++;
		}
	}
	return len;
}

#define HEAD(flags, additional)    "1234" flags "0001 0000 0000" additional
#define ASK_SOA                    "Z 0006 0001"
#define OPT(ttl, len, options)     "00 0029 04d0" ttl len options
#define PLAIN(flags)               HEAD(flags, "0000") ASK_SOA
#define EDNS(flags, ttl, len, opt) HEAD(flags, "0001") ASK_SOA OPT(ttl, len, opt)
#define COOKIE                     "000a 0008 0102030405060708"
#define ECS_NONE                   "0008 0004 0001 00 00"

/* --- what came --- */

struct reply {
	unsigned flags, rcode, counts[4];
	bool has_opt, has_soa, is_whole; /* is_whole: it ends where its counts say */
	unsigned opt_count, edns_flags, version;
	unsigned tsig_error; /* 0: no TSIG */
	char options[256];   /* codes, joined by " " */
	size_t len;
};

static const uint8_t *skip_name(const uint8_t *at, const uint8_t *end)
{
	for (; at < end && *at != 0; at += 1 + *at)
		if (*at >= 0xc0)
			return at + 2;
	return at + 1;
}

static void read_opt(struct reply *r, unsigned extended, const uint8_t *data, size_t len)
{
	size_t at = 0;

	r->has_opt = true;
	r->opt_count++;
	r->rcode |= (extended >> 24) << 4;
	r->version = extended >> 16 & 0xff;
	r->edns_flags = extended & 0xffff;
	while (at + 4 <= len) {
		size_t used = strlen(r->options);

		snprintf(r->options + used, sizeof r->options - used, "%s%u", used ? " " : "",
		         bytes_get16(data + at));
		at += 4U + bytes_get16(data + at + 2);
	}
	assert_int_equal(at, len);
}

static struct reply read_reply(const uint8_t *packet, size_t len)
{
	struct reply r = {.len = len};
	const uint8_t *at = packet + HEADER_LEN, *end = packet + len;

	assert_true(len >= HEADER_LEN);
	r.flags = bytes_get16(packet + 2);
	r.rcode = r.flags & 15;
	for (unsigned i = 0; i < 4; i++)
		r.counts[i] = bytes_get16(packet + 4 + 2 * i);
	for (unsigned i = 0; i < r.counts[0]; i++)
		at = skip_name(at, end) + 4;
	for (unsigned i = 0; i < r.counts[1] + r.counts[2] + r.counts[3]; i++) {
		unsigned type, rdlength;

		at = skip_name(at, end);
		assert_true(at + 10 <= end);
		type = bytes_get16(at);
		rdlength = bytes_get16(at + 8);
		r.has_soa |= type == TYPE_SOA && i < r.counts[1];
		if (type == TYPE_OPT)
			read_opt(&r, bytes_get32(at + 4), at + 10, rdlength);
		at += 10 + rdlength;
		if (type == TYPE_TSIG)
			r.tsig_error = bytes_get16(at - 4);
	}
	r.is_whole = at == end;
	return r;
}

/* --- transports --- */

struct transport {
	const char *label;
	bool tcp, v6;
};

static const struct transport transports[] = {
	{"UDP, IPv4", false, false},
	{"TCP, IPv4", true, false},
	{"UDP, IPv6", false, true},
	{"TCP, IPv6", true, true},
};
#define EACH_TRANSPORT(t)                                                                          \
	const struct transport *t = transports;                                                    \
	t < transports + sizeof transports / sizeof transports[0];                                 \
	t++

static unsigned port_of(struct world *w, bool v6)
{
	const char *at = v6 ? strstr(world_get(w, "/status", NULL), "[::1]:") : NULL;

	if (!v6)
		return world_dns_port(w);
	assert_non_null(at);
	return (unsigned)strtoul(at + strlen("[::1]:"), NULL, 10);
}

static size_t exchange(struct world *w, const struct transport *t, const uint8_t *query, size_t len,
                       uint8_t *reply)
{
	struct world_question where = {.to = t->v6 ? "::1" : "127.0.0.1",
	                               .port = port_of(w, t->v6)};
	uint8_t framed[8192];
	size_t got = 0;
	int fd;

	if (!t->tcp) {
		for (int i = 0; i < 3 && got == 0; i++)
			got = world_wire_udp(w, &where, query, len, reply, REPLY_MS);
		return got;
	}
	fd = world_wire_connect_to(w, &where);
	world_wire_send(w, fd, framed, world_wire_frame(query, len, framed));
	got = world_wire_receive(w, fd, reply, REPLY_MS);
	close(fd);
	return got;
}

/* What every answer keeps to, whatever was asked. */
static struct reply ask(struct world *w, const struct transport *t, const uint8_t *query,
                        size_t len)
{
	uint8_t *packet = malloc(WIRE_ROOM);
	size_t got = exchange(w, t, query, len, packet);
	unsigned asked = bytes_get16(query + 2);
	struct reply r;

	assert_true(got >= HEADER_LEN);
	assert_memory_equal(packet, query, 2);
	r = read_reply(packet, got);
	assert_true(r.is_whole);
	assert_int_equal(r.flags & (QR | OPCODE), QR | (asked & OPCODE));
	/* RA, Z, AD and CD are clear, TC too unless it is cut; RD is as it was, but to an unknown opcode. */
	assert_int_equal(r.flags & 0x00f0, 0);
	assert_int_equal(r.flags & RD, (asked & OPCODE) != 0 ? 0 : asked & RD);
	assert_true(r.opt_count <= 1);
	assert_int_equal(r.version, 0);
	assert_int_equal(r.edns_flags & ~(unsigned)DO, 0);
	free(packet);
	return r;
}

/* --- the probes --- */

struct probe {
	const char *label, *message;
	unsigned rcode;
	bool has_soa, has_opt;
	const char *options; /* codes in the answer; NULL: none */
};

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
	{"ednspadding", EDNS("0000", "00000000", "0006", "000c 0002 0000"), SAYS, true, NULL},
	{"ednsede", EDNS("0000", "00000000", "0006", "000f 0002 0000"), SAYS, true, NULL},
	{"bind11", EDNS("0000", "00008000", "000c", COOKIE), SAYS, true, "10"},
	{"dig11", EDNS("0120", "00000000", "000c", COOKIE), SAYS, true, "10"},
	/* OPT also on errors */
	{"nxdomain", HEAD("0000", "0001") "X 0001 0001" OPT("00000000", "0004", "0003 0000"),
         NXDOMAIN, false, true, "3"},
	{"refused", HEAD("0000", "0001") "N 0001 0001" OPT("00000000", "0004", "0009 0000"),
         REFUSED, false, true, "15"},
	{"notimp", "1234 2800 0001 0000 0000 0001 Z 0006 0001" OPT("00000000", "0004", "0003 0000"),
         NOTIMP, false, true, "3"},
	{"version255", EDNS("0000", "00ff0000", "0000", ""), BADVERS, false, true, NULL},
	/* What a newer version has in it is not for us to judge. */
	{"edns1cut", EDNS("0000", "00010000", "0002", "ffff"), BADVERS, false, true, NULL},
	{"edns1badcookie", EDNS("0000", "00010000", "0005", "000a 0001 00"), BADVERS, false, true,
         NULL},
	{"edns1badsubnet", EDNS("0000", "00010000", "0004", "0008 0000"), BADVERS, false, true,
         NULL},
};

static bool says_do(const char *message)
{
	const char *opt = strstr(message, "0029 ");

	return strncmp(opt + strlen("0029 04d0"), "00008000", 8) == 0;
}

static void expect(struct world *w, const struct transport *t, const struct probe *p)
{
	uint8_t query[2048];
	struct reply r = ask(w, t, query, build(p->message, query));
	const char *options = p->options ? p->options : "";

	if (r.rcode != p->rcode || r.has_soa != p->has_soa || r.has_opt != p->has_opt ||
	    strcmp(r.options, options) != 0)
		world_fail(w,
		           "%s over %s: rcode %u (%u expected), SOA %d (%d), OPT %d (%d), options "
		           "'%s' ('%s')",
		           p->label, t->label, r.rcode, p->rcode, r.has_soa, p->has_soa, r.has_opt,
		           p->has_opt, r.options, options);
	if (p->rcode == NOERROR)
		assert_int_equal(r.flags & (AA | TC), AA);
	if (p->rcode == NOTIMP)
		assert_int_equal(r.counts[0] + r.counts[1] + r.counts[2], 0);
	/* RFC 3225 3 */
	if (r.has_opt && p->rcode == NOERROR)
		assert_int_equal(r.edns_flags & DO, says_do(p->message) ? DO : 0);
}

static void start(struct world *w)
{
	world_config(w, CONFIG);
	world_folder(w, "manifests/host");
	world_start(w);
}

static void test_every_probe_of_genreport_passes_on_every_transport(void **state)
{
	struct world *w = *state;

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
			expect(w, t, &probes[i]);
}

static void test_every_type_of_data_is_no_error(void **state)
{
	struct world *w = *state;
	char message[64];

	start(w);
	for (EACH_TRANSPORT(t))
		for (unsigned type = 1; type <= 110; type++) {
			struct probe p = {"type", message, NOERROR, type == TYPE_SOA, false, NULL};

			if (type == TYPE_OPT)
				continue;
			snprintf(message, sizeof message, "%sZ %04x 0001", HEAD("0000", "0000"),
			         type == 110 ? 1000 : type);
			expect(w, t, &p);
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
		size_t len = build(HEAD("0000", "0001") ASK_SOA TSIG, query), got;
		struct reply r = ask(w, t, query, len);

		assert_int_equal(r.rcode, NOTAUTH);
		assert_int_equal(r.tsig_error, 17);
		assert_int_equal(r.counts[1] + r.counts[2], 0);
		got = exchange(w, t, query, len, packet);
		assert_int_equal(got, HEADER_LEN + 17 + LEN);
		assert_memory_equal(packet + got - LEN, said, sizeof said);
		assert_memory_equal(packet + got - sizeof said_then, said_then, sizeof said_then);
		free(packet);
		r = ask(w, t, query,
		        build(HEAD("0000", "0002") ASK_SOA OPT("00000000", "000c", COOKIE) TSIG,
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
			expect(w, t, &faults[i]);
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
			struct reply r = ask(w, t, query, build(p.message, query));

			/* Without a question nothing is authoritative. */
			if (r.counts[0] > 0)
				expect(w, t, &p);
			assert_int_equal(r.rcode, p.rcode);
			assert_string_equal(r.options, p.options);
		}
}

/* An OPT of `count` times this option. */
static size_t build_many(const char *option, unsigned count, uint8_t *query)
{
	size_t len = build(EDNS("0000", "00000000", "0000", ""), query), before = len;

	while (count-- > 0)
		len += build(option, query + len);
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
		struct reply r = ask(w, t, query, build_many("0064 0000", 200, query));

		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, "");
		r = ask(w, t, query, build_many("0003 0000 0009 0000 000b 0000", 60, query));
		assert_int_equal(r.rcode, NOERROR);
		assert_string_equal(r.options, t->tcp ? "3 9 11" : "3 9");
		r = ask(w, t, query, build_many(COOKIE, 100, query));
		assert_string_equal(r.options, "10");
		len = build_many("0064 03e8", 1, query);
		memset(query + len, 0xff, 1000);
		bytes_put16(query + len - 4 - 2, 4 + 1000);
		r = ask(w, t, query, len + 1000);
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
			struct reply r;

			bytes_put16(query + HEADER_LEN + 13 + 4 + 3, (uint16_t)sizes[i]);
			r = ask(w, t, query, len);
			assert_int_equal(r.rcode, NOERROR);
			assert_true(t->tcp || r.len <= (sizes[i] > 512 ? sizes[i] : 512));
			assert_string_equal(r.options, t->tcp ? "8 10 3 9 11" : "8 10 3 9");
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_every_probe_of_genreport_passes_on_every_transport),
		world_test(test_every_type_of_data_is_no_error),
		world_test(test_a_well_known_key_is_not_known_here),
		world_test(test_a_malformed_opt_is_formerr_on_every_transport),
		world_test(test_odd_options_are_answered_on_every_transport),
		world_test(test_many_options_and_long_ones_are_answered),
		world_test(test_answers_keep_to_the_announced_size_with_every_option),
	};

	return cmocka_run_group_tests_name("scenario/edns_probes", tests, NULL, NULL);
}
