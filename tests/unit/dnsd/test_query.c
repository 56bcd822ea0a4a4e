/* Queries, good and bad, against what must be said to each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dnsd/query.h"
#include "zones/rrset.h"

enum { SILENCE = -1 };

/* Packets are built from hexadecimal text; "Q" stands for www.example.com, "O" for an OPT record
 * of size 1232. */
static size_t build(const char *text, uint8_t *out)
{
	static const uint8_t name[] = "\3www\7example\3com"; /* and the string's end as root */
	static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == 'Q') {
			memcpy(out + len, name, sizeof name);
			len += sizeof name;
		} else if (*text == 'O') {
			memcpy(out + len, opt, sizeof opt);
			len += sizeof opt;
		} else if (*text != ' ') {
			char digits[3] = {text[0], text[1], 0};

			out[len++] = (uint8_t)strtoul(digits, NULL, 16);
			text++;
		}
	}
	return len;
}

/* Parsed from a heap block of exactly its size, so that reading past the end is found. */
static bool parse(const char *text, struct query *out)
{
	uint8_t packet[8192], *exact;
	size_t len = build(text, packet);
	bool answer;

	exact = malloc(len > 0 ? len : 1);
	memcpy(exact, packet, len);
	answer = query_parse(exact, len, out);
	free(exact);
	return answer;
}

static void assert_rcode(const char *packet, int rcode)
{
	struct query q;
	int found = parse(packet, &q) ? (int)q.rcode : SILENCE;

	if (found != rcode)
		print_error("packet %s\n", packet);
	assert_int_equal(found, rcode);
}

#define HEADER   "1234 0100 0001 0000 0000 "
#define QUESTION "Q 0001 0001 "

static void test_a_plain_query_is_taken_apart(void **state)
{
	struct query q;

	(void)state;
	assert_true(parse(HEADER "0000" QUESTION, &q));
	assert_int_equal(q.rcode, RCODE_NOERROR);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, RR_A);
	assert_int_equal(q.question_len, 17 + 4);
	assert_int_equal(q.name.labels, 3);
	assert_false(q.edns.present);
}

static void test_capitals_are_looked_up_as_small_letters(void **state)
{
	struct query q;

	(void)state;
	assert_true(parse(HEADER "0000 0157 025a6100 0001 0001", &q));
	assert_memory_equal(q.name.wire, "\1w\2za", 6);
}

static void test_what_is_shorter_than_a_header_or_an_answer_gets_silence(void **state)
{
	(void)state;
	assert_rcode("", SILENCE);
	assert_rcode("1234 0100 0001 0000 0000 00", SILENCE);
	assert_rcode("1234 8100 0001 0000 0000 0000" QUESTION, SILENCE);
	assert_rcode("1234 f100 0000 0000 0000 0000", SILENCE);
}

static void test_other_opcodes_are_not_implemented(void **state)
{
	struct query q;

	(void)state;
	assert_rcode("1234 7800 0000 0000 0000 0000", RCODE_NOTIMP);
	assert_rcode("1234 0800 0001 0000 0000 0000" QUESTION, RCODE_NOTIMP);
	assert_rcode("1234 3000 0000 0000 0000 0000", RCODE_NOTIMP);
	assert_true(parse("1234 7800 0001 0000 0000 0001" QUESTION "O", &q));
	assert_int_equal(q.question_len, 0);
	assert_true(q.edns.present);
}

