/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "propagator/budget.h"

static void test_a_part_is_no_larger_than_it_may_be(void **state)
{
	struct budget b = {.most = 10};

	(void)state;
	assert_true(budget_take(&b, 10));
	assert_false(budget_take(&b, 1));
	budget_give(&b, 4);
	assert_false(budget_take(&b, 5));
	assert_true(budget_take(&b, 4));
	assert_false(budget_take(&b, SIZE_MAX));
	assert_int_equal(b.used, 10);
}

static void test_all_parts_together_are_no_larger_than_the_whole(void **state)
{
	struct budget whole = {.most = 10};
	struct budget a = {.most = 6, .whole = &whole}, b = {.most = 6, .whole = &whole};

	(void)state;
	assert_true(budget_take(&a, 6));
	assert_false(budget_take(&b, 5));
	assert_int_equal(b.used, 0);
	assert_true(budget_take(&b, 4));
	budget_give(&a, 6);
	assert_int_equal(whole.used, 4);
	assert_true(budget_take(&b, 2));
}

static void test_without_a_limit_there_is_none(void **state)
{
	struct budget b = {0};

	(void)state;
	assert_true(budget_take(&b, (size_t)1 << 40));
	budget_give(&b, (size_t)1 << 40);
	assert_int_equal(b.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_part_is_no_larger_than_it_may_be),
		cmocka_unit_test(test_all_parts_together_are_no_larger_than_the_whole),
		cmocka_unit_test(test_without_a_limit_there_is_none),
	};

	return cmocka_run_group_tests_name("propagator/budget", tests, NULL, NULL);
}
