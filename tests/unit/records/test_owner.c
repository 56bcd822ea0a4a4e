/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "records/owner.h"

static void test_only_letters_are_lowered(void **state)
{
	uint8_t in[NAMES_WIRE_MAX], out[NAMES_WIRE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t len = 0; len <= sizeof(in); len++) {
		memset(out, 0xee, sizeof(out));
		owner_lower((struct bytes){in, len}, out);
		for (size_t i = 0; i < sizeof(in); i++)
			assert_int_equal(out[i], i >= len                       ? 0xee
			                         : in[i] >= 'A' && in[i] <= 'Z' ? in[i] + 32
			                                                        : in[i]);
	}
}

static void test_names_that_differ_in_case_have_one_hash(void **state)
{
	const struct hash_key key = {1, 2}, other = {1, 3};
	struct bytes a = {(const uint8_t *)"\3WWW\7Example", 13},
		     b = {(const uint8_t *)"\3www\7example", 13};

	(void)state;
	assert_int_equal(owner_hash(&key, a), owner_hash(&key, b));
	assert_int_not_equal(owner_hash(&key, a), owner_hash(&other, a));
}

static void test_joined_names_are_whole_and_not_too_long(void **state)
{
	static uint8_t filler[240];
	struct bytes front = {(const uint8_t *)"\3www", 4}, back = {(const uint8_t *)"\3com", 5},
		     none = {NULL, 0};
	uint8_t out[NAMES_WIRE_MAX];

	(void)state;
	assert_int_equal(owner_join(front, bytes_of("eu"), back, out), 12);
	assert_memory_equal(out, "\3www\2eu\3com", 12);
	assert_int_equal(owner_join(none, none, back, out), 5);
	assert_int_equal(owner_join((struct bytes){filler, 240}, bytes_of("123456789"), back, out),
	                 255);
	assert_int_equal(owner_join((struct bytes){filler, 240}, bytes_of("1234567890"), back, out),
	                 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_letters_are_lowered),
		cmocka_unit_test(test_names_that_differ_in_case_have_one_hash),
		cmocka_unit_test(test_joined_names_are_whole_and_not_too_long),
	};

	return cmocka_run_group_tests_name("records/owner", tests, NULL, NULL);
}
