/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "kube/exec.h"

#define V1   "client.authentication.k8s.io/v1"
#define JSON "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":"

/* --- what is printed --- */

static void assert_decodes(const char *text, const char *token, const char *key, int64_t expires)
{
	struct kube_credential got = {0};
	struct reason why = {""};

	if (kube_exec_decode(bytes_of(text), V1, &got, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_true(bytes_equal(kube_secret_bytes(&got.token), bytes_of(token)));
	assert_true(bytes_equal(kube_secret_bytes(&got.key), bytes_of(key)));
	assert_int_equal(got.expires_at, expires);
	kube_credential_fini(&got);
}

static void assert_refused(const char *text, const char *reason)
{
	struct kube_credential got = {0}, none = {0};
	struct reason why = {""};

	assert_int_equal(kube_exec_decode(bytes_of(text), V1, &got, &why), ERR_PARSE);
	assert_string_equal(why.text, reason);
	assert_memory_equal(&got, &none, sizeof(got));
}

#define PEM(what) "-----BEGIN " what "-----\\n"

static void test_a_token_or_a_certificate_is_decoded(void **state)
{
	(void)state;
	assert_decodes(JSON "{\"token\":\" abc\\n\"}}\n", "abc", NULL, 0);
	assert_decodes(JSON "{\"token\":\"abc\",\"expirationTimestamp\":\"2026-01-02T03:04:05Z\"}}",
	               "abc", NULL, 1767323045);
	assert_decodes(JSON "{\"clientCertificateData\":\"" PEM("C") "\",\"clientKeyData\":\"" PEM(
			       "K") "\",\"token\":null}}",
	               NULL, "-----BEGIN K-----\n", 0);
}

static void test_what_is_no_credential_is_refused(void **state)
{
	(void)state;
	assert_refused("", "no JSON object");
	assert_refused("CANARY", "no JSON object");
	assert_refused("[1]", "no JSON object");
	assert_refused("{} {}", "no JSON object");
	assert_refused("{\"kind\":\"Secret\"}", "not of kind ExecCredential");
	assert_refused("{\"kind\":\"ExecCredential\",\"apiVersion\":\"x/v1\"}",
	               "of another apiVersion than " V1);
	assert_refused(JSON "null}", "without a status");
	assert_refused(JSON "{}}", "neither a token nor a certificate");
	assert_refused(JSON "{\"token\":5}}", "a field of status is no text");
	assert_refused(JSON "{\"token\":\"CAN\\r\\nARY\"}}",
	               "status.token: holds a space, a control character or one that is not ASCII");
	assert_refused(JSON "{\"token\":\"a\",\"clientKeyData\":\"" PEM("K") "\"}}",
	               "status.clientCertificateData: has no PEM in it");
	assert_refused(JSON "{\"clientCertificateData\":\"" PEM("C") "\"}}",
	               "status.clientKeyData: has no PEM in it");
	assert_refused(JSON "{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}}",
	               "status.expirationTimestamp is no time");
}

/* --- programs --- */

struct result {
	unsigned calls;
	enum err err;
	struct reason why;
	char token[256];
	int64_t expires_at;
	struct kube_exec_run *run;
	bool cancels; /* from within the call */
};

static uv_loop_t loop;

static void on_done(enum err err, struct kube_credential *got, const struct reason *why, void *arg)
{
	struct result *r = arg;

	r->calls++;
	r->err = err;
	r->why = *why;
	assert_int_equal(got == NULL, err != ERR_OK);
	if (got) {
		snprintf(r->token, sizeof(r->token), "%s", got->token.data);
		r->expires_at = got->expires_at;
	}
	if (r->cancels)
		kube_exec_cancel(r->run);
}

static int setup(void **state)
{
	(void)state;
	CHECK(uv_loop_init(&loop) == 0);
	return 0;
}

/* Nothing is left: no handle on the loop, no child. */
static int teardown(void **state)
{
	(void)state;
	CHECK(uv_loop_close(&loop) == 0);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1);
	return 0;
}

/* `sh -c script`, with SECRET=CANARY; the caller turns the loop. */
static struct kube_exec_run *run_script(const char *script, struct result *out)
{
	char shell[] = "/bin/sh", c[] = "-c", version[] = V1, secret[] = "SECRET=CANARY";
	char first[] = "PATH=/bin:/usr/bin", doubled[] = "SECRET=early", copy[1024];
	char *args[] = {c, copy}, *env[] = {doubled, first, secret};
	struct kube_exec exec = {.command = shell,
	                         .arg = args,
	                         .arg_count = 2,
	                         .env = env,
	                         .env_count = 3,
	                         .api_version = version,
	                         .wants_cluster = true};
	struct kube_exec_cluster cluster = {.server = "https://192.0.2.1", .ca = "foob"};

	snprintf(copy, sizeof(copy), "%s", script);
	out->run = kube_exec_run(&loop, &exec, &cluster, on_done, out);
	assert_int_equal(out->calls, 0);
	return out->run;
}

static void assert_run(const char *script, enum err err, const char *said)
{
	struct result r = {0};

	run_script(script, &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 1);
	assert_string_equal(r.why.text, err ? said : "");
	assert_int_equal(r.err, err);
	if (!err)
		assert_string_equal(r.token, said);
}

#define PRINT(token) "printf '" JSON "{\"token\":\"%s\"}}' " token

static void test_a_programs_credential_is_given(void **state)
{
	(void)state;
	assert_run(PRINT("abc"), ERR_OK, "abc");
	assert_run("sleep 0.05; " PRINT("abc") "; sleep 0.05", ERR_OK, "abc");
}

static void test_a_program_is_told_of_the_cluster(void **state)
{
	(void)state;
	setenv("SECRET", "own", 1);
	assert_run(PRINT("\"$SECRET\""), ERR_OK, "CANARY");
	unsetenv("SECRET");
	assert_run(PRINT("\"$(env | grep -c ^SECRET=)\""), ERR_OK, "1");
	assert_run(PRINT("\"$(printf %s \"$KUBERNETES_EXEC_INFO\" | tr '\"' '_')\""), ERR_OK,
	           "{_kind_:_ExecCredential_,_apiVersion_:_" V1 "_,_spec_:{_interactive_:false,"
	           "_cluster_:{_server_:_https://192.0.2.1_,_certificate-authority-data_:"
	           "_Zm9vYg==_}}}");
}

static void test_a_program_reads_nothing(void **state)
{
	(void)state;
	assert_run("read line; " PRINT("[$line]"), ERR_OK, "[]");
}

static void test_how_a_program_failed_is_told_without_its_words(void **state)
{
	(void)state;
	assert_run("echo CANARY; echo CANARY >&2; exit 3", ERR_DENIED, "sh: ended with status 3");
	assert_run("echo CANARY; kill -9 $$", ERR_IO, "sh: ended by signal 9");
	assert_run("echo CANARY", ERR_PARSE, "sh: no JSON object");
	assert_run("exec >&-; sleep 0.05; exit 4", ERR_DENIED, "sh: ended with status 4");
}

static void test_a_program_that_is_not_there_is_told_later(void **state)
{
	char name[] = "/nowhere/plugin", version[] = V1;
	struct kube_exec exec = {.command = name, .api_version = version};
	struct result r = {0};

	(void)state;
	kube_exec_run(&loop, &exec, NULL, on_done, &r);
	assert_int_equal(r.calls, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.err, ERR_NOTFOUND);
	assert_string_equal(r.why.text, "plugin: no such file or directory");
}

static void test_output_is_bounded(void **state)
{
	(void)state;
	assert_run("while :; do echo CANARYCANARYCANARYCANARYCANARYCANARY; done", ERR_RANGE,
	           "sh: more than 1 MiB of output");
}

static void test_a_program_that_takes_too_long_is_killed_and_waited_for(void **state)
{
	struct result r = {0};
	uint64_t before_ms = clock_monotonic_ms();

	(void)state;
	kube_exec_set_timeout(run_script("exec sleep 60", &r), 50);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.err, ERR_TIMEOUT);
	assert_string_equal(r.why.text, "sh: has not ended in time");
	assert_true(clock_monotonic_ms() - before_ms < 20000);
}

