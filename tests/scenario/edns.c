/* edns.c -- what EDNS options and the class CHAOS get, and who may ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world.h"
#include "tests/support/world_wire.h"

enum { NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, REFUSED = 5, BADVERS = 16, BADCOOKIE = 23 };
enum { CLASS_CH = 3, CLASS_HS = 4, CLASS_ANY = 255 };

#define ZONE                                                                                       \
	"zones:\n"                                                                                 \
	"- name: example.com\n"                                                                    \
	"  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"                      \
	"  records: [\"www 300 IN A 192.0.2.1\"]\n"

static void start(struct world *w, const char *yaml)
{
	char config[4096];

	snprintf(config, sizeof(config), "%s%s", ZONE, yaml);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
}

/* A for www.example.com with these options. */
static struct world_answer with_options(struct world *w, const char *options, bool tcp)
{
	struct world_question q = {
		.name = "www.example.com", .type = "A", .options = options, .tcp = tcp};

	return world_question(w, &q);
}

static struct world_answer chaos(struct world *w, const char *name, const char *type)
{
	struct world_question q = {.name = name, .type = type, .dns_class = CLASS_CH};

	return world_question(w, &q);
}

/* --- identity --- */

static void test_nsid_is_said_to_who_asks_for_it(void **state)
{
	struct world *w = *state;

	start(w, "identity: {nsid: fra-1}\n");
	assert_string_equal(with_options(w, "3=", false).options, "3=6672612d31");
	assert_string_equal(with_options(w, "3=", true).options, "3=6672612d31");
	assert_string_equal(with_options(w, "3=0102", false).options, "3=6672612d31");
	assert_string_equal(with_options(w, "100=", false).options, "");
	assert_string_equal(with_options(w, "3= 3=", false).options, "3=6672612d31");
}

static void test_without_an_identity_nothing_is_said(void **state)
{
	static const char *const names[] = {"version.bind", "version.server", "hostname.bind",
	                                    "id.server", "authors.bind"};
	struct world *w = *state;

	start(w, "");
	assert_string_equal(with_options(w, "3=", false).options, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world_answer a = chaos(w, names[i], "TXT");

		assert_int_equal(a.rcode, REFUSED);
		assert_string_equal(a.records, "REFUSED");
	}
}

static void test_chaos_names_are_answered_by_config(void **state)
{
	struct world *w = *state;
	struct world_answer a;
	struct world_question any = {.name = "version.bind", .type = "TXT", .dns_class = CLASS_ANY};

	start(w, "identity: {hostname: node 7, version: \"none of \\\"yours\\\"\"}\n");
	assert_string_equal(chaos(w, "Version.BIND", "TXT").records, "\"none of \\\"yours\\\"\"");
	assert_string_equal(chaos(w, "version.server", "TXT").records, "\"none of \\\"yours\\\"\"");
	a = chaos(w, "hostname.bind", "TXT");
	assert_string_equal(a.records, "\"node 7\"");
	assert_true(a.authoritative);
	assert_int_equal(a.ttl, 0);
	assert_string_equal(chaos(w, "id.server", "ANY").records, "\"node 7\"");
	assert_int_equal(chaos(w, "id.server", "A").rcode, REFUSED);
	assert_int_equal(chaos(w, "server", "TXT").rcode, REFUSED);
	assert_int_equal(chaos(w, "a.version.bind", "TXT").rcode, REFUSED);
	assert_int_equal(chaos(w, "www.example.com", "TXT").rcode, REFUSED);
	assert_int_equal(world_question(w, &any).rcode, REFUSED);
	any.dns_class = CLASS_HS;
	assert_int_equal(world_question(w, &any).rcode, REFUSED);
	/* The class IN does not have it. */
	assert_int_equal(world_query(w, "version.bind", "TXT", NULL).rcode, REFUSED);
}

static void test_a_reload_changes_the_identity(void **state)
{
	struct world *w = *state;

	start(w, "identity: {nsid: a, version: \"1\"}\n");
	assert_string_equal(chaos(w, "version.bind", "TXT").records, "\"1\"");
	world_config(w, ZONE "identity: {nsid: b}\n");
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", 5000);
	assert_string_equal(with_options(w, "3=", false).options, "3=62");
	assert_int_equal(chaos(w, "version.bind", "TXT").rcode, REFUSED);
}

/* --- cookies --- */

