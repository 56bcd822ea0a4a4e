/* Messages of every size: whole RRsets, TC when something needed is missing, always readable. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dnsd/encode.h"
#include "tests/support/dnsd_world.h"

static struct world *w;
static const struct snapshot *s;

static int setup(void **state)
{
	char line[80];

	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_cluster(w, "at", 0, 0);
	world_cluster(w, "be", 0, 0);
	world_put(w, "small.example.com", "300 A 192.0.2.1", NULL);
	world_put(w, "a.example.com", "300 CNAME b.example.com", NULL);
	world_put(w, "b.example.com", "300 CNAME c.example.net.example.com", NULL);
	world_put(w, "c.example.net.example.com", "300 A 192.0.2.1", "300 A 192.0.2.2",
	          "300 AAAA 2001:db8::1", NULL);
	world_put(w, "mail.example.com", "300 MX 10 mx1.example.com", "300 MX 20 mx.example.org",
	          NULL);
	world_put(w, "srv.example.com", "300 SRV 1 2 53 target.example.com", NULL);
	world_put(w, "tree.example.com", "300 DNAME other.example.com", NULL);
	world_put_sites(w, "sites.example.com", NULL, "la: 30 A 192.0.2.1", "la: 30 A 192.0.2.2",
	                "ny: 30 A 192.0.2.3", NULL);
	world_put(w, "child.example.com", "500 NS ns1.child.example.com",
	          "500 NS ns2.child.example.com", "500 NS ns3.child.example.com",
	          "500 NS ns4.child.example.com", "500 NS ns5.child.example.com",
	          "500 NS ns6.child.example.com", "500 NS ns7.child.example.com",
	          "500 NS ns8.child.example.com", "500 NS ns9.child.example.com",
	          "500 NS ns10.child.example.com", "500 NS ns.side.example.com", NULL);
	world_put(w, "side.example.com", "500 NS ns.side.example.com", NULL);
	world_put(w, "ns.side.example.com", "400 A 192.0.2.11", NULL);
	for (int i = 1; i <= 10; i++) {
		char name[64], v6[64];

		snprintf(name, sizeof name, "ns%d.child.example.com", i);
		snprintf(line, sizeof line, "400 A 192.0.2.%d", i);
		snprintf(v6, sizeof v6, "400 AAAA 2001:db8::%d", i);
		world_put(w, name, line, v6, NULL);
	}
	for (int i = 1; i <= 50; i++) {
		char name[64], text[400];

		snprintf(name, sizeof name, "t%d.example.com", i);
		snprintf(text, sizeof text, "300 TXT %0*d", 7 * i, i);
		world_put(w, name, text, "300 A 192.0.2.9", NULL);
	}
	s = world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* Encodes into a heap block of exactly `limit` bytes; ldns must read it, and it must end where
 * it says. */
