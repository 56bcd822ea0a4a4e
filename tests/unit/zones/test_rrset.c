/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "zones/rrset.h"

/* RDATA of `len` bytes each, at `data` one behind the other. */
static struct rrset *rrset_of(uint16_t type, const char *data, size_t len, uint16_t count)
{
	struct rrset *s = malloc(sizeof *s + count * (2 + len));

	*s = (struct rrset){.type = type, .count = count, .bytes = (uint32_t)(count * (2 + len))};
	for (size_t i = 0; i < count; i++) {
		bytes_put16(s->data + i * (2 + len), (uint16_t)len);
		memcpy(s->data + i * (2 + len) + 2, data + i * len, len);
	}
	return s;
}

static bool has(const struct rrset *s, const char *rdata, size_t len)
{
	return rrsets_have(s, NULL, 0, (struct bytes){(const uint8_t *)rdata, len});
}

static void test_an_address_is_found_wherever_it_stands(void **state)
{
	static const char sorted[] = "\1\0\0\2\1\0\0\4\1\0\0\6\1\0\0\x80\xff\0\0\1";

	(void)state;
	for (uint16_t count = 1; count <= 5; count++) {
		struct rrset *s = rrset_of(RR_A, sorted, 4, count);

		for (uint16_t i = 0; i < 5; i++)
			assert_int_equal(has(s, sorted + 4 * i, 4), i < count);
		assert_false(has(s, "\1\0\0\1", 4));
		assert_false(has(s, "\1\0\0\3", 4));
		assert_false(has(s, "\1\0\0\x7f", 4));
		assert_false(has(s, "\xff\0\0\2", 4));
		free(s);
	}
}

static void test_other_data_is_found_by_length_and_content(void **state)
{
	struct rrset *s = rrset_of(RR_TXT, "\1a\1b\1c", 2, 3);

	(void)state;
	assert_true(has(s, "\1b", 2));
	assert_false(has(s, "\1d", 2));
	assert_false(has(s, "\1", 1));
	assert_false(has(s, "\2ab", 3));
	free(s);
}

static void test_nothing_is_found_where_nothing_is_or_of_another_length(void **state)
{
	struct rrset *none = rrset_of(RR_A, "", 4, 0), *two = rrset_of(RR_A, "aaaabbbb", 4, 2);

	(void)state;
	assert_false(has(none, "aaaa", 4));
	assert_false(has(two, "aaaab", 5));
	assert_false(has(two, "aa", 2));
	free(none);
	free(two);
}

static void test_all_of_several_are_looked_through(void **state)
{
	struct rrset *a = rrset_of(RR_A, "aaaabbbb", 4, 2), *b = rrset_of(RR_A, "ccccdddd", 4, 2),
		     *c = rrset_of(RR_A, "aaaaffff", 4, 2);
	const struct rrset *more[] = {b, c};

	(void)state;
	assert_true(rrsets_have(a, more, 2, bytes_of("bbbb")));
	assert_true(rrsets_have(a, more, 2, bytes_of("cccc")));
	assert_true(rrsets_have(a, more, 2, bytes_of("ffff")));
	assert_false(rrsets_have(a, more, 1, bytes_of("ffff")));
	assert_false(rrsets_have(a, more, 2, bytes_of("eeee")));
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_found_wherever_it_stands),
		cmocka_unit_test(test_other_data_is_found_by_length_and_content),
		cmocka_unit_test(test_nothing_is_found_where_nothing_is_or_of_another_length),
		cmocka_unit_test(test_all_of_several_are_looked_through),
	};

	return cmocka_run_group_tests_name("zones/rrset", tests, NULL, NULL);
}