#define CLIENT_COOKIE "0102030405060708"
#define SECRETS       "cookies: {secretFile: cookies}\n"

/* The secrets, for their owner alone. */
static void write_secrets(struct world *w, const char *text)
{
	world_write(w, "cookies.new", "%s", text);
	assert_int_equal(chmod(world_path(w, "cookies.new"), 0600), 0);
	world_move(w, "cookies.new", "cookies");
}

enum { COOKIE_TEXT = 3 + 48 + 1 }; /* "10=" and 24 bytes in hex */

static void keep_cookie(struct world_answer a, char out[COOKIE_TEXT])
{
	assert_int_equal(strlen(a.options), COOKIE_TEXT - 1);
	memcpy(out, a.options, COOKIE_TEXT);
}

/* What the client's part alone is answered. */
static void get_cookie(struct world *w, bool tcp, char out[COOKIE_TEXT])
{
	struct world_answer a = with_options(w, "10=" CLIENT_COOKIE, tcp);

	assert_int_equal(a.rcode, NOERROR);
	keep_cookie(a, out);
	assert_memory_equal(out, "10=" CLIENT_COOKIE "01000000", 3 + 24);
}

static void test_a_cookie_is_answered_and_comes_back_the_same(void **state)
{
	struct world *w = *state;
	char cookie[COOKIE_TEXT], twice[128];

	start(w, "");
	for (unsigned tcp = 0; tcp < 2; tcp++) {
		get_cookie(w, tcp, cookie);
		assert_string_equal(with_options(w, cookie, tcp).options, cookie);
	}
	snprintf(twice, sizeof twice, "%s 10=00", cookie);
	assert_string_equal(with_options(w, twice, false).options, cookie);
	assert_true(world_metric(w, "dnsd_good_cookies_total") >= 3);
}

static void test_a_forged_cookie_is_as_if_it_were_not_there(void **state)
{
	static const char *const forged[] = {
		"10=" CLIENT_COOKIE "010000005cf79f111f8130c3eee29480", /* long ago */
		"10=" CLIENT_COOKIE "0000000000000000",
		"10=" CLIENT_COOKIE
		"0000000000000000000000000000000000000000000000000000000000000000",
	};
	struct world *w = *state;
	char cookie[COOKIE_TEXT];

	start(w, "");
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		struct world_answer a = with_options(w, forged[i], false);

		assert_int_equal(a.rcode, NOERROR);
		assert_string_equal(a.records, "192.0.2.1");
		get_cookie(w, false, cookie);
		/* All but the last octets, where the time is. */
		assert_memory_equal(a.options, cookie, 3 + 24);
		assert_int_equal(strlen(a.options), 3 + 48);
	}
}

static void test_a_cookie_of_no_good_length_is_formerr(void **state)
{
	static const char *const bad[] = {"10=",
	                                  "10=01",
	                                  "10=01020304050607",
	                                  "10=010203040506070809",
	                                  "10=010203040506070809101112131415",
	                                  "10="
	                                  "01020304050607080000000000000000000000000000000000000000"
	                                  "00000000000000000000000000"};
	struct world *w = *state;

	start(w, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (unsigned tcp = 0; tcp < 2; tcp++) {
			struct world_answer a = with_options(w, bad[i], tcp);

			assert_int_equal(a.rcode, FORMERR);
			assert_true(a.has_opt);
			assert_string_equal(a.options, "");
		}
}

static void test_with_cookies_off_they_are_ignored(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w, "cookies: {mode: off}\n");
	a = with_options(w, "10=" CLIENT_COOKIE, false);
	assert_int_equal(a.rcode, NOERROR);
	assert_string_equal(a.options, "");
	assert_string_equal(with_options(w, "10=01", false).records, "192.0.2.1");
}

static struct world_answer expect_cookie(struct world *w, bool is_answered, unsigned within_ms)
{
	struct world_answer a;

	for (unsigned waited = 0;; waited += 20) {
		a = with_options(w, "10=" CLIENT_COOKIE, false);
		if ((strstr(a.options, "10=" CLIENT_COOKIE) != NULL) == is_answered)
			return a;
		if (waited >= within_ms)
			world_fail(w, "options '%s'", a.options);
		usleep(20 * 1000);
	}
}

