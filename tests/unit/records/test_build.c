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

static struct records_world *small_world(void)
{
	struct records_world *w = records_world_new();

	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
	records_world_cluster(w, "la", true);
	records_world_cluster(w, "ny", true);
	records_world_put(w, "", records_fact_cluster("la", "us-west-2", "us-west-2a", NULL, false));
	records_world_put(w, "", records_fact_cluster("ny", "us-east-1", "us-east-1a", "40.7,-74", false));
	return w;
}

static void put_service(struct records_world *w, const char *cluster, const char *address)
{
	records_world_put(w, cluster, records_fact_service("shop/web", address, 443, NULL, NULL, NULL, 1));
	records_world_put(w, cluster, records_fact_slice("shop/web-1", "web", 1));
}

#define ASSERT_SHOWS(w, owner, want) \
	do { \
		const char *shown = records_world_show(w, owner); \
		assert_non_null(shown); \
		assert_string_equal(shown, want); \
	} while (0)

static void test_a_service_record_gives_the_ladder(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_service(w, "la", "192.0.2.1");
	put_service(w, "ny", "192.0.2.2,2001:db8::2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 300, "www", NULL));
	records_world_build(w);
	assert_int_equal(w->count, 6);
	ASSERT_SHOWS(w, "web.shop.d.svc.example.com.",
	             "ServiceDNSRecord shop/web; open; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
	             "ny EL A 300 192.0.2.2 AAAA 300 2001:db8::2 [192.0.2.2:443 [2001:db8::2]:443]");
	ASSERT_SHOWS(w, "web.shop.d.svc.us-west-2.example.com.",
	             "ServiceDNSRecord shop/web; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
	             "fallback web.shop.d.svc.example.com. 300");
	ASSERT_SHOWS(w, "web.shop.d.svc.us-west-2a.us-west-2.example.com.",
	             "ServiceDNSRecord shop/web; la EL A 300 192.0.2.1 [192.0.2.1:443]; "
	             "fallback web.shop.d.svc.us-west-2.example.com. 300");
	ASSERT_SHOWS(w, "www.example.com.",
	             "ServiceDNSRecord shop/web; fixed CNAME 300 web.shop.d.svc.example.com.");
	records_world_free(w);
}


static void assert_text(char *have, const char *want)
{
	assert_string_equal(have, want);
	free(have);
}

#define G "web.shop.d.svc.example.com."
#define WEST "web.shop.d.svc.us-west-2.example.com."
#define EAST "web.shop.d.svc.us-east-1.example.com."

/* --- ServiceDNSRecord --- */

static void test_a_cluster_without_the_service_gets_names_that_lead_upward(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	ASSERT_SHOWS(w, G, "ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]");
	ASSERT_SHOWS(w, EAST, "ServiceDNSRecord shop/web; fixed CNAME 180 " G);
	ASSERT_SHOWS(w, "web.shop.d.svc.us-east-1a.us-east-1.example.com.",
	             "ServiceDNSRecord shop/web; fixed CNAME 180 " EAST);
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_free(w);
}

static void test_readiness_is_a_layer_and_addresses_stay(void **state)
{
	struct records_world *w = small_world();
	struct fact_value v = {.kind = FACT_SERVICE_DNS_RECORD, .namespace = bytes_of("shop"), .name = bytes_of("web")};

	(void)state;
	put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	records_world_put(w, "la", records_fact_slice("shop/web-2", "web", 1));
	assert_int_equal(records_world_build(w), 0);
	records_world_put(w, "la", records_fact_slice("shop/web-1", "web", 0));
	assert_int_equal(records_world_build(w), 0);
	records_world_remove(w, "la", FACT_ENDPOINT_SLICE, "shop/web-2");
	assert_int_equal(records_world_build(w), 3);
	ASSERT_SHOWS(w, G, "ServiceDNSRecord shop/web; open; la L A 180 192.0.2.1 [192.0.2.1:443]");
	v.service_record.domain_ref = bytes_of("d");
	v.service_record.allow_without_endpoints = true;
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
	ASSERT_SHOWS(w, G, "ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]");
	records_world_free(w);
}

static void test_host_names_of_load_balancers_are_resolved_outside(void **state)
{
	struct records_world *w = small_world();
	struct addr addresses[2];

	(void)state;
	put_service(w, "la", "LB.example.net.,192.0.2.1");
	put_service(w, "ny", "lb2.example.net");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_true(w->last->wants_changed);
	assert_int_equal(w->last->host_count, 2);
	assert_true(bytes_equal_text(w->last->hosts[0], "lb.example.net"));
	ASSERT_SHOWS(w, G, "ServiceDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]; ny E");
	assert_true(addr_parse(bytes_of("192.0.2.9"), &addresses[0]));
	assert_true(addr_parse(bytes_of("192.0.2.8"), &addresses[1]));
	records_set_host(w->records, bytes_of("lb2.example.net"), addresses, 2);
	assert_int_equal(records_world_build(w), 3);
	assert_true(w->last->wants_changed);
	ASSERT_SHOWS(w, EAST, "ServiceDNSRecord shop/web; ny EL A 180 192.0.2.8 192.0.2.9 "
	             "[192.0.2.8:443 192.0.2.9:443]; fallback " G " 180");
	records_set_host(w->records, bytes_of("nobody.wants.this"), addresses, 2);
	assert_int_equal(records_world_build(w), 0);
	records_world_free(w);
}

static void test_a_cluster_without_region_loses_only_its_region_names(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "", records_fact_cluster("la", "", "", NULL, false));
	put_service(w, "la", "192.0.2.1");
	put_service(w, "ny", "192.0.2.2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	assert_non_null(strstr(records_world_show(w, G), "; la EL"));
	assert_non_null(records_world_show(w, EAST));
	records_world_free(w);
}

static void test_a_bad_region_is_refused_with_a_reason(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "", records_fact_cluster("la", "us west", "a", "1,2", false));
	records_world_put(w, "", records_fact_cluster("ny", "EU", "-a,b", "1,2", false));
	put_service(w, "la", "192.0.2.1");
	put_service(w, "ny", "192.0.2.2");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	assert_non_null(records_world_show(w, "web.shop.d.svc.b.eu.example.com."));
	assert_text(records_world_problems(w),
	            "cluster la: region 'us west' gives no names: only letters, digits, '-' and '_' may be in it\n"
	            "cluster ny: zone '-a' gives no names: it begins or ends with '-'\n");
	records_world_free(w);
}

