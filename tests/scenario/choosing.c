/* choosing.c -- which cluster a client is sent to, and for which networks that answer holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define BOSTON        "192.0.2.0/24"
#define AUSTIN        "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define NOWHERE       "10.0.0.0/24"

/* --- nearest --- */

static void test_the_scope_is_the_network_that_decides(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	a = world_query(w, WEB, "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.scope, 24);
	a = world_query(w, WEB, "A", "203.0.113.77/32");
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.scope, 24);
	a = world_query(w, WEB, "A", "2001:db8:5f:1::/64");
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.scope, 48);
}

static void test_a_mapped_subnet_is_placed_as_ipv4_and_explained_so(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	a = world_query(w, WEB, "A", "::ffff:203.0.113.0/120");
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.scope, 96 + 24);
	world_expect_http(w, "/explain?name=" WEB "&client=::ffff:203.0.113.0/120",
	                  "\"site\":\"losangeles\",\"ttl\":180,\"scope\":120", 0);
	world_expect_http(w, "/explain?name=" WEB "&client=::ffff:203.0.113.0/120",
	                  "\"place\":{\"latitude\":37.77,\"longitude\":-122.42}", 0);
}

static void test_networks_with_the_same_order_share_one_short_scope(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_write(w, "networks.csv",
	            "192.0.2.0/25,42.36,-71.06,Boston\n"
	            "192.0.2.128/25,42.37,-71.05,Cambridge\n");
	world_start(w);
	/* No network below 128.0.0.0 has a place. */
	assert_int_equal(world_query(w, WEB, "A", NOWHERE).scope, 1);
	/* Two neighbours in one city are one. */
	assert_int_equal(world_query(w, WEB, "A", "192.0.2.1/32").scope, 24);
}

static void test_a_prefix_shorter_than_the_deciding_network_gets_its_first_addresss_leaf(
	void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	/* 192.0.0.0/16: its first address lies in 192.0.0.0/23, beside Boston's 192.0.2.0/24. */
	a = world_query(w, WEB, "A", "192.0.0.0/16");
	assert_string_equal(a.records, "198.18.2.10");
	assert_int_equal(a.scope, 23);
}

/* Whatever the networks are, all addresses of a scope get the same answer. */
static void test_every_scope_is_honest(void **state)
{
	struct world *w = *state;
	unsigned seed = 20261124;
	char csv[16384] = "";

	world_three_cities(w);
	srand(seed);
	for (int i = 0; i < 200; i++) {
		unsigned len = 10 + (unsigned)rand() % 17;
		uint32_t bits = ((uint32_t)rand() << 8 ^ (uint32_t)rand()) & ~(UINT32_MAX >> len);

		snprintf(csv + strlen(csv), sizeof(csv) - strlen(csv), "%u.%u.%u.%u/%u,%d,%d\n",
		         bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255, len,
		         25 + rand() % 25, -120 + rand() % 50);
	}
	world_write(w, "networks.csv", "%s", csv);
	world_start(w);
	for (int i = 0; i < 150; i++) {
		uint32_t bits = ((uint32_t)rand() << 8 ^ (uint32_t)rand()) & 0xffffff00U;
		char client[64], expected[2048];
		struct world_answer a;

		snprintf(client, sizeof(client), "%u.%u.%u.0/24", bits >> 24, bits >> 16 & 255,
		         bits >> 8 & 255);
		a = world_query(w, WEB, "A", client);
		snprintf(expected, sizeof(expected), "%s", a.records);
		assert_in_range(a.scope, 1, 32);
		for (int k = 0; k < 6; k++) {
			uint32_t inside = (uint32_t)rand() << 8 ^ (uint32_t)rand();
			uint32_t other = bits;

			if (a.scope < 32)
				other = (bits & ~(UINT32_MAX >> a.scope)) |
				        (inside & UINT32_MAX >> a.scope);
			snprintf(client, sizeof(client), "%u.%u.%u.%u/32", other >> 24,
			         other >> 16 & 255, other >> 8 & 255, other & 255);
			world_expect(w, WEB, "A", client, expected, 0);
		}
	}
}

static void test_a_client_without_a_place_follows_the_unknown_order(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", NOWHERE, "198.18.2.10", 0);
	world_stop(w);
	world_config(w, "geo: {networks: networks.csv, unknownOrder: [newyork, losangeles]}");
	world_start(w);
	world_expect(w, WEB, "A", NOWHERE, "198.18.1.10", 0);
	world_service(w, "newyork", "web", "198.18.1.10", false, "");
	world_expect(w, WEB, "A", NOWHERE, "198.18.3.10", 1000);
}

