/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "zones/master.h"

/* All that a text holds, a line each: "LINE[ indented]: [TEXT]" or "LINE! fault". */
static char *lines_of(struct bytes text)
{
	struct text out = {NULL, 0, 0};
	struct master_line line;
	struct reason why;
	struct master m;
	enum master_got got;

	master_init(&m, text);
	while ((got = master_next(&m, &line, &why)) != MASTER_END) {
		text_printf(&out, "%u", line.line);
		if (got == MASTER_FAULT)
			text_printf(&out, "! %s\n", why.text);
		else
			text_printf(&out, "%s: [%.*s]\n", line.is_indented ? " indented" : "",
			            (int)line.text.len, (const char *)line.text.data);
	}
	master_fini(&m);
	return text_take(&out);
}

static void expect(const char *text, const char *expected)
{
	char *got = lines_of(bytes_of(text));

	assert_string_equal(got, expected);
	free(got);
}

static void test_lines_are_told_with_their_numbers(void **state)
{
	(void)state;
	expect("a A 1\n\n  \nb A 2\r\n\tA 3", "1: [a A 1]\n4: [b A 2]\n5 indented: [A 3]\n");
	expect("", "");
	expect("\n\n", "");
}

static void test_comments_end_with_their_line(void **state)
{
	(void)state;
	expect("; one\na ; two (\n;\nb", "2: [a]\n4: [b]\n");
	expect("a \"x;y\" ; z\n", "1: [a \"x;y\"]\n");
	expect("a x\\;y ; z\n", "1: [a x\\;y]\n");
}

static void test_a_parenthesis_joins_lines(void **state)
{
	(void)state;
	expect("a SOA ( 1 ; one (\n 2\n) 3\nb", "1: [a SOA   1   2   3]\n4: [b]\n");
	expect("a \"(\" x\nb", "1: [a \"(\" x]\n2: [b]\n");
	expect("a \\( x\nb", "1: [a \\( x]\n2: [b]\n");
}

static void test_a_fault_is_told_and_reading_goes_on(void **state)
{
	(void)state;
	expect("a )\nb", "1! a parenthesis is closed that was never opened\n2: [b]\n");
	expect("a \"x\nb", "1! a quotation mark is open at the end of the line\n2: [b]\n");
	expect("a x\\\nb", "1! a backslash at the end of the line\n2: [b]\n");
	expect("a\001\nb", "1! a control character (1)\n2: [b]\n");
	expect("a\nb \"x", "1: [a]\n2! a quotation mark is open at the end of the file\n");
}

static void test_an_open_parenthesis_takes_all_that_follows(void **state)
{
	(void)state;
	expect("a\nb (\nc\nd\n", "1: [a]\n2! a parenthesis is opened here and never closed\n");
}

static void test_a_line_has_a_limit(void **state)
{
	size_t len = MASTER_LINE_MAX + 10;
	char *text = xcalloc(2 * len + 8, 1), *got;

	(void)state;
	memset(text, 'a', len);
	strcat(text, "\nb\n");
	got = lines_of(bytes_of(text));
	assert_string_equal(got, "1! a record of more than 256 KiB\n2: [b]\n");
	free(got);
	memset(text, 0, 2 * len + 8);
	strcpy(text, "a (");
	memset(text + 3, '\n', len);
	strcat(text, "\nb");
	got = lines_of(bytes_of(text));
	assert_non_null(strstr(got, "! a record of more than 256 KiB\n"));
	free(got);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_told_with_their_numbers),
		cmocka_unit_test(test_comments_end_with_their_line),
		cmocka_unit_test(test_a_parenthesis_joins_lines),
		cmocka_unit_test(test_a_fault_is_told_and_reading_goes_on),
		cmocka_unit_test(test_an_open_parenthesis_takes_all_that_follows),
		cmocka_unit_test(test_a_line_has_a_limit),
	};

	return cmocka_run_group_tests_name("zones/master", tests, NULL, NULL);
}
