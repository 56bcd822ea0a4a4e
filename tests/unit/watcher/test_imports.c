/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "watcher/imports.h"
#include "watcher/probe.h"

enum { PATIENCE_MS = 15000, TEXT_SIZE = 300 };

/* --- lines --- */

static enum err parse(const char *text, struct import_words **out, struct reason *why)
{
	return import_parse(bytes_of(text), out, why);
}

static const struct import_word *find(const struct import_words *w, const char *addr, uint16_t port,
                                      const char *cluster)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(addr), &a));
	return import_find(w, &a, port, bytes_of(cluster));
}

static void test_a_word_is_of_an_address_with_port_an_address_or_a_cluster(void **state)
{
	struct import_words *w;
	struct reason why;

	(void)state;
	assert_int_equal(parse("# what the edge sees\n"
	                       "192.0.2.1:443 down  503 for a minute # since noon\n"
	                       "192.0.2.1\tup\r\n"
	                       "\n"
	                       "[2001:db8::1]:443 down\n"
	                       "  2001:db8::2 down slow\n"
	                       "la down maintenance\n"
	                       "eu-west.1 up",
	                       &w, &why),
	                 ERR_OK);
	assert_int_equal(import_count(w), 6);
	assert_true(find(w, "192.0.2.1", 443, "la")->down);
	assert_true(bytes_equal_text(find(w, "192.0.2.1", 443, "la")->reason, "503 for a minute"));
	assert_false(find(w, "192.0.2.1", 80, "la")->down);
	assert_true(find(w, "2001:db8::1", 443, "x")->down);
	assert_null(find(w, "2001:db8::1", 80, "x"));
	assert_true(find(w, "2001:db8::2", 80, "x")->down);
	assert_true(bytes_equal_text(find(w, "192.0.2.9", 80, "la")->reason, "maintenance"));
	assert_false(find(w, "192.0.2.9", 80, "eu-west.1")->down);
	assert_null(find(w, "192.0.2.9", 80, "houston"));
	import_free(w);
	assert_int_equal(parse("", &w, &why), ERR_OK);
	assert_null(find(w, "192.0.2.1", 443, "la"));
	import_free(w);
}

static void test_a_bad_line_is_named_and_nothing_is_taken(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"la up\nla2 sideways\n", "2: it says neither up nor down"},
		{"la\n", "1: it says neither up nor down"},
		{"192.0.2 up\n", "1: '192.0.2' is neither an address, ADDRESS:PORT nor the name of "
	                         "a cluster"},
		{"192.0.2.1:0 up\n", "1: '192.0.2.1:0' is neither an address, ADDRESS:PORT nor the "
	                             "name of a cluster"},
		{"LA up\n",
	         "1: 'LA' is neither an address, ADDRESS:PORT nor the name of a cluster"},
		{"la up\nhouston up\nla down\n", "3: line 1 has a word of the same"},
	};
	struct import_words *w;
	struct reason why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_not_equal(parse(cases[i].text, &w, &why), ERR_OK);
		assert_string_equal(why.text, cases[i].why);
	}
}

/* --- files and commands --- */

struct world {
	char dir[32];
	char file[48];
	uv_loop_t loop;
	struct imports *imports;
	size_t errors;
	char error[TEXT_SIZE];
	bool stopped;
};

static void on_error(const char *name, const char *message, void *arg)
{
	struct world *w = arg;

	assert_string_equal(name, "edge");
	w->errors++;
	snprintf(w->error, sizeof w->error, "%s", message ? message : "");
}

static void on_stopped(void *arg) { ((struct world *)arg)->stopped = true; }

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	strcpy(w->dir, "/tmp/nigh-import-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->file, sizeof w->file, "%s/edge", w->dir);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->imports = imports_start(&w->loop, on_error, w);
	return w;
}

