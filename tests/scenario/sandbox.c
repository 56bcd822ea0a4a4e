/* sandbox.c -- system calls that a name server has no use for are refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dnsd/sandbox.h"
#include "tests/support/world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool is_off = true;
#else
static const bool is_off = false;
#endif

static void test_a_running_nighd_is_under_a_filter(void **state)
{
	struct world *w = *state;
	char path[64], line[256];
	unsigned mode = 99, no_new = 99;
	FILE *f;

	if (is_off)
		skip();
	world_three_cities(w);
	world_start(w);
	snprintf(path, sizeof(path), "/proc/%d/status", world_pid(w));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "Seccomp: %u", &mode);
		sscanf(line, "NoNewPrivs: %u", &no_new);
	}
	fclose(f);
	assert_int_equal(mode, 2);
	assert_int_equal(no_new, 1);
}

/* Under the filter: the number of the first call that was not refused with EPERM, 0 when all were. */
static int try_forbidden_calls(void)
{
	char *argv[] = {NULL}, *envp[] = {NULL};

	if (execve("/bin/true", argv, envp) != -1 || errno != EPERM)
		return 1;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != EPERM)
		return 2;
	if (mount("none", "/nowhere", "tmpfs", 0, NULL) != -1 || errno != EPERM)
		return 3;
	if (chroot("/") != -1 || errno != EPERM)
		return 4;
	/* What is needed goes on as before. */
	return getpid() > 0 && access("/", R_OK) == 0 ? 0 : 5;
}

static void test_forbidden_calls_are_refused(void **state)
{
	struct reason why = {{0}};
	int status;
	pid_t child;

	(void)state;
	if (is_off)
		skip();
	child = fork();
	if (child == 0)
		_exit(sandbox_enter(&why) == ERR_OK ? try_forbidden_calls() : 99);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nighd_does_all_its_work_under_the_filter(void **state)
{
	struct world *w = *state;

	if (is_off)
		skip();
	world_config(w, "state: state\nprobe: {mode: always}\npublish: {allow: [127.0.0.0/8]}");
	world_three_cities(w);
	world_service(w, "losangeles", "web", "localhost", true, "");
	world_start(w);
	world_expect(w, "web.shop.fed.svc.us-west.example.com", "A", NULL, "127.0.0.1", 10000);
	assert_string_equal(world_ask_tcp(w, "web.shop.fed.svc.us-south.example.com", "A", NULL),
	                    "198.18.2.10");
	world_networks(w);
	world_remove(w, "manifests/clusters/houston");
	world_expect_http(w, "/status", "\"knowledge\":\"unseen\"", 1000);
	world_stop(w);
	assert_null(strstr(world_log(w), "not permitted"));
	assert_null(strstr(world_log(w), "not restricted"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_running_nighd_is_under_a_filter),
		world_test(test_forbidden_calls_are_refused),
		world_test(test_nighd_does_all_its_work_under_the_filter),
	};

	return cmocka_run_group_tests_name("scenario/sandbox", tests, NULL, NULL);
}
