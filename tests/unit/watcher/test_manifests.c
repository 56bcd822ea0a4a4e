/* The sentences of design.md 5, "Manifest directories", on a real disk with a real loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/watcher_folders.h"

/* --- members --- */

static void test_a_DIR_without_clusters_has_no_members_and_waits_for_none(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/host");
	folders_start(f, "m", NULL);
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
	assert_int_equal(facts_cluster_count(f->facts), 1);
	assert_int_equal(folders_errors(f), 0);
}

static void test_members_that_the_state_knew_are_unseen_without_clusters(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/host");
	folders_restore(f, "la", "web", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_turn(f, 800);
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_UNSEEN);
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_member_needs_no_KubeFedCluster_nor_files(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	assert_int_equal(folders_cluster(f, "la")->source, CLUSTER_MANIFESTS);
	/* A DIR with members and without host/ has no host, which is known. */
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
}

static void test_a_new_folder_is_a_new_member(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	folders_service(f, "m/clusters/ny/web.yaml", "web", "192.0.2.7");
	folders_wait_address(f, "ny", "web", "192.0.2.7");
	folders_wait_knowledge(f, "ny", KNOWLEDGE_SYNCED);
	assert_true(manifests_is_read(f->manifests));
}

static void test_a_folder_that_cannot_be_a_cluster_is_an_error(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/clusters/we ird");
	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	folders_wait_error(
		f, "m/clusters/we ird",
		"m/clusters/we ird: not a name for a cluster (letters, digits, '-' and '.')");
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	folders_remove(f, "m/clusters/we ird");
	folders_wait_error(f, "m/clusters/we ird", NULL);
}

/* --- changes --- */

/* Wall-clock of one change until it shows; the machine may be busy, hence some room. */
static void expect_within_1_s(struct folders *f, uint64_t began_ms, const char *service,
                              const char *address)
{
	folders_wait_address(f, "la", service, address);
	assert_true(clock_monotonic_ms() - began_ms < 1000);
}

static void test_write_rename_and_delete_show_within_1_s(void **state)
{
	struct folders *f = *state;
	uint64_t now_ms;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/deep/er/b.yaml", "b", "192.0.2.2");
	folders_start(f, "m", NULL);
	now_ms = clock_monotonic_ms();
	folders_service(f, "m/clusters/la/deep/er/b.yaml", "b", "192.0.2.22");
	expect_within_1_s(f, now_ms, "b", "192.0.2.22");
	now_ms = clock_monotonic_ms();
	folders_service(f, "m/clusters/la/new/dir/c.yaml", "c", "192.0.2.3");
	expect_within_1_s(f, now_ms, "c", "192.0.2.3");
	now_ms = clock_monotonic_ms();
	folders_rename(f, "m/clusters/la/a.yaml", "m/clusters/la/a.yaml.off");
	expect_within_1_s(f, now_ms, "a", NULL);
	now_ms = clock_monotonic_ms();
	folders_rename(f, "m/clusters/la/a.yaml.off", "m/clusters/la/z.yaml");
	expect_within_1_s(f, now_ms, "a", "192.0.2.1");
	now_ms = clock_monotonic_ms();
	folders_remove(f, "m/clusters/la/z.yaml");
	expect_within_1_s(f, now_ms, "a", NULL);
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.22");
}

static void test_a_renamed_file_keeps_its_objects_all_the_time(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_turn(f, 20);
	f->settled = 0;
	folders_rename(f, "m/clusters/la/a.yaml", "m/clusters/la/b.yaml");
	folders_turn(f, 600);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_int_equal(f->settled, 0);
}

static void test_a_link_swapped_far_away_shows_within_1_s(void **state)
{
	struct folders *f = *state;
	uint64_t now_ms;

	folders_service(f, "v1/web.yaml", "web", "192.0.2.1");
	folders_service(f, "v2/web.yaml", "web", "192.0.2.2");
	folders_link(f, "v1", "current");
	folders_mkdir(f, "m/clusters/la");
	folders_link(f, "../../../current/web.yaml", "m/clusters/la/file.yaml");
	folders_mkdir(f, "m/clusters/ny");
	folders_link(f, "../../../current", "m/clusters/ny/dir");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
	now_ms = clock_monotonic_ms();
	folders_link(f, "v2", "current");
	expect_within_1_s(f, now_ms, "web", "192.0.2.2");
	folders_wait_address(f, "ny", "web", "192.0.2.2");
	/* A change behind the link, where no directory of ours is. */
	folders_service(f, "v2/web.yaml", "web", "192.0.2.3");
	folders_wait_address(f, "la", "web", "192.0.2.3");
}

/* Two Services that every version of the files gives the same address.  It runs inside the loop, so
 * the test itself fails later. */
static void look_for_halves(struct folders *f)
{
	static const char *const clusters[] = {"la", "ny"};
	char first[64] = "";

	for (size_t i = 0; i < 4; i++) {
		const char *address = folders_address(f, clusters[i / 2], i % 2 ? "a" : "b");

		if (!address)
			continue;
		if (first[0] == '\0')
			(void)snprintf(first, sizeof(first), "%s", address);
		if (strcmp(address, first) != 0)
			(void)snprintf(f->torn, sizeof(f->torn), "%s beside %s", first, address);
	}
}

static void write_version(struct folders *f, const char *dir, unsigned version)
{
	static const char *const names[] = {"a", "b"};
	char path[128], address[32];

	(void)snprintf(address, sizeof(address), "192.0.2.%u", version);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.yaml", dir, names[i]);
		folders_service(f, path, names[i], address);
	}
}

