/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_every_code_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(err_text(ERR_OK), "ok");
	assert_string_equal(err_text(ERR_UNSUPPORTED), "not supported");
	for (int code = ERR_OK; code <= ERR_UNSUPPORTED; code++)
		assert_true(strlen(err_text((enum err)code)) > 0);
	assert_string_equal(err_text((enum err)1000), "unknown error");
}

static void test_setting_a_reason_returns_the_code(void **state)
{
	struct reason why;

	(void)state;
	assert_int_equal(reason_set(&why, ERR_PARSE, "line %d", 7), ERR_PARSE);
	assert_string_equal(why.text, "line 7");
	assert_int_equal(reason_set(NULL, ERR_RANGE, "unheard"), ERR_RANGE);
}

static void test_a_prefix_goes_before_the_text(void **state)
{
	struct reason why;

	(void)state;
	(void)reason_set(&why, ERR_PARSE, "bad");
	reason_prefix(&why, "%s:%d: ", "a.yaml", 3);
	assert_string_equal(why.text, "a.yaml:3: bad");
	reason_prefix(NULL, "x");
}

static void test_a_reason_may_be_built_from_itself(void **state)
{
	struct reason why;

	(void)state;
	(void)reason_set(&why, ERR_PARSE, "inner");
	(void)reason_set(&why, ERR_PARSE, "outer (%s)", why.text);
	assert_string_equal(why.text, "outer (inner)");
}

static void test_a_long_reason_is_cut(void **state)
{
	struct reason why;
	char longer[2 * sizeof(why.text)];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)reason_set(&why, ERR_PARSE, "%s", longer);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	reason_prefix(&why, "file: ");
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_memory_equal(why.text, "file: xxx", 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_a_text),
		cmocka_unit_test(test_setting_a_reason_returns_the_code),
		cmocka_unit_test(test_a_prefix_goes_before_the_text),
		cmocka_unit_test(test_a_reason_may_be_built_from_itself),
		cmocka_unit_test(test_a_long_reason_is_cut),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
