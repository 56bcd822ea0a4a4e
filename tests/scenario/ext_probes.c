/* ext_probes.c -- probes of our own beside genreport's: odd names, counts, classes, types and cookies, over UDP, TCP and TLS, IPv4
 * and IPv6. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "dnsd/cookie.h"
#include "tests/support/world.h"
#include "tests/support/world_probe.h"
#include "tests/support/world_wire.h"

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\"]\n"

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

enum { NO_DATA = 0, QUERY_ROOM = 8192 };

static struct transport transports[PROBE_TRANSPORTS];

static void start(struct world *w) { probe_start(w, ZONE "identity: {nsid: here}\n", transports); }

static void expect_all(struct world *w, const struct probe *p, size_t count)
{
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < count; i++)
			probe_expect(w, t, &p[i]);
}

static void expect_alive(struct world *w)
{
	static const struct probe good = {"after all", PLAIN("0000"), NOERROR, true, false, NULL};

	expect_all(w, &good, 1);
}

/* --- one message --- */

#define BAD FORMERR, false, false, NULL

static const struct probe headers[] = {
	{"no octet of a header", "", SILENCE, false, false, NULL},
	{"half a header", "1234 0000 0001", SILENCE, false, false, NULL},
	{"a header but for an octet", "1234 0000 0001 0000 0000 00", SILENCE, false, false, NULL},
	{"an answer", PLAIN("8000"), SILENCE, false, false, NULL},
	{"an answer of another opcode", PLAIN("a000"), SILENCE, false, false, NULL},
	{"a header alone", "1234 0000 0000 0000 0000 0000", BAD},
	{"a question that is not there", "1234 0000 0001 0000 0000 0000", BAD},
	{"a question cut in its type", "1234 0000 0001 0000 0000 0000 Z 00", BAD},
	{"a question cut in its name", "1234 0000 0001 0000 0000 0000 07 657861", BAD},
	{"two questions", "1234 0000 0002 0000 0000 0000" ASK_SOA ASK_SOA, BAD},
	{"two questions, one there", "1234 0000 0002 0000 0000 0000" ASK_SOA, BAD},
	{"65535 questions", "1234 0000 ffff 0000 0000 0000" ASK_SOA, BAD},
	{"an answer that is not there", "1234 0000 0001 0001 0000 0000" ASK_SOA, BAD},
	{"65535 answers", "1234 0000 0001 ffff 0000 0000" ASK_SOA, BAD},
	{"an authority that is not there", "1234 0000 0001 0000 0001 0000" ASK_SOA, BAD},
	{"65535 authorities", "1234 0000 0001 0000 ffff 0000" ASK_SOA, BAD},
	{"more that is not there", HEAD("0000", "0001") ASK_SOA, BAD},
	{"65535 more", HEAD("0000", "ffff") ASK_SOA, BAD},
	{"65535 of everything", "1234 0000 ffff ffff ffff ffff" ASK_SOA, BAD},
	{"65535 more, of which OPT is one",
         HEAD("0000", "ffff") ASK_SOA OPT("00000000", "0000", ""), FORMERR, false, true, NULL},
};

static const struct probe names[] = {
	{"a pointer to itself", HEAD("0000", "0000") "c00c 0001 0001", BAD},
	{"a pointer forward", HEAD("0000", "0000") "c00e 03777777 00 0001 0001", BAD},
	{"a pointer beyond the end", HEAD("0000", "0000") "c0ff 0001 0001", BAD},
	{"a ring of pointers", HEAD("0000", "0000") "c00e c00c 0001 0001", BAD},
	{"a pointer into the header", HEAD("0000", "0000") "c004 0001 0001", BAD},
	{"a pointer behind a label", HEAD("0000", "0000") "03777777 c00c 0001 0001", BAD},
	{"half a pointer", HEAD("0000", "0000") "c0", BAD},
	{"a label of type 0x40", HEAD("0000", "0000") "41 61 00 0001 0001", BAD},
	{"a label of type 0x80", HEAD("0000", "0000") "81 61 00 0001 0001", BAD},
	{"a bit string (RFC 2673)", HEAD("0000", "0000") "41 08 ff 00 0001 0001", BAD},
	{"a NUL in a label", HEAD("0000", "0000") "03 610062 Z 0001 0001", NXDOMAIN, false, false,
         NULL},
	{"0xff in a label", HEAD("0000", "0000") "02 ffff Z 0001 0001", NXDOMAIN, false, false,
         NULL},
	{"a dot in a label", HEAD("0000", "0000") "03 772e77 Z 0001 0001", NXDOMAIN, false, false,
         NULL},
	{"a lone star", HEAD("0000", "0000") "01 2a Z 0001 0001", NXDOMAIN, false, false, NULL},
	{"the root", HEAD("0000", "0000") "00 0002 0001", REFUSED, false, false, NULL},
	{"above our zone", HEAD("0000", "0000") "03636f6d 00 0002 0001", REFUSED, false, false,
         NULL},
	{"elsewhere", HEAD("0000", "0000") "N 0001 0001", REFUSED, false, false, NULL},
	{"elsewhere, recursion desired", HEAD("0100", "0000") "N 0001 0001", REFUSED, false, false,
         NULL},
	{"localhost", HEAD("0000", "0000") "096c6f63616c686f7374 00 0001 0001", REFUSED, false,
         false, NULL},
	{"invalid", HEAD("0000", "0000") "07696e76616c6964 00 0001 0001", REFUSED, false, false,
         NULL},
};