static void test_a_ConfigMap_volume_changes_as_one(void **state)
{
	struct folders *f = *state;
	char dir[64], target[32];

	f->on_settled = look_for_halves;
	write_version(f, "m/clusters/la/..v0", 100);
	folders_link(f, "..v0", "m/clusters/la/..data");
	folders_link(f, "..data/a.yaml", "m/clusters/la/a.yaml");
	folders_link(f, "..data/b.yaml", "m/clusters/la/b.yaml");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.100");
	for (unsigned i = 1; i <= 60; i++) {
		(void)snprintf(dir, sizeof(dir), "m/clusters/la/..v%u", i);
		(void)snprintf(target, sizeof(target), "..v%u", i);
		write_version(f, dir, 100 + i);
		folders_link(f, target, "m/clusters/la/..data");
		(void)snprintf(dir, sizeof(dir), "m/clusters/la/..v%u", i - 1);
		folders_remove(f, dir);
		folders_turn(f, i % 7);
	}
	folders_wait_address(f, "la", "a", "192.0.2.160");
	assert_string_equal(f->torn, "");
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.160");
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_git_sync_swap_changes_host_and_members_as_one(void **state)
{
	struct folders *f = *state;
	char dir[64], target[32];

	f->on_settled = look_for_halves;
	for (unsigned i = 0; i <= 40; i++) {
		(void)snprintf(dir, sizeof(dir), "tree%u/clusters/la", i);
		write_version(f, dir, 100 + i);
		(void)snprintf(dir, sizeof(dir), "tree%u/clusters/ny", i);
		write_version(f, dir, 100 + i);
		(void)snprintf(target, sizeof(target), "tree%u", i);
		folders_link(f, target, "link");
		if (i == 0)
			folders_start(f, "link", NULL);
		if (i > 0) {
			(void)snprintf(dir, sizeof(dir), "tree%u", i - 1);
			folders_remove(f, dir);
		}
		folders_turn(f, i % 11 * 3);
	}
	folders_wait_address(f, "la", "a", "192.0.2.140");
	assert_string_equal(f->torn, "");
	assert_string_equal(folders_address(f, "ny", "b"), "192.0.2.140");
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_member_that_a_swap_takes_away_goes_with_it(void **state)
{
	struct folders *f = *state;

	folders_service(f, "t1/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "t1/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_service(f, "t2/clusters/la/a.yaml", "a", "192.0.2.3");
	folders_link(f, "t1", "link");
	folders_start(f, "link", NULL);
	folders_turn(f, 20);
	f->settled = 0;
	folders_link(f, "t2", "link");
	folders_wait_address(f, "la", "a", "192.0.2.3");
	assert_false(folders_cluster(f, "ny")->registered);
	assert_null(folders_address(f, "ny", "b"));
}

/* --- gone, unseen, broken --- */

static void test_the_objects_of_a_deleted_file_are_gone(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/b.yaml", "b", "192.0.2.2");
	folders_start(f, "m", NULL);
	folders_remove(f, "m/clusters/la/a.yaml");
	folders_wait_address(f, "la", "a", NULL);
	folders_remove(f, "m/clusters/la/b.yaml");
	folders_wait_address(f, "la", "b", NULL);
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
}

static void test_an_unreadable_member_is_unseen_and_no_error(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_start(f, "m", NULL);
	folders_mode(f, "m/clusters/la", 0);
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	assert_non_null(
		strstr(folders_cluster(f, "la")->error, "m/clusters/la: Permission denied"));
	folders_turn(f, 800);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_int_equal(folders_errors(f), 0);
	folders_mode(f, "m/clusters/la", 0755);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	folders_mode(f, "m/clusters", 0);
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	folders_wait_knowledge(f, "ny", KNOWLEDGE_UNSEEN);
	folders_mode(f, "m/clusters", 0755);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_DIR_missing_at_start_is_no_error_and_may_come(void **state)
{
	struct folders *f = *state;

	folders_start(f, "m", NULL);
	assert_int_equal(folders_cluster(f, "")->knowledge, KNOWLEDGE_NEVER);
	assert_int_equal(folders_errors(f), 0);
	folders_mkdir(f, "m/host");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_wait_address(f, "la", "a", "192.0.2.1");
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
}

static void test_a_DIR_taken_away_is_unseen_until_it_is_back(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_mkdir(f, "m/host");
	folders_start(f, "m", NULL);
	folders_rename(f, "m", "away");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	folders_wait_knowledge(f, "ny", KNOWLEDGE_UNSEEN);
	folders_wait_knowledge(f, "", KNOWLEDGE_UNSEEN);
	folders_turn(f, 800);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_int_equal(folders_errors(f), 0);
	/* What went meanwhile is gone when it is seen again. */
	folders_remove(f, "away/clusters/la/a.yaml");
	folders_rename(f, "away", "m");
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
	assert_null(folders_address(f, "la", "a"));
	assert_string_equal(folders_address(f, "ny", "b"), "192.0.2.2");
}

static const char domain[] = "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: Domain\n"
			     "metadata: {name: d}\ndomain: example.com\n";

static bool has_domain(struct folders *f)
{
	return facts_find(f->facts, FACTS_HOST, FACT_DOMAIN, bytes_of("default"), bytes_of("d"));
}

static void test_host_taken_away_is_unseen_never_gone(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/host/d.yaml", domain);
	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	assert_true(has_domain(f));
	folders_remove(f, "m/host");
	folders_wait_knowledge(f, "", KNOWLEDGE_UNSEEN);
	folders_turn(f, 800);
	assert_true(has_domain(f));
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
	assert_int_equal(folders_errors(f), 0);
	folders_mkdir(f, "m/host");
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
	assert_false(has_domain(f));
}

static void test_a_member_removed_while_its_siblings_stay_is_gone(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_start(f, "m", NULL);
	folders_rename(f, "m/clusters/la", "away");
	folders_wait_gone(f, "la");
	assert_null(folders_address(f, "la", "a"));
	assert_int_equal(folders_cluster(f, "ny")->knowledge, KNOWLEDGE_SYNCED);
	folders_rename(f, "away", "m/clusters/la");
	folders_wait_address(f, "la", "a", "192.0.2.1");
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
}

static void test_a_removed_member_with_a_KubeFedCluster_is_unseen(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/host/la.yaml",
	              "apiVersion: core.kubefed.io/v1beta1\n"
	              "kind: KubeFedCluster\nmetadata: {name: la}\n");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_mkdir(f, "m/clusters/ny");
	folders_start(f, "m", NULL);
	folders_rename(f, "m/clusters/la", "away");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	folders_turn(f, 1000);
	assert_true(folders_cluster(f, "la")->registered);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	folders_remove(f, "m/host/la.yaml");
	folders_wait_gone(f, "la");
}

static void test_the_last_member_removed_is_unseen(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_mkdir(f, "m/host");
	folders_start(f, "m", NULL);
	folders_rename(f, "m/clusters/la", "away");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	folders_turn(f, 800);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
}

static void test_members_removed_one_after_the_other_are_unseen(void **state)
{
	struct folders *f = *state;
	static const char *const names[] = {"a", "b", "c", "d"};
	char path[64];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "m/clusters/%s/web.yaml", names[i]);
		folders_service(f, path, "web", "192.0.2.1");
	}
	folders_start(f, "m", NULL);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "m/clusters/%s", names[i]);
		folders_rename(f, path, names[i]);
		folders_turn(f, 150);
	}
	folders_turn(f, 1000);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(folders_cluster(f, names[i])->knowledge, KNOWLEDGE_UNSEEN);
		assert_string_equal(folders_address(f, names[i], "web"), "192.0.2.1");
	}
}