static void test_without_ecs_the_resolvers_address_decides_and_no_option_is_answered(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = WEB, .type = "A", .from = "127.0.0.5"};
	struct world_answer a;

	world_three_cities(w);
	world_write(w, "networks.csv",
	            "127.0.0.5/32,37.77,-122.42,San Francisco\n127.0.0.6/32,42.36,-71.06,Boston\n");
	world_start(w);
	a = world_question(w, &q);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.scope, -1);
	q.from = "127.0.0.6";
	assert_string_equal(world_question(w, &q).records, "198.18.1.10");
	q.no_edns = true;
	assert_string_equal(world_question(w, &q).records, "198.18.1.10");
	q.no_edns = false;
	q.client = "0.0.0.0/0";
	a = world_question(w, &q);
	assert_string_equal(a.records, "198.18.1.10");
	assert_int_equal(a.scope, 0);
}

static void test_answers_that_do_not_depend_on_the_client_have_scope_0(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_endpoint(w, "fixed.yaml", "fixed", "fixed.example.com", "A", "198.18.0.1");
	world_start(w);
	assert_int_equal(world_query(w, "fixed.example.com", "A", BOSTON).scope, 0);
	assert_int_equal(world_query(w, "absent.example.com", "A", BOSTON).scope, 0);
	assert_int_equal(world_query(w, WEB, "MX", BOSTON).scope, 0);
	assert_int_equal(world_query(w, "www.other.test", "A", BOSTON).scope, 0);
}

static void test_clusters_in_one_place_share_its_clients(void **state)
{
	struct world *w = *state;
	unsigned first = 0, second = 0;

	world_three_cities(w);
	world_cluster(w, "newyork", "34.0501,-118.2401", "us-west", "us-west-b");
	world_write(w, "networks.csv", "203.0.0.0/16,37.77,-122.42,San Francisco\n");
	world_start(w);
	for (unsigned i = 0; i < 200; i++) {
		char client[64];
		struct world_answer a;

		snprintf(client, sizeof(client), "203.0.%u.0/24", i);
		a = world_query(w, WEB, "A", client);
		assert_true(a.scope >= 24);
		first += strcmp(a.records, "198.18.1.10") == 0;
		second += strcmp(a.records, "198.18.3.10") == 0;
	}
	assert_int_equal(first + second, 200);
	assert_in_range(first, 60, 140);
}

/* --- who may answer --- */

static void test_policy_all_gives_every_client_the_union(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_config(w, "defaults: {policy: all}");
	world_start(w);
	a = world_query(w, WEB, "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.1.10 198.18.2.10 198.18.3.10");
	assert_int_equal(a.scope, 0);
	world_service(w, "houston", "web", "198.18.2.10", false, "");
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10 198.18.3.10", 1000);
}

static void drain(struct world *w, const char *value)
{
	world_write(w, "manifests/host/cluster-losangeles.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\n"
	            "kind: KubeFedCluster\n"
	            "metadata: {name: losangeles, namespace: kube-federation-system, annotations:\n"
	            "  {nigh.dev/location: \"34.05,-118.24\", nigh.dev/drain: \"%s\"}}\n"
	            "spec: {apiEndpoint: \"https://losangeles.invalid\", secretRef: {name: x}}\n"
	            "status: {region: us-west, zones: [us-west-a]}\n",
	            value);
}

static void test_a_drained_cluster_is_avoided_and_the_ttl_is_short(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
	drain(w, "true");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.2.10", 1000);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 5);
	world_expect_http(w, "/status", "\"drained\":true", 0);
	world_expect(w, "web.shop.fed.svc.us-west.example.com", "CNAME", NULL, WEB ".", 0);
	drain(w, "false");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 1000);
	assert_int_equal(world_query(w, WEB, "A", SAN_FRANCISCO).ttl, 180);
}

static void test_without_any_usable_site_the_answer_is_as_if_all_were_with_a_short_ttl(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	world_service(w, "houston", "web", "198.18.2.10", false, "");
	world_service(w, "newyork", "web", "198.18.1.10", false, "");
	world_expect_http(w, "/explain?name=" WEB "&client=" BOSTON, "198.18.3.10", 1000);
	world_expect(w, WEB, "A", BOSTON, "198.18.3.10", 1000);
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 1000);
	a = world_query(w, WEB, "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.3.10");
	assert_int_equal(a.ttl, 5);
}

static void test_a_cluster_without_the_application_is_no_candidate(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_remove(w, "manifests/clusters/losangeles/service-web.yaml");
	world_folder(w, "manifests/clusters/losangeles");
	world_start(w);
	a = world_query(w, WEB, "A", SAN_FRANCISCO);
	assert_string_equal(a.records, "198.18.2.10");
	assert_int_equal(a.ttl, 180);
}

/* --- types --- */

static void dual(struct world *w, const char *cluster, const char *ingress)
{
	char file[128];

	snprintf(file, sizeof(file), "manifests/clusters/%s/service-web.yaml", cluster);
	world_write(w, file,
	            "apiVersion: v1\n"
	            "kind: Service\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec: {type: LoadBalancer, ports: [{port: 80}]}\n"
	            "status: {loadBalancer: {ingress: [%s]}}\n"
	            "---\n"
	            "apiVersion: discovery.k8s.io/v1\n"
	            "kind: EndpointSlice\n"
	            "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: "
	            "web}}\n"
	            "addressType: IPv4\n"
	            "endpoints: [{addresses: [10.1.0.4], conditions: {ready: true}}]\n",
	            ingress);
}

