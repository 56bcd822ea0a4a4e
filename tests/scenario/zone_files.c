/* zone_files.c -- zones from master files: beside clusters, changed, broken and mended under questions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_inside.h"

#define HEAD   "$TTL 300\n@ SOA ns1 host 7 3600 900 604800 60\n NS ns1\nns1 A 127.0.0.1\n"
#define CONFIG "zones: [{name: example.com, file: zones/example.zone}]\n"
#define FILE_  "zones/example.zone"
#define WEB    "web.shop.fed.svc.example.com"
#define BOSTON "192.0.2.0/24"
#define DIGEST "0000000000000000000000000000000000000000000000000000000000000001"

/* All there is to see besides is an empty host. */
static void start(struct world *w, const char *config)
{
	world_folder(w, "manifests/host");
	world_config(w, config);
	world_start(w);
}

static void test_a_zone_is_served_from_its_file(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_write(w, FILE_, "%s%s", HEAD,
	            "@ MX 10 mail\nmail 60 A 192.0.2.25\nwww CNAME mail\n* TXT wild\n"
	            "sub NS ns.sub\nns.sub A 192.0.2.53\nold DNAME example.net.\n"
	            "t TYPE65280 \\# 4 01020304\n$INCLUDE more.inc inc\n");
	world_write(w, "zones/more.inc", "a.b AAAA 2001:db8::1\n");
	start(w, CONFIG);
	world_expect(w, "example.com", "MX", NULL, "10 mail.example.com.", 0);
	world_expect(w, "www.example.com", "A", NULL, "mail.example.com. 192.0.2.25", 0);
	world_expect(w, "any.example.com", "TXT", NULL, "\"wild\"", 0);
	world_expect(w, "a.b.inc.example.com", "AAAA", NULL, "2001:db8::1", 0);
	world_expect(w, "b.inc.example.com", "AAAA", NULL, "NODATA", 0);
	world_expect(w, "example.com", "NS", NULL, "ns1.example.com.", 0);
	world_expect(w, "x.sub.example.com", "A", NULL, "REFERRAL", 0);
	a = world_query(w, "x.sub.example.com", "A", NULL);
	assert_string_equal(a.additional, "ns.sub.example.com. A 192.0.2.53");
	a = world_query(w, "mail.example.com", "MX", NULL);
	assert_int_equal(a.ttl, 60);
	assert_non_null(
		strstr(a.authority, "example.com. SOA ns1.example.com. host.example.com. "));
	assert_true(world_metric(w, "dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}") >=
	            8);
}

static void test_clusters_and_file_give_one_zone(void **state)
{
	struct world *w = *state;

	world_write(w, FILE_, "%s%s", HEAD,
	            "web.shop.fed.svc TXT file\nwww A 192.0.2.80\nalias CNAME web.shop.fed.svc\n");
	world_three_cities(w);
	world_endpoint(w, "www.yaml", "www", "www.example.com", "A", "198.18.0.1");
	start(w, CONFIG);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 1000);
	world_expect(w, WEB, "TXT", BOSTON, "\"file\"", 0);
	world_expect(w, WEB, "MX", BOSTON, "NODATA", 0);
	world_expect(w, "alias.example.com", "A", BOSTON, WEB ". 198.18.1.10", 0);
	/* Both have this one: the file's counts, and both are named. */
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.80", 0);
	world_expect_http(w, "/status",
	                  "example.zone:6\",\"message\":\"www.example.com. A: the zone file", 1000);
	world_expect_http(w, "/status", "what DNSEndpoint shop/www has is left out", 0);
	/* What explain says of a name of both is what was answered. */
	world_expect_http(w, "/explain?name=" WEB "&type=TXT&client=192.0.2.0/24",
	                  "TXT \\\"file\\\"", 0);
	world_write(w, FILE_, "%s", HEAD);
	world_expect(w, "www.example.com", "A", NULL, "198.18.0.1", 1000);
	world_expect(w, WEB, "TXT", BOSTON, "NODATA", 0);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 0);
	world_expect_http(w, "/status", "!the zone file", 1000);
}