static const struct probe kinds[] = {
	{"class NONE", HEAD("0000", "0000") "Z 0006 00fe", REFUSED, false, false, NULL},
	{"class 0", HEAD("0000", "0000") "Z 0006 0000", REFUSED, false, false, NULL},
	{"class 1000", HEAD("0000", "0000") "Z 0006 03e8", REFUSED, false, false, NULL},
	{"class CH", HEAD("0000", "0000") "Z 0006 0003", REFUSED, false, false, NULL},
	{"class ANY", HEAD("0000", "0000") "Z 0006 00ff", REFUSED, false, false, NULL},
	{"type 0", HEAD("0000", "0000") "Z 0000 0001", NO_DATA, false, false, NULL},
	{"type OPT", HEAD("0000", "0000") "Z 0029 0001", BAD},
	{"type TSIG", HEAD("0000", "0000") "Z 00fa 0001", BAD},
	{"type TKEY", HEAD("0000", "0000") "Z 00f9 0001", BAD},
	{"type MAILB", HEAD("0000", "0000") "Z 00fd 0001", NOTIMP, false, false, NULL},
	{"type MAILA", HEAD("0000", "0000") "Z 00fe 0001", NOTIMP, false, false, NULL},
	{"type 65535", HEAD("0000", "0000") "Z ffff 0001", NO_DATA, false, false, NULL},
	{"AXFR without a right", HEAD("0000", "0000") "Z 00fc 0001", REFUSED, false, false, NULL},
	{"IXFR without a right",
         "1234 0000 0001 0000 0001 0000 Z 00fb 0001"
         "c00c 0006 0001 00000000 0016 00 00 00000001 00000001 00000001 00000001 00000001",
         REFUSED, false, false, NULL},
	{"IXFR without a serial", HEAD("0000", "0000") "Z 00fb 0001", REFUSED, false, false, NULL},
	{"octets behind the message", PLAIN("0000") "00010203040506070809", NOERROR, true, false,
         NULL},
};

static void test_headers_that_lie_are_formerr_or_silence(void **state)
{
	struct world *w = *state;

	start(w);
	expect_all(w, headers, COUNT_OF(headers));
	expect_alive(w);
}

static void test_names_that_are_none_are_formerr_and_odd_ones_are_answered(void **state)
{
	struct world *w = *state;

	start(w);
	expect_all(w, names, COUNT_OF(names));
	expect_alive(w);
}

static void test_classes_and_types_that_nobody_has_are_told_so(void **state)
{
	struct world *w = *state;

	start(w);
	expect_all(w, kinds, COUNT_OF(kinds));
	expect_alive(w);
}

/* One header check below all transports: UPDATE and NOTIFY are refused with their question; DSO and the rest are NOTIMP. */
static void test_no_other_opcode_is_obeyed_on_any_transport(void **state)
{
	enum { NOTIFY = 4, UPDATE = 5 };
	struct world *w = *state;

	start(w);
	for (EACH_TRANSPORT(t))
		for (unsigned opcode = 1; opcode < 16; opcode++) {
			uint8_t query[512];
			size_t len = probe_build(PLAIN("0000"), query);
			bool is_known = opcode == NOTIFY || opcode == UPDATE;
			struct probe_reply r;

			query[2] = (uint8_t)(opcode << 3 | 1);
			r = probe_ask(w, t, query, len);
			assert_int_equal(r.rcode, is_known ? REFUSED : NOTIMP);
			assert_int_equal(r.counts[0], is_known);
			assert_int_equal(r.counts[1] + r.counts[2] + r.counts[3], 0);
		}
	expect_alive(w);
}

/* Labels of `size` octets below example.com, so that the name has `len` octets; with type and class. */
static size_t build_name(size_t len, size_t size, uint8_t *out)
{
	size_t at = probe_build("1234 0000 0001 0000 0000 0000", out), left = len - 13;

	while (left > 0) {
		size_t label = left - 1 < size ? left - 1 : size;

		/* None of a length octet alone. */
		if (left - 1 - label == 1)
			label--;
		out[at++] = (uint8_t)label;
		memset(out + at, 'a', label);
		at += label;
		left -= 1 + label;
	}
	return at + probe_build("Z 0001 0001", out + at);
}

