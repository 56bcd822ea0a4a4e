/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 100, SOME = 9 };

static void test_what_is_asked_for_comes_before_all_that_is_looked_at_again(void **state)
{
	struct turns t = {0};
	struct turn many[MANY] = {0}, one = {0};

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		turns_add_again(&t, &many[i]);
	assert_ptr_equal(turns_take(&t), &many[0]);
	turns_add_asked(&t, &one);
	assert_ptr_equal(turns_take(&t), &one);
	assert_ptr_equal(turns_take(&t), &many[1]);
	/* Also one of those that wait. */
	turns_add_asked(&t, &many[50]);
	turns_add_again(&t, &many[50]);
	assert_int_equal(turns_count(&t), MANY - 2);
	assert_ptr_equal(turns_take(&t), &many[50]);
	assert_null(many[50].lane);
}

static void test_each_has_its_turn_once_in_the_order_of_their_coming(void **state)
{
	struct turns t = {0};
	struct turn asked[SOME] = {0}, again[SOME] = {0};

	(void)state;
	for (size_t k = 0; k < 2 * SOME; k++) {
		turns_add_asked(&t, &asked[k % SOME]);
		turns_add_again(&t, &again[k % SOME]);
	}
	assert_int_equal(turns_count(&t), 2 * SOME);
	for (size_t i = 0, k = 0; i < SOME; i++) {
		assert_ptr_equal(turns_take(&t), &asked[i]);
		if (i % 3 == 2)
			assert_ptr_equal(turns_take(&t), &again[k++]);
	}
	for (size_t i = SOME / 3; i < SOME; i++)
		assert_ptr_equal(turns_take(&t), &again[i]);
	assert_null(turns_take(&t));
	assert_int_equal(turns_count(&t), 0);
}

static void test_what_is_asked_for_without_end_leaves_every_fourth_turn(void **state)
{
	struct turns t = {0};
	struct turn asked[2] = {0}, again[MANY] = {0};
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		turns_add_again(&t, &again[i]);
	for (size_t turn = 0; turn < (size_t)4 * MANY; turn++) {
		turns_add_asked(&t, &asked[0]);
		turns_add_asked(&t, &asked[1]);
		seen += turns_take(&t) == &again[seen < MANY ? seen : 0];
	}
	assert_int_equal(seen, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_asked_for_comes_before_all_that_is_looked_at_again),
		cmocka_unit_test(test_each_has_its_turn_once_in_the_order_of_their_coming),
		cmocka_unit_test(test_what_is_asked_for_without_end_leaves_every_fourth_turn),
	};

	return cmocka_run_group_tests_name("propagator/turns", tests, NULL, NULL);
}
