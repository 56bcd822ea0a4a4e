/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "geo/place.h"

static void assert_parses(const char *text, double latitude, double longitude)
{
	struct place p;

	assert_true(place_parse(bytes_of(text), &p));
	assert_true(p.latitude == latitude && p.longitude == longitude);
}

static void test_a_place_is_two_numbers_with_a_comma(void **state)
{
	(void)state;
	assert_parses("34.05,-118.24", 34.05, -118.24);
	assert_parses("  -90 , 180 ", -90, 180);
	assert_parses("0,0", 0, 0);
}

static void test_what_is_not_a_place_is_refused(void **state)
{
	static const char *const wrong[] = {"",        ",",       "1",        "1,",    "1,2,3",
	                                    "90.01,0", "0,180.5", "-91,0",    "nan,0", "0,inf",
	                                    "1 2,3",   "x,y",     "0x10,0x10"};
	struct place p = {7, 8};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (place_parse(bytes_of(wrong[i]), &p))
			fail_msg("'%s' was taken for a place", wrong[i]);
	assert_true(p.latitude == 7 && p.longitude == 8);
}

static void test_not_a_number_is_no_valid_place(void **state)
{
	struct place p = {(double)NAN, 0}, q = {0, (double)NAN};

	(void)state;
	assert_false(place_is_valid(&p));
	assert_false(place_is_valid(&q));
}

static void assert_distance(struct place a, struct place b, double km, double tolerance)
{
	double there = place_distance_km(&a, &b), back = place_distance_km(&b, &a);

	if (fabs(there - km) > tolerance || there != back)
		fail_msg("%.9f km (back %.9f) instead of %.9f", there, back, km);
}

static void test_distances_follow_great_circles(void **state)
{
	struct place boston = {42.36, -71.06}, new_york = {40.71, -74.01}, paris = {48.85, 2.35};
	double half = M_PI * 6371.0088;

	(void)state;
	assert_distance(new_york, new_york, 0, 0);
	assert_distance(boston, new_york, 306, 1);
	assert_distance(paris, new_york, 5837, 3);
	assert_distance((struct place){0, 0}, (struct place){0, 90}, half / 2, 1e-6);
	assert_distance((struct place){0, 0}, (struct place){0, 180}, half, 1e-6);
	assert_distance((struct place){90, 12}, (struct place){-90, 99}, half, 1e-6);
}

static void test_the_antimeridian_is_no_border(void **state)
{
	(void)state;
	assert_distance((struct place){0, 179.5}, (struct place){0, -179.5}, 6371.0088 * M_PI / 180,
	                1e-6);
	assert_distance((struct place){10, 180}, (struct place){10, -180}, 0, 1e-9);
}

static void test_a_degree_of_longitude_shrinks_to_the_north(void **state)
{
	(void)state;
	assert_distance((struct place){60, 10}, (struct place){60, 11}, 55.6, 0.1);
}

static void test_metres_are_told_apart(void **state)
{
	(void)state;
	assert_distance((struct place){52, 13}, (struct place){52.00001, 13}, 0.00111195, 1e-7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_place_is_two_numbers_with_a_comma),
		cmocka_unit_test(test_what_is_not_a_place_is_refused),
		cmocka_unit_test(test_not_a_number_is_no_valid_place),
		cmocka_unit_test(test_distances_follow_great_circles),
		cmocka_unit_test(test_the_antimeridian_is_no_border),
		cmocka_unit_test(test_a_degree_of_longitude_shrinks_to_the_north),
		cmocka_unit_test(test_metres_are_told_apart),
	};

	return cmocka_run_group_tests_name("geo/place", tests, NULL, NULL);
}
