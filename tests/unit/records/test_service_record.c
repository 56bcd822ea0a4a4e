/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

#define G    "web.shop.d.svc.example.com."
#define WEST "web.shop.d.svc.us-west-2.example.com."
#define EAST "web.shop.d.svc.us-east-1.example.com."

static void test_a_service_record_gives_the_ladder(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put_service(w, "ny", "192.0.2.2,2001:db8::2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 300, "www", NULL));
	records_world_build(w);
	assert_int_equal(w->count, 6);
	records_world_expect(
		w, "web.shop.d.svc.example.com.",
		"ServiceDNSRecord shop/web; open; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
		"ny EL A 300 192.0.2.2 AAAA 300 2001:db8::2 [192.0.2.2:443 [2001:db8::2]:443]");
	records_world_expect(w, "web.shop.d.svc.us-west-2.example.com.",
	                     "ServiceDNSRecord shop/web; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
	                     "fallback web.shop.d.svc.example.com. 300");
	records_world_expect(w, "web.shop.d.svc.us-west-2a.us-west-2.example.com.",
	                     "ServiceDNSRecord shop/web; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
	                     "fallback web.shop.d.svc.us-west-2.example.com. 300");
	records_world_expect(
		w, "www.example.com.",
		"ServiceDNSRecord shop/web; fixed CNAME 300 web.shop.d.svc.example.com.");
	records_world_free(w);
}

static void test_a_cluster_without_the_service_gets_names_that_lead_upward(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	records_world_expect(
		w, G, "ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]");
	records_world_expect(w, EAST, "ServiceDNSRecord shop/web; fixed CNAME 180 " G);
	records_world_expect(w, "web.shop.d.svc.us-east-1a.us-east-1.example.com.",
	                     "ServiceDNSRecord shop/web; fixed CNAME 180 " EAST);
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_free(w);
}

static void test_readiness_is_a_layer_and_addresses_stay(void **state)
{
	struct records_world *w = records_world_small();
	struct fact_value v = {.kind = FACT_SERVICE_DNS_RECORD,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of("web")};

	(void)state;
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	records_world_put(w, "la", records_fact_slice("shop/web-2", "web", 1));
	assert_int_equal(records_world_build(w), 0);
	records_world_put(w, "la", records_fact_slice("shop/web-1", "web", 0));
	assert_int_equal(records_world_build(w), 0);
	records_world_remove(w, "la", FACT_ENDPOINT_SLICE, "shop/web-2");
	assert_int_equal(records_world_build(w), 3);
	records_world_expect(
		w, G, "ServiceDNSRecord shop/web; open; la L A 180 192.0.2.1 [192.0.2.1:443]");
	v.service_record.domain_ref = bytes_of("d");
	v.service_record.allow_without_endpoints = true;
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
	records_world_expect(
		w, G, "ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]");
	records_world_free(w);
}

static void test_host_names_of_load_balancers_are_resolved_outside(void **state)
{
	struct records_world *w = records_world_small();
	struct addr addresses[2];

	(void)state;
	records_world_put_service(w, "la", "LB.example.net.,192.0.2.1");
	records_world_put_service(w, "ny", "lb2.example.net");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_true(w->last->wants_changed);
	assert_int_equal(w->last->host_count, 2);
	assert_true(bytes_equal_text(w->last->hosts[0], "lb.example.net"));
	records_world_expect(
		w, G,
		"ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]; ny E");
	assert_true(addr_parse(bytes_of("192.0.2.9"), &addresses[0]));
	assert_true(addr_parse(bytes_of("192.0.2.8"), &addresses[1]));
	records_set_host(w->records, bytes_of("lb2.example.net"), addresses, 2, 0);
	assert_int_equal(records_world_build(w), 3);
	assert_true(w->last->wants_changed);
	records_world_expect(w, EAST,
	                     "ServiceDNSRecord shop/web; ny EL A 180 192.0.2.8 192.0.2.9 "
	                     "[192.0.2.8:443 192.0.2.9:443]; fallback " G " 180");
	records_set_host(w->records, bytes_of("nobody.wants.this"), addresses, 2, 0);
	assert_int_equal(records_world_build(w), 0);
	records_world_free(w);
}

/* RFC 1034 3.6: nobody may keep an address for longer than who has it says.  What a cache has left of a TTL is no change. */
static void test_the_ttl_of_a_host_name_is_an_upper_bound(void **state)
{
	static const struct {
		uint32_t told, ttl;
	} steps[] = {{60, 60}, {5, 5}, {9, 5}, {10, 10}, {0, 10}, {3600, 180}, {181, 180}};
	struct records_world *w = records_world_small();
	struct addr address;

	(void)state;
	records_world_put_service(w, "ny", "lb.example.net");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	assert_true(addr_parse(bytes_of("192.0.2.8"), &address));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		char expected[256];

		records_set_host(w->records, bytes_of("lb.example.net"), &address, 1,
		                 steps[i].told);
		records_world_build(w);
		snprintf(expected, sizeof(expected),
		         "ServiceDNSRecord shop/web; ny EL A %u 192.0.2.8 [192.0.2.8:443]; "
		         "fallback " G " 180",
		         steps[i].ttl);
		records_world_expect(w, EAST, expected);
	}
	records_world_free(w);
}

