/* check.c -- nighd --check over folders: what is an error, what a warning, and where it stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/world.h"

/* nighd --check over the manifests ends with that status and tells the line, whose %M is their folder. */
static void check_tells(struct world *w, int status, const char *line)
{
	char dir[256], expected[1024];
	const char *const argv[] = {"$NIGHD", "--check", "--manifests", dir, NULL};
	size_t len = 0;

	snprintf(dir, sizeof(dir), "%s", world_path(w, "manifests"));
	for (const char *rest = line; *rest != '\0'; rest++) {
		bool is_dir = rest[0] == '%' && rest[1] == 'M';

		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%.*s",
		                        is_dir ? (int)strlen(dir) : 1, is_dir ? dir : rest);
		rest += is_dir;
	}
	world_expect_run(w, argv, status, expected);
}

static void test_a_world_that_deserves_only_a_warning_is_fine(void **state)
{
	struct world *w = *state;

	world_three_cities(w);
	world_folder(w, "manifests/clusters/nowhere");
	check_tells(w, 0, "warning: cluster nowhere: has no location: ranked last\n");
}

static void test_a_folder_that_is_not_there_is_a_warning(void **state)
{
	struct world *w = *state;

	world_remove(w, "manifests");
	check_tells(w, 0, "warning: %M/host: No such file or directory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_world_that_deserves_only_a_warning_is_fine),
		world_test(test_a_folder_that_is_not_there_is_a_warning),
	};

	return cmocka_run_group_tests_name("scenario/check", tests, NULL, NULL);
}