static void test_without_its_domain_a_record_publishes_nothing_and_says_so(void **state)
{
	struct records_world *w = records_world_new();

	(void)state;
	records_world_cluster(w, "la", true);
	records_world_put(w, "", records_fact_cluster("la", "r", "z", "1,2", false));
	put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, "www", NULL));
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_text(records_world_problems(w), "ServiceDNSRecord shop/web: there is no Domain named 'd'\n");
	records_world_put(w, "", records_fact_domain("other/d", "example.net", 1));
	records_world_build(w);
	assert_true(w->last->everything && w->last->zones_changed);
	assert_non_null(records_world_show(w, "web.shop.d.svc.example.net."));
	assert_text(records_world_problems(w), "");
	/* The one in KubeFed's namespace is meant, however young. */
	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 9));
	records_world_build(w);
	assert_int_equal(w->last->zone_count, 2);
	assert_non_null(records_world_show(w, G));
	records_world_free(w);
}

static void test_names_that_cannot_be_are_refused(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_service(w, "la", "192.0.2.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 5000000000, "a..b", "x..y"));
	records_world_build(w);
	assert_int_equal(w->count, 0);
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 5000000000, "a..b", NULL));
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, G), "A 2147483647 "));
	assert_text(records_world_problems(w),
	            "ServiceDNSRecord shop/web: dnsPrefix 'a..b' cannot be a name: a label is empty\n"
	            "ServiceDNSRecord shop/web: recordTTL 5000000000 is over 2147483647\n");
	records_world_free(w);
}

