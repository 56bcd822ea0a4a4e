/* records.c -- which names there are, and what they hold: KubeFed's records, DNSEndpoints, annotations. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define P              "web.shop.fed.svc."
#define BOSTON         "192.0.2.0/24"
#define AUSTIN         "198.51.100.0/24"
#define SAN_FRANCISCO  "203.0.113.0/24"
#define HOSTNAME(name) "external-dns.alpha.kubernetes.io/hostname: " name

/* --- ServiceDNSRecord --- */

static void test_a_service_record_has_global_region_and_zone_names_for_180_seconds(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	a = world_query(w, P "example.com", "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.ttl, 180);
	assert_true(a.authoritative);
	a = world_query(w, P "us-west.example.com", "A", BOSTON);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.ttl, 180);
	a = world_query(w, P "us-east-a.us-east.example.com", "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.1.10");
	assert_int_equal(a.ttl, 180);
	world_expect(w, P "us-north.example.com", "A", NULL, "NXDOMAIN", 0);
}

static void test_zone_and_region_without_a_usable_site_climb_the_ladder(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_expect(w, P "us-west-a.us-west.example.com", "CNAME", SAN_FRANCISCO,
	             P "us-west.example.com.", 1000);
	world_expect(w, P "us-west.example.com", "CNAME", SAN_FRANCISCO, P "example.com.", 0);
	world_expect(w, P "us-west-a.us-west.example.com", "A", SAN_FRANCISCO,
	             P "us-west.example.com. " P "example.com. 198.18.2.10", 0);
	world_service(w, "losangeles", "web", "198.18.3.10", true, "");
	world_expect(w, P "us-west-a.us-west.example.com", "A", SAN_FRANCISCO, "198.18.3.10", 1000);
}

static void service_record(struct world *w, const char *spec)
{
	world_write(w, "manifests/host/record-web.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: ServiceDNSRecord\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec: {domainRef: fed, %s}\n",
	            spec);
}

static void test_prefix_external_name_and_ttl_are_kubefeds(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	service_record(w, "dnsPrefix: www, externalName: front, recordTTL: 300");
	world_start(w);
	a = world_query(w, "www.example.com", "A", BOSTON);
	assert_string_equal(a.records, "front.shop.fed.svc.example.com. 198.18.1.10");
	assert_int_equal(a.ttl, 300);
	a = world_query(w, "front.shop.fed.svc.us-west.example.com", "A", BOSTON);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.ttl, 300);
	world_expect(w, P "example.com", "A", BOSTON, "NXDOMAIN", 0);
}

static void test_a_service_without_endpoints_is_usable_only_where_the_record_allows_it(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_start(w);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.2.10", 0);
	service_record(w, "allowServiceWithoutEndpoints: true");
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.3.10", 1000);
}

static void test_a_cluster_without_region_loses_only_its_region_and_zone_names(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_cluster(w, "losangeles", "34.05,-118.24", "", "");
	world_start(w);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_expect(w, P "us-west.example.com", "A", SAN_FRANCISCO, "NXDOMAIN", 0);
	world_expect(w, P "us-south.example.com", "A", SAN_FRANCISCO, "198.18.2.10", 0);
	/* Its nodes' labels say it too. */
	world_write(w, "manifests/clusters/losangeles/node.yaml",
	            "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: "
	            "{topology.kubernetes.io/region: us-west-2,\n"
	            "  topology.kubernetes.io/zone: us-west-2a}}\n");
	world_expect(w, P "us-west-2.example.com", "A", BOSTON, "198.18.3.10", 1000);
	world_expect(w, P "us-west-2a.us-west-2.example.com", "A", BOSTON, "198.18.3.10", 0);
}

