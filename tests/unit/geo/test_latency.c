/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/latency.h"

static struct latency_table parsed(const char *text)
{
	struct reason why = {{0}};
	struct latency_table t;

	if (latency_parse(bytes_of(text), &t, &why) != ERR_OK)
		fail_msg("refused: %s", why.text);
	return t;
}

static void assert_row(const struct latency_table *t, size_t at, const char *network,
                       const char *cluster, double ms)
{
	char text[ADDR_NETWORK_TEXT_SIZE];

	assert_true(at < t->count);
	assert_string_equal(addr_network_print(&t->rows[at].network, text), network);
	assert_string_equal(latency_cluster(t, &t->rows[at]), cluster);
	assert_true(t->rows[at].ms == ms);
}

static void test_rows_are_in_order_of_network_and_cluster(void **state)
{
	struct latency_table t = parsed("# measured\n\n2001:db8::/32,la,1\n192.0.2.0/24,ny,60000\n"
	                                "::ffff:192.0.2.0/120 , la ,12.5\r\n10.0.0.0/8,ny,0");

	(void)state;
	assert_int_equal(t.count, 4);
	assert_row(&t, 0, "10.0.0.0/8", "ny", 0);
	assert_row(&t, 1, "192.0.2.0/24", "la", 12.5);
	assert_row(&t, 2, "192.0.2.0/24", "ny", 60000);
	assert_row(&t, 3, "2001:db8::/32", "la", 1);
	assert_int_equal(t.rows[1].line, 5);
	latency_fini(&t);
	assert_null(t.rows);
}

static void test_the_same_row_twice_is_one(void **state)
{
	struct latency_table t = parsed("10.0.0.0/8,ny,5\n10.0.0.0/8,la,5\n10.0.0.0/8,ny,5.0\n");

	(void)state;
	assert_int_equal(t.count, 2);
	assert_row(&t, 1, "10.0.0.0/8", "ny", 5);
	assert_int_equal(t.rows[1].line, 1);
	latency_fini(&t);
}

static void test_nothing_is_an_empty_table(void **state)
{
	struct latency_table t = parsed("\n# nothing\n");

	(void)state;
	assert_int_equal(t.count, 0);
	latency_fini(&t);
}

static void assert_refused(const char *text, enum err err, const char *expected)
{
	struct reason why = {{0}};
	struct latency_table t;

	assert_int_equal(latency_parse(bytes_of(text), &t, &why), err);
	assert_string_equal(why.text, expected);
	assert_null(t.rows);
	assert_int_equal(t.count, 0);
}

static void test_every_mistake_is_named_with_its_line(void **state)
{
	(void)state;
	assert_refused("network,cluster,milliseconds\n", ERR_PARSE,
	               "1: 'network' is not a network");
	assert_refused("\n192.0.2.1/24,la,1", ERR_RANGE,
	               "2: '192.0.2.1/24' has bits set behind its length");
	assert_refused("192.0.2.0/24\n", ERR_PARSE, "1: a line is network,cluster,milliseconds");
	assert_refused("192.0.2.0/24,la\n", ERR_PARSE, "1: a line is network,cluster,milliseconds");
	assert_refused("192.0.2.0/24,,1\n", ERR_PARSE, "1: '' is not the name of a cluster");
	assert_refused("192.0.2.0/24,l a,1\n", ERR_PARSE, "1: 'l a' is not the name of a cluster");
	assert_refused("192.0.2.0/24,\xff,1\n", ERR_PARSE, "1: '?' is not the name of a cluster");
	assert_refused("192.0.2.0/24,la,\n", ERR_PARSE, "1: '' is not milliseconds of 0 to 60000");
	assert_refused("192.0.2.0/24,la,12ms\n", ERR_PARSE,
	               "1: '12ms' is not milliseconds of 0 to 60000");
	assert_refused("192.0.2.0/24,la,-1\n", ERR_PARSE,
	               "1: '-1' is not milliseconds of 0 to 60000");
	assert_refused("192.0.2.0/24,la,60000.1\n", ERR_PARSE,
	               "1: '60000.1' is not milliseconds of 0 to 60000");
	assert_refused("192.0.2.0/24,la,1,2\n", ERR_PARSE,
	               "1: '1,2' is not milliseconds of 0 to 60000");
	assert_refused("192.0.2.0/24,la,1\n\n192.0.2.0/24,la,2\n", ERR_CONFLICT,
	               "3: 192.0.2.0/24 and la have other milliseconds in line 1");
}

static void test_all_mistakes_are_told_up_to_a_bound(void **state)
{
	struct bytes csv = bytes_of("10.0.0.0/8,la,1\nx\n10.0.0.0/8,la,2\n10.0.0.0/8,ny,x\n");
	struct text out = {0};

	(void)state;
	assert_int_equal(latency_faults(csv, 20, &out), 0);
	assert_string_equal(out.data, "2: 'x' is not a network\n"
	                              "4: 'x' is not milliseconds of 0 to 60000\n"
	                              "3: 10.0.0.0/8 and la have other milliseconds in line 1\n");
	text_reset(&out);
	assert_int_equal(latency_faults(csv, 1, &out), 2);
	assert_string_equal(out.data, "2: 'x' is not a network\n");
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_in_order_of_network_and_cluster),
		cmocka_unit_test(test_the_same_row_twice_is_one),
		cmocka_unit_test(test_nothing_is_an_empty_table),
		cmocka_unit_test(test_every_mistake_is_named_with_its_line),
		cmocka_unit_test(test_all_mistakes_are_told_up_to_a_bound),
	};

	return cmocka_run_group_tests_name("geo/latency", tests, NULL, NULL);
}
