/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/ramp.h"

#define TEN_OCLOCK INT64_C(1795860000) /* 2026-11-28T10:00:00Z */

static struct ramp ramp_of(const char *text)
{
	struct ramp r;
	struct reason why = {0};

	if (ramp_parse(bytes_of(text), &r, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	return r;
}

static void must_fail(const char *text, enum err err, const char *says)
{
	struct ramp r;
	struct reason why = {0};

	if (ramp_parse(bytes_of(text), &r, &why) != err || strcmp(why.text, says) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", text, why.text, says);
}

static void test_a_shift_says_from_where_to_where_and_when(void **state)
{
	struct ramp r =
		ramp_of("from=75% to=12.5% start=2026-11-28T10:00:00Z over=30m curve=smooth");

	(void)state;
	assert_int_equal(r.from, RAMP_WHOLE * 3 / 4);
	assert_int_equal(r.to, RAMP_WHOLE / 8);
	assert_int_equal(r.start, TEN_OCLOCK);
	assert_int_equal(r.end, TEN_OCLOCK + 1800);
	assert_int_equal(r.curve, RAMP_SMOOTH);
	assert_int_equal(r.ttl, 0);
}

static void test_what_is_not_said_is_all_of_it_at_once(void **state)
{
	struct ramp r = ramp_of("  to=20%\tstart=2026-11-28T11:00:00+01:00\n");

	(void)state;
	assert_int_equal(r.from, RAMP_WHOLE);
	assert_int_equal(r.end, TEN_OCLOCK);
	assert_int_equal(ramp_share(&r, TEN_OCLOCK - 1), RAMP_WHOLE);
	assert_int_equal(ramp_share(&r, TEN_OCLOCK), RAMP_WHOLE / 5);
}

static void test_an_end_is_as_good_as_a_duration(void **state)
{
	struct ramp a = ramp_of("to=0% start=2026-11-28T10:00:00Z end=2026-11-28T10:10:00Z");
	struct ramp b = ramp_of("to=0% start=2026-11-28T10:00:00Z over=10m");

	(void)state;
	assert_true(ramp_equal(&a, &b));
}

static void test_a_ttl_holds_from_before_the_start_to_the_end(void **state)
{
	struct ramp r = ramp_of("to=0% start=2026-11-28T10:00:00Z over=10m ttl=5 wait=180s");
	struct ramp same = ramp_of(
		"to=0% start=2026-11-28T10:00:00Z over=10m ttl=5 ttlFrom=2026-11-28T09:57:00Z");

	(void)state;
	assert_true(ramp_equal(&r, &same));
	assert_int_equal(ramp_ttl_most(&r, TEN_OCLOCK - 181), 0);
	assert_int_equal(ramp_ttl_most(&r, TEN_OCLOCK - 180), 5);
	assert_int_equal(ramp_share(&r, TEN_OCLOCK), RAMP_WHOLE);
	assert_int_equal(ramp_ttl_most(&r, TEN_OCLOCK + 599), 5);
	assert_int_equal(ramp_ttl_most(&r, TEN_OCLOCK + 600), 0);
	assert_int_equal(ramp_share(&r, TEN_OCLOCK + 600), 0);
}

static void test_linear_is_half_way_at_half_time(void **state)
{
	struct ramp down = ramp_of("to=20% start=2026-11-28T10:00:00Z over=10m");
	struct ramp up = ramp_of("from=0% to=20% start=2026-11-28T10:00:00Z over=10m");

	(void)state;
	assert_in_range(ramp_share(&down, TEN_OCLOCK + 300), RAMP_WHOLE * 60 / 100,
	                RAMP_WHOLE * 60 / 100 + 1);
	assert_in_range(ramp_share(&up, TEN_OCLOCK + 300), RAMP_WHOLE / 10 - 1, RAMP_WHOLE / 10);
	assert_in_range(ramp_share(&up, TEN_OCLOCK + 150), RAMP_WHOLE / 20 - 1, RAMP_WHOLE / 20);
}

static void test_smooth_begins_and_ends_slowly(void **state)
{
	struct ramp r = ramp_of("to=0% start=2026-11-28T10:00:00Z over=100s curve=smooth");

	(void)state;
	assert_in_range(RAMP_WHOLE - ramp_share(&r, TEN_OCLOCK + 10), 1, RAMP_WHOLE * 3 / 100);
	assert_in_range(ramp_share(&r, TEN_OCLOCK + 50), RAMP_WHOLE / 2 - 2, RAMP_WHOLE / 2 + 2);
	assert_in_range(ramp_share(&r, TEN_OCLOCK + 90), 1, RAMP_WHOLE * 3 / 100);
}

static void test_steps_are_equal_and_the_last_one_is_the_end(void **state)
{
	struct ramp r = ramp_of("to=0% start=2026-11-28T10:00:00Z over=40s curve=steps:4");

	(void)state;
	for (int s = 0; s < 40; s++)
		assert_int_equal(ramp_share(&r, TEN_OCLOCK + s), RAMP_WHOLE / 4 * (4 - s / 10));
	assert_int_equal(ramp_share(&r, TEN_OCLOCK + 40), 0);
}

/* Nobody who went comes back, and nobody is moved twice. */
static void test_shares_never_turn_back(void **state)
{
	static const char *const curves[] = {"linear", "smooth", "steps:7", "steps:1000"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		struct ramp down, up;

		snprintf(text, sizeof(text),
		         "from=93%% to=7%% start=2026-11-28T10:00:00Z over=1801s curve=%s",
		         curves[i]);
		down = ramp_of(text);
		snprintf(text, sizeof(text),
		         "from=7%% to=93%% start=2026-11-28T10:00:00Z over=1801s curve=%s",
		         curves[i]);
		up = ramp_of(text);
		for (int64_t t = TEN_OCLOCK - 5; t < TEN_OCLOCK + 1810; t++) {
			assert_true(ramp_share(&down, t + 1) <= ramp_share(&down, t));
			assert_true(ramp_share(&up, t + 1) >= ramp_share(&up, t));
			assert_in_range(ramp_share(&down, t), down.to, down.from);
			assert_in_range(ramp_share(&up, t), up.from, up.to);
		}
	}
}

static void test_the_longest_ramps_do_not_overflow(void **state)
{
	static const char *const curves[] = {"linear", "smooth", "steps:1000"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		struct ramp r;
		int64_t half = INT64_C(8784) * 3600 / 2;

		snprintf(text, sizeof(text),
		         "to=0%% start=9999-12-31T23:59:59Z over=8784h curve=%s", curves[i]);
		r = ramp_of(text);
		assert_in_range(ramp_share(&r, r.start + half), RAMP_WHOLE / 2 - 2,
		                RAMP_WHOLE / 2 + 2);
		assert_int_equal(ramp_share(&r, INT64_MAX), 0);
		assert_int_equal(ramp_share(&r, INT64_MIN), RAMP_WHOLE);
	}
}

static void test_what_is_printed_is_read_back_to_the_same(void **state)
{
	static const char *const texts[] = {
		"to=20% start=2026-11-28T10:00:00Z",
		"from=0.002% to=99.999% start=2026-11-28T10:00:00Z over=90m curve=smooth",
		"to=0% start=2026-11-28T10:00:00Z over=10m curve=steps:12 ttl=5 wait=180s"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ramp r = ramp_of(texts[i]), back;
		struct text out = {0};

		ramp_print(&r, &out);
		back = ramp_of(out.data);
		assert_true(ramp_equal(&r, &back));
		text_fini(&out);
	}
}

static void test_a_share_is_printed_as_it_was_written(void **state)
{
	static const char *const shares[] = {"0%",  "0.1%",  "0.5%", "1%",    "2%",  "3%",
	                                     "10%", "12.5%", "20%",  "33.3%", "99%", "100%"};
	struct text out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		uint32_t share;

		text_reset(&out);
		assert_true(ramp_parse_share(bytes_of(shares[i]), &share));
		ramp_print_share(share, &out);
		assert_string_equal(out.data, shares[i]);
	}
	text_fini(&out);
}

static void test_every_share_is_read_back_to_the_same(void **state)
{
	struct text out = {0};

	(void)state;
	for (uint32_t share = 0; share <= RAMP_WHOLE; share++) {
		uint32_t back;

		text_reset(&out);
		ramp_print_share(share, &out);
		assert_true(ramp_parse_share(bytes_of(out.data), &back));
		assert_int_equal(back, share);
	}
	text_fini(&out);
}

static void test_what_is_wrong_is_named(void **state)
{
	(void)state;
	must_fail("", ERR_PARSE, "to= is missing");
	must_fail("to=20%", ERR_PARSE, "start= is missing");
	must_fail("to=20 start=2026-11-28T10:00:00Z", ERR_RANGE, "'20' is no share: to=0% to 100%");
	must_fail("to=101% start=2026-11-28T10:00:00Z", ERR_RANGE,
	          "'101%' is no share: to=0% to 100%");
	must_fail("from=-1% to=20% start=2026-11-28T10:00:00Z", ERR_RANGE,
	          "'-1%' is no share: from=0% to 100%");
	must_fail("to=20% start=tomorrow", ERR_PARSE,
	          "'tomorrow' is no time: start=2026-11-28T10:00:00Z");
	must_fail("to=20% to=30% start=2026-11-28T10:00:00Z", ERR_PARSE, "'to' is said twice");
	must_fail("to=20% start=2026-11-28T10:00:00Z speed=3", ERR_PARSE,
	          "'speed=3' is none of from= to= start= over= end= curve= ttl= wait= ttlFrom=");
	must_fail("to=20% start=2026-11-28T10:00:00Z over=1500ms", ERR_RANGE,
	          "'1500ms' is no duration in whole seconds up to 8784h");
	must_fail("to=20% start=2026-11-28T10:00:00Z over=1m end=2026-11-28T10:01:00Z", ERR_PARSE,
	          "over= and end= both say when it ends");
	must_fail("to=20% start=2026-11-28T10:00:00Z end=2026-11-28T09:00:00Z", ERR_RANGE,
	          "'2026-11-28T09:00:00Z' is not within 8784h after the start");
	must_fail("to=20% start=2026-11-28T10:00:00Z curve=steps:0", ERR_RANGE,
	          "'steps:0' is no curve: linear, smooth or steps:1 to steps:1000");
	must_fail("to=20% start=2026-11-28T10:00:00Z wait=3m", ERR_PARSE,
	          "wait= and ttlFrom= go with ttl=");
	must_fail("to=20% start=2026-11-28T10:00:00Z ttl=0", ERR_RANGE,
	          "'0' is no TTL: ttl=1 to 86400");
	must_fail("to=20% start=2026-11-28T10:00:00Z ttl=5 wait=1m ttlFrom=2026-11-28T09:00:00Z",
	          ERR_PARSE, "wait= and ttlFrom= both say since when");
	must_fail("to=20% start=2026-11-28T10:00:00Z ttl=5 ttlFrom=2026-11-28T10:00:01Z", ERR_RANGE,
	          "'2026-11-28T10:00:01Z' is no time up to the start");
}

/* Every text that is cut somewhere, and every one with a byte changed, is an error or a ramp within its bounds. */
static void test_no_text_is_taken_for_more_than_it_says(void **state)
{
	static const char good[] =
		"from=93% to=7% start=2026-11-28T10:00:00Z over=30m curve=steps:7 ttl=5 wait=3m";
	struct ramp r;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		char text[sizeof(good)];
		size_t len = (size_t)rand() % sizeof(good);

		memcpy(text, good, sizeof(good));
		if (i % 2)
			text[(size_t)rand() % (sizeof(good) - 1)] = (char)(rand() % 256);
		if (ramp_parse((struct bytes){(const uint8_t *)text, len}, &r, NULL) != ERR_OK)
			continue;
		assert_true(r.from <= RAMP_WHOLE && r.to <= RAMP_WHOLE && r.start <= r.end);
		assert_true(r.ttl_from <= r.start && (r.curve == RAMP_STEPS) == (r.steps > 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shift_says_from_where_to_where_and_when),
		cmocka_unit_test(test_what_is_not_said_is_all_of_it_at_once),
		cmocka_unit_test(test_an_end_is_as_good_as_a_duration),
		cmocka_unit_test(test_a_ttl_holds_from_before_the_start_to_the_end),
		cmocka_unit_test(test_linear_is_half_way_at_half_time),
		cmocka_unit_test(test_smooth_begins_and_ends_slowly),
		cmocka_unit_test(test_steps_are_equal_and_the_last_one_is_the_end),
		cmocka_unit_test(test_shares_never_turn_back),
		cmocka_unit_test(test_the_longest_ramps_do_not_overflow),
		cmocka_unit_test(test_what_is_printed_is_read_back_to_the_same),
		cmocka_unit_test(test_a_share_is_printed_as_it_was_written),
		cmocka_unit_test(test_every_share_is_read_back_to_the_same),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_no_text_is_taken_for_more_than_it_says),
	};

	return cmocka_run_group_tests_name("records/ramp", tests, NULL, NULL);
}
