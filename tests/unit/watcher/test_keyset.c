/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watcher/keyset.h"

static struct bytes number(char out[24], size_t i)
{
	snprintf(out, 24, "object-%zu", i);
	return bytes_of(out);
}

static void test_it_has_what_was_added_and_nothing_else(void **state)
{
	enum { COUNT = 20000 };
	struct keyset s = {0};
	char name[24];

	(void)state;
	keyset_reset(&s);
	for (size_t i = 0; i < COUNT; i++)
		keyset_add(&s, bytes_of("shop"), number(name, i));
	for (size_t i = 0; i < COUNT; i++) {
		assert_true(keyset_has(&s, bytes_of("shop"), number(name, i)));
		assert_false(keyset_has(&s, bytes_of("shop"), number(name, COUNT + i)));
		assert_false(keyset_has(&s, bytes_of("other"), number(name, i)));
	}
	assert_int_equal(s.count, COUNT);
	free(s.slot);
}

static void test_adding_again_changes_nothing(void **state)
{
	struct keyset s = {0};

	(void)state;
	keyset_reset(&s);
	for (int i = 0; i < 1000; i++)
		keyset_add(&s, bytes_of("shop"), bytes_of("web"));
	assert_int_equal(s.count, 1);
	free(s.slot);
}

static void test_namespace_and_name_are_told_apart(void **state)
{
	struct keyset s = {0};

	(void)state;
	keyset_reset(&s);
	keyset_add(&s, bytes_of("a"), bytes_of("bc"));
	assert_false(keyset_has(&s, bytes_of("ab"), bytes_of("c")));
	assert_false(keyset_has(&s, bytes_of("bc"), bytes_of("a")));
	assert_false(keyset_has(&s, bytes_of(""), bytes_of("abc")));
	keyset_add(&s, bytes_of(""), bytes_of("node"));
	assert_true(keyset_has(&s, (struct bytes){0}, bytes_of("node")));
	free(s.slot);
}

static void test_empty_and_after_a_reset_it_has_nothing(void **state)
{
	struct keyset s = {0};

	(void)state;
	assert_false(keyset_has(&s, bytes_of("shop"), bytes_of("web")));
	keyset_reset(&s);
	assert_false(keyset_has(&s, bytes_of("shop"), bytes_of("web")));
	keyset_add(&s, bytes_of("shop"), bytes_of("web"));
	keyset_reset(&s);
	assert_false(keyset_has(&s, bytes_of("shop"), bytes_of("web")));
	assert_int_equal(s.count, 0);
	assert_null(s.slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_has_what_was_added_and_nothing_else),
		cmocka_unit_test(test_adding_again_changes_nothing),
		cmocka_unit_test(test_namespace_and_name_are_told_apart),
		cmocka_unit_test(test_empty_and_after_a_reset_it_has_nothing),
	};

	return cmocka_run_group_tests_name("watcher/keyset", tests, NULL, NULL);
}