static void test_a_record_whose_domain_is_missing_publishes_nothing_and_says_so(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_service_record(w, "web", "absent");
	world_start(w);
	world_expect(w, P "example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect_http(w, "/status", "absent", 0);
	world_domain(w, "absent", "example.com");
	world_expect(w, "web.shop.absent.svc.example.com", "A", BOSTON, "198.18.1.10", 1000);
}

static void test_an_invalid_label_is_refused_with_a_reason(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	service_record(w, "externalName: \"bad..label\"");
	world_expect_http(w, "/status", "bad..label", 1000);
}

/* --- addresses --- */

static void test_ipv6_addresses_go_into_aaaa(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_service(w, "losangeles", "web", "2001:db8:3::10", true, "");
	world_start(w);
	world_expect(w, P "us-west.example.com", "AAAA", NULL, "2001:db8:3::10", 0);
	world_expect(w, P "us-west.example.com", "A", NULL, "NODATA", 0);
}

static void test_addresses_that_must_never_be_published_are_not(void **state)
{
	static const char *const never[] = {"127.0.0.1", "169.254.1.1",     "0.1.2.3",
	                                    "224.0.0.1", "255.255.255.255", "::1",
	                                    "fe80::1",   "::ffff:127.0.0.1"};
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		char name[32], dns_name[64], where[96];

		snprintf(name, sizeof(name), "n%zu", i);
		snprintf(dns_name, sizeof(dns_name), "n%zu.shop.fed.svc.example.com", i);
		world_service_record(w, name, "fed");
		world_service(w, "losangeles", name, never[i], true, "");
		/* The name is there, and why it is empty is told. */
		world_expect(w, dns_name, "A", NULL, "NODATA", 1000);
		world_expect(w, dns_name, "AAAA", NULL, "NODATA", 0);
		snprintf(where, sizeof(where),
		         "{\"where\":\"Service shop/n%zu\",\"message\":\"address ", i);
		world_expect_http(w, "/status", where, 0);
	}
}

static void test_what_is_allowed_and_denied_in_the_config_counts(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "publish: {allow: [127.0.0.0/8], deny: [198.18.1.0/24]}");
	world_service(w, "losangeles", "web", "127.0.0.3", true, "");
	world_start(w);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "127.0.0.3", 0);
	world_expect(w, P "example.com", "A", BOSTON, "198.18.2.10", 0);
}

static void test_a_load_balancers_host_name_is_resolved(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "publish: {allow: [127.0.0.0/8]}");
	world_service(w, "losangeles", "web", "localhost", true, "");
	world_start(w);
	world_expect(w, P "us-west.example.com", "A", NULL, "127.0.0.1", 10000);
}

/* As a zone's file does: an MX and the clusters' addresses have one name. */
static void test_records_of_the_config_stand_beside_what_clusters_have(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_write(w, "manifests/host/record.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: IngressDNSRecord\n"
	            "metadata: {name: door, namespace: shop}\nspec: {hosts: [example.com]}\n");
	for (unsigned i = 0; i < 2; i++)
		world_write(w,
		            i ? "manifests/clusters/newyork/i.yaml"
		              : "manifests/clusters/losangeles/i.yaml",
		            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
		            "metadata: {name: door, namespace: shop}\nspec: {}\n"
		            "status: {loadBalancer: {ingress: [{ip: 198.18.%u.20}]}}\n",
		            i ? 1 : 3);
	world_config(w, "zones: [{name: example.com, records: [\"@ 300 MX 10 mail.example.net.\", "
	                "\"" P "example.com. TXT here\", \"" P
	                "us-west.example.com. A 192.0.2.1\"]}]\n");
	world_start(w);
	world_expect(w, "example.com", "MX", BOSTON, "10 mail.example.net.", 0);
	world_expect(w, "example.com", "A", BOSTON, "198.18.1.20", 0);
	world_expect(w, "example.com", "A", SAN_FRANCISCO, "198.18.3.20", 0);
	world_expect(w, P "example.com", "TXT", BOSTON, "\"here\"", 0);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
	a = world_query(w, P "example.com", "AAAA", SAN_FRANCISCO);
	assert_string_equal(a.records, "NODATA");
	/* Of a type that both have the config's counts, which is told. */
	world_expect(w, P "us-west.example.com", "A", NULL, "192.0.2.1", 0);
	world_expect_http(w, "/status",
	                  "\"conflicts\":[{\"name\":\"" P
	                  "us-west.example.com\",\"winner\":\"config zone example.com\",\"loser\":"
	                  "\"ServiceDNSRecord shop/web\"}]",
	                  0);
	/* What explain says of such a name is what was answered. */
	world_expect_http(w, "/explain?name=" P "example.com&type=TXT", "TXT \\\"here\\\"", 0);
	world_config(w, "zones: [{name: example.com}]\n");
	world_signal(w, SIGHUP);
	world_expect(w, P "example.com", "TXT", NULL, "NODATA", 5000);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
}

