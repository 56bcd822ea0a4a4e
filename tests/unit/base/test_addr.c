/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "base/addr.h"

static struct addr addr(const char *text)
{
	struct addr a = {0};

	assert_true(addr_parse(bytes_of(text), &a));
	return a;
}

static void test_addresses_are_printed_as_rfc_5952_asks(void **state)
{
	static const char *const pair[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"::", "::"},
		{"::1", "::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"::102:304", "::102:304"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	char out[ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct addr a = addr(pair[i][0]);

		assert_string_equal(addr_print(&a, out), pair[i][1]);
	}
}

static void test_what_is_not_an_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" 192.0.2.1",
		"192.0.2.1 ",
		"192.0.2",
		"192.0.2.256",
		"192.0.02.1",
		"[::1]",
		"fe80::1%lo",
		"::1::",
		"1:2:3:4:5:6:7:8:9",
		"0x7f.1",
		"example.com",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(addr_parse(bytes_of(bad[i]), &a));
	assert_false(addr_parse((struct bytes){(const uint8_t *)"::1\0x", 5}, &a));
}

static void test_masks_keep_the_first_bits(void **state)
{
	struct addr v4 = addr("255.255.255.255"), v6 = addr("2001:db8:ffff:ffff::1"), none = {0};
	char out[ADDR_TEXT_SIZE];
	struct addr m;

	(void)state;
	m = addr_masked(&v4, 0);
	assert_string_equal(addr_print(&m, out), "0.0.0.0");
	m = addr_masked(&v4, 9);
	assert_string_equal(addr_print(&m, out), "255.128.0.0");
	m = addr_masked(&v4, 32);
	assert_true(addr_equal(&m, &v4));
	m = addr_masked(&v6, 47);
	assert_string_equal(addr_print(&m, out), "2001:db8:fffe::");
	m = addr_masked(&v6, 127);
	assert_string_equal(addr_print(&m, out), "2001:db8:ffff:ffff::");
	m = addr_masked(&none, 8);
	assert_int_equal(m.family, ADDR_NONE);
	assert_int_equal(addr_bits(&none), 0);
}

static void test_mapped_addresses_become_ipv4(void **state)
{
	struct addr mapped = addr("::ffff:192.0.2.1"), v4 = addr("192.0.2.1"), v6 = addr("::1");
	struct addr a = addr_unmapped(&mapped), b = addr_unmapped(&v6);

	(void)state;
	assert_true(addr_equal(&a, &v4));
	assert_true(addr_equal(&b, &v6));
	assert_true(addr_compare(&v4, &v6) < 0);
	assert_true(addr_compare(&mapped, &v6) > 0);
}

static void assert_network(const char *text, enum err want, const char *printed)
{
	char out[ADDR_NETWORK_TEXT_SIZE];
	struct addr_network n;
	struct reason why = {""};

	assert_int_equal(addr_network_parse(bytes_of(text), &n, &why), want);
	if (want)
		assert_string_equal(why.text, printed);
	else
		assert_string_equal(addr_network_print(&n, out), printed);
}

static void test_networks_are_read_strictly(void **state)
{
	(void)state;
	assert_network("192.0.2.0/24", ERR_OK, "192.0.2.0/24");
	assert_network("192.0.2.7", ERR_OK, "192.0.2.7/32");
	assert_network("0.0.0.0/0", ERR_OK, "0.0.0.0/0");
	assert_network("2001:db8::/32", ERR_OK, "2001:db8::/32");
	assert_network("::1", ERR_OK, "::1/128");
	assert_network("192.0.2.1/24", ERR_RANGE, "'192.0.2.1/24' has bits set behind its length");
	assert_network("192.0.2.0/33", ERR_PARSE,
	               "'192.0.2.0/33' has no length of 0 to 32 behind the slash");
	assert_network("192.0.2.0/", ERR_PARSE,
	               "'192.0.2.0/' has no length of 0 to 32 behind the slash");
	assert_network("here\x1b[1m", ERR_PARSE, "'here?[1m' is not a network");
	assert_network("", ERR_PARSE, "'' is not a network");
	assert_network("/8", ERR_PARSE, "'/8' is not a network");
}

static void test_a_network_has_its_addresses_only(void **state)
{
	struct addr_network n, all;
	struct addr in = addr("192.0.2.255"), out = addr("192.0.3.0"), v6 = addr("::");

	(void)state;
	assert_int_equal(addr_network_parse(bytes_of("192.0.2.0/24"), &n, NULL), ERR_OK);
	assert_int_equal(addr_network_parse(bytes_of("0.0.0.0/0"), &all, NULL), ERR_OK);
	assert_true(addr_network_has(&n, &in));
	assert_false(addr_network_has(&n, &out));
	assert_true(addr_network_has(&all, &out));
	assert_false(addr_network_has(&all, &v6));
}

