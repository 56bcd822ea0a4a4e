/* edge.c -- a nighd that knows only what nigh-propagator --publish-sites wrote: no records, no members. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world.h"
#include "tests/support/world_fleet.h"

#define P             "web.shop.fed.svc."
#define WEB           P "example.com"
#define BOSTON        "192.0.2.0/24"
#define AUSTIN        "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define NEWYORK       "198.18.1.10"
#define HOUSTON       "198.18.2.10"
#define LOSANGELES    "198.18.3.10"

enum { SOON_MS = 5000 };

static const struct {
	const char *cluster, *region, *address;
} sites[] = {{"newyork", "us-east", NEWYORK},
             {"houston", "us-south", HOUSTON},
             {"losangeles", "us-west", LOSANGELES}};

static void add_site(struct text *out, const char *name, size_t i, const char *labels)
{
	text_printf(out,
	            "  - {dnsName: %s, recordType: A, recordTTL: 60, targets: [%s], setIdentifier: "
	            "%s, labels: {nigh.dev/cluster: %s%s}}\n",
	            name, sites[i].address, sites[i].cluster, sites[i].cluster, labels);
}

/* The object of shop/web, with these labels beside the cluster's; a NULL leaves the site out. */
static void publish(struct world *w, const char *const labels[3])
{
	struct text out = {0};
	char name[64];

	for (size_t i = 0; i < 3; i++) {
		if (!labels[i])
			continue;
		snprintf(name, sizeof(name), P "%s.example.com", sites[i].region);
		add_site(&out, WEB, i, labels[i]);
		add_site(&out, name, i, labels[i]);
		text_printf(&out,
		            "  - {dnsName: %s, recordType: CNAME, recordTTL: 60, targets: [" WEB
		            "]}\n",
		            name);
	}
	world_write(w, "manifests/host/sites.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: nigh-service-web, namespace: shop, labels: {nigh.dev/sites: "
	            "'true'}}\nspec:\n  endpoints:\n%s",
	            out.data);
	text_fini(&out);
}

static void begin(struct world *w, const char *const labels[3])
{
	world_networks(w);
	world_domain(w, "fed", "example.com");
	world_cluster(w, "newyork", "40.71,-74.01", "us-east", "");
	world_cluster(w, "houston", "29.76,-95.37", "us-south", "");
	world_cluster(w, "losangeles", "34.05,-118.24", "us-west", "");
	publish(w, labels);
}

static const char *const all[] = {"", "", ""};

static void test_clients_of_each_place_get_their_site(void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, NEWYORK, 0);
	world_expect(w, WEB, "A", AUSTIN, HOUSTON, 0);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOSANGELES, 0);
	world_expect(w, P "us-south.example.com", "A", BOSTON, HOUSTON, 0);
	assert_int_equal(world_query(w, WEB, "A", BOSTON).ttl, 60);
	world_expect_http(w, "/status",
	                  "{\"name\":\"houston\",\"source\":\"sites\",\"knowledge\":\"synced\"", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_expect_http(w, "/explain?name=" WEB "&client=198.51.100.1", "\"site\":\"houston\"",
	                  0);
	assert_true(world_metric(w, "dnsd_cluster_answers_total{cluster=\"losangeles\"}") > 0);
}

static void test_a_site_that_leaves_the_object_is_replaced_by_the_next_nearest(void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOSANGELES, 0);
	publish(w, (const char *const[]){"", "", NULL});
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	world_expect(w, P "us-west.example.com", "A", NULL, "NXDOMAIN", SOON_MS);
	publish(w, all);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOSANGELES, SOON_MS);
}

static void test_a_site_that_has_failed_is_avoided_and_still_the_last_resort(void **state)
{
	static const char down[] = ", nigh.dev/failed: endpoints";
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	publish(w, (const char *const[]){"", "", down});
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	world_expect(w, P "us-west.example.com", "CNAME", NULL, WEB ".", SOON_MS);
	world_expect_http(w, "/explain?name=" WEB "&client=203.0.113.1",
	                  "\"layer\":\"endpoints\",\"ok\":false", 0);
	publish(w, (const char *const[]){down, down, down});
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOSANGELES, SOON_MS);
	assert_true(world_query(w, WEB, "A", SAN_FRANCISCO).ttl <= 5);
}

