/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kube/secret.h"

static struct kube_secret secret(const char *text)
{
	struct kube_secret s = {0};

	kube_secret_set(&s, bytes_of(text));
	return s;
}

static void test_a_secret_is_a_copy_that_ends_in_a_nul(void **state)
{
	char text[] = "abc";
	struct kube_secret s = secret(text);

	(void)state;
	text[0] = 'x';
	assert_int_equal(s.len, 3);
	assert_string_equal(s.data, "abc");
	assert_true(bytes_equal_text(kube_secret_bytes(&s), "abc"));
	kube_secret_fini(&s);
	assert_null(s.data);
	assert_int_equal(s.len, 0);
	kube_secret_fini(&s);
}

static void test_setting_replaces_also_by_a_part_of_itself(void **state)
{
	struct kube_secret s = secret("abcdef");

	(void)state;
	kube_secret_set(&s, (struct bytes){(const uint8_t *)s.data + 2, 3});
	assert_string_equal(s.data, "cde");
	kube_secret_set(&s, bytes_of(""));
	assert_null(s.data);
	assert_int_equal(kube_secret_bytes(&s).len, 0);
}

static void test_equal_secrets_have_the_same_bytes(void **state)
{
	struct kube_secret a = secret("abc"), b = secret("abc"), c = secret("abd"),
			   d = secret("abcd"), none = {0};

	(void)state;
	assert_true(kube_secret_equal(&a, &b));
	assert_false(kube_secret_equal(&a, &c));
	assert_false(kube_secret_equal(&a, &d));
	assert_false(kube_secret_equal(&a, &none));
	assert_true(kube_secret_equal(&none, &none));
	kube_secret_fini(&a);
	kube_secret_fini(&b);
	kube_secret_fini(&c);
	kube_secret_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_is_a_copy_that_ends_in_a_nul),
		cmocka_unit_test(test_setting_replaces_also_by_a_part_of_itself),
		cmocka_unit_test(test_equal_secrets_have_the_same_bytes),
	};

	return cmocka_run_group_tests_name("kube/secret", tests, NULL, NULL);
}
