/* moving.c -- moving clients on purpose: shifts and drains by a plan, written into a cluster's object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/world.h"

#define WEB         "web.shop.fed.svc.example.com"
#define LOS_ANGELES "198.18.3.10"
#define HOUSTON     "198.18.2.10"

enum { CLIENTS = 2000, PERCENT = CLIENTS / 100 };

/* All clients of 10.0.0.0/8 are nearest to Los Angeles, then to Houston. */
static void start(struct world *w)
{
	world_three_cities(w);
	world_write(w, "networks.csv", "10.0.0.0/8,37.77,-122.42,San Francisco\n");
	world_start(w);
}

/* Los Angeles with that annotation; in it, each @ and the seconds behind it are that many seconds from now. */
static void annotate(struct world *w, const char *shift)
{
	char out[256], at_text[CLOCK_TEXT_SIZE], *at = out;
	int64_t now = clock_unix_s();

	while (*shift) {
		if (*shift == '@') {
			char *end;
			long seconds = strtol(shift + 1, &end, 10);

			at += sprintf(at, "%s", clock_print(now + seconds, at_text));
			shift = end;
		} else {
			*at++ = *shift++;
		}
	}
	*at = '\0';
	world_write(w, "manifests/host/cluster-losangeles.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	            "metadata: {name: losangeles, namespace: kube-federation-system, annotations: "
	            "{nigh.dev/location: \"34.05,-118.24\", nigh.dev/shift: \"%s\"}}\n"
	            "status: {region: us-west, zones: [us-west-a]}\n",
	            out);
}

/* How many of the first `clients` networks get Los Angeles, and which; all others must get Houston. */
static int count(struct world *w, int clients, bool gets[CLIENTS])
{
	int sum = 0;

	for (int i = 0; i < clients; i++) {
		char client[32];
		const char *answer;

		snprintf(client, sizeof(client), "10.%d.%d.0/24", i / 200, i % 200);
		answer = world_ask(w, WEB, "A", client);
		gets[i] = strcmp(answer, LOS_ANGELES) == 0;
		if (!gets[i] && strcmp(answer, HOUSTON) != 0)
			world_fail(w, "%s gets %s", client, answer);
		sum += gets[i];
	}
	return sum;
}

static double share_in_status(struct world *w)
{
	const char *body = world_get(w, "/status", NULL);
	const char *cluster = strstr(body, "\"name\":\"losangeles\"");
	const char *share = cluster ? strstr(cluster, "\"share\":") : NULL;

	return share ? atof(share + strlen("\"share\":")) : -1;
}

static void await_share(struct world *w, double from, double to)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t until_ms = clock_unix_ms() + 5000;
	double share;

	while ((share = share_in_status(w)) < from || share > to) {
		if (clock_unix_ms() > until_ms)
			world_fail(w, "the share is %g, not %g to %g", share, from, to);
		nanosleep(&pause, NULL);
	}
}

/* Of a client that has left, and of one that stays. */
static void expect_explained(struct world *w, const bool gets[CLIENTS])
{
	for (int i = 0; i < 100; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/explain?name=" WEB "&client=10.%d.%d.0/24", i / 200,
		         i % 200);
		world_expect_http(
			w, path, gets[i] ? "!\"stage\":\"withheld\"" : "\"stage\":\"withheld\"", 0);
	}
}

/* --- shifts --- */

/* The curve is so long that nothing moves while 2000 clients ask. */
static void test_shares_are_as_the_curve_says_and_who_left_stays_away(void **state)
{
	struct world *w = *state;
	static bool first[CLIENTS], second[CLIENTS];

	start(w);
	annotate(w, "to=20% start=@-10000 over=40000s");
	await_share(w, 79, 80.5);
	assert_in_range(count(w, CLIENTS, first), 76 * PERCENT, 84 * PERCENT);
	annotate(w, "to=20% start=@-30000 over=40000s");
	await_share(w, 39, 40.5);
	assert_in_range(count(w, CLIENTS, second), 36 * PERCENT, 44 * PERCENT);
	for (int i = 0; i < CLIENTS; i++)
		assert_false(second[i] && !first[i]);
	world_expect_http(w, "/status", "\"shift\":{\"state\":\"moving\",\"from\":100,\"to\":20,",
	                  0);
}

static void test_a_ramp_from_0_to_20_percent_moves_only_those(void **state)
{
	struct world *w = *state;
	static bool before[CLIENTS], after[CLIENTS];

	start(w);
	annotate(w, "from=0% to=20% start=@3600 over=30m");
	await_share(w, 0, 0);
	assert_int_equal(count(w, CLIENTS, before), 0);
	/* It is over: whoever is not among the 20 % has noticed nothing, count() says. */
	annotate(w, "from=0% to=20% start=@-3600 over=30m");
	await_share(w, 19.9, 20.1);
	assert_in_range(count(w, CLIENTS, after), 17 * PERCENT, 23 * PERCENT);
	world_expect_http(w, "/status", "\"state\":\"over\"", 0);
}

