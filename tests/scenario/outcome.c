/* outcome.c -- one bad day, told in order: five replicas of nighd, three sites, and all that can happen to Los Angeles.
 *
 * Each replica and each site is a node of a network; what reaches a site is lost, or refused, or fine.  Every answer is
 * asked of every replica.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/watcher_authority.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

#define WEB      "web.shop.fed.svc.example.com"
#define EUROPEAN "30.0.0.0/24"
#define EXPLAIN  "/explain?name=" WEB "&client=20.0.0.0/24"

enum { REPLICAS = 5, FRANKFURT = REPLICAS, HOUSTON, LOS_ANGELES, NODES };
enum { CLIENTS = 300, PODS = 4 };
enum {
	PORT = 8080,
	VOTE_PORT = 8054,
	DAY_S = 86400,
	SOON_MS = 20000,
	INTERVAL_MS = 1000,
	WITHDRAWN_MS = 5000, /* promised */
	CALM_MS = 5000,      /* longer than a withdrawal takes after its evidence is there */
	STABLE_MS = 3000,    /* failback */
	HOLD_MS = 6000       /* of a site that flaps */
};
static const struct network_fault calm = {0}, cut = {.cut = true};

struct scene {
	struct network *net;
	struct world *w[REPLICAS]; /* all read the folder of the first */
	struct authority *authority;
	char folder[160];
	int listener[NODES];
	uint8_t site[CLIENTS]; /* who was sent where, when it was looked at last */
	int there;             /* a client of Los Angeles while all is well */
};

/* --- the scene --- */

static struct world *at(struct scene *s, int r)
{
	network_enter(s->net, r);
	return s->w[r];
}

static const char *name_of(int site)
{
	return site == FRANKFURT ? "frankfurt" : site == HOUSTON ? "houston" : "losangeles";
}

/* The site has PODS pods; so many are ready. */
static void put_site(struct scene *s, int site, unsigned ready)
{
	struct text endpoints = {0};
	char path[96];

	for (unsigned i = 0; i < PODS; i++)
		text_printf(&endpoints, "- {addresses: [10.1.0.%u], conditions: {ready: %s}}\n",
		            i + 4, i < ready ? "true" : "false");
	snprintf(path, sizeof path, "manifests/clusters/%s/web.yaml", name_of(site));
	world_write(s->w[0], path,
	            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
	            "spec: {type: LoadBalancer, ports: [{name: http, port: %d, protocol: TCP}]}\n"
	            "status: {loadBalancer: {ingress: [{ip: %s}]}}\n"
	            "---\n"
	            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	            "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: "
	            "web}}\n"
	            "addressType: IPv4\nports: [{name: http, port: 8080, protocol: TCP}]\n"
	            "endpoints:\n%s",
	            PORT, network_address(s->net, site), endpoints.data);
	text_fini(&endpoints);
}

/* 20.0.0.0/8 are Americans, 30.0.0.0/8 Europeans. */
static void write_files(struct scene *s)
{
	struct world *w = s->w[0];
	char spec[512];

	world_write(w, "networks.csv", "20.0.0.0/8,37.77,-122.42,US\n30.0.0.0/8,48.85,2.35,FR\n");
	world_domain(w, "fed", "example.com");
	world_cluster(w, "frankfurt", "50.11,8.68", "eu-central", "");
	world_cluster(w, "houston", "29.76,-95.37", "us-south", "");
	world_cluster(w, "losangeles", "34.05,-118.24", "us-west", "");
	for (int site = FRANKFURT; site < NODES; site++)
		put_site(s, site, PODS);
	world_service_record(w, "web", "fed");
	snprintf(spec, sizeof(spec),
	         "  stages:\n"
	         "  - geofence: {rules: [{continents: [EU], clusters: [frankfurt], mode: "
	         "Required}]}\n"
	         "  - failover: {tiers: [{clusters: [losangeles, houston]}]}\n"
	         "  - capacity: {}\n"
	         "  probe: {tcp: {}, interval: 1s, timeout: 1s, down: 3, up: 2}\n"
	         "  failback: {mode: After, stableFor: %ds}\n",
	         STABLE_MS / 1000);
	world_policy(w, spec);
}

