/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static const char *const rooms[] = {"base/*.[ch]", "geo/*.[ch]",   "records/*.[ch]",
                                    "kube/*.[ch]", "zones/*.[ch]", "watcher/*.[ch]",
                                    "dnsd/*.[ch]", "ctl/*.[ch]"};

static void test_bounded_draws_are_even_and_within(void **state)
{
	unsigned seen[7] = {0};

	(void)state;
	for (int i = 0; i < 70000; i++) {
		uint32_t v = random_below(7);

		assert_true(v < 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 9400, 10600); /* six standard deviations */
	assert_int_equal(random_below(0), 0);
	assert_int_equal(random_below(1), 0);
}

static void test_bytes_are_filled_to_the_end(void **state)
{
	uint8_t a[1000] = {0}, b[1000] = {0};
	unsigned zeros = 0;

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	random_bytes(NULL, 0);
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 984; i < 1000; i++)
		zeros += a[i] == 0;
	assert_true(zeros < 8);
	assert_true(random_u64() != random_u64());
}

/* --- what the rooms use --- */

static bool is_part_of_a_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static bool calls(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; (at = strstr(at, name)) != NULL; at += len)
		if ((at == text || !is_part_of_a_word(at[-1])) && at[len] == '(')
			return true;
	return false;
}

static void assert_file_guesses_nothing(const char *path)
{
	static const char *const guesses[] = {"rand",    "srand",   "rand_r",    "random",
	                                      "srandom", "drand48", "lrand48",   "mrand48",
	                                      "srand48", "erand48", "initstate", "random_r"};
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	assert_true(feof(f));
	text[len] = '\0';
	fclose(f);
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++)
		if (calls(text, guesses[i]))
			fail_msg("%s calls %s()", path, guesses[i]);
}

/* Whoever knows the time or a few numbers must not know the next: IDs, keys and tokens are drawn from the kernel. */
static void test_no_room_draws_from_what_can_be_guessed(void **state)
{
	glob_t found = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		assert_int_equal(glob(rooms[i], i > 0 ? GLOB_APPEND : 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 200);
	for (size_t i = 0; i < found.gl_pathc; i++)
		assert_file_guesses_nothing(found.gl_pathv[i]);
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounded_draws_are_even_and_within),
		cmocka_unit_test(test_bytes_are_filled_to_the_end),
		cmocka_unit_test(test_no_room_draws_from_what_can_be_guessed),
	};

	return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
