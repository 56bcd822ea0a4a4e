/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "ctl/moves.h"

#define TEN_OCLOCK INT64_C(1795860000) /* 2026-11-28T10:00:00Z */

static struct moves_now now_of(const char *drain, const char *shift, int64_t at)
{
	struct moves_now now;
	struct reason why = {0};

	if (moves_read(drain, shift, at, &now, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return now;
}

static void assert_printed(const struct ramp *r, const char *annotation, const char *lines)
{
	struct text out = {0};

	ramp_print(r, &out);
	assert_string_equal(out.data, annotation);
	text_reset(&out);
	moves_print(r, &out);
	assert_string_equal(out.data, lines);
	text_fini(&out);
}

static void test_a_cluster_without_annotations_has_all_of_its_clients(void **state)
{
	(void)state;
	assert_int_equal(now_of(NULL, NULL, TEN_OCLOCK).share, RAMP_WHOLE);
	assert_int_equal(now_of("false", "", TEN_OCLOCK).share, RAMP_WHOLE);
	assert_int_equal(now_of("true", NULL, TEN_OCLOCK).share, 0);
}

static void test_a_shift_that_nighd_cannot_read_is_told(void **state)
{
	struct moves_now now;
	struct reason why = {0};

	(void)state;
	assert_int_equal(moves_read(NULL, "to=20", TEN_OCLOCK, &now, &why), ERR_PARSE);
	assert_string_equal(why.text, "its annotation nigh.dev/shift: start= is missing");
}

static void test_a_plan_goes_from_where_the_share_is_now(void **state)
{
	/* Half way from 100% to 20%. */
	struct moves_now now =
		now_of(NULL, "to=20% start=2026-11-28T09:50:00Z over=20m", TEN_OCLOCK);
	struct ramp r = {.curve = RAMP_SMOOTH};

	(void)state;
	moves_plan(&now, RAMP_WHOLE, 1800, &r);
	assert_printed(&r, "from=60% to=100% start=2026-11-28T10:00:05Z over=30m curve=smooth",
	               "  2026-11-28T10:00:05Z  its share leaves 60%\n"
	               "  2026-11-28T10:30:05Z  its share is 100%\n");
}

static void test_a_drain_lowers_the_ttl_waits_and_says_when_caches_have_let_go(void **state)
{
	struct moves_now now = now_of(NULL, NULL, TEN_OCLOCK);
	struct ramp r = {0};

	(void)state;
	moves_plan_drain(&now, 180, 600, &r);
	assert_printed(&r, "from=100% to=0% start=2026-11-28T10:03:05Z over=10m ttl=5 wait=3m",
	               "  2026-11-28T10:00:05Z  answers with it say a TTL of at most 5s\n"
	               "  2026-11-28T10:03:05Z  its share leaves 100%\n"
	               "  2026-11-28T10:13:05Z  it is drained\n"
	               "every cache that honours TTLs has let go by 2026-11-28T10:13:11Z\n");
	/* An answer of just before the TTL was lowered is forgotten when clients begin to go. */
	assert_int_equal(ramp_ttl_most(&r, r.start - 181), 0);
	assert_int_equal(ramp_share(&r, r.start), RAMP_WHOLE);
}

static void test_a_plan_begins_when_it_is_told_to(void **state)
{
	struct moves_now now = now_of(NULL, NULL, TEN_OCLOCK);
	struct ramp r = {0};

	(void)state;
	now.begins = TEN_OCLOCK + 3600;
	moves_plan_drain(&now, 180, 600, &r);
	assert_printed(&r, "from=100% to=0% start=2026-11-28T11:03:00Z over=10m ttl=5 wait=3m",
	               "  2026-11-28T11:00:00Z  answers with it say a TTL of at most 5s\n"
	               "  2026-11-28T11:03:00Z  its share leaves 100%\n"
	               "  2026-11-28T11:13:00Z  it is drained\n"
	               "every cache that honours TTLs has let go by 2026-11-28T11:13:06Z\n");
	moves_plan(&now, RAMP_WHOLE / 2, 0, &r);
	assert_int_equal(r.start, TEN_OCLOCK + 3600);
	assert_int_equal(ramp_share(&r, TEN_OCLOCK + 3599), RAMP_WHOLE);
}

static void test_a_plan_is_json_as_well(void **state)
{
	struct moves_now now = now_of(NULL, NULL, TEN_OCLOCK);
	struct json_object *root = json_object_new_object();
	struct ramp r = {0};

	(void)state;
	moves_plan_drain(&now, 2, 0, &r);
	moves_add(&r, root);
	assert_string_equal(
		json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
	                                                     JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"annotation\":\"nigh.dev/shift\","
		"\"value\":\"from=100% to=0% start=2026-11-28T10:00:07Z over=0s ttl=5 wait=2s\","
		"\"from\":100.0,\"to\":0.0,\"ttl\":5,\"ttlFrom\":\"2026-11-28T10:00:05Z\","
		"\"start\":\"2026-11-28T10:00:07Z\",\"end\":\"2026-11-28T10:00:07Z\","
		"\"letGoBy\":\"2026-11-28T10:00:13Z\"}");
	json_object_put(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cluster_without_annotations_has_all_of_its_clients),
		cmocka_unit_test(test_a_shift_that_nighd_cannot_read_is_told),
		cmocka_unit_test(test_a_plan_goes_from_where_the_share_is_now),
		cmocka_unit_test(
			test_a_drain_lowers_the_ttl_waits_and_says_when_caches_have_let_go),
		cmocka_unit_test(test_a_plan_begins_when_it_is_told_to),
		cmocka_unit_test(test_a_plan_is_json_as_well),
	};

	return cmocka_run_group_tests_name("ctl/moves", tests, NULL, NULL);
}