/* 01 61, so many times. */
static size_t build_labels(unsigned count, uint8_t *out)
{
	size_t at = probe_build("1234 0000 0001 0000 0000 0000", out);

	while (count-- > 0)
		at += probe_build("01 61", out + at);
	return at + probe_build("00 0001 0001", out + at);
}

static void test_names_have_255_octets_and_127_labels_at_most(void **state)
{
	static const struct {
		size_t len, label;
		unsigned rcode;
	} cases[] = {{255, 63, NXDOMAIN}, {256, 63, FORMERR}, {300, 63, FORMERR},
	             {253, 1, NXDOMAIN},  {255, 1, NXDOMAIN}, {257, 1, FORMERR}};
	struct world *w = *state;
	uint8_t query[QUERY_ROOM];

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			size_t len = build_name(cases[i].len, cases[i].label, query);

			assert_int_equal(probe_ask(w, t, query, len).rcode, cases[i].rcode);
		}
	for (EACH_TRANSPORT(t)) {
		assert_int_equal(probe_ask(w, t, query, build_labels(127, query)).rcode, REFUSED);
		assert_int_equal(probe_ask(w, t, query, build_labels(128, query)).rcode, FORMERR);
	}
	expect_alive(w);
}

/* The question comes back octet by octet as it was asked, also in errors that have one. */
static void test_the_case_of_a_question_is_echoed_on_every_transport(void **state)
{
	static const char *const asked[] = {
		HEAD("0000", "0000") "03 577757 07 6578416D506C65 03 634F6D 00 0001 0001",
		HEAD("0000", "0000") "04 414253ff 07 6578416D506C65 03 634F6D 00 0001 0001",
		HEAD("0000", "0000") "09 456C7345774865 7265 04 54657374 00 0001 0001"};
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);

	start(w);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(asked); i++) {
			size_t len = probe_build(asked[i], query);
			size_t got = probe_exchange(w, t, NULL, query, len, reply);

			assert_true(got >= len);
			assert_memory_equal(reply + PROBE_HEADER, query + PROBE_HEADER,
			                    len - PROBE_HEADER);
		}
	free(reply);
}

/* --- sizes --- */

/* 16 addresses and a text of a kilobyte: more than the smaller sizes hold. */
static void test_answers_fit_every_announced_size_from_12_to_1500(void **state)
{
	struct world *w = *state;
	struct transport t4;
	char zone[4096], *at = zone;
	uint8_t query[512], *reply = malloc(WIRE_ROOM);

	at += sprintf(at, "%s", ZONE);
	at = strrchr(zone, ']');
	for (int i = 0; i < 50; i++)
		at += sprintf(at, ", \"many 300 IN A 198.18.0.%d\"", i);
	sprintf(at, "]\ndefaults: {maxAddresses: 50}\n");
	probe_start(w, zone, transports);
	t4 = transports[0];
	for (unsigned size = 12; size <= 1500; size++) {
		struct probe_reply r;
		unsigned most = size < 512 ? 512 : size < 1232 ? size : 1232;
		size_t len =
			probe_build("1234 0000 0001 0000 0000 0001 04 6d616e79 Z 0001 0001" OPT(
					    "00000000", "000c", COOKIE),
		                    query);

		bytes_put16(query + len - 12 - 8, (uint16_t)size);
		assert_in_range(len = probe_exchange(w, &t4, NULL, query, len, reply), 12, most);
		assert_true(probe_read(reply, len, &r));
		assert_true(r.has_opt);
		/* All of them or none and TC (RFC 2181 9). */
		assert_int_equal(r.counts[1], (r.flags & TC) != 0 ? 0 : 50);
	}
	free(reply);
}

/* --- what one client is answered is not what another is --- */

/* No answer is kept for another question: all ways to ask, in random order, each time as the first time. */
static const char *const ways[] = {
	PLAIN("0000"),
	PLAIN("0100"),
	EDNS("0000", "00000000", "0000", ""),
	EDNS("0000", "00008000", "0000", ""),
	EDNS("0000", "00000000", "0004", "0003 0000"),
	EDNS("0000", "00000000", "0008", ECS_NONE),
	EDNS("0000", "00000000", "000b", "0008 0007 0001 18 00 c63364"),
	EDNS("0000", "00010000", "0000", ""),
	HEAD("0000", "0000") "W 0001 0001",
	HEAD("0000", "0000") "W 001c 0001",
	HEAD("0000", "0000") "W 0001 0003",
	HEAD("0000", "0001") "W 0001 0001" OPT("00008000", "0000", ""),
	HEAD("0000", "0001") "W 00ff 0001" OPT("00000000", "0000", ""),
	HEAD("0000", "0000") "X 0001 0001",
	HEAD("0000", "0000") "N 0001 0001",
};

