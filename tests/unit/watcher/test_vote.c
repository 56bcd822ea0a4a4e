/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "watcher/vote.h"

enum { NOW = 1000000, PERIOD = 2000, MANY = 100000 };

static const struct hash_key KEY = {1, 2};
static const struct vote_key HOUSTON = {10, 20};

static struct vote *vote_of(unsigned replicas)
{
	struct vote *v = vote_new(&KEY);

	for (unsigned i = 0; i < replicas; i++)
		assert_true(vote_hear(v, i, 1, true, NOW));
	vote_turn(v, NOW);
	return v;
}

/* 'u', 'd' and '?' of each replica, oneself first. */
static struct vote *vote_with(const char *views)
{
	unsigned count = 0;
	struct vote *v;

	while (views[count] != '\0')
		count++;
	v = vote_of(count);
	for (unsigned i = 0; i < count; i++)
		assert_true(vote_see(v, i, &HOUSTON,
		                     views[i] == 'u'   ? VOTE_UP
		                     : views[i] == 'd' ? VOTE_DOWN
		                                       : VOTE_UNKNOWN));
	return v;
}

static struct vote_ballot count(struct vote *v, uint64_t see_cluster)
{
	struct vote_opinion *o = vote_watch(v, &HOUSTON);
	struct vote_ballot b = vote_count(v, o, see_cluster);

	vote_unwatch(v, o);
	return b;
}

static bool decide(struct vote *v, bool was) { return vote_decide(v, count(v, 0), was, true); }

static bool is_withdrawn(const char *views, bool was)
{
	struct vote *v = vote_with(views);
	bool is = decide(v, was);

	vote_free(v);
	return is;
}

static void test_two_of_five_that_lose_sight_withdraw_nothing(void **state)
{
	(void)state;
	assert_false(is_withdrawn("dduuu", false));
	assert_true(is_withdrawn("ddduu", false));
}

static void test_half_is_not_a_majority(void **state)
{
	(void)state;
	assert_false(is_withdrawn("du", false));
	assert_false(is_withdrawn("dduu", false));
	assert_true(is_withdrawn("dd", false));
}

static void test_one_alone_decides_alone(void **state)
{
	(void)state;
	assert_true(is_withdrawn("d", false));
	assert_false(is_withdrawn("u", true));
}

static void test_who_does_not_know_counts_against_withdrawal(void **state)
{
	(void)state;
	assert_false(is_withdrawn("d??", false));
	assert_false(is_withdrawn("dd??", false));
	assert_true(is_withdrawn("dd?", false));
}

static void test_who_does_not_know_brings_nothing_back(void **state)
{
	(void)state;
	assert_true(is_withdrawn("d??", true));
	assert_true(is_withdrawn("???", true));
	assert_true(is_withdrawn("du?", true));
	assert_true(is_withdrawn("dduu?", true));
	assert_false(is_withdrawn("du", true));
	assert_false(is_withdrawn("duu??", true));
	assert_false(is_withdrawn("u??", true));
}

static void test_what_nobody_knows_or_probes_is_not_withdrawn(void **state)
{
	struct vote *v = vote_with("??");

	(void)state;
	assert_false(vote_decide(v, count(v, 0), true, false));
	vote_free(v);
}

static uint64_t who_sees(struct vote *v, const struct vote_key *cluster)
{
	struct vote_opinion *o = vote_watch(v, cluster);
	uint64_t by = vote_see_cluster(o);

	vote_unwatch(v, o);
	return by;
}

static void test_who_sees_a_clusters_api_sees_its_addresses_up(void **state)
{
	struct vote *v = vote_with("dd?");
	struct vote_key cluster = vote_key_of_cluster(bytes_of("houston"));

	(void)state;
	assert_true(decide(v, false));
	/* One's own failed probe says more than that. */
	assert_true(vote_see(v, 1, &cluster, VOTE_UP));
	assert_true(vote_see(v, 2, &cluster, VOTE_UP));
	assert_int_equal(count(v, who_sees(v, &cluster)).up, 4);
	assert_int_equal(count(v, who_sees(v, &cluster)).down, 3);
	vote_free(v);
	v = vote_with("d??");
	assert_true(vote_see(v, 1, &cluster, VOTE_UP));
	assert_true(vote_see(v, 2, &cluster, VOTE_UP));
	assert_false(vote_decide(v, count(v, who_sees(v, &cluster)), true, true));
	vote_free(v);
}

