/* user.c -- started as root, nighd binds port 53 and then is somebody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_secondaries.h"

/* "Uid:\t65534\t65534\t65534\t65534" and the like: all four are `id`. */
static bool all_are(struct world *w, const char *word, unsigned id)
{
	char path[64], line[256];
	unsigned a = 0, b = 0, c = 0, d = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", world_pid(w));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, word, strlen(word)) == 0)
			sscanf(line + strlen(word), "%u %u %u %u", &a, &b, &c, &d);
	fclose(f);
	return a == id && b == id && c == id && d == id;
}

static void test_started_as_root_it_binds_port_53_and_drops_to_its_user(void **state)
{
	struct world *w = *state;
	const struct passwd *nobody = getpwnam("nobody");
	unsigned uid, gid;

	if (geteuid() != 0 || !nobody)
		skip();
	uid = nobody->pw_uid;
	gid = nobody->pw_gid;
	world_three_cities(w);
	world_folder(w, "state");
	assert_int_equal(chown(world_path(w, "state"), uid, gid), 0);
	/* 127.x.y.z of its own, so that no other server's port 53 is in the way. */
	world_config(w, "listen: {dns: [\"127.53.53.53:53\"], http: \"127.0.0.1:0\"}\nuser: "
	                "nobody\nstate: state");
	world_start(w);
	assert_int_equal(world_dns_port(w), 53);
	assert_true(all_are(w, "Uid:", uid));
	assert_true(all_are(w, "Gid:", gid));
	assert_string_equal(
		world_question(w, &(struct world_question){.name = "web.shop.fed.svc.example.com",
	                                                   .type = "A",
	                                                   .client = "203.0.113.0/24",
	                                                   .to = "127.53.53.53"})
			.records,
		"198.18.3.10");
	assert_null(strstr(world_log(w), "running as root"));
	world_stop(w);
}

static void test_started_as_root_without_a_user_it_warns_once(void **state)
{
	struct world *w = *state;
	const char *first;

	if (geteuid() != 0)
		skip();
	world_three_cities(w);
	world_start(w);
	first = strstr(world_log(w), "running as root");
	assert_non_null(first);
	assert_null(strstr(first + 1, "running as root"));
	assert_true(all_are(w, "Uid:", 0));
}

/* --- what the user cannot read --- */

/* `name` is in a folder that everybody may enter, and root's alone. */
static void shut(struct world *w, const char *name)
{
	assert_int_equal(chmod(world_path(w, ""), 0755), 0);
	assert_int_equal(chmod(world_path(w, name), 0600), 0);
}

static void expect_told(struct world *w, const char *yaml, int status, const char *key,
                        const char *file)
{
	char config[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_write(w, "check.yaml", "%suser: nobody\n", yaml);
	snprintf(config, sizeof(config), "%s", world_path(w, "check.yaml"));
	snprintf(expected, sizeof(expected), "%s:1: %s: %s: ", config, key, world_path(w, file));
	assert_non_null(strstr(world_expect_run(w, argv, status, expected), "Permission denied\n"));
}

static void test_check_reads_as_the_user(void **state)
{
	struct world *w = *state;

	if (geteuid() != 0)
		skip();
	secondaries_write_keys(w);
	world_write(w, "cookies", "e5e973e5a6b2a43f48e7dc849e37bfcf\n");
	world_write(w, "zone", "@ 300 SOA ns1 host 1 1 1 1 1\n@ 300 NS ns1\n");
	shut(w, "keys");
	shut(w, "cookies");
	shut(w, "zone");
	expect_told(w, "tsig: keys\n", 1, "tsig", "keys");
	expect_told(w, "cookies: {secretFile: cookies}\n", 1, "cookies.secretFile", "cookies");
	expect_told(w, "zones: [{name: a.test, file: zone}]\n", 1, "zones.file", "zone");
}

/* A key that is root's alone is good for a start, but not for what comes after it. */
static void test_a_key_that_cannot_be_read_again_is_told_once(void **state)
{
	struct world *w = *state;
	const char *first;
	char expected[512];

	if (geteuid() != 0)
		skip();
	secondaries_write_certificate(w);
	shut(w, "key.pem");
	expect_told(w,
	            "listen: {tls: {addresses: [\"127.0.0.1:0\"], certificate: cert.pem, key: "
	            "key.pem}}\n",
	            0, "listen.tls", "key.pem");
	world_folder(w, "manifests/host");
	world_config(w, SECONDARIES_LISTEN "user: nobody\n");
	world_start(w);
	snprintf(expected, sizeof(expected), "listen.tls: %s: user nobody cannot read it",
	         world_path(w, "key.pem"));
	first = strstr(world_log(w), expected);
	assert_non_null(first);
	assert_null(strstr(first + strlen(expected), "cannot read it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_started_as_root_it_binds_port_53_and_drops_to_its_user),
		world_test(test_started_as_root_without_a_user_it_warns_once),
		world_test(test_check_reads_as_the_user),
		world_test(test_a_key_that_cannot_be_read_again_is_told_once),
	};

	return cmocka_run_group_tests_name("scenario/user", tests, NULL, NULL);
}
