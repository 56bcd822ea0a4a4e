/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "records/notes.h"

struct seen {
	size_t count;
	char first[128], last[128];
};

static void on_problem(const char *where, const char *message, void *arg)
{
	struct seen *s = arg;

	snprintf(s->last, sizeof(s->last), "%s: %s", where, message);
	if (s->count++ == 0)
		memcpy(s->first, s->last, sizeof(s->first));
}

static void test_a_subject_is_said_anew_as_a_whole(void **state)
{
	struct notes *n = notes_new();
	struct seen s = {0};

	(void)state;
	notes_begin(n, NOTES_OF_SOURCE, 1);
	notes_problem(n, "b", "old %d", 1);
	notes_problem(n, "b", "old %d", 2);
	notes_begin(n, NOTES_OF_OBJECT, 1);
	notes_problem(n, "a", "stays");
	assert_true(notes_changed(n));
	assert_false(notes_changed(n));
	notes_begin(n, NOTES_OF_SOURCE, 1);
	notes_problem(n, "b", "new");
	notes_problem(n, "b", "new");
	assert_true(notes_changed(n));
	notes_each_problem(n, on_problem, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.first, "a: stays");
	assert_string_equal(s.last, "b: new");
	notes_begin(n, NOTES_OF_SOURCE, 1);
	notes_problem(n, "b", "new");
	assert_false(notes_changed(n));
	notes_free(n);
}

static void test_too_many_are_counted(void **state)
{
	struct notes *n = notes_new();
	struct seen s = {0};

	(void)state;
	for (uint64_t subject = 0; subject < 60; subject++) {
		notes_begin(n, NOTES_OF_SOURCE, subject);
		for (int i = 0; i < 25; i++)
			notes_problem(n, "x", "line %d of %d", i, (int)subject);
	}
	notes_each_problem(n, on_problem, &s);
	assert_int_equal(s.count, 1001);
	assert_string_equal(s.last, "records: 500 more problems");
	notes_free(n);
}

static void test_nobody_need_listen(void **state)
{
	(void)state;
	notes_problem(NULL, "x", "y");
	notes_conflict(NULL, "x", "y", "z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_subject_is_said_anew_as_a_whole),
		cmocka_unit_test(test_too_many_are_counted),
		cmocka_unit_test(test_nobody_need_listen),
	};

	return cmocka_run_group_tests_name("records/notes", tests, NULL, NULL);
}
