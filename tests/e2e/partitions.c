/* partitions.c -- three replicas of nighd, three cities with real API servers and real listeners, and a network between
 * them that fails pair by pair.
 *
 * What replicas say of a city is decided by those who hear each other; what they answer is what their clients can reach.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/cluster.h"
#include "tests/e2e/support/objects.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

#define WEB           "web.shop.fed.svc.example.com"
#define BOSTON        "192.0.2.0/24"
#define AUSTIN        "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define FAKETIME      "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

enum { REPLICAS = 3, CITIES = 3 };
enum { NEW_YORK, HOUSTON, LOS_ANGELES };
/* Nodes of the network. */
enum { FIRST_CITY = REPLICAS, CLOUD = REPLICAS + CITIES, NODES };
enum {
	PORT = 8080,
	MEETING = 7946, /* where replicas meet */
	READY_MS = 60000,
	CALM_MS = 30000,
	WITHDRAWN_MS = 5000,
	BACK_MS = 15000,
	LONG_MS = 7000 /* longer than anything is withdrawn after */
};

static const struct network_fault calm = {0}, cut = {.cut = true};

static const struct city {
	const char *name, *location, *region, *client;
} cities[CITIES] = {
	{"newyork", "40.71,-74.01", "us-east", BOSTON},
	{"houston", "29.76,-95.37", "us-south", AUSTIN},
	{"losangeles", "34.05,-118.24", "us-west-2", SAN_FRANCISCO},
};

struct scene {
	struct network *net;
	struct cloud *cloud;
	struct cluster *host, *cluster[CITIES];
	char *token[CITIES];
	int listener[CITIES];
	struct world *replica[REPLICAS];
};

/* --- the scene --- */

static const char *address_of(const struct scene *s, int city)
{
	return network_address(s->net, FIRST_CITY + city);
}

static void furnish(struct scene *s, int city)
{
	struct cluster *c = s->cluster[city];

	cluster_await(c);
	objects_node(c, cities[city].region, "");
	objects_reader(c);
	s->token[city] = objects_reader_token(c, "reader");
	objects_namespace(c, "shop");
	objects_service(c, "shop", "web", address_of(s, city), PORT);
	objects_pods(c, "shop", "web", 2, true);
	objects_expect_endpoints(c, "shop", "web", 2, READY_MS);
	objects_join(s->host, c, s->token[city], cities[city].location);
}

static void build_cloud(struct scene *s)
{
	char address[32];

	for (int i = 1; i <= CITIES + 1; i++) {
		snprintf(address, sizeof address, "10.77.8.%d", i);
		network_add_address(s->net, CLOUD, address);
	}
	network_enter(s->net, CLOUD);
	s->cloud = cloud_new_at("10.77.8");
	s->host = cluster_new(s->cloud, "host", false);
	for (int i = 0; i < CITIES; i++)
		s->cluster[i] = cluster_new(s->cloud, cities[i].name, true);
	cluster_await(s->host);
	objects_host(s->host);
	objects_namespace(s->host, "shop");
	objects_domain(s->host, "fed", "example.com");
	objects_service_record(s->host, "shop", "web", "fed");
	for (int i = 0; i < CITIES; i++)
		furnish(s, i);
	network_enter(s->net, NETWORK_OUTSIDE);
}

/* Each knows the others by their addresses. */
static void configure(struct scene *s, int number)
{
	struct world *w = s->replica[number];
	char name[16], yaml[1024];
	const char *dir = cloud_path(s->cloud, ".");

	snprintf(name, sizeof name, "r%d", number);
	cloud_issue_replica(s->cloud, name, "replicas.nigh");
	snprintf(yaml, sizeof yaml,
	         "sources: {kubernetes: {kubeconfig: host.kubeconfig}}\n"
	         "publish: {allow: [10.77.0.0/16]}\n"
	         /* The tests are one long flapping. */
	         "probe: {mode: always, flapWindow: 1s}\n"
	         "watch: {silence: 4s, reply: 2s, backoff: 1s}\n"
	         "replicas: {listen: \"%s:%d\", name: %s, peers: [\"%s:%d\", \"%s:%d\"], "
	         "certificate: %s/%s.crt, key: %s/%s.key, ca: %s/ca.crt}\n",
	         network_address(s->net, number), MEETING, name,
	         network_address(s->net, (number + 1) % REPLICAS), MEETING,
	         network_address(s->net, (number + 2) % REPLICAS), MEETING, dir, name, dir, name,
	         dir);
	world_config(w, yaml);
	cluster_kubeconfig(s->host, NIGH_TOKEN, world_path(w, "host.kubeconfig"));
}

