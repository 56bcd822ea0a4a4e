/* takeover.c -- nighd is replaced by another one while it is asked: nobody notices. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/world.h"
#include "tests/support/world_load.h"
#include "tests/support/world_wire.h"

enum { REPLACEMENTS = 100, KILLS = 30, PER_SECOND = 2000, CHANGE_MS = 5000 };

#define ZONE "zones: [{name: example.com, records: [\"www A 192.0.2.1\"]}]\n"

/* All kinds of addresses on ports that the kernel chooses: those of a wildcard are asked at 127.0.0.2. */
#define EVERYWHERE                                                                                 \
	"listen: {dns: [\"127.0.0.1:0\", \"[::1]:0\", \"0.0.0.0:0\"], http: \"127.0.0.1:0\"}\n"

static uint32_t serial_of(struct world *w)
{
	unsigned long serial = 0;

	sscanf(world_ask(w, "example.com", "SOA", NULL), "%*s %*s %lu", &serial);
	return (uint32_t)serial;
}

/* RFC 1982. */
static bool is_after(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

static unsigned count_descriptors(const struct world *w)
{
	char path[64];
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", world_pid(w));
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void rest_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static void begin(struct world *w, const char *more)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml), EVERYWHERE ZONE "%s", more);
	world_config(w, yaml);
	world_folder(w, "manifests/host");
	world_start(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
}

/* At all three addresses, over UDP and TCP, with answers known to be right. */
static struct world_load *begin_load(struct world *w)
{
	struct world_load_target targets[3];
	const char *at = strstr(world_log(w), " listening dns=");
	unsigned four, six, any;

	assert_non_null(at);
	assert_int_equal(
		sscanf(at, " listening dns=127.0.0.1:%u,[::1]:%u,0.0.0.0:%u", &four, &six, &any),
		3);
	targets[0] = (struct world_load_target){"127.0.0.1", four};
	targets[1] = (struct world_load_target){"::1", six};
	targets[2] = (struct world_load_target){"127.0.0.2", any};
	return world_load_start(w, "www.example.com", "192.0.2.1", targets, 3, PER_SECOND);
}

/* Nothing lost, nothing wrong, no connection closed, and not for want of questions. */
static void end_load(struct world *w, struct world_load *load, unsigned at_least)
{
	struct world_load_result r;

	rest_ms(500); /* however quick all of it was */
	r = world_load_stop(load);
	print_message("%u over UDP, %u over TCP, of these %u on kept connections, asked again %u: "
	              "%u lost, %u wrong\n",
	              r.udp, r.tcp, r.kept, r.again, r.lost, r.wrong);
	if (r.lost > 0 || r.wrong > 0)
		world_fail(w, "%u lost, %u wrong: %s", r.lost, r.wrong, r.what);
	assert_true(r.udp >= at_least);
	assert_true(r.tcp > 0 && r.kept > 0);
	assert_int_equal(r.again, 0);
}

static void change(struct world *w, unsigned i)
{
	char target[32];

	snprintf(target, sizeof(target), "198.18.%u.%u", i / 250, i % 250 + 1);
	world_endpoint(w, "a.yaml", "a", "a.example.com", "A", target);
	world_expect(w, "a.example.com", "A", NULL, target, CHANGE_MS);
}

static void test_a_hundred_replacements_under_load_lose_nothing_and_grow_nothing(void **state)
{
	struct world *w = *state;
	struct world_load *load;
	unsigned descriptors = 0;
	uint32_t serial, now;
	double memory = 0;

	begin(w, "state: state\n");
	world_domain(w, "fed", "example.com");
	change(w, 0);
	serial = serial_of(w);
	load = begin_load(w);
	for (unsigned i = 1; i <= REPLACEMENTS; i++) {
		world_replace(w);
		now = serial_of(w);
		assert_false(is_after(serial, now));
		change(w, i);
		serial = serial_of(w);
		assert_true(is_after(serial, now));
		if (i == 10) {
			descriptors = count_descriptors(w);
			memory = world_metric(w, "process_resident_memory_bytes");
		}
	}
	end_load(w, load, 1000);
	assert_in_range(count_descriptors(w), descriptors - 8, descriptors + 8);
	assert_true(world_metric(w, "process_resident_memory_bytes") <
	            memory + 4e6 + world_sanitizer_bytes());
}

