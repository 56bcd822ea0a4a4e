/* reload.c -- SIGHUP takes a new config whole or not at all; geography is read again when its files change. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define BOSTON        "192.0.2.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define ZONE(name, record)                                                                         \
	"zones: [{name: " name ", nameservers: [{name: ns." name                                   \
	", addresses: [192.0.2.53]}], records: [" record "]}]\n"

static void test_a_new_config_is_taken_up(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_start(w);
	world_expect(w, "www.a.test", "A", NULL, "192.0.2.1", 0);
	world_expect(w, "www.b.test", "A", NULL, "REFUSED", 0);
	world_config(w, "defaults: {policy: all}\n" ZONE("b.test", "\"www A 192.0.2.2\""));
	world_signal(w, SIGHUP);
	world_expect(w, "www.b.test", "A", NULL, "192.0.2.2", 2000);
	world_expect(w, "www.a.test", "A", NULL, "REFUSED", 1000);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10 198.18.2.10 198.18.3.10", 1000);
	world_expect_log(w, "config taken up", 1000);
}

static void test_a_broken_config_is_refused_whole_and_the_old_one_stays(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_start(w);
	world_config(w, "defaults: {policy: all}\nprobe: {interval: never}\n" ZONE(
				"b.test", "\"www A 192.0.2.2\""));
	world_signal(w, SIGHUP);
	world_expect_log(
		w, "nighd.yaml:5: probe.interval must be a duration like 500ms, 10s, 5m, 2h or 0",
		2000);
	world_expect_stays(w, WEB, "A", BOSTON, "198.18.1.10", 500);
	world_expect(w, "www.a.test", "A", NULL, "192.0.2.1", 0);
	world_expect(w, "www.b.test", "A", NULL, "REFUSED", 0);
}

static void assert_refused_for_its_geography(struct world *w, const char *geo, const char *reason)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "%s\ndefaults: {policy: all}\n%s", geo,
	         ZONE("b.test", "\"www A 192.0.2.2\""));
	world_config(w, yaml);
	world_signal(w, SIGHUP);
	world_expect_log(w, reason, 2000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 500);
	world_expect(w, "www.a.test", "A", NULL, "192.0.2.1", 0);
	world_expect(w, "www.b.test", "A", NULL, "REFUSED", 0);
	if (strstr(world_log(w), "config taken up") != NULL)
		world_fail(w, "a config is said to be taken up");
	world_expect_http(w, "/status", "\"errors\":[{\"where\":\"config\"", 1000);
	world_expect_http(w, "/status", reason, 0);
}

static void test_a_config_with_a_broken_geographic_file_is_refused_whole(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_start(w);
	world_write(w, "bad.csv", "203.0.113.0/24,42.36,-71.06\n192.0.2.0/24,north,-71.06\n");
	assert_refused_for_its_geography(w, "geo: {networks: bad.csv}",
	                                 "bad.csv:2: 'north' is not a latitude");
	assert_refused_for_its_geography(w, "geo: {networks: networks.csv, databases: [gone.mmdb]}",
	                                 "gone.mmdb: cannot be read: No such file or directory");
	world_expect_log(w, "error dnsd: config not taken up, the old one stays: ", 0);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_signal(w, SIGHUP);
	world_expect_http(w, "/status", "\"errors\":[]", 2000);
}

static void test_new_geographic_files_are_taken_up_with_the_rest(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_start(w);
	world_write(w, "other.csv", "203.0.113.0/24,42.36,-71.06,Boston\n");
	world_config(w, "geo: {networks: other.csv, unknownOrder: [losangeles]}\n" ZONE(
				"b.test", "\"www A 192.0.2.2\""));
	world_signal(w, SIGHUP);
	world_expect(w, "www.b.test", "A", NULL, "192.0.2.2", 2000);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.1.10", 0);
	world_expect(w, WEB, "A", BOSTON, "198.18.3.10", 0);
}

static void test_of_many_reloads_the_last_one_counts(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_write(w, "other.csv", "203.0.113.0/24,42.36,-71.06,Boston\n");
	for (unsigned i = 0; i < 20; i++) {
		world_config(w, i % 2 == 0 ? "geo: {networks: other.csv}\n" ZONE(
						     "a.test", "\"www A 192.0.2.1\"")
		                           : "geo: {networks: gone.csv}\n");
		world_signal(w, SIGHUP);
	}
	world_config(w, ZONE("b.test", "\"www A 192.0.2.2\""));
	world_signal(w, SIGHUP);
	world_expect(w, "www.b.test", "A", NULL, "192.0.2.2", 3000);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_expect_stays(w, "www.a.test", "A", NULL, "REFUSED", 500);
}

static void test_a_record_that_a_zone_cannot_hold_refuses_the_config(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_start(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.2\", \"www CNAME x\""));
	world_signal(w, SIGHUP);
	world_expect_log(w, "record 'www CNAME x': beside a CNAME there can be nothing else", 2000);
	world_expect_stays(w, "www.a.test", "A", NULL, "192.0.2.1", 300);
}

static void test_a_record_that_is_taken_out_of_the_config_is_gone(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\", \"old A 192.0.2.2\""));
	world_start(w);
	world_expect(w, "old.a.test", "A", NULL, "192.0.2.2", 0);
	world_config(w, ZONE("a.test", "\"www A 192.0.2.1\""));
	world_signal(w, SIGHUP);
	world_expect(w, "old.a.test", "A", NULL, "NXDOMAIN", 2000);
	world_expect(w, "www.a.test", "A", NULL, "192.0.2.1", 0);
}

static void test_reloads_and_the_end_may_overtake_each_other(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_folder(w, "other/clusters/paris");
	world_start(w);
	for (unsigned i = 0; i < 20; i++) {
		world_config(w, i % 2 == 0 ? "sources: {manifests: [other]}\n" : "");
		world_signal(w, SIGHUP);
	}
	world_stop(w);
}

static void test_what_needs_a_restart_is_said(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_config(w, "listen: {dns: [\"127.0.0.1:0\", \"127.0.0.2:0\"], http: "
	                "\"127.0.0.1:0\"}\nworkers: 1\n"
	                "defaults: {policy: all}");
	world_signal(w, SIGHUP);
	world_expect_log(w, "needs a restart keys=\"listen.dns, workers\"", 2000);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10 198.18.2.10 198.18.3.10", 1000);
}

static void test_another_directory_is_read_and_the_old_ones_clusters_go(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_write(w, "second/host/x.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: Domain\n"
	            "metadata: {name: other, namespace: kube-federation-system}\n"
	            "domain: other.test\n");
	world_folder(w, "second/clusters/paris");
	world_config(w, "sources: {manifests: [second]}");
	world_signal(w, SIGHUP);
	world_expect(w, "other.test", "NS", NULL, "ns.other.test.", 3000);
	world_expect(w, WEB, "A", BOSTON, "REFUSED", 3000);
	world_expect_http(w, "/status", "!losangeles", 2000);
	world_expect_http(w, "/status", "\"name\":\"paris\"", 0);
}

static void test_a_directory_that_comes_and_is_missing_denies_nothing(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "NXDOMAIN", 0);
	world_config(w, "sources: {manifests: [manifests, second]}");
	world_signal(w, SIGHUP);
	world_expect(w, "a.example.com", "A", NULL, "SERVFAIL", 3000);
	world_expect(w, WEB, "A", BOSTON, "198.18.1.10", 0);
	world_expect_http(w, "/readyz", "ok", 0);
	world_expect_http(w, "/status", "!\"unseen\"", 1000);
	world_folder(w, "second/host");
	world_expect(w, "a.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void test_changed_networks_show_without_a_signal(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	world_write(w, "networks.csv", "203.0.113.0/24,42.36,-71.06,moved to Boston\n");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.1.10", 5000);
}

static void test_broken_networks_keep_the_last_good_ones_and_name_the_line(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_write(w, "networks.csv",
	            "# comment\n203.0.113.0/24,42.36,-71.06\n192.0.2.0/24,north,-71.06\n");
	world_expect_http(w, "/status", "networks.csv:3: ", 5000);
	world_expect_log(w, "networks.csv:3: ", 1000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 500);
	world_networks(w);
	world_expect_http(w, "/status", "!networks.csv", 5000);
}

static void test_a_moved_cluster_gets_other_clients(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_cluster(w, "newyork", "37.78,-122.41", "us-east", "us-east-a");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.1.10", 2000);
	world_expect(w, WEB, "A", BOSTON, "198.18.2.10", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_new_config_is_taken_up),
		world_test(test_a_broken_config_is_refused_whole_and_the_old_one_stays),
		world_test(test_a_config_with_a_broken_geographic_file_is_refused_whole),
		world_test(test_new_geographic_files_are_taken_up_with_the_rest),
		world_test(test_of_many_reloads_the_last_one_counts),
		world_test(test_a_record_that_a_zone_cannot_hold_refuses_the_config),
		world_test(test_a_record_that_is_taken_out_of_the_config_is_gone),
		world_test(test_reloads_and_the_end_may_overtake_each_other),
		world_test(test_what_needs_a_restart_is_said),
		world_test(test_another_directory_is_read_and_the_old_ones_clusters_go),
		world_test(test_a_directory_that_comes_and_is_missing_denies_nothing),
		world_test(test_changed_networks_show_without_a_signal),
		world_test(test_broken_networks_keep_the_last_good_ones_and_name_the_line),
		world_test(test_a_moved_cluster_gets_other_clients),
	};

	return cmocka_run_group_tests_name("scenario/reload", tests, NULL, NULL);
}