/* RFC 2136 3.3, RFC 1996 3.10; with as many records as a message holds. */
static void test_update_and_notify_are_refused_with_their_question(void **state)
{
#define RECORD "c00c 0001 0001 00000000 0004 01020304"
	static const char *const refused[] = {
		"1234 2000 0001 0000 0000 0000 Q 0006 0001",
		"1234 2400 0001 0001 0000 0000 Q 0006 0001" RECORD,
		"1234 2800 0001 0000 0000 0000 Q 0006 0001",
		"1234 2800 0001 0001 0005 0001 Q 0006 0001" RECORD RECORD RECORD RECORD RECORD
			RECORD "O",
		/* What they name must open nothing that a query of that kind would. */
		"1234 2800 0001 0000 0000 0000 Q 00fc 0001",
		"1234 2000 0001 0000 0000 0000 Q 0010 0003",
	};
	struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_rcode(refused[i], RCODE_REFUSED);
		assert_true(parse(refused[i], &q));
		assert_int_equal(q.question_len, 17 + 4);
		assert_int_equal(q.type, RR_SOA);
		assert_int_equal(q.class, CLASS_IN);
		assert_int_equal(q.edns.present, i == 3);
	}
	assert_true(parse("1234 2800 0001 0000 0001 0002 Q 0006 0001" RECORD
	                  "O 00 00fa 00ff 00000000 0000",
	                  &q));
	assert_int_not_equal(q.tsig_at, 0);
	/* RFC 2136 3.1.1: one zone. */
	assert_rcode("1234 2800 0000 0000 0000 0000", RCODE_FORMERR);
	assert_rcode("1234 2000 0002 0000 0000 0000" QUESTION QUESTION, RCODE_FORMERR);
	assert_rcode("1234 2800 0001 0000 ffff 0000 Q 0006 0001" RECORD, RCODE_FORMERR);
	assert_rcode("1234 2800 0001 0000 0001 0000 Q 0006 0001", RCODE_FORMERR);
}

static void test_there_is_one_question(void **state)
{
	(void)state;
	assert_rcode("1234 0100 0000 0000 0000 0000", RCODE_FORMERR);
	assert_rcode("1234 0100 0002 0000 0000 0000" QUESTION QUESTION, RCODE_FORMERR);
	assert_rcode("1234 0100 ffff 0000 0000 0000" QUESTION, RCODE_FORMERR);
}

static void assert_format_error(const char *packet, bool has_opt)
{
	struct query q;

	assert_rcode(packet, RCODE_FORMERR);
	assert_true(parse(packet, &q));
	if (q.edns.present != has_opt)
		print_error("packet %s\n", packet);
	assert_int_equal(q.edns.present, has_opt);
}

/* RFC 6891 7: the answer has OPT when the query had one that can be read. */
static void test_a_format_error_in_the_counts_leaves_opt_to_be_found(void **state)
{
	(void)state;
	assert_format_error("1234 0100 0000 0000 0000 0001 O", true);
	assert_format_error("1234 0100 0002 0000 0000 0001" QUESTION QUESTION "O", true);
	assert_format_error("1234 0100 0002 0000 0000 0001" QUESTION "c00c 001c 0001 O", true);
	assert_format_error("1234 0100 0002 0000 0000 0001" QUESTION "O", false);
	assert_format_error("1234 0100 0003 0000 0000 0001" QUESTION QUESTION QUESTION "O", false);
	assert_format_error("1234 0100 0002 0000 0000 0001 Q 0001 00", false);
	assert_format_error("1234 0100 0000 0000 0000 0001 00 0029 04d0", false);
	/* OPT belongs behind the records of the other sections, and is not looked for among them. */
	assert_format_error("1234 0100 0000 0001 0000 0001 00 0001 0001 00000000 0000 O", true);
	assert_format_error("1234 0100 0000 0001 0000 0000 O", false);
	assert_format_error("1234 0100 0000 ffff ffff ffff O", false);
	assert_format_error(
		"1234 0100 0001 0001 0000 0001" QUESTION "c00c 0001 0001 00000000 0000 O", true);
	assert_format_error(
		"1234 0100 0001 0000 0001 0001" QUESTION "c00c 0001 0001 00000000 0000 O", true);
}

static void test_a_malformed_name_is_a_format_error(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000", RCODE_FORMERR);
	assert_rcode(HEADER "0000 0377", RCODE_FORMERR);
	assert_rcode(HEADER "0000 c00c 0001 0001", RCODE_FORMERR); /* to itself */
	assert_rcode(HEADER "0000 c000 0001 0001", RCODE_FORMERR); /* into the header */
	assert_rcode(HEADER "0000 0377 7777 c00c 0001 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 4161 00 0001 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 8161 00 0001 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 Q 0001 00", RCODE_FORMERR);
	assert_rcode(HEADER "0000 Q", RCODE_FORMERR);
}