static void world_free(struct world *w)
{
	char command[64];

	imports_stop(w->imports, on_stopped, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
}

static void write_file(struct world *w, const char *text)
{
	char beside[64];
	FILE *f;

	snprintf(beside, sizeof beside, "%s.new", w->file);
	f = fopen(beside, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
	assert_int_equal(rename(beside, w->file), 0);
}

static void use_file(struct world *w)
{
	imports_configure(w->imports, &(struct import_settings){"edge", w->file, NULL, 0, 0}, 1,
	                  false);
}

static void use_command(struct world *w, const char *const *command, uint64_t timeout_ms,
                        bool may_run)
{
	imports_configure(w->imports,
	                  &(struct import_settings){"edge", NULL, command, 1000, timeout_ms}, 1,
	                  may_run);
}

static int word(const struct world *w)
{
	const struct import_word *found;
	struct addr a;

	assert_true(addr_parse(bytes_of("192.0.2.1"), &a));
	found = imports_find(w->imports, bytes_of("edge"), &a, 443, bytes_of("la"));
	return !found ? 0 : found->down ? -1 : 1;
}

static void run_until(struct world *w, int wanted, const char *error)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while ((word(w) != wanted || strcmp(w->error, error) != 0) &&
	       clock_monotonic_ms() < until) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(word(w), wanted);
	assert_string_equal(w->error, error);
}

static void test_a_file_is_read_when_it_changes_and_its_last_good_words_stay(void **state)
{
	struct world *w = world_new();
	char error[TEXT_SIZE];

	(void)state;
	write_file(w, "la down\n");
	use_file(w);
	assert_int_equal(word(w), -1);
	write_file(w, "la up\n");
	run_until(w, 1, "");
	write_file(w, "192.0.2.1 down\nla sideways\n");
	snprintf(error, sizeof error, "%s:2: it says neither up nor down", w->file);
	run_until(w, 1, error);
	assert_int_equal(unlink(w->file), 0);
	snprintf(error, sizeof error, "%s: No such file or directory", w->file);
	run_until(w, 1, error);
	write_file(w, "192.0.2.1 down\n");
	run_until(w, -1, "");
	/* The same import, read anew, has its words at once. */
	use_file(w);
	assert_int_equal(word(w), -1);
	imports_configure(w->imports, NULL, 0, false);
	assert_int_equal(word(w), 0);
	world_free(w);
}

static void test_a_command_is_run_again_and_again_and_its_output_is_read(void **state)
{
	struct world *w = world_new();
	const char *command[] = {"cat", w->file, NULL};
	char error[TEXT_SIZE];

	(void)state;
	write_file(w, "la down\n");
	use_command(w, command, 5000, true);
	run_until(w, -1, "");
	write_file(w, "la up\n");
	run_until(w, 1, "");
	write_file(w, "la sideways\n");
	run_until(w, 1, "cat:1: it says neither up nor down");
	assert_int_equal(unlink(w->file), 0);
	snprintf(error, sizeof error, "cat: ended with status 1");
	run_until(w, 1, error);
	world_free(w);
}

static void test_no_shell_reads_a_command(void **state)
{
	struct world *w = world_new();
	const char *command[] = {"echo", "la up $HOME; rm x | cat", NULL};
	const struct import_word *found;
	struct addr a;

	(void)state;
	use_command(w, command, 5000, true);
	run_until(w, 1, "");
	assert_true(addr_parse(bytes_of("192.0.2.1"), &a));
	found = imports_find(w->imports, bytes_of("edge"), &a, 443, bytes_of("la"));
	assert_true(bytes_equal_text(found->reason, "$HOME; rm x | cat"));
	world_free(w);
}

static void test_a_command_that_does_not_end_is_killed_with_all_it_began(void **state)
{
	struct world *w = world_new();
	char script[200];
	const char *command[] = {"sh", "-c", script, NULL};
	FILE *f;
	int child;
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	(void)state;
	snprintf(script, sizeof script, "sleep 1000 & echo $! > %s; wait", w->file);
	use_command(w, command, 600, true);
	run_until(w, 0, "sh: has not ended in time");
	imports_configure(w->imports, NULL, 0, true);
	f = fopen(w->file, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &child), 1);
	fclose(f);
	while (kill(child, 0) == 0 && clock_monotonic_ms() < until) {
		char path[64], stat[300];
		FILE *of;

		/* Nobody may wait for it here: then it is a zombie. */
		snprintf(path, sizeof path, "/proc/%d/stat", child);
		of = fopen(path, "re");
		if (of && fgets(stat, sizeof stat, of) && strstr(stat, ") Z ")) {
			fclose(of);
			break;
		}
		if (of)
			fclose(of);
		usleep(1000);
	}
	assert_true(clock_monotonic_ms() < until);
	world_free(w);
}

static void test_a_command_that_floods_is_killed(void **state)
{
	struct world *w = world_new();
	const char *command[] = {"yes", "la up", NULL};

	(void)state;
	use_command(w, command, 10000, true);
	run_until(w, 0, "yes: more than 1 MiB of output");
	world_free(w);
}

