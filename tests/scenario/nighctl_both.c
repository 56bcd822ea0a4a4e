/* nighctl_both.c -- the person's tool where nobody says whom to ask: in a network of its own, with the usual addresses. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>

#include "tests/support/world.h"
#include "tests/support/world_inside.h"
#include "tests/support/world_network.h"

enum { SOON_MS = 20000, SILENT_PORT = 8054 };

#define NIGHD      "nighd " NIGH_VERSION ", ready"
#define PROPAGATOR "nigh-propagator " NIGH_VERSION ", no leader is seen"

static const char *const status[] = {"/usr/bin/env", "-u",     "NIGH_SERVER",
                                     "$NIGHCTL",     "status", NULL};
static const char *const status_json[] = {"/usr/bin/env", "-u", "NIGH_SERVER", "$NIGHCTL",
                                          "status",       "-o", "json",        NULL};

static void start_nighd(struct world *w)
{
	world_three_cities(w);
	world_config(w, "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:8053\"}\n");
	world_start(w);
}

/* Whose host nobody is. */
static pid_t start_propagator(struct world *w)
{
	char kubeconfig[300];
	int out;
	pid_t pid;

	world_write(w, "host.kubeconfig",
	            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	            "clusters: [{name: c, cluster: {server: \"http://127.0.0.1:1\"}}]\n"
	            "users: [{name: u, user: {token: t}}]\n"
	            "contexts: [{name: c, context: {cluster: c, user: u}}]\n");
	snprintf(kubeconfig, sizeof(kubeconfig), "%s", world_path(w, "host.kubeconfig"));
	out = open(world_path(w, "propagator.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	           0600);
	assert_true(out >= 0);
	pid = inside_spawn(
		(const char *const[]){inside_program("PROPAGATOR", "build/bin/nigh-propagator"),
	                              "--kubeconfig", kubeconfig, NULL},
		out);
	close(out);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Until it listens, and has its tables. */
static void expect_propagator(struct world *w)
{
	struct deadline deadline = inside_deadline(SOON_MS);
	const char *out = "";

	while (world_run(w, status, &out) != 0 || !strstr(out, PROPAGATOR)) {
		if (!inside_has_time(deadline))
			fail_msg("no nigh-propagator in: %s", out);
		inside_rest();
	}
}

static void test_both_are_shown_where_nobody_says_whom_to_ask(void **state)
{
	struct world *w = *state;
	pid_t propagator;
	const char *out;

	start_nighd(w);
	propagator = start_propagator(w);
	expect_propagator(w);
	out = world_expect_run(w, status, 0, NIGHD);
	assert_non_null(strstr(out, "losangeles"));
	assert_true(strstr(out, PROPAGATOR) > strstr(out, "losangeles"));
	out = world_expect_run(w, status_json, 0, "\"propagator\": {");
	assert_non_null(strstr(out, "\"leading\": false"));
	stop(propagator);
}

static void test_who_runs_nighd_alone_is_told_in_a_line(void **state)
{
	struct world *w = *state;

	start_nighd(w);
	world_expect_run(w, status, 0,
	                 "\nnigh-propagator: none answers at http://127.0.0.1:8054 (one "
	                 "elsewhere: --server URL)\n");
	world_expect_run(w, status, 0, NIGHD);
	world_expect_run(w, status_json, 0, "\"propagator\": null");
}

static void test_who_runs_nigh_propagator_alone_is_told_in_a_line(void **state)
{
	struct world *w = *state;
	pid_t propagator = start_propagator(w);

	expect_propagator(w);
	world_expect_run(w, status, 0, "nighd: none answers at http://127.0.0.1:8053 (one");
	stop(propagator);
}

static void test_where_neither_runs_it_fails(void **state)
{
	struct world *w = *state;
	const char *out = world_expect_run(w, status, 1, "http://127.0.0.1:8053: ");

	assert_non_null(strstr(out, "http://127.0.0.1:8054: "));
}

/* One that hangs is not one that does not run. */
static void test_one_that_is_there_and_silent_is_a_failure(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	                         .sin_port = htons(SILENT_PORT),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct world *w = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *out;

	start_nighd(w);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	out = world_expect_run(w, status, 1, NIGHD);
	assert_non_null(strstr(out, "nigh-propagator at http://127.0.0.1:8054 is in trouble"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_both_are_shown_where_nobody_says_whom_to_ask),
		world_test(test_who_runs_nighd_alone_is_told_in_a_line),
		world_test(test_who_runs_nigh_propagator_alone_is_told_in_a_line),
		world_test(test_where_neither_runs_it_fails),
		world_test(test_one_that_is_there_and_silent_is_a_failure),
	};
	struct network *network = network_new(1);
	int failed;

	network_enter(network, 0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	network_free(network);
	return failed;
}
