/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geo/regions.h"

static void assert_region(const char *name, const char *provider, double latitude, double longitude)
{
	const struct region *r = regions_find(bytes_of(name));
	struct place p = {latitude, longitude};

	if (r == NULL)
		fail_msg("%s is unknown", name);
	else if (strcmp(r->provider, provider) != 0 || place_distance_km(&r->place, &p) > 60)
		fail_msg("%s is of %s at %.2f,%.2f", name, r->provider, r->place.latitude,
		         r->place.longitude);
}

static void test_every_cloud_has_its_regions(void **state)
{
	(void)state;
	assert_region("us-east-1", "aws", 39.04, -77.49);
	assert_region("ap-southeast-2", "aws", -33.87, 151.21);
	assert_region("us-central1", "google", 41.26, -95.86);
	assert_region("europe-west4", "google", 53.4, 6.8);
	assert_region("eastus", "azure", 39.04, -77.49);
	assert_region("westeurope", "azure", 52.37, 4.9);
	assert_region("cn-hangzhou", "alibaba", 30.27, 120.16);
	assert_region("nyc3", "digitalocean", 40.71, -74.01);
	assert_region("us-ashburn-1", "oracle", 39.04, -77.49);
	assert_region("us-south", "ibm", 32.78, -96.8);
	assert_region("fsn1", "hetzner", 50.48, 12.37);
	assert_region("GRA11", "ovh", 50.99, 2.13);
	assert_region("us-central", "linode", 32.78, -96.8);
}

static void test_case_does_not_matter(void **state)
{
	(void)state;
	assert_ptr_equal(regions_find(bytes_of("gra")), regions_find(bytes_of("GRA")));
	assert_ptr_equal(regions_find(bytes_of("US-East-1")), regions_find(bytes_of("us-east-1")));
}

static void test_the_first_provider_keeps_a_name(void **state)
{
	(void)state;
	assert_region("eu-west-1", "aws", 53.35, -6.26);
	assert_region("us-east", "ibm", 38.91, -77.04);
}

static void test_unknown_names_are_not_found(void **state)
{
	static const char nul[] = "fsn1\0x";

	(void)state;
	assert_null(regions_find(bytes_of("")));
	assert_null(regions_find(bytes_of("us-east-11")));
	assert_null(regions_find(bytes_of("us-eas")));
	assert_null(regions_find((struct bytes){(const uint8_t *)nul, 6}));
	assert_null(regions_find(bytes_of(
		"a-name-that-is-longer-than-any-cloud-would-ever-give-to-one-of-its-regions")));
}

/* Also that searching by halves finds each. */
static void test_the_table_is_sorted_and_valid(void **state)
{
	size_t count;
	const struct region *all = regions_all(&count);

	(void)state;
	assert_true(count > 300);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(regions_find(bytes_of(all[i].name)), &all[i]);
		assert_true(place_is_valid(&all[i].place));
		assert_int_equal(strncmp(all[i].source, "city: ", 6), 0);
	}
}

static void test_countries_have_a_middle(void **state)
{
	struct regions_country c;
	struct place berlin = {52.52, 13.41};

	(void)state;
	assert_true(regions_find_country(bytes_of("de"), &c));
	assert_true(place_distance_km(&c.place, &berlin) < 400);
	assert_true(regions_find_country(bytes_of("ZW"), &c));
	assert_true(regions_find_country(bytes_of("AD"), &c));
	assert_false(regions_find_country(bytes_of("ZZ"), &c));
	assert_false(regions_find_country(bytes_of(""), &c));
	assert_false(regions_find_country(bytes_of("DEU"), &c));
}

static void test_a_country_has_a_continent_and_a_size(void **state)
{
	struct regions_country c;

	(void)state;
	assert_true(regions_find_country(bytes_of("DE"), &c));
	assert_string_equal(c.continent, "EU");
	/* 357,000 square kilometres. */
	assert_int_equal(regions_country_radius_km(&c), 338);
	assert_true(regions_find_country(bytes_of("va"), &c));
	assert_int_equal(regions_country_radius_km(&c), 1);
	assert_true(regions_find_country(bytes_of("RU"), &c));
	assert_true(regions_country_radius_km(&c) > 2300);
}

static void test_all_of_iso_3166_is_there(void **state)
{
	struct regions_country c;
	size_t count = 0;

	(void)state;
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++) {
			char code[3] = {a, b, '\0'};

			if (!regions_find_country(bytes_of(code), &c))
				continue;
			count++;
			assert_true(place_is_valid(&c.place));
			assert_true(c.place.latitude != 0 || c.place.longitude != 0);
			assert_non_null(strstr("AF AN AS EU NA OC SA", c.continent));
			assert_int_equal(strlen(c.continent), 2);
			assert_true(c.area_km2 > 0 && regions_country_radius_km(&c) > 0);
		}
	assert_int_equal(count, 249 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cloud_has_its_regions),
		cmocka_unit_test(test_case_does_not_matter),
		cmocka_unit_test(test_the_first_provider_keeps_a_name),
		cmocka_unit_test(test_unknown_names_are_not_found),
		cmocka_unit_test(test_the_table_is_sorted_and_valid),
		cmocka_unit_test(test_countries_have_a_middle),
		cmocka_unit_test(test_a_country_has_a_continent_and_a_size),
		cmocka_unit_test(test_all_of_iso_3166_is_there),
	};

	return cmocka_run_group_tests_name("geo/regions", tests, NULL, NULL);
}
