/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "geo/geodb.h"
#include "tests/support/geo_files.h"
#include "tests/support/geo_mmdb.h"

#define BOSTON                                                                                     \
	"{\"location\":{\"latitude\":42.36,\"longitude\":-71.06},\"country\":{\"iso_code\":"       \
	"\"US\"}}"
#define AUSTIN                                                                                     \
	"{\"location\":{\"latitude\":30.27,\"longitude\":-97.74},\"country\":{\"iso_code\":"       \
	"\"US\"}}"
#define PARIS "{\"latitude\":\"48.86\",\"longitude\":\"2.35\",\"country_code\":\"FR\"}"
#define GERMANY                                                                                    \
	"{\"country\":{\"iso_code\":\"DE\",\"names\":{\"en\":\"Germany\",\"de\":\"Deutschland\"}}" \
	"}"
#define NOWHERE "{\"autonomous_system_number\":64500}"

/* Files of a test, and the geodb made of them; opened again, of what changed. */
struct fixture {
	char *databases[3];
	size_t count;
	char *networks;
	struct geodb *g;
	char *errors;
	enum err err;
};

static void add_database(struct fixture *f, struct geo_mmdb *take_m)
{
	f->databases[f->count++] = geo_file_new(geo_mmdb_bytes(take_m));
	geo_mmdb_free(take_m);
}

static void add_networks(struct fixture *f, const char *text)
{
	f->networks = geo_file_new(bytes_of(text));
}

static void open_all(struct fixture *f)
{
	struct geodb *before = f->g;

	free(f->errors);
	f->err = geodb_open((const char *const *)f->databases, f->count, f->networks, before, &f->g,
	                    &f->errors);
	geodb_free(before);
	assert_non_null(f->g);
	assert_int_equal(f->err == ERR_OK, f->errors == NULL);
}

static void open_well(struct fixture *f)
{
	open_all(f);
	if (f->err != ERR_OK)
		fail_msg("%s", f->errors);
}

static void fixture_fini(struct fixture *f)
{
	geodb_free(f->g);
	free(f->errors);
	for (size_t i = 0; i < f->count; i++)
		geo_file_remove(f->databases[i]);
	if (f->networks != NULL)
		geo_file_remove(f->networks);
}

static struct geodb_match find(const struct fixture *f, const char *address)
{
	struct addr a = {0};

	assert_true(addr_parse(bytes_of(address), &a));
	return geodb_find(f->g, &a);
}

static void assert_found(const struct fixture *f, const char *address, const char *network,
                         double latitude, double longitude, const char *label)
{
	struct geodb_match m = find(f, address);
	char text[ADDR_NETWORK_TEXT_SIZE];

	if (m.database == NULL || m.place == NULL)
		fail_msg("%s has no place", address);
	assert_string_equal(addr_network_print(&m.network, text), network);
	if (m.place->latitude != latitude || m.place->longitude != longitude)
		fail_msg("%s is at %f,%f", address, m.place->latitude, m.place->longitude);
	assert_string_equal(m.label, label);
}

static void assert_not_found(const struct fixture *f, const char *address)
{
	struct geodb_match m = find(f, address);

	assert_null(m.database);
	assert_null(m.place);
	assert_string_equal(m.label, "");
}

static void test_no_files_at_all_are_an_empty_geodb(void **state)
{
	struct fixture f = {0};

	(void)state;
	open_well(&f);
	assert_int_equal(geodb_place_count(f.g), 0);
	assert_not_found(&f, "192.0.2.1");
	fixture_fini(&f);
	geodb_free(NULL);
}

