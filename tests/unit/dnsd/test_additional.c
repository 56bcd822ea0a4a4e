/* test_additional.c -- addresses beside MX, NS, SRV, SVCB and HTTPS, asked as over the wire and read back by ldns. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/dnsd_world.h"

static struct world *w;

/* Networks of the world's geography that are nearest to each. */
static const struct asking west = {.ecs = "198.51.100.0/24"};
static const struct asking east = {.ecs = "203.0.113.0/24"};

static int setup(void **state)
{
	(void)state;
	w = world_new();
	world_zones_are(w, "example.com");
	world_cluster(w, "la", 34.05, -118.24);
	world_cluster(w, "ny", 40.71, -74.0);
	world_networks(w, "198.51.100.0/24,37.77,-122.42\n203.0.113.0/24,42.36,-71.06\n");
	world_put(w, "mail.example.com", "300 A 192.0.2.25", "300 AAAA 2001:db8::25", NULL);
	world_put(w, "domain.example.com", "300 MX 10 mail.example.com", "300 MX 20 mx.example.net",
	          NULL);
	world_put(w, "nobody.example.com", "300 MX 0 .", NULL);
	world_put(w, "alias.example.com", "300 CNAME mail.example.com", NULL);
	world_put(w, "tricked.example.com", "300 MX 10 alias.example.com",
	          "300 MX 20 missing.example.com", "300 MX 30 ns.child.example.com", NULL);
	world_put(w, "child.example.com", "300 NS ns.child.example.com", NULL);
	world_put(w, "ns.child.example.com", "300 A 192.0.2.53", NULL);
	world_put(w, "*.wild.example.com", "300 A 192.0.2.77", NULL);
	world_put(w, "star.example.com", "300 MX 10 any.wild.example.com", NULL);
	world_put_sites(w, "www.example.com", NULL, "la: 30 A 192.0.2.1", "ny: 40 A 192.0.2.2",
	                "la: 30 HTTPS 1 . alpn=h2", "ny: 40 HTTPS 1 . alpn=h3", NULL);
	world_put_sites(w, "_http._tcp.example.com", NULL, "la: 30 SRV 0 0 80 www.example.com",
	                "ny: 40 SRV 0 0 8080 www.example.com", NULL);
	world_put(w, "_fixed._tcp.example.com", "50 SRV 0 0 80 www.example.com", NULL);
	world_put(w, "twice.example.com", "50 SRV 0 0 80 mail.example.com",
	          "50 SRV 0 0 81 MAIL.example.com", NULL);
	world_put_sites(w, "only.example.com", NULL, "la: 30 SRV 0 0 80 east.example.com", NULL);
	world_put_sites(w, "east.example.com", NULL, "ny: 40 A 192.0.2.3", NULL);
	world_build(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void assert_has(const char *question, const struct asking *how, const char *wanted)
{
	const char *found = world_ask(w, question, how);

	if (!strstr(found, wanted))
		fail_msg("%s: no '%s' in '%s'", question, wanted, found);
}

static void assert_lacks(const char *question, const struct asking *how, const char *unwanted)
{
	const char *found = world_ask(w, question, how);

	if (strstr(found, unwanted))
		fail_msg("%s: '%s' in '%s'", question, unwanted, found);
}

static void test_mail_exchangers_come_with_their_addresses(void **state)
{
	(void)state;
	assert_has("domain.example.com MX", NULL,
	           " / ar mail.example.com. 300 A 192.0.2.25"
	           " / ar mail.example.com. 300 AAAA 2001:db8::25");
	assert_lacks("domain.example.com MX", NULL, "ar mx.example.net.");
}

/* RFC 7505: no mail; there is no such host. */
static void test_the_root_is_no_host(void **state)
{
	(void)state;
	assert_lacks("nobody.example.com MX", NULL, " / ar ");
}

/* RFC 2181 10.3, and nothing that is a child's to say. */
static void test_aliases_and_glue_are_not_told(void **state)
{
	(void)state;
	assert_lacks("tricked.example.com MX", NULL, " / ar ");
}

static void test_a_host_may_be_covered_by_a_wildcard(void **state)
{
	(void)state;
	assert_has("star.example.com MX", NULL, " / ar any.wild.example.com. 300 A 192.0.2.77");
}

static void test_the_name_servers_of_the_apex_have_theirs(void **state)
{
	(void)state;
	assert_has("example.com NS", NULL, " / ar ns1.example.com. ");
}

static void test_the_host_of_a_service_is_told_at_the_site_that_answers(void **state)
{
	(void)state;
	assert_has("_http._tcp.example.com SRV", &west, "SRV 0 0 80 www.example.com.");
	assert_has("_http._tcp.example.com SRV", &west, " / ar www.example.com. 30 A 192.0.2.1");
	assert_lacks("_http._tcp.example.com SRV", &west, "192.0.2.2");
	assert_has("_http._tcp.example.com SRV", &east, " / ar www.example.com. 40 A 192.0.2.2");
}

/* Then the addresses depend on the client, and the answer says so. */
static void test_the_host_of_a_fixed_record_is_told_at_the_nearest_site(void **state)
{
	(void)state;
	assert_has("_fixed._tcp.example.com SRV", &west, " / ar www.example.com. 30 A 192.0.2.1");
	assert_has("_fixed._tcp.example.com SRV", &east, " / ar www.example.com. 40 A 192.0.2.2");
	assert_lacks("_fixed._tcp.example.com SRV", &east, "scope=0");
}

static void test_a_host_that_is_only_elsewhere_is_told_there(void **state)
{
	(void)state;
	assert_has("only.example.com SRV", &west, " / ar east.example.com. 40 A 192.0.2.3");
}

/* RFC 9460 2.5.2: the owner itself. */
static void test_the_root_as_target_of_https_is_the_owner(void **state)
{
	(void)state;
	assert_has("www.example.com HTTPS", &west, " / ar www.example.com. 30 A 192.0.2.1");
	assert_lacks("www.example.com HTTPS", &west, "192.0.2.2");
}

/* RFC 2181 5: no RRset has a record twice. */
static void test_a_host_that_is_named_twice_is_told_once(void **state)
{
	const char *found = world_ask(w, "twice.example.com SRV", NULL);
	const char *first = strstr(found, "192.0.2.25");

	(void)state;
	assert_non_null(first);
	assert_null(strstr(first + 1, "192.0.2.25"));
}

static void test_any_has_nothing_beside_it(void **state)
{
	(void)state;
	assert_lacks("domain.example.com ANY", NULL, " / ar mail");
}

/* They would be a way around allowQuery; a client subnet is none either. */
static void test_hosts_of_a_zone_that_the_resolver_may_not_ask_for_are_not_told(void **state)
{
	static const char *const questions[] = {"mail.open.example MX", "open.example NS",
	                                        "_s._tcp.open.example SRV", "svc.open.example SVCB",
	                                        "www.open.example HTTPS"};
	struct asking stranger = {.resolver = "11.0.0.1"}, friend = {.resolver = "10.0.0.1"};
	struct asking pretender = {.resolver = "11.0.0.1", .ecs = "10.0.0.0/24"};
	struct world *all = w;

	(void)state;
	w = world_new();
	/* The name server of the first is in the last. */
	world_zones_are(w, "open.example closed.example ns1.open.example");
	world_cluster(w, "la", 34.05, -118.24);
	world_put(w, "host.closed.example", "300 A 192.0.2.66", NULL);
	world_put_sites(w, "sites.closed.example", NULL, "la: 30 A 192.0.2.66", NULL);
	world_put(w, "mail.open.example", "300 MX 10 host.closed.example", NULL);
	world_put(w, "ns1.open.example", "300 A 192.0.2.66", NULL);
	world_put(w, "_s._tcp.open.example", "300 SRV 0 0 80 host.closed.example", NULL);
	world_put_sites(w, "svc.open.example", NULL, "la: 30 SVCB 1 sites.closed.example", NULL);
	world_put(w, "www.open.example", "300 HTTPS 1 sites.closed.example", NULL);
	world_terms(w, "zones:\n"
	               "- {name: closed.example, allowQuery: [10.0.0.0/8]}\n"
	               "- {name: ns1.open.example, allowQuery: [10.0.0.0/8]}\n");
	world_build(w);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		assert_lacks(questions[i], &stranger, "192.0.2.66");
		assert_lacks(questions[i], &pretender, "192.0.2.66");
		assert_has(questions[i], &friend, "192.0.2.66");
	}
	world_free(w);
	w = all;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_exchangers_come_with_their_addresses),
		cmocka_unit_test(test_the_root_is_no_host),
		cmocka_unit_test(test_aliases_and_glue_are_not_told),
		cmocka_unit_test(test_a_host_may_be_covered_by_a_wildcard),
		cmocka_unit_test(test_the_name_servers_of_the_apex_have_theirs),
		cmocka_unit_test(test_the_host_of_a_service_is_told_at_the_site_that_answers),
		cmocka_unit_test(test_the_host_of_a_fixed_record_is_told_at_the_nearest_site),
		cmocka_unit_test(test_a_host_that_is_only_elsewhere_is_told_there),
		cmocka_unit_test(test_the_root_as_target_of_https_is_the_owner),
		cmocka_unit_test(test_a_host_that_is_named_twice_is_told_once),
		cmocka_unit_test(test_any_has_nothing_beside_it),
		cmocka_unit_test(
			test_hosts_of_a_zone_that_the_resolver_may_not_ask_for_are_not_told),
	};

	return cmocka_run_group_tests_name("dnsd/additional", tests, setup, teardown);
}
