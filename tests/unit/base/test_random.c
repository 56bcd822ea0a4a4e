/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static void test_bounded_draws_are_even_and_within(void **state)
{
	unsigned seen[7] = {0};

	(void)state;
	for (int i = 0; i < 70000; i++) {
		uint32_t v = random_below(7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 9400, 10600); /* six standard deviations */
	assert_int_equal(random_below(0), 0);
	assert_int_equal(random_below(1), 0);
}

static void test_bytes_are_filled_to_the_end(void **state)
{
	uint8_t a[1000] = {0}, b[1000] = {0};
	unsigned zeros = 0;

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	random_bytes(NULL, 0);
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 984; i < 1000; i++)
		zeros += a[i] == 0;
	assert_true(zeros < 8);
	assert_true(random_u64() != random_u64());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded_draws_are_even_and_within),
		cmocka_unit_test(test_bytes_are_filled_to_the_end),
	};

	return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
