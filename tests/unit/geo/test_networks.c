/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geo/networks.h"

static struct networks parsed(const char *text)
{
	struct reason why = {{0}};
	struct networks n;

	if (networks_parse(bytes_of(text), &n, &why) != ERR_OK)
		fail_msg("refused: %s", why.text);
	return n;
}

static void assert_network(const struct network *n, const char *network, double latitude,
                           double longitude, const char *label)
{
	char text[ADDR_NETWORK_TEXT_SIZE];

	assert_string_equal(addr_network_print(&n->network, text), network);
	assert_true(n->place.latitude == latitude && n->place.longitude == longitude);
	assert_true(bytes_equal_text(n->label, label));
}

static void test_lines_become_networks_in_order_of_address(void **state)
{
	struct networks n = parsed("# ours\n"
	                           "\n"
	                           "198.51.100.0/24,30.27,-97.74,Austin\n"
	                           "2001:db8::/32,1,2\n"
	                           "192.0.2.0/25,-1.5,3\n"
	                           "192.0.2.0/24,42.36,-71.06,Boston, Massachusetts\n"
	                           "203.0.113.7,0,0,one\n");

	(void)state;
	assert_int_equal(n.count, 5);
	assert_network(&n.item[0], "192.0.2.0/24", 42.36, -71.06, "Boston, Massachusetts");
	assert_network(&n.item[1], "192.0.2.0/25", -1.5, 3, "");
	assert_network(&n.item[2], "198.51.100.0/24", 30.27, -97.74, "Austin");
	assert_network(&n.item[3], "203.0.113.7/32", 0, 0, "one");
	assert_network(&n.item[4], "2001:db8::/32", 1, 2, "");
	assert_int_equal(n.item[4].line, 4);
	networks_fini(&n);
	assert_null(n.item);
}

static void test_spaces_carriage_returns_and_a_byte_order_mark_do_not_matter(void **state)
{
	struct networks n = parsed("\xef\xbb\xbf 192.0.2.0/24 , 1 ,\t2 , Z\xc3\xbcrich \r\n\r\n\t# "
	                           "x\r\n10.0.0.0/8,3,4");

	(void)state;
	assert_int_equal(n.count, 2);
	assert_network(&n.item[0], "10.0.0.0/8", 3, 4, "");
	assert_network(&n.item[1], "192.0.2.0/24", 1, 2, "Z\xc3\xbcrich");
	networks_fini(&n);
}

static void test_nothing_is_an_empty_table(void **state)
{
	struct networks n = parsed(""), comments = parsed("# a\n#b\n \n");

	(void)state;
	assert_int_equal(n.count, 0);
	assert_int_equal(comments.count, 0);
	networks_fini(&n);
	networks_fini(&comments);
}

static void test_mapped_networks_are_ipv4(void **state)
{
	struct networks n = parsed("::ffff:192.0.2.0/120,1,2\n::fffe:0:0/95,3,4\n");

	(void)state;
	assert_int_equal(n.count, 2);
	assert_network(&n.item[0], "192.0.2.0/24", 1, 2, "");
	assert_int_equal(n.item[1].network.addr.family, ADDR_IPV6);
	networks_fini(&n);
}

static void assert_refused(const char *text, enum err err, const char *expected)
{
	struct reason why = {{0}};
	struct networks n;

	assert_int_equal(networks_parse(bytes_of(text), &n, &why), err);
	assert_string_equal(why.text, expected);
	assert_null(n.item);
	assert_int_equal(n.count, 0);
}