/* --- IngressDNSRecord --- */

static void ingress(struct world *w, const char *cluster, const char *address, const char *service)
{
	char file[128];

	snprintf(file, sizeof(file), "manifests/clusters/%s/ingress.yaml", cluster);
	world_write(w, file,
	            "apiVersion: networking.k8s.io/v1\n"
	            "kind: Ingress\n"
	            "metadata: {name: door, namespace: shop}\n"
	            "spec: {rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: "
	            "Prefix,\n"
	            "  backend: {service: {name: %s, port: {number: 80}}}}]}}]}\n"
	            "status: {loadBalancer: {ingress: [{ip: %s}]}}\n",
	            service, address);
}

static void test_an_ingress_records_hosts_choose_among_all_clusters(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	ingress(w, "newyork", "198.18.1.20", "web");
	ingress(w, "losangeles", "198.18.3.20", "web");
	world_write(w, "manifests/host/ingress-record.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: IngressDNSRecord\n"
	            "metadata: {name: door, namespace: shop}\n"
	            "spec: {hosts: [shop.example.com, \"*.apps.example.com\", www.other.test], "
	            "recordTTL: 60}\n");
	world_start(w);
	world_expect(w, "shop.example.com", "A", SAN_FRANCISCO, "198.18.3.20", 0);
	world_expect(w, "shop.example.com", "A", BOSTON, "198.18.1.20", 0);
	world_expect(w, "any.apps.example.com", "A", BOSTON, "198.18.1.20", 0);
	assert_int_equal(world_query(w, "shop.example.com", "A", BOSTON).ttl, 60);
	/* Usable is what has a ready endpoint behind it. */
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_expect(w, "shop.example.com", "A", SAN_FRANCISCO, "198.18.1.20", 1000);
	/* A host outside every zone is not served, and listed. */
	world_expect(w, "www.other.test", "A", NULL, "REFUSED", 0);
	world_expect_http(w, "/status", "www.other.test", 0);
}

