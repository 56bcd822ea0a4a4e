/* state.c -- the saved state: whatever ends nighd at whatever moment, the next one answers the old or the new. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"

enum { KILLS = 20, SAVED_MS = 1500 };

static void endpoint(struct world *w, const char *name, int i)
{
	char file[64], dns_name[64], target[32];

	snprintf(file, sizeof(file), "%s.yaml", name);
	snprintf(dns_name, sizeof(dns_name), "%s.example.com", name);
	snprintf(target, sizeof(target), "198.18.%d.%d", i / 250, i % 250 + 1);
	world_endpoint(w, file, name, dns_name, "A", target);
}

/* Which i the name has now; -1: none. */
static int number_of(struct world *w, const char *name)
{
	char dns_name[64];
	int high, low;

	snprintf(dns_name, sizeof(dns_name), "%s.example.com", name);
	if (sscanf(world_ask(w, dns_name, "A", NULL), "198.18.%d.%d", &high, &low) != 2)
		return -1;
	return high * 250 + low - 1;
}

static void expect_number(struct world *w, const char *name, int i)
{
	char dns_name[64], target[32];

	snprintf(dns_name, sizeof(dns_name), "%s.example.com", name);
	snprintf(target, sizeof(target), "198.18.%d.%d", i / 250, i % 250 + 1);
	world_expect(w, dns_name, "A", NULL, target, 1000);
}

static uint32_t serial_of(struct world *w)
{
	unsigned long serial = 0;

	sscanf(world_ask(w, "example.com", "SOA", NULL), "%*s %*s %lu", &serial);
	return (uint32_t)serial;
}

/* RFC 1982. */
static bool is_back(uint32_t before, uint32_t now) { return (int32_t)(now - before) < 0; }

static void begin(struct world *w)
{
	world_config(w, "state: state");
	world_domain(w, "fed", "example.com");
	endpoint(w, "a", 0);
	world_start(w);
	/* The first state is on the disk when a restart in the dark knows it. */
	world_expect_stays(w, "a.example.com", "A", NULL, "198.18.0.1", SAVED_MS);
}

static void test_killed_at_any_moment_it_answers_the_old_or_the_new_in_the_dark(void **state)
{
	struct world *w = *state;
	uint32_t serial = 0;
	int known = 0;

	srand(3);
	begin(w);
	for (int i = 1; i <= KILLS; i++) {
		int got;

		endpoint(w, "a", i);
		usleep((useconds_t)(rand() % 300) * 1000);
		if (i % 4 == 0)
			expect_number(w, "a", i);
		if (i % 10 == 0)
			usleep(SAVED_MS * 1000);
		serial = serial_of(w);
		world_kill(w);
		world_move(w, "manifests", "away");
		world_start(w);
		got = number_of(w, "a");
		if (got < known || got > i || (i % 10 == 0 && got != i))
			world_fail(w, "round %d: %d was known before, and now %d", i, known, got);
		known = got;
		if (is_back(serial, serial_of(w)))
			world_fail(w, "round %d: the serial went back from %u to %u", i, serial,
			           serial_of(w));
		world_kill(w);
		world_move(w, "away", "manifests");
		world_start(w);
		expect_number(w, "a", i);
	}
	assert_true(known >= KILLS);
}

static void test_the_serial_never_goes_back_also_when_it_runs_ahead_of_the_clock(void **state)
{
	struct world *w = *state;
	uint32_t serial;

	begin(w);
	serial = serial_of(w);
	for (int i = 1; i <= 40; i++) {
		uint32_t now;

		endpoint(w, "a", i);
		expect_number(w, "a", i);
		now = serial_of(w);
		assert_false(is_back(serial, now));
		assert_int_not_equal(serial, now);
		serial = now;
	}
	world_kill(w);
	world_start(w);
	assert_false(is_back(serial, serial_of(w)));
	serial = serial_of(w);
	world_stop(w);
	world_move(w, "manifests", "away");
	world_start(w);
	assert_false(is_back(serial, serial_of(w)));
}

