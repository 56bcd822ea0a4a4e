/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/area.h"

static void assert_label(const char *label, const char *continent, const char *country,
                         const char *subdivision)
{
	struct area a;

	assert_int_equal(area_of_label(bytes_of(label), &a), country[0] != '\0');
	assert_string_equal(a.continent, continent);
	assert_string_equal(a.country, country);
	assert_string_equal(a.subdivision, subdivision);
}

static void test_a_label_may_be_a_country_or_a_part_of_one(void **state)
{
	(void)state;
	assert_label("DE", "EU", "DE", "");
	assert_label("US-CA", "NA", "US", "US-CA");
	assert_label("GB-1", "EU", "GB", "GB-1");
	assert_label("MX-CMX", "NA", "MX", "MX-CMX");
}

static void test_other_labels_say_nothing(void **state)
{
	static const char *const labels[] = {"",   "D",     "de",    "Berlin",  "BErlin", "US-",
	                                     "ZZ", "ZZ-CA", "US-ca", "US-CALI", "US CA",  "US-C-"};

	(void)state;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		assert_label(labels[i], "", "", "");
}

static void test_a_part_may_be_told_by_its_name(void **state)
{
	struct area a = {.country = "US"};

	(void)state;
	area_set_subdivision(&a, bytes_of("New York"));
	assert_string_equal(a.subdivision, "US-New York");
}

static void test_names_that_are_no_text_or_too_long_say_nothing(void **state)
{
	static const char *const names[] = {
		"", "a\nb", "\xff", "x\x7f",
		"a name of sixty bytes, or more, which no part of a country has"};
	struct area a = {.country = "US"}, nowhere = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		area_set_subdivision(&a, bytes_of(names[i]));
		assert_string_equal(a.subdivision, "");
	}
	area_set_subdivision(&nowhere, bytes_of("CA"));
	assert_string_equal(nowhere.subdivision, "");
}

static void test_a_continent_that_was_told_stays(void **state)
{
	struct area a = {.continent = "AS"};

	(void)state;
	area_set_country(&a, "RU");
	assert_string_equal(a.continent, "AS");
	assert_string_equal(a.country, "RU");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_label_may_be_a_country_or_a_part_of_one),
		cmocka_unit_test(test_other_labels_say_nothing),
		cmocka_unit_test(test_a_part_may_be_told_by_its_name),
		cmocka_unit_test(test_names_that_are_no_text_or_too_long_say_nothing),
		cmocka_unit_test(test_a_continent_that_was_told_stays),
	};

	return cmocka_run_group_tests_name("geo/area", tests, NULL, NULL);
}