static void test_every_way_to_change_a_file_shows_within_a_second(void **state)
{
	struct world *w = *state;

	world_write(w, "v1/example.zone", "%s%s", HEAD, "www A 192.0.2.1\n");
	world_write(w, "v2/example.zone", "%s%s", HEAD, "www A 192.0.2.2\n");
	world_link(w, "v1", "zones");
	start(w, CONFIG);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	world_link(w, "v2", "zones");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 1000);
	world_write(w, "v2/example.zone", "%s%s", HEAD, "www A 192.0.2.3\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.3", 1000);
	world_write_in_place(w, "v2/example.zone", HEAD "www A 192.0.2.4\n$INCLUDE inc\n");
	world_expect_http(w, "/status", "inc cannot be read: No such file or directory", 1000);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.3", 0);
	world_write(w, "v2/inc", "inc A 192.0.2.5\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.4", 1000);
	world_expect(w, "inc.example.com", "A", NULL, "192.0.2.5", 0);
	world_write(w, "v2/inc", "inc A 192.0.2.6\n");
	world_expect(w, "inc.example.com", "A", NULL, "192.0.2.6", 1000);
}

static void test_a_broken_file_changes_nothing_until_it_is_mended(void **state)
{
	struct world *w = *state;

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	start(w, CONFIG);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.2\nwww CNAME a\n");
	world_expect_http(
		w, "/status",
		"example.zone:6: www.example.com.: a CNAME beside other data (see line 5)", 1000);
	world_expect_log(w, "zone file has errors, the last good one stays zone=example.com.", 0);
	world_expect_stays(w, "www.example.com", "A", NULL, "192.0.2.1", 300);
	assert_true(world_metric(w, "zones_file_good{zone=\"example.com\"}") == 0);
	world_write(w, FILE_, "%s", "");
	world_expect_http(w, "/status", "the zone has no SOA", 1000);
	world_remove(w, FILE_);
	world_expect_http(w, "/status", "cannot be read: No such file or directory", 1000);
	world_expect_stays(w, "www.example.com", "A", NULL, "192.0.2.1", 300);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.3\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.3", 1000);
	world_expect_http(w, "/status", "\"errors\":[]", 1000);
	assert_true(world_metric(w, "zones_file_good{zone=\"example.com\"}") == 1);
}

/* What clusters have is answered; nothing is denied, as the file could hold it. */
static void test_a_zone_whose_file_was_never_good_denies_nothing(void **state)
{
	struct world *w = *state;
	struct world_answer a;
	const char *again;
	char first[512];

	world_three_cities(w);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2\n");
	start(w, CONFIG "startup: {patience: 500ms}\n");
	/* Where and what is wrong stands in the first line that tells of it. */
	snprintf(first, sizeof(first),
	         "zone file has errors, none was good yet zone=example.com. file=%s first=\"%s:5: ",
	         world_path(w, FILE_), world_path(w, FILE_));
	assert_non_null(strstr(world_log(w), first));
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 0);
	world_expect(w, WEB, "TXT", BOSTON, "SERVFAIL", 0);
	world_expect(w, "example.com", "SOA", NULL, "SERVFAIL", 0);
	world_expect(w, "www.example.com", "A", NULL, "SERVFAIL", 0);
	a = world_query(w, "www.example.com", "A", NULL);
	assert_int_equal(a.ede, 14);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	world_expect(w, WEB, "TXT", BOSTON, "NODATA", 0);
	world_expect(w, "nothing.example.com", "A", NULL, "NXDOMAIN", 0);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.2\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 1000);
	again = strstr(world_log(w), "zone file is good again zone=example.com.");
	assert_non_null(again);
	assert_null(strstr(again + 1, "zone file is good again"));
}

/* RFC 4035 3.1.4.1: where the zone above has the name, whether or not it says that a zone begins there, and also when an
 * alias leads there. */
static void test_ds_is_answered_by_the_zone_above(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_write(w, FILE_, "%s%s", HEAD,
	            "cut NS ns.cut\ncut DS 1 13 2 " DIGEST "\nto CNAME cut\nheld TXT above\n");
	world_write(w, "zones/cut", "%s", HEAD);
	world_write(w, "zones/held", "%s", HEAD);
	world_write(w, "zones/other", "%s", HEAD);
	start(w, "zones: [{name: example.com, file: zones/example.zone}, "
	         "{name: cut.example.com, file: zones/cut}, "
	         "{name: held.example.com, file: zones/held}, "
	         "{name: other.example.com, file: zones/other}]\n");
	world_expect(w, "cut.example.com", "DS", NULL, "1 13 2 " DIGEST, 0);
	world_expect(w, "to.example.com", "DS", NULL, "cut.example.com. 1 13 2 " DIGEST, 0);
	a = world_query(w, "held.example.com", "DS", NULL);
	assert_int_equal(strncmp(a.authority, "example.com. SOA", 16), 0);
	/* What it would deny is there. */
	a = world_query(w, "other.example.com", "DS", NULL);
	assert_int_equal(a.rcode, 0);
	assert_int_equal(strncmp(a.authority, "other.example.com. SOA", 22), 0);
}

