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
#include <json-c/json_tokener.h>

#include "base/text.h"
#include "base/yaml.h"

struct read_result {
	struct text said; /* "LINE JSON" of each document, a line each */
	struct reason why;
	enum err err;
};

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	struct read_result *r = arg;

	text_printf(&r->said, "%u %s\n", line,
	            json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
	                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static struct read_result read_bytes(struct bytes text)
{
	struct read_result r = {.why = {""}};

	text_add(&r.said, "");
	r.err = yaml_read(text, on_document, &r, &r.why);
	return r;
}

static void assert_reads(const char *yaml, const char *want)
{
	struct read_result r = read_bytes(bytes_of(yaml));

	assert_string_equal(r.why.text, "");
	assert_int_equal(r.err, ERR_OK);
	assert_string_equal(r.said.data, want);
	text_fini(&r.said);
}

static void assert_fails(const char *yaml, const char *documents, const char *why)
{
	struct read_result r = read_bytes(bytes_of(yaml));

	assert_int_equal(r.err, ERR_PARSE);
	assert_string_equal(r.why.text, why);
	assert_string_equal(r.said.data, documents);
	text_fini(&r.said);
}

static void keep_document(struct json_object *root, unsigned line, void *arg)
{
	(void)line;
	json_object_put(*(struct json_object **)arg);
	*(struct json_object **)arg = root;
}

static struct json_object *read_one(const char *yaml)
{
	struct json_object *root = NULL;

	assert_int_equal(yaml_read(bytes_of(yaml), keep_document, &root, NULL), ERR_OK);
	return root;
}

static struct json_object *get(struct json_object *mapping, const char *key)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(mapping, key, &value));
	return value;
}

static void test_plain_scalars_follow_the_core_schema(void **state)
{
	(void)state;
	assert_reads("[true, True, FALSE, null, ~, Null, yes, on, off, No]",
	             "1 [true,true,false,null,null,null,\"yes\",\"on\",\"off\",\"No\"]\n");
	assert_reads("[1, -7, +3, 0644, 0o17, 0x1F, 1e3, -.5, 3., 1_000, 0b1, 1:30]",
	             "1 [1,-7,3,644,15,31,1000.0,-0.5,3.0,\"1_000\",\"0b1\",\"1:30\"]\n");
	assert_reads("[9223372036854775807, 18446744073709551615, -9223372036854775808]",
	             "1 [9223372036854775807,18446744073709551615,-9223372036854775808]\n");
	assert_reads("[18446744073709551616, 1e999, .inf, .nan, +, ., 0x, 0o8]",
	             "1 "
	             "[1.8446744073709552e+19,\"1e999\",\".inf\",\".nan\",\"+\",\".\",\"0x\","
	             "\"0o8\"]\n");
	assert_reads("[2026-01-02T03:04:05Z, 2026-01-02, 1.2.3.4, 1-2, v1]",
	             "1 [\"2026-01-02T03:04:05Z\",\"2026-01-02\",\"1.2.3.4\",\"1-2\",\"v1\"]\n");
}

static void test_quoted_and_tagged_scalars(void **state)
{
	(void)state;
	assert_reads("['1', \"true\", !!str 2, !!int \"4\", !!null '', !other 5]",
	             "1 [\"1\",\"true\",\"2\",4,null,\"5\"]\n");
	assert_reads("a: |\n  1\n  2\nb: >-\n  x\n  y\n", "1 {\"a\":\"1\\n2\\n\",\"b\":\"x y\"}\n");
}

static void test_documents_are_given_in_order_without_empty_ones(void **state)
{
	(void)state;
	assert_reads("", "");
	assert_reads("# nothing\n", "");
	assert_reads("---\n---\na: 1\n---\n# no\n---\nnull\n...\n---\n- b\n",
	             "3 {\"a\":1}\n10 [\"b\"]\n");
	assert_reads("\xef\xbb\xbf"
	             "a: 1\n",
	             "1 {\"a\":1}\n");
}

static void test_json_is_yaml(void **state)
{
	(void)state;
	assert_reads("{\"a\":1,\"b\":[true,null,\"x\\u00e9\\/\"],\n\t\"c\":{\"d\":-1.5e3}}",
	             "1 {\"a\":1,\"b\":[true,null,\"x\xc3\xa9/\"],\"c\":{\"d\":-1500.0}}\n");
	assert_reads(" [\"\\ud83d\\ude00\", \"\\\\ud83d\\\\ude00\", \"\\uD834\\uDD1E\\n\"]",
	             "1 [\"\xf0\x9f\x98\x80\",\"\\\\ud83d\\\\ude00\",\"\xf0\x9d\x84\x9e\\n\"]\n");
	assert_fails("[\"\\ud83d\"]", "", "1: found invalid Unicode character escape code");
}

