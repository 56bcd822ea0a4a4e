/* moving.c -- clients moved on purpose by nighctl at a real API server, and two replicas of nighd that do the same at
 * the same instant.
 *
 * The host is real, its members are folders.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/objects.h"
#include "tests/support/world.h"
#include "tests/support/world_inside.h"

#define WEB         "web.shop.fed.svc.example.com"
#define LOS_ANGELES "198.18.3.10"
#define HOUSTON     "198.18.2.10"
#define OBJECT      "/apis/core.kubefed.io/v1beta1/namespaces/" FEDERATION "/kubefedclusters/losangeles"
#define SHIFT       "\"nigh.dev/shift\":\""

enum {
	REPLICAS = 2,
	CLIENTS = 300,
	TTL_S = 6,     /* of the record, ... */
	LOWERED_S = 5, /* and while the cluster is drained */
	SOON_MS = 5000,
	TIME_LEN = 20, /* 2026-11-28T10:00:05Z */
	END_MS = 60000,
	SECOND_MS = 1000,
	PROMPT_MS = 100,
	AGREED_MS = 1000 /* promised: the same second */
};

struct scene {
	struct cloud *cloud;
	struct cluster *host;
	struct world *replica[REPLICAS];
	char kubeconfig[256]; /* of the person */
};

/* --- the scene --- */

/* All clients of 20.0.0.0/8 are nearest to Los Angeles, then to Houston. */
static void write_members(struct world *w)
{
	world_write(w, "networks.csv", "20.0.0.0/8,37.77,-122.42,San Francisco\n");
	world_service(w, "losangeles", "web", LOS_ANGELES, true, "");
	world_service(w, "houston", "web", HOUSTON, true, "");
}

static void put_cluster(struct scene *s, const char *name, const char *location)
{
	cluster_apply(s->host,
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedCluster\n"
	              "metadata: {name: %s, namespace: " FEDERATION
	              ", annotations: {nigh.dev/location: \"%s\"}}\n"
	              "spec: {apiEndpoint: \"https://127.0.0.1:1\", secretRef: {name: %s}}\n",
	              name, location, name);
}

static void start_replica(struct scene *s, int r)
{
	struct world *w = world_new();

	s->replica[r] = w;
	write_members(w);
	cluster_kubeconfig(s->host, NIGH_TOKEN, world_path(w, "host.kubeconfig"));
	world_config(w,
	             "sources: {manifests: [manifests], kubernetes: {kubeconfig: host.kubeconfig, "
	             "allowLoopback: true}}\n"
	             "rateLimit: {mode: off}\n");
	world_start(w);
	world_expect(w, WEB, "A", "20.0.0.0/24", LOS_ANGELES, SOON_MS);
}

static int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	*state = s;
	s->cloud = cloud_new();
	s->host = cluster_new(s->cloud, "host", false);
	cluster_await(s->host);
	objects_host(s->host);
	objects_namespace(s->host, "shop");
	objects_domain(s->host, "fed", "example.com");
	cluster_apply(s->host,
	              "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	              "kind: ServiceDNSRecord\n"
	              "metadata: {name: web, namespace: shop}\n"
	              "spec: {domainRef: fed, recordTTL: %d}\n",
	              TTL_S);
	put_cluster(s, "losangeles", "34.05,-118.24");
	put_cluster(s, "houston", "29.76,-95.37");
	snprintf(s->kubeconfig, sizeof s->kubeconfig, "%s",
	         cloud_path(s->cloud, "person.kubeconfig"));
	cluster_kubeconfig(s->host, ADMIN_TOKEN, s->kubeconfig);
	for (int r = 0; r < REPLICAS; r++)
		start_replica(s, r);
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	for (int r = 0; r < REPLICAS; r++)
		world_free(s->replica[r]);
	cloud_free(s->cloud);
	free(s);
	return 0;
}

/* --- what nighctl says --- */

/* nighctl with these words and the person's kubeconfig. */
static const char *nighctl(struct scene *s, const char *const *words, const char *says)
{
	const char *argv[16] = {"$NIGHCTL"};
	size_t n = 1;

	for (size_t i = 0; words[i] != NULL; i++)
		argv[n++] = words[i];
	argv[n++] = "--kubeconfig";
	argv[n] = s->kubeconfig;
	return world_expect_run(s->replica[0], argv, 0, says);
}

static int64_t time_at(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm));
	return (int64_t)timegm(&tm) * 1000;
}

/* The time, in milliseconds, of the line of a plan that says `what`. */
static int64_t time_before(const char *plan, const char *what)
{
	const char *at = strstr(plan, what);

	assert_true(at != NULL && at - plan >= TIME_LEN + 2);
	return time_at(at - 2 - TIME_LEN);
}