static void look_through(unsigned ip_version, unsigned record_size)
{
	struct geo_mmdb *m = geo_mmdb_new(ip_version, record_size);
	struct fixture f = {0};

	geo_mmdb_put(m, "192.0.2.0/24", BOSTON);
	geo_mmdb_put(m, "198.51.100.0/25", GERMANY);
	geo_mmdb_put(m, "203.0.113.0/24", NOWHERE);
	geo_mmdb_put(m, "203.0.113.64/26", PARIS);
	if (ip_version == 6) {
		geo_mmdb_put(m, "2001:db8::/32", AUSTIN);
		geo_mmdb_alias(m);
	}
	add_database(&f, m);
	open_well(&f);
	assert_found(&f, "192.0.2.77", "192.0.2.0/24", 42.36, -71.06, "US");
	assert_found(&f, "::ffff:192.0.2.77", "192.0.2.0/24", 42.36, -71.06, "US");
	assert_found(&f, "198.51.100.1", "198.51.100.0/25", 51.17, 10.45, "DE");
	assert_found(&f, "203.0.113.100", "203.0.113.64/26", 48.86, 2.35, "FR");
	assert_not_found(&f, "198.51.100.128");
	assert_not_found(&f, "203.0.113.1");
	assert_int_equal(geodb_place_count(f.g), ip_version == 6 ? 4 : 3);
	if (ip_version == 6) {
		assert_found(&f, "2001:db8:1::1", "2001:db8::/32", 30.27, -97.74, "US");
		assert_not_found(&f, "::192.0.2.1");
		/* 6to4 and Teredo lead to the IPv4 tree. */
		assert_found(&f, "2002:c000:201::1", "2002:c000:200::/40", 42.36, -71.06, "US");
		assert_found(&f, "2001:0:c000:201::1", "2001:0:c000:200::/56", 42.36, -71.06, "US");
	} else {
		assert_not_found(&f, "2001:db8:1::1");
		assert_not_found(&f, "::192.0.2.1");
	}
	fixture_fini(&f);
}

static void test_databases_of_either_version_and_any_record_size_are_read(void **state)
{
	(void)state;
	for (unsigned size = 24; size <= 32; size += 4) {
		look_through(4, size);
		look_through(6, size);
	}
}

static void test_the_country_may_be_in_several_fields(void **state)
{
	static const char *const records[] = {
		"{\"country\":{\"iso_code\":\"se\"}}",
		"{\"registered_country\":{\"iso_code\":\"SE\"}}",
		"{\"country_code\":\"SE\"}",
		"{\"country\":\"SE\"}",
		"{\"country\":{\"geoname_id\":5},\"registered_country\":{\"iso_code\":\"SE\"}}",
		"{\"country\":{\"iso_code\":\"SE\"},\"registered_country\":{\"iso_code\":\"DE\"}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct geo_mmdb *m = geo_mmdb_new(4, 24);
		struct fixture f = {0};

		geo_mmdb_put(m, "192.0.2.0/24", records[i]);
		add_database(&f, m);
		open_well(&f);
		assert_found(&f, "192.0.2.1", "192.0.2.0/24", 60.13, 18.64, "SE");
		fixture_fini(&f);
	}
}

static void assert_record(const char *record, const char *continent, const char *country,
                          const char *subdivision, unsigned accuracy_km)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);
	struct fixture f = {0};
	const struct area *a;

	geo_mmdb_put(m, "192.0.2.0/24", record);
	add_database(&f, m);
	open_well(&f);
	a = find(&f, "192.0.2.1").area;
	assert_string_equal(a->continent, continent);
	assert_string_equal(a->country, country);
	assert_string_equal(a->subdivision, subdivision);
	assert_int_equal(find(&f, "192.0.2.1").accuracy_km, accuracy_km);
	fixture_fini(&f);
}

static void test_records_say_the_area_and_how_exact_they_are(void **state)
{
	(void)state;
	assert_record("{\"continent\":{\"code\":\"NA\",\"geoname_id\":1},"
	              "\"country\":{\"iso_code\":\"US\"},\"location\":{\"accuracy_radius\":50,"
	              "\"latitude\":34.0,\"longitude\":-118.2},\"subdivisions\":[{\"iso_code\":"
	              "\"CA\",\"names\":{\"en\":\"California\"}},{\"iso_code\":\"LA\"}]}",
	              "NA", "US", "US-CA", 50);
	assert_record("{\"country_code\":\"us\",\"latitude\":34.0,\"longitude\":-118.2,"
	              "\"state1\":\"California\"}",
	              "NA", "US", "US-California", 0);
	/* Its continent is the country's, its place the country's middle. */
	assert_record("{\"country\":{\"iso_code\":\"DE\"},\"subdivisions\":[]}", "EU", "DE", "",
	              338);
	assert_record("{\"latitude\":34.5,\"longitude\":-118.2}", "", "", "", 0);
	assert_record("{\"subdivisions\":[5],\"continent\":\"EU\",\"country\":\"GR\"}", "EU", "GR",
	              "", 205);
}