static void test_no_way_to_ask_changes_what_another_is_answered(void **state)
{
	enum { WAYS = COUNT_OF(ways) * PROBE_TRANSPORTS, ROUNDS = 1500, ROOM = 1232 };
	struct world *w = *state;
	uint8_t query[512], *reply = malloc(WIRE_ROOM), *first = calloc(WAYS, ROOM);
	size_t first_len[WAYS] = {0};

	start(w);
	srandom(11);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned way = i < WAYS ? i : (unsigned)random() % WAYS;
		size_t len = probe_build(ways[way / PROBE_TRANSPORTS], query);
		size_t got = probe_exchange(w, &transports[way % PROBE_TRANSPORTS], NULL, query,
		                            len, reply);

		assert_in_range(got, 12, ROOM);
		if (first_len[way] == 0) {
			first_len[way] = got;
			memcpy(first + (size_t)way * ROOM, reply, got);
		}
		assert_int_equal(got, first_len[way]);
		assert_memory_equal(reply, first + (size_t)way * ROOM, got);
	}
	free(first);
	free(reply);
}

/* --- cookies --- */

/* A query with a server cookie made of these, as an answer of ours would have had it. */
static size_t build_cookie(const char *secret, const char *address, int64_t age_s, uint8_t *query)
{
	static const uint8_t own[COOKIE_CLIENT_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct cookie_secrets secrets = {.count = 1};
	struct addr client;
	uint8_t bytes[16];
	size_t len = probe_build(EDNS("0000", "00000000", "001c", "000a 0018"), query);

	probe_build(secret, bytes);
	secrets.key[0] = cookie_secret(bytes);
	assert_true(addr_parse(bytes_of(address), &client));
	(void)cookie_answer(&secrets, (struct bytes){own, sizeof own}, &client,
	                    (uint32_t)(time(NULL) - age_s), query + len);
	return len + COOKIE_LEN;
}

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"

static const struct {
	const char *secret, *address;
	int64_t age_s;
	bool is_good;
} cookies[] = {
	{SECRET, NULL, 0, true},
	{SECRET, NULL, 3500, true},
	{SECRET, NULL, -250, true},
	{SECRET, NULL, 3700, false},
	{SECRET, NULL, 86400 * 365, false},
	{SECRET, NULL, -400, false},
	{SECRET, "127.0.0.2", 0, false},
	{SECRET, "::2", 0, false},
	{"445536bcd2513298075a5d379663c962", NULL, 0, false},
};

static void test_a_cookie_is_good_for_its_client_and_its_hour_alone(void **state)
{
	struct world *w = *state;
	uint8_t query[512];

	world_write(w, "cookies", SECRET "\n");
	assert_int_equal(chmod(world_path(w, "cookies"), 0600), 0);
	probe_start(w, ZONE "cookies: {secretFile: cookies}\n", transports);
	for (EACH_TRANSPORT(t))
		for (size_t i = 0; i < COUNT_OF(cookies); i++) {
			double before = world_metric(w, "dnsd_good_cookies_total");
			const char *address = cookies[i].address;
			struct probe_reply r;

			if (address == NULL)
				address = t->v6 ? "::1" : "127.0.0.1";
			r = probe_ask(
				w, t, query,
				build_cookie(cookies[i].secret, address, cookies[i].age_s, query));
			assert_int_equal(r.rcode, NOERROR);
			assert_string_equal(r.options, "10");
			if (world_metric(w, "dnsd_good_cookies_total") - before !=
			    cookies[i].is_good)
				world_fail(w, "cookie %zu over %s is not judged right", i,
				           t->label);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_headers_that_lie_are_formerr_or_silence),
		world_test(test_names_that_are_none_are_formerr_and_odd_ones_are_answered),
		world_test(test_classes_and_types_that_nobody_has_are_told_so),
		world_test(test_no_other_opcode_is_obeyed_on_any_transport),
		world_test(test_names_have_255_octets_and_127_labels_at_most),
		world_test(test_the_case_of_a_question_is_echoed_on_every_transport),
		world_test(test_answers_fit_every_announced_size_from_12_to_1500),
		world_test(test_no_way_to_ask_changes_what_another_is_answered),
		world_test(test_a_cookie_is_good_for_its_client_and_its_hour_alone),
	};

	return cmocka_run_group_tests_name("scenario/ext_probes", tests, NULL, NULL);
}