static void test_values_know_their_line(void **state)
{
	struct json_object *root =
		read_one("# first\na:\n  b: 1.5\n  c:\n  - x\n  - {y: true}\nd:\n"
	                 "e: !!str\n  text\n");
	struct json_object *a = get(root, "a"), *c = get(a, "c");

	(void)state;
	assert_int_equal(yaml_line(root), 2);
	assert_int_equal(yaml_line(a), 3);
	assert_int_equal(yaml_line(get(a, "b")), 3);
	assert_int_equal(yaml_line(c), 5);
	assert_int_equal(yaml_line(json_object_array_get_idx(c, 1)), 6);
	assert_int_equal(yaml_line(get(json_object_array_get_idx(c, 1), "y")), 6);
	assert_int_equal(yaml_key_line(root, "a"), 2);
	assert_int_equal(yaml_key_line(root, "d"), 7);
	assert_int_equal(yaml_key_line(root, "e"), 8);
	assert_int_equal(yaml_key_line(a, "b"), 3);
	assert_int_equal(yaml_key_line(a, "c"), 4);
	assert_int_equal(yaml_key_line(a, "nothing"), 0);
	assert_int_equal(yaml_key_line(NULL, "a"), 0);
	json_object_put(root);
}

static void test_values_of_others_have_no_line(void **state)
{
	struct json_object *other = json_tokener_parse("{\"a\": 1.25, \"b\": {}}");

	(void)state;
	assert_int_equal(yaml_line(NULL), 0);
	assert_int_equal(yaml_line(other), 0);
	assert_int_equal(yaml_line(get(other, "a")), 0);
	assert_int_equal(yaml_key_line(other, "b"), 0);
	json_object_put(other);
}

static void test_errors_name_their_line(void **state)
{
	(void)state;
	assert_fails(
		"a: 1\nb: [1, 2\nc: 3\n", "",
		"3: did not find expected ',' or ']' (while parsing a flow sequence in line 2)");
	assert_fails("a: 1\nb: 2\na: 3\n", "", "3: key 'a' is there twice");
	assert_fails("a:\n\tb: 1\n", "", "2: a tab cannot indent");
	assert_fails(
		"a: \"x\n\n", "",
		"2: found unexpected end of stream (while scanning a quoted scalar in line 1)");
	assert_fails("[a]: 1\n", "", "1: a key must be a plain text");
	assert_fails("? {a: b}\n: 1\n", "", "1: a key must be a plain text");
	assert_fails("\"a\\0b\": 1\n", "", "1: a key holds a NUL");
	assert_fails("a: *nobody\n", "", "1: alias 'nobody' has no anchor before it");
}

static void test_documents_before_a_bad_one_are_given(void **state)
{
	(void)state;
	assert_fails("a: 1\n---\nb: 2\n---\n}\n", "1 {\"a\":1}\n3 {\"b\":2}\n",
	             "5: did not find expected node content");
	assert_fails("a: 1\n---\nb: \"\xff\"\n", "1 {\"a\":1}\n", "3: not UTF-8");
	assert_fails("a: 1\n---\nb: x\nc: y\x01\n---\nd: 1\n", "1 {\"a\":1}\n",
	             "4: a control character is not allowed");
	assert_fails("a: 1\nb: }\nc: \xc3\n", "", "2: did not find expected node content");
}

static void test_text_that_is_not_utf8_is_refused(void **state)
{
	struct read_result r = read_bytes((struct bytes){(const uint8_t *)"a: \0\n", 5});

	(void)state;
	assert_int_equal(r.err, ERR_PARSE);
	assert_string_equal(r.why.text, "1: a control character is not allowed");
	text_fini(&r.said);
	assert_fails("\xff\xfe"
	             "a\n",
	             "", "1: not UTF-8");
	assert_fails("a: 1\nb: \xed\xa0\x80\n", "", "2: not UTF-8");
	assert_reads("a: \xc2\x85 1\n", "1 {\"a\":1}\n");
}

static void test_aliases_are_copies(void **state)
{
	struct json_object *root =
		read_one("a: &x {b: [1, 2.5, true, null, 18446744073709551615]}\n"
	                 "c: *x\nd: &y text\ne: *y\nf: &y other\ng: *y\nh: &n\ni: *n\n");

	(void)state;
	json_object_object_add(get(root, "a"), "b", NULL);
	assert_string_equal(
		json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN),
		"{\"a\":{\"b\":null},\"c\":{\"b\":[1,2.5,true,null,18446744073709551615]},"
		"\"d\":\"text\",\"e\":\"text\",\"f\":\"other\",\"g\":\"other\",\"h\":null,\"i\":"
		"null}");
	assert_int_equal(yaml_line(get(get(root, "c"), "b")), 1);
	assert_int_equal(yaml_key_line(root, "c"), 2);
	json_object_put(root);
	assert_fails("&a [*a]", "", "1: alias 'a' stands inside its own value");
	assert_fails("a: &x 1\n---\nb: *x\n", "1 {\"a\":1}\n",
	             "3: alias 'x' has no anchor before it");
}

