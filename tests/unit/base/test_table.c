/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"

enum { ITEMS = 20000 };

static bool number_matches(const void *item, const void *key)
{
	return *(const uint32_t *)item == *(const uint32_t *)key;
}

typedef uint64_t hash_fn(uint32_t v);

static uint64_t good_hash(uint32_t v) { return hash_mix(v, 7); }
static uint64_t same_hash(uint32_t v) { return v % 3; }
static uint64_t idle_upper_half(uint32_t v) { return v; }

static void test_an_empty_table_finds_nothing(void **state)
{
	struct table *t = table_new();
	uint32_t key = 1;
	size_t at = 0;

	(void)state;
	assert_null(table_find(t, 1, number_matches, &key));
	assert_null(table_remove(t, 1, number_matches, &key));
	assert_null(table_next(t, &at));
	assert_int_equal(table_count(t), 0);
	table_free(t);
	table_free(NULL);
}

static void test_replace_gives_the_old_item_back(void **state)
{
	struct table *t = table_new();
	uint32_t a = 5, b = 5;

	(void)state;
	assert_null(table_replace(t, 9, number_matches, &a, &a));
	assert_ptr_equal(table_replace(t, 9, number_matches, &a, &b), &a);
	assert_ptr_equal(table_find(t, 9, number_matches, &a), &b);
	assert_int_equal(table_count(t), 1);
	assert_ptr_equal(table_remove(t, 9, number_matches, &a), &b);
	assert_int_equal(table_count(t), 0);
	table_free(t);
}

/* Random puts and removes beside a plain array that knows the truth. */
static void run_history(hash_fn *hash, uint32_t items, unsigned steps)
{
	struct table *t = table_new();
	uint32_t *number = calloc(items, sizeof(*number));
	bool *there = calloc(items, sizeof(*there));
	size_t count = 0, seen = 0, at = 0;

	for (uint32_t i = 0; i < items; i++)
		number[i] = i;
	for (unsigned step = 0; step < steps; step++) {
		uint32_t i = random_below(items);

		assert_ptr_equal(table_find(t, hash(i), number_matches, &i),
		                 there[i] ? &number[i] : NULL);
		if (there[i])
			assert_ptr_equal(table_remove(t, hash(i), number_matches, &i), &number[i]);
		else
			table_put(t, hash(i), &number[i]);
		there[i] = !there[i];
		count = there[i] ? count + 1 : count - 1;
	}
	assert_int_equal(table_count(t), count);
	for (uint32_t i = 0; i < items; i++)
		assert_ptr_equal(table_find(t, hash(i), number_matches, &i),
		                 there[i] ? &number[i] : NULL);
	for (const uint32_t *item; (item = table_next(t, &at)) != NULL; seen++) {
		assert_true(there[*item]);
		there[*item] = false;
	}
	assert_int_equal(seen, count);
	table_free(t);
	free(number);
	free(there);
}

static void test_random_histories_agree_with_an_array(void **state)
{
	(void)state;
	run_history(good_hash, ITEMS, 200000);
	run_history(good_hash, 40, 20000);
	run_history(idle_upper_half, ITEMS, 100000);
}

static void test_colliding_hashes_are_told_apart(void **state)
{
	(void)state;
	run_history(same_hash, 100, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_table_finds_nothing),
		cmocka_unit_test(test_replace_gives_the_old_item_back),
		cmocka_unit_test(test_random_histories_agree_with_an_array),
		cmocka_unit_test(test_colliding_hashes_are_told_apart),
	};

	return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