static void test_changes_faster_than_seconds_never_take_a_serial_back(void **state)
{
	struct world *w = *state;
	uint32_t serial = 0, now;

	begin(w, "");
	world_domain(w, "fed", "example.com");
	for (unsigned i = 0; i < 40; i++) {
		change(w, i);
		now = serial_of(w);
		assert_true(i == 0 || is_after(now, serial));
		serial = now;
		if (i % 8 == 7)
			world_replace(w);
		now = serial_of(w);
		assert_false(is_after(serial, now));
		serial = now;
	}
}

static void test_one_that_cannot_start_leaves_the_running_one_as_it_is(void **state)
{
	struct world *w = *state;
	struct world_load *load;

	begin(w, "state: state\n");
	load = begin_load(w);
	world_config(w, EVERYWHERE "zones: [{name: example.com, records: [\"www A nowhere\"]}]\n");
	world_expect_replace_fails(w, 1, "nighd.yaml:");
	/* Port 1 of a foreign address. */
	world_config(w, "listen: {dns: [\"127.0.0.1:0\", \"192.0.2.1:1\"], http: \"127.0.0.1:0\"}\n"
	                "state: state\n" ZONE);
	world_expect_replace_fails(w, 1, "192.0.2.1:1: ");
	world_config(w, EVERYWHERE ZONE "state: state\ngeo: {databases: [gone.mmdb]}\n");
	world_replace(w);
	end_load(w, load, 100);
}

/* Until its patience is over it cannot take over: one member of the fleet is dark. */
static void begin_with_a_dark_member(struct world *w)
{
	world_write(w, "dark.kubeconfig",
	            "clusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\n"
	            "users: [{name: u, user: {token: t}}]\n"
	            "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
	            "current-context: x\n");
	begin(w, "state: state\nstartup: {patience: 2s}\n"
	         "sources: {members: [{name: dark, kubeconfig: dark.kubeconfig}]}\n");
}

static void test_one_that_is_killed_at_any_moment_takes_nothing_with_it(void **state)
{
	struct world *w = *state;
	struct world_load *load;

	srand(5);
	begin_with_a_dark_member(w);
	load = begin_load(w);
	for (unsigned i = 0; i < KILLS; i++) {
		int status, heir = world_spawn_heir(w);

		rest_ms((unsigned)rand() % 150);
		kill(heir, SIGKILL);
		assert_int_equal(waitpid(heir, &status, 0), heir);
		world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	}
	world_replace(w);
	end_load(w, load, 100);
}

/* The sockets are the new one's too, so that nothing is lost but what the old one was just answering. */
static void test_when_the_running_one_dies_meanwhile_the_new_one_serves_in_its_place(void **state)
{
	struct world *w = *state;
	unsigned port;
	uint32_t serial;
	int heir;

	begin_with_a_dark_member(w);
	port = world_dns_port(w);
	serial = serial_of(w);
	heir = world_spawn_heir(w);
	world_expect_log(w, "zone has no nameservers in the config", CHANGE_MS);
	world_kill(w);
	world_expect_heir(w, heir);
	world_expect_log(w, "the nighd to take over from has ended", 0);
	assert_int_equal(world_dns_port(w), port);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
	assert_false(is_after(serial, serial_of(w)));
	/* And it can be taken over from in its turn. */
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
}

/* An heir that has asked for everything and waits for it, as the running one stands still. */
static int spawn_waiting_heir(struct world *w)
{
	int heir = world_spawn_heir(w);

	world_expect_log(w, "zone has no nameservers in the config", CHANGE_MS);
	world_signal(w, SIGSTOP);
	rest_ms(4000); /* its patience is over after 2 */
	return heir;
}

static void test_when_the_running_one_dies_while_it_gives_the_new_one_serves(void **state)
{
	struct world *w = *state;
	int heir;

	begin_with_a_dark_member(w);
	heir = spawn_waiting_heir(w);
	world_kill(w);
	world_expect_heir(w, heir);
	world_expect_log(w, "the nighd to take over from has ended", 0);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
}

