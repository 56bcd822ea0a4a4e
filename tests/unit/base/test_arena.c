/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_what_it_gives_is_aligned_and_apart(void **state)
{
	struct arena *a = arena_new();
	char *p[500];

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		p[i] = arena_alloc(a, i);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		memset(p[i], (int)(i & 0x7f), i);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(p[i][k], (int)(i & 0x7f));
	arena_free(a);
}

static void test_a_large_value_fits_and_small_ones_go_on(void **state)
{
	struct arena *a = arena_new();
	char *large = arena_alloc(a, 5 << 20), *small = arena_strndup(a, "small", 5);

	(void)state;
	memset(large, 'x', 5 << 20);
	assert_string_equal(small, "small");
	arena_free(a);
}

static void test_reset_forgets_and_used_counts(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_int_equal(arena_used(a), 0);
		for (int i = 0; i < 1000; i++)
			memset(arena_alloc(a, 1001), round, 1001);
		assert_int_equal(arena_used(a), 1001000);
		arena_alloc(a, 3 << 20);
		arena_reset(a);
	}
	arena_free(a);
}

static void test_copies_and_formats(void **state)
{
	struct arena *a = arena_new();
	const int *zeros = arena_calloc(a, 10, sizeof(int));

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(zeros[i], 0);
	assert_memory_equal(arena_memdup(a, "ab\0c", 4), "ab\0c", 4);
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%s-%03d", "x", 7), "x-007");
	arena_free(a);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_gives_is_aligned_and_apart),
		cmocka_unit_test(test_a_large_value_fits_and_small_ones_go_on),
		cmocka_unit_test(test_reset_forgets_and_used_counts),
		cmocka_unit_test(test_copies_and_formats),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