static void test_the_first_database_that_knows_wins_and_the_csv_overrides(void **state)
{
	struct geo_mmdb *one = geo_mmdb_new(4, 24), *two = geo_mmdb_new(6, 28);
	struct fixture f = {0};

	(void)state;
	geo_mmdb_put(one, "192.0.2.0/25", PARIS);
	geo_mmdb_put(one, "198.51.100.0/24", NOWHERE);
	geo_mmdb_put(two, "192.0.2.0/24", BOSTON);
	geo_mmdb_put(two, "198.51.100.0/24", AUSTIN);
	geo_mmdb_put(two, "2001:db8::/32", AUSTIN);
	add_database(&f, one);
	add_database(&f, two);
	add_networks(&f, "192.0.2.8/29,1,2,office\n192.0.2.0/28,3,4\n2001:db8:5::/48,5,6,lab\n");
	open_well(&f);
	assert_found(&f, "192.0.2.20", "192.0.2.0/25", 48.86, 2.35, "FR");
	assert_found(&f, "192.0.2.200", "192.0.2.0/24", 42.36, -71.06, "US");
	assert_found(&f, "198.51.100.1", "198.51.100.0/24", 30.27, -97.74, "US");
	assert_found(&f, "192.0.2.9", "192.0.2.8/29", 1, 2, "office");
	assert_found(&f, "192.0.2.1", "192.0.2.0/28", 3, 4, "");
	assert_found(&f, "2001:db8:5::1", "2001:db8:5::/48", 5, 6, "lab");
	assert_found(&f, "2001:db8:6::1", "2001:db8::/32", 30.27, -97.74, "US");
	assert_string_equal(find(&f, "192.0.2.9").database, strrchr(f.networks, '/') + 1);
	assert_string_equal(find(&f, "198.51.100.1").database, strrchr(f.databases[1], '/') + 1);
	fixture_fini(&f);
}

struct heard {
	const struct geodb *g;
	struct geodb_span last;
	size_t count;
};

static bool is_sibling(const struct addr_network *a, const struct addr_network *b)
{
	struct addr_network parent = *a;

	if (a->len != b->len || a->len == 0)
		return false;
	parent.len--;
	parent.addr = addr_masked(&parent.addr, parent.len);
	return addr_network_has(&parent, &b->addr);
}

static void on_span(const struct geodb_span *span, void *arg)
{
	struct heard *h = arg;
	struct geodb_match m = geodb_find(h->g, &span->network.addr);

	if (h->count > 0) {
		assert_true(addr_compare(&h->last.network.addr, &span->network.addr) < 0);
		assert_false(is_sibling(&h->last.network, &span->network) &&
		             h->last.place == span->place && h->last.area == span->area &&
		             h->last.accuracy_km == span->accuracy_km);
	}
	assert_ptr_equal(m.area, geodb_area(h->g, span->area));
	assert_int_equal(m.accuracy_km, span->accuracy_km);
	if (span->place < 0)
		assert_null(m.place);
	else
		assert_ptr_equal(m.place, geodb_place(h->g, span->place));
	h->last = *span;
	h->count++;
}

static void assert_spans(const struct fixture *f, enum addr_family family, size_t count)
{
	struct heard h = {.g = f->g};

	geodb_each(f->g, family, on_span, &h);
	assert_int_equal(h.count, count);
}

static void test_spans_cover_everything_with_siblings_merged(void **state)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);
	struct fixture f = {0};

	(void)state;
	geo_mmdb_put(m, "0.0.0.0/2", BOSTON);
	geo_mmdb_put(m, "64.0.0.0/2",
	             "{\"latitude\":42.36,\"longitude\":-71.06,\"country\":\"US\"}");
	geo_mmdb_put(m, "128.0.0.0/2", PARIS);
	add_database(&f, m);
	add_networks(&f, "0.0.0.0/3,42.36,-71.06\n");
	open_well(&f);
	assert_int_equal(geodb_place_count(f.g), 2);
	assert_spans(&f, ADDR_IPV4, 3);
	/* The same three in ::ffff:0:0/96, and what lies around that. */
	assert_spans(&f, ADDR_IPV6, 3 + 96);
	fixture_fini(&f);
}