static void test_a_name_has_at_most_255_octets(void **state)
{
	char longest[2048] = HEADER "0000";
	struct query q;

	(void)state;
	for (int i = 0; i < 127; i++)
		strcat(longest, "0161");
	strcat(longest, "00 0001 0001");
	assert_true(parse(longest, &q));
	assert_int_equal(q.rcode, RCODE_NOERROR);
	assert_int_equal(q.name.labels, 127);
	strcpy(longest, HEADER "0000 02616100");
	for (int i = 0; i < 127; i++)
		strcat(longest, "0161");
	assert_true(parse(longest, &q));
	strcpy(longest, HEADER "0000 026161");
	for (int i = 0; i < 127; i++)
		strcat(longest, "0161");
	strcat(longest, "00 0001 0001");
	assert_rcode(longest, RCODE_FORMERR);
}

static void test_the_root_may_be_asked_for(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000 00 0001 0001", RCODE_NOERROR);
}

static void test_records_where_none_belong_are_refused(void **state)
{
	(void)state;
	assert_rcode("1234 0100 0001 0001 0000 0000" QUESTION, RCODE_FORMERR);
	assert_rcode("1234 0100 0001 0001 0000 0000" QUESTION "O", RCODE_FORMERR);
	assert_rcode("1234 0100 0001 0000 0001 0000" QUESTION "O", RCODE_FORMERR);
	assert_rcode("1234 0100 0001 ffff ffff ffff" QUESTION, RCODE_FORMERR);
	assert_rcode(HEADER "0001" QUESTION, RCODE_FORMERR);
	assert_rcode(HEADER "0001" QUESTION "c00c 0001 0001 00000000 0005 00", RCODE_FORMERR);
	assert_rcode(HEADER "0001" QUESTION "41", RCODE_FORMERR);
}

static void test_a_few_other_additional_records_are_passed_over(void **state)
{
	struct query q;

	(void)state;
	assert_true(parse(HEADER "0002" QUESTION "c00c 0001 0001 00000000 0004 01020304 O", &q));
	assert_int_equal(q.rcode, RCODE_NOERROR);
	assert_true(q.edns.present);
	assert_rcode(
		HEADER
		"0005" QUESTION
		"00 0001 0001 00000000 0000 00 0001 0001 00000000 0000 00 0001 0001 00000000 0000"
		"00 0001 0001 00000000 0000 00 0001 0001 00000000 0000",
		RCODE_FORMERR);
}

static void test_opt_is_one_and_the_roots(void **state)
{
	(void)state;
	assert_rcode(HEADER "0001" QUESTION "O", RCODE_NOERROR);
	assert_rcode(HEADER "0002" QUESTION "OO", RCODE_FORMERR);
	assert_rcode(HEADER "0001" QUESTION "c00c 0029 04d0 00000000 0000", RCODE_FORMERR);
	assert_rcode(HEADER "0001" QUESTION "00 0029 04d0 00000000 0003 000a00", RCODE_FORMERR);
}

static void test_a_newer_edns_is_a_bad_version(void **state)
{
	(void)state;
	assert_rcode(HEADER "0001" QUESTION "00 0029 04d0 00010000 0000", RCODE_BADVERS);
	assert_rcode(HEADER "0001" QUESTION "00 0029 04d0 00ff0000 0002 ffff", RCODE_BADVERS);
}

static void test_other_classes_are_refused(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000 Q 0001 0003", RCODE_REFUSED);
	assert_rcode(HEADER "0000 Q 0001 00ff", RCODE_REFUSED);
	assert_rcode(HEADER "0000 Q 0001 00fe", RCODE_REFUSED);
	assert_rcode(HEADER "0000 Q 0001 0000", RCODE_REFUSED);
	assert_rcode(HEADER "0000 Q 0001 1234", RCODE_REFUSED);
	assert_rcode(HEADER "0000 Q ff00 ffff", RCODE_REFUSED);
}