static void configure(struct scene *s, int r)
{
	struct text yaml = {0};

	text_printf(&yaml,
	            "sources: {manifests: [%s/manifests]}\n"
	            "geo: {networks: %s/networks.csv}\n"
	            "publish: {allow: [10.77.0.0/24]}\n"
	            "rateLimit: {mode: off}\n"
	            "defaults: {riseAfter: 1s}\n"
	            "probe: {flapThreshold: 2, flapHold: %ds}\n"
	            "replicas:\n"
	            "  {listen: \"%s:%d\", name: r%d, certificate: %s/r.crt, key: %s/r.key, ca: "
	            "%s/ca.crt, peers: [",
	            s->folder, s->folder, HOLD_MS / 1000, network_address(s->net, r), VOTE_PORT, r,
	            s->folder, s->folder, s->folder);
	for (int i = 0; i < REPLICAS; i++)
		text_printf(&yaml, "%s\"%s:%d\"", i > 0 ? ", " : "", network_address(s->net, i),
		            VOTE_PORT);
	text_add(&yaml, "]}\n");
	world_config(s->w[r], yaml.data);
	text_fini(&yaml);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	*state = s;
	s->net = network_new(NODES);
	for (int i = FRANKFURT; i < NODES; i++)
		s->listener[i] = network_listen(s->net, i, PORT);
	for (int r = 0; r < REPLICAS; r++)
		s->w[r] = world_new();
	snprintf(s->folder, sizeof s->folder, "%s", world_path(s->w[0], "."));
	s->authority = authority_new(s->folder);
	authority_issue_named(s->authority, "r", "replicas.nigh", DAY_S);
	write_files(s);
	for (int r = 0; r < REPLICAS; r++) {
		configure(s, r);
		world_start(at(s, r));
	}
	for (int r = 0; r < REPLICAS; r++)
		world_expect_http(at(s, r), "/metrics", "nigh_replicas_heard 4", SOON_MS);
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	for (int r = REPLICAS - 1; r >= 0; r--)
		world_free(at(s, r));
	network_enter(s->net, NETWORK_OUTSIDE);
	authority_free(s->authority);
	network_free(s->net);
	for (int i = FRANKFURT; i < NODES; i++)
		close(s->listener[i]);
	free(s);
	return 0;
}

/* --- who is sent where --- */

static const char *network_of(int client)
{
	static char network[32];

	snprintf(network, sizeof network, "20.%d.%d.0/24", client / 200, client % 200);
	return network;
}

static int ask(struct scene *s, int r, int client)
{
	const char *network = network_of(client), *answer = world_ask(s->w[r], WEB, "A", network);

	for (int site = FRANKFURT; site < NODES; site++)
		if (strcmp(answer, network_address(s->net, site)) == 0)
			return site;
	world_fail(s->w[r], "r%d sends %s to %s", r, network, answer);
}

/* The share of Los Angeles in percent; every other American must be in Houston. */
static unsigned look(struct scene *s, int r, uint8_t site[CLIENTS])
{
	unsigned there = 0;

	at(s, r);
	for (int i = 0; i < CLIENTS; i++) {
		site[i] = (uint8_t)ask(s, r, i);
		if (site[i] == FRANKFURT)
			world_fail(s->w[r], "r%d sends an American over the fence", r);
		there += site[i] == LOS_ANGELES;
	}
	return there * 100 / CLIENTS;
}

