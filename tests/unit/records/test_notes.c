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
	size_t warnings;
	uint16_t cluster; /* of the last */
};

static void on_problem(const struct records_problem *problem, void *arg)
{
	struct seen *s = arg;

	snprintf(s->last, sizeof(s->last), "%s: %s", problem->where, problem->message);
	s->warnings += problem->is_warning;
	s->cluster = problem->cluster;
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

static void test_what_two_subjects_say_alike_is_one_line(void **state)
{
	struct notes *n = notes_new();
	struct seen s = {0};

	(void)state;
	for (uint64_t subject = 0; subject < 3; subject++) {
		notes_begin(n, NOTES_OF_SOURCE, subject);
		notes_problem_in(n, 1, "a", "the same");
		notes_problem_in(n, 1, "b", "of subject %d", (int)subject);
	}
	notes_each_problem(n, on_problem, &s);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.first, "a: the same");
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
	assert_int_equal(s.warnings, 0);
	notes_free(n);
}

static void test_more_warnings_than_are_shown_are_still_warnings(void **state)
{
	struct notes *n = notes_new();
	struct seen s = {0};
	char where[32];

	(void)state;
	notes_begin(n, NOTES_OF_CLUSTERS, 0);
	for (int i = 0; i < 30; i++) {
		snprintf(where, sizeof(where), "cluster %d", i);
		notes_warning(n, where, "is so");
	}
	notes_each_problem(n, on_problem, &s);
	assert_string_equal(s.last, "records: 10 more problems");
	assert_int_equal(s.warnings, s.count);
	notes_free(n);
}

static void test_a_problem_knows_whose_object_it_is(void **state)
{
	struct notes *n = notes_new();
	struct seen s = {0};

	(void)state;
	notes_begin(n, NOTES_OF_OBJECT, 1);
	notes_problem_in(n, 7, "Service shop/web", "is %s", "so");
	notes_each_problem(n, on_problem, &s);
	assert_string_equal(s.last, "Service shop/web: is so");
	assert_int_equal(s.cluster, 7);
	notes_free(n);
}

static void test_nobody_need_listen(void **state)
{
	(void)state;
	notes_problem(NULL, "x", "y");
	notes_problem_in(NULL, 1, "x", "y");
	notes_warning(NULL, "x", "y");
	notes_conflict(NULL, &(struct records_conflict){.name = "x", .winner = "y", .loser = "z"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_subject_is_said_anew_as_a_whole),
		cmocka_unit_test(test_what_two_subjects_say_alike_is_one_line),
		cmocka_unit_test(test_too_many_are_counted),
		cmocka_unit_test(test_more_warnings_than_are_shown_are_still_warnings),
		cmocka_unit_test(test_a_problem_knows_whose_object_it_is),
		cmocka_unit_test(test_nobody_need_listen),
	};

	return cmocka_run_group_tests_name("records/notes", tests, NULL, NULL);
}
