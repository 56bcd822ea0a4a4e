/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "records/facts.h"
#include "tests/support/watcher_folders.h"
#include "watcher/manifests_roots.h"

/* An entry that an error hides: lists end without it and in EIO.  NULL: there is no error. */
static _Atomic(const char *) hidden;

/* In place of the one of libc, for all of this program. */
struct dirent *readdir(DIR *dir)
{
	void *next = dlsym(RTLD_NEXT, "readdir");
	const char *name = hidden;
	struct dirent *(*real)(DIR *), *d;

	*(void **)&real = next;
	do
		d = real(dir);
	while (d && name && strcmp(d->d_name, name) == 0);
	if (!d && name)
		errno = EIO;
	return d;
}

static struct manifests_roots *look(struct folders *f)
{
	char path[80];
	char *dirs[1] = {path};

	(void)snprintf(path, sizeof(path), "%s/m", f->root);
	return manifests_roots_read(dirs, 1, true);
}

static void make_members(struct folders *f, int count)
{
	char path[128];

	folders_mkdir(f, "m/clusters");
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/m/clusters/c%04d", f->root, i);
		assert_int_equal(mkdir(path, 0700), 0);
	}
}

static void test_a_list_that_was_read_to_its_end_has_no_error(void **state)
{
	struct manifests_roots *r;

	make_members(*state, FACTS_MAX_CLUSTERS);
	folders_write(*state, "m/clusters/README.md", "not a folder");
	r = look(*state);
	assert_int_equal(r->roots[0].members_error, 0);
	assert_int_equal(r->roots[0].member_count, FACTS_MAX_CLUSTERS);
	manifests_roots_free(r);
}

static void test_more_members_than_there_can_be_are_an_error(void **state)
{
	struct manifests_roots *r;

	make_members(*state, FACTS_MAX_CLUSTERS + 1);
	r = look(*state);
	assert_int_equal(r->roots[0].members_error, EOVERFLOW);
	assert_int_equal(r->roots[0].member_count, FACTS_MAX_CLUSTERS);
	manifests_roots_free(r);
}

static void test_an_error_of_the_list_leaves_the_directory_what_it_was(void **state)
{
	struct manifests_roots *r, *whole;

	make_members(*state, 10);
	whole = look(*state);
	hidden = "c0005";
	r = look(*state);
	hidden = NULL;
	assert_int_equal(r->roots[0].members_error, EIO);
	assert_int_equal(r->roots[0].member_count, 9);
	assert_true(manifests_roots_same_tops(r, whole));
	manifests_roots_free(r);
	manifests_roots_free(whole);
}

static void test_a_member_that_an_error_hides_is_not_gone(void **state)
{
	struct folders *f = *state;

	make_members(f, 10);
	folders_service(f, "m/clusters/c0000/a.yaml", "a", "192.0.2.1");
	folders_service(f, "m/clusters/c0001/a.yaml", "a", "192.0.2.1");
	folders_start(f, "m", NULL);
	hidden = "c0001";
	folders_turn(f, 1500);
	hidden = NULL;
	for (int i = 0; i < 10; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "c%04d", i);
		assert_true(folders_cluster(f, name)->registered);
	}
	assert_string_equal(folders_address(f, "c0000", "a"), "192.0.2.1");
	assert_string_equal(folders_address(f, "c0001", "a"), "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_list_that_was_read_to_its_end_has_no_error,
	                                        folders_setup, folders_teardown),
		cmocka_unit_test_setup_teardown(test_more_members_than_there_can_be_are_an_error,
	                                        folders_setup, folders_teardown),
		cmocka_unit_test_setup_teardown(
			test_an_error_of_the_list_leaves_the_directory_what_it_was, folders_setup,
			folders_teardown),
		cmocka_unit_test_setup_teardown(test_a_member_that_an_error_hides_is_not_gone,
	                                        folders_setup, folders_teardown),
	};

	return cmocka_run_group_tests_name("watcher/manifests_roots", tests, NULL, NULL);
}
