/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/text.h"
#include "kube/lease_record.h"

enum { LEASE_MS = 15000, BEGIN_MS = 1000000 };

static struct kube_lease_record read_lease(const char *json)
{
	struct json_object *lease = json_tokener_parse(json);
	struct kube_lease_record r;

	kube_lease_record_read(lease, &r);
	json_object_put(lease);
	return r;
}

static void test_a_lease_is_read(void **state)
{
	struct kube_lease_record r = read_lease(
		"{\"metadata\":{\"resourceVersion\":\"17\"},\"spec\":{\"holderIdentity\":\"a_1\","
		"\"leaseDurationSeconds\":15,\"leaseTransitions\":3,"
		"\"acquireTime\":\"2026-01-01T00:00:00.000000Z\","
		"\"renewTime\":\"2026-01-01T00:00:09.000000Z\"}}");

	(void)state;
	assert_string_equal(r.holder, "a_1");
	assert_int_equal(r.duration_ms, 15000);
	assert_int_equal(r.transitions, 3);
	assert_string_equal(r.renewed, "2026-01-01T00:00:09.000000Z");
	assert_string_equal(r.version, "17");
}

static void test_what_a_lease_lacks_or_has_wrong_is_empty(void **state)
{
	static const char *const leases[] = {
		"null",
		"[]",
		"{}",
		"{\"spec\":[]}",
		"{\"spec\":{\"holderIdentity\":7,\"leaseDurationSeconds\":-1,"
		"\"leaseTransitions\":-4,\"renewTime\":{}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(leases) / sizeof(leases[0]); i++) {
		struct kube_lease_record r = read_lease(leases[i]);

		assert_string_equal(r.holder, "");
		assert_string_equal(r.renewed, "");
		assert_int_equal(r.duration_ms, 0);
		assert_int_equal(r.transitions, 0);
	}
}

static void test_a_stranger_s_lease_is_bounded(void **state)
{
	struct text t = {0};
	struct kube_lease_record r;

	(void)state;
	text_add(&t, "{\"spec\":{\"leaseDurationSeconds\":9999999999,\"holderIdentity\":\"\\n");
	for (int i = 0; i < 2000; i++)
		text_add(&t, "x");
	text_add(&t, "\"}}");
	r = read_lease(t.data);
	assert_int_equal(r.duration_ms, KUBE_LEASE_MOST_MS);
	assert_int_equal(strlen(r.holder), KUBE_IDENTITY_MOST - 1);
	assert_int_equal(r.holder[0], '?');
	text_fini(&t);
}

static void test_the_annotation_of_kubefed_s_manager_is_read(void **state)
{
	struct json_object *map = json_tokener_parse(
		"{\"metadata\":{\"annotations\":{\"control-plane.alpha.kubernetes.io/leader\":"
		"\"{\\\"holderIdentity\\\":\\\"kubefed-1_abc\\\",\\\"leaseDurationSeconds\\\":15,"
		"\\\"renewTime\\\":\\\"2026-01-01T00:00:00Z\\\",\\\"leaderTransitions\\\":2}\"}}}");
	struct json_object *none = json_tokener_parse("{\"metadata\":{\"annotations\":{}}}");
	struct json_object *bad = json_tokener_parse(
		"{\"metadata\":{\"annotations\":{\"control-plane.alpha.kubernetes.io/leader\":"
		"\"{\"}}}");
	struct kube_lease_record r;

	(void)state;
	assert_true(kube_lease_record_read_annotation(map, &r));
	assert_string_equal(r.holder, "kubefed-1_abc");
	assert_int_equal(r.transitions, 2);
	assert_int_equal(r.duration_ms, 15000);
	assert_false(kube_lease_record_read_annotation(none, &r));
	assert_string_equal(r.holder, "");
	assert_false(kube_lease_record_read_annotation(bad, &r));
	json_object_put(map);
	json_object_put(none);
	json_object_put(bad);
}

