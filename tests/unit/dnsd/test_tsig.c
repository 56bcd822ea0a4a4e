/* test_tsig.c -- signatures of messages, checked against ldns, which has its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "dnsd/tsig.h"

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="
#define KEYS                                                                                       \
	"// of the secondaries\n"                                                                  \
	"key \"Transfer.Example.\" {\n"                                                            \
	"\talgorithm hmac-sha256; # as BIND says\n"                                                \
	"\tsecret \"" SECRET "\";\n"                                                               \
	"};\n"                                                                                     \
	"/* longer\n   ones */\n"                                                                  \
	"key k384 { secret \"" SECRET "\"; algorithm HMAC-SHA384; };\n"                            \
	"key k512 { algorithm hmac-sha512; secret " SECRET "; };\n"

enum { ROOM = 4096 };

static const struct tsig_keys *must_parse(const char *text)
{
	const struct tsig_keys *keys;
	struct reason why = {0};

	if (tsig_keys_parse("keys", bytes_of(text), &keys, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return keys;
}

/* --- a query, signed by ldns --- */

struct query {
	uint8_t *wire;
	size_t len, at; /* of the TSIG record */
	ldns_rdf *mac;
};

static struct query ask(const char *key, const char *algorithm, const char *secret)
{
	ldns_pkt *pkt = ldns_pkt_query_new(ldns_dname_new_frm_str("example.com."), LDNS_RR_TYPE_SOA,
	                                   LDNS_RR_CLASS_IN, 0);
	struct query q = {0};
	uint8_t *bare;
	ldns_rr *tsig;

	ldns_pkt_set_id(pkt, 4711);
	assert_int_equal(ldns_pkt2wire(&bare, pkt, &q.at), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_tsig_sign(pkt, key, secret, 300, algorithm, NULL),
	                 LDNS_STATUS_OK);
	tsig = ldns_pkt_tsig(pkt);
	q.mac = ldns_rdf_clone(ldns_rr_rdf(tsig, 3));
	assert_int_equal(ldns_pkt2wire(&q.wire, pkt, &q.len), LDNS_STATUS_OK);
	free(bare);
	ldns_pkt_free(pkt);
	return q;
}

static void forget(struct query *q)
{
	free(q->wire);
	ldns_rdf_deep_free(q->mac);
}

static uint64_t now(void) { return (uint64_t)time(NULL); }

static enum tsig_error check_at(const struct query *q, uint64_t now_s, struct tsig *t)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	enum tsig_error error = tsig_verify(keys, q->wire, q->len, q->at, now_s, t);

	assert_int_equal(error, t->error);
	t->key = NULL; /* goes with the keys */
	tsig_keys_unref(keys);
	return error;
}

/* --- requests --- */

/* Not HMAC-SHA384, of which ldns 1.8.3 knows only a misspelt name: dig has it, in tests/scenario. */
static void test_a_request_that_ldns_signs_is_good(void **state)
{
	struct query shorter = ask("transfer.example.", "hmac-sha256.", SECRET);
	struct query longer = ask("K512.", "hmac-sha512.", SECRET);
	struct tsig t;

	(void)state;
	assert_int_equal(check_at(&shorter, now(), &t), TSIG_GOOD);
	assert_int_equal(check_at(&longer, now(), &t), TSIG_GOOD);
	forget(&shorter);
	forget(&longer);
}

static void test_a_key_that_is_not_there_or_of_another_algorithm_is_badkey(void **state)
{
	struct query other = ask("other.example.", "hmac-sha256.", SECRET);
	struct query wrong = ask("transfer.example.", "hmac-sha512.", SECRET);
	struct query weak = ask("transfer.example.", "hmac-sha1.", SECRET);
	struct tsig t;

	(void)state;
	assert_int_equal(check_at(&other, now(), &t), TSIG_BADKEY);
	assert_int_equal(check_at(&wrong, now(), &t), TSIG_BADKEY);
	assert_int_equal(check_at(&weak, now(), &t), TSIG_BADKEY);
	assert_int_equal(tsig_verify(NULL, other.wire, other.len, other.at, now(), &t),
	                 TSIG_BADKEY);
	forget(&other);
	forget(&wrong);
	forget(&weak);
}

static void test_another_secret_is_badsig(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", "YW5vdGhlciBzZWNyZXQ=");
	struct tsig t;

	(void)state;
	assert_int_equal(check_at(&q, now(), &t), TSIG_BADSIG);
	forget(&q);
}

/* Each octet but those of the record that say how long its parts are. */
static void test_no_octet_of_a_signed_message_can_be_changed(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", SECRET);
	struct tsig t;

	(void)state;
	for (size_t i = 2; i < q.len; i++) {
		q.wire[i] ^= 0x01;
		/* Names are compared without case, but 0x01 changes no case. */
		assert_int_not_equal(check_at(&q, now(), &t), TSIG_GOOD);
		q.wire[i] ^= 0x01;
	}
	/* The ID may be another on the way (RFC 8945 5.1: the original one is signed). */
	q.wire[0] ^= 0x01;
	assert_int_equal(check_at(&q, now(), &t), TSIG_GOOD);
	forget(&q);
}

static void test_a_clock_may_differ_by_the_fudge_and_no_more(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", SECRET);
	struct tsig t;
	uint64_t signed_at;

	(void)state;
	assert_int_equal(check_at(&q, now(), &t), TSIG_GOOD);
	signed_at = t.time;
	assert_int_equal(check_at(&q, signed_at + 300, &t), TSIG_GOOD);
	assert_int_equal(check_at(&q, signed_at - 300, &t), TSIG_GOOD);
	assert_int_equal(check_at(&q, signed_at + 301, &t), TSIG_BADTIME);
	assert_int_equal(check_at(&q, signed_at - 301, &t), TSIG_BADTIME);
	assert_int_equal(check_at(&q, 0, &t), TSIG_BADTIME);
	forget(&q);
}

/* A MAC of so many octets: the record is written anew. */
static struct query shorten(const struct query *from, size_t mac_len)
{
	enum { BEFORE_MAC = 18 + 10 + 13 + 6 + 2, MAC = 32 };
	struct query q = *from;
	size_t mac_at = q.at + BEFORE_MAC, rest = q.len - mac_at - 2 - MAC;
	size_t rdata_len = 13 + 6 + 2 + 2 + mac_len + 6;

	q.wire = calloc(1, ROOM);
	memcpy(q.wire, from->wire, mac_at + 2 + (mac_len < MAC ? mac_len : MAC));
	q.wire[mac_at] = (uint8_t)(mac_len >> 8);
	q.wire[mac_at + 1] = (uint8_t)mac_len;
	memcpy(q.wire + mac_at + 2 + mac_len, from->wire + mac_at + 2 + MAC, rest);
	q.len = mac_at + 2 + mac_len + rest;
	q.wire[q.at + 18 + 8] = (uint8_t)(rdata_len >> 8);
	q.wire[q.at + 18 + 9] = (uint8_t)rdata_len;
	return q;
}

static void test_a_truncated_mac_is_not_taken(void **state)
{
	struct query whole = ask("transfer.example.", "hmac-sha256.", SECRET);
	struct tsig t;

	(void)state;
	for (size_t len = 0; len <= 40; len++) {
		struct query q = shorten(&whole, len);

		assert_int_equal(check_at(&q, now(), &t), len == 32  ? TSIG_GOOD
		                                          : len < 16 ? TSIG_MALFORMED
		                                          : len < 32 ? TSIG_BADTRUNC
		                                                     : TSIG_MALFORMED);
		free(q.wire);
	}
	forget(&whole);
}

static void test_a_record_that_is_cut_or_has_more_behind_it_is_malformed(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", SECRET);
	struct tsig t;

	(void)state;
	for (size_t len = q.at + 1; len < q.len; len++) {
		struct query cut = {.wire = malloc(len), .len = len, .at = q.at};

		memcpy(cut.wire, q.wire, len);
		assert_int_equal(check_at(&cut, now(), &t), TSIG_MALFORMED);
		free(cut.wire);
	}
	q.wire = realloc(q.wire, q.len + 1);
	q.wire[q.len++] = 0;
	assert_int_equal(check_at(&q, now(), &t), TSIG_MALFORMED);
	forget(&q);
}

/* --- answers --- */

static size_t answer(const struct query *q, uint8_t out[ROOM])
{
	ldns_pkt *pkt;
	uint8_t *wire;
	size_t len;

	assert_int_equal(ldns_wire2pkt(&pkt, q->wire, q->len), LDNS_STATUS_OK);
	ldns_pkt_set_qr(pkt, true);
	ldns_rr_free(ldns_pkt_tsig(pkt));
	ldns_pkt_set_tsig(pkt, NULL);
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	memcpy(out, wire, len);
	free(wire);
	ldns_pkt_free(pkt);
	return len;
}

static bool ldns_believes(const uint8_t *wire, size_t len, const ldns_rdf *mac, bool is_later)
{
	ldns_pkt *pkt;
	bool good;

	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
	good = ldns_pkt_tsig_verify_next(pkt, wire, len, "transfer.example.", SECRET, mac,
	                                 is_later);
	ldns_pkt_free(pkt);
	return good;
}

static void test_ldns_believes_each_message_of_an_answer(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", SECRET);
	const struct tsig_keys *keys = must_parse(KEYS);
	ldns_rdf *mac = ldns_rdf_clone(q.mac);
	struct tsig t;

	(void)state;
	assert_int_equal(tsig_verify(keys, q.wire, q.len, q.at, now(), &t), TSIG_GOOD);
	for (int i = 0; i < 3; i++) {
		uint8_t wire[ROOM];
		size_t bare = answer(&q, wire), len = tsig_sign(&t, wire, bare, now());
		ldns_pkt *pkt;

		assert_int_equal(len, bare + tsig_room(&t));
		assert_true(ldns_believes(wire, len, mac, i > 0));
		assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
		ldns_rdf_deep_free(mac);
		mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(pkt), 3));
		ldns_pkt_free(pkt);
		wire[2] ^= 0x04;
		assert_false(ldns_believes(wire, len, mac, i > 0));
	}
	ldns_rdf_deep_free(mac);
	tsig_keys_unref(keys);
	forget(&q);
}