/* RFC 9471: glue is what the delegating zone has, also where another zone of ours has that name. */
static void test_glue_is_of_the_zone_that_delegates(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_write(w, FILE_, "%s%s", HEAD, "cut NS ns.cut\ncut NS www.cut\nns.cut A 192.0.2.53\n");
	world_write(w, "zones/ns", "%s", HEAD);
	world_write(w, "zones/www", "%s%s", HEAD, "@ A 192.0.2.54\n");
	start(w, "zones: [{name: example.com, file: zones/example.zone}, "
	         "{name: ns.cut.example.com, file: zones/ns}, "
	         "{name: www.cut.example.com, file: zones/www}]\n");
	a = world_query(w, "x.cut.example.com", "A", NULL);
	assert_string_equal(a.additional, "ns.cut.example.com. A 192.0.2.53; "
	                                  "www.cut.example.com. A 192.0.2.54");
}

static void test_no_file_outside_is_included(void **state)
{
	struct world *w = *state;

	world_write(w, "secret", "secret A 192.0.2.66\n");
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	start(w, CONFIG);
	world_link(w, "../secret", "zones/link");
	world_write(w, FILE_, "%s%s", HEAD, "$INCLUDE link\n$INCLUDE ../secret\n");
	world_expect_http(w, "/status", "example.zone:5: $INCLUDE: link leads out of", 1000);
	world_expect_http(w, "/status", "example.zone:6: $INCLUDE: ../secret leads out of", 0);
	world_expect(w, "secret.example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
}

static void test_answers_go_on_while_a_file_changes(void **state)
{
	struct world *w = *state;
	struct world_answer first = {0};

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\nstays A 192.0.2.9\n");
	start(w, CONFIG);
	first = world_query(w, "example.com", "SOA", NULL);
	for (unsigned i = 2; i < 12; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "192.0.2.%u", i);
		world_write(w, FILE_, "%swww A %s\nstays A 192.0.2.9\n", HEAD, expected);
		world_expect_stays(w, "stays.example.com", "A", NULL, "192.0.2.9", 50);
		world_expect(w, "www.example.com", "A", NULL, expected, 1000);
		world_expect(w, "stays.example.com", "A", NULL, "192.0.2.9", 0);
	}
	assert_string_not_equal(world_query(w, "example.com", "SOA", NULL).records, first.records);
}

static void test_a_new_config_gives_and_takes_a_file(void **state)
{
	struct world *w = *state;

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	world_write(w, "zones/net.zone", "%s%s", HEAD, "www A 192.0.2.2\n");
	start(w, CONFIG);
	world_config(w, "zones: [{name: example.com, file: zones/example.zone}, "
	                "{name: example.net, file: zones/net.zone}]\n");
	world_signal(w, SIGHUP);
	world_expect(w, "www.example.net", "A", NULL, "192.0.2.2", 2000);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	world_config(w, "zones: [{name: example.com, records: [\"www A 192.0.2.7\"]}]\n");
	world_signal(w, SIGHUP);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.7", 2000);
	world_expect(w, "www.example.net", "A", NULL, "REFUSED", 1000);
	world_expect(w, "example.com", "NS", NULL, "ns.example.com.", 0);
}