static ldns_pkt *encode(const char *question, const struct asking *how, size_t limit, size_t *len,
                        bool *truncated)
{
	uint8_t packet[512], *out = malloc(limit);
	size_t query_len = world_query(question, how, packet);
	struct query *q = malloc(sizeof *q);
	struct answer *a = malloc(sizeof *a);
	struct addr client = {.family = ADDR_IPV4};
	ldns_pkt *pkt = NULL;

	assert_true(query_parse(packet, query_len, q));
	answer_decide(s, q, &client, a);
	*len = answer_encode(a, q, out, limit);
	*truncated = encode_is_truncated(out);
	assert_true(*len <= limit);
	assert_int_equal(ldns_wire2pkt(&pkt, out, *len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_tc(pkt), *truncated);
	assert_int_equal(ldns_pkt_edns(pkt), how->edns > 0 || how->ecs != NULL);
	assert_int_equal(ldns_pkt_id(pkt), 0x1234);
	assert_int_equal(ldns_pkt_qdcount(pkt), 1);
	free(a);
	free(q);
	free(out);
	return pkt;
}

/* Every RRset of the section is as whole as without a limit, or missing. */
static void assert_whole(ldns_rr_list *part, ldns_rr_list *all, bool truncated)
{
	size_t found = ldns_rr_list_rr_count(part);

	assert_true(found <= ldns_rr_list_rr_count(all));
	for (size_t i = 0; i < found; i++)
		assert_int_equal(ldns_rr_compare(ldns_rr_list_rr(part, i), ldns_rr_list_rr(all, i)),
		                 0);
	if (!truncated)
		assert_int_equal(found, ldns_rr_list_rr_count(all));
	if (found > 0 && found < ldns_rr_list_rr_count(all)) {
		ldns_rr *last = ldns_rr_list_rr(part, found - 1),
			*next = ldns_rr_list_rr(all, found);

		assert_false(ldns_rr_get_type(last) == ldns_rr_get_type(next) &&
		             ldns_dname_compare(ldns_rr_owner(last), ldns_rr_owner(next)) == 0);
	}
}

static void sweep(const char *question, const struct asking *how)
{
	size_t full_len, len;
	bool truncated;
	ldns_pkt *full = encode(question, how, 65535, &full_len, &truncated);

	assert_false(truncated);
	for (size_t limit = ENCODE_MIN_ROOM; limit <= 1500; limit++) {
		ldns_pkt *pkt = encode(question, how, limit, &len, &truncated);

		assert_whole(ldns_pkt_answer(pkt), ldns_pkt_answer(full), truncated);
		assert_whole(ldns_pkt_authority(pkt), ldns_pkt_authority(full), truncated);
		if (full_len <= limit)
			assert_int_equal(len, full_len);
		ldns_pkt_free(pkt);
	}
	ldns_pkt_free(full);
}

static void test_every_size_from_512_to_1500_is_readable_and_whole(void **state)
{
	static const struct asking how[] = {{.edns = 4096}, {.edns = 0}, {.ecs = "2001:db8::/128"}};
	char question[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		for (int t = 1; t <= 50; t += 7) {
			snprintf(question, sizeof question, "t%d.example.com TXT", t);
			sweep(question, &how[i]);
		}
		sweep("a.example.com A", &how[i]);
		sweep("x.child.example.com A", &how[i]);
		sweep("missing.example.com A", &how[i]);
		sweep("mail.example.com MX", &how[i]);
	}
}

static void test_names_are_compressed(void **state)
{
	static const struct asking plain;
	uint8_t out[65535];

	(void)state;
	/* Header, question, pointer and A. */
	assert_int_equal(world_ask_raw(w, "small.example.com A", &plain, out), 12 + 19 + 4 + 16);
	/* CNAME b (2+10+4), CNAME c.example.net with a pointer (2+10+16), two A by pointer. */
	assert_int_equal(world_ask_raw(w, "a.example.com A", &plain, out),
	                 12 + 15 + 4 + 16 + 28 + 2 * 16);
	/* SRV targets are not (RFC 2782). */
	assert_int_equal(world_ask_raw(w, "srv.example.com SRV", &plain, out),
	                 12 + 17 + 4 + 12 + 6 + 20);
}

static void test_a_referral_without_room_for_its_glue_is_truncated(void **state)
{
	static const struct asking small = {.edns = 512}, big = {.edns = 1232};
	size_t len;
	bool truncated;
	ldns_pkt *pkt = encode("x.child.example.com A", &big, 1232, &len, &truncated);

	(void)state;
	assert_false(truncated);
	assert_int_equal(ldns_pkt_arcount(pkt), 21); /* ldns counts OPT apart */
	ldns_pkt_free(pkt);
	/* All but the glue of the neighbour, which nobody needs. */
	pkt = encode("x.child.example.com A", &big, len - 1, &len, &truncated);
	assert_false(truncated);
	assert_int_equal(ldns_pkt_arcount(pkt), 20);
	ldns_pkt_free(pkt);
	pkt = encode("x.child.example.com A", &small, 512, &len, &truncated);
	assert_true(truncated);
	ldns_pkt_free(pkt);
}

static void test_udp_keeps_to_what_the_client_takes_and_to_1232(void **state)
{
	static const unsigned announced[] = {0, 100, 512, 600, 1232, 4096, 65535};
	static const size_t limit[] = {512, 512, 512, 600, 1232, 1232, 1232};

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		uint8_t opt[EDNS_OPT_LEN] = {0, 0, RR_OPT};
		struct query q;

		bytes_put16(opt + 3, (uint16_t)announced[i]);
		edns_clear(&q.edns);
		if (announced[i] > 0)
			assert_true(edns_parse((struct bytes){opt, sizeof opt}, &q.edns));
		assert_int_equal(encode_udp_limit(&q), limit[i]);
	}
}

static void test_what_is_cut_over_udp_is_whole_over_tcp(void **state)
{
	static const struct asking udp = {.edns = 512}, tcp = {.edns = 512, .tcp = true};

	(void)state;
	assert_non_null(strstr(world_ask(w, "x.child.example.com A", &udp), "NOERROR tc"));
	assert_null(strstr(world_ask(w, "x.child.example.com A", &tcp), " tc"));
}

static void flags_of(const char *header, uint8_t out[4])
{
	uint8_t packet[64] = {0}, answer[512];
	struct query *q = malloc(sizeof *q);
	struct answer *a = malloc(sizeof *a);
	struct addr client = {.family = ADDR_IPV4};

	memcpy(packet, header, 12);
	memcpy(packet + 12, "\5small\7example\3com\0\0\1\0\1", 23);
	assert_true(query_parse(packet, packet[5] > 0 ? 35 : 12, q));
	answer_decide(s, q, &client, a);
	assert_true(answer_encode(a, q, answer, sizeof answer) >= 12);
	memcpy(out, answer + 2, 4);
	free(q);
	free(a);
}

