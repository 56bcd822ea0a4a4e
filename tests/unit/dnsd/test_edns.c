/* The OPT record and the client subnet in it, read and written. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dnsd/edns.h"

/* An OPT record with that CLASS, low half of the TTL, and RDATA; what is parsed borrows it until the next call. */
static bool parse_opt(uint16_t class, uint16_t flags, const char *hex, struct edns *out)
{
	static uint8_t *packet;
	size_t len = EDNS_OPT_LEN;

	free(packet);
	packet = calloc(1, len + strlen(hex) / 2);
	packet[2] = RR_OPT;
	bytes_put16(packet + 3, class);
	bytes_put16(packet + 7, flags);
	bytes_put16(packet + 9, (uint16_t)(strlen(hex) / 2));
	for (; *hex != '\0'; hex += 2) {
		char digits[3] = {hex[0], hex[1], 0};

		packet[len++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	edns_clear(out);
	return edns_parse((struct bytes){packet, len}, out);
}

static bool parse(const char *hex, struct edns *out) { return parse_opt(4096, 0, hex, out); }

static bool is_good(const char *hex)
{
	struct edns e;

	return parse(hex, &e);
}

static void test_small_sizes_count_as_512(void **state)
{
	struct edns e;

	(void)state;
	assert_true(parse_opt(0, 0, "", &e));
	assert_int_equal(e.udp_size, 512);
	assert_true(parse_opt(513, 0x8000, "", &e));
	assert_int_equal(e.udp_size, 513);
	assert_true(e.dnssec_ok);
}

static void test_unknown_options_and_flags_are_ignored(void **state)
{
	struct edns e;

	(void)state;
	assert_true(is_good("00640000"));
	assert_true(is_good("0064000401020304fffe0000"));
	assert_true(parse_opt(1232, 0x0080, "", &e));
	assert_false(e.dnssec_ok);
	assert_int_equal(e.version, 0);
}

static void test_cut_options_are_bad(void **state)
{
	(void)state;
	assert_false(is_good("00"));
	assert_false(is_good("006400"));
	assert_false(is_good("00640001"));
	assert_false(is_good("0064000400000000000a"));
	assert_false(is_good("0064ffff00"));
}

static void test_a_subnet_is_read(void **state)
{
	struct edns e;

	(void)state;
	assert_true(parse("0008000700011800c63364", &e));
	assert_true(e.ecs.present);
	assert_int_equal(e.ecs.source, 24);
	assert_int_equal(e.ecs.addr.family, ADDR_IPV4);
	assert_memory_equal(e.ecs.addr.bytes, "\xc6\x33\x64\0", 4);
	assert_true(parse("0008000b0002380020010db8000100", &e));
	assert_int_equal(e.ecs.addr.family, ADDR_IPV6);
	assert_int_equal(e.ecs.source, 56);
}

static void test_a_subnet_of_no_length_is_fine_in_every_family(void **state)
{
	(void)state;
	assert_true(is_good("0008000400010000"));
	assert_true(is_good("0008000400020000"));
	assert_true(is_good("0008000400000000"));
}

static void test_bad_subnets_are_refused(void **state)
{
	(void)state;
	assert_false(is_good("0008000300010000"));           /* cut */
	assert_false(is_good("0008000600011800c633"));       /* too few bytes for /24 */
	assert_false(is_good("0008000800011800c6336400"));   /* too many */
	assert_false(is_good("0008000700011700c63365"));     /* a bit behind /23 */
	assert_false(is_good("0008000700011801c63364"));     /* scope in a query */
	assert_false(is_good("0008000900012100c633640100")); /* /33 */
	assert_false(is_good("0008000500000800c6"));         /* no family, but a length */
	assert_false(is_good("0008000500030800c6"));         /* unknown family */
	assert_false(is_good("0008000400030000"));
	assert_false(is_good("00080015000281002001000000000000000000000000000000"));
	assert_false(is_good("0008000700011800c633640008000700011800c63364")); /* twice */
}

static void test_a_good_subnet_before_a_fault_is_forgotten(void **state)
{
	struct edns e;

	(void)state;
	assert_false(parse("0008000700011800c633640008000700011800c63364", &e));
	assert_false(e.ecs.present);
	assert_false(parse("0008000700011800c63364006400", &e));
	assert_false(e.ecs.present);
}

static void test_an_answers_opt_repeats_the_subnet_and_adds_the_scope(void **state)
{
	struct edns e;
	uint8_t out[64];
	static const uint8_t wanted[] = {0, 0, 41, 4, 208, 1, 0,  0x80, 0,    0,    11,
	                                 0, 8, 0,  7, 0,   1, 24, 20,   0xc6, 0x33, 0x64};

	(void)state;
	assert_true(parse("0008000700011800c63364", &e));
	e.dnssec_ok = true;
	assert_int_equal(edns_write(&e, 16, 20, EDE_NONE, out), sizeof wanted);
	assert_memory_equal(out, wanted, sizeof wanted);
	assert_int_equal(edns_len(&e), sizeof wanted);
	assert_int_equal(edns_write(&e, 5, 0, EDE_NOT_AUTHORITATIVE, out),
	                 sizeof wanted + EDNS_EDE_LEN);
	assert_memory_equal(out + sizeof wanted, "\0\17\0\2\0\24", 6);
}

static void test_of_a_querys_flags_only_do_is_repeated(void **state)
{
	static const char *const options[] = {"", "0008000700011800c63364", "0008000400010000",
	                                      "000a00080102030405060708"};
	struct edns e;
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (unsigned flags = 0x7fff; flags <= 0xffff; flags += 0x8000) {
			assert_true(parse_opt(4096, (uint16_t)flags, options[i], &e));
			assert_true(edns_write(&e, 0, 0, EDE_NONE, out) >= EDNS_OPT_LEN);
			assert_memory_equal(out, "\0\0\51\4\320\0\0", 7);
			assert_int_equal(bytes_get16(out + 7), flags & 0x8000);
		}
	}
	assert_true(parse("0008000700011800c63364", &e));
	((uint8_t *)(uintptr_t)e.alike)[5] = 0xff; /* of a query, what would be an rcode */
	assert_true(edns_write(&e, 0, 0, EDE_NONE, out) == 22);
	assert_int_equal(out[5], 0);
}

static void test_a_message_is_padded_to_a_multiple_of_468(void **state)
{
	static const struct {
		size_t len, beside, limit, padded;
	} cases[] = {
		{50, 0, 65535, 468},      {463, 0, 65535, 468},     {464, 0, 65535, 468},
		{465, 0, 65535, 936},     {50, 100, 65435, 368},    {464, 1, 65534, 935},
		{65531, 0, 65535, 65535}, {65516, 0, 65535, 65520}, {65517, 0, 65535, 65535},
		{65532, 0, 65535, 65532}, {65535, 0, 65535, 65535},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = cases[i].len, limit = cases[i].limit, added, rdata;
		uint8_t *message = malloc(limit);
		struct edns e;

		memset(message, 0xff, limit);
		assert_true(parse_opt(1232, 0, "", &e));
		assert_int_equal(edns_write(&e, 0, 0, EDE_NONE, message + len - 11), 11);
		added = edns_pad(message, len, 11, cases[i].beside, limit);
		assert_int_equal(len + added, cases[i].padded);
		rdata = (size_t)message[len - 2] << 8 | message[len - 1];
		assert_int_equal(rdata, added);
		if (added > 0) {
			edns_clear(&e);
			assert_true(edns_parse((struct bytes){message + len - 11, 11 + added}, &e));
			assert_int_equal(e.asked, EDNS_ASKED_PADDING);
		}
		for (size_t k = len + 4; k < len + added; k++)
			assert_int_equal(message[k], 0);
		free(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_sizes_count_as_512),
		cmocka_unit_test(test_unknown_options_and_flags_are_ignored),
		cmocka_unit_test(test_cut_options_are_bad),
		cmocka_unit_test(test_a_subnet_is_read),
		cmocka_unit_test(test_a_subnet_of_no_length_is_fine_in_every_family),
		cmocka_unit_test(test_bad_subnets_are_refused),
		cmocka_unit_test(test_a_good_subnet_before_a_fault_is_forgotten),
		cmocka_unit_test(test_an_answers_opt_repeats_the_subnet_and_adds_the_scope),
		cmocka_unit_test(test_of_a_querys_flags_only_do_is_repeated),
		cmocka_unit_test(test_a_message_is_padded_to_a_multiple_of_468),
	};

	return cmocka_run_group_tests_name("dnsd/edns", tests, NULL, NULL);
}
