/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/propagator_hub.h"

/* A host with a Domain, gondor and rohan, and the writer. */
struct writing {
	struct hub *hub;
	struct dns_writer *writer;
	bool publish_sites;
	const char *resolvers;
	bool stopped;
};

static void on_stopped(void *arg) { *(bool *)arg = true; }

static bool is_true(void *arg) { return *(bool *)arg; }

static void start(struct writing *w)
{
	const struct dns_writer_settings settings = {
		.loop = &w->hub->loop,
		.host = w->hub->client,
		.backoff = &w->hub->backoff,
		.dispatch = w->hub->dispatch,
		.publish_sites = w->publish_sites,
		.data = {.kubeconfig = w->hub->kubeconfig,
	                 .namespace = HUB_NAMESPACE,
	                 .resolvers = w->resolvers,
	                 .allow_loopback = true},
	};

	w->writer = dns_writer_start(&settings);
}

static void stop(struct writing *w)
{
	w->stopped = false;
	dns_writer_stop(w->writer, on_stopped, &w->stopped);
	hub_turn_until(w->hub, is_true, &w->stopped);
	w->writer = NULL;
}

static int setup(void **state)
{
	struct writing *w = xcalloc(1, sizeof(*w));

	w->hub = hub_new();
	w->resolvers = "127.0.0.1:9"; /* nobody is there */
	fakeapi_put(w->hub->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'" HUB_NAMESPACE
	            "'},'domain':'example.com'}");
	hub_join(w->hub, 0, "gondor", ",'status':{'region':'west','zones':['west1']}");
	hub_join(w->hub, 1, "rohan", ",'status':{'region':'east','zones':['east1']}");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct writing *w = *state;

	if (w->writer)
		stop(w);
	hub_free(w->hub);
	free(w);
	return 0;
}

/* --- what there is --- */

static void put_record(struct writing *w, const char *name, const char *more)
{
	fakeapi_put(w->hub->host, FAKEAPI_SERVICE_RECORDS,
	            "{'metadata':{'name':'%s','namespace':'shop'},'spec':{'domainRef':'fed'}%s}",
	            name, more);
}

static void put_service(struct writing *w, unsigned i, const char *name, const char *address,
                        bool ready)
{
	fakeapi_put(w->hub->member[i], FAKEAPI_SLICES,
	            "{'metadata':{'name':'%s-1','namespace':'shop','labels':"
	            "{'kubernetes.io/service-name':'%s'}},'addressType':'IPv4',"
	            "'endpoints':[{'addresses':['10.1.0.4'],'conditions':{'ready':%s}}]}",
	            name, name, ready ? "true" : "false");
	fakeapi_put(w->hub->member[i], FAKEAPI_SERVICES,
	            "{'metadata':{'name':'%s','namespace':'shop'},'spec':{'type':'LoadBalancer',"
	            "'ports':[{'port':80}]},'status':{'loadBalancer':{'ingress':[{'%s':'%s'}]}}}",
	            name, strpbrk(address, "abcdefgh") ? "hostname" : "ip", address);
}

static void expect_record(struct writing *w, const char *name, const char *text)
{
	char key[64];

	snprintf(key, sizeof(key), "shop/%s", name);
	hub_expect(w->hub, FAKEAPI_SERVICE_RECORDS, key, text);
}

static void expect_endpoint(struct writing *w, const char *name, const char *text)
{
	char key[64];

	snprintf(key, sizeof(key), "shop/%s", name);
	hub_expect(w->hub, FAKEAPI_ENDPOINTS_OF_KUBEFED, key, text);
}

/* Of web, both members have an address; all is written. */
static void write_web(struct writing *w)
{
	put_service(w, 0, "web", "192.0.2.10", true);
	put_service(w, 1, "web", "192.0.2.20", true);
	put_record(w, "web", "");
	start(w);
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]");
	expect_record(w, "web", "192.0.2.20");
}

static unsigned writes(struct writing *w)
{
	return fakeapi_requests(w->hub->host, "PATCH ") + fakeapi_requests(w->hub->host, "DELETE ");
}

/* --- tests --- */

