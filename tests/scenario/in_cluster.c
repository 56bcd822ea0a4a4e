/* in_cluster.c -- nighd as a pod: the host is where it runs, by the service account's files and two variables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world_fleet.h"

#define ACCOUNT "/run/secrets/kubernetes.io/serviceaccount"
#define LA      "198.18.3.10"

/* --- a pod's view of /run, for this process and its children alone --- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

static void become_pod(void)
{
	bool is_root = geteuid() == 0;

	if (unshare(CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") != 0)
		fail_msg("no mount namespace of its own: %s", strerror(errno));
	if (mkdir("/run/secrets", 0755) != 0 || mkdir("/run/secrets/kubernetes.io", 0755) != 0 ||
	    mkdir(ACCOUNT, 0755) != 0)
		fail_msg("cannot make " ACCOUNT ": %s", strerror(errno));
}

/* The host's API server as a pod is told of it. */
static void tell_pod(struct world_fleet *f)
{
	char port[16];

	snprintf(port, sizeof(port), "%u", fakeapi_port(f->host));
	setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", port, 1);
	write_file(ACCOUNT "/ca.crt", fakeapi_ca_pem(f->host));
	write_file(ACCOUNT "/token", fakeapi_token(f->host));
	write_file(ACCOUNT "/namespace", "nigh");
	world_fleet_config(f, "kubernetes: {inCluster: true, allowLoopback: true}", "");
}

static struct fakeapi *join_la(struct world_fleet *f)
{
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	return la;
}

/* --- tests --- */

static void test_the_host_is_where_the_pod_runs(void **state)
{
	struct world_fleet *f = *state;

	tell_pod(f);
	(void)join_la(f);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "\"host\":{\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
}

/* A bound token is replaced in its file every hour or so. */
static void test_a_renewed_token_is_read_from_its_file(void **state)
{
	struct world_fleet *f = *state;

	tell_pod(f);
	(void)join_la(f);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	fakeapi_set_token(f->host, "renewed-token-of-the-pod-0123456789");
	fakeapi_drop(f->host, FAKEAPI_CUT_CLOSE);
	world_fleet_expect_status(f, "401");
	world_fleet_expect_stays(f, "la", LA, 300);
	write_file(ACCOUNT "/token", "renewed-token-of-the-pod-0123456789");
	world_fleet_expect_status(f, "\"host\":{\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"synced\"");
	world_fleet_expect_status(f, "!401 Unauthorized");
}

static void test_without_its_files_they_are_named_and_waited_for(void **state)
{
	struct world_fleet *f = *state;

	tell_pod(f);
	(void)join_la(f);
	assert_int_equal(unlink(ACCOUNT "/token"), 0);
	world_start_unready(f->world);
	world_fleet_expect_status(f, "serviceaccount");
	write_file(ACCOUNT "/token", fakeapi_token(f->host));
	world_fleet_expect(f, "la", LA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_the_host_is_where_the_pod_runs),
		world_fleet_test(test_a_renewed_token_is_read_from_its_file),
		world_fleet_test(test_without_its_files_they_are_named_and_waited_for),
	};

	become_pod();
	return cmocka_run_group_tests_name("scenario/in_cluster", tests, NULL, NULL);
}