/* Does every replica do the same, with such a share? */
static bool all_have(struct scene *s, unsigned least, unsigned most, struct text *is)
{
	uint8_t other[CLIENTS];
	bool agree = true;

	text_reset(is);
	for (int r = 0; r < REPLICAS; r++) {
		unsigned share = look(s, r, r == 0 ? s->site : other);

		text_printf(is, " %u", share);
		agree &= share >= least && share <= most &&
		         (r == 0 || memcmp(s->site, other, sizeof other) == 0);
	}
	return agree;
}

/* All replicas come to that share within the time, by the same clients; the European stays in Europe.
 * Returns the share. */
static unsigned expect_share(struct scene *s, unsigned least, unsigned most, unsigned within_ms)
{
	struct deadline d = inside_deadline(within_ms);
	struct text is = {0};
	unsigned share;

	while (!all_have(s, least, most, &is)) {
		if (!inside_has_time(d))
			world_fail(s->w[0], "shares are%s, not %u to %u at all replicas alike",
			           is.data, least, most);
		inside_rest();
	}
	share = (unsigned)atoi(is.data);
	text_fini(&is);
	for (int r = 0; r < REPLICAS; r++)
		world_expect(at(s, r), WEB, "A", EUROPEAN, network_address(s->net, FRANKFURT), 0);
	return share;
}

/* For that time every replica sends each client where it was sent before. */
static void expect_nothing_changes(struct scene *s, unsigned for_ms)
{
	uint8_t site[CLIENTS];

	for (struct deadline d = inside_deadline(for_ms); inside_has_time(d); inside_rest())
		for (int r = 0; r < REPLICAS; r++) {
			look(s, r, site);
			assert_memory_equal(site, s->site, sizeof site);
		}
}

static void expect_told(struct scene *s, const char *path, const char *text, unsigned within_ms)
{
	struct deadline d = inside_deadline(within_ms);

	for (int r = 0; r < REPLICAS; r++) {
		uint64_t now_ms = inside_now_ms();

		world_expect_http(at(s, r), path, text,
		                  now_ms < d.at_ms ? (unsigned)(d.at_ms - now_ms) : 0);
	}
}

/* Probes at whose deadline a machine with much else to do looked too late; each is made up for an interval later. */
static double most_void(struct scene *s)
{
	double most = 0;

	for (int r = 0; r < REPLICAS; r++) {
		double n = world_metric(at(s, r), "nigh_watcher_probes_voided_total");

		most = n > most ? n : most;
	}
	return most;
}

/* Since `begun_ms`, when nobody can be served in Los Angeles any more. */
static void expect_withdrawn(struct scene *s, uint64_t begun_ms, double void_before)
{
	uint64_t took_ms;
	double voided;

	for (int r = 0; r < REPLICAS; r++)
		world_expect(at(s, r), WEB, "A", network_of(s->there),
		             network_address(s->net, HOUSTON), SOON_MS);
	took_ms = inside_now_ms() - begun_ms;
	voided = most_void(s) - void_before;
	printf("  withdrawn by all after %llu ms, %g probes void\n", (unsigned long long)took_ms,
	       voided);
	assert_true((double)took_ms <= WITHDRAWN_MS + INTERVAL_MS * voided);
	expect_share(s, 0, 0, 0);
	expect_told(s, EXPLAIN, "\"layer\":\"probe\",\"ok\":false", 0);
	/* Those that were outvoted see it themselves a moment later. */
	expect_told(s, EXPLAIN, "down: 5 of 5 replicas", SOON_MS);
}

/* Its clients are back, not sooner than `least_ms` after it could serve them again. */
static void expect_back(struct scene *s, uint64_t well_ms, unsigned least_ms)
{
	world_expect(at(s, 0), WEB, "A", network_of(s->there), network_address(s->net, LOS_ANGELES),
	             SOON_MS);
	assert_true(inside_now_ms() - well_ms >= least_ms);
	expect_share(s, 43, 57, SOON_MS);
}

/* --- the story --- */

