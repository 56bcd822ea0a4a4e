/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "zones/handover.h"

enum { ALIVE = 7, DEAD = -1, READERS = 4, PUBLICATIONS = 20000 };

static struct handover *h;
static _Atomic int dropped, stop;

static int *thing(void)
{
	int *t = malloc(sizeof *t);

	*t = ALIVE;
	return t;
}

static void drop(const void *t)
{
	*(int *)(uintptr_t)t = DEAD;
	free((void *)(uintptr_t)t);
	atomic_fetch_add(&dropped, 1);
}

static int setup(void **state)
{
	(void)state;
	atomic_store(&dropped, 0);
	h = handover_new(drop);
	handover_publish(h, thing());
	return 0;
}

static void test_a_replaced_thing_lives_until_its_reader_rests(void **state)
{
	struct reader *r = handover_join(h);
	const int *held = reader_take(r);

	(void)state;
	handover_publish(h, thing());
	assert_int_equal(handover_reclaim(h), 1);
	assert_int_equal(*held, ALIVE);
	reader_rest(r);
	assert_int_equal(handover_reclaim(h), 0);
	assert_int_equal(atomic_load(&dropped), 1);
	handover_leave(r);
	handover_free(h);
	assert_int_equal(atomic_load(&dropped), 2);
}

static void test_taking_again_lets_the_older_thing_go(void **state)
{
	struct reader *r = handover_join(h);

	(void)state;
	reader_take(r);
	handover_publish(h, thing());
	reader_take(r);
	assert_int_equal(handover_reclaim(h), 0);
	handover_leave(r);
	handover_free(h);
}

static void *read_for_ever(void *arg)
{
	struct reader *r = handover_join(h);

	(void)arg;
	while (!atomic_load(&stop)) {
		const int *t = reader_take(r);

		for (int i = 0; i < 8; i++)
			if (*t != ALIVE)
				abort();
		reader_rest(r);
	}
	handover_leave(r);
	return NULL;
}

static void test_no_reader_ever_sees_a_dropped_thing(void **state)
{
	pthread_t thread[READERS];

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_for_ever, NULL), 0);
	for (int i = 0; i < PUBLICATIONS; i++)
		handover_publish(h, thing());
	atomic_store(&stop, 1);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	handover_free(h);
	assert_int_equal(atomic_load(&dropped), PUBLICATIONS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_replaced_thing_lives_until_its_reader_rests, setup),
		cmocka_unit_test_setup(test_taking_again_lets_the_older_thing_go, setup),
		cmocka_unit_test_setup(test_no_reader_ever_sees_a_dropped_thing, setup),
	};

	return cmocka_run_group_tests_name("zones/handover", tests, NULL, NULL);
}