static void test_every_replica_withholds_the_same_clients(void **state)
{
	struct world *w = *state;
	static bool one[CLIENTS], other[CLIENTS];

	start(w);
	annotate(w, "to=0% start=@-10000 over=20000s");
	await_share(w, 49, 51);
	(void)count(w, CLIENTS / 4, one);
	world_stop(w);
	world_start(w);
	await_share(w, 49, 51);
	(void)count(w, CLIENTS / 4, other);
	/* It has gone on by seconds of 20000. */
	for (int i = 0, different = 0; i < CLIENTS / 4; i++) {
		different += one[i] != other[i];
		assert_true(different <= CLIENTS / 100);
	}
}

static void test_a_shift_that_cannot_be_read_changes_nothing_and_is_told(void **state)
{
	struct world *w = *state;
	static bool gets[CLIENTS];

	start(w);
	annotate(w, "to=20% start=@-100");
	await_share(w, 20, 20.1);
	(void)count(w, CLIENTS / 4, gets);
	expect_explained(w, gets);
	annotate(w, "to=80 start=@-100");
	world_expect_http(w, "/status",
	                  "\"where\":\"cluster losangeles\",\"message\":\"annotation "
	                  "nigh.dev/shift: '80' is no share",
	                  2000);
	await_share(w, 20, 20.1);
	assert_in_range(count(w, CLIENTS / 4, gets), CLIENTS / 4 * 12 / 100,
	                CLIENTS / 4 * 28 / 100);
	annotate(w, "to=80% start=@-100");
	await_share(w, 79.9, 80.1);
	world_expect_http(w, "/status", "!nigh.dev/shift", 2000);
}

static void test_the_last_good_shift_is_in_force_after_a_restart_too(void **state)
{
	struct world *w = *state;

	world_config(w, "state: state\n");
	start(w);
	annotate(w, "to=20% start=@-100");
	await_share(w, 20, 20);
	annotate(w, "to=80 start=@-100");
	world_expect_http(w, "/status", "nigh.dev/shift: '80' is no share", 2000);
	world_stop(w);
	world_start(w);
	world_expect_http(w, "/status", "the one before stays in force", 2000);
	await_share(w, 20, 20);
}

/* --- drains by a plan --- */

static void test_a_drain_by_a_plan_lowers_the_ttl_then_the_share_then_is_drained(void **state)
{
	enum { FEW = 200 };
	struct world *w = *state;
	static bool gets[CLIENTS];
	int last = FEW, between = 0;
	int64_t until_ms = clock_unix_ms() + 60000;

	start(w);
	assert_int_equal(world_query(w, WEB, "A", "10.0.0.0/24").ttl, 180);
	world_expect_http(w, "/status", "\"largestTTL\":180", 0);
	annotate(w, "to=0% start=@5 over=8s ttl=4 wait=5s");
	world_expect_http(w, "/status", "\"state\":\"ttlLowered\"", 3000);
	while (world_query(w, WEB, "A", "10.0.0.0/24").ttl != 4)
		if (clock_unix_ms() > until_ms)
			world_fail(w, "the TTL is not lowered");
	/* Nobody has gone before. */
	if (share_in_status(w) == 100)
		assert_string_equal(world_ask(w, WEB, "A", "10.0.0.0/24"), LOS_ANGELES);
	while (last > 0) {
		int now = count(w, FEW, gets);

		assert_true(now <= last);
		between += now > 0 && now < FEW;
		last = now;
		if (clock_unix_ms() > until_ms)
			world_fail(w, "%d clients are still there", now);
	}
	assert_true(between > 0);
	world_expect_http(w, "/status", "\"drained\":true,\"up\":true,\"share\":0,", 3000);
	annotate(w, "from=0% to=100% start=@-1");
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 2000);
	assert_int_equal(world_query(w, WEB, "A", "10.0.0.0/24").ttl, 180);
}

/* --- nighctl, where files are all that there is --- */

