/* manifests.c -- manifest directories: what may happen to files and folders, and what the answers do then. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define SAN_FRANCISCO "203.0.113.0/24"

/* A DNSEndpoint shop/NAME: NAME.example.com has the address. */
#define ENDPOINT(name, address)                                                                    \
	"apiVersion: externaldns.k8s.io/v1alpha1\n"                                                \
	"kind: DNSEndpoint\n"                                                                      \
	"metadata: {name: " name ", namespace: shop}\n"                                            \
	"spec: {endpoints: [{dnsName: " name ".example.com, recordType: A, targets: [" address     \
	"]}]}\n"

static void start_with_a(struct world *w)
{
	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
}

/* --- changes --- */

static void test_a_file_written_in_place_shows_within_a_second(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write_in_place(w, "manifests/host/a.yaml", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
	world_write_in_place(w, "manifests/host/b.yaml", ENDPOINT("b", "198.18.0.3"));
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.3", 1000);
}

static void test_a_file_renamed_over_another_shows_within_a_second(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
}

static void test_a_file_renamed_to_another_name_changes_nothing(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_move(w, "manifests/host/a.yaml", "manifests/host/z.yaml");
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", 1200);
}

static void test_a_deleted_file_withdraws_its_objects_within_a_second(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_remove(w, "manifests/host/a.yaml");
	world_expect(w, "a.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void test_a_folder_moved_in_and_away_shows_within_a_second(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "outside/deep/b.yaml", "%s", ENDPOINT("b", "198.18.0.2"));
	world_move(w, "outside", "manifests/host/inside");
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.2", 1000);
	world_move(w, "manifests/host/inside", "outside");
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 1000);
}

/* Asks until the name has the new address; never may it have neither. */
static void expect_change_at_once(struct world *w, const char *name, const char *before,
                                  const char *after)
{
	for (unsigned i = 0; i < 100000; i++) {
		const char *answer = world_ask(w, name, "A", NULL);

		if (strcmp(answer, after) == 0)
			return;
		if (strcmp(answer, before) != 0)
			break;
		usleep(500);
	}
	world_fail(w, "%s: neither %s nor %s but %s", name, before, after,
	           world_ask(w, name, "A", NULL));
}

static void test_a_configmap_volume_is_swapped_as_one_change(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/volume/..1/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_write(w, "manifests/host/volume/..2/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_link(w, "..1", "manifests/host/volume/..data");
	world_link(w, "..data/a.yaml", "manifests/host/volume/a.yaml");
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	world_link(w, "..2", "manifests/host/volume/..data");
	world_remove(w, "manifests/host/volume/..1");
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
}

static void test_git_sync_swaps_the_whole_directory_as_one_change(void **state)
{
	struct world *w = *state;

	world_config(w, "sources: {manifests: [git/current]}");
	world_domain(w, "fed", "example.com");
	world_write(w, "git/.worktrees/1/host/domain.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: Domain\n"
	            "metadata: {name: fed, namespace: kube-federation-system}\n"
	            "domain: example.com\n");
	world_write(w, "git/.worktrees/1/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_write(w, "git/.worktrees/2/host/all.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: Domain\n"
	            "metadata: {name: fed, namespace: kube-federation-system}\n"
	            "domain: example.com\n"
	            "---\n%s---\n%s",
	            ENDPOINT("a", "198.18.0.2"), ENDPOINT("b", "198.18.0.3"));
	world_link(w, ".worktrees/1", "git/current");
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	world_link(w, ".worktrees/2", "git/current");
	world_remove(w, "git/.worktrees/1");
	expect_change_at_once(w, "a.example.com", "198.18.0.1", "198.18.0.2");
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.3", 0);
}

static void test_a_swapped_directory_shows_within_a_second(void **state)
{
	struct world *w = *state;

	world_config(w, "sources: {manifests: [current]}");
	world_domain(w, "fed", "example.com");
	world_move(w, "manifests", "one");
	world_write(w, "one/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_link(w, "one", "current");
	world_start(w);
	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	world_link(w, "manifests", "current");
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
}

/* --- broken --- */

static void test_a_broken_file_keeps_its_last_good_objects_and_is_named_with_its_line(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "manifests/host/a.yaml",
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: a, namespace: shop}\n"
	            "spec: {endpoints: [\n");
	world_expect_http(w, "/status",
	                  "manifests/host/a.yaml:4: did not find expected node content", 1000);
	world_expect_log(w, "manifests/host/a.yaml:4: did not find expected node content", 1000);
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", 1000);
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
	world_expect_http(w, "/status", "!a.yaml", 1000);
}

static void test_a_field_of_the_wrong_type_is_an_error_with_its_path(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "manifests/host/a.yaml", "# two lines\n# of comment\n%s---\n%s",
	            ENDPOINT("b", "198.18.0.2"),
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: a, namespace: shop}\n"
	            "spec: {endpoints: 5}\n");
	world_expect_http(
		w, "/status",
		"manifests/host/a.yaml:8: DNSEndpoint shop/a: spec.endpoints: is not a list", 1000);
	/* The file as a whole is broken: nothing of it is taken, nothing is lost. */
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 0);
}