static void test_what_is_written_is_read_back_and_the_rest_is_kept(void **state)
{
	struct json_object *lease = json_tokener_parse(
		"{\"metadata\":{\"name\":\"l\",\"labels\":{\"a\":\"b\"},\"managedFields\":[],"
		"\"resourceVersion\":\"5\"},\"spec\":{\"strategy\":\"x\"}}");
	struct kube_lease_record r = {.holder = "me",
	                              .duration_ms = 2500,
	                              .transitions = 4,
	                              .acquired = "2026-01-01T00:00:00.000000Z",
	                              .renewed = "2026-01-01T00:00:01.000000Z"};

	(void)state;
	kube_lease_record_write(lease, &r);
	assert_string_equal(
		json_object_to_json_string_ext(lease, JSON_C_TO_STRING_PLAIN |
	                                                      JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"metadata\":{\"name\":\"l\",\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"5\"},"
		"\"spec\":{\"strategy\":\"x\",\"holderIdentity\":\"me\","
		"\"leaseDurationSeconds\":3,\"leaseTransitions\":4,"
		"\"acquireTime\":\"2026-01-01T00:00:00.000000Z\","
		"\"renewTime\":\"2026-01-01T00:00:01.000000Z\"}}");
	r.holder[0] = '\0';
	r.duration_ms = 0;
	kube_lease_record_write(lease, &r);
	kube_lease_record_read(lease, &r);
	assert_string_equal(r.holder, "");
	assert_int_equal(r.duration_ms, 1000);
	json_object_put(lease);
}

/* --- who lives --- */

static struct kube_lease_record renewed(const char *at)
{
	struct kube_lease_record r = {.holder = "a", .duration_ms = LEASE_MS};

	(void)snprintf(r.renewed, sizeof(r.renewed), "%s", at);
	return r;
}

static void test_a_leader_lives_while_its_record_changes(void **state)
{
	struct kube_lease_sight s = {0};
	struct kube_lease_record r = renewed("1");
	uint64_t now_ms = BEGIN_MS;

	(void)state;
	assert_false(kube_lease_sight_lives(&s, LEASE_MS, now_ms));
	for (int i = 0; i < 20; i++, now_ms += 10000) {
		snprintf(r.renewed, sizeof(r.renewed), "%d", i);
		kube_lease_sight_see(&s, &r, now_ms);
		assert_true(kube_lease_sight_lives(&s, LEASE_MS, now_ms + LEASE_MS - 1));
	}
	now_ms -= 10000;
	for (uint64_t ms = 0; ms < LEASE_MS; ms += 1000) {
		kube_lease_sight_see(&s, &r, now_ms + ms);
		assert_true(kube_lease_sight_lives(&s, LEASE_MS, now_ms + ms));
	}
	assert_false(kube_lease_sight_lives(&s, LEASE_MS, now_ms + LEASE_MS));
}

static void test_what_another_clock_says_does_not_matter(void **state)
{
	static const char *const times[] = {"1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "",
	                                    "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct kube_lease_sight s = {0};
		struct kube_lease_record r = renewed(times[i]);

		kube_lease_sight_see(&s, &r, BEGIN_MS);
		assert_true(kube_lease_sight_lives(&s, LEASE_MS, BEGIN_MS + LEASE_MS - 1));
		assert_false(kube_lease_sight_lives(&s, LEASE_MS, BEGIN_MS + LEASE_MS));
	}
}

static void test_the_longer_of_two_durations_counts(void **state)
{
	struct kube_lease_sight s = {0};
	struct kube_lease_record r = renewed("1");

	(void)state;
	kube_lease_sight_see(&s, &r, BEGIN_MS);
	assert_true(kube_lease_sight_lives(&s, 1000, BEGIN_MS + LEASE_MS - 1));
	assert_true(kube_lease_sight_lives(&s, 2 * LEASE_MS, BEGIN_MS + LEASE_MS));
}

static void test_nobody_leads_what_was_released(void **state)
{
	struct kube_lease_sight s = {0};
	struct kube_lease_record r = renewed("1");

	(void)state;
	r.holder[0] = '\0';
	kube_lease_sight_see(&s, &r, BEGIN_MS);
	assert_false(kube_lease_sight_lives(&s, LEASE_MS, BEGIN_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lease_is_read),
		cmocka_unit_test(test_what_a_lease_lacks_or_has_wrong_is_empty),
		cmocka_unit_test(test_a_stranger_s_lease_is_bounded),
		cmocka_unit_test(test_the_annotation_of_kubefed_s_manager_is_read),
		cmocka_unit_test(test_what_is_written_is_read_back_and_the_rest_is_kept),
		cmocka_unit_test(test_a_leader_lives_while_its_record_changes),
		cmocka_unit_test(test_what_another_clock_says_does_not_matter),
		cmocka_unit_test(test_the_longer_of_two_durations_counts),
		cmocka_unit_test(test_nobody_leads_what_was_released),
	};

	return cmocka_run_group_tests_name("kube/lease_record", tests, NULL, NULL);
}
