/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "base/yaml.h"
#include "ctl/print.h"

static struct json_object *parsed(const char *json)
{
	struct json_object *root = json_tokener_parse(json);

	assert_non_null(root);
	return root;
}

static void assert_yaml(const char *json, const char *want)
{
	struct json_object *root = parsed(json);
	struct text out = {0};

	print_yaml(root, &out);
	assert_string_equal(out.data, want);
	text_fini(&out);
	json_object_put(root);
}

static void test_the_four_formats_have_names_and_no_other_has(void **state)
{
	enum print_format format = PRINT_TABLE;

	(void)state;
	assert_true(print_format_parse("yaml", &format));
	assert_int_equal(format, PRINT_YAML);
	assert_true(print_format_parse("wide", &format));
	assert_int_equal(format, PRINT_WIDE);
	assert_false(print_format_parse("JSON", &format));
	assert_false(print_format_parse("", &format));
	assert_int_equal(format, PRINT_WIDE);
}

static void test_yaml_nests_mappings_and_lists(void **state)
{
	(void)state;
	assert_yaml("{\"a\":{\"b\":[1,{\"c\":true,\"d\":[[\"x\"]]}]},\"e\":[],\"f\":{},\"g\":null}",
	            "a:\n"
	            "  b:\n"
	            "  - 1\n"
	            "  - c: true\n"
	            "    d:\n"
	            "    - - x\n"
	            "e: []\n"
	            "f: {}\n"
	            "g: null\n");
}

static void test_yaml_quotes_texts_that_could_be_something_else(void **state)
{
	(void)state;
	assert_yaml(
		"[\"true\",\"12\",\"No\",\"\",\"a: b\",\"- "
		"a\",\"2026-01-01\",\"plain/text.1\",\"a\\nb\"]",
		"- \"true\"\n- \"12\"\n- \"No\"\n- \"\"\n- \"a: b\"\n- \"- a\"\n- \"2026-01-01\"\n"
		"- plain/text.1\n- \"a\\nb\"\n");
}

struct again {
	struct json_object *root;
};

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	struct again *again = arg;

	(void)line;
	assert_null(again->root);
	again->root = root;
}

static void test_yaml_reads_back_to_the_same_json(void **state)
{
	static const char json[] =
		"{\"version\":\"0.1.0\",\"ready\":true,\"listen\":[\"[::1]:53\"],\"clusters\":[{"
		"\"name\":\"la\",\"location\":{\"latitude\":34.05,\"longitude\":-118.24},"
		"\"error\":\"a \\\"b\\\": #c\\tand \\u0007\",\"zones\":[]},{\"on\":null}]}";
	struct json_object *root = parsed(json);
	struct again again = {0};
	struct text out = {0};
	struct reason why = {0};

	(void)state;
	print_yaml(root, &out);
	assert_int_equal(yaml_read(bytes_of(out.data), on_document, &again, &why), ERR_OK);
	assert_true(json_object_equal(again.root, root));
	text_fini(&out);
	json_object_put(again.root);
	json_object_put(root);
}

static void test_tables_have_columns_as_wide_as_their_widest_cell(void **state)
{
	static const char *const heads[] = {"NAME", "X", "LAST"};
	struct print_table *t = print_table_new(heads, 3);
	struct text out = {0};

	(void)state;
	print_cell(t, "a");
	print_cell(t, "");
	print_cell(t, "end");
	print_cell(t, "Z\xc3\xbcrich");
	print_cell(t, "four");
	print_cell(t, "");
	print_table_end(t, &out);
	assert_string_equal(out.data, "NAME     X      LAST\n"
	                              "a        -      end\n"
	                              "Z\xc3\xbcrich   four   -\n");
	text_fini(&out);
}

static void test_a_table_without_rows_is_nothing(void **state)
{
	static const char *const heads[] = {"NAME"};
	struct text out = {0};

	(void)state;
	print_table_end(print_table_new(heads, 1), &out);
	assert_int_equal(out.len, 0);
	text_fini(&out);
}

static void test_control_characters_never_reach_the_terminal(void **state)
{
	struct text out = {0};

	(void)state;
	print_safe("a\x1b[2Jb\n\x7f \xc2\x9b"
	           "c \xff \xc3\xbc",
	           &out);
	assert_string_equal(out.data, "a?[2Jb?? ?c ? \xc3\xbc");
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_four_formats_have_names_and_no_other_has),
		cmocka_unit_test(test_yaml_nests_mappings_and_lists),
		cmocka_unit_test(test_yaml_quotes_texts_that_could_be_something_else),
		cmocka_unit_test(test_yaml_reads_back_to_the_same_json),
		cmocka_unit_test(test_tables_have_columns_as_wide_as_their_widest_cell),
		cmocka_unit_test(test_a_table_without_rows_is_nothing),
		cmocka_unit_test(test_control_characters_never_reach_the_terminal),
	};

	return cmocka_run_group_tests_name("ctl/print", tests, NULL, NULL);
}