static void test_addresses_that_must_not_leave_are_dropped_and_named(void **state)
{
	struct records_world *w = small_world();
	struct addr_network allow[1], deny[1];

	(void)state;
	put_service(w, "la", "127.0.0.1,192.0.2.1,::ffff:169.254.1.1,fe80::1,198.51.100.1");
	records_world_put(w, "", records_fact_service_record("shop/web", "d", 0, NULL, NULL));
	records_world_build(w);
	assert_non_null(strstr(records_world_show(w, G), "A 180 192.0.2.1 198.51.100.1 ["));
	assert_text(records_world_problems(w),
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

/* --- IngressDNSRecord --- */

static void test_hosts_of_an_ingress_record_follow_the_rules(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "la", records_fact_ingress("shop/web", "192.0.2.1",
	                                                "www.example.com=web,*.example.com=api,=other", "*.example.com",
	                                                NULL, 1));
	records_world_put(w, "ny", records_fact_ingress("shop/web", "192.0.2.2", "", "", NULL, 1));
	records_world_put(w, "la", records_fact_slice("shop/web-1", "web", 1));
	records_world_put(w, "", records_fact_ingress_record(
		"shop/web", "WWW.example.com,api.example.com,*.example.com,a.b.test,WWW.example.com", 0));
	records_world_build(w);
	assert_int_equal(w->count, 3);
	/* An Ingress that names no Service counts as ready. */
	ASSERT_SHOWS(w, "www.example.com.", "IngressDNSRecord shop/web; open; la EL A 180 192.0.2.1 [192.0.2.1:443]; "
	             "ny EL A 180 192.0.2.2 [192.0.2.2:80]");
	ASSERT_SHOWS(w, "api.example.com.", "IngressDNSRecord shop/web; open; la L A 180 192.0.2.1 [192.0.2.1:443]; "
	             "ny EL A 180 192.0.2.2 [192.0.2.2:80]");
	assert_text(records_world_problems(w), "IngressDNSRecord shop/web: host a.b.test is outside every zone\n");
	records_world_put(w, "la", records_fact_slice("shop/api-1", "api", 1));
	assert_int_equal(records_world_build(w), 2);
	records_world_free(w);
}

/* --- annotations --- */

static void put_annotated(struct records_world *w, const char *cluster, const char *key, const char *address,
                          const char *host, int64_t created)
{
	records_world_put(w, cluster, records_fact_service(key, address, 80, host, NULL, NULL, created));
}

static void test_one_host_name_in_several_clusters_is_one_name(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_annotated(w, "la", "shop/web", "192.0.2.1", "www.example.com , WWW.example.com.,bad..name", 5);
	put_annotated(w, "ny", "shop/web2", "192.0.2.2", "www.example.com", 4);
	records_world_put(w, "ny", records_fact_slice("shop/x", "web2", 1));
	records_world_build(w);
	assert_int_equal(w->count, 1);
	ASSERT_SHOWS(w, "www.example.com.", "annotation www.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]; "
	             "ny EL A 30 192.0.2.2 [192.0.2.2:80]");
	assert_text(records_world_problems(w),
	            "Service shop/web: annotation hostname 'bad..name' of cluster la: a label is empty\n");
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_remove(w, "ny", FACT_SERVICE, "shop/web2");
	records_world_build(w);
	assert_int_equal(w->count, 0);
	assert_text(records_world_problems(w), "");
	records_world_free(w);
}

static void test_a_namespace_cannot_take_another_ones_name(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_annotated(w, "la", "shop/web", "192.0.2.1", "www.example.com", 5);
	put_annotated(w, "la", "shop/young", "192.0.2.9", "www.example.com", 6);
	put_annotated(w, "ny", "evil/web", "192.0.2.2", "www.example.com", 7);
	records_world_build(w);
	ASSERT_SHOWS(w, "www.example.com.", "annotation www.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]");
	assert_text(records_world_conflicts(w),
	            "www.example.com.: Service shop/web over Service evil/web\n"
	            "www.example.com.: Service shop/web over Service shop/young\n");
	records_world_remove(w, "la", FACT_SERVICE, "shop/web");
	records_world_build(w);
	ASSERT_SHOWS(w, "www.example.com.", "annotation www.example.com; open; la L A 30 192.0.2.9 [192.0.2.9:80]");
	records_world_free(w);
}

static void test_target_and_ttl_annotations_count(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "la", records_fact_service("shop/a", "", 80, "a.example.com",
	                                                "2001:db8::1, 192.0.2.7,x.test", "1h30m", 1));
	records_world_put(w, "la", records_fact_service("shop/b", "192.0.2.1", 80, "b.example.com", "x.test,y.test", "0", 1));
	records_world_put(w, "la", records_fact_ingress("shop/c", "192.0.2.3", "c.example.com=web", "", "c.example.com", 1));
	put_annotated(w, "la", "shop/d", "", "d.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->count, 3);
	ASSERT_SHOWS(w, "a.example.com.", "annotation a.example.com; open; la L A 5400 192.0.2.7 AAAA 5400 2001:db8::1 "
	             "[192.0.2.7:80 [2001:db8::1]:80]");
	ASSERT_SHOWS(w, "b.example.com.", "annotation b.example.com; open; la L CNAME 30 x.test");
	ASSERT_SHOWS(w, "c.example.com.", "annotation c.example.com; open; la L A 30 192.0.2.3 [192.0.2.3:80]");
	assert_text(records_world_problems(w),
	            "Service shop/a: annotation target 'x.test' of cluster la is left out beside addresses\n"
	            "Service shop/b: annotation target 'y.test' of cluster la is one name too many: only the first counts\n"
	            "Service shop/b: annotation ttl '0' of cluster la is not a TTL\n");
	records_world_free(w);
}

/* --- DNSEndpoint --- */

static void test_endpoints_of_one_name_are_merged(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "", records_fact_dns_endpoint("ns/e",
		"a.example.com 60 a 192.0.2.2 192.0.2.1 2001:db8::1\n"
		"A.example.com. 90 A 192.0.2.1 192.0.2.3 nonsense\n"
		"a.example.com 0 txt hello\n"
		"a.example.com 0 TXT again hello\n"
		"a.example.com 0 CNAME x.test\n"
		"c.example.com 0 CNAME x.test y.test\n"
		"e.example.com 0 TXT\n"
		"bad..name 0 A 192.0.2.1\n"
		"out.test 0 A 192.0.2.1\n"
		"l.example.com 0 A 127.0.0.1", 1));
	records_world_build(w);
	assert_int_equal(w->count, 2);
	ASSERT_SHOWS(w, "a.example.com.", "DNSEndpoint ns/e; fixed A 60 192.0.2.1 192.0.2.2 192.0.2.3 "
	             "AAAA 60 2001:db8::1 TXT 30 hello again");
	ASSERT_SHOWS(w, "c.example.com.", "DNSEndpoint ns/e; fixed CNAME 30 x.test");
	assert_text(records_world_problems(w),
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
	struct records_world *w = small_world();
	struct fact_endpoint e = {.name = bytes_of("x.example.com"), .type = bytes_of("TXT"), .target_count = 1,
	                          .targets = &(struct bytes){(const uint8_t *)"hi", 2}};
	struct fact_value v = {.kind = FACT_DNS_ENDPOINT, .namespace = bytes_of("shop"), .name = bytes_of("web"),
	                       .dns_endpoint = {true, &e, 1}};

	(void)state;
	records_world_put(w, "", records_fact_dns_endpoint("shop/service-web", "s.example.com 0 TXT hi", 1));
	records_world_put(w, "", records_fact_dns_endpoint("shop/ingress-web", "i.example.com 0 TXT hi", 1));
	records_world_put(w, "", records_fact_dns_endpoint("blog/service-web", "b.example.com 0 TXT hi", 1));
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

/* --- conflicts --- */

static void test_the_oldest_source_wins_and_the_next_takes_over(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "", records_fact_dns_endpoint("ns/none", "www.example.com 0 A 192.0.2.1", FACT_NO_TIME));
	records_world_put(w, "", records_fact_dns_endpoint("ns/young", "www.example.com 0 A 192.0.2.2", 20));
	records_world_put(w, "", records_fact_dns_endpoint("ns/old", "www.example.com 0 A 192.0.2.3", 10));
	put_annotated(w, "la", "shop/web", "192.0.2.4", "www.example.com", 10);
	records_world_build(w);
	ASSERT_SHOWS(w, "www.example.com.", "DNSEndpoint ns/old; fixed A 30 192.0.2.3");
	assert_text(records_world_conflicts(w),
	            "www.example.com.: DNSEndpoint ns/old over DNSEndpoint ns/none\n"
	            "www.example.com.: DNSEndpoint ns/old over DNSEndpoint ns/young\n"
	            "www.example.com.: DNSEndpoint ns/old over Service shop/web\n");
	records_world_put(w, "", records_fact_dns_endpoint("config/zone", "WWW.example.com 0 A 127.0.0.1", FACT_CONFIG_TIME));
	assert_int_equal(records_world_build(w), 1);
	ASSERT_SHOWS(w, "www.example.com.", "DNSEndpoint config/zone; fixed A 30 127.0.0.1");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "config/zone");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/old");
	assert_int_equal(records_world_build(w), 1);
	ASSERT_SHOWS(w, "www.example.com.", "annotation www.example.com; open; la L A 30 192.0.2.4 [192.0.2.4:80]");
	/* A loser's change says nothing. */
	records_world_put(w, "", records_fact_dns_endpoint("ns/young", "www.example.com 0 A 192.0.2.200", 20));
	assert_int_equal(records_world_build(w), 0);
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/young");
	records_world_remove(w, "", FACT_DNS_ENDPOINT, "ns/none");
	records_world_build(w);
	assert_text(records_world_conflicts(w), "");
	records_world_free(w);
}