static void start_replica(struct scene *s, int number)
{
	network_enter(s->net, number);
	world_start(s->replica[number]);
	network_enter(s->net, NETWORK_OUTSIDE);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	*state = s;
	s->net = network_new(NODES);
	for (int i = 0; i < CITIES; i++)
		s->listener[i] = network_listen(s->net, FIRST_CITY + i, PORT);
	build_cloud(s);
	for (int i = 0; i < REPLICAS; i++) {
		s->replica[i] = world_new();
		world_remove(s->replica[i], "manifests");
		world_networks(s->replica[i]);
		configure(s, i);
		start_replica(s, i);
	}
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < REPLICAS; i++)
		world_free(s->replica[i]);
	cloud_free(s->cloud);
	network_free(s->net);
	for (int i = 0; i < CITIES; i++) {
		close(s->listener[i]);
		free(s->token[i]);
	}
	free(s);
	return 0;
}

/* --- expectations --- */

/* A replica sends the clients of Los Angeles to that city. */
static void expect(struct scene *s, int replica, int city, unsigned within_ms)
{
	network_enter(s->net, replica);
	world_expect(s->replica[replica], WEB, "A", SAN_FRANCISCO, address_of(s, city), within_ms);
	network_enter(s->net, NETWORK_OUTSIDE);
}

static void expect_all(struct scene *s, int city, unsigned within_ms)
{
	for (int i = 0; i < REPLICAS; i++)
		expect(s, i, city, within_ms);
}

/* All replicas do, for that time. */
static void expect_all_stay(struct scene *s, int city, unsigned for_ms)
{
	uint64_t until = inside_now_ms() + for_ms;

	while (inside_now_ms() < until) {
		expect_all(s, city, 0);
		inside_rest();
	}
}

static void expect_http(struct scene *s, int replica, const char *path, const char *text)
{
	network_enter(s->net, replica);
	world_expect_http(s->replica[replica], path, text, BACK_MS);
	network_enter(s->net, NETWORK_OUTSIDE);
}

static void cut_city(struct scene *s, int replica, int city, const struct network_fault *fault)
{
	network_set_pair(s->net, replica, FIRST_CITY + city, fault);
}

/* --- tests; each begins when all is well --- */

static int begin(void **state)
{
	struct scene *s = *state;

	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &calm);
	expect_all(s, LOS_ANGELES, CALM_MS);
	for (int i = 0; i < REPLICAS; i++)
		expect_http(s, i, "/status", "\"frozen\":false");
	return 0;
}

static void test_one_replica_that_loses_sight_of_a_city_changes_nothing(void **state)
{
	struct scene *s = *state;

	cut_city(s, 0, LOS_ANGELES, &cut);
	expect_all_stay(s, LOS_ANGELES, LONG_MS);
	for (int i = 0; i < REPLICAS; i++)
		expect_http(s, i, "/explain?name=" WEB "&client=" SAN_FRANCISCO,
		            "down: 1 of 3 replicas (r0)");
}

static void test_a_city_that_most_see_down_is_withdrawn_by_all_within_5_seconds(void **state)
{
	struct scene *s = *state;

	cut_city(s, 0, LOS_ANGELES, &cut);
	cut_city(s, 1, LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, WITHDRAWN_MS);
	cut_city(s, 0, LOS_ANGELES, &calm);
	cut_city(s, 1, LOS_ANGELES, &calm);
	expect_all(s, LOS_ANGELES, BACK_MS);
	network_set(s->net, NETWORK_ALL, FIRST_CITY + LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, WITHDRAWN_MS);
}

static void test_two_replicas_that_cannot_hear_each_other_change_nothing(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < REPLICAS; i++) {
		network_set_pair(s->net, i, (i + 1) % REPLICAS, &cut);
		expect_all_stay(s, LOS_ANGELES, LONG_MS);
		network_set_pair(s->net, i, (i + 1) % REPLICAS, &calm);
	}
}

