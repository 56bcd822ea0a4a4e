/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/zones_world.h"
#include "zones/slab.h"

enum { BLOCKS = 500, ROUNDS = 20000 };

struct block {
	uint32_t place;
	size_t bytes;
	uint8_t mark;
};

static bool is_intact(const struct slab *s, const struct block *b)
{
	const uint8_t *p = slab_at(slab_base(s), b->place);

	for (size_t i = 0; i < b->bytes; i++)
		if (p[i] != b->mark)
			return false;
	return true;
}

static void test_blocks_do_not_touch_each_other(void **state)
{
	struct slab *s = slab_new();
	struct block block[BLOCKS] = {{0}};
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct block *b = &block[zworld_random(&seed) % BLOCKS];

		if (b->place) {
			assert_true(is_intact(s, b));
			slab_give_back(s, b->place, b->bytes);
			b->place = 0;
			continue;
		}
		/* Mostly small, now and then over the largest exact size. */
		b->bytes = 1 + zworld_random(&seed) % (zworld_random(&seed) % 10 ? 200 : 5000);
		b->mark = (uint8_t)zworld_random(&seed);
		b->place = slab_alloc(s, b->bytes);
		assert_int_not_equal(b->place, 0);
		memset(slab_at(slab_base(s), b->place), b->mark, b->bytes);
	}
	for (int i = 0; i < BLOCKS; i++)
		assert_true(!block[i].place || is_intact(s, &block[i]));
	slab_free(s);
}

static void test_a_block_that_came_back_is_used_again(void **state)
{
	struct slab *s = slab_new();
	uint32_t a = slab_alloc(s, 52), b = slab_alloc(s, 52);
	size_t held = slab_held(s);

	(void)state;
	slab_give_back(s, a, 52);
	assert_int_equal(slab_alloc(s, 50), a);
	slab_give_back(s, b, 52);
	/* Also for a smaller one, and the rest of it for another. */
	assert_int_equal(slab_alloc(s, 20), b);
	assert_int_equal(slab_alloc(s, 32), b + 5);
	assert_int_equal(slab_held(s), held);
	slab_free(s);
}

static void test_use_is_counted(void **state)
{
	struct slab *s = slab_new();
	size_t before = slab_used(s);
	uint32_t a = slab_alloc(s, 10), b = slab_alloc(s, 100000);

	(void)state;
	assert_true(slab_used(s) >= before + 100012);
	slab_give_back(s, a, 10);
	slab_give_back(s, b, 100000);
	assert_int_equal(slab_used(s), before);
	slab_free(s);
}

static void test_place_zero_holds_zeros(void **state)
{
	struct slab *s = slab_new();

	(void)state;
	assert_memory_equal(slab_at(slab_base(s), 0), "\0\0\0\0\0\0\0\0", 8);
	slab_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_do_not_touch_each_other),
		cmocka_unit_test(test_a_block_that_came_back_is_used_again),
		cmocka_unit_test(test_use_is_counted),
		cmocka_unit_test(test_place_zero_holds_zeros),
	};

	return cmocka_run_group_tests_name("zones/slab", tests, NULL, NULL);
}