/* It may have answered, with serials that nobody else knows. */
static void test_after_one_that_failed_serials_go_on_behind_all_that_it_may_have_said(void **state)
{
	struct world *w = *state;
	uint32_t serial;
	int status, heir;

	begin_with_a_dark_member(w);
	serial = serial_of(w);
	heir = spawn_waiting_heir(w);
	kill(heir, SIGKILL);
	assert_int_equal(waitpid(heir, &status, 0), heir);
	world_signal(w, SIGCONT);
	world_expect_log(w, "has failed, this one goes on", CHANGE_MS);
	rest_ms(500);
	assert_true(is_after(serial_of(w), serial + 999));
	assert_true(is_after(serial_of(w), (uint32_t)time(NULL) + 900));
}

#define ZONE_HEAD "@ 300 SOA ns1 host 7 3600 900 604800 60\n@ 300 NS ns1\nns1 A 192.0.2.53\n"
#define ZONE_FILES                                                                                 \
	"startup: {patience: 2s}\nstate: state\n"                                                  \
	"zones: [{name: example.com, file: zones/com}, {name: example.net, file: zones/net}]\n"

/* Whether the state has the zone or not; one that the running one does not serve either holds up nothing. */
static void test_a_zone_file_that_is_broken_by_then_leaves_the_running_one_serving(void **state)
{
	struct world *w = *state;

	world_write(w, "zones/com", ZONE_HEAD "www A 192.0.2.1\n");
	world_write(w, "zones/net", "bad\n");
	world_config(w, ZONE_FILES);
	world_folder(w, "manifests/host");
	world_start(w);
	for (unsigned i = 0; i < 2; i++) {
		world_write(w, "zones/com", "bad\n");
		world_expect_http(w, "/status", "zones/com:1", 1000);
		world_expect_replace_fails(w, 1, "the nighd that runs goes on: ");
		world_expect_log(w, "zones/com has errors or is gone", 0);
		world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
		world_write(w, "zones/com", ZONE_HEAD "www A 192.0.2.1\n");
		world_expect_http(w, "/status", "!zones/com:1", 2000);
		if (i == 0)
			rest_ms(5000); /* until the state has it */
	}
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	world_expect(w, "www.example.net", "A", NULL, "SERVFAIL", 0);
}

/* Then nothing is gained by that. */
static void test_what_both_have_only_as_the_state_has_it_goes_over(void **state)
{
	struct world *w = *state;

	world_write(w, "zones/com", ZONE_HEAD "www A 192.0.2.1\n");
	world_write(w, "zones/net", ZONE_HEAD);
	world_config(w, ZONE_FILES);
	world_folder(w, "manifests/host");
	world_start(w);
	rest_ms(5000);
	world_stop(w);
	world_remove(w, "zones/com");
	world_start(w);
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
}