static void test_silence_of_more_than_three_seconds_ends_a_vote(void **state)
{
	struct vote *v = vote_with("duu");

	(void)state;
	assert_false(vote_turn(v, NOW + VOTE_HEARD_MS));
	assert_false(decide(v, false));
	assert_true(vote_turn(v, NOW + VOTE_HEARD_MS + 1));
	assert_int_equal(vote_voters(v), 1);
	assert_true(decide(v, false));
	assert_true(vote_hear(v, 1, 2, true, NOW + 5000));
	assert_true(vote_turn(v, NOW + 5000));
	assert_false(decide(v, false));
	vote_free(v);
}

static void test_who_reaches_no_site_has_no_vote(void **state)
{
	struct vote *v = vote_with("d??");

	(void)state;
	assert_true(vote_hear(v, 1, 2, false, NOW));
	assert_true(vote_hear(v, 2, 2, false, NOW));
	assert_true(vote_turn(v, NOW));
	assert_true(decide(v, false));
	vote_free(v);
}

static void test_without_voters_all_stays_as_it_was(void **state)
{
	struct vote *v = vote_with("d");

	(void)state;
	assert_false(vote_is_frozen(v));
	assert_true(vote_hear(v, 0, 2, false, NOW));
	assert_true(vote_turn(v, NOW));
	assert_true(vote_is_frozen(v));
	assert_false(decide(v, false));
	assert_true(decide(v, true));
	assert_true(vote_decide(v, count(v, 0), true, false));
	vote_free(v);
}

static void test_who_reaches_nothing_goes_by_the_others(void **state)
{
	struct vote *v = vote_with("?dd");

	(void)state;
	assert_true(vote_hear(v, 0, 2, false, NOW));
	assert_true(vote_turn(v, NOW));
	assert_false(vote_is_frozen(v));
	assert_true(decide(v, false));
	vote_free(v);
}

static void test_an_older_message_changes_nothing(void **state)
{
	struct vote *v = vote_with("du");

	(void)state;
	assert_true(vote_hear(v, 1, 7, true, NOW + 1));
	assert_false(vote_hear(v, 1, 6, false, NOW + 2));
	assert_int_equal(vote_heard_ms(v, 1), NOW + 1);
	assert_true(vote_hear(v, 1, 7, true, NOW + 3));
	vote_free(v);
}

static struct vote_probed down(void) { return (struct vote_probed){.down = true}; }

