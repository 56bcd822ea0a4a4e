/* geography.c -- files that say where clients are: broken, missing, cut short, and good again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/support/geo_mmdb.h"
#include "tests/support/world.h"

#define WEB     "web.shop.fed.svc.example.com"
#define BOSTON  "192.0.2.0/24"
#define NEARBY  "10.1.2.0/24" /* in the database alone */
#define IN_NY   "198.18.1.10"
#define IN_LA   "198.18.3.10"
#define NOWHERE "198.18.2.10" /* houston is the first by name */

static void put_database(struct world *w, const char *record)
{
	struct geo_mmdb *m = geo_mmdb_new(6, 28);

	geo_mmdb_put(m, "10.1.0.0/16", record);
	geo_mmdb_write(m, world_path(w, "city.mmdb"));
	geo_mmdb_free(m);
}

static void three_cities_with_both(struct world *w)
{
	world_three_cities(w);
	world_config(w, "geo: {networks: networks.csv, databases: [city.mmdb]}");
}

static void test_without_one_file_the_others_count_from_the_start(void **state)
{
	struct world *w = *state;

	three_cities_with_both(w);
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, IN_NY, 0);
	world_expect(w, WEB, "A", NEARBY, NOWHERE, 0);
	world_expect_http(w, "/status", "city.mmdb: cannot be read: No such file or directory", 0);
	world_expect_log(w, "warn  geo: ", 0);
	world_expect_log(w, "city.mmdb: cannot be read: No such file or directory", 0);
	put_database(w, "{\"latitude\":34.1,\"longitude\":-118.2}");
	world_expect(w, WEB, "A", NEARBY, IN_LA, 5000);
	world_expect_http(w, "/status", "!city.mmdb", 1000);
	world_expect(w, WEB, "A", BOSTON, IN_NY, 0);
}

static void test_a_file_is_taken_up_while_another_is_missing(void **state)
{
	struct world *w = *state;

	three_cities_with_both(w);
	world_start(w);
	world_write(w, "networks.csv", "192.0.2.0/24,34.05,-118.24,moved\n");
	world_expect(w, WEB, "A", BOSTON, IN_LA, 5000);
	world_expect_http(w, "/status", "city.mmdb: ", 0);
}

static void test_a_broken_database_stays_as_it_was_until_it_is_good_again(void **state)
{
	struct world *w = *state;

	three_cities_with_both(w);
	put_database(w, "{\"latitude\":40.7,\"longitude\":-74.1}");
	world_start(w);
	world_expect(w, WEB, "A", NEARBY, IN_NY, 0);
	world_write_in_place(w, "city.mmdb", "cut");
	world_expect_http(w, "/status", "city.mmdb: is not a MaxMind database", 5000);
	world_expect_stays(w, WEB, "A", NEARBY, IN_NY, 500);
	world_remove(w, "city.mmdb");
	world_expect_http(w, "/status", "city.mmdb: cannot be read", 5000);
	world_expect_stays(w, WEB, "A", NEARBY, IN_NY, 500);
	put_database(w, "{\"latitude\":34.1,\"longitude\":-118.2}");
	world_expect(w, WEB, "A", NEARBY, IN_LA, 5000);
	world_expect_http(w, "/status", "!city.mmdb", 1000);
}

enum { TIME_SIZE = sizeof "2026-01-02T03:04:05Z" };

static void now_as_text(char out[TIME_SIZE])
{
	time_t now = time(NULL);

	assert_int_equal(strftime(out, TIME_SIZE, "%FT%TZ", gmtime(&now)), TIME_SIZE - 1);
}

/* Of the only error. */
static void error_since(struct world *w, char out[TIME_SIZE])
{
	const char *at = strstr(world_get(w, "/status", NULL), "city.mmdb: ");

	at = at != NULL ? strstr(at, "\"since\":\"") : NULL;
	if (at == NULL)
		world_fail(w, "/status does not say since when city.mmdb is an error");
	snprintf(out, TIME_SIZE, "%s", at + strlen("\"since\":\""));
}

static void test_an_error_of_a_file_tells_since_when_it_stands(void **state)
{
	struct world *w = *state;
	char begun[TIME_SIZE], since[TIME_SIZE], again[TIME_SIZE], now[TIME_SIZE];

	three_cities_with_both(w);
	now_as_text(begun);
	world_start(w);
	error_since(w, since);
	now_as_text(now);
	assert_true(strcmp(begun, since) <= 0 && strcmp(since, now) <= 0);
	world_expect_log(w, "warn  geo: file not taken up: ", 0);
	world_write(w, "networks.csv", "192.0.2.0/24,34.05,-118.24,moved\n");
	world_expect(w, WEB, "A", BOSTON, IN_LA, 5000);
	error_since(w, again);
	assert_string_equal(again, since);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_without_one_file_the_others_count_from_the_start),
		world_test(test_a_file_is_taken_up_while_another_is_missing),
		world_test(test_a_broken_database_stays_as_it_was_until_it_is_good_again),
		world_test(test_an_error_of_a_file_tells_since_when_it_stands),
	};

	return cmocka_run_group_tests_name("scenario/geography", tests, NULL, NULL);
}