static void test_nighctl_makes_lines_from_what_nighd_has_in_force(void **state)
{
	struct world *w = *state;
	const char *const undo[] = {"$NIGHCTL", "shift", "--cluster", "losangeles", "--undo", NULL};
	const char *const drain[] = {"$NIGHCTL", "drain", "losangeles", "--over", "10m", NULL};
	const char *const undrain[] = {"$NIGHCTL", "undrain", "losangeles", "--over", "10m", NULL};
	const char *out;

	setenv("KUBECONFIG", "/nowhere", 1);
	start(w);
	world_expect_run(w, undo, 1, "losangeles is not shifted\n");
	annotate(w, "to=25% start=@-100 over=20s curve=smooth");
	await_share(w, 25, 25);
	out = world_expect_run(w, undo, 1, "nigh.dev/shift: \"from=25% to=100% start=2");
	assert_non_null(strstr(out, "Z over=20s curve=smooth\"\n"));
	out = world_expect_run(w, drain, 1, "nigh.dev/shift: \"from=25% to=0% start=2");
	assert_non_null(strstr(out, "Z over=10m ttl=5 wait=3m\"\n"));
	world_expect_run(w, undrain, 0, "losangeles was not drained");
	annotate(w, "to=0% start=@-100 over=20s");
	await_share(w, 0, 0);
	world_expect_run(w, undrain, 1, "nigh.dev/shift: \"from=0% to=100% start=2");
}

/* A file is committed, reviewed and fetched before it is read. */
static void test_nighctl_makes_lines_that_begin_when_they_are_told_to(void **state)
{
	struct world *w = *state;
	const char *const drain[] = {"$NIGHCTL",
	                             "drain",
	                             "losangeles",
	                             "--over",
	                             "10m",
	                             "--start",
	                             "2099-06-01T12:00:00+02:00",
	                             NULL};
	const char *const undrain[] = {
		"$NIGHCTL", "undrain", "losangeles", "--start", "2099-06-01T12:00:00Z", NULL};
	const char *const shift[] = {"$NIGHCTL", "shift",   "--cluster", "losangeles", "--to",
	                             "1%",       "--start", "+2h",       NULL};
	const char *const now[] = {"$NIGHCTL", "drain", "losangeles", "--over", "10m", NULL};
	const char *const past[] = {
		"$NIGHCTL", "drain", "losangeles", "--start", "2020-06-01T12:00:00Z", NULL};
	const char *const soon[] = {"$NIGHCTL", "drain", "losangeles", "--start", "soon", NULL};
	const char *const status[] = {"$NIGHCTL", "status", "--start", "+1m", NULL};
	const char *out;

	setenv("KUBECONFIG", "/nowhere", 1);
	start(w);
	out = world_expect_run(w, drain, 1,
	                       "nigh.dev/shift: \"from=100% to=0% start=2099-06-01T10:03:00Z "
	                       "over=10m ttl=5 wait=3m\"");
	assert_non_null(strstr(out, "has it before 2099-06-01T10:00:00Z, when it begins"));
	assert_non_null(strstr(out, "  2099-06-01T10:00:00Z  answers with it say a TTL"));
	out = world_expect_run(w, shift, 1, "nigh.dev/shift: \"from=100% to=1% start=2");
	assert_non_null(strstr(out, "its share is 1%\n"));
	world_expect_run(w, now, 1, "whenever it is read (--start says when else)");
	world_expect_run(w, past, 2, "--start 2020-06-01T12:00:00Z is over");
	world_expect_run(w, soon, 2, "--start is a time such as 2026-11-28T10:00:00Z, or +30m");
	world_expect_run(w, status, 2, "belong to shift, drain and undrain");
	annotate(w, "to=0% start=@-100 over=20s");
	await_share(w, 0, 0);
	world_expect_run(w, undrain, 1,
	                 "nigh.dev/shift: \"from=0% to=100% start=2099-06-01T12:00:00Z over=0s\"");
}

/* --- sites that come back --- */

static void annotate_policy(struct world *w, const char *failback, const char *annotation)
{
	world_write(
		w, "manifests/host/policy.yaml",
		"apiVersion: nigh.dev/v1alpha1\nkind: TrafficPolicy\n"
		"metadata: {name: web, namespace: shop, annotations: {nigh.dev/failback: \"%s\"}}\n"
		"spec:\n"
		"  targetRefs: [{group: multiclusterdns.kubefed.io, kind: ServiceDNSRecord, "
		"name: web}]\n"
		"  stages: [{nearest: {}}]\n"
		"  failback: %s\n",
		annotation, failback);
}

static void start_with_failback(struct world *w, const char *failback)
{
	world_config(w, "state: state\n");
	world_three_cities(w);
	world_write(w, "networks.csv", "10.0.0.0/8,37.77,-122.42,San Francisco\n");
	annotate_policy(w, failback, "");
	world_start(w);
}

/* Los Angeles has no ready endpoint, and has one again. */
static void break_off(struct world *w)
{
	world_service(w, "losangeles", "web", LOS_ANGELES, false, "");
	world_expect(w, WEB, "A", "10.0.0.0/24", HOUSTON, 2000);
	world_service(w, "losangeles", "web", LOS_ANGELES, true, "");
	world_expect_http(w, "/status", "{\"name\":\"" WEB "\",\"cluster\":\"losangeles\",", 2000);
}

