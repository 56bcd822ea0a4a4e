/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "propagator/plan.h"

struct row {
	struct plan_about about;
	struct plan plan;
};

/* What KubeFed's controllers decided. */
static const struct row rows[] = {
	{{.placed = true}, {PLAN_NOTHING, STATE_CLUSTER_NOT_READY, true}},
	{{.placed = true, .has_copy = true}, {PLAN_NOTHING, STATE_CLUSTER_NOT_READY, true}},
	{{.placed = false}, {PLAN_NOTHING, STATE_FINE, false}},
	{{.has_copy = true}, {PLAN_NOTHING, STATE_FINE, false}},
	{{.is_ready = true, .is_seen = true}, {PLAN_NOTHING, STATE_FINE, false}},
	{{.is_ready = true, .is_seen = true, .has_copy = true, .is_deleting = true},
         {PLAN_NOTHING, STATE_WAITING_FOR_REMOVAL, true}},
	{{.is_ready = true, .is_seen = true, .has_copy = true, .is_hosts = true},
         {PLAN_UNLABEL, STATE_LABEL_REMOVAL_TIMED_OUT, true}},
	{{.is_ready = true, .is_seen = true, .has_copy = true},
         {PLAN_DELETE, STATE_DELETION_TIMED_OUT, true}},
	{{.is_ready = true, .is_seen = true, .has_copy = true, .end = PLAN_END_ORPHAN},
         {PLAN_UNLABEL, STATE_LABEL_REMOVAL_TIMED_OUT, true}},
	{{.placed = true, .is_ready = true, .is_seen = true},
         {PLAN_CREATE, STATE_CREATION_TIMED_OUT, true}},
	{{.placed = true, .is_ready = true, .is_seen = true, .has_copy = true},
         {PLAN_UPDATE, STATE_UPDATE_TIMED_OUT, true}},
	{{.placed = true, .is_ready = true, .is_seen = true, .has_copy = true, .is_current = true},
         {PLAN_NOTHING, STATE_FINE, true}},
	{{.placed = true, .is_ready = true, .is_seen = true, .has_copy = true, .is_deleting = true},
         {PLAN_NOTHING, STATE_WAITING_FOR_REMOVAL, true}},
	{{.placed = true, .is_ready = true, .is_seen = true, .has_copy = true, .is_drift = true},
         {PLAN_UPDATE, STATE_UPDATE_TIMED_OUT, true}},
	{{.placed = true,
          .is_ready = true,
          .is_seen = true,
          .has_copy = true,
          .is_drift = true,
          .reports_drift = true},
         {PLAN_NOTHING, STATE_DRIFTED, true}},
	/* What cannot be seen may be there. */
	{{.placed = true, .is_ready = true}, {PLAN_NOTHING, STATE_CACHED_RETRIEVAL_FAILED, true}},
};

static void test_each_case_has_its_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct plan plan = plan_for(&rows[i].about);

		if (plan.step != rows[i].plan.step || plan.state != rows[i].plan.state ||
		    plan.is_listed != rows[i].plan.is_listed)
			fail_msg("row %zu: step %d state %d listed %d", i, (int)plan.step,
			         (int)plan.state, plan.is_listed);
	}
}

/* Whatever a cluster is like that is not ready: nothing is sent there. */
static void test_nothing_is_sent_to_a_cluster_that_is_not_ready(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct plan_about about = {
			.placed = bits & 1,
			.is_seen = bits & 2,
			.has_copy = bits & 4,
			.is_deleting = bits & 8,
			.is_current = bits & 16,
			.is_hosts = bits & 32,
		};

		assert_int_equal(plan_for(&about).step, PLAN_NOTHING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_case_has_its_step),
		cmocka_unit_test(test_nothing_is_sent_to_a_cluster_that_is_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