static void test_places_that_are_known_better_or_are_elsewhere_are_kept_apart(void **state)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);
	struct fixture f = {0};

	(void)state;
	geo_mmdb_put(m, "0.0.0.0/2", BOSTON);
	geo_mmdb_put(m, "64.0.0.0/2", "{\"latitude\":42.36,\"longitude\":-71.06}");
	geo_mmdb_put(m, "128.0.0.0/2",
	             "{\"location\":{\"latitude\":42.36,\"longitude\":-71.06,"
	             "\"accuracy_radius\":20}}");
	add_database(&f, m);
	add_networks(&f, "0.0.0.0/3,42.36,-71.06,US-MA\n32.0.0.0/3,42.36,-71.06,Boston\n");
	open_well(&f);
	assert_int_equal(geodb_place_count(f.g), 1);
	assert_int_equal(geodb_area_count(f.g), 3);
	assert_spans(&f, ADDR_IPV4, 5);
	fixture_fini(&f);
}

static void assert_area(const struct fixture *f, const char *address, const char *continent,
                        const char *country, const char *subdivision)
{
	const struct area *a = find(f, address).area;

	assert_string_equal(a->continent, continent);
	assert_string_equal(a->country, country);
	assert_string_equal(a->subdivision, subdivision);
}

static void test_the_area_is_the_csvs_or_of_the_database_below(void **state)
{
	struct geo_mmdb *one = geo_mmdb_new(4, 24), *two = geo_mmdb_new(4, 24);
	struct fixture f = {0};

	(void)state;
	geo_mmdb_put(one, "192.0.2.0/25", NOWHERE);
	geo_mmdb_put(one, "192.0.2.128/25", GERMANY);
	geo_mmdb_put(two, "192.0.2.0/24", PARIS);
	add_database(&f, one);
	add_database(&f, two);
	add_networks(&f, "192.0.2.0/26,1,1,office\n192.0.2.64/26,1,1,US-CA\n"
	                 "192.0.2.128/26,1,1,ZZ\n198.51.100.0/24,1,1,office\n");
	open_well(&f);
	assert_area(&f, "192.0.2.1", "EU", "FR", "");
	assert_area(&f, "192.0.2.65", "NA", "US", "US-CA");
	assert_area(&f, "192.0.2.129", "EU", "DE", "");
	assert_found(&f, "192.0.2.129", "192.0.2.128/26", 1, 1, "ZZ");
	assert_area(&f, "198.51.100.1", "", "", "");
	assert_int_equal(find(&f, "192.0.2.1").accuracy_km, 0);
	assert_int_equal(find(&f, "192.0.2.200").accuracy_km, 338);
	assert_spans(&f, ADDR_IPV4, 46);
	fixture_fini(&f);
}

static void test_minus_zero_is_zero(void **state)
{
	struct fixture f = {0};

	(void)state;
	add_networks(&f, "0.0.0.0/1,0,-0\n128.0.0.0/1,-0.0,0\n");
	open_well(&f);
	assert_int_equal(geodb_place_count(f.g), 1);
	assert_spans(&f, ADDR_IPV4, 1);
	fixture_fini(&f);
}

static void test_each_bad_file_gets_one_line(void **state)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);
	struct fixture f = {0};
	char expected[1024];

	(void)state;
	geo_mmdb_put(m, "192.0.2.0/24", BOSTON);
	add_database(&f, m);
	f.databases[f.count++] = geo_file_new(bytes_of("this is no database"));
	f.databases[f.count++] = strdup("/nonexistent/geo.mmdb");
	add_networks(&f, "\n192.0.2.0/24,1\n192.0.2.0/24\n");
	open_all(&f);
	assert_int_equal(f.err, ERR_PARSE);
	snprintf(expected, sizeof(expected),
	         "%s:2: a line is network,latitude,longitude[,label]\n"
	         "%s: is not a MaxMind database: %s\n"
	         "/nonexistent/geo.mmdb: cannot be read: No such file or directory\n",
	         f.networks, f.databases[1], "The MaxMind DB file contains invalid metadata");
	assert_string_equal(f.errors, expected);
	/* The others count. */
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 42.36, -71.06, "US");
	/* Without a place for the lines it fails as well. */
	geodb_free(f.g);
	assert_int_equal(
		geodb_open((const char *const *)f.databases, f.count, f.networks, NULL, &f.g, NULL),
		ERR_PARSE);
	fixture_fini(&f);
}