static void test_an_unreadable_file_keeps_its_last_good_objects(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	/* A link to itself cannot be read by anyone, root included. */
	world_link(w, "a.yaml", "manifests/host/a.yaml");
	world_expect_http(w, "/status", "manifests/host/a.yaml:1: Too many", 1000);
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", 1000);
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
}

static void test_a_bomb_of_aliases_is_refused_and_costs_nothing_else(void **state)
{
	struct world *w = *state;
	char bomb[4096] =
		"apiVersion: v1\nkind: ConfigMap\na0: &a0 [xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]\n";

	start_with_a(w);
	for (int i = 1; i < 12; i++)
		snprintf(bomb + strlen(bomb), sizeof(bomb) - strlen(bomb),
		         "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
		         i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
		         i - 1);
	world_write(w, "manifests/host/bomb.yaml", "%s", bomb);
	world_expect_http(w, "/status", "manifests/host/bomb.yaml:", 1000);
	world_write(w, "manifests/host/b.yaml", "%s", ENDPOINT("b", "198.18.0.2"));
	world_expect(w, "b.example.com", "A", NULL, "198.18.0.2", 1000);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
}

static void test_of_one_object_in_two_files_the_first_counts_and_both_are_named(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "manifests/host/b.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect_http(w, "/status",
	                  "manifests/host/b.yaml:1: DNSEndpoint shop/a is already in ", 1000);
	assert_non_null(strstr(world_get(w, "/status", NULL), "manifests/host/a.yaml\""));
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", 300);
	world_remove(w, "manifests/host/a.yaml");
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
	world_expect_http(w, "/status", "!b.yaml", 1000);
}

/* --- which files --- */

static void test_lists_json_and_many_documents_are_read(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_write(w, "manifests/host/list.yml",
	            "apiVersion: v1\n"
	            "kind: List\n"
	            "items:\n"
	            "- apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "  kind: DNSEndpoint\n"
	            "  metadata: {name: l1}\n"
	            "  spec: {endpoints: [{dnsName: l1.example.com, recordType: A, targets: "
	            "[198.18.1.1]}]}\n"
	            "- apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "  kind: DNSEndpoint\n"
	            "  metadata: {name: l2}\n"
	            "  spec: {endpoints: [{dnsName: l2.example.com, recordType: A, targets: "
	            "[198.18.1.2]}]}\n");
	world_write(w, "manifests/host/j.json",
	            "{\"apiVersion\": \"externaldns.k8s.io/v1alpha1\", \"kind\": \"DNSEndpoint\",\n"
	            " \"metadata\": {\"name\": \"j\"},\n"
	            " \"spec\": {\"endpoints\": [{\"dnsName\": \"j.example.com\", \"recordType\": "
	            "\"A\",\n"
	            "   \"targets\": [\"198.18.1.3\"]}]}}\n");
	world_write(w, "manifests/host/two.yaml", "---\n%s---\n%s", ENDPOINT("t1", "198.18.1.4"),
	            ENDPOINT("t2", "198.18.1.5"));
	world_expect(w, "l1.example.com", "A", NULL, "198.18.1.1", 1000);
	world_expect(w, "l2.example.com", "A", NULL, "198.18.1.2", 1000);
	world_expect(w, "j.example.com", "A", NULL, "198.18.1.3", 1000);
	world_expect(w, "t1.example.com", "A", NULL, "198.18.1.4", 1000);
	world_expect(w, "t2.example.com", "A", NULL, "198.18.1.5", 1000);
}