static void test_cookies_are_turned_off_and_on_while_it_runs(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w, "");
	(void)expect_cookie(w, true, 0);
	world_config(w, ZONE "cookies: {mode: off}\n");
	world_signal(w, SIGHUP);
	a = expect_cookie(w, false, 5000);
	assert_string_equal(a.records, "192.0.2.1");
	assert_string_equal(a.options, "");
	/* Nothing is looked at, not even whether it is well-formed; without a question it is nothing. */
	assert_int_equal(with_options(w, "10=01", true).rcode, NOERROR);
	world_config(w, ZONE "cookies: {mode: on}\n");
	world_signal(w, SIGHUP);
	(void)expect_cookie(w, true, 5000);
	assert_int_equal(with_options(w, "10=01", true).rcode, FORMERR);
}

/* A message of a header and an OPT with this cookie. */
static struct world_answer ask_nothing(struct world *w, const char *options)
{
	struct world_question q = {.name = ".", .type = "A", .options = options};
	uint8_t query[512], *reply = malloc(WIRE_ROOM);
	size_t len = world_wire_build(&q, 7, query), got;
	struct world_answer a;

	/* QDCOUNT 0, and the question, of five octets, away. */
	query[5] = 0;
	memmove(query + 12, query + 12 + 5, len - 12 - 5);
	got = world_wire_udp(w, NULL, query, len - 5, reply, 2000);
	assert_true(got >= 12);
	assert_int_equal(reply[5], 0);
	a = world_wire_read(w, reply, got);
	free(reply);
	return a;
}

static void test_a_cookie_alone_needs_no_question(void **state)
{
	struct world *w = *state;
	struct world_answer a;
	char cookie[COOKIE_TEXT];

	start(w, "");
	a = ask_nothing(w, "10=" CLIENT_COOKIE);
	assert_int_equal(a.rcode, NOERROR);
	assert_memory_equal(a.options, "10=" CLIENT_COOKIE "01000000", 3 + 24);
	keep_cookie(a, cookie);
	a = ask_nothing(w, cookie);
	assert_int_equal(a.rcode, NOERROR);
	assert_string_equal(a.options, cookie);
	/* RFC 7873 5.4 */
	a = ask_nothing(w, "10=" CLIENT_COOKIE "00000000000000000000000000000000");
	assert_int_equal(a.rcode, BADCOOKIE);
	assert_int_equal(strlen(a.options), 3 + 48);
	assert_int_equal(ask_nothing(w, NULL).rcode, FORMERR);
	assert_int_equal(ask_nothing(w, "3=").rcode, FORMERR);
	assert_int_equal(ask_nothing(w, "10=01").rcode, FORMERR);
}

static void test_large_answers_can_need_a_good_cookie(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "big.example.com", .type = "A"};
	char targets[2048] = "", cookie[COOKIE_TEXT];

	for (int i = 0; i < 60; i++)
		snprintf(targets + strlen(targets), sizeof(targets) - strlen(targets),
		         "%s198.18.7.%d", i ? ", " : "", i);
	world_domain(w, "fed", "example.com");
	world_endpoint(w, "big.yaml", "big", "big.example.com", "A", targets);
	start(w, "cookies: {mode: required-for-large}\ndefaults: {maxAddresses: 60}\n");
	assert_true(world_question(w, &q).truncated);
	q.options = "10=" CLIENT_COOKIE;
	assert_true(world_question(w, &q).truncated);
	get_cookie(w, false, cookie);
	q.options = cookie;
	assert_int_equal(world_question(w, &q).address_count, 60);
	assert_false(world_question(w, &q).truncated);
	cookie[strlen(cookie) - 1] ^= 1;
	assert_true(world_question(w, &q).truncated);
	q.tcp = true;
	assert_int_equal(world_question(w, &q).address_count, 60);
}

