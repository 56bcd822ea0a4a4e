/* A folder that another process never leaves alone: changes in it show all the same, and no swap is torn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "tests/support/watcher_folders.h"

enum { FILES = 200, PAUSE_US = 1000 };

/* Some other process that replaces the files of a folder one after the other, without end. */
struct storm {
	pthread_t thread;
	char dir[256];
	bool raging;
	atomic_bool ended;
};

/* One at a time; ended also when a test fails. */
static struct storm storm;

static void replace_one(const struct storm *s, unsigned round)
{
	char fresh[300], path[300], text[256];
	int len = snprintf(text, sizeof(text),
	                   "apiVersion: v1\nkind: Service\nmetadata: {name: s%u}\n"
	                   "status: {loadBalancer: {ingress: [{ip: 10.1.%u.%u}]}}\n",
	                   round % FILES, round / 250 % 250, round % 250);
	int fd;

	(void)snprintf(fresh, sizeof(fresh), "%s/.new", s->dir);
	(void)snprintf(path, sizeof(path), "%s/s%u.yaml", s->dir, round % FILES);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, text, (size_t)len) == len && close(fd) == 0);
	CHECK(rename(fresh, path) == 0);
}

static void *rage(void *arg)
{
	const struct storm *s = arg;

	for (unsigned round = 0; !s->ended; round++) {
		replace_one(s, round);
		usleep(PAUSE_US);
	}
	return NULL;
}

static void begin_storm(struct folders *f, const char *folder)
{
	folders_mkdir(f, folder);
	(void)snprintf(storm.dir, sizeof(storm.dir), "%s/%s", f->root, folder);
	storm.ended = false;
	CHECK(pthread_create(&storm.thread, NULL, rage, &storm) == 0);
	storm.raging = true;
}

static int teardown(void **state)
{
	storm.ended = true;
	if (storm.raging)
		CHECK(pthread_join(storm.thread, NULL) == 0);
	storm.raging = false;
	return folders_teardown(state);
}

static void fill(struct folders *f, const char *folder)
{
	folders_mkdir(f, folder);
	(void)snprintf(storm.dir, sizeof(storm.dir), "%s/%s", f->root, folder);
	for (unsigned i = 0; i < FILES; i++)
		replace_one(&storm, i);
}

static void look_for_missing(struct folders *f)
{
	if (facts_count(f->facts) < FILES + 1)
		(void)snprintf(f->torn, sizeof(f->torn), "%zu facts", facts_count(f->facts));
}

static void test_a_change_shows_within_1_s_and_no_other_object_goes(void **state)
{
	struct folders *f = *state;

	folders_service(f, "m/clusters/la/web.yaml", "web", "192.0.2.1");
	fill(f, "m/clusters/la");
	folders_start(f, "m", NULL);
	folders_turn(f, 50);
	f->on_settled = look_for_missing;
	begin_storm(f, "m/clusters/la");
	for (unsigned i = 2; i < 12; i++) {
		char address[32];
		uint64_t began_ms;

		folders_turn(f, 50 + i * 37);
		(void)snprintf(address, sizeof(address), "192.0.2.%u", i);
		began_ms = clock_monotonic_ms();
		folders_service(f, "m/clusters/la/.web", "web", address);
		folders_rename(f, "m/clusters/la/.web", "m/clusters/la/web.yaml");
		folders_wait_address(f, "la", "web", address);
		assert_true(clock_monotonic_ms() - began_ms < 1000);
	}
	assert_string_equal(f->torn, "");
}

static void test_a_deleted_file_is_gone_within_1_s(void **state)
{
	struct folders *f = *state;
	uint64_t began_ms;

	folders_service(f, "m/clusters/la/web.yaml", "web", "192.0.2.1");
	folders_start(f, "m", NULL);
	begin_storm(f, "m/clusters/la");
	folders_turn(f, 500);
	began_ms = clock_monotonic_ms();
	folders_remove(f, "m/clusters/la/web.yaml");
	folders_wait_address(f, "la", "web", NULL);
	assert_true(clock_monotonic_ms() - began_ms < 1000);
}

/* Two Services that every version gives the same address. */
static void look_for_halves(struct folders *f)
{
	char first[64];
	const char *a = folders_address(f, "la", "a"), *b;

	(void)snprintf(first, sizeof(first), "%s", a ? a : "none");
	b = folders_address(f, "la", "b");
	if (strcmp(first, b ? b : "none") != 0)
		(void)snprintf(f->torn, sizeof(f->torn), "%s beside %s", first, b ? b : "none");
}

static void write_version(struct folders *f, unsigned version)
{
	char path[64], target[32], address[32];

	(void)snprintf(address, sizeof(address), "192.0.2.%u", version);
	(void)snprintf(target, sizeof(target), "..v%u", version);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "m/clusters/la/%s/%c.yaml", target, "ab"[i]);
		folders_service(f, path, i ? "b" : "a", address);
	}
	folders_link(f, target, "m/clusters/la/..data");
}

static void test_a_ConfigMap_volume_still_changes_as_one(void **state)
{
	struct folders *f = *state;

	write_version(f, 100);
	folders_link(f, "..data/a.yaml", "m/clusters/la/a.yaml");
	folders_link(f, "..data/b.yaml", "m/clusters/la/b.yaml");
	folders_start(f, "m", NULL);
	f->on_settled = look_for_halves;
	begin_storm(f, "m/clusters/la");
	for (unsigned version = 101; version < 180; version++) {
		write_version(f, version);
		folders_turn(f, version % 11 * 5);
	}
	folders_wait_address(f, "la", "a", "192.0.2.179");
	assert_string_equal(f->torn, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folders_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_change_shows_within_1_s_and_no_other_object_goes),
		TEST(test_a_deleted_file_is_gone_within_1_s),
		TEST(test_a_ConfigMap_volume_still_changes_as_one),
	};

	return cmocka_run_group_tests_name("watcher/manifests_storm", tests, NULL, NULL);
}