static void test_clusters_taken_away_leaves_all_members_unseen(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_mkdir(f, "m/host");
	folders_start(f, "m", NULL);
	folders_remove(f, "m/clusters");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	folders_wait_knowledge(f, "ny", KNOWLEDGE_UNSEEN);
	folders_turn(f, 800);
	assert_true(folders_cluster(f, "la")->registered && folders_cluster(f, "ny")->registered);
}

/* --- one object twice --- */

static void test_of_two_files_the_first_in_byte_order_counts(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/b.yaml", "web", "192.0.2.2");
	folders_start(f, "m", NULL);
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.2");
	folders_service(f, "m/clusters/la/a.yaml", "web", "192.0.2.1");
	folders_wait_address(f, "la", "web", "192.0.2.1");
	folders_wait_error(f, "m/clusters/la/b.yaml",
	                   "m/clusters/la/b.yaml:1: Service default/web is already in "
	                   "m/clusters/la/a.yaml");
	assert_null(folders_error(f, "m/clusters/la/a.yaml"));
	folders_remove(f, "m/clusters/la/a.yaml");
	folders_wait_address(f, "la", "web", "192.0.2.2");
	folders_wait_error(f, "m/clusters/la/b.yaml", NULL);
	/* Another cluster's file is another cluster's object. */
	folders_service(f, "m/clusters/ny/a.yaml", "web", "192.0.2.3");
	folders_wait_address(f, "ny", "web", "192.0.2.3");
	assert_int_equal(folders_errors(f), 0);
}