static void test_who_keeps_the_output_open_is_not_waited_for(void **state)
{
	(void)state;
	assert_run(PRINT("abc") "; sleep 5 & exit 0", ERR_OK, "abc");
}

static void test_a_cancelled_program_is_not_told(void **state)
{
	struct result r = {0};

	(void)state;
	kube_exec_cancel(run_script("exec sleep 60", &r));
	uv_run(&loop, UV_RUN_DEFAULT);
	run_script("exec sleep 60", &r);
	uv_run(&loop, UV_RUN_NOWAIT);
	kube_exec_cancel(r.run);
	kube_exec_cancel(r.run);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 0);
	kube_exec_cancel(NULL);
}

static void test_a_program_that_could_not_start_may_be_cancelled(void **state)
{
	char name[] = "/nowhere/plugin", version[] = V1;
	struct kube_exec exec = {.command = name, .api_version = version};
	struct result r = {0};

	(void)state;
	kube_exec_cancel(kube_exec_run(&loop, &exec, NULL, on_done, &r));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 0);
}

static void test_a_cancel_from_within_the_call_does_nothing(void **state)
{
	struct result r = {.cancels = true};

	(void)state;
	run_script(PRINT("abc"), &r);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(r.calls, 1);
	assert_string_equal(r.token, "abc");
}

static void test_many_programs_run_at_once(void **state)
{
	enum { MANY = 20 };
	struct result r[MANY] = {{0}};

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		run_script(PRINT("abc"), &r[i]);
	for (size_t i = 0; i < MANY; i += 3)
		kube_exec_cancel(r[i].run);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(r[i].calls, i % 3 != 0);
}

#define OVER_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_token_or_a_certificate_is_decoded),
		cmocka_unit_test(test_what_is_no_credential_is_refused),
		OVER_LOOP(test_a_programs_credential_is_given),
		OVER_LOOP(test_a_program_is_told_of_the_cluster),
		OVER_LOOP(test_a_program_reads_nothing),
		OVER_LOOP(test_how_a_program_failed_is_told_without_its_words),
		OVER_LOOP(test_a_program_that_is_not_there_is_told_later),
		OVER_LOOP(test_output_is_bounded),
		OVER_LOOP(test_a_program_that_takes_too_long_is_killed_and_waited_for),
		OVER_LOOP(test_who_keeps_the_output_open_is_not_waited_for),
		OVER_LOOP(test_a_cancelled_program_is_not_told),
		OVER_LOOP(test_a_program_that_could_not_start_may_be_cancelled),
		OVER_LOOP(test_a_cancel_from_within_the_call_does_nothing),
		OVER_LOOP(test_many_programs_run_at_once),
	};

	return cmocka_run_group_tests_name("kube/exec", tests, NULL, NULL);
}
