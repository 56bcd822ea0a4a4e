/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "watcher/due.h"

enum { MANY = 500, ROUNDS = 20000, NEVER = 0 };

static void test_nothing_is_due_at_first(void **state)
{
	struct due *d = due_new();
	size_t index;
	uint64_t at;

	(void)state;
	assert_false(due_first(d, &index, &at));
	due_remove(d, 7);
	assert_false(due_first(d, &index, &at));
	due_free(d);
	due_free(NULL);
}

static void test_a_time_can_be_moved_both_ways(void **state)
{
	struct due *d = due_new();
	size_t index;
	uint64_t at;

	(void)state;
	due_put(d, 1, 10);
	due_put(d, 2, 20);
	due_put(d, 2, 5);
	assert_true(due_first(d, &index, &at));
	assert_int_equal(index, 2);
	assert_int_equal(at, 5);
	due_put(d, 2, 50);
	assert_true(due_first(d, &index, &at));
	assert_int_equal(index, 1);
	due_free(d);
}

/* The index with the least time, by looking at all of them. */
static size_t least(const uint64_t *times)
{
	size_t found = 0;

	for (size_t i = 1; i < MANY; i++)
		if (times[i] != NEVER && (times[found] == NEVER || times[i] < times[found]))
			found = i;
	return found;
}

static void test_the_first_is_always_the_earliest(void **state)
{
	struct due *d = due_new();
	uint64_t times[MANY] = {0}, at;
	size_t index;

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		size_t i = (size_t)rand() % MANY;

		if (rand() % 3 == 0) {
			due_remove(d, i);
			times[i] = NEVER;
		} else {
			times[i] = (uint64_t)rand() % 100000 + 1;
			due_put(d, i, times[i]);
		}
		if (due_first(d, &index, &at)) {
			assert_int_equal(at, times[index]);
			assert_int_equal(at, times[least(times)]);
		} else {
			assert_int_equal(times[least(times)], NEVER);
		}
	}
	due_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_due_at_first),
		cmocka_unit_test(test_a_time_can_be_moved_both_ways),
		cmocka_unit_test(test_the_first_is_always_the_earliest),
	};

	return cmocka_run_group_tests_name("watcher/due", tests, NULL, NULL);
}