static void test_types_that_are_no_data_are_told_so(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000 Q 0029 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 Q 00fa 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 Q 00f9 0001", RCODE_FORMERR);
	assert_rcode(HEADER "0000 Q 00fd 0001", RCODE_NOTIMP);
	assert_rcode(HEADER "0000 Q 00fe 0001", RCODE_NOTIMP);
	assert_rcode(HEADER "0000 Q 00ff 0001", RCODE_NOERROR);
	assert_rcode(HEADER "0000 Q 0000 0001",
	             RCODE_NOERROR); /* data that nobody has, as with NSD */
	assert_rcode(HEADER "0000 Q ffff 0001", RCODE_NOERROR);
}

static void test_transfers_are_refused(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000 Q 00fc 0001", RCODE_REFUSED);
	assert_rcode("1234 0000 0001 0000 0001 0000 Q 00fb 0001 c00c 0006 0001 00000000 0016 00 00"
	             "00000001 00000002 00000003 00000004 00000005",
	             RCODE_REFUSED);
	assert_rcode("1234 0000 0001 0000 0001 0000 Q 00fb 0001 c00c 0006 0001 00000000 0016 00",
	             RCODE_FORMERR);
}

/* Where it begins; what it is worth is for tsig.c to say. */
static void test_a_signature_is_found_as_the_last_record(void **state)
{
	static const char *const signed_queries[] = {
		HEADER "0001" QUESTION "00 00fa 00ff 00000000 0000",
		HEADER "0002" QUESTION "O 00 00fa 00ff 00000000 0000"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t packet[512];
		size_t len = build(signed_queries[i], packet);
		struct query q;

		assert_true(query_parse(packet, len, &q));
		assert_int_equal(q.rcode, RCODE_NOERROR);
		assert_int_equal(q.tsig_at, len - 11);
	}
	assert_rcode(HEADER "0002" QUESTION "00 00fa 00ff 00000000 0000 O", RCODE_FORMERR);
}

static void test_octets_behind_the_message_are_ignored(void **state)
{
	(void)state;
	assert_rcode(HEADER "0000" QUESTION "ffffffff", RCODE_NOERROR);
}

static void test_every_cut_of_a_query_is_answered_or_silent_and_read_within_bounds(void **state)
{
	uint8_t packet[512];
	size_t len = build(HEADER "0001" QUESTION
	                          "00 0029 04d0 00000000 000b 0008 0007 0001 18 00 c63364",
	                   packet);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *exact = malloc(cut > 0 ? cut : 1);
		struct query q;
		bool answer;

		memcpy(exact, packet, cut);
		answer = query_parse(exact, cut, &q);
		assert_int_equal(answer, cut >= 12);
		if (cut >= 12)
			assert_int_equal(q.rcode, cut == len ? RCODE_NOERROR : RCODE_FORMERR);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_query_is_taken_apart),
		cmocka_unit_test(test_capitals_are_looked_up_as_small_letters),
		cmocka_unit_test(test_what_is_shorter_than_a_header_or_an_answer_gets_silence),
		cmocka_unit_test(test_other_opcodes_are_not_implemented),
		cmocka_unit_test(test_update_and_notify_are_refused_with_their_question),
		cmocka_unit_test(test_there_is_one_question),
		cmocka_unit_test(test_a_format_error_in_the_counts_leaves_opt_to_be_found),
		cmocka_unit_test(test_a_malformed_name_is_a_format_error),
		cmocka_unit_test(test_a_name_has_at_most_255_octets),
		cmocka_unit_test(test_the_root_may_be_asked_for),
		cmocka_unit_test(test_records_where_none_belong_are_refused),
		cmocka_unit_test(test_a_few_other_additional_records_are_passed_over),
		cmocka_unit_test(test_opt_is_one_and_the_roots),
		cmocka_unit_test(test_a_newer_edns_is_a_bad_version),
		cmocka_unit_test(test_other_classes_are_refused),
		cmocka_unit_test(test_types_that_are_no_data_are_told_so),
		cmocka_unit_test(test_transfers_are_refused),
		cmocka_unit_test(test_a_signature_is_found_as_the_last_record),
		cmocka_unit_test(test_octets_behind_the_message_are_ignored),
		cmocka_unit_test(
			test_every_cut_of_a_query_is_answered_or_silent_and_read_within_bounds),
	};

	return cmocka_run_group_tests_name("dnsd/query", tests, NULL, NULL);
}