/* The Service with the Ingress' address is its controller: pods that are ready behind one that is not are of no use. */
static void test_an_ingress_whose_controller_is_not_ready_is_avoided_and_explained(void **state)
{
	struct world *w = *state;
	const char *const explain[] = {"$NIGHCTL", "explain",     "shop.example.com",
	                               "--client", SAN_FRANCISCO, NULL};
	const char *out;

	world_three_cities(w);
	ingress(w, "newyork", "198.18.1.20", "web");
	ingress(w, "losangeles", "198.18.3.20", "web");
	world_service(w, "losangeles", "controller", "198.18.3.20", true, "");
	world_write(w, "manifests/host/ingress-record.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: IngressDNSRecord\n"
	            "metadata: {name: door, namespace: shop}\nspec: {hosts: [shop.example.com]}\n");
	world_start(w);
	world_expect(w, "shop.example.com", "A", SAN_FRANCISCO, "198.18.3.20", 0);
	world_service(w, "losangeles", "controller", "198.18.3.20", false, "");
	world_expect(w, "shop.example.com", "A", SAN_FRANCISCO, "198.18.1.20", 1000);
	out = world_expect_run(w, explain, 0,
	                       "gateway: the controller of the Ingress has no ready endpoint");
	assert_null(strstr(out, "endpoints: "));
	/* What does not go through it stays. */
	world_expect(w, "web.shop.fed.svc.example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_service(w, "losangeles", "controller", "198.18.3.20", true, "");
	world_expect(w, "shop.example.com", "A", SAN_FRANCISCO, "198.18.3.20", 1000);
}

/* --- annotations --- */

static void test_a_host_annotated_in_three_clusters_is_one_name_with_three_sites(void **state)
{
	struct world *w = *state;
	static const char *const cities[] = {"newyork", "houston", "losangeles"};

	world_three_cities(w);
	world_remove(w, "manifests/host/record-web.yaml");
	for (int i = 0; i < 3; i++) {
		char address[32];

		snprintf(address, sizeof(address), "198.18.%d.10", i + 1);
		world_service(w, cities[i], "web", address, true,
		              i == 1 ? "external-dns.kubernetes.io/hostname: www.example.com"
		                     : HOSTNAME("www.example.com"));
	}
	world_start(w);
	world_expect(w, "www.example.com", "A", BOSTON, "198.18.1.10", 0);
	world_expect(w, "www.example.com", "A", AUSTIN, "198.18.2.10", 0);
	world_expect(w, "www.example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
	assert_int_equal(world_query(w, "www.example.com", "A", BOSTON).ttl, 30);
	world_service(w, "losangeles", "web", "198.18.3.10", false, HOSTNAME("www.example.com"));
	world_expect(w, "www.example.com", "A", SAN_FRANCISCO, "198.18.2.10", 1000);
	/* The annotation goes, and with it the site. */
	world_service(w, "houston", "web", "198.18.2.10", true, "");
	world_expect(w, "www.example.com", "A", SAN_FRANCISCO, "198.18.1.10", 1000);
}

static void test_annotated_target_and_ttl_count(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_service(
		w, "newyork", "web", "198.18.1.10", true,
		HOSTNAME("\"www.example.com, api.example.com\"") ", "
								 "external-dns.alpha.kubernetes.io/"
								 "target: 198.18.9.9, "
								 "external-dns.alpha.kubernetes.io/"
								 "ttl: \"1m\"");
	world_start(w);
	a = world_query(w, "www.example.com", "A", BOSTON);
	assert_string_equal(a.records, "198.18.9.9");
	assert_int_equal(a.ttl, 60);
	world_expect(w, "api.example.com", "A", BOSTON, "198.18.9.9", 0);
}

/* --- DNSEndpoint --- */

static void test_an_endpoint_can_be_of_every_type(void **state)
{
	static const struct {
		const char *type, *target, *answer;
	} all[] = {
		{"A", "198.18.0.1", "198.18.0.1"},
		{"AAAA", "\"2001:db8::1\"", "2001:db8::1"},
		{"CNAME", "elsewhere.test", "elsewhere.test."},
		{"MX", "10 mail.example.com", "10 mail.example.com."},
		{"TXT", "\"two words\"", "\"two words\""},
		{"TXT", "'\"one\" \"two\"'", "\"one\" \"two\""},
		{"SRV", "0 5 443 sip.example.com", "0 5 443 sip.example.com."},
		{"NS", "ns.elsewhere.test", "REFERRAL"},
		{"CAA", "'0 issue \"ca.test\"'", "0 issue \"ca.test\""},
		{"PTR", "host.example.com", "host.example.com."},
		{"NAPTR", "'10 20 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.com!\" .'",
	         "10 20 \"u\" \"sip+E2U\" \"!^.*$!sip:info@example.com!\" ."},
		{"SSHFP", "1 1 123456789abcdef67890123456789abcdef67890",
	         "1 1 123456789abcdef67890123456789abcdef67890"},
		{"TLSA", "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	         "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
	};
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char file[32], object[16], name[64];

		snprintf(object, sizeof(object), "t%zu", i);
		snprintf(file, sizeof(file), "t%zu.yaml", i);
		snprintf(name, sizeof(name), "t%zu.example.com", i);
		world_endpoint(w, file, object, name, all[i].type, all[i].target);
	}
	world_start(w);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "t%zu.example.com", i);
		world_expect(w, name, all[i].type, NULL, all[i].answer, 0);
	}
	world_expect_http(w, "/status", "\"errors\":[]", 0);
}