/* Each answers what its side can reach. */
static void test_two_halves_decide_by_themselves(void **state)
{
	struct scene *s = *state;

	network_set_pair(s->net, 0, 1, &cut);
	network_set_pair(s->net, 0, 2, &cut);
	cut_city(s, 1, LOS_ANGELES, &cut);
	cut_city(s, 2, LOS_ANGELES, &cut);
	expect(s, 1, HOUSTON, WITHDRAWN_MS + 3000);
	expect(s, 2, HOUSTON, 2000);
	expect(s, 0, LOS_ANGELES, 0);
	/* The other way round: who is alone decides alone. */
	cut_city(s, 1, LOS_ANGELES, &calm);
	cut_city(s, 2, LOS_ANGELES, &calm);
	cut_city(s, 0, LOS_ANGELES, &cut);
	expect(s, 0, HOUSTON, WITHDRAWN_MS + 3000);
	expect(s, 1, LOS_ANGELES, BACK_MS);
	expect(s, 2, LOS_ANGELES, BACK_MS);
}

static void test_a_replica_that_reaches_nothing_freezes(void **state)
{
	struct scene *s = *state;

	network_set(s->net, 0, NETWORK_ALL, &cut);
	network_set(s->net, NETWORK_ALL, 0, &cut);
	expect_http(s, 0, "/status", "\"frozen\":true");
	expect_all_stay(s, LOS_ANGELES, LONG_MS);
}

/* Each replica loses sight of another city, then of the next one, until every cut between a city and a replica has been: the others
 * decide. */
static void test_every_pair_of_replica_and_city_may_be_cut(void **state)
{
	struct scene *s = *state;

	for (int shift = 0; shift < CITIES; shift++) {
		for (int replica = 0; replica < REPLICAS; replica++)
			cut_city(s, replica, (replica + shift) % CITIES, &cut);
		expect_all_stay(s, LOS_ANGELES, LONG_MS);
		for (int replica = 0; replica < REPLICAS; replica++)
			cut_city(s, replica, (replica + shift) % CITIES, &calm);
	}
}

static void test_lost_late_and_doubled_messages_change_nothing(void **state)
{
	struct scene *s = *state;
	struct network_fault bad = {.lost_permille = 50, .doubled_permille = 200, .late_ms = 50};

	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &bad);
	expect_all_stay(s, LOS_ANGELES, 2 * LONG_MS);
	network_set(s->net, NETWORK_ALL, FIRST_CITY + LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, WITHDRAWN_MS + 1000);
}

/* NIGH_STALL_SECONDS: for how long; ten minutes by hand. */
static void test_the_api_servers_are_dead_and_nothing_is_withdrawn(void **state)
{
	struct scene *s = *state;
	const char *given = getenv("NIGH_STALL_SECONDS");

	network_set(s->net, NETWORK_ALL, CLOUD, &cut);
	expect_all_stay(s, LOS_ANGELES,
	                given != NULL ? 1000U * (unsigned)atoi(given) : 2U * LONG_MS);
	network_set(s->net, NETWORK_ALL, FIRST_CITY + LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, WITHDRAWN_MS);
}

/* Its clock is two hours ahead: no time of one replica means anything to another. */
static void test_a_replica_with_a_wrong_clock_votes_like_the_others(void **state)
{
	struct scene *s = *state;

	network_enter(s->net, 2);
	world_stop(s->replica[2]);
	setenv("LD_PRELOAD", FAKETIME, 1);
	setenv("FAKETIME", "+2h", 1);
	setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
	world_start(s->replica[2]);
	unsetenv("LD_PRELOAD");
	network_enter(s->net, NETWORK_OUTSIDE);
	expect(s, 2, LOS_ANGELES, BACK_MS);
	cut_city(s, 0, LOS_ANGELES, &cut);
	expect_all_stay(s, LOS_ANGELES, LONG_MS);
	cut_city(s, 2, LOS_ANGELES, &cut);
	expect_all(s, HOUSTON, WITHDRAWN_MS);
}

#define partitioned(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		partitioned(test_one_replica_that_loses_sight_of_a_city_changes_nothing),
		partitioned(test_a_city_that_most_see_down_is_withdrawn_by_all_within_5_seconds),
		partitioned(test_two_replicas_that_cannot_hear_each_other_change_nothing),
		partitioned(test_two_halves_decide_by_themselves),
		partitioned(test_a_replica_that_reaches_nothing_freezes),
		partitioned(test_every_pair_of_replica_and_city_may_be_cut),
		partitioned(test_lost_late_and_doubled_messages_change_nothing),
		partitioned(test_the_api_servers_are_dead_and_nothing_is_withdrawn),
		partitioned(test_a_replica_with_a_wrong_clock_votes_like_the_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
