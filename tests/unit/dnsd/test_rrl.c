/* Who gets how many answers: by network, by class, in time; and that nobody pays for another. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsd/rrl.h"

/* A burst is a second's worth, and a quarter more that is not looked at closely. */
enum { PER_SECOND = 20, BURST = PER_SECOND * 5 / 4, START_MS = 1000000 };

struct desk {
	struct rrl_table *table;
	struct stats *stats;
	struct rrl *rrl;
	uint64_t now_ms;
};

/* Places in memory that stand for names. */
static const uint32_t names[64];

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof *d);

	d->table = rrl_table_new();
	d->stats = stats_new();
	d->rrl = rrl_new(d->table, d->stats);
	d->now_ms = START_MS;
	rrl_set_now(d->rrl, d->now_ms);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	rrl_free(d->rrl);
	free(d->stats);
	rrl_table_free(d->table);
	free(d);
	return 0;
}

static void set_rules(struct desk *d, enum rrl_mode mode, unsigned per_second, unsigned slip)
{
	static char loopback[] = "127.0.0.0/8";
	static char *items[] = {loopback};
	static const struct conf_strings exempt = {items, 1};
	const struct rrl_settings settings = {mode, per_second, slip, &exempt};

	rrl_set_rules(d->rrl, rrl_rules_new(&settings, 1));
}

static struct answer answer_of(enum stats_reason reason, unsigned name)
{
	struct answer a;

	memset(&a, 0, sizeof a);
	a.reason = reason;
	a.origin = (const void *)&names[name];
	return a;
}

static enum rrl_verdict ask(struct desk *d, const char *client, enum stats_reason reason,
                            unsigned name)
{
	struct answer a = answer_of(reason, name);
	struct addr addr;

	assert_true(addr_parse(bytes_of(client), &addr));
	return rrl_judge(d->rrl, &addr, &a, false);
}

static void pass(struct desk *d, unsigned ms)
{
	d->now_ms += ms;
	rrl_set_now(d->rrl, d->now_ms);
}

/* Of `count` answers at once, how many were sent whole. */
static unsigned count_answers(struct desk *d, const char *client, enum stats_reason reason,
                              unsigned name, unsigned count)
{
	unsigned answered = 0;

	for (unsigned i = 0; i < count; i++)
		answered += ask(d, client, reason, name) == RRL_ANSWER;
	return answered;
}

static uint64_t counted(const struct desk *d, enum stats_limit limit, enum stats_class class)
{
	return stats_read(&d->stats->limits[limit][class]);
}

static void test_a_burst_gets_a_second_of_answers(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000), BURST);
}

static void test_a_flood_gets_its_rate_and_no_more(void **state)
{
	struct desk *d = *state;
	unsigned answered = 0;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned ms = 0; ms < 10000; ms++) {
		answered += count_answers(d, "192.0.2.1", STATS_FIXED, 0, 5);
		pass(d, 1);
	}
	assert_in_range(answered, 10 * PER_SECOND, 10 * PER_SECOND + BURST);
}

static void test_who_stays_below_the_rate_is_never_limited(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(ask(d, "192.0.2.1", STATS_FIXED, 0), RRL_ANSWER);
		pass(d, 1000 / PER_SECOND);
	}
	/* A second's worth at once, each second. */
	for (unsigned i = 0; i < 10; i++) {
		pass(d, 1000);
		assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, 0, PER_SECOND),
		                 PER_SECOND);
	}
	assert_int_equal(stats_limits(d->stats, STATS_LIMIT_LIMITED), 0);
}

static void test_under_a_flood_another_answer_still_has_its_whole_rate(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000);
	assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, 1, PER_SECOND), PER_SECOND);
	assert_int_equal(count_answers(d, "192.0.2.1", STATS_NODATA, 0, PER_SECOND), PER_SECOND);
}

static void test_many_names_at_once_are_no_flood(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned name = 0; name < 64; name++)
		assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, name, 10), 10);
}

static void test_one_class_does_not_cost_another_its_answers(void **state)
{
	static const enum stats_reason others[] = {STATS_FIXED, STATS_NODATA, STATS_REFERRAL,
	                                           STATS_OUTSIDE};
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned round = 0; round < 20; round++) {
		struct answer a = answer_of(STATS_NXDOMAIN, 0);
		struct addr addr = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};

		for (unsigned i = 0; i < 1000; i++) {
			static const uint8_t zone[256];

			a.zone = (const void *)zone;
			(void)rrl_judge(d->rrl, &addr, &a, false);
		}
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			assert_int_equal(ask(d, "192.0.2.1", others[i], 0), RRL_ANSWER);
		pass(d, 100);
	}
	assert_int_equal(counted(d, STATS_LIMIT_LIMITED, STATS_CLASS_POSITIVE), 0);
	assert_true(counted(d, STATS_LIMIT_LIMITED, STATS_CLASS_NXDOMAIN) > 19000);
}

