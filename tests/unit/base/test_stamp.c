/* A stamp tells a changed file from one that rests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/stamp.h"

static void test_a_change_of_content_length_or_place_shows_and_rest_does_not(void **state)
{
	char path[] = "/tmp/nigh-stamp-XXXXXX", other[sizeof path + 4];
	struct stamp none = {0}, first, now;
	int fd = mkstemp(path);

	(void)state;
	first = stamp_at(path);
	now = stamp_at(path);
	assert_true(stamp_equal(&first, &now));
	assert_false(stamp_equal(&first, &none));
	assert_int_equal(write(fd, "x", 1), 1);
	now = stamp_at(path);
	assert_false(stamp_equal(&first, &now));
	first = now;
	snprintf(other, sizeof other, "%s.new", path);
	assert_int_equal(rename(path, other), 0);
	now = stamp_at(path);
	assert_true(stamp_equal(&now, &none));
	close(fd);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	now = stamp_at(path);
	assert_false(stamp_equal(&first, &now));
	unlink(path);
	unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_change_of_content_length_or_place_shows_and_rest_does_not),
	};

	return cmocka_run_group_tests_name("base/stamp", tests, NULL, NULL);
}
