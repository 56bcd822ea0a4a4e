/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

enum { MANY = 1000, PATIENCE_MS = 20000 };

static void add_one(size_t number, void *arg)
{
	unsigned *times = arg;

	times[number]++;
}

static void test_each_is_done_once(void **state)
{
	unsigned times[MANY + 1] = {0};

	(void)state;
	crew_run(0, add_one, times);
	assert_int_equal(times[0], 0);
	crew_run(1, add_one, times);
	crew_run(MANY, add_one, times);
	assert_int_equal(times[0], 2);
	for (size_t i = 1; i < MANY; i++)
		assert_int_equal(times[i], 1);
	assert_int_equal(times[MANY], 0);
}

/* Each waits until both have come. */
static void wait_for_other(size_t number, void *arg)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
	atomic_uint *came = arg;

	(void)number;
	atomic_fetch_add(came, 1);
	while (atomic_load(came) < 2 && clock_monotonic_ms() < end_ms)
		;
	if (atomic_load(came) < 2)
		atomic_fetch_add(came, 100);
}

static void test_several_are_done_at_a_time(void **state)
{
	atomic_uint came = 0;

	(void)state;
	crew_run(2, wait_for_other, &came);
	assert_int_equal(came, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_done_once),
		cmocka_unit_test(test_several_are_done_at_a_time),
	};

	return cmocka_run_group_tests_name("ctl/crew", tests, NULL, NULL);
}
