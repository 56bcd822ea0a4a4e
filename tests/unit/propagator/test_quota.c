/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { A_MINUTE = 300, BEGIN_MS = 1000000, STEP_MS = 100, MINUTE_MS = 60000 };

static unsigned take_all(struct quota *q, const char *name, uint64_t now_ms)
{
	unsigned count = 0;

	while (quota_take(q, quota_share(q, name), now_ms))
		count++;
	return count;
}

/* Who asks for as many as there are, all the time. */
struct greedy {
	const char *name;
	unsigned taken;
};

static void let_pass(struct quota *q, struct greedy *greedy, size_t count, uint64_t *now_ms,
                     unsigned ms)
{
	for (uint64_t end_ms = *now_ms + ms; *now_ms < end_ms; *now_ms += STEP_MS)
		for (size_t i = 0; i < count; i++)
			greedy[i].taken += take_all(q, greedy[i].name, *now_ms);
}

static void test_one_alone_has_all_of_it(void **state)
{
	struct quota *q = quota_new(A_MINUTE);
	struct greedy one = {"", 0};
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	assert_int_equal(take_all(q, "", now_ms), A_MINUTE);
	let_pass(q, &one, 1, &now_ms, MINUTE_MS);
	assert_in_range(one.taken, A_MINUTE - 2, A_MINUTE);
	/* It does not heap up. */
	assert_in_range(take_all(q, "", now_ms + 100 * (uint64_t)MINUTE_MS), A_MINUTE - 1,
	                A_MINUTE);
	quota_free(q);
}

static void test_who_comes_late_has_its_part_however_greedy_another_is(void **state)
{
	struct quota *q = quota_new(A_MINUTE);
	struct greedy both[] = {{"gondor", 0}, {"rohan", 0}};
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	let_pass(q, both, 1, &now_ms, 10 * MINUTE_MS);
	assert_true(both[0].taken >= 9 * A_MINUTE);
	/* At once, and from then on: "" has a third part, which is lent. */
	assert_true(take_all(q, "rohan", now_ms) >= A_MINUTE / 3 / 2);
	both[0].taken = both[1].taken = 0;
	let_pass(q, both, 2, &now_ms, 10 * MINUTE_MS);
	assert_true(both[1].taken >= 10 * A_MINUTE / 3 - 2);
	assert_true(both[0].taken + both[1].taken <= 10 * A_MINUTE + A_MINUTE);
	quota_free(q);
}

static void test_of_very_many_each_has_its_turn_and_all_together_no_more(void **state)
{
	enum { MANY = 600, MINUTES = 10 };
	static char names[MANY][8];
	static struct greedy all[MANY];
	struct quota *q = quota_new(A_MINUTE);
	unsigned sum = 0, burst = MANY + A_MINUTE;
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		all[i] = (struct greedy){names[i], 0};
		(void)quota_share(q, names[i]);
	}
	let_pass(q, all, MANY, &now_ms, MINUTES * MINUTE_MS);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(all[i].taken >= MINUTES * A_MINUTE / (MANY + 1) - 1);
		sum += all[i].taken;
	}
	assert_true(sum <= MINUTES * A_MINUTE + burst);
	quota_free(q);
}

static void test_there_are_only_so_many_shares(void **state)
{
	struct quota *q = quota_new(A_MINUTE);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 2 * QUOTA_SHARES_MOST; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		(void)quota_share(q, name);
	}
	assert_int_equal(quota_count(q), QUOTA_SHARES_MOST);
	assert_ptr_equal(quota_share(q, "one more"), quota_share(q, ""));
	quota_drop(q, "m5");
	quota_drop(q, "m5");
	quota_drop(q, "");
	assert_int_equal(quota_count(q), QUOTA_SHARES_MOST - 1);
	assert_string_equal(quota_share(q, "one more")->name, "one more");
	assert_string_equal(quota_at(q, 0)->name, "");
	quota_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_alone_has_all_of_it),
		cmocka_unit_test(test_who_comes_late_has_its_part_however_greedy_another_is),
		cmocka_unit_test(test_of_very_many_each_has_its_turn_and_all_together_no_more),
		cmocka_unit_test(test_there_are_only_so_many_shares),
	};

	return cmocka_run_group_tests_name("propagator/quota", tests, NULL, NULL);
}