static void test_a_record_has_a_status_and_a_dnsendpoint_as_kubefed_wrote_them(void **state)
{
	struct writing *w = *state;

	write_web(w);
	expect_record(w, "web", "\"domain\":\"example.com\"");
	expect_record(w, "web",
	              "\"dns\":[{\"cluster\":\"gondor\",\"loadBalancer\":{\"ingress\":[{\"ip\":"
	              "\"192.0.2.10\"}]},\"zones\":[\"west1\"],\"region\":\"west\"},"
	              "{\"cluster\":\"rohan\"");
	expect_endpoint(w, "service-web",
	                "{\"dnsName\":\"web.shop.fed.svc.east.example.com\",\"targets\":[\"192.0.2."
	                "20\"],\"recordType\":\"A\",\"recordTTL\":180}");
	expect_endpoint(w, "service-web",
	                "\"kind\":\"ServiceDNSRecord\",\"name\":\"web\",\"uid\":\"");
}

static void test_a_huge_annotation_of_a_service_is_no_hindrance(void **state)
{
	enum { MEGABYTE = 1 << 20, OBJECT_MOST = 16 << 10 };
	struct writing *w = *state;
	char *text = xmalloc(MEGABYTE + 1);

	memset(text, 'x', MEGABYTE);
	text[MEGABYTE] = '\0';
	write_web(w);
	fakeapi_edit(w->hub->member[0], FAKEAPI_SERVICES, "shop/web",
	             "{'metadata':{'annotations':{'huge':'%s'},'labels':{'huge':'%s'}},'status':{"
	             "'loadBalancer':{'ingress':[{'ip':'192.0.2.99'}]}}}",
	             text, text);
	free(text);
	expect_endpoint(w, "service-web", "192.0.2.99");
	expect_record(w, "web", "192.0.2.99");
	assert_true(strlen(fakeapi_get(w->hub->host, FAKEAPI_SERVICE_RECORDS, "shop/web")) <
	            OBJECT_MOST);
}

static void test_nothing_is_written_while_nothing_differs(void **state)
{
	struct writing *w = *state;
	unsigned before;

	write_web(w);
	hub_turn_for(w->hub, 1500);
	before = writes(w);
	stop(w);
	start(w);
	hub_turn_for(w->hub, 3000);
	assert_true(dns_writer_counts(w->writer).ready);
	assert_int_equal(writes(w), before);
}

static void test_a_cluster_without_endpoints_is_sent_on_to_the_next_level(void **state)
{
	struct writing *w = *state;

	write_web(w);
	put_service(w, 1, "web", "192.0.2.20", false);
	expect_endpoint(
		w, "service-web",
		"{\"dnsName\":\"web.shop.fed.svc.east.example.com\",\"targets\":[\"web.shop."
		"fed.svc.example.com\"],\"recordType\":\"CNAME\",\"recordTTL\":180}");
	expect_record(w, "web", "{\"cluster\":\"rohan\",\"loadBalancer\":{}");
}

static void test_a_member_that_cannot_be_seen_keeps_its_addresses(void **state)
{
	struct writing *w = *state;
	unsigned before;

	write_web(w);
	hub_turn_for(w->hub, 1500);
	before = writes(w);
	fakeapi_down(w->hub->member[0]);
	fakeapi_down(w->hub->member[1]);
	hub_turn_for(w->hub, 3000);
	assert_int_equal(writes(w), before);
	/* Nor does it know less when it starts in the dark. */
	stop(w);
	start(w);
	hub_turn_for(w->hub, 4000);
	assert_int_equal(writes(w), before);
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]");
}

static void test_a_member_that_was_not_seen_since_the_start_is_where_it_was(void **state)
{
	struct writing *w = *state;
	unsigned before;

	fakeapi_put(w->hub->member[0], FAKEAPI_NODES,
	            "{'metadata':{'name':'a','labels':{'topology.kubernetes.io/region':'north',"
	            "'topology.kubernetes.io/zone':'north1'}}}");
	fakeapi_edit(w->hub->host, FAKEAPI_CLUSTERS, HUB_NAMESPACE "/gondor", "{'status':null}");
	write_web(w);
	expect_endpoint(w, "service-web", "web.shop.fed.svc.north1.north.example.com");
	expect_record(w, "web", "\"zones\":[\"north1\"],\"region\":\"north\"");
	hub_turn_for(w->hub, 1500);
	before = writes(w);
	stop(w);
	fakeapi_down(w->hub->member[0]);
	start(w);
	hub_turn_for(w->hub, 4000);
	assert_int_equal(writes(w), before);
}

