/* The file with the secrets of cookies: read, refused, read again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dnsd/cookie_jar.h"

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"

struct desk {
	char file[64];
	struct cookie_jar jar;
	struct reason why;
};

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof *d);

	assert_non_null(d);
	strcpy(d->file, "/tmp/nigh-jar-XXXXXX");
	close(mkstemp(d->file));
	cookie_jar_init(&d->jar);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	unlink(d->file);
	cookie_jar_fini(&d->jar);
	free(d);
	return 0;
}

static void write_file(struct desk *d, const char *text)
{
	FILE *f = fopen(d->file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static enum err fill(struct desk *d) { return cookie_jar_fill(&d->jar, d->file, &d->why); }

static bool has_first_key(const struct desk *d, const char *first_two)
{
	return (d->jar.secrets.key[0].k0 & 0xff) == strtoul(first_two, NULL, 16);
}

static void test_each_line_is_a_secret(void **state)
{
	struct desk *d = *state;

	write_file(d, SECRET "\nDD3BDF9344B678B185A6F5CB60FCA715\n");
	assert_int_equal(fill(d), ERR_OK);
	assert_int_equal(d->jar.secrets.count, 2);
	assert_true(d->jar.secrets.key[0].k0 == 0x3fa4b2a6e573e9e5);
	assert_true(d->jar.secrets.key[0].k1 == 0xcfbf379e84dce748);
	assert_true(has_first_key(d, "e5"));
	write_file(d, SECRET); /* without the newline */
	assert_int_equal(fill(d), ERR_OK);
	assert_int_equal(d->jar.secrets.count, 1);
}

static void assert_refused(struct desk *d, const char *text, const char *told)
{
	char wanted[256];

	write_file(d, text);
	assert_int_equal(fill(d), ERR_PARSE);
	snprintf(wanted, sizeof wanted, "%s%s", d->file, told);
	assert_string_equal(d->why.text, wanted);
	assert_true(has_first_key(d, "e5"));
}

static void test_a_bad_file_is_named_and_the_secrets_stay(void **state)
{
	struct desk *d = *state;

	write_file(d, SECRET "\n");
	assert_int_equal(fill(d), ERR_OK);
	assert_refused(d, "", ": no secret in it");
	assert_refused(d, SECRET "\n\n", ":2: a secret is 32 hexadecimal digits");
	assert_refused(d, SECRET "\n" SECRET "0\n", ":2: a secret is 32 hexadecimal digits");
	assert_refused(d, "g5e973e5a6b2a43f48e7dc849e37bfcf",
	               ":1: a secret is 32 hexadecimal digits");
	assert_refused(d,
	               SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET
	                      "\n" SECRET "\n" SECRET "\n" SECRET "\n",
	               ":9: more than 8 secrets");
	unlink(d->file);
	assert_int_equal(fill(d), ERR_IO);
	assert_int_equal(cookie_jar_fill(&d->jar, "/tmp", &d->why), ERR_IO);
	assert_true(has_first_key(d, "e5"));
}

static void test_a_file_that_others_may_read_is_refused(void **state)
{
	static const mode_t modes[] = {0604, 0602, 0601, 0660, 0644};
	struct desk *d = *state;

	write_file(d, SECRET "\n");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(d->file, modes[i]), 0);
		assert_int_equal(fill(d), ERR_DENIED);
		assert_non_null(strstr(d->why.text, "chmod 640"));
	}
	assert_int_equal(chmod(d->file, 0400), 0);
	assert_int_equal(fill(d), ERR_OK);
}

/* As Kubernetes mounts a Secret for a pod with an fsGroup. */
static void test_a_file_that_its_group_may_read_is_taken(void **state)
{
	static const mode_t modes[] = {0440, 0640};
	struct desk *d = *state;

	write_file(d, SECRET "\n");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(d->file, modes[i]), 0);
		assert_int_equal(fill(d), ERR_OK);
	}
}

static void test_what_changes_is_stale_until_it_is_read(void **state)
{
	struct desk *d = *state;

	assert_false(cookie_jar_is_stale(&d->jar, NULL));
	write_file(d, SECRET "\n");
	assert_true(cookie_jar_is_stale(&d->jar, d->file));
	assert_int_equal(fill(d), ERR_OK);
	assert_false(cookie_jar_is_stale(&d->jar, d->file));
	write_file(d, SECRET "\n" SECRET "\n");
	assert_true(cookie_jar_is_stale(&d->jar, d->file));
	assert_int_equal(fill(d), ERR_OK);
	/* Gone, and there again as it was: its error has to go too. */
	assert_int_equal(chmod(d->file, 0644), 0);
	assert_true(cookie_jar_is_stale(&d->jar, d->file));
	assert_int_equal(fill(d), ERR_DENIED);
	assert_int_equal(chmod(d->file, 0600), 0);
	assert_true(cookie_jar_is_stale(&d->jar, d->file));
	assert_int_equal(fill(d), ERR_OK);
	assert_false(cookie_jar_is_stale(&d->jar, d->file));
}

static void test_without_a_file_the_secret_is_random_and_stays(void **state)
{
	struct desk *d = *state;
	struct cookie_secrets random = d->jar.secrets;
	struct cookie_jar other;

	assert_int_equal(random.count, 1);
	cookie_jar_init(&other);
	assert_memory_not_equal(&other.secrets.key[0], &random.key[0], sizeof random.key[0]);
	write_file(d, SECRET "\n");
	assert_int_equal(fill(d), ERR_OK);
	assert_memory_not_equal(&d->jar.secrets.key[0], &random.key[0], sizeof random.key[0]);
	assert_int_equal(cookie_jar_fill(&d->jar, NULL, &d->why), ERR_OK);
	assert_memory_equal(&d->jar.secrets.key[0], &random.key[0], sizeof random.key[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_line_is_a_secret),
		TEST(test_a_bad_file_is_named_and_the_secrets_stay),
		TEST(test_a_file_that_others_may_read_is_refused),
		TEST(test_a_file_that_its_group_may_read_is_taken),
		TEST(test_what_changes_is_stale_until_it_is_read),
		TEST(test_without_a_file_the_secret_is_random_and_stays),
	};

	return cmocka_run_group_tests_name("dnsd/cookie_jar", tests, NULL, NULL);
}