static void test_a_long_text_is_cut_into_strings_of_255_octets(void **state)
{
	struct world *w = *state;
	char target[400], expected[512];

	memset(target, 'x', sizeof(target));
	snprintf(target + 300, sizeof(target) - 300, " y  z");
	snprintf(expected, sizeof(expected), "\"%.255s\" \"%s\"", target, target + 255);
	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/t.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: t, namespace: shop}\n"
	            "spec: {endpoints: [{dnsName: t.example.com, recordType: TXT, targets: "
	            "[\"%s\"]}]}\n",
	            target);
	world_start(w);
	world_expect(w, "t.example.com", "TXT", NULL, expected, 0);
}

static void test_two_set_identifiers_of_a_name_and_type_are_united(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/s.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: s, namespace: shop}\n"
	            "spec:\n"
	            "  endpoints:\n"
	            "  - {dnsName: s.example.com, recordType: A, setIdentifier: one, targets: "
	            "[198.18.0.1]}\n"
	            "  - {dnsName: s.example.com, recordType: A, setIdentifier: two, targets: "
	            "[198.18.0.2, 198.18.0.1]}\n");
	world_start(w);
	world_expect(w, "s.example.com", "A", NULL, "198.18.0.1 198.18.0.2", 0);
}

static void test_a_bad_target_is_said_and_hurts_no_other_name(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_endpoint(w, "good.yaml", "good", "good.example.com", "A", "198.18.0.1");
	world_start(w);
	world_endpoint(w, "bad.yaml", "bad", "bad.example.com", "A", "not-an-address");
	world_expect_http(w, "/status", "not-an-address", 1000);
	world_expect(w, "good.example.com", "A", NULL, "198.18.0.1", 0);
}

/* --- conflicts --- */

static void old_endpoint(struct world *w, const char *object, const char *created,
                         const char *target)
{
	char file[64];

	snprintf(file, sizeof(file), "manifests/host/%s.yaml", object);
	world_write(
		w, file,
		"apiVersion: externaldns.k8s.io/v1alpha1\n"
		"kind: DNSEndpoint\n"
		"metadata: {name: %s, namespace: shop, creationTimestamp: \"%s\"}\n"
		"spec: {endpoints: [{dnsName: same.example.com, recordType: A, targets: [%s]}]}\n",
		object, created, target);
}

static void test_of_two_sources_of_a_name_the_older_wins_and_the_other_is_listed(void **state)
{
	struct world *w = *state;
	const char *status;

	world_domain(w, "fed", "example.com");
	old_endpoint(w, "first", "2026-01-02T00:00:00Z", "198.18.0.1");
	world_start(w);
	world_expect(w, "same.example.com", "A", NULL, "198.18.0.1", 0);
	old_endpoint(w, "second", "2026-01-01T00:00:00Z", "198.18.0.2");
	world_expect(w, "same.example.com", "A", NULL, "198.18.0.2", 1000);
	world_expect_http(w, "/status", "\"conflicts\":[{\"name\":\"same.example.com", 1000);
	status = strstr(world_get(w, "/status", NULL), "\"conflicts\"");
	assert_non_null(strstr(status, "shop/first"));
	assert_non_null(strstr(status, "shop/second"));
	world_remove(w, "manifests/host/second.yaml");
	world_expect(w, "same.example.com", "A", NULL, "198.18.0.1", 1000);
	world_expect_http(w, "/status", "\"conflicts\":[]", 1000);
}