static ldns_pkt *refuse(const struct query *q, uint64_t now_s, enum tsig_error error)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	uint8_t wire[ROOM];
	size_t bare = answer(q, wire), len;
	struct tsig t;
	ldns_pkt *pkt;

	assert_int_equal(tsig_verify(keys, q->wire, q->len, q->at, now_s, &t), error);
	len = tsig_sign(&t, wire, bare, now_s);
	assert_int_equal(len, bare + tsig_room(&t));
	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_rdf2native_int16(ldns_rr_rdf(ldns_pkt_tsig(pkt), 5)), error);
	if (error == TSIG_BADTIME)
		assert_true(ldns_believes(wire, len, q->mac, false));
	tsig_keys_unref(keys);
	return pkt;
}

/* RFC 8945 5.2.1, 5.2.2: nothing is signed for who has not shown that he knows the key. */
static void test_badkey_and_badsig_are_not_signed(void **state)
{
	struct query other = ask("other.example.", "hmac-sha256.", SECRET);
	struct query wrong = ask("transfer.example.", "hmac-sha256.", "YW5vdGhlciBzZWNyZXQ=");
	ldns_pkt *badkey = refuse(&other, now(), TSIG_BADKEY);
	ldns_pkt *badsig = refuse(&wrong, now(), TSIG_BADSIG);

	(void)state;
	assert_int_equal(ldns_rdf_size(ldns_rr_rdf(ldns_pkt_tsig(badkey), 3)), 2);
	assert_int_equal(ldns_rdf_size(ldns_rr_rdf(ldns_pkt_tsig(badsig), 3)), 2);
	ldns_pkt_free(badkey);
	ldns_pkt_free(badsig);
	forget(&other);
	forget(&wrong);
}