static void test_of_two_objects_in_a_file_the_first_counts(void **state)
{
	struct folders *f = *state;

	folders_write(f, "m/clusters/la/a.yaml",
	              "{apiVersion: v1, kind: Service, metadata: {name: a}}\n---\n"
	              "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: "
	              "1}]}}\n---\n"
	              "{apiVersion: v1, kind: Service, metadata: {name: a}}\n");
	folders_start(f, "m", NULL);
	assert_non_null(folders_address(f, "la", "a"));
	assert_string_equal(folders_error(f, "m/clusters/la/a.yaml"),
	                    "m/clusters/la/a.yaml:3: Service default/a is already in line 1\n"
	                    "m/clusters/la/a.yaml:5: Service default/a is already in line 1");
}

static void test_the_order_of_DIRs_comes_before_that_of_names(void **state)
{
	struct folders *f = *state;

	folders_service(f, "z/clusters/la/z.yaml", "web", "192.0.2.1");
	folders_service(f, "a/clusters/la/a.yaml", "web", "192.0.2.2");
	folders_service(f, "a/clusters/la/b.yaml", "other", "192.0.2.3");
	folders_start(f, "z", "a", NULL);
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
	assert_string_equal(folders_address(f, "la", "other"), "192.0.2.3");
	assert_string_equal(folders_error(f, "a/clusters/la/a.yaml"),
	                    "a/clusters/la/a.yaml:1: Service default/web is already in "
	                    "z/clusters/la/z.yaml");
	/* One of two DIRs away: unseen, and all that it had stays. */
	folders_rename(f, "z", "away");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	assert_string_equal(folders_address(f, "la", "web"), "192.0.2.1");
	folders_rename(f, "away", "z");
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
}

