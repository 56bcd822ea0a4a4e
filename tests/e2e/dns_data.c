/* dns_data.c -- nigh-propagator on real API servers: what it writes for DNS records, and of clusters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 20000 };

#define DNS      "/apis/multiclusterdns.kubefed.io/v1alpha1/namespaces/shop/"
#define CLUSTERS "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/"

static int setup(void **state)
{
	struct federation *f = federation_new(2);

	*state = f;
	objects_namespace(f->host, "shop");
	for (unsigned i = 0; i < f->count; i++) {
		objects_namespace(f->members[i], "shop");
		objects_node(f->members[i], i == 0 ? "west" : "east", i == 0 ? "west1" : "east1");
		objects_service(f->members[i], "shop", "web", i == 0 ? "192.0.2.10" : "192.0.2.20",
		                80);
		objects_pods(f->members[i], "shop", "web", 1, true);
	}
	objects_domain(f->host, "fed", "example.com");
	objects_service_record(f->host, "shop", "web", "fed");
	f->publish_sites = true;
	federation_start(f);
	return 0;
}

static void test_a_cluster_has_its_version_region_and_zones(void **state)
{
	struct federation *f = *state;

	cluster_expect(f->host, CLUSTERS "gondor", "\"kubernetesVersion\":\"v", SOON_MS);
	cluster_expect(f->host, CLUSTERS "gondor", "\"region\":\"west\"", SOON_MS);
	cluster_expect(f->host, CLUSTERS "rohan", "\"zones\":[\"east1\"]", SOON_MS);
}

static void test_a_record_has_a_status_and_a_dnsendpoint(void **state)
{
	struct federation *f = *state;

	cluster_expect(f->host, DNS "servicednsrecords/web", "\"domain\":\"example.com\"", SOON_MS);
	cluster_expect(f->host, DNS "servicednsrecords/web",
	               "{\"cluster\":\"gondor\",\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.10"
	               "\"}]},\"region\":\"west\",\"zones\":[\"west1\"]}",
	               SOON_MS);
	cluster_expect(f->host, DNS "dnsendpoints/service-web",
	               "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]", SOON_MS);
	cluster_expect(f->host, DNS "dnsendpoints/service-web",
	               "\"dnsName\":\"web.shop.fed.svc.east1.east.example.com\"", SOON_MS);
	cluster_expect(f->host, DNS "dnsendpoints/service-web", "\"kind\":\"ServiceDNSRecord\"",
	               SOON_MS);
}

static void test_what_has_no_endpoints_leaves_the_names(void **state)
{
	struct federation *f = *state;

	objects_pods(f->members[1], "shop", "web", 1, false);
	cluster_expect(f->host, DNS "dnsendpoints/service-web", "!192.0.2.20", SOON_MS);
	objects_pods(f->members[1], "shop", "web", 1, true);
	cluster_expect(f->host, DNS "dnsendpoints/service-web", "192.0.2.20", SOON_MS);
}

/* --- sites --- */

#define WEB "web.shop.fed.svc."

static struct world *new_nighd(struct federation *f, bool is_edge)
{
	struct world *w = world_new();

	world_remove(w, "manifests");
	world_networks(w);
	cluster_kubeconfig(f->host, NIGH_TOKEN, world_path(w, "host.kubeconfig"));
	world_config(w, is_edge ? "sources: {kubernetes: {kubeconfig: host.kubeconfig, "
	                          "allowLoopback: true, edge: true}}"
	                        : "sources: {kubernetes: {kubeconfig: host.kubeconfig, "
	                          "allowLoopback: true}}");
	world_start(w);
	return w;
}

/* Clients of the three cities and of nowhere, each of a network that is drawn. */
static void expect_same_answers(struct world *members, struct world *edge)
{
	static const char *const names[] = {WEB "example.com", WEB "west.example.com",
	                                    WEB "east1.east.example.com", WEB "north.example.com"};
	static const char *const nets[] = {"192.0.2", "198.51.100", "203.0.113", "10.1.1"};

	srand(8);
	for (int i = 0; i < 200; i++) {
		const char *name = names[(unsigned)rand() % 4];
		struct world_answer a, b;
		char client[32];

		snprintf(client, sizeof(client), "%s.%u/32", nets[(unsigned)rand() % 4],
		         (unsigned)rand() % 256);
		a = world_query(members, name, "A", client);
		b = world_query(edge, name, "A", client);
		assert_string_equal(a.records, b.records);
		assert_int_equal(a.scope, b.scope);
		assert_int_equal(a.ttl, b.ttl);
	}
}