/* RFC 8945 5.2.3: with the client's time, and ours beside it. */
static void test_badtime_is_signed_and_tells_both_times(void **state)
{
	struct query q = ask("transfer.example.", "hmac-sha256.", SECRET);
	ldns_pkt *pkt = refuse(&q, now() + 1000, TSIG_BADTIME);
	ldns_rdf *other = ldns_rr_rdf(ldns_pkt_tsig(pkt), 6);

	(void)state;
	assert_int_equal(ldns_rdf_size(other), 2 + 6);
	ldns_pkt_free(pkt);
	forget(&q);
}

/* --- keys --- */

/* --- requests of ours --- */

static const uint8_t transfer_example[] = "\10transfer\7example";

/* Signed by us; *mac: what ldns has of it. */
static size_t request(const struct tsig_keys *keys, uint8_t out[ROOM], struct tsig *t)
{
	static const char bare[] = "\x12\x67\x24\0\0\1\0\0\0\0\0\0\7example\3com\0\0\6\0\1";

	memcpy(out, bare, sizeof(bare) - 1);
	tsig_begin(t, tsig_keys_find(keys, transfer_example), 0x1267);
	return tsig_sign(t, out, sizeof(bare) - 1, now());
}

/* To the request with that MAC, signed by ldns with the secret. */
static size_t ldns_answers(const uint8_t *wire, size_t len, const char *secret, uint8_t out[ROOM])
{
	ldns_pkt *pkt;
	ldns_rdf *mac;
	uint8_t *answer;

	assert_int_equal(ldns_wire2pkt(&pkt, wire, len), LDNS_STATUS_OK);
	mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(pkt), 3));
	ldns_rr_free(ldns_pkt_tsig(pkt));
	ldns_pkt_set_tsig(pkt, NULL);
	ldns_pkt_set_qr(pkt, true);
	assert_int_equal(
		ldns_pkt_tsig_sign(pkt, "transfer.example.", secret, 300, "hmac-sha256.", mac),
		LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt2wire(&answer, pkt, &len), LDNS_STATUS_OK);
	memcpy(out, answer, len);
	free(answer);
	ldns_rdf_deep_free(mac);
	ldns_pkt_free(pkt);
	return len;
}