/* Three secrets, the order in which a rollover goes; a cookie must be good all the while. */
static void test_secrets_are_rolled_over_while_it_runs(void **state)
{
	static const char first[] = "e5e973e5a6b2a43f48e7dc849e37bfcf\n",
			  second[] = "445536bcd2513298075a5d379663c962\n";
	struct world *w = *state;
	char files[128], old[COOKIE_TEXT], new[COOKIE_TEXT];

	write_secrets(w, first);
	start(w, SECRETS);
	get_cookie(w, false, old);
	/* Another start of it, as another replica, knows it. */
	world_stop(w);
	world_start(w);
	assert_string_equal(with_options(w, old, false).options, old);
	snprintf(files, sizeof files, "%s%s", second, first);
	write_secrets(w, files);
	world_expect_log(w, "secrets of cookies read again", 5000);
	keep_cookie(with_options(w, old, false), new);
	assert_string_not_equal(new, old);
	assert_string_equal(with_options(w, new, false).options, new);
	/* What is not right changes nothing, and is told; SIGHUP does not take it up either. */
	assert_int_equal(chmod(world_path(w, "cookies"), 0644), 0);
	world_expect_http(w, "/status", "chmod 640", 5000);
	assert_string_equal(with_options(w, new, false).options, new);
	world_signal(w, SIGHUP);
	world_expect_log(w, "config not taken up", 5000);
	write_secrets(w, second);
	world_expect_log(w, "cookies.secretFile: no error any more", 5000);
	world_signal(w, SIGHUP);
	world_expect_http(w, "/status", "!chmod 640", 5000);
	assert_string_equal(with_options(w, new, false).options, new);
	assert_string_not_equal(with_options(w, old, false).options, old);
}

static void test_a_file_of_secrets_must_be_there_and_private(void **state)
{
	struct world *w = *state;
	char config[256];
	const char *const check[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_config(w, ZONE SECRETS);
	world_folder(w, "manifests/host");
	world_expect_start_fails(w, 1, "cookies: No such file");
	world_write(w, "cookies", "e5e973e5a6b2a43f48e7dc849e37bfcf\n");
	assert_int_equal(chmod(world_path(w, "cookies"), 0660), 0);
	world_expect_start_fails(w, 1, "chmod 640");
	write_secrets(w, "not a secret\n");
	world_expect_start_fails(w, 1, "cookies:1: a secret is 32 hexadecimal digits");
	snprintf(config, sizeof config, "%s", world_path(w, "nighd.yaml"));
	world_expect_run(w, check, 1, "cookies:1: a secret is 32 hexadecimal digits");
}

/* --- EXPIRE, keepalive, extended errors --- */

static void test_expire_is_what_the_soa_says(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "example.com", .type = "SOA", .options = "9="};
	struct world_answer a;
	char wanted[32], soa[256];
	unsigned expire = 0;

	start(w, "");
	a = world_question(w, &q);
	snprintf(soa, sizeof soa, "%.200s", a.records);
	assert_int_equal(sscanf(soa, "%*s %*s %*u %*u %*u %u", &expire), 1);
	assert_true(expire > 0);
	snprintf(wanted, sizeof wanted, "9=%08x", expire);
	assert_string_equal(a.options, wanted);
	assert_string_equal(with_options(w, "9=", true).options, wanted);
	q.name = "absent.example.com";
	assert_string_equal(world_question(w, &q).options, wanted);
	q.name = "elsewhere.test";
	a = world_question(w, &q);
	assert_int_equal(a.ede, 20);
	assert_string_equal(a.options, "15=0014");
}

static void test_keepalive_is_for_tcp(void **state)
{
	struct world *w = *state;

	start(w, "");
	assert_string_equal(with_options(w, "11=", true).options, "11=0064");
	assert_string_equal(with_options(w, "", true).options, "");
	assert_string_equal(with_options(w, "11=", false).options, "");
	/* A client has no timeout to tell. */
	assert_string_equal(with_options(w, "11=0064", true).options, "");
	assert_string_equal(with_options(w, "11=0064", true).records, "192.0.2.1");
	assert_string_equal(with_options(w, "11=0064", false).records, "192.0.2.1");
}

static void expect_ede(struct world *w, const char *name, const char *client, int ede)
{
	for (unsigned i = 0; world_query(w, name, "A", client).ede != ede; i++) {
		assert_in_range(i, 0, 500);
		usleep(10000);
	}
}

static void test_what_is_only_last_known_is_said_to_be_stale(void **state)
{
	static const char web[] = "web.shop.fed.svc.example.com", near_la[] = "203.0.113.0/24",
			  near_ny[] = "192.0.2.0/24";
	struct world *w = *state;

	world_config(w, "probe: {mode: off}\n");
	world_three_cities(w);
	world_start(w);
	assert_int_equal(world_query(w, web, "A", near_la).ede, -1);
	world_remove(w, "manifests/clusters/losangeles");
	expect_ede(w, web, near_la, 3);
	assert_string_equal(world_ask(w, web, "A", near_la), "198.18.3.10");
	assert_int_equal(world_query(w, web, "A", near_ny).ede, -1);
	world_service(w, "losangeles", "web", "198.18.3.10", true, "");
	expect_ede(w, web, near_la, -1);
}