static void test_files_count_at_any_depth_unless_their_name_begins_with_a_dot(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/x/y/z/deep.yaml", "%s", ENDPOINT("deep", "198.18.0.2"));
	world_write(w, "manifests/host/.hidden.yaml", "%s", ENDPOINT("hidden", "198.18.0.3"));
	world_write(w, "manifests/host/.git/in.yaml", "%s", ENDPOINT("in", "198.18.0.4"));
	world_write(w, "manifests/host/notes.txt", "%s", ENDPOINT("txt", "198.18.0.5"));
	world_start(w);
	world_expect(w, "deep.example.com", "A", NULL, "198.18.0.2", 0);
	world_expect(w, "hidden.example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect(w, "in.example.com", "A", NULL, "NXDOMAIN", 0);
	world_expect(w, "txt.example.com", "A", NULL, "NXDOMAIN", 0);
	world_write(w, "manifests/host/x/y/z/w/deeper.yaml", "%s",
	            ENDPOINT("deeper", "198.18.0.6"));
	world_expect(w, "deeper.example.com", "A", NULL, "198.18.0.6", 1000);
}

static void test_unknown_kinds_are_passed_over(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_write(
		w, "manifests/host/mixed.yaml",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n---\n%s---\n"
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: "
		"\"three\"}\n",
		ENDPOINT("a", "198.18.0.1"));
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
}

/* --- folders --- */

static void test_a_missing_directory_is_unseen_at_start_and_read_when_it_comes(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_move(w, "manifests", "away");
	world_config(w, "startup: {patience: 300ms}\n"
	                "zones: [{name: example.com, nameservers: [{name: ns.example.com, "
	                "addresses: [192.0.2.53]}]}]");
	world_start(w);
	/* What was never read could hold the name. */
	world_expect(w, "a.example.com", "A", NULL, "SERVFAIL", 0);
	world_expect(w, "ns.example.com", "A", NULL, "192.0.2.53", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_move(w, "away", "manifests");
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 1000);
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void expect_unready(struct world *w)
{
	int http;

	(void)world_get(w, "/readyz", &http);
	assert_int_equal(http, 503);
}

static void test_one_directory_that_was_never_read_is_waited_for(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_config(w, "sources: {manifests: [manifests, second]}\n"
	                "startup: {patience: 2s}");
	world_start_unready(w);
	world_expect_http(w, "/status", "\"knowledge\":\"synced\"", 1500);
	expect_unready(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "SERVFAIL", 0);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 4000);
	/* What was never read could hold the name. */
	world_expect(w, "b.example.com", "A", NULL, "SERVFAIL", 0);
	world_expect_http(w, "/status", "!\"unseen\"", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_write(w, "second/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.1"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 1000);
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void test_clusters_that_cannot_be_read_at_start_are_waited_for(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_move(w, "manifests/clusters", "away");
	/* A link to itself cannot be read by anyone, root included. */
	world_link(w, "clusters", "manifests/clusters");
	world_config(w, "startup: {patience: 1s}");
	world_start_unready(w);
	world_expect_http(w, "/status", "manifests/clusters: Too many levels", 500);
	expect_unready(w);
	world_expect(w, "example.com", "NS", NULL, "ns.example.com.", 3000);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "SERVFAIL", 0);
	world_remove(w, "manifests/clusters");
	world_move(w, "away", "manifests/clusters");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 1000);
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 1000);
	world_expect_http(w, "/status", "\"errors\":[]", 500);
}

