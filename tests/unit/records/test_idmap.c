/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/idmap.h"

static size_t count_of(const struct idmap *m, uint32_t hash, uint32_t value)
{
	struct idmap_walk w = idmap_find(m, hash);
	const uint32_t *found;
	size_t count = 0;

	while ((found = idmap_next(m, &w)) != NULL)
		count += *found == value;
	return count;
}

static void test_an_empty_map_finds_nothing(void **state)
{
	struct idmap m = {0};

	(void)state;
	assert_int_equal(count_of(&m, 5, 1), 0);
	assert_false(idmap_remove(&m, 5, 1));
	idmap_prefetch(&m, 5);
	idmap_fini(&m);
}

/* Against a plain table of counts; few hashes, so that all collide. */
static void test_random_puts_and_removes_agree_with_a_model(void **state)
{
	static unsigned model[40][6];
	struct idmap m = {0};

	(void)state;
	srand(3);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 60000; step++) {
		uint32_t n = (uint32_t)rand() % 40, value = 1 + (uint32_t)rand() % 5;
		/* Hashes at both ends, so that chains go round the end. */
		uint32_t hash = n < 20 ? n * 3 : UINT32_MAX - n;

		if (rand() % 2) {
			if (m.count < 300) {
				idmap_put(&m, hash, value);
				model[n][value]++;
			}
		} else {
			assert_int_equal(idmap_remove(&m, hash, value), model[n][value] > 0);
			model[n][value] -= model[n][value] > 0;
		}
		assert_int_equal(count_of(&m, hash, value), model[n][value]);
		if (step % 500 == 0)
			idmap_reserve(&m, (size_t)rand() % 50);
	}
	for (uint32_t n = 0; n < 40; n++)
		for (uint32_t value = 1; value < 6; value++)
			assert_int_equal(count_of(&m, n < 20 ? n * 3 : UINT32_MAX - n, value),
			                 model[n][value]);
	idmap_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_map_finds_nothing),
		cmocka_unit_test(test_random_puts_and_removes_agree_with_a_model),
	};

	return cmocka_run_group_tests_name("records/idmap", tests, NULL, NULL);
}