static void test_readiness_and_clusters_health_do_not_move_the_serial_without_a_change(void **state)
{
	struct world *w = *state;
	uint32_t serial;

	world_three_cities(w);
	world_start(w);
	serial = serial_of(w);
	/* Written again, but the same. */
	world_service(w, "losangeles", "web", "198.18.3.10", true, "");
	world_domain(w, "fed", "example.com");
	world_expect_stays(w, "web.shop.fed.svc.example.com", "A", "203.0.113.0/24", "198.18.3.10",
	                   500);
	assert_int_equal(serial, serial_of(w));
	world_service(w, "losangeles", "web", "198.18.3.10", false, "");
	world_expect(w, "web.shop.fed.svc.example.com", "A", "203.0.113.0/24", "198.18.2.10", 1000);
	assert_int_not_equal(serial, serial_of(w));
}

/* The first file of the state whose name begins so; its path is below the world. */
static void find_file(struct world *w, const char *prefix, char out[128])
{
	DIR *dir = opendir(world_path(w, "state"));
	struct dirent *d;

	out[0] = '\0';
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, prefix, strlen(prefix)) == 0 && strcmp(d->d_name, out) > 0)
			snprintf(out, 128, "%.100s", d->d_name);
	closedir(dir);
	if (!out[0])
		world_fail(w, "the state directory has no %s", prefix);
}

static void test_a_torn_tail_of_the_journal_is_cut_off_and_counted(void **state)
{
	struct world *w = *state;
	char name[128], path[160];
	struct stat st;

	begin(w);
	endpoint(w, "b", 1);
	expect_number(w, "b", 1);
	usleep(SAVED_MS * 1000);
	endpoint(w, "c", 2);
	expect_number(w, "c", 2);
	usleep(SAVED_MS * 1000);
	world_kill(w);
	find_file(w, "journal-", name);
	snprintf(path, sizeof(path), "state/%s", name);
	assert_int_equal(stat(world_path(w, path), &st), 0);
	assert_int_equal(truncate(world_path(w, path), st.st_size - 3), 0);
	world_move(w, "manifests", "away");
	world_start(w);
	world_expect_log(w, "torn tail", 0);
	world_expect_http(w, "/metrics", "\nwatcher_saved_torn_tails_total 1\n", 2000);
	assert_int_equal(number_of(w, "a"), 0);
	assert_int_equal(number_of(w, "b"), 1);
	assert_int_equal(number_of(w, "c"), -1);
	world_move(w, "away", "manifests");
	expect_number(w, "c", 2);
	world_stop(w);
	world_move(w, "manifests", "away");
	world_start(w);
	assert_null(strstr(world_log(w), "torn tail"));
	assert_int_equal(number_of(w, "c"), 2);
}

static void test_a_foreign_file_is_set_aside_with_one_line_and_never_deleted(void **state)
{
	struct world *w = *state;

	world_config(w, "state: state");
	world_domain(w, "fed", "example.com");
	endpoint(w, "a", 0);
	world_write(w, "state/base", "this is somebody's poem\n");
	world_start(w);
	world_expect_log(w,
	                 "base in the state directory was set aside as base.bad-1: not a file of "
	                 "saved state",
	                 0);
	world_expect_http(w, "/metrics", "\nwatcher_saved_set_aside_total 1\n", 2000);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
	assert_int_equal(access(world_path(w, "state/base.bad-1"), F_OK), 0);
	usleep(SAVED_MS * 1000);
	world_stop(w);
	world_move(w, "manifests", "away");
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "198.18.0.1", 0);
}

