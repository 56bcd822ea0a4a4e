/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dnsd/comeback.h"

static const struct comeback_rule after_ten = {.stable_ms = 10000}, by_hand = {.by_hand = true};

static void test_who_is_usable_for_the_first_time_need_not_wait(void **state)
{
	struct comeback c = {0};

	(void)state;
	assert_false(comeback_see(&c, false, &after_ten, 1000));
	assert_false(comeback_waits(&c));
	assert_true(comeback_see(&c, true, &after_ten, 2000));
	assert_false(comeback_waits(&c));
}

static void test_who_was_down_waits_from_then_on_until_it_has_been_stable(void **state)
{
	struct comeback c = {.state = COMEBACK_FREE};

	(void)state;
	assert_true(comeback_see(&c, false, &after_ten, 1000));
	assert_true(comeback_waits(&c));
	assert_true(comeback_see(&c, true, &after_ten, 5000));
	assert_true(comeback_waits(&c));
	assert_false(comeback_see(&c, true, &after_ten, 14999));
	assert_true(comeback_see(&c, true, &after_ten, 15000));
	assert_false(comeback_waits(&c));
}

static void test_a_break_starts_the_waiting_anew(void **state)
{
	struct comeback c = {.state = COMEBACK_DOWN};

	(void)state;
	(void)comeback_see(&c, true, &after_ten, 5000);
	(void)comeback_see(&c, false, &after_ten, 14000);
	(void)comeback_see(&c, true, &after_ten, 14001);
	assert_false(comeback_see(&c, true, &after_ten, 24000));
	assert_true(comeback_see(&c, true, &after_ten, 24001));
}

static void test_by_hand_it_waits_until_somebody_says_so(void **state)
{
	struct comeback c = {.state = COMEBACK_DOWN};

	(void)state;
	assert_false(comeback_release(&c));
	(void)comeback_see(&c, true, &by_hand, 5000);
	assert_false(comeback_see(&c, true, &by_hand, UINT64_MAX));
	assert_true(comeback_release(&c));
	assert_false(comeback_waits(&c));
	assert_false(comeback_release(&c));
	/* And the next time again. */
	(void)comeback_see(&c, false, &by_hand, 6000);
	(void)comeback_see(&c, true, &by_hand, 7000);
	assert_true(comeback_waits(&c));
}

/* Whatever happens, a site that waits has been down, and one that is free has been usable long enough, or was let back. */
static void test_any_history_obeys_the_rule(void **state)
{
	(void)state;
	srand(7);
	for (unsigned history = 0; history < 2000; history++) {
		struct comeback c = {0};
		uint64_t now_ms = 1, usable_since = 0;
		bool was_usable = false, ever_usable = false, waits = false;

		for (unsigned step = 0; step < 60; step++) {
			bool usable = rand() % 4 != 0;

			now_ms += (uint64_t)rand() % 6000;
			if (usable && !was_usable)
				usable_since = now_ms;
			waits |= ever_usable && !usable;
			ever_usable |= usable;
			was_usable = usable;
			if (usable && waits && now_ms - usable_since >= after_ten.stable_ms)
				waits = false;
			(void)comeback_see(&c, usable, &after_ten, now_ms);
			assert_int_equal(comeback_waits(&c), waits);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_usable_for_the_first_time_need_not_wait),
		cmocka_unit_test(test_who_was_down_waits_from_then_on_until_it_has_been_stable),
		cmocka_unit_test(test_a_break_starts_the_waiting_anew),
		cmocka_unit_test(test_by_hand_it_waits_until_somebody_says_so),
		cmocka_unit_test(test_any_history_obeys_the_rule),
	};

	return cmocka_run_group_tests_name("dnsd/comeback", tests, NULL, NULL);
}