static void test_a_registered_cluster_without_a_folder_is_waited_for(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_move(w, "manifests/clusters/houston", "away");
	world_config(w, "startup: {patience: 1500ms}");
	world_start_unready(w);
	world_expect_http(w, "/status",
	                  "\"name\":\"houston\",\"source\":\"manifests\","
	                  "\"knowledge\":\"never\"",
	                  1000);
	world_expect_http(w, "/status", "clusters/houston: No such file or directory", 0);
	expect_unready(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 3000);
	world_expect(w, "b.example.com", "A", NULL, "SERVFAIL", 0);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_move(w, "away", "manifests/clusters/houston");
	world_expect(w, "b.example.com", "A", NULL, "NXDOMAIN", 1000);
}

static void test_a_directory_that_goes_is_unseen_and_its_names_stay(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_move(w, "manifests", "away");
	world_expect_http(w, "/status", "\"knowledge\":\"unseen\"", 1000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 1500);
	world_expect_http(w, "/status", "\"errors\":[]", 0);
	world_move(w, "away", "manifests");
	world_expect_http(w, "/status", "!\"knowledge\":\"unseen\"", 1000);
}

static void test_an_unreadable_host_folder_is_unseen_and_its_names_stay(void **state)
{
	struct world *w = *state;

	start_with_a(w);
	world_move(w, "manifests/host", "manifests/elsewhere");
	world_link(w, "host", "manifests/host");
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", 1500);
	world_remove(w, "manifests/host");
	world_move(w, "manifests/elsewhere", "manifests/host");
	world_write(w, "manifests/host/a.yaml", "%s", ENDPOINT("a", "198.18.0.2"));
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.2", 1000);
}

static void test_a_member_folder_that_goes_while_siblings_stay_is_gone(void **state)
{
	struct world *w = *state;

	world_folder(w, "manifests/host");
	world_domain(w, "fed", "example.com");
	world_service(w, "a", "web", "198.18.1.1", true,
	              "external-dns.alpha.kubernetes.io/hostname: www.example.com");
	world_service(w, "b", "web", "198.18.2.1", true,
	              "external-dns.alpha.kubernetes.io/hostname: www.example.com");
	world_start(w);
	world_expect(w, "www.example.com", "A", "192.0.2.0/24", "198.18.1.1", 0);
	world_remove(w, "manifests/clusters/a");
	world_expect(w, "www.example.com", "A", "192.0.2.0/24", "198.18.2.1", 1000);
	world_expect_http(w, "/status", "!\"name\":\"a\"", 1000);
}

static void test_a_member_folder_of_a_registered_cluster_that_goes_is_unseen(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_remove(w, "manifests/clusters/losangeles");
	world_expect_http(
		w, "/status",
		"\"name\":\"losangeles\",\"source\":\"manifests\",\"knowledge\":\"unseen\"", 1000);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 1500);
	world_service(w, "losangeles", "web", "198.18.3.11", true, "");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.11", 1000);
}

static void test_all_member_folders_that_go_at_once_are_unseen(void **state)
{
	struct world *w = *state;

	world_folder(w, "manifests/host");
	world_domain(w, "fed", "example.com");
	world_service(w, "a", "web", "198.18.1.1", true,
	              "external-dns.alpha.kubernetes.io/hostname: www.example.com");
	world_start(w);
	world_remove(w, "manifests/clusters");
	world_expect_stays(w, "www.example.com", "A", NULL, "198.18.1.1", 1500);
}

static void test_a_cluster_taken_from_the_registry_is_gone_also_while_unseen(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_start(w);
	world_remove(w, "manifests/clusters/losangeles");
	world_expect_http(
		w, "/status",
		"\"name\":\"losangeles\",\"source\":\"manifests\",\"knowledge\":\"unseen\"", 1000);
	world_remove(w, "manifests/host/cluster-losangeles.yaml");
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.2.10", 1000);
	world_expect_http(w, "/status", "!losangeles", 1000);
}