/* --- after a restart --- */

static void test_what_no_file_claims_after_a_restart_is_gone(void **state)
{
	struct folders *f = *state;

	folders_restore(f, "la", "old", "192.0.2.9");
	folders_restore(f, "la", "a", "192.0.2.8");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	assert_null(folders_address(f, "la", "old"));
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
}

static void test_what_a_broken_file_may_hold_after_a_restart_stays(void **state)
{
	struct folders *f = *state;

	folders_restore(f, "la", "old", "192.0.2.9");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_write(f, "m/clusters/la/b.yaml", "kind: [");
	folders_start(f, "m", NULL);
	folders_wait_address(f, "la", "a", "192.0.2.1");
	assert_string_equal(folders_address(f, "la", "old"), "192.0.2.9");
	folders_service(f, "m/clusters/la/b.yaml", "b", "192.0.2.2");
	folders_wait_address(f, "la", "b", "192.0.2.2");
	folders_wait_address(f, "la", "old", NULL);
}

static void test_all_folders_away_at_a_restart_leave_everything(void **state)
{
	struct folders *f = *state;

	folders_restore(f, "la", "a", "192.0.2.1");
	folders_restore(f, "ny", "b", "192.0.2.2");
	folders_mkdir(f, "m/clusters");
	folders_start(f, "m", NULL);
	folders_turn(f, 1000);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	assert_string_equal(folders_address(f, "ny", "b"), "192.0.2.2");
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_UNSEEN);
	assert_int_equal(folders_errors(f), 0);
}

static void test_a_file_that_never_rests_delays_no_other_for_ever(void **state)
{
	struct folders *f = *state;
	uint64_t end_ms;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_service(f, "m/clusters/la/b.yaml", "b", "192.0.2.2");
	end_ms = clock_monotonic_ms() + 4000;
	while (!folders_address(f, "la", "b") && clock_monotonic_ms() < end_ms) {
		folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_non_null(folders_address(f, "la", "b"));
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, folders_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_DIR_without_clusters_has_no_members_and_waits_for_none),
		TEST(test_members_that_the_state_knew_are_unseen_without_clusters),
		TEST(test_a_member_needs_no_KubeFedCluster_nor_files),
		TEST(test_a_new_folder_is_a_new_member),
		TEST(test_a_folder_that_cannot_be_a_cluster_is_an_error),
		TEST(test_write_rename_and_delete_show_within_1_s),
		TEST(test_a_renamed_file_keeps_its_objects_all_the_time),
		TEST(test_a_link_swapped_far_away_shows_within_1_s),
		TEST(test_a_ConfigMap_volume_changes_as_one),
		TEST(test_a_git_sync_swap_changes_host_and_members_as_one),
		TEST(test_a_member_that_a_swap_takes_away_goes_with_it),
		TEST(test_the_objects_of_a_deleted_file_are_gone),
		TEST(test_an_unreadable_member_is_unseen_and_no_error),
		TEST(test_a_DIR_missing_at_start_is_no_error_and_may_come),
		TEST(test_a_DIR_taken_away_is_unseen_until_it_is_back),
		TEST(test_host_taken_away_is_unseen_never_gone),
		TEST(test_a_member_removed_while_its_siblings_stay_is_gone),
		TEST(test_a_removed_member_with_a_KubeFedCluster_is_unseen),
		TEST(test_the_last_member_removed_is_unseen),
		TEST(test_members_removed_one_after_the_other_are_unseen),
		TEST(test_clusters_taken_away_leaves_all_members_unseen),
		TEST(test_of_two_files_the_first_in_byte_order_counts),
		TEST(test_of_two_objects_in_a_file_the_first_counts),
		TEST(test_the_order_of_DIRs_comes_before_that_of_names),
		TEST(test_what_no_file_claims_after_a_restart_is_gone),
		TEST(test_what_a_broken_file_may_hold_after_a_restart_stays),
		TEST(test_all_folders_away_at_a_restart_leave_everything),
		TEST(test_a_file_that_never_rests_delays_no_other_for_ever),
	};

	return cmocka_run_group_tests_name("watcher/manifests", tests, NULL, NULL);
}
