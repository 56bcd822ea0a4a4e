/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/http_admin.h"
#include "ctl/command.h"

/* --- what a command writes to standard output and standard error --- */

struct captured {
	int status;
	char out[8192], err[4096];
};

static void read_back(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

static int divert(int fd, int *saved)
{
	char path[] = "/tmp/nigh-ctl-XXXXXX";
	int file = mkstemp(path);

	assert_true(file >= 0);
	unlink(path);
	*saved = dup(fd);
	assert_true(dup2(file, fd) == fd);
	return file;
}

static void run(struct captured *got, int (*command)(const struct command *c), struct command *c)
{
	int saved_out, saved_err, out, err;

	fflush(stdout);
	fflush(stderr);
	out = divert(1, &saved_out);
	err = divert(2, &saved_err);
	got->status = command(c);
	fflush(stdout);
	fflush(stderr);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	read_back(out, got->out, sizeof(got->out));
	read_back(err, got->err, sizeof(got->err));
}

static struct command command_of(char *const *args, size_t count)
{
	return (struct command){.program = "nighctl",
	                        .server = "http://127.0.0.1:1",
	                        .namespace = "fed",
	                        .args = args,
	                        .arg_count = count};
}

/* --- commands that ask nobody --- */

static void test_drain_prints_the_line_and_says_that_it_is_not_done(void **state)
{
	char *args[] = {(char[]){"la"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_string_equal(got.out, "nigh.dev/drain: \"true\"\n");
	assert_non_null(strstr(got.err, "KubeFedCluster la, in the folder host/"));
	assert_non_null(strstr(got.err, "metadata: {name: la, annotations: "
	                                "{nigh.dev/drain: \"true\"}}"));
	run(&got, drain_undo_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_string_equal(got.out, "nigh.dev/drain: \"false\"\n");
	c.format = PRINT_JSON;
	run(&got, drain_undo_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_string_equal(got.out,
	                    "{\n  \"cluster\": \"la\",\n  \"changed\": false,\n  \"write\": "
	                    "\"nigh.dev/drain: \\\"false\\\"\"\n}\n");
}

static void test_moves_of_a_folders_cluster_are_lines_to_write(void **state)
{
	char *args[] = {(char[]){"la"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	c.over = "10m";
	c.ttl_wait = "3m";
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_memory_equal(got.out, "nigh.dev/shift: \"from=100% to=0% start=2", 40);
	assert_non_null(strstr(got.out, "Z over=10m ttl=5 wait=3m\"\n"));
	assert_non_null(strstr(got.err, "every cache that honours TTLs has let go by 2"));
	run(&got, drain_undo_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_memory_equal(got.out, "nigh.dev/shift: \"from=0% to=100% start=2", 40);
	c.arg_count = 0;
	c.cluster = "la";
	c.to = "20%";
	c.curve = "smooth";
	run(&got, shift_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_memory_equal(got.out, "nigh.dev/shift: \"from=100% to=20% start=2", 41);
	assert_non_null(strstr(got.out, "Z over=10m curve=smooth\"\n"));
}

static void test_moves_that_make_no_sense_are_wrong_use(void **state)
{
	char *args[] = {(char[]){"la"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	c.over = "10 minutes";
	c.ttl_wait = "3m";
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	assert_non_null(strstr(got.err, "--over is whole seconds, at most 8784h"));
	c.over = "10m";
	c.ttl_wait = "1500ms";
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	c.cluster = "la";
	c.to = "20";
	run(&got, shift_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	c.to = "20%";
	c.curve = "steps:0";
	run(&got, shift_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	c.curve = NULL;
	c.undo = true;
	run(&got, shift_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	c.undo = false;
	c.cluster = NULL;
	run(&got, shift_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	assert_string_equal(got.out, "");
}

/* Nobody says how long caches keep the answers of before, so there is no plan. */
static void test_a_drain_by_a_plan_must_know_how_long_caches_keep_answers(void **state)
{
	char *args[] = {(char[]){"la"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	c.over = "10m";
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_string_equal(got.out, "");
	assert_non_null(strstr(got.err, "--ttl-wait 180s"));
}

static void test_drain_takes_only_names_of_objects(void **state)
{
	char *args[] = {(char[]){"la\n\033[2J"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	run(&got, drain_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
	assert_string_equal(got.out, "");
}

static void test_completion_knows_three_shells(void **state)
{
	char *args[] = {NULL};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	args[0] = (char[]){"bash"};
	run(&got, completion_run, &c);
	assert_int_equal(got.status, COMMAND_FINE);
	assert_non_null(strstr(got.out, "complete -F _nighctl nighctl"));
	args[0] = (char[]){"zsh"};
	run(&got, completion_run, &c);
	assert_non_null(strstr(got.out, "#compdef nighctl"));
	args[0] = (char[]){"fish"};
	run(&got, completion_run, &c);
	assert_non_null(strstr(got.out, "complete -c nighctl"));
	args[0] = (char[]){"sh"};
	run(&got, completion_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
}

/* --- check --- */

/* A nighd that tells how it was called, and fails for paths with "bad" in them. */
static const char fake_nighd[] =
	"#!/bin/sh\n"
	"echo \"$@\"\n"
	"case \"$3\" in *bad*) echo \"$3:7: no good\" >&2; exit 1 ;; esac\n";

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_check_gives_folders_and_configs_to_nighd(void **state)
{
	char folder[] = "/tmp/nigh-check-XXXXXX", host[64], nighd[64], good[64], bad[64], want[256];
	char *args[] = {folder, good, bad, (char[]){"/nowhere/at all"}};
	struct command c = command_of(args, 2);
	struct captured got;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(host, sizeof(host), "%s/host", folder);
	assert_int_equal(mkdir(host, 0755), 0);
	snprintf(nighd, sizeof(nighd), "%s/nighd", folder);
	snprintf(good, sizeof(good), "%s/good.yaml", folder);
	snprintf(bad, sizeof(bad), "%s/bad.yaml", folder);
	write_file(nighd, fake_nighd, 0755);
	write_file(good, "", 0644);
	write_file(bad, "", 0644);
	assert_int_equal(setenv("NIGHD", nighd, 1), 0);

	run(&got, verify_run, &c);
	snprintf(want, sizeof(want), "--check --manifests %s\n--check --config %s\n", folder, good);
	assert_int_equal(got.status, COMMAND_FINE);
	assert_string_equal(got.out, want);
	assert_string_equal(got.err, "");

	c.arg_count = 4;
	run(&got, verify_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	snprintf(want, sizeof(want),
	         "%s:7: no good\nnighctl: /nowhere/at all: No such file or directory\n", bad);
	assert_string_equal(got.err, want);

	rmdir(host);
	c.arg_count = 1;
	run(&got, verify_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	snprintf(want, sizeof(want), "nighctl: %s: neither host/ nor clusters/ in it\n", folder);
	assert_string_equal(got.err, want);
	assert_string_equal(got.out, "");

	unlink(nighd);
	args[0] = good;
	c.arg_count = 1;
	run(&got, verify_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_non_null(strstr(got.err, "cannot run"));
	unsetenv("NIGHD");
	unlink(good);
	unlink(bad);
	rmdir(folder);
}

/* --- commands that ask a server --- */

static unsigned on_status(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	(void)r;
	(void)arg;
	(void)content_type;
	text_add(body, "{\"version\":\"9\",\"ready\":true}\n");
	return 200;
}

static unsigned on_explain(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	static const char *const keys[] = {"name", "type", "client", "resolver"};

	(void)arg;
	(void)content_type;
	text_add(body, "{\"question\":\"");
	for (size_t i = 0; i < 4; i++) {
		const char *value = http_request_arg(r, keys[i]);

		text_printf(body, "%s=%s;", keys[i], value ? value : "none");
	}
	text_add(body, "\"}");
	return 200;
}

static unsigned on_release(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	const char *zone = http_request_arg(r, "zone");

	(void)arg;
	(void)content_type;
	if (!zone || strcmp(zone, "example.com") != 0)
		return http_error(body, 404, "no zone %s is held", zone ? zone : "");
	text_add(body, "{\"zone\":\"example.com\",\"released\":true}\n");
	return 200;
}

static unsigned on_text(const struct http_request *r, void *arg, struct text *body,
                        const char **content_type)
{
	(void)r;
	(void)arg;
	(void)content_type;
	text_add(body, "<html>");
	return 200;
}

static const struct http_route routes[] = {
	{"GET", "/status", on_status},
	{"GET", "/explain", on_explain},
	{"POST", "/guard/release", on_release},
	{"GET", "/html/status", on_text},
	{NULL, NULL, NULL},
};

static char url[64];

static int start_server(void **state)
{
	static struct http_admin *server;
	struct addr addr;
	struct reason why;

	/* Nobody's own kubeconfig. */
	setenv("KUBECONFIG", "/nowhere", 1);
	unsetenv("KUBERNETES_SERVICE_HOST");

	assert_true(addr_parse(bytes_of("127.0.0.1"), &addr));
	assert_int_equal(http_admin_start(&addr, 0, routes, NULL, &server, &why), ERR_OK);
	snprintf(url, sizeof(url), "127.0.0.1:%u/", http_admin_port(server));
	*state = server;
	return 0;
}

static int stop_server(void **state)
{
	http_admin_stop(*state);
	return 0;
}

static void test_status_is_shown_in_every_form(void **state)
{
	struct command c = command_of(NULL, 0);
	struct captured got;

	(void)state;
	c.server = url;
	run(&got, overview_run, &c);
	assert_int_equal(got.status, COMMAND_FINE);
	assert_non_null(strstr(got.out, "nighd 9, ready"));
	c.format = PRINT_JSON;
	run(&got, overview_run, &c);
	assert_string_equal(got.out, "{\n  \"version\": \"9\",\n  \"ready\": true\n}\n");
	c.format = PRINT_YAML;
	run(&got, overview_run, &c);
	assert_string_equal(got.out, "version: \"9\"\nready: true\n");
}

static void test_explain_hands_over_every_argument(void **state)
{
	char *args[] = {(char[]){"w&w.example"}};
	struct command c = command_of(args, 1);
	struct captured got;

	(void)state;
	c.server = url;
	c.type = "AAAA";
	c.client = "2001:db8::/32";
	run(&got, story_run, &c);
	assert_int_equal(got.status, COMMAND_FINE);
	assert_non_null(
		strstr(got.out, "name=w&w.example;type=AAAA;client=2001:db8::/32;resolver=none;"));
}

static void test_guard_release_says_what_the_server_says(void **state)
{
	char *args[] = {(char[]){"release"}, (char[]){"example.com"}};
	struct command c = command_of(args, 2);
	struct captured got;

	(void)state;
	c.server = url;
	run(&got, release_run, &c);
	assert_int_equal(got.status, COMMAND_FINE);
	assert_string_equal(got.out, "the guard of example.com is released\n");
	args[1] = (char[]){"example.net"};
	run(&got, release_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_non_null(strstr(got.err, "no zone example.net is held\n"));
	args[0] = (char[]){"hold"};
	run(&got, release_run, &c);
	assert_int_equal(got.status, COMMAND_USAGE);
}

static void test_what_is_not_json_is_told(void **state)
{
	struct command c = command_of(NULL, 0);
	struct captured got;
	char html[80];

	(void)state;
	snprintf(html, sizeof(html), "http://%shtml", url);
	c.server = html;
	run(&got, overview_run, &c);
	assert_int_equal(got.status, COMMAND_FAILED);
	assert_non_null(strstr(got.err, "the answer is not JSON"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain_prints_the_line_and_says_that_it_is_not_done),
		cmocka_unit_test(test_moves_of_a_folders_cluster_are_lines_to_write),
		cmocka_unit_test(test_moves_that_make_no_sense_are_wrong_use),
		cmocka_unit_test(test_a_drain_by_a_plan_must_know_how_long_caches_keep_answers),
		cmocka_unit_test(test_drain_takes_only_names_of_objects),
		cmocka_unit_test(test_completion_knows_three_shells),
		cmocka_unit_test(test_check_gives_folders_and_configs_to_nighd),
		cmocka_unit_test(test_status_is_shown_in_every_form),
		cmocka_unit_test(test_explain_hands_over_every_argument),
		cmocka_unit_test(test_guard_release_says_what_the_server_says),
		cmocka_unit_test(test_what_is_not_json_is_told),
	};

	return cmocka_run_group_tests_name("ctl/command", tests, start_server, stop_server);
}
