/* What a scan makes of a folder that changes under it, by how patient it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/watcher_folders.h"
#include "watcher/manifests_scan.h"

/* An entry that lists do not show, as may happen while names come and go. */
static const char *hidden;
/* Done once, when a folder has been listed and read and is about to be listed again. */
static void (*between)(struct folders *f);
static struct folders *folders_between;
static bool listed;

/* In place of the one of libc, for all of this program. */
struct dirent *readdir(DIR *dir)
{
	void *next = dlsym(RTLD_NEXT, "readdir");
	struct dirent *(*real)(DIR *), *d;

	*(void **)&real = next;
	if (listed && between) {
		void (*now)(struct folders * f) = between;

		between = NULL;
		now(folders_between);
	}
	do
		d = real(dir);
	while (d && hidden && strcmp(d->d_name, hidden) == 0);
	listed = listed || !d;
	return d;
}

/* The tree of m/clusters/la, or NULL when the scan is not settled. */
static struct manifests_tree *scan(struct folders *f, enum manifests_patience patience,
                                   void (*change)(struct folders *f),
                                   const struct manifests_tree *before)
{
	struct manifests_scan_settings settings = {
		.role = DECODE_MEMBER, .inotify = -1, .patience = patience};
	char path[128];
	struct manifests_wanted wanted = {.path = path};
	struct manifests_scan *s;
	struct manifests_tree *tree;
	bool settled;

	(void)snprintf(path, sizeof(path), "%s/m/clusters/la", f->root);
	folders_between = f;
	between = change;
	listed = false;
	s = manifests_scan_new(&settings, &wanted, 1, before);
	while (!manifests_scan_step(s))
		;
	tree = manifests_scan_take(s, &settled);
	manifests_scan_free(s);
	assert_null(between);
	if (settled)
		return tree;
	manifests_tree_unref(tree);
	return NULL;
}

static void expect_files(struct manifests_tree *tree, size_t count, bool restless)
{
	assert_non_null(tree);
	assert_int_equal(tree->file_count, count);
	assert_int_equal(tree->restless, restless);
	manifests_tree_unref(tree);
}

static void replace_a(struct folders *f)
{
	folders_service(f, "m/clusters/la/.new", "a", "192.0.2.9");
	folders_rename(f, "m/clusters/la/.new", "m/clusters/la/a.yaml");
}

static void test_files_that_change_under_a_scan_are_waited_for_first(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/b.yaml", "b", "192.0.2.2");
	assert_null(scan(f, MANIFESTS_WAIT_FOR_ALL, replace_a, NULL));
	expect_files(scan(f, MANIFESTS_WAIT_FOR_LINKS, replace_a, NULL), 2, true);
	expect_files(scan(f, MANIFESTS_TAKE_ANY, replace_a, NULL), 2, true);
}

static void swap_link(struct folders *f) { folders_link(f, "..v2", "m/clusters/la/..data"); }

static void test_links_that_move_under_a_scan_are_waited_for_longer(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/..v1/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/..v2/a.yaml", "a", "192.0.2.2");
	folders_link(f, "..data/a.yaml", "m/clusters/la/a.yaml");
	folders_link(f, "..v1", "m/clusters/la/..data");
	assert_null(scan(f, MANIFESTS_WAIT_FOR_ALL, swap_link, NULL));
	folders_link(f, "..v1", "m/clusters/la/..data");
	assert_null(scan(f, MANIFESTS_WAIT_FOR_LINKS, swap_link, NULL));
	folders_link(f, "..v1", "m/clusters/la/..data");
	expect_files(scan(f, MANIFESTS_TAKE_ANY, swap_link, NULL), 1, true);
}

static void swap_folder(struct folders *f)
{
	folders_rename(f, "m/clusters/la", "away");
	folders_mkdir(f, "m/clusters/la");
}

static void test_so_is_another_folder_in_its_place(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	assert_null(scan(f, MANIFESTS_WAIT_FOR_LINKS, swap_folder, NULL));
}

static void test_a_name_that_lists_lack_during_changes_is_not_gone(void **state)
{
	struct folders *f = *state;
	struct manifests_tree *before;

	folders_service(f, "m/clusters/la/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/la/b.yaml", "b", "192.0.2.2");
	folders_service(f, "m/clusters/la/c.yaml", "c", "192.0.2.3");
	before = scan(f, MANIFESTS_WAIT_FOR_ALL, NULL, NULL);
	assert_non_null(before);
	folders_remove(f, "m/clusters/la/c.yaml");
	hidden = "b.yaml";
	expect_files(scan(f, MANIFESTS_WAIT_FOR_LINKS, replace_a, before), 2, true);
	hidden = NULL;
	manifests_tree_unref(before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, folders_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_that_change_under_a_scan_are_waited_for_first),
		TEST(test_links_that_move_under_a_scan_are_waited_for_longer),
		TEST(test_so_is_another_folder_in_its_place),
		TEST(test_a_name_that_lists_lack_during_changes_is_not_gone),
	};

	return cmocka_run_group_tests_name("watcher/manifests_scan", tests, NULL, NULL);
}
