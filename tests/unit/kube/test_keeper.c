/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "kube/keeper.h"
#include "tests/support/kube_folder.h"

enum { SOON_MS = 15000 };

/* A keeper, a loop, and what it told. */
struct keeping {
	uv_loop_t loop;
	struct kube_keeper *keeper;
	unsigned given;
	char trouble[300];
	uint64_t unauthorized;
};

static void on_access(void *arg) { ((struct keeping *)arg)->given++; }

static void on_trouble(const char *why, void *arg)
{
	struct keeping *k = arg;

	snprintf(k->trouble, sizeof(k->trouble), "%s", why ? why : "");
}

static int setup(void **state)
{
	struct keeping *k = xcalloc(1, sizeof(*k));

	kube_folder_make();
	assert_int_equal(uv_loop_init(&k->loop), 0);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct keeping *k = *state;

	kube_keeper_free(k->keeper);
	uv_run(&k->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&k->loop), 0);
	kube_folder_remove();
	free(k);
	return 0;
}

static void keep(struct keeping *k, const struct kube_access *access)
{
	const struct kube_keeper_events events = {on_access, on_trouble, k};

	k->keeper = kube_keeper_new(&k->loop, access, &events);
}

/* With a tick now and then, until it has been given `count` times, or is in trouble. */
static void turn_until(struct keeping *k, unsigned count, bool trouble)
{
	uint64_t end_ms = clock_monotonic_ms() + SOON_MS;
	struct timespec rest = {.tv_nsec = 20000000};

	while (k->given < count || (trouble && k->trouble[0] == '\0')) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("nothing came in %d ms", SOON_MS);
		kube_keeper_tick(k->keeper, k->unauthorized);
		uv_run(&k->loop, UV_RUN_NOWAIT);
		nanosleep(&rest, NULL);
	}
}

static void assert_token(const struct keeping *k, const char *token)
{
	assert_true(bytes_equal(kube_secret_bytes(&kube_keeper_access(k->keeper)->token),
	                        bytes_of(token)));
}

/* A plugin that gives "token-1", then "token-2" ..., each for so long. */
static void put_plugin(struct keeping *k, const char *name, const char *until)
{
	struct kube_access access = {.server = xstrdup("https://api.example")};
	char script[600];

	snprintf(script, sizeof(script),
	         "#!/bin/sh\n"
	         "cd %s; echo x >>runs\n"
	         "printf '{\"kind\":\"ExecCredential\",\"apiVersion\":"
	         "\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"token-%%d\"%s}}' "
	         "$(wc -l <runs)\n",
	         kube_folder(), until);
	kube_folder_put(name, script);
	assert_int_equal(chmod(kube_folder_path(name), 0700), 0);
	access.exec.command = xstrdup(kube_folder_path(name));
	access.exec.api_version = xstrdup("client.authentication.k8s.io/v1");
	keep(k, &access);
	kube_access_fini(&access);
}

static void put_token_file(struct keeping *k)
{
	struct kube_access access = {.server = xstrdup("https://api.example")};

	kube_folder_put("token", "old");
	access.token_file = xstrdup(kube_folder_path("token"));
	kube_secret_set(&access.token, bytes_of("old"));
	keep(k, &access);
	kube_access_fini(&access);
}

static void test_a_file_is_read_again_when_the_server_refuses(void **state)
{
	struct keeping *k = *state;

	put_token_file(k);
	kube_folder_put("token", "new");
	kube_keeper_tick(k->keeper, 0);
	assert_token(k, "old");
	k->unauthorized = 1;
	turn_until(k, 1, false);
	assert_token(k, "new");
	assert_string_equal(k->trouble, "");
}

static void test_a_file_that_is_gone_leaves_what_was_in_it(void **state)
{
	struct keeping *k = *state;

	put_token_file(k);
	assert_int_equal(remove(kube_folder_path("token")), 0);
	k->unauthorized = 1;
	turn_until(k, 0, true);
	assert_non_null(strstr(k->trouble, "No such file"));
	assert_token(k, "old");
	assert_int_equal(k->given, 0);
}

static void test_a_plugin_is_run_at_the_start_and_when_the_server_refuses(void **state)
{
	struct keeping *k = *state;

	put_plugin(k, "plugin", "");
	turn_until(k, 1, false);
	assert_token(k, "token-1");
	k->unauthorized = 1;
	turn_until(k, 2, false);
	assert_token(k, "token-2");
	assert_int_equal(kube_keeper_expires_at(k->keeper), 0);
}

static void test_a_plugin_is_run_again_before_what_it_gave_ends(void **state)
{
	struct keeping *k = *state;

	put_plugin(k, "plugin", ",\"expirationTimestamp\":\"2026-01-02T03:04:05Z\"");
	turn_until(k, 2, false);
	assert_token(k, "token-2");
	assert_int_equal(kube_keeper_expires_at(k->keeper), 1767323045);
}

static void test_a_plugin_that_fails_is_told_and_tried_again(void **state)
{
	struct keeping *k = *state;
	struct kube_access access = {.server = xstrdup("https://api.example")};

	access.exec.command = xstrdup("/bin/false");
	access.exec.api_version = xstrdup("client.authentication.k8s.io/v1");
	keep(k, &access);
	kube_access_fini(&access);
	turn_until(k, 0, true);
	k->trouble[0] = '\0';
	turn_until(k, 0, true);
	assert_int_equal(k->given, 0);
}

static void test_another_way_in_has_nothing_of_the_plugin_of_before(void **state)
{
	struct keeping *k = *state;
	struct kube_access access = {.server = xstrdup("https://other.example")};

	put_plugin(k, "plugin", ",\"expirationTimestamp\":\"2126-01-02T03:04:05Z\"");
	turn_until(k, 1, false);
	kube_secret_set(&access.token, bytes_of("plain"));
	kube_keeper_set_access(k->keeper, &access);
	kube_access_fini(&access);
	assert_token(k, "plain");
	assert_int_equal(kube_keeper_expires_at(k->keeper), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_again_when_the_server_refuses),
		TEST(a_file_that_is_gone_leaves_what_was_in_it),
		TEST(a_plugin_is_run_at_the_start_and_when_the_server_refuses),
		TEST(a_plugin_is_run_again_before_what_it_gave_ends),
		TEST(a_plugin_that_fails_is_told_and_tried_again),
		TEST(another_way_in_has_nothing_of_the_plugin_of_before),
	};

	return cmocka_run_group_tests_name("kube/keeper", tests, NULL, NULL);
}