/* With the place of another city the file has another size, so it differs at once. */
static void rewrite(const struct fixture *f, size_t database, const char *record)
{
	struct geo_mmdb *m = geo_mmdb_new(4, 24);

	geo_mmdb_put(m, "192.0.2.0/24", record);
	geo_file_rewrite(f->databases[database], geo_mmdb_bytes(m));
	geo_mmdb_free(m);
}

static void add_three(struct fixture *f)
{
	for (size_t i = 0; i < 2; i++)
		f->databases[f->count++] = geo_file_new(bytes_of("soon"));
	rewrite(f, 0, NOWHERE);
	rewrite(f, 1, BOSTON);
	add_networks(f, "198.51.100.0/24,1,2,office\n");
	open_well(f);
}

static void test_what_has_not_changed_is_not_read_again(void **state)
{
	struct fixture f = {0};
	struct geodb *first = NULL, *again = NULL;

	(void)state;
	add_three(&f);
	assert_int_equal(
		geodb_open((const char *const *)f.databases, 2, f.networks, NULL, &first, NULL),
		ERR_OK);
	assert_int_equal(
		geodb_open((const char *const *)f.databases, 2, f.networks, first, &again, NULL),
		ERR_OK);
	assert_false(geodb_is_same(f.g, first));
	assert_true(geodb_is_same(first, again));
	geodb_free(first);
	rewrite(&f, 0, PARIS);
	assert_int_equal(
		geodb_open((const char *const *)f.databases, 2, f.networks, again, &first, NULL),
		ERR_OK);
	assert_false(geodb_is_same(first, again));
	geodb_free(again);
	assert_int_equal(geodb_open((const char *const *)f.databases, 2, NULL, first, &again, NULL),
	                 ERR_OK);
	assert_false(geodb_is_same(first, again));
	geodb_free(first);
	geodb_free(f.g);
	f.g = again;
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 48.86, 2.35, "FR");
	assert_not_found(&f, "198.51.100.1");
	fixture_fini(&f);
}

static void test_a_file_that_breaks_counts_as_it_was_and_the_others_as_they_are(void **state)
{
	struct fixture f = {0};

	(void)state;
	add_three(&f);
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 42.36, -71.06, "US");
	geo_file_rewrite(f.databases[1], bytes_of("this is no database"));
	geo_file_rewrite(f.networks, bytes_of("198.51.100.0/24,3,4,office\n\n"));
	open_all(&f);
	assert_int_equal(f.err, ERR_PARSE);
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 42.36, -71.06, "US");
	assert_found(&f, "198.51.100.1", "198.51.100.0/24", 3, 4, "office");
	/* It stays an error, and is as it was, until it is good again. */
	unlink(f.databases[1]);
	open_all(&f);
	assert_int_equal(f.err, ERR_IO);
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 42.36, -71.06, "US");
	rewrite(&f, 1, PARIS);
	open_well(&f);
	assert_found(&f, "192.0.2.1", "192.0.2.0/24", 48.86, 2.35, "FR");
	fixture_fini(&f);
}

static void test_folders_and_missing_tables_are_errors(void **state)
{
	struct geodb *g = NULL;
	char *errors = NULL;

	(void)state;
	assert_int_equal(geodb_open(NULL, 0, "/", NULL, &g, &errors), ERR_IO);
	assert_string_equal(errors, "/: is not a regular file\n");
	free(errors);
	geodb_free(g);
	assert_int_equal(geodb_open(NULL, 0, "/nonexistent.csv", NULL, &g, &errors), ERR_IO);
	assert_string_equal(errors,
	                    "/nonexistent.csv: cannot be read: No such file or directory\n");
	free(errors);
	assert_int_equal(geodb_place_count(g), 0);
	geodb_free(g);
}

static void test_a_tree_that_goes_in_a_circle_is_refused(void **state)
{
	struct geo_mmdb *m = geo_mmdb_new(6, 32);
	struct fixture f = {0};

	(void)state;
	geo_mmdb_put(m, "192.0.2.0/24", BOSTON);
	geo_mmdb_link(m, "2001:db8::/32", 5);
	add_database(&f, m);
	open_all(&f);
	assert_int_equal(f.err, ERR_PARSE);
	assert_non_null(strstr(f.errors, ": the search tree is not a tree\n"));
	fixture_fini(&f);
}

