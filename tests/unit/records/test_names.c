/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "records/names.h"

static const char *round_trip(const char *text)
{
	static char out[NAMES_TEXT_SIZE];
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;
	struct reason why = {""};

	if (names_from_text(bytes_of(text), wire, &len, &why))
		return NULL;
	assert_int_equal(len, names_wire_len(wire));
	return names_to_text(wire, out);
}

static void test_the_last_dot_may_be_absent(void **state)
{
	(void)state;
	assert_string_equal(round_trip("www.Example.com"), "www.Example.com.");
	assert_string_equal(round_trip("www.Example.com."), "www.Example.com.");
	assert_string_equal(round_trip("."), ".");
	assert_string_equal(round_trip("*.a"), "*.a.");
}

static void test_escapes_mean_bytes_and_come_back_printable(void **state)
{
	(void)state;
	assert_string_equal(round_trip("a\\.b.c"), "a\\.b.c.");
	assert_string_equal(round_trip("a\\010$\".c"), "a\\010\\$\\\".c.");
	assert_string_equal(round_trip("a b.c"), "a\\032b.c.");
	assert_string_equal(round_trip("\\065.c"), "A.c.");
	assert_string_equal(round_trip("\xc3\xa9.c"), "\\195\\169.c.");
}

static void test_faults_are_named(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "the name is empty"},
		{"a..b", "a label is empty"},
		{".a", "a label is empty"},
		{"..", "a label is empty"},
		{"a\\", "a bad escape"},
		{"a\\25", "a bad escape"},
		{"a\\256.b", "a bad escape"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b",
	         "a label is longer than 63 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t wire[NAMES_WIRE_MAX];
		size_t len;
		struct reason why = {""};

		assert_int_not_equal(names_from_text(bytes_of(cases[i].text), wire, &len, &why),
		                     ERR_OK);
		assert_string_equal(why.text, cases[i].why);
	}
}

static void test_255_bytes_fit_and_256_do_not(void **state)
{
	char text[300];
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;

	(void)state;
	/* 127 labels of one letter: 2 * 127 + 1 bytes. */
	for (int i = 0; i < 127; i++)
		memcpy(text + 2 * i, "a.", 3);
	assert_int_equal(names_from_text(bytes_of(text), wire, &len, NULL), ERR_OK);
	assert_int_equal(len, 255);
	memcpy(text, "bb", 2);
	assert_int_equal(names_from_text(bytes_of(text), wire, &len, NULL), ERR_OK);
	text[254] = 'a';
	text[255] = '\0';
	assert_int_equal(names_from_text(bytes_of(text), wire, &len, NULL), ERR_RANGE);
	memcpy(text, "a.", 2);
	assert_int_equal(names_from_text(bytes_of(text), wire, &len, NULL), ERR_RANGE);
}

static void test_names_compare_without_case(void **state)
{
	const uint8_t *upper = (const uint8_t *)"\3WWW\1a";
	const uint8_t *lower = (const uint8_t *)"\3www\1A";
	const uint8_t *apex = (const uint8_t *)"\1a";
	const uint8_t *other = (const uint8_t *)"\1b\1a";

	(void)state;
	assert_true(names_wire_equal(upper, lower));
	assert_false(names_wire_equal(upper, apex));
	assert_true(names_wire_is_under(upper, apex));
	assert_true(names_wire_is_under(apex, apex));
	assert_true(names_wire_is_under(upper, (const uint8_t *)""));
	assert_false(names_wire_is_under(apex, upper));
	assert_false(names_wire_is_under(upper, other));
	/* The bytes "\1a\0" at the end, but not at a label's border. */
	assert_false(names_wire_is_under((const uint8_t *)"\5xxx\1a", apex));
}

static void test_labels_are_letters_digits_hyphens_and_underscores(void **state)
{
	struct reason why = {""};

	(void)state;
	assert_true(names_is_label(bytes_of("us-East_1"), &why));
	assert_true(names_is_label(bytes_of("1"), &why));
	assert_false(names_is_label(bytes_of(""), &why));
	assert_false(names_is_label(bytes_of("-a"), &why));
	assert_false(names_is_label(bytes_of("a-"), &why));
	assert_false(names_is_label(bytes_of("a.b"), &why));
	assert_false(names_is_label(bytes_of("a b\n$INCLUDE"), &why));
	assert_string_equal(why.text, "only letters, digits, '-' and '_' may be in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_dot_may_be_absent),
		cmocka_unit_test(test_escapes_mean_bytes_and_come_back_printable),
		cmocka_unit_test(test_faults_are_named),
		cmocka_unit_test(test_255_bytes_fit_and_256_do_not),
		cmocka_unit_test(test_names_compare_without_case),
		cmocka_unit_test(test_labels_are_letters_digits_hyphens_and_underscores),
	};

	return cmocka_run_group_tests_name("records/names", tests, NULL, NULL);
}