static void test_flags_are_copied_or_clear(void **state)
{
	uint8_t flags[4];

	(void)state;
	flags_of("\0\1\1\0\0\1\0\0\0\0\0\0", flags); /* RD */
	assert_memory_equal(flags, "\x85\0\0\1", 4);
	flags_of("\0\1\6\xf0\0\1\0\0\0\0\0\0", flags); /* AA TC RA Z AD CD */
	assert_memory_equal(flags, "\x84\0\0\1", 4);
	flags_of("\0\1\x7f\xf0\0\0\0\0\0\0\0\0", flags); /* opcode 15, every flag */
	assert_memory_equal(flags, "\xf8\4\0\0", 4);
	flags_of("\0\1\1\0\0\0\0\0\0\0\0\0", flags); /* no question */
	assert_memory_equal(flags, "\x81\1\0\0", 4);
}

/* "CLUSTER: TTL TXT ..." of about that many bytes, beginning with the cluster's name. */
static const char *long_line(char *out, const char *cluster, unsigned ttl, size_t len)
{
	size_t at = (size_t)sprintf(out, "%s: %u TXT %s", cluster, ttl, cluster);

	for (; len > 200; len -= 200)
		at += (size_t)sprintf(out + at, " %0199d", 0);
	return out;
}

/* Over TCP there is no way to more: what does not fit is left out, and TC is not set. */
static void test_a_union_too_long_for_any_message_has_what_fits(void **state)
{
	static const struct asking edns = {.edns = 1232, .tcp = true}, udp = {.edns = 1232};
	static char line[4][40000];
	struct asking how = edns;
	size_t len;
	bool truncated;
	ldns_pkt *pkt;

	(void)state;
	world_settings(w)->all = true;
	world_put_sites(w, "union.example.com", NULL, long_line(line[0], "at", 40, 30000),
	                long_line(line[1], "be", 40, 30000), long_line(line[2], "la", 20, 30000),
	                long_line(line[3], "ny", 30, 100), NULL);
	world_put(w, "to.union.example.com", "300 CNAME union.example.com", NULL);
	s = world_build(w);
	for (unsigned i = 0; i < 4; i++) {
		how.edns = i % 2 ? 1232 : 0;
		pkt = encode(i < 2 ? "union.example.com TXT" : "to.union.example.com TXT", &how,
		             65535, &len, &truncated);
		assert_false(truncated);
		/* The second big one as well, the third not, the small one again. */
		assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_answer(pkt)), i < 2 ? 3 : 4);
		assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(pkt), i < 2 ? 0 : 1)),
		                 30);
		assert_in_range(len, 59000, 65535);
		ldns_pkt_free(pkt);
	}
	ldns_pkt_free(encode("union.example.com TXT", &udp, 1232, &len, &truncated));
	assert_true(truncated);
	world_settings(w)->all = false;
	s = world_build(w);
}

/* Ranges that meet, touch and hold each other: what comes from several sites is there once. */
static void test_a_union_has_each_address_once(void **state)
{
	static const struct asking edns = {.edns = 1232};
	size_t len;
	bool truncated;
	ldns_pkt *pkt;

	(void)state;
	world_settings(w)->all = true;
	world_put_sites(w, "once.example.com", NULL, "at: 30 A 192.0.2.2", "at: 30 A 192.0.2.4",
	                "at: 30 A 192.0.2.6", "at: 30 A 192.0.2.8", "be: 30 A 192.0.2.1",
	                "be: 30 A 192.0.2.2", "be: 30 A 192.0.2.3", "la: 30 A 192.0.2.4",
	                "la: 30 A 192.0.2.5", "la: 30 A 192.0.2.6", "ny: 30 A 192.0.2.8",
	                "ny: 30 A 192.0.2.9", "at: 30 AAAA 2001:db8::1", "be: 30 AAAA 2001:db8::1",
	                "at: 30 TXT one", "be: 30 TXT one", "be: 30 TXT another", NULL);
	s = world_build(w);
	pkt = encode("once.example.com A", &edns, 1232, &len, &truncated);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_answer(pkt)), 8);
	ldns_pkt_free(pkt);
	pkt = encode("once.example.com AAAA", &edns, 1232, &len, &truncated);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_answer(pkt)), 1);
	ldns_pkt_free(pkt);
	pkt = encode("once.example.com TXT", &edns, 1232, &len, &truncated);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_answer(pkt)), 2);
	ldns_pkt_free(pkt);
	world_settings(w)->all = false;
	s = world_build(w);
}

