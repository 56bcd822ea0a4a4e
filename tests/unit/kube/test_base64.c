/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string.h>

#include <cmocka.h>

#include "kube/base64.h"

static void assert_decodes(const char *text, const char *want)
{
	struct buffer out = {0};

	buffer_put(&out, "before", 6);
	assert_true(base64_decode(bytes_of(text), &out));
	assert_int_equal(out.len, 6 + strlen(want));
	assert_memory_equal(out.data, "before", 6);
	if (want[0])
		assert_memory_equal(out.data + 6, want, strlen(want));
	buffer_fini(&out);
}

static void assert_refused(struct bytes text)
{
	struct buffer out = {0};

	buffer_put(&out, "before", 6);
	assert_false(base64_decode(text, &out));
	assert_int_equal(out.len, 6);
	buffer_fini(&out);
}

static void test_the_vectors_of_rfc_4648(void **state)
{
	(void)state;
	assert_decodes("", "");
	assert_decodes("Zg==", "f");
	assert_decodes("Zm8=", "fo");
	assert_decodes("Zm9v", "foo");
	assert_decodes("Zm9vYg==", "foob");
	assert_decodes("Zm9vYmE=", "fooba");
	assert_decodes("Zm9vYmFy", "foobar");
}

static void test_padding_may_be_missing(void **state)
{
	(void)state;
	assert_decodes("Zg", "f");
	assert_decodes("Zm8", "fo");
	assert_decodes("Zm9vYg", "foob");
}

static void test_white_space_is_passed_over(void **state)
{
	(void)state;
	assert_decodes(" Zm9v\r\n\tYmFy\n", "foobar");
}

static void test_both_alphabets_are_taken(void **state)
{
	(void)state;
	assert_decodes("++//++//", "\xfb\xef\xff\xfb\xef\xff");
	assert_decodes("--__--__", "\xfb\xef\xff\xfb\xef\xff");
}

static void test_all_bytes_come_back(void **state)
{
	struct buffer out = {0};

	(void)state;
	assert_true(base64_decode(bytes_of("AAECAwT/"), &out));
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.data, "\0\1\2\3\4\xff", 6);
	buffer_fini(&out);
}

static void test_anything_else_is_refused(void **state)
{
	(void)state;
	assert_refused(bytes_of("Z"));
	assert_refused(bytes_of("Zm9vY"));
	assert_refused(bytes_of("Zm9!"));
	assert_refused(bytes_of("Zm\xc3\xa4v"));
	assert_refused((struct bytes){(const uint8_t *)"Zm\0v", 4});
	assert_refused(bytes_of("{\"a\":1}"));
}

static void test_what_is_encoded_is_decoded(void **state)
{
	uint8_t plain[200];
	struct text coded = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	base64_encode((struct bytes){plain, 0}, &coded);
	assert_int_equal(coded.len, 0);
	base64_encode(bytes_of("fooba"), &coded);
	assert_string_equal(coded.data, "Zm9vYmE="); /* RFC 4648 10 */
	for (size_t len = 1; len <= sizeof(plain); len++) {
		struct buffer back = {0};

		text_reset(&coded);
		base64_encode((struct bytes){plain, len}, &coded);
		assert_int_equal(coded.len, (len + 2) / 3 * 4);
		assert_true(base64_decode(bytes_of(coded.data), &back));
		assert_int_equal(back.len, len);
		assert_memory_equal(back.data, plain, len);
		buffer_fini(&back);
	}
	text_fini(&coded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_vectors_of_rfc_4648),
		cmocka_unit_test(test_padding_may_be_missing),
		cmocka_unit_test(test_white_space_is_passed_over),
		cmocka_unit_test(test_both_alphabets_are_taken),
		cmocka_unit_test(test_all_bytes_come_back),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_what_is_encoded_is_decoded),
	};

	return cmocka_run_group_tests_name("kube/base64", tests, NULL, NULL);
}