/* One takes over; the other finds that out, or takes over from that one. */
static void test_of_two_that_come_at_once_one_is_left(void **state)
{
	struct world *w = *state;
	struct world_load *load;

	begin(w, "state: state\n");
	load = begin_load(w);
	for (unsigned i = 0; i < 5; i++) {
		int status, ended, heir[2];

		heir[0] = world_spawn_heir(w);
		heir[1] = world_spawn_heir(w);
		world_expect_end(w, 0);
		ended = waitpid(-1, &status, 0);
		assert_true(ended == heir[0] || ended == heir[1]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		world_expect_heir(w, heir[ended == heir[0]]);
		world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", CHANGE_MS);
	}
	end_load(w, load, 100);
}

static void test_a_signal_ends_the_one_it_is_sent_to(void **state)
{
	struct world *w = *state;
	int status, heir;

	begin(w, "state: state\n");
	heir = world_spawn_heir(w);
	kill(heir, SIGTERM);
	assert_int_equal(waitpid(heir, &status, 0), heir);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	heir = world_spawn_heir(w);
	world_expect_log(w, "zone has no nameservers in the config", CHANGE_MS);
	kill(heir, SIGHUP);
	world_signal(w, SIGHUP);
	world_expect_replaced(w, heir);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
}

static void test_the_first_one_starts_as_ever(void **state)
{
	static const char *const takeover[] = {"--takeover", NULL};
	struct world *w = *state;

	world_flags(w, takeover);
	begin(w, "");
	world_expect_log(w, "no nighd to take over from, starting as the first one", 0);
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
}

static void test_a_second_one_without_takeover_is_told_of_it(void **state)
{
	static const char hint[] =
		"Address already in use: a nighd of the same config or state runs, "
		"and --takeover takes over from it\n";
	struct world *w = *state;
	char config[256], dns[32], http[32], other[256];
	const char *const argv[] = {"$NIGHD", "-c", config, "--dns", dns, NULL};
	const char *const only_http[] = {"$NIGHD", "-c", config, "--http", http, NULL};
	const char *const stranger[] = {"$NIGHD", "-c", other, "--dns", dns, NULL};

	begin(w, "");
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	snprintf(dns, sizeof(dns), "127.0.0.1:%u", world_dns_port(w));
	snprintf(http, sizeof(http), "127.0.0.1:%u", world_http_port(w));
	world_expect_run(w, argv, 1, hint);
	world_expect_run(w, only_http, 1, hint);
	/* Of another one it is not known what it is. */
	world_write(w, "other.yaml", "listen: {http: \"127.0.0.1:0\"}\n");
	snprintf(other, sizeof(other), "%s", world_path(w, "other.yaml"));
	assert_null(
		strstr(world_expect_run(w, stranger, 1, "Address already in use\n"), "takeover"));
}

static void test_what_is_waited_for_is_told(void **state)
{
	struct world *w = *state;
	int heir;

	begin(w, "");
	world_config(w, EVERYWHERE "zones: [{name: example.com, file: gone.zone}]\n"
	                           "startup: {patience: 3s}\n");
	heir = world_spawn_heir(w);
	world_expect_log(w, "gone.zone\"", 3000 + CHANGE_MS);
	assert_non_null(strstr(world_log(w), "taking over once all is read, or startup.patience "
	                                     "over left_ms="));
	world_expect_replaced(w, heir);
}

/* So that each has a socket, and each socket a worker. */
static void test_the_number_of_workers_may_be_another(void **state)
{
	static const char *const workers[] = {"4", "1", "3", "2"};
	struct world *w = *state;
	struct world_load *load;
	char yaml[512];

	begin(w, "workers: 2\n");
	load = begin_load(w);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(yaml, sizeof(yaml), EVERYWHERE ZONE "workers: %s\n", workers[i % 4]);
		world_config(w, yaml);
		world_replace(w);
		rest_ms(100);
	}
	end_load(w, load, 500);
}

static void test_addresses_may_come_and_go(void **state)
{
	struct world *w = *state;
	unsigned port, http;

	begin(w, "");
	port = world_dns_port(w);
	http = world_http_port(w);
	world_config(
		w,
		"listen: {dns: [\"127.0.0.1:0\", \"127.0.0.3:0\"], http: \"127.0.0.1:0\"}\n" ZONE);
	world_replace(w);
	assert_int_equal(world_dns_port(w), port);
	assert_int_equal(world_http_port(w), http);
	world_expect_log(w, ",127.0.0.3:", 0);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	if (strstr(world_log(w), "[::1]") != NULL)
		world_fail(w, "an address that is not configured is listened on");
	world_config(w, "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.4:0\"}\n" ZONE);
	world_replace(w);
	assert_int_equal(world_dns_port(w), port);
	world_expect_log(w, "http=127.0.0.4:", 0);
}

/* As whoever replaces the file of a program does. */
static void test_the_program_itself_may_be_another(void **state)
{
	const char *nighd = getenv("NIGHD");
	struct world *w = *state;
	struct world_load *load;
	char original[512], copy[512];

	snprintf(original, sizeof(original), "%s", nighd ? nighd : "build/bin/nighd");
	snprintf(copy, sizeof(copy), "%s", world_path(w, "nighd"));
	world_expect_run(w, (const char *const[]){"cp", original, copy, NULL}, 0, "");
	setenv("NIGHD", copy, 1);
	begin(w, "");
	load = begin_load(w);
	for (unsigned i = 0; i < 3; i++) {
		world_remove(w, "nighd");
		world_expect_run(w, (const char *const[]){"cp", original, copy, NULL}, 0, "");
		world_replace(w);
	}
	end_load(w, load, 100);
	setenv("NIGHD", original, 1);
}

