/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

static void test_endpoints_of_one_name_are_merged(void **state)
{
	struct records_world *w = records_world_small();

	(void)state;
	records_world_put(
		w, "",
		records_fact_dns_endpoint("ns/e",
	                                  "a.example.com 60 a 192.0.2.2 192.0.2.1 2001:db8::1\n"
	                                  "A.example.com. 90 A 192.0.2.1 192.0.2.3 nonsense\n"
	                                  "a.example.com 0 txt hello\n"
	                                  "a.example.com 0 TXT again hello\n"
	                                  "a.example.com 0 CNAME x.test\n"
	                                  "c.example.com 0 CNAME x.test y.test\n"
	                                  "e.example.com 0 TXT\n"
	                                  "bad..name 0 A 192.0.2.1\n"
	                                  "out.test 0 A 192.0.2.1\n"
	                                  "l.example.com 0 A 127.0.0.1",
	                                  1));
	records_world_build(w);
	assert_int_equal(w->count, 2);
	records_world_expect(w, "a.example.com.",
	                     "DNSEndpoint ns/e; fixed A 60 192.0.2.1 192.0.2.2 192.0.2.3 "
	                     "AAAA 60 2001:db8::1 TXT 30 hello again");
	records_world_expect(w, "c.example.com.", "DNSEndpoint ns/e; fixed CNAME 30 x.test");
	records_world_expect_text(
		records_world_problems(w),
		"DNSEndpoint ns/e: 'bad..name': a label is empty\n"
		"DNSEndpoint ns/e: A.example.com.: 'nonsense' is not an address\n"
		"DNSEndpoint ns/e: a.example.com.: the CNAME is left out beside other types\n"
		"DNSEndpoint ns/e: address 127.0.0.1 is never published\n"
		"DNSEndpoint ns/e: c.example.com.: of several CNAMEs only the first counts\n"
		"DNSEndpoint ns/e: out.test is outside every zone\n");
	records_world_free(w);
}

static void test_a_rendering_is_not_a_source(void **state)
{
	struct records_world *w = records_world_small();
	struct fact_endpoint e = {.name = bytes_of("x.example.com"),
	                          .type = bytes_of("A"),
	                          .set_identifier = bytes_of("la"),
	                          .target_count = 1,
	                          .targets = &(struct bytes){(const uint8_t *)"192.0.2.1", 9}};
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of("web"),
	                       .dns_endpoint = {true, &e, 1}};

	(void)state;
	records_world_put(
		w, "", records_fact_dns_endpoint("shop/service-web", "s.example.com 0 TXT hi", 1));
	records_world_put(
		w, "", records_fact_dns_endpoint("shop/ingress-web", "i.example.com 0 TXT hi", 1));
	records_world_put(
		w, "", records_fact_dns_endpoint("blog/service-web", "b.example.com 0 TXT hi", 1));
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
	assert_int_equal(w->count, 4);
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	assert_int_equal(records_world_build(w), 2);
	assert_null(records_world_show(w, "s.example.com."));
	assert_null(records_world_show(w, "x.example.com."));
	records_world_remove(w, "", FACT_SERVICE_DNS_RECORD, "shop/web");
	records_world_put(w, "", records_fact_ingress_record("shop/web", "www.example.com", 0));
	records_world_build(w);
	assert_non_null(records_world_show(w, "s.example.com."));
	assert_null(records_world_show(w, "i.example.com."));
	records_world_free(w);
}

/* What nigh-propagator publishes of the record's sites: without the record it is all that is known. */
static void test_the_sites_of_a_record_are_a_source_only_without_it(void **state)
{
	struct records_world *w = records_world_small();
	const struct bytes targets[] = {bytes_of("192.0.2.10"), bytes_of("192.0.2.20")};
	const struct fact_endpoint sites[] = {
		{.name = bytes_of("web.shop.d.svc.example.com"),
	         .type = bytes_of("A"),
	         .set_identifier = bytes_of("la"),
	         .ttl = 60,
	         .targets = &targets[0],
	         .target_count = 1},
		{.name = bytes_of("web.shop.d.svc.example.com"),
	         .type = bytes_of("A"),
	         .set_identifier = bytes_of("ny"),
	         .ttl = 60,
	         .targets = &targets[1],
	         .target_count = 1},
	};
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT,
	                       .namespace = bytes_of("shop"),
	                       .name = bytes_of("nigh-service-web"),
	                       .dns_endpoint = {true, sites, 2}};

	(void)state;
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
	records_world_expect(w, "web.shop.d.svc.example.com.",
	                     "DNSEndpoint shop/nigh-service-web; open; la EL A 60 192.0.2.10; "
	                     "ny EL A 60 192.0.2.20");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_put_service(w, "la", "192.0.2.10");
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, "web.shop.d.svc.example.com."),
	                       "ServiceDNSRecord shop/web"));
	records_world_expect_text(records_world_conflicts(w), "");
	records_world_remove(w, "", FACT_SERVICE_DNS_RECORD, "shop/web");
	records_world_build(w);
	assert_non_null(
		strstr(records_world_show(w, "web.shop.d.svc.example.com."), "nigh-service-web"));
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints_of_one_name_are_merged),
		cmocka_unit_test(test_a_rendering_is_not_a_source),
		cmocka_unit_test(test_the_sites_of_a_record_are_a_source_only_without_it),
	};

	return cmocka_run_group_tests_name("records/dns_endpoint", tests, NULL, NULL);
}