static struct geo_mmdb *varied_database(void)
{
	struct geo_mmdb *m = geo_mmdb_new(6, 28);
	char network[64], record[256];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(network, sizeof(network), "10.%u.%u.0/%u", i / 8, i * 32 % 256,
		         20 + i % 5);
		snprintf(record, sizeof(record),
		         "{\"location\":{\"latitude\":%u.5,\"longitude\":-%u},\"country\":{\"iso_"
		         "code\":\"US\",\"x\":[1,true]}}",
		         i, i + 1);
		geo_mmdb_put(m, network, record);
	}
	geo_mmdb_put(m, "2001:db8::/32", GERMANY);
	geo_mmdb_alias(m);
	return m;
}

static void count_span(const struct geodb_span *span, void *arg)
{
	(void)span;
	++*(size_t *)arg;
}

/* Opens a damaged file; whatever comes of it, it ends and can be walked. */
static bool survives(const char *path, struct bytes content)
{
	struct geodb *g = NULL;
	char *errors = NULL;
	size_t spans = 0;
	bool is_good;

	geo_file_rewrite(path, content);
	is_good = geodb_open(&path, 1, NULL, NULL, &g, &errors) == ERR_OK;
	geodb_each(g, ADDR_IPV4, count_span, &spans);
	geodb_each(g, ADDR_IPV6, count_span, &spans);
	assert_true(spans >= 2);
	if (!is_good)
		assert_int_equal(strncmp(errors, path, strlen(path)), 0);
	geodb_free(g);
	free(errors);
	return is_good;
}

static void test_a_file_cut_short_is_refused(void **state)
{
	struct geo_mmdb *m = varied_database();
	struct bytes all = geo_mmdb_bytes(m);
	char *path = geo_file_new(all);

	(void)state;
	assert_true(survives(path, all));
	/* Not inside of the description, see below. */
	for (size_t len = 0; len < all.len - 30; len += 7)
		assert_false(survives(path, (struct bytes){all.data, len}));
	geo_file_remove(path);
	geo_mmdb_free(m);
}

static void test_damaged_bytes_never_do_harm(void **state)
{
	struct geo_mmdb *m = varied_database();
	struct bytes all = geo_mmdb_bytes(m);
	uint8_t *copy = malloc(all.len);
	char *path = geo_file_new(all);
	/* libmaxminddb 1.7.1 forgets to free a damaged description, which stands at the very end. */
	size_t end = all.len - 30;

	(void)state;
	assert_non_null(copy);
	for (uint64_t seed = 0; seed < 3000; seed++) {
		memcpy(copy, all.data, all.len);
		for (uint64_t i = 0; i < 1 + seed % 20; i++) {
			uint64_t r = hash_mix(seed, i);

			copy[r % end] = (uint8_t)(r >> 32);
		}
		(void)survives(path, (struct bytes){copy, all.len});
	}
	free(copy);
	geo_file_remove(path);
	geo_mmdb_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_files_at_all_are_an_empty_geodb),
		cmocka_unit_test(test_databases_of_either_version_and_any_record_size_are_read),
		cmocka_unit_test(test_the_country_may_be_in_several_fields),
		cmocka_unit_test(test_records_say_the_area_and_how_exact_they_are),
		cmocka_unit_test(test_the_first_database_that_knows_wins_and_the_csv_overrides),
		cmocka_unit_test(test_spans_cover_everything_with_siblings_merged),
		cmocka_unit_test(test_places_that_are_known_better_or_are_elsewhere_are_kept_apart),
		cmocka_unit_test(test_the_area_is_the_csvs_or_of_the_database_below),
		cmocka_unit_test(test_minus_zero_is_zero),
		cmocka_unit_test(test_each_bad_file_gets_one_line),
		cmocka_unit_test(test_what_has_not_changed_is_not_read_again),
		cmocka_unit_test(
			test_a_file_that_breaks_counts_as_it_was_and_the_others_as_they_are),
		cmocka_unit_test(test_folders_and_missing_tables_are_errors),
		cmocka_unit_test(test_a_tree_that_goes_in_a_circle_is_refused),
		cmocka_unit_test(test_a_file_cut_short_is_refused),
		cmocka_unit_test(test_damaged_bytes_never_do_harm),
	};

	return cmocka_run_group_tests_name("geo/geodb", tests, NULL, NULL);
}