static void test_check_tells_every_error_with_its_line(void **state)
{
	struct world *w = *state;
	char config[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_write(w, FILE_, "%s%s", HEAD,
	            "a A 192.0.2\n$GENERATE 1-2 b$ A 192.0.2.1\nc CNAME a\nc CNAME b\n"
	            "other.net. A 192.0.2.1\n");
	world_write(w, "check.yaml", CONFIG);
	snprintf(config, sizeof(config), "%s", world_path(w, "check.yaml"));
	snprintf(expected, sizeof(expected), "%s:5: A: '192.0.2' is not an IPv4 address\n",
	         world_path(w, FILE_));
	world_expect_run(w, argv, 1, expected);
	world_expect_run(w, argv, 1, "example.zone:6: $GENERATE is not supported");
	world_expect_run(w, argv, 1,
	                 "example.zone:8: c.example.com.: more than one CNAME (see line 7)");
	world_expect_run(w, argv, 1, "example.zone:9: warning: other.net. lies outside the zone");
	world_write(w, FILE_, "%s%s", HEAD, "other.net. A 192.0.2.1\n");
	world_expect_run(w, argv, 0, "example.zone:5: warning: other.net. lies outside the zone");
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	world_write(w, "check.yaml",
	            "zones: [{name: example.com, file: zones/example.zone,\n"
	            "records: [\"www A 192.0.2.2\"]}]\n");
	snprintf(expected, sizeof(expected),
	         "example.zone:5: www.example.com. A: the zone file has this name's data; what "
	         "config zone example.com (%s:2) has is left out\n",
	         config);
	world_expect_run(w, argv, 1, expected);
}

/* What is exported is the zone: loaded again it gives the same. */
static void test_a_zone_is_exported_and_told_of(void **state)
{
	struct world *w = *state;
	const char *const status[] = {"$NIGHCTL", "zone", "status", "example.com", NULL};
	const char *const export[] = {"$NIGHCTL", "zone", "export", "example.com.", NULL};
	const char *const nothing[] = {"$NIGHCTL", "zone", "export", "example.net", NULL};
	const char *out;
	char *first;

	world_three_cities(w);
	world_write(w, FILE_, "%s%s", HEAD, "z TXT \"a b\" c\na MX 10 z\n" WEB ". TXT file\n");
	start(w, CONFIG);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 1000);
	out = world_expect_run(w, status, 0, "file        ");
	assert_non_null(strstr(out, "\nnames in it 5\n"));
	assert_non_null(strstr(out, "zones/example.zone"));
	assert_null(strstr(out, "errors"));
	out = world_expect_run(w, export, 0,
	                       "example.com. 300 IN SOA ns1.example.com. host.example.com. ");
	assert_int_equal(strncmp(out, "example.com. 300 IN SOA ", 24), 0);
	assert_non_null(strstr(out, "\n" WEB ". 180 IN A 198.18.1.10\n" WEB
	                            ". 180 IN A 198.18.2.10\n" WEB ". 180 IN A 198.18.3.10\n" WEB
	                            ". 300 IN TXT \"file\"\n"));
	first = strdup(out);
	world_stop(w);
	world_remove(w, "manifests");
	world_folder(w, "manifests/host");
	world_write(w, FILE_, "%s", first);
	world_start(w);
	out = world_expect_run(w, export, 0, "SOA");
	/* But for the serial. */
	assert_string_equal(strchr(out, '\n'), strchr(first, '\n'));
	free(first);
	world_expect_run(w, nothing, 1, "no such zone");
	world_write(w, FILE_, "%s", "bad\n");
	world_expect_http(w, "/status", "\"good\":false", 1000);
	world_expect_run(w, status, 0,
	                 "errors      it has errors now: the last good one is in force\n");
	world_expect_run(w, status, 0, "zones/example.zone:1: ");
}

/* The file of the state exists, or does not; for at most a while. */
static void expect_kept(struct world *w, const char *name, bool is_there)
{
	enum { KEPT_MS = 30000 };
	struct deadline deadline = inside_deadline(KEPT_MS);

	while ((access(world_path(w, name), R_OK) == 0) != is_there) {
		if (!inside_has_time(deadline))
			world_fail(w, "%s is %s", name, is_there ? "not there" : "still there");
		inside_rest();
	}
}

