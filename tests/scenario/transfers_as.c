/* transfers_as.c -- whose sites secondaries get (zones.transfer.as), and what they have when that changes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_secondaries.h"

#define WEB "web.shop.fed.svc.example.com"

enum { SOON_MS = 10000 };

static void configure(struct world *w, const struct peer *s, const char *as)
{
	char config[1024], notify[256];

	secondaries_print(s, notify, sizeof notify);
	snprintf(config, sizeof config,
	         "zones: [{name: example.com, transfer: {allow: [{address: " SECONDARIES_VIEWER
	         "/32}, {key: transfer}], notify: [%s], as: %s}}]\n"
	         "tsig: keys\n",
	         notify, as);
	world_config(w, config);
}

static void start(struct world *w, struct peer *s, const char *as)
{
	secondaries_write_keys(w);
	secondaries_init(s);
	configure(w, s, as);
	world_three_cities(w);
	world_start(w);
	world_expect_http(w, "/status/names?zone=example.com&prefix=web", "losangeles", SOON_MS);
}

static void reload(struct world *w, const struct peer *s, const char *as)
{
	configure(w, s, as);
	world_signal(w, SIGHUP);
}

/* Which of the three cities stand in the zone, "1", "2" and "3". */
static void expect_sites(struct world *w, const char *zone, const char *sites)
{
	for (char city = '1'; city <= '3'; city++) {
		char record[64];

		snprintf(record, sizeof record, WEB ". 180 IN A 198.18.%c.10\n", city);
		if ((strstr(zone, record) != NULL) != (strchr(sites, city) != NULL))
			world_fail(w, "sites %s and no others in\n%s", sites, zone);
	}
}

/* The serial of the zone that nighd hands out, whose sites are these (NULL: whichever). */
static unsigned serial_with(struct world *w, const char *sites)
{
	char *zone = secondaries_zone_at(w, world_dns_port(w));
	unsigned serial = secondaries_serial_in(zone);

	if (sites != NULL)
		expect_sites(w, zone, sites);
	free(zone);
	return serial;
}

/* A serial is one zone: the one that comes now has these sites, and what has changed since the one before leads to it. */
static void expect_other_serial(struct world *w, unsigned before, const char *sites)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	unsigned after = serial_with(w, NULL);
	char type[32], *changes;

	while (after == before && inside_has_time(deadline)) {
		inside_rest();
		after = serial_with(w, NULL);
	}
	if (after == before || after - before >= 1U << 31)
		world_fail(w, "%u does not come after %u", after, before);
	assert_int_equal(serial_with(w, sites), after);
	snprintf(type, sizeof type, "IXFR=%u", before);
	changes = secondaries_dig(w, world_dns_port(w), SECONDARIES_VIEWER, "", type);
	/* Or the whole zone; not the SOA alone. */
	if (strstr(changes, WEB) == NULL)
		world_fail(w, "from %u nothing has changed: %s", before, changes);
	free(changes);
}

static void test_secondaries_follow_when_other_sites_are_transferred(void **state)
{
	static const struct {
		const char *as, *sites;
	} steps[] = {{"houston", "2"}, {"newyork", "1"}, {"all", "123"}, {"losangeles", "3"}};
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	unsigned before;

	start(w, s, "all");
	secondaries_start(w, s);
	secondaries_expect(w, s);
	before = serial_with(w, "123");
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		reload(w, s, steps[i].as);
		expect_other_serial(w, before, steps[i].sites);
		secondaries_expect(w, s);
		/* And nothing of what was there stays behind the changes that follow. */
		world_endpoint(w, "a.yaml", "a", "a.example.com", "A",
		               i % 2 ? "198.18.0.1" : "198.18.0.2");
		world_expect(w, "a.example.com", "A", NULL, i % 2 ? "198.18.0.1" : "198.18.0.2",
		             SOON_MS);
		secondaries_expect(w, s);
		before = serial_with(w, steps[i].sites);
	}
	secondaries_stop(s);
}

/* --- what the cluster does not have --- */

/* A name that nighd answers is one that secondaries have (design.md 4). */
static void test_a_name_of_another_cluster_alone_is_transferred_too(void **state)
{
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	char *zone;

	secondaries_write_keys(w);
	secondaries_init(s);
	configure(w, s, "houston");
	world_three_cities(w);
	world_service(w, "newyork", "mail", "198.18.1.25", true, "");
	world_service_record(w, "mail", "fed");
	world_start(w);
	world_expect(w, "mail.shop.fed.svc.example.com", "A", NULL, "198.18.1.25", SOON_MS);
	zone = secondaries_zone_at(w, world_dns_port(w));
	assert_non_null(strstr(zone, "mail.shop.fed.svc.example.com. 180 IN A 198.18.1.25\n"));
	expect_sites(w, zone, "2");
	free(zone);
}

static void expect_error(struct world *w, bool is_there)
{
	const char *error = is_there ? "config zone example.com" : "!config zone example.com";

	world_expect_http(w, "/status", error, SOON_MS);
}

/* An operator has misspelt it, or it comes later: until then secondaries have all that nighd has. */
static void test_a_cluster_that_is_not_there_is_an_error_and_hides_nothing(void **state)
{
	static const char error[] =
		"transfer.as: there is no cluster tokyo, so every cluster's sites are transferred";
	struct world *w = *state;
	struct peer s[SECONDARIES_COUNT];
	char config[256];
	const char *const check[] = {"$NIGHD", "--check", "-c", config, NULL};
	unsigned before;

	snprintf(config, sizeof config, "%s", world_path(w, "nighd.yaml"));
	start(w, s, "tokyo");
	before = serial_with(w, "123");
	expect_error(w, true);
	world_expect_http(w, "/status", error, 0);
	world_expect_run(w, check, 0, "warning: config zone example.com: transfer.as: there is no");
	/* It comes. */
	world_service(w, "tokyo", "web", "198.18.3.10", true, "");
	world_remove(w, "manifests/clusters/losangeles");
	expect_error(w, false);
	world_expect(w, WEB, "A", "203.0.113.0/24", "198.18.3.10", SOON_MS);
	expect_other_serial(w, before, "3");
	world_remove(w, "manifests/clusters/tokyo");
	expect_error(w, true);
	/* With what is asked for, the error goes. */
	reload(w, s, "houston");
	expect_error(w, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_secondaries_follow_when_other_sites_are_transferred),
		world_test(test_a_name_of_another_cluster_alone_is_transferred_too),
		world_test(test_a_cluster_that_is_not_there_is_an_error_and_hides_nothing),
	};

	return cmocka_run_group_tests_name("scenario/transfers_as", tests, NULL, NULL);
}
