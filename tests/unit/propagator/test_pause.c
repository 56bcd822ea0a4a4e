/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/pause.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_pause_is_doubled_up_to_the_longest(void **state)
{
	(void)state;
	assert_int_equal(pause_doubled(5000, 60000, 0), 5000);
	assert_int_equal(pause_doubled(5000, 60000, 1), 10000);
	assert_int_equal(pause_doubled(5000, 60000, 3), 40000);
	assert_int_equal(pause_doubled(5000, 60000, 4), 60000);
	assert_int_equal(pause_doubled(5000, 60000, UINT_MAX), 60000);
}

static void test_the_first_is_no_longer_than_the_longest(void **state)
{
	(void)state;
	assert_int_equal(pause_doubled(5000, 1000, 0), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pause_is_doubled_up_to_the_longest),
		cmocka_unit_test(test_the_first_is_no_longer_than_the_longest),
	};

	return cmocka_run_group_tests_name("propagator/pause", tests, NULL, NULL);
}