static void test_a_site_that_comes_back_waits_until_somebody_lets_it_back(void **state)
{
	struct world *w = *state;
	const char *const failback[] = {"$NIGHCTL",  "failback",   WEB,
	                                "--cluster", "losangeles", NULL};

	start_with_failback(w, "{mode: Manual}");
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 0);
	world_expect_run(w, failback, 1, "no site of " WEB " at losangeles waits to come back");
	break_off(w);
	world_expect_stays(w, WEB, "A", "10.0.0.0/24", HOUSTON, 600);
	world_stop(w);
	world_start(w);
	world_expect_http(w, "/status", "\"mode\":\"Manual\",\"usableForSeconds\":0,", 2000);
	world_expect_stays(w, WEB, "A", "10.0.0.0/24", HOUSTON, 600);
	world_expect_run(w, failback, 0, WEB " has its clients back at 1 cluster\n");
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 1000);
	/* Its names of region and zone have nowhere else to go, and still wait. */
	world_expect_http(w, "/status", "!{\"name\":\"" WEB "\",\"cluster\"", 1000);
}

static void test_a_site_that_comes_back_waits_until_it_has_been_stable(void **state)
{
	struct world *w = *state;

	start_with_failback(w, "{mode: After, stableFor: 2s}");
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 0);
	break_off(w);
	world_expect_http(w, "/status", "\"needsSeconds\":2}", 0);
	world_expect_stays(w, WEB, "A", "10.0.0.0/24", HOUSTON, 500);
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 5000);
	world_expect_http(w, "/status", "\"pending\":[]", 1000);
}

static void test_a_cluster_and_a_policy_are_let_back_as_a_whole(void **state)
{
	static const char *const words[][3] = {{"--cluster", "losangeles", "cluster losangeles"},
	                                       {"--policy", "shop/web", "policy shop/web"}};
	struct world *w = *state;

	start_with_failback(w, "{mode: Manual}");
	for (size_t i = 0; i < 2; i++) {
		const char *const failback[] = {"$NIGHCTL", "failback", words[i][0], words[i][1],
		                                NULL};
		char says[64];

		snprintf(says, sizeof(says), "%s has its clients back: 3 sites\n", words[i][2]);
		break_off(w);
		world_expect_run(w, failback, 0, says);
		world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 1000);
		world_expect_http(w, "/status", "\"pending\":[]", 1000);
	}
}

/* The way of GitOps, and of what was not there when it was said. */
static void test_an_annotation_lets_back_who_went_down_by_then_after_a_restart_too(void **state)
{
	struct world *w = *state;
	char now[CLOCK_TEXT_SIZE], other[96];

	start_with_failback(w, "{mode: Manual}");
	break_off(w);
	world_stop(w);
	snprintf(other, sizeof(other), "%s name=www.example.org", clock_print(clock_unix_s(), now));
	annotate_policy(w, "{mode: Manual}", other);
	world_start(w);
	world_expect_stays(w, WEB, "A", "10.0.0.0/24", HOUSTON, 600);
	annotate_policy(w, "{mode: Manual}", "2020-01-01T00:00:00Z");
	world_expect_stays(w, WEB, "A", "10.0.0.0/24", HOUSTON, 1500);
	annotate_policy(w, "{mode: Manual}", now);
	world_expect(w, WEB, "A", "10.0.0.0/24", LOS_ANGELES, 3000);
	annotate_policy(w, "{mode: Manual}", "soon");
	world_expect_http(w, "/status", "metadata.annotations[nigh.dev/failback]: is not a time",
	                  3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_shares_are_as_the_curve_says_and_who_left_stays_away),
		world_test(test_a_ramp_from_0_to_20_percent_moves_only_those),
		world_test(test_every_replica_withholds_the_same_clients),
		world_test(test_a_shift_that_cannot_be_read_changes_nothing_and_is_told),
		world_test(test_a_drain_by_a_plan_lowers_the_ttl_then_the_share_then_is_drained),
		world_test(test_the_last_good_shift_is_in_force_after_a_restart_too),
		world_test(test_nighctl_makes_lines_from_what_nighd_has_in_force),
		world_test(test_nighctl_makes_lines_that_begin_when_they_are_told_to),
		world_test(test_a_site_that_comes_back_waits_until_somebody_lets_it_back),
		world_test(test_a_site_that_comes_back_waits_until_it_has_been_stable),
		world_test(test_a_cluster_and_a_policy_are_let_back_as_a_whole),
		world_test(test_an_annotation_lets_back_who_went_down_by_then_after_a_restart_too),
	};

	return cmocka_run_group_tests_name("scenario/moving", tests, NULL, NULL);
}