static void die_pod_by_pod(struct scene *s)
{
	/* Of seven, six and five pods: three, two and one. */
	static const unsigned share[] = {20, 33, 43};
	unsigned now = expect_share(s, 43, 57, SOON_MS);
	uint8_t before[CLIENTS];

	while (s->site[s->there] != LOS_ANGELES)
		s->there++;
	for (unsigned ready = PODS - 1; ready > 0; ready--) {
		unsigned wanted = share[ready - 1];

		memcpy(before, s->site, sizeof before);
		put_site(s, LOS_ANGELES, ready);
		now = expect_share(s, wanted - 4, now <= wanted + 4 ? now - 1 : wanted + 4,
		                   SOON_MS);
		/* Some have gone; the others notice nothing. */
		for (int i = 0; i < CLIENTS; i++)
			assert_true(s->site[i] == before[i] || s->site[i] == HOUSTON);
	}
	put_site(s, LOS_ANGELES, PODS);
	expect_share(s, 43, 57, SOON_MS);
}

static void lose_sight_of_it_at_two_replicas(struct scene *s)
{
	network_set_pair(s->net, 0, LOS_ANGELES, &cut);
	network_set_pair(s->net, 1, LOS_ANGELES, &cut);
	expect_told(s, EXPLAIN, "down: 2 of 5 replicas (r0, r1); up: r2, r3, r4", SOON_MS);
	expect_nothing_changes(s, CALM_MS);
	network_set_pair(s->net, 0, LOS_ANGELES, &calm);
	network_set_pair(s->net, 1, LOS_ANGELES, &calm);
	expect_told(s, EXPLAIN, "!of 5 replicas", SOON_MS);
}

/* Packets to it are lost; so are those to Frankfurt, and no European is sent elsewhere. */
static void lose_its_load_balancer(struct scene *s)
{
	double void_before = most_void(s);
	uint64_t begun_ms = inside_now_ms();

	network_set(s->net, NETWORK_ALL, LOS_ANGELES, &cut);
	network_set(s->net, NETWORK_ALL, FRANKFURT, &cut);
	expect_withdrawn(s, begun_ms, void_before);
	expect_told(s, "/explain?name=" WEB "&client=" EUROPEAN,
	            "no site that this client may be sent to is usable", 0);
}

static void come_back_when_stable(struct scene *s)
{
	uint64_t well_ms = inside_now_ms();

	network_set(s->net, NETWORK_ALL, NETWORK_ALL, &calm);
	expect_told(s, "/status",
	            "{\"name\":\"" WEB "\",\"cluster\":\"losangeles\",\"mode\":\"After\"", SOON_MS);
	expect_told(s, EXPLAIN, "\"layer\":\"failback\",\"ok\":false", 0);
	expect_back(s, well_ms, STABLE_MS);
}

/* Refused this time: the second death within minutes. */
static void flap(struct scene *s)
{
	double void_before = most_void(s);
	uint64_t begun_ms = inside_now_ms();

	network_enter(s->net, NETWORK_OUTSIDE);
	close(s->listener[LOS_ANGELES]);
	expect_withdrawn(s, begun_ms, void_before);
	s->listener[LOS_ANGELES] = network_listen(s->net, LOS_ANGELES, PORT);
	begun_ms = inside_now_ms();
	expect_told(s, "/status", "\"flapping\":true,\"heldForSeconds\":", SOON_MS);
	expect_told(s, "/metrics", "\nnigh_watcher_probes_flapping 1\n", 0);
	expect_nothing_changes(s, HOLD_MS / 2);
	expect_back(s, begun_ms, HOLD_MS + STABLE_MS);
}

static void test_a_bad_day_of_los_angeles(void **state)
{
	struct scene *s = *state;

	die_pod_by_pod(s);
	lose_sight_of_it_at_two_replicas(s);
	lose_its_load_balancer(s);
	come_back_when_stable(s);
	flap(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_bad_day_of_los_angeles, setup, teardown),
	};

	return cmocka_run_group_tests_name("scenario/outcome", tests, NULL, NULL);
}
