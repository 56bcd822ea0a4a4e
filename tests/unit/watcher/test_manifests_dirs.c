/* Which directories are known, and what that means for the host: one that was never read could hold anything. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/support/watcher_folders.h"

static enum knowledge of_host(struct folders *f) { return folders_cluster(f, "")->knowledge; }

/* DIR m with a host and a member. */
static void make_m(struct folders *f)
{
	folders_mkdir(f, "m/host");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
}

static void test_the_host_is_not_known_while_one_DIR_was_never_read(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	assert_non_null(strstr(folders_cluster(f, "")->error, "n: No such file or directory"));
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
	assert_int_equal(folders_errors(f), 0);
	/* It comes, as a volume that is filled later. */
	folders_mkdir(f, "n");
	folders_turn(f, 600);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	folders_mkdir(f, "n/host");
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
}

static void test_a_DIR_with_members_and_without_host_is_known(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_mkdir(f, "n/clusters/ny");
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_SYNCED);
	/* And lost when it goes, whether or not it had a host. */
	folders_rename(f, "n", "away");
	folders_wait_knowledge(f, "", KNOWLEDGE_UNSEEN);
}

static void test_a_DIR_that_comes_with_a_reload_is_not_known(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_start(f, "m", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_SYNCED);
	folders_stop(f);
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	/* A member that can be seen is not unseen for the sake of a DIR that never had it. */
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_SYNCED);
	folders_stop(f);
	/* Everything away: of the new DIR as little is known as before. */
	folders_rename(f, "m", "away");
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_UNSEEN);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
}

static void test_DIRs_that_were_read_before_are_unseen_in_the_dark(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_mkdir(f, "n/clusters/ny");
	folders_start(f, "m", "n", NULL);
	folders_stop(f);
	folders_rename(f, "m", "away");
	folders_rename(f, "n", "gone");
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_UNSEEN);
	assert_int_equal(folders_cluster(f, "ny")->knowledge, KNOWLEDGE_UNSEEN);
	folders_turn(f, 800);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
}

static void test_a_DIR_that_was_taken_from_the_config_is_forgotten(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_mkdir(f, "n/host");
	folders_start(f, "m", "n", NULL);
	folders_stop(f);
	folders_start(f, "m", NULL);
	folders_stop(f);
	folders_remove(f, "n");
	folders_start(f, "m", "n", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
}

static void test_a_folder_that_was_never_read_leaves_its_member_not_known(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_service(f, "n/clusters/la/b.yaml", "b", "192.0.2.2");
	folders_mode(f, "n/clusters/la", 0);
	folders_start(f, "m", "n", NULL);
	assert_int_equal(folders_cluster(f, "la")->knowledge, KNOWLEDGE_NEVER);
	assert_string_equal(folders_address(f, "la", "a"), "192.0.2.1");
	folders_mode(f, "n/clusters/la", 0755);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	assert_string_equal(folders_address(f, "la", "b"), "192.0.2.2");
}

static void test_clusters_that_cannot_be_read_leave_the_host_not_known(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_rename(f, "m/clusters", "away");
	folders_link(f, "clusters", "m/clusters");
	folders_start(f, "m", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	assert_string_equal(folders_error(f, "m/clusters"),
	                    "m/clusters: Too many levels of symbolic links");
	folders_remove(f, "m/clusters");
	folders_rename(f, "away", "m/clusters");
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
	folders_wait_address(f, "la", "a", "192.0.2.1");
	assert_int_equal(folders_errors(f), 0);
}

static void test_clusters_without_permission_are_an_error_and_were_not_read(void **state)
{
	struct folders *f = *state;

	make_m(f);
	folders_mode(f, "m/clusters", 0);
	folders_start(f, "m", NULL);
	assert_int_equal(of_host(f), KNOWLEDGE_NEVER);
	assert_string_equal(folders_error(f, "m/clusters"), "m/clusters: Permission denied");
	folders_mode(f, "m/clusters", 0755);
	folders_wait_knowledge(f, "", KNOWLEDGE_SYNCED);
	folders_wait_error(f, "m/clusters", NULL);
	/* Once it was read, its members are unseen, and no more. */
	folders_mode(f, "m/clusters", 0);
	folders_wait_error(f, "m/clusters", "m/clusters: Permission denied");
	folders_wait_knowledge(f, "la", KNOWLEDGE_UNSEEN);
	assert_int_equal(of_host(f), KNOWLEDGE_SYNCED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, folders_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_host_is_not_known_while_one_DIR_was_never_read),
		TEST(test_a_DIR_with_members_and_without_host_is_known),
		TEST(test_a_DIR_that_comes_with_a_reload_is_not_known),
		TEST(test_DIRs_that_were_read_before_are_unseen_in_the_dark),
		TEST(test_a_DIR_that_was_taken_from_the_config_is_forgotten),
		TEST(test_a_folder_that_was_never_read_leaves_its_member_not_known),
		TEST(test_clusters_that_cannot_be_read_leave_the_host_not_known),
		TEST(test_clusters_without_permission_are_an_error_and_were_not_read),
	};

	return cmocka_run_group_tests_name("watcher/manifests_dirs", tests, NULL, NULL);
}
