/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/text.h"
#include "kube/answer.h"

static struct kube_answer read_as(const struct kube_answer_parts *parts, const char *token)
{
	struct kube_access access = {0};
	struct kube_answer answer;
	json_tokener *tokener = json_tokener_new();

	kube_secret_set(&access.token, bytes_of(token));
	kube_answer_read(&answer, tokener, parts, &access);
	kube_access_fini(&access);
	json_tokener_free(tokener);
	return answer;
}

static struct kube_answer read_answer(int status, const char *body)
{
	const struct kube_answer_parts parts = {.status = status, .body = bytes_of(body)};

	return read_as(&parts, "s3cr3t-token");
}

static void test_a_success_gives_the_object(void **state)
{
	struct kube_answer a = read_answer(201, "{\"kind\":\"Service\",\"metadata\":{}}");

	(void)state;
	assert_true(kube_answer_is_good(&a));
	assert_false(kube_answer_is_unknown(&a));
	assert_non_null(a.object);
	assert_string_equal(a.why, "");
	kube_answer_fini(&a);
}

static void test_a_refusal_is_told_by_the_reason_of_its_status(void **state)
{
	struct kube_answer a = read_answer(
		409,
		"{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"it is there\"}");

	(void)state;
	assert_false(kube_answer_is_good(&a));
	assert_false(kube_answer_is_unknown(&a));
	assert_int_equal(a.err, ERR_OK);
	assert_int_equal(a.reason, KUBE_REASON_ALREADY_EXISTS);
	assert_string_equal(a.message, "it is there");
	assert_string_equal(a.why, "409 AlreadyExists: it is there");
	assert_null(a.object);
	kube_answer_fini(&a);
}

static void test_every_reason_is_read_back_by_its_name(void **state)
{
	(void)state;
	for (int r = KUBE_REASON_NONE + 1; r < KUBE_REASON_OTHER; r++) {
		struct text t = {0};
		struct kube_answer a;

		text_printf(&t, "{\"kind\":\"Status\",\"reason\":\"%s\"}",
		            kube_reason_text((enum kube_reason)r));
		a = read_answer(418, t.data);
		assert_int_equal(a.reason, r);
		kube_answer_fini(&a);
		text_fini(&t);
	}
}

