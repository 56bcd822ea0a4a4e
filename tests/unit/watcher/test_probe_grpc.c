/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "watcher/probe_grpc.h"

static bool is_serving(const void *body, size_t len, const char **said)
{
	return probe_grpc_is_serving((struct bytes){body, len}, said);
}

static void test_the_whole_server_is_asked_for_by_an_empty_message(void **state)
{
	uint8_t out[PROBE_GRPC_REQUEST_MOST];

	(void)state;
	assert_int_equal(probe_grpc_encode((struct bytes){0}, out), 5);
	assert_memory_equal(out, "\0\0\0\0\0", 5);
}

static void test_a_service_is_field_1_with_its_length_in_seven_bits_a_byte(void **state)
{
	uint8_t out[PROBE_GRPC_REQUEST_MOST];
	char name[300];

	(void)state;
	memset(name, 'a', sizeof name);
	assert_int_equal(probe_grpc_encode((struct bytes){(uint8_t *)name, 127}, out), 5 + 2 + 127);
	assert_memory_equal(out,
	                    "\0\0\0\0\x81\x0a\x7f"
	                    "aa",
	                    9);
	assert_int_equal(probe_grpc_encode((struct bytes){(uint8_t *)name, 128}, out), 5 + 3 + 128);
	assert_memory_equal(out,
	                    "\0\0\0\0\x83\x0a\x80\x01"
	                    "aa",
	                    10);
	assert_int_equal(probe_grpc_encode((struct bytes){(uint8_t *)name, sizeof name}, out),
	                 5 + 3 + PROBE_GRPC_SERVICE_MOST);
	assert_memory_equal(out,
	                    "\0\0\0\x01\x03\x0a\x80\x02"
	                    "aa",
	                    10);
}

static void test_fields_that_are_not_known_are_passed_over(void **state)
{
	const char *said;

	(void)state;
	assert_true(is_serving("\0\0\0\0\x02\x08\x01", 7, &said));
	assert_string_equal(said, "SERVING");
	/* 2: a varint, 3: eight bytes, 4: three bytes, 5: four bytes */
	assert_true(is_serving("\0\0\0\0\x18\x10\x96\x01\x19"
	                       "12345678"
	                       "\x22\x03"
	                       "abc"
	                       "\x2d"
	                       "1234"
	                       "\x08\x01",
	                       29, &said));
	/* of two states the last counts */
	assert_false(is_serving("\0\0\0\0\x04\x08\x01\x08\x02", 9, &said));
	assert_string_equal(said, "NOT_SERVING");
}

static void test_what_is_cut_or_compressed_or_too_long_says_nothing(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} cases[] = {
		{"", 0},
		{"\0\0\0\0", 4},
		{"\0\0\0\0\x02\x08", 6},
		{"\0\0\0\0\x01\x08\x01", 7},
		{"\x01\0\0\0\x02\x08\x01", 7},
		{"\0\0\0\0\x01\x08", 6},
		{"\0\0\0\0\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16},
		{"\0\0\0\0\x04\x12\xff\x7f\x08", 9},
		{"\0\0\0\0\x02\x0f\x01", 7},
		{"\0\xff\xff\xff\xff\x08\x01", 7},
	};
	const char *said;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_false(is_serving(cases[i].body, cases[i].len, &said));
		assert_string_equal(said, "the answer is not a HealthCheckResponse");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_server_is_asked_for_by_an_empty_message),
		cmocka_unit_test(test_a_service_is_field_1_with_its_length_in_seven_bits_a_byte),
		cmocka_unit_test(test_fields_that_are_not_known_are_passed_over),
		cmocka_unit_test(test_what_is_cut_or_compressed_or_too_long_says_nothing),
	};

	return cmocka_run_group_tests_name("watcher/probe_grpc", tests, NULL, NULL);
}
