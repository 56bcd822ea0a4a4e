/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "propagator/threshold.h"
#include "tests/support/propagator_json.h"

static bool is_true(struct json_object *probe)
{
	return strcmp(json_object_get_string(json_object_array_get_idx(probe, 0)), "True") == 0;
}

static int64_t number(struct json_object *list, size_t i)
{
	return json_object_get_int64(json_object_array_get_idx(list, i));
}

/* Case 3 is where KubeFed's code and its meaning part: after three good probes it takes the first bad one
 * (expected: False).  Counted as it was meant, that one is the first of three. */
enum { CASE_OF_THE_BUG = 3 };

static void test_kubefed_s_vectors_but_for_its_bug(void **state)
{
	struct json_object *set = json_vectors("misc_vectors.json", "health_threshold");
	struct json_object *cases = json_member(set, "cases");
	struct json_object *config = json_member(set, "config");

	(void)state;
	assert_int_equal(json_object_array_length(cases), 5);
	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *c = json_object_array_get_idx(cases, i);
		struct json_object *probe = json_member(c, "probe");
		struct json_object *stored = json_member(c, "stored");
		struct json_object *want =
			json_member(c, i == CASE_OF_THE_BUG ? "stored" : "expected");
		struct threshold t = {0};
		bool taken;

		if (stored)
			t = threshold_known(is_true(stored), number(stored, 1), number(stored, 2));
		taken = threshold_heed(
			&t, is_true(probe), number(probe, 1),
			json_object_get_int64(json_member(config, "failureThreshold")),
			json_object_get_int64(json_member(config, "successThreshold")));
		assert_int_equal(t.is_ready, is_true(want));
		assert_int_equal(t.probed_at_s, number(probe, 1));
		assert_int_equal(t.changed_at_s, number(want, 2));
		assert_int_equal(taken, is_true(want) == is_true(probe));
	}
}

/* One letter for a probe, one for what holds after it. */
static void assert_history(int64_t failures, int64_t successes, const char *probes,
                           const char *want)
{
	struct threshold t = {0};

	for (size_t i = 0; probes[i]; i++) {
		bool was = t.is_ready, known = t.is_known;
		bool taken = threshold_heed(&t, probes[i] == 'r', (int64_t)i, failures, successes);

		if (t.is_ready != (want[i] == 'r'))
			fail_msg("%s: after %zu it is %d", probes, i + 1, t.is_ready);
		assert_int_equal(taken, want[i] == probes[i]);
		assert_int_equal(t.probed_at_s, i);
		if (!known || was != t.is_ready)
			assert_int_equal(t.changed_at_s, i);
	}
}

static void test_only_probes_in_a_row_turn_it(void **state)
{
	(void)state;
	assert_history(3, 1, "rrrrr.rr..r...r", "rrrrrrrrrrrrr.r");
	assert_history(1, 1, "r.r.", "r.r.");
	assert_history(2, 3, ".rr.rrr.r..", "......rrrr.");
	/* The first is taken as it is, and counts that are no counts are 1. */
	assert_history(3, 3, ".", ".");
	assert_history(0, -1, "r.r", "r.r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_kubefed_s_vectors_but_for_its_bug),
		JSON_TEST(test_only_probes_in_a_row_turn_it),
	};

	return cmocka_run_group_tests_name("propagator/threshold", tests, NULL, NULL);
}
