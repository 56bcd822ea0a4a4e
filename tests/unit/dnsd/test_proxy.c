/* The PROXY protocol's header, as a load balancer writes it and as it should not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dnsd/proxy.h"

#define SIGNATURE "0d0a0d0a000d0a515549540a"
#define V4        "c0000201c6336402d4310035"
#define V6                                                                                         \
	"20010db8000000000000000000000001"                                                         \
	"20010db8000000000000000000000002"                                                         \
	"d4310035"

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t len = 0;

	for (; *hex != '\0'; hex += 2) {
		char digits[3] = {hex[0], hex[1], 0};

		out[len++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return len;
}

/* From memory of exactly that length, so that ASan sees a byte too far. */
static enum proxy_result parse(const uint8_t *data, size_t len, struct proxy *out)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	enum proxy_result result;

	memcpy(exact, data, len);
	result = proxy_parse(exact, len, out);
	free(exact);
	return result;
}

static enum proxy_result parse_hex(const char *hex, struct proxy *out)
{
	uint8_t data[512];

	return parse(data, from_hex(hex, data), out);
}

static void assert_client(const struct proxy *p, const char *addr, unsigned port)
{
	char text[ADDR_TEXT_SIZE];

	assert_string_equal(addr_print(&p->client, text), addr);
	assert_int_equal(p->port, port);
}

static void test_a_header_names_the_client_of_either_family_and_transport(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "2112000c" V4, &p), PROXY_WHOLE);
	assert_int_equal(p.len, 28);
	assert_client(&p, "192.0.2.1", 54321);
	assert_int_equal(parse_hex(SIGNATURE "2111000c" V4, &p), PROXY_WHOLE);
	assert_client(&p, "192.0.2.1", 54321);
	assert_int_equal(parse_hex(SIGNATURE "21220024" V6, &p), PROXY_WHOLE);
	assert_int_equal(p.len, 52);
	assert_client(&p, "2001:db8::1", 54321);
	assert_int_equal(parse_hex(SIGNATURE "21210024" V6, &p), PROXY_WHOLE);
	assert_client(&p, "2001:db8::1", 54321);
}

static void test_what_follows_the_header_is_not_looked_at(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "2112000c" V4 "ffffffff", &p), PROXY_WHOLE);
	assert_int_equal(p.len, 28);
}

static void test_tlvs_are_skipped_whatever_they_hold(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "21120011" V4 "040002abcd", &p), PROXY_WHOLE);
	assert_int_equal(p.len, 33);
	assert_client(&p, "192.0.2.1", 54321);
	/* Even one that is cut. */
	assert_int_equal(parse_hex(SIGNATURE "2112000f" V4 "04ffff", &p), PROXY_WHOLE);
	assert_int_equal(p.len, 31);
}

static void test_a_sender_that_speaks_for_itself_names_no_client(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "20000000", &p), PROXY_WHOLE);
	assert_int_equal(p.len, 16);
	assert_int_equal(p.client.family, ADDR_NONE);
	/* LOCAL: family and addresses are to be ignored, whatever they are. */
	assert_int_equal(parse_hex(SIGNATURE "2012000c" V4, &p), PROXY_WHOLE);
	assert_int_equal(p.len, 28);
	assert_int_equal(p.client.family, ADDR_NONE);
	assert_int_equal(p.port, 0);
	assert_int_equal(parse_hex(SIGNATURE "20ff0001"
	                                     "00",
	                           &p),
	                 PROXY_WHOLE);
	/* AF_UNSPEC with the command PROXY. */
	assert_int_equal(parse_hex(SIGNATURE "21000003"
	                                     "040000",
	                           &p),
	                 PROXY_WHOLE);
	assert_int_equal(p.len, 19);
	assert_int_equal(p.client.family, ADDR_NONE);
}

