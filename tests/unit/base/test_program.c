/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the above, as it says. */
#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"

struct result {
	unsigned ends, closes;
	enum err err;
	struct reason why;
	char output[64];
	size_t len;
};

static uv_loop_t loop;

static void on_end(enum err err, struct bytes output, const struct reason *why, void *arg)
{
	struct result *r = arg;

	assert_int_equal(r->closes, 0);
	r->ends++;
	r->err = err;
	r->why = *why;
	r->len = output.len < sizeof(r->output) - 1 ? output.len : sizeof(r->output) - 1;
	if (r->len > 0)
		memcpy(r->output, output.data, r->len);
}

static void on_closed(void *arg) { ((struct result *)arg)->closes++; }

static int setup(void **state)
{
	(void)state;
	CHECK(uv_loop_init(&loop) == 0);
	return 0;
}

/* Nothing is left: no handle on the loop, no child. */
static int teardown(void **state)
{
	(void)state;
	CHECK(uv_loop_close(&loop) == 0);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1);
	return 0;
}

static struct program *run(const char *script, const char *const *env, uint64_t timeout_ms,
                           bool leads_group, struct result *out)
{
	const char *command[] = {"/bin/sh", "-c", script, NULL};
	struct program *p = program_run(
		&loop, &(struct program_settings){command, env, timeout_ms, leads_group},
		&(struct program_events){on_end, on_closed, out});

	assert_int_equal(out->ends, 0);
	return p;
}

static void test_output_and_how_it_ended_are_told_once(void **state)
{
	const char *env[] = {"WORD=abc", NULL};
	struct result good = {0}, bad = {0}, killed = {0};

	(void)state;
	run("printf %s $WORD", env, 10000, false, &good);
	run("echo abc; exit 3", NULL, 10000, true, &bad);
	run("kill -9 $$", NULL, 10000, false, &killed);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(good.err, ERR_OK);
	assert_string_equal(good.output, "abc");
	assert_int_equal(bad.err, ERR_DENIED);
	assert_string_equal(bad.why.text, "ended with status 3");
	assert_int_equal(killed.err, ERR_IO);
	assert_string_equal(killed.why.text, "ended by signal 9");
	assert_int_equal(good.ends + bad.ends + killed.ends, 3);
	assert_int_equal(good.closes + bad.closes + killed.closes, 3);
}

static void test_what_cannot_be_started_is_told_later(void **state)
{
	const char *command[] = {"/nowhere/program", NULL};
	struct result r = {0};

	(void)state;
	program_run(&loop, &(struct program_settings){command, NULL, 10000, true},
	            &(struct program_events){on_end, on_closed, &r});
	assert_int_equal(r.ends, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.ends, 1);
	assert_int_equal(r.closes, 1);
	assert_int_equal(r.err, ERR_NOTFOUND);
}

static void test_time_and_output_are_bounded(void **state)
{
	struct result slow = {0}, loud = {0};

	(void)state;
	run("exec sleep 60", NULL, 50, false, &slow);
	run("exec yes", NULL, 30000, false, &loud);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(slow.err, ERR_TIMEOUT);
	assert_int_equal(loud.err, ERR_RANGE);
	assert_int_equal(slow.closes + loud.closes, 2);
}

/* The script's child writes its id, and outlives it. */
static pid_t child_left_by(bool leads_group)
{
	struct result r = {0};

	run("sleep 60 & echo $!", NULL, 30000, leads_group, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.err, ERR_OK);
	return (pid_t)strtol(r.output, NULL, 10);
}

/* A zombie is as good: whoever is its parent now has not looked yet. */
static bool runs(pid_t pid)
{
	char path[64], state = 'X';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stat = fopen(path, "r");
	if (stat == NULL)
		return false;
	if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(stat);
	return state != 'X' && state != 'Z';
}

static void test_a_group_is_killed_as_a_whole_and_nobody_else(void **state)
{
	pid_t alone = child_left_by(false), of_group = child_left_by(true);
	uint64_t until_ms = clock_monotonic_ms() + 10000;

	(void)state;
	while (runs(of_group) && clock_monotonic_ms() < until_ms)
		usleep(1000);
	assert_false(runs(of_group));
	assert_true(runs(alone));
	assert_int_equal(kill(alone, SIGKILL), 0);
}

static void test_a_cancelled_program_is_not_told(void **state)
{
	struct result r = {0};
	struct program *p = run("exec sleep 60", NULL, 60000, true, &r);

	(void)state;
	program_cancel(p);
	program_cancel(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.ends, 0);
	assert_int_equal(r.closes, 1);
}

#define OVER_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_LOOP(test_output_and_how_it_ended_are_told_once),
		OVER_LOOP(test_what_cannot_be_started_is_told_later),
		OVER_LOOP(test_time_and_output_are_bounded),
		OVER_LOOP(test_a_group_is_killed_as_a_whole_and_nobody_else),
		OVER_LOOP(test_a_cancelled_program_is_not_told),
	};

	return cmocka_run_group_tests_name("base/program", tests, NULL, NULL);
}
