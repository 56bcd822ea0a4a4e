/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geo/intern.h"

static void test_equal_items_get_one_number(void **state)
{
	struct intern *in = intern_new(sizeof(uint64_t));
	uint64_t a = 5, b = 6, again = 5;

	(void)state;
	assert_int_equal(intern_count(in), 0);
	assert_int_equal(intern_put(in, &a), 0);
	assert_int_equal(intern_put(in, &b), 1);
	assert_int_equal(intern_put(in, &again), 0);
	assert_int_equal(intern_count(in), 2);
	assert_int_equal(((const uint64_t *)intern_items(in))[1], 6);
	intern_free(in);
	intern_free(NULL);
}

static void test_numbers_stay_when_it_grows(void **state)
{
	struct intern *in = intern_new(sizeof(uint32_t));

	(void)state;
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 100000; i++) {
			uint32_t item = i * 2654435761u;

			assert_int_equal(intern_put(in, &item), i);
		}
	assert_int_equal(intern_count(in), 100000);
	assert_int_equal(((const uint32_t *)intern_items(in))[77777], 77777 * 2654435761u);
	intern_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_items_get_one_number),
		cmocka_unit_test(test_numbers_stay_when_it_grows),
	};

	return cmocka_run_group_tests_name("geo/intern", tests, NULL, NULL);
}