/* --- clients --- */

static bool is_there(struct scene *s, int r, int client)
{
	char network[32];
	const char *answer;

	snprintf(network, sizeof network, "20.%d.%d.0/24", client / 200, client % 200);
	answer = world_ask(s->replica[r], WEB, "A", network);
	if (strcmp(answer, LOS_ANGELES) != 0 && strcmp(answer, HOUSTON) != 0)
		world_fail(s->replica[r], "r%d tells %s %s", r, network, answer);
	return strcmp(answer, LOS_ANGELES) == 0;
}

/* Until both tell that client the same; how long that took. */
static int64_t await_agreement(struct scene *s, int client)
{
	int64_t begun_ms = clock_unix_ms(), took_ms = 0;

	while (is_there(s, 0, client) != is_there(s, 1, client)) {
		took_ms = clock_unix_ms() - begun_ms;
		if (took_ms > AGREED_MS)
			world_fail(s->replica[1], "client %d: the replicas disagree for %lld ms",
			           client, (long long)took_ms);
	}
	return took_ms;
}

/* How many are in Los Angeles; each client is asked for at the one replica and at once at the other, and since it was asked for last has
 * not moved against `leaves`. */
static int look(struct scene *s, bool leaves, bool there[CLIENTS], int64_t *apart_ms)
{
	int sum = 0;

	for (int i = 0; i < CLIENTS; i++) {
		bool now = is_there(s, 0, i);

		if (is_there(s, 1, i) != now) {
			int64_t took_ms = await_agreement(s, i);

			*apart_ms = took_ms > *apart_ms ? took_ms : *apart_ms;
			now = is_there(s, 0, i);
		}
		if (now != there[i] && now == leaves)
			world_fail(s->replica[0], "client %d moves the wrong way", i);
		there[i] = now;
		sum += now;
	}
	return sum;
}

/* What a plan has promised: nothing moves before `start_ms`, then one after the other until `end_ms`, and then there are between
 * `least` and `most` in Los Angeles. */
static void watch_move(struct scene *s, int64_t start_ms, int64_t end_ms, bool there[CLIENTS],
                       int least, int most)
{
	int first = 0, now = 0, between = 0;
	int64_t apart_ms = 0;

	for (int i = 0; i < CLIENTS; i++)
		first += there[i];
	for (bool is_over = false; !is_over;) {
		is_over = clock_unix_ms() > end_ms + SECOND_MS;
		now = look(s, first > most, there, &apart_ms);
		if (clock_unix_ms() < start_ms && now != first)
			world_fail(s->replica[0], "it moves before it begins");
		between += now != first && (now < least || now > most);
		inside_rest();
	}
	printf("  %d of %d before, %d after, the replicas apart for %lld ms at most\n", first,
	       CLIENTS, now, (long long)apart_ms);
	assert_true(now >= least && now <= most && between > 0);
}

static double share_of(struct scene *s, int r)
{
	const char *at =
		strstr(world_get(s->replica[r], "/status", NULL), "\"name\":\"losangeles\"");

	at = at != NULL ? strstr(at, "\"share\":") : NULL;
	return at != NULL ? atof(at + strlen("\"share\":")) : -1;
}

/* Shares go by the second: how long after one most changes are there, at either replica. */
static void watch_seconds(struct scene *s, int64_t end_ms)
{
	double last[REPLICAS] = {share_of(s, 0), share_of(s, 1)};
	int changes = 0, late = 0;

	for (; clock_unix_ms() < end_ms + SECOND_MS; inside_rest())
		for (int r = 0; r < REPLICAS; r++) {
			double share = share_of(s, r);

			changes += share != last[r];
			late += share != last[r] && clock_unix_ms() % SECOND_MS > PROMPT_MS;
			last[r] = share;
		}
	printf("  %d changes of shares, %d of them later than %d ms after the second\n", changes,
	       late, PROMPT_MS);
	assert_true(changes >= 2 * REPLICAS && late <= changes / 3);
}

/* --- a shift and its way back --- */