static void test_ports_come_with_addresses(void **state)
{
	static const char *const good[] = {"127.0.0.1:5300", "[::1]:53", "0.0.0.0:0",
	                                   "[2001:db8::1]:65535"};
	static const char *const bad[] = {"",
	                                  ":",
	                                  ":53",
	                                  "127.0.0.1",
	                                  "127.0.0.1:",
	                                  "127.0.0.1:65536",
	                                  "::1:53",
	                                  "[127.0.0.1]:53",
	                                  "[::1]",
	                                  "[]:1",
	                                  "[::1]53",
	                                  "127.0.0.1:5x",
	                                  "localhost:53",
	                                  "[:1"};
	char out[ADDR_PORT_TEXT_SIZE];
	struct addr a;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(addr_port_parse(bytes_of(good[i]), &a, &port, NULL), ERR_OK);
		assert_string_equal(addr_port_print(&a, port, out), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_port_parse(bytes_of(bad[i]), &a, &port, NULL), ERR_PARSE);
}

static void test_socket_addresses_go_there_and_back(void **state)
{
	struct addr v4 = addr("192.0.2.1"), v6 = addr("2001:db8::1"), back;
	struct sockaddr_storage sa;
	uint16_t port;

	(void)state;
	assert_int_equal(addr_to_sockaddr(&v4, 53, &sa), sizeof(struct sockaddr_in));
	back = addr_from_sockaddr((struct sockaddr *)&sa, &port);
	assert_true(addr_equal(&back, &v4) && port == 53);
	assert_int_equal(addr_to_sockaddr(&v6, 5353, &sa), sizeof(struct sockaddr_in6));
	back = addr_from_sockaddr((struct sockaddr *)&sa, &port);
	assert_true(addr_equal(&back, &v6) && port == 5353);
	sa.ss_family = AF_UNIX;
	assert_int_equal(addr_from_sockaddr((struct sockaddr *)&sa, NULL).family, ADDR_NONE);
}

static void test_loopback_is_a_network_and_an_address(void **state)
{
	static const char *const inside[] = {"127.0.0.1", "127.255.255.255", "::1"};
	static const char *const outside[] = {"126.255.255.255",  "128.0.0.0", "::", "::2",
	                                      "::ffff:127.0.0.1", "7f00::"};
	struct addr none = {.family = ADDR_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
		struct addr a = addr(inside[i]);

		assert_true(addr_is_loopback(&a));
	}
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
		struct addr a = addr(outside[i]);

		assert_false(addr_is_loopback(&a));
	}
	assert_false(addr_is_loopback(&none));
}

static struct addr_network network_of(const char *text)
{
	struct addr_network n = {0};

	assert_int_equal(addr_network_parse(bytes_of(text), &n, NULL), ERR_OK);
	return n;
}

static void test_networks_come_before_what_lies_in_them(void **state)
{
	static const char *const sorted[] = {"10.0.0.0/8",   "10.0.0.0/9", "10.0.0.0",
	                                     "10.128.0.0/9", "::/0",       "2001:db8::/32"};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++) {
			struct addr_network a = network_of(sorted[i]), b = network_of(sorted[k]);
			int order = addr_network_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

static void assert_unmapped(const char *network, const char *expected)
{
	struct addr_network n = network_of(network);
	char text[ADDR_NETWORK_TEXT_SIZE];

	n = addr_network_unmapped(&n);
	assert_string_equal(addr_network_print(&n, text), expected);
}

static void test_a_mapped_network_becomes_its_ipv4_network(void **state)
{
	(void)state;
	assert_unmapped("::ffff:192.0.2.0/120", "192.0.2.0/24");
	assert_unmapped("::ffff:0.0.0.0/96", "0.0.0.0/0");
	assert_unmapped("::/80", "::/80");
	assert_unmapped("192.0.2.1", "192.0.2.1/32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_printed_as_rfc_5952_asks),
		cmocka_unit_test(test_what_is_not_an_address_is_refused),
		cmocka_unit_test(test_masks_keep_the_first_bits),
		cmocka_unit_test(test_mapped_addresses_become_ipv4),
		cmocka_unit_test(test_loopback_is_a_network_and_an_address),
		cmocka_unit_test(test_networks_are_read_strictly),
		cmocka_unit_test(test_a_network_has_its_addresses_only),
		cmocka_unit_test(test_ports_come_with_addresses),
		cmocka_unit_test(test_socket_addresses_go_there_and_back),
		cmocka_unit_test(test_networks_come_before_what_lies_in_them),
		cmocka_unit_test(test_a_mapped_network_becomes_its_ipv4_network),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