static void test_after_a_restart_too_a_broken_file_takes_nothing_away(void **state)
{
	static const char kept[] = "state/zones/example.com.zone";
	struct world *w = *state;

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n$INCLUDE more sub\n");
	world_write(w, "zones/more", "a A 192.0.2.2\n");
	start(w, CONFIG "state: state\n");
	expect_kept(w, kept, true);
	world_kill(w);
	/* In two ways: what is included has an error; what includes it is not there. */
	world_write(w, "zones/more", "a A bad\n");
	for (int i = 0; i < 2; i++) {
		world_start(w);
		world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
		world_expect(w, "a.sub.example.com", "A", NULL, "192.0.2.2", 0);
		world_expect(w, "other.example.com", "A", NULL, "NXDOMAIN", 0);
		world_expect_http(w, "/status", "is served as the state has it", 1000);
		world_expect_http(w, "/status", i == 0 ? "zones/more:1" : "zones/example.zone",
		                  1000);
		world_expect_http(w, "/status", "\"good\":false", 1000);
		world_stop(w);
		if (i == 0)
			world_remove(w, FILE_);
	}
	world_start(w);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.3\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.3", 2000);
	world_expect(w, "a.sub.example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect_http(w, "/status", "!as the state has it", 1000);
	/* A zone that has no file any more has none in the state. */
	world_config(w, "zones: [{name: example.com}]\nstate: state\n");
	world_signal(w, SIGHUP);
	world_expect(w, "www.example.com", "A", NULL, "NXDOMAIN", 2000);
	expect_kept(w, kept, false);
}

/* What the state keeps is what was read, not what the file is when it is written there. */
static void test_a_file_that_is_broken_soon_after_it_was_read_is_kept_as_it_was_good(void **state)
{
	static const char kept[] = "state/zones/example.com.zone";
	struct world *w = *state;

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	start(w, CONFIG "state: state\n");
	expect_kept(w, kept, true);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.2\n");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 1000);
	world_write(w, FILE_, "bad\n");
	world_remove(w, kept);
	expect_kept(w, kept, true);
	world_kill(w);
	world_start(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 0);
}

static unsigned readings(struct world *w)
{
	const char *at = strstr(world_get(w, "/status", NULL), "\"readings\":");

	assert_non_null(at);
	return (unsigned)strtoul(at + strlen("\"readings\":"), NULL, 10);
}

/* Also when nothing in it has changed, and with all that is wrong in it. */
static void test_a_file_is_read_when_somebody_says_so(void **state)
{
	struct world *w = *state;
	const char *const one[] = {"$NIGHCTL", "zone", "reload", "example.com.", NULL};
	const char *const all[] = {"$NIGHCTL", "zone", "reload", NULL};
	const char *const json[] = {"$NIGHCTL", "zone", "reload", "-o", "json", NULL};
	const char *const other[] = {"$NIGHCTL", "zone", "reload", "example.net", NULL};
	const char *const no_word[] = {"$NIGHCTL", "zone", "export", NULL};
	unsigned before;

	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.1\n");
	start(w, CONFIG);
	before = readings(w);
	world_expect_run(w, one, 0, "zones/example.zone: 3 names, serial 7; the zone's is ");
	assert_int_equal(readings(w), before + 1);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.2\n");
	world_expect_run(w, all, 0, "example.com: read ");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 0);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.3\nbad A bad\nworse A\n");
	world_expect_run(w, one, 1, "zones/example.zone:6: ");
	world_expect_run(w, json, 1, "zones/example.zone:7: ");
	world_expect_run(w, all, 1, "the file has errors; the last good one stays in force");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.2", 0);
	world_write(w, FILE_, "%s%s", HEAD, "www A 192.0.2.3\n");
	world_expect_run(w, json, 0, "\"good\": true");
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.3", 0);
	world_expect_run(w, other, 1, "there is no zone example.net");
	world_expect_run(w, no_word, 2, "usage: nighctl zone status|export ZONE");
}

/* Each client is told sixteen of them. */
static void test_a_name_of_ten_thousand_addresses_is_served(void **state)
{
	enum { MANY = 10000, TOLD = 16 };
	struct world *w = *state;
	char *zone = malloc(64 * MANY), *at = zone;

	at += sprintf(at, "%s", HEAD);
	for (unsigned i = 0; i < MANY; i++)
		at += sprintf(at, "many A 10.0.%u.%u\n", i >> 8, i & 255);
	world_write(w, FILE_, "%s", zone);
	free(zone);
	start(w, CONFIG);
	assert_int_equal(world_query(w, "many.example.com", "A", NULL).address_count, TOLD);
	assert_int_equal(world_query(w, "many.example.com", "A", BOSTON).address_count, TOLD);
	world_write(w, FILE_, "%s%s", HEAD, "many A 10.0.0.1\n");
	world_expect(w, "many.example.com", "A", NULL, "10.0.0.1", 2000);
}