static void test_a_refusal_without_a_status_is_told_by_http(void **state)
{
	static const struct {
		int status;
		bool creates;
		enum kube_reason reason;
	} cases[] = {
		{401, false, KUBE_REASON_UNAUTHORIZED},
		{403, false, KUBE_REASON_FORBIDDEN},
		{404, false, KUBE_REASON_NOT_FOUND},
		{409, false, KUBE_REASON_CONFLICT},
		{409, true, KUBE_REASON_ALREADY_EXISTS},
		{429, false, KUBE_REASON_TOO_MANY_REQUESTS},
		{503, false, KUBE_REASON_UNAVAILABLE},
		{302, false, KUBE_REASON_OTHER},
		{599, false, KUBE_REASON_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kube_answer_parts parts = {.status = cases[i].status,
		                                        .body = bytes_of("<html>"),
		                                        .creates = cases[i].creates};
		struct kube_answer a = read_as(&parts, "");

		assert_int_equal(a.reason, cases[i].reason);
		assert_false(kube_answer_is_good(&a));
		assert_int_equal(kube_answer_is_unknown(&a), cases[i].status >= 500);
		kube_answer_fini(&a);
	}
}

static void test_conflicts_name_manager_and_field(void **state)
{
	struct kube_answer a = read_answer(
		409,
		"{\"kind\":\"Status\",\"reason\":\"Conflict\",\"details\":{\"causes\":["
		"{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"kubectl\\\" "
		"with subresource \\\"scale\\\" using apps/v1\",\"field\":\".spec.replicas\"},"
		"{\"reason\":\"FieldValueInvalid\",\"message\":\"conflict with \\\"x\\\"\"},"
		"{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"\"},7]}}");

	(void)state;
	assert_int_equal(a.cause_count, 4);
	assert_string_equal(a.causes[0].manager, "kubectl");
	assert_string_equal(a.causes[0].field, ".spec.replicas");
	assert_string_equal(a.causes[1].manager, "");
	assert_string_equal(a.causes[1].reason, "FieldValueInvalid");
	assert_string_equal(a.causes[2].manager, "");
	assert_string_equal(a.causes[3].message, "");
	kube_answer_fini(&a);
}

static void test_what_a_stranger_says_is_bounded_and_printable(void **state)
{
	struct text t = {0};
	struct kube_answer a;

	(void)state;
	text_add(&t, "{\"kind\":\"Status\",\"message\":\"a\\nb\\u001b[31m\\u00e9\\u0000");
	for (int i = 0; i < 5000; i++)
		text_add(&t, "m");
	text_add(&t, "\",\"details\":{\"causes\":[");
	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%s{\"field\":\"f%d\"}", i ? "," : "", i);
	text_add(&t, "]}}");
	a = read_answer(422, t.data);
	assert_int_equal(strlen(a.message), KUBE_MESSAGE_MOST - 1);
	assert_memory_equal(a.message, "a b [31m?? m", 12);
	assert_int_equal(a.cause_count, KUBE_CAUSES_MOST);
	assert_true(strlen(a.why) < sizeof(a.why));
	kube_answer_fini(&a);
	text_fini(&t);
}

static void test_a_credential_that_comes_back_is_not_repeated(void **state)
{
	struct kube_answer a = read_answer(
		403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no s3cr3t-token "
		     "here\",\"details\":{\"causes\":[{\"reason\":\"r\",\"field\":\"s3cr3t-token\","
		     "\"message\":\"s3cr3t-token\"}]}}");

	(void)state;
	assert_string_equal(a.why, "403 Forbidden");
	assert_string_equal(a.causes[0].field, "");
	assert_string_equal(a.causes[0].message, "");
	kube_answer_fini(&a);
}

static void test_what_may_quote_a_secret_is_not_repeated(void **state)
{
	static const char body[] =
		"{\"kind\":\"Status\",\"message\":\"data[a]: Invalid value: \\\"hunter2\\\"\","
		"\"details\":{\"causes\":[{\"field\":\"data[a]\",\"message\":\"hunter2\"}]}}";
	struct kube_answer_parts parts = {.status = 422, .body = bytes_of(body), .of_secret = true};
	struct kube_answer a = read_as(&parts, "");

	(void)state;
	assert_string_equal(a.why, "422 Invalid");
	assert_string_equal(a.causes[0].field, "data[a]");
	assert_string_equal(a.causes[0].message, "");
	kube_answer_fini(&a);
	parts.status = 403;
	a = read_as(&parts, "");
	assert_true(strstr(a.why, "data[a]") != NULL);
	kube_answer_fini(&a);
}

static void test_the_time_to_wait_is_of_the_header_or_of_the_status(void **state)
{
	static const char body[] = "{\"kind\":\"Status\",\"reason\":\"TooManyRequests\","
				   "\"details\":{\"retryAfterSeconds\":7}}";
	struct kube_answer_parts parts = {.status = 429, .body = bytes_of(body)};
	struct kube_answer a = read_as(&parts, "");

	(void)state;
	assert_int_equal(a.retry_after_ms, 7000);
	kube_answer_fini(&a);
	parts.retry_after_ms = 1000;
	a = read_as(&parts, "");
	assert_int_equal(a.retry_after_ms, 1000);
	kube_answer_fini(&a);
	a = read_answer(429,
	                "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":99999999999}}");
	assert_int_equal(a.retry_after_ms, 86400000);
	kube_answer_fini(&a);
	a = read_answer(429, "{\"kind\":\"Status\",\"details\":[{\"retryAfterSeconds\":1}]}");
	assert_int_equal(a.retry_after_ms, 0);
	kube_answer_fini(&a);
}

static void test_a_success_that_is_no_json_may_have_taken_effect(void **state)
{
	static const char *const bodies[] = {"", "[]", "{\"a\":", "\xff", "7"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct kube_answer a = read_answer(200, bodies[i]);

		assert_int_equal(a.err, ERR_PARSE);
		assert_false(kube_answer_is_good(&a));
		assert_true(kube_answer_is_unknown(&a));
		assert_null(a.object);
		kube_answer_fini(&a);
	}
}

static void test_no_answer_leaves_it_open_but_where_nothing_was_sent(void **state)
{
	struct kube_answer a;

	(void)state;
	kube_answer_fail(&a, ERR_TIMEOUT, 0, "no answer in time");
	assert_true(kube_answer_is_unknown(&a));
	assert_string_equal(a.why, "no answer in time");
	kube_answer_fini(&a);
	kube_answer_fail(&a, ERR_DENIED, 0, "TLS: no");
	assert_false(kube_answer_is_unknown(&a));
	kube_answer_fini(&a);
	kube_answer_fail(&a, ERR_UNREACHABLE, 409, "cut");
	assert_false(kube_answer_is_unknown(&a));
	kube_answer_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_success_gives_the_object),
		cmocka_unit_test(test_a_refusal_is_told_by_the_reason_of_its_status),
		cmocka_unit_test(test_every_reason_is_read_back_by_its_name),
		cmocka_unit_test(test_a_refusal_without_a_status_is_told_by_http),
		cmocka_unit_test(test_conflicts_name_manager_and_field),
		cmocka_unit_test(test_what_a_stranger_says_is_bounded_and_printable),
		cmocka_unit_test(test_a_credential_that_comes_back_is_not_repeated),
		cmocka_unit_test(test_what_may_quote_a_secret_is_not_repeated),
		cmocka_unit_test(test_the_time_to_wait_is_of_the_header_or_of_the_status),
		cmocka_unit_test(test_a_success_that_is_no_json_may_have_taken_effect),
		cmocka_unit_test(test_no_answer_leaves_it_open_but_where_nothing_was_sent),
	};

	return cmocka_run_group_tests_name("kube/answer", tests, NULL, NULL);
}