static void test_what_changes_while_one_member_is_unseen_is_written_with_its_last(void **state)
{
	struct writing *w = *state;

	write_web(w);
	stop(w);
	fakeapi_down(w->hub->member[0]);
	put_service(w, 1, "web", "192.0.2.21", true);
	start(w);
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.10\",\"192.0.2.21\"]");
	expect_record(w, "web", "192.0.2.21");
	expect_record(w, "web", "192.0.2.10");
	/* Seen again, it is as it is now. */
	fakeapi_delete(w->hub->member[0], FAKEAPI_SERVICES, "shop/web");
	fakeapi_up(w->hub->member[0]);
	expect_endpoint(w, "service-web", "!192.0.2.10");
	expect_record(w, "web", "!192.0.2.10");
}

static void test_an_unjoined_cluster_leaves_both(void **state)
{
	struct writing *w = *state;

	write_web(w);
	fakeapi_delete(w->hub->host, FAKEAPI_CLUSTERS, HUB_NAMESPACE "/rohan");
	expect_record(w, "web", "!rohan");
	expect_endpoint(w, "service-web", "!192.0.2.20");
}

static void test_a_dnsendpoint_goes_with_its_record(void **state)
{
	struct writing *w = *state;

	write_web(w);
	fakeapi_delete(w->hub->host, FAKEAPI_SERVICE_RECORDS, "shop/web");
	expect_endpoint(w, "service-web", "!service-web");
}

static void test_a_dnsendpoint_goes_when_its_record_went_while_nobody_looked(void **state)
{
	struct writing *w = *state;

	write_web(w);
	stop(w);
	fakeapi_delete(w->hub->host, FAKEAPI_SERVICE_RECORDS, "shop/web");
	start(w);
	expect_endpoint(w, "service-web", "!service-web");
}

static void test_a_dnsendpoint_that_nobody_made_for_a_record_stays(void **state)
{
	struct writing *w = *state;

	fakeapi_put(
		w->hub->host, FAKEAPI_ENDPOINTS_OF_KUBEFED,
		"{'metadata':{'name':'service-mine','namespace':'shop'},'spec':{'endpoints':[]}}");
	write_web(w);
	hub_turn_for(w->hub, 1500);
	assert_non_null(
		fakeapi_get(w->hub->host, FAKEAPI_ENDPOINTS_OF_KUBEFED, "shop/service-mine"));
}

static void test_what_somebody_changes_is_set_right(void **state)
{
	struct writing *w = *state;

	write_web(w);
	fakeapi_edit(w->hub->host, FAKEAPI_ENDPOINTS_OF_KUBEFED, "shop/service-web",
	             "{'spec':{'endpoints':[]}}");
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]");
	fakeapi_edit(w->hub->host, FAKEAPI_SERVICE_RECORDS, "shop/web", "{'status':{'dns':[]}}");
	expect_record(w, "web", "192.0.2.20");
}

static void test_hosts_of_an_ingressdnsrecord_need_no_domain(void **state)
{
	struct writing *w = *state;

	fakeapi_put(w->hub->member[0], FAKEAPI_INGRESSES,
	            "{'metadata':{'name':'front','namespace':'shop'},'spec':{},'status':"
	            "{'loadBalancer':{'ingress':[{'ip':'192.0.2.30'}]}}}");
	fakeapi_put(w->hub->host, FAKEAPI_INGRESS_RECORDS,
	            "{'metadata':{'name':'front','namespace':'shop'},'spec':{'hosts':"
	            "['www.example.org'],'recordTTL':300}}");
	start(w);
	hub_expect(w->hub, FAKEAPI_ENDPOINTS_OF_KUBEFED, "shop/ingress-front",
	           "[{\"dnsName\":\"www.example.org\",\"targets\":[\"192.0.2.30\"],\"recordType\":"
	           "\"A\",\"recordTTL\":300}]");
	hub_expect(
		w->hub, FAKEAPI_INGRESS_RECORDS, "shop/front",
		"[{\"cluster\":\"gondor\",\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.30\"}]"
		"}},{\"cluster\":\"rohan\",\"loadBalancer\":{}}]");
}

static void test_a_host_name_without_address_leaves_the_dnsendpoint_alone(void **state)
{
	struct writing *w = *state;

	write_web(w);
	put_service(w, 1, "web", "lb.example.net", true);
	expect_record(w, "web", "{\"hostname\":\"lb.example.net\"}");
	hub_turn_for(w->hub, 1500);
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.10\",\"192.0.2.20\"]");
}

