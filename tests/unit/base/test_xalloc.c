/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

static void test_a_size_of_zero_gives_a_pointer(void **state)
{
	void *p[] = {xmalloc(0), xcalloc(0, 8), xrealloc(NULL, 0), xreallocarray(NULL, 0, 4),
	             xmemdup(NULL, 0)};

	(void)state;
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
}

static void test_copies_hold_what_was_given(void **state)
{
	char *whole = xstrdup("abc"), *part = xstrndup("abcdef", 2), *none = xstrndup(NULL, 0);
	uint8_t *bytes = xmemdup("\0\1\2", 3);

	(void)state;
	assert_string_equal(whole, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(none, "");
	assert_memory_equal(bytes, "\0\1\2", 3);
	free(whole);
	free(part);
	free(none);
	free(bytes);
}

static void test_calloc_gives_zeros(void **state)
{
	uint64_t *p = xcalloc(100, sizeof(*p));

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	free(p);
}

static void test_a_product_that_overflows_aborts(void **state)
{
	volatile size_t half = SIZE_MAX / 2;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		free(xreallocarray(NULL, half, 3));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_size_of_zero_gives_a_pointer),
		cmocka_unit_test(test_copies_hold_what_was_given),
		cmocka_unit_test(test_calloc_gives_zeros),
		cmocka_unit_test(test_a_product_that_overflows_aborts),
	};

	return cmocka_run_group_tests_name("base/xalloc", tests, NULL, NULL);
}
