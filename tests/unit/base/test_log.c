/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* stderr, kept in memory meanwhile. */
static int memory, saved;

static void capture(void)
{
	memory = memfd_create("log", MFD_CLOEXEC);
	saved = dup(STDERR_FILENO);
	assert_true(memory >= 0 && saved >= 0);
	dup2(memory, STDERR_FILENO);
}

/* What was written since capture(); the caller frees. */
static char *captured(void)
{
	off_t len = lseek(memory, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	assert_int_equal(pread(memory, text, (size_t)len, 0), len);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(memory);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void test_a_line_has_time_level_room_message_and_context(void **state)
{
	const struct log_context cluster = {NULL, "cluster", "la"};
	const struct log_context file = {&cluster, "file", "a b=\"c\".yaml"};
	char *out;
	int64_t when;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	capture();
	log_write(LOG_WARN, "watcher", &file, "file %s", "ignored");
	out = captured();
	assert_string_equal(
		strchr(out, ' '),
		" warn  watcher: file ignored cluster=la file=\"a b=\\\"c\\\".yaml\"\n");
	assert_true(text_to_time((struct bytes){(uint8_t *)out, strcspn(out, " ")}, &when));
	assert_int_equal(out[19], '.');
	free(out);
}

static void test_json_lines_escape_everything(void **state)
{
	const struct log_context context = {NULL, "na\"me", "\xff\n"};
	char *out;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	capture();
	log_write(LOG_ERROR, "dnsd", &context, "say \"hi\"\n");
	out = captured();
	assert_memory_equal(out, "{\"time\":\"2", 10);
	assert_string_equal(
		strstr(out, ",\"level\""),
		",\"level\":\"error\",\"room\":\"dnsd\",\"message\":\"say \\\"hi\\\"\\n\","
		"\"na\\\"me\":\"\xef\xbf\xbd\\n\"}\n");
	free(out);
}

static void test_foreign_text_cannot_forge_a_line(void **state)
{
	char *out;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	capture();
	log_info("base", "name '%s' refused", "x\n2026 error base: \x1b[1mforged \"q\" \\");
	out = captured();
	assert_int_equal(count_lines(out), 1);
	assert_non_null(strstr(out, "'x\\n2026 error base: \\u001b[1mforged \"q\" \\' refused\n"));
	free(out);
}

static void test_levels_above_the_limit_are_silent(void **state)
{
	char *out;

	(void)state;
	log_setup(LOG_WARN, LOG_FORMAT_TEXT);
	capture();
	log_info("base", "not shown");
	log_debug("base", "not shown");
	log_warn("base", "shown");
	out = captured();
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_ERROR));
	assert_null(strstr(out, "not shown"));
	assert_int_equal(count_lines(out), 1);
	free(out);
}

static void test_repeats_are_counted(void **state)
{
	char *out;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	capture();
	for (int i = 0; i < 42; i++)
		log_info("base", "the same");
	log_info("base", "another %d", 1);
	log_info("base", "another %d", 2);
	log_flush(false);
	log_flush(true);
	log_flush(true);
	out = captured();
	assert_int_equal(count_lines(out), 4);
	assert_non_null(strstr(out, "base: the same\n"));
	assert_non_null(strstr(out, "base: the same ... 41 more\n"));
	free(out);
}

static void test_after_a_second_a_message_is_news_again(void **state)
{
	char *out;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	capture();
	log_info("base", "again");
	log_info("base", "again");
	usleep(1050 * 1000);
	log_info("base", "again");
	out = captured();
	assert_int_equal(count_lines(out), 3);
	assert_non_null(strstr(out, "again ... 1 more\n"));
	free(out);
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
}

static void test_huge_messages_and_contexts_stay_one_whole_line(void **state)
{
	char *big = calloc(1, 100001), *out;
	struct log_context chain[40];

	(void)state;
	memset(big, 1, 100000);
	for (int i = 0; i < 40; i++)
		chain[i] = (struct log_context){i ? &chain[i - 1] : NULL, "key", big};
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	capture();
	log_write(LOG_INFO, "base", &chain[39], "%s", big);
	out = captured();
	assert_int_equal(count_lines(out), 1);
	assert_string_equal(out + strlen(out) - 3, "\"}\n");
	free(out);
	free(big);
}

static void *write_many(void *arg)
{
	for (int i = 0; i < 200; i++) {
		log_info("base", "thread %d line %d", *(int *)arg, i);
		log_info("base", "everybody says this");
	}
	return NULL;
}

static void test_threads_write_whole_lines(void **state)
{
	pthread_t thread[4];
	int number[4];
	char *out;

	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	capture();
	for (int i = 0; i < 4; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, &number[i]), 0);
	}
	log_setup(LOG_DEBUG, LOG_FORMAT_TEXT);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	log_flush(true);
	out = captured();
	assert_true(count_lines(out) >= 801);
	for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		assert_ptr_equal(strstr(line, "Z info  base: "), line + 23);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_has_time_level_room_message_and_context),
		cmocka_unit_test(test_json_lines_escape_everything),
		cmocka_unit_test(test_foreign_text_cannot_forge_a_line),
		cmocka_unit_test(test_levels_above_the_limit_are_silent),
		cmocka_unit_test(test_repeats_are_counted),
		cmocka_unit_test(test_after_a_second_a_message_is_news_again),
		cmocka_unit_test(test_huge_messages_and_contexts_stay_one_whole_line),
		cmocka_unit_test(test_threads_write_whole_lines),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