/* As a secondary has it: from a transfer. */
static void write_transfer(struct world *w, const char *name)
{
	char port[16];
	const char *out;

	snprintf(port, sizeof(port), "%u", world_dns_port(w));
	out = world_expect_run(w,
	                       (const char *[]){"dig", "-p", port, "@127.0.0.1", "+noall",
	                                        "+answer", "+onesoa", "example.com", "AXFR", NULL},
	                       0, "SOA");
	world_write(w, name, "%s", out);
}

static void expect_loads(struct world *w, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", world_path(w, name));
	world_expect_run(w, (const char *[]){"nsd-checkzone", "example.com", path, NULL}, 0, "ok");
	world_expect_run(w, (const char *[]){"named-checkzone", "example.com", path, NULL}, 0,
	                 "OK");
}

/* RFC 1034 4.3.2, RFC 6672 2.4: clients get the delegation or the DNAME, and no secondary would take more. */
static void test_what_clusters_have_below_a_delegation_or_a_dname_is_told_and_left_out(void **state)
{
	static const char told[] = "is above; what ServiceDNSRecord shop/web has is not answered";
	struct world *w = *state;
	const char *const export[] = {"$NIGHCTL", "zone", "export", "example.com.", NULL};
	char config[256];

	world_three_cities(w);
	world_write(w, FILE_, "%s%s", HEAD, "svc DNAME example.net.\nwww A 192.0.2.80\n");
	start(w, "zones: [{name: example.com, file: zones/example.zone, transfer: {allow: "
	         "[{address: 127.0.0.1}]}}]\n");
	world_expect_http(w, "/status", "example.zone:5\",\"message\":\"" WEB ".: the DNAME svc",
	                  1000);
	world_expect_http(w, "/status", told, 0);
	write_transfer(w, "transferred");
	expect_loads(w, "transferred");
	world_write(w, "exported", "%s", world_expect_run(w, export, 0, "192.0.2.80"));
	expect_loads(w, "exported");
	world_write(w, FILE_, "%s%s", HEAD, "fed.svc NS ns.example.net.\nwww A 192.0.2.80\n");
	world_expect_http(w, "/status", WEB ".: the delegation fed.svc.example.com.", 1000);
	world_expect(w, WEB, "A", BOSTON, "REFERRAL", 0);
	write_transfer(w, "transferred");
	expect_loads(w, "transferred");
	assert_null(strstr(world_expect_run(w, export, 0, "192.0.2.80"), WEB));
	world_write(w, "check.yaml", "sources: {manifests: [manifests]}\n" CONFIG);
	snprintf(config, sizeof(config), "%s", world_path(w, "check.yaml"));
	world_expect_run(w, (const char *[]){"$NIGHD", "--check", "-c", config, NULL}, 1,
	                 "example.zone:5: " WEB ".: the delegation fed.svc.example.com. of zone "
	                 "file of example.com is above");
	world_write(w, FILE_, "%s", HEAD);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 1000);
	world_expect_http(w, "/status", "!is above", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_zone_is_served_from_its_file),
		world_test(test_clusters_and_file_give_one_zone),
		world_test(test_every_way_to_change_a_file_shows_within_a_second),
		world_test(test_a_broken_file_changes_nothing_until_it_is_mended),
		world_test(test_a_zone_whose_file_was_never_good_denies_nothing),
		world_test(test_ds_is_answered_by_the_zone_above),
		world_test(test_glue_is_of_the_zone_that_delegates),
		world_test(test_no_file_outside_is_included),
		world_test(test_answers_go_on_while_a_file_changes),
		world_test(test_a_new_config_gives_and_takes_a_file),
		world_test(test_check_tells_every_error_with_its_line),
		world_test(test_a_zone_is_exported_and_told_of),
		world_test(test_after_a_restart_too_a_broken_file_takes_nothing_away),
		world_test(
			test_a_file_that_is_broken_soon_after_it_was_read_is_kept_as_it_was_good),
		world_test(test_a_file_is_read_when_somebody_says_so),
		world_test(test_a_name_of_ten_thousand_addresses_is_served),
		world_test(
			test_what_clusters_have_below_a_delegation_or_a_dname_is_told_and_left_out),
	};

	return cmocka_run_group_tests_name("zone files", tests, NULL, NULL);
}
