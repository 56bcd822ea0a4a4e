/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void test_equality_and_order_are_of_bytes(void **state)
{
	(void)state;
	assert_true(bytes_equal(bytes_of("abc"), bytes_of("abc")));
	assert_false(bytes_equal(bytes_of("abc"), bytes_of("abC")));
	assert_false(bytes_equal(bytes_of("abc"), bytes_of("ab")));
	assert_true(bytes_equal(bytes_of(NULL), bytes_of("")));
	assert_true(bytes_equal_text(bytes_of("x"), "x"));
	assert_true(bytes_compare(bytes_of("ab"), bytes_of("abc")) < 0);
	assert_true(bytes_compare(bytes_of("b"), bytes_of("abc")) > 0);
	assert_true(bytes_compare(bytes_of("\xff"), bytes_of("a")) > 0);
	assert_int_equal(bytes_compare(bytes_of(NULL), bytes_of("")), 0);
}

static void test_a_list_is_sorted_and_has_each_once(void **state)
{
	struct bytes list[] = {bytes_of("b"), bytes_of("ab"), bytes_of("b"), bytes_of("a")};

	(void)state;
	assert_int_equal(bytes_unique(list, 4), 3);
	assert_true(bytes_equal_text(list[0], "a"));
	assert_true(bytes_equal_text(list[1], "ab"));
	assert_true(bytes_equal_text(list[2], "b"));
	assert_int_equal(bytes_unique(list, 1), 1);
	assert_int_equal(bytes_unique(NULL, 0), 0);
}

static void test_a_cursor_reads_what_a_buffer_wrote(void **state)
{
	struct buffer b = {0};
	struct cursor c;

	(void)state;
	buffer_u8(&b, 0x12);
	buffer_u16(&b, 0x3456);
	buffer_u32(&b, 0x789abcde);
	buffer_u64(&b, 0xf0f1f2f3f4f5f6f7);
	buffer_str16(&b, bytes_of("hello"));
	buffer_str16(&b, bytes_of(""));
	buffer_put(&b, "xyz", 3);
	buffer_put(&b, NULL, 0);
	assert_int_equal(b.len, 1 + 2 + 4 + 8 + 7 + 2 + 3);
	assert_memory_equal(b.data, "\x12\x34\x56\x78\x9a\xbc\xde\xf0", 8);
	c = cursor_over(b.data, b.len);
	assert_int_equal(cursor_u8(&c), 0x12);
	assert_int_equal(cursor_u16(&c), 0x3456);
	assert_int_equal(cursor_u32(&c), 0x789abcde);
	assert_true(cursor_u64(&c) == 0xf0f1f2f3f4f5f6f7);
	assert_true(bytes_equal_text(cursor_str16(&c), "hello"));
	assert_int_equal(cursor_str16(&c).len, 0);
	assert_int_equal(cursor_left(&c), 3);
	assert_true(bytes_equal_text(cursor_bytes(&c, 3), "xyz"));
	assert_false(c.bad);
	assert_int_equal(cursor_left(&c), 0);
	buffer_fini(&b);
	assert_null(b.data);
}

static void test_reading_past_the_end_gives_zeros_and_turns_bad(void **state)
{
	struct cursor c = cursor_over("\x01\x02\x03", 3);

	(void)state;
	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.bad);
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(cursor_bytes(&c, 0).len, 0);
	assert_int_equal(cursor_left(&c), 0);
	c = cursor_over("\xff\xff"
	                "ab",
	                4);
	assert_null(cursor_str16(&c).data);
	assert_true(c.bad);
	c = cursor_over(NULL, 0);
	assert_int_equal(cursor_u16(&c), 0);
	assert_true(c.bad);
	c = cursor_over("a", 1);
	assert_null(cursor_bytes(&c, SIZE_MAX).data);
	assert_true(c.bad);
}

static void test_integers_at_a_place_are_big_endian(void **state)
{
	uint8_t p[4];

	(void)state;
	bytes_put16(p, 0xfedc);
	assert_memory_equal(p, "\xfe\xdc", 2);
	assert_int_equal(bytes_get16(p), 0xfedc);
	bytes_put32(p, 0xfedcba98);
	assert_memory_equal(p, "\xfe\xdc\xba\x98", 4);
	assert_int_equal(bytes_get32(p), 0xfedcba98);
}

static void test_a_reset_buffer_keeps_its_room(void **state)
{
	struct buffer b = {0};
	size_t room;

	(void)state;
	memset(buffer_extend(&b, 100000), 'x', 100000);
	room = b.room;
	buffer_reset(&b);
	assert_int_equal(b.len, 0);
	buffer_u8(&b, 1);
	assert_int_equal(b.room, room);
	buffer_fini(&b);
}

static void test_every_length_is_copied_and_no_more(void **state)
{
	uint8_t from[80], to[80];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i + 1);
	for (size_t len = 0; len <= 70; len++) {
		memset(to, 0, sizeof(to));
		bytes_copy(to + 3, from, len);
		for (size_t i = 0; i < sizeof(to); i++)
			assert_int_equal(to[i], i >= 3 && i < len + 3 ? i - 2 : 0);
	}
}

static void test_what_is_trimmed_stands_at_the_ends(void **state)
{
	struct bytes zero = {(const uint8_t *)"\0a\0", 3};

	(void)state;
	assert_true(bytes_equal_text(bytes_trimmed(bytes_of("\t a b \t"), " \t"), "a b"));
	assert_true(bytes_equal_text(bytes_trimmed(bytes_of(" \ta"), " "), "\ta"));
	assert_int_equal(bytes_trimmed(bytes_of("  "), " ").len, 0);
	assert_int_equal(bytes_trimmed(bytes_of(NULL), " ").len, 0);
	assert_true(bytes_equal(bytes_trimmed(zero, " \t"), zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equality_and_order_are_of_bytes),
		cmocka_unit_test(test_what_is_trimmed_stands_at_the_ends),
		cmocka_unit_test(test_a_list_is_sorted_and_has_each_once),
		cmocka_unit_test(test_a_cursor_reads_what_a_buffer_wrote),
		cmocka_unit_test(test_reading_past_the_end_gives_zeros_and_turns_bad),
		cmocka_unit_test(test_integers_at_a_place_are_big_endian),
		cmocka_unit_test(test_a_reset_buffer_keeps_its_room),
		cmocka_unit_test(test_every_length_is_copied_and_no_more),
	};

	return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
