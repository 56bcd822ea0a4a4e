/* Who is a member: the folders of clusters/, and the KubeFedClusters that have none yet. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "tests/support/watcher_folders.h"

static void register_cluster(struct folders *f, const char *file, const char *name)
{
	char text[256];

	CHECK(snprintf(text, sizeof(text),
	               "apiVersion: core.kubefed.io/v1beta1\nkind: KubeFedCluster\n"
	               "metadata: {name: \"%s\"}\n",
	               name) < 256);
	folders_write(f, file, text);
}

static void expect_never(struct folders *f, const char *cluster)
{
	const struct cluster_state *state = folders_cluster(f, cluster);

	assert_true(state->registered);
	assert_int_equal(state->source, CLUSTER_MANIFESTS);
	assert_int_equal(state->knowledge, KNOWLEDGE_NEVER);
}

static void test_a_KubeFedCluster_without_a_folder_is_a_member_never_seen(void **state)
{
	struct folders *f = *state;

	register_cluster(f, "m/host/la.yaml", "la");
	register_cluster(f, "m/host/ny.yaml", "ny");
	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	folders_wait_knowledge(f, "la", KNOWLEDGE_SYNCED);
	expect_never(f, "ny");
	assert_non_null(strstr(folders_cluster(f, "ny")->error,
	                       "m/clusters/ny: No such file or directory"));
	assert_int_equal(folders_cluster(f, "")->knowledge, KNOWLEDGE_SYNCED);
	assert_int_equal(folders_errors(f), 0);
	folders_turn(f, 1000);
	expect_never(f, "ny");
	folders_service(f, "m/clusters/ny/b.yaml", "b", "192.0.2.2");
	folders_wait_address(f, "ny", "b", "192.0.2.2");
	folders_wait_knowledge(f, "ny", KNOWLEDGE_SYNCED);
}

static void test_it_is_one_also_where_no_other_has_a_folder(void **state)
{
	struct folders *f = *state;

	register_cluster(f, "m/host/la.yaml", "la");
	folders_mkdir(f, "m/clusters");
	folders_start(f, "m", NULL);
	expect_never(f, "la");
}

static void test_without_clusters_nobody_is_waited_for(void **state)
{
	struct folders *f = *state;

	register_cluster(f, "m/host/la.yaml", "la");
	folders_start(f, "m", NULL);
	assert_int_equal(facts_cluster_count(f->facts), 1);
	folders_mkdir(f, "m/clusters");
	folders_wait_knowledge(f, "la", KNOWLEDGE_NEVER);
}

static void test_it_comes_and_goes_with_its_KubeFedCluster(void **state)
{
	struct folders *f = *state;

	folders_mkdir(f, "m/host");
	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	register_cluster(f, "m/host/ny.yaml", "ny");
	folders_wait_knowledge(f, "ny", KNOWLEDGE_NEVER);
	folders_remove(f, "m/host/ny.yaml");
	folders_wait_gone(f, "ny");
}

static void test_it_is_known_to_be_missing_from_the_start_of_a_reload(void **state)
{
	struct folders *f = *state;

	register_cluster(f, "m/host/ny.yaml", "ny");
	folders_mkdir(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	folders_stop(f);
	folders_rename(f, "m", "away");
	folders_start(f, "m", NULL);
	expect_never(f, "ny");
	assert_int_equal(folders_cluster(f, "")->knowledge, KNOWLEDGE_UNSEEN);
}

static void test_a_KubeFedCluster_whose_name_no_folder_has_is_no_member(void **state)
{
	struct folders *f = *state;

	register_cluster(f, "m/host/a.yaml", "../host");
	register_cluster(f, "m/host/b.yaml", "..");
	folders_mkdir(f, "m/clusters");
	folders_start(f, "m", NULL);
	assert_int_equal(facts_cluster_count(f->facts), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, folders_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_KubeFedCluster_without_a_folder_is_a_member_never_seen),
		TEST(test_it_is_one_also_where_no_other_has_a_folder),
		TEST(test_without_clusters_nobody_is_waited_for),
		TEST(test_it_comes_and_goes_with_its_KubeFedCluster),
		TEST(test_it_is_known_to_be_missing_from_the_start_of_a_reload),
		TEST(test_a_KubeFedCluster_whose_name_no_folder_has_is_no_member),
	};

	return cmocka_run_group_tests_name("watcher/manifests_names", tests, NULL, NULL);
}