static void test_a_member_needs_no_kubefedcluster_and_can_come_later(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	world_start(w);
	world_service(w, "new", "web", "198.18.1.1", true,
	              "external-dns.alpha.kubernetes.io/hostname: www.example.com");
	world_expect(w, "www.example.com", "A", NULL, "198.18.1.1", 1000);
	world_expect_http(w, "/status",
	                  "\"name\":\"new\",\"source\":\"manifests\",\"knowledge\":\"synced\"", 0);
}

static void test_the_api_endpoint_of_a_cluster_with_a_folder_is_never_dialled(void **state)
{
	struct world *w = *state;
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(bind(fd, (void *)&local, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (void *)&local, &len), 0);
	world_three_cities(w);
	world_write(w, "manifests/host/cluster-losangeles.yaml",
	            "apiVersion: core.kubefed.io/v1beta1\n"
	            "kind: KubeFedCluster\n"
	            "metadata: {name: losangeles, namespace: kube-federation-system,\n"
	            "  annotations: {nigh.dev/location: \"34.05,-118.24\"}}\n"
	            "spec: {apiEndpoint: \"https://127.0.0.1:%u\", secretRef: {name: x}}\n",
	            ntohs(local.sin_port));
	world_start(w);
	world_expect(w, WEB, "A", SAN_FRANCISCO, "198.18.3.10", 0);
	assert_int_equal(poll(&p, 1, 500), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_file_written_in_place_shows_within_a_second),
		world_test(test_a_file_renamed_over_another_shows_within_a_second),
		world_test(test_a_file_renamed_to_another_name_changes_nothing),
		world_test(test_a_deleted_file_withdraws_its_objects_within_a_second),
		world_test(test_a_folder_moved_in_and_away_shows_within_a_second),
		world_test(test_a_configmap_volume_is_swapped_as_one_change),
		world_test(test_git_sync_swaps_the_whole_directory_as_one_change),
		world_test(test_a_swapped_directory_shows_within_a_second),
		world_test(
			test_a_broken_file_keeps_its_last_good_objects_and_is_named_with_its_line),
		world_test(test_a_field_of_the_wrong_type_is_an_error_with_its_path),
		world_test(test_an_unreadable_file_keeps_its_last_good_objects),
		world_test(test_a_bomb_of_aliases_is_refused_and_costs_nothing_else),
		world_test(test_of_one_object_in_two_files_the_first_counts_and_both_are_named),
		world_test(test_lists_json_and_many_documents_are_read),
		world_test(test_files_count_at_any_depth_unless_their_name_begins_with_a_dot),
		world_test(test_unknown_kinds_are_passed_over),
		world_test(test_a_missing_directory_is_unseen_at_start_and_read_when_it_comes),
		world_test(test_one_directory_that_was_never_read_is_waited_for),
		world_test(test_clusters_that_cannot_be_read_at_start_are_waited_for),
		world_test(test_a_registered_cluster_without_a_folder_is_waited_for),
		world_test(test_a_directory_that_goes_is_unseen_and_its_names_stay),
		world_test(test_an_unreadable_host_folder_is_unseen_and_its_names_stay),
		world_test(test_a_member_folder_that_goes_while_siblings_stay_is_gone),
		world_test(test_a_member_folder_of_a_registered_cluster_that_goes_is_unseen),
		world_test(test_all_member_folders_that_go_at_once_are_unseen),
		world_test(test_a_cluster_taken_from_the_registry_is_gone_also_while_unseen),
		world_test(test_a_member_needs_no_kubefedcluster_and_can_come_later),
		world_test(test_the_api_endpoint_of_a_cluster_with_a_folder_is_never_dialled),
	};

	return cmocka_run_group_tests_name("scenario/manifests", tests, NULL, NULL);
}