/* --- who may ask, and who is believed --- */

static void test_a_zone_answers_only_who_may_ask(void **state)
{
	struct world *w = *state;
	struct world_question q = {.name = "www.closed.example", .type = "A", .from = "127.0.0.2"};
	struct world_answer a;

	start(w, "- name: closed.example\n"
	         "  nameservers: [{name: ns1.closed.example, addresses: [192.0.2.53]}]\n"
	         "  records: [\"www 300 IN A 192.0.2.7\"]\n"
	         "  allowQuery: [127.0.0.2]\n");
	assert_string_equal(world_question(w, &q).records, "192.0.2.7");
	q.from = "127.0.0.3";
	a = world_question(w, &q);
	assert_int_equal(a.rcode, REFUSED);
	assert_int_equal(a.ede, 18);
	assert_string_equal(a.authority, "");
	/* Who claims to ask for 127.0.0.2 is no better. */
	q.client = "127.0.0.2/32";
	assert_int_equal(world_question(w, &q).rcode, REFUSED);
	a = world_question(
		w, &(struct world_question){.name = "closed.example", .type = "SOA", .tcp = true});
	assert_int_equal(a.rcode, REFUSED);
	assert_int_equal(a.ede, 18);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", 0);
	assert_int_equal((int)world_metric(w, "dnsd_answer_reasons_total{reason=\"prohibited\"}"),
	                 3);
	/* A reload opens it. */
	world_config(w, ZONE "- {name: closed.example, records: [\"www 300 IN A 192.0.2.7\"]}\n");
	world_signal(w, SIGHUP);
	world_expect(w, "www.closed.example", "A", NULL, "192.0.2.7", 5000);
}

static void test_subnets_are_believed_from_whom_the_config_says(void **state)
{
	static const char web[] = "web.shop.fed.svc.example.com";
	struct world *w = *state;
	struct world_question q = {
		.name = web, .type = "A", .client = "203.0.113.0/24", .from = "127.0.0.2"};
	struct world_answer a;

	world_config(w, "ecs: {from: [127.0.0.2]}\n");
	world_three_cities(w);
	world_start(w);
	a = world_question(w, &q);
	assert_string_equal(a.records, "198.18.3.10");
	assert_true(a.scope > 0);
	q.client = "192.0.2.0/24";
	assert_string_equal(world_question(w, &q).records, "198.18.1.10");
	q.from = "127.0.0.3";
	a = world_question(w, &q);
	assert_int_equal(a.scope, 0);
	q.client = NULL;
	assert_string_equal(world_question(w, &q).records, a.records);
	/* What explain says is what was answered. */
	world_expect_http(w,
	                  "/explain?name=web.shop.fed.svc.example.com&client=203.0.113.0/24"
	                  "&resolver=127.0.0.2",
	                  "\"from\":\"ecs\"", 0);
	world_expect_http(w,
	                  "/explain?name=web.shop.fed.svc.example.com&client=203.0.113.0/24"
	                  "&resolver=127.0.0.3",
	                  "\"from\":\"resolver\"", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_nsid_is_said_to_who_asks_for_it),
		world_test(test_without_an_identity_nothing_is_said),
		world_test(test_chaos_names_are_answered_by_config),
		world_test(test_a_reload_changes_the_identity),
		world_test(test_a_cookie_is_answered_and_comes_back_the_same),
		world_test(test_a_forged_cookie_is_as_if_it_were_not_there),
		world_test(test_a_cookie_of_no_good_length_is_formerr),
		world_test(test_with_cookies_off_they_are_ignored),
		world_test(test_cookies_are_turned_off_and_on_while_it_runs),
		world_test(test_a_cookie_alone_needs_no_question),
		world_test(test_large_answers_can_need_a_good_cookie),
		world_test(test_secrets_are_rolled_over_while_it_runs),
		world_test(test_expire_is_what_the_soa_says),
		world_test(test_keepalive_is_for_tcp),
		world_test(test_what_is_only_last_known_is_said_to_be_stale),
		world_test(test_a_zone_answers_only_who_may_ask),
		world_test(test_subnets_are_believed_from_whom_the_config_says),
		world_test(test_a_file_of_secrets_must_be_there_and_private),
	};

	return cmocka_run_group_tests_name("scenario/edns", tests, NULL, NULL);
}