static void test_a_mapped_client_is_an_ipv4_client(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "21220024"
	                                     "00000000000000000000ffffc0000201"
	                                     "00000000000000000000ffffc6336402"
	                                     "d4310035",
	                           &p),
	                 PROXY_WHOLE);
	assert_int_equal(p.client.family, ADDR_IPV4);
	assert_client(&p, "192.0.2.1", 54321);
}

static void test_a_header_that_is_not_whole_needs_more(void **state)
{
	uint8_t data[64];
	size_t len = from_hex(SIGNATURE "21220024" V6, data);
	struct proxy p;

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(parse(data, i, &p), PROXY_MORE);
	assert_int_equal(parse(data, len, &p), PROXY_WHOLE);
}

static void test_each_wrong_byte_is_seen_as_soon_as_it_is_there(void **state)
{
	uint8_t data[64];
	struct proxy p;

	(void)state;
	for (size_t at = 0; at < 14; at++) {
		from_hex(SIGNATURE "2112000c" V4, data);
		data[at] ^= 0x80;
		assert_int_equal(parse(data, at, &p), PROXY_MORE);
		for (size_t len = at + 1; len <= 28; len++)
			assert_int_equal(parse(data, len, &p), PROXY_BROKEN);
	}
}

static void test_other_versions_commands_and_families_are_broken(void **state)
{
	static const char *const broken[] = {
		SIGNATURE "1112000c" V4,                          /* version 1 */
		SIGNATURE "2212000c" V4,                          /* a third command */
		SIGNATURE "2110000c" V4,                          /* IPv4, but over what? */
		SIGNATURE "2102000c" V4,                          /* UDP, but of what? */
		SIGNATURE "2113000c" V4, SIGNATURE "213100d8" V4, /* Unix */
		"50524f58592054435034",                           /* the text of version 1 */
	};
	struct proxy p;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(parse_hex(broken[i], &p), PROXY_BROKEN);
}

static void test_a_length_without_room_for_the_addresses_is_broken(void **state)
{
	struct proxy p;

	(void)state;
	assert_int_equal(parse_hex(SIGNATURE "2112000b" V4, &p), PROXY_BROKEN);
	assert_int_equal(parse_hex(SIGNATURE "21120000", &p), PROXY_BROKEN);
	assert_int_equal(parse_hex(SIGNATURE "21220023" V6, &p), PROXY_BROKEN);
}

static void test_a_header_has_at_most_4096_bytes(void **state)
{
	static uint8_t data[PROXY_MAX_LEN];
	struct proxy p;

	(void)state;
	from_hex(SIGNATURE "21120ff0" V4, data);
	assert_int_equal(parse(data, sizeof data - 1, &p), PROXY_MORE);
	assert_int_equal(parse(data, sizeof data, &p), PROXY_WHOLE);
	assert_int_equal(p.len, PROXY_MAX_LEN);
	data[15]++;
	assert_int_equal(parse(data, sizeof data, &p), PROXY_BROKEN);
	assert_int_equal(parse_hex(SIGNATURE "2112ffff" V4, &p), PROXY_BROKEN);
	assert_int_equal(parse_hex(SIGNATURE "2000ffff", &p), PROXY_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_header_names_the_client_of_either_family_and_transport),
		cmocka_unit_test(test_what_follows_the_header_is_not_looked_at),
		cmocka_unit_test(test_tlvs_are_skipped_whatever_they_hold),
		cmocka_unit_test(test_a_sender_that_speaks_for_itself_names_no_client),
		cmocka_unit_test(test_a_mapped_client_is_an_ipv4_client),
		cmocka_unit_test(test_a_header_that_is_not_whole_needs_more),
		cmocka_unit_test(test_each_wrong_byte_is_seen_as_soon_as_it_is_there),
		cmocka_unit_test(test_other_versions_commands_and_families_are_broken),
		cmocka_unit_test(test_a_length_without_room_for_the_addresses_is_broken),
		cmocka_unit_test(test_a_header_has_at_most_4096_bytes),
	};

	return cmocka_run_group_tests_name("dnsd/proxy", tests, NULL, NULL);
}