static void test_ldns_believes_a_request_of_ours(void **state)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	uint8_t wire[ROOM];
	struct tsig t;
	size_t len = request(keys, wire, &t);

	(void)state;
	assert_true(ldns_believes(wire, len, NULL, false));
	assert_int_equal(tsig_verify(keys, wire, len, tsig_find(wire, len), now(), &t), TSIG_GOOD);
	tsig_keys_unref(keys);
}

static void test_an_answer_is_believed_of_who_has_the_key_and_no_other(void **state)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	uint8_t wire[ROOM], answer_wire[ROOM], later[ROOM];
	struct tsig t, other;
	size_t len = request(keys, wire, &t), answer_len;

	(void)state;
	answer_len = ldns_answers(wire, len, SECRET, answer_wire);
	assert_true(tsig_believes(&t, answer_wire, answer_len, now()));
	assert_false(tsig_believes(&t, answer_wire, answer_len, now() + 400));
	/* To another request of the same second. */
	memcpy(later, wire, sizeof(later));
	tsig_begin(&other, t.key, 0x1268);
	bytes_put16(later, 0x1268);
	bytes_put16(later + 10, 0);
	(void)tsig_sign(&other, later, tsig_find(wire, len), now());
	assert_false(tsig_believes(&other, answer_wire, answer_len, now()));
	/* Not signed: the request sent back. */
	assert_false(tsig_believes(&t, wire, tsig_find(wire, len), now()));
	answer_len = ldns_answers(wire, len, "YW5vdGhlcg==", answer_wire);
	assert_false(tsig_believes(&t, answer_wire, answer_len, now()));
	tsig_keys_unref(keys);
}

static void test_no_octet_of_an_answer_can_be_changed_or_left_out(void **state)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	uint8_t wire[ROOM], answer_wire[ROOM];
	struct tsig t;
	size_t len = ldns_answers(wire, request(keys, wire, &t), SECRET, answer_wire);

	(void)state;
	/* The ID alone is not in the MAC: the original one is. */
	for (size_t i = 2; i < len; i++) {
		answer_wire[i] ^= 1;
		assert_false(tsig_believes(&t, answer_wire, len, now()));
		answer_wire[i] ^= 1;
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *cut = memcpy(malloc(i + 1), answer_wire, i);

		assert_false(tsig_believes(&t, cut, i, now()));
		free(cut);
	}
	assert_true(tsig_believes(&t, answer_wire, len, now()));
	tsig_keys_unref(keys);
}

static void test_keys_are_found_without_case(void **state)
{
	const struct tsig_keys *keys = must_parse(KEYS);
	const struct tsig_key *key =
		tsig_keys_find(keys, (const uint8_t *)"\010TRANSFER\007example");

	(void)state;
	assert_non_null(key);
	assert_memory_equal(tsig_key_name(key), "\010transfer\007example", 18);
	assert_null(tsig_keys_find(keys, (const uint8_t *)"\007example"));
	tsig_keys_unref(keys);
}