static void test_errors_of_all_names_are_counted_together(void **state)
{
	struct desk *d = *state;
	unsigned answered = 0;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned i = 0; i < 640; i++)
		answered += ask(d, "192.0.2.1", STATS_OUTSIDE, i % 64) == RRL_ANSWER;
	assert_int_equal(answered, BURST);
}

static void test_a_network_is_a_24_or_a_56(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000);
	assert_int_equal(count_answers(d, "192.0.2.255", STATS_FIXED, 0, 100), 0);
	assert_int_equal(count_answers(d, "192.0.3.1", STATS_FIXED, 0, 100), BURST);
	count_answers(d, "2001:db8:1:200::1", STATS_FIXED, 0, 1000);
	assert_int_equal(count_answers(d, "2001:db8:1:2ff::2", STATS_FIXED, 0, 100), 0);
	assert_int_equal(count_answers(d, "2001:db8:1:300::1", STATS_FIXED, 0, 100), BURST);
}

static void test_a_flood_from_everywhere_costs_a_quiet_client_nothing(void **state)
{
	struct desk *d = *state;
	char client[32];

	set_rules(d, RRL_ON, PER_SECOND, 2);
	for (unsigned ms = 0; ms < 1000; ms++) {
		for (unsigned i = 0; i < 1000; i++) {
			unsigned net = ms * 1000 + i;

			snprintf(client, sizeof client, "%u.%u.%u.1", 1 + (net >> 16) % 100,
			         net >> 8 & 255, net & 255);
			(void)ask(d, client, STATS_FIXED, 0);
		}
		if (ms % 100 == 0)
			assert_int_equal(ask(d, "203.0.113.1", STATS_FIXED, 0), RRL_ANSWER);
		pass(d, 1);
	}
	/* More networks than the tables have places: it costs the limiter's memory, nobody's answers. */
	assert_int_equal(stats_limits(d->stats, STATS_LIMIT_LIMITED), 0);
}

static void test_each_so_many_th_over_the_limit_slips(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 3);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, BURST);
	for (unsigned i = 1; i <= 30; i++)
		assert_int_equal(ask(d, "192.0.2.1", STATS_FIXED, 0),
		                 i % 3 == 0 ? RRL_SLIP : RRL_DROP);
	assert_int_equal(counted(d, STATS_LIMIT_LIMITED, STATS_CLASS_POSITIVE), 30);
	assert_int_equal(counted(d, STATS_LIMIT_SLIPPED, STATS_CLASS_POSITIVE), 10);
	assert_int_equal(counted(d, STATS_LIMIT_DROPPED, STATS_CLASS_POSITIVE), 20);
}

static void test_slip_one_is_all_and_none_is_nobody(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 1);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, BURST);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(ask(d, "192.0.2.1", STATS_FIXED, 0), RRL_SLIP);
	set_rules(d, RRL_ON, PER_SECOND, 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(ask(d, "192.0.2.1", STATS_FIXED, 0), RRL_DROP);
}

static void test_the_exempt_are_counted_but_not_limited(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	assert_int_equal(count_answers(d, "127.0.0.1", STATS_FIXED, 0, 1000), 1000);
	assert_int_equal(counted(d, STATS_LIMIT_EXEMPT, STATS_CLASS_POSITIVE), 1000 - BURST);
	assert_int_equal(stats_limits(d->stats, STATS_LIMIT_LIMITED), 0);
}

/* Networks are counted as a /24, but exempt as they are written. */
static void test_one_address_may_be_exempt_beside_others_of_its_network(void **state)
{
	struct desk *d = *state;
	char one[] = "192.0.2.5", *items[] = {one};
	const struct conf_strings exempt = {items, 1};
	const struct rrl_settings settings = {RRL_ON, PER_SECOND, 0, &exempt};

	rrl_set_rules(d->rrl, rrl_rules_new(&settings, 1));
	assert_int_equal(count_answers(d, "192.0.2.5", STATS_FIXED, 0, 1000), 1000);
	assert_int_equal(count_answers(d, "192.0.2.6", STATS_FIXED, 0, 1000), 0);
	assert_int_equal(count_answers(d, "192.0.2.5", STATS_FIXED, 0, 1000), 1000);
	/* New rules forget who was exempt. */
	set_rules(d, RRL_ON, PER_SECOND, 0);
	assert_int_equal(count_answers(d, "192.0.2.5", STATS_FIXED, 0, 1000), 0);
}

static void test_a_proven_client_is_not_limited(void **state)
{
	struct desk *d = *state;
	struct answer a = answer_of(STATS_FIXED, 0);
	struct addr addr = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};

	set_rules(d, RRL_ON, PER_SECOND, 0);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000);
	assert_int_equal(rrl_judge(d->rrl, &addr, &a, true), RRL_ANSWER);
	assert_int_equal(rrl_judge(d->rrl, &addr, &a, false), RRL_DROP);
}