static void test_a_drained_cluster_is_avoided_and_one_without_a_place_comes_last(void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	world_write(w, "manifests/host/cluster-losangeles.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\nmetadata:\n"
	            "  name: losangeles\n  namespace: kube-federation-system\n"
	            "  annotations: {nigh.dev/location: \"34.05,-118.24\", nigh.dev/drain: "
	            "\"true\"}\n");
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	world_remove(w, "manifests/host/cluster-losangeles.yaml");
	world_remove(w, "manifests/host/cluster-houston.yaml");
	world_expect(w, WEB, "A", SAN_FRANCISCO, NEWYORK, SOON_MS);
	publish(w, (const char *const[]){NULL, "", NULL});
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	world_expect_http(w, "/status", "has no location", 0);
}

static void test_a_policy_for_the_record_holds_for_its_sites(void **state)
{
	struct world *w = *state;
	static const char policy[] = "apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
				     "metadata: {name: p, namespace: shop}\nspec:\n"
				     "  targetRefs: [{kind: ServiceDNSRecord, name: web}]\n"
				     "  stages: [{weighted: {weights: {%s: 1}}}]\n";

	begin(w, all);
	world_write(w, "manifests/host/p.yaml", policy, "houston");
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, HOUSTON, SOON_MS);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, 0);
	world_write(w, "manifests/host/p.yaml", policy, "losangeles");
	world_expect(w, WEB, "A", BOSTON, LOSANGELES, SOON_MS);
	world_remove(w, "manifests/host/p.yaml");
	world_expect(w, WEB, "A", BOSTON, NEWYORK, SOON_MS);
}

static void test_sites_are_probed_at_the_port_that_is_published(void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_config(w, "probe: {mode: always, interval: 200ms, timeout: 200ms, down: 1}\n"
	                "publish: {allow: [127.0.0.0/8]}");
	/* Nobody listens at the discard port of this address. */
	world_write(w, "manifests/host/own.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: DNSEndpoint\n"
	            "metadata: {name: own, namespace: shop, labels: {nigh.dev/sites: ''}}\n"
	            "spec:\n  endpoints:\n"
	            "  - {dnsName: own.example.com, recordType: A, targets: [127.0.0.1], "
	            "setIdentifier: newyork, labels: {nigh.dev/port: '9'}}\n"
	            "  - {dnsName: own.example.com, recordType: A, targets: [198.18.2.11], "
	            "setIdentifier: houston}\n");
	world_start(w);
	world_expect(w, "own.example.com", "A", BOSTON, "198.18.2.11", SOON_MS);
	world_expect_http(w, "/explain?name=own.example.com&client=192.0.2.1",
	                  "\"layer\":\"probe\",\"ok\":false", 0);
}

static void test_an_object_that_contradicts_itself_is_one_error_and_what_was_good_stays(
	void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	publish(w, (const char *const[]){"", "", ", nigh.dev/port: x"});
	world_expect_http(w, "/status",
	                  "sites.yaml:1: DNSEndpoint shop/nigh-service-web: spec.endpoints[6]."
	                  "labels[nigh.dev/port]: is not a port",
	                  SOON_MS);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LOSANGELES, 0);
}

static void test_the_record_itself_comes_before_its_published_sites(void **state)
{
	struct world *w = *state;

	begin(w, all);
	world_start(w);
	world_expect(w, WEB, "A", BOSTON, NEWYORK, 0);
	world_service(w, "boston", "web", "198.18.9.10", true, "");
	world_service_record(w, "web", "fed");
	world_expect(w, WEB, "A", BOSTON, "198.18.9.10", SOON_MS);
	world_expect_http(w, "/status", "\"conflicts\":[]", 0);
}

#define EDGE "kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true, edge: true}"

static void test_an_edge_reads_the_host_alone_and_can_become_one_while_it_runs(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	unsigned connections;

	world_fleet_publish(f, la, "la", LOSANGELES);
	world_fleet_join(f, "la", la, "");
	fakeapi_put(f->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
	            "{'metadata':{'name':'nigh-service-la','namespace':'shop','labels':{"
	            "'nigh.dev/sites':'true'}},'spec':{'endpoints':[{'dnsName':"
	            "'la.shop.fed.svc.example.com','recordType':'A','targets':['" HOUSTON
	            "'],'setIdentifier':'la'}]}}");
	/* The union of the record is no other source. */
	fakeapi_put(f->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
	            "{'metadata':{'name':'service-la','namespace':'shop','creationTimestamp':"
	            "'2020-01-01T00:00:00Z'},'spec':{'endpoints':[{'dnsName':"
	            "'la.shop.fed.svc.example.com','recordType':'A','targets':['" NEWYORK "']}]}}");
	world_fleet_config(f, EDGE, "");
	world_start(f->world);
	world_fleet_expect(f, "la", HOUSTON);
	world_fleet_expect_status(f,
	                          "\"name\":\"la\",\"source\":\"sites\",\"knowledge\":\"synced\"");
	world_fleet_expect_status(f, "\"conflicts\":[]");
	assert_int_equal(fakeapi_connections_ever(la), 0);
	assert_int_equal(fakeapi_requests(f->host, "servicednsrecords"), 0);
	assert_int_equal(fakeapi_requests(f->host, "ingressdnsrecords"), 0);
	assert_int_equal(fakeapi_requests(f->host, "secrets"), 0);
	world_fleet_config(f, NULL, "");
	world_signal(f->world, SIGHUP);
	world_fleet_expect(f, "la", LOSANGELES);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\"");
	world_fleet_config(f, EDGE, "");
	world_signal(f->world, SIGHUP);
	world_fleet_expect(f, "la", HOUSTON);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"sites\"");
	connections = fakeapi_connections_ever(la);
	world_fleet_expect_stays(f, "la", HOUSTON, 1000);
	assert_int_equal(fakeapi_connections_ever(la), connections);
}

