/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "geo/prefix_cut.h"

static struct addr_network network_of(const char *text)
{
	struct addr_network n = {0};
	struct reason why;

	assert_int_equal(addr_network_parse(bytes_of(text), &n, &why), ERR_OK);
	return n;
}

/* 10.0.0.0/8 is 1, inside of it 10.64.0.0/10 is 2, and 10.64.0.3 is 3. */
static struct prefix_tree *tree_new(void)
{
	struct prefix_tree *t = prefix_tree_new();
	struct addr_network n = network_of("10.0.0.0/8");

	prefix_tree_put(t, &n, 1);
	n = network_of("10.64.0.0/10");
	prefix_tree_put(t, &n, 2);
	n = network_of("10.64.0.3");
	prefix_tree_put(t, &n, 3);
	prefix_tree_finish(t);
	return t;
}

static void on_piece(const struct addr_network *piece, uint32_t value, void *arg)
{
	char text[ADDR_NETWORK_TEXT_SIZE];

	text_printf(arg, "%s=%d ", addr_network_print(piece, text),
	            value == PREFIX_NONE ? -1 : (int)value);
}

static void assert_pieces(const char *network, const char *expected)
{
	struct prefix_tree *t = tree_new();
	struct text pieces = {0};
	struct prefix_cut c = {.tree = t, .on_piece = on_piece, .arg = &pieces};
	struct addr_network n = network_of(network);

	prefix_cut(&c, &n);
	assert_string_equal(pieces.data, expected);
	text_fini(&pieces);
	prefix_tree_free(t);
}

static void test_a_network_inside_a_leaf_stays_whole(void **state)
{
	(void)state;
	assert_pieces("10.1.0.0/16", "10.1.0.0/16=1 ");
	assert_pieces("10.64.0.3/32", "10.64.0.3/32=3 ");
	assert_pieces("192.0.2.0/24", "192.0.2.0/24=-1 ");
}

static void test_a_network_with_several_leaves_is_cut_at_their_borders(void **state)
{
	(void)state;
	assert_pieces("10.0.0.0/8", "10.0.0.0/10=1 10.64.0.0/31=2 10.64.0.2/32=2 10.64.0.3/32=3 "
	                            "10.64.0.4/30=2 10.64.0.8/29=2 10.64.0.16/28=2 10.64.0.32/27=2 "
	                            "10.64.0.64/26=2 10.64.0.128/25=2 10.64.1.0/24=2 "
	                            "10.64.2.0/23=2 10.64.4.0/22=2 10.64.8.0/21=2 10.64.16.0/20=2 "
	                            "10.64.32.0/19=2 10.64.64.0/18=2 10.64.128.0/17=2 "
	                            "10.65.0.0/16=2 10.66.0.0/15=2 10.68.0.0/14=2 10.72.0.0/13=2 "
	                            "10.80.0.0/12=2 10.96.0.0/11=2 10.128.0.0/9=1 ");
	assert_pieces("10.64.0.2/31", "10.64.0.2/32=2 10.64.0.3/32=3 ");
}

static void test_mapped_networks_are_cut_like_their_ipv4_network(void **state)
{
	(void)state;
	assert_pieces("::ffff:10.64.0.2/127", "::ffff:10.64.0.2/128=2 ::ffff:10.64.0.3/128=3 ");
	assert_pieces("2001:db8::/32", "2001:db8::/32=-1 ");
}

static void test_a_whole_family_ends_at_its_last_address(void **state)
{
	struct prefix_tree *t = prefix_tree_new();
	struct text pieces = {0};
	struct prefix_cut c = {.tree = t, .on_piece = on_piece, .arg = &pieces};
	struct addr_network all = network_of("0.0.0.0/0"), last = network_of("255.255.255.255");

	(void)state;
	prefix_tree_put(t, &last, 7);
	prefix_tree_finish(t);
	prefix_cut(&c, &all);
	assert_non_null(strstr(pieces.data, "0.0.0.0/1=-1 128.0.0.0/2=-1 "));
	assert_non_null(strstr(pieces.data, "255.255.255.254/32=-1 255.255.255.255/32=7 "));
	text_fini(&pieces);
	prefix_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_network_inside_a_leaf_stays_whole),
		cmocka_unit_test(test_a_network_with_several_leaves_is_cut_at_their_borders),
		cmocka_unit_test(test_mapped_networks_are_cut_like_their_ipv4_network),
		cmocka_unit_test(test_a_whole_family_ends_at_its_last_address),
	};

	return cmocka_run_group_tests_name("geo/prefix_cut", tests, NULL, NULL);
}