static void test_merge_keys_are_ordinary_keys(void **state)
{
	(void)state;
	assert_reads("a: &x {b: 1}\nc: {<<: *x}\n",
	             "1 {\"a\":{\"b\":1},\"c\":{\"<<\":{\"b\":1}}}\n");
}

static void test_aliases_expand_to_a_limit(void **state)
{
	struct text yaml = {0};
	struct read_result r;

	(void)state;
	text_add(&yaml, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 30; i++)
		text_printf(&yaml, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
		            i - 1, i - 1, i - 1);
	r = read_bytes(bytes_of(yaml.data));
	assert_int_equal(r.err, ERR_PARSE);
	assert_non_null(strstr(r.why.text, ": aliases expand to more than 1048576 bytes"));
	text_fini(&r.said);
	text_reset(&yaml);
	/* Twice 400 kB is fine, and counts for each document alone. */
	for (int i = 0; i < 2; i++)
		text_printf(&yaml, "---\na: &a %0400000d.x\nb: *a\nc: *a\n", 1);
	r = read_bytes(bytes_of(yaml.data));
	assert_int_equal(r.err, ERR_OK);
	text_fini(&r.said);
	text_fini(&yaml);
}

static void test_nesting_has_a_limit(void **state)
{
	struct text yaml = {0};
	struct read_result r;

	(void)state;
	for (int i = 0; i < YAML_DEPTH_LIMIT; i++)
		text_add(&yaml, "[");
	for (int i = 0; i < YAML_DEPTH_LIMIT; i++)
		text_add(&yaml, "]");
	r = read_bytes(bytes_of(yaml.data));
	assert_int_equal(r.err, ERR_OK);
	text_fini(&r.said);
	text_reset(&yaml);
	text_add(&yaml, "a0: &a0 []\n");
	for (int i = 1; i < 70; i++)
		text_printf(&yaml, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	r = read_bytes(bytes_of(yaml.data));
	assert_string_equal(r.why.text,
	                    "64: aliases expand to more than 1048576 bytes or nest too deep");
	text_fini(&r.said);
	text_fini(&yaml);
	assert_fails("\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "",
	             "2: nested deeper than 64");
}

static void test_directives_have_a_limit(void **state)
{
	struct text yaml = {0};
	struct read_result r;

	(void)state;
	for (int i = 0; i < 2000; i++)
		text_printf(&yaml, "%%TAG !e%d! tag:e,1:\n", i);
	r = read_bytes(bytes_of(yaml.data));
	assert_string_equal(r.why.text, "1001: too many directives");
	text_fini(&r.said);
	text_fini(&yaml);
}

/* Every prefix, and every byte of a good text changed: no crash, no leak. */
static void test_broken_text_never_crashes(void **state)
{
	static const char good[] =
		"%YAML 1.1\n--- !!map\na: &x [1, 'two', \"\\u00e9\\x41\", {b: c}]\n"
		"d: *x\n? e\n: |-\n  text\n...\n---\n[{\"a\":null, \"b\":\"\\ud83d\\ude00\"}]\n";
	static const char change[] = "\0\t\n :-[]{}\"'&*!|>%@`?,#\xff\xc3";
	char text[sizeof(good)];

	(void)state;
	for (size_t len = 0; len < sizeof(good); len++) {
		struct read_result r = read_bytes((struct bytes){(const uint8_t *)good, len});

		text_fini(&r.said);
	}
	for (size_t at = 0; at + 1 < sizeof(good); at++) {
		for (size_t i = 0; i + 1 < sizeof(change); i++) {
			struct read_result r;

			memcpy(text, good, sizeof(good));
			text[at] = change[i];
			r = read_bytes((struct bytes){(uint8_t *)text, sizeof(text) - 1});
			assert_true(r.err == ERR_OK ||
			            (r.err == ERR_PARSE && strchr(r.why.text, ':')));
			text_fini(&r.said);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_scalars_follow_the_core_schema),
		cmocka_unit_test(test_quoted_and_tagged_scalars),
		cmocka_unit_test(test_documents_are_given_in_order_without_empty_ones),
		cmocka_unit_test(test_json_is_yaml),
		cmocka_unit_test(test_values_know_their_line),
		cmocka_unit_test(test_values_of_others_have_no_line),
		cmocka_unit_test(test_errors_name_their_line),
		cmocka_unit_test(test_documents_before_a_bad_one_are_given),
		cmocka_unit_test(test_text_that_is_not_utf8_is_refused),
		cmocka_unit_test(test_aliases_are_copies),
		cmocka_unit_test(test_merge_keys_are_ordinary_keys),
		cmocka_unit_test(test_aliases_expand_to_a_limit),
		cmocka_unit_test(test_nesting_has_a_limit),
		cmocka_unit_test(test_directives_have_a_limit),
		cmocka_unit_test(test_broken_text_never_crashes),
	};

	return cmocka_run_group_tests_name("base/yaml", tests, NULL, NULL);
}
