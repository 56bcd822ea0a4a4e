/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

/* Appendix A of the SipHash paper: key 00..0f, message 00..0e; and others of the
 * authors' list for the same key. */
static void test_siphash_gives_the_values_of_its_authors(void **state)
{
	static const struct {
		size_t len;
		uint64_t want;
	} vector[] = {
		{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb},
	};
	const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t message[16];

	(void)state;
	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	for (size_t i = 0; i < sizeof(vector) / sizeof(vector[0]); i++)
		assert_true(hash_siphash(&key, message, vector[i].len) == vector[i].want);
}

static void test_siphash_of_two_numbers_is_that_of_their_bytes(void **state)
{
	const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	(void)state;
	assert_true(hash_siphash_two(&key, 0x0706050403020100, 0x0f0e0d0c0b0a0908) ==
	            0x3f2acc7f57c29bdb);
}

/* The values are promises: all replicas choose alike by them. */
static void test_fixed_hashes_never_change(void **state)
{
	(void)state;
	assert_true(hash_fixed(bytes_of("")) == 0x83f0a0dfcc52b80d);
	assert_true(hash_fixed(bytes_of("tokyo")) == 0xacc81fd9bdcc673);
	assert_true(hash_mix(1, 2) == 0xe2bbf3eb5675cf33);
	assert_true(hash_mix(1, 2) != hash_mix(2, 1));
}

static void test_mixing_is_even(void **state)
{
	unsigned seen[16] = {0};

	(void)state;
	for (uint64_t a = 0; a < 400; a++)
		for (uint64_t b = 0; b < 400; b++)
			seen[hash_mix(a, b) >> 60]++;
	for (int i = 0; i < 16; i++)
		assert_in_range(seen[i], 9400, 10600);
}

static void test_every_bit_of_both_sides_reaches_half_of_the_mix(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		unsigned left = 0, right = 0;

		for (uint64_t i = 0; i < 64; i++) {
			left += (unsigned)__builtin_popcountll(hash_mix(i, 9) ^
			                                       hash_mix(i ^ 1ull << bit, 9));
			right += (unsigned)__builtin_popcountll(hash_mix(9, i) ^
			                                        hash_mix(9, i ^ 1ull << bit));
		}
		assert_in_range(left, 64 * 28, 64 * 36);
		assert_in_range(right, 64 * 28, 64 * 36);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_gives_the_values_of_its_authors),
		cmocka_unit_test(test_siphash_of_two_numbers_is_that_of_their_bytes),
		cmocka_unit_test(test_fixed_hashes_never_change),
		cmocka_unit_test(test_mixing_is_even),
		cmocka_unit_test(test_every_bit_of_both_sides_reaches_half_of_the_mix),
	};

	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
