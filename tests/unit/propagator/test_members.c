/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/members.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/propagator_hub.h"

#define STATUS_WRITES "PATCH " CLUSTERS_HERE
#define CLUSTERS_HERE "/apis/core.kubefed.io/v1beta1/namespaces/" HUB_NAMESPACE "/kubefedclusters/"
#define GONDOR        HUB_NAMESPACE "/gondor"

struct watching {
	struct hub *hub;
	struct members *members;
	bool stopped;
	unsigned clients; /* that came */
};

static void on_client(struct member *m, void *arg)
{
	(void)m;
	((struct watching *)arg)->clients++;
}

static void on_member(struct member *m, void *arg)
{
	(void)m;
	(void)arg;
}

static void on_nothing(void *arg) { (void)arg; }
static void on_stopped(void *arg) { *(bool *)arg = true; }
static bool is_true(void *arg) { return *(bool *)arg; }

static void start(struct watching *w)
{
	const struct members_settings settings = {
		.loop = &w->hub->loop,
		.host = w->hub->client,
		.backoff = &w->hub->backoff,
		.host_dispatch = w->hub->dispatch,
		.namespace = HUB_NAMESPACE,
		.term = &w->hub->term,
		.health = {.period_ms = 100, .timeout_ms = 3000, .failures = 3, .successes = 1},
		.allow_loopback = true,
	};
	const struct members_events events = {on_client, on_member,  on_member,
	                                      on_member, on_nothing, w};

	w->members = members_start(&settings, &events);
}

static void stop(struct watching *w)
{
	w->stopped = false;
	members_stop(w->members, on_stopped, &w->stopped);
	hub_turn_until(w->hub, is_true, &w->stopped);
	w->members = NULL;
}

static int setup(void **state)
{
	struct watching *w = xcalloc(1, sizeof(*w));

	w->hub = hub_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct watching *w = *state;

	if (w->members)
		stop(w);
	hub_free(w->hub);
	free(w);
	return 0;
}

static void put_node(struct watching *w, const char *name, const char *labels)
{
	fakeapi_put(w->hub->member[0], FAKEAPI_NODES, "{'metadata':{'name':'%s','labels':{%s}}}",
	            name, labels);
}

static void expect(struct watching *w, const char *text)
{
	hub_expect(w->hub, FAKEAPI_CLUSTERS, GONDOR, text);
}

static void answer_healthz(struct watching *w, const char *text)
{
	fakeapi_answer_bytes(w->hub->member[0], "/healthz", 0, 200, "text/plain", text,
	                     strlen(text));
}

/* --- tests --- */

static void test_a_cluster_that_answers_is_ready_and_has_its_version(void **state)
{
	struct watching *w = *state;

	fakeapi_set_version_text(w->hub->member[0], "v1.34.4");
	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"ClusterReady\"");
	expect(w, "\"kubernetesVersion\":\"v1.34.4\"");
}

static void test_region_and_zones_are_those_of_the_nodes_of_both_generations(void **state)
{
	struct watching *w = *state;

	put_node(w, "a",
	         "'failure-domain.beta.kubernetes.io/region':'west',"
	         "'failure-domain.beta.kubernetes.io/zone':'west-2'");
	put_node(w, "b",
	         "'topology.kubernetes.io/region':'west',"
	         "'topology.kubernetes.io/zone':'west-1',"
	         "'failure-domain.beta.kubernetes.io/zone':'old'");
	put_node(w, "c", "'topology.kubernetes.io/zone':'west-2'");
	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "\"region\":\"west\"");
	expect(w, "\"zones\":[\"west-1\",\"west-2\"]");
}

static void node_of(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out,
	            "{'metadata':{'name':'node-%06zu','labels':{'topology.kubernetes.io/zone':"
	            "'zone-%zu'}}}",
	            i, i % 3);
}

static void test_nodes_are_read_page_by_page_as_metadata(void **state)
{
	struct watching *w = *state;

	fakeapi_put_many(w->hub->member[0], FAKEAPI_NODES, 600, node_of, NULL);
	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "\"zones\":[\"zone-0\",\"zone-1\",\"zone-2\"]");
	assert_int_equal(fakeapi_requests(w->hub->member[0], "/api/v1/nodes"), 3);
}

static void test_what_was_set_by_hand_is_not_overwritten_by_nothing(void **state)
{
	struct watching *w = *state;

	put_node(w, "a", "");
	hub_join(w->hub, 0, "gondor", ",'status':{'region':'shire','zones':['bree']}");
	start(w);
	expect(w, "ClusterReady");
	hub_turn_for(w->hub, 500);
	expect(w, "\"region\":\"shire\"");
	expect(w, "\"zones\":[\"bree\"]");
	fakeapi_down(w->hub->member[0]);
	expect(w, "ClusterNotReachable");
	expect(w, "\"region\":\"shire\"");
}

