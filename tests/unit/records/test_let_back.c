/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "records/let_back.h"

static void test_a_time_lets_all_back_and_words_behind_it_some(void **state)
{
	struct let_back b;

	(void)state;
	assert_true(let_back_parse(bytes_of("2026-01-01T00:00:00Z"), &b));
	assert_int_equal(b.at, 1767225600);
	assert_int_equal(b.name.len, 0);
	assert_int_equal(b.cluster.len, 0);
	assert_true(let_back_parse(
		bytes_of(" 2026-01-01T00:00:00Z  cluster=la name=www.example.com "), &b));
	assert_int_equal(b.at, 1767225600);
	assert_true(bytes_equal_text(b.name, "www.example.com"));
	assert_true(bytes_equal_text(b.cluster, "la"));
}

static void test_what_is_not_understood_lets_nobody_back(void **state)
{
	static const char *const bad[] = {"",
	                                  " ",
	                                  "soon",
	                                  "name=a 2026-01-01T00:00:00Z",
	                                  "1970-01-01T00:00:00Z",
	                                  "1969-01-01T00:00:00Z",
	                                  "2026-01-01T00:00:00Z name=",
	                                  "2026-01-01T00:00:00Z name=a name=b",
	                                  "2026-01-01T00:00:00Z nam=a",
	                                  "2026-01-01T00:00:00Z 2026-01-01T00:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct let_back b = {.at = 7};

		assert_false(let_back_parse(bytes_of(bad[i]), &b));
		assert_int_equal(b.at, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_time_lets_all_back_and_words_behind_it_some),
		cmocka_unit_test(test_what_is_not_understood_lets_nobody_back),
	};

	return cmocka_run_group_tests_name("records/let_back", tests, NULL, NULL);
}