static void test_a_damaged_base_never_keeps_nighd_from_starting(void **state)
{
	struct world *w = *state;
	char name[128], path[160];
	FILE *f;

	begin(w);
	world_stop(w);
	find_file(w, "base", name);
	snprintf(path, sizeof(path), "state/%s", name);
	f = fopen(world_path(w, path), "r+");
	assert_non_null(f);
	fseek(f, 60, SEEK_SET);
	fputs("XXXXXXXX", f);
	fclose(f);
	world_start(w);
	expect_number(w, "a", 0);
}

static void test_a_directory_that_the_state_does_not_know_is_waited_for(void **state)
{
	struct world *w = *state;
	int http;

	world_three_cities(w);
	world_config(w, "state: state");
	world_start(w);
	world_expect_stays(w, "a.example.com", "A", NULL, "NXDOMAIN", SAVED_MS);
	world_stop(w);
	world_config(w, "state: state\n"
	                "sources: {manifests: [manifests, second]}\n"
	                "startup: {patience: 1500ms}");
	world_start_unready(w);
	world_expect_http(w, "/status", "!\"unseen\"", 1000);
	(void)world_get(w, "/readyz", &http);
	assert_int_equal(http, 503);
	world_expect(w, "a.example.com", "A", NULL, "SERVFAIL", 0);
	world_folder(w, "second/host");
	world_expect(w, "a.example.com", "A", NULL, "NXDOMAIN", 1200);
	world_expect_stays(w, "a.example.com", "A", NULL, "NXDOMAIN", SAVED_MS);
	/* In the dark it is as known as the other. */
	world_kill(w);
	world_move(w, "manifests", "away");
	world_remove(w, "second");
	world_config(w, "state: state\n"
	                "sources: {manifests: [manifests, second]}\n"
	                "startup: {patience: 1m}");
	world_start(w);
	world_expect(w, "a.example.com", "A", NULL, "NXDOMAIN", 0);
}

static void test_two_nighds_cannot_share_a_state(void **state)
{
	struct world *w = *state;
	const char *const argv[] = {"$NIGHD",      "--dns",   "127.0.0.1:0", "--http",
	                            "127.0.0.1:0", "--state", NULL,          NULL};
	const char *copy[8];
	char dir[256];

	begin(w);
	memcpy(copy, argv, sizeof(argv));
	snprintf(dir, sizeof(dir), "%s", world_path(w, "state"));
	copy[6] = dir;
	world_expect_run(w, copy, 1, "is in use by another process");
}

static void test_without_a_state_it_starts_and_says_nothing_of_it(void **state)
{
	struct world *w = *state;

	world_domain(w, "fed", "example.com");
	endpoint(w, "a", 0);
	world_start(w);
	expect_number(w, "a", 0);
}

static void test_a_restart_with_nothing_but_the_configs_own_records_is_ready_at_once(void **state)
{
	struct world *w = *state;

	world_config(w, "state: state\nsources: {manifests: []}\nstartup: {patience: 1h}\n"
	                "zones: [{name: example.com, records: [\"www A 192.0.2.1\"]}]");
	for (int i = 0; i < 2; i++) {
		world_start(w);
		world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
		world_stop(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_killed_at_any_moment_it_answers_the_old_or_the_new_in_the_dark),
		world_test(test_the_serial_never_goes_back_also_when_it_runs_ahead_of_the_clock),
		world_test(
			test_readiness_and_clusters_health_do_not_move_the_serial_without_a_change),
		world_test(test_a_torn_tail_of_the_journal_is_cut_off_and_counted),
		world_test(test_a_foreign_file_is_set_aside_with_one_line_and_never_deleted),
		world_test(test_a_damaged_base_never_keeps_nighd_from_starting),
		world_test(test_a_directory_that_the_state_does_not_know_is_waited_for),
		world_test(test_two_nighds_cannot_share_a_state),
		world_test(test_without_a_state_it_starts_and_says_nothing_of_it),
		world_test(
			test_a_restart_with_nothing_but_the_configs_own_records_is_ready_at_once),
	};

	return cmocka_run_group_tests_name("scenario/state", tests, NULL, NULL);
}