/* Its own user and root alone may; and it does not bind what the running one has. */
static void test_another_user_is_refused(void **state)
{
	const char *nighd = getenv("NIGHD");
	struct world *w = *state;
	char program[512], config[512];

	if (geteuid() != 0)
		skip();
	begin(w, "");
	/* Nobody may read it where it was built. */
	snprintf(program, sizeof(program), "%s", world_path(w, "nighd"));
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	world_expect_run(
		w, (const char *const[]){"cp", nighd ? nighd : "build/bin/nighd", program, NULL}, 0,
		"");
	world_expect_run(w,
	                 (const char *const[]){"setpriv", "--reuid", "65534", "--clear-groups",
	                                       program, "-c", config, "--takeover", NULL},
	                 1, "taking over: the other side has hung up");
	world_expect_log(w, "a process of another user or container asked to take over, refused",
	                 1000);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
}

/* Started as root each time, and each somebody else by the time it takes over. */
static void test_what_root_has_bound_goes_from_user_to_user(void **state)
{
	struct world *w = *state;
	const struct world_question q = {
		.name = "www.example.com", .type = "A", .to = "127.53.53.54"};

	if (geteuid() != 0)
		skip();
	world_config(
		w,
		"listen: {dns: [\"127.53.53.54:53\"], http: \"127.0.0.1:0\"}\nuser: nobody\n" ZONE);
	world_folder(w, "manifests/host");
	world_start(w);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(world_question(w, &q).records, "192.0.2.1");
		world_replace(w);
		assert_int_equal(world_dns_port(w), 53);
	}
	assert_string_equal(world_question(w, &q).records, "192.0.2.1");
}

/* It would be refused when it had everything, and could not write the state. */
static void test_a_config_with_another_user_is_refused_at_once(void **state)
{
	struct world *w = *state;

	if (geteuid() != 0)
		skip();
	begin(w, "user: nobody\n");
	world_config(w, EVERYWHERE ZONE "user: daemon\n");
	world_expect_replace_fails(w, 1, "`user` must be the same");
	world_config(w, EVERYWHERE ZONE "user: nobody\n");
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
}

/* Which is made at the first start. */
static void test_a_state_directory_may_end_with_a_slash(void **state)
{
	struct world *w = *state;

	begin(w, "state: state//\n");
	world_config(w, EVERYWHERE ZONE "state: state\n");
	world_replace(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 1000);
	world_config(w, EVERYWHERE ZONE "state: state/\n");
	world_replace(w);
}

static void test_status_goes_on_over_http(void **state)
{
	struct world *w = *state;
	unsigned port;

	begin(w, "");
	port = world_http_port(w);
	for (unsigned i = 0; i < 10; i++) {
		int status = 0;

		world_replace(w);
		assert_int_equal(world_http_port(w), port);
		(void)world_get(w, "/readyz", &status);
		assert_int_equal(status, 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_hundred_replacements_under_load_lose_nothing_and_grow_nothing),
		world_test(test_changes_faster_than_seconds_never_take_a_serial_back),
		world_test(test_one_that_cannot_start_leaves_the_running_one_as_it_is),
		world_test(test_one_that_is_killed_at_any_moment_takes_nothing_with_it),
		world_test(
			test_when_the_running_one_dies_meanwhile_the_new_one_serves_in_its_place),
		world_test(test_when_the_running_one_dies_while_it_gives_the_new_one_serves),
		world_test(
			test_after_one_that_failed_serials_go_on_behind_all_that_it_may_have_said),
		world_test(test_a_zone_file_that_is_broken_by_then_leaves_the_running_one_serving),
		world_test(test_what_both_have_only_as_the_state_has_it_goes_over),
		world_test(test_of_two_that_come_at_once_one_is_left),
		world_test(test_a_signal_ends_the_one_it_is_sent_to),
		world_test(test_the_first_one_starts_as_ever),
		world_test(test_a_second_one_without_takeover_is_told_of_it),
		world_test(test_what_is_waited_for_is_told),
		world_test(test_the_number_of_workers_may_be_another),
		world_test(test_addresses_may_come_and_go),
		world_test(test_the_program_itself_may_be_another),
		world_test(test_another_user_is_refused),
		world_test(test_what_root_has_bound_goes_from_user_to_user),
		world_test(test_a_config_with_another_user_is_refused_at_once),
		world_test(test_a_state_directory_may_end_with_a_slash),
		world_test(test_status_goes_on_over_http),
	};

	return cmocka_run_group_tests_name("scenario/takeover", tests, NULL, NULL);
}
