/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "geo/geodb_record.h"

/* Bytes of the data section by hand: A byte for each number, text without its NUL. */
#define SECTION(...)                                                                               \
	((struct bytes){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})
#define KEY_LATITUDE  0x48, 'l', 'a', 't', 'i', 't', 'u', 'd', 'e'
#define KEY_LONGITUDE 0x49, 'l', 'o', 'n', 'g', 'i', 't', 'u', 'd', 'e'
#define KEY_LOCATION  0x48, 'l', 'o', 'c', 'a', 't', 'i', 'o', 'n'
#define KEY_COUNTRY   0x47, 'c', 'o', 'u', 'n', 't', 'r', 'y'
#define KEY_ISO_CODE  0x48, 'i', 's', 'o', '_', 'c', 'o', 'd', 'e'
#define MAP(pairs)    (0xe0 | (pairs))
#define FLOAT(a, b)   0x04, 0x08, a, b, 0, 0
#define TWO_AS_FLOAT  FLOAT(0x40, 0x00)

enum { PLENTY = 1000 };

static struct geodb_record decoded(struct bytes section, size_t offset)
{
	struct geodb_record r;
	struct reason why = {{0}};
	uint64_t left = PLENTY;

	if (geodb_record_decode(section, offset, &left, &r, &why) != ERR_OK)
		fail_msg("refused: %s", why.text);
	assert_true(left < PLENTY);
	return r;
}

static void assert_place(struct geodb_record r, double latitude, double longitude)
{
	assert_true(r.has_place);
	if (r.place.latitude != latitude || r.place.longitude != longitude)
		fail_msg("%f,%f instead of %f,%f", r.place.latitude, r.place.longitude, latitude,
		         longitude);
}

static void test_doubles_in_a_location_are_a_place(void **state)
{
	struct bytes s = SECTION(MAP(1), KEY_LOCATION, MAP(2), KEY_LATITUDE, 0x68, 0x3f, 0xf8, 0, 0,
	                         0, 0, 0, 0, KEY_LONGITUDE, 0x68, 0xc0, 0x5e, 0, 0, 0, 0, 0, 0);

	(void)state;
	assert_place(decoded(s, 0), 1.5, -120);
}

static void test_floats_integers_and_text_are_numbers_too(void **state)
{
	struct bytes floats =
		SECTION(MAP(2), KEY_LATITUDE, TWO_AS_FLOAT, KEY_LONGITUDE, FLOAT(0xbf, 0x80));
	struct bytes integers = SECTION(MAP(2), KEY_LATITUDE, 0xa1, 7, KEY_LONGITUDE, 0x04, 0x01,
	                                0xff, 0xff, 0xff, 0xf7);
	struct bytes texts = SECTION(MAP(2), KEY_LATITUDE, 0x45, '-', '3', '3', '.', '5',
	                             KEY_LONGITUDE, 0x41, '9');

	(void)state;
	assert_place(decoded(floats, 0), 2, -1);
	assert_place(decoded(integers, 0), 7, -9);
	assert_place(decoded(texts, 0), -33.5, 9);
}

static void test_pointers_are_followed(void **state)
{
	/* 0: "US"; 3: a country; 15: the record, its key and its country by pointer. */
	struct bytes s = SECTION(0x42, 'u', 's', MAP(1), KEY_ISO_CODE, 0x20, 0, KEY_COUNTRY, MAP(1),
	                         0x20, 15, 0x20, 3);
	struct geodb_record r = decoded(s, 23);

	(void)state;
	assert_string_equal(r.area.country, "US");
	assert_place(r, 39.83, -98.58);
}

static void test_the_more_exact_field_wins(void **state)
{
	struct bytes s = SECTION(MAP(4), KEY_COUNTRY, 0x42, 'D', 'E', KEY_LATITUDE, TWO_AS_FLOAT,
	                         KEY_LONGITUDE, TWO_AS_FLOAT, KEY_LOCATION, MAP(2), KEY_LATITUDE,
	                         0xa1, 5, KEY_LONGITUDE, 0xa1, 6);
	struct geodb_record r = decoded(s, 0);

	(void)state;
	assert_place(r, 5, 6);
	assert_string_equal(r.area.country, "DE");
}

static void test_half_a_place_falls_back_to_the_country(void **state)
{
	struct bytes s = SECTION(MAP(2), KEY_COUNTRY, 0x42, 'D', 'E', KEY_LATITUDE, TWO_AS_FLOAT);

	(void)state;
	assert_place(decoded(s, 0), 51.17, 10.45);
}