static unsigned count_told(const char *question)
{
	static const struct asking edns = {.edns = 1232};
	size_t len;
	bool truncated;
	ldns_pkt *pkt = encode(question, &edns, 1232, &len, &truncated);
	unsigned count = (unsigned)ldns_rr_list_rr_count(ldns_pkt_answer(pkt));

	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), 0);
	ldns_pkt_free(pkt);
	return count;
}

/* One address each is what most have: equal ones are told once, those that only end alike both. */
static void test_sites_of_one_address_each_tell_equal_ones_once(void **state)
{
	(void)state;
	world_settings(w)->all = true;
	world_put_sites(w, "few.example.com", NULL, "at: 30 A 192.0.2.1", "be: 30 A 192.0.2.2",
	                "la: 30 A 192.0.3.1", "at: 30 AAAA 2001:db8:1::1",
	                "be: 30 AAAA 2001:db8:2::1", "la: 30 AAAA 2001:db8:1::2", NULL);
	world_put_sites(w, "same.example.com", NULL, "at: 30 A 192.0.2.1", "be: 30 A 192.0.2.2",
	                "la: 30 A 192.0.2.1", "at: 30 AAAA 2001:db8:1::1",
	                "be: 30 AAAA 2001:db8:1::1", "la: 30 AAAA 2001:db8:1::1", NULL);
	world_put_sites(w, "mixed.example.com", NULL, "at: 30 A 192.0.2.1", "be: 30 A 192.0.2.2",
	                "be: 30 A 192.0.2.3", "la: 30 A 192.0.2.4", NULL);
	s = world_build(w);
	assert_int_equal(count_told("few.example.com A"), 3);
	assert_int_equal(count_told("few.example.com AAAA"), 3);
	assert_int_equal(count_told("same.example.com A"), 2);
	assert_int_equal(count_told("same.example.com AAAA"), 1);
	assert_int_equal(count_told("mixed.example.com A"), 4);
	world_settings(w)->all = false;
	s = world_build(w);
}

/* RFC 8914 3: the answer comes first, then the options that were asked for. */
static void test_an_extended_error_is_dropped_first(void **state)
{
	struct world *mine = world_new();
	struct asking how = {.edns = 512, .options = "0003000000090000000a00080102030405060708"};
	uint8_t *out = malloc(UINT16_MAX);
	unsigned with = 0, without = 0;

	(void)state;
	world_zones_are(mine, "example.com");
	world_cluster(mine, "la", 34.05, -118.24);
	world_terms(mine, "identity: {nsid: here}\n");
	for (int i = 0; i < 60; i++) {
		char name[64], text[600];

		snprintf(name, sizeof name, "t%d.example.com", i);
		snprintf(text, sizeof text, "la: 30 TXT %0200d %0*d", 1, 150 + i, 1);
		world_put_sites(mine, name, NULL, text, NULL);
	}
	world_unseen(mine, "la", true);
	world_build(mine);
	for (int i = 0; i < 60; i++) {
		char question[64];
		const uint8_t *options;
		size_t len;
		bool has_ede;

		snprintf(question, sizeof question, "t%d.example.com TXT", i);
		len = world_ask_raw(mine, question, &how, out);
		assert_in_range(len, 12, 512);
		if ((out[2] & 2) != 0)
			continue;
		assert_int_equal(out[7], 1);
		has_ede = memcmp(out + len - EDNS_EDE_LEN, "\0\17\0\2\0\3", EDNS_EDE_LEN) == 0;
		with += has_ede ? 1 : 0;
		without += has_ede ? 0 : 1;
		/* What was asked for is there in any case: NSID, EXPIRE, and the cookie before them. */
		options = out + len - (has_ede ? EDNS_EDE_LEN : 0) - 28 - 8 - 8;
		assert_memory_equal(options, "\0\12\0\30", 4);
		assert_memory_equal(options + 28, "\0\3\0\4here\0\11\0\4", 12);
		assert_true(has_ede || len + EDNS_EDE_LEN > 512);
	}
	assert_true(with > 0);
	assert_int_equal(without, EDNS_EDE_LEN);
	free(out);
	world_free(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size_from_512_to_1500_is_readable_and_whole),
		cmocka_unit_test(test_names_are_compressed),
		cmocka_unit_test(test_a_referral_without_room_for_its_glue_is_truncated),
		cmocka_unit_test(test_udp_keeps_to_what_the_client_takes_and_to_1232),
		cmocka_unit_test(test_what_is_cut_over_udp_is_whole_over_tcp),
		cmocka_unit_test(test_a_union_too_long_for_any_message_has_what_fits),
		cmocka_unit_test(test_a_union_has_each_address_once),
		cmocka_unit_test(test_sites_of_one_address_each_tell_equal_ones_once),
		cmocka_unit_test(test_flags_are_copied_or_clear),
		cmocka_unit_test(test_an_extended_error_is_dropped_first),
	};

	return cmocka_run_group_tests_name("dnsd/encode", tests, setup, teardown);
}
