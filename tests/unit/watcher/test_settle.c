/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>

#include "base/clock.h"
#include "watcher/settle.h"

struct world {
	uv_loop_t loop;
	struct settle *settle;
	unsigned count;
	uint64_t at_us, poked_us;
	bool stopped;
};

static void on_settled(void *arg)
{
	struct world *w = arg;

	w->count++;
	w->at_us = clock_monotonic_us();
	w->poked_us = settle_poked_us(w->settle);
}

static void set_true(void *arg) { *(bool *)arg = true; }

static int setup(void **state)
{
	static struct world w;

	w = (struct world){0};
	uv_loop_init(&w.loop);
	w.settle = settle_new(&w.loop, on_settled, &w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (!w->stopped)
		settle_stop(w->settle, set_true, &w->stopped);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	return uv_loop_close(&w->loop);
}

static void test_nothing_happens_without_a_poke(void **state)
{
	struct world *w = *state;

	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->count, 0);
}

static void test_one_poke_settles_soon_and_once(void **state)
{
	struct world *w = *state;
	uint64_t began_us = clock_monotonic_us();

	settle_poke(w->settle);
	settle_poke(w->settle);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->count, 1);
	assert_true(w->poked_us >= began_us && w->poked_us <= w->at_us);
	/* 5 ms by itself; the rest is for a busy machine */
	assert_true(w->at_us - began_us < 90000);
}

static void test_work_before_the_poke_does_not_count_as_waiting(void **state)
{
	struct world *w = *state;
	uint64_t until_us = clock_monotonic_us() + 20000;

	while (clock_monotonic_us() < until_us)
		;
	settle_poke(w->settle);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->at_us - w->poked_us >= 3000);
}

/* Pokes until it settles; how long that took from the first poke. */
static uint64_t storm_us(struct world *w)
{
	unsigned before = w->count;

	while (w->count == before) {
		settle_poke(w->settle);
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	return w->at_us - w->poked_us;
}

/* On a busy machine a storm of ours has pauses, and then it rightly settles early. */
static void test_a_storm_is_cut_after_100_ms(void **state)
{
	struct world *w = *state;
	uint64_t took_us = 0;

	for (int i = 0; i < 50 && (took_us < 50000 || took_us > 150000); i++)
		took_us = storm_us(w);
	assert_in_range(took_us, 50000, 150000);
}

static void test_the_next_poke_starts_anew(void **state)
{
	struct world *w = *state;
	uint64_t first_us;

	settle_poke(w->settle);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	first_us = w->poked_us;
	settle_poke(w->settle);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->count, 2);
	assert_true(w->poked_us > first_us);
}

static void test_nothing_is_called_after_stop(void **state)
{
	struct world *w = *state;

	settle_poke(w->settle);
	settle_stop(w->settle, set_true, &w->stopped);
	settle_poke(w->settle);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(w->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_happens_without_a_poke, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_one_poke_settles_soon_and_once, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_work_before_the_poke_does_not_count_as_waiting,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_storm_is_cut_after_100_ms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_next_poke_starts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_called_after_stop, setup, teardown),
	};

	return cmocka_run_group_tests_name("watcher/settle", tests, NULL, NULL);
}