/* Answers every question of type A with 192.0.2.77, TTL 60, and all others with nothing. */
static void on_question(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
	static const unsigned char answer[] = {0xc0, 12, 0, 1, 0,   1, 0, 0,
	                                       0,    60, 0, 4, 192, 0, 2, 77};
	unsigned char reply[600];
	size_t end = 12;
	bool is_a;
	uv_buf_t out;

	(void)flags;
	if (len < 17 || !from)
		return;
	memcpy(reply, buf->base, (size_t)len);
	while (end < (size_t)len - 5 && reply[end] != 0)
		end += reply[end] + 1U;
	is_a = reply[end + 1] == 0 && reply[end + 2] == 1;
	end += 5;
	reply[2] |= 0x80;
	memcpy(reply + 6, (unsigned char[]){0, is_a, 0, 0, 0, 0}, 6);
	memcpy(reply + end, answer, sizeof(answer));
	out = uv_buf_init((char *)reply, (unsigned)(end + (is_a ? sizeof(answer) : 0)));
	assert_true(uv_udp_try_send(udp, &out, 1, from) > 0);
}

static void give_room(uv_handle_t *udp, size_t size, uv_buf_t *out)
{
	static char room[512];

	(void)udp;
	(void)size;
	*out = uv_buf_init(room, sizeof(room));
}

static void test_a_host_name_is_written_as_its_addresses(void **state)
{
	struct writing *w = *state;
	struct sockaddr_in at;
	int len = sizeof(at);
	uv_udp_t udp;
	char servers[32];

	assert_int_equal(uv_udp_init(&w->hub->loop, &udp), 0);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &at), 0);
	assert_int_equal(uv_udp_bind(&udp, (const struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_udp_recv_start(&udp, give_room, on_question), 0);
	assert_int_equal(uv_udp_getsockname(&udp, (struct sockaddr *)&at, &len), 0);
	snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(at.sin_port));
	w->resolvers = servers;
	put_service(w, 0, "web", "lb.example.net", true);
	put_record(w, "web", "");
	start(w);
	expect_endpoint(w, "service-web", "\"targets\":[\"192.0.2.77\"]");
	expect_record(w, "web", "{\"hostname\":\"lb.example.net\"}");
	stop(w);
	uv_close((uv_handle_t *)&udp, NULL);
	hub_turn_for(w->hub, 50);
}

static void test_a_write_that_is_refused_is_tried_again_and_told(void **state)
{
	struct writing *w = *state;

	fakeapi_answer(w->hub->host, "PATCH " FAKEAPI_ENDPOINTS_OF_KUBEFED, 1, 503, NULL);
	write_web(w);
	assert_true(fakeapi_requests(w->hub->host, "PATCH ") >= 3);
}

static void test_published_sites_have_an_endpoint_for_each_cluster(void **state)
{
	struct writing *w = *state;

	w->publish_sites = true;
	write_web(w);
	expect_endpoint(w, "nigh-service-web", "nigh.dev/sites\":\"true\"");
	expect_endpoint(
		w, "nigh-service-web",
		"{\"dnsName\":\"web.shop.fed.svc.example.com\",\"targets\":[\"192.0.2.10\"],"
		"\"recordType\":\"A\",\"recordTTL\":180,\"setIdentifier\":\"gondor\","
		"\"labels\":{\"nigh.dev/cluster\":\"gondor\",\"nigh.dev/port\":\"80\"}},"
		"{\"dnsName\":\"web.shop.fed.svc.example.com\",\"targets\":[\"192.0.2.20\"],"
		"\"recordType\":\"A\",\"recordTTL\":180,\"setIdentifier\":\"rohan\",");
	/* They go when nobody wants them any more. */
	stop(w);
	w->publish_sites = false;
	start(w);
	expect_endpoint(w, "nigh-service-web", "!nigh-service-web");
	expect_endpoint(w, "service-web", "192.0.2.20");
}

static bool has_no_watches(void *arg)
{
	struct writing *w = arg;

	return fakeapi_watches(w->hub->member[0], FAKEAPI_SERVICES) == 0;
}

