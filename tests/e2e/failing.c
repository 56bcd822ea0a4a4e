/* failing.c -- members, host and etcd are killed, stalled, restarted; what clients are told stays right. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/e2e/support/story.h"

#define HOST            "\"host\":{\"source\":\"kubernetes\",\"knowledge\":\""
#define MULTICLUSTERDNS "multiclusterdns.kubefed.io/v1alpha1"

/* Ten minutes of a clock on which silence is noticed after 90 s; nighd's here is after 4. */
enum { TEN_MINUTES_MS = 27000 };
enum { LONG_MS = 8000, CONTROLLERS_MS = 20000, SAVED_MS = 2500 };

/* Changes still come from there: its pods are not ready, and then they are. */
static void expect_is_seen(struct story *s, enum site site, const char *client, enum site next)
{
	struct cluster *c = s->site[site].cluster;

	objects_pods(c, "shop", "web", 2, false);
	objects_expect_endpoints(c, "shop", "web", 0, CONTROLLERS_MS);
	story_expect(s, client, next, CHANGED_MS);
	objects_pods(c, "shop", "web", 2, true);
	objects_expect_endpoints(c, "shop", "web", 2, CONTROLLERS_MS);
	story_expect(s, client, site, CHANGED_MS);
}

static void expect_host_is_seen(struct story *s)
{
	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "shop", "web");
	world_expect(s->nighd, WEB, "A", BOSTON, "NXDOMAIN", CHANGED_MS);
	objects_service_record(s->host, "shop", "web", "fed");
	story_expect(s, BOSTON, NEW_YORK, CHANGED_MS);
}

static void start(struct cluster *c)
{
	cluster_start(c);
	cluster_await(c);
}

static void test_a_killed_api_server_changes_nothing_and_is_seen_again(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;

	cluster_kill(c);
	story_expect_knowledge(s, LOS_ANGELES, "unseen", CHANGED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	assert_int_equal(world_query(s->nighd, WEB, "A", SAN_FRANCISCO).ttl, 180);
	start(c);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	expect_is_seen(s, LOS_ANGELES, SAN_FRANCISCO, HOUSTON);
}

/* What happened while it could not be seen has happened. */
static void test_what_a_restarted_member_has_lost_is_gone(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[NEW_YORK].cluster;

	world_signal(s->nighd, SIGSTOP);
	cluster_delete(c, "v1", "Service", "shop", "web");
	cluster_restart(c);
	world_signal(s->nighd, SIGCONT);
	story_expect(s, BOSTON, HOUSTON, BACK_MS);
	story_expect_knowledge(s, NEW_YORK, "synced", BACK_MS);
	story_furnish(s, NEW_YORK);
	story_expect(s, BOSTON, NEW_YORK, CHANGED_MS);
}

static void test_a_stopped_member_is_noticed_and_delays_nobody(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;

	cluster_pause(c);
	expect_is_seen(s, HOUSTON, AUSTIN, LOS_ANGELES);
	story_expect_knowledge(s, LOS_ANGELES, "unseen", NOTICED_MS);
	story_expect_nothing_changes(s, TEN_MINUTES_MS);
	expect_is_seen(s, NEW_YORK, BOSTON, HOUSTON);
	cluster_resume(c);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	expect_is_seen(s, LOS_ANGELES, SAN_FRANCISCO, HOUSTON);
}

static void test_a_member_that_dies_whole_is_avoided_within_4_seconds(void **state)
{
	struct story *s = *state;

	cluster_kill(s->site[LOS_ANGELES].cluster);
	story_refuse(s, LOS_ANGELES);
	world_expect(s->nighd, WEB, "A", SAN_FRANCISCO, s->site[HOUSTON].web, AVOIDED_MS);
	story_expect(s, SAN_FRANCISCO, HOUSTON, 0);
	story_expect(s, BOSTON, NEW_YORK, 0);
	story_expect_status(s, LOS_ANGELES, "\"up\":false", CHANGED_MS);
	assert_in_range(world_query(s->nighd, WEB, "A", SAN_FRANCISCO).ttl, 0, 5);
	/* Its addresses first, then what can be asked about them. */
	story_open(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, BACK_MS);
	start(s->site[LOS_ANGELES].cluster);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	story_expect_nothing_changes(s, 1000);
}

static void test_a_stopped_member_whose_addresses_refuse_is_avoided(void **state)
{
	struct story *s = *state;

	cluster_pause(s->site[HOUSTON].cluster);
	story_refuse(s, HOUSTON);
	story_expect(s, AUSTIN, LOS_ANGELES, NOTICED_MS + AVOIDED_MS);
	story_open(s, HOUSTON);
	cluster_resume(s->site[HOUSTON].cluster);
	story_expect(s, AUSTIN, HOUSTON, BACK_MS);
}

static void test_two_of_three_api_servers_are_killed_and_nothing_changes(void **state)
{
	struct story *s = *state;

	cluster_kill(s->site[HOUSTON].cluster);
	cluster_kill(s->site[LOS_ANGELES].cluster);
	story_expect_knowledge(s, HOUSTON, "unseen", CHANGED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	expect_is_seen(s, NEW_YORK, BOSTON, HOUSTON);
}

static void test_the_host_is_killed_and_the_members_go_on(void **state)
{
	struct story *s = *state;

	cluster_kill(s->host);
	world_expect_http(s->nighd, "/status", HOST "unseen", CHANGED_MS);
	story_expect_nothing_changes(s, LONG_MS);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "synced", 0);
	expect_is_seen(s, LOS_ANGELES, SAN_FRANCISCO, HOUSTON);
	start(s->host);
	world_expect_http(s->nighd, "/status", HOST "synced", BACK_MS);
	expect_host_is_seen(s);
}

static void kill_all(struct story *s)
{
	cluster_kill(s->host);
	for (enum site i = 0; i < SITES; i++)
		cluster_kill(s->site[i].cluster);
}

static void test_all_are_killed_and_nighd_restarts_in_the_dark(void **state)
{
	struct story *s = *state;

	/* The journal is written at most once a second. */
	story_expect_nothing_changes(s, SAVED_MS);
	kill_all(s);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "unseen", CHANGED_MS);
	story_kill_nighd(s);
	story_expect_nothing_changes(s, LONG_MS);
	story_restart_replica(s);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "unseen", 0);
	/* Two others answer their probes: it is not our own network. */
	story_refuse(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, HOUSTON, AVOIDED_MS);
	story_open(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, BACK_MS);
	start(s->host);
	for (enum site i = 0; i < SITES; i++)
		start(s->site[i].cluster);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "synced", BACK_MS);
	world_expect_http(s->nighd, "/status", HOST "synced", BACK_MS);
	expect_host_is_seen(s);
	expect_is_seen(s, LOS_ANGELES, SAN_FRANCISCO, HOUSTON);
}