static void test_a_recreated_object_takes_its_new_place(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	records_world_put(w, "", records_fact_dns_endpoint("ns/a", "www.example.com 0 A 192.0.2.1", 10));
	records_world_put(w, "", records_fact_dns_endpoint("ns/b", "www.example.com 0 A 192.0.2.2", 20));
	records_world_build(w);
	records_world_put(w, "", records_fact_dns_endpoint("ns/a", "www.example.com 0 A 192.0.2.1", 30));
	assert_int_equal(records_world_build(w), 1);
	ASSERT_SHOWS(w, "www.example.com.", "DNSEndpoint ns/b; fixed A 30 192.0.2.2");
	records_world_free(w);
}

/* --- clusters, wants, zones --- */

static void test_clusters_are_put_together_from_all_that_is_known(void **state)
{
	struct records_world *w = records_world_new();
	struct records_member member = {.name = bytes_of("ny"), .has_location = true, .location = {1, 2},
	                                .region = bytes_of("r1"), .drained = true};
	const struct records_cluster *c;

	(void)state;
	w->settings.members = &member;
	w->settings.member_count = 1;
	records_world_configure(w);
	records_world_cluster(w, "tokyo", true);
	records_world_cluster(w, "ny", true);
	records_world_cluster(w, "la", true);
	records_world_put(w, "", records_fact_cluster("unregistered", "r", "z", NULL, false));
	records_world_put(w, "", records_fact_cluster("la", "us-west-2", "", NULL, false));
	records_world_put(w, "tokyo", records_fact_node("n1", "b", "z2"));
	records_world_put(w, "tokyo", records_fact_node("n2", "a", "z1"));
	records_world_put(w, "tokyo", records_fact_node("n3", "b", "z2"));
	records_world_put(w, "tokyo", records_fact_node("n4", "a", ""));
	records_world_build(w);
	assert_true(w->last->clusters_changed);
	assert_int_equal(w->last->cluster_count, 3);
	c = w->last->clusters;
	assert_string_equal(c[0].name, "la");
	assert_true(c[0].has_place);
	assert_string_equal(c[0].place_from, "region us-west-2");
	assert_string_equal(c[1].name, "ny");
	assert_string_equal(c[1].place_from, "config");
	assert_true(c[1].drained);
	assert_true(bytes_equal_text(c[1].region, "r1"));
	assert_false(c[2].has_place);
	assert_true(bytes_equal_text(c[2].region, "a"));
	assert_int_equal(c[2].zone_count, 2);
	assert_true(bytes_equal_text(c[2].zones[0], "z1"));
	assert_text(records_world_problems(w), "cluster tokyo: has no location: ranked last\n");
	records_world_put(w, "", records_fact_cluster("ny", "r2", "", "40.7,-74", true));
	records_world_build(w);
	assert_true(w->last->clusters_changed);
	assert_string_equal(w->last->clusters[1].place_from, "annotation");
	assert_true(bytes_equal_text(w->last->clusters[1].region, "r2"));
	records_world_free(w);
}