static void test_failures_are_believed_when_something_else_succeeds_between(void **state)
{
	struct vote_probed p = down(), other = {0};
	uint64_t last_ms = NOW - 1;

	(void)state;
	vote_note_failure(&p, NOW, last_ms);
	vote_note_failure(&p, NOW + 1, last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_success(&other, NOW + 2, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_failure(&p, NOW + 3, last_ms);
	vote_note_failure(&p, NOW + 4, last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_DOWN);
}

static void test_a_network_that_comes_back_withdraws_nobody(void **state)
{
	struct vote_probed p = down(), other = down();
	uint64_t last_ms = NOW - 1;

	(void)state;
	vote_note_failure(&p, NOW, last_ms);
	vote_note_success(&other, NOW + 10, &last_ms);
	/* This one began before it was back. */
	vote_note_failure(&p, NOW + 15, last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_success(&p, NOW + 20, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	p.down = false;
	vote_note_success(&p, NOW + 30, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UP);
}

static void test_what_was_never_reached_is_not_known(void **state)
{
	struct vote_probed p = {0};
	uint64_t last_ms = 0;

	(void)state;
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_success(&p, NOW, &last_ms);
	assert_int_equal(last_ms, NOW);
	assert_int_equal(vote_view_of(&p), VOTE_UP);
	p = down(); /* before this start */
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
}

static void test_a_bad_answer_is_believed_at_once(void **state)
{
	struct vote_probed p = down();
	uint64_t last_ms = 0;

	(void)state;
	vote_note_bad_answer(&p, NOW, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_DOWN);
	assert_int_equal(last_ms, NOW);
}

static void test_it_is_down_until_it_is_up(void **state)
{
	struct vote_probed p = {.down = true, .is_believed = true};
	uint64_t last_ms = 0;

	(void)state;
	vote_note_success(&p, NOW, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_DOWN);
	p.down = false;
	vote_note_success(&p, NOW, &last_ms);
	assert_int_equal(vote_view_of(&p), VOTE_UP);
	p.down = true;
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
}

static void test_who_reached_nothing_for_a_while_believes_nothing_of_before(void **state)
{
	struct vote_probed p = {.down = true, .is_believed = true, .failing_at_ms = NOW};

	(void)state;
	vote_note_silence(&p);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_failure(&p, NOW + 2, NOW + 1);
	vote_note_failure(&p, NOW + 4, NOW + 3);
	assert_int_equal(vote_view_of(&p), VOTE_UNKNOWN);
	vote_note_failure(&p, NOW + 5, NOW + 3);
	assert_int_equal(vote_view_of(&p), VOTE_DOWN);
}

static void test_a_site_was_reached_within_a_period_and_a_little(void **state)
{
	(void)state;
	assert_true(vote_reaches(NOW, PERIOD, NOW + PERIOD + VOTE_REACH_SLACK_MS));
	assert_false(vote_reaches(NOW, PERIOD, NOW + PERIOD + VOTE_REACH_SLACK_MS + 1));
}

static void test_what_is_said_anew_replaces_what_was_said(void **state)
{
	struct vote *v = vote_with("ddd");
	const struct vote_key other = {11, 21};

	(void)state;
	assert_true(vote_see(v, 1, &other, VOTE_UP));
	assert_int_equal(vote_tally(v, 1).down, 1);
	assert_int_equal(vote_tally(v, 1).up, 1);
	vote_clear(v, 1);
	assert_int_equal(vote_tally(v, 1).down, 0);
	assert_int_equal(vote_tally(v, 1).up, 0);
	assert_int_equal(count(v, 0).down, 5);
	assert_true(vote_see(v, 1, &HOUSTON, VOTE_UP));
	assert_int_equal(count(v, 0).up, 2);
	vote_forget(v, 1);
	assert_int_equal(vote_voters(v), 5);
	assert_int_equal(vote_heard_ms(v, 1), 0);
	/* Another one has its number now, and has said nothing yet. */
	assert_true(vote_hear(v, 1, 1, true, NOW));
	vote_turn(v, NOW);
	assert_int_equal(vote_voters(v), 7);
	assert_int_equal(count(v, 0).up, 0);
	assert_int_equal(vote_tally(v, 1).up, 0);
	vote_clear(v, 0);
	vote_clear(v, 2);
	assert_int_equal(count(v, 0).down, 0);
	vote_free(v);
}

static void test_one_replica_cannot_fill_the_memory(void **state)
{
	struct vote *v = vote_of(2);
	struct vote_key key = {0, 1};

	(void)state;
	for (key.a = 0; key.a < VOTE_MOST_KEYS; key.a++)
		assert_true(vote_see(v, 1, &key, VOTE_DOWN));
	assert_false(vote_see(v, 1, &key, VOTE_DOWN));
	key.a = 5;
	assert_true(vote_see(v, 1, &key, VOTE_UP)); /* it may change its mind */
	assert_true(vote_see(v, 1, &key, VOTE_UNKNOWN));
	key.a = VOTE_MOST_KEYS;
	assert_true(vote_see(v, 1, &key, VOTE_DOWN));
	vote_free(v);
}

static void test_keys_differ_by_address_port_check_and_kind(void **state)
{
	struct addr a, b;
	struct vote_key key[6];
	struct bytes long_check = {
		(const uint8_t *)"0123456789012345678901234567890123456789012345", 46};

	(void)state;
	assert_true(addr_parse(bytes_of("192.0.2.1"), &a));
	assert_true(addr_parse(bytes_of("192.0.2.2"), &b));
	key[0] = vote_key_of_address(&a, 80, bytes_of(""));
	key[1] = vote_key_of_address(&b, 80, bytes_of(""));
	key[2] = vote_key_of_address(&a, 81, bytes_of(""));
	key[3] = vote_key_of_address(&a, 80, bytes_of("http"));
	key[4] = vote_key_of_address(&a, 80, long_check);
	key[5] = vote_key_of_cluster(bytes_of("192.0.2.1"));
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(key[i].a == key[j].a || key[i].b == key[j].b);
	/* Another release must find the same. */
	assert_int_equal(key[0].a, UINT64_C(0x4f60c0b1b35b6ba1));
	assert_int_equal(key[0].b, UINT64_C(0x704cb919e79ca876));
}

static void test_a_hundred_thousand_addresses_are_decided_at_once(void **state)
{
	struct vote *v = vote_of(5);
	struct vote_key key = {0, 7};
	struct vote_opinion **o = xcalloc(MANY, sizeof(*o));
	uint64_t begun_us, took_us;
	size_t down = 0;

	(void)state;
	for (unsigned r = 0; r < 3; r++)
		for (key.a = 0; key.a < MANY; key.a++)
			assert_true(vote_see(v, r, &key, VOTE_DOWN));
	for (key.a = 0; key.a < MANY; key.a++)
		o[key.a] = vote_watch(v, &key);
	begun_us = clock_monotonic_us();
	for (size_t i = 0; i < MANY; i++)
		down += vote_decide(v, vote_count(v, o[i], 0), false, true);
	took_us = clock_monotonic_us() - begun_us;
	assert_int_equal(down, MANY);
	printf("  %d addresses decided in %.1f ms\n", MANY, (double)took_us / 1000);
	free(o);
	vote_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_of_five_that_lose_sight_withdraw_nothing),
		cmocka_unit_test(test_half_is_not_a_majority),
		cmocka_unit_test(test_one_alone_decides_alone),
		cmocka_unit_test(test_who_does_not_know_counts_against_withdrawal),
		cmocka_unit_test(test_who_does_not_know_brings_nothing_back),
		cmocka_unit_test(test_what_nobody_knows_or_probes_is_not_withdrawn),
		cmocka_unit_test(test_who_sees_a_clusters_api_sees_its_addresses_up),
		cmocka_unit_test(test_silence_of_more_than_three_seconds_ends_a_vote),
		cmocka_unit_test(test_who_reaches_no_site_has_no_vote),
		cmocka_unit_test(test_without_voters_all_stays_as_it_was),
		cmocka_unit_test(test_who_reaches_nothing_goes_by_the_others),
		cmocka_unit_test(test_an_older_message_changes_nothing),
		cmocka_unit_test(test_failures_are_believed_when_something_else_succeeds_between),
		cmocka_unit_test(test_a_network_that_comes_back_withdraws_nobody),
		cmocka_unit_test(test_what_was_never_reached_is_not_known),
		cmocka_unit_test(test_a_bad_answer_is_believed_at_once),
		cmocka_unit_test(test_it_is_down_until_it_is_up),
		cmocka_unit_test(test_who_reached_nothing_for_a_while_believes_nothing_of_before),
		cmocka_unit_test(test_a_site_was_reached_within_a_period_and_a_little),
		cmocka_unit_test(test_what_is_said_anew_replaces_what_was_said),
		cmocka_unit_test(test_one_replica_cannot_fill_the_memory),
		cmocka_unit_test(test_keys_differ_by_address_port_check_and_kind),
		cmocka_unit_test(test_a_hundred_thousand_addresses_are_decided_at_once),
	};

	return cmocka_run_group_tests_name("watcher/vote", tests, NULL, NULL);
}
