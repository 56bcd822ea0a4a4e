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

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_started_as_root_it_binds_port_53_and_drops_to_its_user),
		world_test(test_started_as_root_without_a_user_it_warns_once),
	};

	return cmocka_run_group_tests_name("scenario/user", tests, NULL, NULL);
}