static void test_null_island_is_no_place(void **state)
{
	struct bytes s = SECTION(MAP(2), KEY_LATITUDE, 0xa0, KEY_LONGITUDE, 0xa0);

	(void)state;
	assert_false(decoded(s, 0).has_place);
}

static void test_coordinates_out_of_bounds_are_no_place(void **state)
{
	struct bytes s = SECTION(MAP(2), KEY_LATITUDE, 0xa1, 91, KEY_LONGITUDE, 0xa1, 1);
	struct bytes nan = SECTION(MAP(2), KEY_LATITUDE, FLOAT(0x7f, 0xc0), KEY_LONGITUDE, 0xa1, 1);

	(void)state;
	assert_false(decoded(s, 0).has_place);
	assert_false(decoded(nan, 0).has_place);
}

static void test_a_record_without_a_place_has_none(void **state)
{
	(void)state;
	assert_false(decoded(SECTION(MAP(0)), 0).has_place);
	assert_false(decoded(SECTION(0x42, 'D', 'E'), 0).has_place);
	assert_false(decoded(SECTION(MAP(1), KEY_COUNTRY, 0x42, 'Z', 'Z'), 0).has_place);
	assert_false(decoded(SECTION(MAP(1), KEY_COUNTRY, 0x43, 'D', 'E', 'U'), 0).has_place);
}

static void assert_malformed(struct bytes section, size_t offset)
{
	struct geodb_record r;
	struct reason why = {{0}};
	uint64_t left = PLENTY;

	assert_int_equal(geodb_record_decode(section, offset, &left, &r, &why), ERR_PARSE);
	assert_false(r.has_place);
	assert_string_not_equal(why.text, "");
}

static void test_damaged_records_are_refused(void **state)
{
	(void)state;
	assert_malformed(SECTION(MAP(1)), 0);
	assert_malformed(SECTION(MAP(1), KEY_LATITUDE), 0);
	assert_malformed(SECTION(MAP(1), 0x41), 0);
	assert_malformed(SECTION(MAP(1), 0xa1, 5, 0xa1, 5), 0);
	assert_malformed(SECTION(0x20, 9), 0);
	assert_malformed(SECTION(0x20, 0), 0);
	assert_malformed(SECTION(MAP(0)), 1);
	assert_malformed(SECTION(0xff, 0xff, 0xff, 0xff), 0);
	assert_malformed(SECTION(0x44, 'a'), 0);
}

static void test_deep_nesting_is_refused(void **state)
{
	uint8_t deep[400];

	(void)state;
	memset(deep, 0x01, sizeof(deep));
	for (size_t i = 1; i < sizeof(deep); i += 2)
		deep[i] = 0x04;
	assert_malformed((struct bytes){deep, sizeof(deep)}, 0);
}

static void test_work_is_bounded_over_a_whole_file(void **state)
{
	struct bytes s = SECTION(MAP(1), KEY_COUNTRY, 0x42, 'D', 'E');
	struct geodb_record r;
	uint64_t left = 8;

	(void)state;
	assert_int_equal(geodb_record_decode(s, 0, &left, &r, NULL), ERR_OK);
	assert_int_equal(left, 3);
	assert_int_equal(geodb_record_decode(s, 0, &left, &r, NULL), ERR_PARSE);
	assert_int_equal(left, 0);
}

static void test_any_bytes_are_bounded(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (uint64_t seed = 0; seed < 200000; seed++) {
		struct geodb_record r;
		uint64_t left = PLENTY;

		for (size_t i = 0; i < sizeof(bytes); i += 8) {
			uint64_t v = hash_mix(seed, i);

			memcpy(bytes + i, &v, sizeof(v));
		}
		bytes[0] = (uint8_t)MAP(bytes[0] & 7);
		if (geodb_record_decode((struct bytes){bytes, sizeof(bytes)}, 0, &left, &r, NULL) ==
		    ERR_OK)
			assert_true(!r.has_place || place_is_valid(&r.place));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_in_a_location_are_a_place),
		cmocka_unit_test(test_floats_integers_and_text_are_numbers_too),
		cmocka_unit_test(test_pointers_are_followed),
		cmocka_unit_test(test_the_more_exact_field_wins),
		cmocka_unit_test(test_half_a_place_falls_back_to_the_country),
		cmocka_unit_test(test_null_island_is_no_place),
		cmocka_unit_test(test_coordinates_out_of_bounds_are_no_place),
		cmocka_unit_test(test_a_record_without_a_place_has_none),
		cmocka_unit_test(test_damaged_records_are_refused),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_work_is_bounded_over_a_whole_file),
		cmocka_unit_test(test_any_bytes_are_bounded),
	};

	return cmocka_run_group_tests_name("geo/geodb_record", tests, NULL, NULL);
}