static void test_an_edge_answers_as_who_looks_at_the_members(void **state)
{
	struct federation *f = *state;
	static const char *const places[] = {"34.05,-118.24", "40.71,-74.01"};
	struct world *members, *edge;

	for (unsigned i = 0; i < 2; i++)
		cluster_patch(f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
		              cluster_name(f->members[i]),
		              "{\"metadata\":{\"annotations\":{\"nigh.dev/location\":\"%s\"}}}",
		              places[i]);
	cluster_expect(f->host, DNS "dnsendpoints/nigh-service-web", "\"nigh.dev/port\":\"80\"",
	               SOON_MS);
	members = new_nighd(f, false);
	edge = new_nighd(f, true);
	world_expect(members, WEB "example.com", "A", "203.0.113.0/24", "192.0.2.10", SOON_MS);
	world_expect(edge, WEB "example.com", "A", "203.0.113.0/24", "192.0.2.10", SOON_MS);
	world_expect(members, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.20", SOON_MS);
	world_expect(edge, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.20", SOON_MS);
	expect_same_answers(members, edge);
	objects_pods(f->members[1], "shop", "web", 1, false);
	world_expect(members, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.10", SOON_MS);
	world_expect(edge, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.10", SOON_MS);
	expect_same_answers(members, edge);
	/* None is ready: both answer as if all were. */
	objects_pods(f->members[0], "shop", "web", 1, false);
	world_expect(members, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.20", SOON_MS);
	world_expect(edge, WEB "example.com", "A", "192.0.2.0/24", "192.0.2.20", SOON_MS);
	expect_same_answers(members, edge);
	for (unsigned i = 0; i < 2; i++)
		objects_pods(f->members[i], "shop", "web", 1, true);
	cluster_expect(f->host, DNS "dnsendpoints/nigh-service-web", "!nigh.dev/failed", SOON_MS);
	cluster_expect(f->host, DNS "dnsendpoints/service-web",
	               "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]", SOON_MS);
	world_stop(members);
	world_free(members);
	world_stop(edge);
	world_free(edge);
}

static char *version_of(struct federation *f)
{
	const char *at;

	assert_int_equal(cluster_send(f->host, "GET", DNS "dnsendpoints/service-web", NULL, NULL),
	                 200);
	at = strstr(cluster_body(f->host), "\"resourceVersion\":\"");
	assert_non_null(at);
	return xstrndup(at, strcspn(at + 20, "\"") + 20);
}

static void wait_for(unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		inside_rest();
}

static void test_a_hub_that_sees_no_member_empties_nothing(void **state)
{
	struct federation *f = *state;
	char *before = version_of(f), *after;

	for (unsigned i = 0; i < f->count; i++)
		cluster_kill(f->members[i]);
	federation_kill(f);
	federation_start(f);
	/* The Lease of the one that was killed ends after 15 s; then members are waited for 10 s. */
	wait_for(32000);
	after = version_of(f);
	assert_string_equal(before, after);
	cluster_expect(f->host, DNS "dnsendpoints/service-web",
	               "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]", SOON_MS);
	free(before);
	free(after);
}

static void test_a_dnsendpoint_goes_with_its_record(void **state)
{
	struct federation *f = *state;

	cluster_delete(f->host, "multiclusterdns.kubefed.io/v1alpha1", "ServiceDNSRecord", "shop",
	               "web");
	cluster_expect(f->host, DNS "dnsendpoints/service-web", "NotFound", SOON_MS);
	cluster_expect(f->host, DNS "dnsendpoints/nigh-service-web", "NotFound", SOON_MS);
}

static void test_it_ends_when_it_is_told_to(void **state) { federation_stop(*state); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_has_its_version_region_and_zones),
		cmocka_unit_test(test_a_record_has_a_status_and_a_dnsendpoint),
		cmocka_unit_test(test_what_has_no_endpoints_leaves_the_names),
		cmocka_unit_test(test_an_edge_answers_as_who_looks_at_the_members),
		cmocka_unit_test(test_a_hub_that_sees_no_member_empties_nothing),
		cmocka_unit_test(test_a_dnsendpoint_goes_with_its_record),
		cmocka_unit_test(test_it_ends_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, setup, federation_teardown);
}