static void test_addresses_of_both_families_come_from_one_site(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	dual(w, "newyork", "{ip: 198.18.1.10}, {ip: \"2001:db8:1::10\"}");
	dual(w, "losangeles", "{ip: 198.18.3.10}, {ip: \"2001:db8:3::10\"}");
	dual(w, "houston", "{ip: 198.18.2.10}");
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_expect(w, WEB, "AAAA", SAN_FRANCISCO, "2001:db8:3::10", 0);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 0);
	world_expect(w, WEB, "AAAA", BOSTON, "2001:db8:1::10", 0);
	/* Houston has no AAAA: the next in Austin's order that has one. */
	world_expect(w, WEB, "A", AUSTIN, "198.18.2.10", 0);
	world_expect(w, WEB, "AAAA", AUSTIN, "2001:db8:3::10", 0);
}

static void test_a_type_that_no_site_has_is_no_data_for_everyone(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_start(w);
	a = world_query(w, WEB, "AAAA", SAN_FRANCISCO);
	assert_string_equal(a.records, "NODATA");
	assert_int_equal(a.scope, 0);
}

/* --- addresses beside the answer --- */

/* RFC 1034 4.3.2 step 6, RFC 2782, RFC 9460 4.1: as the client would get them if it asked for them. */
static void test_hosts_with_sites_are_told_beside_mx_srv_and_https_at_the_clients_site(void **state)
{
	static const char *const question[][2] = {{"example.com", "MX"},
	                                          {"_web._tcp.example.com", "SRV"},
	                                          {"www.example.com", "HTTPS"}};
	static const char *const client[][2] = {{BOSTON, WEB ". A 198.18.1.10"},
	                                        {AUSTIN, WEB ". A 198.18.2.10"},
	                                        {SAN_FRANCISCO, WEB ". A 198.18.3.10"}};
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "zones:\n- name: example.com\n  records:\n"
	                "  - \"@ MX 10 " WEB ".\"\n"
	                "  - \"_web._tcp SRV 0 0 80 " WEB ".\"\n"
	                "  - \"www HTTPS 1 " WEB ". alpn=h2\"\n");
	world_start(w);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			struct world_answer a =
				world_query(w, question[i][0], question[i][1], client[k][0]);

			assert_string_equal(a.additional, client[k][1]);
			assert_int_equal(a.scope, world_query(w, WEB, "A", client[k][0]).scope);
		}
}

/* What stands beside a name's own addresses is of the site that answered: its record and its addresses agree. */
static void test_a_service_at_a_name_with_sites_comes_with_the_addresses_of_that_site(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	world_three_cities(w);
	world_write(w, "example.com.zone",
	            "$TTL 60\n@ SOA ns admin 1 60 60 3600 30\n@ NS ns\nns A 192.0.2.53\n" WEB
	            ". HTTPS 1 . alpn=h2\n");
	world_config(w, "zones: [{name: example.com, file: example.com.zone}]\n");
	world_start(w);
	a = world_query(w, WEB, "HTTPS", SAN_FRANCISCO);
	assert_string_equal(a.additional, WEB ". A 198.18.3.10");
	a = world_query(w, WEB, "HTTPS", BOSTON);
	assert_string_equal(a.additional, WEB ". A 198.18.1.10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_the_scope_is_the_network_that_decides),
		world_test(test_a_mapped_subnet_is_placed_as_ipv4_and_explained_so),
		world_test(test_networks_with_the_same_order_share_one_short_scope),
		world_test(
			test_a_prefix_shorter_than_the_deciding_network_gets_its_first_addresss_leaf),
		world_test(test_every_scope_is_honest),
		world_test(test_a_client_without_a_place_follows_the_unknown_order),
		world_test(
			test_without_ecs_the_resolvers_address_decides_and_no_option_is_answered),
		world_test(test_answers_that_do_not_depend_on_the_client_have_scope_0),
		world_test(test_clusters_in_one_place_share_its_clients),
		world_test(test_policy_all_gives_every_client_the_union),
		world_test(test_a_drained_cluster_is_avoided_and_the_ttl_is_short),
		world_test(
			test_without_any_usable_site_the_answer_is_as_if_all_were_with_a_short_ttl),
		world_test(test_a_cluster_without_the_application_is_no_candidate),
		world_test(test_addresses_of_both_families_come_from_one_site),
		world_test(test_a_type_that_no_site_has_is_no_data_for_everyone),
		world_test(
			test_hosts_with_sites_are_told_beside_mx_srv_and_https_at_the_clients_site),
		world_test(
			test_a_service_at_a_name_with_sites_comes_with_the_addresses_of_that_site),
	};

	return cmocka_run_group_tests_name("scenario/choosing", tests, NULL, NULL);
}