static void test_a_probe_keeps_its_index_while_it_is_wanted(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_annotated(w, "la", "shop/a", "192.0.2.1", "a.example.com", 1);
	put_annotated(w, "la", "shop/b", "192.0.2.1", "b.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->last->probe_count, 1);
	records_world_remove(w, "la", FACT_SERVICE, "shop/a");
	records_world_build(w);
	assert_false(w->last->wants_changed);
	records_world_remove(w, "la", FACT_SERVICE, "shop/b");
	records_world_build(w);
	assert_true(w->last->wants_changed);
	assert_int_equal(w->last->probes[0].addr.family, ADDR_NONE);
	put_annotated(w, "la", "shop/c", "192.0.2.3", "c.example.com", 1);
	records_world_build(w);
	assert_int_equal(w->last->probe_count, 1);
	assert_int_equal(w->last->probes[0].port, 80);
	records_world_free(w);
}

static void test_a_cluster_that_is_not_registered_has_no_sites(void **state)
{
	struct records_world *w = small_world();

	(void)state;
	put_annotated(w, "la", "shop/a", "192.0.2.1", "a.example.com", 1);
	put_annotated(w, "houston", "shop/a", "192.0.2.2", "a.example.com", 1);
	records_world_build(w);
	ASSERT_SHOWS(w, "a.example.com.", "annotation a.example.com; open; la L A 30 192.0.2.1 [192.0.2.1:80]");
	records_world_cluster(w, "houston", true);
	assert_int_equal(records_world_build(w), 1);
	assert_non_null(strstr(records_world_show(w, "a.example.com."), "houston L"));
	records_world_cluster(w, "la", false);
	records_world_build(w);
	ASSERT_SHOWS(w, "a.example.com.", "annotation a.example.com; open; houston L A 30 192.0.2.2 [192.0.2.2:80]");
	records_world_free(w);
}

static void test_zones_come_from_domains_and_config_longest_first(void **state)
{
	struct records_world *w = small_world();
	struct bytes zones[] = {bytes_of("Sub.Example.com"), bytes_of("example.com")};

	(void)state;
	w->settings.zones = zones;
	w->settings.zone_count = 2;
	records_world_configure(w);
	records_world_put(w, "", records_fact_domain("ns/x", "bad..domain", 1));
	records_world_build(w);
	assert_int_equal(w->last->zone_count, 2);
	assert_memory_equal(w->last->zones[0].apex.data, "\3sub\7example\3com", 17);
	assert_true(w->last->zones[0].from_config && w->last->zones[1].from_config);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_service_record_gives_the_ladder),
		cmocka_unit_test(test_a_cluster_without_the_service_gets_names_that_lead_upward),
		cmocka_unit_test(test_readiness_is_a_layer_and_addresses_stay),
		cmocka_unit_test(test_host_names_of_load_balancers_are_resolved_outside),
		cmocka_unit_test(test_a_cluster_without_region_loses_only_its_region_names),
		cmocka_unit_test(test_a_bad_region_is_refused_with_a_reason),
		cmocka_unit_test(test_without_its_domain_a_record_publishes_nothing_and_says_so),
		cmocka_unit_test(test_names_that_cannot_be_are_refused),
		cmocka_unit_test(test_addresses_that_must_not_leave_are_dropped_and_named),
		cmocka_unit_test(test_hosts_of_an_ingress_record_follow_the_rules),
		cmocka_unit_test(test_one_host_name_in_several_clusters_is_one_name),
		cmocka_unit_test(test_a_namespace_cannot_take_another_ones_name),
		cmocka_unit_test(test_target_and_ttl_annotations_count),
		cmocka_unit_test(test_endpoints_of_one_name_are_merged),
		cmocka_unit_test(test_a_rendering_is_not_a_source),
		cmocka_unit_test(test_the_oldest_source_wins_and_the_next_takes_over),
		cmocka_unit_test(test_a_recreated_object_takes_its_new_place),
		cmocka_unit_test(test_clusters_are_put_together_from_all_that_is_known),
		cmocka_unit_test(test_a_probe_keeps_its_index_while_it_is_wanted),
		cmocka_unit_test(test_a_cluster_that_is_not_registered_has_no_sites),
		cmocka_unit_test(test_zones_come_from_domains_and_config_longest_first),
	};

	return cmocka_run_group_tests_name("records/build", tests, NULL, NULL);
}