static void test_every_mistake_is_named_with_its_line(void **state)
{
	(void)state;
	assert_refused("network,latitude,longitude\n", ERR_PARSE, "1: 'network' is not a network");
	assert_refused("\n192.0.2.0/24;1;2\n", ERR_PARSE,
	               "2: '192.0.2.0/24;1;2' has no length of 0 to 32 behind the slash");
	assert_refused("192.0.2.0/33,1,2", ERR_PARSE,
	               "1: '192.0.2.0/33' has no length of 0 to 32 behind the slash");
	assert_refused("192.0.2.1/24,1,2", ERR_RANGE,
	               "1: '192.0.2.1/24' has bits set behind its length");
	assert_refused("#\n#\n192.0.2.0/24\n", ERR_PARSE,
	               "3: a line is network,latitude,longitude[,label]");
	assert_refused("192.0.2.0/24,1\n", ERR_PARSE,
	               "1: a line is network,latitude,longitude[,label]");
	assert_refused("192.0.2.0/24,x,1", ERR_PARSE, "1: 'x' is not a latitude of -90 to 90");
	assert_refused("192.0.2.0/24,,1", ERR_PARSE, "1: '' is not a latitude of -90 to 90");
	assert_refused("192.0.2.0/24,90.5,1", ERR_PARSE,
	               "1: '90.5' is not a latitude of -90 to 90");
	assert_refused("192.0.2.0/24,nan,1", ERR_PARSE, "1: 'nan' is not a latitude of -90 to 90");
	assert_refused("192.0.2.0/24,1,-181", ERR_PARSE,
	               "1: '-181' is not a longitude of -180 to 180");
	assert_refused("192.0.2.0/24,1,2 # x", ERR_PARSE,
	               "1: '2 # x' is not a longitude of -180 to 180");
	assert_refused("192.0.2.0/24,1,2,\xff\n", ERR_PARSE, "1: the label is not UTF-8 text");
	assert_refused("192.0.2.0/24,1,2,a\x1b[0m\n", ERR_PARSE, "1: the label is not UTF-8 text");
}

static void test_all_mistakes_are_told_up_to_a_bound(void **state)
{
	struct bytes csv = bytes_of("192.0.2.0/24,1,1\nx\n\n192.0.2.0/24,2,2\n10.0.0.0/8,91,0\n");
	struct text out = {0};

	(void)state;
	assert_int_equal(networks_faults(csv, 20, &out), 0);
	assert_string_equal(out.data, "2: 'x' is not a network\n"
	                              "5: '91' is not a latitude of -90 to 90\n"
	                              "4: 192.0.2.0/24 has another place in line 1\n");
	text_reset(&out);
	assert_int_equal(networks_faults(csv, 1, &out), 2);
	assert_string_equal(out.data, "2: 'x' is not a network\n");
	text_reset(&out);
	assert_int_equal(networks_faults(bytes_of("10.0.0.0/8,1,1\n"), 1, &out), 0);
	assert_int_equal(out.len, 0);
	text_fini(&out);
}

static void test_a_long_label_is_refused(void **state)
{
	char text[400] = "192.0.2.0/24,1,2,";
	size_t at = strlen(text);

	(void)state;
	memset(text + at, 'x', NETWORKS_MAX_LABEL + 1);
	assert_refused(text, ERR_PARSE, "1: the label is longer than 255 bytes");
}

static void test_one_network_with_two_places_is_a_conflict(void **state)
{
	struct networks n = parsed("192.0.2.0/24,1,2,a\n192.0.2.0/24,1.0,2,b\n");

	(void)state;
	assert_int_equal(n.count, 1);
	assert_network(&n.item[0], "192.0.2.0/24", 1, 2, "a");
	networks_fini(&n);
	assert_refused("192.0.2.0/24,1,2\n\n192.0.2.0/24,1,3\n", ERR_CONFLICT,
	               "3: 192.0.2.0/24 has another place in line 1");
	assert_refused("192.0.2.0/24,1,2\n::ffff:192.0.2.0/120,1,3\n", ERR_CONFLICT,
	               "2: 192.0.2.0/24 has another place in line 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_become_networks_in_order_of_address),
		cmocka_unit_test(test_spaces_carriage_returns_and_a_byte_order_mark_do_not_matter),
		cmocka_unit_test(test_nothing_is_an_empty_table),
		cmocka_unit_test(test_mapped_networks_are_ipv4),
		cmocka_unit_test(test_every_mistake_is_named_with_its_line),
		cmocka_unit_test(test_all_mistakes_are_told_up_to_a_bound),
		cmocka_unit_test(test_a_long_label_is_refused),
		cmocka_unit_test(test_one_network_with_two_places_is_a_conflict),
	};

	return cmocka_run_group_tests_name("geo/networks", tests, NULL, NULL);
}
