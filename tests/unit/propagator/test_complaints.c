/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "propagator/complaints.h"
#include "tests/support/propagator_json.h"

static void assert_ends(struct complaints *c, const char *want)
{
	struct reason why = {""};

	assert_int_equal(complaints_end(c, &why), want ? ERR_PARSE : ERR_OK);
	assert_string_equal(why.text, want ? want : "");
}

static void test_one_stands_alone_and_more_in_brackets(void **state)
{
	static const char *const words[] = {"A", "B", NULL};
	struct complaints none = {0}, one = {0}, more = {0};

	(void)state;
	assert_ends(&none, NULL);
	complain_required(&one, "spec.a");
	assert_ends(&one, "spec.a: Required value");
	complain_invalid(&more, "a", json_of("'x/y'"), "is bad");
	complain_unsupported(&more, "b", json_of("3"), words);
	complain_duplicate(&more, "c", json_of("'x'"));
	assert_ends(&more, "[a: Invalid value: \"x/y\": is bad, b: Unsupported value: 3: supported "
	                   "values: \"A\", \"B\", c: Duplicate value: \"x\"]");
}

static void test_after_a_hundred_they_are_counted_only(void **state)
{
	struct complaints c = {0};
	struct text text = {0};

	(void)state;
	for (int i = 0; i < COMPLAINTS_MOST + 7; i++)
		complain_required(&c, "a");
	complaints_print(&c, &text);
	assert_non_null(strstr(text.data, "a: Required value, and 7 more]"));
	assert_int_equal(text.len, 100 * strlen("a: Required value, ") + strlen("[and 7 more]"));
	text_fini(&text);
	complaints_fini(&c);
}

static void test_a_long_value_is_cut(void **state)
{
	struct complaints c = {0};
	struct text text = {0};
	char *value = malloc(100001);

	(void)state;
	memset(value, 'x', 100000);
	value[100000] = '\0';
	complain_duplicate(&c, "a", json_with("'%s'", value));
	complaints_print(&c, &text);
	assert_true(text.len < 200);
	text_fini(&text);
	complaints_fini(&c);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_one_stands_alone_and_more_in_brackets),
		JSON_TEST(test_after_a_hundred_they_are_counted_only),
		JSON_TEST(test_a_long_value_is_cut),
	};

	return cmocka_run_group_tests_name("propagator/complaints", tests, NULL, NULL);
}