static void test_each_error_of_a_key_file_names_its_line(void **state)
{
	static const char *const wrong[][2] = {
		{"zone x {};", "keys:1: expected: key"},
		{"key a { algorithm hmac-md5; secret \"" SECRET "\"; };",
	         "keys:1: the algorithm is none of"},
		{"key a {\nalgorithm hmac-sha256;\nsecret \"no!\";\n};", "keys:3: the secret is"},
		{"key a {\nalgorithm hmac-sha256;\nsecret \"abc=\"\n};", "keys:4: a ; is missing"},
		{"key \".\" { algorithm hmac-sha256; secret \"" SECRET "\"; };",
	         "keys:1: a key may not be named \".\""},
		{"key . { algorithm hmac-sha256; secret \"" SECRET "\"; };",
	         "keys:1: a key may not be named \".\""},
		{"key a { algorithm hmac-sha256; secret \"" SECRET "\";\nsecret \"" SECRET "\"; };",
	         "keys:2: a key has one algorithm and one secret"},
		{"key a { algorithm hmac-sha256;\nalgorithm hmac-sha512; secret \"" SECRET "\"; };",
	         "keys:2: a key has one algorithm and one secret"},
		{"key a { algorithm hmac-sha256; };", "keys:1: a key needs an algorithm and a"},
		{"key a { secret \"" SECRET "\"; };", "keys:1: a key needs an algorithm and a"},
		{"key a { colour red; };", "keys:1: a key has an algorithm and a secret"},
		{"key a..b { algorithm hmac-sha256; };", "keys:1: the name of a key"},
		{"key a", "keys:1: a { is missing"},
		{"key a { algorithm hmac-sha256; secret \"" SECRET "\"; }",
	         "keys:1: a ; is missing"},
		{"\nkey a { algorithm hmac-sha256; secret \"" SECRET "\"; };\n"
	         "key A. { algorithm hmac-sha256; secret \"" SECRET "\"; };",
	         "keys:3: a key of this name is there already"},
		{"/* never ended", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct tsig_keys *keys;
		struct reason why = {0};
		enum err err = tsig_keys_parse("keys", bytes_of(wrong[i][0]), &keys, &why);

		if (wrong[i][1] && !strstr(why.text, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], why.text);
		assert_int_equal(err == ERR_OK, !wrong[i][1]);
		assert_null(strstr(why.text, SECRET));
		tsig_keys_unref(keys);
	}
}

static void test_a_file_that_everybody_may_read_is_refused(void **state)
{
	char path[] = "/tmp/nigh-tsig-XXXXXX";
	int fd = mkstemp(path);
	const struct tsig_keys *keys;
	struct reason why = {0};

	(void)state;
	assert_int_equal(write(fd, KEYS, strlen(KEYS)), (ssize_t)strlen(KEYS));
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(tsig_keys_read(path, &keys, &why), ERR_DENIED);
	assert_null(keys);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(tsig_keys_read(path, &keys, &why), ERR_OK);
	tsig_keys_unref(keys);
	close(fd);
	unlink(path);
	assert_int_equal(tsig_keys_read(path, &keys, &why), ERR_IO);
	assert_int_equal(tsig_keys_read("/tmp", &keys, &why), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_that_ldns_signs_is_good),
		cmocka_unit_test(test_a_key_that_is_not_there_or_of_another_algorithm_is_badkey),
		cmocka_unit_test(test_another_secret_is_badsig),
		cmocka_unit_test(test_no_octet_of_a_signed_message_can_be_changed),
		cmocka_unit_test(test_a_clock_may_differ_by_the_fudge_and_no_more),
		cmocka_unit_test(test_a_truncated_mac_is_not_taken),
		cmocka_unit_test(test_a_record_that_is_cut_or_has_more_behind_it_is_malformed),
		cmocka_unit_test(test_ldns_believes_each_message_of_an_answer),
		cmocka_unit_test(test_badkey_and_badsig_are_not_signed),
		cmocka_unit_test(test_badtime_is_signed_and_tells_both_times),
		cmocka_unit_test(test_ldns_believes_a_request_of_ours),
		cmocka_unit_test(test_an_answer_is_believed_of_who_has_the_key_and_no_other),
		cmocka_unit_test(test_no_octet_of_an_answer_can_be_changed_or_left_out),
		cmocka_unit_test(test_keys_are_found_without_case),
		cmocka_unit_test(test_each_error_of_a_key_file_names_its_line),
		cmocka_unit_test(test_a_file_that_everybody_may_read_is_refused),
	};

	return cmocka_run_group_tests_name("dnsd/tsig", tests, NULL, NULL);
}