static void test_a_command_that_is_not_there_or_may_not_be_run_is_an_error(void **state)
{
	struct world *w = world_new();
	const char *missing[] = {"/no/such/command", NULL}, *there[] = {"echo", "la up", NULL};

	(void)state;
	use_command(w, missing, 1000, true);
	run_until(w, 0, "/no/such/command: no such file or directory");
	use_command(w, there, 1000, false);
	run_until(w, 0, "echo: no command may be run since this process started: restart it");
	world_free(w);
}

static void test_stopping_while_a_command_runs_ends_it(void **state)
{
	struct world *w = world_new();
	const char *command[] = {"sleep", "1000", NULL};
	uint64_t from = clock_monotonic_ms();

	(void)state;
	use_command(w, command, 1000000, true);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	world_free(w);
	assert_true(clock_monotonic_ms() - from < 100000);
}

/* --- as a check of a probe --- */

struct told {
	size_t verdicts[2], voids[2];
	bool down[2];
	char text[TEXT_SIZE];
	enum probe_word word;
};

static enum probe_word on_import(struct bytes import, const struct probe_target *target,
                                 char reason[PROBE_WORD_SIZE], void *arg)
{
	struct told *t = arg;

	assert_true(bytes_equal_text(import, "edge"));
	assert_int_equal(target->port, 443);
	if (target->cluster == 2)
		return PROBE_NO_WORD;
	snprintf(reason, PROBE_WORD_SIZE, "said so");
	return t->word;
}

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	struct told *t = arg;

	assert_false(verdict->reached);
	if (verdict->is_void) {
		t->voids[index]++;
		return;
	}
	t->verdicts[index]++;
	t->down[index] = verdict->down;
	snprintf(t->text, sizeof t->text, "%s", verdict->text);
}

static void no_more(void *arg) { (void)arg; }

static void test_a_word_counts_at_once_and_no_word_says_nothing(void **state)
{
	const struct probe_settings settings = {20, 1000, 3, 3, NULL, NULL};
	const struct policy_check check = {.kind = POLICY_CHECK_IMPORT, .import = bytes_of("edge")};
	const struct probe_way way = {&check, bytes_of("edge"), {0}};
	struct probe_target list[2] = {{.port = 443, .wanted = true, .cluster = 1},
	                               {.port = 443, .wanted = true, .cluster = 2}};
	struct told t = {.word = PROBE_SAID_DOWN};
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
	struct prober *p;
	uv_loop_t loop;

	(void)state;
	assert_true(addr_parse(bytes_of("192.0.2.1"), &list[0].addr));
	list[1].addr = list[0].addr;
	assert_int_equal(uv_loop_init(&loop), 0);
	p = prober_new(&loop, &settings, on_verdict, &t);
	prober_set_imports(p, on_import);
	prober_set_targets(p, &way, 1, list, 2);
	while ((t.verdicts[0] == 0 || t.voids[1] == 0) && clock_monotonic_ms() < until)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(t.down[0]);
	assert_string_equal(t.text, "said so");
	assert_int_equal(t.verdicts[1], 0);
	t.word = PROBE_SAID_UP;
	t.verdicts[0] = 0;
	while (t.verdicts[0] == 0 && clock_monotonic_ms() < until)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(t.down[0]);
	assert_int_equal(prober_counts(p).attempts, 0);
	prober_stop(p, no_more, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_word_is_of_an_address_with_port_an_address_or_a_cluster),
		cmocka_unit_test(test_a_bad_line_is_named_and_nothing_is_taken),
		cmocka_unit_test(test_a_file_is_read_when_it_changes_and_its_last_good_words_stay),
		cmocka_unit_test(test_a_command_is_run_again_and_again_and_its_output_is_read),
		cmocka_unit_test(test_no_shell_reads_a_command),
		cmocka_unit_test(test_a_command_that_does_not_end_is_killed_with_all_it_began),
		cmocka_unit_test(test_a_command_that_floods_is_killed),
		cmocka_unit_test(test_a_command_that_is_not_there_or_may_not_be_run_is_an_error),
		cmocka_unit_test(test_stopping_while_a_command_runs_ends_it),
		cmocka_unit_test(test_a_word_counts_at_once_and_no_word_says_nothing),
	};

	return cmocka_run_group_tests_name("watcher/imports", tests, NULL, NULL);
}