static void test_addresses_of_a_saved_state_are_there_in_the_first_build(void **state)
{
	struct records_world *w = records_world_small();
	struct addr address;

	(void)state;
	records_world_put_service(w, "ny", "lb.example.net");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	assert_true(addr_parse(bytes_of("192.0.2.8"), &address));
	records_set_host(w->records, bytes_of("lb.example.net"), &address, 1, 0);
	records_set_host(w->records, bytes_of("nobody.wants.this"), &address, 1, 0);
	records_world_build(w);
	records_world_expect(w, EAST,
	                     "ServiceDNSRecord shop/web; ny EL A 180 192.0.2.8 [192.0.2.8:443]; "
	                     "fallback " G " 180");
	assert_int_equal(w->last->host_count, 1);
	assert_true(bytes_equal_text(w->last->hosts[0], "lb.example.net"));
	assert_int_equal(records_world_build(w), 0);
	assert_false(w->last->wants_changed);
	records_world_free(w);
}

static void test_a_cluster_without_region_loses_only_its_region_names(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "", records_fact_cluster("la", "", "", NULL, false));
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put_service(w, "ny", "192.0.2.2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	assert_non_null(strstr(records_world_show(w, G), "; la EL"));
	assert_non_null(records_world_show(w, EAST));
	records_world_free(w);
}

static void test_a_bad_region_is_refused_with_a_reason(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(w, "", records_fact_cluster("la", "us west", "a", "1,2", false));
	records_world_put(w, "", records_fact_cluster("ny", "EU", "-a,b", "1,2", false));
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put_service(w, "ny", "192.0.2.2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	assert_non_null(records_world_show(w, "web.shop.d.svc.b.eu.example.com."));
	records_world_expect_text(
		records_world_problems(w),
		"cluster la: region 'us west' gives no names: only letters, digits, '-' and '_' "
		"may be in it\n"
		"cluster ny: zone '-a' gives no names: it begins or ends with '-'\n");
	records_world_free(w);
}

static void test_without_its_domain_a_record_publishes_nothing_and_says_so(void **state)
{
	struct records_world *w = records_world_new();

	(void)state;
	records_world_cluster(w, "la", true);
	records_world_put(w, "", records_fact_cluster("la", "r", "z", "1,2", false));
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, "www", NULL));
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_expect_text(records_world_problems(w),
	                          "ServiceDNSRecord shop/web: there is no Domain named 'd'\n");
	records_world_put(w, "", records_fact_domain("other/d", "example.net", 1));
	records_world_build(w);
	assert_true(w->last->everything && w->last->zones_changed);
	assert_non_null(records_world_show(w, "web.shop.d.svc.example.net."));
	records_world_expect_text(records_world_problems(w), "");
	/* The one in KubeFed's namespace is meant, however young. */
	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 9));
	records_world_build(w);
	assert_int_equal(w->last->zone_count, 2);
	assert_non_null(records_world_show(w, G));
	records_world_free(w);
}

static void test_names_that_cannot_be_are_refused(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_put(w, "",
	                  records_fact_service_record("shop/web", "d", 5000000000, "a..b", "x..y"));
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_put(w, "",
	                  records_fact_service_record("shop/web", "d", 5000000000, "a..b", NULL));
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, G), "A 2147483647 "));
	records_world_expect_text(
		records_world_problems(w),
		"ServiceDNSRecord shop/web: dnsPrefix 'a..b' cannot be a name: a label is empty\n"
		"ServiceDNSRecord shop/web: recordTTL 5000000000 is over 2147483647\n");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, "x y", NULL));
	records_world_build(w);
	records_world_expect_text(
		records_world_problems(w),
		"ServiceDNSRecord shop/web: dnsPrefix 'x y' cannot be a name: only "
		"letters, digits, '-' and '_' may be in it\n");
	records_world_free(w);
}

static void test_addresses_that_must_not_leave_are_dropped_and_named(void **state)
{
	struct records_world *w = records_world_small();
	struct addr_network allow[1], deny[1];

	(void)state;
	records_world_put_service(w, "la",
	                          "127.0.0.1,192.0.2.1,::ffff:169.254.1.1,fe80::1,198.51.100.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, G), "A 180 192.0.2.1 198.51.100.1 ["));
	records_world_expect_text(
		records_world_problems(w),
		"Service shop/web: address 127.0.0.1 of cluster la is never published\n"
		"Service shop/web: address 169.254.1.1 of cluster la is never published\n"
		"Service shop/web: address fe80::1 of cluster la is never published\n");
	assert_int_equal(addr_network_parse(bytes_of("127.0.0.0/8"), allow, NULL), ERR_OK);
	assert_int_equal(addr_network_parse(bytes_of("198.51.100.0/24"), deny, NULL), ERR_OK);
	w->settings.allow = allow;
	w->settings.deny = deny;
	w->settings.allow_count = w->settings.deny_count = 1;
	records_world_configure(w);
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, G), "A 180 127.0.0.1 192.0.2.1 ["));
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_service_record_gives_the_ladder),
		cmocka_unit_test(test_a_cluster_without_the_service_gets_names_that_lead_upward),
		cmocka_unit_test(test_readiness_is_a_layer_and_addresses_stay),
		cmocka_unit_test(test_host_names_of_load_balancers_are_resolved_outside),
		cmocka_unit_test(test_the_ttl_of_a_host_name_is_an_upper_bound),
		cmocka_unit_test(test_addresses_of_a_saved_state_are_there_in_the_first_build),
		cmocka_unit_test(test_a_cluster_without_region_loses_only_its_region_names),
		cmocka_unit_test(test_a_bad_region_is_refused_with_a_reason),
		cmocka_unit_test(test_without_its_domain_a_record_publishes_nothing_and_says_so),
		cmocka_unit_test(test_names_that_cannot_be_are_refused),
		cmocka_unit_test(test_addresses_that_must_not_leave_are_dropped_and_named),
	};

	return cmocka_run_group_tests_name("records/service_record", tests, NULL, NULL);
}