static void test_nothing_at_all_is_there_and_all_stays_as_it_was(void **state)
{
	struct story *s = *state;

	story_expect_nothing_changes(s, SAVED_MS);
	kill_all(s);
	for (enum site i = 0; i < SITES; i++)
		story_refuse(s, i);
	story_kill_nighd(s);
	story_expect_nothing_changes(s, LONG_MS);
	assert_int_equal(world_query(s->nighd, WEB, "A", SAN_FRANCISCO).ttl, 180);
}

/* Neither etcd nor the restarted servers know what was when it fell asleep. */
static void test_etcd_is_compacted_while_nighd_sleeps(void **state)
{
	struct story *s = *state;
	struct cluster *c = s->site[LOS_ANGELES].cluster;

	world_signal(s->nighd, SIGSTOP);
	cluster_delete(c, "v1", "Service", "shop", "web");
	objects_service(c, "shop", "late", "127.10.3.12", s->port);
	objects_pods(c, "shop", "late", 1, true);
	objects_service_record(s->host, "shop", "late", "fed");
	cloud_compact(s->cloud);
	cluster_restart(c);
	cluster_restart(s->host);
	world_signal(s->nighd, SIGCONT);
	world_expect(s->nighd, "late.shop.fed.svc.example.com", "A", BOSTON, "127.10.3.12",
	             BACK_MS);
	story_expect(s, SAN_FRANCISCO, HOUSTON, CHANGED_MS);
	story_expect(s, BOSTON, NEW_YORK, 0);
	story_expect_knowledge(s, LOS_ANGELES, "synced", BACK_MS);
	cluster_delete(s->host, MULTICLUSTERDNS, "ServiceDNSRecord", "shop", "late");
	cluster_delete(c, "v1", "Service", "shop", "late");
	objects_pods(c, "shop", "late", 0, true);
	story_furnish(s, LOS_ANGELES);
	story_expect(s, SAN_FRANCISCO, LOS_ANGELES, CHANGED_MS);
}

static void test_a_rolling_restart_of_everything(void **state)
{
	struct story *s = *state;

	cloud_restart_etcd(s->cloud);
	story_expect_nothing_changes(s, 1000);
	cluster_restart(s->host);
	for (enum site i = 0; i < SITES; i++) {
		cluster_restart(s->site[i].cluster);
		story_expect_nothing_changes(s, 1000);
	}
	story_restart_replica(s);
	story_restart_nighd(s);
	story_expect_nothing_changes(s, 1000);
	for (enum site i = 0; i < SITES; i++)
		story_expect_knowledge(s, i, "synced", BACK_MS);
	world_expect_http(s->nighd, "/status", HOST "synced", BACK_MS);
	expect_host_is_seen(s);
	expect_is_seen(s, NEW_YORK, BOSTON, HOUSTON);
	expect_is_seen(s, HOUSTON, AUSTIN, LOS_ANGELES);
	expect_is_seen(s, LOS_ANGELES, SAN_FRANCISCO, HOUSTON);
}

static void test_no_question_was_lost(void **state) { story_expect_no_loss(*state); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		story_test(test_a_killed_api_server_changes_nothing_and_is_seen_again),
		story_test(test_what_a_restarted_member_has_lost_is_gone),
		story_test(test_a_stopped_member_is_noticed_and_delays_nobody),
		story_test(test_a_member_that_dies_whole_is_avoided_within_4_seconds),
		story_test(test_a_stopped_member_whose_addresses_refuse_is_avoided),
		story_test(test_two_of_three_api_servers_are_killed_and_nothing_changes),
		story_test(test_the_host_is_killed_and_the_members_go_on),
		story_test(test_all_are_killed_and_nighd_restarts_in_the_dark),
		story_test(test_nothing_at_all_is_there_and_all_stays_as_it_was),
		story_test(test_etcd_is_compacted_while_nighd_sleeps),
		story_test(test_a_rolling_restart_of_everything),
		cmocka_unit_test(test_no_question_was_lost),
	};

	return cmocka_run_group_tests_name("e2e/failing", tests, story_setup, story_teardown);
}
