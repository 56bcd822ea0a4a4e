/* Who may have how many connections. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "dnsd/quota.h"

static struct addr network(unsigned n)
{
	return (struct addr){.family = ADDR_IPV4, .bytes = {10, (uint8_t)(n >> 8), (uint8_t)n}};
}

static void test_the_one_beyond_the_most_is_told(void **state)
{
	struct quota *q = quota_new(2, 1);

	(void)state;
	assert_true(quota_enter(q));
	assert_true(quota_enter(q));
	assert_false(quota_enter(q));
	assert_int_equal(quota_count(q), 3);
	quota_leave(q);
	quota_leave(q);
	assert_true(quota_enter(q));
	assert_int_equal(quota_most(q), 2);
	quota_free(q);
}

static void test_a_network_has_its_share_and_gets_it_back(void **state)
{
	struct quota *q = quota_new(100, 3);
	struct addr a = network(1), b = network(2);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(quota_enter_network(q, &a));
	assert_false(quota_enter_network(q, &a));
	assert_true(quota_enter_network(q, &b));
	quota_leave_network(q, &a);
	assert_true(quota_enter_network(q, &a));
	assert_false(quota_enter_network(q, &a));
	quota_free(q);
}

/* Ten times as many networks as it has room for, one after the other: none is forgotten, none stays. */
static void test_networks_come_and_go_without_end(void **state)
{
	enum { MOST = 200, ALL = 10 * MOST };
	struct quota *q = quota_new(MOST, 1);

	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		struct addr now = network(i), before = network(i - MOST);

		assert_true(quota_enter_network(q, &now));
		assert_false(quota_enter_network(q, &now));
		if (i >= MOST)
			quota_leave_network(q, &before);
	}
	quota_free(q);
}

static void test_a_full_table_lets_no_further_network_in(void **state)
{
	struct quota *q = quota_new(1, 1);
	unsigned entered = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct addr a = network(i);

		entered += quota_enter_network(q, &a);
	}
	assert_in_range(entered, 1, 100);
	quota_free(q);
}

enum { ROUNDS = 20000, THREADS = 4 };

static void *come_and_go(void *arg)
{
	struct quota *q = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct addr a = network(i % 7);

		(void)quota_enter(q);
		if (quota_enter_network(q, &a))
			quota_leave_network(q, &a);
		quota_leave(q);
	}
	return NULL;
}

static void test_many_threads_leave_nothing_behind(void **state)
{
	struct quota *q = quota_new(10, 1);
	pthread_t thread[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, q), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(quota_count(q), 0);
	for (unsigned i = 0; i < 7; i++) {
		struct addr a = network(i);

		assert_true(quota_enter_network(q, &a));
	}
	quota_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_one_beyond_the_most_is_told),
		cmocka_unit_test(test_a_network_has_its_share_and_gets_it_back),
		cmocka_unit_test(test_networks_come_and_go_without_end),
		cmocka_unit_test(test_a_full_table_lets_no_further_network_in),
		cmocka_unit_test(test_many_threads_leave_nothing_behind),
	};

	return cmocka_run_group_tests_name("dnsd/quota", tests, NULL, NULL);
}