static void test_a_shift_moves_the_same_clients_at_both_replicas_and_undo_takes_them_back(
	void **state)
{
	static const char *const shift[] = {"shift", "--cluster", "losangeles", "--to",
	                                    "20%",   "--over",    "4s",         NULL};
	static const char *const undo[] = {"shift", "--cluster", "losangeles", "--undo", NULL};
	static bool there[CLIENTS];
	struct scene *s = *state;
	const char *plan;

	memset(there, true, sizeof there);
	plan = nighctl(s, shift, "KubeFedCluster kube-federation-system/losangeles is shifted\n");
	cluster_expect(s->host, OBJECT, SHIFT "from=100% to=20% start=20", 0);
	watch_move(s, time_before(plan, "its share leaves 100%"),
	           time_before(plan, "its share is 20%"), there, CLIENTS * 13 / 100,
	           CLIENTS * 27 / 100);
	for (int r = 0; r < REPLICAS; r++)
		world_expect_http(s->replica[r], "/status",
		                  "\"share\":20,\"shift\":{\"state\":\"over\"", 0);
	plan = nighctl(s, undo, "losangeles gets its clients back\n");
	watch_seconds(s, time_before(plan, "its share is 100%"));
	for (int i = 0; i < CLIENTS; i++)
		assert_true(is_there(s, i % REPLICAS, i));
	nighctl(s, undo, "losangeles is not shifted any more\n");
	cluster_expect(s->host, OBJECT, "!" SHIFT, 0);
}

/* --- a drain and its way back --- */

/* Caches that ask each replica all the time: when the last has let go of Los Angeles, and those that had the old TTL. */
struct caches {
	int64_t let_go_ms, old_let_go_ms;
	int holds; /* answers of the last round */
};

static void ask_for_caches(struct scene *s, struct caches *c)
{
	c->holds = 0;
	for (int r = 0; r < REPLICAS; r++)
		for (int i = 0; i < CLIENTS / 10; i++) {
			char client[32];
			struct world_answer a;
			int64_t until_ms;

			snprintf(client, sizeof client, "20.0.%d.0/24", i);
			a = world_query(s->replica[r], WEB, "A", client);
			until_ms = clock_unix_ms() + (int64_t)a.ttl * 1000;
			if (strcmp(a.records, LOS_ANGELES) != 0)
				continue;
			c->holds++;
			if (until_ms > c->let_go_ms)
				c->let_go_ms = until_ms;
			if (a.ttl > LOWERED_S && until_ms > c->old_let_go_ms)
				c->old_let_go_ms = until_ms;
		}
}

static void watch_drain(struct scene *s, const char *plan)
{
	int64_t leaves_ms = time_before(plan, "its share leaves 100%");
	int64_t told_ms = time_at(strstr(plan, "has let go by ") + strlen("has let go by "));
	struct deadline d = inside_deadline(END_MS);
	struct caches c = {.holds = 1};

	while (c.holds > 0) {
		if (!inside_has_time(d))
			world_fail(s->replica[0], "it is never drained");
		ask_for_caches(s, &c);
		inside_rest();
	}
	printf("  the last cache lets go %lld ms before it is told, of an old TTL %lld ms before "
	       "the move\n",
	       (long long)(told_ms - c.let_go_ms), (long long)(leaves_ms - c.old_let_go_ms));
	/* Who had an answer of before has let go when the first client leaves, as exactly as seconds are looked at. */
	assert_true(c.old_let_go_ms > 0 && c.old_let_go_ms <= leaves_ms + SECOND_MS);
	assert_true(c.let_go_ms <= told_ms);
	assert_true(told_ms - c.let_go_ms < 5000);
}

static void test_a_drain_tells_when_the_last_cache_has_let_go_and_undrain_takes_them_back(
	void **state)
{
	static const char *const drain[] = {"drain", "losangeles", "--over", "2s", NULL};
	static const char *const undrain[] = {"undrain", "losangeles", "--over", "2s", NULL};
	static bool there[CLIENTS];
	struct scene *s = *state;
	const char *plan;
	char *kept;

	plan = nighctl(s, drain, "losangeles is drained by a plan\n");
	kept = xstrdup(plan);
	cluster_expect(s->host, OBJECT, " over=2s ttl=5 wait=6s\"", 0);
	watch_drain(s, kept);
	free(kept);
	for (int r = 0; r < REPLICAS; r++)
		world_expect_http(s->replica[r], "/status", "\"drained\":true", SOON_MS);
	nighctl(s, drain, "losangeles was drained already\n");
	plan = nighctl(s, undrain, "losangeles gets its clients back\n");
	memset(there, false, sizeof there);
	watch_move(s, time_before(plan, "its share leaves 0%"),
	           time_before(plan, "its share is 100%"), there, CLIENTS, CLIENTS);
	nighctl(s, undrain, "losangeles was not drained\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_shift_moves_the_same_clients_at_both_replicas_and_undo_takes_them_back),
		cmocka_unit_test(
			test_a_drain_tells_when_the_last_cache_has_let_go_and_undrain_takes_them_back),
	};

	return cmocka_run_group_tests_name("e2e/moving", tests, setup, teardown);
}
