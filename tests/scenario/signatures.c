/* signatures.c -- TSIG from outside: dig and kdig sign and verify; keys come and go with SIGHUP. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/world.h"

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="
#define KEYS                                                                                       \
	"key \"transfer.\" { algorithm hmac-sha256; secret \"" SECRET "\"; };\n"                   \
	"key \"long.example.\" { algorithm hmac-sha384; secret \"" SECRET "\"; };\n"               \
	"key \"longest.example.\" { algorithm hmac-sha512; secret \"" SECRET "\"; };\n"

static void write_keys(struct world *w, const char *keys)
{
	world_write(w, "keys", "%s", keys);
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
}

static void start(struct world *w)
{
	write_keys(w, KEYS);
	world_config(w, "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\"]}]\n"
	                "tsig: keys\n");
	world_folder(w, "manifests/host");
	world_start(w);
}

static const char *dig(struct world *w, const char *key, const char *more, const char *text)
{
	char port[16];

	snprintf(port, sizeof(port), "%u", world_dns_port(w));
	return world_expect_run(w,
	                        (const char *[]){"dig", "-p", port, "@127.0.0.1", "-y", key,
	                                         "+tries=1", "+time=5", more, "www.example.com",
	                                         "A", NULL},
	                        0, text);
}

static void test_dig_believes_what_is_signed_with_each_algorithm(void **state)
{
	static const char *const keys[] = {"hmac-sha256:transfer:" SECRET,
	                                   "hmac-sha384:long.example:" SECRET,
	                                   "hmac-sha512:LONGEST.example:" SECRET};
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < 3; i++) {
		const char *out = dig(w, keys[i], "+notcp", "192.0.2.1");

		assert_null(strstr(out, "Couldn't verify"));
		assert_non_null(strstr(out, "TSIG PSEUDOSECTION"));
		out = dig(w, keys[i], "+tcp", "192.0.2.1");
		assert_null(strstr(out, "Couldn't verify"));
	}
	assert_true(world_metric(w, "dnsd_signed_total") >= 6);
	assert_true(world_metric(w, "dnsd_bad_signatures_total") == 0);
}

static void test_kdig_believes_it_too(void **state)
{
	struct world *w = *state;
	char port[16];
	const char *out;

	start(w);
	snprintf(port, sizeof(port), "%u", world_dns_port(w));
	out = world_expect_run(w,
	                       (const char *[]){"kdig", "-p", port, "@127.0.0.1", "-y",
	                                        "hmac-sha256:transfer:" SECRET, "www.example.com",
	                                        NULL},
	                       0, "192.0.2.1");
	assert_null(strstr(out, "WARNING"));
}

static void test_who_signs_wrongly_gets_nothing(void **state)
{
	struct world *w = *state;
	const char *out;

	start(w);
	out = dig(w, "hmac-sha256:transfer:YW5vdGhlciBzZWNyZXQ=", "+notcp", "BADSIG");
	assert_non_null(strstr(out, "NOTAUTH"));
	assert_null(strstr(out, "192.0.2.1"));
	out = dig(w, "hmac-sha256:nobody:" SECRET, "+tcp", "BADKEY");
	assert_non_null(strstr(out, "NOTAUTH"));
	assert_null(strstr(out, "192.0.2.1"));
	out = dig(w, "hmac-sha1:transfer:" SECRET, "+notcp", "BADKEY");
	assert_non_null(strstr(out, "NOTAUTH"));
}

/* Its answer is signed too, or the client would take it for somebody else's. */
static void test_a_signed_update_is_refused(void **state)
{
	struct world *w = *state;

	start(w);
	world_write(w, "update",
	            "server 127.0.0.1 %u\nzone example.com\nupdate add new.example.com 60 A "
	            "192.0.2.9\nsend\n",
	            world_dns_port(w));
	(void)world_expect_run(w,
	                       (const char *[]){"nsupdate", "-y", "hmac-sha256:transfer:" SECRET,
	                                        world_path(w, "update"), NULL},
	                       2, "update failed: REFUSED");
	(void)world_expect_run(w,
	                       (const char *[]){"nsupdate", "-y", "hmac-sha256:nobody:" SECRET,
	                                        world_path(w, "update"), NULL},
	                       2, "BADKEY");
}

/* genreport's "dnswkk": the well-known key, which is never there. */
static void test_the_well_known_key_is_unknown(void **state)
{
	struct world *w = *state;

	start(w);
	(void)dig(w, "hmac-sha256:.:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "+notcp",
	          "BADKEY");
}

static void test_keys_come_and_go_with_a_reload_whole_or_not_at_all(void **state)
{
	static const char key[] = "hmac-sha256:transfer:" SECRET;
	struct world *w = *state;

	start(w);
	(void)dig(w, key, "+notcp", "192.0.2.1");
	write_keys(w, "key \"transfer.\" { algorithm hmac-sha256; };\n");
	world_signal(w, SIGHUP);
	world_expect_log(w, "a key needs an algorithm and a secret", 5000);
	(void)dig(w, key, "+notcp", "192.0.2.1");
	write_keys(w, "key other { algorithm hmac-sha256; secret \"" SECRET "\"; };\n");
	world_signal(w, SIGHUP);
	world_expect_log(w, "config taken up", 5000);
	(void)dig(w, key, "+notcp", "BADKEY");
	(void)dig(w, "hmac-sha256:other:" SECRET, "+notcp", "192.0.2.1");
}

static void test_no_secret_is_shown(void **state)
{
	struct world *w = *state;
	int status;

	start(w);
	(void)dig(w, "hmac-sha256:transfer:" SECRET, "+notcp", "192.0.2.1");
	assert_null(strstr(world_get(w, "/status", &status), SECRET));
	assert_null(strstr(world_get(w, "/metrics", &status), SECRET));
	assert_null(strstr(world_log(w), SECRET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_dig_believes_what_is_signed_with_each_algorithm),
		world_test(test_kdig_believes_it_too),
		world_test(test_who_signs_wrongly_gets_nothing),
		world_test(test_a_signed_update_is_refused),
		world_test(test_the_well_known_key_is_unknown),
		world_test(test_keys_come_and_go_with_a_reload_whole_or_not_at_all),
		world_test(test_no_secret_is_shown),
	};

	return cmocka_run_group_tests_name("scenario/signatures", tests, NULL, NULL);
}
