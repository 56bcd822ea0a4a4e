/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dnsd/whereabouts.h"

static void test_a_title_is_found_in_its_own_cluster_alone(void **state)
{
	struct whereabouts *w = whereabouts_new();
	unsigned line = 0;

	(void)state;
	assert_null(whereabouts_find(w, 1, "Service shop/web", &line));
	whereabouts_put(w, 2, "Service shop/web", "b.yaml", 20);
	whereabouts_put(w, 1, "Service shop/web", "a.yaml", 10);
	whereabouts_put(w, 1, "Service shop/api", "a.yaml", 1);
	assert_string_equal(whereabouts_find(w, 1, "Service shop/web", &line), "a.yaml");
	assert_int_equal(line, 10);
	assert_string_equal(whereabouts_find(w, 2, "Service shop/web", &line), "b.yaml");
	assert_int_equal(line, 20);
	assert_null(whereabouts_find(w, 3, "Service shop/web", &line));
	assert_null(whereabouts_find(w, 1, "Service shop/we", &line));
	whereabouts_free(w);
}

static void test_of_several_the_one_put_first_counts(void **state)
{
	struct whereabouts *w = whereabouts_new();
	unsigned line = 0;

	(void)state;
	for (unsigned i = 1; i <= 9; i++)
		whereabouts_put(w, 0, "annotation www.example.com", "a.yaml", i);
	assert_string_equal(whereabouts_find(w, 0, "annotation www.example.com", &line), "a.yaml");
	assert_int_equal(line, 1);
	whereabouts_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_title_is_found_in_its_own_cluster_alone),
		cmocka_unit_test(test_of_several_the_one_put_first_counts),
	};

	return cmocka_run_group_tests_name("dnsd/whereabouts", tests, NULL, NULL);
}
