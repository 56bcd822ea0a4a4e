/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records/names.h"
#include "tests/support/zones_world.h"
#include "zones/fold.h"
#include "zones/name.h"

static const struct name_key key = {
	{0x0123456789abcdef, 0xfedcba9876543210, 0x1122334455667788, 0}};

/* From memory of exactly that length, so that ASan sees a read too far. */
static size_t parse_exactly(struct name *n, const void *wire, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	size_t result;

	memcpy(copy, wire, len);
	result = name_parse(n, copy, len);
	free(copy);
	return result;
}

static void test_a_name_is_taken_apart(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(parse_exactly(&n, "\3WwW\7eXample\3COM", 17), 17);
	assert_int_equal(n.labels, 3);
	assert_int_equal(n.len, 17);
	assert_memory_equal(n.wire, "\3www\7example\3com", 17);
	assert_int_equal(n.at[0], 0);
	assert_int_equal(n.at[1], 4);
	assert_int_equal(n.at[2], 12);
	assert_int_equal(n.at[3], 16);
}

static void test_the_root_is_a_name(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(parse_exactly(&n, "", 1), 1);
	assert_int_equal(n.labels, 0);
	assert_int_equal(n.at[0], 0);
}

static void test_what_follows_the_name_does_not_matter(void **state)
{
	struct name a, b;

	(void)state;
	for (size_t extra = 0; extra < 20; extra++) {
		uint8_t wire[40];

		memset(wire, 'Z', sizeof(wire));
		memcpy(wire, "\2ab\1c", 6);
		assert_int_equal(parse_exactly(&a, wire, 6 + extra), 6);
		assert_int_equal(parse_exactly(&b, "\2ab\1c", 6), 6);
		assert_memory_equal(a.wire, b.wire, 6 + NAME_PADDING);
		assert_true(fold_suffix(&a, 0, &key) == fold_suffix(&b, 0, &key));
	}
}

static void test_only_ascii_letters_change_their_case(void **state)
{
	uint8_t wire[65] = {63}, bytes;
	struct name n;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bytes = (uint8_t)c;
		memset(wire + 1, bytes, 63);
		assert_int_equal(parse_exactly(&n, wire, 65), 65);
		for (int i = 1; i < 64; i++)
			assert_int_equal(n.wire[i], c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
}

static void test_malformed_names_are_refused(void **state)
{
	static const struct {
		const char *wire;
		size_t len;
	} bad[] = {{"", 0},        {"\3", 1},        {"\3abc", 4}, {"\3ab", 3},
	           {"\300\14", 2}, {"\1a\300\0", 4}, {"\100a", 3}, {"\200a", 3}};
	struct name n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_exactly(&n, bad[i].wire, bad[i].len), 0);
}

static void test_a_name_has_at_most_255_bytes_and_127_labels(void **state)
{
	uint8_t wire[300];
	struct name n;

	(void)state;
	for (int i = 0; i < 127; i++)
		memcpy(wire + i * 2, "\1a", 2);
	wire[254] = 0;
	assert_int_equal(parse_exactly(&n, wire, 255), 255);
	assert_int_equal(n.labels, 127);
	memcpy(wire + 252, "\2aa", 4);
	assert_int_equal(parse_exactly(&n, wire, 256), 0);
	assert_int_equal(parse_exactly(&n, wire, 254), 0);
}

static void test_a_suffix_hashes_like_the_name_it_is(void **state)
{
	struct name whole, part;
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint8_t wire[256];
		size_t len = 0, stop = zworld_random(&seed) % 240;

		while (len < stop) {
			size_t label = 1 + zworld_random(&seed) % 63;

			if (len + label + 2 > 255)
				break;
			wire[len++] = (uint8_t)label;
			while (label-- > 0)
				wire[len++] = (uint8_t)zworld_random(&seed);
		}
		wire[len++] = 0;
		assert_int_equal(parse_exactly(&whole, wire, len), len);
		for (unsigned i = 0; i <= whole.labels; i++) {
			assert_int_equal(
				parse_exactly(&part, wire + whole.at[i], len - whole.at[i]),
				len - whole.at[i]);
			assert_true(fold_suffix(&part, 0, &key) == fold_suffix(&whole, i, &key));
		}
		assert_true(name_wire_hash(wire, &key) == fold_suffix(&whole, 0, &key));
		assert_int_equal(name_wire_labels(wire), whole.labels);
	}
}

static void assert_spread(const char *before, int digits, const char *after)
{
	unsigned bucket[1024] = {0}, most = 0;

	for (int i = 0; i < 102400; i++) {
		char text[64];
		struct name n;
		struct bytes wire;

		snprintf(text, sizeof(text), "%s%0*d%s", before, digits, i, after);
		wire = zworld_wire(text);
		assert_true(name_parse(&n, wire.data, wire.len) > 0);
		bucket[fold_suffix(&n, 0, &key) % 1024]++;
	}
	for (int i = 0; i < 1024; i++)
		most = bucket[i] > most ? bucket[i] : most;
	/* 100 a bucket on average; over 160 would be six standard deviations. */
	assert_true(most < 160);
}

/* What differs stands at the beginning, in the middle, and in a block of its own. */
static void test_hashes_of_likely_names_are_spread(void **state)
{
	(void)state;
	assert_spread("n", 1, ".example.com");
	assert_spread("", 7, ".example.com");
	assert_spread("shop-", 1, ".web.fed.svc.region.example.com");
	assert_spread("a-rather-long-first-label.n", 1, ".org");
	assert_spread("", 1, "");
}

static void test_names_are_ordered_as_rfc_4034_says(void **state)
{
	static const char *const order[] = {
		"example",         "a.example",      "yljkjljk.a.example",
		"Z.a.example",     "zABC.a.EXAMPLE", "z.example",
		"\\001.z.example", "*.z.example",    "\\200.z.example"};
	uint8_t wire[9][NAMES_WIRE_MAX];
	size_t len;

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(names_from_text(bytes_of(order[i]), wire[i], &len, NULL), ERR_OK);
	for (int i = 0; i < 9; i++)
		for (int j = 0; j < 9; j++) {
			int result = name_wire_compare(wire[i], wire[j]);

			assert_int_equal((result > 0) - (result < 0), (i > j) - (i < j));
		}
	assert_int_equal(
		name_wire_compare(zworld_wire("WWW.Example").data, zworld_wire("www.eXample").data),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_taken_apart),
		cmocka_unit_test(test_the_root_is_a_name),
		cmocka_unit_test(test_what_follows_the_name_does_not_matter),
		cmocka_unit_test(test_only_ascii_letters_change_their_case),
		cmocka_unit_test(test_malformed_names_are_refused),
		cmocka_unit_test(test_a_name_has_at_most_255_bytes_and_127_labels),
		cmocka_unit_test(test_a_suffix_hashes_like_the_name_it_is),
		cmocka_unit_test(test_hashes_of_likely_names_are_spread),
		cmocka_unit_test(test_names_are_ordered_as_rfc_4034_says),
	};

	return cmocka_run_group_tests_name("zones/name", tests, NULL, NULL);
}