/* web: rohan's is not ready; site: gondor's is behind TLS. */
static void publish_sites(struct writing *w)
{
	w->publish_sites = true;
	put_service(w, 0, "web", "192.0.2.10", true);
	put_service(w, 1, "web", "192.0.2.20", false);
	put_record(w, "web", "");
	fakeapi_put(w->hub->member[0], FAKEAPI_INGRESSES,
	            "{'metadata':{'name':'site','namespace':'shop'},'spec':{'tls':[{'hosts':"
	            "['site.example.com']}]},'status':{'loadBalancer':{'ingress':[{'ip':"
	            "'192.0.2.11'}]}}}");
	fakeapi_put(w->hub->host, FAKEAPI_INGRESS_RECORDS,
	            "{'metadata':{'name':'site','namespace':'shop'},'spec':{'hosts':"
	            "['site.example.com']}}");
	start(w);
	expect_endpoint(w, "nigh-service-web", "\"nigh.dev/port\":\"80\"");
	expect_endpoint(w, "nigh-service-web", "\"nigh.dev/failed\":\"endpoints\"");
	expect_endpoint(w, "nigh-ingress-site", "\"nigh.dev/port\":\"443\"");
	expect_record(w, "web", "192.0.2.10");
	hub_turn_for(w->hub, 1500);
}

static void test_published_sites_stay_until_their_members_are_seen_again(void **state)
{
	struct writing *w = *state;
	unsigned before;

	publish_sites(w);
	before = writes(w);
	stop(w);
	fakeapi_down(w->hub->member[0]);
	fakeapi_down(w->hub->member[1]);
	start(w);
	hub_turn_for(w->hub, 4000);
	assert_true(dns_writer_counts(w->writer).ready);
	assert_int_equal(writes(w), before);
	put_service(w, 0, "web", "192.0.2.99", true);
	fakeapi_up(w->hub->member[0]);
	expect_endpoint(w, "nigh-service-web", "192.0.2.99");
	expect_endpoint(w, "nigh-service-web", "!192.0.2.10");
	expect_endpoint(w, "nigh-service-web", "\"nigh.dev/failed\":\"endpoints\"");
}

static void test_published_sites_of_a_member_that_left_unseen_go(void **state)
{
	struct writing *w = *state;

	publish_sites(w);
	stop(w);
	fakeapi_down(w->hub->member[1]);
	start(w);
	fakeapi_delete(w->hub->host, FAKEAPI_CLUSTERS, HUB_NAMESPACE "/rohan");
	expect_endpoint(w, "nigh-service-web", "!rohan");
	expect_endpoint(w, "nigh-service-web", "\"setIdentifier\":\"gondor\"");
}

static void test_members_are_looked_at_only_while_there_are_records(void **state)
{
	struct writing *w = *state;

	start(w);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(fakeapi_requests(w->hub->member[0], ""), 0);
	stop(w);
	write_web(w);
	fakeapi_delete(w->hub->host, FAKEAPI_SERVICE_RECORDS, "shop/web");
	expect_endpoint(w, "service-web", "!service-web");
	hub_turn_until(w->hub, has_no_watches, w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_record_has_a_status_and_a_dnsendpoint_as_kubefed_wrote_them),
		TEST(a_huge_annotation_of_a_service_is_no_hindrance),
		TEST(nothing_is_written_while_nothing_differs),
		TEST(a_cluster_without_endpoints_is_sent_on_to_the_next_level),
		TEST(a_member_that_cannot_be_seen_keeps_its_addresses),
		TEST(a_member_that_was_not_seen_since_the_start_is_where_it_was),
		TEST(what_changes_while_one_member_is_unseen_is_written_with_its_last),
		TEST(an_unjoined_cluster_leaves_both),
		TEST(a_dnsendpoint_goes_with_its_record),
		TEST(a_dnsendpoint_goes_when_its_record_went_while_nobody_looked),
		TEST(a_dnsendpoint_that_nobody_made_for_a_record_stays),
		TEST(what_somebody_changes_is_set_right),
		TEST(hosts_of_an_ingressdnsrecord_need_no_domain),
		TEST(a_host_name_without_address_leaves_the_dnsendpoint_alone),
		TEST(a_host_name_is_written_as_its_addresses),
		TEST(a_write_that_is_refused_is_tried_again_and_told),
		TEST(published_sites_have_an_endpoint_for_each_cluster),
		TEST(published_sites_stay_until_their_members_are_seen_again),
		TEST(published_sites_of_a_member_that_left_unseen_go),
		TEST(members_are_looked_at_only_while_there_are_records),
	};

	return cmocka_run_group_tests_name("propagator/dns_writer", tests, NULL, NULL);
}