static void test_a_status_without_conditions_is_written_anew(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", ",'status':{'conditions':null}");
	hub_join(w->hub, 1, "rohan", ",'status':{'conditions':[{'type':null}]}");
	start(w);
	hub_expect(w->hub, FAKEAPI_CLUSTERS, GONDOR, "ClusterReady");
	hub_expect(w->hub, FAKEAPI_CLUSTERS, HUB_NAMESPACE "/rohan", "ClusterReady");
}

static void test_nodes_that_may_not_be_listed_change_nothing(void **state)
{
	struct watching *w = *state;

	fakeapi_forbid(w->hub->member[0], FAKEAPI_NODES);
	hub_join(w->hub, 0, "gondor", ",'status':{'region':'shire','zones':['bree']}");
	start(w);
	expect(w, "ClusterReady");
	hub_turn_for(w->hub, 500);
	expect(w, "\"region\":\"shire\"");
	/* Nor is it asked again at once. */
	assert_int_equal(fakeapi_requests(w->hub->member[0], "/api/v1/nodes"), 1);
}

static void test_labels_of_the_kubefedcluster_count_more_than_nodes(void **state)
{
	struct watching *w = *state;

	put_node(w, "a",
	         "'topology.kubernetes.io/region':'west',"
	         "'topology.kubernetes.io/zone':'west-1'");
	hub_join(w->hub, 0, "gondor", "");
	fakeapi_edit(w->hub->host, FAKEAPI_CLUSTERS, GONDOR,
	             "{'metadata':{'labels':{'topology.kubernetes.io/region':'mine'}}}");
	start(w);
	expect(w, "\"zones\":[\"west-1\"]");
	expect(w, "\"region\":\"mine\"");
}

static void test_a_steady_cluster_is_written_of_once_a_minute_at_most(void **state)
{
	struct watching *w = *state;
	unsigned before;

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	hub_turn_for(w->hub, 1000);
	before = fakeapi_requests(w->hub->host, STATUS_WRITES);
	assert_in_range(before, 1, 3);
	hub_turn_for(w->hub, 3000);
	assert_true(fakeapi_requests(w->hub->member[0], "GET /healthz") >= 10);
	assert_int_equal(fakeapi_requests(w->hub->host, STATUS_WRITES), before);
	/* Nor by the next leader. */
	stop(w);
	start(w);
	hub_turn_for(w->hub, 1500);
	assert_int_equal(fakeapi_requests(w->hub->host, STATUS_WRITES), before);
}

static void test_one_failed_probe_does_not_turn_it(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	fakeapi_answer(w->hub->member[0], "/healthz", 2, 500, NULL);
	hub_turn_for(w->hub, 1500);
	expect(w, "ClusterReady");
	fakeapi_answer(w->hub->member[0], "/healthz", 0, 500, NULL);
	expect(w, "\"type\":\"Offline\",\"status\":\"True\",\"reason\":\"ClusterNotReachable\"");
	fakeapi_no_rule(w->hub->member[0], NULL);
	expect(w, "ClusterReady");
	expect(w, "!ClusterNotReachable");
}

static void test_nor_does_one_just_after_a_change_of_the_leader(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	stop(w);
	fakeapi_answer(w->hub->member[0], "/healthz", 2, 500, NULL);
	start(w);
	hub_turn_for(w->hub, 1500);
	assert_true(members_at(w->members, 0)->is_ready);
	expect(w, "ClusterReady");
}

static void test_a_healthz_without_ok_is_not_ready_but_reachable(void **state)
{
	struct watching *w = *state;

	answer_healthz(w, "nok");
	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "\"type\":\"Ready\",\"status\":\"False\",\"reason\":\"ClusterNotReady\"");
	expect(w, "\"type\":\"Offline\",\"status\":\"False\",\"reason\":\"ClusterReachable\"");
}

static void test_a_cluster_that_cannot_be_dialled_is_malformed(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", "");
	fakeapi_edit(w->hub->host, FAKEAPI_CLUSTERS, GONDOR, "{'spec':{'apiEndpoint':'tcp://x'}}");
	start(w);
	expect(w, "\"type\":\"ConfigMalformed\",\"status\":\"True\",\"reason\":"
	          "\"ClusterConfigMalformed\"");
	fakeapi_edit(w->hub->host, FAKEAPI_CLUSTERS, GONDOR, "{'spec':{'apiEndpoint':'%s'}}",
	             fakeapi_url(w->hub->member[0]));
	expect(w, "ClusterReady");
	expect(w, "!ConfigMalformed");
}