static void test_the_same_name_in_two_api_groups_is_two_objects(void **state)
{
	static const char *const group[] = {"multiclusterdns.kubefed.io", "externaldns.k8s.io"};
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	for (int i = 0; i < 2; i++) {
		char file[64];

		snprintf(file, sizeof(file), "manifests/host/%s.yaml", group[i]);
		world_write(w, file,
		            "apiVersion: %s/v1alpha1\n"
		            "kind: DNSEndpoint\n"
		            "metadata: {name: same, namespace: shop}\n"
		            "spec: {endpoints: [{dnsName: g%d.example.com, recordType: A, "
		            "targets: [198.18.0.%d]}]}\n",
		            group[i], i, i + 1);
	}
	world_start(w);
	world_expect(w, "g0.example.com", "A", NULL, "198.18.0.1", 0);
	world_expect(w, "g1.example.com", "A", NULL, "198.18.0.2", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_remove(w, "manifests/host/externaldns.k8s.io.yaml");
	world_expect(w, "g1.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect(w, "g0.example.com", "A", NULL, "198.18.0.1", 0);
}

static void test_the_rendering_of_a_record_is_no_source(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_endpoint(w, "rendering.yaml", "service-web", P "example.com", "A", "198.18.99.99");
	world_write(w, "manifests/host/sites.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: nigh-service-web, namespace: shop, labels: {nigh.dev/sites: "
	            "\"true\"}}\n"
	            "spec: {endpoints: [{dnsName: " P "example.com, recordType: A, targets: "
	            "[198.18.99.98]}]}\n");
	world_start(w);
	world_expect(w, P "example.com", "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_expect_http(w, "/status", "\"conflicts\":[]", 0);
}

static void test_a_record_belongs_to_the_longest_zone(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_domain(w, "sub", "sub.example.com");
	world_endpoint(w, "x.yaml", "x", "x.sub.example.com", "A", "198.18.0.1");
	world_start(w);
	world_expect(w, "x.sub.example.com", "A", NULL, "198.18.0.1", 0);
	assert_non_null(strstr(world_query(w, "y.sub.example.com", "A", NULL).authority,
	                       "sub.example.com. SOA "));
	world_remove(w, "manifests/host/domain-sub.yaml");
	world_expect(w, "x.sub.example.com", "A", NULL, "198.18.0.1", 1000);
	assert_non_null(strstr(world_query(w, "y.sub.example.com", "A", NULL).authority,
	                       "example.com. SOA "));
}

static void test_no_object_takes_the_place_of_the_configs_records(void **state)
{
	struct world *w = *state;

	world_config(w, "zones:\n- name: example.com\n  records: [\"www A 192.0.2.1\"]");
	world_write(w, "manifests/host/e.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: example.com, namespace: config}\nspec:\n  endpoints:\n"
	            "  - {dnsName: api.example.com, recordType: A, targets: [192.0.2.2]}\n");
	world_start(w);
	world_expect(w, "api.example.com", "A", NULL, "192.0.2.2", 1000);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	world_remove(w, "manifests/host/e.yaml");
	world_expect(w, "api.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_service_record_has_global_region_and_zone_names_for_180_seconds),
		world_test(test_zone_and_region_without_a_usable_site_climb_the_ladder),
		world_test(test_prefix_external_name_and_ttl_are_kubefeds),
		world_test(
			test_a_service_without_endpoints_is_usable_only_where_the_record_allows_it),
		world_test(test_a_cluster_without_region_loses_only_its_region_and_zone_names),
		world_test(test_a_record_whose_domain_is_missing_publishes_nothing_and_says_so),
		world_test(test_an_invalid_label_is_refused_with_a_reason),
		world_test(test_ipv6_addresses_go_into_aaaa),
		world_test(test_addresses_that_must_never_be_published_are_not),
		world_test(test_what_is_allowed_and_denied_in_the_config_counts),
		world_test(test_a_load_balancers_host_name_is_resolved),
		world_test(test_records_of_the_config_stand_beside_what_clusters_have),
		world_test(test_an_ingress_records_hosts_choose_among_all_clusters),
		world_test(test_an_ingress_whose_controller_is_not_ready_is_avoided_and_explained),
		world_test(test_a_host_annotated_in_three_clusters_is_one_name_with_three_sites),
		world_test(test_annotated_target_and_ttl_count),
		world_test(test_an_endpoint_can_be_of_every_type),
		world_test(test_a_long_text_is_cut_into_strings_of_255_octets),
		world_test(test_two_set_identifiers_of_a_name_and_type_are_united),
		world_test(test_a_bad_target_is_said_and_hurts_no_other_name),
		world_test(test_of_two_sources_of_a_name_the_older_wins_and_the_other_is_listed),
		world_test(test_the_same_name_in_two_api_groups_is_two_objects),
		world_test(test_the_rendering_of_a_record_is_no_source),
		world_test(test_a_record_belongs_to_the_longest_zone),
		world_test(test_no_object_takes_the_place_of_the_configs_records),
	};

	return cmocka_run_group_tests_name("scenario/records", tests, NULL, NULL);
}