/* Of an edge that is cut off each address is probed: the first site is not there, the other is (here the API server la). */
static void test_an_edge_that_is_cut_off_probes_its_sites(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	fakeapi_put(f->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
	            "{'metadata':{'name':'nigh-service-la','namespace':'shop','labels':{"
	            "'nigh.dev/sites':'true'}},'spec':{'endpoints':["
	            "{'dnsName':'la.shop.fed.svc.example.com','recordType':'A','targets':["
	            "'127.0.0.77'],'setIdentifier':'a','labels':{'nigh.dev/port':'%u'}},"
	            "{'dnsName':'la.shop.fed.svc.example.com','recordType':'A','targets':["
	            "'127.0.0.1'],'setIdentifier':'b','labels':{'nigh.dev/port':'%u'}}]}}",
	            fakeapi_port(la), fakeapi_port(la));
	world_fleet_config(f, EDGE, "publish: {allow: [127.0.0.0/8]}\nprobe: {interval: 200ms}\n");
	world_start(f->world);
	world_fleet_expect(f, "la", "127.0.0.77");
	world_fleet_expect_stays(f, "la", "127.0.0.77", 1000);
	fakeapi_down(f->host);
	world_fleet_expect(f, "la", "127.0.0.1");
}

/* Sites are as old as what is known of the host, and nothing goes with it. */
static void test_an_edge_that_is_cut_off_keeps_its_sites_and_says_so(void **state)
{
	struct world_fleet *f = *state;

	fakeapi_put(f->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
	            "{'metadata':{'name':'nigh-service-la','namespace':'shop','labels':{"
	            "'nigh.dev/sites':'true'}},'spec':{'endpoints':[{'dnsName':"
	            "'la.shop.fed.svc.example.com','recordType':'A','targets':['" HOUSTON
	            "'],'setIdentifier':'la'}]}}");
	world_fleet_config(f, EDGE, "state: state\n");
	world_start(f->world);
	world_fleet_expect(f, "la", HOUSTON);
	fakeapi_down(f->host);
	world_fleet_expect_status(f,
	                          "\"name\":\"la\",\"source\":\"sites\",\"knowledge\":\"unseen\"");
	world_fleet_expect(f, "la", HOUSTON);
	world_stop(f->world);
	world_start(f->world);
	world_fleet_expect(f, "la", HOUSTON);
	world_fleet_expect_status(f,
	                          "\"name\":\"la\",\"source\":\"sites\",\"knowledge\":\"unseen\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_clients_of_each_place_get_their_site),
		world_test(test_a_site_that_leaves_the_object_is_replaced_by_the_next_nearest),
		world_test(test_a_site_that_has_failed_is_avoided_and_still_the_last_resort),
		world_test(test_a_drained_cluster_is_avoided_and_one_without_a_place_comes_last),
		world_test(test_a_policy_for_the_record_holds_for_its_sites),
		world_test(test_sites_are_probed_at_the_port_that_is_published),
		world_test(
			test_an_object_that_contradicts_itself_is_one_error_and_what_was_good_stays),
		world_test(test_the_record_itself_comes_before_its_published_sites),
		world_fleet_test(
			test_an_edge_reads_the_host_alone_and_can_become_one_while_it_runs),
		world_fleet_test(test_an_edge_that_is_cut_off_probes_its_sites),
		world_fleet_test(test_an_edge_that_is_cut_off_keeps_its_sites_and_says_so),
	};

	return cmocka_run_group_tests_name("edge", tests, NULL, NULL);
}