struct asked_with {
	struct watching *w;
	unsigned member;
	const char *token;
};

static bool is_asked_with(void *arg)
{
	const struct asked_with *a = arg;
	char want[80];

	snprintf(want, sizeof(want), "Bearer %s", a->token);
	return strcmp(fakeapi_authorization(a->w->hub->member[a->member]), want) == 0;
}

static void test_a_token_that_is_rotated_is_used_at_once(void **state)
{
	struct watching *w = *state;
	struct asked_with asked = {w, 0, "another-token"};

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	fakeapi_set_token(w->hub->member[0], "another-token");
	hub_secret(w->hub, "gondor", "another-token");
	hub_turn_until(w->hub, is_asked_with, &asked);
	hub_turn_for(w->hub, 500);
	assert_true(members_at(w->members, 0)->is_ready);
	assert_int_equal(w->clients, 1);
}

static void test_a_secret_that_goes_leaves_the_cluster_malformed_until_it_is_back(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	fakeapi_delete(w->hub->host, FAKEAPI_SECRETS, HUB_NAMESPACE "/gondor");
	expect(w, "Secret gondor: does not exist");
	assert_null(members_at(w->members, 0)->client);
	hub_secret(w->hub, "gondor", fakeapi_token(w->hub->member[0]));
	expect(w, "ClusterReady");
}

static void test_another_endpoint_is_dialled_with_another_client(void **state)
{
	struct watching *w = *state;

	hub_join(w->hub, 0, "gondor", "");
	start(w);
	expect(w, "ClusterReady");
	fakeapi_set_version_text(w->hub->member[1], "v1.99.0");
	hub_join(w->hub, 1, "gondor", "");
	expect(w, "v1.99.0");
	assert_int_equal(w->clients, 2);
}

/* --- a proxy --- */

struct proxy {
	int socket;
	char asked[64];
};

static bool is_called(void *arg)
{
	struct proxy *p = arg;
	int fd = accept4(p->socket, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	assert_true(recv(fd, p->asked, sizeof(p->asked) - 1, MSG_WAITALL) > 0);
	close(fd);
	return true;
}

/* Trap 13: KubeFed went past the proxy when it was not to verify. */
static void test_a_proxy_is_used_also_where_certificates_are_not_verified(void **state)
{
	struct watching *w = *state;
	struct proxy proxy = {
		.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	char connect_line[64];

	assert_int_equal(bind(proxy.socket, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(proxy.socket, 4), 0);
	assert_int_equal(getsockname(proxy.socket, (struct sockaddr *)&at, &len), 0);
	hub_join(w->hub, 0, "gondor", "");
	fakeapi_edit(w->hub->host, FAKEAPI_CLUSTERS, GONDOR,
	             "{'spec':{'proxyURL':'http://127.0.0.1:%u','disabledTLSValidations':['*']}}",
	             ntohs(at.sin_port));
	start(w);
	hub_turn_until(w->hub, is_called, &proxy);
	snprintf(connect_line, sizeof(connect_line), "CONNECT 127.0.0.1:%u ",
	         fakeapi_port(w->hub->member[0]));
	assert_memory_equal(proxy.asked, connect_line, strlen(connect_line));
	assert_int_equal(fakeapi_connections_ever(w->hub->member[0]), 0);
	close(proxy.socket);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_cluster_that_answers_is_ready_and_has_its_version),
		TEST(region_and_zones_are_those_of_the_nodes_of_both_generations),
		TEST(nodes_are_read_page_by_page_as_metadata),
		TEST(what_was_set_by_hand_is_not_overwritten_by_nothing),
		TEST(a_status_without_conditions_is_written_anew),
		TEST(nodes_that_may_not_be_listed_change_nothing),
		TEST(labels_of_the_kubefedcluster_count_more_than_nodes),
		TEST(a_steady_cluster_is_written_of_once_a_minute_at_most),
		TEST(one_failed_probe_does_not_turn_it),
		TEST(nor_does_one_just_after_a_change_of_the_leader),
		TEST(a_healthz_without_ok_is_not_ready_but_reachable),
		TEST(a_cluster_that_cannot_be_dialled_is_malformed),
		TEST(a_token_that_is_rotated_is_used_at_once),
		TEST(a_secret_that_goes_leaves_the_cluster_malformed_until_it_is_back),
		TEST(another_endpoint_is_dialled_with_another_client),
		TEST(a_proxy_is_used_also_where_certificates_are_not_verified),
	};

	return cmocka_run_group_tests_name("propagator/members", tests, NULL, NULL);
}