static void test_log_only_counts_and_answers_and_off_does_neither(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_LOG_ONLY, PER_SECOND, 2);
	assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000), 1000);
	assert_int_equal(counted(d, STATS_LIMIT_LIMITED, STATS_CLASS_POSITIVE), 1000 - BURST);
	assert_int_equal(stats_limits(d->stats, STATS_LIMIT_DROPPED), 0);
	set_rules(d, RRL_OFF, PER_SECOND, 2);
	assert_int_equal(count_answers(d, "192.0.2.1", STATS_FIXED, 0, 1000), 1000);
	assert_int_equal(counted(d, STATS_LIMIT_LIMITED, STATS_CLASS_POSITIVE), 1000 - BURST);
}

static unsigned notices(struct desk *d, const char *expected)
{
	struct addr_network network;
	char text[ADDR_NETWORK_TEXT_SIZE];
	unsigned count = 0;

	for (; rrl_table_notice(d->table, &network); count++)
		if (expected != NULL)
			assert_string_equal(addr_network_print(&network, text), expected);
	return count;
}

static void test_a_network_is_told_once_in_a_minute(void **state)
{
	struct desk *d = *state;

	set_rules(d, RRL_ON, PER_SECOND, 2);
	assert_int_equal(notices(d, NULL), 0);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, 100);
	assert_int_equal(notices(d, "192.0.2.0/24"), 1);
	for (unsigned i = 0; i < 599; i++) {
		count_answers(d, "192.0.2.1", STATS_FIXED, 0, 100);
		pass(d, 100);
	}
	assert_int_equal(notices(d, NULL), 0);
	pass(d, 100);
	count_answers(d, "192.0.2.1", STATS_FIXED, 0, 100);
	assert_int_equal(notices(d, "192.0.2.0/24"), 1);
	pass(d, 60000);
	count_answers(d, "2001:db8:1:2ff::2", STATS_FIXED, 0, 100);
	assert_int_equal(notices(d, "2001:db8:1:200::/56"), 1);
}

static void test_a_minute_has_few_notices_however_many_flood(void **state)
{
	struct desk *d = *state;
	unsigned count;

	set_rules(d, RRL_ON, 1, 2);
	for (unsigned i = 0; i < 10000; i++) {
		char client[32];

		snprintf(client, sizeof client, "198.%u.%u.1", i >> 8, i & 255);
		count_answers(d, client, STATS_FIXED, 0, 3);
	}
	count = notices(d, NULL);
	assert_in_range(count, RRL_NOTICES / 2, RRL_NOTICES);
}

static void test_workers_share_a_limit(void **state)
{
	struct desk *d = *state;
	struct stats *stats = stats_new();
	struct rrl *second = rrl_new(d->table, stats);
	const struct conf_strings none = {0};
	const struct rrl_settings settings = {RRL_ON, PER_SECOND, 0, &none};
	struct answer a = answer_of(STATS_FIXED, 0);
	struct addr addr = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	unsigned answered = 0;

	rrl_set_rules(d->rrl, rrl_rules_new(&settings, 2));
	rrl_set_rules(second, rrl_rules_new(&settings, 2));
	rrl_set_now(second, d->now_ms);
	for (unsigned i = 0; i < 1000; i++)
		answered += rrl_judge(i % 2 ? d->rrl : second, &addr, &a, false) == RRL_ANSWER;
	assert_in_range(answered, PER_SECOND, BURST);
	for (unsigned ms = 0; ms < 10000; ms++) {
		pass(d, 1);
		rrl_set_now(second, d->now_ms);
		answered += rrl_judge(d->rrl, &addr, &a, false) == RRL_ANSWER;
		answered += rrl_judge(second, &addr, &a, false) == RRL_ANSWER;
	}
	assert_in_range(answered, 11 * PER_SECOND, 12 * PER_SECOND);
	rrl_free(second);
	free(stats);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_burst_gets_a_second_of_answers),
		TEST(test_a_flood_gets_its_rate_and_no_more),
		TEST(test_who_stays_below_the_rate_is_never_limited),
		TEST(test_under_a_flood_another_answer_still_has_its_whole_rate),
		TEST(test_many_names_at_once_are_no_flood),
		TEST(test_one_class_does_not_cost_another_its_answers),
		TEST(test_errors_of_all_names_are_counted_together),
		TEST(test_a_network_is_a_24_or_a_56),
		TEST(test_a_flood_from_everywhere_costs_a_quiet_client_nothing),
		TEST(test_each_so_many_th_over_the_limit_slips),
		TEST(test_slip_one_is_all_and_none_is_nobody),
		TEST(test_the_exempt_are_counted_but_not_limited),
		TEST(test_one_address_may_be_exempt_beside_others_of_its_network),
		TEST(test_a_proven_client_is_not_limited),
		TEST(test_log_only_counts_and_answers_and_off_does_neither),
		TEST(test_a_network_is_told_once_in_a_minute),
		TEST(test_a_minute_has_few_notices_however_many_flood),
		TEST(test_workers_share_a_limit),
	};

	return cmocka_run_group_tests_name("dnsd/rrl", tests, NULL, NULL);
}
